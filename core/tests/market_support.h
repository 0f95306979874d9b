/* market_support.h - what the tests of the market share. */
#ifndef MARKET_SUPPORT_H
#define MARKET_SUPPORT_H

#include "smc/market.h"
#include "smc/market_feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define START INT64_C(1767571200000)

static inline smc_dec_t dec(const char *text)
{
    smc_dec_t d = {0};
    assert_int_equal(smc_dec_parse(text, strlen(text), &d), SMC_OK);
    return d;
}

#define assert_dec(expected, actual)          \
    do {                                      \
        char text_[SMC_DEC_TEXT_MAX];         \
        smc_dec_text(actual, text_);          \
        assert_string_equal(text_, expected); \
    } while (0)

static inline smc_market_t *new_market(uint64_t seed)
{
    smc_market_t *m = NULL;
    assert_int_equal(smc_market_new(seed, START, &m, NULL), SMC_OK);
    return m;
}

/* BTCUSDT, tick 0.01, step 0.001. */
static inline int32_t add_btc(smc_market_t *m, const char *maker_fee, const char *taker_fee)
{
    int32_t id = -1;
    smc_instrument_conf_t conf = {
        .symbol = "BTCUSDT",
        .base = "BTC",
        .quote = "USDT",
        .tick = dec("0.01"),
        .step = dec("0.001"),
        .base_precision = 8,
        .quote_precision = 8,
        .maker_fee = dec(maker_fee),
        .taker_fee = dec(taker_fee),
    };
    assert_int_equal(smc_market_add_instrument(m, &conf, &id, NULL), SMC_OK);
    return id;
}

static inline int32_t add_account(smc_market_t *m, const char *btc, const char *usdt)
{
    int32_t id = -1;
    assert_int_equal(smc_market_add_account(m, &(smc_account_conf_t){0}, &id, NULL), SMC_OK);
    if (btc != NULL)
        assert_int_equal(smc_market_credit(m, id, 0, dec(btc), NULL), SMC_OK);
    if (usdt != NULL)
        assert_int_equal(smc_market_credit(m, id, 1, dec(usdt), NULL), SMC_OK);
    return id;
}

#endif /* MARKET_SUPPORT_H */
