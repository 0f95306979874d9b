/* smc/histogram.h - counts of values, for latencies and their percentiles.
 *
 * Model   HdrHistogram with 3 significant digits and least value 1: exact up to 2047, above in buckets whose width
 *         is below 1/1024 of the values in them.  0..INT64_MAX; the unit is the caller's.
 * Memory  grows with the largest value: 16 KiB up to 2047 and 8 KiB for each doubling, 432 KiB at most.
 */
#ifndef SMC_HISTOGRAM_H
#define SMC_HISTOGRAM_H

#include "smc/error.h"

#include <stdint.h>

typedef struct smc_histogram smc_histogram_t;

/* Errors: SMC_ENOMEM. */
smc_code_t smc_histogram_new(smc_histogram_t **out, smc_error_t *err);
/* Accepts NULL. */
void smc_histogram_free(smc_histogram_t *h);

/* Errors: SMC_EINVAL (negative), SMC_ENOMEM; then nothing was counted. */
smc_code_t smc_histogram_record(smc_histogram_t *h, int64_t value, smc_error_t *err);
/* Adds what `from` counted; the result is that of recording all in one.  h and from may be the same.
 * Errors: SMC_ENOMEM; then h is as it was. */
smc_code_t smc_histogram_merge(smc_histogram_t *h, const smc_histogram_t *from, smc_error_t *err);

uint64_t smc_histogram_count(const smc_histogram_t *h);
/* Exact; 0 while nothing was counted. */
int64_t smc_histogram_min(const smc_histogram_t *h);
int64_t smc_histogram_max(const smc_histogram_t *h);
double smc_histogram_mean(const smc_histogram_t *h);
/* The least value that at least pct percent of the values do not exceed; never below it, above it by less than
 * 1/1024, and never above the maximum.  pct <= 0 gives the minimum, >= 100 the maximum; 0 while nothing was
 * counted.  Asserts that pct is a number. */
int64_t smc_histogram_percentile(const smc_histogram_t *h, double pct);

#endif /* SMC_HISTOGRAM_H */
