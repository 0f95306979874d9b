#include "report/json_lines.h"

#include "report/repeat.h"
#include "report/text.h"

#include <inttypes.h>
#include <stdlib.h>

static void put_text(FILE *out, const char *name, const char *value)
{
    if (value == NULL)
        return;
    (void)fprintf(out, ",\"%s\":", name);
    smcr_put_json(out, value);
}

void smcr_put_run_start(FILE *out, const smcr_options_t *o, size_t n_files)
{
    (void)fprintf(out, "{\"v\":%d,\"type\":\"run_start\"", SMCR_JSON_VERSION);
    put_text(out, "version", SMC_VERSION);
    put_text(out, "target", smcr_target_text(o->target));
    put_text(out, "clock", smcr_clock_text(o->clock));
    (void)fprintf(out, ",\"seed\":%" PRIu64, o->seed);
    put_text(out, "sabotage", smcr_sabotage_text(o->sabotage));
    if (o->shard.count > 0)
        (void)fprintf(out, ",\"shard\":\"%u/%u\"", o->shard.index, o->shard.count);
    if (o->shuffle)
        (void)fputs(",\"shuffled\":true", out);
    for (size_t i = 0; i < o->n_required; i++) {
        (void)fputs(i == 0 ? ",\"require\":[" : ",", out);
        smcr_put_json(out, o->required[i]);
        (void)fputs(i + 1 == o->n_required ? "]" : "", out);
    }
    (void)fprintf(out, ",\"files\":%zu}\n", n_files);
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

static void put_list(FILE *out, const char *name, const char *list)
{
    if (list == NULL)
        return;
    (void)fprintf(out, ",\"%s\":", name);
    smcr_put_json_list(out, list);
}

/* How to repeat what failed, or failed at first. */
static void put_again(FILE *out, const smcr_options_t *o, const smcr_event_t *ev)
{
    char *again = NULL;
    size_t n;
    bool flaky = ev->type == SMCR_EV_SPEC_END && ev->status == SMCR_FLAKY;
    FILE *memory = flaky || smcr_event_is_failure(ev) ? open_memstream(&again, &n) : NULL;
    if (memory == NULL)
        return;
    smcr_put_repeat(memory, o, ev);
    (void)fclose(memory);
    put_text(out, "again", again);
    free(again);
}

void smcr_put_event(FILE *out, const smcr_options_t *o, const smcr_event_t *ev)
{
    (void)fprintf(out, "{\"v\":%d,\"type\":\"%s\"", SMCR_JSON_VERSION,
                  smcr_event_type_text(ev->type));
    if (ev->status != SMCR_NONE)
        put_text(out, "status", smcr_status_text(ev->status));
    put_text(out, "id", ev->id);
    put_text(out, "file", ev->file);
    if (ev->type == SMCR_EV_DECLARED) {
        put_text(out, "name", ev->name);
        put_list(out, "tags", ev->tags);
    }
    put_numbers(out, ev);
    put_text(out, "kind", ev->kind);
    put_text(out, "message", ev->message);
    put_text(out, "traceback", ev->traceback);
    put_again(out, o, ev);
    if (ev->type == SMCR_EV_SPEC_END) {
        put_list(out, "venues", ev->venues);
        put_list(out, "missing", ev->missing);
    }
    put_text(out, "output", ev->output);
    put_text(out, "transcript", ev->transcript);
    if (ev->timeline != NULL && ev->type == SMCR_EV_SPEC_END)
        (void)fprintf(out, ",\"timeline\":%s", ev->timeline);
    (void)fputs("}\n", out);
}

void smcr_put_run_end(FILE *out, const smcr_totals_t *t)
{
    (void)fprintf(out,
                  "{\"v\":%d,\"type\":\"run_end\",\"passed\":%zu,\"failed\":%zu,\"skipped\":%zu,"
                  "\"flaky\":%zu,\"xfailed\":%zu,\"errors\":%zu,\"interrupted\":%s,"
                  "\"stopped\":%s,\"exit\":%d,\"virtual_ms\":%" PRId64 ",\"real_us\":%" PRId64
                  "}\n",
                  SMCR_JSON_VERSION, t->passed, t->failed, t->skipped, t->flaky, t->xfailed,
                  t->errors, t->signal != 0 ? "true" : "false", t->stopped ? "true" : "false",
                  t->exit, t->virtual_ms, t->real_us);
}
