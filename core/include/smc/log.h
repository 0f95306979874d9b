/* smc/log.h - a log of lines that never holds a secret.
 *
 * Every line is redacted before it is kept or handed on: each registered secret is replaced by "***" wherever it
 * stands in plain, hex (either case), base64 (any of the three alignments, either alphabet) or percent-encoded form.
 * Any of these may be percent-encoded or JSON-escaped once more, in whole or in part.
 * A log that knows a secret shows no signature either: neither what `signature=` or `"signature":"` announces, nor 64 hex
 * digits in a row, which is what an HMAC-SHA256 is.
 * Lines carry the clock in seconds since the log was last cleared.
 * Thread  the owner's only.
 */
#ifndef SMC_LOG_H
#define SMC_LOG_H

#include "smc/buf.h"
#include "smc/error.h"

#include <stddef.h>
#include <stdint.h>

#define SMC_LOG_SECRET_MIN 4 /* bytes; shorter ones cannot be hidden */

typedef struct smc_log smc_log_t;

/* keep_bytes: how much text is kept; older whole lines go first, the newest line always stays.  Errors: SMC_ENOMEM. */
smc_code_t smc_log_new(size_t keep_bytes, smc_log_t **out, smc_error_t *err);
/* Accepts NULL. */
void smc_log_free(smc_log_t *log);

/* Another process's view of the lines: memory that both share.  What was written there outlives the writer, however it
 * ends. */
typedef struct smc_log_copy {
    uint64_t written; /* bytes since the log was cleared; text holds the last of them, a ring */
    char text[];
} smc_log_copy_t;

/* From now on every line is written to the copy, too, and clearing clears it.
 * copy    borrowed until the log is freed; NULL: to none
 * size    bytes of its text, > 0 */
void smc_log_share(smc_log_t *log, smc_log_copy_t *copy, size_t size);
/* Appends the whole lines that the copy holds, oldest first, whatever became of the writer.  Errors: SMC_ENOMEM. */
smc_code_t smc_log_copied(const smc_log_copy_t *copy, size_t size, smc_buf_t *out);

/* From now on no line shows these bytes, not even one that was kept before; copied into wiped memory.  What a copy holds
 * already stays as it is.
 * Secrets shorter than 4 bytes are refused with SMC_EINVAL: redacting them would make every line unreadable.
 * Registering one twice counts once.  Of a text of several lines (a PEM key) each line of 16 bytes or more that is
 * not a "-----" line is hidden too.
 * Errors: SMC_EINVAL, SMC_ENOMEM (then nothing was registered, or the whole without some of its lines). */
smc_code_t smc_log_hide(smc_log_t *log, const void *secret, size_t n, smc_error_t *err);

/* Adds one line, "   12.345 who  text".  who: "client", "binance"; copied, at most 15 bytes shown.
 * Control characters and bytes that are not UTF-8 are shown as \xNN.  A line for which there is no memory is lost. */
void smc_log_line(smc_log_t *log, const char *who, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The same for text with a length; what redaction left of it is cut behind max_bytes with "... (N bytes)", where N
 * is the length of the text as it came. */
void smc_log_text(smc_log_t *log, const char *who, const char *text, size_t n, size_t max_bytes);

/* Replaces secrets in a text; appends the result to out.  Errors: SMC_ENOMEM. */
smc_code_t smc_log_redact(const smc_log_t *log, const char *text, size_t n, smc_buf_t *out);

/* All kept lines, oldest first, each with its newline; NUL-terminated, borrowed, valid until the next call on the
 * log.  n may be NULL.  Never NULL. */
const char *smc_log_contents(smc_log_t *log, size_t *n);
/* Forgets the lines and starts their clock anew; the secrets stay. */
void smc_log_clear(smc_log_t *log);

#endif /* SMC_LOG_H */
