#include "server_priv.h"

#include "sha1_priv.h"
#include "wsdeflate_priv.h"
#include "wsframe_priv.h"

#include <stdlib.h>
#include <string.h>

#define KEY_LEN 24 /* 16 bytes in base64 */
#define HANDSHAKE_GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define CLOSE_MS 10000
#define REASON_MAX (SMC_WS_CONTROL_MAX - 2)

struct smc_peer {
    unsigned refs;
    smc_conn_t *conn; /* NULL once the connection is out of its hands */
    uint64_t conn_id;
    smc_peer_callbacks_t callbacks;
    void *ud;
    bool auto_pong;
    bool close_sent;
    smc_wsreader_t reader;
    smc_wsdeflate_t *deflate; /* NULL: not negotiated */
};

/* ---- life --------------------------------------------------------------- */

void smc_peer_retain(smc_peer_t *peer)
{
    peer->refs++;
}

/* Not inlined: gcc 12 would see two of these in a row, the free in the first, and not that it is counted. */
__attribute__((noinline)) void smc_peer_release(smc_peer_t *peer)
{
    if (peer == NULL || --peer->refs > 0)
        return;
    smc_wsreader_deinit(&peer->reader);
    smc_wsdeflate_free(peer->deflate);
    free(peer);
}

uint64_t smc_peer_connection(const smc_peer_t *peer)
{
    return peer->conn_id;
}

bool smc_peer_open(const smc_peer_t *peer)
{
    return peer->conn != NULL && !peer->close_sent;
}

/* Takes the connection out of its hands.  The connection's reference to it is now the caller's, to be released. */
static smc_conn_t *detach(smc_peer_t *peer)
{
    smc_conn_t *conn = peer->conn;

    conn->peer = NULL;
    peer->conn = NULL;
    return conn;
}

/* ---- handshake ---------------------------------------------------------- */

static bool is_base64_char(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/';
}

static bool is_key(const char *key, size_t n)
{
    if (key == NULL || n != KEY_LEN || key[KEY_LEN - 1] != '=' || key[KEY_LEN - 2] != '=')
        return false;
    for (size_t i = 0; i < KEY_LEN - 2; i++)
        if (!is_base64_char(key[i]))
            return false;
    return true;
}

static void put_base64(smc_buf_t *out, const uint8_t *p, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < n; i += 3) {
        unsigned bits = (unsigned)p[i] << 16 | (i + 1 < n ? (unsigned)p[i + 1] << 8 : 0) |
                        (i + 2 < n ? p[i + 2] : 0);
        (void)smc_buf_putc(out, digits[bits >> 18]);
        (void)smc_buf_putc(out, digits[bits >> 12 & 63]);
        (void)smc_buf_putc(out, i + 1 < n ? digits[bits >> 6 & 63] : '=');
        (void)smc_buf_putc(out, i + 2 < n ? digits[bits & 63] : '=');
    }
}

static void put_accept(smc_buf_t *out, const char *key)
{
    char text[KEY_LEN + sizeof(HANDSHAKE_GUID) - 1];
    uint8_t digest[SMC_SHA1_BYTES];

    memcpy(text, key, KEY_LEN);
    memcpy(text + KEY_LEN, HANDSHAKE_GUID, sizeof(HANDSHAKE_GUID) - 1);
    smc_sha1(text, sizeof(text), digest);
    (void)smc_buf_puts(out, "Sec-WebSocket-Accept: ");
    put_base64(out, digest, sizeof(digest));
    (void)smc_buf_puts(out, "\r\n");
}

/* All values of a header that may be split over several lines are one list. */
static smc_wsdeflate_params_t negotiate(const smc_exchange_t *ex, smc_deflate_t wanted)
{
    smc_wsdeflate_params_t params = {0};

    if (wanted == SMC_DEFLATE_OFF)
        return params;
    for (size_t i = 0; i < smc_exchange_n_fields(ex) && !params.accepted; i++) {
        smc_server_field_t f = smc_exchange_field(ex, i);
        if (smc_head_same(f.name, f.name_len, "sec-websocket-extensions"))
            params =
                smc_wsdeflate_negotiate(f.value, f.value_len, wanted == SMC_DEFLATE_NO_CONTEXT);
    }
    return params;
}

/* Answers a handshake that is wrong.  False when it is fine. */
static bool refused(smc_exchange_t *ex)
{
    static const smc_server_field_t spoken = {"Sec-WebSocket-Version", "13", 21, 2};
    size_t n;
    const char *key, *version = smc_exchange_header(ex, "sec-websocket-version", &n);

    if (version == NULL || n != 2 || memcmp(version, "13", 2) != 0) {
        (void)smc_exchange_reply(ex, 426, &spoken, 1, NULL, 0);
        return true;
    }
    key = smc_exchange_header(ex, "sec-websocket-key", &n);
    if (is_key(key, n))
        return false;
    (void)smc_exchange_reply(ex, 400, NULL, 0, NULL, 0);
    return true;
}

static smc_peer_t *new_peer(smc_exchange_t *ex, const smc_peer_callbacks_t *callbacks, void *ud)
{
    const smc_server_conf_t *conf = &ex->conn->server->conf;
    smc_wsdeflate_params_t params = negotiate(ex, conf->deflate);
    smc_peer_t *peer = calloc(1, sizeof(*peer));

    if (peer == NULL)
        return NULL;
    peer->refs = 1;
    peer->conn_id = smc_exchange_connection(ex);
    peer->callbacks = *callbacks;
    peer->ud = ud;
    peer->auto_pong = true;
    smc_wsreader_init(&peer->reader, true, conf->max_message_bytes);
    if (!params.accepted)
        return peer;
    peer->deflate = smc_wsdeflate_new(&params);
    if (peer->deflate == NULL) {
        smc_peer_release(peer);
        return NULL;
    }
    peer->reader.inflate = smc_wsdeflate_unpack;
    peer->reader.inflate_ud = peer->deflate;
    return peer;
}

static void put_upgrade(smc_conn_t *conn, const smc_exchange_t *ex, const smc_peer_t *peer)
{
    size_t n;

    (void)smc_buf_puts(&conn->out, "Upgrade: websocket\r\nConnection: Upgrade\r\n");
    put_accept(&conn->out, smc_exchange_header(ex, "sec-websocket-key", &n));
    if (peer->deflate != NULL) {
        (void)smc_buf_puts(&conn->out, "Sec-WebSocket-Extensions: ");
        (void)smc_wsdeflate_describe(peer->deflate, &conn->out);
        (void)smc_buf_puts(&conn->out, "\r\n");
    }
    (void)smc_buf_puts(&conn->out, "\r\n");
}

smc_code_t smc_exchange_accept_ws(smc_exchange_t *ex, const smc_peer_callbacks_t *callbacks,
                                  void *ud, const smc_server_field_t *fields, size_t n_fields,
                                  smc_peer_t **out)
{
    smc_conn_t *conn = ex->conn;
    smc_peer_t *peer;
    smc_code_t code;

    if (conn == NULL)
        return SMC_ECLOSED;
    if (ex->state != SMC_EX_WAITING || !smc_exchange_is_ws(ex))
        return SMC_EINVAL;
    if (refused(ex))
        return SMC_EPROTO;
    peer = new_peer(ex, callbacks, ud);
    if (peer == NULL)
        return SMC_ENOMEM;
    code = smc_exchange_put_head(conn, 101, fields, n_fields);
    if (code != SMC_OK) {
        smc_peer_release(peer);
        return code;
    }
    put_upgrade(conn, ex, peer);
    smc_conn_note_asked(conn, ex);
    smc_exchange_detach(ex);
    peer->conn = conn;
    conn->peer = peer;
    conn->state = SMC_CONN_WS;
    smc_peer_retain(peer); /* the caller's */
    *out = peer;
    smc_conn_pump(conn);
    return SMC_OK;
}

/* ---- reading ------------------------------------------------------------ */

static smc_code_t put_frame(smc_peer_t *peer, const smc_wsframe_t *frame, const void *payload,
                            size_t n)
{
    smc_code_t code = smc_wsframe_write(&peer->conn->out, frame, payload, n);

    smc_conn_flush(peer->conn);
    return code;
}

/* code 0 or 1005: an empty Close frame. */
static void put_close(smc_peer_t *peer, uint16_t code, const char *reason, size_t n)
{
    smc_wsframe_t frame = {.opcode = SMC_WS_CLOSE, .fin = true};
    char payload[SMC_WS_CONTROL_MAX];

    peer->close_sent = true;
    if (code == 0 || code == 1005) {
        (void)put_frame(peer, &frame, "", 0);
        return;
    }
    payload[0] = (char)(code >> 8);
    payload[1] = (char)(code & 0xff);
    if (n > 0)
        memcpy(payload + 2, reason, n);
    (void)put_frame(peer, &frame, payload, n + 2);
}

static void tell_close(smc_peer_t *peer, const smc_ws_event_t *ev, bool clean)
{
    if (peer->callbacks.on_close != NULL)
        peer->callbacks.on_close(peer->ud, peer, ev->code, ev->data, ev->len, clean);
}

/* The client's Close frame, or bytes that can't be read: the last that is heard of it. */
static void on_end(smc_peer_t *peer, const smc_ws_event_t *ev)
{
    bool clean = ev->kind == SMC_WS_EV_CLOSE;

    if (!peer->close_sent)
        put_close(peer, ev->code, clean ? NULL : ev->data, clean ? 0 : ev->len);
    smc_conn_drain(detach(peer));
    tell_close(peer, ev, clean);
    smc_peer_release(peer);
}

static void on_ping(smc_peer_t *peer, const smc_ws_event_t *ev)
{
    smc_wsframe_t pong = {.opcode = SMC_WS_PONG, .fin = true};

    if (peer->auto_pong)
        (void)put_frame(peer, &pong, ev->data, ev->len);
    if (peer->callbacks.on_ping != NULL)
        peer->callbacks.on_ping(peer->ud, peer, ev->data, ev->len);
}

static void on_event(smc_peer_t *peer, const smc_ws_event_t *ev)
{
    switch (ev->kind) {
    case SMC_WS_EV_CLOSE:
    case SMC_WS_EV_FAIL:
        on_end(peer, ev);
        return;
    case SMC_WS_EV_MESSAGE: /* once we have sent Close, only the client's Close is awaited */
        if (!peer->close_sent && peer->callbacks.on_message != NULL)
            peer->callbacks.on_message(peer->ud, peer, ev->data, ev->len, ev->binary);
        return;
    case SMC_WS_EV_PING:
        if (!peer->close_sent)
            on_ping(peer, ev);
        return;
    case SMC_WS_EV_PONG:
        if (!peer->close_sent && peer->callbacks.on_pong != NULL)
            peer->callbacks.on_pong(peer->ud, peer, ev->data, ev->len);
        return;
    case SMC_WS_EV_MORE:
        return;
    }
}

bool smc_peer_read(smc_conn_t *conn)
{
    smc_peer_t *peer = conn->peer;
    size_t n = smc_conn_available(conn);
    smc_ws_event_t ev;

    if (n == 0)
        return false;
    smc_peer_retain(peer); /* a callback may release it; ev borrows from it */
    conn->in_pos += smc_wsreader_feed(&peer->reader, conn->in.data + conn->in_pos, n, &ev);
    on_event(peer, &ev);
    smc_peer_release(peer); /* NOLINT(clang-analyzer-unix.Malloc): it is counted */
    return true;
}

void smc_peer_lost(smc_peer_t *peer)
{
    static const smc_ws_event_t lost = {SMC_WS_EV_FAIL, "", 0, false, 1006};

    (void)detach(peer);
    tell_close(peer, &lost, false);
    smc_peer_release(peer);
}

/* ---- writing ------------------------------------------------------------ */

void smc_peer_set_auto_pong(smc_peer_t *peer, bool on)
{
    peer->auto_pong = on;
}

smc_code_t smc_peer_send(smc_peer_t *peer, const void *data, size_t n, bool binary)
{
    smc_wsframe_t frame = {.opcode = binary ? SMC_WS_BINARY : SMC_WS_TEXT, .fin = true};
    smc_buf_t packed = {0};
    smc_code_t code;

    if (!smc_peer_open(peer))
        return SMC_ECLOSED;
    /* zlib makes no block of nothing. */
    if (peer->deflate == NULL || n == 0)
        return put_frame(peer, &frame, data, n);
    code = smc_wsdeflate_pack(peer->deflate, data, n, &packed);
    frame.deflated = true;
    if (code == SMC_OK)
        code = put_frame(peer, &frame, packed.data, packed.len);
    smc_buf_deinit(&packed);
    return code;
}

static smc_code_t send_control(smc_peer_t *peer, smc_ws_opcode_t opcode, const void *payload,
                               size_t n)
{
    smc_wsframe_t frame = {.opcode = opcode, .fin = true};

    if (n > SMC_WS_CONTROL_MAX)
        return SMC_EINVAL;
    return smc_peer_open(peer) ? put_frame(peer, &frame, payload, n) : SMC_ECLOSED;
}

smc_code_t smc_peer_ping(smc_peer_t *peer, const void *payload, size_t n)
{
    return send_control(peer, SMC_WS_PING, payload, n);
}

smc_code_t smc_peer_pong(smc_peer_t *peer, const void *payload, size_t n)
{
    return send_control(peer, SMC_WS_PONG, payload, n);
}

smc_code_t smc_peer_close(smc_peer_t *peer, uint16_t code, const char *reason, size_t n)
{
    bool bare = code == 0 && n == 0;

    if (!bare && (!smc_ws_code_valid(code) || n > REASON_MAX || !smc_utf8_valid(reason, n)))
        return SMC_EINVAL;
    if (!smc_peer_open(peer))
        return SMC_ECLOSED;
    smc_conn_set_timer(peer->conn, CLOSE_MS);
    put_close(peer, code, reason, n);
    return SMC_OK;
}

smc_code_t smc_peer_raw(smc_peer_t *peer, const void *bytes, size_t n)
{
    if (peer->conn == NULL)
        return SMC_ECLOSED;
    (void)smc_buf_append(&peer->conn->out, bytes, n);
    smc_conn_flush(peer->conn);
    return SMC_OK;
}

smc_code_t smc_peer_drop(smc_peer_t *peer)
{
    if (peer->conn == NULL)
        return SMC_ECLOSED;
    smc_conn_drain(detach(peer));
    smc_peer_release(peer);
    return SMC_OK;
}

smc_code_t smc_peer_reset(smc_peer_t *peer)
{
    if (peer->conn == NULL)
        return SMC_ECLOSED;
    smc_conn_kill(detach(peer), SMC_END_RST);
    smc_peer_release(peer);
    return SMC_OK;
}
