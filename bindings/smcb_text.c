/* smc.core.text - bytes as text and back. */
#include "smc/text.h"

#include "smcb.h"
#include "smcb_scratch.h"

typedef smc_code_t (*encode_fn)(const void *bytes, size_t n, smc_buf_t *out);
typedef smc_code_t (*decode_fn)(const char *text, size_t n, smc_buf_t *out);

static int encode(lua_State *L, encode_fn fn, const char *op)
{
    size_t n;
    const char *bytes = luaL_checklstring(L, 1, &n);
    smc_buf_t *out = smcb_scratch(L);
    smc_error_t err = {0};
    smc_code_t code = fn(bytes, n, out);

    if (code != SMC_OK)
        (void)smc_fail(&err, code, op, 0, "out of memory");
    return smcb_scratch_result(L, out, code, &err);
}

static int decode(lua_State *L, decode_fn fn, const char *op, const char *what)
{
    size_t n;
    const char *text = luaL_checklstring(L, 1, &n);
    smc_buf_t *out = smcb_scratch(L);
    smc_error_t err = {0};
    smc_code_t code = fn(text, n, out);

    if (code != SMC_OK)
        (void)smc_fail(&err, code, op, 0,
                       code == SMC_EPARSE ? "the text is not %s" : "no memory for %s", what);
    return smcb_scratch_result(L, out, code, &err);
}

static int l_hex(lua_State *L)
{
    return encode(L, smc_hex_encode, "text.hex");
}

static int l_base64(lua_State *L)
{
    return encode(L, smc_base64_encode, "text.base64");
}

static int l_percent_encode(lua_State *L)
{
    return encode(L, smc_percent_encode, "text.percent_encode");
}

static int l_hex_decode(lua_State *L)
{
    return decode(L, smc_hex_decode, "text.hex_decode", "hex");
}

static int l_base64_decode(lua_State *L)
{
    return decode(L, smc_base64_decode, "text.base64_decode", "base64");
}

static int l_percent_decode(lua_State *L)
{
    return decode(L, smc_percent_decode, "text.percent_decode", "percent-encoded");
}

int smcb_open_text(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"hex", l_hex},
        {"hex_decode", l_hex_decode},
        {"base64", l_base64},
        {"base64_decode", l_base64_decode},
        {"percent_encode", l_percent_encode},
        {"percent_decode", l_percent_decode},
        {NULL, NULL},
    };

    luaL_newlibtable(L, functions);
    smcb_scratch_push(L);
    luaL_setfuncs(L, functions, 1);
    return 1;
}
