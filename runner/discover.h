/* discover.h - from PATH arguments to the files of a run, in the order in which they will be reported.
 *
 * An argument is a file "x.lua", a folder (every *.lua below it, sorted by name, hidden ones left out), a glob that
 * the shell left alone, or "x.lua::describe::it": the specs of that file whose id is, or continues at ::, this text.
 * A file that is reached twice runs once, at its first place.
 */
#ifndef SMCR_DISCOVER_H
#define SMCR_DISCOVER_H

#include "smc/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

typedef struct smcr_file {
    char *path; /* as given, without a leading "./"; what ids begin with */
    char **ids; /* the ids that were asked for */
    size_t n_ids;
    bool whole; /* reached without an id: all of it */
    dev_t dev;
    ino_t ino;
} smcr_file_t;

typedef struct smcr_plan {
    smcr_file_t *files;
    size_t n_files;
} smcr_plan_t;

/* Adds what one argument names to *plan (zeroed at first).
 * Errors: SMC_ENOENT, SMC_EINVAL, SMC_ESYS with a sentence that names the path; SMC_ENOMEM. */
smc_code_t smcr_discover(smcr_plan_t *plan, const char *arg, smc_error_t *err);
void smcr_plan_deinit(smcr_plan_t *plan);

/* Does one of the ids that the file was asked for, or the file as a whole, select this spec? */
bool smcr_file_selects(const smcr_file_t *file, const char *id);
/* Does `wanted` select the spec `id`: is it equal, or does the id go on at "::"? */
bool smcr_id_covers(const char *wanted, const char *id);

#endif /* SMCR_DISCOVER_H */
