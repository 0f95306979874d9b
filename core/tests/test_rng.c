/* Random numbers: the published generator, and that its streams and distributions are what they claim. */
#include "smc/rng.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { DRAWS = 200000 };

/* First outputs of the authors' xoshiro256** for the state 1, 2, 3, 4. */
static void the_generator_is_xoshiro256_starstar(void **state)
{
    static const uint64_t want[] = {
        UINT64_C(11520),
        UINT64_C(0),
        UINT64_C(1509978240),
        UINT64_C(1215971899390074240),
        UINT64_C(1216172134540287360),
        UINT64_C(607988272756665600),
        UINT64_C(16172922978634559625),
        UINT64_C(8476171486693032832),
        UINT64_C(10595114339597558777),
        UINT64_C(2904607092377533576),
    };
    smc_rng_t rng = {{1, 2, 3, 4}};

    (void)state;
    for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
        assert_true(want[i] == smc_rng_u64(&rng));
}

static void the_same_seed_and_name_give_the_same_numbers(void **state)
{
    smc_rng_t a;
    smc_rng_t b;

    (void)state;
    smc_rng_init(&a, 7, "feed/BTCUSDT");
    smc_rng_init(&b, 7, "feed/BTCUSDT");
    for (int i = 0; i < 1000; i++)
        assert_true(smc_rng_u64(&a) == smc_rng_u64(&b));
}

/* Pinned, so that a change that would make old seeds give other runs is seen. */
static void a_seed_keeps_its_numbers_from_release_to_release(void **state)
{
    smc_rng_t rng;
    char text[9];

    (void)state;
    smc_rng_init(&rng, 42, "feed/BTCUSDT");
    smc_rng_alnum(&rng, text, 8);
    assert_string_equal("Bo16KAiJ", text);
}

static void another_seed_or_name_gives_another_stream(void **state)
{
    static const struct {
        uint64_t seed;
        const char *name;
    } rows[] = {{7, "a"}, {8, "a"}, {7, "b"}, {7, "ab"}, {7, "ba"}, {7, ""}, {0, ""}, {0, "a"}};
    enum { ROWS = sizeof(rows) / sizeof(rows[0]) };
    smc_rng_t rng[ROWS];

    (void)state;
    for (size_t i = 0; i < ROWS; i++)
        smc_rng_init(&rng[i], rows[i].seed, rows[i].name);
    for (int draw = 0; draw < 1000; draw++) {
        uint64_t got[ROWS];

        for (size_t i = 0; i < ROWS; i++)
            got[i] = smc_rng_u64(&rng[i]);
        for (size_t i = 0; i < ROWS; i++)
            for (size_t k = 0; k < i; k++)
                assert_true(got[i] != got[k]);
    }
}

static void below_is_in_range_and_even(void **state)
{
    smc_rng_t rng;
    int count[6] = {0};

    (void)state;
    smc_rng_init(&rng, 1, "die");
    for (int i = 0; i < DRAWS; i++) {
        uint64_t x = smc_rng_below(&rng, 6);

        assert_true(x < 6);
        count[x]++;
    }
    for (int k = 0; k < 6; k++) /* 5 standard deviations are 834 */
        assert_in_range(count[k], DRAWS / 6 - 834, DRAWS / 6 + 834);
    assert_true(smc_rng_below(&rng, 1) == 0);
}

/* With n = 3 * 2^62 the plain product would give every third result twice as often. */
static void below_has_no_bias_for_large_n(void **state)
{
    const uint64_t n = UINT64_C(3) << 62;
    smc_rng_t rng;
    int low = 0;

    (void)state;
    smc_rng_init(&rng, 1, "large");
    for (int i = 0; i < DRAWS; i++)
        low += smc_rng_below(&rng, n) % 3 == 0;
    assert_in_range(low, DRAWS / 3 - 1055, DRAWS / 3 + 1055);
}

static void range_reaches_both_ends(void **state)
{
    smc_rng_t rng;
    int seen[5] = {0};

    (void)state;
    smc_rng_init(&rng, 1, "range");
    for (int i = 0; i < 1000; i++) {
        int64_t x = smc_rng_range(&rng, -2, 2);

        assert_true(x >= -2 && x <= 2);
        seen[x + 2]++;
    }
    for (int k = 0; k < 5; k++)
        assert_true(seen[k] > 0);
    assert_true(smc_rng_range(&rng, INT64_MAX, INT64_MAX) == INT64_MAX);
    (void)smc_rng_range(&rng, INT64_MIN, INT64_MAX);
    assert_true(smc_rng_range(&rng, INT64_MIN, INT64_MIN + 1) <= INT64_MIN + 1);
}

/* Mean and variance of a distribution, with the tolerance of five standard errors. */
static void has_moments(double (*draw)(smc_rng_t *), double mean, double variance, double fourth)
{
    smc_rng_t rng;
    double sum = 0;
    double squares = 0;

    smc_rng_init(&rng, 3, "moments");
    for (int i = 0; i < DRAWS; i++) {
        double x = draw(&rng);

        sum += x;
        squares += (x - mean) * (x - mean);
    }
    assert_true(fabs(sum / DRAWS - mean) < 5 * sqrt(variance / DRAWS));
    assert_true(fabs(squares / DRAWS - variance) <
                5 * sqrt((fourth - variance * variance) / DRAWS));
}

static void floats_are_uniform_below_one(void **state)
{
    smc_rng_t rng;

    (void)state;
    smc_rng_init(&rng, 1, "float");
    for (int i = 0; i < DRAWS; i++) {
        double x = smc_rng_float(&rng);

        assert_true(x >= 0 && x < 1);
    }
    has_moments(smc_rng_float, 0.5, 1.0 / 12, 1.0 / 80);
}

static void normal_and_exponential_have_their_moments(void **state)
{
    (void)state;
    has_moments(smc_rng_normal, 0, 1, 3);
    has_moments(smc_rng_exp, 1, 1, 9);
}

static void the_highest_float_has_a_finite_exponential(void **state)
{
    smc_rng_t rng;

    (void)state;
    smc_rng_init(&rng, 1, "exp");
    for (int i = 0; i < DRAWS; i++) {
        double x = smc_rng_exp(&rng);

        assert_true(x >= 0 && x <= DBL_MAX);
    }
}

static void alnum_writes_n_characters_and_a_nul(void **state)
{
    smc_rng_t rng;
    char text[66];

    (void)state;
    memset(text, '#', sizeof(text));
    smc_rng_init(&rng, 1, "alnum");
    smc_rng_alnum(&rng, text, 64);
    assert_int_equal(64, strlen(text));
    assert_int_equal('#', text[65]);
    assert_int_equal(64, strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                      "0123456789"));
    smc_rng_alnum(&rng, text, 0);
    assert_string_equal("", text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_generator_is_xoshiro256_starstar),
        cmocka_unit_test(the_same_seed_and_name_give_the_same_numbers),
        cmocka_unit_test(a_seed_keeps_its_numbers_from_release_to_release),
        cmocka_unit_test(another_seed_or_name_gives_another_stream),
        cmocka_unit_test(below_is_in_range_and_even),
        cmocka_unit_test(below_has_no_bias_for_large_n),
        cmocka_unit_test(range_reaches_both_ends),
        cmocka_unit_test(floats_are_uniform_below_one),
        cmocka_unit_test(normal_and_exponential_have_their_moments),
        cmocka_unit_test(the_highest_float_has_a_finite_exponential),
        cmocka_unit_test(alnum_writes_n_characters_and_a_nul),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
