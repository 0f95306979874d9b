#include "ws_priv.h"

#include <stdlib.h>

/* The request outlives its connection: libuv's threads cannot be interrupted. */
struct smc_ws_resolve {
    uv_getaddrinfo_t uv;
    smc_ws_hub_t *hub;
    smc_ws_t *ws; /* NULL once detached */
};

static void take_answer(smc_ws_t *ws, int status, const struct addrinfo *list)
{
    char address[64];

    if (status == 0)
        status = uv_ip_name(list->ai_addr, address, sizeof(address));
    if (status == 0) {
        smc_ws_connect(ws, address);
        return;
    }
    (void)smc_fail(&ws->err, SMC_EDNS, "ws.open", -status, "cannot resolve %s: %s", ws->url.host,
                   uv_strerror(status));
    smc_ws_finish(ws, 0, &ws->err);
}

static void on_resolved(uv_getaddrinfo_t *req, int status, struct addrinfo *list)
{
    struct smc_ws_resolve *r = req->data;
    smc_ws_t *ws = r->ws;

    r->hub->resolving--;
    smc_loop_progress(r->hub->loop);
    free(r);
    if (ws != NULL) {
        ws->resolve = NULL;
        take_answer(ws, status, list);
    }
    uv_freeaddrinfo(list);
}

smc_code_t smc_ws_resolve_start(smc_ws_t *ws, smc_error_t *err)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct smc_ws_resolve *r = calloc(1, sizeof(*r));
    int rc;

    if (r == NULL)
        return smc_fail(err, SMC_ENOMEM, "ws.open", 0, "out of memory");
    r->hub = ws->hub;
    r->ws = ws;
    r->uv.data = r;
    rc =
        uv_getaddrinfo(smc_loop_uv(ws->hub->loop), &r->uv, on_resolved, ws->url.host, NULL, &hints);
    if (rc != 0) {
        free(r);
        return smc_fail(err, SMC_ESYS, "ws.open", -rc, "%s", uv_strerror(rc));
    }
    ws->hub->resolving++;
    ws->resolve = r;
    return SMC_OK;
}

void smc_ws_resolve_detach(struct smc_ws_resolve *r)
{
    if (r == NULL)
        return;
    r->ws = NULL;
    (void)uv_cancel((uv_req_t *)&r->uv);
}
