/* tmpdir.h - folders that are there for a while. */
#ifndef SMC_TMPDIR_H
#define SMC_TMPDIR_H

#include "smc/error.h"

enum { SMC_TMPDIR_SIZE = 4096 };

/* Makes a folder below $TMPDIR, or /tmp, that only this user can enter.
 * path  takes its absolute path without links; SMC_TMPDIR_SIZE bytes
 * Errors: SMC_ESYS. */
smc_code_t smc_tmpdir_make(char *path, smc_error_t *err);

/* Removes a folder with all that lies in it; follows no link.  Errors: SMC_ESYS when something is left. */
smc_code_t smc_tmpdir_remove(const char *path, smc_error_t *err);

/* Removes those that a process of this user made; it was killed, and could not. */
void smc_tmpdir_sweep(long pid);

/* Removes the folders of this user in `base` whose names begin with `prefix`, with all that lies in them. */
void smc_tmpdir_sweep_in(const char *base, const char *prefix);

#endif /* SMC_TMPDIR_H */
