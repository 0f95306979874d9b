/* Contracts of which an account may hold both sides. */
#include "market_contracts.h"

#define assert_side(f, side, qty_, entry_)                                \
    do {                                                                  \
        smc_position_t p_ = smc_market_position((f)->m, (f)->a, 0, side); \
        assert_dec(qty_, p_.qty);                                         \
        assert_dec(entry_, p_.entry);                                     \
    } while (0)

static void hedged(fixture_t *f)
{
    set_up(f, false, "0");
    assert_int_equal(smc_market_hedge(f->m, f->a, 0, true, NULL), SMC_OK);
    trade(f, 'b', "2", "100");
    trade(f, 's', "1", "110");
}

static void keeps_both_sides_apart(void **state)
{
    (void)state;
    fixture_t f;
    hedged(&f);
    assert_side(&f, SMC_BUY, "2", "100");
    assert_side(&f, SMC_SELL, "-1", "110");
    /* What only reduces closes the other side, cut down to it. */
    place(&f, f.b, 'b', "5", "120", PLAIN);
    assert_int_equal(place(&f, f.a, 's', "1", NULL, REDUCE), SMC_ACCEPTED);
    assert_side(&f, SMC_BUY, "1", "100");
    assert_side(&f, SMC_SELL, "-1", "110");
    assert_free(&f, "1020");
    place(&f, f.b, 's', "5", "121", PLAIN);
    assert_int_equal(place(&f, f.a, 'b', "5", NULL, REDUCE), SMC_ACCEPTED);
    assert_dec("1", f.o->filled);
    assert_side(&f, SMC_SELL, "0", "0");
    assert_int_equal(place(&f, f.a, 'b', "1", NULL, REDUCE), SMC_REFUSED_NOTHING_TO_REDUCE);
    assert_int_equal(place(&f, f.a, 'b', "1", NULL, PLAIN), SMC_ACCEPTED);
    assert_side(&f, SMC_BUY, "2", "110.5");
    smc_market_free(f.m);
}

static void cancels_what_reduces_the_side_that_is_gone(void **state)
{
    (void)state;
    fixture_t f;
    hedged(&f);
    assert_int_equal(place(&f, f.a, 's', "2", "130", REDUCE), SMC_ACCEPTED);
    const smc_order_t *closes_long = f.o;
    assert_int_equal(place(&f, f.a, 'b', "1", "90", REDUCE), SMC_ACCEPTED);
    const smc_order_t *closes_short = f.o;
    place(&f, f.b, 's', "1", "95", PLAIN);
    assert_int_equal(place(&f, f.a, 'b', "1", NULL, REDUCE), SMC_ACCEPTED);
    assert_int_equal(closes_short->reason, SMC_END_REDUCE);
    assert_int_equal(closes_long->status, SMC_ORDER_NEW);
    assert_dec("2", closes_long->qty);
    smc_market_free(f.m);
}

static void each_side_has_its_margin(void **state)
{
    (void)state;
    fixture_t f;
    hedged(&f);
    place(&f, f.b, 'b', "1", "99", PLAIN);
    place(&f, f.b, 's', "1", "101", PLAIN); /* mark 100 */
    assert_margin(&f, position_im, "30");
    assert_margin(&f, maintenance, "1.5");
    assert_margin(&f, upl, "10");
    assert_int_equal(smc_market_set_margin(f.m, f.a, 0, SMC_SELL, dec("0.2"), NULL), SMC_OK);
    assert_margin(&f, position_im, "40");
    /* A sell enlarges the short, whatever is long. */
    assert_int_equal(place(&f, f.a, 's', "1", "110", PLAIN), SMC_ACCEPTED);
    assert_margin(&f, order_im, "22");
    assert_int_equal(place(&f, f.a, 's', "50", "110", PLAIN), SMC_REFUSED_FUNDS);
    smc_market_free(f.m);
}

static void hedging_begins_and_ends_with_nothing(void **state)
{
    (void)state;
    fixture_t f;
    hedged(&f);
    assert_int_equal(smc_market_hedge(f.m, f.a, 0, false, NULL), SMC_EINVAL); /* both sides */
    place(&f, f.b, 'b', "5", "120", PLAIN);
    place(&f, f.a, 's', "2", NULL, REDUCE);
    assert_int_equal(smc_market_hedge(f.m, f.a, 0, false, NULL), SMC_EINVAL); /* the short */
    place(&f, f.b, 's', "9", "121", PLAIN);
    place(&f, f.a, 'b', "1", NULL, REDUCE);
    assert_int_equal(place(&f, f.a, 'b', "1", "90", PLAIN), SMC_ACCEPTED);
    assert_int_equal(smc_market_hedge(f.m, f.a, 0, false, NULL), SMC_EINVAL); /* an order */
    smc_market_cancel_all(f.m, &(smc_cancel_all_t){.account = f.a}, 0, NULL, NULL);
    assert_true(smc_market_hedged(f.m, f.a, 0));
    assert_int_equal(smc_market_hedge(f.m, f.a, 0, false, NULL), SMC_OK);
    assert_false(smc_market_hedged(f.m, f.a, 0));
    trade(&f, 'b', "2", "121");
    trade(&f, 's', "3", "120");
    assert_side(&f, SMC_SELL, "-1", "120"); /* one position, whichever side is asked for */
    smc_market_free(f.m);
    set_up(&f, true, "0");
    assert_int_equal(smc_market_hedge(f.m, f.a, 0, true, NULL), SMC_EINVAL); /* of lots */
    smc_market_free(f.m);
}

static void liquidates_the_heavier_side_first(void **state)
{
    (void)state;
    fixture_t f;
    set_up(&f, false, "0");
    assert_int_equal(smc_market_hedge(f.m, f.a, 0, true, NULL), SMC_OK);
    trade(&f, 'b', "20", "100");
    trade(&f, 's', "60", "100");
    place(&f, f.b, 's', "100", "126", PLAIN);
    place(&f, f.b, 'b', "100", "124", PLAIN); /* mark 125: 1000 are lost */
    assert_int_equal(smc_market_liquidation(f.m, USDT, dec("1"), NULL), SMC_OK);
    assert_side(&f, SMC_SELL, "0", "0");
    assert_side(&f, SMC_BUY, "0", "0"); /* what it had is gone, too: 1000 + 480 - 1560 < 0 */
    smc_market_free(f.m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_both_sides_apart),
        cmocka_unit_test(cancels_what_reduces_the_side_that_is_gone),
        cmocka_unit_test(each_side_has_its_margin),
        cmocka_unit_test(hedging_begins_and_ends_with_nothing),
        cmocka_unit_test(liquidates_the_heavier_side_first),
    };
    return cmocka_run_group_tests_name("hedged contracts", tests, NULL, NULL);
}
