/* link_world.h - a loop, a set of links, and the two ends of one of them, for the tests of the link. */
#ifndef LINK_WORLD_H
#define LINK_WORLD_H

#include "smc/buf.h"
#include "smc/clock.h"
#include "smc/link.h"
#include "smc/loop.h"
#include "smc/rng.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE_NS INT64_C(10000000000)

typedef struct world {
    smc_loop_t *loop;
    smc_links_t *links;
    int n_fds; /* open before anything */
} world_t;

/* One end of a link, as its user holds it. */
typedef struct end {
    int fd;
    bool ended;
    int error; /* errno with which it ended; 0: end of the stream */
    int64_t ended_ms;
    int64_t last_ms; /* when the last bytes came */
    smc_buf_t got;
} end_t;

typedef struct line {
    end_t client, server;
    smc_link_t *link;
} line_t;

static inline int count_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int n = 0;

    assert_non_null(dir);
    while (readdir(dir) != NULL)
        n++;
    (void)closedir(dir);
    return n;
}

static inline int open_world(void **state, bool is_virtual)
{
    world_t *w = calloc(1, sizeof(*w));

    if (w == NULL)
        return -1;
    if (is_virtual)
        smc_clock_set_virtual();
    else
        smc_clock_set_real();
    *state = w;
    if (smc_loop_open(&w->loop, NULL) != SMC_OK)
        return -1;
    w->n_fds = count_fds();
    return smc_links_open(w->loop, 1, &w->links, NULL) == SMC_OK ? 0 : -1;
}

static inline int open_virtual(void **state)
{
    return open_world(state, true);
}

static inline int open_real(void **state)
{
    return open_world(state, false);
}

static inline int close_world(void **state)
{
    world_t *w = *state;

    smc_links_close(w->links);
    assert_int_equal(w->n_fds, count_fds());
    smc_loop_close(w->loop);
    smc_clock_set_real();
    free(w);
    return 0;
}

static inline int64_t now_ms(void)
{
    return smc_clock_now_ns() / 1000000;
}

/* ---- toxics ------------------------------------------------------------- */

static inline smc_toxic_t toxic(smc_toxic_kind_t kind, unsigned streams)
{
    return (smc_toxic_t){.kind = kind, .streams = streams, .toxicity = 1};
}

static inline unsigned add(world_t *w, smc_toxic_t t)
{
    unsigned id = 0;

    assert_int_equal(SMC_OK, smc_links_add(w->links, &t, &id, NULL));
    return id;
}

/* ---- lines -------------------------------------------------------------- */

static inline void tcp_pair(int pair[2])
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    socklen_t size = sizeof(in);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(0, bind(listener, (struct sockaddr *)&in, sizeof(in)));
    assert_int_equal(0, listen(listener, 1));
    assert_int_equal(0, getsockname(listener, (struct sockaddr *)&in, &size));
    pair[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(0, connect(pair[0], (struct sockaddr *)&in, sizeof(in)));
    pair[1] = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    assert_true(pair[1] >= 0);
    assert_int_equal(0, fcntl(pair[0], F_SETFL, O_NONBLOCK));
    (void)close(listener);
}

/* The client's end is TCP in real time.  *line stays where it is: the link knows it. */
static inline void lay(world_t *w, line_t *line)
{
    int pair[2];

    memset(line, 0, sizeof(*line));
    if (smc_clock_is_virtual())
        assert_int_equal(0,
                         socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair));
    else
        tcp_pair(pair);
    line->client.fd = pair[0];
    assert_int_equal(SMC_OK,
                     smc_links_splice(w->links, pair[1], &line->server.fd, &line->link, NULL));
}

static inline void take_up(line_t *line)
{
    end_t *ends[] = {&line->client, &line->server};

    if (line->link != NULL)
        smc_link_leave(line->link, false); /* the line goes, and nobody is told any more */
    for (int i = 0; i < 2; i++) {
        if (ends[i]->fd >= 0)
            (void)close(ends[i]->fd);
        smc_buf_deinit(&ends[i]->got);
    }
}

static inline void shut(end_t *end)
{
    (void)close(end->fd);
    end->fd = -1;
}

/* What is there.  Whether anything was. */
static inline bool hear_once(end_t *end)
{
    bool heard = false;

    while (end->fd >= 0 && !end->ended) {
        char piece[65536];
        ssize_t n = recv(end->fd, piece, sizeof(piece), 0);
        if (n < 0 && errno == EAGAIN)
            break;
        heard = true;
        if (n > 0) {
            (void)smc_buf_append(&end->got, piece, (size_t)n);
            end->last_ms = now_ms();
        } else {
            end->error = n == 0 ? 0 : errno;
            end->ended = true;
            end->ended_ms = now_ms();
        }
    }
    return heard;
}

static inline void say_n(end_t *end, const void *bytes, size_t n)
{
    assert_int_equal((ssize_t)n, send(end->fd, bytes, n, MSG_NOSIGNAL));
}

static inline void say(end_t *end, const char *text)
{
    say_n(end, text, strlen(text));
}

/* One turn in which both ends listen.  False: nothing will ever happen any more. */
static inline bool step(world_t *w, line_t *line)
{
    smc_turn_t turn = smc_loop_turn(w->loop, true);
    bool heard = hear_once(&line->client);

    heard = hear_once(&line->server) || heard;
    return heard || turn != SMC_TURN_DEADLOCK;
}

/* Virtual time: until nothing can happen any more. */
static inline void run(world_t *w, line_t *line)
{
    while (step(w, line)) {
    }
}

/* Virtual time: what happens up to and at that instant, which then is now. */
static inline void run_until(world_t *w, line_t *line, int64_t ms)
{
    smc_turn_t turn;

    do {
        smc_loop_set_deadline(w->loop, ms * 1000000);
        turn = smc_loop_turn(w->loop, true);
    } while (hear_once(&line->client) + hear_once(&line->server) > 0 || turn == SMC_TURN_RAN);
    smc_loop_set_deadline(w->loop, -1);
    if (now_ms() < ms)
        smc_clock_advance_ns((ms - now_ms()) * 1000000);
}

/* Until the end has heard so much, or has ended (n 0). */
static inline void await(world_t *w, line_t *line, const end_t *end, size_t n)
{
    int64_t until_ns = smc_clock_real_ns() + PATIENCE_NS;

    while (n == 0 ? !end->ended : end->got.len < n) {
        assert_true(smc_clock_real_ns() < until_ns);
        (void)smc_loop_turn(w->loop, false);
        (void)hear_once(&line->client);
        (void)hear_once(&line->server);
    }
}

static inline void assert_heard(const end_t *end, const char *text)
{
    assert_string_equal(text, end->got.data == NULL ? "" : end->got.data);
}

#define BOTH(test)                                              \
    {#test ", virtual", test, open_virtual, close_world, NULL}, \
    {                                                           \
#test ", real", test, open_real, close_world, NULL      \
    }
#define VIRTUAL(test)                                \
    {                                                \
#test, test, open_virtual, close_world, NULL \
    }

#endif /* LINK_WORLD_H */
