/* JSON Lines: the events of the run as the other reports read them, one object a line, in the order of the plan, between
 * one line that says how it runs and one with the totals.  Described by report.schema.json.  A field that an event does
 * not have is left out; "v" changes when a reader of the old lines would go wrong. */
#include "report.h"
#include "text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { VERSION = 2 };

static void put_text(FILE *out, const char *name, const char *value)
{
    if (value == NULL)
        return;
    (void)fprintf(out, ",\"%s\":", name);
    smcr_put_json(out, value);
}

static void on_start(smcr_reporter_t *r, const smcr_run_info_t *info)
{
    const smcr_options_t *o = info->options;
    (void)fprintf(r->out, "{\"v\":%d,\"type\":\"run_start\"", VERSION);
    put_text(r->out, "version", SMC_VERSION);
    put_text(r->out, "target", smcr_target_text(o->target));
    put_text(r->out, "clock", smcr_clock_text(o->clock));
    (void)fprintf(r->out, ",\"seed\":%" PRIu64, o->seed);
    put_text(r->out, "sabotage", smcr_sabotage_text(o->sabotage));
    (void)fprintf(r->out, ",\"files\":%zu}\n", info->n_files);
}

/* A number that means nothing for this kind of event is not shown. */
static void put_numbers(FILE *out, const smcr_event_t *ev)
{
    bool spec = ev->type == SMCR_EV_SPEC_END || ev->type == SMCR_EV_ATTEMPT,
         several = ev->attempts > 0, file = ev->type == SMCR_EV_FILE_END;
    if (ev->line > 0)
        (void)fprintf(out, ",\"line\":%" PRId64, ev->line);
    if (spec)
        (void)fprintf(out,
                      ",\"virtual_ms\":%" PRId64 ",\"real_us\":%" PRId64 ",\"checks\":%" PRId64,
                      ev->virtual_ms, ev->real_us, ev->checks);
    if (several)
        (void)fprintf(out, ",\"attempts\":%" PRId64 ",\"failures\":%" PRId64, ev->attempts,
                      ev->failures);
    if (ev->round > 0)
        (void)fprintf(out, ",\"round\":%" PRId64, ev->round);
    if (file)
        (void)fprintf(out, ",\"declared\":%" PRId64 ",\"selected\":%" PRId64, ev->declared,
                      ev->selected);
}

static void put_tags(FILE *out, const char *tags)
{
    if (tags == NULL)
        return;
    (void)fputs(",\"tags\":[", out);
    for (size_t n; *tags != '\0'; tags += tags[n] == ',' ? n + 1 : n) {
        n = strcspn(tags, ",");
        (void)fprintf(out, "\"%.*s\"%s", (int)n, tags, tags[n] == ',' ? "," : "");
    }
    (void)fputc(']', out);
}

static void on_event(smcr_reporter_t *r, const smcr_event_t *ev)
{
    (void)fprintf(r->out, "{\"v\":%d,\"type\":\"%s\"", VERSION, smcr_event_type_text(ev->type));
    if (ev->status != SMCR_NONE)
        put_text(r->out, "status", smcr_status_text(ev->status));
    put_text(r->out, "id", ev->id);
    put_text(r->out, "file", ev->file);
    if (ev->type == SMCR_EV_DECLARED) {
        put_text(r->out, "name", ev->name);
        put_tags(r->out, ev->tags);
    }
    put_numbers(r->out, ev);
    put_text(r->out, "kind", ev->kind);
    put_text(r->out, "message", ev->message);
    put_text(r->out, "traceback", ev->traceback);
    put_text(r->out, "output", ev->output);
    put_text(r->out, "transcript", ev->transcript);
    (void)fputs("}\n", r->out);
}

static void on_end(smcr_reporter_t *r, const smcr_totals_t *t)
{
    (void)fprintf(r->out,
                  "{\"v\":%d,\"type\":\"run_end\",\"passed\":%zu,\"failed\":%zu,\"skipped\":%zu,"
                  "\"flaky\":%zu,\"xfailed\":%zu,\"errors\":%zu,\"interrupted\":%s,"
                  "\"stopped\":%s,\"virtual_ms\":%" PRId64 ",\"real_us\":%" PRId64 "}\n",
                  VERSION, t->passed, t->failed, t->skipped, t->flaky, t->xfailed, t->errors,
                  t->signal != 0 ? "true" : "false", t->stopped ? "true" : "false", t->virtual_ms,
                  t->real_us);
}

static void on_free(smcr_reporter_t *r)
{
    free(r);
}

smcr_reporter_t *smcr_report_json_new(FILE *out, const char *file)
{
    static const smcr_reporter_ops_t ops = {
        .start = on_start, .event = on_event, .end = on_end, .free = on_free};
    smcr_reporter_t *r = calloc(1, sizeof(*r));
    if (r != NULL)
        *r = (smcr_reporter_t){.ops = &ops, .out = out, .file = file};
    return r;
}
