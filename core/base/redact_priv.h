/* The half of the log that knows secrets: finds them in a text and replaces them. */
#ifndef SMC_REDACT_PRIV_H
#define SMC_REDACT_PRIV_H

#include "smc/buf.h"
#include "smc/error.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct redact_needle redact_needle_t;
typedef struct redact_entry redact_entry_t;

/* A zeroed struct knows no secret. */
typedef struct redact {
    redact_entry_t *entries;      /* one for each secret */
    redact_needle_t *heads[256];  /* needles by their first byte in lower case */
    unsigned char starts[0x2000]; /* bit set of the pairs of bytes that a secret can start with */
} redact_t;

void redact_deinit(redact_t *r);
/* n >= 4.  Adding one twice counts once.  Errors: SMC_ENOMEM. */
smc_code_t redact_add(redact_t *r, const void *secret, size_t n, smc_error_t *err);
/* Appends text with every secret as "***", and every signature when there are secrets.  Errors: SMC_ENOMEM. */
smc_code_t redact_text(const redact_t *r, const char *text, size_t n, smc_buf_t *out);

/* Writes "***" over what `signature` announces, and over 64 hex digits in a row.  Returns the text's new length. */
size_t redact_signatures(char *text, size_t n);

#endif /* SMC_REDACT_PRIV_H */
