/* The link and its toxics: what each does, and that it does nothing else. */
#include "link_world.h"

#define UP SMC_LINK_UPSTREAM
#define DOWN SMC_LINK_DOWNSTREAM

/* ---- a link without toxics ---------------------------------------------- */

static void it_passes_bytes_both_ways(void **state)
{
    world_t *w = *state;
    line_t line;

    lay(w, &line);
    say(&line.client, "question");
    await(w, &line, &line.server, 8);
    say(&line.server, "answer");
    await(w, &line, &line.client, 6);
    assert_heard(&line.server, "question");
    assert_heard(&line.client, "answer");
    assert_int_equal(1, smc_links_open_count(w->links));
    take_up(&line);
}

static void one_direction_may_end_before_the_other(void **state)
{
    world_t *w = *state;
    line_t line;

    lay(w, &line);
    say(&line.client, "all");
    assert_int_equal(0, shutdown(line.client.fd, SHUT_WR));
    await(w, &line, &line.server, 0);
    assert_heard(&line.server, "all");
    assert_false(line.client.ended);
    say(&line.server, "answer");
    await(w, &line, &line.client, 6);
    assert_non_null(line.link);
    shut(&line.server);
    await(w, &line, &line.client, 0);
    assert_int_equal(0, line.client.error);
    assert_null(line.link);
    assert_int_equal(0, smc_links_open_count(w->links));
    take_up(&line);
}

static void it_ends_with_either_end(void **state)
{
    world_t *w = *state;
    line_t line;

    lay(w, &line);
    say(&line.client, "bye");
    shut(&line.client);
    await(w, &line, &line.server, 0);
    assert_heard(&line.server, "bye");
    shut(&line.server);
    while (line.link != NULL)
        (void)smc_loop_turn(w->loop, false);
    take_up(&line);

    lay(w, &line);
    say(&line.server, "go");
    shut(&line.server);
    await(w, &line, &line.client, 0);
    assert_heard(&line.client, "go");
    shut(&line.client);
    while (line.link != NULL)
        (void)smc_loop_turn(w->loop, false);
    take_up(&line);
}

static void a_reset_of_the_server_is_passed_on_as_one(void **state)
{
    world_t *w = *state;
    line_t line;

    lay(w, &line);
    smc_link_leave(line.link, true);
    shut(&line.server);
    await(w, &line, &line.client, 0);
    assert_int_equal(smc_clock_is_virtual() ? 0 : ECONNRESET, line.client.error);
    assert_int_equal(0, smc_links_open_count(w->links));
    assert_non_null(line.link); /* nobody was told */
    line.link = NULL;
    take_up(&line);
}

/* Somebody who does not read is not read for: what waits in between is bounded. */
static void its_memory_is_bounded(void **state)
{
    world_t *w = *state;
    size_t sent = 0, heard = 0;
    char piece[4096] = {0};
    line_t line;
    int quiet = 0;

    lay(w, &line);
    (void)add(w, toxic(SMC_TOXIC_BLACKHOLE, UP));
    while (quiet < 50 && sent < 8 * SMC_LINK_HELD_MAX) {
        ssize_t n = send(line.client.fd, piece, sizeof(piece), MSG_NOSIGNAL);
        sent += n > 0 ? (size_t)n : 0;
        quiet = n > 0 ? 0 : quiet + 1;
        (void)smc_loop_turn(w->loop, false);
    }
    assert_true(sent >= SMC_LINK_HELD_MAX);
    assert_true(sent < 8 * SMC_LINK_HELD_MAX);
    smc_links_remove(w->links, 1);
    for (int i = 0; i < 100000 && heard < sent; i++) {
        (void)smc_loop_turn(w->loop, false);
        (void)hear_once(&line.server);
        heard = line.server.got.len;
    }
    assert_int_equal(sent, heard);
    take_up(&line);
}

/* ---- when bytes arrive -------------------------------------------------- */

static void latency_delays_each_piece_and_the_end(void **state)
{
    smc_toxic_t t = toxic(SMC_TOXIC_LATENCY, DOWN);
    world_t *w = *state;
    int64_t start = now_ms();
    line_t line;

    t.time_us = 20000;
    (void)add(w, t);
    lay(w, &line);
    say(&line.client, "at once");
    say(&line.server, "late");
    run_until(w, &line, start + 19);
    assert_heard(&line.server, "at once");
    assert_heard(&line.client, "");
    run_until(w, &line, start + 30);
    assert_heard(&line.client, "late");
    assert_int_equal(start + 20, line.client.last_ms);
    shut(&line.server);
    run(w, &line);
    assert_int_equal(start + 50, line.client.ended_ms);
    take_up(&line);
}

static void slow_close_delays_the_end_alone(void **state)
{
    smc_toxic_t t = toxic(SMC_TOXIC_SLOW_CLOSE, DOWN);
    world_t *w = *state;
    int64_t start = now_ms();
    line_t line;

    t.time_us = 1500000;
    (void)add(w, t);
    lay(w, &line);
    say(&line.server, "last words");
    shut(&line.server);
    run(w, &line);
    assert_heard(&line.client, "last words");
    assert_int_equal(start, line.client.last_ms);
    assert_int_equal(start + 1500, line.client.ended_ms);
    take_up(&line);
}

static void a_slicer_sends_small_pieces_apart_from_each_other(void **state)
{
    smc_toxic_t t = toxic(SMC_TOXIC_SLICER, DOWN);
    world_t *w = *state;
    int64_t start = now_ms();
    line_t line;

    t.size = 3;
    t.time_us = 10000;
    (void)add(w, t);
    lay(w, &line);
    say(&line.server, "abcdefgh");
    run_until(w, &line, start + 9);
    assert_heard(&line.client, "abc");
    run_until(w, &line, start + 19);
    assert_heard(&line.client, "abcdef");
    run(w, &line);
    assert_heard(&line.client, "abcdefgh");
    assert_int_equal(start + 20, line.client.last_ms);
    take_up(&line);
}

static void without_bandwidth_nothing_passes_until_there_is_some(void **state)
{
    smc_toxic_t t = toxic(SMC_TOXIC_BANDWIDTH, DOWN);
    world_t *w = *state;
    int64_t start = now_ms();
    line_t line;

    (void)add(w, t);
    lay(w, &line);
    say(&line.server, "0123456789");
    run_until(w, &line, start + 5000);
    assert_heard(&line.client, "");
    t.size = 10;
    assert_int_equal(SMC_OK, smc_links_change(w->links, 1, &t, NULL));
    run(w, &line);
    assert_heard(&line.client,
                 "0123456789"); /* what was held back goes at once, the rest in time */
    start = now_ms();
    say(&line.server, "0123456789");
    run(w, &line);
    assert_int_equal(start + 1000, line.client.last_ms);
    take_up(&line);
}

/* ---- which bytes arrive ------------------------------------------------- */

static void timeout_swallows_and_closes_in_time(void **state)
{
    smc_toxic_t t = toxic(SMC_TOXIC_TIMEOUT, DOWN);
    world_t *w = *state;
    int64_t start = now_ms();
    line_t line;

    t.time_us = 300000;
    lay(w, &line);
    (void)add(w, t);
    run_until(w, &line, start + 200);
    say(&line.server, "lost");
    run_until(w, &line, start + 299);
    assert_false(line.client.ended);
    assert_false(line.server.ended);
    run_until(w, &line, start + 300);
    assert_true(line.client.ended && line.server.ended);
    assert_heard(&line.client, "");
    take_up(&line);
}

static void timeout_zero_swallows_until_it_is_removed(void **state)
{
    world_t *w = *state;
    line_t line;

    lay(w, &line);
    (void)add(w, toxic(SMC_TOXIC_TIMEOUT, UP));
    say(&line.client, "lost");
    run_until(w, &line, now_ms() + 1000000);
    assert_false(line.client.ended || line.server.ended);
    smc_links_remove(w->links, 1);
    run(w, &line);
    assert_true(line.client.ended && line.server.ended);
    assert_heard(&line.server, "");
    take_up(&line);
}

static void reset_peer_resets_after_the_first_bytes(void **state)
{
    world_t *w = *state;
    line_t line;

    lay(w, &line);
    (void)add(w, toxic(SMC_TOXIC_RESET_PEER, DOWN));
    say(&line.client, "question");
    await(w, &line, &line.server, 8);
    assert_false(line.client.ended);
    say(&line.server, "answer");
    await(w, &line, &line.client, 0);
    assert_heard(&line.client, "");
    assert_int_equal(smc_clock_is_virtual() ? 0 : ECONNRESET, line.client.error);
    await(w, &line, &line.server, 0);
    take_up(&line);
}

static void reset_peer_may_wait(void **state)
{
    smc_toxic_t t = toxic(SMC_TOXIC_RESET_PEER, UP);
    world_t *w = *state;
    int64_t start = now_ms();
    line_t line;

    t.time_us = 70000;
    (void)add(w, t);
    lay(w, &line);
    say(&line.client, "question");
    run(w, &line);
    assert_int_equal(start + 70, line.client.ended_ms);
    assert_heard(&line.server, "");
    take_up(&line);
}

static void limit_data_passes_exactly_so_many_bytes(void **state)
{
    smc_toxic_t t = toxic(SMC_TOXIC_LIMIT_DATA, DOWN);
    world_t *w = *state;
    line_t line;

    t.size = 5;
    (void)add(w, t);
    lay(w, &line);
    say(&line.server, "abc");
    await(w, &line, &line.client, 3);
    say(&line.server, "defghi");
    await(w, &line, &line.client, 0);
    assert_heard(&line.client, "abcde");
    assert_int_equal(0, line.client.error);
    await(w, &line, &line.server, 0);
    shut(&line.client);
    while (line.link != NULL)
        (void)smc_loop_turn(w->loop, false);
    take_up(&line);
}

static void a_client_that_is_closed_on_need_not_close(void **state)
{
    world_t *w = *state;
    int64_t start = now_ms();
    line_t line;

    (void)add(w, toxic(SMC_TOXIC_LIMIT_DATA, DOWN));
    lay(w, &line);
    say(&line.server, "x");
    run(w, &line);
    assert_true(line.client.ended);
    assert_null(line.link);
    assert_true(now_ms() - start <= 2000);
    take_up(&line);
}

static void a_blackhole_lets_go_what_it_held_back(void **state)
{
    world_t *w = *state;
    int64_t start = now_ms();
    line_t line;

    lay(w, &line);
    (void)add(w, toxic(SMC_TOXIC_BLACKHOLE, UP | DOWN));
    say(&line.client, "question");
    say(&line.server, "event");
    shut(&line.server);
    run(w, &line);
    assert_int_equal(start, now_ms()); /* it hides no deadlock */
    assert_heard(&line.client, "");
    assert_false(line.client.ended);
    smc_links_remove(w->links, 1);
    run(w, &line);
    assert_heard(&line.client, "event");
    assert_true(line.client.ended);
    take_up(&line);
}

static void corruption_changes_a_share_of_the_bytes_behind_the_first(void **state)
{
    smc_toxic_t t = toxic(SMC_TOXIC_CORRUPT, DOWN);
    char zeros[10000] = {0};
    size_t changed = 0;
    world_t *w = *state;
    line_t line;

    t.size = 1000;
    t.share = 0.25;
    (void)add(w, t);
    lay(w, &line);
    say_n(&line.server, zeros, sizeof(zeros));
    run(w, &line);
    assert_int_equal(sizeof(zeros), line.client.got.len);
    for (size_t i = 0; i < sizeof(zeros); i++) {
        changed += line.client.got.data[i] != 0;
        if (i < 1000)
            assert_int_equal(0, changed);
    }
    assert_in_range(changed, 2250 - 205, 2250 + 205); /* five standard deviations of 41 */
    take_up(&line);
}

static void close_mid_body_cuts_the_bytes_behind_a_head(void **state)
{
    world_t *w = *state;
    line_t line;

    (void)add(w, toxic(SMC_TOXIC_CLOSE_MID_BODY, DOWN));
    lay(w, &line);
    say(&line.server, "HTTP/1.1 200 OK\r\n\r\n");
    run_until(w, &line, now_ms() + 1);
    assert_false(line.client.ended);
    say(&line.server, "0123456789");
    run(w, &line);
    assert_heard(&line.client, "HTTP/1.1 200 OK\r\n\r\n01234");
    assert_true(line.client.ended);
    take_up(&line);

    lay(w, &line);
    say(&line.server, "HTTP/1.1 200 OK\r\n\r\n0123456789");
    run(w, &line);
    assert_heard(&line.client, "HTTP/1.1 200 OK\r\n\r\n01234");
    take_up(&line);
}

static void half_open_ends_the_server_and_tells_the_client_nothing(void **state)
{
    world_t *w = *state;
    line_t line;

    lay(w, &line);
    (void)add(w, toxic(SMC_TOXIC_HALF_OPEN, UP | DOWN));
    await(w, &line, &line.server, 0);
    say(&line.client, "is anybody there?");
    for (int i = 0; i < 20; i++) {
        (void)smc_loop_turn(w->loop, false);
        (void)hear_once(&line.client);
    }
    assert_false(line.client.ended);
    smc_links_remove(w->links, 1);
    await(w, &line, &line.client, 0);
    assert_int_equal(smc_clock_is_virtual() ? 0 : ECONNRESET, line.client.error);
    take_up(&line);

    (void)add(w, toxic(SMC_TOXIC_HALF_OPEN, UP | DOWN));
    lay(w, &line);
    shut(&line.client);
    for (int i = 0; i < 20; i++)
        (void)smc_loop_turn(w->loop, false);
    assert_null(line.link);
    take_up(&line);
}

/* ---- together, and one after the other ---------------------------------- */

static void toxics_act_one_after_the_other(void **state)
{
    smc_toxic_t slow = toxic(SMC_TOXIC_BANDWIDTH, DOWN), late = toxic(SMC_TOXIC_LATENCY, DOWN),
                some = toxic(SMC_TOXIC_LIMIT_DATA, DOWN);
    world_t *w = *state;
    int64_t start = now_ms();
    line_t line;

    late.time_us = 7000;
    slow.size = 1000;
    some.size = 20;
    (void)add(w, late);
    (void)add(w, slow);
    (void)add(w, some);
    lay(w, &line);
    say(&line.server, "0123456789012345678901234567890");
    run(w, &line);
    assert_heard(&line.client, "01234567890123456789");
    assert_int_equal(start + 7 + 31, line.client.last_ms);
    assert_int_equal(start + 7 + 31, line.client.ended_ms);
    take_up(&line);
}

static void a_toxic_that_is_removed_lets_go_in_order(void **state)
{
    smc_toxic_t t = toxic(SMC_TOXIC_LATENCY, DOWN);
    world_t *w = *state;
    int64_t start = now_ms();
    line_t line;

    t.time_us = 1000000;
    (void)add(w, t);
    lay(w, &line);
    say(&line.server, "one ");
    run_until(w, &line, start + 10);
    say(&line.server, "two ");
    shut(&line.server);
    run_until(w, &line, start + 20);
    assert_heard(&line.client, "");
    smc_links_remove(w->links, 1);
    run(w, &line);
    assert_heard(&line.client, "one two ");
    assert_int_equal(start + 20, line.client.ended_ms);
    assert_false(smc_links_wanted(w->links));
    take_up(&line);
}

static void numbers_can_be_changed_while_it_acts(void **state)
{
    smc_toxic_t t = toxic(SMC_TOXIC_LIMIT_DATA, DOWN);
    smc_error_t err = {0};
    world_t *w = *state;
    line_t line;

    t.size = 100;
    (void)add(w, t);
    lay(w, &line);
    say(&line.server, "0123");
    run_until(w, &line, now_ms() + 1);
    t.size = 6;
    assert_int_equal(SMC_OK, smc_links_change(w->links, 1, &t, NULL));
    say(&line.server, "456789");
    run(w, &line);
    assert_heard(&line.client, "012345"); /* what had passed counts */
    take_up(&line);
    t.streams = UP;
    assert_int_equal(SMC_EINVAL, smc_links_change(w->links, 1, &t, &err));
    assert_string_equal("kind, streams and aimed stay as they are", err.detail);
    assert_int_equal(SMC_ENOENT, smc_links_change(w->links, 2, &t, NULL));
}

static void an_aimed_toxic_hits_whom_it_is_aimed_at(void **state)
{
    smc_toxic_t t = toxic(SMC_TOXIC_BLACKHOLE, DOWN);
    world_t *w = *state;
    line_t a, b;

    t.aimed = true;
    t.count = 2;
    lay(w, &a);
    lay(w, &b);
    (void)add(w, t);
    assert_false(smc_links_wanted(w->links));
    smc_link_aim(b.link, 1);
    smc_link_aim(b.link, 1);
    assert_int_equal(2, smc_links_hits(w->links, 1));
    smc_link_aim(a.link, 1); /* its count is used up */
    say(&a.server, "a");
    say(&b.server, "b");
    await(w, &a, &a.client, 1);
    for (int i = 0; i < 20; i++)
        (void)step(w, &b);
    assert_heard(&b.client, "");
    smc_link_spare(b.link, 1);
    await(w, &b, &b.client, 1);
    take_up(&a);
    take_up(&b);
}

static void what_is_out_of_range_is_refused(void **state)
{
    smc_toxic_t bad[] = {
        {.kind = SMC_TOXIC_COUNT, .streams = UP, .toxicity = 1},
        {.streams = 0, .toxicity = 1},
        {.streams = 4, .toxicity = 1},
        {.streams = UP, .toxicity = 1.1},
        {.streams = UP, .toxicity = -0.1},
        {.streams = UP, .toxicity = 1, .share = 2},
        {.streams = UP, .toxicity = 1, .time_us = UINT64_MAX},
        {.streams = UP, .toxicity = 1, .jitter_us = UINT64_MAX},
        {.streams = UP, .toxicity = 1, .size = 5, .variation = 5},
        {.streams = UP, .toxicity = 1, .kind = SMC_TOXIC_SLICER},
    };
    world_t *w = *state;
    unsigned id = 0;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(SMC_EINVAL, smc_links_add(w->links, &bad[i], &id, NULL));
    assert_int_equal(0, id);
    assert_false(smc_links_wanted(w->links));
    smc_links_remove(w->links, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(it_passes_bytes_both_ways),
        BOTH(one_direction_may_end_before_the_other),
        BOTH(it_ends_with_either_end),
        BOTH(a_reset_of_the_server_is_passed_on_as_one),
        VIRTUAL(its_memory_is_bounded),
        VIRTUAL(latency_delays_each_piece_and_the_end),
        VIRTUAL(slow_close_delays_the_end_alone),
        VIRTUAL(a_slicer_sends_small_pieces_apart_from_each_other),
        VIRTUAL(without_bandwidth_nothing_passes_until_there_is_some),
        VIRTUAL(timeout_swallows_and_closes_in_time),
        VIRTUAL(timeout_zero_swallows_until_it_is_removed),
        BOTH(reset_peer_resets_after_the_first_bytes),
        VIRTUAL(reset_peer_may_wait),
        BOTH(limit_data_passes_exactly_so_many_bytes),
        VIRTUAL(a_client_that_is_closed_on_need_not_close),
        VIRTUAL(a_blackhole_lets_go_what_it_held_back),
        VIRTUAL(corruption_changes_a_share_of_the_bytes_behind_the_first),
        VIRTUAL(close_mid_body_cuts_the_bytes_behind_a_head),
        BOTH(half_open_ends_the_server_and_tells_the_client_nothing),
        VIRTUAL(toxics_act_one_after_the_other),
        VIRTUAL(a_toxic_that_is_removed_lets_go_in_order),
        VIRTUAL(numbers_can_be_changed_while_it_acts),
        VIRTUAL(an_aimed_toxic_hits_whom_it_is_aimed_at),
        VIRTUAL(what_is_out_of_range_is_refused),
    };

    return cmocka_run_group_tests_name("link", tests, NULL, NULL);
}
