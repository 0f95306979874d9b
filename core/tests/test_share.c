/* Budgets that workers share: against one limiter, against each other at the same instant, and killed at any instant. */
#include "smc/rng.h"
#include "smc/share.h"

#include "lockstep.h"
#include "policy/share_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

enum { WORKERS = 4, SEEDS = 100, STEPS = 1200 };

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

static size_t pages(size_t bytes)
{
    return (bytes + 4095) / 4096 * 4096;
}

/* Memory that children share, too; behind it is nothing. */
static smc_share_t *laid_out(const smc_limiter_t *l)
{
    size_t used = pages(smc_share_bytes());
    unsigned char *memory =
        mmap(NULL, 2 * used, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true((void *)memory != MAP_FAILED);
    assert_int_equal(mprotect(memory + used, used, PROT_NONE), 0);
    smc_share_lay_out(memory, l, "test");
    return (smc_share_t *)(void *)memory;
}

static void forget(smc_share_t *s)
{
    assert_int_equal(munmap(s, 2 * pages(smc_share_bytes())), 0);
}

static bool try_one(smc_limiter_t *l, uint32_t first, uint32_t second, uint64_t now_ms)
{
    smc_ticket_t t = {.weights = {first, second}, .priority = SMC_PRIORITY_NORMAL};
    bool granted = smc_limiter_ask(l, &t, now_ms) == SMC_GRANTED;
    smc_limiter_cancel(l, &t);
    return granted;
}

/* ---- edges ------------------------------------------------------------------- */

static void what_one_spends_or_is_told_holds_for_all(void **state)
{
    (void)state;
    smc_budget_conf_t two[] = {MINUTE, BUCKET};
    smc_limiter_t a = made(two, 2, 0), b = a;
    smc_share_t *share = laid_out(&a);
    assert_int_equal(smc_limiter_share(&a, share, 0, NULL), SMC_OK);
    assert_int_equal(smc_limiter_share(&b, share, SMC_SHARE_SEATS - 1, NULL), SMC_OK);

    assert_true(try_one(&a, 6, 0, 100));
    assert_false(try_one(&b, 5, 1, 100)); /* all budgets or none */
    assert_int_equal(smc_limiter_used(&b, 1, 100), 0);
    assert_true(try_one(&b, 4, 5, 200));
    assert_int_equal(smc_limiter_take_alerts(&b, 0), SMC_USAGE_WARNING | SMC_USAGE_CRITICAL);
    assert_false(try_one(&a, 0, 1, 150)); /* its clock was read before: nothing goes back */
    smc_ticket_t t = {.weights = {0, 1}, .priority = SMC_PRIORITY_LOW};
    uint64_t wait = 0;
    assert_int_equal(smc_limiter_ask(&a, &t, 150), SMC_WAITING);
    assert_null(smc_limiter_next(&a, 150, &wait));
    assert_int_equal(wait, 550); /* until 700: half a second after what emptied it */
    assert_ptr_equal(smc_limiter_next(&a, 700, NULL), &t);

    smc_limiter_hold(&a, 61000);
    assert_false(try_one(&b, 1, 0, 60999));
    assert_true(try_one(&b, 1, 0, 61000));
    smc_limiter_left(&a, 0, 2, 61000, 61000);
    assert_int_equal(smc_limiter_used(&b, 0, 61000), 8);
    assert_int_equal(smc_limiter_take_alerts(&b, 0), SMC_USAGE_WARNING);
    smc_limiter_left(&a, 0, 0, 61000, 61000);
    assert_false(try_one(&b, 3, 0, 61000)); /* who is refused has looked as well */
    assert_int_equal(smc_limiter_take_alerts(&b, 0), SMC_USAGE_CRITICAL);
    smc_limiter_set_offset(&a, 0, 50000);
    assert_true(try_one(&b, 10, 0, 70000));
    forget(share);
}

static void other_budgets_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        const char *says, *names;
        smc_budget_conf_t conf;
    } rows[] = {
        {"the budgets test", "other", {.kind = SMC_BUDGET_WINDOW, .limit = 10, .period_ms = 60000}},
        {"a window of 10 in 60000 ms, not as a window of 11 in 60000 ms",
         "test",
         {.kind = SMC_BUDGET_WINDOW, .limit = 11, .period_ms = 60000}},
        {"not as a window of 10 in 1 ms",
         "test",
         {.kind = SMC_BUDGET_WINDOW, .limit = 10, .period_ms = 1}},
        {"not as a bucket",
         "test",
         {.kind = SMC_BUDGET_BUCKET, .limit = 10, .refill = 1, .period_ms = 60000}},
    };
    smc_limiter_t l = made(&MINUTE, 1, 0);
    smc_share_t *share = laid_out(&l);
    smc_error_t err;
    assert_int_equal(smc_share_check(share, &l, "test", &err), SMC_OK);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        smc_limiter_t other = made(&rows[i].conf, 1, 0);
        assert_int_equal(smc_share_check(share, &other, rows[i].names, &err), SMC_EEXIST);
        assert_non_null(strstr(err.detail, rows[i].says));
    }
    smc_budget_conf_t two[] = {MINUTE, BUCKET};
    smc_limiter_t other = made(two, 2, 0);
    assert_int_equal(smc_limiter_share(&other, share, 0, &err), SMC_EEXIST);
    memset(share, 0, 8);
    assert_int_equal(smc_share_check(share, &l, "test", &err), SMC_EEXIST);
    assert_non_null(strstr(err.detail, "version"));
    forget(share);
}

static void scribbled_memory_leads_nowhere(void **state)
{
    (void)state;
    smc_limiter_t l = made(&MINUTE, 1, 0);
    smc_share_t *share = laid_out(&l);
    assert_int_equal(smc_limiter_share(&l, share, 100, NULL), SMC_OK);
    smc_rng_t rng;
    smc_rng_init(&rng, 1, "scribble");
    for (int i = 0; i < 20000; i++) { /* what comes out means nothing, but it comes out */
        size_t at = (size_t)smc_rng_below(&rng, 640);
        ((unsigned char *)share)[at] = (unsigned char)smc_rng_below(&rng, 256);
        (void)try_one(&l, 1, 0, 1000);
        smc_limiter_left(&l, 0, 3, 1000, 1000);
    }
    assert_true(smc_limiter_used(&l, 0, 1000) <= UINT32_MAX);
    forget(share);
}

/* ---- the law: together they do what one would ---------------------------------- */

typedef struct pair {
    smc_limiter_t one, many[WORKERS];
    smc_budget_conf_t conf[3];
    uint32_t n;
    uint64_t now;
} pair_t;

static void random_step(pair_t *p, smc_rng_t *rng, unsigned *granted)
{
    smc_limiter_t *l = &p->many[smc_rng_below(rng, WORKERS)];
    uint32_t i = (uint32_t)smc_rng_below(rng, p->n);
    uint32_t left = (uint32_t)smc_rng_below(rng, p->conf[i].limit + 3);
    uint64_t until = p->now + smc_rng_below(rng, 100);
    smc_ticket_t a = {.priority = SMC_PRIORITY_NORMAL}, b;
    switch (smc_rng_below(rng, 20)) {
    case 0:
        smc_limiter_hold(&p->one, until);
        smc_limiter_hold(l, until);
        return;
    case 1:
        until = 2 * p->now > until ? 2 * p->now - until : 0; /* so long ago */
        smc_limiter_left(&p->one, i, left, until, p->now);
        smc_limiter_left(l, i, left, until, p->now);
        return;
    case 2:
        if (p->conf[i].kind == SMC_BUDGET_WINDOW) {
            smc_limiter_set_offset(&p->one, i, until % 1000);
            smc_limiter_set_offset(l, i, until % 1000);
        }
        return;
    case 3:
        until = 2 * p->now > until ? 2 * p->now - until : 0; /* so long ago */
        smc_limiter_refund(&p->one, i, left, until, p->now);
        smc_limiter_refund(l, i, left, until, p->now);
        return;
    case 4:
        assert_int_equal(smc_limiter_used(&p->one, i, p->now), smc_limiter_used(l, i, p->now));
        return;
    default:
        for (uint32_t k = 0; k < p->n; k++)
            a.weights[k] = (uint32_t)smc_rng_below(rng, p->conf[k].limit + 2) /
                           (1 + (uint32_t)smc_rng_below(rng, 4));
        b = a;
        smc_grant_t want = smc_limiter_ask(&p->one, &a, p->now);
        assert_int_equal(smc_limiter_ask(l, &b, p->now), want);
        if (want == SMC_WAITING) { /* and they wait equally long */
            uint64_t wait_one = 0, wait_many = 0;
            assert_null(smc_limiter_next(&p->one, p->now, &wait_one));
            assert_null(smc_limiter_next(l, p->now, &wait_many));
            assert_int_equal(wait_one, wait_many);
        }
        *granted += want == SMC_GRANTED;
        smc_limiter_cancel(&p->one, &a);
        smc_limiter_cancel(l, &b);
    }
}

static void workers_grant_what_one_limiter_would(void **state)
{
    (void)state;
    static pair_t p;
    unsigned granted = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        smc_rng_t rng;
        smc_rng_init(&rng, seed, "share");
        p.n = 1 + (uint32_t)smc_rng_below(&rng, 3);
        p.now = smc_rng_below(&rng, 5000);
        for (uint32_t i = 0; i < p.n; i++)
            p.conf[i] = (smc_budget_conf_t){.kind = smc_rng_below(&rng, 2) ? SMC_BUDGET_BUCKET
                                                                           : SMC_BUDGET_WINDOW,
                                            .limit = 1 + (uint32_t)smc_rng_below(&rng, 30),
                                            .refill = 1 + (uint32_t)smc_rng_below(&rng, 20),
                                            .period_ms = 1 + (uint32_t)smc_rng_below(&rng, 400),
                                            .offset_ms = smc_rng_below(&rng, 1000)};
        p.one = made(p.conf, p.n, p.now);
        smc_share_t *share = laid_out(&p.one);
        for (uint32_t w = 0; w < WORKERS; w++) {
            p.many[w] = made(p.conf, p.n, p.now + w);
            assert_int_equal(smc_limiter_share(&p.many[w], share, w, NULL), SMC_OK);
        }
        for (int i = 0; i < STEPS; i++) {
            p.now += smc_rng_below(&rng, 12);
            random_step(&p, &rng, &granted);
        }
        forget(share);
    }
    assert_true(granted > 5000);
}

/* ---- at the same instant --------------------------------------------------------- */

typedef struct racer {
    smc_share_t *share;
    smc_budget_conf_t conf;
} racer_t;

static void race(void *ud, uint32_t number, int in, int out)
{
    const racer_t *r = ud;
    smc_limiter_t l;
    uint64_t now;
    if (smc_limiter_init(&l, &r->conf, 1, 0, NULL) != SMC_OK ||
        smc_limiter_share(&l, r->share, number, NULL) != SMC_OK)
        _exit(4);
    while (next_time(in, &now)) {
        uint32_t granted = 0;
        while (try_one(&l, 1, 0, now))
            granted++;
        write_all(out, &granted, sizeof(granted));
    }
}

static void at_one_instant_they_grant_exactly_what_there_is(void **state)
{
    (void)state;
    enum { LIMIT = 20000, ROUNDS = 8 };
    racer_t r = {.conf = {.kind = SMC_BUDGET_WINDOW, .limit = LIMIT, .period_ms = 1000}};
    smc_limiter_t l = made(&r.conf, 1, 0);
    r.share = laid_out(&l);
    worker_t workers[WORKERS];
    for (uint32_t i = 0; i < WORKERS; i++)
        workers[i] = start_worker(race, &r, i);
    for (uint64_t i = 1; i <= ROUNDS; i++) {
        uint32_t all = 0, one = 0;
        for (uint32_t w = 0; w < WORKERS; w++)
            tell_time(&workers[w], i * 1000);
        for (uint32_t w = 0; w < WORKERS; w++, all += one)
            read_all(workers[w].from, &one, sizeof(one));
        assert_int_equal(all, LIMIT);
    }
    for (uint32_t i = 0; i < WORKERS; i++)
        stop_worker(&workers[i], 0);
    forget(r.share);
}

enum { READS = 300000 };

static void pay_all_alike(void *ud, uint32_t number, int in, int out)
{
    const racer_t *r = ud;
    smc_limiter_t l;
    smc_budget_conf_t conf[SMC_LIMITER_BUDGETS];
    smc_ticket_t t = {.priority = SMC_PRIORITY_NORMAL};
    for (int i = 0; i < SMC_LIMITER_BUDGETS; i++) {
        conf[i] = r->conf;
        t.weights[i] = 1;
    }
    if (smc_limiter_init(&l, conf, SMC_LIMITER_BUDGETS, 0, NULL) != SMC_OK ||
        smc_limiter_share(&l, r->share, number, NULL) != SMC_OK)
        _exit(4);
    (void)in, (void)out;
    bool granted;
    do
        granted = smc_limiter_ask(&l, &t, 500) == SMC_GRANTED;
    while (granted);
}

static void nobody_sees_half_of_a_grant(void **state)
{
    (void)state;
    racer_t r = {.conf = {.kind = SMC_BUDGET_WINDOW, .limit = SMC_LIMITER_MAX, .period_ms = 1000}};
    smc_budget_conf_t conf[SMC_LIMITER_BUDGETS];
    for (int i = 0; i < SMC_LIMITER_BUDGETS; i++)
        conf[i] = r.conf;
    smc_limiter_t l = made(conf, SMC_LIMITER_BUDGETS, 0);
    r.share = laid_out(&l);
    worker_t workers[WORKERS];
    for (uint32_t i = 0; i < WORKERS; i++)
        workers[i] = start_worker(pay_all_alike, &r, i);
    smc_budgets_state_t seen;
    unsigned halves = 0;
    for (int n = 0; n < READS; n++) {
        (void)smc_share_read(r.share, &seen);
        for (int i = 1; i < SMC_LIMITER_BUDGETS; i++)
            halves += seen.of[i].level != seen.of[0].level;
    }
    for (uint32_t i = 0; i < WORKERS; i++)
        stop_worker(&workers[i], SIGKILL);
    (void)smc_share_read(r.share, &seen);
    assert_int_equal(halves, 0);
    assert_true(seen.of[0].level > 0);
    forget(r.share);
}

/* ---- killed ------------------------------------------------------------------------ */

enum { WEIGHT = 7, KILLS = 60 };

/* Spends without end, and says after each grant that it had it. */
static void spend_on(smc_share_t *share, const smc_budget_conf_t *conf, uint32_t seat,
                     volatile uint64_t *had)
{
    smc_limiter_t l;
    smc_ticket_t t = {.weights = {WEIGHT}, .priority = SMC_PRIORITY_NORMAL};
    if (smc_limiter_init(&l, conf, 1, 0, NULL) != SMC_OK ||
        smc_limiter_share(&l, share, seat, NULL) != SMC_OK)
        _exit(4);
    while (smc_limiter_ask(&l, &t, 500) == SMC_GRANTED)
        ++*had;
    _exit(5); /* the budget must outlast it */
}

static void killed_at_any_instant_a_worker_costs_one_grant_at_most(void **state)
{
    (void)state;
    smc_budget_conf_t conf = {
        .kind = SMC_BUDGET_WINDOW, .limit = SMC_LIMITER_MAX, .period_ms = 1000};
    smc_limiter_t l = made(&conf, 1, 0);
    smc_share_t *share = laid_out(&l);
    assert_int_equal(smc_limiter_share(&l, share, SMC_SHARE_SEATS - 1, NULL), SMC_OK);
    volatile uint64_t *had =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true((void *)had != MAP_FAILED);
    uint32_t before = 0;
    for (int i = 0; i < KILLS; i++) {
        *had = 0;
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
            spend_on(share, &conf, (uint32_t)i % 2, had); /* on the seat that a dead one had */
        while (*had < 3)                                  /* it is at it */
            (void)try_one(&l, 0, 0, 500);
        int status = 0;
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        uint32_t now = smc_limiter_used(&l, 0, 500);
        uint64_t lost = now - before - *had * WEIGHT;
        assert_true(lost == 0 || lost == WEIGHT);
        before = now;
    }
    assert_true(try_one(&l, WEIGHT, 0, 500)); /* the others go on within the window, too */
    assert_int_equal(smc_limiter_used(&l, 0, 1000), 0); /* and the next one owes nothing */
    assert_int_equal(munmap((void *)(uintptr_t)had, 4096), 0);
    forget(share);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_one_spends_or_is_told_holds_for_all),
        cmocka_unit_test(other_budgets_are_told_apart),
        cmocka_unit_test(scribbled_memory_leads_nowhere),
        cmocka_unit_test(workers_grant_what_one_limiter_would),
        cmocka_unit_test(at_one_instant_they_grant_exactly_what_there_is),
        cmocka_unit_test(nobody_sees_half_of_a_grant),
        cmocka_unit_test(killed_at_any_instant_a_worker_costs_one_grant_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
