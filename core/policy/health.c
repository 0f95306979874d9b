#include "smc/health.h"

#include <string.h>

enum { MINUTE_MS = 60000, HEALTHY_FROM = 80, DEGRADED_FROM = 50, WEIGHT = 8 };

static smc_code_t invalid(smc_error_t *err, const char *what)
{
    return smc_fail(err, SMC_EINVAL, "health", 0, "%s", what);
}

smc_code_t smc_health_init(smc_health_t *h, const smc_health_conf_t *c, smc_error_t *err)
{
    if (c->window < 1 || c->window > SMC_HEALTH_WINDOW_MAX)
        return invalid(err, "window must be 1 to 64 calls");
    if (c->good_ms >= c->bad_ms)
        return invalid(err, "good_ms must be below bad_ms");
    if (c->down_after < 1)
        return invalid(err, "down_after must be at least 1");
    if (c->stale_ms < 1)
        return invalid(err, "stale_ms must be at least 1");
    if (c->limit_max < 1 || c->limit_max > SMC_HEALTH_LIMIT_MAX)
        return invalid(err, "limit_max must be 1 to 16");
    memset(h, 0, sizeof(*h));
    h->conf = *c;
    return SMC_OK;
}

/* ---- what was seen --------------------------------------------------------- */

static void average(smc_health_t *h, uint32_t latency_ms)
{
    uint32_t capped = latency_ms < h->conf.bad_ms ? latency_ms : h->conf.bad_ms;
    if (!h->_timed)
        h->_latency_x8 = capped * WEIGHT;
    else
        h->_latency_x8 = h->_latency_x8 - (h->_latency_x8 + WEIGHT / 2) / WEIGHT + capped;
    h->_timed = true;
}

void smc_health_call(smc_health_t *h, smc_health_call_t result, uint32_t latency_ms,
                     uint64_t now_ms)
{
    if (result == SMC_HEALTH_LIMITED) {
        h->_limited_ms[h->_limited++ % SMC_HEALTH_LIMIT_MAX] = now_ms;
        return;
    }
    bool ok = result == SMC_HEALTH_OK;
    h->_ring = h->_ring << 1 | ok;
    h->_n += h->_n < h->conf.window;
    h->failures = ok ? 0 : h->failures + (h->failures < UINT32_MAX);
    if (ok)
        average(h, latency_ms);
}

void smc_health_frame(smc_health_t *h, uint64_t now_ms)
{
    h->_watched = true;
    h->_frame_ms = now_ms;
}

void smc_health_unwatch(smc_health_t *h)
{
    h->_watched = false;
}

/* ---- what it comes to ------------------------------------------------------ */

static uint32_t lower(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* 100 up to `good`, 0 from `bad` on, evenly between. */
static uint32_t falling(uint64_t value, uint64_t good, uint64_t bad)
{
    if (value <= good)
        return 100;
    return value >= bad ? 0 : (uint32_t)((bad - value) * 100 / (bad - good));
}

static uint32_t success(const smc_health_t *h)
{
    uint32_t good = 0;
    for (uint32_t i = 0; i < h->_n; i++)
        good += (uint32_t)(h->_ring >> i & 1);
    return h->_n > 0 ? good * 100 / h->_n : 100;
}

static uint32_t limited(const smc_health_t *h, uint64_t now_ms)
{
    uint32_t n = 0, kept = lower(h->_limited, SMC_HEALTH_LIMIT_MAX);
    for (uint32_t i = 0; i < kept; i++)
        n += now_ms - h->_limited_ms[i] < MINUTE_MS;
    return n;
}

uint32_t smc_health_latency_ms(const smc_health_t *h)
{
    return (h->_latency_x8 + WEIGHT / 2) / WEIGHT;
}

smc_health_parts_t smc_health_look(const smc_health_t *h, uint64_t now_ms)
{
    const smc_health_conf_t *c = &h->conf;
    smc_health_parts_t p = {
        .success = success(h),
        .latency = falling(smc_health_latency_ms(h), c->good_ms, c->bad_ms),
        .streak = falling(h->failures, 0, c->down_after),
        .stream =
            h->_watched ? falling(now_ms - h->_frame_ms, c->stale_ms, 2ull * c->stale_ms) : 100,
        .limits = falling(limited(h, now_ms), 0, c->limit_max),
    };
    p.score = lower(lower(lower(p.success, p.latency), lower(p.streak, p.stream)), p.limits);
    if (h->failures >= c->down_after)
        p.state = SMC_HEALTH_OFFLINE;
    else if (p.score >= HEALTHY_FROM)
        p.state = SMC_HEALTH_HEALTHY;
    else
        p.state = p.score >= DEGRADED_FROM ? SMC_HEALTH_DEGRADED : SMC_HEALTH_UNHEALTHY;
    return p;
}

const char *smc_health_state_text(smc_health_state_t state)
{
    static const char *const texts[] = {"healthy", "degraded", "unhealthy", "offline"};
    return texts[state];
}
