/* lockstep.h - worker processes that a parent tells the time, all of them at once, so that they race in earnest. */
#ifndef SMC_TESTS_LOCKSTEP_H
#define SMC_TESTS_LOCKSTEP_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct worker {
    pid_t pid;    /* 0: it has ended */
    int to, from; /* descriptors of the parent */
} worker_t;

/* The life of a worker: for each time that next_time reads from `in` it writes an answer to `out`. */
typedef void (*worker_fn)(void *ud, uint32_t number, int in, int out);

static inline void die(const char *what)
{
    perror(what);
    exit(1);
}

/* In a worker.  false: it is over. */
static inline bool next_time(int in, uint64_t *now)
{
    return read(in, now, sizeof(*now)) == sizeof(*now) && *now != UINT64_MAX;
}

static inline void write_all(int fd, const void *bytes, size_t n)
{
    if (write(fd, bytes, n) != (ssize_t)n)
        _exit(3);
}

static inline void read_all(int fd, void *bytes, size_t n)
{
    for (size_t had = 0; had < n;) {
        ssize_t more = read(fd, (char *)bytes + had, n - had);
        if (more <= 0)
            die("a worker does not answer");
        had += (size_t)more;
    }
}

static inline worker_t start_worker(worker_fn life, void *ud, uint32_t number)
{
    int to[2], from[2];
    if (pipe(to) != 0 || pipe(from) != 0)
        die("pipe");
    (void)fflush(stdout);
    pid_t pid = fork();
    if (pid < 0)
        die("fork");
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        life(ud, number, to[0], from[1]);
        _exit(0);
    }
    (void)close(to[0]);
    (void)close(from[1]);
    return (worker_t){.pid = pid, .to = to[1], .from = from[0]};
}

static inline void tell_time(const worker_t *w, uint64_t now)
{
    if (write(w->to, &now, sizeof(now)) != sizeof(now))
        die("a worker does not listen");
}

/* sig 0: by its own will, and without a fault. */
static inline void stop_worker(worker_t *w, int sig)
{
    int status = 0;
    if (sig != 0)
        (void)kill(w->pid, sig);
    else
        tell_time(w, UINT64_MAX);
    (void)close(w->to);
    if (waitpid(w->pid, &status, 0) != w->pid)
        die("waitpid");
    (void)close(w->from);
    if (sig == 0 && (!WIFEXITED(status) || WEXITSTATUS(status) != 0)) {
        (void)fprintf(stderr, "a worker ended with status %x\n", (unsigned)status);
        exit(1);
    }
    *w = (worker_t){0};
}

#endif /* SMC_TESTS_LOCKSTEP_H */
