#include "market_priv.h"

/* ---- what a taker would get ---------------------------------------------- */

/* The largest quantity on the step that the amount pays for at the price. */
static smc_dec_t affordable(const instrument_t *inst, smc_dec_t amount, smc_dec_t price)
{
    smc_dec_t one = dec_notional(price, inst->step);
    return (smc_dec_t){amount.units / one.units * inst->step.units};
}

typedef struct planner {
    const plan_request_t *req;
    plan_t plan;
    smc_dec_t left; /* base, or quote when the request is by quote */
    smc_dec_t last; /* price of the last level looked at */
} planner_t;

static smc_dec_t can_take(const planner_t *p, smc_dec_t price)
{
    return p->req->qty != NULL ? p->left : affordable(p->req->inst, p->left, price);
}

static void use(planner_t *p, smc_dec_t price, smc_dec_t qty)
{
    p->left = dec_minus(p->left, p->req->qty != NULL ? qty : dec_notional(price, qty));
    p->plan.qty = dec_plus(p->plan.qty, qty);
}

/* What a reduce-only order has left to close when all before it have traded. */
static smc_dec_t left_to_close(const node_t *n)
{
    smc_dec_t most = position_reducible(n->owner, n->inst, n->o.side, n->o.close_lot);
    if (dec_is_zero(most) || dec_less(most, position_of(n)->planned))
        return dec_zero();
    return dec_minus(most, position_of(n)->planned);
}

static smc_stp_t stp_of(const planner_t *p, const node_t *maker)
{
    return maker->owner == p->req->owner ? p->req->stp : SMC_STP_NONE;
}

/* One resting order, of which so much is there.  false: the walk ends here. */
static bool plan_one(planner_t *p, const node_t *maker, smc_dec_t price, smc_dec_t there)
{
    smc_dec_t can = can_take(p, price);
    if (dec_is_zero(can))
        return false;
    if (maker->o.reduce_only)
        there = dec_min(there, left_to_close(maker));
    smc_dec_t qty = dec_min(can, there);
    switch (stp_of(p, maker)) {
    case SMC_STP_NONE:
        use(p, price, qty);
        if (maker->inst->contract != NULL && position_of(maker) != NULL)
            position_of(maker)->planned = dec_plus(position_of(maker)->planned, qty);
        p->plan.base = dec_plus(p->plan.base, qty);
        p->plan.quote = dec_plus(p->plan.quote, dec_notional(price, qty));
        return smc_dec_cmp(qty, there) == 0;
    case SMC_STP_EXPIRE_TAKER:
    case SMC_STP_EXPIRE_BOTH:
        use(p, price, can); /* all of it is lost here */
        return false;
    case SMC_STP_EXPIRE_MAKER:
        return true;
    case SMC_STP_DECREMENT:
        use(p, price, qty);
        return smc_dec_cmp(qty, there) == 0;
    }
    return false;
}

/* What shows of each order first; then, in the same order, part after part of what was hidden. */
static bool plan_level(planner_t *p, const level_t *level)
{
    bool more = false;
    for (const node_t *n = level->head; n != NULL; n = n->next) {
        if (!plan_one(p, n, level->price, dec_minus(n->rem, n->hidden)))
            return false;
        more = more || dec_positive(n->hidden);
    }
    for (int64_t part = 0; more; part++) {
        more = false;
        for (const node_t *n = level->head; n != NULL; n = n->next) {
            smc_dec_t left = dec_minus(n->hidden, (smc_dec_t){n->o.display_qty.units * part});
            if (!dec_positive(left))
                continue;
            if (!plan_one(p, n, level->price, dec_min(left, n->o.display_qty)))
                return false;
            more = true;
        }
    }
    return true;
}

/* Nobody's position has been counted on yet. */
static void forget_plans(const book_side_t *s)
{
    for (size_t i = 0; i < s->n; i++)
        for (const node_t *n = s->v[i]->head; n != NULL; n = n->next)
            if (position_of(n) != NULL)
                position_of(n)->planned = dec_zero();
}

plan_t match_plan(const plan_request_t *req)
{
    planner_t p = {.req = req, .left = req->qty != NULL ? *req->qty : *req->quote};
    smc_side_t side = other_side(req->side);
    const book_side_t *s = &req->inst->sides[side];
    if (req->inst->contract != NULL)
        forget_plans(s);
    for (size_t i = s->n; i-- > 0;) {
        const level_t *level = s->v[i];
        if (req->limit != NULL && !book_crosses(req->side, *req->limit, level->price)) {
            p.plan.bounded = true;
            break;
        }
        p.last = level->price;
        if (!plan_level(&p, level))
            return p.plan;
        if (dec_is_zero(p.left))
            return p.plan;
    }
    /* A rest of an amount that would not have paid for one more step is not a lack of liquidity. */
    p.plan.ran_out = dec_is_zero(p.last) || !dec_is_zero(can_take(&p, p.last));
    return p.plan;
}

/* ---- trades -------------------------------------------------------------- */

static smc_dec_t fee_rate(const node_t *n, bool maker)
{
    const account_t *a = n->owner;
    if (maker)
        return a->own_maker_fee ? a->maker_fee : n->inst->maker_fee;
    return a->own_taker_fee ? a->taker_fee : n->inst->taker_fee;
}

/* Moves the money of one side of a trade and completes the fill. */
static void settle(smc_market_t *m, node_t *n, smc_fill_t *fill)
{
    const instrument_t *inst = n->inst;
    if (inst->contract != NULL) {
        position_fill(m, n, fill, fee_rate(n, fill->is_maker));
        return;
    }
    bool buys = n->o.side == SMC_BUY;
    smc_dec_t got = buys ? fill->qty : fill->quote;
    smc_dec_t gave = buys ? fill->quote : fill->qty;
    smc_dec_t held = gave; /* what the lock holds for it: at the order's own price */
    if (buys && n->o.type != SMC_MARKET_ORDER && smc_dec_cmp(n->o.price, fill->price) != 0)
        held = dec_notional(n->o.price, fill->qty);
    fill->fee_asset = buys ? inst->base : inst->quote;
    smc_dec_t rate = fee_rate(n, fill->is_maker);
    if (!dec_is_zero(rate))
        (void)smc_dec_mul(rate, got, buys ? inst->base_places : inst->quote_places, SMC_ROUND_DOWN,
                          &fill->fee);
    order_unlock(m, n, held);
    int32_t paid_in = buys ? inst->quote : inst->base;
    purse_t *pays = &n->owner->purses[paid_in];
    purse_t *gets = &n->owner->purses[fill->fee_asset];
    pays->b.free = dec_minus(pays->b.free, gave);
    gets->b.free = dec_plus(gets->b.free, dec_minus(got, fill->fee));
    asset_t *fees = &m->assets[fill->fee_asset];
    fees->fees = dec_plus(fees->fees, fill->fee);
    balance_touch(m, n->owner, fill->fee_asset);
}

static void keep_fill(smc_market_t *m, node_t *n, const smc_fill_t *fill)
{
    if (is_system(n->owner))
        return;
    holding_t *h = &n->owner->holdings[n->inst->id];
    if (vec_room(m, &h->fills, h->n_fills, &h->cap_fills, sizeof(h->fills[0])))
        h->fills[h->n_fills++] = *fill;
}

/* One side's part of a trade. */
static void fill_order(smc_market_t *m, node_t *n, const smc_trade_t *t, bool maker)
{
    smc_fill_t fill = {
        .trade_id = t->id,
        .order_id = n->o.id,
        .time_ms = t->time_ms,
        .instrument = n->inst->id,
        .side = n->o.side,
        .is_maker = maker,
        .price = t->price,
        .qty = t->qty,
        .quote = t->quote,
    };
    if (n->linked)
        link_take(m, n);
    settle(m, n, &fill);
    n->o.filled = dec_plus(n->o.filled, t->qty);
    n->o.filled_quote = dec_plus(n->o.filled_quote, t->quote);
    n->o.updated_ms = m->now_ms;
    n->o.status = SMC_ORDER_PARTIALLY_FILLED;
    n->rem = dec_minus(n->rem, t->qty);
    keep_fill(m, n, &fill);
    if (dec_is_zero(n->rem) && !n->ran_out)
        order_end(m, n, SMC_ORDER_FILLED, SMC_END_NONE);
    event_order(m, n, SMC_EXEC_TRADE, &fill);
}

static smc_dec_t may_fill(const node_t *n)
{
    if (!n->o.reduce_only)
        return n->rem;
    return dec_min(n->rem, position_reducible(n->owner, n->inst, n->o.side, n->o.close_lot));
}

/* Ends an order that may only reduce and has nothing to reduce.  false: it may go on. */
static bool retire(smc_market_t *m, node_t *n)
{
    if (!n->o.reduce_only || !dec_is_zero(may_fill(n)))
        return false;
    if (n->level != NULL)
        book_unlink(n);
    order_end(m, n, SMC_ORDER_CANCELED, SMC_END_REDUCE);
    event_order(m, n, SMC_EXEC_CANCELED, NULL);
    return true;
}

/* A maker that has nothing left leaves its level first: its report must say "not on the book". */
static void trade(smc_market_t *m, node_t *taker, node_t *maker)
{
    instrument_t *inst = taker->inst;
    smc_dec_t shown = dec_minus(maker->rem, maker->hidden);
    smc_dec_t qty = dec_min(dec_min(may_fill(taker), may_fill(maker)), shown);
    smc_dec_t price = maker->o.price;
    trades_t *ts = &inst->trades;
    if (!vec_room(m, &ts->v, ts->n, &ts->cap, sizeof(ts->v[0])))
        return;
    smc_trade_t t = {
        .id = inst->forgotten + (int64_t)trades_count(inst) + 1,
        .time_ms = m->now_ms,
        .price = price,
        .qty = qty,
        .quote = dec_notional(price, qty),
        .buyer_is_maker = maker->o.side == SMC_BUY,
    };
    ts->v[ts->n++] = t;
    event_trade(m, inst, &t);
    if (smc_dec_cmp(qty, maker->rem) == 0)
        book_unlink(maker);
    else
        book_take(maker, qty);
    fill_order(m, maker, &t, true);
    if (maker->level != NULL)
        book_refill(maker);
    order_release(m, maker);
    fill_order(m, taker, &t, false);
}

/* ---- self-trade prevention ----------------------------------------------- */

static void lose(smc_market_t *m, node_t *n, smc_dec_t qty, const smc_prevented_t *p)
{
    bool last = smc_dec_cmp(qty, n->rem) == 0;
    if (n->linked)
        link_take(m, n);
    if (last && n->level != NULL)
        book_unlink(n);
    else if (n->level != NULL)
        book_take(n, qty);
    n->rem = dec_minus(n->rem, qty);
    if (n->level != NULL)
        book_refill(n);
    n->o.prevented_qty = dec_plus(n->o.prevented_qty, qty);
    n->o.prevented_match_id = p->id;
    n->o.updated_ms = m->now_ms;
    if (last && !n->ran_out)
        order_end(m, n, SMC_ORDER_EXPIRED_IN_MATCH, SMC_END_STP);
    else if (n->o.side == SMC_SELL || n->o.type != SMC_MARKET_ORDER)
        order_unlock(m, n, limit_lock(n->inst, n->o.side, n->o.price, qty));
    event_prevented(m, n, p);
}

static void prevent(smc_market_t *m, node_t *taker, node_t *maker)
{
    instrument_t *inst = taker->inst;
    if (!vec_room(m, &inst->prevented, inst->n_prevented, &inst->cap_prevented,
                  sizeof(inst->prevented[0])))
        return;
    smc_stp_t stp = taker->o.stp;
    smc_dec_t both = dec_min(taker->rem, dec_minus(maker->rem, maker->hidden));
    smc_prevented_t p = {
        .id = inst->forgotten_prevented + (int64_t)inst->n_prevented + 1,
        .taker_order_id = taker->o.id,
        .maker_order_id = maker->o.id,
        .time_ms = m->now_ms,
        .account = taker->o.account,
        .stp = stp,
        .price = maker->o.price,
    };
    if (stp == SMC_STP_DECREMENT)
        p.taker_qty = p.maker_qty = both;
    if (stp == SMC_STP_EXPIRE_TAKER || stp == SMC_STP_EXPIRE_BOTH)
        p.taker_qty = taker->rem;
    if (stp == SMC_STP_EXPIRE_MAKER || stp == SMC_STP_EXPIRE_BOTH)
        p.maker_qty = maker->rem;
    inst->prevented[inst->n_prevented++] = p;
    if (!dec_is_zero(p.maker_qty))
        lose(m, maker, p.maker_qty, &p);
    if (!dec_is_zero(p.taker_qty))
        lose(m, taker, p.taker_qty, &p);
}

/* ---- the walk ------------------------------------------------------------ */

static bool wants_more(const smc_market_t *m, const node_t *taker)
{
    return !m->failed && !taker->ended && !dec_is_zero(taker->rem);
}

void match_run(smc_market_t *m, node_t *taker)
{
    smc_side_t side = other_side(taker->o.side);
    bool any_price = dec_is_zero(taker->o.price);
    while (wants_more(m, taker)) {
        level_t *level = book_best(taker->inst, side);
        if (level == NULL)
            break;
        if (!any_price && !book_crosses(taker->o.side, taker->o.price, level->price))
            break;
        while (level->head != NULL && wants_more(m, taker)) {
            node_t *maker = level->head;
            if (maker->owner == taker->owner && taker->o.stp != SMC_STP_NONE)
                prevent(m, taker, maker);
            else if (!retire(m, maker) && !retire(m, taker))
                trade(m, taker, maker);
        }
        book_settle(m, taker->inst, side, level);
    }
}

void match_with(smc_market_t *m, node_t *taker, node_t *maker)
{
    level_t *level = maker->level;
    while (maker->level != NULL && wants_more(m, taker) && !retire(m, maker))
        trade(m, taker, maker);
    book_settle(m, taker->inst, maker->o.side, level);
}
