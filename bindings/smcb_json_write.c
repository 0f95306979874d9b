/* json.encode.  Ours, because venues promise an order of keys, and because lua-cjson rounds integers through a double. */
#include "smcb_json.h"

#include <lauxlib.h>

#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_SHOWN = 8 }; /* steps of a path in an error message */

typedef struct step {
    smcb_json_name_t name; /* text NULL: a position */
    lua_Integer index;
} step_t;

typedef struct writer {
    lua_State *L;
    smcb_json_scratch_t *s;
    int depth; /* containers open now */
    step_t path[SMCB_JSON_MAX_DEPTH];
} writer_t;

static void write_value(writer_t *w, int idx);

/* Raises "json.encode: <what> at .orders[3].price". */
static void refuse(writer_t *w, const char *what)
{
    lua_State *L = w->L;
    luaL_Buffer b;
    int depth = w->depth;

    /* What is wrong with a table is said before any of its values was gone into. */
    if (depth > 0 && w->path[depth - 1].name.text == NULL && w->path[depth - 1].index == 0)
        depth--;
    luaL_buffinit(L, &b);
    for (int i = 0; i < depth && i < PATH_SHOWN; i++) {
        if (w->path[i].name.text != NULL)
            lua_pushfstring(L, ".%s", w->path[i].name.text);
        else
            lua_pushfstring(L, "[%I]", (LUAI_UACINT)w->path[i].index);
        luaL_addvalue(&b);
    }
    if (depth > PATH_SHOWN)
        luaL_addstring(&b, "...");
    luaL_pushresult(&b);
    luaL_error(L, "json.encode: %s%s%s", what, depth > 0 ? " at " : "", lua_tostring(L, -1));
}

static writer_t new_writer(lua_State *L, smcb_json_scratch_t *s)
{
    writer_t w;

    w.L = L;
    w.s = s;
    w.depth = 0; /* no step of the path is used */
    return w;
}

/* The shortest of 15 to 17 digits that reads back as the same double.  The "C" locale is in force: nothing here or in
 * the runner calls setlocale. */
static void write_float(writer_t *w, double v)
{
    char text[32];

    if (!isfinite(v))
        refuse(w, "a number that is not finite");
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(text, sizeof(text), "%.*g", digits, v);
        if (strtod(text, NULL) == v)
            break;
    }
    (void)smc_buf_puts(&w->s->out, text);
    if (strpbrk(text, ".e") == NULL)
        (void)smc_buf_puts(&w->s->out, ".0"); /* or it would read back as an integer */
}

/* The bytes of the UTF-8 character at p, 0 when they are none (overlong, surrogate, beyond U+10FFFF, cut). */
static size_t utf8_size(const unsigned char *p, size_t n)
{
    unsigned char lead = p[0];
    size_t size = lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;

    if (size == 0 || size > n || lead > 0xF4)
        return 0;
    for (size_t i = 1; i < size; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    }
    if ((lead == 0xE0 && p[1] < 0xA0) || (lead == 0xED && p[1] > 0x9F))
        return 0;
    if ((lead == 0xF0 && p[1] < 0x90) || (lead == 0xF4 && p[1] > 0x8F))
        return 0;
    return size;
}

static void write_escape(smc_buf_t *out, unsigned char c)
{
    static const char from[] = "\"\\\b\f\n\r\t";
    static const char to[] = "\"\\bfnrt";
    const char *at = c == 0 ? NULL : strchr(from, c);

    if (at != NULL) {
        char pair[2] = {'\\', to[at - from]};

        (void)smc_buf_append(out, pair, sizeof(pair));
    } else {
        (void)smc_buf_printf(out, "\\u%04x", c);
    }
}

/* Of text that needs escapes, from `i` on: what is before is written. */
static void write_rest(writer_t *w, const char *text, size_t len, size_t i)
{
    const unsigned char *p = (const unsigned char *)text;
    smc_buf_t *out = &w->s->out;

    while (i < len) {
        size_t size = utf8_size(p + i, len - i);

        if (size == 0)
            refuse(w, "a string that is not UTF-8");
        if (size == 1 && !smcb_json_is_plain(p[i]))
            write_escape(out, p[i]);
        else
            (void)smc_buf_append(out, text + i, size);
        i += size;
    }
}

static void write_string(writer_t *w, const char *text, size_t len)
{
    smc_buf_t *out = &w->s->out;
    size_t plain = 0;
    char *to;

    if (smc_buf_reserve(out, len + 2) != SMC_OK)
        return;
    to = out->data + out->len;
    *to++ = '"';
    for (; plain < len && smcb_json_is_plain((unsigned char)text[plain]); plain++)
        *to++ = text[plain];
    out->len += plain + 1;
    if (plain < len)
        write_rest(w, text, len, plain);
    (void)smc_buf_putc(out, '"');
}

/* Pushes a key of the object being written on the stack of names. */
static void add_name(writer_t *w, smcb_json_name_t name)
{
    smcb_json_scratch_t *s = w->s;

    if (s->n_names == s->cap_names) {
        size_t cap = s->cap_names == 0 ? 64 : 2 * s->cap_names;
        smcb_json_name_t *names = realloc(s->names, cap * sizeof(*names));

        if (names == NULL) {
            luaL_error(w->L, "json.encode: out of memory");
            return;
        }
        s->names = names;
        s->cap_names = cap;
    }
    s->names[s->n_names++] = name;
}

static int compare_names(const void *a, const void *b)
{
    const smcb_json_name_t *x = a;
    const smcb_json_name_t *y = b;
    int c = memcmp(x->text, y->text, x->len < y->len ? x->len : y->len);

    return c != 0 ? c : (x->len > y->len) - (x->len < y->len);
}

/* What stands in a table: its names are added to the stack of names, and stay on Lua's, its positions are counted. */
typedef struct shape {
    size_t names;
    lua_Integer positions;
    lua_Integer last; /* the greatest position */
} shape_t;

static shape_t survey(writer_t *w, int idx)
{
    lua_State *L = w->L;
    shape_t shape = {0};

    lua_pushnil(L);
    while (lua_next(L, idx)) {
        lua_pop(L, 1);
        if (lua_type(L, -1) == LUA_TSTRING) {
            smcb_json_name_t name;

            name.text = lua_tolstring(L, -1, &name.len);
            name.at = lua_gettop(L);
            add_name(w, name);
            shape.names++;
            if (!lua_checkstack(L, 12))
                refuse(w, "too many names at once");
            lua_pushvalue(L, -1); /* to go on from */
        } else if (lua_isinteger(L, -1) && lua_tointeger(L, -1) >= 1) {
            lua_Integer at = lua_tointeger(L, -1);

            shape.positions++;
            shape.last = at > shape.last ? at : shape.last;
        } else {
            refuse(w, "a key that is neither a string nor a position");
        }
    }
    return shape;
}

/* Positions 1..n; one that holds nothing is null. */
static void write_positions(writer_t *w, int idx, lua_Integer n)
{
    lua_State *L = w->L;

    (void)smc_buf_putc(&w->s->out, '[');
    for (lua_Integer i = 1; i <= n; i++) {
        if (i > 1)
            (void)smc_buf_putc(&w->s->out, ',');
        w->path[w->depth - 1] = (step_t){.index = i};
        if (lua_rawgeti(L, idx, i) == LUA_TNIL)
            (void)smc_buf_puts(&w->s->out, "null");
        else
            write_value(w, lua_gettop(L));
        lua_pop(L, 1);
    }
    (void)smc_buf_putc(&w->s->out, ']');
}

/* The value of the only name of an array, which is on top: how long it is. */
static lua_Integer told_length(writer_t *w, int idx, const shape_t *shape)
{
    const smcb_json_name_t *name = &w->s->names[w->s->n_names - 1];
    lua_State *L = w->L;
    lua_Integer n;

    if (shape->names > 1 || name->len != 1 || name->text[0] != 'n')
        refuse(w, "an array that has names");
    (void)lua_rawget(L, idx);
    n = lua_isinteger(L, -1) ? lua_tointeger(L, -1) : -1;
    if (n < shape->last || n > INT_MAX)
        refuse(w, "an array whose n is not its length");
    lua_pop(L, 1);
    w->s->n_names--;
    return n;
}

/* A marked array: its length is its field n, else that of the list. */
static void write_array(writer_t *w, int idx)
{
    shape_t shape = survey(w, idx);

    if (shape.names > 0)
        shape.last = told_length(w, idx, &shape);
    else if (shape.positions != shape.last)
        refuse(w, "an array with holes and no n");
    write_positions(w, idx, shape.last);
}

static void write_member(writer_t *w, smcb_json_name_t name, bool first, int value)
{
    if (!first)
        (void)smc_buf_putc(&w->s->out, ',');
    w->path[w->depth - 1] = (step_t){.name = name};
    write_string(w, name.text, name.len);
    (void)smc_buf_putc(&w->s->out, ':');
    write_value(w, value);
}

/* A table without a marker: a list if it holds anything and nothing but positions 1..n, else an object. */
static void write_plain(writer_t *w, int idx)
{
    lua_State *L = w->L;
    smcb_json_scratch_t *s = w->s;
    size_t base = s->n_names;
    shape_t shape = survey(w, idx);

    if (shape.positions > 0) {
        if (shape.names > 0)
            refuse(w, "a table with names and positions");
        if (shape.positions != shape.last)
            refuse(w, "a list with holes");
        write_positions(w, idx, shape.last);
        return;
    }
    if (shape.names > 1)
        qsort(s->names + base, shape.names, sizeof(*s->names), compare_names);
    (void)smc_buf_putc(&s->out, '{');
    for (size_t i = 0; i < shape.names; i++) {
        /* A copy: deeper objects may move the stack of names. */
        smcb_json_name_t name = s->names[base + i];

        lua_pushvalue(L, name.at);
        (void)lua_rawget(L, idx);
        write_member(w, name, i == 0, lua_gettop(L));
        lua_pop(L, 1);
    }
    (void)smc_buf_putc(&s->out, '}');
    s->n_names = base;
    lua_pop(L, (int)shape.names);
}

/* What json.object made: key, value, key, value. */
static void write_pairs(writer_t *w, int idx)
{
    lua_State *L = w->L;
    lua_Integer n = (lua_Integer)lua_rawlen(L, idx);

    (void)smc_buf_putc(&w->s->out, '{');
    for (lua_Integer i = 1; i < n; i += 2) {
        smcb_json_name_t name = {0};

        if (lua_rawgeti(L, idx, i) != LUA_TSTRING)
            refuse(w, "a json.object that was changed");
        name.text = lua_tolstring(L, -1, &name.len);
        (void)lua_rawgeti(L, idx, i + 1);
        write_member(w, name, i == 1, lua_gettop(L));
        lua_pop(L, 2);
    }
    (void)smc_buf_putc(&w->s->out, '}');
}

static void write_raw(writer_t *w, int idx)
{
    lua_State *L = w->L;
    size_t len;
    const char *text;

    if (lua_rawgeti(L, idx, 1) != LUA_TSTRING)
        refuse(w, "a json.raw that was changed");
    text = lua_tolstring(L, -1, &len);
    (void)smc_buf_append(&w->s->out, text, len);
    lua_pop(L, 1);
}

static void write_table(writer_t *w, int idx)
{
    smcb_json_kind_t kind = smcb_json_kind(w->L, idx);

    if (kind == SMCB_JSON_KIND_RAW) {
        write_raw(w, idx);
        return;
    }
    if (w->depth == SMCB_JSON_MAX_DEPTH)
        refuse(w, "a table nested deeper than 100 (or one that holds itself)");
    luaL_checkstack(w->L, 12, "json.encode");
    w->path[w->depth++] = (step_t){0};
    switch (kind) {
    case SMCB_JSON_KIND_PLAIN:
        write_plain(w, idx);
        break;
    case SMCB_JSON_KIND_ARRAY:
        write_array(w, idx);
        break;
    case SMCB_JSON_KIND_OBJECT:
        write_pairs(w, idx);
        break;
    case SMCB_JSON_KIND_RAW:
        break;
    }
    w->depth--;
}

/* idx is absolute. */
static void write_value(writer_t *w, int idx)
{
    lua_State *L = w->L;
    int type = lua_type(L, idx);

    if (type == LUA_TTABLE) {
        write_table(w, idx);
    } else if (type == LUA_TSTRING) {
        size_t len;
        const char *text = lua_tolstring(L, idx, &len);

        write_string(w, text, len);
    } else if (type == LUA_TNUMBER && lua_isinteger(L, idx)) {
        (void)smc_buf_put_int(&w->s->out, lua_tointeger(L, idx));
    } else if (type == LUA_TNUMBER) {
        write_float(w, lua_tonumber(L, idx));
    } else if (type == LUA_TBOOLEAN) {
        (void)smc_buf_puts(&w->s->out, lua_toboolean(L, idx) ? "true" : "false");
    } else if (type == LUA_TLIGHTUSERDATA && lua_touserdata(L, idx) == NULL) {
        (void)smc_buf_puts(&w->s->out, "null");
    } else {
        refuse(w, lua_pushfstring(L, "a %s", lua_typename(L, type)));
    }
}

int smcb_json_encode(lua_State *L)
{
    writer_t w;

    luaL_checkany(L, 1);
    lua_settop(L, 1);
    if (smcb_json_kind(L, 1) == SMCB_JSON_KIND_RAW && lua_rawgeti(L, 1, 1) == LUA_TSTRING)
        return 1;
    w = new_writer(L, smcb_json_scratch(L));
    write_value(&w, 1);
    if (w.s->out.failed)
        return luaL_error(L, "json.encode: out of memory");
    lua_pushlstring(L, w.s->out.data, w.s->out.len);
    return 1;
}

/* ---- for shapes ----------------------------------------------------------- */

void smcb_json_put_value(lua_State *L, smcb_json_scratch_t *s, const char *key, int idx)
{
    writer_t w = new_writer(L, s);

    w.path[w.depth++] = (step_t){.name = {key, strlen(key)}};
    write_value(&w, idx);
}

void smcb_json_put_text(lua_State *L, smcb_json_scratch_t *s, const char *key, const char *text,
                        size_t n)
{
    writer_t w = new_writer(L, s);

    w.path[w.depth++] = (step_t){.name = {key, strlen(key)}};
    write_string(&w, text, n);
}
