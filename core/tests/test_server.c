/* The server's HTTP: what handlers see and what clients get, over AF_UNIX in virtual and TCP in real mode. */
#include "server_fixture.h"

#define GET(target) "GET " target " HTTP/1.1\r\nHost: h\r\n\r\n"
#define OK(length, body) "HTTP/1.1 200 OK\r\nContent-Length: " length "\r\n\r\n" body

/* ---- requests ----------------------------------------------------------- */

static void a_request_reaches_the_handler_byte_for_byte(void **state)
{
    static const char target[] = "//a/./b/../c%2f?x=%2B+%26&&a=1&a=2;b&=3&e=";
    fixture_t *f = *state;
    smc_server_field_t field;
    client_t c;
    size_t n;

    serve(f, hold);
    c = dial(f);
    say(f, &c, "PATCH ");
    say(f, &c, target);
    say(f, &c, " HTTP/1.1\r\nHOST: H\r\nX-Key:   v w \r\nx-key: 2\r\nContent-Length: 4\r\n\r\n");
    say_n(f, &c, "\0\r\n\xff", 4);
    await(f, &f->n_held, 1);
    assert_memory_equal("PATCH", smc_exchange_method(f->held[0], &n), 5);
    assert_int_equal(5, n);
    assert_memory_equal(target, smc_exchange_target(f->held[0], &n), sizeof(target) - 1);
    assert_int_equal(sizeof(target) - 1, n);
    assert_memory_equal("\0\r\n\xff", smc_exchange_body(f->held[0], &n), 4);
    assert_int_equal(4, n);
    assert_int_equal(4, smc_exchange_n_fields(f->held[0]));
    field = smc_exchange_field(f->held[0], 1);
    assert_memory_equal("X-Key", field.name, field.name_len);
    assert_int_equal(3, field.value_len);
    assert_memory_equal("v w", field.value, field.value_len);
    assert_memory_equal("v w", smc_exchange_header(f->held[0], "X-KEY", &n), 3);
    assert_null(smc_exchange_header(f->held[0], "x", &n));
    assert_int_equal(1, smc_exchange_connection(f->held[0]));
    assert_true(smc_exchange_is_ours(f->held[0]));
    assert_false(smc_exchange_is_ws(f->held[0]));
    hang_up(&c);
}

static void requests_are_understood_byte_by_byte(void **state)
{
    static const char text[] = "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi"
                               "POST /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                               "3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n" GET("/c");
    fixture_t *f = *state;
    client_t c;

    serve(f, echo);
    c = dial(f);
    for (size_t i = 0; i < sizeof(text) - 1; i++) {
        say_n(f, &c, text + i, 1);
        turns(f, 2);
    }
    hear(f, &c, "GET /c ");
    assert_string_equal(OK("10", "POST /a hi") OK("12", "POST /b abcd") OK("7", "GET /c "),
                        c.got.data);
    hang_up(&c);
}

static void pipelined_requests_are_dispatched_one_after_the_other(void **state)
{
    fixture_t *f = *state;
    client_t c;

    serve(f, hold);
    c = dial(f);
    say(f, &c, GET("/1") GET("/2") GET("/3"));
    for (size_t i = 0; i < 3; i++) {
        char body[] = {(char)('1' + i)};
        await(f, &f->n_held, i + 1);
        turns(f, 20);
        assert_int_equal(i + 1, f->n_held);
        assert_int_equal(SMC_OK, smc_exchange_reply(f->held[i], 200, NULL, 0, body, 1));
    }
    hear(f, &c, "\r\n\r\n3");
    assert_string_equal(OK("1", "1") OK("1", "2") OK("1", "3"), c.got.data);
    hang_up(&c);
}

static void a_thousand_pipelined_requests_are_answered(void **state)
{
    fixture_t *f = *state;
    smc_buf_t text = {0};
    size_t found = 0;
    client_t c;

    serve(f, echo);
    c = dial(f);
    for (int i = 0; i < 1000; i++)
        (void)smc_buf_puts(&text, GET("/"));
    (void)smc_buf_puts(&text, GET("/last"));
    say_n(f, &c, text.data, text.len);
    hear(f, &c, "GET /last ");
    for (const char *p = c.got.data; (p = strstr(p, "200 OK")) != NULL; p++)
        found++;
    assert_int_equal(1001, found);
    smc_buf_deinit(&text);
    hang_up(&c);
}

static void a_client_that_expects_100_is_told_to_go_on(void **state)
{
    fixture_t *f = *state;
    client_t c;

    serve(f, echo);
    c = dial(f);
    say(f, &c, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    hear(f, &c, "\r\n\r\n");
    assert_string_equal("HTTP/1.1 100 Continue\r\n\r\n", c.got.data);
    say(f, &c, "hi");
    hear(f, &c, "POST / hi");
    hang_up(&c);
}

/* ---- answers ------------------------------------------------------------ */

static void an_answer_carries_exactly_what_it_was_given(void **state)
{
    static const smc_server_field_t fields[] = {FIELD("X-MBX-USED-WEIGHT-1M", "12"),
                                                FIELD("retry-after", "1")};
    fixture_t *f = *state;
    client_t c;

    serve(f, hold);
    c = dial(f);
    say(f, &c, GET("/"));
    await(f, &f->n_held, 1);
    assert_int_equal(SMC_OK, smc_exchange_reply(f->held[0], 429, fields, 2, "{}", 2));
    hear(f, &c, "{}");
    assert_string_equal("HTTP/1.1 429 Too Many Requests\r\nX-MBX-USED-WEIGHT-1M: 12\r\n"
                        "retry-after: 1\r\nContent-Length: 2\r\n\r\n{}",
                        c.got.data);
    hang_up(&c);
}

static void head_and_bodyless_answers_have_no_body(void **state)
{
    static const char head[] = "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n";
    fixture_t *f = *state;
    client_t c;

    serve(f, hold);
    c = dial(f);
    say(f, &c, head);
    say(f, &c, head);
    say(f, &c, GET("/") GET("/") GET("/"));
    await(f, &f->n_held, 1);
    assert_int_equal(SMC_OK, smc_exchange_reply(f->held[0], 200, NULL, 0, "body", 4));
    assert_int_equal(SMC_OK, smc_exchange_start(f->held[1], 200, NULL, 0));
    assert_int_equal(SMC_OK, smc_exchange_write(f->held[1], "body", 4));
    assert_int_equal(SMC_OK, smc_exchange_end(f->held[1]));
    assert_int_equal(SMC_OK, smc_exchange_reply(f->held[2], 204, NULL, 0, "body", 4));
    assert_int_equal(SMC_OK, smc_exchange_reply(f->held[3], 304, NULL, 0, NULL, 0));
    assert_int_equal(SMC_OK, smc_exchange_reply(f->held[4], 200, NULL, 0, "end", 3));
    hear(f, &c, "end");
    assert_string_equal("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"
                        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                        "HTTP/1.1 204 No Content\r\n\r\n"
                        "HTTP/1.1 304 Not Modified\r\n\r\n" OK("3", "end"),
                        c.got.data);
    hang_up(&c);
}

static void a_body_in_pieces_is_chunked(void **state)
{
    static const smc_server_field_t type = FIELD("Content-Type", "text/plain");
    fixture_t *f = *state;
    client_t c;

    serve(f, hold);
    c = dial(f);
    say(f, &c, GET("/"));
    await(f, &f->n_held, 1);
    assert_int_equal(SMC_EINVAL, smc_exchange_write(f->held[0], "early", 5));
    assert_int_equal(SMC_OK, smc_exchange_start(f->held[0], 200, &type, 1));
    assert_int_equal(SMC_EINVAL, smc_exchange_start(f->held[0], 200, NULL, 0));
    assert_int_equal(SMC_OK, smc_exchange_write(f->held[0], "hello, world", 12));
    hear(f, &c, "world\r\n");
    assert_int_equal(SMC_OK, smc_exchange_write(f->held[0], "", 0));
    assert_int_equal(SMC_OK, smc_exchange_end(f->held[0]));
    assert_int_equal(SMC_ECLOSED, smc_exchange_write(f->held[0], "late", 4));
    hear(f, &c, "0\r\n\r\n");
    assert_string_equal("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
                        "Transfer-Encoding: chunked\r\n\r\nc\r\nhello, world\r\n0\r\n\r\n",
                        c.got.data);
    say(f, &c, GET("/again"));
    await(f, &f->n_held, 2);
    hang_up(&c);
}

static void a_body_in_pieces_keeps_a_length_that_was_given(void **state)
{
    static const smc_server_field_t length = FIELD("content-length", "4");
    fixture_t *f = *state;
    client_t c;

    serve(f, hold);
    c = dial(f);
    say(f, &c, GET("/"));
    await(f, &f->n_held, 1);
    assert_int_equal(SMC_OK, smc_exchange_start(f->held[0], 200, &length, 1));
    assert_int_equal(SMC_OK, smc_exchange_write(f->held[0], "ab", 2));
    assert_int_equal(SMC_OK, smc_exchange_write(f->held[0], "cd", 2));
    assert_int_equal(SMC_OK, smc_exchange_end(f->held[0]));
    hear(f, &c, "cd");
    assert_string_equal("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nabcd", c.got.data);
    hang_up(&c);
}

static void http_1_0_gets_an_end_instead_of_chunks(void **state)
{
    fixture_t *f = *state;
    client_t c;

    serve(f, hold);
    c = dial(f);
    say(f, &c, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    await(f, &f->n_held, 1);
    assert_int_equal(SMC_OK, smc_exchange_reply(f->held[0], 200, NULL, 0, "1", 1));
    say(f, &c, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    await(f, &f->n_held, 2);
    assert_int_equal(SMC_OK, smc_exchange_start(f->held[1], 200, NULL, 0));
    assert_int_equal(SMC_OK, smc_exchange_write(f->held[1], "2", 1));
    assert_int_equal(SMC_OK, smc_exchange_end(f->held[1]));
    hear(f, &c, NULL);
    assert_string_equal("HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\n1"
                        "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n2",
                        c.got.data);
    hang_up(&c);
}

static void either_side_can_ask_for_the_end_of_the_connection(void **state)
{
    static const smc_server_field_t end = FIELD("Connection", "close");
    fixture_t *f = *state;
    client_t c;

    serve(f, hold);
    c = dial(f);
    say(f, &c, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n" GET("/ignored"));
    await(f, &f->n_held, 1);
    assert_int_equal(SMC_OK, smc_exchange_reply(f->held[0], 200, NULL, 0, NULL, 0));
    hear(f, &c, NULL);
    assert_string_equal("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
                        c.got.data);
    hang_up(&c);
    c = dial(f);
    say(f, &c, GET("/"));
    await(f, &f->n_held, 2);
    assert_int_equal(SMC_OK, smc_exchange_reply(f->held[1], 200, &end, 1, NULL, 0));
    hear(f, &c, NULL);
    assert_string_equal("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
                        c.got.data);
    hang_up(&c);
    await_connections(f, 0);
}

static void what_would_corrupt_an_answer_is_refused(void **state)
{
    static const smc_server_field_t split = FIELD("A", "b\r\nC: d");
    static const smc_server_field_t blank = FIELD("A b", "c");
    fixture_t *f = *state;
    client_t c;

    serve(f, hold);
    c = dial(f);
    say(f, &c, GET("/"));
    await(f, &f->n_held, 1);
    assert_int_equal(SMC_EINVAL, smc_exchange_reply(f->held[0], 200, &split, 1, NULL, 0));
    assert_int_equal(SMC_EINVAL, smc_exchange_reply(f->held[0], 200, &blank, 1, NULL, 0));
    assert_int_equal(SMC_EINVAL, smc_exchange_reply(f->held[0], 100, NULL, 0, NULL, 0));
    assert_int_equal(SMC_EINVAL, smc_exchange_reply(f->held[0], 600, NULL, 0, NULL, 0));
    assert_int_equal(SMC_EINVAL, smc_exchange_end(f->held[0]));
    assert_int_equal(SMC_OK, smc_exchange_reply(f->held[0], 299, NULL, 0, NULL, 0));
    assert_int_equal(SMC_ECLOSED, smc_exchange_reply(f->held[0], 200, NULL, 0, NULL, 0));
    hear(f, &c, "\r\n\r\n");
    assert_string_equal("HTTP/1.1 299 \r\nContent-Length: 0\r\n\r\n", c.got.data);
    hang_up(&c);
}

static void a_big_body_arrives_whole_both_ways(void **state)
{
    enum { SIZE = 5 * 1024 * 1024 };
    fixture_t *f = *state;
    char *body = malloc(SIZE);
    char head[128];
    size_t n;
    client_t c;

    assert_non_null(body);
    for (size_t i = 0; i < SIZE; i++)
        body[i] = (char)(i * 7 / 5);
    f->conf.max_body_bytes = SIZE;
    serve(f, hold);
    c = dial(f);
    (void)snprintf(head, sizeof(head), "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n",
                   SIZE);
    say(f, &c, head);
    say_n(f, &c, body, SIZE);
    await(f, &f->n_held, 1);
    assert_memory_equal(body, smc_exchange_body(f->held[0], &n), SIZE);
    assert_int_equal(SIZE, n);
    assert_int_equal(SMC_OK, smc_exchange_reply(f->held[0], 200, NULL, 0, body, SIZE));
    hear(f, &c, "\r\n\r\n");
    n = (size_t)(strstr(c.got.data, "\r\n\r\n") + 4 - c.got.data);
    for (int i = 0; i < 1000000 && c.got.len < n + SIZE; i++) {
        turns(f, 1);
        listen_once(&c);
    }
    assert_int_equal(n + SIZE, c.got.len);
    assert_memory_equal(body, c.got.data + n, SIZE);
    free(body);
    hang_up(&c);
}

/* ---- ends --------------------------------------------------------------- */

static void an_exchange_whose_client_left_is_gone(void **state)
{
    fixture_t *f = *state;
    size_t n;
    client_t c;

    serve(f, hold);
    c = dial(f);
    say(f, &c, GET("/left"));
    await(f, &f->n_held, 1);
    assert_true(smc_exchange_alive(f->held[0]));
    hang_up(&c);
    await(f, &f->n_gone, 1);
    assert_memory_equal("/left", smc_exchange_target(f->held[0], &n), 5);
    assert_int_equal(SMC_ECLOSED, smc_exchange_reply(f->held[0], 200, NULL, 0, NULL, 0));
    assert_int_equal(SMC_ECLOSED, smc_exchange_start(f->held[0], 200, NULL, 0));
    assert_int_equal(SMC_ECLOSED, smc_exchange_raw(f->held[0], "x", 1));
    assert_int_equal(SMC_ECLOSED, smc_exchange_end(f->held[0]));
    assert_int_equal(SMC_ECLOSED, smc_exchange_close(f->held[0]));
    assert_int_equal(SMC_ECLOSED, smc_exchange_reset(f->held[0]));
    await_connections(f, 0);
}

static void a_stream_whose_client_left_is_gone_while_it_writes(void **state)
{
    fixture_t *f = *state;
    client_t c;

    serve(f, hold);
    c = dial(f);
    say(f, &c, GET("/"));
    await(f, &f->n_held, 1);
    assert_int_equal(SMC_OK, smc_exchange_start(f->held[0], 200, NULL, 0));
    hang_up(&c);
    for (int i = 0; i < 100000 && smc_exchange_write(f->held[0], "x", 1) == SMC_OK; i++)
        turns(f, 1);
    assert_int_equal(1, f->n_gone);
}

static void closing_the_server_ends_what_is_pending(void **state)
{
    fixture_t *f = *state;
    client_t c, idle;

    serve(f, hold);
    idle = dial(f);
    c = dial(f);
    say(f, &c, GET("/"));
    await(f, &f->n_held, 1);
    smc_server_close(f->server);
    f->server = NULL;
    assert_int_equal(1, f->n_gone);
    hear(f, &c, NULL);
    hear(f, &idle, NULL);
    assert_int_equal(0, c.got.len);
    hang_up(&c);
    hang_up(&idle);
}

static void close_inside(void *ud, smc_exchange_t *ex)
{
    fixture_t *f = ud;

    smc_server_close(f->server);
    f->server = NULL;
    smc_exchange_release(ex);
}

static void a_handler_may_close_its_server(void **state)
{
    fixture_t *f = *state;
    client_t c;

    serve(f, close_inside);
    c = dial(f);
    say(f, &c, GET("/1") GET("/2"));
    hear(f, &c, NULL);
    assert_int_equal(1, f->n_gone);
    hang_up(&c);
}

static void two_servers_do_not_share_a_port(void **state)
{
    fixture_t *f = *state;
    smc_server_t *other = NULL;
    smc_server_conf_t conf = f->conf;
    smc_error_t err = {0};

    assert_int_equal(SMC_EINVAL, smc_server_open(f->loop, &conf, &other, &err));
    serve(f, echo);
    conf.on_request = echo;
    conf.port = smc_server_port(f->server);
    assert_int_equal(SMC_ESYS, smc_server_open(f->loop, &conf, &other, &err));
    assert_int_equal(EADDRINUSE, err.sys);
    conf.port = 0;
    assert_int_equal(SMC_OK, smc_server_open(f->loop, &conf, &other, &err));
    assert_int_not_equal(smc_server_port(f->server), smc_server_port(other));
    smc_server_close(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(a_request_reaches_the_handler_byte_for_byte),
        BOTH(requests_are_understood_byte_by_byte),
        BOTH(pipelined_requests_are_dispatched_one_after_the_other),
        BOTH(a_thousand_pipelined_requests_are_answered),
        BOTH(a_client_that_expects_100_is_told_to_go_on),
        BOTH(an_answer_carries_exactly_what_it_was_given),
        BOTH(head_and_bodyless_answers_have_no_body),
        BOTH(a_body_in_pieces_is_chunked),
        BOTH(a_body_in_pieces_keeps_a_length_that_was_given),
        BOTH(http_1_0_gets_an_end_instead_of_chunks),
        BOTH(either_side_can_ask_for_the_end_of_the_connection),
        BOTH(what_would_corrupt_an_answer_is_refused),
        BOTH(a_big_body_arrives_whole_both_ways),
        BOTH(an_exchange_whose_client_left_is_gone),
        BOTH(a_stream_whose_client_left_is_gone_while_it_writes),
        BOTH(closing_the_server_ends_what_is_pending),
        BOTH(a_handler_may_close_its_server),
        BOTH(two_servers_do_not_share_a_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
