/* schedule.h - which worker runs next, and what becomes of a spec that runs more than once.
 *
 * Between the workers and the reports: takes the events of workers, passes on those of files.  A file has one FILE_START and
 * one FILE_END and each of its specs one SPEC_END, however many workers that took:
 *   a worker that died                the specs that it had not come to go on in another one
 *   --retries                         what failed runs again, in a worker of its own and with the same seed: what the seed
 *                                     decides fails again; what passes then was flaky
 *   --repeat, --until-fail            rounds, each with a seed of its own: what chance decides shows
 *   --max-fail                        no more workers when so many have failed
 * Within a file results keep the order in which its first worker told them.
 */
#ifndef SMCR_SCHEDULE_H
#define SMCR_SCHEDULE_H

#include "run/event.h"
#include "run/worker.h"

#include <stdbool.h>

/* Takes the event's texts over. */
typedef void (*smcr_sink_fn)(void *ud, size_t file, smcr_event_t *ev);

/* Ids of specs, each owned, and the list. */
typedef struct smcr_ids {
    char **all;
    size_t n;
} smcr_ids_t;

void smcr_ids_deinit(smcr_ids_t *ids);

typedef struct smcr_schedule {
    const smcr_run_t *_run;
    smcr_sink_fn _sink;
    void *_ud;
    struct smcr_file_state *_files;
    size_t _first;        /* file that may have a round left */
    smcr_job_t *_waiting; /* before any new round; the first one first */
    int64_t _rounds;
    bool _keeps; /* specs may run more than once */
    size_t _failed;
    bool _lost; /* events, for want of memory */
} smcr_schedule_t;

/* run is borrowed.  Errors: SMC_ENOMEM. */
smc_code_t smcr_schedule_init(smcr_schedule_t *s, const smcr_run_t *run, smcr_sink_fn sink,
                              void *ud, smc_error_t *err);
void smcr_schedule_deinit(smcr_schedule_t *s);

/* The next job; owned by the caller until smcr_schedule_end.  NULL: there is none, or none before another one ends. */
smcr_job_t *smcr_schedule_next(smcr_schedule_t *s);
/* What the worker of a job tells.  Takes the event's texts over. */
void smcr_schedule_event(smcr_schedule_t *s, const smcr_job_t *job, smcr_event_t *ev);
/* The worker is gone.  Takes over the job and the ids of specs that it has left to another one. */
void smcr_schedule_end(smcr_schedule_t *s, smcr_job_t *job, smcr_ids_t *left);
/* Has enough failed?  Then there is no next job, and workers may be stopped. */
bool smcr_schedule_enough(const smcr_schedule_t *s);
/* No more jobs: tells what was kept back.  False: some of it was lost for want of memory. */
bool smcr_schedule_finish(smcr_schedule_t *s);

#endif /* SMCR_SCHEDULE_H */
