#include "smc/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void smc_buf_deinit(smc_buf_t *b)
{
    if (b == NULL)
        return;
    free(b->data);
    *b = (smc_buf_t){0};
}

void smc_buf_clear(smc_buf_t *b)
{
    b->len = 0;
    b->failed = false;
    if (b->data != NULL)
        b->data[0] = '\0';
}

/* What smc_buf_reserve does when there is no room yet. */
smc_code_t smc_buf_grow(smc_buf_t *b, size_t more)
{
    size_t cap = b->cap == 0 ? 256 : b->cap;
    char *data;

    if (more >= SIZE_MAX / 4 - b->len) {
        b->failed = true;
        return SMC_ENOMEM;
    }
    while (cap - b->len <= more)
        cap *= 2;
    data = realloc(b->data, cap);
    if (data == NULL) {
        b->failed = true;
        return SMC_ENOMEM;
    }
    b->data = data;
    b->cap = cap;
    b->data[b->len] = '\0';
    return SMC_OK;
}

smc_code_t smc_buf_printf(smc_buf_t *b, const char *fmt, ...)
{
    size_t room = b->cap - b->len;
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(room == 0 ? NULL : b->data + b->len, room, fmt, ap);
    va_end(ap);
    if (n < 0 || smc_buf_reserve(b, (size_t)n) != SMC_OK) {
        if (room > 0)
            b->data[b->len] = '\0';
        b->failed = true;
        return SMC_ENOMEM;
    }
    if ((size_t)n >= room) {
        va_start(ap, fmt);
        (void)vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
        va_end(ap);
    }
    b->len += (size_t)n;
    return SMC_OK;
}

smc_code_t smc_buf_put_int(smc_buf_t *b, int64_t value)
{
    char text[20]; /* room for any */
    char *p = text + sizeof(text);
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

    do {
        *--p = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (value < 0)
        *--p = '-';
    return smc_buf_append(b, p, (size_t)(text + sizeof(text) - p));
}

void smc_buf_consume(smc_buf_t *b, size_t n)
{
    assert(n <= b->len);
    if (n == 0)
        return;
    memmove(b->data, b->data + n, b->len - n);
    b->len -= n;
    b->data[b->len] = '\0';
}

char *smc_buf_take(smc_buf_t *b, size_t *len)
{
    char *data = b->data;

    if (len != NULL)
        *len = b->len;
    *b = (smc_buf_t){0};
    return data;
}
