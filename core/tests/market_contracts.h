/* market_contracts.h - what the tests of positions in contracts share. */
#ifndef MARKET_CONTRACTS_H
#define MARKET_CONTRACTS_H

#include "market_support.h"

#include "smc/market_position.h"

enum { USDT = 1 };

typedef struct {
    smc_market_t *m;
    int32_t a, b;
    const smc_order_t *o;
} fixture_t;

static inline int32_t add_contract(smc_market_t *m, const char *symbol, smc_contract_conf_t k,
                                   const char *fee)
{
    int32_t id = -1;
    k.margin_rate = dec("0.1");
    k.maintenance_rate = dec("0.005");
    smc_instrument_conf_t conf = {.symbol = symbol,
                                  .base = strncmp(symbol, "USD", 3) == 0 ? "USD" : "BTC",
                                  .quote = strncmp(symbol, "USD", 3) == 0 ? "JPY" : "USDT",
                                  .tick = dec("0.01"),
                                  .step = dec("0.001"),
                                  .maker_fee = dec("0"),
                                  .taker_fee = dec(fee),
                                  .contract = &k};
    assert_int_equal(smc_market_add_instrument(m, &conf, &id, NULL), SMC_OK);
    return id;
}

static inline void set_up(fixture_t *f, bool lots, const char *fee)
{
    f->m = new_market(1);
    add_contract(f->m, "BTCUSDT", (smc_contract_conf_t){.lots = lots, .settle_precision = 8}, fee);
    f->a = add_account(f->m, NULL, "1000");
    f->b = add_account(f->m, NULL, "1000000");
}

static inline smc_refusal_t place(fixture_t *f, int32_t account, char side, const char *qty,
                                  const char *price, smc_order_request_t more)
{
    smc_dec_t q = dec(qty), p = dec(price != NULL ? price : "0"); /* outlive the call */
    more.account = account;
    more.side = side == 'b' ? SMC_BUY : SMC_SELL;
    more.type = price != NULL ? SMC_LIMIT : SMC_MARKET_ORDER;
    more.qty = &q;
    more.price = price != NULL ? &p : NULL;
    f->o = NULL;
    return smc_market_place(f->m, &more, 0, &f->o);
}

#define PLAIN ((smc_order_request_t){0})
#define REDUCE ((smc_order_request_t){.reduce_only = true})

/* a trades with b at this price; a is the taker. */
static inline int64_t trade(fixture_t *f, char side, const char *qty, const char *price)
{
    assert_int_equal(place(f, f->b, side == 'b' ? 's' : 'b', qty, price, PLAIN), SMC_ACCEPTED);
    assert_int_equal(place(f, f->a, side, qty, price, PLAIN), SMC_ACCEPTED);
    assert_int_equal(f->o->status, SMC_ORDER_FILLED);
    return f->o->id;
}

#define assert_free(f, expected) assert_dec(expected, smc_market_balance((f)->m, (f)->a, USDT).free)
#define assert_margin(f, field, expected) \
    assert_dec(expected, smc_market_margin((f)->m, (f)->a, USDT).field)

#endif /* MARKET_CONTRACTS_H */
