/* The histogram against the sorted list of what was recorded. */
#include "smc/histogram.h"
#include "smc/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { ROUNDS = 100, VALUES = 500 };

static smc_histogram_t *new_histogram(void)
{
    smc_histogram_t *h = NULL;

    assert_int_equal(SMC_OK, smc_histogram_new(&h, NULL));
    return h;
}

static void record(smc_histogram_t *h, int64_t value)
{
    assert_int_equal(SMC_OK, smc_histogram_record(h, value, NULL));
}

static void an_empty_histogram_is_all_zero(void **state)
{
    smc_histogram_t *h = new_histogram();

    (void)state;
    assert_int_equal(0, smc_histogram_count(h));
    assert_int_equal(0, smc_histogram_min(h));
    assert_int_equal(0, smc_histogram_max(h));
    assert_true(smc_histogram_mean(h) == 0);
    assert_int_equal(0, smc_histogram_percentile(h, 50));
    smc_histogram_free(h);
    smc_histogram_free(NULL);
}

static void small_values_are_exact(void **state)
{
    smc_histogram_t *h = new_histogram();

    (void)state;
    for (int v = 2047; v >= 0; v--)
        record(h, v);
    for (int v = 0; v < 2048; v++)
        assert_int_equal(v, smc_histogram_percentile(h, (v + 1) * 100.0 / 2048));
    assert_true(smc_histogram_mean(h) == 1023.5);
    smc_histogram_free(h);
}

/* The widths of the bucket law: one value is told from the next as long as three digits allow. */
static void a_bucket_is_as_wide_as_its_law_says(void **state)
{
    (void)state;
    for (int shift = 0; shift <= 51; shift++) {
        int64_t first = INT64_C(2048) << shift;
        int64_t width = INT64_C(2) << shift;
        smc_histogram_t *h = new_histogram();

        record(h, first);
        record(h, first + width - 1);
        record(h, first + width);
        record(h, INT64_MAX);
        assert_true(smc_histogram_percentile(h, 25) == first + width - 1);
        assert_true(smc_histogram_percentile(h, 50) == first + width - 1);
        assert_true(smc_histogram_percentile(h, 75) == first + 2 * width - 1);
        smc_histogram_free(h);
    }
}

static void the_ends_of_the_range_count(void **state)
{
    smc_histogram_t *h = new_histogram();
    smc_error_t err = {0};

    (void)state;
    record(h, INT64_MAX);
    record(h, 0);
    assert_int_equal(SMC_EINVAL, smc_histogram_record(h, -1, &err));
    assert_string_equal("-1 is negative", err.detail);
    assert_int_equal(2, smc_histogram_count(h));
    assert_int_equal(0, smc_histogram_min(h));
    assert_true(smc_histogram_max(h) == INT64_MAX);
    assert_int_equal(0, smc_histogram_percentile(h, 50));
    assert_true(smc_histogram_percentile(h, 100) == INT64_MAX);
    assert_int_equal(0, smc_histogram_percentile(h, -3));
    assert_int_equal(0, smc_histogram_percentile(h, 1e-310));
    assert_true(smc_histogram_percentile(h, 1000) == INT64_MAX);
    assert_true(smc_histogram_mean(h) == (double)INT64_MAX / 2);
    smc_histogram_free(h);
}

static void a_percentile_that_hits_a_rank_asks_for_no_value_more(void **state)
{
    smc_histogram_t *h = new_histogram();

    (void)state;
    for (int v = 1; v <= 1000; v++)
        record(h, v);
    for (int tenths = 1; tenths <= 1000; tenths++)
        assert_int_equal(tenths, smc_histogram_percentile(h, tenths / 10.0));
    smc_histogram_free(h);
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void check_against_sorted(const smc_histogram_t *h, int64_t *values, size_t n)
{
    double sum = 0;

    qsort(values, n, sizeof(*values), by_value);
    for (size_t i = 0; i < n; i++)
        sum += (double)values[i];
    assert_int_equal(n, smc_histogram_count(h));
    assert_true(smc_histogram_min(h) == values[0]);
    assert_true(smc_histogram_max(h) == values[n - 1]);
    assert_true(fabs(smc_histogram_mean(h) - sum / (double)n) <= 1e-9 * sum / (double)n);
    for (size_t rank = 1; rank <= n; rank++) {
        int64_t want = values[rank - 1];
        int64_t got = smc_histogram_percentile(h, (double)rank * 100 / (double)n);

        assert_true(got >= want);
        assert_true(got - want <= want / 1024);
        assert_true(got <= values[n - 1]);
    }
}

static int64_t any_value(smc_rng_t *rng)
{
    return (int64_t)(smc_rng_u64(rng) >> smc_rng_range(rng, 1, 63));
}

static void it_agrees_with_the_sorted_list(void **state)
{
    smc_rng_t rng;

    (void)state;
    smc_rng_init(&rng, 1, "histogram");
    for (int round = 0; round < ROUNDS; round++) {
        smc_histogram_t *h = new_histogram();
        int64_t values[VALUES];
        size_t n = smc_rng_below(&rng, VALUES) + 1;

        for (size_t i = 0; i < n; i++) {
            values[i] = any_value(&rng);
            record(h, values[i]);
        }
        check_against_sorted(h, values, n);
        smc_histogram_free(h);
    }
}

static void merged_histograms_are_as_one(void **state)
{
    smc_rng_t rng;

    (void)state;
    smc_rng_init(&rng, 1, "merge");
    for (int round = 0; round < ROUNDS; round++) {
        smc_histogram_t *part[2] = {new_histogram(), new_histogram()};
        int64_t values[VALUES];
        size_t n = smc_rng_below(&rng, VALUES) + 1;

        for (size_t i = 0; i < n; i++) {
            values[i] = any_value(&rng);
            record(part[smc_rng_below(&rng, 2)], values[i]);
        }
        assert_int_equal(SMC_OK, smc_histogram_merge(part[0], part[1], NULL));
        check_against_sorted(part[0], values, n);
        smc_histogram_free(part[0]);
        smc_histogram_free(part[1]);
    }
}

static void merging_with_itself_doubles(void **state)
{
    smc_histogram_t *h = new_histogram();

    (void)state;
    record(h, 3);
    record(h, 1000000);
    assert_int_equal(SMC_OK, smc_histogram_merge(h, h, NULL));
    assert_int_equal(4, smc_histogram_count(h));
    assert_int_equal(3, smc_histogram_percentile(h, 50));
    assert_int_equal(1000000, smc_histogram_percentile(h, 51));
    assert_true(smc_histogram_mean(h) == 500001.5);
    smc_histogram_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_histogram_is_all_zero),
        cmocka_unit_test(small_values_are_exact),
        cmocka_unit_test(a_bucket_is_as_wide_as_its_law_says),
        cmocka_unit_test(the_ends_of_the_range_count),
        cmocka_unit_test(a_percentile_that_hits_a_rank_asks_for_no_value_more),
        cmocka_unit_test(it_agrees_with_the_sorted_list),
        cmocka_unit_test(merged_histograms_are_as_one),
        cmocka_unit_test(merging_with_itself_doubles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
