/* HTML: one file that shows itself, with the events of the run inside as JSON Lines (json_lines.h) and a page around them
 * (page/) that makes lists and plots of them.  Long transcripts and outputs are cut at their beginning, and say so.
 * The page asks for nothing: its policy forbids it.  A file that a killed run has left shows what had happened. */
#include "report/html_page.h"
#include "report/json_lines.h"
#include "report/report.h"
#include "report/text.h"

#include <stdlib.h>
#include <string.h>

enum {
    LINES = 2000,           /* of a transcript, and of an output */
    PASSED_BYTES = 8 << 20, /* when what passed has filled so much, */
    PASSED_LINES = 20,      /* what passes has no more than this */
};

typedef struct html {
    smcr_reporter_t head;
    const smcr_run_info_t *info;
    size_t passed_bytes;
} html_t;

/* JSON has < in strings only, where it can be written otherwise: then no text can end the element that it is in. */
static void put_safe(FILE *out, const char *json)
{
    for (size_t n; *json != '\0'; json += n) {
        n = strcspn(json, "<");
        (void)fwrite(json, 1, n, out);
        if (json[n] == '<') {
            (void)fputs("\\u003c", out);
            n++;
        }
    }
}

static void on_start(smcr_reporter_t *r, const smcr_run_info_t *info)
{
    ((html_t *)r)->info = info;
    (void)fwrite(smcr_html_before, 1, smcr_html_before_size, r->out);
    smcr_put_run_start(r->out, info->options, info->n_files);
}

/* The last lines, behind one that says how many there were before.  NULL: no memory; the caller frees. */
static char *shortened(const char *text, size_t most, const char *where)
{
    size_t left_out = 0;
    char *out = NULL;
    const char *tail = smcr_last_lines(text, most, &left_out);
    if (left_out == 0)
        return strdup(text);
    int n = asprintf(&out, "... %zu earlier lines are left out%s\n%s", left_out, where, tail);
    return n < 0 ? NULL : out;
}

/* Frees the text. */
static void put_text(FILE *out, const char *before, const char *name, char *text)
{
    if (text != NULL) {
        (void)fprintf(out, "%s\"%s\":", before, name);
        smcr_put_json(out, text);
    }
    free(text);
}

/* What is long, on a line of its own: a page with thousands of specs reads it when it is asked for. */
static void put_long(html_t *h, FILE *out, const smcr_event_t *ev)
{
    bool bad = smcr_event_is_failure(ev) || ev->status == SMCR_FLAKY;
    size_t most = bad || h->passed_bytes < PASSED_BYTES ? LINES : PASSED_LINES;
    char *transcript = shortened(ev->transcript == NULL ? "" : ev->transcript, most,
                                 ": --transcripts DIR has all of them");
    if (!bad && transcript != NULL)
        h->passed_bytes += strlen(transcript);
    put_text(out, "{", "transcript", transcript == NULL ? strdup("") : transcript);
    put_text(out, ",", "output", ev->output == NULL ? NULL : shortened(ev->output, most, ""));
    put_text(out, ",", "traceback", ev->traceback == NULL ? NULL : strdup(ev->traceback));
    (void)fputs("}\n", out);
}

static void put_event(html_t *h, FILE *out, const smcr_event_t *ev)
{
    smcr_event_t brief = *ev;
    bool ends = ev->type == SMCR_EV_SPEC_END || ev->type == SMCR_EV_FILE_ERROR;
    if (ends)
        brief.transcript = brief.output = brief.traceback = NULL;
    smcr_put_event(out, h->info->options, &brief);
    bool wrote = ev->transcript != NULL && ev->transcript[0] != '\0';
    if (ends && (wrote || ev->output != NULL || ev->traceback != NULL))
        put_long(h, out, ev);
}

static void on_event(smcr_reporter_t *r, const smcr_event_t *ev)
{
    char *lines = NULL;
    size_t n;
    if (ev->type == SMCR_EV_FILE_START || ev->type == SMCR_EV_SPEC_START)
        return;
    FILE *memory = open_memstream(&lines, &n);
    if (memory != NULL)
        put_event((html_t *)r, memory, ev);
    if (memory == NULL || fclose(memory) != 0)
        r->failed = true;
    else
        put_safe(r->out, lines);
    free(lines);
}

static void on_end(smcr_reporter_t *r, const smcr_totals_t *t)
{
    smcr_put_run_end(r->out, t);
    (void)fwrite(smcr_html_behind, 1, smcr_html_behind_size, r->out);
}

static void on_free(smcr_reporter_t *r)
{
    free(r);
}

smcr_reporter_t *smcr_report_html_new(FILE *out, const char *file)
{
    static const smcr_reporter_ops_t ops = {
        .start = on_start, .event = on_event, .end = on_end, .free = on_free};
    html_t *html = calloc(1, sizeof(*html));
    if (html == NULL)
        return NULL;
    html->head = (smcr_reporter_t){.ops = &ops, .out = out, .file = file};
    return &html->head;
}
