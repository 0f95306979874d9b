/* json_strings.h - the strings of a JSON text, one by one, without a reader of JSON. */
#ifndef SMCR_JSON_STRINGS_H
#define SMCR_JSON_STRINGS_H

#include "smc/buf.h"
#include "smc/error.h"

#include <stddef.h>

/* Appends to out what stands in place of a string's content; text is as JSON writes it, escapes included. */
typedef smc_code_t (*smcr_string_fn)(void *ud, const char *text, size_t n, smc_buf_t *out);

/* Appends the JSON text with every string passed through fn; names of fields and all else stay as they are, so that what
 * fn hides can't break the text.  An unfinished string at the end is treated as one.  Errors: fn's; SMC_ENOMEM. */
smc_code_t smcr_map_strings(const char *json, size_t n, smcr_string_fn fn, void *ud,
                            smc_buf_t *out);

#endif /* SMCR_JSON_STRINGS_H */
