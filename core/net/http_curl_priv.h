/* http_curl_priv.h - libcurl as a table of functions, loaded when first needed. */
#ifndef SMC_HTTP_CURL_PRIV_H
#define SMC_HTTP_CURL_PRIV_H

#include "smc/error.h"

#include <curl/curl.h>

#define SMC_CURL_MAP(X)    \
    X(global_init)         \
    X(global_cleanup)      \
    X(easy_init)           \
    X(easy_cleanup)        \
    X(easy_reset)          \
    X(easy_setopt)         \
    X(easy_getinfo)        \
    X(easy_strerror)       \
    X(multi_init)          \
    X(multi_cleanup)       \
    X(multi_setopt)        \
    X(multi_add_handle)    \
    X(multi_remove_handle) \
    X(multi_socket_action) \
    X(multi_info_read)

/* easy_setopt is variadic without curl.h's checks: numbers must be long. */
typedef struct smc_curl {
    void *lib;
/* NOLINTNEXTLINE(bugprone-macro-parentheses): a declarator */
#define X(name) __typeof__(&curl_##name) name;
    SMC_CURL_MAP(X)
#undef X
} smc_curl_t;

/* Loads and initialises.  Errors: SMC_ESYS. */
smc_code_t smc_curl_load(smc_curl_t *curl, smc_error_t *err);
void smc_curl_unload(smc_curl_t *curl);

#endif /* SMC_HTTP_CURL_PRIV_H */
