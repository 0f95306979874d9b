/* WebSocket peers of the server: handshake, messages, closing, compression, faults. */
#include "server_fixture.h"

#include "net/wsframe_priv.h"

#define UPGRADE                                                                                \
    "GET /ws?streams=a@b HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
#define SWITCHED                                                                        \
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" \
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"

/* ---- both sides --------------------------------------------------------- */

static void note_message(void *ud, smc_peer_t *peer, const char *data, size_t n, bool binary)
{
    fixture_t *f = ud;

    (void)smc_buf_printf(&f->events, "%c:%.*s ", binary ? 'B' : 'T', (int)n, data);
    (void)smc_peer_send(peer, data, n, binary);
}

static void note_ping(void *ud, smc_peer_t *peer, const char *data, size_t n)
{
    (void)peer;
    (void)smc_buf_printf(&((fixture_t *)ud)->events, "P:%.*s ", (int)n, data);
}

static void note_pong(void *ud, smc_peer_t *peer, const char *data, size_t n)
{
    (void)peer;
    (void)smc_buf_printf(&((fixture_t *)ud)->events, "p:%.*s ", (int)n, data);
}

static void note_close(void *ud, smc_peer_t *peer, uint16_t code, const char *reason, size_t n,
                       bool clean)
{
    (void)smc_buf_printf(&((fixture_t *)ud)->events, "C:%u:%.*s:%s ", (unsigned)code, (int)n,
                         reason, clean ? "clean" : "rough");
    assert_false(smc_peer_open(peer));
}

static const smc_peer_callbacks_t echoing = {note_message, note_ping, note_pong, note_close};

static void accept_peer(void *ud, smc_exchange_t *ex)
{
    fixture_t *f = ud;

    assert_int_equal(SMC_OK, smc_exchange_accept_ws(ex, &echoing, f, NULL, 0, &f->peer));
    assert_false(smc_exchange_alive(ex));
    smc_exchange_release(ex);
}

/* A client that has shaken hands; what it got then is forgotten. */
static client_t join(fixture_t *f)
{
    client_t c;

    serve(f, accept_peer);
    c = dial(f);
    say(f, &c, UPGRADE "\r\n");
    hear(f, &c, "\r\n\r\n");
    assert_string_equal(SWITCHED "\r\n", c.got.data);
    smc_buf_clear(&c.got);
    return c;
}

/* A masked frame, as clients send it. */
static void say_frame(fixture_t *f, client_t *c, smc_ws_opcode_t opcode, const char *p, size_t n)
{
    smc_wsframe_t frame = {
        .opcode = opcode, .fin = true, .mask = (const uint8_t *)"\x12\x34\x56\x78"};
    smc_buf_t out = {0};

    assert_int_equal(SMC_OK, smc_wsframe_write(&out, &frame, p, n));
    say_n(f, c, out.data, out.len);
    smc_buf_deinit(&out);
}

static void hear_bytes(fixture_t *f, client_t *c, const char *bytes, size_t n)
{
    for (int i = 0; i < 100000 && c->got.len < n && !c->ended; i++) {
        turns(f, 1);
        listen_once(c);
    }
    assert_int_equal(n, c->got.len);
    assert_memory_equal(bytes, c->got.data, n);
    smc_buf_clear(&c->got);
}
#define HEAR(f, c, text) hear_bytes(f, c, text, sizeof(text) - 1)

static void await_event(fixture_t *f, const char *text)
{
    for (int i = 0; i < 100000 && strstr(f->events.data, text) == NULL; i++)
        turns(f, 1);
    assert_string_equal(text, f->events.data);
}

/* ---- handshake ---------------------------------------------------------- */

static void bad_handshakes_are_answered(void **state)
{
    static const struct {
        const char *request;
        const char *answer;
    } cases[] = {
        {"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 8\r\n\r\n",
         "HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 13\r\nContent-Length: 0\r\n\r\n"},
        {"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
         "HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 13\r\nContent-Length: 0\r\n\r\n"},
        {"Sec-WebSocket-Version: 13\r\n\r\n",
         "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"},
        {"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ\r\n\r\n",
         "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"},
        {"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25j*Q==\r\n\r\n",
         "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"},
    };
    fixture_t *f = *state;

    serve(f, hold);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        client_t c = dial(f);
        say(f, &c, "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n");
        say(f, &c, cases[i].request);
        await(f, &f->n_held, i + 1);
        assert_true(smc_exchange_is_ws(f->held[i]));
        assert_int_equal(SMC_EPROTO,
                         smc_exchange_accept_ws(f->held[i], &echoing, f, NULL, 0, &f->peer));
        hear(f, &c, "\r\n\r\n");
        assert_string_equal(cases[i].answer, c.got.data);
        hang_up(&c);
    }
}

static void what_does_not_ask_for_a_websocket_stays_http(void **state)
{
    fixture_t *f = *state;
    client_t c;

    serve(f, hold);
    c = dial(f);
    say(f, &c, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    await(f, &f->n_held, 1);
    assert_false(smc_exchange_is_ws(f->held[0]));
    assert_int_equal(SMC_EINVAL,
                     smc_exchange_accept_ws(f->held[0], &echoing, f, NULL, 0, &f->peer));
    assert_int_equal(SMC_OK, smc_exchange_reply(f->held[0], 404, NULL, 0, NULL, 0));
    hear(f, &c, "404 Not Found");
    hang_up(&c);
}

static void a_later_handshake_adds_headers_and_finds_what_was_sent_ahead(void **state)
{
    static const smc_server_field_t protocol = FIELD("Sec-WebSocket-Protocol", "v1");
    fixture_t *f = *state;
    client_t c;

    serve(f, hold);
    c = dial(f);
    say(f, &c, UPGRADE "\r\n");
    say_frame(f, &c, SMC_WS_TEXT, "early", 5);
    await(f, &f->n_held, 1);
    assert_silence(f, &c);
    assert_int_equal(SMC_OK,
                     smc_exchange_accept_ws(f->held[0], &echoing, f, &protocol, 1, &f->peer));
    hear(f, &c, "early");
    assert_string_equal("HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Protocol: v1\r\n"
                        "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\x81\x05"
                        "early",
                        c.got.data);
    hang_up(&c);
}

/* ---- frames ------------------------------------------------------------- */

static void messages_travel_both_ways(void **state)
{
    fixture_t *f = *state;
    client_t c = join(f);

    say_frame(f, &c, SMC_WS_TEXT, "hello", 5);
    say_frame(f, &c, SMC_WS_BINARY, "\0\1", 2);
    say_frame(f, &c, SMC_WS_TEXT, "", 0);
    HEAR(f, &c, "\x81\x05hello\x82\x02\0\1\x81\x00");
    assert_int_equal(SMC_OK, smc_peer_send(f->peer, "tick", 4, false));
    HEAR(f, &c, "\x81\x04tick");
    assert_int_equal(1, smc_peer_connection(f->peer));
    hang_up(&c);
}

static void pings_are_answered_unless_told_otherwise(void **state)
{
    fixture_t *f = *state;
    client_t c = join(f);

    say_frame(f, &c, SMC_WS_PING, "1", 1);
    say_frame(f, &c, SMC_WS_PING, "", 0);
    HEAR(f, &c,
         "\x8a\x01"
         "1\x8a\x00");
    smc_peer_set_auto_pong(f->peer, false);
    say_frame(f, &c, SMC_WS_PING, "2", 1);
    await_event(f, "P:1 P: P:2 ");
    assert_silence(f, &c);
    assert_int_equal(SMC_OK, smc_peer_pong(f->peer, "mine", 4));
    HEAR(f, &c, "\x8a\x04mine");
    hang_up(&c);
}

static void the_server_pings_and_hears_the_pong(void **state)
{
    fixture_t *f = *state;
    char long_one[126] = {0};
    client_t c = join(f);

    assert_int_equal(SMC_EINVAL, smc_peer_ping(f->peer, long_one, sizeof(long_one)));
    assert_int_equal(SMC_OK, smc_peer_ping(f->peer, "1700000000000", 13));
    HEAR(f, &c,
         "\x89\x0d"
         "1700000000000");
    say_frame(f, &c, SMC_WS_PONG, "1700000000000", 13);
    await_event(f, "p:1700000000000 ");
    hang_up(&c);
}

/* ---- closing ------------------------------------------------------------ */

static void a_close_of_the_client_is_echoed(void **state)
{
    fixture_t *f = *state;
    client_t c = join(f);

    say_frame(f, &c, SMC_WS_CLOSE,
              "\x0f\xa0"
              "bye",
              5);
    say_frame(f, &c, SMC_WS_TEXT, "ignored", 7);
    hear(f, &c, NULL);
    assert_int_equal(4, c.got.len);
    assert_memory_equal("\x88\x02\x0f\xa0", c.got.data, 4);
    assert_string_equal("C:4000:bye:clean ", f->events.data);
    assert_int_equal(SMC_ECLOSED, smc_peer_send(f->peer, "x", 1, false));
    assert_int_equal(SMC_ECLOSED, smc_peer_close(f->peer, 1000, "", 0));
    assert_int_equal(SMC_ECLOSED, smc_peer_raw(f->peer, "x", 1));
    hang_up(&c);
    await_connections(f, 0);
}

static void a_close_without_a_code_is_echoed_without_one(void **state)
{
    fixture_t *f = *state;
    client_t c = join(f);

    say_frame(f, &c, SMC_WS_CLOSE, "", 0);
    hear(f, &c, NULL);
    assert_int_equal(2, c.got.len);
    assert_memory_equal("\x88\x00", c.got.data, 2);
    assert_string_equal("C:1005::clean ", f->events.data);
    hang_up(&c);
}

static void the_server_closes_and_waits_for_the_answer(void **state)
{
    fixture_t *f = *state;
    client_t c = join(f);

    assert_int_equal(SMC_EINVAL, smc_peer_close(f->peer, 1006, "", 0));
    assert_int_equal(SMC_EINVAL, smc_peer_close(f->peer, 1000, "\xff", 1));
    assert_int_equal(SMC_OK, smc_peer_close(f->peer, 1001, "24 h", 4));
    HEAR(f, &c,
         "\x88\x06\x03\xe9"
         "24 h");
    assert_false(smc_peer_open(f->peer));
    assert_int_equal(SMC_ECLOSED, smc_peer_send(f->peer, "x", 1, false));
    say_frame(f, &c, SMC_WS_TEXT, "late", 4);
    say_frame(f, &c, SMC_WS_PING, "late", 4);
    assert_silence(f, &c);
    assert_string_equal("", f->events.data);
    say_frame(f, &c, SMC_WS_CLOSE, "\x03\xe9", 2);
    hear(f, &c, NULL);
    assert_int_equal(0, c.got.len);
    assert_string_equal("C:1001::clean ", f->events.data);
    hang_up(&c);
}

static void a_client_that_does_not_answer_the_close_is_dropped_after_ten_seconds(void **state)
{
    fixture_t *f = *state;
    client_t c = join(f);

    assert_int_equal(SMC_OK, smc_peer_close(f->peer, 0, NULL, 0));
    assert_int_equal(10000, ms_until_end(f, &c));
    assert_string_equal("C:1006::rough ", f->events.data);
    hang_up(&c);
}

static void a_client_that_breaks_the_protocol_is_told_so(void **state)
{
    fixture_t *f = *state;
    client_t c = join(f);

    say_n(f, &c, "\x81\x02no", 4); /* not masked */
    hear(f, &c, NULL);
    assert_memory_equal("\x88\x10\x03\xeaunmasked frame", c.got.data, c.got.len);
    assert_string_equal("C:1002:unmasked frame:rough ", f->events.data);
    hang_up(&c);
}

static void a_message_beyond_the_limit_is_refused(void **state)
{
    fixture_t *f = *state;
    client_t c;

    f->conf.max_message_bytes = 10;
    c = join(f);
    say_frame(f, &c, SMC_WS_TEXT, "0123456789", 10);
    HEAR(f, &c,
         "\x81\x0a"
         "0123456789");
    say_frame(f, &c, SMC_WS_TEXT, "0123456789a", 11);
    hear(f, &c, NULL);
    assert_memory_equal("\x88\x11\x03\xf1message too big", c.got.data, c.got.len);
    hang_up(&c);
}

static void a_client_that_just_leaves_closes_with_1006(void **state)
{
    fixture_t *f = *state;
    client_t c = join(f);

    hang_up(&c);
    await_event(f, "C:1006::rough ");
    await_connections(f, 0);
}

static void closing_the_server_closes_its_peers(void **state)
{
    fixture_t *f = *state;
    client_t c = join(f);

    smc_server_close(f->server);
    f->server = NULL;
    assert_string_equal("C:1006::rough ", f->events.data);
    hear(f, &c, NULL);
    hang_up(&c);
}

static void release_inside(void *ud, smc_peer_t *peer, const char *data, size_t n, bool binary)
{
    fixture_t *f = ud;

    (void)smc_peer_reset(peer);
    smc_peer_release(f->peer);
    f->peer = NULL;
    (void)smc_buf_printf(&f->events, "%.*s%s ", (int)n, data, binary ? "!" : "");
}

static void accept_and_release_inside(void *ud, smc_exchange_t *ex)
{
    static const smc_peer_callbacks_t callbacks = {.on_message = release_inside};
    fixture_t *f = ud;

    assert_int_equal(SMC_OK, smc_exchange_accept_ws(ex, &callbacks, f, NULL, 0, &f->peer));
    smc_exchange_release(ex);
}

static void a_peer_may_be_reset_and_released_from_its_own_callback(void **state)
{
    fixture_t *f = *state;
    client_t c;

    serve(f, accept_and_release_inside);
    c = dial(f);
    say(f, &c, UPGRADE "\r\n");
    hear(f, &c, "\r\n\r\n");
    say_frame(f, &c, SMC_WS_TEXT, "first", 5);
    say_frame(f, &c, SMC_WS_TEXT, "second", 6);
    hear(f, &c, NULL);
    assert_string_equal("first ", f->events.data);
    hang_up(&c);
}

/* ---- compression -------------------------------------------------------- */

static client_t join_compressed(fixture_t *f, smc_deflate_t deflate, const char *offer,
                                const char *answer)
{
    client_t c;
    char expected[512];

    f->conf.deflate = deflate;
    serve(f, accept_peer);
    c = dial(f);
    say(f, &c, UPGRADE "Sec-WebSocket-Extensions: ");
    say(f, &c, offer);
    say(f, &c, "\r\n\r\n");
    hear(f, &c, "\r\n\r\n");
    (void)snprintf(expected, sizeof(expected), SWITCHED "%s\r\n", answer);
    assert_string_equal(expected, c.got.data);
    smc_buf_clear(&c.got);
    return c;
}

static void say_compressed_hello(fixture_t *f, client_t *c)
{
    smc_wsframe_t frame = {
        .opcode = SMC_WS_TEXT, .fin = true, .deflated = true, .mask = (const uint8_t *)"mask"};
    smc_buf_t out = {0};

    (void)smc_wsframe_write(&out, &frame, "\xf2\x48\xcd\xc9\xc9\x07\x00", 7);
    say_n(f, c, out.data, out.len);
    smc_buf_deinit(&out);
}

static void messages_are_compressed_with_context(void **state)
{
    fixture_t *f = *state;
    client_t c = join_compressed(f, SMC_DEFLATE_ON, "permessage-deflate; client_max_window_bits",
                                 "Sec-WebSocket-Extensions: permessage-deflate\r\n");

    say_compressed_hello(f, &c);
    await_event(f, "T:Hello ");
    HEAR(f, &c, "\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00");
    assert_int_equal(SMC_OK, smc_peer_send(f->peer, "Hello", 5, false));
    HEAR(f, &c, "\xc1\x05\xf2\x00\x11\x00\x00"); /* leans on the first */
    assert_int_equal(SMC_OK, smc_peer_send(f->peer, "", 0, false));
    HEAR(f, &c, "\x81\x00");
    hang_up(&c);
}

static void messages_are_compressed_without_context(void **state)
{
    fixture_t *f = *state;
    client_t c = join_compressed(f, SMC_DEFLATE_NO_CONTEXT, "permessage-deflate",
                                 "Sec-WebSocket-Extensions: permessage-deflate; "
                                 "server_no_context_takeover; client_no_context_takeover\r\n");

    for (int i = 0; i < 2; i++) {
        say_compressed_hello(f, &c);
        HEAR(f, &c, "\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00");
    }
    hang_up(&c);
}

static void compression_is_not_accepted_unless_configured(void **state)
{
    fixture_t *f = *state;
    client_t c = join_compressed(f, SMC_DEFLATE_OFF, "permessage-deflate", "");

    say_compressed_hello(f, &c);
    hear(f, &c, NULL);
    assert_string_equal("C:1002:reserved bit:rough ", f->events.data);
    hang_up(&c);
}

/* ---- faults ------------------------------------------------------------- */

static void raw_bytes_may_break_the_framing(void **state)
{
    fixture_t *f = *state;
    client_t c = join(f);

    assert_int_equal(SMC_OK, smc_peer_raw(f->peer, "\xf1\x05half", 6));
    HEAR(f, &c, "\xf1\x05half");
    hang_up(&c);
}

static void a_dropped_peer_gets_what_was_sent_and_no_close_frame(void **state)
{
    fixture_t *f = *state;
    client_t c = join(f);

    assert_int_equal(SMC_OK, smc_peer_send(f->peer, "last", 4, false));
    assert_int_equal(SMC_OK, smc_peer_drop(f->peer));
    assert_int_equal(SMC_ECLOSED, smc_peer_drop(f->peer));
    hear(f, &c, NULL);
    assert_int_equal(0, c.error);
    assert_int_equal(6, c.got.len);
    assert_memory_equal("\x81\x04last", c.got.data, 6);
    hang_up(&c);
    await_connections(f, 0);
    assert_string_equal("", f->events.data);
}

static void a_reset_peer_is_gone_at_once(void **state)
{
    fixture_t *f = *state;
    client_t c = join(f);

    assert_int_equal(SMC_OK, smc_peer_reset(f->peer));
    assert_int_equal(SMC_ECLOSED, smc_peer_reset(f->peer));
    assert_int_equal(0, smc_server_connections(f->server));
    hear(f, &c, NULL);
    assert_int_equal(smc_clock_is_virtual() ? 0 : ECONNRESET, c.error);
    assert_string_equal("", f->events.data);
    hang_up(&c);
}

static void a_muted_server_holds_frames_back(void **state)
{
    fixture_t *f = *state;
    client_t c = join(f);

    smc_server_mute(f->server, true);
    assert_int_equal(SMC_OK, smc_peer_send(f->peer, "held", 4, false));
    say_frame(f, &c, SMC_WS_PING, "?", 1);
    assert_silence(f, &c);
    assert_string_equal("", f->events.data);
    smc_server_mute(f->server, false);
    HEAR(f, &c, "\x81\x04held\x8a\x01?");
    hang_up(&c);
}

static void a_slow_peer_is_dropped_from_a_later_turn(void **state)
{
    fixture_t *f = *state;
    char *piece = calloc(1, 1000000);
    client_t c;

    assert_non_null(piece);
    f->conf.max_queue_bytes = 500000;
    c = join(f);
    for (int i = 0; i < 1000 && smc_peer_open(f->peer); i++) {
        assert_int_equal(SMC_OK, smc_peer_send(f->peer, piece, 1000000, true));
        assert_string_equal("", f->events.data); /* never from inside the call */
        turns(f, 3);
    }
    assert_string_equal("C:1006::rough ", f->events.data);
    free(piece);
    hang_up(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(bad_handshakes_are_answered),
        BOTH(what_does_not_ask_for_a_websocket_stays_http),
        BOTH(a_later_handshake_adds_headers_and_finds_what_was_sent_ahead),
        BOTH(messages_travel_both_ways),
        BOTH(pings_are_answered_unless_told_otherwise),
        BOTH(the_server_pings_and_hears_the_pong),
        BOTH(a_close_of_the_client_is_echoed),
        BOTH(a_close_without_a_code_is_echoed_without_one),
        BOTH(the_server_closes_and_waits_for_the_answer),
        VIRTUAL(a_client_that_does_not_answer_the_close_is_dropped_after_ten_seconds),
        BOTH(a_client_that_breaks_the_protocol_is_told_so),
        BOTH(a_message_beyond_the_limit_is_refused),
        BOTH(a_client_that_just_leaves_closes_with_1006),
        BOTH(closing_the_server_closes_its_peers),
        BOTH(a_peer_may_be_reset_and_released_from_its_own_callback),
        BOTH(messages_are_compressed_with_context),
        BOTH(messages_are_compressed_without_context),
        BOTH(compression_is_not_accepted_unless_configured),
        BOTH(raw_bytes_may_break_the_framing),
        BOTH(a_dropped_peer_gets_what_was_sent_and_no_close_frame),
        BOTH(a_reset_peer_is_gone_at_once),
        BOTH(a_muted_server_holds_frames_back),
        BOTH(a_slow_peer_is_dropped_from_a_later_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
