#include "tls_priv.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <limits.h>

bool smc_tls_is_certificate(const char *pem, size_t n)
{
    BIO *text = n <= INT_MAX ? BIO_new_mem_buf(pem, (int)n) : NULL;
    X509 *first = text == NULL ? NULL : PEM_read_bio_X509(text, NULL, NULL, NULL);
    X509 *second = first == NULL ? NULL : PEM_read_bio_X509(text, NULL, NULL, NULL);
    bool one = first != NULL && second == NULL;

    X509_free(second);
    X509_free(first);
    (void)BIO_free(text);
    ERR_clear_error();
    return one;
}

const char *smc_tls_why_refused(const void *store_ctx)
{
    return X509_verify_cert_error_string(X509_STORE_CTX_get_error(store_ctx));
}

bool smc_tls_peer_ended(const void *ssl)
{
    return ssl != NULL && (SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN) != 0;
}
