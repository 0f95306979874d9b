#include "smc/relay.h"

#include "doorway_priv.h"
#include "loop_priv.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A client whose way to the server is being made. */
typedef struct crossing {
    struct crossing *prev, *next;
    smc_relay_t *relay; /* counted; closed: nothing is made any more */
    int client_fd;
    int server_fd; /* -1 while the name is looked up */
    uv_getaddrinfo_t name;
    uv_poll_t poll;
} crossing_t;

struct smc_relay {
    unsigned refs; /* the owner's and each crossing's */
    bool closed;
    smc_loop_t *loop;
    smc_links_t *links;     /* the owner's */
    smc_doorway_t *doorway; /* NULL while connections are refused */
    crossing_t *crossings;
    size_t resolving;
    uint16_t via, port;
    char host[];
};

static void unref(smc_relay_t *relay)
{
    if (--relay->refs == 0)
        free(relay);
}

/* ---- crossings ---------------------------------------------------------- */

static void unlink_crossing(crossing_t *c)
{
    if (c->prev != NULL)
        c->prev->next = c->next;
    else if (c->relay->crossings == c)
        c->relay->crossings = c->next;
    if (c->next != NULL)
        c->next->prev = c->prev;
    c->prev = c->next = NULL;
}

static void free_crossing(crossing_t *c)
{
    unref(c->relay);
    free(c);
}

static void on_poll_closed(uv_handle_t *handle)
{
    free_crossing(handle->data);
}

/* The client's connection is reset: nobody answers for the server. */
static void drop_client(crossing_t *c)
{
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    (void)setsockopt(c->client_fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    (void)close(c->client_fd);
}

/* Its sockets are a link's, or gone. */
static void end_connecting(crossing_t *c, bool connected)
{
    int client_fd = c->client_fd, server_fd = c->server_fd;

    unlink_crossing(c);
    if (connected) {
        smc_loop_unwatch(c->relay->loop, server_fd);
        (void)uv_poll_stop(&c->poll); /* before somebody else polls the descriptor */
        uv_close((uv_handle_t *)&c->poll, on_poll_closed);
        (void)smc_links_join(c->relay->links, client_fd, server_fd, NULL, NULL);
        return;
    }
    uv_close((uv_handle_t *)&c->poll, on_poll_closed);
    (void)close(server_fd);
    drop_client(c);
}

static void on_connected(uv_poll_t *handle, int status, int events)
{
    crossing_t *c = handle->data;
    int one = 1, why = 0;
    socklen_t size = sizeof(why);

    (void)events;
    smc_loop_progress(c->relay->loop);
    (void)getsockopt(c->server_fd, SOL_SOCKET, SO_ERROR, &why, &size);
    (void)setsockopt(c->server_fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    end_connecting(c, status == 0 && why == 0);
}

static void cross(crossing_t *c, const struct sockaddr *address, socklen_t size)
{
    smc_loop_t *loop = c->relay->loop;
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd >= 0 && (connect(fd, address, size) == 0 || errno == EINPROGRESS) &&
        uv_poll_init(smc_loop_uv(loop), &c->poll, fd) == 0) {
        c->poll.data = c;
        c->server_fd = fd;
        (void)uv_poll_start(&c->poll, UV_WRITABLE, on_connected);
        return;
    }
    if (fd >= 0)
        (void)close(fd);
    unlink_crossing(c);
    drop_client(c);
    free_crossing(c);
}

static void on_resolved(uv_getaddrinfo_t *req, int status, struct addrinfo *list)
{
    crossing_t *c = req->data;

    smc_loop_progress(c->relay->loop);
    c->relay->resolving--;
    if (c->relay->closed || status != 0) {
        unlink_crossing(c);
        if (!c->relay->closed)
            drop_client(c);
        free_crossing(c);
    } else {
        cross(c, list->ai_addr, list->ai_addrlen);
    }
    uv_freeaddrinfo(list);
}

/* What is looked up: our clients know localhost as 127.0.0.1, and a URL writes ::1 in brackets. */
static const char *name_of(const char *host)
{
    if (strcmp(host, "localhost") == 0)
        return "127.0.0.1";
    return strcmp(host, "[::1]") == 0 ? "::1" : host;
}

static void resolve(crossing_t *c)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    char service[8];

    c->name.data = c;
    (void)snprintf(service, sizeof(service), "%u", (unsigned)c->relay->port);
    if (uv_getaddrinfo(smc_loop_uv(c->relay->loop), &c->name, on_resolved, name_of(c->relay->host),
                       service, &hints) == 0) {
        c->relay->resolving++;
        return;
    }
    unlink_crossing(c);
    drop_client(c);
    free_crossing(c);
}

/* A server of this process is reached by its path in virtual time, and any other by its name. */
static void begin_crossing(smc_relay_t *relay, int client_fd)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    crossing_t *c = calloc(1, sizeof(*c));
    const char *path = NULL;

    if (c == NULL) {
        (void)close(client_fd);
        return;
    }
    *c = (crossing_t){.relay = relay, .client_fd = client_fd, .server_fd = -1};
    relay->refs++;
    c->next = relay->crossings;
    if (c->next != NULL)
        c->next->prev = c;
    relay->crossings = c;
    if (!smc_loop_route(relay->loop, relay->host, relay->port, &path)) {
        resolve(c);
        return;
    }
    if (path != NULL)
        (void)snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
    cross(c, (const struct sockaddr *)&un, sizeof(un));
}

/* ---- the relay ---------------------------------------------------------- */

static void on_client(void *ud, int fd)
{
    begin_crossing(ud, fd);
}

static void shut(smc_relay_t *relay)
{
    smc_doorway_close(relay->doorway);
    relay->doorway = NULL;
}

static smc_code_t open_up(smc_relay_t *relay, smc_error_t *err)
{
    const smc_doorway_conf_t conf = {.on_client = on_client, .ud = relay};

    return smc_doorway_open(relay->loop, &conf, &relay->via, &relay->doorway, err);
}

smc_code_t smc_relay_open(smc_loop_t *loop, smc_links_t *links, const char *host, uint16_t port,
                          smc_relay_t **out, smc_error_t *err)
{
    size_t n = strlen(host) + 1;
    smc_relay_t *relay;
    smc_code_t code;

    if (smc_loop_detour(loop, host, port) != 0)
        return smc_fail(err, SMC_EEXIST, "relay.open", 0, "there is a relay to %s:%u already", host,
                        (unsigned)port);
    relay = calloc(1, sizeof(*relay) + n);
    if (relay == NULL)
        return smc_fail(err, SMC_ENOMEM, "relay.open", 0, "out of memory");
    relay->refs = 1;
    relay->loop = loop;
    relay->port = port;
    memcpy(relay->host, host, n);
    relay->links = links;
    code = open_up(relay, err);
    if (code == SMC_OK)
        code = smc_loop_lead(loop, host, port, relay->via, err);
    if (code != SMC_OK) {
        smc_relay_close(relay);
        return code;
    }
    *out = relay;
    return SMC_OK;
}

void smc_relay_close(smc_relay_t *relay)
{
    if (relay == NULL)
        return;
    relay->closed = true;
    (void)smc_loop_lead(relay->loop, relay->host, relay->port, 0, NULL);
    shut(relay);
    for (crossing_t *c = relay->crossings, *next; c != NULL; c = next) {
        next = c->next;
        if (c->server_fd >= 0) {
            end_connecting(c, false);
        } else {
            drop_client(c);
            (void)uv_cancel((uv_req_t *)&c->name);
        }
    }
    while (relay->resolving > 0)
        (void)uv_run(smc_loop_uv(relay->loop), UV_RUN_ONCE);
    unref(relay);
}

smc_code_t smc_relay_refuse(smc_relay_t *relay, bool on, smc_error_t *err)
{
    if (on) {
        shut(relay);
        return SMC_OK;
    }
    return relay->doorway != NULL ? SMC_OK : open_up(relay, err);
}
