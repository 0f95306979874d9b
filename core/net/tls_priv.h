/* tls_priv.h - TLS as the rest of core/net sees it, without a type of OpenSSL.
 *
 *   tls_cert.c    authorities, certificates, and how servers use them
 *   tls.c         the server's side of one connection: bytes in, bytes out, no socket
 *   tls_client.c  what the TLS of our clients can't say itself
 */
#ifndef SMC_TLS_PRIV_H
#define SMC_TLS_PRIV_H

#include "smc/buf.h"
#include "smc/tls.h"

#include <stdbool.h>

/* ---- server -------------------------------------------------------------- */

typedef struct smc_tls smc_tls_t;

typedef enum smc_tls_state {
    SMC_TLS_GOES_ON,
    SMC_TLS_ENDED,  /* the client said that nothing more will come */
    SMC_TLS_BROKEN, /* the client speaks no TLS that we do, or memory ran out */
} smc_tls_state_t;

/* Makes what connections with these flags need, so that smc_tls_new has nothing left to make.  Errors: see smc_tls_ca. */
smc_code_t smc_tls_prepare(smc_loop_t *loop, unsigned flags, smc_error_t *err);

/* flags as prepared.  NULL: out of memory. */
smc_tls_t *smc_tls_new(smc_loop_t *loop, unsigned flags);
/* Accepts NULL. */
void smc_tls_free(smc_tls_t *tls);

/* Takes n bytes from the wire, n <= INT_MAX, all of them: OpenSSL keeps back no whole record, which no poll would ever
 * report.  Appends what the client said to plain, and what TLS itself has to answer to wire, also when it fails. */
smc_tls_state_t smc_tls_read(smc_tls_t *tls, const void *bytes, size_t n, smc_buf_t *plain,
                             smc_buf_t *wire);
/* Appends n bytes as records.  False before the handshake is over, and when memory ran out. */
bool smc_tls_write(smc_tls_t *tls, const void *bytes, size_t n, smc_buf_t *wire);
/* Appends the notice that nothing more will come; nothing before the handshake is over. */
void smc_tls_end(smc_tls_t *tls, smc_buf_t *wire);

/* ---- client -------------------------------------------------------------- */

/* The text is one certificate in PEM. */
bool smc_tls_is_certificate(const char *pem, size_t n);
/* Why a certificate was refused; store_ctx is OpenSSL's X509_STORE_CTX.  Static. */
const char *smc_tls_why_refused(const void *store_ctx);
/* The peer has ended the stream in an orderly way; ssl is OpenSSL's SSL, or NULL. */
bool smc_tls_peer_ended(const void *ssl);

#endif /* SMC_TLS_PRIV_H */
