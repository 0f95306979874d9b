#include "share_priv.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "what is shared by processes may hide no lock");

#define OP "share"
#define LAYOUT UINT64_C(0x736d637368617202) /* "smcshar" and a version */

enum { SLOTS = 1 + 2 * SMC_SHARE_SEATS, SLOT_BITS = 9 };
enum { WORDS_EACH = 5, WORDS = 1 + WORDS_EACH * SMC_LIMITER_BUDGETS };
static_assert(SLOTS <= 1 << SLOT_BITS, "a slot has its number");
static_assert(sizeof(smc_budgets_state_t) == WORDS * sizeof(uint64_t), "a state is words only");

/* The first slot holds what the memory was laid out with; 1 + 2n and 2 + 2n belong to seat n. */
struct smc_share {
    uint64_t layout;
    uint64_t n_budgets;
    smc_budget_conf_t conf[SMC_LIMITER_BUDGETS];
    char names[SMC_SHARE_NAMES];
    _Alignas(64) _Atomic uint64_t head; /* how many states there were, and the slot of this one */
    struct {
        _Alignas(64) _Atomic uint64_t words[WORDS];
    } slots[SLOTS];
};

size_t smc_share_bytes(void)
{
    return sizeof(struct smc_share);
}

/* A file that somebody has scribbled in must not lead out of it. */
static uint64_t slot_of(uint64_t head)
{
    uint64_t slot = head & ((1 << SLOT_BITS) - 1);
    return slot < SLOTS ? slot : 0;
}

static uint64_t words_of(const smc_share_t *s)
{
    return s->n_budgets < SMC_LIMITER_BUDGETS ? 1 + WORDS_EACH * s->n_budgets : WORDS;
}

uint64_t smc_share_read(const smc_share_t *s, smc_budgets_state_t *out)
{
    uint64_t words[WORDS], n = words_of(s);
    for (;;) {
        uint64_t head = atomic_load_explicit(&s->head, memory_order_acquire), slot = slot_of(head);
        for (uint64_t i = 0; i < n; i++)
            words[i] = atomic_load_explicit(&s->slots[slot].words[i], memory_order_relaxed);
        atomic_thread_fence(memory_order_acquire);
        /* Its owner writes into a slot again only after another one was put in force. */
        if (atomic_load_explicit(&s->head, memory_order_relaxed) == head) {
            memcpy(out, words, n * sizeof(words[0]));
            return head;
        }
    }
}

bool smc_share_write(smc_share_t *s, uint32_t seat, uint64_t seen, const smc_budgets_state_t *state)
{
    uint64_t words[WORDS], n = words_of(s), slot = 1 + 2 * (uint64_t)seat;
    slot += slot == slot_of(seen);
    memcpy(words, state, n * sizeof(words[0]));
    atomic_thread_fence(memory_order_release);
    for (uint64_t i = 0; i < n; i++)
        atomic_store_explicit(&s->slots[slot].words[i], words[i], memory_order_relaxed);
    uint64_t next = ((seen >> SLOT_BITS) + 1) << SLOT_BITS | slot;
    return atomic_compare_exchange_strong_explicit(&s->head, &seen, next, memory_order_release,
                                                   memory_order_relaxed);
}

/* ---- the memory ------------------------------------------------------------ */

void smc_share_lay_out(void *memory, const smc_limiter_t *l, const char *names)
{
    smc_share_t *s = memory;
    uint64_t words[WORDS];
    s->layout = LAYOUT;
    s->n_budgets = l->n_budgets;
    memcpy(s->conf, l->_conf, sizeof(s->conf));
    strncpy(s->names, names, sizeof(s->names) - 1);
    memcpy(words, &l->_state, sizeof(words));
    for (int i = 0; i < WORDS; i++)
        atomic_store_explicit(&s->slots[0].words[i], words[i], memory_order_relaxed);
    atomic_store_explicit(&s->head, 0, memory_order_release);
}

static smc_code_t differs(smc_error_t *err, const char *what)
{
    return smc_fail(err, SMC_EEXIST, OP, 0, "%s", what);
}

static smc_code_t check_one(const smc_budget_conf_t *there, const smc_budget_conf_t *ours,
                            uint32_t i, smc_error_t *err)
{
    bool same = there->kind == ours->kind && there->limit == ours->limit &&
                there->period_ms == ours->period_ms &&
                (ours->kind == SMC_BUDGET_WINDOW || there->refill == ours->refill);
    if (same)
        return SMC_OK;
    return smc_fail(err, SMC_EEXIST, OP, 0,
                    "budget %u is shared as a %s of %u in %u ms, not as a %s of %u in %u ms", i + 1,
                    there->kind == SMC_BUDGET_WINDOW ? "window" : "bucket", there->limit,
                    there->period_ms, ours->kind == SMC_BUDGET_WINDOW ? "window" : "bucket",
                    ours->limit, ours->period_ms);
}

smc_code_t smc_share_check(const void *memory, const smc_limiter_t *l, const char *names,
                           smc_error_t *err)
{
    const smc_share_t *s = memory;
    if (s->layout != LAYOUT)
        return differs(err, "it was not made by this version of the program");
    if (names != NULL && strncmp(s->names, names, sizeof(s->names) - 1) != 0)
        return smc_fail(err, SMC_EEXIST, OP, 0, "it is shared with the budgets %.100s", s->names);
    if (s->n_budgets != l->n_budgets)
        return differs(err, "it is shared with another number of budgets");
    for (uint32_t i = 0; i < l->n_budgets; i++) {
        smc_code_t rc = check_one(&s->conf[i], &l->_conf[i], i, err);
        if (rc != SMC_OK)
            return rc;
    }
    return SMC_OK;
}
