/* The retry policy: what may be sent again, when, and what must be looked up first. */
#include "smc/retry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const smc_retry_conf_t USUAL = {
    .attempts = 5, .base_ms = 100, .max_ms = 1500, .factor_pct = 200};
static const smc_failure_t REFUSED = {.sent = true, .answered = true, .temporary = true};

static smc_retry_t made(smc_retry_conf_t conf, uint64_t now_ms)
{
    smc_retry_t r;
    assert_int_equal(smc_retry_init(&r, &conf, now_ms, NULL), SMC_OK);
    return r;
}

static smc_rng_t stream(uint64_t seed)
{
    smc_rng_t rng;
    smc_rng_init(&rng, seed, "retry");
    return rng;
}

static uint64_t again(smc_retry_t *r, smc_failure_t f, uint64_t now_ms, smc_rng_t *rng)
{
    uint64_t wait_ms = 0;
    assert_int_equal(smc_retry_next(r, &f, now_ms, rng, &wait_ms), SMC_RETRY_AGAIN);
    return wait_ms;
}

static void the_wait_doubles_up_to_its_most_and_attempts_end(void **state)
{
    (void)state;
    smc_retry_conf_t conf = USUAL;
    conf.attempts = 7;
    smc_retry_t r = made(conf, 0);
    smc_rng_t rng = stream(1);
    static const uint64_t waits[] = {100, 200, 400, 800, 1500, 1500};
    for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++)
        assert_int_equal(again(&r, REFUSED, 0, &rng), waits[i]);
    uint64_t wait_ms;
    assert_int_equal(smc_retry_next(&r, &REFUSED, 0, &rng, &wait_ms), SMC_RETRY_STOP);
    assert_int_equal(r.failed, 7);
}

static void what_the_venue_asks_for_is_never_undercut(void **state)
{
    (void)state;
    smc_retry_t r = made(USUAL, 0);
    smc_rng_t rng = stream(1);
    smc_failure_t f = REFUSED;
    f.retry_after_ms = 99;
    assert_int_equal(again(&r, f, 0, &rng), 100);
    f.retry_after_ms = 30000; /* longer than any wait of ours */
    assert_int_equal(again(&r, f, 0, &rng), 30000);
}

static void a_wait_that_would_end_beyond_the_budget_is_not_begun(void **state)
{
    (void)state;
    smc_retry_conf_t conf = USUAL;
    conf.budget_ms = 1000;
    smc_rng_t rng = stream(1);
    uint64_t wait_ms;
    smc_retry_t r = made(conf, 5000);
    assert_int_equal(again(&r, REFUSED, 5900, &rng), 100); /* ends with the budget */
    r = made(conf, 5000);
    assert_int_equal(smc_retry_next(&r, &REFUSED, 5901, &rng, &wait_ms), SMC_RETRY_STOP);
}

static void only_what_cannot_happen_twice_is_repeated(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        smc_failure_t f;
        smc_retry_verdict_t want;
    } rows[] = {
        {"a read that failed on the way", {.sent = true, .temporary = true}, SMC_RETRY_AGAIN},
        {"a read that was refused for good", {.sent = true, .answered = true}, SMC_RETRY_STOP},
        {"a read of what is not there", {.answered = true}, SMC_RETRY_STOP},
        {"an order that was not sent", {.mutation = true, .temporary = true}, SMC_RETRY_AGAIN},
        {"an order that was not sent and never can be", {.mutation = true}, SMC_RETRY_STOP},
        {"an order that a limit turned away",
         {.mutation = true, .sent = true, .answered = true, .temporary = true},
         SMC_RETRY_AGAIN},
        {"an order that a filter turned away",
         {.mutation = true, .sent = true, .answered = true},
         SMC_RETRY_STOP},
        {"an order without an answer",
         {.mutation = true, .sent = true, .temporary = true},
         SMC_RETRY_LOOK_UP},
        {"an order without an answer, nothing temporary",
         {.mutation = true, .sent = true},
         SMC_RETRY_LOOK_UP},
    };
    smc_rng_t rng = stream(1);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        smc_retry_t r = made(USUAL, 0);
        uint64_t wait_ms = 0;
        smc_retry_verdict_t got = smc_retry_next(&r, &rows[i].f, 0, &rng, &wait_ms);
        if (got != rows[i].want)
            fail_msg("%s: %d, not %d", rows[i].what, (int)got, (int)rows[i].want);
        assert_int_equal(wait_ms, got == SMC_RETRY_STOP ? 0 : 100);
    }
}

static void doubt_is_cleared_up_even_when_nothing_is_left_to_try(void **state)
{
    (void)state;
    smc_retry_conf_t conf = USUAL;
    conf.attempts = 1;
    conf.budget_ms = 1;
    smc_retry_t r = made(conf, 0);
    smc_rng_t rng = stream(1);
    smc_failure_t lost = {.mutation = true, .sent = true};
    uint64_t wait_ms = 0;
    assert_int_equal(smc_retry_next(&r, &lost, 900000, &rng, &wait_ms), SMC_RETRY_LOOK_UP);
    assert_int_equal(wait_ms, 100);
}

static void jitter_shortens_by_no_more_than_its_part(void **state)
{
    (void)state;
    smc_retry_conf_t conf = {
        .attempts = 2, .base_ms = 1000, .max_ms = 1000, .factor_pct = 100, .jitter_pct = 30};
    smc_rng_t rng = stream(7);
    uint64_t least = UINT64_MAX, most = 0, sum = 0;
    for (int i = 0; i < 100000; i++) {
        smc_retry_t r = made(conf, 0);
        uint64_t wait_ms = again(&r, REFUSED, 0, &rng);
        least = wait_ms < least ? wait_ms : least;
        most = wait_ms > most ? wait_ms : most;
        sum += wait_ms;
    }
    assert_int_equal(least, 700);
    assert_int_equal(most, 1000);
    assert_in_range(sum / 100000, 845, 855);
}

static void the_same_stream_gives_the_same_waits(void **state)
{
    (void)state;
    smc_retry_conf_t conf = USUAL;
    conf.jitter_pct = 100;
    smc_rng_t one = stream(3), other = stream(3);
    smc_retry_t a = made(conf, 0), b = made(conf, 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(again(&a, REFUSED, 0, &one), again(&b, REFUSED, 0, &other));
}

/* Over random configurations: waits never shrink below their part, nor grow over the most, and grow while they can. */
static void waits_stay_inside_their_law(void **state)
{
    (void)state;
    smc_rng_t rng = stream(11);
    for (int i = 0; i < 20000; i++) {
        smc_retry_conf_t conf = {.attempts = 40,
                                 .max_ms = 1 + (uint32_t)smc_rng_below(&rng, 100000),
                                 .factor_pct = 100 + (uint32_t)smc_rng_below(&rng, 901),
                                 .jitter_pct = (uint32_t)smc_rng_below(&rng, 101)};
        conf.base_ms = 1 + (uint32_t)smc_rng_below(&rng, conf.max_ms);
        smc_retry_t r = made(conf, 0);
        double ideal = conf.base_ms;
        for (int k = 0; k < 12; k++) {
            uint64_t wait_ms = again(&r, REFUSED, 0, &rng);
            double top = ideal < conf.max_ms ? ideal : conf.max_ms;
            assert_true(wait_ms <= conf.max_ms);
            assert_true((double)wait_ms >= top * (100 - conf.jitter_pct) / 100 - 1);
            ideal = ideal * conf.factor_pct / 100;
        }
    }
}

static void a_configuration_that_makes_no_sense_is_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *says;
        smc_retry_conf_t conf;
    } rows[] = {
        {"attempts", {.attempts = 0, .base_ms = 1, .max_ms = 1, .factor_pct = 100}},
        {"base_ms", {.attempts = 1, .base_ms = 0, .max_ms = 1, .factor_pct = 100}},
        {"base_ms", {.attempts = 1, .base_ms = 2, .max_ms = 1, .factor_pct = 100}},
        {"max_ms",
         {.attempts = 1, .base_ms = 1, .max_ms = SMC_RETRY_MAX_MS + 1, .factor_pct = 100}},
        {"factor_pct", {.attempts = 1, .base_ms = 1, .max_ms = 1, .factor_pct = 99}},
        {"factor_pct", {.attempts = 1, .base_ms = 1, .max_ms = 1, .factor_pct = 1001}},
        {"jitter_pct",
         {.attempts = 1, .base_ms = 1, .max_ms = 1, .factor_pct = 100, .jitter_pct = 101}},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        smc_retry_t r;
        smc_error_t err;
        assert_int_equal(smc_retry_init(&r, &rows[i].conf, 0, &err), SMC_EINVAL);
        assert_non_null(strstr(err.detail, rows[i].says));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_wait_doubles_up_to_its_most_and_attempts_end),
        cmocka_unit_test(what_the_venue_asks_for_is_never_undercut),
        cmocka_unit_test(a_wait_that_would_end_beyond_the_budget_is_not_begun),
        cmocka_unit_test(only_what_cannot_happen_twice_is_repeated),
        cmocka_unit_test(doubt_is_cleared_up_even_when_nothing_is_left_to_try),
        cmocka_unit_test(jitter_shortens_by_no_more_than_its_part),
        cmocka_unit_test(the_same_stream_gives_the_same_waits),
        cmocka_unit_test(waits_stay_inside_their_law),
        cmocka_unit_test(a_configuration_that_makes_no_sense_is_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
