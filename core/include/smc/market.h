/* smc/market.h - a matching engine: instruments, order books, accounts, fills, exact amounts.
 *
 * Pure      no loop, no clock, no I/O: `now_ms` (Unix milliseconds) is passed in.  The same calls
 *           give the same results: nothing depends on an address or a hash.
 * Time      never goes back.  A call with now_ms first advances all feeds to it
 *           (smc/market_feed.h); a now_ms before the market's time means the market's time.
 *           Queries do not advance.
 * Priority  price, then time.  Trades happen at the resting order's price.
 * Fees      rate * received, rounded down to the precision of the received asset, taken from it.
 * Locks     a buy limit order locks price * qty of quote, a sell qty of base; the rest of a lock
 *           returns when the order ends, what a better price saves returns at the fill.
 * Accounts  0 is the system's: unlimited funds, no order history, no order events.  Others count
 *           from 1.
 * Memory    after SMC_ENOMEM or SMC_REFUSED_MEMORY the market may only be freed.
 * Borrowed  orders last as long as the market, or as it keeps them, and change with it; events
 *           until the next call that is not a query.
 * Thread    one owner.
 */
#ifndef SMC_MARKET_H
#define SMC_MARKET_H

#include "smc/decimal.h"
#include "smc/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SMC_MARKET_NAME_MAX 47      /* bytes of a symbol, an asset or an account name */
#define SMC_MARKET_CLIENT_ID_MAX 64 /* bytes of a client order id */
#define SMC_MARKET_SYSTEM 0         /* the account of the feeds */
#define SMC_MARKET_ALL (-1)         /* every instrument */

typedef struct smc_market smc_market_t;

typedef enum smc_side { SMC_BUY, SMC_SELL } smc_side_t;
typedef enum smc_order_type { SMC_LIMIT, SMC_MARKET_ORDER, SMC_LIMIT_MAKER } smc_order_type_t;
typedef enum smc_tif { SMC_TIF_NONE, SMC_GTC, SMC_IOC, SMC_FOK } smc_tif_t;

/* What happens when an order meets one of the same account; the taker's mode decides. */
typedef enum smc_stp {
    SMC_STP_NONE,         /* they trade */
    SMC_STP_EXPIRE_TAKER, /* the taker ends */
    SMC_STP_EXPIRE_MAKER, /* the maker ends, the taker goes on */
    SMC_STP_EXPIRE_BOTH,
    SMC_STP_DECREMENT, /* both lose the smaller quantity; whoever has none left ends */
} smc_stp_t;

typedef enum smc_order_status {
    SMC_ORDER_NEW,
    SMC_ORDER_PARTIALLY_FILLED,
    SMC_ORDER_FILLED,
    SMC_ORDER_CANCELED,
    SMC_ORDER_EXPIRED,
    SMC_ORDER_EXPIRED_IN_MATCH,
} smc_order_status_t;

typedef enum smc_end_reason {
    SMC_END_NONE,
    SMC_END_USER,      /* canceled by its owner */
    SMC_END_SYSTEM,    /* canceled by the venue */
    SMC_END_IOC,       /* what an IOC order did not get at once */
    SMC_END_FOK,       /* could not be filled at once and in full */
    SMC_END_LIQUIDITY, /* market order: the book ran out */
    SMC_END_STP,       /* self-trade prevention */
    SMC_END_BOUND,     /* market order: nothing was left within its price */
    SMC_END_REDUCE,    /* reduce-only: there is nothing left to reduce */
    SMC_END_TRIGGER,   /* its time had come, but it was refused: `reject` says why */
    SMC_END_LINKED,    /* another order of its group came first, or the one before it failed */
} smc_end_reason_t;

/* Why a call did nothing.  X(name, text) */
#define SMC_REFUSAL_MAP(X)                    \
    X(PRICE, "invalid_price")                 \
    X(QTY, "invalid_qty")                     \
    X(QUOTE_QTY, "invalid_quote_qty")         \
    X(COMBINATION, "invalid_combination")     \
    X(CLIENT_ID, "invalid_client_id")         \
    X(DUPLICATE, "duplicate_client_id")       \
    X(FUNDS, "insufficient_funds")            \
    X(WOULD_TAKE, "would_take")               \
    X(NO_LIQUIDITY, "no_liquidity")           \
    X(QUOTE_TOO_SMALL, "quote_qty_too_small") \
    X(UNKNOWN_ORDER, "unknown_order")         \
    X(NOT_SMALLER, "not_smaller")             \
    X(NO_CHANGE, "no_change")                 \
    X(TRIGGER, "invalid_trigger_price")       \
    X(TRAIL, "invalid_trail")                 \
    X(WOULD_TRIGGER, "would_trigger")         \
    X(HALTED, "halted")                       \
    X(NOTHING_TO_REDUCE, "nothing_to_reduce") \
    X(UNKNOWN_LOT, "unknown_lot")             \
    X(NO_RATE, "no_rate")                     \
    X(MEMORY, "out_of_memory")

typedef enum smc_refusal {
    SMC_ACCEPTED,
#define X(name, text) SMC_REFUSED_##name,
    SMC_REFUSAL_MAP(X)
#undef X
        SMC_REFUSAL_COUNT
} smc_refusal_t;

/* Which price a conditional order watches. */
typedef enum smc_watch {
    SMC_WATCH_LAST, /* of every public trade */
    SMC_WATCH_BID,  /* these at the end of an operation */
    SMC_WATCH_ASK,
    SMC_WATCH_MARK,
    SMC_WATCH_INDEX, /* the mark, under the name that the order was given */
} smc_watch_t;

/* When a conditional order begins to work.  With a trail its price follows the best value seen at
 * that distance: down from the highest (falls), up from the lowest (rises). */
typedef struct smc_trigger {
    smc_dec_t price;   /* with a trail: where following begins; 0: not given, it begins at once */
    smc_dec_t trail;   /* distance; 0: none */
    int32_t trail_bps; /* distance in 1/10000 of the best value, 1..9999; 0: none */
    smc_watch_t by;
    bool rises;       /* fires at or above the price; else at or below */
    bool immediately; /* may fire in the call that places it; else that is a refusal */
    bool unlocked;    /* what the order needs is locked when it fires, and not before */
} smc_trigger_t;

typedef struct smc_order {
    int64_t id; /* grows, for each instrument */
    int32_t instrument;
    int32_t account;
    smc_side_t side;
    smc_order_type_t type;
    smc_tif_t tif;
    smc_stp_t stp;
    smc_order_status_t status;
    smc_end_reason_t reason;
    bool on_book;
    bool conditional; /* has a trigger */
    bool reduce_only;
    bool liquidation;      /* placed by the system to end a position */
    int64_t close_lot;     /* the lot that it closes; 0: none named */
    smc_refusal_t reject;  /* SMC_END_TRIGGER: why it could not begin to work */
    smc_dec_t price;       /* of a market order: its bound; 0: none */
    smc_dec_t qty;         /* base; of a market order by quote amount: what the amount comes to, 0
                            until it fires */
    smc_dec_t quote_qty;   /* 0 unless a market order by quote amount */
    smc_dec_t display_qty; /* the most that the book shows of it at a time; 0: all */
    smc_dec_t filled;
    smc_dec_t filled_quote;
    smc_dec_t prevented_qty;
    int64_t created_ms;
    int64_t updated_ms;
    int64_t working_ms;         /* since when it works; -1: it waits for its trigger */
    int64_t triggered_ms;       /* -1: not fired, or no trigger */
    smc_trigger_t trigger;      /* as given */
    smc_dec_t trigger_price;    /* in force; 0: none, or not following yet */
    int64_t link;               /* its group, of which one cancels the others; 0: none */
    int64_t after;              /* the order that must be filled first; 0: none, or it has been */
    int64_t following_ms;       /* since when its trail follows; -1: not yet, or no trail */
    int64_t prevented_match_id; /* of the last one; -1: none */
    char client_id[SMC_MARKET_CLIENT_ID_MAX + 1];
    char orig_client_id[SMC_MARKET_CLIENT_ID_MAX +
                        1]; /* before a cancel or amend replaced it; "" if none did */
} smc_order_t;

typedef struct smc_trade {
    int64_t id; /* grows by one, for each instrument, from 1 */
    int64_t time_ms;
    smc_dec_t price;
    smc_dec_t qty;
    smc_dec_t quote;
    bool buyer_is_maker;
} smc_trade_t;

/* One side's view of a trade. */
typedef struct smc_fill {
    int64_t trade_id;
    int64_t order_id;
    int64_t time_ms;
    int32_t instrument;
    int32_t fee_asset;
    smc_side_t side;
    bool is_maker;
    smc_dec_t price;
    smc_dec_t qty;
    smc_dec_t quote;
    smc_dec_t fee;
    smc_dec_t realized;   /* contracts, in the settle asset: profit of what it closed */
    smc_dec_t closed_qty; /* contracts: the part that closed */
    size_t first_lot;     /* its lot changes: smc_market_lot_changes (smc/market_position.h) */
    size_t n_lots;
} smc_fill_t;

/* Two orders that self-trade prevention kept from trading. */
typedef struct smc_prevented {
    int64_t id; /* grows by one, for each instrument, from 1 */
    int64_t taker_order_id;
    int64_t maker_order_id;
    int64_t time_ms;
    int32_t account;
    smc_stp_t stp;
    smc_dec_t price;     /* the maker's */
    smc_dec_t taker_qty; /* what the taker lost; 0: nothing */
    smc_dec_t maker_qty;
} smc_prevented_t;

typedef struct smc_balance {
    smc_dec_t free;
    smc_dec_t locked;
} smc_balance_t;

/* ---- setting up --------------------------------------------------------- */

/* What makes an instrument a contract: its fills move neither base nor quote but change a position
 * (smc/market_position.h). */
typedef struct smc_contract_conf {
    const char *settle;    /* asset of profits, fees and margin; NULL: quote */
    int settle_precision;  /* decimals of what is booked there, 0..18 */
    bool lots;             /* first in, first out; else one average price */
    bool value_by_side;    /* longs at the best bid, shorts at the best ask; else at the mark */
    smc_dec_t margin_rate; /* 0.0001..1, share of the value */
    smc_dec_t maintenance_rate; /* 0..margin_rate */
    const char *via;  /* settle is not quote: the instrument whose mark turns quote into */
    bool via_inverse; /* settle by multiplying, inverse: by dividing.  May name itself */
} smc_contract_conf_t;

typedef struct smc_instrument_conf {
    const char *symbol, *base, *quote;   /* copied */
    smc_dec_t tick, step;                /* > 0; their decimals together at most 18 */
    smc_dec_t min_qty;                   /* 0: one step */
    int base_precision, quote_precision; /* decimals of fees, 0..18 */
    smc_dec_t maker_fee, taker_fee;      /* rates, 0 <= rate < 1, at most 9 decimals */
    const smc_contract_conf_t *contract; /* NULL: spot */
} smc_instrument_conf_t;

typedef struct smc_account_conf {
    const char *name;           /* copied; may be NULL */
    const smc_dec_t *maker_fee; /* NULL: the instrument's */
    const smc_dec_t *taker_fee;
} smc_account_conf_t;

/* Errors: SMC_ENOMEM. */
smc_code_t smc_market_new(uint64_t seed, int64_t now_ms, smc_market_t **out, smc_error_t *err);
void smc_market_free(smc_market_t *m);
int64_t smc_market_time(const smc_market_t *m);
/* For markets that go on for days: of each account and instrument at least the newest `orders` that
 * have ended and as many fills are remembered, of each instrument the newest `trades`, and at most
 * about twice as many; what is open always.  Ids go on.  0: all of them (the default). */
void smc_market_keep(smc_market_t *m, size_t orders, size_t trades);

/* *id counts from 0.  Errors: SMC_EINVAL, SMC_EEXIST, SMC_ENOMEM. */
smc_code_t smc_market_add_instrument(smc_market_t *m, const smc_instrument_conf_t *conf,
                                     int32_t *id, smc_error_t *err);
/* *id counts from 1.  Errors: SMC_EINVAL, SMC_ENOMEM. */
smc_code_t smc_market_add_account(smc_market_t *m, const smc_account_conf_t *conf, int32_t *id,
                                  smc_error_t *err);
/* NULL: the instrument's rate. */
smc_code_t smc_market_set_fees(smc_market_t *m, int32_t account, const smc_dec_t *maker_fee,
                               const smc_dec_t *taker_fee, smc_error_t *err);
/* Declares an asset, or finds it.  Errors: SMC_EINVAL, SMC_ENOMEM. */
smc_code_t smc_market_add_asset(smc_market_t *m, const char *name, int32_t *id, smc_error_t *err);

/* -1: no such symbol, asset. */
int32_t smc_market_find_instrument(const smc_market_t *m, const char *symbol);
int32_t smc_market_find_asset(const smc_market_t *m, const char *name);
int32_t smc_market_instruments(const smc_market_t *m); /* how many */
int32_t smc_market_assets(const smc_market_t *m);
bool smc_market_is_contract(const smc_market_t *m, int32_t instrument);
int32_t smc_market_accounts(const smc_market_t *m); /* the system's not counted */
const char *smc_market_symbol(const smc_market_t *m, int32_t instrument);
const char *smc_market_asset(const smc_market_t *m, int32_t asset);

/* amount > 0.  Errors of credit: SMC_EINVAL, SMC_ENOMEM, SMC_EOVERFLOW.  debit: SMC_EINVAL when
 * less is free, or available where contracts settle in the asset. */
smc_code_t smc_market_credit(smc_market_t *m, int32_t account, int32_t asset, smc_dec_t amount,
                             smc_error_t *err);
smc_code_t smc_market_debit(smc_market_t *m, int32_t account, int32_t asset, smc_dec_t amount,
                            smc_error_t *err);
smc_balance_t smc_market_balance(const smc_market_t *m, int32_t account, int32_t asset);
/* All fees taken so far in this asset. */
smc_dec_t smc_market_fees(const smc_market_t *m, int32_t asset);

/* ---- orders ------------------------------------------------------------- */

typedef struct smc_order_request {
    int32_t account, instrument;
    smc_side_t side;
    smc_order_type_t type;
    smc_tif_t tif; /* SMC_TIF_NONE: GTC.  Limit orders; a market order: IOC (the default) or FOK */
    smc_stp_t stp;
    const smc_dec_t *qty; /* NULL: not given */
    const smc_dec_t *quote_qty;
    const smc_dec_t *price; /* of a market order: takes nothing beyond it */
    /* NULL: all.  Of a limit order, the most that the book shows of it; the next part goes to the
     * end of the queue at its price when one is used up. */
    const smc_dec_t *display_qty;
    const char *client_id; /* NULL or "": none; copied */
    /* NULL, or when the order begins to work; until then it only waits.  It locks what a limit
     * order would; without a price of its own, what it comes to at the trigger price. */
    const smc_trigger_t *trigger;
    /* A group of the account's orders on the instrument, all of one side, all but one of them with
     * a trigger: the first that trades or fires cancels the others.  What they need is locked once.
     * From smc_market_new_link; 0: none. */
    int64_t link;
    /* An order of the account on the instrument: until it is filled this one locks nothing and does
     * nothing; ends the other in any other way, this one is cancelled.  0: none. */
    int64_t after;
    /* A market order by quantity in an empty book is taken in, and expires; else NO_LIQUIDITY. */
    bool expires_unfilled;
    /* Contracts.  Closes the position and no more: cut down to it when it begins to work. */
    bool reduce_only;
    int64_t close_lot; /* 0, or the lot that it closes and nothing else; implies reduce_only */
} smc_order_request_t;

/* Which order: by id unless -1, by client id unless NULL; both must agree. */
typedef struct smc_order_ref {
    int32_t account, instrument;
    int64_t id;
    const char *client_id;
} smc_order_ref_t;

/* A name for a group of linked orders that no other group has; above 0. */
int64_t smc_market_new_link(smc_market_t *m);
/* *out: the order as it is after matching; borrowed.  A refused order leaves no trace. */
smc_refusal_t smc_market_place(smc_market_t *m, const smc_order_request_t *req, int64_t now_ms,
                               const smc_order_t **out);
/* new_client_id: NULL keeps it.  Refusals: UNKNOWN_ORDER, CLIENT_ID. */
smc_refusal_t smc_market_cancel(smc_market_t *m, const smc_order_ref_t *ref,
                                const char *new_client_id, int64_t now_ms, const smc_order_t **out);
/* The system trades with an order that rests in the book, at its price and out of its turn: qty of
 * it, or all that is left (NULL).  Refusals: UNKNOWN_ORDER, QTY, HALTED. */
smc_refusal_t smc_market_fill(smc_market_t *m, const smc_order_ref_t *ref, const smc_dec_t *qty,
                              int64_t now_ms, const smc_order_t **out);
typedef void (*smc_order_cb)(void *ud, const smc_order_t *order);
typedef struct smc_cancel_all {
    int32_t account;
    int32_t instrument;      /* or SMC_MARKET_ALL */
    smc_end_reason_t reason; /* SMC_END_USER or SMC_END_SYSTEM */
} smc_cancel_all_t;
/* By instrument, then id; cb (may be NULL) gets each and must not call the market. */
void smc_market_cancel_all(smc_market_t *m, const smc_cancel_all_t *which, int64_t now_ms,
                           smc_order_cb cb, void *ud);
/* NULL: stays as it is. */
typedef struct smc_amendment {
    const smc_dec_t *qty;           /* the new total, above what is filled and prevented */
    const smc_dec_t *price;         /* limit orders, and market orders with a bound */
    const smc_dec_t *trigger_price; /* orders that wait; not those that trail */
    const char *new_client_id;
    bool keep_priority; /* only a smaller quantity will do */
} smc_amendment_t;
/* Changes an open order; its id stays.  One that only becomes smaller keeps its place in the queue;
 * any other begins anew at the end of its price's queue and may trade at once.  A refusal leaves it
 * as it was.
 * Refusals: UNKNOWN_ORDER, HALTED, COMBINATION, QTY, PRICE, TRIGGER, NOT_SMALLER, NO_CHANGE,
 * WOULD_TAKE, WOULD_TRIGGER, FUNDS, DUPLICATE, CLIENT_ID. */
smc_refusal_t smc_market_amend(smc_market_t *m, const smc_order_ref_t *ref,
                               const smc_amendment_t *change, int64_t now_ms,
                               const smc_order_t **out);
/* While halted the feed stands still, nothing triggers, place and amend are refused; cancel works.
 * Errors: SMC_EINVAL. */
smc_code_t smc_market_halt(smc_market_t *m, int32_t instrument, bool halted, smc_error_t *err);
bool smc_market_halted(const smc_market_t *m, int32_t instrument);
const char *smc_refusal_text(smc_refusal_t why); /* "" when accepted */

/* ---- what there is ------------------------------------------------------ */

/* Orders whose trigger has not fired, and all others. */
typedef enum smc_waiting { SMC_WAITING_ANY, SMC_WAITING_ONLY, SMC_WAITING_NOT } smc_waiting_t;

/* Zeroed means everything; bounds are inclusive.  With limit > 0: the first `limit` when from_id or
 * from_ms is given, else the last.  Callbacks must not call the market. */
typedef struct smc_range {
    int64_t from_id;        /* 0: from the first */
    int64_t from_ms, to_ms; /* 0: no bound */
    size_t limit;           /* 0: all */
    int64_t order_id;       /* fills and prevented matches: of this order; 0: of all */
    bool open_only;         /* orders */
    bool by_update;         /* orders: the bounds are those of their last change */
    smc_waiting_t waiting;  /* orders */
} smc_range_t;

/* NULL: none.  By client id: an open order first, then the latest that has it, then the latest
 * that had it. */
const smc_order_t *smc_market_order(const smc_market_t *m, const smc_order_ref_t *ref);
/* By instrument, then id; times are those of creation, unless range->by_update. */
void smc_market_orders(const smc_market_t *m, int32_t account, int32_t instrument,
                       const smc_range_t *range, smc_order_cb cb, void *ud);
size_t smc_market_open_orders(const smc_market_t *m, int32_t account, int32_t instrument);
/* What positions are valued at and orders by mark watch: the mid of the feed; without a feed half
 * way between the best prices, or the last trade when a side is empty.  0: none yet. */
smc_dec_t smc_market_mark(const smc_market_t *m, int32_t instrument);

typedef void (*smc_fill_cb)(void *ud, const smc_fill_t *fill);
void smc_market_fills(const smc_market_t *m, int32_t account, int32_t instrument,
                      const smc_range_t *range, smc_fill_cb cb, void *ud);
typedef void (*smc_prevented_cb)(void *ud, const smc_prevented_t *p);
void smc_market_prevented(const smc_market_t *m, int32_t account, int32_t instrument,
                          const smc_range_t *range, smc_prevented_cb cb, void *ud);

typedef void (*smc_trade_cb)(void *ud, const smc_trade_t *trade);
/* Includes the feed's history, which is made at the first call: hence not const.  Errors:
 * SMC_ENOMEM. */
smc_code_t smc_market_trades(smc_market_t *m, int32_t instrument, const smc_range_t *range,
                             smc_trade_cb cb, void *ud);

typedef void (*smc_level_cb)(void *ud, smc_side_t side, smc_dec_t price, smc_dec_t qty);
/* Best first, bids then asks.  depth 0: all.  Returns the update id that the levels belong to. */
int64_t smc_market_book(const smc_market_t *m, int32_t instrument, size_t depth, smc_level_cb cb,
                        void *ud);

typedef struct smc_candle {
    int64_t open_ms, close_ms; /* close_ms: the last millisecond inside */
    smc_dec_t open, high, low, close;
    smc_dec_t volume, quote_volume;
    smc_dec_t taker_volume, taker_quote_volume; /* of trades whose buyer took */
    int64_t count;
    int64_t first_id, last_id; /* -1 when count is 0 */
} smc_candle_t;

typedef struct smc_candle_query {
    int64_t interval_ms;    /* > 0 */
    int64_t offset_ms;      /* opens are offset_ms + n * interval_ms */
    int64_t from_ms, to_ms; /* bounds of open_ms, inclusive; 0: none */
    size_t limit;           /* > 0: the first `limit` when from_ms is given, else the last */
} smc_candle_query_t;

typedef void (*smc_candle_cb)(void *ud, const smc_candle_t *candle);
/* From the interval of the first trade to that of the market's time.  An interval without a trade
 * repeats the last
 * close.  Errors: SMC_EINVAL, SMC_ENOMEM. */
smc_code_t smc_market_candles(smc_market_t *m, int32_t instrument, const smc_candle_query_t *query,
                              smc_candle_cb cb, void *ud);

typedef struct smc_window {
    smc_candle_t sum; /* open_ms, close_ms: times of the first and the last trade */
    smc_dec_t last_qty;
    smc_dec_t prev_close; /* price of the last trade before; 0: there is none */
} smc_window_t;
/* Trades with from_ms < time <= to_ms; out->sum.count may be 0.  Errors: SMC_ENOMEM. */
smc_code_t smc_market_window(smc_market_t *m, int32_t instrument, int64_t from_ms, int64_t to_ms,
                             smc_window_t *out);
/* The price of the last span_ms, weighted by quantity, to 8 places; without a trade in them that of the last trade, 0 if
 * there is none.  *last_ms: when that was.  Made for being asked with every order: it costs what has happened since it was
 * asked before, as long as the span stays the same.  Errors: SMC_ENOMEM. */
smc_code_t smc_market_average(smc_market_t *m, int32_t instrument, int64_t span_ms,
                              smc_dec_t *price, int64_t *last_ms);

/* ---- events ------------------------------------------------------------- */

typedef enum smc_want {
    SMC_WANT_NONE,
    SMC_WANT_ORDERS, /* order, balance and transfer events */
    SMC_WANT_ALL,    /* trades and levels too */
} smc_want_t;

typedef enum smc_exec {
    SMC_EXEC_NEW,
    SMC_EXEC_TRADE,
    SMC_EXEC_CANCELED,
    SMC_EXEC_EXPIRED,
    SMC_EXEC_PREVENTED, /* self-trade prevention; order.status tells whether the order ended */
    SMC_EXEC_REPLACED,
    SMC_EXEC_TRIGGERED, /* its trigger has fired: from here on it is an order of this instant */
    SMC_EXEC_RELEASED,  /* the order before it is filled: the same */
} smc_exec_t;

typedef struct smc_order_event {
    smc_order_t order; /* just after; in SMC_EXEC_NEW nothing is filled, and on_book is true unless
                          it waits */
    smc_exec_t exec;
    int64_t exec_id;            /* grows, for each instrument */
    smc_fill_t fill;            /* SMC_EXEC_TRADE only */
    int64_t prevented_match_id; /* SMC_EXEC_PREVENTED only, as the rest */
    int64_t counter_order_id;
    smc_dec_t prevented_qty; /* what this order lost by it */
    smc_dec_t prevented_price;
} smc_order_event_t;

typedef enum smc_market_event_type {
    SMC_EVENT_ORDER,
    SMC_EVENT_TRADE,
    SMC_EVENT_LEVEL,
    SMC_EVENT_BALANCE,
    SMC_EVENT_TRANSFER,
    SMC_EVENT_POSITION,
} smc_market_event_type_t;

typedef struct smc_market_event {
    smc_market_event_type_t type;
    int64_t time_ms;
    int32_t instrument; /* order, trade, level, position */
    union {
        const smc_order_event_t *order;
        smc_trade_t trade;
        struct {
            smc_side_t side;
            smc_dec_t price, qty; /* the new total; 0: gone */
            int64_t update_id;    /* grows by one, for each instrument */
        } level;
        struct {
            int32_t account, asset;
            smc_balance_t now;
        } balance; /* once for each asset touched, at the end of each operation */
        struct {
            int32_t account, asset;
            smc_dec_t amount; /* negative: debit */
        } transfer;
        struct {
            int32_t account;
            smc_dec_t qty, entry, realized, upl; /* as in smc_position_t */
        } position; /* once for each position touched, at the end of each operation */
    } u;
} smc_market_event_t;

/* From now on; instrument may be SMC_MARKET_ALL (present and future ones).  Balance and transfer
 * events are recorded while any instrument, or the default, wants orders. */
void smc_market_want(smc_market_t *m, int32_t instrument, smc_want_t want);
size_t smc_market_events(const smc_market_t *m); /* how many are kept */
/* i < smc_market_events; borrowed until the market is next changed or the events are cleared. */
smc_market_event_t smc_market_event(const smc_market_t *m, size_t i);
void smc_market_clear_events(smc_market_t *m);

#endif /* SMC_MARKET_H */
