#include "http_priv.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* More than anyone keeps open at a time; libcurl's default would close connections between bursts. */
#define KEPT_CONNECTIONS 16384L

/* A descriptor of libcurl on libuv.  It stays registered while its connection is kept: taking it out of the poll set
 * and putting it back for every request would cost as much as the request's own system calls. */
typedef struct smc_http_socket {
    uv_poll_t uv;
    smc_http_client_t *client;
    int fd;
    int wanted; /* UV_READABLE | UV_WRITABLE that libcurl asked for; 0: it does not care */
    int armed;  /* what libuv watches */
    bool owned; /* came from smc_http_open_socket; the resolver's own descriptors did not */
    smc_http_call_t *user;
    unsigned long user_serial;
} socket_t;

static void act(smc_http_client_t *client, curl_socket_t fd, int events)
{
    int running = 0;

    client->in_curl++;
    (void)client->curl.multi_socket_action(client->multi, fd, events, &running);
    client->in_curl--;
    smc_http_settle(client);
}

static void on_freed(uv_handle_t *handle)
{
    free(handle->data);
}

/* ---- events ------------------------------------------------------------- */

static bool is_in_use(const socket_t *s)
{
    return s->user != NULL && s->user->serial == s->user_serial;
}

/* A kept connection on which the server has said something that nobody asked for must not carry another request:
 * libcurl would take it for the answer.  The bytes are read, so that they do not count as in flight for ever; the shut
 * socket is what libcurl recognises as dead. */
static void retire(socket_t *s)
{
    char waste[4096];

    while (recv(s->fd, waste, sizeof(waste), MSG_DONTWAIT) > 0) {
    }
    (void)shutdown(s->fd, SHUT_RDWR);
}

static void on_event(uv_poll_t *handle, int status, int events);

static void arm(socket_t *s, int events)
{
    if (s->armed == events)
        return;
    s->armed = events;
    if (events != 0)
        (void)uv_poll_start(&s->uv, events, on_event);
    else
        (void)uv_poll_stop(&s->uv);
}

static void on_event(uv_poll_t *handle, int status, int events)
{
    socket_t *s = handle->data;
    smc_http_client_t *client = s->client;
    int fd = s->fd;
    int flags = 0;

    smc_loop_progress(client->loop);
    if (s->wanted == 0) {
        if (!is_in_use(s))
            retire(s);
        arm(s, 0); /* level-triggered: it would fire again and again */
        return;
    }
    if (status < 0) {
        s->armed = 0;       /* libuv has stopped the poll */
        events = s->wanted; /* the call that libcurl now tries finds the errno, which libuv hides */
    }
    if ((events & UV_READABLE) != 0)
        flags |= CURL_CSELECT_IN;
    if ((events & UV_WRITABLE) != 0)
        flags |= CURL_CSELECT_OUT;
    act(client, fd, flags);
    /* libcurl says nothing when it wants what it wanted before. */
    if (client->socks[fd] == s && s->wanted != 0)
        arm(s, s->wanted);
}

static void on_timer(uv_timer_t *timer)
{
    smc_http_client_t *client = timer->data;

    smc_loop_progress(client->loop);
    act(client, CURL_SOCKET_TIMEOUT, 0);
}

/* ---- descriptors -------------------------------------------------------- */

static socket_t *find(const smc_http_client_t *client, int fd)
{
    return fd >= 0 && fd < client->n_socks ? client->socks[fd] : NULL;
}

static socket_t *add(smc_http_client_t *client, int fd, bool owned)
{
    socket_t *s;

    if (fd >= client->n_socks) {
        int n = fd + 64;
        socket_t **grown = realloc(client->socks, (size_t)n * sizeof(*grown));
        if (grown == NULL)
            return NULL;
        memset(grown + client->n_socks, 0, (size_t)(n - client->n_socks) * sizeof(*grown));
        client->socks = grown;
        client->n_socks = n;
    }
    s = calloc(1, sizeof(*s));
    if (s == NULL)
        return NULL;
    if (uv_poll_init_socket(smc_loop_uv(client->loop), &s->uv, fd) != 0) {
        free(s);
        return NULL;
    }
    s->uv.data = s;
    s->client = client;
    s->fd = fd;
    s->owned = owned;
    client->socks[fd] = s;
    return s;
}

static void drop(socket_t *s)
{
    s->client->socks[s->fd] = NULL;
    uv_close((uv_handle_t *)&s->uv, on_freed);
}

curl_socket_t smc_http_open_socket(void *client, curlsocktype purpose, struct curl_sockaddr *addr)
{
    smc_http_client_t *c = client;
    int fd = socket(addr->family, addr->socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, addr->protocol);

    (void)purpose;
    if (fd < 0)
        return CURL_SOCKET_BAD;
    if (add(c, fd, true) == NULL) {
        (void)close(fd);
        return CURL_SOCKET_BAD;
    }
    if (c->is_virtual)
        smc_loop_watch(c->loop, fd);
    c->open_sockets++;
    return fd;
}

int smc_http_close_socket(void *client, curl_socket_t fd)
{
    smc_http_client_t *c = client;
    socket_t *s = find(c, fd);

    if (s != NULL)
        drop(s);
    if (c->is_virtual)
        smc_loop_unwatch(c->loop, fd);
    c->open_sockets--;
    return close(fd);
}

static int on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *client, void *unused)
{
    smc_http_client_t *c = client;
    socket_t *s = find(c, fd);

    (void)unused;
    if (what == CURL_POLL_REMOVE) {
        if (s == NULL)
            return 0;
        if (!s->owned) {
            drop(s); /* libcurl closes it without telling us */
            return 0;
        }
        s->wanted = 0;
        arm(s, UV_READABLE); /* a kept connection is always writable */
        return 0;
    }
    if (s == NULL)
        s = add(c, fd, false);
    if (s == NULL)
        return -1;
    s->wanted = ((what & CURL_POLL_IN) != 0 ? UV_READABLE : 0) |
                ((what & CURL_POLL_OUT) != 0 ? UV_WRITABLE : 0);
    (void)c->curl.easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&s->user);
    s->user_serial = s->user->serial;
    arm(s, s->wanted);
    return 0;
}

static int on_curl_timer(CURLM *multi, long ms, void *client)
{
    smc_http_client_t *c = client;

    (void)multi;
    if (ms < 0)
        (void)uv_timer_stop(c->timer);
    else
        (void)uv_timer_start(c->timer, on_timer, (uint64_t)ms, 0);
    return 0;
}

/* ---- open and close ----------------------------------------------------- */

smc_code_t smc_http_sockets_open(smc_http_client_t *client, smc_error_t *err)
{
    client->timer = calloc(1, sizeof(*client->timer));
    if (client->timer == NULL)
        return smc_fail(err, SMC_ENOMEM, "http.open", 0, "out of memory");
    (void)uv_timer_init(smc_loop_uv(client->loop), client->timer);
    client->timer->data = client;
    return SMC_OK;
}

void smc_http_sockets_close(smc_http_client_t *client)
{
    client->timer->data = client->timer;
    uv_close((uv_handle_t *)client->timer, on_freed);
    for (int fd = 0; fd < client->n_socks; fd++)
        if (client->socks[fd] != NULL)
            drop(client->socks[fd]);
    free(client->socks);
}

void smc_http_sockets_setup(smc_http_client_t *client)
{
    (void)client->curl.multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
    (void)client->curl.multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
    (void)client->curl.multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
    (void)client->curl.multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
    (void)client->curl.multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, KEPT_CONNECTIONS);
}
