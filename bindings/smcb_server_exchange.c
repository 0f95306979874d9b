/* ex: one request of a client and its answer. */
#include "smcb_server.h"

#include <string.h>

static const char exchange_mt[] =
    "smc.core.server.exchange"; /* of both classes: see smcb_exchange_handled */
static const char kept_mt[] = "smc.core.server.exchange.kept";
#define WRONG_ANSWER                                                                        \
    "a status must be 200..599, header names and values must hold no line ends or control " \
    "characters, and an answer can be begun only once"

/* UV_FIELDS: a table of what was asked for before; made at the first need. */
enum { UV_SERVER = 1, UV_FIELDS, UV_COUNT = UV_FIELDS };

typedef struct exchange_box {
    smcb_class_t class;
    smc_exchange_t *ex; /* counted; NULL: answered, and its handler has ended */
} exchange_box_t;

/* NULL: it is over. */
static smc_exchange_t *check_exchange(lua_State *L)
{
    return ((exchange_box_t *)smcb_class_check(L, 1, exchange_mt))->ex;
}

static smc_exchange_t *check_request(lua_State *L)
{
    smc_exchange_t *ex = check_exchange(L);

    if (ex == NULL)
        (void)luaL_error(L, "the exchange is over: what it asked for has to be read before it is "
                            "answered, or before "
                            "its handler ends");
    return ex;
}

void smcb_exchange_push(lua_State *L, smc_exchange_t *ex, int idx)
{
    exchange_box_t *box = smcb_class_push(L, sizeof(*box), UV_COUNT, exchange_mt);

    box->ex = ex;
    lua_pushvalue(L, idx);
    (void)lua_setiuservalue(L, -2, UV_SERVER);
}

static void drop(exchange_box_t *box)
{
    smc_exchange_release(box->ex);
    box->ex = NULL;
}

static int l_gc(lua_State *L)
{
    drop(smcb_class_check(L, 1, exchange_mt));
    return 0;
}

/* Only what somebody keeps beyond its handler gets a finalizer: they are dear. */
void smcb_exchange_handled(lua_State *L)
{
    exchange_box_t *box = lua_touserdata(L, -1);

    if (box->ex == NULL)
        return;
    if (smc_exchange_alive(box->ex))
        luaL_setmetatable(L, kept_mt);
    else
        drop(box);
}

/* ---- the request -------------------------------------------------------- */

static void push_method(lua_State *L, const smc_exchange_t *ex)
{
    size_t n;
    const char *p = smc_exchange_method(ex, &n);

    lua_pushlstring(L, p, n);
}

static void push_target(lua_State *L, const smc_exchange_t *ex)
{
    size_t n;
    const char *p = smc_exchange_target(ex, &n);

    lua_pushlstring(L, p, n);
}

static void push_path(lua_State *L, const smc_exchange_t *ex)
{
    size_t n;
    const char *p = smc_exchange_target(ex, &n), *mark = memchr(p, '?', n);

    lua_pushlstring(L, p, mark == NULL ? n : (size_t)(mark - p));
}

static void push_query(lua_State *L, const smc_exchange_t *ex)
{
    size_t n;
    const char *p = smc_exchange_target(ex, &n), *mark = memchr(p, '?', n);

    if (mark == NULL)
        lua_pushliteral(L, "");
    else
        lua_pushlstring(L, mark + 1, n - (size_t)(mark + 1 - p));
}

static void push_body(lua_State *L, const smc_exchange_t *ex)
{
    size_t n;
    const char *p = smc_exchange_body(ex, &n);

    lua_pushlstring(L, p, n);
}

static void push_connection(lua_State *L, const smc_exchange_t *ex)
{
    lua_pushinteger(L, (lua_Integer)smc_exchange_connection(ex));
}

static void push_is_ours(lua_State *L, const smc_exchange_t *ex)
{
    lua_pushboolean(L, smc_exchange_is_ours(ex));
}

static void push_is_websocket(lua_State *L, const smc_exchange_t *ex)
{
    lua_pushboolean(L, smc_exchange_is_ws(ex));
}

static void push_lower(lua_State *L, const char *p, size_t n)
{
    luaL_Buffer b;
    char *out = luaL_buffinitsize(L, &b, n);

    for (size_t i = 0; i < n; i++)
        out[i] = (char)(p[i] >= 'A' && p[i] <= 'Z' ? p[i] + ('a' - 'A') : p[i]);
    luaL_pushresultsize(&b, n);
}

/* The first of each name, as ex:header gives it: hence backwards. */
static void push_headers(lua_State *L, const smc_exchange_t *ex)
{
    size_t n = smc_exchange_n_fields(ex);

    lua_createtable(L, 0, (int)n);
    while (n-- > 0) {
        smc_server_field_t f = smc_exchange_field(ex, n);
        push_lower(L, f.name, f.name_len);
        lua_pushlstring(L, f.value, f.value_len);
        lua_rawset(L, -3);
    }
}

static void push_raw_headers(lua_State *L, const smc_exchange_t *ex)
{
    size_t n = smc_exchange_n_fields(ex);

    lua_createtable(L, (int)n, 0);
    for (size_t i = 0; i < n; i++) {
        smc_server_field_t f = smc_exchange_field(ex, i);
        lua_createtable(L, 2, 0);
        lua_pushlstring(L, f.name, f.name_len);
        lua_rawseti(L, -2, 1);
        lua_pushlstring(L, f.value, f.value_len);
        lua_rawseti(L, -2, 2);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

static void push_alive(lua_State *L, const smc_exchange_t *ex)
{
    lua_pushboolean(L, ex != NULL && smc_exchange_alive(ex));
}

typedef struct property {
    const char *name;
    void (*push)(lua_State *L, const smc_exchange_t *ex);
    bool changes; /* it is not remembered */
} property_t;

static const property_t properties[] = {
    {"method", push_method, false},
    {"target", push_target, false},
    {"path", push_path, false},
    {"query", push_query, false},
    {"body", push_body, false},
    {"connection", push_connection, false},
    {"is_ours", push_is_ours, false},
    {"headers", push_headers, false},
    {"raw_headers", push_raw_headers, false},
    {"is_websocket", push_is_websocket, false},
    {"alive", push_alive, true},
};

/* Pushes what is remembered under the key at 2; false, and nothing, when that is nothing. */
static bool push_known(lua_State *L)
{
    if (lua_getiuservalue(L, 1, UV_FIELDS) == LUA_TTABLE) {
        lua_pushvalue(L, 2);
        if (lua_rawget(L, -2) != LUA_TNIL)
            return true;
    }
    lua_settop(L, 2);
    return false;
}

static void remember(lua_State *L)
{
    if (lua_getiuservalue(L, 1, UV_FIELDS) != LUA_TTABLE) {
        lua_pop(L, 1);
        lua_createtable(L, 0, 8);
        lua_pushvalue(L, -1);
        (void)lua_setiuservalue(L, 1, UV_FIELDS);
    }
    lua_pushvalue(L, 2);
    lua_pushvalue(L, -3);
    lua_rawset(L, -3);
    lua_pop(L, 1);
}

/* Upvalue 1: the members by name, a method or the index of a property. */
static int l_index(lua_State *L)
{
    const smc_exchange_t *ex = check_exchange(L);
    const property_t *p;

    lua_settop(L, 2);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) == LUA_TFUNCTION)
        return 1;
    if (!lua_isinteger(L, -1))
        return luaL_error(L, "an exchange has no field '%s'", luaL_tolstring(L, 2, NULL));
    p = &properties[lua_tointeger(L, -1)];
    lua_pop(L, 1);
    if (p->changes) {
        p->push(L, ex);
    } else if (!push_known(L)) {
        p->push(L, check_request(L));
        remember(L);
    }
    return 1;
}

/* parts() -> method, path, query, body, is_websocket: what every request is asked for, in one call. */
static int l_parts(lua_State *L)
{
    const smc_exchange_t *ex = check_request(L);

    push_method(L, ex);
    push_path(L, ex);
    push_query(L, ex);
    push_body(L, ex);
    push_is_websocket(L, ex);
    return 5;
}

/* header(name, ...) -> the value of each, or nil. */
static int l_header(lua_State *L)
{
    const smc_exchange_t *ex = check_request(L);
    int n_names = lua_gettop(L) - 1;

    luaL_checkstack(L, n_names, "too many names");
    (void)luaL_checkstring(L, 2);
    for (int i = 0; i < n_names; i++) {
        size_t n;
        const char *value = smc_exchange_header(ex, luaL_checkstring(L, 2 + i), &n);
        if (value == NULL)
            lua_pushnil(L);
        else
            lua_pushlstring(L, value, n);
    }
    return n_names;
}

/* ---- the answer --------------------------------------------------------- */

/* What becomes of an exchange that is over. */
#define UNLESS_OVER(ex, call) ((ex) == NULL ? SMC_ECLOSED : (call))

static int check_status(lua_State *L)
{
    lua_Integer status = luaL_checkinteger(L, 2);

    return status >= 200 && status <= 599 ? (int)status : 0;
}

static int l_reply(lua_State *L)
{
    smc_exchange_t *ex = check_exchange(L);
    int status = check_status(L);
    size_t n;
    const char *body = luaL_optlstring(L, 4, "", &n);
    smcb_fields_t fields = {0};

    smcb_server_fields(L, 3, &fields);
    return smcb_server_result(
        L, UNLESS_OVER(ex, smc_exchange_reply(ex, status, fields.v, fields.n, body, n)), "ex:reply",
        WRONG_ANSWER);
}

static int l_start(lua_State *L)
{
    smc_exchange_t *ex = check_exchange(L);
    int status = check_status(L);
    smcb_fields_t fields = {0};

    smcb_server_fields(L, 3, &fields);
    return smcb_server_result(L,
                              UNLESS_OVER(ex, smc_exchange_start(ex, status, fields.v, fields.n)),
                              "ex:start", WRONG_ANSWER);
}

static int l_write(lua_State *L)
{
    smc_exchange_t *ex = check_exchange(L);
    size_t n;
    const char *bytes = luaL_checklstring(L, 2, &n);

    return smcb_server_result(L, UNLESS_OVER(ex, smc_exchange_write(ex, bytes, n)), "ex:write",
                              "ex:start comes before ex:write");
}

static int l_finish(lua_State *L)
{
    smc_exchange_t *ex = check_exchange(L);

    return smcb_server_result(L, UNLESS_OVER(ex, smc_exchange_end(ex)), "ex:finish",
                              "there is no answer to finish: nothing was started");
}

static int l_raw(lua_State *L)
{
    smc_exchange_t *ex = check_exchange(L);
    size_t n;
    const char *bytes = luaL_checklstring(L, 2, &n);

    return smcb_server_result(L, UNLESS_OVER(ex, smc_exchange_raw(ex, bytes, n)), "ex:raw", "");
}

static int l_close(lua_State *L)
{
    smc_exchange_t *ex = check_exchange(L);

    return smcb_server_result(L, UNLESS_OVER(ex, smc_exchange_close(ex)), "ex:close", "");
}

static int l_reset(lua_State *L)
{
    smc_exchange_t *ex = check_exchange(L);

    return smcb_server_result(L, UNLESS_OVER(ex, smc_exchange_reset(ex)), "ex:reset", "");
}

static int l_upgrade(lua_State *L)
{
    smc_exchange_t *ex = check_request(L);

    lua_settop(L, 2);
    (void)lua_getiuservalue(L, 1, UV_SERVER);
    return smcb_sock_upgrade(L, ex, lua_touserdata(L, -1), 2);
}

void smcb_exchange_setup(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"parts", l_parts}, {"header", l_header},   {"reply", l_reply}, {"start", l_start},
        {"write", l_write}, {"finish", l_finish},   {"raw", l_raw},     {"close", l_close},
        {"reset", l_reset}, {"upgrade", l_upgrade}, {NULL, NULL},
    };

    if (smcb_class_new(L, exchange_mt)) {
        luaL_newlib(L, methods);
        for (size_t i = 0; i < sizeof(properties) / sizeof(properties[0]); i++) {
            lua_pushinteger(L, (lua_Integer)i);
            lua_setfield(L, -2, properties[i].name);
        }
        lua_pushcclosure(L, l_index, 1);
        lua_setfield(L, -2, "__index");
        lua_pushstring(L, exchange_mt);
        lua_setfield(L, -2, "__metatable");
    }
    if (smcb_class_new(L, kept_mt)) {
        lua_getfield(L, -2, "__index");
        lua_setfield(L, -2, "__index");
        lua_pushcfunction(L, l_gc);
        lua_setfield(L, -2, "__gc");
        lua_pushstring(L, exchange_mt);
        lua_setfield(L, -2, "__metatable");
    }
    lua_pop(L, 2);
}
