/* discover.h - from PATH arguments to the files of a run, in the order in which they will be reported.
 *
 * An argument is a file "x.lua", a folder (every *.lua below it, sorted by name, hidden ones left out), a glob that
 * the shell left alone, "x.lua::describe::it": the specs of that file whose id is, or continues at ::, this text, or
 * "x.lua:12": the specs at that line.
 * A file that is reached twice runs once, at its first place.
 */
#ifndef SMCR_DISCOVER_H
#define SMCR_DISCOVER_H

#include "smc/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What was asked for of a file. */
typedef struct smcr_asked {
    char *text;   /* an id, or "x.lua:12" */
    int64_t line; /* 0: it is an id */
} smcr_asked_t;

typedef struct smcr_file {
    char *path; /* as given, but one below the working folder relative to it; what ids begin with */
    size_t words; /* where in it the part begins that means something wherever the tree lies */
    smcr_asked_t *asked;
    size_t n_asked;
    bool whole; /* reached without an id or a line: all of it */
    dev_t dev;
    ino_t ino;
} smcr_file_t;

typedef struct smcr_plan {
    smcr_file_t *files;
    size_t n_files;
    size_t _words; /* of the argument that is being read */
} smcr_plan_t;

/* Adds what one argument names to *plan (zeroed at first).
 * Errors: SMC_ENOENT, SMC_EINVAL, SMC_ESYS with a sentence that names the path; SMC_ENOMEM. */
smc_code_t smcr_discover(smcr_plan_t *plan, const char *arg, smc_error_t *err);
void smcr_plan_deinit(smcr_plan_t *plan);

/* Is this spec meant?  lines: of those that were asked for, the ones at which it stands, "12,40"; NULL: none. */
bool smcr_asked_for(const smcr_asked_t *asked, const char *id, const char *lines);
/* The same of one of what the file was asked for, or of the file as a whole. */
bool smcr_file_selects(const smcr_file_t *file, const char *id, const char *lines);
/* Does `wanted` select the spec `id`: is it equal, or does the id go on at "::"? */
bool smcr_id_covers(const char *wanted, const char *id);

#endif /* SMCR_DISCOVER_H */
