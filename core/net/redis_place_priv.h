/* redis_place_priv.h - where a Redis is, and as whom it is asked. */
#ifndef SMC_REDIS_PLACE_PRIV_H
#define SMC_REDIS_PLACE_PRIV_H

#include "smc/redis.h"
#include "smc/secret.h"

#define REDIS_PLACE_MAX 400

typedef struct redis_place {
    char host[REDIS_PLACE_MAX]; /* or the path, when port is 0 */
    int port, db;
    char user[REDIS_PLACE_MAX]; /* "": the default one */
    smc_secret_t *password;     /* NULL: none; owned */
} redis_place_t;

/* out: to be freed by redis_place_deinit in any case.  Errors: as smc_redis_open; no detail shows user or password. */
smc_code_t redis_place_read(const smc_redis_conf_t *conf, redis_place_t *out, smc_error_t *err);
void redis_place_deinit(redis_place_t *place);

#endif /* SMC_REDIS_PLACE_PRIV_H */
