/* smcb_sign.h - the secret of a handle, for bindings that send one. */
#ifndef SMCB_SIGN_H
#define SMCB_SIGN_H

#include "smcb.h"

#include "smc/secret.h"

/* Borrowed from the handle; NULL when the value is something else.  Raises when the secret is gone. */
const smc_secret_t *smcb_test_secret(lua_State *L, int idx);

#endif /* SMCB_SIGN_H */
