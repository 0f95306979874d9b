/* tmpdir.h - folders that are there for a while.
 *
 * Their names tell which process made them, and a lock on them tells whether it is alive, for ids of processes are given
 * again, and others may see the folder that do not see the process. */
#ifndef SMC_TMPDIR_H
#define SMC_TMPDIR_H

#include "smc/error.h"

#include <stddef.h>

enum { SMC_TMPDIR_SIZE = 4096 };

/* Makes a folder below $TMPDIR, or /tmp, that only this user can enter.
 * path   takes its absolute path without links; SMC_TMPDIR_SIZE bytes
 * *lock  a descriptor, to be closed when the folder has been removed; -1 where folders can't be locked
 * Errors: SMC_ESYS. */
smc_code_t smc_tmpdir_make(char *path, int *lock, smc_error_t *err);
/* The same in `base`, with a name that begins with `name`. */
smc_code_t smc_tmpdir_make_in(const char *base, const char *name, char *path, size_t size,
                              int *lock, smc_error_t *err);

/* Removes a folder with all that lies in it; follows no link.  Errors: SMC_ESYS when something is left. */
smc_code_t smc_tmpdir_remove(const char *path, smc_error_t *err);

/* Removes those that a process of this user made; it was killed, and could not.  pid 0: of all processes that are gone. */
void smc_tmpdir_sweep(long pid);
/* The same in `base`, of names that begin with `name`. */
void smc_tmpdir_sweep_in(const char *base, const char *name, long pid);

#endif /* SMC_TMPDIR_H */
