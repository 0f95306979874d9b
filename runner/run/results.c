#include "run/results.h"

#include "report/repeat.h"

#include "smc/buf.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_OTHERS = 20, /* of one spec; each has a transcript */
    SEEDS_SHOWN = 8,
};

smcr_result_t *smcr_results_find(smcr_results_t *rs, const char *id)
{
    for (size_t i = 0; i < rs->n; i++) {
        size_t at = (rs->_next + i) % rs->n;
        if (strcmp(rs->all[at].told.id, id) == 0) {
            rs->_next = at + 1; /* they mostly come in the same order again */
            return &rs->all[at];
        }
    }
    return NULL;
}

static smcr_result_t *new_result(smcr_results_t *rs)
{
    if (rs->n == rs->_room) {
        size_t room = rs->_room == 0 ? 16 : 2 * rs->_room;
        smcr_result_t *grown = reallocarray(rs->all, room, sizeof(*grown));
        if (grown == NULL)
            return NULL;
        rs->all = grown;
        rs->_room = room;
    }
    rs->all[rs->n] = (smcr_result_t){0};
    return &rs->all[rs->n++];
}

static void keep_other(smcr_result_t *r, smcr_event_t *ev)
{
    smcr_event_t *grown =
        r->n_others < MAX_OTHERS ? reallocarray(r->others, r->n_others + 1, sizeof(*grown)) : NULL;
    if (grown == NULL)
        return;
    r->others = grown;
    size_t at = r->n_others++;
    for (; at > 0 && r->others[at - 1].round > ev->round; at--)
        r->others[at] = r->others[at - 1];
    r->others[at] = *ev;
    r->others[at].type = SMCR_EV_ATTEMPT;
    *ev = (smcr_event_t){0};
}

/* A run may crash before it can say which venues it talked to. */
static void keep_venues(smcr_result_t *r, smcr_event_t *ev)
{
    if (r->told.venues != NULL)
        return;
    r->told.venues = ev->venues;
    ev->venues = NULL;
}

smcr_result_t *smcr_results_add(smcr_results_t *rs, smcr_event_t *ev)
{
    smcr_result_t *r = smcr_results_find(rs, ev->id);
    bool failed = smcr_event_is_failure(ev);
    if (r == NULL && (r = new_result(rs)) == NULL) {
        smcr_event_deinit(ev);
        return NULL;
    }
    r->real_us += ev->real_us;
    r->failures += failed ? 1 : 0;
    if (r->runs++ == 0) {
        r->told = *ev;
        *ev = (smcr_event_t){0};
        return r;
    }
    /* Rounds side by side may end in any order; they are told in theirs. */
    if (failed && (r->failures == 1 || ev->round < r->told.round)) {
        smcr_event_t told = r->told;
        r->told = *ev;
        *ev = told;
        failed = r->failures > 1;
    }
    keep_venues(r, ev);
    if (failed)
        keep_other(r, ev);
    smcr_event_deinit(ev);
    return r;
}

bool smcr_result_is_flaky(const smcr_result_t *r, const smcr_options_t *o)
{
    return o->retries > 0 && r->failures > 0 && r->failures < r->runs;
}

/* "failed in 2 of 100 runs, with the seeds 12 and 40; with 12 so:" before the message. */
static void explain(smcr_result_t *r, const smcr_options_t *o)
{
    smc_buf_t text = {0};
    (void)smc_buf_printf(&text, "failed in %" PRId64 " of %" PRId64 " runs", r->failures, r->runs);
    if (o->retries > 0) {
        (void)smc_buf_puts(&text, " of one seed, the first time so:\n");
    } else {
        (void)smc_buf_printf(&text, ", with the seeds %" PRIu64, smcr_seed_of(o, r->told.round));
        for (size_t i = 0; i < r->n_others && i < SEEDS_SHOWN; i++)
            (void)smc_buf_printf(&text, ", %" PRIu64, smcr_seed_of(o, r->others[i].round));
        (void)smc_buf_puts(&text, r->failures > SEEDS_SHOWN + 1 ? ", ..; the first time so:\n"
                                                                : "; the first time so:\n");
    }
    (void)smc_buf_puts(&text, r->told.message == NULL ? "" : r->told.message);
    if (!text.failed) {
        free(r->told.message);
        r->told.message = smc_buf_take(&text, NULL);
    }
    smc_buf_deinit(&text);
}

static void tell_one(smcr_result_t *r, const smcr_options_t *o, smcr_tell_fn tell, void *ud)
{
    smcr_event_t start = {.type = SMCR_EV_SPEC_START, .id = strdup(r->told.id)};
    if (start.id != NULL)
        tell(ud, &start);
    if (r->runs > 1) {
        r->told.attempts = r->runs;
        r->told.failures = r->failures;
        r->told.real_us = r->real_us;
        if (r->failures > 0)
            explain(r, o);
    }
    if (smcr_result_is_flaky(r, o))
        r->told.status = o->fail_on_flaky ? SMCR_FAIL : SMCR_FLAKY;
    for (size_t i = 0; i < r->n_others; i++)
        tell(ud, &r->others[i]);
    free(r->others);
    tell(ud, &r->told);
    *r = (smcr_result_t){0};
}

void smcr_results_tell(smcr_results_t *rs, const smcr_options_t *o, smcr_tell_fn tell, void *ud)
{
    for (size_t i = 0; i < rs->n; i++)
        tell_one(&rs->all[i], o, tell, ud);
    free(rs->all);
    *rs = (smcr_results_t){0};
}

void smcr_results_deinit(smcr_results_t *rs)
{
    for (size_t i = 0; i < rs->n; i++) {
        smcr_result_t *r = &rs->all[i];
        for (size_t k = 0; k < r->n_others; k++)
            smcr_event_deinit(&r->others[k]);
        free(r->others);
        smcr_event_deinit(&r->told);
    }
    free(rs->all);
    *rs = (smcr_results_t){0};
}
