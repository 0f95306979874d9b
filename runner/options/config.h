/* config.h - options that no flag has given: variables SMCRUN_<NAME>, and the file smcrun.lua.
 *
 * Keys     those options of options*.c that are marked CONF: --hang-after is hang_after in the file and SMCRUN_HANG_AFTER in
 *          the environment.  A flag wins over the environment, that over the file.
 * File     assignments in Lua, with nothing of Lua's library and with an end to its steps and memory: jobs = 4
 *          A flag is true or false, what may be given several times a text or a list of them.  Names of files are seen
 *          from its folder.
 * Environment  a flag is 1 or 0; what may be given several times is separated by commas.  Empty: not set.
 */
#ifndef SMCR_CONFIG_H
#define SMCR_CONFIG_H

#include "smc/error.h"

#include <stdbool.h>
#include <stddef.h>

#define SMCR_CONFIG_NAME "smcrun.lua"
enum { SMCR_MAX_KEYS = 64 };

struct smcr_option;

/* Which group of values an option was given. */
typedef struct smcr_setting {
    const struct smcr_option *option;
    char **values; /* none: a flag that is false */
    size_t n_values;
    char *source; /* "smcrun.lua:3", "SMCRUN_JOBS" */
    char *unused; /* why it has no effect; NULL: it has */
} smcr_setting_t;

typedef struct smcr_config {
    char *path;            /* of the file; NULL: there is none */
    smcr_setting_t *items; /* what wins comes first */
    size_t count;
} smcr_config_t;

/* Adds what a file's text says.  name: as messages call the file; folder: before names of files in it, "" or with a / at
 * its end.  Errors: SMC_EINVAL, SMC_EPARSE, with the line where there is one; SMC_ENOMEM.  Then config holds a part. */
smc_code_t smcr_config_read(smcr_config_t *config, const char *text, size_t n, const char *name,
                            const char *folder, smc_error_t *err);

/* Finds the file (given, or smcrun.lua here or above, up to the root of the repository) and reads it.  Errors: as above,
 * and SMC_ESYS.  No file, and none given, is no error. */
smc_code_t smcr_config_load(smcr_config_t *config, const char *given, smc_error_t *err);

/* Adds the variables of the environment.  environ: NULL-terminated "NAME=value".  Errors: SMC_EINVAL: unknown variable. */
smc_code_t smcr_config_environ(smcr_config_t *config, char *const *environ, smc_error_t *err);

/* Adds a setting without values; name: of a key, "hang_after", n bytes.  NULL, with the reason in err. */
smcr_setting_t *smcr_config_add(smcr_config_t *config, const char *name, size_t n,
                                const char *source, smc_error_t *err);
/* Copies a value. */
smc_code_t smcr_setting_add(smcr_setting_t *setting, const char *value, smc_error_t *err);

void smcr_config_deinit(smcr_config_t *config);

/* The key of an option: "hang_after" of "--hang-after". */
void smcr_config_key(const struct smcr_option *option, char out[32]);

#endif /* SMCR_CONFIG_H */
