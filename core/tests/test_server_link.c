/* Links in front of a server: put there in the middle of a connection's life, and of use to nobody else. */
#include "server_fixture.h"

#define GET(target) "GET " target " HTTP/1.1\r\nHost: h\r\n\r\n"
#define UPGRADE                                                                        \
    "GET /ws?a=b HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"

static smc_links_t *links_of(fixture_t *f)
{
    smc_links_t *links = NULL;

    assert_int_equal(SMC_OK, smc_server_links(f->server, &links, NULL));
    return links;
}

/* A toxic that changes nothing: it only makes links. */
static unsigned add_harmless(fixture_t *f)
{
    smc_toxic_t t = {.kind = SMC_TOXIC_SLOW_CLOSE, .streams = SMC_LINK_UPSTREAM, .toxicity = 1};
    unsigned id = 0;

    assert_int_equal(SMC_OK, smc_server_add_toxic(f->server, &t, &id, NULL));
    return id;
}

static void a_connection_gets_its_link_in_the_middle_of_a_request(void **state)
{
    fixture_t *f = *state;
    client_t c;

    serve(f, echo);
    c = dial(f);
    say(f, &c, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n01234");
    await_connections(f, 1);
    turns(f, 5);
    say(f, &c, "56"); /* may lie unread in the socket that is handed on */
    (void)add_harmless(f);
    assert_int_equal(1, smc_links_open_count(links_of(f)));
    say(f, &c, "789");
    hear(f, &c, "POST / 0123456789");
    say(f, &c, GET("/next"));
    hear(f, &c, "GET /next ");
    hang_up(&c);
    await_connections(f, 0);
}

static void connections_have_links_as_long_as_a_toxic_may_hit_them(void **state)
{
    fixture_t *f = *state;
    client_t a, b;
    unsigned id;

    serve(f, echo);
    id = add_harmless(f);
    a = dial(f);
    say(f, &a, GET("/a"));
    hear(f, &a, "GET /a ");
    assert_int_equal(1, smc_links_open_count(links_of(f)));
    smc_links_remove(links_of(f), id);
    b = dial(f);
    say(f, &b, GET("/b"));
    hear(f, &b, "GET /b ");
    assert_int_equal(1, smc_links_open_count(links_of(f)));
    say(f, &a, GET("/again"));
    hear(f, &a, "GET /again ");
    hang_up(&a);
    hang_up(&b);
}

static void large_things_pass_a_link_whole(void **state)
{
    enum { SIZE = 3 * 1024 * 1024 };
    fixture_t *f = *state;
    char head[100], *body = malloc(SIZE + 1);
    client_t c;

    assert_non_null(body);
    for (int i = 0; i < SIZE; i++)
        body[i] = (char)('a' + i * 7 % 26);
    body[SIZE - 1] = 'Z';
    body[SIZE] = '\0';
    f->conf.max_body_bytes = SIZE;
    serve(f, echo);
    (void)add_harmless(f);
    c = dial(f);
    (void)snprintf(head, sizeof(head), "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n",
                   SIZE);
    say(f, &c, head);
    say_n(f, &c, body, SIZE);
    hear(f, &c, "Z");
    assert_non_null(strstr(c.got.data, body));
    free(body);
    hang_up(&c);
}

static void one_connection_can_be_aimed_at(void **state)
{
    smc_toxic_t t = {
        .kind = SMC_TOXIC_BLACKHOLE, .streams = SMC_LINK_DOWNSTREAM, .toxicity = 1, .aimed = true};
    fixture_t *f = *state;
    unsigned id = 0;
    client_t a, b;

    serve(f, hold);
    a = dial(f);
    b = dial(f);
    say(f, &a, GET("/a"));
    await(f, &f->n_held, 1);
    say(f, &b, GET("/b"));
    await(f, &f->n_held, 2);
    assert_int_equal(SMC_OK, smc_server_add_toxic(f->server, &t, &id, NULL));
    assert_int_equal(0, smc_links_open_count(links_of(f)));
    assert_true(smc_server_aim(f->server, smc_exchange_connection(f->held[0]), id, true));
    assert_false(smc_server_aim(f->server, 99, id, true));
    assert_int_equal(1, smc_links_open_count(links_of(f)));
    for (int i = 0; i < 2; i++)
        assert_int_equal(SMC_OK, smc_exchange_reply(f->held[i], 200, NULL, 0, "x", 1));
    hear(f, &b, "x");
    assert_silence(f, &a);
    assert_true(smc_server_aim(f->server, smc_exchange_connection(f->held[0]), id, false));
    hear(f, &a, "x");
    hang_up(&a);
    hang_up(&b);
}

static void note_busy(void *ud, const smc_server_busy_t *busy)
{
    (void)smc_buf_printf(ud, "%d %.*s %.*s;", (int)busy->connection, (int)busy->n_method,
                         busy->method, (int)busy->n_target, busy->target);
}

static void hold_or_accept(void *ud, smc_exchange_t *ex)
{
    static const smc_peer_callbacks_t deaf = {0};
    fixture_t *f = ud;

    if (!smc_exchange_is_ws(ex)) {
        hold(ud, ex);
        return;
    }
    assert_int_equal(SMC_OK, smc_exchange_accept_ws(ex, &deaf, f, NULL, 0, &f->peer));
    smc_exchange_release(ex);
}

static void what_connections_are_busy_with_can_be_asked(void **state)
{
    fixture_t *f = *state;
    smc_buf_t list = {0};
    client_t idle, ws, slow;

    serve(f, hold_or_accept);
    idle = dial(f);
    await_connections(f, 1);
    ws = dial(f);
    say(f, &ws, UPGRADE);
    hear(f, &ws, "101 Switching");
    slow = dial(f);
    say(f, &slow, "PUT /slow?x=1 HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
    await(f, &f->n_held, 1);
    smc_server_each_busy(f->server, note_busy, &list);
    assert_string_equal("2 GET /ws?a=b;3 PUT /slow?x=1;", list.data);
    smc_buf_deinit(&list);
    hang_up(&idle);
    hang_up(&ws);
    hang_up(&slow);
}

static void a_reset_passes_a_link(void **state)
{
    fixture_t *f = *state;
    client_t c;

    serve(f, hold);
    (void)add_harmless(f);
    c = dial(f);
    say(f, &c, GET("/"));
    await(f, &f->n_held, 1);
    assert_int_equal(SMC_OK, smc_exchange_reset(f->held[0]));
    hear(f, &c, NULL);
    assert_int_equal(smc_clock_is_virtual() ? 0 : ECONNRESET, c.error);
    hang_up(&c);
}

static void dropping_connections_drops_their_links(void **state)
{
    fixture_t *f = *state;
    client_t c;

    serve(f, hold);
    (void)add_harmless(f);
    c = dial(f);
    say(f, &c, GET("/"));
    await(f, &f->n_held, 1);
    smc_server_drop(f->server);
    assert_int_equal(0, smc_links_open_count(links_of(f)));
    hear(f, &c, NULL);
    hang_up(&c);
}

static void plaintext_stays_plaintext(void **state)
{
    fixture_t *f = *state;

    serve(f, echo);
    assert_int_equal(SMC_EINVAL, smc_server_set_tls(f->server, SMC_TLS_EXPIRED, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(a_connection_gets_its_link_in_the_middle_of_a_request),
        BOTH(connections_have_links_as_long_as_a_toxic_may_hit_them),
        BOTH(large_things_pass_a_link_whole),
        BOTH(one_connection_can_be_aimed_at),
        BOTH(what_connections_are_busy_with_can_be_asked),
        BOTH(a_reset_passes_a_link),
        BOTH(dropping_connections_drops_their_links),
        VIRTUAL(plaintext_stays_plaintext),
    };

    return cmocka_run_group_tests_name("server link", tests, NULL, NULL);
}
