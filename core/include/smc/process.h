/* smc/process.h - programs that are started on the loop: their output, their end.
 *
 * Group    Each program leads a session and a process group of its own.  What is left of it when the program itself has
 *          ended is killed.  What makes itself a session of its own (a daemon) gets away.
 * Orphans  None: when this process ends, however it ends, a guard that it forked before kills the groups that live on, and
 *          no program begins before the guard knows of it.
 * Handed   Nothing but what is said here: no descriptor beside 0, 1 and 2, which are pipes, no variable that is not listed
 *          but the PWD that a shell makes, no signal blocked or ignored.
 * Clock    the real one only: a program outside of this process has no other.
 * SIGPIPE  must be ignored by the process.
 * Thread   loop thread
 */
#ifndef SMC_PROCESS_H
#define SMC_PROCESS_H

#include "smc/error.h"
#include "smc/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct smc_process smc_process_t;

typedef struct smc_process_events {
    /* Bytes as they come; stream: 1 standard output, 2 standard error. */
    void (*on_output)(void *ud, int stream, const char *data, size_t n);
    /* Exactly once, behind all of its output, and never before smc_process_start has returned or after
     * smc_process_free, which may be called from here.  number: of the signal that ended it, or 0; then status is its exit status. */
    void (*on_exit)(void *ud, int status, int number);
} smc_process_events_t;

/* Strings are borrowed for the call. */
typedef struct smc_process_conf {
    const char *const *
        argv; /* NULL-terminated; the first is looked for in the PATH of env, unless it has a slash */
    const char *const *env; /* NULL-terminated, "NAME=value": all that it gets */
    const char *cwd;        /* where it starts */
    bool takes_input;       /* standard input is what is written; else it is empty */
    smc_process_events_t on;
    void *ud;
} smc_process_conf_t;

/* *out is owned; end with smc_process_free.
 * Errors: SMC_ENOENT (the program or its folder is not there), SMC_EPOLICY (the virtual clock), SMC_EOVERFLOW (too many
 * live at a time), SMC_ESYS, SMC_ENOMEM. */
smc_code_t smc_process_start(smc_loop_t *loop, const smc_process_conf_t *conf, smc_process_t **out,
                             smc_error_t *err);
/* Kills what is left of its group, waits for the program's end, and forgets it.  Accepts NULL. */
void smc_process_free(smc_process_t *process);

/* Queues bytes for its standard input; copied.  Errors: SMC_ECLOSED (it takes none, any more), SMC_EAGAIN (it has not
 * read 16 MiB of what was written), SMC_ENOMEM. */
smc_code_t smc_process_write(smc_process_t *process, const char *data, size_t n, smc_error_t *err);
/* Its standard input ends behind what was written. */
void smc_process_end_input(smc_process_t *process);

/* To the program alone, or to its whole group.  Errors: SMC_ECLOSED (it has ended), SMC_ESYS. */
smc_code_t smc_process_signal(smc_process_t *process, int number, bool group, smc_error_t *err);

long smc_process_pid(const smc_process_t *process);

#endif /* SMC_PROCESS_H */
