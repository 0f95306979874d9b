/* smc.core.text - bytes as text and back. */
#include "smc/text.h"

#include "smcb.h"
#include "smcb_scratch.h"

#include <stdlib.h>
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

typedef struct pair {
    const char *name;
    size_t name_n;
    lua_Integer at; /* its name's place in the list, behind which its value stands */
} pair_t;

static int by_name(const void *a, const void *b)
{
    const pair_t *x = a, *y = b;
    int order = memcmp(x->name, y->name, x->name_n < y->name_n ? x->name_n : y->name_n);

    return order != 0 ? order : (x->name_n > y->name_n) - (x->name_n < y->name_n);
}

enum { FORM_VALUES = 1, FORM_TEXT, FORM_LIST };

/* Reads the values into the list; returns n pairs, in order of their names, which the list keeps.  Memory is asked for once
 * they are counted: then a finalizer of the scenario's may run, and some be gone. */
static pair_t *read_pairs(lua_State *L, lua_Integer *n)
{
    lua_Integer count = 0, i = 0;

    for (lua_pushnil(L); lua_next(L, FORM_VALUES) != 0; count++)
        lua_pop(L, 1);
    pair_t *pairs = lua_newuserdatauv(L, sizeof(*pairs) * (size_t)count, 0);
    lua_pushnil(L);
    for (; i < count && lua_next(L, FORM_VALUES) != 0; i++) {
        pairs[i].at = 2 * i + 1;
        lua_rawseti(L, FORM_LIST, 2 * i + 2);
        lua_pushvalue(L, -1); /* to make a text of a number would confuse lua_next */
        pairs[i].name = lua_tolstring(L, -1, &pairs[i].name_n);
        luaL_argcheck(L, pairs[i].name != NULL, FORM_VALUES, "a name must be a text");
        lua_rawseti(L, FORM_LIST, 2 * i + 1);
    }
    qsort(pairs, (size_t)i, sizeof(*pairs), by_name);
    *n = i;
    return pairs;
}

/* Makes a text of the value of a pair. */
static void make_text(lua_State *L, const pair_t *pair)
{
    int top = lua_gettop(L);

    if (lua_rawgeti(L, FORM_LIST, pair->at + 1) != LUA_TSTRING && !lua_isinteger(L, -1)) {
        lua_pushvalue(L, FORM_TEXT);
        lua_rawgeti(L, FORM_LIST, pair->at);
        lua_rawgeti(L, FORM_LIST, pair->at + 1);
        lua_call(L, 2, 1);
    }
    (void)luaL_tolstring(L, -1, NULL);
    lua_rawseti(L, FORM_LIST, pair->at + 1);
    lua_settop(L, top);
}

static smc_code_t add_pair(lua_State *L, const pair_t *pair, smc_buf_t *out)
{
    size_t n;
    (void)lua_rawgeti(L, FORM_LIST, pair->at + 1);
    const char *value = lua_tolstring(L, -1, &n);
    smc_code_t code = out->len > 0 ? smc_buf_putc(out, '&') : SMC_OK;

    if (code == SMC_OK)
        code = smc_percent_encode(pair->name, pair->name_n, out);
    if (code == SMC_OK)
        code = smc_buf_putc(out, '=');
    if (code == SMC_OK)
        code = smc_percent_encode(value, n, out);
    lua_pop(L, 1);
    return code;
}

/* form_encode(values by name, text) -> "name=value&name=value", in order of the names, percent-encoded.  text(name,
 * value): what stands for a value that is neither a text nor a whole number. */
static int l_form_encode(lua_State *L)
{
    smc_error_t err = {0};
    smc_code_t code = SMC_OK;
    lua_Integer n;

    luaL_checktype(L, FORM_VALUES, LUA_TTABLE);
    lua_settop(L, FORM_TEXT);
    lua_newtable(L);
    const pair_t *pairs = read_pairs(L, &n);
    for (lua_Integer i = 0; i < n; i++)
        make_text(L, &pairs[i]);
    smc_buf_t *out = smcb_scratch(L);
    for (lua_Integer i = 0; i < n && code == SMC_OK; i++)
        code = add_pair(L, &pairs[i], out);
    if (code != SMC_OK)
        (void)smc_fail(&err, code, "text.form_encode", 0, "out of memory");
    return smcb_scratch_result(L, out, code, &err);
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

/* minimal(text) -> a number in digits without the zeros at the end of its decimals, and without a point then. */
static int l_minimal(lua_State *L)
{
    size_t n;
    const char *text = luaL_checklstring(L, 1, &n);

    if (memchr(text, '.', n) != NULL) {
        while (n > 0 && text[n - 1] == '0')
            n--;
        n -= n > 0 && text[n - 1] == '.';
    }
    lua_pushlstring(L, text, n);
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
        {"form_encode", l_form_encode},
        {"without", l_without},
        {"minimal", l_minimal},
        {"serial", l_serial},
        {NULL, NULL},
    };

    luaL_newlibtable(L, functions);
    smcb_scratch_push(L);
    luaL_setfuncs(L, functions, 1);
    return 1;
}
