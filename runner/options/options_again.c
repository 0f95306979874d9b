/* options_again.c - how often, and until when. */
#include "options/number.h"
#include "options/options_priv.h"

#include <stdio.h>

static smc_code_t read_count(smcr_parse_t *p, const char *arg, const char *value, unsigned min,
                             unsigned max, unsigned *out)
{
    uint64_t n;
    char wanted[48];
    (void)snprintf(wanted, sizeof(wanted), "a number from %u to %u", min, max);
    if (!smcr_read_u64(value, min, max, &n))
        return smcr_bad_value(p, arg, value, wanted);
    *out = (unsigned)n;
    return SMC_OK;
}

static smc_code_t on_repeat(smcr_parse_t *p, const char *arg, const char *value)
{
    return read_count(p, arg, value, 1, 1000000, &p->o->repeat);
}

static smc_code_t on_retries(smcr_parse_t *p, const char *arg, const char *value)
{
    return read_count(p, arg, value, 0, 100, &p->o->retries);
}

static smc_code_t on_max_fail(smcr_parse_t *p, const char *arg, const char *value)
{
    return read_count(p, arg, value, 1, 1000000, &p->o->max_fail);
}

static smc_code_t on_fail_fast(smcr_parse_t *p, const char *arg, const char *value)
{
    (void)arg, (void)value;
    p->o->max_fail = 1;
    return SMC_OK;
}

SMCR_FLAG(watch)
SMCR_FLAG(until_fail)
SMCR_FLAG(fail_on_flaky)

static const smcr_option_t options[] = {
    {"--retries", NULL, A_VALUE, false, RUN | CONF, on_retries, "N",
     "run a spec that fails up to N times more (default 0), in a worker of its own and with the "
     "same seed: what passes then is flaky, which counts as passed and is shown"},
    {"--fail-on-flaky", NULL, NOTHING, true, RUN | CONF, on_fail_on_flaky, NULL,
     "what is flaky has failed"},
    {"--repeat", NULL, A_VALUE, false, RUN, on_repeat, "N",
     "run every spec N times, with the seeds that follow --seed; one that fails in any of them has "
     "failed"},
    {"--until-fail", NULL, NOTHING, true, RUN, on_until_fail, NULL,
     "run all of it over and over, with a new seed each time, until a spec fails; with --repeat N "
     "times at most"},
    {"--max-fail", NULL, A_VALUE, false, RUN | CONF, on_max_fail, "N",
     "stop when N specs have failed"},
    {"--fail-fast", "-x", NOTHING, true, RUN, on_fail_fast, NULL,
     "stop when one has: --max-fail 1"},
    {"--watch", NULL, NOTHING, true, RUN, on_watch, NULL,
     "go on running what a saved file touches, until Ctrl-C: the scenarios that are, require or "
     "read "
     "it; with one seed"},
};

static smc_code_t check(smcr_parse_t *p)
{
    static const smcr_contradiction_t pairs[] = {
        {"--retries", "--repeat",
         "--retries contradicts --repeat: one forgives failures, the other looks for them; drop "
         "one"},
        {"--retries", "--until-fail",
         "--retries contradicts --until-fail: one forgives failures, the other looks for them; "
         "drop "
         "one"},
        {"--max-fail", "--fail-fast", "-x contradicts --max-fail: it means --max-fail 1; drop one"},
        {"--retries", "--list", "--retries contradicts --list: nothing runs, so nothing fails"},
        {"--repeat", "--list", "--repeat contradicts --list: nothing runs, so nothing is repeated"},
        {"--until-fail", "--list",
         "--until-fail contradicts --list: nothing runs, so nothing fails"},
        {"--max-fail", "--list", "--max-fail contradicts --list: nothing runs, so nothing fails"},
        {"--watch", "--list", "--watch contradicts --list: nothing runs, so nothing runs again"},
        {"--watch", "--suite", "--watch contradicts --suite: name the folders of the suite"},
        {"--watch", "--until-fail",
         "--watch contradicts --until-fail: each goes on by itself; drop one"},
        {"--fail-fast", "--list", "-x contradicts --list: nothing runs, so nothing fails"},
    };
    if (smcr_given(p, "--fail-on-flaky") && !smcr_given(p, "--retries"))
        return SMCR_REFUSE(p,
                           "--fail-on-flaky wants --retries N: only what runs again can be flaky");
    return smcr_refuse_pairs(p, pairs, SMCR_COUNT(pairs));
}

const smcr_option_group_t smcr_again_options = {"How often, and until when", options,
                                                SMCR_COUNT(options), check};
