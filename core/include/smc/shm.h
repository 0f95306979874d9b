/* smc/shm.h - memory that the programs of one user on one machine share by name.
 *
 * File    /dev/shm/smcrun-UID-NAME, of mode 0600.  It appears filled, never half; it stays when everybody has left, until
 *         the machine restarts or it is removed.  One that belongs to somebody else, or that others may open, is refused.
 * Seats   Whoever opens it gets a number of its own.  The kernel keeps it, as a lock on a byte of the open file, so it is
 *         free again however its process ends.  Opening and closing take turns the same way; using the memory does not.
 * Fork    a child shares its parent's seat: it must not use the memory.
 * Thread  any, one at a time for each handle.
 */
#ifndef SMC_SHM_H
#define SMC_SHM_H

#include "smc/error.h"

#include <stddef.h>
#include <stdint.h>

#define SMC_SHM_NAME_MAX 64

typedef struct smc_shm smc_shm_t;

typedef struct smc_shm_conf {
    const char *
        name; /* letters, digits, "-", "_" and "."; not a "." first.  NULL: memory of this handle alone */
    size_t bytes;
    uint32_t seats; /* >= 1 */
    /* Fills new memory, which is all zero and begins on a page, before anybody else sees it. */
    void (*fill)(void *memory, void *ud);
    /* Whether memory that was there already may be used.  When not, and nobody has it open, it is replaced. */
    smc_code_t (*check)(const void *memory, void *ud, smc_error_t *err);
    void *ud;
} smc_shm_conf_t;

/* Errors: SMC_EINVAL (the name), SMC_EEXIST (in use by others, and check failed or the size differs), SMC_EPOLICY (not ours
 * alone), SMC_EAGAIN (no seat is free), SMC_ESYS. */
smc_code_t smc_shm_open(const smc_shm_conf_t *conf, smc_shm_t **out, smc_error_t *err);
/* Accepts NULL. */
void smc_shm_close(smc_shm_t *shm);

void *smc_shm_memory(const smc_shm_t *shm);
uint32_t smc_shm_seat(const smc_shm_t *shm);

/* Removes the name; those who have it open keep their memory.  Errors: SMC_EINVAL, SMC_ENOENT, SMC_ESYS. */
smc_code_t smc_shm_remove(const char *name, smc_error_t *err);

#endif /* SMC_SHM_H */
