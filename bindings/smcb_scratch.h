/* smcb_scratch.h - a byte buffer that survives a Lua error: bytes on their way into a Lua string. */
#ifndef SMCB_SCRATCH_H
#define SMCB_SCRATCH_H

#include "smcb.h"

#include "smc/buf.h"

/* Pushes a new buffer; for luaL_setfuncs with one upvalue. */
void smcb_scratch_push(lua_State *L);
/* The buffer in upvalue 1 of the running function, emptied.  Valid until the function returns. */
smc_buf_t *smcb_scratch(lua_State *L);
/* Pushes what the buffer holds as a string, or nil and the error; returns 1 or 2.  err is read unless code is SMC_OK. */
int smcb_scratch_result(lua_State *L, const smc_buf_t *b, smc_code_t code, const smc_error_t *err);

#endif /* SMCB_SCRATCH_H */
