/* smcb_priv.h - the inside of the host: scheduler, tasks, resources.  Not for the modules. */
#ifndef SMCB_PRIV_H
#define SMCB_PRIV_H

#include "smcb.h"
#include "smcb_runtime.h"

#include "smc/pool.h"

#include <signal.h>
#include <time.h>

#define SMCB_BUDGET_SPENT \
    "ran on without waiting until the CPU budget of a slice was spent (an endless loop?)"

/* What may happen at one instant of the virtual clock, counted and not timed, so that it is the same on every machine: a
 * slice of a task, a job, and a turn of the loop with neither are a step each, a request of a sandbox two.  The busiest
 * instant of our own tests has a thousand. */
#define SMCB_STEPS_MAX 300000

typedef enum smcb_status {
    SMCB_RUNNING,
    SMCB_DONE,      /* returned; its results are on its own stack */
    SMCB_FAILED,    /* raised; the error object is on its own stack */
    SMCB_CANCELLED, /* ended from outside */
} smcb_status_t;

/* One coroutine under the scheduler; the memory of a userdata that is anchored while it runs.
 * Life: spawned -> queued -> resumed -> waits -> queued ... -> ended.  Only smcb_task_end leaves SMCB_RUNNING. */
struct smcb_task {
    smcb_host_t *host;
    lua_State *co;     /* kept by user value 1 */
    smcb_wait_t *wait; /* what it waits for; NULL while it runs or is queued for its first slice */
    smcb_status_t status;
    bool handled; /* somebody joined it, so its failure is somebody's business */
    bool world;   /* belongs to the world, as all that it starts: no leak */
    int nargs;    /* for the first resume */
    int nresults; /* when SMCB_DONE */
    unsigned id;
    char name[80];
    char *traceback; /* of a failure; malloc'd */
    smcb_wait_t **joiners;
    size_t n_joiners;
    smcb_job_t slice;               /* posted when it is ready; run is NULL, ud the task */
    struct smcb_task *next, **link; /* the live ones, oldest first */
};

struct smcb_host {
    smcb_conf_t conf;
    lua_State *L;     /* main state */
    smc_loop_t *loop; /* NULL while no world is open */
    smc_log_t *log;
    smcb_task_t *current;            /* being resumed; NULL outside slices */
    smcb_job_t *first, **last;       /* the one queue, first in, first out */
    smcb_job_t **round_end;          /* behind the last job of this round; &first: there is none */
    smcb_task_t *tasks, **tasks_end; /* the end is meaningless while there is none */
    smcb_task_t *failed;             /* ended by an error in this world, latest first */
    smcb_resource_t *resources;
    unsigned next_task_id;
    unsigned long steps;         /* since the virtual clock last moved; see SMCB_STEPS_MAX */
    bool as_world;               /* resources opened now belong to the world */
    bool refused_io;             /* something asked for I/O while no task ran: loading */
    bool over_budget;            /* the CPU budget was exceeded in the running slice */
    lua_State *volatile running; /* whose slice it is */
    volatile sig_atomic_t slice; /* its number */
    volatile sig_atomic_t spent; /* its CPU time is over */
    sig_atomic_t seen_slice,
        ticks; /* the number at the last tick, and for how many it has been that */
    timer_t ticker;
    bool ticking;
    int job_error;   /* registry reference of the first error that a job raised */
    smc_pool_t pool; /* of the Lua state */
    size_t memory_used;
    bool memory_hit;
    volatile sig_atomic_t stop; /* see smcb_request_stop */
    bool shielded;              /* what runs now is to end by itself all the same */
};

/* Creates a task for the function and nargs arguments on top of L; pops them, pushes the task. */
smcb_task_t *smcb_task_new(lua_State *L, int nargs, const char *name);
/* Ends a running task from outside: cancels its wait, runs its pending <close> variables. */
void smcb_task_cancel(smcb_task_t *t);
/* Ends every task, closes every resource and the loop; nothing when no world is open. */
void smcb_close_world(smcb_host_t *host);
/* One slice of CPU. */
void smcb_task_resume(smcb_task_t *t);

/* Lua is about to run in L: from here on the CPU budget counts.  Returns what was running: nothing, or what now waits for L. */
lua_State *smcb_slice_begin(smcb_host_t *host, lua_State *L);
/* L has come back, and the other goes on, with a budget of its own. */
void smcb_slice_end(smcb_host_t *host, lua_State *L, lua_State *before);
/* Starts to look after the budget of this thread's slices, if the conf has one.  One host a process. */
smc_code_t smcb_budget_watch(smcb_host_t *host, smc_error_t *err);
void smcb_budget_unwatch(smcb_host_t *host);

typedef enum smcb_end {
    SMCB_END_ROOT, /* by itself, or cancelled because a stop was asked for */
    SMCB_END_DEADLINE,
    SMCB_END_DEADLOCK,
    SMCB_END_LIVELOCK,
} smcb_end_t;

/* Runs queue and loop until `root` has ended, or can't any more, and still runs.  deadline_ns: -1: none. */
smcb_end_t smcb_sched_run(smcb_host_t *host, smcb_task_t *root, int64_t deadline_ns);
/* Runs what is queued and ready, without waiting, until nothing moves any more. */
void smcb_sched_settle(smcb_host_t *host);

/* Closes every resource, the world's too. */
void smcb_resource_close_all(smcb_host_t *host);

/* Ends a wait from outside; it will not fire. */
void smcb_wait_cancel(smcb_wait_t *w);

void smcb_open_wait(lua_State *L);
void smcb_open_timer(lua_State *L);
/* The functions of smc.core.task that are not about one task. */
extern const luaL_Reg smcb_time_functions[];
extern const luaL_Reg smcb_drive_functions[];
extern const luaL_Reg smcb_budget_functions[];

/* Message handler for protected calls: keeps the error object, remembers the traceback. */
int smcb_traceback(lua_State *L);

#endif /* SMCB_PRIV_H */
