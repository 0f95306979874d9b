/* smc.core.market: the matching engine.  core/market/README.md describes every function. */
#include "smcb_market.h"

#include "smc/market_feed.h"

#include <string.h>

#define MARKET_MT "smc.market"

typedef struct {
    smc_market_t *m;
} market_box_t;

static const char *const types[] = {"limit", "market", "limit_maker", NULL};
static const char *const tifs[] = {"none", "gtc", "ioc", "fok", NULL};

smc_market_t *smcb_market_check(lua_State *L)
{
    return ((market_box_t *)luaL_checkudata(L, 1, MARKET_MT))->m;
}

/* ---- reading ------------------------------------------------------------- */

static void options(lua_State *L, int idx, const char *const known[])
{
    luaL_checktype(L, idx, LUA_TTABLE);
    smcb_check_keys(L, idx, known);
}

static smc_dec_t parse_dec(lua_State *L, int idx, const char *name)
{
    size_t n;
    smc_dec_t out = {0};
    if (lua_type(L, idx) != LUA_TSTRING)
        luaL_error(L, "%s must be a decimal string, not a %s", name, luaL_typename(L, idx));
    const char *text = lua_tolstring(L, idx, &n);
    if (smc_dec_parse(text, n, &out) != SMC_OK)
        luaL_error(L, "%s is not a decimal number: '%s'", name, text);
    return out;
}

bool smcb_market_dec(lua_State *L, int idx, const char *name, smc_dec_t *out)
{
    bool present = lua_getfield(L, idx, name) != LUA_TNIL;
    if (present)
        *out = parse_dec(L, -1, name);
    lua_pop(L, 1);
    return present;
}

smc_dec_t smcb_market_dec_arg(lua_State *L, int arg)
{
    return parse_dec(L, arg, "amount");
}

static smc_dec_t need_dec(lua_State *L, int idx, const char *name)
{
    smc_dec_t out = {0};
    if (!smcb_market_dec(L, idx, name, &out))
        luaL_error(L, "%s is missing", name);
    return out;
}

int64_t smcb_market_int(lua_State *L, int idx, const char *name, int64_t missing)
{
    int64_t out = missing;
    if (lua_getfield(L, idx, name) != LUA_TNIL) {
        if (!lua_isinteger(L, -1))
            luaL_error(L, "%s must be an integer", name);
        out = lua_tointeger(L, -1);
    }
    lua_pop(L, 1);
    return out;
}

const char *smcb_market_text(lua_State *L, int idx, const char *name)
{
    const char *out = NULL;
    if (lua_getfield(L, idx, name) != LUA_TNIL) {
        if (lua_type(L, -1) != LUA_TSTRING)
            luaL_error(L, "%s must be a string", name);
        out = lua_tostring(L, -1); /* the table keeps it alive */
    }
    lua_pop(L, 1);
    return out;
}

static const char *need_text(lua_State *L, int idx, const char *name)
{
    const char *out = smcb_market_text(L, idx, name);
    if (out == NULL)
        luaL_error(L, "%s is missing", name);
    return out;
}

int smcb_market_choice(lua_State *L, int idx, const char *name, const char *const list[],
                       int missing)
{
    const char *text = smcb_market_text(L, idx, name);
    if (text == NULL && missing < 0)
        return luaL_error(L, "%s is missing", name);
    for (int i = 0; text != NULL && list[i] != NULL; i++)
        if (strcmp(list[i], text) == 0)
            return i;
    return text == NULL ? missing : luaL_error(L, "%s can't be '%s'", name, text);
}

static int32_t find_symbol(lua_State *L, const smc_market_t *m, const char *symbol)
{
    int32_t id = smc_market_find_instrument(m, symbol);
    return id >= 0 ? id : luaL_error(L, "unknown symbol '%s'", symbol);
}

int32_t smcb_market_instrument(lua_State *L, const smc_market_t *m, int idx)
{
    return find_symbol(L, m, need_text(L, idx, "symbol"));
}

int32_t smcb_market_any_instrument(lua_State *L, const smc_market_t *m, int idx)
{
    const char *symbol = smcb_market_text(L, idx, "symbol");
    return symbol != NULL ? find_symbol(L, m, symbol) : SMC_MARKET_ALL;
}

int32_t smcb_market_symbol_arg(lua_State *L, const smc_market_t *m, int arg)
{
    return find_symbol(L, m, luaL_checkstring(L, arg));
}

static int32_t known_account(lua_State *L, const smc_market_t *m, int64_t id)
{
    if (id < 1 || id > smc_market_accounts(m))
        return luaL_error(L, "unknown account");
    return (int32_t)id;
}

int32_t smcb_market_account(lua_State *L, const smc_market_t *m, int idx)
{
    return known_account(L, m, smcb_market_int(L, idx, "account", 0));
}

smc_range_t smcb_market_range(lua_State *L, int idx)
{
    int64_t limit = smcb_market_int(L, idx, "limit", 0);
    if (limit < 0)
        luaL_error(L, "limit must not be negative");
    return (smc_range_t){
        .from_id = smcb_market_int(L, idx, "from_id", 0),
        .from_ms = smcb_market_int(L, idx, "from_ms", 0),
        .to_ms = smcb_market_int(L, idx, "to_ms", 0),
        .limit = (size_t)limit,
    };
}

static int64_t now_of(lua_State *L, const smc_market_t *m, int idx)
{
    return smcb_market_int(L, idx, "now_ms", smc_market_time(m));
}

/* Wrong use that only the core can see. */
static int raise(lua_State *L, const smc_error_t *err)
{
    return luaL_error(L, "%s", err->detail);
}

static int refused(lua_State *L, smc_refusal_t why)
{
    if (why == SMC_REFUSED_MEMORY)
        return luaL_error(L, "out of memory");
    lua_pushnil(L);
    lua_pushstring(L, smc_refusal_text(why));
    return 2;
}

/* ---- setting up ---------------------------------------------------------- */

static int l_new(lua_State *L)
{
    static const char *const known[] = {"seed", "now_ms", NULL};
    options(L, 1, known);
    int64_t seed = smcb_market_int(L, 1, "seed", 0);
    int64_t now_ms = smcb_market_int(L, 1, "now_ms", -1);
    if (now_ms < 0)
        return luaL_error(L, "now_ms is missing or negative");
    smc_error_t err = {0};
    market_box_t *box = lua_newuserdatauv(L, sizeof(*box), 0);
    box->m = NULL;
    luaL_setmetatable(L, MARKET_MT);
    if (smc_market_new((uint64_t)seed, now_ms, &box->m, &err) != SMC_OK)
        return raise(L, &err);
    return 1;
}

static int l_gc(lua_State *L)
{
    market_box_t *box = luaL_checkudata(L, 1, MARKET_MT);
    smc_market_free(box->m);
    box->m = NULL;
    return 0;
}

static int precision(lua_State *L, int idx, const char *name)
{
    int64_t n = smcb_market_int(L, idx, name, 8);
    return n >= 0 && n <= SMC_DEC_PLACES ? (int)n : luaL_error(L, "%s must be 0 to 18", name);
}

static int l_instrument(lua_State *L)
{
    static const char *const known[] = {
        "symbol",          "base",      "quote",     "tick", "step", "min_qty", "base_precision",
        "quote_precision", "maker_fee", "taker_fee", NULL};
    smc_market_t *m = smcb_market_check(L);
    options(L, 2, known);
    smc_instrument_conf_t conf = {
        .symbol = need_text(L, 2, "symbol"),
        .base = need_text(L, 2, "base"),
        .quote = need_text(L, 2, "quote"),
        .tick = need_dec(L, 2, "tick"),
        .step = need_dec(L, 2, "step"),
        .base_precision = precision(L, 2, "base_precision"),
        .quote_precision = precision(L, 2, "quote_precision"),
    };
    (void)smcb_market_dec(L, 2, "min_qty", &conf.min_qty);
    (void)smcb_market_dec(L, 2, "maker_fee", &conf.maker_fee);
    (void)smcb_market_dec(L, 2, "taker_fee", &conf.taker_fee);
    int32_t id;
    smc_error_t err = {0};
    return smc_market_add_instrument(m, &conf, &id, &err) == SMC_OK ? 0 : raise(L, &err);
}

static int l_account(lua_State *L)
{
    static const char *const known[] = {"name", "maker_fee", "taker_fee", NULL};
    smc_market_t *m = smcb_market_check(L);
    options(L, 2, known);
    smc_dec_t maker, taker;
    smc_account_conf_t conf = {
        .name = smcb_market_text(L, 2, "name"),
        .maker_fee = smcb_market_dec(L, 2, "maker_fee", &maker) ? &maker : NULL,
        .taker_fee = smcb_market_dec(L, 2, "taker_fee", &taker) ? &taker : NULL,
    };
    int32_t id;
    smc_error_t err = {0};
    if (smc_market_add_account(m, &conf, &id, &err) != SMC_OK)
        return raise(L, &err);
    lua_pushinteger(L, id);
    return 1;
}

static int l_set_fees(lua_State *L)
{
    smc_market_t *m = smcb_market_check(L);
    int32_t account = known_account(L, m, luaL_checkinteger(L, 2));
    smc_dec_t maker = {0}, taker = {0};
    bool has_maker = !lua_isnoneornil(L, 3), has_taker = !lua_isnoneornil(L, 4);
    if (has_maker)
        maker = parse_dec(L, 3, "maker_fee");
    if (has_taker)
        taker = parse_dec(L, 4, "taker_fee");
    smc_error_t err = {0};
    if (smc_market_set_fees(m, account, has_maker ? &maker : NULL, has_taker ? &taker : NULL,
                            &err) != SMC_OK)
        return raise(L, &err);
    return 0;
}

static int l_credit(lua_State *L)
{
    smc_market_t *m = smcb_market_check(L);
    int32_t account = known_account(L, m, luaL_checkinteger(L, 2)), asset;
    smc_dec_t amount = smcb_market_dec_arg(L, 4);
    smc_error_t err = {0};
    if (smc_market_add_asset(m, luaL_checkstring(L, 3), &asset, &err) != SMC_OK ||
        smc_market_credit(m, account, asset, amount, &err) != SMC_OK)
        return raise(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

static int l_debit(lua_State *L)
{
    smc_market_t *m = smcb_market_check(L);
    int32_t account = known_account(L, m, luaL_checkinteger(L, 2));
    int32_t asset = smc_market_find_asset(m, luaL_checkstring(L, 3));
    smc_dec_t amount = smcb_market_dec_arg(L, 4);
    if (asset < 0)
        return luaL_error(L, "unknown asset '%s'", lua_tostring(L, 3));
    if (smc_dec_sign(amount) > 0 &&
        smc_dec_cmp(smc_market_balance(m, account, asset).free, amount) < 0)
        return refused(L, SMC_REFUSED_FUNDS);
    smc_error_t err = {0};
    if (smc_market_debit(m, account, asset, amount, &err) != SMC_OK)
        return raise(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

/* ---- orders -------------------------------------------------------------- */

static int l_place(lua_State *L)
{
    static const char *const known[] = {"account",   "symbol",    "side",   "type",
                                        "qty",       "quote_qty", "price",  "tif",
                                        "client_id", "stp",       "now_ms", NULL};
    smc_market_t *m = smcb_market_check(L);
    options(L, 2, known);
    smc_dec_t qty, quote_qty, price;
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
        .client_id = smcb_market_text(L, 2, "client_id"),
    };
    const smc_order_t *o;
    smc_refusal_t why = smc_market_place(m, &r, now_of(L, m, 2), &o);
    if (why != SMC_ACCEPTED)
        return refused(L, why);
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
        return refused(L, why);
    smcb_push_order(L, m, o);
    return 1;
}

static int l_cancel(lua_State *L)
{
    static const char *const known[] = {"account",       "symbol", "id", "client_id",
                                        "new_client_id", "now_ms", NULL};
    smc_market_t *m = smcb_market_check(L);
    options(L, 2, known);
    smc_order_ref_t ref = order_ref(L, m, 2);
    const smc_order_t *o = NULL;
    smc_refusal_t why =
        smc_market_cancel(m, &ref, smcb_market_text(L, 2, "new_client_id"), now_of(L, m, 2), &o);
    return push_result(L, m, why, o);
}

static int l_amend(lua_State *L)
{
    static const char *const known[] = {"account", "symbol",        "id",     "client_id",
                                        "qty",     "new_client_id", "now_ms", NULL};
    smc_market_t *m = smcb_market_check(L);
    options(L, 2, known);
    smc_order_ref_t ref = order_ref(L, m, 2);
    smc_dec_t qty = need_dec(L, 2, "qty");
    const smc_order_t *o = NULL;
    smc_refusal_t why = smc_market_amend(m, &ref, qty, smcb_market_text(L, 2, "new_client_id"),
                                         now_of(L, m, 2), &o);
    return push_result(L, m, why, o);
}

static int l_order(lua_State *L)
{
    static const char *const known[] = {"account", "symbol", "id", "client_id", NULL};
    smc_market_t *m = smcb_market_check(L);
    options(L, 2, known);
    smc_order_ref_t ref = order_ref(L, m, 2);
    const smc_order_t *o = smc_market_order(m, &ref);
    return push_result(L, m, o != NULL ? SMC_ACCEPTED : SMC_REFUSED_UNKNOWN_ORDER, o);
}

static int l_cancel_all(lua_State *L)
{
    static const char *const known[] = {"account", "symbol", "now_ms", "reason", NULL};
    static const char *const reasons[] = {"user", "system", NULL};
    smc_market_t *m = smcb_market_check(L);
    options(L, 2, known);
    smc_cancel_all_t which = {
        .account = smcb_market_account(L, m, 2),
        .instrument = smcb_market_any_instrument(L, m, 2),
        .reason =
            smcb_market_choice(L, 2, "reason", reasons, 0) == 0 ? SMC_END_USER : SMC_END_SYSTEM,
    };
    int64_t now_ms = now_of(L, m, 2);
    smcb_list_t list = smcb_list_new(L, m);
    smc_market_cancel_all(m, &which, now_ms, smcb_add_order, &list);
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
    options(L, 2, known);
    int32_t instrument = smcb_market_instrument(L, m, 2);
    smc_feed_conf_t conf = smc_feed_defaults();
    read_feed(L, 2, &conf);
    smc_error_t err = {0};
    return smc_feed_add(m, instrument, &conf, &err) == SMC_OK ? 0 : raise(L, &err);
}

static int l_quote(lua_State *L)
{
    static const char *const known[] = {"spread",    "gap",        "levels",
                                        "level_qty", "volatility", "reversion",
                                        "trade_ms",  "trade_qty",  NULL};
    smc_market_t *m = smcb_market_check(L);
    int32_t instrument = smcb_market_symbol_arg(L, m, 2);
    options(L, 3, known);
    const smc_feed_conf_t *now = smc_feed_conf(m, instrument);
    if (now == NULL)
        return luaL_error(L, "no feed");
    smc_feed_conf_t conf = *now;
    read_feed(L, 3, &conf);
    smc_error_t err = {0};
    return smc_feed_configure(m, instrument, &conf, &err) == SMC_OK ? 0 : raise(L, &err);
}

static int l_move(lua_State *L)
{
    static const char *const known[] = {"by", "to", NULL};
    smc_market_t *m = smcb_market_check(L);
    int32_t instrument = smcb_market_symbol_arg(L, m, 2);
    options(L, 3, known);
    smc_dec_t by, to;
    bool has_by = smcb_market_dec(L, 3, "by", &by), has_to = smcb_market_dec(L, 3, "to", &to);
    if (has_by == has_to)
        return luaL_error(L, "by or to, one of them");
    smc_error_t err = {0};
    smc_code_t code = has_by ? smc_feed_move_by(m, instrument, by, &err)
                             : smc_feed_move_to(m, instrument, to, &err);
    return code == SMC_OK ? 0 : raise(L, &err);
}

static int l_freeze(lua_State *L)
{
    smc_market_t *m = smcb_market_check(L);
    int32_t instrument = smcb_market_symbol_arg(L, m, 2);
    luaL_checktype(L, 3, LUA_TBOOLEAN);
    smc_error_t err = {0};
    if (smc_feed_freeze(m, instrument, lua_toboolean(L, 3), &err) != SMC_OK)
        return raise(L, &err);
    return 0;
}

static int l_advance(lua_State *L)
{
    smc_market_advance(smcb_market_check(L), luaL_checkinteger(L, 2));
    return 0;
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
        {"place", l_place},
        {"cancel", l_cancel},
        {"cancel_all", l_cancel_all},
        {"amend", l_amend},
        {"order", l_order},
        {"feed", l_feed},
        {"quote", l_quote},
        {"move", l_move},
        {"freeze", l_freeze},
        {"advance", l_advance},
        {"want", l_want},
        {NULL, NULL},
    };
    static const luaL_Reg functions[] = {{"new", l_new}, {NULL, NULL}};
    if (luaL_newmetatable(L, MARKET_MT)) {
        lua_pushcfunction(L, l_gc);
        lua_setfield(L, -2, "__gc");
        lua_pushboolean(L, 0);
        lua_setfield(L, -2, "__metatable");
        lua_newtable(L);
        luaL_setfuncs(L, methods, 0);
        luaL_setfuncs(L, smcb_market_queries, 0);
        lua_setfield(L, -2, "__index");
    }
    lua_pop(L, 1);
    luaL_newlib(L, functions);
    return 1;
}
