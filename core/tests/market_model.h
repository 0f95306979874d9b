/* market_model.h - a naive model of the matching engine: arrays, scans, integers, no queues. */
#ifndef MARKET_MODEL_H
#define MARKET_MODEL_H

#include "market_support.h"

#include "smc/rng.h"

#include <stdlib.h>

enum { ACCOUNTS = 4, BOOK_MAX = 2000, OPS = 30000, BUY = 0, SELL = 1 };

/* Money and base in 10^-8; prices in ticks of 0.01, quantities in lots of 0.001. */
#define LOT INT64_C(100000)
#define UNIT INT64_C(1000) /* one tick times one lot */

typedef struct {
    int64_t seq;            /* place in the queues */
    int64_t display, shown; /* display 0: all of rem shows */
    int64_t id, price, qty, rem, filled, filled_quote, prevented, match_id, quote_qty;
    int acct, side, type, tif, stp, status, reason;
    char cid[8], old_cid[8];
} mo_t;

/* Orders that are over. */
typedef struct {
    mo_t *v;
    size_t n, cap;
} grave_t;

typedef struct {
    grave_t *grave;                 /* NULL in a rehearsal */
    int64_t total[ACCOUNTS + 1][2]; /* free and locked together */
    int64_t fees[2], issued[2];
    int64_t n_trades, n_prevented, last_id, last_seq;
    int64_t maker_ppm[ACCOUNTS + 1], taker_ppm[ACCOUNTS + 1];
    int n;
    mo_t book[BOOK_MAX];
} model_t;

typedef struct {
    smc_market_t *m;
    model_t a, b; /* b: for dry runs */
    grave_t ended;
    smc_rng_t rng;
    int64_t now;
    size_t accepted, refused, seen;
    /* What the events say. */
    int64_t update_id, exec_id, event_trades;
    smc_balance_t told[ACCOUNTS + 1][2];
} world_t;

static int64_t notional(int64_t price, int64_t lots)
{
    return price * lots * UNIT;
}

static int64_t locked(const model_t *s, int acct, int asset)
{
    int64_t sum = 0;
    for (int i = 0; i < s->n; i++) {
        const mo_t *o = &s->book[i];
        if (o->acct == acct && (o->side == BUY) == (asset == 1))
            sum += o->side == BUY ? notional(o->price, o->rem) : o->rem * LOT;
    }
    return sum;
}

static int64_t free_of(const model_t *s, int acct, int asset)
{
    return s->total[acct][asset] - locked(s, acct, asset);
}

static void bury(model_t *s, const mo_t *o)
{
    grave_t *g = s->grave;
    if (g == NULL)
        return;
    if (g->n == g->cap) {
        g->cap = g->cap * 2 + 64;
        g->v = realloc(g->v, g->cap * sizeof(mo_t));
        assert_non_null(g->v);
    }
    g->v[g->n++] = *o;
}

static void take_off(model_t *s, int i)
{
    memmove(&s->book[i], &s->book[i + 1], (size_t)(s->n - i - 1) * sizeof(mo_t));
    s->n--;
}

/* Best price, then first come. */
static int best_for(const model_t *s, const mo_t *t)
{
    int best = -1;
    for (int i = 0; i < s->n; i++) {
        const mo_t *o = &s->book[i];
        bool reach = t->type == SMC_MARKET_ORDER ||
                     (t->side == BUY ? o->price <= t->price : o->price >= t->price);
        if (o->side == t->side || !reach)
            continue;
        const mo_t *b = best < 0 ? NULL : &s->book[best];
        bool better = b == NULL || (t->side == BUY ? o->price < b->price : o->price > b->price) ||
                      (o->price == b->price && o->seq < b->seq);
        if (better)
            best = i;
    }
    return best;
}

static void pay(model_t *s, mo_t *o, int64_t price, int64_t q, bool maker)
{
    int64_t ppm = maker ? s->maker_ppm[o->acct] : s->taker_ppm[o->acct];
    int64_t base = q * LOT, quote = notional(price, q);
    int64_t fee = (o->side == BUY ? base : quote) * ppm / 1000000;
    int sign = o->side == BUY ? 1 : -1;
    s->total[o->acct][0] += sign * base;
    s->total[o->acct][1] -= sign * quote;
    s->total[o->acct][o->side == BUY ? 0 : 1] -= fee;
    s->fees[o->side == BUY ? 0 : 1] += fee;
    o->rem -= q;
    o->filled += q;
    o->filled_quote += quote;
    o->status = SMC_ORDER_PARTIALLY_FILLED;
}

static void lose(mo_t *o, int64_t q, int64_t match)
{
    o->rem -= q;
    o->prevented += q;
    o->match_id = match;
}

static void end(mo_t *o, int status, int reason)
{
    o->status = status;
    o->reason = reason;
}

static void show(mo_t *o)
{
    o->shown = o->display > 0 && o->display < o->rem ? o->display : o->rem;
}

/* All that showed has gone: the next part comes last. */
static void refill(model_t *s, mo_t *k)
{
    if (k->shown > 0 || k->rem == 0)
        return;
    show(k);
    k->seq = ++s->last_seq;
}

/* One meeting of the same account; false: the taker is over. */
static bool meet(model_t *s, mo_t *t, mo_t *k, int64_t q)
{
    bool maker = t->stp == SMC_STP_EXPIRE_MAKER || t->stp == SMC_STP_EXPIRE_BOTH;
    bool taker = t->stp == SMC_STP_EXPIRE_TAKER || t->stp == SMC_STP_EXPIRE_BOTH;
    int64_t match = ++s->n_prevented;
    if (t->stp == SMC_STP_DECREMENT) {
        lose(k, q, match);
        k->shown -= q;
        refill(s, k);
        lose(t, q, match);
    }
    if (maker)
        lose(k, k->rem, match);
    if (taker)
        lose(t, t->rem, match);
    if (k->rem == 0)
        end(k, SMC_ORDER_EXPIRED_IN_MATCH, SMC_END_STP);
    return !taker;
}

static void bury_if_done(model_t *s, int i)
{
    mo_t *k = &s->book[i];
    if (k->rem > 0)
        return;
    if (k->status == SMC_ORDER_PARTIALLY_FILLED)
        k->status = SMC_ORDER_FILLED;
    bury(s, k);
    take_off(s, i);
}

typedef struct {
    bool dry; /* the book ended first */
    bool over;
} outcome_t;

static outcome_t run(model_t *s, mo_t *t, bool by_quote)
{
    outcome_t r = {0};
    bool met = false;
    int64_t left = t->quote_qty, last = 0;
    for (;;) {
        int i = best_for(s, t);
        if (by_quote && i >= 0)
            t->rem = left / notional(s->book[i].price, 1);
        r.dry = i < 0;
        if (i < 0 || t->rem == 0)
            break;
        mo_t *k = &s->book[i];
        last = k->price;
        met = k->acct == t->acct && t->stp != SMC_STP_NONE;
        int64_t there = met && t->stp != SMC_STP_DECREMENT ? k->rem : k->shown;
        int64_t q = t->rem < there ? t->rem : there;
        if (met) {
            r.over = !meet(s, t, k, q);
            left -= t->stp == SMC_STP_DECREMENT ? notional(last, q) : 0;
        } else {
            s->n_trades++;
            pay(s, k, last, q, true);
            k->shown -= q;
            refill(s, k);
            pay(s, t, last, q, false);
            left -= notional(last, q);
        }
        bury_if_done(s, i);
        if (r.over)
            break;
    }
    if (by_quote) {
        t->qty = t->filled + t->prevented;
        r.dry = r.dry && (last == 0 || left >= notional(last, 1));
        t->rem = 0;
    }
    r.over = r.over || t->rem == 0;
    if (r.over && met)
        end(t, SMC_ORDER_EXPIRED_IN_MATCH, SMC_END_STP);
    else if (r.over)
        end(t, SMC_ORDER_FILLED, SMC_END_NONE);
    return r;
}

/* The same on a copy. */
static outcome_t rehearse(world_t *w, const mo_t *t, mo_t *out)
{
    model_t *c = &w->b;
    memcpy(c, &w->a, offsetof(model_t, book) + (size_t)w->a.n * sizeof(mo_t));
    c->grave = NULL;
    *out = *t;
    return run(c, out, t->quote_qty > 0);
}

static bool crosses(const model_t *s, const mo_t *t)
{
    return best_for(s, t) >= 0;
}

static bool open_has(const model_t *s, int acct, const char *cid)
{
    for (int i = 0; i < s->n; i++)
        if (s->book[i].acct == acct && strcmp(s->book[i].cid, cid) == 0)
            return true;
    return false;
}

static smc_refusal_t model_check(world_t *w, const mo_t *t, mo_t *trial, outcome_t *r)
{
    const model_t *s = &w->a;
    if (t->cid[0] != '\0' && open_has(s, t->acct, t->cid))
        return SMC_REFUSED_DUPLICATE;
    *r = rehearse(w, t, trial);
    if (t->type == SMC_LIMIT_MAKER && crosses(s, t))
        return SMC_REFUSED_WOULD_TAKE;
    bool market = t->type == SMC_MARKET_ORDER;
    if (market && !crosses(s, t))
        return SMC_REFUSED_NO_LIQUIDITY;
    if (t->quote_qty > 0 && trial->qty == 0)
        return r->dry ? SMC_REFUSED_NO_LIQUIDITY : SMC_REFUSED_QUOTE_TOO_SMALL;
    int64_t need = t->side == SELL ? trial->qty * LOT : notional(t->price, t->qty);
    if (market && t->side == BUY)
        need = t->quote_qty > 0 ? t->quote_qty : trial->filled_quote;
    return free_of(s, t->acct, t->side == BUY) < need ? SMC_REFUSED_FUNDS : SMC_ACCEPTED;
}

/* The order in the book at i as it is to be: at the end of a queue, through what it crosses. */
static smc_refusal_t model_move(world_t *w, int i, int64_t qty, int64_t price, mo_t *t)
{
    model_t *s = &w->a;
    *t = s->book[i];
    t->rem += qty - t->qty;
    t->qty = qty;
    t->price = price;
    if (t->rem <= 0)
        return SMC_REFUSED_QTY;
    if (qty == s->book[i].qty && price == s->book[i].price)
        return SMC_REFUSED_NO_CHANGE;
    bool stays = qty < s->book[i].qty && price == s->book[i].price;
    if (!stays && t->type == SMC_LIMIT_MAKER && crosses(s, t))
        return SMC_REFUSED_WOULD_TAKE;
    const mo_t *k = &s->book[i];
    int64_t holds = k->side == BUY ? notional(k->price, k->rem) : k->rem * LOT;
    int64_t needs = t->side == BUY ? notional(t->price, t->rem) : t->rem * LOT;
    if (needs > holds + free_of(s, t->acct, t->side == BUY))
        return SMC_REFUSED_FUNDS;
    if (stays) {
        t->shown = t->shown < t->rem ? t->shown : t->rem;
        s->book[i] = *t;
        return SMC_ACCEPTED;
    }
    take_off(s, i);
    if (run(s, t, false).over) {
        bury(s, t);
        return SMC_ACCEPTED;
    }
    show(t);
    t->seq = ++s->last_seq;
    s->book[s->n++] = *t;
    return SMC_ACCEPTED;
}

static smc_refusal_t model_place(world_t *w, mo_t *t)
{
    model_t *s = &w->a;
    mo_t trial;
    outcome_t r = {0};
    smc_refusal_t why = model_check(w, t, &trial, &r);
    if (why != SMC_ACCEPTED)
        return why;
    t->id = ++s->last_id;
    t->match_id = -1;
    bool fok_fails = t->tif == SMC_FOK && trial.filled != t->qty;
    bool dry = t->quote_qty > 0 && r.dry;
    if (t->quote_qty > 0)
        t->qty = t->rem = trial.qty;
    r.over = false;
    if (!fok_fails)
        r = run(s, t, false);
    if (!r.over || dry) {
        bool market = t->type == SMC_MARKET_ORDER;
        if (market || t->tif == SMC_IOC || t->tif == SMC_FOK)
            end(t, SMC_ORDER_EXPIRED,
                market              ? SMC_END_LIQUIDITY
                : t->tif == SMC_IOC ? SMC_END_IOC
                                    : SMC_END_FOK);
        else {
            assert_true(s->n < BOOK_MAX);
            show(t);
            t->seq = ++s->last_seq;
            s->book[s->n++] = *t;
            return SMC_ACCEPTED;
        }
    }
    bury(s, t);
    return SMC_ACCEPTED;
}

#endif /* MARKET_MODEL_H */
