/* ws_priv.h - the inside of the WebSocket client: one hub a loop around a libwebsockets context,
 * and its connections.
 *
 * Files   ws_client.c  the public calls, states and the end of a connection
 *         ws_event.c   what libwebsockets reports
 *         ws_hub.c     the context, its vhosts, its two-phase end
 *         ws_queue.c   what waits to be sent
 *         ws_resolve.c host names, off the loop's thread
 */
#ifndef SMC_WS_PRIV_H
#define SMC_WS_PRIV_H

#include "loop_priv.h"
#include "wsdeflate_priv.h"

#include "smc/buf.h"
#include "smc/url.h"
#include "smc/ws.h"

#include <libwebsockets.h>

/* libwebsockets writes a Close frame for this value of lws_write's last parameter, but keeps its
 * name to itself. */
#define SMC_LWS_WRITE_CLOSE ((enum lws_write_protocol)4)

typedef enum smc_ws_state {
    WS_STARTING,   /* opened; connects from the next turn */
    WS_CONNECTING, /* resolving, connecting, upgrading */
    WS_OPEN,
    WS_CLOSING, /* one side has sent or queued its Close frame */
    WS_FAILED,  /* reports `err` from the next turn */
    WS_ENDED,   /* detached; its memory goes when the last call inside it returns */
} smc_ws_state_t;

typedef struct smc_ws_item {
    struct smc_ws_item *next;
    enum lws_write_protocol kind;
    size_t n;
    unsigned char bytes[]; /* LWS_PRE of room, then n bytes */
} smc_ws_item_t;

typedef struct smc_ws_queue {
    smc_ws_item_t *first, **last; /* last is NULL while empty */
    size_t bytes;                 /* of data messages, with their overhead */
} smc_ws_queue_t;

/* A vhost of libwebsockets has one set of trusted certificates. */
typedef struct smc_ws_trust {
    struct smc_ws_trust *next;
    struct lws_vhost *vhost;
    size_t n;
    char pem[]; /* n bytes and NUL */
} smc_ws_trust_t;

typedef struct smc_ws_hub {
    smc_loop_t *loop;
    struct lws_context *lws;
    struct lws_vhost *plain;
    struct lws_vhost *secure; /* with the system's certificates; made for the first wss */
    smc_ws_trust_t *trusts;   /* with others */
    uv_timer_t *lws_timer;    /* libwebsockets' own, see ws_hub.c */
    uv_prepare_t hush;
    smc_ws_t *first;
    size_t count;
    size_t resolving;
} smc_ws_hub_t;

struct smc_ws {
    smc_ws_hub_t *hub;
    smc_ws_t *next, **link;
    smc_ws_state_t state;
    smc_ws_callbacks_t on;
    void *ud;
    unsigned busy; /* calls into and out of this object that are on the stack */
    struct lws *wsi;
    int fd; /* watched one, -1 */
    bool paused;
    smc_timer_t *timer;
    struct smc_ws_resolve *resolve;
    smc_error_t err; /* of WS_FAILED */
    /* the request */
    char *url_text;
    smc_url_t url; /* borrows from url_text */
    char *protocol;
    char *ca_pem;        /* NULL: the system's certificates */
    const char *refused; /* why the server's certificate was; NULL: it was not */
    smc_buf_t headers;   /* as they go out, each with CRLF */
    uint64_t timeout_ms;
    bool asked;          /* the upgrade request was written */
    bool chosen_unasked; /* the server chose an extension that was not offered */
    char chosen[128];    /* subprotocol */
    /* out */
    smc_ws_queue_t queue;
    size_t max_queue_bytes;
    bool want_drain;
    bool close_sent;
    /* in */
    size_t max_message_bytes;
    bool in_message, in_binary, in_deflated;
    smc_buf_t message;
    bool peer_closed;
    uint16_t close_code;
    char close_reason[SMC_WS_PAYLOAD_MAX];
    size_t close_reason_len;
    /* permessage-deflate; "server" in its parameters means the side that packs, which is us */
    bool deflate_offered;
    bool deflate_next; /* the frame being written needs RSV1 */
    smc_wsdeflate_params_t deflate_params;
    smc_wsdeflate_t *deflate; /* once agreed */
    smc_buf_t packed;
};

/* ---- ws_hub.c ------------------------------------------------------------ */

/* The loop's hub, made at the first call.  Errors: SMC_ENOMEM, SMC_ESYS. */
smc_code_t smc_ws_hub_get(smc_loop_t *loop, smc_ws_hub_t **out, smc_error_t *err);
/* NULL when it cannot be made.  ca_pem NULL: the system's certificates. */
struct lws_vhost *smc_ws_hub_vhost(smc_ws_hub_t *hub, bool secure, const char *ca_pem);

/* ---- ws_client.c --------------------------------------------------------- */

/* The only writer of ws->state; arms and disarms the timer.  Errors: SMC_ENOMEM: the state is set,
 * but without timer. */
smc_code_t smc_ws_set_state(smc_ws_t *ws, smc_ws_state_t to);
/* The end: detaches from libwebsockets, reports, frees.  ws is dead afterwards unless a call is
 * still inside it. */
void smc_ws_finish(smc_ws_t *ws, uint16_t code, const smc_error_t *err);
/* Brackets every call into or out of ws.  leave returns true when ws is gone. */
void smc_ws_enter(smc_ws_t *ws);
bool smc_ws_leave(smc_ws_t *ws);
/* address: numeric, or "+" and a path. */
void smc_ws_connect(smc_ws_t *ws, const char *address);

/* ---- ws_event.c ---------------------------------------------------------- */

int smc_ws_on_lws(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                  size_t n);
int smc_ws_on_extension(struct lws_context *lws, const struct lws_extension *ext, struct lws *wsi,
                        enum lws_extension_callback_reasons reason, void *user, void *in, size_t n);

/* ---- ws_queue.c ---------------------------------------------------------- */

/* Appends a copy.  Errors: SMC_ENOMEM. */
smc_code_t smc_ws_queue_add(smc_ws_queue_t *q, enum lws_write_protocol kind, const void *data,
                            size_t n);
void smc_ws_queue_pop(smc_ws_queue_t *q);
void smc_ws_queue_deinit(smc_ws_queue_t *q);
/* A data message of n bytes fits, or there is none yet. */
bool smc_ws_queue_fits(const smc_ws_queue_t *q, size_t n, size_t max_bytes);

/* ---- ws_resolve.c -------------------------------------------------------- */

/* Resolves ws->url.host, then calls smc_ws_connect or fails ws.  Errors: SMC_ENOMEM, SMC_ESYS. */
smc_code_t smc_ws_resolve_start(smc_ws_t *ws, smc_error_t *err);
/* ws hears nothing any more.  Accepts NULL. */
void smc_ws_resolve_detach(struct smc_ws_resolve *r);

#endif /* SMC_WS_PRIV_H */
