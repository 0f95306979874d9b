#include "keys/access_lua.h"

#include "report/text.h"
#include "smcb_runtime.h"

#include <lauxlib.h>
#include <stdio.h>

static int l_say(lua_State *L)
{
    const smcr_access_t *access = lua_touserdata(L, lua_upvalueindex(1));
    size_t n;
    const char *line = luaL_checklstring(L, 1, &n);
    smc_buf_t clear = {0};
    if (smc_log_redact(access->redactor, line, n, &clear) == SMC_OK && clear.len > 0)
        smcr_put_line(stdout, clear.data, clear.len);
    smc_buf_deinit(&clear);
    (void)fputc('\n', stdout);
    (void)fflush(stdout);
    return 0;
}

void smcr_access_fill(lua_State *L, smcr_access_t *access)
{
    const smcr_env_t *env = &access->env;
    lua_createtable(L, 0, (int)env->count);
    for (size_t i = 0; i < env->count; i++) {
        lua_pushstring(L, env->pairs[i].value);
        lua_setfield(L, -2, env->pairs[i].name);
    }
    lua_setfield(L, -2, "credentials");
    lua_pushstring(L, access->ca);
    lua_setfield(L, -2, "ca");
    smcb_set_closure(L, "say", l_say, access);
}

void smcr_push_list(lua_State *L, const char *const *texts, size_t n)
{
    lua_createtable(L, (int)n, 0);
    for (size_t i = 0; i < n; i++) {
        lua_pushstring(L, texts[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}
