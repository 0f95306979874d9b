/* smc/sign.h - signatures of requests, made and checked.
 *
 *   kind      key                        signature as text
 *   hmac      secret bytes, 1..n         HMAC-SHA256, 64 hex digits in lower case
 *   rsa       PEM, private or public     RSASSA-PKCS1-v1_5 with SHA-256, base64
 *   ed25519   PEM, private or public     PureEdDSA, base64 (88 characters)
 *
 * The payload is signed byte for byte as given.  A private key also checks.
 * A key reuses its own contexts: one owner thread, and no call while another on the same key runs.
 * Source  RFC 2104, RFC 8017 8.2, RFC 8032; core/tests/vectors/
 */
#ifndef SMC_SIGN_H
#define SMC_SIGN_H

#include "smc/buf.h"
#include "smc/error.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum smc_sign_kind {
    SMC_SIGN_HMAC,
    SMC_SIGN_RSA,
    SMC_SIGN_ED25519,
} smc_sign_kind_t;

typedef struct smc_sign_key smc_sign_key_t;

/* material  the secret of an HMAC key, or PEM text (PKCS#8, PKCS#1 or SubjectPublicKeyInfo; not encrypted).  Only
 *           read: what OpenSSL keeps of it, it wipes.  The bytes of an smc_secret_t come from smc_secret_borrow.
 * Errors: SMC_EINVAL (empty), SMC_EKEY (no PEM, encrypted, or a key of another kind), SMC_ENOMEM. */
smc_code_t smc_sign_key_new(smc_sign_kind_t kind, const char *material, size_t n,
                            smc_sign_key_t **out, smc_error_t *err);
/* Accepts NULL. */
void smc_sign_key_free(smc_sign_key_t *key);
smc_sign_kind_t smc_sign_key_kind(const smc_sign_key_t *key);
/* false for a public key. */
bool smc_sign_key_is_private(const smc_sign_key_t *key);

/* Appends the signature as text.  On failure out is as it was.
 * Errors: SMC_EKEY (a public key, or the library refuses), SMC_ENOMEM. */
smc_code_t smc_sign(smc_sign_key_t *key, const void *payload, size_t n, smc_buf_t *out,
                    smc_error_t *err);

/* Whether signature is that of payload.  HMAC: hex in either case, compared in constant time.  RSA, Ed25519: base64,
 * strict.  Anything wrong, lack of memory too, is false. */
bool smc_verify(smc_sign_key_t *key, const void *payload, size_t n, const char *signature,
                size_t signature_n);

/* What kind of key this text is: PEM by what it holds, everything else an HMAC secret.
 * Errors: SMC_EINVAL (empty), SMC_EKEY (PEM that holds neither RSA nor Ed25519, or cannot be read). */
smc_code_t smc_sign_detect(const char *material, size_t n, smc_sign_kind_t *kind, smc_error_t *err);

/* Has OpenSSL load what HMAC keys need.  It stays, so that children made by fork find it loaded: a first key costs a
 * process over a millisecond otherwise.  A failure is told by the first key. */
void smc_sign_preload(void);

/* "hmac", "rsa", "ed25519". */
const char *smc_sign_kind_text(smc_sign_kind_t kind);
/* false when text is none of them. */
bool smc_sign_kind_from(const char *text, smc_sign_kind_t *kind);

#endif /* SMC_SIGN_H */
