/* results.h - what the runs of each spec of a file came to, when a spec may run more than once; see schedule.h. */
#ifndef SMCR_RESULTS_H
#define SMCR_RESULTS_H

#include "options/options.h"
#include "run/event.h"

#include <stdbool.h>

typedef struct smcr_result {
    smcr_event_t told;    /* SPEC_END of the first run that failed, else of the first run */
    smcr_event_t *others; /* those of further runs that failed; of very many only the first */
    size_t n_others;
    int64_t runs;
    int64_t failures;
    int64_t real_us; /* of all runs */
    bool again;      /* another run is wanted */
} smcr_result_t;

/* Zeroed: empty. */
typedef struct smcr_results {
    smcr_result_t *all; /* in the order in which they came */
    size_t n;
    size_t _room;
    size_t _next; /* where to look first */
} smcr_results_t;

typedef void (*smcr_tell_fn)(void *ud, smcr_event_t *ev);

/* NULL: there is none of that id. */
smcr_result_t *smcr_results_find(smcr_results_t *rs, const char *id);
/* Counts one run, a SPEC_END whose texts it takes over.  Borrowed until the next call; NULL: no memory. */
smcr_result_t *smcr_results_add(smcr_results_t *rs, smcr_event_t *ev);
/* Has it passed after it had failed, in runs that are alike? */
bool smcr_result_is_flaky(const smcr_result_t *r, const smcr_options_t *o);
/* Tells SPEC_START, ATTEMPTs and SPEC_END of each, and forgets them.  The receiver takes the texts over. */
void smcr_results_tell(smcr_results_t *rs, const smcr_options_t *o, smcr_tell_fn tell, void *ud);
void smcr_results_deinit(smcr_results_t *rs);

#endif /* SMCR_RESULTS_H */
