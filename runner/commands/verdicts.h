/* verdicts.h - a report that is kept in memory: which spec ended how. */
#ifndef SMCR_VERDICTS_H
#define SMCR_VERDICTS_H

#include "report/report.h"

typedef struct smcr_verdict {
    char *id; /* of a file that failed outside of its specs: its path */
    bool of_file;
    smcr_status_t status;
} smcr_verdict_t;

typedef struct smcr_verdicts {
    smcr_reporter_t head;
    smcr_verdict_t *all; /* in plan order */
    size_t n;
    size_t _room;
    size_t _last; /* where smcr_verdicts_find found one */
    smcr_totals_t totals;
} smcr_verdicts_t;

/* A reporter that fills itself; v is the caller's, and outlives the run.  smcr_verdicts_deinit ends it. */
void smcr_verdicts_init(smcr_verdicts_t *v);
void smcr_verdicts_deinit(smcr_verdicts_t *v);
/* SMCR_NONE when there is none of that id.  Fast for ids that are asked for in the order in which they came. */
smcr_status_t smcr_verdicts_find(smcr_verdicts_t *v, const char *id);
/* Whether the file of the spec with that id failed outside of its specs. */
bool smcr_verdicts_file_failed(const smcr_verdicts_t *v, const char *id);

#endif /* SMCR_VERDICTS_H */
