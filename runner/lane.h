/* lane.h - what the parent knows of one worker, and its verdict when the worker is gone.
 *
 * Every spec that was announced gets an end: what the worker could not say, the lane does.
 */
#ifndef SMCR_LANE_H
#define SMCR_LANE_H

#include "event.h"
#include "worker.h"

#include <stdbool.h>
#include <sys/types.h>

/* Takes the event's texts over. */
typedef void (*smcr_sink_fn)(void *ud, size_t file, smcr_event_t *ev);

/* Why the parent killed a worker. */
typedef enum smcr_killed {
    SMCR_NOT_KILLED,
    SMCR_HUNG,
    SMCR_GARBLED,
    SMCR_INTERRUPTED
} smcr_killed_t;

typedef struct smcr_lane {
    pid_t pid; /* 0: the lane is free */
    int events;
    int output;
    size_t file;
    int64_t heard_ns;   /* when it last gave a sign of life */
    int64_t stopped_ns; /* when it was asked to stop; 0: not */
    double hang_s;
    smcr_killed_t killed;
    bool silent; /* its end of the pipe is closed: do not poll */

    const smcr_run_t *_run;
    smcr_sink_fn _sink;
    void *_ud;
    smc_buf_t _in;
    smcr_event_t _running;  /* its id, file and line, while a spec runs; else id is NULL */
    smcr_event_t *_pending; /* declared, to run here, not yet started */
    size_t _n_pending;
    smcr_event_t _file_end; /* kept back until the worker is gone */
    bool _file_ended;
    bool _file_failed; /* it said FILE_ERROR */
    int64_t _output_at;
} smcr_lane_t;

/* Forks a worker for plan->files[file] into a free lane and sends FILE_START.  Errors: SMC_ESYS, SMC_ENOMEM. */
smc_code_t smcr_lane_open(smcr_lane_t *lane, const smcr_run_t *run, size_t file, smcr_sink_fn sink,
                          void *ud, smc_error_t *err);
/* Reads what there is, without blocking, and passes whole events on.  False: nothing more will come. */
bool smcr_lane_read(smcr_lane_t *lane);
/* Kills the worker and all that it started. */
void smcr_lane_kill(smcr_lane_t *lane, smcr_killed_t why);
/* Asks it to stop. */
void smcr_lane_stop(smcr_lane_t *lane, int64_t now_ns);
/* If the worker has ended: reads the rest, gives the verdict, sends FILE_END, frees the lane, returns true. */
bool smcr_lane_reap(smcr_lane_t *lane);

#endif /* SMCR_LANE_H */
