#include "market_priv.h"

static event_rec_t *push(smc_market_t *m, smc_market_event_type_t type)
{
    if (!vec_room(m, &m->events, m->n_events, &m->cap_events, sizeof(m->events[0])))
        return NULL;
    event_rec_t *r = &m->events[m->n_events++];
    *r = (event_rec_t){.e = {.type = type, .time_ms = m->now_ms, .instrument = -1}};
    return r;
}

/* The event whose details the caller fills in; NULL when nobody wants it. */
static smc_order_event_t *push_order(smc_market_t *m, const node_t *n, smc_exec_t exec)
{
    if (is_system(n->owner))
        return NULL;
    int64_t exec_id =
        ++n->inst->last_exec_id; /* counts what nobody reads, too: ids don't depend on readers */
    if (n->inst->want == SMC_WANT_NONE)
        return NULL;
    if (!vec_room(m, &m->order_events, m->n_order_events, &m->cap_order_events,
                  sizeof(m->order_events[0])))
        return NULL;
    event_rec_t *r = push(m, SMC_EVENT_ORDER);
    if (r == NULL)
        return NULL;
    r->e.instrument = n->inst->id;
    r->order_at = m->n_order_events;
    smc_order_event_t *e = &m->order_events[m->n_order_events++];
    *e = (smc_order_event_t){.order = n->o, .exec = exec, .exec_id = exec_id};
    e->prevented_match_id = -1;
    return e;
}

void event_order(smc_market_t *m, const node_t *n, smc_exec_t exec, const smc_fill_t *fill)
{
    smc_order_event_t *e = push_order(m, n, exec);
    if (e == NULL)
        return;
    if (fill != NULL)
        e->fill = *fill;
    if (exec == SMC_EXEC_NEW)
        e->order.on_book =
            !n->watch.waiting &&
            n->o.after == 0; /* also that of an order that will take: venues say so */
}

void event_prevented(smc_market_t *m, const node_t *n, const smc_prevented_t *p)
{
    smc_order_event_t *e = push_order(m, n, SMC_EXEC_PREVENTED);
    if (e == NULL)
        return;
    bool taker = n->o.id == p->taker_order_id;
    e->prevented_match_id = p->id;
    e->counter_order_id = taker ? p->maker_order_id : p->taker_order_id;
    e->prevented_qty = taker ? p->taker_qty : p->maker_qty;
    e->prevented_price = p->price;
}

void event_trade(smc_market_t *m, const instrument_t *inst, const smc_trade_t *t)
{
    event_rec_t *r = inst->want == SMC_WANT_ALL ? push(m, SMC_EVENT_TRADE) : NULL;
    if (r == NULL)
        return;
    r->e.instrument = inst->id;
    r->e.u.trade = *t;
}

void event_level(smc_market_t *m, instrument_t *inst, smc_side_t side, smc_dec_t price,
                 smc_dec_t total)
{
    inst->update_id++;
    event_rec_t *r = inst->want == SMC_WANT_ALL ? push(m, SMC_EVENT_LEVEL) : NULL;
    if (r == NULL)
        return;
    r->e.instrument = inst->id;
    r->e.u.level.side = side;
    r->e.u.level.price = price;
    r->e.u.level.qty = total;
    r->e.u.level.update_id = inst->update_id;
}

void event_balance(smc_market_t *m, const account_t *a, int32_t asset)
{
    event_rec_t *r = push(m, SMC_EVENT_BALANCE);
    if (r == NULL)
        return;
    r->e.u.balance.account = a->id;
    r->e.u.balance.asset = asset;
    r->e.u.balance.now = a->purses[asset].b;
}

void event_position(smc_market_t *m, int32_t account, const instrument_t *inst,
                    const smc_position_t *p)
{
    event_rec_t *r = inst->want != SMC_WANT_NONE ? push(m, SMC_EVENT_POSITION) : NULL;
    if (r == NULL)
        return;
    r->e.instrument = inst->id;
    r->e.u.position.account = account;
    r->e.u.position.qty = p->qty;
    r->e.u.position.entry = p->entry;
    r->e.u.position.realized = p->realized;
    r->e.u.position.upl = p->upl;
}

void event_transfer(smc_market_t *m, const account_t *a, int32_t asset, smc_dec_t amount)
{
    event_rec_t *r = m->want_orders ? push(m, SMC_EVENT_TRANSFER) : NULL;
    if (r == NULL)
        return;
    r->e.u.transfer.account = a->id;
    r->e.u.transfer.asset = asset;
    r->e.u.transfer.amount = amount;
}

void smc_market_want(smc_market_t *m, int32_t instrument, smc_want_t want)
{
    instrument_t *one = instrument_at(m, instrument);
    if (one != NULL)
        one->want = want;
    if (instrument == SMC_MARKET_ALL)
        m->want = want;
    m->want_orders = m->want != SMC_WANT_NONE;
    for (size_t i = 0; i < m->n_instruments; i++) {
        instrument_t *inst = m->instruments[i];
        if (instrument == SMC_MARKET_ALL)
            inst->want = want;
        m->want_orders = m->want_orders || inst->want != SMC_WANT_NONE;
    }
}

size_t smc_market_events(const smc_market_t *m)
{
    return m->n_events;
}

smc_market_event_t smc_market_event(const smc_market_t *m, size_t i)
{
    smc_market_event_t e = m->events[i].e;
    if (e.type == SMC_EVENT_ORDER)
        e.u.order = &m->order_events[m->events[i].order_at];
    return e;
}

void smc_market_clear_events(smc_market_t *m)
{
    m->n_events = m->n_order_events = 0;
}
