/* ws_world.h - a loop with either clock, our server and WebSocket clients: what the tests of the
 * client share. */
#ifndef WS_WORLD_H
#define WS_WORLD_H

#include "smc/buf.h"
#include "smc/clock.h"
#include "smc/server.h"
#include "smc/ws.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What the server does with a target: "/refuse" 403, "/redirect" 302, "/mute" never answers, "/reset"
 * resets, "/raw" sends world.raw, "/unasked" chooses permessage-deflate; anything else becomes a
 * WebSocket that echoes while world.echo is set. */
typedef struct world {
    smc_loop_t *loop;
    smc_server_t *server;
    char url[256]; /* the last one that url_of built */
    bool echo;
    const char *raw;
    smc_buf_t head;       /* of the last request: "GET target\nName: value\n..." */
    smc_exchange_t *held; /* of "/mute" */
    smc_peer_t *peer;     /* the last one */
    unsigned requests;
    smc_buf_t
        got; /* what peers heard: "message 5", "ping x", "close 1000 bye clean", a line each */
} world_t;

typedef struct client {
    world_t *w;
    smc_ws_t *ws; /* NULL once gone */
    unsigned opened, closed, messages, drained;
    uint64_t bytes;
    char protocol[64];
    char pong[128];
    smc_buf_t last; /* message */
    bool binary;
    uint16_t code;
    char reason[128];
    smc_error_t err; /* of on_close; code SMC_OK when there was none */
    int64_t closed_ns;
    bool free_on_open, free_on_message;
    bool numbered;  /* the i-th message must be "message i" */
    smc_buf_t *log; /* may be NULL */
    int id;
} client_t;

/* ---- server -------------------------------------------------------------- */

static void peer_message(void *ud, smc_peer_t *peer, const char *data, size_t n, bool binary)
{
    world_t *w = ud;

    (void)smc_buf_printf(&w->got, "message %zu\n", n);
    if (w->echo)
        (void)smc_peer_send(peer, data, n, binary);
}

static void peer_ping(void *ud, smc_peer_t *peer, const char *payload, size_t n)
{
    (void)peer;
    (void)smc_buf_printf(&((world_t *)ud)->got, "ping %.*s\n", (int)n, payload);
}

static void peer_pong(void *ud, smc_peer_t *peer, const char *payload, size_t n)
{
    (void)peer;
    (void)smc_buf_printf(&((world_t *)ud)->got, "pong %.*s\n", (int)n, payload);
}

static void peer_close(void *ud, smc_peer_t *peer, uint16_t code, const char *reason, size_t n,
                       bool clean)
{
    (void)peer;
    (void)smc_buf_printf(&((world_t *)ud)->got, "close %u %.*s%s\n", (unsigned)code, (int)n, reason,
                         clean ? " clean" : "");
}

static void keep_head(world_t *w, const smc_exchange_t *ex)
{
    size_t n;
    const char *target = smc_exchange_target(ex, &n);

    smc_buf_clear(&w->head);
    (void)smc_buf_printf(&w->head, "GET %.*s\n", (int)n, target);
    for (size_t i = 0; i < smc_exchange_n_fields(ex); i++) {
        smc_server_field_t f = smc_exchange_field(ex, i);
        (void)smc_buf_printf(&w->head, "%.*s: %.*s\n", (int)f.name_len, f.name, (int)f.value_len,
                             f.value);
    }
}

static void accept_ws(world_t *w, smc_exchange_t *ex)
{
    static const smc_peer_callbacks_t callbacks = {peer_message, peer_ping, peer_pong, peer_close};
    smc_server_field_t chosen = {"Sec-WebSocket-Protocol", NULL, 22, 0};
    static const smc_server_field_t unasked = {"Sec-WebSocket-Extensions", "permessage-deflate", 24,
                                               18};
    size_t n;
    bool lie = strncmp(smc_exchange_target(ex, &n), "/unasked", 8) == 0;

    chosen.value = smc_exchange_header(ex, "Sec-WebSocket-Protocol", &chosen.value_len);
    if (chosen.value != NULL && memchr(chosen.value, ',', chosen.value_len) != NULL)
        chosen.value_len =
            (size_t)((const char *)memchr(chosen.value, ',', chosen.value_len) - chosen.value);
    smc_peer_release(w->peer);
    w->peer = NULL;
    assert_int_equal(SMC_OK, smc_exchange_accept_ws(ex, &callbacks, w, lie ? &unasked : &chosen,
                                                    lie || chosen.value != NULL, &w->peer));
}

static void on_request(void *ud, smc_exchange_t *ex)
{
    static const smc_server_field_t away = {"Location", "ws://127.0.0.1:1/elsewhere", 8, 26};
    world_t *w = ud;
    size_t n;
    const char *target = smc_exchange_target(ex, &n);

    w->requests++;
    keep_head(w, ex);
    if (strncmp(target, "/refuse", 7) == 0)
        (void)smc_exchange_reply(ex, 403, NULL, 0, "no", 2);
    else if (strncmp(target, "/redirect", 9) == 0)
        (void)smc_exchange_reply(ex, 302, &away, 1, NULL, 0);
    else if (strncmp(target, "/reset", 6) == 0)
        (void)smc_exchange_reset(ex);
    else if (strncmp(target, "/raw", 4) == 0)
        (void)smc_exchange_raw(ex, w->raw, strlen(w->raw));
    else if (strncmp(target, "/mute", 5) == 0) {
        w->held = ex;
        return;
    } else
        accept_ws(w, ex);
    smc_exchange_release(ex);
}

static inline void reopen_server(world_t *w, smc_deflate_t deflate)
{
    smc_server_conf_t conf = {.on_request = on_request, .ud = w, .deflate = deflate};

    smc_server_close(w->server);
    assert_int_equal(SMC_OK, smc_server_open(w->loop, &conf, &w->server, NULL));
}

static int open_world(void **state)
{
    world_t *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    w->echo = true;
    assert_int_equal(SMC_OK, smc_loop_open(&w->loop, NULL));
    reopen_server(w, SMC_DEFLATE_OFF);
    *state = w;
    return 0;
}

static inline int open_virtual(void **state)
{
    smc_clock_set_virtual();
    return open_world(state);
}

static inline int open_real(void **state)
{
    smc_clock_set_real();
    return open_world(state);
}

static int close_world(void **state)
{
    world_t *w = *state;

    smc_exchange_release(w->held);
    smc_peer_release(w->peer);
    smc_server_close(w->server);
    smc_loop_close(w->loop);
    smc_buf_deinit(&w->head);
    smc_buf_deinit(&w->got);
    free(w);
    return 0;
}

/* ---- client -------------------------------------------------------------- */

static void note(client_t *c, const char *what, size_t n)
{
    if (c->log != NULL)
        (void)smc_buf_printf(c->log, "%lld #%d %s %zu\n", (long long)(smc_clock_now_ns() / 1000000),
                             c->id, what, n);
}

static void on_open(void *ud, const char *protocol)
{
    client_t *c = ud;

    c->opened++;
    (void)snprintf(c->protocol, sizeof(c->protocol), "%s", protocol);
    note(c, "open", 0);
    if (c->free_on_open) {
        smc_ws_free(c->ws);
        c->ws = NULL;
    }
}

static void on_message(void *ud, const char *data, size_t n, bool binary)
{
    client_t *c = ud;

    c->messages++;
    c->bytes += n;
    c->binary = binary;
    smc_buf_clear(&c->last);
    assert_int_equal(SMC_OK, smc_buf_append(&c->last, data, n));
    assert_int_equal('\0', data[n]);
    note(c, "message", n);
    if (c->numbered) {
        char want[32];
        (void)snprintf(want, sizeof(want), "message %u", c->messages - 1);
        assert_string_equal(want, data);
    }
    if (c->free_on_message) {
        smc_ws_free(c->ws);
        c->ws = NULL;
    }
}

static void on_pong(void *ud, const char *payload, size_t n)
{
    client_t *c = ud;

    (void)snprintf(c->pong, sizeof(c->pong), "<%.*s>", (int)n, payload);
    note(c, "pong", n);
}

static void on_drain(void *ud)
{
    ((client_t *)ud)->drained++;
}

static void on_close(void *ud, uint16_t code, const char *reason, size_t n, const smc_error_t *err)
{
    client_t *c = ud;

    c->ws = NULL;
    c->closed++;
    c->code = code;
    (void)snprintf(c->reason, sizeof(c->reason), "%.*s", (int)n, reason);
    if (err != NULL)
        c->err = *err;
    c->closed_ns = smc_clock_now_ns();
    note(c, err == NULL ? "close" : smc_code_text(err->code), code);
}

static const char *url_of(world_t *w, const char *target)
{
    (void)snprintf(w->url, sizeof(w->url), "ws://127.0.0.1:%u%s",
                   (unsigned)smc_server_port(w->server), target);
    return w->url;
}

static smc_code_t try_open(world_t *w, client_t *c, smc_ws_conf_t conf, smc_error_t *err)
{
    smc_code_t rc;

    c->w = w;
    conf.on = (smc_ws_callbacks_t){on_open, on_message, on_pong, on_drain, on_close};
    conf.ud = c;
    rc = smc_ws_open(w->loop, &conf, &c->ws, err);
    assert_int_equal(0, c->opened + c->closed);
    return rc;
}

static void start(world_t *w, client_t *c, smc_ws_conf_t conf)
{
    smc_error_t err = {0};

    if (try_open(w, c, conf, &err) != SMC_OK)
        fail_msg("not opened: %s", err.detail);
}

/* Turns until the condition holds. */
#define UNTIL(w, condition)                                                          \
    do {                                                                             \
        for (int turns_ = 0; turns_ < 1000000 && !(condition); turns_++)             \
            if (smc_loop_turn((w)->loop, true) == SMC_TURN_DEADLOCK && !(condition)) \
                fail_msg("deadlock while waiting for " #condition);                  \
        assert_true(condition);                                                      \
    } while (0)

static void open_conf(world_t *w, client_t *c, smc_ws_conf_t conf)
{
    start(w, c, conf);
    UNTIL(w, c->opened + c->closed > 0);
    if (c->opened != 1)
        fail_msg("not connected: %s", c->err.detail);
}

static inline void open_at(world_t *w, client_t *c, const char *target)
{
    open_conf(w, c, (smc_ws_conf_t){.url = url_of(w, target)});
}

static void client_deinit(client_t *c)
{
    smc_ws_free(c->ws);
    smc_buf_deinit(&c->last);
    *c = (client_t){0};
}

static inline void send_text(client_t *c, const char *text)
{
    assert_int_equal(SMC_OK, smc_ws_send(c->ws, text, strlen(text), false, NULL));
}

/* Turns until nothing is left to do, without a jump of the clock. */
static inline void settle(world_t *w)
{
    for (int i = 0; i < 50; i++)
        (void)smc_loop_turn(w->loop, false);
}

/* Waits until the peers heard this, as a part of a line. */
#define UNTIL_PEER_GOT(w, text) \
    UNTIL(w, (w)->got.data != NULL && strstr((w)->got.data, text) != NULL)

static inline void check_closed(world_t *w, client_t *c, uint16_t code, const char *reason,
                                smc_code_t err)
{
    UNTIL(w, c->closed > 0);
    if (c->err.code != err)
        fail_msg("%s instead of %s: %s", smc_code_text(c->err.code), smc_code_text(err),
                 c->err.detail);
    assert_int_equal(code, c->code);
    assert_string_equal(reason, c->reason);
    settle(w);
    assert_int_equal(1, c->closed);
    assert_int_equal(0, smc_ws_count(w->loop));
}

#define VIRTUAL(test) cmocka_unit_test_setup_teardown(test, open_virtual, close_world)
#define REAL(test)                                                \
    {                                                             \
#test " (real clock)", test, open_real, close_world, NULL \
    }
#define BOTH(test) VIRTUAL(test), REAL(test)

#endif /* WS_WORLD_H */
