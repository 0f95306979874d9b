#include "select/shard.h"

#include "smc/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* The environment of a test: "A=1 B=2". */
static const char *environment = "";

/* What it returns stays as it is for a while, as with getenv. */
static const char *variable(const char *name)
{
    static char values[8][64];
    static unsigned next;
    char *value = values[next++ % 8];
    size_t n = strlen(name);
    for (const char *at = environment; *at != '\0'; at += strspn(at, " ")) {
        size_t len = strcspn(at, " ");
        if (len > n && at[n] == '=' && strncmp(at, name, n) == 0) {
            (void)snprintf(value, sizeof(values[0]), "%.*s", (int)(len - n - 1), at + n + 1);
            return value;
        }
        at += len;
    }
    return NULL;
}

static void expect_shard(const char *text, const char *env, unsigned index, unsigned count)
{
    smcr_shard_t shard;
    smc_error_t err = {0};
    environment = env;
    if (smcr_shard_read(text, variable, &shard, &err) != SMC_OK)
        fail_msg("%s with '%s': %s", text, env, err.detail);
    assert_int_equal(shard.index, index);
    assert_int_equal(shard.count, count);
}

static void expect_error(const char *text, const char *env, const char *detail)
{
    smcr_shard_t shard;
    smc_error_t err = {0};
    environment = env;
    assert_int_equal(smcr_shard_read(text, variable, &shard, &err), SMC_EINVAL);
    assert_string_equal(err.detail, detail);
}

static void pair_is_read(void **state)
{
    (void)state;
    expect_shard("1/1", "", 1, 1);
    expect_shard("2/5", "SMCRUN_SHARD=1/9 CI_NODE_INDEX=4", 2, 5);
    expect_shard("10000/10000", "", 10000, 10000);
    static const char *const wrong[] = {
        "",     "2",       "/",     "0/3",  "4/3", "1/0", "a/3",  "1/b",  "-1/3",
        "1/ 3", "1/10001", "1/3/5", "+1/2", "1/",  "/3",  "1 /3", "Auto", "1234567890123456789/2"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char detail[200];
        (void)snprintf(
            detail, sizeof(detail),
            "--shard wants I/N with I from 1 to N, and N at most 10000, as in 2/5, not '%s'",
            wrong[i]);
        expect_error(wrong[i], "", detail);
    }
}

static void auto_asks_the_engine(void **state)
{
    (void)state;
    expect_shard("auto", "CI_NODE_INDEX=1 CI_NODE_TOTAL=3", 1, 3);
    expect_shard("auto", "CI_NODE_INDEX=3 CI_NODE_TOTAL=3", 3, 3);
    expect_shard("auto", "JOB_COMPLETION_INDEX=0 SMCRUN_SHARDS=3", 1, 3);
    expect_shard("auto", "JOB_COMPLETION_INDEX=2 SMCRUN_SHARDS=3", 3, 3);
    expect_shard("auto", "SMCRUN_SHARD=2/4", 2, 4);
    /* Ours goes first: it is how to say it where others say something else. */
    expect_shard("auto", "SMCRUN_SHARD=2/4 CI_NODE_INDEX=1 CI_NODE_TOTAL=3", 2, 4);
    expect_shard("auto", "SMCRUN_SHARD=auto CI_NODE_INDEX=1 CI_NODE_TOTAL=3", 1, 3);
    expect_shard("auto", "SMCRUN_SHARD= CI_NODE_INDEX=1 CI_NODE_TOTAL=3", 1, 3);
    /* A GitLab job without `parallel` has a total of 1, and no index; it may run in a pod of an Indexed Job. */
    expect_shard("auto", "CI_NODE_TOTAL=1", 1, 1);
    expect_shard("auto", "CI_NODE_TOTAL=1 JOB_COMPLETION_INDEX=1 SMCRUN_SHARDS=2", 2, 2);
}

static void auto_that_finds_nothing_says_what_to_set(void **state)
{
    (void)state;
    static const char nothing[] =
        "--shard auto: none of SMCRUN_SHARD (I/N; for a GitHub matrix), CI_NODE_INDEX (GitLab, "
        "parallel) and JOB_COMPLETION_INDEX (Kubernetes, Indexed Job) is set";
    expect_error("auto", "", nothing);
    expect_error("auto", "GITHUB_ACTIONS=true", nothing);
    expect_error("auto", "CI_NODE_TOTAL=3", nothing);
    expect_error("auto", "CI_NODE_INDEX= JOB_COMPLETION_INDEX=", nothing);
    expect_error("auto", "JOB_COMPLETION_INDEX=2",
                 "--shard auto: JOB_COMPLETION_INDEX is 2, but SMCRUN_SHARDS, the number of "
                 "shards, is not set");
    expect_error("auto", "JOB_COMPLETION_INDEX=3 SMCRUN_SHARDS=3",
                 "--shard auto: JOB_COMPLETION_INDEX wants a number from 0 to 2, not '3' "
                 "(SMCRUN_SHARDS is 3)");
    expect_error("auto", "CI_NODE_INDEX=0 CI_NODE_TOTAL=3",
                 "--shard auto: CI_NODE_INDEX wants a number from 1 to 3, not '0' (CI_NODE_TOTAL "
                 "is 3)");
    expect_error(
        "auto", "CI_NODE_INDEX=1 CI_NODE_TOTAL=many",
        "--shard auto: CI_NODE_TOTAL wants a number of shards from 1 to 10000, not 'many'");
    expect_error("auto", "SMCRUN_SHARD=auto", nothing);
    expect_error("auto", "SMCRUN_SHARD=2",
                 "SMCRUN_SHARD wants I/N with I from 1 to N, and N at most 10000, as in 2/5, not "
                 "'2'");
    expect_error("auto", "CI_NODE_INDEX=1 CI_NODE_TOTAL=3 JOB_COMPLETION_INDEX=2 SMCRUN_SHARDS=3",
                 "--shard auto: CI_NODE_INDEX and JOB_COMPLETION_INDEX are both set: say which by "
                 "SMCRUN_SHARD=I/N");
}

/* The law: whatever the ids and the count, each spec runs on one shard, and on the same one whatever others there are. */
static void shards_are_everything_exactly_once(void **state)
{
    (void)state;
    enum { SPECS = 400, MOST = 13 };
    smc_rng_t rng;
    smc_rng_init(&rng, 20260105, "shards");
    for (unsigned round = 0; round < 50; round++) {
        unsigned count = (unsigned)smc_rng_range(&rng, 1, MOST), load[MOST] = {0};
        for (unsigned i = 0; i < SPECS; i++) {
            char id[80], word[17];
            smc_rng_alnum(&rng, word, 16);
            (void)snprintf(id, sizeof(id), "scenarios/%.4s/%.3s.lua::%s::%u", word, word + 4, word,
                           i);
            unsigned takers = 0;
            for (unsigned s = 1; s <= count; s++)
                if (smcr_shard_takes((smcr_shard_t){.index = s, .count = count}, id)) {
                    takers++;
                    load[s - 1]++;
                }
            if (takers != 1)
                fail_msg("round %u: %u of %u shards take %s", round, takers, count, id);
        }
        /* Five standard deviations from an even load: less is luck, more is a bad hash. */
        for (unsigned s = 0; s < count; s++) {
            double even = (double)SPECS / count, off = load[s] - even;
            if (off * off > 25 * even)
                fail_msg("round %u: shard %u of %u has %u of %d", round, s + 1, count, load[s],
                         SPECS);
        }
    }
    assert_true(smcr_shard_takes((smcr_shard_t){0}, "x"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pair_is_read),
        cmocka_unit_test(auto_asks_the_engine),
        cmocka_unit_test(auto_that_finds_nothing_says_what_to_set),
        cmocka_unit_test(shards_are_everything_exactly_once),
    };
    return cmocka_run_group_tests_name("shard", tests, NULL, NULL);
}
