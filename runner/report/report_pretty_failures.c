#include "report/pretty_priv.h"
#include "report/repeat.h"
#include "report/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

enum {
    TRANSCRIPT_LINES = 15,
    OUTPUT_LINES = 15,
    CRASH_LINES = 100,
};

const char *smcr_esc(const smcr_pretty_t *p, smcr_style_t style)
{
    static const char *const codes[STYLE_COUNT] = {
        [PLAIN] = "\033[0m",   [GREEN] = "\033[32m", [RED] = "\033[31m",
        [YELLOW] = "\033[33m", [DIM] = "\033[2m",    [BOLD] = "\033[1m"};
    return p->color ? codes[style] : "";
}

void smcr_put(const smcr_pretty_t *p, smcr_style_t style, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    if (style != PLAIN)
        (void)fputs(smcr_esc(p, style), p->head.out);
    (void)vfprintf(p->head.out, fmt, args);
    if (style != PLAIN)
        (void)fputs(smcr_esc(p, PLAIN), p->head.out);
    va_end(args);
}

void smcr_put_name(const smcr_pretty_t *p, const char *id, const char *path)
{
    size_t n = path == NULL ? 0 : strlen(path);
    if (n > 0 && strncmp(id, path, n) == 0 && strncmp(id + n, "::", 2) == 0)
        id += n + 2;
    while (*id != '\0') {
        const char *colons = strstr(id, "::");
        size_t len = colons == NULL ? strlen(id) : (size_t)(colons - id);
        smcr_put_line(p->head.out, id, len);
        if (colons != NULL)
            (void)fputs(p->utf8 ? " › " : " > ", p->head.out);
        id += colons == NULL ? len : len + 2;
    }
}

void smcr_put_quoted(const smcr_pretty_t *p, const char *text)
{
    char indent[32];
    (void)snprintf(indent, sizeof(indent), "      %s%s%s ", smcr_esc(p, DIM), p->utf8 ? "│" : "|",
                   smcr_esc(p, PLAIN));
    smcr_put_lines(p->head.out, indent, text);
}

static void put_tail(const smcr_pretty_t *p, const char *title, const char *text, size_t max)
{
    size_t left_out;
    if (text == NULL || *text == '\0')
        return;
    const char *tail = smcr_last_lines(text, max, &left_out);
    smcr_put(p, DIM, "\n    %s", title);
    if (left_out > 0)
        smcr_put(p, DIM, ", without its first %zu lines", left_out);
    (void)fputc('\n', p->head.out);
    smcr_put_quoted(p, tail);
}

static void put_place(const smcr_pretty_t *p, const smcr_event_t *ev)
{
    (void)fputs("    ", p->head.out);
    bool flaky = ev->status == SMCR_FLAKY;
    smcr_put(p, flaky ? YELLOW : RED, "%s",
             flaky                     ? "flaky"
             : ev->status == SMCR_FAIL ? "failed"
                                       : "error");
    if (ev->kind != NULL && strcmp(ev->kind, "error") != 0) {
        (void)fputs(": ", p->head.out);
        smcr_put_line(p->head.out, ev->kind, strlen(ev->kind));
    }
    if (ev->file != NULL) {
        (void)fputs(" at ", p->head.out);
        smcr_put_line(p->head.out, ev->file, strlen(ev->file));
        if (ev->line > 0)
            (void)fprintf(p->head.out, ":%" PRId64, ev->line);
    }
    (void)fputs("\n", p->head.out);
}

static void put_failure(const smcr_pretty_t *p, const smcr_event_t *ev, size_t number)
{
    FILE *out = p->head.out;
    const char *what = ev->id != NULL ? ev->id : "?";
    (void)fputc('\n', out);
    smcr_put(p, ev->status == SMCR_FLAKY ? YELLOW : RED, "%zu) ", number);
    (void)fputs(smcr_esc(p, BOLD), out);
    smcr_put_name(p, what, NULL);
    (void)fputs(smcr_esc(p, PLAIN), out);
    (void)fputc('\n', out);
    put_place(p, ev);
    if (ev->message != NULL && *ev->message != '\0') {
        (void)fputc('\n', out);
        smcr_put_lines(out, "    ", ev->message);
    }
    if (ev->status != SMCR_FAIL && ev->traceback != NULL && *ev->traceback != '\0') {
        (void)fputs(smcr_esc(p, DIM), out);
        (void)fputc('\n', out);
        smcr_put_lines(out, "    ", ev->traceback);
        (void)fputs(smcr_esc(p, PLAIN), out);
    }
    put_tail(p, "its transcript", ev->transcript, TRANSCRIPT_LINES);
    bool crashed = ev->kind != NULL && strcmp(ev->kind, "crash") == 0; /* then it is the evidence */
    put_tail(p, "what it printed", ev->output, crashed ? CRASH_LINES : OUTPUT_LINES);
    smcr_put(p, DIM, "\n    again: ");
    smcr_put_repeat(out, p->info->options, ev);
    (void)fputc('\n', out);
}

/* Returns the number of the last one. */
static size_t put_kept(const smcr_pretty_t *p, const smc_buf_t *kept, size_t number)
{
    size_t at = 0, used;
    while (at < kept->len) {
        smcr_event_t ev = {0};
        if (smcr_event_read(kept->data + at, kept->len - at, &ev, &used) != SMC_OK || used == 0)
            break;
        put_failure(p, &ev, ++number);
        smcr_event_deinit(&ev);
        at += used;
    }
    return number;
}

void smcr_put_failures(const smcr_pretty_t *p)
{
    size_t number = put_kept(p, &p->failures, 0);
    if (number < p->n_failures)
        smcr_put(p, RED, "\n%zu more failures could not be kept: no memory\n",
                 p->n_failures - number);
    (void)put_kept(p, &p->flaky, number);
}
