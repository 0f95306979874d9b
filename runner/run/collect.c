#include "run/collect.h"

#include <stdlib.h>
#include <string.h>

smc_code_t smcr_collector_init(smcr_collector_t *c, const smcr_run_t *run, smc_error_t *err)
{
    size_t n = 0;
    for (size_t i = 0; i < run->plan->n_files; i++)
        n += run->plan->files[i].n_asked;
    *c = (smcr_collector_t){._run = run,
                            ._hits = calloc(n + 1, sizeof(bool)),
                            ._broken = calloc(run->plan->n_files + 1, sizeof(bool))};
    if (c->_hits == NULL || c->_broken == NULL)
        return smc_fail(err, SMC_ENOMEM, "collect", 0, "no memory to count with");
    return SMC_OK;
}

void smcr_collector_deinit(smcr_collector_t *c)
{
    free(c->_hits);
    free(c->_broken);
    *c = (smcr_collector_t){0};
}

/* Where the hits of a file begin. */
static bool *hits_of(const smcr_collector_t *c, size_t file)
{
    size_t at = 0;
    for (size_t i = 0; i < file; i++)
        at += c->_run->plan->files[i].n_asked;
    return c->_hits + at;
}

static void on_declared(smcr_collector_t *c, size_t index, const smcr_event_t *ev)
{
    const smcr_selection_t *sel = c->_run->selection;
    const smcr_file_t *file = &c->_run->plan->files[index];
    smcr_spec_t spec = {.id = ev->id, .tags = ev->tags, .lines = ev->lines};
    bool *hits = hits_of(c, index);
    if (!smcr_selection_matches(sel, file, spec))
        return;
    for (size_t i = 0; i < file->n_asked; i++)
        hits[i] = hits[i] || smcr_asked_for(&file->asked[i], ev->id, ev->lines);
    for (size_t i = 0; i < sel->options->n_tags; i++)
        c->_tagged[i] = c->_tagged[i] || smcr_lists(ev->tags, sel->options->tags[i]);
    c->totals.wanted += smcr_selection_wants(sel, file, spec) ? 1 : 0;
    c->totals.selected += smcr_selection_runs(sel, file, spec) ? 1 : 0;
}

static void on_spec_end(smcr_totals_t *t, const smcr_event_t *ev)
{
    t->virtual_ms += ev->virtual_ms;
    switch (ev->status) {
    case SMCR_PASS:
        t->passed++;
        break;
    case SMCR_FLAKY:
        t->passed++;
        t->flaky++;
        break;
    case SMCR_XFAIL:
        t->passed++;
        t->xfailed++;
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

static void note_venues(smcr_collector_t *c, const smcr_event_t *ev)
{
    const smcr_options_t *o = c->_run->options;
    for (size_t i = 0; i < o->n_required; i++) {
        c->_missed[i] = c->_missed[i] || smcr_lists(ev->missing, o->required[i]);
        c->_talked[i] =
            c->_talked[i] || (ev->status != SMCR_SKIP && smcr_lists(ev->venues, o->required[i]));
    }
    if (ev->status == SMCR_SKIP && ev->missing != NULL)
        c->totals.without_credentials++;
    if (ev->status == SMCR_SKIP && ev->kind != NULL && strcmp(ev->kind, "not_allowed") == 0)
        c->totals.not_allowed++;
}

void smcr_collector_event(smcr_collector_t *c, size_t file, const smcr_event_t *ev)
{
    smcr_totals_t *t = &c->totals;
    if (smcr_event_is_interruption(ev)) {
        t->files_cut++;
        c->_broken[file] = true; /* who knows what it declares */
        return;
    }
    switch (ev->type) {
    case SMCR_EV_DECLARED:
        on_declared(c, file, ev);
        break;
    case SMCR_EV_SPEC_END:
        on_spec_end(t, ev);
        note_venues(c, ev);
        break;
    case SMCR_EV_FILE_ERROR:
        t->failed++;
        t->errors++;
        c->_broken[file] = true;
        break;
    case SMCR_EV_FILE_END:
        t->files_ended++;
        t->modules += ev->declared == 0 && !c->_broken[file] ? 1 : 0;
        t->declared += ev->declared > 0 ? (size_t)ev->declared : 0;
        break;
    case SMCR_EV_FILE_START:
    case SMCR_EV_SPEC_START:
    case SMCR_EV_ATTEMPT:
        break;
    }
}

const char *smcr_collector_missed(const smcr_collector_t *c, size_t n)
{
    const smcr_plan_t *plan = c->_run->plan;
    const bool *hit = c->_hits;
    for (size_t i = 0; i < plan->n_files; i++)
        for (size_t k = 0; k < plan->files[i].n_asked; k++)
            if (!*hit++ && n-- == 0)
                return plan->files[i].asked[k].text;
    return NULL;
}

const char *smcr_collector_untagged(const smcr_collector_t *c, size_t n)
{
    const smcr_options_t *o = c->_run->options;
    for (size_t i = 0; i < o->n_tags; i++)
        if (!c->_tagged[i] && n-- == 0)
            return o->tags[i];
    return NULL;
}

const char *smcr_collector_unmet(const smcr_collector_t *c, size_t n, bool *missed)
{
    const smcr_options_t *o = c->_run->options;
    for (size_t i = 0; i < o->n_required; i++) {
        *missed = c->_missed[i];
        if (!c->_talked[i] && n-- == 0)
            return o->required[i];
    }
    return NULL;
}

bool smcr_collector_idle(const smcr_collector_t *c)
{
    const smcr_totals_t *t = &c->totals;
    return t->without_credentials + t->not_allowed > 0 && t->passed == 0 && t->failed == 0;
}

smcr_exit_t smcr_collector_exit(const smcr_collector_t *c)
{
    const smcr_totals_t *t = &c->totals;
    bool missed;
    if (t->signal != 0)
        return SMCR_EXIT_INTERRUPTED;
    if (t->errors > 0)
        return SMCR_EXIT_ERROR;
    if (t->failed > 0)
        return SMCR_EXIT_FAILED;
    if (t->wanted == 0 || smcr_collector_missed(c, 0) != NULL ||
        smcr_collector_untagged(c, 0) != NULL)
        return SMCR_EXIT_NOTHING;
    if (smcr_collector_idle(c) || smcr_collector_unmet(c, 0, &missed) != NULL)
        return SMCR_EXIT_MISSING;
    return SMCR_EXIT_PASSED;
}
