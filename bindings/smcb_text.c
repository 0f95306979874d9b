/* smc.core.text - bytes as text and back. */
#include "smc/text.h"

#include "smcb.h"
#include "smcb_scratch.h"

#include <string.h>

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

/* Pushes a name or a value of a form.  What is no such code stands for itself. */
static void push_form_text(lua_State *L, smc_buf_t *out, const char *text, size_t n)
{
    bool coded = memchr(text, '%', n) != NULL || memchr(text, '+', n) != NULL;

    smc_buf_clear(out);
    if (coded && smc_form_decode(text, n, out) == SMC_OK)
        lua_pushlstring(L, out->data, out->len);
    else
        lua_pushlstring(L, text, n);
}

/* Adds one pair to the table on top; false when the name was there already. */
static bool add_form_pair(lua_State *L, smc_buf_t *out, const char *pair, size_t n)
{
    const char *eq = memchr(pair, '=', n);
    size_t name_n = eq == NULL ? n : (size_t)(eq - pair);
    size_t skip = eq == NULL ? n : name_n + 1;

    push_form_text(L, out, pair, name_n);
    lua_pushvalue(L, -1);
    if (lua_rawget(L, -3) != LUA_TNIL) {
        lua_pop(L, 2);
        return false;
    }
    lua_pop(L, 1);
    push_form_text(L, out, pair + skip, n - skip);
    lua_rawset(L, -3);
    return true;
}

/* form_decode(text) -> values by name, how many, whether a name came twice: of application/x-www-form-urlencoded.
 * The first value of a name counts; nothing between two "&" is no pair. */
static int l_form_decode(lua_State *L)
{
    size_t n;
    const char *at = luaL_checklstring(L, 1, &n), *end = at + n;
    smc_buf_t *out = smcb_scratch(L);
    lua_Integer count = 0;
    bool twice = false;

    lua_createtable(L, 0, 12);
    while (at < end) {
        const char *amp = memchr(at, '&', (size_t)(end - at));
        const char *stop = amp == NULL ? end : amp;
        if (at < stop) {
            bool added = add_form_pair(L, out, at, (size_t)(stop - at));
            count += added;
            twice |= !added;
        }
        at = stop + 1;
    }
    lua_pushinteger(L, count);
    lua_pushboolean(L, twice);
    return 3;
}

/* Where a pair of this name begins: at the start, or at the "&" before it.  NULL: nowhere. */
static const char *find_pair(const char *text, size_t n, const char *name, size_t name_n)
{
    const char *at = text, *end = text + n;

    while (at != NULL && at < end) {
        const char *pair = at == text && *at != '&' ? at : at + 1;
        if ((size_t)(end - pair) > name_n && memcmp(pair, name, name_n) == 0 && pair[name_n] == '=')
            return at;
        at = memchr(pair, '&', (size_t)(end - pair));
    }
    return NULL;
}

/* without(form, name) -> the bytes of the form without its first pair of that name and one "&" beside it. */
static int l_without(lua_State *L)
{
    size_t n, name_n;
    const char *text = luaL_checklstring(L, 1, &n), *end = text + n;
    const char *name = luaL_checklstring(L, 2, &name_n);
    const char *from = find_pair(text, n, name, name_n), *to;
    luaL_Buffer b;

    if (from == NULL) {
        lua_pushvalue(L, 1);
        return 1;
    }
    to = from + 1 < end ? memchr(from + 1, '&', (size_t)(end - from - 1)) : NULL;
    to = to == NULL ? end : to + (from == text && *from != '&');
    luaL_buffinit(L, &b);
    luaL_addlstring(&b, text, (size_t)(from - text));
    luaL_addlstring(&b, to, (size_t)(end - to));
    luaL_pushresult(&b);
    return 1;
}

/* serial(prefix, n, width) -> the prefix and n in so many hexadecimal digits. */
static int l_serial(lua_State *L)
{
    size_t n;
    const char *prefix = luaL_checklstring(L, 1, &n);
    lua_Integer number = luaL_checkinteger(L, 2), width = luaL_checkinteger(L, 3);
    char text[64];

    luaL_argcheck(L, number >= 0, 2, "no negative number");
    luaL_argcheck(L, width > 0 && width <= 16 && n + (size_t)width <= sizeof(text), 3, "too wide");
    memcpy(text, prefix, n);
    for (size_t i = n + (size_t)width; i > n; i--, number >>= 4)
        text[i - 1] = "0123456789abcdef"[number & 15];
    lua_pushlstring(L, text, n + (size_t)width);
    return 1;
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
        {"form_decode", l_form_decode},
        {"without", l_without},
        {"serial", l_serial},
        {NULL, NULL},
    };

    luaL_newlibtable(L, functions);
    smcb_scratch_push(L);
    luaL_setfuncs(L, functions, 1);
    return 1;
}
