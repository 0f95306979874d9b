#include "commands/merge.h"

#include "report/joined.h"
#include "report/reporters.h"
#include "report/text.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* Everything of one merge.  Zeroed, it can be torn down at any stage. */
typedef struct session {
    smcr_options_t *options;
    smcr_joined_t joined;
    smcr_plan_t plan;           /* the paths are the joined files. */
    smcr_selection_t selection; /* everything */
    smcr_run_t run;
    smcr_collector_t collector;
    smcr_reporters_t reporters;
    char *required; /* what the options' list of them points into */
} session_t;

static smcr_exit_t complain(smcr_exit_t status, const smc_error_t *err)
{
    (void)fputs("smcrun: ", stderr);
    smcr_put_lines(stderr, "", err->detail);
    return err->code == SMC_ENOMEM ? SMCR_EXIT_INTERNAL : status;
}

/* ---- the run that it would have been ------------------------------------------------ */

static bool adopt_start(session_t *s)
{
    smcr_options_t *o = s->options;
    const smcr_run_start_t *start = &s->joined.start;
    o->target = start->target;
    o->clock = start->clock;
    o->sabotage = start->sabotage;
    o->has_seed = true;
    o->seed = start->seed;
    if (start->required == NULL)
        return true;
    char *rest = s->required = strdup(start->required), *word;
    while (rest != NULL && o->n_required < SMCR_MAX_REQUIRED && (word = strsep(&rest, ",")) != NULL)
        o->required[o->n_required++] = word;
    return s->required != NULL;
}

static smcr_exit_t make_run(session_t *s)
{
    smc_error_t err = {0};
    s->plan.files = calloc(s->joined.n_files + 1, sizeof(*s->plan.files));
    s->plan.n_files = s->plan.files == NULL ? 0 : s->joined.n_files;
    for (size_t i = 0; i < s->plan.n_files; i++) {
        s->plan.files[i].path = s->joined.files[i].path;
        s->plan.files[i].whole = true;
    }
    s->run = (smcr_run_t){
        .options = s->options, .plan = &s->plan, .selection = &s->selection, .journal = -1};
    if (s->plan.files == NULL || !adopt_start(s) ||
        smcr_selection_init(&s->selection, s->options, NULL, &err) != SMC_OK ||
        smcr_collector_init(&s->collector, &s->run, &err) != SMC_OK) {
        (void)fputs("smcrun: no memory to merge reports\n", stderr);
        return SMCR_EXIT_INTERNAL;
    }
    return SMCR_EXIT_PASSED;
}

/* ---- telling ------------------------------------------------------------------------ */

static void tell(session_t *s, size_t file, const smcr_event_t *ev)
{
    smcr_collector_event(&s->collector, file, ev);
    smcr_reporters_event(&s->reporters, ev);
}

static void tell_file(session_t *s, size_t index)
{
    smcr_told_file_t *file = &s->joined.files[index];
    smcr_event_t start = {.type = SMCR_EV_FILE_START, .file = file->path};
    tell(s, index, &start);
    for (size_t i = 0; i < file->declared.n; i++)
        tell(s, index, &file->declared.all[i].ev);
    for (size_t i = 0; i < file->rest.n; i++)
        tell(s, index, &file->rest.all[i].ev);
    tell(s, index, &file->end);
}

/* Two things no event says: that an id was asked for which no spec has, which in a report on its own is NOTHING, and so of all
 * when all say so; and that a part was not run, for want of processes perhaps: one such report is enough. */
static smcr_exit_t status_of(session_t *s)
{
    const smcr_run_end_t *end = &s->joined.end;
    s->collector.totals.signal = end->interrupted ? SIGINT : 0;
    s->collector.totals.stopped = end->stopped;
    s->collector.totals.real_us = end->real_us;
    smcr_exit_t status = smcr_collector_exit(&s->collector);
    if (status == SMCR_EXIT_PASSED && end->exit == SMCR_EXIT_NOTHING)
        status = SMCR_EXIT_NOTHING;
    if (end->exit == SMCR_EXIT_INTERNAL)
        status = SMCR_EXIT_INTERNAL;
    s->collector.totals.exit = (int)status;
    return status;
}

static void explain(const session_t *s, smcr_exit_t status)
{
    const char *venue;
    bool missed;
    if (status == SMCR_EXIT_INTERNAL)
        (void)fputs(
            "smcrun: not all of what was to be run has run: one ended in an internal error\n",
            stderr);
    if (status == SMCR_EXIT_NOTHING)
        (void)fprintf(stderr, "smcrun: nothing was selected in %s\n",
                      s->joined.n_reports == 1 ? "that run" : "these runs");
    for (size_t n = 0; (venue = smcr_collector_unmet(&s->collector, n, &missed)) != NULL; n++)
        (void)fprintf(stderr, "smcrun: --require %s: no spec of these runs talks to it\n", venue);
}

static smcr_exit_t tell_all(session_t *s)
{
    smcr_run_info_t info = {.options = s->options, .n_files = s->joined.n_files};
    for (size_t i = 0; i < s->joined.n_files; i++) {
        size_t width = smcr_width(s->joined.files[i].path);
        info.widest = width > info.widest ? width : info.widest;
    }
    smcr_reporters_start(&s->reporters, &info);
    for (size_t i = 0; i < s->joined.n_files; i++)
        tell_file(s, i);
    smcr_exit_t status = status_of(s);
    explain(s, status);
    return smcr_reporters_end(&s->reporters, &s->collector.totals) ? status : SMCR_EXIT_INTERNAL;
}

smcr_exit_t smcr_merge(smcr_options_t *options)
{
    session_t s = {.options = options};
    smc_error_t err = {0};
    smcr_exit_t status = SMCR_EXIT_PASSED;
    for (size_t i = 0; i < options->n_paths && status == SMCR_EXIT_PASSED; i++)
        if (smcr_joined_add(&s.joined, options->paths, i, &err) != SMC_OK)
            status = complain(SMCR_EXIT_USAGE, &err);
    if (status == SMCR_EXIT_PASSED && smcr_joined_check(&s.joined, &err) != SMC_OK)
        status = complain(SMCR_EXIT_USAGE, &err);
    if (status == SMCR_EXIT_PASSED)
        status = make_run(&s);
    if (status == SMCR_EXIT_PASSED && !smcr_reporters_open(&s.reporters, options))
        status = SMCR_EXIT_USAGE;
    if (status == SMCR_EXIT_PASSED)
        status = tell_all(&s);
    smcr_reporters_close(&s.reporters);
    smcr_collector_deinit(&s.collector);
    smcr_selection_deinit(&s.selection);
    free(s.plan.files);
    free(s.required);
    smcr_joined_deinit(&s.joined);
    return status;
}
