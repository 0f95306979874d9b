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

static smc_risk_t made(smc_risk_conf_t conf)
{
    smc_risk_t r;
    assert_int_equal(smc_risk_init(&r, &conf, NULL), SMC_OK);
    return r;
}

static smc_risk_view_t fine(void)
{
    return (smc_risk_view_t){.equity = 1000, .peak = 1000, .day_start = 1000};
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
    smc_risk_view_t v = fine();
    v.equity = 950;
    assert_false(violates((smc_risk_conf_t){.drawdown = 0.05}, v, SMC_RISK_DRAWDOWN));
    assert_false(violates((smc_risk_conf_t){.daily_loss = 50}, v, SMC_RISK_DAILY_LOSS));
    v.equity = 949.9;
    assert_true(violates((smc_risk_conf_t){.drawdown = 0.05}, v, SMC_RISK_DRAWDOWN));
    assert_true(violates((smc_risk_conf_t){.daily_loss = 50}, v, SMC_RISK_DAILY_LOSS));
    v.equity = 2000; /* a gain is no loss, however large */
    v.peak = 2000;
    assert_false(
        violates((smc_risk_conf_t){.drawdown = 0.05, .daily_loss = 50}, v, SMC_RISK_DRAWDOWN));
}

static void positions_count_by_their_size_whatever_their_side(void **state)
{
    (void)state;
    double positions[] = {300, -200};
    smc_risk_view_t v = fine();
    v.positions = positions;
    v.n_positions = 2;
    assert_false(violates((smc_risk_conf_t){.exposure = 500}, v, SMC_RISK_EXPOSURE));
    assert_true(violates((smc_risk_conf_t){.exposure = 499}, v, SMC_RISK_EXPOSURE));
    assert_false(violates((smc_risk_conf_t){.concentration = 0.3}, v, SMC_RISK_CONCENTRATION));
    assert_true(violates((smc_risk_conf_t){.concentration = 0.29}, v, SMC_RISK_CONCENTRATION));
    /* cppcheck-suppress unreadVariable ; the view points at it */
    positions[0] = -301;
    assert_true(violates((smc_risk_conf_t){.concentration = 0.3}, v, SMC_RISK_CONCENTRATION));
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
    double nan_position[] = {1, NAN, 2}, returns[25] = {0}, m[] = {1, NAN, 0, 1};
    returns[7] = INFINITY;
    const struct {
        smc_risk_conf_t conf;
        smc_risk_view_t view;
    } rows[] = {
        {{.drawdown = 0.1}, {.equity = NAN, .peak = 1, .day_start = 1}},
        {{.drawdown = 0.1}, {.equity = 0, .peak = 0, .day_start = 0}},
        {{.drawdown = 0.1}, {.equity = -5, .peak = -1, .day_start = 0}},
        {{.daily_loss = 1}, {.equity = 1, .peak = 1, .day_start = NAN}},
        {{.exposure = 9}, {.equity = 1, .positions = nan_position, .n_positions = 3}},
        {{.concentration = 9}, {.equity = 1, .positions = nan_position, .n_positions = 3}},
        {{.concentration = 9}, {.equity = -1}},
        {{.var = 0.5}, {.equity = 1, .returns = returns, .n_returns = 25}},
        {{.correlation = 1}, {.equity = 1, .correlations = m, .n_assets = 2}},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_true(violates(rows[i].conf, rows[i].view, SMC_RISK_DATA));
    smc_risk_view_t v = {.equity = NAN, .peak = NAN, .day_start = NAN};
    assert_false(
        violates((smc_risk_conf_t){.losses = 1}, v, SMC_RISK_DATA)); /* nobody asked for it */
}

static void all_that_is_violated_is_told(void **state)
{
    (void)state;
    smc_risk_t r =
        made((smc_risk_conf_t){.drawdown = 0.1, .daily_loss = 100, .losses = 3, .exposure = 1});
    smc_risk_view_t v = fine();
    v.equity = 800;
    v.losses = 9;
    assert_true(smc_risk_look(&r, &v, 0));
    assert_int_equal(r.violated,
                     1u << SMC_RISK_DRAWDOWN | 1u << SMC_RISK_DAILY_LOSS | 1u << SMC_RISK_LOSSES);
    assert_true(fabs(r.seen[SMC_RISK_DRAWDOWN] - 0.2) < 1e-12);
}

/* ---- states ------------------------------------------------------------------------ */

static void it_trips_once_and_lets_only_smaller_positions_through(void **state)
{
    (void)state;
    smc_risk_t r = made((smc_risk_conf_t){.drawdown = 0.1, .trial_ms = 1000});
    smc_risk_view_t good = fine(), bad = fine();
    bad.equity = 1;
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
    smc_risk_t r = made((smc_risk_conf_t){.drawdown = 0.1, .trial_ms = 1000});
    smc_risk_view_t good = fine(), bad = fine();
    bad.equity = 1;
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
    smc_risk_t r = made((smc_risk_conf_t){.drawdown = 0.1, .trial_ms = 1000});
    smc_risk_view_t good = fine(), bad = fine();
    bad.equity = 1;
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
    smc_risk_t r = made((smc_risk_conf_t){.drawdown = 0.1});
    smc_risk_view_t good = fine(), bad = fine();
    bad.equity = 1;
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
    static const struct {
        const char *says;
        smc_risk_conf_t conf;
    } rows[] = {{"drawdown must be 0 to 1", {.drawdown = 1.1}},
                {"drawdown", {.drawdown = -0.1}},
                {"daily_loss must be at least 0", {.daily_loss = -1}},
                {"exposure", {.exposure = NAN}},
                {"concentration", {.concentration = INFINITY}},
                {"var", {.var = 2}},
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

static void it_does_what_the_model_does(void **state)
{
    (void)state;
    smc_rng_t rng;
    smc_rng_init(&rng, 5, "risk");
    smc_risk_conf_t conf = {.drawdown = 0.2,
                            .exposure = 900,
                            .concentration = 0.5,
                            .var = 0.02,
                            .losses = 4,
                            .trial_ms = 50};
    smc_risk_t r = made(conf);
    smc_risk_state_t model = SMC_RISK_ARMED;
    uint64_t now = 0, since = 0;
    unsigned trips = 0;
    for (int i = 0; i < STEPS; i++) {
        double positions[4], returns[24];
        now += smc_rng_below(&rng, 20);
        bool calm = smc_rng_below(&rng, 4) > 0;
        for (int k = 0; k < 4; k++)
            positions[k] = (smc_rng_float(&rng) - 0.5) * (calm ? 400 : 1400);
        for (int k = 0; k < 24; k++)
            returns[k] = smc_rng_normal(&rng) * (calm ? 0.004 : 0.012);
        smc_risk_view_t v = {.equity = calm ? 1000 : 700 + smc_rng_float(&rng) * 300,
                             .peak = 1000,
                             .day_start = 1000,
                             .positions = positions,
                             .n_positions = 4,
                             .returns = returns,
                             .n_returns = 24,
                             .losses = (uint32_t)smc_rng_below(&rng, calm ? 5 : 6)};
        double sum = 0, most = 0;
        for (int k = 0; k < 4; k++) {
            sum += fabs(positions[k]);
            most = fmax(most, fabs(positions[k]));
        }
        bool bad = 1 - v.equity / 1000 > 0.2 || sum > 900 || most / v.equity > 0.5 ||
                   slow_var(returns, 24) > 0.02 || v.losses > 4;
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
        cmocka_unit_test(positions_count_by_their_size_whatever_their_side),
        cmocka_unit_test(value_at_risk_is_a_loss_and_needs_enough_returns),
        cmocka_unit_test(correlation_leaves_the_diagonal_out),
        cmocka_unit_test(losses_and_errors_are_counted),
        cmocka_unit_test(what_is_no_number_is_a_violation_of_its_own),
        cmocka_unit_test(all_that_is_violated_is_told),
        cmocka_unit_test(it_trips_once_and_lets_only_smaller_positions_through),
        cmocka_unit_test(a_reset_is_refused_while_a_violation_persists),
        cmocka_unit_test(a_trial_ends_in_arms_or_in_another_trip),
        cmocka_unit_test(an_emergency_stop_lets_nothing_through_until_a_reset),
        cmocka_unit_test(a_configuration_that_makes_no_sense_is_refused_by_name),
        cmocka_unit_test(it_does_what_the_model_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
