/* smc/share.h - the budgets of one limiter in memory that many workers map, without a lock.
 *
 * Law     What a worker decides, it decides on the newest state, and its grant makes the next state in one step.  So
 *         together they grant what one limiter would, under the same law (smc/limiter.h), holds included.
 * How     Each worker has a seat: two slots that nobody else writes.  It writes the state that it wants into the one
 *         that is not in force; one compare-and-swap puts it in force, unless somebody was faster: then it begins anew
 *         with theirs.  Somebody always gets on.
 * Death   at any instant: before the swap nothing has been spent, after it one grant, for as long as its budgets remember.
 *         Nothing is locked, and nothing has to be repaired.
 * Queues  are not shared.  Inside a worker priority and order hold; between workers goes first who asks first.
 * Clock   One for all: CLOCK_MONOTONIC is one for a machine.  Whoever read it before another one's grant is taken to
 *         have read it then.
 * Pure    no clock, no I/O, no allocation: where the memory comes from, and who sits where, is the caller's (smc/shm.h).
 *         A seat has one thread; several limiters of that thread may use it.
 * Source  Herlihy, A Methodology for Implementing Highly Concurrent Data Objects (1993), section 3: small objects.
 */
#ifndef SMC_SHARE_H
#define SMC_SHARE_H

#include "smc/limiter.h"

#include <stddef.h>

#define SMC_SHARE_SEATS 128
#define SMC_SHARE_NAMES 256 /* bytes of the budgets' names, the NUL included */

typedef struct smc_share smc_share_t;

/* Of the memory; it begins on a multiple of 64 and is all zero before it is laid out. */
size_t smc_share_bytes(void);
/* The budgets of l as they are now.
 * names  what the budgets are called, for smc_share_check; at most SMC_SHARE_NAMES - 1 bytes are compared */
void smc_share_lay_out(void *memory, const smc_limiter_t *l, const char *names);
/* Whether memory holds these very budgets; names NULL: whatever they are called.  Errors: SMC_EEXIST; the detail says how it differs. */
smc_code_t smc_share_check(const void *memory, const smc_limiter_t *l, const char *names,
                           smc_error_t *err);

#endif /* SMC_SHARE_H */
