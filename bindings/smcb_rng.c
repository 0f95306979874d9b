/* smc.core.rng - seeded, named streams of random numbers. */
#include "smcb_rng.h"

#include "smcb.h"

static const char rng_mt[] = "smc.rng";

typedef struct rng_box {
    smcb_class_t class; /* cppcheck-suppress unusedStructMember ; smcb_class_check reads it */
    smc_rng_t rng;
} rng_box_t;

enum { ALNUM_MAX = 4096 };

smc_rng_t *smcb_check_rng(lua_State *L, int idx)
{
    return &((rng_box_t *)smcb_class_check(L, idx, rng_mt))->rng;
}

static int l_new(lua_State *L)
{
    lua_Integer seed = luaL_checkinteger(L, 1);
    const char *name = luaL_checkstring(L, 2);
    rng_box_t *box = smcb_class_push(L, sizeof(*box), 0, rng_mt);

    smc_rng_init(&box->rng, (uint64_t)seed, name);
    return 1;
}

static int l_int(lua_State *L)
{
    smc_rng_t *rng = smcb_check_rng(L, 1);
    lua_Integer lo = luaL_checkinteger(L, 2);
    lua_Integer hi = luaL_checkinteger(L, 3);

    luaL_argcheck(L, lo <= hi, 3, "the range is empty");
    lua_pushinteger(L, smc_rng_range(rng, lo, hi));
    return 1;
}

static int l_float(lua_State *L)
{
    lua_pushnumber(L, smc_rng_float(smcb_check_rng(L, 1)));
    return 1;
}

static int l_normal(lua_State *L)
{
    lua_pushnumber(L, smc_rng_normal(smcb_check_rng(L, 1)));
    return 1;
}

static int l_exp(lua_State *L)
{
    lua_pushnumber(L, smc_rng_exp(smcb_check_rng(L, 1)));
    return 1;
}

static int l_alnum(lua_State *L)
{
    smc_rng_t *rng = smcb_check_rng(L, 1);
    lua_Integer n = luaL_checkinteger(L, 2);
    char text[ALNUM_MAX + 1];

    luaL_argcheck(L, n >= 0 && n <= ALNUM_MAX, 2, "the length must be from 0 to 4096");
    smc_rng_alnum(rng, text, (size_t)n);
    lua_pushlstring(L, text, (size_t)n);
    return 1;
}

/* mix(seed, text) -> a seed for the text: FNV-1a over its bytes, begun with the seed, and no negative number. */
static int l_mix(lua_State *L)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ (uint64_t)luaL_checkinteger(L, 1);
    size_t n;
    const char *text = luaL_checklstring(L, 2, &n);

    for (size_t i = 0; i < n; i++)
        hash = (hash ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
    lua_pushinteger(L, (lua_Integer)(hash & INT64_MAX));
    return 1;
}

int smcb_open_rng(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"int", l_int}, {"float", l_float}, {"normal", l_normal},
        {"exp", l_exp}, {"alnum", l_alnum}, {NULL, NULL},
    };
    static const luaL_Reg functions[] = {{"new", l_new}, {"mix", l_mix}, {NULL, NULL}};

    if (smcb_class_new(L, rng_mt)) {
        luaL_newlib(L, methods);
        lua_setfield(L, -2, "__index");
        lua_pushboolean(L, 0);
        lua_setfield(L, -2, "__metatable");
    }
    luaL_newlib(L, functions);
    return 1;
}
