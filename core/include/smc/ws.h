/* smc/ws.h - a WebSocket client (RFC 6455, permessage-deflate of RFC 7692) over libwebsockets.
 *
 *   connecting --on_open--> open --smc_ws_close or a Close frame--> closing --on_close--> gone
 *       \_____________ on_close with an error: from any state _______________________/
 *
 * Where it may connect says smc/host_policy.h; a redirect is a refused upgrade.  A server's pings
 * are answered by themselves; none is sent unless you ask.  Only your deadlines run: libwebsockets'
 * own are switched off.
 * Ownership   the object belongs to the core from smc_ws_open until on_close or smc_ws_free; the
 *             pointer is dead then.  Inputs are copied.  Nothing fires before smc_ws_open returned,
 *             nor after smc_ws_free.
 * Callbacks   run from loop turns.  They may call anything here, also smc_ws_free.
 * Limits      a server's close codes 1012, 1013, 1014 and the unassigned ones below 3000 arrive as
 *             1002: libwebsockets replaces them.  When pings come faster than the socket takes
 *             pongs, only the first of them is answered.  Each ca_pem that was not met before costs
 *             memory until the end of the loop.
 * Plugin      libwebsockets' for libuv is loaded at the first connection, for good.  Who is about to fork children
 *             that will need it calls smc_ws_preload.
 * Thread      the loop's.
 * Source      RFC 6455, RFC 7692; core/tests/test_ws.c, test_ws_close.c
 */
#ifndef SMC_WS_H
#define SMC_WS_H

#include "smc/error.h"
#include "smc/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SMC_WS_URL_MAX 2048
#define SMC_WS_PAYLOAD_MAX 125 /* of a ping */
#define SMC_WS_REASON_MAX 123  /* of a close */

typedef struct smc_ws smc_ws_t;

typedef struct smc_ws_callbacks {
    /* The upgrade succeeded.  protocol: the subprotocol that the server chose, "" if none. */
    void (*on_open)(void *ud, const char *protocol);
    /* A whole message; data is borrowed, never NULL, with a NUL behind it.  Text is valid UTF-8. */
    void (*on_message)(void *ud, const char *data, size_t n, bool binary);
    void (*on_pong)(void *ud, const char *payload, size_t n);
    /* smc_ws_send said SMC_EAGAIN before, and now half of the queue is free. */
    void (*on_drain)(void *ud);
    /* Exactly once, unless smc_ws_free was called.  The last thing that fires.
     * code  the server's, or its answer to ours; 1005: a Close frame without a code; 1006: none
     *       came, or the code with which this side refused the server's bytes; 0: it was never open
     * err   NULL after a closing handshake.  Else SMC_EPOLICY, SMC_EDNS, SMC_ECONN, SMC_ETLS;
     *       SMC_EPROTO    the upgrade was refused (err->sys is the HTTP status, if any), or the
     *                     server broke the protocol
     *       SMC_ETIMEDOUT connecting or closing took too long
     *       SMC_ERESET    the connection ended without a Close frame
     *       SMC_ETOOBIG   a message beyond the limit
     *       SMC_ECANCELED smc_ws_close was called before it was open
     *       SMC_ENOMEM, SMC_ESYS */
    void (*on_close)(void *ud, uint16_t code, const char *reason, size_t n, const smc_error_t *err);
} smc_ws_callbacks_t;

typedef struct smc_ws_header {
    const char *name;
    const char *value;
} smc_ws_header_t;

typedef struct smc_ws_conf {
    const char *url;                /* "ws://" or "wss://"; path and query go out as they are */
    const smc_ws_header_t *headers; /* extra ones for the upgrade request, in this order */
    size_t n_headers;
    const char *protocol; /* subprotocols to offer, comma-separated; NULL: none */
    const char *ca_pem;   /* wss: trust this one certificate only; NULL: the system's */
    size_t ca_pem_len;
    uint64_t timeout_ms;      /* to connect and upgrade; 0: 10 s */
    bool deflate;             /* offer permessage-deflate */
    size_t max_message_bytes; /* of a received message, after inflating; 0: 16 MiB */
    size_t max_queue_bytes;   /* that wait to be sent; 0: 4 MiB */
    smc_ws_callbacks_t on;    /* any but on_close may be NULL */
    void *ud;
} smc_ws_conf_t;

/* Starts to connect.  *out is valid at once, see Ownership.
 * Errors  SMC_EINVAL (a bad URL, or one beyond SMC_WS_URL_MAX; a bad header, or one that
 *         the handshake owns; a ca_pem that is no certificate, or several), SMC_EPOLICY,
 *         SMC_ENOMEM, SMC_ESYS.  Others come with on_close. */
smc_code_t smc_ws_open(smc_loop_t *loop, const smc_ws_conf_t *conf, smc_ws_t **out,
                       smc_error_t *err);

/* Queues one message.
 * Errors  SMC_EAGAIN: the queue is full, wait for on_drain (a message beyond the whole limit passes
 *         when the queue is empty); SMC_ECLOSED: not open; SMC_ENOMEM */
smc_code_t smc_ws_send(smc_ws_t *ws, const void *data, size_t n, bool binary, smc_error_t *err);
/* Queues a ping, however full the queue is.
 * Errors  SMC_EINVAL beyond SMC_WS_PAYLOAD_MAX; SMC_ECLOSED; SMC_ENOMEM */
smc_code_t smc_ws_ping(smc_ws_t *ws, const void *payload, size_t n, smc_error_t *err);

/* Sends what is queued, then a Close frame; on_close follows, after 5 s at the latest.  While
 * connecting: gives up.  A paused connection reads again, else the answer would not be seen.
 * code    1000..1003, 1007..1011 or 3000..4999; 0: a Close frame without code and reason
 * Errors  SMC_EINVAL: the code, or a reason beyond SMC_WS_REASON_MAX; SMC_ECLOSED: closing already;
 *         SMC_ENOMEM */
smc_code_t smc_ws_close(smc_ws_t *ws, uint16_t code, const char *reason, size_t n,
                        smc_error_t *err);

/* true: stops reading from the socket, so that the server meets back-pressure; what it sends from
 * then on fires after false.  Only while open, else ignored. */
void smc_ws_pause(smc_ws_t *ws, bool on);

/* Drops the connection without a Close frame.  Nothing fires any more.  Accepts NULL. */
void smc_ws_free(smc_ws_t *ws);

/* Loads the plugin, so that children made by fork find it loaded.  A failure is told by the first connection. */
void smc_ws_preload(void);

/* Connections of the loop that are not gone yet. */
size_t smc_ws_count(const smc_loop_t *loop);

#endif /* SMC_WS_H */
