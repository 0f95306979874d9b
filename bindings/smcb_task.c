/* Tasks: their life from spawn to end, and what others can do with one.  Part of smc.core.task. */
#include "smcb_priv.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TASK_MT "smc.task"

enum { UV_THREAD = 1, UV_COUNT = 1 };

/* Registry key of a table with weak keys: the coroutines that are ours to resume, and nobody else's. */
static const char threads_key = 't';

/* ---- life of a task ------------------------------------------------------ */

static smcb_task_t *check_task(lua_State *L, int idx)
{
    return luaL_checkudata(L, idx, TASK_MT);
}

static void mark_thread(lua_State *L)
{
    (void)lua_rawgetp(L, LUA_REGISTRYINDEX, &threads_key);
    lua_pushvalue(L, -2);
    lua_pushboolean(L, 1);
    lua_rawset(L, -3);
    lua_pop(L, 1);
}

smcb_task_t *smcb_task_new(lua_State *L, int nargs, const char *name)
{
    smcb_host_t *host = smcb_host(L);
    smcb_task_t *t = lua_newuserdatauv(L, sizeof(*t), UV_COUNT);

    memset(t, 0, sizeof(*t));
    t->host = host;
    t->id = ++host->next_task_id;
    t->world = host->as_world || (host->current != NULL && host->current->world);
    t->nargs = nargs;
    t->slice.ud = t;
    (void)snprintf(t->name, sizeof(t->name), "%s", name);
    luaL_setmetatable(L, TASK_MT);
    t->co = lua_newthread(L);
    mark_thread(L);
    (void)lua_setiuservalue(L, -2, UV_THREAD);
    if (!lua_checkstack(t->co, nargs + 1)) /* a new coroutine has room for some twenty values */
        (void)luaL_error(L, "too many arguments for a task");
    lua_insert(L, -nargs - 2);
    lua_xmove(L, t->co, nargs + 1);
    smcb_anchor(L, -1, t);
    t->link = host->tasks == NULL ? &host->tasks : host->tasks_end;
    *t->link = t;
    host->tasks_end = &t->next;
    smcb_post(host, &t->slice);
    return t;
}

static void fire_joiners(smcb_task_t *t)
{
    while (t->n_joiners > 0) {
        smcb_wait_t *w = t->joiners[0];
        smcb_wait_cancel(w); /* takes it out of every task it waits for; marks it fired */
        smcb_post(t->host, &w->task->slice);
    }
}

static void end_task(smcb_task_t *t, smcb_status_t status)
{
    lua_State *L = t->host->L;

    t->status = status;
    smcb_unpost(t->host, &t->slice);
    *t->link = t->next;
    if (t->next != NULL)
        t->next->link = t->link;
    else
        t->host->tasks_end = t->link;
    fire_joiners(t);
    if (status != SMCB_FAILED) {
        smcb_unanchor(L, t);
        return;
    }
    t->next = t->host->failed; /* stays until l_finish has asked whether somebody joined it */
    t->host->failed = t;
}

/* The traceback must be taken before the stack is unwound. */
static void keep_traceback(smcb_task_t *t)
{
    lua_State *L = t->host->L;

    luaL_traceback(L, t->co, NULL, 0);
    free(t->traceback);
    t->traceback = strdup(lua_tostring(L, -1));
    lua_pop(L, 1);
}

static int reset_thread(smcb_task_t *t)
{
    smcb_host_t *host = t->host;
    smcb_task_t *outer = host->current;
    lua_State *before = smcb_slice_begin(host, t->co); /* __close hooks get a slice of their own */
    int rc;

    host->current = NULL;
    rc = lua_resetthread(t->co);
    host->current = outer;
    smcb_slice_end(host, t->co, before);
    return rc;
}

/* Nobody joins for the error of a __close hook that ran at a cancellation; it must not get lost. */
static void keep_close_error(smcb_task_t *t)
{
    smcb_host_t *host = t->host;

    if (host->job_error != LUA_NOREF)
        return;
    lua_pushvalue(t->co, -1);
    host->job_error = luaL_ref(t->co, LUA_REGISTRYINDEX);
}

static void fail_task(smcb_task_t *t)
{
    keep_traceback(t);
    (void)reset_thread(t); /* leaves the error object on the stack */
    end_task(t, SMCB_FAILED);
}

void smcb_task_cancel(smcb_task_t *t)
{
    if (t->status != SMCB_RUNNING)
        return;
    if (t->wait != NULL)
        smcb_wait_cancel(t->wait);
    t->wait = NULL;
    t->status = SMCB_CANCELLED; /* so that its own __close hooks cannot cancel it again */
    if (reset_thread(t) != LUA_OK)
        keep_close_error(t);
    lua_settop(t->co, 0);
    end_task(t, SMCB_CANCELLED);
}

void smcb_task_resume(smcb_task_t *t)
{
    smcb_host_t *host = t->host;
    lua_State *before = smcb_slice_begin(host, t->co);
    int nargs = t->nargs;
    int rc;

    t->nargs = 0;
    host->current = t;
    rc = lua_resume(t->co, host->L, nargs, &t->nresults);
    host->current = NULL;
    smcb_slice_end(host, t->co, before);
    if (rc == LUA_YIELD && t->wait != NULL) {
        lua_pop(t->co, t->nresults);
        return;
    }
    if (rc == LUA_YIELD) {
        keep_traceback(t);
        (void)reset_thread(t);
        lua_pushliteral(t->co, "coroutine.yield outside a coroutine of your own: a task waits only "
                               "through smc's functions");
        end_task(t, SMCB_FAILED);
    } else if (rc == LUA_OK) {
        end_task(t, SMCB_DONE);
    } else {
        fail_task(t);
    }
}

static int task_gc(lua_State *L)
{
    smcb_task_t *t = check_task(L, 1);

    free(t->traceback);
    free(t->joiners);
    t->traceback = NULL;
    t->joiners = NULL;
    return 0;
}

/* ---- spawn, join, cancel -------------------------------------------------- */

static int l_spawn(lua_State *L)
{
    char name[80];
    lua_Debug ar;

    luaL_checktype(L, 1, LUA_TFUNCTION);
    if (smcb_host(L)->loop == NULL)
        return luaL_error(
            L, "smc.spawn: cannot start a task while the file loads; move this into it()");
    lua_pushvalue(L, 1);
    (void)lua_getinfo(L, ">S", &ar);
    (void)snprintf(name, sizeof(name), "%s:%d", ar.short_src, ar.linedefined);
    (void)smcb_task_new(L, lua_gettop(L) - 1, name);
    return 1;
}

static void remove_joiner(smcb_task_t *t, const smcb_wait_t *w)
{
    for (size_t i = 0; i < t->n_joiners; i++) {
        if (t->joiners[i] != w)
            continue;
        memmove(&t->joiners[i], &t->joiners[i + 1], (t->n_joiners - i - 1) * sizeof(t->joiners[0]));
        t->n_joiners--;
        return;
    }
}

/* op of a join: its tasks, NULL-terminated, in a userdata that lies below the wait on the same stack. */
static void cancel_join(smcb_wait_t *w)
{
    for (smcb_task_t **t = w->op; *t != NULL; t++)
        remove_joiner(*t, w);
}

static int join_finish(lua_State *L, smcb_wait_t *w)
{
    smcb_task_t **tasks = w->op;

    for (int i = 0; tasks[i] != NULL; i++) {
        if (tasks[i]->status == SMCB_RUNNING)
            continue;
        lua_pushinteger(L, i + 1);
        return 1;
    }
    assert(!"a join was resumed though no task has ended");
    return 0;
}

static void add_joiner(lua_State *L, smcb_task_t *t, smcb_wait_t *w)
{
    smcb_wait_t **grown = realloc(t->joiners, (t->n_joiners + 1) * sizeof(*grown));

    if (grown == NULL) {
        cancel_join(w);
        (void)luaL_error(L, "out of memory");
        return;
    }
    grown[t->n_joiners++] = w;
    t->joiners = grown;
}

/* join_any(tasks, seconds?) -> index of the first that has ended | nil, err.  Waits. */
static int l_join_any(lua_State *L)
{
    int n = (int)luaL_len(L, 1);
    uint64_t ms = lua_isnoneornil(L, 2) ? UINT64_MAX : smcb_check_seconds(L, 2);
    smcb_task_t **tasks;
    smcb_wait_t *w;

    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_argcheck(L, n > 0, 1, "at least one task expected");
    tasks = lua_newuserdatauv(L, ((size_t)n + 1) * sizeof(smcb_task_t *), 0);
    memset(tasks, 0, ((size_t)n + 1) * sizeof(smcb_task_t *));
    for (int i = 0; i < n; i++) {
        (void)lua_rawgeti(L, 1, i + 1);
        tasks[i] = check_task(L, -1);
        lua_pop(L, 1);
        if (tasks[i] == smcb_host(L)->current)
            return luaL_error(L, "task:join: a task cannot wait for itself");
    }
    w = smcb_wait_new(L, "task:join", join_finish);
    w->op = tasks;
    w->cancel = cancel_join;
    for (int i = 0; i < n; i++) {
        if (tasks[i]->status == SMCB_RUNNING)
            continue;
        lua_pushinteger(L, i + 1);
        return 1;
    }
    for (int i = 0; i < n; i++)
        add_joiner(L, tasks[i], w);
    if (ms != UINT64_MAX)
        smcb_wait_deadline(L, w, ms);
    return smcb_wait_yield(L, w);
}

static int push_cancelled(lua_State *L, const smcb_task_t *t)
{
    smc_error_t err;

    (void)smc_fail(&err, SMC_ECANCELED, "task:join", 0, "task %s was cancelled", t->name);
    return smcb_push_fail(L, &err);
}

/* results(task) -> what it returned; raises what it raised; nil, err when it was cancelled.  Does not wait. */
static int l_results(lua_State *L)
{
    smcb_task_t *t = check_task(L, 1);

    t->handled = true;
    switch (t->status) {
    case SMCB_RUNNING:
        return luaL_error(L, "the task has not ended");
    case SMCB_CANCELLED:
        return push_cancelled(L, t);
    case SMCB_FAILED:
        lua_pushvalue(t->co, -1);
        lua_xmove(t->co, L, 1);
        return lua_error(L);
    case SMCB_DONE:
        break;
    }
    luaL_checkstack(L, t->nresults, "too many results");
    /* Copies: a task may be joined more than once.  Each push keeps the distance to the next one the same. */
    luaL_checkstack(t->co, t->nresults, "too many results");
    for (int i = 0; i < t->nresults; i++)
        lua_pushvalue(t->co, -t->nresults);
    lua_xmove(t->co, L, t->nresults);
    return t->nresults;
}

static int l_cancel(lua_State *L)
{
    smcb_task_t *t = check_task(L, 1);

    if (t == smcb_host(L)->current)
        return luaL_error(L, "task:cancel: a task cannot cancel itself; return from it instead");
    smcb_task_cancel(t);
    return 0;
}

static const char *status_name(const smcb_task_t *t)
{
    static const char *const names[] = {"running", "done", "failed", "cancelled"};

    return names[t->status];
}

static int l_status(lua_State *L)
{
    lua_pushstring(L, status_name(check_task(L, 1)));
    return 1;
}

/* is_task(thread): resuming or closing it would take it away from what it waits for. */
static int l_is_task(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTHREAD);
    (void)lua_rawgetp(L, LUA_REGISTRYINDEX, &threads_key);
    lua_pushvalue(L, 1);
    lua_pushboolean(L, lua_rawget(L, -2) == LUA_TBOOLEAN);
    return 1;
}

static int task_tostring(lua_State *L)
{
    const smcb_task_t *t = check_task(L, 1);

    lua_pushfstring(L, "smc.task %d (%s): %s", (int)t->id, t->name, status_name(t));
    return 1;
}

static const luaL_Reg functions[] = {
    {"spawn", l_spawn},   {"join_any", l_join_any}, {"results", l_results},
    {"cancel", l_cancel}, {"status", l_status},     {"is_task", l_is_task},
    {NULL, NULL}};

static const luaL_Reg task_meta[] = {
    {"__gc", task_gc}, {"__tostring", task_tostring}, {NULL, NULL}};

static void new_threads(lua_State *L)
{
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "k");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &threads_key);
}

int smcb_open_task(lua_State *L)
{
    new_threads(L);
    smcb_open_wait(L);
    smcb_open_timer(L);
    lua_newtable(L);
    luaL_setfuncs(L, functions, 0);
    luaL_setfuncs(L, smcb_time_functions, 0);
    luaL_setfuncs(L, smcb_drive_functions, 0);
    luaL_setfuncs(L, smcb_budget_functions, 0);
    luaL_newmetatable(L, TASK_MT);
    luaL_setfuncs(L, task_meta, 0);
    lua_setfield(L, -2, "task_meta"); /* smc/task.lua hangs the methods on it, and locks it */
    return 1;
}
