/* sequence.h - brings the events of workers that run side by side into the order of the plan.
 *
 * Those of the first file that is not over pass at once, those of the others wait for their turn.
 */
#ifndef SMCR_SEQUENCE_H
#define SMCR_SEQUENCE_H

#include "run/event.h"

#include <stdbool.h>

typedef void (*smcr_ordered_fn)(void *ud, const smcr_event_t *ev);

typedef struct smcr_sequence {
    struct smcr_queue *_queues; /* one a file */
    size_t _n_files;
    size_t _front; /* the file that passes at once */
    smcr_ordered_fn _out;
    void *_ud;
} smcr_sequence_t;

/* Errors: SMC_ENOMEM. */
smc_code_t smcr_sequence_init(smcr_sequence_t *s, size_t n_files, smcr_ordered_fn out, void *ud,
                              smc_error_t *err);
/* Takes the event's texts over.  False: it had to be dropped, there is no memory. */
bool smcr_sequence_put(smcr_sequence_t *s, size_t file, smcr_event_t *ev);
/* After an interruption: passes on what still waits, complete or not. */
void smcr_sequence_flush(smcr_sequence_t *s);
void smcr_sequence_deinit(smcr_sequence_t *s);

#endif /* SMCR_SEQUENCE_H */
