/* sha1_priv.h - SHA-1 for the WebSocket handshake (RFC 6455 4.2.2) and nothing else: it is no longer a secure hash. */
#ifndef SMC_SHA1_PRIV_H
#define SMC_SHA1_PRIV_H

#include <stddef.h>
#include <stdint.h>

#define SMC_SHA1_BYTES 20

void smc_sha1(const void *bytes, size_t n, uint8_t digest[SMC_SHA1_BYTES]);

#endif /* SMC_SHA1_PRIV_H */
