/* config_file.c - smcrun.lua: assignments, run by a Lua that can do nothing else. */
#include "options/config.h"
#include "options/options_priv.h"
#include "smcb_runtime.h"

#include <lauxlib.h>
#include <limits.h>
#include <lua.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OP "config"
/* Together they bound its time: few steps cost much only with long texts. */
enum { MAX_STEPS = 10000, MAX_BYTES = 8 << 20 };

typedef struct file {
    smcr_config_t *config;
    const char *name;
    const char *folder;
    const char *text;
    size_t n;
    size_t first; /* of its settings */
    size_t asked; /* bytes of memory, whatever became of them */
    smc_error_t *err;
} file_t;

static void *limited(void *ud, void *ptr, size_t old, size_t size)
{
    file_t *f = ud;
    if (size == 0) {
        free(ptr);
        return NULL;
    }
    if (ptr != NULL && size <= old)
        return realloc(ptr, size); /* Lua counts on it */
    f->asked += size;
    return f->asked > MAX_BYTES ? NULL : realloc(ptr, size);
}

static void on_steps(lua_State *L, lua_Debug *ar)
{
    (void)lua_getinfo(L, "Sl", ar);
    (void)luaL_error(L, "%s:%d: it does not end: a configuration assigns values, and no more",
                     ar->short_src, ar->currentline);
}

static file_t *upvalue_file(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(1));
}

/* Names of files are seen from the folder of the configuration: its value is text, or what stands behind a ':'. */
static smc_code_t add_value(const file_t *f, smcr_setting_t *s, const char *value, smc_error_t *err)
{
    const char *kind = s->option->value;
    const char *colon = strchr(value, ':');
    const char *path = kind == NULL                                         ? NULL
                       : strcmp(kind, "F") == 0 || strcmp(kind, "DIR") == 0 ? value
                       : strstr(kind, "[:FILE]") != NULL && colon != NULL   ? colon + 1
                                                                            : NULL;
    char moved[PATH_MAX];
    if (path == NULL || path[0] == '\0' || path[0] == '/' || f->folder[0] == '\0')
        return smcr_setting_add(s, value, err);
    int n = snprintf(moved, sizeof(moved), "%.*s%s%s", (int)(path - value), value, f->folder, path);
    if (n < 0 || (size_t)n >= sizeof(moved))
        return smc_fail(err, SMC_EINVAL, OP, 0, "%s: the name of a file is too long", s->source);
    return smcr_setting_add(s, moved, err);
}

/* Raises, with the line in front, what was put into the file's error. */
static int refuse(lua_State *L, const file_t *f)
{
    return luaL_error(L, "%s", f->err->detail);
}

/* One text or number at idx. */
static void take_value(lua_State *L, const file_t *f, smcr_setting_t *s, int idx, const char *key)
{
    size_t n;
    if (lua_type(L, idx) != LUA_TSTRING && lua_type(L, idx) != LUA_TNUMBER)
        (void)luaL_error(L, "%s wants %sa text or a number, not a %s", key,
                         s->option->repeatable ? "a list of texts, " : "", luaL_typename(L, idx));
    lua_pushvalue(L, idx); /* lua_tolstring changes what it reads */
    const char *value = lua_tolstring(L, -1, &n);
    if (strlen(value) != n)
        (void)luaL_error(L, "%s: a NUL byte cannot be part of a value", key);
    if (add_value(f, s, value, f->err) != SMC_OK)
        (void)refuse(L, f);
    lua_pop(L, 1);
}

static void take_list(lua_State *L, const file_t *f, smcr_setting_t *s, const char *key)
{
    lua_Integer n = luaL_len(L, 3), keys = 0;
    for (lua_pushnil(L); lua_next(L, 3) != 0; lua_pop(L, 1))
        keys++;
    if (!s->option->repeatable || n == 0 || keys != n)
        (void)luaL_error(L, "%s wants a %s, not a table", key,
                         s->option->repeatable ? "list of texts" : "text or a number");
    for (lua_Integer i = 1; i <= n; i++) {
        (void)lua_rawgeti(L, 3, i);
        take_value(L, f, s, lua_gettop(L), key);
        lua_pop(L, 1);
    }
}

static void refuse_twice(lua_State *L, const file_t *f, const char *key, size_t n)
{
    char before[32];
    for (size_t i = f->first; i < f->config->count; i++) {
        smcr_config_key(f->config->items[i].option, before);
        if (strlen(before) == n && memcmp(before, key, n) == 0)
            (void)luaL_error(L, "%s is set twice, first at %s", key, f->config->items[i].source);
    }
}

/* key = value */
static int l_assign(lua_State *L)
{
    file_t *f = upvalue_file(L);
    char source[PATH_MAX + 16];
    size_t n;
    lua_Debug ar;
    const char *key = lua_tolstring(L, 2, &n); /* a global's name is a text */
    int line = lua_getstack(L, 1, &ar) != 0 && lua_getinfo(L, "l", &ar) != 0 ? ar.currentline : 0;
    (void)snprintf(source, sizeof(source), "%s:%d", f->name, line);
    refuse_twice(L, f, key, n);
    smcr_setting_t *s = smcr_config_add(f->config, key, n, source, f->err);
    if (s == NULL) {
        lua_pushstring(L, f->err->detail); /* has the line already */
        return lua_error(L);
    }
    if (s->option->takes == NOTHING) {
        if (!lua_isboolean(L, 3))
            return luaL_error(L, "%s wants true or false, not a %s", key, luaL_typename(L, 3));
        if (lua_toboolean(L, 3) && smcr_setting_add(s, "1", f->err) != SMC_OK)
            return refuse(L, f);
    } else if (lua_istable(L, 3)) {
        take_list(L, f, s, key);
    } else {
        take_value(L, f, s, 3, key);
    }
    return 0;
}

static int l_look(lua_State *L)
{
    return luaL_error(L, "there is no '%s' here: a configuration has its own locals, and no more",
                      luaL_tolstring(L, 2, NULL));
}

/* In protected mode.  Nothing of Lua's library is there; bytecode is refused. */
static int l_run(lua_State *L)
{
    file_t *f = lua_touserdata(L, 1);
    size_t bom = f->n >= 3 && memcmp(f->text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    lua_pushfstring(L, "@%s", f->name);
    if (luaL_loadbufferx(L, f->text + bom, f->n - bom, lua_tostring(L, -1), "t") != LUA_OK)
        return lua_error(L);
    lua_newtable(L);
    lua_createtable(L, 0, 2);
    smcb_set_closure(L, "__newindex", l_assign, f);
    smcb_set_closure(L, "__index", l_look, f);
    lua_setmetatable(L, -2);
    if (lua_setupvalue(L, -2, 1) == NULL)
        lua_pop(L, 1);
    lua_sethook(L, on_steps, LUA_MASKCOUNT, MAX_STEPS);
    lua_call(L, 0, 1);
    if (!lua_isnil(L, -1))
        return luaL_error(L, "%s: it returns a %s, but nothing is returned there: write jobs = 4",
                          f->name, luaL_typename(L, -1));
    return 0;
}

smc_code_t smcr_config_read(smcr_config_t *config, const char *text, size_t n, const char *name,
                            const char *folder, smc_error_t *err)
{
    smc_error_t inner = {0};
    file_t f = {.config = config,
                .name = name,
                .folder = folder,
                .text = text,
                .n = n,
                .first = config->count,
                .err = &inner};
    lua_State *L = lua_newstate(limited, &f);
    if (L == NULL)
        return smc_fail(err, SMC_ENOMEM, OP, 0, "no memory for the configuration");
    lua_pushcfunction(L, l_run);
    lua_pushlightuserdata(L, &f);
    smc_code_t rc = SMC_OK;
    int status = lua_pcall(L, 1, 0, 0);
    if (status == LUA_ERRMEM)
        rc = smc_fail(err, SMC_EPARSE, OP, 0, "%s: it wants more memory than it may have", name);
    else if (status != LUA_OK)
        rc = smc_fail(err, inner.code == SMC_ENOMEM ? SMC_ENOMEM : SMC_EPARSE, OP, 0, "%s",
                      lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "no message");
    lua_close(L);
    return rc;
}
