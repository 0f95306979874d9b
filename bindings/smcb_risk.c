/* smc.core.risk - a risk guard on the run's clock; smc/risk.lua is its face.  Money goes in and out as decimal strings. */
#include "smcb.h"

#include "smc/clock.h"
#include "smc/risk.h"

#define RISK_MT "smc.core.risk"
#define LIST_MAX 10000 /* positions, and cells of a matrix */

static uint64_t now_ms(void)
{
    return (uint64_t)(smc_clock_now_ns() / 1000000);
}

static smc_risk_t *check_risk(lua_State *L)
{
    return luaL_checkudata(L, 1, RISK_MT);
}

/* ---- what Lua gives ------------------------------------------------------------ */

static smc_dec_t dec_at(lua_State *L, int idx, const char *name)
{
    smc_dec_t out = {0};
    size_t n = 0;
    const char *text = lua_type(L, idx) == LUA_TSTRING ? lua_tolstring(L, idx, &n) : "";
    if (smc_dec_parse(text, n, &out) != SMC_OK)
        (void)luaL_error(L, "%s must be a decimal string", name);
    return out;
}

/* Zero when it is not there. */
static smc_dec_t field_dec(lua_State *L, const char *name)
{
    smc_dec_t out = {0};
    if (lua_getfield(L, 2, name) != LUA_TNIL)
        out = dec_at(L, -1, name);
    lua_pop(L, 1);
    return out;
}

static double field_number(lua_State *L, const char *name)
{
    int is_number = 0;
    lua_getfield(L, 2, name);
    double value = lua_isnil(L, -1) ? 0 : lua_tonumberx(L, -1, &is_number);
    if (!lua_isnil(L, -1) && !is_number)
        (void)luaL_error(L, "%s must be a number", name);
    lua_pop(L, 1);
    return value;
}

static bool field_bool(lua_State *L, const char *name)
{
    lua_getfield(L, 2, name);
    bool value = lua_toboolean(L, -1) != 0;
    lua_pop(L, 1);
    return value;
}

/* Pushes the list and a userdata with room for its items, which stays on the stack while they are used. */
static void *push_list(lua_State *L, const char *name, size_t item, size_t *n)
{
    *n = 0;
    if (lua_getfield(L, 2, name) != LUA_TNIL) {
        luaL_checktype(L, -1, LUA_TTABLE);
        *n = lua_rawlen(L, -1);
    }
    if (*n > LIST_MAX)
        (void)luaL_error(L, "%s: at most %d", name, LIST_MAX);
    return lua_newuserdatauv(L, (*n + 1) * item, 0);
}

static const double *push_numbers(lua_State *L, const char *name, size_t *n)
{
    double *out = push_list(L, name, sizeof(*out), n);
    for (size_t i = 0; i < *n; i++) {
        (void)lua_rawgeti(L, -2, (lua_Integer)i + 1);
        out[i] = luaL_checknumber(L, -1);
        lua_pop(L, 1);
    }
    return out;
}

static const smc_dec_t *push_decimals(lua_State *L, const char *name, size_t *n)
{
    smc_dec_t *out = push_list(L, name, sizeof(*out), n);
    for (size_t i = 0; i < *n; i++) {
        (void)lua_rawgeti(L, -2, (lua_Integer)i + 1);
        out[i] = dec_at(L, -1, name);
        lua_pop(L, 1);
    }
    return out;
}

/* The table at 2: the fields of smc_risk_conf_t. */
static smc_risk_conf_t check_conf(lua_State *L)
{
    luaL_checktype(L, 2, LUA_TTABLE);
    return (smc_risk_conf_t){.drawdown = field_dec(L, "drawdown"),
                             .daily_loss = field_dec(L, "daily_loss"),
                             .exposure = field_dec(L, "exposure"),
                             .concentration = field_dec(L, "concentration"),
                             .var = field_number(L, "var"),
                             .correlation = field_number(L, "correlation"),
                             .error_rate = field_number(L, "error_rate"),
                             .losses = smcb_field_u32(L, 2, "losses", 0),
                             .trial_ms = smcb_field_u32(L, 2, "trial_ms", 0)};
}

/* The table at 2: the fields of smc_risk_view_t; lists stay on the stack. */
static smc_risk_view_t check_view(lua_State *L)
{
    luaL_checktype(L, 2, LUA_TTABLE);
    smc_risk_view_t v = {.blind = field_bool(L, "blind"),
                         .equity = field_dec(L, "equity"),
                         .peak = field_dec(L, "peak"),
                         .day_start = field_dec(L, "day_start"),
                         .n_assets = smcb_field_u32(L, 2, "n_assets", 0),
                         .losses = smcb_field_u32(L, 2, "losses", 0),
                         .calls = smcb_field_u32(L, 2, "calls", 0),
                         .errors = smcb_field_u32(L, 2, "errors", 0)};
    size_t cells;
    v.positions = push_decimals(L, "positions", &v.n_positions);
    v.returns = push_numbers(L, "returns", &v.n_returns);
    v.correlations = push_numbers(L, "correlations", &cells);
    if (cells != v.n_assets * v.n_assets)
        (void)luaL_error(L, "correlations must have n_assets x n_assets cells");
    return v;
}

/* ---- the module ---------------------------------------------------------------- */

/* new(nil, conf) */
static int l_new(lua_State *L)
{
    smc_risk_conf_t conf = check_conf(L);
    smc_risk_t *r = lua_newuserdatauv(L, sizeof(*r), 0);
    smc_error_t err = {0};
    if (smc_risk_init(r, &conf, &err) != SMC_OK)
        return luaL_error(L, "%s", err.detail);
    luaL_setmetatable(L, RISK_MT);
    return 1;
}

static int l_set_limits(lua_State *L)
{
    smc_risk_t *r = check_risk(L);
    smc_risk_conf_t conf = check_conf(L);
    smc_error_t err = {0};
    if (smc_risk_set_limits(r, &conf, &err) != SMC_OK)
        return luaL_error(L, "%s", err.detail);
    return 0;
}

/* look(view) -> whether it has tripped just now */
static int l_look(lua_State *L)
{
    smc_risk_t *r = check_risk(L);
    smc_risk_view_t view = check_view(L);
    lua_pushboolean(L, smc_risk_look(r, &view, now_ms()));
    return 1;
}

/* stop() -> false: it was stopped before */
static int l_stop(lua_State *L)
{
    lua_pushboolean(L, smc_risk_stop(check_risk(L), now_ms()));
    return 1;
}

/* reset(view) -> true | nil, "nothing" or "persists", what the core says */
static int l_reset(lua_State *L)
{
    smc_risk_t *r = check_risk(L);
    smc_risk_view_t view = check_view(L);
    smc_error_t err = {0};
    smc_code_t code = smc_risk_reset(r, &view, now_ms(), &err);
    if (code == SMC_OK) {
        lua_pushboolean(L, true);
        return 1;
    }
    lua_pushnil(L);
    lua_pushstring(L, code == SMC_EEXIST ? "nothing" : "persists");
    lua_pushstring(L, err.detail);
    return 3;
}

static int l_may_place(lua_State *L)
{
    lua_pushboolean(L, smc_risk_may_place(check_risk(L), lua_toboolean(L, 2) != 0));
    return 1;
}

static int l_state(lua_State *L)
{
    lua_pushstring(L, smc_risk_state_text(check_risk(L)->state));
    return 1;
}

/* violated() -> the names of the limits that are violated, in the order of the core */
static int l_violated(lua_State *L)
{
    const smc_risk_t *r = check_risk(L);
    lua_newtable(L);
    for (int i = 0; i < SMC_RISK_COUNT; i++) {
        if ((r->violated >> i & 1) == 0)
            continue;
        lua_pushstring(L, smc_risk_limit_text((smc_risk_limit_t)i));
        lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    }
    return 1;
}

/* seen() -> by limit, what the last look saw of those that are on: money as strings */
static int l_seen(lua_State *L)
{
    const smc_risk_t *r = check_risk(L);
    char text[SMC_DEC_TEXT_MAX];
    lua_newtable(L);
    for (int i = 0; i < SMC_RISK_COUNT; i++) {
        if ((r->judged >> i & 1) == 0)
            continue;
        if (i < (int)SMC_RISK_MONEY)
            lua_pushlstring(L, text, smc_dec_text(r->money[i], text));
        else if (i == (int)SMC_RISK_LOSSES)
            lua_pushinteger(L, (lua_Integer)r->seen[i]);
        else
            lua_pushnumber(L, r->seen[i]);
        lua_setfield(L, -2, smc_risk_limit_text((smc_risk_limit_t)i));
    }
    return 1;
}

int smcb_open_risk(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"set_limits", l_set_limits}, {"look", l_look},           {"stop", l_stop},
        {"reset", l_reset},           {"may_place", l_may_place}, {"state", l_state},
        {"violated", l_violated},     {"seen", l_seen},           {NULL, NULL}};
    static const luaL_Reg functions[] = {{"new", l_new}, {NULL, NULL}};
    luaL_newmetatable(L, RISK_MT);
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    lua_pushliteral(L, RISK_MT);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
    luaL_newlib(L, functions);
    return 1;
}
