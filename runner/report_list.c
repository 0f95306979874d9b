#include "report.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

static void on_event(smcr_reporter_t *r, const smcr_event_t *ev)
{
    if (ev->type == SMCR_EV_DECLARED) {
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
    r->failed = fflush(r->out) != 0 || ferror(r->out) != 0;
}

static void on_free(smcr_reporter_t *r)
{
    free(r);
}

smcr_reporter_t *smcr_report_list_new(FILE *out)
{
    static const smcr_reporter_ops_t ops = {.event = on_event, .end = on_end, .free = on_free};
    smcr_reporter_t *r = calloc(1, sizeof(*r));
    if (r != NULL)
        *r = (smcr_reporter_t){.ops = &ops, .out = out};
    return r;
}
