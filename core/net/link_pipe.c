#include "link_priv.h"

#include "smc/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* How long a client may take to end a connection that a toxic has ended. */
#define CLOSING_MS 2000

static void on_ready(uv_poll_t *handle, int status, int events);

/* ---- pieces ------------------------------------------------------------- */

smc_piece_t *smc_piece_new(smc_pipe_t *pipe, smc_piece_end_t end, const char *bytes, size_t n)
{
    smc_piece_t *piece = malloc(sizeof(*piece) + n);

    if (piece == NULL) {
        smc_link_kill(pipe->link, SMC_LINK_RST);
        return NULL;
    }
    *piece = (smc_piece_t){.end = end, .at_ns = smc_clock_now_ns(), .n = n};
    if (n > 0)
        memcpy(piece->bytes, bytes, n);
    pipe->held += n;
    return piece;
}

void smc_piece_drop(smc_pipe_t *pipe, smc_piece_t *piece)
{
    pipe->held -= piece->n;
    free(piece);
}

void smc_pieces_put(smc_pieces_t *queue, smc_piece_t *piece)
{
    piece->next = NULL;
    if (queue->last != NULL)
        queue->last->next = piece;
    else
        queue->first = piece;
    queue->last = piece;
}

smc_piece_t *smc_pieces_take(smc_pieces_t *queue)
{
    smc_piece_t *piece = queue->first;

    queue->first = piece->next;
    if (queue->first == NULL)
        queue->last = NULL;
    return piece;
}

/* ---- sockets ------------------------------------------------------------ */

static void poll_for(smc_link_side_t *side, int events)
{
    if (side->fd < 0 || side->polled == events)
        return;
    side->polled = events;
    if (events == 0)
        (void)uv_poll_stop(&side->poll);
    else
        (void)uv_poll_start(&side->poll, events, on_ready);
}

static void on_closed(uv_handle_t *handle)
{
    smc_link_side_t *side = handle->data;
    smc_link_t *link = side->link;

    if (--link->handles > 0)
        return;
    smc_stages_free(&link->up);
    smc_stages_free(&link->down);
    smc_links_unref(link->links);
    free(link);
}

void smc_link_side_close(smc_link_side_t *side)
{
    if (side->fd < 0)
        return;
    uv_close((uv_handle_t *)&side->poll, on_closed);
    smc_loop_unwatch(side->link->links->loop, side->fd);
    (void)close(side->fd);
    side->fd = -1;
}

static bool side_open(smc_link_t *link, smc_link_side_t *side, int fd)
{
    if (uv_poll_init(smc_loop_uv(link->links->loop), &side->poll, fd) != 0)
        return false;
    link->handles++;
    side->poll.data = side;
    side->link = link;
    side->fd = fd;
    smc_loop_watch(link->links->loop, fd);
    return true;
}

smc_link_t *smc_link_new(smc_links_t *links, int client_fd, int server_fd)
{
    smc_link_t *link = calloc(1, sizeof(*link));

    if (link == NULL)
        return NULL;
    link->links = links;
    link->client.fd = link->server.fd = -1;
    link->up = (smc_pipe_t){
        .link = link, .stream = SMC_LINK_UPSTREAM, .from = &link->client, .to = &link->server};
    link->down = (smc_pipe_t){
        .link = link, .stream = SMC_LINK_DOWNSTREAM, .from = &link->server, .to = &link->client};
    if (!side_open(link, &link->client, client_fd)) {
        free(link);
        return NULL;
    }
    if (!side_open(link, &link->server, server_fd)) {
        links->refs++; /* which the closing callback gives back */
        link->client.fd = -1;
        smc_loop_unwatch(links->loop, client_fd);
        uv_close((uv_handle_t *)&link->client.poll, on_closed);
        return NULL;
    }
    return link;
}

/* ---- the end ------------------------------------------------------------ */

void smc_link_kill(smc_link_t *link, smc_link_end_t how)
{
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    if (link->dead)
        return;
    link->dead = true;
    if (link->owner != NULL)
        *link->owner = NULL;
    smc_links_forget(link);
    smc_timer_cancel(link->closing);
    link->closing = NULL;
    smc_stages_stop(&link->up);
    smc_stages_stop(&link->down);
    if (how == SMC_LINK_RST && link->client.fd >= 0)
        (void)setsockopt(link->client.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    if (how == SMC_LINK_RST && link->server.fd >= 0)
        (void)setsockopt(link->server.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    smc_link_side_close(&link->client);
    smc_link_side_close(&link->server);
}

static void on_closing_over(void *ud)
{
    smc_link_t *link = ud;

    link->closing = NULL;
    smc_link_kill(link, SMC_LINK_FIN);
}

/* The receiver gets its end, whoever sent is gone at once.  Closing with input unread would reset the connection and take
 * from the receiver what has passed: so its own end is awaited, for a while. */
static void close_behind(smc_pipe_t *pipe)
{
    smc_link_t *link = pipe->link;
    smc_pipe_t *back = pipe == &link->up ? &link->down : &link->up;

    pipe->ended = pipe->drained = true;
    back->broken = true;
    (void)shutdown(pipe->to->fd, SHUT_WR);
    smc_link_side_close(pipe->from);
    if (back->drained || smc_timer_start(link->links->loop, CLOSING_MS, on_closing_over, link,
                                         &link->closing, NULL) != SMC_OK)
        smc_link_kill(link, SMC_LINK_FIN);
}

static void end_pipe(smc_pipe_t *pipe, smc_piece_end_t end)
{
    smc_link_t *link = pipe->link;
    const smc_pipe_t *back = pipe == &link->up ? &link->down : &link->up;

    if (end == SMC_PIECE_RST) {
        smc_link_kill(link, SMC_LINK_RST);
    } else if (end == SMC_PIECE_CLOSE) {
        if (!pipe->broken)
            close_behind(pipe);
        else
            smc_link_kill(link, SMC_LINK_FIN);
    } else {
        pipe->ended = true;
        if (pipe->to->fd >= 0)
            (void)shutdown(pipe->to->fd, SHUT_WR);
        if (back->ended || back->broken || pipe->to->fd < 0)
            smc_link_kill(link, SMC_LINK_FIN);
    }
}

/* ---- output ------------------------------------------------------------- */

/* Whoever has closed can take nothing; what it has sent may still be on its way. */
static void break_pipe(smc_pipe_t *pipe)
{
    smc_link_t *link = pipe->link;
    const smc_pipe_t *back = pipe == &link->up ? &link->down : &link->up;

    pipe->broken = true;
    if (back->ended)
        smc_link_kill(link, SMC_LINK_FIN);
}

/* False when the first piece has to wait. */
static bool send_first(smc_pipe_t *pipe)
{
    const smc_piece_t *piece = pipe->out.first;

    while (!pipe->broken && pipe->out_pos < piece->n) {
        ssize_t n = send(pipe->to->fd, piece->bytes + pipe->out_pos, piece->n - pipe->out_pos,
                         MSG_NOSIGNAL);
        if (n >= 0)
            pipe->out_pos += (size_t)n;
        else if (errno == EAGAIN || errno == EWOULDBLOCK)
            return false;
        else if (errno != EINTR)
            break_pipe(pipe);
    }
    return !pipe->link->dead;
}

static void send_queued(smc_pipe_t *pipe)
{
    while (!pipe->link->dead && pipe->out.first != NULL && send_first(pipe)) {
        smc_piece_t *piece = smc_pieces_take(&pipe->out);
        smc_piece_end_t end = piece->end;

        pipe->out_pos = 0;
        smc_piece_drop(pipe, piece);
        if (end != SMC_PIECE_DATA)
            end_pipe(pipe, end);
    }
}

static int events_of(const smc_pipe_t *in, const smc_pipe_t *out)
{
    int events = 0;

    if (!in->drained && in->held < SMC_LINK_HELD_MAX)
        events |= UV_READABLE;
    if (out->out.first != NULL && !out->broken)
        events |= UV_WRITABLE;
    return events;
}

void smc_pipe_settle(smc_pipe_t *pipe)
{
    smc_link_t *link = pipe->link;

    send_queued(pipe);
    if (link->dead)
        return;
    poll_for(&link->client, events_of(&link->up, &link->down));
    poll_for(&link->server, events_of(&link->down, &link->up));
}

/* ---- input -------------------------------------------------------------- */

static void on_readable(smc_pipe_t *pipe)
{
    smc_link_t *link = pipe->link;
    char *scratch = link->links->scratch;
    ssize_t n = recv(pipe->from->fd, scratch, sizeof(link->links->scratch), 0);
    smc_piece_end_t end = SMC_PIECE_DATA;
    smc_piece_t *piece;

    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return;
    if (n <= 0) {
        bool is_reset = n < 0 || (pipe == &link->down && link->server_resets);
        pipe->drained = true;
        end = is_reset ? SMC_PIECE_RST : SMC_PIECE_FIN;
    }
    piece = smc_piece_new(pipe, end, scratch, n > 0 ? (size_t)n : 0);
    if (piece != NULL)
        smc_stage_push(pipe, pipe->first, piece);
}

static void on_ready(uv_poll_t *handle, int status, int events)
{
    smc_link_side_t *side = handle->data;
    smc_link_t *link = side->link;
    smc_pipe_t *in = side == &link->client ? &link->up : &link->down;
    smc_pipe_t *out = side == &link->client ? &link->down : &link->up;

    smc_loop_progress(link->links->loop);
    if (status < 0) {
        side->polled =
            0; /* libuv has stopped the poll; what is wrong comes out of the call that fails */
        events = UV_READABLE | UV_WRITABLE;
    }
    if ((events & UV_READABLE) != 0 && !in->drained)
        on_readable(in);
    if (link->dead)
        return;
    smc_pipe_settle(in);
    if (!link->dead)
        smc_pipe_settle(out);
}
