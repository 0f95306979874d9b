/* Who waits for what on a WebSocket connection, oldest first. */
#include "smcb_ws.h"

#include "smc/clock.h"

#include <stdlib.h>

void smcb_ws_pending_unlink(smcb_ws_pending_t *p)
{
    if (p->link == NULL)
        return;
    *p->link = p->next;
    if (p->next != NULL)
        p->next->link = p->link;
    p->link = NULL;
}

static void cancel(smcb_wait_t *w)
{
    smcb_ws_pending_unlink(w->op);
}

smcb_ws_pending_t *smcb_ws_pending_new(lua_State *L, smcb_ws_conn_t *conn, const char *what,
                                       smcb_ws_want_t want, smcb_finish_fn finish)
{
    smcb_wait_t *w = smcb_wait_new(L, what, finish);
    smcb_ws_pending_t *p;

    if (want == SMCB_WS_READ) /* a message */
        smcb_wait_owns_result(L);
    p = lua_newuserdatauv(L, sizeof(*p), 0);
    *p = (smcb_ws_pending_t){.want = want, .w = w, .conn = conn, .start_ns = smc_clock_now_ns()};
    w->op = p;
    w->cancel = cancel;
    return p;
}

int smcb_ws_pending_wait(lua_State *L, smcb_ws_pending_t **first, smcb_ws_pending_t *p)
{
    while (*first != NULL)
        first = &(*first)->next;
    p->link = first;
    *first = p;
    return smcb_wait_yield(L, p->w);
}

smcb_ws_pending_t *smcb_ws_pending_find(smcb_ws_pending_t *first, smcb_ws_want_t want)
{
    while (first != NULL && first->want != want)
        first = first->next;
    return first;
}

void smcb_ws_pending_fire(smcb_ws_pending_t *p, bool met, void *result)
{
    smcb_ws_pending_unlink(p);
    p->met = met;
    p->elapsed_ns = smc_clock_now_ns() - p->start_ns;
    smcb_wait_fire(p->w, NULL, result, free);
}
