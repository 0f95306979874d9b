#include "smc/text.h"

#include <stdbool.h>
#include <stdint.h>

static const char base64_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int hex_value(char c)
{
    unsigned digit = (unsigned)c - '0', letter = ((unsigned)c | 0x20) - 'a';

    if (digit <= 9)
        return (int)digit;
    return letter <= 5 ? (int)letter + 10 : -1;
}

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+')
        return 62;
    return c == '/' ? 63 : -1;
}

static bool is_unreserved(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

/* Room for n bytes at the end of out, which the caller has checked to be there, or NULL. */
static char *room(smc_buf_t *out, size_t n)
{
    return smc_buf_reserve(out, n) == SMC_OK ? out->data + out->len : NULL;
}

static void close_text(smc_buf_t *out, const char *end)
{
    out->len = (size_t)(end - out->data);
    out->data[out->len] = '\0';
}

/* A decoder writes behind len and moves len only when all was well. */
static smc_code_t refuse(smc_buf_t *out)
{
    out->data[out->len] = '\0';
    return SMC_EPARSE;
}

smc_code_t smc_hex_encode(const void *bytes, size_t n, smc_buf_t *out)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *p = bytes;
    char *to = n > SIZE_MAX / 2 ? NULL : room(out, 2 * n);

    if (to == NULL)
        return SMC_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        *to++ = digits[p[i] >> 4];
        *to++ = digits[p[i] & 15];
    }
    close_text(out, to);
    return SMC_OK;
}

smc_code_t smc_hex_decode(const char *text, size_t n, smc_buf_t *out)
{
    char *to = room(out, n / 2);

    if (to == NULL)
        return SMC_ENOMEM;
    if (n % 2 != 0)
        return refuse(out);
    for (size_t i = 0; i < n; i += 2) {
        int high = hex_value(text[i]);
        int low = hex_value(text[i + 1]);

        if ((high | low) < 0)
            return refuse(out);
        *to++ = (char)(high << 4 | low);
    }
    close_text(out, to);
    return SMC_OK;
}

smc_code_t smc_base64_encode(const void *bytes, size_t n, smc_buf_t *out)
{
    const unsigned char *p = bytes;
    char *to = n > SIZE_MAX / 2 ? NULL : room(out, (n + 2) / 3 * 4);
    size_t i;

    if (to == NULL)
        return SMC_ENOMEM;
    for (i = 0; i + 3 <= n; i += 3) {
        unsigned group = (unsigned)p[i] << 16 | (unsigned)p[i + 1] << 8 | p[i + 2];

        for (int shift = 18; shift >= 0; shift -= 6)
            *to++ = base64_alphabet[group >> shift & 63];
    }
    if (i < n) {
        unsigned group = (unsigned)p[i] << 16 | (i + 1 < n ? (unsigned)p[i + 1] << 8 : 0);

        *to++ = base64_alphabet[group >> 18];
        *to++ = base64_alphabet[group >> 12 & 63];
        *to++ = i + 1 < n ? base64_alphabet[group >> 6 & 63] : '=';
        *to++ = '=';
    }
    close_text(out, to);
    return SMC_OK;
}

smc_code_t smc_base64_decode(const char *text, size_t n, smc_buf_t *out)
{
    char *to = room(out, n / 4 * 3);
    size_t padding = 0;
    unsigned group = 0;

    if (to == NULL)
        return SMC_ENOMEM;
    if (n % 4 != 0)
        return refuse(out);
    if (n > 0 && text[n - 1] == '=')
        padding = text[n - 2] == '=' ? 2 : 1;
    for (size_t i = 0; i < n; i++) {
        int value = i < n - padding ? base64_value(text[i]) : 0;

        if (value < 0)
            return refuse(out);
        group = group << 6 | (unsigned)value;
        if (i % 4 != 3)
            continue;
        *to++ = (char)(group >> 16 & 255);
        *to++ = (char)(group >> 8 & 255);
        *to++ = (char)(group & 255);
    }
    /* What the padding stands for, and the loose bits before it, must be zero. */
    if (group & ((1u << 8 * padding) - 1))
        return refuse(out);
    close_text(out, to - padding);
    return SMC_OK;
}

smc_code_t smc_percent_encode(const void *bytes, size_t n, smc_buf_t *out)
{
    static const char digits[] = "0123456789ABCDEF";
    const unsigned char *p = bytes;
    char *to = n > SIZE_MAX / 3 ? NULL : room(out, 3 * n);

    if (to == NULL)
        return SMC_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        if (is_unreserved(p[i])) {
            *to++ = (char)p[i];
            continue;
        }
        *to++ = '%';
        *to++ = digits[p[i] >> 4];
        *to++ = digits[p[i] & 15];
    }
    close_text(out, to);
    return SMC_OK;
}

/* plus: what a "+" stands for. */
static smc_code_t percent_decode(const char *text, size_t n, char plus, smc_buf_t *out)
{
    char *to = room(out, n);

    if (to == NULL)
        return SMC_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        int high;
        int low;

        if (text[i] != '%') {
            *to++ = text[i] == '+' ? plus : text[i];
            continue;
        }
        high = i + 2 < n ? hex_value(text[i + 1]) : -1;
        low = i + 2 < n ? hex_value(text[i + 2]) : -1;
        if (high < 0 || low < 0)
            return refuse(out);
        *to++ = (char)(high << 4 | low);
        i += 2;
    }
    close_text(out, to);
    return SMC_OK;
}

smc_code_t smc_percent_decode(const char *text, size_t n, smc_buf_t *out)
{
    return percent_decode(text, n, '+', out);
}

smc_code_t smc_form_decode(const char *text, size_t n, smc_buf_t *out)
{
    return percent_decode(text, n, ' ', out);
}
