/* Whatever the bytes: what smc.json reads it can write, and what it wrote reads back as the same and writes the same. */
#include "smcb.h"

#include <lualib.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Leaves the function that checks one text on the stack. */
static lua_State *open_state(void)
{
    static const char law[] = "local json = require 'smc.json'\n"
                              "return function(text)\n"
                              "  local value = json.decode(text)\n"
                              "  if value == nil then return end\n"
                              "  local written = json.encode(value)\n"
                              "  local again, err = json.decode(written)\n"
                              "  assert(again ~= nil, err)\n"
                              "  assert(json.encode(again) == written, written)\n"
                              "end\n";
    lua_State *L = luaL_newstate();

    if (L == NULL)
        return NULL;
    luaL_openlibs(L);
    luaL_requiref(L, "smc.json", smcb_open_json, 0);
    /* Errors are made by a Lua module of the product; here only their making matters. */
    if (luaL_dostring(L, "package.preload['smc.error'] = function()\n"
                         "  return { new = function(err) return err end }\n"
                         "end\n") ||
        luaL_dostring(L, law)) {
        (void)fprintf(stderr, "%s\n", lua_tostring(L, -1));
        abort();
    }
    return L;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    lua_State *L = open_state();

    if (L == NULL)
        return 0;
    lua_pushlstring(L, (const char *)data, size);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
        (void)fprintf(stderr, "%s\n", lua_tostring(L, -1));
        abort();
    }
    lua_close(L);
    return 0;
}
