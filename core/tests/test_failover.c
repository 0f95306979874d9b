/* The failover group: when it leaves a venue, where it goes, when it comes back; and its law under random signals. */
#include "smc/failover.h"
#include "smc/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { N = 3 };

static smc_failover_conf_t usual(void)
{
    return (smc_failover_conf_t){
        .n = N,
        .n_triggers = 3,
        .triggers = {{.kind = SMC_TRIGGER_CONNECTION},
                     {.kind = SMC_TRIGGER_ERRORS, .threshold = 5, .for_ms = 1000},
                     {.kind = SMC_TRIGGER_LATENCY, .threshold = 800, .for_ms = 3000}},
        .recover_score = 80,
        .recover_ms = 2000,
        .failback = true,
        .failback_ms = 10000,
        .cooldown_ms = 5000,
    };
}

typedef struct world {
    smc_failover_t f;
    smc_signal_t s[SMC_FAILOVER_MEMBERS];
} world_t;

static world_t made(smc_failover_conf_t conf)
{
    world_t w;
    memset(&w, 0, sizeof(w));
    assert_int_equal(smc_failover_init(&w.f, &conf, 0, NULL), SMC_OK);
    for (int i = 0; i < SMC_FAILOVER_MEMBERS; i++)
        w.s[i] = (smc_signal_t){.connected = true, .latency_ms = 50, .score = 100};
    return w;
}

static smc_failover_verdict_t step(world_t *w, uint64_t now_ms)
{
    return smc_failover_step(&w->f, w->s, now_ms);
}

/* A step that must switch, and does so. */
static void switches(world_t *w, int to, int cause, uint64_t now_ms)
{
    int from = w->f.active;
    assert_int_equal(step(w, now_ms), SMC_FAILOVER_SWITCH);
    assert_int_equal(w->f.last.to, to);
    assert_int_equal(w->f.last.from, from);
    assert_string_equal(smc_cause_text(w->f.last.cause), smc_cause_text(cause));
    smc_failover_done(&w->f, true, now_ms);
    assert_int_equal(w->f.active, to);
}

static void stays(world_t *w, uint64_t now_ms)
{
    assert_int_equal(step(w, now_ms), SMC_FAILOVER_STAY);
}

/* ---- leaving --------------------------------------------------------------- */

static void a_trigger_without_for_acts_at_once(void **state)
{
    (void)state;
    world_t w = made(usual());
    stays(&w, 0);
    w.s[0].connected = false;
    switches(&w, 1, SMC_TRIGGER_CONNECTION, 10);
    assert_false(smc_failover_is_up(&w.f, 0));
}

static void a_condition_must_hold_for_its_time_without_a_break(void **state)
{
    (void)state;
    world_t w = made(usual());
    w.s[0].latency_ms = 800; /* at the threshold */
    stays(&w, 0);
    stays(&w, 2999);
    w.s[0].latency_ms = 799;
    stays(&w, 2999);
    w.s[0].latency_ms = 2000;
    stays(&w, 3000);
    stays(&w, 5999);
    switches(&w, 1, SMC_TRIGGER_LATENCY, 6000);
    assert_int_equal(w.f.last.value, 2000);
}

static void each_trigger_looks_at_its_own_signal(void **state)
{
    (void)state;
    static const struct {
        smc_trigger_t t;
        smc_signal_t bad, fine;
        uint64_t value;
    } rows[] = {
        {{SMC_TRIGGER_CONNECTION, 0, 0},
         {.connected = false, .score = 90},
         {.connected = true, .score = 90},
         0},
        {{SMC_TRIGGER_BREAKER, 0, 0}, {.breaker_open = true, .score = 90}, {.score = 90}, 1},
        {{SMC_TRIGGER_LATENCY, 7, 0},
         {.latency_ms = 7, .score = 90},
         {.latency_ms = 6, .score = 90},
         7},
        {{SMC_TRIGGER_ERRORS, 7, 0}, {.failures = 7, .score = 90}, {.failures = 6, .score = 90}, 7},
        {{SMC_TRIGGER_RATE_LIMIT, 7, 0},
         {.limit_hits = 7, .score = 90},
         {.limit_hits = 6, .score = 90},
         7},
        {{SMC_TRIGGER_STREAM_STALE, 7, 0},
         {.stream_age_ms = 7, .score = 90},
         {.stream_age_ms = 6, .score = 90},
         7},
        {{SMC_TRIGGER_HEALTH, 40, 0}, {.score = 40}, {.score = 41}, 40},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        smc_failover_conf_t conf = usual();
        conf.n_triggers = 1;
        conf.triggers[0] = rows[i].t;
        world_t w = made(conf);
        for (int m = 0; m < N; m++)
            w.s[m] = rows[i].fine;
        stays(&w, 0);
        w.s[0] = rows[i].bad;
        switches(&w, 1, (int)rows[i].t.kind, 1);
        assert_int_equal(w.f.last.value, rows[i].value);
    }
}

static void it_walks_down_the_list_and_says_when_nobody_is_left(void **state)
{
    (void)state;
    world_t w = made(usual());
    w.s[1].connected = false; /* the next one is down already: it is passed over */
    stays(&w, 0);
    w.s[0].connected = false;
    switches(&w, 2, SMC_TRIGGER_CONNECTION, 1);
    w.s[2].connected = false;
    assert_int_equal(step(&w, 2), SMC_FAILOVER_NO_VENUE);
    assert_int_equal(w.f.active, SMC_FAILOVER_NONE);
    stays(&w, 3); /* told once */
    w.s[1].connected = true;
    stays(&w, 4);
    stays(&w, 2003);
    switches(&w, 1, SMC_CAUSE_RECOVERED, 2004); /* fit for its two seconds */
}

static void weights_rank_before_the_list(void **state)
{
    (void)state;
    smc_failover_conf_t conf = usual();
    conf.weights[1] = 5;
    conf.weights[2] = 5;
    world_t w = made(conf);
    assert_int_equal(w.f.active, 1);
    w.s[1].connected = false;
    switches(&w, 2, SMC_TRIGGER_CONNECTION, 0);
    w.s[2].connected = false;
    switches(&w, 0, SMC_TRIGGER_CONNECTION, 1);
}

static void by_health_it_goes_where_the_score_is_highest(void **state)
{
    (void)state;
    smc_failover_conf_t conf = usual();
    conf.by_health = true;
    conf.hysteresis = 20;
    world_t w = made(conf);
    w.s[1].score = 85;
    w.s[2].score = 95;
    w.s[0].connected = false;
    switches(&w, 2, SMC_TRIGGER_CONNECTION, 0);
    w.s[0].connected = true;
    stays(&w, 100);
    stays(&w, 2100);
    stays(&w, 60000);  /* 100 is not more than 95 + 20 */
    w.s[2].score = 79; /* 100 is more than 79 + 20 */
    switches(&w, 0, SMC_CAUSE_FAILBACK, 60001);
    w.s[1].score = w.s[2].score = 50;
    w.s[0].connected = false;
    switches(&w, 1, SMC_TRIGGER_CONNECTION, 60002); /* equal: by rank */
}

/* ---- one at a time --------------------------------------------------------- */

static void nothing_is_decided_while_a_switch_is_under_way(void **state)
{
    (void)state;
    world_t w = made(usual());
    w.s[0].connected = false;
    assert_int_equal(step(&w, 0), SMC_FAILOVER_SWITCH);
    w.s[1].connected = false;
    stays(&w, 1);
    assert_int_equal(smc_failover_move(&w.f, 2, 1, NULL), SMC_EAGAIN);
    assert_int_equal(w.f.active, 0);
    smc_failover_done(&w.f, true, 250);
    assert_int_equal(w.f.last.done_ms - w.f.last.at_ms, 250);
    switches(&w, 2, SMC_TRIGGER_CONNECTION, 251); /* its target went down meanwhile */
}

static void a_switch_that_failed_leaves_its_target_down(void **state)
{
    (void)state;
    world_t w = made(usual());
    w.s[0].connected = false;
    assert_int_equal(step(&w, 0), SMC_FAILOVER_SWITCH);
    smc_failover_done(&w.f, false, 100);
    assert_int_equal(w.f.active, 0);
    assert_false(smc_failover_is_up(&w.f, 1));
    switches(&w, 2, SMC_CAUSE_FAILED, 101);
    stays(&w, 2100);
    assert_false(smc_failover_is_up(&w.f, 1));
    stays(&w, 2101); /* two seconds after it was first seen to be fine */
    assert_true(smc_failover_is_up(&w.f, 1));
}

/* ---- coming back ------------------------------------------------------------ */

static void it_recovers_after_its_time_in_good_health(void **state)
{
    (void)state;
    world_t w = made(usual());
    w.s[0].connected = false;
    switches(&w, 1, SMC_TRIGGER_CONNECTION, 0);
    w.s[0].connected = true;
    w.s[0].score = 79;
    stays(&w, 1000);
    stays(&w, 9000);
    w.s[0].score = 80;
    stays(&w, 10000);
    stays(&w, 11999);
    assert_false(smc_failover_is_up(&w.f, 0));
    stays(&w, 12000);
    assert_true(smc_failover_is_up(&w.f, 0));
}

static void it_fails_back_once_that_is_up_long_enough_and_not_before_the_cooldown(void **state)
{
    (void)state;
    world_t w = made(usual());
    w.s[0].connected = false;
    switches(&w, 1, SMC_TRIGGER_CONNECTION, 0);
    w.s[0].connected = true;
    stays(&w, 0);
    stays(&w, 2000);  /* up from here on */
    stays(&w, 11999); /* for not quite ten seconds */
    world_t early = w;
    switches(&w, 0, SMC_CAUSE_FAILBACK, 12000);
    assert_int_equal(w.f.last.value, 100);

    early.s[1].connected = false; /* it goes on to the third just before */
    early.s[0].connected = true;
    switches(&early, 0, SMC_TRIGGER_CONNECTION, 11999);
    early.s[1].connected = true;
    early.s[0].connected = false;
    switches(&early, 2, SMC_TRIGGER_CONNECTION, 12000);
    early.s[0].connected = true;
    stays(&early, 12000);
    stays(&early, 14000);
    stays(&early, 14001);
    stays(&early, 23999);
    switches(&early, 0, SMC_CAUSE_FAILBACK, 24000);
}

static void the_cooldown_holds_a_failback_back(void **state)
{
    (void)state;
    smc_failover_conf_t conf = usual();
    conf.cooldown_ms = 60000;
    world_t w = made(conf);
    w.s[0].connected = false;
    switches(&w, 1, SMC_TRIGGER_CONNECTION, 0);
    w.s[0].connected = true;
    stays(&w, 0);
    stays(&w, 2000);
    stays(&w, 59999);
    switches(&w, 0, SMC_CAUSE_FAILBACK, 60000);
    w.s[0].connected = false;
    switches(&w, 1, SMC_TRIGGER_CONNECTION, 60001); /* but never a switch that must be */
}

static void without_failback_it_stays_where_it_is(void **state)
{
    (void)state;
    smc_failover_conf_t conf = usual();
    conf.failback = false;
    world_t w = made(conf);
    w.s[0].connected = false;
    switches(&w, 1, SMC_TRIGGER_CONNECTION, 0);
    w.s[0].connected = true;
    stays(&w, 1);
    stays(&w, 1000000);
    assert_true(smc_failover_is_up(&w.f, 0));
    assert_int_equal(w.f.active, 1);
}

/* ---- by hand ---------------------------------------------------------------- */

static void by_hand_it_goes_where_it_is_told_and_stays(void **state)
{
    (void)state;
    world_t w = made(usual());
    assert_int_equal(smc_failover_move(&w.f, 0, 0, NULL), SMC_EEXIST);
    assert_int_equal(smc_failover_move(&w.f, N, 0, NULL), SMC_EINVAL);
    assert_int_equal(smc_failover_move(&w.f, -1, 0, NULL), SMC_EINVAL);
    assert_int_equal(smc_failover_move(&w.f, 2, 0, NULL), SMC_OK);
    smc_failover_done(&w.f, true, 0);
    stays(&w, 1000000); /* no failback from where it was put */
    w.s[2].connected = false;
    switches(&w, 0, SMC_TRIGGER_CONNECTION, 1000001);

    smc_error_t err;
    assert_int_equal(smc_failover_move(&w.f, 2, 1000002, &err), SMC_EINVAL);
    assert_non_null(strstr(err.detail, "down: connection"));
}

static void a_move_that_failed_changes_nothing_but_its_target(void **state)
{
    (void)state;
    world_t w = made(usual());
    assert_int_equal(smc_failover_move(&w.f, 1, 0, NULL), SMC_OK);
    smc_failover_done(&w.f, false, 1);
    stays(&w, 2);
    assert_int_equal(w.f.active, 0);
    assert_false(smc_failover_is_up(&w.f, 1));
    w.s[0].connected = false;
    switches(&w, 2, SMC_TRIGGER_CONNECTION, 3); /* for its own reason */
}

static void a_configuration_that_makes_no_sense_is_refused_by_name(void **state)
{
    (void)state;
    smc_failover_t f;
    smc_error_t err;
    smc_failover_conf_t c = usual();
    c.n = 0;
    assert_int_equal(smc_failover_init(&f, &c, 0, &err), SMC_EINVAL);
    c.n = SMC_FAILOVER_MEMBERS + 1;
    assert_int_equal(smc_failover_init(&f, &c, 0, &err), SMC_EINVAL);
    assert_non_null(strstr(err.detail, "members"));
    c = usual();
    c.n_triggers = 0;
    assert_int_equal(smc_failover_init(&f, &c, 0, &err), SMC_EINVAL);
    assert_non_null(strstr(err.detail, "triggers"));
    c = usual();
    c.triggers[0].kind = SMC_TRIGGER_COUNT;
    assert_int_equal(smc_failover_init(&f, &c, 0, &err), SMC_EINVAL);
    assert_non_null(strstr(err.detail, "kind"));
    c = usual();
    c.hysteresis = 101;
    assert_int_equal(smc_failover_init(&f, &c, 0, &err), SMC_EINVAL);
    c = usual();
    c.recover_score = 101;
    assert_int_equal(smc_failover_init(&f, &c, 0, &err), SMC_EINVAL);
    assert_non_null(strstr(err.detail, "recover_score"));
}

/* ---- the law under random signals: every sample is kept, and up and down follow from them alone ---- */

enum { STEPS = 2000, SEEDS = 60 };

typedef struct sample {
    uint64_t at;
    bool conds[SMC_FAILOVER_TRIGGERS];
    uint32_t score;
} sample_t;

typedef struct history {
    sample_t v[STEPS];
    int n, down_from; /* samples before down_from say nothing of recovery */
    bool down;
} history_t;

/* Since when all samples from `from` on were so; UINT64_MAX: the last one is not. */
static uint64_t run_since(const history_t *h, int from, int trigger, const smc_failover_conf_t *c)
{
    uint64_t since = UINT64_MAX;
    for (int i = h->n; i-- > from;) {
        bool so = trigger >= 0 && h->v[i].conds[trigger];
        if (trigger < 0) {
            so = h->v[i].score >= c->recover_score;
            for (uint32_t t = 0; t < c->n_triggers; t++)
                so = so && !h->v[i].conds[t];
        }
        if (!so)
            break;
        since = h->v[i].at;
    }
    return since;
}

static void judge(history_t *h, const smc_failover_conf_t *c, uint64_t now)
{
    for (uint32_t t = 0; t < c->n_triggers && !h->down; t++) {
        uint64_t since = run_since(h, 0, (int)t, c);
        if (since != UINT64_MAX && now - since >= c->triggers[t].for_ms) {
            h->down = true;
            h->down_from = h->n - 1;
        }
    }
    uint64_t fine = h->down ? run_since(h, h->down_from, -1, c) : UINT64_MAX;
    if (fine != UINT64_MAX && now - fine >= c->recover_ms)
        h->down = false;
}

static smc_failover_conf_t any_conf(smc_rng_t *rng)
{
    smc_failover_conf_t c = {.n = 1 + (uint32_t)smc_rng_below(rng, 5),
                             .n_triggers = 1 + (uint32_t)smc_rng_below(rng, 4),
                             .by_health = smc_rng_below(rng, 2),
                             .hysteresis = (uint32_t)smc_rng_below(rng, 40),
                             .recover_score = (uint32_t)smc_rng_below(rng, 90),
                             .recover_ms = smc_rng_below(rng, 3000),
                             .failback = smc_rng_below(rng, 3) > 0,
                             .failback_ms = smc_rng_below(rng, 5000),
                             .cooldown_ms = smc_rng_below(rng, 5000)};
    for (uint32_t i = 0; i < c.n; i++)
        c.weights[i] = (uint32_t)smc_rng_below(rng, 3);
    for (uint32_t i = 0; i < c.n_triggers; i++)
        c.triggers[i] =
            (smc_trigger_t){.kind = SMC_TRIGGER_ERRORS, /* told apart by their thresholds */
                            .threshold = 3 + smc_rng_below(rng, 6),
                            .for_ms = smc_rng_below(rng, 4) == 0 ? 0 : smc_rng_below(rng, 4000)};
    return c;
}

static bool better(const smc_failover_t *f, const smc_signal_t *s, int a, int b)
{
    if (f->conf.by_health && s[a].score != s[b].score)
        return s[a].score > s[b].score;
    if (f->conf.weights[a] != f->conf.weights[b])
        return f->conf.weights[a] > f->conf.weights[b];
    return a < b;
}

static void check_switch(const smc_failover_t *f, const history_t *h, const smc_signal_t *s,
                         int was, uint64_t now, uint64_t moved)
{
    int to = f->last.to;
    assert_false(h[to].down);
    for (int m = 0; m < (int)f->conf.n; m++)
        if (m != to && !h[m].down)
            assert_true(better(f, s, to, m));
    if (was == SMC_FAILOVER_NONE || h[was].down)
        return;
    assert_string_equal(smc_cause_text(f->last.cause), "failback");
    assert_true(f->conf.failback && now - moved >= f->conf.cooldown_ms);
    assert_true(!f->conf.by_health || s[to].score > s[was].score + f->conf.hysteresis);
}

static void walk(uint64_t seed, history_t *h, unsigned *seen)
{
    smc_rng_t rng;
    smc_rng_init(&rng, seed, "failover");
    smc_failover_conf_t conf = any_conf(&rng);
    smc_failover_t f;
    assert_int_equal(smc_failover_init(&f, &conf, 0, NULL), SMC_OK);
    memset(h, 0, SMC_FAILOVER_MEMBERS * sizeof(*h));
    smc_signal_t s[SMC_FAILOVER_MEMBERS] = {{0}};
    bool switching = false;
    uint64_t now = 0, moved = 0;
    for (int i = 0; i < STEPS; i++) {
        now += smc_rng_below(&rng, 600);
        for (int m = 0; m < (int)conf.n; m++) {
            if (smc_rng_below(&rng, 8) == 0)
                s[m].failures = (uint32_t)smc_rng_below(&rng, smc_rng_below(&rng, 3) == 0 ? 12 : 3);
            if (smc_rng_below(&rng, 8) == 0)
                s[m].score = (uint32_t)smc_rng_below(&rng, 101);
            sample_t *v = &h[m].v[h[m].n++];
            *v = (sample_t){.at = now, .score = s[m].score};
            for (uint32_t t = 0; t < conf.n_triggers; t++)
                v->conds[t] = s[m].failures >= conf.triggers[t].threshold;
            judge(&h[m], &conf, now);
        }
        int was = f.active;
        smc_failover_verdict_t verdict = smc_failover_step(&f, s, now);
        bool any_up = false;
        for (int m = 0; m < (int)conf.n; m++) {
            assert_int_equal(smc_failover_is_up(&f, m), !h[m].down);
            any_up = any_up || !h[m].down;
        }
        seen[verdict]++;
        if (switching) {
            assert_int_equal(verdict, SMC_FAILOVER_STAY);
        } else if (was == SMC_FAILOVER_NONE || h[was].down) {
            bool told = was == SMC_FAILOVER_NONE;
            assert_int_equal(verdict, any_up ? SMC_FAILOVER_SWITCH
                                      : told ? SMC_FAILOVER_STAY
                                             : SMC_FAILOVER_NO_VENUE);
        }
        if (verdict == SMC_FAILOVER_SWITCH)
            check_switch(&f, h, s, was, now, moved);
        switching = switching || verdict == SMC_FAILOVER_SWITCH;
        if (switching && smc_rng_below(&rng, 2) == 0) {
            bool ok = smc_rng_below(&rng, 4) > 0;
            smc_failover_done(&f, ok, now);
            moved = ok ? now : moved;
            switching = false;
            if (!ok) {
                h[f.last.to].down = true;
                h[f.last.to].down_from = h[f.last.to].n;
            }
            assert_int_equal(f.active, ok ? f.last.to : was);
        }
    }
}

static void it_keeps_its_law_under_random_signals(void **state)
{
    (void)state;
    history_t *h = calloc(SMC_FAILOVER_MEMBERS, sizeof(*h));
    assert_non_null(h);
    unsigned seen[3] = {0};
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        walk(seed, h, seen);
    free(h);
    assert_true(seen[SMC_FAILOVER_SWITCH] > 2000 && seen[SMC_FAILOVER_NO_VENUE] > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_trigger_without_for_acts_at_once),
        cmocka_unit_test(a_condition_must_hold_for_its_time_without_a_break),
        cmocka_unit_test(each_trigger_looks_at_its_own_signal),
        cmocka_unit_test(it_walks_down_the_list_and_says_when_nobody_is_left),
        cmocka_unit_test(weights_rank_before_the_list),
        cmocka_unit_test(by_health_it_goes_where_the_score_is_highest),
        cmocka_unit_test(nothing_is_decided_while_a_switch_is_under_way),
        cmocka_unit_test(a_switch_that_failed_leaves_its_target_down),
        cmocka_unit_test(it_recovers_after_its_time_in_good_health),
        cmocka_unit_test(it_fails_back_once_that_is_up_long_enough_and_not_before_the_cooldown),
        cmocka_unit_test(the_cooldown_holds_a_failback_back),
        cmocka_unit_test(without_failback_it_stays_where_it_is),
        cmocka_unit_test(by_hand_it_goes_where_it_is_told_and_stays),
        cmocka_unit_test(a_move_that_failed_changes_nothing_but_its_target),
        cmocka_unit_test(a_configuration_that_makes_no_sense_is_refused_by_name),
        cmocka_unit_test(it_keeps_its_law_under_random_signals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
