/* What the server bears (malformed, slow, too much, too many) and what it does wrong on request. */
#include "server_fixture.h"

#include <fcntl.h>
#include <sys/resource.h>

#define GET(target) "GET " target " HTTP/1.1\r\nHost: h\r\n\r\n"
#define POST "POST / HTTP/1.1\r\nHost: h\r\n"

/* ---- bad requests ------------------------------------------------------- */

static void assert_refused(fixture_t *f, const char *request, const char *status_line)
{
    client_t c = dial(f);
    char expected[160];

    (void)snprintf(expected, sizeof(expected),
                   "HTTP/1.1 %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", status_line);
    say(f, &c, request);
    hear(f, &c, NULL);
    assert_string_equal(expected, c.got.data);
    assert_int_equal(0, c.error);
    hang_up(&c);
}

static void what_can_not_be_read_is_answered_and_ends_the_connection(void **state)
{
    fixture_t *f = *state;

    f->conf.max_head_bytes = 100;
    f->conf.max_body_bytes = 10;
    serve(f, hold);
    assert_refused(f, "nonsense\r\n\r\n", "400 Bad Request");
    assert_refused(f, "\x16\x03\x01", "400 Bad Request");
    assert_refused(f, "GET / HTTP/2.0\r\n\r\n", "505 HTTP Version Not Supported");
    assert_refused(f, POST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
                   "400 Bad Request");
    assert_refused(f, POST "Content-Length: 11\r\n\r\n", "413 Content Too Large");
    assert_refused(f, POST "Transfer-Encoding: chunked\r\n\r\n6\r\n012345\r\n5\r\n",
                   "413 Content Too Large");
    assert_refused(f, POST "Transfer-Encoding: chunked\r\n\r\nzz\r\n", "400 Bad Request");
    assert_refused(f, POST "Expect: tea\r\n\r\n", "417 Expectation Failed");
    assert_refused(f, POST "Transfer-Encoding: gzip\r\n\r\n", "501 Not Implemented");
    assert_refused(
        f, POST "A: 0123456789012345678901234567890123456789012345678901234567890123456789\r\n",
        "431 Request Header Fields Too Large");
    assert_refused(f,
                   "GET /012345678901234567890123456789012345678901234567890123456789012345678901"
                   "234567890123456789012345678901234567890123456789",
                   "414 URI Too Long");
    assert_int_equal(0, f->n_held);
    await_connections(f, 0);
}

static void a_refusal_reaches_a_client_that_goes_on_sending(void **state)
{
    enum { SIZE = 3 * 1024 * 1024 };
    fixture_t *f = *state;
    char *body = calloc(1, SIZE);
    client_t c;

    assert_non_null(body);
    serve(f, hold);
    c = dial(f);
    say(f, &c, POST "Content-Length: 3145728\r\n\r\n");
    say_n(f, &c, body, SIZE);
    hear(f, &c, NULL);
    assert_non_null(strstr(c.got.data, "413 Content Too Large"));
    assert_int_equal(0, c.error);
    free(body);
    hang_up(&c);
}

static uint32_t draw(uint32_t *seed, uint32_t below)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)*seed * below >> 32);
}

static void it_survives_garbage(void **state)
{
    static const char good[] =
        POST "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" GET("/") POST
        "Content-Length: 3\r\n\r\nabc";
    fixture_t *f = *state;
    client_t c;

    serve(f, echo);
    for (uint32_t seed = 1, next = 1; next <= 2000; seed = ++next) {
        char text[sizeof(good)];
        memcpy(text, good, sizeof(good));
        for (uint32_t n = draw(&seed, 4); n > 0; n--)
            text[draw(&seed, sizeof(good) - 1)] = (char)draw(&seed, 256);
        c = dial(f);
        say_n(f, &c, text, draw(&seed, sizeof(good)));
        turns(f, 2);
        hang_up(&c);
    }
    await_connections(f, 0);
    c = dial(f);
    say(f, &c, GET("/alive"));
    hear(f, &c, "GET /alive ");
    hang_up(&c);
}

/* ---- slow and many ------------------------------------------------------ */

static void an_idle_connection_is_closed_when_its_time_is_over(void **state)
{
    fixture_t *f = *state;
    client_t c;

    f->conf.idle_ms = 5000;
    serve(f, hold);
    c = dial(f);
    turns(f, 5);
    smc_clock_advance_ns(INT64_C(4000000000));
    say(f, &c, "GET / HTTP/1.1\r\n"); /* half a request: it waits anew */
    assert_silence(f, &c);
    assert_int_equal(5000, ms_until_end(f, &c));
    hang_up(&c);
}

static void a_connection_that_waits_for_its_answer_is_not_idle(void **state)
{
    fixture_t *f = *state;
    client_t c;

    f->conf.idle_ms = 5000;
    serve(f, hold);
    c = dial(f);
    say(f, &c, GET("/"));
    await(f, &f->n_held, 1);
    smc_clock_advance_ns(INT64_C(6000000000));
    assert_silence(f, &c);
    smc_clock_advance_ns(INT64_C(3000000000));
    assert_int_equal(SMC_OK, smc_exchange_reply(f->held[0], 200, NULL, 0, "x", 1));
    hear(f, &c, "x");
    assert_int_equal(5000, ms_until_end(f, &c)); /* from the answer on */
    hang_up(&c);
}

/* A piece each second of what `request` is answered with; how much came until nothing did. */
static size_t read_slowly(fixture_t *f, const char *request, const char *body, size_t n)
{
    size_t got;
    client_t c = dial(f);

    say(f, &c, request);
    await(f, &f->n_held, 1);
    assert_int_equal(SMC_OK, smc_exchange_reply(f->held[0], 200, NULL, 0, body, n));
    smc_exchange_release(f->held[--f->n_held]);
    for (int i = 0; i < 100 && !c.ended; i++) {
        turns(f, 3);
        listen_once(&c);
        smc_clock_advance_ns(INT64_C(1000000000));
    }
    got = c.got.len;
    hang_up(&c);
    return got;
}

static void a_connection_that_takes_its_answer_is_not_idle(void **state)
{
    enum { SIZE = 3 << 20 };
    fixture_t *f = *state;
    char *body = calloc(1, SIZE);

    assert_non_null(body);
    f->conf.idle_ms = 5000;
    serve(f, hold);
    assert_true(read_slowly(f, GET("/"), body, SIZE) > SIZE);
    assert_true(read_slowly(f, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", body,
                            SIZE) > SIZE);
    free(body);
}

static void without_a_time_out_an_idle_connection_stays_in_virtual_time(void **state)
{
    fixture_t *f = *state;
    client_t c;

    serve(f, hold);
    c = dial(f);
    turns(f, 5);
    assert_int_equal(SMC_TURN_DEADLOCK, smc_loop_turn(f->loop, true));
    assert_int_equal(1, smc_server_connections(f->server));
    hang_up(&c);
}

static void nothing_happens(void *ud)
{
    (void)ud;
}

static void time_does_not_jump_over_an_answer_that_is_still_unread(void **state)
{
    fixture_t *f = *state;
    smc_timer_t *timer = NULL;
    int64_t start_ns;
    client_t c;

    serve(f, hold);
    c = dial(f);
    say(f, &c, GET("/"));
    await(f, &f->n_held, 1);
    turns(f, 5);
    assert_int_equal(SMC_OK, smc_exchange_reply(f->held[0], 200, NULL, 0, "x", 1));
    assert_int_equal(SMC_OK, smc_timer_start(f->loop, 1000, nothing_happens, NULL, &timer, NULL));
    start_ns = smc_clock_now_ns();
    for (int i = 0; i < 5; i++)
        (void)smc_loop_turn(f->loop, true);
    assert_int_equal(start_ns, smc_clock_now_ns());
    hear(f, &c, "x");
    for (int i = 0; i < 5; i++)
        (void)smc_loop_turn(f->loop, true);
    assert_int_equal(start_ns + INT64_C(1000000000), smc_clock_now_ns());
    hang_up(&c);
}

static void a_client_that_does_not_end_is_left_after_two_seconds(void **state)
{
    fixture_t *f = *state;
    int64_t start_ns = smc_clock_now_ns();
    client_t c;

    serve(f, echo);
    c = dial(f);
    say(f, &c, "GET / HTTP/1.0\r\n\r\n");
    hear(f, &c, NULL);
    assert_int_equal(1, smc_server_connections(f->server));
    for (int i = 0; i < 100 && smc_server_connections(f->server) > 0; i++)
        (void)smc_loop_turn(f->loop, true);
    assert_int_equal(0, smc_server_connections(f->server));
    assert_int_equal(2000, (smc_clock_now_ns() - start_ns) / 1000000);
    hang_up(&c);
}

static void a_reader_that_lets_too_much_pile_up_is_dropped(void **state)
{
    fixture_t *f = *state;
    char *piece = calloc(1, 100000);
    size_t written = 0;
    client_t c;

    assert_non_null(piece);
    f->conf.max_queue_bytes = 1000000;
    serve(f, hold);
    c = dial(f);
    say(f, &c, GET("/"));
    await(f, &f->n_held, 1);
    assert_int_equal(SMC_OK, smc_exchange_start(f->held[0], 200, NULL, 0));
    for (; written < 1000 && smc_exchange_write(f->held[0], piece, 100000) == SMC_OK; written++)
        turns(f, 1);
    assert_in_range(written, 10, 200); /* the queue, and what the kernel takes */
    assert_int_equal(1, f->n_gone);
    free(piece);
    hang_up(&c);
}

static void too_much_input_behind_an_open_request_is_dropped(void **state)
{
    fixture_t *f = *state;
    smc_buf_t text = {0};
    client_t c;

    f->conf.max_body_bytes = 1000;
    f->conf.max_head_bytes = 1000;
    serve(f, hold);
    c = dial(f);
    for (int i = 0; i < 10000; i++)
        (void)smc_buf_puts(&text, GET("/"));
    say_n(f, &c, text.data, text.len);
    hear(f, &c, NULL);
    assert_int_equal(1, f->n_gone);
    smc_buf_deinit(&text);
    hang_up(&c);
}

static void thousands_of_idle_connections_do_no_harm(void **state)
{
    enum { WANTED = 4000 };
    fixture_t *f = *state;
    struct rlimit files;
    size_t n = WANTED;
    int *fds = calloc(WANTED, sizeof(*fds));
    client_t c;

    assert_non_null(fds);
    assert_int_equal(0, getrlimit(RLIMIT_NOFILE, &files));
    files.rlim_cur = files.rlim_max;
    assert_int_equal(0, setrlimit(RLIMIT_NOFILE, &files));
    if (files.rlim_max < 2 * WANTED + 100)
        n = (size_t)files.rlim_max / 2 - 100;
    serve(f, echo);
    for (size_t i = 0; i < n; i++) {
        fds[i] = try_dial(f);
        assert_true(fds[i] >= 0);
        turns(f, 1);
    }
    await_connections(f, n);
    c = dial(f);
    say(f, &c, GET("/busy"));
    hear(f, &c, "GET /busy ");
    hang_up(&c);
    for (size_t i = 0; i < n; i++)
        (void)close(fds[i]);
    await_connections(f, 0);
    free(fds);
}

static void out_of_descriptors_it_sends_clients_away_and_goes_on(void **state)
{
    fixture_t *f = *state;
    struct rlimit files, tight;
    client_t c, later;

    serve(f, echo);
    c = dial(f);
    assert_int_equal(0, getrlimit(RLIMIT_NOFILE, &files));
    tight = files;
    tight.rlim_cur = (rlim_t)dup(c.fd); /* the next free one is beyond the limit */
    (void)close((int)tight.rlim_cur);
    assert_int_equal(0, setrlimit(RLIMIT_NOFILE, &tight));
    hear(f, &c, NULL);
    assert_int_equal(0, setrlimit(RLIMIT_NOFILE, &files));
    assert_int_equal(0, smc_server_connections(f->server));
    later = dial(f);
    say(f, &later, GET("/later"));
    hear(f, &later, "GET /later ");
    hang_up(&c);
    hang_up(&later);
}

static void without_any_descriptor_it_waits_for_better_times(void **state)
{
    fixture_t *f = *state;
    struct rlimit files, tight;
    int64_t start_ns = smc_clock_now_ns();
    client_t c;

    serve(f, echo);
    c = dial(f);
    say(f, &c, GET("/late"));
    assert_int_equal(0, getrlimit(RLIMIT_NOFILE, &files));
    tight = files;
    tight.rlim_cur = 3; /* not even the one that is kept for this can be opened again */
    assert_int_equal(0, setrlimit(RLIMIT_NOFILE, &tight));
    for (int i = 0; i < 10000 && smc_clock_now_ns() < start_ns + 500000000; i++)
        (void)smc_loop_turn(f->loop, true);
    assert_int_equal(500, (smc_clock_now_ns() - start_ns) / 1000000); /* and not busily */
    assert_int_equal(0, setrlimit(RLIMIT_NOFILE, &files));
    for (int i = 0; i < 100 && smc_server_connections(f->server) == 0; i++)
        (void)smc_loop_turn(f->loop, true);
    hear(f, &c, "GET /late ");
    hang_up(&c);
}

/* ---- faults on request -------------------------------------------------- */

static client_t ask(fixture_t *f)
{
    client_t c = dial(f);

    say(f, &c, GET("/"));
    await(f, &f->n_held, f->n_held + 1);
    return c;
}

static void raw_bytes_go_out_as_they_are(void **state)
{
    fixture_t *f = *state;
    client_t c;

    serve(f, hold);
    c = ask(f);
    assert_int_equal(SMC_OK, smc_exchange_raw(f->held[0], "HTTP/9.9 boo\r\n", 14));
    assert_int_equal(SMC_OK, smc_exchange_raw(f->held[0], "\0\xff", 2));
    assert_int_equal(SMC_OK, smc_exchange_close(f->held[0]));
    hear(f, &c, NULL);
    assert_int_equal(16, c.got.len);
    assert_memory_equal("HTTP/9.9 boo\r\n\0\xff", c.got.data, 16);
    hang_up(&c);
}

static void an_answer_can_stop_in_the_middle(void **state)
{
    static const smc_server_field_t length = FIELD("Content-Length", "100");
    fixture_t *f = *state;
    client_t c;

    serve(f, hold);
    c = ask(f);
    assert_int_equal(SMC_OK, smc_exchange_start(f->held[0], 200, &length, 1));
    assert_int_equal(SMC_OK, smc_exchange_write(f->held[0], "half", 4));
    assert_int_equal(SMC_OK, smc_exchange_close(f->held[0]));
    hear(f, &c, NULL);
    assert_string_equal("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", c.got.data);
    assert_int_equal(0, c.error);
    assert_int_equal(0, f->n_gone);
    hang_up(&c);
}

static void a_reset_drops_the_connection(void **state)
{
    fixture_t *f = *state;
    client_t c;

    serve(f, hold);
    c = ask(f);
    assert_int_equal(SMC_OK, smc_exchange_reset(f->held[0]));
    assert_false(smc_exchange_alive(f->held[0]));
    hear(f, &c, NULL);
    assert_int_equal(0, c.got.len);
    assert_int_equal(smc_clock_is_virtual() ? 0 : ECONNRESET, c.error);
    assert_int_equal(0, smc_server_connections(f->server));
    assert_int_equal(0, f->n_gone);
    hang_up(&c);
}

static void a_released_exchange_is_never_answered(void **state)
{
    fixture_t *f = *state;
    client_t c;

    serve(f, hold);
    c = ask(f);
    smc_exchange_release(f->held[0]);
    f->n_held = 0;
    assert_silence(f, &c);
    assert_int_equal(1, smc_server_connections(f->server));
    hang_up(&c);
    await_connections(f, 0);
    assert_int_equal(1, f->n_gone);
}

static void a_muted_server_is_silent_until_it_is_unmuted(void **state)
{
    fixture_t *f = *state;
    client_t before, during, left;

    serve(f, hold);
    before = ask(f);
    smc_server_mute(f->server, true);
    assert_int_equal(SMC_OK, smc_exchange_reply(f->held[0], 200, NULL, 0, "1", 1));
    during = dial(f);
    say(f, &during, GET("/2"));
    left = dial(f);
    say(f, &left, GET("/3"));
    assert_silence(f, &before);
    assert_silence(f, &during);
    assert_int_equal(1, f->n_held);
    hang_up(&left);
    await_connections(f, 2);
    smc_server_mute(f->server, false);
    hear(f, &before, "\r\n\r\n1");
    assert_int_equal(2, f->n_held);
    assert_int_equal(SMC_OK, smc_exchange_reply(f->held[1], 200, NULL, 0, "2", 1));
    hear(f, &during, "\r\n\r\n2");
    hang_up(&before);
    hang_up(&during);
}

static void a_muted_server_does_not_even_end_a_connection(void **state)
{
    fixture_t *f = *state;
    client_t c;

    serve(f, hold);
    c = ask(f);
    smc_server_mute(f->server, true);
    assert_int_equal(SMC_OK, smc_exchange_close(f->held[0]));
    assert_silence(f, &c);
    smc_server_mute(f->server, false);
    hear(f, &c, NULL);
    hang_up(&c);
}

static void a_refusing_server_keeps_its_clients_and_comes_back_on_its_port(void **state)
{
    fixture_t *f = *state;
    uint16_t port;
    const char *path = NULL;
    client_t old, again;

    serve(f, echo);
    port = smc_server_port(f->server);
    old = dial(f);
    say(f, &old, GET("/1"));
    hear(f, &old, "GET /1 ");
    assert_int_equal(SMC_OK, smc_server_refuse(f->server, true, NULL));
    if (smc_loop_route(f->loop, "127.0.0.1", port, &path)) {
        assert_null(path);
    } else {
        again = dial(f);
        hear(f, &again, NULL);
        assert_int_equal(ECONNREFUSED, again.error);
        hang_up(&again);
    }
    say(f, &old, GET("/2"));
    hear(f, &old, "GET /2 ");
    assert_int_equal(SMC_OK, smc_server_refuse(f->server, false, NULL));
    assert_int_equal(port, smc_server_port(f->server));
    again = dial(f);
    say(f, &again, GET("/3"));
    hear(f, &again, "GET /3 ");
    hang_up(&old);
    hang_up(&again);
}

static void dropping_ends_every_connection_but_not_the_server(void **state)
{
    fixture_t *f = *state;
    client_t waiting, idle, again;

    serve(f, hold);
    idle = dial(f);
    waiting = ask(f);
    await_connections(f, 2);
    smc_server_drop(f->server);
    assert_int_equal(0, smc_server_connections(f->server));
    assert_int_equal(1, f->n_gone);
    hear(f, &waiting, NULL);
    hear(f, &idle, NULL);
    again = ask(f);
    assert_int_equal(SMC_OK, smc_exchange_reply(f->held[1], 200, NULL, 0, "x", 1));
    hear(f, &again, "\r\n\r\nx");
    hang_up(&waiting);
    hang_up(&idle);
    hang_up(&again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(what_can_not_be_read_is_answered_and_ends_the_connection),
        BOTH(a_refusal_reaches_a_client_that_goes_on_sending),
        BOTH(it_survives_garbage),
        VIRTUAL(an_idle_connection_is_closed_when_its_time_is_over),
        VIRTUAL(a_connection_that_waits_for_its_answer_is_not_idle),
        VIRTUAL(a_connection_that_takes_its_answer_is_not_idle),
        VIRTUAL(without_a_time_out_an_idle_connection_stays_in_virtual_time),
        VIRTUAL(time_does_not_jump_over_an_answer_that_is_still_unread),
        VIRTUAL(a_client_that_does_not_end_is_left_after_two_seconds),
        BOTH(a_reader_that_lets_too_much_pile_up_is_dropped),
        BOTH(too_much_input_behind_an_open_request_is_dropped),
        BOTH(thousands_of_idle_connections_do_no_harm),
        BOTH(out_of_descriptors_it_sends_clients_away_and_goes_on),
        VIRTUAL(without_any_descriptor_it_waits_for_better_times),
        BOTH(raw_bytes_go_out_as_they_are),
        BOTH(an_answer_can_stop_in_the_middle),
        BOTH(a_reset_drops_the_connection),
        BOTH(a_released_exchange_is_never_answered),
        BOTH(a_muted_server_is_silent_until_it_is_unmuted),
        BOTH(a_muted_server_does_not_even_end_a_connection),
        BOTH(a_refusing_server_keeps_its_clients_and_comes_back_on_its_port),
        BOTH(dropping_ends_every_connection_but_not_the_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
