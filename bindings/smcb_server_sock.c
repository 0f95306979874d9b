/* sock: one WebSocket peer of a listener. */
#include "smcb_server.h"

#include <string.h>

#define SOCK_MT "smc.core.server.sock"

static smcb_sock_t *check_sock(lua_State *L)
{
    return luaL_checkudata(L, 1, SOCK_MT);
}

/* ---- life --------------------------------------------------------------- */

static void link_sock(smcb_sock_t *sock, smcb_server_t *s)
{
    sock->server = s;
    sock->next = s->socks;
    sock->link = &s->socks;
    if (sock->next != NULL)
        sock->next->link = &sock->next;
    s->socks = sock;
}

void smcb_sock_end(smcb_sock_t *sock)
{
    smcb_server_t *s = sock->server;

    if (s == NULL)
        return;
    *sock->link = sock->next;
    if (sock->next != NULL)
        sock->next->link = sock->link;
    sock->server = NULL;
    if (sock->peer != NULL) {
        (void)smc_peer_reset(sock->peer);
        smc_peer_release(sock->peer);
    }
    sock->peer = NULL;
    smcb_unanchor(s->L, sock);
}

static int l_gc(lua_State *L)
{
    smcb_sock_end(check_sock(L));
    return 0;
}

/* ---- events ------------------------------------------------------------- */

static void on_message(void *ud, smc_peer_t *peer, const char *data, size_t n, bool binary)
{
    smcb_sock_t *sock = ud;
    smcb_event_t ev = {.kind = SMCB_EV_MESSAGE, .sock = sock, .binary = binary, .len = n};

    (void)peer;
    smcb_server_queue(sock->server, &ev, data);
}

static void on_ping(void *ud, smc_peer_t *peer, const char *payload, size_t n)
{
    smcb_sock_t *sock = ud;

    (void)peer;
    smcb_server_queue(sock->server, &(smcb_event_t){.kind = SMCB_EV_PING, .sock = sock, .len = n},
                      payload);
}

static void on_pong(void *ud, smc_peer_t *peer, const char *payload, size_t n)
{
    smcb_sock_t *sock = ud;

    (void)peer;
    smcb_server_queue(sock->server, &(smcb_event_t){.kind = SMCB_EV_PONG, .sock = sock, .len = n},
                      payload);
}

static void on_close(void *ud, smc_peer_t *peer, uint16_t code, const char *reason, size_t n,
                     bool clean)
{
    smcb_sock_t *sock = ud;
    smcb_event_t ev = {.kind = SMCB_EV_CLOSE, .sock = sock, .code = code, .clean = clean, .len = n};

    (void)peer;
    smcb_server_queue(sock->server, &ev, reason);
}

static const smc_peer_callbacks_t callbacks = {on_message, on_ping, on_pong, on_close};

/* ---- upgrade ------------------------------------------------------------ */

static void take_handlers(lua_State *L, int idx, int sock_idx)
{
    static const char *const names[] = {[SMCB_EV_MESSAGE] = "on_message",
                                        [SMCB_EV_PING] = "on_ping",
                                        [SMCB_EV_PONG] = "on_pong",
                                        [SMCB_EV_CLOSE] = "on_close"};

    for (int i = SMCB_EV_MESSAGE; i <= SMCB_EV_CLOSE; i++) {
        int type = lua_getfield(L, idx, names[i]);
        if (type != LUA_TNIL && type != LUA_TFUNCTION)
            (void)luaL_error(L, "%s must be a function", names[i]);
        (void)lua_setiuservalue(L, sock_idx, i);
    }
}

int smcb_sock_upgrade(lua_State *L, smc_exchange_t *ex, smcb_server_t *s, int idx)
{
    static const char *const known[] = {"headers", "on_message", "on_ping",
                                        "on_pong", "on_close",   NULL};
    smcb_fields_t fields = {0};
    smcb_sock_t *sock;
    smc_code_t code;
    int sock_idx;

    luaL_checktype(L, idx, LUA_TTABLE);
    smcb_check_keys(L, idx, known);
    sock = lua_newuserdatauv(L, sizeof(*sock), SMCB_SOCK_VALUES);
    memset(sock, 0, sizeof(*sock));
    luaL_setmetatable(L, SOCK_MT);
    sock_idx = lua_gettop(L);
    take_handlers(L, idx, sock_idx);
    (void)lua_getfield(L, idx, "headers");
    smcb_server_fields(L, lua_gettop(L), &fields);
    if (s->server == NULL)
        return smcb_server_result(L, SMC_ECLOSED, "ex:upgrade", "");
    /* Linked before the handshake: bytes that the client sent ahead are already events of it. */
    smcb_anchor(L, sock_idx, sock);
    link_sock(sock, s);
    code = smc_exchange_accept_ws(ex, &callbacks, sock, fields.v, fields.n, &sock->peer);
    if (code != SMC_OK) {
        smcb_sock_end(sock);
        return smcb_server_result(L, code, "ex:upgrade",
                                  "ex:upgrade needs a request that asks for a WebSocket "
                                  "(ex.is_websocket), not yet answered, and proper headers");
    }
    lua_pushvalue(L, sock_idx);
    return 1;
}

/* ---- methods ------------------------------------------------------------ */

static int result(lua_State *L, smc_code_t code, const char *op, const char *wrong_use)
{
    return smcb_server_result(L, code, op, wrong_use);
}

static int l_send(lua_State *L)
{
    smcb_sock_t *sock = check_sock(L);
    size_t n;
    const char *data = luaL_checklstring(L, 2, &n);

    if (sock->peer == NULL)
        return result(L, SMC_ECLOSED, "sock:send", "");
    return result(L, smc_peer_send(sock->peer, data, n, lua_toboolean(L, 3)), "sock:send", "");
}

static int l_ping(lua_State *L)
{
    smcb_sock_t *sock = check_sock(L);
    size_t n;
    const char *payload = luaL_optlstring(L, 2, "", &n);

    luaL_argcheck(L, n <= 125, 2, "a ping carries at most 125 bytes");
    if (sock->peer == NULL)
        return result(L, SMC_ECLOSED, "sock:ping", "");
    return result(L, smc_peer_ping(sock->peer, payload, n), "sock:ping", "");
}

static int l_pong(lua_State *L)
{
    smcb_sock_t *sock = check_sock(L);
    size_t n;
    const char *payload = luaL_optlstring(L, 2, "", &n);

    luaL_argcheck(L, n <= 125, 2, "a pong carries at most 125 bytes");
    if (sock->peer == NULL)
        return result(L, SMC_ECLOSED, "sock:pong", "");
    return result(L, smc_peer_pong(sock->peer, payload, n), "sock:pong", "");
}

static int l_close(lua_State *L)
{
    smcb_sock_t *sock = check_sock(L);
    lua_Integer code = luaL_optinteger(L, 2, 1000);
    size_t n;
    const char *reason = luaL_optlstring(L, 3, "", &n);

    luaL_argcheck(L, code > 0 && code <= 4999, 2, "a close code is 1000..4999");
    if (sock->peer == NULL)
        return result(L, SMC_ECLOSED, "sock:close", "");
    return result(L, smc_peer_close(sock->peer, (uint16_t)code, reason, n), "sock:close",
                  "the code may not be sent, or the reason is not UTF-8 of at most 123 bytes");
}

static int l_raw(lua_State *L)
{
    smcb_sock_t *sock = check_sock(L);
    size_t n;
    const char *bytes = luaL_checklstring(L, 2, &n);

    if (sock->peer == NULL)
        return result(L, SMC_ECLOSED, "sock:raw", "");
    return result(L, smc_peer_raw(sock->peer, bytes, n), "sock:raw", "");
}

/* The core is silent about an end that was asked for; handlers hear of every end. */
static int end_roughly(lua_State *L, smc_code_t (*how)(smc_peer_t *peer), const char *op)
{
    smcb_sock_t *sock = check_sock(L);
    smc_code_t code = sock->peer == NULL ? SMC_ECLOSED : how(sock->peer);

    if (code == SMC_OK)
        on_close(sock, sock->peer, 1006, "", 0, false);
    return result(L, code, op, "");
}

static int l_reset(lua_State *L)
{
    return end_roughly(L, smc_peer_reset, "sock:reset");
}

static int l_drop(lua_State *L)
{
    return end_roughly(L, smc_peer_drop, "sock:drop");
}

static int l_auto_pong(lua_State *L)
{
    smcb_sock_t *sock = check_sock(L);

    luaL_checktype(L, 2, LUA_TBOOLEAN);
    if (sock->peer != NULL)
        smc_peer_set_auto_pong(sock->peer, lua_toboolean(L, 2));
    return 0;
}

/* Upvalue 1: the methods. */
static int l_index(lua_State *L)
{
    const smcb_sock_t *sock = check_sock(L);
    const char *name = luaL_checkstring(L, 2);

    if (strcmp(name, "open") == 0)
        lua_pushboolean(L, sock->peer != NULL && smc_peer_open(sock->peer));
    else if (lua_getfield(L, lua_upvalueindex(1), name) == LUA_TNIL)
        return luaL_error(L, "a sock has no field '%s'", name);
    return 1;
}

void smcb_sock_setup(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"send", l_send},           {"ping", l_ping},   {"pong", l_pong},
        {"close", l_close},         {"raw", l_raw},     {"drop", l_drop},
        {"auto_pong", l_auto_pong}, {"reset", l_reset}, {NULL, NULL},
    };

    if (luaL_newmetatable(L, SOCK_MT)) {
        luaL_newlib(L, methods);
        lua_pushcclosure(L, l_index, 1);
        lua_setfield(L, -2, "__index");
        lua_pushcfunction(L, l_gc);
        lua_setfield(L, -2, "__gc");
        lua_pushliteral(L, SOCK_MT);
        lua_setfield(L, -2, "__metatable");
    }
    lua_pop(L, 1);
}
