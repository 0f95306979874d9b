/* smc/relay.h - a way through this process to a server elsewhere, so that faults can act on it.
 *
 * Relay     listens on loopback, connects each client that comes to one host and port, and puts a link (smc/link.h)
 *           between them.  Bytes pass as they are: TLS goes from end to end, names and certificates are checked as ever.
 * Clients   of the same loop that want that host and port are led through it by themselves, from smc_relay_open to
 *           smc_relay_close; connections that they had before stay what they are.
 * Thread    the loop's.
 */
#ifndef SMC_RELAY_H
#define SMC_RELAY_H

#include "smc/error.h"
#include "smc/link.h"
#include "smc/loop.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct smc_relay smc_relay_t;

/* links: the set that its links join, and whose toxics act on them; it may be that of several relays, and must outlive them.
 * host, port: where it leads, copied.  *out is the caller's; end with smc_relay_close.
 * Errors: SMC_ENOMEM, SMC_ESYS, SMC_EEXIST when there is one already. */
smc_code_t smc_relay_open(smc_loop_t *loop, smc_links_t *links, const char *host, uint16_t port,
                          smc_relay_t **out, smc_error_t *err);
/* Its links live on, as their set does.  Accepts NULL.  To be called before the set and the loop are closed. */
void smc_relay_close(smc_relay_t *relay);
/* true: refuses connections; those that are open stay.  false: listens on the same port again.  Errors: SMC_ESYS. */
smc_code_t smc_relay_refuse(smc_relay_t *relay, bool on, smc_error_t *err);

#endif /* SMC_RELAY_H */
