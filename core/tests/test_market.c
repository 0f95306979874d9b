/* Examples at the edges; test_market_model.c has the laws. */
#include "market_support.h"

typedef struct {
    smc_market_t *m;
    int32_t a, b;
    const smc_order_t *o;
} fixture_t;

static void set_up(fixture_t *f, const char *fee)
{
    f->m = new_market(1);
    add_btc(f->m, fee, fee);
    f->a = add_account(f->m, "10", "100000");
    f->b = add_account(f->m, "10", "100000");
}

/* side: 'b' or 's'.  price NULL: market order; quote: by quote amount. */
static smc_refusal_t place(fixture_t *f, int32_t account, char side, const char *qty,
                           const char *price, smc_order_request_t more)
{
    smc_dec_t q, p; /* outlive the call that reads them through `more` */
    more.account = account;
    more.side = side == 'b' ? SMC_BUY : SMC_SELL;
    if (qty != NULL) {
        q = dec(qty);
        more.qty = &q;
    }
    if (price != NULL) {
        p = dec(price);
        more.price = &p;
    }
    f->o = NULL;
    return smc_market_place(f->m, &more, 0, &f->o);
}

static smc_refusal_t limit(fixture_t *f, int32_t account, char side, const char *qty,
                           const char *price)
{
    return place(f, account, side, qty, price, (smc_order_request_t){0});
}

static smc_refusal_t by_quote(fixture_t *f, int32_t account, char side, const char *quote)
{
    smc_dec_t q = dec(quote);
    return place(f, account, side, NULL, NULL,
                 (smc_order_request_t){.type = SMC_MARKET_ORDER, .quote_qty = &q});
}

#define MARKET ((smc_order_request_t){.type = SMC_MARKET_ORDER})
#define assert_balance(m, account, asset, free_, locked_)                  \
    do {                                                                   \
        assert_dec(free_, smc_market_balance(m, account, asset).free);     \
        assert_dec(locked_, smc_market_balance(m, account, asset).locked); \
    } while (0)

static void locks_and_returns(void **state)
{
    (void)state;
    fixture_t f;
    set_up(&f, "0");
    assert_int_equal(limit(&f, f.a, 'b', "2", "100.5"), SMC_ACCEPTED);
    assert_int_equal(f.o->status, SMC_ORDER_NEW);
    assert_true(f.o->on_book);
    assert_balance(f.m, f.a, 1, "99799", "201");
    /* A better price for the taker: what it saves is free again, the rest of its order stays
     * locked. */
    assert_int_equal(limit(&f, f.b, 's', "0.5", "100.4"), SMC_ACCEPTED);
    assert_int_equal(f.o->status, SMC_ORDER_FILLED);
    assert_dec("50.25", f.o->filled_quote);
    assert_int_equal(limit(&f, f.b, 's', "3", "101"), SMC_ACCEPTED);
    assert_int_equal(limit(&f, f.a, 'b', "1", "105"), SMC_ACCEPTED);
    assert_dec("101", f.o->filled_quote);
    assert_balance(f.m, f.a, 1, "99698", "150.75");
    smc_market_free(f.m);
}

static void charges_the_received_asset_rounded_down(void **state)
{
    (void)state;
    fixture_t f;
    set_up(&f, "0.00333333");
    limit(&f, f.b, 's', "0.001", "33.33");
    assert_int_equal(place(&f, f.a, 'b', "0.001", NULL, MARKET), SMC_ACCEPTED);
    /* 0.001 * 0.00333333 = 0.00000333(333); 0.03333 * 0.00333333 = 0.00011109(9) */
    assert_dec("0.00000333", smc_market_fees(f.m, 0));
    assert_dec("0.00011109", smc_market_fees(f.m, 1));
    assert_balance(f.m, f.a, 0, "10.00099667", "0");
    assert_balance(f.m, f.b, 1, "100000.03321891", "0");
    smc_market_free(f.m);
}

static void refuses(void **state)
{
    (void)state;
    fixture_t f;
    set_up(&f, "0");
    const smc_order_request_t maker = {.type = SMC_LIMIT_MAKER}, ioc = {.tif = SMC_IOC};
    char long_id[SMC_MARKET_CLIENT_ID_MAX + 2];
    memset(long_id, 'x', sizeof(long_id) - 1);
    long_id[sizeof(long_id) - 1] = '\0';
    assert_int_equal(limit(&f, f.a, 'b', "1", "0"), SMC_REFUSED_PRICE);
    assert_int_equal(limit(&f, f.a, 'b', "1", "-5"), SMC_REFUSED_PRICE);
    assert_int_equal(limit(&f, f.a, 'b', "1", "0.005"), SMC_REFUSED_PRICE);
    assert_int_equal(limit(&f, f.a, 'b', "1", "1000000000000001"), SMC_REFUSED_PRICE);
    assert_int_equal(limit(&f, f.a, 'b', "0", "1"), SMC_REFUSED_QTY);
    assert_int_equal(limit(&f, f.a, 'b', "0.0005", "1"), SMC_REFUSED_QTY);
    assert_int_equal(limit(&f, f.a, 'b', "1000000000", "1000000000"), SMC_REFUSED_QTY);
    assert_int_equal(limit(&f, f.a, 'b', "1", NULL), SMC_REFUSED_COMBINATION);
    assert_int_equal(limit(&f, f.a, 'b', NULL, "1"), SMC_REFUSED_COMBINATION);
    assert_int_equal(place(&f, f.a, 'b', "1", NULL,
                           (smc_order_request_t){.type = SMC_MARKET_ORDER, .tif = SMC_GTC}),
                     SMC_REFUSED_COMBINATION);
    assert_int_equal(place(&f, f.a, 'b', NULL, NULL, MARKET), SMC_REFUSED_COMBINATION);
    assert_int_equal(limit(&f, 0, 'b', "1", "1"),
                     SMC_REFUSED_COMBINATION); /* the system's account */
    assert_int_equal(by_quote(&f, f.a, 'b', "0"), SMC_REFUSED_QUOTE_QTY);
    assert_int_equal(place(&f, f.a, 'b', "1", NULL, MARKET), SMC_REFUSED_NO_LIQUIDITY);
    assert_int_equal(limit(&f, f.a, 'b', "1", "100000.01"), SMC_REFUSED_FUNDS);
    assert_int_equal(limit(&f, f.a, 's', "10.001", "1"), SMC_REFUSED_FUNDS);
    assert_int_equal(place(&f, f.a, 'b', "1", "1", (smc_order_request_t){.client_id = long_id}),
                     SMC_REFUSED_CLIENT_ID);
    limit(&f, f.a, 's', "1", "100");
    assert_int_equal(place(&f, f.b, 'b', "1", "100", maker), SMC_REFUSED_WOULD_TAKE);
    assert_int_equal(place(&f, f.a, 'b', "1", "100", maker),
                     SMC_REFUSED_WOULD_TAKE); /* own ones too */
    assert_int_equal(place(&f, f.b, 'b', "1", "99.99", maker), SMC_ACCEPTED);
    assert_int_equal(f.o->id, 2); /* a refused order uses no id */
    assert_int_equal(place(&f, f.b, 'b', "1", "99", ioc), SMC_ACCEPTED);
    assert_int_equal(f.o->status, SMC_ORDER_EXPIRED);
    assert_int_equal(f.o->reason, SMC_END_IOC);
    smc_market_free(f.m);
}

static void funds_of_market_orders(void **state)
{
    (void)state;
    fixture_t f;
    set_up(&f, "0");
    int32_t poor = add_account(f.m, "0.5", "150");
    limit(&f, f.a, 's', "1", "100");
    limit(&f, f.a, 's', "1", "101");
    /* 1.5 would cost 150.5: refused as a whole, though 1 could be paid for. */
    assert_int_equal(place(&f, poor, 'b', "1.5", NULL, MARKET), SMC_REFUSED_FUNDS);
    assert_int_equal(by_quote(&f, poor, 'b', "150.01"), SMC_REFUSED_FUNDS);
    assert_int_equal(place(&f, poor, 'b', "1.495", NULL, MARKET), SMC_ACCEPTED);
    assert_dec("149.995", f.o->filled_quote);
    assert_balance(f.m, poor, 1, "0.005", "0");
    /* More than the book holds: what there is, then the end. */
    assert_int_equal(place(&f, f.b, 'b', "5", NULL, MARKET), SMC_ACCEPTED);
    assert_int_equal(f.o->status, SMC_ORDER_EXPIRED);
    assert_int_equal(f.o->reason, SMC_END_LIQUIDITY);
    assert_dec("0.505", f.o->filled);
    smc_market_free(f.m);
}

static void amounts_of_quote(void **state)
{
    (void)state;
    fixture_t f;
    set_up(&f, "0");
    limit(&f, f.a, 's', "1", "100");
    limit(&f, f.a, 's', "1", "200");
    /* 100 for the first, then 0.249 at 200 = 49.8; one step more would be 150.0. */
    assert_int_equal(by_quote(&f, f.b, 'b', "149.99"), SMC_ACCEPTED);
    assert_dec("1.249", f.o->qty);
    assert_dec("149.8", f.o->filled_quote);
    assert_int_equal(f.o->status, SMC_ORDER_FILLED);
    assert_balance(f.m, f.b, 1, "99850.2", "0");
    assert_int_equal(by_quote(&f, f.b, 'b', "0.199"), SMC_REFUSED_QUOTE_TOO_SMALL);
    assert_int_equal(by_quote(&f, f.b, 'b', "0.2"), SMC_ACCEPTED);
    assert_dec("0.001", f.o->filled);
    /* Exactly what is left is a full order; more than that is not. */
    assert_int_equal(by_quote(&f, f.b, 'b', "150"), SMC_ACCEPTED);
    assert_int_equal(f.o->status, SMC_ORDER_FILLED);
    limit(&f, f.a, 's', "0.1", "200");
    assert_int_equal(by_quote(&f, f.b, 'b', "20.2"), SMC_ACCEPTED);
    assert_int_equal(f.o->status, SMC_ORDER_EXPIRED);
    assert_int_equal(f.o->reason, SMC_END_LIQUIDITY);
    /* Selling: the base that the amount needs. */
    limit(&f, f.a, 'b', "1", "100");
    assert_int_equal(by_quote(&f, f.b, 's', "50.05"), SMC_ACCEPTED);
    assert_dec("0.5", f.o->filled);
    /* What is left of 25.07 would pay for a step at 50, but 100 is still bid for more. */
    limit(&f, f.a, 'b', "1", "50");
    assert_int_equal(by_quote(&f, f.b, 's', "25.07"), SMC_ACCEPTED);
    assert_dec("0.25", f.o->qty);
    assert_int_equal(f.o->status, SMC_ORDER_FILLED);
    smc_market_free(f.m);
}

static void fills_or_kills(void **state)
{
    (void)state;
    fixture_t f;
    const smc_order_request_t fok = {.tif = SMC_FOK};
    set_up(&f, "0");
    limit(&f, f.a, 's', "1", "100");
    limit(&f, f.a, 's', "1", "101");
    assert_int_equal(place(&f, f.b, 'b', "1.001", "100", fok), SMC_ACCEPTED);
    assert_int_equal(f.o->status, SMC_ORDER_EXPIRED);
    assert_int_equal(f.o->reason, SMC_END_FOK);
    assert_dec("0", f.o->filled);
    assert_balance(f.m, f.b, 1, "100000", "0");
    assert_int_equal(place(&f, f.b, 'b', "2", "101", fok), SMC_ACCEPTED);
    assert_int_equal(f.o->status, SMC_ORDER_FILLED);
    smc_market_free(f.m);
}

static void keep_fill(void *ud, const smc_fill_t *fill)
{
    *(int64_t *)ud = *(int64_t *)ud * 10 + fill->order_id;
}

static void price_then_time(void **state)
{
    (void)state;
    fixture_t f;
    set_up(&f, "0");
    limit(&f, f.a, 's', "1", "101"); /* 1 */
    limit(&f, f.a, 's', "1", "100"); /* 2 */
    limit(&f, f.a, 's', "1", "100"); /* 3 */
    limit(&f, f.a, 's', "1", "99");  /* 4 */
    smc_order_ref_t ref = {.account = f.a, .id = 2};
    smc_dec_t qty = dec("-170141183460469231731");
    smc_amendment_t smaller = {.qty = &qty, .keep_priority = true};
    assert_int_equal(smc_market_amend(f.m, &ref, &smaller, 0, &f.o), SMC_REFUSED_QTY);
    qty = dec("0.5");
    assert_int_equal(smc_market_amend(f.m, &ref, &smaller, 0, &f.o), SMC_ACCEPTED);
    assert_int_equal(place(&f, f.b, 'b', "3.1", NULL, MARKET), SMC_ACCEPTED);
    int64_t order = 0;
    smc_market_fills(f.m, f.a, 0, &(smc_range_t){0}, keep_fill, &order);
    assert_int_equal(order, 4231); /* the smaller order kept its place */
    smc_market_free(f.m);
}

static void client_ids(void **state)
{
    (void)state;
    fixture_t f;
    const smc_order_request_t mine = {.client_id = "mine"};
    set_up(&f, "0");
    smc_order_ref_t ref = {.account = f.a, .id = -1, .client_id = "mine"};
    assert_int_equal(place(&f, f.a, 'b', "1", "10", mine), SMC_ACCEPTED);
    assert_int_equal(place(&f, f.a, 'b', "1", "10", mine), SMC_REFUSED_DUPLICATE);
    assert_int_equal(place(&f, f.b, 'b', "1", "10", mine), SMC_ACCEPTED); /* another account's */
    assert_int_equal(smc_market_cancel(f.m, &ref, "bye", 0, &f.o), SMC_ACCEPTED);
    assert_string_equal(f.o->client_id, "bye");
    assert_string_equal(f.o->orig_client_id, "mine");
    assert_int_equal(smc_market_cancel(f.m, &ref, NULL, 0, &f.o), SMC_REFUSED_UNKNOWN_ORDER);
    assert_int_equal(smc_market_order(f.m, &ref)->id, 1);                 /* by its former id */
    assert_int_equal(place(&f, f.a, 'b', "1", "10", mine), SMC_ACCEPTED); /* free again */
    assert_int_equal(smc_market_order(f.m, &ref)->id, 3);
    /* An open order comes before a later one that ended under the same id. */
    limit(&f, f.a, 'b', "1", "10");
    smc_order_ref_t last = {.account = f.a, .id = 4};
    assert_int_equal(smc_market_cancel(f.m, &last, "mine", 0, &f.o), SMC_ACCEPTED);
    assert_int_equal(smc_market_order(f.m, &ref)->id, 3);
    ref = (smc_order_ref_t){.account = f.a, .id = 3, .client_id = "other"};
    assert_int_equal(smc_market_cancel(f.m, &ref, NULL, 0, &f.o), SMC_REFUSED_UNKNOWN_ORDER);
    ref = (smc_order_ref_t){.account = f.b, .id = 3};
    assert_int_equal(smc_market_cancel(f.m, &ref, NULL, 0, &f.o), SMC_REFUSED_UNKNOWN_ORDER);
    smc_market_free(f.m);
}

static void filled_out_of_turn(void **state)
{
    (void)state;
    fixture_t f;
    smc_dec_t part = dec("0.25"), more = dec("0.751"), off = dec("0.0001");
    set_up(&f, "0");
    limit(&f, f.b, 'b', "1", "11"); /* better, and untouched */
    limit(&f, f.a, 'b', "1", "10");
    smc_order_ref_t ref = {.account = f.a, .id = 2};
    assert_int_equal(smc_market_fill(f.m, &ref, &part, 0, &f.o), SMC_ACCEPTED);
    assert_int_equal(f.o->status, SMC_ORDER_PARTIALLY_FILLED);
    assert_dec("0.25", f.o->filled);
    assert_dec("2.5", f.o->filled_quote);
    assert_int_equal(smc_market_fill(f.m, &ref, &more, 0, &f.o), SMC_REFUSED_QTY);
    assert_int_equal(smc_market_fill(f.m, &ref, &off, 0, &f.o), SMC_REFUSED_QTY);
    assert_int_equal(smc_market_halt(f.m, 0, true, NULL), SMC_OK);
    assert_int_equal(smc_market_fill(f.m, &ref, NULL, 0, &f.o), SMC_REFUSED_HALTED);
    assert_int_equal(smc_market_halt(f.m, 0, false, NULL), SMC_OK);
    assert_int_equal(smc_market_fill(f.m, &ref, NULL, 0, &f.o), SMC_ACCEPTED);
    assert_int_equal(f.o->status, SMC_ORDER_FILLED);
    assert_dec("10", f.o->filled_quote);
    assert_int_equal(smc_market_fill(f.m, &ref, NULL, 0, &f.o), SMC_REFUSED_UNKNOWN_ORDER);
    smc_order_ref_t other = {.account = f.b, .id = 1};
    assert_int_equal(smc_market_order(f.m, &other)->status, SMC_ORDER_NEW);
    smc_market_free(f.m);
}

static void own_orders(smc_stp_t stp, const char *taker, const char *maker)
{
    fixture_t f;
    set_up(&f, "0");
    limit(&f, f.a, 's', "1", "100");
    limit(&f, f.b, 's', "1", "101");
    smc_order_request_t r = {.stp = stp};
    assert_int_equal(place(&f, f.a, 'b', "2", "101", r), SMC_ACCEPTED);
    static const char *const names[] = {"new", "part", "filled", "canceled", "expired", "match"};
    char seen[64], text[SMC_DEC_TEXT_MAX];
    smc_dec_text(f.o->prevented_qty, text);
    (void)snprintf(seen, sizeof(seen), "%s %s", names[f.o->status], text);
    assert_string_equal(seen, taker);
    const smc_order_t *k = smc_market_order(f.m, &(smc_order_ref_t){.account = f.a, .id = 1});
    smc_dec_text(k->prevented_qty, text);
    (void)snprintf(seen, sizeof(seen), "%s %s", names[k->status], text);
    assert_string_equal(seen, maker);
    smc_market_free(f.m);
}

static void self_trade_prevention(void **state)
{
    (void)state;
    own_orders(SMC_STP_NONE, "filled 0", "filled 0");
    own_orders(SMC_STP_EXPIRE_TAKER, "match 2", "new 0");
    own_orders(SMC_STP_EXPIRE_MAKER, "part 0", "match 1"); /* one from b; the rest rests */
    own_orders(SMC_STP_EXPIRE_BOTH, "match 2", "match 1");
    own_orders(SMC_STP_DECREMENT, "filled 1", "match 1");
    /* A FOK order that only its own order could fill leaves that alone. */
    fixture_t f;
    set_up(&f, "0");
    limit(&f, f.a, 's', "1", "100");
    smc_order_request_t r = {.stp = SMC_STP_EXPIRE_MAKER, .tif = SMC_FOK};
    assert_int_equal(place(&f, f.a, 'b', "1", "100", r), SMC_ACCEPTED);
    assert_int_equal(f.o->status, SMC_ORDER_EXPIRED);
    assert_int_equal(smc_market_open_orders(f.m, f.a, SMC_MARKET_ALL), 1);
    smc_market_free(f.m);
}

static void events_in_order(void **state)
{
    (void)state;
    static const char expected[] = "o0 T t1 t1 l o3 B1.0 B1.1 B2.0 B2.1 ";
    fixture_t f;
    set_up(&f, "0");
    limit(&f, f.a, 's', "1", "100");
    smc_market_want(f.m, SMC_MARKET_ALL, SMC_WANT_ALL);
    assert_int_equal(place(&f, f.b, 'b', "2", "100", (smc_order_request_t){.tif = SMC_IOC}),
                     SMC_ACCEPTED);
    char seen[256] = "";
    for (size_t i = 0; i < smc_market_events(f.m); i++) {
        smc_market_event_t e = smc_market_event(f.m, i);
        size_t n = strlen(seen);
        if (e.type == SMC_EVENT_ORDER)
            (void)snprintf(seen + n, sizeof(seen) - n, "%c%d ",
                           e.u.order->exec == SMC_EXEC_TRADE ? 't' : 'o', (int)e.u.order->exec);
        else if (e.type == SMC_EVENT_BALANCE)
            (void)snprintf(seen + n, sizeof(seen) - n, "B%d.%d ", (int)e.u.balance.account,
                           (int)e.u.balance.asset);
        else
            (void)snprintf(seen + n, sizeof(seen) - n, "%s ",
                           e.type == SMC_EVENT_TRADE ? "T" : "l");
    }
    assert_string_equal(seen, expected);
    smc_market_event_t e = smc_market_event(f.m, 0);
    assert_true(e.u.order->order.on_book);
    assert_dec("0", e.u.order->order.filled);
    e = smc_market_event(f.m, 4);
    assert_dec("0", e.u.level.qty);
    smc_market_clear_events(f.m);
    smc_market_want(f.m, SMC_MARKET_ALL, SMC_WANT_NONE);
    limit(&f, f.a, 's', "1", "100");
    assert_int_equal(smc_market_events(f.m), 0);
    smc_market_free(f.m);
}

static void keep_id(void *ud, const smc_order_t *o)
{
    *(int64_t *)ud = *(int64_t *)ud * 10 + o->id;
}

static int64_t orders(const fixture_t *f, bool open, smc_range_t range)
{
    int64_t ids = 0;
    range.open_only = open;
    smc_market_orders(f->m, f->a, 0, &range, keep_id, &ids);
    return ids;
}

static void expires_in_an_empty_book(void **state)
{
    (void)state;
    fixture_t f;
    set_up(&f, "0");
    smc_order_request_t dry = {.type = SMC_MARKET_ORDER, .expires_unfilled = true};
    assert_int_equal(place(&f, f.a, 's', "1", NULL, dry), SMC_ACCEPTED);
    assert_int_equal(f.o->status, SMC_ORDER_EXPIRED);
    assert_int_equal(f.o->reason, SMC_END_LIQUIDITY);
    assert_int_equal(place(&f, f.a, 'b', "1", NULL, dry), SMC_ACCEPTED);
    assert_int_equal(place(&f, f.a, 's', "10.001", NULL, dry), SMC_REFUSED_FUNDS);
    smc_dec_t hundred = dec("100");
    dry.quote_qty = &hundred;
    assert_int_equal(place(&f, f.a, 'b', NULL, NULL, dry), SMC_REFUSED_NO_LIQUIDITY);
    smc_market_free(f.m);
}

static void ranges(void **state)
{
    (void)state;
    fixture_t f;
    set_up(&f, "0");
    for (int i = 1; i <= 6; i++) {
        smc_market_advance(f.m, START + (int64_t)i * 10);
        limit(&f, f.a, 'b', "1", "10");
    }
    smc_market_cancel(f.m, &(smc_order_ref_t){.account = f.a, .id = 3}, NULL, 0, &f.o);
    assert_int_equal(orders(&f, false, (smc_range_t){0}), 123456);
    assert_int_equal(orders(&f, true, (smc_range_t){0}), 12456);
    assert_int_equal(orders(&f, false, (smc_range_t){.limit = 2}), 56);
    assert_int_equal(orders(&f, true, (smc_range_t){.limit = 4}), 2456);
    assert_int_equal(orders(&f, false, (smc_range_t){.from_id = 2, .limit = 2}), 23);
    assert_int_equal(orders(&f, true, (smc_range_t){.from_id = 2, .limit = 2}), 24);
    assert_int_equal(orders(&f, false, (smc_range_t){.from_ms = START + 20, .to_ms = START + 40}),
                     234);
    assert_int_equal(orders(&f, false, (smc_range_t){.from_ms = START + 21, .to_ms = START + 39}),
                     3);
    assert_int_equal(orders(&f, false, (smc_range_t){.from_ms = START + 100}), 0);
    smc_range_t changed = {.by_update = true,
                           .from_ms = START + 60}; /* the third was canceled then */
    assert_int_equal(orders(&f, false, changed), 36);
    assert_int_equal(orders(&f, true, changed), 6);
    changed = (smc_range_t){.by_update = true, .to_ms = START + 50};
    assert_int_equal(orders(&f, false, changed), 1245);
    changed.limit = 2;
    assert_int_equal(orders(&f, false, changed), 45);
    changed.from_ms = START + 20;
    assert_int_equal(orders(&f, false, changed), 24);
    smc_market_free(f.m);
}

static void set_up_errors(void **state)
{
    (void)state;
    smc_market_t *m = new_market(1);
    int32_t id = add_btc(m, "0", "0");
    smc_instrument_conf_t conf = {
        .symbol = "BTCUSDT", .base = "BTC", .quote = "USDT", .tick = dec("1"), .step = dec("1")};
    assert_int_equal(smc_market_add_instrument(m, &conf, &id, NULL), SMC_EEXIST);
    conf.symbol = "X";
    conf.tick = dec("0.0000000001");
    conf.step = dec("0.000000001");
    assert_int_equal(smc_market_add_instrument(m, &conf, &id, NULL), SMC_EINVAL);
    conf.step = dec("0.00000001");
    assert_int_equal(smc_market_add_instrument(m, &conf, &id, NULL), SMC_OK);
    int32_t account = add_account(m, "1", NULL);
    assert_int_equal(smc_market_credit(m, account, 0, dec("0"), NULL), SMC_EINVAL);
    assert_int_equal(smc_market_credit(m, account, 0, dec("1000000000000000"), NULL),
                     SMC_EOVERFLOW);
    assert_int_equal(smc_market_debit(m, account, 0, dec("1.00000001"), NULL), SMC_EINVAL);
    assert_int_equal(smc_market_debit(m, account, 0, dec("1"), NULL), SMC_OK);
    assert_int_equal(smc_market_credit(m, 0, 0, dec("1"), NULL), SMC_EINVAL);
    smc_market_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(locks_and_returns),
        cmocka_unit_test(charges_the_received_asset_rounded_down),
        cmocka_unit_test(refuses),
        cmocka_unit_test(expires_in_an_empty_book),
        cmocka_unit_test(funds_of_market_orders),
        cmocka_unit_test(amounts_of_quote),
        cmocka_unit_test(fills_or_kills),
        cmocka_unit_test(price_then_time),
        cmocka_unit_test(client_ids),
        cmocka_unit_test(filled_out_of_turn),
        cmocka_unit_test(self_trade_prevention),
        cmocka_unit_test(events_in_order),
        cmocka_unit_test(ranges),
        cmocka_unit_test(set_up_errors),
    };
    return cmocka_run_group_tests_name("market", tests, NULL, NULL);
}
