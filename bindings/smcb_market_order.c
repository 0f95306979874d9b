/* smc.core.market: orders. */
#include "smcb_market.h"

static const char *const types[] = {"limit", "market", "limit_maker", NULL};
static const char *const tifs[] = {"none", "gtc", "ioc", "fok", NULL};

/* The table `trigger`, with the trail beside it.  false: there is none. */
static bool read_trigger(lua_State *L, int idx, smc_trigger_t *t)
{
    static const char *const known[] = {"price", "by", "when", "immediately", NULL};
    static const char *const bys[] = {"last", "bid", "ask", "mark", "index", NULL};
    static const char *const whens[] = {"falls", "rises", NULL};
    int64_t bps = smcb_market_int(L, idx, "trail_bps", 0);
    *t = (smc_trigger_t){.trail_bps = bps >= INT32_MIN && bps <= INT32_MAX ? (int32_t)bps : -1};
    bool trails = smcb_market_dec(L, idx, "trail", &t->trail) || bps != 0;
    if (lua_getfield(L, idx, "trigger") == LUA_TNIL) {
        lua_pop(L, 1);
        return trails ? luaL_error(L, "trigger is missing") : false;
    }
    int at = lua_gettop(L);
    smcb_market_options(L, at, known);
    (void)smcb_market_dec(L, at, "price", &t->price);
    t->by = (smc_watch_t)smcb_market_choice(L, at, "by", bys, -1);
    t->rises = smcb_market_choice(L, at, "when", whens, -1) == 1;
    t->immediately = smcb_market_bool(L, at, "immediately", false);
    lua_pop(L, 1);
    return true;
}

static int l_place(lua_State *L)
{
    static const char *const known[] = {
        "account", "symbol",    "side",        "type",      "qty",         "quote_qty", "price",
        "tif",     "client_id", "stp",         "now_ms",    "trigger",     "trail",     "trail_bps",
        "link",    "after",     "reduce_only", "close_lot", "display_qty", NULL};
    smc_market_t *m = smcb_market_check(L);
    smcb_market_options(L, 2, known);
    if (!lua_isnoneornil(L, 3))
        (void)smcb_market_placed(L, m, 3);
    smc_dec_t qty, quote_qty, price, display;
    smc_trigger_t trigger;
    smc_order_request_t r = {
        .account = smcb_market_account(L, m, 2),
        .instrument = smcb_market_instrument(L, m, 2),
        .side = (smc_side_t)smcb_market_choice(L, 2, "side", smcb_market_sides, -1),
        .type = (smc_order_type_t)smcb_market_choice(L, 2, "type", types, -1),
        .tif = (smc_tif_t)smcb_market_choice(L, 2, "tif", tifs, SMC_TIF_NONE),
        .stp = (smc_stp_t)smcb_market_choice(L, 2, "stp", smcb_market_stps, SMC_STP_NONE),
        .qty = smcb_market_dec(L, 2, "qty", &qty) ? &qty : NULL,
        .quote_qty = smcb_market_dec(L, 2, "quote_qty", &quote_qty) ? &quote_qty : NULL,
        .price = smcb_market_dec(L, 2, "price", &price) ? &price : NULL,
        .display_qty = smcb_market_dec(L, 2, "display_qty", &display) ? &display : NULL,
        .client_id = smcb_market_text(L, 2, "client_id"),
        .trigger = read_trigger(L, 2, &trigger) ? &trigger : NULL,
        .link = smcb_market_int(L, 2, "link", 0),
        .after = smcb_market_int(L, 2, "after", 0),
        .reduce_only = smcb_market_bool(L, 2, "reduce_only", false),
        .close_lot = smcb_market_int(L, 2, "close_lot", 0),
    };
    const smc_order_t *o;
    smc_refusal_t why = smc_market_place(m, &r, smcb_market_now(L, m, 2), &o);
    if (why != SMC_ACCEPTED)
        return smcb_market_refused(L, why);
    if (!lua_isnoneornil(L, 3))
        return smcb_market_push_placed(L, m, o, 3);
    smcb_push_order(L, m, o);
    smcb_list_t list = smcb_list_new(L, m);
    if (smc_dec_sign(o->filled) > 0)
        smc_market_fills(m, r.account, r.instrument, &(smc_range_t){.order_id = o->id},
                         smcb_add_fill, &list);
    return 2;
}

static smc_order_ref_t order_ref(lua_State *L, const smc_market_t *m, int idx)
{
    smc_order_ref_t ref = {
        .account = smcb_market_account(L, m, idx),
        .instrument = smcb_market_instrument(L, m, idx),
        .id = smcb_market_int(L, idx, "id", -1),
        .client_id = smcb_market_text(L, idx, "client_id"),
    };
    if (ref.id < 0 && ref.client_id == NULL)
        luaL_error(L, "id or client_id is missing");
    return ref;
}

static int push_result(lua_State *L, const smc_market_t *m, smc_refusal_t why, const smc_order_t *o)
{
    if (why != SMC_ACCEPTED)
        return smcb_market_refused(L, why);
    smcb_push_order(L, m, o);
    return 1;
}

static int l_new_link(lua_State *L)
{
    lua_pushinteger(L, smc_market_new_link(smcb_market_check(L)));
    return 1;
}

static int l_cancel(lua_State *L)
{
    static const char *const known[] = {"account",       "symbol", "id", "client_id",
                                        "new_client_id", "now_ms", NULL};
    smc_market_t *m = smcb_market_check(L);
    smcb_market_options(L, 2, known);
    smc_order_ref_t ref = order_ref(L, m, 2);
    const smc_order_t *o = NULL;
    smc_refusal_t why = smc_market_cancel(m, &ref, smcb_market_text(L, 2, "new_client_id"),
                                          smcb_market_now(L, m, 2), &o);
    return push_result(L, m, why, o);
}

static int l_fill(lua_State *L)
{
    static const char *const known[] = {"account", "symbol", "id", "client_id",
                                        "qty",     "now_ms", NULL};
    smc_market_t *m = smcb_market_check(L);
    smcb_market_options(L, 2, known);
    smc_order_ref_t ref = order_ref(L, m, 2);
    smc_dec_t qty;
    const smc_dec_t *much = smcb_market_dec(L, 2, "qty", &qty) ? &qty : NULL;
    const smc_order_t *o = NULL;
    smc_refusal_t why = smc_market_fill(m, &ref, much, smcb_market_now(L, m, 2), &o);
    return push_result(L, m, why, o);
}

static int l_amend(lua_State *L)
{
    static const char *const known[] = {
        "account",       "symbol",        "id",     "client_id", "qty", "price", "trigger_price",
        "new_client_id", "keep_priority", "now_ms", NULL};
    smc_market_t *m = smcb_market_check(L);
    smcb_market_options(L, 2, known);
    smc_order_ref_t ref = order_ref(L, m, 2);
    smc_dec_t qty, price, trigger_price;
    smc_amendment_t change = {
        .qty = smcb_market_dec(L, 2, "qty", &qty) ? &qty : NULL,
        .price = smcb_market_dec(L, 2, "price", &price) ? &price : NULL,
        .trigger_price =
            smcb_market_dec(L, 2, "trigger_price", &trigger_price) ? &trigger_price : NULL,
        .new_client_id = smcb_market_text(L, 2, "new_client_id"),
        .keep_priority = smcb_market_bool(L, 2, "keep_priority", false),
    };
    const smc_order_t *o = NULL;
    smc_refusal_t why = smc_market_amend(m, &ref, &change, smcb_market_now(L, m, 2), &o);
    return push_result(L, m, why, o);
}

static int l_order(lua_State *L)
{
    static const char *const known[] = {"account", "symbol", "id", "client_id", NULL};
    smc_market_t *m = smcb_market_check(L);
    smcb_market_options(L, 2, known);
    smc_order_ref_t ref = order_ref(L, m, 2);
    const smc_order_t *o = smc_market_order(m, &ref);
    return push_result(L, m, o != NULL ? SMC_ACCEPTED : SMC_REFUSED_UNKNOWN_ORDER, o);
}

static int l_cancel_all(lua_State *L)
{
    static const char *const known[] = {"account", "symbol", "now_ms", "reason", NULL};
    static const char *const reasons[] = {"user", "system", NULL};
    smc_market_t *m = smcb_market_check(L);
    smcb_market_options(L, 2, known);
    smc_cancel_all_t which = {
        .account = smcb_market_account(L, m, 2),
        .instrument = smcb_market_any_instrument(L, m, 2),
        .reason =
            smcb_market_choice(L, 2, "reason", reasons, 0) == 0 ? SMC_END_USER : SMC_END_SYSTEM,
    };
    int64_t now_ms = smcb_market_now(L, m, 2);
    smcb_list_t list = smcb_list_new(L, m);
    smc_market_cancel_all(m, &which, now_ms, smcb_add_order, &list);
    return 1;
}

const luaL_Reg smcb_market_orders[] = {
    {"place", l_place},   {"new_link", l_new_link},
    {"cancel", l_cancel}, {"cancel_all", l_cancel_all},
    {"fill", l_fill},     {"amend", l_amend},
    {"order", l_order},   {NULL, NULL},
};
