#include "smc/url.h"

#include <string.h>

#define OP "url.split"
#define SHOWN 80 /* bytes of a refused text that the error repeats */

static const struct {
    const char *text;
    uint16_t port;
    bool secure;
} schemes[] = {
    [SMC_SCHEME_HTTP] = {"http", 80, false},
    [SMC_SCHEME_HTTPS] = {"https", 443, true},
    [SMC_SCHEME_WS] = {"ws", 80, false},
    [SMC_SCHEME_WSS] = {"wss", 443, true},
};

const char *smc_scheme_text(smc_scheme_t scheme)
{
    return schemes[scheme].text;
}

bool smc_scheme_is_secure(smc_scheme_t scheme)
{
    return schemes[scheme].secure;
}

uint16_t smc_scheme_port(smc_scheme_t scheme)
{
    return schemes[scheme].port;
}

/* ASCII only, whatever the locale says. */
static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_host_char(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '-' || c == '_';
}

static bool is_ipv6_char(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' || c == '.';
}

static smc_code_t split_scheme(const char **p, smc_url_t *out, smc_error_t *err)
{
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        size_t n = strlen(schemes[i].text);
        if (strncmp(*p, schemes[i].text, n) != 0 || strncmp(*p + n, "://", 3) != 0)
            continue;
        out->scheme = (smc_scheme_t)i;
        *p += n + 3;
        return SMC_OK;
    }
    return smc_fail(err, SMC_EINVAL, OP, 0,
                    "'%.*s' does not begin with http://, https://, ws:// or wss://", SHOWN, *p);
}

/* User information may hold a query's characters only in percent form, so the first '/', '?' or '#' ends the host. */
static smc_code_t check_disguise(const char *authority, size_t n, smc_error_t *err)
{
    for (size_t i = 0; i < n; i++) {
        char c = authority[i];
        if (c == '@')
            return smc_fail(err, SMC_EPOLICY, OP, 0,
                            "a user name or password before the host '%.*s' is not accepted: "
                            "write the host alone",
                            SHOWN, authority + i + 1);
        if (c == '%' || c == '\\' || (unsigned char)c >= 0x80)
            return smc_fail(err, SMC_EPOLICY, OP, 0,
                            "the host in '%.*s' is disguised: write it in plain ASCII", SHOWN,
                            authority);
    }
    return SMC_OK;
}

static smc_code_t split_host(const char **p, smc_url_t *out, smc_error_t *err)
{
    const char *start = *p;
    const char *end = start;

    if (*end == '[') {
        do
            end++;
        while (is_ipv6_char(*end));
        if (*end != ']' || end == start + 1)
            return smc_fail(err, SMC_EINVAL, OP, 0, "'%.*s' is not an IPv6 host", SHOWN, start);
        end++;
    } else {
        while (is_host_char(*end))
            end++;
    }
    if (end == start)
        return smc_fail(err, SMC_EINVAL, OP, 0, "a host is missing before '%.*s'", SHOWN, start);
    if (end - start > SMC_URL_HOST_MAX)
        return smc_fail(err, SMC_EINVAL, OP, 0, "the host is longer than %d bytes",
                        SMC_URL_HOST_MAX);
    memcpy(out->host, start, (size_t)(end - start));
    out->host[end - start] = '\0';
    *p = end;
    return SMC_OK;
}

static smc_code_t split_port(const char **p, smc_url_t *out, smc_error_t *err)
{
    const char *start = *p + 1;
    const char *end = start;
    unsigned long port = 0;

    out->port = schemes[out->scheme].port;
    if (**p != ':')
        return SMC_OK;
    while (is_digit(*end) && end - start < 6)
        port = port * 10 + (unsigned long)(*end++ - '0');
    if (end == start || *start == '0' || port > UINT16_MAX)
        return smc_fail(err, SMC_EINVAL, OP, 0, "'%.*s' is not a port from 1 to 65535", SHOWN,
                        start);
    out->port = (uint16_t)port;
    *p = end;
    return SMC_OK;
}

static smc_code_t check_bytes(const char *text, smc_error_t *err)
{
    for (const char *c = text; *c != '\0'; c++) {
        if ((unsigned char)*c <= ' ' || *c == 0x7f)
            return smc_fail(err, SMC_EINVAL, OP, 0,
                            "byte %zu of the URL is 0x%02x: spaces and control characters must be "
                            "percent-encoded",
                            (size_t)(c - text) + 1, (unsigned)(unsigned char)*c);
        if (*c == '#')
            return smc_fail(err, SMC_EINVAL, OP, 0,
                            "a fragment ('#') is never sent: leave it out or write %%23");
    }
    return SMC_OK;
}

smc_code_t smc_url_split(const char *text, smc_url_t *out, smc_error_t *err)
{
    const char *p = text;
    smc_code_t rc = check_bytes(text, err);

    if (rc == SMC_OK)
        rc = split_scheme(&p, out, err);
    if (rc == SMC_OK)
        rc = check_disguise(p, strcspn(p, "/?"), err);
    if (rc == SMC_OK)
        rc = split_host(&p, out, err);
    if (rc == SMC_OK)
        rc = split_port(&p, out, err);
    if (rc != SMC_OK)
        return rc;
    if (*p != '\0' && *p != '/' && *p != '?')
        return smc_fail(err, SMC_EINVAL, OP, 0, "'%.*s' does not belong behind the host '%s'",
                        SHOWN / 2, p, out->host);
    out->target = p;
    return SMC_OK;
}
