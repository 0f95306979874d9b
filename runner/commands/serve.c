#include "commands/serve.h"

#include "report/text.h"
#include "run/run.h"
#include "smcb_runtime.h"

#include <errno.h>
#include <lauxlib.h>
#include <lua.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    MEMORY_MIB = 1024, /* of Lua */
};

/* All that a signal handler can reach. */
static struct {
    smcb_host_t *volatile host; /* NULL: not yet open, or no longer */
    volatile sig_atomic_t asked;
} serving;

static void on_signal(int number)
{
    int before = errno;
    smcb_host_t *host = serving.host;

    (void)number;
    if (serving.asked)
        _exit(SMCR_EXIT_INTERRUPTED);
    serving.asked = 1;
    if (host != NULL)
        smcb_request_stop(host);
    errno = before;
}

static bool catch_signals(void)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
    struct sigaction action = {.sa_handler = on_signal}, was;

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (sigaction(numbers[i], NULL, &was) != 0)
            return false;
        if (was.sa_handler != SIG_IGN && sigaction(numbers[i], &action, NULL) != 0)
            return false;
    }
    return signal(SIGPIPE, SIG_IGN) != SIG_ERR;
}

/* One line; the message may hold what a client sent. */
static void complain(void *ud, const char *message)
{
    (void)ud;
    (void)fputs("smcrun: error while serving: ", stderr);
    smcr_put_line(stderr, message, strlen(message));
    (void)fputc('\n', stderr);
}

static int l_complain(lua_State *L)
{
    complain(NULL, luaL_checkstring(L, 1));
    return 0;
}

static void set_text(lua_State *L, const char *key, const char *value)
{
    lua_pushstring(L, value);
    lua_setfield(L, -2, key);
}

/* In protected mode: require("smc.serve").run{...} -> true | nil, why. */
static int l_main(lua_State *L)
{
    const smcr_options_t *o = lua_touserdata(L, 1);

    smcb_require(L, "smc.serve");
    (void)lua_getfield(L, -1, "run");
    lua_createtable(L, 0, 10);
    lua_createtable(L, (int)o->n_paths, 0);
    for (size_t i = 0; i < o->n_paths; i++) {
        lua_pushstring(L, o->paths[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "venues");
    if (o->port != 0) {
        lua_pushinteger(L, o->port);
        lua_setfield(L, -2, "port");
    }
    lua_pushinteger(L, (lua_Integer)o->seed);
    lua_setfield(L, -2, "seed");
    set_text(L, "host", o->host);
    set_text(L, "ca_file", o->ca_file);
    lua_createtable(L, 0, 4);
    set_text(L, "key", o->key);
    set_text(L, "secret", o->secret);
    set_text(L, "token", o->token);
    set_text(L, "account", o->account);
    lua_setfield(L, -2, "credentials");
    lua_pushboolean(L, o->tls);
    lua_setfield(L, -2, "tls");
    lua_pushboolean(L, o->json);
    lua_setfield(L, -2, "json");
    lua_pushcfunction(L, l_complain);
    lua_setfield(L, -2, "complain");
    lua_call(L, 1, 2);
    return 2;
}

static smcr_exit_t tell(smcr_exit_t status, const char *why)
{
    (void)fputs("smcrun: ", stderr);
    smcr_put_lines(stderr, "", why == NULL ? "no reason was given" : why);
    return status;
}

static smcr_exit_t serve(smcr_options_t *o, lua_State *L)
{
    lua_pushcfunction(L, l_main);
    lua_pushlightuserdata(L, o);
    if (lua_pcall(L, 1, 2, 0) != LUA_OK)
        return tell(SMCR_EXIT_INTERNAL, luaL_tolstring(L, -1, NULL));
    return lua_toboolean(L, -2) ? SMCR_EXIT_PASSED : tell(SMCR_EXIT_USAGE, lua_tostring(L, -1));
}

smcr_exit_t smcr_serve(smcr_options_t *o)
{
    smcb_conf_t conf = {.memory_bytes = (size_t)MEMORY_MIB << 20, .on_job_error = complain};
    smcb_host_t *host = NULL;
    lua_State *L = NULL;
    smc_error_t err = {0};
    smcr_exit_t status = smcr_draw_seed(o);

    if (status != SMCR_EXIT_PASSED)
        return status;
    if (!catch_signals())
        return tell(SMCR_EXIT_INTERNAL, strerror(errno));
    conf.seed = o->seed;
    if (smcb_open(&conf, &host, &L, &err) != SMC_OK)
        return tell(SMCR_EXIT_INTERNAL, err.detail);
    serving.host = host;
    if (serving.asked)
        smcb_request_stop(host);
    status = serve(o, L);
    serving.host = NULL;
    smcb_close(host);
    return status;
}
