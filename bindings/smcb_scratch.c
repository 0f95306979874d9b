#include "smcb_scratch.h"

#define SCRATCH_MT "smc.scratch"

enum { KEEP_BYTES = 16 * 1024 };

static int scratch_gc(lua_State *L)
{
    smc_buf_deinit(lua_touserdata(L, 1));
    return 0;
}

void smcb_scratch_push(lua_State *L)
{
    smc_buf_t *b = lua_newuserdatauv(L, sizeof(*b), 0);

    *b = (smc_buf_t){0};
    if (luaL_newmetatable(L, SCRATCH_MT)) {
        lua_pushcfunction(L, scratch_gc);
        lua_setfield(L, -2, "__gc");
    }
    (void)lua_setmetatable(L, -2);
}

smc_buf_t *smcb_scratch(lua_State *L)
{
    smc_buf_t *b = lua_touserdata(L, lua_upvalueindex(1));

    if (b->cap > KEEP_BYTES)
        smc_buf_deinit(b);
    else
        smc_buf_clear(b);
    return b;
}

int smcb_scratch_result(lua_State *L, const smc_buf_t *b, smc_code_t code, const smc_error_t *err)
{
    if (code != SMC_OK)
        return smcb_push_fail(L, err);
    lua_pushlstring(L, b->data == NULL ? "" : b->data, b->len);
    return 1;
}
