/* json.shape - JSON objects that always have the same names in the same order, made of records. */
#include "smcb_json.h"

#include <lauxlib.h>

#include <string.h>

/* Upvalues of a shape, behind those of the module: the fields and functions of its items, by item, then what they need;
 * its smcb_json_shape_t; the strings that this points into, and the shapes. */
enum { UP_FIELDS = SMCB_JSON_RAW + 1, UP_SHAPE, UP_KEPT };
enum { NAME = 1, KEY, INNER, FIELD, FORM }; /* of an item, by position */
/* The stack of a shape at work: its record, its result, then the values. */
enum { AT_RECORD = 1, AT_RESULT };

typedef struct work {
    lua_State *L;
    smcb_json_shape_t *shape;
    smcb_json_sources_t from;
} work_t;

static const char *key_of(const smcb_json_shape_t *shape, int i)
{
    return i < shape->n ? shape->items[i].key : shape->slots[i - shape->n];
}

/* Keys of records are short strings of programs: of those Lua has one each, so that their address tells them apart. */
static short *bucket(smcb_json_shape_t *shape, const char *key)
{
    return &shape->first[((uintptr_t)key >> 4 ^ (uintptr_t)key >> 10) % SMCB_JSON_BUCKETS];
}

/* Values of the record itself stay on the stack. */
static void take_own(work_t *w)
{
    lua_State *L = w->L;
    smcb_json_shape_t *shape = w->shape;

    lua_pushnil(L);
    while (lua_next(L, AT_RECORD) != 0) {
        const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : NULL;
        bool taken = false;
        for (int i = key == NULL ? -1 : *bucket(shape, key); i >= 0; i = shape->next[i]) {
            if (key_of(shape, i) != key)
                continue;
            w->from.at[i] = (unsigned char)(lua_gettop(L) - 1);
            taken = true;
        }
        if (taken)
            lua_insert(L, -2);
        else
            lua_pop(L, 1);
    }
}

void smcb_json_resolve(smcb_json_item_t *item, const smcb_record_type_t *type)
{
    if (item->type == type)
        return;
    item->type = type;
    item->at = item->field == NULL ? -1 : smcb_record_find(type, item->field);
    item->needs_at = item->needs == NULL ? -1 : smcb_record_find(type, item->needs);
}

static bool is_there(const smcb_field_t *f)
{
    return f->kind != SMCB_FIELD_NONE && !(f->kind == SMCB_FIELD_TEXT && f->text[0] == '\0');
}

bool smcb_json_has_needed(lua_State *L, const smcb_json_shape_t *shape,
                          const smcb_json_sources_t *from, int i)
{
    const smcb_json_item_t *item = &shape->items[i];
    const smcb_record_t *record = from->records[item->inner];
    size_t n = 0;
    bool found;

    if (item->needs == NULL)
        return true;
    if (record != NULL) {
        smcb_field_t f = record->type->get(record, 0, item->needs_at);
        return is_there(&f);
    }
    (void)lua_rawgeti(L, from->fields, shape->n + i + 1);
    found = lua_rawget(L, from->at[shape->n + item->inner]) != LUA_TNIL &&
            (lua_type(L, -1) != LUA_TSTRING || (lua_tolstring(L, -1, &n) != NULL && n > 0));
    lua_pop(L, 1);
    return found;
}

/* Item i as its function says, unless the record itself has it. */
static void compute(work_t *w, int i)
{
    lua_State *L = w->L;
    smcb_json_item_t *item = &w->shape->items[i];
    int inner = w->from.at[w->shape->n + item->inner];
    const smcb_record_t *record = w->from.records[item->inner];

    if (w->from.at[i] != 0 || (record == NULL && !lua_istable(L, inner)))
        return;
    if (record != NULL)
        smcb_json_resolve(item, record->type);
    if (!smcb_json_has_needed(L, w->shape, &w->from, i))
        return;
    (void)lua_rawgeti(L, w->from.fields, i + 1);
    lua_pushvalue(L, inner);
    lua_pushvalue(L, AT_RECORD);
    lua_call(L, 2, 1);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        return;
    }
    w->from.at[i] = (unsigned char)lua_gettop(L);
    w->from.formed |= (uint64_t)1 << i;
}

/* Functions come first: they are Lua, which may encode, too. */
static void take_values(work_t *w)
{
    const smcb_json_shape_t *shape = w->shape;

    take_own(w);
    for (int i = 0; i < shape->n_slots; i++) {
        int at = w->from.at[shape->n + i];
        w->from.records[i] = at == 0 ? NULL : smcb_record_test(w->L, at);
    }
    for (int i = 0; i < shape->n; i++)
        if (shape->items[i].computed && w->from.at[shape->n + shape->items[i].inner] != 0)
            compute(w, i);
}

/* shape(record) -> json.raw; of a list of records an array. */
static int l_write(lua_State *L)
{
    work_t w = {.L = L,
                .shape = lua_touserdata(L, lua_upvalueindex(UP_SHAPE)),
                .from = {.fields = lua_upvalueindex(UP_FIELDS)}};
    const smcb_record_t *list = smcb_record_test(L, AT_RECORD);

    if (list == NULL || !list->type->is_list)
        luaL_checktype(L, AT_RECORD, LUA_TTABLE);
    luaL_checkstack(L, SMCB_JSON_KEYS_MAX + 10, "json.shape");
    lua_settop(L, 1);
    lua_createtable(L, 1, 0);
    lua_pushvalue(L, lua_upvalueindex(SMCB_JSON_RAW));
    (void)lua_setmetatable(L, AT_RESULT);
    if (list != NULL) {
        smcb_json_push_list(L, w.shape, list);
    } else {
        take_values(&w);
        smcb_json_push_object(L, w.shape, &w.from);
    }
    lua_rawseti(L, AT_RESULT, 1);
    lua_settop(L, AT_RESULT);
    return 1;
}

/* ---- making one --------------------------------------------------------- */

enum { NEW_ITEMS = 1, NEW_FIELDS = NEW_ITEMS + SMCB_JSON_RAW + 1, NEW_SHAPE, NEW_KEPT, NEW_ITEM };

/* Keeps the string on top for as long as the shape lives, and pops it. */
static const char *keep(lua_State *L, size_t *n)
{
    const char *text = lua_tolstring(L, -1, n);

    lua_rawseti(L, NEW_KEPT, (lua_Integer)lua_rawlen(L, NEW_KEPT) + 1);
    return text;
}

/* What is at idx of the item, NULL when nothing is. */
static const char *string_of(lua_State *L, int position, const char *name)
{
    size_t n;
    int type = name != NULL ? lua_getfield(L, NEW_ITEM, name) : lua_geti(L, NEW_ITEM, position);

    if (type == LUA_TNIL) {
        lua_pop(L, 1);
        return NULL;
    }
    luaL_argcheck(L, type == LUA_TSTRING, 1, "names and fields of items must be strings");
    return keep(L, &n);
}

/* The shape that is `each` of the item, NULL when it has none. */
static smcb_json_shape_t *read_each(lua_State *L)
{
    smcb_json_shape_t *each;

    if (lua_getfield(L, NEW_ITEM, "each") == LUA_TNIL) {
        lua_pop(L, 1);
        return NULL;
    }
    luaL_argcheck(L, lua_tocfunction(L, -1) == l_write, 1, "each must be a shape");
    (void)lua_getupvalue(L, -1, UP_SHAPE);
    each = lua_touserdata(L, -1);
    lua_pop(L, 1);
    lua_rawseti(L, NEW_KEPT, (lua_Integer)lua_rawlen(L, NEW_KEPT) + 1);
    return each;
}

static int slot_of(lua_State *L, smcb_json_shape_t *shape, const char *key)
{
    if (key == NULL)
        return -1;
    for (int i = 0; i < shape->n_slots; i++)
        if (shape->slots[i] == key)
            return i;
    luaL_argcheck(L, shape->n_slots < SMCB_JSON_SLOTS_MAX, 1, "too many inner records");
    shape->slots[shape->n_slots] = key;
    return shape->n_slots++;
}

static void read_form(lua_State *L, smcb_json_item_t *item)
{
    if (lua_geti(L, NEW_ITEM, FORM) == LUA_TNUMBER) {
        lua_Integer decimals = luaL_checkinteger(L, -1);
        luaL_argcheck(L, decimals >= 0 && decimals <= SMC_DEC_PLACES, 1,
                      "a form has 0 to 18 decimals");
        item->form = SMCB_JSON_DECIMALS;
        item->decimals = (size_t)decimals;
    } else if (!lua_isnil(L, -1)) {
        luaL_argcheck(L, strcmp(luaL_checkstring(L, -1), "upper") == 0, 1,
                      "a form must be a number of decimals or \"upper\"");
        item->form = SMCB_JSON_UPPER;
    }
    lua_pop(L, 1);
}

/* The text of `default`, which is an integer or a string. */
static smcb_json_name_t read_default(lua_State *L)
{
    smcb_json_name_t out = {0};
    int type = lua_getfield(L, NEW_ITEM, "default");

    if (type == LUA_TNIL) {
        lua_pop(L, 1);
        return out;
    }
    if (type == LUA_TSTRING && strpbrk(lua_tostring(L, -1), "\"\\") == NULL)
        lua_pushfstring(L, "\"%s\"", lua_tostring(L, -1));
    else
        lua_pushfstring(L, "%I", (LUAI_UACINT)luaL_checkinteger(L, -1));
    lua_remove(L, -2);
    out.text = keep(L, &out.len);
    return out;
}

static void read_name(lua_State *L, smcb_json_item_t *item)
{
    (void)lua_geti(L, NEW_ITEM, NAME);
    luaL_argcheck(L, strpbrk(luaL_checkstring(L, -1), "\"\\") == NULL, 1, "a name needs escapes");
    lua_pushfstring(L, ",\"%s\":", lua_tostring(L, -1));
    lua_remove(L, -2);
    item->name.text = keep(L, &item->name.len);
}

static void read_item(lua_State *L, smcb_json_shape_t *shape, int i)
{
    smcb_json_item_t *item = &shape->items[i];
    int type;

    luaL_argcheck(L, lua_geti(L, NEW_ITEMS, i + 1) == LUA_TTABLE, 1, "a list of lists expected");
    memset(item, 0, sizeof(*item));
    read_name(L, item);
    item->key = string_of(L, KEY, NULL);
    luaL_argcheck(L, item->key != NULL, 1, "an item has a name and a key");
    item->inner = slot_of(L, shape, string_of(L, INNER, NULL));
    item->plus = slot_of(L, shape, string_of(L, 0, "plus"));
    item->needs = string_of(L, 0, "needs");
    item->fallback = read_default(L);
    item->each = read_each(L);
    read_form(L, item);
    type = lua_geti(L, NEW_ITEM, FIELD);
    item->computed = type == LUA_TFUNCTION;
    luaL_argcheck(L, item->inner < 0 || item->computed || type == LUA_TSTRING, 1,
                  "a field must be a name or a function");
    luaL_argcheck(L, item->inner >= 0 || !item->computed, 1,
                  "a function gets an inner record: there is none");
    if (type == LUA_TSTRING)
        item->field = lua_tostring(L, -1);
    lua_pushboolean(L, 0); /* a list holds no nil */
    lua_copy(L, type == LUA_TNIL ? -1 : -2, -1);
    lua_rawseti(L, NEW_FIELDS, i + 1);
    lua_pushstring(L, item->needs == NULL ? "" : item->needs);
    lua_rawseti(L, NEW_FIELDS, shape->n + i + 1);
    lua_settop(L, NEW_KEPT);
}

static void read_keys(smcb_json_shape_t *shape)
{
    memset(shape->first, -1, sizeof(shape->first));
    for (int i = 0; i < shape->n + shape->n_slots; i++) {
        short *first = bucket(shape, key_of(shape, i));
        shape->next[i] = *first;
        *first = (short)i;
    }
}

/* shape(items).  See bindings/meta/json.lua. */
int smcb_json_shape(lua_State *L)
{
    lua_Integer n;
    smcb_json_shape_t *shape;

    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, NEW_ITEMS);
    n = luaL_len(L, NEW_ITEMS);
    luaL_argcheck(L, n <= SMCB_JSON_ITEMS_MAX, 1, "at most 64 items");
    for (int up = SMCB_JSON_SCRATCH; up <= SMCB_JSON_RAW; up++)
        lua_pushvalue(L, lua_upvalueindex(up));
    lua_createtable(L, 2 * (int)n, 0);
    shape = lua_newuserdatauv(L, sizeof(*shape) + (size_t)n * sizeof(shape->items[0]), 0);
    shape->n = (int)n;
    shape->n_slots = 0;
    lua_newtable(L);
    for (int i = 0; i < shape->n; i++)
        read_item(L, shape, i);
    read_keys(shape);
    lua_pushcclosure(L, l_write, UP_KEPT);
    return 1;
}
