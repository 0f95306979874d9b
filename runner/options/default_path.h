/* default_path.h - where the scenarios of a command line are that names none. */
#ifndef SMCR_DEFAULT_PATH_H
#define SMCR_DEFAULT_PATH_H

#include "smc/error.h"

#include <limits.h>

/* "scenarios", when there is such a folder here; else the scenarios that were installed with this program.
 * Errors: SMC_ENOENT with a sentence that names both places and the mend. */
smc_code_t smcr_default_path(char path[PATH_MAX], smc_error_t *err);

#endif /* SMCR_DEFAULT_PATH_H */
