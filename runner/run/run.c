#include "run/run.h"

#include "keys/access.h"
#include "options/default_path.h"
#include "report/reporters.h"
#include "report/text.h"
#include "run/journal.h"
#include "run/pool.h"
#include "run/sequence.h"
#include "select/suite.h"

#include "smc/clock.h"
#include "smc/loop.h"
#include "smc/tmpdir.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define HANG_S 60.0
/* From an interruption to the end of what does not end by itself.  On a testnet a worker first cancels its orders, for
 * which smc/journal.lua takes a minute at most. */
#define GRACE_S 5.0
#define GRACE_TESTNET_S 75.0

/* Everything of one run.  Zeroed, it can be torn down at any stage. */
typedef struct session {
    smcr_options_t *options;
    smcr_reporter_t *reporter; /* the caller's; NULL: none */
    bool alone;                /* that one, and no other */
    smcr_plan_t plan;
    smcr_suite_t suite; /* empty unless one was named */
    smcr_selection_t selection;
    smcr_failures_t failures; /* of this run; _known is not read */
    smcr_access_t access;
    smcr_journal_t journal;
    smcr_run_t run;
    smcb_host_t *warm; /* run's, or one that did not come to be; NULL: none */
    smcr_reporters_t reporters;
    smcr_collector_t collector;
    smcr_sequence_t sequence;
    int64_t start_ns;
    bool dropped; /* events, for want of memory */
} session_t;

static smcr_exit_t complain(smcr_exit_t status, const char *prefix, const smc_error_t *err)
{
    (void)fprintf(stderr, "smcrun: %s", prefix);
    smcr_put_lines(stderr, "", err->detail);
    return status;
}

static smcr_exit_t refuse(const smc_error_t *err, const char *prefix)
{
    return complain(err->code == SMC_ENOMEM ? SMCR_EXIT_INTERNAL : SMCR_EXIT_USAGE, prefix, err);
}

/* Each path of a suite holds something: a suite that has lost its files says so. */
static smcr_exit_t find_in_suite(session_t *s, const char *path)
{
    smcr_plan_t alone = {0};
    smc_error_t err = {0};
    smc_code_t rc = smcr_discover(&alone, path, &err);
    bool empty = rc == SMC_OK && alone.n_files == 0;
    smcr_plan_deinit(&alone);
    if (rc == SMC_OK)
        rc = smcr_discover(&s->plan, path, &err);
    if (rc == SMC_OK && !empty)
        return SMCR_EXIT_PASSED;
    (void)fprintf(stderr, "smcrun: suite '%s' of %s: ", s->options->suite, s->suite.file);
    if (empty)
        (void)fprintf(stderr, "no Lua file lies in '%s'\n", path);
    else
        smcr_put_lines(stderr, "", err.detail);
    return empty ? SMCR_EXIT_NOTHING : SMCR_EXIT_USAGE;
}

static smcr_exit_t find_suite(session_t *s, const char *folder)
{
    smc_error_t err = {0};
    char *why = NULL;
    smc_code_t rc = smcr_suite_read(folder, s->options->suite, &s->suite, &why, &err);
    if (why != NULL) {
        (void)fputs("smcrun: ", stderr);
        smcr_put_lines(stderr, "", why);
        free(why);
        return SMCR_EXIT_USAGE;
    }
    if (rc != SMC_OK)
        return complain(SMCR_EXIT_INTERNAL, "", &err);
    smcr_exit_t status = SMCR_EXIT_PASSED;
    for (size_t i = 0; i < s->suite.n_paths && status == SMCR_EXIT_PASSED; i++)
        status = find_in_suite(s, s->suite.paths[i]);
    return status;
}

/* 'a', 'b' */
static void put_names(const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        (void)fputs(i == 0 ? "'" : ", '", stderr);
        smcr_put_line(stderr, names[i], strlen(names[i]));
        (void)fputc('\'', stderr);
    }
    (void)fputc('\n', stderr);
}

static smcr_exit_t find_files(session_t *s)
{
    const smcr_options_t *o = s->options;
    smc_error_t err = {0};
    char home[PATH_MAX] = "";
    smc_code_t rc = o->n_paths == 0 ? smcr_default_path(home, &err) : SMC_OK;
    if (rc == SMC_OK && o->suite != NULL)
        return find_suite(s, o->n_paths == 0 ? home : o->paths[0]);
    if (rc == SMC_OK && o->n_paths == 0)
        rc = smcr_discover(&s->plan, home, &err);
    for (size_t i = 0; rc == SMC_OK && i < o->n_paths; i++)
        rc = smcr_discover(&s->plan, o->paths[i], &err);
    if (rc != SMC_OK)
        return refuse(&err, "");
    if (s->plan.n_files > 0)
        return SMCR_EXIT_PASSED;
    (void)fputs("smcrun: nothing to run: no Lua file lies in ", stderr);
    if (o->n_paths == 0)
        put_names((const char *const[]){home}, 1);
    else
        put_names(o->paths, o->n_paths);
    return SMCR_EXIT_NOTHING;
}

static smcr_exit_t choose_specs(session_t *s)
{
    const smcr_options_t *o = s->options;
    smc_error_t err = {0};
    smc_code_t rc = smcr_selection_init(&s->selection, o, s->suite.filter, &err);
    if (rc == SMC_EPARSE && s->suite.filter != NULL && s->selection.of_suite == NULL)
        (void)fprintf(stderr, "smcrun: %s: filter '%s' of suite '%s'\n", s->suite.file,
                      s->suite.filter, o->suite);
    else if (rc == SMC_EPARSE)
        (void)fprintf(stderr, "smcrun: -k '%s'\n", o->expr);
    if (rc != SMC_OK)
        return refuse(&err, "");
    if (o->last_failed && !smcr_selection_narrow(&s->selection, &s->plan))
        (void)fputs("smcrun: nothing is known to have failed here: everything runs\n", stderr);
    return SMCR_EXIT_PASSED;
}

/* Needs the seed. */
static smcr_exit_t arrange(session_t *s)
{
    smc_error_t err = {0};
    return smcr_selection_arrange(&s->selection, &s->plan, &err) == SMC_OK
               ? SMCR_EXIT_PASSED
               : complain(SMCR_EXIT_INTERNAL, "", &err);
}

smcr_exit_t smcr_draw_seed(smcr_options_t *o)
{
    uint32_t drawn;
    if (o->has_seed)
        return SMCR_EXIT_PASSED;
    if (getrandom(&drawn, sizeof(drawn), 0) != (ssize_t)sizeof(drawn)) {
        (void)fprintf(stderr, "smcrun: cannot draw a seed: %s\n", strerror(errno));
        return SMCR_EXIT_INTERNAL;
    }
    o->seed = drawn; /* 32 bits: people type it */
    return SMCR_EXIT_PASSED;
}

/* Where orders outlive a worker, they are written down. */
static smcr_exit_t open_journal(session_t *s)
{
    char folder[PATH_MAX];
    smc_error_t err = {0};
    if (s->options->target != SMCR_TESTNET || s->options->command != SMCR_CMD_RUN)
        return SMCR_EXIT_PASSED;
    smc_code_t rc = smcr_journal_folder(s->options->state_dir, folder, &err);
    if (rc == SMC_OK)
        rc = smcr_journal_create(folder, &s->journal, &err);
    return rc == SMC_OK ? SMCR_EXIT_PASSED
                        : complain(SMCR_EXIT_USAGE, "no order can be written down: ", &err);
}

/* A journal without live orders has done its work. */
static void close_journal(session_t *s)
{
    smcr_lives_t lives = {0};
    smc_error_t err = {0};
    if (s->journal.fd < 0)
        return;
    smc_code_t rc = smcr_journal_load(&s->journal, &lives, &err);
    if (rc == SMC_OK && lives.count == 0)
        (void)unlink(s->journal.path);
    else if (rc == SMC_OK)
        (void)fprintf(stderr,
                      "smcrun: %zu %s may live on; cancel what is left with: smcrun clean%s%s\n",
                      lives.count, lives.count == 1 ? "order" : "orders",
                      s->options->state_dir == NULL ? "" : " --state-dir ",
                      s->options->state_dir == NULL ? "" : s->options->state_dir);
    else
        (void)complain(SMCR_EXIT_INTERNAL, "", &err);
    smcr_lives_deinit(&lives);
    smcr_journal_close(&s->journal);
}

static smcr_exit_t prepare(session_t *s)
{
    smcr_exit_t status = find_files(s);
    if (status == SMCR_EXIT_PASSED)
        status = choose_specs(s);
    if (status == SMCR_EXIT_PASSED)
        status = smcr_access_load(&s->access, s->options);
    if (status == SMCR_EXIT_PASSED)
        status = smcr_draw_seed(s->options);
    if (status == SMCR_EXIT_PASSED)
        status = arrange(s);
    if (status == SMCR_EXIT_PASSED)
        status = open_journal(s);
    if (status != SMCR_EXIT_PASSED)
        return status;
    s->run = (smcr_run_t){.options = s->options,
                          .plan = &s->plan,
                          .selection = &s->selection,
                          .credentials = &s->access.env,
                          .journal = s->journal.fd,
                          .ca = s->access.ca,
                          .redactor = s->access.redactor};
    bool open = (s->alone || smcr_reporters_open(&s->reporters, s->options)) &&
                (s->reporter == NULL || smcr_reporters_add(&s->reporters, s->reporter));
    return open ? SMCR_EXIT_PASSED : SMCR_EXIT_USAGE;
}

/* ---- the run itself ----------------------------------------------------- */

static const smcr_totals_t *totals_now(session_t *s)
{
    s->collector.totals.real_us = (smc_clock_real_ns() - s->start_ns) / 1000;
    return &s->collector.totals;
}

static void on_ordered(void *ud, const smcr_event_t *ev)
{
    session_t *s = ud;
    smcr_reporters_event(&s->reporters, ev);
}

/* --list shows what is selected, whatever a worker has told. */
static bool is_wanted(const session_t *s, size_t file, const smcr_event_t *ev)
{
    smcr_spec_t spec = {.id = ev->id, .tags = ev->tags, .lines = ev->lines};
    return ev->type != SMCR_EV_DECLARED ||
           smcr_selection_runs(&s->selection, &s->plan.files[file], spec);
}

static void on_arrival(void *ud, size_t file, smcr_event_t *ev)
{
    session_t *s = ud;
    smcr_collector_event(&s->collector, file, ev);
    smcr_failures_event(&s->failures, s->plan.files[file].path, ev);
    smcr_reporters_live(&s->reporters, ev, totals_now(s));
    if (!is_wanted(s, file, ev))
        smcr_event_deinit(ev);
    else if (!smcr_sequence_put(&s->sequence, file, ev))
        s->dropped = true;
}

static void on_tick(void *ud)
{
    session_t *s = ud;
    smcr_reporters_tick(&s->reporters, totals_now(s));
}

static unsigned choose_jobs(const session_t *s)
{
    cpu_set_t cpus;
    unsigned jobs = s->options->jobs;
    if (jobs == 0 && s->options->target == SMCR_TESTNET)
        jobs = 1; /* workers share one account and its limits */
    if (jobs == 0)
        jobs = sched_getaffinity(0, sizeof(cpus), &cpus) == 0 ? (unsigned)CPU_COUNT(&cpus) : 1;
    bool rounds = s->options->repeat > 1 || s->options->until_fail;
    return s->plan.n_files < jobs && !rounds ? (unsigned)s->plan.n_files : jobs;
}

static double choose_hang(const smcr_options_t *o)
{
    if (o->hang_s != 0)
        return o->hang_s;
    return o->clock == SMCR_CLOCK_REAL || o->allow_process ? HANG_S + 2 * o->timeout_s : HANG_S;
}

static void put_missed(const char *prefix, const char *missed)
{
    (void)fprintf(stderr, "smcrun: nothing selected by '%s", prefix);
    smcr_put_line(stderr, missed, strlen(missed));
    (void)fputs("': see smcrun --list", stderr);
    const char *end = strstr(missed, "::");
    end = end == NULL ? strrchr(missed, ':') : end;
    char *path = end == NULL ? NULL : strndup(missed, (size_t)(end - missed));
    if (path != NULL) {
        (void)fputc(' ', stderr);
        smcr_put_shell(stderr, path);
    }
    (void)fputc('\n', stderr);
    free(path);
}

/* ", none of them matches -k, --tag and --last-failed", as far as they were given. */
static void put_filters(const session_t *s)
{
    const char *given[4];
    size_t n = 0;
    if (s->selection.of_suite != NULL)
        given[n++] = "the suite's filter";
    if (s->selection.of_user != NULL)
        given[n++] = "-k";
    if (s->options->n_tags > 0)
        given[n++] = "--tag";
    if (s->selection.only_failed)
        given[n++] = "--last-failed";
    for (size_t i = 0; i < n; i++)
        (void)fprintf(stderr, "%s%s",
                      i == 0       ? ", none of them matches "
                      : i + 1 == n ? " and "
                                   : ", ",
                      given[i]);
}

/* Of the whole worker.  A sanitizer's memory is not ours. */
static uint64_t choose_memory(const smcr_options_t *o)
{
#if defined(__SANITIZE_ADDRESS__)
    (void)o;
    return UINT64_MAX;
#else
    return smcr_memory_limit(o);
#endif
}

static void explain_nothing(const session_t *s)
{
    const char *missed;
    bool said = false;
    for (size_t n = 0; (missed = smcr_collector_missed(&s->collector, n)) != NULL; n++, said = true)
        put_missed("", missed);
    for (size_t n = 0; (missed = smcr_collector_untagged(&s->collector, n)) != NULL;
         n++, said = s->collector.totals.wanted > 0 || said)
        if (s->collector.totals.wanted > 0)
            put_missed("--tag ", missed);
    if (said)
        return;
    size_t declared = s->collector.totals.declared;
    (void)fprintf(stderr, "smcrun: nothing selected: %zu spec%s in %zu file%s", declared,
                  declared == 1 ? "" : "s", s->plan.n_files, s->plan.n_files == 1 ? "" : "s");
    if (declared == 0)
        (void)fputs(": it(\"name\", function() .. end) declares one", stderr);
    else
        put_filters(s);
    (void)fputc('\n', stderr);
}

/* Nobody's fault: where few specs meet many shards, some have none. */
static void explain_empty_shard(const session_t *s)
{
    const smcr_totals_t *t = &s->collector.totals;
    if (t->wanted > 0 && t->selected == 0)
        (void)fprintf(stderr, "smcrun: shard %u/%u has none of the %zu selected specs\n",
                      s->options->shard.index, s->options->shard.count, t->wanted);
}

/* A run that was broken on purpose, or not told of, says nothing of what fails. */
static void remember_failures(const session_t *s)
{
    smc_error_t err = {0};
    if (s->options->command == SMCR_CMD_RUN && !s->alone &&
        s->options->sabotage == SMCR_NO_SABOTAGE &&
        smcr_failures_save(&s->failures, &err) != SMC_OK)
        (void)complain(SMCR_EXIT_PASSED, "warning: what failed is not remembered: ", &err);
}

/* Told whatever else has failed. */
static void explain_missing(const session_t *s)
{
    const char *venue;
    bool missed;
    for (size_t n = 0; (venue = smcr_collector_unmet(&s->collector, n, &missed)) != NULL; n++)
        (void)fprintf(stderr, "smcrun: --require %s: %s\n", venue,
                      missed ? "its specs are skipped, for it has no credentials"
                             : "no spec that has run talks to it");
    if (!smcr_collector_idle(&s->collector))
        return;
    if (s->collector.totals.not_allowed > 0)
        (void)fputs(
            "smcrun: nothing has run: its specs start programs, which wants --allow-process\n",
            stderr);
    if (s->collector.totals.without_credentials > 0)
        (void)fputs("smcrun: nothing has run for want of credentials: see the reasons of the "
                    "skipped specs (-v)\n",
                    stderr);
}

/* whole: else part of it was not run, for want of memory, processes or descriptors. */
static smcr_exit_t finish(session_t *s, bool whole)
{
    smcr_sequence_flush(&s->sequence);
    smcr_exit_t status = whole ? smcr_collector_exit(&s->collector) : SMCR_EXIT_INTERNAL;
    s->collector.totals.exit = (int)status;
    if (status == SMCR_EXIT_NOTHING)
        explain_nothing(s);
    else if (whole)
        explain_empty_shard(s);
    remember_failures(s);
    if (s->options->command == SMCR_CMD_RUN && whole && status != SMCR_EXIT_INTERRUPTED)
        explain_missing(s);
    bool written = smcr_reporters_end(&s->reporters, totals_now(s));
    if (s->dropped)
        (void)fputs("smcrun: out of memory: reports are not complete\n", stderr);
    return written && !s->dropped ? status : SMCR_EXIT_INTERNAL;
}

/* One worker alone is faster with what it needs itself.  Where this fails, as with little memory, workers tell why. */
static void warm_up(session_t *s)
{
    bool several = s->plan.n_files > 1 || s->options->repeat > 1 || s->options->until_fail;
    smc_error_t err = {0};
    if (several && smcr_worker_warm(&s->run, &s->warm, &err) == SMC_OK)
        s->run.warm = s->warm;
}

static smcr_exit_t execute(session_t *s)
{
    smc_error_t err = {0};
    smcr_run_info_t info = {.options = s->options, .n_files = s->plan.n_files};
    for (size_t i = 0; i < s->plan.n_files; i++) {
        size_t width = smcr_width(s->plan.files[i].path);
        info.widest = width > info.widest ? width : info.widest;
    }
    if (smcr_collector_init(&s->collector, &s->run, &err) != SMC_OK ||
        smcr_sequence_init(&s->sequence, s->plan.n_files, on_ordered, s, &err) != SMC_OK)
        return complain(SMCR_EXIT_INTERNAL, "", &err);
    smcr_pool_conf_t conf = {.run = &s->run,
                             .jobs = choose_jobs(s),
                             .hang_s = choose_hang(s->options),
                             .memory_bytes = choose_memory(s->options),
                             .grace_s = s->journal.fd < 0 ? GRACE_S : GRACE_TESTNET_S,
                             .sink = on_arrival,
                             .tick = on_tick,
                             .ud = s};
    s->start_ns = smc_clock_real_ns();
    smc_loop_sweep(0); /* what runs have left that were killed with all of their workers */
    smc_tmpdir_sweep(0);
    warm_up(s);
    smcr_reporters_start(&s->reporters, &info);
    smcr_pool_end_t outcome = {0};
    smc_code_t rc = smcr_pool_run(&conf, &outcome, &err);
    smcr_totals_t *t = &s->collector.totals;
    t->signal = outcome.signal;
    t->stopped = outcome.stopped && (t->files_ended < s->plan.n_files || t->files_cut > 0);
    s->dropped = s->dropped || outcome.lost;
    smcr_exit_t status = finish(s, rc == SMC_OK);
    return rc == SMC_OK ? status : complain(SMCR_EXIT_INTERNAL, "", &err);
}

smcr_exit_t smcr_run(smcr_options_t *options)
{
    return smcr_run_with(options, NULL, true);
}

smcr_exit_t smcr_run_with(smcr_options_t *options, smcr_reporter_t *reporter, bool also_told)
{
    session_t s = {
        .options = options, .journal = {.fd = -1}, .reporter = reporter, .alone = !also_told};
    smcr_exit_t status = prepare(&s);
    if (status == SMCR_EXIT_PASSED)
        status = execute(&s);
    smcb_close(s.warm);
    smcr_reporters_close(&s.reporters);
    close_journal(&s);
    smcr_sequence_deinit(&s.sequence);
    smcr_collector_deinit(&s.collector);
    smcr_access_deinit(&s.access);
    smcr_failures_deinit(&s.failures);
    smcr_selection_deinit(&s.selection);
    smcr_suite_deinit(&s.suite);
    smcr_plan_deinit(&s.plan);
    return status;
}
