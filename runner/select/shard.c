#include "select/shard.h"

#include "options/number.h"

#include "smc/rng.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define OP "shard"

typedef struct engine {
    const char *index;
    unsigned first; /* what it counts from */
    const char *count;
} engine_t;

static const engine_t engines[] = {
    {"CI_NODE_INDEX", 1, "CI_NODE_TOTAL"},
    {"JOB_COMPLETION_INDEX", 0, "SMCRUN_SHARDS"},
};
enum { N_ENGINES = sizeof(engines) / sizeof(engines[0]) };

/* what: "--shard", or the variable that said it. */
static smc_code_t read_pair(const char *what, const char *text, smcr_shard_t *out, smc_error_t *err)
{
    char index[16] = "";
    uint64_t i = 0, n = 0;
    size_t len = strcspn(text, "/");
    if (len < sizeof(index))
        memcpy(index, text, len);
    if (text[len] != '/' || !smcr_read_u64(text + len + 1, 1, SMCR_MAX_SHARDS, &n) ||
        !smcr_read_u64(index, 1, n, &i))
        return smc_fail(err, SMC_EINVAL, OP, 0,
                        "%s wants I/N with I from 1 to N, and N at most %d, as in 2/5, not '%s'",
                        what, SMCR_MAX_SHARDS, text);
    *out = (smcr_shard_t){.index = (unsigned)i, .count = (unsigned)n};
    return SMC_OK;
}

/* An empty variable is none: that is how CI servers write what is not set. */
static const char *value_of(smcr_variable_fn variable, const char *name)
{
    const char *value = variable(name);
    return value == NULL || value[0] == '\0' ? NULL : value;
}

static smc_code_t read_engine(const engine_t *e, const char *index, const char *count,
                              smcr_shard_t *out, smc_error_t *err)
{
    uint64_t i = 0, n = 0;
    if (count == NULL)
        return smc_fail(err, SMC_EINVAL, OP, 0,
                        "--shard auto: %s is %s, but %s, the number of shards, is not set",
                        e->index, index, e->count);
    if (!smcr_read_u64(count, 1, SMCR_MAX_SHARDS, &n))
        return smc_fail(err, SMC_EINVAL, OP, 0,
                        "--shard auto: %s wants a number of shards from 1 to %d, not '%s'",
                        e->count, SMCR_MAX_SHARDS, count);
    if (!smcr_read_u64(index, e->first, n - 1 + e->first, &i))
        return smc_fail(err, SMC_EINVAL, OP, 0,
                        "--shard auto: %s wants a number from %u to %u, not '%s' (%s is %s)",
                        e->index, e->first, (unsigned)n - 1 + e->first, index, e->count, count);
    *out = (smcr_shard_t){.index = (unsigned)i + 1 - e->first, .count = (unsigned)n};
    return SMC_OK;
}

static smc_code_t read_environment(smcr_variable_fn variable, smcr_shard_t *out, smc_error_t *err)
{
    const char *index[N_ENGINES], *count[N_ENGINES], *own = value_of(variable, "SMCRUN_SHARD");
    const engine_t *told = NULL;
    if (own != NULL && strcmp(own, "auto") != 0)
        return read_pair("SMCRUN_SHARD", own, out, err);
    for (size_t i = 0; i < N_ENGINES; i++) {
        index[i] = value_of(variable, engines[i].index);
        count[i] = value_of(variable, engines[i].count);
        if (index[i] != NULL && told != NULL)
            return smc_fail(err, SMC_EINVAL, OP, 0,
                            "--shard auto: %s and %s are both set: say which by SMCRUN_SHARD=I/N",
                            told->index, engines[i].index);
        told = index[i] != NULL ? &engines[i] : told;
    }
    if (told != NULL)
        return read_engine(told, index[told - engines], count[told - engines], out, err);
    for (size_t i = 0; i < N_ENGINES; i++)
        if (count[i] != NULL && strcmp(count[i], "1") == 0)
            return read_pair(engines[i].count, "1/1", out, err);
    return smc_fail(err, SMC_EINVAL, OP, 0,
                    "--shard auto: none of SMCRUN_SHARD (I/N; for a GitHub matrix), CI_NODE_INDEX "
                    "(GitLab, parallel) and JOB_COMPLETION_INDEX (Kubernetes, Indexed Job) is set");
}

smc_code_t smcr_shard_read(const char *text, smcr_variable_fn variable, smcr_shard_t *out,
                           smc_error_t *err)
{
    return strcmp(text, "auto") == 0 ? read_environment(variable, out, err)
                                     : read_pair("--shard", text, out, err);
}

bool smcr_shard_takes(smcr_shard_t shard, const char *id)
{
    smc_rng_t rng;
    if (shard.count == 0)
        return true;
    smc_rng_init(&rng, 0, id);
    return smc_rng_below(&rng, shard.count) == shard.index - 1;
}
