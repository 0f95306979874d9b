/* smc/failover.h - which of several venues is used, when to leave one, and when to come back.
 *
 * Members   up to SMC_FAILOVER_MEMBERS, ranked by weight, the heavier first, then as they are listed.  Each is up
 *           or down:
 *             up -> down  when a trigger's condition has held for its for_ms without a break
 *             down -> up  when no trigger's condition holds and its score is at least recover_score, both for
 *                         recover_ms without a break
 * Choice    BY_RANK: the best ranked member that is up.  BY_HEALTH: the one with the highest score, by rank when equal.
 * Switch    The active member is down, or there is none: to the choice, at once; when nobody is up, to none.
 *           It is up: never, but for failback: with AUTO, to the choice, once that was up for failback_ms, cooldown_ms
 *           have passed since the last switch, and (BY_HEALTH) its score is higher by more than `hysteresis`.
 *           By hand: to any member that is up; then nobody fails back until the active one goes down.
 *           One at a time: between a SWITCH and smc_failover_done nothing is decided.  A switch that failed leaves its
 *           target down.
 * Pure      no clock, no I/O, no allocation: pass monotonic milliseconds that never go back.  One owner thread.
 * Source    core/tests/test_failover.c
 */
#ifndef SMC_FAILOVER_H
#define SMC_FAILOVER_H

#include "smc/error.h"

#include <stdbool.h>
#include <stdint.h>

#define SMC_FAILOVER_MEMBERS 8
#define SMC_FAILOVER_TRIGGERS 8
#define SMC_FAILOVER_NONE (-1) /* no member */

/* X(name, text): why a member goes down, and what its threshold is compared with */
#define SMC_TRIGGER_MAP(X)                                     \
    X(CONNECTION, "connection")     /* it is not connected */  \
    X(LATENCY, "latency")           /* latency_ms >= */        \
    X(ERRORS, "errors")             /* failures in a row >= */ \
    X(RATE_LIMIT, "rate_limit")     /* limit_hits >= */        \
    X(STREAM_STALE, "stream_stale") /* stream_age_ms >= */     \
    X(BREAKER, "breaker")           /* its breaker is open */  \
    X(HEALTH, "health")             /* score <= */

typedef enum smc_trigger_kind {
#define X(name, text) SMC_TRIGGER_##name,
    SMC_TRIGGER_MAP(X)
#undef X
        SMC_TRIGGER_COUNT
} smc_trigger_kind_t;

/* Why a switch: a trigger, or one of these. */
enum {
    SMC_CAUSE_MANUAL = SMC_TRIGGER_COUNT,
    SMC_CAUSE_FAILBACK,
    SMC_CAUSE_RECOVERED, /* there was none, now there is one */
    SMC_CAUSE_FAILED,    /* the switch before did not succeed */
};

typedef struct smc_trigger {
    smc_trigger_kind_t kind;
    uint64_t threshold; /* of CONNECTION and BREAKER: not looked at */
    uint64_t for_ms;
} smc_trigger_t;

/* What is known of a member now. */
typedef struct smc_signal {
    bool connected, breaker_open;
    uint32_t latency_ms, failures, limit_hits;
    uint64_t stream_age_ms;
    uint32_t score; /* 0..100 */
} smc_signal_t;

typedef struct smc_failover_conf {
    uint32_t n; /* members: 1..SMC_FAILOVER_MEMBERS */
    uint32_t weights[SMC_FAILOVER_MEMBERS];
    uint32_t n_triggers; /* 1..SMC_FAILOVER_TRIGGERS */
    smc_trigger_t triggers[SMC_FAILOVER_TRIGGERS];
    bool by_health;
    uint32_t hysteresis;    /* 0..100 */
    uint32_t recover_score; /* 0..100 */
    uint64_t recover_ms;
    bool failback; /* AUTO */
    uint64_t failback_ms, cooldown_ms;
} smc_failover_conf_t;

typedef enum smc_failover_verdict {
    SMC_FAILOVER_STAY,
    SMC_FAILOVER_SWITCH,   /* go to last.to, then call smc_failover_done */
    SMC_FAILOVER_NO_VENUE, /* told once: from now on there is none */
} smc_failover_verdict_t;

/* The last decision. */
typedef struct smc_switch {
    int from, to;   /* member or SMC_FAILOVER_NONE */
    int cause;      /* smc_trigger_kind_t or SMC_CAUSE_... */
    uint64_t value; /* what the trigger saw; of FAILBACK the target's score */
    uint64_t at_ms, done_ms;
} smc_switch_t;

typedef struct smc_failover {
    smc_failover_conf_t conf;
    int active;        /* read-only: member or SMC_FAILOVER_NONE */
    smc_switch_t last; /* read-only; means something once switches > 0 */
    uint32_t switches; /* read-only: decisions other than STAY so far */
    /* private */
    bool _switching, _by_hand, _failed;
    uint64_t _moved_ms; /* of the last switch that succeeded */
    struct {
        bool down;
        uint64_t up_since;
        uint64_t
            since[SMC_FAILOVER_TRIGGERS]; /* the condition holds since; UINT64_MAX: it does not */
        uint64_t fine_since;              /* fit to recover since; UINT64_MAX: it is not */
        int cause;                        /* why it went down */
        uint64_t value;
        uint32_t score;
    } _m[SMC_FAILOVER_MEMBERS];
} smc_failover_t;

/* All members are up, the best ranked one is active.  Errors: SMC_EINVAL, naming the field. */
smc_code_t smc_failover_init(smc_failover_t *f, const smc_failover_conf_t *conf, uint64_t now_ms,
                             smc_error_t *err);

/* signals: one for each member.  To be called whenever something has changed, and now and then: what holds "for" a time
 * shows only when it is looked at. */
smc_failover_verdict_t smc_failover_step(smc_failover_t *f, const smc_signal_t *signals,
                                         uint64_t now_ms);
void smc_failover_done(smc_failover_t *f, bool ok, uint64_t now_ms);

/* Begins a switch by hand, like a SWITCH.  Errors: SMC_EAGAIN while one is under way, SMC_EEXIST: it is active already,
 * SMC_EINVAL: no such member, or it is down. */
smc_code_t smc_failover_move(smc_failover_t *f, int to, uint64_t now_ms, smc_error_t *err);

bool smc_failover_is_up(const smc_failover_t *f, int member);
const char *smc_cause_text(int cause); /* "latency", "manual", "failback", ... */

#endif /* SMC_FAILOVER_H */
