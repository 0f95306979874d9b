/* dotenv.h - a file of KEY=value lines, and the credentials of a run.
 *
 * Lines    KEY=value, export KEY=value, # comment, blank.  LF or CRLF; a byte order mark is skipped.
 * Values   bare: up to " #" or the end of the line, blanks trimmed; 'single': as it stands; "double": with \n \r \t
 *          \" \\ \$ .  Nothing is expanded.  A later line of the same key wins.
 * Values are secrets: they appear in no error message, and their memory is wiped before it is freed.
 */
#ifndef SMCR_DOTENV_H
#define SMCR_DOTENV_H

#include "smc/error.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct smcr_pair {
    char *name;
    char *value;
    bool exported; /* the environment has it */
} smcr_pair_t;

typedef struct smcr_env {
    smcr_pair_t *pairs; /* in order of first appearance */
    size_t count;
} smcr_env_t;

/* Adds the pairs of a text to env (zeroed at first).  On failure env holds what came before.
 * Errors: SMC_EPARSE "line N: ..."; SMC_ENOMEM. */
smc_code_t smcr_env_parse(smcr_env_t *env, const char *text, size_t n, smc_error_t *err);

/* The same for a file.  *exposed: others than its owner may read it.
 * Errors: also SMC_ESYS when it cannot be read, SMC_ETOOBIG above 1 MiB. */
smc_code_t smcr_env_load(smcr_env_t *env, const char *path, bool *exposed, smc_error_t *err);

/* Lets the environment win: replaces values of names that are set there, and adds the variables whose names begin
 * with BINANCE_, BYBIT_ or OANDA_, SMCRUN_CA_FILE and SMCRUN_REDIS_URL.  environ: NULL-terminated "NAME=value".  Errors: SMC_ENOMEM. */
smc_code_t smcr_env_overlay(smcr_env_t *env, char *const *environ, smc_error_t *err);

/* Borrowed; NULL when there is none. */
const char *smcr_env_get(const smcr_env_t *env, const char *name);
void smcr_env_deinit(smcr_env_t *env);

#endif /* SMCR_DOTENV_H */
