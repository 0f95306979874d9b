/* pool.h - runs the files of a plan in workers, so many at a time. */
#ifndef SMCR_POOL_H
#define SMCR_POOL_H

#include "lane.h"

typedef struct smcr_pool_conf {
    const smcr_run_t *run;
    unsigned jobs;          /* >= 1 */
    double grace_s;         /* from an interruption until workers are killed */
    double hang_s;          /* real seconds without an event after which a worker is killed */
    smcr_sink_fn sink;      /* every event, as it arrives; takes the texts */
    void (*tick)(void *ud); /* about ten times a second; NULL: never */
    void *ud;
} smcr_pool_conf_t;

/* Returns when every file has its FILE_END, or after an interruption when every worker is gone.
 * SIGINT, SIGTERM and SIGHUP interrupt: workers get SIGTERM, and SIGKILL grace_s later or at the second signal.
 * *signal: the first one, 0 when there was none.  Errors: SMC_ESYS, SMC_ENOMEM; no worker is left behind. */
smc_code_t smcr_pool_run(const smcr_pool_conf_t *conf, int *signal, smc_error_t *err);

#endif /* SMCR_POOL_H */
