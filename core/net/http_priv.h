/* http_priv.h - what the files of the HTTP client share.
 *
 * http_curl.c     libcurl's functions, loaded late
 * http_client.c   the client of one loop: opened lazily, its pool of calls, its end
 * http_socket.c   libcurl's sockets and its timer on libuv
 * http_call.c     one call from start to its single end
 * http_request.c  a request as libcurl options
 * http_reply.c    a reply's head, body and error
 */
#ifndef SMC_HTTP_PRIV_H
#define SMC_HTTP_PRIV_H

#include "http_curl_priv.h"
#include "loop_priv.h"

#include "smc/buf.h"
#include "smc/http.h"
#include "smc/url.h"

typedef struct smc_http_client {
    smc_loop_t *loop;
    smc_curl_t curl;
    CURLM *multi;                   /* NULL until needed, and after smc_http_idle_close */
    uv_timer_t *timer;              /* libcurl's one timer */
    struct smc_http_socket **socks; /* by descriptor */
    int n_socks;
    unsigned open_sockets;
    int in_curl;             /* > 0: libcurl is on the stack, so handles must stay where they are */
    smc_http_call_t *active; /* doubly linked */
    smc_http_call_t *doomed; /* cancelled while libcurl was on the stack; linked by next */
    smc_http_call_t *pool;   /* idle ones, linked by next */
    bool is_virtual;
} smc_http_client_t;

struct smc_http_call {
    smc_http_client_t *client;
    CURL *easy;
    smc_http_call_t *next, *prev;
    uint16_t via; /* of the relay that it is led through, or 0; in `detour` for libcurl */
    char detour_text[24];
    struct curl_slist detour;
    unsigned long serial; /* grows when the call ends: tells a socket that its user is gone */
    bool doomed;

    smc_http_done_cb done;
    smc_http_head_cb on_head;
    smc_http_body_cb on_body;
    void *ud;
    smc_timer_t *deadline;
    uint64_t timeout_ms;
    size_t max_body;
    int64_t start_ns;

    char origin[SMC_URL_HOST_MAX + 32]; /* "http://127.0.0.1:20001/", as libcurl knows it */
    smc_buf_t lines;                    /* request headers, each NUL-terminated */
    struct curl_slist *list;            /* nodes that point into lines */
    size_t list_cap;
    bool has_body;
    bool has_ca;
    bool has_secret; /* in lines */

    smc_http_reply_t *reply; /* allocated at the start, so that the end cannot fail */
    smc_buf_t head;          /* status line and headers of the last head */
    bool head_done;
    smc_buf_t body;
    size_t body_seen;
    smc_error_t verdict; /* our own reason to end the call, stronger than libcurl's code */
    char curl_text[CURL_ERROR_SIZE];
};

/* http_client.c */
smc_code_t smc_http_client_get(smc_loop_t *loop, smc_http_client_t **out, smc_error_t *err);
smc_http_call_t *smc_http_call_take(smc_http_client_t *client); /* NULL: out of memory */
void smc_http_call_recycle(smc_http_call_t *call);

/* http_socket.c */
smc_code_t smc_http_sockets_open(smc_http_client_t *client, smc_error_t *err);
void smc_http_sockets_close(smc_http_client_t *client);
void smc_http_sockets_setup(smc_http_client_t *client); /* options of a new client->multi */
curl_socket_t smc_http_open_socket(void *client, curlsocktype purpose, struct curl_sockaddr *addr);
int smc_http_close_socket(void *client, curl_socket_t fd);

/* http_call.c */
smc_code_t smc_http_call_setup(smc_http_call_t *call); /* options that never change */
void smc_http_settle(smc_http_client_t *client);       /* after libcurl ran: ends what has ended */
void smc_http_call_end(smc_http_call_t *call, CURLcode rc);

/* http_request.c */
smc_code_t smc_http_prepare(smc_http_call_t *call, const smc_http_request_t *req,
                            const smc_url_t *url, const char *path, smc_error_t *err);

/* http_reply.c */
size_t smc_http_on_header(char *line, size_t size, size_t n, void *ud);
size_t smc_http_on_body(char *bytes, size_t size, size_t n, void *ud);
/* Fills the reply from what the call has seen. */
void smc_http_fill_reply(smc_http_call_t *call, CURLcode rc);

#endif /* SMC_HTTP_PRIV_H */
