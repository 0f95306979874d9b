#include "market_priv.h"

/* ---- ranges -------------------------------------------------------------- */

/* A list sorted by id, and so by time. */
typedef struct list {
    const void *of;
    size_t n;
    int64_t (*id)(const void *of, size_t i);
    int64_t (*ms)(const void *of, size_t i);
} list_t;

/* Index of the first element whose key is at least `bound`. */
static size_t lower(const list_t *l, int64_t (*key)(const void *, size_t), int64_t bound)
{
    size_t lo = 0, hi = l->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (key(l->of, mid) < bound)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* The part of the list that lies in the range's bounds, its limit aside. */
static void bounds(const list_t *l, const smc_range_t *r, size_t *lo, size_t *hi)
{
    *lo = 0;
    *hi = l->n;
    if (r->from_id != 0)
        *lo = lower(l, l->id, r->from_id);
    if (r->from_ms != 0) {
        size_t at = lower(l, l->ms, r->from_ms);
        *lo = at > *lo ? at : *lo;
    }
    if (r->to_ms != 0 && r->to_ms != INT64_MAX)
        *hi = lower(l, l->ms, r->to_ms + 1);
    if (*lo > *hi)
        *lo = *hi;
}

/* How many of `n` that match come before the first that is wanted, and how many are wanted. */
static void limits(const smc_range_t *r, size_t n, size_t *skip, size_t *take)
{
    bool from_start = r->from_id != 0 || r->from_ms != 0;
    *take = r->limit != 0 && r->limit < n ? r->limit : n;
    *skip = from_start ? 0 : n - *take;
}

/* The same for a list all of whose elements match. */
static void slice(const list_t *l, const smc_range_t *r, size_t *lo, size_t *hi)
{
    size_t skip, take;
    bounds(l, r, lo, hi);
    limits(r, *hi - *lo, &skip, &take);
    *lo += skip;
    *hi = *lo + take;
}

/* ---- orders -------------------------------------------------------------- */

static int64_t order_id(const void *of, size_t i)
{
    return ((node_t *const *)of)[i]->o.id;
}
static int64_t order_ms(const void *of, size_t i)
{
    return ((node_t *const *)of)[i]->o.created_ms;
}

static bool order_in(const node_t *n, const smc_range_t *r)
{
    const smc_order_t *o = &n->o;
    bool waits = o->conditional && o->triggered_ms < 0;
    int64_t ms = r->by_update ? o->updated_ms : o->created_ms;
    return o->id >= r->from_id && ms >= r->from_ms && (r->to_ms == 0 || ms <= r->to_ms) &&
           (r->waiting == SMC_WAITING_ANY || waits == (r->waiting == SMC_WAITING_ONLY));
}

/* Which of those that match are wanted, while they pass. */
typedef struct passing {
    size_t skip, take;
    smc_order_cb cb;
    void *ud;
} passing_t;

static void pass(passing_t *p, const node_t *n)
{
    if (p->skip > 0) {
        p->skip--;
        return;
    }
    if (p->take == 0)
        return;
    p->take--;
    p->cb(p->ud, &n->o);
}

static void holding_orders(const holding_t *h, const smc_range_t *r, passing_t p)
{
    size_t lo, hi, n = 0;
    list_t l = {.of = h->orders, .n = h->n_orders, .id = order_id, .ms = order_ms};
    smc_range_t sorted = *r; /* by what they are sorted: that is not their last change */
    if (r->by_update)
        sorted.from_ms = sorted.to_ms = 0;
    bounds(&l, &sorted, &lo, &hi);
    if (r->waiting == SMC_WAITING_ANY && !r->by_update) { /* all of them match */
        limits(r, hi - lo, &p.skip, &p.take);
        lo += p.skip;
        p.skip = 0;
    } else {
        for (size_t i = lo; i < hi; i++)
            n += order_in(h->orders[i], r);
        limits(r, n, &p.skip, &p.take);
    }
    for (size_t i = lo; i < hi && p.take > 0; i++)
        if (order_in(h->orders[i], r))
            pass(&p, h->orders[i]);
}

static void holding_open(const holding_t *h, const smc_range_t *r, passing_t p)
{
    size_t n = 0;
    for (const node_t *x = h->open_head; x != NULL; x = x->open_next)
        n += order_in(x, r);
    limits(r, n, &p.skip, &p.take);
    for (const node_t *x = h->open_head; x != NULL && p.take > 0; x = x->open_next)
        if (order_in(x, r))
            pass(&p, x);
}

void smc_market_orders(const smc_market_t *m, int32_t account, int32_t instrument,
                       const smc_range_t *range, smc_order_cb cb, void *ud)
{
    const account_t *a = account_at(m, account);
    passing_t p = {.cb = cb, .ud = ud};
    for (size_t i = 0; a != NULL && i < m->n_instruments; i++) {
        if (instrument != SMC_MARKET_ALL && instrument != (int32_t)i)
            continue;
        if (range->open_only)
            holding_open(&a->holdings[i], range, p);
        else
            holding_orders(&a->holdings[i], range, p);
    }
}

size_t smc_market_open_orders(const smc_market_t *m, int32_t account, int32_t instrument)
{
    const account_t *a = account_at(m, account);
    size_t n = 0;
    for (size_t i = 0; a != NULL && i < m->n_instruments; i++)
        if (instrument == SMC_MARKET_ALL || instrument == (int32_t)i)
            n += a->holdings[i].n_open;
    return n;
}

/* ---- fills and prevented matches ----------------------------------------- */

static int64_t fill_id(const void *of, size_t i)
{
    return ((const smc_fill_t *)of)[i].trade_id;
}
static int64_t fill_ms(const void *of, size_t i)
{
    return ((const smc_fill_t *)of)[i].time_ms;
}

void smc_market_fills(const smc_market_t *m, int32_t account, int32_t instrument,
                      const smc_range_t *range, smc_fill_cb cb, void *ud)
{
    int64_t wanted = range->order_id;
    const account_t *a = account_at(m, account);
    if (a == NULL || instrument_at(m, instrument) == NULL)
        return;
    const holding_t *h = &a->holdings[instrument];
    list_t l = {.of = h->fills, .n = h->n_fills, .id = fill_id, .ms = fill_ms};
    size_t lo, hi, n = 0, skip, take;
    bounds(&l, range, &lo, &hi);
    const node_t *of = wanted != 0 ? order_by_id(h, wanted) : NULL;
    if (of != NULL && of->first_fill > lo)
        lo = of->first_fill < hi ? of->first_fill : hi;
    for (size_t i = lo; i < hi; i++)
        n += wanted == 0 || h->fills[i].order_id == wanted;
    limits(range, n, &skip, &take);
    for (size_t i = lo; i < hi && take > 0; i++) {
        if (wanted != 0 && h->fills[i].order_id != wanted)
            continue;
        if (skip > 0) {
            skip--;
            continue;
        }
        take--;
        cb(ud, &h->fills[i]);
    }
}

static bool prevented_in(const smc_prevented_t *p, int32_t account, const smc_range_t *r)
{
    int64_t wanted = r->order_id;
    return p->account == account && p->id >= r->from_id && p->time_ms >= r->from_ms &&
           (r->to_ms == 0 || p->time_ms <= r->to_ms) &&
           (wanted == 0 || p->taker_order_id == wanted || p->maker_order_id == wanted);
}

void smc_market_prevented(const smc_market_t *m, int32_t account, int32_t instrument,
                          const smc_range_t *range, smc_prevented_cb cb, void *ud)
{
    const instrument_t *inst = instrument_at(m, instrument);
    size_t n = 0, skip, take;
    for (size_t i = 0; inst != NULL && i < inst->n_prevented; i++)
        n += prevented_in(&inst->prevented[i], account, range);
    limits(range, n, &skip, &take);
    for (size_t i = 0; inst != NULL && i < inst->n_prevented && take > 0; i++) {
        if (!prevented_in(&inst->prevented[i], account, range))
            continue;
        if (skip > 0) {
            skip--;
            continue;
        }
        take--;
        cb(ud, &inst->prevented[i]);
    }
}

/* ---- public trades ------------------------------------------------------- */

size_t trades_count(const instrument_t *inst)
{
    return inst->history.n + inst->trades.n;
}

const smc_trade_t *trades_at(const instrument_t *inst, size_t i)
{
    const history_t *h = &inst->history;
    return i < h->n ? &h->v[h->n - 1 - i] : &inst->trades.v[i - h->n];
}

smc_dec_t last_price(const instrument_t *inst)
{
    size_t n = trades_count(inst);
    return n > 0 ? trades_at(inst, n - 1)->price : dec_zero();
}

static int64_t trade_id(const void *of, size_t i)
{
    return trades_at(of, i)->id;
}
/* What is not made yet lies before all that was asked for. */
static int64_t trade_ms(const void *of, size_t i)
{
    const history_t *h = &((const instrument_t *)of)->history;
    return i + h->made < h->n ? INT64_MIN : trades_at(of, i)->time_ms;
}

static list_t trade_list(const instrument_t *inst)
{
    return (list_t){.of = inst, .n = trades_count(inst), .id = trade_id, .ms = trade_ms};
}

size_t trades_from(const instrument_t *inst, int64_t t_ms)
{
    list_t l = trade_list(inst);
    return lower(&l, trade_ms, t_ms);
}

smc_code_t smc_market_trades(smc_market_t *m, int32_t instrument, const smc_range_t *range,
                             smc_trade_cb cb, void *ud)
{
    instrument_t *inst = instrument_at(m, instrument);
    if (inst == NULL)
        return SMC_OK;
    bool newest =
        range->from_id == 0 && range->from_ms == 0 && range->to_ms == 0 && range->limit > 0;
    bool since = range->from_id == 0 && range->from_ms != 0;
    smc_code_t code = since ? history_since(m, inst, range->from_ms)
                            : history_make(m, inst, newest ? range->limit : SIZE_MAX);
    if (code != SMC_OK)
        return code;
    size_t lo, hi;
    list_t l = trade_list(inst);
    slice(&l, range, &lo, &hi);
    for (size_t i = lo; i < hi; i++)
        cb(ud, trades_at(inst, i));
    return SMC_OK;
}

/* ---- depth --------------------------------------------------------------- */

int64_t smc_market_book(const smc_market_t *m, int32_t instrument, size_t depth, smc_level_cb cb,
                        void *ud)
{
    const instrument_t *inst = instrument_at(m, instrument);
    if (inst == NULL)
        return 0;
    for (int side = SMC_BUY; side <= SMC_SELL; side++) {
        const book_side_t *s = &inst->sides[side];
        size_t n = depth == 0 || depth > s->n ? s->n : depth;
        for (size_t i = 0; i < n; i++) {
            const level_t *level = s->v[s->n - 1 - i];
            cb(ud, (smc_side_t)side, level->price, book_shown(level));
        }
    }
    return inst->update_id;
}
