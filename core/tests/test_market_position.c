/* Contracts: positions, lots, margin, reduce-only.  Examples; test_market_position_model.c has the
 * laws. */
#include "market_contracts.h"

#define assert_position(f, qty_, entry_, realized_total_)                    \
    do {                                                                     \
        smc_position_t p_ = smc_market_position((f)->m, (f)->a, 0, SMC_BUY); \
        assert_dec(qty_, p_.qty);                                            \
        assert_dec(entry_, p_.entry);                                        \
        assert_dec(realized_total_, p_.realized_total);                      \
    } while (0)

static void averages(void **state)
{
    (void)state;
    fixture_t f;
    set_up(&f, false, "0");
    trade(&f, 'b', "2", "100");
    trade(&f, 'b', "1", "103");
    assert_position(&f, "3", "101", "0");
    trade(&f, 's', "1", "110");
    assert_position(&f, "2", "101", "9");
    assert_free(&f, "1009");
    trade(&f, 's', "4", "90"); /* closes two, opens two the other way */
    assert_position(&f, "-2", "90", "-13");
    assert_free(&f, "987");
    smc_position_t p = smc_market_position(f.m, f.a, 0, SMC_BUY);
    assert_dec("0", p.realized); /* since it was flat */
    assert_dec("180", p.cost);
    trade(&f, 'b', "2", "89");
    assert_position(&f, "0", "0", "-11");
    p = smc_market_position(f.m, f.b, 0, SMC_BUY);
    assert_dec("11", p.realized_total);
    assert_dec("0", smc_market_balance(f.m, f.a, 0).free); /* no base has moved */
    smc_market_free(f.m);
}

static void takes_fees_in_the_settle_asset(void **state)
{
    (void)state;
    fixture_t f;
    set_up(&f, false, "0.00333333");
    trade(&f, 'b', "0.001", "33.33"); /* 0.03333 * 0.00333333 = 0.00011109(9) */
    assert_free(&f, "999.99988891");
    assert_dec("0.00011109", smc_market_fees(f.m, USDT));
    assert_dec("0.00011109", smc_market_position(f.m, f.a, 0, SMC_BUY).fees);
    smc_market_free(f.m);
}

/* A third of a cent is lost at each of two parts; the last part brings it back. */
static void parts_add_up(void **state)
{
    (void)state;
    fixture_t f;
    set_up(&f, false, "0");
    trade(&f, 'b', "1", "100");
    trade(&f, 'b', "2", "100.01");
    smc_position_t p = smc_market_position(f.m, f.a, 0, SMC_BUY);
    assert_dec("100.006666666666666667", p.entry);
    trade(&f, 's', "1", "101");
    assert_position(&f, "2", "100.006666666666666667", "0.99333333");
    trade(&f, 's', "1", "101");
    trade(&f, 's', "1", "101");
    assert_position(&f, "0", "0", "2.98"); /* 303 - 300.02 */
    smc_market_free(f.m);
}

typedef struct {
    char text[256];
} lines_t;

static void add_lot(void *ud, const smc_lot_t *lot)
{
    lines_t *out = ud;
    char qty[SMC_DEC_TEXT_MAX], initial[SMC_DEC_TEXT_MAX], price[SMC_DEC_TEXT_MAX];
    char realized[SMC_DEC_TEXT_MAX];
    size_t n = strlen(out->text);
    smc_dec_text(lot->qty, qty);
    smc_dec_text(lot->initial_qty, initial);
    smc_dec_text(lot->price, price);
    smc_dec_text(lot->realized, realized);
    (void)snprintf(out->text + n, sizeof(out->text) - n, "%d:%s/%s@%s+%s ", (int)lot->id, qty,
                   initial, price, realized);
}

static void assert_lots(const fixture_t *f, const char *expected)
{
    lines_t out = {""};
    smc_market_lots(f->m, f->a, 0, add_lot, &out);
    assert_string_equal(out.text, expected);
}

static void add_changes(void *ud, const smc_fill_t *fill)
{
    *(smc_fill_t *)ud = *fill;
}

static void lots_first_in_first_out(void **state)
{
    (void)state;
    fixture_t f;
    set_up(&f, true, "0");
    trade(&f, 'b', "2", "100"); /* 2 */
    trade(&f, 'b', "1", "104"); /* 4 */
    assert_lots(&f, "2:2/2@100+0 4:1/1@104+0 ");
    trade(&f, 's', "0.5", "110");
    assert_lots(&f, "2:1.5/2@100+5 4:1/1@104+0 ");
    /* A fill that is larger than the position: every lot in turn, and a new one. */
    int64_t id = trade(&f, 's', "3", "102");
    smc_fill_t fill = {0};
    smc_market_fills(f.m, f.a, 0, &(smc_range_t){.order_id = id}, add_changes, &fill);
    assert_dec("2.5", fill.closed_qty);
    assert_dec("1", fill.realized); /* 3 - 2 */
    assert_int_equal(fill.n_lots, 3);
    const smc_lot_change_t *c = smc_market_lot_changes(f.m, &fill);
    assert_int_equal(c[0].id, 2);
    assert_dec("-1.5", c[0].qty);
    assert_dec("0", c[0].left);
    assert_dec("3", c[0].realized);
    assert_int_equal(c[1].id, 4);
    assert_dec("-2", c[1].realized);
    assert_false(c[1].opened);
    assert_int_equal(c[2].id, id);
    assert_true(c[2].opened);
    assert_dec("-0.5", c[2].left);
    assert_lots(&f, "8:-0.5/-0.5@102+0 ");
    smc_market_free(f.m);
}

static void fills_of_one_order_share_a_lot(void **state)
{
    (void)state;
    fixture_t f;
    set_up(&f, true, "0");
    assert_int_equal(place(&f, f.a, 'b', "3", "101", PLAIN), SMC_ACCEPTED); /* 1 rests */
    assert_int_equal(place(&f, f.b, 's', "1", "101", PLAIN), SMC_ACCEPTED);
    trade(&f, 'b', "1", "105"); /* 4: b's offer is above what rests */
    assert_int_equal(place(&f, f.b, 's', "2", "101", PLAIN), SMC_ACCEPTED);
    assert_lots(&f, "1:3/3@101+0 4:1/1@105+0 ");
    /* Closes the lot it names, and no more than that. */
    assert_int_equal(place(&f, f.b, 'b', "5", "106", PLAIN), SMC_ACCEPTED);
    assert_int_equal(place(&f, f.a, 's', "5", NULL, (smc_order_request_t){.close_lot = 4}),
                     SMC_ACCEPTED);
    assert_dec("1", f.o->filled);
    assert_true(f.o->reduce_only);
    assert_int_equal(f.o->status, SMC_ORDER_FILLED);
    assert_lots(&f, "1:3/3@101+0 ");
    assert_int_equal(place(&f, f.a, 's', "5", NULL, (smc_order_request_t){.close_lot = 4}),
                     SMC_REFUSED_UNKNOWN_LOT);
    smc_market_free(f.m);
}

static void turns_quote_into_the_settle_asset(void **state)
{
    (void)state;
    fixture_t f;
    smc_contract_conf_t k = {
        .settle = "USD", .settle_precision = 4, .lots = true, .via = "USDJPY", .via_inverse = true};
    f.m = new_market(1);
    add_contract(f.m, "USDJPY", k, "0.001");
    int32_t usd = smc_market_find_asset(f.m, "USD");
    f.a = add_account(f.m, "1000", NULL); /* USD is the base and so the first asset */
    f.b = add_account(f.m, "100000", NULL);
    assert_int_equal(place(&f, f.a, 'b', "10", "150", PLAIN), SMC_REFUSED_NO_RATE);
    smc_feed_conf_t feed = smc_feed_defaults();
    feed.mid = dec("150");
    feed.spread = dec("0");
    feed.gap = dec("0.001");
    feed.trade_ms = feed.history_ms = 0;
    assert_int_equal(smc_feed_add(f.m, 0, &feed, NULL), SMC_OK);
    assert_int_equal(place(&f, f.a, 'b', "10", NULL, PLAIN), SMC_ACCEPTED); /* ask 150.15 */
    smc_position_t p = smc_market_position(f.m, f.a, 0, SMC_BUY);
    assert_dec("150.15", p.entry);
    assert_dec("-0.01", p.upl); /* -1.5 / 150 */
    assert_dec("1", p.im);      /* 10 * 150 * 0.1 / 150 */
    assert_dec("0.05", p.mm);   /* of 0.005 */
    assert_dec("0.01", p.fees); /* 1.5015 / 150 = 0.01001 */
    assert_int_equal(smc_market_set_conversion(f.m, 0, dec("0.995"), dec("1.5"), NULL), SMC_OK);
    assert_dec("-0.015", smc_market_position(f.m, f.a, 0, SMC_BUY).upl);
    assert_int_equal(smc_feed_move_to(f.m, 0, dec("160"), NULL), SMC_OK);
    assert_int_equal(place(&f, f.a, 's', "10", NULL, PLAIN), SMC_ACCEPTED);
    smc_fill_t fill = {0};
    smc_market_fills(f.m, f.a, 0, &(smc_range_t){.order_id = f.o->id}, add_changes, &fill);
    smc_dec_t quote, expected; /* (price - 150.15) * 10 * 0.995 / 160 */
    assert_int_equal(smc_dec_mul(smc_dec_from_int(10),
                                 (smc_dec_t){fill.price.units - dec("150.15").units}, 18,
                                 SMC_ROUND_DOWN, &quote),
                     SMC_OK);
    assert_int_equal(smc_dec_mul(quote, dec("0.00621875"), 4, SMC_ROUND_HALF_UP, &expected),
                     SMC_OK);
    assert_true(smc_dec_cmp(fill.realized, dec("0.5")) > 0);
    assert_int_equal(smc_dec_cmp(fill.realized, expected), 0);
    assert_int_equal(fill.fee_asset, usd);
    smc_market_free(f.m);
}

/* 0.004 of quote are nothing at two decimals, and 0.6 of the settle asset. */
static void rounds_what_was_turned_into_the_settle_asset(void **state)
{
    (void)state;
    fixture_t f;
    smc_contract_conf_t k = {.settle = "USD", .settle_precision = 2, .via = "USDJPY"};
    smc_feed_conf_t feed = smc_feed_defaults();
    f.m = new_market(1);
    add_contract(f.m, "USDJPY", k, "0");
    f.a = add_account(f.m, "100000", NULL);
    f.b = add_account(f.m, "100000", NULL);
    feed.mid = dec("150");
    feed.levels = 0;
    feed.trade_ms = feed.history_ms = 0;
    assert_int_equal(smc_feed_add(f.m, 0, &feed, NULL), SMC_OK);
    trade(&f, 'b', "1", "150");
    trade(&f, 's', "0.4", "150.01");
    assert_position(&f, "0.6", "150", "0.6");
    trade(&f, 's', "0.6", "150");
    assert_position(&f, "0", "0", "0.6");
    smc_market_free(f.m);
}

static void margin(void **state)
{
    (void)state;
    fixture_t f;
    set_up(&f, false, "0");
    trade(&f, 'b', "10", "100");
    place(&f, f.b, 'b', "1", "98", PLAIN);
    place(&f, f.b, 's', "1", "99", PLAIN); /* mark 98.5 */
    assert_margin(&f, upl, "-15");
    assert_margin(&f, balance, "1000");
    assert_margin(&f, equity, "985");
    assert_margin(&f, position_im, "98.5");
    assert_margin(&f, maintenance, "4.925");
    assert_margin(&f, available, "886.5");
    /* Enlarges by 2; the sell closes, so it asks for nothing until it is larger than the rest. */
    assert_int_equal(place(&f, f.a, 'b', "2", "90", PLAIN), SMC_ACCEPTED);
    assert_margin(&f, order_im, "18");
    assert_int_equal(place(&f, f.a, 's', "6", "110", PLAIN), SMC_ACCEPTED);
    assert_int_equal(place(&f, f.a, 's', "6", "120", PLAIN), SMC_ACCEPTED); /* 4 close, 2 do not */
    assert_margin(&f, order_im, "42");
    assert_margin(&f, available, "844.5");
    assert_int_equal(place(&f, f.a, 'b', "84.451", "100", PLAIN), SMC_REFUSED_FUNDS);
    assert_int_equal(smc_market_set_margin(f.m, f.a, 0, SMC_BUY, dec("0.2"), NULL), SMC_OK);
    assert_margin(&f, position_im, "197");
    assert_margin(&f, order_im, "84");
    /* What is backed by margin can't be taken out, or spent. */
    assert_int_equal(smc_market_debit(f.m, f.a, USDT, dec("704.1"), NULL), SMC_EINVAL);
    assert_int_equal(smc_market_debit(f.m, f.a, USDT, dec("704"), NULL), SMC_OK);
    assert_int_equal(place(&f, f.a, 'b', "0.001", "90", PLAIN), SMC_REFUSED_FUNDS);
    assert_int_equal(place(&f, f.a, 's', "1", "110", REDUCE), SMC_ACCEPTED);
    assert_int_equal(smc_market_adjust(f.m, f.a, USDT, dec("-400"), NULL), SMC_OK);
    assert_free(&f, "-104");
    assert_margin(&f, available, "-400");
    smc_market_free(f.m);
}

static void open_profit_is_not_available(void **state)
{
    (void)state;
    fixture_t f;
    set_up(&f, false, "0");
    trade(&f, 'b', "10", "100");
    place(&f, f.b, 'b', "1", "109", PLAIN);
    place(&f, f.b, 's', "1", "111", PLAIN);
    assert_margin(&f, upl, "100");
    assert_margin(&f, equity, "1100");
    assert_margin(&f, available, "890");
    smc_market_free(f.m);
}

static void a_spot_order_needs_what_margin_leaves(void **state)
{
    (void)state;
    fixture_t f;
    set_up(&f, false, "0");
    smc_instrument_conf_t spot = {
        .symbol = "ETHUSDT", .base = "ETH", .quote = "USDT", .tick = dec("1"), .step = dec("1")};
    int32_t eth;
    assert_int_equal(smc_market_add_instrument(f.m, &spot, &eth, NULL), SMC_OK);
    trade(&f, 'b', "50", "100"); /* 500 of margin */
    assert_int_equal(place(&f, f.a, 'b', "1", "501", (smc_order_request_t){.instrument = eth}),
                     SMC_REFUSED_FUNDS);
    assert_int_equal(place(&f, f.a, 'b', "1", "500", (smc_order_request_t){.instrument = eth}),
                     SMC_ACCEPTED);
    assert_int_equal(place(&f, f.a, 's', "1", "500",
                           (smc_order_request_t){.instrument = eth, .reduce_only = true}),
                     SMC_REFUSED_COMBINATION);
    smc_market_free(f.m);
}

static const smc_order_t *order(const fixture_t *f, int64_t id)
{
    return smc_market_order(f->m, &(smc_order_ref_t){.account = f->a, .id = id});
}

static void only_reduces(void **state)
{
    (void)state;
    fixture_t f;
    set_up(&f, false, "0");
    assert_int_equal(place(&f, f.a, 's', "1", "100", REDUCE), SMC_REFUSED_NOTHING_TO_REDUCE);
    trade(&f, 'b', "3", "100");
    assert_int_equal(place(&f, f.a, 'b', "1", "90", REDUCE), SMC_REFUSED_NOTHING_TO_REDUCE);
    assert_int_equal(place(&f, f.a, 's', "5", "110", REDUCE), SMC_ACCEPTED); /* cut down to 3 */
    int64_t first = f.o->id;
    assert_dec("3", f.o->qty);
    assert_int_equal(place(&f, f.a, 's', "2", "111", REDUCE), SMC_ACCEPTED);
    int64_t second = f.o->id;
    trade(&f, 's', "2", "100"); /* 1 is left: both are cut down to it */
    assert_dec("1", order(&f, first)->qty);
    assert_dec("1", order(&f, second)->qty);
    /* One sweep through both: the first closes, the second has nothing left to close. */
    assert_int_equal(place(&f, f.b, 'b', "2", "111", PLAIN), SMC_ACCEPTED);
    assert_dec("1", f.o->filled);
    assert_int_equal(order(&f, first)->status, SMC_ORDER_FILLED);
    assert_int_equal(order(&f, second)->status, SMC_ORDER_CANCELED);
    assert_int_equal(order(&f, second)->reason, SMC_END_REDUCE);
    assert_position(&f, "0", "0", "10");
    smc_market_free(f.m);
}

/* Two orders that may close the same position fill no more than one of them. */
static void fok_counts_what_may_be_closed(void **state)
{
    (void)state;
    fixture_t f;
    const smc_order_request_t fok = {.tif = SMC_FOK};
    set_up(&f, false, "0");
    trade(&f, 'b', "1", "100");
    assert_int_equal(place(&f, f.a, 's', "1", "110", REDUCE), SMC_ACCEPTED);
    assert_int_equal(place(&f, f.a, 's', "1", "111", REDUCE), SMC_ACCEPTED);
    assert_int_equal(place(&f, f.b, 'b', "2", "111", fok), SMC_ACCEPTED);
    assert_int_equal(f.o->reason, SMC_END_FOK);
    assert_dec("0", f.o->filled);
    assert_int_equal(place(&f, f.b, 'b', "1", "111", fok), SMC_ACCEPTED);
    assert_int_equal(f.o->status, SMC_ORDER_FILLED);
    smc_market_free(f.m);
}

static void a_stop_closes_what_there_is_by_then(void **state)
{
    (void)state;
    fixture_t f;
    set_up(&f, false, "0");
    trade(&f, 'b', "2", "100");
    smc_trigger_t at = {.price = dec("95")};
    smc_order_request_t stop = {.trigger = &at, .reduce_only = true};
    assert_int_equal(place(&f, f.a, 's', "10", NULL, stop), SMC_ACCEPTED);
    int64_t id = f.o->id;
    assert_dec("10", f.o->qty);
    trade(&f, 'b', "1", "100");
    assert_int_equal(place(&f, f.b, 'b', "10", "94", PLAIN), SMC_ACCEPTED);
    int32_t c = add_account(f.m, NULL, "1000");
    assert_int_equal(place(&f, c, 's', "1", "94", PLAIN), SMC_ACCEPTED);
    assert_int_equal(order(&f, id)->status, SMC_ORDER_FILLED);
    assert_dec("3", order(&f, id)->qty);
    assert_position(&f, "0", "0", "-18");
    /* One whose position has gone. */
    trade(&f, 'b', "1", "95");
    smc_trigger_t lower = {.price = dec("90")};
    stop.trigger = &lower;
    assert_int_equal(place(&f, f.a, 's', "1", NULL, stop), SMC_ACCEPTED);
    id = f.o->id;
    trade(&f, 's', "1", "95");
    assert_int_equal(order(&f, id)->reason, SMC_END_REDUCE);
    smc_market_free(f.m);
}

static void tells_of_positions(void **state)
{
    (void)state;
    fixture_t f;
    set_up(&f, false, "0");
    smc_market_want(f.m, 0, SMC_WANT_ORDERS);
    trade(&f, 'b', "2", "100");
    size_t n = smc_market_events(f.m), seen = 0;
    for (size_t i = 0; i < n; i++) {
        smc_market_event_t e = smc_market_event(f.m, i);
        if (e.type != SMC_EVENT_POSITION)
            continue;
        seen++;
        assert_dec(e.u.position.account == f.a ? "2" : "-2", e.u.position.qty);
        assert_dec("100", e.u.position.entry);
    }
    assert_int_equal(seen, 2);
    smc_market_free(f.m);
}

/* a holds 90 at 100 with 1000: 45 of maintenance. */
static void liquidates(void **state)
{
    (void)state;
    fixture_t f;
    set_up(&f, false, "0");
    assert_int_equal(smc_market_liquidation(f.m, USDT, dec("1"), NULL), SMC_OK);
    trade(&f, 'b', "90", "100");
    assert_int_equal(place(&f, f.a, 's', "1", "150", PLAIN), SMC_ACCEPTED);
    int64_t resting = f.o->id;
    place(&f, f.b, 'b', "50", "89.3", PLAIN);
    place(&f, f.b, 's', "1", "89.7", PLAIN); /* mark 89.5: equity 55, maintenance 40.275 */
    assert_position(&f, "90", "100", "0");
    assert_true(order(&f, resting)->on_book);
    smc_market_want(f.m, 0, SMC_WANT_ORDERS);
    place(&f, f.b, 's', "1", "89.32", PLAIN); /* 89.31: equity 37.9, maintenance 40.1895 */
    assert_int_equal(order(&f, resting)->reason, SMC_END_SYSTEM);
    assert_position(&f, "40", "100", "-535");
    const smc_order_t *closing = order(&f, f.o->id + 1);
    assert_true(closing->liquidation);
    assert_int_equal(closing->status, SMC_ORDER_EXPIRED); /* 50 were bid for */
    /* The rest goes as soon as somebody takes it. */
    place(&f, f.b, 'b', "40", "80", PLAIN);
    assert_position(&f, "0", "0", "-1335");
    assert_free(&f, "-335");
    smc_market_free(f.m);
}

static void liquidates_until_it_is_above(void **state)
{
    (void)state;
    fixture_t f;
    set_up(&f, false, "0");
    smc_contract_conf_t k = {.settle_precision = 8};
    int32_t eth = add_contract(f.m, "ETHUSDT", k, "0");
    trade(&f, 'b', "90", "100");
    assert_int_equal(place(&f, f.b, 's', "1", "50", (smc_order_request_t){.instrument = eth}),
                     SMC_ACCEPTED);
    assert_int_equal(place(&f, f.a, 'b', "1", "50", (smc_order_request_t){.instrument = eth}),
                     SMC_ACCEPTED);
    place(&f, f.b, 'b', "90", "89.3", PLAIN);
    place(&f, f.b, 'b', "9", "50", (smc_order_request_t){.instrument = eth});
    place(&f, f.b, 's', "1", "89.32", PLAIN);
    assert_position(&f, "90", "100", "0"); /* off until it is asked for */
    assert_int_equal(smc_market_liquidation(f.m, USDT, dec("1"), NULL), SMC_OK);
    assert_position(&f, "0", "0", "-963");
    assert_dec("1",
               smc_market_position(f.m, f.a, eth, SMC_BUY).qty); /* the smaller one could stay */
    smc_market_free(f.m);
}

static smc_code_t add_x(smc_market_t *m, const char *margin, const char *maintenance,
                        const char *settle, const char *via)
{
    int32_t id;
    smc_contract_conf_t k = {.margin_rate = dec(margin),
                             .maintenance_rate = dec(maintenance),
                             .settle = settle,
                             .via = via};
    smc_instrument_conf_t conf = {.symbol = "X",
                                  .base = "B",
                                  .quote = "Q",
                                  .tick = dec("1"),
                                  .step = dec("1"),
                                  .contract = &k};
    return smc_market_add_instrument(m, &conf, &id, NULL);
}

static void set_up_errors(void **state)
{
    (void)state;
    smc_market_t *m = new_market(1);
    assert_int_equal(add_x(m, "0.1", "0.2", NULL, NULL), SMC_EINVAL);
    assert_int_equal(add_x(m, "1.1", "0.1", NULL, NULL), SMC_EINVAL);
    assert_int_equal(add_x(m, "1", "0.1", "S", NULL), SMC_EINVAL);
    assert_int_equal(add_x(m, "1", "0.1", "S", "Y"), SMC_EINVAL); /* no such instrument */
    assert_int_equal(add_x(m, "1", "0.1", "Q", "X"), SMC_EINVAL); /* nothing to convert */
    assert_int_equal(add_x(m, "1", "0.1", "S", "X"), SMC_OK);
    int32_t a = add_account(m, NULL, NULL);
    assert_int_equal(smc_market_set_margin(m, a, 0, SMC_BUY, dec("0"), NULL), SMC_EINVAL);
    assert_int_equal(smc_market_set_conversion(m, 0, dec("0"), dec("1"), NULL), SMC_EINVAL);
    assert_int_equal(smc_market_liquidation(m, 0, dec("-1"), NULL), SMC_EINVAL);
    smc_market_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(averages),
        cmocka_unit_test(takes_fees_in_the_settle_asset),
        cmocka_unit_test(parts_add_up),
        cmocka_unit_test(lots_first_in_first_out),
        cmocka_unit_test(fills_of_one_order_share_a_lot),
        cmocka_unit_test(turns_quote_into_the_settle_asset),
        cmocka_unit_test(rounds_what_was_turned_into_the_settle_asset),
        cmocka_unit_test(margin),
        cmocka_unit_test(open_profit_is_not_available),
        cmocka_unit_test(a_spot_order_needs_what_margin_leaves),
        cmocka_unit_test(only_reduces),
        cmocka_unit_test(fok_counts_what_may_be_closed),
        cmocka_unit_test(a_stop_closes_what_there_is_by_then),
        cmocka_unit_test(tells_of_positions),
        cmocka_unit_test(liquidates),
        cmocka_unit_test(liquidates_until_it_is_above),
        cmocka_unit_test(set_up_errors),
    };
    return cmocka_run_group_tests_name("contracts", tests, NULL, NULL);
}
