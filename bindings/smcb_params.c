/* smc.core.params - the parameters of a request, when all of them are as they usually are.
 *
 * What a venue says to parameters that are missing, malformed or too many is Lua, and slow.  A reader takes a form apart
 * and checks it in one go, and gives up at whatever is out of the ordinary: then Lua finds out what it is.
 */
#include "smcb_amounts.h"

#include <string.h>

#define INTEGER_DIGITS 15 /* surely fits */
#define FIELDS_MAX 64

/* Upvalues of a reader. */
enum { UP_SPECS = 1, UP_NAMES, UP_SETS };

typedef enum kind { KIND_OTHER, KIND_TEXT, KIND_DECIMAL, KIND_INTEGER } kind_t;

typedef struct spec {
    kind_t kind;
    bool need;
    bool among;       /* the value must be in its set */
    const char *name; /* kept by the list of names */
    size_t name_n;
    size_t most;  /* bytes */
    bool ok[256]; /* of a text */
} spec_t;

enum { BUCKETS = 64 };

typedef struct specs {
    lua_Integer n, n_needed;
    unsigned char first[BUCKETS];   /* a field by its name, from 1; 0: none */
    unsigned char next[FIELDS_MAX]; /* by field - 1: another one with such a name */
    spec_t v[];
} specs_t;

/* ---- making a reader ---------------------------------------------------- */

/* The "plain" of a field: { kind, most, chars }; left out: the field is never plain. */
static void read_plain(lua_State *L, int field, spec_t *spec)
{
    static const char *const kinds[] = {"other", "text", "decimal", "integer", NULL};
    const char *chars;

    if (lua_getfield(L, field, "plain") == LUA_TNIL) {
        lua_pop(L, 1);
        return;
    }
    (void)lua_geti(L, -1, 1);
    spec->kind = (kind_t)luaL_checkoption(L, -1, NULL, kinds);
    (void)lua_geti(L, -2, 2);
    spec->most = (size_t)luaL_checkinteger(L, -1);
    (void)lua_geti(L, -3, 3);
    chars = luaL_optstring(L, -1, "");
    memset(spec->ok, *chars == '\0', sizeof(spec->ok));
    for (; *chars != '\0'; chars++)
        spec->ok[(unsigned char)*chars] = true;
    lua_pop(L, 4);
}

static bool has(lua_State *L, int idx, const char *name)
{
    bool present = lua_getfield(L, idx, name) != LUA_TNIL && lua_toboolean(L, -1);

    lua_pop(L, 1);
    return present;
}

/* Of the field on top; its set goes into the table at `sets`. */
static void read_field(lua_State *L, spec_t *spec, lua_Integer i, int sets)
{
    int field = lua_gettop(L);

    *spec = (spec_t){.need = has(L, field, "need"), .among = has(L, field, "among")};
    if (!has(L, field, "min") && !has(L, field, "max"))
        read_plain(L, field, spec);
    if (spec->among) {
        (void)lua_getfield(L, field, "among");
        lua_rawseti(L, sets, i);
    }
}

/* ---- reading ------------------------------------------------------------ */

static size_t digits(const char *p, size_t n)
{
    size_t i = 0;

    while (i < n && p[i] >= '0' && p[i] <= '9')
        i++;
    return i;
}

static bool is_decimal(const char *p, size_t n)
{
    size_t whole = digits(p, n);

    if (whole == 0 || whole == n)
        return whole > 0;
    return p[whole] == '.' && whole + 1 < n &&
           digits(p + whole + 1, n - whole - 1) == n - whole - 1;
}

static bool is_text(const spec_t *spec, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!spec->ok[(unsigned char)p[i]])
            return false;
    return true;
}

static lua_Integer integer_of(const char *p, size_t n)
{
    lua_Integer value = 0;

    for (size_t i = 0; i < n; i++)
        value = value * 10 + (p[i] - '0');
    return value;
}

/* Pushes the value; false, and nothing, when it is not a usual one. */
static bool push_value(lua_State *L, const spec_t *spec, const char *p, size_t n)
{
    if (n == 0 || n > spec->most)
        return false;
    switch (spec->kind) {
    case KIND_TEXT:
        if (!is_text(spec, p, n))
            return false;
        break;
    case KIND_DECIMAL:
        if (!is_decimal(p, n))
            return false;
        break;
    case KIND_INTEGER:
        if (n > INTEGER_DIGITS || digits(p, n) < n)
            return false;
        lua_pushinteger(L, integer_of(p, n));
        return true;
    case KIND_OTHER:
        return false;
    }
    lua_pushlstring(L, p, n);
    return true;
}

static bool is_among(lua_State *L, lua_Integer i)
{
    bool found;

    (void)lua_rawgeti(L, lua_upvalueindex(UP_SETS), i);
    lua_pushvalue(L, -2);
    found = lua_rawget(L, -2) != LUA_TNIL;
    lua_pop(L, 2);
    return found;
}

static size_t bucket(const char *name, size_t n)
{
    size_t first = n == 0 ? 0 : (unsigned char)name[0],
           middle = n == 0 ? 0 : (unsigned char)name[n / 2];

    return (n + 3 * first + 7 * middle) % BUCKETS;
}

/* The number of the field with this name, from 1; 0: there is none. */
static lua_Integer find_spec(const specs_t *specs, const char *name, size_t n)
{
    unsigned i = specs->first[bucket(name, n)];

    while (i != 0 && (specs->v[i - 1].name_n != n || memcmp(specs->v[i - 1].name, name, n) != 0))
        i = specs->next[i - 1];
    return i;
}

static void link_spec(specs_t *specs, lua_Integer i)
{
    const spec_t *spec = &specs->v[i - 1];
    unsigned char *first = &specs->first[bucket(spec->name, spec->name_n)];

    specs->next[i - 1] = *first;
    *first = (unsigned char)i;
}

/* One pair into the table at 2; *seen: a bit for each field that came.  Returns the spec; NULL: this is no usual form. */
static const spec_t *take_pair(lua_State *L, const specs_t *specs, const char *pair, size_t n,
                               uint64_t *seen)
{
    const char *eq = memchr(pair, '=', n);
    lua_Integer i = eq == NULL ? 0 : find_spec(specs, pair, (size_t)(eq - pair));
    const spec_t *spec;

    if (i == 0 || (*seen >> (i - 1) & 1) != 0)
        return NULL;
    *seen |= (uint64_t)1 << (i - 1);
    spec = &specs->v[i - 1];
    (void)lua_rawgeti(L, lua_upvalueindex(UP_NAMES), i);
    if (!push_value(L, spec, eq + 1, n - (size_t)(eq + 1 - pair)))
        return NULL;
    if (spec->among && !is_among(L, i))
        return NULL;
    lua_rawset(L, 2);
    return spec;
}

/* reader(form) -> values by name, or nil. */
static int l_read(lua_State *L)
{
    const specs_t *specs = lua_touserdata(L, lua_upvalueindex(UP_SPECS));
    size_t n;
    const char *at = luaL_checklstring(L, 1, &n), *end = at + n;
    lua_Integer needed = 0;
    uint64_t seen = 0;

    lua_settop(L, 1);
    if (memchr(at, '%', n) != NULL || memchr(at, '+', n) != NULL)
        return 0;
    lua_createtable(L, 0, 12);
    while (at < end) {
        const char *amp = memchr(at, '&', (size_t)(end - at));
        const char *stop = amp == NULL ? end : amp;
        const spec_t *spec = take_pair(L, specs, at, (size_t)(stop - at), &seen);
        if (spec == NULL)
            return 0;
        needed += spec->need;
        at = stop + 1;
    }
    if (needed < specs->n_needed)
        return 0;
    return 1;
}

/* reader(fields): fields = { { name, need, among = set, min, max, plain = { kind, most, chars } }, .. }. */
static int l_reader(lua_State *L)
{
    lua_Integer n;
    specs_t *specs;

    luaL_checktype(L, 1, LUA_TTABLE);
    n = luaL_len(L, 1);
    luaL_argcheck(L, n <= FIELDS_MAX, 1, "at most 64 fields");
    lua_settop(L, 1);
    specs = lua_newuserdatauv(L, sizeof(*specs) + (size_t)n * sizeof(specs->v[0]), 0);
    *specs = (specs_t){.n = n};
    lua_createtable(L, (int)n, 0);
    lua_createtable(L, (int)n, 0);
    for (lua_Integer i = 1; i <= n; i++) {
        spec_t *spec = &specs->v[i - 1];
        (void)lua_geti(L, 1, i);
        read_field(L, spec, i, 4);
        specs->n_needed += spec->need;
        (void)lua_getfield(L, -1, "name");
        spec->name = luaL_checklstring(L, -1, &spec->name_n);
        link_spec(specs, i);
        lua_rawseti(L, 3, i);
        lua_settop(L, 4);
    }
    lua_pushcclosure(L, l_read, 3);
    return 1;
}

/* ---- which there must be ------------------------------------------------- */

/* Upvalues: the names as arguments, and how many of them must be there; the others must not. */
enum { UP_HOW_MANY = 1, UP_NEEDED };

static int l_has(lua_State *L)
{
    lua_Integer n = lua_tointeger(L, lua_upvalueindex(UP_HOW_MANY));
    lua_Integer needed = lua_tointeger(L, lua_upvalueindex(UP_NEEDED));
    bool fits = true;

    luaL_checktype(L, 1, LUA_TTABLE);
    for (lua_Integer i = 1; i <= n && fits; i++) {
        lua_settop(L, 1);
        lua_pushvalue(L, lua_upvalueindex(UP_NEEDED + (int)i));
        fits = (lua_rawget(L, 1) != LUA_TNIL) == (i <= needed);
    }
    lua_pushboolean(L, fits);
    return 1;
}

/* having(needed, refused) -> has(values): whether the table has a value for each of the names needed, and for none of
 * those refused. */
static int l_having(lua_State *L)
{
    lua_Integer n;

    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checktype(L, 2, LUA_TTABLE);
    n = luaL_len(L, 1) + luaL_len(L, 2);
    luaL_argcheck(L, n <= FIELDS_MAX, 2, "at most 64 names");
    luaL_checkstack(L, (int)n + 2, "having");
    lua_pushinteger(L, n);
    lua_pushinteger(L, luaL_len(L, 1));
    for (int list = 1; list <= 2; list++)
        for (lua_Integer i = 1; i <= luaL_len(L, list); i++)
            if (lua_geti(L, list, i) != LUA_TSTRING)
                return luaL_argerror(L, list, "a list of names expected");
    lua_pushcclosure(L, l_has, (int)n + UP_NEEDED);
    return 1;
}

int smcb_open_params(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"reader", l_reader},         {"having", l_having}, {"bounds", smcb_amount_bounds},
        {"order", smcb_amount_order}, {NULL, NULL},
    };

    luaL_newlib(L, functions);
    return 1;
}
