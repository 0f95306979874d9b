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
smc_code_t history_make(smc_market_t *m, instrument_t *inst)
{
    const feed_t *f = inst->feed;
    trades_t *h = &inst->history;
    if (h->n == 0 || h->v != NULL)
        return SMC_OK;
    h->v = calloc(h->n, sizeof(h->v[0]));
    if (h->v == NULL) {
        m->failed = true;
        return SMC_ENOMEM;
    }
    const smc_feed_conf_t *c = &f->start;
    int64_t every = c->history_every_ms, ticks = every / c->step_ms + 1;
    int64_t sigma = ppb_of(c->volatility) * root(ticks * 10000) / 100;
    wide_t pull = (wide_t)ppb_of(c->reversion) * ticks;
    int64_t half = share_of(f->start_mid, ppb_of(c->spread)) / 2, mid = f->start_mid;
    char name[SMC_MARKET_NAME_MAX + 16] = "history/";
    smc_rng_t rng;
    for (size_t i = 0; i < sizeof(inst->symbol); i++)
        name[8 + i] = inst->symbol[i];
    smc_rng_init(&rng, m->seed, name);
    for (size_t i = h->n; i-- > 0;) {
        smc_trade_t *t = &h->v[i];
        mid = feed_walk(&rng, mid, f->start_mid, sigma, pull < PPB ? (int64_t)pull : PPB);
        t->id = (int64_t)i + 1;
        t->time_ms = f->start_ms - (int64_t)(h->n - i) * every + smc_rng_range(&rng, 0, every - 1);
        t->buyer_is_maker = (smc_rng_u64(&rng) >> 63) != 0;
        int64_t at = (t->buyer_is_maker ? mid - half : mid + half) / FINE;
        t->price = (smc_dec_t){inst->tick.units * (at > 0 ? at : 1)};
        t->qty = feed_qty(inst, &rng, f->start_trade_steps, 20, 180);
        t->quote = dec_notional(t->price, t->qty);
    }
    return SMC_OK;
}
