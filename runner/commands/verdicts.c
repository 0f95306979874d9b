#include "commands/verdicts.h"

#include <stdlib.h>
#include <string.h>

static void on_event(smcr_reporter_t *r, const smcr_event_t *ev)
{
    smcr_verdicts_t *v = (smcr_verdicts_t *)r;
    bool file_error = ev->type == SMCR_EV_FILE_ERROR;
    if ((ev->type != SMCR_EV_SPEC_END && !file_error) || ev->id == NULL)
        return;
    if (v->n == v->_room) {
        size_t room = v->_room == 0 ? 64 : 2 * v->_room;
        smcr_verdict_t *all = realloc(v->all, room * sizeof(*all));
        if (all == NULL) {
            r->failed = true;
            return;
        }
        v->all = all;
        v->_room = room;
    }
    smcr_verdict_t *verdict = &v->all[v->n];
    verdict->id = strdup(ev->id);
    verdict->of_file = file_error;
    verdict->status = file_error ? SMCR_ERROR : ev->status;
    if (verdict->id == NULL)
        r->failed = true;
    else
        v->n++;
}

static void on_end(smcr_reporter_t *r, const smcr_totals_t *t)
{
    ((smcr_verdicts_t *)r)->totals = *t;
}

/* The caller has it. */
static void on_free(smcr_reporter_t *r)
{
    (void)r;
}

void smcr_verdicts_init(smcr_verdicts_t *v)
{
    static const smcr_reporter_ops_t ops = {.event = on_event, .end = on_end, .free = on_free};
    *v = (smcr_verdicts_t){.head = {.ops = &ops}};
}

void smcr_verdicts_deinit(smcr_verdicts_t *v)
{
    for (size_t i = 0; i < v->n; i++)
        free(v->all[i].id);
    free(v->all);
    *v = (smcr_verdicts_t){0};
}

smcr_status_t smcr_verdicts_find(smcr_verdicts_t *v, const char *id)
{
    for (size_t i = 0; i < v->n; i++) {
        size_t at = (v->_last + i) % v->n;
        if (strcmp(v->all[at].id, id) == 0) {
            v->_last = at;
            return v->all[at].status;
        }
    }
    return SMCR_NONE;
}

bool smcr_verdicts_file_failed(const smcr_verdicts_t *v, const char *id)
{
    for (size_t i = 0; i < v->n; i++) {
        size_t n = v->all[i].of_file ? strlen(v->all[i].id) : 0;
        if (n > 0 && strncmp(v->all[i].id, id, n) == 0 && strncmp(id + n, "::", 2) == 0)
            return true;
    }
    return false;
}
