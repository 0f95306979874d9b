#include "market_priv.h"

#include <stdlib.h>
#include <string.h>

/* ---- life of an order ---------------------------------------------------- */

static purse_t *lock_purse(const node_t *n, int32_t *asset)
{
    *asset = n->o.side == SMC_BUY ? n->inst->quote : n->inst->base;
    return &n->owner->purses[*asset];
}

void order_lock(smc_market_t *m, node_t *n, smc_dec_t amount)
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
    h->n_reducing += n->o.reduce_only;
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
    h->n_reducing -= n->o.reduce_only;
}

void order_end(smc_market_t *m, node_t *n, smc_order_status_t status, smc_end_reason_t why)
{
    n->o.status = status;
    n->o.reason = why;
    n->o.updated_ms = m->now_ms;
    n->o.on_book = false;
    n->ended = true;
    if (n->linked)
        link_leave(m, n);
    if (n->followers != NULL)
        link_ended(m, n);
    if (!dec_is_zero(n->locked))
        order_unlock(m, n, n->locked);
    if (n->slot != NULL)
        *n->slot = NULL;
    n->slot = NULL;
    if (n->watch.waiting)
        trigger_disarm(m, n);
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

node_t *order_new(smc_market_t *m, account_t *owner, instrument_t *inst, smc_side_t side)
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
        .triggered_ms = -1,
        .following_ms = -1,
        .prevented_match_id = -1,
    };
    return n;
}

bool order_keep(smc_market_t *m, node_t *n)
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

/* ---- find, cancel --------------------------------------------------------- */

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

node_t *order_find_open(const smc_market_t *m, const smc_order_ref_t *ref)
{
    node_t *n = find_order(m, ref);
    if (n == NULL || n->ended)
        return NULL;
    return ref->client_id == NULL || strcmp(n->o.client_id, ref->client_id) == 0 ? n : NULL;
}

bool order_rename(smc_market_t *m, node_t *n, const char *client_id)
{
    if (client_id == NULL || strcmp(client_id, n->o.client_id) == 0)
        return true;
    memcpy(n->o.orig_client_id, n->o.client_id, sizeof(n->o.orig_client_id));
    text_copy(n->o.client_id, client_id);
    return client_id[0] == '\0' || ids_add(m, n->owner, client_id, n);
}

void order_cancel(smc_market_t *m, node_t *n, smc_end_reason_t why)
{
    level_t *level = n->level;
    if (level != NULL)
        book_unlink(n);
    order_end(m, n, SMC_ORDER_CANCELED, why);
    event_order(m, n, SMC_EXEC_CANCELED, NULL);
    if (level != NULL)
        book_settle(m, n->inst, n->o.side, level);
}

smc_refusal_t smc_market_cancel(smc_market_t *m, const smc_order_ref_t *ref,
                                const char *new_client_id, int64_t now_ms, const smc_order_t **out)
{
    smc_market_advance(m, now_ms);
    node_t *n = order_find_open(m, ref);
    if (n == NULL)
        return SMC_REFUSED_UNKNOWN_ORDER;
    if (new_client_id != NULL && strlen(new_client_id) > SMC_MARKET_CLIENT_ID_MAX)
        return SMC_REFUSED_CLIENT_ID;
    (void)order_rename(m, n, new_client_id);
    order_cancel(m, n, SMC_END_USER);
    market_settle(m);
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
            order_cancel(m, n, which->reason);
            if (cb != NULL)
                cb(ud, &n->o);
        }
    }
    market_settle(m);
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
    order_lock(m, n, limit_lock(inst, side, price, qty));
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

smc_refusal_t smc_market_fill(smc_market_t *m, const smc_order_ref_t *ref, const smc_dec_t *qty,
                              int64_t now_ms, const smc_order_t **out)
{
    smc_market_advance(m, now_ms);
    node_t *n = order_find_open(m, ref);
    if (n == NULL || n->level == NULL)
        return SMC_REFUSED_UNKNOWN_ORDER;
    if (n->inst->halted)
        return SMC_REFUSED_HALTED;
    if (qty != NULL && (!on_grid(*qty, n->inst->step) || dec_less(n->rem, *qty)))
        return SMC_REFUSED_QTY;
    smc_dec_t much = qty != NULL ? *qty : n->rem;
    node_t *taker = system_order(m, n->inst, other_side(n->o.side), n->o.price, much);
    if (taker == NULL)
        return SMC_REFUSED_MEMORY;
    match_with(m, taker, n);
    if (!taker->ended)
        order_end(m, taker, SMC_ORDER_EXPIRED, SMC_END_IOC);
    order_release(m, taker);
    market_settle(m);
    *out = &n->o;
    return m->failed ? SMC_REFUSED_MEMORY : SMC_ACCEPTED;
}

void order_withdraw(smc_market_t *m, node_t *n)
{
    order_cancel(m, n, SMC_END_USER);
    order_release(m, n);
}
