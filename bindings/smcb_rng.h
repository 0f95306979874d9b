/* smcb_rng.h - the random stream of a smc.rng object, for bindings that draw from one. */
#ifndef SMCB_RNG_H
#define SMCB_RNG_H

#include "smcb.h"

#include "smc/rng.h"

/* Raises at the caller's line unless the value is a smc.rng. */
smc_rng_t *smcb_check_rng(lua_State *L, int idx);

#endif /* SMCB_RNG_H */
