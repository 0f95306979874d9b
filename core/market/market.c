#include "market_priv.h"

#include <stdlib.h>
#include <string.h>

bool vec_room(smc_market_t *m, void *v, size_t n, size_t *cap, size_t size)
{
    if (n < *cap)
        return true;
    size_t more = *cap == 0 ? 8 : *cap * 2;
    void *old;
    memcpy(&old, v,
           sizeof(old)); /* v points to some T *: read and written as bytes, not as a void * */
    void *grown = more <= SIZE_MAX / size ? realloc(old, more * size) : NULL;
    if (grown == NULL) {
        m->failed = true;
        return false;
    }
    memcpy(v, &grown, sizeof(grown));
    *cap = more;
    return true;
}

instrument_t *instrument_at(const smc_market_t *m, int32_t id)
{
    return id >= 0 && (size_t)id < m->n_instruments ? m->instruments[id] : NULL;
}

account_t *account_at(const smc_market_t *m, int32_t id)
{
    return id > SMC_MARKET_SYSTEM && (size_t)id < m->n_accounts ? m->accounts[id] : NULL;
}

/* ---- a market ------------------------------------------------------------ */

static void account_free(account_t *a, size_t n_instruments)
{
    if (a == NULL)
        return;
    for (size_t i = 0; a->holdings != NULL && i < n_instruments; i++) {
        holding_t *h = &a->holdings[i];
        for (size_t k = 0; k < h->n_orders; k++)
            free(h->orders[k]);
        free(h->orders);
        free(h->fills);
        position_free(h->positions[SMC_BUY]);
        position_free(h->positions[SMC_SELL]);
    }
    free(a->holdings);
    free(a->purses);
    free(a->ids.v);
    free(a->ids.buckets);
    free(a);
}

static void free_chain(node_t *n)
{
    while (n != NULL) {
        node_t *next = n->next;
        free(n);
        n = next;
    }
}

static void instrument_free(instrument_t *inst)
{
    for (int side = 0; side < 2; side++)
        for (size_t i = 0; i < inst->sides[side].n; i++)
            for (node_t *n = inst->sides[side].v[i]->head, *next; n != NULL; n = next) {
                next = n->next;
                if (is_system(n->owner))
                    free(n);
            }
    book_deinit(inst);
    feed_free(inst->feed);
    free(inst->contract);
    free(inst->trades.v);
    free(inst->history.v);
    free(inst->prevented);
    free(inst);
}

void smc_market_free(smc_market_t *m)
{
    if (m == NULL)
        return;
    size_t n_instruments = m->n_instruments;
    for (size_t i = 0; i < n_instruments; i++)
        instrument_free(m->instruments[i]); /* first: it asks the orders for their owners */
    for (size_t i = 0; i < m->n_accounts; i++)
        account_free(m->accounts[i], n_instruments);
    free_chain(m->pool);
    free(m->instruments);
    free(m->accounts);
    free(m->assets);
    free(m->events);
    free(m->order_events);
    free(m->touched);
    free(m->moved);
    free(m->lot_changes);
    free(m);
}

smc_code_t smc_market_new(uint64_t seed, int64_t now_ms, smc_market_t **out, smc_error_t *err)
{
    smc_market_t *m = calloc(1, sizeof(*m));
    if (m == NULL)
        return smc_fail(err, SMC_ENOMEM, "market.new", 0, "out of memory");
    m->seed = seed;
    m->now_ms = now_ms;
    int32_t system;
    smc_account_conf_t conf = {
        .name = "system", .maker_fee = &(smc_dec_t){0}, .taker_fee = &(smc_dec_t){0}};
    smc_code_t code = smc_market_add_account(m, &conf, &system, err);
    if (code != SMC_OK) {
        smc_market_free(m);
        return code;
    }
    *out = m;
    return SMC_OK;
}

int64_t smc_market_time(const smc_market_t *m)
{
    return m->now_ms;
}

/* ---- assets, accounts, instruments --------------------------------------- */

static smc_code_t no_memory(smc_error_t *err)
{
    return smc_fail(err, SMC_ENOMEM, "market", 0, "out of memory");
}

static bool name_fits(const char *name)
{
    return name != NULL && name[0] != '\0' && strlen(name) <= SMC_MARKET_NAME_MAX;
}

static bool rate_fits(smc_dec_t rate)
{
    return smc_dec_sign(rate) >= 0 && smc_dec_cmp(rate, smc_dec_from_int(1)) < 0;
}

int32_t smc_market_find_asset(const smc_market_t *m, const char *name)
{
    for (size_t i = 0; i < m->n_assets; i++)
        if (strcmp(m->assets[i].name, name) == 0)
            return (int32_t)i;
    return -1;
}

smc_code_t smc_market_add_asset(smc_market_t *m, const char *name, int32_t *id, smc_error_t *err)
{
    if (!name_fits(name))
        return smc_fail(err, SMC_EINVAL, "market.asset", 0, "bad name of an asset");
    *id = smc_market_find_asset(m, name);
    if (*id >= 0)
        return SMC_OK;
    for (size_t i = 0; i < m->n_accounts; i++) {
        account_t *a = m->accounts[i];
        purse_t *grown = realloc(a->purses, (m->n_assets + 1) * sizeof(*grown));
        if (grown == NULL)
            return no_memory(err);
        a->purses = grown;
        a->purses[m->n_assets] = (purse_t){0};
    }
    if (!vec_room(m, &m->assets, m->n_assets, &m->cap_assets, sizeof(m->assets[0])))
        return no_memory(err);
    asset_t *asset = &m->assets[m->n_assets];
    *asset = (asset_t){0};
    text_copy(asset->name, name);
    *id = (int32_t)m->n_assets++;
    return SMC_OK;
}

smc_code_t smc_market_set_fees(smc_market_t *m, int32_t account, const smc_dec_t *maker_fee,
                               const smc_dec_t *taker_fee, smc_error_t *err)
{
    account_t *a = account >= 0 && (size_t)account < m->n_accounts ? m->accounts[account] : NULL;
    if (a == NULL)
        return smc_fail(err, SMC_EINVAL, "market.fees", 0, "no account %d", (int)account);
    if ((maker_fee != NULL && !rate_fits(*maker_fee)) ||
        (taker_fee != NULL && !rate_fits(*taker_fee)))
        return smc_fail(err, SMC_EINVAL, "market.fees", 0, "a fee must be at least 0 and below 1");
    a->own_maker_fee = maker_fee != NULL;
    a->own_taker_fee = taker_fee != NULL;
    a->maker_fee = maker_fee != NULL ? *maker_fee : dec_zero();
    a->taker_fee = taker_fee != NULL ? *taker_fee : dec_zero();
    return SMC_OK;
}

smc_code_t smc_market_add_account(smc_market_t *m, const smc_account_conf_t *conf, int32_t *id,
                                  smc_error_t *err)
{
    if (conf->name != NULL && !name_fits(conf->name))
        return smc_fail(err, SMC_EINVAL, "market.account", 0, "bad name of an account");
    if (!vec_room(m, &m->accounts, m->n_accounts, &m->cap_accounts, sizeof(m->accounts[0])))
        return no_memory(err);
    account_t *a = calloc(1, sizeof(*a));
    if (a == NULL)
        return no_memory(err);
    a->purses = calloc(m->n_assets + 1, sizeof(a->purses[0]));
    a->holdings = calloc(m->n_instruments + 1, sizeof(a->holdings[0]));
    if (a->purses == NULL || a->holdings == NULL) {
        account_free(a, 0);
        return no_memory(err);
    }
    a->id = (int32_t)m->n_accounts;
    text_copy(a->name, conf->name != NULL ? conf->name : "");
    m->accounts[m->n_accounts++] = a;
    smc_code_t code = smc_market_set_fees(m, a->id, conf->maker_fee, conf->taker_fee, err);
    if (code != SMC_OK) {
        m->n_accounts--;
        account_free(a, 0);
        return code;
    }
    *id = a->id;
    return SMC_OK;
}

static smc_code_t check_instrument(const smc_market_t *m, const smc_instrument_conf_t *c,
                                   smc_error_t *err)
{
    const char *op = "market.instrument";
    smc_dec_t unit;
    if (!name_fits(c->symbol) || !name_fits(c->base) || !name_fits(c->quote) ||
        strcmp(c->base, c->quote) == 0)
        return smc_fail(err, SMC_EINVAL, op, 0,
                        "symbol, base and quote must be names, base not quote");
    if (smc_market_find_instrument(m, c->symbol) >= 0)
        return smc_fail(err, SMC_EEXIST, op, 0, "%s exists", c->symbol);
    if (smc_dec_sign(c->tick) <= 0 || smc_dec_sign(c->step) <= 0)
        return smc_fail(err, SMC_EINVAL, op, 0, "tick and step must be positive");
    /* Exact when rounding up and down agree. */
    smc_dec_t up;
    if (smc_dec_mul(c->tick, c->step, SMC_DEC_PLACES, SMC_ROUND_DOWN, &unit) != SMC_OK ||
        smc_dec_mul(c->tick, c->step, SMC_DEC_PLACES, SMC_ROUND_UP, &up) != SMC_OK ||
        smc_dec_cmp(unit, up) != 0)
        return smc_fail(err, SMC_EINVAL, op, 0, "tick * step must have at most 18 decimals");
    if (smc_dec_sign(c->min_qty) < 0 || !smc_dec_is_multiple(c->min_qty, c->step))
        return smc_fail(err, SMC_EINVAL, op, 0, "min_qty must be a multiple of step");
    if (c->base_precision < 0 || c->base_precision > SMC_DEC_PLACES || c->quote_precision < 0 ||
        c->quote_precision > SMC_DEC_PLACES)
        return smc_fail(err, SMC_EINVAL, op, 0, "a precision must be 0..%d", SMC_DEC_PLACES);
    if (!rate_fits(c->maker_fee) || !rate_fits(c->taker_fee))
        return smc_fail(err, SMC_EINVAL, op, 0, "a fee must be at least 0 and below 1");
    return c->contract != NULL ? contract_check(m, c, err) : SMC_OK;
}

static bool room_for_instrument(smc_market_t *m)
{
    for (size_t i = 0; i < m->n_accounts; i++) {
        account_t *a = m->accounts[i];
        holding_t *grown = realloc(a->holdings, (m->n_instruments + 1) * sizeof(*grown));
        if (grown == NULL)
            return false;
        a->holdings = grown;
        a->holdings[m->n_instruments] = (holding_t){0};
    }
    return vec_room(m, &m->instruments, m->n_instruments, &m->cap_instruments,
                    sizeof(m->instruments[0]));
}

smc_code_t smc_market_add_instrument(smc_market_t *m, const smc_instrument_conf_t *c, int32_t *id,
                                     smc_error_t *err)
{
    int32_t base = -1, quote = -1;
    smc_code_t code = check_instrument(m, c, err);
    if (code == SMC_OK)
        code = smc_market_add_asset(m, c->base, &base, err);
    if (code == SMC_OK)
        code = smc_market_add_asset(m, c->quote, &quote, err);
    if (code != SMC_OK)
        return code;
    instrument_t *inst = room_for_instrument(m) ? calloc(1, sizeof(*inst)) : NULL;
    if (inst == NULL)
        return no_memory(err);
    text_copy(inst->symbol, c->symbol);
    inst->id = (int32_t)m->n_instruments;
    inst->base = base;
    inst->quote = quote;
    inst->tick = c->tick;
    inst->step = c->step;
    inst->min_qty = dec_is_zero(c->min_qty) ? c->step : c->min_qty;
    inst->base_places = c->base_precision;
    inst->quote_places = c->quote_precision;
    inst->maker_fee = c->maker_fee;
    inst->taker_fee = c->taker_fee;
    inst->want = m->want;
    if (c->contract != NULL && (code = contract_new(m, inst, c, err)) != SMC_OK) {
        instrument_free(inst);
        return code;
    }
    *id = inst->id;
    m->instruments[m->n_instruments++] = inst;
    return SMC_OK;
}

int32_t smc_market_find_instrument(const smc_market_t *m, const char *symbol)
{
    for (size_t i = 0; i < m->n_instruments; i++)
        if (strcmp(m->instruments[i]->symbol, symbol) == 0)
            return (int32_t)i;
    return -1;
}

int32_t smc_market_instruments(const smc_market_t *m)
{
    return (int32_t)m->n_instruments;
}
int32_t smc_market_assets(const smc_market_t *m)
{
    return (int32_t)m->n_assets;
}
int32_t smc_market_accounts(const smc_market_t *m)
{
    return (int32_t)m->n_accounts - 1;
}
const char *smc_market_symbol(const smc_market_t *m, int32_t i)
{
    return m->instruments[i]->symbol;
}
const char *smc_market_asset(const smc_market_t *m, int32_t asset)
{
    return m->assets[asset].name;
}

/* ---- balances ------------------------------------------------------------ */

void balance_touch(smc_market_t *m, account_t *a, int32_t asset)
{
    purse_t *p = &a->purses[asset];
    if (p->touched || is_system(a) || !m->want_orders)
        return;
    if (!vec_room(m, &m->touched, m->n_touched, &m->cap_touched, sizeof(m->touched[0])))
        return;
    p->touched = true;
    m->touched[m->n_touched++] = (touch_t){a->id, asset};
}

static int touch_order(const void *pa, const void *pb)
{
    const touch_t *a = pa, *b = pb;
    if (a->account != b->account)
        return a->account < b->account ? -1 : 1;
    return (a->asset > b->asset) - (a->asset < b->asset);
}

void market_settle(smc_market_t *m)
{
    bool more = true;
    while (more && !m->failed) {
        more = links_run(m);
        more = positions_tidy(m) || more;
        more = (m->n_waiting > 0 && triggers_run(m)) || more;
        more = liquidations_run(m) || more;
    }
    positions_tell(m);
    if (m->n_touched == 0)
        return;
    qsort(m->touched, m->n_touched, sizeof(m->touched[0]), touch_order);
    for (size_t i = 0; i < m->n_touched; i++) {
        account_t *a = m->accounts[m->touched[i].account];
        a->purses[m->touched[i].asset].touched = false;
        event_balance(m, a, m->touched[i].asset);
    }
    m->n_touched = 0;
}

static smc_code_t check_transfer(const smc_market_t *m, int32_t account, int32_t asset,
                                 smc_dec_t amount, smc_error_t *err)
{
    if (account_at(m, account) == NULL || asset < 0 || (size_t)asset >= m->n_assets)
        return smc_fail(err, SMC_EINVAL, "market.transfer", 0, "no such account or asset");
    if (smc_dec_sign(amount) <= 0)
        return smc_fail(err, SMC_EINVAL, "market.transfer", 0, "the amount must be positive");
    if (smc_dec_cmp(amount, smc_dec_from_int(AMOUNT_MAX_WHOLE)) > 0)
        return smc_fail(err, SMC_EOVERFLOW, "market.transfer", 0, "the amount is above 10^15");
    return SMC_OK;
}

static smc_code_t transfer(smc_market_t *m, account_t *a, int32_t asset, smc_dec_t amount,
                           smc_error_t *err)
{
    a->purses[asset].b.free = dec_plus(a->purses[asset].b.free, amount);
    event_transfer(m, a, asset, amount);
    balance_touch(m, a, asset);
    market_settle(m);
    return m->failed ? no_memory(err) : SMC_OK;
}

smc_code_t smc_market_credit(smc_market_t *m, int32_t account, int32_t asset, smc_dec_t amount,
                             smc_error_t *err)
{
    smc_code_t code = check_transfer(m, account, asset, amount, err);
    if (code != SMC_OK)
        return code;
    account_t *a = account_at(m, account);
    smc_dec_t limit = dec_minus(smc_dec_from_int(AMOUNT_MAX_WHOLE), amount);
    if (smc_dec_cmp(a->purses[asset].b.free, limit) > 0)
        return smc_fail(err, SMC_EOVERFLOW, "market.transfer", 0,
                        "the balance would be above 10^15");
    return transfer(m, a, asset, amount, err);
}

smc_code_t smc_market_debit(smc_market_t *m, int32_t account, int32_t asset, smc_dec_t amount,
                            smc_error_t *err)
{
    smc_code_t code = check_transfer(m, account, asset, amount, err);
    if (code != SMC_OK)
        return code;
    account_t *a = account_at(m, account);
    if (dec_less(margin_available(m, a, asset), amount))
        return smc_fail(err, SMC_EINVAL, "market.transfer", 0, "less is free");
    return transfer(m, a, asset, smc_dec_neg(amount), err);
}

smc_code_t smc_market_adjust(smc_market_t *m, int32_t account, int32_t asset, smc_dec_t amount,
                             smc_error_t *err)
{
    smc_code_t code = check_transfer(m, account, asset, smc_dec_abs(amount), err);
    if (code != SMC_OK)
        return code;
    account_t *a = account_at(m, account);
    smc_dec_t after = dec_plus(a->purses[asset].b.free, amount);
    if (smc_dec_cmp(smc_dec_abs(after), smc_dec_from_int(AMOUNT_MAX_WHOLE)) > 0)
        return smc_fail(err, SMC_EOVERFLOW, "market.transfer", 0,
                        "the balance would be beyond 10^15");
    return transfer(m, a, asset, amount, err);
}

smc_balance_t smc_market_balance(const smc_market_t *m, int32_t account, int32_t asset)
{
    return m->accounts[account]->purses[asset].b;
}

smc_dec_t smc_market_fees(const smc_market_t *m, int32_t asset)
{
    return m->assets[asset].fees;
}
