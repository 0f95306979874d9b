/* A market that forgets, beside one that does not: what both can be asked for is the same. */
#include "market_support.h"

#include "smc/market_position.h"
#include "smc/rng.h"

enum { KEEP = 60, KEEP_TRADES = 200, OPERATIONS = 20000, SLACK = 1024 /* between two looks */ };

typedef struct twins {
    smc_market_t *all, *few;
    int32_t btc, account;
    int64_t now_ms;
    smc_rng_t rng;
} twins_t;

static smc_market_t *begin(twins_t *t)
{
    smc_market_t *m = new_market(9);
    smc_feed_conf_t feed = smc_feed_defaults();

    t->btc = add_btc(m, "0.001", "0.001");
    feed.mid = dec("60000");
    assert_int_equal(SMC_OK, smc_feed_add(m, t->btc, &feed, NULL));
    t->account = add_account(m, "1000000", "1000000000");
    return m;
}

static void open_twins(twins_t *t)
{
    t->all = begin(t);
    t->few = begin(t);
    t->now_ms = START;
    smc_market_keep(t->few, KEEP, KEEP_TRADES);
    smc_rng_init(&t->rng, 9, "forget");
}

static void close_twins(twins_t *t)
{
    smc_market_free(t->all);
    smc_market_free(t->few);
}

static void place(twins_t *t, int i)
{
    const smc_order_t *one = NULL, *other = NULL;
    char id[24];
    smc_dec_t qty = dec("0.002"), price = dec("59000");
    smc_order_request_t r = {.account = t->account, .instrument = t->btc, .client_id = id};

    (void)snprintf(id, sizeof(id), "c%d", i);
    r.side = smc_rng_range(&t->rng, 0, 1) == 0 ? SMC_BUY : SMC_SELL;
    r.type = smc_rng_range(&t->rng, 0, 3) == 0 ? SMC_LIMIT : SMC_MARKET_ORDER;
    r.qty = &qty;
    if (r.type == SMC_LIMIT) {
        r.side = SMC_BUY;
        r.price = &price;
    }
    smc_dec_t far = dec("10");
    smc_trigger_t stop = {.price = far, .by = SMC_WATCH_LAST};
    if (r.type == SMC_MARKET_ORDER && smc_rng_range(&t->rng, 0, 199) == 0) {
        r.side = SMC_SELL;
        r.trigger = &stop; /* waits for ever */
    }
    smc_refusal_t a = smc_market_place(t->all, &r, t->now_ms, &one);
    assert_int_equal(a, smc_market_place(t->few, &r, t->now_ms, &other));
    if (a == SMC_ACCEPTED) {
        assert_int_equal(one->id, other->id);
        assert_int_equal(one->status, other->status);
    }
}

static void note_id(void *ud, const smc_order_t *o)
{
    *(int64_t *)ud = o->id;
}

static void cancel_oldest(twins_t *t)
{
    smc_range_t oldest = {.open_only = true, .from_id = 1, .limit = 1};
    int64_t id = -1;
    const smc_order_t *o;

    smc_market_orders(t->few, t->account, t->btc, &oldest, note_id, &id);
    if (id < 0)
        return;
    smc_order_ref_t ref = {.account = t->account, .instrument = t->btc, .id = id};
    assert_int_equal(SMC_ACCEPTED, smc_market_cancel(t->all, &ref, NULL, t->now_ms, &o));
    assert_int_equal(SMC_ACCEPTED, smc_market_cancel(t->few, &ref, NULL, t->now_ms, &o));
}

static void same_average(twins_t *t)
{
    smc_dec_t a, b;
    int64_t at, other_at;

    assert_int_equal(SMC_OK, smc_market_average(t->all, t->btc, 5000, &a, &at));
    assert_int_equal(SMC_OK, smc_market_average(t->few, t->btc, 5000, &b, &other_at));
    assert_int_equal(0, smc_dec_cmp(a, b));
    assert_int_equal(at, other_at);
}

static void live(twins_t *t)
{
    for (int i = 0; i < OPERATIONS; i++) {
        if (smc_rng_range(&t->rng, 0, 4) == 0)
            cancel_oldest(t);
        else
            place(t, i);
        t->now_ms += 50;
        if (i % 64 == 0)
            same_average(t);
        smc_market_clear_events(t->all);
        smc_market_clear_events(t->few);
    }
}

/* ---- what is left ---------------------------------------------------------- */

typedef struct seen {
    int64_t sum; /* of what was seen, in order */
    size_t n;
} seen_t;

static void mix(seen_t *s, int64_t a, int64_t b)
{
    s->sum = (int64_t)((uint64_t)s->sum * 31 + (uint64_t)a * 7 + (uint64_t)b);
    s->n++;
}

static void on_order(void *ud, const smc_order_t *o)
{
    mix(ud, o->id, (int64_t)o->filled.units + (int64_t)o->status);
}
static void on_fill(void *ud, const smc_fill_t *f)
{
    mix(ud, f->trade_id, f->order_id);
}
static void on_trade(void *ud, const smc_trade_t *t)
{
    mix(ud, t->id, t->time_ms);
}
static void on_level(void *ud, smc_side_t side, smc_dec_t price, smc_dec_t qty)
{
    mix(ud, (int64_t)side + (int64_t)price.units, (int64_t)qty.units);
}

static seen_t orders_of(const twins_t *t, smc_market_t *m, size_t limit, bool open_only)
{
    seen_t s = {0};
    smc_market_orders(m, t->account, t->btc, &(smc_range_t){.limit = limit, .open_only = open_only},
                      on_order, &s);
    return s;
}
static seen_t fills_of(const twins_t *t, smc_market_t *m, size_t limit)
{
    seen_t s = {0};
    smc_market_fills(m, t->account, t->btc, &(smc_range_t){.limit = limit}, on_fill, &s);
    return s;
}
static seen_t trades_of(const twins_t *t, smc_market_t *m, size_t limit)
{
    seen_t s = {0};
    assert_int_equal(SMC_OK,
                     smc_market_trades(m, t->btc, &(smc_range_t){.limit = limit}, on_trade, &s));
    return s;
}
static seen_t book_of(const twins_t *t, smc_market_t *m)
{
    seen_t s = {0};
    s.sum = smc_market_book(m, t->btc, 0, on_level, &s);
    return s;
}

static void assert_same(seen_t a, seen_t b)
{
    assert_int_equal(a.n, b.n);
    assert_int_equal(a.sum, b.sum);
}

static void what_is_left_is_the_same_and_bounded(void **state)
{
    twins_t t;

    (void)state;
    open_twins(&t);
    live(&t);
    assert_true(trades_of(&t, t.all, 0).n > 10000);
    assert_same(orders_of(&t, t.all, 0, true), orders_of(&t, t.few, 0, true));
    assert_same(orders_of(&t, t.all, KEEP, false), orders_of(&t, t.few, KEEP, false));
    assert_same(fills_of(&t, t.all, KEEP), fills_of(&t, t.few, KEEP));
    assert_same(trades_of(&t, t.all, KEEP_TRADES), trades_of(&t, t.few, KEEP_TRADES));
    assert_same(book_of(&t, t.all), book_of(&t, t.few));
    for (int32_t asset = 0; asset < 2; asset++) {
        smc_balance_t a = smc_market_balance(t.all, t.account, asset);
        smc_balance_t b = smc_market_balance(t.few, t.account, asset);
        assert_int_equal(0, smc_dec_cmp(a.free, b.free));
        assert_int_equal(0, smc_dec_cmp(a.locked, b.locked));
    }
    size_t open = orders_of(&t, t.few, 0, true).n;
    assert_true(open > 0);
    assert_in_range(orders_of(&t, t.few, 0, false).n, KEEP, open + (size_t)2 * KEEP + SLACK);
    assert_in_range(fills_of(&t, t.few, 0).n, KEEP, (size_t)2 * KEEP + (size_t)8 * SLACK);
    assert_in_range(trades_of(&t, t.few, 0).n, KEEP_TRADES,
                    (size_t)2 * KEEP_TRADES + (size_t)8 * SLACK);
    close_twins(&t);
}

static void orders_are_found_by_client_id_until_they_are_forgotten(void **state)
{
    twins_t t;
    size_t found = 0, same = 0;

    (void)state;
    open_twins(&t);
    live(&t);
    for (int i = 0; i < OPERATIONS; i++) {
        char id[24];
        (void)snprintf(id, sizeof(id), "c%d", i);
        smc_order_ref_t ref = {
            .account = t.account, .instrument = t.btc, .id = -1, .client_id = id};
        const smc_order_t *a = smc_market_order(t.all, &ref), *b = smc_market_order(t.few, &ref);
        if (b == NULL)
            continue;
        found++;
        assert_non_null(a);
        same += a->id == b->id && strcmp(b->client_id, id) == 0;
    }
    assert_int_equal(found, orders_of(&t, t.few, 0, false).n);
    assert_int_equal(found, same);
    close_twins(&t);
}

static void count_own(void *ud, const smc_fill_t *f)
{
    int64_t *order_and_n = ud;
    order_and_n[1] += f->order_id == order_and_n[0];
}

/* By order, and by looking through all that are left. */
static void fills_of_each_order(void *ud, const smc_order_t *o)
{
    const twins_t *t = ud;
    int64_t by_order[2] = {o->id, 0}, of_all[2] = {o->id, 0};

    smc_market_fills(t->few, t->account, t->btc, &(smc_range_t){.order_id = o->id}, count_own,
                     by_order);
    smc_market_fills(t->few, t->account, t->btc, &(smc_range_t){0}, count_own, of_all);
    assert_int_equal(of_all[1], by_order[1]);
}

static void fills_of_an_order_are_found(void **state)
{
    twins_t t;

    (void)state;
    open_twins(&t);
    live(&t);
    smc_market_orders(t.few, t.account, t.btc, &(smc_range_t){0}, fills_of_each_order, &t);
    close_twins(&t);
}

static void last_fill(void *ud, const smc_fill_t *f)
{
    *(smc_fill_t *)ud = *f;
}

typedef struct {
    const smc_market_t *m;
    size_t n;
} told_t;

/* Each fill of the run opens one lot or closes one. */
static void check_lot(void *ud, const smc_fill_t *f)
{
    told_t *t = ud;
    assert_int_equal(f->n_lots, 1);
    const smc_lot_change_t *c = smc_market_lot_changes(t->m, f);
    assert_int_equal(smc_dec_cmp(smc_dec_abs(c->qty), f->qty), 0);
    assert_true(c->opened ? c->id == f->order_id : c->id == f->order_id - 2);
    t->n++;
}

static void fills_of_contracts_keep_their_lots(void **state)
{
    (void)state;
    smc_market_t *m = new_market(1);
    smc_contract_conf_t k = {
        .lots = true, .margin_rate = dec("0.1"), .maintenance_rate = dec("0.01")};
    smc_instrument_conf_t conf = {.symbol = "EURUSD",
                                  .base = "EUR",
                                  .quote = "USD",
                                  .tick = dec("1"),
                                  .step = dec("1"),
                                  .contract = &k};
    int32_t id;
    assert_int_equal(smc_market_add_instrument(m, &conf, &id, NULL), SMC_OK);
    int32_t a = add_account(m, NULL, "1000"), b = add_account(m, NULL, "1000");
    smc_market_keep(m, KEEP, KEEP_TRADES);
    smc_dec_t one = dec("1");
    smc_fill_t first = {0};
    const smc_order_t *o;
    for (int i = 0; i < OPERATIONS; i++) { /* a buys, b sells; then the other way */
        smc_order_request_t r = {.account = i % 2 == 0 ? b : a,
                                 .side = i / 2 % 2 == 0 ? (i % 2 == 0 ? SMC_SELL : SMC_BUY)
                                                        : (i % 2 == 0 ? SMC_BUY : SMC_SELL),
                                 .qty = &one,
                                 .price = &one};
        assert_int_equal(smc_market_place(m, &r, 0, &o), SMC_ACCEPTED);
        if (i == 1)
            smc_market_fills(m, a, id, &(smc_range_t){0}, last_fill, &first);
    }
    assert_int_equal(first.n_lots, 1);
    assert_null(smc_market_lot_changes(m, &first));
    told_t told = {.m = m};
    smc_fill_t last = {0};
    smc_market_fills(m, a, id, &(smc_range_t){0}, check_lot, &told);
    smc_market_fills(m, a, id, &(smc_range_t){0}, last_fill, &last);
    assert_true(told.n >= KEEP && told.n < 2 * KEEP + SLACK);
    assert_int_equal(last.first_lot, OPERATIONS - 1); /* counted from the first that ever was */
    smc_market_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_left_is_the_same_and_bounded),
        cmocka_unit_test(orders_are_found_by_client_id_until_they_are_forgotten),
        cmocka_unit_test(fills_of_an_order_are_found),
        cmocka_unit_test(fills_of_contracts_keep_their_lots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
