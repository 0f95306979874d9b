/* smcb_runtime.h - a Lua state with everything of smcrun in it: what the runner's workers open.
 *
 * One runtime a process: the virtual clock is the process's.
 */
#ifndef SMCB_RUNTIME_H
#define SMCB_RUNTIME_H

#include "smc/error.h"
#include "smc/log.h"

#include <lua.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct smcb_host smcb_host_t;

typedef struct smcb_conf {
    bool virtual_clock;
    bool gc_stress; /* collect all garbage at every slice and every few hundred VM instructions */
    bool
        internal; /* scenarios may require smc.core.* and have the whole debug library: for our own tests */
    uint64_t seed;
    size_t memory_bytes; /* limit of all Lua memory; 0: none */
    uint64_t
        cpu_budget_ms; /* CPU time of one slice between two waits; 0: no limit, and Lua runs faster */
    smc_log_copy_t *transcript; /* gets the lines of the transcript, too; borrowed.  NULL: none */
    size_t transcript_bytes;    /* of its text */
    bool stop_at_once;          /* a stop that is asked for also ends Lua that does not wait */
    /* Told of every error that a job (a handler of a server, a timer) raises; the host then goes on.  message: one
     * line, borrowed.  NULL: the first such error fails the running spec. */
    void (*on_job_error)(void *ud, const char *message);
    void *ud;
} smcb_conf_t;

/* Opens a state: libraries trimmed to what a scenario may use, embedded modules behind require.
 * *out is owned by the caller; end with smcb_close.  *L is the main state, valid until then. */
smc_code_t smcb_open(const smcb_conf_t *conf, smcb_host_t **out, lua_State **L, smc_error_t *err);
/* Loads every embedded module that a scenario can reach, so that a process forked afterwards has them all.  Nothing that
 * a fork would share is opened: no descriptor, no thread. */
smc_code_t smcb_warm(smcb_host_t *host, smc_error_t *err);
/* In a process that was forked since: makes the host what smcb_open would open here with this conf, which differs from
 * that of then in seed, budget and transcript only. */
smc_code_t smcb_take_over(smcb_host_t *host, const smcb_conf_t *conf, lua_State **out,
                          smc_error_t *err);
/* Closes the world that is open, the state and all that hangs on it.  Accepts NULL. */
void smcb_close(smcb_host_t *host);
/* For a process that is about to exit: closes the world that is open, and leaves the memory to the system.  No finalizer
 * of Lua runs. */
void smcb_abandon(smcb_host_t *host);

/* Ends the task that core.run runs, now or at its next wait: its outcome is "cancelled", and so is that of every later
 * run that is not shielded.  May be called from a signal handler; wakes the loop. */
void smcb_request_stop(smcb_host_t *host);

/* Pushes an embedded module, internal ones too: what scenarios have as `require` refuses those.  Raises if there is none. */
void smcb_require(lua_State *L, const char *module);
/* Sets a field of the table at the top: fn, with ud (borrowed) as its light userdata upvalue 1. */
void smcb_set_closure(lua_State *L, const char *field, lua_CFunction fn, void *ud);

#endif /* SMCB_RUNTIME_H */
