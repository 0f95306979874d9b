/* smcb_json_read.c - the short way for usual JSON: straight from the text onto the Lua stack, in one pass.
 *
 * Usual is what venues send: objects, arrays, words, whole numbers of up to 18 digits, strings of ASCII without escapes,
 * not nested deeply.  It decides nothing else: at the first thing that is not usual, or not right, it gives up, and jansson
 * reads the text from its beginning, and says what is wrong with it.  What both read is the same. */
#include "smcb_json.h"

#include <lauxlib.h>

#include <string.h>

enum { DEPTH_MAX = 16, DIGITS_MAX = 18, PAIRS_MAX = 64, ITEMS_MAX = 64 };

typedef struct reader {
    lua_State *L;
    const char *at, *end;
    int depth;
} reader_t;

static bool read_value(reader_t *r);

static char next_char(reader_t *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\r' || *r->at == '\t'))
        r->at++;
    return r->at < r->end ? *r->at : '\0';
}

static bool is_usual(unsigned char c)
{
    return c >= ' ' && c < 0x80 && c != '"' && c != '\\';
}

static bool read_text(reader_t *r)
{
    const char *begin = r->at + 1, *p = begin;
    if (r->at == r->end || *r->at != '"')
        return false;
    while (p < r->end && is_usual((unsigned char)*p))
        p++;
    if (p == r->end || *p != '"')
        return false;
    lua_pushlstring(r->L, begin, (size_t)(p - begin));
    r->at = p + 1;
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool read_integer(reader_t *r)
{
    bool negative = *r->at == '-';
    const char *first = r->at + negative, *p = first;
    lua_Integer value = 0;
    for (; p < r->end && is_digit(*p) && p - first < DIGITS_MAX; p++)
        value = 10 * value + (*p - '0');
    bool goes_on = p < r->end && (*p == '.' || *p == 'e' || *p == 'E' || is_digit(*p));
    if (p == first || goes_on || (*first == '0' && p - first > 1))
        return false;
    lua_pushinteger(r->L, negative ? -value : value);
    r->at = p;
    return true;
}

static bool read_word(reader_t *r, const char *word, size_t n)
{
    if ((size_t)(r->end - r->at) < n || memcmp(r->at, word, n) != 0)
        return false;
    r->at += n;
    return true;
}

/* ---- arrays ------------------------------------------------------------------- */

/* Moves the items above base into a table, which takes their place. */
static void make_array(lua_State *L, int base, int room)
{
    int n = lua_gettop(L) - base;
    lua_createtable(L, room, 0);
    lua_insert(L, base + 1);
    for (int i = n; i > 0; i--)
        lua_rawseti(L, base + 1, i);
    lua_pushvalue(L, lua_upvalueindex(SMCB_JSON_ARRAY));
    lua_setmetatable(L, base + 1);
}

/* The first items wait on the stack until it is known how many there are; the others do not. */
static bool read_array(reader_t *r)
{
    lua_State *L = r->L;
    int base = lua_gettop(L);
    lua_Integer n = 0;
    r->at++;
    bool more = next_char(r) != ']';
    while (more) {
        if (!read_value(r))
            return false;
        n++;
        if (n > ITEMS_MAX)
            lua_rawseti(L, base + 1, n);
        else if (n == ITEMS_MAX)
            make_array(L, base, 2 * ITEMS_MAX);
        more = next_char(r) == ',';
        r->at += more;
    }
    if (r->at == r->end || *r->at != ']')
        return false;
    r->at++;
    if (n < ITEMS_MAX)
        make_array(L, base, (int)n);
    return true;
}

/* ---- objects ------------------------------------------------------------------- */

/* Moves the keys and values above base into a table, which takes their place, in their order.  false: a key is there
 * twice. */
static bool make_object(lua_State *L, int base)
{
    int top = lua_gettop(L);
    lua_createtable(L, 0, (top - base) / 2);
    for (int i = base + 1; i < top; i += 2) {
        lua_pushvalue(L, i);
        if (lua_rawget(L, top + 1) != LUA_TNIL)
            return false;
        lua_pop(L, 1);
        lua_pushvalue(L, i);
        lua_pushvalue(L, i + 1);
        lua_rawset(L, top + 1);
    }
    if (top > base)
        lua_replace(L, base + 1);
    lua_settop(L, base + 1);
    return true;
}

static bool read_object(reader_t *r)
{
    int base = lua_gettop(r->L), n = 0;
    r->at++;
    bool more = next_char(r) != '}';
    for (; more; n++) {
        (void)next_char(r);
        if (n == PAIRS_MAX || !read_text(r) || next_char(r) != ':')
            return false;
        r->at++;
        if (!read_value(r))
            return false;
        more = next_char(r) == ',';
        r->at += more;
    }
    if (r->at == r->end || *r->at != '}')
        return false;
    r->at++;
    return make_object(r->L, base);
}

/* ---- any value ------------------------------------------------------------------ */

static bool read_nested(reader_t *r, bool (*read)(reader_t *r))
{
    if (r->depth == DEPTH_MAX || lua_checkstack(r->L, 2 * PAIRS_MAX + 8) == 0)
        return false;
    r->depth++;
    bool fine = read(r);
    r->depth--;
    return fine;
}

static bool read_value(reader_t *r)
{
    switch (next_char(r)) {
    case '"':
        return read_text(r);
    case '{':
        return read_nested(r, read_object);
    case '[':
        return read_nested(r, read_array);
    case 't':
        lua_pushboolean(r->L, 1);
        return read_word(r, "true", 4);
    case 'f':
        lua_pushboolean(r->L, 0);
        return read_word(r, "false", 5);
    case 'n':
        lua_pushlightuserdata(r->L, NULL);
        return read_word(r, "null", 4);
    case '\0':
        return false;
    default:
        return read_integer(r);
    }
}

bool smcb_json_read_usual(lua_State *L, const char *text, size_t n)
{
    reader_t r = {.L = L, .at = text, .end = text + n};
    int top = lua_gettop(L);
    if (lua_checkstack(L, 2) != 0 && read_value(&r) && next_char(&r) == '\0' && r.at == r.end)
        return true;
    lua_settop(L, top);
    return false;
}
