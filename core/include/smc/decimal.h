/* smc/decimal.h - exact decimal numbers: prices, quantities, balances.
 *
 * Model   an integer of 128 bits that counts units of 10^-18.  Magnitude up to SMC_DEC_MAX, about 1.7 * 10^20.
 * Exact   nothing is ever lost silently: what does not fit is SMC_EOVERFLOW, what must be rounded names its mode.
 * Failure a failed operation leaves *out as it was.
 * Pure    no clock, no I/O, no allocation.  A zeroed struct is the number zero.
 * Bits    a plain value: copy it, embed it.  Use smc_dec_cmp, not memcmp.
 */
#ifndef SMC_DECIMAL_H
#define SMC_DECIMAL_H

#include "smc/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SMC_DEC_PLACES = 18,
    SMC_DEC_MINIMAL = -1,  /* smc_dec_format: as many decimals as there are */
    SMC_DEC_TEXT_MAX = 48, /* room for any number as text, with its NUL */
};

__extension__ typedef __int128 smc_dec_units_t;

typedef struct smc_dec {
    smc_dec_units_t units; /* of 10^-18; never the least value of its type */
} smc_dec_t;

typedef enum smc_round {
    SMC_ROUND_DOWN,      /* toward zero */
    SMC_ROUND_UP,        /* away from zero */
    SMC_ROUND_HALF_UP,   /* to the nearest; halves away from zero */
    SMC_ROUND_HALF_EVEN, /* to the nearest; halves to the even neighbour */
    SMC_ROUND_FLOOR,     /* toward minus infinity */
} smc_round_t;

/* ---- text --------------------------------------------------------------- */

/* Grammar  "-"? digit+ ("." digit+)?   Nothing else: no "+", exponent, space or bare point.
 * n  bytes; the text need not end with a NUL.
 * Errors: SMC_EPARSE (grammar); SMC_EOVERFLOW (too large, or a digit other than 0 behind the 18th decimal). */
smc_code_t smc_dec_parse(const char *text, size_t n, smc_dec_t *out);

/* Writes the number with exactly `places` decimals (0..18), rounded by `mode` if it has more; or with as many as it
 * has when places is SMC_DEC_MINIMAL.  Zero has no sign, also when rounding made it.
 * out: SMC_DEC_TEXT_MAX bytes.  Returns the length without the NUL. */
size_t smc_dec_format(smc_dec_t a, int places, smc_round_t mode, char *out);
/* The minimal form. */
size_t smc_dec_text(smc_dec_t a, char *out);

/* ---- arithmetic: errors are SMC_EOVERFLOW unless said otherwise ---------- */

smc_dec_t smc_dec_from_int(int64_t whole); /* cannot overflow */
smc_dec_t smc_dec_neg(smc_dec_t a);
smc_dec_t smc_dec_abs(smc_dec_t a);
smc_code_t smc_dec_add(smc_dec_t a, smc_dec_t b, smc_dec_t *out);
smc_code_t smc_dec_sub(smc_dec_t a, smc_dec_t b, smc_dec_t *out);
/* The exact product or quotient, rounded once to `places` decimals (0..18).
 * div: SMC_EINVAL when b is zero. */
smc_code_t smc_dec_mul(smc_dec_t a, smc_dec_t b, int places, smc_round_t mode, smc_dec_t *out);
smc_code_t smc_dec_div(smc_dec_t a, smc_dec_t b, int places, smc_round_t mode, smc_dec_t *out);

/* -1, 0 or 1. */
int smc_dec_cmp(smc_dec_t a, smc_dec_t b);
int smc_dec_sign(smc_dec_t a);

/* ---- grids -------------------------------------------------------------- */

/* To `places` decimals (0..18). */
smc_code_t smc_dec_round(smc_dec_t a, int places, smc_round_t mode, smc_dec_t *out);
/* To a multiple of step.  SMC_EINVAL unless step > 0. */
smc_code_t smc_dec_round_to(smc_dec_t a, smc_dec_t step, smc_round_t mode, smc_dec_t *out);
/* Whether a is a whole number of steps.  Asserts step > 0. */
bool smc_dec_is_multiple(smc_dec_t a, smc_dec_t step);

#endif /* SMC_DECIMAL_H */
