/* smc.core.params: what amounts must satisfy. */
#include "smcb_amounts.h"

#include "smc/decimal.h"

#include <string.h>

enum { LEAST, MOST, STEP, BOUNDS };

/* In a userdata, which is not aligned as decimals are. */
typedef struct bounds {
    bool has[BOUNDS];
    unsigned char v[BOUNDS][sizeof(smc_dec_t)];
} bounds_t;

static smc_dec_t check_amount(lua_State *L, int idx)
{
    smc_dec_t out = {0};
    size_t n;
    const char *text = luaL_checklstring(L, idx, &n);

    luaL_argcheck(L, smc_dec_parse(text, n, &out) == SMC_OK, idx, "a decimal expected");
    return out;
}

/* From three values at idx and behind it; nil: none. */
static void read_bounds(lua_State *L, int idx, bounds_t *b)
{
    for (int i = 0; i < BOUNDS; i++) {
        smc_dec_t limit = {0};
        b->has[i] = !lua_isnil(L, idx + i);
        if (b->has[i])
            limit = check_amount(L, idx + i);
        luaL_argcheck(L, i != STEP || !b->has[i] || smc_dec_sign(limit) > 0, idx + i,
                      "the step must be above zero");
        memcpy(b->v[i], &limit, sizeof(limit));
    }
}

static bool bound(const bounds_t *b, int which, smc_dec_t *out)
{
    memcpy(out, b->v[which], sizeof(*out));
    return b->has[which];
}

static bool is_within(const bounds_t *b, smc_dec_t a)
{
    smc_dec_t limit;

    return (!bound(b, LEAST, &limit) || smc_dec_cmp(a, limit) >= 0) &&
           (!bound(b, MOST, &limit) || smc_dec_cmp(a, limit) <= 0) &&
           (!bound(b, STEP, &limit) || smc_dec_is_multiple(a, limit));
}

static int l_within(lua_State *L)
{
    lua_pushboolean(L, is_within(lua_touserdata(L, lua_upvalueindex(1)), check_amount(L, 1)));
    return 1;
}

/* bounds(least, most, step) -> within(amount): whether it is in these bounds and a multiple of the step; nil: any. */
int smcb_amount_bounds(lua_State *L)
{
    lua_settop(L, BOUNDS);
    read_bounds(L, 1, lua_newuserdatauv(L, sizeof(bounds_t), 0));
    lua_pushcclosure(L, l_within, 1);
    return 1;
}

enum { PRICE, QTY, WORTH, PARTS };

static int l_order_fits(lua_State *L)
{
    const bounds_t *b = lua_touserdata(L, lua_upvalueindex(1));
    smc_dec_t price = check_amount(L, 1), qty = check_amount(L, 2), worth;

    lua_pushboolean(L,
                    is_within(&b[PRICE], price) && is_within(&b[QTY], qty) &&
                        smc_dec_mul(price, qty, SMC_DEC_PLACES, SMC_ROUND_DOWN, &worth) == SMC_OK &&
                        is_within(&b[WORTH], worth));
    return 1;
}

/* order(price, qty, worth) -> fits(price, qty): whether both, and their product, are within these bounds, each of which
 * is a list { least, most, step } with false for none. */
int smcb_amount_order(lua_State *L)
{
    bounds_t *b;

    lua_settop(L, PARTS);
    b = lua_newuserdatauv(L, PARTS * sizeof(*b), 0);
    for (int part = 0; part < PARTS; part++) {
        luaL_checktype(L, part + 1, LUA_TTABLE);
        for (int i = 0; i < BOUNDS; i++) {
            (void)lua_geti(L, part + 1, i + 1);
            if (!lua_toboolean(L, -1)) {
                lua_pop(L, 1);
                lua_pushnil(L);
            }
        }
        read_bounds(L, PARTS + 2, &b[part]);
        lua_settop(L, PARTS + 1);
    }
    lua_pushcclosure(L, l_order_fits, 1);
    return 1;
}
