/* smc/tls.h - certificates for the servers of this process: right ones, and wrong ones on purpose.
 *
 * Authority     each loop has its own, made in memory when first needed and gone with the loop.  Whoever is to trust
 *               the servers of the loop gets its certificate, and nothing else; no key ever leaves the process.
 * Certificates  ECDSA P-256, for 127.0.0.1 and localhost, valid from a day before to twenty years after the moment
 *               they are made, on the clock in force.
 * Random        keys and signatures differ from run to run: nothing of them belongs into a report.
 * Thread        the loop's.
 * Source        RFC 5280; core/tests/test_tls.c
 */
#ifndef SMC_TLS_H
#define SMC_TLS_H

#include "smc/error.h"
#include "smc/loop.h"

#include <stddef.h>

/* What a server speaks: 0 is plaintext.  The others are bits; each fault means TLS, too. */
typedef enum smc_tls_flag {
    SMC_TLS_ON = 1,
    SMC_TLS_EXPIRED = 2,         /* its certificate ended a day ago */
    SMC_TLS_WRONG_HOST = 4,      /* is for another host */
    SMC_TLS_WRONG_AUTHORITY = 8, /* is from an authority that nobody trusts */
} smc_tls_flag_t;

/* The certificate of the loop's authority.
 * *pem    NUL-terminated, *n bytes without the NUL; borrowed until the loop is closed
 * Errors  SMC_ENOMEM; SMC_ESYS: OpenSSL can't make it */
smc_code_t smc_tls_ca(smc_loop_t *loop, const char **pem, size_t *n, smc_error_t *err);

#endif /* SMC_TLS_H */
