#include "commands/repl.h"

#include "commands/prompt.h"
#include "report/text.h"
#include "run/journal.h"
#include "run/run.h"
#include "run/stable.h"
#include "smcb_runtime.h"

#include <lauxlib.h>
#include <limits.h>
#include <lua.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define HISTORY "repl_history"
#define COLUMNS 80u

typedef struct session {
    const smcr_options_t *options;
    lua_State *L;
    smcr_prompt_t *prompt;
    int complete; /* registry reference of Lua's function */
} session_t;

/* All that a signal handler can reach. */
static smcb_host_t *volatile stoppable;

static void stop(void)
{
    smcb_host_t *host = stoppable;
    if (host != NULL)
        smcb_request_stop(host);
}

static session_t *upvalue_session(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(1));
}

/* ---- what Lua is given --------------------------------------------------------- */

/* read(prompt) -> line | nil at the end | nil, true when it was broken off */
static int l_read(lua_State *L)
{
    session_t *s = upvalue_session(L);
    const char *text = luaL_checkstring(L, 1);
    smc_buf_t line = {0};
    smcr_line_t got = smcr_prompt_read(s->prompt, text, &line);
    if (got == SMCR_LINE) {
        const char *data = line.data == NULL ? "" : line.data;
        smcr_prompt_remember(s->prompt, data);
        lua_pushlstring(L, data, line.len);
    } else {
        lua_pushnil(L);
    }
    smc_buf_deinit(&line);
    lua_pushboolean(L, got == SMCR_BROKEN_OFF);
    return 2;
}

/* print(text) */
static int l_print(lua_State *L)
{
    smcr_put_lines(stdout, "", luaL_checkstring(L, 1));
    return 0;
}

/* complain(text, [traceback]) */
static int l_complain(lua_State *L)
{
    size_t n = 0;
    const char *text = luaL_checkstring(L, 1), *traceback = luaL_optlstring(L, 2, "", &n);
    smc_buf_t trimmed = {0};
    (void)fflush(stdout);
    smcr_put_lines(stderr, "", text);
    if (n > 0 && smcr_trim_traceback(traceback, n, &trimmed) == SMC_OK && trimmed.len > 0)
        smcr_put_lines(stderr, "", trimmed.data);
    smc_buf_deinit(&trimmed);
    return 0;
}

/* on_complete(fn) */
static int l_on_complete(lua_State *L)
{
    session_t *s = upvalue_session(L);
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, 1);
    s->complete = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

/* The names at the top of the stack, in columns. */
static void list_names(lua_State *L, smc_buf_t *out)
{
    size_t widest = 1;
    lua_Integer count = luaL_len(L, -1);
    for (lua_Integer i = 1; i <= count; i++) {
        (void)lua_rawgeti(L, -1, i);
        size_t width = strlen(lua_tostring(L, -1));
        widest = width > widest ? width : widest;
        lua_pop(L, 1);
    }
    lua_Integer across = (lua_Integer)(COLUMNS / (widest + 2));
    across = across < 1 ? 1 : across;
    for (lua_Integer i = 1; i <= count; i++) {
        (void)lua_rawgeti(L, -1, i);
        bool last = i % across == 0 || i == count;
        (void)smc_buf_printf(out, "%-*s%s", last ? 0 : (int)widest + 2, lua_tostring(L, -1),
                             last ? "\n" : "");
        lua_pop(L, 1);
    }
}

static int l_complete(lua_State *L)
{
    const session_t *s = lua_touserdata(L, 1);
    const char *before = lua_touserdata(L, 2);
    (void)lua_rawgeti(L, LUA_REGISTRYINDEX, s->complete);
    lua_pushstring(L, before);
    lua_call(L, 1, 2);
    return 2;
}

static void complete(void *ud, const char *before, smc_buf_t *insert, smc_buf_t *list)
{
    session_t *s = ud;
    int top = lua_gettop(s->L);
    lua_pushcfunction(s->L, l_complete);
    lua_pushlightuserdata(s->L, s);
    lua_pushlightuserdata(s->L, (void *)(uintptr_t)before);
    if (lua_checkstack(s->L, 4) && lua_pcall(s->L, 2, 2, 0) == LUA_OK) {
        (void)smc_buf_puts(insert, lua_tostring(s->L, -2));
        if (luaL_len(s->L, -1) > 1)
            list_names(s->L, list);
    }
    lua_settop(s->L, top);
}

/* ---- the command --------------------------------------------------------------- */

/* In protected mode: require("smc.repl").run{...} -> whether all was well */
static int l_main(lua_State *L)
{
    session_t *s = lua_touserdata(L, 1);
    smcb_require(L, "smc.repl");
    (void)lua_getfield(L, -1, "run");
    lua_createtable(L, 0, 6);
    lua_pushinteger(L, (lua_Integer)s->options->seed);
    lua_setfield(L, -2, "seed");
    lua_pushboolean(L, smcr_prompt_is_terminal(s->prompt));
    lua_setfield(L, -2, "greet");
    smcb_set_closure(L, "read", l_read, s);
    smcb_set_closure(L, "print", l_print, s);
    smcb_set_closure(L, "complain", l_complain, s);
    smcb_set_closure(L, "on_complete", l_on_complete, s);
    lua_call(L, 1, 1);
    return 1;
}

static smcr_exit_t complain(smcr_exit_t status, const char *why)
{
    (void)fputs("smcrun: ", stderr);
    smcr_put_lines(stderr, "", why);
    return status;
}

static smcr_exit_t talk(session_t *s)
{
    lua_pushcfunction(s->L, l_main);
    lua_pushlightuserdata(s->L, s);
    if (lua_pcall(s->L, 1, 1, 0) != LUA_OK)
        return complain(SMCR_EXIT_INTERNAL, luaL_tolstring(s->L, -1, NULL));
    bool fine = lua_toboolean(s->L, -1) || smcr_prompt_is_terminal(s->prompt);
    if (smcr_prompt_is_told())
        return SMCR_EXIT_INTERRUPTED;
    return fine ? SMCR_EXIT_PASSED : SMCR_EXIT_FAILED;
}

/* The file of earlier lines.  False: none is kept, for its folder is not to be had. */
static bool find_history(char path[PATH_MAX])
{
    char folder[PATH_MAX];
    if (smcr_journal_folder(NULL, folder, NULL) != SMC_OK ||
        smcr_journal_make_folder(folder, NULL) != SMC_OK)
        return false;
    int n = snprintf(path, PATH_MAX, "%s/" HISTORY, folder);
    return n > 0 && n < PATH_MAX;
}

smcr_exit_t smcr_repl(smcr_options_t *options)
{
    char history[PATH_MAX];
    session_t s = {.options = options, .complete = LUA_NOREF};
    smcb_conf_t conf = {.virtual_clock = true, .stop_at_once = true};
    smcr_prompt_conf_t reads = {.complete = complete, .on_signal = stop, .ud = &s};
    smcb_host_t *host = NULL;
    smc_error_t err = {0};
    smcr_exit_t status = smcr_draw_seed(options);

    if (status != SMCR_EXIT_PASSED)
        return status;
    conf.seed = options->seed;
    conf.memory_bytes = (size_t)options->memory_mib << 20;
    if (find_history(history))
        reads.history = history;
    if (smcb_open(&conf, &host, &s.L, &err) != SMC_OK)
        return complain(SMCR_EXIT_INTERNAL, err.detail);
    if (smcr_prompt_open(&reads, &s.prompt, &err) == SMC_OK) {
        stoppable = host;
        status = talk(&s);
        stoppable = NULL;
        smcr_prompt_close(s.prompt);
    } else {
        status = complain(SMCR_EXIT_USAGE, err.detail);
    }
    smcb_close(host);
    return fflush(stdout) == 0 ? status : SMCR_EXIT_INTERNAL;
}
