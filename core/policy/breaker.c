#include "smc/breaker.h"

#include <string.h>

enum { FAILED = 1, SLOW = 2 }; /* bits of a result */

typedef struct tally {
    uint32_t calls, failures, slow;
} tally_t;

/* ---- the window ---------------------------------------------------------- */

static void forget(smc_breaker_t *b)
{
    b->_next = b->_n = b->_failures = b->_slow = 0;
    memset(b->_slots, 0, sizeof(b->_slots));
}

static uint64_t slot_of(const smc_breaker_t *b, uint64_t now_ms)
{
    return now_ms * SMC_BREAKER_SLOTS / b->conf.size + 1; /* from 1: 0 is a slot never used */
}

static void remember_in_slot(smc_breaker_t *b, uint64_t now_ms, unsigned bits)
{
    uint64_t slot = slot_of(b, now_ms);
    size_t i = (size_t)(slot % SMC_BREAKER_SLOTS);
    if (b->_slots[i].slot != slot) {
        memset(&b->_slots[i], 0, sizeof(b->_slots[i]));
        b->_slots[i].slot = slot;
    }
    b->_slots[i].calls++;
    b->_slots[i].failures += (bits & FAILED) != 0;
    b->_slots[i].slow += (bits & SLOW) != 0;
}

static void remember_in_ring(smc_breaker_t *b, unsigned bits)
{
    if (b->_n == b->conf.size) {
        unsigned old = b->_results[b->_next];
        b->_failures -= (old & FAILED) != 0;
        b->_slow -= (old & SLOW) != 0;
    } else {
        b->_n++;
    }
    b->_results[b->_next] = (uint8_t)bits;
    b->_failures += (bits & FAILED) != 0;
    b->_slow += (bits & SLOW) != 0;
    b->_next = (b->_next + 1) % b->conf.size;
}

static tally_t tally(const smc_breaker_t *b, uint64_t now_ms)
{
    if (b->conf.window == SMC_BREAKER_COUNT)
        return (tally_t){b->_n, b->_failures, b->_slow};
    tally_t t = {0};
    uint64_t slot = slot_of(b, now_ms);
    for (size_t i = 0; i < SMC_BREAKER_SLOTS; i++) {
        if (b->_slots[i].slot == 0 || b->_slots[i].slot + SMC_BREAKER_SLOTS <= slot)
            continue;
        t.calls += b->_slots[i].calls;
        t.failures += b->_slots[i].failures;
        t.slow += b->_slots[i].slow;
    }
    return t;
}

/* ---- states -------------------------------------------------------------- */

/* The only writer of the state. */
static void set_state(smc_breaker_t *b, smc_breaker_state_t to, uint64_t now_ms, const tally_t *why)
{
    b->last = (smc_breaker_change_t){.from = b->_state,
                                     .to = to,
                                     .at_ms = now_ms,
                                     .calls = why != NULL ? why->calls : 0,
                                     .failures = why != NULL ? why->failures : 0,
                                     .slow = why != NULL ? why->slow : 0};
    b->changes++;
    b->_era++;
    b->_state = to;
    b->_probes_out = b->_probes_good = 0;
    forget(b);
    if (to == SMC_BREAKER_OPEN)
        b->_open_until_ms = now_ms + b->_interval_ms;
    if (to == SMC_BREAKER_CLOSED)
        b->_interval_ms = b->conf.open_ms;
}

static void open_for_longer(smc_breaker_t *b, uint64_t now_ms)
{
    uint64_t most = b->conf.open_max_ms, pct = b->conf.growth_pct;
    uint64_t longer = b->_interval_ms > UINT64_MAX / pct ? most : b->_interval_ms * pct / 100;
    b->_interval_ms = longer < most ? longer : most;
    set_state(b, SMC_BREAKER_OPEN, now_ms, NULL);
}

static bool reaches(uint32_t n, uint32_t of, uint32_t pct)
{
    return pct > 0 && (uint64_t)n * 100 >= (uint64_t)of * pct;
}

static void count(smc_breaker_t *b, uint64_t now_ms, unsigned bits)
{
    if (b->conf.window == SMC_BREAKER_COUNT)
        remember_in_ring(b, bits);
    else
        remember_in_slot(b, now_ms, bits);
    tally_t t = tally(b, now_ms);
    if (t.calls >= b->conf.min_calls && (reaches(t.failures, t.calls, b->conf.failure_pct) ||
                                         reaches(t.slow, t.calls, b->conf.slow_pct)))
        set_state(b, SMC_BREAKER_OPEN, now_ms, &t);
}

static void count_probe(smc_breaker_t *b, uint64_t now_ms, unsigned bits)
{
    if (bits != 0)
        open_for_longer(b, now_ms);
    else if (++b->_probes_good == b->conf.probes)
        set_state(b, SMC_BREAKER_CLOSED, now_ms, NULL);
}

/* ---- calls --------------------------------------------------------------- */

static smc_code_t invalid(smc_error_t *err, const char *what)
{
    return smc_fail(err, SMC_EINVAL, "breaker", 0, "%s", what);
}

smc_code_t smc_breaker_init(smc_breaker_t *b, const smc_breaker_conf_t *c, smc_error_t *err)
{
    if (c->window == SMC_BREAKER_COUNT && (c->size < 1 || c->size > SMC_BREAKER_MAX_CALLS))
        return invalid(err, "size must be 1 to 1024 calls");
    if (c->window == SMC_BREAKER_TIME && c->size < SMC_BREAKER_SLOTS)
        return invalid(err, "size must be at least 16 ms");
    if (c->min_calls < 1 || (c->window == SMC_BREAKER_COUNT && c->min_calls > c->size))
        return invalid(err,
                       "min_calls must be at least 1, and not more than a window of calls holds");
    if (c->failure_pct > 100 || c->slow_pct > 100)
        return invalid(err, "failure_pct and slow_pct must be 0 to 100");
    if (c->slow_pct > 0 && c->slow_ms < 1)
        return invalid(err, "slow_ms must be at least 1 when slow_pct is given");
    if (c->open_ms < 1 || c->open_max_ms < c->open_ms)
        return invalid(err, "open_ms must be at least 1, open_max_ms not below it");
    if (c->growth_pct < 100 || c->growth_pct > 1000)
        return invalid(err, "growth_pct must be 100 to 1000");
    if (c->probes < 1)
        return invalid(err, "probes must be at least 1");
    memset(b, 0, sizeof(*b));
    b->conf = *c;
    b->_interval_ms = c->open_ms;
    return SMC_OK;
}

static bool refuse(uint64_t *wait_ms, uint64_t wait)
{
    if (wait_ms != NULL)
        *wait_ms = wait;
    return false;
}

static void grant(smc_breaker_t *b, uint64_t now_ms, smc_permit_t *permit)
{
    b->_probes_out += b->_state == SMC_BREAKER_HALF_OPEN;
    b->out++;
    *permit = (smc_permit_t){.started_ms = now_ms, .era = b->_era};
}

bool smc_breaker_ask(smc_breaker_t *b, uint64_t now_ms, smc_permit_t *permit, uint64_t *wait_ms)
{
    if (b->_force == SMC_BREAKER_FORCED_OPEN)
        return refuse(wait_ms, UINT64_MAX);
    if (b->_state == SMC_BREAKER_OPEN) {
        if (now_ms < b->_open_until_ms)
            return refuse(wait_ms, b->_open_until_ms - now_ms);
        set_state(b, SMC_BREAKER_HALF_OPEN, now_ms, NULL);
    }
    if (b->_state == SMC_BREAKER_HALF_OPEN) {
        if (b->_probes_out + b->_probes_good >= b->conf.probes)
            return refuse(wait_ms, 0);
    }
    grant(b, now_ms, permit);
    return true;
}

bool smc_breaker_ask_urgently(smc_breaker_t *b, uint64_t now_ms, smc_permit_t *permit)
{
    if (b->_force == SMC_BREAKER_FORCED_OPEN)
        return false;
    if (b->_state == SMC_BREAKER_OPEN)
        set_state(b, SMC_BREAKER_HALF_OPEN, now_ms, NULL);
    grant(b, now_ms, permit);
    return true;
}

void smc_breaker_report(smc_breaker_t *b, const smc_permit_t *permit, uint64_t now_ms,
                        smc_call_t result)
{
    b->out--;
    if (permit->era != b->_era || b->_force != SMC_BREAKER_FREE)
        return;
    if (b->_state == SMC_BREAKER_HALF_OPEN)
        b->_probes_out--;
    if (result == SMC_CALL_IGNORED)
        return;
    bool slow = b->conf.slow_pct > 0 && now_ms - permit->started_ms >= b->conf.slow_ms;
    unsigned bits = (result == SMC_CALL_FAILED ? FAILED : 0) | (slow ? SLOW : 0);
    if (b->_state == SMC_BREAKER_HALF_OPEN)
        count_probe(b, now_ms, bits);
    else
        count(b, now_ms, bits);
}

void smc_breaker_set_force(smc_breaker_t *b, smc_breaker_force_t force, uint64_t now_ms)
{
    if (force == b->_force)
        return;
    b->_force = force;
    set_state(b, force == SMC_BREAKER_FORCED_OPEN ? SMC_BREAKER_OPEN : SMC_BREAKER_CLOSED, now_ms,
              NULL);
}

smc_breaker_state_t smc_breaker_state(const smc_breaker_t *b)
{
    return b->_state;
}

const char *smc_breaker_state_text(smc_breaker_state_t state)
{
    static const char *const texts[] = {"closed", "open", "half_open"};
    return texts[state];
}
