/* smc.core.market: the fields of orders and fills, for tables and for records. */
#include "smcb_market.h"
#include "smcb_record.h"

#include <stdlib.h>
#include <string.h>

static const char *const order_types[] = {"limit", "market", "limit_maker"};
static const char *const order_tifs[] = {"gtc", "gtc", "ioc", "fok"};
static const char *const statuses[] = {"new",      "partially_filled", "filled",
                                       "canceled", "expired",          "expired_in_match"};
static const char *const reasons[] = {
    "",      "user",        "system",         "ioc",   "fok", "liquidity", "stp",
    "bound", "reduce_only", "trigger_failed", "linked"};

static smcb_field_t integer(int64_t value)
{
    return (smcb_field_t){.kind = SMCB_FIELD_INT, .integer = value};
}

static smcb_field_t text(const char *value)
{
    return (smcb_field_t){.kind = SMCB_FIELD_TEXT, .text = value};
}

static smcb_field_t dec(smc_dec_t value)
{
    return (smcb_field_t){.kind = SMCB_FIELD_DEC, .dec = value};
}

static smcb_field_t boolean(bool value)
{
    return (smcb_field_t){.kind = SMCB_FIELD_BOOL, .integer = value};
}

static smcb_field_t only_if(bool there, smcb_field_t field)
{
    return there ? field : (smcb_field_t){.kind = SMCB_FIELD_NONE};
}

/* ---- orders --------------------------------------------------------------- */

/* X(name, value); m and o are the market and the order. */
#define ORDER_FIELDS(X)                                                                        \
    X(id, integer(o->id))                                                                      \
    X(client_id, text(o->client_id))                                                           \
    X(orig_client_id, text(o->orig_client_id))                                                 \
    X(account, integer(o->account))                                                            \
    X(symbol, text(smc_market_symbol(m, o->instrument)))                                       \
    X(side, text(smcb_market_sides[o->side]))                                                  \
    X(type, text(order_types[o->type]))                                                        \
    X(tif, text(order_tifs[o->tif]))                                                           \
    X(stp, text(smcb_market_stps[o->stp]))                                                     \
    X(price, dec(o->price))                                                                    \
    X(qty, dec(o->qty))                                                                        \
    X(quote_qty, dec(o->quote_qty))                                                            \
    X(display_qty, only_if(smc_dec_sign(o->display_qty) > 0, dec(o->display_qty)))             \
    X(filled, dec(o->filled))                                                                  \
    X(filled_quote, dec(o->filled_quote))                                                      \
    X(prevented_qty, dec(o->prevented_qty))                                                    \
    X(status, text(statuses[o->status]))                                                       \
    X(reason, text(reasons[o->reason]))                                                        \
    X(created_ms, integer(o->created_ms))                                                      \
    X(updated_ms, integer(o->updated_ms))                                                      \
    X(working_ms, only_if(o->working_ms >= 0, integer(o->working_ms)))                         \
    X(on_book, boolean(o->on_book))                                                            \
    X(link, only_if(o->link != 0, integer(o->link)))                                           \
    X(after, only_if(o->after != 0, integer(o->after)))                                        \
    X(prevented_match_id, only_if(o->prevented_match_id >= 0, integer(o->prevented_match_id))) \
    X(trigger_price,                                                                           \
      only_if(o->conditional &&smc_dec_sign(o->trigger_price) > 0, dec(o->trigger_price)))     \
    X(triggered_ms, only_if(o->conditional && o->triggered_ms >= 0, integer(o->triggered_ms))) \
    X(following_ms, only_if(o->conditional && o->following_ms >= 0, integer(o->following_ms))) \
    X(trigger, only_if(o->conditional, (smcb_field_t){.kind = SMCB_FIELD_TABLE}))              \
    X(reduce_only, only_if(o->reduce_only, boolean(true)))                                     \
    X(close_lot, only_if(o->close_lot != 0, integer(o->close_lot)))                            \
    X(liquidation, only_if(o->liquidation, boolean(true)))                                     \
    X(reject, only_if(o->reject != SMC_ACCEPTED, text(smc_refusal_text(o->reject))))

enum {
#define X(name, value) ORDER_##name,
    ORDER_FIELDS(X)
#undef X
        ORDER_COUNT
};

static const char *const order_names[] = {
#define X(name, value) #name,
    ORDER_FIELDS(X)
#undef X
        NULL};

static smcb_field_t order_field(const smc_market_t *m, const smc_order_t *o, int field)
{
    switch (field) {
#define X(name, value) \
    case ORDER_##name: \
        return value;
        ORDER_FIELDS(X)
#undef X
    default:
        return (smcb_field_t){.kind = SMCB_FIELD_NONE};
    }
}

static void push_trigger(lua_State *L, const smc_trigger_t *t)
{
    static const char *const bys[] = {"last", "bid", "ask", "mark", "index"};
    lua_createtable(L, 0, 4);
    smcb_set_text(L, "by", bys[t->by]);
    smcb_set_text(L, "when", t->rises ? "rises" : "falls");
    if (smc_dec_sign(t->price) > 0)
        smcb_set_dec(L, "price", t->price);
    if (smc_dec_sign(t->trail) > 0)
        smcb_set_dec(L, "trail", t->trail);
    if (t->trail_bps > 0)
        smcb_set_int(L, "trail_bps", t->trail_bps);
}

static void push_order_field(lua_State *L, const smc_order_t *o, const smcb_field_t *f)
{
    if (f->kind == SMCB_FIELD_TABLE)
        push_trigger(L, &o->trigger);
    else
        smcb_field_push(L, f);
}

void smcb_push_order(lua_State *L, const smc_market_t *m, const smc_order_t *o)
{
    lua_createtable(L, 0, 24);
    for (int i = 0; i < ORDER_COUNT; i++) {
        smcb_field_t f = order_field(m, o, i);
        if (f.kind == SMCB_FIELD_NONE)
            continue;
        push_order_field(L, o, &f);
        lua_setfield(L, -2, order_names[i]);
    }
}

void smcb_add_order(void *ud, const smc_order_t *o)
{
    smcb_list_t *list = ud;
    smcb_push_order(list->L, list->m, o);
    smcb_list_add(list);
}

/* ---- fills ---------------------------------------------------------------- */

/* X(name, value); m and f are the market and the fill. */
#define FILL_FIELDS(X)                                    \
    X(id, integer(f->trade_id))                           \
    X(order_id, integer(f->order_id))                     \
    X(symbol, text(smc_market_symbol(m, f->instrument)))  \
    X(side, text(smcb_market_sides[f->side]))             \
    X(price, dec(f->price))                               \
    X(qty, dec(f->qty))                                   \
    X(quote, dec(f->quote))                               \
    X(fee, dec(f->fee))                                   \
    X(fee_asset, text(smc_market_asset(m, f->fee_asset))) \
    X(time_ms, integer(f->time_ms))                       \
    X(is_maker, boolean(f->is_maker))

enum {
#define X(name, value) FILL_##name,
    FILL_FIELDS(X)
#undef X
        FILL_COUNT
};

static const char *const fill_names[] = {
#define X(name, value) #name,
    FILL_FIELDS(X)
#undef X
        NULL};

static smcb_field_t fill_field(const smc_market_t *m, const smc_fill_t *f, int field)
{
    switch (field) {
#define X(name, value) \
    case FILL_##name:  \
        return value;
        FILL_FIELDS(X)
#undef X
    default:
        return (smcb_field_t){.kind = SMCB_FIELD_NONE};
    }
}

static void push_fill(lua_State *L, const smc_market_t *m, const smc_fill_t *f)
{
    lua_createtable(L, 0, FILL_COUNT);
    for (int i = 0; i < FILL_COUNT; i++) {
        smcb_field_t field = fill_field(m, f, i);
        smcb_field_push(L, &field);
        lua_setfield(L, -2, fill_names[i]);
    }
    smcb_set_closing(L, m, f);
}

void smcb_add_fill(void *ud, const smc_fill_t *f)
{
    smcb_list_t *list = ud;
    push_fill(list->L, list->m, f);
    smcb_list_add(list);
}

/* ---- records -------------------------------------------------------------- */

/* What a placement came to: the order, and its fills. */
struct smcb_placed {
    smcb_record_t record; /* first; user values: the market, and the fills */
    const smc_market_t *m;
    smc_order_t *order; /* ours; decimals are aligned as no userdata is */
    smc_fill_t *fills;
    size_t n, cap;
    bool failed;
};

typedef struct fills {
    smcb_record_t record; /* first; user value: whose they are */
    const smcb_placed_t *of;
} fills_t;

enum { UV_MARKET = 1, UV_FILLS, UV_COUNT = UV_FILLS };

static size_t count_order(const smcb_record_t *r)
{
    (void)r;
    return 1;
}

static smcb_field_t get_order(const smcb_record_t *r, size_t at, int field)
{
    const smcb_placed_t *p = (const smcb_placed_t *)r;
    (void)at;
    return order_field(p->m, p->order, field);
}

static size_t count_fills(const smcb_record_t *r)
{
    return ((const fills_t *)r)->of->n;
}

static smcb_field_t get_fill(const smcb_record_t *r, size_t at, int field)
{
    const smcb_placed_t *p = ((const fills_t *)r)->of;
    return fill_field(p->m, &p->fills[at], field);
}

static const smcb_record_type_t order_type = {order_names, count_order, get_order, false};
static const smcb_record_type_t fills_type = {fill_names, count_fills, get_fill, true};

static int l_index(lua_State *L)
{
    const smcb_record_t *r = smcb_class_check(L, 1, smcb_record_mt);
    if (r->type == &order_type) {
        const smcb_placed_t *p = (const smcb_placed_t *)r;
        luaL_argcheck(L, p->order != NULL, 1, "the record is gone");
        int field = smcb_record_find(r->type, luaL_checkstring(L, 2));
        smcb_field_t f = order_field(p->m, p->order, field);
        push_order_field(L, p->order, &f);
        return 1;
    }
    const smcb_placed_t *p = ((const fills_t *)r)->of;
    lua_Integer at = luaL_checkinteger(L, 2);
    if (at < 1 || (size_t)at > p->n)
        return 0;
    push_fill(L, p->m, &p->fills[at - 1]);
    return 1;
}

static int l_len(lua_State *L)
{
    const smcb_record_t *r = smcb_class_check(L, 1, smcb_record_mt);
    luaL_argcheck(L, r->type->is_list, 1, "this record is no list");
    lua_pushinteger(L, (lua_Integer)r->type->count(r));
    return 1;
}

static int l_gc(lua_State *L)
{
    smcb_record_t *r = smcb_class_check(L, 1, smcb_record_mt);
    if (r->type != &order_type)
        return 0;
    smcb_placed_t *p = (smcb_placed_t *)r;
    free(p->fills);
    free(p->order);
    p->fills = NULL;
    p->order = NULL;
    p->n = p->cap = 0;
    return 0;
}

static void add_fill(void *ud, const smc_fill_t *f)
{
    smcb_placed_t *p = ud;
    if (p->n == p->cap) {
        size_t cap = p->cap == 0 ? 8 : 2 * p->cap;
        smc_fill_t *fills = realloc(p->fills, cap * sizeof(*fills));
        if (fills == NULL) {
            p->failed = true;
            return;
        }
        p->fills = fills;
        p->cap = cap;
    }
    p->fills[p->n++] = *f;
}

smcb_placed_t *smcb_market_placed(lua_State *L, const smc_market_t *m, int idx)
{
    smcb_record_t *r = smcb_class_check(L, idx, smcb_record_mt);
    luaL_argcheck(L, r->type == &order_type && ((smcb_placed_t *)r)->m == m, idx,
                  "a record of this market, of market:record(), expected");
    return (smcb_placed_t *)r;
}

int smcb_market_push_placed(lua_State *L, const smc_market_t *m, const smc_order_t *o, int idx)
{
    smcb_placed_t *p = smcb_market_placed(L, m, idx);
    *p->order = *o;
    p->n = 0;
    p->failed = false;
    if (smc_dec_sign(o->filled) > 0)
        smc_market_fills(m, o->account, o->instrument, &(smc_range_t){.order_id = o->id}, add_fill,
                         p);
    if (p->failed)
        return luaL_error(L, "out of memory");
    lua_pushvalue(L, idx);
    (void)lua_getiuservalue(L, idx, UV_FILLS);
    return 2;
}

static void push_class(lua_State *L)
{
    static const luaL_Reg meta[] = {
        {"__index", l_index}, {"__len", l_len}, {"__gc", l_gc}, {NULL, NULL}};
    if (smcb_class_new(L, smcb_record_mt)) {
        luaL_setfuncs(L, meta, 0);
        lua_pushboolean(L, 0);
        lua_setfield(L, -2, "__metatable");
    }
    lua_pop(L, 1);
}

/* market:record() -> record: what place fills in when it is given one. */
static int l_record(lua_State *L)
{
    const smc_market_t *m = smcb_market_check(L);
    push_class(L);
    smcb_placed_t *p = smcb_class_push(L, sizeof(*p), UV_COUNT, smcb_record_mt);
    p->record.type = &order_type;
    p->m = m;
    p->order = calloc(1, sizeof(*p->order));
    if (p->order == NULL)
        return luaL_error(L, "out of memory");
    lua_pushvalue(L, 1);
    (void)lua_setiuservalue(L, -2, UV_MARKET);
    fills_t *f = smcb_class_push(L, sizeof(*f), 1, smcb_record_mt);
    f->record.type = &fills_type;
    f->of = p;
    lua_pushvalue(L, -2);
    (void)lua_setiuservalue(L, -2, 1);
    (void)lua_setiuservalue(L, -2, UV_FILLS);
    return 1;
}

const luaL_Reg smcb_market_records[] = {{"record", l_record}, {NULL, NULL}};
