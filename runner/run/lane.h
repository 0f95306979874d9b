/* lane.h - what the parent knows of one worker, and its verdict when the worker is gone.
 *
 * Every spec that was announced gets an end, or is left to another worker: what the worker could not say, the lane does.
 */
#ifndef SMCR_LANE_H
#define SMCR_LANE_H

#include "run/schedule.h"

#include <stdbool.h>
#include <sys/types.h>

/* Bytes that a worker may take as a whole: for what is not Lua's (the program, buffers, sandboxes) there is room in
 * proportion to --memory. */
uint64_t smcr_memory_limit(const smcr_options_t *o);

/* Why the parent killed a worker. */
typedef enum smcr_killed {
    SMCR_NOT_KILLED,
    SMCR_HUNG,
    SMCR_GARBLED,
    SMCR_TOO_BIG,
    SMCR_INTERRUPTED,
    SMCR_STOPPED /* enough has failed */
} smcr_killed_t;

typedef struct smcr_lane {
    pid_t pid; /* 0: the lane is free */
    int events;
    int output;
    int64_t heard_ns; /* when it last gave a sign of life: an event, or a line of its transcript */
    int64_t stopped_ns; /* when it was asked to stop; 0: not */
    double hang_s;
    smcr_killed_t killed;
    bool silent; /* its end of the pipe is closed: do not poll */

    const smcr_run_t *_run;
    smcr_schedule_t *_schedule;
    smcr_job_t *_job;
    smc_log_copy_t *_transcript; /* of the spec that runs, in memory shared with the worker */
    uint64_t _written;           /* bytes of it, when somebody looked last */
    smc_buf_t _in;
    smcr_event_t _running;  /* its id, file and line, while a spec runs; else id is NULL */
    smcr_event_t *_pending; /* declared, to run here; id is NULL of those that have started */
    size_t _n_pending;
    size_t _next_pending;   /* where to look first */
    size_t _announced;      /* specs */
    size_t _ended;          /* of these */
    smcr_event_t _file_end; /* kept back until the worker is gone */
    bool _file_ended;
    bool _file_failed; /* it said FILE_ERROR */
    bool _had_enough;  /* it ended early, because so many have failed */
    bool _gave_up;     /* its last words were why it cannot go on */
    int64_t _output_at;
} smcr_lane_t;

/* Forks a worker for the job into a free lane and tells the schedule of FILE_START.  Takes the job over, except when that
 * fails.  Errors: SMC_ESYS, SMC_ENOMEM. */
smc_code_t smcr_lane_open(smcr_lane_t *lane, const smcr_run_t *run, smcr_schedule_t *schedule,
                          smcr_job_t *job, smc_error_t *err);
/* Of a free lane. */
void smcr_lane_deinit(smcr_lane_t *lane);
/* Reads what there is, without blocking, and passes whole events on.  False: nothing more will come. */
bool smcr_lane_read(smcr_lane_t *lane);
/* Looks whether the transcript has grown. */
void smcr_lane_listen(smcr_lane_t *lane, int64_t now_ns);
/* Kills the worker and all that it started. */
void smcr_lane_kill(smcr_lane_t *lane, smcr_killed_t why);
/* Asks it to stop; why: INTERRUPTED or STOPPED. */
void smcr_lane_stop(smcr_lane_t *lane, smcr_killed_t why, int64_t now_ns);
/* Bytes of memory that the worker has in use; 0: it is gone. */
uint64_t smcr_lane_memory(const smcr_lane_t *lane);
/* If the worker has ended: reads the rest, gives the verdict, tells the schedule its end and which specs it has left to
 * another worker, frees the lane, returns true. */
bool smcr_lane_reap(smcr_lane_t *lane);

#endif /* SMCR_LANE_H */
