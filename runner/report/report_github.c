/* GitHub Actions: every failure as an annotation at its line, what is flaky as a warning, and the totals in the job's summary.  Annotations are lines
 * of standard output that the service takes out, so this report shares it with another:
 * https://docs.github.com/actions/reference/workflow-commands-for-github-actions */
#include "report/report.h"
#include "report/text.h"

#include <stdlib.h>
#include <string.h>

enum { SUMMARY_ROWS = 50 };

typedef struct github {
    smcr_reporter_t head;
    char *failed; /* rows of a Markdown table; what is flaky, too */
    size_t len, n;
    FILE *rows;
} github_t;

/* A value of a workflow command: % and line ends are escaped, in a property also : and , */
static void put_value(FILE *out, const char *text, bool property)
{
    while (*text != '\0') {
        size_t n = strcspn(text, property ? "%\r\n:," : "%\r\n");
        smcr_put_line(out, text, n);
        text += n;
        if (*text != '\0')
            (void)fprintf(out, "%%%02X", (unsigned char)*text++);
    }
}

/* A cell of a Markdown table, in one line. */
static void put_cell(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (strchr("|\\<>*_`[]#&", *text) != NULL)
            (void)fprintf(out, "&#%d;", *text);
        else
            (void)fputc(*text == '\n' || *text == '\r' ? ' ' : *text, out);
    }
}

static void on_start(smcr_reporter_t *r, const smcr_run_info_t *info)
{
    github_t *g = (github_t *)r;
    (void)info;
    g->rows = open_memstream(&g->failed, &g->len);
    r->failed = g->rows == NULL;
}

static void on_event(smcr_reporter_t *r, const smcr_event_t *ev)
{
    github_t *g = (github_t *)r;
    bool flaky = ev->type == SMCR_EV_SPEC_END && ev->status == SMCR_FLAKY;
    if (!flaky && !smcr_event_is_failure(ev))
        return;
    const char *id = ev->id == NULL ? "?" : ev->id,
               *message = ev->message == NULL ? "" : ev->message;
    (void)fputs(flaky ? "::warning " : "::error ", r->out);
    if (ev->file != NULL) {
        (void)fputs("file=", r->out);
        put_value(r->out, ev->file, true);
        (void)fprintf(r->out, ",line=%lld,", (long long)(ev->line > 0 ? ev->line : 1));
    }
    (void)fputs("title=", r->out);
    put_value(r->out, id, true);
    (void)fputs("::", r->out);
    put_value(r->out, message, false);
    (void)fputc('\n', r->out);
    if (g->rows == NULL || g->n++ >= SUMMARY_ROWS)
        return;
    (void)fputs("| ", g->rows);
    put_cell(g->rows, id);
    (void)fputs(" | ", g->rows);
    put_cell(g->rows, message);
    (void)fputs(" |\n", g->rows);
}

static void put_summary(github_t *g, FILE *out, const smcr_totals_t *t)
{
    (void)fprintf(out, "### smcrun: %zu passed, %zu failed, %zu skipped%s\n\n", t->passed,
                  t->failed, t->skipped,
                  t->signal != 0 ? " (interrupted)"
                  : t->stopped   ? " (stopped: enough has failed)"
                                 : "");
    if (t->flaky + t->xfailed > 0)
        (void)fprintf(out, "%zu flaky, %zu expected to fail\n\n", t->flaky, t->xfailed);
    if (g->n == 0 || g->failed == NULL)
        return;
    (void)fputs("| spec | why it failed, in the end or at first |\n| --- | --- |\n", out);
    (void)fwrite(g->failed, 1, g->len, out);
    if (g->n > SUMMARY_ROWS)
        (void)fprintf(out, "\n%zu more.\n", g->n - SUMMARY_ROWS);
}

static void on_end(smcr_reporter_t *r, const smcr_totals_t *t)
{
    github_t *g = (github_t *)r;
    const char *path = getenv("GITHUB_STEP_SUMMARY");
    if (g->rows != NULL)
        (void)fclose(g->rows);
    g->rows = NULL;
    if (path == NULL || *path == '\0')
        return;
    FILE *out = fopen(path, "ae");
    if (out != NULL)
        put_summary(g, out, t);
    if (out == NULL || fclose(out) != 0) {
        (void)fputs("smcrun: cannot write the job summary (GITHUB_STEP_SUMMARY)\n", stderr);
        r->failed = true;
    }
}

static void on_free(smcr_reporter_t *r)
{
    github_t *g = (github_t *)r;
    if (g->rows != NULL)
        (void)fclose(g->rows);
    free(g->failed);
    free(g);
}

smcr_reporter_t *smcr_report_github_new(FILE *out, const char *file)
{
    static const smcr_reporter_ops_t ops = {
        .start = on_start, .event = on_event, .end = on_end, .free = on_free};
    github_t *g = calloc(1, sizeof(*g));
    if (g == NULL)
        return NULL;
    g->head = (smcr_reporter_t){.ops = &ops, .out = out, .file = file};
    return &g->head;
}
