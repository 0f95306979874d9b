/* json.shape - JSON objects that always have the same names in the same order, made of records. */
#include "smcb_json.h"

#include <lauxlib.h>

#include <string.h>

/* Upvalues of a shape, behind those of the module: a list of parts, PER_ITEM for each item; the items. */
enum { UP_PARTS = SMCB_JSON_RAW + 1, UP_ITEMS };
enum { NAME = 1, KEY, INNER, FIELD, PER_ITEM = FIELD, FORM };
/* The stack of a shape at work: its record, its result, the inner record at hand, the values. */
enum { AT_RECORD = 1, AT_RESULT, AT_INNER, AT_VALUES };

/* Pushes a part of the item whose parts begin behind i. */
static void push_upvalue(lua_State *L, int i, int part)
{
    (void)lua_rawgeti(L, lua_upvalueindex(UP_PARTS), i + part);
}

/* Pushes what the inner record has, or what the function makes of it. */
static void push_inner(lua_State *L, const smcb_json_item_t *item, int i)
{
    if (!lua_istable(L, AT_INNER)) {
        lua_pushnil(L);
        return;
    }
    push_upvalue(L, i, FIELD);
    if (!item->computed) {
        (void)lua_rawget(L, AT_INNER);
        return;
    }
    lua_pushvalue(L, AT_INNER);
    lua_pushvalue(L, AT_RECORD);
    lua_call(L, 2, 1);
}

/* Pushes the value of an item; true when it is the inner record's. */
static bool push_value(lua_State *L, const smcb_json_item_t *item, int i)
{
    if (item->inner && !item->same) {
        push_upvalue(L, i, INNER);
        (void)lua_rawget(L, AT_RECORD);
        lua_replace(L, AT_INNER);
    }
    push_upvalue(L, i, KEY);
    if (lua_rawget(L, AT_RECORD) != LUA_TNIL || !item->inner)
        return false;
    lua_pop(L, 1);
    push_inner(L, item, i);
    return true;
}

/* shape(record) -> json.raw.  All values first: the functions of items are Lua, which may encode, too. */
static int l_write(lua_State *L)
{
    int n = (int)lua_rawlen(L, lua_upvalueindex(UP_PARTS)) / PER_ITEM;
    const smcb_json_item_t *items = lua_touserdata(L, lua_upvalueindex(UP_ITEMS));
    uint64_t formed = 0;

    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checkstack(L, n + 8, "json.shape");
    lua_settop(L, 1);
    lua_createtable(L, 1, 0);
    lua_pushvalue(L, lua_upvalueindex(SMCB_JSON_RAW));
    (void)lua_setmetatable(L, AT_RESULT);
    lua_pushnil(L);
    for (int i = 0; i < n; i++)
        formed |= (uint64_t)push_value(L, &items[i], i * PER_ITEM) << i;
    smcb_json_push_object(L, items, n, AT_VALUES, formed);
    lua_rawseti(L, AT_RESULT, 1);
    lua_settop(L, AT_RESULT);
    return 1;
}

/* ---- making one --------------------------------------------------------- */

static smcb_json_item_t read_item(lua_State *L, int idx)
{
    smcb_json_item_t item = {.inner = lua_geti(L, idx, INNER) != LUA_TNIL};

    if (item.inner)
        (void)luaL_checkstring(L, -1);
    item.computed = lua_geti(L, idx, FIELD) == LUA_TFUNCTION;
    luaL_argcheck(L, !item.inner || item.computed || lua_type(L, -1) == LUA_TSTRING, 1,
                  "a field must be a name or a function");
    if (lua_geti(L, idx, FORM) == LUA_TNUMBER) {
        item.form = SMCB_JSON_DECIMALS;
        item.decimals = (size_t)luaL_checkinteger(L, -1);
    } else if (!lua_isnil(L, -1)) {
        luaL_argcheck(L, strcmp(luaL_checkstring(L, -1), "upper") == 0, 1,
                      "a form must be a number of decimals or \"upper\"");
        item.form = SMCB_JSON_UPPER;
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

enum { NEW_ITEMS = 1, NEW_PARTS = NEW_ITEMS + SMCB_JSON_RAW + 1, NEW_USERDATA, NEW_ITEM };

/* Whether item i asks the same inner record as the item before that asks any. */
static bool is_same(lua_State *L, const smcb_json_item_t *items, lua_Integer i)
{
    bool same;
    lua_Integer before = i - 1;

    while (before >= 0 && !items[before].inner)
        before--;
    if (before < 0)
        return false;
    (void)lua_rawgeti(L, NEW_PARTS, i * PER_ITEM + INNER);
    (void)lua_rawgeti(L, NEW_PARTS, before * PER_ITEM + INNER);
    same = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return same;
}

static void add_item(lua_State *L, smcb_json_item_t *items, lua_Integer i)
{
    luaL_argcheck(L, lua_geti(L, NEW_ITEMS, i + 1) == LUA_TTABLE, 1, "a list of lists expected");
    items[i] = read_item(L, NEW_ITEM);
    for (int part = NAME; part <= PER_ITEM; part++) {
        push_part(L, NEW_ITEM, part);
        if (part == NAME) /* the list keeps it */
            items[i].name.text = lua_tolstring(L, -1, &items[i].name.len);
        lua_rawseti(L, NEW_PARTS, i * PER_ITEM + part);
    }
    items[i].same = items[i].inner && is_same(L, items, i);
    lua_settop(L, NEW_USERDATA);
}

/* shape(items).  See bindings/meta/json.lua. */
int smcb_json_shape(lua_State *L)
{
    lua_Integer n;
    smcb_json_item_t *items;

    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, NEW_ITEMS);
    n = luaL_len(L, NEW_ITEMS);
    luaL_argcheck(L, n <= SMCB_JSON_ITEMS_MAX, 1, "at most 64 items");
    for (int up = SMCB_JSON_SCRATCH; up <= SMCB_JSON_RAW; up++)
        lua_pushvalue(L, lua_upvalueindex(up));
    lua_createtable(L, (int)n * PER_ITEM, 0);
    items = lua_newuserdatauv(L, (size_t)n * sizeof(*items) + 1, 0);
    for (lua_Integer i = 0; i < n; i++)
        add_item(L, items, i);
    lua_pushcclosure(L, l_write, UP_ITEMS);
    return 1;
}
