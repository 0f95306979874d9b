/* Four processes on one budget in Redis for minutes, against what the venues count; one of them is killed.
 * Skipped where there is no redis-server. */
#include "redis_world.h"

#include "lockstep.h"

enum { WORKERS = 4, PATIENCE_MS = 60000 };

typedef struct obeying {
    const law_case_t *c;
    const char *place;
} obeying_t;

/* Asks Redis at each time that it is told, as long as it is granted. */
static void obey(void *ud, uint32_t number, int in, int out)
{
    const obeying_t *o = ud;
    smc_loop_t *loop = NULL;
    smc_redis_t *redis = NULL;
    smc_rng_t rng;
    uint64_t now, not_before = 0;
    uint32_t weight = 0; /* of what waits */
    smc_rng_init(&rng, number, "obey");
    if (smc_loop_open(&loop, NULL) != SMC_OK ||
        smc_redis_open(loop, o->place, &redis, NULL) != SMC_OK)
        _exit(4);
    while (next_time(in, &now)) {
        granted_t g = {0};
        while (now >= not_before) {
            if (weight == 0)
                weight = 1 + (uint32_t)smc_rng_below(&rng, o->c->heaviest);
            command_t c = command_of("spend", now, &o->c->budget, 1);
            add_number(&c, weight);
            answer_t a = ask_redis(loop, redis, o->c->name, &c, PATIENCE_MS);
            if (a.err.code != SMC_OK)
                _exit(5);
            if (a.values[0] == 0) {
                not_before = now + (uint64_t)a.values[1];
                break;
            }
            g.requests++;
            g.weight += weight;
            weight = 0;
        }
        write_all(out, &g, sizeof(g));
    }
    smc_redis_close(redis);
    smc_loop_close(loop);
}

static redis_world_t world;

/* One dies half way, and nobody takes its place. */
static void obey_venue(const law_case_t *c, uint64_t until_ms)
{
    obeying_t o = {.c = c, .place = world.place};
    venue_t *venue = venue_of(c);
    worker_t workers[WORKERS];
    for (uint32_t i = 0; i < WORKERS; i++)
        workers[i] = start_worker(obey, &o, i);
    uint64_t in_period = 0, least = UINT64_MAX;
    for (uint64_t now = 0; now < until_ms; now += c->step_ms) {
        if (now == until_ms / 2)
            stop_worker(&workers[1], SIGKILL);
        if (now % c->period_ms == 0 && now > 0) {
            least = in_period < least ? in_period : least;
            in_period = 0;
        }
        in_period += step_all(workers, WORKERS, venue, now);
    }
    for (uint32_t i = 0; i < WORKERS; i++)
        stop_worker(&workers[i], 0);
    uint64_t allowed = (uint64_t)c->limit * (until_ms / c->period_ms);
    printf("%s: %.2f %% of what is allowed, at worst %.2f %% in a period, %llu violations\n",
           c->name, 100.0 * (double)venue->total / (double)allowed,
           100.0 * (double)least / c->limit, (unsigned long long)venue->violations);
    assert_int_equal(venue->violations, 0);
    assert_true(venue->total * 100 >= allowed * 95);
    assert_true(least * 100 >= (uint64_t)c->limit * 95);
    free(venue);
}

static void four_workers_use_what_the_venues_allow_and_no_more(void **state)
{
    (void)state;
    redis_start(&world);
    obey_venue(&law_cases[0], TEN_MINUTES_MS);
    obey_venue(&law_cases[1], TEN_MINUTES_MS);
    obey_venue(&law_cases[2], TEN_MINUTES_MS / 10); /* 120 calls a second, one by one */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(four_workers_use_what_the_venues_allow_and_no_more),
    };
    redis_world_open(&world);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    redis_world_close(&world);
    return failed;
}
