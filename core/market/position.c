#include "market_priv.h"

#include <stdlib.h>

static position_t **place_of(const account_t *a, const instrument_t *inst, smc_side_t side)
{
    holding_t *h = &a->holdings[inst->id];
    return &h->positions[h->hedged ? side : SMC_BUY];
}

position_t *position_on(const account_t *a, const instrument_t *inst, smc_side_t side)
{
    return *place_of(a, inst, side);
}

/* While hedged, what does not only reduce enlarges its own side. */
static smc_side_t side_of(const node_t *n)
{
    return n->o.reduce_only ? other_side(n->o.side) : n->o.side;
}

position_t *position_of(const node_t *n)
{
    return position_on(n->owner, n->inst, side_of(n));
}

position_t *position_need(smc_market_t *m, account_t *a, const instrument_t *inst, smc_side_t side)
{
    position_t **at = place_of(a, inst, side);
    if (*at == NULL)
        *at = calloc(1, sizeof(**at));
    if (*at == NULL)
        m->failed = true;
    return *at;
}

void position_free(position_t *p)
{
    if (p == NULL)
        return;
    free(p->lots);
    free(p);
}

static smc_dec_t signed_qty(smc_side_t side, smc_dec_t qty)
{
    return side == SMC_BUY ? qty : smc_dec_neg(qty);
}

static void touch(smc_market_t *m, const account_t *a, const instrument_t *inst, position_t *p)
{
    p->updated_ms = m->now_ms;
    p->untidy = true;
    if (p->touched || is_system(a) ||
        !vec_room(m, &m->moved, m->n_moved, &m->cap_moved, sizeof(m->moved[0])))
        return;
    p->touched = true;
    m->moved[m->n_moved++] = (moved_t){a->id, inst->id, p};
}

/* ---- fills --------------------------------------------------------------- */

/* The system's makers would leave a lot for each of their orders. */
static bool keeps_lots(const node_t *n)
{
    return n->inst->contract->lots && !is_system(n->owner);
}

static void note_lot(smc_market_t *m, const node_t *n, smc_fill_t *fill, smc_lot_change_t change)
{
    if (!keeps_lots(n) || !vec_room(m, &m->lot_changes, m->n_lot_changes, &m->cap_lot_changes,
                                    sizeof(m->lot_changes[0])))
        return;
    m->lot_changes[m->n_lot_changes++] = change;
    fill->n_lots++;
}

static size_t lot_index(const position_t *p, int64_t id)
{
    size_t i = 0;
    while (i < p->n && p->lots[i].id != id)
        i++;
    return i;
}

/* Takes a part out of a lot; returns what it earned, in quote.  The cost keeps what rounding cut
 * off, so that the parts of a lot add up to what it earned.  What is yet to be turned into the
 * settle asset is rounded there. */
static smc_dec_t lot_reduce(const instrument_t *inst, smc_side_t side, lot_t *lot, smc_dec_t qty,
                            smc_dec_t price)
{
    const contract_t *k = inst->contract;
    smc_dec_t proceeds = dec_notional(price, qty), gain = {0};
    if (smc_dec_cmp(qty, lot->qty) == 0) {
        gain = dec_minus(proceeds, lot->cost);
    } else {
        (void)smc_dec_mul(dec_minus(price, lot->price), qty,
                          k->via == NULL ? k->places : SMC_DEC_PLACES, SMC_ROUND_HALF_UP, &gain);
    }
    lot->cost = dec_minus(lot->cost, dec_minus(proceeds, gain));
    lot->qty = dec_minus(lot->qty, qty);
    return side == SMC_BUY ? gain : smc_dec_neg(gain);
}

static void drop_lot(position_t *p, size_t i)
{
    p->n--;
    memmove(&p->lots[i], &p->lots[i + 1], (p->n - i) * sizeof(p->lots[0]));
    if (p->n == 0) {
        p->realized = dec_zero();
        p->opened_ms = 0;
    }
}

/* Closes what the fill is against; returns what is left of it. */
static smc_dec_t reduce(smc_market_t *m, const node_t *n, position_t *p, smc_fill_t *fill)
{
    smc_dec_t left = fill->qty;
    while (dec_positive(left) && p->n > 0) {
        size_t i = n->o.close_lot != 0 ? lot_index(p, n->o.close_lot) : 0;
        lot_t *lot = &p->lots[i];
        smc_dec_t qty = dec_min(left, lot->qty), cost = lot->cost;
        smc_dec_t profit =
            contract_profit(n->inst, lot_reduce(n->inst, p->side, lot, qty, fill->price));
        p->qty = dec_minus(p->qty, qty);
        p->cost = dec_minus(p->cost, dec_minus(cost, lot->cost));
        p->realized = dec_plus(p->realized, profit);
        p->realized_total = dec_plus(p->realized_total, profit);
        lot->realized = dec_plus(lot->realized, profit);
        fill->realized = dec_plus(fill->realized, profit);
        fill->closed_qty = dec_plus(fill->closed_qty, qty);
        left = dec_minus(left, qty);
        note_lot(m, n, fill,
                 (smc_lot_change_t){.id = lot->id,
                                    .qty = signed_qty(n->o.side, qty),
                                    .left = signed_qty(p->side, lot->qty),
                                    .price = lot->price,
                                    .realized = profit});
        if (dec_is_zero(lot->qty))
            drop_lot(p, i);
    }
    return left;
}

/* The lot that an opening fill joins. */
static lot_t *lot_for(smc_market_t *m, const node_t *n, position_t *p)
{
    size_t i = keeps_lots(n) ? lot_index(p, n->o.id) : 0;
    if (i < p->n)
        return &p->lots[i];
    if (!vec_room(m, &p->lots, p->n, &p->cap, sizeof(p->lots[0])))
        return NULL;
    p->lots[p->n] = (lot_t){.id = n->o.id, .opened_ms = m->now_ms};
    return &p->lots[p->n++];
}

static void enlarge(smc_market_t *m, const node_t *n, position_t *p, smc_fill_t *fill,
                    smc_dec_t qty)
{
    if (p->n == 0) {
        p->side = n->o.side;
        p->opened_ms = m->now_ms;
    }
    lot_t *lot = lot_for(m, n, p);
    if (lot == NULL)
        return;
    smc_dec_t cost = dec_notional(fill->price, qty);
    lot->qty = dec_plus(lot->qty, qty);
    lot->initial = dec_plus(lot->initial, qty);
    lot->cost = dec_plus(lot->cost, cost);
    (void)smc_dec_div(lot->cost, lot->qty, SMC_DEC_PLACES, SMC_ROUND_HALF_UP, &lot->price);
    p->qty = dec_plus(p->qty, qty);
    p->cost = dec_plus(p->cost, cost);
    note_lot(m, n, fill,
             (smc_lot_change_t){.id = lot->id,
                                .qty = signed_qty(p->side, qty),
                                .left = signed_qty(p->side, lot->qty),
                                .price = lot->price,
                                .opened = true});
}

void position_fill(smc_market_t *m, node_t *n, smc_fill_t *fill, smc_dec_t fee_rate)
{
    position_t *p = position_need(m, n->owner, n->inst, side_of(n));
    if (p == NULL)
        return;
    fill->first_lot = m->forgotten_lots + m->n_lot_changes;
    smc_dec_t left = p->n > 0 && p->side != n->o.side ? reduce(m, n, p, fill) : fill->qty;
    if (dec_positive(left))
        enlarge(m, n, p, fill, left);
    int32_t settle = fill->fee_asset = n->inst->contract->settle;
    smc_dec_t fee = {0};
    (void)smc_dec_mul(fee_rate, fill->quote, SMC_DEC_PLACES, SMC_ROUND_DOWN, &fee);
    fill->fee = contract_amount(n->inst, fee, SMC_ROUND_DOWN);
    p->fees = dec_plus(p->fees, fill->fee);
    m->assets[settle].fees = dec_plus(m->assets[settle].fees, fill->fee);
    smc_balance_t *b = &n->owner->purses[settle].b;
    b->free = dec_plus(b->free, dec_minus(fill->realized, fill->fee));
    balance_touch(m, n->owner, settle);
    touch(m, n->owner, n->inst, p);
}

/* ---- orders that only reduce --------------------------------------------- */

smc_dec_t position_reducible(const account_t *a, const instrument_t *inst, smc_side_t side,
                             int64_t lot)
{
    const position_t *p = position_on(a, inst, other_side(side));
    if (p == NULL || p->n == 0 || p->side == side)
        return dec_zero();
    if (lot == 0)
        return p->qty;
    size_t i = lot_index(p, lot);
    return i < p->n ? p->lots[i].qty : dec_zero();
}

static void cut(smc_market_t *m, node_t *n, smc_dec_t left)
{
    smc_dec_t less = dec_minus(n->rem, left);
    n->o.qty = dec_minus(n->o.qty, less);
    n->o.updated_ms = m->now_ms;
    n->rem = left;
    book_shrink(n, less);
    event_order(m, n, SMC_EXEC_REPLACED, NULL);
    book_settle(m, n->inst, n->o.side, n->level);
}

static bool tidy(smc_market_t *m, const account_t *a, const instrument_t *inst)
{
    bool any = false;
    for (node_t *n = a->holdings[inst->id].open_head, *next; n != NULL; n = next) {
        next = n->open_next;
        if (!n->o.reduce_only || n->o.after != 0)
            continue;
        smc_dec_t most = position_reducible(a, inst, n->o.side, n->o.close_lot);
        if (dec_is_zero(most))
            order_cancel(m, n, SMC_END_REDUCE);
        else if (n->level != NULL && dec_less(most, n->rem))
            cut(m, n, most);
        else
            continue;
        any = true;
    }
    return any;
}

bool positions_tidy(smc_market_t *m)
{
    bool any = false;
    for (size_t i = 0; i < m->n_moved; i++) {
        const account_t *a = m->accounts[m->moved[i].account];
        const instrument_t *inst = m->instruments[m->moved[i].instrument];
        if (!m->moved[i].position->untidy)
            continue;
        m->moved[i].position->untidy = false;
        if (a->holdings[inst->id].n_reducing == 0)
            continue;
        any = tidy(m, a, inst) || any;
    }
    return any;
}

/* ---- what there is ------------------------------------------------------- */

static smc_dec_t valued_at(const instrument_t *inst, smc_side_t side)
{
    const level_t *best =
        inst->contract->value_by_side ? book_best(inst, side) : NULL; /* longs at the bid */
    return best != NULL ? best->price : mark_price(inst);
}

static smc_dec_t share(const instrument_t *inst, smc_dec_t value, smc_dec_t rate)
{
    smc_dec_t out = {0};
    (void)smc_dec_mul(value, rate, SMC_DEC_PLACES, SMC_ROUND_UP, &out);
    return contract_amount(inst, out, SMC_ROUND_UP);
}

smc_position_t position_now(const instrument_t *inst, const position_t *p)
{
    smc_position_t out = {0};
    if (p == NULL)
        return out;
    out.realized_total = p->realized_total;
    out.fees = p->fees;
    out.updated_ms = p->updated_ms;
    if (p->n == 0)
        return out;
    smc_dec_t value = {0}, at_mark = {0};
    out.mark = valued_at(inst, p->side);
    (void)smc_dec_mul(out.mark, p->qty, SMC_DEC_PLACES, SMC_ROUND_HALF_UP, &value);
    (void)smc_dec_mul(mark_price(inst), p->qty, SMC_DEC_PLACES, SMC_ROUND_HALF_UP, &at_mark);
    smc_dec_t gain = dec_minus(value, p->cost);
    out.qty = signed_qty(p->side, p->qty);
    out.entry = p->lots[0].price;
    if (p->n > 1)
        (void)smc_dec_div(p->cost, p->qty, SMC_DEC_PLACES, SMC_ROUND_HALF_UP, &out.entry);
    out.cost = p->cost;
    out.realized = p->realized;
    out.upl = contract_profit(inst, p->side == SMC_BUY ? gain : smc_dec_neg(gain));
    out.im = share(inst, at_mark, margin_rate(inst, p));
    out.mm = share(inst, at_mark, inst->contract->maintenance_rate);
    out.opened_ms = p->opened_ms;
    return out;
}

void positions_tell(smc_market_t *m)
{
    for (size_t i = 0; i < m->n_moved; i++) {
        const instrument_t *inst = m->instruments[m->moved[i].instrument];
        m->moved[i].position->touched = false;
        smc_position_t now = position_now(inst, m->moved[i].position);
        event_position(m, m->moved[i].account, inst, &now);
    }
    m->n_moved = 0;
}

smc_position_t smc_market_position(const smc_market_t *m, int32_t account, int32_t instrument,
                                   smc_side_t side)
{
    const account_t *a = account_at(m, account);
    const instrument_t *inst = instrument_at(m, instrument);
    bool known = a != NULL && inst != NULL;
    return known ? position_now(inst, position_on(a, inst, side)) : (smc_position_t){0};
}

bool smc_market_hedged(const smc_market_t *m, int32_t account, int32_t instrument)
{
    const account_t *a = account_at(m, account);
    return a != NULL && instrument_at(m, instrument) != NULL && a->holdings[instrument].hedged;
}

smc_code_t smc_market_hedge(smc_market_t *m, int32_t account, int32_t instrument, bool hedged,
                            smc_error_t *err)
{
    const char *op = "market.hedge";
    const account_t *a = account_at(m, account);
    const instrument_t *inst = instrument_at(m, instrument);
    if (a == NULL || inst == NULL || inst->contract == NULL || inst->contract->lots)
        return smc_fail(err, SMC_EINVAL, op, 0, "no such account or contract, or one of lots");
    holding_t *h = &a->holdings[instrument];
    for (int side = SMC_BUY; side <= SMC_SELL; side++)
        if (h->positions[side] != NULL && h->positions[side]->n > 0)
            return smc_fail(err, SMC_EINVAL, op, 0, "there is a position");
    if (h->n_open > 0)
        return smc_fail(err, SMC_EINVAL, op, 0, "there are open orders");
    h->hedged = hedged;
    return SMC_OK;
}

void smc_market_lots(const smc_market_t *m, int32_t account, int32_t instrument, smc_lot_cb cb,
                     void *ud)
{
    const account_t *a = account_at(m, account);
    const instrument_t *inst = instrument_at(m, instrument);
    const position_t *p = a != NULL && inst != NULL ? position_on(a, inst, SMC_BUY) : NULL;
    for (size_t i = 0; p != NULL && inst->contract->lots && i < p->n; i++) {
        const lot_t *lot = &p->lots[i];
        cb(ud, &(smc_lot_t){.id = lot->id,
                            .opened_ms = lot->opened_ms,
                            .qty = signed_qty(p->side, lot->qty),
                            .initial_qty = signed_qty(p->side, lot->initial),
                            .price = lot->price,
                            .realized = lot->realized});
    }
}

const smc_lot_change_t *smc_market_lot_changes(const smc_market_t *m, const smc_fill_t *fill)
{
    bool known = fill->n_lots > 0 && fill->first_lot >= m->forgotten_lots;
    return known ? &m->lot_changes[fill->first_lot - m->forgotten_lots] : NULL;
}
