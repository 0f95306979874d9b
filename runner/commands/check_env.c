#include "commands/check_env.h"

#include "keys/access_lua.h"
#include "report/text.h"
#include "smcb_runtime.h"

#include <lauxlib.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { MEMORY_MIB = 512 /* of Lua */ };

typedef struct session {
    const smcr_options_t *options;
    smcr_access_t access;
} session_t;

static smcr_exit_t complain(smcr_exit_t status, const char *why)
{
    (void)fputs("smcrun: ", stderr);
    smcr_put_lines(stderr, "", why);
    return status;
}

/* The set of those that the environment has. */
static void push_exported(lua_State *L, const smcr_env_t *env)
{
    lua_createtable(L, 0, (int)env->count);
    for (size_t i = 0; i < env->count; i++) {
        lua_pushboolean(L, env->pairs[i].exported);
        lua_setfield(L, -2, env->pairs[i].name);
    }
}

/* In protected mode: require("smc.check_env").run{...} -> a word, or nil and why. */
static int l_main(lua_State *L)
{
    session_t *s = lua_touserdata(L, 1);
    const smcr_options_t *o = s->options;
    smcb_require(L, "smc.check_env");
    (void)lua_getfield(L, -1, "run");
    lua_createtable(L, 0, 8);
    smcr_access_fill(L, &s->access);
    push_exported(L, &s->access.env);
    lua_setfield(L, -2, "exported");
    lua_pushstring(L, o->env_file == NULL ? ".env" : o->env_file);
    lua_setfield(L, -2, "env_file");
    smcr_push_list(L, o->paths, o->n_paths);
    lua_setfield(L, -2, "venues");
    smcr_push_list(L, o->required, o->n_required);
    lua_setfield(L, -2, "requires");
    lua_pushboolean(L, o->offline);
    lua_setfield(L, -2, "offline");
    lua_call(L, 1, 2);
    return 2;
}

static smcr_exit_t status_of(const char *word)
{
    return strcmp(word, "ready") == 0     ? SMCR_EXIT_PASSED
           : strcmp(word, "missing") == 0 ? SMCR_EXIT_MISSING
                                          : SMCR_EXIT_FAILED;
}

static smcr_exit_t check(session_t *s)
{
    smcb_conf_t conf = {.memory_bytes = (size_t)MEMORY_MIB << 20};
    smcb_host_t *host = NULL;
    lua_State *L = NULL;
    smc_error_t err = {0};
    if (smcb_open(&conf, &host, &L, &err) != SMC_OK)
        return complain(SMCR_EXIT_INTERNAL, err.detail);
    smcr_exit_t status;
    lua_pushcfunction(L, l_main);
    lua_pushlightuserdata(L, s);
    if (lua_pcall(L, 1, 2, 0) != LUA_OK)
        status = complain(SMCR_EXIT_INTERNAL, luaL_tolstring(L, -1, NULL));
    else if (lua_isnil(L, -2))
        status = complain(SMCR_EXIT_USAGE, lua_tostring(L, -1));
    else
        status = status_of(lua_tostring(L, -2));
    smcb_close(host);
    return status;
}

smcr_exit_t smcr_check_env(const smcr_options_t *options)
{
    session_t s = {.options = options};
    (void)signal(SIGPIPE, SIG_IGN);
    smcr_exit_t status = smcr_access_load(&s.access, options);
    if (status == SMCR_EXIT_PASSED)
        status = check(&s);
    smcr_access_deinit(&s.access);
    return fflush(stdout) == 0 ? status : SMCR_EXIT_INTERNAL;
}
