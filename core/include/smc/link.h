/* smc/link.h - the byte path between a client and a server of this process, and what may befall it.
 *
 * Link      pumps bytes both ways between two connected stream sockets, on the loop.  What it reads waits in memory, at
 *           most SMC_LINK_HELD_MAX bytes in each direction; beyond that it stops reading, and the sender feels it.  An end
 *           of one direction is passed on as one; a reset as a reset (AF_UNIX knows none: there it looks like the end).
 * Toxic     what is wrong with the links of a set, with the names and the meaning of Toxiproxy where it has them.  Several
 *           act one after the other, in the order in which they were added, each in its directions.
 * Whom      each link draws once for each toxic whether it is hit (toxicity), the oldest link first; `count` ends that.
 *           An aimed toxic hits nobody but whom smc_link_aim says.
 * Law       latency, bandwidth, slicer and slow_close change when bytes arrive, and nothing else: never which, nor their
 *           order.  With the same seed and the same traffic the same happens, in virtual time to the millisecond.
 * Knows     nothing of what the bytes mean: TLS, HTTP and WebSocket pass alike; only SMC_TOXIC_CLOSE_MID_BODY looks for the
 *           end of a head in clear text.
 * Thread    the loop's.
 * Source    Toxiproxy README, "Toxics".
 */
#ifndef SMC_LINK_H
#define SMC_LINK_H

#include "smc/error.h"
#include "smc/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SMC_LINK_HELD_MAX ((size_t)1 << 20)

#define SMC_LINK_UPSTREAM 1u   /* from the client to the server */
#define SMC_LINK_DOWNSTREAM 2u /* from the server to the client */

typedef struct smc_links smc_links_t;
typedef struct smc_link smc_link_t;

typedef enum smc_toxic_kind {
    SMC_TOXIC_LATENCY,    /* bytes arrive time +- jitter later, in order */
    SMC_TOXIC_BANDWIDTH,  /* at most `size` bytes a second; 0: none */
    SMC_TOXIC_SLOW_CLOSE, /* an end arrives `time` later */
    SMC_TOXIC_TIMEOUT, /* bytes vanish; closed `time` after it began.  0: never; removing it closes */
    SMC_TOXIC_RESET_PEER, /* the first bytes vanish; `time` later the connection is reset */
    SMC_TOXIC_SLICER,     /* pieces of `size` +- variation bytes, `time` apart */
    SMC_TOXIC_LIMIT_DATA, /* exactly `size` bytes pass, then it is closed */
    SMC_TOXIC_BLACKHOLE, /* nothing passes, ends neither; removing it lets through what was held back */
    SMC_TOXIC_CORRUPT, /* behind the first `size` bytes a share of all bytes is changed */
    SMC_TOXIC_CLOSE_MID_BODY, /* of the next bytes behind a head the first half passes, then it is closed */
    SMC_TOXIC_HALF_OPEN, /* the server's side ends, the client is told nothing; removing it resets */
    SMC_TOXIC_COUNT,
} smc_toxic_kind_t;

typedef struct smc_toxic {
    smc_toxic_kind_t kind;
    unsigned streams; /* SMC_LINK_UPSTREAM | SMC_LINK_DOWNSTREAM */
    double toxicity;  /* 0..1: the probability that a link is hit */
    uint64_t count;   /* so many links are hit at most; 0: any number */
    bool aimed;
    uint64_t time_us; /* up to one year */
    uint64_t jitter_us;
    uint64_t size;
    uint64_t variation; /* below size */
    double share;       /* 0..1, of SMC_TOXIC_CORRUPT */
} smc_toxic_t;

/* *out is the caller's; end with smc_links_close.  Errors: SMC_ENOMEM. */
smc_code_t smc_links_open(smc_loop_t *loop, uint64_t seed, smc_links_t **out, smc_error_t *err);
/* Resets every link.  To be called before the loop is closed.  Accepts NULL. */
void smc_links_close(smc_links_t *links);
/* Resets every link, and keeps the toxics. */
void smc_links_drop(smc_links_t *links);
/* Links that are open. */
size_t smc_links_open_count(const smc_links_t *links);
/* Some toxic may hit a new link. */
bool smc_links_wanted(const smc_links_t *links);

/* *id: for the calls below, never used twice.  Errors: SMC_EINVAL for what is out of range, SMC_ENOMEM. */
smc_code_t smc_links_add(smc_links_t *links, const smc_toxic_t *toxic, unsigned *id,
                         smc_error_t *err);
/* Other numbers for a toxic; kind and streams stay.  Every link draws anew.  Errors: SMC_ENOENT, SMC_EINVAL. */
smc_code_t smc_links_change(smc_links_t *links, unsigned id, const smc_toxic_t *toxic,
                            smc_error_t *err);
/* What it held back goes its way at once.  Nothing when there is no such toxic. */
void smc_links_remove(smc_links_t *links, unsigned id);
/* How many links it has hit. */
uint64_t smc_links_hits(const smc_links_t *links, unsigned id);

/* A new link between two connected, non-blocking sockets; both are taken over, also when it fails.
 * owner   *owner is the link, and becomes NULL when it ends.  May be NULL.
 * Errors: SMC_ENOMEM, SMC_ESYS. */
smc_code_t smc_links_join(smc_links_t *links, int client_fd, int server_fd, smc_link_t **owner,
                          smc_error_t *err);
/* Puts a link in front of a server: client_fd is taken over, *server_fd is what the server goes on with. */
smc_code_t smc_links_splice(smc_links_t *links, int client_fd, int *server_fd, smc_link_t **owner,
                            smc_error_t *err);
/* The aimed toxic acts on this link from now on, if its toxicity and its count allow; anew when it did already. */
void smc_link_aim(smc_link_t *link, unsigned id);
/* It acts on this link no more; what it held back goes its way. */
void smc_link_spare(smc_link_t *link, unsigned id);
/* The server is about to close its end, maybe as a reset, which a socket pair can't say; the owner is told nothing more. */
void smc_link_leave(smc_link_t *link, bool resets);

#endif /* SMC_LINK_H */
