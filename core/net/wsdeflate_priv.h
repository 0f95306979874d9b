/* wsdeflate_priv.h - permessage-deflate (RFC 7692), server side: negotiation, and one peer's two streams. */
#ifndef SMC_WSDEFLATE_PRIV_H
#define SMC_WSDEFLATE_PRIV_H

#include "smc/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct smc_wsdeflate_params {
    bool accepted;
    bool server_no_context;
    bool client_no_context;
    int server_bits; /* window of what we send, 9..15 */
    bool say_server_bits;
} smc_wsdeflate_params_t;

/* Picks the first offer in a Sec-WebSocket-Extensions value that can be met; `accepted` is false when none can.
 * no_context: insist on no context takeover either way. */
smc_wsdeflate_params_t smc_wsdeflate_negotiate(const char *offers, size_t n, bool no_context);
typedef struct smc_wsdeflate smc_wsdeflate_t;

/* NULL when out of memory.  The streams are made at their first use. */
smc_wsdeflate_t *smc_wsdeflate_new(const smc_wsdeflate_params_t *params);
void smc_wsdeflate_free(smc_wsdeflate_t *d);
/* Appends the extension as the answer's header value names it. */
smc_code_t smc_wsdeflate_describe(const smc_wsdeflate_t *d, smc_buf_t *out);

/* Appends the compressed form of one whole message to out.  Errors: SMC_ENOMEM. */
smc_code_t smc_wsdeflate_pack(smc_wsdeflate_t *d, const void *in, size_t n, smc_buf_t *out);
/* An smc_ws_inflate_fn; ud is the smc_wsdeflate_t. */
uint16_t smc_wsdeflate_unpack(void *ud, const char *in, size_t n, bool last, size_t max_bytes,
                              smc_buf_t *out);

#endif /* SMC_WSDEFLATE_PRIV_H */
