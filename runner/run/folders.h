/* folders.h - which files change below some folders, as the kernel tells it.  Whole folders, for editors write a new file and
 * rename it.  Hidden folders are left out. */
#ifndef SMCR_FOLDERS_H
#define SMCR_FOLDERS_H

#include "smc/error.h"

#include <stdbool.h>
#include <stddef.h>

/* Absolute paths without links, each once; owned. */
typedef struct smcr_names {
    char **all;
    size_t n;
} smcr_names_t;

/* Copies the name.  False: no memory. */
bool smcr_names_add(smcr_names_t *names, const char *name);
bool smcr_names_have(const smcr_names_t *names, const char *name);
void smcr_names_deinit(smcr_names_t *names);

typedef struct smcr_folders {
    int fd; /* to be polled; -1: not open */
    struct smcr_folder *_all;
    size_t n;
} smcr_folders_t;

/* Errors: SMC_ESYS. */
smc_code_t smcr_folders_open(smcr_folders_t *f, smc_error_t *err);
/* Adds a folder; below: and all below it, also of one that is there already.  Errors: SMC_ESYS with the mend,
 * SMC_ENOMEM. */
smc_code_t smcr_folders_add(smcr_folders_t *f, const char *path, bool below, smc_error_t *err);
/* Adds the files that have changed, without waiting; folders that have come are watched from now on.  *lost: the kernel had to
 * drop some.  Errors: SMC_ESYS, SMC_ENOMEM. */
smc_code_t smcr_folders_read(smcr_folders_t *f, smcr_names_t *changed, bool *lost,
                             smc_error_t *err);
void smcr_folders_close(smcr_folders_t *f);

#endif /* SMCR_FOLDERS_H */
