/* Budgets in Redis: the script against the limiter, and what becomes of calls when the server goes away.
 * Skipped where there is no Redis. */
#include "redis_world.h"

#include "smc/clock.h"
#include "smc/rng.h"

enum { PATIENCE_MS = 60000 };

static redis_world_t world;
static smc_loop_t *loop;
static smc_redis_t *redis;

static const smc_budget_conf_t MINUTE = {
    .kind = SMC_BUDGET_WINDOW, .limit = 10, .refill = 1, .period_ms = 60000};

static int open_redis(void **state)
{
    (void)state;
    redis_start(&world);
    assert_int_equal(smc_loop_open(&loop, NULL), SMC_OK);
    assert_int_equal(redis_open(&world, loop, &redis), SMC_OK);
    return 0;
}

static int close_redis(void **state)
{
    (void)state;
    smc_redis_close(redis);
    smc_loop_close(loop);
    redis_stop(&world);
    return 0;
}

static answer_t spend(const char *key, const smc_budget_conf_t *conf, uint64_t now, uint32_t weight)
{
    command_t c = command_of("spend", now, conf, 1);
    add_number(&c, weight);
    return ask_redis(loop, redis, key, &c, PATIENCE_MS);
}

/* ---- the law ---------------------------------------------------------------------- */

typedef struct pair {
    smc_limiter_t l;
    smc_budget_conf_t conf[3];
    uint32_t n;
    uint64_t now;
    char key[32];
} pair_t;

static answer_t ask(const pair_t *p, command_t *c)
{
    answer_t a = ask_redis(loop, redis, p->key, c, PATIENCE_MS);
    if (a.err.code != SMC_OK)
        print_error("%s\n", a.err.detail);
    assert_int_equal(a.err.code, SMC_OK);
    assert_int_equal(a.n, 3 + p->n);
    assert_int_equal(a.values[2], p->now);
    return a;
}

static void step_spend(pair_t *p, smc_rng_t *rng, unsigned *granted)
{
    smc_ticket_t t = {.priority = SMC_PRIORITY_NORMAL};
    uint64_t wait = 0;
    command_t c = command_of("spend", p->now, p->conf, p->n);
    for (uint32_t i = 0; i < p->n; i++) {
        t.weights[i] = (uint32_t)smc_rng_below(rng, p->conf[i].limit + 1) /
                       (1 + (uint32_t)smc_rng_below(rng, 4));
        add_number(&c, t.weights[i]);
    }
    bool want = smc_limiter_ask(&p->l, &t, p->now) == SMC_GRANTED;
    answer_t a = ask(p, &c);
    if (!want)
        assert_null(smc_limiter_next(&p->l, p->now, &wait));
    smc_limiter_cancel(&p->l, &t);
    assert_int_equal(a.values[0], want);
    assert_int_equal(a.values[1], wait);
    *granted += want;
}

static void step_tell(pair_t *p, smc_rng_t *rng)
{
    uint32_t i = (uint32_t)smc_rng_below(rng, p->n);
    uint64_t left = smc_rng_below(rng, p->conf[i].limit + 3), ms = smc_rng_below(rng, 100);
    ms = ms < p->now ? ms : p->now;
    command_t c;
    if (smc_rng_below(rng, 3) == 0) {
        smc_limiter_hold(&p->l, p->now + ms);
        c = command_of("hold", p->now, p->conf, p->n);
        add_number(&c, ms);
    } else if (smc_rng_below(rng, 2) == 0) {
        smc_limiter_left(&p->l, i, (uint32_t)left, p->now - ms, p->now);
        c = command_of("left", p->now, p->conf, p->n);
        add_number(&c, i + 1);
        add_number(&c, left);
        add_number(&c, ms);
    } else {
        smc_limiter_refund(&p->l, i, (uint32_t)left, p->now - ms, p->now);
        c = command_of("refund", p->now, p->conf, p->n);
        add_number(&c, ms);
        for (uint32_t k = 0; k < p->n; k++)
            add_number(&c, k == i ? left : 0);
    }
    (void)ask(p, &c);
}

static void step_follow(pair_t *p, smc_rng_t *rng)
{
    uint32_t i = (uint32_t)smc_rng_below(rng, p->n);
    uint64_t ahead = smc_rng_below(rng, 1000);
    if (p->conf[i].kind == SMC_BUDGET_BUCKET)
        return;
    smc_limiter_set_offset(&p->l, i, ahead);
    command_t c = command_of("follow", p->now, p->conf, p->n);
    add_number(&c, i + 1);
    add_number(&c, p->now + ahead);
    (void)ask(p, &c);
}

static void step_look(pair_t *p)
{
    command_t c = command_of("look", p->now, p->conf, p->n);
    answer_t a = ask(p, &c);
    for (uint32_t i = 0; i < p->n; i++)
        assert_int_equal(a.values[3 + i], smc_limiter_used(&p->l, i, p->now));
}

static void the_script_does_what_the_limiter_does(void **state)
{
    (void)state;
    enum { SEEDS = 30, STEPS = 300 };
    static pair_t p;
    unsigned granted = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        smc_rng_t rng;
        smc_rng_init(&rng, seed, "redis");
        p.n = 1 + (uint32_t)smc_rng_below(&rng, 3);
        p.now = smc_rng_below(&rng, 5000);
        (void)snprintf(p.key, sizeof(p.key), "law-%d", (int)seed);
        for (uint32_t i = 0; i < p.n; i++)
            p.conf[i] = (smc_budget_conf_t){.kind = smc_rng_below(&rng, 2) ? SMC_BUDGET_BUCKET
                                                                           : SMC_BUDGET_WINDOW,
                                            .limit = 1 + (uint32_t)smc_rng_below(&rng, 30),
                                            .refill = 1 + (uint32_t)smc_rng_below(&rng, 20),
                                            .period_ms = 1 + (uint32_t)smc_rng_below(&rng, 400)};
        assert_int_equal(smc_limiter_init(&p.l, p.conf, p.n, p.now, NULL), SMC_OK);
        for (int i = 0; i < STEPS; i++) {
            p.now += smc_rng_below(&rng, 12);
            uint64_t what = smc_rng_below(&rng, 20);
            if (what < 14)
                step_spend(&p, &rng, &granted);
            else if (what < 17)
                step_tell(&p, &rng);
            else if (what < 18)
                step_follow(&p, &rng);
            else
                step_look(&p);
        }
    }
    assert_true(granted > 1000);
}

/* ---- edges ---------------------------------------------------------------------------- */

static void what_was_spent_elsewhere_is_paid_without_asking(void **state)
{
    (void)state;
    assert_int_equal(spend("k", &MINUTE, 0, 7).values[0], 1);
    command_t c = command_of("charge", 0, &MINUTE, 1);
    add_number(&c, 9);
    assert_int_equal(ask_redis(loop, redis, "k", &c, PATIENCE_MS).values[3], 10);
    assert_int_equal(spend("k", &MINUTE, 59999, 1).values[1], 1);
    assert_int_equal(spend("k", &MINUTE, 60000, 10).values[0], 1);
}

static void an_answer_about_a_window_that_is_over_says_nothing(void **state)
{
    (void)state;
    command_t c = command_of("left", 60001, &MINUTE, 1);
    add_number(&c, 1);
    add_number(&c, 0);
    add_number(&c, 2);
    assert_int_equal(ask_redis(loop, redis, "k", &c, PATIENCE_MS).values[3], 0);
    assert_int_equal(spend("k", &MINUTE, 60001, 10).values[0], 1);
}

static void its_own_clock_is_the_one_on_the_wall(void **state)
{
    (void)state;
    int64_t before = smc_clock_wall_ms();
    answer_t a = spend("k", &MINUTE, UINT64_MAX, 1);
    assert_int_equal(a.values[0], 1);
    assert_true(a.values[2] >= before && a.values[2] <= smc_clock_wall_ms());
}

static void other_budgets_under_the_same_key_are_refused(void **state)
{
    (void)state;
    smc_budget_conf_t other = MINUTE;
    other.limit = 11;
    assert_int_equal(spend("k", &MINUTE, 0, 1).err.code, SMC_OK);
    answer_t a = spend("k", &other, 0, 1);
    assert_int_equal(a.err.code, SMC_EINVAL);
    assert_non_null(strstr(a.err.detail, "names; w 10 0 60000"));
    assert_int_equal(spend("other", &other, 0, 1).err.code, SMC_OK);
}

static void a_server_that_is_away_fails_calls_and_one_that_is_back_answers(void **state)
{
    (void)state;
    assert_int_equal(spend("k", &MINUTE, 0, 1).values[0], 1);
    redis_stop(&world);
    smc_code_t code = spend("k", &MINUTE, 0, 1).err.code; /* the old connection, or a new one */
    assert_true(code == SMC_ERESET || code == SMC_ECONN);
    assert_int_equal(spend("k", &MINUTE, 0, 1).err.code, SMC_ECONN);
    redis_start(&world); /* it has forgotten the script, and all else */
    answer_t a = spend("k", &MINUTE, 0, 4);
    assert_int_equal(a.err.code, SMC_OK);
    assert_int_equal(a.values[3], 4);
}

static void one_that_does_not_answer_is_given_up(void **state)
{
    (void)state;
    assert_int_equal(spend("k", &MINUTE, 0, 1).values[0], 1);
    assert_int_equal(kill(world.pid, SIGSTOP), 0);
    command_t c = command_of("look", 0, &MINUTE, 1);
    answer_t patient = {.done = false};
    smc_redis_script_t script = {.text = smc_budget_script(),
                                 .key = "k",
                                 .args = args_of(&c),
                                 .n_args = c.n,
                                 .timeout_ms = PATIENCE_MS};
    smc_redis_call_t *call = NULL;
    assert_int_equal(smc_redis_eval(redis, &script, on_answer, &patient, &call, NULL), SMC_OK);
    answer_t a = ask_redis(loop, redis, "k", &c, 50);
    assert_int_equal(a.err.code, SMC_ETIMEDOUT);
    assert_true(patient.done); /* it waited on the same connection */
    assert_int_equal(patient.err.code, SMC_ERESET);
    assert_int_equal(kill(world.pid, SIGCONT), 0);
    assert_int_equal(spend("k", &MINUTE, 0, 1).err.code, SMC_OK);
}

static void not_to_be_called(void *ud, const smc_error_t *err, const int64_t *values, size_t n)
{
    (void)err, (void)values, (void)n;
    *(bool *)ud = true;
}

static void who_is_forgotten_is_not_called(void **state)
{
    (void)state;
    bool called = false;
    command_t c = command_of("look", 0, &MINUTE, 1);
    smc_redis_script_t script = {.text = smc_budget_script(),
                                 .key = "k",
                                 .args = args_of(&c),
                                 .n_args = c.n,
                                 .timeout_ms = PATIENCE_MS};
    smc_redis_call_t *call = NULL;
    assert_int_equal(smc_redis_eval(redis, &script, not_to_be_called, &called, &call, NULL),
                     SMC_OK);
    smc_redis_forget(call);
    assert_int_equal(spend("k", &MINUTE, 0, 1).err.code, SMC_OK); /* answered in order */
    assert_false(called);
    assert_int_equal(smc_redis_eval(redis, &script, not_to_be_called, &called, &call, NULL),
                     SMC_OK);
    smc_redis_close(redis);
    assert_false(called);
    assert_int_equal(redis_open(&world, loop, &redis), SMC_OK);
}

/* ---- as whom -------------------------------------------------------------------------- */

/* The first call of a connection of its own to the server, under this name. */
static answer_t spend_as(const char *who)
{
    char place[400];
    smc_redis_t *r = NULL;
    (void)snprintf(place, sizeof(place), "unix://%s%s", who, world.place + 7);
    smc_redis_conf_t conf = {.place = place, .named = true};
    assert_int_equal(smc_redis_open(loop, &conf, &r, NULL), SMC_OK);
    command_t c = command_of("spend", 0, &MINUTE, 1);
    add_number(&c, 1);
    answer_t a = ask_redis(loop, r, "k", &c, PATIENCE_MS);
    smc_redis_close(r);
    return a;
}

static void who_asks_is_said_and_who_may_not_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *who;
        smc_code_t code;
        const char *says;
    } rows[] = {
        {"bob:open sesame@", SMC_OK, ""},     {"b%6fb:open%20sesame@", SMC_OK, ""},
        {"bob:open@", SMC_EKEY, "WRONGPASS"}, {":open sesame@", SMC_EKEY, "AUTH"},
        {"", SMC_EKEY, "unauthenticated"},
    };
    redis_stop(&world);
    world.user.name = "bob"; /* the hash of his password, which has a blank */
    world.user.password = "#41ef4bb0b23661e66301aac36066912dac037827b4ae63a7b1165a5aa93ed4eb";
    world.user.keys = "~k";
    redis_start(&world);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        answer_t a = spend_as(rows[i].who);
        if (a.err.code != rows[i].code || strstr(a.err.detail, rows[i].says) == NULL)
            print_error("'%s': %s\n", rows[i].who, a.err.detail);
        assert_int_equal(a.err.code, rows[i].code);
        assert_non_null(strstr(a.err.detail, rows[i].says));
        assert_null(strstr(a.err.detail, "open"));
    }
    world.user.name = NULL;
}

/* Who is refused as somebody is not asked as anybody. */
static void a_wrong_password_is_no_way_in_where_anybody_may(void **state)
{
    (void)state;
    assert_int_equal(spend_as("").err.code, SMC_OK);
    assert_int_equal(spend_as("bob:wrong@").err.code, SMC_EKEY);
}

static void a_user_who_may_not_spend_is_told_so(void **state)
{
    (void)state;
    redis_stop(&world);
    world.user.name = "bob";
    world.user.password = ">sesame";
    world.user.keys = "~other";
    redis_start(&world);
    answer_t a = spend_as("bob:sesame@");
    assert_int_equal(a.err.code, SMC_EKEY);
    assert_non_null(strstr(a.err.detail, "NOPERM"));
    world.user.name = NULL;
}

static void no_log_shows_a_password(void **state)
{
    (void)state;
    smc_log_t *log = NULL;
    smc_redis_t *r = NULL;
    assert_int_equal(smc_log_new(1000, &log, NULL), SMC_OK);
    smc_redis_conf_t conf = {.place = "redis://me:p%40ssword@10.0.0.1", .named = true, .log = log};
    assert_int_equal(smc_redis_open(loop, &conf, &r, NULL), SMC_OK);
    smc_log_line(log, "client", "p@ssword or p%%40ssword");
    assert_non_null(strstr(smc_log_contents(log, NULL), "*** or ***"));
    smc_redis_close(r);
    smc_log_free(log);
}

/* ---- where ------------------------------------------------------------------------------ */

static void a_scenario_names_loopback_and_the_operator_any_place(void **state)
{
    (void)state;
    static const struct {
        const char *place;
        smc_code_t scenario, operator_;
    } rows[] = {
        {"redis://127.0.0.1", SMC_OK, SMC_OK},
        {"redis://localhost:7000/3", SMC_OK, SMC_OK},
        {"redis://[::1]:7000", SMC_OK, SMC_OK},
        {"redis://[::1]/", SMC_OK, SMC_OK},
        {"redis://10.0.0.1", SMC_EPOLICY, SMC_OK},
        {"redis://redis.example:6379/0", SMC_EPOLICY, SMC_OK},
        {"redis://[fd00::1]:6379/0", SMC_EPOLICY, SMC_OK},
        {"redis://me:pass@127.0.0.1", SMC_EPOLICY, SMC_OK},
        {"redis://:p%3Aa/s@s@127.0.0.1/1", SMC_EPOLICY, SMC_OK},
        {"unix://me:pass@/tmp/redis", SMC_EPOLICY, SMC_OK},
        {"redis://127.0.0.1@evil", SMC_EPOLICY, SMC_EINVAL},
        {"redis://me:abc@127.0.0.1", SMC_EPOLICY, SMC_EINVAL}, /* too short to be hidden */
        {"redis://me:abc%zz@127.0.0.1", SMC_EPOLICY, SMC_EINVAL},
        {"redis://", SMC_EINVAL, SMC_EINVAL},
        {"redis://127.0.0.1:0", SMC_EINVAL, SMC_EINVAL},
        {"redis://127.0.0.1:99999", SMC_EINVAL, SMC_EINVAL},
        {"redis://127.0.0.1/x", SMC_EINVAL, SMC_EINVAL},
        {"redis://127.0.0.1:7000x", SMC_EINVAL, SMC_EINVAL},
        {"rediss://127.0.0.1", SMC_EINVAL, SMC_EINVAL},
        {"unix://relative", SMC_EINVAL, SMC_EINVAL},
        {"unix:///", SMC_EINVAL, SMC_EINVAL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        for (int named = 0; named < 2; named++) {
            smc_redis_t *r = NULL;
            smc_redis_conf_t conf = {.place = rows[i].place, .named = named == 1};
            smc_code_t code = smc_redis_open(loop, &conf, &r, NULL);
            if (code != (named == 1 ? rows[i].operator_ : rows[i].scenario))
                print_error("%s\n", rows[i].place);
            assert_int_equal(code, named == 1 ? rows[i].operator_ : rows[i].scenario);
            smc_redis_close(r);
        }
}

static void what_is_refused_is_told_with_its_mend(void **state)
{
    (void)state;
    static const struct {
        const char *place, *says;
    } rows[] = {
        {"redis://redis.example", "redis at 'redis.example' is refused"},
        {"redis://redis.example", "set SMCRUN_REDIS_URL"},
        {"redis://me:sesame@127.0.0.1", "set SMCRUN_REDIS_URL=redis://USER:PASSWORD@HOST"},
        {"rediss://127.0.0.1", "let a tunnel"},
    };
    smc_error_t err;
    smc_redis_t *r = NULL;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        smc_redis_conf_t conf = {.place = rows[i].place};
        assert_int_not_equal(smc_redis_open(loop, &conf, &r, &err), SMC_OK);
        assert_non_null(strstr(err.detail, rows[i].says));
        assert_null(strstr(err.detail, "sesame"));
    }
    smc_redis_conf_t conf = {.place = world.place};
    smc_clock_set_virtual();
    smc_code_t code = smc_redis_open(loop, &conf, &r, &err);
    smc_clock_set_real();
    assert_int_equal(code, SMC_EPOLICY);
    assert_non_null(strstr(err.detail, "--clock real"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_redis, close_redis)
    const struct CMUnitTest tests[] = {
        TEST(the_script_does_what_the_limiter_does),
        TEST(what_was_spent_elsewhere_is_paid_without_asking),
        TEST(an_answer_about_a_window_that_is_over_says_nothing),
        TEST(its_own_clock_is_the_one_on_the_wall),
        TEST(other_budgets_under_the_same_key_are_refused),
        TEST(a_server_that_is_away_fails_calls_and_one_that_is_back_answers),
        TEST(one_that_does_not_answer_is_given_up),
        TEST(who_is_forgotten_is_not_called),
        TEST(who_asks_is_said_and_who_may_not_is_refused),
        TEST(a_wrong_password_is_no_way_in_where_anybody_may),
        TEST(a_user_who_may_not_spend_is_told_so),
        TEST(no_log_shows_a_password),
        TEST(a_scenario_names_loopback_and_the_operator_any_place),
        TEST(what_is_refused_is_told_with_its_mend),
    };
    redis_world_open(&world);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    redis_world_close(&world);
    return failed;
}
