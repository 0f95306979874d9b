/* loop_priv.h - what core/net sees of the loop beside smc/loop.h. */
#ifndef SMC_LOOP_PRIV_H
#define SMC_LOOP_PRIV_H

#include "smc/loop.h"

#include <uv.h>

/* The libuv loop, for handles of core/net.  Every handle that is put on it must be closed by its owner. */
uv_loop_t *smc_loop_uv(smc_loop_t *loop);

/* To be called by every callback of core/net that a socket or timer event reached: the quiescence proof counts
 * turns in which nothing called it. */
void smc_loop_progress(smc_loop_t *loop);

/* What a connection that could not be made is to say besides: "" unless the process has no descriptor left. */
const char *smc_loop_no_descriptor(void);

struct smc_places *smc_loop_places(const smc_loop_t *loop);

/* One certificate authority, libwebsockets context, libcurl multi or guard of programs per loop hangs here, so that it is created lazily
 * and closed with the loop, the last of the list first. */
typedef enum smc_loop_slot {
    SMC_SLOT_TLS,
    SMC_SLOT_LWS,
    SMC_SLOT_CURL,
    SMC_SLOT_GUARD,
    SMC_SLOT_COUNT,
} smc_loop_slot_t;
void *smc_loop_slot(const smc_loop_t *loop, smc_loop_slot_t slot);
void smc_loop_set_slot(smc_loop_t *loop, smc_loop_slot_t slot, void *value, void (*close)(void *));

#endif /* SMC_LOOP_PRIV_H */
