/* Whatever the bytes: what the splitter accepts, it must give back unchanged, and what the host policy lets through
 * must be one of a few literal hosts. */
#include "smc/host_policy.h"
#include "smc/url.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int truth)
{
    if (!truth)
        abort();
}

/* The text must read scheme://host[:port]target with these very bytes. */
static void check_parts(const char *text, const smc_url_t *url)
{
    char origin[SMC_URL_HOST_MAX + 32];
    size_t n;

    n = (size_t)snprintf(origin, sizeof(origin), "%s://%s", smc_scheme_text(url->scheme),
                         url->host);
    must(strncmp(text, origin, n) == 0);
    if (text[n] == ':') {
        n = (size_t)snprintf(origin, sizeof(origin), "%s://%s:%u", smc_scheme_text(url->scheme),
                             url->host, (unsigned)url->port);
        must(strncmp(text, origin, n) == 0);
    } else {
        must(url->port == smc_scheme_port(url->scheme));
    }
    must(url->target == text + n);
    must(*url->target == '\0' || *url->target == '/' || *url->target == '?');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    smc_url_t url;

    if (text == NULL)
        return 0;
    if (size != 0)
        memcpy(text, data, size);
    text[size] = '\0';
    if (smc_url_split(text, &url, NULL) == SMC_OK) {
        check_parts(text, &url);
        if (smc_host_policy_check(&url, NULL) == SMC_OK) {
            must(strpbrk(url.host, "@%\\ABCDEFGHIJKLMNOPQRSTUVWXYZ") == NULL);
            must(smc_scheme_is_secure(url.scheme) || smc_host_is_loopback(url.host));
        }
    }
    free(text);
    return 0;
}
