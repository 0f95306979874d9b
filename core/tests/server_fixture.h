/* server_fixture.h - a loop, a server and raw client sockets in one process, for the tests of the server. */
#ifndef SERVER_FIXTURE_H
#define SERVER_FIXTURE_H

#include "smc/buf.h"
#include "smc/clock.h"
#include "smc/loop.h"
#include "smc/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#define HELD_MAX 8
#define REAL_PATIENCE_NS INT64_C(10000000000)

typedef struct fixture {
    smc_loop_t *loop;
    smc_server_t *server;
    smc_server_conf_t conf;
    smc_exchange_t *held[HELD_MAX]; /* what hold() was given */
    size_t n_held;
    size_t n_gone;
    smc_peer_t *peer; /* what accept_peer() made */
    smc_buf_t events; /* what peers said */
} fixture_t;

typedef struct client {
    int fd;
    bool ended;
    int error; /* errno with which it ended; 0: end of the stream */
    smc_buf_t got;
} client_t;

/* ---- handlers ----------------------------------------------------------- */

/* Keeps the exchange for the test. */
static inline void hold(void *ud, smc_exchange_t *ex)
{
    fixture_t *f = ud;

    assert_true(f->n_held < HELD_MAX);
    f->held[f->n_held++] = ex;
}

static inline void count_gone(void *ud, smc_exchange_t *ex)
{
    assert_false(smc_exchange_alive(ex));
    ((fixture_t *)ud)->n_gone++;
}

/* Answers "METHOD target body". */
static inline void echo(void *ud, smc_exchange_t *ex)
{
    smc_buf_t text = {0};
    size_t n;
    const char *p = smc_exchange_method(ex, &n);

    (void)ud;
    (void)smc_buf_append(&text, p, n);
    p = smc_exchange_target(ex, &n);
    (void)smc_buf_printf(&text, " %.*s ", (int)n, p);
    p = smc_exchange_body(ex, &n);
    (void)smc_buf_append(&text, p, n);
    assert_int_equal(SMC_OK, smc_exchange_reply(ex, 200, NULL, 0, text.data, text.len));
    smc_exchange_release(ex);
    smc_buf_deinit(&text);
}

/* ---- server ------------------------------------------------------------- */

static inline int open_fixture(void **state, bool is_virtual)
{
    fixture_t *f = calloc(1, sizeof(*f));

    if (f == NULL)
        return -1;
    if (is_virtual)
        smc_clock_set_virtual();
    else
        smc_clock_set_real();
    *state = f;
    f->conf.ud = f;
    f->conf.on_gone = count_gone;
    (void)smc_buf_puts(&f->events, "");
    return smc_loop_open(&f->loop, NULL) == SMC_OK ? 0 : -1;
}

static inline int open_virtual(void **state)
{
    return open_fixture(state, true);
}

static inline int open_real(void **state)
{
    return open_fixture(state, false);
}

static inline int close_fixture(void **state)
{
    fixture_t *f = *state;

    smc_server_close(f->server);
    for (size_t i = 0; i < f->n_held; i++)
        smc_exchange_release(f->held[i]);
    smc_peer_release(f->peer);
    smc_loop_close(f->loop);
    smc_clock_set_real();
    smc_buf_deinit(&f->events);
    free(f);
    return 0;
}

static inline void serve(fixture_t *f, void (*on_request)(void *ud, smc_exchange_t *ex))
{
    f->conf.on_request = on_request;
    assert_int_equal(SMC_OK, smc_server_open(f->loop, &f->conf, &f->server, NULL));
}

/* ---- client ------------------------------------------------------------- */

/* The socket, or -1 with errno. */
static inline int try_dial_port(fixture_t *f, uint16_t port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    const char *path = NULL;
    bool local = smc_loop_route(f->loop, "127.0.0.1", port, &path);
    int fd = socket(local ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int rc, saved;

    assert_true(fd >= 0);
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (path != NULL)
        (void)snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
    rc = local ? connect(fd, (struct sockaddr *)&un, sizeof(un))
               : connect(fd, (struct sockaddr *)&in, sizeof(in));
    if (rc == 0 || errno == EINPROGRESS)
        return fd;
    saved = errno;
    (void)close(fd);
    errno = saved;
    return -1;
}

static inline int try_dial(fixture_t *f)
{
    return try_dial_port(f, smc_server_port(f->server));
}

static inline client_t dial(fixture_t *f)
{
    client_t c = {.fd = try_dial(f)};

    assert_true(c.fd >= 0);
    (void)smc_buf_puts(&c.got, "");
    return c;
}

static inline void hang_up(client_t *c)
{
    (void)close(c->fd);
    smc_buf_deinit(&c->got);
}

static inline void listen_once(client_t *c)
{
    char piece[65536];
    ssize_t n = recv(c->fd, piece, sizeof(piece), 0);

    if (n > 0) {
        (void)smc_buf_append(&c->got, piece, (size_t)n);
    } else if (n == 0 || (errno != EAGAIN && errno != ENOTCONN)) {
        c->error = n == 0 ? 0 : errno;
        c->ended = true;
    }
}

/* Turns of a loop whose clock stands still (virtual) or does not wait (real). */
static inline void turns(fixture_t *f, int n)
{
    for (int i = 0; i < n; i++)
        (void)smc_loop_turn(f->loop, false);
}

static inline void say_n(fixture_t *f, client_t *c, const void *bytes, size_t n)
{
    int64_t end_ns = smc_clock_real_ns() + REAL_PATIENCE_NS;

    for (size_t at = 0; at < n && smc_clock_real_ns() < end_ns;) {
        ssize_t sent = send(c->fd, (const char *)bytes + at, n - at, MSG_NOSIGNAL);
        if (sent > 0)
            at += (size_t)sent;
        else if (errno != EAGAIN && errno != ENOTCONN)
            return;
        else
            turns(f, 1);
    }
}

static inline void say(fixture_t *f, client_t *c, const char *text)
{
    say_n(f, c, text, strlen(text));
}

/* Until the text was heard, or the end (text NULL). */
static inline void hear(fixture_t *f, client_t *c, const char *text)
{
    int64_t end_ns = smc_clock_real_ns() + REAL_PATIENCE_NS;

    while (text == NULL ? !c->ended : memmem(c->got.data, c->got.len, text, strlen(text)) == NULL) {
        if (smc_clock_real_ns() > end_ns)
            fail_msg("waiting for '%s', got '%s'", text == NULL ? "the end" : text, c->got.data);
        turns(f, 1);
        listen_once(c);
    }
}

/* Until *n has reached the value. */
static inline void await(fixture_t *f, const size_t *n, size_t value)
{
    int64_t end_ns = smc_clock_real_ns() + REAL_PATIENCE_NS;

    while (*n < value) {
        if (smc_clock_real_ns() > end_ns)
            fail_msg("waiting for %zu, got %zu", value, *n);
        turns(f, 1);
    }
}

static inline void await_connections(fixture_t *f, size_t n)
{
    int64_t end_ns = smc_clock_real_ns() + REAL_PATIENCE_NS;

    while (smc_server_connections(f->server) != n) {
        if (smc_clock_real_ns() > end_ns)
            fail_msg("waiting for %zu connections, got %zu", n, smc_server_connections(f->server));
        turns(f, 1);
    }
}

/* Enough turns for whatever could happen now; nothing may have been heard. */
static inline void assert_silence(fixture_t *f, client_t *c)
{
    size_t before = c->got.len;

    turns(f, 20);
    listen_once(c);
    assert_int_equal(before, c->got.len);
    assert_false(c->ended);
}

/* Lets virtual time run until the connection ends; returns how long that took. */
static inline int64_t ms_until_end(fixture_t *f, client_t *c)
{
    int64_t start_ns = smc_clock_now_ns();

    for (int i = 0; i < 10000 && !c->ended; i++) {
        listen_once(c);
        if (!c->ended)
            (void)smc_loop_turn(f->loop, true);
    }
    assert_true(c->ended);
    return (smc_clock_now_ns() - start_ns) / 1000000;
}

#define FIELD(n, v)                            \
    {                                          \
        (n), (v), sizeof(n) - 1, sizeof(v) - 1 \
    }
#define BOTH(test)                                                \
    {#test ", virtual", test, open_virtual, close_fixture, NULL}, \
    {                                                             \
#test ", real", test, open_real, close_fixture, NULL      \
    }
#define VIRTUAL(test)                                  \
    {                                                  \
#test, test, open_virtual, close_fixture, NULL \
    }

#endif /* SERVER_FIXTURE_H */
