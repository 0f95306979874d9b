/* What contracts ask of the balance of the asset that they settle in. */
#include "market_priv.h"

smc_dec_t margin_rate(const instrument_t *inst, const position_t *p)
{
    return p != NULL && dec_positive(p->rate) ? p->rate : inst->contract->margin_rate;
}

static smc_dec_t order_margin(const account_t *a, const instrument_t *inst, smc_side_t side,
                              smc_dec_t quote)
{
    smc_dec_t out = {0};
    (void)smc_dec_mul(quote, margin_rate(inst, position_on(a, inst, side)), SMC_DEC_PLACES,
                      SMC_ROUND_UP, &out);
    return contract_amount(inst, out, SMC_ROUND_UP);
}

void margin_count(const node_t *n, smc_dec_t more)
{
    if (n->inst->contract == NULL || n->o.reduce_only)
        return;
    resting_t *r = &n->owner->holdings[n->inst->id].resting[n->o.side];
    r->qty = dec_plus(r->qty, more);
    r->quote = dec_plus(r->quote, dec_notional(n->o.price, more));
}

static bool counts(const node_t *n, smc_side_t side)
{
    return n->level != NULL && n->o.side == side && !n->o.reduce_only;
}

/* What the resting orders of one side would enlarge a position by; `closing` is how much of it none
 * of them closes yet.  The oldest orders close it. */
static resting_t enlarging(const account_t *a, const instrument_t *inst, smc_side_t side,
                           const node_t *except, smc_dec_t *closing)
{
    const holding_t *h = &a->holdings[inst->id];
    resting_t out = h->resting[side];
    if (except != NULL && counts(except, side)) {
        out.qty = dec_minus(out.qty, except->rem);
        out.quote = dec_minus(out.quote, dec_notional(except->o.price, except->rem));
    }
    *closing = h->hedged ? dec_zero() : position_reducible(a, inst, side, 0);
    if (!dec_less(*closing, out.qty)) {
        *closing = dec_minus(*closing, out.qty);
        return (resting_t){0};
    }
    for (const node_t *n = h->open_head; n != NULL && dec_positive(*closing); n = n->open_next) {
        if (n == except || !counts(n, side))
            continue;
        smc_dec_t closes = dec_min(*closing, n->rem);
        *closing = dec_minus(*closing, closes);
        out.qty = dec_minus(out.qty, closes);
        out.quote = dec_minus(out.quote, dec_notional(n->o.price, closes));
    }
    return out;
}

/* What is held, and what the resting orders would add to it. */
static void add_side(smc_margin_t *out, const account_t *a, const instrument_t *inst,
                     smc_side_t side, const node_t *except)
{
    const holding_t *h = &a->holdings[inst->id];
    smc_position_t p = position_now(inst, h->positions[side]);
    out->upl = dec_plus(out->upl, p.upl);
    out->position_im = dec_plus(out->position_im, p.im);
    out->maintenance = dec_plus(out->maintenance, p.mm);
    if (h->n_open == 0)
        return;
    smc_dec_t closing;
    smc_dec_t quote = enlarging(a, inst, side, except, &closing).quote;
    out->order_im = dec_plus(out->order_im, order_margin(a, inst, side, quote));
}

static smc_margin_t margin_of(const smc_market_t *m, const account_t *a, int32_t asset,
                              const node_t *except)
{
    smc_balance_t b = a->purses[asset].b;
    smc_margin_t out = {.balance = dec_plus(b.free, b.locked), .available = b.free};
    for (size_t i = 0; m->assets[asset].contracts > 0 && i < m->n_instruments; i++) {
        const instrument_t *inst = m->instruments[i];
        const holding_t *h = &a->holdings[i];
        if (inst->contract == NULL || inst->contract->settle != asset ||
            (h->positions[0] == NULL && h->positions[1] == NULL && h->n_open == 0))
            continue;
        for (int side = SMC_BUY; side <= SMC_SELL; side++)
            add_side(&out, a, inst, (smc_side_t)side, except);
    }
    out.equity = dec_plus(out.balance, out.upl);
    smc_dec_t used = dec_plus(out.position_im, out.order_im);
    out.available = dec_minus(dec_plus(out.available, dec_min(out.upl, dec_zero())), used);
    return out;
}

smc_margin_t smc_market_margin(const smc_market_t *m, int32_t account, int32_t asset)
{
    const account_t *a = account_at(m, account);
    if (a == NULL || asset < 0 || (size_t)asset >= m->n_assets)
        return (smc_margin_t){0};
    return margin_of(m, a, asset, NULL);
}

smc_dec_t margin_available(const smc_market_t *m, const account_t *a, int32_t asset)
{
    return m->assets[asset].contracts > 0 ? margin_of(m, a, asset, NULL).available
                                          : a->purses[asset].b.free;
}

static smc_refusal_t check_spot(const smc_market_t *m, const account_t *a, const instrument_t *inst,
                                const claim_t *c)
{
    int32_t pays = c->side == SMC_BUY ? inst->quote : inst->base;
    smc_dec_t there = margin_available(m, a, pays);
    if (c->instead_of != NULL)
        there = dec_plus(there, c->instead_of->locked);
    return dec_less(there, c->needed) ? SMC_REFUSED_FUNDS : SMC_ACCEPTED;
}

smc_refusal_t margin_check(const smc_market_t *m, const account_t *a, const instrument_t *inst,
                           const claim_t *c)
{
    if (inst->contract == NULL)
        return check_spot(m, a, inst, c);
    if (!contract_converts(inst))
        return SMC_REFUSED_NO_RATE;
    smc_dec_t closing, quote;
    (void)enlarging(a, inst, c->side, c->instead_of, &closing);
    smc_dec_t opens = dec_minus(c->qty, dec_min(closing, c->qty));
    if (c->reduce_only || dec_is_zero(opens))
        return SMC_ACCEPTED;
    if (smc_dec_mul(c->price, opens, SMC_DEC_PLACES, SMC_ROUND_UP, &quote) != SMC_OK)
        return SMC_REFUSED_FUNDS;
    smc_dec_t available = margin_of(m, a, inst->contract->settle, c->instead_of).available;
    return dec_less(available, order_margin(a, inst, c->side, quote)) ? SMC_REFUSED_FUNDS
                                                                      : SMC_ACCEPTED;
}
