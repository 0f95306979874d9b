/* smc/rng.h - seeded random numbers in independent, named streams.
 *
 * Model   xoshiro256** (Blackman and Vigna 2018), its state filled by splitmix64 from the seed and the name.
 *         The same seed and name give the same numbers on every machine (normal and exp: wherever the C library's
 *         log gives the same last bit).  Another name gives a stream that has nothing to do with it, so a new user
 *         of randomness never shifts the numbers of the others.
 * Pure    no clock, no I/O, no allocation.  A plain value: copy it to remember a place in the stream.
 * Never   for keys that guard anything: use smc_secret_random.
 */
#ifndef SMC_RNG_H
#define SMC_RNG_H

#include <stddef.h>
#include <stdint.h>

typedef struct smc_rng {
    uint64_t _s[4]; /* private: never all zero */
} smc_rng_t;

/* name: "feed/BTCUSDT"; read now, not kept. */
void smc_rng_init(smc_rng_t *rng, uint64_t seed, const char *name);

uint64_t smc_rng_u64(smc_rng_t *rng);               /* any of 2^64, equally likely */
uint64_t smc_rng_below(smc_rng_t *rng, uint64_t n); /* 0..n-1, equally likely.  Asserts n > 0 */
int64_t smc_rng_range(smc_rng_t *rng, int64_t lo,
                      int64_t hi);     /* lo..hi, both included.  Asserts lo <= hi */
double smc_rng_float(smc_rng_t *rng);  /* [0, 1), multiples of 2^-53 */
double smc_rng_normal(smc_rng_t *rng); /* mean 0, standard deviation 1 */
double smc_rng_exp(smc_rng_t *rng);    /* mean 1 */
/* n letters and digits and a NUL: n + 1 bytes. */
void smc_rng_alnum(smc_rng_t *rng, char *out, size_t n);

#endif /* SMC_RNG_H */
