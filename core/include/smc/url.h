/* smc/url.h - splits a URL into scheme, host, port and raw target, strictly.
 *
 * Nothing is decoded, normalised or guessed: signatures cover the bytes of the target, and the host policy compares
 * the bytes of the host.  What two readers could understand differently is refused.
 * Source  RFC 3986 3, RFC 6455 3; core/tests/test_url.c
 */
#ifndef SMC_URL_H
#define SMC_URL_H

#include "smc/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SMC_URL_HOST_MAX 253

typedef enum smc_scheme {
    SMC_SCHEME_HTTP,
    SMC_SCHEME_HTTPS,
    SMC_SCHEME_WS,
    SMC_SCHEME_WSS,
} smc_scheme_t;

typedef struct smc_url {
    smc_scheme_t scheme;
    char
        host[SMC_URL_HOST_MAX +
             1]; /* as written: letters, digits, '.', '-', '_', or "[...]" around an IPv6 literal */
    uint16_t port;      /* the scheme's own when none is written */
    const char *target; /* borrowed from the text: raw path and query up to its end; may be empty or
                                        begin with '?', else it begins with '/' */
} smc_url_t;

/* text    NUL-terminated, "scheme://host[:port][target]", scheme in lower case
 * *out    borrows from text; undefined on failure
 * Errors  SMC_EINVAL   another scheme or shape; a control character or space anywhere; a fragment
 *         SMC_EPOLICY  a host that hides another: user information, a percent sign, a backslash, non-ASCII */
smc_code_t smc_url_split(const char *text, smc_url_t *out, smc_error_t *err);

/* "http", "https", "ws", "wss". */
const char *smc_scheme_text(smc_scheme_t scheme);
/* https and wss. */
bool smc_scheme_is_secure(smc_scheme_t scheme);
uint16_t smc_scheme_port(smc_scheme_t scheme);

#endif /* SMC_URL_H */
