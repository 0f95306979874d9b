#include "ws_priv.h"

#include "tls_priv.h"
#include "wsframe_priv.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define OP "ws.recv"
#define WRITES_A_TURN 64
#define RSV1 0x40
#define RSV2_AND_3 0x30

/* ---- permessage-deflate -------------------------------------------------- libwebsockets only
 * negotiates and lets us set RSV1; packing and unpacking are ours.  Its own extension delivers an
 * uncompressed frame for ever, and asserts when a small frame inflates beyond its buffer. */

enum { OWN_NO_CONTEXT = 1, OWN_BITS = 3 };
static const struct lws_ext_options options[] = {
    {"server_no_context_takeover", EXTARG_NONE},
    {"client_no_context_takeover", EXTARG_NONE},
    {"server_max_window_bits", EXTARG_OPT_DEC},
    {"client_max_window_bits", EXTARG_OPT_DEC},
    {NULL, EXTARG_NONE},
};

static void take_option(smc_ws_t *ws, const struct lws_ext_option_arg *arg)
{
    int bits = 0;

    if (arg->option_index == 0)
        ws->deflate_params.client_no_context = true; /* the side that we unpack */
    if (arg->option_index == OWN_NO_CONTEXT)
        ws->deflate_params.server_no_context = true;
    if (arg->option_index != OWN_BITS)
        return;
    for (int i = 0; arg->start != NULL && i < arg->len && bits < 100; i++)
        bits = bits * 10 + arg->start[i] - '0';
    ws->deflate_params.server_bits = bits;
}

/* NOLINTNEXTLINE(readability-function-size): libwebsockets declares it so */
int smc_ws_on_extension(struct lws_context *lws, const struct lws_extension *ext, struct lws *wsi,
                        enum lws_extension_callback_reasons reason, void *user, void *in, size_t n)
{
    smc_ws_t *ws = lws_get_opaque_user_data(wsi);
    struct lws_tokens *frame = in;

    (void)lws;
    (void)ext;
    (void)n;
    if (ws == NULL)
        return 0;
    switch ((int)reason) {
    case LWS_EXT_CB_CLIENT_CONSTRUCT:
        *(void **)user = ws;
        *(const struct lws_ext_options **)in = options;
        ws->chosen_unasked = !ws->deflate_offered;
        ws->deflate_params = (smc_wsdeflate_params_t){.accepted = true, .server_bits = 15};
        return 0;
    case LWS_EXT_CB_OPTION_SET:
        take_option(ws, in);
        return 0;
    case LWS_EXT_CB_OPTION_CONFIRM:
        return ws->deflate_params.server_bits >= 8 && ws->deflate_params.server_bits <= 15 ? 0 : -1;
    case LWS_EXT_CB_PACKET_TX_PRESEND:
        if (ws->deflate_next)
            frame->token[0] |= RSV1;
        return 0;
    default:
        return 0;
    }
}

/* ---- connecting ---------------------------------------------------------- */

static int on_offer_extension(smc_ws_t *ws, struct lws *wsi, void *in, size_t n)
{
    (void)wsi;
    (void)in;
    (void)n;
    return ws->deflate_offered ? 0 : 1;
}

static int on_request(smc_ws_t *ws, struct lws *wsi, void *in, size_t room)
{
    char **at = in;

    (void)wsi;
    ws->asked = true;
    if (ws->headers.len > room)
        return -1;
    if (ws->headers.len > 0)
        memcpy(*at, ws->headers.data, ws->headers.len);
    *at += ws->headers.len;
    return 0;
}

static int on_response(smc_ws_t *ws, struct lws *wsi, void *in, size_t n)
{
    (void)in;
    (void)n;
    if (ws->chosen_unasked)
        return -1;
    if (lws_hdr_copy(wsi, ws->chosen, sizeof(ws->chosen), WSI_TOKEN_PROTOCOL) < 0)
        ws->chosen[0] = '\0';
    if (!ws->deflate_params.accepted)
        return 0;
    ws->deflate = smc_wsdeflate_new(&ws->deflate_params);
    return ws->deflate == NULL ? -1 : 0;
}

static int on_established(smc_ws_t *ws, struct lws *wsi, void *in, size_t n)
{
    (void)wsi;
    (void)in;
    (void)n;
    (void)smc_ws_set_state(ws, WS_OPEN);
    if (ws->on.on_open != NULL)
        ws->on.on_open(ws->ud, ws->chosen);
    return 0;
}

static smc_code_t why_not_connected(const smc_ws_t *ws, struct lws *wsi, const char *text, size_t n,
                                    smc_error_t *err)
{
    int status = (int)lws_http_client_http_response(wsi);

    if (status != 0 && status != 101)
        return smc_fail(err, SMC_EPROTO, "ws.open", status, "the upgrade was refused: HTTP %d",
                        status);
    if (status == 101)
        return smc_fail(err, SMC_EPROTO, "ws.open", status, "bad upgrade response: %.*s", (int)n,
                        text);
    if (ws->asked)
        return smc_fail(err, SMC_ERESET, "ws.open", 0,
                        "%s:%u ended the connection during the upgrade", ws->url.host,
                        (unsigned)ws->url.port);
    if (ws->refused != NULL)
        return smc_fail(err, SMC_ETLS, "ws.open", 0, "the certificate of %s:%u was refused: %s",
                        ws->url.host, (unsigned)ws->url.port, ws->refused);
    if (smc_scheme_is_secure(ws->url.scheme) && lws_get_socket_fd(wsi) >= 0)
        return smc_fail(err, SMC_ETLS, "ws.open", 0,
                        "no TLS with %s:%u; does its server speak it? (%.*s)", ws->url.host,
                        (unsigned)ws->url.port, (int)n, text);
    return smc_fail(err, SMC_ECONN, "ws.open", 0, "cannot connect to %s:%u%s", ws->url.host,
                    (unsigned)ws->url.port, smc_loop_no_descriptor());
}

static int on_connection_error(smc_ws_t *ws, struct lws *wsi, void *in, size_t n)
{
    const char *text = in == NULL ? "" : in;

    (void)why_not_connected(ws, wsi, text, in == NULL ? 0 : strnlen(text, n), &ws->err);
    smc_ws_finish(ws, 0, &ws->err);
    return -1;
}

/* libwebsockets asks us about each certificate of the chain, with OpenSSL's verdict and the context it is from, and
 * tells nobody why it gives up. */
static int on_certificate(smc_ws_t *ws, const void *store_ctx, bool good)
{
    if (!good && ws->refused == NULL)
        ws->refused = smc_tls_why_refused(store_ctx);
    return 0;
}

/* ---- receiving ----------------------------------------------------------- */

/* The server broke a rule: says so, without waiting for its answer. */
static int refuse(smc_ws_t *ws, struct lws *wsi, uint16_t code, const char *what)
{
    unsigned char frame[LWS_PRE + 2] = {0};
    smc_code_t class = code == 1009 ? SMC_ETOOBIG : code == 1011 ? SMC_ENOMEM : SMC_EPROTO;

    frame[LWS_PRE] = (unsigned char)(code >> 8);
    frame[LWS_PRE + 1] = (unsigned char)(code & 0xff);
    if (!ws->close_sent && !lws_send_pipe_choked(wsi))
        (void)lws_write(wsi, frame + LWS_PRE, 2, SMC_LWS_WRITE_CLOSE);
    (void)smc_fail(&ws->err, class, OP, 0, "%s", what);
    smc_ws_finish(ws, code, &ws->err);
    return -1;
}

static const char *broken_rule(uint16_t code)
{
    if (code == 1009)
        return "a message is longer than allowed";
    if (code == 1011)
        return "out of memory";
    return "a compressed message can't be read";
}

static uint16_t add_bytes(smc_ws_t *ws, const char *in, size_t n, bool last)
{
    if (ws->in_deflated)
        return smc_wsdeflate_unpack(ws->deflate, in, n, last, ws->max_message_bytes, &ws->message);
    if (n > ws->max_message_bytes - ws->message.len)
        return 1009;
    return smc_buf_append(&ws->message, in, n) == SMC_OK ? 0 : 1011;
}

static int on_receive(smc_ws_t *ws, struct lws *wsi, void *in, size_t n)
{
    bool last = lws_is_final_fragment(wsi) != 0;
    int rsv = lws_get_reserved_bits(wsi);
    uint16_t code;

    if (!ws->in_message) {
        ws->in_message = true;
        ws->in_binary = lws_frame_is_binary(wsi) != 0;
        ws->in_deflated = (rsv & RSV1) != 0;
        smc_buf_clear(&ws->message);
    }
    if ((rsv & RSV2_AND_3) != 0 || (ws->in_deflated && ws->deflate == NULL))
        return refuse(ws, wsi, 1002, "a reserved bit is set in a frame");
    code = add_bytes(ws, in, n, last);
    if (code != 0)
        return refuse(ws, wsi, code, broken_rule(code));
    if (!last)
        return 0;
    ws->in_message = false;
    if (!ws->in_binary && !smc_utf8_valid(ws->message.data, ws->message.len))
        return refuse(ws, wsi, 1007, "a text message is not UTF-8");
    if (ws->on.on_message != NULL)
        ws->on.on_message(ws->ud, ws->message.data, ws->message.len, ws->in_binary);
    return 0;
}

static int on_pong(smc_ws_t *ws, struct lws *wsi, void *in, size_t n)
{
    (void)wsi;
    if (ws->on.on_pong != NULL)
        ws->on.on_pong(ws->ud, in, n);
    return 0;
}

/* ---- sending ------------------------------------------------------------- */

static int write_packed(smc_ws_t *ws, struct lws *wsi, const smc_ws_item_t *item)
{
    static const unsigned char room[LWS_PRE];
    int rc;

    smc_buf_clear(&ws->packed);
    if (smc_buf_append(&ws->packed, room, LWS_PRE) != SMC_OK ||
        smc_wsdeflate_pack(ws->deflate, item->bytes + LWS_PRE, item->n, &ws->packed) != SMC_OK)
        return -1;
    ws->deflate_next = true;
    rc = lws_write(wsi, (unsigned char *)ws->packed.data + LWS_PRE, ws->packed.len - LWS_PRE,
                   item->kind);
    ws->deflate_next = false;
    return rc;
}

static int write_item(smc_ws_t *ws, struct lws *wsi, smc_ws_item_t *item)
{
    bool data = item->kind == LWS_WRITE_TEXT || item->kind == LWS_WRITE_BINARY;

    ws->close_sent = item->kind == SMC_LWS_WRITE_CLOSE;
    /* zlib makes no raw stream with a window of 256 bytes: then nothing is compressed, which is
     * always allowed. */
    if (data && item->n > 0 && ws->deflate != NULL && ws->deflate_params.server_bits > 8)
        return write_packed(ws, wsi, item);
    return lws_write(wsi, item->bytes + LWS_PRE, item->n, item->kind);
}

static int on_writable(smc_ws_t *ws, struct lws *wsi, void *in, size_t n)
{
    (void)in;
    (void)n;
    for (int i = 0; i < WRITES_A_TURN && ws->queue.first != NULL; i++) {
        if (write_item(ws, wsi, ws->queue.first) < 0)
            return -1;
        smc_ws_queue_pop(&ws->queue);
        if (lws_send_pipe_choked(wsi))
            break;
    }
    if (ws->queue.first != NULL)
        (void)lws_callback_on_writable(wsi);
    if (ws->want_drain && ws->queue.bytes <= ws->max_queue_bytes / 2) {
        ws->want_drain = false;
        if (ws->on.on_drain != NULL && ws->state == WS_OPEN)
            ws->on.on_drain(ws->ud);
    }
    return 0;
}

/* ---- closing ------------------------------------------------------------- */

/* We write our Close frame as any other, so that libwebsockets shows us the answer here. */
static int on_peer_close(smc_ws_t *ws, struct lws *wsi, void *in, size_t n)
{
    const unsigned char *p = in;

    (void)wsi;
    ws->close_code = n >= 2 ? (uint16_t)((unsigned)p[0] << 8 | p[1]) : 1005;
    ws->close_reason_len = n > 2 ? n - 2 : 0;
    if (ws->close_reason_len > sizeof(ws->close_reason))
        ws->close_reason_len = sizeof(ws->close_reason);
    if (n > 2)
        memcpy(ws->close_reason, p + 2, ws->close_reason_len);
    ws->peer_closed = true;
    if (ws->close_sent) {
        smc_ws_finish(ws, ws->close_code, NULL);
        return -1;
    }
    if (ws->state == WS_OPEN)
        (void)smc_ws_set_state(ws, WS_CLOSING);
    return 0; /* libwebsockets answers and ends the connection */
}

/* libwebsockets does not say why it closed.  While the stream goes on, it was the server's
 * fault. */
static bool stream_goes_on(struct lws *wsi)
{
    char byte;
    ssize_t n;

    if (smc_tls_peer_ended(lws_get_ssl(wsi)))
        return false;
    n = recv(lws_get_socket_fd(wsi), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n > 0 || (n < 0 && errno == EAGAIN);
}

static int on_closed(smc_ws_t *ws, struct lws *wsi, void *in, size_t n)
{
    (void)in;
    (void)n;
    if (ws->peer_closed) {
        smc_ws_finish(ws, ws->close_code, NULL);
        return 0;
    }
    if (stream_goes_on(wsi))
        (void)smc_fail(&ws->err, SMC_EPROTO, OP, 0, "a frame breaks the protocol");
    else
        (void)smc_fail(&ws->err, SMC_ERESET, OP, 0, "the connection ended without a Close frame");
    smc_ws_finish(ws, 1006, &ws->err);
    return 0;
}

/* ---- dispatch ------------------------------------------------------------ */

typedef int (*handler_fn)(smc_ws_t *ws, struct lws *wsi, void *in, size_t n);

static handler_fn handler_of(int reason)
{
    switch (reason) {
    case LWS_CALLBACK_CLIENT_CONFIRM_EXTENSION_SUPPORTED:
        return on_offer_extension;
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
        return on_request;
    case LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH:
        return on_response;
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        return on_established;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
    case LWS_CALLBACK_CLOSED_CLIENT_HTTP: /* an RST during the upgrade, which libuv has eaten */
        return on_connection_error;
    case LWS_CALLBACK_CLIENT_RECEIVE:
        return on_receive;
    case LWS_CALLBACK_CLIENT_RECEIVE_PONG:
        return on_pong;
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        return on_writable;
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        return on_peer_close;
    case LWS_CALLBACK_CLIENT_CLOSED:
        return on_closed;
    default:
        return NULL;
    }
}

int smc_ws_on_lws(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t n)
{
    smc_ws_hub_t *hub = lws_context_user(lws_get_context(wsi));
    handler_fn handler = handler_of((int)reason);
    smc_ws_t *ws;
    int rc;

    smc_loop_progress(hub->loop);
    if (handler == NULL && reason != LWS_CALLBACK_OPENSSL_PERFORM_SERVER_CERT_VERIFICATION)
        return 0;
    ws = lws_get_opaque_user_data(wsi);
    if (ws == NULL)
        return -1; /* detached: nothing but its end may happen */
    if (handler == NULL)
        return on_certificate(ws, user, n != 0);
    smc_ws_enter(ws);
    rc = handler(ws, wsi, in, n);
    return smc_ws_leave(ws) ? -1 : rc;
}
