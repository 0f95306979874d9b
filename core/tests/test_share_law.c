/* Four processes on one budget in shared memory for ten minutes, against what the venues count; one of them is killed. */
#include "smc/share.h"
#include "smc/shm.h"

#include "lockstep.h"

#include <stdio.h>

enum { WORKERS = 4 };

typedef struct mapped {
    const law_case_t *c;
    smc_limiter_t *l;
    char name[SMC_SHM_NAME_MAX];
} mapped_t;

static void fill(void *memory, void *ud)
{
    const mapped_t *m = ud;
    smc_share_lay_out(memory, m->l, m->c->name);
}

static smc_code_t check(const void *memory, void *ud, smc_error_t *err)
{
    const mapped_t *m = ud;
    return smc_share_check(memory, m->l, m->c->name, err);
}

static void obey(void *ud, uint32_t number, int in, int out)
{
    mapped_t *m = ud;
    smc_limiter_t l;
    smc_shm_t *shm = NULL;
    smc_rng_t rng;
    smc_rng_init(&rng, number, "obey");
    if (smc_limiter_init(&l, &m->c->budget, 1, 0, NULL) != SMC_OK)
        _exit(4);
    m->l = &l;
    smc_shm_conf_t conf = {.name = m->name,
                           .bytes = smc_share_bytes(),
                           .seats = SMC_SHARE_SEATS,
                           .fill = fill,
                           .check = check,
                           .ud = m};
    if (smc_shm_open(&conf, &shm, NULL) != SMC_OK ||
        smc_limiter_share(&l, smc_shm_memory(shm), smc_shm_seat(shm), NULL) != SMC_OK)
        _exit(4);
    spend_at(&l, &rng, m->c->heaviest, in, out);
    smc_shm_close(shm);
}

/* Four workers for ten minutes; one dies after five, and nobody takes its place. */
static void obey_venue(const law_case_t *c)
{
    mapped_t m = {.c = c};
    (void)snprintf(m.name, sizeof(m.name), "test-%ld-%s", (long)getpid(), c->name);
    venue_t *venue = venue_of(c);
    worker_t workers[WORKERS];
    for (uint32_t i = 0; i < WORKERS; i++)
        workers[i] = start_worker(obey, &m, i);
    uint64_t in_period = 0, least = UINT64_MAX;
    for (uint64_t now = 0; now < TEN_MINUTES_MS; now += c->step_ms) {
        if (now == TEN_MINUTES_MS / 2)
            stop_worker(&workers[1], SIGKILL);
        if (now % c->period_ms == 0 && now > 0) {
            least = in_period < least ? in_period : least;
            in_period = 0;
        }
        in_period += step_all(workers, WORKERS, venue, now);
    }
    for (uint32_t i = 0; i < WORKERS; i++)
        stop_worker(&workers[i], 0);
    assert_int_equal(smc_shm_remove(m.name, NULL), SMC_OK);
    uint64_t allowed = (uint64_t)c->limit * (TEN_MINUTES_MS / c->period_ms);
    printf("%s: %.2f %% of what is allowed, at worst %.2f %% in a period, %llu violations\n",
           c->name, 100.0 * (double)venue->total / (double)allowed,
           100.0 * (double)least / c->limit, (unsigned long long)venue->violations);
    assert_int_equal(venue->violations, 0);
    assert_true(venue->total * 100 >= allowed * 95);
    assert_true(least * 100 >= (uint64_t)c->limit * 95); /* also in the period after the death */
    free(venue);
}

static void four_workers_use_what_the_venues_allow_and_no_more(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(law_cases) / sizeof(law_cases[0]); i++)
        obey_venue(&law_cases[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(four_workers_use_what_the_venues_allow_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
