/* smc/host_policy.h - the only hosts that a byte may be sent to: the venues' testnets and loopback.
 *
 * A list of exact names and ports; never a pattern and never a list of what is forbidden.  Plaintext goes to loopback
 * only, but for a Redis that the operator has named (smc/redis.h).  Nobody may follow a redirect: its target would have to
 * pass here first, and no venue needs one.
 * Source  the venues' own documentation of their test hosts; core/tests/test_host_policy.c
 */
#ifndef SMC_HOST_POLICY_H
#define SMC_HOST_POLICY_H

#include "smc/error.h"
#include "smc/loop.h"
#include "smc/url.h"

#include <stdbool.h>

/* Pure.  Errors: SMC_EPOLICY; the detail names the host and what to do about it. */
smc_code_t smc_host_policy_check(const smc_url_t *url, smc_error_t *err);

/* Exactly "127.0.0.1", "[::1]" or "localhost". */
bool smc_host_is_loopback(const char *host);

/* The check above, and where to connect.
 * *path   real clock: NULL, connect by TCP.  Virtual clock: the AF_UNIX path to connect to, borrowed from the loop
 * Errors  SMC_EPOLICY; with the virtual clock also for every host but loopback
 *         SMC_ECONN   virtual clock: no server of this process listens there */
smc_code_t smc_host_policy_route(const smc_loop_t *loop, const smc_url_t *url, const char **path,
                                 smc_error_t *err);

#endif /* SMC_HOST_POLICY_H */
