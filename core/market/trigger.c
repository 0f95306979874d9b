/* Conditional orders: what they watch, when they fire, and what becomes of them then.
 *
 * The end of an operation offers the prices that it changed to the orders that wait: every trade in
 * its turn, then bid, ask and mark as they are.  What is due fires in order of id, and what that
 * changes is offered again. */
#include "market_priv.h"

static bool trails(const smc_trigger_t *t)
{
    return t->trail_bps != 0 || !dec_is_zero(t->trail);
}

smc_refusal_t trigger_check(const instrument_t *inst, const smc_trigger_t *t)
{
    if (t->trail_bps != 0 && !dec_is_zero(t->trail))
        return SMC_REFUSED_COMBINATION;
    if (dec_is_zero(t->price) && !trails(t))
        return SMC_REFUSED_COMBINATION;
    if (!dec_is_zero(t->price) && !on_grid(t->price, inst->tick))
        return SMC_REFUSED_TRIGGER;
    if (t->trail_bps < 0 || t->trail_bps > 9999 ||
        (!dec_is_zero(t->trail) && !on_grid(t->trail, inst->tick)))
        return SMC_REFUSED_TRAIL;
    return SMC_ACCEPTED;
}

/* ---- prices -------------------------------------------------------------- */

static smc_dec_t best_price(const instrument_t *inst, smc_side_t side)
{
    const level_t *best = book_best(inst, side);
    return best != NULL ? best->price : dec_zero();
}

smc_dec_t mark_price(const instrument_t *inst)
{
    if (inst->feed != NULL)
        return feed_mid(inst);
    smc_dec_t bid = best_price(inst, SMC_BUY), ask = best_price(inst, SMC_SELL);
    if (dec_is_zero(bid) || dec_is_zero(ask))
        return last_price(inst);
    return (smc_dec_t){(bid.units + ask.units) / 2};
}

smc_dec_t smc_market_mark(const smc_market_t *m, int32_t instrument)
{
    const instrument_t *inst = instrument_at(m, instrument);
    return inst != NULL ? mark_price(inst) : dec_zero();
}

static smc_dec_t watched(const instrument_t *inst, smc_watch_t by)
{
    switch (by) {
    case SMC_WATCH_LAST:
        return last_price(inst);
    case SMC_WATCH_BID:
        return best_price(inst, SMC_BUY);
    case SMC_WATCH_ASK:
        return best_price(inst, SMC_SELL);
    case SMC_WATCH_MARK:
    case SMC_WATCH_INDEX:
        return mark_price(inst);
    }
    return dec_zero();
}

/* ---- one order ----------------------------------------------------------- */

static bool reached(bool rises, smc_dec_t price, smc_dec_t value)
{
    return rises ? !dec_less(value, price) : !dec_less(price, value);
}

static smc_dec_t behind(const smc_trigger_t *t, smc_dec_t best)
{
    smc_dec_t out = {0};
    if (t->trail_bps == 0)
        return t->rises ? dec_plus(best, t->trail) : dec_minus(best, t->trail);
    smc_dec_t share = {(10000 + (t->rises ? t->trail_bps : -t->trail_bps)) *
                       (smc_dec_from_int(1).units / 10000)};
    (void)smc_dec_mul(best, share, SMC_DEC_PLACES, SMC_ROUND_DOWN, &out);
    return out;
}

static void follow(smc_order_t *o, watch_t *w, smc_dec_t best, int64_t now_ms)
{
    if (!w->following)
        o->following_ms = now_ms;
    w->following = true;
    w->best = best;
    o->trigger_price = behind(&o->trigger, best);
}

/* Takes note of a price.  true: the order fires. */
static bool offer_one(smc_order_t *o, watch_t *w, smc_dec_t value, int64_t now_ms)
{
    const smc_trigger_t *t = &o->trigger;
    if (!trails(t))
        return reached(t->rises, o->trigger_price, value);
    if (!w->following && !reached(w->from_below, t->price, value))
        return false;
    if (!w->following || (t->rises ? dec_less(value, w->best) : dec_less(w->best, value)))
        follow(o, w, value, now_ms);
    return reached(t->rises, o->trigger_price, value);
}

smc_refusal_t trigger_set(smc_market_t *m, instrument_t *inst, const smc_trigger_t *t,
                          smc_order_t *o, watch_t *w)
{
    if (t->by == SMC_WATCH_LAST && history_make(m, inst, 1) != SMC_OK)
        return SMC_REFUSED_MEMORY;
    smc_dec_t value = watched(inst, t->by);
    o->trigger = *t;
    o->trigger_price = trails(t) ? dec_zero() : t->price;
    o->following_ms = -1;
    *w = (watch_t){.waiting = true, .from_below = dec_less(value, t->price)};
    if (dec_is_zero(value))
        return dec_is_zero(t->price) ? SMC_REFUSED_NO_LIQUIDITY : SMC_ACCEPTED;
    if (trails(t) && dec_is_zero(t->price))
        follow(o, w, value, m->now_ms);
    w->due = offer_one(o, w, value, m->now_ms);
    return w->due && !t->immediately ? SMC_REFUSED_WOULD_TRIGGER : SMC_ACCEPTED;
}

/* At the trigger price; before a trail has one, where it begins. */
smc_dec_t trigger_lock(const instrument_t *inst, const smc_order_t *o)
{
    if (inst->contract != NULL || o->trigger.unlocked)
        return dec_zero();
    smc_dec_t at = dec_is_zero(o->price) ? o->trigger_price : o->price, out = {0};
    if (dec_is_zero(at))
        at = o->trigger.price;
    if (dec_is_zero(o->quote_qty))
        (void)smc_dec_mul(at, o->qty, SMC_DEC_PLACES, SMC_ROUND_UP, &out);
    if (o->side == SMC_BUY)
        return dec_is_zero(o->quote_qty) ? out : o->quote_qty;
    if (dec_is_zero(o->quote_qty))
        return o->qty;
    (void)smc_dec_div(o->quote_qty, at, SMC_DEC_PLACES, SMC_ROUND_UP, &out);
    (void)smc_dec_round_to(out, inst->step, SMC_ROUND_UP, &out);
    return out;
}

/* ---- those that wait ----------------------------------------------------- */

static prices_t prices_of(const instrument_t *inst)
{
    return (prices_t){.bid = best_price(inst, SMC_BUY),
                      .ask = best_price(inst, SMC_SELL),
                      .mark = mark_price(inst),
                      .trades = inst->trades.n};
}

void trigger_arm(smc_market_t *m, node_t *n)
{
    instrument_t *inst = n->inst;
    if (inst->wait_head == NULL)
        inst->seen = prices_of(inst);
    n->wait_prev = inst->wait_tail;
    if (inst->wait_tail != NULL)
        inst->wait_tail->wait_next = n;
    else
        inst->wait_head = n;
    inst->wait_tail = n;
    m->n_waiting++;
    order_lock(m, n, trigger_lock(inst, &n->o));
}

void trigger_disarm(smc_market_t *m, node_t *n)
{
    instrument_t *inst = n->inst;
    if (n->wait_prev != NULL)
        n->wait_prev->wait_next = n->wait_next;
    else
        inst->wait_head = n->wait_next;
    if (n->wait_next != NULL)
        n->wait_next->wait_prev = n->wait_prev;
    else
        inst->wait_tail = n->wait_prev;
    n->wait_prev = n->wait_next = NULL;
    n->watch.waiting = n->watch.due = false;
    m->n_waiting--;
}

static void offer(instrument_t *inst, smc_watch_t by, smc_dec_t value, int64_t now_ms)
{
    for (node_t *n = inst->wait_head; n != NULL; n = n->wait_next) {
        smc_watch_t of = n->o.trigger.by == SMC_WATCH_INDEX ? SMC_WATCH_MARK : n->o.trigger.by;
        if (of == by && !n->watch.due && !dec_is_zero(value))
            n->watch.due = offer_one(&n->o, &n->watch, value, now_ms);
    }
}

static void offer_changes(instrument_t *inst, int64_t now_ms)
{
    prices_t now = prices_of(inst);
    for (size_t i = inst->seen.trades; i < now.trades; i++)
        offer(inst, SMC_WATCH_LAST, inst->trades.v[i].price, now_ms);
    if (smc_dec_cmp(now.bid, inst->seen.bid) != 0)
        offer(inst, SMC_WATCH_BID, now.bid, now_ms);
    if (smc_dec_cmp(now.ask, inst->seen.ask) != 0)
        offer(inst, SMC_WATCH_ASK, now.ask, now_ms);
    if (smc_dec_cmp(now.mark, inst->seen.mark) != 0)
        offer(inst, SMC_WATCH_MARK, now.mark, now_ms);
    inst->seen = now;
}

/* What the order asks for, now that it works. */
smc_order_request_t trigger_request(const smc_order_t *o)
{
    bool by_quote = !dec_is_zero(o->quote_qty);
    return (smc_order_request_t){
        .account = o->account,
        .instrument = o->instrument,
        .side = o->side,
        .type = o->type,
        .tif = o->type == SMC_LIMIT || o->tif != SMC_GTC ? o->tif : SMC_TIF_NONE,
        .stp = o->stp,
        .qty = by_quote ? NULL : &o->qty,
        .quote_qty = by_quote ? &o->quote_qty : NULL,
        .price = dec_is_zero(o->price) ? NULL : &o->price,
        .reduce_only = o->reduce_only,
        .close_lot = o->close_lot,
    };
}

static void fire(smc_market_t *m, node_t *n)
{
    trigger_disarm(m, n);
    if (n->linked)
        link_take(m, n);
    order_unlock(m, n, n->locked);
    n->o.triggered_ms = n->o.working_ms = n->o.updated_ms = m->now_ms;
    event_order(m, n, SMC_EXEC_TRIGGERED, NULL);
    smc_order_request_t r = trigger_request(&n->o);
    plan_t plan;
    n->o.reject = place_resume(m, n, &r, &plan);
    if (n->o.reject == SMC_ACCEPTED) {
        place_amount(n, &r, &plan);
        place_work(m, n, &r, &plan);
        return;
    }
    order_end(m, n, SMC_ORDER_EXPIRED, SMC_END_TRIGGER);
    event_order(m, n, SMC_EXEC_EXPIRED, NULL);
}

static node_t *first_due(const instrument_t *inst)
{
    node_t *n = inst->wait_head;
    while (n != NULL && !n->watch.due)
        n = n->wait_next;
    return n;
}

bool triggers_run(smc_market_t *m)
{
    bool any = false;
    for (size_t i = 0; i < m->n_instruments; i++) {
        instrument_t *inst = m->instruments[i];
        if (inst->wait_head == NULL || inst->halted)
            continue;
        offer_changes(inst, m->now_ms);
        for (node_t *n; !m->failed && (n = first_due(inst)) != NULL;) {
            fire(m, n);
            any = true;
        }
    }
    return any && !m->failed;
}
