/* smc.core.shape - JSON objects that always have the same names in the same order, made of records. */
#include "smcb.h"

#include <string.h>

#define TEXT_MAX 128

/* Upvalues of a shape: an array of NAME, KEY, FIELD, NAME, KEY, FIELD..; an item_t for each; the name of the inner record;
 * the marker of json.object. */
enum { UP_NAMES = 1, UP_ITEMS, UP_INNER, UP_MARKER };
enum { NAME = 1, KEY, FIELD, PER_ITEM = FIELD };

typedef enum form { FORM_AS_IS, FORM_UPPER, FORM_DECIMALS } form_t;

typedef struct item {
    form_t form;
    size_t decimals;
    bool inner; /* has a FIELD */
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

/* Pushes the i-th value of the record at 1, whose inner record is at 2. */
static void push_value(lua_State *L, const item_t *item, lua_Integer i)
{
    (void)lua_rawgeti(L, lua_upvalueindex(UP_NAMES), i + KEY);
    if (lua_rawget(L, 1) != LUA_TNIL)
        return;
    lua_pop(L, 1);
    if (item->inner && lua_istable(L, 2)) {
        (void)lua_rawgeti(L, lua_upvalueindex(UP_NAMES), i + FIELD);
        (void)lua_rawget(L, 2);
        give_form(L, item);
        return;
    }
    (void)lua_rawgeti(L, lua_upvalueindex(UP_NAMES), i + KEY);
    (void)lua_gettable(L, 1);
}

/* shape(record) -> json.object. */
static int l_write(lua_State *L)
{
    const item_t *items = lua_touserdata(L, lua_upvalueindex(UP_ITEMS));
    lua_Integer n = (lua_Integer)lua_rawlen(L, lua_upvalueindex(UP_NAMES)), at = 0;

    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    lua_pushvalue(L, lua_upvalueindex(UP_INNER));
    (void)lua_rawget(L, 1);
    lua_createtable(L, (int)(n / PER_ITEM) * 2, 0);
    for (lua_Integer i = 0; i < n; i += PER_ITEM) {
        push_value(L, &items[i / PER_ITEM], i);
        if (lua_isnil(L, -1)) {
            lua_pop(L, 1);
            continue;
        }
        lua_rawseti(L, 3, at + 2);
        (void)lua_rawgeti(L, lua_upvalueindex(UP_NAMES), i + NAME);
        lua_rawseti(L, 3, at + 1);
        at += 2;
    }
    lua_pushvalue(L, lua_upvalueindex(UP_MARKER));
    (void)lua_setmetatable(L, 3);
    return 1;
}

/* ---- making one --------------------------------------------------------- */

static item_t read_item(lua_State *L, int idx)
{
    item_t item = {.inner = lua_geti(L, idx, FIELD) != LUA_TNIL};

    if (lua_geti(L, idx, PER_ITEM + 1) == LUA_TNUMBER) {
        item.form = FORM_DECIMALS;
        item.decimals = (size_t)luaL_checkinteger(L, -1);
    } else if (!lua_isnil(L, -1)) {
        luaL_argcheck(L, strcmp(luaL_checkstring(L, -1), "upper") == 0, 1,
                      "a form must be a number of decimals or \"upper\"");
        item.form = FORM_UPPER;
    }
    lua_pop(L, 2);
    return item;
}

/* new(items, inner, marker): items = { { name, key, field, form }, .. }.  A value is record[key]; if the record itself has
 * none and there is a field, record[inner][field], in its form: a number of decimals, or "upper".  nil is left out.
 * marker: the metatable of json.object. */
static int l_new(lua_State *L)
{
    lua_Integer n;
    item_t *items;

    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checktype(L, 2, LUA_TSTRING);
    luaL_checktype(L, 3, LUA_TTABLE);
    lua_settop(L, 3);
    n = luaL_len(L, 1);
    lua_createtable(L, (int)n * PER_ITEM, 0);
    items = lua_newuserdatauv(L, (size_t)n * sizeof(*items) + 1, 0);
    for (lua_Integer i = 0; i < n; i++) {
        (void)lua_geti(L, 1, i + 1);
        items[i] = read_item(L, 6);
        for (int part = NAME; part <= FIELD; part++) {
            if (lua_geti(L, 6, part) == LUA_TNIL) { /* a table may hold no nil */
                lua_pop(L, 1);
                lua_pushboolean(L, 0);
            }
            lua_rawseti(L, 4, i * PER_ITEM + part);
        }
        lua_settop(L, 5);
    }
    lua_pushvalue(L, 2);
    lua_pushvalue(L, 3);
    lua_pushcclosure(L, l_write, 4);
    return 1;
}

int smcb_open_shape(lua_State *L)
{
    static const luaL_Reg functions[] = {{"new", l_new}, {NULL, NULL}};

    luaL_newlib(L, functions);
    return 1;
}
