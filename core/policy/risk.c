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

/* false: the sum is too large to be a number. */
static bool sum_positions(const smc_risk_view_t *v, smc_dec_t *sum, smc_dec_t *largest)
{
    *sum = *largest = (smc_dec_t){0};
    for (size_t i = 0; i < v->n_positions; i++) {
        smc_dec_t size = smc_dec_abs(v->positions[i]);
        if (smc_dec_add(*sum, size, sum) != SMC_OK)
            return false;
        if (smc_dec_cmp(size, *largest) > 0)
            *largest = size;
    }
    return true;
}

/* part / whole; false when the whole is not above 0.  Rounded up: beyond a limit of 18 decimals it shows. */
static bool share_of(smc_dec_t part, smc_dec_t whole, smc_dec_t *out)
{
    if (smc_dec_sign(whole) <= 0)
        return false;
    smc_round_t up = smc_dec_sign(part) < 0 ? SMC_ROUND_DOWN : SMC_ROUND_UP;
    return smc_dec_div(part, whole, SMC_DEC_PLACES, up, out) == SMC_OK;
}

/* ---- judging --------------------------------------------------------------- */

/* One limit.  *bad is set when there is nothing to compare. */
static void judge(smc_risk_t *r, smc_risk_limit_t limit, double value, double most, bool *bad)
{
    r->seen[limit] = value;
    if (!isfinite(value)) {
        *bad = true;
        return;
    }
    r->judged |= 1u << limit;
    if (value > most)
        r->violated |= 1u << limit;
}

static void judge_exactly(smc_risk_t *r, smc_risk_limit_t limit, bool known, smc_dec_t value,
                          smc_dec_t most, bool *bad)
{
    if (!known) {
        *bad = true;
        return;
    }
    r->money[limit] = value;
    r->judged |= 1u << limit;
    if (smc_dec_cmp(value, most) > 0)
        r->violated |= 1u << limit;
}

static bool is_on(smc_dec_t limit)
{
    return smc_dec_sign(limit) > 0;
}

static void judge_money(smc_risk_t *r, const smc_risk_view_t *v, bool *bad)
{
    const smc_risk_conf_t *c = &r->conf;
    smc_dec_t sum, largest, value = {0};
    bool known = sum_positions(v, &sum, &largest);
    if (is_on(c->drawdown)) {
        bool can =
            smc_dec_sub(v->peak, v->equity, &value) == SMC_OK && share_of(value, v->peak, &value);
        judge_exactly(r, SMC_RISK_DRAWDOWN, can, value, c->drawdown, bad);
    }
    if (is_on(c->daily_loss)) {
        bool can = smc_dec_sub(v->day_start, v->equity, &value) == SMC_OK;
        judge_exactly(r, SMC_RISK_DAILY_LOSS, can, value, c->daily_loss, bad);
    }
    if (is_on(c->exposure))
        judge_exactly(r, SMC_RISK_EXPOSURE, known, sum, c->exposure, bad);
    if (is_on(c->concentration)) {
        bool can = known && share_of(largest, v->equity, &value);
        judge_exactly(r, SMC_RISK_CONCENTRATION, can, value, c->concentration, bad);
    }
}

static void judge_all(smc_risk_t *r, const smc_risk_view_t *v)
{
    const smc_risk_conf_t *c = &r->conf;
    bool bad = v->blind;
    r->violated = r->judged = 0;
    memset(r->seen, 0, sizeof(r->seen));
    memset(r->money, 0, sizeof(r->money));
    if (!v->blind)
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

static smc_code_t check(const smc_risk_conf_t *c, smc_error_t *err)
{
    const struct {
        const char *name;
        smc_dec_t value;
        bool share;
    } money[] = {{"drawdown", c->drawdown, true},
                 {"daily_loss", c->daily_loss, false},
                 {"exposure", c->exposure, false},
                 {"concentration", c->concentration, false}};
    for (size_t i = 0; i < sizeof(money) / sizeof(money[0]); i++) {
        if (money[i].share && smc_dec_cmp(money[i].value, smc_dec_from_int(1)) > 0)
            return smc_fail(err, SMC_EINVAL, "risk", 0, "%s must be 0 to 1", money[i].name);
        if (smc_dec_sign(money[i].value) < 0)
            return smc_fail(err, SMC_EINVAL, "risk", 0, "%s must be at least 0", money[i].name);
    }
    const struct {
        const char *name;
        double value;
    } rates[] = {{"var", c->var}, {"correlation", c->correlation}, {"error_rate", c->error_rate}};
    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++)
        if (!isfinite(rates[i].value) || rates[i].value < 0 || rates[i].value > 1)
            return smc_fail(err, SMC_EINVAL, "risk", 0, "%s must be 0 to 1", rates[i].name);
    return SMC_OK;
}

smc_code_t smc_risk_init(smc_risk_t *r, const smc_risk_conf_t *conf, smc_error_t *err)
{
    smc_code_t code = check(conf, err);
    if (code != SMC_OK)
        return code;
    memset(r, 0, sizeof(*r));
    r->conf = *conf;
    return SMC_OK;
}

smc_code_t smc_risk_set_limits(smc_risk_t *r, const smc_risk_conf_t *conf, smc_error_t *err)
{
    smc_code_t code = check(conf, err);
    if (code == SMC_OK)
        r->conf = *conf;
    return code;
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
