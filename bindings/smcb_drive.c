/* Driving the scheduler: what smc/run.lua and smc/world.lua, and nobody else, call.  Part of smc.core.task. */
#include "smcb_priv.h"

#include "smc/clock.h"
#include "smc/tmpdir.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_MS INT64_C(1000000)

static void push_task_error(lua_State *L, smcb_task_t *t)
{
    t->handled = true;
    lua_pushvalue(t->co, -1);
    lua_xmove(t->co, L, 1);
    lua_setfield(L, -2, "error");
    lua_pushstring(L, t->traceback);
    lua_setfield(L, -2, "traceback");
}

/* Where each task that still runs waits: for what did not end by itself. */
static void push_stacks(lua_State *L, smcb_host_t *host)
{
    luaL_Buffer b;

    luaL_buffinit(L, &b);
    for (const smcb_task_t *t = host->tasks; t != NULL; t = t->next) {
        lua_pushfstring(L, "%s%s waits in %s\n", b.n > 0 ? "\n" : "", t->name,
                        t->wait != NULL ? t->wait->what : "the queue");
        luaL_addvalue(&b);
        luaL_traceback(L, t->co, NULL, 0);
        luaL_addvalue(&b);
    }
    luaL_pushresult(&b);
}

static void set_status(lua_State *L, const char *status)
{
    lua_pushstring(L, status);
    lua_setfield(L, -2, "status");
}

/* Of the outcome on top, which has its error.  Memory that was refused, and was there after a full collection, is not why. */
static const char *failure_status(lua_State *L, const smcb_host_t *host)
{
    bool says_memory;

    (void)lua_getfield(L, -1, "error");
    says_memory = lua_type(L, -1) == LUA_TSTRING &&
                  strstr(lua_tostring(L, -1), "not enough memory") != NULL; /* as Lua words it */
    lua_pop(L, 1);
    return host->over_budget ? "cpu" : host->memory_hit && says_memory ? "memory" : "error";
}

/* Pushes the first error that a job or the end of a cancelled task has raised, once; nil when there is none. */
static bool push_job_error(lua_State *L, smcb_host_t *host)
{
    if (host->job_error == LUA_NOREF) {
        lua_pushnil(L);
        return false;
    }
    (void)lua_rawgeti(L, LUA_REGISTRYINDEX, host->job_error);
    luaL_unref(L, LUA_REGISTRYINDEX, host->job_error);
    host->job_error = LUA_NOREF;
    return true;
}

static void report_job_error(lua_State *L, smcb_host_t *host)
{
    if (push_job_error(L, host)) {
        lua_setfield(L, -2, "error");
        set_status(L, failure_status(L, host));
        return;
    }
    lua_pop(L, 1);
}

static void begin_watch(smcb_host_t *host)
{
    host->over_budget = false;
    host->memory_hit = false;
}

static const char *end_status(smcb_end_t end)
{
    return end == SMCB_END_DEADLINE   ? "timeout"
           : end == SMCB_END_DEADLOCK ? "deadlock"
                                      : "livelock";
}

/* Leaves the outcome table on the stack; see l_run. */
static void push_outcome(lua_State *L, smcb_host_t *host, smcb_task_t *root, smcb_end_t end)
{
    lua_createtable(L, 0, 4);
    if (end != SMCB_END_ROOT) {
        set_status(L, end_status(end));
        if (end == SMCB_END_LIVELOCK) {
            lua_pushinteger(L, SMCB_STEPS_MAX);
            lua_setfield(L, -2, "steps");
        }
        push_stacks(L, host);
        lua_setfield(L, -2, "traceback");
        report_job_error(L, host); /* what led here; the end of root may add errors that followed */
        smcb_task_cancel(root);
        return;
    }
    if (host->over_budget && root->status == SMCB_DONE) { /* swallowed on the way */
        set_status(L, "cpu");
        lua_pushliteral(L, SMCB_BUDGET_SPENT);
        lua_setfield(L, -2, "error");
    } else if (root->status == SMCB_DONE) {
        set_status(L, "ok");
    } else if (root->status == SMCB_CANCELLED) {
        set_status(L, "cancelled");
    } else {
        push_task_error(L, root);
        set_status(L, failure_status(L, host));
    }
    report_job_error(L, host);
}

/* run(fn, [deadline in seconds from now], [shielded]) -> {status = ok|error|timeout|deadlock|livelock|cpu|memory|cancelled, error,
 * traceback, steps}.
 * Runs fn as a task, and with it whatever else is there, until fn has ended.  Other tasks live on: see finish.
 * shielded: also when a stop was asked for.
 * Called from the main state. */
static int l_run(lua_State *L)
{
    smcb_host_t *host = smcb_host(L);
    int64_t deadline_ns;
    smcb_task_t *root;
    smcb_end_t end;

    luaL_checktype(L, 1, LUA_TFUNCTION);
    deadline_ns = lua_isnoneornil(L, 2)
                      ? -1
                      : smc_clock_now_ns() + (int64_t)smcb_check_seconds(L, 2) * NS_PER_MS;
    luaL_argcheck(L, host->L == L && host->loop != NULL, 1,
                  "must run in the main state and a world");
    host->shielded = lua_toboolean(L, 3);
    lua_pushvalue(L, 1);
    begin_watch(host);
    root = smcb_task_new(L, 0, "the spec");
    end = smcb_sched_run(host, root, deadline_ns);
    host->shielded = false;
    push_outcome(L, host, root, end);
    return 1;
}

/* Message handler: {error = e, traceback = s}. */
static int wrap_error(lua_State *L)
{
    lua_createtable(L, 0, 3);
    lua_insert(L, 1);
    lua_setfield(L, 1, "error");
    luaL_traceback(L, L, NULL, 1);
    lua_setfield(L, 1, "traceback");
    return 1;
}

/* protect(fn) -> outcome as of run.  Calls fn in the main state, outside any task, in a slice of its own: for what a
 * file does while it loads. */
static int l_protect(lua_State *L)
{
    smcb_host_t *host = smcb_host(L);
    lua_State *before;
    int rc;

    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, 1);
    lua_pushcfunction(L, wrap_error);
    lua_insert(L, 1);
    begin_watch(host);
    before = smcb_slice_begin(host, L);
    rc = lua_pcall(L, 0, 0, 1);
    smcb_slice_end(host, L, before);
    if (rc == LUA_OK) {
        lua_newtable(L);
        set_status(L, "ok");
        return 1;
    }
    if (!lua_istable(L, -1)) { /* not even the handler had the memory or the stack */
        lua_newtable(L);
        lua_insert(L, -2);
        lua_setfield(L, -2, "error");
    }
    set_status(L, failure_status(L, host));
    return 1;
}

static void add_to_list(lua_State *L, const char *kind, const char *label)
{
    lua_pushfstring(L, "%s %s", kind, label);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
}

/* alive() -> list of every task and resource that there is now, the world's and the asking task too. */
static int l_alive(lua_State *L)
{
    const smcb_host_t *host = smcb_host(L);

    lua_newtable(L);
    for (const smcb_task_t *t = host->tasks; t != NULL; t = t->next)
        add_to_list(L, "task", t->name);
    for (const smcb_resource_t *r = host->resources; r != NULL; r = r->_next)
        add_to_list(L, r->kind, r->label);
    return 1;
}

/* The one that failed first; the list holds the latest first. */
static smcb_task_t *first_unhandled(smcb_host_t *host)
{
    smcb_task_t *found = NULL;

    for (smcb_task_t *t = host->failed; t != NULL; t = t->next)
        if (!t->handled)
            found = t;
    return found;
}

static void forget_failed(smcb_host_t *host)
{
    while (host->failed != NULL) {
        smcb_task_t *t = host->failed;
        host->failed = t->next;
        smcb_unanchor(host->L, t);
    }
}

/* finish() -> list of what the spec left open ("task scenario.lua:12", "WebSocket ws://...").
 * Second, if a task failed and nobody joined it, or a job failed: {error=, traceback=}.
 * Ends the tasks; resources stay until close_world. */
static int l_finish(lua_State *L)
{
    smcb_host_t *host = smcb_host(L);
    smcb_task_t *unhandled;

    lua_newtable(L);
    while (host->tasks != NULL) {
        if (!host->tasks->world)
            add_to_list(L, "task", host->tasks->name);
        smcb_task_cancel(host->tasks);
    }
    for (smcb_resource_t *r = host->resources; r != NULL; r = r->_next)
        if (!r->world)
            add_to_list(L, r->kind, r->label);
    unhandled = first_unhandled(host);
    lua_createtable(L, 0, 2);
    if (unhandled != NULL) {
        push_task_error(L, unhandled);
    } else if (push_job_error(L, host)) {
        lua_setfield(L, -2, "error");
    } else {
        lua_remove(L, -2); /* the table, and leave nil */
    }
    forget_failed(host);
    return 2;
}

/* take_failed() -> {error=, traceback=} of the first task that has failed and that nobody joined, each once; nil when
 * there is none. */
static int l_take_failed(lua_State *L)
{
    smcb_host_t *host = smcb_host(L);
    smcb_task_t *unhandled = first_unhandled(host);

    if (unhandled == NULL) {
        forget_failed(host);
        lua_pushnil(L);
        return 1;
    }
    lua_createtable(L, 0, 2);
    push_task_error(L, unhandled);
    return 1;
}

/* open_world(real): a new loop, the clock at its epoch, an empty transcript.  real: by the real clock, though the run's
 * is virtual. */
static int l_open_world(lua_State *L)
{
    smcb_host_t *host = smcb_host(L);
    smc_error_t err;

    luaL_argcheck(L, host->loop == NULL, 1, "a world is open");
    if (host->conf.virtual_clock && !lua_toboolean(L, 1))
        smc_clock_set_virtual();
    else
        smc_clock_set_real();
    smc_log_clear(host->log);
    host->next_task_id = 0;
    host->refused_io = false;
    if (smc_loop_open(&host->loop, &err) != SMC_OK)
        return luaL_error(L, "%s", err.detail);
    return 0;
}

void smcb_close_world(smcb_host_t *host)
{
    smc_loop_t *loop;

    while (host->tasks != NULL)
        smcb_task_cancel(host->tasks);
    forget_failed(host);
    if (host->loop == NULL)
        return;
    smcb_resource_close_all(host);
    smcb_sched_settle(host);
    loop = host->loop;
    host->loop = NULL; /* first: a signal may ask for a stop at any moment */
    smc_loop_close(loop);
}

/* close_world() -> nil | the first error of a job that ran meanwhile: it must not become the next spec's. */
static int l_close_world(lua_State *L)
{
    smcb_close_world(smcb_host(L));
    (void)push_job_error(L, smcb_host(L));
    return 1;
}

/* as_world(fn, ...): resources that fn opens, and tasks that it spawns, belong to the world.  fn may not wait. */
static int l_as_world(lua_State *L)
{
    smcb_host_t *host = smcb_host(L);
    bool outer = host->as_world;
    int rc;

    luaL_checktype(L, 1, LUA_TFUNCTION);
    host->as_world = true;
    rc = lua_pcall(L, lua_gettop(L) - 1, LUA_MULTRET, 0);
    host->as_world = outer;
    return rc == LUA_OK ? lua_gettop(L) : lua_error(L);
}

static int l_transcript(lua_State *L)
{
    size_t n;
    const char *text = smc_log_contents(smcb_log(L), &n);

    lua_pushlstring(L, text, n);
    return 1;
}

/* log(who, text): a line of the transcript. */
static int l_log(lua_State *L)
{
    size_t n;
    const char *who = luaL_checkstring(L, 1);
    const char *text = luaL_checklstring(L, 2, &n);

    smc_log_text(smcb_log(L), who, text, n, 2000);
    return 0;
}

/* refused_io(): whether something asked for I/O while the file loaded. */
static int l_refused_io(lua_State *L)
{
    lua_pushboolean(L, smcb_host(L)->refused_io);
    return 1;
}

/* stopped(): whether the run was told to stop; see smcb_request_stop. */
static int l_stopped(lua_State *L)
{
    lua_pushboolean(L, smcb_host(L)->stop != 0);
    return 1;
}

/* clear_stop(): what was told to stop has stopped; later runs go on. */
static int l_clear_stop(lua_State *L)
{
    smcb_host(L)->stop = 0;
    return 0;
}

/* real_path(path) -> the same file, absolute and without links | nil, why. */
static int l_real_path(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    char real[PATH_MAX];

    if (realpath(path, real) == NULL)
        return luaL_fileresult(L, 0, path);
    lua_pushstring(L, real);
    return 1;
}

/* make_tmpdir() -> path, lock | nil, why: a folder below $TMPDIR, or /tmp. */
static int l_make_tmpdir(lua_State *L)
{
    char path[SMC_TMPDIR_SIZE];
    smc_error_t err = {0};
    int lock;

    if (smc_tmpdir_make(path, &lock, &err) != SMC_OK) {
        luaL_pushfail(L);
        lua_pushstring(L, err.detail);
        return 2;
    }
    lua_pushstring(L, path); /* when this raises the folder stays */
    lua_pushinteger(L, lock);
    return 2;
}

/* remove_tmpdir(path, lock) -> true | nil, why. */
static int l_remove_tmpdir(lua_State *L)
{
    smc_error_t err = {0};
    int lock = (int)luaL_checkinteger(L, 2);
    smc_code_t rc = smc_tmpdir_remove(luaL_checkstring(L, 1), &err);

    if (lock >= 0)
        (void)close(lock);
    if (rc != SMC_OK) {
        luaL_pushfail(L);
        lua_pushstring(L, err.detail);
        return 2;
    }
    lua_pushboolean(L, true);
    return 1;
}

/* real_us(): the kernel's monotonic clock, for reports only. */
static int l_real_us(lua_State *L)
{
    lua_pushinteger(L, smc_clock_real_ns() / 1000);
    return 1;
}

const luaL_Reg smcb_drive_functions[] = {{"run", l_run},
                                         {"protect", l_protect},
                                         {"finish", l_finish},
                                         {"take_failed", l_take_failed},
                                         {"alive", l_alive},
                                         {"open_world", l_open_world},
                                         {"close_world", l_close_world},
                                         {"as_world", l_as_world},
                                         {"transcript", l_transcript},
                                         {"log", l_log},
                                         {"refused_io", l_refused_io},
                                         {"stopped", l_stopped},
                                         {"clear_stop", l_clear_stop},
                                         {"real_path", l_real_path},
                                         {"make_tmpdir", l_make_tmpdir},
                                         {"remove_tmpdir", l_remove_tmpdir},
                                         {"real_us", l_real_us},
                                         {NULL, NULL}};
