/* guard_priv.h - who kills the programs that this process has started, should it be killed itself.
 *
 * A fork that never execs and has nothing but the reading end of a pipe, whose other end this process alone holds.  It is
 * told which process groups live; when the pipe ends, for whatever reason, it kills them and ends as well.
 */
#ifndef SMC_GUARD_PRIV_H
#define SMC_GUARD_PRIV_H

#include "loop_priv.h"

#include <sys/types.h>

enum { SMC_GUARDED_MAX = 256 };

/* From now on the group dies with this process.  The guard of a loop is made at the first call.
 * Errors: SMC_EOVERFLOW, SMC_ESYS, SMC_ENOMEM. */
smc_code_t smc_guard_open(smc_loop_t *loop, smc_error_t *err);
void smc_guard_add(smc_loop_t *loop, pid_t group);
/* No more; to be called before its number may belong to somebody else. */
void smc_guard_drop(smc_loop_t *loop, pid_t group);

#endif /* SMC_GUARD_PRIV_H */
