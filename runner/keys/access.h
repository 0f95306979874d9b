/* access.h - with what a run or a clean-up goes to test venues: credentials, moved addresses, and whom to trust there.
 *
 * Credentials  KEY=value lines of .env or --env-file; the environment wins.
 * Addresses    BINANCE_TESTNET_URL, BYBIT_TESTNET_URL and OANDA_PRACTICE_URL move a venue's testnet, all of its
 *              interfaces, to a server on this machine, and never anywhere else.
 * Trust        SMCRUN_CA_FILE names the certificate of the one authority that moved venues are trusted by.
 */
#ifndef SMCR_ACCESS_H
#define SMCR_ACCESS_H

#include "keys/dotenv.h"
#include "options/options.h"
#include "run/collect.h"

#include "smc/log.h"

typedef struct smcr_access {
    smcr_env_t env;
    smc_log_t *redactor; /* knows the credentials */
    char *ca;            /* PEM; NULL: the authorities of the system */
} smcr_access_t;

/* access: zeroed at first.  What is wrong is told on standard error, without any value.  Addresses and trust are read
 * for --target testnet only.  Returns PASSED, USAGE or INTERNAL. */
smcr_exit_t smcr_access_load(smcr_access_t *access, const smcr_options_t *options);
void smcr_access_deinit(smcr_access_t *access);

/* May a testnet be moved to this address?  Errors: SMC_EPOLICY; the detail says what to write, and shows no value. */
smc_code_t smcr_access_check(const char *name, const char *url, smc_error_t *err);

#endif /* SMCR_ACCESS_H */
