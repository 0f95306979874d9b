#include "report/pretty_priv.h"
#include "report/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
    PATH_COLUMNS = 56, /* what is wider breaks the column of results */
    FIRST_PROGRESS_US = 250000,
};

static void put_mark(const smcr_pretty_t *p, smcr_status_t status)
{
    switch (status) {
    case SMCR_PASS:
        smcr_put(p, GREEN, "%s", p->utf8 ? "✓" : "ok  ");
        return;
    case SMCR_XFAIL:
        smcr_put(p, YELLOW, "%s", p->utf8 ? "✓" : "ok  ");
        return;
    case SMCR_FLAKY:
        smcr_put(p, YELLOW, "%s", p->utf8 ? "≈" : "flky");
        return;
    case SMCR_FAIL:
        smcr_put(p, RED, "%s", p->utf8 ? "✗" : "FAIL");
        return;
    case SMCR_ERROR:
        smcr_put(p, RED, "%s", p->utf8 ? "✗" : "ERR ");
        return;
    case SMCR_SKIP:
    case SMCR_NONE:
        smcr_put(p, YELLOW, "%s", p->utf8 ? "○" : "skip");
        return;
    }
}

/* ---- the progress line -------------------------------------------------- */

static void hide_progress(smcr_pretty_t *p)
{
    if (p->progress_shown)
        (void)fputs("\r\033[K", p->head.out);
    p->progress_shown = false;
}

static int columns(void)
{
    struct winsize size;
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/* As much of text as fits; never half a character. */
static void put_clipped(const smcr_pretty_t *p, const char *text, int width)
{
    size_t n = 0;
    for (int used = 0; text[n] != '\0' && used < width;) {
        size_t len = smcr_utf8_length(text + n);
        used += (int)smcr_columns(text + n);
        if (len == 0 || (unsigned char)text[n] < 0x20 || used > width)
            break;
        n += len;
    }
    smcr_put_line(p->head.out, text, n);
}

static void on_tick(smcr_reporter_t *r, const smcr_totals_t *t)
{
    smcr_pretty_t *p = (smcr_pretty_t *)r;
    char text[80];
    if (!p->terminal || p->info->options->quiet || t->real_us < FIRST_PROGRESS_US)
        return;
    int n = snprintf(text, sizeof(text), "%zu of %zu files, %zu passed, %zu failed", t->files_ended,
                     p->info->n_files, t->passed, t->failed);
    (void)fputs("\r\033[K", p->head.out);
    smcr_put(p, t->failed > 0 ? RED : BOLD, "%s", text);
    (void)fputs("  ", p->head.out);
    (void)fputs(smcr_esc(p, DIM), p->head.out);
    if (p->running != NULL)
        put_clipped(p, p->running, columns() - n - 3);
    (void)fputs(smcr_esc(p, PLAIN), p->head.out);
    (void)fflush(p->head.out);
    p->progress_shown = true;
}

static void on_live(smcr_reporter_t *r, const smcr_event_t *ev, const smcr_totals_t *t)
{
    smcr_pretty_t *p = (smcr_pretty_t *)r;
    (void)t;
    if (ev->type != SMCR_EV_SPEC_START || !p->terminal)
        return;
    free(p->running);
    p->running = strdup(ev->id);
}

/* ---- files and specs ---------------------------------------------------- */

static void on_start(smcr_reporter_t *r, const smcr_run_info_t *info)
{
    smcr_pretty_t *p = (smcr_pretty_t *)r;
    const smcr_options_t *o = info->options;
    p->info = info;
    p->color = p->color && !o->no_color;
    if (o->quiet)
        return;
    smcr_put(p, BOLD, "smcrun %s", SMC_VERSION);
    smcr_put(p, DIM, "  %s, %s clock, seed %" PRIu64, smcr_target_text(o->target),
             smcr_clock_text(o->clock), o->seed);
    if (o->allow_process && o->clock == SMCR_CLOCK_VIRTUAL)
        smcr_put(p, DIM, " (#process: real clock)");
    if (o->shard.count > 0)
        smcr_put(p, DIM, ", shard %u/%u", o->shard.index, o->shard.count);
    if (o->shuffle)
        smcr_put(p, DIM, ", shuffled");
    if (o->sabotage != SMCR_NO_SABOTAGE)
        smcr_put(p, YELLOW, "  sabotage: %s", smcr_sabotage_text(o->sabotage));
    (void)fputs("\n\n", r->out);
}

static void put_time(const smcr_pretty_t *p, const smcr_event_t *ev)
{
    const smcr_options_t *o = p->info->options;
    bool is_virtual = o->clock == SMCR_CLOCK_VIRTUAL;
    const char *clock = o->allow_process ? " on its clock" : " virtual";
    (void)fprintf(p->head.out, "%s  ", smcr_esc(p, DIM));
    smcr_put_duration(p->head.out,
                      is_virtual ? (double)ev->virtual_ms / 1e3 : (double)ev->real_us / 1e6);
    (void)fputs(is_virtual ? clock : "", p->head.out);
    (void)fputs(smcr_esc(p, PLAIN), p->head.out);
}

/* -v: one line, then all that is known. */
static void put_spec(smcr_pretty_t *p, const smcr_event_t *ev)
{
    FILE *out = p->head.out;
    (void)fputs("  ", out);
    put_mark(p, ev->status);
    (void)fputc(' ', out);
    smcr_put_name(p, ev->id, p->path);
    if ((ev->status == SMCR_SKIP || ev->status == SMCR_XFAIL) && ev->message != NULL) {
        (void)fputs(smcr_esc(p, YELLOW), out);
        (void)fputs("  ", out);
        smcr_put_line(out, ev->message, strcspn(ev->message, "\n"));
        (void)fputs(smcr_esc(p, PLAIN), out);
    } else {
        put_time(p, ev);
    }
    (void)fputc('\n', out);
    if (ev->transcript != NULL)
        smcr_put_quoted(p, ev->transcript);
    if (ev->output != NULL && ev->status == SMCR_PASS) {
        smcr_put(p, DIM, "      printed\n");
        smcr_put_quoted(p, ev->output);
    }
}

static void note_reason(smcr_pretty_t *p, const smcr_event_t *ev)
{
    char *reason = ev->message == NULL ? NULL : strndup(ev->message, strcspn(ev->message, "\n"));
    if (p->reason == NULL && p->skipped == 0) {
        p->reason = reason;
        return;
    }
    if (reason == NULL || p->reason == NULL || strcmp(reason, p->reason) != 0)
        p->reasons_differ = true;
    free(reason);
}

static void count(smcr_pretty_t *p, const smcr_event_t *ev)
{
    if (smcr_event_is_interruption(ev)) {
        p->cut = strcmp(ev->kind, "stopped") == 0 ? "stopped" : "interrupted";
        return;
    }
    p->real_us += ev->real_us;
    p->virtual_ms += ev->virtual_ms;
    if (smcr_event_is_failure(ev)) {
        p->failed++;
        p->n_failures++;
        (void)smcr_event_write(ev, &p->failures);
    } else if (ev->status == SMCR_SKIP) {
        note_reason(p, ev);
        p->skipped++;
    } else {
        p->passed++;
        p->n_xfailed += ev->status == SMCR_XFAIL ? 1 : 0;
        p->n_flaky += ev->status == SMCR_FLAKY ? 1 : 0;
    }
    if (ev->status == SMCR_FLAKY)
        (void)smcr_event_write(ev, &p->flaky);
}

/* "1 flaky, 2 expected to fail", as far as there are any; true when something was written. */
static bool put_doubts(const smcr_pretty_t *p, size_t flaky, size_t xfailed, const char *before)
{
    if (flaky + xfailed == 0)
        return false;
    (void)fputs(before, p->head.out);
    if (flaky > 0)
        smcr_put(p, YELLOW, "%zu flaky%s", flaky, xfailed > 0 ? ", " : "");
    if (xfailed > 0)
        smcr_put(p, YELLOW, "%zu expected to fail", xfailed);
    return true;
}

/* "✓ scenarios/a.lua    3 passed, 1 skipped   12 ms" */
static void put_file(smcr_pretty_t *p)
{
    FILE *out = p->head.out;
    size_t widest = p->info->widest < PATH_COLUMNS ? p->info->widest : PATH_COLUMNS;
    size_t width = p->path == NULL ? 0 : smcr_width(p->path);
    if (p->passed + p->failed + p->skipped == 0 && p->cut == NULL)
        return; /* nothing of it was selected */
    put_mark(p, p->failed > 0                     ? SMCR_FAIL
                : p->n_flaky > 0                  ? SMCR_FLAKY
                : p->passed > 0 && p->cut == NULL ? SMCR_PASS
                                                  : SMCR_SKIP);
    (void)fputc(' ', out);
    smcr_put_line(out, p->path == NULL ? "?" : p->path, p->path == NULL ? 1 : strlen(p->path));
    for (size_t column = width; column < widest + 2 || column < width + 2; column++)
        (void)fputc(' ', out);
    const char *comma = "";
    if (p->failed > 0) {
        smcr_put(p, RED, "%zu failed", p->failed);
        comma = ", ";
    }
    if (p->passed > 0) {
        (void)fprintf(out, "%s%zu passed", comma, p->passed);
        (void)fputs(put_doubts(p, p->n_flaky, p->n_xfailed, " (") ? ")" : "", out);
        comma = ", ";
    }
    if (p->skipped > 0) {
        (void)fputs(comma, out);
        smcr_put(p, YELLOW, "%zu skipped", p->skipped);
        if (p->reason != NULL && !p->reasons_differ) {
            (void)fprintf(out, ": %s", smcr_esc(p, YELLOW));
            smcr_put_line(out, p->reason, strlen(p->reason));
            (void)fputs(smcr_esc(p, PLAIN), out);
        } else if (p->reasons_differ && !p->info->options->verbose) {
            smcr_put(p, YELLOW, ": -v says why");
        }
    }
    if (p->cut != NULL)
        smcr_put(p, YELLOW, "%s%s", p->passed + p->failed + p->skipped > 0 ? ", " : "", p->cut);
    (void)fprintf(out, "%s  ", smcr_esc(p, DIM));
    smcr_put_duration(out, (double)p->real_us / 1e6);
    (void)fprintf(out, "%s\n", smcr_esc(p, PLAIN));
}

static void on_event(smcr_reporter_t *r, const smcr_event_t *ev)
{
    smcr_pretty_t *p = (smcr_pretty_t *)r;
    const smcr_options_t *o = p->info->options;
    hide_progress(p);
    switch (ev->type) {
    case SMCR_EV_FILE_START:
        free(p->path);
        p->path = ev->file == NULL ? NULL : strdup(ev->file);
        p->passed = p->failed = p->skipped = p->n_flaky = p->n_xfailed = 0;
        p->real_us = p->virtual_ms = 0;
        free(p->reason);
        p->reason = NULL;
        p->reasons_differ = false;
        p->cut = NULL;
        break;
    case SMCR_EV_SPEC_END:
        if (o->verbose)
            put_spec(p, ev);
        count(p, ev);
        break;
    case SMCR_EV_FILE_ERROR:
        count(p, ev);
        break;
    case SMCR_EV_FILE_END:
        if (!o->quiet)
            put_file(p);
        (void)fflush(r->out);
        break;
    case SMCR_EV_DECLARED:
    case SMCR_EV_SPEC_START:
    case SMCR_EV_ATTEMPT:
        break;
    }
}

static void on_end(smcr_reporter_t *r, const smcr_totals_t *t)
{
    smcr_pretty_t *p = (smcr_pretty_t *)r;
    FILE *out = r->out;
    hide_progress(p);
    smcr_put_failures(p);
    if (!p->info->options->quiet || p->n_failures + t->flaky > 0)
        (void)fputc('\n', out);
    if (t->signal != 0 || t->stopped)
        smcr_put(p, YELLOW, "%s: %zu of %zu files did not come to their end\n",
                 t->signal != 0 ? "interrupted" : "stopped, enough has failed",
                 p->info->n_files - t->files_ended + t->files_cut, p->info->n_files);
    if (!p->info->options->quiet) {
        size_t n = p->info->n_files - t->modules;
        (void)fprintf(out, "%s%zu %s in ", smcr_esc(p, DIM), n, n == 1 ? "file" : "files");
        smcr_put_duration(out, (double)t->real_us / 1e6);
        if (p->info->options->clock == SMCR_CLOCK_VIRTUAL) {
            (void)fputs("; ", out);
            smcr_put_duration(out, (double)t->virtual_ms / 1e3);
            (void)fputs(" on the clocks of the specs", out);
        }
        (void)fprintf(out, "%s\n", smcr_esc(p, PLAIN));
    }
    if (put_doubts(p, t->flaky, t->xfailed, ""))
        (void)fputc('\n', out);
    smcr_put(p,
             t->failed > 0   ? RED
             : t->passed > 0 ? GREEN
                             : YELLOW,
             "%zu passed, %zu failed, %zu skipped", t->passed, t->failed, t->skipped);
    (void)fputc('\n', out);
}

static void on_free(smcr_reporter_t *r)
{
    smcr_pretty_t *p = (smcr_pretty_t *)r;
    smc_buf_deinit(&p->failures);
    smc_buf_deinit(&p->flaky);
    free(p->path);
    free(p->running);
    free(p->reason);
    free(p);
}

/* A C locale shows no check marks. */
static bool has_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *value = getenv(names[i]);
        if (value != NULL && *value != '\0')
            return strcasestr(value, "utf-8") != NULL || strcasestr(value, "utf8") != NULL;
    }
    return false;
}

smcr_reporter_t *smcr_report_pretty_new(FILE *out, const char *file)
{
    static const smcr_reporter_ops_t ops = {.start = on_start,
                                            .event = on_event,
                                            .live = on_live,
                                            .tick = on_tick,
                                            .end = on_end,
                                            .free = on_free};
    smcr_pretty_t *p = calloc(1, sizeof(*p));
    if (p == NULL)
        return NULL;
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    bool dumb = term == NULL || strcmp(term, "dumb") == 0;
    p->head = (smcr_reporter_t){.ops = &ops, .out = out, .file = file};
    p->terminal = isatty(fileno(out)) == 1 && !dumb;
    p->color = p->terminal && (no_color == NULL || *no_color == '\0');
    p->utf8 = has_utf8();
    return &p->head;
}
