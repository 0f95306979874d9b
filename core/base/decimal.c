#include "smc/decimal.h"

#include <assert.h>
#include <string.h>

__extension__ typedef unsigned __int128 u128_t;

/* Magnitudes stay below 2^127, so that a sign can always be put on or taken off. */
static const u128_t max_units = ~(u128_t)0 >> 1;

static const uint64_t pow10[SMC_DEC_PLACES + 1] = {
    UINT64_C(1),
    UINT64_C(10),
    UINT64_C(100),
    UINT64_C(1000),
    UINT64_C(10000),
    UINT64_C(100000),
    UINT64_C(1000000),
    UINT64_C(10000000),
    UINT64_C(100000000),
    UINT64_C(1000000000),
    UINT64_C(10000000000),
    UINT64_C(100000000000),
    UINT64_C(1000000000000),
    UINT64_C(10000000000000),
    UINT64_C(100000000000000),
    UINT64_C(1000000000000000),
    UINT64_C(10000000000000000),
    UINT64_C(100000000000000000),
    UINT64_C(1000000000000000000),
};
#define SCALE UINT64_C(1000000000000000000)
#define SHORT_DIGITS 18 /* surely fit into 64 bits */

static u128_t magnitude(smc_dec_t a)
{
    return a.units < 0 ? (u128_t)-a.units : (u128_t)a.units;
}

static smc_code_t from_magnitude(bool negative, u128_t m, smc_dec_t *out)
{
    if (m > max_units)
        return SMC_EOVERFLOW;
    out->units = negative ? -(smc_dec_units_t)m : (smc_dec_units_t)m;
    return SMC_OK;
}

/* A magnitude counted in 10^-places, in units. */
static smc_code_t rescale(bool negative, u128_t m, int places, smc_dec_t *out)
{
    u128_t units;

    if (__builtin_mul_overflow(m, (u128_t)pow10[SMC_DEC_PLACES - places], &units))
        return SMC_EOVERFLOW;
    return from_magnitude(negative, units, out);
}

/* Whether a magnitude whose cut-off part is `rest` of `whole` (rest < whole) goes one up.
 * q: the magnitude before, for the even neighbour. */
static bool goes_up(bool negative, u128_t q, u128_t rest, u128_t whole, smc_round_t mode)
{
    u128_t other =
        whole - rest; /* compares with rest as rest * 2 does with whole, but cannot overflow */

    if (rest == 0)
        return false;
    switch (mode) {
    case SMC_ROUND_DOWN:
        return false;
    case SMC_ROUND_UP:
        return true;
    case SMC_ROUND_HALF_UP:
        return rest >= other;
    case SMC_ROUND_HALF_EVEN:
        return rest > other || (rest == other && (q & 1) == 1);
    case SMC_ROUND_FLOOR:
        return negative;
    }
    return false;
}

/* ---- text ----------------------------------------------------------------------------------- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static smc_code_t push_digit(u128_t *m, char c)
{
    unsigned digit = (unsigned)(c - '0');

    if (*m >= max_units / 10 && *m > (max_units - digit) / 10)
        return SMC_EOVERFLOW;
    *m = *m * 10 + digit;
    return SMC_OK;
}

/* The grammar alone: whether text is a number, and where its point stands (n when it has none). */
static bool scan(const char *text, size_t n, size_t *digits_at, size_t *point_at)
{
    size_t i = n > 0 && text[0] == '-' ? 1 : 0;

    *digits_at = i;
    while (i < n && is_digit(text[i]))
        i++;
    *point_at = i;
    if (i == *digits_at)
        return false;
    if (i == n)
        return true;
    if (text[i] != '.' || i + 1 == n)
        return false;
    for (i++; i < n; i++)
        if (!is_digit(text[i]))
            return false;
    return true;
}

/* The usual number, in one go and without 128 bits.  false: it is long, or none. */
static bool parse_short(const char *text, size_t n, smc_dec_t *out)
{
    bool negative = n > 0 && text[0] == '-';
    size_t first = negative ? 1 : 0, point = n, places;
    uint64_t m = 0;

    if (n > SHORT_DIGITS)
        return false;
    for (size_t i = first; i < n; i++) {
        if (is_digit(text[i]))
            m = m * 10 + (uint64_t)(text[i] - '0');
        else if (text[i] == '.' && point == n && i > first)
            point = i;
        else
            return false;
    }
    places = point == n ? 0 : n - point - 1;
    if (first == n || (point < n && places == 0))
        return false;
    out->units = (smc_dec_units_t)((u128_t)m * pow10[SMC_DEC_PLACES - places]);
    if (negative)
        out->units = -out->units;
    return true;
}

smc_code_t smc_dec_parse(const char *text, size_t n, smc_dec_t *out)
{
    size_t at;
    size_t point;
    u128_t m = 0;
    int places = 0;

    if (parse_short(text, n, out))
        return SMC_OK;
    /* Grammar first: what is no number must not be reported as too large a one. */
    if (!scan(text, n, &at, &point))
        return SMC_EPARSE;
    for (; at < point; at++)
        if (push_digit(&m, text[at]) != SMC_OK)
            return SMC_EOVERFLOW;
    for (at = point + 1; at < n; at++) {
        if (places < SMC_DEC_PLACES) {
            if (push_digit(&m, text[at]) != SMC_OK)
                return SMC_EOVERFLOW;
            places++;
        } else if (text[at] != '0') {
            return SMC_EOVERFLOW;
        }
    }
    return rescale(text[0] == '-', m, places, out);
}

/* Exactly so many digits; the last one is the lowest. */
static void put_places(char *out, uint64_t m, int places)
{
    for (int i = places - 1; i >= 0; i--, m /= 10)
        out[i] = (char)('0' + (int)(m % 10));
}

/* Returns the number of digits. */
static size_t put_whole(char *out, u128_t m)
{
    uint64_t low = (uint64_t)m;
    int digits = 1;

    if (m >= SCALE) { /* at most 21 digits in all */
        size_t n = put_whole(out, m / SCALE);
        put_places(out + n, (uint64_t)(m % SCALE), SMC_DEC_PLACES);
        return n + SMC_DEC_PLACES;
    }
    while (digits < SMC_DEC_PLACES && low >= pow10[digits])
        digits++;
    put_places(out, low, digits);
    return (size_t)digits;
}

/* How many decimals there are in what is behind the point. */
static int places_of(uint64_t behind)
{
    int places = SMC_DEC_PLACES;

    if (behind == 0)
        return 0;
    if (behind % pow10[9] == 0) {
        behind /= pow10[9];
        places -= 9;
    }
    while (behind % 10 == 0) {
        behind /= 10;
        places--;
    }
    return places;
}

size_t smc_dec_format(smc_dec_t a, int places, smc_round_t mode, char *out)
{
    bool negative = a.units < 0;
    u128_t m = magnitude(a), whole = m >> 64 == 0 ? (uint64_t)m / SCALE : m / SCALE;
    uint64_t behind = (uint64_t)(m - whole * SCALE), cut, rest;
    int shown = places == SMC_DEC_MINIMAL ? places_of(behind) : places;
    size_t n = 0;

    assert(shown >= 0 && shown <= SMC_DEC_PLACES);
    cut = pow10[SMC_DEC_PLACES - shown];
    rest = behind % cut;
    behind /= cut;
    if (rest != 0 && goes_up(negative, shown > 0 ? behind : whole, rest, cut, mode) &&
        ++behind == pow10[shown]) {
        behind = 0;
        whole++;
    }
    if (negative && (whole > 0 || behind > 0))
        out[n++] = '-';
    n += put_whole(out + n, whole);
    if (shown > 0) {
        out[n++] = '.';
        put_places(out + n, behind, shown);
        n += (size_t)shown;
    }
    out[n] = '\0';
    return n;
}

size_t smc_dec_text(smc_dec_t a, char *out)
{
    return smc_dec_format(a, SMC_DEC_MINIMAL, SMC_ROUND_DOWN, out);
}

/* ---- arithmetic ----------------------------------------------------------------------------- */

smc_dec_t smc_dec_from_int(int64_t whole)
{
    return (smc_dec_t){(smc_dec_units_t)whole * (smc_dec_units_t)SCALE};
}

smc_dec_t smc_dec_neg(smc_dec_t a)
{
    return (smc_dec_t){-a.units};
}

smc_dec_t smc_dec_abs(smc_dec_t a)
{
    return (smc_dec_t){a.units < 0 ? -a.units : a.units};
}

smc_code_t smc_dec_add(smc_dec_t a, smc_dec_t b, smc_dec_t *out)
{
    smc_dec_units_t sum;

    if (__builtin_add_overflow(a.units, b.units, &sum) || sum < -(smc_dec_units_t)max_units)
        return SMC_EOVERFLOW;
    out->units = sum;
    return SMC_OK;
}

smc_code_t smc_dec_sub(smc_dec_t a, smc_dec_t b, smc_dec_t *out)
{
    return smc_dec_add(a, smc_dec_neg(b), out);
}

/* {hi, lo} = a * b */
static void multiply(u128_t a, u128_t b, u128_t *hi, u128_t *lo)
{
    uint64_t a0 = (uint64_t)a;
    uint64_t a1 = (uint64_t)(a >> 64);
    uint64_t b0 = (uint64_t)b;
    uint64_t b1 = (uint64_t)(b >> 64);
    u128_t low = (u128_t)a0 * b0;
    u128_t mid = (u128_t)a1 * b0 + (low >> 64);
    u128_t mid2 = (u128_t)a0 * b1 + (uint64_t)mid;

    *lo = mid2 << 64 | (uint64_t)low;
    *hi = (u128_t)a1 * b1 + (mid >> 64) + (mid2 >> 64);
}

/* {*hi, *lo} /= d; returns the remainder.  Schoolbook division by one digit of 64 bits. */
static uint64_t divide_short(u128_t *hi, u128_t *lo, uint64_t d)
{
    u128_t part[4] = {*hi >> 64, (uint64_t)*hi, *lo >> 64, (uint64_t)*lo};
    u128_t rest = 0;

    if (*hi == 0) {
        u128_t q = *lo >> 64 == 0 ? (uint64_t)*lo / d : *lo / d;
        rest = *lo - q * d;
        *lo = q;
        return (uint64_t)rest;
    }
    for (int i = 0; i < 4; i++) {
        u128_t at = rest << 64 | part[i];

        part[i] = at >> 64 == 0 ? (uint64_t)at / d : at / d;
        rest = at - part[i] * d;
    }
    *hi = part[0] << 64 | part[1];
    *lo = part[2] << 64 | part[3];
    return (uint64_t)rest;
}

/* q = {hi, lo} / d; returns the remainder.  hi < d < 2^127, so that q fits and the shift loses nothing. */
static u128_t divide_long(u128_t hi, u128_t lo, u128_t d, u128_t *q)
{
    if (hi == 0) {
        *q = lo / d;
        return lo % d;
    }
    *q = 0;
    for (int bit = 127; bit >= 0; bit--) {
        hi = hi << 1 | (lo >> bit & 1);
        *q <<= 1;
        if (hi >= d) {
            hi -= d;
            *q |= 1;
        }
    }
    return hi;
}

smc_code_t smc_dec_mul(smc_dec_t a, smc_dec_t b, int places, smc_round_t mode, smc_dec_t *out)
{
    bool negative = (a.units < 0) != (b.units < 0);
    uint64_t cut;
    u128_t hi;
    u128_t lo;
    u128_t rest;

    assert(places >= 0 && places <= SMC_DEC_PLACES);
    multiply(magnitude(a), magnitude(b), &hi, &lo);
    /* In two steps, because the whole divisor, 10^(36 - places), does not fit into 64 bits.  Both remainders
     * together decide, so the result is still rounded once. */
    rest = divide_short(&hi, &lo, SCALE);
    cut = pow10[SMC_DEC_PLACES - places];
    if (cut > 1)
        rest += (u128_t)divide_short(&hi, &lo, cut) * SCALE;
    if (hi != 0 || lo > max_units)
        return SMC_EOVERFLOW;
    lo += goes_up(negative, lo, rest, (u128_t)cut * SCALE, mode);
    return rescale(negative, lo, places, out);
}

smc_code_t smc_dec_div(smc_dec_t a, smc_dec_t b, int places, smc_round_t mode, smc_dec_t *out)
{
    bool negative = (a.units < 0) != (b.units < 0);
    u128_t divisor = magnitude(b);
    u128_t hi;
    u128_t lo;
    u128_t q;
    u128_t rest;

    assert(places >= 0 && places <= SMC_DEC_PLACES);
    if (divisor == 0)
        return SMC_EINVAL;
    multiply(magnitude(a), pow10[places], &hi, &lo);
    if (hi >= divisor)
        return SMC_EOVERFLOW;
    rest = divide_long(hi, lo, divisor, &q);
    if (q > max_units)
        return SMC_EOVERFLOW;
    q += goes_up(negative, q, rest, divisor, mode);
    return rescale(negative, q, places, out);
}

int smc_dec_cmp(smc_dec_t a, smc_dec_t b)
{
    return (a.units > b.units) - (a.units < b.units);
}

int smc_dec_sign(smc_dec_t a)
{
    return (a.units > 0) - (a.units < 0);
}

/* ---- grids ---------------------------------------------------------------------------------- */

smc_code_t smc_dec_round(smc_dec_t a, int places, smc_round_t mode, smc_dec_t *out)
{
    assert(places >= 0 && places <= SMC_DEC_PLACES);
    return smc_dec_round_to(a, (smc_dec_t){(smc_dec_units_t)pow10[SMC_DEC_PLACES - places]}, mode,
                            out);
}

smc_code_t smc_dec_round_to(smc_dec_t a, smc_dec_t step, smc_round_t mode, smc_dec_t *out)
{
    bool negative = a.units < 0;
    u128_t m = magnitude(a);
    u128_t width = magnitude(step);
    u128_t rest;

    if (step.units <= 0)
        return SMC_EINVAL;
    rest = m % width;
    /* Both below 2^127: the sum cannot wrap. */
    if (goes_up(negative, m / width, rest, width, mode))
        m += width;
    return from_magnitude(negative, m - rest, out);
}

bool smc_dec_is_multiple(smc_dec_t a, smc_dec_t step)
{
    assert(step.units > 0);
    return a.units % step.units == 0;
}
