/* market_priv.h - what the files of core/market share. */
#ifndef SMC_MARKET_PRIV_H
#define SMC_MARKET_PRIV_H

#include "smc/market.h"
#include "smc/market_feed.h"
#include "smc/market_position.h"
#include "smc/rng.h"

#include <string.h>

typedef struct node node_t;
typedef struct level level_t;
typedef struct account account_t;
typedef struct instrument instrument_t;
typedef struct feed feed_t;
typedef struct contract contract_t;
typedef struct position position_t;

/* Largest price, quantity and notional: sums of 10^5 of them still fit a decimal. */
#define AMOUNT_MAX_WHOLE INT64_C(1000000000000000)

/* How far a conditional order has come. */
typedef struct watch {
    bool waiting;    /* its trigger has not fired */
    bool due;        /* it fires at the end of the operation */
    bool following;  /* trails from here on */
    bool from_below; /* begins to trail when the price has risen to trigger.price; else fallen */
    smc_dec_t best;  /* since it trails */
} watch_t;

/* An order inside the engine. */
struct node {
    smc_order_t o;
    smc_dec_t rem;    /* base still to trade */
    smc_dec_t locked; /* what it still holds of its lock */
    smc_dec_t hidden; /* the part of rem that its level does not show */
    account_t *owner;
    instrument_t *inst;
    level_t *level;                /* NULL while not on the book */
    node_t *prev, *next;           /* in the level's queue; next also links the pool */
    node_t *open_prev, *open_next; /* the owner's open orders on the instrument, by id */
    node_t *wait_prev, *wait_next; /* those of the instrument that wait for their trigger, by id */
    watch_t watch;
    bool linked;           /* a member of the group o.link */
    smc_dec_t need;        /* what it would lock, had it no group */
    node_t *followers;     /* those that wait until it is filled, in the order of their coming */
    node_t *next_follower; /* of the same order */
    node_t *next_ended;    /* in the market's list */
    node_t **slot;         /* the feed's pointer to this order, cleared when it ends */
    size_t first_fill;     /* index into the owner's fills from which its own may come */
    bool ran_out;          /* quote amount: the book held less than that */
    bool ended;
};

struct level {
    smc_dec_t price;
    smc_dec_t total;
    smc_dec_t hidden; /* the part of it that nobody is shown */
    node_t *head, *tail;
};

/* Sorted so that the best price is the last: most changes happen there. */
typedef struct book_side {
    level_t **v;
    size_t n, cap;
} book_side_t;

typedef struct trades {
    smc_trade_t *v;
    size_t n, cap;
} trades_t;

/* The trades before the start, made from the last one backwards, as many as are asked for. */
typedef struct history {
    smc_trade_t *v; /* the last one first; NULL: none is made */
    size_t n, made; /* n is known at once; the last `made` of them are there */
    size_t cap;
    int64_t mid; /* at the first that is made */
    smc_rng_t rng;
} history_t;

/* Sums over the trades [from, to), moved along as time passes. */
typedef struct running {
    size_t from, to;
    smc_dec_t qty, quote;
} running_t;

/* The prices of an instrument that triggers have been offered. */
typedef struct prices {
    smc_dec_t bid, ask, mark; /* 0: none */
    size_t trades;
} prices_t;

struct instrument {
    char symbol[SMC_MARKET_NAME_MAX + 1];
    int32_t id, base, quote; /* base, quote: assets */
    smc_dec_t tick, step, min_qty;
    int base_places, quote_places;
    smc_dec_t maker_fee, taker_fee;
    book_side_t sides[2]; /* by smc_side_t */
    int64_t update_id, last_order_id, last_exec_id;
    smc_want_t want;
    trades_t trades;   /* since the start */
    history_t history; /* before it */
    int64_t forgotten; /* trades before the first that is left */
    running_t average;
    smc_prevented_t *prevented;
    size_t n_prevented, cap_prevented;
    int64_t forgotten_prevented;
    feed_t *feed; /* owned; NULL: none */
    node_t *wait_head, *wait_tail;
    prices_t seen;        /* while anything waits */
    contract_t *contract; /* owned; NULL: spot */
    bool halted;
};

/* How a contract settles. */
struct contract {
    int32_t settle; /* asset */
    int places;
    bool lots, value_by_side;
    smc_dec_t margin_rate, maintenance_rate;
    const instrument_t *via; /* NULL: settles in quote */
    bool via_inverse;
    smc_dec_t gain, loss; /* factors on what is converted */
};

typedef struct lot {
    int64_t id, opened_ms;
    smc_dec_t qty, initial; /* unsigned */
    smc_dec_t cost;         /* quote; of qty, exact */
    smc_dec_t price;        /* stays while qty shrinks */
    smc_dec_t realized;     /* settle */
} lot_t;

/* A contract with an average price has one lot at most. */
struct position {
    smc_side_t side;     /* SMC_BUY: long */
    smc_dec_t qty, cost; /* sums of the lots */
    lot_t *lots;
    size_t n, cap;
    smc_dec_t realized, realized_total, fees; /* settle */
    smc_dec_t rate;                           /* of the account's own; 0: the contract's */
    int64_t opened_ms, updated_ms;
    bool touched;      /* its event is due at the end of the operation */
    smc_dec_t planned; /* scratch of match_plan: what makers before this one would close */
    bool untidy;       /* its reduce-only orders have not been looked at since it changed */
};

typedef struct purse {
    smc_balance_t b;
    bool touched;
} purse_t;

/* What one account's resting orders of one side come to; contracts, reduce-only orders aside. */
typedef struct resting {
    smc_dec_t qty;
    smc_dec_t quote; /* at their prices */
} resting_t;

/* What one account has done on one instrument. */
typedef struct holding {
    node_t **orders; /* by id; owned */
    size_t n_orders, cap_orders;
    smc_fill_t *fills; /* by trade id */
    size_t n_fills, cap_fills;
    node_t *open_head, *open_tail;
    size_t n_open;
    size_t n_reducing;    /* of the open ones: those that only reduce */
    resting_t resting[2]; /* by smc_side_t */
    bool hedged;          /* long and short are apart */
    /* By smc_side_t; [SMC_BUY] alone unless hedged.  Owned; NULL: never held, and no rate of its own. */
    position_t *positions[2];
} holding_t;

/* Client ids: chained hash, newest first in each chain.  Never iterated. */
typedef struct id_entry {
    uint64_t hash;
    node_t *node;
    int32_t next; /* -1: end */
} id_entry_t;

typedef struct id_index {
    id_entry_t *v;
    size_t n, cap;
    int32_t *buckets;
    size_t n_buckets; /* a power of two, or 0 */
} id_index_t;

struct account {
    int32_t id;
    char name[SMC_MARKET_NAME_MAX + 1];
    bool own_maker_fee, own_taker_fee;
    smc_dec_t maker_fee, taker_fee;
    purse_t *purses;     /* one for each asset */
    holding_t *holdings; /* one for each instrument */
    id_index_t ids;
};

typedef struct asset {
    char name[SMC_MARKET_NAME_MAX + 1];
    smc_dec_t fees;
    size_t contracts;      /* that settle in it */
    smc_dec_t liquidation; /* threshold; 0: off */
} asset_t;

typedef struct event_rec {
    smc_market_event_t e;
    size_t order_at; /* index into order_events when e is an order event */
} event_rec_t;

typedef struct touch {
    int32_t account, asset;
} touch_t;

typedef struct moved {
    int32_t account, instrument;
    position_t *position;
} moved_t;

struct smc_market {
    uint64_t seed;
    int64_t now_ms;
    bool failed; /* out of memory: sticky */
    instrument_t **instruments;
    size_t n_instruments, cap_instruments;
    account_t **accounts; /* [0] is the system's */
    size_t n_accounts, cap_accounts;
    asset_t *assets;
    size_t n_assets, cap_assets;
    smc_want_t want; /* of instruments to come */
    bool want_orders;
    event_rec_t *events;
    size_t n_events, cap_events;
    smc_order_event_t *order_events;
    size_t n_order_events, cap_order_events;
    touch_t *touched;
    size_t n_touched, cap_touched;
    moved_t *moved; /* positions */
    size_t n_moved, cap_moved;
    smc_lot_change_t *lot_changes;
    size_t n_lot_changes, cap_lot_changes;
    size_t forgotten_lots; /* changes that were before the first of them */
    size_t n_waiting;      /* orders that wait for their trigger */
    int64_t last_link;
    size_t keep_orders, keep_trades; /* 0: all */
    unsigned since_forget;           /* operations */
    node_t *ended;                   /* orders that have ended and have followers */
    node_t *pool;                    /* ended orders of the system, to be used again */
};

/* ---- amounts: bounded by AMOUNT_MAX_WHOLE where they enter, so that these can't overflow ---- */

static inline smc_dec_t dec_zero(void)
{
    return (smc_dec_t){0};
}
static inline smc_dec_t dec_plus(smc_dec_t a, smc_dec_t b)
{
    return (smc_dec_t){a.units + b.units};
}
static inline smc_dec_t dec_minus(smc_dec_t a, smc_dec_t b)
{
    return (smc_dec_t){a.units - b.units};
}
static inline smc_dec_t dec_min(smc_dec_t a, smc_dec_t b)
{
    return a.units < b.units ? a : b;
}
static inline bool dec_is_zero(smc_dec_t a)
{
    return a.units == 0;
}
static inline bool dec_less(smc_dec_t a, smc_dec_t b)
{
    return a.units < b.units;
}
/* The decimals of tick and step together fit, so a price times a quantity is exact. */
static inline smc_dec_t dec_notional(smc_dec_t price, smc_dec_t qty)
{
    smc_dec_t out = {0};
    (void)smc_dec_mul(price, qty, SMC_DEC_PLACES, SMC_ROUND_DOWN, &out);
    return out;
}

static inline bool dec_positive(smc_dec_t a)
{
    return a.units > 0;
}

/* For texts whose length has been checked. */
static inline void text_copy(char *out, const char *text)
{
    memcpy(out, text, strlen(text) + 1);
}
static inline bool is_system(const account_t *a)
{
    return a->id == SMC_MARKET_SYSTEM;
}
static inline bool only_reduces(const smc_order_request_t *r)
{
    return r->reduce_only || r->close_lot != 0;
}
static inline smc_side_t other_side(smc_side_t s)
{
    return s == SMC_BUY ? SMC_SELL : SMC_BUY;
}

/* What a limit order locks.  A contract locks nothing: it is margin that it needs. */
static inline smc_dec_t limit_lock(const instrument_t *inst, smc_side_t side, smc_dec_t price,
                                   smc_dec_t qty)
{
    if (inst->contract != NULL)
        return dec_zero();
    return side == SMC_BUY ? dec_notional(price, qty) : qty;
}

/* ---- market.c ---- */

/* Makes room for one more element; false (and m->failed) when out of memory.  m may be NULL. */
bool vec_room(smc_market_t *m, void *v, size_t n, size_t *cap, size_t size);
instrument_t *instrument_at(const smc_market_t *m, int32_t id); /* NULL: no such */
account_t *account_at(const smc_market_t *m, int32_t id);       /* NULL: no such, or the system's */
/* Remembers the balance for the event at the end of the operation. */
void balance_touch(smc_market_t *m, account_t *a, int32_t asset);
/* Ends an operation: what it set off, then balance events. */
void market_settle(smc_market_t *m);

/* ---- book.c ---- */

level_t *book_best(const instrument_t *inst, smc_side_t side); /* NULL: empty */
/* Whether a taker on `side` with this limit reaches the price. */
bool book_crosses(smc_side_t taker, smc_dec_t limit, smc_dec_t price);
/* Puts an order at the end of its price's queue.  false: out of memory. */
bool book_rest(smc_market_t *m, node_t *n);
/* Takes it off; the level may be empty afterwards and stays until book_settle. */
void book_unlink(node_t *n);
/* Of an order that shows only parts of itself: when a part is used up, the next takes its place at
 * the end of the queue. */
void book_refill(node_t *n);
/* A part of what shows is about to trade, or to be lost. */
void book_take(node_t *n, smc_dec_t qty);
/* The order has become smaller, by what nobody is shown first. */
void book_shrink(node_t *n, smc_dec_t less);
smc_dec_t book_shown(const level_t *level);
/* After a change at a level: drops it when empty, and records the new total. */
void book_settle(smc_market_t *m, instrument_t *inst, smc_side_t side, level_t *level);
void book_deinit(instrument_t *inst);

/* ---- ids.c ---- */

bool ids_add(smc_market_t *m, account_t *a, const char *client_id, node_t *n);
/* Open: the one open order that has it.  Any: as smc_market_order says. */
node_t *ids_find_open(const account_t *a, const char *client_id);
node_t *ids_find(const account_t *a, int32_t instrument, const char *client_id);
/* Drops the entries of orders whose owner is NULL. */
void ids_forget(account_t *a);

/* ---- match.c ---- */

/* What a taker would get from the book as it is. */
typedef struct plan {
    smc_dec_t base, quote; /* traded */
    smc_dec_t qty;         /* quote amount: the base quantity that it comes to */
    bool ran_out;          /* the book ended first */
    bool bounded;          /* or the limit was reached */
} plan_t;

typedef struct plan_request {
    const account_t *owner;
    const instrument_t *inst;
    smc_side_t side;
    smc_stp_t stp;
    const smc_dec_t *limit; /* NULL: any price */
    const smc_dec_t *qty;   /* NULL: by quote */
    const smc_dec_t *quote;
} plan_request_t;

plan_t match_plan(const plan_request_t *req);
/* Trades until the order is done, ended, or nothing crosses. */
void match_run(smc_market_t *m, node_t *taker);
/* Trades with this one order, whatever comes before it. */
void match_with(smc_market_t *m, node_t *taker, node_t *maker);

/* ---- order.c ---- */

/* A new order of that owner; NULL: out of memory. */
node_t *order_new(smc_market_t *m, account_t *owner, instrument_t *inst, smc_side_t side);
/* Keeps it among the owner's.  false: out of memory. */
bool order_keep(smc_market_t *m, node_t *n);
void order_lock(smc_market_t *m, node_t *n, smc_dec_t amount);
void order_unlock(smc_market_t *m, node_t *n, smc_dec_t amount);
/* Ends an order that is off the book: returns its lock, leaves the open ones. */
void order_end(smc_market_t *m, node_t *n, smc_order_status_t status, smc_end_reason_t why);
/* Takes an open order off the book and ends it. */
void order_cancel(smc_market_t *m, node_t *n, smc_end_reason_t why);
node_t *order_by_id(const holding_t *h, int64_t id); /* NULL: no such */
/* An order that may be canceled or amended: named by its current client id, if by one. */
node_t *order_find_open(const smc_market_t *m, const smc_order_ref_t *ref);
bool order_rename(smc_market_t *m, node_t *n, const char *client_id);
/* Gives an ended order of the system back to the pool; leaves others alone. */
void order_release(smc_market_t *m, node_t *n);
/* The system's orders.  order_make rests an order that crosses nothing; *slot is kept up to date.
 * */
void order_make(smc_market_t *m, instrument_t *inst, smc_side_t side, smc_dec_t price,
                smc_dec_t qty, node_t **slot);
/* Takes up to qty within the limit. */
void order_take(smc_market_t *m, instrument_t *inst, smc_side_t side, smc_dec_t limit,
                smc_dec_t qty);
void order_withdraw(smc_market_t *m, node_t *n);

/* ---- place.c ---- */

bool on_grid(smc_dec_t a, smc_dec_t grid); /* positive, not too large, a multiple */
/* Whether price times qty is an amount that the engine can hold. */
bool cost_fits(smc_dec_t price, smc_dec_t qty);
smc_refusal_t check_client_id(const account_t *a, const char *id);
/* Whether the book and the owner's funds let the order work now, and what it comes to. */
smc_refusal_t place_judge(const smc_market_t *m, const account_t *a, const instrument_t *inst,
                          const smc_order_request_t *r, plan_t *plan);
/* The same for one that has waited, and begins to work; r is what it asks for. */
smc_refusal_t place_resume(const smc_market_t *m, node_t *n, const smc_order_request_t *r,
                           plan_t *plan);
/* A quote amount becomes the quantity that it comes to. */
void place_amount(node_t *n, const smc_order_request_t *r, const plan_t *plan);
/* Cuts a reduce-only quantity down to what there is to close.  Refusals: NOTHING_TO_REDUCE,
 * UNKNOWN_LOT. */
smc_refusal_t place_cut(const account_t *a, const instrument_t *inst, const smc_order_request_t *r,
                        smc_dec_t *qty);
/* Lets a judged order work: locks, matches, and rests or ends what is left. */
void place_work(smc_market_t *m, node_t *n, const smc_order_request_t *r, const plan_t *plan);
/* The order before it is filled: begins what its request asked for. */
void place_released(smc_market_t *m, node_t *n);
/* The system's market order that ends a position.  false: nobody takes any of it. */
bool place_closing(smc_market_t *m, account_t *a, instrument_t *inst, const position_t *p);
/* Takes what crosses, then rests. */
void place_rest(smc_market_t *m, node_t *n);

/* ---- trigger.c ---- */

smc_refusal_t trigger_check(const instrument_t *inst, const smc_trigger_t *t);
/* Sets the order's trigger, and its watch to the prices as they are.  Refusals: WOULD_TRIGGER,
 * NO_LIQUIDITY (trails from nothing), MEMORY. */
smc_refusal_t trigger_set(smc_market_t *m, instrument_t *inst, const smc_trigger_t *t,
                          smc_order_t *o, watch_t *w);
/* What the order holds while it waits. */
smc_dec_t trigger_lock(const instrument_t *inst, const smc_order_t *o);
void trigger_arm(smc_market_t *m, node_t *n);
void trigger_disarm(smc_market_t *m, node_t *n);
smc_dec_t mark_price(const instrument_t *inst); /* as smc_market_mark */
/* Fires what is due.  false: nothing was. */
bool triggers_run(smc_market_t *m);

/* What an order asks for, once it works. */
smc_order_request_t trigger_request(const smc_order_t *o);

/* ---- link.c ---- */

/* The members of a group, in order of id. */
node_t *link_first(const account_t *a, const instrument_t *inst, int64_t link);
node_t *link_next(const node_t *n);
/* Whether an order fits into the group that it names. */
smc_refusal_t link_check(const account_t *a, const instrument_t *inst,
                         const smc_order_request_t *r);
/* Frees what the group holds, so that another member can be judged; close locks what it needs. */
void link_open(smc_market_t *m, const account_t *a, const instrument_t *inst, int64_t link);
void link_close(smc_market_t *m, const account_t *a, const instrument_t *inst, int64_t link);
/* n ends, and the others stay. */
void link_leave(smc_market_t *m, node_t *n);
/* n trades or fires: the others are cancelled. */
void link_take(smc_market_t *m, node_t *n);
void link_follow(smc_market_t *m, node_t *n, node_t *before);
/* n, which has followers, has ended. */
void link_ended(smc_market_t *m, node_t *n);
/* Sees to the followers of what has ended.  false: there were none. */
bool links_run(smc_market_t *m);

/* ---- contract.c ---- */

/* Errors: SMC_EINVAL, SMC_ENOMEM. */
smc_code_t contract_check(const smc_market_t *m, const smc_instrument_conf_t *c, smc_error_t *err);
smc_code_t contract_new(smc_market_t *m, instrument_t *inst, const smc_instrument_conf_t *c,
                        smc_error_t *err);
/* Whether quote can be turned into the settle asset now. */
bool contract_converts(const instrument_t *inst);
/* From quote to the settle asset, rounded to its precision. */
smc_dec_t contract_amount(const instrument_t *inst, smc_dec_t quote, smc_round_t round);
/* The same for a profit or loss, with the markup. */
smc_dec_t contract_profit(const instrument_t *inst, smc_dec_t quote);

/* ---- position.c ---- */

/* The account's position on a side, which matters only while it is hedged.  NULL: none was held. */
position_t *position_on(const account_t *a, const instrument_t *inst, smc_side_t side);
/* The one that an order works on. */
position_t *position_of(const node_t *n);
/* That of a side, made when there is none.  NULL: out of memory. */
position_t *position_need(smc_market_t *m, account_t *a, const instrument_t *inst, smc_side_t side);
void position_free(position_t *p);
/* Enters a fill of a contract: lots, profit, fee, balance. */
void position_fill(smc_market_t *m, node_t *n, smc_fill_t *fill, smc_dec_t fee_rate);
/* As smc_market_position says.  p may be NULL. */
smc_position_t position_now(const instrument_t *inst, const position_t *p);
/* How much an order on that side may close; lot 0: of any. */
smc_dec_t position_reducible(const account_t *a, const instrument_t *inst, smc_side_t side,
                             int64_t lot);
/* Cuts or cancels the reduce-only orders of positions that have changed.  false: there were none. */
bool positions_tidy(smc_market_t *m);
/* Their events, at the end of an operation. */
void positions_tell(smc_market_t *m);

/* ---- liquidation.c ---- */

/* Closes positions of accounts that are below their threshold.  false: there were none, or nobody
 * takes them. */
bool liquidations_run(smc_market_t *m);

/* ---- margin.c ---- */

/* What an order, or a change of one, asks of its owner. */
typedef struct claim {
    smc_side_t side;
    smc_dec_t needed;     /* spot: to be locked */
    smc_dec_t price, qty; /* contract */
    bool reduce_only;
    const node_t *instead_of; /* the order that it replaces; NULL: none */
} claim_t;

smc_refusal_t margin_check(const smc_market_t *m, const account_t *a, const instrument_t *inst,
                           const claim_t *claim);
/* A resting order has become so much larger; below 0: smaller, or has left the book. */
void margin_count(const node_t *n, smc_dec_t more);
/* Initial margin of a position, which may be NULL. */
smc_dec_t margin_rate(const instrument_t *inst, const position_t *p);
/* What may be spent or taken out. */
smc_dec_t margin_available(const smc_market_t *m, const account_t *a, int32_t asset);

/* ---- forget.c ---- */

/* Between two operations: forgets what smc_market_keep does not keep. */
void forget_run(smc_market_t *m);

/* ---- event.c ---- */

void event_order(smc_market_t *m, const node_t *n, smc_exec_t exec, const smc_fill_t *fill);
void event_prevented(smc_market_t *m, const node_t *n, const smc_prevented_t *p);
void event_trade(smc_market_t *m, const instrument_t *inst, const smc_trade_t *t);
void event_level(smc_market_t *m, instrument_t *inst, smc_side_t side, smc_dec_t price,
                 smc_dec_t total);
void event_balance(smc_market_t *m, const account_t *a, int32_t asset);
void event_position(smc_market_t *m, int32_t account, const instrument_t *inst,
                    const smc_position_t *p);
void event_transfer(smc_market_t *m, const account_t *a, int32_t asset, smc_dec_t amount);

/* ---- query.c ---- */

size_t trades_count(const instrument_t *inst); /* history included */
/* i < trades_count; the history must have been made from there on. */
const smc_trade_t *trades_at(const instrument_t *inst, size_t i);
/* Index of the first trade at or after t_ms. */
size_t trades_from(const instrument_t *inst, int64_t t_ms);
/* Of the last trade; history_make has been called, or there is none before the start.  0: none. */
smc_dec_t last_price(const instrument_t *inst);

/* ---- feed.c, history.c ---- */

void feed_free(feed_t *f);
smc_dec_t feed_mid(const instrument_t *inst); /* of one that has a feed */
/* Makes the trades of the time before, unless made: the last `newest` of them at least.  Errors: SMC_ENOMEM. */
smc_code_t history_make(smc_market_t *m, instrument_t *inst, size_t newest);
/* The same for all trades from from_ms on, and the one before them.  At least the last trade is made. */
smc_code_t history_since(smc_market_t *m, instrument_t *inst, int64_t from_ms);

#endif /* SMC_MARKET_PRIV_H */
