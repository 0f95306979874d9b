/* options_serve.c - what smcrun serve does, and for whom. */
#include "options/number.h"
#include "options/options_priv.h"

#include <arpa/inet.h>
#include <string.h>

static smc_code_t on_port(smcr_parse_t *p, const char *arg, const char *value)
{
    uint64_t n;
    if (!smcr_read_u64(value, 0, SMCR_MAX_PORT, &n))
        return smcr_bad_value(p, arg, value, "a port from 1 to 65532, or 0 for any");
    p->o->port = (uint16_t)n;
    return SMC_OK;
}

SMCR_FLAG(tls)
SMCR_FLAG(allow_remote)
SMCR_FLAG(json)

static smc_code_t on_ca_file(smcr_parse_t *p, const char *arg, const char *value)
{
    return smcr_read_name(p, arg, value, "the name of a file", &p->o->ca_file);
}

static smc_code_t on_host(smcr_parse_t *p, const char *arg, const char *value)
{
    struct in_addr addr;
    if (inet_pton(AF_INET, value, &addr) != 1)
        return smcr_bad_value(p, arg, value, "an IPv4 address of this machine");
    p->o->host = value;
    return SMC_OK;
}

static smc_code_t on_key(smcr_parse_t *p, const char *arg, const char *value)
{
    if (!smcr_all_of(value, SMCR_LETTERS SMCR_DIGITS "-_", 1, 128))
        return smcr_bad_value(p, arg, value, "1 to 128 letters, digits, - or _");
    p->o->key = value;
    return SMC_OK;
}

/* The value is not shown: messages end up in logs. */
static smc_code_t on_secret(smcr_parse_t *p, const char *arg, const char *value)
{
    bool printable = true;
    for (const char *c = value; *c != '\0'; c++)
        printable = printable && *c > ' ' && *c <= '~';
    if (!printable || !smcr_all_of(value, NULL, 8, 128))
        return SMCR_REFUSE(p, "%s wants 8 to 128 printable characters without blanks", arg);
    p->o->secret = value;
    return SMC_OK;
}

/* Bearer tokens travel in a header; the value is not shown. */
static smc_code_t on_token(smcr_parse_t *p, const char *arg, const char *value)
{
    if (!smcr_all_of(value, SMCR_LETTERS SMCR_DIGITS "-_", 8, 128))
        return SMCR_REFUSE(p, "%s wants 8 to 128 letters, digits, - or _", arg);
    p->o->token = value;
    return SMC_OK;
}

static smc_code_t on_account(smcr_parse_t *p, const char *arg, const char *value)
{
    if (value[0] == '-' || !smcr_all_of(value, SMCR_DIGITS "-", 1, 64))
        return smcr_bad_value(p, arg, value, "digits and dashes, as in 101-001-1234567-001");
    p->o->account = value;
    return SMC_OK;
}

static const smcr_option_t options[] = {
    {"--port", NULL, A_VALUE, false, SERVE, on_port, "N",
     "binance on N, the control API on N + 1, bybit on N + 2,\noanda on N + 3 (default, or 0: any "
     "that are free)"},
    {"--tls", NULL, NOTHING, true, SERVE, on_tls, NULL,
     "https and wss, by an authority made at start"},
    {"--ca-file", NULL, A_VALUE, false, SERVE, on_ca_file, "F",
     "write its certificate to F, for NODE_EXTRA_CA_CERTS=F; it is for 127.0.0.1 and localhost"},
    {"--host", NULL, A_VALUE, false, SERVE, on_host, "ADDR",
     "listen there instead of 127.0.0.1; the control API stays"},
    {"--allow-remote", NULL, NOTHING, true, SERVE, on_allow_remote, NULL,
     "that address may be one that other machines reach"},
    {"--seed", NULL, A_VALUE, false, SERVE, smcr_on_seed, "N",
     "what chance depends on (default: drawn, and printed)"},
    {"--key", NULL, A_VALUE, false, SERVE, on_key, "K",
     "the account's API key (default: drawn by the seed)"},
    {"--secret", NULL, A_VALUE, false, SERVE, on_secret, "S",
     "its secret, 8 characters at least (default: drawn by the seed); other users of this machine "
     "may read a command line"},
    {"--token", NULL, A_VALUE, false, SERVE, on_token, "T", "the same for oanda: its bearer token"},
    {"--account", NULL, A_VALUE, false, SERVE, on_account, "A", "and its account"},
    {"--json", NULL, NOTHING, true, SERVE, on_json, NULL, "print one line of JSON instead"},
};

/* Served credentials and orders are nobody else's business, unless that is said twice. */
static smc_code_t check(smcr_parse_t *p)
{
    const smcr_options_t *o = p->o;
    struct in_addr addr = {.s_addr = htonl(INADDR_LOOPBACK)};
    if (o->topic != SMCR_CMD_SERVE)
        return SMC_OK;
    if (o->host != NULL)
        (void)inet_pton(AF_INET, o->host, &addr);
    bool remote = ntohl(addr.s_addr) >> 24 != 127;
    if (remote && !o->allow_remote)
        return SMCR_REFUSE(p, "--host %s lets other machines in: add --allow-remote if they may",
                           o->host);
    if (!remote && o->allow_remote)
        return SMCR_REFUSE(p, "--allow-remote wants a --host that other machines reach, as in "
                              "--host 0.0.0.0");
    if (o->ca_file != NULL && !o->tls)
        return SMCR_REFUSE(p, "--ca-file wants --tls: without it there is no certificate");
    return SMC_OK;
}

const smcr_option_group_t smcr_serve_options = {"", options, SMCR_COUNT(options), check};
