/* What a decision costs: breaker and limiter, its budgets shared or not, beside an empty call, in nanoseconds of
 * CPU time and as ratios. */
#include "smc/breaker.h"
#include "smc/clock.h"
#include "smc/limiter.h"
#include "smc/share.h"
#include "smc/shm.h"

#include <stdio.h>
#include <stdlib.h>

enum { CALLS = 5000000 };

/* Kept from being inlined or dropped: what a call alone costs. */
static __attribute__((noinline)) bool nothing(volatile uint64_t *sink, uint64_t now_ms)
{
    *sink = now_ms;
    return true;
}

static double ns_each(int64_t start)
{
    return (double)(smc_clock_cpu_ns() - start) / CALLS;
}

static double measure_nothing(void)
{
    volatile uint64_t sink = 0;
    int64_t start = smc_clock_cpu_ns();
    for (uint64_t i = 0; i < CALLS; i++)
        if (!nothing(&sink, i))
            abort();
    return ns_each(start);
}

static double measure_breaker(smc_breaker_window_t window)
{
    smc_breaker_conf_t conf = {.window = window,
                               .size = window == SMC_BREAKER_COUNT ? 100 : 10000,
                               .min_calls = 10,
                               .failure_pct = 50,
                               .slow_pct = 50,
                               .slow_ms = 100,
                               .open_ms = 1000,
                               .open_max_ms = 1000,
                               .growth_pct = 100,
                               .probes = 1};
    smc_breaker_t b;
    if (smc_breaker_init(&b, &conf, NULL) != SMC_OK)
        abort();
    int64_t start = smc_clock_cpu_ns();
    for (uint64_t i = 0; i < CALLS; i++) {
        smc_permit_t permit;
        if (!smc_breaker_ask(&b, i, &permit, NULL))
            abort();
        smc_breaker_report(&b, &permit, i, i % 4 == 0 ? SMC_CALL_FAILED : SMC_CALL_OK);
    }
    return ns_each(start);
}

static smc_limiter_t two_budgets(void)
{
    smc_budget_conf_t budgets[] = {
        {.kind = SMC_BUDGET_WINDOW, .limit = 6000, .period_ms = 60000},
        {.kind = SMC_BUDGET_BUCKET, .limit = 50, .refill = 1000, .period_ms = 1000},
    };
    smc_limiter_t l;
    if (smc_limiter_init(&l, budgets, 2, 0, NULL) != SMC_OK)
        abort();
    return l;
}

static double measure_limiter(smc_limiter_t *l)
{
    smc_ticket_t t = {.weights = {1, 1}, .priority = SMC_PRIORITY_NORMAL};
    int64_t start = smc_clock_cpu_ns();
    for (uint64_t i = 0; i < CALLS; i++)
        if (smc_limiter_ask(l, &t, i * 20) != SMC_GRANTED)
            abort();
    return ns_each(start);
}

static void fill(void *memory, void *ud)
{
    smc_share_lay_out(memory, ud, "bench");
}

static double measure_shared(void)
{
    smc_limiter_t l = two_budgets();
    smc_shm_t *shm = NULL;
    smc_shm_conf_t conf = {
        .bytes = smc_share_bytes(), .seats = SMC_SHARE_SEATS, .fill = fill, .ud = &l};
    if (smc_shm_open(&conf, &shm, NULL) != SMC_OK ||
        smc_limiter_share(&l, smc_shm_memory(shm), 0, NULL) != SMC_OK)
        abort();
    double ns = measure_limiter(&l);
    smc_shm_close(shm);
    return ns;
}

int main(void)
{
    double base = measure_nothing(), ring = measure_breaker(SMC_BREAKER_COUNT),
           slots = measure_breaker(SMC_BREAKER_TIME);
    smc_limiter_t l = two_budgets();
    double limiter = measure_limiter(&l), shared = measure_shared();
    printf("empty call                      %6.1f ns\n", base);
    printf("breaker, ask and report, calls  %6.1f ns  %5.1f x\n", ring, ring / base);
    printf("breaker, ask and report, time   %6.1f ns  %5.1f x\n", slots, slots / base);
    printf("limiter, ask, two budgets       %6.1f ns  %5.1f x\n", limiter, limiter / base);
    printf("the same, of a shared state     %6.1f ns  %5.1f x\n", shared, shared / base);
    return 0;
}
