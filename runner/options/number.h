/* number.h - numbers as people write them on a command line: digits, no sign, nothing behind them. */
#ifndef SMCR_NUMBER_H
#define SMCR_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/* A whole number from min to max. */
bool smcr_read_u64(const char *text, uint64_t min, uint64_t max, uint64_t *out);
/* Seconds from 0.001 to 1e7, with a fraction perhaps. */
bool smcr_read_seconds(const char *text, double *out);

#endif /* SMCR_NUMBER_H */
