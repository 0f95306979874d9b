/* smc/limiter.h - rate limiter: who may send now, who waits, and in which order.
 *
 * Budgets   up to SMC_LIMITER_BUDGETS, each a token bucket or a fixed window; a request costs a weight in some of
 *           them and is granted when all can pay, at once and together.
 *           Bucket  `limit` tokens at most, full at the start, `refill` new ones each `period_ms`, evenly.
 *           Window  `limit` in each period; periods begin at multiples of period_ms of now + offset_ms, which is
 *                   how a venue's own clock is followed.
 * Order     strict priority, first come first served inside, no overtaking: nobody is granted while somebody of the
 *           same or a higher priority waits.  A request that no full budget could pay for is refused at once.
 * Costs     are paid at the grant.  A ticket that was cancelled while it waited has cost nothing; what was granted and
 *           then cost nothing can be given back.
 * Venue     knows better: what it says is left only ever makes a budget smaller (smc_limiter_left), and while it says
 *           wait (429, 418, 403) nobody is granted (smc_limiter_hold).
 * Shared    the budgets may be those of many workers (smc_limiter_share, smc/share.h); the queue is always its own.
 * Pure      no clock, no I/O, no allocation: pass monotonic milliseconds that never go back; tickets are the
 *           caller's and stay where they are while they wait.  One owner thread.
 * Source    Binance REST "LIMITS", Bybit v5 "Rate Limit Rules"; token bucket: RFC 2697 section 3, without the second.
 */
#ifndef SMC_LIMITER_H
#define SMC_LIMITER_H

#include "smc/error.h"

#include <stdbool.h>
#include <stdint.h>

#define SMC_LIMITER_BUDGETS 40      /* Bybit has one for each endpoint */
#define SMC_LIMITER_MAX 1000000000u /* of a limit, a refill, a period in milliseconds */

typedef enum smc_priority {
    SMC_PRIORITY_CRITICAL, /* closing positions, cancelling */
    SMC_PRIORITY_HIGH,
    SMC_PRIORITY_NORMAL,
    SMC_PRIORITY_LOW,
    SMC_PRIORITY_COUNT,
} smc_priority_t;

typedef enum smc_budget_kind { SMC_BUDGET_BUCKET, SMC_BUDGET_WINDOW } smc_budget_kind_t;

typedef struct smc_budget_conf {
    smc_budget_kind_t kind;
    uint32_t limit;     /* 1..SMC_LIMITER_MAX */
    uint32_t refill;    /* BUCKET: 1..SMC_LIMITER_MAX */
    uint32_t period_ms; /* 1..SMC_LIMITER_MAX */
    uint64_t offset_ms; /* WINDOW */
} smc_budget_conf_t;

/* A request that asks, and perhaps waits.  The caller's memory. */
typedef struct smc_ticket {
    uint32_t weights[SMC_LIMITER_BUDGETS]; /* set before asking; 0: costs nothing there */
    smc_priority_t priority;               /* set before asking */
    /* private */
    struct smc_ticket *_next, *_prev;
    bool _waits;
} smc_ticket_t;

typedef enum smc_grant {
    SMC_GRANTED,
    SMC_WAITING, /* queued: smc_limiter_next will name it, or smc_limiter_cancel ends it */
    SMC_NEVER,   /* a weight is above its budget's limit; not queued */
} smc_grant_t;

/* A budget that was used up so far, for the first time in its window (bucket: since it was below half). */
typedef enum smc_usage_alert {
    SMC_USAGE_WARNING = 1, /* 80 % */
    SMC_USAGE_CRITICAL = 2 /* 95 % */
} smc_usage_alert_t;

/* What changes about budgets; 64-bit words only, see smc/share.h. */
typedef struct smc_budget_state {
    uint64_t level;     /* BUCKET: tokens * period_ms; WINDOW: used */
    uint64_t at;        /* BUCKET: the time of level; WINDOW: which period */
    uint64_t offset_ms; /* WINDOW */
    uint64_t since_ms;  /* WINDOW: what was granted before is of another period, or may be */
    uint64_t paid_ms;   /* WINDOW: no grant was at this time or later */
} smc_budget_state_t;

typedef struct smc_budgets_state {
    uint64_t held_until_ms;
    smc_budget_state_t of[SMC_LIMITER_BUDGETS];
} smc_budgets_state_t;

typedef struct smc_limiter {
    uint32_t n_budgets;
    /* private */
    smc_budget_conf_t _conf[SMC_LIMITER_BUDGETS];
    smc_budgets_state_t _state;
    struct {
        uint64_t at; /* WINDOW: the period that was told of */
        uint8_t told, fresh;
    } _alerts[SMC_LIMITER_BUDGETS];
    struct {
        smc_ticket_t *head, *tail;
    } _queues[SMC_PRIORITY_COUNT];
    struct smc_share *_share; /* NULL: the state above is the only one */
    uint32_t _seat;
} smc_limiter_t;

/* Errors: SMC_EINVAL, naming the field. */
smc_code_t smc_limiter_init(smc_limiter_t *l, const smc_budget_conf_t *budgets, uint32_t n,
                            uint64_t now_ms, smc_error_t *err);

/* From now on its budgets are those in `share`, a memory of smc_share_lay_out that outlives the limiter.
 * seat    0..SMC_SHARE_SEATS - 1; no other process uses it meanwhile
 * Errors  as smc_share_check. */
struct smc_share;
smc_code_t smc_limiter_share(smc_limiter_t *l, struct smc_share *share, uint32_t seat,
                             smc_error_t *err);

smc_grant_t smc_limiter_ask(smc_limiter_t *l, smc_ticket_t *ticket, uint64_t now_ms);
/* The next one that is granted, no longer queued; NULL when nobody is.  *wait_ms (may be NULL): then the time until
 * somebody may be, if nothing else happens; UINT64_MAX when nobody waits. */
smc_ticket_t *smc_limiter_next(smc_limiter_t *l, uint64_t now_ms, uint64_t *wait_ms);
/* Leaves the queue; nothing when it does not wait. */
void smc_limiter_cancel(smc_limiter_t *l, smc_ticket_t *ticket);
/* How many wait. */
uint32_t smc_limiter_waiting(const smc_limiter_t *l);

/* Gives back what was paid at granted_ms and turned out to cost nothing: what was never sent, what the venue lets pass
 * free.  Of a window that is over nothing is left to give back. */
void smc_limiter_refund(smc_limiter_t *l, uint32_t budget, uint32_t weight, uint64_t granted_ms,
                        uint64_t now_ms);

/* What the venue says is left of a budget, in an answer to what was granted at granted_ms.  Of a window that is over it says
 * nothing; into a bucket has flowed meanwhile what flows into it. */
void smc_limiter_left(smc_limiter_t *l, uint32_t budget, uint32_t left, uint64_t granted_ms,
                      uint64_t now_ms);
/* Nobody is granted before until_ms; an earlier hold that lasts longer stays. */
void smc_limiter_hold(smc_limiter_t *l, uint64_t until_ms);
/* The venue's clock, seen from ours.  A clock that turns out to be behind gives no period a second time. */
void smc_limiter_set_offset(smc_limiter_t *l, uint32_t budget, uint64_t offset_ms);
uint64_t smc_limiter_offset(smc_limiter_t *l, uint32_t budget);

uint32_t smc_limiter_used(smc_limiter_t *l, uint32_t budget,
                          uint64_t now_ms); /* rounded up; at most limit */
/* Alerts of a budget that nobody has taken yet: a sum of smc_usage_alert_t. */
unsigned smc_limiter_take_alerts(smc_limiter_t *l, uint32_t budget);

#endif /* SMC_LIMITER_H */
