#include "market_priv.h"

#include <stdlib.h>
#include <string.h>

/* ---- life of an order ---------------------------------------------------- */

static purse_t *lock_purse(const node_t *n, int32_t *asset)
{
    *asset = n->o.side == SMC_BUY ? n->inst->quote : n->inst->base;
    return &n->owner->purses[*asset];
}

static void order_lock(smc_market_t *m, node_t *n, smc_dec_t amount)
{
    int32_t asset;
    purse_t *p = lock_purse(n, &asset);
    p->b.free = dec_minus(p->b.free, amount);
    p->b.locked = dec_plus(p->b.locked, amount);
    n->locked = dec_plus(n->locked, amount);
    balance_touch(m, n->owner, asset);
}

void order_unlock(smc_market_t *m, node_t *n, smc_dec_t amount)
{
    int32_t asset;
    purse_t *p = lock_purse(n, &asset);
    p->b.free = dec_plus(p->b.free, amount);
    p->b.locked = dec_minus(p->b.locked, amount);
    n->locked = dec_minus(n->locked, amount);
    balance_touch(m, n->owner, asset);
}

static void open_add(node_t *n)
{
    holding_t *h = &n->owner->holdings[n->inst->id];
    n->open_prev = h->open_tail;
    if (h->open_tail != NULL)
        h->open_tail->open_next = n;
    else
        h->open_head = n;
    h->open_tail = n;
    h->n_open++;
}

static void open_remove(node_t *n)
{
    holding_t *h = &n->owner->holdings[n->inst->id];
    if (n->open_prev != NULL)
        n->open_prev->open_next = n->open_next;
    else
        h->open_head = n->open_next;
    if (n->open_next != NULL)
        n->open_next->open_prev = n->open_prev;
    else
        h->open_tail = n->open_prev;
    n->open_prev = n->open_next = NULL;
    h->n_open--;
}

void order_end(smc_market_t *m, node_t *n, smc_order_status_t status, smc_end_reason_t why)
{
    n->o.status = status;
    n->o.reason = why;
    n->o.updated_ms = m->now_ms;
    n->o.on_book = false;
    n->ended = true;
    if (!dec_is_zero(n->locked))
        order_unlock(m, n, n->locked);
    if (n->slot != NULL)
        *n->slot = NULL;
    n->slot = NULL;
    if (!is_system(n->owner))
        open_remove(n);
}

void order_release(smc_market_t *m, node_t *n)
{
    if (!n->ended || !is_system(n->owner))
        return;
    n->next = m->pool;
    m->pool = n;
}

static node_t *node_new(smc_market_t *m, account_t *owner)
{
    if (!is_system(owner) || m->pool == NULL)
        return calloc(1, sizeof(node_t));
    node_t *n = m->pool;
    m->pool = n->next;
    *n = (node_t){0};
    return n;
}

static node_t *order_new(smc_market_t *m, account_t *owner, instrument_t *inst, smc_side_t side)
{
    node_t *n = node_new(m, owner);
    if (n == NULL) {
        m->failed = true;
        return NULL;
    }
    n->owner = owner;
    n->inst = inst;
    n->o = (smc_order_t){
        .id = ++inst->last_order_id,
        .instrument = inst->id,
        .account = owner->id,
        .side = side,
        .tif = SMC_GTC,
        .created_ms = m->now_ms,
        .updated_ms = m->now_ms,
        .working_ms = m->now_ms,
        .prevented_match_id = -1,
    };
    return n;
}

/* ---- what is checked ----------------------------------------------------- */

static bool on_grid(smc_dec_t a, smc_dec_t grid)
{
    return smc_dec_sign(a) > 0 && smc_dec_cmp(a, smc_dec_from_int(AMOUNT_MAX_WHOLE)) <= 0 &&
           smc_dec_is_multiple(a, grid);
}

static smc_refusal_t check_market(const smc_order_request_t *r)
{
    if (r->price != NULL || r->tif != SMC_TIF_NONE || (r->qty == NULL) == (r->quote_qty == NULL))
        return SMC_REFUSED_COMBINATION;
    if (r->quote_qty != NULL &&
        (smc_dec_sign(*r->quote_qty) <= 0 ||
         smc_dec_cmp(*r->quote_qty, smc_dec_from_int(AMOUNT_MAX_WHOLE)) > 0))
        return SMC_REFUSED_QUOTE_QTY;
    return SMC_ACCEPTED;
}

static smc_refusal_t check_limit(const instrument_t *inst, const smc_order_request_t *r)
{
    if (r->price == NULL || r->qty == NULL || r->quote_qty != NULL ||
        (r->type == SMC_LIMIT_MAKER && r->tif != SMC_TIF_NONE))
        return SMC_REFUSED_COMBINATION;
    return on_grid(*r->price, inst->tick) ? SMC_ACCEPTED : SMC_REFUSED_PRICE;
}

static smc_refusal_t check_amounts(const instrument_t *inst, const smc_order_request_t *r)
{
    smc_refusal_t why = r->type == SMC_MARKET_ORDER ? check_market(r) : check_limit(inst, r);
    if (why != SMC_ACCEPTED)
        return why;
    if (r->qty != NULL && (!on_grid(*r->qty, inst->step) || dec_less(*r->qty, inst->min_qty)))
        return SMC_REFUSED_QTY;
    smc_dec_t cost;
    if (r->price != NULL &&
        (smc_dec_mul(*r->price, *r->qty, SMC_DEC_PLACES, SMC_ROUND_DOWN, &cost) != SMC_OK ||
         smc_dec_cmp(cost, smc_dec_from_int(AMOUNT_MAX_WHOLE)) > 0))
        return SMC_REFUSED_QTY;
    return SMC_ACCEPTED;
}

static smc_refusal_t check_client_id(const account_t *a, const char *id)
{
    if (id == NULL || id[0] == '\0')
        return SMC_ACCEPTED;
    if (strlen(id) > SMC_MARKET_CLIENT_ID_MAX)
        return SMC_REFUSED_CLIENT_ID;
    return ids_find_open(a, id) != NULL ? SMC_REFUSED_DUPLICATE : SMC_ACCEPTED;
}

/* What the book does to the order, before funds. */
static smc_refusal_t check_book(const instrument_t *inst, const smc_order_request_t *r,
                                const plan_t *plan)
{
    const level_t *best = book_best(inst, other_side(r->side));
    if (r->type == SMC_LIMIT_MAKER && best != NULL && book_crosses(r->side, *r->price, best->price))
        return SMC_REFUSED_WOULD_TAKE;
    if (r->type != SMC_MARKET_ORDER)
        return SMC_ACCEPTED;
    if (best == NULL)
        return SMC_REFUSED_NO_LIQUIDITY;
    if (r->quote_qty != NULL && dec_less(plan->qty, inst->min_qty))
        return plan->ran_out ? SMC_REFUSED_NO_LIQUIDITY : SMC_REFUSED_QUOTE_TOO_SMALL;
    return SMC_ACCEPTED;
}

static smc_dec_t lock_amount(const smc_order_request_t *r, const plan_t *plan)
{
    if (r->side == SMC_SELL)
        return r->qty != NULL ? *r->qty : plan->qty;
    if (r->price != NULL)
        return dec_notional(*r->price, *r->qty);
    return r->quote_qty != NULL ? *r->quote_qty : plan->quote;
}

/* ---- place --------------------------------------------------------------- */

static bool keep_order(smc_market_t *m, node_t *n)
{
    holding_t *h = &n->owner->holdings[n->inst->id];
    n->first_fill = h->n_fills;
    if (!vec_room(m, &h->orders, h->n_orders, &h->cap_orders, sizeof(h->orders[0])))
        return false;
    if (n->o.client_id[0] != '\0' && !ids_add(m, n->owner, n->o.client_id, n))
        return false;
    h->orders[h->n_orders++] = n;
    open_add(n);
    return true;
}

/* What becomes of what did not trade. */
static void finish(smc_market_t *m, node_t *n)
{
    if (n->ended)
        return;
    smc_end_reason_t why = SMC_END_NONE;
    if (n->o.type == SMC_MARKET_ORDER)
        why = SMC_END_LIQUIDITY;
    else if (n->o.tif == SMC_IOC)
        why = SMC_END_IOC;
    else if (n->o.tif == SMC_FOK)
        why = SMC_END_FOK;
    if (why == SMC_END_NONE) {
        (void)book_rest(m, n);
        return;
    }
    order_end(m, n, SMC_ORDER_EXPIRED, why);
    event_order(m, n, SMC_EXEC_EXPIRED, NULL);
}

static plan_t plan_for(const account_t *a, const instrument_t *inst, const smc_order_request_t *r)
{
    if (r->type != SMC_MARKET_ORDER && r->tif != SMC_FOK)
        return (plan_t){0};
    return match_plan(&(plan_request_t){
        .owner = a,
        .inst = inst,
        .side = r->side,
        .stp = r->stp,
        .limit = r->price,
        .qty = r->qty,
        .quote = r->quote_qty,
    });
}

static node_t *accept(smc_market_t *m, account_t *a, instrument_t *inst,
                      const smc_order_request_t *r, const plan_t *plan)
{
    node_t *n = order_new(m, a, inst, r->side);
    if (n == NULL)
        return NULL;
    n->o.type = r->type;
    n->o.tif = r->tif == SMC_TIF_NONE ? SMC_GTC : r->tif;
    n->o.stp = r->stp;
    n->o.price = r->price != NULL ? *r->price : dec_zero();
    n->o.quote_qty = r->quote_qty != NULL ? *r->quote_qty : dec_zero();
    n->o.qty = n->rem = r->qty != NULL ? *r->qty : plan->qty;
    n->ran_out = r->quote_qty != NULL && plan->ran_out;
    text_copy(n->o.client_id, r->client_id != NULL ? r->client_id : "");
    if (!keep_order(m, n)) {
        free(n);
        return NULL;
    }
    order_lock(m, n, lock_amount(r, plan));
    return n;
}

smc_refusal_t smc_market_place(smc_market_t *m, const smc_order_request_t *r, int64_t now_ms,
                               const smc_order_t **out)
{
    smc_market_advance(m, now_ms);
    account_t *a = account_at(m, r->account);
    instrument_t *inst = instrument_at(m, r->instrument);
    if (a == NULL || inst == NULL)
        return SMC_REFUSED_COMBINATION;
    smc_refusal_t why = check_amounts(inst, r);
    if (why == SMC_ACCEPTED)
        why = check_client_id(a, r->client_id);
    if (why != SMC_ACCEPTED)
        return why;
    plan_t plan = plan_for(a, inst, r);
    why = check_book(inst, r, &plan);
    if (why != SMC_ACCEPTED)
        return why;
    int32_t pays = r->side == SMC_BUY ? inst->quote : inst->base;
    if (dec_less(a->purses[pays].b.free, lock_amount(r, &plan)))
        return SMC_REFUSED_FUNDS;
    node_t *n = accept(m, a, inst, r, &plan);
    if (n == NULL)
        return SMC_REFUSED_MEMORY;
    event_order(m, n, SMC_EXEC_NEW, NULL);
    bool unfillable = r->tif == SMC_FOK && smc_dec_cmp(plan.base, n->o.qty) != 0;
    if (!unfillable)
        match_run(m, n);
    finish(m, n);
    market_flush(m);
    *out = &n->o;
    return m->failed ? SMC_REFUSED_MEMORY : SMC_ACCEPTED;
}

/* ---- cancel and amend ---------------------------------------------------- */

node_t *order_by_id(const holding_t *h, int64_t id)
{
    size_t lo = 0, hi = h->n_orders;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (h->orders[mid]->o.id < id)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < h->n_orders && h->orders[lo]->o.id == id ? h->orders[lo] : NULL;
}

static node_t *find_order(const smc_market_t *m, const smc_order_ref_t *ref)
{
    account_t *a = account_at(m, ref->account);
    if (a == NULL || instrument_at(m, ref->instrument) == NULL)
        return NULL;
    if (ref->id < 0)
        return ref->client_id != NULL ? ids_find(a, ref->instrument, ref->client_id) : NULL;
    node_t *n = order_by_id(&a->holdings[ref->instrument], ref->id);
    bool agrees =
        n != NULL && (ref->client_id == NULL || strcmp(n->o.client_id, ref->client_id) == 0 ||
                      strcmp(n->o.orig_client_id, ref->client_id) == 0);
    return agrees ? n : NULL;
}

const smc_order_t *smc_market_order(const smc_market_t *m, const smc_order_ref_t *ref)
{
    const node_t *n = find_order(m, ref);
    return n != NULL ? &n->o : NULL;
}

/* An order that may be canceled: named by its current client id, if by one. */
static node_t *find_open(const smc_market_t *m, const smc_order_ref_t *ref)
{
    node_t *n = find_order(m, ref);
    if (n == NULL || n->ended)
        return NULL;
    return ref->client_id == NULL || strcmp(n->o.client_id, ref->client_id) == 0 ? n : NULL;
}

static bool rename_order(smc_market_t *m, node_t *n, const char *client_id)
{
    if (client_id == NULL || strcmp(client_id, n->o.client_id) == 0)
        return true;
    memcpy(n->o.orig_client_id, n->o.client_id, sizeof(n->o.orig_client_id));
    text_copy(n->o.client_id, client_id);
    return client_id[0] == '\0' || ids_add(m, n->owner, client_id, n);
}

static void cancel(smc_market_t *m, node_t *n, smc_end_reason_t why)
{
    level_t *level = n->level;
    book_unlink(n);
    order_end(m, n, SMC_ORDER_CANCELED, why);
    event_order(m, n, SMC_EXEC_CANCELED, NULL);
    book_settle(m, n->inst, n->o.side, level);
}

smc_refusal_t smc_market_cancel(smc_market_t *m, const smc_order_ref_t *ref,
                                const char *new_client_id, int64_t now_ms, const smc_order_t **out)
{
    smc_market_advance(m, now_ms);
    node_t *n = find_open(m, ref);
    if (n == NULL)
        return SMC_REFUSED_UNKNOWN_ORDER;
    if (new_client_id != NULL && strlen(new_client_id) > SMC_MARKET_CLIENT_ID_MAX)
        return SMC_REFUSED_CLIENT_ID;
    (void)rename_order(m, n, new_client_id);
    cancel(m, n, SMC_END_USER);
    market_flush(m);
    *out = &n->o;
    return m->failed ? SMC_REFUSED_MEMORY : SMC_ACCEPTED;
}

void smc_market_cancel_all(smc_market_t *m, const smc_cancel_all_t *which, int64_t now_ms,
                           smc_order_cb cb, void *ud)
{
    smc_market_advance(m, now_ms);
    account_t *a = account_at(m, which->account);
    for (size_t i = 0; a != NULL && i < m->n_instruments; i++) {
        if (which->instrument != SMC_MARKET_ALL && which->instrument != (int32_t)i)
            continue;
        for (node_t *n; (n = a->holdings[i].open_head) != NULL;) {
            cancel(m, n, which->reason);
            if (cb != NULL)
                cb(ud, &n->o);
        }
    }
    market_flush(m);
}

smc_refusal_t smc_market_amend(smc_market_t *m, const smc_order_ref_t *ref, smc_dec_t qty,
                               const char *new_client_id, int64_t now_ms, const smc_order_t **out)
{
    smc_market_advance(m, now_ms);
    node_t *n = find_open(m, ref);
    if (n == NULL)
        return SMC_REFUSED_UNKNOWN_ORDER;
    if (!on_grid(qty, n->inst->step) || dec_less(qty, n->inst->min_qty))
        return SMC_REFUSED_QTY;
    smc_dec_t less = dec_minus(n->o.qty, qty);
    if (smc_dec_sign(less) > 0 && !dec_less(less, n->rem))
        return SMC_REFUSED_QTY;
    if (smc_dec_sign(less) <= 0)
        return dec_is_zero(less) ? SMC_REFUSED_NO_CHANGE : SMC_REFUSED_NOT_SMALLER;
    bool renames = new_client_id != NULL && strcmp(new_client_id, n->o.client_id) != 0;
    smc_refusal_t why = renames ? check_client_id(n->owner, new_client_id) : SMC_ACCEPTED;
    if (why != SMC_ACCEPTED)
        return why;
    (void)rename_order(m, n, new_client_id);
    n->o.qty = qty;
    n->o.updated_ms = m->now_ms;
    n->rem = dec_minus(n->rem, less);
    n->level->total = dec_minus(n->level->total, less);
    order_unlock(m, n, n->o.side == SMC_BUY ? dec_notional(n->o.price, less) : less);
    event_order(m, n, SMC_EXEC_REPLACED, NULL);
    book_settle(m, n->inst, n->o.side, n->level);
    market_flush(m);
    *out = &n->o;
    return m->failed ? SMC_REFUSED_MEMORY : SMC_ACCEPTED;
}

const char *smc_refusal_text(smc_refusal_t why)
{
    static const char *const texts[] = {"",
#define X(name, text) text,
                                        SMC_REFUSAL_MAP(X)
#undef X
    };
    return (size_t)why < sizeof(texts) / sizeof(texts[0]) ? texts[why] : "";
}

/* ---- the system's orders ------------------------------------------------- */

static node_t *system_order(smc_market_t *m, instrument_t *inst, smc_side_t side, smc_dec_t price,
                            smc_dec_t qty)
{
    node_t *n = order_new(m, m->accounts[SMC_MARKET_SYSTEM], inst, side);
    if (n == NULL)
        return NULL;
    n->o.type = SMC_LIMIT;
    n->o.price = price;
    n->o.qty = n->rem = qty;
    order_lock(m, n, side == SMC_BUY ? dec_notional(price, qty) : qty);
    return n;
}

void order_make(smc_market_t *m, instrument_t *inst, smc_side_t side, smc_dec_t price,
                smc_dec_t qty, node_t **slot)
{
    node_t *n = system_order(m, inst, side, price, qty);
    if (n == NULL)
        return;
    if (!book_rest(m, n)) {
        free(n);
        return;
    }
    n->slot = slot;
    *slot = n;
}

void order_take(smc_market_t *m, instrument_t *inst, smc_side_t side, smc_dec_t limit,
                smc_dec_t qty)
{
    node_t *n = system_order(m, inst, side, limit, qty);
    if (n == NULL)
        return;
    n->o.tif = SMC_IOC;
    match_run(m, n);
    if (!n->ended)
        order_end(m, n, SMC_ORDER_EXPIRED, SMC_END_IOC);
    order_release(m, n);
}

void order_withdraw(smc_market_t *m, node_t *n)
{
    cancel(m, n, SMC_END_USER);
    order_release(m, n);
}
