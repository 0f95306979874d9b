/* smc.core.limiter - a rate limiter on the run's clock, at which tasks wait; smc/limiter.lua is its face. */
#include "smcb.h"

#include "smc/clock.h"
#include "smc/limiter.h"
#include "smc/share.h"
#include "smc/shm.h"

#include <stdlib.h>
#include <string.h>

#define LIMITER_MT "smc.core.limiter"
#define SHARE_MT "smc.core.share"

enum { UV_SHARE = 1 }; /* of a limiter: keeps what it shares mapped */

typedef struct limiter_box {
    smc_limiter_t l;
    smc_loop_t *loop;
    smc_timer_t *timer; /* armed while somebody waits: whoever waits keeps the box alive */
} limiter_box_t;

/* A task that waits.  Freed by whoever ends the wait. */
typedef struct waiter {
    smc_ticket_t ticket; /* first: the limiter names it */
    limiter_box_t *box;
    smcb_wait_t *wait;
} waiter_t;

static uint64_t now_ms(void)
{
    return (uint64_t)(smc_clock_now_ns() / 1000000);
}

static limiter_box_t *check_limiter(lua_State *L)
{
    return luaL_checkudata(L, 1, LIMITER_MT);
}

static uint32_t check_u32(lua_State *L, int idx)
{
    lua_Integer value = luaL_checkinteger(L, idx);
    luaL_argcheck(L, value >= 0 && value <= UINT32_MAX, idx,
                  "a whole number from 0 to 4294967295 expected");
    return (uint32_t)value;
}

static uint32_t check_budget(lua_State *L, int idx)
{
    lua_Integer i = luaL_checkinteger(L, idx);
    luaL_argcheck(L, i >= 1 && i <= check_limiter(L)->l.n_budgets, idx, "there is no such budget");
    return (uint32_t)(i - 1);
}

/* ---- those who wait -------------------------------------------------------- */

static void on_timer(void *ud);

/* Grants whoever may go, and sets the timer for the next one. */
static void serve(limiter_box_t *box)
{
    smc_timer_cancel(box->timer);
    box->timer = NULL;
    uint64_t wait_ms = 0;
    for (smc_ticket_t *t; (t = smc_limiter_next(&box->l, now_ms(), &wait_ms)) != NULL;) {
        waiter_t *w = (waiter_t *)(void *)t;
        w->wait->op = NULL;
        smcb_wait_fire(w->wait, NULL, NULL, NULL);
        free(w);
    }
    /* Without a timer nobody would be woken: a waiter then ends by its deadline, or the spec by its own. */
    if (wait_ms != UINT64_MAX)
        (void)smc_timer_start(box->loop, wait_ms, on_timer, box, &box->timer, NULL);
}

static void on_timer(void *ud)
{
    limiter_box_t *box = ud;
    box->timer = NULL;
    serve(box);
}

static void cancel_wait(smcb_wait_t *wait)
{
    waiter_t *w = wait->op;
    wait->op = NULL;
    if (w == NULL)
        return;
    smc_limiter_cancel(&w->box->l, &w->ticket);
    serve(w->box); /* who stood behind it may fit */
    free(w);
}

/* The weights are the list at idx. */
static void read_ticket(lua_State *L, int idx, smc_ticket_t *t)
{
    luaL_checktype(L, idx, LUA_TTABLE);
    memset(t, 0, sizeof(*t));
    for (uint32_t i = 0; i < check_limiter(L)->l.n_budgets; i++) {
        lua_rawgeti(L, idx, (lua_Integer)i + 1);
        t->weights[i] = check_u32(L, -1);
        lua_pop(L, 1);
    }
    lua_Integer priority = luaL_checkinteger(L, idx + 1);
    luaL_argcheck(L, priority >= 0 && priority < SMC_PRIORITY_COUNT, idx + 1,
                  "priority must be 0 to 3");
    t->priority = (smc_priority_t)priority;
}

static int push_never(lua_State *L)
{
    smc_error_t err = {0};
    (void)smc_fail(&err, SMC_EINVAL, "limiter", 0, "a weight is above what its budget ever holds");
    return smcb_push_fail(L, &err);
}

/* try(weights, priority) -> whether it was granted, without waiting */
static int l_try(lua_State *L)
{
    limiter_box_t *box = check_limiter(L);
    smc_ticket_t t;
    read_ticket(L, 2, &t);
    smc_grant_t grant = smc_limiter_ask(&box->l, &t, now_ms());
    smc_limiter_cancel(&box->l, &t);
    if (grant == SMC_NEVER)
        return push_never(L);
    lua_pushboolean(L, grant == SMC_GRANTED);
    return 1;
}

/* acquire(weights, priority [, seconds]) -> true | nil, err */
static int l_acquire(lua_State *L)
{
    limiter_box_t *box = check_limiter(L);
    smc_ticket_t t;
    read_ticket(L, 2, &t);
    uint64_t timeout_ms = lua_isnoneornil(L, 4) ? UINT64_MAX : smcb_check_seconds(L, 4);
    smcb_wait_t *wait = smcb_wait_new(L, "limiter:acquire", NULL);
    waiter_t *w = calloc(1, sizeof(*w));
    if (w == NULL) {
        smc_error_t err = {0};
        (void)smc_fail(&err, SMC_ENOMEM, "limiter", 0, "out of memory");
        return smcb_push_fail(L, &err);
    }
    *w = (waiter_t){.ticket = t, .box = box, .wait = wait};
    smc_grant_t grant = smc_limiter_ask(&box->l, &w->ticket, now_ms());
    if (grant != SMC_WAITING) {
        free(w);
        if (grant == SMC_NEVER)
            return push_never(L);
        lua_pushboolean(L, 1);
        return 1;
    }
    wait->op = w;
    wait->cancel = cancel_wait;
    serve(box);
    if (timeout_ms != UINT64_MAX)
        smcb_wait_deadline(L, wait, timeout_ms);
    return smcb_wait_yield(L, wait);
}

/* waiting() -> how many tasks */
static int l_waiting(lua_State *L)
{
    lua_pushinteger(L, smc_limiter_waiting(&check_limiter(L)->l));
    return 1;
}

/* refund(budget, n, ms): what was paid at that time of the run's clock, and cost nothing. */
static int l_refund(lua_State *L)
{
    limiter_box_t *box = check_limiter(L);
    uint32_t budget = check_budget(L, 2);
    uint32_t weight = check_u32(L, 3);
    lua_Integer ms = luaL_checkinteger(L, 4);
    luaL_argcheck(L, ms >= 0, 4, "milliseconds must be >= 0");
    uint64_t now = now_ms(), granted = (uint64_t)ms;
    smc_limiter_refund(&box->l, budget, weight, granted < now ? granted : now, now);
    serve(box); /* somebody may fit now */
    return 0;
}

/* ---- what the venue says --------------------------------------------------- */

/* left(budget, n, ms): in an answer to what was granted then */
static int l_left(lua_State *L)
{
    limiter_box_t *box = check_limiter(L);
    uint32_t budget = check_budget(L, 2), left = check_u32(L, 3);
    lua_Integer ms = luaL_checkinteger(L, 4);
    luaL_argcheck(L, ms >= 0, 4, "milliseconds must be >= 0");
    uint64_t now = now_ms(), granted = (uint64_t)ms;
    smc_limiter_left(&box->l, budget, left, granted < now ? granted : now, now);
    return 0;
}

/* hold(seconds): nobody is granted for so long. */
static int l_hold(lua_State *L)
{
    limiter_box_t *box = check_limiter(L);
    smc_limiter_hold(&box->l, now_ms() + smcb_check_seconds(L, 2));
    return 0;
}

/* follow(budget, ms): the venue's clock shows so much more than ours. */
static int l_follow(lua_State *L)
{
    limiter_box_t *box = check_limiter(L);
    uint32_t budget = check_budget(L, 2);
    lua_Integer ms = luaL_checkinteger(L, 3);
    luaL_argcheck(L, ms >= 0, 3, "milliseconds must be >= 0");
    smc_limiter_set_offset(&box->l, budget, (uint64_t)ms);
    serve(box); /* the next period may come sooner */
    return 0;
}

/* offset(budget) -> ms: how much more the clock that it follows shows than ours, whoever said so */
static int l_offset(lua_State *L)
{
    limiter_box_t *box = check_limiter(L);
    lua_pushinteger(L, (lua_Integer)smc_limiter_offset(&box->l, check_budget(L, 2)));
    return 1;
}

static int l_used(lua_State *L)
{
    limiter_box_t *box = check_limiter(L);
    lua_pushinteger(L, smc_limiter_used(&box->l, check_budget(L, 2), now_ms()));
    return 1;
}

/* alerts(budget) -> warning, critical: whether it was told since the last look */
static int l_alerts(lua_State *L)
{
    limiter_box_t *box = check_limiter(L);
    unsigned alerts = smc_limiter_take_alerts(&box->l, check_budget(L, 2));
    lua_pushboolean(L, (alerts & SMC_USAGE_WARNING) != 0);
    lua_pushboolean(L, (alerts & SMC_USAGE_CRITICAL) != 0);
    return 2;
}

/* ---- a limiter --------------------------------------------------------------- */

/* Budgets: a list at idx of { window = bool, limit, refill, period_ms }. */
static smc_limiter_t read_limiter(lua_State *L, int idx)
{
    smc_budget_conf_t budgets[SMC_LIMITER_BUDGETS] = {{0}};
    luaL_checktype(L, idx, LUA_TTABLE);
    size_t n = lua_rawlen(L, idx);
    luaL_argcheck(L, n >= 1 && n <= SMC_LIMITER_BUDGETS, idx, "1 to 40 budgets expected");
    for (size_t i = 0; i < n; i++) {
        if (lua_rawgeti(L, idx, (lua_Integer)i + 1) != LUA_TTABLE)
            (void)luaL_argerror(L, idx, "a list of tables expected");
        lua_getfield(L, -1, "window");
        budgets[i].kind = lua_toboolean(L, -1) ? SMC_BUDGET_WINDOW : SMC_BUDGET_BUCKET;
        lua_pop(L, 1);
        budgets[i].limit = smcb_field_u32(L, -1, "limit", 0);
        budgets[i].refill = smcb_field_u32(L, -1, "refill", 0);
        budgets[i].period_ms = smcb_field_u32(L, -1, "period_ms", 0);
        lua_pop(L, 1);
    }
    smc_limiter_t l;
    smc_error_t err = {0};
    if (smc_limiter_init(&l, budgets, (uint32_t)n, now_ms(), &err) != SMC_OK)
        (void)luaL_error(L, "%s", err.detail);
    return l;
}

/* new(budgets [, share]): its own, or those of the share, which were made of the same list */
static int l_new(lua_State *L)
{
    smc_loop_t *loop = smcb_loop(L);
    smc_shm_t **share = lua_isnoneornil(L, 2) ? NULL : luaL_checkudata(L, 2, SHARE_MT);
    limiter_box_t *box = lua_newuserdatauv(L, sizeof(*box), UV_SHARE);
    memset(box, 0, sizeof(*box));
    box->loop = loop;
    box->l = read_limiter(L, 1);
    luaL_setmetatable(L, LIMITER_MT);
    if (share == NULL)
        return 1;
    smc_error_t err = {0};
    if (smc_limiter_share(&box->l, smc_shm_memory(*share), smc_shm_seat(*share), &err) != SMC_OK)
        return smcb_push_fail(L, &err);
    lua_pushvalue(L, 2);
    (void)lua_setiuservalue(L, -2, UV_SHARE);
    return 1;
}

/* ---- what processes share ---------------------------------------------------------- */

typedef struct sharing {
    smc_limiter_t l;
    const char *names;
} sharing_t;

static void lay_out(void *memory, void *ud)
{
    const sharing_t *s = ud;
    smc_share_lay_out(memory, &s->l, s->names);
}

static smc_code_t check_share(const void *memory, void *ud, smc_error_t *err)
{
    const sharing_t *s = ud;
    return smc_share_check(memory, &s->l, s->names, err);
}

/* share(budgets, names [, name]) -> share | nil, err.  names: what the budgets are called; without a name it is shared
 * inside this process only. */
static int l_share(lua_State *L)
{
    sharing_t s = {.l = read_limiter(L, 1), .names = luaL_checkstring(L, 2)};
    smc_shm_conf_t conf = {.name = luaL_optstring(L, 3, NULL),
                           .bytes = smc_share_bytes(),
                           .seats = SMC_SHARE_SEATS,
                           .fill = lay_out,
                           .check = check_share,
                           .ud = &s};
    smc_shm_t **box = lua_newuserdatauv(L, sizeof(smc_shm_t *), 0);
    *box = NULL;
    luaL_setmetatable(L, SHARE_MT);
    smc_error_t err = {0};
    smc_code_t rc = smc_shm_open(&conf, box, &err);
    if (rc == SMC_EEXIST)
        err.code = SMC_EINVAL;
    return rc == SMC_OK ? 1 : smcb_push_fail(L, &err);
}

static int share_gc(lua_State *L)
{
    smc_shm_t **box = luaL_checkudata(L, 1, SHARE_MT);
    smc_shm_close(*box);
    *box = NULL;
    return 0;
}

int smcb_open_limiter(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"acquire", l_acquire}, {"try", l_try},         {"left", l_left},     {"hold", l_hold},
        {"follow", l_follow},   {"used", l_used},       {"alerts", l_alerts}, {"refund", l_refund},
        {"offset", l_offset},   {"waiting", l_waiting}, {NULL, NULL}};
    static const luaL_Reg functions[] = {{"new", l_new}, {"share", l_share}, {NULL, NULL}};
    luaL_newmetatable(L, SHARE_MT);
    lua_pushcfunction(L, share_gc);
    lua_setfield(L, -2, "__gc");
    lua_pushliteral(L, SHARE_MT);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
    luaL_newmetatable(L, LIMITER_MT);
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pushliteral(L, LIMITER_MT);
    lua_setfield(L, -2, "__metatable");
    luaL_newlib(L, functions);
    return 1;
}
