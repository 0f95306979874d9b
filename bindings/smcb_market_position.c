/* smc.core.market: positions in contracts, and margin. */
#include "smcb_market.h"

static void push_lot_change(lua_State *L, const smc_lot_change_t *c)
{
    lua_createtable(L, 0, 6);
    smcb_set_int(L, "id", c->id);
    smcb_set_dec(L, "qty", c->qty);
    smcb_set_dec(L, "left", c->left);
    smcb_set_dec(L, "price", c->price);
    smcb_set_dec(L, "realized", c->realized);
    smcb_set_bool(L, "opened", c->opened);
}

void smcb_set_closing(lua_State *L, const smc_market_t *m, const smc_fill_t *f)
{
    if (!smc_market_is_contract(m, f->instrument))
        return;
    const smc_lot_change_t *changes = smc_market_lot_changes(m, f);
    smcb_set_dec(L, "realized", f->realized);
    smcb_set_dec(L, "closed_qty", f->closed_qty);
    lua_createtable(L, (int)f->n_lots, 0);
    for (size_t i = 0; changes != NULL && i < f->n_lots; i++) {
        push_lot_change(L, &changes[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "lots");
}

/* ---- positions ----------------------------------------------------------- */

static void add_lot(void *ud, const smc_lot_t *lot)
{
    smcb_list_t *list = ud;
    lua_State *L = list->L;
    lua_createtable(L, 0, 6);
    smcb_set_int(L, "id", lot->id);
    smcb_set_dec(L, "qty", lot->qty);
    smcb_set_dec(L, "initial_qty", lot->initial_qty);
    smcb_set_dec(L, "price", lot->price);
    smcb_set_dec(L, "realized", lot->realized);
    smcb_set_int(L, "opened_ms", lot->opened_ms);
    smcb_list_add(list);
}

static void push_position(lua_State *L, const smc_market_t *m, int32_t account, int32_t instrument,
                          smc_side_t side)
{
    smc_position_t p = smc_market_position(m, account, instrument, side);
    lua_createtable(L, 0, 14);
    smcb_set_text(L, "symbol", smc_market_symbol(m, instrument));
    smcb_set_dec(L, "qty", p.qty);
    smcb_set_dec(L, "entry", p.entry);
    smcb_set_dec(L, "cost", p.cost);
    smcb_set_dec(L, "realized", p.realized);
    smcb_set_dec(L, "realized_total", p.realized_total);
    smcb_set_dec(L, "fees", p.fees);
    smcb_set_dec(L, "upl", p.upl);
    smcb_set_dec(L, "mark", p.mark);
    smcb_set_dec(L, "im", p.im);
    smcb_set_dec(L, "mm", p.mm);
    smcb_set_int(L, "opened_ms", p.opened_ms);
    smcb_set_int(L, "updated_ms", p.updated_ms);
    smcb_list_t lots = smcb_list_new(L, m);
    smc_market_lots(m, account, instrument, add_lot, &lots);
    lua_setfield(L, -2, "lots");
}

static int32_t contract_arg(lua_State *L, const smc_market_t *m, int arg)
{
    int32_t instrument = smcb_market_symbol_arg(L, m, arg);
    if (!smc_market_is_contract(m, instrument))
        return luaL_error(L, "%s is no contract", smc_market_symbol(m, instrument));
    return instrument;
}

static smc_side_t side_arg(lua_State *L, int arg)
{
    return (smc_side_t)luaL_checkoption(L, arg, smcb_market_sides[SMC_BUY], smcb_market_sides);
}

static int l_position(lua_State *L)
{
    const smc_market_t *m = smcb_market_check(L);
    int32_t account = smcb_market_known_account(L, m, luaL_checkinteger(L, 2));
    push_position(L, m, account, contract_arg(L, m, 3), side_arg(L, 4));
    return 1;
}

static int l_positions(lua_State *L)
{
    const smc_market_t *m = smcb_market_check(L);
    int32_t account = smcb_market_known_account(L, m, luaL_checkinteger(L, 2));
    smcb_list_t list = smcb_list_new(L, m);
    for (int32_t i = 0; i < smc_market_instruments(m); i++) {
        int last = smc_market_hedged(m, account, i) ? SMC_SELL : SMC_BUY;
        for (int side = SMC_BUY; side <= last; side++) {
            if (smc_market_position(m, account, i, (smc_side_t)side).updated_ms == 0)
                continue;
            push_position(L, m, account, i, (smc_side_t)side);
            smcb_list_add(&list);
        }
    }
    return 1;
}

static int l_hedge(lua_State *L)
{
    smc_market_t *m = smcb_market_check(L);
    int32_t account = smcb_market_known_account(L, m, luaL_checkinteger(L, 2));
    int32_t instrument = smcb_market_symbol_arg(L, m, 3);
    luaL_checktype(L, 4, LUA_TBOOLEAN);
    smc_error_t err = {0};
    if (smc_market_hedge(m, account, instrument, lua_toboolean(L, 4), &err) != SMC_OK)
        return smcb_market_raise(L, &err);
    return 0;
}

static int l_hedged(lua_State *L)
{
    const smc_market_t *m = smcb_market_check(L);
    int32_t account = smcb_market_known_account(L, m, luaL_checkinteger(L, 2));
    lua_pushboolean(L, smc_market_hedged(m, account, contract_arg(L, m, 3)));
    return 1;
}

/* ---- margin -------------------------------------------------------------- */

static int32_t asset_arg(lua_State *L, const smc_market_t *m, int arg)
{
    int32_t asset = smc_market_find_asset(m, luaL_checkstring(L, arg));
    return asset >= 0 ? asset : luaL_error(L, "unknown asset '%s'", lua_tostring(L, arg));
}

static int l_margin(lua_State *L)
{
    const smc_market_t *m = smcb_market_check(L);
    int32_t account = smcb_market_known_account(L, m, luaL_checkinteger(L, 2));
    smc_margin_t g = smc_market_margin(m, account, asset_arg(L, m, 3));
    lua_createtable(L, 0, 7);
    smcb_set_dec(L, "balance", g.balance);
    smcb_set_dec(L, "upl", g.upl);
    smcb_set_dec(L, "equity", g.equity);
    smcb_set_dec(L, "position_im", g.position_im);
    smcb_set_dec(L, "order_im", g.order_im);
    smcb_set_dec(L, "maintenance", g.maintenance);
    smcb_set_dec(L, "available", g.available);
    return 1;
}

static int l_set_margin(lua_State *L)
{
    smc_market_t *m = smcb_market_check(L);
    int32_t account = smcb_market_known_account(L, m, luaL_checkinteger(L, 2));
    int32_t instrument = smcb_market_symbol_arg(L, m, 3);
    smc_dec_t rate = smcb_market_dec_at(L, 4, "rate");
    smc_side_t side = side_arg(L, 5);
    smc_error_t err = {0};
    if (smc_market_set_margin(m, account, instrument, side, rate, &err) != SMC_OK)
        return smcb_market_raise(L, &err);
    return 0;
}

static int l_set_conversion(lua_State *L)
{
    smc_market_t *m = smcb_market_check(L);
    int32_t instrument = smcb_market_symbol_arg(L, m, 2);
    smc_dec_t gain = smcb_market_dec_at(L, 3, "gain"), loss = smcb_market_dec_at(L, 4, "loss");
    smc_error_t err = {0};
    if (smc_market_set_conversion(m, instrument, gain, loss, &err) != SMC_OK)
        return smcb_market_raise(L, &err);
    return 0;
}

static int l_liquidation(lua_State *L)
{
    smc_market_t *m = smcb_market_check(L);
    int32_t asset = asset_arg(L, m, 2);
    smc_dec_t threshold = {0};
    if (!lua_isnoneornil(L, 3))
        threshold = smcb_market_dec_at(L, 3, "threshold");
    smc_error_t err = {0};
    if (smc_market_liquidation(m, asset, threshold, &err) != SMC_OK)
        return smcb_market_raise(L, &err);
    return 0;
}

static int l_adjust(lua_State *L)
{
    smc_market_t *m = smcb_market_check(L);
    int32_t account = smcb_market_known_account(L, m, luaL_checkinteger(L, 2));
    int32_t asset = asset_arg(L, m, 3);
    smc_error_t err = {0};
    if (smc_market_adjust(m, account, asset, smcb_market_dec_arg(L, 4), &err) != SMC_OK)
        return smcb_market_raise(L, &err);
    return 0;
}

const luaL_Reg smcb_market_positions[] = {
    {"position", l_position},
    {"positions", l_positions},
    {"hedge", l_hedge},
    {"hedged", l_hedged},
    {"margin", l_margin},
    {"set_margin", l_set_margin},
    {"set_conversion", l_set_conversion},
    {"liquidation", l_liquidation},
    {"adjust", l_adjust},
    {NULL, NULL},
};
