/* Whatever the bytes: what smc.json reads it can write, and what it wrote reads back as the same and writes the same; and
 * the short way reads what the long one reads, which the fraction at the end calls for. */
#include "smcb_runtime.h"

#include <lauxlib.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char law[] = "local json = ...\n"
                          "return function(text)\n"
                          "  local value = json.decode(text)\n"
                          "  if value == nil then return end\n"
                          "  local written = json.encode(value)\n"
                          "  local again, err = json.decode(written)\n"
                          "  assert(again ~= nil, err)\n"
                          "  assert(json.encode(again) == written, written)\n"
                          "  local long = json.decode('[' .. text .. ',0.5]')\n"
                          "  assert(long == nil or json.encode(long[1]) == written, text)\n"
                          "end\n";

static void die(const char *why)
{
    (void)fprintf(stderr, "%s\n", why);
    abort();
}

/* The state, with the function that checks one text on its stack.  Opened once: that costs more than a check. */
static lua_State *state(void)
{
    static smcb_host_t *host;
    static lua_State *L;
    const smcb_conf_t conf = {.cpu_budget_ms = 60000};
    smc_error_t err;

    if (host != NULL)
        return L;
    if (smcb_open(&conf, &host, &L, &err) != SMC_OK)
        die(err.detail);
    if (luaL_loadstring(L, law) != LUA_OK)
        die(lua_tostring(L, -1));
    smcb_require(L, "smc.json");
    lua_call(L, 1, 1);
    return L;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    lua_State *L = state();

    lua_pushvalue(L, 1);
    lua_pushlstring(L, (const char *)data, size);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK)
        die(lua_tostring(L, -1));
    return 0;
}
