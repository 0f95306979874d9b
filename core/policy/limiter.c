#include "smc/limiter.h"

#include <assert.h>
#include <string.h>

/* ---- one budget ---------------------------------------------------------- */

enum { WARN_PCT = 80, CRITICAL_PCT = 95, CALM_PCT = 50 };

static uint64_t full(const smc_budget_conf_t *c)
{
    return (uint64_t)c->limit * c->period_ms;
}

/* Brings a budget to `now`. */
static void roll(smc_limiter_t *l, uint32_t i, uint64_t now_ms)
{
    const smc_budget_conf_t *c = &l->_budgets[i].conf;
    if (c->kind == SMC_BUDGET_WINDOW) {
        uint64_t period = (now_ms + c->offset_ms) / c->period_ms;
        if (period <= l->_budgets[i].at) /* before: the venue's clock turned out to be behind */
            return;
        l->_budgets[i].at = period;
        l->_budgets[i].level = 0;
        l->_budgets[i].told = 0;
        return;
    }
    uint64_t room = full(c) - l->_budgets[i].level, elapsed = now_ms - l->_budgets[i].at;
    /* Filled up? Asked so that the product can't overflow. */
    bool fills = elapsed >= (room + c->refill - 1) / c->refill;
    l->_budgets[i].level = fills ? full(c) : l->_budgets[i].level + elapsed * c->refill;
    l->_budgets[i].at = now_ms;
}

static uint64_t used(const smc_limiter_t *l, uint32_t i)
{
    const smc_budget_conf_t *c = &l->_budgets[i].conf;
    if (c->kind == SMC_BUDGET_WINDOW)
        return l->_budgets[i].level;
    return (full(c) - l->_budgets[i].level + c->period_ms - 1) / c->period_ms;
}

static void watch(smc_limiter_t *l, uint32_t i)
{
    uint64_t pct = used(l, i) * 100 / l->_budgets[i].conf.limit;
    unsigned now =
        (pct >= WARN_PCT ? SMC_USAGE_WARNING : 0) | (pct >= CRITICAL_PCT ? SMC_USAGE_CRITICAL : 0);
    if (l->_budgets[i].conf.kind == SMC_BUDGET_BUCKET && pct < CALM_PCT)
        l->_budgets[i].told = 0;
    unsigned fresh = now & ~(unsigned)l->_budgets[i].told;
    l->_budgets[i].told |= (uint8_t)fresh;
    l->_budgets[i].new_alerts |= (uint8_t)fresh;
}

/* Milliseconds until the budget, brought to now, can pay; 0: it can. */
static uint64_t wait_for(const smc_limiter_t *l, uint32_t i, uint32_t weight, uint64_t now_ms)
{
    const smc_budget_conf_t *c = &l->_budgets[i].conf;
    if (c->kind == SMC_BUDGET_WINDOW) {
        bool fits = l->_budgets[i].level + weight <= c->limit;
        return fits ? 0 : (l->_budgets[i].at + 1) * c->period_ms - (now_ms + c->offset_ms);
    }
    uint64_t price = (uint64_t)weight * c->period_ms;
    if (l->_budgets[i].level >= price)
        return 0;
    return (price - l->_budgets[i].level + c->refill - 1) / c->refill;
}

static void pay(smc_limiter_t *l, uint32_t i, uint32_t weight)
{
    if (l->_budgets[i].conf.kind == SMC_BUDGET_WINDOW)
        l->_budgets[i].level += weight;
    else
        l->_budgets[i].level -= (uint64_t)weight * l->_budgets[i].conf.period_ms;
    watch(l, i);
}

/* ---- all of them --------------------------------------------------------- */

static uint64_t wait_of(smc_limiter_t *l, const smc_ticket_t *t, uint64_t now_ms)
{
    uint64_t most = now_ms < l->_held_until_ms ? l->_held_until_ms - now_ms : 0;
    for (uint32_t i = 0; i < l->n_budgets; i++) {
        if (t->weights[i] == 0)
            continue;
        roll(l, i, now_ms);
        uint64_t wait = wait_for(l, i, t->weights[i], now_ms);
        most = wait > most ? wait : most;
    }
    return most;
}

static void pay_all(smc_limiter_t *l, const smc_ticket_t *t)
{
    for (uint32_t i = 0; i < l->n_budgets; i++)
        if (t->weights[i] > 0)
            pay(l, i, t->weights[i]);
}

static bool can_ever(const smc_limiter_t *l, const smc_ticket_t *t)
{
    for (uint32_t i = 0; i < l->n_budgets; i++)
        if (t->weights[i] > l->_budgets[i].conf.limit)
            return false;
    return true;
}

/* ---- the queue ----------------------------------------------------------- */

static smc_ticket_t *first(const smc_limiter_t *l, smc_priority_t lowest)
{
    for (int p = 0; p <= (int)lowest; p++)
        if (l->_queues[p].head != NULL)
            return l->_queues[p].head;
    return NULL;
}

static void push(smc_limiter_t *l, smc_ticket_t *t)
{
    t->_next = NULL;
    t->_prev = l->_queues[t->priority].tail;
    if (t->_prev != NULL)
        t->_prev->_next = t;
    else
        l->_queues[t->priority].head = t;
    l->_queues[t->priority].tail = t;
    t->_waits = true;
}

void smc_limiter_cancel(smc_limiter_t *l, smc_ticket_t *t)
{
    if (!t->_waits)
        return;
    if (t->_prev != NULL)
        t->_prev->_next = t->_next;
    else
        l->_queues[t->priority].head = t->_next;
    if (t->_next != NULL)
        t->_next->_prev = t->_prev;
    else
        l->_queues[t->priority].tail = t->_prev;
    t->_next = t->_prev = NULL;
    t->_waits = false;
}

/* ---- asking -------------------------------------------------------------- */

static smc_code_t invalid(smc_error_t *err, const char *what)
{
    return smc_fail(err, SMC_EINVAL, "limiter", 0, "%s", what);
}

smc_code_t smc_limiter_init(smc_limiter_t *l, const smc_budget_conf_t *budgets, uint32_t n,
                            uint64_t now_ms, smc_error_t *err)
{
    if (n < 1 || n > SMC_LIMITER_BUDGETS)
        return invalid(err, "1 to 40 budgets expected");
    memset(l, 0, sizeof(*l));
    for (uint32_t i = 0; i < n; i++) {
        const smc_budget_conf_t *c = &budgets[i];
        if (c->limit < 1 || c->limit > SMC_LIMITER_MAX)
            return invalid(err, "limit must be 1 to 10^9");
        if (c->period_ms < 1 || c->period_ms > SMC_LIMITER_MAX)
            return invalid(err, "period_ms must be 1 to 10^9");
        if (c->kind == SMC_BUDGET_BUCKET && (c->refill < 1 || c->refill > SMC_LIMITER_MAX))
            return invalid(err, "refill of a bucket must be 1 to 10^9");
        l->_budgets[i].conf = *c;
        if (c->kind == SMC_BUDGET_BUCKET) {
            l->_budgets[i].level = full(c);
            l->_budgets[i].at = now_ms;
        }
    }
    l->n_budgets = n;
    return SMC_OK;
}

smc_grant_t smc_limiter_ask(smc_limiter_t *l, smc_ticket_t *t, uint64_t now_ms)
{
    assert(t->priority < SMC_PRIORITY_COUNT);
    t->_next = t->_prev = NULL;
    t->_waits = false;
    if (!can_ever(l, t))
        return SMC_NEVER;
    if (first(l, t->priority) == NULL && wait_of(l, t, now_ms) == 0) {
        pay_all(l, t);
        return SMC_GRANTED;
    }
    push(l, t);
    return SMC_WAITING;
}

smc_ticket_t *smc_limiter_next(smc_limiter_t *l, uint64_t now_ms, uint64_t *wait_ms)
{
    smc_ticket_t *t = first(l, SMC_PRIORITY_LOW);
    uint64_t wait = t != NULL ? wait_of(l, t, now_ms) : UINT64_MAX;
    if (wait_ms != NULL)
        *wait_ms = wait;
    if (wait > 0)
        return NULL;
    pay_all(l, t);
    smc_limiter_cancel(l, t);
    return t;
}

/* ---- what was not needed ---------------------------------------------------- */

void smc_limiter_refund(smc_limiter_t *l, uint32_t budget, uint32_t weight, uint64_t granted_ms,
                        uint64_t now_ms)
{
    assert(budget < l->n_budgets && granted_ms <= now_ms);
    roll(l, budget, now_ms);
    const smc_budget_conf_t *c = &l->_budgets[budget].conf;
    uint64_t level = l->_budgets[budget].level;
    if (c->kind == SMC_BUDGET_WINDOW) {
        bool paid_here = (granted_ms + c->offset_ms) / c->period_ms >= l->_budgets[budget].at;
        uint64_t back = paid_here ? weight : 0;
        l->_budgets[budget].level = level > back ? level - back : 0;
    } else {
        uint64_t room = full(c) - level, back = (uint64_t)weight * c->period_ms;
        l->_budgets[budget].level = level + (back < room ? back : room);
    }
}

/* ---- what the venue says --------------------------------------------------- */

void smc_limiter_left(smc_limiter_t *l, uint32_t budget, uint32_t left, uint64_t now_ms)
{
    assert(budget < l->n_budgets);
    roll(l, budget, now_ms);
    const smc_budget_conf_t *c = &l->_budgets[budget].conf;
    if (left >= c->limit)
        return;
    uint64_t level = c->kind == SMC_BUDGET_WINDOW ? c->limit - left : (uint64_t)left * c->period_ms;
    bool less = c->kind == SMC_BUDGET_WINDOW ? level > l->_budgets[budget].level
                                             : level < l->_budgets[budget].level;
    if (!less)
        return;
    l->_budgets[budget].level = level;
    watch(l, budget);
}

void smc_limiter_hold(smc_limiter_t *l, uint64_t until_ms)
{
    if (until_ms > l->_held_until_ms)
        l->_held_until_ms = until_ms;
}

void smc_limiter_set_offset(smc_limiter_t *l, uint32_t budget, uint64_t offset_ms)
{
    assert(budget < l->n_budgets && l->_budgets[budget].conf.kind == SMC_BUDGET_WINDOW);
    l->_budgets[budget].conf.offset_ms = offset_ms;
}

uint32_t smc_limiter_used(smc_limiter_t *l, uint32_t budget, uint64_t now_ms)
{
    assert(budget < l->n_budgets);
    roll(l, budget, now_ms);
    return (uint32_t)used(l, budget);
}

unsigned smc_limiter_take_alerts(smc_limiter_t *l, uint32_t budget)
{
    assert(budget < l->n_budgets);
    unsigned alerts = l->_budgets[budget].new_alerts;
    l->_budgets[budget].new_alerts = 0;
    return alerts;
}
