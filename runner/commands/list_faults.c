#include "commands/list_faults.h"

#include "smcb_runtime.h"

#include <lauxlib.h>
#include <lua.h>
#include <stdio.h>

enum { MEMORY_MIB = 256 /* of Lua */ };

/* In protected mode: require "smc.sandbox.fault_list".text() or .json(). */
static int l_list(lua_State *L)
{
    bool as_json = lua_toboolean(L, 1);

    smcb_require(L, "smc.sandbox.fault_list");
    (void)lua_getfield(L, -1, as_json ? "json" : "text");
    lua_call(L, 0, 1);
    return 1;
}

static smcr_exit_t print(lua_State *L)
{
    size_t n = 0;
    const char *text = lua_tolstring(L, -1, &n);
    bool fine = text != NULL && fwrite(text, 1, n, stdout) == n && fflush(stdout) == 0;

    return fine ? SMCR_EXIT_PASSED : SMCR_EXIT_INTERNAL;
}

smcr_exit_t smcr_list_faults(bool as_json)
{
    smcb_conf_t conf = {.memory_bytes = (size_t)MEMORY_MIB << 20};
    smcb_host_t *host = NULL;
    lua_State *L = NULL;
    smc_error_t err = {0};
    smcr_exit_t status = SMCR_EXIT_INTERNAL;

    if (smcb_open(&conf, &host, &L, &err) != SMC_OK) {
        (void)fprintf(stderr, "smcrun: %s\n", err.detail);
        return status;
    }
    lua_pushcfunction(L, l_list);
    lua_pushboolean(L, as_json);
    if (lua_pcall(L, 1, 1, 0) == LUA_OK)
        status = print(L);
    else
        (void)fprintf(stderr, "smcrun: %s\n", luaL_tolstring(L, -1, NULL));
    smcb_close(host);
    return status;
}
