/* server_priv.h - what the files of the server share.
 *
 *   server.c           the server, and the list of connections
 *   server_conn.c      one connection: bytes in, bytes out, time-outs, its end
 *   server_exchange.c  reading a request and writing its answer
 *   server_ws.c        handshake and WebSocket peers
 *   server_link.c      what may befall the bytes of its connections
 *
 * A connection:
 *                    request whole         answered, "close"
 *     HEAD --> BODY ---------------> BUSY -------------------> DRAIN --> CLOSED
 *      ^ ^------------------------------|                        ^          ^
 *      '--- answered                    '--> WS -----------------'          '-- from anywhere: killed
 *                                  (101)       close handshake done
 */
#ifndef SMC_SERVER_PRIV_H
#define SMC_SERVER_PRIV_H

#include "doorway_priv.h"
#include "loop_priv.h"
#include "server_head_priv.h"
#include "tls_priv.h"

#include "smc/buf.h"
#include "smc/link.h"
#include "smc/server.h"

typedef struct smc_conn smc_conn_t;

struct smc_server {
    unsigned refs; /* the owner's, each connection's and each exchange's */
    bool closed;
    bool muted;
    smc_loop_t *loop;
    smc_server_conf_t conf;
    uint16_t port;
    smc_doorway_t *doorway;   /* NULL while connections are refused */
    smc_links_t *links;       /* NULL until the first link fault */
    smc_conn_t *first, *last; /* in the order of their acceptance */
    size_t n_conns;
    uint64_t last_id;
    smc_exchange_t *spare; /* released ones, to be used again */
    size_t n_spare;
    char scratch[65536]; /* what a socket is read into; the last field, and never cleared */
};

void smc_server_unref(smc_server_t *server);
void smc_server_link(smc_server_t *server, smc_conn_t *conn);
void smc_server_unlink(smc_server_t *server, smc_conn_t *conn);

/* ---- links ---------------------------------------------------------------- */

/* A connection was accepted.  conn NULL: nothing. */
void smc_server_link_new(smc_server_t *server, smc_conn_t *conn);
/* What its WebSocket was asked for, as long as anybody may want to know. */
void smc_conn_note_asked(smc_conn_t *conn, const smc_exchange_t *ex);

/* ---- connection --------------------------------------------------------- */

typedef enum smc_conn_state {
    SMC_CONN_HEAD, /* between requests, or inside a head */
    SMC_CONN_BODY,
    SMC_CONN_BUSY, /* a request waits for its answer */
    SMC_CONN_WS,
    SMC_CONN_DRAIN,  /* sends what is left, then FIN, then waits for the client's */
    SMC_CONN_CLOSED, /* its memory goes with the closing callback of its poll handle */
} smc_conn_state_t;

struct smc_conn {
    uv_poll_t poll;
    int fd;
    smc_server_t *server; /* counted */
    uint64_t id;
    uint16_t client_port; /* of TCP, in network order; 0: it came over AF_UNIX */
    smc_conn_t *prev, *next;
    smc_conn_state_t state;
    smc_buf_t in; /* from in_pos on: not yet taken */
    size_t in_pos;
    smc_buf_t out;    /* from out_pos on: not yet sent */
    size_t out_pos;   /* with TLS: not yet sealed */
    smc_tls_t *tls;   /* NULL: plaintext */
    smc_buf_t sealed; /* TLS records, from sealed_pos on not yet sent */
    size_t sealed_pos;
    int polled; /* the events that the poll handle waits for */
    bool pumping;
    bool end_sealed; /* the last record is the notice of the end */
    bool fin_sent;
    bool doomed;        /* its end is due in the next turn */
    smc_exchange_t *ex; /* counted; HEAD (once it has bytes), BODY, BUSY */
    smc_peer_t *peer;   /* counted; WS */
    smc_timer_t *timer;
    int64_t active_ns; /* when bytes last came, or went */
    smc_link_t *link;  /* NULL: its bytes come straight from the client */
    char *asked;       /* WS: "METHOD target" of its handshake */
};

typedef enum smc_conn_end { SMC_END_FIN, SMC_END_RST } smc_conn_end_t;

/* Takes fd over; NULL when out of memory, fd is closed then. */
smc_conn_t *smc_conn_new(smc_server_t *server, int fd);
/* Puts a link between the client and us; bytes that are on their way take it.  False when there is no memory or no
 * descriptor for it: everything is as before then. */
bool smc_conn_splice(smc_conn_t *conn);
/* Ends it at once; what waits on it is told. */
void smc_conn_kill(smc_conn_t *conn, smc_conn_end_t how);
/* Whether a socket of this process is the other end. */
bool smc_conn_is_ours(const smc_conn_t *conn);
/* Handles input that is there, as far as the state allows, then sends. */
void smc_conn_pump(smc_conn_t *conn);
/* Sends what is queued; inside a pump that is left to its end.  May kill. */
void smc_conn_flush(smc_conn_t *conn);
/* Sends the rest, then ends gracefully. */
void smc_conn_drain(smc_conn_t *conn);
/* One-shot, replaces the one before; what it means depends on the state. */
void smc_conn_set_timer(smc_conn_t *conn, uint64_t ms);

static inline size_t smc_conn_available(const smc_conn_t *conn)
{
    return conn->in.len - conn->in_pos;
}

/* ---- exchange ----------------------------------------------------------- */

typedef enum smc_exchange_state {
    SMC_EX_READING,
    SMC_EX_WAITING,  /* dispatched */
    SMC_EX_CHUNKED,  /* answering: in chunks */
    SMC_EX_PLAIN,    /* answering: bytes as they are */
    SMC_EX_BODYLESS, /* answering a HEAD: bytes go nowhere */
    SMC_EX_OVER,     /* answered or gone */
} smc_exchange_state_t;

struct smc_exchange {
    unsigned refs;
    smc_exchange_state_t state;
    smc_server_t *server; /* counted */
    smc_exchange_t *next; /* of the spare ones */
    smc_conn_t *conn;     /* NULL once over */
    uint64_t conn_id;
    bool close;      /* the connection ends behind the answer */
    smc_buf_t bytes; /* the head, once whole */
    smc_buf_t body;
    smc_chunked_t chunked;
    smc_head_t head;
};

/* Take input of a connection in state HEAD or BODY.  False: nothing more can be done now. */
bool smc_exchange_read_head(smc_conn_t *conn);
bool smc_exchange_read_body(smc_conn_t *conn);
/* Detaches it from its connection, which lets go of its reference. */
void smc_exchange_detach(smc_exchange_t *ex);
/* Frees the spare ones. */
void smc_exchange_free_spare(smc_server_t *server);
/* Appends "HTTP/1.1 <status> <reason>\r\n" and the fields.  SMC_EINVAL for what may not be sent, and nothing is appended. */
smc_code_t smc_exchange_put_head(smc_conn_t *conn, int status, const smc_server_field_t *fields,
                                 size_t n_fields);

/* ---- peer --------------------------------------------------------------- */

bool smc_peer_read(smc_conn_t *conn);
/* The connection ended under it. */
void smc_peer_lost(smc_peer_t *peer);

#endif /* SMC_SERVER_PRIV_H */
