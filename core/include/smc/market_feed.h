/* smc/market_feed.h - a seeded feed: keeps the books of a market alive.
 *
 * Makers (the system account) keep a ladder of orders on both sides of a mid that walks randomly
 * and is pulled back to where it began; a flow of small takers trades at the best price, whoever
 * rests there. When the makers' new best price reaches a client's order they trade with it first,
 * so they never cross the book.
 * Exact  what happens is a function of the seed, the configuration and the calls with their times;
 *        it does not depend on the steps in which time is advanced.
 * Lazy   nothing happens between calls: whoever looks advances first.
 * One feed for each instrument; it lives as long as the market.
 */
#ifndef SMC_MARKET_FEED_H
#define SMC_MARKET_FEED_H

#include "smc/market.h"

/* Relative numbers are shares of the price: 0.0002 is 2 basis points. */
typedef struct smc_feed_conf {
    smc_dec_t mid;            /* > 0; also what the walk is pulled to */
    smc_dec_t spread;         /* relative; best ask - best bid at least.  0 <= spread < 1 */
    smc_dec_t gap;            /* relative; between two levels; at least one tick */
    int32_t levels;           /* a side, 0..1000; 0: no makers */
    smc_dec_t level_qty;      /* about; 0: about 50000 of quote */
    int64_t step_ms;          /* > 0; between two steps of the walk */
    smc_dec_t volatility;     /* relative standard deviation of a step */
    smc_dec_t reversion;      /* share of the way back that a step goes, 0..1 */
    int64_t trade_ms;         /* mean time between two takers; 0: none */
    smc_dec_t trade_qty;      /* about; 0: about 500 of quote */
    int64_t history_ms;       /* trades of the time before; 0: none */
    int64_t history_every_ms; /* > 0; about one trade in each */
} smc_feed_conf_t;

/* All defaults; the mid is 0 and must be set. */
smc_feed_conf_t smc_feed_defaults(void);

/* Starts at the market's time with a full book.  Errors: SMC_EINVAL, SMC_EEXIST (has a feed),
 * SMC_ENOMEM. History needs an instrument without trades. */
smc_code_t smc_feed_add(smc_market_t *m, int32_t instrument, const smc_feed_conf_t *conf,
                        smc_error_t *err);

/* Performs all that is due up to and including now_ms, in order of time. */
void smc_market_advance(smc_market_t *m, int64_t now_ms);
/* When the next thing happens by itself; INT64_MAX: never. */
int64_t smc_market_next_ms(const smc_market_t *m);

/* Moves the mid, and what it is pulled to, now: the makers requote, trade with what they pass, and
 * a small trade prints the new price.  to > 0.  Errors: SMC_EINVAL, SMC_ENOENT (no feed). */
smc_code_t smc_feed_move_to(smc_market_t *m, int32_t instrument, smc_dec_t to, smc_error_t *err);
/* by > -1: 0.1 is ten per cent up. */
smc_code_t smc_feed_move_by(smc_market_t *m, int32_t instrument, smc_dec_t by, smc_error_t *err);
/* While frozen nothing happens by itself; the book stays. */
smc_code_t smc_feed_freeze(smc_market_t *m, int32_t instrument, bool frozen, smc_error_t *err);
/* Current configuration; NULL when there is no feed. */
const smc_feed_conf_t *smc_feed_conf(const smc_market_t *m, int32_t instrument);
/* Takes spread, gap, levels, level_qty, volatility, reversion, trade_ms and trade_qty; the rest
 * must be as it is. Requotes now.  Errors: SMC_EINVAL, SMC_ENOENT. */
smc_code_t smc_feed_configure(smc_market_t *m, int32_t instrument, const smc_feed_conf_t *conf,
                              smc_error_t *err);
/* The price the makers quote around, on the tick; 0 when there is no feed. */
smc_dec_t smc_feed_mid(const smc_market_t *m, int32_t instrument);

#endif /* SMC_MARKET_FEED_H */
