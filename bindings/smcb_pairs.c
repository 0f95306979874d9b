/* pairs in an order.  Lua draws the order of keys anew in every process, so a scenario that walks a table would not repeat
 * under its seed.  This pairs goes through numbers, then strings, then booleans, each in order; keys of other types
 * (tables, functions) come last, in no order.  As with Lua's own, fields may be changed or removed meanwhile. */
#include "smcb.h"

#include <stdlib.h>
#include <string.h>

typedef enum rank { NUMBER, TEXT, TRUTH, OTHER } rank_t;

typedef struct name {
    rank_t rank;
    bool is_float;
    lua_Integer at; /* in the list of keys */
    union {
        lua_Integer integer; /* of true 0, of false 1 */
        lua_Number number;
        const char *text; /* kept by the list of keys */
    };
    size_t length; /* of the text */
} name_t;

/* What the iterator walks along. */
typedef struct walk {
    lua_Integer next, n, room;
    name_t names[];
} walk_t;

enum { UP_TABLE = 1, UP_KEYS, UP_WALK, UP_COUNT = 3 };

static lua_Integer count_keys(lua_State *L, int table)
{
    lua_Integer n = 0;

    lua_pushnil(L);
    for (; lua_next(L, table) != 0; n++)
        lua_pop(L, 1);
    return n;
}

/* Of the key at the top. */
static name_t name_of(lua_State *L, lua_Integer at)
{
    name_t name = {.rank = OTHER, .at = at};

    switch (lua_type(L, -1)) {
    case LUA_TNUMBER:
        name.rank = NUMBER;
        name.is_float = lua_isinteger(L, -1) == 0;
        if (name.is_float)
            name.number = lua_tonumber(L, -1);
        else
            name.integer = lua_tointeger(L, -1);
        break;
    case LUA_TSTRING:
        name.rank = TEXT;
        name.text = lua_tolstring(L, -1, &name.length);
        break;
    case LUA_TBOOLEAN:
        name.rank = TRUTH;
        name.integer = lua_toboolean(L, -1) ? 0 : 1;
        break;
    default:
        break;
    }
    return name;
}

static int compare_texts(const name_t *a, const name_t *b)
{
    int order = memcmp(a->text, b->text, a->length < b->length ? a->length : b->length);

    return order != 0 ? order : (a->length > b->length) - (a->length < b->length);
}

/* Exact: it holds every integer and every float. */
static long double amount_of(const name_t *name)
{
    return name->is_float ? (long double)name->number : (long double)name->integer;
}

static int compare_amounts(const name_t *a, const name_t *b)
{
    long double x, y;

    if (!a->is_float && !b->is_float)
        return (a->integer > b->integer) - (a->integer < b->integer);
    x = amount_of(a);
    y = amount_of(b);
    return (x > y) - (x < y);
}

static int compare(const void *left, const void *right)
{
    const name_t *a = left, *b = right;

    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    if (a->rank == TEXT)
        return compare_texts(a, b);
    if (a->rank == OTHER)
        return a->at < b->at ? -1 : 1;
    return compare_amounts(a, b);
}

/* Fills the list of keys, which is at the top, and what is known of them.  false: there are more than there is room for. */
static bool list_keys(lua_State *L, int table, walk_t *walk)
{
    int keys = lua_gettop(L);
    bool in_order = true;

    lua_pushnil(L);
    while (lua_next(L, table) != 0) {
        lua_pop(L, 1);
        if (walk->n == walk->room)
            return false;
        walk->names[walk->n] = name_of(L, walk->n + 1);
        in_order = in_order &&
                   (walk->n == 0 || compare(&walk->names[walk->n - 1], &walk->names[walk->n]) < 0);
        walk->n++;
        lua_pushvalue(L, -1);
        lua_rawseti(L, keys, walk->n);
    }
    if (!in_order)
        qsort(walk->names, (size_t)walk->n, sizeof(walk->names[0]), compare);
    return true;
}

/* Pushes what an iterator over the table at 1 walks along, and below it the list of its keys.  Memory is asked for once they
 * are counted: then the collector may run, and a finalizer of the scenario's add some.  Then it begins anew. */
static void push_walk(lua_State *L)
{
    int top = lua_gettop(L);
    lua_Integer n;
    walk_t *walk;

    do {
        lua_settop(L, top);
        n = count_keys(L, 1);
        lua_createtable(L, n < INT32_MAX ? (int)n : 0, 0);
        walk = lua_newuserdatauv(L, sizeof(*walk) + (size_t)n * sizeof(walk->names[0]), 0);
        *walk = (walk_t){.room = n};
        lua_insert(L, -2);
    } while (!list_keys(L, 1, walk));
    lua_insert(L, -2);
}

/* -> the next key and its value, in the order of when the walk began; nil at its end */
static int l_next(lua_State *L)
{
    walk_t *walk = lua_touserdata(L, lua_upvalueindex(UP_WALK));

    while (walk->next < walk->n) {
        (void)lua_rawgeti(L, lua_upvalueindex(UP_KEYS), walk->names[walk->next++].at);
        lua_pushvalue(L, -1);
        if (lua_rawget(L, lua_upvalueindex(UP_TABLE)) != LUA_TNIL)
            return 2;
        lua_pop(L, 2); /* removed meanwhile */
    }
    lua_pushnil(L);
    return 1;
}

static int after_metamethod(lua_State *L, int status, lua_KContext context)
{
    (void)L;
    (void)status;
    (void)context;
    return 3;
}

/* pairs(t).  Upvalue 1: Lua's next, for what is no table: it tells who wanted one. */
static int l_pairs(lua_State *L)
{
    luaL_checkany(L, 1);
    lua_settop(L, 1);
    if (luaL_getmetafield(L, 1, "__pairs") != LUA_TNIL) {
        lua_pushvalue(L, 1);
        lua_callk(L, 1, 3, 0, after_metamethod);
        return 3;
    }
    if (!lua_istable(L, 1)) {
        lua_pushvalue(L, lua_upvalueindex(1));
        lua_pushvalue(L, 1);
        lua_pushnil(L);
        return 3;
    }
    lua_pushvalue(L, 1);
    push_walk(L);
    lua_pushcclosure(L, l_next, UP_COUNT);
    lua_pushvalue(L, 1);
    lua_pushnil(L);
    return 3;
}

/* The module is the function. */
int smcb_open_pairs(lua_State *L)
{
    lua_getglobal(L, "next");
    lua_pushcclosure(L, l_pairs, 1);
    return 1;
}
