#include "market_priv.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- what is checked ----------------------------------------------------- */

static bool in_range(smc_dec_t a)
{
    return smc_dec_sign(a) > 0 && smc_dec_cmp(a, smc_dec_from_int(AMOUNT_MAX_WHOLE)) <= 0;
}

bool on_grid(smc_dec_t a, smc_dec_t grid)
{
    return in_range(a) && smc_dec_is_multiple(a, grid);
}

bool cost_fits(smc_dec_t price, smc_dec_t qty)
{
    smc_dec_t cost;
    return smc_dec_mul(price, qty, SMC_DEC_PLACES, SMC_ROUND_DOWN, &cost) == SMC_OK &&
           smc_dec_cmp(cost, smc_dec_from_int(AMOUNT_MAX_WHOLE)) <= 0;
}

static smc_refusal_t check_market(const smc_order_request_t *r)
{
    if (r->tif == SMC_GTC || (r->qty == NULL) == (r->quote_qty == NULL))
        return SMC_REFUSED_COMBINATION;
    return r->quote_qty == NULL || in_range(*r->quote_qty) ? SMC_ACCEPTED : SMC_REFUSED_QUOTE_QTY;
}

static smc_refusal_t check_limit(const smc_order_request_t *r)
{
    bool fits = r->price != NULL && r->qty != NULL && r->quote_qty == NULL &&
                (r->type != SMC_LIMIT_MAKER || r->tif == SMC_TIF_NONE);
    return fits ? SMC_ACCEPTED : SMC_REFUSED_COMBINATION;
}

/* Only contracts have something to reduce; they are not traded by quote amount. */
static bool fits_kind(const instrument_t *inst, const smc_order_request_t *r)
{
    const contract_t *k = inst->contract;
    if (r->quote_qty != NULL)
        return k == NULL && !only_reduces(r);
    return k != NULL && (r->close_lot == 0 || (k->lots && r->close_lot > 0));
}

static smc_refusal_t check_amounts(const instrument_t *inst, const smc_order_request_t *r)
{
    smc_refusal_t why = r->type == SMC_MARKET_ORDER ? check_market(r) : check_limit(r);
    if (why != SMC_ACCEPTED)
        return why;
    if (r->price != NULL && !on_grid(*r->price, inst->tick))
        return SMC_REFUSED_PRICE;
    if (r->qty != NULL && (!on_grid(*r->qty, inst->step) || dec_less(*r->qty, inst->min_qty)))
        return SMC_REFUSED_QTY;
    if (r->price != NULL && r->qty != NULL && !cost_fits(*r->price, *r->qty))
        return SMC_REFUSED_QTY;
    if (r->display_qty != NULL &&
        (r->type == SMC_MARKET_ORDER || !on_grid(*r->display_qty, inst->step)))
        return SMC_REFUSED_QTY;
    if ((only_reduces(r) || r->quote_qty != NULL) && !fits_kind(inst, r))
        return SMC_REFUSED_COMBINATION;
    return r->trigger != NULL ? trigger_check(inst, r->trigger) : SMC_ACCEPTED;
}

smc_refusal_t check_client_id(const account_t *a, const char *id)
{
    if (id == NULL || id[0] == '\0')
        return SMC_ACCEPTED;
    if (strlen(id) > SMC_MARKET_CLIENT_ID_MAX)
        return SMC_REFUSED_CLIENT_ID;
    return ids_find_open(a, id) != NULL ? SMC_REFUSED_DUPLICATE : SMC_ACCEPTED;
}

/* What the book does to the order, before funds. */
static smc_refusal_t check_book(const instrument_t *inst, const smc_order_request_t *r,
                                const plan_t *plan)
{
    const level_t *best = book_best(inst, other_side(r->side));
    if (r->type == SMC_LIMIT_MAKER && best != NULL && book_crosses(r->side, *r->price, best->price))
        return SMC_REFUSED_WOULD_TAKE;
    if (r->type != SMC_MARKET_ORDER)
        return SMC_ACCEPTED;
    if (best == NULL)
        return r->expires_unfilled && r->quote_qty == NULL ? SMC_ACCEPTED
                                                           : SMC_REFUSED_NO_LIQUIDITY;
    if (r->quote_qty != NULL && dec_less(plan->qty, inst->min_qty))
        return plan->ran_out ? SMC_REFUSED_NO_LIQUIDITY : SMC_REFUSED_QUOTE_TOO_SMALL;
    return SMC_ACCEPTED;
}

static smc_dec_t lock_amount(const instrument_t *inst, const smc_order_request_t *r,
                             const plan_t *plan)
{
    if (inst->contract != NULL)
        return dec_zero();
    if (r->side == SMC_SELL)
        return r->qty != NULL ? *r->qty : plan->qty;
    if (r->type != SMC_MARKET_ORDER) {
        assert(r->price != NULL && r->qty != NULL); /* check_limit */
        return dec_notional(*r->price, *r->qty);
    }
    return r->quote_qty != NULL ? *r->quote_qty : plan->quote;
}

static smc_refusal_t check_funds(const smc_market_t *m, const account_t *a,
                                 const instrument_t *inst, const smc_order_request_t *r,
                                 smc_dec_t needed)
{
    return margin_check(
        m, a, inst,
        &(claim_t){.side = r->side,
                   .needed = needed,
                   .price = r->type == SMC_MARKET_ORDER ? mark_price(inst) : *r->price,
                   .qty = r->qty != NULL ? *r->qty : dec_zero(),
                   .reduce_only = only_reduces(r)});
}

static plan_t plan_for(const account_t *a, const instrument_t *inst, const smc_order_request_t *r)
{
    if (r->type != SMC_MARKET_ORDER && r->tif != SMC_FOK)
        return (plan_t){0};
    return match_plan(&(plan_request_t){
        .owner = a,
        .inst = inst,
        .side = r->side,
        .stp = r->stp,
        .limit = r->price,
        .qty = r->qty,
        .quote = r->quote_qty,
    });
}

smc_refusal_t place_judge(const smc_market_t *m, const account_t *a, const instrument_t *inst,
                          const smc_order_request_t *r, plan_t *plan)
{
    *plan = plan_for(a, inst, r);
    smc_refusal_t why = check_book(inst, r, plan);
    return why == SMC_ACCEPTED ? check_funds(m, a, inst, r, lock_amount(inst, r, plan)) : why;
}

smc_refusal_t place_cut(const account_t *a, const instrument_t *inst, const smc_order_request_t *r,
                        smc_dec_t *qty)
{
    if (!only_reduces(r))
        return SMC_ACCEPTED;
    smc_dec_t most = position_reducible(a, inst, r->side, r->close_lot);
    if (dec_is_zero(most))
        return r->close_lot != 0 ? SMC_REFUSED_UNKNOWN_LOT : SMC_REFUSED_NOTHING_TO_REDUCE;
    *qty = dec_min(*qty, most);
    return SMC_ACCEPTED;
}

smc_refusal_t place_resume(const smc_market_t *m, node_t *n, const smc_order_request_t *r,
                           plan_t *plan)
{
    smc_refusal_t why = place_cut(n->owner, n->inst, r, &n->o.qty);
    n->rem = n->o.qty;
    return why == SMC_ACCEPTED ? place_judge(m, n->owner, n->inst, r, plan) : why;
}

/* ---- an order at work ---------------------------------------------------- */

void place_rest(smc_market_t *m, node_t *n)
{
    match_run(m, n);
    if (!n->ended)
        (void)book_rest(m, n);
}

/* Why what did not trade does not rest; SMC_END_NONE when it does. */
static smc_end_reason_t leftover(const node_t *n, const plan_t *plan)
{
    if (n->o.type == SMC_MARKET_ORDER && plan->bounded)
        return SMC_END_BOUND;
    if (n->o.tif == SMC_FOK)
        return SMC_END_FOK;
    if (n->o.type == SMC_MARKET_ORDER)
        return SMC_END_LIQUIDITY;
    return n->o.tif == SMC_IOC ? SMC_END_IOC : SMC_END_NONE;
}

void place_amount(node_t *n, const smc_order_request_t *r, const plan_t *plan)
{
    if (r->quote_qty == NULL)
        return;
    n->o.qty = n->rem = plan->qty;
    n->ran_out = plan->ran_out;
}

void place_work(smc_market_t *m, node_t *n, const smc_order_request_t *r, const plan_t *plan)
{
    order_lock(m, n, lock_amount(n->inst, r, plan));
    smc_end_reason_t left = leftover(n, plan);
    if (left == SMC_END_NONE) {
        place_rest(m, n);
        return;
    }
    bool kill = n->o.tif == SMC_FOK && (n->ran_out || smc_dec_cmp(plan->base, n->o.qty) != 0);
    if (!kill)
        match_run(m, n);
    if (n->ended)
        return;
    order_end(m, n, SMC_ORDER_EXPIRED, left);
    event_order(m, n, SMC_EXEC_EXPIRED, NULL);
}

/* ---- place --------------------------------------------------------------- */

static smc_refusal_t judge_waiting(smc_market_t *m, const account_t *a, instrument_t *inst,
                                   const smc_order_request_t *r, node_t *draft)
{
    smc_dec_t most = draft->o.qty; /* the cut comes when it fires */
    smc_refusal_t why = place_cut(a, inst, r, &most);
    if (why == SMC_ACCEPTED)
        why = trigger_set(m, inst, r->trigger, &draft->o, &draft->watch);
    if (why != SMC_ACCEPTED)
        return why;
    if (inst->contract != NULL) /* margin is needed when it fires */
        return SMC_ACCEPTED;
    return check_funds(m, a, inst, r, trigger_lock(inst, &draft->o));
}

/* The part of an order that the request says. */
static void describe(smc_order_t *o, const smc_order_request_t *r)
{
    o->side = r->side;
    o->type = r->type;
    o->tif = r->tif == SMC_TIF_NONE ? SMC_GTC : r->tif;
    o->stp = r->stp;
    o->price = r->price != NULL ? *r->price : dec_zero();
    o->display_qty = r->display_qty != NULL ? *r->display_qty : dec_zero();
    o->quote_qty = r->quote_qty != NULL ? *r->quote_qty : dec_zero();
    o->qty = r->qty != NULL ? *r->qty : dec_zero();
    o->reduce_only = only_reduces(r);
    o->close_lot = r->close_lot;
}

static node_t *accept(smc_market_t *m, account_t *a, instrument_t *inst,
                      const smc_order_request_t *r)
{
    node_t *n = order_new(m, a, inst, r->side);
    if (n == NULL)
        return NULL;
    describe(&n->o, r);
    n->rem = n->o.qty;
    n->o.link = r->link;
    n->linked = r->link != 0;
    text_copy(n->o.client_id, r->client_id != NULL ? r->client_id : "");
    if (!order_keep(m, n)) {
        free(n);
        return NULL;
    }
    return n;
}

static node_t *place_now(smc_market_t *m, account_t *a, instrument_t *inst,
                         const smc_order_request_t *given, smc_refusal_t *why)
{
    smc_order_request_t r = *given;
    smc_dec_t qty = r.qty != NULL ? *r.qty : dec_zero();
    plan_t plan;
    if (r.qty != NULL)
        r.qty = &qty;
    *why = place_cut(a, inst, &r, &qty);
    if (*why == SMC_ACCEPTED)
        *why = place_judge(m, a, inst, &r, &plan);
    node_t *n = *why == SMC_ACCEPTED ? accept(m, a, inst, &r) : NULL;
    if (n == NULL)
        return NULL;
    place_amount(n, &r, &plan);
    event_order(m, n, SMC_EXEC_NEW, NULL);
    place_work(m, n, &r, &plan);
    return n;
}

bool place_closing(smc_market_t *m, account_t *a, instrument_t *inst, const position_t *p)
{
    smc_dec_t qty = p->qty;
    smc_order_request_t r = {
        .side = other_side(p->side), .type = SMC_MARKET_ORDER, .qty = &qty, .reduce_only = true};
    plan_t plan;
    node_t *n = place_judge(m, a, inst, &r, &plan) == SMC_ACCEPTED ? accept(m, a, inst, &r) : NULL;
    if (n == NULL)
        return false;
    n->o.liquidation = true;
    event_order(m, n, SMC_EXEC_NEW, NULL);
    place_work(m, n, &r, &plan);
    return dec_positive(n->o.filled);
}

static node_t *place_waiting(smc_market_t *m, account_t *a, instrument_t *inst,
                             const smc_order_request_t *r, smc_refusal_t *why)
{
    node_t draft = {0};
    describe(&draft.o, r);
    *why = judge_waiting(m, a, inst, r, &draft);
    node_t *n = *why == SMC_ACCEPTED ? accept(m, a, inst, r) : NULL;
    if (n == NULL)
        return NULL;
    n->watch = draft.watch;
    n->o.conditional = true;
    n->o.trigger = draft.o.trigger;
    n->o.trigger_price = draft.o.trigger_price;
    n->o.following_ms = draft.o.following_ms;
    n->o.working_ms = -1;
    trigger_arm(m, n);
    event_order(m, n, SMC_EXEC_NEW, NULL);
    return n;
}

static node_t *place_after(smc_market_t *m, account_t *a, instrument_t *inst,
                           const smc_order_request_t *r, smc_refusal_t *why)
{
    node_t *before = order_by_id(&a->holdings[inst->id], r->after);
    *why = before == NULL ? SMC_REFUSED_UNKNOWN_ORDER : SMC_ACCEPTED;
    node_t *n = before != NULL ? accept(m, a, inst, r) : NULL;
    if (n == NULL)
        return NULL;
    if (r->trigger != NULL) {
        n->o.conditional = true;
        n->o.trigger = *r->trigger;
    }
    link_follow(m, n, before);
    event_order(m, n, SMC_EXEC_NEW, NULL);
    return n;
}

static smc_refusal_t begin(smc_market_t *m, node_t *n)
{
    smc_order_request_t r = trigger_request(&n->o);
    if (n->o.conditional) {
        smc_trigger_t trigger = n->o.trigger;
        r.trigger = &trigger;
        smc_refusal_t why = judge_waiting(m, n->owner, n->inst, &r, n);
        if (why == SMC_ACCEPTED)
            trigger_arm(m, n);
        else
            n->watch.waiting = false;
        return why;
    }
    plan_t plan;
    smc_refusal_t why = place_resume(m, n, &r, &plan);
    if (why != SMC_ACCEPTED)
        return why;
    n->o.working_ms = m->now_ms;
    place_amount(n, &r, &plan);
    place_work(m, n, &r, &plan);
    return SMC_ACCEPTED;
}

void place_released(smc_market_t *m, node_t *n)
{
    event_order(m, n, SMC_EXEC_RELEASED, NULL);
    n->o.reject = begin(m, n);
    if (n->o.reject == SMC_ACCEPTED)
        return;
    if (n->linked)
        link_take(m, n);
    order_end(m, n, SMC_ORDER_EXPIRED, SMC_END_TRIGGER);
    event_order(m, n, SMC_EXEC_EXPIRED, NULL);
}

static node_t *place_any(smc_market_t *m, account_t *a, instrument_t *inst,
                         const smc_order_request_t *r, smc_refusal_t *why)
{
    if (r->after != 0)
        return place_after(m, a, inst, r, why);
    return r->trigger != NULL ? place_waiting(m, a, inst, r, why) : place_now(m, a, inst, r, why);
}

smc_refusal_t smc_market_place(smc_market_t *m, const smc_order_request_t *r, int64_t now_ms,
                               const smc_order_t **out)
{
    smc_market_advance(m, now_ms);
    account_t *a = account_at(m, r->account);
    instrument_t *inst = instrument_at(m, r->instrument);
    if (a == NULL || inst == NULL)
        return SMC_REFUSED_COMBINATION;
    if (inst->halted)
        return SMC_REFUSED_HALTED;
    smc_refusal_t why = check_amounts(inst, r);
    if (why == SMC_ACCEPTED)
        why = check_client_id(a, r->client_id);
    if (why == SMC_ACCEPTED && r->link != 0)
        why = link_check(a, inst, r);
    if (why != SMC_ACCEPTED)
        return why;
    if (r->link != 0)
        link_open(m, a, inst, r->link);
    node_t *n = place_any(m, a, inst, r, &why);
    if (r->link != 0)
        link_close(m, a, inst, r->link);
    if (n == NULL)
        return why != SMC_ACCEPTED ? why : SMC_REFUSED_MEMORY;
    market_settle(m);
    *out = &n->o;
    return m->failed ? SMC_REFUSED_MEMORY : SMC_ACCEPTED;
}

const char *smc_refusal_text(smc_refusal_t why)
{
    static const char *const texts[] = {"",
#define X(name, text) text,
                                        SMC_REFUSAL_MAP(X)
#undef X
    };
    return (size_t)why < sizeof(texts) / sizeof(texts[0]) ? texts[why] : "";
}
