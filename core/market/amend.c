#include "market_priv.h"

/* The numbers of an order as they are to be. */
typedef struct terms {
    smc_dec_t qty, price, trigger_price;
    const char *client_id; /* NULL: stays */
} terms_t;

static terms_t terms_of(const smc_order_t *o, const smc_amendment_t *c)
{
    return (terms_t){
        .qty = c->qty != NULL ? *c->qty : o->qty,
        .price = c->price != NULL ? *c->price : o->price,
        .trigger_price = c->trigger_price != NULL ? *c->trigger_price : o->trigger_price,
        .client_id = c->new_client_id,
    };
}

/* What rests and may only reduce is never larger than what there is to close. */
static void cut_terms(const node_t *n, terms_t *t)
{
    if (!n->o.reduce_only || n->level == NULL)
        return;
    smc_dec_t most = position_reducible(n->owner, n->inst, n->o.side, n->o.close_lot);
    t->qty = dec_min(t->qty, dec_plus(dec_minus(n->o.qty, n->rem), most));
}

/* Whether the order has what is to be changed. */
static bool applies(const node_t *n, const smc_amendment_t *c)
{
    if (c->qty == NULL && c->price == NULL && c->trigger_price == NULL)
        return false;
    if (c->keep_priority && (c->price != NULL || c->trigger_price != NULL))
        return false;
    if (c->qty != NULL && !dec_is_zero(n->o.quote_qty))
        return false;
    if (c->price != NULL && dec_is_zero(n->o.price))
        return false;
    const smc_trigger_t *t = &n->o.trigger;
    bool fixed = n->watch.waiting && dec_is_zero(t->trail) && t->trail_bps == 0;
    return c->trigger_price == NULL || fixed;
}

static smc_refusal_t check_numbers(const node_t *n, const smc_amendment_t *c, const terms_t *t)
{
    smc_dec_t gone = dec_plus(n->o.filled, n->o.prevented_qty);
    if (c->qty != NULL && (!on_grid(t->qty, n->inst->step) || dec_less(t->qty, n->inst->min_qty) ||
                           !dec_less(gone, t->qty)))
        return SMC_REFUSED_QTY;
    if (c->price != NULL && !on_grid(t->price, n->inst->tick))
        return SMC_REFUSED_PRICE;
    if (!dec_is_zero(t->price) && !cost_fits(t->price, t->qty))
        return SMC_REFUSED_QTY;
    if (c->trigger_price != NULL && !on_grid(t->trigger_price, n->inst->tick))
        return SMC_REFUSED_TRIGGER;
    int bigger = smc_dec_cmp(t->qty, n->o.qty);
    if (bigger == 0 && smc_dec_cmp(t->price, n->o.price) == 0 &&
        smc_dec_cmp(t->trigger_price, n->o.trigger_price) == 0)
        return SMC_REFUSED_NO_CHANGE;
    return c->keep_priority && bigger > 0 ? SMC_REFUSED_NOT_SMALLER : SMC_ACCEPTED;
}

static smc_refusal_t check_id(const node_t *n, const char *client_id)
{
    bool renames = client_id != NULL && strcmp(client_id, n->o.client_id) != 0;
    return renames ? check_client_id(n->owner, client_id) : SMC_ACCEPTED;
}

static void set_terms(smc_market_t *m, node_t *n, const terms_t *t)
{
    (void)order_rename(m, n, t->client_id);
    n->rem = dec_plus(n->rem, dec_minus(t->qty, n->o.qty));
    n->o.qty = t->qty;
    n->o.price = t->price;
    n->o.updated_ms = m->now_ms;
}

/* Whether the owner can pay for, or back, the order as it is to be. */
static smc_refusal_t afford(const smc_market_t *m, const node_t *n, const terms_t *t,
                            smc_dec_t needed)
{
    return margin_check(m, n->owner, n->inst,
                        &(claim_t){.side = n->o.side,
                                   .needed = needed,
                                   .price = t->price,
                                   .qty = dec_plus(n->rem, dec_minus(t->qty, n->o.qty)),
                                   .reduce_only = n->o.reduce_only,
                                   .instead_of = n});
}

static void relock(smc_market_t *m, node_t *n, smc_dec_t amount)
{
    order_unlock(m, n, n->locked);
    order_lock(m, n, amount);
}

/* ---- the three kinds ----------------------------------------------------- */

/* On the book, and only smaller. */
static void shrink(smc_market_t *m, node_t *n, const terms_t *t)
{
    smc_dec_t less = dec_minus(n->o.qty, t->qty);
    set_terms(m, n, t);
    book_shrink(n, less);
    order_unlock(m, n, limit_lock(n->inst, n->o.side, n->o.price, less));
    event_order(m, n, SMC_EXEC_REPLACED, NULL);
    book_settle(m, n->inst, n->o.side, n->level);
}

/* On the book: to the end of a queue, through what it crosses on the way. */
static smc_refusal_t move(smc_market_t *m, node_t *n, const terms_t *t)
{
    const level_t *best = book_best(n->inst, other_side(n->o.side));
    if (n->o.type == SMC_LIMIT_MAKER && best != NULL &&
        book_crosses(n->o.side, t->price, best->price))
        return SMC_REFUSED_WOULD_TAKE;
    smc_dec_t rem = dec_plus(n->rem, dec_minus(t->qty, n->o.qty));
    smc_dec_t needed = limit_lock(n->inst, n->o.side, t->price, rem);
    smc_refusal_t why = afford(m, n, t, needed);
    if (why != SMC_ACCEPTED)
        return why;
    level_t *level = n->level;
    book_unlink(n);
    book_settle(m, n->inst, n->o.side, level);
    set_terms(m, n, t);
    relock(m, n, needed);
    event_order(m, n, SMC_EXEC_REPLACED, NULL);
    place_rest(m, n);
    return SMC_ACCEPTED;
}

/* Before its trigger has fired. */
static smc_refusal_t rearm(smc_market_t *m, node_t *n, const terms_t *t)
{
    node_t draft = {.o = n->o, .watch = n->watch};
    draft.o.qty = t->qty;
    draft.o.price = t->price;
    if (smc_dec_cmp(t->trigger_price, n->o.trigger_price) != 0) {
        smc_trigger_t trigger = n->o.trigger;
        trigger.price = t->trigger_price;
        trigger.immediately = false;
        smc_refusal_t why = trigger_set(m, n->inst, &trigger, &draft.o, &draft.watch);
        if (why != SMC_ACCEPTED)
            return why;
    }
    smc_dec_t needed = trigger_lock(n->inst, &draft.o);
    smc_refusal_t why = n->inst->contract == NULL ? afford(m, n, t, needed) : SMC_ACCEPTED;
    if (why != SMC_ACCEPTED)
        return why;
    set_terms(m, n, t);
    n->o.trigger = draft.o.trigger;
    n->o.trigger_price = draft.o.trigger_price;
    n->watch = draft.watch;
    relock(m, n, needed);
    event_order(m, n, SMC_EXEC_REPLACED, NULL);
    return SMC_ACCEPTED;
}

/* Of a group, or waiting for another order, and only smaller.  The lock of a group is open. */
static void shrink_member(smc_market_t *m, node_t *n, const terms_t *t)
{
    smc_dec_t less = dec_minus(n->o.qty, t->qty);
    set_terms(m, n, t);
    if (n->watch.waiting)
        n->need = trigger_lock(n->inst, &n->o);
    event_order(m, n, SMC_EXEC_REPLACED, NULL);
    if (n->level == NULL)
        return;
    n->need = limit_lock(n->inst, n->o.side, n->o.price, n->rem);
    book_shrink(n, less);
    book_settle(m, n->inst, n->o.side, n->level);
}

/* All members of a group become as small as one of them, which is the last to tell of it. */
static void shrink_group(smc_market_t *m, node_t *n, const terms_t *t)
{
    if (!n->linked) {
        shrink_member(m, n, t);
        return;
    }
    link_open(m, n->owner, n->inst, n->o.link);
    for (node_t *s = link_first(n->owner, n->inst, n->o.link); s != NULL; s = link_next(s)) {
        terms_t own = terms_of(&s->o, &(smc_amendment_t){.qty = &t->qty});
        if (s != n && dec_less(t->qty, s->o.qty))
            shrink_member(m, s, &own);
    }
    shrink_member(m, n, t);
    link_close(m, n->owner, n->inst, n->o.link);
}

static bool belongs(const node_t *n)
{
    return n->linked || n->o.after != 0;
}

static smc_refusal_t apply(smc_market_t *m, node_t *n, const terms_t *t)
{
    if (belongs(n)) {
        shrink_group(m, n, t);
        return SMC_ACCEPTED;
    }
    if (n->watch.waiting)
        return rearm(m, n, t);
    if (smc_dec_cmp(t->price, n->o.price) != 0 || dec_less(n->o.qty, t->qty))
        return move(m, n, t);
    shrink(m, n, t);
    return SMC_ACCEPTED;
}

smc_refusal_t smc_market_amend(smc_market_t *m, const smc_order_ref_t *ref,
                               const smc_amendment_t *change, int64_t now_ms,
                               const smc_order_t **out)
{
    smc_market_advance(m, now_ms);
    node_t *n = order_find_open(m, ref);
    if (n == NULL)
        return SMC_REFUSED_UNKNOWN_ORDER;
    if (belongs(n) && !change->keep_priority)
        return SMC_REFUSED_COMBINATION;
    if (n->inst->halted)
        return SMC_REFUSED_HALTED;
    if (!applies(n, change))
        return SMC_REFUSED_COMBINATION;
    terms_t terms = terms_of(&n->o, change);
    cut_terms(n, &terms);
    smc_refusal_t why = check_numbers(n, change, &terms);
    if (why == SMC_ACCEPTED)
        why = check_id(n, change->new_client_id);
    if (why == SMC_ACCEPTED)
        why = apply(m, n, &terms);
    if (why != SMC_ACCEPTED)
        return why;
    market_settle(m);
    *out = &n->o;
    return m->failed ? SMC_REFUSED_MEMORY : SMC_ACCEPTED;
}
