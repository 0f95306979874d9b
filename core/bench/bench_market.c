/* How many orders the matching engine takes a second: two accounts around one price, with a feed's ladder behind. */
#include "smc/clock.h"
#include "smc/market.h"
#include "smc/market_feed.h"
#include "smc/rng.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SPOT_ORDERS = 300000, CONTRACT_ORDERS = 20000, ROUNDS = 5 };

static smc_dec_t dec(const char *text)
{
    smc_dec_t d = {0};
    if (smc_dec_parse(text, strlen(text), &d) != SMC_OK)
        abort();
    return d;
}

static void must(smc_code_t code)
{
    if (code != SMC_OK)
        abort();
}

static smc_market_t *open_market(int32_t accounts[2], bool contract)
{
    smc_market_t *m = NULL;
    int32_t id;
    smc_contract_conf_t terms = {
        .settle_precision = 8, .margin_rate = dec("0.1"), .maintenance_rate = dec("0.005")};
    smc_instrument_conf_t conf = {.symbol = "BTCUSDT",
                                  .base = "BTC",
                                  .quote = "USDT",
                                  .tick = dec("0.01"),
                                  .step = dec("0.00001"),
                                  .base_precision = 8,
                                  .quote_precision = 8,
                                  .maker_fee = dec("0.001"),
                                  .taker_fee = dec("0.001"),
                                  .contract = contract ? &terms : NULL};
    smc_feed_conf_t feed = smc_feed_defaults();
    must(smc_market_new(1, INT64_C(1767571200000), &m, NULL));
    must(smc_market_add_instrument(m, &conf, &id, NULL));
    feed.mid = dec("60000");
    must(smc_feed_add(m, id, &feed, NULL));
    for (int i = 0; i < 2; i++) {
        must(smc_market_add_account(m, &(smc_account_conf_t){0}, &accounts[i], NULL));
        must(smc_market_credit(m, accounts[i], 0, dec("1000000"), NULL));
        must(smc_market_credit(m, accounts[i], 1, dec("1000000000000"), NULL));
    }
    return m;
}

/* Placements a second; half of the orders rest, half take. */
static double measure(bool contract, int orders)
{
    int32_t accounts[2];
    smc_market_t *m = open_market(accounts, contract);
    smc_rng_t rng;
    smc_dec_t tick = dec("0.01"), mid = dec("60000"), qty = dec("0.00100");
    const smc_order_t *o;
    smc_rng_init(&rng, 1, "bench");
    int64_t start = smc_clock_real_ns();
    for (int i = 0; i < orders; i++) {
        smc_dec_t price = {mid.units + tick.units * smc_rng_range(&rng, -200, 200)};
        smc_order_request_t r = {.account = accounts[i & 1],
                                 .side = (i >> 1 & 1) != 0 ? SMC_BUY : SMC_SELL,
                                 .qty = &qty,
                                 .price = &price};
        if (smc_market_place(m, &r, 0, &o) != SMC_ACCEPTED)
            abort();
    }
    double s = (double)(smc_clock_real_ns() - start) / 1e9;
    smc_market_free(m);
    return orders / s;
}

static void report(const char *what, bool contract, int orders)
{
    double best = 0;
    for (int i = 0; i < ROUNDS; i++) {
        double now = measure(contract, orders);
        best = now > best ? now : best;
    }
    printf("%s: %.0f placements a second (best of %d rounds of %d)\n", what, best, ROUNDS, orders);
}

int main(void)
{
    report("spot", false, SPOT_ORDERS);
    report("contract", true, CONTRACT_ORDERS);
    return 0;
}
