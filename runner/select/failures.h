/* failures.h - which specs failed when they last ran: the memory of --last-failed.
 *
 * A text file below the working folder, an id a line.  A spec that fails gets in, one that passes or was declared pending gets
 * out, one that did not run stays as it was: so neither a run of a part nor an interrupted one loses anything.  A file that
 * could not be loaded is in it by its path.  What a whole file does not declare any more gets out.
 * The file is there only while it holds something, is replaced in one step, and left alone when nothing has changed.
 */
#ifndef SMCR_FAILURES_H
#define SMCR_FAILURES_H

#include "run/event.h"

#include <stdbool.h>
#include <stddef.h>

#define SMCR_STATE_FOLDER ".smcrun"

typedef struct smcr_failures {
    char **_known; /* as read, sorted */
    size_t _n_known;
    struct smcr_outcome *_seen; /* what has happened since */
    size_t _n_seen, _cap_seen;
    struct smcr_failing_file *_files; /* that have ended */
    size_t _n_files;
    bool _lost; /* there was no memory for something */
} smcr_failures_t;

/* Reads what is known into *f, zeroed at first; no file: nothing is.  Errors: SMC_ESYS, SMC_ENOMEM. */
smc_code_t smcr_failures_load(smcr_failures_t *f, smc_error_t *err);
void smcr_failures_deinit(smcr_failures_t *f);

/* Is the spec of this id in it, or the whole file of this path? */
bool smcr_failures_have(const smcr_failures_t *f, const char *path, const char *id);
/* The n-th id that was read; NULL: no more. */
const char *smcr_failures_get(const smcr_failures_t *f, size_t n);

/* Every event of the run, in any order of the files.  path: of the event's file. */
void smcr_failures_event(smcr_failures_t *f, const char *path, const smcr_event_t *ev);
/* Puts what has happened into the file.  Errors: SMC_ESYS, SMC_ENOMEM; the file is then as it was. */
smc_code_t smcr_failures_save(const smcr_failures_t *f, smc_error_t *err);

#endif /* SMCR_FAILURES_H */
