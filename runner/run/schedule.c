#include "run/schedule.h"

#include "run/results.h"

#include <stdlib.h>
#include <string.h>

typedef struct smcr_file_state {
    smcr_results_t results; /* what is not told yet */
    smcr_event_t end;       /* its FILE_END, until its last worker is gone */
    int64_t next_round;
    unsigned live;    /* jobs that run or wait */
    bool first_round; /* runs: until it is over no other one begins */
    bool started;     /* its FILE_START is out */
    bool failed;      /* its FILE_ERROR is out */
    bool worth;       /* a spec of it was more than skipped: another round may show more */
    bool over;        /* its FILE_END is out */
} file_state_t;

void smcr_ids_deinit(smcr_ids_t *ids)
{
    for (size_t i = 0; i < ids->n; i++)
        free(ids->all[i]);
    free(ids->all);
    *ids = (smcr_ids_t){0};
}

static void free_job(smcr_job_t *job)
{
    smcr_ids_t only = {.all = job->only, .n = job->n_only};
    smcr_ids_deinit(&only);
    free(job);
}

smc_code_t smcr_schedule_init(smcr_schedule_t *s, const smcr_run_t *run, smcr_sink_fn sink,
                              void *ud, smc_error_t *err)
{
    const smcr_options_t *o = run->options;
    *s = (smcr_schedule_t){._run = run, ._sink = sink, ._ud = ud};
    if (o->repeat > 0)
        s->_rounds = o->repeat;
    else
        s->_rounds = o->until_fail ? INT64_MAX : 1;
    s->_keeps = s->_rounds > 1 || o->retries > 0;
    s->_files = calloc(run->plan->n_files + 1, sizeof(*s->_files));
    if (s->_files == NULL)
        return smc_fail(err, SMC_ENOMEM, "schedule", 0, "no memory for %zu files",
                        run->plan->n_files);
    return SMC_OK;
}

void smcr_schedule_deinit(smcr_schedule_t *s)
{
    for (size_t i = 0; s->_files != NULL && i < s->_run->plan->n_files; i++) {
        smcr_results_deinit(&s->_files[i].results);
        smcr_event_deinit(&s->_files[i].end);
    }
    free(s->_files);
    while (s->_waiting != NULL) {
        smcr_job_t *job = s->_waiting;
        s->_waiting = job->_next_job;
        free_job(job);
    }
    *s = (smcr_schedule_t){0};
}

/* 0: any number. */
static unsigned max_fail(const smcr_options_t *o)
{
    return o->max_fail == 0 && o->until_fail ? 1 : o->max_fail;
}

bool smcr_schedule_enough(const smcr_schedule_t *s)
{
    unsigned max = max_fail(s->_run->options);
    return max > 0 && s->_failed >= max;
}

/* ---- jobs -------------------------------------------------------------------- */

static bool has_rounds(const smcr_schedule_t *s, const file_state_t *f)
{
    return f->next_round < s->_rounds && (f->next_round == 0 || (f->worth && !f->failed));
}

/* --repeat ends one file before the next, so that reports come early; without an end there is, all files take turns. */
static file_state_t *pick(smcr_schedule_t *s)
{
    file_state_t *best = NULL;
    for (size_t i = s->_first; i < s->_run->plan->n_files; i++) {
        file_state_t *f = &s->_files[i];
        if (f->first_round)
            continue;
        if (!has_rounds(s, f)) {
            s->_first += i == s->_first ? 1 : 0;
            continue;
        }
        if (best == NULL || f->next_round < best->next_round)
            best = f;
        if (!s->_run->options->until_fail)
            break;
    }
    return best;
}

/* How many failures may a worker tell before it stops by itself; 0: it cannot know, for a spec may pass in another run, or
 * has failed in one before. */
static unsigned worker_may_fail(const smcr_schedule_t *s)
{
    const smcr_options_t *o = s->_run->options;
    unsigned max = max_fail(o);
    if (max == 0 || o->retries > 0 || (s->_keeps && max > 1))
        return 0;
    return max - (unsigned)s->_failed;
}

smcr_job_t *smcr_schedule_next(smcr_schedule_t *s)
{
    smcr_job_t *job = s->_waiting;
    if (smcr_schedule_enough(s))
        return NULL;
    if (job != NULL) {
        s->_waiting = job->_next_job;
        return job;
    }
    file_state_t *f = pick(s);
    job = f == NULL ? NULL : calloc(1, sizeof(*job));
    if (job == NULL) {
        s->_lost = s->_lost || f != NULL;
        return NULL;
    }
    job->file = (size_t)(f - s->_files);
    job->round = f->next_round++;
    job->max_failures = worker_may_fail(s);
    f->first_round = job->round == 0;
    f->live++;
    return job;
}

/* Some specs of a file, in the round of another job. */
static void wait_for(smcr_schedule_t *s, const smcr_job_t *before, smcr_ids_t *only)
{
    smcr_job_t **last = &s->_waiting, *job = calloc(1, sizeof(*job));
    if (job == NULL) {
        smcr_ids_deinit(only);
        s->_lost = true;
        return;
    }
    *job = (smcr_job_t){.file = before->file,
                        .round = before->round,
                        .only = only->all,
                        .n_only = only->n,
                        .max_failures = before->max_failures};
    *only = (smcr_ids_t){0};
    while (*last != NULL)
        last = &(*last)->_next_job;
    *last = job;
    s->_files[job->file].live++;
}

/* What one of the file's own jobs says once for all of them. */
static bool speaks_for_file(const smcr_job_t *job)
{
    return job->round == 0 && job->only == NULL;
}

/* ---- what workers tell --------------------------------------------------------- */

typedef struct place {
    smcr_schedule_t *schedule;
    size_t file;
} place_t;

static void tell(void *ud, smcr_event_t *ev)
{
    const place_t *place = ud;
    place->schedule->_sink(place->schedule->_ud, place->file, ev);
    *ev = (smcr_event_t){0};
}

static void tell_results(smcr_schedule_t *s, size_t file)
{
    place_t place = {.schedule = s, .file = file};
    smcr_results_tell(&s->_files[file].results, s->_run->options, tell, &place);
}

/* Another run, or a verdict. */
static void judge(smcr_schedule_t *s, smcr_result_t *r, bool failed)
{
    const smcr_options_t *o = s->_run->options;
    bool final = o->retries > 0 ? r->runs > o->retries : r->failures == 1;
    r->again = failed && r->runs <= o->retries;
    if ((failed && final) || (!failed && o->fail_on_flaky && smcr_result_is_flaky(r, o)))
        s->_failed++;
}

/* Of a spec that may run more than once. */
static void keep_end(smcr_schedule_t *s, size_t file, smcr_event_t *ev)
{
    smcr_results_t *results = &s->_files[file].results;
    bool failed = smcr_event_is_failure(ev),
         at_once = results->n == 0 && s->_rounds == 1 && !failed;
    smcr_result_t *r = smcr_results_add(results, ev);
    if (r == NULL) {
        s->_lost = true;
        return;
    }
    judge(s, r, failed);
    if (at_once)
        tell_results(s, file);
}

static void on_spec_end(smcr_schedule_t *s, size_t file, smcr_event_t *ev)
{
    place_t place = {.schedule = s, .file = file};
    if (smcr_event_is_interruption(ev)) {
        if (s->_keeps && smcr_results_find(&s->_files[file].results, ev->id) != NULL) {
            ev->type = SMCR_EV_FILE_ERROR; /* the spec has a verdict from another run */
            ev->status = SMCR_NONE;
        }
        tell(&place, ev);
        return;
    }
    s->_files[file].worth = s->_files[file].worth || ev->status != SMCR_SKIP;
    if (s->_keeps) {
        keep_end(s, file, ev);
        return;
    }
    s->_failed += smcr_event_is_failure(ev) ? 1 : 0;
    tell(&place, ev);
}

static void on_file_error(smcr_schedule_t *s, size_t file, smcr_event_t *ev)
{
    place_t place = {.schedule = s, .file = file};
    s->_files[file].failed = s->_files[file].failed || smcr_event_is_failure(ev);
    s->_failed += smcr_event_is_failure(ev) ? 1 : 0;
    tell(&place, ev);
}

void smcr_schedule_event(smcr_schedule_t *s, const smcr_job_t *job, smcr_event_t *ev)
{
    file_state_t *f = &s->_files[job->file];
    place_t place = {.schedule = s, .file = job->file};
    ev->round = job->round;
    switch (ev->type) {
    case SMCR_EV_FILE_START:
        if (!f->started)
            tell(&place, ev);
        f->started = true;
        break;
    case SMCR_EV_DECLARED:
        if (speaks_for_file(job))
            tell(&place, ev);
        break;
    case SMCR_EV_SPEC_START:
        if (!s->_keeps)
            tell(&place, ev);
        break;
    case SMCR_EV_SPEC_END:
        on_spec_end(s, job->file, ev);
        break;
    case SMCR_EV_FILE_ERROR: /* in another worker of the same file it is the same error */
        if (speaks_for_file(job) || !f->failed)
            on_file_error(s, job->file, ev);
        break;
    case SMCR_EV_FILE_END:
        if (speaks_for_file(job)) {
            f->end = *ev;
            *ev = (smcr_event_t){0};
        }
        break;
    case SMCR_EV_ATTEMPT: /* nobody but us says that */
        break;
    }
    smcr_event_deinit(ev);
}

static void end_file(smcr_schedule_t *s, size_t file)
{
    place_t place = {.schedule = s, .file = file};
    tell_results(s, file);
    if (s->_files[file].end.type ==
        SMCR_EV_FILE_END) /* no worker has said so when none could be started */
        tell(&place, &s->_files[file].end);
    s->_files[file].over = true;
}

/* Those that want another attempt. */
static smcr_ids_t take_again(smcr_schedule_t *s, smcr_results_t *results)
{
    smcr_ids_t ids = {.all = calloc(results->n + 1, sizeof(*ids.all))};
    for (size_t i = 0; i < results->n && ids.all != NULL; i++) {
        char *id = results->all[i].again ? strdup(results->all[i].told.id) : NULL;
        s->_lost = s->_lost || (results->all[i].again && id == NULL);
        results->all[i].again = false;
        if (id != NULL)
            ids.all[ids.n++] = id;
    }
    return ids;
}

void smcr_schedule_end(smcr_schedule_t *s, smcr_job_t *job, smcr_ids_t *left)
{
    file_state_t *f = &s->_files[job->file];
    f->live--;
    if (left->n > 0)
        wait_for(s, job, left);
    smcr_ids_deinit(left);
    if (f->live == 0) {
        smcr_ids_t again = take_again(s, &f->results);
        if (again.n > 0)
            wait_for(s, job, &again);
        smcr_ids_deinit(&again);
    }
    if (f->live == 0) {
        f->first_round = false;
        if (!has_rounds(s, f))
            end_file(s, job->file);
    }
    free_job(job);
}

bool smcr_schedule_finish(smcr_schedule_t *s)
{
    for (size_t i = 0; i < s->_run->plan->n_files; i++)
        if (s->_files[i].started && !s->_files[i].over)
            end_file(s, i);
    return !s->_lost;
}
