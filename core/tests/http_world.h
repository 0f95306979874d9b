/* http_world.h - a loop with either clock, a raw server and the HTTP client: what the tests of the client share. */
#ifndef HTTP_WORLD_H
#define HTTP_WORLD_H

#include "raw_server.h"

#include "smc/clock.h"
#include "smc/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define OK_REPLY "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

typedef struct world {
    smc_loop_t *loop;
    raw_server_t server;
    char url[256]; /* the last one that url_of built */
} world_t;

/* What became of a call. */
typedef struct outcome {
    smc_http_reply_t *reply; /* NULL until done */
    int heads;
    smc_buf_t stream; /* streamed pieces, each behind a '|' */
    smc_http_call_t *call;
    bool cancel_in_body;
} outcome_t;

static void answer_ok(raw_conn_t *c, const char *request, size_t n)
{
    (void)request;
    (void)n;
    raw_puts(c, OK_REPLY);
}

static int open_world(void **state)
{
    world_t *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    assert_int_equal(SMC_OK, smc_loop_open(&w->loop, NULL));
    raw_server_open(&w->server, w->loop);
    w->server.handler = answer_ok;
    *state = w;
    return 0;
}

static int open_virtual(void **state)
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

    raw_server_close(&w->server);
    smc_loop_close(w->loop);
    raw_server_free(&w->server);
    free(w);
    return 0;
}

static const char *url_of(world_t *w, const char *target)
{
    (void)snprintf(w->url, sizeof(w->url), "http://127.0.0.1:%u%s", (unsigned)w->server.port,
                   target);
    return w->url;
}

static void on_done(void *ud, smc_http_reply_t *reply)
{
    outcome_t *o = ud;

    assert_null(o->reply);
    o->reply = reply;
    o->call = NULL;
}

static inline void on_head(void *ud, const smc_http_reply_t *head)
{
    outcome_t *o = ud;

    assert_int_not_equal(0, head->status);
    o->heads++;
}

static inline void on_body(void *ud, const char *bytes, size_t n)
{
    outcome_t *o = ud;

    assert_int_equal(1, o->heads);
    assert_true(n > 0);
    (void)smc_buf_putc(&o->stream, '|');
    (void)smc_buf_append(&o->stream, bytes, n);
    if (o->cancel_in_body) {
        smc_http_cancel(o->call);
        o->call = NULL;
    }
}

static void outcome_free(outcome_t *o)
{
    smc_http_reply_free(o->reply);
    smc_buf_deinit(&o->stream);
    *o = (outcome_t){0};
}

static void start(world_t *w, const smc_http_request_t *req, outcome_t *o)
{
    smc_error_t err = {0};

    if (smc_http_start(w->loop, req, on_done, o, &o->call, &err) != SMC_OK)
        fail_msg("not started: %s", err.detail);
    assert_null(o->reply);
}

static void start_get(world_t *w, const char *target, outcome_t *o)
{
    start(w, &(smc_http_request_t){.method = "GET", .url = url_of(w, target)}, o);
}

/* Turns until the call has ended. */
static void finish(world_t *w, outcome_t *o)
{
    for (int i = 0; i < 100000 && o->reply == NULL; i++)
        if (smc_loop_turn(w->loop, true) == SMC_TURN_DEADLOCK)
            fail_msg("deadlock");
    assert_non_null(o->reply);
}

static inline void get(world_t *w, const char *target, outcome_t *o)
{
    start_get(w, target, o);
    finish(w, o);
}

/* Turns until nothing is left to do, without a jump of the clock. */
static inline void drain(world_t *w)
{
    for (int i = 0; i < 50; i++)
        (void)smc_loop_turn(w->loop, false);
}

static inline void check_error(const outcome_t *o, smc_code_t code, bool sent)
{
    if (o->reply->err.code != code)
        fail_msg("%s instead of %s: %s", smc_code_text(o->reply->err.code), smc_code_text(code),
                 o->reply->err.detail);
    assert_int_equal(sent, o->reply->sent);
}

static inline void check_ok(const outcome_t *o, int status, const char *body)
{
    if (o->reply->err.code != SMC_OK)
        fail_msg("%s: %s", smc_code_text(o->reply->err.code), o->reply->err.detail);
    assert_true(o->reply->sent);
    assert_int_equal(status, o->reply->status);
    assert_string_equal(body, o->reply->body == NULL ? "" : o->reply->body);
    assert_int_equal(strlen(body), o->reply->body_len);
}

#define VIRTUAL(test) cmocka_unit_test_setup_teardown(test, open_virtual, close_world)
#define REAL(test)                                                \
    {                                                             \
#test " (real clock)", test, open_real, close_world, NULL \
    }
#define BOTH(test) VIRTUAL(test), REAL(test)

#endif /* HTTP_WORLD_H */
