/* Time: sleeping, reading the clock, and calls put off.  Part of smc.core.task. */
#include "smcb_priv.h"

#include "smc/clock.h"

#include <string.h>

#define TIMER_MT "smc.timer"

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
    int64_t us = smc_clock_now_ns() / 1000; /* whole microseconds: no digits that only look exact */

    lua_pushnumber(L, (lua_Number)us / 1e6);
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
    smc_loop_t *loop;
    smc_error_t err;

    luaL_argcheck(L, ms >= 0, 1, "milliseconds must be >= 0");
    luaL_checktype(L, 2, LUA_TFUNCTION);
    loop = smcb_loop(L);
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
    smcb_anchor(L, -1, box); /* first: it may raise */
    if (smc_timer_start(loop, (uint64_t)ms, on_after, box, &box->timer, &err) != SMC_OK) {
        smcb_unanchor(L, box);
        return smcb_push_fail(L, &err);
    }
    smcb_resource_add(box->host, &box->resource);
    box->resource.world = true;
    return 1;
}

static int l_after_cancel(lua_State *L)
{
    after_end(luaL_checkudata(L, 1, TIMER_MT));
    return 0;
}

const luaL_Reg smcb_time_functions[] = {
    {"sleep", l_sleep}, {"now", l_now}, {"wall_ms", l_wall_ms}, {"after", l_after}, {NULL, NULL}};

static const luaL_Reg timer_methods[] = {{"cancel", l_after_cancel}, {NULL, NULL}};

void smcb_open_timer(lua_State *L)
{
    luaL_newmetatable(L, TIMER_MT);
    luaL_newlib(L, timer_methods);
    lua_setfield(L, -2, "__index");
    lua_pushliteral(L, TIMER_MT);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}
