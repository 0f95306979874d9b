/* smc/buf.h - a growing byte buffer.
 *
 * Always NUL-terminated behind `len` once it holds anything, so that text can be read as a C string.
 * A zeroed struct is a valid empty buffer.  A failed append leaves the contents as they were and sets `failed`, which
 * stays set: a writer may append many times and check once.
 */
#ifndef SMC_BUF_H
#define SMC_BUF_H

#include "smc/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct smc_buf {
    char *data; /* NULL while nothing was ever reserved */
    size_t len;
    size_t cap;
    bool failed; /* an append ran out of memory */
} smc_buf_t;

/* Frees the bytes and leaves a zeroed, usable struct.  Accepts NULL. */
void smc_buf_deinit(smc_buf_t *b);
/* Keeps the memory, forgets the contents and the failure. */
void smc_buf_clear(smc_buf_t *b);

smc_code_t smc_buf_grow(smc_buf_t *b, size_t more);

/* Makes room for `more` bytes beyond len.  Errors: SMC_ENOMEM. */
static inline smc_code_t smc_buf_reserve(smc_buf_t *b, size_t more)
{
    return b->cap - b->len > more ? SMC_OK : smc_buf_grow(b, more);
}

static inline smc_code_t smc_buf_append(smc_buf_t *b, const void *bytes, size_t n)
{
    if (smc_buf_reserve(b, n) != SMC_OK)
        return SMC_ENOMEM;
    if (n > 0)
        memcpy(b->data + b->len, bytes, n);
    b->len += n;
    b->data[b->len] = '\0';
    return SMC_OK;
}

static inline smc_code_t smc_buf_puts(smc_buf_t *b, const char *text)
{
    return smc_buf_append(b, text, strlen(text));
}

static inline smc_code_t smc_buf_putc(smc_buf_t *b, char c)
{
    return smc_buf_append(b, &c, 1);
}

smc_code_t smc_buf_printf(smc_buf_t *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* In decimal. */
smc_code_t smc_buf_put_int(smc_buf_t *b, int64_t value);
/* Drops the first n bytes (n <= len). */
void smc_buf_consume(smc_buf_t *b, size_t n);
/* Hands the bytes over: the caller frees them with free().  The buffer is empty afterwards.  NULL when empty. */
char *smc_buf_take(smc_buf_t *b, size_t *len);

#endif /* SMC_BUF_H */
