#include "tls_cert_priv.h"

#include "loop_priv.h"

#include "smc/clock.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <stdlib.h>
#include <string.h>

#define OP "tls.open"
#define YEARS_20_DAYS 7305
#define OWN_NAMES "IP:127.0.0.1,DNS:localhost"
#define OTHER_NAMES "DNS:elsewhere.invalid"

enum { CONTEXTS = 2 * SMC_TLS_WRONG_AUTHORITY };

typedef struct identity {
    EVP_PKEY *key;
    X509 *cert;
} identity_t;

typedef struct authority {
    identity_t own;
    identity_t stranger; /* nobody trusts it; made when first needed */
    char *pem;           /* of own */
    size_t pem_len;
    SSL_CTX *contexts[CONTEXTS]; /* by flags */
} authority_t;

typedef struct profile {
    const char *name;
    const char *alt_names;  /* NULL: an authority */
    long serial;            /* unique for its issuer */
    int from_days, to_days; /* counted from now */
} profile_t;

/* ---- certificates -------------------------------------------------------- */

static bool add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *ext;
    bool ok;

    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    ok = ext != NULL && X509_add_ext(cert, ext, -1) == 1;
    X509_EXTENSION_free(ext);
    return ok;
}

/* As much as strict verifiers want to see. */
static bool add_extensions(X509 *cert, X509 *issuer, const char *alt_names)
{
    if (alt_names == NULL)
        return add_extension(cert, cert, NID_basic_constraints, "critical,CA:TRUE") &&
               add_extension(cert, cert, NID_key_usage, "critical,keyCertSign,cRLSign") &&
               add_extension(cert, cert, NID_subject_key_identifier, "hash");
    return add_extension(cert, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(cert, issuer, NID_key_usage, "critical,digitalSignature") &&
           add_extension(cert, issuer, NID_ext_key_usage, "serverAuth") &&
           add_extension(cert, issuer, NID_subject_alt_name, alt_names) &&
           add_extension(cert, issuer, NID_subject_key_identifier, "hash") &&
           add_extension(cert, issuer, NID_authority_key_identifier, "keyid");
}

static bool fill_cert(const identity_t *id, const identity_t *issuer, const profile_t *profile)
{
    X509_NAME *name = X509_get_subject_name(id->cert);
    time_t now = (time_t)(smc_clock_wall_ms() / 1000);

    return X509_set_version(id->cert, X509_VERSION_3) == 1 &&
           ASN1_INTEGER_set(X509_get_serialNumber(id->cert), profile->serial) == 1 &&
           X509_time_adj_ex(X509_getm_notBefore(id->cert), profile->from_days, 0, &now) != NULL &&
           X509_time_adj_ex(X509_getm_notAfter(id->cert), profile->to_days, 0, &now) != NULL &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                      (const unsigned char *)profile->name, -1, -1, 0) == 1 &&
           X509_set_issuer_name(id->cert, X509_get_subject_name(issuer->cert)) == 1 &&
           X509_set_pubkey(id->cert, id->key) == 1 &&
           add_extensions(id->cert, issuer->cert, profile->alt_names) &&
           X509_sign(id->cert, issuer->key, EVP_sha256()) > 0;
}

static void free_identity(identity_t *id)
{
    X509_free(id->cert);
    EVP_PKEY_free(id->key);
    *id = (identity_t){0};
}

/* issuer NULL: signed by itself. */
static bool make_identity(identity_t *id, const identity_t *issuer, const profile_t *profile)
{
    id->key = EVP_EC_gen("P-256");
    id->cert = X509_new();
    if (id->key != NULL && id->cert != NULL && fill_cert(id, issuer == NULL ? id : issuer, profile))
        return true;
    free_identity(id);
    return false;
}

/* ---- the authority of a loop --------------------------------------------- */

static bool make_pem(authority_t *a)
{
    BIO *out = BIO_new(BIO_s_mem());
    char *text = NULL;
    long n;

    if (out == NULL)
        return false;
    if (PEM_write_bio_X509(out, a->own.cert) == 1 && (n = BIO_get_mem_data(out, &text)) > 0) {
        a->pem = calloc(1, (size_t)n + 1);
        if (a->pem != NULL) {
            memcpy(a->pem, text, (size_t)n);
            a->pem_len = (size_t)n;
        }
    }
    (void)BIO_free(out);
    return a->pem != NULL;
}

static void close_authority(void *value)
{
    authority_t *a = value;

    for (size_t i = 0; i < CONTEXTS; i++)
        SSL_CTX_free(a->contexts[i]);
    free_identity(&a->stranger);
    free_identity(&a->own);
    free(a->pem);
    free(a);
}

static void fail_openssl(smc_error_t *err, const char *what)
{
    unsigned long code = ERR_get_error();
    char text[120] = "out of memory";

    if (code != 0)
        ERR_error_string_n(code, text, sizeof(text));
    ERR_clear_error();
    (void)smc_fail(err, SMC_ESYS, OP, 0, "cannot make %s: %s", what, text);
}

/* NULL with *err filled. */
static authority_t *get_authority(smc_loop_t *loop, smc_error_t *err)
{
    static const profile_t profile = {"smcrun sandbox authority", NULL, 1, -1, YEARS_20_DAYS};
    authority_t *a = smc_loop_slot(loop, SMC_SLOT_TLS);

    if (a != NULL)
        return a;
    a = calloc(1, sizeof(*a));
    if (a == NULL) {
        (void)smc_fail(err, SMC_ENOMEM, OP, 0, "out of memory");
        return NULL;
    }
    if (!make_identity(&a->own, NULL, &profile) || !make_pem(a)) {
        close_authority(a);
        fail_openssl(err, "a certificate authority");
        return NULL;
    }
    smc_loop_set_slot(loop, SMC_SLOT_TLS, a, close_authority);
    return a;
}

smc_code_t smc_tls_ca(smc_loop_t *loop, const char **pem, size_t *n, smc_error_t *err)
{
    smc_error_t why = {0};
    const authority_t *a = get_authority(loop, &why);

    if (a == NULL)
        return smc_fail(err, why.code, why.op, why.sys, "%s", why.detail);
    *pem = a->pem;
    *n = a->pem_len;
    return SMC_OK;
}

/* ---- how servers speak --------------------------------------------------- */

/* A client that offers protocols, but not HTTP/1.1, is told so: RFC 7301 3.2. */
/* NOLINTNEXTLINE(readability-function-size): OpenSSL declares it so */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *n,
                           const unsigned char *offer, unsigned int offer_len, void *unused)
{
    static const unsigned char own[] = "\x08http/1.1";
    unsigned char *chosen = NULL;

    (void)ssl;
    (void)unused;
    if (SSL_select_next_proto(&chosen, n, own, sizeof(own) - 1, offer, offer_len) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/* No session is resumed: a resumed one shows no certificate, and its tickets would reach a client that has not asked
 * for anything yet. */
static SSL_CTX *make_context(const identity_t *leaf)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());

    if (context == NULL)
        return NULL;
    (void)SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
    (void)SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
    if (SSL_CTX_set_num_tickets(context, 0) == 1 &&
        SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
        SSL_CTX_use_certificate(context, leaf->cert) == 1 &&
        SSL_CTX_use_PrivateKey(context, leaf->key) == 1)
        return context;
    SSL_CTX_free(context);
    return NULL;
}

static SSL_CTX *open_context(authority_t *a, unsigned flags)
{
    static const profile_t stranger = {"another authority", NULL, 1, -1, YEARS_20_DAYS};
    bool wrong_host = (flags & SMC_TLS_WRONG_HOST) != 0;
    bool expired = (flags & SMC_TLS_EXPIRED) != 0;
    profile_t profile = {wrong_host ? "elsewhere.invalid" : "localhost",
                         wrong_host ? OTHER_NAMES : OWN_NAMES, (long)flags + 1, expired ? -3 : -1,
                         expired ? -1 : YEARS_20_DAYS};
    const identity_t *issuer = &a->own;
    identity_t leaf = {0};
    SSL_CTX *context = NULL;

    if ((flags & SMC_TLS_WRONG_AUTHORITY) != 0) {
        issuer = &a->stranger;
        if (issuer->cert == NULL && !make_identity(&a->stranger, NULL, &stranger))
            return NULL;
    }
    if (make_identity(&leaf, issuer, &profile))
        context = make_context(&leaf);
    free_identity(&leaf); /* the context has its own references */
    return context;
}

SSL_CTX *smc_tls_context(smc_loop_t *loop, unsigned flags, smc_error_t *err)
{
    authority_t *a;

    flags |= SMC_TLS_ON;
    if (flags >= CONTEXTS) {
        (void)smc_fail(err, SMC_EINVAL, OP, 0, "unknown TLS flags %#x", flags);
        return NULL;
    }
    a = get_authority(loop, err);
    if (a == NULL)
        return NULL;
    if (a->contexts[flags] == NULL)
        a->contexts[flags] = open_context(a, flags);
    if (a->contexts[flags] == NULL)
        fail_openssl(err, "a certificate");
    return a->contexts[flags];
}
