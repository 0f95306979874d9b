/* collect.h - counts what happened and decides the exit status. */
#ifndef SMCR_COLLECT_H
#define SMCR_COLLECT_H

#include "report/report.h"
#include "run/worker.h"

typedef enum smcr_exit {
    SMCR_EXIT_PASSED = 0,
    SMCR_EXIT_FAILED = 1,
    SMCR_EXIT_ERROR = 2, /* a spec or a file had an error, crashed or leaked; wins over FAILED */
    SMCR_EXIT_USAGE = 3,
    SMCR_EXIT_NOTHING = 4,
    SMCR_EXIT_MISSING = 5, /* credentials, --allow-process, or a venue that is required */
    SMCR_EXIT_INTERNAL = 70,
    SMCR_EXIT_INTERRUPTED = 130,
} smcr_exit_t;

typedef struct smcr_collector {
    smcr_totals_t totals;
    const smcr_run_t *_run;
    bool _talked[SMCR_MAX_REQUIRED]; /* a spec that was not skipped has opened the venue */
    bool _missed[SMCR_MAX_REQUIRED]; /* a spec was skipped, because the venue has no credentials */
    bool *
        _hits; /* for each id and line that was asked for, in plan order: some spec answered to it */
    bool *_broken; /* files with an error of their own, or that were cut short, in plan order */
    bool _tagged[SMCR_MAX_TAGS]; /* some spec that is selected has the tag */
} smcr_collector_t;

/* run is borrowed.  Errors: SMC_ENOMEM. */
smc_code_t smcr_collector_init(smcr_collector_t *c, const smcr_run_t *run, smc_error_t *err);
void smcr_collector_deinit(smcr_collector_t *c);
void smcr_collector_event(smcr_collector_t *c, size_t file, const smcr_event_t *ev);
/* The n-th id or line that was asked for and that no spec has; NULL: no more.  Borrowed from the plan. */
const char *smcr_collector_missed(const smcr_collector_t *c, size_t n);
/* The same for --tag. */
const char *smcr_collector_untagged(const smcr_collector_t *c, size_t n);
/* The n-th venue that is required and that no spec has talked to; NULL: no more.  *missed: a spec was skipped for want of
 * its credentials. */
const char *smcr_collector_unmet(const smcr_collector_t *c, size_t n, bool *missed);
/* Nothing has passed or failed, and credentials, or programs that may not be started, are why. */
bool smcr_collector_idle(const smcr_collector_t *c);
smcr_exit_t smcr_collector_exit(const smcr_collector_t *c);

#endif /* SMCR_COLLECT_H */
