#include "smc/retry.h"

static smc_code_t invalid(smc_error_t *err, const char *what)
{
    return smc_fail(err, SMC_EINVAL, "retry", 0, "%s", what);
}

smc_code_t smc_retry_init(smc_retry_t *r, const smc_retry_conf_t *c, uint64_t now_ms,
                          smc_error_t *err)
{
    if (c->attempts < 1)
        return invalid(err, "attempts must be at least 1");
    if (c->max_ms > SMC_RETRY_MAX_MS)
        return invalid(err, "max_ms must be at most 10^9");
    if (c->base_ms < 1 || c->base_ms > c->max_ms)
        return invalid(err, "base_ms must be 1 to max_ms");
    if (c->factor_pct < 100 || c->factor_pct > 1000)
        return invalid(err, "factor_pct must be 100 to 1000");
    if (c->jitter_pct > 100)
        return invalid(err, "jitter_pct must be 0 to 100");
    *r = (smc_retry_t){.conf = *c, ._started_ms = now_ms};
    return SMC_OK;
}

/* The wait after so many failures, at its longest. */
static uint64_t backoff(const smc_retry_conf_t *c, uint32_t failed)
{
    uint64_t wait = c->base_ms;
    for (uint32_t i = 1; i < failed && wait < c->max_ms && c->factor_pct > 100; i++)
        wait = (wait * c->factor_pct + 99) / 100; /* rounded up: else 1 ms would never grow */
    return wait < c->max_ms ? wait : c->max_ms;
}

static uint64_t wait_for(const smc_retry_t *r, uint64_t retry_after_ms, smc_rng_t *rng)
{
    uint64_t wait = backoff(&r->conf, r->failed);
    uint64_t spread = wait * r->conf.jitter_pct / 100;
    wait -= spread > 0 ? smc_rng_below(rng, spread + 1) : 0;
    return wait > retry_after_ms ? wait : retry_after_ms;
}

static bool in_doubt(const smc_failure_t *f)
{
    return f->mutation && f->sent && !f->answered;
}

smc_retry_verdict_t smc_retry_next(smc_retry_t *r, const smc_failure_t *f, uint64_t now_ms,
                                   smc_rng_t *rng, uint64_t *wait_ms)
{
    r->failed++;
    uint64_t wait = wait_for(r, f->retry_after_ms, rng);
    if (in_doubt(f)) {
        *wait_ms = wait;
        return SMC_RETRY_LOOK_UP;
    }
    if (!f->temporary || r->failed >= r->conf.attempts)
        return SMC_RETRY_STOP;
    if (r->conf.budget_ms > 0 && now_ms - r->_started_ms + wait > r->conf.budget_ms)
        return SMC_RETRY_STOP;
    *wait_ms = wait;
    return SMC_RETRY_AGAIN;
}
