/* lockstep.h - worker processes that spend from one budget while a parent hands out the time, and a venue that counts.
 *
 * The parent tells all workers the time at once, so they race in earnest; each answers with what it was granted then.  It
 * knows nothing of limiters: it adds up what would have reached the venue, by the venue's rule, and counts violations. */
#ifndef SMC_TESTS_LOCKSTEP_H
#define SMC_TESTS_LOCKSTEP_H

#include "smc/limiter.h"
#include "smc/rng.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* What a worker was granted at one instant. */
typedef struct granted {
    uint32_t requests, weight;
} granted_t;

typedef struct worker {
    pid_t pid;
    int to, from; /* descriptors of the parent */
} worker_t;

/* The life of a worker: for each time that next_time reads from `in` one granted_t is written to `out`. */
typedef void (*worker_fn)(void *ud, uint32_t number, int in, int out);

static inline void write_all(int fd, const void *bytes, size_t n)
{
    if (write(fd, bytes, n) != (ssize_t)n)
        _exit(3);
}

/* false: it is over. */
static inline bool next_time(int in, uint64_t *now)
{
    return read(in, now, sizeof(*now)) == sizeof(*now) && *now != UINT64_MAX;
}

static inline worker_t start_worker(worker_fn life, void *ud, uint32_t number)
{
    int to[2], from[2];
    assert_int_equal(pipe(to), 0);
    assert_int_equal(pipe(from), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        life(ud, number, to[0], from[1]);
        _exit(0);
    }
    (void)close(to[0]);
    (void)close(from[1]);
    return (worker_t){.pid = pid, .to = to[1], .from = from[0]};
}

static inline void stop_worker(worker_t *w, int sig)
{
    int status = 0;
    uint64_t over = UINT64_MAX;
    if (w->pid == 0)
        return;
    if (sig != 0)
        (void)kill(w->pid, sig);
    else
        assert_int_equal(write(w->to, &over, sizeof(over)), sizeof(over));
    (void)close(w->to);
    assert_int_equal(waitpid(w->pid, &status, 0), w->pid);
    (void)close(w->from);
    if (sig == 0)
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    *w = (worker_t){0};
}

/* The life of a worker with a limiter: asks at each time that it is told, as long as it is granted, with weights that it draws. */
static inline void spend_at(smc_limiter_t *l, smc_rng_t *rng, uint32_t heaviest, int in, int out)
{
    uint64_t now;
    smc_ticket_t t = {.priority = SMC_PRIORITY_NORMAL};
    bool waits = false;
    while (next_time(in, &now)) {
        granted_t g = {0};
        for (;;) {
            if (waits)
                waits = smc_limiter_next(l, now, NULL) == NULL;
            else {
                t.weights[0] = 1 + (uint32_t)smc_rng_below(rng, heaviest);
                waits = smc_limiter_ask(l, &t, now) != SMC_GRANTED;
            }
            if (waits)
                break;
            g.requests++;
            g.weight += t.weights[0];
        }
        write_all(out, &g, sizeof(g));
    }
}

/* ---- the venue ------------------------------------------------------------- */

enum { VENUE_LOG = 1 << 16 };

typedef struct venue {
    const char *name;
    uint32_t limit, period_ms;
    bool rolling; /* over any period, or over those that begin at its multiples */
    /* what it saw */
    uint64_t total, violations;
    struct {
        uint64_t at;
        uint32_t weight;
    } log[VENUE_LOG]; /* a ring */
    uint64_t first, next;
    uint64_t in_window;
} venue_t;

static inline void venue_see(venue_t *v, uint64_t now, uint32_t weight)
{
    uint64_t begin = v->rolling ? now + 1 - (now + 1 < v->period_ms ? now + 1 : v->period_ms)
                                : now - now % v->period_ms;
    while (v->first < v->next && v->log[v->first % VENUE_LOG].at < begin)
        v->in_window -= v->log[v->first++ % VENUE_LOG].weight;
    if (weight == 0)
        return;
    assert_true(v->next - v->first < VENUE_LOG);
    v->log[v->next % VENUE_LOG].at = now;
    v->log[v->next++ % VENUE_LOG].weight = weight;
    v->in_window += weight;
    v->total += weight;
    v->violations += v->in_window > v->limit;
}

/* One instant for all workers: what they were granted at it, together. */
static inline uint64_t step_all(worker_t *workers, uint32_t n, venue_t *venue, uint64_t now)
{
    uint64_t before = venue->total;
    for (uint32_t i = 0; i < n; i++)
        if (workers[i].pid != 0)
            assert_int_equal(write(workers[i].to, &now, sizeof(now)), sizeof(now));
    for (uint32_t i = 0; i < n; i++) {
        granted_t g = {0};
        if (workers[i].pid == 0)
            continue;
        assert_int_equal(read(workers[i].from, &g, sizeof(g)), sizeof(g));
        venue_see(venue, now, g.weight);
    }
    return venue->total - before;
}

/* The venues' published limits, and the budget that a client keeps to.  Over a window that rolls, a bucket spends at most
 * what it holds and what is refilled: together no more than the limit. */
typedef struct law_case {
    const char *name;
    uint32_t limit, period_ms;
    bool rolling;
    smc_budget_conf_t budget;
    uint32_t heaviest, step_ms;
} law_case_t;

static const law_case_t law_cases[] = {
    {"binance",
     6000,
     60000,
     false,
     {.kind = SMC_BUDGET_WINDOW, .limit = 6000, .period_ms = 60000},
     50,
     100},
    {"bybit",
     600,
     5000,
     true,
     {.kind = SMC_BUDGET_BUCKET, .limit = 18, .refill = 582, .period_ms = 5000},
     6,
     100},
    {"oanda",
     120,
     1000,
     true,
     {.kind = SMC_BUDGET_BUCKET, .limit = 4, .refill = 116, .period_ms = 1000},
     1,
     25},
};

enum { TEN_MINUTES_MS = 600000 };

static inline venue_t *venue_of(const law_case_t *c)
{
    venue_t *v = calloc(1, sizeof(*v));
    assert_non_null(v);
    v->name = c->name;
    v->limit = c->limit;
    v->period_ms = c->period_ms;
    v->rolling = c->rolling;
    return v;
}

#endif /* SMC_TESTS_LOCKSTEP_H */
