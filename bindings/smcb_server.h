/* smcb_server.h - what the files of smc.core.server share.
 *
 *   smcb_server.c           listeners, and the queue of events that handlers are called for
 *   smcb_server_exchange.c  ex: a request and its answer
 *   smcb_server_sock.c      sock: a WebSocket peer
 *   smcb_server_link.c      what may befall the bytes of its connections
 *   smcb_relay.c            ways through this process to servers elsewhere, on which the same may befall them
 */
#ifndef SMCB_SERVER_H
#define SMCB_SERVER_H

#include "smcb.h"

#include "smc/server.h"

typedef struct smcb_sock smcb_sock_t;
typedef struct smcb_event smcb_event_t;

/* The userdata of a listener; anchored while it is open.  User value 1: on_request; 2: the ex that its handler has. */
typedef struct smcb_server {
    smcb_resource_t resource; /* first */
    smcb_host_t *host;
    lua_State *L;         /* the main state */
    smc_server_t *server; /* NULL once closed */
    uint16_t port;
    bool tls;
    smcb_job_t job; /* runs handlers for what is queued */
    smcb_event_t *first, **last;
    smcb_event_t *current; /* whose handler is running, or raised */
    smcb_sock_t *socks;
} smcb_server_t;

/* User values of a sock: its handlers by event kind, and its listener. */
typedef enum smcb_event_kind {
    SMCB_EV_MESSAGE = 1,
    SMCB_EV_PING,
    SMCB_EV_PONG,
    SMCB_EV_CLOSE, /* the last of its sock */
    SMCB_EV_REQUEST,
} smcb_event_kind_t;
enum { SMCB_SOCK_VALUES = SMCB_EV_CLOSE };

/* The userdata of a WebSocket peer; anchored until its close event was handled or its listener closed. */
struct smcb_sock {
    smc_peer_t *peer;      /* NULL before the handshake, and once it is over */
    smcb_server_t *server; /* NULL once it is over */
    smcb_sock_t *next, **link;
};

struct smcb_event {
    smcb_event_t *next;
    smcb_event_kind_t kind;
    smc_exchange_t *ex; /* REQUEST: counted */
    smcb_sock_t *sock;  /* the others */
    bool binary;
    bool clean;
    uint16_t code;
    size_t len;
    char data[];
};

/* Queues a call of a handler; data is copied.  Nothing when out of memory or when the listener is closed. */
void smcb_server_queue(smcb_server_t *s, const smcb_event_t *like, const char *data);

/* Room for usual headers; it must stay where it is. */
typedef struct smcb_fields {
    const smc_server_field_t *v;
    size_t n;
    smc_server_field_t room[16];
    char digits[16][24];
} smcb_fields_t;
/* Reads the headers at idx: nil, or a list of {name, value}, of which a value may be an integer.  Strings live on the stack,
 * which grows; raises for anything else. */
void smcb_server_fields(lua_State *L, int idx, smcb_fields_t *fields);
/* true; nil and err; or raises `wrong_use` for SMC_EINVAL. */
int smcb_server_result(lua_State *L, smc_code_t code, const char *op, const char *wrong_use);

/* Pushes a new ex that takes over a reference to the exchange; the listener is at idx.  smcb_exchange_handled must
 * follow: without it, nothing lets go of the reference. */
void smcb_exchange_push(lua_State *L, smc_exchange_t *ex, int idx);
/* The handler of the ex on top has ended.  What was answered by then is let go of at once: a collector would come for it
 * thousands of requests later. */
void smcb_exchange_handled(lua_State *L);
/* ex:upgrade: the options are at idx. */
int smcb_sock_upgrade(lua_State *L, smc_exchange_t *ex, smcb_server_t *s, int idx);
/* It is over: lets go of the peer and of the anchor. */
void smcb_sock_end(smcb_sock_t *sock);

void smcb_exchange_setup(lua_State *L);
void smcb_sock_setup(lua_State *L);

/* The server of the listener at index 1.  Raises when it is closed. */
smc_server_t *smcb_server_check_open(lua_State *L);
/* Into the table of a listener's methods on top of the stack. */
void smcb_server_add_link_methods(lua_State *L);
/* Those of them that relays have, too. */
void smcb_links_add_methods(lua_State *L);
/* The links of the relay at index 1; NULL when it is none.  Raises when it is closed. */
smc_links_t *smcb_relay_links(lua_State *L);
/* server.relay(places, seed): the function. */
int smcb_relay_open(lua_State *L);
/* Makes the class of relays. */
void smcb_relay_setup(lua_State *L);

#endif /* SMCB_SERVER_H */
