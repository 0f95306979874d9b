/* link_priv.h - what the files of the link share.
 *
 *   link.c        the set: its toxics, and who is hit
 *   link_pipe.c   one link: bytes in, bytes out, its end
 *   link_toxic.c  what each toxic does with a piece
 *
 * One direction:   from -> stage -> stage -> .. -> out -> to      a stage is one toxic on one pipe
 *
 * A link that ends goes at once: its descriptors are closed and its timers stopped; its memory goes with the closing
 * callbacks of its poll handles, so that whoever is in the middle of it may go on looking.
 */
#ifndef SMC_LINK_PRIV_H
#define SMC_LINK_PRIV_H

#include "loop_priv.h"

#include "smc/link.h"
#include "smc/rng.h"

typedef enum smc_piece_end {
    SMC_PIECE_DATA,
    SMC_PIECE_FIN,   /* this direction ends */
    SMC_PIECE_RST,   /* the sender has reset the connection */
    SMC_PIECE_CLOSE, /* a toxic ends both directions, behind what has passed */
} smc_piece_end_t;

typedef struct smc_piece {
    struct smc_piece *next;
    smc_piece_end_t end;
    int64_t at_ns; /* when it came; inside a queue: when it goes on */
    size_t n;
    char bytes[];
} smc_piece_t;

typedef struct smc_pieces {
    smc_piece_t *first, *last;
} smc_pieces_t;

/* A toxic of a set. */
typedef struct smc_harm {
    struct smc_harm *next;
    unsigned id;
    uint64_t hits;
    smc_toxic_t is;
} smc_harm_t;

typedef struct smc_pipe smc_pipe_t;

typedef struct smc_stage {
    struct smc_stage *next; /* towards the receiver */
    smc_pipe_t *pipe;
    const smc_harm_t *harm;
    smc_pieces_t waiting;
    int64_t clear_ns;   /* what comes now goes on no earlier: order */
    uint64_t passed;    /* bytes */
    bool over;          /* whatever comes now vanishes */
    smc_timer_t *timer; /* for the first that waits, or for what the toxic does by itself */
} smc_stage_t;

/* One socket of a link. */
typedef struct smc_link_side {
    uv_poll_t poll;
    int fd; /* -1 once closed */
    int polled;
    smc_link_t *link;
} smc_link_side_t;

struct smc_pipe {
    smc_link_t *link;
    smc_link_side_t *from, *to;
    unsigned stream; /* SMC_LINK_UPSTREAM or _DOWNSTREAM */
    smc_stage_t *first;
    smc_pieces_t out;
    size_t out_pos; /* of its first piece, already sent */
    size_t held;    /* bytes in the stages and in out */
    bool drained;   /* from has ended */
    bool ended;     /* to was told so */
    bool broken;    /* to takes nothing any more */
};

struct smc_link {
    smc_links_t *links; /* counted */
    smc_link_t *prev, *next;
    smc_link_t **owner;
    uint64_t id;
    smc_rng_t rng;
    bool dead;
    bool server_resets;
    int handles; /* whose closing callback has not come yet */
    smc_timer_t *closing;
    smc_link_side_t client, server;
    smc_pipe_t up, down;
};

struct smc_links {
    unsigned refs; /* the owner's and each link's */
    smc_loop_t *loop;
    uint64_t seed;
    smc_harm_t *harms; /* in the order of their addition */
    smc_link_t *first, *last;
    size_t n_links;
    unsigned last_id;
    uint64_t last_link;
    char scratch[65536]; /* what a socket is read into */
};

/* ---- link.c ------------------------------------------------------------- */

void smc_links_unref(smc_links_t *links);
void smc_links_forget(smc_link_t *link);

/* ---- link_pipe.c -------------------------------------------------------- */

/* Neither joined to its set nor hit yet.  NULL when there is no memory; the descriptors stay the caller's then. */
smc_link_t *smc_link_new(smc_links_t *links, int client_fd, int server_fd);

typedef enum smc_link_end { SMC_LINK_FIN, SMC_LINK_RST } smc_link_end_t;

/* Ends it at once. */
void smc_link_kill(smc_link_t *link, smc_link_end_t how);
/* The socket is closed; the rest of the link goes on. */
void smc_link_side_close(smc_link_side_t *side);
/* Sends what can be sent, and waits for what has to be waited for.  May kill the link. */
void smc_pipe_settle(smc_pipe_t *pipe);
/* A piece is over: what it held is free. */
void smc_piece_drop(smc_pipe_t *pipe, smc_piece_t *piece);
/* NULL when out of memory; the link is then reset. */
smc_piece_t *smc_piece_new(smc_pipe_t *pipe, smc_piece_end_t end, const char *bytes, size_t n);
void smc_pieces_put(smc_pieces_t *queue, smc_piece_t *piece);
smc_piece_t *smc_pieces_take(smc_pieces_t *queue);

/* ---- link_toxic.c ------------------------------------------------------- */

/* A new stage at the receiver's end of a pipe.  False when out of memory. */
bool smc_stage_add(smc_pipe_t *pipe, const smc_harm_t *harm);
/* The stage of a toxic on a pipe, or NULL. */
smc_stage_t *smc_pipe_stage(const smc_pipe_t *pipe, const smc_harm_t *harm);
/* What it holds back goes on, and it begins anew with the numbers that its toxic has now. */
void smc_stage_renew(smc_stage_t *stage);
/* What it holds back goes on, and it is gone.  gently: its link was merely not drawn again. */
void smc_stage_remove(smc_stage_t *stage, bool gently);
/* Takes the piece over: through this stage and all behind it; stage NULL: out. */
void smc_stage_push(smc_pipe_t *pipe, smc_stage_t *stage, smc_piece_t *piece);
/* Stops timers.  The stages stay. */
void smc_stages_stop(smc_pipe_t *pipe);
void smc_stages_free(smc_pipe_t *pipe);

#endif /* SMC_LINK_PRIV_H */
