/* smc/risk.h - risk guard: when an account must stop trading, and when it may trade again.
 *
 * Limits    each off at 0; all are strict: at its limit a value is still fine.
 *             drawdown       share of the highest equity that is lost
 *             daily_loss     loss since the day began, in money
 *             exposure       sum of the positions' absolute values, in money
 *             concentration  the largest of them, as a share of equity
 *             var            historical value at risk at 95 %: the loss that 95 % of the returns stay above, never
 *                            below 0; needs VAR_MIN returns, before that it is not judged
 *             correlation    the largest absolute correlation of two different assets
 *             losses         losing trades in a row
 *             error_rate     share of the calls that failed, from ERRORS_MIN calls on
 *           Money and its shares are exact decimals, so that a limit is one; the rest are statistics.
 *           What is asked for and is not known, not a finite number, or can't be (equity that is not above 0), is a
 *           violation of its own: without data nobody trades.
 * States    ARMED     orders may be placed.  A violation trips it.
 *           TRIPPED   only what makes positions smaller.  Left by a reset alone, which is refused while a violation
 *                     persists: to TRIAL.
 *           TRIAL     orders may be placed.  A violation trips it; trial_ms without one arms it.
 *           STOPPED   nothing at all; by an emergency stop, left by a reset like TRIPPED.
 * Pure      no clock, no I/O, no allocation: pass monotonic milliseconds that never go back.  One owner thread.
 * Source    value at risk: quantile of the returns with linear interpolation (Hyndman and Fan, type 7)
 */
#ifndef SMC_RISK_H
#define SMC_RISK_H

#include "smc/decimal.h"
#include "smc/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SMC_RISK_RETURNS_MAX 1000 /* the latest are looked at */
#define SMC_RISK_VAR_MIN 20
#define SMC_RISK_ERRORS_MIN 10

/* X(name, text); those of money first */
#define SMC_RISK_MAP(X)               \
    X(DRAWDOWN, "drawdown")           \
    X(DAILY_LOSS, "daily_loss")       \
    X(EXPOSURE, "exposure")           \
    X(CONCENTRATION, "concentration") \
    X(VAR, "var")                     \
    X(CORRELATION, "correlation")     \
    X(LOSSES, "losses")               \
    X(ERROR_RATE, "error_rate")       \
    X(DATA, "data")

typedef enum smc_risk_limit {
#define X(name, text) SMC_RISK_##name,
    SMC_RISK_MAP(X)
#undef X
        SMC_RISK_COUNT
} smc_risk_limit_t;

typedef enum smc_risk_state {
    SMC_RISK_ARMED,
    SMC_RISK_TRIPPED,
    SMC_RISK_TRIAL,
    SMC_RISK_STOPPED
} smc_risk_state_t;

#define SMC_RISK_MONEY (SMC_RISK_CONCENTRATION + 1) /* limits that are exact */

typedef struct smc_risk_conf {
    smc_dec_t drawdown, daily_loss, exposure, concentration; /* 0: off */
    double var, correlation, error_rate;                     /* 0: off */
    uint32_t losses;                                         /* 0: off */
    uint64_t trial_ms;
} smc_risk_conf_t;

/* What is known now; borrowed for the call. */
typedef struct smc_risk_view {
    bool blind; /* something can't be read: a violation, whatever the limits */
    smc_dec_t equity, peak, day_start; /* money */
    const smc_dec_t *positions;        /* their values, signed */
    size_t n_positions;
    const double *returns; /* of the account, oldest first, as shares: -0.01 lost a hundredth */
    size_t n_returns;
    const double *correlations; /* n_assets x n_assets, the diagonal is not looked at */
    size_t n_assets;
    uint32_t losses;
    uint32_t calls, errors;
} smc_risk_view_t;

typedef struct smc_risk {
    smc_risk_conf_t conf;
    smc_risk_state_t state; /* read-only */
    /* As of the last look: which limits are violated, one bit each; of which something was seen, one bit each; and
     * what.  A share has 18 decimals and is rounded up, so that one that is beyond its limit shows it. */
    unsigned violated, judged;
    smc_dec_t money[SMC_RISK_MONEY];
    double seen[SMC_RISK_COUNT];
    uint32_t trips; /* read-only: so often it has tripped or was stopped */
    /* private */
    uint64_t _since_ms;
} smc_risk_t;

/* Errors: SMC_EINVAL, naming the field. */
smc_code_t smc_risk_init(smc_risk_t *r, const smc_risk_conf_t *conf, smc_error_t *err);
/* Other limits from now on, for the next look.  Errors: as init; nothing has changed then. */
smc_code_t smc_risk_set_limits(smc_risk_t *r, const smc_risk_conf_t *conf, smc_error_t *err);

/* Looks at everything.  true: it has tripped just now, and positions are to be closed.  Violations are taken down in
 * every state. */
bool smc_risk_look(smc_risk_t *r, const smc_risk_view_t *view, uint64_t now_ms);
/* true unless it was stopped before: everything is to be closed. */
bool smc_risk_stop(smc_risk_t *r, uint64_t now_ms);
/* After looking once more.  Errors: SMC_EEXIST: there is nothing to reset; SMC_EINVAL: a violation persists, named. */
smc_code_t smc_risk_reset(smc_risk_t *r, const smc_risk_view_t *view, uint64_t now_ms,
                          smc_error_t *err);

/* reduces: the order can only make a position smaller. */
bool smc_risk_may_place(const smc_risk_t *r, bool reduces);
const char *smc_risk_limit_text(smc_risk_limit_t limit);
const char *
smc_risk_state_text(smc_risk_state_t state); /* "armed", "tripped", "trial", "stopped" */

#endif /* SMC_RISK_H */
