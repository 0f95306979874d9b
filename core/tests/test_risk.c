/* The risk guard: every limit at its edge, data that is none, its states, and its figures against a slow reckoning. */
#include "smc/risk.h"
#include "smc/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static smc_dec_t dec(const char *text)
{
    smc_dec_t out = {0};
    assert_int_equal(smc_dec_parse(text, strlen(text), &out), SMC_OK);
    return out;
}

/* As text, in a buffer that the next call writes anew. */
static const char *text_of(smc_dec_t a)
{
    static char text[SMC_DEC_TEXT_MAX];
    (void)smc_dec_text(a, text);
    return text;
}

static smc_risk_t made(smc_risk_conf_t conf)
{
    smc_risk_t r;
    assert_int_equal(smc_risk_init(&r, &conf, NULL), SMC_OK);
    return r;
}

static smc_risk_view_t fine(void)
{
    return (smc_risk_view_t){.equity = dec("1000"), .peak = dec("1000"), .day_start = dec("1000")};
}

static bool violates(smc_risk_conf_t conf, smc_risk_view_t view, smc_risk_limit_t limit)
{
    smc_risk_t r = made(conf);
    bool tripped = smc_risk_look(&r, &view, 0);
    assert_int_equal(tripped, r.violated != 0);
    assert_true(r.violated == 0 || r.violated == 1u << limit); /* that one, and no other */
    return tripped;
}

/* ---- limits at their edges ------------------------------------------------------ */

static void money_is_fine_at_its_limit_and_not_beyond(void **state)
{
    (void)state;
    smc_risk_conf_t drawdown = {.drawdown = dec("0.05")}, loss = {.daily_loss = dec("50")};
    smc_risk_view_t v = fine();
    v.equity = dec("950");
    assert_false(violates(drawdown, v, SMC_RISK_DRAWDOWN));
    assert_false(violates(loss, v, SMC_RISK_DAILY_LOSS));
    v.equity = dec("949.999999999999999999");
    assert_true(violates(drawdown, v, SMC_RISK_DRAWDOWN));
    assert_true(violates(loss, v, SMC_RISK_DAILY_LOSS));
    v.equity = v.peak = dec("2000"); /* a gain is no loss, however large */
    assert_false(violates(drawdown, v, SMC_RISK_DRAWDOWN));
    assert_false(violates(loss, v, SMC_RISK_DAILY_LOSS));
}

static void money_is_exact_where_binary_numbers_are_not(void **state)
{
    (void)state;
    smc_risk_view_t v = {.peak = dec("100000.1"), .day_start = dec("0.3"), .equity = dec("0.1")};
    assert_false(violates((smc_risk_conf_t){.daily_loss = dec("0.2")}, v, SMC_RISK_DAILY_LOSS));
    v.equity = dec("92000.092"); /* 0.08 of 100000.1 is gone */
    assert_false(violates((smc_risk_conf_t){.drawdown = dec("0.08")}, v, SMC_RISK_DRAWDOWN));
    v.equity = dec("92000.091999999999999999"); /* less than 10^-18 beyond it */
    assert_true(violates((smc_risk_conf_t){.drawdown = dec("0.08")}, v, SMC_RISK_DRAWDOWN));
    smc_dec_t positions[] = {dec("0.1"), dec("-0.2")};
    v.positions = positions;
    v.n_positions = 2;
    assert_false(violates((smc_risk_conf_t){.exposure = dec("0.3")}, v, SMC_RISK_EXPOSURE));
}

static void positions_count_by_their_size_whatever_their_side(void **state)
{
    (void)state;
    smc_dec_t positions[] = {dec("300"), dec("-200")};
    smc_risk_view_t v = fine();
    v.positions = positions;
    v.n_positions = 2;
    assert_false(violates((smc_risk_conf_t){.exposure = dec("500")}, v, SMC_RISK_EXPOSURE));
    assert_true(violates((smc_risk_conf_t){.exposure = dec("499")}, v, SMC_RISK_EXPOSURE));
    smc_risk_conf_t share = {.concentration = dec("0.3")};
    assert_false(violates(share, v, SMC_RISK_CONCENTRATION));
    assert_true(
        violates((smc_risk_conf_t){.concentration = dec("0.29")}, v, SMC_RISK_CONCENTRATION));
    /* cppcheck-suppress unreadVariable ; the view points at it */
    positions[0] = dec("-301");
    assert_true(violates(share, v, SMC_RISK_CONCENTRATION));
}

static void value_at_risk_is_a_loss_and_needs_enough_returns(void **state)
{
    (void)state;
    double returns[21];
    for (int i = 0; i < 21; i++)
        returns[i] = i / 100.0 - 0.03; /* -0.03 .. 0.17: the quantile is the second lowest */
    smc_risk_view_t v = fine();
    v.returns = returns;
    v.n_returns = 21;
    smc_risk_t r = made((smc_risk_conf_t){.var = 0.5});
    (void)smc_risk_look(&r, &v, 0);
    assert_true(fabs(r.seen[SMC_RISK_VAR] - 0.02) < 1e-12);
    assert_false(violates((smc_risk_conf_t){.var = 0.021}, v, SMC_RISK_VAR));
    assert_true(violates((smc_risk_conf_t){.var = 0.019}, v, SMC_RISK_VAR));
    v.n_returns = 19; /* too few to say anything */
    assert_false(violates((smc_risk_conf_t){.var = 0.001}, v, SMC_RISK_VAR));
    for (int i = 0; i < 21; i++)
        /* cppcheck-suppress unreadVariable ; the view points at it */
        returns[i] = 0.05 + i / 100.0;
    v.n_returns = 21;
    assert_false(
        violates((smc_risk_conf_t){.var = 0.001}, v, SMC_RISK_VAR)); /* gains are no risk */
}

static void correlation_leaves_the_diagonal_out(void **state)
{
    (void)state;
    double m[] = {1, 0.79, -0.1, 0.79, 1, 0.2, -0.1, 0.2, 1};
    smc_risk_view_t v = fine();
    v.correlations = m;
    v.n_assets = 3;
    assert_false(violates((smc_risk_conf_t){.correlation = 0.79}, v, SMC_RISK_CORRELATION));
    /* cppcheck-suppress unreadVariable ; the view points at it */
    m[6] = -0.8; /* against each other is together as well */
    assert_true(violates((smc_risk_conf_t){.correlation = 0.79}, v, SMC_RISK_CORRELATION));
    v.n_assets = 1;
    assert_false(violates((smc_risk_conf_t){.correlation = 0.1}, v, SMC_RISK_CORRELATION));
}

static void losses_and_errors_are_counted(void **state)
{
    (void)state;
    smc_risk_view_t v = fine();
    v.losses = 5;
    assert_false(violates((smc_risk_conf_t){.losses = 5}, v, SMC_RISK_LOSSES));
    v.losses = 6;
    assert_true(violates((smc_risk_conf_t){.losses = 5}, v, SMC_RISK_LOSSES));
    v.calls = 10;
    v.errors = 2;
    assert_false(violates((smc_risk_conf_t){.error_rate = 0.2}, v, SMC_RISK_ERROR_RATE));
    v.errors = 3;
    assert_true(violates((smc_risk_conf_t){.error_rate = 0.2}, v, SMC_RISK_ERROR_RATE));
    v.calls = v.errors = 9; /* too few */
    assert_false(violates((smc_risk_conf_t){.error_rate = 0.2}, v, SMC_RISK_ERROR_RATE));
}

static void what_is_no_number_is_a_violation_of_its_own(void **state)
{
    (void)state;
    double returns[25] = {0}, m[] = {1, NAN, 0, 1};
    /* cppcheck-suppress unreadVariable ; the view points at it */
    returns[7] = INFINITY;
    smc_dec_t one = dec("1"), less = dec("-5"), huge = dec("170000000000000000000");
    smc_dec_t two_huge[] = {huge, huge};
    const struct {
        smc_risk_conf_t conf;
        smc_risk_view_t view;
    } rows[] = {
        {{.losses = 1}, {.blind = true}},
        {{.drawdown = dec("0.1")}, {.blind = true, .equity = one, .peak = one}},
        {{.drawdown = dec("0.1")}, {.peak = {0}}},
        {{.drawdown = dec("0.1")}, {.equity = less, .peak = less}},
        {{.daily_loss = one}, {.equity = smc_dec_neg(huge), .day_start = huge}},
        {{.exposure = one}, {.equity = one, .positions = two_huge, .n_positions = 2}},
        {{.concentration = one}, {.equity = less}},
        {{.var = 0.5}, {.equity = one, .returns = returns, .n_returns = 25}},
        {{.correlation = 1}, {.equity = one, .correlations = m, .n_assets = 2}},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_true(violates(rows[i].conf, rows[i].view, SMC_RISK_DATA));
    smc_risk_view_t v = {.equity = less};
    assert_false(
        violates((smc_risk_conf_t){.losses = 1}, v, SMC_RISK_DATA)); /* nobody asked for it */
}

static void all_that_is_violated_is_told(void **state)
{
    (void)state;
    smc_risk_t r = made((smc_risk_conf_t){
        .drawdown = dec("0.1"), .daily_loss = dec("100"), .losses = 3, .exposure = dec("1")});
    smc_risk_view_t v = fine();
    v.equity = dec("800");
    v.losses = 9;
    assert_true(smc_risk_look(&r, &v, 0));
    assert_int_equal(r.violated,
                     1u << SMC_RISK_DRAWDOWN | 1u << SMC_RISK_DAILY_LOSS | 1u << SMC_RISK_LOSSES);
    assert_string_equal(text_of(r.money[SMC_RISK_DRAWDOWN]), "0.2");
    assert_string_equal(text_of(r.money[SMC_RISK_DAILY_LOSS]), "200");
    assert_int_equal(r.judged, r.violated | 1u << SMC_RISK_EXPOSURE);
}

static void other_limits_are_for_the_next_look(void **state)
{
    (void)state;
    smc_risk_t r = made((smc_risk_conf_t){.drawdown = dec("0.1")});
    smc_risk_view_t v = fine();
    v.equity = dec("950");
    assert_false(smc_risk_look(&r, &v, 0));
    smc_risk_conf_t wrong = {.var = 2}, strict = {.drawdown = dec("0.049")};
    assert_int_equal(smc_risk_set_limits(&r, &wrong, NULL), SMC_EINVAL);
    assert_false(smc_risk_look(&r, &v, 1));
    assert_int_equal(smc_risk_set_limits(&r, &strict, NULL), SMC_OK);
    assert_int_equal(r.state, SMC_RISK_ARMED);
    assert_true(smc_risk_look(&r, &v, 2));
}

/* ---- states ------------------------------------------------------------------------ */

static void it_trips_once_and_lets_only_smaller_positions_through(void **state)
{
    (void)state;
    smc_risk_t r = made((smc_risk_conf_t){.drawdown = dec("0.1"), .trial_ms = 1000});
    smc_risk_view_t good = fine(), bad = fine();
    bad.equity = dec("1");
    assert_true(smc_risk_may_place(&r, false));
    assert_true(smc_risk_look(&r, &bad, 0));
    assert_false(smc_risk_look(&r, &bad, 1)); /* told once */
    assert_int_equal(r.trips, 1);
    assert_false(smc_risk_may_place(&r, false));
    assert_true(smc_risk_may_place(&r, true));
    assert_false(smc_risk_look(&r, &good, 1000000)); /* time alone brings it back never */
    assert_int_equal(r.state, SMC_RISK_TRIPPED);
}

static void a_reset_is_refused_while_a_violation_persists(void **state)
{
    (void)state;
    smc_risk_t r = made((smc_risk_conf_t){.drawdown = dec("0.1"), .trial_ms = 1000});
    smc_risk_view_t good = fine(), bad = fine();
    bad.equity = dec("1");
    smc_error_t err;
    assert_int_equal(smc_risk_reset(&r, &good, 0, &err), SMC_EEXIST);
    assert_non_null(strstr(err.detail, "armed"));
    (void)smc_risk_look(&r, &bad, 0);
    assert_int_equal(smc_risk_reset(&r, &bad, 5, &err), SMC_EINVAL);
    assert_non_null(strstr(err.detail, "drawdown"));
    assert_int_equal(smc_risk_reset(&r, &good, 10, &err), SMC_OK);
    assert_int_equal(r.state, SMC_RISK_TRIAL);
    assert_true(smc_risk_may_place(&r, false));
}

static void a_trial_ends_in_arms_or_in_another_trip(void **state)
{
    (void)state;
    smc_risk_t r = made((smc_risk_conf_t){.drawdown = dec("0.1"), .trial_ms = 1000});
    smc_risk_view_t good = fine(), bad = fine();
    bad.equity = dec("1");
    (void)smc_risk_look(&r, &bad, 0);
    assert_int_equal(smc_risk_reset(&r, &good, 10, NULL), SMC_OK);
    smc_risk_t other = r;
    assert_false(smc_risk_look(&r, &good, 1009));
    assert_int_equal(r.state, SMC_RISK_TRIAL);
    assert_false(smc_risk_look(&r, &good, 1010));
    assert_int_equal(r.state, SMC_RISK_ARMED);
    assert_true(smc_risk_look(&other, &bad, 1010));
    assert_int_equal(other.trips, 2);
}

static void an_emergency_stop_lets_nothing_through_until_a_reset(void **state)
{
    (void)state;
    smc_risk_t r = made((smc_risk_conf_t){.drawdown = dec("0.1")});
    smc_risk_view_t good = fine(), bad = fine();
    bad.equity = dec("1");
    assert_true(smc_risk_stop(&r, 0));
    assert_false(smc_risk_stop(&r, 1));
    assert_false(smc_risk_may_place(&r, true));
    assert_false(smc_risk_look(&r, &bad, 2)); /* it is stopped already */
    assert_int_equal(r.state, SMC_RISK_STOPPED);
    assert_int_equal(smc_risk_reset(&r, &good, 3, NULL), SMC_OK);
    assert_int_equal(r.state, SMC_RISK_TRIAL);
}

static void a_configuration_that_makes_no_sense_is_refused_by_name(void **state)
{
    (void)state;
    const struct {
        const char *says;
        smc_risk_conf_t conf;
    } rows[] = {{"drawdown must be 0 to 1", {.drawdown = dec("1.1")}},
                {"drawdown must be at least 0", {.drawdown = dec("-0.1")}},
                {"daily_loss must be at least 0", {.daily_loss = dec("-1")}},
                {"exposure", {.exposure = dec("-0.1")}},
                {"concentration", {.concentration = dec("-1")}},
                {"var", {.var = NAN}},
                {"correlation", {.correlation = 1.01}},
                {"error_rate", {.error_rate = 20}}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        smc_risk_t r;
        smc_error_t err;
        assert_int_equal(smc_risk_init(&r, &rows[i].conf, &err), SMC_EINVAL);
        assert_non_null(strstr(err.detail, rows[i].says));
    }
}

/* ---- the model: the quantile by counting, everything else by its definition ------------- */

enum { STEPS = 100000 };

/* Type 7 by order statistics that are found by counting, without sorting. */
static double nth_smallest(const double *x, size_t n, size_t k)
{
    for (size_t i = 0; i < n; i++) {
        size_t below = 0, same = 0;
        for (size_t j = 0; j < n; j++) {
            below += x[j] < x[i];
            same += x[j] == x[i];
        }
        if (below <= k && k < below + same)
            return x[i];
    }
    return NAN;
}

static double slow_var(const double *x, size_t n)
{
    double at = 0.05 * (double)(n - 1), low = nth_smallest(x, n, (size_t)at);
    double quantile = low + (at - floor(at)) * (nth_smallest(x, n, (size_t)at + 1) - low);
    return quantile < 0 ? -quantile : 0;
}

/* What the model is shown: whole money, so that it can count in integers. */
typedef struct scene {
    int64_t equity, positions[4];
    double returns[24];
    uint32_t losses;
} scene_t;

static scene_t drawn(smc_rng_t *rng)
{
    bool calm = smc_rng_below(rng, 4) > 0;
    scene_t s = {.equity = calm ? 1000 : 700 + (int64_t)smc_rng_below(rng, 300),
                 .losses = (uint32_t)smc_rng_below(rng, calm ? 5 : 6)};
    for (int k = 0; k < 4; k++)
        s.positions[k] = (int64_t)smc_rng_below(rng, calm ? 401 : 1401) - (calm ? 200 : 700);
    for (int k = 0; k < 24; k++)
        s.returns[k] = smc_rng_normal(rng) * (calm ? 0.004 : 0.012);
    return s;
}

static bool is_bad(const scene_t *s)
{
    int64_t sum = 0, most = 0;
    for (int k = 0; k < 4; k++) {
        int64_t size = s->positions[k] < 0 ? -s->positions[k] : s->positions[k];
        sum += size;
        most = size > most ? size : most;
    }
    return s->equity < 800 || sum > 900 || 2 * most > s->equity ||
           slow_var(s->returns, 24) > 0.02 || s->losses > 4;
}

static void it_does_what_the_model_does(void **state)
{
    (void)state;
    smc_rng_t rng;
    smc_rng_init(&rng, 5, "risk");
    smc_risk_t r = made((smc_risk_conf_t){.drawdown = dec("0.2"),
                                          .exposure = dec("900"),
                                          .concentration = dec("0.5"),
                                          .var = 0.02,
                                          .losses = 4,
                                          .trial_ms = 50});
    smc_risk_state_t model = SMC_RISK_ARMED;
    uint64_t now = 0, since = 0;
    unsigned trips = 0;
    for (int i = 0; i < STEPS; i++) {
        now += smc_rng_below(&rng, 20);
        scene_t s = drawn(&rng);
        bool bad = is_bad(&s);
        smc_dec_t positions[4];
        smc_risk_view_t v = fine();
        v.equity = smc_dec_from_int(s.equity);
        for (int k = 0; k < 4; k++)
            positions[k] = smc_dec_from_int(s.positions[k]);
        v.positions = positions;
        v.n_positions = 4;
        v.returns = s.returns;
        v.n_returns = 24;
        v.losses = s.losses;
        if (smc_rng_below(&rng, 10) == 0) {
            bool may = model == SMC_RISK_TRIPPED && !bad;
            assert_int_equal(smc_risk_reset(&r, &v, now, NULL) == SMC_OK, may);
            model = may ? SMC_RISK_TRIAL : model;
            since = may ? now : since;
        } else {
            bool trips_now = bad && model != SMC_RISK_TRIPPED;
            assert_int_equal(smc_risk_look(&r, &v, now), trips_now);
            trips += trips_now;
            if (trips_now)
                model = SMC_RISK_TRIPPED;
            else if (model == SMC_RISK_TRIAL && now - since >= 50)
                model = SMC_RISK_ARMED;
            assert_int_equal(r.violated != 0, bad);
        }
        assert_int_equal(r.state, model);
    }
    assert_int_equal(r.trips, trips);
    assert_true(trips > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(money_is_fine_at_its_limit_and_not_beyond),
        cmocka_unit_test(money_is_exact_where_binary_numbers_are_not),
        cmocka_unit_test(positions_count_by_their_size_whatever_their_side),
        cmocka_unit_test(value_at_risk_is_a_loss_and_needs_enough_returns),
        cmocka_unit_test(correlation_leaves_the_diagonal_out),
        cmocka_unit_test(losses_and_errors_are_counted),
        cmocka_unit_test(what_is_no_number_is_a_violation_of_its_own),
        cmocka_unit_test(all_that_is_violated_is_told),
        cmocka_unit_test(other_limits_are_for_the_next_look),
        cmocka_unit_test(it_trips_once_and_lets_only_smaller_positions_through),
        cmocka_unit_test(a_reset_is_refused_while_a_violation_persists),
        cmocka_unit_test(a_trial_ends_in_arms_or_in_another_trip),
        cmocka_unit_test(an_emergency_stop_lets_nothing_through_until_a_reset),
        cmocka_unit_test(a_configuration_that_makes_no_sense_is_refused_by_name),
        cmocka_unit_test(it_does_what_the_model_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
