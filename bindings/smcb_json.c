/* smc.json - JSON in and out without a changed value: the module, its markers, and reading.
 *
 * Reading is jansson's, because it keeps 64-bit integers exact, refuses duplicate keys and names line and column; what is
 * usual is read by smcb_json_read.c before.
 */
#include "smcb_json.h"
#include "smcb.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { KEEP_BYTES = 64 * 1024 }; /* scratch memory that is kept from call to call */

/* Its address is the field of a marker metatable that holds the kind. */
static const char kind_key = 0;

static void scratch_reset(smcb_json_scratch_t *s)
{
    s->n_names = 0;
    if (s->out.cap > KEEP_BYTES)
        smc_buf_deinit(&s->out);
    else
        smc_buf_clear(&s->out);
}

smcb_json_scratch_t *smcb_json_scratch(lua_State *L)
{
    smcb_json_scratch_t *s = lua_touserdata(L, lua_upvalueindex(SMCB_JSON_SCRATCH));

    scratch_reset(s);
    return s;
}

static int scratch_gc(lua_State *L)
{
    smcb_json_scratch_t *s = lua_touserdata(L, 1);

    smc_buf_deinit(&s->out);
    free(s->names);
    s->names = NULL;
    return 0;
}

smcb_json_kind_t smcb_json_kind(lua_State *L, int idx)
{
    smcb_json_kind_t kind = SMCB_JSON_KIND_PLAIN;

    if (!lua_getmetatable(L, idx))
        return SMCB_JSON_KIND_PLAIN;
    if (lua_rawgetp(L, -1, &kind_key) == LUA_TNUMBER)
        kind = (smcb_json_kind_t)lua_tointeger(L, -1);
    lua_pop(L, 2);
    return kind;
}

/* ---- decode ------------------------------------------------------------- */

#define ROOT_MT "smc.json.root"

static int root_gc(lua_State *L)
{
    json_t **root = lua_touserdata(L, 1);

    json_decref(*root);
    *root = NULL;
    return 0;
}

/* Pushes what holds jansson's value while Lua's is made of it: that may raise, or run a finalizer that decodes. */
static json_t **push_root(lua_State *L)
{
    json_t **root = lua_newuserdatauv(L, sizeof(*root), 0);

    *root = NULL;
    if (luaL_newmetatable(L, ROOT_MT)) {
        lua_pushcfunction(L, root_gc);
        lua_setfield(L, -2, "__gc");
    }
    (void)lua_setmetatable(L, -2);
    return root;
}

/* Where the bracket stands that opens level SMCB_JSON_MAX_DEPTH + 1.  text is well-formed. */
static void find_too_deep(const char *text, size_t n, int *line, int *column)
{
    bool quoted = false;
    int depth = 0;

    *line = 1;
    *column = 0;
    for (size_t i = 0; i < n; i++) {
        char c = text[i];

        if (c == '\n') {
            ++*line;
            *column = 0;
            continue;
        }
        if (((unsigned char)c & 0xC0) != 0x80) /* jansson counts characters, too */
            ++*column;
        if (quoted && c == '\\') {
            i++;
            ++*column;
        } else if (c == '"') {
            quoted = !quoted;
        } else if (!quoted && (c == '[' || c == '{') && ++depth > SMCB_JSON_MAX_DEPTH) {
            return;
        } else if (!quoted && (c == ']' || c == '}')) {
            depth--;
        }
    }
}

static bool push_json(lua_State *L, json_t *v, int depth);

static bool push_array(lua_State *L, json_t *v, int depth)
{
    size_t n = json_array_size(v);

    if (depth >= SMCB_JSON_MAX_DEPTH)
        return false;
    lua_createtable(L, n < INT_MAX ? (int)n : 0, 0);
    for (size_t i = 0; i < n; i++) {
        if (!push_json(L, json_array_get(v, i), depth + 1))
            return false;
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_pushvalue(L, lua_upvalueindex(SMCB_JSON_ARRAY));
    lua_setmetatable(L, -2);
    return true;
}

static bool push_object(lua_State *L, json_t *v, int depth)
{
    size_t n = json_object_size(v);

    if (depth >= SMCB_JSON_MAX_DEPTH)
        return false;
    lua_createtable(L, 0, n < INT_MAX ? (int)n : 0);
    for (void *it = json_object_iter(v); it != NULL; it = json_object_iter_next(v, it)) {
        lua_pushlstring(L, json_object_iter_key(it), json_object_iter_key_len(it));
        if (!push_json(L, json_object_iter_value(it), depth + 1))
            return false;
        lua_rawset(L, -3);
    }
    return true;
}

/* False when v is nested too deep; the stack then holds what was built so far. */
static bool push_json(lua_State *L, json_t *v, int depth)
{
    luaL_checkstack(L, 4, "json.decode");
    switch (json_typeof(v)) {
    case JSON_OBJECT:
        return push_object(L, v, depth);
    case JSON_ARRAY:
        return push_array(L, v, depth);
    case JSON_STRING:
        lua_pushlstring(L, json_string_value(v), json_string_length(v));
        return true;
    case JSON_INTEGER:
        lua_pushinteger(L, json_integer_value(v));
        return true;
    case JSON_REAL:
        lua_pushnumber(L, json_real_value(v));
        return true;
    case JSON_TRUE:
    case JSON_FALSE:
        lua_pushboolean(L, json_is_true(v));
        return true;
    case JSON_NULL:
        break;
    }
    lua_pushlightuserdata(L, NULL);
    return true;
}

/* NULL: it is no JSON.  Behind a number or a word jansson passes over a NUL, which stands nowhere in JSON as it is. */
static json_t *load(const char *text, size_t n, smc_error_t *err)
{
    json_error_t why;
    json_t *root =
        json_loadb(text, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);
    const char *nul = root == NULL ? NULL : memchr(text, '\0', n), *quote;

    if (root != NULL && nul == NULL)
        return root;
    json_decref(root);
    if (nul != NULL) {
        (void)smc_fail(err, SMC_EPARSE, "json.decode", 0, "byte %zu is a NUL",
                       (size_t)(nul - text) + 1);
        return NULL;
    }
    /* Behind " near " jansson quotes the input, which may hold what no message should show. */
    quote = strstr(why.text, " near ");
    (void)smc_fail(err, SMC_EPARSE, "json.decode", 0, "line %d, column %d: %.*s", why.line,
                   why.column, quote != NULL ? (int)(quote - why.text) : INT_MAX, why.text);
    return NULL;
}

static int decode(lua_State *L)
{
    size_t n;
    const char *text = luaL_checklstring(L, 1, &n);
    json_t **root;
    smc_error_t err;
    int line, column;
    bool fits;

    lua_settop(L, 1);
    if (smcb_json_read_usual(L, text, n))
        return 1;
    root = push_root(L);
    *root = load(text, n, &err);
    if (*root == NULL)
        return smcb_push_fail(L, &err);
    fits = push_json(L, *root, 0);
    json_decref(*root); /* now, and not when the collector comes to it */
    *root = NULL;
    if (fits)
        return 1;
    lua_settop(L, 1);
    find_too_deep(text, n, &line, &column);
    (void)smc_fail(&err, SMC_EPARSE, "json.decode", 0, "line %d, column %d: nested deeper than %d",
                   line, column, SMCB_JSON_MAX_DEPTH);
    return smcb_push_fail(L, &err);
}

/* ---- markers ------------------------------------------------------------ */

static int mark_array(lua_State *L)
{
    if (lua_isnoneornil(L, 1)) {
        lua_settop(L, 0);
        lua_newtable(L);
    }
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    luaL_argcheck(L, !lua_getmetatable(L, 1) || smcb_json_kind(L, 1) == SMCB_JSON_KIND_ARRAY, 1,
                  "has a metatable of its own");
    lua_settop(L, 1);
    lua_pushvalue(L, lua_upvalueindex(SMCB_JSON_ARRAY));
    lua_setmetatable(L, 1);
    return 1;
}

/* Moves the key and the value on top of the stack into the object at idx; a nil value leaves the key out. */
static void add_pair(lua_State *L, int idx, lua_Integer *n)
{
    if (lua_isnil(L, -1)) {
        lua_pop(L, 2);
        return;
    }
    lua_rawseti(L, idx, *n + 2);
    lua_rawseti(L, idx, *n + 1);
    *n += 2;
}

static void add_list(lua_State *L, int obj)
{
    lua_Integer n = 0;
    lua_Integer count = (lua_Integer)lua_rawlen(L, 1);

    for (lua_Integer i = 1; i <= count; i++) {
        if (lua_rawgeti(L, 1, i) != LUA_TTABLE || lua_rawgeti(L, -1, 1) != LUA_TSTRING)
            luaL_error(L, "json.object: pair %I is not {\"key\", value}", (LUAI_UACINT)i);
        (void)lua_rawgeti(L, -2, 2);
        add_pair(L, obj, &n);
        lua_pop(L, 1);
    }
}

/* Of the arguments, key, value, key, value: moved into the table from the last to the first, so that none is copied. */
static void add_arguments(lua_State *L, int top)
{
    lua_Integer n = 0;

    for (int i = 1; i < top; i += 2) {
        luaL_checktype(L, i, LUA_TSTRING);
        n += lua_isnil(L, i + 1) ? 0 : 2;
    }
    lua_insert(L, 1);
    for (; top > 0; top -= 2) {
        if (lua_isnil(L, -1)) {
            lua_pop(L, 2);
            continue;
        }
        lua_rawseti(L, 1, n--);
        lua_rawseti(L, 1, n--);
    }
}

static int make_object(lua_State *L)
{
    int top = lua_gettop(L);
    bool list = top == 1 && lua_istable(L, 1);

    if (!list && top % 2 != 0)
        return luaL_error(L, "json.object: a key without a value");
    lua_createtable(L, list ? 2 * (int)lua_rawlen(L, 1) : top, 0);
    if (list)
        add_list(L, top + 1);
    else
        add_arguments(L, top);
    lua_pushvalue(L, lua_upvalueindex(SMCB_JSON_OBJECT));
    lua_setmetatable(L, -2);
    return 1;
}

static int make_raw(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TSTRING);
    lua_createtable(L, 1, 0);
    lua_pushvalue(L, 1);
    lua_rawseti(L, -2, 1);
    lua_pushvalue(L, lua_upvalueindex(SMCB_JSON_RAW));
    lua_setmetatable(L, -2);
    return 1;
}

static void push_marker(lua_State *L, smcb_json_kind_t kind, const char *name)
{
    lua_createtable(L, 0, 2);
    lua_pushstring(L, name);
    lua_setfield(L, -2, "__name");
    lua_pushinteger(L, kind);
    lua_rawsetp(L, -2, &kind_key);
}

int smcb_open_json(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"decode", decode},    {"encode", smcb_json_encode},
        {"array", mark_array}, {"object", make_object},
        {"raw", make_raw},     {"shape", smcb_json_shape},
        {NULL, NULL},
    };
    smcb_json_scratch_t *s;

    luaL_newlibtable(L, functions);
    s = lua_newuserdatauv(L, sizeof(*s), 0);
    *s = (smcb_json_scratch_t){0};
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, scratch_gc);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    push_marker(L, SMCB_JSON_KIND_ARRAY, "json.array");
    push_marker(L, SMCB_JSON_KIND_OBJECT, "json.object");
    push_marker(L, SMCB_JSON_KIND_RAW, "json.raw");
    luaL_setfuncs(L, functions, SMCB_JSON_RAW);
    lua_pushlightuserdata(L, NULL);
    lua_setfield(L, -2, "null");
    return 1;
}
