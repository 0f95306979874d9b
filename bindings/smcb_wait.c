#include "smcb_priv.h"

#include <assert.h>
#include <string.h>

#define WAIT_MT "smc.wait"

static int wait_gc(lua_State *L)
{
    smcb_wait_t *w = luaL_checkudata(L, 1, WAIT_MT);

    if (w->result != NULL && w->free_result != NULL)
        w->free_result(w->result);
    w->result = NULL;
    return 0;
}

void smcb_open_wait(lua_State *L)
{
    luaL_newmetatable(L, WAIT_MT);
    lua_pushcfunction(L, wait_gc);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
}

static void refuse_foreign(lua_State *L, const char *what)
{
    smcb_host_t *host = smcb_host(L);

    if (host->current == NULL && host->loop == NULL) {
        host->refused_io = true;
        (void)luaL_error(L,
                         "%s: cannot wait while the file loads; a scenario file only declares: "
                         "move this into it() or before_each()",
                         what);
    }
    if (host->current == NULL)
        (void)luaL_error(L, "%s: a handler of the sandbox cannot wait", what);
    else if (host->current->co != L)
        (void)luaL_error(L,
                         "%s: must be called from the scenario's own coroutine, not from one made "
                         "by coroutine.create or coroutine.wrap; use smc.spawn",
                         what);
    if (!lua_isyieldable(L))
        (void)luaL_error(L,
                         "%s: cannot wait inside a C callback (table.sort, string.gsub) or a "
                         "__close of a task that is being ended",
                         what);
}

smcb_wait_t *smcb_wait_new(lua_State *L, const char *what, smcb_finish_fn finish)
{
    smcb_wait_t *w;

    refuse_foreign(L, what);
    w = lua_newuserdatauv(L, sizeof(*w), 0);
    *w = (smcb_wait_t){.task = smcb_host(L)->current, .what = what, .finish = finish};
    return w;
}

void smcb_wait_owns_result(lua_State *L)
{
    luaL_setmetatable(L, WAIT_MT);
}

static void disarm(smcb_wait_t *w)
{
    smc_timer_cancel(w->deadline);
    w->deadline = NULL;
}

static void on_deadline(void *ud)
{
    smcb_wait_t *w = ud;
    smc_error_t err;

    w->deadline = NULL; /* it fired: the loop frees it */
    (void)smc_fail(&err, SMC_ETIMEDOUT, w->what, 0, "nothing came in time");
    if (w->cancel != NULL)
        w->cancel(w);
    smcb_wait_fire(w, &err, NULL, NULL);
}

void smcb_wait_deadline(lua_State *L, smcb_wait_t *w, uint64_t ms)
{
    smc_error_t err;

    if (w->fired)
        return;
    if (smc_timer_start(smcb_loop(L), ms, on_deadline, w, &w->deadline, &err) == SMC_OK)
        return;
    smcb_wait_cancel(w); /* what was started must not fire into a wait that the error throws away */
    (void)luaL_error(L, "%s: %s", w->what, err.detail);
}

static int finish_k(lua_State *L, int status, lua_KContext ctx)
{
    smcb_wait_t *w = (smcb_wait_t *)ctx;

    (void)status;
    w->task->wait = NULL;
    if (w->err.code != SMC_OK)
        return smcb_push_fail(L, &w->err);
    if (w->finish != NULL)
        return w->finish(L, w);
    lua_pushboolean(L, 1);
    return 1;
}

int smcb_wait_yield(lua_State *L, smcb_wait_t *w)
{
    w->task->wait = w;
    if (w->fired) /* it had nothing to wait for, but others get their turn */
        smcb_post(w->task->host, &w->task->slice);
    return lua_yieldk(L, 0, (lua_KContext)w, finish_k);
}

void smcb_wait_fire(smcb_wait_t *w, const smc_error_t *err, void *result,
                    void (*free_result)(void *))
{
    assert(!w->fired);
    w->fired = true;
    disarm(w);
    if (err != NULL)
        w->err = *err;
    w->result = result;
    w->free_result = free_result;
    if (w->task->wait == w)
        smcb_post(w->task->host, &w->task->slice);
}

void smcb_wait_cancel(smcb_wait_t *w)
{
    if (w->fired)
        return;
    w->fired = true;
    disarm(w);
    if (w->cancel != NULL)
        w->cancel(w);
}
