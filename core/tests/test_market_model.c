/* The engine and a naive model of it get the same random operations and must agree. */
#include "market_model.h"

static smc_dec_t lots(int64_t n)
{
    return (smc_dec_t){dec("0.001").units * n};
}

static smc_dec_t units(int64_t n)
{
    return (smc_dec_t){dec("0.00000001").units * n};
}

static smc_dec_t ticks(int64_t n)
{
    return (smc_dec_t){dec("0.01").units * n};
}

#define same(a, b) assert_int_equal(smc_dec_cmp(a, b), 0)

static void same_order(const smc_order_t *o, const mo_t *k, bool open)
{
    assert_int_equal(o->id, k->id);
    assert_int_equal(o->account, k->acct);
    assert_int_equal(o->status, k->status);
    assert_int_equal(o->reason, k->reason);
    same(o->qty, lots(k->qty));
    same(o->filled, lots(k->filled));
    same(o->filled_quote, units(k->filled_quote));
    same(o->prevented_qty, lots(k->prevented));
    same(o->price, ticks(k->price));
    assert_int_equal(o->prevented_match_id, k->match_id);
    assert_string_equal(o->client_id, k->cid);
    assert_string_equal(o->orig_client_id, k->old_cid);
    assert_int_equal(o->on_book, open);
}

static void same_balances(const world_t *w)
{
    const model_t *s = &w->a;
    smc_dec_t sum[2] = {{0}, {0}};
    for (int32_t asset = 0; asset < 2; asset++) {
        for (int32_t acct = 1; acct <= ACCOUNTS; acct++) {
            smc_balance_t b = smc_market_balance(w->m, acct, asset);
            same(b.locked, units(locked(s, acct, asset)));
            same(b.free, units(free_of(s, acct, asset)));
            assert_true(smc_dec_sign(b.free) >= 0);
            sum[asset].units += b.free.units + b.locked.units;
        }
        same(smc_market_fees(w->m, asset), units(s->fees[asset]));
        sum[asset].units += smc_market_fees(w->m, asset).units;
        same(sum[asset], units(s->issued[asset])); /* nothing is made, nothing is lost */
    }
}

typedef struct {
    smc_dec_t best[2], last[2];
    int n[2];
    smc_dec_t total[2];
} depth_t;

static void see_level(void *ud, smc_side_t side, smc_dec_t price, smc_dec_t qty)
{
    depth_t *d = ud;
    assert_true(smc_dec_sign(qty) > 0);
    if (d->n[side]++ == 0)
        d->best[side] = price;
    else
        assert_int_equal(smc_dec_cmp(price, d->last[side]), side == SMC_BUY ? -1 : 1);
    d->last[side] = price;
    d->total[side].units += qty.units;
}

static void same_book(const world_t *w)
{
    depth_t d = {0};
    (void)smc_market_book(w->m, 0, 0, see_level, &d);
    int64_t total[2] = {0, 0};
    for (int i = 0; i < w->a.n; i++)
        total[w->a.book[i].side] += w->a.book[i].shown;
    same(d.total[BUY], lots(total[BUY]));
    same(d.total[SELL], lots(total[SELL]));
    if (d.n[BUY] > 0 && d.n[SELL] > 0)
        assert_true(smc_dec_cmp(d.best[BUY], d.best[SELL]) < 0); /* never crossed */
}

static int64_t roll(world_t *w, int64_t lo, int64_t hi)
{
    return smc_rng_range(&w->rng, lo, hi);
}

static mo_t random_order(world_t *w)
{
    static const int stps[] = {SMC_STP_NONE,         SMC_STP_NONE,        SMC_STP_EXPIRE_TAKER,
                               SMC_STP_EXPIRE_MAKER, SMC_STP_EXPIRE_BOTH, SMC_STP_DECREMENT};
    mo_t t = {.acct = (int)roll(w, 1, ACCOUNTS), .side = (int)roll(w, 0, 1), .match_id = -1};
    t.stp = stps[roll(w, 0, 5)];
    t.qty = roll(w, 1, 12);
    t.price = 10000 + roll(w, -15, 15) + (t.side == BUY ? -6 : 6);
    int64_t kind = roll(w, 0, 9);
    t.type = kind < 6 ? SMC_LIMIT : kind < 7 ? SMC_LIMIT_MAKER : SMC_MARKET_ORDER;
    t.tif = SMC_GTC;
    if (t.type == SMC_LIMIT && roll(w, 0, 3) == 0)
        t.tif = roll(w, 0, 1) == 0 ? SMC_IOC : SMC_FOK;
    if (t.type != SMC_MARKET_ORDER && t.tif == SMC_GTC && roll(w, 0, 3) == 0)
        t.display = roll(w, 1, t.qty);
    if (t.type == SMC_MARKET_ORDER) {
        t.price = 0;
        if (kind == 9) {
            t.quote_qty = roll(w, 1, INT64_C(120000) * UNIT);
            t.qty = 0;
        } else if (roll(w, 0, 9) == 0)
            t.qty = roll(w, 20, 400); /* more than there is */
    }
    t.rem = t.qty;
    if (roll(w, 0, 2) == 0)
        (void)snprintf(t.cid, sizeof(t.cid), "c%d", (int)roll(w, 0, 30));
    return t;
}

static void op_place(world_t *w)
{
    mo_t t = random_order(w);
    smc_dec_t qty = lots(t.qty), price = ticks(t.price), quote = units(t.quote_qty);
    smc_dec_t display = lots(t.display);
    smc_order_request_t r = {
        .account = t.acct,
        .side = (smc_side_t)t.side,
        .type = (smc_order_type_t)t.type,
        .tif = t.type == SMC_LIMIT ? (smc_tif_t)t.tif : SMC_TIF_NONE,
        .stp = (smc_stp_t)t.stp,
        .qty = t.quote_qty > 0 ? NULL : &qty,
        .quote_qty = t.quote_qty > 0 ? &quote : NULL,
        .price = t.type == SMC_MARKET_ORDER ? NULL : &price,
        .display_qty = t.display > 0 ? &display : NULL,
        .client_id = t.cid,
    };
    const smc_order_t *o = NULL;
    smc_refusal_t expected = model_place(w, &t), got = smc_market_place(w->m, &r, ++w->now, &o);
    assert_string_equal(smc_refusal_text(got), smc_refusal_text(expected));
    if (got != SMC_ACCEPTED) {
        w->refused++;
        return;
    }
    w->accepted++;
    same_order(o, &t, t.status == SMC_ORDER_NEW || t.status == SMC_ORDER_PARTIALLY_FILLED);
}

static void op_cancel(world_t *w)
{
    model_t *s = &w->a;
    bool ghost = s->n == 0 || roll(w, 0, 9) == 0;
    int i = ghost ? -1 : (int)roll(w, 0, s->n - 1);
    smc_order_ref_t ref = {.account = 1, .id = s->last_id + 1};
    if (!ghost) {
        ref.account = s->book[i].acct;
        ref.id = s->book[i].id;
        if (s->book[i].cid[0] != '\0' && roll(w, 0, 1) == 0) {
            ref.id = -1;
            ref.client_id = s->book[i].cid;
        }
    }
    bool renames = roll(w, 0, 1) == 0;
    const smc_order_t *o = NULL;
    smc_refusal_t got = smc_market_cancel(w->m, &ref, renames ? "gone" : NULL, ++w->now, &o);
    assert_int_equal(got, ghost ? SMC_REFUSED_UNKNOWN_ORDER : SMC_ACCEPTED);
    if (ghost)
        return;
    mo_t *k = &s->book[i];
    end(k, SMC_ORDER_CANCELED, SMC_END_USER);
    if (renames) {
        memcpy(k->old_cid, k->cid, sizeof(k->cid));
        (void)snprintf(k->cid, sizeof(k->cid), "gone");
    }
    same_order(o, k, false);
    bury(s, k);
    take_off(s, i);
}

static void op_amend(world_t *w)
{
    model_t *s = &w->a;
    if (s->n == 0)
        return;
    mo_t *k = &s->book[roll(w, 0, s->n - 1)];
    int64_t qty = roll(w, 1, k->qty + 1);
    smc_refusal_t expected = SMC_ACCEPTED;
    if (qty <= k->filled + k->prevented)
        expected = SMC_REFUSED_QTY;
    else if (qty >= k->qty)
        expected = qty == k->qty ? SMC_REFUSED_NO_CHANGE : SMC_REFUSED_NOT_SMALLER;
    smc_order_ref_t ref = {.account = k->acct, .id = k->id};
    const smc_order_t *o = NULL;
    smc_dec_t to = lots(qty);
    smc_amendment_t change = {.qty = &to, .keep_priority = true};
    assert_int_equal(smc_market_amend(w->m, &ref, &change, ++w->now, &o), expected);
    if (expected != SMC_ACCEPTED)
        return;
    k->rem -= k->qty - qty;
    k->shown = k->shown < k->rem ? k->shown : k->rem;
    k->qty = qty;
    same_order(o, k, true);
}

/* Any quantity, any price. */
static void op_move(world_t *w)
{
    model_t *s = &w->a;
    if (s->n == 0)
        return;
    int i = (int)roll(w, 0, s->n - 1);
    mo_t k = s->book[i], t;
    int64_t q = roll(w, 0, 2) == 0 ? k.qty : roll(w, 1, k.qty + 4);
    int64_t p = roll(w, 0, 2) == 0 ? k.price : k.price + roll(w, -12, 12);
    smc_dec_t qty = lots(q), price = ticks(p);
    smc_amendment_t change = {.qty = &qty, .price = &price};
    smc_order_ref_t ref = {.account = k.acct, .id = k.id};
    const smc_order_t *o = NULL;
    smc_refusal_t expected = model_move(w, i, q, p, &t);
    smc_refusal_t got = smc_market_amend(w->m, &ref, &change, ++w->now, &o);
    assert_string_equal(smc_refusal_text(got), smc_refusal_text(expected));
    if (got == SMC_ACCEPTED)
        same_order(o, &t, t.status == SMC_ORDER_NEW || t.status == SMC_ORDER_PARTIALLY_FILLED);
}

static void op_cancel_all(world_t *w)
{
    model_t *s = &w->a;
    int32_t acct = (int32_t)roll(w, 1, ACCOUNTS);
    smc_cancel_all_t which = {acct, SMC_MARKET_ALL, SMC_END_SYSTEM};
    smc_market_cancel_all(w->m, &which, ++w->now, NULL, NULL);
    assert_int_equal(smc_market_open_orders(w->m, acct, 0), 0);
    for (int i = s->n; i-- > 0;) {
        if (s->book[i].acct != acct)
            continue;
        end(&s->book[i], SMC_ORDER_CANCELED, SMC_END_SYSTEM);
        bury(s, &s->book[i]);
        take_off(s, i);
    }
}

static void op_transfer(world_t *w)
{
    int32_t acct = (int32_t)roll(w, 1, ACCOUNTS), asset = (int32_t)roll(w, 0, 1);
    int64_t amount = roll(w, 1, asset == 0 ? 20 * LOT : INT64_C(200000) * UNIT);
    bool out = roll(w, 0, 1) == 0, enough = free_of(&w->a, acct, asset) >= amount;
    smc_code_t got = out ? smc_market_debit(w->m, acct, asset, units(amount), NULL)
                         : smc_market_credit(w->m, acct, asset, units(amount), NULL);
    assert_int_equal(got, !out || enough ? SMC_OK : SMC_EINVAL);
    if (got != SMC_OK)
        return;
    w->a.total[acct][asset] += out ? -amount : amount;
    w->a.issued[asset] += out ? -amount : amount;
}

static void count_open(void *ud, const smc_order_t *o)
{
    world_t *w = ud;
    for (int i = 0; i < w->a.n; i++)
        if (w->a.book[i].id == o->id) {
            same_order(o, &w->a.book[i], true);
            w->seen++;
            return;
        }
    fail_msg("order %lld is open in the engine only", (long long)o->id);
}

static void same_open(world_t *w)
{
    w->seen = 0;
    for (int32_t acct = 1; acct <= ACCOUNTS; acct++)
        smc_market_orders(w->m, acct, 0, &(smc_range_t){.open_only = true}, count_open, w);
    assert_int_equal(w->seen, w->a.n);
}

/* ---- what the events say ------------------------------------------------- */

static void hear_order(world_t *w, const smc_order_event_t *e)
{
    assert_int_equal(e->exec_id, ++w->exec_id);
    if (e->exec != SMC_EXEC_TRADE)
        return;
    assert_int_equal(e->fill.order_id, e->order.id);
    assert_true(smc_dec_cmp(e->order.filled, e->fill.qty) >= 0);
    assert_true(e->order.status == SMC_ORDER_FILLED ||
                e->order.status == SMC_ORDER_PARTIALLY_FILLED);
}

static void hear(world_t *w)
{
    for (size_t i = 0; i < smc_market_events(w->m); i++) {
        smc_market_event_t e = smc_market_event(w->m, i);
        switch (e.type) {
        case SMC_EVENT_ORDER:
            hear_order(w, e.u.order);
            break;
        case SMC_EVENT_TRADE:
            assert_int_equal(e.u.trade.id, ++w->event_trades);
            break;
        case SMC_EVENT_LEVEL:
            assert_int_equal(e.u.level.update_id, ++w->update_id);
            break;
        case SMC_EVENT_BALANCE:
            w->told[e.u.balance.account][e.u.balance.asset] = e.u.balance.now;
            break;
        case SMC_EVENT_TRANSFER:
        case SMC_EVENT_POSITION:
            break;
        }
    }
    smc_market_clear_events(w->m);
    assert_int_equal(w->event_trades, w->a.n_trades);
    for (int32_t acct = 1; acct <= ACCOUNTS; acct++)
        for (int32_t asset = 0; asset < 2; asset++) {
            smc_balance_t b = smc_market_balance(w->m, acct, asset);
            same(b.free, w->told[acct][asset].free);
            same(b.locked, w->told[acct][asset].locked);
        }
}

/* ---- the run ------------------------------------------------------------- */

static void open_world(world_t *w, uint64_t seed, bool fees)
{
    smc_rng_init(&w->rng, seed, "model");
    w->m = new_market(seed);
    w->now = START;
    add_btc(w->m, fees ? "0.0005" : "0", fees ? "0.0013" : "0");
    smc_market_want(w->m, SMC_MARKET_ALL, SMC_WANT_ALL);
    for (int acct = 1; acct <= ACCOUNTS; acct++) {
        int32_t id = add_account(w->m, "0.2", "20000");
        w->a.total[acct][0] = 200 * LOT;
        w->a.total[acct][1] = 20000 * INT64_C(100000000);
        w->a.maker_ppm[acct] = fees ? 500 : 0;
        w->a.taker_ppm[acct] = fees ? 1300 : 0;
        if (fees && acct == 2) { /* one account has its own rates */
            smc_dec_t none = dec("0"), much = dec("0.01");
            assert_int_equal(smc_market_set_fees(w->m, id, &none, &much, NULL), SMC_OK);
            w->a.maker_ppm[acct] = 0;
            w->a.taker_ppm[acct] = 10000;
        }
        for (int asset = 0; asset < 2; asset++)
            w->a.issued[asset] += w->a.total[acct][asset];
    }
}

static void same_fills(void *ud, const smc_fill_t *f)
{
    mo_t *k = ud;
    assert_int_equal(f->order_id, k->id);
    k->filled -= (int64_t)(f->qty.units / lots(1).units);
    k->filled_quote -= (int64_t)(f->quote.units / units(1).units);
}

static void close_world(world_t *w)
{
    for (size_t i = 0; i < w->ended.n; i++) {
        mo_t k = w->ended.v[i];
        smc_order_ref_t ref = {.account = k.acct, .id = k.id};
        const smc_order_t *o = smc_market_order(w->m, &ref);
        assert_non_null(o);
        same_order(o, &k, false);
        if (i % 50 != 0)
            continue;
        smc_market_fills(w->m, k.acct, 0, &(smc_range_t){.order_id = k.id}, same_fills, &k);
        assert_int_equal(k.filled, 0);
        assert_int_equal(k.filled_quote, 0);
    }
    smc_market_free(w->m);
    free(w->ended.v);
}

static void step(world_t *w)
{
    int64_t kind = roll(w, 0, 99);
    if (kind < 75)
        op_place(w);
    else if (kind < 88)
        op_cancel(w);
    else if (kind < 91)
        op_amend(w);
    else if (kind < 96)
        op_move(w);
    else if (kind < 99)
        op_transfer(w);
    else if (roll(w, 0, 9) == 0)
        op_cancel_all(w);
    same_balances(w);
    same_book(w);
    hear(w);
    if (kind % 10 == 0)
        same_open(w);
}

static void agree(uint64_t seed, bool fees)
{
    world_t *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    w->a.grave = &w->ended;
    open_world(w, seed, fees);
    for (int i = 0; i < OPS; i++)
        step(w);
    /* The run must have been worth it. */
    assert_true(w->a.n_trades > OPS / 10 && w->a.n_prevented > OPS / 100);
    assert_true(w->accepted > OPS / 3 && w->refused > OPS / 50);
    close_world(w);
    free(w);
}

static void agrees_without_fees(void **state)
{
    (void)state;
    agree(1, false);
    agree(2, false);
}

static void agrees_with_fees(void **state)
{
    (void)state;
    agree(3, true);
    agree(4, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_without_fees),
        cmocka_unit_test(agrees_with_fees),
    };
    return cmocka_run_group_tests_name("market against its model", tests, NULL, NULL);
}
