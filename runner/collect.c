#include "collect.h"

#include <stdlib.h>
#include <string.h>

smc_code_t smcr_collector_init(smcr_collector_t *c, const smcr_run_t *run, smc_error_t *err)
{
    size_t n_ids = 0;
    for (size_t i = 0; i < run->plan->n_files; i++)
        n_ids += run->plan->files[i].n_ids;
    *c = (smcr_collector_t){._run = run, ._hits = calloc(n_ids + 1, sizeof(bool))};
    if (c->_hits == NULL)
        return smc_fail(err, SMC_ENOMEM, "collect", 0, "no memory to count with");
    return SMC_OK;
}

void smcr_collector_deinit(smcr_collector_t *c)
{
    free(c->_hits);
    *c = (smcr_collector_t){0};
}

/* Where the hits of a file's ids begin. */
static bool *hits_of(const smcr_collector_t *c, size_t file)
{
    size_t at = 0;
    for (size_t i = 0; i < file; i++)
        at += c->_run->plan->files[i].n_ids;
    return c->_hits + at;
}

static void on_declared(smcr_collector_t *c, size_t index, const smcr_event_t *ev)
{
    const smcr_file_t *file = &c->_run->plan->files[index];
    bool *hits = hits_of(c, index);
    for (size_t i = 0; i < file->n_ids; i++)
        hits[i] = hits[i] || smcr_id_covers(file->ids[i], ev->id);
    if (smcr_run_selects(c->_run, file, ev->id, ev->tags))
        c->totals.selected++;
}

static void on_spec_end(smcr_totals_t *t, const smcr_event_t *ev)
{
    t->virtual_ms += ev->virtual_ms;
    switch (ev->status) {
    case SMCR_PASS:
        t->passed++;
        break;
    case SMCR_SKIP:
        t->skipped++;
        break;
    case SMCR_FAIL:
        t->failed++;
        break;
    case SMCR_ERROR:
    case SMCR_NONE: /* no verdict is no pass */
        t->failed++;
        t->errors++;
        break;
    }
}

void smcr_collector_event(smcr_collector_t *c, size_t file, const smcr_event_t *ev)
{
    smcr_totals_t *t = &c->totals;
    if (smcr_event_is_interruption(ev)) {
        t->files_cut++;
        return;
    }
    switch (ev->type) {
    case SMCR_EV_DECLARED:
        on_declared(c, file, ev);
        break;
    case SMCR_EV_SPEC_END:
        on_spec_end(t, ev);
        break;
    case SMCR_EV_FILE_ERROR:
        t->failed++;
        t->errors++;
        break;
    case SMCR_EV_FILE_END:
        t->files_ended++;
        t->declared += ev->declared > 0 ? (size_t)ev->declared : 0;
        break;
    case SMCR_EV_FILE_START:
    case SMCR_EV_SPEC_START:
        break;
    }
}

const char *smcr_collector_missed(const smcr_collector_t *c, size_t n)
{
    const smcr_plan_t *plan = c->_run->plan;
    const bool *hit = c->_hits;
    for (size_t i = 0; i < plan->n_files; i++)
        for (size_t k = 0; k < plan->files[i].n_ids; k++)
            if (!*hit++ && n-- == 0)
                return plan->files[i].ids[k];
    return NULL;
}

smcr_exit_t smcr_collector_exit(const smcr_collector_t *c)
{
    const smcr_totals_t *t = &c->totals;
    if (t->signal != 0)
        return SMCR_EXIT_INTERRUPTED;
    if (t->errors > 0)
        return SMCR_EXIT_ERROR;
    if (t->failed > 0)
        return SMCR_EXIT_FAILED;
    if (t->selected == 0 || smcr_collector_missed(c, 0) != NULL)
        return SMCR_EXIT_NOTHING;
    return SMCR_EXIT_PASSED;
}
