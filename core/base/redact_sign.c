/* Signatures: what a secret has made is nobody's business either, and there are too many of them to remember. */
#include "redact_priv.h"

#include <ctype.h>
#include <string.h>

enum {
    HMAC_DIGITS = 64, /* of an HMAC-SHA256 in hex */
    LEAST = 16        /* shorter ones are words of a sentence */
};
static const char mask[] = "***";

/* Where the next one begins.  Returns its length; 0: there is none. */
typedef size_t (*next_fn)(const char *text, size_t n, size_t *begin);

static bool is_hex(char c)
{
    return isxdigit((unsigned char)c) != 0;
}

/* Hex or base64, percent-encoded or not. */
static bool is_signature(char c)
{
    return isalnum((unsigned char)c) || (c != '\0' && strchr("+/=%_-", c) != NULL);
}

/* The value of `signature=VALUE` or `"signature":"VALUE"`. */
static size_t next_named(const char *text, size_t n, size_t *begin)
{
    static const char name[] = "signature";
    size_t at = 0;
    const char *found;
    while ((found = memmem(text + at, n - at, name, sizeof(name) - 1)) != NULL) {
        bool told = false;
        at = (size_t)(found - text) + sizeof(name) - 1;
        for (; at < n && text[at] != '\0' && strchr("\"\\ :=", text[at]) != NULL; at++)
            told = told || text[at] == ':' || text[at] == '=';
        *begin = at;
        while (at < n && is_signature(text[at]))
            at++;
        if (told && at - *begin >= LEAST)
            return at - *begin;
    }
    return 0;
}

/* 64 digits, no more and no less.  Few texts have so many in a row: every 64th byte is enough to look
 * at. */
static size_t next_hmac(const char *text, size_t n, size_t *begin)
{
    size_t end = 0;
    for (size_t at = HMAC_DIGITS - 1; at < n; at = end + HMAC_DIGITS) {
        size_t first = at + 1;
        while (first > end && is_hex(text[first - 1]))
            first--;
        for (end = at; end < n && is_hex(text[end]); end++)
            ;
        *begin = first;
        if (end == first + HMAC_DIGITS)
            return HMAC_DIGITS;
    }
    return 0;
}

/* What is shorter takes the place of what was longer. */
static size_t hide(char *text, size_t n, next_fn next)
{
    size_t done = 0, kept = 0, begin = 0, length;
    while ((length = next(text + done, n - done, &begin)) > 0) {
        memmove(text + kept, text + done, begin);
        memcpy(text + kept + begin, mask, sizeof(mask) - 1);
        kept += begin + sizeof(mask) - 1;
        done += begin + length;
    }
    memmove(text + kept, text + done, n - done);
    return kept + n - done;
}

size_t redact_signatures(char *text, size_t n)
{
    return hide(text, hide(text, n, next_named), next_hmac);
}
