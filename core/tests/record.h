/* record.h - four processes spend from one budget for minutes, one is killed half way; what they are granted is written
 * down.
 *
 * It judges nothing: what it writes is a Lua module, for bindings/tests/limiter_record.lua, which has the sandboxes judge. */
#ifndef SMC_TESTS_RECORD_H
#define SMC_TESTS_RECORD_H

#include "smc/limiter.h"
#include "smc/rng.h"

#include "lockstep.h"

#include <string.h>

enum { WORKERS = 4, WEIGHTS_MAX = 8, GRANTS_MAX = 2000 };

/* What workers spend from: a budget as the client's half of a venue has it, and what their requests weigh. */
typedef struct spending {
    const char *venue, *budget_name;
    smc_budget_conf_t budget;
    uint32_t weights[WEIGHTS_MAX]; /* drawn from; to the first 0 */
    uint32_t step_ms;
    uint64_t until_ms;
} spending_t;

static const spending_t spendings[] = {
    {"binance",
     "request_weight",
     {.kind = SMC_BUDGET_WINDOW, .limit = 6000, .period_ms = 60000},
     {1, 20, 40, 80},
     100,
     600000},
    {"bybit",
     "requests",
     {.kind = SMC_BUDGET_BUCKET, .limit = 18, .refill = 582, .period_ms = 5000},
     {4, 5, 6}, /* at once */
     100,
     600000},
    {"bybit",
     "user/query-api",
     {.kind = SMC_BUDGET_BUCKET, .limit = 1, .refill = 10, .period_ms = 1020},
     {1},
     102,
     600000},
    {"oanda",
     "requests",
     {.kind = SMC_BUDGET_BUCKET, .limit = 4, .refill = 116, .period_ms = 1000},
     {1},
     25,
     600000},
};

enum { SPENDINGS = sizeof(spendings) / sizeof(spendings[0]) };

/* What a worker was granted at one instant. */
typedef struct granted {
    uint32_t n, weights[GRANTS_MAX];
} granted_t;

/* ---- in a worker -------------------------------------------------------------- */

static inline uint32_t draw_weight(const spending_t *s, smc_rng_t *rng)
{
    uint32_t n = 0;
    while (n < WEIGHTS_MAX && s->weights[n] != 0)
        n++;
    return s->weights[smc_rng_below(rng, n)];
}

static inline void note_grant(granted_t *g, uint32_t weight)
{
    if (g->n == GRANTS_MAX)
        _exit(3);
    g->weights[g->n++] = weight;
}

static inline void write_granted(int out, const granted_t *g)
{
    write_all(out, g, sizeof(g->n) + g->n * sizeof(g->weights[0]));
}

/* ---- in the parent -------------------------------------------------------------- */

static inline void read_granted(const worker_t *w, granted_t *g)
{
    read_all(w->from, &g->n, sizeof(g->n));
    if (g->n > GRANTS_MAX)
        die("more than was asked for");
    read_all(w->from, g->weights, g->n * sizeof(g->weights[0]));
}

/* One instant for all workers.  Who is killed is killed while it decides: what it is granted then, nobody sends. */
static inline void step_all(worker_t *workers, uint64_t now, worker_t *killed)
{
    static granted_t g;
    for (int i = 0; i < WORKERS; i++)
        if (workers[i].pid != 0)
            tell_time(&workers[i], now);
    if (killed != NULL)
        stop_worker(killed, SIGKILL);
    for (int i = 0; i < WORKERS; i++) {
        if (workers[i].pid == 0)
            continue;
        read_granted(&workers[i], &g);
        if (g.n > 0)
            printf("%llu", (unsigned long long)now);
        for (uint32_t k = 0; k < g.n; k++)
            printf(" %u", g.weights[k]);
        if (g.n > 0)
            printf("\n");
    }
}

/* Writes one table; ud goes to the workers. */
static inline void record(const spending_t *s, worker_fn life, void *ud)
{
    const smc_budget_conf_t *b = &s->budget;
    worker_t workers[WORKERS];
    uint64_t middle = s->until_ms / s->step_ms / 2 * s->step_ms;
    for (uint32_t i = 0; i < WORKERS; i++)
        workers[i] = start_worker(life, ud, i);
    printf("{ venue = \"%s\", budget = \"%s\", kind = \"%s\", limit = %u, refill = %u,\n"
           "  period_ms = %u, until_ms = %llu, killed_ms = %llu, grants = [[\n",
           s->venue, s->budget_name, b->kind == SMC_BUDGET_WINDOW ? "window" : "bucket", b->limit,
           b->refill, b->period_ms, (unsigned long long)s->until_ms, (unsigned long long)middle);
    for (uint64_t now = 0; now < s->until_ms; now += s->step_ms)
        step_all(workers, now, now == middle ? &workers[1] : NULL);
    printf("]] },\n");
    for (int i = 0; i < WORKERS; i++)
        if (workers[i].pid != 0)
            stop_worker(&workers[i], 0);
}

#endif /* SMC_TESTS_RECORD_H */
