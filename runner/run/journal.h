/* journal.h - the file in which a run notes each order before it is sent, and that it is known dead.
 *
 * File     one a run, 0600, in the folder of state (0700); it is only ever appended to.  First the line "smcrun journal 1".
 * Records  "+ID JSON", an order that is about to be sent, and "-ID WHY", it is dead.  Each begins a line of its own,
 *          ends with a sum of itself and is one write, so what was cut short (a kill, a full disk) harms no other.
 * Lock     the run and its workers hold the file locked; the lock ends with the last of them, however they end.  Who
 *          gets it has a journal that nobody writes any more.
 */
#ifndef SMCR_JOURNAL_H
#define SMCR_JOURNAL_H

#include "smc/error.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { SMCR_JOURNAL_ID_MAX = 40 };

typedef struct smcr_journal {
    int fd; /* -1: none */
    char path[PATH_MAX];
} smcr_journal_t;

/* An order that is not known dead. */
typedef struct smcr_live {
    char id[SMCR_JOURNAL_ID_MAX + 1];
    char *text; /* JSON */
} smcr_live_t;

typedef struct smcr_lives {
    smcr_live_t *items; /* as they were sent */
    size_t count;
} smcr_lives_t;

/* Where journals are: given, or $XDG_STATE_HOME/smcrun, or ~/.local/state/smcrun.  Errors: SMC_EINVAL, none is known. */
smc_code_t smcr_journal_folder(const char *given, char out[PATH_MAX], smc_error_t *err);

/* Makes it, and those above it, 0700, unless it is there.  Errors: SMC_ESYS. */
smc_code_t smcr_journal_make_folder(const char *folder, smc_error_t *err);

/* Begins a journal in the folder, which is made when it is missing, and locks it.  Errors: SMC_ESYS. */
smc_code_t smcr_journal_create(const char *folder, smcr_journal_t *out, smc_error_t *err);
/* Takes over what a run has left.  *busy: it is alive, and out->fd is -1.  Errors: SMC_ESYS; SMC_EPARSE, it is none. */
smc_code_t smcr_journal_open(const char *path, smcr_journal_t *out, bool *busy, smc_error_t *err);
void smcr_journal_close(smcr_journal_t *j);
/* The process that wrote the file of this name; 0 when the name tells none. */
pid_t smcr_journal_pid(const char *path);

/* Appends a record; returns when it is on the disk if `sync`.  kind: '+' or '-'.  Text is one line.
 * Errors: SMC_EINVAL for what is no record; SMC_ESYS: then it was not written as a whole, and does not count. */
smc_code_t smcr_journal_note(int fd, char kind, const char *id, const char *text, bool sync,
                             smc_error_t *err);

/* Adds the orders of these bytes that are not known dead to *out, zeroed at first.  Errors: SMC_EPARSE; SMC_ENOMEM. */
smc_code_t smcr_journal_read(const char *bytes, size_t n, smcr_lives_t *out, smc_error_t *err);
/* The same for an open journal.  Errors: SMC_ESYS, too. */
smc_code_t smcr_journal_load(const smcr_journal_t *j, smcr_lives_t *out, smc_error_t *err);
void smcr_lives_deinit(smcr_lives_t *lives);

#endif /* SMCR_JOURNAL_H */
