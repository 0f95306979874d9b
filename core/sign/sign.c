#include "smc/sign.h"

#include "smc/text.h"

#include <limits.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

enum { MAC_BYTES = 32, KINDS = SMC_SIGN_ED25519 + 1 };

static const char *const kind_texts[KINDS] = {"hmac", "rsa", "ed25519"};

struct smc_sign_key {
    smc_sign_kind_t kind;
    bool is_private;
    EVP_MAC_CTX *mac; /* hmac: keyed once, started anew for each payload */
    EVP_PKEY *pkey;   /* rsa, ed25519 */
    EVP_MD_CTX *md;
    EVP_MD *sha256; /* rsa: fetched once; a fetch by name costs more than hashing a request */
};

/* The library's own words say what it disliked; none of them repeats key material. */
static smc_code_t fail(smc_error_t *err, smc_code_t code, const char *op, const char *what)
{
    unsigned long e = ERR_peek_last_error();
    const char *reason = ERR_reason_error_string(e);

    ERR_clear_error();
    return smc_fail(err, code, op, ERR_GET_REASON(e), "%s%s%s", what, reason ? ": " : "",
                    reason ? reason : "");
}

/* ---- reading keys --------------------------------------------------------------------------- */

/* Without a callback of ours OpenSSL would ask for the password of an encrypted key on the terminal. */
/* NOLINTNEXTLINE(readability-non-const-parameter): the type is pem_password_cb. */
static int no_password(char *buf, int size, int rwflag, void *ud)
{
    (void)buf;
    (void)size;
    (void)rwflag;
    (void)ud;
    return -1;
}

static bool is_pem(const char *text, size_t n)
{
    return memmem(text, n, "-----BEGIN ", 11) != NULL;
}

static smc_code_t read_pem(const char *text, size_t n, EVP_PKEY **out, bool *is_private,
                           smc_error_t *err)
{
    BIO *bio;

    if (n > INT_MAX || !is_pem(text, n))
        return smc_fail(err, SMC_EKEY, "sign.key", 0, "the key is not PEM text");
    *is_private = memmem(text, n, "PRIVATE KEY-----", 16) != NULL;
    bio = BIO_new_mem_buf(text, (int)n);
    if (bio == NULL)
        return fail(err, SMC_ENOMEM, "sign.key", "out of memory");
    *out = *is_private ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL)
                       : PEM_read_bio_PUBKEY(bio, NULL, no_password, NULL);
    BIO_free(bio);
    if (*out == NULL)
        return fail(err, SMC_EKEY, "sign.key", "the PEM text holds no readable, unencrypted key");
    return SMC_OK;
}

static smc_code_t init_hmac(smc_sign_key_t *key, const char *secret, size_t n, smc_error_t *err)
{
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);

    if (mac != NULL)
        key->mac = EVP_MAC_CTX_new(mac);
    EVP_MAC_free(mac); /* the context holds on to it */
    if (key->mac == NULL || EVP_MAC_init(key->mac, (const unsigned char *)secret, n, params) != 1)
        return fail(err, SMC_EKEY, "sign.key", "the library refuses the HMAC key");
    key->is_private = true;
    return SMC_OK;
}

static smc_code_t init_pkey(smc_sign_key_t *key, const char *pem, size_t n, smc_error_t *err)
{
    const char *want = key->kind == SMC_SIGN_RSA ? "RSA" : "ED25519";
    smc_code_t code = read_pem(pem, n, &key->pkey, &key->is_private, err);

    if (code != SMC_OK)
        return code;
    if (EVP_PKEY_is_a(key->pkey, want) != 1)
        return smc_fail(err, SMC_EKEY, "sign.key", 0, "the PEM text holds a key of type %s, not %s",
                        EVP_PKEY_get0_type_name(key->pkey), want);
    key->md = EVP_MD_CTX_new();
    if (key->kind == SMC_SIGN_RSA)
        key->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (key->md == NULL || (key->kind == SMC_SIGN_RSA && key->sha256 == NULL))
        return fail(err, SMC_ENOMEM, "sign.key", "no context for the key");
    return SMC_OK;
}

smc_code_t smc_sign_key_new(smc_sign_kind_t kind, const char *material, size_t n,
                            smc_sign_key_t **out, smc_error_t *err)
{
    smc_sign_key_t *key;
    smc_code_t code;

    if (n == 0)
        return smc_fail(err, SMC_EINVAL, "sign.key", 0, "the key is empty");
    key = calloc(1, sizeof(*key));
    if (key == NULL)
        return smc_fail(err, SMC_ENOMEM, "sign.key", 0, "out of memory");
    key->kind = kind;
    code =
        kind == SMC_SIGN_HMAC ? init_hmac(key, material, n, err) : init_pkey(key, material, n, err);
    if (code != SMC_OK) {
        smc_sign_key_free(key);
        return code;
    }
    *out = key;
    return SMC_OK;
}

void smc_sign_key_free(smc_sign_key_t *key)
{
    if (key == NULL)
        return;
    EVP_MAC_CTX_free(key->mac);
    EVP_MD_CTX_free(key->md);
    EVP_MD_free(key->sha256);
    EVP_PKEY_free(key->pkey);
    free(key);
}

void smc_sign_preload(void)
{
    smc_sign_key_t *key = NULL;

    if (smc_sign_key_new(SMC_SIGN_HMAC, "preload", 7, &key, NULL) == SMC_OK)
        smc_sign_key_free(key);
}

smc_sign_kind_t smc_sign_key_kind(const smc_sign_key_t *key)
{
    return key->kind;
}

bool smc_sign_key_is_private(const smc_sign_key_t *key)
{
    return key->is_private;
}

smc_code_t smc_sign_detect(const char *material, size_t n, smc_sign_kind_t *kind, smc_error_t *err)
{
    EVP_PKEY *pkey = NULL;
    bool is_private;
    smc_code_t code;

    if (n == 0)
        return smc_fail(err, SMC_EINVAL, "sign.detect", 0, "the key is empty");
    if (!is_pem(material, n)) {
        *kind = SMC_SIGN_HMAC;
        return SMC_OK;
    }
    code = read_pem(material, n, &pkey, &is_private, err);
    if (code != SMC_OK)
        return code;
    if (EVP_PKEY_is_a(pkey, "RSA") == 1)
        *kind = SMC_SIGN_RSA;
    else if (EVP_PKEY_is_a(pkey, "ED25519") == 1)
        *kind = SMC_SIGN_ED25519;
    else
        code = smc_fail(err, SMC_EKEY, "sign.detect", 0, "keys of type %s are not supported",
                        EVP_PKEY_get0_type_name(pkey));
    EVP_PKEY_free(pkey);
    return code;
}

const char *smc_sign_kind_text(smc_sign_kind_t kind)
{
    return kind_texts[kind];
}

bool smc_sign_kind_from(const char *text, smc_sign_kind_t *kind)
{
    for (int k = 0; k < KINDS; k++) {
        if (strcmp(kind_texts[k], text) == 0) {
            *kind = (smc_sign_kind_t)k;
            return true;
        }
    }
    return false;
}

/* ---- signing -------------------------------------------------------------------------------- */

static bool hmac(smc_sign_key_t *key, const void *payload, size_t n, unsigned char mac[MAC_BYTES])
{
    size_t len = 0;

    /* No key given: the one of the last start is used again, already padded and hashed. */
    return EVP_MAC_init(key->mac, NULL, 0, NULL) == 1 &&
           EVP_MAC_update(key->mac, payload, n) == 1 &&
           EVP_MAC_final(key->mac, mac, &len, MAC_BYTES) == 1 && len == MAC_BYTES;
}

static smc_code_t sign_pkey(smc_sign_key_t *key, const void *payload, size_t n, smc_buf_t *out,
                            smc_error_t *err)
{
    smc_buf_t raw = {0};
    size_t len = (size_t)EVP_PKEY_get_size(key->pkey);
    smc_code_t code = smc_buf_reserve(&raw, len);

    if (code != SMC_OK)
        return smc_fail(err, SMC_ENOMEM, "sign.sign", 0, "out of memory");
    if (EVP_MD_CTX_reset(key->md) != 1 ||
        EVP_DigestSignInit(key->md, NULL, key->sha256, NULL, key->pkey) != 1 ||
        EVP_DigestSign(key->md, (unsigned char *)raw.data, &len, payload, n) != 1)
        code = fail(err, SMC_EKEY, "sign.sign", "the library refuses to sign");
    else if (smc_base64_encode(raw.data, len, out) != SMC_OK)
        code = smc_fail(err, SMC_ENOMEM, "sign.sign", 0, "out of memory");
    smc_buf_deinit(&raw);
    return code;
}

smc_code_t smc_sign(smc_sign_key_t *key, const void *payload, size_t n, smc_buf_t *out,
                    smc_error_t *err)
{
    unsigned char mac[MAC_BYTES];

    if (!key->is_private)
        return smc_fail(err, SMC_EKEY, "sign.sign", 0, "a public key cannot sign");
    if (key->kind != SMC_SIGN_HMAC)
        return sign_pkey(key, payload, n, out, err);
    if (!hmac(key, payload, n, mac))
        return fail(err, SMC_EKEY, "sign.sign", "the library refuses to sign");
    if (smc_hex_encode(mac, MAC_BYTES, out) != SMC_OK)
        return smc_fail(err, SMC_ENOMEM, "sign.sign", 0, "out of memory");
    return SMC_OK;
}

static bool verify_pkey(smc_sign_key_t *key, const void *payload, size_t n, const smc_buf_t *raw)
{
    bool valid =
        EVP_MD_CTX_reset(key->md) == 1 &&
        EVP_DigestVerifyInit(key->md, NULL, key->sha256, NULL, key->pkey) == 1 &&
        EVP_DigestVerify(key->md, (const unsigned char *)raw->data, raw->len, payload, n) == 1;

    ERR_clear_error(); /* a refused signature is no error, and a queue that grows is a leak */
    return valid;
}

bool smc_verify(smc_sign_key_t *key, const void *payload, size_t n, const char *signature,
                size_t signature_n)
{
    unsigned char mac[MAC_BYTES];
    smc_buf_t raw = {0};
    bool valid = false;

    if (key->kind != SMC_SIGN_HMAC)
        valid = smc_base64_decode(signature, signature_n, &raw) == SMC_OK &&
                verify_pkey(key, payload, n, &raw);
    else if (smc_hex_decode(signature, signature_n, &raw) == SMC_OK && raw.len == MAC_BYTES)
        valid = hmac(key, payload, n, mac) && CRYPTO_memcmp(mac, raw.data, MAC_BYTES) == 0;
    smc_buf_deinit(&raw);
    return valid;
}
