/* smcb.h - what the files of bindings/ share, and what the runner needs to open and drive a Lua state.
 *
 * The law of the bindings: a core callback never enters Lua.  It either fires a wait (smcb_wait_fire) or posts a job
 * (smcb_post); both only queue.  The scheduler in smcb_sched.c resumes tasks and runs jobs between loop turns, first
 * in, first out.
 * Order inside a binding: validate, box, acquire, start, yield.  A Lua error is a longjmp: after the first
 * allocation nothing may raise unless a userdata with __gc already holds it.
 */
#ifndef SMCB_H
#define SMCB_H

#include "smc/error.h"
#include "smc/log.h"
#include "smc/loop.h"

#include <lauxlib.h>
#include <lua.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct smcb_host smcb_host_t;
typedef struct smcb_task smcb_task_t;
typedef struct smcb_wait smcb_wait_t;

/* The host of this Lua state: reachable from every coroutine of it. */
smcb_host_t *smcb_host(lua_State *L);
smc_loop_t *smcb_loop(lua_State *L);
/* The log whose lines become the transcript of the running spec.  Never NULL. */
smc_log_t *smcb_log(lua_State *L);

/* ---- results ------------------------------------------------------------ */

/* Pushes nil, err and returns 2.  err: see bindings/meta/error.lua. */
int smcb_push_fail(lua_State *L, const smc_error_t *err);
/* true, or nil and err. */
int smcb_result(lua_State *L, smc_code_t code, const smc_error_t *err);
/* Seconds at a stack index as milliseconds, rounded up.  Raises at the caller's line unless a finite number >= 0. */
uint64_t smcb_check_seconds(lua_State *L, int idx);
/* The same for field `name` of the options table at idx; `missing_ms` when the field or the table is nil. */
uint64_t smcb_field_seconds(lua_State *L, int idx, const char *name, uint64_t missing_ms);
/* The integer at `name` of the table at idx; `missing` when it is nil.  Raises at the caller's line unless it fits, or when
 * it is nil and missing is SMCB_REQUIRED. */
#define SMCB_REQUIRED (-1)
uint32_t smcb_field_u32(lua_State *L, int idx, const char *name, int64_t missing);
/* Raises "unknown option 'x'" at the caller's line when the table at idx has a string key that is not listed.
 * known: NULL-terminated. */
void smcb_check_keys(lua_State *L, int idx, const char *const known[]);

/* ---- classes ------------------------------------------------------------ */

/* Userdata whose type is asked for thousands of times a second: their first field says it, so that no metatable has to be
 * looked up.  A class is the address of its name, a static array of characters of which there is one. */
typedef struct smcb_class {
    const char *class_name;
} smcb_class_t;

/* Pushes the metatable; true when it is new, and to be filled. */
int smcb_class_new(lua_State *L, const char *name);
/* Pushes a userdata of a struct that begins with an smcb_class_t; the rest of it is zero. */
void *smcb_class_push(lua_State *L, size_t size, int uservalues, const char *name);
/* The userdata that a method was called on, of any class; raises at the caller's line that a dot stands in the place of
 * a colon when it is none of that class.  name: of the metatable, whose last word messages call the object. */
void *smcb_self(lua_State *L, const char *name);
/* As luaL_testudata and luaL_checkudata. */
void *smcb_class_test(lua_State *L, int idx, const char *name);
void *smcb_class_check(lua_State *L, int idx, const char *name);

/* ---- waits -------------------------------------------------------------- */

/* Pushes the results of a wait that fired without an error; returns their number.  Runs in the waiting coroutine. */
typedef int (*smcb_finish_fn)(lua_State *L, smcb_wait_t *w);

struct smcb_wait {
    smcb_task_t *task;
    const char *what;               /* "ws:recv": for reports of what did not end; static */
    smcb_finish_fn finish;          /* NULL pushes true */
    void (*cancel)(smcb_wait_t *w); /* stops the operation: afterwards it will not fire */
    void *op;                       /* the operation, for cancel and finish */
    void *result;                   /* once fired */
    void (*free_result)(void *);    /* NULL: nothing to free; else see smcb_wait_owns_result */
    smc_error_t err;
    smc_timer_t *deadline;
    bool fired;
};

/* Pushes a new wait.  Raises unless called from a task's own coroutine that may yield (two different messages). */
smcb_wait_t *smcb_wait_new(lua_State *L, const char *what, smcb_finish_fn finish);
/* The collector is to free the result of the wait on top.  Those without one have no finalizer: what has one outlives a
 * collection, and the waits of tasks that do nothing but sleep would come faster than they go. */
void smcb_wait_owns_result(lua_State *L);
/* Arms a timer: unless the wait fires within ms, it is cancelled and ends with nil and a timeout error. */
void smcb_wait_deadline(lua_State *L, smcb_wait_t *w, uint64_t ms);
/* Tail call: `return smcb_wait_yield(L, w);`  Fine when the wait has already fired. */
int smcb_wait_yield(lua_State *L, smcb_wait_t *w);
/* From a core callback, exactly once and never after cancel.  err NULL: success.  Takes result over. */
void smcb_wait_fire(smcb_wait_t *w, const smc_error_t *err, void *result,
                    void (*free_result)(void *));

/* ---- jobs --------------------------------------------------------------- */

/* A call into Lua that a core callback asks for, e.g. a server's handler.  Embedded in its owner.
 * run gets the main state with an empty stack frame of its own, in protected mode, and may not wait.  An error that
 * it raises is kept by the host and fails the running spec. */
typedef struct smcb_job {
    void (*run)(lua_State *L, void *ud);
    void *ud;
    struct smcb_job *_next;
    bool _queued;
} smcb_job_t;

/* Queues the job; a job that is queued already stays where it is. */
void smcb_post(smcb_host_t *host, smcb_job_t *job);
/* Takes it out of the queue; nothing when it is not queued.  To be called before its owner's memory goes. */
void smcb_unpost(smcb_host_t *host, smcb_job_t *job);

/* ---- resources ---------------------------------------------------------- */

/* Whatever a spec may leave open: streams, listeners.  Embedded in the userdata that owns it.
 * One that is still open when its spec's body has ended is a leak, unless it was opened on behalf of the world
 * (sandboxes and their listeners); either way the end of the world closes it. */
typedef struct smcb_resource {
    const char *kind;                       /* "WebSocket", "listener"; static */
    char label[96];                         /* "ws://127.0.0.1:20001/ws" */
    void (*close)(struct smcb_resource *r); /* synchronous; must call smcb_resource_drop */
    bool world;                             /* belongs to the world, so is not a leak */
    struct smcb_resource *_next, **_link;
} smcb_resource_t;

/* Adds it to the open ones.  r->world is set from the host: true while smc.core.task.as_world runs, and in a task of the
 * world. */
void smcb_resource_add(smcb_host_t *host, smcb_resource_t *r);
void smcb_resource_drop(smcb_resource_t *r);

/* Keeps the userdata at idx alive, and findable by `key`, until smcb_unanchor: for objects that live until closed.
 * smcb_push_anchored pushes it; nil if there is none. */
void smcb_anchor(lua_State *L, int idx, const void *key);
void smcb_unanchor(lua_State *L, const void *key);
int smcb_push_anchored(lua_State *L, const void *key);

/* ---- modules ------------------------------------------------------------ */

/* One opener a Lua module; each leaves the module's table on the stack and returns 1. */
int smcb_open_task(lua_State *L);      /* smc.core.task       tasks, waits, timers, the scheduler */
int smcb_open_http(lua_State *L);      /* smc.core.http       the HTTP client */
int smcb_open_ws(lua_State *L);        /* smc.core.ws         the WebSocket client */
int smcb_open_server(lua_State *L);    /* smc.core.server     HTTP and WebSocket server */
int smcb_open_sign(lua_State *L);      /* smc.core.sign       secret handles and signatures */
int smcb_open_market(lua_State *L);    /* smc.core.market     matching engine and feed */
int smcb_open_json(lua_State *L);      /* smc.json            ordered, exact JSON */
int smcb_open_decimal(lua_State *L);   /* smc.decimal         exact decimals on strings */
int smcb_open_histogram(lua_State *L); /* smc.histogram */
int smcb_open_rng(lua_State *L);       /* smc.core.rng        seeded streams */
int smcb_open_breaker(lua_State *L);   /* smc.core.breaker */
int smcb_open_limiter(lua_State *L);   /* smc.core.limiter */
int smcb_open_retry(lua_State *L);     /* smc.core.retry */
int smcb_open_health(lua_State *L);    /* smc.core.health */
int smcb_open_failover(lua_State *L);  /* smc.core.failover */
int smcb_open_redis(lua_State *L);     /* smc.core.redis      budgets in a Redis server */
int smcb_open_process(lua_State *L);   /* smc.core.process    programs that a scenario starts */
int smcb_open_gate(lua_State *L);      /* smc.core.gate       where tasks wait for one another */
int smcb_open_risk(lua_State *L);      /* smc.core.risk */
int smcb_open_params(lua_State *L);    /* smc.core.params     usual parameters of a request, fast */
int smcb_open_windows(lua_State *L);   /* smc.core.windows    counters in windows of time */
int smcb_open_arrivals(lua_State *L);  /* smc.core.arrivals   requests that a sandbox remembers */
int smcb_open_text(lua_State *L);      /* smc.core.text       hex, base64, percent-encoding */
int smcb_open_pairs(lua_State *L);     /* smc.core.pairs      a function: pairs, in an order */

#endif /* SMCB_H */
