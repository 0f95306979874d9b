/* smc/http.h - an HTTP/1.1 client for the venues' test hosts and for servers of this process.
 *
 * Bytes       the target and the headers go out as given, byte for byte; nothing is added but Host, Accept and
 *             Content-Length.  Replies are not decompressed, redirects are replies like any other.
 * Once        a request is written at most once: a connection that dies before the answer is an error, never a
 *             silent second attempt.
 * Secrets     a bearer token goes out and is then wiped from the memory of this client; no error shows it.
 * Hosts       smc/host_policy.h.  Proxies and .netrc are ignored; certificates are always verified.
 * Connections are kept and reused per host until smc_http_idle_close or the end of the loop.
 * libcurl     is loaded at the first request: loading it costs more than all else at start-up.  Who is about to fork
 *             children that will need it calls smc_http_preload.
 * Thread      the loop's.
 * Source      core/tests/test_http.c
 */
#ifndef SMC_HTTP_H
#define SMC_HTTP_H

#include "smc/error.h"
#include "smc/loop.h"
#include "smc/secret.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of a reply's body while it is collected, unless the request says otherwise. */
#define SMC_HTTP_MAX_BODY ((size_t)16 << 20)
/* Of a reply's head, all lines together. */
#define SMC_HTTP_MAX_HEAD ((size_t)256 << 10)

typedef struct smc_http_call smc_http_call_t;

typedef struct smc_http_header {
    const char *name; /* not NUL-terminated, nor is value */
    size_t name_len;
    const char *value;
    size_t value_len;
} smc_http_header_t;

typedef struct smc_http_reply {
    smc_error_t err;     /* code SMC_OK: the whole reply arrived */
    bool sent;           /* a byte of the request may have left: the venue may have acted on it */
    bool new_connection; /* false: a kept connection was used */
    int status;          /* 0 until the head arrived */
    smc_http_header_t *headers; /* in the order of arrival; trailers are left out */
    size_t n_headers;
    char *body; /* what was collected, also on failure; NUL-terminated; NULL when empty */
    size_t body_len;
    int64_t elapsed_ns; /* from smc_http_start, on the loop's clock */
    char *_head;
} smc_http_reply_t;

/* The end of a call, exactly once, unless it was cancelled.  The reply is yours: smc_http_reply_free.
 * Errors  SMC_EDNS, SMC_ECONN, SMC_ETLS: not sent.  SMC_ERESET (closed or reset), SMC_EPROTO (not HTTP),
 *         SMC_ETIMEDOUT, SMC_ETOOBIG, SMC_ENOMEM, SMC_ECANCELED (the loop was closed): see reply->sent */
typedef void (*smc_http_done_cb)(void *ud, smc_http_reply_t *reply);
/* A streamed reply's head: status, headers, new_connection.  Borrowed.  At most once, before any body. */
typedef void (*smc_http_head_cb)(void *ud, const smc_http_reply_t *head);
/* A piece of a streamed body as it arrived, chunked framing removed; n > 0; borrowed. */
typedef void (*smc_http_body_cb)(void *ud, const char *bytes, size_t n);

/* Borrowed during smc_http_start only. */
typedef struct smc_http_request {
    const char *method;               /* a token in upper case; not CONNECT */
    const char *url;                  /* see smc/url.h; http or https */
    const smc_http_header_t *headers; /* none of Host, Content-Length, Transfer-Encoding */
    size_t n_headers;
    const smc_secret_t *bearer; /* sent as "Authorization: Bearer ..."; NULL: none */
    const char *body;           /* NULL: none.  A POST, PUT or PATCH without one has length 0 */
    size_t body_len;
    uint64_t
        timeout_ms; /* to the end of the reply; of a streamed one to the end of its head.  0: no limit */
    size_t max_body;    /* 0: SMC_HTTP_MAX_BODY when collected, no limit when streamed */
    const char *ca_pem; /* trust these certificates only; NULL: the system's */
    size_t ca_pem_len;
    smc_http_head_cb on_head; /* may be NULL */
    smc_http_body_cb on_body; /* not NULL: the reply is streamed and reply->body stays NULL */
} smc_http_request_t;

/* Starts a request.  No callback runs before it returns.
 * Where   anywhere but in on_head and on_body
 * *call   valid until done ran or smc_http_cancel was called
 * Errors  SMC_EINVAL (method, header, URL), SMC_EPOLICY, SMC_ECONN (nothing in this run listens there), SMC_ENOMEM,
 *         SMC_ESYS (libcurl cannot be loaded); nothing was sent and no callback will run */
smc_code_t smc_http_start(smc_loop_t *loop, const smc_http_request_t *req, smc_http_done_cb done,
                          void *ud, smc_http_call_t **call, smc_error_t *err);

/* No callback of this call will run any more; its connection is closed.  Allowed in every callback.  Accepts NULL. */
void smc_http_cancel(smc_http_call_t *call);

/* Accepts NULL. */
void smc_http_reply_free(smc_http_reply_t *reply);

/* Loads libcurl and has it set itself up, so that children made by fork find it so.  It stays; a failure is told by the
 * first request. */
void smc_http_preload(void);

/* Closes all kept connections, when no call is under way; does nothing otherwise. */
void smc_http_idle_close(smc_loop_t *loop);
/* Sockets of this client that are open now, kept ones included. */
unsigned smc_http_open_sockets(const smc_loop_t *loop);

#endif /* SMC_HTTP_H */
