/* smcb_amounts.h - what amounts must satisfy: part of smc.core.params. */
#ifndef SMCB_AMOUNTS_H
#define SMCB_AMOUNTS_H

#include "smcb.h"

/* The Lua functions params.bounds and params.order. */
int smcb_amount_bounds(lua_State *L);
int smcb_amount_order(lua_State *L);

#endif /* SMCB_AMOUNTS_H */
