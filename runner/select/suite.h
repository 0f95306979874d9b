/* suite.h - the suites: names for paths, as data in a file suites.lua that users extend.
 *
 *   return {
 *     failover = { "failover" },                              -- paths, from the folder of suites.lua on
 *     smoke = { "connection", filter = "not #virtual-time" }, -- filter: an expression, as that of -k
 *   }
 */
#ifndef SMCR_SUITE_H
#define SMCR_SUITE_H

#include "smc/error.h"

#include <stddef.h>

typedef struct smcr_suite {
    char *file;   /* the suites.lua that it is from */
    char **paths; /* at least one; as PATH arguments of this working folder */
    size_t n_paths;
    char *filter; /* NULL: none */
} smcr_suite_t;

/* folder: where suites.lua lies.  *out is zeroed at first, owned; end with smcr_suite_deinit whatever is returned.
 * *why: for SMC_EINVAL, a sentence, which names the suites that there are; owned.
 * Errors: SMC_EINVAL; SMC_ENOMEM, SMC_ESYS in *err. */
smc_code_t smcr_suite_read(const char *folder, const char *name, smcr_suite_t *out, char **why,
                           smc_error_t *err);
/* The names of the folder's suites, sorted, as `paths` of *out.  Otherwise as above. */
smc_code_t smcr_suite_names(const char *folder, smcr_suite_t *out, char **why, smc_error_t *err);
void smcr_suite_deinit(smcr_suite_t *suite);

#endif /* SMCR_SUITE_H */
