/* smc.core.market: orders. */
#include "smcb_market.h"

static const char *const types[] = {"limit", "market", "limit_maker", NULL};
static const char *const tifs[] = {"none", "gtc", "ioc", "fok", NULL};

/* What an order may ask for: enum and names.  The formatter never comes to rest here. */
/* clang-format off */
#define PLACE_MAP(X)                                              \
    X(account) X(symbol) X(side) X(type) X(qty) X(quote_qty)      \
    X(price) X(tif) X(client_id) X(stp) X(now_ms) X(trigger)      \
    X(trail) X(trail_bps) X(link) X(after) X(reduce_only)         \
    X(close_lot) X(display_qty) X(expires_unfilled)
/* clang-format on */
enum {
#define X(name) P_##name,
    PLACE_MAP(X)
#undef X
        P_COUNT
};
static const char *const place_names[] = {
#define X(name) #name,
    PLACE_MAP(X)
#undef X
};

/* NULL: not given. */
static const smc_dec_t *amount(lua_State *L, int at, int field, smc_dec_t *out)
{
    if (lua_isnil(L, at + field))
        return NULL;
    *out = smcb_market_dec_at(L, at + field, place_names[field]);
    return out;
}

static int64_t number(lua_State *L, int at, int field)
{
    return smcb_market_int_at(L, at + field, place_names[field], 0);
}

/* The table `trigger`, with the trail beside it.  false: there is none. */
static bool read_trigger(lua_State *L, int at, smc_trigger_t *t)
{
    static const char *const known[] = {"price", "by", "when", "immediately", "unlocked", NULL};
    static const char *const bys[] = {"last", "bid", "ask", "mark", "index", NULL};
    static const char *const whens[] = {"falls", "rises", NULL};
    int64_t bps = number(L, at, P_trail_bps);
    *t = (smc_trigger_t){.trail_bps = bps >= INT32_MIN && bps <= INT32_MAX ? (int32_t)bps : -1};
    bool trails = amount(L, at, P_trail, &t->trail) != NULL || bps != 0;
    int trigger = at + P_trigger;
    if (lua_isnil(L, trigger))
        return trails ? luaL_error(L, "trigger is missing") : false;
    smcb_market_options(L, trigger, known);
    (void)smcb_market_dec(L, trigger, "price", &t->price);
    t->by = (smc_watch_t)smcb_market_choice(L, trigger, "by", bys, -1);
    t->rises = smcb_market_choice(L, trigger, "when", whens, -1) == 1;
    t->immediately = smcb_market_bool(L, trigger, "immediately", false);
    t->unlocked = smcb_market_bool(L, trigger, "unlocked", false);
    return true;
}

typedef struct amounts {
    smc_dec_t qty, quote_qty, price, display;
    smc_trigger_t trigger;
} amounts_t;

/* The options, spread from `at` on; *a holds what the request points to. */
static smc_order_request_t read_request(lua_State *L, const smc_market_t *m, int at, amounts_t *a)
{
    return (smc_order_request_t){
        .account = smcb_market_known_account(L, m, number(L, at, P_account)),
        .instrument = smcb_market_instrument_at(L, m, at + P_symbol),
        .side = (smc_side_t)smcb_market_choice_at(L, at + P_side, "side", smcb_market_sides, -1),
        .type = (smc_order_type_t)smcb_market_choice_at(L, at + P_type, "type", types, -1),
        .tif = (smc_tif_t)smcb_market_choice_at(L, at + P_tif, "tif", tifs, SMC_TIF_NONE),
        .stp =
            (smc_stp_t)smcb_market_choice_at(L, at + P_stp, "stp", smcb_market_stps, SMC_STP_NONE),
        .qty = amount(L, at, P_qty, &a->qty),
        .quote_qty = amount(L, at, P_quote_qty, &a->quote_qty),
        .price = amount(L, at, P_price, &a->price),
        .display_qty = amount(L, at, P_display_qty, &a->display),
        .client_id = smcb_market_text_at(L, at + P_client_id, "client_id"),
        .trigger = read_trigger(L, at, &a->trigger) ? &a->trigger : NULL,
        .link = number(L, at, P_link),
        .after = number(L, at, P_after),
        .reduce_only = smcb_market_bool_at(L, at + P_reduce_only, "reduce_only", false),
        .close_lot = number(L, at, P_close_lot),
        .expires_unfilled =
            smcb_market_bool_at(L, at + P_expires_unfilled, "expires_unfilled", false),
    };
}

static int l_place(lua_State *L)
{
    smc_market_t *m = smcb_market_check(L);
    lua_settop(L, 3);
    if (!lua_isnil(L, 3))
        (void)smcb_market_placed(L, m, 3);
    int at = smcb_market_spread(L, 2, place_names, P_COUNT);
    amounts_t amounts;
    smc_order_request_t r = read_request(L, m, at, &amounts);
    const smc_order_t *o;
    int64_t now_ms = smcb_market_int_at(L, at + P_now_ms, "now_ms", smc_market_time(m));
    smc_refusal_t why = smc_market_place(m, &r, now_ms, &o);
    if (why != SMC_ACCEPTED)
        return smcb_market_refused(L, why);
    if (!lua_isnil(L, 3))
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
