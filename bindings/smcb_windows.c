/* smc.core.windows - counters in fixed windows of time, aligned to the clock: how venues count what they limit. */
#include "smcb.h"

static const char windows_mt[] = "smc.windows";

enum { WINDOWS_MAX = 8 };

typedef struct window {
    int64_t ms;   /* how long it is */
    int64_t from; /* when the one began that is counted in */
    int64_t count;
} window_t;

typedef struct windows {
    smcb_class_t class; /* cppcheck-suppress unusedStructMember ; smcb_class_check reads it */
    int n;
    window_t v[];
} windows_t;

/* new{ms, ms, ...}: so many counters, of windows so long. */
static int l_new(lua_State *L)
{
    lua_Integer n;
    windows_t *w;

    luaL_checktype(L, 1, LUA_TTABLE);
    n = luaL_len(L, 1);
    luaL_argcheck(L, n >= 1 && n <= WINDOWS_MAX, 1, "1 to 8 windows expected");
    w = smcb_class_push(L, sizeof(*w) + (size_t)n * sizeof(w->v[0]), 0, windows_mt);
    for (lua_Integer i = 1; i <= n; i++) {
        (void)lua_geti(L, 1, i);
        w->v[i - 1].ms = luaL_checkinteger(L, -1);
        luaL_argcheck(L, w->v[i - 1].ms > 0, 1, "a window lasts at least a millisecond");
        lua_pop(L, 1);
    }
    w->n = (int)n;
    return 1;
}

/* Begins those anew whose time is over; time may also have gone back. */
static void roll(windows_t *w, int64_t now_ms)
{
    for (int i = 0; i < w->n; i++) {
        window_t *v = &w->v[i];
        if (now_ms < v->from || now_ms - v->from >= v->ms) {
            v->from = now_ms - now_ms % v->ms;
            v->count = 0;
        }
    }
}

static int push_counts(lua_State *L, const windows_t *w)
{
    for (int i = 0; i < w->n; i++)
        lua_pushinteger(L, w->v[i].count);
    return w->n;
}

/* w:add(n, now_ms) -> the counts of all windows, with n more in each (less, if n is negative: but none below 0). */
static int l_add(lua_State *L)
{
    windows_t *w = smcb_class_check(L, 1, windows_mt);
    lua_Integer n = luaL_checkinteger(L, 2);

    roll(w, luaL_checkinteger(L, 3));
    for (int i = 0; i < w->n; i++) {
        int64_t count = w->v[i].count + n;
        w->v[i].count = count > 0 ? count : 0;
    }
    return push_counts(L, w);
}

/* w:counts(now_ms) -> one for each window. */
static int l_counts(lua_State *L)
{
    windows_t *w = smcb_class_check(L, 1, windows_mt);

    roll(w, luaL_checkinteger(L, 2));
    return push_counts(L, w);
}

/* w:full(n, limits, now_ms) -> the last window whose count, and n more, is above limits[i]; nil: none is. */
static int l_full(lua_State *L)
{
    windows_t *w = smcb_class_check(L, 1, windows_mt);
    lua_Integer n = luaL_checkinteger(L, 2);

    luaL_checktype(L, 3, LUA_TTABLE);
    roll(w, luaL_checkinteger(L, 4));
    for (int i = w->n; i > 0; i--) {
        (void)lua_rawgeti(L, 3, i);
        if (w->v[i - 1].count + n > luaL_checkinteger(L, -1)) {
            lua_pushinteger(L, i);
            return 1;
        }
        lua_pop(L, 1);
    }
    return 0;
}

/* w:put(headers, at, now_ms): the counts become the values of headers[at] = {name, value} and those behind it. */
static int l_put(lua_State *L)
{
    windows_t *w = smcb_class_check(L, 1, windows_mt);
    lua_Integer at = luaL_checkinteger(L, 3);

    luaL_checktype(L, 2, LUA_TTABLE);
    roll(w, luaL_checkinteger(L, 4));
    for (int i = 0; i < w->n; i++) {
        luaL_argcheck(L, lua_rawgeti(L, 2, at + i) == LUA_TTABLE, 2,
                      "a list of {name, value} expected");
        lua_pushinteger(L, w->v[i].count);
        lua_rawseti(L, -2, 2);
        lua_pop(L, 1);
    }
    return 0;
}

int smcb_open_windows(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"add", l_add}, {"counts", l_counts}, {"full", l_full}, {"put", l_put}, {NULL, NULL}};
    static const luaL_Reg functions[] = {{"new", l_new}, {NULL, NULL}};

    if (smcb_class_new(L, windows_mt)) {
        luaL_newlib(L, methods);
        lua_setfield(L, -2, "__index");
        lua_pushboolean(L, 0);
        lua_setfield(L, -2, "__metatable");
    }
    lua_pop(L, 1);
    luaL_newlib(L, functions);
    return 1;
}
