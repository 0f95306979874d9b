/* feed_priv.h - the feed and the trades of the time before it. */
#ifndef SMC_FEED_PRIV_H
#define SMC_FEED_PRIV_H

#include "market_priv.h"

/* Prices inside the feed: thousandths of a tick, so that small steps of the walk add up. */
#define FINE INT64_C(1000)
#define PPB INT64_C(1000000000)

__extension__ typedef __int128 wide_t;

/* One place of a ladder.  The price is index * gap; index i lives in rung i mod levels. */
typedef struct rung {
    int64_t index;
    node_t *node; /* NULL: nothing stands there */
} rung_t;

struct feed {
    smc_feed_conf_t conf;
    int64_t mid, anchor;              /* fine */
    int64_t gap;                      /* ticks */
    int64_t level_steps, trade_steps; /* quantities in steps of the instrument */
    rung_t *rungs[2];                 /* by smc_side_t; conf.levels each */
    smc_rng_t walk, flow, depth;
    int64_t next_step_ms, next_trade_ms; /* INT64_MAX: never */
    bool frozen;
    /* What the history is made from; kept as it was at the start. */
    smc_feed_conf_t start;
    int64_t start_ms, start_mid, start_trade_steps;
};

/* a * share / 10^9. */
static inline int64_t share_of(int64_t a, int64_t ppb)
{
    int64_t product;
    if (!__builtin_mul_overflow(a, ppb, &product)) /* as mostly; it costs a tenth */
        return product / PPB;
    return (int64_t)((wide_t)a * ppb / PPB);
}
static inline int64_t ppb_of(smc_dec_t relative)
{
    return (int64_t)(relative.units / INT64_C(1000000000));
}

/* One step of a walk around the anchor: standard deviation and pull as shares in 10^-9. */
int64_t feed_walk(smc_rng_t *rng, int64_t mid, int64_t anchor, int64_t sigma_ppb, int64_t pull_ppb);
/* Something between lo and hi per cent of `steps`. */
int64_t feed_steps(smc_rng_t *rng, int64_t steps, int lo, int hi);
/* So many steps, at least the least quantity. */
smc_dec_t feed_qty(const instrument_t *inst, int64_t steps);

#endif /* SMC_FEED_PRIV_H */
