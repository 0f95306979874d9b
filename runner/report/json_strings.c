#include "report/json_strings.h"

#include <stdbool.h>
#include <string.h>

/* Bytes of the string at text, which begins behind its quote. */
static size_t length_of(const char *text, size_t n)
{
    size_t at = 0;
    while (at < n && text[at] != '"')
        at += text[at] == '\\' && at + 1 < n ? 2 : 1;
    return at;
}

smc_code_t smcr_map_strings(const char *json, size_t n, smcr_string_fn fn, void *ud, smc_buf_t *out)
{
    smc_code_t rc = SMC_OK;
    for (size_t at = 0; at < n && rc == SMC_OK;) {
        const char *quote = memchr(json + at, '"', n - at);
        size_t before = quote == NULL ? n - at : (size_t)(quote - json) + 1 - at;
        (void)smc_buf_append(out, json + at, before);
        at += before;
        if (at == n)
            break;
        size_t len = length_of(json + at, n - at);
        bool is_name = at + len + 1 < n && json[at + len + 1] == ':';
        rc = is_name ? smc_buf_append(out, json + at, len) : fn(ud, json + at, len, out);
        at += len;
        if (at < n)
            (void)smc_buf_putc(out, json[at++]);
    }
    return rc != SMC_OK ? rc : out->failed ? SMC_ENOMEM : SMC_OK;
}
