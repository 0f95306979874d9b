/* smc.core.market: reading what scripts say. */
#include "smcb_market.h"

#include <string.h>

void smcb_market_options(lua_State *L, int idx, const char *const known[])
{
    luaL_checktype(L, idx, LUA_TTABLE);
    smcb_check_keys(L, idx, known);
}

int smcb_market_spread(lua_State *L, int idx, const char *const known[], int n)
{
    int first = lua_gettop(L) + 1;
    luaL_checktype(L, idx, LUA_TTABLE);
    luaL_checkstack(L, n + 4, NULL);
    lua_settop(L, first + n - 1);
    lua_pushnil(L);
    while (lua_next(L, idx) != 0) {
        const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : NULL;
        int i = 0;
        while (key != NULL && i < n && (known[i][0] != key[0] || strcmp(known[i], key) != 0))
            i++;
        if (i == n)
            luaL_error(L, "unknown option '%s'", key);
        if (key != NULL)
            lua_copy(L, -1, first + i);
        lua_pop(L, 1);
    }
    return first;
}

smc_dec_t smcb_market_dec_at(lua_State *L, int idx, const char *name)
{
    size_t n;
    smc_dec_t out = {0};
    if (lua_type(L, idx) != LUA_TSTRING)
        luaL_error(L, "%s must be a decimal string, not a %s", name, luaL_typename(L, idx));
    const char *text = lua_tolstring(L, idx, &n);
    if (smc_dec_parse(text, n, &out) != SMC_OK)
        luaL_error(L, "%s is not a decimal number: '%s'", name, text);
    return out;
}

bool smcb_market_dec(lua_State *L, int idx, const char *name, smc_dec_t *out)
{
    bool present = lua_getfield(L, idx, name) != LUA_TNIL;
    if (present)
        *out = smcb_market_dec_at(L, -1, name);
    lua_pop(L, 1);
    return present;
}

smc_dec_t smcb_market_dec_arg(lua_State *L, int arg)
{
    return smcb_market_dec_at(L, arg, "amount");
}

smc_dec_t smcb_market_need_dec(lua_State *L, int idx, const char *name)
{
    smc_dec_t out = {0};
    if (!smcb_market_dec(L, idx, name, &out))
        luaL_error(L, "%s is missing", name);
    return out;
}

bool smcb_market_bool_at(lua_State *L, int idx, const char *name, bool missing)
{
    if (lua_isnil(L, idx))
        return missing;
    if (!lua_isboolean(L, idx))
        luaL_error(L, "%s must be true or false", name);
    return lua_toboolean(L, idx);
}

bool smcb_market_bool(lua_State *L, int idx, const char *name, bool missing)
{
    (void)lua_getfield(L, idx, name);
    bool out = smcb_market_bool_at(L, -1, name, missing);
    lua_pop(L, 1);
    return out;
}

int64_t smcb_market_int_at(lua_State *L, int idx, const char *name, int64_t missing)
{
    if (lua_isnil(L, idx))
        return missing;
    if (!lua_isinteger(L, idx))
        luaL_error(L, "%s must be an integer", name);
    return lua_tointeger(L, idx);
}

int64_t smcb_market_int(lua_State *L, int idx, const char *name, int64_t missing)
{
    (void)lua_getfield(L, idx, name);
    int64_t out = smcb_market_int_at(L, -1, name, missing);
    lua_pop(L, 1);
    return out;
}

const char *smcb_market_text_at(lua_State *L, int idx, const char *name)
{
    if (lua_isnil(L, idx))
        return NULL;
    if (lua_type(L, idx) != LUA_TSTRING)
        luaL_error(L, "%s must be a string", name);
    return lua_tostring(L, idx);
}

const char *smcb_market_text(lua_State *L, int idx, const char *name)
{
    (void)lua_getfield(L, idx, name);
    const char *out = smcb_market_text_at(L, -1, name);
    lua_pop(L, 1); /* the table keeps it alive */
    return out;
}

const char *smcb_market_need_text(lua_State *L, int idx, const char *name)
{
    const char *out = smcb_market_text(L, idx, name);
    if (out == NULL)
        luaL_error(L, "%s is missing", name);
    return out;
}

static int choose(lua_State *L, const char *text, const char *name, const char *const list[],
                  int missing)
{
    if (text == NULL && missing < 0)
        return luaL_error(L, "%s is missing", name);
    for (int i = 0; text != NULL && list[i] != NULL; i++)
        if (strcmp(list[i], text) == 0)
            return i;
    return text == NULL ? missing : luaL_error(L, "%s can't be '%s'", name, text);
}

int smcb_market_choice_at(lua_State *L, int idx, const char *name, const char *const list[],
                          int missing)
{
    return choose(L, smcb_market_text_at(L, idx, name), name, list, missing);
}

int smcb_market_choice(lua_State *L, int idx, const char *name, const char *const list[],
                       int missing)
{
    return choose(L, smcb_market_text(L, idx, name), name, list, missing);
}

static int32_t find_symbol(lua_State *L, const smc_market_t *m, const char *symbol)
{
    int32_t id = smc_market_find_instrument(m, symbol);
    return id >= 0 ? id : luaL_error(L, "unknown symbol '%s'", symbol);
}

int32_t smcb_market_instrument_at(lua_State *L, const smc_market_t *m, int idx)
{
    const char *symbol = smcb_market_text_at(L, idx, "symbol");
    return symbol != NULL ? find_symbol(L, m, symbol) : luaL_error(L, "symbol is missing");
}

int32_t smcb_market_instrument(lua_State *L, const smc_market_t *m, int idx)
{
    return find_symbol(L, m, smcb_market_need_text(L, idx, "symbol"));
}

int32_t smcb_market_any_instrument(lua_State *L, const smc_market_t *m, int idx)
{
    const char *symbol = smcb_market_text(L, idx, "symbol");
    return symbol != NULL ? find_symbol(L, m, symbol) : SMC_MARKET_ALL;
}

int32_t smcb_market_symbol_arg(lua_State *L, const smc_market_t *m, int arg)
{
    return find_symbol(L, m, luaL_checkstring(L, arg));
}

int32_t smcb_market_known_account(lua_State *L, const smc_market_t *m, int64_t id)
{
    if (id < 1 || id > smc_market_accounts(m))
        return luaL_error(L, "unknown account");
    return (int32_t)id;
}

int32_t smcb_market_account(lua_State *L, const smc_market_t *m, int idx)
{
    return smcb_market_known_account(L, m, smcb_market_int(L, idx, "account", 0));
}

smc_range_t smcb_market_range(lua_State *L, int idx)
{
    int64_t limit = smcb_market_int(L, idx, "limit", 0);
    if (limit < 0)
        luaL_error(L, "limit must not be negative");
    return (smc_range_t){
        .from_id = smcb_market_int(L, idx, "from_id", 0),
        .from_ms = smcb_market_int(L, idx, "from_ms", 0),
        .to_ms = smcb_market_int(L, idx, "to_ms", 0),
        .limit = (size_t)limit,
    };
}

int64_t smcb_market_now(lua_State *L, const smc_market_t *m, int idx)
{
    return smcb_market_int(L, idx, "now_ms", smc_market_time(m));
}

int smcb_market_raise(lua_State *L, const smc_error_t *err)
{
    return luaL_error(L, "%s", err->detail);
}

int smcb_market_refused(lua_State *L, smc_refusal_t why)
{
    if (why == SMC_REFUSED_MEMORY)
        return luaL_error(L, "out of memory");
    lua_pushnil(L);
    lua_pushstring(L, smc_refusal_text(why));
    return 2;
}
