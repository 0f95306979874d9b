/* Orders that belong together: one cancels the other, one waits until the other is filled.
 *
 * Of a group at most one works, so its funds are locked once: the order that needs most holds the
 * lock, the others hold nothing.  The first that trades or fires leaves the group, takes what it
 * needs, and the others are cancelled. */
#include "market_priv.h"

static node_t *from(node_t *n, int64_t link)
{
    while (n != NULL && !(n->linked && n->o.link == link))
        n = n->open_next;
    return n;
}

node_t *link_first(const account_t *a, const instrument_t *inst, int64_t link)
{
    return from(a->holdings[inst->id].open_head, link);
}

node_t *link_next(const node_t *n)
{
    return from(n->open_next, n->o.link);
}

int64_t smc_market_new_link(smc_market_t *m)
{
    return ++m->last_link;
}

smc_refusal_t link_check(const account_t *a, const instrument_t *inst, const smc_order_request_t *r)
{
    for (const node_t *n = link_first(a, inst, r->link); n != NULL; n = link_next(n))
        if (n->o.side != r->side || (r->trigger == NULL && !n->o.conditional))
            return SMC_REFUSED_COMBINATION;
    return SMC_ACCEPTED;
}

void link_open(smc_market_t *m, const account_t *a, const instrument_t *inst, int64_t link)
{
    for (node_t *n = link_first(a, inst, link); n != NULL; n = link_next(n))
        if (!dec_is_zero(n->locked))
            order_unlock(m, n, n->locked);
}

void link_close(smc_market_t *m, const account_t *a, const instrument_t *inst, int64_t link)
{
    node_t *most = NULL;
    for (node_t *n = link_first(a, inst, link); n != NULL; n = link_next(n)) {
        if (!dec_is_zero(n->locked)) { /* placed since it was opened */
            n->need = n->locked;
            order_unlock(m, n, n->locked);
        }
        if (most == NULL || dec_less(most->need, n->need))
            most = n;
    }
    if (most != NULL && !dec_is_zero(most->need))
        order_lock(m, most, most->need);
}

void link_leave(smc_market_t *m, node_t *n)
{
    n->linked = false;
    if (!dec_is_zero(n->locked))
        order_unlock(m, n, n->locked);
    for (node_t *other = link_first(n->owner, n->inst, n->o.link); other != NULL;
         other = link_next(other))
        if (!dec_is_zero(other->locked))
            return;
    link_close(m, n->owner, n->inst, n->o.link);
}

void link_take(smc_market_t *m, node_t *n)
{
    smc_dec_t need = dec_is_zero(n->locked) ? n->need : n->locked;
    n->linked = false;
    for (node_t *other; (other = link_first(n->owner, n->inst, n->o.link)) != NULL;) {
        other->linked = false;
        order_cancel(m, other, SMC_END_LINKED);
    }
    if (dec_less(n->locked, need))
        order_lock(m, n, dec_minus(need, n->locked));
}

/* ---- one after the other ------------------------------------------------- */

void link_follow(smc_market_t *m, node_t *n, node_t *before)
{
    node_t **at = &before->followers;
    while (*at != NULL)
        at = &(*at)->next_follower;
    *at = n;
    n->o.after = before->o.id;
    n->o.working_ms = -1;
    if (before->ended)
        link_ended(m, before);
}

void link_ended(smc_market_t *m, node_t *n)
{
    node_t **at = &m->ended;
    while (*at != NULL && *at != n)
        at = &(*at)->next_ended;
    *at = n;
}

static void release(smc_market_t *m, node_t *n)
{
    int64_t link = n->linked ? n->o.link : 0;
    n->o.after = 0;
    n->o.updated_ms = m->now_ms;
    if (link != 0)
        link_open(m, n->owner, n->inst, link);
    place_released(m, n);
    if (link != 0)
        link_close(m, n->owner, n->inst, link);
}

bool links_run(smc_market_t *m)
{
    bool any = false;
    for (node_t *n; !m->failed && (n = m->ended) != NULL; any = true) {
        m->ended = n->next_ended;
        n->next_ended = NULL;
        node_t *next = n->followers;
        n->followers = NULL;
        while (next != NULL) {
            node_t *follower = next;
            next = follower->next_follower;
            follower->next_follower = NULL;
            if (follower->ended)
                continue;
            if (n->o.status == SMC_ORDER_FILLED)
                release(m, follower);
            else
                order_cancel(m, follower, SMC_END_LINKED);
        }
    }
    return any && !m->failed;
}
