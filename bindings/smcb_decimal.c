/* smc.decimal - exact decimals on strings.
 *
 * A malformed argument is wrong use and raises; a result that does not exist (too large, a division by zero) is nil, err.
 */
#include "smc/decimal.h"

#include "smcb.h"

/* Integers are exact and so welcome; a float has lost its decimals before it came here. */
static smc_dec_t check_dec(lua_State *L, int idx)
{
    smc_dec_t a = {0};
    const char *text;
    size_t n;
    smc_code_t code;

    if (lua_isinteger(L, idx) && lua_type(L, idx) == LUA_TNUMBER)
        return smc_dec_from_int(lua_tointeger(L, idx));
    if (lua_type(L, idx) == LUA_TNUMBER)
        (void)luaL_argerror(L, idx, "a float is not exact: write the number as a string");
    luaL_checktype(L, idx, LUA_TSTRING);
    text = lua_tolstring(L, idx, &n);
    code = smc_dec_parse(text, n, &a);
    if (code != SMC_OK)
        (void)luaL_argerror(L, idx,
                            lua_pushfstring(L,
                                            code == SMC_EPARSE
                                                ? "'%s' is not a decimal number"
                                                : "'%s' has more than 18 decimals or 20 digits",
                                            text));
    return a;
}

static smc_dec_t check_step(lua_State *L, int idx)
{
    smc_dec_t step = check_dec(L, idx);

    luaL_argcheck(L, smc_dec_sign(step) > 0, idx, "the step must be above zero");
    return step;
}

static int check_places(lua_State *L, int idx, lua_Integer missing)
{
    lua_Integer places = luaL_optinteger(L, idx, missing);

    luaL_argcheck(L, places >= 0 && places <= SMC_DEC_PLACES, idx, "places must be from 0 to 18");
    return (int)places;
}

static smc_round_t check_mode(lua_State *L, int idx)
{
    static const char *const names[] = {
        [SMC_ROUND_DOWN] = "down",       [SMC_ROUND_UP] = "up",
        [SMC_ROUND_HALF_UP] = "half_up", [SMC_ROUND_HALF_EVEN] = "half_even",
        [SMC_ROUND_FLOOR] = "floor",     [SMC_ROUND_FLOOR + 1] = NULL,
    };

    return (smc_round_t)luaL_checkoption(L, idx, "half_even", names);
}

static int push_dec(lua_State *L, smc_dec_t a)
{
    char text[SMC_DEC_TEXT_MAX];

    lua_pushlstring(L, text, smc_dec_text(a, text));
    return 1;
}

static int result(lua_State *L, const char *op, smc_code_t code, smc_dec_t a)
{
    smc_error_t err = {0};

    if (code == SMC_OK)
        return push_dec(L, a);
    (void)smc_fail(&err, code, op, 0, "%s",
                   code == SMC_EINVAL ? "division by zero" : "the result does not fit");
    return smcb_push_fail(L, &err);
}

/* ---- arithmetic ------------------------------------------------------------------------------ */

static int l_add(lua_State *L)
{
    smc_dec_t out = {0};
    smc_dec_t a = check_dec(L, 1);
    smc_code_t code = smc_dec_add(a, check_dec(L, 2), &out);

    return result(L, "decimal.add", code, out);
}

static int l_sub(lua_State *L)
{
    smc_dec_t out = {0};
    smc_dec_t a = check_dec(L, 1);
    smc_code_t code = smc_dec_sub(a, check_dec(L, 2), &out);

    return result(L, "decimal.sub", code, out);
}

/* Without a number of places nobody has asked for rounding: then the product must be exact. */
static smc_code_t exact_product(smc_dec_t a, smc_dec_t b, smc_dec_t *out)
{
    smc_dec_t above = {0};
    smc_code_t code = smc_dec_mul(a, b, SMC_DEC_PLACES, SMC_ROUND_DOWN, out);

    if (code == SMC_OK)
        code = smc_dec_mul(a, b, SMC_DEC_PLACES, SMC_ROUND_UP, &above);
    if (code == SMC_OK && smc_dec_cmp(*out, above) != 0)
        code = SMC_EOVERFLOW;
    return code;
}

static int l_mul(lua_State *L)
{
    smc_dec_t a = check_dec(L, 1);
    smc_dec_t b = check_dec(L, 2);
    smc_dec_t out = {0};
    smc_code_t code;

    if (lua_isnoneornil(L, 3))
        code = exact_product(a, b, &out);
    else
        code = smc_dec_mul(a, b, check_places(L, 3, 0), check_mode(L, 4), &out);
    return result(L, "decimal.mul", code, out);
}

static int l_div(lua_State *L)
{
    smc_dec_t a = check_dec(L, 1);
    smc_dec_t b = check_dec(L, 2);
    int places = check_places(L, 3, SMC_DEC_PLACES);
    smc_dec_t out = {0};
    smc_code_t code = smc_dec_div(a, b, places, check_mode(L, 4), &out);

    return result(L, "decimal.div", code, out);
}

static int l_neg(lua_State *L)
{
    return push_dec(L, smc_dec_neg(check_dec(L, 1)));
}

static int l_abs(lua_State *L)
{
    return push_dec(L, smc_dec_abs(check_dec(L, 1)));
}

/* ---- order ----------------------------------------------------------------------------------- */

static int compare(lua_State *L)
{
    smc_dec_t a = check_dec(L, 1);

    return smc_dec_cmp(a, check_dec(L, 2));
}

static int l_cmp(lua_State *L)
{
    lua_pushinteger(L, compare(L));
    return 1;
}

static int l_lt(lua_State *L)
{
    lua_pushboolean(L, compare(L) < 0);
    return 1;
}

static int l_le(lua_State *L)
{
    lua_pushboolean(L, compare(L) <= 0);
    return 1;
}

static int l_eq(lua_State *L)
{
    lua_pushboolean(L, compare(L) == 0);
    return 1;
}

static int extreme(lua_State *L, int sign)
{
    smc_dec_t best = check_dec(L, 1);
    int n = lua_gettop(L);

    for (int i = 2; i <= n; i++) {
        smc_dec_t other = check_dec(L, i);

        if (smc_dec_cmp(other, best) == sign)
            best = other;
    }
    return push_dec(L, best);
}

static int l_min(lua_State *L)
{
    return extreme(L, -1);
}

static int l_max(lua_State *L)
{
    return extreme(L, 1);
}

/* ---- grids and text -------------------------------------------------------------------------- */

static int l_round(lua_State *L)
{
    smc_dec_t a = check_dec(L, 1);
    int places = check_places(L, 2, 0);
    smc_dec_t out = {0};
    smc_code_t code = smc_dec_round(a, places, check_mode(L, 3), &out);

    return result(L, "decimal.round", code, out);
}

static int l_floor_to(lua_State *L)
{
    smc_dec_t a = check_dec(L, 1);
    smc_dec_t step = check_step(L, 2);
    smc_dec_t out = {0};
    smc_code_t code = smc_dec_round_to(a, step, SMC_ROUND_FLOOR, &out);

    return result(L, "decimal.floor_to", code, out);
}

static int l_is_multiple(lua_State *L)
{
    smc_dec_t a = check_dec(L, 1);

    lua_pushboolean(L, smc_dec_is_multiple(a, check_step(L, 2)));
    return 1;
}

/* within(a, least, most, [step]): least or most nil is no bound. */
static int l_within(lua_State *L)
{
    smc_dec_t a = check_dec(L, 1);
    bool inside = (lua_isnoneornil(L, 2) || smc_dec_cmp(a, check_dec(L, 2)) >= 0) &&
                  (lua_isnoneornil(L, 3) || smc_dec_cmp(a, check_dec(L, 3)) <= 0) &&
                  (lua_isnoneornil(L, 4) || smc_dec_is_multiple(a, check_step(L, 4)));

    lua_pushboolean(L, inside);
    return 1;
}

static int l_format(lua_State *L)
{
    smc_dec_t a = check_dec(L, 1);
    int places = lua_isnoneornil(L, 2) ? SMC_DEC_MINIMAL : check_places(L, 2, 0);
    char text[SMC_DEC_TEXT_MAX];

    lua_pushlstring(L, text, smc_dec_format(a, places, check_mode(L, 3), text));
    return 1;
}

static int l_is_valid(lua_State *L)
{
    smc_dec_t a = {0};
    size_t n = 0;
    const char *text = lua_type(L, 1) == LUA_TSTRING ? lua_tolstring(L, 1, &n) : NULL;

    lua_pushboolean(L, text != NULL && smc_dec_parse(text, n, &a) == SMC_OK);
    return 1;
}

int smcb_open_decimal(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"add", l_add},
        {"sub", l_sub},
        {"mul", l_mul},
        {"div", l_div},
        {"neg", l_neg},
        {"abs", l_abs},
        {"cmp", l_cmp},
        {"lt", l_lt},
        {"le", l_le},
        {"eq", l_eq},
        {"min", l_min},
        {"max", l_max},
        {"round", l_round},
        {"floor_to", l_floor_to},
        {"is_multiple", l_is_multiple},
        {"within", l_within},
        {"format", l_format},
        {"is_valid", l_is_valid},
        {NULL, NULL},
    };

    luaL_newlib(L, functions);
    return 1;
}
