#include "smc/histogram.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* 3 significant digits need 2 * 10^3 sub-buckets, rounded up to a power of two.  Every bucket but the first uses only
 * its upper half: the lower half is what the bucket before counts more finely. */
enum { SUB_BITS = 11, SUB_COUNT = 1 << SUB_BITS, HALF = SUB_COUNT / 2 };

__extension__ typedef unsigned __int128 u128_t;

struct smc_histogram {
    uint64_t *counts;
    size_t n_counts;
    uint64_t total;
    u128_t sum;
    int64_t min;
    int64_t max;
};

static int bucket_of(int64_t value)
{
    return 63 - __builtin_clzll((uint64_t)value | (SUB_COUNT - 1)) - (SUB_BITS - 1);
}

static size_t index_of(int64_t value)
{
    int bucket = bucket_of(value);

    return (size_t)bucket * HALF + (size_t)(value >> bucket);
}

/* The largest value that is counted at index. */
static int64_t highest_at(size_t index)
{
    int bucket = index < SUB_COUNT ? 0 : (int)(index / HALF) - 1;
    uint64_t sub = index - (size_t)bucket * HALF;

    return (int64_t)(((sub + 1) << bucket) - 1);
}

smc_code_t smc_histogram_new(smc_histogram_t **out, smc_error_t *err)
{
    smc_histogram_t *h = calloc(1, sizeof(*h));

    if (h == NULL)
        return smc_fail(err, SMC_ENOMEM, "histogram.new", 0, "out of memory");
    *out = h;
    return SMC_OK;
}

void smc_histogram_free(smc_histogram_t *h)
{
    if (h == NULL)
        return;
    free(h->counts);
    free(h);
}

/* Makes counts reach n, a whole number of half buckets. */
static smc_code_t grow(smc_histogram_t *h, size_t n, smc_error_t *err)
{
    uint64_t *counts;

    if (n <= h->n_counts)
        return SMC_OK;
    counts = realloc(h->counts, n * sizeof(*counts));
    if (counts == NULL)
        return smc_fail(err, SMC_ENOMEM, "histogram.record", 0, "out of memory");
    memset(counts + h->n_counts, 0, (n - h->n_counts) * sizeof(*counts));
    h->counts = counts;
    h->n_counts = n;
    return SMC_OK;
}

smc_code_t smc_histogram_record(smc_histogram_t *h, int64_t value, smc_error_t *err)
{
    if (value < 0)
        return smc_fail(err, SMC_EINVAL, "histogram.record", 0, "%lld is negative",
                        (long long)value);
    if (grow(h, ((size_t)bucket_of(value) + 2) * HALF, err) != SMC_OK)
        return SMC_ENOMEM;
    h->counts[index_of(value)]++;
    h->sum += (uint64_t)value;
    if (h->total == 0 || value < h->min)
        h->min = value;
    if (value > h->max)
        h->max = value;
    h->total++;
    return SMC_OK;
}

smc_code_t smc_histogram_merge(smc_histogram_t *h, const smc_histogram_t *from, smc_error_t *err)
{
    if (from->total == 0)
        return SMC_OK;
    if (grow(h, from->n_counts, err) != SMC_OK)
        return SMC_ENOMEM;
    for (size_t i = 0; i < from->n_counts; i++)
        h->counts[i] += from->counts[i];
    if (h->total == 0 || from->min < h->min)
        h->min = from->min;
    if (from->max > h->max)
        h->max = from->max;
    h->sum += from->sum;
    h->total += from->total;
    return SMC_OK;
}

uint64_t smc_histogram_count(const smc_histogram_t *h)
{
    return h->total;
}

int64_t smc_histogram_min(const smc_histogram_t *h)
{
    return h->min;
}

int64_t smc_histogram_max(const smc_histogram_t *h)
{
    return h->max;
}

double smc_histogram_mean(const smc_histogram_t *h)
{
    return h->total == 0 ? 0 : (double)h->sum / (double)h->total;
}

int64_t smc_histogram_percentile(const smc_histogram_t *h, double pct)
{
    uint64_t rank;
    uint64_t seen = 0;
    int64_t value;

    assert(!isnan(pct));
    if (h->total == 0 || pct >= 100)
        return h->max;
    if (pct <= 0)
        return h->min;
    /* One ulp less: 99.9 is stored a little above itself and would ask for one value too many of a thousand. */
    rank = (uint64_t)ceil(nextafter(pct, 0) / 100 * (double)h->total);
    rank = rank == 0 ? 1 : rank;
    for (size_t i = 0; i < h->n_counts; i++) {
        seen += h->counts[i];
        if (seen >= rank) {
            value = highest_at(i);
            return value < h->max ? value : h->max;
        }
    }
    return h->max;
}
