#include "smc/host_policy.h"

#include <string.h>

#define OP "host.policy"

/* Demo hosts and market data mirrors of the venues are production behind another name: they are not here. */
static const struct {
    const char *host;
    uint16_t ports[2];
} testnets[] = {
    {"testnet.binance.vision", {443}},
    {"api1.testnet.binance.vision", {443}},
    {"ws-api.testnet.binance.vision", {443, 9443}},
    {"stream.testnet.binance.vision", {443, 9443}},
    {"api-testnet.bybit.com", {443}},
    {"stream-testnet.bybit.com", {443}},
    {"api-fxpractice.oanda.com", {443}},
    {"stream-fxpractice.oanda.com", {443}},
};

bool smc_host_is_loopback(const char *host)
{
    return strcmp(host, "127.0.0.1") == 0 || strcmp(host, "[::1]") == 0 ||
           strcmp(host, "localhost") == 0;
}

static smc_code_t check_testnet(size_t i, const smc_url_t *url, smc_error_t *err)
{
    const char *secure =
        url->scheme == SMC_SCHEME_HTTP || url->scheme == SMC_SCHEME_HTTPS ? "https" : "wss";

    if (!smc_scheme_is_secure(url->scheme))
        return smc_fail(err, SMC_EPOLICY, OP, 0,
                        "plaintext to %s is refused: write %s:// instead of %s://", url->host,
                        secure, smc_scheme_text(url->scheme));
    if (url->port != testnets[i].ports[0] && url->port != testnets[i].ports[1])
        return smc_fail(err, SMC_EPOLICY, OP, 0,
                        "port %u of %s is refused: leave the port out, the venue serves %u",
                        (unsigned)url->port, url->host, (unsigned)testnets[i].ports[0]);
    return SMC_OK;
}

smc_code_t smc_host_policy_check(const smc_url_t *url, smc_error_t *err)
{
    if (smc_host_is_loopback(url->host))
        return SMC_OK;
    for (size_t i = 0; i < sizeof(testnets) / sizeof(testnets[0]); i++)
        if (strcmp(url->host, testnets[i].host) == 0)
            return check_testnet(i, url, err);
    return smc_fail(err, SMC_EPOLICY, OP, 0,
                    "host '%.80s' is refused: use a venue's testnet (exact name, lower case) or "
                    "127.0.0.1, [::1], localhost",
                    url->host);
}

smc_code_t smc_host_policy_route(const smc_loop_t *loop, const smc_url_t *url, const char **path,
                                 smc_error_t *err)
{
    smc_code_t rc = smc_host_policy_check(url, err);
    uint16_t via;

    if (rc != SMC_OK)
        return rc;
    if (smc_loop_hidden(loop, url->host, url->port))
        return smc_fail(err, SMC_EDNS, OP, 0, "cannot resolve %s: link fault dns", url->host);
    via = smc_loop_detour(loop, url->host, url->port);
    if (!smc_loop_route(loop, via == 0 ? url->host : "127.0.0.1", via == 0 ? url->port : via,
                        path) ||
        *path != NULL)
        return SMC_OK;
    if (smc_host_is_loopback(url->host))
        return smc_fail(err, SMC_ECONN, OP, 0,
                        "connection refused: nothing in this run listens at %s://%s:%u%s",
                        smc_scheme_text(url->scheme), url->host, (unsigned)url->port,
                        smc_loop_gave(loop, url->port)
                            ? " now"
                            : " (a server outside of it needs --clock real)");
    return smc_fail(err, SMC_EPOLICY, OP, 0,
                    "virtual clock: nothing in this run listens at %s://%s:%u; use --clock real",
                    smc_scheme_text(url->scheme), url->host, (unsigned)url->port);
}
