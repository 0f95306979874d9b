#include "ws_priv.h"

#include "tls_priv.h"

#include "smc/host_policy.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#define OP "ws.open"
#define TIMEOUT_MS 10000
#define CLOSE_TIMEOUT_MS 5000
#define MAX_MESSAGE_BYTES ((size_t)16 << 20)
#define MAX_QUEUE_BYTES ((size_t)4 << 20)
#define HEADERS_MAX 8192

static smc_code_t no_memory(smc_error_t *err)
{
    return smc_fail(err, SMC_ENOMEM, OP, 0, "out of memory");
}

/* ---- states -------------------------------------------------------------- */

static void on_timer(void *ud);

static smc_code_t arm(smc_ws_t *ws, uint64_t ms)
{
    return smc_timer_start(ws->hub->loop, ms, on_timer, ws, &ws->timer, NULL);
}

smc_code_t smc_ws_set_state(smc_ws_t *ws, smc_ws_state_t to)
{
    assert(to > ws->state || (to == WS_STARTING && ws->timer == NULL));
    ws->state = to;
    smc_timer_cancel(ws->timer);
    ws->timer = NULL;
    switch (to) {
    case WS_STARTING:
    case WS_FAILED:
        return arm(ws, 0);
    case WS_CONNECTING:
        return arm(ws, ws->timeout_ms);
    case WS_CLOSING:
        return arm(ws, CLOSE_TIMEOUT_MS);
    case WS_OPEN:
    case WS_ENDED:
        break;
    }
    return SMC_OK;
}

static void free_ws(smc_ws_t *ws)
{
    smc_ws_queue_deinit(&ws->queue);
    smc_wsdeflate_free(ws->deflate);
    smc_buf_deinit(&ws->packed);
    smc_buf_deinit(&ws->message);
    smc_buf_deinit(&ws->headers);
    free(ws->protocol);
    free(ws->ca_pem);
    free(ws->url_text);
    free(ws);
}

void smc_ws_enter(smc_ws_t *ws)
{
    ws->busy++;
}

bool smc_ws_leave(smc_ws_t *ws)
{
    if (--ws->busy > 0 || ws->state != WS_ENDED)
        return ws->state == WS_ENDED;
    free_ws(ws);
    return true;
}

/* From inside its own callback a connection can't be closed: there the socket is shut down, and the
 * callback returns -1.  From outside, the hang-up makes libwebsockets drop everything at once, even
 * what it has yet to send. */
static void drop_socket(smc_ws_t *ws)
{
    int fd = lws_get_socket_fd(ws->wsi);
    struct lws_pollfd hung_up = {.fd = fd, .revents = POLLHUP};

    lws_set_opaque_user_data(ws->wsi, NULL);
    if (ws->busy > 0)
        (void)shutdown(fd, SHUT_RDWR);
    else if (fd >= 0)
        (void)lws_service_fd(ws->hub->lws, &hung_up);
    else
        lws_set_timeout(ws->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_SYNC);
    ws->wsi = NULL;
}

static void detach(smc_ws_t *ws)
{
    if (ws->fd >= 0)
        smc_loop_unwatch(ws->hub->loop, ws->fd);
    ws->fd = -1;
    smc_ws_resolve_detach(ws->resolve);
    ws->resolve = NULL;
    if (ws->wsi != NULL)
        drop_socket(ws);
}

static void unlink_ws(smc_ws_t *ws)
{
    *ws->link = ws->next;
    if (ws->next != NULL)
        ws->next->link = ws->link;
    ws->hub->count--;
}

static void end(smc_ws_t *ws)
{
    detach(ws);
    unlink_ws(ws);
    (void)smc_ws_set_state(ws, WS_ENDED);
}

void smc_ws_finish(smc_ws_t *ws, uint16_t code, const smc_error_t *err)
{
    end(ws);
    smc_ws_enter(ws);
    ws->on.on_close(ws->ud, code, ws->close_reason, ws->close_reason_len, err);
    (void)smc_ws_leave(ws);
}

void smc_ws_free(smc_ws_t *ws)
{
    if (ws == NULL || ws->state == WS_ENDED)
        return;
    end(ws);
    if (ws->busy == 0)
        free_ws(ws);
}

/* ---- connecting ---------------------------------------------------------- */

void smc_ws_connect(smc_ws_t *ws, const char *address)
{
    static const lws_retry_bo_t no_pings = {0};
    bool secure = smc_scheme_is_secure(ws->url.scheme);
    uint16_t via = smc_loop_detour(ws->hub->loop, ws->url.host, ws->url.port);
    char host[SMC_URL_HOST_MAX + 8];
    struct lws_client_connect_info info = {0};

    (void)snprintf(host, sizeof(host), "%s", ws->url.host);
    if (ws->url.port != smc_scheme_port(ws->url.scheme))
        (void)snprintf(host, sizeof(host), "%s:%u", ws->url.host, (unsigned)ws->url.port);
    info.context = ws->hub->lws;
    info.vhost = smc_ws_hub_vhost(ws->hub, secure, ws->ca_pem);
    info.address = address;
    info.port = via != 0 ? via : ws->url.port;
    info.host = host;
    info.path = ws->url.target;
    info.protocol = ws->protocol;
    info.local_protocol_name = "smc";
    info.alpn = "http/1.1";
    info.retry_and_idle_policy = &no_pings;
    info.opaque_user_data = ws;
    info.ssl_connection = LCCSCF_HTTP_NO_FOLLOW_REDIRECT | (secure ? LCCSCF_USE_SSL : 0);
    smc_ws_enter(ws);
    ws->wsi = info.vhost == NULL ? NULL : lws_client_connect_via_info(&info);
    if (smc_ws_leave(ws))
        return;
    if (ws->wsi == NULL) {
        (void)smc_fail(&ws->err, SMC_ECONN, OP, 0, "cannot connect to %s:%u%s", ws->url.host,
                       (unsigned)ws->url.port, smc_loop_no_descriptor());
        smc_ws_finish(ws, 0, &ws->err);
        return;
    }
    ws->fd = lws_get_socket_fd(ws->wsi);
    smc_loop_watch(ws->hub->loop, ws->fd);
}

static void start(smc_ws_t *ws)
{
    const char *path = NULL;
    bool is_led = smc_loop_detour(ws->hub->loop, ws->url.host, ws->url.port) != 0;
    char address[128];
    smc_code_t rc = smc_host_policy_route(ws->hub->loop, &ws->url, &path, &ws->err);

    if (rc == SMC_OK && smc_ws_set_state(ws, WS_CONNECTING) != SMC_OK)
        rc = no_memory(&ws->err);
    if (rc == SMC_OK && path == NULL && !is_led && !smc_host_is_loopback(ws->url.host))
        rc = smc_ws_resolve_start(ws, &ws->err);
    else if (rc == SMC_OK) {
        if (path != NULL)
            (void)snprintf(address, sizeof(address), "+%s", path);
        else
            (void)snprintf(address, sizeof(address), "%s",
                           ws->url.host[0] == '[' && !is_led ? "::1" : "127.0.0.1");
        smc_ws_connect(ws, address);
        return;
    }
    if (rc != SMC_OK)
        smc_ws_finish(ws, 0, &ws->err);
}

static void on_timer(void *ud)
{
    smc_ws_t *ws = ud;

    ws->timer = NULL;
    switch (ws->state) {
    case WS_STARTING:
        start(ws);
        return;
    case WS_CONNECTING:
        (void)smc_fail(&ws->err, SMC_ETIMEDOUT, OP, 0, "no connection to %s:%u within %llu ms",
                       ws->url.host, (unsigned)ws->url.port, (unsigned long long)ws->timeout_ms);
        smc_ws_finish(ws, 0, &ws->err);
        return;
    case WS_CLOSING:
        (void)smc_fail(&ws->err, SMC_ETIMEDOUT, "ws.close", 0, "no closing handshake within %d ms",
                       CLOSE_TIMEOUT_MS);
        smc_ws_finish(ws, 1006, &ws->err);
        return;
    case WS_FAILED:
        smc_ws_finish(ws, 0, &ws->err);
        return;
    case WS_OPEN:
    case WS_ENDED:
        assert(!"no timer runs in these states");
        return;
    }
}

/* ---- opening ------------------------------------------------------------- */

/* What the handshake writes itself. */
static const char *const owned[] = {"host",           "upgrade",           "connection",
                                    "content-length", "transfer-encoding", NULL};

static bool is_token(const char *text)
{
    const char *p = text;

    while (isalnum((unsigned char)*p) || (*p != '\0' && strchr("!#$%&'*+-.^_`|~", *p) != NULL))
        p++;
    return *p == '\0' && p > text;
}

static bool is_field_value(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < ' ' ? *text != '\t' : *text == 0x7f)
            return false;
    return true;
}

static smc_code_t add_header(smc_ws_t *ws, const smc_ws_header_t *h, smc_error_t *err)
{
    if (!is_token(h->name) || !is_field_value(h->value))
        return smc_fail(err, SMC_EINVAL, OP, 0, "bad header '%.60s'", h->name);
    for (const char *const *name = owned; *name != NULL; name++)
        if (strcasecmp(h->name, *name) == 0)
            return smc_fail(err, SMC_EINVAL, OP, 0, "header %s belongs to the handshake", *name);
    if (strncasecmp(h->name, "sec-websocket-", 14) == 0)
        return smc_fail(err, SMC_EINVAL, OP, 0, "header %.60s belongs to the handshake", h->name);
    if (smc_buf_printf(&ws->headers, "%s: %s\r\n", h->name, h->value) != SMC_OK)
        return no_memory(err);
    if (ws->headers.len > HEADERS_MAX)
        return smc_fail(err, SMC_EINVAL, OP, 0, "more than %d bytes of headers", HEADERS_MAX);
    return SMC_OK;
}

static bool is_protocol_list(const char *text)
{
    size_t n = 0;

    for (; *text != '\0'; text++, n++)
        if (*text < ' ' || *text > '~')
            return false;
    return n > 0 && n < 512;
}

/* The target as the request line needs it: a URL without a path asks for "/". */
static smc_code_t take_url(smc_ws_t *ws, const char *text, smc_error_t *err)
{
    smc_buf_t whole = {0};
    smc_url_t url;
    smc_code_t rc;

    if (text == NULL || strlen(text) > SMC_WS_URL_MAX)
        return smc_fail(err, SMC_EINVAL, OP, 0, "the URL is missing or longer than %d bytes",
                        SMC_WS_URL_MAX);
    rc = smc_url_split(text, &url, err);
    if (rc != SMC_OK)
        return rc;
    if (url.scheme != SMC_SCHEME_WS && url.scheme != SMC_SCHEME_WSS)
        return smc_fail(err, SMC_EINVAL, OP, 0, "a WebSocket URL begins with ws:// or wss://");
    if (smc_host_policy_check(&url, err) != SMC_OK)
        return SMC_EPOLICY;
    (void)smc_buf_append(&whole, text, (size_t)(url.target - text));
    if (url.target[0] != '/')
        (void)smc_buf_putc(&whole, '/');
    (void)smc_buf_puts(&whole, url.target);
    ws->url_text = whole.failed ? NULL : smc_buf_take(&whole, NULL);
    smc_buf_deinit(&whole);
    return ws->url_text == NULL ? no_memory(err) : smc_url_split(ws->url_text, &ws->url, err);
}

static smc_code_t take_conf(smc_ws_t *ws, const smc_ws_conf_t *conf, smc_error_t *err)
{
    smc_code_t rc = take_url(ws, conf->url, err);

    for (size_t i = 0; rc == SMC_OK && i < conf->n_headers; i++)
        rc = add_header(ws, &conf->headers[i], err);
    if (rc != SMC_OK)
        return rc;
    if (conf->protocol != NULL) {
        if (!is_protocol_list(conf->protocol))
            return smc_fail(err, SMC_EINVAL, OP, 0, "bad list of subprotocols");
        ws->protocol = strdup(conf->protocol);
        if (ws->protocol == NULL)
            return no_memory(err);
    }
    if (conf->ca_pem != NULL) {
        if (!smc_tls_is_certificate(conf->ca_pem, conf->ca_pem_len))
            return smc_fail(err, SMC_EINVAL, OP, 0, "the ca must be one certificate in PEM");
        ws->ca_pem = strndup(conf->ca_pem, conf->ca_pem_len);
        if (ws->ca_pem == NULL)
            return no_memory(err);
    }
    ws->timeout_ms = conf->timeout_ms != 0 ? conf->timeout_ms : TIMEOUT_MS;
    ws->max_message_bytes =
        conf->max_message_bytes != 0 ? conf->max_message_bytes : MAX_MESSAGE_BYTES;
    ws->max_queue_bytes = conf->max_queue_bytes != 0 ? conf->max_queue_bytes : MAX_QUEUE_BYTES;
    ws->deflate_offered = conf->deflate;
    ws->on = conf->on;
    ws->ud = conf->ud;
    return SMC_OK;
}

static void link_ws(smc_ws_t *ws)
{
    smc_ws_hub_t *hub = ws->hub;

    ws->next = hub->first;
    ws->link = &hub->first;
    if (ws->next != NULL)
        ws->next->link = &ws->next;
    hub->first = ws;
    hub->count++;
}

smc_code_t smc_ws_open(smc_loop_t *loop, const smc_ws_conf_t *conf, smc_ws_t **out,
                       smc_error_t *err)
{
    smc_ws_t *ws = calloc(1, sizeof(*ws));
    smc_code_t rc;

    if (ws == NULL)
        return no_memory(err);
    ws->fd = -1;
    rc = take_conf(ws, conf, err);
    if (rc == SMC_OK)
        rc = smc_ws_hub_get(loop, &ws->hub, err);
    /* Connecting waits for the next turn: libwebsockets would fail inside the call, and inside a
     * callback of another connection it would write the request over the bytes that are being
     * read. */
    if (rc == SMC_OK && smc_ws_set_state(ws, WS_STARTING) != SMC_OK)
        rc = no_memory(err);
    if (rc != SMC_OK) {
        free_ws(ws);
        return rc;
    }
    link_ws(ws);
    *out = ws;
    return SMC_OK;
}

/* ---- sending ------------------------------------------------------------- */

static smc_code_t enqueue(smc_ws_t *ws, enum lws_write_protocol kind, const void *data, size_t n,
                          smc_error_t *err)
{
    if (smc_ws_queue_add(&ws->queue, kind, data, n) != SMC_OK)
        return smc_fail(err, SMC_ENOMEM, "ws.send", 0, "out of memory");
    (void)lws_callback_on_writable(ws->wsi);
    return SMC_OK;
}

smc_code_t smc_ws_send(smc_ws_t *ws, const void *data, size_t n, bool binary, smc_error_t *err)
{
    if (ws->state != WS_OPEN)
        return smc_fail(err, SMC_ECLOSED, "ws.send", 0, "the connection is not open");
    if (!smc_ws_queue_fits(&ws->queue, n, ws->max_queue_bytes)) {
        ws->want_drain = true;
        return smc_fail(err, SMC_EAGAIN, "ws.send", 0, "%zu bytes wait to be sent already",
                        ws->queue.bytes);
    }
    return enqueue(ws, binary ? LWS_WRITE_BINARY : LWS_WRITE_TEXT, data, n, err);
}

smc_code_t smc_ws_ping(smc_ws_t *ws, const void *payload, size_t n, smc_error_t *err)
{
    if (ws->state != WS_OPEN)
        return smc_fail(err, SMC_ECLOSED, "ws.ping", 0, "the connection is not open");
    if (n > SMC_WS_PAYLOAD_MAX)
        return smc_fail(err, SMC_EINVAL, "ws.ping", 0, "a payload of more than %d bytes",
                        SMC_WS_PAYLOAD_MAX);
    return enqueue(ws, LWS_WRITE_PING, payload, n, err);
}

static bool may_close_with(uint16_t code, size_t n)
{
    if (code == 0)
        return n == 0;
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1011) ||
           (code >= 3000 && code <= 4999);
}

smc_code_t smc_ws_close(smc_ws_t *ws, uint16_t code, const char *reason, size_t n, smc_error_t *err)
{
    char frame[2 + SMC_WS_REASON_MAX];
    smc_code_t rc;

    if (ws->state > WS_OPEN)
        return smc_fail(err, SMC_ECLOSED, "ws.close", 0, "the connection is closing already");
    if (n > SMC_WS_REASON_MAX || !may_close_with(code, n))
        return smc_fail(err, SMC_EINVAL, "ws.close", 0, "bad close code %u or reason",
                        (unsigned)code);
    if (ws->state < WS_OPEN) {
        (void)smc_fail(&ws->err, SMC_ECANCELED, OP, 0, "closed before it was open");
        detach(ws);
        return smc_ws_set_state(ws, WS_FAILED) == SMC_OK ? SMC_OK : no_memory(err);
    }
    frame[0] = (char)(code >> 8);
    frame[1] = (char)(code & 0xff);
    if (n > 0)
        memcpy(frame + 2, reason, n);
    rc = enqueue(ws, SMC_LWS_WRITE_CLOSE, frame, code == 0 ? 0 : 2 + n, err);
    if (rc != SMC_OK)
        return rc;
    smc_ws_pause(ws, false);
    return smc_ws_set_state(ws, WS_CLOSING) == SMC_OK ? SMC_OK : no_memory(err);
}

void smc_ws_pause(smc_ws_t *ws, bool on)
{
    if (ws->state != WS_OPEN || ws->paused == on)
        return;
    ws->paused = on;
    /* What lies unread on purpose is not in flight. */
    if (on)
        smc_loop_unwatch(ws->hub->loop, ws->fd);
    else
        smc_loop_watch(ws->hub->loop, ws->fd);
    (void)lws_rx_flow_control(ws->wsi, !on);
    /* What libwebsockets itself holds back it hands out only after an event on the socket. */
    if (!on)
        (void)lws_callback_on_writable(ws->wsi);
}
