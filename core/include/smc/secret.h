/* smc/secret.h - bytes that must not leave the process.
 *
 * They live in pages of their own: locked into memory where the system allows it, left out of core dumps, wiped
 * before the pages are given back.  There is no way to print one; equality is constant time.
 * Ownership  whoever made it frees it.
 */
#ifndef SMC_SECRET_H
#define SMC_SECRET_H

#include "smc/error.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct smc_secret smc_secret_t;

/* Copies n >= 1 bytes; the caller wipes its own copy (smc_wipe).  Errors: SMC_EINVAL, SMC_ENOMEM. */
smc_code_t smc_secret_new(const void *bytes, size_t n, smc_secret_t **out, smc_error_t *err);
/* n random letters and digits from the kernel.  Errors: SMC_EINVAL (n is 0), SMC_ENOMEM, SMC_ESYS. */
smc_code_t smc_secret_random(size_t n, smc_secret_t **out, smc_error_t *err);
/* Wipes and frees.  Accepts NULL. */
void smc_secret_free(smc_secret_t *s);

/* The bytes, borrowed until the secret is freed; a NUL stands behind them, which *n does not count. */
const char *smc_secret_borrow(const smc_secret_t *s, size_t *n);
/* The time taken depends on the lengths only. */
bool smc_secret_equal(const smc_secret_t *s, const void *bytes, size_t n);

/* Overwrites memory in a way that the compiler cannot drop. */
void smc_wipe(void *p, size_t n);

#endif /* SMC_SECRET_H */
