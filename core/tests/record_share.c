/* record_share - four processes on one budget in shared memory, on the standard output: see record.h. */
#include "smc/share.h"
#include "smc/shm.h"

#include "record.h"

typedef struct mapped {
    const spending_t *s;
    smc_limiter_t l;
    char name[SMC_SHM_NAME_MAX];
} mapped_t;

static void fill(void *memory, void *ud)
{
    const mapped_t *m = ud;
    smc_share_lay_out(memory, &m->l, m->s->budget_name);
}

static smc_code_t check(const void *memory, void *ud, smc_error_t *err)
{
    const mapped_t *m = ud;
    return smc_share_check(memory, &m->l, m->s->budget_name, err);
}

/* Asks at each time that it is told, as long as it is granted. */
static void spend_at(const mapped_t *m, smc_limiter_t *l, uint32_t number, int in, int out)
{
    static granted_t g;
    smc_ticket_t t = {.priority = SMC_PRIORITY_NORMAL};
    bool waits = false;
    uint64_t now;
    smc_rng_t rng;
    smc_rng_init(&rng, number, "spend");
    while (next_time(in, &now)) {
        for (g.n = 0;; note_grant(&g, t.weights[0])) {
            if (waits)
                waits = smc_limiter_next(l, now, NULL) == NULL;
            else {
                t.weights[0] = draw_weight(m->s, &rng);
                waits = smc_limiter_ask(l, &t, now) != SMC_GRANTED;
            }
            if (waits)
                break;
        }
        write_granted(out, &g);
    }
}

static void live(void *ud, uint32_t number, int in, int out)
{
    mapped_t *m = ud;
    smc_shm_t *shm = NULL;
    smc_shm_conf_t conf = {.name = m->name,
                           .bytes = smc_share_bytes(),
                           .seats = SMC_SHARE_SEATS,
                           .fill = fill,
                           .check = check,
                           .ud = m};
    if (smc_limiter_init(&m->l, &m->s->budget, 1, 0, NULL) != SMC_OK ||
        smc_shm_open(&conf, &shm, NULL) != SMC_OK)
        _exit(4);
    smc_limiter_t l = m->l;
    if (smc_limiter_share(&l, smc_shm_memory(shm), smc_shm_seat(shm), NULL) != SMC_OK)
        _exit(4);
    spend_at(m, &l, number, in, out);
    smc_shm_close(shm);
}

int main(void)
{
    static mapped_t m;
    (void)signal(SIGPIPE, SIG_IGN);
    printf("return {\n");
    for (int i = 0; i < SPENDINGS; i++) {
        m.s = &spendings[i];
        (void)snprintf(m.name, sizeof(m.name), "record-%ld-%d", (long)getpid(), i);
        record(m.s, live, &m);
        if (smc_shm_remove(m.name, NULL) != SMC_OK)
            die("shm");
    }
    printf("}\n");
    return 0;
}
