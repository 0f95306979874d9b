/* smc.core.task: tasks, time, and the door through which smc/run.lua drives the scheduler. */
#include "smcb_priv.h"

#include "smc/clock.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TASK_MT "smc.task"
#define TIMER_MT "smc.timer"
#define NS_PER_MS INT64_C(1000000)

enum { UV_THREAD = 1, UV_COUNT = 1 };

/* ---- life of a task ------------------------------------------------------ */

static smcb_task_t *check_task(lua_State *L, int idx)
{
    return luaL_checkudata(L, idx, TASK_MT);
}

smcb_task_t *smcb_task_new(lua_State *L, int nargs, const char *name)
{
    smcb_host_t *host = smcb_host(L);
    smcb_task_t *t = lua_newuserdatauv(L, sizeof(*t), UV_COUNT);

    memset(t, 0, sizeof(*t));
    t->host = host;
    t->id = ++host->next_task_id;
    t->nargs = nargs;
    t->slice.ud = t;
    (void)snprintf(t->name, sizeof(t->name), "%s", name);
    luaL_setmetatable(L, TASK_MT);
    t->co = lua_newthread(L);
    (void)lua_setiuservalue(L, -2, UV_THREAD);
    lua_insert(L, -nargs - 2);
    lua_xmove(L, t->co, nargs + 1);
    smcb_anchor(L, -1, t);
    t->link = &host->tasks;
    while (*t->link != NULL)
        t->link = &(*t->link)->next;
    *t->link = t;
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

static void reset_thread(smcb_task_t *t)
{
    smcb_host_t *host = t->host;
    smcb_task_t *outer = host->current;

    smcb_slice_begin(host, t->co); /* __close hooks get a slice of their own */
    host->current = NULL;
    (void)lua_resetthread(t->co);
    host->current = outer;
}

static void fail_task(smcb_task_t *t)
{
    keep_traceback(t);
    reset_thread(t); /* leaves the error object on the stack */
    end_task(t, SMCB_FAILED);
}

void smcb_task_cancel(smcb_task_t *t)
{
    if (t->status != SMCB_RUNNING)
        return;
    if (t->wait != NULL)
        smcb_wait_cancel(t->wait);
    t->wait = NULL;
    keep_traceback(t);
    t->status = SMCB_CANCELLED; /* so that its own __close hooks cannot cancel it again */
    reset_thread(t);
    lua_settop(t->co, 0);
    end_task(t, SMCB_CANCELLED);
}

void smcb_task_resume(smcb_task_t *t)
{
    smcb_host_t *host = t->host;
    int nargs = t->nargs;
    int rc;

    smcb_slice_begin(host, t->co);
    t->nargs = 0;
    host->current = t;
    rc = lua_resume(t->co, host->L, nargs, &t->nresults);
    host->current = NULL;
    if (rc == LUA_YIELD && t->wait != NULL) {
        lua_pop(t->co, t->nresults);
        return;
    }
    if (rc == LUA_YIELD) {
        keep_traceback(t);
        (void)lua_resetthread(t->co);
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
        return luaL_error(L, "smc.spawn: cannot start a task while the file loads; move this into it()");
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
        memmove(&t->joiners[i], &t->joiners[i + 1],
                (t->n_joiners - i - 1) * sizeof(t->joiners[0]));
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

static int task_tostring(lua_State *L)
{
    const smcb_task_t *t = check_task(L, 1);

    lua_pushfstring(L, "smc.task %d (%s): %s", (int)t->id, t->name, status_name(t));
    return 1;
}

/* ---- time ----------------------------------------------------------------- */

static void on_sleep(void *ud)
{
    smcb_wait_t *w = ud;

    w->op = NULL;
    smcb_wait_fire(w, NULL, NULL, NULL);
}

static void cancel_sleep(smcb_wait_t *w)
{
    smc_timer_cancel(w->op);
    w->op = NULL;
}

static int l_sleep(lua_State *L)
{
    uint64_t ms = smcb_check_seconds(L, 1);
    smcb_wait_t *w = smcb_wait_new(L, "smc.sleep", NULL);
    smc_timer_t *timer = NULL;
    smc_error_t err;

    if (smc_timer_start(smcb_loop(L), ms, on_sleep, w, &timer, &err) != SMC_OK)
        return smcb_push_fail(L, &err);
    w->op = timer;
    w->cancel = cancel_sleep;
    return smcb_wait_yield(L, w);
}

static int l_now(lua_State *L)
{
    lua_pushnumber(L, (lua_Number)(smc_clock_now_ns() / 1000) / 1e6);
    return 1;
}

static int l_wall_ms(lua_State *L)
{
    lua_pushinteger(L, smc_clock_wall_ms());
    return 1;
}

/* ---- after: a call that the sandbox puts off -------------------------------- */

typedef struct after_box {
    smcb_resource_t resource; /* first: closed with the world */
    smcb_host_t *host;
    smc_timer_t *timer;
    smcb_job_t job;
} after_box_t;

static void after_end(after_box_t *box)
{
    smc_timer_cancel(box->timer);
    box->timer = NULL;
    smcb_unpost(box->host, &box->job);
    smcb_resource_drop(&box->resource);
    smcb_unanchor(box->host->L, box);
}

static void after_close(smcb_resource_t *r)
{
    after_end((after_box_t *)r);
}

static void after_run(lua_State *L, void *ud)
{
    after_box_t *box = ud;

    (void)smcb_push_anchored(L, box);
    (void)lua_getiuservalue(L, -1, 1);
    after_end(box);
    lua_call(L, 0, 0);
}

static void on_after(void *ud)
{
    after_box_t *box = ud;

    box->timer = NULL;
    smcb_post(box->host, &box->job);
}

/* after(ms, fn) -> handle with :cancel().  fn is called as a job: it may not wait. */
static int l_after(lua_State *L)
{
    lua_Integer ms = luaL_checkinteger(L, 1);
    after_box_t *box;
    smc_error_t err;

    luaL_argcheck(L, ms >= 0, 1, "milliseconds must be >= 0");
    luaL_checktype(L, 2, LUA_TFUNCTION);
    box = lua_newuserdatauv(L, sizeof(*box), 1);
    memset(box, 0, sizeof(*box));
    box->host = smcb_host(L);
    box->job.run = after_run;
    box->job.ud = box;
    box->resource.kind = "timer";
    box->resource.close = after_close;
    luaL_setmetatable(L, TIMER_MT);
    lua_pushvalue(L, 2);
    (void)lua_setiuservalue(L, -2, 1);
    if (smc_timer_start(smcb_loop(L), (uint64_t)ms, on_after, box, &box->timer, &err) != SMC_OK)
        return smcb_push_fail(L, &err);
    smcb_anchor(L, -1, box);
    smcb_resource_add(box->host, &box->resource);
    box->resource.world = true;
    return 1;
}

static int l_after_cancel(lua_State *L)
{
    after_end(luaL_checkudata(L, 1, TIMER_MT));
    return 0;
}

/* ---- driving: for smc/run.lua only ------------------------------------------ */

static void push_task_error(lua_State *L, smcb_task_t *t)
{
    t->handled = true;
    lua_pushvalue(t->co, -1);
    lua_xmove(t->co, L, 1);
    lua_setfield(L, -2, "error");
    lua_pushstring(L, t->traceback);
    lua_setfield(L, -2, "traceback");
}

/* Where each task that still runs waits: for time-outs and deadlocks. */
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

static void report_job_error(lua_State *L, smcb_host_t *host)
{
    if (host->job_error == LUA_NOREF)
        return;
    set_status(L, "error");
    (void)lua_rawgeti(L, LUA_REGISTRYINDEX, host->job_error);
    lua_setfield(L, -2, "error");
    luaL_unref(L, LUA_REGISTRYINDEX, host->job_error);
    host->job_error = LUA_NOREF;
}

static const char *failure_status(const smcb_host_t *host)
{
    return host->over_budget ? "cpu" : host->memory_hit ? "memory" : "error";
}

static void begin_watch(smcb_host_t *host)
{
    host->over_budget = false;
    host->memory_hit = false;
}

/* Leaves the outcome table on the stack; see l_run. */
static void push_outcome(lua_State *L, smcb_host_t *host, smcb_task_t *root, smc_turn_t turn)
{
    lua_createtable(L, 0, 4);
    if (turn != SMC_TURN_RAN) {
        set_status(L, turn == SMC_TURN_DEADLINE ? "timeout" : "deadlock");
        push_stacks(L, host);
        lua_setfield(L, -2, "traceback");
        smcb_task_cancel(root);
    } else if (root->status == SMCB_DONE) {
        set_status(L, "ok");
    } else {
        set_status(L, failure_status(host));
        push_task_error(L, root);
    }
    report_job_error(L, host);
}

/* run(fn, deadline in seconds from now) -> {status = ok|error|timeout|deadlock|cpu|memory, error, traceback}.
 * Runs fn as a task, and with it whatever else is there, until fn has ended.  Other tasks live on: see finish.
 * Called from the main state. */
static int l_run(lua_State *L)
{
    smcb_host_t *host = smcb_host(L);
    int64_t deadline_ns;
    smcb_task_t *root;
    smc_turn_t turn;

    luaL_checktype(L, 1, LUA_TFUNCTION);
    deadline_ns = smc_clock_now_ns() + (int64_t)smcb_check_seconds(L, 2) * NS_PER_MS;
    luaL_argcheck(L, host->L == L && host->loop != NULL, 1, "must run in the main state and a world");
    lua_pushvalue(L, 1);
    begin_watch(host);
    root = smcb_task_new(L, 0, "the spec");
    smcb_sched_run(host, root, deadline_ns, &turn);
    push_outcome(L, host, root, turn);
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
    int rc;

    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, 1);
    lua_pushcfunction(L, wrap_error);
    lua_insert(L, 1);
    begin_watch(host);
    smcb_slice_begin(host, L);
    rc = lua_pcall(L, 0, 0, 1);
    smcb_slice_begin(host, L); /* disarms the hook of a spent budget */
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
    set_status(L, failure_status(host));
    return 1;
}

static void add_leak(lua_State *L, const char *kind, const char *label)
{
    lua_pushfstring(L, "%s %s", kind, label);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
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
 * Second, if a task failed and nobody joined it: {error=, traceback=}.
 * Ends the tasks; resources stay until close_world. */
static int l_finish(lua_State *L)
{
    smcb_host_t *host = smcb_host(L);
    smcb_task_t *unhandled;

    lua_newtable(L);
    while (host->tasks != NULL) {
        add_leak(L, "task", host->tasks->name);
        smcb_task_cancel(host->tasks);
    }
    for (smcb_resource_t *r = host->resources; r != NULL; r = r->_next)
        if (!r->world)
            add_leak(L, r->kind, r->label);
    unhandled = first_unhandled(host);
    if (unhandled == NULL) {
        lua_pushnil(L);
    } else {
        lua_createtable(L, 0, 2);
        push_task_error(L, unhandled);
    }
    forget_failed(host);
    return 2;
}

/* open_world(): a new loop, the clock at its epoch, an empty transcript. */
static int l_open_world(lua_State *L)
{
    smcb_host_t *host = smcb_host(L);
    smc_error_t err;

    luaL_argcheck(L, host->loop == NULL, 1, "a world is open");
    if (host->conf.virtual_clock)
        smc_clock_set_virtual();
    smc_log_clear(host->log);
    host->next_task_id = 0;
    host->refused_io = false;
    if (smc_loop_open(&host->loop, &err) != SMC_OK)
        return luaL_error(L, "%s", err.detail);
    return 0;
}

void smcb_close_world(smcb_host_t *host)
{
    while (host->tasks != NULL)
        smcb_task_cancel(host->tasks);
    forget_failed(host);
    if (host->loop == NULL)
        return;
    smcb_resource_close_all(host);
    smcb_sched_settle(host);
    smc_loop_close(host->loop);
    host->loop = NULL;
}

static int l_close_world(lua_State *L)
{
    smcb_close_world(smcb_host(L));
    return 0;
}

/* as_world(fn, ...): resources that fn opens belong to the world.  fn may not wait. */
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

/* real_us(): the kernel's monotonic clock, for reports only. */
static int l_real_us(lua_State *L)
{
    lua_pushinteger(L, smc_clock_real_ns() / 1000);
    return 1;
}

static const luaL_Reg functions[] = {
    {"spawn", l_spawn},           {"join_any", l_join_any},
    {"results", l_results},       {"cancel", l_cancel},
    {"status", l_status},         {"sleep", l_sleep},
    {"now", l_now},               {"wall_ms", l_wall_ms},
    {"after", l_after},           {"run", l_run},
    {"finish", l_finish},         {"open_world", l_open_world},
    {"close_world", l_close_world}, {"as_world", l_as_world},
    {"transcript", l_transcript}, {"log", l_log},
    {"refused_io", l_refused_io}, {"real_us", l_real_us},
    {"protect", l_protect},
    {NULL, NULL}};

static const luaL_Reg task_meta[] = {
    {"__gc", task_gc}, {"__tostring", task_tostring}, {NULL, NULL}};
static const luaL_Reg timer_methods[] = {{"cancel", l_after_cancel}, {NULL, NULL}};

int smcb_open_task(lua_State *L)
{
    smcb_open_wait(L);
    luaL_newmetatable(L, TIMER_MT);
    luaL_newlib(L, timer_methods);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
    luaL_newlib(L, functions);
    luaL_newmetatable(L, TASK_MT);
    luaL_setfuncs(L, task_meta, 0);
    lua_setfield(L, -2, "task_meta"); /* smc/task.lua hangs the methods on it, and locks it */
    return 1;
}
