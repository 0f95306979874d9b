#include "tls_cert_priv.h"

#include <openssl/err.h>

#include <stdlib.h>

#define RECORD_BYTES 16384
/* Sealed at a time, so that OpenSSL's own buffer stays small. */
#define SLICE_BYTES ((size_t)65536)

struct smc_tls {
    SSL *ssl;
    BIO *in, *out; /* in memory; owned by ssl */
};

/* OpenSSL's queue of errors belongs to the thread: what lies in it would be taken for the error of whoever asks next,
 * and libcurl and libwebsockets ask too. */
static void forget_errors(void)
{
    ERR_clear_error();
}

smc_code_t smc_tls_prepare(smc_loop_t *loop, unsigned flags, smc_error_t *err)
{
    smc_error_t why = {0};

    if (smc_tls_context(loop, flags, &why) != NULL)
        return SMC_OK;
    return smc_fail(err, why.code, why.op, why.sys, "%s", why.detail);
}

smc_tls_t *smc_tls_new(smc_loop_t *loop, unsigned flags)
{
    SSL_CTX *context = smc_tls_context(loop, flags, NULL);
    smc_tls_t *tls = calloc(1, sizeof(*tls));

    if (context == NULL || tls == NULL) {
        free(tls);
        return NULL;
    }
    tls->ssl = SSL_new(context);
    tls->in = BIO_new(BIO_s_mem());
    tls->out = BIO_new(BIO_s_mem());
    if (tls->ssl == NULL || tls->in == NULL || tls->out == NULL) {
        SSL_free(tls->ssl);
        (void)BIO_free(tls->in);
        (void)BIO_free(tls->out);
        free(tls);
        forget_errors();
        return NULL;
    }
    SSL_set_bio(tls->ssl, tls->in, tls->out);
    SSL_set_accept_state(tls->ssl);
    return tls;
}

void smc_tls_free(smc_tls_t *tls)
{
    if (tls == NULL)
        return;
    SSL_free(tls->ssl);
    free(tls);
}

static void take_output(smc_tls_t *tls, smc_buf_t *wire)
{
    char *bytes = NULL;
    long n = BIO_get_mem_data(tls->out, &bytes);

    if (n > 0)
        (void)smc_buf_append(wire, bytes, (size_t)n);
    (void)BIO_reset(tls->out);
}

smc_tls_state_t smc_tls_read(smc_tls_t *tls, const void *bytes, size_t n, smc_buf_t *plain,
                             smc_buf_t *wire)
{
    char record[RECORD_BYTES];
    size_t got = 0;
    int why;

    forget_errors();
    if (BIO_write(tls->in, bytes, (int)n) != (int)n)
        return SMC_TLS_BROKEN;
    while (SSL_read_ex(tls->ssl, record, sizeof(record), &got) == 1)
        (void)smc_buf_append(plain, record, got);
    why = SSL_get_error(tls->ssl, 0);
    forget_errors();
    take_output(tls, wire);
    if (plain->failed)
        return SMC_TLS_BROKEN;
    if (why == SSL_ERROR_ZERO_RETURN)
        return SMC_TLS_ENDED;
    return why == SSL_ERROR_WANT_READ ? SMC_TLS_GOES_ON : SMC_TLS_BROKEN;
}

bool smc_tls_write(smc_tls_t *tls, const void *bytes, size_t n, smc_buf_t *wire)
{
    const char *at = bytes;
    bool ok = true;

    forget_errors();
    while (ok && n > 0) {
        size_t slice = n < SLICE_BYTES ? n : SLICE_BYTES, written = 0;
        ok = SSL_write_ex(tls->ssl, at, slice, &written) == 1;
        take_output(tls, wire);
        at += written;
        n -= written;
    }
    forget_errors();
    return ok && !wire->failed;
}

void smc_tls_end(smc_tls_t *tls, smc_buf_t *wire)
{
    if (SSL_is_init_finished(tls->ssl))
        (void)SSL_shutdown(tls->ssl);
    forget_errors();
    take_output(tls, wire);
}
