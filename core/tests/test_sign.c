/* Signatures: every published vector, and that nothing but the right signature is taken. */
#include "smc/sign.h"
#include "smc/text.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char payload[] = "symbol=BTCUSDT&side=BUY&timestamp=1499827319559";

static smc_sign_key_t *key_of(smc_sign_kind_t kind, const char *material)
{
    smc_sign_key_t *key = NULL;
    smc_error_t err = {0};

    if (smc_sign_key_new(kind, material, strlen(material), &key, &err) != SMC_OK)
        fail_msg("%s: %s", err.op, err.detail);
    return key;
}

static char *pem_of(const char *label, const char *base64)
{
    char *pem = NULL;

    assert_true(asprintf(&pem, "-----BEGIN %s KEY-----\n%s\n-----END %s KEY-----\n", label, base64,
                         label) > 0);
    return pem;
}

static void signs(smc_sign_key_t *key, const char *text, size_t n, const char *want)
{
    smc_buf_t out = {0};
    smc_error_t err = {0};

    if (smc_sign(key, text, n, &out, &err) != SMC_OK)
        fail_msg("%s: %s", err.op, err.detail);
    assert_string_equal(want, out.data);
    smc_buf_deinit(&out);
}

/* Whether any character of the signature may be another one. */
static bool verifies_with_a_changed_character(smc_sign_key_t *key, const char *text, size_t n,
                                              const char *signature)
{
    char *other = strdup(signature);
    bool verified = false;

    assert_non_null(other);
    for (char *p = other; *p != '\0'; p++) {
        char was = *p;

        *p = was == 'a' ? 'b' : 'a';
        verified = verified || smc_verify(key, text, n, other, strlen(other));
        *p = was;
    }
    free(other);
    return verified;
}

static void checks(smc_sign_key_t *key, const char *text, size_t n, const char *signature)
{
    char *other = strdup(text);

    assert_non_null(other);
    assert_true(smc_verify(key, text, n, signature, strlen(signature)));
    assert_false(smc_verify(key, text, n - 1, signature, strlen(signature)));
    assert_false(smc_verify(key, text, n, signature, strlen(signature) - 1));
    assert_false(smc_verify(key, text, n, "", 0));
    assert_false(verifies_with_a_changed_character(key, text, n, signature));
    other[n / 2] ^= 1;
    assert_false(smc_verify(key, other, n, signature, strlen(signature)));
    free(other);
}

/* ---- vectors -------------------------------------------------------------------------------- */

typedef struct vectors {
    FILE *file;
    char line[4096];
    char *cell[4];
} vectors_t;

static void open_vectors(vectors_t *v, const char *name)
{
    char path[512];

    (void)snprintf(path, sizeof(path), "%s/vectors/%s", SMC_TEST_DIR, name);
    v->file = fopen(path, "r");
    if (v->file == NULL)
        fail_msg("cannot open %s", path);
}

/* The next line that is no comment, cut into its cells. */
static bool next_vector(vectors_t *v)
{
    size_t n = 0;
    char *rest = v->line;

    do {
        if (fgets(v->line, sizeof(v->line), v->file) == NULL) {
            (void)fclose(v->file);
            return false;
        }
    } while (v->line[0] == '#');
    v->line[strcspn(v->line, "\n")] = '\0';
    while (n < 4)
        v->cell[n++] = rest == NULL ? NULL : strsep(&rest, "\t");
    return true;
}

static size_t unescape(char *text)
{
    char *to = text;

    for (const char *p = text; *p != '\0'; p++) {
        if (strncmp(p, "\\x01", 4) != 0) {
            *to++ = *p;
            continue;
        }
        *to++ = '\x01';
        p += 3;
    }
    *to = '\0';
    return (size_t)(to - text);
}

static void hmac_meets_every_published_vector(void **state)
{
    vectors_t v;
    smc_sign_key_t *key;
    int cases = 0;

    (void)state;
    open_vectors(&v, "binance_hmac.txt");
    assert_true(next_vector(&v));
    key = key_of(SMC_SIGN_HMAC, v.cell[0]);
    for (; next_vector(&v); cases++) {
        signs(key, v.cell[1], strlen(v.cell[1]), v.cell[2]);
        checks(key, v.cell[1], strlen(v.cell[1]), v.cell[2]);
        for (char *p = v.cell[2]; *p != '\0'; p++)
            *p = (char)(*p >= 'a' ? *p - 32 : *p);
        assert_true(smc_verify(key, v.cell[1], strlen(v.cell[1]), v.cell[2], 64));
    }
    assert_int_equal(19, cases);
    smc_sign_key_free(key);
}

static void meets_vectors_of_a_key_pair(const char *file, smc_sign_kind_t kind, int want_cases)
{
    vectors_t v;
    char *pem;
    smc_sign_key_t *private_key;
    smc_sign_key_t *public_key;
    int cases = 0;

    open_vectors(&v, file);
    assert_true(next_vector(&v));
    pem = pem_of("PRIVATE", v.cell[0]);
    private_key = key_of(kind, pem);
    assert_true(smc_sign_key_is_private(private_key));
    free(pem);
    assert_true(next_vector(&v));
    pem = pem_of("PUBLIC", v.cell[0]);
    public_key = key_of(kind, pem);
    free(pem);
    for (; next_vector(&v); cases++) {
        size_t n = unescape(v.cell[1]);

        signs(private_key, v.cell[1], n, v.cell[2]);
        checks(private_key, v.cell[1], n, v.cell[2]);
        checks(public_key, v.cell[1], n, v.cell[2]);
    }
    assert_int_equal(want_cases, cases);
    smc_sign_key_free(private_key);
    smc_sign_key_free(public_key);
}

static void ed25519_meets_every_published_vector(void **state)
{
    (void)state;
    meets_vectors_of_a_key_pair("binance_ed25519.txt", SMC_SIGN_ED25519, 4);
}

static void rsa_meets_what_openssl_dgst_signed(void **state)
{
    (void)state;
    meets_vectors_of_a_key_pair("rsa_sha256.txt", SMC_SIGN_RSA, 3);
}

/* Signatures whose keys nobody knows still show how one travels in a query. */
static void published_signatures_decode_and_percent_encode(void **state)
{
    vectors_t v;
    int cases = 0;

    (void)state;
    open_vectors(&v, "binance_form.txt");
    for (; next_vector(&v); cases++) {
        smc_buf_t raw = {0};
        smc_buf_t text = {0};

        assert_int_equal(SMC_OK, smc_base64_decode(v.cell[2], strlen(v.cell[2]), &raw));
        assert_int_equal(strtol(v.cell[1], NULL, 10), raw.len);
        assert_int_equal(SMC_OK, smc_percent_encode(v.cell[2], strlen(v.cell[2]), &text));
        assert_string_equal(v.cell[3], text.data);
        smc_buf_clear(&text);
        assert_int_equal(SMC_OK, smc_percent_decode(v.cell[3], strlen(v.cell[3]), &text));
        assert_string_equal(v.cell[2], text.data);
        smc_buf_deinit(&raw);
        smc_buf_deinit(&text);
    }
    assert_int_equal(6, cases);
}

/* ---- keys made here ------------------------------------------------------------------------- */

static char *bio_text(BIO *bio)
{
    char *data = NULL;
    long n = BIO_get_mem_data(bio, &data);
    char *text = strndup(data, (size_t)n);

    assert_non_null(text);
    (void)BIO_free(bio);
    return text;
}

static char *pem_private(EVP_PKEY *pkey, const EVP_CIPHER *cipher)
{
    BIO *bio = BIO_new(BIO_s_mem());

    assert_int_equal(1, PEM_write_bio_PKCS8PrivateKey(bio, pkey, cipher, cipher ? "pass" : NULL,
                                                      cipher ? 4 : 0, NULL, NULL));
    return bio_text(bio);
}

static char *pem_public(EVP_PKEY *pkey)
{
    BIO *bio = BIO_new(BIO_s_mem());

    assert_int_equal(1, PEM_write_bio_PUBKEY(bio, pkey));
    return bio_text(bio);
}

static void a_new_rsa_key_signs_what_its_public_key_accepts(void **state)
{
    EVP_PKEY *pkey = EVP_RSA_gen(2048);
    char *pem = pem_private(pkey, NULL);
    char *public_pem = pem_public(pkey);
    smc_sign_key_t *mine = key_of(SMC_SIGN_RSA, pem);
    smc_sign_key_t *theirs = key_of(SMC_SIGN_RSA, public_pem);
    smc_buf_t out = {0};

    (void)state;
    for (size_t n = 2; n < sizeof(payload); n += 7) {
        smc_buf_clear(&out);
        assert_int_equal(SMC_OK, smc_sign(mine, payload, n, &out, NULL));
        assert_int_equal(344, out.len);
        checks(theirs, payload, n, out.data);
    }
    smc_buf_deinit(&out);
    smc_sign_key_free(mine);
    smc_sign_key_free(theirs);
    free(pem);
    free(public_pem);
    EVP_PKEY_free(pkey);
}

static void refuses_key(smc_sign_kind_t kind, const char *material, smc_code_t want)
{
    smc_sign_key_t *key = NULL;
    smc_error_t err = {0};

    assert_int_equal(want, smc_sign_key_new(kind, material, strlen(material), &key, &err));
    assert_int_equal(want, err.code);
    assert_true(strlen(err.detail) > 0);
    assert_null(key);
}

static void a_key_of_another_kind_is_refused(void **state)
{
    EVP_PKEY *ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    EVP_PKEY *ec = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    char *ed_pem = pem_private(ed, NULL);
    char *ec_pem = pem_private(ec, NULL);
    char *locked = pem_private(ed, EVP_aes_128_cbc());
    smc_sign_kind_t kind;

    (void)state;
    refuses_key(SMC_SIGN_RSA, ed_pem, SMC_EKEY);
    refuses_key(SMC_SIGN_ED25519, ec_pem, SMC_EKEY);
    refuses_key(SMC_SIGN_ED25519, locked, SMC_EKEY);
    refuses_key(SMC_SIGN_RSA, "NhqPtmdSJYdKjVHj", SMC_EKEY);
    refuses_key(SMC_SIGN_RSA, "-----BEGIN PRIVATE KEY-----\n!\n-----END PRIVATE KEY-----\n",
                SMC_EKEY);
    refuses_key(SMC_SIGN_HMAC, "", SMC_EINVAL);
    refuses_key(SMC_SIGN_RSA, "", SMC_EINVAL);
    assert_int_equal(SMC_EKEY, smc_sign_detect(ec_pem, strlen(ec_pem), &kind, NULL));
    assert_int_equal(SMC_EKEY, smc_sign_detect(locked, strlen(locked), &kind, NULL));
    assert_int_equal(SMC_EINVAL, smc_sign_detect("", 0, &kind, NULL));
    free(ed_pem);
    free(ec_pem);
    free(locked);
    EVP_PKEY_free(ed);
    EVP_PKEY_free(ec);
}

static void detects(const char *material, smc_sign_kind_t want)
{
    smc_sign_kind_t kind = SMC_SIGN_HMAC;
    smc_error_t err = {0};

    if (smc_sign_detect(material, strlen(material), &kind, &err) != SMC_OK)
        fail_msg("%s: %s", err.op, err.detail);
    assert_int_equal(want, kind);
}

static void the_kind_is_told_from_the_key(void **state)
{
    EVP_PKEY *ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    EVP_PKEY *rsa = EVP_RSA_gen(1024);
    char *texts[] = {pem_private(ed, NULL), pem_public(ed), pem_private(rsa, NULL),
                     pem_public(rsa)};

    (void)state;
    detects("NhqPtmdSJYdKjVHj", SMC_SIGN_HMAC);
    for (size_t i = 0; i < 4; i++) {
        detects(texts[i], i < 2 ? SMC_SIGN_ED25519 : SMC_SIGN_RSA);
        free(texts[i]);
    }
    EVP_PKEY_free(ed);
    EVP_PKEY_free(rsa);
}

static void a_public_key_cannot_sign(void **state)
{
    EVP_PKEY *ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    char *pem = pem_public(ed);
    smc_sign_key_t *key = key_of(SMC_SIGN_ED25519, pem);
    smc_buf_t out = {0};
    smc_error_t err = {0};

    (void)state;
    assert_int_equal(SMC_EKEY, smc_sign(key, "x", 1, &out, &err));
    assert_string_equal("a public key cannot sign", err.detail);
    assert_false(smc_sign_key_is_private(key));
    assert_int_equal(0, out.len);
    smc_sign_key_free(key);
    free(pem);
    EVP_PKEY_free(ed);
}

static void another_key_does_not_verify(void **state)
{
    smc_sign_key_t *a = key_of(SMC_SIGN_HMAC, "secret-a");
    smc_sign_key_t *b = key_of(SMC_SIGN_HMAC, "secret-b");
    smc_buf_t out = {0};

    (void)state;
    assert_int_equal(SMC_OK, smc_sign(a, payload, strlen(payload), &out, NULL));
    assert_true(smc_verify(a, payload, strlen(payload), out.data, out.len));
    assert_false(smc_verify(b, payload, strlen(payload), out.data, out.len));
    assert_int_equal(SMC_OK, smc_buf_puts(&out, "00"));
    assert_false(smc_verify(a, payload, strlen(payload), out.data, out.len));
    smc_buf_deinit(&out);
    smc_sign_key_free(a);
    smc_sign_key_free(b);
}

/* HMAC-SHA256 of nothing under "key": a context that is used again carries nothing over. */
static void an_empty_payload_signs_alike_each_time(void **state)
{
    static const char want[] = "5d5d139563c95b5967b9bd9a8c9b233a9dedb45072794cd232dc1b74832607d0";
    smc_sign_key_t *key = key_of(SMC_SIGN_HMAC, "key");

    (void)state;
    for (int i = 0; i < 3; i++) {
        signs(key, "", 0, want);
        assert_false(smc_verify(key, "x", 1, want, 64));
    }
    smc_sign_key_free(key);
}

static void kinds_have_names(void **state)
{
    smc_sign_kind_t kind = SMC_SIGN_HMAC;

    (void)state;
    assert_true(smc_sign_kind_from("ed25519", &kind));
    assert_int_equal(SMC_SIGN_ED25519, kind);
    assert_string_equal("rsa", smc_sign_kind_text(SMC_SIGN_RSA));
    assert_false(smc_sign_kind_from("RSA", &kind));
    assert_int_equal(SMC_SIGN_ED25519, kind);
    smc_sign_key_free(NULL);
}

/* ---- preloading ------------------------------------------------------------------------------ */

static size_t allocations; /* of OpenSSL */

static void *count_malloc(size_t n, const char *file, int line)
{
    (void)file;
    (void)line;
    allocations++;
    return malloc(n);
}

static void *count_realloc(void *p, size_t n, const char *file, int line)
{
    (void)file;
    (void)line;
    allocations++;
    return realloc(p, n);
}

static void count_free(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    free(p);
}

static void signs_once(void)
{
    smc_sign_key_t *key = key_of(SMC_SIGN_HMAC, "secret");
    smc_buf_t out = {0};

    assert_int_equal(SMC_OK, smc_sign(key, payload, strlen(payload), &out, NULL));
    smc_buf_deinit(&out);
    smc_sign_key_free(key);
}

/* The first test: any key loads it. */
static void a_first_key_after_preloading_loads_nothing(void **state)
{
    size_t loading, first, next;

    (void)state;
    allocations = 0;
    smc_sign_preload();
    loading = allocations;
    signs_once();
    first = allocations - loading;
    signs_once();
    next = allocations - loading - first;
    assert_int_equal(next, first);
    assert_true(next * 20 < loading);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_first_key_after_preloading_loads_nothing),
        cmocka_unit_test(hmac_meets_every_published_vector),
        cmocka_unit_test(ed25519_meets_every_published_vector),
        cmocka_unit_test(rsa_meets_what_openssl_dgst_signed),
        cmocka_unit_test(published_signatures_decode_and_percent_encode),
        cmocka_unit_test(a_new_rsa_key_signs_what_its_public_key_accepts),
        cmocka_unit_test(a_key_of_another_kind_is_refused),
        cmocka_unit_test(the_kind_is_told_from_the_key),
        cmocka_unit_test(a_public_key_cannot_sign),
        cmocka_unit_test(another_key_does_not_verify),
        cmocka_unit_test(an_empty_payload_signs_alike_each_time),
        cmocka_unit_test(kinds_have_names),
    };
    if (CRYPTO_set_mem_functions(count_malloc, count_realloc, count_free) != 1)
        return 1; /* it has allocated already */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
