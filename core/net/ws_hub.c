#include "ws_priv.h"

#include "smc/clock.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* libwebsockets' own timeouts, to lie beyond every deadline of ours. */
#define NEVER_S 604800
#define RX_BYTES 16384
#define TX_BYTES 65536
#define SERVICE_BYTES 32768 /* holds the whole upgrade request, too */
#define HEAD_BYTES 16384
#define FDS_MAX 65536

static const struct lws_protocols protocols[] = {
    {.name = "smc",
     .callback = smc_ws_on_lws,
     .rx_buffer_size = RX_BYTES,
     .tx_packet_size = TX_BYTES},
    {0},
};

static const struct lws_extension extensions[] = {
    {"permessage-deflate", smc_ws_on_extension, "permessage-deflate; client_max_window_bits"},
    {0},
};

/* trust NULL: the system's certificates. */
static struct lws_vhost *make_vhost(smc_ws_hub_t *hub, const char *name, bool secure,
                                    const smc_ws_trust_t *trust)
{
    struct lws_context_creation_info info = {0};

    info.vhost_name = name;
    info.port = CONTEXT_PORT_NO_LISTEN;
    info.protocols = protocols;
    info.extensions = extensions;
    info.connect_timeout_secs = NEVER_S;
    /* Not NULL, else http_proxy of the environment would carry our bytes past the host policy. */
    info.http_proxy_address = "";
    if (secure)
        info.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
    if (trust != NULL) {
        info.options |= LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS;
        info.client_ssl_ca_mem = trust->pem;
        info.client_ssl_ca_mem_len = (unsigned)trust->n;
    }
    return lws_create_vhost(hub->lws, &info);
}

static struct lws_vhost *trusting_vhost(smc_ws_hub_t *hub, const char *ca_pem)
{
    size_t n = strlen(ca_pem);
    smc_ws_trust_t *t;

    for (t = hub->trusts; t != NULL; t = t->next)
        if (strcmp(t->pem, ca_pem) == 0)
            return t->vhost;
    t = malloc(sizeof(*t) + n + 1);
    if (t == NULL)
        return NULL;
    t->n = n;
    memcpy(t->pem, ca_pem, n + 1);
    t->vhost = make_vhost(hub, "trusting", true, t);
    if (t->vhost == NULL) {
        free(t);
        return NULL;
    }
    t->next = hub->trusts;
    hub->trusts = t;
    return t->vhost;
}

struct lws_vhost *smc_ws_hub_vhost(smc_ws_hub_t *hub, bool secure, const char *ca_pem)
{
    struct lws_vhost **vhost = secure ? &hub->secure : &hub->plain;

    if (secure && ca_pem != NULL)
        return trusting_vhost(hub, ca_pem);
    if (*vhost == NULL)
        *vhost = make_vhost(hub, secure ? "secure" : "plain", secure, NULL);
    return *vhost;
}

/* ---- what libwebsockets puts on our loop ---------------------------------- */

typedef struct walk {
    size_t skip; /* handles that were there before */
    size_t seen;
    size_t closing;
    uv_timer_t *timer;
} walk_t;

static void count_handle(uv_handle_t *handle, void *arg)
{
    walk_t *w = arg;

    w->seen++;
    w->closing += uv_is_closing(handle) != 0;
}

/* uv_walk visits handles in the order in which they were initialised, so new ones come behind the
 * first `skip`. */
static void adopt_handle(uv_handle_t *handle, void *arg)
{
    walk_t *w = arg;

    if (w->seen++ < w->skip)
        return;
    if (handle->type == UV_TIMER)
        w->timer = (uv_timer_t *)handle;
    if (handle->type == UV_TIMER || handle->type == UV_POLL)
        uv_unref(handle); /* an idle context must not keep the loop alive */
}

/* libwebsockets has periodic jobs, and arms its timer again after every event.  Under the virtual
 * clock that timer would be something to jump to for ever, and no deadlock would be found.  All
 * deadlines that matter are ours. */
static void on_prepare(uv_prepare_t *handle)
{
    smc_ws_hub_t *hub = handle->data;

    (void)uv_timer_stop(hub->lws_timer);
}

static smc_code_t hush_timer(smc_ws_hub_t *hub, size_t skip, smc_error_t *err)
{
    walk_t w = {.skip = skip};

    uv_walk(smc_loop_uv(hub->loop), adopt_handle, &w);
    if (w.timer == NULL)
        return smc_fail(err, SMC_ESYS, "ws.open", 0, "libwebsockets has no timer on the loop");
    hub->lws_timer = w.timer;
    (void)uv_prepare_init(smc_loop_uv(hub->loop), &hub->hush);
    hub->hush.data = hub;
    uv_unref((uv_handle_t *)&hub->hush);
    if (smc_clock_is_virtual())
        (void)uv_prepare_start(&hub->hush, on_prepare);
    return SMC_OK;
}

/* ---- life ---------------------------------------------------------------- */

static unsigned fd_limit(void)
{
    struct rlimit limit;

    /* libwebsockets allocates by the limit; and a lower limit than the process's makes its look-ups
     * linear. */
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < FDS_MAX)
        return 0;
    return FDS_MAX;
}

/* Each context of libwebsockets loads its plugin and unloads it, which costs more than all the rest of it. */
void smc_ws_preload(void)
{
    void *lib = dlopen("libwebsockets-evlib_uv.so", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);

    if (lib != NULL)
        (void)dlclose(lib);
}

static struct lws_context *create_context(smc_ws_hub_t *hub)
{
    struct lws_context_creation_info info = {0};
    void *loops[1] = {smc_loop_uv(hub->loop)};

    smc_ws_preload();
    lws_set_log_level(0, NULL);
    info.port = CONTEXT_PORT_NO_LISTEN;
    info.foreign_loops = loops;
    info.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
                   LWS_SERVER_OPTION_JUST_USE_RAW_ORIGIN | LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
    info.fd_limit_per_thread = fd_limit();
    info.timeout_secs = NEVER_S;
    info.pt_serv_buf_size = SERVICE_BYTES;
    info.max_http_header_data = HEAD_BYTES;
    info.user = hub;
    return lws_create_context(&info);
}

/* The second phase frees the memory that the handles live in, so each of them must be closed by
 * then. */
static void destroy_context(smc_ws_hub_t *hub)
{
    uv_loop_t *uv = smc_loop_uv(hub->loop);
    walk_t w;

    lws_context_destroy(hub->lws);
    do {
        (void)uv_run(uv, UV_RUN_NOWAIT);
        w = (walk_t){0};
        uv_walk(uv, count_handle, &w);
    } while (w.closing > 0);
    lws_context_destroy(hub->lws);
}

static void close_hub(void *ud)
{
    smc_ws_hub_t *hub = ud;

    while (hub->first != NULL)
        smc_ws_free(hub->first);
    while (hub->resolving > 0)
        (void)uv_run(smc_loop_uv(hub->loop), UV_RUN_ONCE);
    if (hub->lws_timer != NULL)
        uv_close((uv_handle_t *)&hub->hush, NULL);
    destroy_context(hub);
    for (smc_ws_trust_t *t = hub->trusts, *next; t != NULL; t = next) {
        next = t->next;
        free(t);
    }
    free(hub);
}

smc_code_t smc_ws_hub_get(smc_loop_t *loop, smc_ws_hub_t **out, smc_error_t *err)
{
    smc_ws_hub_t *hub = smc_loop_slot(loop, SMC_SLOT_LWS);
    walk_t before = {0};
    smc_code_t rc;

    if (hub != NULL) {
        *out = hub;
        return SMC_OK;
    }
    hub = calloc(1, sizeof(*hub));
    if (hub == NULL)
        return smc_fail(err, SMC_ENOMEM, "ws.open", 0, "out of memory");
    hub->loop = loop;
    uv_walk(smc_loop_uv(loop), count_handle, &before);
    hub->lws = create_context(hub);
    if (hub->lws == NULL) {
        free(hub);
        return smc_fail(err, SMC_ESYS, "ws.open", 0,
                        "libwebsockets cannot start; is the package libwebsockets-evlib-uv there?");
    }
    rc = hush_timer(hub, before.seen, err);
    if (rc != SMC_OK) {
        close_hub(hub);
        return rc;
    }
    smc_loop_set_slot(loop, SMC_SLOT_LWS, hub, close_hub);
    *out = hub;
    return SMC_OK;
}

size_t smc_ws_count(const smc_loop_t *loop)
{
    const smc_ws_hub_t *hub = smc_loop_slot(loop, SMC_SLOT_LWS);

    return hub == NULL ? 0 : hub->count;
}
