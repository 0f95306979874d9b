/* The loop with the virtual clock: order of timers, jumps, deadlock. */
#include "smc/clock.h"
#include "smc/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* What the timers of the running test wrote, in order. */
static struct {
    char text[64];
} fired;

static void on_timer(void *ud)
{
    size_t n = strlen(fired.text);

    (void)snprintf(fired.text + n, sizeof(fired.text) - n, "%s", (const char *)ud);
}

static int open_virtual(void **state)
{
    smc_loop_t *loop = NULL;

    smc_clock_set_virtual();
    fired.text[0] = '\0';
    if (smc_loop_open(&loop, NULL) != SMC_OK)
        return -1;
    *state = loop;
    return 0;
}

static int open_real(void **state)
{
    smc_loop_t *loop = NULL;

    smc_clock_set_real();
    fired.text[0] = '\0';
    if (smc_loop_open(&loop, NULL) != SMC_OK)
        return -1;
    *state = loop;
    return 0;
}

static int close_loop(void **state)
{
    smc_loop_close(*state);
    return 0;
}

static void timers_fire_by_time_then_by_start(void **state)
{
    smc_timer_t *t = NULL;
    int64_t start_ns = smc_clock_now_ns();

    assert_int_equal(SMC_OK, smc_timer_start(*state, 300, on_timer, "c", &t, NULL));
    assert_int_equal(SMC_OK, smc_timer_start(*state, 100, on_timer, "a", &t, NULL));
    assert_int_equal(SMC_OK, smc_timer_start(*state, 100, on_timer, "b", &t, NULL));
    while (smc_loop_turn(*state, true) != SMC_TURN_DEADLOCK) {
    }
    assert_string_equal("abc", fired.text);
    assert_int_equal(300000000, smc_clock_now_ns() - start_ns);
}

static void time_stands_still_while_a_turn_may_not_wait(void **state)
{
    smc_timer_t *t = NULL;
    int64_t start_ns = smc_clock_now_ns();

    assert_int_equal(SMC_OK, smc_timer_start(*state, 1, on_timer, "a", &t, NULL));
    for (int i = 0; i < 10; i++)
        (void)smc_loop_turn(*state, false);
    assert_int_equal(start_ns, smc_clock_now_ns());
    smc_timer_cancel(t);
}

static void a_cancelled_timer_never_fires(void **state)
{
    smc_timer_t *t = NULL;

    assert_int_equal(SMC_OK, smc_timer_start(*state, 5, on_timer, "x", &t, NULL));
    smc_timer_cancel(t);
    while (smc_loop_turn(*state, true) != SMC_TURN_DEADLOCK) {
    }
    assert_string_equal("", fired.text);
}

static void a_deadline_ends_the_wait_but_lets_a_timer_of_that_instant_fire(void **state)
{
    int64_t start_ns = smc_clock_now_ns();
    smc_timer_t *t = NULL;
    smc_turn_t turn = SMC_TURN_RAN;

    assert_int_equal(SMC_OK, smc_timer_start(*state, 100, on_timer, "a", &t, NULL));
    assert_int_equal(SMC_OK, smc_timer_start(*state, 500, on_timer, "b", &t, NULL));
    smc_loop_set_deadline(*state, start_ns + 100000000);
    while (turn == SMC_TURN_RAN)
        turn = smc_loop_turn(*state, true);
    assert_int_equal(SMC_TURN_DEADLINE, turn);
    assert_string_equal("a", fired.text);
    assert_int_equal(100000000, smc_clock_now_ns() - start_ns);
    smc_timer_cancel(t);
}

static void a_deadline_alone_does_not_hide_a_deadlock(void **state)
{
    smc_turn_t turn = SMC_TURN_RAN;

    smc_loop_set_deadline(*state, smc_clock_now_ns() + 100000000);
    while (turn == SMC_TURN_RAN)
        turn = smc_loop_turn(*state, true);
    assert_int_equal(SMC_TURN_DEADLOCK, turn);
}

/* A byte that lies unread between two sockets of this process is something in flight: no jump over it. */
static void time_does_not_jump_over_bytes_in_flight(void **state)
{
    int64_t start_ns = smc_clock_now_ns();
    smc_timer_t *t = NULL;
    int pair[2];
    char byte;

    assert_int_equal(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    smc_loop_watch(*state, pair[0]);
    assert_int_equal(1, write(pair[0], "x", 1));
    assert_int_equal(SMC_OK, smc_timer_start(*state, 100, on_timer, "a", &t, NULL));
    for (int i = 0; i < 20; i++)
        assert_int_equal(SMC_TURN_RAN, smc_loop_turn(*state, true));
    assert_int_equal(start_ns, smc_clock_now_ns());

    assert_int_equal(1, read(pair[1], &byte, 1));
    while (smc_loop_turn(*state, true) != SMC_TURN_DEADLOCK) {
    }
    assert_string_equal("a", fired.text);
    smc_loop_unwatch(*state, pair[0]);
    (void)close(pair[0]);
    (void)close(pair[1]);
}

/* Whether bytes that lie unread between the two keep time from jumping. */
static bool holds_time(smc_loop_t *loop, const int pair[2])
{
    smc_turn_t turn;
    char byte;

    assert_int_equal(1, write(pair[0], "x", 1));
    turn = smc_loop_turn(loop, true);
    assert_int_equal(1, read(pair[1], &byte, 1));
    return turn == SMC_TURN_RAN;
}

static void each_descriptor_is_watched_by_itself(void **state)
{
    int pairs[8][2];

    for (int i = 0; i < 8; i++)
        assert_int_equal(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pairs[i]));
    for (int i = 0; i < 8; i++)
        smc_loop_watch(*state, pairs[i][0]);
    for (int i = 0; i < 8; i += 3)
        smc_loop_unwatch(*state, pairs[i][0]);
    for (int i = 0; i < 8; i++)
        assert_int_equal(i % 3 != 0, holds_time(*state, pairs[i]));
    for (int i = 0; i < 8; i++) {
        smc_loop_unwatch(*state, pairs[i][0]);
        assert_false(holds_time(*state, pairs[i]));
        (void)close(pairs[i][0]);
        (void)close(pairs[i][1]);
    }
}

static void libc_reads_the_virtual_clock(void **state)
{
    struct timespec ts;

    (void)state;
    assert_int_equal(SMC_CLOCK_EPOCH_MS / 1000, time(NULL));
    smc_clock_advance_ns(INT64_C(2500000000));
    assert_int_equal(0, clock_gettime(CLOCK_REALTIME, &ts));
    assert_int_equal(SMC_CLOCK_EPOCH_MS / 1000 + 2, ts.tv_sec);
    assert_int_equal(500000000, ts.tv_nsec);
}

static void a_virtual_place_is_routed_by_its_path_and_the_same_each_time(void **state)
{
    const char *path = NULL;
    uint16_t port = 0;
    int fd = -1;

    assert_int_equal(SMC_OK, smc_loop_listen(*state, NULL, 0, &fd, &port, NULL));
    assert_int_equal(20001, port);
    assert_true(smc_loop_route(*state, "127.0.0.1", port, &path));
    assert_non_null(path);
    smc_loop_unlisten(*state, port);
    assert_true(smc_loop_route(*state, "127.0.0.1", port, &path));
    assert_null(path);
}

/* Where a loop that is opened now listens. */
static void listen_anew(smc_loop_t **loop, char *path, size_t size)
{
    const char *found = NULL;
    uint16_t port = 0;
    int fd = -1;

    assert_int_equal(SMC_OK, smc_loop_open(loop, NULL));
    assert_int_equal(SMC_OK, smc_loop_listen(*loop, NULL, 0, &fd, &port, NULL));
    (void)close(fd);
    assert_true(smc_loop_route(*loop, "127.0.0.1", port, &found));
    (void)snprintf(path, size, "%s", found);
    assert_int_equal(0, access(path, F_OK));
}

static void assert_listens_below(const char *folder)
{
    smc_loop_t *loop = NULL;
    char path[108], *slash;

    listen_anew(&loop, path, sizeof(path));
    assert_memory_equal(folder, path, strlen(folder));
    smc_loop_close(loop);
    slash = strrchr(path, '/');
    *slash = '\0';
    assert_int_equal(-1, access(path, F_OK));
}

static void sockets_lie_where_TMPDIR_says_else_in_memory(void **state)
{
    char folder[] = "/tmp/smc_loop_XXXXXX", *was = getenv("TMPDIR");
    const char *memory = access("/dev/shm", W_OK) == 0 ? "/dev/shm/" : "/tmp/";

    (void)state;
    was = was == NULL ? NULL : strdup(was);
    assert_non_null(mkdtemp(folder));
    assert_int_equal(0, setenv("TMPDIR", folder, 1));
    assert_listens_below(folder);
    assert_int_equal(0, rmdir(folder));
    assert_listens_below(memory); /* it is gone */
    assert_int_equal(0,
                     setenv("TMPDIR", "/../../../../../../../../../../../tmp", 1)); /* too long */
    assert_listens_below(memory);
    assert_int_equal(0, unsetenv("TMPDIR"));
    assert_listens_below(memory);
    if (was != NULL)
        assert_int_equal(0, setenv("TMPDIR", was, 1));
    free(was);
}

static void a_sweep_removes_the_sockets_of_one_process(void **state)
{
    smc_loop_t *loop = NULL;
    char path[108], *slash;

    (void)state;
    listen_anew(&loop, path, sizeof(path));
    smc_loop_sweep(0); /* nobody's: the files of others are not touched */
    assert_int_equal(0, access(path, F_OK));
    smc_loop_sweep(getpid());
    slash = strrchr(path, '/');
    *slash = '\0';
    assert_int_equal(-1, access(path, F_OK));
    smc_loop_close(loop);
}

static void real_time_waits_in_the_kernel_and_keeps_the_deadline(void **state)
{
    int64_t start_ns = smc_clock_real_ns();
    smc_timer_t *t = NULL;
    smc_turn_t turn = SMC_TURN_RAN;

    assert_int_equal(SMC_OK, smc_timer_start(*state, 1, on_timer, "a", &t, NULL));
    assert_int_equal(SMC_OK, smc_timer_start(*state, 3600000, on_timer, "b", &t, NULL));
    smc_loop_set_deadline(*state, smc_clock_now_ns() + 20000000);
    while (turn == SMC_TURN_RAN)
        turn = smc_loop_turn(*state, true);
    assert_int_equal(SMC_TURN_DEADLINE, turn);
    assert_string_equal("a", fired.text);
    assert_true(smc_clock_real_ns() - start_ns >= 20000000);
    smc_timer_cancel(t);
}

static void note_time(void *ud)
{
    *(int64_t *)ud = smc_clock_now_ns();
}

/* Started at many points within a millisecond, with a turn at every one: what counts whole ones only is early. */
static void a_timer_of_real_time_is_never_early(void **state)
{
    for (int i = 0; i < 50; i++) {
        int64_t start_ns = smc_clock_now_ns(), fired_ns = 0;
        smc_timer_t *t = NULL;
        assert_int_equal(SMC_OK, smc_timer_start(*state, 2, note_time, &fired_ns, &t, NULL));
        while (fired_ns == 0)
            assert_int_equal(SMC_TURN_RAN, smc_loop_turn(*state, false));
        assert_true(fired_ns - start_ns >= 2000000);
    }
}

static void a_wake_ends_the_wait_of_this_turn_or_the_next(void **state)
{
    smc_timer_t *t = NULL;
    int64_t start_ns = smc_clock_real_ns();

    assert_int_equal(SMC_OK, smc_timer_start(*state, 30000, on_timer, "a", &t, NULL));
    smc_loop_wake(*state);
    assert_int_equal(SMC_TURN_RAN, smc_loop_turn(*state, true));
    assert_true(smc_clock_real_ns() - start_ns < INT64_C(20000000000));
    assert_string_equal("", fired.text);
    smc_timer_cancel(t);
}

static void being_ready_for_a_wake_does_not_hide_a_deadlock(void **state)
{
    assert_int_equal(SMC_TURN_DEADLOCK, smc_loop_turn(*state, true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(timers_fire_by_time_then_by_start, open_virtual,
                                        close_loop),
        cmocka_unit_test_setup_teardown(time_stands_still_while_a_turn_may_not_wait, open_virtual,
                                        close_loop),
        cmocka_unit_test_setup_teardown(a_cancelled_timer_never_fires, open_virtual, close_loop),
        cmocka_unit_test_setup_teardown(
            a_deadline_ends_the_wait_but_lets_a_timer_of_that_instant_fire, open_virtual,
            close_loop),
        cmocka_unit_test_setup_teardown(a_deadline_alone_does_not_hide_a_deadlock, open_virtual,
                                        close_loop),
        cmocka_unit_test_setup_teardown(time_does_not_jump_over_bytes_in_flight, open_virtual,
                                        close_loop),
        cmocka_unit_test_setup_teardown(real_time_waits_in_the_kernel_and_keeps_the_deadline,
                                        open_real, close_loop),
        cmocka_unit_test_setup_teardown(a_timer_of_real_time_is_never_early, open_real, close_loop),
        cmocka_unit_test_setup_teardown(a_wake_ends_the_wait_of_this_turn_or_the_next, open_real,
                                        close_loop),
        cmocka_unit_test_setup_teardown(being_ready_for_a_wake_does_not_hide_a_deadlock, open_real,
                                        close_loop),
        cmocka_unit_test_setup_teardown(each_descriptor_is_watched_by_itself, open_virtual,
                                        close_loop),
        cmocka_unit_test_setup_teardown(libc_reads_the_virtual_clock, open_virtual, close_loop),
        cmocka_unit_test_setup_teardown(
            a_virtual_place_is_routed_by_its_path_and_the_same_each_time, open_virtual, close_loop),
        cmocka_unit_test_setup_teardown(sockets_lie_where_TMPDIR_says_else_in_memory, open_virtual,
                                        close_loop),
        cmocka_unit_test_setup_teardown(a_sweep_removes_the_sockets_of_one_process, open_virtual,
                                        close_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
