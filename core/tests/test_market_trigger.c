/* Conditional orders, bounds, general amendments and halts: examples; test_market_trigger_model.c
 * has the laws. */
#include "market_support.h"

typedef struct {
    smc_market_t *m;
    int32_t a, b;
    const smc_order_t *o;
} fixture_t;

/* b makes a market 99 / 101 of 10 each side, and one trade at 100 has happened. */
static void set_up(fixture_t *f);

typedef struct {
    const char *qty, *quote, *price, *at, *trail;
    int32_t bps;
    smc_watch_t by;
    char side; /* 'b' or 's' */
    bool rises, immediately, plain;
    smc_order_type_t type;
    smc_tif_t tif;
} ask_t;

static smc_refusal_t place(fixture_t *f, int32_t account, ask_t k)
{
    smc_dec_t qty = dec(k.qty != NULL ? k.qty : "0"), quote = dec(k.quote != NULL ? k.quote : "0");
    smc_dec_t price = dec(k.price != NULL ? k.price : "0");
    smc_trigger_t t = {.price = dec(k.at != NULL ? k.at : "0"),
                       .trail = dec(k.trail != NULL ? k.trail : "0"),
                       .trail_bps = k.bps,
                       .by = k.by,
                       .rises = k.rises,
                       .immediately = k.immediately};
    smc_order_request_t r = {.account = account,
                             .side = k.side == 'b' ? SMC_BUY : SMC_SELL,
                             .type = k.type,
                             .tif = k.tif,
                             .qty = k.qty != NULL ? &qty : NULL,
                             .quote_qty = k.quote != NULL ? &quote : NULL,
                             .price = k.price != NULL ? &price : NULL,
                             .trigger = k.plain ? NULL : &t};
    f->o = NULL;
    return smc_market_place(f->m, &r, 0, &f->o);
}

static smc_refusal_t limit(fixture_t *f, int32_t account, char side, const char *qty,
                           const char *price)
{
    return place(f, account, (ask_t){.side = side, .qty = qty, .price = price, .plain = true});
}

static void set_up(fixture_t *f)
{
    f->m = new_market(1);
    add_btc(f->m, "0", "0");
    f->a = add_account(f->m, "10", "10000");
    f->b = add_account(f->m, "1000", "1000000");
    limit(f, f->b, 's', "1", "100");
    limit(f, f->b, 'b', "1", "100");
    limit(f, f->b, 's', "10", "101");
    limit(f, f->b, 'b', "10", "99");
}

/* A trade at this price, from outside the spread or inside, and the book as before. */
static void print(fixture_t *f, const char *price)
{
    assert_int_equal(limit(f, f->b, 's', "0.001", price), SMC_ACCEPTED);
    assert_int_equal(limit(f, f->b, 'b', "0.001", price), SMC_ACCEPTED);
}

static const smc_order_t *order(const fixture_t *f, int64_t id)
{
    return smc_market_order(f->m, &(smc_order_ref_t){.account = f->a, .id = id});
}

#define assert_balance(f, asset, free_, locked_)                             \
    do {                                                                     \
        assert_dec(free_, smc_market_balance((f).m, (f).a, asset).free);     \
        assert_dec(locked_, smc_market_balance((f).m, (f).a, asset).locked); \
    } while (0)

static void waits_and_locks(void **state)
{
    (void)state;
    fixture_t f;
    set_up(&f);
    ask_t stop = {.side = 'b', .qty = "2", .price = "100.7", .at = "100.5", .rises = true};
    assert_int_equal(place(&f, f.a, stop), SMC_ACCEPTED);
    assert_int_equal(f.o->status, SMC_ORDER_NEW);
    assert_false(f.o->on_book);
    assert_int_equal(f.o->triggered_ms, -1);
    assert_int_equal(f.o->working_ms, -1);
    assert_balance(f, 1, "9798.6", "201.4");
    /* Without a price of its own: what it comes to at the trigger price. */
    stop = (ask_t){.side = 'b', .qty = "1", .at = "100.5", .rises = true, .type = SMC_MARKET_ORDER};
    assert_int_equal(place(&f, f.a, stop), SMC_ACCEPTED);
    assert_balance(f, 1, "9698.1", "301.9");
    stop = (ask_t){.side = 's', .quote = "50", .at = "99.5", .type = SMC_MARKET_ORDER};
    assert_int_equal(place(&f, f.a, stop), SMC_ACCEPTED);
    assert_balance(f, 0, "9.497", "0.503"); /* 50 / 99.5 = 0.50251..., up to a step */
    smc_cancel_all_t all = {f.a, SMC_MARKET_ALL, SMC_END_USER};
    smc_market_cancel_all(f.m, &all, 0, NULL, NULL);
    assert_balance(f, 0, "10", "0");
    assert_balance(f, 1, "10000", "0");
    print(&f, "100.6"); /* nothing waits any more */
    assert_int_equal(order(&f, 5)->status, SMC_ORDER_CANCELED);
    smc_market_free(f.m);
}

static void fires_at_the_price_and_not_before(void **state)
{
    (void)state;
    fixture_t f;
    set_up(&f);
    place(&f, f.a,
          (ask_t){.side = 'b', .qty = "2", .price = "100.7", .at = "100.5", .rises = true});
    int64_t id = f.o->id;
    print(&f, "100.49");
    assert_int_equal(order(&f, id)->triggered_ms, -1);
    smc_market_advance(f.m, START + 7);
    print(&f, "100.5");
    assert_int_equal(order(&f, id)->triggered_ms, START + 7);
    assert_int_equal(order(&f, id)->working_ms, START + 7);
    assert_true(order(&f, id)->on_book); /* 100.7 is below the ask: it rests */
    assert_balance(f, 1, "9798.6", "201.4");
    place(&f, f.a, (ask_t){.side = 's', .qty = "1", .at = "100", .type = SMC_MARKET_ORDER});
    id = f.o->id;
    print(&f, "100.8"); /* its own bid at 100.7 must not take part */
    assert_int_equal(order(&f, id)->status, SMC_ORDER_NEW);
    smc_market_free(f.m);
}

static void watches_what_it_is_told(void **state)
{
    (void)state;
    fixture_t f;
    set_up(&f);
    ask_t k = {.side = 'b', .qty = "0.1", .type = SMC_MARKET_ORDER, .at = "99.5", .rises = true};
    k.by = SMC_WATCH_BID;
    assert_int_equal(place(&f, f.a, k), SMC_ACCEPTED); /* last is at 100: not watched */
    int64_t by_bid = f.o->id;
    k.by = SMC_WATCH_ASK;
    assert_int_equal(place(&f, f.a, k), SMC_REFUSED_WOULD_TRIGGER);
    k.at = "100.25";
    k.by = SMC_WATCH_MARK;
    assert_int_equal(place(&f, f.a, k), SMC_ACCEPTED);
    int64_t by_mark = f.o->id;
    assert_dec("100", smc_market_mark(f.m, 0));
    limit(&f, f.b, 'b', "1", "99.49"); /* bid 99.49, mark 100.245 */
    assert_int_equal(order(&f, by_bid)->triggered_ms, -1);
    assert_int_equal(order(&f, by_mark)->triggered_ms, -1);
    limit(&f, f.b, 'b', "1", "99.5");
    assert_int_equal(order(&f, by_bid)->status, SMC_ORDER_FILLED);
    assert_int_equal(order(&f, by_mark)->status, SMC_ORDER_FILLED);
    smc_market_free(f.m);
}

/* Each print of an operation counts, though only the last one is left when it ends. */
static void sees_every_trade(void **state)
{
    (void)state;
    fixture_t f;
    set_up(&f);
    ask_t k = {.side = 'b', .qty = "1", .at = "100.5", .rises = true, .type = SMC_MARKET_ORDER};
    place(&f, f.a, k); /* prints 101 */
    k.side = 's';
    place(&f, f.a, k); /* prints 99 in the same breath */
    place(&f, f.a, (ask_t){.side = 's', .qty = "1", .price = "104", .at = "101", .rises = true});
    int64_t rising = f.o->id;
    place(&f, f.a, (ask_t){.side = 's', .qty = "1", .price = "104", .trail = "1.5"});
    int64_t trailing = f.o->id;
    print(&f, "100.5");
    assert_true(order(&f, rising)->triggered_ms > 0);
    assert_dec("99.5", order(&f, trailing)->trigger_price); /* behind 101 */
    assert_true(order(&f, trailing)->triggered_ms > 0);     /* at 99 */
    smc_market_free(f.m);
}

static void trails_from_where_it_begins(void **state)
{
    (void)state;
    fixture_t f;
    set_up(&f);
    /* Rises one per cent from the lowest, counted once 99.5 has been seen. */
    ask_t k = {.side = 'b', .qty = "1", .at = "99.5", .bps = 100, .rises = true};
    k.type = SMC_MARKET_ORDER;
    assert_int_equal(place(&f, f.a, k), SMC_ACCEPTED);
    assert_dec("0", f.o->trigger_price);
    int64_t id = f.o->id;
    print(&f, "99.51");
    print(&f, "100.9");
    assert_int_equal(order(&f, id)->triggered_ms, -1);
    print(&f, "99.4");
    assert_dec("100.394", order(&f, id)->trigger_price);
    print(&f, "99.2");
    print(&f, "99.6");
    assert_dec("100.192", order(&f, id)->trigger_price); /* only in its favour */
    print(&f, "100.19");
    assert_int_equal(order(&f, id)->triggered_ms, -1);
    print(&f, "100.2");
    assert_int_equal(order(&f, id)->status, SMC_ORDER_FILLED);
    smc_market_free(f.m);
}

static void fires_in_order_and_sets_off_more(void **state)
{
    (void)state;
    fixture_t f;
    set_up(&f);
    ask_t sell = {.side = 's', .qty = "6", .at = "98", .type = SMC_MARKET_ORDER};
    limit(&f, f.b, 'b', "5", "98");
    limit(&f, f.b, 'b', "5", "97");
    place(&f, f.a, sell); /* third: 98 is printed by the first */
    int64_t third = f.o->id;
    sell.at = "99";
    sell.qty = "2";
    place(&f, f.a, sell);
    int64_t first = f.o->id;
    sell.by = SMC_WATCH_BID;
    sell.at = "98";
    place(&f, f.a, sell);
    int64_t second = f.o->id;
    limit(&f, f.b, 's', "10", "99"); /* takes the bid of 99: last 99, bid 98 */
    assert_int_equal(order(&f, first)->status, SMC_ORDER_FILLED);
    assert_int_equal(order(&f, second)->status, SMC_ORDER_FILLED);
    assert_int_equal(order(&f, third)->status, SMC_ORDER_FILLED);
    /* 5 at 98 and 5 at 97 for 2, 2 and 6: those that were due together went first. */
    assert_dec("196", order(&f, first)->filled_quote);
    assert_dec("196", order(&f, second)->filled_quote);
    assert_dec("583", order(&f, third)->filled_quote);
    smc_market_free(f.m);
}

static void fires_at_once_when_allowed(void **state)
{
    (void)state;
    fixture_t f;
    set_up(&f);
    ask_t k = {.side = 'b', .qty = "1", .at = "100", .rises = true, .type = SMC_MARKET_ORDER};
    assert_int_equal(place(&f, f.a, k), SMC_REFUSED_WOULD_TRIGGER);
    k.immediately = true;
    assert_int_equal(place(&f, f.a, k), SMC_ACCEPTED);
    assert_int_equal(f.o->status, SMC_ORDER_FILLED);
    assert_int_equal(f.o->triggered_ms, START);
    assert_dec("101", f.o->filled_quote);
    assert_balance(f, 1, "9899", "0");
    smc_market_free(f.m);
}

static void says_why_it_could_not_work(void **state)
{
    (void)state;
    fixture_t f;
    set_up(&f);
    /* 99 * 100.5 is locked; 99 at 101 and more is not there when it fires. */
    smc_dec_t all = dec("50");
    assert_int_equal(smc_market_debit(f.m, f.a, 1, all, NULL), SMC_OK);
    ask_t k = {.side = 'b', .qty = "99", .at = "100.5", .rises = true, .type = SMC_MARKET_ORDER};
    limit(&f, f.b, 's', "100", "101");
    assert_int_equal(place(&f, f.a, k), SMC_ACCEPTED);
    int64_t id = f.o->id;
    print(&f, "100.5");
    assert_int_equal(order(&f, id)->status, SMC_ORDER_EXPIRED);
    assert_int_equal(order(&f, id)->reason, SMC_END_TRIGGER);
    assert_int_equal(order(&f, id)->reject, SMC_REFUSED_FUNDS);
    assert_balance(f, 1, "9950", "0");
    k = (ask_t){.side = 'b', .qty = "1", .price = "102", .at = "100.6", .rises = true};
    k.type = SMC_LIMIT_MAKER;
    assert_int_equal(place(&f, f.a, k), SMC_ACCEPTED);
    id = f.o->id;
    print(&f, "100.7");
    assert_int_equal(order(&f, id)->reject, SMC_REFUSED_WOULD_TAKE);
    smc_market_free(f.m);
}

static void refuses(void **state)
{
    (void)state;
    fixture_t f;
    set_up(&f);
    ask_t k = {.side = 'b', .qty = "1", .price = "100", .rises = true};
    assert_int_equal(place(&f, f.a, k), SMC_REFUSED_COMBINATION); /* neither price nor trail */
    k.at = "100.005";
    assert_int_equal(place(&f, f.a, k), SMC_REFUSED_TRIGGER);
    k.at = "-1";
    assert_int_equal(place(&f, f.a, k), SMC_REFUSED_TRIGGER);
    k.at = NULL;
    k.trail = "0.001";
    assert_int_equal(place(&f, f.a, k), SMC_REFUSED_TRAIL);
    k.bps = 5;
    assert_int_equal(place(&f, f.a, k), SMC_REFUSED_COMBINATION);
    k.trail = NULL;
    k.bps = 10000;
    assert_int_equal(place(&f, f.a, k), SMC_REFUSED_TRAIL);
    k.at = "200";
    k.bps = 0;
    k.qty = "101";
    assert_int_equal(place(&f, f.a, k), SMC_REFUSED_FUNDS);
    int64_t before = limit(&f, f.a, 'b', "1", "1") == SMC_ACCEPTED ? f.o->id : -1;
    assert_int_equal(before, 5); /* a refused order uses no id */
    smc_market_t *empty = new_market(1);
    add_btc(empty, "0", "0");
    fixture_t g = {.m = empty, .a = add_account(empty, "1", "1")};
    assert_int_equal(place(&g, g.a, (ask_t){.side = 's', .qty = "1", .price = "9", .trail = "1"}),
                     SMC_REFUSED_NO_LIQUIDITY); /* nothing to trail from */
    smc_market_free(empty);
    smc_market_free(f.m);
}

static void market_orders_within_a_bound(void **state)
{
    (void)state;
    fixture_t f;
    set_up(&f);
    limit(&f, f.b, 's', "10", "102");
    ask_t k = {.side = 'b', .qty = "11", .price = "101.5", .plain = true, .type = SMC_MARKET_ORDER};
    assert_int_equal(place(&f, f.a, k), SMC_ACCEPTED);
    assert_int_equal(f.o->status, SMC_ORDER_EXPIRED);
    assert_int_equal(f.o->reason, SMC_END_BOUND);
    assert_dec("10", f.o->filled);
    assert_balance(f, 1, "8990", "0");
    k.tif = SMC_FOK;
    k.price = "102";
    assert_int_equal(place(&f, f.a, k), SMC_ACCEPTED);
    assert_int_equal(f.o->reason, SMC_END_FOK);
    assert_dec("0", f.o->filled);
    k.qty = "10";
    k.price = NULL;
    assert_int_equal(place(&f, f.a, k), SMC_ACCEPTED);
    assert_int_equal(f.o->status, SMC_ORDER_FILLED);
    smc_market_free(f.m);
}

static smc_refusal_t amend(fixture_t *f, int64_t id, const char *qty, const char *price,
                           const char *at)
{
    smc_dec_t q = dec(qty != NULL ? qty : "0"), p = dec(price != NULL ? price : "0");
    smc_dec_t t = dec(at != NULL ? at : "0");
    smc_amendment_t change = {.qty = qty != NULL ? &q : NULL,
                              .price = price != NULL ? &p : NULL,
                              .trigger_price = at != NULL ? &t : NULL};
    smc_order_ref_t ref = {.account = f->a, .id = id};
    return smc_market_amend(f->m, &ref, &change, 0, &f->o);
}

static void amends_what_rests(void **state)
{
    (void)state;
    fixture_t f;
    set_up(&f);
    limit(&f, f.a, 'b', "2", "98");
    int64_t id = f.o->id;
    limit(&f, f.b, 'b', "2", "98");
    assert_int_equal(amend(&f, id, "2", "98", NULL), SMC_REFUSED_NO_CHANGE);
    assert_int_equal(amend(&f, id, NULL, NULL, NULL), SMC_REFUSED_COMBINATION);
    assert_int_equal(amend(&f, id, NULL, NULL, "90"), SMC_REFUSED_COMBINATION);
    assert_int_equal(amend(&f, id, "2", "98.001", NULL), SMC_REFUSED_PRICE);
    assert_int_equal(amend(&f, id, "200", NULL, NULL), SMC_REFUSED_FUNDS);
    assert_balance(f, 1, "9804", "196");
    assert_int_equal(amend(&f, id, "3", NULL, NULL), SMC_ACCEPTED); /* loses its place */
    assert_balance(f, 1, "9706", "294");
    limit(&f, f.b, 's', "12.5", "98"); /* 10 at 99, 2 of b's, half of a's */
    assert_dec("0.5", order(&f, id)->filled);
    assert_int_equal(amend(&f, id, "0.5", NULL, NULL), SMC_REFUSED_QTY);
    assert_int_equal(amend(&f, id, "1.5", "101", NULL), SMC_ACCEPTED); /* trades at once */
    assert_int_equal(f.o->status, SMC_ORDER_FILLED);
    assert_dec("150", f.o->filled_quote); /* 0.5 at 98, 1 at 101 */
    assert_balance(f, 1, "9850", "0");
    smc_market_free(f.m);
}

static void amends_what_waits(void **state)
{
    (void)state;
    fixture_t f;
    set_up(&f);
    place(&f, f.a, (ask_t){.side = 'b', .qty = "2", .price = "101", .at = "100.5", .rises = true});
    int64_t id = f.o->id;
    assert_int_equal(amend(&f, id, "3", "100.9", "100.8"), SMC_ACCEPTED);
    assert_balance(f, 1, "9697.3", "302.7");
    assert_int_equal(amend(&f, id, NULL, NULL, "99.9"), SMC_REFUSED_WOULD_TRIGGER);
    assert_int_equal(amend(&f, id, "100", NULL, NULL), SMC_REFUSED_FUNDS);
    print(&f, "100.7");
    assert_int_equal(order(&f, id)->triggered_ms, -1);
    print(&f, "100.8");
    assert_true(order(&f, id)->on_book);
    assert_dec("3", order(&f, id)->qty);
    smc_market_free(f.m);
}

static void halts(void **state)
{
    (void)state;
    fixture_t f;
    set_up(&f);
    limit(&f, f.a, 'b', "1", "98");
    int64_t id = f.o->id;
    assert_int_equal(smc_market_halt(f.m, 0, true, NULL), SMC_OK);
    assert_true(smc_market_halted(f.m, 0));
    assert_int_equal(limit(&f, f.a, 'b', "1", "98"), SMC_REFUSED_HALTED);
    assert_int_equal(amend(&f, id, "0.5", NULL, NULL), SMC_REFUSED_HALTED);
    smc_order_ref_t ref = {.account = f.a, .id = id};
    assert_int_equal(smc_market_cancel(f.m, &ref, NULL, 0, &f.o), SMC_ACCEPTED);
    assert_int_equal(smc_market_halt(f.m, 0, false, NULL), SMC_OK);
    assert_int_equal(limit(&f, f.a, 'b', "1", "98"), SMC_ACCEPTED);
    smc_market_free(f.m);
}

static void halts_its_feed(void **state)
{
    (void)state;
    smc_market_t *m = new_market(3);
    add_btc(m, "0", "0");
    smc_feed_conf_t conf = smc_feed_defaults();
    conf.mid = dec("100");
    conf.history_ms = 0;
    assert_int_equal(smc_feed_add(m, 0, &conf, NULL), SMC_OK);
    assert_int_equal(smc_market_halt(m, 0, true, NULL), SMC_OK);
    assert_true(smc_market_next_ms(m) == INT64_MAX);
    assert_int_equal(smc_feed_move_to(m, 0, dec("90"), NULL), SMC_EINVAL);
    smc_market_advance(m, START + 60000);
    assert_int_equal(smc_market_halt(m, 0, false, NULL), SMC_OK);
    assert_true(smc_market_next_ms(m) > START + 60000);
    assert_int_equal(smc_feed_move_to(m, 0, dec("90"), NULL), SMC_OK);
    assert_dec("90", smc_market_mark(m, 0));
    smc_market_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_and_locks),
        cmocka_unit_test(fires_at_the_price_and_not_before),
        cmocka_unit_test(watches_what_it_is_told),
        cmocka_unit_test(sees_every_trade),
        cmocka_unit_test(trails_from_where_it_begins),
        cmocka_unit_test(fires_in_order_and_sets_off_more),
        cmocka_unit_test(fires_at_once_when_allowed),
        cmocka_unit_test(says_why_it_could_not_work),
        cmocka_unit_test(refuses),
        cmocka_unit_test(market_orders_within_a_bound),
        cmocka_unit_test(amends_what_rests),
        cmocka_unit_test(amends_what_waits),
        cmocka_unit_test(halts),
        cmocka_unit_test(halts_its_feed),
    };
    return cmocka_run_group_tests_name("conditional orders", tests, NULL, NULL);
}
