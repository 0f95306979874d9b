#include "smc/failover.h"

#include <assert.h>
#include <string.h>

#define NEVER UINT64_MAX

static smc_code_t invalid(smc_error_t *err, const char *what)
{
    return smc_fail(err, SMC_EINVAL, "failover", 0, "%s", what);
}

/* The better ranked of two. */
static bool before(const smc_failover_t *f, int a, int b)
{
    uint32_t wa = f->conf.weights[a], wb = f->conf.weights[b];
    return wa != wb ? wa > wb : a < b;
}

static int best_ranked(const smc_failover_t *f)
{
    int best = 0;
    for (int i = 1; i < (int)f->conf.n; i++)
        if (before(f, i, best))
            best = i;
    return best;
}

smc_code_t smc_failover_init(smc_failover_t *f, const smc_failover_conf_t *c, uint64_t now_ms,
                             smc_error_t *err)
{
    if (c->n < 1 || c->n > SMC_FAILOVER_MEMBERS)
        return invalid(err, "1 to 8 members expected");
    if (c->n_triggers < 1 || c->n_triggers > SMC_FAILOVER_TRIGGERS)
        return invalid(err, "1 to 8 triggers expected");
    for (uint32_t i = 0; i < c->n_triggers; i++)
        if ((unsigned)c->triggers[i].kind >= SMC_TRIGGER_COUNT)
            return invalid(err, "a trigger of an unknown kind");
    if (c->hysteresis > 100 || c->recover_score > 100)
        return invalid(err, "hysteresis and recover_score must be 0 to 100");
    memset(f, 0, sizeof(*f));
    f->conf = *c;
    f->_moved_ms = now_ms;
    for (uint32_t m = 0; m < c->n; m++) {
        f->_m[m].up_since = now_ms;
        for (uint32_t t = 0; t < c->n_triggers; t++)
            f->_m[m].since[t] = NEVER;
    }
    f->active = best_ranked(f);
    return SMC_OK;
}

/* ---- members --------------------------------------------------------------- */

/* Whether the condition holds; *value: what was compared. */
static bool holds(const smc_trigger_t *t, const smc_signal_t *s, uint64_t *value)
{
    switch (t->kind) {
    case SMC_TRIGGER_CONNECTION:
        return !s->connected;
    case SMC_TRIGGER_BREAKER:
        *value = s->breaker_open;
        return s->breaker_open;
    case SMC_TRIGGER_LATENCY:
        *value = s->latency_ms;
        break;
    case SMC_TRIGGER_ERRORS:
        *value = s->failures;
        break;
    case SMC_TRIGGER_RATE_LIMIT:
        *value = s->limit_hits;
        break;
    case SMC_TRIGGER_STREAM_STALE:
        *value = s->stream_age_ms;
        break;
    case SMC_TRIGGER_HEALTH:
        *value = s->score;
        return s->score <= t->threshold;
    case SMC_TRIGGER_COUNT:
        return false;
    }
    return *value >= t->threshold;
}

static void set_down(smc_failover_t *f, int m, int cause, uint64_t value)
{
    f->_m[m].down = true;
    f->_m[m].fine_since = NEVER;
    f->_m[m].cause = cause;
    f->_m[m].value = value;
}

static void judge_member(smc_failover_t *f, int m, const smc_signal_t *s, uint64_t now_ms)
{
    const smc_failover_conf_t *c = &f->conf;
    bool any = false;
    f->_m[m].score = s->score;
    for (uint32_t i = 0; i < c->n_triggers; i++) {
        uint64_t value = 0, *since = &f->_m[m].since[i];
        bool now = holds(&c->triggers[i], s, &value);
        any = any || now;
        if (!now)
            *since = NEVER;
        else if (*since == NEVER)
            *since = now_ms;
        if (now && !f->_m[m].down && now_ms - *since >= c->triggers[i].for_ms)
            set_down(f, m, (int)c->triggers[i].kind, value);
    }
    if (!f->_m[m].down)
        return;
    if (any || s->score < c->recover_score)
        f->_m[m].fine_since = NEVER;
    else if (f->_m[m].fine_since == NEVER)
        f->_m[m].fine_since = now_ms;
    if (f->_m[m].fine_since != NEVER && now_ms - f->_m[m].fine_since >= c->recover_ms) {
        f->_m[m].down = false;
        f->_m[m].up_since = now_ms;
    }
}

/* ---- the choice ------------------------------------------------------------ */

static int choice(const smc_failover_t *f)
{
    int best = SMC_FAILOVER_NONE;
    for (int m = 0; m < (int)f->conf.n; m++) {
        if (f->_m[m].down)
            continue;
        bool better = best == SMC_FAILOVER_NONE || before(f, m, best);
        if (best != SMC_FAILOVER_NONE && f->conf.by_health && f->_m[m].score != f->_m[best].score)
            better = f->_m[m].score > f->_m[best].score;
        best = better ? m : best;
    }
    return best;
}

static smc_failover_verdict_t decide(smc_failover_t *f, int to, int cause, uint64_t value,
                                     uint64_t now_ms)
{
    f->last = (smc_switch_t){
        .from = f->active, .to = to, .cause = cause, .value = value, .at_ms = now_ms};
    f->switches++;
    f->_switching = to != SMC_FAILOVER_NONE;
    f->_failed = false;
    if (f->_switching)
        return SMC_FAILOVER_SWITCH;
    f->active = SMC_FAILOVER_NONE;
    f->last.done_ms = now_ms;
    return SMC_FAILOVER_NO_VENUE;
}

static smc_failover_verdict_t leave(smc_failover_t *f, uint64_t now_ms)
{
    int to = choice(f);
    if (f->active == SMC_FAILOVER_NONE) {
        if (to == SMC_FAILOVER_NONE)
            return SMC_FAILOVER_STAY;
        return decide(f, to, SMC_CAUSE_RECOVERED, f->_m[to].score, now_ms);
    }
    if (f->_failed && to != SMC_FAILOVER_NONE)
        return decide(f, to, SMC_CAUSE_FAILED, f->_m[f->active].value, now_ms);
    return decide(f, to, f->_m[f->active].cause, f->_m[f->active].value, now_ms);
}

static smc_failover_verdict_t fail_back(smc_failover_t *f, uint64_t now_ms)
{
    const smc_failover_conf_t *c = &f->conf;
    int to = choice(f);
    if (!c->failback || f->_by_hand || to == f->active)
        return SMC_FAILOVER_STAY;
    if (c->by_health && f->_m[to].score <= f->_m[f->active].score + c->hysteresis)
        return SMC_FAILOVER_STAY;
    if (now_ms - f->_m[to].up_since < c->failback_ms || now_ms - f->_moved_ms < c->cooldown_ms)
        return SMC_FAILOVER_STAY;
    return decide(f, to, SMC_CAUSE_FAILBACK, f->_m[to].score, now_ms);
}

/* ---- calls ----------------------------------------------------------------- */

smc_failover_verdict_t smc_failover_step(smc_failover_t *f, const smc_signal_t *signals,
                                         uint64_t now_ms)
{
    for (int m = 0; m < (int)f->conf.n; m++)
        judge_member(f, m, &signals[m], now_ms);
    if (f->_switching)
        return SMC_FAILOVER_STAY;
    if (f->active == SMC_FAILOVER_NONE || f->_m[f->active].down)
        return leave(f, now_ms);
    f->_failed = false; /* the active one is fine: whoever failed to follow it is forgotten */
    return fail_back(f, now_ms);
}

void smc_failover_done(smc_failover_t *f, bool ok, uint64_t now_ms)
{
    assert(f->_switching);
    f->_switching = false;
    f->last.done_ms = now_ms;
    if (ok) {
        f->active = f->last.to;
        f->_by_hand = f->last.cause == SMC_CAUSE_MANUAL;
        f->_moved_ms = now_ms;
        return;
    }
    set_down(f, f->last.to, SMC_CAUSE_FAILED, 0);
    f->_failed = true;
}

smc_code_t smc_failover_move(smc_failover_t *f, int to, uint64_t now_ms, smc_error_t *err)
{
    if (f->_switching)
        return smc_fail(err, SMC_EAGAIN, "failover.move", 0, "a switch is under way");
    if (to < 0 || to >= (int)f->conf.n)
        return smc_fail(err, SMC_EINVAL, "failover.move", 0, "there is no member %d", to);
    if (to == f->active)
        return smc_fail(err, SMC_EEXIST, "failover.move", 0, "member %d is active already", to);
    if (f->_m[to].down)
        return smc_fail(err, SMC_EINVAL, "failover.move", 0, "member %d is down: %s", to,
                        smc_cause_text(f->_m[to].cause));
    (void)decide(f, to, SMC_CAUSE_MANUAL, 0, now_ms);
    return SMC_OK;
}

bool smc_failover_is_up(const smc_failover_t *f, int member)
{
    assert(member >= 0 && member < (int)f->conf.n);
    return !f->_m[member].down;
}

const char *smc_cause_text(int cause)
{
    static const char *const texts[] = {
#define X(name, text) text,
        SMC_TRIGGER_MAP(X)
#undef X
            "manual",
        "failback", "recovered", "failed"};
    assert(cause >= 0 && (size_t)cause < sizeof(texts) / sizeof(texts[0]));
    return texts[cause];
}
