#include "run/stable.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { MAX_KNOWN = 64 }; /* addresses in one text; more keep their last number */

static bool begins_with(const char *text, size_t n, const char *prefix)
{
    size_t len = strlen(prefix);
    return n >= len && memcmp(text, prefix, len) == 0;
}

/* Length of "table: " and the like before an address at text; 0: none. */
static size_t address_prefix(const char *text, size_t n)
{
    static const char *const kinds[] = {"table: 0x", "function: 0x", "userdata: 0x", "thread: 0x",
                                        "function: builtin: 0x"};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (begins_with(text, n, kinds[i]))
            return strlen(kinds[i]);
    return 0;
}

static size_t read_hex(const char *text, size_t n, uint64_t *value)
{
    size_t len = 0;
    *value = 0;
    for (; len < n && len < 16; len++) {
        char c = text[len];
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10)
                                                : 16;
        if (digit == 16)
            break;
        *value = *value << 4 | digit;
    }
    return len;
}

typedef struct known {
    uint64_t addresses[MAX_KNOWN];
    unsigned count;
} known_t;

static unsigned number_of(known_t *k, uint64_t address)
{
    for (unsigned i = 0; i < k->count; i++)
        if (k->addresses[i] == address)
            return i + 1;
    if (k->count < MAX_KNOWN)
        k->addresses[k->count++] = address;
    return k->count;
}

smc_code_t smcr_number_addresses(const char *text, size_t n, smc_buf_t *out)
{
    known_t known = {.count = 0};
    size_t from = 0, at = 0;
    while (at < n) {
        uint64_t address;
        size_t prefix = address_prefix(text + at, n - at);
        size_t digits = prefix == 0 ? 0 : read_hex(text + at + prefix, n - at - prefix, &address);
        if (digits < 4) {
            at++;
            continue;
        }
        at += prefix;
        (void)smc_buf_append(out, text + from, at - 2 - from); /* not the "0x" */
        (void)smc_buf_printf(out, "#%u", number_of(&known, address));
        at += digits;
        from = at;
    }
    if (n > from)
        (void)smc_buf_append(out, text + from, n - from);
    return out->failed ? SMC_ENOMEM : SMC_OK;
}

static bool is_inside_character(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80; /* of UTF-8 */
}

smc_code_t smcr_shorten(const char *text, size_t n, smc_buf_t *out)
{
    size_t head = SMCR_MESSAGE_MAX / 2, tail = n - SMCR_MESSAGE_MAX / 2;
    if (n <= SMCR_MESSAGE_MAX)
        return smc_buf_append(out, text, n);
    while (head > 0 && is_inside_character(text[head]))
        head--;
    while (tail < n && is_inside_character(text[tail]))
        tail++;
    (void)smc_buf_append(out, text, head);
    (void)smc_buf_printf(out, "\n.. %zu bytes are left out ..\n", tail - head);
    (void)smc_buf_append(out, text + tail, n - tail);
    return out->failed ? SMC_ENOMEM : SMC_OK;
}

static bool is_ours(const char *line, size_t n)
{
    static const char *const prefixes[] = {
        "\t[C]:", "\tsmc/", "\tsmc.lua:", "\tluassert/", "\tsay/", "\t(...tail calls...)"};
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
        if (begins_with(line, n, prefixes[i]))
            return true;
    return false;
}

smc_code_t smcr_trim_traceback(const char *text, size_t n, smc_buf_t *out)
{
    size_t start = out->len, header = SIZE_MAX, behind_header = 0;
    while (n > 0) {
        const char *newline = memchr(text, '\n', n);
        size_t len = newline == NULL ? n : (size_t)(newline - text) + 1;
        bool blank = len == 1 && newline != NULL && out->len == start;
        bool is_header = begins_with(text, len, "stack traceback:");
        if (is_header)
            header = out->len;
        if (!blank && !is_ours(text, len))
            (void)smc_buf_append(out, text, len);
        if (is_header)
            behind_header = out->len;
        text += len;
        n -= len;
    }
    if (header != SIZE_MAX && out->len == behind_header && !out->failed)
        out->len = header; /* a header over nothing */
    while (!out->failed && out->len > start && out->data[out->len - 1] == '\n')
        out->len--;
    if (!out->failed && out->data != NULL)
        out->data[out->len] = '\0';
    return out->failed ? SMC_ENOMEM : SMC_OK;
}
