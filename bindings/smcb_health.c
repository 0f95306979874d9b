/* smc.core.health - how well a venue is doing, on the run's clock; smc/health.lua is its face. */
#include "smcb.h"

#include "smc/clock.h"
#include "smc/health.h"

#define HEALTH_MT "smc.core.health"

static uint64_t now_ms(void)
{
    return (uint64_t)(smc_clock_now_ns() / 1000000);
}

static smc_health_t *check_health(lua_State *L)
{
    return luaL_checkudata(L, 1, HEALTH_MT);
}

/* new(conf): the fields of smc_health_conf_t. */
static int l_new(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    smc_health_conf_t conf = {.window = smcb_field_u32(L, 1, "window", SMCB_REQUIRED),
                              .good_ms = smcb_field_u32(L, 1, "good_ms", SMCB_REQUIRED),
                              .bad_ms = smcb_field_u32(L, 1, "bad_ms", SMCB_REQUIRED),
                              .down_after = smcb_field_u32(L, 1, "down_after", SMCB_REQUIRED),
                              .stale_ms = smcb_field_u32(L, 1, "stale_ms", SMCB_REQUIRED),
                              .limit_max = smcb_field_u32(L, 1, "limit_max", SMCB_REQUIRED)};
    smc_health_t *h = lua_newuserdatauv(L, sizeof(*h), 0);
    smc_error_t err = {0};
    if (smc_health_init(h, &conf, &err) != SMC_OK)
        return luaL_error(L, "%s", err.detail);
    luaL_setmetatable(L, HEALTH_MT);
    return 1;
}

/* call("ok" | "failed" | "limited" [, seconds]) */
static int l_call(lua_State *L)
{
    static const char *const words[] = {"ok", "failed", "limited", NULL};
    static const smc_health_call_t results[] = {SMC_HEALTH_OK, SMC_HEALTH_FAILED,
                                                SMC_HEALTH_LIMITED};
    smc_health_t *h = check_health(L);
    smc_health_call_t result = results[luaL_checkoption(L, 2, NULL, words)];
    uint64_t ms = lua_isnoneornil(L, 3) ? 0 : smcb_check_seconds(L, 3);
    smc_health_call(h, result, ms < UINT32_MAX ? (uint32_t)ms : UINT32_MAX, now_ms());
    return 0;
}

/* frame(ms): at that time of the run's clock. */
static int l_frame(lua_State *L)
{
    smc_health_t *h = check_health(L);
    lua_Integer ms = luaL_checkinteger(L, 2);
    luaL_argcheck(L, ms >= 0 && (uint64_t)ms <= now_ms(), 2, "a time that has come expected");
    smc_health_frame(h, (uint64_t)ms);
    return 0;
}

static int l_unwatch(lua_State *L)
{
    smc_health_unwatch(check_health(L));
    return 0;
}

static void set_integer(lua_State *L, const char *name, lua_Integer value)
{
    lua_pushinteger(L, value);
    lua_setfield(L, -2, name);
}

/* look() -> { success, latency, streak, stream, limits, score, state } */
static int l_look(lua_State *L)
{
    smc_health_parts_t p = smc_health_look(check_health(L), now_ms());
    lua_createtable(L, 0, 7);
    set_integer(L, "success", p.success);
    set_integer(L, "latency", p.latency);
    set_integer(L, "streak", p.streak);
    set_integer(L, "stream", p.stream);
    set_integer(L, "limits", p.limits);
    set_integer(L, "score", p.score);
    lua_pushstring(L, smc_health_state_text(p.state));
    lua_setfield(L, -2, "state");
    return 1;
}

/* latency() -> seconds, the average */
static int l_latency(lua_State *L)
{
    lua_pushnumber(L, (lua_Number)smc_health_latency_ms(check_health(L)) / 1000);
    return 1;
}

/* failures() -> how many in a row */
static int l_failures(lua_State *L)
{
    lua_pushinteger(L, check_health(L)->failures);
    return 1;
}

int smcb_open_health(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"call", l_call}, {"frame", l_frame},     {"unwatch", l_unwatch},
        {"look", l_look}, {"latency", l_latency}, {"failures", l_failures},
        {NULL, NULL}};
    static const luaL_Reg functions[] = {{"new", l_new}, {NULL, NULL}};
    luaL_newmetatable(L, HEALTH_MT);
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pushliteral(L, HEALTH_MT);
    lua_setfield(L, -2, "__metatable");
    luaL_newlib(L, functions);
    return 1;
}
