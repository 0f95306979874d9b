/* smc/market_position.h - positions in contracts, their lots, margin, and what changes them by hand.
 *
 * Position  of one account in one contract: long or short, never both.  A fill against it closes
 *           first, and opens the other way with the rest.
 * Hedged    long and short are two positions: an order that only reduces closes the other side's,
 *           any other enlarges that of its own side.
 * Average   (the default) one entry price, weighted by quantity; closing leaves it as it is.
 * Lots      each order that opens has its lot, named by the order's id; they are closed first in,
 *           first out, unless an order names one.
 * Profit    (price - entry) * qty in quote, turned into the settle asset, rounded to its precision
 *           (half up) and booked to the free balance when it is realized.  The last part of a lot
 *           takes what rounding left over: what a lot earned is exact when it is closed.
 * Fees      rate * price * qty, turned into the settle asset, rounded down, from the free balance.
 * Margin    available = free + min(upl, 0) - position_im - order_im, over all contracts that settle
 *           in the asset.  What an order would add to a position needs price * qty * rate of it (a
 *           market order at the mark); what only closes needs nothing.
 */
#ifndef SMC_MARKET_POSITION_H
#define SMC_MARKET_POSITION_H

#include "smc/market.h"

typedef struct smc_position {
    smc_dec_t qty;            /* below 0: short */
    smc_dec_t entry;          /* price; 0 when flat */
    smc_dec_t cost;           /* quote; what was paid for what is open, unsigned */
    smc_dec_t realized;       /* settle, as all below: since it was last flat */
    smc_dec_t realized_total; /* since ever */
    smc_dec_t fees;
    smc_dec_t upl;  /* unrealized */
    smc_dec_t mark; /* price that upl is at */
    smc_dec_t im, mm;
    int64_t opened_ms;  /* 0 when flat */
    int64_t updated_ms; /* 0: never held */
} smc_position_t;

typedef struct smc_lot {
    int64_t id; /* of the order that opened it */
    int64_t opened_ms;
    smc_dec_t qty, initial_qty; /* below 0: short */
    smc_dec_t price;
    smc_dec_t realized;
} smc_lot_t;

/* What one fill did to one lot. */
typedef struct smc_lot_change {
    int64_t id;
    smc_dec_t qty;  /* by so much it changed; below 0: towards short */
    smc_dec_t left; /* what it is now */
    smc_dec_t price;
    smc_dec_t realized;
    bool opened; /* opened or enlarged; else closed in part or all */
} smc_lot_change_t;

typedef struct smc_margin {
    smc_dec_t balance; /* free and locked */
    smc_dec_t upl;
    smc_dec_t equity; /* balance + upl */
    smc_dec_t position_im, order_im;
    smc_dec_t maintenance;
    smc_dec_t available;
} smc_margin_t;

/* Zeros when nothing was ever held, or the instrument is no contract.  side: which of the two of a
 * hedged contract; else it does not matter. */
smc_position_t smc_market_position(const smc_market_t *m, int32_t account, int32_t instrument,
                                   smc_side_t side);
/* Whether an account keeps long and short of a contract apart.  Errors: SMC_EINVAL (no contract, or
 * one of lots; the account has a position or an open order there). */
smc_code_t smc_market_hedge(smc_market_t *m, int32_t account, int32_t instrument, bool hedged,
                            smc_error_t *err);
bool smc_market_hedged(const smc_market_t *m, int32_t account, int32_t instrument);
typedef void (*smc_lot_cb)(void *ud, const smc_lot_t *lot);
/* Oldest first.  None in contracts with an average price. */
void smc_market_lots(const smc_market_t *m, int32_t account, int32_t instrument, smc_lot_cb cb,
                     void *ud);
/* fill->n_lots of them; borrowed until the market is next changed.  NULL: none, or the market has
 * forgotten them with the fill (smc_market_keep). */
const smc_lot_change_t *smc_market_lot_changes(const smc_market_t *m, const smc_fill_t *fill);
/* Of an asset that no contract settles in: the free balance is available. */
smc_margin_t smc_market_margin(const smc_market_t *m, int32_t account, int32_t asset);

/* Initial margin of one account in one contract, of one side of it while that is hedged: 0.1 is a
 * leverage of ten.  Errors: SMC_EINVAL. */
smc_code_t smc_market_set_margin(smc_market_t *m, int32_t account, int32_t instrument,
                                 smc_side_t side, smc_dec_t rate, smc_error_t *err);
/* Markup on what is turned into another settle asset: profits times gain, losses times loss, both
 * realized or not; 0 < factor <= 2, 1 at first.  Errors: SMC_EINVAL. */
smc_code_t smc_market_set_conversion(smc_market_t *m, int32_t instrument, smc_dec_t gain,
                                     smc_dec_t loss, smc_error_t *err);
/* From now on, and at the end of each operation: an account whose equity in the asset is at or below
 * maintenance * threshold has its orders in the contracts that settle in it cancelled
 * (SMC_END_SYSTEM) and its positions closed by market orders of the system (order.liquidation), the
 * one with most maintenance first, until it is above.  0: off, as at first.
 * Errors: SMC_EINVAL (asset, threshold not 0..10). */
smc_code_t smc_market_liquidation(smc_market_t *m, int32_t asset, smc_dec_t threshold,
                                  smc_error_t *err);
/* Adds to a free balance, or takes, below zero too: funding, financing.  Errors: SMC_EINVAL,
 * SMC_EOVERFLOW, SMC_ENOMEM. */
smc_code_t smc_market_adjust(smc_market_t *m, int32_t account, int32_t asset, smc_dec_t amount,
                             smc_error_t *err);

#endif /* SMC_MARKET_POSITION_H */
