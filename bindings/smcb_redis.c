/* smc.core.redis - budgets in a Redis server: runs of the limiter's script that tasks wait for; smc/limiter_redis.lua
 * drives it. */
#include "smcb.h"
#include "smcb_sign.h"

#include "smc/budget_script.h"
#include "smc/redis.h"

#include <stdlib.h>
#include <string.h>

#define REDIS_MT "smc.core.redis"

typedef struct redis_box {
    smcb_resource_t resource; /* first: closed with the world */
    smcb_host_t *host;
    lua_State *L; /* the main state */
    smc_redis_t *redis;
} redis_box_t;

typedef struct numbers {
    size_t n;
    int64_t values[];
} numbers_t;

static void close_box(smcb_resource_t *r)
{
    redis_box_t *box = (redis_box_t *)r;
    smc_redis_close(box->redis);
    box->redis = NULL;
    smcb_resource_drop(&box->resource);
    smcb_unanchor(box->L, box);
}

/* open(place, named) -> connection | nil, err.  place: a text, or a secret's handle; named: by the operator */
static int l_open(lua_State *L)
{
    const smc_secret_t *hidden = smcb_test_secret(L, 1);
    smc_redis_conf_t conf = {.place = hidden != NULL ? smc_secret_borrow(hidden, NULL)
                                                     : luaL_checkstring(L, 1),
                             .named = lua_toboolean(L, 2),
                             .log = smcb_log(L)};
    smc_loop_t *loop = smcb_loop(L);
    redis_box_t *box = lua_newuserdatauv(L, sizeof(*box), 0);
    memset(box, 0, sizeof(*box));
    smc_error_t err = {0};
    luaL_setmetatable(L, REDIS_MT);
    lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
    box->L = lua_tothread(L, -1);
    lua_pop(L, 1);
    smcb_anchor(L, -1, box); /* first: it may raise */
    if (smc_redis_open(loop, &conf, &box->redis, &err) != SMC_OK) {
        smcb_unanchor(L, box);
        return smcb_push_fail(L, &err);
    }
    box->host = smcb_host(L);
    box->resource.kind = "Redis";
    box->resource.close = close_box;
    smcb_resource_add(box->host, &box->resource);
    box->resource.world = true; /* limiters live as long as their world */
    return 1;
}

static int push_numbers(lua_State *L, smcb_wait_t *w)
{
    const numbers_t *result = w->result;
    lua_createtable(L, (int)result->n, 0);
    for (size_t i = 0; i < result->n; i++) {
        lua_pushinteger(L, result->values[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

static void on_answer(void *ud, const smc_error_t *err, const int64_t *values, size_t n)
{
    smcb_wait_t *w = ud;
    smc_error_t no_memory = {0};
    numbers_t *result = NULL;
    w->op = NULL;
    if (err == NULL) {
        result = malloc(sizeof(*result) + n * sizeof(values[0]));
        if (result == NULL) {
            (void)smc_fail(&no_memory, SMC_ENOMEM, "redis", 0, "out of memory");
            err = &no_memory;
        } else {
            result->n = n;
            memcpy(result->values, values, n * sizeof(values[0]));
        }
    }
    smcb_wait_fire(w, err, result, free);
}

static void on_nobody(void *ud, const smc_error_t *err, const int64_t *values, size_t n)
{
    (void)ud, (void)err, (void)values, (void)n;
}

static void cancel_call(smcb_wait_t *w)
{
    if (w->op != NULL)
        smc_redis_forget(w->op);
    w->op = NULL;
}

/* (connection, key, words, seconds); the list of words stays on the stack, and so do they. */
static redis_box_t *read_call(lua_State *L, smc_redis_script_t *script)
{
    redis_box_t *box = luaL_checkudata(L, 1, REDIS_MT);
    luaL_argcheck(L, box->redis != NULL, 1, "it is closed");
    luaL_checktype(L, 3, LUA_TTABLE);
    size_t n = lua_rawlen(L, 3);
    uint64_t ms = smcb_check_seconds(L, 4);
    const char **words = lua_newuserdatauv(L, n * sizeof(*words) + 1, 0);
    for (size_t i = 0; i < n; i++) {
        if (lua_rawgeti(L, 3, (lua_Integer)i + 1) != LUA_TSTRING)
            (void)luaL_argerror(L, 3, "a list of strings expected");
        words[i] = lua_tostring(L, -1);
        lua_pop(L, 1);
    }
    *script = (smc_redis_script_t){.text = smc_budget_script(),
                                   .key = luaL_checkstring(L, 2),
                                   .args = words,
                                   .n_args = n,
                                   .timeout_ms = ms > 0 ? ms : 1};
    return box;
}

/* run(key, words, seconds) -> list of integers | nil, err */
static int l_run(lua_State *L)
{
    smc_redis_script_t script;
    const redis_box_t *box = read_call(L, &script);
    smcb_wait_t *wait = smcb_wait_new(L, "redis", push_numbers);
    smc_redis_call_t *call = NULL;
    smc_error_t err = {0};
    smcb_wait_owns_result(L);
    if (smc_redis_eval(box->redis, &script, on_answer, wait, &call, &err) != SMC_OK)
        return smcb_push_fail(L, &err);
    wait->op = call;
    wait->cancel = cancel_call;
    return smcb_wait_yield(L, wait);
}

/* tell(key, words, seconds): the same, before whatever is run later; nobody waits for it. */
static int l_tell(lua_State *L)
{
    smc_redis_script_t script;
    const redis_box_t *box = read_call(L, &script);
    smc_redis_call_t *call = NULL;
    lua_pushboolean(L, smc_redis_eval(box->redis, &script, on_nobody, NULL, &call, NULL) == SMC_OK);
    return 1;
}

int smcb_open_redis(lua_State *L)
{
    static const luaL_Reg methods[] = {{"run", l_run}, {"tell", l_tell}, {NULL, NULL}};
    static const luaL_Reg functions[] = {{"open", l_open}, {NULL, NULL}};
    luaL_newmetatable(L, REDIS_MT);
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pushliteral(L, REDIS_MT);
    lua_setfield(L, -2, "__metatable");
    luaL_newlib(L, functions);
    return 1;
}
