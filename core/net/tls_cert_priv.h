/* tls_cert_priv.h - for tls*.c alone: it shows OpenSSL. */
#ifndef SMC_TLS_CERT_PRIV_H
#define SMC_TLS_CERT_PRIV_H

#include "tls_priv.h"

#include <openssl/ssl.h>

/* How a server with these flags speaks; borrowed until the loop is closed.  NULL with *err filled. */
SSL_CTX *smc_tls_context(smc_loop_t *loop, unsigned flags, smc_error_t *err);

#endif /* SMC_TLS_CERT_PRIV_H */
