/* The HTTP client against a raw server, with both clocks: the bytes it sends, what it makes of replies, connections. */
#include "http_world.h"

#include <dlfcn.h>
#include <openssl/crypto.h>

static void check_sent(world_t *w, const char *want)
{
    (void)smc_buf_putc(&w->server.log, '\0');
    assert_string_equal(want, w->server.log.data);
    smc_buf_clear(&w->server.log);
}

static smc_http_header_t header(const char *name, const char *value)
{
    return (smc_http_header_t){name, strlen(name), value, strlen(value)};
}

static void send_and_check(world_t *w, smc_http_request_t req, const char *want)
{
    outcome_t o = {0};
    char text[1024];

    start(w, &req, &o);
    finish(w, &o);
    check_ok(&o, 200, strcmp(req.method, "HEAD") == 0 ? "" : "ok");
    (void)snprintf(text, sizeof(text), want, (unsigned)w->server.port);
    check_sent(w, text);
    outcome_free(&o);
}

/* ---- what is sent ------------------------------------------------------- */

static void the_target_is_sent_byte_for_byte(void **state)
{
    world_t *w = *state;

    send_and_check(
        w,
        (smc_http_request_t){
            .method = "GET",
            .url = url_of(w, "/api//v3/./x/../o;v=1/a+b%2Fc?a=%2B%26%3d1&b=a+b&&=3;c=100%&"
                             "q=\"<>\\^`{|}&u=\xc3\xa9")},
        "GET /api//v3/./x/../o;v=1/a+b%%2Fc?a=%%2B%%26%%3d1&b=a+b&&=3;c=100%%&"
        "q=\"<>\\^`{|}&u=\xc3\xa9 HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nAccept: */*\r\n\r\n");
    send_and_check(w, (smc_http_request_t){.method = "GET", .url = url_of(w, "?a=1")},
                   "GET /?a=1 HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nAccept: */*\r\n\r\n");
    send_and_check(w, (smc_http_request_t){.method = "GET", .url = url_of(w, "")},
                   "GET / HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nAccept: */*\r\n\r\n");
}

static void headers_are_sent_in_order_and_as_they_are(void **state)
{
    world_t *w = *state;
    smc_http_header_t headers[] = {
        header("X-MBX-APIKEY", "k: v, w"), header("x-empty", ""),
        header("x-blank", "  "),           header("accept", "application/json"),
        header("x-mbx-apikey", "again"),
    };

    send_and_check(w,
                   (smc_http_request_t){
                       .method = "GET", .url = url_of(w, "/"), .headers = headers, .n_headers = 5},
                   "GET / HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nX-MBX-APIKEY: k: v, w\r\nx-empty:\r\n"
                   "x-blank:\r\naccept: application/json\r\nx-mbx-apikey: again\r\n\r\n");
}

static smc_secret_t *secret_of(const char *bytes, size_t n)
{
    smc_secret_t *secret = NULL;

    assert_int_equal(SMC_OK, smc_secret_new(bytes, n, &secret, NULL));
    return secret;
}

static void a_bearer_token_follows_the_headers(void **state)
{
    world_t *w = *state;
    smc_secret_t *token = secret_of("t0ken-of-practice", 17);
    smc_http_header_t agent = header("x-agent", "smc");
    smc_http_request_t req = {
        .method = "POST", .url = url_of(w, "/o"), .bearer = token, .body = "{}", .body_len = 2};

    send_and_check(w, req,
                   "POST /o HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nAccept: */*\r\n"
                   "Authorization: Bearer t0ken-of-practice\r\nContent-Length: 2\r\n\r\n{}");
    req.headers = &agent;
    req.n_headers = 1;
    send_and_check(w, req,
                   "POST /o HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nAccept: */*\r\nx-agent: smc\r\n"
                   "Authorization: Bearer t0ken-of-practice\r\nContent-Length: 2\r\n\r\n{}");
    smc_secret_free(token);
    send_and_check(w, (smc_http_request_t){.method = "GET", .url = url_of(w, "/")},
                   "GET / HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nAccept: */*\r\n\r\n");
}

static void every_method_frames_its_body(void **state)
{
    world_t *w = *state;
    smc_http_header_t json = header("Content-Type", "application/json");
    const char *url = url_of(w, "/o");

    send_and_check(w, (smc_http_request_t){.method = "POST", .url = url},
                   "POST /o HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nAccept: */*\r\n"
                   "Content-Length: 0\r\n\r\n");
    send_and_check(w,
                   (smc_http_request_t){.method = "PUT",
                                        .url = url,
                                        .body = "{}",
                                        .body_len = 2,
                                        .headers = &json,
                                        .n_headers = 1},
                   "PUT /o HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nAccept: */*\r\n"
                   "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
    send_and_check(w, (smc_http_request_t){.method = "DELETE", .url = url},
                   "DELETE /o HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nAccept: */*\r\n\r\n");
    send_and_check(
        w, (smc_http_request_t){.method = "DELETE", .url = url, .body = "a=1", .body_len = 3},
        "DELETE /o HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nAccept: */*\r\nContent-Length: 3\r\n\r\na=1");
    send_and_check(w, (smc_http_request_t){.method = "GET", .url = url},
                   "GET /o HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nAccept: */*\r\n\r\n");
    send_and_check(w, (smc_http_request_t){.method = "PATCH", .url = url, .body = ""},
                   "PATCH /o HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nAccept: */*\r\n"
                   "Content-Length: 0\r\n\r\n");
}

static void answer_head(raw_conn_t *c, const char *request, size_t n)
{
    (void)request;
    (void)n;
    raw_puts(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
}

static void a_head_request_expects_no_body(void **state)
{
    world_t *w = *state;

    w->server.handler = answer_head;
    send_and_check(w, (smc_http_request_t){.method = "HEAD", .url = url_of(w, "/")},
                   "HEAD / HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nAccept: */*\r\n\r\n");
    w->server.handler = answer_ok;
    send_and_check(w, (smc_http_request_t){.method = "GET", .url = url_of(w, "/")},
                   "GET / HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nAccept: */*\r\n\r\n");
    assert_int_equal(1, w->server.accepted);
}

static void a_large_body_with_any_bytes_is_sent_at_once(void **state)
{
    world_t *w = *state;
    size_t n = (size_t)3 << 20;
    char *body = malloc(n);
    outcome_t o = {0};

    assert_non_null(body);
    for (size_t i = 0; i < n; i++)
        body[i] = (char)(i * 7);
    start(
        w,
        &(smc_http_request_t){.method = "POST", .url = url_of(w, "/"), .body = body, .body_len = n},
        &o);
    finish(w, &o);
    check_ok(&o, 200, "ok");
    assert_null(strstr(w->server.log.data, "Expect"));
    assert_true(w->server.log.len > n);
    assert_memory_equal(body, w->server.log.data + w->server.log.len - n, n);
    outcome_free(&o);
    free(body);
}

static void check_not_started(world_t *w, smc_http_request_t req, smc_code_t code,
                              const char *detail)
{
    smc_error_t err = {0};
    outcome_t o = {0};

    if (req.url == NULL)
        req.url = url_of(w, "/");
    if (req.method == NULL)
        req.method = "GET";
    assert_int_equal(code, smc_http_start(w->loop, &req, on_done, &o, &o.call, &err));
    if (strstr(err.detail, detail) == NULL)
        fail_msg("'%s' is not in '%s'", detail, err.detail);
    drain(w);
    assert_null(o.reply);
    assert_int_equal(0, w->server.accepted);
}

static void a_bearer_token_that_could_forge_a_request_is_refused(void **state)
{
    static const char *const names[] = {"Authorization", "authorization"};
    world_t *w = *state;
    smc_secret_t *token = secret_of("t0ken\r\nHost: evil", 18);
    smc_secret_t *good = secret_of("t0ken", 5);

    check_not_started(w, (smc_http_request_t){.bearer = token}, SMC_EINVAL,
                      "the bearer token holds a line break or NUL");
    for (size_t i = 0; i < 2; i++) {
        smc_http_header_t h = header(names[i], "Basic eDp5");
        check_not_started(w, (smc_http_request_t){.headers = &h, .n_headers = 1, .bearer = good},
                          SMC_EINVAL, "either a bearer token or a header Authorization");
    }
    smc_secret_free(token);
    smc_secret_free(good);
}

static void what_could_forge_a_request_is_refused(void **state)
{
    static const char *const ours[] = {"Host", "content-length", "Transfer-Encoding"};
    world_t *w = *state;
    smc_http_header_t h;

    for (size_t i = 0; i < 3; i++) {
        h = header(ours[i], "1");
        check_not_started(w, (smc_http_request_t){.headers = &h, .n_headers = 1}, SMC_EINVAL,
                          "is set by the client alone");
    }
    h = header("x", "a\r\nHost: evil");
    check_not_started(w, (smc_http_request_t){.headers = &h, .n_headers = 1}, SMC_EINVAL,
                      "header x holds a line break");
    h = (smc_http_header_t){"x", 1, "a\0b", 3};
    check_not_started(w, (smc_http_request_t){.headers = &h, .n_headers = 1}, SMC_EINVAL,
                      "line break or NUL");
    h = header("a b", "1");
    check_not_started(w, (smc_http_request_t){.headers = &h, .n_headers = 1}, SMC_EINVAL,
                      "'a b' is not a header name");
    h = header("", "1");
    check_not_started(w, (smc_http_request_t){.headers = &h, .n_headers = 1}, SMC_EINVAL,
                      "is not a header name");
    check_not_started(w, (smc_http_request_t){.method = "GET / HTTP/1.1\r\n"}, SMC_EINVAL,
                      "is not a method");
    check_not_started(w, (smc_http_request_t){.method = ""}, SMC_EINVAL, "is not a method");
    check_not_started(w, (smc_http_request_t){.method = "CONNECT"}, SMC_EINVAL, "'CONNECT'");
    check_not_started(w, (smc_http_request_t){.method = "HEAD", .body = ""}, SMC_EINVAL,
                      "HEAD request has no body");
}

static void other_hosts_are_refused(void **state)
{
    world_t *w = *state;

    check_not_started(w, (smc_http_request_t){.url = "https://api.binance.com/"}, SMC_EPOLICY,
                      "host 'api.binance.com' is refused");
    check_not_started(w, (smc_http_request_t){.url = "http://localhost@api.binance.com/"},
                      SMC_EPOLICY, "write the host alone");
    check_not_started(w, (smc_http_request_t){.url = "http://testnet.binance.vision/"}, SMC_EPOLICY,
                      "plaintext");
    check_not_started(w, (smc_http_request_t){.url = "ws://127.0.0.1:1/"}, SMC_EINVAL,
                      "ws:// is not HTTP");
    check_not_started(w, (smc_http_request_t){.url = "file:///etc/passwd"}, SMC_EINVAL,
                      "does not begin with http://");
}

static void the_environment_cannot_divert_a_request(void **state)
{
    world_t *w = *state;
    outcome_t o = {0};

    (void)setenv("http_proxy", "http://127.0.0.1:1", 1);
    (void)setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    get(w, "/", &o);
    (void)unsetenv("http_proxy");
    (void)unsetenv("ALL_PROXY");
    check_ok(&o, 200, "ok");
    outcome_free(&o);
}

/* ---- what comes back ---------------------------------------------------- */

static void answer_many_headers(raw_conn_t *c, const char *request, size_t n)
{
    (void)request;
    (void)n;
    raw_puts(c, "HTTP/1.1 100 Continue\r\nX-Interim: 1\r\n\r\n"
                "HTTP/1.1 418 \r\nX-MBX-USED-WEIGHT-1M:  25 \r\nset-cookie: a\r\nSet-Cookie: b\r\n"
                "X-Empty:\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n"
                "3;ext=1\r\nabc\r\n2\r\nde\r\n0\r\nx-sum: 1\r\n\r\n");
}

static void reply_headers_keep_their_order_and_bytes(void **state)
{
    static const char *const want[][2] = {
        {"X-MBX-USED-WEIGHT-1M", "25"},
        {"set-cookie", "a"},
        {"Set-Cookie", "b"},
        {"X-Empty", ""},
        {"Transfer-Encoding", "chunked"},
        {"Trailer", "x-sum"},
    };
    world_t *w = *state;
    outcome_t o = {0};

    w->server.handler = answer_many_headers;
    get(w, "/", &o);
    check_ok(&o, 418, "abcde");
    assert_int_equal(6, o.reply->n_headers);
    for (size_t i = 0; i < 6; i++) {
        const smc_http_header_t *h = &o.reply->headers[i];
        assert_int_equal(strlen(want[i][0]), h->name_len);
        assert_memory_equal(want[i][0], h->name, h->name_len);
        assert_int_equal(strlen(want[i][1]), h->value_len);
        assert_memory_equal(want[i][1], h->value, h->value_len);
    }
    outcome_free(&o);
}

static void answer_redirect(raw_conn_t *c, const char *request, size_t n)
{
    (void)request;
    (void)n;
    raw_puts(c, "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n");
}

static void a_redirect_is_a_reply(void **state)
{
    world_t *w = *state;
    outcome_t o = {0};

    w->server.handler = answer_redirect;
    get(w, "/", &o);
    check_ok(&o, 302, "");
    drain(w);
    assert_int_equal(1, w->server.requests);
    outcome_free(&o);
}

static raw_conn_t *slow_conn;

static void send_second(void *ud)
{
    (void)ud;
    raw_puts(slow_conn, "5\r\n-two-\r\n");
}

static void send_last(void *ud)
{
    (void)ud;
    raw_puts(slow_conn, "5\r\nthree\r\n0\r\n\r\n");
}

static void answer_in_pieces(raw_conn_t *c, const char *request, size_t n)
{
    smc_timer_t *t = NULL;

    (void)request;
    (void)n;
    slow_conn = c;
    raw_puts(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n");
    assert_int_equal(SMC_OK, smc_timer_start(c->server->loop, 20, send_second, NULL, &t, NULL));
    assert_int_equal(SMC_OK, smc_timer_start(c->server->loop, 40, send_last, NULL, &t, NULL));
}

static void a_streamed_body_arrives_piece_by_piece(void **state)
{
    world_t *w = *state;
    outcome_t o = {0};

    w->server.handler = answer_in_pieces;
    start(w,
          &(smc_http_request_t){.method = "GET",
                                .url = url_of(w, "/"),
                                .timeout_ms = 15, /* ends with the head */
                                .on_head = on_head,
                                .on_body = on_body},
          &o);
    finish(w, &o);
    check_ok(&o, 200, "");
    assert_string_equal("|one|-two-|three", o.stream.data);
    outcome_free(&o);
}

/* ---- connections -------------------------------------------------------- */

static void a_connection_is_kept_and_used_again(void **state)
{
    world_t *w = *state;
    outcome_t o = {0};

    assert_int_equal(0, smc_http_open_sockets(w->loop));
    for (int i = 0; i < 5; i++) {
        get(w, "/", &o);
        check_ok(&o, 200, "ok");
        assert_int_equal(i == 0, o.reply->new_connection);
        outcome_free(&o);
    }
    assert_int_equal(1, w->server.accepted);
    assert_int_equal(1, smc_http_open_sockets(w->loop));
    smc_http_idle_close(w->loop);
    assert_int_equal(0, smc_http_open_sockets(w->loop));
    get(w, "/", &o);
    assert_true(o.reply->new_connection);
    assert_int_equal(2, w->server.accepted);
    outcome_free(&o);
}

static void idle_close_leaves_a_call_alone(void **state)
{
    world_t *w = *state;
    outcome_t o = {0};

    start_get(w, "/", &o);
    smc_http_idle_close(w->loop);
    finish(w, &o);
    check_ok(&o, 200, "ok");
    outcome_free(&o);
}

#define MANY 100

static void many_requests_run_side_by_side(void **state)
{
    world_t *w = *state;
    static outcome_t o[MANY];
    char target[32];

    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < MANY; i++) {
            (void)snprintf(target, sizeof(target), "/%d", i);
            start_get(w, target, &o[i]);
        }
        for (int i = 0; i < MANY; i++)
            finish(w, &o[i]);
        for (int i = 0; i < MANY; i++) {
            check_ok(&o[i], 200, "ok");
            assert_int_equal(round == 0, o[i].reply->new_connection);
            outcome_free(&o[i]);
        }
    }
    assert_int_equal(MANY, w->server.accepted);
    assert_int_equal(2 * MANY, w->server.requests);
    assert_int_equal(MANY, smc_http_open_sockets(w->loop));
}

/* ---- what a child of ours finds ------------------------------------------ */

static bool is_loaded(void)
{
    void *lib = dlopen("libcurl.so.4", RTLD_LAZY | RTLD_NOLOAD);
    if (lib != NULL)
        (void)dlclose(lib);
    return lib != NULL;
}

/* Whether OpenSSL, which libcurl sets up, is still as it was at the start: its memory can be had from elsewhere. */
static bool is_untouched(void)
{
    return CRYPTO_set_mem_functions(NULL, NULL, NULL) == 1;
}

/* The first test: any request loads it. */
static void preloading_loads_it_for_good_and_sets_it_up(void **state)
{
    (void)state;
    assert_false(is_loaded());
    assert_true(is_untouched());
    smc_http_preload();
    assert_true(is_loaded());
    assert_false(is_untouched());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(preloading_loads_it_for_good_and_sets_it_up),
        BOTH(the_target_is_sent_byte_for_byte),
        BOTH(headers_are_sent_in_order_and_as_they_are),
        BOTH(a_bearer_token_follows_the_headers),
        BOTH(every_method_frames_its_body),
        BOTH(a_head_request_expects_no_body),
        BOTH(a_large_body_with_any_bytes_is_sent_at_once),
        VIRTUAL(a_bearer_token_that_could_forge_a_request_is_refused),
        VIRTUAL(what_could_forge_a_request_is_refused),
        BOTH(other_hosts_are_refused),
        BOTH(the_environment_cannot_divert_a_request),
        BOTH(reply_headers_keep_their_order_and_bytes),
        BOTH(a_redirect_is_a_reply),
        BOTH(a_streamed_body_arrives_piece_by_piece),
        BOTH(a_connection_is_kept_and_used_again),
        BOTH(idle_close_leaves_a_call_alone),
        BOTH(many_requests_run_side_by_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
