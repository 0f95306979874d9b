/* smc.core.market: what only looks. */
#include "smcb_market.h"

#include "smc/market_feed.h"

/* ---- accounts ------------------------------------------------------------ */

static int l_balances(lua_State *L)
{
    const smc_market_t *m = smcb_market_check(L);
    lua_Integer account = luaL_checkinteger(L, 2);
    if (account < 1 || account > smc_market_accounts(m))
        return luaL_error(L, "unknown account");
    smcb_list_t list = smcb_list_new(L, m);
    for (int32_t i = 0; i < smc_market_assets(m); i++) {
        smc_balance_t b = smc_market_balance(m, (int32_t)account, i);
        lua_createtable(L, 0, 3);
        smcb_set_text(L, "asset", smc_market_asset(m, i));
        smcb_set_dec(L, "free", b.free);
        smcb_set_dec(L, "locked", b.locked);
        smcb_list_add(&list);
    }
    return 1;
}

static int l_fees(lua_State *L)
{
    const smc_market_t *m = smcb_market_check(L);
    smcb_list_t list = smcb_list_new(L, m);
    for (int32_t i = 0; i < smc_market_assets(m); i++) {
        lua_createtable(L, 0, 2);
        smcb_set_text(L, "asset", smc_market_asset(m, i));
        smcb_set_dec(L, "amount", smc_market_fees(m, i));
        smcb_list_add(&list);
    }
    return 1;
}

static int l_orders(lua_State *L)
{
    static const char *const known[] = {"account", "symbol", "open",        "from_id",   "limit",
                                        "from_ms", "to_ms",  "conditional", "by_update", NULL};
    const smc_market_t *m = smcb_market_check(L);
    smcb_market_options(L, 2, known);
    int32_t account = smcb_market_account(L, m, 2);
    int32_t instrument = smcb_market_any_instrument(L, m, 2);
    smc_range_t range = smcb_market_range(L, 2);
    range.open_only = smcb_market_bool(L, 2, "open", false);
    range.by_update = smcb_market_bool(L, 2, "by_update", false);
    if (lua_getfield(L, 2, "conditional") != LUA_TNIL)
        range.waiting =
            smcb_market_bool(L, 2, "conditional", false) ? SMC_WAITING_ONLY : SMC_WAITING_NOT;
    lua_pop(L, 1);
    smcb_list_t list = smcb_list_new(L, m);
    smc_market_orders(m, account, instrument, &range, smcb_add_order, &list);
    return 1;
}

static int l_count(lua_State *L)
{
    const smc_market_t *m = smcb_market_check(L);
    int32_t account = smcb_market_known_account(L, m, luaL_checkinteger(L, 2));
    int32_t instrument = lua_isnoneornil(L, 3) ? SMC_MARKET_ALL : smcb_market_symbol_arg(L, m, 3);
    lua_pushinteger(L, (lua_Integer)smc_market_open_orders(m, account, instrument));
    return 1;
}

/* Which fills or prevented matches are asked for. */
typedef struct {
    const smc_market_t *m;
    int32_t account, instrument;
    smc_range_t range;
} matches_t;

static matches_t check_matches(lua_State *L)
{
    static const char *const known[] = {"account", "symbol", "order_id", "from_id",
                                        "from_ms", "to_ms",  "limit",    NULL};
    const smc_market_t *m = smcb_market_check(L);
    smcb_market_options(L, 2, known);
    matches_t asked = {.m = m, .range = smcb_market_range(L, 2)};
    asked.account = smcb_market_account(L, m, 2);
    asked.instrument = smcb_market_instrument(L, m, 2);
    asked.range.order_id = smcb_market_int(L, 2, "order_id", 0);
    return asked;
}

static int l_fills(lua_State *L)
{
    matches_t asked = check_matches(L);
    smcb_list_t list = smcb_list_new(L, asked.m);
    smc_market_fills(asked.m, asked.account, asked.instrument, &asked.range, smcb_add_fill, &list);
    return 1;
}

static int l_prevented(lua_State *L)
{
    matches_t asked = check_matches(L);
    smcb_list_t list = smcb_list_new(L, asked.m);
    smc_market_prevented(asked.m, asked.account, asked.instrument, &asked.range, smcb_add_prevented,
                         &list);
    return 1;
}

/* ---- public data --------------------------------------------------------- */

typedef struct {
    smcb_list_t sides[2];
} depth_t;

static void add_level(void *ud, smc_side_t side, smc_dec_t price, smc_dec_t qty)
{
    smcb_list_t *list = &((depth_t *)ud)->sides[side];
    lua_createtable(list->L, 2, 0);
    smcb_push_dec(list->L, price);
    lua_rawseti(list->L, -2, 1);
    smcb_push_dec(list->L, qty);
    lua_rawseti(list->L, -2, 2);
    smcb_list_add(list);
}

static int l_book(lua_State *L)
{
    const smc_market_t *m = smcb_market_check(L);
    int32_t instrument = smcb_market_symbol_arg(L, m, 2);
    lua_Integer depth = luaL_optinteger(L, 3, 0);
    luaL_argcheck(L, depth >= 0, 3, "must not be negative");
    lua_createtable(L, 0, 3);
    depth_t d = {{smcb_list_new(L, m), smcb_list_new(L, m)}};
    int64_t id = smc_market_book(m, instrument, (size_t)depth, add_level, &d);
    lua_setfield(L, -3, "asks");
    lua_setfield(L, -2, "bids");
    smcb_set_int(L, "update_id", id);
    return 1;
}

static void set_best(void *ud, smc_side_t side, smc_dec_t price, smc_dec_t qty)
{
    smcb_set_dec(ud, side == SMC_BUY ? "bid" : "ask", price);
    smcb_set_dec(ud, side == SMC_BUY ? "bid_qty" : "ask_qty", qty);
}

static int l_best(lua_State *L)
{
    const smc_market_t *m = smcb_market_check(L);
    int32_t instrument = smcb_market_symbol_arg(L, m, 2);
    lua_createtable(L, 0, 5);
    smcb_set_int(L, "update_id", smc_market_book(m, instrument, 1, set_best, L));
    return 1;
}

static void skip_level(void *ud, smc_side_t side, smc_dec_t price, smc_dec_t qty)
{
    (void)ud;
    (void)side;
    (void)price;
    (void)qty;
}

/* update_id(symbol): as book and best have it, for who wants to know whether they are as they were */
static int l_update_id(lua_State *L)
{
    const smc_market_t *m = smcb_market_check(L);
    lua_pushinteger(L, smc_market_book(m, smcb_market_symbol_arg(L, m, 2), 1, skip_level, NULL));
    return 1;
}

static int check_memory(lua_State *L, smc_code_t code)
{
    return code == SMC_OK ? 1 : luaL_error(L, "%s", smc_code_text(code));
}

static int l_trades(lua_State *L)
{
    static const char *const known[] = {"symbol", "from_id", "from_ms", "to_ms", "limit", NULL};
    smc_market_t *m = smcb_market_check(L);
    smcb_market_options(L, 2, known);
    smc_range_t range = smcb_market_range(L, 2);
    int32_t instrument = smcb_market_instrument(L, m, 2);
    smcb_list_t list = smcb_list_new(L, m);
    return check_memory(L, smc_market_trades(m, instrument, &range, smcb_add_trade, &list));
}

static void set_candle(lua_State *L, const smc_candle_t *c)
{
    smcb_set_dec(L, "open", c->open);
    smcb_set_dec(L, "high", c->high);
    smcb_set_dec(L, "low", c->low);
    smcb_set_dec(L, "close", c->close);
    smcb_set_dec(L, "volume", c->volume);
    smcb_set_dec(L, "quote_volume", c->quote_volume);
    smcb_set_int(L, "count", c->count);
    smcb_set_int(L, "first_id", c->first_id);
    smcb_set_int(L, "last_id", c->last_id);
}

static void add_candle(void *ud, const smc_candle_t *c)
{
    smcb_list_t *list = ud;
    lua_createtable(list->L, 0, 13);
    set_candle(list->L, c);
    smcb_set_int(list->L, "open_ms", c->open_ms);
    smcb_set_int(list->L, "close_ms", c->close_ms);
    smcb_set_dec(list->L, "taker_volume", c->taker_volume);
    smcb_set_dec(list->L, "taker_quote_volume", c->taker_quote_volume);
    smcb_list_add(list);
}

static int l_candles(lua_State *L)
{
    static const char *const known[] = {"symbol", "interval_ms", "offset_ms", "from_ms",
                                        "to_ms",  "limit",       NULL};
    smc_market_t *m = smcb_market_check(L);
    smcb_market_options(L, 2, known);
    int32_t instrument = smcb_market_instrument(L, m, 2);
    int64_t limit = smcb_market_int(L, 2, "limit", 500);
    smc_candle_query_t q = {
        .interval_ms = smcb_market_int(L, 2, "interval_ms", 0),
        .offset_ms = smcb_market_int(L, 2, "offset_ms", 0),
        .from_ms = smcb_market_int(L, 2, "from_ms", 0),
        .to_ms = smcb_market_int(L, 2, "to_ms", 0),
        .limit = limit > 0 ? (size_t)limit : 0,
    };
    if (q.interval_ms <= 0 || limit <= 0)
        return luaL_error(L, "interval_ms and limit must be positive");
    smcb_list_t list = smcb_list_new(L, m);
    return check_memory(L, smc_market_candles(m, instrument, &q, add_candle, &list));
}

static int l_stats(lua_State *L)
{
    smc_market_t *m = smcb_market_check(L);
    int32_t instrument = smcb_market_symbol_arg(L, m, 2);
    smc_window_t w;
    check_memory(
        L, smc_market_window(m, instrument, luaL_checkinteger(L, 3), luaL_checkinteger(L, 4), &w));
    if (w.sum.count == 0) {
        lua_pushnil(L);
        return 1;
    }
    lua_createtable(L, 0, 11);
    set_candle(L, &w.sum);
    smcb_set_dec(L, "last_qty", w.last_qty);
    if (smc_dec_sign(w.prev_close) > 0)
        smcb_set_dec(L, "prev_close", w.prev_close);
    return 1;
}

static int l_average(lua_State *L)
{
    smc_market_t *m = smcb_market_check(L);
    int32_t instrument = smcb_market_symbol_arg(L, m, 2);
    smc_dec_t price;
    int64_t last_ms;
    check_memory(L, smc_market_average(m, instrument, luaL_checkinteger(L, 3), &price, &last_ms));
    if (smc_dec_sign(price) == 0)
        return 0;
    smcb_push_dec(L, price);
    lua_pushinteger(L, last_ms);
    return 2;
}

/* Nearly: whoever is close to a bound has to look at the average itself. */
static int l_share(lua_State *L)
{
    smc_market_t *m = smcb_market_check(L);
    int32_t instrument = smcb_market_symbol_arg(L, m, 2);
    smc_dec_t average, price = smcb_market_dec_at(L, 4, "price");
    int64_t last_ms;
    check_memory(L, smc_market_average(m, instrument, luaL_checkinteger(L, 3), &average, &last_ms));
    if (smc_dec_sign(average) == 0)
        return 0;
    lua_pushnumber(L, (lua_Number)price.units / (lua_Number)average.units);
    return 1;
}

/* ---- time and feed ------------------------------------------------------- */

static int l_time(lua_State *L)
{
    lua_pushinteger(L, smc_market_time(smcb_market_check(L)));
    return 1;
}

static int l_next_ms(lua_State *L)
{
    int64_t at = smc_market_next_ms(smcb_market_check(L));
    if (at == INT64_MAX)
        lua_pushnil(L);
    else
        lua_pushinteger(L, at);
    return 1;
}

static int l_mid(lua_State *L)
{
    const smc_market_t *m = smcb_market_check(L);
    int32_t instrument = smcb_market_symbol_arg(L, m, 2);
    if (smc_feed_conf(m, instrument) == NULL)
        return luaL_error(L, "no feed");
    smcb_push_dec(L, smc_feed_mid(m, instrument));
    return 1;
}

static int l_mark(lua_State *L)
{
    const smc_market_t *m = smcb_market_check(L);
    smc_dec_t mark = smc_market_mark(m, smcb_market_symbol_arg(L, m, 2));
    if (smc_dec_sign(mark) > 0)
        smcb_push_dec(L, mark);
    else
        lua_pushnil(L);
    return 1;
}

static int l_halted(lua_State *L)
{
    const smc_market_t *m = smcb_market_check(L);
    lua_pushboolean(L, smc_market_halted(m, smcb_market_symbol_arg(L, m, 2)));
    return 1;
}

const luaL_Reg smcb_market_queries[] = {
    {"balances", l_balances}, {"fees", l_fees},       {"orders", l_orders},
    {"count", l_count},       {"fills", l_fills},     {"prevented", l_prevented},
    {"book", l_book},         {"best", l_best},       {"update_id", l_update_id},
    {"trades", l_trades},     {"candles", l_candles}, {"stats", l_stats},
    {"time", l_time},         {"next_ms", l_next_ms}, {"mid", l_mid},
    {"average", l_average},   {"share", l_share},     {"mark", l_mark},
    {"halted", l_halted},     {NULL, NULL},
};
