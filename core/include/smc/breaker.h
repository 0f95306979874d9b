/* smc/breaker.h - circuit breaker: stops calling what fails, and tries again with care.
 *
 * Law     CLOSED     every call passes.  After each counted result: with at least min_calls in the window, when
 *                    failures reach failure_pct of them, or slow calls slow_pct, it opens.
 *         OPEN       every call is refused until open_ms have passed; the ask at that instant is already a probe.
 *         HALF_OPEN  at most `probes` calls at a time.  The first bad one opens it again, for growth_pct of the last
 *                    interval but at most open_max_ms; `probes` good ones close it, and the interval starts anew.
 * Window  the last `size` results, or those of the last `size` milliseconds, forgotten a sixteenth at a time.
 *         It is empty after every transition.
 * Permit  each that was granted is reported exactly once, also when the call was cancelled (SMC_CALL_IGNORED).
 *         A result of before the last transition says nothing about now: it is taken back and not counted.
 * Urgent  what must not wait for failures of before (getting out of a position) is refused by a force alone: to an open
 *         breaker it is a probe at once, to one that is half-open one more, and it is judged as one.
 * Pure    no clock, no I/O, no allocation: pass monotonic milliseconds that never go back.  One owner thread.
 * Source  Nygard, Release It!, "Circuit Breaker"; rates, slow calls and windows as resilience4j has them.
 */
#ifndef SMC_BREAKER_H
#define SMC_BREAKER_H

#include "smc/error.h"

#include <stdbool.h>
#include <stdint.h>

#define SMC_BREAKER_MAX_CALLS 1024 /* size of a window that counts calls */
#define SMC_BREAKER_SLOTS 16       /* of a window of time */

typedef enum smc_breaker_state {
    SMC_BREAKER_CLOSED,
    SMC_BREAKER_OPEN,
    SMC_BREAKER_HALF_OPEN,
} smc_breaker_state_t;

typedef enum smc_breaker_window { SMC_BREAKER_COUNT, SMC_BREAKER_TIME } smc_breaker_window_t;

/* Until released: passes nothing, or everything and counts nothing. */
typedef enum smc_breaker_force {
    SMC_BREAKER_FREE,
    SMC_BREAKER_FORCED_OPEN,
    SMC_BREAKER_FORCED_CLOSED,
} smc_breaker_force_t;

typedef enum smc_call {
    SMC_CALL_OK,
    SMC_CALL_FAILED,
    SMC_CALL_IGNORED, /* cancelled, or an error that says nothing about the other side */
} smc_call_t;

typedef struct smc_breaker_conf {
    smc_breaker_window_t window;
    uint32_t
        size; /* COUNT: 1..SMC_BREAKER_MAX_CALLS calls; TIME: milliseconds, >= SMC_BREAKER_SLOTS */
    uint32_t min_calls;   /* >= 1; COUNT: <= size */
    uint32_t failure_pct; /* 1..100; 0: failures never open it */
    uint32_t slow_pct;    /* 1..100; 0: slowness never opens it, nor fails a probe */
    uint64_t slow_ms;     /* a call that took so long is slow; >= 1 when slow_pct > 0 */
    uint64_t open_ms;     /* >= 1 */
    uint64_t open_max_ms; /* >= open_ms */
    uint32_t growth_pct;  /* 100..1000; 200: twice as long each time */
    uint32_t probes;      /* >= 1 */
} smc_breaker_conf_t;

/* One granted call.  A plain value of the caller's. */
typedef struct smc_permit {
    uint64_t started_ms;
    uint32_t era; /* private */
} smc_permit_t;

/* Why and when the state last changed. */
typedef struct smc_breaker_change {
    smc_breaker_state_t from, to;
    uint64_t at_ms;
    uint32_t calls, failures, slow; /* of the window that decided; zeros when no window did */
} smc_breaker_change_t;

typedef struct smc_breaker {
    smc_breaker_conf_t conf;
    smc_breaker_change_t last; /* read-only; means something once changes > 0 */
    uint32_t changes;          /* read-only: transitions so far */
    uint32_t out;              /* read-only: permits that were granted and are not reported yet */
    /* private */
    smc_breaker_state_t _state;
    smc_breaker_force_t _force;
    uint32_t _era;
    uint64_t _open_until_ms, _interval_ms;
    uint32_t _probes_out, _probes_good;
    uint32_t _next, _n; /* COUNT: where the next result goes, how many there are */
    struct {
        uint64_t slot; /* TIME: which sixteenth since the epoch of the clock */
        uint32_t calls, failures, slow;
    } _slots[SMC_BREAKER_SLOTS];
    uint32_t _failures, _slow; /* COUNT: sums over _results */
    uint8_t _results[SMC_BREAKER_MAX_CALLS];
} smc_breaker_t;

/* Closed.  Errors: SMC_EINVAL, naming the field. */
smc_code_t smc_breaker_init(smc_breaker_t *b, const smc_breaker_conf_t *conf, smc_error_t *err);

/* Asks for one call.  true: make it, then report *permit.  false: don't; *wait_ms (may be NULL) is the time until it is
 * worth asking again, 0 when that depends on the probes that are out, UINT64_MAX when it is forced open. */
bool smc_breaker_ask(smc_breaker_t *b, uint64_t now_ms, smc_permit_t *permit, uint64_t *wait_ms);
/* The same for an urgent call: false only while it is forced open. */
bool smc_breaker_ask_urgently(smc_breaker_t *b, uint64_t now_ms, smc_permit_t *permit);
void smc_breaker_report(smc_breaker_t *b, const smc_permit_t *permit, uint64_t now_ms,
                        smc_call_t result);

/* FREE after a force starts anew, closed. */
void smc_breaker_set_force(smc_breaker_t *b, smc_breaker_force_t force, uint64_t now_ms);

/* As of the last call; an interval that has passed since shows at the next ask. */
smc_breaker_state_t smc_breaker_state(const smc_breaker_t *b);
const char *smc_breaker_state_text(smc_breaker_state_t state); /* "closed", "open", "half_open" */

#endif /* SMC_BREAKER_H */
