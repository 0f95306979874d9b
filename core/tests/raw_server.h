/* raw_server.h - a server that answers with whatever bytes a test gives it.
 *
 * It splits its input into requests (head and Content-Length body) and hands each, raw, to the test's handler. */
#ifndef RAW_SERVER_H
#define RAW_SERVER_H

#include "net/loop_priv.h"

#include "smc/buf.h"
#include "smc/loop.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct raw_server raw_server_t;

/* Not assert: an optimised build leaves out what stands in it. */
static void raw_must(bool ok)
{
    if (!ok)
        abort();
}

typedef struct raw_conn {
    uv_poll_t poll;
    raw_server_t *server;
    int fd; /* -1 once closed */
    smc_buf_t in;
    struct raw_conn *next;
} raw_conn_t;

/* request: NUL-terminated behind its n bytes. */
typedef void (*raw_request_cb)(raw_conn_t *conn, const char *request, size_t n);

struct raw_server {
    smc_loop_t *loop;
    uv_poll_t poll;
    int fd;
    uint16_t port;
    raw_request_cb handler;
    void *ud;
    unsigned accepted, requests, open;
    smc_buf_t log; /* every request, one behind the other */
    raw_conn_t *conns;
};

static void raw_conn_close(raw_conn_t *c)
{
    if (c->fd < 0)
        return;
    uv_close((uv_handle_t *)&c->poll, NULL);
    smc_loop_unwatch(c->server->loop, c->fd);
    (void)close(c->fd);
    c->fd = -1;
    c->server->open--;
}

static void raw_send(raw_conn_t *c, const char *bytes, size_t n)
{
    if (c->fd >= 0 && send(c->fd, bytes, n, MSG_NOSIGNAL) != (ssize_t)n)
        raw_conn_close(c);
}

static inline void raw_puts(raw_conn_t *c, const char *text)
{
    raw_send(c, text, strlen(text));
}

/* A TCP reset instead of an orderly end. */
static inline void raw_conn_reset(raw_conn_t *c)
{
    struct linger hard = {.l_onoff = 1, .l_linger = 0};

    (void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    raw_conn_close(c);
}

/* Bytes of the first whole request, or 0. */
static size_t raw_request_len(const smc_buf_t *in)
{
    const char *end = in->len == 0 ? NULL : strstr(in->data, "\r\n\r\n");
    const char *length;
    size_t n;

    if (end == NULL)
        return 0;
    n = (size_t)(end + 4 - in->data);
    length = strcasestr(in->data, "\r\nContent-Length: ");
    if (length != NULL && length < end)
        n += strtoul(length + strlen("\r\nContent-Length: "), NULL, 10);
    return n <= in->len ? n : 0;
}

static void raw_on_conn(uv_poll_t *handle, int status, int events)
{
    raw_conn_t *c = handle->data;
    char bytes[65536];
    ssize_t got = status < 0 ? 0 : recv(c->fd, bytes, sizeof(bytes), 0);
    size_t n;

    (void)events;
    smc_loop_progress(c->server->loop);
    if (got <= 0) {
        raw_conn_close(c);
        return;
    }
    raw_must(smc_buf_append(&c->in, bytes, (size_t)got) == SMC_OK);
    while (c->fd >= 0 && (n = raw_request_len(&c->in)) > 0) {
        char *request = calloc(1, n + 1);
        raw_must(request != NULL);
        memcpy(request, c->in.data, n);
        raw_must(smc_buf_append(&c->server->log, request, n) == SMC_OK);
        smc_buf_consume(&c->in, n);
        c->server->requests++;
        c->server->handler(c, request, n);
        free(request);
    }
}

static void raw_on_listener(uv_poll_t *handle, int status, int events)
{
    raw_server_t *s = handle->data;
    int fd = accept4(s->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    raw_conn_t *c;

    (void)status;
    (void)events;
    smc_loop_progress(s->loop);
    if (fd < 0)
        return;
    c = calloc(1, sizeof(*c));
    raw_must(c != NULL);
    c->server = s;
    c->fd = fd;
    c->next = s->conns;
    s->conns = c;
    s->accepted++;
    s->open++;
    smc_loop_watch(s->loop, fd);
    (void)uv_poll_init_socket(smc_loop_uv(s->loop), &c->poll, fd);
    c->poll.data = c;
    (void)uv_poll_start(&c->poll, UV_READABLE, raw_on_conn);
}

static void raw_server_open(raw_server_t *s, smc_loop_t *loop)
{
    *s = (raw_server_t){.loop = loop, .fd = -1};
    raw_must(smc_loop_listen(loop, NULL, 0, &s->fd, &s->port, NULL) == SMC_OK);
    (void)uv_poll_init_socket(smc_loop_uv(loop), &s->poll, s->fd);
    s->poll.data = s;
    (void)uv_poll_start(&s->poll, UV_READABLE, raw_on_listener);
}

static void raw_server_close(raw_server_t *s)
{
    if (s->fd < 0)
        return;
    uv_close((uv_handle_t *)&s->poll, NULL);
    smc_loop_unlisten(s->loop, s->port);
    (void)close(s->fd);
    s->fd = -1;
    for (raw_conn_t *c = s->conns; c != NULL; c = c->next)
        raw_conn_close(c);
}

/* After smc_loop_close: its handles are embedded in this memory. */
static void raw_server_free(raw_server_t *s)
{
    raw_conn_t *next;

    for (raw_conn_t *c = s->conns; c != NULL; c = next) {
        next = c->next;
        smc_buf_deinit(&c->in);
        free(c);
    }
    s->conns = NULL;
    smc_buf_deinit(&s->log);
}

#endif /* RAW_SERVER_H */
