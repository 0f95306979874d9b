/* What happens to an account whose equity no longer covers what its positions ask for. */
#include "market_priv.h"

static bool settles_in(const instrument_t *inst, int32_t asset)
{
    return inst->contract != NULL && inst->contract->settle == asset;
}

static bool is_due(const smc_market_t *m, const account_t *a, int32_t asset)
{
    smc_margin_t g = smc_market_margin(m, a->id, asset);
    smc_dec_t least = {0};
    (void)smc_dec_mul(g.maintenance, m->assets[asset].liquidation, SMC_DEC_PLACES, SMC_ROUND_UP,
                      &least);
    return dec_positive(g.maintenance) && !dec_less(least, g.equity);
}

static bool cancel_orders(smc_market_t *m, const account_t *a, int32_t asset)
{
    bool any = false;
    for (size_t i = 0; i < m->n_instruments; i++) {
        if (!settles_in(m->instruments[i], asset))
            continue;
        for (node_t *n; (n = a->holdings[i].open_head) != NULL; any = true)
            order_cancel(m, n, SMC_END_SYSTEM);
    }
    return any;
}

typedef struct heaviest {
    instrument_t *inst;
    const position_t *position; /* NULL: none */
} heaviest_t;

/* The position that asks for most, among those that somebody would take. */
static heaviest_t heaviest(const smc_market_t *m, const account_t *a, int32_t asset)
{
    heaviest_t found = {0};
    smc_dec_t most = {-1};
    for (size_t i = 0; i < 2 * m->n_instruments; i++) {
        instrument_t *inst = m->instruments[i / 2];
        const position_t *p = a->holdings[i / 2].positions[i % 2];
        if (!settles_in(inst, asset) || p == NULL || p->n == 0 || inst->halted ||
            book_best(inst, p->side) == NULL)
            continue;
        smc_dec_t mm = position_now(inst, p).mm;
        if (dec_less(most, mm)) {
            most = mm;
            found = (heaviest_t){inst, p};
        }
    }
    return found;
}

static bool liquidate(smc_market_t *m, account_t *a, int32_t asset)
{
    if (!is_due(m, a, asset))
        return false;
    bool any = cancel_orders(m, a, asset);
    for (heaviest_t h; !m->failed && is_due(m, a, asset) &&
                       (h = heaviest(m, a, asset)).position != NULL &&
                       place_closing(m, a, h.inst, h.position);)
        any = true;
    return any;
}

bool liquidations_run(smc_market_t *m)
{
    bool any = false;
    for (size_t asset = 0; asset < m->n_assets; asset++) {
        if (!dec_positive(m->assets[asset].liquidation))
            continue;
        for (size_t i = 1; i < m->n_accounts && !m->failed; i++)
            any = liquidate(m, m->accounts[i], (int32_t)asset) || any;
    }
    return any;
}

smc_code_t smc_market_liquidation(smc_market_t *m, int32_t asset, smc_dec_t threshold,
                                  smc_error_t *err)
{
    if (asset < 0 || (size_t)asset >= m->n_assets)
        return smc_fail(err, SMC_EINVAL, "market.liquidation", 0, "no such asset");
    if (smc_dec_sign(threshold) < 0 || smc_dec_cmp(threshold, smc_dec_from_int(10)) > 0)
        return smc_fail(err, SMC_EINVAL, "market.liquidation", 0, "a threshold must be 0 to 10");
    m->assets[asset].liquidation = threshold;
    market_settle(m);
    return SMC_OK;
}
