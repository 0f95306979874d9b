/* The scheduler: one queue of jobs (a task's next slice is one of them), run between loop turns. */
#include "smcb_priv.h"

#include "smc/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void smcb_post(smcb_host_t *host, smcb_job_t *job)
{
    if (job->_queued)
        return;
    job->_queued = true;
    job->_next = NULL;
    *host->last = job;
    host->last = &job->_next;
}

void smcb_unpost(smcb_host_t *host, smcb_job_t *job)
{
    smcb_job_t **link = &host->first;

    if (!job->_queued)
        return;
    while (*link != job)
        link = &(*link)->_next;
    *link = job->_next;
    if (host->last == &job->_next)
        host->last = link;
    if (host->round_end == &job->_next)
        host->round_end = link;
    job->_queued = false;
}

int smcb_traceback(lua_State *L)
{
    if (lua_type(L, 1) == LUA_TSTRING)
        luaL_traceback(L, L, lua_tostring(L, 1), 1);
    return 1;
}

typedef struct call {
    void (*run)(lua_State *L, void *ud);
    void *ud;
} call_t;

static int run_protected(lua_State *L)
{
    const call_t *call = lua_touserdata(L, 1);

    lua_settop(L, 0);
    call->run(L, call->ud);
    return 0;
}

/* The error object is on top; it is popped or left for the caller to drop. */
static void take_job_error(smcb_host_t *host, lua_State *L)
{
    char line[256];

    if (host->conf.on_job_error == NULL) {
        if (host->job_error == LUA_NOREF)
            host->job_error = luaL_ref(L, LUA_REGISTRYINDEX);
        return;
    }
    (void)snprintf(line, sizeof(line), "%s",
                   lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : luaL_typename(L, -1));
    line[strcspn(line, "\n")] = '\0'; /* behind it the traceback */
    host->conf.on_job_error(host->conf.ud, line);
}

static void run_job(smcb_host_t *host, smcb_job_t *job)
{
    lua_State *L = host->L;
    call_t call = {job->run, job->ud};
    int top = lua_gettop(L);
    lua_State *before = smcb_slice_begin(host, L);
    int rc;

    lua_pushcfunction(L, smcb_traceback);
    lua_pushcfunction(L, run_protected);
    lua_pushlightuserdata(L, &call);
    rc = lua_pcall(L, 1, 0, top + 1);
    smcb_slice_end(host, L, before);
    if (rc != LUA_OK)
        take_job_error(host, L);
    lua_settop(L, top);
}

/* Runs what is queued now; what those jobs queue waits for the next round. */
static bool run_queue(smcb_host_t *host)
{
    bool ran = false;

    host->round_end = host->last;
    while (host->first != NULL && host->round_end != &host->first) {
        smcb_job_t *job = host->first;
        if (host->round_end == &job->_next)
            host->round_end = &host->first;
        host->first = job->_next;
        if (host->first == NULL)
            host->last = &host->first;
        job->_queued = false;
        if (job->run != NULL)
            run_job(host, job);
        else
            smcb_task_resume(job->ud);
        ran = true;
        host->steps++;
    }
    return ran;
}

void smcb_request_stop(smcb_host_t *host)
{
    smc_loop_t *loop = host->loop;

    host->stop = 1;
    if (loop != NULL)
        smc_loop_wake(loop);
}

static smcb_end_t end_of(smc_turn_t turn)
{
    switch (turn) {
    case SMC_TURN_DEADLINE:
        return SMCB_END_DEADLINE;
    case SMC_TURN_DEADLOCK:
        return SMCB_END_DEADLOCK;
    case SMC_TURN_RAN:
        break;
    }
    return SMCB_END_ROOT;
}

/* Whether so much has happened at one instant that there will be no other.  A real clock goes on by itself. */
static bool stands_still(smcb_host_t *host, int64_t *instant_ns)
{
    int64_t now_ns = smc_clock_now_ns();

    if (now_ns != *instant_ns) {
        *instant_ns = now_ns;
        host->steps = 0;
    }
    return host->steps >= SMCB_STEPS_MAX && host->conf.virtual_clock;
}

static smcb_end_t run_until_end(smcb_host_t *host, smcb_task_t *root)
{
    int64_t instant_ns = -1;

    while (root->status == SMCB_RUNNING) {
        bool ran = run_queue(host);
        smc_turn_t turn = SMC_TURN_RAN;
        if (!ran)
            host->steps++;
        if (host->stop && !host->shielded && root->status == SMCB_RUNNING)
            smcb_task_cancel(root);
        else
            turn = smc_loop_turn(host->loop, !ran && host->first == NULL);
        if (turn != SMC_TURN_RAN)
            return end_of(turn);
        if (stands_still(host, &instant_ns) && root->status == SMCB_RUNNING)
            return SMCB_END_LIVELOCK;
    }
    return SMCB_END_ROOT;
}

smcb_end_t smcb_sched_run(smcb_host_t *host, smcb_task_t *root, int64_t deadline_ns)
{
    smcb_end_t end;

    smc_loop_set_deadline(host->loop, deadline_ns);
    end = run_until_end(host, root);
    smc_loop_set_deadline(host->loop, -1);
    return end;
}

void smcb_sched_settle(smcb_host_t *host)
{
    for (int quiet = 0; quiet < 3;) {
        quiet = run_queue(host) ? 0 : quiet + 1;
        (void)smc_loop_turn(host->loop, false);
    }
}
