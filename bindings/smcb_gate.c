/* smc.core.gate - a place where tasks wait until somebody opens it: for Lua that has to wake others up. */
#include "smcb.h"

#include <stdlib.h>

#define GATE_MT "smc.gate"

/* A task that waits.  Freed by whoever ends the wait; the gate is kept alive by the waiting task's stack. */
typedef struct waiter {
    smcb_wait_t *wait;
    struct waiter *next, **link; /* oldest first */
} waiter_t;

typedef struct gate {
    waiter_t *first, **last;
} gate_t;

static int l_new(lua_State *L)
{
    gate_t *gate = lua_newuserdatauv(L, sizeof(*gate), 0);
    gate->first = NULL;
    gate->last = &gate->first;
    luaL_setmetatable(L, GATE_MT);
    return 1;
}

static void take_out(gate_t *gate, waiter_t *w)
{
    *w->link = w->next;
    if (w->next != NULL)
        w->next->link = w->link;
    else
        gate->last = w->link;
    free(w);
}

/* op of a wait: its waiter; result: the gate, which is not ours to free. */
static void cancel_wait(smcb_wait_t *wait)
{
    take_out(wait->result, wait->op);
    wait->op = wait->result = NULL;
}

/* wait([seconds]) -> true | nil, err */
static int l_wait(lua_State *L)
{
    gate_t *gate = luaL_checkudata(L, 1, GATE_MT);
    uint64_t ms = lua_isnoneornil(L, 2) ? UINT64_MAX : smcb_check_seconds(L, 2);
    smcb_wait_t *wait = smcb_wait_new(L, "gate:wait", NULL);
    waiter_t *w = malloc(sizeof(*w));
    if (w == NULL)
        return luaL_error(L, "out of memory");
    *w = (waiter_t){.wait = wait, .link = gate->last};
    *gate->last = w;
    gate->last = &w->next;
    wait->op = w;
    wait->result = gate;
    wait->cancel = cancel_wait;
    if (ms != UINT64_MAX)
        smcb_wait_deadline(L, wait, ms);
    return smcb_wait_yield(L, wait);
}

/* open(): whoever waits now goes on, in the order in which they came; whoever comes later waits. */
static int l_open(lua_State *L)
{
    gate_t *gate = luaL_checkudata(L, 1, GATE_MT);
    waiter_t *w = gate->first;
    gate->first = NULL;
    gate->last = &gate->first;
    while (w != NULL) {
        waiter_t *next = w->next;
        w->wait->op = w->wait->result = NULL;
        smcb_wait_fire(w->wait, NULL, NULL, NULL); /* only queues: nothing is taken out meanwhile */
        free(w);
        w = next;
    }
    return 0;
}

int smcb_open_gate(lua_State *L)
{
    static const luaL_Reg methods[] = {{"wait", l_wait}, {"open", l_open}, {NULL, NULL}};
    static const luaL_Reg functions[] = {{"new", l_new}, {NULL, NULL}};
    luaL_newmetatable(L, GATE_MT);
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pushliteral(L, GATE_MT);
    lua_setfield(L, -2, "__metatable");
    luaL_newlib(L, functions);
    return 1;
}
