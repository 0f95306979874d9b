/* Servers that speak TLS, met by our own clients: whom they trust, what they carry, how they fail. */
#include "tls_world.h"

#include "net/sha1_priv.h"
#include "net/tls_priv.h"
#include "smc/text.h"

#define YEAR_NS (INT64_C(365) * 86400 * 1000000000)

/* ---- what is carried ----------------------------------------------------- */

static void a_request_is_answered_and_its_connection_kept(void **state)
{
    fixture_t *f = *state;

    serve_tls(f, SMC_TLS_ON);
    check_reply(get(f), "GET /t?a=%2B ", true);
    check_reply(get(f), "GET /t?a=%2B ", false);
    assert_int_equal(1, smc_server_connections(f->server));
    check_reply(request(f, "https://localhost", (smc_http_request_t){.ca_pem = ca_of(f)}),
                "GET /t?a=%2B ", true);
}

static char *pattern(size_t n)
{
    char *bytes = malloc(n);

    assert_non_null(bytes);
    for (size_t i = 0; i < n; i++)
        bytes[i] = (char)(i * 2654435761u >> 11);
    return bytes;
}

static void a_mebibyte_goes_both_ways(void **state)
{
    fixture_t *f = *state;
    static const char head[] = "POST /t?a=%2B ";
    char *body = pattern(MIB);
    smc_http_request_t req = {.method = "POST", .body = body, .body_len = MIB};

    serve_tls(f, SMC_TLS_ON);
    req.ca_pem = ca_of(f);
    for (int i = 0; i < 2; i++) {
        smc_http_reply_t *reply = request(f, "https://127.0.0.1", req);
        assert_int_equal(SMC_OK, reply->err.code);
        assert_int_equal(sizeof(head) - 1 + MIB, reply->body_len);
        assert_memory_equal(body, reply->body + sizeof(head) - 1, MIB);
        smc_http_reply_free(reply);
    }
    free(body);
}

static void a_websocket_echoes(void **state)
{
    fixture_t *f = *state;
    talker_t t = {0};
    char *big = pattern(MIB);

    serve_tls(f, SMC_TLS_ON);
    talk(f, &t);
    assert_int_equal(SMC_OK, smc_ws_send(t.ws, "hello", 5, false, NULL));
    UNTIL(f, t.n_messages == 1);
    assert_string_equal("hello", t.last.data);
    assert_int_equal(SMC_OK, smc_ws_send(t.ws, big, MIB, true, NULL));
    UNTIL(f, t.n_messages == 2);
    assert_int_equal(MIB, t.last.len);
    assert_memory_equal(big, t.last.data, MIB);
    /* Many small ones: several in one record, and more records than one read takes. */
    for (int i = 0; i < 3000; i++)
        assert_int_equal(SMC_OK, smc_ws_send(t.ws, "tick", 4, false, NULL));
    UNTIL(f, t.n_messages == 3002);
    assert_int_equal(SMC_OK, smc_ws_close(t.ws, 1000, "bye", 3, NULL));
    await_gone(f, &t);
    assert_int_equal(1000, t.code);
    assert_int_equal(SMC_OK, t.err.code);
    talker_deinit(&t);
    free(big);
}

static void certificates_outlast_a_long_scenario(void **state)
{
    fixture_t *f = *state;
    talker_t t = {0};

    serve_tls(f, SMC_TLS_ON);
    (void)ca_of(f);
    smc_clock_advance_ns(15 * YEAR_NS);
    check_reply(get(f), "GET /t?a=%2B ", true);
    talk(f, &t);
    talker_deinit(&t);
}

/* ---- who is trusted ------------------------------------------------------ */

static void each_wrong_certificate_is_refused_with_its_reason(void **state)
{
    static const struct {
        unsigned flags;
        bool trusted;
        const char *http, *ws;
    } cases[] = {
        {SMC_TLS_EXPIRED, true, "certificate has expired", "certificate has expired"},
        {SMC_TLS_WRONG_HOST, true,
         "no alternative certificate subject name matches target host name '127.0.0.1'",
         "IP address mismatch"},
        {SMC_TLS_WRONG_AUTHORITY, true, "unable to get local issuer certificate",
         "unable to get local issuer certificate"},
        {SMC_TLS_WRONG_AUTHORITY | SMC_TLS_EXPIRED, true, "unable to get local issuer certificate",
         "unable to get local issuer certificate"},
        {SMC_TLS_ON, false, "unable to get local issuer certificate",
         "unable to get local issuer certificate"},
    };
    fixture_t *f = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *ca = cases[i].trusted ? ca_of(f) : NULL;
        talker_t t = {0};
        serve_tls(f, cases[i].flags);
        check_failure(request(f, "https://127.0.0.1", (smc_http_request_t){.ca_pem = ca}), SMC_ETLS,
                      false, cases[i].http);
        start_talk(f, &t, "wss://127.0.0.1", ca);
        check_not_connected(f, &t, SMC_ETLS, cases[i].ws);
        assert_int_equal(0, f->n_held);
        await_connections(f, 0);
        stop(f);
    }
}

static void trust_in_one_authority_is_not_trust_in_another(void **state)
{
    fixture_t *f = *state;
    smc_loop_t *other = NULL;
    talker_t t = {0}, u = {0};
    const char *pem = NULL;
    size_t n = 0;

    serve_tls(f, SMC_TLS_ON);
    talk(f, &t); /* trusts the right one first */
    assert_int_equal(SMC_OK, smc_loop_open(&other, NULL));
    assert_int_equal(SMC_OK, smc_tls_ca(other, &pem, &n, NULL));
    start_talk(f, &u, "wss://127.0.0.1", pem);
    check_not_connected(f, &u, SMC_ETLS, "certificate");
    check_failure(request(f, "https://127.0.0.1", (smc_http_request_t){.ca_pem = pem}), SMC_ETLS,
                  false, "certificate");
    talk(f, &u);
    smc_loop_close(other);
    talker_deinit(&t);
    talker_deinit(&u);
}

static void what_is_no_certificate_is_wrong_use(void **state)
{
    fixture_t *f = *state;
    smc_ws_conf_t conf = {.url = "wss://127.0.0.1:1/", .on = {.on_close = on_close}};
    const char *ca = ca_of(f);
    smc_error_t err = {0};
    smc_ws_t *ws = NULL;
    char two[4096];

    conf.ca_pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    conf.ca_pem_len = strlen(conf.ca_pem);
    assert_int_equal(SMC_EINVAL, smc_ws_open(f->loop, &conf, &ws, &err));
    assert_non_null(strstr(err.detail, "one certificate in PEM"));
    (void)snprintf(two, sizeof(two), "%s%s", ca, ca);
    conf.ca_pem = two;
    conf.ca_pem_len = strlen(two);
    assert_int_equal(SMC_EINVAL, smc_ws_open(f->loop, &conf, &ws, &err));
    f->conf.on_request = echo_any;
    f->conf.tls = 2 * SMC_TLS_WRONG_AUTHORITY;
    assert_int_equal(SMC_EINVAL, smc_server_open(f->loop, &f->conf, &f->server, &err));
    assert_non_null(strstr(err.detail, "unknown TLS flags"));
}

/* ---- when only one side speaks it ---------------------------------------- */

static void a_plaintext_client_is_turned_away(void **state)
{
    fixture_t *f = *state;
    talker_t t = {0};

    serve_tls(f, SMC_TLS_ON);
    check_failure(request(f, "http://127.0.0.1", (smc_http_request_t){0}), SMC_ERESET, true, "");
    start_talk(f, &t, "ws://127.0.0.1", NULL);
    check_not_connected(f, &t, SMC_ERESET, "ended the connection during the upgrade");
    assert_int_equal(0, f->n_held);
    await_connections(f, 0);
}

static void a_client_that_wants_tls_is_told_that_there_is_none(void **state)
{
    fixture_t *f = *state;
    talker_t t = {0};

    serve_tls(f, 0);
    check_failure(get(f), SMC_ETLS, false, "wrong version number");
    start_talk(f, &t, "wss://127.0.0.1", ca_of(f));
    check_not_connected(f, &t, SMC_ETLS, "does its server speak it?");
    assert_int_equal(0, f->n_held);
    await_connections(f, 0);
}

/* ---- faults -------------------------------------------------------------- */

static void a_muted_server_does_not_even_shake_hands(void **state)
{
    fixture_t *f = *state;
    smc_http_reply_t *reply = NULL;

    serve_tls(f, SMC_TLS_ON);
    smc_server_mute(f->server, true);
    check_failure(
        request(f, "https://127.0.0.1", (smc_http_request_t){.ca_pem = ca_of(f), .timeout_ms = 50}),
        SMC_ETIMEDOUT, false, "");
    start_request(f, "https://127.0.0.1", (smc_http_request_t){.ca_pem = ca_of(f)}, &reply);
    turns(f, 50);
    assert_null(reply);
    smc_server_mute(f->server, false);
    finish_request(f, &reply);
    check_reply(reply, "GET /t?a=%2B ", true);
}

/* Starts a request and waits until the server holds it. */
static smc_exchange_t *held_request(fixture_t *f, smc_http_reply_t **reply)
{
    size_t before = f->n_held;

    *reply = NULL;
    start_request(f, "https://127.0.0.1", (smc_http_request_t){.ca_pem = ca_of(f)}, reply);
    await(f, &f->n_held, before + 1);
    return f->held[before];
}

static void an_answer_can_be_muted_reset_raw_and_cut(void **state)
{
    fixture_t *f = *state;
    smc_server_field_t ten = FIELD("Content-Length", "10");
    smc_http_reply_t *reply;
    smc_exchange_t *ex;

    f->conf.tls = SMC_TLS_ON;
    serve(f, hold);
    ex = held_request(f, &reply);
    smc_server_mute(f->server, true);
    assert_int_equal(SMC_OK, smc_exchange_reply(ex, 200, NULL, 0, "late", 4));
    turns(f, 50);
    assert_null(reply);
    smc_server_mute(f->server, false);
    finish_request(f, &reply);
    check_reply(reply, "late", true);

    assert_int_equal(SMC_OK, smc_exchange_reset(held_request(f, &reply)));
    finish_request(f, &reply);
    check_failure(reply, SMC_ERESET, true, "");

    /* On a new connection, with a part of the answer on its way. */
    ex = held_request(f, &reply);
    assert_int_equal(SMC_OK, smc_exchange_start(ex, 200, &ten, 1));
    assert_int_equal(SMC_OK, smc_exchange_write(ex, "half", 4));
    assert_int_equal(SMC_OK, smc_exchange_reset(ex));
    finish_request(f, &reply);
    check_failure(reply, SMC_ERESET, true, "");

    ex = held_request(f, &reply);
    assert_int_equal(SMC_OK, smc_exchange_raw(ex, "HTTP/1.1 abc\r\n\r\n", 16));
    assert_int_equal(SMC_OK, smc_exchange_close(ex));
    finish_request(f, &reply);
    check_failure(reply, SMC_EPROTO, true, "");

    ex = held_request(f, &reply);
    assert_int_equal(SMC_OK, smc_exchange_start(ex, 200, &ten, 1));
    assert_int_equal(SMC_OK, smc_exchange_write(ex, "half", 4));
    assert_int_equal(SMC_OK, smc_exchange_close(ex));
    finish_request(f, &reply);
    check_failure(reply, SMC_ERESET, true, "");

    ex = held_request(f, &reply);
    assert_int_equal(SMC_OK, smc_exchange_raw(ex, "HTTP/1.1 200 OK\r\n\r\nto the end", 29));
    assert_int_equal(SMC_OK, smc_exchange_close(ex));
    finish_request(f, &reply);
    check_reply(reply, "to the end", true);
}

static void check_vanished(fixture_t *f, talker_t *t)
{
    await_gone(f, t);
    assert_int_equal(SMC_ERESET, t->err.code);
    assert_int_equal(1006, t->code);
    talker_deinit(t);
}

static void a_websocket_can_vanish(void **state)
{
    fixture_t *f = *state;
    talker_t t = {0};

    serve_tls(f, SMC_TLS_ON);
    talk(f, &t);
    assert_int_equal(SMC_OK, smc_peer_reset(f->peer));
    check_vanished(f, &t);
    talk(f, &t);
    assert_int_equal(SMC_OK, smc_peer_drop(f->peer));
    check_vanished(f, &t);
    talk(f, &t);
    smc_server_drop(f->server);
    check_vanished(f, &t);
}

/* A server that says the end in TLS and keeps its socket open, as one behind a proxy may. */
typedef struct bare {
    int fd;
    smc_tls_t *tls;
    smc_buf_t heard, wire;
} bare_t;

static void bare_step(fixture_t *f, bare_t *b, int listener)
{
    char bytes[4096];
    ssize_t n;

    (void)smc_loop_turn(f->loop, false);
    if (b->fd < 0)
        b->fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    n = b->fd < 0 ? 0 : recv(b->fd, bytes, sizeof(bytes), 0);
    if (n > 0)
        (void)smc_tls_read(b->tls, bytes, (size_t)n, &b->heard, &b->wire);
    if (b->wire.len > 0)
        assert_int_equal(b->wire.len, send(b->fd, b->wire.data, b->wire.len, MSG_NOSIGNAL));
    smc_buf_clear(&b->wire);
}

static void accept_upgrade(bare_t *b)
{
    uint8_t digest[SMC_SHA1_BYTES];
    smc_buf_t text = {0};
    const char *key = strstr(b->heard.data, "Sec-WebSocket-Key: ");

    assert_non_null(key);
    (void)smc_buf_printf(&text, "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key + 19);
    smc_sha1(text.data, text.len, digest);
    smc_buf_clear(&text);
    (void)smc_buf_puts(&text, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                              "Connection: Upgrade\r\nSec-WebSocket-Accept: ");
    (void)smc_base64_encode(digest, sizeof(digest), &text);
    (void)smc_buf_puts(&text, "\r\n\r\n");
    assert_true(smc_tls_write(b->tls, text.data, text.len, &b->wire));
    smc_buf_deinit(&text);
}

static void the_end_of_tls_is_the_end_of_the_connection(void **state)
{
    fixture_t *f = *state;
    const char *ca = ca_of(f);
    bare_t b = {.fd = -1};
    talker_t t = {0};
    smc_ws_conf_t conf = {.on = {.on_open = on_open, .on_close = on_close}, .ud = &t};
    char url[64];
    uint16_t port = 0;
    int listener = -1;

    assert_int_equal(SMC_OK, smc_loop_listen(f->loop, NULL, 0, &listener, &port, NULL));
    assert_int_equal(SMC_OK, smc_tls_prepare(f->loop, SMC_TLS_ON, NULL));
    b.tls = smc_tls_new(f->loop, SMC_TLS_ON);
    (void)snprintf(url, sizeof(url), "wss://127.0.0.1:%u/", (unsigned)port);
    conf.url = url;
    conf.ca_pem = ca;
    conf.ca_pem_len = strlen(ca);
    assert_int_equal(SMC_OK, smc_ws_open(f->loop, &conf, &t.ws, NULL));
    for (int i = 0; i < 1000 && (b.heard.len < 4 || strstr(b.heard.data, "\r\n\r\n") == NULL); i++)
        bare_step(f, &b, listener);
    accept_upgrade(&b);
    for (int i = 0; i < 1000 && !t.open; i++)
        bare_step(f, &b, listener);
    assert_true(t.open);
    smc_tls_end(b.tls, &b.wire);
    for (int i = 0; i < 1000 && t.ws != NULL; i++)
        bare_step(f, &b, listener);
    assert_int_equal(SMC_ERESET, t.err.code);
    talker_deinit(&t);
    smc_tls_free(b.tls);
    smc_buf_deinit(&b.heard);
    smc_buf_deinit(&b.wire);
    (void)close(b.fd);
    smc_loop_unlisten(f->loop, port);
    (void)close(listener);
}

/* ---- determinism --------------------------------------------------------- */

enum { TALKERS = 12, ROUNDS = 20 };

typedef struct asker {
    fixture_t *f;
    smc_buf_t *log;
    int id;
    bool done;
} asker_t;

static void log_reply(void *ud, smc_http_reply_t *reply)
{
    asker_t *a = ud;

    (void)smc_buf_printf(a->log, "%lld reply %d %s %zu\n",
                         (long long)(smc_clock_now_ns() / 1000000), a->id,
                         smc_code_text(reply->err.code), reply->body_len);
    a->done = true;
    smc_http_reply_free(reply);
}

typedef struct round {
    fixture_t *f;
    talker_t talkers[TALKERS];
    asker_t askers[TALKERS];
} round_t;

/* Every fourth talker trusts nobody. */
static void start_round(round_t *r, smc_buf_t *log)
{
    const char *ca = ca_of(r->f);
    char url[64];
    smc_http_request_t req = {.method = "GET", .url = url, .ca_pem = ca, .ca_pem_len = strlen(ca)};
    smc_http_call_t *call = NULL;

    (void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/",
                   (unsigned)smc_server_port(r->f->server));
    for (int i = 0; i < TALKERS; i++) {
        talker_t *t = &r->talkers[i];
        asker_t *a = &r->askers[i];
        t->log = log;
        t->id = i;
        start_talk(r->f, t, "wss://127.0.0.1", i % 4 == 3 ? NULL : ca);
        *a = (asker_t){r->f, log, i, false};
        assert_int_equal(SMC_OK, smc_http_start(r->f->loop, &req, log_reply, a, &call, NULL));
    }
}

static void say_twenty(talker_t *t)
{
    for (size_t n = 0; n < 20; n++)
        assert_int_equal(SMC_OK, smc_ws_send(t->ws, "01234567890123456789", n, false, NULL));
}

static void await_reply(const asker_t *a)
{
    UNTIL(a->f, a->done);
}

static void await_start(round_t *r)
{
    for (int i = 0; i < TALKERS; i++) {
        talker_t *t = &r->talkers[i];
        await_reply(&r->askers[i]);
        await_verdict(r->f, t);
        if (t->open)
            say_twenty(t);
    }
}

static void finish_round(round_t *r)
{
    for (int i = 0; i < TALKERS; i++)
        UNTIL(r->f, r->talkers[i].ws == NULL || r->talkers[i].n_messages == 20);
    for (int i = 0; i < TALKERS; i++)
        talker_deinit(&r->talkers[i]);
}

static void log_round(smc_buf_t *log)
{
    void *state = NULL;
    round_t r = {0};

    if (open_virtual(&state) != 0 || state == NULL) {
        fail();
        return;
    }
    r.f = state;
    serve_tls(r.f, SMC_TLS_ON);
    start_round(&r, log);
    await_start(&r);
    finish_round(&r);
    (void)close_tls(&state);
}

static void the_events_are_the_same_in_every_run(void **state)
{
    smc_buf_t first = {0};

    (void)state;
    log_round(&first);
    if (first.data == NULL) {
        fail();
        return;
    }
    assert_non_null(strstr(first.data, "message 19"));
    assert_non_null(strstr(first.data, "reply 11 ok"));
    assert_non_null(strstr(first.data, "#3 tls"));
    for (int i = 1; i < ROUNDS; i++) {
        smc_buf_t again = {0};
        log_round(&again);
        assert_string_equal(first.data, again.data);
        smc_buf_deinit(&again);
    }
    smc_buf_deinit(&first);
    smc_clock_set_real();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TLS_BOTH(a_request_is_answered_and_its_connection_kept),
        TLS_BOTH(a_mebibyte_goes_both_ways),
        TLS_BOTH(a_websocket_echoes),
        TLS_VIRTUAL(certificates_outlast_a_long_scenario),
        TLS_BOTH(each_wrong_certificate_is_refused_with_its_reason),
        TLS_BOTH(trust_in_one_authority_is_not_trust_in_another),
        TLS_VIRTUAL(what_is_no_certificate_is_wrong_use),
        TLS_BOTH(a_plaintext_client_is_turned_away),
        TLS_BOTH(a_client_that_wants_tls_is_told_that_there_is_none),
        TLS_BOTH(a_muted_server_does_not_even_shake_hands),
        TLS_BOTH(an_answer_can_be_muted_reset_raw_and_cut),
        TLS_BOTH(a_websocket_can_vanish),
        TLS_VIRTUAL(the_end_of_tls_is_the_end_of_the_connection),
        cmocka_unit_test(the_events_are_the_same_in_every_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
