/* json.shape - JSON objects that always have the same names in the same order, made of records. */
#include "smcb_json.h"

#include <lauxlib.h>

#include <stdbool.h>
#include <string.h>

#define TEXT_MAX 128

/* Upvalues of a shape, behind those of the module: a list of parts, PER_ITEM for each item; an item_t for each, and then a
 * name for each. */
enum { UP_PARTS = SMCB_JSON_RAW + 1, UP_ITEMS };
/* NAME: as it stands in the text, with quotes and colon. */
enum { NAME = 1, KEY, INNER, FIELD, PER_ITEM = FIELD, FORM };

typedef enum form { FORM_AS_IS, FORM_UPPER, FORM_DECIMALS } form_t;

typedef struct item {
    form_t form;
    size_t decimals;
    bool inner;    /* has an INNER and a FIELD.. */
    bool computed; /* ..which is a function */
} item_t;

/* ---- values ------------------------------------------------------------- */

/* "0.5" with exactly so many decimals; more than that are cut off. */
static size_t put_decimals(char *out, const char *text, size_t n, size_t decimals)
{
    const char *point = memchr(text, '.', n);
    size_t whole = point == NULL ? n : (size_t)(point - text);
    size_t have = point == NULL ? 0 : n - whole - 1;
    size_t kept = have < decimals ? have : decimals;

    memcpy(out, text, whole);
    out[whole] = '.';
    if (kept > 0)
        memcpy(out + whole + 1, point + 1, kept);
    memset(out + whole + 1 + kept, '0', decimals - kept);
    return whole + 1 + decimals;
}

static size_t put_upper(char *out, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (char)(text[i] >= 'a' && text[i] <= 'z' ? text[i] - ('a' - 'A') : text[i]);
    return n;
}

/* Gives the text on top its form.  What is no text, or too long a one, stays as it is. */
static void give_form(lua_State *L, const item_t *item)
{
    char out[TEXT_MAX];
    size_t n;
    const char *text;

    if (item->form == FORM_AS_IS || lua_type(L, -1) != LUA_TSTRING)
        return;
    text = lua_tolstring(L, -1, &n);
    if (n + item->decimals + 1 > sizeof(out))
        return;
    n = item->form == FORM_UPPER ? put_upper(out, text, n)
                                 : put_decimals(out, text, n, item->decimals);
    lua_pop(L, 1);
    lua_pushlstring(L, out, n);
}

/* Pushes what the record at 1 has in the inner record that the item names. */
static void push_inner(lua_State *L, const item_t *item, lua_Integer i)
{
    (void)lua_rawgeti(L, lua_upvalueindex(UP_PARTS), i + INNER);
    if (lua_rawget(L, 1) != LUA_TTABLE)
        return; /* nil, we hope; it is no value of ours */
    (void)lua_rawgeti(L, lua_upvalueindex(UP_PARTS), i + FIELD);
    if (item->computed) {
        lua_insert(L, -2);
        lua_pushvalue(L, 1);
        lua_call(L, 2, 1);
    } else {
        (void)lua_rawget(L, -2);
        lua_remove(L, -2);
    }
    give_form(L, item);
}

/* Pushes the i-th value of the record at 1. */
static void push_value(lua_State *L, const item_t *item, lua_Integer i)
{
    (void)lua_rawgeti(L, lua_upvalueindex(UP_PARTS), i + KEY);
    if (lua_rawget(L, 1) != LUA_TNIL || !item->inner)
        return;
    lua_pop(L, 1);
    push_inner(L, item, i);
}

/* shape(record) -> json.raw.  All values first: the functions of items are Lua, which may encode, too. */
static int l_write(lua_State *L)
{
    int n = (int)lua_rawlen(L, lua_upvalueindex(UP_PARTS)) / PER_ITEM;
    const item_t *items = lua_touserdata(L, lua_upvalueindex(UP_ITEMS));
    const smcb_json_name_t *names = (const void *)(items + n);

    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checkstack(L, n + 8, "json.shape");
    lua_settop(L, 1);
    lua_createtable(L, 1, 0);
    lua_pushvalue(L, lua_upvalueindex(SMCB_JSON_RAW));
    (void)lua_setmetatable(L, 2);
    for (int i = 0; i < n; i++)
        push_value(L, &items[i], i * PER_ITEM);
    smcb_json_push_object(L, names, 3, n);
    lua_rawseti(L, 2, 1);
    lua_settop(L, 2);
    return 1;
}

/* ---- making one --------------------------------------------------------- */

static item_t read_item(lua_State *L, int idx)
{
    item_t item = {.inner = lua_geti(L, idx, INNER) != LUA_TNIL};

    if (item.inner)
        (void)luaL_checkstring(L, -1);
    item.computed = lua_geti(L, idx, FIELD) == LUA_TFUNCTION;
    luaL_argcheck(L, !item.inner || item.computed || lua_type(L, -1) == LUA_TSTRING, 1,
                  "a field must be a name or a function");
    if (lua_geti(L, idx, FORM) == LUA_TNUMBER) {
        item.form = FORM_DECIMALS;
        item.decimals = (size_t)luaL_checkinteger(L, -1);
    } else if (!lua_isnil(L, -1)) {
        luaL_argcheck(L, strcmp(luaL_checkstring(L, -1), "upper") == 0, 1,
                      "a form must be a number of decimals or \"upper\"");
        item.form = FORM_UPPER;
    }
    lua_pop(L, 3);
    return item;
}

/* Pushes a part of the item at idx; a name with its quotes and colon, false for what is not there. */
static void push_part(lua_State *L, int idx, int part)
{
    if (lua_geti(L, idx, part) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_pushboolean(L, 0); /* a list holds no nil */
    }
    if (part == KEY)
        (void)luaL_checkstring(L, -1);
    if (part != NAME)
        return;
    luaL_argcheck(L, strpbrk(luaL_checkstring(L, -1), "\"\\") == NULL, 1, "a name needs escapes");
    lua_pushfstring(L, "\"%s\":", lua_tostring(L, -1));
    lua_remove(L, -2);
}

/* shape(items).  See bindings/meta/json.lua. */
int smcb_json_shape(lua_State *L)
{
    lua_Integer n;
    item_t *items;
    smcb_json_name_t *names;

    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    n = luaL_len(L, 1);
    for (int up = SMCB_JSON_SCRATCH; up <= SMCB_JSON_RAW; up++)
        lua_pushvalue(L, lua_upvalueindex(up));
    lua_createtable(L, (int)n * PER_ITEM, 0); /* 6 */
    items = lua_newuserdatauv(L, (size_t)n * (sizeof(*items) + sizeof(*names)) + 1, 0);
    names = (void *)(items + n);
    for (lua_Integer i = 0; i < n; i++) {
        luaL_argcheck(L, lua_geti(L, 1, i + 1) == LUA_TTABLE, 1, "a list of lists expected");
        items[i] = read_item(L, 8);
        for (int part = NAME; part <= PER_ITEM; part++) {
            push_part(L, 8, part);
            if (part == NAME) /* the list keeps it */
                names[i].text = lua_tolstring(L, -1, &names[i].len);
            lua_rawseti(L, 6, i * PER_ITEM + part);
        }
        lua_settop(L, 7);
    }
    lua_pushcclosure(L, l_write, UP_ITEMS);
    return 1;
}
