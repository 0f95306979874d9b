/* The feed: a function of seed and calls, never crossed; it trades with clients it reaches. */
#include "market_support.h"

#include "smc/clock.h"
#include "smc/rng.h"

#include <stdlib.h>

#define HOUR INT64_C(3600000)

static smc_market_t *open_feed(uint64_t seed, smc_feed_conf_t conf)
{
    smc_market_t *m = new_market(seed);
    add_btc(m, "0.001", "0.001");
    if (smc_dec_sign(conf.mid) == 0)
        conf.mid = dec("60000");
    assert_int_equal(smc_feed_add(m, 0, &conf, NULL), SMC_OK);
    return m;
}

/* FNV-1a over all that can be seen. */
static void mix(uint64_t *h, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    for (size_t i = 0; i < n; i++)
        *h = (*h ^ p[i]) * UINT64_C(1099511628211);
}

static void mix_level(void *ud, smc_side_t side, smc_dec_t price, smc_dec_t qty)
{
    mix(ud, &side, sizeof(side));
    mix(ud, &price.units, sizeof(price.units));
    mix(ud, &qty.units, sizeof(qty.units));
}

static void mix_trade(void *ud, const smc_trade_t *t)
{
    mix(ud, &t->id, sizeof(t->id));
    mix(ud, &t->time_ms, sizeof(t->time_ms));
    mix(ud, &t->price.units, sizeof(t->price.units));
    mix(ud, &t->qty.units, sizeof(t->qty.units));
}

static uint64_t fingerprint(smc_market_t *m)
{
    uint64_t h = UINT64_C(14695981039346656037);
    for (int32_t i = 0; i < smc_market_instruments(m); i++) {
        int64_t id = smc_market_book(m, i, 0, mix_level, &h);
        mix(&h, &id, sizeof(id));
        assert_int_equal(smc_market_trades(m, i, &(smc_range_t){0}, mix_trade, &h), SMC_OK);
    }
    for (int32_t a = 1; a <= smc_market_accounts(m); a++)
        for (int32_t asset = 0; asset < smc_market_assets(m); asset++) {
            smc_balance_t b = smc_market_balance(m, a, asset);
            mix(&h, &b.free.units, sizeof(b.free.units));
            mix(&h, &b.locked.units, sizeof(b.locked.units));
        }
    return h;
}

/* The same world, driven in other steps between the same client orders. */
static uint64_t drive(uint64_t seed, int64_t step_ms)
{
    smc_market_t *m = open_feed(seed, smc_feed_defaults());
    int32_t a = add_account(m, "100", "10000000");
    smc_instrument_conf_t eth = {.symbol = "ETHUSDT",
                                 .base = "ETH",
                                 .quote = "USDT",
                                 .tick = dec("0.01"),
                                 .step = dec("0.001")};
    smc_feed_conf_t conf = smc_feed_defaults();
    int32_t id;
    conf.mid = dec("3000");
    conf.step_ms = 700;
    assert_int_equal(smc_market_add_instrument(m, &eth, &id, NULL), SMC_OK);
    assert_int_equal(smc_feed_add(m, id, &conf, NULL), SMC_OK);
    int64_t now = START, end = START + HOUR / 4;
    smc_rng_t rng;
    smc_rng_init(&rng, 5, "clients");
    for (int64_t order_at = START + 30000; now < end;) {
        int64_t next = step_ms > 0 ? now + step_ms : end;
        now = next < order_at ? next : order_at;
        if (now < order_at) {
            smc_market_advance(m, now);
            continue;
        }
        smc_dec_t qty = dec("0.5");
        smc_dec_t price = {dec("0.01").units * smc_rng_range(&rng, 5995000, 6005000)};
        smc_order_request_t r = {
            .account = a, .side = (smc_side_t)smc_rng_below(&rng, 2), .qty = &qty, .price = &price};
        const smc_order_t *o;
        assert_int_equal(smc_market_place(m, &r, now, &o), SMC_ACCEPTED);
        order_at += 30000;
    }
    uint64_t h = fingerprint(m);
    smc_market_free(m);
    return h;
}

static void steps_do_not_matter(void **state)
{
    (void)state;
    uint64_t whole = drive(7, 0);
    assert_true(drive(7, 1) == whole);
    assert_true(drive(7, 333) == whole);
    assert_true(drive(7, 60000) == whole);
    assert_true(drive(8, 0) != whole);
}

static void next_says_when(void **state)
{
    (void)state;
    smc_market_t *m = open_feed(3, smc_feed_defaults());
    for (int i = 0; i < 200; i++) {
        int64_t next = smc_market_next_ms(m);
        uint64_t before = fingerprint(m);
        assert_true(next > smc_market_time(m));
        smc_market_advance(m, next - 1);
        assert_true(fingerprint(m) == before); /* nothing earlier */
        smc_market_advance(m, next);
        assert_true(smc_market_next_ms(m) > next);
        smc_market_advance(m, next - 500); /* time does not go back */
        assert_int_equal(smc_market_time(m), next);
    }
    smc_market_free(m);
    m = new_market(1);
    assert_true(smc_market_next_ms(m) == INT64_MAX);
    smc_market_free(m);
}

typedef struct {
    smc_dec_t best[2];
    int n[2];
} top_t;

static void see_top(void *ud, smc_side_t side, smc_dec_t price, smc_dec_t qty)
{
    top_t *t = ud;
    assert_true(smc_dec_sign(qty) > 0);
    if (t->n[side]++ == 0)
        t->best[side] = price;
}

static top_t top(const smc_market_t *m)
{
    top_t t = {0};
    (void)smc_market_book(m, 0, 0, see_top, &t);
    if (t.n[SMC_BUY] > 0 && t.n[SMC_SELL] > 0)
        assert_true(smc_dec_cmp(t.best[SMC_BUY], t.best[SMC_SELL]) < 0);
    return t;
}

typedef struct {
    smc_dec_t last[2];
    int n[2];
} ladder_t;

static void see_rung(void *ud, smc_side_t side, smc_dec_t price, smc_dec_t qty)
{
    ladder_t *l = ud;
    (void)qty;
    if (l->n[side]++ > 0)
        assert_dec("6", smc_dec_abs((smc_dec_t){price.units - l->last[side].units}));
    l->last[side] = price;
}

static void makers_stand_in_a_ladder(void **state)
{
    (void)state;
    smc_market_t *m = open_feed(6, smc_feed_defaults());
    smc_dec_t first = smc_feed_mid(m, 0);
    for (int64_t now = START; now <= START + HOUR / 4; now += 1000) {
        smc_market_advance(m, now);
        ladder_t l = {0};
        (void)smc_market_book(m, 0, 0, see_rung, &l);
        assert_int_equal(l.n[SMC_BUY], 20);
        assert_int_equal(l.n[SMC_SELL], 20);
    }
    assert_int_not_equal(smc_dec_cmp(smc_feed_mid(m, 0), first), 0);
    smc_market_free(m);
}

static const smc_order_t *place(smc_market_t *m, int32_t account, smc_side_t side, const char *qty,
                                const char *price)
{
    smc_dec_t q = dec(qty), p = dec(price);
    smc_order_request_t r = {.account = account, .side = side, .qty = &q, .price = &p};
    const smc_order_t *o = NULL;
    assert_int_equal(smc_market_place(m, &r, 0, &o), SMC_ACCEPTED);
    return o;
}

static void never_crossed_and_never_empty(void **state)
{
    (void)state;
    smc_market_t *m = open_feed(11, smc_feed_defaults());
    int32_t a = add_account(m, "1000", "100000000");
    smc_rng_t rng;
    smc_rng_init(&rng, 1, "clients");
    for (int64_t now = START; now < START + HOUR / 2; now += 250) {
        smc_market_advance(m, now);
        top_t t = top(m);
        if (now % 1000 == 0)
            assert_true(t.n[SMC_BUY] >= 20 && t.n[SMC_SELL] >= 20);
        if (smc_rng_below(&rng, 8) != 0)
            continue;
        /* Clients in, at, and through the spread, some larger than a level. */
        char price[32], qty[32];
        (void)snprintf(price, sizeof(price), "%d.%02d", (int)smc_rng_range(&rng, 59900, 60100),
                       (int)smc_rng_below(&rng, 100));
        (void)snprintf(qty, sizeof(qty), "%d.5", (int)smc_rng_below(&rng, 8));
        smc_side_t side = (smc_side_t)smc_rng_below(&rng, 2);
        smc_dec_t p = dec(price), q = dec(qty);
        smc_order_request_t r = {.account = a, .side = side, .qty = &q, .price = &p};
        const smc_order_t *o;
        (void)smc_market_place(m, &r, now, &o);
        (void)top(m);
    }
    smc_market_free(m);
}

static void moves_fill_what_they_pass(void **state)
{
    (void)state;
    smc_market_t *m = open_feed(1, smc_feed_defaults());
    int32_t a = add_account(m, "10", "1000000");
    const smc_order_t *near_bid = place(m, a, SMC_BUY, "3", "59000");
    const smc_order_t *far_bid = place(m, a, SMC_BUY, "2", "57000");
    const smc_order_t *ask = place(m, a, SMC_SELL, "1", "62000");
    assert_int_equal(smc_feed_move_by(m, 0, dec("-0.03"), NULL), SMC_OK);
    assert_dec("58200", smc_feed_mid(m, 0));
    assert_int_equal(near_bid->status, SMC_ORDER_FILLED);
    assert_dec("177000", near_bid->filled_quote); /* at its own price: it was there first */
    assert_int_equal(far_bid->status, SMC_ORDER_NEW);
    assert_int_equal(ask->status, SMC_ORDER_NEW);
    smc_window_t w;
    assert_int_equal(smc_market_window(m, 0, START - 1, START, &w), SMC_OK);
    assert_true(smc_dec_cmp(w.sum.close, dec("58200")) < 0 &&
                smc_dec_cmp(w.sum.close, dec("58100")) > 0); /* the new price is printed */
    assert_int_equal(smc_feed_move_to(m, 0, dec("62500"), NULL), SMC_OK);
    assert_int_equal(ask->status, SMC_ORDER_FILLED);
    top_t t = top(m);
    assert_true(smc_dec_cmp(t.best[SMC_BUY], dec("62400")) > 0);
    assert_int_equal(smc_feed_move_to(m, 0, dec("0"), NULL), SMC_EINVAL);
    assert_int_equal(smc_feed_move_by(m, 0, dec("-1"), NULL), SMC_EINVAL);
    assert_int_equal(smc_feed_move_by(m, 5, dec("0.1"), NULL), SMC_ENOENT);
    smc_market_free(m);
}

static void one_price_a_time(void *ud, const smc_trade_t *t)
{
    smc_trade_t *last = ud;
    if (t->time_ms == last->time_ms)
        assert_int_equal(smc_dec_cmp(t->price, last->price), 0);
    *last = *t;
}

static void the_flow_reaches_clients(void **state)
{
    (void)state;
    smc_market_t *m = open_feed(2, smc_feed_defaults());
    int32_t a = add_account(m, "10", "1000000");
    const smc_order_t *o = place(m, a, SMC_BUY, "0.01", "60000"); /* inside the spread */
    assert_int_equal(o->status, SMC_ORDER_NEW);
    smc_market_advance(m, START + 60000);
    assert_int_equal(o->status, SMC_ORDER_FILLED);
    /* A taker that gets less than it came for does not go on to the next price. */
    for (int i = 0; i < 40; i++) {
        place(m, a, SMC_BUY, "0.001", "60000");
        smc_market_advance(m, smc_market_time(m) + 1500);
    }
    smc_trade_t last = {0};
    assert_int_equal(smc_market_trades(m, 0, &(smc_range_t){0}, one_price_a_time, &last), SMC_OK);
    assert_int_equal(last.time_ms > START, 1);
    smc_market_free(m);
}

static void frozen_and_bare(void **state)
{
    (void)state;
    smc_market_t *m = open_feed(4, smc_feed_defaults());
    int32_t a = add_account(m, "10", "10000000");
    smc_market_advance(m, START + 10000);
    assert_int_equal(smc_feed_freeze(m, 0, true, NULL), SMC_OK);
    uint64_t before = fingerprint(m);
    assert_true(smc_market_next_ms(m) == INT64_MAX);
    smc_market_advance(m, START + HOUR);
    assert_true(fingerprint(m) == before);
    assert_int_equal(smc_feed_freeze(m, 0, false, NULL), SMC_OK);
    smc_market_advance(m, START + HOUR + 5000);
    assert_true(fingerprint(m) != before);
    /* Without makers and takers only the client is there. */
    smc_feed_conf_t conf = *smc_feed_conf(m, 0);
    conf.levels = 0;
    conf.trade_ms = 0;
    assert_int_equal(smc_feed_configure(m, 0, &conf, NULL), SMC_OK);
    place(m, a, SMC_BUY, "1", "65000");
    smc_market_advance(m, START + 2 * HOUR);
    top_t t = top(m);
    assert_int_equal(t.n[SMC_BUY], 1);
    assert_int_equal(t.n[SMC_SELL], 0);
    conf.levels = 5;
    conf.spread = dec("0.01");
    assert_int_equal(smc_feed_configure(m, 0, &conf, NULL), SMC_OK);
    t = top(m);
    assert_int_equal(t.n[SMC_BUY], 5); /* the client's bid was in the way of the makers' asks */
    assert_int_equal(t.n[SMC_SELL], 5);
    assert_true(t.best[SMC_SELL].units - t.best[SMC_BUY].units >= dec("590").units);
    smc_market_free(m);
}

typedef struct {
    size_t n;
    int64_t id, ms;
} run_t;

static void in_sequence(void *ud, const smc_trade_t *t)
{
    run_t *r = ud;
    assert_int_equal(t->id, r->id + 1);
    assert_true(t->time_ms >= r->ms && smc_dec_sign(t->qty) > 0 && smc_dec_sign(t->price) > 0);
    *r = (run_t){r->n + 1, t->id, t->time_ms};
}

/* The same from the sums over the whole window. */
static void assert_average(smc_market_t *m, int64_t span_ms)
{
    smc_window_t w;
    smc_dec_t mean, price;
    int64_t now = smc_market_time(m), last_ms;
    assert_int_equal(smc_market_average(m, 0, span_ms, &price, &last_ms), SMC_OK);
    assert_int_equal(smc_market_window(m, 0, now - span_ms, now, &w), SMC_OK);
    if (w.sum.count == 0) {
        assert_int_equal(smc_market_window(m, 0, 0, now, &w), SMC_OK);
        mean = w.sum.close;
    } else {
        assert_int_equal(
            smc_dec_div(w.sum.quote_volume, w.sum.volume, 8, SMC_ROUND_HALF_EVEN, &mean), SMC_OK);
    }
    assert_int_equal(smc_dec_cmp(price, mean), 0);
    assert_int_equal(last_ms, w.sum.close_ms);
}

static void the_average_moves_along(void **state)
{
    (void)state;
    static const int64_t spans[] = {300000, 300000, 300000, 60000, 300000, 1, 86400000};
    smc_market_t *m = open_feed(11, smc_feed_defaults());
    int64_t now = START;
    smc_rng_t rng;
    smc_rng_init(&rng, 11, "average");
    for (int i = 0; i < 600; i++) {
        assert_average(m, spans[smc_rng_range(&rng, 0, 6)]);
        now += smc_rng_range(&rng, 0, 9) == 0 ? 400000 : smc_rng_range(&rng, 0, 3000);
        smc_market_advance(m, now);
    }
    smc_market_free(m);
    smc_dec_t price;
    int64_t last_ms;
    m = new_market(1);
    add_btc(m, "0", "0");
    assert_int_equal(smc_market_average(m, 0, 1000, &price, &last_ms), SMC_OK);
    assert_int_equal(smc_dec_sign(price), 0);
    smc_market_free(m);
}

static void history_comes_first(void **state)
{
    (void)state;
    smc_market_t *m = open_feed(9, smc_feed_defaults());
    smc_market_advance(m, START + 60000);
    run_t r = {.ms = START - 24 * HOUR};
    assert_int_equal(smc_market_trades(m, 0, &(smc_range_t){0}, in_sequence, &r), SMC_OK);
    assert_true(r.n > 5760 && r.n < 5760 + 120);
    r = (run_t){0};
    assert_int_equal(smc_market_trades(m, 0, &(smc_range_t){.to_ms = START - 1}, in_sequence, &r),
                     SMC_OK);
    assert_int_equal(r.n, 5760);
    smc_window_t w;
    assert_int_equal(smc_market_window(m, 0, START - 24 * HOUR - 1, START, &w), SMC_OK);
    assert_int_equal(w.sum.count, 5760);
    assert_true(smc_dec_cmp(w.sum.low, dec("59000")) > 0 &&
                smc_dec_cmp(w.sum.high, dec("61000")) < 0);
    assert_true(smc_dec_cmp(w.sum.low, w.sum.high) < 0);
    smc_market_free(m);
}

typedef struct {
    size_t n;
    smc_trade_t v[200];
} newest_t;

static void keep_newest(void *ud, const smc_trade_t *t)
{
    newest_t *k = ud;
    k->v[k->n++ % 200] = *t;
}

/* Made from its end, piece by piece, or all at once: the history is the same. */
static void history_is_made_as_far_as_it_is_asked_for(void **state)
{
    (void)state;
    static const size_t limits[] = {1, 1, 7, 3, 200};
    smc_market_t *a = open_feed(9, smc_feed_defaults()), *b = open_feed(9, smc_feed_defaults());
    newest_t all = {0};
    assert_int_equal(smc_market_trades(b, 0, &(smc_range_t){0}, keep_newest, &all), SMC_OK);
    assert_int_equal(all.n, 5760);
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        newest_t some = {0};
        size_t n = limits[i];
        assert_int_equal(smc_market_trades(a, 0, &(smc_range_t){.limit = n}, keep_newest, &some),
                         SMC_OK);
        assert_int_equal(some.n, n);
        for (size_t k = 0; k < n; k++) {
            const smc_trade_t *got = &some.v[k], *want = &all.v[(all.n - n + k) % 200];
            assert_int_equal(got->id, want->id);
            assert_int_equal(got->time_ms, want->time_ms);
            assert_int_equal(smc_dec_cmp(got->price, want->price), 0);
            assert_int_equal(smc_dec_cmp(got->qty, want->qty), 0);
        }
    }
    smc_window_t w;
    assert_int_equal(smc_market_window(a, 0, START - 24 * HOUR - 1, START, &w), SMC_OK);
    assert_int_equal(w.sum.count, 5760);
    smc_market_free(a);
    smc_market_free(b);
}

typedef struct {
    int64_t n, ids, first_ms;
    smc_dec_t quote;
} total_t;

static void add_up(void *ud, const smc_trade_t *t)
{
    total_t *k = ud;
    smc_dec_t quote;
    assert_int_equal(smc_dec_mul(t->price, t->qty, 18, SMC_ROUND_DOWN, &quote), SMC_OK);
    assert_int_equal(smc_dec_cmp(t->quote, quote), 0);
    k->first_ms = k->n++ == 0 ? t->time_ms : k->first_ms;
    k->ids += t->id;
    k->quote.units += t->quote.units;
}

static void assert_same_since(smc_market_t *some, smc_market_t *all, int64_t from_ms)
{
    smc_market_t *of[] = {some, all};
    total_t total[2] = {{0}};
    smc_window_t w[2];
    smc_dec_t mean[2];
    int64_t at[2];
    for (int i = 0; i < 2; i++) { /* what needs least comes first */
        assert_int_equal(smc_market_average(of[i], 0, START - from_ms, &mean[i], &at[i]), SMC_OK);
        assert_int_equal(smc_market_window(of[i], 0, from_ms, START, &w[i]), SMC_OK);
        assert_int_equal(
            smc_market_trades(of[i], 0, &(smc_range_t){.from_ms = from_ms}, add_up, &total[i]),
            SMC_OK);
    }
    assert_int_equal(smc_dec_cmp(mean[0], mean[1]), 0);
    assert_int_equal(at[0], at[1]);
    assert_memory_equal(&w[0].sum, &w[1].sum, offsetof(smc_candle_t, last_id));
    assert_int_equal(w[0].sum.last_id, w[1].sum.last_id);
    assert_int_equal(smc_dec_cmp(w[0].prev_close, w[1].prev_close), 0);
    assert_int_equal(total[0].n, total[1].n);
    assert_int_equal(total[0].ids, total[1].ids);
    assert_int_equal(total[0].first_ms, total[1].first_ms);
    assert_int_equal(smc_dec_cmp(total[0].quote, total[1].quote), 0);
}

/* Each span in a market in which nothing has been made; then all in one, the shortest first. */
static void a_span_needs_no_more_of_the_history_than_there_is(void **state)
{
    (void)state;
    smc_feed_conf_t conf = smc_feed_defaults();
    conf.trade_qty = dec("0.003"); /* many a trade is of the least quantity */
    smc_market_t *all = open_feed(9, conf), *growing = open_feed(9, conf);
    total_t total = {0};
    assert_int_equal(smc_market_trades(all, 0, &(smc_range_t){0}, add_up, &total), SMC_OK);
    for (int64_t span = 0; span <= 24 * HOUR + 30000; span += span < 200000 ? 1001 : 7654321) {
        smc_market_t *fresh = open_feed(9, conf);
        assert_same_since(fresh, all, START - span);
        assert_same_since(growing, all, START - span);
        smc_market_free(fresh);
    }
    smc_market_free(growing);
    smc_market_free(all);
}

/* A seed that was given to repeat a run must go on to do so: these numbers are not to change. */
static void a_seed_gives_the_trades_that_it_always_gave(void **state)
{
    (void)state;
    smc_market_t *m = open_feed(9, smc_feed_defaults());
    total_t total = {0};
    char quote[SMC_DEC_TEXT_MAX], mid[SMC_DEC_TEXT_MAX];
    smc_market_advance(m, START + HOUR);
    assert_int_equal(smc_market_trades(m, 0, &(smc_range_t){0}, add_up, &total), SMC_OK);
    (void)smc_dec_text(total.quote, quote);
    (void)smc_dec_text(smc_feed_mid(m, 0), mid);
    assert_int_equal(9369, total.n);
    assert_string_equal("4248102.86045", quote);
    assert_string_equal("59918.93", mid);
    smc_market_free(m);
}

typedef struct {
    size_t n;
    int64_t open_ms, count;
    smc_dec_t close, volume;
} candles_t;

static void add_candle(void *ud, const smc_candle_t *c)
{
    candles_t *k = ud;
    assert_int_equal(c->open_ms % 60000, 0);
    assert_int_equal(c->close_ms, c->open_ms + 59999);
    if (k->n > 0)
        assert_int_equal(c->open_ms, k->open_ms + 60000);
    if (k->n++ > 0 && c->count == 0)
        assert_int_equal(smc_dec_cmp(c->open, k->close), 0);
    assert_true(smc_dec_cmp(c->low, c->open) <= 0 && smc_dec_cmp(c->high, c->close) >= 0);
    k->open_ms = c->open_ms;
    k->count += c->count;
    k->close = c->close;
    k->volume.units += c->volume.units;
}

static void candles_add_up(void **state)
{
    (void)state;
    smc_feed_conf_t conf = smc_feed_defaults();
    conf.history_every_ms = 45000; /* some minutes have no trade */
    smc_market_t *m = open_feed(9, conf);
    candles_t all = {0};
    smc_candle_query_t q = {.interval_ms = 60000};
    assert_int_equal(smc_market_candles(m, 0, &q, add_candle, &all), SMC_OK);
    smc_window_t w;
    assert_int_equal(smc_market_window(m, 0, START - 48 * HOUR, START, &w), SMC_OK);
    assert_int_equal(all.count, w.sum.count);
    assert_int_equal(smc_dec_cmp(all.volume, w.sum.volume), 0);
    assert_int_equal(smc_dec_cmp(all.close, w.sum.close), 0);
    candles_t some = {0};
    q.limit = 10;
    assert_int_equal(smc_market_candles(m, 0, &q, add_candle, &some), SMC_OK);
    assert_int_equal(some.n, 10);
    assert_int_equal(some.open_ms, START - START % 60000); /* the last is the current one */
    some = (candles_t){0};
    q.from_ms = START - HOUR + 1; /* an open before it does not count */
    assert_int_equal(smc_market_candles(m, 0, &q, add_candle, &some), SMC_OK);
    assert_int_equal(some.n, 10);
    assert_true(some.open_ms == START - HOUR + INT64_C(10) * 60000);
    some = (candles_t){0};
    q.from_ms = INT64_MAX;
    assert_int_equal(smc_market_candles(m, 0, &q, add_candle, &some), SMC_OK);
    assert_int_equal(some.n, 0);
    smc_market_free(m);
}

static void bad_configurations(void **state)
{
    (void)state;
    smc_market_t *m = new_market(1);
    add_btc(m, "0", "0");
    smc_feed_conf_t c = smc_feed_defaults();
    assert_int_equal(smc_feed_add(m, 0, &c, NULL), SMC_EINVAL); /* no mid */
    c.mid = dec("100");
    c.levels = 1001;
    assert_int_equal(smc_feed_add(m, 0, &c, NULL), SMC_EINVAL);
    c.levels = 3;
    c.step_ms = 0;
    assert_int_equal(smc_feed_add(m, 0, &c, NULL), SMC_EINVAL);
    c.step_ms = 1000;
    assert_int_equal(smc_feed_add(m, 0, &c, NULL), SMC_OK);
    assert_int_equal(smc_feed_add(m, 0, &c, NULL), SMC_EEXIST);
    smc_market_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_do_not_matter),
        cmocka_unit_test(next_says_when),
        cmocka_unit_test(makers_stand_in_a_ladder),
        cmocka_unit_test(never_crossed_and_never_empty),
        cmocka_unit_test(moves_fill_what_they_pass),
        cmocka_unit_test(the_flow_reaches_clients),
        cmocka_unit_test(frozen_and_bare),
        cmocka_unit_test(history_comes_first),
        cmocka_unit_test(history_is_made_as_far_as_it_is_asked_for),
        cmocka_unit_test(a_span_needs_no_more_of_the_history_than_there_is),
        cmocka_unit_test(a_seed_gives_the_trades_that_it_always_gave),
        cmocka_unit_test(the_average_moves_along),
        cmocka_unit_test(candles_add_up),
        cmocka_unit_test(bad_configurations),
    };
    return cmocka_run_group_tests_name("market feed", tests, NULL, NULL);
}
