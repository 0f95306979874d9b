/* smc.core.market: how trades and events become tables. */
#include "smcb_market.h"

const char *const smcb_market_sides[] = {"buy", "sell", NULL};
const char *const smcb_market_stps[] = {"none",        "expire_taker", "expire_maker",
                                        "expire_both", "decrement",    NULL};

static const char *const event_names[] = {"order",   "trade",    "level",
                                          "balance", "transfer", "position"};
static const char *const execs[] = {"new",       "trade",    "canceled",  "expired",
                                    "prevented", "replaced", "triggered", "released"};

/* ---- tables -------------------------------------------------------------- */

void smcb_push_dec(lua_State *L, smc_dec_t value)
{
    char text[SMC_DEC_TEXT_MAX];
    size_t n = smc_dec_text(value, text);
    lua_pushlstring(L, text, n);
}

void smcb_set_dec(lua_State *L, const char *name, smc_dec_t value)
{
    smcb_push_dec(L, value);
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

static void set_trade(lua_State *L, const smc_trade_t *t)
{
    smcb_set_int(L, "id", t->id);
    smcb_set_dec(L, "price", t->price);
    smcb_set_dec(L, "qty", t->qty);
    smcb_set_dec(L, "quote", t->quote);
    smcb_set_int(L, "time_ms", t->time_ms);
    smcb_set_bool(L, "buyer_is_maker", t->buyer_is_maker);
}

void smcb_add_trade(void *ud, const smc_trade_t *t)
{
    smcb_list_t *list = ud;
    lua_createtable(list->L, 0, 6);
    set_trade(list->L, t);
    smcb_list_add(list);
}

void smcb_add_prevented(void *ud, const smc_prevented_t *p)
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
        smcb_set_closing(L, m, &e->fill);
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
    case SMC_EVENT_POSITION:
        smcb_set_int(L, "account", e->u.position.account);
        smcb_set_dec(L, "qty", e->u.position.qty);
        smcb_set_dec(L, "entry", e->u.position.entry);
        smcb_set_dec(L, "realized", e->u.position.realized);
        smcb_set_dec(L, "upl", e->u.position.upl);
        break;
    }
}

static int l_pending(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)smc_market_events(smcb_market_check(L)));
    return 1;
}

static bool is_first_fill(const smc_order_event_t *o)
{
    return o->exec == SMC_EXEC_TRADE && smc_dec_cmp(o->order.filled, o->fill.qty) == 0;
}

/* tally(times, fills) -> the last exec_id or nil, how many first fills: what those need to know who only count.  Sets
 * times[account] for each balance, and for each first fill of an order, from fills[1] on, its account and is_maker. */
static int l_tally(lua_State *L)
{
    const smc_market_t *m = smcb_market_check(L);
    luaL_checktype(L, 2, LUA_TTABLE);
    luaL_checktype(L, 3, LUA_TTABLE);
    int64_t exec_id = -1;
    lua_Integer n = 0;
    for (size_t i = 0; i < smc_market_events(m); i++) {
        smc_market_event_t e = smc_market_event(m, i);
        if (e.type == SMC_EVENT_BALANCE) {
            lua_pushinteger(L, e.time_ms);
            lua_rawseti(L, 2, e.u.balance.account);
        }
        if (e.type != SMC_EVENT_ORDER)
            continue;
        exec_id = e.u.order->exec_id;
        if (!is_first_fill(e.u.order))
            continue;
        lua_pushinteger(L, e.u.order->order.account);
        lua_rawseti(L, 3, 2 * n + 1);
        lua_pushboolean(L, e.u.order->fill.is_maker);
        lua_rawseti(L, 3, 2 * n + 2);
        n++;
    }
    if (exec_id >= 0)
        lua_pushinteger(L, exec_id);
    else
        lua_pushnil(L);
    lua_pushinteger(L, n);
    return 2;
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

const luaL_Reg smcb_market_happened[] = {
    {"events", l_events}, {"pending", l_pending}, {"tally", l_tally},
    {"forget", l_forget}, {NULL, NULL},
};
