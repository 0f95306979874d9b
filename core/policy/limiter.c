#include "smc/limiter.h"

#include "share_priv.h"

#include <assert.h>
#include <string.h>

/* ---- one budget ---------------------------------------------------------- */

enum { WARN_PCT = 80, CRITICAL_PCT = 95, CALM_PCT = 50 };

static uint64_t full(const smc_budget_conf_t *c)
{
    return (uint64_t)c->limit * c->period_ms;
}

/* What is paid from now on is of the period that `of` has come to.  By our clock that period may have begun before the
 * last grant of the one before: when the venue's turns out to be further ahead than it seemed. */
static void begin(smc_budget_state_t *of, uint32_t period_ms)
{
    uint64_t theirs = of->at * period_ms;
    uint64_t begun = theirs > of->offset_ms ? theirs - of->offset_ms : 0;
    of->since_ms = begun > of->paid_ms ? begun : of->paid_ms;
}

/* Brings a budget to `now`.  true: another period has begun. */
static bool roll(smc_limiter_t *l, uint32_t i, uint64_t now_ms)
{
    const smc_budget_conf_t *c = &l->_conf[i];
    uint64_t *level = &l->_state.of[i].level, *at = &l->_state.of[i].at;
    if (c->kind == SMC_BUDGET_WINDOW) {
        uint64_t venue_ms = now_ms + l->_state.of[i].offset_ms;
        if (venue_ms <
            (*at + 1) * c->period_ms) /* or before, when that clock turned out to be behind */
            return false;
        *at = venue_ms / c->period_ms;
        *level = 0;
        begin(&l->_state.of[i], c->period_ms);
        return true;
    }
    if (now_ms <= *at) /* before: another worker has looked later */
        return false;
    uint64_t room = full(c) - *level, elapsed = now_ms - *at;
    /* Filled up? After weeks the product could overflow, and a division can't. */
    bool fills = elapsed <= UINT32_MAX ? elapsed * c->refill >= room
                                       : elapsed >= (room + c->refill - 1) / c->refill;
    *level = fills ? full(c) : *level + elapsed * c->refill;
    *at = now_ms;
    return false;
}

static uint64_t used(const smc_limiter_t *l, uint32_t i)
{
    const smc_budget_conf_t *c = &l->_conf[i];
    if (c->kind == SMC_BUDGET_WINDOW)
        return l->_state.of[i].level;
    return (full(c) - l->_state.of[i].level + c->period_ms - 1) / c->period_ms;
}

/* Whether so many percent, rounded up to a whole weight, are used. */
static bool has_used(const smc_limiter_t *l, uint32_t i, unsigned pct)
{
    const smc_budget_conf_t *c = &l->_conf[i];
    uint64_t so_much = ((uint64_t)c->limit * pct + 99) / 100, level = l->_state.of[i].level;
    if (c->kind == SMC_BUDGET_WINDOW)
        return level >= so_much;
    return full(c) - level > (so_much - 1) * c->period_ms;
}

static void watch(smc_limiter_t *l, uint32_t i)
{
    unsigned told = l->_alerts[i].told;
    if (l->_conf[i].kind == SMC_BUDGET_BUCKET) {
        told = told != 0 && !has_used(l, i, CALM_PCT) ? 0 : told;
    } else if (l->_alerts[i].at != l->_state.of[i].at) {
        l->_alerts[i].at = l->_state.of[i].at;
        told = 0;
    }
    unsigned now = has_used(l, i, WARN_PCT) ? SMC_USAGE_WARNING : 0;
    if (now != 0 && has_used(l, i, CRITICAL_PCT))
        now |= SMC_USAGE_CRITICAL;
    l->_alerts[i].fresh |= (uint8_t)(now & ~told);
    l->_alerts[i].told = (uint8_t)(told | now);
}

/* Milliseconds until the budget, brought to now, can pay; 0: it can. */
static uint64_t wait_for(const smc_limiter_t *l, uint32_t i, uint32_t weight, uint64_t now_ms)
{
    const smc_budget_conf_t *c = &l->_conf[i];
    uint64_t level = l->_state.of[i].level;
    if (c->kind == SMC_BUDGET_WINDOW) {
        uint64_t end = (l->_state.of[i].at + 1) * c->period_ms;
        return level + weight <= c->limit ? 0 : end - (now_ms + l->_state.of[i].offset_ms);
    }
    uint64_t price = (uint64_t)weight * c->period_ms;
    if (level >= price)
        return 0;
    uint64_t later = l->_state.of[i].at > now_ms ? l->_state.of[i].at - now_ms : 0;
    return later + (price - level + c->refill - 1) / c->refill;
}

static void pay(smc_limiter_t *l, uint32_t i, uint32_t weight, uint64_t now_ms)
{
    smc_budget_state_t *of = &l->_state.of[i];
    if (l->_conf[i].kind == SMC_BUDGET_BUCKET) {
        of->level -= (uint64_t)weight * l->_conf[i].period_ms;
        return;
    }
    of->level += weight;
    of->paid_ms = now_ms >= of->paid_ms ? now_ms + 1 : of->paid_ms;
}

/* ---- all of them --------------------------------------------------------- */

/* The newest state; what it is known by. */
static uint64_t look(smc_limiter_t *l)
{
    return l->_share == NULL ? 0 : smc_share_read(l->_share, &l->_state);
}

/* Makes the limiter's state the newest.  false: it is not based on the newest any more, look again. */
static bool settle(smc_limiter_t *l, uint64_t seen)
{
    return l->_share == NULL || smc_share_write(l->_share, l->_seat, seen, &l->_state);
}

static uint64_t wait_of(smc_limiter_t *l, const smc_ticket_t *t, uint64_t now_ms, bool *rolled)
{
    uint64_t held = l->_state.held_until_ms, most = now_ms < held ? held - now_ms : 0;
    for (uint32_t i = 0; i < l->n_budgets; i++) {
        if (t->weights[i] == 0)
            continue;
        *rolled = roll(l, i, now_ms) || *rolled;
        uint64_t wait = wait_for(l, i, t->weights[i], now_ms);
        most = wait > most ? wait : most;
    }
    return most;
}

/* Pays when all budgets can, and nothing else.  Returns the milliseconds until they may; 0: it has paid. */
static uint64_t spend(smc_limiter_t *l, const smc_ticket_t *t, uint64_t now_ms)
{
    for (;;) {
        uint64_t seen = look(l);
        bool rolled = false;
        uint64_t wait = wait_of(l, t, now_ms, &rolled);
        for (uint32_t i = 0; wait == 0 && i < l->n_budgets; i++)
            if (t->weights[i] > 0)
                pay(l, i, t->weights[i], now_ms);
        if ((wait > 0 && !rolled) || settle(l, seen)) {
            for (uint32_t i = 0; (wait == 0 || l->_share != NULL) && i < l->n_budgets; i++)
                if (t->weights[i] > 0)
                    watch(l, i);
            return wait;
        }
    }
}

static bool can_ever(const smc_limiter_t *l, const smc_ticket_t *t)
{
    for (uint32_t i = 0; i < l->n_budgets; i++)
        if (t->weights[i] > l->_conf[i].limit)
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

uint32_t smc_limiter_waiting(const smc_limiter_t *l)
{
    uint32_t n = 0;
    for (int p = 0; p < SMC_PRIORITY_COUNT; p++)
        for (const smc_ticket_t *t = l->_queues[p].head; t != NULL; t = t->_next)
            n++;
    return n;
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
        l->_conf[i] = *c;
        l->_state.of[i].offset_ms = c->offset_ms;
        if (c->kind == SMC_BUDGET_BUCKET) {
            l->_state.of[i].level = full(c);
            l->_state.of[i].at = now_ms;
        }
    }
    l->n_budgets = n;
    return SMC_OK;
}

smc_code_t smc_limiter_share(smc_limiter_t *l, struct smc_share *share, uint32_t seat,
                             smc_error_t *err)
{
    assert(seat < SMC_SHARE_SEATS);
    smc_code_t rc = smc_share_check(share, l, NULL, err);
    if (rc != SMC_OK)
        return rc;
    l->_share = share;
    l->_seat = seat;
    return SMC_OK;
}

smc_grant_t smc_limiter_ask(smc_limiter_t *l, smc_ticket_t *t, uint64_t now_ms)
{
    assert(t->priority < SMC_PRIORITY_COUNT);
    t->_next = t->_prev = NULL;
    t->_waits = false;
    if (!can_ever(l, t))
        return SMC_NEVER;
    if (first(l, t->priority) == NULL && spend(l, t, now_ms) == 0)
        return SMC_GRANTED;
    push(l, t);
    return SMC_WAITING;
}

smc_ticket_t *smc_limiter_next(smc_limiter_t *l, uint64_t now_ms, uint64_t *wait_ms)
{
    smc_ticket_t *t = first(l, SMC_PRIORITY_LOW);
    uint64_t wait = t != NULL ? spend(l, t, now_ms) : UINT64_MAX;
    if (wait_ms != NULL)
        *wait_ms = wait;
    if (wait > 0)
        return NULL;
    smc_limiter_cancel(l, t);
    return t;
}

/* ---- what was not needed ---------------------------------------------------- */

/* The level, with the weight given back. */
static uint64_t refunded(const smc_limiter_t *l, uint32_t i, uint32_t weight, uint64_t granted_ms)
{
    const smc_budget_conf_t *c = &l->_conf[i];
    uint64_t level = l->_state.of[i].level;
    if (c->kind == SMC_BUDGET_BUCKET) {
        uint64_t room = full(c) - level, back = (uint64_t)weight * c->period_ms;
        return level + (back < room ? back : room);
    }
    uint64_t back = granted_ms >= l->_state.of[i].since_ms ? weight : 0;
    return level > back ? level - back : 0;
}

void smc_limiter_refund(smc_limiter_t *l, uint32_t budget, uint32_t weight, uint64_t granted_ms,
                        uint64_t now_ms)
{
    assert(budget < l->n_budgets && granted_ms <= now_ms);
    uint64_t seen;
    do {
        seen = look(l);
        (void)roll(l, budget, now_ms);
        l->_state.of[budget].level = refunded(l, budget, weight, granted_ms);
    } while (!settle(l, seen));
}

/* ---- what the venue says --------------------------------------------------- */

/* The level that leaves no more than the venue has counted; UINT64_MAX where it says nothing. */
static uint64_t level_by(const smc_limiter_t *l, uint32_t i, uint32_t left, uint64_t granted_ms,
                         uint64_t now_ms)
{
    const smc_budget_conf_t *c = &l->_conf[i];
    if (left >= c->limit)
        return UINT64_MAX;
    if (c->kind == SMC_BUDGET_WINDOW) {
        uint64_t ahead = l->_state.of[i].offset_ms;
        bool over = (granted_ms + ahead) / c->period_ms != (now_ms + ahead) / c->period_ms;
        return over ? UINT64_MAX : c->limit - left;
    }
    uint64_t then = (uint64_t)left * c->period_ms, elapsed = now_ms - granted_ms;
    return elapsed <= (full(c) - then) / c->refill ? then + elapsed * c->refill : UINT64_MAX;
}

void smc_limiter_left(smc_limiter_t *l, uint32_t budget, uint32_t left, uint64_t granted_ms,
                      uint64_t now_ms)
{
    assert(budget < l->n_budgets && granted_ms <= now_ms);
    bool is_window = l->_conf[budget].kind == SMC_BUDGET_WINDOW;
    uint64_t *level = &l->_state.of[budget].level, seen;
    do {
        seen = look(l);
        bool rolled = roll(l, budget, now_ms);
        uint64_t theirs = level_by(l, budget, left, granted_ms, now_ms);
        bool less = theirs != UINT64_MAX && (is_window ? theirs > *level : theirs < *level);
        if (less)
            *level = theirs;
        if (!less && !rolled)
            return;
    } while (!settle(l, seen));
    watch(l, budget);
}

void smc_limiter_hold(smc_limiter_t *l, uint64_t until_ms)
{
    uint64_t seen;
    do {
        seen = look(l);
        if (until_ms <= l->_state.held_until_ms)
            return;
        l->_state.held_until_ms = until_ms;
    } while (!settle(l, seen));
}

void smc_limiter_set_offset(smc_limiter_t *l, uint32_t budget, uint64_t offset_ms)
{
    assert(budget < l->n_budgets && l->_conf[budget].kind == SMC_BUDGET_WINDOW);
    uint64_t seen;
    do {
        seen = look(l);
        if (l->_state.of[budget].offset_ms == offset_ms)
            return;
        l->_state.of[budget].offset_ms = offset_ms;
    } while (!settle(l, seen));
}

uint64_t smc_limiter_offset(smc_limiter_t *l, uint32_t budget)
{
    assert(budget < l->n_budgets);
    (void)look(l);
    return l->_state.of[budget].offset_ms;
}

uint32_t smc_limiter_used(smc_limiter_t *l, uint32_t budget, uint64_t now_ms)
{
    assert(budget < l->n_budgets);
    uint64_t seen;
    do
        seen = look(l);
    while (roll(l, budget, now_ms) && !settle(l, seen));
    if (l->_share != NULL)
        watch(l, budget);
    return (uint32_t)used(l, budget);
}

unsigned smc_limiter_take_alerts(smc_limiter_t *l, uint32_t budget)
{
    assert(budget < l->n_budgets);
    unsigned alerts = l->_alerts[budget].fresh;
    l->_alerts[budget].fresh = 0;
    return alerts;
}
