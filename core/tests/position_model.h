/* position_model.h - a naive model of contracts: what positions, margin and triggers must be, made
 * from nothing but the events and the orders as they were told.  Integers, lists, no rounding of
 * its own but where the market says so. */
#ifndef POSITION_MODEL_H
#define POSITION_MODEL_H

#include "market_support.h"

#include "smc/market_position.h"
#include "smc/rng.h"

#include <stdlib.h>

__extension__ typedef __int128 big_t; /* money in 10^-18 */

enum { ACCOUNTS = 4, LOTS_MAX = 400, ORDERS_MAX = 60000, TICKS = 20000 };

#define ONE ((big_t)1000000000000000000)
#define TICK (ONE / 100)
#define LOT (ONE / 10)        /* quantity */
#define TICK_LOT (ONE / 1000) /* price times quantity */
#define PLACES8 ((big_t)10000000000)

typedef struct {
    int64_t id, qty, initial; /* in lots */
    big_t cost, price, realized;
} ml_t;

typedef struct {
    bool is_long;
    int n;
    ml_t lots[LOTS_MAX];
    big_t realized, realized_total, fees, balance;
    int64_t rate_ppm, fee_ppm[2]; /* taker, maker */
} mp_t;

/* A conditional order. */
typedef struct {
    int64_t id;
    smc_trigger_t t;
    bool alive, following, from_below, due, may;
    int64_t price, best, trail; /* ticks; price: in force */
} mw_t;

typedef struct {
    smc_market_t *m;
    smc_rng_t rng;
    bool lots, liquidates;
    mp_t acct[ACCOUNTS + 1];
    smc_order_t *orders; /* by id, as told last */
    int64_t n_orders;
    mw_t *watches;
    int n_watches;
    int64_t depth[2][TICKS];  /* what the level events say, in lots */
    int64_t top[2];           /* best prices; 0: none */
    int64_t last;             /* price of the last trade, ticks */
    int64_t open[ORDERS_MAX]; /* ids; by account, then id */
    int n_open;
    big_t issued, fees;
    uint64_t hash;
    size_t accepted, refused[SMC_REFUSAL_COUNT], fired, trailed, liquidations, cut, closed_lots;
} pw_t;

static big_t abs_big(big_t a)
{
    return a < 0 ? -a : a;
}

static big_t half_up(big_t a, big_t unit)
{
    big_t n = (abs_big(a) * 2 + unit) / (2 * unit) * unit;
    return a < 0 ? -n : n;
}

static big_t ceil_to(big_t a, big_t unit)
{
    return (a + unit - 1) / unit * unit;
}

/* ---- positions ----------------------------------------------------------- */

static int64_t qty_of(const mp_t *p)
{
    int64_t sum = 0;
    for (int i = 0; i < p->n; i++)
        sum += p->lots[i].qty;
    return sum;
}

static big_t cost_of(const mp_t *p)
{
    big_t sum = 0;
    for (int i = 0; i < p->n; i++)
        sum += p->lots[i].cost;
    return sum;
}

static int find_lot(const mp_t *p, int64_t id)
{
    for (int i = 0; i < p->n; i++)
        if (p->lots[i].id == id)
            return i;
    return -1;
}

static big_t close_part(mp_t *p, int i, int64_t qty, int64_t price)
{
    ml_t *l = &p->lots[i];
    big_t proceeds = TICK_LOT * price * qty, gain;
    if (qty == l->qty)
        gain = proceeds - l->cost;
    else
        gain = half_up((TICK * price - l->price) * qty / 10, PLACES8);
    /* (price - entry) * qty is not a whole number of 10^-18 when the entry is not: a tenth of it at
     * most, far below what is rounded to. */
    l->cost -= proceeds - gain;
    l->qty -= qty;
    big_t profit = p->is_long ? gain : -gain;
    l->realized += profit;
    p->realized += profit;
    p->realized_total += profit;
    p->balance += profit;
    if (l->qty == 0) {
        memmove(&p->lots[i], &p->lots[i + 1], (size_t)(p->n - i - 1) * sizeof(ml_t));
        p->n--;
    }
    if (p->n == 0)
        p->realized = 0;
    return profit;
}

static void open_part(mp_t *p, int64_t id, int64_t qty, int64_t price)
{
    int i = find_lot(p, id);
    if (i < 0) {
        assert_true(p->n < LOTS_MAX);
        i = p->n++;
        p->lots[i] = (ml_t){.id = id};
    }
    ml_t *l = &p->lots[i];
    l->qty += qty;
    l->initial += qty;
    l->cost += TICK_LOT * price * qty;
    l->price = half_up(l->cost * 10, l->qty) / l->qty; /* cost / (qty / 10) */
}

/* ---- margin -------------------------------------------------------------- */

static int64_t best(const pw_t *w, int side)
{
    return w->top[side];
}

/* A level event. */
static void set_level(pw_t *w, int side, int64_t price, int64_t qty)
{
    int64_t down = side == SMC_BUY ? -1 : 1, *top = &w->top[side];
    assert_true(price > 0 && price < TICKS);
    w->depth[side][price] = qty;
    if (qty > 0 && (*top == 0 || (price - *top) * down < 0))
        *top = price;
    if (*top == 0)
        return;
    while (*top > 0 && *top < TICKS && w->depth[side][*top] == 0)
        *top += down;
    if (*top == TICKS)
        *top = 0;
}

/* Twice the mark, in ticks. */
static int64_t mark2(const pw_t *w)
{
    int64_t bid = best(w, SMC_BUY), ask = best(w, SMC_SELL);
    return bid == 0 || ask == 0 ? 2 * w->last : bid + ask;
}

/* How much of the position an order on that side may close. */
static int64_t reducible(const pw_t *w, int acct, int side, int64_t lot)
{
    const mp_t *p = &w->acct[acct];
    if (p->n == 0 || p->is_long == (side == SMC_BUY))
        return 0;
    int i = lot != 0 ? find_lot(p, lot) : 0;
    if (i < 0)
        return 0;
    return lot != 0 ? p->lots[i].qty : qty_of(p);
}

static int64_t in_lots(smc_dec_t qty)
{
    return (int64_t)(qty.units / LOT);
}
static int64_t in_ticks(smc_dec_t price)
{
    return (int64_t)(price.units / TICK);
}
static int64_t rem_of(const smc_order_t *o)
{
    return in_lots(o->qty) - in_lots(o->filled);
}

/* What the resting orders of a side add to the position, priced; and what they leave to close. */
static big_t enlarging(const pw_t *w, int acct, int side, int64_t except, int64_t *closing)
{
    big_t sum = 0;
    *closing = reducible(w, acct, side, 0);
    for (int i = 0; i < w->n_open; i++) {
        const smc_order_t *o = &w->orders[w->open[i]];
        if (o->account != acct || (int)o->side != side || !o->on_book || o->reduce_only ||
            o->id == except)
            continue;
        int64_t closes = rem_of(o) < *closing ? rem_of(o) : *closing;
        *closing -= closes;
        sum += TICK_LOT * in_ticks(o->price) * (rem_of(o) - closes);
    }
    return sum;
}

static big_t share_of(const mp_t *p, big_t quote)
{
    return ceil_to(quote * p->rate_ppm / 1000000, PLACES8);
}

typedef struct {
    big_t upl, im, mm, order_im, available;
} mm_t;

static mm_t margin_of(const pw_t *w, int acct, int64_t except)
{
    const mp_t *p = &w->acct[acct];
    int64_t closing;
    big_t value = TICK_LOT / 2 * mark2(w) * qty_of(p);
    mm_t out = {.im = share_of(p, value), .mm = ceil_to(value / 200, PLACES8)};
    big_t gain = half_up(value - cost_of(p), PLACES8);
    out.upl = p->is_long ? gain : -gain;
    out.order_im = share_of(p, enlarging(w, acct, SMC_BUY, except, &closing)) +
                   share_of(p, enlarging(w, acct, SMC_SELL, except, &closing));
    out.available = p->balance + (out.upl < 0 ? out.upl : 0) - out.im - out.order_im;
    return out;
}

/* Whether the account backs qty more at that price; price2: twice the ticks. */
static smc_refusal_t backed(const pw_t *w, int acct, int side, int64_t qty, int64_t price2,
                            int64_t except)
{
    int64_t closing;
    (void)enlarging(w, acct, side, except, &closing);
    int64_t opens = qty > closing ? qty - closing : 0;
    if (opens == 0)
        return SMC_ACCEPTED;
    big_t needed = share_of(&w->acct[acct], TICK_LOT / 2 * price2 * opens);
    return needed > margin_of(w, acct, except).available ? SMC_REFUSED_FUNDS : SMC_ACCEPTED;
}

/* ---- triggers ------------------------------------------------------------ */

static bool reached(bool rises, int64_t price, int64_t value)
{
    return rises ? value >= price : value <= price;
}

static bool trails(const smc_trigger_t *t)
{
    return t->trail.units != 0;
}

static bool offer(mw_t *x, int64_t value)
{
    if (trails(&x->t)) {
        if (!x->following && !reached(x->from_below, in_ticks(x->t.price), value))
            return false;
        bool better = x->t.rises ? value < x->best : value > x->best;
        if (!x->following || better)
            x->best = value;
        x->following = true;
        x->price = x->t.rises ? x->best + x->trail : x->best - x->trail;
    }
    return reached(x->t.rises, x->price, value);
}

/* Twice the price that is watched, in ticks; 0: none. */
static int64_t watched2(const pw_t *w, smc_watch_t by)
{
    if (by == SMC_WATCH_LAST)
        return 2 * w->last;
    if (by == SMC_WATCH_BID || by == SMC_WATCH_ASK)
        return 2 * best(w, by == SMC_WATCH_BID ? SMC_BUY : SMC_SELL);
    return mark2(w);
}

static bool reached_now(const pw_t *w, const mw_t *x)
{
    int64_t value2 = watched2(w, x->t.by);
    return value2 > 0 && reached(x->t.rises, 2 * x->price, value2);
}

static mw_t watch_for(const pw_t *w, const smc_trigger_t *t)
{
    mw_t x = {.t = *t, .alive = true, .price = in_ticks(t->price), .trail = in_ticks(t->trail)};
    if (trails(t)) {
        x.from_below = w->last < x.price;
        x.following = x.price == 0;
        x.best = w->last;
        x.due = w->last > 0 && offer(&x, w->last);
    } else {
        x.due = reached_now(w, &x);
    }
    x.may = x.due;
    return x;
}

#endif /* POSITION_MODEL_H */
