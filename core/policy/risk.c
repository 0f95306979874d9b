#include "smc/risk.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- figures --------------------------------------------------------------- */

static int by_size(const void *pa, const void *pb)
{
    double a = *(const double *)pa, b = *(const double *)pb;
    return (a > b) - (a < b);
}

static size_t at_most(size_t n, size_t most)
{
    return n < most ? n : most;
}

/* The 5 % quantile of the latest returns, as a loss; NaN when one of them is no number. */
static double value_at_risk(const smc_risk_view_t *v)
{
    double sorted[SMC_RISK_RETURNS_MAX];
    size_t n = at_most(v->n_returns, SMC_RISK_RETURNS_MAX);
    memcpy(sorted, v->returns + (v->n_returns - n), n * sizeof(sorted[0]));
    for (size_t i = 0; i < n; i++)
        if (!isfinite(sorted[i]))
            return NAN;
    qsort(sorted, n, sizeof(sorted[0]), by_size);
    double at = 0.05 * (double)(n - 1);
    size_t below = (size_t)at;
    double quantile = sorted[below] + (at - (double)below) * (sorted[below + 1] - sorted[below]);
    return quantile < 0 ? -quantile : 0;
}

/* NaN wins, so that it is noticed. */
static double larger(double a, double b)
{
    return isnan(a) || a > b ? a : b;
}

static double most_correlated(const smc_risk_view_t *v)
{
    double most = 0;
    for (size_t i = 0; i < v->n_assets; i++)
        for (size_t k = 0; k < v->n_assets; k++)
            if (i != k)
                most = larger(fabs(v->correlations[i * v->n_assets + k]), most);
    return most;
}

static void sum_positions(const smc_risk_view_t *v, double *sum, double *largest)
{
    *sum = *largest = 0;
    for (size_t i = 0; i < v->n_positions; i++) {
        *sum += fabs(v->positions[i]);
        *largest = larger(fabs(v->positions[i]), *largest);
    }
}

/* ---- judging --------------------------------------------------------------- */

/* One limit.  not_a_number is set when there is nothing to compare. */
static void judge(smc_risk_t *r, smc_risk_limit_t limit, double value, double most,
                  bool *not_a_number)
{
    r->seen[limit] = value;
    if (!isfinite(value))
        *not_a_number = true;
    else if (value > most)
        r->violated |= 1u << limit;
}

static void judge_money(smc_risk_t *r, const smc_risk_view_t *v, bool *bad)
{
    const smc_risk_conf_t *c = &r->conf;
    double sum, largest;
    sum_positions(v, &sum, &largest);
    if (c->drawdown > 0)
        judge(r, SMC_RISK_DRAWDOWN, v->peak > 0 ? (v->peak - v->equity) / v->peak : NAN,
              c->drawdown, bad);
    if (c->daily_loss > 0)
        judge(r, SMC_RISK_DAILY_LOSS, v->day_start - v->equity, c->daily_loss, bad);
    if (c->exposure > 0)
        judge(r, SMC_RISK_EXPOSURE, sum, c->exposure, bad);
    if (c->concentration > 0)
        judge(r, SMC_RISK_CONCENTRATION, v->equity > 0 ? largest / v->equity : NAN,
              c->concentration, bad);
}

static void judge_all(smc_risk_t *r, const smc_risk_view_t *v)
{
    const smc_risk_conf_t *c = &r->conf;
    bool bad = false;
    r->violated = 0;
    memset(r->seen, 0, sizeof(r->seen));
    judge_money(r, v, &bad);
    if (c->var > 0 && v->n_returns >= SMC_RISK_VAR_MIN)
        judge(r, SMC_RISK_VAR, value_at_risk(v), c->var, &bad);
    if (c->correlation > 0)
        judge(r, SMC_RISK_CORRELATION, most_correlated(v), c->correlation, &bad);
    if (c->losses > 0)
        judge(r, SMC_RISK_LOSSES, v->losses, c->losses, &bad);
    if (c->error_rate > 0 && v->calls >= SMC_RISK_ERRORS_MIN)
        judge(r, SMC_RISK_ERROR_RATE, (double)v->errors / v->calls, c->error_rate, &bad);
    if (bad)
        r->violated |= 1u << SMC_RISK_DATA;
}

/* ---- states ---------------------------------------------------------------- */

static void set_state(smc_risk_t *r, smc_risk_state_t state, uint64_t now_ms)
{
    r->state = state;
    r->_since_ms = now_ms;
    r->trips += state == SMC_RISK_TRIPPED || state == SMC_RISK_STOPPED;
}

static bool at_least_0(double x)
{
    return isfinite(x) && x >= 0;
}

smc_code_t smc_risk_init(smc_risk_t *r, const smc_risk_conf_t *c, smc_error_t *err)
{
    const struct {
        const char *name;
        double value, most;
    } rows[] = {{"drawdown", c->drawdown, 1},
                {"daily_loss", c->daily_loss, HUGE_VAL},
                {"exposure", c->exposure, HUGE_VAL},
                {"concentration", c->concentration, HUGE_VAL},
                {"var", c->var, 1},
                {"correlation", c->correlation, 1},
                {"error_rate", c->error_rate, 1}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (!at_least_0(rows[i].value) || rows[i].value > rows[i].most)
            return smc_fail(err, SMC_EINVAL, "risk", 0,
                            rows[i].most < 2 ? "%s must be 0 to 1" : "%s must be at least 0",
                            rows[i].name);
    memset(r, 0, sizeof(*r));
    r->conf = *c;
    return SMC_OK;
}

bool smc_risk_look(smc_risk_t *r, const smc_risk_view_t *view, uint64_t now_ms)
{
    judge_all(r, view);
    bool trades = r->state == SMC_RISK_ARMED || r->state == SMC_RISK_TRIAL;
    if (trades && r->violated != 0) {
        set_state(r, SMC_RISK_TRIPPED, now_ms);
        return true;
    }
    if (r->state == SMC_RISK_TRIAL && now_ms - r->_since_ms >= r->conf.trial_ms)
        set_state(r, SMC_RISK_ARMED, now_ms);
    return false;
}

bool smc_risk_stop(smc_risk_t *r, uint64_t now_ms)
{
    if (r->state == SMC_RISK_STOPPED)
        return false;
    set_state(r, SMC_RISK_STOPPED, now_ms);
    return true;
}

smc_code_t smc_risk_reset(smc_risk_t *r, const smc_risk_view_t *view, uint64_t now_ms,
                          smc_error_t *err)
{
    if (r->state != SMC_RISK_TRIPPED && r->state != SMC_RISK_STOPPED)
        return smc_fail(err, SMC_EEXIST, "risk.reset", 0, "it is %s: there is nothing to reset",
                        smc_risk_state_text(r->state));
    judge_all(r, view);
    for (int i = 0; i < SMC_RISK_COUNT; i++)
        if ((r->violated >> i & 1) != 0)
            return smc_fail(err, SMC_EINVAL, "risk.reset", 0, "%s is still beyond its limit",
                            smc_risk_limit_text((smc_risk_limit_t)i));
    set_state(r, SMC_RISK_TRIAL, now_ms);
    return SMC_OK;
}

bool smc_risk_may_place(const smc_risk_t *r, bool reduces)
{
    if (r->state == SMC_RISK_STOPPED)
        return false;
    return reduces || r->state != SMC_RISK_TRIPPED;
}

const char *smc_risk_limit_text(smc_risk_limit_t limit)
{
    static const char *const texts[] = {
#define X(name, text) text,
        SMC_RISK_MAP(X)
#undef X
    };
    return texts[limit];
}

const char *smc_risk_state_text(smc_risk_state_t state)
{
    static const char *const texts[] = {"armed", "tripped", "trial", "stopped"};
    return texts[state];
}
