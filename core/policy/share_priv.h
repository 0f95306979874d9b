/* share_priv.h - reading and changing a shared state: what the limiter needs of it. */
#ifndef SMC_SHARE_PRIV_H
#define SMC_SHARE_PRIV_H

#include "smc/share.h"

/* The state in force, and what it is known by. */
uint64_t smc_share_read(const smc_share_t *s, smc_budgets_state_t *out);
/* Puts a state in force in place of the one that was `seen`.  false: another one is. */
bool smc_share_write(smc_share_t *s, uint32_t seat, uint64_t seen,
                     const smc_budgets_state_t *state);

#endif /* SMC_SHARE_PRIV_H */
