/* What a decision costs: breaker and limiter, its budgets shared or not, beside an empty call, in nanoseconds of
 * CPU time and as ratios; and one in Redis, there and back, beside a PING that goes the same way. */
#include "smc/breaker.h"
#include "smc/clock.h"
#include "smc/limiter.h"
#include "smc/share.h"
#include "smc/shm.h"

#include "tests/redis_world.h"

enum { CALLS = 5000000, TRIPS = 20000 };

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

static const smc_budget_conf_t budgets[] = {
    {.kind = SMC_BUDGET_WINDOW, .limit = 6000, .period_ms = 60000},
    {.kind = SMC_BUDGET_BUCKET, .limit = 50, .refill = 1000, .period_ms = 1000},
};

static smc_limiter_t two_budgets(void)
{
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

/* ---- in Redis: time on the wall, for most of it passes in another process ------------------ */

static double measure_redis(const redis_world_t *w)
{
    smc_loop_t *loop = NULL;
    smc_redis_t *redis = NULL;
    if (smc_loop_open(&loop, NULL) != SMC_OK || redis_open(w, loop, &redis) != SMC_OK)
        abort();
    int64_t start = smc_clock_real_ns();
    for (uint64_t i = 0; i < TRIPS; i++) {
        command_t c = command_of("spend", i * 20, budgets, 2);
        add_number(&c, 1);
        add_number(&c, 1);
        answer_t a = ask_redis(loop, redis, "bench", &c, 10000);
        if (a.err.code != SMC_OK || a.values[0] != 1)
            abort();
    }
    double ns = (double)(smc_clock_real_ns() - start) / TRIPS;
    smc_redis_close(redis);
    smc_loop_close(loop);
    return ns;
}

static double measure_ping(const redis_world_t *w)
{
    char answer[16];
    int fd = redis_connect(w);
    int64_t start = smc_clock_real_ns();
    for (int i = 0; i < TRIPS; i++)
        if (write(fd, "PING\r\n", 6) != 6 || read(fd, answer, sizeof(answer)) != 7)
            abort();
    double ns = (double)(smc_clock_real_ns() - start) / TRIPS;
    (void)close(fd);
    return ns;
}

static void print_redis(double shared)
{
    static redis_world_t world;
    if (!redis_is_here()) {
        printf("the same in Redis: redis-tools is not installed\n");
        return;
    }
    redis_world_open(&world);
    redis_start(&world);
    double ping = measure_ping(&world), spend = measure_redis(&world);
    printf("the same in Redis, a round trip %6.0f ns  %5.1f x a PING, %.0f x the shared state\n",
           spend, spend / ping, spend / shared);
    redis_world_close(&world);
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
    print_redis(shared);
    return 0;
}
