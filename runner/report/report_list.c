/* --list: the ids, one a line, or {"specs":[{"id","file","line","name","tags"}, ...]}, a spec a line. */
#include "report/report.h"
#include "report/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

typedef struct list {
    smcr_reporter_t head;
    bool as_json;
    bool any; /* spec is written */
} list_t;

static void put_json(list_t *l, const smcr_event_t *ev)
{
    FILE *out = l->head.out;
    (void)fputs(l->any ? ",\n{\"id\":" : "\n{\"id\":", out);
    smcr_put_json(out, ev->id);
    (void)fputs(",\"file\":", out);
    smcr_put_json(out, ev->file);
    (void)fprintf(out, ",\"line\":%" PRId64 ",\"name\":", ev->line);
    smcr_put_json(out, ev->name);
    (void)fputs(",\"tags\":", out);
    smcr_put_json_list(out, ev->tags);
    (void)fputc('}', out);
    l->any = true;
}

static void on_start(smcr_reporter_t *r, const smcr_run_info_t *info)
{
    (void)info;
    if (((list_t *)r)->as_json)
        (void)fputs("{\"specs\":[", r->out);
}

static void on_event(smcr_reporter_t *r, const smcr_event_t *ev)
{
    list_t *l = (list_t *)r;
    if (ev->type == SMCR_EV_DECLARED && l->as_json) {
        put_json(l, ev);
    } else if (ev->type == SMCR_EV_DECLARED) {
        smcr_put_line(r->out, ev->id, strlen(ev->id));
        (void)fputc('\n', r->out);
    } else if (ev->type == SMCR_EV_FILE_ERROR) {
        (void)fflush(r->out);
        (void)fprintf(stderr, "smcrun: %s: ", ev->id == NULL ? "?" : ev->id);
        smcr_put_lines(stderr, "", ev->message == NULL ? "it failed" : ev->message);
    }
}

static void on_end(smcr_reporter_t *r, const smcr_totals_t *t)
{
    (void)t;
    if (((list_t *)r)->as_json)
        (void)fputs("\n]}\n", r->out);
    r->failed = fflush(r->out) != 0 || ferror(r->out) != 0;
}

static void on_free(smcr_reporter_t *r)
{
    free(r);
}

smcr_reporter_t *smcr_report_list_new(FILE *out, bool as_json)
{
    static const smcr_reporter_ops_t ops = {
        .start = on_start, .event = on_event, .end = on_end, .free = on_free};
    list_t *l = calloc(1, sizeof(*l));
    if (l == NULL)
        return NULL;
    *l = (list_t){.head = {.ops = &ops, .out = out}, .as_json = as_json};
    return &l->head;
}
