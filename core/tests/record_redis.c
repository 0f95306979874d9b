/* record_redis - four processes on one budget in Redis, on the standard output: see record.h.  Exit status 77: there is
 * no Redis here. */
#include "redis_world.h"

#include "record.h"

enum { PATIENCE_MS = 60000 };

typedef struct told {
    const spending_t *s;
    const redis_world_t *world;
    smc_loop_t *loop;
    smc_redis_t *redis;
} told_t;

/* Asks Redis at `now`.  Returns the milliseconds until it is worth asking again; 0: granted. */
static uint64_t ask_for(const told_t *told, uint32_t weight, uint64_t now)
{
    command_t c = command_of("spend", now, &told->s->budget, 1);
    add_number(&c, weight);
    answer_t a = ask_redis(told->loop, told->redis, told->s->budget_name, &c, PATIENCE_MS);
    if (a.err.code != SMC_OK)
        _exit(5);
    return a.values[0] == 0 ? (uint64_t)a.values[1] : 0;
}

/* Asks at each time that it is told, as long as it is granted; not before it may be. */
static void spend_at(const told_t *told, smc_rng_t *rng, int in, int out)
{
    static granted_t g;
    uint64_t now, not_before = 0;
    uint32_t weight = draw_weight(told->s, rng);
    while (next_time(in, &now)) {
        g.n = 0;
        while (now >= not_before) {
            uint64_t wait = ask_for(told, weight, now);
            not_before = now + wait;
            if (wait > 0)
                break;
            note_grant(&g, weight);
            weight = draw_weight(told->s, rng);
        }
        write_granted(out, &g);
    }
}

static void live(void *ud, uint32_t number, int in, int out)
{
    told_t *told = ud;
    smc_rng_t rng;
    smc_rng_init(&rng, number, "spend");
    if (smc_loop_open(&told->loop, NULL) != SMC_OK ||
        redis_open(told->world, told->loop, &told->redis) != SMC_OK)
        _exit(4);
    spend_at(told, &rng, in, out);
    smc_redis_close(told->redis);
    smc_loop_close(told->loop);
}

int main(void)
{
    static redis_world_t world;
    told_t told = {.world = &world};
    redis_world_open(&world);
    printf("return {\n");
    for (int i = 0; i < SPENDINGS; i++) {
        redis_start(&world);
        told.s = &spendings[i];
        record(told.s, live, &told);
        redis_stop(&world);
    }
    printf("}\n");
    redis_world_close(&world);
    return 0;
}
