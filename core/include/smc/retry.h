/* smc/retry.h - retry policy: whether a request that failed is sent again, and when.
 *
 * Law     An order whose outcome nobody knows is looked up, never sent again on a guess, however many attempts are
 *         left.  Anything else is repeated only when that can't do a thing twice: it changes nothing, or it provably
 *         was not sent, or the venue says that nothing has happened.
 *         The wait doubles (factor_pct) from base_ms to max_ms, shortened by up to jitter_pct of itself; what the
 *         venue asks for (Retry-After) is never undercut.  A wait that would end beyond the budget is not begun.
 * Pure    no clock, no I/O, no allocation: pass monotonic milliseconds and a seeded stream for the jitter.
 * Source  RFC 9110 section 9.2.2 (idempotent methods) and 10.2.3 (Retry-After); jitter as "full" to "none" by
 *         jitter_pct 100 to 0 (M. Brooker, Exponential Backoff and Jitter).
 */
#ifndef SMC_RETRY_H
#define SMC_RETRY_H

#include "smc/error.h"
#include "smc/rng.h"

#include <stdbool.h>
#include <stdint.h>

#define SMC_RETRY_MAX_MS 1000000000u /* of base_ms and max_ms */

typedef struct smc_retry_conf {
    uint32_t attempts;   /* in all, the first one too; >= 1 */
    uint64_t budget_ms;  /* from the first attempt to the last wait's end; 0: no bound */
    uint32_t base_ms;    /* 1..max_ms: before the second attempt */
    uint32_t max_ms;     /* <= SMC_RETRY_MAX_MS */
    uint32_t factor_pct; /* 100..1000 */
    uint32_t jitter_pct; /* 0..100 */
} smc_retry_conf_t;

/* One request over all its attempts.  A plain value. */
typedef struct smc_retry {
    smc_retry_conf_t conf;
    uint32_t failed; /* read-only: attempts that failed so far */
    /* private */
    uint64_t _started_ms;
} smc_retry_t;

/* How an attempt failed. */
typedef struct smc_failure {
    bool mutation;           /* it could place, change or cancel something */
    bool sent;               /* bytes of it may have reached the venue */
    bool answered;           /* the venue said no, and that nothing has happened */
    bool temporary;          /* the same request may succeed later */
    uint64_t retry_after_ms; /* the venue's wish; 0: none */
} smc_failure_t;

typedef enum smc_retry_verdict {
    SMC_RETRY_STOP,
    SMC_RETRY_AGAIN,   /* after *wait_ms */
    SMC_RETRY_LOOK_UP, /* by client id, after *wait_ms; if it is not there it was not sent */
} smc_retry_verdict_t;

/* Errors: SMC_EINVAL, naming the field. */
smc_code_t smc_retry_init(smc_retry_t *r, const smc_retry_conf_t *conf, uint64_t now_ms,
                          smc_error_t *err);

/* To be called once for each failed attempt.  *wait_ms is set unless the verdict is STOP. */
smc_retry_verdict_t smc_retry_next(smc_retry_t *r, const smc_failure_t *failure, uint64_t now_ms,
                                   smc_rng_t *rng, uint64_t *wait_ms);

#endif /* SMC_RETRY_H */
