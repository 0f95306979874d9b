/* tls_world.h - our own clients at a server that speaks TLS: what the tests of TLS share. */
#ifndef TLS_WORLD_H
#define TLS_WORLD_H

#include "server_fixture.h"

#include "smc/http.h"
#include "smc/tls.h"
#include "smc/ws.h"

#define MIB ((size_t)1 << 20)

typedef struct talker {
    fixture_t *f;
    smc_ws_t *ws; /* NULL once gone */
    bool open;
    smc_buf_t last; /* message */
    size_t n_messages;
    uint16_t code;
    smc_error_t err; /* of on_close */
    smc_buf_t *log;  /* may be NULL */
    int id;
} talker_t;

/* ---- server -------------------------------------------------------------- */

static inline void peer_echo(void *ud, smc_peer_t *peer, const char *data, size_t n, bool binary)
{
    (void)ud;
    (void)smc_peer_send(peer, data, n, binary);
}

/* Answers like echo(); a WebSocket echoes, too. */
static inline void echo_any(void *ud, smc_exchange_t *ex)
{
    static const smc_peer_callbacks_t callbacks = {.on_message = peer_echo};
    fixture_t *f = ud;

    f->n_held++; /* counts requests: none is held here */
    if (!smc_exchange_is_ws(ex)) {
        echo(ud, ex);
        return;
    }
    smc_peer_release(f->peer);
    assert_int_equal(SMC_OK, smc_exchange_accept_ws(ex, &callbacks, f, NULL, 0, &f->peer));
    smc_exchange_release(ex);
}

static inline int close_tls(void **state)
{
    fixture_t *f = *state;

    if (f->conf.on_request == echo_any)
        f->n_held = 0;
    return close_fixture(state);
}

static inline void serve_tls(fixture_t *f, unsigned flags)
{
    f->conf.tls = flags;
    f->conf.max_body_bytes = 2 * MIB;
    serve(f, echo_any);
}

static inline void stop(fixture_t *f)
{
    smc_server_close(f->server);
    f->server = NULL;
}

static inline const char *ca_of(fixture_t *f)
{
    const char *pem = NULL;
    size_t n = 0;

    assert_int_equal(SMC_OK, smc_tls_ca(f->loop, &pem, &n, NULL));
    assert_int_equal(n, strlen(pem));
    return pem;
}

/* ---- HTTP ---------------------------------------------------------------- */

static inline void on_done(void *ud, smc_http_reply_t *reply)
{
    *(smc_http_reply_t **)ud = reply;
}

static inline void start_request(fixture_t *f, const char *origin, smc_http_request_t req,
                                 smc_http_reply_t **reply)
{
    char url[128];
    smc_http_call_t *call = NULL;
    smc_error_t err = {0};

    (void)snprintf(url, sizeof(url), "%s:%u/t?a=%%2B", origin,
                   (unsigned)smc_server_port(f->server));
    req.url = url;
    if (req.method == NULL)
        req.method = "GET";
    if (req.ca_pem != NULL)
        req.ca_pem_len = strlen(req.ca_pem);
    if (smc_http_start(f->loop, &req, on_done, reply, &call, &err) != SMC_OK)
        fail_msg("not started: %s", err.detail);
}

static inline void finish_request(fixture_t *f, smc_http_reply_t **reply)
{
    int64_t end_ns = smc_clock_real_ns() + REAL_PATIENCE_NS;

    while (*reply == NULL) {
        if (smc_loop_turn(f->loop, true) == SMC_TURN_DEADLOCK && *reply == NULL)
            fail_msg("deadlock");
        if (smc_clock_real_ns() > end_ns)
            fail_msg("no reply");
    }
}

static inline smc_http_reply_t *request(fixture_t *f, const char *origin, smc_http_request_t req)
{
    smc_http_reply_t *reply = NULL;

    start_request(f, origin, req, &reply);
    finish_request(f, &reply);
    return reply;
}

/* Asks with the loop's authority as the only one trusted. */
static inline smc_http_reply_t *get(fixture_t *f)
{
    return request(f, "https://127.0.0.1", (smc_http_request_t){.ca_pem = ca_of(f)});
}

static inline void check_reply(smc_http_reply_t *reply, const char *body, bool new_connection)
{
    if (reply->err.code != SMC_OK)
        fail_msg("%s: %s", smc_code_text(reply->err.code), reply->err.detail);
    assert_int_equal(200, reply->status);
    assert_string_equal(body, reply->body);
    assert_int_equal(new_connection, reply->new_connection);
    smc_http_reply_free(reply);
}

static inline void check_failure(smc_http_reply_t *reply, smc_code_t code, bool sent,
                                 const char *why)
{
    if (reply->err.code != code || strstr(reply->err.detail, why) == NULL)
        fail_msg("%s instead of %s: '%s'", smc_code_text(reply->err.code), smc_code_text(code),
                 reply->err.detail);
    assert_int_equal(sent, reply->sent);
    smc_http_reply_free(reply);
}

/* ---- WebSocket ----------------------------------------------------------- */

static inline void note(talker_t *t, const char *what, size_t n)
{
    if (t->log != NULL)
        (void)smc_buf_printf(t->log, "%lld #%d %s %zu\n", (long long)(smc_clock_now_ns() / 1000000),
                             t->id, what, n);
}

static inline void on_open(void *ud, const char *protocol)
{
    talker_t *t = ud;

    (void)protocol;
    t->open = true;
    note(t, "open", 0);
}

static inline void on_message(void *ud, const char *data, size_t n, bool binary)
{
    talker_t *t = ud;

    (void)binary;
    t->n_messages++;
    smc_buf_clear(&t->last);
    (void)smc_buf_append(&t->last, data, n);
    note(t, "message", n);
}

static inline void on_close(void *ud, uint16_t code, const char *reason, size_t n,
                            const smc_error_t *err)
{
    talker_t *t = ud;

    (void)reason;
    t->ws = NULL;
    t->open = false;
    t->code = code;
    if (err != NULL)
        t->err = *err;
    note(t, err == NULL ? "close" : smc_code_text(err->code), n);
}

static inline void start_talk(fixture_t *f, talker_t *t, const char *origin, const char *ca)
{
    char url[128];
    smc_ws_conf_t conf = {
        .url = url,
        .ca_pem = ca,
        .ca_pem_len = ca == NULL ? 0 : strlen(ca),
        .on = {.on_open = on_open, .on_message = on_message, .on_close = on_close},
        .ud = t};
    smc_error_t err = {0};

    (void)snprintf(url, sizeof(url), "%s:%u/ws", origin, (unsigned)smc_server_port(f->server));
    t->f = f;
    if (smc_ws_open(f->loop, &conf, &t->ws, &err) != SMC_OK)
        fail_msg("not started: %s", err.detail);
}

#define UNTIL(f, condition)                                                          \
    do {                                                                             \
        int64_t end_ns_ = smc_clock_real_ns() + REAL_PATIENCE_NS;                    \
        while (!(condition)) {                                                       \
            if (smc_loop_turn((f)->loop, true) == SMC_TURN_DEADLOCK && !(condition)) \
                fail_msg("deadlock while waiting for " #condition);                  \
            if (smc_clock_real_ns() > end_ns_)                                       \
                fail_msg("waited in vain for " #condition);                          \
        }                                                                            \
    } while (0)

/* Until it is open, or gone. */
static inline void await_verdict(fixture_t *f, const talker_t *t)
{
    UNTIL(f, t->open || t->ws == NULL);
}

static inline void await_gone(fixture_t *f, const talker_t *t)
{
    UNTIL(f, t->ws == NULL);
}

static inline void talk(fixture_t *f, talker_t *t)
{
    start_talk(f, t, "wss://127.0.0.1", ca_of(f));
    await_verdict(f, t);
    if (!t->open)
        fail_msg("not connected: %s", t->err.detail);
}

static inline void talker_deinit(talker_t *t)
{
    smc_ws_free(t->ws);
    smc_buf_deinit(&t->last);
    *t = (talker_t){0};
}

static inline void check_not_connected(fixture_t *f, talker_t *t, smc_code_t code, const char *why)
{
    await_verdict(f, t);
    assert_false(t->open);
    if (t->err.code != code || strstr(t->err.detail, why) == NULL)
        fail_msg("%s instead of %s: '%s'", smc_code_text(t->err.code), smc_code_text(code),
                 t->err.detail);
    talker_deinit(t);
}

#define TLS_BOTH(test)                                        \
    {#test ", virtual", test, open_virtual, close_tls, NULL}, \
    {                                                         \
#test ", real", test, open_real, close_tls, NULL      \
    }
#define TLS_VIRTUAL(test)                          \
    {                                              \
#test, test, open_virtual, close_tls, NULL \
    }

#endif /* TLS_WORLD_H */
