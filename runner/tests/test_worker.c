#include "run/worker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void swallow(int number)
{
    (void)number;
}

/* The wait status of a worker of this process that is told to end at its first moment. */
static int end_at_once(void)
{
    int status = -1;
    pid_t pid = fork();
    if (pid == 0) {
        int output = open("/dev/null", O_WRONLY | O_CLOEXEC);
        if (output < 0 || !smcr_worker_settle(output, dup(output), -1))
            _exit(3);
        (void)kill(getpid(), SIGTERM);
        _exit(0);
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void worker_ends_by_what_its_parent_catches(void **state)
{
    (void)state;
    assert_true(signal(SIGTERM, swallow) != SIG_ERR);
    int status = end_at_once();
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    assert_true(signal(SIGTERM, SIG_IGN) != SIG_ERR); /* nohup and its like */
    assert_int_equal(end_at_once(), 0);
    assert_true(signal(SIGTERM, SIG_DFL) != SIG_ERR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worker_ends_by_what_its_parent_catches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
