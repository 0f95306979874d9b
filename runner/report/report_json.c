/* JSON Lines: the events of the run as the other reports read them; see json_lines.h. */
#include "report/json_lines.h"
#include "report/report.h"

#include <stdlib.h>

typedef struct json {
    smcr_reporter_t head;
    const smcr_run_info_t *info;
} json_t;

static void on_start(smcr_reporter_t *r, const smcr_run_info_t *info)
{
    ((json_t *)r)->info = info;
    smcr_put_run_start(r->out, info->options, info->n_files);
}

static void on_event(smcr_reporter_t *r, const smcr_event_t *ev)
{
    smcr_put_event(r->out, ((json_t *)r)->info->options, ev);
}

static void on_end(smcr_reporter_t *r, const smcr_totals_t *t)
{
    smcr_put_run_end(r->out, t);
}

static void on_free(smcr_reporter_t *r)
{
    free(r);
}

smcr_reporter_t *smcr_report_json_new(FILE *out, const char *file)
{
    static const smcr_reporter_ops_t ops = {
        .start = on_start, .event = on_event, .end = on_end, .free = on_free};
    json_t *json = calloc(1, sizeof(*json));
    if (json == NULL)
        return NULL;
    json->head = (smcr_reporter_t){.ops = &ops, .out = out, .file = file};
    return &json->head;
}
