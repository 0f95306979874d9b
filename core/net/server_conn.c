#include "server_priv.h"

#include "smc/clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define NS_PER_MS INT64_C(1000000)
#define KEEP_BYTES 4096 /* an idle connection keeps no larger buffers */
/* How long a client may take to end a connection that we have ended. */
#define DRAIN_MS 2000

static void on_ready(uv_poll_t *handle, int status, int events);

static void poll_for(smc_conn_t *conn, int events)
{
    if (conn->polled == events)
        return;
    conn->polled = events;
    (void)uv_poll_start(&conn->poll, events, on_ready);
}

/* ---- whose it is -------------------------------------------------------- */

typedef union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} address_t;

static uint16_t port_of(const address_t *address)
{
    if (address->any.sa_family == AF_INET)
        return address->v4.sin_port;
    return address->any.sa_family == AF_INET6 ? address->v6.sin6_port : 0;
}

/* Noted when it is new: a link that is put between takes the socket away. */
static uint16_t client_port_of(int fd)
{
    address_t address = {0};
    socklen_t size = sizeof(address);

    return getpeername(fd, &address.any, &size) == 0 ? port_of(&address) : 0;
}

static bool is_bound_to(int fd, uint16_t port)
{
    address_t address = {0};
    socklen_t size = sizeof(address);

    return getsockname(fd, &address.any, &size) == 0 && port_of(&address) == port;
}

bool smc_conn_is_ours(const smc_conn_t *conn)
{
    DIR *dir = conn->client_port == 0 ? NULL : opendir("/proc/self/fd");
    bool found = conn->client_port == 0; /* nobody else knows where it listens then */
    const struct dirent *entry;

    while (dir != NULL && !found && (entry = readdir(dir)) != NULL)
        found = entry->d_name[0] != '.' &&
                is_bound_to((int)strtol(entry->d_name, NULL, 10), conn->client_port);
    if (dir != NULL)
        (void)closedir(dir);
    return found;
}

/* ---- birth and death ---------------------------------------------------- */

smc_conn_t *smc_conn_new(smc_server_t *server, int fd)
{
    smc_conn_t *conn = calloc(1, sizeof(*conn));

    if (conn != NULL && server->conf.tls != 0)
        conn->tls = smc_tls_new(server->loop, server->conf.tls);
    if (conn == NULL || (server->conf.tls != 0 && conn->tls == NULL) ||
        uv_poll_init(smc_loop_uv(server->loop), &conn->poll, fd) != 0) {
        (void)close(fd);
        if (conn != NULL)
            smc_tls_free(conn->tls);
        free(conn);
        return NULL;
    }
    conn->poll.data = conn;
    conn->fd = fd;
    conn->server = server;
    conn->id = ++server->last_id;
    conn->client_port = client_port_of(fd);
    conn->active_ns = smc_clock_now_ns();
    smc_server_link(server, conn);
    smc_loop_watch(server->loop, fd);
    poll_for(conn, UV_READABLE);
    if (server->conf.idle_ms != 0)
        smc_conn_set_timer(conn, server->conf.idle_ms);
    return conn;
}

/* The descriptor keeps its number, which others have noted. */
bool smc_conn_splice(smc_conn_t *conn)
{
    int client_fd, server_fd, events = conn->polled;

    if (conn->link != NULL || conn->state == SMC_CONN_CLOSED)
        return true;
    client_fd = fcntl(conn->fd, F_DUPFD_CLOEXEC, 0);
    if (client_fd < 0 ||
        smc_links_splice(conn->server->links, client_fd, &server_fd, &conn->link, NULL) != SMC_OK)
        return false;
    (void)uv_poll_stop(&conn->poll); /* it knows the descriptor, not what lies behind */
    (void)dup3(server_fd, conn->fd, O_CLOEXEC);
    (void)close(server_fd);
    conn->polled = 0;
    poll_for(conn, events);
    return true;
}

static void on_closed(uv_handle_t *handle)
{
    smc_conn_t *conn = handle->data;

    free(conn->asked);

    smc_buf_deinit(&conn->in);
    smc_buf_deinit(&conn->out);
    smc_buf_deinit(&conn->sealed);
    smc_server_unref(conn->server);
    free(conn);
}

static void tell_the_end(smc_conn_t *conn)
{
    smc_server_t *server = conn->server;
    smc_exchange_t *ex = conn->ex;
    smc_peer_t *peer = conn->peer;

    if (ex != NULL) {
        bool dispatched = ex->state != SMC_EX_READING;
        smc_exchange_retain(ex);
        smc_exchange_detach(ex);
        if (dispatched && server->conf.on_gone != NULL)
            server->conf.on_gone(server->conf.ud, ex);
        smc_exchange_release(ex);
    }
    if (peer != NULL)
        smc_peer_lost(peer);
}

void smc_conn_kill(smc_conn_t *conn, smc_conn_end_t how)
{
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    if (conn->state == SMC_CONN_CLOSED)
        return;
    conn->state = SMC_CONN_CLOSED;
    smc_timer_cancel(conn->timer);
    conn->timer = NULL;
    smc_server_unlink(conn->server, conn);
    uv_close((uv_handle_t *)&conn->poll, on_closed);
    smc_loop_unwatch(conn->server->loop, conn->fd);
    if (conn->link != NULL)
        smc_link_leave(conn->link, how == SMC_END_RST);
    if (how == SMC_END_RST)
        (void)setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    (void)close(conn->fd);
    smc_tls_free(conn->tls);
    conn->tls = NULL;
    tell_the_end(conn);
}

/* ---- time --------------------------------------------------------------- */

static void on_timer(void *ud)
{
    smc_conn_t *conn = ud;
    uint64_t idle_ms = conn->server->conf.idle_ms;
    uint64_t quiet_ms = (uint64_t)((smc_clock_now_ns() - conn->active_ns) / NS_PER_MS);

    conn->timer = NULL;
    if (conn->doomed) {
        smc_conn_kill(conn, SMC_END_RST);
        return;
    }
    switch (conn->state) {
    case SMC_CONN_HEAD:
    case SMC_CONN_BODY:
    case SMC_CONN_DRAIN:
        if (conn->fin_sent || quiet_ms >= idle_ms)
            smc_conn_kill(conn, SMC_END_FIN);
        else
            smc_conn_set_timer(conn, idle_ms - quiet_ms);
        return;
    case SMC_CONN_BUSY:
        smc_conn_set_timer(conn, idle_ms);
        return;
    case SMC_CONN_WS: /* armed by the closing handshake, or left over from before the upgrade */
        if (!smc_peer_open(conn->peer))
            smc_conn_kill(conn, SMC_END_FIN);
        return;
    case SMC_CONN_CLOSED:
        return;
    }
}

void smc_conn_set_timer(smc_conn_t *conn, uint64_t ms)
{
    smc_timer_cancel(conn->timer);
    conn->timer = NULL;
    /* Without memory for a timer the connection merely lives longer. */
    (void)smc_timer_start(conn->server->loop, ms, on_timer, conn, &conn->timer, NULL);
}

/* ---- output ------------------------------------------------------------- */

/* Ends it, but from the next turn: whoever is sending does not expect a callback from that. */
static void doom(smc_conn_t *conn)
{
    conn->doomed = true;
    conn->out_pos = 0;
    smc_buf_deinit(&conn->out);
    conn->sealed_pos = 0;
    smc_buf_deinit(&conn->sealed);
    poll_for(conn, UV_READABLE);
    smc_conn_set_timer(conn, 0);
}

/* Makes records of what is queued and, once nothing may follow, of the end. */
static bool seal(smc_conn_t *conn)
{
    size_t n = conn->out.len - conn->out_pos;

    if (n > 0 && !smc_tls_write(conn->tls, conn->out.data + conn->out_pos, n, &conn->sealed))
        return false;
    conn->out_pos = conn->out.len;
    if (conn->state == SMC_CONN_DRAIN && !conn->end_sealed) {
        conn->end_sealed = true;
        smc_tls_end(conn->tls, &conn->sealed);
    }
    return !conn->sealed.failed;
}

/* False when the client can no longer be reached. */
static bool send_queued(smc_conn_t *conn)
{
    smc_buf_t *queue = conn->tls != NULL ? &conn->sealed : &conn->out;
    size_t *pos = conn->tls != NULL ? &conn->sealed_pos : &conn->out_pos;

    if (conn->tls != NULL && !seal(conn))
        return false;
    while (*pos < queue->len) {
        ssize_t n = send(conn->fd, queue->data + *pos, queue->len - *pos, MSG_NOSIGNAL);
        if (n >= 0) {
            *pos += (size_t)n;
            conn->active_ns = smc_clock_now_ns();
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return true;
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

/* Forgets what was dealt with.  Moving the rest down waits until it is the smaller part: otherwise a long queue that
 * shrinks in small steps costs quadratic time. */
static void trim(smc_buf_t *b, size_t *pos)
{
    if (*pos < b->len) {
        if (*pos <= b->len / 2)
            return;
        smc_buf_consume(b, *pos);
    } else if (b->cap > KEEP_BYTES) {
        smc_buf_deinit(b);
    } else {
        smc_buf_clear(b);
    }
    *pos = 0;
}

void smc_conn_flush(smc_conn_t *conn)
{
    size_t pending;

    if (conn->state == SMC_CONN_CLOSED || conn->pumping)
        return;
    if (conn->doomed || conn->out.failed || (!conn->server->muted && !send_queued(conn))) {
        doom(conn);
        return;
    }
    pending = conn->out.len - conn->out_pos + conn->sealed.len - conn->sealed_pos;
    if (pending > conn->server->conf.max_queue_bytes) {
        doom(conn);
        return;
    }
    trim(&conn->out, &conn->out_pos);
    trim(&conn->sealed, &conn->sealed_pos);
    poll_for(conn, pending > 0 && !conn->server->muted ? UV_READABLE | UV_WRITABLE : UV_READABLE);
    if (pending == 0 && !conn->server->muted && conn->state == SMC_CONN_DRAIN && !conn->fin_sent) {
        conn->fin_sent = true;
        (void)shutdown(conn->fd, SHUT_WR);
        smc_conn_set_timer(conn, DRAIN_MS);
    }
}

/* Closing with input unread would reset the connection and take the answer from the client: so the client's end is
 * awaited, for a while. */
void smc_conn_drain(smc_conn_t *conn)
{
    conn->state = SMC_CONN_DRAIN;
    smc_conn_flush(conn);
}

/* ---- input -------------------------------------------------------------- */

static bool step(smc_conn_t *conn)
{
    switch (conn->state) {
    case SMC_CONN_HEAD:
        return smc_exchange_read_head(conn);
    case SMC_CONN_BODY:
        return smc_exchange_read_body(conn);
    case SMC_CONN_WS:
        return smc_peer_read(conn);
    case SMC_CONN_DRAIN:
        conn->in_pos = conn->in.len;
        return false;
    case SMC_CONN_BUSY:
    case SMC_CONN_CLOSED:
        return false;
    }
    return false;
}

void smc_conn_pump(smc_conn_t *conn)
{
    if (conn->pumping || conn->state == SMC_CONN_CLOSED)
        return;
    conn->pumping = true;
    while (!conn->server->muted && step(conn)) {
    }
    conn->pumping = false;
    trim(&conn->in, &conn->in_pos);
    smc_conn_flush(conn);
}

/* What may wait here while a request is being answered, or the server is muted. */
static size_t input_limit(const smc_conn_t *conn)
{
    const smc_server_conf_t *conf = &conn->server->conf;

    return conf->max_head_bytes + conf->max_body_bytes + sizeof(conn->server->scratch);
}

static void on_readable(smc_conn_t *conn)
{
    smc_tls_state_t tls = SMC_TLS_GOES_ON;
    char *scratch = conn->server->scratch;
    ssize_t n = recv(conn->fd, scratch, sizeof(conn->server->scratch), 0);

    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return;
    if (n <= 0) {
        smc_conn_kill(conn, SMC_END_FIN);
        return;
    }
    conn->active_ns = smc_clock_now_ns();
    if (conn->tls != NULL)
        tls = smc_tls_read(conn->tls, scratch, (size_t)n, &conn->in, &conn->sealed);
    else
        (void)smc_buf_append(&conn->in, scratch, (size_t)n);
    if (conn->in.failed) {
        smc_conn_kill(conn, SMC_END_RST);
        return;
    }
    smc_conn_pump(conn); /* sends TLS's last word, too */
    if (conn->state == SMC_CONN_CLOSED)
        return;
    if (tls != SMC_TLS_GOES_ON)
        smc_conn_kill(conn, SMC_END_FIN);
    else if (smc_conn_available(conn) > input_limit(conn))
        smc_conn_kill(conn, SMC_END_RST);
}

static void on_ready(uv_poll_t *handle, int status, int events)
{
    smc_conn_t *conn = handle->data;

    smc_loop_progress(conn->server->loop);
    if (status < 0) {
        smc_conn_kill(conn, SMC_END_FIN);
        return;
    }
    if ((events & UV_WRITABLE) != 0)
        smc_conn_flush(conn);
    if ((events & UV_READABLE) != 0 && conn->state != SMC_CONN_CLOSED)
        on_readable(conn);
}
