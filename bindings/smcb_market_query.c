/* smc.core.market: what only looks, and how results become tables. */
#include "smcb_market.h"

#include "smc/market_feed.h"

const char *const smcb_market_sides[] = {"buy", "sell", NULL};
const char *const smcb_market_stps[] = {"none",        "expire_taker", "expire_maker",
                                        "expire_both", "decrement",    NULL};

static const char *const order_types[] = {"limit", "market", "limit_maker"};
static const char *const order_tifs[] = {"gtc", "gtc", "ioc", "fok"};
static const char *const statuses[] = {"new",      "partially_filled", "filled",
                                       "canceled", "expired",          "expired_in_match"};
static const char *const reasons[] = {"", "user", "system", "ioc", "fok", "liquidity", "stp"};
static const char *const event_names[] = {"order", "trade", "level", "balance", "transfer"};
static const char *const execs[] = {"new", "trade", "canceled", "expired", "prevented", "replaced"};

/* ---- tables -------------------------------------------------------------- */

static void push_dec(lua_State *L, smc_dec_t value)
{
    char text[SMC_DEC_TEXT_MAX];
    size_t n = smc_dec_text(value, text);
    lua_pushlstring(L, text, n);
}

void smcb_set_dec(lua_State *L, const char *name, smc_dec_t value)
{
    push_dec(L, value);
    lua_setfield(L, -2, name);
}

void smcb_set_int(lua_State *L, const char *name, int64_t value)
{
    lua_pushinteger(L, value);
    lua_setfield(L, -2, name);
}

void smcb_set_text(lua_State *L, const char *name, const char *value)
{
    lua_pushstring(L, value);
    lua_setfield(L, -2, name);
}

void smcb_set_bool(lua_State *L, const char *name, bool value)
{
    lua_pushboolean(L, value);
    lua_setfield(L, -2, name);
}

smcb_list_t smcb_list_new(lua_State *L, const smc_market_t *m)
{
    luaL_checkstack(L, 8, NULL);
    lua_newtable(L);
    return (smcb_list_t){.L = L, .m = m, .at = lua_gettop(L)};
}

void smcb_list_add(smcb_list_t *list)
{
    lua_rawseti(list->L, list->at, ++list->n);
}

void smcb_push_order(lua_State *L, const smc_market_t *m, const smc_order_t *o)
{
    lua_createtable(L, 0, 24);
    smcb_set_int(L, "id", o->id);
    smcb_set_text(L, "client_id", o->client_id);
    smcb_set_text(L, "orig_client_id", o->orig_client_id);
    smcb_set_int(L, "account", o->account);
    smcb_set_text(L, "symbol", smc_market_symbol(m, o->instrument));
    smcb_set_text(L, "side", smcb_market_sides[o->side]);
    smcb_set_text(L, "type", order_types[o->type]);
    smcb_set_text(L, "tif", order_tifs[o->tif]);
    smcb_set_text(L, "stp", smcb_market_stps[o->stp]);
    smcb_set_dec(L, "price", o->price);
    smcb_set_dec(L, "qty", o->qty);
    smcb_set_dec(L, "quote_qty", o->quote_qty);
    smcb_set_dec(L, "filled", o->filled);
    smcb_set_dec(L, "filled_quote", o->filled_quote);
    smcb_set_dec(L, "prevented_qty", o->prevented_qty);
    smcb_set_text(L, "status", statuses[o->status]);
    smcb_set_text(L, "reason", reasons[o->reason]);
    smcb_set_int(L, "created_ms", o->created_ms);
    smcb_set_int(L, "updated_ms", o->updated_ms);
    smcb_set_int(L, "working_ms", o->working_ms);
    smcb_set_bool(L, "on_book", o->on_book);
    if (o->prevented_match_id >= 0)
        smcb_set_int(L, "prevented_match_id", o->prevented_match_id);
}

void smcb_add_order(void *ud, const smc_order_t *o)
{
    smcb_list_t *list = ud;
    smcb_push_order(list->L, list->m, o);
    smcb_list_add(list);
}

void smcb_add_fill(void *ud, const smc_fill_t *f)
{
    smcb_list_t *list = ud;
    lua_State *L = list->L;
    lua_createtable(L, 0, 11);
    smcb_set_int(L, "id", f->trade_id);
    smcb_set_int(L, "order_id", f->order_id);
    smcb_set_text(L, "symbol", smc_market_symbol(list->m, f->instrument));
    smcb_set_text(L, "side", smcb_market_sides[f->side]);
    smcb_set_dec(L, "price", f->price);
    smcb_set_dec(L, "qty", f->qty);
    smcb_set_dec(L, "quote", f->quote);
    smcb_set_dec(L, "fee", f->fee);
    smcb_set_text(L, "fee_asset", smc_market_asset(list->m, f->fee_asset));
    smcb_set_int(L, "time_ms", f->time_ms);
    smcb_set_bool(L, "is_maker", f->is_maker);
    smcb_list_add(list);
}

static void set_trade(lua_State *L, const smc_trade_t *t)
{
    smcb_set_int(L, "id", t->id);
    smcb_set_dec(L, "price", t->price);
    smcb_set_dec(L, "qty", t->qty);
    smcb_set_dec(L, "quote", t->quote);
    smcb_set_int(L, "time_ms", t->time_ms);
    smcb_set_bool(L, "buyer_is_maker", t->buyer_is_maker);
}

static void add_trade(void *ud, const smc_trade_t *t)
{
    smcb_list_t *list = ud;
    lua_createtable(list->L, 0, 6);
    set_trade(list->L, t);
    smcb_list_add(list);
}

static void add_prevented(void *ud, const smc_prevented_t *p)
{
    smcb_list_t *list = ud;
    lua_State *L = list->L;
    lua_createtable(L, 0, 9);
    smcb_set_int(L, "id", p->id);
    smcb_set_int(L, "taker_order_id", p->taker_order_id);
    smcb_set_int(L, "maker_order_id", p->maker_order_id);
    smcb_set_text(L, "stp", smcb_market_stps[p->stp]);
    smcb_set_dec(L, "price", p->price);
    if (smc_dec_sign(p->taker_qty) > 0)
        smcb_set_dec(L, "taker_qty", p->taker_qty);
    if (smc_dec_sign(p->maker_qty) > 0)
        smcb_set_dec(L, "maker_qty", p->maker_qty);
    smcb_set_int(L, "time_ms", p->time_ms);
    smcb_list_add(list);
}

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

static void options(lua_State *L, int idx, const char *const known[])
{
    luaL_checktype(L, idx, LUA_TTABLE);
    smcb_check_keys(L, idx, known);
}

static int l_orders(lua_State *L)
{
    static const char *const known[] = {"account", "symbol",  "open",  "from_id",
                                        "limit",   "from_ms", "to_ms", NULL};
    const smc_market_t *m = smcb_market_check(L);
    options(L, 2, known);
    int32_t account = smcb_market_account(L, m, 2);
    int32_t instrument = smcb_market_any_instrument(L, m, 2);
    smc_range_t range = smcb_market_range(L, 2);
    range.open_only = lua_getfield(L, 2, "open") != LUA_TNIL && lua_toboolean(L, -1);
    smcb_list_t list = smcb_list_new(L, m);
    smc_market_orders(m, account, instrument, &range, smcb_add_order, &list);
    return 1;
}

static int l_count(lua_State *L)
{
    static const char *const known[] = {"account", "symbol", NULL};
    const smc_market_t *m = smcb_market_check(L);
    options(L, 2, known);
    size_t n = smc_market_open_orders(m, smcb_market_account(L, m, 2),
                                      smcb_market_any_instrument(L, m, 2));
    lua_pushinteger(L, (lua_Integer)n);
    return 1;
}

static int l_fills(lua_State *L)
{
    static const char *const known[] = {"account", "symbol", "order_id", "from_id",
                                        "from_ms", "to_ms",  "limit",    NULL};
    const smc_market_t *m = smcb_market_check(L);
    options(L, 2, known);
    smc_range_t range = smcb_market_range(L, 2);
    int32_t account = smcb_market_account(L, m, 2);
    int32_t instrument = smcb_market_instrument(L, m, 2);
    range.order_id = smcb_market_int(L, 2, "order_id", 0);
    smcb_list_t list = smcb_list_new(L, m);
    smc_market_fills(m, account, instrument, &range, smcb_add_fill, &list);
    return 1;
}

static int l_prevented(lua_State *L)
{
    static const char *const known[] = {"account", "symbol", "order_id", "from_id",
                                        "from_ms", "to_ms",  "limit",    NULL};
    const smc_market_t *m = smcb_market_check(L);
    options(L, 2, known);
    smc_range_t range = smcb_market_range(L, 2);
    int32_t account = smcb_market_account(L, m, 2);
    int32_t instrument = smcb_market_instrument(L, m, 2);
    range.order_id = smcb_market_int(L, 2, "order_id", 0);
    smcb_list_t list = smcb_list_new(L, m);
    smc_market_prevented(m, account, instrument, &range, add_prevented, &list);
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
    push_dec(list->L, price);
    lua_rawseti(list->L, -2, 1);
    push_dec(list->L, qty);
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

static int check_memory(lua_State *L, smc_code_t code)
{
    return code == SMC_OK ? 1 : luaL_error(L, "%s", smc_code_text(code));
}

static int l_trades(lua_State *L)
{
    static const char *const known[] = {"symbol", "from_id", "from_ms", "to_ms", "limit", NULL};
    smc_market_t *m = smcb_market_check(L);
    options(L, 2, known);
    smc_range_t range = smcb_market_range(L, 2);
    int32_t instrument = smcb_market_instrument(L, m, 2);
    smcb_list_t list = smcb_list_new(L, m);
    return check_memory(L, smc_market_trades(m, instrument, &range, add_trade, &list));
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
    options(L, 2, known);
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
    push_dec(L, price);
    lua_pushinteger(L, last_ms);
    return 2;
}

/* ---- events -------------------------------------------------------------- */

static void set_order_event(lua_State *L, const smc_market_t *m, const smc_order_event_t *e)
{
    smcb_set_text(L, "exec", execs[e->exec]);
    smcb_set_int(L, "exec_id", e->exec_id);
    smcb_set_int(L, "account", e->order.account);
    smcb_push_order(L, m, &e->order);
    lua_setfield(L, -2, "order");
    if (e->exec == SMC_EXEC_TRADE) {
        smcb_set_int(L, "trade_id", e->fill.trade_id);
        smcb_set_dec(L, "last_qty", e->fill.qty);
        smcb_set_dec(L, "last_price", e->fill.price);
        smcb_set_dec(L, "last_quote", e->fill.quote);
        smcb_set_dec(L, "fee", e->fill.fee);
        smcb_set_text(L, "fee_asset", smc_market_asset(m, e->fill.fee_asset));
        smcb_set_bool(L, "is_maker", e->fill.is_maker);
    }
    if (e->exec == SMC_EXEC_PREVENTED) {
        smc_dec_t quote = {0};
        (void)smc_dec_mul(e->prevented_price, e->prevented_qty, SMC_DEC_PLACES, SMC_ROUND_DOWN,
                          &quote);
        smcb_set_int(L, "prevented_match_id", e->prevented_match_id);
        smcb_set_int(L, "counter_order_id", e->counter_order_id);
        smcb_set_dec(L, "last_prevented_qty", e->prevented_qty);
        smcb_set_dec(L, "prevented_price", e->prevented_price);
        smcb_set_dec(L, "prevented_quote", quote);
    }
}

static void set_account(lua_State *L, const smc_market_t *m, int32_t account, int32_t asset)
{
    smcb_set_int(L, "account", account);
    smcb_set_text(L, "asset", smc_market_asset(m, asset));
}

static void push_event(lua_State *L, const smc_market_t *m, const smc_market_event_t *e)
{
    lua_createtable(L, 0, 12);
    smcb_set_text(L, "type", event_names[e->type]);
    smcb_set_int(L, "time_ms", e->time_ms);
    if (e->instrument >= 0)
        smcb_set_text(L, "symbol", smc_market_symbol(m, e->instrument));
    switch (e->type) {
    case SMC_EVENT_ORDER:
        set_order_event(L, m, e->u.order);
        break;
    case SMC_EVENT_TRADE:
        set_trade(L, &e->u.trade);
        break;
    case SMC_EVENT_LEVEL:
        smcb_set_text(L, "side", smcb_market_sides[e->u.level.side]);
        smcb_set_dec(L, "price", e->u.level.price);
        smcb_set_dec(L, "qty", e->u.level.qty);
        smcb_set_int(L, "update_id", e->u.level.update_id);
        break;
    case SMC_EVENT_BALANCE:
        set_account(L, m, e->u.balance.account, e->u.balance.asset);
        smcb_set_dec(L, "free", e->u.balance.now.free);
        smcb_set_dec(L, "locked", e->u.balance.now.locked);
        break;
    case SMC_EVENT_TRANSFER:
        set_account(L, m, e->u.transfer.account, e->u.transfer.asset);
        smcb_set_dec(L, "amount", e->u.transfer.amount);
        break;
    }
}

static int l_pending(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)smc_market_events(smcb_market_check(L)));
    return 1;
}

/* What those need to know who only count: no tables. */
static int l_peek(lua_State *L)
{
    const smc_market_t *m = smcb_market_check(L);
    lua_Integer i = luaL_checkinteger(L, 2);
    luaL_argcheck(L, i >= 1 && (size_t)i <= smc_market_events(m), 2, "there is no such event");
    smc_market_event_t e = smc_market_event(m, (size_t)i - 1);
    lua_pushstring(L, event_names[e.type]);
    lua_pushinteger(L, e.time_ms);
    if (e.type == SMC_EVENT_BALANCE || e.type == SMC_EVENT_TRANSFER) {
        lua_pushinteger(L,
                        e.type == SMC_EVENT_BALANCE ? e.u.balance.account : e.u.transfer.account);
        return 3;
    }
    if (e.type != SMC_EVENT_ORDER)
        return 2;
    const smc_order_event_t *o = e.u.order;
    lua_pushinteger(L, o->order.account);
    lua_pushstring(L, execs[o->exec]);
    lua_pushinteger(L, o->exec_id);
    lua_pushboolean(L, o->fill.is_maker);
    lua_pushboolean(L, o->exec == SMC_EXEC_TRADE && smc_dec_cmp(o->order.filled, o->fill.qty) == 0);
    return 7;
}

static int l_forget(lua_State *L)
{
    smc_market_clear_events(smcb_market_check(L));
    return 0;
}

static int l_events(lua_State *L)
{
    smc_market_t *m = smcb_market_check(L);
    size_t n = smc_market_events(m);
    smcb_list_t list = smcb_list_new(L, m);
    for (size_t i = 0; i < n; i++) {
        smc_market_event_t e = smc_market_event(m, i);
        push_event(L, m, &e);
        smcb_list_add(&list);
    }
    smc_market_clear_events(m);
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
    push_dec(L, smc_feed_mid(m, instrument));
    return 1;
}

const luaL_Reg smcb_market_queries[] = {
    {"balances", l_balances}, {"fees", l_fees},       {"orders", l_orders},
    {"count", l_count},       {"fills", l_fills},     {"prevented", l_prevented},
    {"book", l_book},         {"best", l_best},       {"trades", l_trades},
    {"candles", l_candles},   {"stats", l_stats},     {"events", l_events},
    {"time", l_time},         {"next_ms", l_next_ms}, {"mid", l_mid},
    {"average", l_average},   {"pending", l_pending}, {"peek", l_peek},
    {"forget", l_forget},     {NULL, NULL},
};
