/* bench_cold_start SMCRUN BUSTED SPEC - from exec to exit for one spec, against busted, in turns.
 *
 * The two run alternately, so that what slows the machine down slows both; the ratio is the median of the ratios of
 * neighbours. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

enum { WARM_UP = 3, ROUNDS = 31 };

extern char **environ;

static double now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Milliseconds that `program spec` took with its output thrown away; the bench ends unless it succeeded. */
static double run(char *program, char *spec)
{
    char *argv[] = {program, spec, NULL};
    posix_spawn_file_actions_t files;
    double start = now_ms();
    pid_t pid;
    int status = 0;
    int rc;

    (void)posix_spawn_file_actions_init(&files);
    (void)posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
    rc = posix_spawn(&pid, program, &files, NULL, argv, environ);
    (void)posix_spawn_file_actions_destroy(&files);
    if (rc != 0) {
        (void)fprintf(stderr, "%s: %s\n", program, strerror(rc));
        exit(1);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        (void)fprintf(stderr, "%s %s failed\n", program, spec);
        exit(1);
    }
    return now_ms() - start;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *values, size_t n)
{
    qsort(values, n, sizeof(*values), compare);
    return values[n / 2];
}

int main(int argc, char *argv[])
{
    double ours[ROUNDS];
    double peer[ROUNDS];
    double ratio[ROUNDS];

    if (argc != 4) {
        (void)fprintf(stderr, "usage: bench_cold_start SMCRUN BUSTED SPEC\n");
        return 1;
    }
    for (int i = -WARM_UP; i < ROUNDS; i++) {
        double a = run(argv[1], argv[3]);
        double b = run(argv[2], argv[3]);

        if (i < 0)
            continue;
        ours[i] = a;
        peer[i] = b;
        ratio[i] = a / b;
    }
    printf("cold start of one trivial spec, median of %d: smcrun %.1f ms, busted %.1f ms, ratio "
           "%.2f\n",
           ROUNDS, median(ours, ROUNDS), median(peer, ROUNDS), median(ratio, ROUNDS));
    return 0;
}
