/* The health of a venue: each part at its edges, and all of them against a model that keeps every call. */
#include "smc/health.h"
#include "smc/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const smc_health_conf_t USUAL = {.window = 20,
                                        .good_ms = 100,
                                        .bad_ms = 1100,
                                        .down_after = 5,
                                        .stale_ms = 10000,
                                        .limit_max = 4};

static smc_health_t made(void)
{
    smc_health_t h;
    assert_int_equal(smc_health_init(&h, &USUAL, NULL), SMC_OK);
    return h;
}

static void call(smc_health_t *h, int n, smc_health_call_t result, uint32_t latency_ms,
                 uint64_t now_ms)
{
    for (int i = 0; i < n; i++)
        smc_health_call(h, result, latency_ms, now_ms);
}

static void a_venue_that_nobody_asked_is_healthy(void **state)
{
    (void)state;
    smc_health_t h = made();
    smc_health_parts_t p = smc_health_look(&h, 123456789);
    assert_int_equal(p.score, 100);
    assert_int_equal(p.state, SMC_HEALTH_HEALTHY);
}

static void the_weakest_part_decides(void **state)
{
    (void)state;
    smc_health_t h = made();
    call(&h, 20, SMC_HEALTH_OK, 50, 0);
    call(&h, 1, SMC_HEALTH_LIMITED, 0, 0); /* 75 of limits */
    smc_health_parts_t p = smc_health_look(&h, 0);
    assert_int_equal(p.score, 75);
    assert_int_equal(p.limits, 75);
    assert_int_equal(p.success, 100);
    assert_int_equal(p.state, SMC_HEALTH_DEGRADED);
}

static void words_change_at_80_and_50(void **state)
{
    (void)state;
    static const struct {
        int failed;
        uint32_t score;
        smc_health_state_t word;
    } rows[] = {{4, 80, SMC_HEALTH_HEALTHY},
                {5, 75, SMC_HEALTH_DEGRADED},
                {10, 50, SMC_HEALTH_DEGRADED},
                {11, 45, SMC_HEALTH_UNHEALTHY},
                {19, 5, SMC_HEALTH_UNHEALTHY}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        smc_health_t h = made();
        for (int k = 0; k < 20; k++) /* the last one is good: no streak */
            smc_health_call(&h, k < rows[i].failed ? SMC_HEALTH_FAILED : SMC_HEALTH_OK, 1, 0);
        smc_health_parts_t p = smc_health_look(&h, 0);
        assert_int_equal(p.score, rows[i].score);
        assert_int_equal(p.state, rows[i].word);
    }
}

static void it_is_offline_after_so_many_failures_in_a_row(void **state)
{
    (void)state;
    smc_health_t h = made();
    call(&h, 20, SMC_HEALTH_OK, 1, 0);
    call(&h, 4, SMC_HEALTH_FAILED, 0, 0);
    assert_int_equal(smc_health_look(&h, 0).streak, 20);
    assert_int_not_equal(smc_health_look(&h, 0).state, SMC_HEALTH_OFFLINE);
    call(&h, 100, SMC_HEALTH_LIMITED, 0, 0); /* neither ends a streak nor is part of one */
    call(&h, 1, SMC_HEALTH_FAILED, 0, 70000);
    assert_int_equal(smc_health_look(&h, 70000).state, SMC_HEALTH_OFFLINE);
    assert_int_equal(smc_health_look(&h, 70000).score, 0);
    call(&h, 1, SMC_HEALTH_OK, 1, 70000);
    assert_int_equal(smc_health_look(&h, 70000).state, SMC_HEALTH_DEGRADED); /* 15 of the last 20 */
}

static void latency_falls_evenly_between_good_and_bad(void **state)
{
    (void)state;
    static const struct {
        uint32_t ms, part;
    } rows[] = {{100, 100}, {101, 99}, {600, 50}, {1099, 0}, {1100, 0}, {999999, 0}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        smc_health_t h = made();
        call(&h, 1, SMC_HEALTH_OK, rows[i].ms, 0);
        assert_int_equal(smc_health_look(&h, 0).latency, rows[i].part);
    }
    smc_health_t h = made();
    call(&h, 1, SMC_HEALTH_OK, 100, 0);
    call(&h, 1, SMC_HEALTH_OK, 900, 0);
    assert_int_equal(smc_health_latency_ms(&h), 200); /* an eighth of the way */
    call(&h, 1, SMC_HEALTH_FAILED, 1000000, 0);
    assert_int_equal(smc_health_latency_ms(&h), 200); /* a failure took no time of the venue's */
    smc_health_t slow = made();
    call(&slow, 1, SMC_HEALTH_OK, 999999,
         0); /* no worse than bad: one call must not hang over it for long */
    assert_int_equal(smc_health_latency_ms(&slow), 1100);
    call(&h, 200, SMC_HEALTH_OK, 900, 0);
    assert_in_range(smc_health_latency_ms(&h), 899, 900);
}

static void a_stream_is_fresh_until_its_limit_and_dead_at_twice_that(void **state)
{
    (void)state;
    smc_health_t h = made();
    smc_health_frame(&h, 5000);
    assert_int_equal(smc_health_look(&h, 15000).stream, 100);
    assert_int_equal(smc_health_look(&h, 15100).stream, 99);
    assert_int_equal(smc_health_look(&h, 20000).stream, 50);
    assert_int_equal(smc_health_look(&h, 25000).stream, 0);
    smc_health_frame(&h, 25000);
    assert_int_equal(smc_health_look(&h, 25000).stream, 100);
    smc_health_unwatch(&h);
    assert_int_equal(smc_health_look(&h, 900000).stream, 100);
}

static void a_limit_is_held_against_it_for_a_minute(void **state)
{
    (void)state;
    smc_health_t h = made();
    call(&h, 1, SMC_HEALTH_LIMITED, 0, 1000);
    call(&h, 1, SMC_HEALTH_LIMITED, 0, 2000);
    assert_int_equal(smc_health_look(&h, 60999).limits, 50);
    assert_int_equal(smc_health_look(&h, 61000).limits, 75);
    assert_int_equal(smc_health_look(&h, 62000).limits, 100);
}

static void a_configuration_that_makes_no_sense_is_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *says;
        size_t offset;
        uint32_t value;
    } rows[] = {
        {"window", offsetof(smc_health_conf_t, window), 0},
        {"window", offsetof(smc_health_conf_t, window), SMC_HEALTH_WINDOW_MAX + 1},
        {"good_ms", offsetof(smc_health_conf_t, good_ms), 1100},
        {"down_after", offsetof(smc_health_conf_t, down_after), 0},
        {"stale_ms", offsetof(smc_health_conf_t, stale_ms), 0},
        {"limit_max", offsetof(smc_health_conf_t, limit_max), 0},
        {"limit_max", offsetof(smc_health_conf_t, limit_max), SMC_HEALTH_LIMIT_MAX + 1},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        smc_health_conf_t conf = USUAL;
        memcpy((char *)&conf + rows[i].offset, &rows[i].value, sizeof(rows[i].value));
        smc_health_t h;
        smc_error_t err;
        assert_int_equal(smc_health_init(&h, &conf, &err), SMC_EINVAL);
        assert_non_null(strstr(err.detail, rows[i].says));
    }
}

/* ---- the model ------------------------------------------------------------- */

enum { STEPS = 2500, SEEDS = 50 };

typedef struct seen {
    uint64_t at;
    smc_health_call_t what;
} seen_t;

static smc_health_conf_t any_conf(smc_rng_t *rng)
{
    smc_health_conf_t c = {.window = 1 + (uint32_t)smc_rng_below(rng, SMC_HEALTH_WINDOW_MAX),
                           .good_ms = (uint32_t)smc_rng_below(rng, 200),
                           .down_after = 1 + (uint32_t)smc_rng_below(rng, 9),
                           .stale_ms = 1 + (uint32_t)smc_rng_below(rng, 5000),
                           .limit_max = 1 + (uint32_t)smc_rng_below(rng, SMC_HEALTH_LIMIT_MAX)};
    c.bad_ms = c.good_ms + 1 + (uint32_t)smc_rng_below(rng, 2000);
    return c;
}

static uint32_t pct(uint32_t part, uint32_t of)
{
    return of > 0 ? part * 100 / of : 100;
}

/* success, streak and limits of all that was seen, counted anew. */
static void compare(const smc_health_t *h, const seen_t *seen, int n, uint64_t now)
{
    uint32_t calls = 0, good = 0, limited = 0, streak = 0;
    bool in_row = true;
    for (int i = n; i-- > 0;) {
        if (seen[i].what == SMC_HEALTH_LIMITED) {
            limited += now - seen[i].at < 60000;
            continue;
        }
        bool ok = seen[i].what == SMC_HEALTH_OK;
        in_row = in_row && !ok;
        streak += in_row;
        if (calls < h->conf.window) {
            calls++;
            good += ok;
        }
    }
    smc_health_parts_t p = smc_health_look(h, now);
    assert_int_equal(p.success, pct(good, calls));
    uint32_t capped = streak < h->conf.down_after ? streak : h->conf.down_after;
    assert_int_equal(p.streak, pct(h->conf.down_after - capped, h->conf.down_after));
    assert_int_equal(p.state == SMC_HEALTH_OFFLINE, streak >= h->conf.down_after);
    uint32_t most = limited < h->conf.limit_max ? limited : h->conf.limit_max;
    assert_int_equal(p.limits, pct(h->conf.limit_max - most, h->conf.limit_max));
    uint32_t parts[] = {p.success, p.latency, p.streak, p.stream, p.limits}, least = 100;
    for (size_t i = 0; i < 5; i++)
        least = parts[i] < least ? parts[i] : least;
    assert_int_equal(p.score, least);
}

static void it_does_what_the_model_does(void **state)
{
    (void)state;
    seen_t *seen = calloc(STEPS, sizeof(*seen));
    assert_non_null(seen);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        smc_rng_t rng;
        smc_rng_init(&rng, seed, "health");
        smc_health_conf_t conf = any_conf(&rng);
        smc_health_t h;
        assert_int_equal(smc_health_init(&h, &conf, NULL), SMC_OK);
        uint64_t now = smc_rng_below(&rng, 100000);
        double average = -1;
        for (int i = 0; i < STEPS; i++) {
            now += smc_rng_below(&rng, smc_rng_below(&rng, 20) == 0 ? 40000 : 300);
            uint32_t latency = (uint32_t)smc_rng_below(&rng, conf.bad_ms);
            seen[i] = (seen_t){now, (smc_health_call_t)smc_rng_below(&rng, 3)};
            smc_health_call(&h, seen[i].what, latency, now);
            if (seen[i].what == SMC_HEALTH_OK)
                average = average < 0 ? latency : average + (latency - average) / 8;
            compare(&h, seen, i + 1, now);
            if (average >= 0) /* whole numbers: each step may round by half */
                assert_true(smc_health_latency_ms(&h) - average < 5 &&
                            average - smc_health_latency_ms(&h) < 5);
        }
    }
    free(seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_venue_that_nobody_asked_is_healthy),
        cmocka_unit_test(the_weakest_part_decides),
        cmocka_unit_test(words_change_at_80_and_50),
        cmocka_unit_test(it_is_offline_after_so_many_failures_in_a_row),
        cmocka_unit_test(latency_falls_evenly_between_good_and_bad),
        cmocka_unit_test(a_stream_is_fresh_until_its_limit_and_dead_at_twice_that),
        cmocka_unit_test(a_limit_is_held_against_it_for_a_minute),
        cmocka_unit_test(a_configuration_that_makes_no_sense_is_refused_by_name),
        cmocka_unit_test(it_does_what_the_model_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
