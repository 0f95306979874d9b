#include "feed_priv.h"

#include <stdio.h>
#include <stdlib.h>

/* Default quantities, in quote. */
#define LEVEL_QUOTE 50000
#define TRADE_QUOTE 500
/* A mid is below this many ticks, and a quantity below this many steps. */
#define GRID_MAX INT64_C(1000000000000)

/* ---- numbers ------------------------------------------------------------- */

int64_t feed_walk(smc_rng_t *rng, int64_t mid, int64_t anchor, int64_t sigma_ppb, int64_t pull_ppb)
{
    /* The sum of four uniform numbers is near enough to normal, and the same on every machine. */
    const int64_t middle = 131070, deviation = 37837;
    uint64_t bits = smc_rng_u64(rng);
    int64_t sum = 0;
    for (int i = 0; i < 4; i++)
        sum += (int64_t)(bits >> (16U * (unsigned)i) & 0xffff);
    wide_t noise = (wide_t)mid * sigma_ppb * (sum - middle) / ((wide_t)deviation * PPB);
    int64_t next = mid + (int64_t)noise + share_of(anchor - mid, pull_ppb);
    if (next < anchor / 2)
        return anchor / 2;
    return next > anchor * 2 ? anchor * 2 : next;
}

int64_t feed_steps(smc_rng_t *rng, int64_t steps, int lo, int hi)
{
    return steps * smc_rng_range(rng, lo, hi) / 100;
}

smc_dec_t feed_qty(const instrument_t *inst, int64_t steps)
{
    smc_dec_t qty = {inst->step.units * steps};
    return dec_less(qty, inst->min_qty) ? inst->min_qty : qty;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static smc_dec_t rung_price(const instrument_t *inst, int64_t index)
{
    return (smc_dec_t){inst->tick.units * inst->feed->gap * index};
}

/* ---- the makers ---------------------------------------------------------- */

static rung_t *rung_at(const feed_t *f, smc_side_t side, int64_t index)
{
    int64_t at = index % f->conf.levels;
    return &f->rungs[side][at < 0 ? at + f->conf.levels : at];
}

/* Takes away what does not stand at lo..hi. */
static void withdraw(smc_market_t *m, feed_t *f, smc_side_t side, int64_t lo, int64_t hi)
{
    for (int32_t i = 0; i < f->conf.levels; i++) {
        rung_t *r = &f->rungs[side][i];
        if (r->node != NULL && (r->index < lo || r->index > hi))
            order_withdraw(m, r->node);
    }
}

/* Trades with whatever of others the makers' new best price on `side` would cross. */
static void sweep(smc_market_t *m, instrument_t *inst, smc_side_t side, smc_dec_t best)
{
    const book_side_t *s = &inst->sides[other_side(side)];
    smc_dec_t qty = {0};
    for (size_t i = s->n; i-- > 0;) {
        if (!book_crosses(side, best, s->v[i]->price))
            break;
        qty = dec_plus(qty, s->v[i]->total);
    }
    if (!dec_is_zero(qty))
        order_take(m, inst, side, best, qty);
}

static void stand(smc_market_t *m, instrument_t *inst, smc_side_t side, int64_t index)
{
    feed_t *f = inst->feed;
    rung_t *r = rung_at(f, side, index);
    if (r->node != NULL || index <= 0)
        return;
    r->index = index;
    order_make(m, inst, side, rung_price(inst, index),
               feed_qty(inst, feed_steps(&f->depth, f->level_steps, 50, 150)), &r->node);
}

static void requote(smc_market_t *m, instrument_t *inst)
{
    feed_t *f = inst->feed;
    int32_t n = f->conf.levels;
    if (n == 0)
        return;
    int64_t half = share_of(f->mid, ppb_of(f->conf.spread)) / 2, gap = f->gap * FINE;
    int64_t bid = floor_div(f->mid - half, gap);
    int64_t ask = -floor_div(-(f->mid + half), gap);
    if (ask <= bid)
        ask = bid + 1;
    withdraw(m, f, SMC_BUY, bid - n + 1, bid);
    withdraw(m, f, SMC_SELL, ask, ask + n - 1);
    sweep(m, inst, SMC_SELL, rung_price(inst, ask));
    if (bid > 0)
        sweep(m, inst, SMC_BUY, rung_price(inst, bid));
    for (int32_t i = 0; i < n; i++) {
        stand(m, inst, SMC_BUY, bid - i);
        stand(m, inst, SMC_SELL, ask + i);
    }
}

/* ---- the takers ---------------------------------------------------------- */

static void take_some(smc_market_t *m, instrument_t *inst, smc_side_t side)
{
    feed_t *f = inst->feed;
    smc_dec_t qty = feed_qty(inst, feed_steps(&f->flow, f->trade_steps, 20, 180));
    const level_t *best = book_best(inst, other_side(side));
    if (best != NULL)
        order_take(m, inst, side, best->price, qty);
}

static void schedule_trade(feed_t *f, int64_t now_ms)
{
    f->next_trade_ms = INT64_MAX;
    if (f->conf.trade_ms > 0)
        f->next_trade_ms = now_ms + smc_rng_range(&f->flow, 1, 2 * f->conf.trade_ms - 1);
}

/* ---- time ---------------------------------------------------------------- */

static int64_t next_of(const instrument_t *inst)
{
    const feed_t *f = inst->feed;
    if (f == NULL || f->frozen || inst->halted)
        return INT64_MAX;
    return f->next_trade_ms < f->next_step_ms ? f->next_trade_ms : f->next_step_ms;
}

static void perform(smc_market_t *m, instrument_t *inst)
{
    feed_t *f = inst->feed;
    if (f->next_step_ms <= f->next_trade_ms) {
        f->next_step_ms += f->conf.step_ms;
        f->mid = feed_walk(&f->walk, f->mid, f->anchor, ppb_of(f->conf.volatility),
                           ppb_of(f->conf.reversion));
        requote(m, inst);
    } else {
        take_some(m, inst, (smc_side_t)(smc_rng_u64(&f->flow) >> 63));
        schedule_trade(f, m->now_ms);
    }
    market_settle(m);
}

static instrument_t *next_due(const smc_market_t *m, int64_t *at_ms)
{
    instrument_t *first = NULL;
    *at_ms = INT64_MAX;
    for (size_t i = 0; i < m->n_instruments; i++) {
        int64_t ms = next_of(m->instruments[i]);
        if (ms < *at_ms) {
            *at_ms = ms;
            first = m->instruments[i];
        }
    }
    return first;
}

void smc_market_advance(smc_market_t *m, int64_t now_ms)
{
    int64_t at_ms;
    instrument_t *inst;
    while (!m->failed && (inst = next_due(m, &at_ms)) != NULL && at_ms <= now_ms) {
        m->now_ms = at_ms;
        perform(m, inst);
    }
    if (now_ms > m->now_ms)
        m->now_ms = now_ms;
    forget_run(m);
}

int64_t smc_market_next_ms(const smc_market_t *m)
{
    int64_t at_ms;
    (void)next_due(m, &at_ms);
    return at_ms;
}

/* ---- configuration ------------------------------------------------------- */

smc_feed_conf_t smc_feed_defaults(void)
{
    const smc_dec_units_t ppb = INT64_C(1000000000);
    return (smc_feed_conf_t){
        .spread = {200000 * ppb},
        .gap = {100000 * ppb},
        .levels = 20,
        .step_ms = 1000,
        .volatility = {50000 * ppb},
        .reversion = {1000000 * ppb},
        .trade_ms = 1000,
        .history_ms = INT64_C(86400000),
        .history_every_ms = 15000,
    };
}

/* lo <= a < 1. */
static bool is_share(smc_dec_t a)
{
    return smc_dec_sign(a) >= 0 && smc_dec_cmp(a, smc_dec_from_int(1)) < 0;
}

static bool fits_grid(smc_dec_t a, smc_dec_t grid)
{
    return a.units / grid.units < GRID_MAX && smc_dec_cmp(a, smc_dec_from_int(GRID_MAX)) < 0;
}

static smc_code_t check_conf(const instrument_t *inst, const smc_feed_conf_t *c, smc_error_t *err)
{
    const char *op = "market.feed";
    if (dec_less(c->mid, inst->tick) || !fits_grid(c->mid, inst->tick))
        return smc_fail(err, SMC_EINVAL, op, 0, "mid must be 1 to 10^12 ticks");
    if (!is_share(c->spread) || !is_share(c->gap) || !is_share(c->volatility))
        return smc_fail(err, SMC_EINVAL, op, 0, "spread, gap and volatility must be 0 to below 1");
    if (smc_dec_sign(c->reversion) < 0 || smc_dec_cmp(c->reversion, smc_dec_from_int(1)) > 0)
        return smc_fail(err, SMC_EINVAL, op, 0, "reversion must be 0 to 1");
    if (c->levels < 0 || c->levels > 1000)
        return smc_fail(err, SMC_EINVAL, op, 0, "levels must be 0 to 1000");
    if (smc_dec_sign(c->level_qty) < 0 || !fits_grid(c->level_qty, inst->step) ||
        smc_dec_sign(c->trade_qty) < 0 || !fits_grid(c->trade_qty, inst->step))
        return smc_fail(err, SMC_EINVAL, op, 0, "a quantity must be 0 to 10^12 steps");
    if (c->step_ms <= 0 || c->trade_ms < 0 || c->step_ms > PPB || c->trade_ms > PPB)
        return smc_fail(err, SMC_EINVAL, op, 0,
                        "step_ms and trade_ms must be 1 to 10^9, or no trades");
    if (c->history_ms < 0 || c->history_every_ms <= 0 ||
        c->history_ms / c->history_every_ms > 10000000)
        return smc_fail(err, SMC_EINVAL, op, 0, "history of at most 10^7 trades");
    return SMC_OK;
}

static int64_t qty_steps(const instrument_t *inst, smc_dec_t qty, smc_dec_t mid, int64_t quote)
{
    if (dec_is_zero(qty))
        (void)smc_dec_div(smc_dec_from_int(quote), mid, SMC_DEC_PLACES, SMC_ROUND_DOWN, &qty);
    smc_dec_units_t n = qty.units / inst->step.units;
    if (n < 1)
        return 1;
    return n < GRID_MAX ? (int64_t)n : GRID_MAX;
}

/* Takes over what may change while the feed runs.  The makers stand nowhere when this is called. */
static smc_code_t apply(instrument_t *inst, const smc_feed_conf_t *c, smc_error_t *err)
{
    feed_t *f = inst->feed;
    rung_t *bids = calloc((size_t)c->levels + 1, sizeof(*bids));
    rung_t *asks = calloc((size_t)c->levels + 1, sizeof(*asks));
    if (bids == NULL || asks == NULL) {
        free(bids);
        free(asks);
        return smc_fail(err, SMC_ENOMEM, "market.feed", 0, "out of memory");
    }
    free(f->rungs[SMC_BUY]);
    free(f->rungs[SMC_SELL]);
    f->rungs[SMC_BUY] = bids;
    f->rungs[SMC_SELL] = asks;
    f->conf = *c;
    int64_t gap = share_of(f->anchor, ppb_of(c->gap)) / FINE;
    f->gap = gap > 0 ? gap : 1;
    f->level_steps = qty_steps(inst, c->level_qty, c->mid, LEVEL_QUOTE);
    f->trade_steps = qty_steps(inst, c->trade_qty, c->mid, TRADE_QUOTE);
    return SMC_OK;
}

static int64_t fine_of(const instrument_t *inst, smc_dec_t price)
{
    return (int64_t)(price.units / inst->tick.units) * FINE;
}

static void seed_streams(const smc_market_t *m, const instrument_t *inst, feed_t *f)
{
    char name[SMC_MARKET_NAME_MAX + 16];
    (void)snprintf(name, sizeof(name), "feed/%s/walk", inst->symbol);
    smc_rng_init(&f->walk, m->seed, name);
    (void)snprintf(name, sizeof(name), "feed/%s/flow", inst->symbol);
    smc_rng_init(&f->flow, m->seed, name);
    (void)snprintf(name, sizeof(name), "feed/%s/depth", inst->symbol);
    smc_rng_init(&f->depth, m->seed, name);
}

void feed_free(feed_t *f)
{
    if (f == NULL)
        return;
    free(f->rungs[SMC_BUY]);
    free(f->rungs[SMC_SELL]);
    free(f);
}

smc_code_t smc_feed_add(smc_market_t *m, int32_t instrument, const smc_feed_conf_t *conf,
                        smc_error_t *err)
{
    instrument_t *inst = instrument_at(m, instrument);
    if (inst == NULL)
        return smc_fail(err, SMC_EINVAL, "market.feed", 0, "no such instrument");
    if (inst->feed != NULL)
        return smc_fail(err, SMC_EEXIST, "market.feed", 0, "%s has a feed", inst->symbol);
    smc_code_t code = check_conf(inst, conf, err);
    if (code != SMC_OK)
        return code;
    if (conf->history_ms > m->now_ms)
        return smc_fail(err, SMC_EINVAL, "market.feed", 0,
                        "history would begin before the Unix epoch");
    size_t history = (size_t)(conf->history_ms / conf->history_every_ms);
    if (history > 0 && inst->trades.n > 0)
        return smc_fail(err, SMC_EINVAL, "market.feed", 0, "%s has traded: it can't get a history",
                        inst->symbol);
    feed_t *f = inst->feed = calloc(1, sizeof(*f));
    if (f == NULL)
        return smc_fail(err, SMC_ENOMEM, "market.feed", 0, "out of memory");
    f->mid = f->anchor = f->start_mid = fine_of(inst, conf->mid);
    if ((code = apply(inst, conf, err)) != SMC_OK) {
        inst->feed = NULL;
        feed_free(f);
        return code;
    }
    seed_streams(m, inst, f);
    f->start = *conf;
    f->start_ms = m->now_ms;
    f->start_trade_steps = f->trade_steps;
    inst->history.n = history;
    f->next_step_ms = m->now_ms + conf->step_ms;
    schedule_trade(f, m->now_ms);
    requote(m, inst);
    market_settle(m);
    return m->failed ? smc_fail(err, SMC_ENOMEM, "market.feed", 0, "out of memory") : SMC_OK;
}

/* ---- orders from outside ------------------------------------------------- */

static smc_code_t find_feed(const smc_market_t *m, int32_t instrument, instrument_t **inst,
                            smc_error_t *err)
{
    *inst = instrument_at(m, instrument);
    if (*inst == NULL || (*inst)->feed == NULL)
        return smc_fail(err, SMC_ENOENT, "market.feed", 0, "no feed");
    if ((*inst)->halted)
        return smc_fail(err, SMC_EINVAL, "market.feed", 0, "%s is halted", (*inst)->symbol);
    return SMC_OK;
}

/* New numbers, and the makers stand anew. */
static smc_code_t restart(smc_market_t *m, instrument_t *inst, const smc_feed_conf_t *c,
                          smc_error_t *err)
{
    withdraw(m, inst->feed, SMC_BUY, 1, 0); /* all: no index is in an empty range */
    withdraw(m, inst->feed, SMC_SELL, 1, 0);
    smc_code_t code = apply(inst, c, err);
    if (code == SMC_OK)
        requote(m, inst);
    return code;
}

smc_code_t smc_feed_move_to(smc_market_t *m, int32_t instrument, smc_dec_t to, smc_error_t *err)
{
    instrument_t *inst;
    smc_code_t code = find_feed(m, instrument, &inst, err);
    if (code != SMC_OK)
        return code;
    feed_t *f = inst->feed;
    smc_feed_conf_t conf = f->conf;
    conf.mid = to;
    if ((code = check_conf(inst, &conf, NULL)) != SMC_OK) { /* all else has passed before */
        char price[SMC_DEC_TEXT_MAX], tick[SMC_DEC_TEXT_MAX];
        (void)smc_dec_format(to, SMC_DEC_MINIMAL, SMC_ROUND_HALF_UP, price);
        (void)smc_dec_format(inst->tick, SMC_DEC_MINIMAL, SMC_ROUND_HALF_UP, tick);
        return smc_fail(err, code, "market.feed", 0,
                        "the price would be %s: it has to be 1 to 10^12 ticks of %s", price, tick);
    }
    int64_t before = f->mid;
    f->mid = f->anchor = fine_of(inst, to);
    if ((code = restart(m, inst, &conf, err)) == SMC_OK)
        take_some(m, inst, f->mid < before ? SMC_SELL : SMC_BUY);
    market_settle(m);
    return code;
}

smc_code_t smc_feed_move_by(smc_market_t *m, int32_t instrument, smc_dec_t by, smc_error_t *err)
{
    instrument_t *inst;
    smc_code_t code = find_feed(m, instrument, &inst, err);
    if (code != SMC_OK)
        return code;
    smc_dec_t factor, to;
    if ((code = smc_dec_add(smc_dec_from_int(1), by, &factor)) != SMC_OK ||
        (code = smc_dec_mul(smc_feed_mid(m, instrument), factor, SMC_DEC_PLACES, SMC_ROUND_HALF_UP,
                            &to)) != SMC_OK)
        return smc_fail(err, code, "market.feed", 0, "too far");
    return smc_feed_move_to(m, instrument, to, err);
}

/* After a pause the next things are due as they were at the start. */
static void wake(const smc_market_t *m, feed_t *f)
{
    f->next_step_ms = m->now_ms + f->conf.step_ms;
    schedule_trade(f, m->now_ms);
}

smc_code_t smc_feed_freeze(smc_market_t *m, int32_t instrument, bool frozen, smc_error_t *err)
{
    instrument_t *inst;
    smc_code_t code = find_feed(m, instrument, &inst, err);
    if (code != SMC_OK || inst->feed->frozen == frozen)
        return code;
    inst->feed->frozen = frozen;
    wake(m, inst->feed);
    return SMC_OK;
}

smc_code_t smc_market_halt(smc_market_t *m, int32_t instrument, bool halted, smc_error_t *err)
{
    instrument_t *inst = instrument_at(m, instrument);
    if (inst == NULL)
        return smc_fail(err, SMC_EINVAL, "market.halt", 0, "no such instrument");
    if (inst->halted == halted)
        return SMC_OK;
    inst->halted = halted;
    if (inst->feed != NULL)
        wake(m, inst->feed);
    return SMC_OK;
}

bool smc_market_halted(const smc_market_t *m, int32_t instrument)
{
    const instrument_t *inst = instrument_at(m, instrument);
    return inst != NULL && inst->halted;
}

const smc_feed_conf_t *smc_feed_conf(const smc_market_t *m, int32_t instrument)
{
    const instrument_t *inst = instrument_at(m, instrument);
    return inst != NULL && inst->feed != NULL ? &inst->feed->conf : NULL;
}

smc_code_t smc_feed_configure(smc_market_t *m, int32_t instrument, const smc_feed_conf_t *conf,
                              smc_error_t *err)
{
    instrument_t *inst;
    smc_code_t code = find_feed(m, instrument, &inst, err);
    if (code == SMC_OK)
        code = check_conf(inst, conf, err);
    if (code != SMC_OK)
        return code;
    feed_t *f = inst->feed;
    if (smc_dec_cmp(conf->mid, f->conf.mid) != 0 || conf->step_ms != f->conf.step_ms)
        return smc_fail(err, SMC_EINVAL, "market.feed", 0, "mid and step_ms can't be changed here");
    bool reschedule = conf->trade_ms != f->conf.trade_ms;
    code = restart(m, inst, conf, err);
    if (reschedule)
        schedule_trade(f, m->now_ms);
    market_settle(m);
    return code;
}

smc_dec_t feed_mid(const instrument_t *inst)
{
    return (smc_dec_t){inst->tick.units * (inst->feed->mid / FINE)};
}

smc_dec_t smc_feed_mid(const smc_market_t *m, int32_t instrument)
{
    const instrument_t *inst = instrument_at(m, instrument);
    return inst != NULL && inst->feed != NULL ? feed_mid(inst) : dec_zero();
}
