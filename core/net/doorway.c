#include "doorway_priv.h"

#include "loop_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define PAUSE_MS 100

struct smc_doorway {
    uv_poll_t poll;
    smc_loop_t *loop;
    smc_doorway_conf_t conf;
    smc_timer_t *pause; /* NULL: it is open */
    bool closed;
    uint16_t port;
    int fd;
    int spare_fd; /* given up for a moment when the process runs out of descriptors */
};

static void on_connectable(uv_poll_t *handle, int status, int events);

static int open_spare(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* Sends a client away.  Returns 0, or why it could not: EAGAIN when there is none. */
static int shed_one(smc_doorway_t *d)
{
    int fd, why;

    if (d->spare_fd < 0)
        return EMFILE;
    (void)close(d->spare_fd);
    fd = accept4(d->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    why = fd < 0 ? errno : 0;
    if (fd >= 0)
        (void)close(fd);
    d->spare_fd = open_spare();
    return why;
}

static void on_pause_over(void *ud)
{
    smc_doorway_t *d = ud;

    d->pause = NULL;
    if (d->spare_fd < 0)
        d->spare_fd = open_spare();
    (void)uv_poll_start(&d->poll, UV_READABLE, on_connectable);
}

/* Without memory for a timer it stays open, and busy. */
static void rest(smc_doorway_t *d)
{
    if (smc_timer_start(d->loop, PAUSE_MS, on_pause_over, d, &d->pause, NULL) == SMC_OK)
        (void)uv_poll_stop(&d->poll);
}

/* A client; -1: there is none that could be let in now. */
static int next_client(smc_doorway_t *d)
{
    for (;;) {
        int fd = accept4(d->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), why = errno;
        if (fd >= 0)
            return fd;
        if (why == EMFILE || why == ENFILE)
            why = shed_one(d);
        if (why == 0 || why == EINTR || why == ECONNABORTED)
            continue;
        if (why != EAGAIN && why != EWOULDBLOCK)
            rest(d);
        return -1;
    }
}

static void on_connectable(uv_poll_t *handle, int status, int events)
{
    smc_doorway_t *d = handle->data;
    int one = 1, fd;

    (void)events;
    smc_loop_progress(d->loop);
    if (status < 0)
        return;
    while (!d->closed && (fd = next_client(d)) >= 0) {
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)); /* fails on AF_UNIX */
        d->conf.on_client(d->conf.ud, fd);
    }
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

smc_code_t smc_doorway_open(smc_loop_t *loop, const smc_doorway_conf_t *conf, uint16_t *port,
                            smc_doorway_t **out, smc_error_t *err)
{
    smc_doorway_t *d = calloc(1, sizeof(*d));
    smc_code_t code;
    int rc;

    if (d == NULL)
        return smc_fail(err, SMC_ENOMEM, "loop.listen", 0, "out of memory");
    code = smc_loop_listen(loop, conf->host, *port, &d->fd, &d->port, err);
    if (code != SMC_OK) {
        free(d);
        return code;
    }
    rc = uv_poll_init(smc_loop_uv(loop), &d->poll, d->fd);
    if (rc != 0) {
        smc_loop_unlisten(loop, d->port);
        (void)close(d->fd);
        free(d);
        return smc_fail(err, SMC_ESYS, "loop.listen", -rc, "%s", uv_strerror(rc));
    }
    d->poll.data = d;
    d->loop = loop;
    d->conf = *conf;
    d->spare_fd = open_spare();
    (void)uv_poll_start(&d->poll, UV_READABLE, on_connectable);
    *port = d->port;
    *out = d;
    return SMC_OK;
}

void smc_doorway_close(smc_doorway_t *d)
{
    if (d == NULL)
        return;
    d->closed = true;
    smc_timer_cancel(d->pause);
    d->pause = NULL;
    uv_close((uv_handle_t *)&d->poll, on_closed);
    smc_loop_unlisten(d->loop, d->port);
    (void)close(d->fd);
    if (d->spare_fd >= 0)
        (void)close(d->spare_fd);
}
