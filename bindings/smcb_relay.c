/* relays: ways through this process to the interfaces of one venue, with one set of links for all of them. */
#include "smcb_server.h"

#include "smc/relay.h"

#include <stdio.h>
#include <string.h>

#define RELAY_MT "smc.core.server.relay"

enum { PLACES_MAX = 8 };

typedef struct relay_box {
    smcb_resource_t resource; /* first */
    smc_loop_t *loop;
    smc_links_t *links; /* NULL once closed */
    size_t n;
    struct way {
        smc_relay_t *relay;
        char host[256];
        uint16_t port;
    } ways[PLACES_MAX];
} relay_box_t;

static void close_relay(smcb_resource_t *r)
{
    relay_box_t *box = (relay_box_t *)r;

    if (box->links == NULL)
        return;
    smcb_resource_drop(r);
    for (size_t i = 0; i < box->n; i++) {
        smc_relay_close(box->ways[i].relay);
        (void)smc_loop_hide(box->loop, box->ways[i].host, box->ways[i].port, false, NULL);
    }
    smc_links_close(box->links);
    box->links = NULL;
}

static int l_gc(lua_State *L)
{
    close_relay(luaL_checkudata(L, 1, RELAY_MT));
    return 0;
}

static relay_box_t *check_open(lua_State *L)
{
    relay_box_t *box = luaL_checkudata(L, 1, RELAY_MT);

    if (box->links == NULL)
        (void)luaL_error(L, "the relay is closed");
    return box;
}

smc_links_t *smcb_relay_links(lua_State *L)
{
    return luaL_testudata(L, 1, RELAY_MT) == NULL ? NULL : check_open(L)->links;
}

static int l_refuse(lua_State *L)
{
    relay_box_t *box = check_open(L);
    smc_code_t code = SMC_OK;
    smc_error_t err = {0};

    luaL_checktype(L, 2, LUA_TBOOLEAN);
    for (size_t i = 0; i < box->n && code == SMC_OK; i++)
        code = smc_relay_refuse(box->ways[i].relay, lua_toboolean(L, 2), &err);
    return smcb_result(L, code, &err);
}

static int l_drop(lua_State *L)
{
    smc_links_drop(check_open(L)->links);
    return 0;
}

static int l_hide(lua_State *L)
{
    relay_box_t *box = check_open(L);
    smc_code_t code = SMC_OK;
    smc_error_t err = {0};

    luaL_checktype(L, 2, LUA_TBOOLEAN);
    for (size_t i = 0; i < box->n && code == SMC_OK; i++)
        code = smc_loop_hide(box->loop, box->ways[i].host, box->ways[i].port, lua_toboolean(L, 2),
                             &err);
    return smcb_result(L, code, &err);
}

/* { host, port } at the top of the stack. */
static void read_place(lua_State *L, struct way *way)
{
    const char *host;
    size_t n = 0;
    lua_Integer port;

    luaL_checktype(L, -1, LUA_TTABLE);
    (void)lua_geti(L, -1, 1);
    (void)lua_geti(L, -2, 2);
    host = luaL_checklstring(L, -2, &n);
    port = luaL_checkinteger(L, -1);
    if (n == 0 || n >= sizeof(way->host) || port < 1 || port > UINT16_MAX)
        (void)luaL_error(L, "a place is { host, port }");
    (void)snprintf(way->host, sizeof(way->host), "%s", host);
    way->port = (uint16_t)port;
    lua_pop(L, 2);
}

int smcb_relay_open(lua_State *L)
{
    uint64_t seed = (uint64_t)luaL_checkinteger(L, 2);
    smc_code_t code;
    smc_error_t err = {0};
    relay_box_t *box;
    size_t n;

    luaL_checktype(L, 1, LUA_TTABLE);
    n = (size_t)lua_rawlen(L, 1);
    luaL_argcheck(L, n >= 1 && n <= PLACES_MAX, 1, "one to eight places");
    box = lua_newuserdatauv(L, sizeof(*box), 0);
    memset(box, 0, sizeof(*box));
    box->loop = smcb_loop(L);
    box->resource.kind = "relay";
    box->resource.close = close_relay;
    luaL_setmetatable(L, RELAY_MT);
    for (size_t i = 0; i < n; i++) {
        (void)lua_geti(L, 1, (lua_Integer)i + 1);
        read_place(L, &box->ways[i]);
        lua_pop(L, 1);
    }
    code = smc_links_open(box->loop, seed, &box->links, &err);
    if (code != SMC_OK)
        return smcb_push_fail(L, &err);
    (void)snprintf(box->resource.label, sizeof(box->resource.label), "%.80s", box->ways[0].host);
    smcb_resource_add(smcb_host(L), &box->resource);
    while (box->n < n && code == SMC_OK) {
        struct way *way = &box->ways[box->n];
        code = smc_relay_open(box->loop, box->links, way->host, way->port, &way->relay, &err);
        box->n += code == SMC_OK;
    }
    if (code == SMC_OK)
        return 1;
    close_relay(&box->resource);
    return smcb_push_fail(L, &err);
}

void smcb_relay_setup(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"close", l_gc}, {"refuse", l_refuse}, {"drop", l_drop}, {"hide", l_hide}, {NULL, NULL},
    };

    if (luaL_newmetatable(L, RELAY_MT)) {
        luaL_newlib(L, methods);
        smcb_links_add_methods(L);
        lua_setfield(L, -2, "__index");
        lua_pushcfunction(L, l_gc);
        lua_setfield(L, -2, "__gc");
        lua_pushliteral(L, RELAY_MT);
        lua_setfield(L, -2, "__metatable");
    }
    lua_pop(L, 1);
}
