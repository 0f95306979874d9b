/* The WebSocket client: how connections end. */
#include "ws_world.h"

/* ---- closing handshakes -------------------------------------------------- */

static void our_close_is_answered_and_both_see_the_code(void **state)
{
    static const struct {
        uint16_t code, seen;
        const char *reason, *peer;
    } rows[] = {
        {1000, 1000, "bye", "close 1000 bye clean\n"},
        {3001, 3001, "", "close 3001  clean\n"},
        {4999, 4999, "na\xc3\xafve", "close 4999 na\xc3\xafve clean\n"},
        {0, 1005, "", "close 1005  clean\n"},
    };
    world_t *w = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        client_t c = {0};
        smc_buf_clear(&w->got);
        open_at(w, &c, "/");
        assert_int_equal(
            SMC_OK, smc_ws_close(c.ws, rows[i].code, rows[i].reason, strlen(rows[i].reason), NULL));
        assert_int_equal(0, c.closed);
        assert_int_equal(SMC_ECLOSED, smc_ws_close(c.ws, 1000, NULL, 0, NULL));
        assert_int_equal(SMC_ECLOSED, smc_ws_send(c.ws, "x", 1, false, NULL));
        assert_int_equal(SMC_ECLOSED, smc_ws_ping(c.ws, "x", 1, NULL));
        check_closed(w, &c, rows[i].seen, "", SMC_OK); /* our server answers without a reason */
        assert_string_equal(rows[i].peer, w->got.data);
        client_deinit(&c);
    }
}

static void a_code_that_may_not_be_sent_is_refused(void **state)
{
    static const uint16_t codes[] = {1, 999, 1004, 1005, 1006, 1012, 1015, 2999, 5000};
    world_t *w = *state;
    client_t c = {0};
    char reason[SMC_WS_REASON_MAX + 1] = {0};

    open_at(w, &c, "/");
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        assert_int_equal(SMC_EINVAL, smc_ws_close(c.ws, codes[i], NULL, 0, NULL));
    assert_int_equal(SMC_EINVAL, smc_ws_close(c.ws, 1000, reason, sizeof(reason), NULL));
    assert_int_equal(SMC_EINVAL, smc_ws_close(c.ws, 0, "x", 1, NULL));
    assert_int_equal(SMC_OK, smc_ws_send(c.ws, "still open", 10, false, NULL));
    UNTIL(w, c.messages == 1);
    client_deinit(&c);
}

static void what_is_queued_goes_out_before_the_close(void **state)
{
    world_t *w = *state;
    client_t c = {0};
    char big[100000] = {0};

    open_at(w, &c, "/");
    for (int i = 0; i < 20; i++)
        assert_int_equal(SMC_OK, smc_ws_send(c.ws, big, sizeof(big), true, NULL));
    assert_int_equal(SMC_OK, smc_ws_close(c.ws, 1000, "bye", 3, NULL));
    check_closed(w, &c, 1000, "", SMC_OK);
    assert_int_equal(20, c.messages);
    client_deinit(&c);
}

static void a_close_of_the_server_is_answered_with_its_code(void **state)
{
    static const struct {
        uint16_t code, seen;
        const char *reason, *peer;
    } rows[] = {
        {1001, 1001, "going away", "close 1001 going away clean\n"},
        {4000, 4000, "", "close 4000  clean\n"},
        {0, 1005, "", "close 1005  clean\n"},
    };
    world_t *w = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        client_t c = {0};
        smc_buf_clear(&w->got);
        open_at(w, &c, "/");
        assert_int_equal(SMC_OK, smc_peer_send(w->peer, "last", 4, false));
        assert_int_equal(
            SMC_OK, smc_peer_close(w->peer, rows[i].code, rows[i].reason, strlen(rows[i].reason)));
        check_closed(w, &c, rows[i].seen, rows[i].reason, SMC_OK);
        assert_string_equal("last", c.last.data);
        UNTIL_PEER_GOT(w, rows[i].peer);
        client_deinit(&c);
    }
}

static void closes_that_cross_end_cleanly(void **state)
{
    world_t *w = *state;
    client_t c = {0};

    open_at(w, &c, "/");
    assert_int_equal(SMC_OK, smc_ws_close(c.ws, 1000, "mine", 4, NULL));
    assert_int_equal(SMC_OK, smc_peer_close(w->peer, 1001, "yours", 5));
    check_closed(w, &c, 1001, "yours", SMC_OK);
    UNTIL_PEER_GOT(w, "close 1000 mine clean\n");
    client_deinit(&c);
}

static void a_server_that_never_answers_a_close_is_left_after_five_seconds(void **state)
{
    world_t *w = *state;
    client_t c = {0};
    int64_t start_ns;

    open_at(w, &c, "/");
    smc_server_mute(w->server, true);
    start_ns = smc_clock_now_ns();
    assert_int_equal(SMC_OK, smc_ws_close(c.ws, 1000, "bye", 3, NULL));
    check_closed(w, &c, 1006, "", SMC_ETIMEDOUT);
    assert_int_equal(INT64_C(5000000000), c.closed_ns - start_ns);
    client_deinit(&c);
}

static void a_paused_client_still_closes(void **state)
{
    world_t *w = *state;
    client_t c = {0};

    open_at(w, &c, "/");
    smc_ws_pause(c.ws, true);
    for (int i = 0; i < 100; i++)
        assert_int_equal(SMC_OK, smc_peer_send(w->peer, "x", 1, false));
    settle(w);
    assert_int_equal(SMC_OK, smc_ws_close(c.ws, 1000, "bye", 3, NULL));
    check_closed(w, &c, 1000, "", SMC_OK);
    assert_int_equal(100, c.messages);
    client_deinit(&c);
}

static void a_close_while_connecting_gives_up(void **state)
{
    world_t *w = *state;
    client_t early = {0}, late = {0};

    start(w, &early, (smc_ws_conf_t){.url = url_of(w, "/")});
    assert_int_equal(SMC_OK, smc_ws_close(early.ws, 1000, NULL, 0, NULL));
    assert_int_equal(0, early.closed);
    check_closed(w, &early, 0, "", SMC_ECANCELED);
    assert_int_equal(0, w->requests);

    start(w, &late, (smc_ws_conf_t){.url = url_of(w, "/mute")});
    UNTIL(w, w->held != NULL);
    assert_int_equal(SMC_ECLOSED, smc_ws_send(late.ws, "x", 1, false, NULL));
    assert_int_equal(SMC_OK, smc_ws_close(late.ws, 1000, NULL, 0, NULL));
    check_closed(w, &late, 0, "", SMC_ECANCELED);
    UNTIL(w, smc_server_connections(w->server) == 0);
    client_deinit(&early);
    client_deinit(&late);
}

/* ---- what ends without a handshake --------------------------------------- */

static void an_end_without_a_close_frame_is_a_reset(void **state)
{
    world_t *w = *state;
    client_t reset = {0}, dropped = {0};

    open_at(w, &reset, "/");
    assert_int_equal(SMC_OK, smc_peer_reset(w->peer));
    check_closed(w, &reset, 1006, "", SMC_ERESET);

    open_at(w, &dropped, "/");
    assert_int_equal(SMC_OK, smc_peer_send(w->peer, "last", 4, false));
    assert_int_equal(SMC_OK, smc_peer_drop(w->peer));
    check_closed(w, &dropped, 1006, "", SMC_ERESET);
    assert_string_equal("last", dropped.last.data);
    client_deinit(&reset);
    client_deinit(&dropped);
}

static void a_reset_while_we_wait_for_the_answer_to_our_close_is_a_reset(void **state)
{
    world_t *w = *state;
    client_t c = {0};

    open_at(w, &c, "/");
    smc_server_mute(w->server, true);
    assert_int_equal(SMC_OK, smc_ws_close(c.ws, 1000, NULL, 0, NULL));
    settle(w);
    assert_int_equal(0, c.closed);
    smc_server_drop(w->server);
    check_closed(w, &c, 1006, "", SMC_ERESET);
    client_deinit(&c);
}

static void a_broken_rule_ends_the_connection(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
        uint16_t code;
    } rows[] = {
        {"\x81\x02\xc3(", 4, 1007},      /* text that is not UTF-8 */
        {"\x81\x01\xc3", 3, 1007},       /* text that ends within a character */
        {"\xc1\x01x", 3, 1006},          /* RSV1, and no extension was agreed */
        {"\x83\x01x", 3, 1006},          /* a reserved opcode */
        {"\x80\x01x", 3, 1006},          /* a continuation of nothing */
        {"\x01\x01x\x81\x01y", 6, 1006}, /* a message inside a message */
        {"\x09\x01x", 3, 1006},          /* a control frame in fragments */
    };
    world_t *w = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        client_t c = {0};
        open_at(w, &c, "/");
        assert_int_equal(SMC_OK, smc_peer_raw(w->peer, rows[i].bytes, rows[i].n));
        check_closed(w, &c, rows[i].code, "", SMC_EPROTO);
        assert_int_equal(0, c.messages);
        client_deinit(&c);
    }
}

static void a_message_beyond_the_limit_ends_the_connection(void **state)
{
    world_t *w = *state;
    client_t c = {0};
    char big[1001] = {0};

    open_conf(w, &c, (smc_ws_conf_t){.url = url_of(w, "/"), .max_message_bytes = 1000});
    assert_int_equal(SMC_OK, smc_peer_send(w->peer, big, 1000, true));
    UNTIL(w, c.messages == 1);
    assert_int_equal(SMC_OK, smc_peer_send(w->peer, big, 1001, true));
    check_closed(w, &c, 1009, "", SMC_ETOOBIG);
    UNTIL_PEER_GOT(w, "close 1009");
    client_deinit(&c);
}

/* ---- abrupt ends on our side --------------------------------------------- */

static void nothing_fires_after_free(void **state)
{
    world_t *w = *state;
    client_t starting = {0}, connecting = {0}, busy = {0}, closing = {0}, paused = {0};
    char *big = calloc(1, 1 << 20);

    start(w, &starting, (smc_ws_conf_t){.url = url_of(w, "/")});
    smc_ws_free(starting.ws);
    start(w, &connecting, (smc_ws_conf_t){.url = url_of(w, "/mute")});
    UNTIL(w, w->held != NULL);
    smc_ws_free(connecting.ws);
    open_at(w, &busy, "/");
    for (int i = 0; i < 3; i++)
        assert_int_equal(SMC_OK, smc_ws_send(busy.ws, big, 1 << 20, true, NULL));
    (void)smc_loop_turn(w->loop, false);
    smc_ws_free(busy.ws);
    open_at(w, &closing, "/");
    assert_int_equal(SMC_OK, smc_ws_close(closing.ws, 1000, NULL, 0, NULL));
    smc_ws_free(closing.ws);
    open_at(w, &paused, "/");
    smc_ws_pause(paused.ws, true);
    assert_int_equal(SMC_OK, smc_peer_send(w->peer, "x", 1, false));
    settle(w);
    smc_ws_free(paused.ws);
    assert_int_equal(0, smc_ws_count(w->loop));
    UNTIL(w, smc_server_connections(w->server) == 0);
    assert_int_equal(0, starting.opened + starting.closed + connecting.opened + connecting.closed +
                            busy.closed + closing.closed + paused.closed + paused.messages);
    free(big);
    smc_buf_deinit(&busy.last);
}

static void a_callback_may_free_its_connection_and_others(void **state)
{
    world_t *w = *state;
    client_t on_open_ = {.free_on_open = true}, on_message_ = {.free_on_message = true};

    start(w, &on_open_, (smc_ws_conf_t){.url = url_of(w, "/")});
    UNTIL(w, on_open_.opened == 1);
    settle(w);
    open_at(w, &on_message_, "/");
    for (int i = 0; i < 10; i++)
        assert_int_equal(SMC_OK, smc_peer_send(w->peer, "x", 1, false));
    UNTIL(w, on_message_.messages == 1);
    settle(w);
    assert_int_equal(1, on_message_.messages);
    assert_int_equal(0, on_open_.closed + on_message_.closed);
    assert_int_equal(0, smc_ws_count(w->loop));
    smc_buf_deinit(&on_message_.last);
}

static void the_loop_closes_over_open_connections(void **state)
{
    world_t *w = *state;
    client_t c[3] = {0};

    for (int i = 0; i < 3; i++)
        open_at(w, &c[i], "/");
    send_text(&c[0], "on its way");
    assert_int_equal(SMC_OK, smc_ws_close(c[1].ws, 1000, NULL, 0, NULL));
    smc_peer_release(w->peer);
    w->peer = NULL;
    smc_server_close(w->server);
    w->server = NULL;
    smc_loop_close(w->loop);
    w->loop = NULL;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(0, c[i].closed);
        smc_buf_deinit(&c[i].last);
    }
}

/* ---- the loop ------------------------------------------------------------ */

/* libwebsockets' own timers must be nothing that virtual time could jump to. */
static void a_quiet_connection_is_a_deadlock_found_at_once(void **state)
{
    world_t *w = *state;
    client_t c = {0};
    int64_t start_ns;
    int turns = 0;

    open_at(w, &c, "/");
    settle(w);
    start_ns = smc_clock_now_ns();
    while (smc_loop_turn(w->loop, true) != SMC_TURN_DEADLOCK && turns < 1000)
        turns++;
    assert_true(turns < 1000);
    assert_int_equal(start_ns, smc_clock_now_ns());
    client_deinit(&c);
}

static void an_idle_client_does_not_keep_a_real_loop_waiting(void **state)
{
    world_t *w = *state;
    client_t c = {0};
    int turns = 0;

    open_at(w, &c, "/");
    assert_int_equal(SMC_OK, smc_ws_close(c.ws, 1000, NULL, 0, NULL));
    check_closed(w, &c, 1000, "", SMC_OK);
    smc_peer_release(w->peer);
    w->peer = NULL;
    smc_server_close(w->server);
    w->server = NULL;
    while (smc_loop_turn(w->loop, true) != SMC_TURN_DEADLOCK && turns < 1000)
        turns++;
    assert_true(turns < 1000);
    client_deinit(&c);
}

static void timers_that_were_there_before_still_fire(void **state)
{
    world_t *w = *state;
    client_t early = {0}, c = {0};
    smc_timer_t *t = NULL;

    assert_int_equal(SMC_OK, smc_timer_start(w->loop, 40, (smc_loop_cb)on_drain, &early, &t, NULL));
    open_at(w, &c, "/");
    client_deinit(&c);
    smc_peer_release(w->peer);
    w->peer = NULL;
    smc_server_close(w->server);
    w->server = NULL;
    UNTIL(w, early.drained == 1); /* nothing else keeps the loop alive now */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(our_close_is_answered_and_both_see_the_code),
        BOTH(a_code_that_may_not_be_sent_is_refused),
        BOTH(what_is_queued_goes_out_before_the_close),
        BOTH(a_close_of_the_server_is_answered_with_its_code),
        BOTH(closes_that_cross_end_cleanly),
        VIRTUAL(a_server_that_never_answers_a_close_is_left_after_five_seconds),
        BOTH(a_paused_client_still_closes),
        BOTH(a_close_while_connecting_gives_up),
        BOTH(an_end_without_a_close_frame_is_a_reset),
        BOTH(a_reset_while_we_wait_for_the_answer_to_our_close_is_a_reset),
        BOTH(a_broken_rule_ends_the_connection),
        BOTH(a_message_beyond_the_limit_ends_the_connection),
        BOTH(nothing_fires_after_free),
        BOTH(a_callback_may_free_its_connection_and_others),
        BOTH(the_loop_closes_over_open_connections),
        VIRTUAL(a_quiet_connection_is_a_deadlock_found_at_once),
        REAL(an_idle_client_does_not_keep_a_real_loop_waiting),
        BOTH(timers_that_were_there_before_still_fire),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
