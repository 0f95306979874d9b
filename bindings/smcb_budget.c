/* The CPU budget of a slice: what ends Lua that runs on without waiting.  Part of smc.core.task.
 *
 * A hook that counts instructions makes each of them dearer, so there is none while all is well.  A timer of the thread's
 * CPU time looks whether the slice is still the same one, and sets the hook when it has been for too long.  What a
 * signal handler can't know is which of the scenario's own coroutines runs: those have a counting hook from the start. */
#include "smcb_priv.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

#define TICKS 10         /* of a budget */
#define COUNT 10000      /* VM instructions of a scenario's coroutine between two looks */
#define STRESS_COUNT 499 /* and between two full collections under GC stress */
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)

/* All that the signal handler can reach. */
static smcb_host_t *volatile watched;

static bool must_end(const smcb_host_t *host)
{
    return host->spent || (host->conf.stop_at_once && host->stop);
}

static void on_count(lua_State *L, lua_Debug *ar)
{
    smcb_host_t *host = smcb_host(L);

    (void)ar;
    if (host->conf.gc_stress)
        (void)lua_gc(L, LUA_GCCOLLECT);
    if (!must_end(host))
        return;
    host->over_budget = true;
    lua_sethook(L, on_count, LUA_MASKLINE,
                0); /* every line from now on, so that pcall can't swallow it */
    lua_pushliteral(L, SMCB_BUDGET_SPENT);
    (void)lua_error(L);
}

/* lua_sethook is one of the few functions of Lua that a signal handler may call. */
static void on_tick(int number)
{
    smcb_host_t *host = watched;

    (void)number;
    if (host == NULL)
        return;
    if (host->seen_slice != host->slice) {
        host->seen_slice = host->slice;
        host->ticks = 0;
        return;
    }
    if (++host->ticks < TICKS)
        return;
    host->spent = 1;
    lua_sethook(host->running, on_count, LUA_MASKCOUNT, 1);
}

/* ---- slices ---------------------------------------------------------------- */

static void set_hook(const smcb_host_t *host, lua_State *L)
{
    if (host->conf.gc_stress || host->conf.stop_at_once)
        lua_sethook(L, on_count, LUA_MASKCOUNT, host->conf.gc_stress ? STRESS_COUNT : COUNT);
    else if (lua_gethook(L) != NULL)
        lua_sethook(L, NULL, 0, 0);
}

/* The number is changed first: a tick in between finds a slice that has only begun. */
static void set_running(smcb_host_t *host, lua_State *L)
{
    host->slice++;
    host->running = L;
    host->spent = 0;
}

lua_State *smcb_slice_begin(smcb_host_t *host, lua_State *L)
{
    lua_State *before = host->running;

    set_running(host, L);
    set_hook(host, L);
    if (host->conf.gc_stress)
        (void)lua_gc(L, LUA_GCCOLLECT);
    return before;
}

void smcb_slice_end(smcb_host_t *host, lua_State *L, lua_State *before)
{
    set_running(host, before);
    set_hook(host, L);
}

/* ---- the timer ------------------------------------------------------------- */

smc_code_t smcb_budget_watch(smcb_host_t *host, smc_error_t *err)
{
    int64_t tick_ns = (int64_t)host->conf.cpu_budget_ms * NS_PER_MS / TICKS;
    struct timespec tick = {.tv_sec = tick_ns / NS_PER_S, .tv_nsec = tick_ns % NS_PER_S};
    struct itimerspec every = {.it_interval = tick, .it_value = tick};
    struct sigaction action = {.sa_handler = on_tick, .sa_flags = SA_RESTART};
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGPROF};

    if (tick_ns == 0)
        return SMC_OK;
    event._sigev_un._tid = gettid(); /* no other thread may touch the state */
    watched = host;
    if (sigaction(SIGPROF, &action, NULL) != 0 ||
        timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &host->ticker) != 0)
        return smc_fail(err, SMC_ESYS, "runtime.budget", errno, "no timer");
    host->ticking = true;
    if (timer_settime(host->ticker, 0, &every, NULL) != 0)
        return smc_fail(err, SMC_ESYS, "runtime.budget", errno, "no timer");
    return SMC_OK;
}

void smcb_budget_unwatch(smcb_host_t *host)
{
    if (watched == host)
        watched = NULL;
    if (host->ticking)
        (void)timer_delete(host->ticker);
    host->ticking = false;
}

/* ---- the scenario's own coroutines -------------------------------------------- */

static void watch_coroutine(const smcb_host_t *host, lua_State *co)
{
    if (host->conf.cpu_budget_ms != 0 || host->conf.gc_stress || host->conf.stop_at_once)
        lua_sethook(co, on_count, LUA_MASKCOUNT, host->conf.gc_stress ? STRESS_COUNT : COUNT);
}

/* What coroutine.create does. */
static int l_create(lua_State *L)
{
    lua_State *co;

    luaL_checktype(L, 1, LUA_TFUNCTION);
    co = lua_newthread(L);
    watch_coroutine(smcb_host(L), co);
    lua_pushvalue(L, 1);
    lua_xmove(L, co, 1);
    return 1;
}

/* What coroutine.wrap, upvalue 1, does: its results keep their coroutine as their first upvalue. */
static int l_wrap(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushvalue(L, 1);
    lua_call(L, 1, 1);
    if (lua_getupvalue(L, -1, 1) != NULL) {
        watch_coroutine(smcb_host(L), lua_tothread(L, -1));
        lua_pop(L, 1);
    }
    return 1;
}

/* coroutines(coroutine) -> create, wrap: as Lua's, of coroutines that the budget is for, too */
static int l_coroutines(lua_State *L)
{
    lua_pushcfunction(L, l_create);
    lua_getfield(L, 1, "wrap");
    lua_pushcclosure(L, l_wrap, 1);
    return 2;
}

const luaL_Reg smcb_budget_functions[] = {{"coroutines", l_coroutines}, {NULL, NULL}};
