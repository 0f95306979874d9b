/* bench_idle_clients SMCRUN N MIB - the memory of `smcrun serve` while N WebSocket clients are connected and idle.
 *
 * Half of them have subscribed to a stream, the others to nothing; all have had their handshake.  Then one more request
 * must be answered.  Exit status 1 when the server's resident memory reaches MIB mebibytes. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;
static pid_t server;

static void fail(const char *what)
{
    (void)fprintf(stderr, "bench_idle_clients: %s: %s\n", what, strerror(errno));
    if (server > 0)
        (void)kill(server, SIGKILL);
    exit(1);
}

static double now_s(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Serves Binance; returns its port. */
static uint16_t serve(char *program)
{
    char *argv[] = {program, "serve", "binance", "--json", NULL};
    posix_spawn_file_actions_t files;
    char line[1024] = "";
    int out[2], rc;

    if (pipe(out) != 0)
        fail("pipe");
    (void)posix_spawn_file_actions_init(&files);
    (void)posix_spawn_file_actions_adddup2(&files, out[1], 1);
    (void)posix_spawn_file_actions_addclose(&files, out[0]);
    rc = posix_spawn(&server, program, &files, NULL, argv, environ);
    (void)posix_spawn_file_actions_destroy(&files);
    (void)close(out[1]);
    if (rc != 0 || read(out[0], line, sizeof(line) - 1) <= 0)
        fail(program);
    const char *port = strstr(line, "\"rest\":\"http://127.0.0.1:");
    if (port == NULL)
        fail("no line of JSON");
    return (uint16_t)strtoul(port + strlen("\"rest\":\"http://127.0.0.1:"), NULL, 10);
}

static double resident_mib(void)
{
    char path[64], line[256];
    double kib = -1;

    (void)snprintf(path, sizeof(path), "/proc/%ld/status", (long)server);
    FILE *f = fopen(path, "r");
    if (f == NULL)
        fail(path);
    while (fgets(line, sizeof(line), f) != NULL)
        if (strncmp(line, "VmRSS:", 6) == 0)
            kib = strtod(line + 6, NULL);
    (void)fclose(f);
    return kib / 1024;
}

/* Sends text and waits for an answer that begins with `want`. */
static int talk(uint16_t port, const char *text, const char *want)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons(port)};
    char answer[512] = "";
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0)
        fail("connect");
    if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
        fail("write");
    if (read(fd, answer, sizeof(answer) - 1) <= 0)
        fail("read");
    if (strncmp(answer, want, strlen(want)) != 0) {
        (void)fprintf(stderr, "bench_idle_clients: the answer is %s\n", answer);
        errno = EPROTO;
        fail("talk");
    }
    return fd;
}

#define UPGRADE                                                                                    \
    " HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: " \
    "13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

static void connect_all(uint16_t port, long n)
{
    for (long i = 0; i < n; i++)
        (void)talk(port, i % 2 == 0 ? "GET /ws" UPGRADE : "GET /ws/bnbusdt@kline_1M" UPGRADE,
                   "HTTP/1.1 101 ");
}

int main(int argc, char *argv[])
{
    struct rlimit files;
    int status = 0;

    if (argc != 4) {
        (void)fprintf(stderr, "usage: bench_idle_clients SMCRUN N MIB\n");
        return 1;
    }
    long n = strtol(argv[2], NULL, 10);
    double most = strtod(argv[3], NULL);
    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        fail("getrlimit");
    files.rlim_cur = files.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &files);
    uint16_t port = serve(argv[1]);
    double before = resident_mib(), began = now_s();
    connect_all(port, n);
    double took = now_s() - began, mib = resident_mib();
    (void)talk(port, "GET /api/v3/ping HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 ");
    printf("%ld idle WebSocket clients: %.1f MiB resident, %.1f MiB before them, %.2f KiB each, "
           "connected in %.1f s\n",
           n, mib, before, (mib - before) * 1024 / (double)n, took);
    (void)kill(server, SIGTERM);
    if (waitpid(server, &status, 0) != server || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail("the server did not stop");
    return mib < most ? 0 : 1;
}
