#include "server_priv.h"

#include <stdlib.h>
#include <string.h>

#define ASKED_MAX ((size_t)1024)

smc_code_t smc_server_links(smc_server_t *server, smc_links_t **out, smc_error_t *err)
{
    smc_code_t code = SMC_OK;

    if (server->links == NULL)
        code = smc_links_open(server->loop, server->conf.seed, &server->links, err);
    *out = server->links;
    return code;
}

void smc_server_link_new(smc_server_t *server, smc_conn_t *conn)
{
    if (conn != NULL && server->links != NULL && smc_links_wanted(server->links) &&
        !smc_conn_splice(conn))
        smc_conn_kill(conn, SMC_END_RST);
}

smc_code_t smc_server_add_toxic(smc_server_t *server, const smc_toxic_t *toxic, unsigned *id,
                                smc_error_t *err)
{
    smc_links_t *links;
    smc_code_t code = smc_server_links(server, &links, err);

    if (code != SMC_OK)
        return code;
    for (smc_conn_t *conn = server->first; conn != NULL && !toxic->aimed; conn = conn->next)
        (void)smc_conn_splice(conn); /* without a descriptor for it one is spared */
    return smc_links_add(links, toxic, id, err);
}

bool smc_server_aim(smc_server_t *server, uint64_t connection, unsigned id, bool on)
{
    smc_conn_t *conn = server->first;

    while (conn != NULL && conn->id != connection)
        conn = conn->next;
    if (conn == NULL || server->links == NULL)
        return false;
    if (on && smc_conn_splice(conn) && conn->link != NULL)
        smc_link_aim(conn->link, id);
    else if (!on && conn->link != NULL)
        smc_link_spare(conn->link, id);
    return true;
}

/* ---- what connections are busy with ------------------------------------- */

/* Without memory it is not found by what it asked for. */
void smc_conn_note_asked(smc_conn_t *conn, const smc_exchange_t *ex)
{
    size_t n_method, n_target;
    const char *method = smc_exchange_method(ex, &n_method);
    const char *target = smc_exchange_target(ex, &n_target);

    if (n_target > ASKED_MAX)
        n_target = ASKED_MAX;
    free(conn->asked);
    conn->asked = malloc(n_method + n_target + 2);
    if (conn->asked == NULL)
        return;
    memcpy(conn->asked, method, n_method);
    conn->asked[n_method] = ' ';
    memcpy(conn->asked + n_method + 1, target, n_target);
    conn->asked[n_method + 1 + n_target] = '\0';
}

void smc_server_each_busy(const smc_server_t *server, smc_server_busy_cb cb, void *ud)
{
    for (const smc_conn_t *conn = server->first; conn != NULL; conn = conn->next) {
        smc_server_busy_t busy = {.connection = conn->id};
        if (conn->state == SMC_CONN_WS && conn->asked != NULL) {
            busy.method = conn->asked;
            busy.n_method = strcspn(conn->asked, " ");
            busy.target = conn->asked + busy.n_method + 1;
            busy.n_target = strlen(busy.target);
        } else if (conn->state == SMC_CONN_BUSY) {
            busy.method = smc_exchange_method(conn->ex, &busy.n_method);
            busy.target = smc_exchange_target(conn->ex, &busy.n_target);
        } else {
            continue;
        }
        cb(ud, &busy);
    }
}

/* ---- certificates ------------------------------------------------------- */

smc_code_t smc_server_set_tls(smc_server_t *server, unsigned tls, smc_error_t *err)
{
    smc_code_t code;

    if (server->conf.tls == 0 || tls == 0)
        return smc_fail(err, SMC_EINVAL, "server.set_tls", 0, "a server keeps or has no TLS");
    code = smc_tls_prepare(server->loop, tls, err);
    if (code == SMC_OK)
        server->conf.tls = tls;
    return code;
}
