#include "smcb_runtime.h"

#include "embedded.h"
#include "smcb_priv.h"

#include "smc/clock.h"

#include <lauxlib.h>
#include <lua5.4/lua-cjson.h>
#include <lualib.h>

#include <stdlib.h>
#include <string.h>

#define TRANSCRIPT_BYTES (4u << 20)
#define ROOM_FOR_STRINGS 20000

typedef struct embedded {
    const char *module;
    const unsigned char *code;
    const unsigned long *size;
} embedded_t;

#define X(symbol, module)                           \
    extern const unsigned char smcb_lua_##symbol[]; \
    extern const unsigned long smcb_lua_##symbol##_size;
SMCB_EMBEDDED_MAP(X)
#undef X

static const embedded_t embedded[] = {
#define X(symbol, module) {module, smcb_lua_##symbol, &smcb_lua_##symbol##_size},
    SMCB_EMBEDDED_MAP(X)
#undef X
};

/* C modules behind require.  Scenarios see those that are not smc.core.*. */
static const luaL_Reg modules[] = {
    {"smc.core.task", smcb_open_task},
    {"smc.core.http", smcb_open_http},
    {"smc.core.ws", smcb_open_ws},
    {"smc.core.server", smcb_open_server},
    {"smc.core.sign", smcb_open_sign},
    {"smc.core.market", smcb_open_market},
    {"smc.core.rng", smcb_open_rng},
    {"smc.core.text", smcb_open_text},
    {"smc.core.pairs", smcb_open_pairs},
    {"smc.core.params", smcb_open_params},
    {"smc.core.windows", smcb_open_windows},
    {"smc.core.arrivals", smcb_open_arrivals},
    {"smc.core.breaker", smcb_open_breaker},
    {"smc.core.limiter", smcb_open_limiter},
    {"smc.core.retry", smcb_open_retry},
    {"smc.core.health", smcb_open_health},
    {"smc.core.failover", smcb_open_failover},
    {"smc.core.gate", smcb_open_gate},
    {"smc.core.process", smcb_open_process},
    {"smc.core.redis", smcb_open_redis},
    {"smc.core.risk", smcb_open_risk},
    {"smc.json", smcb_open_json},
    {"smc.decimal", smcb_open_decimal},
    {"smc.histogram", smcb_open_histogram},
    {"cjson", luaopen_cjson},
};

smcb_host_t *smcb_host(lua_State *L)
{
    return *(smcb_host_t **)lua_getextraspace(L);
}

smc_loop_t *smcb_loop(lua_State *L)
{
    smcb_host_t *host = smcb_host(L);

    if (host->loop == NULL) {
        host->refused_io = true;
        (void)luaL_error(L, "no I/O while the file loads: a scenario file only declares; "
                            "move this into it() or before_each()");
    }
    return host->loop;
}

smc_log_t *smcb_log(lua_State *L)
{
    return smcb_host(L)->log;
}

static void *limited_alloc(void *ud, void *ptr, size_t old, size_t size)
{
    smcb_host_t *host = ud;
    void *grown;

    if (ptr == NULL)
        old = 0; /* it holds a type tag then */
    if (size == 0) {
        host->memory_used -= old;
        return smc_pool_resize(&host->pool, ptr, old, 0);
    }
    if (host->conf.memory_bytes != 0 && size > old &&
        host->memory_used - old + size > host->conf.memory_bytes) {
        host->memory_hit = true;
        return NULL;
    }
    grown = smc_pool_resize(&host->pool, ptr, old, size);
    if (grown != NULL)
        host->memory_used += size - old;
    return grown;
}

/* ---- require --------------------------------------------------------------- */

/* Upvalue 1 of the loaders: the environment of embedded modules, which sees the whole standard library. */
static int load_embedded(lua_State *L)
{
    const embedded_t *e = lua_touserdata(L, lua_upvalueindex(2));
    const char *name = lua_tostring(L, 1);

    if (luaL_loadbufferx(L, (const char *)e->code, *e->size, e->module, "b") != LUA_OK)
        return lua_error(L);
    lua_pushvalue(L, lua_upvalueindex(1));
    (void)lua_setupvalue(L, -2, 1);
    lua_pushstring(L, name);
    lua_call(L, 1, 1);
    return 1;
}

static void preload(lua_State *L, int preload_idx, int env_idx)
{
    for (size_t i = 0; i < sizeof(embedded) / sizeof(embedded[0]); i++) {
        lua_pushvalue(L, env_idx);
        lua_pushlightuserdata(L, (void *)(uintptr_t)&embedded[i]);
        lua_pushcclosure(L, load_embedded, 2);
        lua_setfield(L, preload_idx, embedded[i].module);
    }
    for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++) {
        lua_pushcfunction(L, modules[i].func);
        lua_setfield(L, preload_idx, modules[i].name);
    }
}

/* Registry key of the whole require. */
static const char require_key = 'r';

void smcb_require(lua_State *L, const char *module)
{
    (void)lua_rawgetp(L, LUA_REGISTRYINDEX, &require_key);
    lua_pushstring(L, module);
    lua_call(L, 1, 1);
}

void smcb_set_closure(lua_State *L, const char *field, lua_CFunction fn, void *ud)
{
    lua_pushlightuserdata(L, ud);
    lua_pushcclosure(L, fn, 1);
    lua_setfield(L, -2, field);
}

/* Pushes a table that reads through to the globals, with the whole standard library of this moment in it. */
static void push_internal_env(lua_State *L)
{
    static const char *const whole[] = {"debug", "io", "os", "package", "load", "require", NULL};

    lua_newtable(L);
    for (int i = 0; whole[i] != NULL; i++) {
        lua_getglobal(L, whole[i]);
        lua_setfield(L, -2, whole[i]);
    }
    lua_pushglobaltable(L);
    lua_setfield(L, -2, "_G");
    lua_createtable(L, 0, 1);
    lua_pushglobaltable(L);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
}

/* What embedded modules call most, put where they look first: the way through __index takes longer than many a call.
 * After smc.confine, which replaces pairs.  Of these only assert is replaced later, for scenarios: theirs is counted as
 * a check, and what ours check of themselves would pass for one. */
static void shorten_ways(lua_State *L, int env_idx)
{
    static const char *const often[] = {
        "ipairs", "pairs", "next",   "type", "tostring", "error", "tonumber", "setmetatable",
        "select", "pcall", "assert", "math", "string",   "table", "utf8",     NULL};

    for (int i = 0; often[i] != NULL; i++) {
        lua_getglobal(L, often[i]);
        lua_setfield(L, env_idx, often[i]);
    }
}

static int open_all(lua_State *L)
{
    const smcb_conf_t *conf = lua_touserdata(L, 1);

    luaL_openlibs(L);
    push_internal_env(L);
    lua_getfield(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    preload(L, lua_absindex(L, -1), lua_absindex(L, -2));
    lua_pop(L, 1); /* the environment stays, at 2 */
    lua_getglobal(L, "require");
    lua_rawsetp(L, LUA_REGISTRYINDEX, &require_key);
    smcb_require(L, "smc.confine");
    lua_pushboolean(L, conf->internal);
    lua_pushinteger(L, (lua_Integer)conf->seed);
    lua_call(L, 2, 0);
    shorten_ways(L, 2);
    return 0;
}

static smc_code_t open_state(smcb_host_t *host, smc_error_t *err)
{
    lua_State *L = lua_newstate(limited_alloc, host);

    if (L == NULL)
        return smc_fail(err, SMC_ENOMEM, "runtime.open", 0, "out of memory");
    host->L = L;
    *(smcb_host_t **)lua_getextraspace(L) = host;
    lua_pushcfunction(L, open_all);
    lua_pushlightuserdata(L, &host->conf);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK)
        return smc_fail(err, SMC_ESYS, "runtime.open", 0, "%s", lua_tostring(L, -1));
    (void)smcb_slice_begin(host, L);
    return smcb_budget_watch(host, err);
}

static void begin_clock(const smcb_host_t *host)
{
    if (host->conf.virtual_clock)
        smc_clock_set_virtual();
    else
        smc_clock_set_real();
}

smc_code_t smcb_open(const smcb_conf_t *conf, smcb_host_t **out, lua_State **L, smc_error_t *err)
{
    smcb_host_t *host = calloc(1, sizeof(*host));
    smc_code_t rc;

    if (host == NULL)
        return smc_fail(err, SMC_ENOMEM, "runtime.open", 0, "out of memory");
    host->conf = *conf;
    host->last = host->round_end = &host->first;
    host->job_error = LUA_NOREF;
    begin_clock(host);
    rc = smc_log_new(TRANSCRIPT_BYTES, &host->log, err);
    if (rc == SMC_OK) {
        smc_log_share(host->log, conf->transcript, conf->transcript_bytes);
        rc = open_state(host, err);
    }
    if (rc != SMC_OK) {
        smcb_close(host);
        return rc;
    }
    *out = host;
    *L = host->L;
    return SMC_OK;
}

/* ---- before and after a fork ----------------------------------------------- */

static bool is_of(const char *package, const char *module)
{
    size_t n = strlen(package);

    return strncmp(module, package, n) == 0 && (module[n] == '\0' || module[n] == '.');
}

/* Ours, but for what only commands of the runner use.  The libraries that ours need come with them: a language of luassert,
 * once loaded, is the one that it speaks. */
static bool is_for_scenarios(const char *module)
{
    static const char *const others[] = {"smc.check_env", "smc.clean", "smc.repl", "smc.serve",
                                         "smc.suites"};

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (is_of(others[i], module))
            return false;
    return is_of("smc", module);
}

static int load_all(lua_State *L)
{
    for (size_t i = 0; i < sizeof(embedded) / sizeof(embedded[0]); i++) {
        if (!is_for_scenarios(embedded[i].module))
            continue;
        smcb_require(L, embedded[i].module);
        lua_settop(L, 0);
    }
    return 0;
}

/* Lua doubles its table of strings when it is full, and writes to every string then: better here than in every child. */
static int make_room_for_strings(lua_State *L)
{
    for (int i = 0; i < ROOM_FOR_STRINGS; i++) {
        (void)lua_pushfstring(L, "warm %d", i);
        lua_pop(L, 1);
    }
    return 0;
}

static int warm(lua_State *L)
{
    (void)load_all(L);
    return make_room_for_strings(L);
}

smc_code_t smcb_warm(smcb_host_t *host, smc_error_t *err)
{
    lua_State *L = host->L;

    lua_pushcfunction(L, warm);
    if (lua_pcall(L, 0, 0, 0) != LUA_OK) {
        (void)smc_fail(err, SMC_ESYS, "runtime.warm", 0, "%s", lua_tostring(L, -1));
        lua_pop(L, 1);
        return SMC_ESYS;
    }
    (void)lua_gc(L, LUA_GCCOLLECT); /* once here, or every child would do it */
    smc_pool_start_afresh(&host->pool);
    return SMC_OK;
}

static int seed_random(lua_State *L)
{
    lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_getfield(L, -1, LUA_MATHLIBNAME);
    lua_getfield(L, -1, "randomseed");
    lua_pushvalue(L, 1);
    lua_call(L, 1, 0);
    return 0;
}

smc_code_t smcb_take_over(smcb_host_t *host, const smcb_conf_t *conf, lua_State **out,
                          smc_error_t *err)
{
    lua_State *L = host->L;

    *out = L;
    host->conf = *conf;
    begin_clock(host);
    smc_log_share(host->log, conf->transcript, conf->transcript_bytes);
    lua_pushcfunction(L, seed_random);
    lua_pushinteger(L, (lua_Integer)conf->seed);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK)
        return smc_fail(err, SMC_ESYS, "runtime.fork", 0, "%s", lua_tostring(L, -1));
    (void)smcb_slice_begin(host, L);
    return smcb_budget_watch(host, err);
}

void smcb_abandon(smcb_host_t *host)
{
    smcb_close_world(host);
}

void smcb_close(smcb_host_t *host)
{
    if (host == NULL)
        return;
    smcb_budget_unwatch(host);
    if (host->L != NULL) {
        smcb_close_world(host);
        lua_close(host->L);
    }
    smc_pool_deinit(&host->pool);
    smc_log_free(host->log);
    free(host);
}
