/* Programs that are started: their output, their end, and that nothing of them stays behind. */
#include "smc/buf.h"
#include "smc/clock.h"
#include "smc/process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE_S 60 /* of a test that fails */

typedef struct stage {
    smc_loop_t *loop;
    smc_process_t *process;
    smc_buf_t out, err;
    unsigned ends;
    int status, number;
    char folder[64], fifo[256];
    int alive; /* the fifo's reading end: it hangs up when the last of the programs that hold it is gone */
} stage_t;

static void on_output(void *ud, int stream, const char *data, size_t n)
{
    stage_t *s = ud;
    assert_int_equal(0, s->ends);
    assert_int_equal(SMC_OK, smc_buf_append(stream == 1 ? &s->out : &s->err, data, n));
}

static void on_exit_(void *ud, int status, int number)
{
    stage_t *s = ud;
    s->ends++;
    s->status = status;
    s->number = number;
}

static const char *const env[] = {"PATH=/usr/bin:/bin", "GIVEN=this", NULL};

static smc_code_t start_input(stage_t *s, const char *script, bool takes_input, smc_error_t *err)
{
    const char *argv[] = {"sh", "-c", script, NULL};
    smc_process_conf_t conf = {.argv = argv,
                               .env = env,
                               .cwd = s->folder,
                               .takes_input = takes_input,
                               .on = {on_output, on_exit_},
                               .ud = s};
    return smc_process_start(s->loop, &conf, &s->process, err);
}

static void start(stage_t *s, const char *script)
{
    smc_error_t err = {0};
    if (start_input(s, script, false, &err) != SMC_OK)
        fail_msg("not started: %s", err.detail);
}

/* Turns until the condition holds. */
#define UNTIL(s, condition)                                                             \
    do {                                                                                \
        int64_t end_ns = smc_clock_real_ns() + PATIENCE_S * INT64_C(1000000000);        \
        while (!(condition)) {                                                          \
            if (smc_clock_real_ns() > end_ns)                                           \
                fail_msg("never: %s", #condition);                                      \
            smc_loop_set_deadline((s)->loop, smc_clock_now_ns() + INT64_C(1000000000)); \
            (void)smc_loop_turn((s)->loop, true);                                       \
        }                                                                               \
    } while (0)

static bool says(const smc_buf_t *b, const char *text)
{
    return b->data != NULL && strstr(b->data, text) != NULL;
}

/* Nobody holds the fifo any more. */
static void assert_all_gone(const stage_t *s)
{
    struct pollfd pfd = {.fd = s->alive, .events = POLLIN};
    assert_int_equal(1, poll(&pfd, 1, PATIENCE_S * 1000));
    assert_int_equal(POLLHUP, pfd.revents);
}

static int open_stage(void **state)
{
    static stage_t stage;
    stage_t *s = &stage;
    *s = (stage_t){0};
    (void)snprintf(s->folder, sizeof(s->folder), "/tmp/smc-process-XXXXXX");
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || mkdtemp(s->folder) == NULL)
        return -1;
    (void)snprintf(s->fifo, sizeof(s->fifo), "%.60s/alive", s->folder);
    if (mkfifo(s->fifo, 0600) != 0)
        return -1;
    s->alive = open(s->fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    smc_clock_set_real();
    *state = s;
    return s->alive < 0 || smc_loop_open(&s->loop, NULL) != SMC_OK ? -1 : 0;
}

/* Neither a zombie nor the guard is left. */
static int close_stage(void **state)
{
    stage_t *s = *state;
    smc_process_free(s->process);
    smc_loop_close(s->loop);
    int left = waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD ? 0 : -1;
    (void)close(s->alive);
    (void)unlink(s->fifo);
    (void)rmdir(s->folder);
    smc_buf_deinit(&s->out);
    smc_buf_deinit(&s->err);
    return left;
}

/* ---- what it says, and how it ends -------------------------------------------- */

static void both_streams_and_the_status_arrive(void **state)
{
    stage_t *s = *state;
    start(s, "echo out; echo err >&2; printf torn; exit 7");
    UNTIL(s, s->ends == 1);
    assert_string_equal("out\ntorn", s->out.data);
    assert_string_equal("err\n", s->err.data);
    assert_int_equal(7, s->status);
    assert_int_equal(0, s->number);
}

static void megabytes_arrive_before_the_end(void **state)
{
    stage_t *s = *state;
    start(s, "head -c 3000000 /dev/zero | tr '\\0' x");
    UNTIL(s, s->ends == 1);
    assert_int_equal(3000000, s->out.len);
}

static void nothing_is_handed_down_but_what_is_said(void **state)
{
    stage_t *s = *state;
    char folder[80];
    (void)snprintf(folder, sizeof(folder), "%.60s\n", s->folder);
    start(s, "env; ls /proc/self/fd; pwd; cat; grep SigIgn /proc/self/status");
    UNTIL(s, s->ends == 1);
    assert_int_equal(0, s->status);
    assert_true(says(&s->out, "GIVEN=this\n"));
    assert_true(says(&s->out, "PATH=/usr/bin:/bin\n"));
    assert_false(says(&s->out, "HOME="));
    assert_true(says(&s->out, "\n0\n1\n2\n3\n")); /* 3: ls looks at the folder */
    assert_false(says(&s->out, "\n4\n"));
    assert_true(says(&s->out, folder));
    assert_true(says(&s->out, "SigIgn:\t0000000000000000")); /* SIGPIPE would be ignored */
}

static void what_is_written_is_read_to_its_end(void **state)
{
    stage_t *s = *state;
    assert_int_equal(SMC_OK, start_input(s, "cat; echo over", true, NULL));
    assert_int_equal(SMC_OK, smc_process_write(s->process, "first ", 6, NULL));
    UNTIL(s, says(&s->out, "first"));
    assert_int_equal(SMC_OK, smc_process_write(s->process, "second ", 7, NULL));
    smc_process_end_input(s->process);
    UNTIL(s, s->ends == 1);
    assert_string_equal("first second over\n", s->out.data);
    assert_int_equal(SMC_ECLOSED, smc_process_write(s->process, "third", 5, NULL));
}

static void who_does_not_read_is_not_fed_for_ever(void **state)
{
    enum { CHUNK = 1 << 20, ENOUGH = 64 };
    stage_t *s = *state;
    char *chunk = calloc(1, CHUNK);
    smc_code_t rc = start_input(s, "sleep 1000", true, NULL);
    for (int i = 0; i < ENOUGH && rc == SMC_OK; i++)
        rc = smc_process_write(s->process, chunk, CHUNK, NULL);
    free(chunk);
    assert_int_equal(SMC_EAGAIN, rc);
}

static void what_is_not_there_is_named(void **state)
{
    stage_t *s = *state;
    smc_error_t err = {0};
    const char *argv[] = {"no-such-program", NULL};
    smc_process_conf_t conf = {
        .argv = argv, .env = env, .cwd = s->folder, .on = {on_output, on_exit_}};
    assert_int_equal(SMC_ENOENT, smc_process_start(s->loop, &conf, &s->process, &err));
    assert_non_null(strstr(err.detail, "'no-such-program'"));
    assert_null(s->process);
}

static void the_virtual_clock_has_no_programs(void **state)
{
    stage_t *s = *state;
    smc_loop_close(s->loop);
    smc_clock_set_virtual();
    assert_int_equal(SMC_OK, smc_loop_open(&s->loop, NULL));
    assert_int_equal(SMC_EPOLICY, start_input(s, "true", false, NULL));
    smc_loop_close(s->loop);
    smc_clock_set_real();
    assert_int_equal(SMC_OK, smc_loop_open(&s->loop, NULL));
}

static void one_that_got_away_does_not_hold_up_the_end(void **state)
{
    stage_t *s = *state;
    const char *script = "setsid sh -c 'echo $$; exec sleep 1000' & read -r line";
    assert_int_equal(SMC_OK, start_input(s, script, true, NULL));
    UNTIL(s, says(&s->out, "\n"));
    pid_t away = (pid_t)strtol(s->out.data, NULL, 10);
    smc_process_end_input(s->process);
    UNTIL(s, s->ends == 1); /* though its output is still open */
    assert_true(away > 1);
    assert_int_equal(0, kill(away, SIGKILL));
}

/* ---- nothing stays behind ---------------------------------------------------------- */

#define FAMILY "exec 3>alive; sleep 1000 & echo up; wait; exit 3"

static void a_signal_goes_to_the_program_alone(void **state)
{
    stage_t *s = *state;
    start(s, "trap 'echo caught; kill $!; exit 3' USR1; sleep 1000 & echo up; wait");
    UNTIL(s, says(&s->out, "up"));
    assert_int_equal(SMC_OK, smc_process_signal(s->process, SIGUSR1, false, NULL));
    UNTIL(s, s->ends == 1);
    assert_int_equal(3, s->status);
    assert_string_equal("up\ncaught\n", s->out.data);
    assert_int_equal(0, s->err.len); /* the shell would tell of a child that was killed */
}

static void a_signal_goes_to_the_whole_group(void **state)
{
    stage_t *s = *state;
    start(s, FAMILY);
    UNTIL(s, says(&s->out, "up"));
    assert_int_equal(SMC_OK, smc_process_signal(s->process, SIGTERM, true, NULL));
    UNTIL(s, s->ends == 1);
    assert_int_equal(SIGTERM, s->number);
    assert_all_gone(s);
    assert_int_equal(SMC_ECLOSED, smc_process_signal(s->process, SIGTERM, true, NULL));
}

static void what_outlives_its_program_is_killed(void **state)
{
    stage_t *s = *state;
    start(s, "exec 3>alive; trap '' TERM; sleep 1000 & exit 0");
    UNTIL(s, s->ends == 1);
    assert_int_equal(0, s->status);
    assert_all_gone(s);
}

static void one_that_is_freed_is_killed_with_its_group(void **state)
{
    stage_t *s = *state;
    start(s, "trap '' TERM; " FAMILY);
    UNTIL(s, says(&s->out, "up"));
    smc_process_free(s->process);
    s->process = NULL;
    assert_all_gone(s);
    assert_int_equal(0, s->ends);
}

/* In a process of its own, which is killed with its program alive. */
static void start_and_be_killed(stage_t *s)
{
    smc_loop_t *loop = NULL;
    if (smc_loop_open(&loop, NULL) != SMC_OK)
        _exit(1);
    s->loop = loop;
    if (start_input(s, "trap '' TERM HUP; " FAMILY, false, NULL) != SMC_OK)
        _exit(2);
    while (!says(&s->out, "up"))
        (void)smc_loop_turn(loop, true);
    (void)raise(SIGKILL);
}

static void nothing_outlives_a_process_that_is_killed(void **state)
{
    stage_t *s = *state;
    int status = 0;
    pid_t pid = fork();
    if (pid == 0)
        start_and_be_killed(s);
    assert_int_equal(pid, waitpid(pid, &status, 0));
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_all_gone(s);
}

static void there_is_an_end_to_how_many_live(void **state)
{
    enum { MANY = 257 };
    stage_t *s = *state;
    smc_process_t *all[MANY] = {NULL};
    smc_code_t rc = SMC_OK;
    int n = 0;
    while (n < MANY && rc == SMC_OK) {
        rc = start_input(s, "exec sleep 1000", false, NULL);
        if (rc == SMC_OK)
            all[n++] = s->process;
    }
    for (int i = 0; i < n; i++)
        smc_process_free(all[i]);
    s->process = NULL;
    assert_int_equal(SMC_EOVERFLOW, rc);
    assert_int_equal(256, n);
    start(s, "echo again");
    UNTIL(s, s->ends == 1);
    assert_string_equal("again\n", s->out.data);
}

int main(void)
{
#define IN_STAGE(test) cmocka_unit_test_setup_teardown(test, open_stage, close_stage)
    const struct CMUnitTest tests[] = {
        IN_STAGE(both_streams_and_the_status_arrive),
        IN_STAGE(megabytes_arrive_before_the_end),
        IN_STAGE(nothing_is_handed_down_but_what_is_said),
        IN_STAGE(what_is_written_is_read_to_its_end),
        IN_STAGE(who_does_not_read_is_not_fed_for_ever),
        IN_STAGE(one_that_got_away_does_not_hold_up_the_end),
        IN_STAGE(what_is_not_there_is_named),
        IN_STAGE(the_virtual_clock_has_no_programs),
        IN_STAGE(a_signal_goes_to_the_program_alone),
        IN_STAGE(a_signal_goes_to_the_whole_group),
        IN_STAGE(what_outlives_its_program_is_killed),
        IN_STAGE(one_that_is_freed_is_killed_with_its_group),
        IN_STAGE(nothing_outlives_a_process_that_is_killed),
        IN_STAGE(there_is_an_end_to_how_many_live),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
