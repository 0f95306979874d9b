/* smc/server.h - a small, strict HTTP/1.1 and WebSocket server that can also misbehave on purpose.
 *
 * Listens where smc_loop_listen says: 127.0.0.1 unless told otherwise in real mode, an AF_UNIX path in virtual mode.
 * HTTP        keep-alive and pipelining (the next request of a connection is dispatched once the one before it was
 *             answered), Content-Length and chunked bodies, Expect: 100-continue, HEAD, HTTP/1.0.  The request target,
 *             the headers and the body are kept byte for byte.  A malformed request is answered here (400, 413, 414,
 *             417, 431, 501, 505) and its connection closed; the handler never sees it.
 * WebSocket   RFC 6455 version 13 on the same port, permessage-deflate (RFC 7692) when the configuration says so.
 * TLS         1.2 and 1.3 on the same port when the configuration says so, ALPN http/1.1; whoever does not speak it is
 *             turned away.  What is written raw goes out inside of it.
 * Ownership   exchanges and peers are counted: the pointer is the handler's until it calls _release.  One that was
 *             answered, closed or lost its connection keeps its request readable; writing to it is SMC_ECLOSED.
 * Callbacks   run from loop turns, and from smc_server_close, _drop, _mute(false), smc_exchange_reset; bytes that the
 *             client sent ahead are looked at inside the call that ends an answer or accepts a WebSocket.  They may
 *             call anything here, also smc_server_close.
 * End of input from the client ends its connection: a client that shuts down only its sending half gets no answer.
 * Nothing is written that the caller did not ask for: no Date and no Server header.
 * Thread      the loop's.
 */
#ifndef SMC_SERVER_H
#define SMC_SERVER_H

#include "smc/error.h"
#include "smc/link.h"
#include "smc/loop.h"
#include "smc/tls.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct smc_server smc_server_t;
typedef struct smc_exchange smc_exchange_t;
typedef struct smc_peer smc_peer_t;

typedef enum smc_deflate {
    SMC_DEFLATE_OFF,
    SMC_DEFLATE_ON, /* offers are accepted, with context takeover unless the client declines it */
    SMC_DEFLATE_NO_CONTEXT, /* accepted without context takeover in either direction */
} smc_deflate_t;

typedef struct smc_server_conf {
    char host[16];            /* the IPv4 address to listen on in real mode; "": 127.0.0.1 */
    uint16_t port;            /* 0: any */
    size_t max_head_bytes;    /* 0: 64 KiB */
    size_t max_body_bytes;    /* 0: 1 MiB; after de-chunking */
    size_t max_message_bytes; /* 0: 16 MiB; of a WebSocket message, after inflating */
    size_t max_queue_bytes;   /* 0: 64 MiB; a reader that lets more pile up is reset */
    /* A connection that waits so long for request bytes, and takes none of an answer meanwhile, is closed.  0: never in
     * virtual mode, 120 s in real mode. */
    uint64_t idle_ms;
    smc_deflate_t deflate;
    unsigned tls;  /* 0: plaintext; else bits of smc_tls_flag_t */
    uint64_t seed; /* of what is drawn for its links */
    /* A whole request.  ex is yours: answer it, now or later, and release it.  Required. */
    void (*on_request)(void *ud, smc_exchange_t *ex);
    /* Its connection ended before it was answered.  May be NULL. */
    void (*on_gone)(void *ud, smc_exchange_t *ex);
    void *ud;
} smc_server_conf_t;

/* conf is copied.  *out is owned by the caller; end with smc_server_close.  Errors: SMC_EINVAL, SMC_ENOMEM, SMC_ESYS. */
smc_code_t smc_server_open(smc_loop_t *loop, const smc_server_conf_t *conf, smc_server_t **out,
                           smc_error_t *err);
/* Resets every connection, calling on_gone and on_close for what was pending; nothing fires afterwards.  Accepts
 * NULL.  To be called before the loop is closed. */
void smc_server_close(smc_server_t *server);
uint16_t smc_server_port(const smc_server_t *server);
/* Open connections, WebSockets included. */
size_t smc_server_connections(const smc_server_t *server);

/* ---- faults of the whole server ----------------------------------------- */

/* A muted server accepts and reads, but dispatches and sends nothing, like a process that was stopped.  What is held
 * back goes its way when it is unmuted; a connection that holds back too much, or that the client gave up, is dropped. */
void smc_server_mute(smc_server_t *server, bool on);
/* true: stops listening, so that new connections are refused; open ones stay.  false: listens on the same port again.
 * Errors: SMC_ESYS. */
smc_code_t smc_server_refuse(smc_server_t *server, bool on, smc_error_t *err);
/* Resets every open connection. */
void smc_server_drop(smc_server_t *server);
/* From now on new connections meet this certificate; bits of smc_tls_flag_t.  Errors: SMC_EINVAL when the server has no TLS
 * or would have none; those of smc_tls_ca. */
smc_code_t smc_server_set_tls(smc_server_t *server, unsigned tls, smc_error_t *err);

/* ---- faults of its links ------------------------------------------------- */

/* The links of its connections, below TLS.  A connection has none, at no cost, before a toxic may hit it; those that are
 * open then get theirs in the middle of what they do.  *out is the server's, until it is closed. */
smc_code_t smc_server_links(smc_server_t *server, smc_links_t **out, smc_error_t *err);
/* As smc_links_add, over all connections that are open. */
smc_code_t smc_server_add_toxic(smc_server_t *server, const smc_toxic_t *toxic, unsigned *id,
                                smc_error_t *err);
/* As smc_link_aim (on) or smc_link_spare, by the number of a connection.  False: it has ended, or nothing can be aimed. */
bool smc_server_aim(smc_server_t *server, uint64_t connection, unsigned id, bool on);

/* A connection whose request is being answered, or that is a WebSocket, and what it asked for. */
typedef struct smc_server_busy {
    uint64_t connection;
    const char *method, *target; /* borrowed, not NUL-terminated; of a WebSocket clipped to 1 KiB */
    size_t n_method, n_target;
} smc_server_busy_t;
typedef void (*smc_server_busy_cb)(void *ud, const smc_server_busy_t *busy);
/* In the order of acceptance.  cb may not call the server. */
void smc_server_each_busy(const smc_server_t *server, smc_server_busy_cb cb, void *ud);

/* ---- exchange: the request ---------------------------------------------- */

typedef struct smc_server_field {
    const char *name;
    const char *value;
    size_t name_len;
    size_t value_len;
} smc_server_field_t;

void smc_exchange_retain(smc_exchange_t *ex);
void smc_exchange_release(smc_exchange_t *ex);

/* Borrowed until the last release; not NUL-terminated. */
const char *smc_exchange_method(const smc_exchange_t *ex, size_t *n);
const char *smc_exchange_target(const smc_exchange_t *ex, size_t *n);
const char *smc_exchange_body(const smc_exchange_t *ex, size_t *n);
size_t smc_exchange_n_fields(const smc_exchange_t *ex);
/* i < n_fields, in the order received, names as written, values without surrounding blanks. */
smc_server_field_t smc_exchange_field(const smc_exchange_t *ex, size_t i);
/* The first value under the name (any case), or NULL. */
const char *smc_exchange_header(const smc_exchange_t *ex, const char *name, size_t *n);
/* 1, 2, 3... in the order in which the server accepted the connections. */
uint64_t smc_exchange_connection(const smc_exchange_t *ex);
/* The client is a socket of this very process, as far as /proc tells; false when the connection has gone. */
bool smc_exchange_is_ours(const smc_exchange_t *ex);
/* The request asks for a WebSocket: GET, HTTP/1.1, Upgrade: websocket, Connection: upgrade. */
bool smc_exchange_is_ws(const smc_exchange_t *ex);
/* Not yet answered, and its connection still there. */
bool smc_exchange_alive(const smc_exchange_t *ex);

/* ---- exchange: the answer ----------------------------------------------- */

/* All of these: SMC_ECLOSED when the exchange is not alive; SMC_EINVAL for a bad status (200..599), a header with
 * forbidden bytes, or a call out of order; SMC_ENOMEM.  Nothing was written then.
 * Headers are written as given, in their order.  Unless they hold Content-Length (or Transfer-Encoding, for _start)
 * the right one is added; "Connection: close" closes the connection behind the answer. */

smc_code_t smc_exchange_reply(smc_exchange_t *ex, int status, const smc_server_field_t *fields,
                              size_t n_fields, const void *body, size_t n);
/* A body in pieces: chunked, or up to the end of the connection for HTTP/1.0, or as many bytes as a Content-Length
 * among the fields says. */
smc_code_t smc_exchange_start(smc_exchange_t *ex, int status, const smc_server_field_t *fields,
                              size_t n_fields);
smc_code_t smc_exchange_write(smc_exchange_t *ex, const void *bytes, size_t n);
/* Ends what _start or _raw began; the connection goes on with the next request. */
smc_code_t smc_exchange_end(smc_exchange_t *ex);

/* Faults.  Not answering at all is one too: just release the exchange. */
/* Bytes onto the wire as they are, instead of or in the middle of an answer. */
smc_code_t smc_exchange_raw(smc_exchange_t *ex, const void *bytes, size_t n);
/* Sends what was written so far, then ends the connection. */
smc_code_t smc_exchange_close(smc_exchange_t *ex);
/* Drops the connection at once: RST.  An AF_UNIX socket knows no RST: there the client meets the end of the stream,
 * or ECONNRESET if bytes of it were still unread. */
smc_code_t smc_exchange_reset(smc_exchange_t *ex);

/* ---- WebSocket peer ------------------------------------------------------ */

typedef struct smc_peer_callbacks {
    void (*on_message)(void *ud, smc_peer_t *peer, const char *data, size_t n, bool binary);
    void (*on_ping)(void *ud, smc_peer_t *peer, const char *payload, size_t n);
    void (*on_pong)(void *ud, smc_peer_t *peer, const char *payload, size_t n);
    /* Exactly once, unless smc_peer_reset or smc_peer_drop was called.
     * code   the client's; 1005 when it gave none, 1006 when the connection ended without a Close frame, or the code
     *        with which this side refused its bytes
     * clean  both sides sent a Close frame */
    void (*on_close)(void *ud, smc_peer_t *peer, uint16_t code, const char *reason, size_t n,
                     bool clean);
} smc_peer_callbacks_t;

/* Answers with 101 and takes the connection over; the exchange is over.  *out is yours until you release it.  Any
 * callback may be NULL.  fields are added to the answer.
 * Errors: SMC_EINVAL when the request does not ask for a WebSocket (the exchange stays alive); SMC_EPROTO when its
 * handshake is wrong: then it has been answered with 400, or 426 for a version other than 13. */
smc_code_t smc_exchange_accept_ws(smc_exchange_t *ex, const smc_peer_callbacks_t *callbacks,
                                  void *ud, const smc_server_field_t *fields, size_t n_fields,
                                  smc_peer_t **out);

void smc_peer_retain(smc_peer_t *peer);
void smc_peer_release(smc_peer_t *peer);
uint64_t smc_peer_connection(const smc_peer_t *peer);
/* Frames may be sent: no Close frame was sent or received yet. */
bool smc_peer_open(const smc_peer_t *peer);

/* All of these: SMC_ECLOSED when it is not open, SMC_ENOMEM. */
/* Text must be UTF-8 unless you want to break the protocol: it is not checked. */
smc_code_t smc_peer_send(smc_peer_t *peer, const void *data, size_t n, bool binary);
/* SMC_EINVAL beyond 125 bytes. */
smc_code_t smc_peer_ping(smc_peer_t *peer, const void *payload, size_t n);
smc_code_t smc_peer_pong(smc_peer_t *peer, const void *payload, size_t n);
/* Starts the closing handshake; the connection is dropped when the client does not answer within 10 s.
 * code 0: a Close frame without a code.  SMC_EINVAL for a code that must not be sent, or a reason beyond 123 bytes. */
smc_code_t smc_peer_close(smc_peer_t *peer, uint16_t code, const char *reason, size_t n);
/* Whether pings are answered by themselves; they are unless told otherwise. */
void smc_peer_set_auto_pong(smc_peer_t *peer, bool on);

/* Faults. */
smc_code_t smc_peer_raw(smc_peer_t *peer, const void *bytes, size_t n);
/* Sends what is queued, then ends the connection without a Close frame. */
smc_code_t smc_peer_drop(smc_peer_t *peer);
/* See smc_exchange_reset. */
smc_code_t smc_peer_reset(smc_peer_t *peer);

#endif /* SMC_SERVER_H */
