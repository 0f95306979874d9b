#include "market_priv.h"

enum { AVERAGE_PLACES = 8 };

static smc_dec_t dec_max(smc_dec_t a, smc_dec_t b)
{
    return dec_less(a, b) ? b : a;
}

static void add(smc_candle_t *c, const smc_trade_t *t)
{
    if (c->count++ == 0) {
        c->open = c->high = c->low = t->price;
        c->first_id = t->id;
    }
    c->high = dec_max(c->high, t->price);
    c->low = dec_min(c->low, t->price);
    c->close = t->price;
    c->last_id = t->id;
    c->volume = dec_plus(c->volume, t->qty);
    c->quote_volume = dec_plus(c->quote_volume, t->quote);
    if (!t->buyer_is_maker) {
        c->taker_volume = dec_plus(c->taker_volume, t->qty);
        c->taker_quote_volume = dec_plus(c->taker_quote_volume, t->quote);
    }
}

/* Start of the interval that holds t. */
static int64_t open_of(const smc_candle_query_t *q, int64_t t_ms)
{
    int64_t into = (t_ms - q->offset_ms) % q->interval_ms;
    return t_ms - (into < 0 ? into + q->interval_ms : into);
}

/* Opens of the first and the last candle asked for; false: there is none. */
static bool span(const smc_market_t *m, const instrument_t *inst, const smc_candle_query_t *q,
                 int64_t *first, int64_t *last)
{
    if (trades_count(inst) == 0)
        return false;
    int64_t step = q->interval_ms;
    *first = open_of(q, trades_at(inst, 0)->time_ms);
    *last = open_of(q, m->now_ms);
    if (q->from_ms > m->now_ms) /* also keeps the sums below in range */
        return false;
    if (q->from_ms > *first) {
        *first = open_of(q, q->from_ms);
        *first += *first < q->from_ms ? step : 0;
    }
    if (q->to_ms != 0 && q->to_ms < *last)
        *last = open_of(q, q->to_ms);
    if (*first > *last)
        return false;
    int64_t n = (*last - *first) / step + 1;
    if (q->limit != 0 && (uint64_t)n > q->limit) {
        int64_t reach = ((int64_t)q->limit - 1) * step;
        if (q->from_ms != 0)
            *last = *first + reach;
        else
            *first = *last - reach;
    }
    return true;
}

smc_code_t smc_market_candles(smc_market_t *m, int32_t instrument, const smc_candle_query_t *q,
                              smc_candle_cb cb, void *ud)
{
    instrument_t *inst = instrument_at(m, instrument);
    if (inst == NULL || q->interval_ms <= 0)
        return SMC_EINVAL;
    smc_code_t code = history_make(m, inst, SIZE_MAX);
    int64_t first, last;
    if (code != SMC_OK || !span(m, inst, q, &first, &last))
        return code;
    size_t i = trades_from(inst, first), n = trades_count(inst);
    smc_dec_t close = i > 0 ? trades_at(inst, i - 1)->price : dec_zero();
    for (int64_t open = first; open <= last; open += q->interval_ms) {
        smc_candle_t c = {.open_ms = open, .close_ms = open + q->interval_ms - 1};
        c.first_id = c.last_id = -1;
        c.open = c.high = c.low = c.close = close;
        for (; i < n && trades_at(inst, i)->time_ms <= c.close_ms; i++)
            add(&c, trades_at(inst, i));
        close = c.close;
        cb(ud, &c);
    }
    return SMC_OK;
}

smc_code_t smc_market_window(smc_market_t *m, int32_t instrument, int64_t from_ms, int64_t to_ms,
                             smc_window_t *out)
{
    instrument_t *inst = instrument_at(m, instrument);
    *out = (smc_window_t){.sum = {.first_id = -1, .last_id = -1}};
    smc_code_t code = inst != NULL ? history_since(m, inst, from_ms) : SMC_EINVAL;
    if (code != SMC_OK)
        return code;
    size_t n = trades_count(inst), i = from_ms < INT64_MAX ? trades_from(inst, from_ms + 1) : n;
    if (i > 0)
        out->prev_close = trades_at(inst, i - 1)->price;
    for (; i < n && trades_at(inst, i)->time_ms <= to_ms; i++) {
        const smc_trade_t *t = trades_at(inst, i);
        if (out->sum.count == 0)
            out->sum.open_ms = t->time_ms;
        add(&out->sum, t);
        out->sum.close_ms = t->time_ms;
        out->last_qty = t->qty;
    }
    return SMC_OK;
}

static void move_to(const instrument_t *inst, running_t *r, size_t from, size_t to)
{
    if (from < r->from || from >= r->to)
        *r = (running_t){.from = from, .to = from};
    for (; r->from < from; r->from++) {
        const smc_trade_t *t = trades_at(inst, r->from);
        r->qty = dec_minus(r->qty, t->qty);
        r->quote = dec_minus(r->quote, t->quote);
    }
    for (; r->to < to; r->to++) {
        const smc_trade_t *t = trades_at(inst, r->to);
        r->qty = dec_plus(r->qty, t->qty);
        r->quote = dec_plus(r->quote, t->quote);
    }
}

smc_code_t smc_market_average(smc_market_t *m, int32_t instrument, int64_t span_ms,
                              smc_dec_t *price, int64_t *last_ms)
{
    instrument_t *inst = instrument_at(m, instrument);
    *price = dec_zero();
    *last_ms = 0;
    if (inst == NULL)
        return SMC_EINVAL;
    int64_t from_ms = m->now_ms - span_ms + 1;
    smc_code_t code = history_since(m, inst, from_ms);
    size_t n = code == SMC_OK ? trades_count(inst) : 0;
    if (n == 0)
        return code;
    const smc_trade_t *last = trades_at(inst, n - 1);
    *price = last->price;
    *last_ms = last->time_ms;
    running_t *r = &inst->average;
    move_to(inst, r, trades_from(inst, from_ms), n);
    return dec_is_zero(r->qty)
               ? SMC_OK
               : smc_dec_div(r->quote, r->qty, AVERAGE_PLACES, SMC_ROUND_HALF_EVEN, price);
}
