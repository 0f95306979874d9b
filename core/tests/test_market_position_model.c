/* Contracts and conditional orders under random operations, against a naive model of them. */
#include "position_model.h"

enum { OPS = 32000 };

static smc_dec_t dec_of(big_t units)
{
    return (smc_dec_t){units};
}

#define same(a, b) assert_true((a) == (b))

static int64_t roll(pw_t *w, int64_t lo, int64_t hi)
{
    return smc_rng_range(&w->rng, lo, hi);
}

static void mix(pw_t *w, uint64_t value)
{
    w->hash = (w->hash ^ value) * UINT64_C(1099511628211);
}

/* ---- what the events say ------------------------------------------------- */

static void hear_fill(pw_t *w, const smc_order_event_t *e)
{
    const smc_fill_t *f = &e->fill;
    mp_t *p = &w->acct[e->order.account];
    int64_t left = in_lots(f->qty), price = in_ticks(f->price), closed = 0;
    big_t realized = 0, told = 0;
    while (left > 0 && p->n > 0 && p->is_long != (f->side == SMC_BUY)) {
        int i = e->order.close_lot != 0 ? find_lot(p, e->order.close_lot) : 0;
        assert_true(i >= 0);
        int64_t qty = left < p->lots[i].qty ? left : p->lots[i].qty;
        realized += close_part(p, i, qty, price);
        closed += qty;
        left -= qty;
    }
    if (left > 0) {
        assert_false(e->order.reduce_only); /* never opens */
        if (p->n == 0)
            p->is_long = f->side == SMC_BUY;
        open_part(p, w->lots ? f->order_id : 0, left, price);
    }
    big_t fee = f->quote.units / 1000000 * p->fee_ppm[f->is_maker] / PLACES8 * PLACES8;
    p->fees += fee;
    p->balance -= fee;
    w->fees += fee;
    same(f->realized.units, realized);
    same(f->fee.units, fee);
    same(in_lots(f->closed_qty), closed);
    const smc_lot_change_t *c = smc_market_lot_changes(w->m, f);
    int64_t moved = 0;
    for (size_t i = 0; i < f->n_lots; i++) {
        told += c[i].realized.units;
        moved += in_lots(c[i].qty);
    }
    if (w->lots) {
        same(told, realized);
        same(moved, f->side == SMC_BUY ? in_lots(f->qty) : -in_lots(f->qty));
    }
}

static mw_t *watch_at(pw_t *w, int64_t id)
{
    for (int i = w->n_watches; i-- > 0;)
        if (w->watches[i].id == id)
            return &w->watches[i];
    return NULL;
}

/* Those that have fired or ended are of no more use. */
static void forget_watches(pw_t *w)
{
    int n = 0;
    for (int i = 0; i < w->n_watches; i++)
        if (w->watches[i].alive)
            w->watches[n++] = w->watches[i];
    w->n_watches = n;
}

static void hear_order(pw_t *w, const smc_order_event_t *e)
{
    const smc_order_t *o = &e->order;
    bool fresh = e->exec == SMC_EXEC_NEW;
    assert_true(o->id < ORDERS_MAX);
    w->orders[o->id] = *o;
    w->orders[o->id].on_book = false; /* told when it rests: see end_of_operation */
    if (o->id > w->n_orders)
        w->n_orders = o->id;
    if (fresh && o->conditional) {
        mw_t x = watch_for(w, &o->trigger);
        x.id = o->id;
        w->watches[w->n_watches++] = x;
    }
    mw_t *x = o->conditional ? watch_at(w, o->id) : NULL;
    if (e->exec == SMC_EXEC_REPLACED && x != NULL && x->alive && !trails(&x->t))
        x->price = in_ticks(o->trigger_price);
    assert_true(e->exec != SMC_EXEC_TRIGGERED || x != NULL);
    if (e->exec == SMC_EXEC_TRIGGERED && x != NULL) {
        assert_true(x->alive && (x->t.by == SMC_WATCH_LAST ? x->due : x->may)); /* not before */
        x->alive = false;
        w->fired++;
        w->trailed += trails(&x->t);
    }
    if (x != NULL && (e->exec == SMC_EXEC_CANCELED || e->exec == SMC_EXEC_EXPIRED))
        x->alive = false;
    if (e->exec == SMC_EXEC_TRADE)
        hear_fill(w, e);
    w->liquidations += o->liquidation && fresh;
    w->cut += o->reason == SMC_END_REDUCE && e->exec == SMC_EXEC_CANCELED;
    mix(w, (uint64_t)o->id << 8 | (uint64_t)e->exec);
}

static void look(pw_t *w, bool trade)
{
    for (int i = 0; i < w->n_watches; i++) {
        mw_t *x = &w->watches[i];
        if (x->alive && x->t.by == SMC_WATCH_LAST && trade && !x->due)
            x->due = offer(x, w->last);
        if (x->alive && x->t.by != SMC_WATCH_LAST && reached_now(w, x))
            x->may = true;
    }
}

static void hear(pw_t *w)
{
    for (size_t i = 0; i < smc_market_events(w->m); i++) {
        smc_market_event_t e = smc_market_event(w->m, i);
        if (e.type == SMC_EVENT_ORDER)
            hear_order(w, e.u.order);
        if (e.type == SMC_EVENT_TRADE) {
            w->last = in_ticks(e.u.trade.price);
            mix(w, (uint64_t)w->last);
        }
        if (e.type == SMC_EVENT_LEVEL)
            set_level(w, (int)e.u.level.side, in_ticks(e.u.level.price), in_lots(e.u.level.qty));
        if (e.type == SMC_EVENT_TRADE || e.type == SMC_EVENT_LEVEL)
            look(w, e.type == SMC_EVENT_TRADE);
        if (e.type == SMC_EVENT_POSITION)
            same(e.u.position.qty.units,
                 smc_market_position(w->m, e.u.position.account, 0, SMC_BUY).qty.units);
    }
    smc_market_clear_events(w->m);
}

/* ---- the laws ------------------------------------------------------------ */

typedef struct {
    const mp_t *p;
    int at;
} lots_t;

static void same_lot(void *ud, const smc_lot_t *lot)
{
    lots_t *l = ud;
    assert_true(l->at < l->p->n);
    const ml_t *k = &l->p->lots[l->at++];
    int sign = l->p->is_long ? 1 : -1;
    same(lot->id, k->id);
    same(in_lots(lot->qty), sign * k->qty);
    same(in_lots(lot->initial_qty), sign * k->initial);
    same(lot->price.units, k->price);
    same(lot->realized.units, k->realized);
}

static void same_account(pw_t *w, int acct)
{
    const mp_t *p = &w->acct[acct];
    smc_position_t got = smc_market_position(w->m, acct, 0, SMC_BUY);
    mm_t k = margin_of(w, acct, 0);
    same(in_lots(got.qty), p->is_long ? qty_of(p) : -qty_of(p));
    same(got.cost.units, cost_of(p));
    same(got.realized.units, p->realized);
    same(got.realized_total.units, p->realized_total);
    same(got.fees.units, p->fees);
    same(got.upl.units, k.upl);
    same(got.im.units, k.im);
    same(got.mm.units, k.mm);
    if (p->n == 1)
        same(got.entry.units, p->lots[0].price);
    lots_t lots = {.p = p};
    smc_market_lots(w->m, acct, 0, same_lot, &lots);
    same(lots.at, w->lots ? p->n : 0);
    smc_margin_t g = smc_market_margin(w->m, acct, 1);
    same(g.balance.units, p->balance);
    same(g.equity.units, p->balance + k.upl);
    same(g.position_im.units, k.im);
    same(g.order_im.units, k.order_im);
    same(g.maintenance.units, k.mm);
    same(g.available.units, k.available);
    same(smc_market_balance(w->m, acct, 1).locked.units, 0);
    if (w->liquidates && k.mm > 0 && p->balance + k.upl <= 3 * k.mm) {
        assert_int_equal(smc_market_open_orders(w->m, acct, 0), 0);
        same(best(w, p->is_long ? SMC_BUY : SMC_SELL), 0); /* nobody took it */
    }
}

static void see_open(void *ud, const smc_order_t *o)
{
    pw_t *w = ud;
    w->orders[o->id] = *o;
    w->open[w->n_open++] = o->id;
    if (!o->reduce_only)
        return;
    int64_t most = reducible(w, o->account, (int)o->side, o->close_lot);
    assert_true(most > 0 && (!o->on_book || rem_of(o) <= most));
}

static void end_of_operation(pw_t *w)
{
    hear(w);
    big_t sum = w->fees, costs = 0;
    int64_t net = 0;
    w->n_open = 0;
    for (int acct = 1; acct <= ACCOUNTS; acct++) {
        smc_market_orders(w->m, acct, 0, &(smc_range_t){.open_only = true}, see_open, w);
        const mp_t *p = &w->acct[acct];
        sum += p->balance;
        costs += p->is_long ? cost_of(p) : -cost_of(p);
        net += p->is_long ? qty_of(p) : -qty_of(p);
    }
    for (int acct = 1; acct <= ACCOUNTS; acct++)
        same_account(w, acct);
    same(net, 0);                 /* for every long a short */
    same(sum, w->issued + costs); /* no money is made, none is lost */
    same(smc_market_fees(w->m, 1).units, w->fees);
    assert_true(best(w, SMC_SELL) == 0 || best(w, SMC_BUY) < best(w, SMC_SELL));
    for (int i = 0; i < w->n_watches; i++) {
        mw_t *x = &w->watches[i];
        if (!x->alive)
            continue;
        assert_false(x->t.by == SMC_WATCH_LAST ? x->due : reached_now(w, x)); /* none is missed */
        same(in_ticks(w->orders[x->id].trigger_price),
             trails(&x->t) && !x->following ? 0 : x->price);
        x->may = false;
    }
    forget_watches(w);
}

/* ---- operations ---------------------------------------------------------- */

typedef struct {
    int acct, side;
    int64_t qty, price; /* price 0: market */
    bool reduce_only, conditional;
    int64_t lot;
    smc_trigger_t t;
} want_t;

static smc_refusal_t expected(const pw_t *w, want_t *k)
{
    if (k->reduce_only || k->lot != 0) {
        int64_t most = reducible(w, k->acct, k->side, k->lot);
        if (most == 0)
            return k->lot != 0 ? SMC_REFUSED_UNKNOWN_LOT : SMC_REFUSED_NOTHING_TO_REDUCE;
        if (!k->conditional && k->qty > most)
            k->qty = most;
    }
    if (k->conditional) {
        if (k->t.price.units == 0 && w->last == 0)
            return SMC_REFUSED_NO_LIQUIDITY;
        return watch_for(w, &k->t).due && !k->t.immediately ? SMC_REFUSED_WOULD_TRIGGER
                                                            : SMC_ACCEPTED;
    }
    if (k->price == 0 && best(w, 1 - k->side) == 0)
        return SMC_REFUSED_NO_LIQUIDITY;
    if (k->reduce_only || k->lot != 0)
        return SMC_ACCEPTED;
    return backed(w, k->acct, k->side, k->qty, k->price == 0 ? mark2(w) : 2 * k->price, 0);
}

static want_t random_want(pw_t *w)
{
    want_t k = {.acct = (int)roll(w, 1, ACCOUNTS), .side = (int)roll(w, 0, 1)};
    const mp_t *p = &w->acct[k.acct];
    k.qty = roll(w, 0, 3) == 0 ? roll(w, 1, 60) : roll(w, 1, 12);
    k.price = 10000 + roll(w, -300, 300) + (k.side == SMC_BUY ? -120 : 120);
    if (roll(w, 0, 5) == 0)
        k.price = 0;
    k.reduce_only = roll(w, 0, 4) == 0;
    if (w->lots && p->n > 0 && roll(w, 0, 5) == 0) {
        k.lot = p->lots[roll(w, 0, p->n - 1)].id;
        k.side = p->is_long ? SMC_SELL : SMC_BUY;
        k.qty = roll(w, 1, 30);
    }
    k.conditional = roll(w, 0, 4) == 0;
    k.t.by = (smc_watch_t)roll(w, 0, 4);
    k.t.rises = roll(w, 0, 1) == 0;
    k.t.immediately = roll(w, 0, 5) == 0;
    k.t.price = dec_of(TICK * (w->last + roll(w, -150, 150)));
    if (roll(w, 0, 2) == 0) {
        k.t.by = SMC_WATCH_LAST;
        k.t.trail = dec_of(TICK * roll(w, 1, 200));
        if (roll(w, 0, 1) == 0)
            k.t.price = dec_of(0);
    }
    if (k.t.price.units < 0 || (k.t.price.units == 0 && !trails(&k.t)))
        k.t.price = dec_of(TICK * 10000);
    return k;
}

static void op_place(pw_t *w)
{
    want_t k = random_want(w);
    smc_dec_t qty = dec_of(LOT * k.qty), price = dec_of(TICK * k.price);
    smc_order_request_t r = {.account = k.acct,
                             .side = (smc_side_t)k.side,
                             .type = k.price == 0 ? SMC_MARKET_ORDER : SMC_LIMIT,
                             .qty = &qty,
                             .price = k.price == 0 ? NULL : &price,
                             .reduce_only = k.reduce_only,
                             .close_lot = k.lot,
                             .trigger = k.conditional ? &k.t : NULL};
    smc_refusal_t due = expected(w, &k);
    const smc_order_t *o = NULL;
    smc_refusal_t got = smc_market_place(w->m, &r, 0, &o);
    assert_string_equal(smc_refusal_text(got), smc_refusal_text(due));
    w->refused[got]++;
    if (got == SMC_ACCEPTED && !k.conditional)
        assert_true(in_lots(o->qty) <= k.qty);
    w->closed_lots += got == SMC_ACCEPTED && k.lot != 0;
    w->accepted += got == SMC_ACCEPTED;
}

/* Some open order; NULL: the one that was drawn is not. */
static const smc_order_t *some_open(pw_t *w)
{
    if (w->n_orders == 0)
        return NULL;
    int64_t from = w->n_orders > 60 ? w->n_orders - 60 : 1;
    const smc_order_t *o = &w->orders[roll(w, from, w->n_orders)];
    return o->status == SMC_ORDER_NEW || o->status == SMC_ORDER_PARTIALLY_FILLED ? o : NULL;
}

static void op_cancel(pw_t *w)
{
    const smc_order_t *o = some_open(w), *out;
    if (o == NULL)
        return;
    smc_order_ref_t ref = {.account = o->account, .id = o->id};
    assert_int_equal(smc_market_cancel(w->m, &ref, NULL, 0, &out), SMC_ACCEPTED);
}

static smc_refusal_t amended(const pw_t *w, const smc_order_t *o, int64_t qty, int64_t price)
{
    int64_t rem = rem_of(o), filled = in_lots(o->filled);
    if (o->reduce_only) {
        int64_t most = filled + reducible(w, o->account, (int)o->side, o->close_lot);
        qty = qty < most ? qty : most;
    }
    if (qty <= filled)
        return SMC_REFUSED_QTY;
    if (qty == rem + filled && price == in_ticks(o->price))
        return SMC_REFUSED_NO_CHANGE;
    if (o->reduce_only || (qty < rem + filled && price == in_ticks(o->price)))
        return SMC_ACCEPTED;
    return backed(w, o->account, (int)o->side, qty - filled, 2 * price, o->id);
}

static void op_amend(pw_t *w)
{
    const smc_order_t *o = some_open(w), *out;
    if (o == NULL || !o->on_book)
        return;
    int64_t q = roll(w, 1, 16),
            p = in_ticks(o->price) + (roll(w, 0, 1) == 0 ? 0 : roll(w, -200, 200));
    smc_dec_t qty = dec_of(LOT * q), price = dec_of(TICK * p);
    smc_amendment_t change = {.qty = &qty, .price = &price};
    smc_order_ref_t ref = {.account = o->account, .id = o->id};
    smc_refusal_t due = amended(w, o, q, p);
    assert_string_equal(smc_refusal_text(smc_market_amend(w->m, &ref, &change, 0, &out)),
                        smc_refusal_text(due));
}

static void op_adjust(pw_t *w)
{
    int acct = (int)roll(w, 1, ACCOUNTS);
    big_t amount = ONE / 100 * roll(w, -300, 400);
    if (amount == 0)
        return;
    assert_int_equal(smc_market_adjust(w->m, acct, 1, dec_of(amount), NULL), SMC_OK);
    w->acct[acct].balance += amount;
    w->issued += amount;
}

/* Thins the book out, so that prices jump. */
static void op_cancel_all(pw_t *w)
{
    smc_cancel_all_t which = {(int32_t)roll(w, 1, ACCOUNTS), SMC_MARKET_ALL, SMC_END_SYSTEM};
    smc_market_cancel_all(w->m, &which, 0, NULL, NULL);
}

static void step(pw_t *w)
{
    int64_t kind = roll(w, 0, 99);
    if (kind < 72)
        op_place(w);
    else if (kind < 88)
        op_cancel(w);
    else if (kind < 95)
        op_amend(w);
    else if (kind < 98)
        op_adjust(w);
    else
        op_cancel_all(w);
    end_of_operation(w);
}

/* ---- the run ------------------------------------------------------------- */

static pw_t *open_world(uint64_t seed, bool lots, bool liquidates)
{
    static const int64_t rates[] = {100000, 10000, 500000, 20000};
    pw_t *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    w->orders = calloc(ORDERS_MAX, sizeof(*w->orders));
    w->watches = calloc(ORDERS_MAX, sizeof(*w->watches));
    assert_true(w->orders != NULL && w->watches != NULL);
    smc_rng_init(&w->rng, seed, "positions");
    w->m = new_market(seed);
    w->lots = lots;
    w->liquidates = liquidates;
    smc_contract_conf_t k = {.settle_precision = 8,
                             .lots = lots,
                             .margin_rate = dec("0.1"),
                             .maintenance_rate = dec("0.005")};
    smc_instrument_conf_t conf = {.symbol = "BTCUSDT",
                                  .base = "BTC",
                                  .quote = "USDT",
                                  .tick = dec("0.01"),
                                  .step = dec("0.1"),
                                  .maker_fee = dec("0.000213"),
                                  .taker_fee = dec("0.000557"),
                                  .contract = &k};
    int32_t id;
    assert_int_equal(smc_market_add_instrument(w->m, &conf, &id, NULL), SMC_OK);
    smc_market_want(w->m, SMC_MARKET_ALL, SMC_WANT_ALL);
    for (int acct = 1; acct <= ACCOUNTS; acct++) {
        mp_t *p = &w->acct[acct];
        (void)add_account(w->m, NULL, "20");
        p->balance = 20 * ONE;
        w->issued += 20 * ONE;
        p->rate_ppm = rates[acct - 1];
        p->fee_ppm[0] = 557;
        p->fee_ppm[1] = 213;
        assert_int_equal(smc_market_set_margin(w->m, acct, 0, SMC_BUY,
                                               dec_of(ONE / 1000000 * p->rate_ppm), NULL),
                         SMC_OK);
    }
    if (liquidates)
        assert_int_equal(smc_market_liquidation(w->m, 1, dec("3"), NULL), SMC_OK);
    return w;
}

static uint64_t close_world(pw_t *w)
{
    uint64_t hash = w->hash;
    smc_market_free(w->m);
    free(w->orders);
    free(w->watches);
    free(w);
    return hash;
}

static uint64_t run(uint64_t seed, bool lots, bool liquidates, int ops)
{
    pw_t *w = open_world(seed, lots, liquidates);
    for (int i = 0; i < ops; i++)
        step(w);
    /* The run must have been worth it. */
    size_t n = (size_t)ops;
    assert_true(w->accepted > n / 4 && w->refused[SMC_REFUSED_FUNDS] > n / 100);
    assert_true(w->refused[SMC_REFUSED_NOTHING_TO_REDUCE] > n / 100 && w->cut > n / 1000);
    assert_true(w->fired > n / 100 && w->trailed > n / 1000);
    assert_true(!lots || w->closed_lots > n / 100);
    assert_true(!liquidates || ops < OPS || w->liquidations > n / 2000);
    return close_world(w);
}

static void with_averages(void **state)
{
    (void)state;
    run(1, false, false, OPS);
    run(2, false, true, OPS);
}

static void with_lots(void **state)
{
    (void)state;
    run(3, true, false, OPS);
    run(4, true, true, OPS);
}

static void is_the_same_every_time(void **state)
{
    (void)state;
    assert_true(run(5, true, true, 4000) == run(5, true, true, 4000));
    assert_true(run(5, true, true, 4000) != run(6, true, true, 4000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_averages),
        cmocka_unit_test(with_lots),
        cmocka_unit_test(is_the_same_every_time),
    };
    return cmocka_run_group_tests_name("contracts against their model", tests, NULL, NULL);
}
