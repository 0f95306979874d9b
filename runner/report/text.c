#include "report/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

size_t smcr_utf8_length(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t n = s[0] < 0x80   ? 1
               : s[0] < 0xC2 ? 0
               : s[0] < 0xE0 ? 2
               : s[0] < 0xF0 ? 3
               : s[0] < 0xF5 ? 4
                             : 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xC0) != 0x80)
            return 0;
    if (n == 3 && ((s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] > 0x9F)))
        return 0; /* overlong, surrogate */
    if (n == 4 && ((s[0] == 0xF0 && s[1] < 0x90) || (s[0] == 0xF4 && s[1] > 0x8F)))
        return 0; /* overlong, beyond Unicode */
    return n;
}

/* Length of the character at text, 0 when it is a control character, C1 too, or is not UTF-8. */
static size_t shown_length(const char *text)
{
    unsigned char c = (unsigned char)text[0];
    size_t len = smcr_utf8_length(text);
    bool c1 = c == 0xC2 && len == 2 && (unsigned char)text[1] < 0xA0;
    return c1 || (c < 0x20 && c != '\t') || c == 0x7F ? 0 : len;
}

void smcr_put_line(FILE *out, const char *text, size_t n)
{
    for (size_t i = 0; i < n;) {
        size_t len = shown_length(text + i);
        if (len == 0 || len > n - i) {
            (void)fprintf(out, "\\x%02X", (unsigned char)text[i]);
            i++;
        } else {
            (void)fwrite(text + i, 1, len, out);
            i += len;
        }
    }
}

void smcr_put_lines(FILE *out, const char *indent, const char *text)
{
    bool bar = indent[strspn(indent, " ")] != '\0'; /* which also goes before empty lines */
    while (*text != '\0') {
        size_t n = strcspn(text, "\n");
        size_t shown = n > 0 && text[n - 1] == '\r' ? n - 1 : n;
        if (shown > 0 || bar)
            (void)fputs(indent, out);
        smcr_put_line(out, text, shown);
        (void)fputc('\n', out);
        text += text[n] == '\n' ? n + 1 : n;
    }
}

const char *smcr_last_lines(const char *text, size_t max, size_t *left_out)
{
    size_t n = strlen(text), lines = 0;
    if (n > 0 && text[n - 1] == '\n')
        n--;
    const char *start = text;
    *left_out = 0;
    for (size_t i = n; i > 0; i--) {
        if (text[i - 1] != '\n')
            continue;
        if (++lines == max)
            start = text + i;
        *left_out += lines >= max ? 1 : 0;
    }
    return start;
}

void smcr_put_json(FILE *out, const char *text)
{
    if (text == NULL) {
        (void)fputs("null", out);
        return;
    }
    (void)fputc('"', out);
    while (*text != '\0') {
        unsigned char c = (unsigned char)*text;
        size_t n = smcr_utf8_length(text);
        if (c == '"' || c == '\\')
            (void)fprintf(out, "\\%c", c);
        else if (c == '\n')
            (void)fputs("\\n", out);
        else if (c < 0x20 || c == 0x7F)
            (void)fprintf(out, "\\u%04x", c);
        else if (n == 0)
            (void)fputs("\\ufffd", out);
        else
            (void)fwrite(text, 1, n, out);
        text += n == 0 ? 1 : n;
    }
    (void)fputc('"', out);
}

void smcr_put_json_list(FILE *out, const char *list)
{
    (void)fputc('[', out);
    for (size_t n; list != NULL && *list != '\0'; list += list[n] == ',' ? n + 1 : n) {
        n = strcspn(list, ",");
        char *name = strndup(list, n);
        smcr_put_json(out, name);
        free(name);
        if (list[n] == ',')
            (void)fputc(',', out);
    }
    (void)fputc(']', out);
}

/* U+FFFE and U+FFFF are UTF-8, but not XML. */
static bool is_xml(const char *c, size_t n)
{
    return n > 0 && ((unsigned char)*c >= 0x20 || *c == '\t' || *c == '\n') &&
           (n != 3 || (memcmp(c, "\xEF\xBF\xBE", 3) != 0 && memcmp(c, "\xEF\xBF\xBF", 3) != 0));
}

void smcr_put_xml(FILE *out, const char *text)
{
    while (*text != '\0') {
        size_t n = smcr_utf8_length(text);
        const char *entity = *text == '&'    ? "&amp;"
                             : *text == '<'  ? "&lt;"
                             : *text == '>'  ? "&gt;"
                             : *text == '"'  ? "&quot;"
                             : *text == '\n' ? "&#10;"
                             : *text == '\t' ? "&#9;"
                                             : NULL;
        if (entity != NULL)
            (void)fputs(entity, out);
        else if (is_xml(text, n))
            (void)fwrite(text, 1, n, out);
        else
            (void)fprintf(out, "\\x%02X", (unsigned char)*text);
        text += entity == NULL && is_xml(text, n) ? n : 1;
    }
}

void smcr_put_shell(FILE *out, const char *text)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./:=,+@%";
    if (*text != '\0' && text[strspn(text, plain)] == '\0') {
        (void)fputs(text, out);
        return;
    }
    bool all = true; /* can it all be shown as it is? */
    for (size_t i = 0, n; text[i] != '\0' && all; i += n)
        all = (n = shown_length(text + i)) > 0;
    (void)fputs(all ? "'" : "$'", out);
    for (size_t n; *text != '\0'; text += n == 0 ? 1 : n) {
        n = shown_length(text);
        if (n == 0)
            (void)fprintf(out, "\\%03o", (unsigned char)*text);
        else if (*text == '\'')
            (void)fputs(all ? "'\\''" : "\\'", out);
        else if (*text == '\\' && !all)
            (void)fputs("\\\\", out);
        else
            (void)fwrite(text, 1, n, out);
    }
    (void)fputc('\'', out);
}

void smcr_put_duration(FILE *out, double seconds)
{
    if (seconds < 0.9995)
        (void)fprintf(out, "%.0f ms", seconds * 1e3);
    else if (seconds < 59.995)
        (void)fprintf(out, "%.2f s", seconds);
    else if (seconds < 3599.5)
        (void)fprintf(out, "%d min %02d s", (int)(seconds + 0.5) / 60, (int)(seconds + 0.5) % 60);
    else
        (void)fprintf(out, "%lld h %02lld min", (long long)(seconds / 60 + 0.5) / 60,
                      (long long)(seconds / 60 + 0.5) % 60);
}

/* The code point at text, n bytes of UTF-8. */
static uint32_t code_point(const char *text, size_t n)
{
    uint32_t c = (unsigned char)text[0];
    if (n > 1)
        c &= 0x7FU >> n;
    for (size_t i = 1; i < n; i++)
        c = c << 6 | ((unsigned char)text[i] & 0x3F);
    return c;
}

size_t smcr_columns(const char *text)
{
    static const struct {
        uint32_t first, last;
        size_t columns;
    } table[] = {
        {0x0300, 0x036F, 0},   /* accents that are put upon the letter before */
        {0x1100, 0x115F, 2},   /* Hangul */
        {0x200B, 0x200F, 0},   /* marks without a width */
        {0x2E80, 0xA4CF, 2},   /* Chinese and Japanese */
        {0xAC00, 0xD7A3, 2},   /* Hangul */
        {0xF900, 0xFAFF, 2},   /* Chinese */
        {0xFE00, 0xFE0F, 0},   /* variants of the character before */
        {0xFE30, 0xFE6F, 2},   /* Chinese punctuation */
        {0xFF00, 0xFF60, 2},   /* full width */
        {0xFFE0, 0xFFE6, 2},   /* full width */
        {0x1F300, 0x1F64F, 2}, /* pictures */
        {0x1F900, 0x1F9FF, 2}, /* pictures */
        {0x20000, 0x3FFFD, 2}, /* Chinese */
    };
    size_t n = smcr_utf8_length(text);
    uint32_t c = n == 0 ? 0 : code_point(text, n);
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (table[i].first <= c && c <= table[i].last)
            return table[i].columns;
    return 1;
}

size_t smcr_width(const char *text)
{
    size_t width = 0, n = 0;
    for (; *text != '\0'; text += n == 0 ? 1 : n) {
        n = smcr_utf8_length(text);
        width += smcr_columns(text);
    }
    return width;
}
