/* place_priv.h - where the servers of this process listen: port -> AF_UNIX path, or plain TCP. */
#ifndef SMC_PLACE_PRIV_H
#define SMC_PLACE_PRIV_H

#include <stdbool.h>

typedef struct smc_places smc_places_t;

/* NULL when out of memory.  The directory for socket paths is made at the first use. */
smc_places_t *smc_places_new(bool is_virtual);
/* Removes what is left of the paths and the directory.  Accepts NULL. */
void smc_places_free(smc_places_t *places);

#endif /* SMC_PLACE_PRIV_H */
