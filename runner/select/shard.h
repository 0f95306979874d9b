/* shard.h - which part of the selected specs this machine runs.
 *
 * A spec belongs to the shard that its own id says, so nothing that is done to other specs and files moves it; all shards of
 * one count are everything, each spec once.
 */
#ifndef SMCR_SHARD_H
#define SMCR_SHARD_H

#include "smc/error.h"

#include <stdbool.h>

enum { SMCR_MAX_SHARDS = 10000 };

typedef struct smcr_shard {
    unsigned index; /* 1 to count */
    unsigned count; /* 0: not sharded */
} smcr_shard_t;

/* Like getenv. */
typedef const char *(*smcr_variable_fn)(const char *name);

/* "2/5", or "auto": what the environment says, in this order
 *   SMCRUN_SHARD=2/5                          for whatever has no variables of its own, as a GitHub matrix; it
 *                                             configures --shard, too, so "auto" may stand there
 *   CI_NODE_INDEX (from 1), CI_NODE_TOTAL     GitLab, parallel
 *   JOB_COMPLETION_INDEX (from 0), SMCRUN_SHARDS   a Kubernetes Indexed Job, which does not tell its completions
 * A count of 1 needs no index.  Errors: SMC_EINVAL with a sentence that names the mend, among them that nothing, or that
 * both engines are there. */
smc_code_t smcr_shard_read(const char *text, smcr_variable_fn variable, smcr_shard_t *out,
                           smc_error_t *err);

/* id: of a spec, as every machine writes it. */
bool smcr_shard_takes(smcr_shard_t shard, const char *id);

#endif /* SMCR_SHARD_H */
