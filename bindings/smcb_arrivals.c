/* smc.core.arrivals - what arrived at a sandbox: requests by number, outside of what the collector of Lua has to look at.
 *
 * A busy sandbox remembers thousands of them; as tables they were most of what lives.
 */
#include "smcb.h"

#include "smc/clock.h"

#include <stdlib.h>
#include <string.h>

static const char arrivals_mt[] = "smc.arrivals";

enum { METHOD, PATH, QUERY, BODY, TEXTS };
enum { FAULT_MAX = 32, FIRST_ROOM = 64 };

static const char *const text_names[TEXTS] = {"method", "path", "query", "body"};

typedef struct text {
    bool there;
    uint32_t len;
} text_t;

typedef struct arrival {
    char *bytes; /* the texts, one behind the other; ours */
    size_t cap;
    text_t texts[TEXTS];
    double at;
    int status; /* 0: not answered */
    bool is_signed, has_websocket, websocket;
    char fault[FAULT_MAX]; /* "": none */
} arrival_t;

typedef struct arrivals {
    smcb_class_t class; /* cppcheck-suppress unusedStructMember ; smcb_class_check reads it */
    arrival_t *v;       /* number i is at (i - 1) % room */
    size_t room;
    size_t keep, clip; /* 0: all of them, whole */
    lua_Integer first, last;
} arrivals_t;

static arrivals_t *check_arrivals(lua_State *L)
{
    return smcb_class_check(L, 1, arrivals_mt);
}

/* new(keep, clip): the last `keep` are remembered, texts of which are cut to `clip` bytes when they have more than that
 * altogether; without: all, and whole. */
static int l_new(lua_State *L)
{
    lua_Integer keep = luaL_optinteger(L, 1, 0), clip = luaL_optinteger(L, 2, 0);
    arrivals_t *w;

    luaL_argcheck(L, keep >= 0, 1, "must not be negative");
    luaL_argcheck(L, clip >= 0, 2, "must not be negative");
    w = smcb_class_push(L, sizeof(*w), 0, arrivals_mt);
    w->keep = (size_t)keep;
    w->clip = (size_t)clip;
    w->first = 1;
    return 1;
}

static int l_gc(lua_State *L)
{
    arrivals_t *w = check_arrivals(L);

    for (size_t i = 0; i < w->room; i++)
        free(w->v[i].bytes);
    free(w->v);
    w->v = NULL;
    w->room = 0;
    w->first = w->last + 1;
    return 0;
}

/* NULL: there is none of this number, or no longer. */
static arrival_t *find(const arrivals_t *w, lua_Integer id)
{
    if (id < w->first || id > w->last)
        return NULL;
    return &w->v[(size_t)(id - 1) % w->room];
}

/* ---- adding ------------------------------------------------------------- */

/* Room for one more.  It grows only while nothing was dropped yet, so that numbers keep their places. */
static bool grow(arrivals_t *w)
{
    size_t room = w->room == 0 ? FIRST_ROOM : 2 * w->room;
    arrival_t *v;

    if (w->keep != 0 && room > w->keep)
        room = w->keep;
    if ((size_t)w->last < w->room || room == w->room)
        return true;
    v = realloc(w->v, room * sizeof(*v));
    if (v == NULL)
        return false;
    memset(v + w->room, 0, (room - w->room) * sizeof(*v));
    w->v = v;
    w->room = room;
    return true;
}

/* The texts at idx and behind it; how many bytes they are. */
static size_t read_texts(lua_State *L, int idx, size_t clip, const char *at[TEXTS],
                         text_t texts[TEXTS])
{
    size_t sum = 0;

    for (int i = 0; i < TEXTS; i++) {
        size_t n = 0;
        at[i] = luaL_optlstring(L, idx + i, NULL, &n);
        luaL_argcheck(L, n <= UINT32_MAX, idx + i, "too long");
        texts[i] = (text_t){at[i] != NULL, at[i] != NULL ? (uint32_t)n : 0};
        sum += texts[i].len;
    }
    if (clip == 0 || sum <= clip)
        return sum;
    sum = 0;
    for (int i = 0; i < TEXTS; i++) {
        texts[i].len = texts[i].len < clip ? texts[i].len : (uint32_t)clip;
        sum += texts[i].len;
    }
    return sum;
}

static bool fits(arrival_t *v, size_t n)
{
    char *bytes;

    if (n <= v->cap)
        return true;
    bytes = realloc(v->bytes, n);
    if (bytes == NULL)
        return false;
    v->bytes = bytes;
    v->cap = n;
    return true;
}

static void set_fault(lua_State *L, int idx, arrival_t *v)
{
    size_t n;
    const char *fault = luaL_optlstring(L, idx, NULL, &n);

    if (fault == NULL)
        return;
    luaL_argcheck(L, n < FAULT_MAX, idx, "too long a name of a fault");
    memcpy(v->fault, fault, n + 1);
}

static void set_status(lua_State *L, int idx, arrival_t *v)
{
    if (!lua_isnoneornil(L, idx))
        v->status = (int)luaL_checkinteger(L, idx);
}

/* w:add(method, path, query, body, signed, websocket, status, fault) -> its number.  query, body, websocket, status and
 * fault may be nil. */
static int l_add(lua_State *L)
{
    enum { AT_METHOD = 2, AT_SIGNED = AT_METHOD + TEXTS, AT_WEBSOCKET, AT_STATUS, AT_FAULT };
    arrivals_t *w = check_arrivals(L);
    const char *at[TEXTS];
    int64_t us = smc_clock_now_ns() / 1000;
    arrival_t like = {.at = (double)us / 1e6}, *v;
    size_t n, done = 0;

    (void)luaL_checkstring(L, AT_METHOD);
    (void)luaL_checkstring(L, AT_METHOD + 1);
    n = read_texts(L, AT_METHOD, w->clip, at, like.texts);
    like.is_signed = lua_toboolean(L, AT_SIGNED);
    like.has_websocket = !lua_isnoneornil(L, AT_WEBSOCKET);
    like.websocket = lua_toboolean(L, AT_WEBSOCKET);
    set_status(L, AT_STATUS, &like);
    set_fault(L, AT_FAULT, &like);
    if (!grow(w) || !fits(&w->v[(size_t)w->last % w->room], n))
        return luaL_error(L, "out of memory");
    v = &w->v[(size_t)w->last % w->room];
    like.bytes = v->bytes;
    like.cap = v->cap;
    *v = like;
    for (int i = 0; i < TEXTS; i++) {
        if (v->bytes != NULL && v->texts[i].len > 0)
            memcpy(v->bytes + done, at[i], v->texts[i].len);
        done += v->texts[i].len;
    }
    if ((size_t)(++w->last - w->first) == w->room)
        w->first++;
    lua_pushinteger(L, w->last);
    return 1;
}

/* w:note(id, status, fault): what became of it; nil leaves what is there.  Nothing for one that is no longer there. */
static int l_note(lua_State *L)
{
    arrival_t *v = find(check_arrivals(L), luaL_checkinteger(L, 2));

    if (v == NULL)
        return 0;
    set_status(L, 3, v);
    set_fault(L, 4, v);
    return 0;
}

/* ---- looking ------------------------------------------------------------ */

static void push_text(lua_State *L, const arrival_t *v, int which)
{
    const char *at = v->bytes;

    for (int i = 0; i < which; i++)
        at += v->texts[i].len;
    lua_pushlstring(L, v->texts[which].len == 0 ? "" : at, v->texts[which].len);
}

static void push_arrival(lua_State *L, const arrival_t *v)
{
    lua_createtable(L, 0, 9);
    for (int i = 0; i < TEXTS; i++) {
        if (!v->texts[i].there)
            continue;
        push_text(L, v, i);
        lua_setfield(L, -2, text_names[i]);
    }
    lua_pushnumber(L, v->at);
    lua_setfield(L, -2, "at");
    lua_pushboolean(L, v->is_signed);
    lua_setfield(L, -2, "signed");
    if (v->has_websocket) {
        lua_pushboolean(L, v->websocket);
        lua_setfield(L, -2, "websocket");
    }
    if (v->status != 0) {
        lua_pushinteger(L, v->status);
        lua_setfield(L, -2, "status");
    }
    if (v->fault[0] != '\0') {
        lua_pushstring(L, v->fault);
        lua_setfield(L, -2, "fault");
    }
}

static bool alike(const arrival_t *a, const arrival_t *b)
{
    size_t n = a->texts[METHOD].len + a->texts[PATH].len;

    return a->status == b->status && a->websocket == b->websocket &&
           a->texts[METHOD].len == b->texts[METHOD].len &&
           a->texts[PATH].len == b->texts[PATH].len &&
           (n == 0 || memcmp(a->bytes, b->bytes, n) == 0);
}

/* w:outline(id, last) -> method, path, websocket, status (nil: not answered), and the number of the first behind it that
 * is not like this in all four; last + 1 when all up to the last are. */
static int l_outline(lua_State *L)
{
    const arrivals_t *w = check_arrivals(L);
    lua_Integer id = luaL_checkinteger(L, 2), last = luaL_checkinteger(L, 3), other = id + 1;
    const arrival_t *v = find(w, id);

    if (v == NULL)
        return 0;
    luaL_argcheck(L, last <= w->last, 3, "there are not so many");
    while (other <= last && alike(v, find(w, other)))
        other++;
    push_text(L, v, METHOD);
    push_text(L, v, PATH);
    lua_pushboolean(L, v->websocket);
    if (v->status != 0)
        lua_pushinteger(L, v->status);
    else
        lua_pushnil(L);
    lua_pushinteger(L, other);
    return 5;
}

/* w[id] -> a table, or nil; w.first, w.last: the numbers of those that are there.  Upvalue 1: the methods. */
static int l_index(lua_State *L)
{
    const arrivals_t *w = check_arrivals(L);
    const char *name;

    lua_settop(L, 2);
    if (lua_isinteger(L, 2)) {
        const arrival_t *v = find(w, lua_tointeger(L, 2));
        if (v == NULL)
            return 0;
        push_arrival(L, v);
        return 1;
    }
    name = luaL_checkstring(L, 2);
    if (strcmp(name, "first") == 0 || strcmp(name, "last") == 0)
        lua_pushinteger(L, name[0] == 'f' ? w->first : w->last);
    else
        (void)lua_rawget(L, lua_upvalueindex(1));
    return 1;
}

int smcb_open_arrivals(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"add", l_add}, {"note", l_note}, {"outline", l_outline}, {NULL, NULL}};
    static const luaL_Reg functions[] = {{"new", l_new}, {NULL, NULL}};

    if (smcb_class_new(L, arrivals_mt)) {
        luaL_newlib(L, methods);
        lua_pushcclosure(L, l_index, 1);
        lua_setfield(L, -2, "__index");
        lua_pushcfunction(L, l_gc);
        lua_setfield(L, -2, "__gc");
        lua_pushboolean(L, 0);
        lua_setfield(L, -2, "__metatable");
    }
    lua_pop(L, 1);
    luaL_newlib(L, functions);
    return 1;
}
