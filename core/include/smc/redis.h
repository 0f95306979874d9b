/* smc/redis.h - scripts that a Redis server runs, asked for on the loop.
 *
 * Place    "redis://HOST[:PORT][/DB]" or "unix:///PATH".  What is said is not encrypted, so a scenario names loopback only,
 *          where a tunnel (ssh, stunnel) may end, and no password.  A place that the operator has named may be on another
 *          machine, and says as whom it is asked: "redis://[USER]:PASSWORD@HOST", "unix://[USER]:PASSWORD@/PATH",
 *          percent-encoded where need be.  The name of another machine is looked up while the loop stands still.
 * Lost     A connection that fails, breaks or does not answer in time fails every call on it; the next call connects
 *          anew.  Whether a call that was lost took effect nobody knows.
 * Clock    the real one only: a server outside of the process answers when it does.
 * SIGPIPE  must be ignored by the process.
 * Thread   loop thread
 * Source   Redis "RESP protocol specification", EVALSHA
 */
#ifndef SMC_REDIS_H
#define SMC_REDIS_H

#include "smc/error.h"
#include "smc/log.h"
#include "smc/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct smc_redis smc_redis_t;
typedef struct smc_redis_call smc_redis_call_t;

/* Exactly once, never before smc_redis_eval has returned.  err NULL: the script's list of integers, borrowed.
 * Errors: SMC_ECONN, SMC_ERESET, SMC_ETIMEDOUT (away), SMC_EINVAL (the script has refused, "OTHER ..."), SMC_EKEY (user or
 * password are missing or wrong, or the user may not), SMC_EPROTO. */
typedef void (*smc_redis_cb)(void *ud, const smc_error_t *err, const int64_t *values, size_t n);

typedef struct smc_redis_script {
    const char *text, *key;
    const char *const *args;
    size_t n_args;
    uint64_t timeout_ms; /* for the connection, too; >= 1 */
} smc_redis_script_t;

typedef struct smc_redis_conf {
    const char *place; /* borrowed for the call */
    bool named;        /* by the operator, not by a scenario */
    smc_log_t *log;    /* shows the password never; NULL: there is none to hide it in */
} smc_redis_conf_t;

/* Connects at the first call.  *out is owned; end with smc_redis_close.
 * Errors: SMC_EINVAL (the place), SMC_EPOLICY (not on loopback, a password in a scenario; the virtual clock). */
smc_code_t smc_redis_open(smc_loop_t *loop, const smc_redis_conf_t *conf, smc_redis_t **out,
                          smc_error_t *err);
/* Calls that are not answered yet end without their callback.  Accepts NULL. */
void smc_redis_close(smc_redis_t *redis);

/* Runs the script; arguments are copied, text must stay.  *out is valid until the callback or smc_redis_forget. */
smc_code_t smc_redis_eval(smc_redis_t *redis, const smc_redis_script_t *script, smc_redis_cb cb,
                          void *ud, smc_redis_call_t **out, smc_error_t *err);
/* The callback will not run; the script may. */
void smc_redis_forget(smc_redis_call_t *call);

#endif /* SMC_REDIS_H */
