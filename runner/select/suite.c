#include "select/suite.h"

#include "smcb_runtime.h"

#include <lauxlib.h>
#include <lua.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OP "suite"
enum { MEMORY_MIB = 64 /* of Lua */, CPU_BUDGET_MS = 200 };

/* A copy of the text on top, which is popped.  Raises when there is no memory. */
static char *take_text(lua_State *L)
{
    char *copy = lua_isnil(L, -1) ? NULL : strdup(luaL_checkstring(L, -1));
    if (copy == NULL && !lua_isnil(L, -1))
        luaL_error(L, "not enough memory");
    lua_pop(L, 1);
    return copy;
}

/* In protected mode: require("smc.suites").read(folder, name) -> {file, paths.., filter}, or nil and a sentence; without a
 * name .names(folder) -> {names..}. */
static int l_read(lua_State *L)
{
    smcr_suite_t *out = lua_touserdata(L, 1);
    char **why = lua_touserdata(L, 2);
    smcb_require(L, "smc.suites");
    (void)lua_getfield(L, -1, lua_isnil(L, 4) ? "names" : "read");
    lua_pushvalue(L, 3);
    lua_pushvalue(L, 4);
    lua_call(L, 2, 2);
    *why = take_text(L);
    if (*why != NULL)
        return 0;
    size_t n = lua_rawlen(L, -1);
    out->paths = calloc(n + 1, sizeof(*out->paths));
    if (out->paths == NULL)
        return luaL_error(L, "not enough memory");
    for (size_t i = 1; i <= n; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i);
        out->paths[i - 1] = take_text(L);
        out->n_paths = i;
    }
    lua_getfield(L, -1, "file");
    out->file = take_text(L);
    lua_getfield(L, -1, "filter");
    out->filter = take_text(L);
    return 0;
}

smc_code_t smcr_suite_read(const char *folder, const char *name, smcr_suite_t *out, char **why,
                           smc_error_t *err)
{
    smcb_conf_t conf = {.memory_bytes = (size_t)MEMORY_MIB << 20, .cpu_budget_ms = CPU_BUDGET_MS};
    smcb_host_t *host = NULL;
    lua_State *L = NULL;
    *why = NULL;
    smc_code_t rc = smcb_open(&conf, &host, &L, err);
    if (rc != SMC_OK)
        return rc;
    lua_pushcfunction(L, l_read);
    lua_pushlightuserdata(L, out);
    lua_pushlightuserdata(L, why);
    lua_pushstring(L, folder);
    lua_pushstring(L, name);
    if (lua_pcall(L, 4, 0, 0) != LUA_OK)
        rc = smc_fail(err, SMC_ESYS, OP, 0, "the suites cannot be read: %s",
                      luaL_tolstring(L, -1, NULL));
    else if (*why != NULL)
        rc = smc_fail(err, SMC_EINVAL, OP, 0, "%s", *why);
    smcb_close(host);
    return rc;
}

smc_code_t smcr_suite_names(const char *folder, smcr_suite_t *out, char **why, smc_error_t *err)
{
    return smcr_suite_read(folder, NULL, out, why, err);
}

void smcr_suite_deinit(smcr_suite_t *suite)
{
    for (size_t i = 0; i < suite->n_paths; i++)
        free(suite->paths[i]);
    free(suite->paths);
    free(suite->file);
    free(suite->filter);
    *suite = (smcr_suite_t){0};
}
