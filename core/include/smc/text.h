/* smc/text.h - bytes as text: hex, base64, percent-encoding.
 *
 * Encoders append to a buffer; they fail with SMC_ENOMEM only.
 * Decoders are strict: what an encoder of the same form could not have written is SMC_EPARSE, and the buffer is left as
 * it was.  Decoded bytes may hold NUL.
 */
#ifndef SMC_TEXT_H
#define SMC_TEXT_H

#include "smc/buf.h"
#include "smc/error.h"

#include <stddef.h>

/* Lower case.  The decoder takes either case and wants an even number of digits. */
smc_code_t smc_hex_encode(const void *bytes, size_t n, smc_buf_t *out);
smc_code_t smc_hex_decode(const char *text, size_t n, smc_buf_t *out);

/* RFC 4648 section 4: the standard alphabet, padded, no line breaks.  The decoder also refuses set bits behind the
 * last byte, so that no two texts mean the same bytes. */
smc_code_t smc_base64_encode(const void *bytes, size_t n, smc_buf_t *out);
smc_code_t smc_base64_decode(const char *text, size_t n, smc_buf_t *out);

/* RFC 3986: everything but the unreserved A-Z a-z 0-9 - . _ ~ becomes %XX, upper case.  The decoder takes either
 * case, leaves "+" a plus, lets bytes that needed no encoding stand, and refuses a "%" without two digits. */
smc_code_t smc_percent_encode(const void *bytes, size_t n, smc_buf_t *out);
smc_code_t smc_percent_decode(const char *text, size_t n, smc_buf_t *out);
/* A name or a value of application/x-www-form-urlencoded: the same, but "+" is a blank. */
smc_code_t smc_form_decode(const char *text, size_t n, smc_buf_t *out);

#endif /* SMC_TEXT_H */
