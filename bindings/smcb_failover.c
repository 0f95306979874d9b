/* smc.core.failover - which venue of a group is used, on the run's clock; smc/failover.lua is its face.  Members are
 * counted from 1 here. */
#include "smcb.h"

#include "smc/clock.h"
#include "smc/failover.h"

#define FAILOVER_MT "smc.core.failover"

static uint64_t now_ms(void)
{
    return (uint64_t)(smc_clock_now_ns() / 1000000);
}

static smc_failover_t *check_failover(lua_State *L)
{
    return luaL_checkudata(L, 1, FAILOVER_MT);
}

/* ---- fields of the table on top -------------------------------------------- */

static bool field_bool(lua_State *L, const char *name)
{
    lua_getfield(L, -1, name);
    bool value = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return value;
}

/* ---- a group --------------------------------------------------------------- */

static smc_trigger_kind_t field_kind(lua_State *L)
{
    static const char *const words[] = {
#define X(name, text) text,
        SMC_TRIGGER_MAP(X)
#undef X
            NULL};
    lua_getfield(L, -1, "kind");
    smc_trigger_kind_t kind = (smc_trigger_kind_t)luaL_checkoption(L, -1, NULL, words);
    lua_pop(L, 1);
    return kind;
}

/* The list at `name` of the table on top; its items are left to `read`. */
static uint32_t read_list(lua_State *L, const char *name, uint32_t most, smc_failover_conf_t *conf,
                          void (*read)(lua_State *, smc_failover_conf_t *, uint32_t))
{
    luaL_argcheck(L, lua_getfield(L, -1, name) == LUA_TTABLE, 1, "a list is missing");
    lua_Integer n = luaL_len(L, -1);
    if (n > (lua_Integer)most)
        (void)luaL_error(L, "at most %d %s", (int)most, name);
    for (uint32_t i = 0; i < (uint32_t)n; i++) {
        (void)lua_geti(L, -1, (lua_Integer)i + 1);
        read(L, conf, i);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return (uint32_t)n;
}

static void read_weight(lua_State *L, smc_failover_conf_t *conf, uint32_t i)
{
    lua_Integer weight = luaL_checkinteger(L, -1);
    luaL_argcheck(L, weight >= 0 && weight <= UINT32_MAX, 1, "a weight is a whole number >= 0");
    conf->weights[i] = (uint32_t)weight;
}

static void read_trigger(lua_State *L, smc_failover_conf_t *conf, uint32_t i)
{
    luaL_checktype(L, -1, LUA_TTABLE);
    conf->triggers[i] =
        (smc_trigger_t){.kind = field_kind(L),
                        .threshold = smcb_field_u32(L, -1, "threshold", SMCB_REQUIRED),
                        .for_ms = smcb_field_u32(L, -1, "for_ms", SMCB_REQUIRED)};
}

/* new(conf): the fields of smc_failover_conf_t; weights and triggers are lists. */
static int l_new(lua_State *L)
{
    smc_failover_conf_t conf = {0};
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    conf.n = read_list(L, "weights", SMC_FAILOVER_MEMBERS, &conf, read_weight);
    conf.n_triggers = read_list(L, "triggers", SMC_FAILOVER_TRIGGERS, &conf, read_trigger);
    conf.by_health = field_bool(L, "by_health");
    conf.hysteresis = smcb_field_u32(L, -1, "hysteresis", SMCB_REQUIRED);
    conf.recover_score = smcb_field_u32(L, -1, "recover_score", SMCB_REQUIRED);
    conf.recover_ms = smcb_field_u32(L, -1, "recover_ms", SMCB_REQUIRED);
    conf.failback = field_bool(L, "failback");
    conf.failback_ms = smcb_field_u32(L, -1, "failback_ms", SMCB_REQUIRED);
    conf.cooldown_ms = smcb_field_u32(L, -1, "cooldown_ms", SMCB_REQUIRED);
    smc_failover_t *f = lua_newuserdatauv(L, sizeof(*f), 0);
    smc_error_t err = {0};
    if (smc_failover_init(f, &conf, now_ms(), &err) != SMC_OK)
        return luaL_error(L, "%s", err.detail);
    luaL_setmetatable(L, FAILOVER_MT);
    return 1;
}

static int push_member(lua_State *L, int member)
{
    if (member == SMC_FAILOVER_NONE)
        lua_pushnil(L);
    else
        lua_pushinteger(L, member + 1);
    return 1;
}

/* active() -> its number | nil */
static int l_active(lua_State *L)
{
    return push_member(L, check_failover(L)->active);
}

static int check_member(lua_State *L, int idx)
{
    lua_Integer i = luaL_checkinteger(L, idx);
    luaL_argcheck(L, i >= 1 && i <= check_failover(L)->conf.n, idx, "there is no such member");
    return (int)i - 1;
}

/* is_up(member) */
static int l_is_up(lua_State *L)
{
    lua_pushboolean(L, smc_failover_is_up(check_failover(L), check_member(L, 2)));
    return 1;
}

/* ---- decisions ------------------------------------------------------------- */

static smc_signal_t read_signal(lua_State *L)
{
    luaL_checktype(L, -1, LUA_TTABLE);
    return (smc_signal_t){.connected = field_bool(L, "connected"),
                          .breaker_open = field_bool(L, "breaker_open"),
                          .latency_ms = smcb_field_u32(L, -1, "latency_ms", SMCB_REQUIRED),
                          .failures = smcb_field_u32(L, -1, "failures", SMCB_REQUIRED),
                          .limit_hits = smcb_field_u32(L, -1, "limit_hits", SMCB_REQUIRED),
                          .stream_age_ms = smcb_field_u32(L, -1, "stream_age_ms", SMCB_REQUIRED),
                          .score = smcb_field_u32(L, -1, "score", SMCB_REQUIRED)};
}

/* step(signals) -> "stay" | "switch" | "no_venue"; signals: one table for each member */
static int l_step(lua_State *L)
{
    static const char *const words[] = {"stay", "switch", "no_venue"};
    smc_failover_t *f = check_failover(L);
    smc_signal_t signals[SMC_FAILOVER_MEMBERS];
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    for (uint32_t i = 0; i < f->conf.n; i++) {
        (void)lua_geti(L, 2, (lua_Integer)i + 1);
        signals[i] = read_signal(L);
        lua_pop(L, 1);
    }
    lua_pushstring(L, words[smc_failover_step(f, signals, now_ms())]);
    return 1;
}

/* done(ok): the switch that was decided has succeeded, or not. */
static int l_done(lua_State *L)
{
    smc_failover_done(check_failover(L), lua_toboolean(L, 2), now_ms());
    return 0;
}

/* move(member) -> true | nil, "switching" | "active" | "down" */
static int l_move(lua_State *L)
{
    smc_failover_t *f = check_failover(L);
    smc_code_t code = smc_failover_move(f, check_member(L, 2), now_ms(), NULL);
    if (code == SMC_OK) {
        lua_pushboolean(L, 1);
        return 1;
    }
    lua_pushnil(L);
    lua_pushstring(L, code == SMC_EAGAIN ? "switching" : code == SMC_EEXIST ? "active" : "down");
    return 2;
}

/* last() -> { from, to, cause, value, at_ms, done_ms } of the last decision | nil */
static int l_last(lua_State *L)
{
    const smc_failover_t *f = check_failover(L);
    if (f->switches == 0)
        return 0;
    lua_createtable(L, 0, 6);
    (void)push_member(L, f->last.from);
    lua_setfield(L, -2, "from");
    (void)push_member(L, f->last.to);
    lua_setfield(L, -2, "to");
    lua_pushstring(L, smc_cause_text(f->last.cause));
    lua_setfield(L, -2, "cause");
    lua_pushinteger(L, (lua_Integer)f->last.value);
    lua_setfield(L, -2, "value");
    lua_pushinteger(L, (lua_Integer)f->last.at_ms);
    lua_setfield(L, -2, "at_ms");
    lua_pushinteger(L, (lua_Integer)f->last.done_ms);
    lua_setfield(L, -2, "done_ms");
    return 1;
}

int smcb_open_failover(lua_State *L)
{
    static const luaL_Reg methods[] = {{"active", l_active}, {"is_up", l_is_up}, {"step", l_step},
                                       {"done", l_done},     {"move", l_move},   {"last", l_last},
                                       {NULL, NULL}};
    static const luaL_Reg functions[] = {{"new", l_new}, {NULL, NULL}};
    luaL_newmetatable(L, FAILOVER_MT);
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pushliteral(L, FAILOVER_MT);
    lua_setfield(L, -2, "__metatable");
    luaL_newlib(L, functions);
    return 1;
}
