/* The server's TLS, met by a bare OpenSSL client that sees what a library would hide. */
#include "server_fixture.h"

#include "smc/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#define REQUEST "GET /one HTTP/1.1\r\nHost: a\r\n\r\n"

typedef struct secure {
    client_t raw;
    SSL_CTX *context;
    SSL *ssl;
    BIO *in, *out; /* of ssl, in memory */
    smc_buf_t got; /* plaintext */
    bool ended;    /* the server said that nothing more will come */
    bool failed;
} secure_t;

/* ---- client -------------------------------------------------------------- */

static secure_t dial_secure(fixture_t *f)
{
    secure_t c = {.raw = dial(f)};

    c.context = SSL_CTX_new(TLS_client_method());
    assert_non_null(c.context);
    /* TLS 1.1 must be possible here, so that its refusal is the server's. */
    SSL_CTX_set_security_level(c.context, 0);
    assert_int_equal(1, SSL_CTX_set_min_proto_version(c.context, TLS1_VERSION));
    c.ssl = SSL_new(c.context);
    c.in = BIO_new(BIO_s_mem());
    c.out = BIO_new(BIO_s_mem());
    SSL_set_bio(c.ssl, c.in, c.out);
    SSL_set_connect_state(c.ssl);
    (void)smc_buf_puts(&c.got, "");
    return c;
}

static void hang_up_secure(secure_t *c)
{
    hang_up(&c->raw);
    SSL_free(c->ssl);
    SSL_CTX_free(c->context);
    smc_buf_deinit(&c->got);
    ERR_clear_error();
}

/* Sends what OpenSSL has to say, `slice` bytes at a time with turns of the loop between them. */
static void send_output(fixture_t *f, secure_t *c, size_t slice)
{
    char bytes[4096];
    size_t n = 0;

    while (BIO_read_ex(c->out, bytes, slice < sizeof(bytes) ? slice : sizeof(bytes), &n) == 1) {
        say_n(f, &c->raw, bytes, n);
        turns(f, 2);
    }
}

static void take_input(secure_t *c)
{
    char piece[16384];
    size_t n = 0;
    int why;

    listen_once(&c->raw);
    if (c->raw.got.len > 0)
        (void)BIO_write(c->in, c->raw.got.data, (int)c->raw.got.len);
    smc_buf_clear(&c->raw.got);
    ERR_clear_error();
    while (SSL_read_ex(c->ssl, piece, sizeof(piece), &n) == 1)
        (void)smc_buf_append(&c->got, piece, n);
    why = SSL_get_error(c->ssl, 0);
    c->ended |= why == SSL_ERROR_ZERO_RETURN;
    c->failed |= why == SSL_ERROR_SSL;
}

#define STEP_UNTIL(f, c, slice, condition)                                              \
    do {                                                                                \
        int64_t end_ns_ = smc_clock_real_ns() + REAL_PATIENCE_NS;                       \
        while (!(condition)) {                                                          \
            send_output((f), (c), (slice));                                             \
            turns((f), 1);                                                              \
            take_input(c);                                                              \
            if (smc_clock_real_ns() > end_ns_)                                          \
                fail_msg("waited in vain for " #condition ", got '%s'", (c)->got.data); \
        }                                                                               \
    } while (0)

static void shake_hands(fixture_t *f, secure_t *c)
{
    STEP_UNTIL(f, c, 4096, SSL_is_init_finished(c->ssl) || c->failed);
}

static void say_secure(secure_t *c, const char *text)
{
    size_t n = 0;

    assert_int_equal(1, SSL_write_ex(c->ssl, text, strlen(text), &n));
}

static size_t count(const smc_buf_t *text, const char *what)
{
    size_t n = 0;

    for (const char *p = text->data; (p = strstr(p, what)) != NULL; p++)
        n++;
    return n;
}

/* Answers twenty million bytes. */
enum { LARGE = 20000000 };

static void answer_large(void *ud, smc_exchange_t *ex)
{
    char *body = malloc(LARGE);

    (void)ud;
    assert_non_null(body);
    memset(body, 'x', LARGE);
    assert_int_equal(SMC_OK, smc_exchange_reply(ex, 200, NULL, 0, body, LARGE));
    smc_exchange_release(ex);
    free(body);
}

/* ---- the tests ----------------------------------------------------------- */

static void bytes_may_come_one_by_one(void **state)
{
    fixture_t *f = *state;
    secure_t c;

    f->conf.tls = SMC_TLS_ON;
    serve(f, echo);
    c = dial_secure(f);
    STEP_UNTIL(f, &c, 1, SSL_is_init_finished(c.ssl));
    say_secure(&c, REQUEST);
    STEP_UNTIL(f, &c, 1, strstr(c.got.data, "GET /one ") != NULL);
    hang_up_secure(&c);
    await_connections(f, 0);
}

static void records_and_requests_need_not_agree(void **state)
{
    fixture_t *f = *state;
    secure_t c;

    f->conf.tls = SMC_TLS_ON;
    serve(f, echo);
    c = dial_secure(f);
    shake_hands(f, &c);
    say_secure(&c, REQUEST REQUEST REQUEST "GET /t");
    say_secure(&c, "wo HTT");
    say_secure(&c, "P/1.1\r\nHost: a\r\n\r\n");
    STEP_UNTIL(f, &c, 4096, strstr(c.got.data, "GET /two ") != NULL);
    assert_int_equal(3, count(&c.got, "GET /one "));
    hang_up_secure(&c);
}

static void only_tls_1_2_and_1_3_are_spoken(void **state)
{
    static const int versions[] = {TLS1_3_VERSION, TLS1_2_VERSION, TLS1_1_VERSION};
    fixture_t *f = *state;

    f->conf.tls = SMC_TLS_ON;
    serve(f, echo);
    for (size_t i = 0; i < 3; i++) {
        secure_t c = dial_secure(f);
        assert_int_equal(1, SSL_set_max_proto_version(c.ssl, versions[i]));
        shake_hands(f, &c);
        assert_int_equal(i == 2, c.failed);
        if (i < 2)
            assert_int_equal(versions[i], SSL_version(c.ssl));
        hang_up_secure(&c);
        await_connections(f, 0);
    }
}

static void http_1_1_is_the_only_protocol(void **state)
{
    static const struct {
        const char *offer;
        bool good;
    } cases[] = {
        {"\x08http/1.1", true}, {"\x02h2\x08http/1.1", true}, {"\x02h2", false}, {"", true}};
    fixture_t *f = *state;

    f->conf.tls = SMC_TLS_ON;
    serve(f, echo);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        secure_t c = dial_secure(f);
        const unsigned char *chosen = NULL;
        unsigned n = (unsigned)strlen(cases[i].offer);
        assert_int_equal(0, SSL_set_alpn_protos(c.ssl, (const unsigned char *)cases[i].offer, n));
        shake_hands(f, &c);
        assert_int_equal(!cases[i].good, c.failed);
        SSL_get0_alpn_selected(c.ssl, &chosen, &n);
        assert_int_equal(cases[i].good && cases[i].offer[0] != '\0' ? 8 : 0, n);
        if (n > 0)
            assert_memory_equal("http/1.1", chosen, 8);
        hang_up_secure(&c);
        await_connections(f, 0);
    }
}

static void check_no_session(fixture_t *f, int version)
{
    secure_t c = dial_secure(f);

    assert_int_equal(1, SSL_set_max_proto_version(c.ssl, version));
    shake_hands(f, &c);
    say_secure(&c, REQUEST);
    STEP_UNTIL(f, &c, 4096, strstr(c.got.data, "GET /one ") != NULL);
    assert_int_equal(0, SSL_SESSION_has_ticket(SSL_get0_session(c.ssl)));
    assert_int_equal(0, SSL_SESSION_is_resumable(SSL_get0_session(c.ssl)));
    hang_up_secure(&c);
}

static void no_session_can_be_resumed(void **state)
{
    fixture_t *f = *state;

    f->conf.tls = SMC_TLS_ON;
    serve(f, echo);
    check_no_session(f, TLS1_3_VERSION);
    check_no_session(f, TLS1_2_VERSION);
}

static void both_sides_can_end_in_good_order(void **state)
{
    fixture_t *f = *state;
    secure_t c;

    f->conf.tls = SMC_TLS_ON;
    serve(f, echo);
    c = dial_secure(f);
    shake_hands(f, &c);
    say_secure(&c, "GET /one HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    STEP_UNTIL(f, &c, 4096, c.ended);
    assert_non_null(strstr(c.got.data, "GET /one "));
    hang_up_secure(&c);
    await_connections(f, 0);

    c = dial_secure(f);
    shake_hands(f, &c);
    say_secure(&c, REQUEST);
    (void)SSL_shutdown(c.ssl); /* the answer goes out first */
    send_output(f, &c, 4096);
    hear(f, &c.raw, NULL);
    take_input(&c);
    assert_non_null(strstr(c.got.data, "GET /one "));
    assert_int_equal(0, smc_server_connections(f->server));
    hang_up_secure(&c);
}

static void a_broken_record_ends_the_connection(void **state)
{
    fixture_t *f = *state;
    secure_t c;

    f->conf.tls = SMC_TLS_ON;
    serve(f, hold);
    c = dial_secure(f);
    shake_hands(f, &c);
    say_secure(&c, REQUEST);
    send_output(f, &c, 4096);
    await(f, &f->n_held, 1);
    say_n(f, &c.raw,
          "\x17\x03\x03\x00\x20"
          "0123456789abcdef0123456789abcdef",
          37);
    await(f, &f->n_gone, 1);
    STEP_UNTIL(f, &c, 4096, c.failed); /* an alert says why */
    hang_up_secure(&c);
}

static void a_slow_reader_gets_it_all(void **state)
{
    fixture_t *f = *state;
    secure_t c;

    f->conf.tls = SMC_TLS_ON;
    serve(f, answer_large);
    c = dial_secure(f);
    shake_hands(f, &c);
    say_secure(&c, REQUEST);
    send_output(f, &c, 4096);
    turns(f, 50);
    assert_int_equal(1, smc_server_connections(f->server));
    STEP_UNTIL(f, &c, 4096, c.got.len > LARGE);
    assert_int_equal(LARGE, strspn(strstr(c.got.data, "\r\n\r\n") + 4, "x"));
    hang_up_secure(&c);
}

static void a_reader_that_never_reads_is_reset(void **state)
{
    fixture_t *f = *state;
    secure_t c;

    f->conf.tls = SMC_TLS_ON;
    f->conf.max_queue_bytes = 1000000;
    serve(f, answer_large);
    c = dial_secure(f);
    shake_hands(f, &c);
    say_secure(&c, REQUEST);
    send_output(f, &c, 4096);
    await_connections(f, 0);
    hang_up_secure(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(bytes_may_come_one_by_one),           BOTH(records_and_requests_need_not_agree),
        BOTH(only_tls_1_2_and_1_3_are_spoken),     BOTH(http_1_1_is_the_only_protocol),
        BOTH(no_session_can_be_resumed),           BOTH(both_sides_can_end_in_good_order),
        BOTH(a_broken_record_ends_the_connection), BOTH(a_slow_reader_gets_it_all),
        BOTH(a_reader_that_never_reads_is_reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
