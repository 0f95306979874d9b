/* The rate limiter: its law against a naive model that counts every grant anew, and the edges one by one. */
#include "smc/limiter.h"
#include "smc/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const smc_budget_conf_t MINUTE = {
    .kind = SMC_BUDGET_WINDOW, .limit = 10, .period_ms = 60000};
static const smc_budget_conf_t BUCKET = {
    .kind = SMC_BUDGET_BUCKET, .limit = 5, .refill = 2, .period_ms = 1000};

static smc_limiter_t made(const smc_budget_conf_t *budgets, uint32_t n, uint64_t now_ms)
{
    smc_limiter_t l;
    assert_int_equal(smc_limiter_init(&l, budgets, n, now_ms, NULL), SMC_OK);
    return l;
}

static smc_ticket_t ticket(uint32_t first, uint32_t second, smc_priority_t priority)
{
    return (smc_ticket_t){.weights = {first, second}, .priority = priority};
}

/* Asks with a ticket that nobody keeps: it must be granted, or is withdrawn. */
static bool try_one(smc_limiter_t *l, uint32_t weight, uint64_t now_ms)
{
    smc_ticket_t t = ticket(weight, 0, SMC_PRIORITY_NORMAL);
    bool granted = smc_limiter_ask(l, &t, now_ms) == SMC_GRANTED;
    smc_limiter_cancel(l, &t);
    return granted;
}

static uint64_t wait_of_next(smc_limiter_t *l, uint64_t now_ms)
{
    uint64_t wait_ms = 0;
    assert_null(smc_limiter_next(l, now_ms, &wait_ms));
    return wait_ms;
}

/* ---- edges --------------------------------------------------------------- */

static void a_window_gives_its_limit_and_starts_anew_at_its_boundary(void **state)
{
    (void)state;
    smc_limiter_t l = made(&MINUTE, 1, 30000);
    for (int i = 0; i < 10; i++)
        assert_true(try_one(&l, 1, 30000));
    assert_false(try_one(&l, 1, 30000));
    assert_false(try_one(&l, 1, 59999));
    assert_true(try_one(&l, 10, 60000)); /* the boundary, not a minute after the first */
    assert_false(try_one(&l, 1, 60000));
}

static void a_window_follows_the_clock_of_the_venue(void **state)
{
    (void)state;
    smc_limiter_t l = made(&MINUTE, 1, 0);
    smc_limiter_set_offset(&l, 0, 10000); /* its clock is 10 s ahead */
    assert_true(try_one(&l, 10, 49999));
    assert_true(try_one(&l, 10, 50000));
    smc_limiter_set_offset(&l, 0, 0); /* it was not, after all: this minute has been spent */
    assert_false(try_one(&l, 1, 55000));
    assert_false(try_one(&l, 1, 60000));
    smc_ticket_t t = ticket(1, 0, SMC_PRIORITY_NORMAL);
    assert_int_equal(smc_limiter_ask(&l, &t, 60000), SMC_WAITING);
    assert_int_equal(wait_of_next(&l, 60000), 60000);
}

static void a_bucket_is_full_at_first_and_refills_evenly(void **state)
{
    (void)state;
    smc_limiter_t l = made(&BUCKET, 1, 777);
    assert_true(try_one(&l, 5, 777));
    assert_false(try_one(&l, 1, 777 + 499));
    assert_true(try_one(&l, 1, 777 + 500)); /* two a second: one in 500 ms */
    assert_false(try_one(&l, 1, 777 + 999));
    assert_true(try_one(&l, 1, 777 + 1000));
    assert_true(try_one(&l, 5, 777 + 1000000)); /* never more than its limit */
    assert_false(try_one(&l, 1, 777 + 1000000));
}

static void what_can_never_be_paid_is_refused_at_once(void **state)
{
    (void)state;
    smc_limiter_t l = made(&MINUTE, 1, 0);
    smc_ticket_t t = ticket(11, 0, SMC_PRIORITY_CRITICAL);
    assert_int_equal(smc_limiter_ask(&l, &t, 0), SMC_NEVER);
    assert_true(wait_of_next(&l, 0) == UINT64_MAX); /* and waits for nothing */
    assert_true(try_one(&l, 10, 0));
}

static void all_budgets_pay_together_or_none_does(void **state)
{
    (void)state;
    smc_budget_conf_t two[] = {MINUTE, BUCKET};
    smc_limiter_t l = made(two, 2, 0);
    smc_ticket_t t = ticket(2, 5, SMC_PRIORITY_NORMAL);
    assert_int_equal(smc_limiter_ask(&l, &t, 0), SMC_GRANTED);
    assert_int_equal(smc_limiter_ask(&l, &t, 0), SMC_WAITING); /* the bucket is empty */
    assert_int_equal(smc_limiter_used(&l, 0, 0), 2);
    assert_int_equal(wait_of_next(&l, 0), 2500);
    assert_null(smc_limiter_next(&l, 2499, NULL));
    assert_ptr_equal(smc_limiter_next(&l, 2500, NULL), &t);
    assert_int_equal(smc_limiter_used(&l, 0, 2500), 4);
}

static void priority_goes_first_and_nobody_overtakes(void **state)
{
    (void)state;
    smc_limiter_t l = made(&MINUTE, 1, 0);
    assert_true(try_one(&l, 9, 0));
    smc_ticket_t low = ticket(2, 0, SMC_PRIORITY_LOW), big = ticket(8, 0, SMC_PRIORITY_HIGH),
                 later = ticket(1, 0, SMC_PRIORITY_HIGH), top = ticket(1, 0, SMC_PRIORITY_CRITICAL);
    assert_int_equal(smc_limiter_ask(&l, &low, 0), SMC_WAITING);
    assert_int_equal(smc_limiter_ask(&l, &big, 0), SMC_WAITING);
    assert_int_equal(smc_limiter_ask(&l, &later, 0),
                     SMC_WAITING); /* it would fit, but came later */
    assert_int_equal(smc_limiter_ask(&l, &top, 0),
                     SMC_GRANTED); /* it fits, and nobody is before it */
    assert_null(smc_limiter_next(&l, 59999, NULL));
    assert_ptr_equal(smc_limiter_next(&l, 60000, NULL), &big);
    assert_ptr_equal(smc_limiter_next(&l, 60000, NULL), &later);
    assert_null(smc_limiter_next(&l, 60000, NULL));
    assert_ptr_equal(smc_limiter_next(&l, 120000, NULL), &low);
}

static void a_ticket_that_left_has_cost_nothing(void **state)
{
    (void)state;
    smc_limiter_t l = made(&MINUTE, 1, 0);
    smc_ticket_t a = ticket(10, 0, SMC_PRIORITY_NORMAL), b = a,
                 c = ticket(1, 0, SMC_PRIORITY_NORMAL);
    assert_int_equal(smc_limiter_ask(&l, &a, 0), SMC_GRANTED);
    assert_int_equal(smc_limiter_ask(&l, &b, 0), SMC_WAITING);
    assert_int_equal(smc_limiter_ask(&l, &c, 0), SMC_WAITING);
    smc_limiter_cancel(&l, &b);
    smc_limiter_cancel(&l, &b); /* a second time does nothing */
    assert_ptr_equal(smc_limiter_next(&l, 60000, NULL), &c);
    assert_int_equal(smc_limiter_used(&l, 0, 60000), 1);
    assert_true(wait_of_next(&l, 60000) == UINT64_MAX);
}

static void what_the_venue_says_is_left_only_makes_less(void **state)
{
    (void)state;
    smc_budget_conf_t two[] = {MINUTE, BUCKET};
    smc_limiter_t l = made(two, 2, 0);
    smc_limiter_left(&l, 0, 3, 0, 0);
    assert_int_equal(smc_limiter_used(&l, 0, 0), 7);
    smc_limiter_left(&l, 0, 9, 0, 0);
    assert_int_equal(smc_limiter_used(&l, 0, 0), 7);
    smc_limiter_left(&l, 0, 4000000000u, 0, 0); /* more than there is: says nothing */
    assert_int_equal(smc_limiter_used(&l, 0, 0), 7);
    smc_limiter_left(&l, 1, 1, 0, 0);
    assert_int_equal(smc_limiter_used(&l, 1, 0), 4);
    smc_limiter_left(&l, 1, 3, 0, 0);
    assert_int_equal(smc_limiter_used(&l, 1, 0), 4);
    assert_int_equal(smc_limiter_used(&l, 0, 60000), 0);
}

/* Were it taken for what is left now, a bucket would lose at each answer what has flowed into it on the way. */
static void what_was_left_when_it_was_granted_has_grown_since(void **state)
{
    (void)state;
    smc_budget_conf_t two[] = {MINUTE, BUCKET};
    smc_limiter_t l = made(two, 2, 0);
    smc_ticket_t t = ticket(0, 5, SMC_PRIORITY_NORMAL);
    assert_int_equal(smc_limiter_ask(&l, &t, 1000), SMC_GRANTED);
    smc_limiter_left(&l, 1, 0, 1000, 2000);
    assert_int_equal(smc_limiter_used(&l, 1, 2000), 3);
    smc_limiter_left(&l, 1, 0, 1500, 2000);
    assert_int_equal(smc_limiter_used(&l, 1, 2000), 4);
    smc_limiter_left(&l, 1, 0, 0, 1000000000000); /* long full again */
    assert_int_equal(smc_limiter_used(&l, 1, 1000000000000), 0);
    smc_limiter_left(&l, 0, 1, 59999, 60000); /* of the minute before */
    assert_int_equal(smc_limiter_used(&l, 0, 60000), 0);
}

static void while_it_is_held_nobody_is_granted(void **state)
{
    (void)state;
    smc_limiter_t l = made(&MINUTE, 1, 0);
    smc_limiter_hold(&l, 5000);
    smc_limiter_hold(&l, 3000); /* the longer one stays */
    smc_ticket_t t = ticket(1, 0, SMC_PRIORITY_CRITICAL);
    assert_int_equal(smc_limiter_ask(&l, &t, 100), SMC_WAITING);
    assert_int_equal(wait_of_next(&l, 100), 4900);
    assert_null(smc_limiter_next(&l, 4999, NULL));
    assert_ptr_equal(smc_limiter_next(&l, 5000, NULL), &t);
}

static void it_tells_once_of_80_and_95_percent(void **state)
{
    (void)state;
    smc_budget_conf_t two[] = {
        {.kind = SMC_BUDGET_WINDOW, .limit = 100, .period_ms = 1000},
        {.kind = SMC_BUDGET_BUCKET, .limit = 100, .refill = 10, .period_ms = 1000}};
    smc_limiter_t l = made(two, 2, 0);
    assert_true(try_one(&l, 79, 0));
    assert_int_equal(smc_limiter_take_alerts(&l, 0), 0);
    assert_true(try_one(&l, 1, 0));
    assert_int_equal(smc_limiter_take_alerts(&l, 0), SMC_USAGE_WARNING);
    assert_int_equal(smc_limiter_take_alerts(&l, 0), 0);
    smc_limiter_left(&l, 0, 5, 0, 0);
    assert_int_equal(smc_limiter_take_alerts(&l, 0), SMC_USAGE_CRITICAL);
    assert_true(try_one(&l, 95, 1000)); /* a new window, all of it anew */
    assert_int_equal(smc_limiter_take_alerts(&l, 0), SMC_USAGE_WARNING | SMC_USAGE_CRITICAL);

    smc_ticket_t t = ticket(0, 80, SMC_PRIORITY_NORMAL), one = ticket(0, 1, SMC_PRIORITY_NORMAL);
    assert_int_equal(smc_limiter_ask(&l, &t, 1000), SMC_GRANTED);
    assert_int_equal(smc_limiter_take_alerts(&l, 1), SMC_USAGE_WARNING);
    assert_int_equal(smc_limiter_ask(&l, &one, 2000), SMC_GRANTED); /* 71 of 100 */
    t.weights[1] = 9;
    assert_int_equal(smc_limiter_ask(&l, &t, 2000),
                     SMC_GRANTED); /* it has not been calm meanwhile */
    assert_int_equal(smc_limiter_take_alerts(&l, 1), 0);
    assert_int_equal(smc_limiter_ask(&l, &one, 6100), SMC_GRANTED); /* 40: calm again */
    t.weights[1] = 40;
    assert_int_equal(smc_limiter_ask(&l, &t, 6100), SMC_GRANTED);
    assert_int_equal(smc_limiter_take_alerts(&l, 1), SMC_USAGE_WARNING);
}

static void a_configuration_that_makes_no_sense_is_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *says;
        smc_budget_conf_t conf;
    } rows[] = {
        {"limit", {.kind = SMC_BUDGET_WINDOW, .limit = 0, .period_ms = 1}},
        {"limit", {.kind = SMC_BUDGET_WINDOW, .limit = SMC_LIMITER_MAX + 1, .period_ms = 1}},
        {"period_ms", {.kind = SMC_BUDGET_WINDOW, .limit = 1, .period_ms = 0}},
        {"period_ms", {.kind = SMC_BUDGET_WINDOW, .limit = 1, .period_ms = SMC_LIMITER_MAX + 1}},
        {"refill", {.kind = SMC_BUDGET_BUCKET, .limit = 1, .period_ms = 1}},
        {"refill",
         {.kind = SMC_BUDGET_BUCKET, .limit = 1, .refill = SMC_LIMITER_MAX + 1, .period_ms = 1}},
    };
    smc_limiter_t l;
    smc_error_t err;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(smc_limiter_init(&l, &rows[i].conf, 1, 0, &err), SMC_EINVAL);
        assert_non_null(strstr(err.detail, rows[i].says));
    }
    assert_int_equal(smc_limiter_init(&l, &MINUTE, 0, 0, &err), SMC_EINVAL);
    assert_int_equal(smc_limiter_init(&l, &MINUTE, SMC_LIMITER_BUDGETS + 1, 0, &err), SMC_EINVAL);
    assert_non_null(strstr(err.detail, "budgets"));
}

static void refund_of_a_window_counts_in_that_window_only(void **state)
{
    (void)state;
    smc_limiter_t l;
    smc_budget_conf_t conf = {.kind = SMC_BUDGET_WINDOW, .limit = 10, .period_ms = 1000};
    smc_ticket_t seven = {.weights = {7}, .priority = SMC_PRIORITY_NORMAL};
    assert_int_equal(smc_limiter_init(&l, &conf, 1, 0, NULL), SMC_OK);
    assert_int_equal(smc_limiter_ask(&l, &seven, 999), SMC_GRANTED);
    smc_limiter_refund(&l, 0, 3, 999, 999);
    assert_int_equal(smc_limiter_used(&l, 0, 999), 4);
    assert_int_equal(smc_limiter_ask(&l, &seven, 1000), SMC_GRANTED);
    smc_limiter_refund(&l, 0, 7, 999, 1000); /* that window is over */
    assert_int_equal(smc_limiter_used(&l, 0, 1000), 7);
    smc_limiter_refund(&l, 0, 8, 1000, 1999); /* more than was paid */
    assert_int_equal(smc_limiter_used(&l, 0, 1999), 0);
}

static void refund_of_a_bucket_fills_it_to_its_brim(void **state)
{
    (void)state;
    smc_limiter_t l;
    smc_budget_conf_t conf = {
        .kind = SMC_BUDGET_BUCKET, .limit = 10, .refill = 1, .period_ms = 1000};
    smc_ticket_t six = {.weights = {6}, .priority = SMC_PRIORITY_NORMAL};
    assert_int_equal(smc_limiter_init(&l, &conf, 1, 0, NULL), SMC_OK);
    assert_int_equal(smc_limiter_ask(&l, &six, 0), SMC_GRANTED);
    smc_limiter_refund(&l, 0, 2, 0, 0);
    assert_int_equal(smc_limiter_used(&l, 0, 0), 4);
    smc_limiter_refund(&l, 0, 5, 0, 1);
    assert_int_equal(smc_limiter_used(&l, 0, 1), 0);
}

/* ---- a window's grants, counted one by one, while the venue's clock turns out to be elsewhere -------------- */

enum { GRANTS = 4000 };

typedef struct ledger {
    smc_budget_conf_t conf;
    smc_limiter_t l;
    uint64_t now, offset, period; /* the last that has begun */
    struct {
        uint64_t at, period;
        uint32_t weight; /* 0: given back */
    } grants[GRANTS];
    size_t n, refunded;
} ledger_t;

static uint32_t live_in_period(const ledger_t *m)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < m->n; i++)
        sum += m->grants[i].period == m->period ? m->grants[i].weight : 0;
    return sum;
}

/* `late`: so long ago another worker has read the clock. */
static void ledger_step(ledger_t *m, smc_rng_t *rng, uint64_t late)
{
    uint64_t now = m->now - late, what = smc_rng_below(rng, 10);
    if (what == 0) {
        m->offset = smc_rng_below(rng, 3000);
        smc_limiter_set_offset(&m->l, 0, m->offset);
        return;
    }
    uint64_t period = (now + m->offset) / m->conf.period_ms;
    if (what < 6 && m->n < GRANTS) {
        uint32_t weight = 1 + (uint32_t)smc_rng_below(rng, m->conf.limit);
        m->period = period > m->period ? period : m->period;
        if (!try_one(&m->l, weight, now))
            return;
        m->grants[m->n].at = now;
        m->grants[m->n].period = m->period;
        m->grants[m->n++].weight = weight;
    } else if (m->n > 0) {
        size_t back = m->n < 12 ? m->n : 12, i = m->n - 1 - (size_t)smc_rng_below(rng, back);
        m->period = period > m->period ? period : m->period;
        m->refunded += m->grants[i].weight > 0 && m->grants[i].period == m->period;
        smc_limiter_refund(&m->l, 0, m->grants[i].weight, m->grants[i].at,
                           now > m->grants[i].at ? now : m->grants[i].at);
        m->grants[i].weight = 0;
    }
}

/* least_ms: between two steps.  Within a millisecond a refund may be lost, and is never one too many. */
static void walk_with_refunds(uint64_t least_ms, uint64_t late_ms)
{
    static ledger_t m;
    size_t refunded = 0;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        smc_rng_t rng;
        smc_rng_init(&rng, seed, "refund");
        memset(&m, 0, sizeof(m));
        m.conf = (smc_budget_conf_t){.kind = SMC_BUDGET_WINDOW,
                                     .limit = 1 + (uint32_t)smc_rng_below(&rng, 12),
                                     .period_ms = 1 + (uint32_t)smc_rng_below(&rng, 700)};
        m.l = made(&m.conf, 1, 0);
        for (int i = 0; i < 1000; i++) {
            m.now += least_ms + smc_rng_below(&rng, 12);
            ledger_step(&m, &rng, late_ms > 0 && m.now > 10 ? smc_rng_below(&rng, late_ms) : 0);
            assert_true(live_in_period(&m) <= m.conf.limit);
            if (least_ms > 0 && (m.now + m.offset) / m.conf.period_ms <= m.period)
                assert_int_equal(smc_limiter_used(&m.l, 0, m.now), live_in_period(&m));
        }
        refunded += m.refunded;
    }
    assert_true(refunded > 3000);
}

static void a_refund_gives_no_period_more_than_its_limit(void **state)
{
    (void)state;
    walk_with_refunds(1, 0);
    walk_with_refunds(0, 0);
    walk_with_refunds(0, 4);
}

/* ---- the model: a bucket is filled millisecond by millisecond, a queue is a list that is searched ---- */

enum { STEPS = 1200, SEEDS = 100, TICKETS = 24 };

typedef struct model {
    smc_budget_conf_t conf[SMC_LIMITER_BUDGETS];
    uint64_t level[SMC_LIMITER_BUDGETS]; /* as the limiter's */
    uint32_t n;
    uint64_t now, held;
    struct {
        smc_ticket_t t;
        bool waits;
        uint64_t came;
    } tickets[TICKETS];
    uint64_t arrivals;
} model_t;

static void model_pass(model_t *m, uint64_t to)
{
    for (; m->now < to; m->now++)
        for (uint32_t i = 0; i < m->n; i++) {
            const smc_budget_conf_t *c = &m->conf[i];
            uint64_t most = (uint64_t)c->limit * c->period_ms;
            if (c->kind == SMC_BUDGET_WINDOW)
                m->level[i] = (m->now + 1 + c->offset_ms) % c->period_ms == 0 ? 0 : m->level[i];
            else
                m->level[i] = m->level[i] + c->refill > most ? most : m->level[i] + c->refill;
        }
}

static bool model_pays(model_t *m, const smc_ticket_t *t, bool really)
{
    for (uint32_t i = 0; i < m->n; i++) {
        uint64_t price = (uint64_t)t->weights[i] * m->conf[i].period_ms;
        bool fits = m->conf[i].kind == SMC_BUDGET_WINDOW
                        ? m->level[i] + t->weights[i] <= m->conf[i].limit
                        : m->level[i] >= price;
        if (t->weights[i] > 0 && !fits)
            return false;
    }
    for (uint32_t i = 0; really && i < m->n; i++) {
        if (m->conf[i].kind == SMC_BUDGET_WINDOW)
            m->level[i] += t->weights[i];
        else
            m->level[i] -= (uint64_t)t->weights[i] * m->conf[i].period_ms;
    }
    return true;
}

/* Who is before everybody else; TICKETS: nobody waits. */
static size_t model_first(const model_t *m)
{
    size_t best = TICKETS;
    for (size_t i = 0; i < TICKETS; i++) {
        if (!m->tickets[i].waits)
            continue;
        if (best == TICKETS || m->tickets[i].t.priority < m->tickets[best].t.priority ||
            (m->tickets[i].t.priority == m->tickets[best].t.priority &&
             m->tickets[i].came < m->tickets[best].came))
            best = i;
    }
    return best;
}

static unsigned model_waiting(const model_t *m)
{
    unsigned n = 0;
    for (size_t k = 0; k < TICKETS; k++)
        n += m->tickets[k].waits;
    return n;
}

static void model_make(model_t *m, smc_rng_t *rng)
{
    memset(m, 0, sizeof(*m));
    m->n = 1 + (uint32_t)smc_rng_below(rng, 3);
    m->now = smc_rng_below(rng, 5000);
    for (uint32_t i = 0; i < m->n; i++) {
        smc_budget_conf_t *c = &m->conf[i];
        c->kind = smc_rng_below(rng, 2) ? SMC_BUDGET_BUCKET : SMC_BUDGET_WINDOW;
        c->limit = 1 + (uint32_t)smc_rng_below(rng, 30);
        c->refill = 1 + (uint32_t)smc_rng_below(rng, 20);
        c->period_ms = 1 + (uint32_t)smc_rng_below(rng, 400);
        c->offset_ms = smc_rng_below(rng, 1000);
        m->level[i] = c->kind == SMC_BUDGET_BUCKET ? (uint64_t)c->limit * c->period_ms : 0;
    }
}

static void step_ask(model_t *m, smc_limiter_t *l, smc_rng_t *rng)
{
    size_t k = (size_t)smc_rng_below(rng, TICKETS);
    if (m->tickets[k].waits)
        return;
    smc_ticket_t *t = &m->tickets[k].t;
    *t = (smc_ticket_t){.priority = (smc_priority_t)smc_rng_below(rng, SMC_PRIORITY_COUNT)};
    bool never = false;
    for (uint32_t i = 0; i < m->n; i++) {
        t->weights[i] = (uint32_t)smc_rng_below(rng, m->conf[i].limit + 2) /
                        (1 + (uint32_t)smc_rng_below(rng, 4));
        never = never || t->weights[i] > m->conf[i].limit;
    }
    size_t first = model_first(m);
    bool before_all = first == TICKETS || m->tickets[first].t.priority > t->priority;
    smc_grant_t want = SMC_WAITING;
    if (never)
        want = SMC_NEVER;
    else if (before_all && m->now >= m->held && model_pays(m, t, true))
        want = SMC_GRANTED;
    m->tickets[k].waits = want == SMC_WAITING;
    m->tickets[k].came = m->arrivals++;
    assert_int_equal(smc_limiter_ask(l, t, m->now), want);
}

static void step_next(model_t *m, smc_limiter_t *l, unsigned *granted)
{
    size_t first = model_first(m);
    bool pays = first < TICKETS && m->now >= m->held && model_pays(m, &m->tickets[first].t, true);
    uint64_t wait = 0;
    smc_ticket_t *got = smc_limiter_next(l, m->now, &wait);
    assert_ptr_equal(got, pays ? &m->tickets[first].t : NULL);
    if (pays) {
        m->tickets[first].waits = false;
        ++*granted;
    } else if (first == TICKETS) {
        assert_true(wait == UINT64_MAX);
    } else if (wait < 2000) { /* exact: not a millisecond early, not one late */
        model_t later = *m;
        model_pass(&later, m->now + wait - 1);
        assert_false(later.now >= m->held && model_pays(&later, &m->tickets[first].t, false));
        model_pass(&later, m->now + wait);
        assert_true(later.now >= m->held && model_pays(&later, &m->tickets[first].t, false));
    }
}

static void step_other(model_t *m, smc_limiter_t *l, smc_rng_t *rng)
{
    size_t k = (size_t)smc_rng_below(rng, TICKETS);
    uint32_t i = (uint32_t)smc_rng_below(rng, m->n),
             left = (uint32_t)smc_rng_below(rng, m->conf[i].limit + 3);
    uint64_t held;
    switch (smc_rng_below(rng, 12)) {
    case 0:
        held = m->now + smc_rng_below(rng, 100);
        m->held = held > m->held ? held : m->held;
        smc_limiter_hold(l, held);
        break;
    case 1:
        smc_limiter_left(l, i, left, m->now, m->now);
        if (left < m->conf[i].limit && m->conf[i].kind == SMC_BUDGET_WINDOW &&
            m->conf[i].limit - left > m->level[i])
            m->level[i] = m->conf[i].limit - left;
        if (m->conf[i].kind == SMC_BUDGET_BUCKET &&
            (uint64_t)left * m->conf[i].period_ms < m->level[i])
            m->level[i] = (uint64_t)left * m->conf[i].period_ms;
        break;
    default: /* often: a queue must be able to empty */
        smc_limiter_cancel(l, &m->tickets[k].t);
        m->tickets[k].waits = false;
    }
}

static void it_does_what_the_model_does(void **state)
{
    (void)state;
    static model_t m;
    unsigned granted = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        smc_rng_t rng;
        smc_rng_init(&rng, seed, "limiter");
        model_make(&m, &rng);
        smc_limiter_t l = made(m.conf, m.n, m.now);
        for (int i = 0; i < STEPS; i++) {
            model_pass(&m, m.now + smc_rng_below(&rng, 12));
            uint64_t what = smc_rng_below(&rng, 10);
            if (what < 5)
                step_ask(&m, &l, &rng);
            else if (what < 9)
                step_next(&m, &l, &granted);
            else
                step_other(&m, &l, &rng);
            assert_int_equal(smc_limiter_waiting(&l), model_waiting(&m));
        }
    }
    assert_true(granted > 5000); /* else the walks were too quiet to prove anything */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_window_gives_its_limit_and_starts_anew_at_its_boundary),
        cmocka_unit_test(a_window_follows_the_clock_of_the_venue),
        cmocka_unit_test(a_bucket_is_full_at_first_and_refills_evenly),
        cmocka_unit_test(what_can_never_be_paid_is_refused_at_once),
        cmocka_unit_test(all_budgets_pay_together_or_none_does),
        cmocka_unit_test(priority_goes_first_and_nobody_overtakes),
        cmocka_unit_test(a_ticket_that_left_has_cost_nothing),
        cmocka_unit_test(what_the_venue_says_is_left_only_makes_less),
        cmocka_unit_test(what_was_left_when_it_was_granted_has_grown_since),
        cmocka_unit_test(while_it_is_held_nobody_is_granted),
        cmocka_unit_test(it_tells_once_of_80_and_95_percent),
        cmocka_unit_test(a_configuration_that_makes_no_sense_is_refused_by_name),
        cmocka_unit_test(refund_of_a_window_counts_in_that_window_only),
        cmocka_unit_test(refund_of_a_bucket_fills_it_to_its_brim),
        cmocka_unit_test(a_refund_gives_no_period_more_than_its_limit),
        cmocka_unit_test(it_does_what_the_model_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
