/* smc.core.market: the matching engine.  core/market/README.md describes every function. */
#include "smcb_market.h"

#include "smc/market_feed.h"

static const char market_mt[] = "smc.market";

typedef struct {
    smcb_class_t class;
    smc_market_t *m;
} market_box_t;

smc_market_t *smcb_market_check(lua_State *L)
{
    return ((market_box_t *)smcb_class_check(L, 1, market_mt))->m;
}

/* ---- setting up ---------------------------------------------------------- */

static int l_new(lua_State *L)
{
    static const char *const known[] = {"seed", "now_ms", NULL};
    smcb_market_options(L, 1, known);
    int64_t seed = smcb_market_int(L, 1, "seed", 0);
    int64_t now_ms = smcb_market_int(L, 1, "now_ms", -1);
    if (now_ms < 0)
        return luaL_error(L, "now_ms is missing or negative");
    smc_error_t err = {0};
    market_box_t *box = smcb_class_push(L, sizeof(*box), 0, market_mt);
    if (smc_market_new((uint64_t)seed, now_ms, &box->m, &err) != SMC_OK)
        return smcb_market_raise(L, &err);
    return 1;
}

static int l_gc(lua_State *L)
{
    market_box_t *box = smcb_class_check(L, 1, market_mt);
    smc_market_free(box->m);
    box->m = NULL;
    return 0;
}

static int precision(lua_State *L, int idx, const char *name)
{
    int64_t n = smcb_market_int(L, idx, name, 8);
    return n >= 0 && n <= SMC_DEC_PLACES ? (int)n : luaL_error(L, "%s must be 0 to 18", name);
}

/* The options of a contract.  false: a spot instrument. */
static bool read_contract(lua_State *L, int idx, smc_contract_conf_t *c)
{
    static const char *const kinds[] = {"spot", "contract", NULL};
    static const char *const positions[] = {"average", "lots", NULL};
    static const char *const values[] = {"mark", "side", NULL};
    static const char *const own[] = {"settle",           "settle_precision", "positions",
                                      "margin_rate",      "value_by",         "via",
                                      "maintenance_rate", "via_inverse",      NULL};
    if (smcb_market_choice(L, idx, "kind", kinds, 0) == 0) {
        for (int i = 0; own[i] != NULL; i++)
            if (lua_getfield(L, idx, own[i]) != LUA_TNIL)
                luaL_error(L, "%s belongs to kind = \"contract\"", own[i]);
        return false;
    }
    *c = (smc_contract_conf_t){
        .settle = smcb_market_text(L, idx, "settle"),
        .settle_precision = precision(L, idx, "settle_precision"),
        .lots = smcb_market_choice(L, idx, "positions", positions, 0) == 1,
        .value_by_side = smcb_market_choice(L, idx, "value_by", values, 0) == 1,
        .margin_rate = smcb_market_need_dec(L, idx, "margin_rate"),
        .maintenance_rate = smcb_market_need_dec(L, idx, "maintenance_rate"),
        .via = smcb_market_text(L, idx, "via"),
        .via_inverse = smcb_market_bool(L, idx, "via_inverse", false),
    };
    return true;
}

static int l_instrument(lua_State *L)
{
    static const char *const known[] = {"symbol",
                                        "base",
                                        "quote",
                                        "tick",
                                        "step",
                                        "min_qty",
                                        "base_precision",
                                        "quote_precision",
                                        "maker_fee",
                                        "taker_fee",
                                        "kind",
                                        "settle",
                                        "settle_precision",
                                        "positions",
                                        "margin_rate",
                                        "maintenance_rate",
                                        "value_by",
                                        "via",
                                        "via_inverse",
                                        NULL};
    smc_market_t *m = smcb_market_check(L);
    smcb_market_options(L, 2, known);
    smc_instrument_conf_t conf = {
        .symbol = smcb_market_need_text(L, 2, "symbol"),
        .base = smcb_market_need_text(L, 2, "base"),
        .quote = smcb_market_need_text(L, 2, "quote"),
        .tick = smcb_market_need_dec(L, 2, "tick"),
        .step = smcb_market_need_dec(L, 2, "step"),
        .base_precision = precision(L, 2, "base_precision"),
        .quote_precision = precision(L, 2, "quote_precision"),
    };
    (void)smcb_market_dec(L, 2, "min_qty", &conf.min_qty);
    (void)smcb_market_dec(L, 2, "maker_fee", &conf.maker_fee);
    (void)smcb_market_dec(L, 2, "taker_fee", &conf.taker_fee);
    smc_contract_conf_t contract;
    conf.contract = read_contract(L, 2, &contract) ? &contract : NULL;
    int32_t id;
    smc_error_t err = {0};
    return smc_market_add_instrument(m, &conf, &id, &err) == SMC_OK ? 0
                                                                    : smcb_market_raise(L, &err);
}

static int l_account(lua_State *L)
{
    static const char *const known[] = {"name", "maker_fee", "taker_fee", NULL};
    smc_market_t *m = smcb_market_check(L);
    smcb_market_options(L, 2, known);
    smc_dec_t maker, taker;
    smc_account_conf_t conf = {
        .name = smcb_market_text(L, 2, "name"),
        .maker_fee = smcb_market_dec(L, 2, "maker_fee", &maker) ? &maker : NULL,
        .taker_fee = smcb_market_dec(L, 2, "taker_fee", &taker) ? &taker : NULL,
    };
    int32_t id;
    smc_error_t err = {0};
    if (smc_market_add_account(m, &conf, &id, &err) != SMC_OK)
        return smcb_market_raise(L, &err);
    lua_pushinteger(L, id);
    return 1;
}

static int l_set_fees(lua_State *L)
{
    smc_market_t *m = smcb_market_check(L);
    int32_t account = smcb_market_known_account(L, m, luaL_checkinteger(L, 2));
    smc_dec_t maker = {0}, taker = {0};
    bool has_maker = !lua_isnoneornil(L, 3), has_taker = !lua_isnoneornil(L, 4);
    if (has_maker)
        maker = smcb_market_dec_at(L, 3, "maker_fee");
    if (has_taker)
        taker = smcb_market_dec_at(L, 4, "taker_fee");
    smc_error_t err = {0};
    if (smc_market_set_fees(m, account, has_maker ? &maker : NULL, has_taker ? &taker : NULL,
                            &err) != SMC_OK)
        return smcb_market_raise(L, &err);
    return 0;
}

static int l_credit(lua_State *L)
{
    smc_market_t *m = smcb_market_check(L);
    int32_t account = smcb_market_known_account(L, m, luaL_checkinteger(L, 2)), asset;
    smc_dec_t amount = smcb_market_dec_arg(L, 4);
    smc_error_t err = {0};
    if (smc_market_add_asset(m, luaL_checkstring(L, 3), &asset, &err) != SMC_OK ||
        smc_market_credit(m, account, asset, amount, &err) != SMC_OK)
        return smcb_market_raise(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

static int l_debit(lua_State *L)
{
    smc_market_t *m = smcb_market_check(L);
    int32_t account = smcb_market_known_account(L, m, luaL_checkinteger(L, 2));
    int32_t asset = smc_market_find_asset(m, luaL_checkstring(L, 3));
    smc_dec_t amount = smcb_market_dec_arg(L, 4);
    if (asset < 0)
        return luaL_error(L, "unknown asset '%s'", lua_tostring(L, 3));
    if (smc_dec_sign(amount) > 0 &&
        smc_dec_cmp(smc_market_margin(m, account, asset).available, amount) < 0)
        return smcb_market_refused(L, SMC_REFUSED_FUNDS);
    smc_error_t err = {0};
    if (smc_market_debit(m, account, asset, amount, &err) != SMC_OK)
        return smcb_market_raise(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

/* ---- feed and time ------------------------------------------------------- */

static int32_t small_int(lua_State *L, int idx, const char *name, int32_t missing)
{
    int64_t n = smcb_market_int(L, idx, name, missing);
    return n >= 0 && n <= INT32_MAX ? (int32_t)n : luaL_error(L, "%s is out of range", name);
}

/* Replaces what the table gives. */
static void read_feed(lua_State *L, int idx, smc_feed_conf_t *c)
{
    (void)smcb_market_dec(L, idx, "mid", &c->mid);
    (void)smcb_market_dec(L, idx, "spread", &c->spread);
    (void)smcb_market_dec(L, idx, "gap", &c->gap);
    (void)smcb_market_dec(L, idx, "level_qty", &c->level_qty);
    (void)smcb_market_dec(L, idx, "volatility", &c->volatility);
    (void)smcb_market_dec(L, idx, "reversion", &c->reversion);
    (void)smcb_market_dec(L, idx, "trade_qty", &c->trade_qty);
    c->levels = small_int(L, idx, "levels", c->levels);
    c->step_ms = smcb_market_int(L, idx, "step_ms", c->step_ms);
    c->trade_ms = smcb_market_int(L, idx, "trade_ms", c->trade_ms);
    c->history_ms = smcb_market_int(L, idx, "history_ms", c->history_ms);
    c->history_every_ms = smcb_market_int(L, idx, "history_every_ms", c->history_every_ms);
}

static int l_feed(lua_State *L)
{
    static const char *const known[] = {"symbol",           "mid",       "spread",    "gap",
                                        "levels",           "level_qty", "step_ms",   "volatility",
                                        "reversion",        "trade_ms",  "trade_qty", "history_ms",
                                        "history_every_ms", NULL};
    smc_market_t *m = smcb_market_check(L);
    smcb_market_options(L, 2, known);
    int32_t instrument = smcb_market_instrument(L, m, 2);
    smc_feed_conf_t conf = smc_feed_defaults();
    read_feed(L, 2, &conf);
    smc_error_t err = {0};
    return smc_feed_add(m, instrument, &conf, &err) == SMC_OK ? 0 : smcb_market_raise(L, &err);
}

static int l_quote(lua_State *L)
{
    static const char *const known[] = {"spread",    "gap",        "levels",
                                        "level_qty", "volatility", "reversion",
                                        "trade_ms",  "trade_qty",  NULL};
    smc_market_t *m = smcb_market_check(L);
    int32_t instrument = smcb_market_symbol_arg(L, m, 2);
    smcb_market_options(L, 3, known);
    const smc_feed_conf_t *now = smc_feed_conf(m, instrument);
    if (now == NULL)
        return luaL_error(L, "no feed");
    smc_feed_conf_t conf = *now;
    read_feed(L, 3, &conf);
    smc_error_t err = {0};
    return smc_feed_configure(m, instrument, &conf, &err) == SMC_OK ? 0
                                                                    : smcb_market_raise(L, &err);
}

static int l_move(lua_State *L)
{
    static const char *const known[] = {"by", "to", NULL};
    smc_market_t *m = smcb_market_check(L);
    int32_t instrument = smcb_market_symbol_arg(L, m, 2);
    smcb_market_options(L, 3, known);
    smc_dec_t by, to;
    bool has_by = smcb_market_dec(L, 3, "by", &by), has_to = smcb_market_dec(L, 3, "to", &to);
    if (has_by == has_to)
        return luaL_error(L, "by or to, one of them");
    smc_error_t err = {0};
    smc_code_t code = has_by ? smc_feed_move_by(m, instrument, by, &err)
                             : smc_feed_move_to(m, instrument, to, &err);
    return code == SMC_OK ? 0 : smcb_market_raise(L, &err);
}

static int l_freeze(lua_State *L)
{
    smc_market_t *m = smcb_market_check(L);
    int32_t instrument = smcb_market_symbol_arg(L, m, 2);
    luaL_checktype(L, 3, LUA_TBOOLEAN);
    smc_error_t err = {0};
    if (smc_feed_freeze(m, instrument, lua_toboolean(L, 3), &err) != SMC_OK)
        return smcb_market_raise(L, &err);
    return 0;
}

static int l_halt(lua_State *L)
{
    smc_market_t *m = smcb_market_check(L);
    int32_t instrument = smcb_market_symbol_arg(L, m, 2);
    luaL_checktype(L, 3, LUA_TBOOLEAN);
    smc_error_t err = {0};
    if (smc_market_halt(m, instrument, lua_toboolean(L, 3), &err) != SMC_OK)
        return smcb_market_raise(L, &err);
    return 0;
}

static int l_keep(lua_State *L)
{
    lua_Integer orders = luaL_checkinteger(L, 2), trades = luaL_checkinteger(L, 3);
    luaL_argcheck(L, orders > 0, 2, "a positive number of orders expected");
    luaL_argcheck(L, trades > 0, 3, "a positive number of trades expected");
    smc_market_keep(smcb_market_check(L), (size_t)orders, (size_t)trades);
    return 0;
}

static int l_advance(lua_State *L)
{
    smc_market_t *m = smcb_market_check(L);
    smc_market_advance(m, luaL_checkinteger(L, 2));
    lua_pushinteger(L, (lua_Integer)smc_market_events(m));
    return 1;
}

static int l_want(lua_State *L)
{
    static const char *const wants[] = {"none", "orders", "all", NULL};
    smc_market_t *m = smcb_market_check(L);
    int want = luaL_checkoption(L, 2, NULL, wants);
    int32_t instrument = lua_isnoneornil(L, 3) ? SMC_MARKET_ALL : smcb_market_symbol_arg(L, m, 3);
    smc_market_want(m, instrument, (smc_want_t)want);
    return 0;
}

int smcb_open_market(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"instrument", l_instrument},
        {"account", l_account},
        {"set_fees", l_set_fees},
        {"credit", l_credit},
        {"debit", l_debit},
        {"feed", l_feed},
        {"quote", l_quote},
        {"move", l_move},
        {"freeze", l_freeze},
        {"halt", l_halt},
        {"keep", l_keep},
        {"advance", l_advance},
        {"want", l_want},
        {NULL, NULL},
    };
    static const luaL_Reg functions[] = {{"new", l_new}, {NULL, NULL}};
    if (smcb_class_new(L, market_mt)) {
        lua_pushcfunction(L, l_gc);
        lua_setfield(L, -2, "__gc");
        lua_pushboolean(L, 0);
        lua_setfield(L, -2, "__metatable");
        lua_newtable(L);
        luaL_setfuncs(L, methods, 0);
        luaL_setfuncs(L, smcb_market_happened, 0);
        luaL_setfuncs(L, smcb_market_orders, 0);
        luaL_setfuncs(L, smcb_market_positions, 0);
        luaL_setfuncs(L, smcb_market_queries, 0);
        luaL_setfuncs(L, smcb_market_records, 0);
        lua_setfield(L, -2, "__index");
    }
    lua_pop(L, 1);
    luaL_newlib(L, functions);
    return 1;
}
