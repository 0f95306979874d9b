/* smc.histogram - durations and their percentiles; seconds outside, whole nanoseconds inside. */
#include "smc/histogram.h"

#include "smcb.h"

#include <math.h>

#define HISTOGRAM_MT "smc.histogram"
#define NS_PER_S 1e9
#define SECONDS_MAX 9e9

typedef struct histogram_box {
    smc_histogram_t *h;
} histogram_box_t;

static smc_histogram_t *check_histogram(lua_State *L, int idx)
{
    histogram_box_t *box =
        idx == 1 ? smcb_self(L, HISTOGRAM_MT) : luaL_checkudata(L, idx, HISTOGRAM_MT);

    /* Finalizers of a closing state may still reach it. */
    luaL_argcheck(L, box->h != NULL, idx, "the histogram is gone");
    return box->h;
}

static int l_new(lua_State *L)
{
    histogram_box_t *box = lua_newuserdatauv(L, sizeof(*box), 0);
    smc_error_t err = {0};

    box->h = NULL;
    luaL_setmetatable(L, HISTOGRAM_MT);
    if (smc_histogram_new(&box->h, &err) != SMC_OK)
        return smcb_push_fail(L, &err);
    return 1;
}

static int histogram_gc(lua_State *L)
{
    histogram_box_t *box = lua_touserdata(L, 1);

    smc_histogram_free(box->h);
    box->h = NULL;
    return 0;
}

static int l_record(lua_State *L)
{
    smc_histogram_t *h = check_histogram(L, 1);
    lua_Number seconds = luaL_checknumber(L, 2);
    smc_error_t err = {0};

    luaL_argcheck(L, seconds >= 0 && seconds <= SECONDS_MAX, 2,
                  "seconds must be a number from 0 to 9e9");
    return smcb_result(L, smc_histogram_record(h, llround(seconds * NS_PER_S), &err), &err);
}

static int l_merge(lua_State *L)
{
    smc_histogram_t *h = check_histogram(L, 1);
    smc_error_t err = {0};

    return smcb_result(L, smc_histogram_merge(h, check_histogram(L, 2), &err), &err);
}

static int l_count(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)smc_histogram_count(check_histogram(L, 1)));
    return 1;
}

/* nil while nothing was recorded: a zero would pass every test that asks for a fast answer. */
static int push_seconds(lua_State *L, const smc_histogram_t *h, double ns)
{
    if (smc_histogram_count(h) == 0)
        lua_pushnil(L);
    else
        lua_pushnumber(L, ns / NS_PER_S);
    return 1;
}

static int l_min(lua_State *L)
{
    smc_histogram_t *h = check_histogram(L, 1);

    return push_seconds(L, h, (double)smc_histogram_min(h));
}

static int l_max(lua_State *L)
{
    smc_histogram_t *h = check_histogram(L, 1);

    return push_seconds(L, h, (double)smc_histogram_max(h));
}

static int l_mean(lua_State *L)
{
    smc_histogram_t *h = check_histogram(L, 1);

    return push_seconds(L, h, smc_histogram_mean(h));
}

static int l_percentile(lua_State *L)
{
    smc_histogram_t *h = check_histogram(L, 1);
    lua_Number pct = luaL_checknumber(L, 2);

    luaL_argcheck(L, pct >= 0 && pct <= 100, 2, "a percentile is a number from 0 to 100");
    return push_seconds(L, h, (double)smc_histogram_percentile(h, pct));
}

int smcb_open_histogram(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"record", l_record}, {"merge", l_merge}, {"count", l_count},           {"min", l_min},
        {"max", l_max},       {"mean", l_mean},   {"percentile", l_percentile}, {NULL, NULL},
    };
    static const luaL_Reg functions[] = {{"new", l_new}, {NULL, NULL}};

    if (luaL_newmetatable(L, HISTOGRAM_MT)) {
        luaL_newlib(L, methods);
        lua_setfield(L, -2, "__index");
        lua_pushcfunction(L, histogram_gc);
        lua_setfield(L, -2, "__gc");
        lua_pushboolean(L, 0);
        lua_setfield(L, -2, "__metatable");
    }
    luaL_newlib(L, functions);
    return 1;
}
