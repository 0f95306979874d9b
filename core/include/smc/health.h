/* smc/health.h - how well a venue is doing, as a score and a word, from what its clients saw of it.
 *
 * Law     The score is the lowest of five parts, each 0 to 100: a venue is as good as its weakest side.
 *           success   percent of the last `window` calls that succeeded; 100 before the first
 *           latency   100 up to good_ms, 0 from bad_ms on, evenly between; of a moving average (1/8 of each new
 *                     call, counted as bad_ms at most)
 *           streak    falls evenly to 0 over down_after failures in a row
 *           stream    100 while watched frames are at most stale_ms old, 0 at twice that, evenly between
 *           limits    falls evenly to 0 over limit_max refusals for a limit within the last minute
 *         OFFLINE when the streak has reached down_after, else HEALTHY from 80, DEGRADED from 50, UNHEALTHY below.
 *         What was not asked and not watched does not change it.
 * Pure    no clock, no I/O, no allocation: pass monotonic milliseconds that never go back.  One owner thread.
 * Source  core/tests/test_health.c
 */
#ifndef SMC_HEALTH_H
#define SMC_HEALTH_H

#include "smc/error.h"

#include <stdbool.h>
#include <stdint.h>

#define SMC_HEALTH_WINDOW_MAX 64
#define SMC_HEALTH_LIMIT_MAX 16

typedef enum smc_health_state {
    SMC_HEALTH_HEALTHY,
    SMC_HEALTH_DEGRADED,
    SMC_HEALTH_UNHEALTHY,
    SMC_HEALTH_OFFLINE,
} smc_health_state_t;

typedef enum smc_health_call {
    SMC_HEALTH_OK,
    SMC_HEALTH_FAILED,  /* no answer, or the venue's own failure */
    SMC_HEALTH_LIMITED, /* turned away for a limit: no failure, no success */
} smc_health_call_t;

typedef struct smc_health_conf {
    uint32_t window;          /* calls; 1..SMC_HEALTH_WINDOW_MAX */
    uint32_t good_ms, bad_ms; /* good_ms < bad_ms */
    uint32_t down_after;      /* failures in a row; >= 1 */
    uint32_t stale_ms;        /* >= 1 */
    uint32_t limit_max;       /* 1..SMC_HEALTH_LIMIT_MAX */
} smc_health_conf_t;

typedef struct smc_health_parts {
    uint32_t success, latency, streak, stream, limits; /* 0..100 each */
    uint32_t score;                                    /* the lowest of them */
    smc_health_state_t state;
} smc_health_parts_t;

typedef struct smc_health {
    smc_health_conf_t conf;
    uint32_t failures; /* read-only: in a row */
    /* private */
    uint64_t _ring; /* bit i: the call i ago succeeded */
    uint32_t _n;
    uint32_t _latency_x8; /* eight times the average */
    bool _timed, _watched;
    uint64_t _frame_ms;
    uint64_t _limited_ms[SMC_HEALTH_LIMIT_MAX]; /* the last ones */
    uint32_t _limited;
} smc_health_t;

/* Errors: SMC_EINVAL, naming the field. */
smc_code_t smc_health_init(smc_health_t *h, const smc_health_conf_t *conf, smc_error_t *err);

/* latency_ms: how long the call took; of a failed one it is not looked at. */
void smc_health_call(smc_health_t *h, smc_health_call_t result, uint32_t latency_ms,
                     uint64_t now_ms);
/* A frame came, or watching begins: from now on streams are expected to stay fresh. */
void smc_health_frame(smc_health_t *h, uint64_t now_ms);
/* No stream is watched any more. */
void smc_health_unwatch(smc_health_t *h);

smc_health_parts_t smc_health_look(const smc_health_t *h, uint64_t now_ms);
uint32_t smc_health_latency_ms(const smc_health_t *h); /* the average; 0 before the first */
const char *smc_health_state_text(smc_health_state_t state);

#endif /* SMC_HEALTH_H */
