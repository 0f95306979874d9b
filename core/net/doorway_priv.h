/* doorway_priv.h - where clients come in: a listening socket on the loop, which hands each of them over.
 *
 * Out of descriptors, a client that waits would keep the socket readable for ever, and the loop busy: it is sent away,
 * with the help of a descriptor that is kept for this.  Where even that does not help, nobody is let in for a moment.
 */
#ifndef SMC_DOORWAY_PRIV_H
#define SMC_DOORWAY_PRIV_H

#include "smc/loop.h"

typedef struct smc_doorway smc_doorway_t;

typedef struct smc_doorway_conf {
    const char *host;                    /* as smc_loop_listen */
    void (*on_client)(void *ud, int fd); /* takes fd over; may close the doorway */
    void *ud;
} smc_doorway_conf_t;

/* *port  as smc_loop_listen, and becomes the one that it has */
smc_code_t smc_doorway_open(smc_loop_t *loop, const smc_doorway_conf_t *conf, uint16_t *port,
                            smc_doorway_t **out, smc_error_t *err);
/* Nobody comes in any more.  NULL: nothing. */
void smc_doorway_close(smc_doorway_t *d);

#endif /* SMC_DOORWAY_PRIV_H */
