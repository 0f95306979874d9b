/* smc.core.process - programs that a scenario starts; smc/process.lua drives it.
 *
 * What a program prints is kept in lines, numbered from 1, of which the oldest are forgotten. */
#include "smcb.h"

#include "smc/buf.h"
#include "smc/process.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROCESS_MT "smc.core.process"

enum {
    LOGGED_BYTES = 500,
    LINE_MAX_BYTES = 64 << 10, /* what is longer counts as several lines */
    KEPT_LINES = 20000,
    KEPT_BYTES = 8 << 20,
    FORGET_AT_ONCE = KEPT_LINES / 10,
    STREAMS = 2,
};

typedef struct line {
    int stream; /* 1 standard output, 2 standard error */
    size_t n;
    char text[];
} line_t;

/* Somebody who waits for more lines, or the end. */
typedef struct waiter {
    smcb_wait_t *w;
    struct waiter *next, **link;
} waiter_t;

typedef struct process_box {
    smcb_resource_t resource; /* first: closed with the world */
    smcb_host_t *host;
    lua_State *L; /* the main state */
    smc_log_t *log;
    smc_process_t *process; /* NULL once it has ended */
    long pid;
    int status, number;
    smc_buf_t torn[STREAMS];
    line_t **lines;
    size_t n, room, bytes, forgotten;
    waiter_t *waiters;
    char name[32];
} process_box_t;

static process_box_t *check_box(lua_State *L)
{
    return luaL_checkudata(L, 1, PROCESS_MT);
}

/* The number of the last line that it has printed. */
static lua_Integer last_line(const process_box_t *box)
{
    return (lua_Integer)box->forgotten + (lua_Integer)box->n;
}

/* ---- waiting ----------------------------------------------------------------- */

static void unlink_waiter(waiter_t *waiter)
{
    if (waiter->link == NULL)
        return;
    *waiter->link = waiter->next;
    if (waiter->next != NULL)
        waiter->next->link = waiter->link;
    waiter->link = NULL;
}

static void cancel_waiter(smcb_wait_t *w)
{
    unlink_waiter(w->op);
}

static void wake_all(process_box_t *box)
{
    while (box->waiters != NULL) {
        waiter_t *waiter = box->waiters;
        unlink_waiter(waiter);
        smcb_wait_fire(waiter->w, NULL, NULL, NULL);
    }
}

/* changed(seen, seconds) -> true when there are more lines than those, or it has ended | nil, err.  Waits. */
static int l_changed(lua_State *L)
{
    process_box_t *box = check_box(L);
    lua_Integer seen = luaL_checkinteger(L, 2);
    uint64_t ms = smcb_check_seconds(L, 3);
    smcb_wait_t *w = smcb_wait_new(L, "smc.process", NULL);
    waiter_t *waiter = lua_newuserdatauv(L, sizeof(*waiter), 0);
    *waiter = (waiter_t){.w = w};
    w->op = waiter;
    w->cancel = cancel_waiter;
    if (box->process == NULL || last_line(box) > seen) {
        smcb_wait_fire(w, NULL, NULL, NULL);
        return smcb_wait_yield(L, w);
    }
    smcb_wait_deadline(L, w, ms);
    waiter->link = &box->waiters;
    waiter->next = box->waiters;
    if (waiter->next != NULL)
        waiter->next->link = &waiter->next;
    box->waiters = waiter;
    return smcb_wait_yield(L, w);
}

/* ---- output ------------------------------------------------------------------ */

static void forget_oldest(process_box_t *box, size_t count)
{
    if (count == 0)
        return;
    for (size_t i = 0; i < count; i++) {
        box->bytes -= box->lines[i]->n;
        free(box->lines[i]);
    }
    box->n -= count;
    box->forgotten += count;
    memmove(box->lines, box->lines + count, box->n * sizeof(*box->lines));
}

static bool has_room(process_box_t *box)
{
    if (box->n == KEPT_LINES || box->bytes > KEPT_BYTES)
        forget_oldest(box, box->n < FORGET_AT_ONCE ? box->n : FORGET_AT_ONCE);
    if (box->n < box->room)
        return true;
    size_t room = box->room == 0 ? 64 : 2 * box->room;
    line_t **grown = realloc(box->lines, room * sizeof(*grown));
    if (grown == NULL)
        return false;
    box->lines = grown;
    box->room = room;
    return true;
}

/* A line for which there is no memory is lost, but counted. */
static void keep_line(process_box_t *box, int stream, const char *text, size_t n)
{
    line_t *line = has_room(box) ? malloc(sizeof(*line) + n) : NULL;
    if (line == NULL) {
        forget_oldest(box, box->n);
        box->forgotten++;
        return;
    }
    line->stream = stream;
    line->n = n;
    memcpy(line->text, text, n);
    box->lines[box->n++] = line;
    box->bytes += n;
}

static void log_line(const process_box_t *box, int stream, const char *text, size_t n)
{
    smc_buf_t shown = {0};
    (void)smc_buf_puts(&shown, stream == 1 ? "| " : "! ");
    (void)smc_buf_append(&shown, text, n);
    if (!shown.failed)
        smc_log_text(box->log, box->name, shown.data, shown.len, LOGGED_BYTES);
    smc_buf_deinit(&shown);
}

static void add_line(process_box_t *box, int stream, const char *text, size_t n)
{
    if (n > 0 && text[n - 1] == '\r')
        n--;
    log_line(box, stream, text, n);
    keep_line(box, stream, text, n);
}

static void on_output(void *ud, int stream, const char *data, size_t n)
{
    process_box_t *box = ud;
    smc_buf_t *torn = &box->torn[stream - 1];
    size_t at = 0;
    if (smc_buf_append(torn, data, n) != SMC_OK)
        return;
    for (;;) {
        size_t left = torn->len - at;
        const char *begin = torn->data + at, *end = memchr(begin, '\n', left);
        size_t len = end != NULL ? (size_t)(end - begin) : left;
        if (end == NULL && left < LINE_MAX_BYTES)
            break;
        add_line(box, stream, begin, len);
        at += len + (end != NULL ? 1 : 0);
    }
    smc_buf_consume(torn, at);
    if (at > 0)
        wake_all(box);
}

static void flush_torn(process_box_t *box)
{
    for (int i = 0; i < STREAMS; i++) {
        if (box->torn[i].len > 0)
            add_line(box, i + 1, box->torn[i].data, box->torn[i].len);
        smc_buf_deinit(&box->torn[i]);
    }
}

/* line(i) -> text, stream of the i-th line; nil: it is forgotten, or not there yet. */
static int l_line(lua_State *L)
{
    const process_box_t *box = check_box(L);
    lua_Integer i = luaL_checkinteger(L, 2) - 1 - (lua_Integer)box->forgotten;
    if (i < 0 || i >= (lua_Integer)box->n)
        return 0;
    lua_pushlstring(L, box->lines[i]->text, box->lines[i]->n);
    lua_pushinteger(L, box->lines[i]->stream);
    return 2;
}

/* lines() -> the number of the first one that is kept, and of the last. */
static int l_lines(lua_State *L)
{
    const process_box_t *box = check_box(L);
    lua_pushinteger(L, (lua_Integer)box->forgotten + 1);
    lua_pushinteger(L, last_line(box));
    return 2;
}

/* ---- its end --------------------------------------------------------------------- */

/* What is left is no leak, and closed with the world: only then may the registry be touched. */
static void on_end(void *ud, int status, int number)
{
    process_box_t *box = ud;
    const char *name = number == 0 ? NULL : sigabbrev_np(number);
    flush_torn(box);
    box->status = status;
    box->number = number;
    if (number == 0)
        smc_log_line(box->log, box->name, "ended with status %d", status);
    else
        smc_log_line(box->log, box->name, "ended by SIG%s", name == NULL ? "?" : name);
    smc_process_free(box->process);
    box->process = NULL;
    box->resource.world = true;
    wake_all(box);
}

static void kill_now(process_box_t *box)
{
    if (box->process == NULL)
        return;
    smc_process_free(box->process);
    box->process = NULL;
    on_end(box, 0, SIGKILL);
}

static void close_box(smcb_resource_t *r)
{
    process_box_t *box = (process_box_t *)r;
    kill_now(box);
    smcb_resource_drop(&box->resource);
    smcb_unanchor(box->L, box);
}

/* kill_now(): it and its group are gone when this returns.  Does not wait. */
static int l_kill_now(lua_State *L)
{
    kill_now(check_box(L));
    return 0;
}

static int l_gc(lua_State *L)
{
    process_box_t *box = check_box(L);
    smc_process_free(box->process);
    box->process = NULL;
    forget_oldest(box, box->n);
    free(box->lines);
    box->lines = NULL;
    for (int i = 0; i < STREAMS; i++)
        smc_buf_deinit(&box->torn[i]);
    return 0;
}

/* ended() -> status, name of the signal that ended it; nothing while it runs.  status: nil when it was a signal */
static int l_ended(lua_State *L)
{
    const process_box_t *box = check_box(L);
    const char *name = box->number == 0 ? NULL : sigabbrev_np(box->number);
    if (box->process != NULL)
        return 0;
    if (box->number == 0)
        lua_pushinteger(L, box->status);
    else
        lua_pushnil(L);
    lua_pushstring(L, box->number != 0 && name == NULL ? "?" : name);
    return 2;
}

/* ---- what is done with it -------------------------------------------------------- */

static int push_ended(lua_State *L)
{
    smc_error_t err = {0};
    (void)smc_fail(&err, SMC_ECLOSED, "smc.process", 0, "the program has ended");
    return smcb_push_fail(L, &err);
}

/* write(text) -> true | nil, err */
static int l_write(lua_State *L)
{
    process_box_t *box = check_box(L);
    size_t n;
    const char *text = luaL_checklstring(L, 2, &n);
    smc_error_t err = {0};
    if (box->process == NULL)
        return push_ended(L);
    return smcb_result(L, smc_process_write(box->process, text, n, &err), &err);
}

static int l_end_input(lua_State *L)
{
    process_box_t *box = check_box(L);
    if (box->process != NULL)
        smc_process_end_input(box->process);
    return 0;
}

/* number_of(name) -> the signal of that name, without SIG; nil: there is none */
static int l_number_of(lua_State *L)
{
    const char *wanted = luaL_checkstring(L, 1);
    for (int number = 1; number < NSIG; number++) {
        const char *name = sigabbrev_np(number);
        if (name == NULL || strcmp(name, wanted) != 0)
            continue;
        lua_pushinteger(L, number);
        return 1;
    }
    return 0;
}

/* signal(number, group) -> true | nil, err */
static int l_signal(lua_State *L)
{
    process_box_t *box = check_box(L);
    int number = (int)luaL_checkinteger(L, 2);
    smc_error_t err = {0};
    if (box->process == NULL)
        return push_ended(L);
    return smcb_result(L, smc_process_signal(box->process, number, lua_toboolean(L, 3), &err),
                       &err);
}

static int l_pid(lua_State *L)
{
    lua_pushinteger(L, check_box(L)->pid);
    return 1;
}

/* ---- start ------------------------------------------------------------------------ */

/* The strings of the list at idx, NULL behind them, in memory that Lua frees; the list must stay where it is. */
static const char *const *check_strings(lua_State *L, int idx)
{
    size_t n = lua_rawlen(L, idx);
    const char **list = lua_newuserdatauv(L, (n + 1) * sizeof(*list), 0);
    for (size_t i = 0; i < n; i++) {
        if (lua_rawgeti(L, idx, (lua_Integer)i + 1) != LUA_TSTRING)
            (void)luaL_argerror(L, idx, "a list of strings expected");
        list[i] = lua_tostring(L, -1);
        lua_pop(L, 1);
    }
    list[n] = NULL;
    return list;
}

static process_box_t *push_box(lua_State *L, const char *name, const char *label)
{
    process_box_t *box = lua_newuserdatauv(L, sizeof(*box), 0);
    memset(box, 0, sizeof(*box));
    luaL_setmetatable(L, PROCESS_MT);
    lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
    box->L = lua_tothread(L, -1);
    lua_pop(L, 1);
    box->host = smcb_host(L);
    box->log = smcb_log(L);
    box->resource.kind = "process";
    box->resource.close = close_box;
    (void)snprintf(box->name, sizeof(box->name), "%s", name);
    (void)snprintf(box->resource.label, sizeof(box->resource.label), "%s", label);
    return box;
}

/* start(argv, env, cwd, takes_input, name, label) -> process | nil, err */
static int l_start(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 6);
    smc_process_conf_t conf = {.argv = check_strings(L, 1),
                               .env = check_strings(L, 2),
                               .cwd = luaL_checkstring(L, 3),
                               .takes_input = lua_toboolean(L, 4),
                               .on = {on_output, on_end}};
    smc_loop_t *loop = smcb_loop(L);
    process_box_t *box = push_box(L, luaL_checkstring(L, 5), luaL_checkstring(L, 6));
    smc_error_t err = {0};
    conf.ud = box;
    smcb_anchor(L, -1, box); /* first: it may raise */
    smc_log_line(box->log, box->name, "starts: %s", box->resource.label);
    if (smc_process_start(loop, &conf, &box->process, &err) != SMC_OK) {
        smcb_unanchor(L, box);
        return smcb_push_fail(L, &err);
    }
    box->pid = smc_process_pid(box->process);
    smcb_resource_add(box->host, &box->resource);
    return 1;
}

int smcb_open_process(lua_State *L)
{
    static const luaL_Reg methods[] = {{"changed", l_changed},     {"line", l_line},
                                       {"lines", l_lines},         {"kill_now", l_kill_now},
                                       {"ended", l_ended},         {"write", l_write},
                                       {"end_input", l_end_input}, {"pid", l_pid},
                                       {"signal", l_signal},       {NULL, NULL}};
    static const luaL_Reg functions[] = {
        {"start", l_start}, {"number_of", l_number_of}, {NULL, NULL}};
    luaL_newmetatable(L, PROCESS_MT);
    lua_pushcfunction(L, l_gc);
    lua_setfield(L, -2, "__gc");
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pushliteral(L, PROCESS_MT);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
    luaL_newlib(L, functions);
    return 1;
}
