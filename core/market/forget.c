/* A market that goes on for days forgets its oldest orders, fills and trades.
 *
 * Ids go on as if nothing were gone.  Moving the rest down waits until as much has come as is kept, so that an order
 * pays for it once. */
#include "market_priv.h"

#include <stdlib.h>

enum { EVERY = 1024 /* operations between two looks */ };

void smc_market_keep(smc_market_t *m, size_t orders, size_t trades)
{
    m->keep_orders = orders;
    m->keep_trades = trades;
}

static void drop_front(void *v, size_t *n, size_t gone, size_t size)
{
    memmove(v, (char *)v + gone * size, (*n - gone) * size);
    *n -= gone;
}

/* Nobody else points at it: not the book, not a group, not the order that it waited for. */
static bool forgettable(const holding_t *h, const node_t *n)
{
    if (!n->ended || n->level != NULL || n->linked || n->followers != NULL || n->next_ended != NULL)
        return false;
    const node_t *after = n->o.after != 0 ? order_by_id(h, n->o.after) : NULL;
    return after == NULL || after->ended;
}

/* Marks what is to go: owner NULL.  Returns how many. */
static size_t mark(holding_t *h, size_t keep)
{
    size_t gone = 0, most = h->n_orders - keep;
    for (size_t i = 0; i < h->n_orders && gone < most; i++) {
        if (!forgettable(h, h->orders[i]))
            continue;
        h->orders[i]->owner = NULL;
        gone++;
    }
    return gone;
}

static void sweep_orders(holding_t *h)
{
    size_t n = 0;
    for (size_t i = 0; i < h->n_orders; i++) {
        if (h->orders[i]->owner == NULL)
            free(h->orders[i]);
        else
            h->orders[n++] = h->orders[i];
    }
    h->n_orders = n;
}

static void forget_fills(holding_t *h, size_t keep)
{
    size_t gone = h->n_fills - keep;
    drop_front(h->fills, &h->n_fills, gone, sizeof(h->fills[0]));
    for (size_t i = 0; i < h->n_orders; i++) {
        node_t *n = h->orders[i];
        n->first_fill = n->first_fill > gone ? n->first_fill - gone : 0;
    }
}

static void forget_orders(smc_market_t *m, account_t *a)
{
    size_t gone = 0, keep = m->keep_orders;
    for (size_t i = 0; i < m->n_instruments; i++)
        if (a->holdings[i].n_orders - a->holdings[i].n_open > 2 * keep)
            gone += mark(&a->holdings[i], keep + a->holdings[i].n_open);
    if (gone > 0)
        ids_forget(a);
    for (size_t i = 0; i < m->n_instruments; i++) {
        if (gone > 0)
            sweep_orders(&a->holdings[i]);
        if (a->holdings[i].n_fills > 2 * keep)
            forget_fills(&a->holdings[i], keep);
    }
}

/* The time before the start goes as a whole. */
static void forget_trades(instrument_t *inst, size_t keep)
{
    trades_t *ts = &inst->trades;
    size_t gone = trades_count(inst) - keep, of_history = inst->history.n;
    if (gone < of_history)
        return;
    free(inst->history.v);
    inst->history = (history_t){0};
    drop_front(ts->v, &ts->n, gone - of_history, sizeof(ts->v[0]));
    inst->forgotten += (int64_t)gone;
    size_t *seen = &inst->seen.trades;
    *seen = *seen > gone - of_history ? *seen - (gone - of_history) : 0;
    inst->average = (running_t){0}; /* begins anew */
}

static void forget_prevented(instrument_t *inst, size_t keep)
{
    size_t gone = inst->n_prevented - keep;
    drop_front(inst->prevented, &inst->n_prevented, gone, sizeof(inst->prevented[0]));
    inst->forgotten_prevented += (int64_t)gone;
}

/* What lots went through, as far back as a fill that is kept, or an event, may ask for it. */
static size_t first_lot_change(const smc_market_t *m)
{
    size_t first = m->forgotten_lots + m->n_lot_changes;
    for (size_t a = 1; a < m->n_accounts; a++)
        for (size_t i = 0; i < m->n_instruments; i++) {
            const holding_t *h = &m->accounts[a]->holdings[i];
            if (m->instruments[i]->contract != NULL && h->n_fills > 0 &&
                h->fills[0].first_lot < first)
                first = h->fills[0].first_lot;
        }
    for (size_t i = 0; i < m->n_order_events; i++) {
        const smc_fill_t *fill = &m->order_events[i].fill;
        if (fill->n_lots > 0 && fill->first_lot < first)
            first = fill->first_lot;
    }
    return first;
}

static void forget_lot_changes(smc_market_t *m)
{
    size_t gone = first_lot_change(m) - m->forgotten_lots;
    if (gone <= m->n_lot_changes / 2)
        return;
    drop_front(m->lot_changes, &m->n_lot_changes, gone, sizeof(m->lot_changes[0]));
    m->forgotten_lots += gone;
}

void forget_run(smc_market_t *m)
{
    if (m->keep_orders == 0 || ++m->since_forget < EVERY)
        return;
    m->since_forget = 0;
    for (size_t i = 0; i < m->n_accounts; i++)
        if (!is_system(m->accounts[i]))
            forget_orders(m, m->accounts[i]);
    for (size_t i = 0; i < m->n_instruments; i++) {
        if (trades_count(m->instruments[i]) > 2 * m->keep_trades)
            forget_trades(m->instruments[i], m->keep_trades);
        if (m->instruments[i]->n_prevented > 2 * m->keep_orders)
            forget_prevented(m->instruments[i], m->keep_orders);
    }
    forget_lot_changes(m);
}
