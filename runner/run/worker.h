/* worker.h - the inside of a worker: runs one scenario file and writes events.
 *
 * A worker is a fork of the parent without exec.  It has its own process group, no standard input, no core dumps, dies with
 * the parent, and has these descriptors: 1 and 2 are the output, a file that the parent shares, 3 the pipe of events, and on a testnet
 * 4, the journal of orders.  There it ends when it is asked to only after its orders are cancelled.
 */
#ifndef SMCR_WORKER_H
#define SMCR_WORKER_H

#include "keys/dotenv.h"
#include "select/select.h"
#include "smcb_runtime.h"

#include "smc/log.h"

enum { SMCR_EVENTS_FD = 3, SMCR_JOURNAL_FD = 4 };

/* What all workers of a run share.  Borrowed. */
typedef struct smcr_run {
    const smcr_options_t *options; /* seed is set */
    const smcr_plan_t *plan;
    const smcr_selection_t *selection;
    const smcr_env_t *credentials;
    int journal;               /* of orders; -1: none */
    const char *ca;            /* PEM: whom moved testnets are trusted by; NULL: the system's */
    const smc_log_t *redactor; /* knows the credentials */
    smcb_host_t *warm;         /* of smcr_worker_warm; NULL: each worker opens its own */
} smcr_run_t;

/* What one worker does: a file, or some of its specs. */
typedef struct smcr_job {
    size_t file;
    int64_t round; /* see event.h */
    char **only;   /* ids of specs, all of them selected; NULL: what the run selects */
    size_t n_only;
    unsigned max_failures; /* then it may stop; 0: never */
    size_t _next;          /* of only: where to look first */
    struct smcr_job *_next_job;
} smcr_job_t;

/* Is the spec one of the job's? */
bool smcr_job_runs(const smcr_run_t *run, smcr_job_t *job, smcr_spec_t spec);

/* Makes the forked process a worker: the descriptors are moved to their numbers; journal: -1 when there is none.
 * False: it is none. */
bool smcr_worker_settle(int output, int events, int journal);
/* Opens what the workers of this run would each open again.  *out is owned by the caller; end with smcb_close. */
smc_code_t smcr_worker_warm(const smcr_run_t *run, smcb_host_t **out, smc_error_t *err);

/* Runs the job; returns the exit status.  Nothing of Lua, but run->warm, or the network may be open before.
 * transcript: gets what the running spec logs, in memory that outlives the worker; size: of its text. */
int smcr_worker_main(const smcr_run_t *run, smcr_job_t *job, smc_log_copy_t *transcript,
                     size_t size);

#endif /* SMCR_WORKER_H */
