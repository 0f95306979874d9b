/* The HTTP client when things go wrong: time-outs, broken connections, nonsense, too much, cancelling. */
#include "http_world.h"

static void answer_never(raw_conn_t *c, const char *request, size_t n)
{
    (void)c;
    (void)request;
    (void)n;
}

/* ---- time --------------------------------------------------------------- */

static void a_timeout_comes_at_its_very_instant(void **state)
{
    world_t *w = *state;
    outcome_t o = {0};
    int64_t start_ns = smc_clock_now_ns();

    w->server.handler = answer_never;
    start(w, &(smc_http_request_t){.method = "GET", .url = url_of(w, "/"), .timeout_ms = 400000},
          &o);
    finish(w, &o);
    check_error(&o, SMC_ETIMEDOUT, true);
    assert_non_null(strstr(o.reply->err.detail, "within 400000 ms"));
    assert_true(o.reply->elapsed_ns == INT64_C(400000000000));
    assert_true(smc_clock_now_ns() - start_ns == INT64_C(400000000000));
    assert_int_equal(0, smc_http_open_sockets(w->loop));
    outcome_free(&o);
}

static void a_timeout_ends_a_real_wait(void **state)
{
    world_t *w = *state;
    outcome_t o = {0};

    w->server.handler = answer_never;
    start(w, &(smc_http_request_t){.method = "GET", .url = url_of(w, "/"), .timeout_ms = 20}, &o);
    finish(w, &o);
    check_error(&o, SMC_ETIMEDOUT, true);
    assert_true(o.reply->elapsed_ns >= 19000000); /* the loop counts whole milliseconds */
    outcome_free(&o);
}

static void a_stream_times_out_until_its_head_only(void **state)
{
    world_t *w = *state;
    outcome_t o = {0};

    w->server.handler = answer_never;
    start(w,
          &(smc_http_request_t){.method = "GET",
                                .url = url_of(w, "/"),
                                .timeout_ms = 20,
                                .on_head = on_head,
                                .on_body = on_body},
          &o);
    finish(w, &o);
    check_error(&o, SMC_ETIMEDOUT, true);
    assert_non_null(strstr(o.reply->err.detail, "no whole reply head"));
    assert_int_equal(0, o.heads);
    outcome_free(&o);
}

/* ---- broken connections ------------------------------------------------- */

static void answer_half_and_close(raw_conn_t *c, const char *request, size_t n)
{
    (void)request;
    (void)n;
    raw_puts(c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    raw_conn_close(c);
}

static void a_body_cut_short_is_an_error(void **state)
{
    world_t *w = *state;
    outcome_t o = {0};

    w->server.handler = answer_half_and_close;
    get(w, "/", &o);
    check_error(&o, SMC_ERESET, true);
    assert_int_equal(200, o.reply->status);
    assert_string_equal("half", o.reply->body);
    assert_int_equal(0, smc_http_open_sockets(w->loop));
    outcome_free(&o);
}

static void answer_half_a_head(raw_conn_t *c, const char *request, size_t n)
{
    (void)request;
    (void)n;
    raw_puts(c, "HTTP/1.1 200 OK\r\nContent-Le");
    raw_conn_close(c);
}

/* libcurl takes it for a whole reply. */
static void a_head_cut_short_is_an_error(void **state)
{
    world_t *w = *state;
    outcome_t o = {0};

    w->server.handler = answer_half_a_head;
    get(w, "/", &o);
    check_error(&o, SMC_ERESET, true);
    assert_non_null(strstr(o.reply->err.detail, "inside the head of the reply"));
    outcome_free(&o);
}

static void answer_half_and_reset(raw_conn_t *c, const char *request, size_t n)
{
    (void)request;
    (void)n;
    raw_puts(c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    raw_conn_reset(c);
}

static void a_reset_in_the_body_is_an_error(void **state)
{
    world_t *w = *state;
    outcome_t o = {0};

    w->server.handler = answer_half_and_reset;
    get(w, "/", &o);
    check_error(&o, SMC_ERESET, true);
    outcome_free(&o);
}

static void answer_close(raw_conn_t *c, const char *request, size_t n)
{
    (void)request;
    (void)n;
    raw_conn_close(c);
}

static void a_request_is_never_sent_twice(void **state)
{
    static const char *const methods[] = {"POST", "GET", "DELETE"};
    world_t *w = *state;
    outcome_t o = {0};

    for (unsigned i = 0; i < 3; i++) {
        w->server.handler = answer_ok;
        get(w, "/", &o);
        outcome_free(&o);
        /* The kept connection carries the next request, and its end is the only answer. */
        w->server.handler = answer_close;
        start(w, &(smc_http_request_t){.method = methods[i], .url = url_of(w, "/order")}, &o);
        finish(w, &o);
        check_error(&o, SMC_ERESET, true);
        assert_non_null(strstr(o.reply->err.detail, "without an answer"));
        drain(w);
        assert_int_equal(2 * (i + 1), w->server.requests);
        outcome_free(&o);
    }
}

static void a_new_connection_closed_without_an_answer_is_an_error(void **state)
{
    world_t *w = *state;
    outcome_t o = {0};

    w->server.handler = answer_close;
    get(w, "/", &o);
    check_error(&o, SMC_ERESET, true);
    assert_int_equal(0, o.reply->status);
    drain(w);
    assert_int_equal(1, w->server.requests);
    outcome_free(&o);
}

static void answer_ok_and_close(raw_conn_t *c, const char *request, size_t n)
{
    answer_ok(c, request, n);
    raw_conn_close(c);
}

static void a_connection_that_died_while_kept_is_not_used(void **state)
{
    world_t *w = *state;
    outcome_t o = {0};

    w->server.handler = answer_ok_and_close;
    for (unsigned i = 1; i <= 5; i++) {
        if (i > 3)
            drain(w); /* else the end of the connection has not been noticed yet */
        start(w, &(smc_http_request_t){.method = "POST", .url = url_of(w, "/")}, &o);
        finish(w, &o);
        check_ok(&o, 200, "ok");
        assert_true(o.reply->new_connection);
        assert_int_equal(i, w->server.requests);
        outcome_free(&o);
    }
    assert_true(smc_http_open_sockets(w->loop) <= 1);
}

static void count(void *ud)
{
    ++*(int *)ud;
}

static void unasked_bytes_spoil_a_kept_connection(void **state)
{
    world_t *w = *state;
    outcome_t o = {0};
    smc_timer_t *t = NULL;
    int fired = 0;

    get(w, "/", &o);
    outcome_free(&o);
    raw_puts(w->server.conns, "HTTP/1.1 500 Forged\r\nContent-Length: 0\r\n\r\n");
    /* They must not hold up the clock either. */
    assert_int_equal(SMC_OK, smc_timer_start(w->loop, 30, count, &fired, &t, NULL));
    for (int i = 0; i < 100 && fired == 0; i++)
        (void)smc_loop_turn(w->loop, true);
    assert_int_equal(1, fired);
    assert_int_equal(0, w->server.open);
    get(w, "/", &o);
    check_ok(&o, 200, "ok");
    assert_true(o.reply->new_connection);
    outcome_free(&o);
}

static void nobody_listens_real(void **state)
{
    world_t *w = *state;
    outcome_t o = {0};

    raw_server_close(&w->server);
    get(w, "/", &o);
    check_error(&o, SMC_ECONN, false);
    assert_non_null(strstr(o.reply->err.detail, "http://127.0.0.1:"));
    assert_int_equal(0, smc_http_open_sockets(w->loop));
    outcome_free(&o);
}

static void nobody_listens_virtual(void **state)
{
    world_t *w = *state;
    outcome_t o = {0};
    smc_error_t err = {0};
    smc_http_request_t req = {.method = "GET", .url = "http://127.0.0.1:9/"};

    assert_int_equal(SMC_ECONN, smc_http_start(w->loop, &req, on_done, &o, &o.call, &err));
    assert_non_null(strstr(err.detail, "nothing in this run listens at http://127.0.0.1:9"));
    req.url = "https://testnet.binance.vision/";
    assert_int_equal(SMC_EPOLICY, smc_http_start(w->loop, &req, on_done, &o, &o.call, &err));
    assert_non_null(strstr(err.detail, "use --clock real"));
}

/* ---- nonsense and too much ---------------------------------------------- */

static const char *nonsense;

static void answer_nonsense(raw_conn_t *c, const char *request, size_t n)
{
    (void)request;
    (void)n;
    raw_puts(c, nonsense);
    raw_conn_close(c);
}

static void what_is_not_http_is_an_error(void **state)
{
    static const char *const texts[] = {
        "ok\n",
        "220 mail.example SMTP\r\n\r\n",
        "HTTP/1.1 OK\r\n\r\n",
        "HTTP/3.9 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nhello\r\n"};
    world_t *w = *state;
    outcome_t o = {0};

    w->server.handler = answer_nonsense;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        nonsense = texts[i];
        get(w, "/", &o);
        if (o.reply->err.code != SMC_EPROTO)
            fail_msg("%s: %s %s", nonsense, smc_code_text(o.reply->err.code), o.reply->err.detail);
        outcome_free(&o);
    }
    assert_int_equal(0, smc_http_open_sockets(w->loop));
}

static void plaintext_where_tls_is_due_is_an_error(void **state)
{
    world_t *w = *state;
    outcome_t o = {0};
    char url[64];

    nonsense = "HTTP/1.1 400 Bad Request\r\n\r\n";
    (void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/", (unsigned)w->server.port);
    start(w, &(smc_http_request_t){.method = "GET", .url = url, .timeout_ms = 5000}, &o);
    for (int i = 0; i < 1000 && w->server.accepted == 0; i++)
        (void)smc_loop_turn(w->loop, true);
    raw_puts(w->server.conns, nonsense);
    finish(w, &o);
    check_error(&o, SMC_ETLS, false);
    outcome_free(&o);
}

static void answer_big(raw_conn_t *c, const char *request, size_t n)
{
    (void)request;
    (void)n;
    raw_puts(c, "HTTP/1.1 200 OK\r\nContent-Length: 26\r\n\r\nabcdefghijklmnopqrstuvwxyz");
}

static void a_body_has_a_limit(void **state)
{
    world_t *w = *state;
    outcome_t o = {0};

    w->server.handler = answer_big;
    start(w, &(smc_http_request_t){.method = "GET", .url = url_of(w, "/"), .max_body = 26}, &o);
    finish(w, &o);
    check_ok(&o, 200, "abcdefghijklmnopqrstuvwxyz");
    outcome_free(&o);
    start(w, &(smc_http_request_t){.method = "GET", .url = url_of(w, "/"), .max_body = 25}, &o);
    finish(w, &o);
    check_error(&o, SMC_ETOOBIG, true);
    assert_non_null(strstr(o.reply->err.detail, "longer than 25 bytes"));
    assert_int_equal(0, smc_http_open_sockets(w->loop));
    outcome_free(&o);
}

static void answer_endless_head(raw_conn_t *c, const char *request, size_t n)
{
    char line[8192];

    (void)request;
    (void)n;
    memset(line, 'x', sizeof(line));
    line[1] = ':';
    line[sizeof(line) - 2] = '\r';
    line[sizeof(line) - 1] = '\n';
    raw_puts(c, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 40 && c->fd >= 0; i++)
        raw_send(c, line, sizeof(line));
}

static void a_head_has_a_limit(void **state)
{
    world_t *w = *state;
    outcome_t o = {0};
    int size = 1 << 20;

    get(w, "/", &o);
    outcome_free(&o);
    (void)setsockopt(w->server.conns->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    w->server.handler = answer_endless_head;
    get(w, "/", &o);
    check_error(&o, SMC_ETOOBIG, true);
    assert_non_null(strstr(o.reply->err.detail, "head is longer than 262144 bytes"));
    outcome_free(&o);
}

/* ---- cancelling --------------------------------------------------------- */

static void a_cancelled_call_calls_nobody(void **state)
{
    world_t *w = *state;
    outcome_t early = {0}, late = {0};

    w->server.handler = answer_never;
    start_get(w, "/", &early);
    smc_http_cancel(early.call);
    start_get(w, "/", &late);
    for (int i = 0; i < 1000 && w->server.requests == 0; i++)
        (void)smc_loop_turn(w->loop, true);
    smc_http_cancel(late.call);
    smc_http_cancel(NULL);
    drain(w);
    assert_null(early.reply);
    assert_null(late.reply);
    assert_int_equal(1, w->server.requests);
    assert_int_equal(0, smc_http_open_sockets(w->loop));
}

static void a_stream_may_be_cancelled_from_its_own_callback(void **state)
{
    world_t *w = *state;
    outcome_t o = {.cancel_in_body = true}, after = {0};

    w->server.handler = answer_big;
    start(w,
          &(smc_http_request_t){
              .method = "GET", .url = url_of(w, "/"), .on_head = on_head, .on_body = on_body},
          &o);
    for (int i = 0; i < 1000 && o.stream.len == 0; i++)
        (void)smc_loop_turn(w->loop, true);
    drain(w);
    assert_null(o.reply);
    assert_null(o.call);
    assert_int_equal(0, smc_http_open_sockets(w->loop));
    get(w, "/", &after);
    check_ok(&after, 200, "abcdefghijklmnopqrstuvwxyz");
    outcome_free(&o);
    outcome_free(&after);
}

typedef struct chain {
    world_t *world;
    outcome_t *victim;
    outcome_t *next;
} chain_t;

/* A callback that cancels another call and starts one. */
static void on_done_meddle(void *ud, smc_http_reply_t *reply)
{
    chain_t *chain = ud;

    smc_http_reply_free(reply);
    smc_http_cancel(chain->victim->call);
    start_get(chain->world, "/next", chain->next);
}

static void a_callback_may_start_and_cancel(void **state)
{
    world_t *w = *state;
    outcome_t victim = {0}, next = {0};
    chain_t chain = {w, &victim, &next};
    smc_http_call_t *first = NULL;
    smc_http_request_t req = {.method = "GET", .url = url_of(w, "/first")};

    assert_int_equal(SMC_OK, smc_http_start(w->loop, &req, on_done_meddle, &chain, &first, NULL));
    start_get(w, "/victim", &victim);
    finish(w, &next);
    check_ok(&next, 200, "ok");
    drain(w);
    assert_null(victim.reply);
    outcome_free(&next);
}

static void the_end_of_the_loop_ends_its_calls(void **state)
{
    world_t *w = *state;
    outcome_t o = {0};

    w->server.handler = answer_never;
    start(w, &(smc_http_request_t){.method = "GET", .url = url_of(w, "/"), .timeout_ms = 9}, &o);
    for (int i = 0; i < 1000 && w->server.requests == 0; i++)
        (void)smc_loop_turn(w->loop, true);
    raw_server_close(&w->server);
    smc_loop_close(w->loop);
    assert_non_null(o.reply);
    check_error(&o, SMC_ECANCELED, true);
    outcome_free(&o);
    raw_server_free(&w->server);
    assert_int_equal(SMC_OK, smc_loop_open(&w->loop, NULL)); /* for the teardown */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        VIRTUAL(a_timeout_comes_at_its_very_instant),
        REAL(a_timeout_ends_a_real_wait),
        BOTH(a_stream_times_out_until_its_head_only),
        BOTH(a_body_cut_short_is_an_error),
        BOTH(a_head_cut_short_is_an_error),
        BOTH(a_reset_in_the_body_is_an_error),
        BOTH(a_request_is_never_sent_twice),
        BOTH(a_new_connection_closed_without_an_answer_is_an_error),
        BOTH(a_connection_that_died_while_kept_is_not_used),
        BOTH(unasked_bytes_spoil_a_kept_connection),
        REAL(nobody_listens_real),
        VIRTUAL(nobody_listens_virtual),
        BOTH(what_is_not_http_is_an_error),
        BOTH(plaintext_where_tls_is_due_is_an_error),
        BOTH(a_body_has_a_limit),
        VIRTUAL(a_head_has_a_limit),
        BOTH(a_cancelled_call_calls_nobody),
        BOTH(a_stream_may_be_cancelled_from_its_own_callback),
        BOTH(a_callback_may_start_and_cancel),
        VIRTUAL(the_end_of_the_loop_ends_its_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
