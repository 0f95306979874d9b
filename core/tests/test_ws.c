/* The WebSocket client: connecting, messages both ways, pings, back-pressure, compression,
 * determinism. */
#include "ws_world.h"

#include <dlfcn.h>

#define MIB ((size_t)1 << 20)

/* ---- connecting ---------------------------------------------------------- */

static void the_upgrade_request_is_what_was_asked_for(void **state)
{
    world_t *w = *state;
    client_t c = {0};
    const smc_ws_header_t headers[] = {{"X-Api-Key", "k 1"}, {"Origin", "https://o.example"}};

    open_conf(w, &c,
              (smc_ws_conf_t){.url = url_of(w, "/ws/a%2Fb/../c?x=%2B+a&&y=1;2"),
                              .headers = headers,
                              .n_headers = 2,
                              .protocol = "one, two"});
    assert_non_null(strstr(w->head.data, "GET /ws/a%2Fb/../c?x=%2B+a&&y=1;2\n"));
    assert_non_null(strstr(w->head.data, "\nX-Api-Key: k 1\n"));
    assert_non_null(strstr(w->head.data, "\nOrigin: https://o.example\n"));
    assert_non_null(strstr(w->head.data, "\nSec-WebSocket-Protocol: one, two\n"));
    assert_null(strstr(w->head.data, "Sec-WebSocket-Extensions"));
    assert_string_equal("one", c.protocol);
    client_deinit(&c);
}

static void a_url_without_a_path_asks_for_the_root(void **state)
{
    world_t *w = *state;
    client_t c = {0};
    char host[64];

    (void)snprintf(host, sizeof(host), "\nHost: 127.0.0.1:%u\n",
                   (unsigned)smc_server_port(w->server));
    open_at(w, &c, "?a=1");
    assert_non_null(strstr(w->head.data, "GET /?a=1\n"));
    assert_non_null(strstr(w->head.data, host));
    client_deinit(&c);
}

static void what_may_not_be_asked_for_is_refused_at_once(void **state)
{
    static const struct {
        const char *url;
        smc_code_t code;
        smc_ws_header_t header;
    } rows[] = {
        {"wss://stream.binance.com/ws", SMC_EPOLICY, {"A", "b"}},
        {"ws://stream.testnet.binance.vision/ws", SMC_EPOLICY, {"A", "b"}},
        {"http://127.0.0.1/", SMC_EINVAL, {"A", "b"}},
        {"ws://127.0.0.1/#f", SMC_EINVAL, {"A", "b"}},
        {"ws://127.0.0.1/", SMC_EINVAL, {"A", "b\r\nC: d"}},
        {"ws://127.0.0.1/", SMC_EINVAL, {"A b", "c"}},
        {"ws://127.0.0.1/", SMC_EINVAL, {"", "c"}},
        {"ws://127.0.0.1/", SMC_EINVAL, {"host", "x"}},
        {"ws://127.0.0.1/", SMC_EINVAL, {"Sec-WebSocket-Key", "x"}},
    };
    world_t *w = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        client_t c = {0};
        smc_error_t err = {0};
        smc_ws_conf_t conf = {.url = rows[i].url, .headers = &rows[i].header, .n_headers = 1};
        assert_int_equal(rows[i].code, try_open(w, &c, conf, &err));
        assert_int_equal(rows[i].code, err.code);
        assert_int_equal(0, smc_ws_count(w->loop));
    }
}

static void a_refused_upgrade_tells_its_status_and_is_not_followed(void **state)
{
    world_t *w = *state;
    client_t refused = {0}, redirected = {0};

    start(w, &refused, (smc_ws_conf_t){.url = url_of(w, "/refuse")});
    check_closed(w, &refused, 0, "", SMC_EPROTO);
    assert_int_equal(403, refused.err.sys);
    assert_non_null(strstr(refused.err.detail, "HTTP 403"));
    start(w, &redirected, (smc_ws_conf_t){.url = url_of(w, "/redirect")});
    check_closed(w, &redirected, 0, "", SMC_EPROTO);
    assert_int_equal(302, redirected.err.sys);
    assert_int_equal(2, w->requests);
    client_deinit(&refused);
    client_deinit(&redirected);
}

static void a_bad_upgrade_response_breaks_the_protocol(void **state)
{
    static const char *const answers[] = {
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    };
    world_t *w = *state;

    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        client_t c = {0};
        w->raw = answers[i];
        start(w, &c, (smc_ws_conf_t){.url = url_of(w, "/raw")});
        check_closed(w, &c, 0, "", SMC_EPROTO);
        client_deinit(&c);
    }
}

static void an_extension_that_was_not_offered_breaks_the_protocol(void **state)
{
    world_t *w = *state;
    client_t c = {0};

    start(w, &c, (smc_ws_conf_t){.url = url_of(w, "/unasked")});
    check_closed(w, &c, 0, "", SMC_EPROTO);
    client_deinit(&c);
}

static void nobody_there_is_reported_from_a_later_turn(void **state)
{
    world_t *w = *state;
    client_t c = {0};

    assert_int_equal(SMC_OK, smc_server_refuse(w->server, true, NULL));
    start(w, &c, (smc_ws_conf_t){.url = url_of(w, "/")});
    check_closed(w, &c, 0, "", SMC_ECONN);
    client_deinit(&c);
}

static void a_server_that_resets_during_the_upgrade_is_a_reset(void **state)
{
    world_t *w = *state;
    client_t c = {0};

    start(w, &c, (smc_ws_conf_t){.url = url_of(w, "/reset")});
    check_closed(w, &c, 0, "", SMC_ERESET);
    client_deinit(&c);
}

static void connecting_ends_at_its_deadline(void **state)
{
    world_t *w = *state;
    client_t c = {0};
    int64_t start_ns = smc_clock_now_ns();
    uint64_t timeout_ms = smc_clock_is_virtual() ? 86400000 : 30;

    start(w, &c, (smc_ws_conf_t){.url = url_of(w, "/mute"), .timeout_ms = timeout_ms});
    check_closed(w, &c, 0, "", SMC_ETIMEDOUT);
    if (smc_clock_is_virtual())
        assert_int_equal(timeout_ms * 1000000, c.closed_ns - start_ns);
    else
        assert_true(c.closed_ns - start_ns >= (int64_t)timeout_ms * 1000000);
    client_deinit(&c);
}

static void tls_to_a_server_without_tls_fails(void **state)
{
    world_t *w = *state;
    client_t c = {0};
    char url[64];

    (void)snprintf(url, sizeof(url), "wss://localhost:%u/", (unsigned)smc_server_port(w->server));
    start(w, &c, (smc_ws_conf_t){.url = url});
    check_closed(w, &c, 0, "", SMC_ETLS);
    client_deinit(&c);
}

static void a_proxy_of_the_environment_is_not_used(void **state)
{
    world_t *w = *state;
    client_t c = {0};

    (void)setenv("http_proxy", "127.0.0.1:9", 1);
    open_at(w, &c, "/");
    (void)unsetenv("http_proxy");
    assert_non_null(strstr(w->head.data, "GET /\n"));
    client_deinit(&c);
}

/* ---- messages ------------------------------------------------------------ */

static void echo(world_t *w, client_t *c, const char *data, size_t n, bool binary)
{
    unsigned before = c->messages;

    assert_int_equal(SMC_OK, smc_ws_send(c->ws, data, n, binary, NULL));
    UNTIL(w, c->messages > before || c->closed > 0);
    if (c->closed > 0)
        fail_msg("closed: %s", c->err.detail);
    assert_int_equal(n, c->last.len);
    assert_memory_equal(data, c->last.data, n);
    assert_int_equal(binary, c->binary);
}

static void echo_all_kinds(world_t *w, client_t *c)
{
    char *big = malloc(MIB);

    assert_non_null(big);
    for (size_t i = 0; i < MIB; i++)
        big[i] = (char)(i * i >> 7);
    echo(w, c, "{\"a\":1}", 7, false);
    echo(w, c, "\0\xff\x80", 3, true);
    echo(w, c, "", 0, false);
    echo(w, c, "", 0, true);
    for (size_t n = 124; n < 130; n++)
        echo(w, c, big, n, true);
    for (size_t n = 65533; n < 65539; n++)
        echo(w, c, big, n, true);
    echo(w, c, big, MIB, true);
    memset(big, 'a', MIB);
    echo(w, c, big, MIB, false);
    echo(w, c, "and on", 6, false);
    free(big);
}

static void text_binary_empty_and_big_messages_come_back(void **state)
{
    client_t c = {0};

    open_at(*state, &c, "/");
    echo_all_kinds(*state, &c);
    client_deinit(&c);
}

/* Returns how often the queue was full. */
static unsigned send_patiently(world_t *w, client_t *c, const char *text)
{
    unsigned full = 0;
    smc_code_t rc;

    while ((rc = smc_ws_send(c->ws, text, strlen(text), false, NULL)) == SMC_EAGAIN) {
        unsigned drained = c->drained;
        full++;
        /* cppcheck-suppress knownConditionTrueFalse ; a callback counts it up */
        UNTIL(w, c->drained > drained);
    }
    assert_int_equal(SMC_OK, rc);
    return full;
}

static void ten_thousand_messages_pass_a_small_queue_in_order(void **state)
{
    world_t *w = *state;
    client_t c = {0};
    unsigned full = 0;
    char text[32];

    c.numbered = true;
    open_conf(w, &c, (smc_ws_conf_t){.url = url_of(w, "/"), .max_queue_bytes = 8192});
    for (unsigned i = 0; i < 10000; i++) {
        (void)snprintf(text, sizeof(text), "message %u", i);
        full += send_patiently(w, &c, text);
    }
    UNTIL(w, c.messages == 10000);
    assert_true(full > 10);
    assert_int_equal(full, c.drained);
    client_deinit(&c);
}

static void a_message_beyond_the_queue_passes_when_it_is_empty(void **state)
{
    world_t *w = *state;
    client_t c = {0};
    char *big = calloc(1, MIB);

    open_conf(w, &c, (smc_ws_conf_t){.url = url_of(w, "/"), .max_queue_bytes = 1000});
    assert_int_equal(SMC_OK, smc_ws_send(c.ws, big, MIB, true, NULL));
    assert_int_equal(SMC_EAGAIN, smc_ws_send(c.ws, "x", 1, true, NULL));
    UNTIL(w, c.messages == 1 && c.drained == 1);
    assert_int_equal(MIB, c.last.len);
    free(big);
    client_deinit(&c);
}

static void fragments_are_joined_around_control_frames(void **state)
{
    static const char bytes[] =
        "\x01\x03one\x89\x01p\x00\x00\x00\x03two\x8a\x01q\x80\x05three\x81\x02ok";
    world_t *w = *state;
    client_t c = {0};

    open_at(w, &c, "/");
    /* byte by byte, so that every frame is read in parts */
    for (size_t i = 0; i < sizeof(bytes) - 1; i++) {
        assert_int_equal(SMC_OK, smc_peer_raw(w->peer, bytes + i, 1));
        if (i == sizeof(bytes) - 6)
            continue;
        settle(w);
        if (i == sizeof(bytes) - 5)
            assert_string_equal("onetwothree", c.last.data);
    }
    UNTIL(w, c.messages == 2);
    assert_string_equal("ok", c.last.data);
    assert_string_equal("<q>", c.pong);
    UNTIL_PEER_GOT(w, "pong p\n");
    client_deinit(&c);
}

static void a_paused_client_reads_nothing_and_time_goes_on(void **state)
{
    world_t *w = *state;
    client_t c = {0};
    smc_timer_t *t = NULL;
    unsigned fired = 0;
    char text[1000];

    memset(text, 'x', sizeof(text));
    open_at(w, &c, "/");
    smc_ws_pause(c.ws, true);
    for (int i = 0; i < 2000; i++)
        assert_int_equal(SMC_OK, smc_peer_send(w->peer, text, sizeof(text), false));
    assert_int_equal(SMC_OK, smc_timer_start(w->loop, 20, (smc_loop_cb)on_drain, &c, &t, NULL));
    fired = c.drained;
    UNTIL(w, c.drained > fired);
    assert_int_equal(0, c.messages);
    smc_ws_pause(c.ws, false);
    UNTIL(w, c.messages == 2000);
    assert_int_equal(2000 * sizeof(text), c.bytes);
    client_deinit(&c);
}

/* ---- pings --------------------------------------------------------------- */

static void a_ping_comes_back_with_its_payload(void **state)
{
    world_t *w = *state;
    client_t c = {0};
    char big[126] = {0};

    open_at(w, &c, "/");
    assert_int_equal(SMC_OK, smc_ws_ping(c.ws, "abc", 3, NULL));
    UNTIL(w, strcmp(c.pong, "<abc>") == 0);
    assert_int_equal(SMC_OK, smc_ws_ping(c.ws, NULL, 0, NULL));
    UNTIL(w, strcmp(c.pong, "<>") == 0);
    assert_string_equal("ping abc\nping \n", w->got.data);
    assert_int_equal(SMC_EINVAL, smc_ws_ping(c.ws, big, sizeof(big), NULL));
    client_deinit(&c);
}

static void a_ping_of_the_server_is_answered(void **state)
{
    world_t *w = *state;
    client_t c = {0};

    open_at(w, &c, "/");
    assert_int_equal(SMC_OK, smc_peer_ping(w->peer, "hello", 5));
    UNTIL_PEER_GOT(w, "pong hello\n");
    client_deinit(&c);
}

static void no_ping_is_sent_unasked(void **state)
{
    world_t *w = *state;
    client_t c = {0};
    smc_timer_t *t = NULL;

    open_at(w, &c, "/");
    assert_int_equal(SMC_OK,
                     smc_timer_start(w->loop, 86400000, (smc_loop_cb)on_drain, &c, &t, NULL));
    UNTIL(w, c.drained == 1);
    assert_null(w->got.data);
    assert_int_equal(0, c.closed);
    client_deinit(&c);
}

/* ---- permessage-deflate -------------------------------------------------- */

static void deflate_round_trip(world_t *w, smc_deflate_t mode)
{
    client_t c = {0};

    reopen_server(w, mode);
    open_conf(w, &c, (smc_ws_conf_t){.url = url_of(w, "/"), .deflate = true});
    assert_non_null(strstr(w->head.data, "\nSec-WebSocket-Extensions: permessage-deflate"));
    echo_all_kinds(w, &c);
    for (int i = 0; i < 100; i++)
        echo(w, &c, "{\"symbol\":\"BTCUSDT\",\"price\":\"20000.00\"}", 40, false);
    assert_int_equal(SMC_OK, smc_ws_ping(c.ws, "abc", 3, NULL));
    UNTIL(w, strcmp(c.pong, "<abc>") == 0);
    assert_int_equal(SMC_OK, smc_peer_ping(w->peer, "hello", 5));
    UNTIL_PEER_GOT(w, "pong hello\n");
    client_deinit(&c);
    settle(w);
}

static void compressed_messages_come_back(void **state)
{
    deflate_round_trip(*state, SMC_DEFLATE_ON);
    deflate_round_trip(*state, SMC_DEFLATE_NO_CONTEXT);
    deflate_round_trip(*state, SMC_DEFLATE_OFF);
}

static void an_uncompressed_frame_on_a_compressed_connection_is_read_once(void **state)
{
    world_t *w = *state;
    client_t c = {0};

    reopen_server(w, SMC_DEFLATE_ON);
    open_conf(w, &c, (smc_ws_conf_t){.url = url_of(w, "/"), .deflate = true});
    assert_int_equal(SMC_OK, smc_peer_raw(w->peer, "\x81\x02hi", 4));
    UNTIL(w, c.messages > 0);
    settle(w);
    assert_int_equal(1, c.messages);
    assert_string_equal("hi", c.last.data);
    /* "Hello" twice, as RFC 7692 7.2.3 shows it: whole, and in two frames */
    assert_int_equal(SMC_OK, smc_peer_raw(w->peer, "\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00", 9));
    UNTIL(w, c.messages == 2);
    assert_string_equal("Hello", c.last.data);
    client_deinit(&c);
}

static void a_compressed_message_may_not_outgrow_the_limit(void **state)
{
    world_t *w = *state;
    client_t c = {0};
    char *big = calloc(1, MIB);

    reopen_server(w, SMC_DEFLATE_ON);
    open_conf(w, &c,
              (smc_ws_conf_t){.url = url_of(w, "/"), .deflate = true, .max_message_bytes = 1000});
    assert_int_equal(SMC_OK, smc_peer_send(w->peer, big, MIB, true));
    check_closed(w, &c, 1009, "", SMC_ETOOBIG);
    assert_int_equal(0, c.messages);
    UNTIL_PEER_GOT(w, "close 1009");
    free(big);
    client_deinit(&c);
}

/* ---- determinism --------------------------------------------------------- */

static void run_once(smc_buf_t *log)
{
    world_t *w = NULL;
    client_t c[5] = {0};
    char text[64];

    (void)open_virtual((void **)&w);
    reopen_server(w, SMC_DEFLATE_ON);
    for (int i = 0; i < 5; i++) {
        c[i].id = i;
        c[i].log = log;
        start(w, &c[i],
              (smc_ws_conf_t){.url = url_of(w, i == 3 ? "/mute" : "/"),
                              .deflate = i % 2 == 0,
                              .timeout_ms = 700});
    }
    UNTIL(w, c[3].closed == 1);
    for (int round = 0; round < 20; round++)
        for (int i = 0; i < 5; i++)
            if (c[i].ws != NULL) {
                (void)snprintf(text, sizeof(text), "%d of %d", round, i);
                send_text(&c[i], text);
                (void)smc_ws_ping(c[i].ws, text, 1, NULL);
                (void)smc_loop_turn(w->loop, true);
            }
    smc_ws_free(c[0].ws);
    c[0].ws = NULL;
    (void)smc_ws_close(c[1].ws, 1000, "bye", 3, NULL);
    UNTIL(w, c[1].closed == 1);
    smc_server_drop(w->server);
    UNTIL(w, c[2].closed == 1 && c[4].closed == 1);
    for (int i = 0; i < 5; i++)
        client_deinit(&c[i]);
    (void)close_world((void **)&w);
}

static void twenty_runs_write_the_same_log(void **state)
{
    smc_buf_t first = {0};

    (void)state;
    run_once(&first);
    assert_true(first.len > 1000);
    for (int i = 0; i < 20; i++) {
        smc_buf_t again = {0};
        run_once(&again);
        assert_string_equal(first.data, again.data);
        smc_buf_deinit(&again);
    }
    smc_buf_deinit(&first);
}

/* ---- the plugin ---------------------------------------------------------- */

static bool is_loaded(void)
{
    void *lib = dlopen("libwebsockets-evlib_uv.so", RTLD_LAZY | RTLD_NOLOAD);
    if (lib != NULL)
        (void)dlclose(lib);
    return lib != NULL;
}

/* The first test: any connection loads it. */
static void preloading_loads_it_for_good(void **state)
{
    (void)state;
    assert_false(is_loaded());
    smc_ws_preload();
    assert_true(is_loaded());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(preloading_loads_it_for_good),
        BOTH(the_upgrade_request_is_what_was_asked_for),
        BOTH(a_url_without_a_path_asks_for_the_root),
        BOTH(what_may_not_be_asked_for_is_refused_at_once),
        BOTH(a_refused_upgrade_tells_its_status_and_is_not_followed),
        BOTH(a_bad_upgrade_response_breaks_the_protocol),
        BOTH(an_extension_that_was_not_offered_breaks_the_protocol),
        BOTH(nobody_there_is_reported_from_a_later_turn),
        BOTH(a_server_that_resets_during_the_upgrade_is_a_reset),
        BOTH(connecting_ends_at_its_deadline),
        BOTH(tls_to_a_server_without_tls_fails),
        BOTH(a_proxy_of_the_environment_is_not_used),
        BOTH(text_binary_empty_and_big_messages_come_back),
        BOTH(ten_thousand_messages_pass_a_small_queue_in_order),
        BOTH(a_message_beyond_the_queue_passes_when_it_is_empty),
        BOTH(fragments_are_joined_around_control_frames),
        BOTH(a_paused_client_reads_nothing_and_time_goes_on),
        BOTH(a_ping_comes_back_with_its_payload),
        BOTH(a_ping_of_the_server_is_answered),
        VIRTUAL(no_ping_is_sent_unasked),
        BOTH(compressed_messages_come_back),
        BOTH(an_uncompressed_frame_on_a_compressed_connection_is_read_once),
        BOTH(a_compressed_message_may_not_outgrow_the_limit),
        cmocka_unit_test(twenty_runs_write_the_same_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
