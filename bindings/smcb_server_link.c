/* What may befall the bytes of a listener's connections: toxics on their links, certificates, names. */
#include "smcb_server.h"

#include <math.h>
#include <string.h>

#define US_PER_S 1e6
#define MOST_NUMBER 9007199254740992.0 /* 2^53 */

static const char *const kind_names[] = {
    [SMC_TOXIC_LATENCY] = "latency",       [SMC_TOXIC_BANDWIDTH] = "bandwidth",
    [SMC_TOXIC_SLOW_CLOSE] = "slow_close", [SMC_TOXIC_TIMEOUT] = "timeout",
    [SMC_TOXIC_RESET_PEER] = "reset_peer", [SMC_TOXIC_SLICER] = "slicer",
    [SMC_TOXIC_LIMIT_DATA] = "limit_data", [SMC_TOXIC_BLACKHOLE] = "blackhole",
    [SMC_TOXIC_CORRUPT] = "corrupt",       [SMC_TOXIC_CLOSE_MID_BODY] = "close_mid_body",
    [SMC_TOXIC_HALF_OPEN] = "half_open",   [SMC_TOXIC_COUNT] = NULL,
};

static const char *const stream_names[] = {"upstream", "downstream", "both", NULL};

/* ---- toxics --------------------------------------------------------------- */

static double field_number(lua_State *L, int idx, const char *name, double missing)
{
    double n = missing;

    if (lua_getfield(L, idx, name) != LUA_TNIL) {
        n = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : -1;
        if (!(n >= 0 && n <= MOST_NUMBER))
            (void)luaL_error(L, "%s must be a number of 0 or more", name);
    }
    lua_pop(L, 1);
    return n;
}

static uint64_t field_us(lua_State *L, int idx, const char *name)
{
    double us = ceil(field_number(L, idx, name, 0) * US_PER_S);

    return us > MOST_NUMBER ? UINT64_MAX : (uint64_t)us;
}

static int field_choice(lua_State *L, int idx, const char *name, const char *const choices[],
                        const char *missing)
{
    int choice = 0;
    const char *given;

    (void)lua_getfield(L, idx, name);
    given = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
    if (lua_isnil(L, -1))
        given = missing;
    while (choices[choice] != NULL && (given == NULL || strcmp(given, choices[choice]) != 0))
        choice++;
    if (choices[choice] == NULL)
        (void)luaL_error(L, "there is no such %s", name);
    lua_pop(L, 1);
    return choice;
}

static smc_toxic_t check_toxic(lua_State *L, int idx)
{
    static const char *const known[] = {"kind",   "stream", "toxicity",  "count", "aimed", "time",
                                        "jitter", "size",   "variation", "share", NULL};
    smc_toxic_t t = {0};

    luaL_checktype(L, idx, LUA_TTABLE);
    smcb_check_keys(L, idx, known);
    t.kind = (smc_toxic_kind_t)field_choice(L, idx, "kind", kind_names, NULL);
    t.streams = (unsigned)field_choice(L, idx, "stream", stream_names, "downstream") + 1;
    t.toxicity = field_number(L, idx, "toxicity", 1);
    t.count = (uint64_t)field_number(L, idx, "count", 0);
    (void)lua_getfield(L, idx, "aimed");
    t.aimed = lua_toboolean(L, -1);
    lua_pop(L, 1);
    t.time_us = field_us(L, idx, "time");
    t.jitter_us = field_us(L, idx, "jitter");
    t.size = (uint64_t)field_number(L, idx, "size", 0);
    t.variation = (uint64_t)field_number(L, idx, "variation", 0);
    t.share = field_number(L, idx, "share", 0);
    return t;
}

static unsigned check_id(lua_State *L, int idx)
{
    return (unsigned)luaL_checkinteger(L, idx);
}

/* Wrong numbers are wrong use; the rest is a failure. */
static int fail(lua_State *L, const smc_error_t *err)
{
    if (err->code == SMC_EINVAL)
        return luaL_error(L, "%s", err->detail);
    return smcb_push_fail(L, err);
}

static smc_links_t *check_links(lua_State *L)
{
    smc_links_t *links = smcb_relay_links(L);
    smc_error_t err = {0};

    if (links == NULL && smc_server_links(smcb_server_check_open(L), &links, &err) != SMC_OK)
        (void)luaL_error(L, "%s", err.detail);
    return links;
}

static int l_add_toxic(lua_State *L)
{
    smc_links_t *ways = smcb_relay_links(L);
    smc_toxic_t t = check_toxic(L, 2);
    smc_error_t err = {0};
    unsigned id = 0;
    smc_code_t code = ways != NULL ? smc_links_add(ways, &t, &id, &err)
                                   : smc_server_add_toxic(smcb_server_check_open(L), &t, &id, &err);

    if (code != SMC_OK)
        return fail(L, &err);
    lua_pushinteger(L, id);
    return 1;
}

static int l_change_toxic(lua_State *L)
{
    smc_links_t *links = check_links(L);
    smc_toxic_t t = check_toxic(L, 3);
    smc_error_t err = {0};

    if (smc_links_change(links, check_id(L, 2), &t, &err) != SMC_OK)
        return fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

static int l_remove_toxic(lua_State *L)
{
    smc_links_remove(check_links(L), check_id(L, 2));
    return 0;
}

static int l_toxic_hits(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)smc_links_hits(check_links(L), check_id(L, 2)));
    return 1;
}

static int l_aim(lua_State *L)
{
    smc_server_t *server = smcb_server_check_open(L);
    uint64_t connection = (uint64_t)luaL_checkinteger(L, 2);

    luaL_checktype(L, 4, LUA_TBOOLEAN);
    lua_pushboolean(L, smc_server_aim(server, connection, check_id(L, 3), lua_toboolean(L, 4)));
    return 1;
}

/* ---- what connections are busy with --------------------------------------- */

/* The walk over the connections must not be left by an error: what Lua has to make is made afterwards. */
static void count_busy(void *ud, const smc_server_busy_t *busy)
{
    (void)busy;
    ++*(size_t *)ud;
}

static void copy_busy(void *ud, const smc_server_busy_t *busy)
{
    smc_server_busy_t **next = ud;

    *(*next)++ = *busy;
}

static int l_busy(lua_State *L)
{
    smc_server_t *server = smcb_server_check_open(L);
    size_t n = 0;
    smc_server_busy_t *all, *end;

    smc_server_each_busy(server, count_busy, &n);
    all = end = lua_newuserdatauv(L, n * sizeof(*all) + 1, 0);
    smc_server_each_busy(server, copy_busy, &end);
    lua_createtable(L, (int)n, 0);
    for (const smc_server_busy_t *busy = all; busy < end; busy++) {
        const char *mark = memchr(busy->target, '?', busy->n_target);
        lua_createtable(L, 0, 3);
        lua_pushinteger(L, (lua_Integer)busy->connection);
        lua_setfield(L, -2, "connection");
        lua_pushlstring(L, busy->method, busy->n_method);
        lua_setfield(L, -2, "method");
        lua_pushlstring(L, busy->target,
                        mark == NULL ? busy->n_target : (size_t)(mark - busy->target));
        lua_setfield(L, -2, "path");
        lua_rawseti(L, -2, busy - all + 1);
    }
    return 1;
}

/* ---- certificates and names ------------------------------------------------ */

static int l_certificate(lua_State *L)
{
    static const char *const names[] = {"right", "expired", "wrong_host", "wrong_authority", NULL};
    static const unsigned flags[] = {SMC_TLS_ON, SMC_TLS_EXPIRED, SMC_TLS_WRONG_HOST,
                                     SMC_TLS_WRONG_AUTHORITY};
    smc_server_t *server = smcb_server_check_open(L);
    int choice = luaL_checkoption(L, 2, NULL, names);
    smc_error_t err = {0};

    if (smc_server_set_tls(server, flags[choice], &err) != SMC_OK)
        return fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

static int l_hide(lua_State *L)
{
    uint16_t port = smc_server_port(smcb_server_check_open(L));
    smc_error_t err = {0};
    smc_code_t code;

    luaL_checktype(L, 2, LUA_TBOOLEAN);
    code = smc_loop_hide(smcb_loop(L), "127.0.0.1", port, lua_toboolean(L, 2), &err);
    if (code == SMC_OK)
        code = smc_loop_hide(smcb_loop(L), "localhost", port, lua_toboolean(L, 2), &err);
    return smcb_result(L, code, &err);
}

void smcb_links_add_methods(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"add_toxic", l_add_toxic},
        {"change_toxic", l_change_toxic},
        {"remove_toxic", l_remove_toxic},
        {"toxic_hits", l_toxic_hits},
        {NULL, NULL},
    };

    luaL_setfuncs(L, methods, 0);
}

void smcb_server_add_link_methods(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"aim", l_aim},   {"busy", l_busy}, {"certificate", l_certificate},
        {"hide", l_hide}, {NULL, NULL},
    };

    smcb_links_add_methods(L);
    luaL_setfuncs(L, methods, 0);
}
