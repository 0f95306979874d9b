/* Certificates: the client trusts nobody by default whom the system does not, and with ca_pem exactly those in it.
 *
 * The server is a child process with a blocking OpenSSL and a certificate that it has just made for 127.0.0.1. */
#include "smc/clock.h"
#include "smc/http.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct world {
    smc_loop_t *loop;
    pid_t server;
    unsigned port;
    char *pem;
    size_t pem_len;
} world_t;

/* ---- the server --------------------------------------------------------- */

static X509 *make_cert(EVP_PKEY *key)
{
    X509 *cert = X509_new();
    X509_NAME *name = X509_get_subject_name(cert);
    X509_EXTENSION *san = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "IP:127.0.0.1");
    X509_EXTENSION *ca = X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "CA:TRUE");

    assert_non_null(san);
    assert_non_null(ca);
    (void)X509_set_version(cert, 2);
    (void)ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    (void)X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    (void)X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    (void)X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"test", -1,
                                     -1, 0);
    (void)X509_set_issuer_name(cert, name);
    (void)X509_set_pubkey(cert, key);
    (void)X509_add_ext(cert, san, -1);
    (void)X509_add_ext(cert, ca, -1);
    X509_EXTENSION_free(san);
    X509_EXTENSION_free(ca);
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    return cert;
}

static void serve_one(SSL *ssl)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret";
    char request[4096];

    if (SSL_accept(ssl) != 1)
        return;
    while (SSL_read(ssl, request, sizeof(request)) > 0)
        (void)SSL_write(ssl, answer, sizeof(answer) - 1);
}

static void serve(int listener, EVP_PKEY *key, X509 *cert)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)SSL_CTX_use_certificate(ctx, cert);
    (void)SSL_CTX_use_PrivateKey(ctx, key);
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        SSL *ssl = SSL_new(ctx);
        (void)SSL_set_fd(ssl, fd);
        /* One process a connection: a kept one must not block the next. */
        if (fork() == 0) {
            (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
            serve_one(ssl);
            _exit(0);
        }
        SSL_free(ssl);
        (void)close(fd);
    }
}

static int open_world(void **state)
{
    world_t *w = calloc(1, sizeof(*w));
    struct sockaddr_in addr = {.sin_family = AF_INET};
    socklen_t size = sizeof(addr);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = make_cert(key);
    BIO *out = BIO_new(BIO_s_mem());
    char *pem = NULL;

    assert_non_null(w);
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(0, bind(listener, (const struct sockaddr *)&addr, size));
    assert_int_equal(0, listen(listener, 16));
    assert_int_equal(0, getsockname(listener, (struct sockaddr *)&addr, &size));
    w->port = ntohs(addr.sin_port);
    assert_int_equal(1, PEM_write_bio_X509(out, cert));
    w->pem_len = (size_t)BIO_get_mem_data(out, &pem);
    w->pem = strndup(pem, w->pem_len);
    w->server = fork();
    if (w->server == 0)
        serve(listener, key, cert);
    (void)close(listener);
    BIO_free(out);
    X509_free(cert);
    EVP_PKEY_free(key);
    smc_clock_set_real();
    assert_int_equal(SMC_OK, smc_loop_open(&w->loop, NULL));
    *state = w;
    return 0;
}

static int close_world(void **state)
{
    world_t *w = *state;

    smc_loop_close(w->loop);
    (void)kill(w->server, SIGKILL);
    (void)waitpid(w->server, NULL, 0);
    free(w->pem);
    free(w);
    return 0;
}

/* ---- the tests ---------------------------------------------------------- */

static void on_done(void *ud, smc_http_reply_t *reply)
{
    *(smc_http_reply_t **)ud = reply;
}

static void check(world_t *w, const char *host, bool trusted, smc_code_t want)
{
    char url[64];
    smc_http_reply_t *reply = NULL;
    smc_http_call_t *call = NULL;
    smc_http_request_t req = {.method = "GET",
                              .url = url,
                              .timeout_ms = 30000,
                              .ca_pem = trusted ? w->pem : NULL,
                              .ca_pem_len = trusted ? w->pem_len : 0};

    (void)snprintf(url, sizeof(url), "https://%s:%u/", host, w->port);
    assert_int_equal(SMC_OK, smc_http_start(w->loop, &req, on_done, &reply, &call, NULL));
    while (reply == NULL)
        (void)smc_loop_turn(w->loop, true);
    if (reply->err.code != want)
        fail_msg("%s instead of %s: %s", smc_code_text(reply->err.code), smc_code_text(want),
                 reply->err.detail);
    assert_int_equal(want == SMC_OK, reply->sent);
    if (want == SMC_OK)
        assert_string_equal("secret", reply->body);
    smc_http_reply_free(reply);
}

static void a_certificate_that_nobody_vouches_for_is_refused(void **state)
{
    check(*state, "127.0.0.1", false, SMC_ETLS);
}

static void a_given_certificate_is_trusted(void **state)
{
    check(*state, "127.0.0.1", true, SMC_OK);
    check(*state, "127.0.0.1", true, SMC_OK);
    assert_int_equal(1, smc_http_open_sockets(((world_t *)*state)->loop));
}

static void trust_does_not_outlive_its_request(void **state)
{
    check(*state, "127.0.0.1", true, SMC_OK);
    check(*state, "127.0.0.1", false, SMC_ETLS);
    check(*state, "127.0.0.1", true, SMC_OK);
}

static void the_certificate_must_name_the_host(void **state)
{
    check(*state, "localhost", true, SMC_ETLS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_certificate_that_nobody_vouches_for_is_refused,
                                        open_world, close_world),
        cmocka_unit_test_setup_teardown(a_given_certificate_is_trusted, open_world, close_world),
        cmocka_unit_test_setup_teardown(trust_does_not_outlive_its_request, open_world,
                                        close_world),
        cmocka_unit_test_setup_teardown(the_certificate_must_name_the_host, open_world,
                                        close_world),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
