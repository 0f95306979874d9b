/* smc.core.breaker - a circuit breaker on the run's clock; smc/breaker.lua is its face. */
#include "smcb.h"

#include "smc/breaker.h"
#include "smc/clock.h"

#define BREAKER_MT "smc.core.breaker"
#define PERMIT_MT "smc.permit"

enum { UV_BREAKER = 1 }; /* of a permit: keeps its breaker alive */

typedef struct permit_box {
    smc_breaker_t *breaker; /* NULL once reported */
    smc_permit_t permit;
} permit_box_t;

static uint64_t now_ms(void)
{
    return (uint64_t)(smc_clock_now_ns() / 1000000);
}

/* new(conf): the fields of smc_breaker_conf_t, `time` = true for a window of time. */
static int l_new(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    smc_breaker_conf_t conf = {.size = smcb_field_u32(L, 1, "size", SMCB_REQUIRED),
                               .min_calls = smcb_field_u32(L, 1, "min_calls", SMCB_REQUIRED),
                               .failure_pct = smcb_field_u32(L, 1, "failure_pct", SMCB_REQUIRED),
                               .slow_pct = smcb_field_u32(L, 1, "slow_pct", SMCB_REQUIRED),
                               .slow_ms = smcb_field_u32(L, 1, "slow_ms", SMCB_REQUIRED),
                               .open_ms = smcb_field_u32(L, 1, "open_ms", SMCB_REQUIRED),
                               .open_max_ms = smcb_field_u32(L, 1, "open_max_ms", SMCB_REQUIRED),
                               .growth_pct = smcb_field_u32(L, 1, "growth_pct", SMCB_REQUIRED),
                               .probes = smcb_field_u32(L, 1, "probes", SMCB_REQUIRED)};
    lua_getfield(L, 1, "time");
    conf.window = lua_toboolean(L, -1) ? SMC_BREAKER_TIME : SMC_BREAKER_COUNT;
    smc_breaker_t *b = lua_newuserdatauv(L, sizeof(*b), 0);
    smc_error_t err = {0};
    if (smc_breaker_init(b, &conf, &err) != SMC_OK)
        return luaL_error(L, "%s", err.detail);
    luaL_setmetatable(L, BREAKER_MT);
    return 1;
}

static smc_breaker_t *check_breaker(lua_State *L)
{
    return luaL_checkudata(L, 1, BREAKER_MT);
}

/* ask([urgent]) -> permit | nil, seconds until it is worth asking again (nil: nobody knows) */
static int l_ask(lua_State *L)
{
    smc_breaker_t *b = check_breaker(L);
    bool urgent = lua_toboolean(L, 2);
    permit_box_t *box = lua_newuserdatauv(L, sizeof(*box), UV_BREAKER);
    box->breaker = NULL;
    luaL_setmetatable(L, PERMIT_MT);
    uint64_t wait_ms = 0;
    if (urgent ? smc_breaker_ask_urgently(b, now_ms(), &box->permit)
               : smc_breaker_ask(b, now_ms(), &box->permit, &wait_ms)) {
        box->breaker = b;
        lua_pushvalue(L, 1);
        (void)lua_setiuservalue(L, -2, UV_BREAKER);
        return 1;
    }
    lua_pushnil(L);
    if (wait_ms == 0 || wait_ms == UINT64_MAX)
        return 1;
    lua_pushnumber(L, (lua_Number)wait_ms / 1000);
    return 2;
}

static int l_state(lua_State *L)
{
    lua_pushstring(L, smc_breaker_state_text(smc_breaker_state(check_breaker(L))));
    return 1;
}

/* out() -> permits that are not reported yet */
static int l_out(lua_State *L)
{
    lua_pushinteger(L, check_breaker(L)->out);
    return 1;
}

/* force("open" | "closed" | nil) */
static int l_force(lua_State *L)
{
    static const char *const words[] = {"free", "open", "closed", NULL};
    static const smc_breaker_force_t forces[] = {SMC_BREAKER_FREE, SMC_BREAKER_FORCED_OPEN,
                                                 SMC_BREAKER_FORCED_CLOSED};
    smc_breaker_t *b = check_breaker(L);
    smc_breaker_set_force(b, forces[luaL_checkoption(L, 2, "free", words)], now_ms());
    return 0;
}

/* last() -> how many transitions there were, and the last of them; nil before the first */
static int l_last(lua_State *L)
{
    const smc_breaker_t *b = check_breaker(L);
    lua_pushinteger(L, b->changes);
    if (b->changes == 0)
        return 1;
    lua_createtable(L, 0, 6);
    lua_pushstring(L, smc_breaker_state_text(b->last.from));
    lua_setfield(L, -2, "from");
    lua_pushstring(L, smc_breaker_state_text(b->last.to));
    lua_setfield(L, -2, "to");
    lua_pushnumber(L, (lua_Number)b->last.at_ms / 1000);
    lua_setfield(L, -2, "at");
    lua_pushinteger(L, b->last.calls);
    lua_setfield(L, -2, "calls");
    lua_pushinteger(L, b->last.failures);
    lua_setfield(L, -2, "failures");
    lua_pushinteger(L, b->last.slow);
    lua_setfield(L, -2, "slow");
    return 2;
}

/* ---- permits --------------------------------------------------------------- */

static void give_back(permit_box_t *box, smc_call_t result)
{
    if (box->breaker != NULL)
        smc_breaker_report(box->breaker, &box->permit, now_ms(), result);
    box->breaker = NULL;
}

/* report("ok" | "failed" | "ignored") -> whether it was the first report */
static int l_report(lua_State *L)
{
    static const char *const words[] = {"ok", "failed", "ignored", NULL};
    static const smc_call_t results[] = {SMC_CALL_OK, SMC_CALL_FAILED, SMC_CALL_IGNORED};
    permit_box_t *box = smcb_self(L, PERMIT_MT);
    smc_call_t result = results[luaL_checkoption(L, 2, NULL, words)];
    lua_pushboolean(L, box->breaker != NULL);
    give_back(box, result);
    return 1;
}

/* begin(): the call begins now; what was waited for since the ask is not its slowness. */
static int l_begin(lua_State *L)
{
    permit_box_t *box = smcb_self(L, PERMIT_MT);
    box->permit.started_ms = now_ms();
    return 0;
}

/* Whoever was interrupted says nothing about the other side. */
static int permit_close(lua_State *L)
{
    give_back(luaL_checkudata(L, 1, PERMIT_MT), SMC_CALL_IGNORED);
    return 0;
}

static void new_class(lua_State *L, const char *name, const luaL_Reg *methods)
{
    luaL_newmetatable(L, name);
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    lua_pushstring(L, name);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}

int smcb_open_breaker(lua_State *L)
{
    static const luaL_Reg methods[] = {{"ask", l_ask}, {"state", l_state}, {"force", l_force},
                                       {"out", l_out}, {"last", l_last},   {NULL, NULL}};
    static const luaL_Reg permit_methods[] = {
        {"report", l_report}, {"begin", l_begin}, {"__close", permit_close}, {NULL, NULL}};
    static const luaL_Reg functions[] = {{"new", l_new}, {NULL, NULL}};
    new_class(L, BREAKER_MT, methods);
    new_class(L, PERMIT_MT, permit_methods);
    luaL_newlib(L, functions);
    return 1;
}
