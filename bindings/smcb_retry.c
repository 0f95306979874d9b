/* smc.core.retry - whether a failed request is sent again, on the run's clock; smc/retry.lua is its face. */
#include "smcb.h"
#include "smcb_rng.h"

#include "smc/clock.h"
#include "smc/retry.h"

#define RETRY_MT "smc.core.retry"

static uint64_t now_ms(void)
{
    return (uint64_t)(smc_clock_now_ns() / 1000000);
}

static uint32_t field_u32(lua_State *L, int idx, const char *name)
{
    int is_integer = 0;
    lua_getfield(L, idx, name);
    lua_Integer value = lua_tointegerx(L, -1, &is_integer);
    lua_pop(L, 1);
    if (!is_integer || value < 0 || value > UINT32_MAX)
        (void)luaL_error(L, "%s must be a whole number from 0 to 4294967295", name);
    return (uint32_t)value;
}

static bool field_flag(lua_State *L, int idx, const char *name)
{
    lua_getfield(L, idx, name);
    bool on = lua_toboolean(L, -1) != 0;
    lua_pop(L, 1);
    return on;
}

/* new(conf): the fields of smc_retry_conf_t; the time of the first attempt is now. */
static int l_new(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    smc_retry_conf_t conf = {.attempts = field_u32(L, 1, "attempts"),
                             .budget_ms = field_u32(L, 1, "budget_ms"),
                             .base_ms = field_u32(L, 1, "base_ms"),
                             .max_ms = field_u32(L, 1, "max_ms"),
                             .factor_pct = field_u32(L, 1, "factor_pct"),
                             .jitter_pct = field_u32(L, 1, "jitter_pct")};
    smc_retry_t *r = lua_newuserdatauv(L, sizeof(*r), 0);
    smc_error_t err = {0};
    if (smc_retry_init(r, &conf, now_ms(), &err) != SMC_OK)
        return luaL_error(L, "%s", err.detail);
    luaL_setmetatable(L, RETRY_MT);
    return 1;
}

/* next(failure, rng) -> "stop" | "again", seconds | "look_up", seconds.  failure: the fields of smc_failure_t, and
 * retry_after in seconds. */
static int l_next(lua_State *L)
{
    static const char *const words[] = {
        [SMC_RETRY_STOP] = "stop", [SMC_RETRY_AGAIN] = "again", [SMC_RETRY_LOOK_UP] = "look_up"};
    smc_retry_t *r = luaL_checkudata(L, 1, RETRY_MT);
    luaL_checktype(L, 2, LUA_TTABLE);
    smc_failure_t failure = {.mutation = field_flag(L, 2, "mutation"),
                             .sent = field_flag(L, 2, "sent"),
                             .answered = field_flag(L, 2, "answered"),
                             .temporary = field_flag(L, 2, "temporary"),
                             .retry_after_ms = smcb_field_seconds(L, 2, "retry_after", 0)};
    smc_rng_t *rng = smcb_check_rng(L, 3);
    uint64_t wait_ms = 0;
    smc_retry_verdict_t verdict = smc_retry_next(r, &failure, now_ms(), rng, &wait_ms);
    lua_pushstring(L, words[verdict]);
    if (verdict == SMC_RETRY_STOP)
        return 1;
    lua_pushnumber(L, (lua_Number)wait_ms / 1000);
    return 2;
}

/* failed() -> attempts that failed so far */
static int l_failed(lua_State *L)
{
    const smc_retry_t *r = luaL_checkudata(L, 1, RETRY_MT);
    lua_pushinteger(L, r->failed);
    return 1;
}

int smcb_open_retry(lua_State *L)
{
    static const luaL_Reg methods[] = {{"next", l_next}, {"failed", l_failed}, {NULL, NULL}};
    static const luaL_Reg functions[] = {{"new", l_new}, {NULL, NULL}};
    luaL_newmetatable(L, RETRY_MT);
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pushliteral(L, RETRY_MT);
    lua_setfield(L, -2, "__metatable");
    luaL_newlib(L, functions);
    return 1;
}
