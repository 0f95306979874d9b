/* smc/log.h - a log of lines that never holds a secret.
 *
 * Every line is redacted before it is kept or handed on: each registered secret is replaced by "***" wherever it
 * stands in plain, hex (either case), base64 (any of the three alignments) or percent-encoded form.
 * Lines carry the clock in milliseconds since the log was last cleared.
 * Thread  the owner's only.
 */
#ifndef SMC_LOG_H
#define SMC_LOG_H

#include "smc/buf.h"
#include "smc/error.h"

#include <stdint.h>

typedef struct smc_log smc_log_t;

/* keep_bytes: how much text is kept; older whole lines go first.  Errors: SMC_ENOMEM. */
smc_code_t smc_log_new(size_t keep_bytes, smc_log_t **out, smc_error_t *err);
void smc_log_free(smc_log_t *log);

/* From now on no line shows these bytes; copied into wiped memory.  Secrets shorter than 4 bytes are refused with
 * SMC_EINVAL: redacting them would make every line unreadable.  Registering one twice counts once. */
smc_code_t smc_log_hide(smc_log_t *log, const void *secret, size_t n, smc_error_t *err);

/* Adds one line, "   12.345 who  text".  who: "client", "binance"; static or copied, at most 15 characters shown.
 * Control characters and bytes that are not UTF-8 are shown as \xNN. */
void smc_log_line(smc_log_t *log, const char *who, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The same for text with a length; cut behind max_bytes with "... (N bytes)". */
void smc_log_text(smc_log_t *log, const char *who, const char *text, size_t n, size_t max_bytes);

/* Replaces secrets in a text; appends the result to out.  Errors: SMC_ENOMEM. */
smc_code_t smc_log_redact(const smc_log_t *log, const char *text, size_t n, smc_buf_t *out);

/* All kept lines, oldest first; borrowed, valid until the next call on the log.  Never NULL. */
const char *smc_log_contents(smc_log_t *log, size_t *n);
/* Forgets the lines and starts their clock anew; the secrets stay. */
void smc_log_clear(smc_log_t *log);

#endif /* SMC_LOG_H */
