#include "market_priv.h"

#include <stdlib.h>

static bool within(smc_dec_t a, smc_dec_t lo, smc_dec_t hi)
{
    return !dec_less(a, lo) && !dec_less(hi, a);
}

static bool rate_fits(smc_dec_t rate)
{
    const smc_dec_t least = {smc_dec_from_int(1).units / 10000};
    return within(rate, least, smc_dec_from_int(1));
}

smc_code_t contract_check(const smc_market_t *m, const smc_instrument_conf_t *c, smc_error_t *err)
{
    const char *op = "market.instrument";
    const smc_contract_conf_t *k = c->contract;
    bool converts = k->settle != NULL && strcmp(k->settle, c->quote) != 0;
    if (k->settle_precision < 0 || k->settle_precision > SMC_DEC_PLACES)
        return smc_fail(err, SMC_EINVAL, op, 0, "a precision must be 0..%d", SMC_DEC_PLACES);
    if (!rate_fits(k->margin_rate))
        return smc_fail(err, SMC_EINVAL, op, 0, "margin_rate must be 0.0001 to 1");
    if (!within(k->maintenance_rate, dec_zero(), k->margin_rate))
        return smc_fail(err, SMC_EINVAL, op, 0, "maintenance_rate must be 0 to margin_rate");
    if (converts != (k->via != NULL))
        return smc_fail(err, SMC_EINVAL, op, 0,
                        "via belongs to a contract that does not settle in its quote");
    if (converts && strcmp(k->via, c->symbol) != 0 && smc_market_find_instrument(m, k->via) < 0)
        return smc_fail(err, SMC_EINVAL, op, 0, "via names an unknown instrument");
    return SMC_OK;
}

smc_code_t contract_new(smc_market_t *m, instrument_t *inst, const smc_instrument_conf_t *c,
                        smc_error_t *err)
{
    const smc_contract_conf_t *k = c->contract;
    int32_t settle = inst->quote;
    smc_code_t code = SMC_OK;
    if (k->settle != NULL)
        code = smc_market_add_asset(m, k->settle, &settle, err);
    if (code != SMC_OK)
        return code;
    contract_t *own = inst->contract = calloc(1, sizeof(*own));
    if (own == NULL)
        return smc_fail(err, SMC_ENOMEM, "market.instrument", 0, "out of memory");
    own->settle = settle;
    own->places = k->settle_precision;
    own->lots = k->lots;
    own->value_by_side = k->value_by_side;
    own->margin_rate = k->margin_rate;
    own->maintenance_rate = k->maintenance_rate;
    if (k->via != NULL)
        own->via = strcmp(k->via, c->symbol) == 0
                       ? inst
                       : instrument_at(m, smc_market_find_instrument(m, k->via));
    own->via_inverse = k->via_inverse;
    own->gain = own->loss = smc_dec_from_int(1);
    m->assets[settle].contracts++;
    return SMC_OK;
}

/* ---- from quote to the settle asset -------------------------------------- */

bool contract_converts(const instrument_t *inst)
{
    const contract_t *k = inst->contract;
    return k->via == NULL || dec_positive(mark_price(k->via));
}

smc_dec_t contract_amount(const instrument_t *inst, smc_dec_t quote, smc_round_t round)
{
    const contract_t *k = inst->contract;
    smc_dec_t out = {0};
    if (k->via == NULL)
        (void)smc_dec_round(quote, k->places, round, &out);
    else if (k->via_inverse)
        (void)smc_dec_div(quote, mark_price(k->via), k->places, round, &out);
    else
        (void)smc_dec_mul(quote, mark_price(k->via), k->places, round, &out);
    return out;
}

smc_dec_t contract_profit(const instrument_t *inst, smc_dec_t quote)
{
    const contract_t *k = inst->contract;
    if (k->via != NULL)
        (void)smc_dec_mul(quote, dec_positive(quote) ? k->gain : k->loss, SMC_DEC_PLACES,
                          SMC_ROUND_DOWN, &quote);
    return contract_amount(inst, quote, SMC_ROUND_HALF_UP);
}

bool smc_market_is_contract(const smc_market_t *m, int32_t instrument)
{
    const instrument_t *inst = instrument_at(m, instrument);
    return inst != NULL && inst->contract != NULL;
}

/* ---- settings ------------------------------------------------------------ */

smc_code_t smc_market_set_conversion(smc_market_t *m, int32_t instrument, smc_dec_t gain,
                                     smc_dec_t loss, smc_error_t *err)
{
    const smc_dec_t two = smc_dec_from_int(2);
    instrument_t *inst = instrument_at(m, instrument);
    if (inst == NULL || inst->contract == NULL)
        return smc_fail(err, SMC_EINVAL, "market.conversion", 0, "not a contract");
    if (!dec_positive(gain) || !dec_positive(loss) || dec_less(two, gain) || dec_less(two, loss))
        return smc_fail(err, SMC_EINVAL, "market.conversion", 0,
                        "a factor must be above 0 and at most 2");
    inst->contract->gain = gain;
    inst->contract->loss = loss;
    return SMC_OK;
}

smc_code_t smc_market_set_margin(smc_market_t *m, int32_t account, int32_t instrument,
                                 smc_side_t side, smc_dec_t rate, smc_error_t *err)
{
    account_t *a = account_at(m, account);
    instrument_t *inst = instrument_at(m, instrument);
    if (a == NULL || inst == NULL || inst->contract == NULL)
        return smc_fail(err, SMC_EINVAL, "market.margin", 0, "no such account or contract");
    if (!rate_fits(rate))
        return smc_fail(err, SMC_EINVAL, "market.margin", 0, "a rate must be 0.0001 to 1");
    position_t *p = position_need(m, a, inst, side);
    if (p == NULL)
        return smc_fail(err, SMC_ENOMEM, "market.margin", 0, "out of memory");
    p->rate = rate;
    return SMC_OK;
}
