#include "feed_priv.h"

#include <stdlib.h>

/* Largest r with r * r <= n. */
static int64_t root(int64_t n)
{
    int64_t r = 0;
    for (int64_t bit = INT64_C(1) << 31; bit > 0; bit >>= 1)
        if ((r + bit) <= n / (r + bit))
            r += bit;
    return r;
}

/* Backwards from the price at which the feed began: the walk looks the same in both directions. */
static void begin(const smc_market_t *m, const instrument_t *inst, history_t *h)
{
    char name[SMC_MARKET_NAME_MAX + 16] = "history/";
    for (size_t i = 0; i < sizeof(inst->symbol); i++)
        name[8 + i] = inst->symbol[i];
    smc_rng_init(&h->rng, m->seed, name);
    h->mid = inst->feed->start_mid;
}

static bool make_room(smc_market_t *m, history_t *h, size_t wanted)
{
    if (wanted <= h->cap)
        return true;
    size_t cap = wanted / 2 < h->cap ? 2 * h->cap : wanted;
    smc_trade_t *v = reallocarray(h->v, cap, sizeof(*v));
    if (v == NULL) {
        m->failed = true;
        return false;
    }
    h->v = v;
    h->cap = cap;
    return true;
}

/* The quote of a trade; least: that of one step at one tick.  Whole numbers times what is exact: without the division of
 * dec_notional, but for a quantity that was raised to the least one, or numbers that are too large. */
static smc_dec_t quote_of(const instrument_t *inst, smc_dec_t least, const smc_trade_t *t,
                          int64_t ticks, int64_t steps)
{
    int64_t n;
    smc_dec_t out;
    if (t->qty.units != inst->step.units * steps || __builtin_mul_overflow(ticks, steps, &n) ||
        __builtin_mul_overflow(least.units, n, &out.units))
        return dec_notional(t->price, t->qty);
    return out;
}

smc_code_t history_make(smc_market_t *m, instrument_t *inst, size_t newest)
{
    const feed_t *f = inst->feed;
    history_t *h = &inst->history;
    size_t wanted = newest < h->n ? newest : h->n;
    if (h->made >= wanted)
        return SMC_OK;
    if (!make_room(m, h, wanted))
        return SMC_ENOMEM;
    if (h->made == 0)
        begin(m, inst, h);
    const smc_feed_conf_t *c = &f->start;
    int64_t every = c->history_every_ms, ticks = every / c->step_ms + 1;
    int64_t sigma = ppb_of(c->volatility) * root(ticks * 10000) / 100;
    wide_t pull = (wide_t)ppb_of(c->reversion) * ticks;
    int64_t half = share_of(f->start_mid, ppb_of(c->spread)) / 2;
    smc_dec_t least = dec_notional(inst->tick, inst->step);
    for (; h->made < wanted; h->made++) {
        size_t i = h->n - 1 - h->made;
        smc_trade_t *t = &h->v[h->made];
        h->mid = feed_walk(&h->rng, h->mid, f->start_mid, sigma, pull < PPB ? (int64_t)pull : PPB);
        t->id = (int64_t)i + 1;
        t->time_ms =
            f->start_ms - (int64_t)(h->n - i) * every + smc_rng_range(&h->rng, 0, every - 1);
        t->buyer_is_maker = (smc_rng_u64(&h->rng) >> 63) != 0;
        int64_t at = (t->buyer_is_maker ? h->mid - half : h->mid + half) / FINE;
        at = at > 0 ? at : 1;
        t->price = (smc_dec_t){inst->tick.units * at};
        int64_t steps = feed_steps(&h->rng, f->start_trade_steps, 20, 180);
        t->qty = feed_qty(inst, steps);
        t->quote = quote_of(inst, least, t, at, steps);
    }
    return SMC_OK;
}

smc_code_t history_since(smc_market_t *m, instrument_t *inst, int64_t from_ms)
{
    const history_t *h = &inst->history;
    if (h->n == 0)
        return SMC_OK;
    const feed_t *f = inst->feed;
    int64_t every = f->start.history_every_ms, start = f->start_ms;
    if (from_ms >= start)
        return history_make(m, inst, 1);
    if (from_ms <= start - (int64_t)h->n * every)
        return history_make(m, inst, SIZE_MAX);
    /* The k-th from the end lies within the interval that begins k intervals before the start. */
    return history_make(m, inst, (size_t)((start - from_ms) / every) + 2);
}
