#include "guard_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct guard {
    pid_t pid;
    int pipe; /* the writing end */
    unsigned live;
} guard_t;

/* ---- in the guard: only what a fork of a process with threads may do ------------ */

static void note(pid_t groups[], pid_t told)
{
    pid_t wanted = told > 0 ? 0 : -told; /* an empty place, or the one that is dropped */
    for (int i = 0; i < SMC_GUARDED_MAX; i++) {
        if (groups[i] == wanted) {
            groups[i] = told > 0 ? told : 0;
            return;
        }
    }
}

static void stand_guard(int pipe)
{
    pid_t groups[SMC_GUARDED_MAX] = {0}, told;
    ssize_t n;
    (void)setsid();
    if (dup2(pipe, 0) < 0 || close_range(1, ~0u, 0) != 0)
        _exit(70);
    while ((n = read(0, &told, sizeof(told))) != 0) {
        if (n == (ssize_t)sizeof(told)) /* pipes hand over so few bytes in one piece */
            note(groups, told);
        else if (n < 0 && errno != EINTR)
            break;
    }
    for (int i = 0; i < SMC_GUARDED_MAX; i++)
        if (groups[i] > 0)
            (void)kill(-groups[i], SIGKILL);
    _exit(0);
}

/* ---- in the process -------------------------------------------------------------- */

static void close_guard(void *ud)
{
    guard_t *guard = ud;
    (void)close(guard->pipe);
    while (waitpid(guard->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    free(guard);
}

/* It ends with its pipe and by nothing else: signals stay blocked in it, and it is of no group that is killed. */
static pid_t fork_guard(int pipe)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    if (pid == 0)
        stand_guard(pipe);
    if (pid > 0)
        (void)setpgid(pid, pid); /* it does so itself, but maybe too late */
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    return pid;
}

static smc_code_t make_guard(smc_loop_t *loop, smc_error_t *err)
{
    int fds[2];
    guard_t *guard = calloc(1, sizeof(*guard));
    if (guard == NULL)
        return smc_fail(err, SMC_ENOMEM, "process", 0, "out of memory");
    if (pipe2(fds, O_CLOEXEC) != 0) {
        free(guard);
        return smc_fail(err, SMC_ESYS, "process", errno, "pipe: %s", strerror(errno));
    }
    guard->pipe = fds[1];
    guard->pid = fork_guard(fds[0]);
    int why = errno;
    (void)close(fds[0]);
    if (guard->pid < 0) {
        (void)close(fds[1]);
        free(guard);
        return smc_fail(err, SMC_ESYS, "process", why, "fork: %s", strerror(why));
    }
    smc_loop_set_slot(loop, SMC_SLOT_GUARD, guard, close_guard);
    return SMC_OK;
}

smc_code_t smc_guard_open(smc_loop_t *loop, smc_error_t *err)
{
    const guard_t *guard = smc_loop_slot(loop, SMC_SLOT_GUARD);
    if (guard == NULL)
        return make_guard(loop, err);
    if (guard->live == SMC_GUARDED_MAX)
        return smc_fail(err, SMC_EOVERFLOW, "process", 0, "at most %d programs run at a time",
                        SMC_GUARDED_MAX);
    return SMC_OK;
}

/* Small enough never to block: the guard does nothing but read. */
static void tell(const guard_t *guard, pid_t told)
{
    while (write(guard->pipe, &told, sizeof(told)) < 0 && errno == EINTR)
        ;
}

void smc_guard_add(smc_loop_t *loop, pid_t group)
{
    guard_t *guard = smc_loop_slot(loop, SMC_SLOT_GUARD);
    guard->live++;
    tell(guard, group);
}

void smc_guard_drop(smc_loop_t *loop, pid_t group)
{
    guard_t *guard = smc_loop_slot(loop, SMC_SLOT_GUARD);
    guard->live--;
    tell(guard, -group);
}
