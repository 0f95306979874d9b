#include "smc/log.h"

#include "redact_priv.h"
#include "smc/clock.h"
#include "smc/secret.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WHO_MAX = 15, PEM_LINE_MIN = 16 };

struct smc_log {
    redact_t secrets;
    smc_buf_t text;
    size_t start;   /* where the oldest kept line begins in text */
    bool is_behind; /* there are lines from before some secret was known */
    size_t keep_bytes;
    int64_t since_ns;
    smc_log_copy_t *copy; /* NULL: none */
    size_t copy_size;
};

smc_code_t smc_log_new(size_t keep_bytes, smc_log_t **out, smc_error_t *err)
{
    smc_log_t *log = calloc(1, sizeof(*log));

    if (log == NULL)
        return smc_fail(err, SMC_ENOMEM, "log.new", 0, "out of memory");
    log->keep_bytes = keep_bytes;
    log->since_ns = smc_clock_now_ns();
    *out = log;
    return SMC_OK;
}

void smc_log_free(smc_log_t *log)
{
    if (log == NULL)
        return;
    redact_deinit(&log->secrets);
    smc_buf_deinit(&log->text);
    free(log);
}

/* Transcripts show requests with their line ends escaped or gone, where the whole of a PEM key no longer matches. */
static smc_code_t hide_lines(smc_log_t *log, const char *text, size_t n, smc_error_t *err)
{
    while (n > 0) {
        const char *end = memchr(text, '\n', n);
        size_t line = end == NULL ? n : (size_t)(end - text);
        size_t shown = line > 0 && text[line - 1] == '\r' ? line - 1 : line;

        if (shown >= PEM_LINE_MIN && strncmp(text, "-----", 5) != 0) {
            smc_code_t code = redact_add(&log->secrets, text, shown, err);

            if (code != SMC_OK)
                return code;
        }
        if (end == NULL)
            break;
        text += line + 1;
        n -= line + 1;
    }
    return SMC_OK;
}

smc_code_t smc_log_hide(smc_log_t *log, const void *secret, size_t n, smc_error_t *err)
{
    const redact_entry_t *known = log->secrets.entries;
    smc_code_t code;

    if (n < SMC_LOG_SECRET_MIN)
        return smc_fail(err, SMC_EINVAL, "log.hide", 0,
                        "a secret must have at least %d bytes, this one has %zu",
                        SMC_LOG_SECRET_MIN, n);
    code = redact_add(&log->secrets, secret, n, err);
    if (code == SMC_OK && memchr(secret, '\n', n) != NULL)
        code = hide_lines(log, secret, n, err);
    if (log->secrets.entries != known && log->text.len > log->start)
        log->is_behind = true;
    return code;
}

smc_code_t smc_log_redact(const smc_log_t *log, const char *text, size_t n, smc_buf_t *out)
{
    return redact_text(&log->secrets, text, n, out);
}

/* ---- the copy ------------------------------------------------------------------------------- */

void smc_log_share(smc_log_t *log, smc_log_copy_t *copy, size_t size)
{
    log->copy = copy;
    log->copy_size = size;
    if (copy != NULL)
        __atomic_store_n(&copy->written, 0, __ATOMIC_RELEASE);
}

/* Bytes first, then their number: what a process that dies in between has written does not count. */
static void put_copy(const smc_log_t *log, const char *line, size_t n)
{
    smc_log_copy_t *copy = log->copy;
    uint64_t at = copy->written;

    for (size_t done = 0; done < n;) {
        size_t place = (size_t)((at + done) % log->copy_size);
        size_t room = log->copy_size - place;
        size_t part = n - done < room ? n - done : room;

        memcpy(copy->text + place, line + done, part);
        done += part;
    }
    __atomic_store_n(&copy->written, at + n, __ATOMIC_RELEASE);
}

smc_code_t smc_log_copied(const smc_log_copy_t *copy, size_t size, smc_buf_t *out)
{
    uint64_t written = __atomic_load_n(&copy->written, __ATOMIC_ACQUIRE);
    bool whole = written <= size;
    size_t oldest = whole ? 0 : (size_t)(written % size);
    const char *end = whole ? NULL : memchr(copy->text + oldest, '\n', size - oldest);

    if (whole)
        return smc_buf_append(out, copy->text, (size_t)written);
    if (end != NULL) { /* behind the rest of a line that was overwritten */
        oldest = (size_t)(end - copy->text) + 1;
        if (smc_buf_append(out, copy->text + oldest, size - oldest) != SMC_OK)
            return SMC_ENOMEM;
        return smc_buf_append(out, copy->text, (size_t)(written % size));
    }
    end = memchr(copy->text, '\n', (size_t)(written % size));
    oldest = end == NULL ? (size_t)(written % size) : (size_t)(end - copy->text) + 1;
    return smc_buf_append(out, copy->text + oldest, (size_t)(written % size) - oldest);
}

/* ---- lines ---------------------------------------------------------------------------------- */

/* Length of the UTF-8 sequence at p, 0 when there is none: overlong forms, surrogates and what lies beyond U+10FFFF
 * do not count. */
static size_t utf8_length(const unsigned char *p, size_t n)
{
    size_t len = p[0] < 0xC2 ? 0 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : p[0] < 0xF5 ? 4 : 0;

    if (len == 0 || len > n)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    if ((p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F) ||
        (p[0] == 0xF0 && p[1] < 0x90) || (p[0] == 0xF4 && p[1] > 0x8F))
        return 0;
    return len;
}

static bool is_printable_ascii(unsigned char c)
{
    return c >= 0x20 && c < 0x7F;
}

/* How many of them stand here in a row: in most texts, all. */
static size_t ascii_length(const unsigned char *p, size_t n)
{
    size_t len = 0;

    while (len < n && is_printable_ascii(p[len]))
        len++;
    return len;
}

static size_t printable_length(const unsigned char *p, size_t n)
{
    if (p[0] < 0x80)
        return is_printable_ascii(p[0]);
    if (p[0] == 0xC2 && n >= 2 && p[1] < 0xA0) /* the C1 controls: some terminals obey them */
        return 0;
    return utf8_length(p, n);
}

static void put_printable(smc_buf_t *out, const char *text, size_t n)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t done = 0;
    size_t i = 0;

    while ((i += ascii_length(p + i, n - i)) < n) {
        size_t len = printable_length(p + i, n - i);

        if (len > 0) {
            i += len;
            continue;
        }
        (void)smc_buf_append(out, text + done, i - done);
        (void)smc_buf_printf(out, "\\x%02X", p[i]);
        done = ++i;
    }
    (void)smc_buf_append(out, text + done, n - done);
}

/* Like "%5lld.%03lld ", which would be a third of what a short line costs. */
static void put_time(smc_buf_t *out, int64_t ms)
{
    int64_t seconds = ms / 1000, rest = ms % 1000;

    for (int64_t width = 10000; width > 1 && seconds < width; width /= 10)
        (void)smc_buf_putc(out, ' ');
    (void)smc_buf_put_int(out, seconds);
    (void)smc_buf_puts(out, rest < 10 ? ".00" : rest < 100 ? ".0" : ".");
    (void)smc_buf_put_int(out, rest);
    (void)smc_buf_putc(out, ' ');
}

/* Where to cut text of n bytes so that no character is split. */
static size_t cut_at(const char *text, size_t n, size_t max_bytes)
{
    if (n <= max_bytes)
        return n;
    while (max_bytes > 0 && ((unsigned char)text[max_bytes] & 0xC0) == 0x80)
        max_bytes--;
    return max_bytes;
}

/* Old lines are given up at once, but moved out of the buffer only when they fill half of it. */
static void drop_old_lines(smc_log_t *log, size_t newest)
{
    while (log->start < newest && log->text.len - log->start > log->keep_bytes) {
        const char *from = log->text.data + log->start;
        const char *end = memchr(from, '\n', log->text.len - log->start);

        log->start += (size_t)(end - from) + 1;
    }
    if (log->start > log->text.len / 2) {
        smc_buf_consume(&log->text, log->start);
        log->start = 0;
    }
}

void smc_log_text(smc_log_t *log, const char *who, const char *text, size_t n, size_t max_bytes)
{
    smc_buf_t clean = {0};
    size_t newest = log->text.len;
    int64_t ms = (smc_clock_now_ns() - log->since_ns) / 1000000;

    (void)smc_log_redact(log, text, n, &clean);
    if (clean.failed)
        goto out;
    put_time(&log->text, ms);
    put_printable(&log->text, who, strnlen(who, WHO_MAX));
    (void)smc_buf_append(&log->text, "  ", 2);
    put_printable(&log->text, clean.data == NULL ? "" : clean.data,
                  cut_at(clean.data, clean.len, max_bytes));
    if (clean.len > max_bytes)
        (void)smc_buf_printf(&log->text, "... (%zu bytes)", n);
    (void)smc_buf_putc(&log->text, '\n');
    if (log->text.failed) { /* half a line is worse than none */
        log->text.failed = false;
        log->text.len = newest;
        if (log->text.data != NULL)
            log->text.data[newest] = '\0';
        goto out;
    }
    if (log->copy != NULL)
        put_copy(log, log->text.data + newest, log->text.len - newest);
    drop_old_lines(log, newest);
out:
    smc_buf_deinit(&clean);
}

void smc_log_line(smc_log_t *log, const char *who, const char *fmt, ...)
{
    char *text = NULL;
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (n < 0)
        return;
    smc_log_text(log, who, text, (size_t)n, SIZE_MAX);
    smc_wipe(text, (size_t)n); /* it was not redacted yet */
    free(text);
}

/* Without the memory for it nothing is kept: a secret must not show. */
static void catch_up(smc_log_t *log)
{
    smc_buf_t clean = {0};

    (void)smc_log_redact(log, log->text.data + log->start, log->text.len - log->start, &clean);
    smc_buf_deinit(&log->text);
    log->text = clean;
    log->start = 0;
    log->is_behind = false;
}

const char *smc_log_contents(smc_log_t *log, size_t *n)
{
    if (log->is_behind)
        catch_up(log);
    if (n != NULL)
        *n = log->text.len - log->start;
    return log->text.data == NULL ? "" : log->text.data + log->start;
}

void smc_log_clear(smc_log_t *log)
{
    smc_buf_clear(&log->text);
    log->start = 0;
    log->is_behind = false;
    log->since_ns = smc_clock_now_ns();
    smc_log_share(log, log->copy, log->copy_size);
}
