/* pool.h - runs the files of a plan in workers, so many at a time. */
#ifndef SMCR_POOL_H
#define SMCR_POOL_H

#include "run/lane.h"

#include <signal.h>

typedef struct smcr_pool_end {
    int signal;   /* the first one that interrupted; 0: none */
    bool stopped; /* enough has failed: not everything has run */
    bool lost;    /* events, for want of memory */
} smcr_pool_end_t;

typedef struct smcr_pool_conf {
    const smcr_run_t *run;
    unsigned jobs;          /* >= 1 */
    double grace_s;         /* from an interruption until workers are killed */
    double hang_s;          /* real seconds without an event after which a worker is killed */
    uint64_t memory_bytes;  /* of a worker, above which it is killed */
    smcr_sink_fn sink;      /* every event, as it arrives; takes the texts */
    void (*tick)(void *ud); /* about ten times a second; NULL: never */
    void *ud;
} smcr_pool_conf_t;

/* Returns when every file has its FILE_END, or when every worker is gone after an interruption, or after so many failures
 * that no more are wanted.
 * SIGINT, SIGTERM and SIGHUP interrupt: workers get SIGTERM, and SIGKILL grace_s later or at the second signal.
 * Errors: SMC_ESYS, SMC_ENOMEM; no worker is left behind. */
smc_code_t smcr_pool_run(const smcr_pool_conf_t *conf, smcr_pool_end_t *out, smc_error_t *err);

/* The signals that interrupt; what nohup, or a shell that starts us in the background, has told us to ignore stays ignored. */
void smcr_choose_signals(sigset_t *wanted);

#endif /* SMCR_POOL_H */
