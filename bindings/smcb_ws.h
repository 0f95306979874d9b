/* smcb_ws.h - what the files of smc.core.ws share: connections (smcb_ws.c), their options
 * (smcb_ws_conf.c), who waits for what (smcb_ws_pending.c). */
#ifndef SMCB_WS_H
#define SMCB_WS_H

#include "smcb.h"

#include "smc/ws.h"

typedef struct smcb_ws_message {
    struct smcb_ws_message *next;
    size_t n;
    bool binary;
    char data[];
} smcb_ws_message_t;

typedef enum smcb_ws_want {
    SMCB_WS_OPEN,  /* the upgrade */
    SMCB_WS_READ,  /* a message; it becomes the wait's result */
    SMCB_WS_PONG,  /* with this payload */
    SMCB_WS_DRAIN, /* room in the queue */
    SMCB_WS_CLOSE, /* the closing handshake */
} smcb_ws_want_t;

typedef struct smcb_ws_conn smcb_ws_conn_t;

/* A wait that hangs on a connection: a userdata on the stack of the coroutine that waits. */
typedef struct smcb_ws_pending {
    struct smcb_ws_pending *next, **link;
    smcb_ws_want_t want;
    smcb_wait_t *w;
    smcb_ws_conn_t *conn;
    int64_t start_ns, elapsed_ns;
    bool met; /* it got what it wanted; false: the connection is gone */
    size_t n;
    char payload[SMC_WS_PAYLOAD_MAX];
} smcb_ws_pending_t;

/* Pushes a wait and a pending; not yet linked, so that what follows may raise or return. */
smcb_ws_pending_t *smcb_ws_pending_new(lua_State *L, smcb_ws_conn_t *conn, const char *what,
                                       smcb_ws_want_t want, smcb_finish_fn finish);
/* Links it behind the others of the connection and yields: to be called as a tail call. */
int smcb_ws_pending_wait(lua_State *L, smcb_ws_pending_t **first, smcb_ws_pending_t *p);
/* The oldest that wants this, or NULL. */
smcb_ws_pending_t *smcb_ws_pending_find(smcb_ws_pending_t *first, smcb_ws_want_t want);
/* Unlinks and fires it; takes the result over. */
void smcb_ws_pending_fire(smcb_ws_pending_t *p, bool met, void *result);
/* Nothing when it is not linked. */
void smcb_ws_pending_unlink(smcb_ws_pending_t *p);

/* Takes conf from the options table at idx and returns max_queue; raises for wrong ones.  Strings
 * stay borrowed from the table; leaves a userdata on the stack that holds the list of headers. */
size_t smcb_ws_check_conf(lua_State *L, int idx, smc_ws_conf_t *conf);
/* Field `name`, false when missing; raises unless it is a boolean. */
bool smcb_ws_field_bool(lua_State *L, int idx, const char *name);

#endif /* SMCB_WS_H */
