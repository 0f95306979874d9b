#include "smc/rng.h"

#include <assert.h>
#include <math.h>

__extension__ typedef unsigned __int128 u128_t;

static uint64_t splitmix64(uint64_t *x)
{
    uint64_t z = *x += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

static uint64_t rotate(uint64_t x, int k)
{
    return x << k | x >> (64 - k);
}

void smc_rng_init(smc_rng_t *rng, uint64_t seed, const char *name)
{
    uint64_t x = seed;

    /* Every byte goes through the whole mixer: seeds and names that differ in one bit give unrelated states. */
    x = splitmix64(&x);
    for (const char *p = name; *p != '\0'; p++) {
        x ^= (unsigned char)*p;
        x = splitmix64(&x);
    }
    for (int i = 0; i < 4; i++)
        rng->_s[i] = splitmix64(&x);
    if ((rng->_s[0] | rng->_s[1] | rng->_s[2] | rng->_s[3]) == 0)
        rng->_s[0] = 1;
}

uint64_t smc_rng_u64(smc_rng_t *rng)
{
    uint64_t *s = rng->_s;
    uint64_t result = rotate(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

/* Lemire's multiplication: the high half of x * n is the result; the few low halves that would make some results
 * more likely are drawn again. */
uint64_t smc_rng_below(smc_rng_t *rng, uint64_t n)
{
    u128_t product;

    assert(n > 0);
    product = (u128_t)smc_rng_u64(rng) * n;
    if ((uint64_t)product < n) {
        uint64_t unfair = (0 - n) % n;

        while ((uint64_t)product < unfair)
            product = (u128_t)smc_rng_u64(rng) * n;
    }
    return (uint64_t)(product >> 64);
}

int64_t smc_rng_range(smc_rng_t *rng, int64_t lo, int64_t hi)
{
    uint64_t width;

    assert(lo <= hi);
    width = (uint64_t)hi - (uint64_t)lo;
    if (width == UINT64_MAX)
        return (int64_t)smc_rng_u64(rng);
    return (int64_t)((uint64_t)lo + smc_rng_below(rng, width + 1));
}

double smc_rng_float(smc_rng_t *rng)
{
    return (double)(smc_rng_u64(rng) >> 11) * 0x1p-53;
}

/* Marsaglia's polar method.  The second number of each pair is dropped: keeping it would make the state larger than
 * the stream's place. */
double smc_rng_normal(smc_rng_t *rng)
{
    double x;
    double s;

    do {
        double y = 2 * smc_rng_float(rng) - 1;

        x = 2 * smc_rng_float(rng) - 1;
        s = x * x + y * y;
    } while (s >= 1 || s == 0);
    return x * sqrt(-2 * log(s) / s);
}

double smc_rng_exp(smc_rng_t *rng)
{
    return -log1p(-smc_rng_float(rng));
}

void smc_rng_alnum(smc_rng_t *rng, char *out, size_t n)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    for (size_t i = 0; i < n; i++)
        out[i] = alphabet[smc_rng_below(rng, sizeof(alphabet) - 1)];
    out[n] = '\0';
}
