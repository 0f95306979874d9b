/* The circuit breaker: its law against a naive model that remembers everything, and the edges one by one. */
#include "smc/breaker.h"
#include "smc/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static smc_breaker_conf_t usual(void)
{
    return (smc_breaker_conf_t){.window = SMC_BREAKER_COUNT,
                                .size = 10,
                                .min_calls = 4,
                                .failure_pct = 50,
                                .open_ms = 1000,
                                .open_max_ms = 5000,
                                .growth_pct = 200,
                                .probes = 2};
}

static smc_breaker_t made(smc_breaker_conf_t conf)
{
    smc_breaker_t b;
    assert_int_equal(smc_breaker_init(&b, &conf, NULL), SMC_OK);
    return b;
}

/* One call that must be granted, and takes `ms`. */
static void call(smc_breaker_t *b, uint64_t now_ms, uint64_t ms, smc_call_t result)
{
    smc_permit_t permit;
    assert_true(smc_breaker_ask(b, now_ms, &permit, NULL));
    smc_breaker_report(b, &permit, now_ms + ms, result);
}

static void calls(smc_breaker_t *b, int n, uint64_t now_ms, smc_call_t result)
{
    for (int i = 0; i < n; i++)
        call(b, now_ms, 0, result);
}

static uint64_t refused(smc_breaker_t *b, uint64_t now_ms)
{
    smc_permit_t permit;
    uint64_t wait_ms = 12345;
    assert_false(smc_breaker_ask(b, now_ms, &permit, &wait_ms));
    return wait_ms;
}

/* ---- edges --------------------------------------------------------------- */

static void it_opens_when_the_rate_is_reached_not_before(void **state)
{
    (void)state;
    smc_breaker_t b = made(usual());
    calls(&b, 5, 0, SMC_CALL_OK);
    calls(&b, 4, 0, SMC_CALL_FAILED); /* 4 of 9 */
    assert_int_equal(smc_breaker_state(&b), SMC_BREAKER_CLOSED);
    calls(&b, 1, 7, SMC_CALL_FAILED); /* 5 of 10 */
    assert_int_equal(smc_breaker_state(&b), SMC_BREAKER_OPEN);
    assert_int_equal(b.changes, 1);
    assert_int_equal(b.last.from, SMC_BREAKER_CLOSED);
    assert_int_equal(b.last.at_ms, 7);
    assert_int_equal(b.last.calls, 10);
    assert_int_equal(b.last.failures, 5);
}

static void it_needs_the_minimum_of_calls(void **state)
{
    (void)state;
    smc_breaker_t b = made(usual());
    calls(&b, 3, 0, SMC_CALL_FAILED);
    assert_int_equal(smc_breaker_state(&b), SMC_BREAKER_CLOSED);
    calls(&b, 1, 0, SMC_CALL_OK); /* 3 of 4, judged at a good result too */
    assert_int_equal(smc_breaker_state(&b), SMC_BREAKER_OPEN);
}

static void what_left_the_window_is_forgotten(void **state)
{
    (void)state;
    smc_breaker_conf_t conf = usual();
    conf.min_calls = 10;
    smc_breaker_t b = made(conf);
    calls(&b, 4, 0, SMC_CALL_FAILED);
    calls(&b, 10, 0, SMC_CALL_OK);
    calls(&b, 4, 0, SMC_CALL_FAILED); /* 4 of the last 10, of 18 in all */
    assert_int_equal(smc_breaker_state(&b), SMC_BREAKER_CLOSED);
}

static void a_window_of_time_forgets_by_sixteenths(void **state)
{
    (void)state;
    smc_breaker_conf_t conf = usual();
    conf.window = SMC_BREAKER_TIME;
    conf.size = 1600;
    conf.failure_pct = 100;
    smc_breaker_t b = made(conf);
    calls(&b, 3, 99, SMC_CALL_FAILED);
    smc_breaker_t before = b;
    calls(&before, 1, 1599, SMC_CALL_FAILED); /* the last instant at which the first three count */
    assert_int_equal(smc_breaker_state(&before), SMC_BREAKER_OPEN);
    calls(&b, 1, 1600, SMC_CALL_FAILED);
    assert_int_equal(smc_breaker_state(&b), SMC_BREAKER_CLOSED);
}

/* Also where its sixteenth is no whole number of milliseconds. */
static void a_window_of_time_is_as_long_as_its_size(void **state)
{
    (void)state;
    for (uint32_t size = SMC_BREAKER_SLOTS; size < 200; size++) {
        smc_breaker_conf_t conf = usual();
        conf.window = SMC_BREAKER_TIME;
        conf.size = size;
        conf.failure_pct = 100;
        for (uint64_t start = 1000; start < 1040; start++) {
            smc_breaker_t b = made(conf), late;
            calls(&b, 3, start, SMC_CALL_FAILED);
            late = b;
            calls(&b, 1, start + (size - 1) * 15 / 16, SMC_CALL_FAILED);
            assert_int_equal(smc_breaker_state(&b), SMC_BREAKER_OPEN);
            calls(&late, 1, start + size, SMC_CALL_FAILED);
            assert_int_equal(smc_breaker_state(&late), SMC_BREAKER_CLOSED);
        }
    }
}

static void a_slow_call_counts_from_its_limit_on(void **state)
{
    (void)state;
    smc_breaker_conf_t conf = usual();
    conf.failure_pct = 0;
    conf.slow_pct = 100;
    conf.slow_ms = 200;
    smc_breaker_t b = made(conf);
    for (int i = 0; i < 10; i++)
        call(&b, 0, 199, SMC_CALL_OK);
    assert_int_equal(smc_breaker_state(&b), SMC_BREAKER_CLOSED);
    for (int i = 0; i < 10; i++)
        call(&b, 0, 200, SMC_CALL_OK);
    assert_int_equal(smc_breaker_state(&b), SMC_BREAKER_OPEN);
    assert_int_equal(b.last.slow, 10);
}

static void an_ignored_call_counts_as_none(void **state)
{
    (void)state;
    smc_breaker_t b = made(usual());
    calls(&b, 100, 0, SMC_CALL_IGNORED);
    calls(&b, 3, 0, SMC_CALL_FAILED);
    assert_int_equal(smc_breaker_state(&b), SMC_BREAKER_CLOSED);
}

static void it_refuses_until_the_last_millisecond_of_its_interval(void **state)
{
    (void)state;
    smc_breaker_t b = made(usual());
    calls(&b, 4, 500, SMC_CALL_FAILED);
    assert_int_equal(refused(&b, 500), 1000);
    assert_int_equal(refused(&b, 1499), 1);
    smc_permit_t permit;
    assert_true(smc_breaker_ask(&b, 1500, &permit, NULL));
    assert_int_equal(smc_breaker_state(&b), SMC_BREAKER_HALF_OPEN);
}

static void half_open_lets_so_many_probes_out_and_no_more(void **state)
{
    (void)state;
    smc_breaker_t b = made(usual());
    calls(&b, 4, 0, SMC_CALL_FAILED);
    smc_permit_t one, two;
    assert_true(smc_breaker_ask(&b, 1000, &one, NULL));
    assert_true(smc_breaker_ask(&b, 1000, &two, NULL));
    assert_int_equal(refused(&b, 1000), 0);
    smc_breaker_report(&b, &one, 1001, SMC_CALL_IGNORED); /* cancelled: another may try */
    assert_true(smc_breaker_ask(&b, 1001, &one, NULL));
    smc_breaker_report(&b, &one, 1002, SMC_CALL_OK);
    assert_int_equal(refused(&b, 1002), 0); /* one good and one out make two */
    smc_breaker_report(&b, &two, 1003, SMC_CALL_OK);
    assert_int_equal(smc_breaker_state(&b), SMC_BREAKER_CLOSED);
}

static void a_bad_probe_opens_it_for_longer_up_to_the_most(void **state)
{
    (void)state;
    static const uint64_t waits[] = {1000, 2000, 4000, 5000, 5000};
    smc_breaker_t b = made(usual());
    uint64_t now_ms = 0;
    calls(&b, 4, now_ms, SMC_CALL_FAILED);
    for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
        assert_int_equal(refused(&b, now_ms), waits[i]);
        now_ms += waits[i];
        call(&b, now_ms, 0, SMC_CALL_FAILED);
        assert_int_equal(smc_breaker_state(&b), SMC_BREAKER_OPEN);
    }
    now_ms += 5000;
    calls(&b, 2, now_ms, SMC_CALL_OK);
    assert_int_equal(smc_breaker_state(&b), SMC_BREAKER_CLOSED);
    calls(&b, 4, now_ms, SMC_CALL_FAILED);
    assert_int_equal(refused(&b, now_ms), 1000); /* the interval starts anew */
}

static void a_slow_probe_is_a_bad_one(void **state)
{
    (void)state;
    smc_breaker_conf_t conf = usual();
    conf.slow_pct = 100;
    conf.slow_ms = 50;
    smc_breaker_t b = made(conf);
    calls(&b, 4, 0, SMC_CALL_FAILED);
    call(&b, 1000, 50, SMC_CALL_OK);
    assert_int_equal(smc_breaker_state(&b), SMC_BREAKER_OPEN);
}

static void a_result_from_before_a_transition_changes_nothing(void **state)
{
    (void)state;
    smc_breaker_t b = made(usual());
    smc_permit_t old;
    assert_true(smc_breaker_ask(&b, 0, &old, NULL));
    calls(&b, 4, 0, SMC_CALL_FAILED);
    smc_permit_t probe;
    assert_true(smc_breaker_ask(&b, 1000, &probe, NULL));
    smc_breaker_report(&b, &old, 1001, SMC_CALL_FAILED);
    assert_int_equal(smc_breaker_state(&b), SMC_BREAKER_HALF_OPEN);
    smc_breaker_report(&b, &probe, 1002, SMC_CALL_OK);
    calls(&b, 1, 1003, SMC_CALL_OK);
    assert_int_equal(smc_breaker_state(&b), SMC_BREAKER_CLOSED);
}

static void a_force_holds_until_it_is_released(void **state)
{
    (void)state;
    smc_breaker_t b = made(usual());
    smc_breaker_set_force(&b, SMC_BREAKER_FORCED_OPEN, 10);
    assert_int_equal(smc_breaker_state(&b), SMC_BREAKER_OPEN);
    assert_true(refused(&b, 1u << 30) == UINT64_MAX);
    smc_breaker_set_force(&b, SMC_BREAKER_FORCED_CLOSED, 20);
    calls(&b, 100, 20, SMC_CALL_FAILED);
    assert_int_equal(smc_breaker_state(&b), SMC_BREAKER_CLOSED);
    smc_breaker_set_force(&b, SMC_BREAKER_FREE, 30);
    calls(&b, 3, 30, SMC_CALL_FAILED); /* what was forced through is not held against it */
    assert_int_equal(smc_breaker_state(&b), SMC_BREAKER_CLOSED);
    calls(&b, 1, 30, SMC_CALL_FAILED);
    assert_int_equal(smc_breaker_state(&b), SMC_BREAKER_OPEN);
    uint32_t changes = b.changes;
    smc_breaker_set_force(&b, SMC_BREAKER_FREE, 40); /* it is free already */
    assert_int_equal(b.changes, changes);
}

static void an_urgent_call_is_a_probe_that_does_not_wait(void **state)
{
    (void)state;
    smc_breaker_t b = made(usual());
    smc_permit_t exit, second;
    calls(&b, 4, 0, SMC_CALL_FAILED);
    assert_true(smc_breaker_ask_urgently(&b, 1, &exit)); /* of 1000 ms */
    assert_int_equal(smc_breaker_state(&b), SMC_BREAKER_HALF_OPEN);
    smc_breaker_report(&b, &exit, 2, SMC_CALL_FAILED);
    assert_int_equal(smc_breaker_state(&b), SMC_BREAKER_OPEN);
    assert_int_equal(refused(&b, 2), 2000); /* longer, as after any bad probe */

    assert_true(smc_breaker_ask_urgently(&b, 3, &exit));
    assert_true(smc_breaker_ask_urgently(&b, 3, &second));
    assert_int_equal(refused(&b, 3), 0); /* both probes are out */
    smc_permit_t third;
    assert_true(smc_breaker_ask_urgently(&b, 3, &third));
    assert_int_equal(refused(&b, 3), 0);
    smc_breaker_report(&b, &third, 4, SMC_CALL_OK);
    assert_int_equal(refused(&b, 4), 0); /* one good and two out */
    smc_breaker_report(&b, &second, 4, SMC_CALL_OK);
    assert_int_equal(smc_breaker_state(&b), SMC_BREAKER_CLOSED);
    smc_breaker_report(&b, &exit, 5, SMC_CALL_FAILED); /* of before it closed */
    assert_int_equal(smc_breaker_state(&b), SMC_BREAKER_CLOSED);
}

static void a_closed_breaker_counts_urgent_calls_as_any(void **state)
{
    (void)state;
    smc_breaker_t b = made(usual());
    for (int i = 0; i < 4; i++) {
        smc_permit_t permit;
        assert_true(smc_breaker_ask_urgently(&b, 0, &permit));
        smc_breaker_report(&b, &permit, 0, SMC_CALL_FAILED);
    }
    assert_int_equal(smc_breaker_state(&b), SMC_BREAKER_OPEN);
}

static void an_urgent_call_obeys_a_force(void **state)
{
    (void)state;
    smc_breaker_t b = made(usual());
    smc_permit_t permit;
    smc_breaker_set_force(&b, SMC_BREAKER_FORCED_OPEN, 0);
    assert_false(smc_breaker_ask_urgently(&b, 1, &permit));
    assert_int_equal(smc_breaker_state(&b), SMC_BREAKER_OPEN);
    assert_int_equal(b.out, 0);
}

static void a_configuration_that_makes_no_sense_is_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *says;
        size_t offset;
        uint32_t value;
    } rows[] = {
        {"size", offsetof(smc_breaker_conf_t, size), 0},
        {"size", offsetof(smc_breaker_conf_t, size), SMC_BREAKER_MAX_CALLS + 1},
        {"min_calls", offsetof(smc_breaker_conf_t, min_calls), 0},
        {"min_calls", offsetof(smc_breaker_conf_t, min_calls), 11},
        {"failure_pct", offsetof(smc_breaker_conf_t, failure_pct), 101},
        {"slow_ms", offsetof(smc_breaker_conf_t, slow_pct), 1},
        {"slow_pct", offsetof(smc_breaker_conf_t, slow_pct), 101},
        {"open_ms", offsetof(smc_breaker_conf_t, open_ms), 0},
        {"open_max_ms", offsetof(smc_breaker_conf_t, open_max_ms), 999},
        {"growth_pct", offsetof(smc_breaker_conf_t, growth_pct), 99},
        {"growth_pct", offsetof(smc_breaker_conf_t, growth_pct), 1001},
        {"probes", offsetof(smc_breaker_conf_t, probes), 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        smc_breaker_conf_t conf = usual();
        uint64_t wide = rows[i].value;
        bool is_wide = rows[i].offset == offsetof(smc_breaker_conf_t, open_ms) ||
                       rows[i].offset == offsetof(smc_breaker_conf_t, open_max_ms);
        memcpy((char *)&conf + rows[i].offset, is_wide ? (void *)&wide : (void *)&rows[i].value,
               is_wide ? sizeof(wide) : sizeof(rows[i].value));
        smc_breaker_t b;
        smc_error_t err;
        assert_int_equal(smc_breaker_init(&b, &conf, &err), SMC_EINVAL);
        assert_non_null(strstr(err.detail, rows[i].says));
    }
    smc_breaker_conf_t conf = usual();
    conf.window = SMC_BREAKER_TIME;
    conf.size = SMC_BREAKER_SLOTS - 1;
    assert_int_equal(smc_breaker_init(&(smc_breaker_t){0}, &conf, NULL), SMC_EINVAL);
}

/* ---- the model: every counted result is kept, and counted anew each time ---- */

enum { STEPS = 120000, KEPT = STEPS, OUT = 8 };

typedef struct model {
    smc_breaker_conf_t c;
    smc_breaker_state_t state;
    uint64_t open_until, interval;
    unsigned era, out, good;
    size_t n, first; /* results since the last transition: [first, n) */
    struct {
        uint64_t at;
        bool failed, slow;
    } results[KEPT];
} model_t;

static void model_go(model_t *m, smc_breaker_state_t to, uint64_t now)
{
    m->state = to;
    m->era++;
    m->out = m->good = 0;
    m->first = m->n;
    if (to == SMC_BREAKER_OPEN)
        m->open_until = now + m->interval;
    if (to == SMC_BREAKER_CLOSED)
        m->interval = m->c.open_ms;
}

static bool model_ask(model_t *m, uint64_t now, bool urgent)
{
    if (m->state == SMC_BREAKER_OPEN && urgent)
        model_go(m, SMC_BREAKER_HALF_OPEN, now);
    if (m->state == SMC_BREAKER_OPEN && now >= m->open_until)
        model_go(m, SMC_BREAKER_HALF_OPEN, now);
    if (m->state == SMC_BREAKER_OPEN)
        return false;
    if (m->state == SMC_BREAKER_CLOSED)
        return true;
    if (m->out + m->good >= m->c.probes && !urgent)
        return false;
    m->out++;
    return true;
}

static bool model_judge(const model_t *m, uint64_t now)
{
    unsigned n = 0, failed = 0, slow = 0;
    for (size_t i = m->n; i-- > m->first;) {
        uint64_t parts = SMC_BREAKER_SLOTS, size = m->c.size;
        bool inside = m->c.window == SMC_BREAKER_COUNT
                          ? n < size
                          : now * parts / size - m->results[i].at * parts / size < parts;
        if (!inside)
            break;
        n++;
        failed += m->results[i].failed;
        slow += m->results[i].slow;
    }
    return n >= m->c.min_calls && ((m->c.failure_pct > 0 && failed * 100 >= n * m->c.failure_pct) ||
                                   (m->c.slow_pct > 0 && slow * 100 >= n * m->c.slow_pct));
}

static void model_report(model_t *m, unsigned era, uint64_t started, uint64_t now,
                         smc_call_t result)
{
    if (era != m->era)
        return;
    if (m->state == SMC_BREAKER_HALF_OPEN)
        m->out--;
    if (result == SMC_CALL_IGNORED)
        return;
    bool failed = result == SMC_CALL_FAILED;
    bool slow = m->c.slow_pct > 0 && now - started >= m->c.slow_ms;
    if (m->state == SMC_BREAKER_HALF_OPEN) {
        if (failed || slow) {
            uint64_t longer = m->interval * m->c.growth_pct / 100;
            m->interval = longer < m->c.open_max_ms ? longer : m->c.open_max_ms;
            model_go(m, SMC_BREAKER_OPEN, now);
        } else if (++m->good == m->c.probes) {
            model_go(m, SMC_BREAKER_CLOSED, now);
        }
        return;
    }
    m->results[m->n].at = now;
    m->results[m->n].failed = failed;
    m->results[m->n++].slow = slow;
    if (model_judge(m, now))
        model_go(m, SMC_BREAKER_OPEN, now);
}

static smc_breaker_conf_t any_conf(smc_rng_t *rng)
{
    smc_breaker_conf_t c = {.window = smc_rng_below(rng, 2) ? SMC_BREAKER_TIME : SMC_BREAKER_COUNT,
                            .failure_pct = (uint32_t)smc_rng_below(rng, 101),
                            .slow_pct = (uint32_t)smc_rng_below(rng, 101),
                            .slow_ms = 1 + smc_rng_below(rng, 40),
                            .open_ms = 1 + smc_rng_below(rng, 300),
                            .growth_pct = 100 + (uint32_t)smc_rng_below(rng, 300),
                            .probes = 1 + (uint32_t)smc_rng_below(rng, 4)};
    c.size = c.window == SMC_BREAKER_COUNT ? 1 + (uint32_t)smc_rng_below(rng, 60)
                                           : 16 + (uint32_t)smc_rng_below(rng, 2000);
    c.min_calls = 1 + (uint32_t)smc_rng_below(rng, c.window == SMC_BREAKER_COUNT ? c.size : 30);
    c.open_max_ms = c.open_ms + smc_rng_below(rng, 1000);
    return c;
}

static smc_call_t any_result(smc_rng_t *rng, unsigned mood)
{
    uint64_t n = smc_rng_below(rng, 100);
    if (n < 5)
        return SMC_CALL_IGNORED;
    return n < 5 + mood ? SMC_CALL_FAILED : SMC_CALL_OK;
}

static void walk(uint64_t seed, model_t *m, unsigned steps, unsigned *transitions)
{
    smc_rng_t rng;
    smc_rng_init(&rng, seed, "breaker");
    smc_breaker_conf_t conf = any_conf(&rng);
    smc_breaker_t b = made(conf);
    *m = (model_t){.c = conf, .state = SMC_BREAKER_CLOSED, .interval = conf.open_ms};
    struct {
        smc_permit_t permit;
        unsigned era;
    } out[OUT];
    size_t n = 0;
    unsigned mood = 10;
    uint64_t now = smc_rng_below(&rng, 1000000);
    for (unsigned i = 0; i < steps; i++) {
        now += smc_rng_below(&rng, 30);
        if (smc_rng_below(&rng, 50) == 0)
            mood = (unsigned)smc_rng_below(&rng, 96);
        if (n < OUT && (n == 0 || smc_rng_below(&rng, 2) == 0)) {
            bool urgent = smc_rng_below(&rng, 20) == 0, may = model_ask(m, now, urgent);
            assert_int_equal(urgent ? smc_breaker_ask_urgently(&b, now, &out[n].permit)
                                    : smc_breaker_ask(&b, now, &out[n].permit, NULL),
                             may);
            out[n].era = m->era;
            n += may;
        } else {
            size_t k = (size_t)smc_rng_below(&rng, n);
            smc_call_t result = any_result(&rng, mood);
            model_report(m, out[k].era, out[k].permit.started_ms, now, result);
            smc_breaker_report(&b, &out[k].permit, now, result);
            out[k] = out[--n];
        }
        assert_int_equal(smc_breaker_state(&b), m->state);
        assert_int_equal(b.out, n);
    }
    *transitions += b.changes;
}

static void it_does_what_the_model_does(void **state)
{
    (void)state;
    model_t *m = malloc(sizeof(*m));
    assert_non_null(m);
    unsigned transitions = 0;
    for (uint64_t seed = 1; seed <= 120; seed++)
        walk(seed, m, STEPS / 60, &transitions);
    free(m);
    assert_true(transitions > 2000); /* else the walks were too quiet to prove anything */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_opens_when_the_rate_is_reached_not_before),
        cmocka_unit_test(it_needs_the_minimum_of_calls),
        cmocka_unit_test(what_left_the_window_is_forgotten),
        cmocka_unit_test(a_window_of_time_forgets_by_sixteenths),
        cmocka_unit_test(a_window_of_time_is_as_long_as_its_size),
        cmocka_unit_test(a_slow_call_counts_from_its_limit_on),
        cmocka_unit_test(an_ignored_call_counts_as_none),
        cmocka_unit_test(it_refuses_until_the_last_millisecond_of_its_interval),
        cmocka_unit_test(half_open_lets_so_many_probes_out_and_no_more),
        cmocka_unit_test(a_bad_probe_opens_it_for_longer_up_to_the_most),
        cmocka_unit_test(a_slow_probe_is_a_bad_one),
        cmocka_unit_test(a_result_from_before_a_transition_changes_nothing),
        cmocka_unit_test(a_force_holds_until_it_is_released),
        cmocka_unit_test(an_urgent_call_is_a_probe_that_does_not_wait),
        cmocka_unit_test(a_closed_breaker_counts_urgent_calls_as_any),
        cmocka_unit_test(an_urgent_call_obeys_a_force),
        cmocka_unit_test(a_configuration_that_makes_no_sense_is_refused_by_name),
        cmocka_unit_test(it_does_what_the_model_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
