/* peak_memory MIB PROGRAM ARG... - runs a program; prints how long it took and how much memory it, or the largest of the
 * processes that it waited for, ever had in use.  Fails when the program does, or when that is more than MIB. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now_s(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char *argv[])
{
    struct rusage usage = {0};
    double start = now_s();
    long limit = argc > 2 ? strtol(argv[1], NULL, 10) : 0;
    int status = 0;
    pid_t pid;

    if (limit <= 0) {
        (void)fputs("usage: peak_memory MIB PROGRAM ARG...\n", stderr);
        return 2;
    }
    pid = fork();
    if (pid == 0) {
        (void)execvp(argv[2], argv + 2);
        (void)fprintf(stderr, "%s: %s\n", argv[2], strerror(errno));
        _exit(127);
    }
    if (pid < 0 || wait4(pid, &status, 0, &usage) != pid) {
        (void)fprintf(stderr, "%s: %s\n", argv[2], strerror(errno));
        return 2;
    }
    printf("%.2f s, %.1f MiB\n", now_s() - start, (double)usage.ru_maxrss / 1024);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return 1;
    if (usage.ru_maxrss / 1024 >= limit) {
        (void)fprintf(stderr, "that is not less than %ld MiB\n", limit);
        return 1;
    }
    return 0;
}
