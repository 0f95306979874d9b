#include "smcb_priv.h"

#include <math.h>
#include <string.h>

/* Error objects are made in one place, smc/error.lua; its `new` is kept in the registry at the first use. */
static const char error_key = 'e';

static void push_error_new(lua_State *L)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &error_key) == LUA_TFUNCTION)
        return;
    lua_pop(L, 1);
    smcb_require(L, "smc.error");
    lua_getfield(L, -1, "new");
    lua_remove(L, -2);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &error_key);
}

static void set_string(lua_State *L, const char *key, const char *value)
{
    lua_pushstring(L, value);
    lua_setfield(L, -2, key);
}

int smcb_push_fail(lua_State *L, const smc_error_t *err)
{
    lua_pushnil(L);
    push_error_new(L);
    lua_createtable(L, 0, 6);
    set_string(L, "class", smc_code_class(err->code));
    set_string(L, "code", smc_code_text(err->code));
    set_string(L, "message", err->detail);
    set_string(L, "op", err->op);
    lua_pushinteger(L, err->sys);
    lua_setfield(L, -2, "sys");
    lua_pushboolean(L, smc_code_retryable(err->code));
    lua_setfield(L, -2, "retryable");
    lua_call(L, 1, 1);
    return 2;
}

int smcb_result(lua_State *L, smc_code_t code, const smc_error_t *err)
{
    if (code != SMC_OK)
        return smcb_push_fail(L, err);
    lua_pushboolean(L, 1);
    return 1;
}

/* Rounded up, past what binary fractions add.  Never 0 unless s is: what is left of a wait may be 1e-14 s, and in a loop that
 * waits for it no time would pass. */
static uint64_t to_ms(lua_Number s)
{
    uint64_t ms = (uint64_t)ceil(s * 1000.0 - 1e-6);

    return ms == 0 && s > 0 ? 1 : ms;
}

uint64_t smcb_check_seconds(lua_State *L, int idx)
{
    lua_Number s = luaL_checknumber(L, idx);

    luaL_argcheck(L, isfinite(s) && s >= 0 && s <= 1e9, idx,
                  "seconds must be a number from 0 to 1e9");
    return to_ms(s);
}

uint64_t smcb_field_seconds(lua_State *L, int idx, const char *name, uint64_t missing_ms)
{
    lua_Number s;
    int is_number;

    if (lua_isnoneornil(L, idx))
        return missing_ms;
    if (lua_getfield(L, idx, name) == LUA_TNIL) {
        lua_pop(L, 1);
        return missing_ms;
    }
    s = lua_tonumberx(L, -1, &is_number);
    lua_pop(L, 1);
    if (!is_number || !isfinite(s) || s < 0 || s > 1e9)
        return (uint64_t)luaL_error(L, "option '%s' must be a number of seconds from 0 to 1e9",
                                    name);
    return to_ms(s);
}

uint32_t smcb_field_u32(lua_State *L, int idx, const char *name, int64_t missing)
{
    int is_integer = 0;
    bool nil = lua_getfield(L, idx, name) == LUA_TNIL;
    lua_Integer value = nil ? missing : lua_tointegerx(L, -1, &is_integer);

    lua_pop(L, 1);
    if (!(nil || is_integer) || value < 0 || value > UINT32_MAX)
        (void)luaL_error(L, "%s must be a whole number from 0 to 4294967295", name);
    return (uint32_t)value;
}

void smcb_check_keys(lua_State *L, int idx, const char *const known[])
{
    if (lua_isnoneornil(L, idx))
        return;
    luaL_checktype(L, idx, LUA_TTABLE);
    lua_pushnil(L);
    while (lua_next(L, idx) != 0) {
        const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : NULL;
        int i = 0;
        lua_pop(L, 1);
        if (key == NULL)
            continue;
        while (known[i] != NULL && (known[i][0] != key[0] || strcmp(known[i], key) != 0))
            i++;
        if (known[i] == NULL)
            (void)luaL_error(L, "unknown option '%s'", key);
    }
}
