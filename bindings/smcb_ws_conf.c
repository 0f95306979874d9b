/* The options of smc.core.ws.connect. */
#include "smcb_ws.h"

#include <string.h>

#define CONNECT_TIMEOUT_MS 10000
#define MAX_QUEUE 1000
#define BAD_HEADERS "option 'headers' must be a list of {name, value}, both strings"

static const char *field_string(lua_State *L, int idx, const char *name)
{
    const char *text;
    size_t n;

    if (lua_getfield(L, idx, name) == LUA_TNIL) {
        lua_pop(L, 1);
        return NULL;
    }
    text = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &n) : NULL;
    if (text == NULL || strlen(text) != n)
        (void)luaL_error(L, "option '%s' must be a string without NUL", name);
    lua_pop(L, 1); /* the options hold it */
    return text;
}

bool smcb_ws_field_bool(lua_State *L, int idx, const char *name)
{
    int type = lua_getfield(L, idx, name);
    bool on = lua_toboolean(L, -1);

    if (type != LUA_TNIL && type != LUA_TBOOLEAN)
        (void)luaL_error(L, "option '%s' must be true or false", name);
    lua_pop(L, 1);
    return on;
}

static size_t field_count(lua_State *L, int idx, const char *name, size_t missing)
{
    lua_Integer n = (lua_Integer)missing;

    if (lua_getfield(L, idx, name) != LUA_TNIL) {
        if (!lua_isinteger(L, -1) || lua_tointeger(L, -1) < 1)
            (void)luaL_error(L, "option '%s' must be a positive integer", name);
        n = lua_tointeger(L, -1);
    }
    lua_pop(L, 1);
    return (size_t)n;
}

static const char *pair_part(lua_State *L, int pair, int part)
{
    const char *text = NULL;
    size_t n = 0;

    if (lua_rawgeti(L, pair, part) == LUA_TSTRING)
        text = lua_tolstring(L, -1, &n);
    if (text == NULL || strlen(text) != n)
        (void)luaL_error(L, BAD_HEADERS);
    lua_pop(L, 1);
    return text;
}

/* Leaves the array on the stack; its strings live in the options. */
static const smc_ws_header_t *field_headers(lua_State *L, int idx, size_t *n)
{
    smc_ws_header_t *headers;
    int list;

    *n = 0;
    if (lua_getfield(L, idx, "headers") == LUA_TNIL)
        return NULL;
    if (!lua_istable(L, -1))
        (void)luaL_error(L, BAD_HEADERS);
    list = lua_gettop(L);
    *n = (size_t)lua_rawlen(L, list);
    headers = lua_newuserdatauv(L, *n * sizeof(*headers) + 1, 0);
    for (size_t i = 0; i < *n; i++) {
        if (lua_rawgeti(L, list, (lua_Integer)i + 1) != LUA_TTABLE)
            (void)luaL_error(L, BAD_HEADERS);
        headers[i].name = pair_part(L, lua_gettop(L), 1);
        headers[i].value = pair_part(L, lua_gettop(L), 2);
        lua_pop(L, 1);
    }
    return headers;
}

size_t smcb_ws_check_conf(lua_State *L, int idx, smc_ws_conf_t *conf)
{
    static const char *const known[] = {"headers",   "timeout", "protocol", "deflate",
                                        "max_queue", "ca",      NULL};
    size_t max_queue;

    smcb_check_keys(L, idx, known);
    conf->timeout_ms = smcb_field_seconds(L, idx, "timeout", CONNECT_TIMEOUT_MS);
    if (conf->timeout_ms == 0)
        conf->timeout_ms = 1; /* to the core 0 is its default */
    conf->ca_pem = field_string(L, idx, "ca");
    conf->ca_pem_len = conf->ca_pem == NULL ? 0 : strlen(conf->ca_pem);
    conf->protocol = field_string(L, idx, "protocol");
    conf->deflate = smcb_ws_field_bool(L, idx, "deflate");
    max_queue = field_count(L, idx, "max_queue", MAX_QUEUE);
    conf->headers = field_headers(L, idx, &conf->n_headers);
    return max_queue;
}
