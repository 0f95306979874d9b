#include "server_priv.h"

#include "smc/clock.h"

#include <stdlib.h>
#include <string.h>

#define KIB ((size_t)1024)
#define MIB (1024 * KIB)
#define HEAD_MAX ((size_t)1 << 30) /* offsets in a head are 32 bits wide */
#define REAL_IDLE_MS 120000

void smc_server_unref(smc_server_t *server)
{
    if (--server->refs > 0)
        return;
    smc_exchange_free_spare(server);
    free(server);
}

void smc_server_link(smc_server_t *server, smc_conn_t *conn)
{
    server->refs++;
    server->n_conns++;
    conn->prev = server->last;
    if (server->last != NULL)
        server->last->next = conn;
    else
        server->first = conn;
    server->last = conn;
}

/* conn->next stays as it is: a walk over the list that met conn goes on from it. */
void smc_server_unlink(smc_server_t *server, smc_conn_t *conn)
{
    server->n_conns--;
    if (conn->prev != NULL)
        conn->prev->next = conn->next;
    else
        server->first = conn->next;
    if (conn->next != NULL)
        conn->next->prev = conn->prev;
    else
        server->last = conn->prev;
}

/* ---- listening ---------------------------------------------------------- */

static void on_client(void *ud, int fd)
{
    smc_server_t *server = ud;

    smc_server_link_new(server, smc_conn_new(server, fd));
}

static void stop_listening(smc_server_t *server)
{
    smc_doorway_close(server->doorway);
    server->doorway = NULL;
}

static smc_code_t start_listening(smc_server_t *server, smc_error_t *err)
{
    const smc_doorway_conf_t conf = {.host =
                                         server->conf.host[0] == '\0' ? NULL : server->conf.host,
                                     .on_client = on_client,
                                     .ud = server};

    return smc_doorway_open(server->loop, &conf, &server->port, &server->doorway, err);
}

/* ---- the server --------------------------------------------------------- */

static size_t size_or(size_t given, size_t missing)
{
    return given == 0 ? missing : given;
}

smc_code_t smc_server_open(smc_loop_t *loop, const smc_server_conf_t *conf, smc_server_t **out,
                           smc_error_t *err)
{
    smc_server_t *server;
    smc_code_t code;

    if (conf->on_request == NULL || conf->max_head_bytes > HEAD_MAX)
        return smc_fail(err, SMC_EINVAL, "server.open", 0, "no handler, or head limit too high");
    server = malloc(sizeof(*server));
    if (server == NULL)
        return smc_fail(err, SMC_ENOMEM, "server.open", 0, "out of memory");
    memset(server, 0, offsetof(smc_server_t, scratch));
    server->refs = 1;
    server->loop = loop;
    server->conf = *conf;
    server->port = conf->port;
    server->conf.max_head_bytes = size_or(conf->max_head_bytes, 64 * KIB);
    server->conf.max_body_bytes = size_or(conf->max_body_bytes, MIB);
    server->conf.max_message_bytes = size_or(conf->max_message_bytes, 16 * MIB);
    server->conf.max_queue_bytes = size_or(conf->max_queue_bytes, 64 * MIB);
    if (conf->idle_ms == 0 && !smc_clock_is_virtual())
        server->conf.idle_ms = REAL_IDLE_MS;
    code = conf->tls == 0 ? SMC_OK : smc_tls_prepare(loop, conf->tls, err);
    if (code == SMC_OK)
        code = start_listening(server, err);
    if (code != SMC_OK) {
        smc_server_unref(server);
        return code;
    }
    *out = server;
    return SMC_OK;
}

void smc_server_drop(smc_server_t *server)
{
    uint64_t newest = server->last_id; /* a callback may lead to new ones, which stay */

    server->refs++; /* and one may close the server */
    for (smc_conn_t *conn = server->first, *next; conn != NULL && conn->id <= newest; conn = next) {
        next = conn->next;
        smc_conn_kill(conn, SMC_END_RST);
    }
    if (server->links != NULL)
        smc_links_drop(server->links);
    smc_server_unref(server);
}

void smc_server_close(smc_server_t *server)
{
    if (server == NULL || server->closed)
        return;
    server->closed = true;
    stop_listening(server);
    while (server->first != NULL)
        smc_conn_kill(server->first, SMC_END_RST);
    smc_links_close(server->links);
    server->links = NULL;
    smc_server_unref(server);
}

uint16_t smc_server_port(const smc_server_t *server)
{
    return server->port;
}

size_t smc_server_connections(const smc_server_t *server)
{
    return server->n_conns;
}

void smc_server_mute(smc_server_t *server, bool on)
{
    server->muted = on;
    if (on)
        return;
    server->refs++; /* a callback may close it */
    for (smc_conn_t *conn = server->first, *next; conn != NULL && !server->muted; conn = next) {
        next = conn->next;
        smc_conn_pump(conn);
    }
    smc_server_unref(server);
}

smc_code_t smc_server_refuse(smc_server_t *server, bool on, smc_error_t *err)
{
    if (on) {
        stop_listening(server);
        return SMC_OK;
    }
    return server->doorway != NULL ? SMC_OK : start_listening(server, err);
}
