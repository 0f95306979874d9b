/* smc.core.server: listeners.  Core callbacks queue events; one job a listener calls the handlers, in order. */
#include "smcb_server.h"

#include "smc/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SERVER_MT "smc.core.server"
#define BATCH_MAX 64 /* events of one job: each job has a CPU budget of its own */

enum { UV_ON_REQUEST = 1, UV_EXCHANGE, UV_COUNT = UV_EXCHANGE };

/* ---- events ------------------------------------------------------------- */

static void free_event(smcb_event_t *ev)
{
    if (ev == NULL)
        return;
    smc_exchange_release(ev->ex);
    free(ev);
}

void smcb_server_queue(smcb_server_t *s, const smcb_event_t *like, const char *data)
{
    smcb_event_t *ev;

    if (s->server == NULL)
        return;
    ev = malloc(sizeof(*ev) + like->len);
    if (ev == NULL) {
        smc_exchange_release(like->ex);
        return;
    }
    *ev = *like;
    ev->next = NULL;
    if (ev->len > 0)
        memcpy(ev->data, data, ev->len);
    *s->last = ev;
    s->last = &ev->next;
    smcb_post(s->host, &s->job);
}

static void on_request(void *ud, smc_exchange_t *ex)
{
    smcb_server_queue(ud, &(smcb_event_t){.kind = SMCB_EV_REQUEST, .ex = ex}, NULL);
}

static smcb_event_t *take_event(smcb_server_t *s)
{
    smcb_event_t *ev = s->first;

    s->first = ev->next;
    if (s->first == NULL)
        s->last = &s->first;
    return ev;
}

/* Pushes the handler and its arguments; returns the number of arguments, or -1 when there is nothing to call. */
static int push_call(lua_State *L, smcb_event_t *ev, int server_idx)
{
    if (ev->kind == SMCB_EV_REQUEST) {
        smc_exchange_t *ex = ev->ex;
        if (!smc_exchange_alive(ex))
            return -1;
        (void)lua_getiuservalue(L, server_idx, UV_ON_REQUEST);
        smc_exchange_retain(ex);
        smcb_exchange_push(L, ex, server_idx);
        lua_pushvalue(L, -1);
        (void)lua_setiuservalue(L, server_idx, UV_EXCHANGE);
        return 1;
    }
    (void)smcb_push_anchored(L, ev->sock);
    if (lua_getiuservalue(L, -1, (int)ev->kind) == LUA_TNIL)
        return -1;
    lua_insert(L, -2);
    if (ev->kind == SMCB_EV_CLOSE)
        lua_pushinteger(L, ev->code);
    lua_pushlstring(L, ev->data, ev->len);
    if (ev->kind == SMCB_EV_PING || ev->kind == SMCB_EV_PONG)
        return 2;
    lua_pushboolean(L, ev->kind == SMCB_EV_MESSAGE ? ev->binary : ev->clean);
    return ev->kind == SMCB_EV_MESSAGE ? 3 : 4;
}

/* The ex of the current event, if it has one, belongs to scripts alone from now on; the listener is at idx. */
static void let_go(lua_State *L, int server_idx)
{
    if (lua_getiuservalue(L, server_idx, UV_EXCHANGE) != LUA_TNIL) {
        smcb_exchange_handled(L);
        lua_pushnil(L);
        (void)lua_setiuservalue(L, server_idx, UV_EXCHANGE);
    }
    lua_pop(L, 1);
}

static void end_current(lua_State *L, smcb_server_t *s, int server_idx)
{
    smcb_event_t *ev = s->current;

    s->current = NULL;
    let_go(L, server_idx);
    if (ev->kind == SMCB_EV_CLOSE)
        smcb_sock_end(ev->sock);
    free_event(ev);
}

/* A handler raised (its error is with the host): its client gets an answer all the same. */
static void clean_up_after_error(lua_State *L, smcb_server_t *s, int server_idx)
{
    if (s->current == NULL)
        return;
    if (s->current->kind == SMCB_EV_REQUEST)
        (void)smc_exchange_reply(s->current->ex, 500, NULL, 0, NULL, 0);
    end_current(L, s, server_idx);
}

static void run_events(lua_State *L, void *ud)
{
    smcb_server_t *s = ud;
    int server_idx;

    (void)smcb_push_anchored(L, s); /* a handler may close it */
    server_idx = lua_gettop(L);
    clean_up_after_error(L, s, server_idx);
    for (int i = 0; i < BATCH_MAX && s->first != NULL; i++) {
        smcb_event_t *ev = take_event(s);
        int nargs;

        s->current = ev;
        smcb_post(s->host, &s->job); /* already now: the handler may raise */
        nargs = push_call(L, ev, server_idx);
        if (nargs >= 0)
            lua_call(L, nargs, 0);
        lua_settop(L, server_idx);
        if (s->current == NULL) /* closed by the handler */
            return;
        end_current(L, s, server_idx);
    }
    if (s->first == NULL)
        smcb_unpost(s->host, &s->job);
}

/* ---- open and close ----------------------------------------------------- */

static void close_server(smcb_resource_t *r)
{
    smcb_server_t *s = (smcb_server_t *)r;
    smc_server_t *server = s->server;

    if (server == NULL)
        return;
    s->server = NULL; /* from here on nothing is queued */
    smcb_unpost(s->host, &s->job);
    smcb_resource_drop(r);
    smc_server_close(server);
    while (s->first != NULL)
        free_event(take_event(s));
    free_event(s->current);
    s->current = NULL;
    while (s->socks != NULL)
        smcb_sock_end(s->socks);
    if (smcb_push_anchored(s->L, s))
        let_go(s->L, lua_gettop(s->L));
    lua_pop(s->L, 1);
    smcb_unanchor(s->L, s);
}

static int l_gc(lua_State *L)
{
    close_server(luaL_checkudata(L, 1, SERVER_MT));
    return 0;
}

static size_t field_size(lua_State *L, const char *name)
{
    lua_Integer n = 0;

    if (lua_getfield(L, 1, name) != LUA_TNIL) {
        n = lua_isinteger(L, -1) ? lua_tointeger(L, -1) : 0;
        if (n <= 0)
            (void)luaL_error(L, "%s must be a positive integer", name);
    }
    lua_pop(L, 1);
    return (size_t)n;
}

static smc_deflate_t field_deflate(lua_State *L)
{
    smc_deflate_t deflate = SMC_DEFLATE_OFF;

    (void)lua_getfield(L, 1, "deflate");
    if (lua_type(L, -1) == LUA_TSTRING && strcmp(lua_tostring(L, -1), "no_context") == 0)
        deflate = SMC_DEFLATE_NO_CONTEXT;
    else if (lua_isboolean(L, -1) || lua_isnil(L, -1))
        deflate = lua_toboolean(L, -1) ? SMC_DEFLATE_ON : SMC_DEFLATE_OFF;
    else
        (void)luaL_error(L, "deflate must be true, false or \"no_context\"");
    lua_pop(L, 1);
    return deflate;
}

/* true, or a table of what is to be wrong with the certificate. */
static unsigned field_tls(lua_State *L)
{
    static const char *const known[] = {"expired", "wrong_host", "wrong_authority", NULL};
    static const unsigned flags[] = {SMC_TLS_EXPIRED, SMC_TLS_WRONG_HOST, SMC_TLS_WRONG_AUTHORITY};
    int type = lua_getfield(L, 1, "tls");
    unsigned tls = lua_toboolean(L, -1) ? SMC_TLS_ON : 0;

    if (type != LUA_TNIL && type != LUA_TBOOLEAN && type != LUA_TTABLE)
        (void)luaL_error(L, "tls must be true, false or a table");
    if (type == LUA_TTABLE)
        smcb_check_keys(L, lua_gettop(L), known);
    for (int i = 0; type == LUA_TTABLE && known[i] != NULL; i++) {
        int kind = lua_getfield(L, -1, known[i]);
        if (kind != LUA_TNIL && kind != LUA_TBOOLEAN)
            (void)luaL_error(L, "tls.%s must be true or false", known[i]);
        tls |= lua_toboolean(L, -1) ? flags[i] : 0;
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return tls;
}

/* An address that is none is refused when it comes to listening. */
static void field_host(lua_State *L, char host[static 16])
{
    size_t n = 0;
    const char *given = "";

    if (lua_getfield(L, 1, "host") != LUA_TNIL)
        given = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &n) : NULL;
    if (given == NULL || n > 15)
        (void)luaL_error(L, "host must be an IPv4 address, as in \"127.0.0.1\"");
    (void)snprintf(host, 16, "%s", given);
    lua_pop(L, 1);
}

static smc_server_conf_t check_conf(lua_State *L)
{
    static const char *const known[] = {"host", "port", "max_body",   "deflate",
                                        "tls",  "seed", "on_request", NULL};
    smc_server_conf_t conf = {.on_request = on_request};
    size_t port;

    luaL_checktype(L, 1, LUA_TTABLE);
    smcb_check_keys(L, 1, known);
    port = field_size(L, "port");
    luaL_argcheck(L, port <= UINT16_MAX, 1, "port must be at most 65535");
    conf.port = (uint16_t)port;
    field_host(L, conf.host);
    conf.max_body_bytes = field_size(L, "max_body");
    conf.deflate = field_deflate(L);
    conf.tls = field_tls(L);
    (void)lua_getfield(L, 1, "seed");
    conf.seed = (uint64_t)lua_tointeger(L, -1);
    lua_pop(L, 1);
    if (lua_getfield(L, 1, "on_request") != LUA_TFUNCTION)
        (void)luaL_error(L, "on_request must be a function");
    lua_pop(L, 1);
    return conf;
}

/* Every address of the machine: one of them is for this machine. */
static const char *origin_host(const smc_server_conf_t *conf)
{
    bool any = conf->host[0] == '\0' || strcmp(conf->host, "0.0.0.0") == 0;

    return any || smc_clock_is_virtual() ? "127.0.0.1" : conf->host;
}

static int l_listen(lua_State *L)
{
    smc_server_conf_t conf = check_conf(L);
    smc_loop_t *loop = smcb_loop(L);
    smc_error_t err = {0};
    smcb_server_t *s = lua_newuserdatauv(L, sizeof(*s), UV_COUNT);

    memset(s, 0, sizeof(*s));
    s->host = smcb_host(L);
    s->last = &s->first;
    s->job.run = run_events;
    s->job.ud = s;
    s->resource.kind = "listener";
    s->resource.close = close_server;
    luaL_setmetatable(L, SERVER_MT);
    (void)lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
    s->L = lua_tothread(L, -1);
    lua_pop(L, 1);
    (void)lua_getfield(L, 1, "on_request");
    (void)lua_setiuservalue(L, -2, UV_ON_REQUEST);
    smcb_anchor(L, -1, s);
    conf.ud = s;
    if (smc_server_open(loop, &conf, &s->server, &err) != SMC_OK) {
        smcb_unanchor(L, s);
        return smcb_push_fail(L, &err);
    }
    s->port = smc_server_port(s->server);
    s->tls = conf.tls != 0;
    (void)snprintf(s->resource.label, sizeof(s->resource.label), "%s://%s:%u",
                   s->tls ? "https" : "http", origin_host(&conf), (unsigned)s->port);
    smcb_resource_add(s->host, &s->resource);
    return 1;
}

/* ---- methods ------------------------------------------------------------ */

smc_server_t *smcb_server_check_open(lua_State *L)
{
    smcb_server_t *s = luaL_checkudata(L, 1, SERVER_MT);

    if (s->server == NULL)
        (void)luaL_error(L, "the server is closed");
    return s->server;
}

static int l_port(lua_State *L)
{
    lua_pushinteger(L, ((smcb_server_t *)luaL_checkudata(L, 1, SERVER_MT))->port);
    return 1;
}

static int l_origin(lua_State *L)
{
    lua_pushstring(L, ((smcb_server_t *)luaL_checkudata(L, 1, SERVER_MT))->resource.label);
    return 1;
}

/* The certificate that its clients have to trust; nil without TLS. */
static int l_ca(lua_State *L)
{
    const smcb_server_t *s = luaL_checkudata(L, 1, SERVER_MT);
    const char *pem = NULL;
    smc_error_t err = {0};
    size_t n = 0;

    if (!s->tls) {
        lua_pushnil(L);
        return 1;
    }
    if (smc_tls_ca(smcb_loop(L), &pem, &n, &err) != SMC_OK)
        return smcb_push_fail(L, &err);
    lua_pushlstring(L, pem, n);
    return 1;
}

static int l_connections(lua_State *L)
{
    const smcb_server_t *s = luaL_checkudata(L, 1, SERVER_MT);

    lua_pushinteger(L, s->server == NULL ? 0 : (lua_Integer)smc_server_connections(s->server));
    return 1;
}

static int l_mute(lua_State *L)
{
    smc_server_t *server = smcb_server_check_open(L);

    luaL_checktype(L, 2, LUA_TBOOLEAN);
    smc_server_mute(server, lua_toboolean(L, 2));
    return 0;
}

static int l_refuse(lua_State *L)
{
    smc_server_t *server = smcb_server_check_open(L);
    smc_error_t err = {0};

    luaL_checktype(L, 2, LUA_TBOOLEAN);
    return smcb_result(L, smc_server_refuse(server, lua_toboolean(L, 2), &err), &err);
}

static int l_drop(lua_State *L)
{
    smc_server_drop(smcb_server_check_open(L));
    return 0;
}

static int l_tostring(lua_State *L)
{
    const smcb_server_t *s = luaL_checkudata(L, 1, SERVER_MT);

    lua_pushfstring(L, "server %s%s", s->resource.label, s->server == NULL ? " (closed)" : "");
    return 1;
}

/* ---- shared ------------------------------------------------------------- */

static const char *check_text(lua_State *L, int idx, size_t *n)
{
    if (!lua_isstring(L, idx))
        (void)luaL_error(L, "headers must be a list of {name, value}");
    return lua_tolstring(L, idx, n);
}

/* Without a string of Lua: it would be a new one for each answer. */
static const char *write_count(char text[24], lua_Integer count, size_t *n)
{
    char *p = text + 24;

    do {
        *--p = (char)('0' + count % 10);
        count /= 10;
    } while (count > 0);
    *n = (size_t)(text + 24 - p);
    return p;
}

void smcb_server_fields(lua_State *L, int idx, smcb_fields_t *fields)
{
    smc_server_field_t *v = fields->room;

    fields->v = v;
    fields->n = 0;
    if (lua_isnoneornil(L, idx))
        return;
    luaL_checktype(L, idx, LUA_TTABLE);
    fields->n = (size_t)lua_rawlen(L, idx);
    luaL_checkstack(L, (int)fields->n * 3 + 4, "too many headers");
    if (fields->n > sizeof(fields->room) / sizeof(fields->room[0]))
        fields->v = v = lua_newuserdatauv(L, fields->n * sizeof(*v), 0);
    for (size_t i = 0; i < fields->n; i++) {
        if (lua_rawgeti(L, idx, (lua_Integer)i + 1) != LUA_TTABLE)
            (void)luaL_error(L, "headers must be a list of {name, value}");
        (void)lua_rawgeti(L, -1, 1);
        (void)lua_rawgeti(L, -2, 2);
        v[i].name = check_text(L, -2, &v[i].name_len);
        if (v == fields->room && lua_isinteger(L, -1) && lua_tointeger(L, -1) >= 0)
            v[i].value = write_count(fields->digits[i], lua_tointeger(L, -1), &v[i].value_len);
        else
            v[i].value = check_text(L, -1, &v[i].value_len);
    }
}

int smcb_server_result(lua_State *L, smc_code_t code, const char *op, const char *wrong_use)
{
    smc_error_t err = {0};

    if (code == SMC_EINVAL)
        return luaL_error(L, "%s", wrong_use);
    if (code != SMC_OK)
        (void)smc_fail(&err, code, op, 0, "%s",
                       code == SMC_ECLOSED ? "the connection is gone or was answered"
                                           : smc_code_text(code));
    return smcb_result(L, code, &err);
}

int smcb_open_server(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"port", l_port}, {"origin", l_origin}, {"ca", l_ca},     {"close", l_gc},
        {"mute", l_mute}, {"refuse", l_refuse}, {"drop", l_drop}, {"connections", l_connections},
        {NULL, NULL},
    };
    static const luaL_Reg module[] = {
        {"listen", l_listen}, {"relay", smcb_relay_open}, {NULL, NULL}};

    if (luaL_newmetatable(L, SERVER_MT)) {
        luaL_newlib(L, methods);
        smcb_server_add_link_methods(L);
        lua_setfield(L, -2, "__index");
        lua_pushcfunction(L, l_gc);
        lua_setfield(L, -2, "__gc");
        lua_pushcfunction(L, l_gc);
        lua_setfield(L, -2, "__close");
        lua_pushcfunction(L, l_tostring);
        lua_setfield(L, -2, "__tostring");
        lua_pushliteral(L, SERVER_MT);
        lua_setfield(L, -2, "__metatable");
    }
    smcb_exchange_setup(L);
    smcb_sock_setup(L);
    smcb_relay_setup(L);
    luaL_newlib(L, module);
    return 1;
}
