#include "run.h"

#include "access.h"
#include "default_path.h"
#include "journal.h"
#include "pool.h"
#include "reporters.h"
#include "sequence.h"
#include "text.h"

#include "smc/clock.h"

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
    smcr_expr_t *expr;
    smcr_access_t access;
    smcr_journal_t journal;
    smcr_run_t run;
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

static smc_code_t discover_default(smcr_plan_t *plan, smc_error_t *err)
{
    char path[PATH_MAX];
    smc_code_t rc = smcr_default_path(path, err);
    return rc == SMC_OK ? smcr_discover(plan, path, err) : rc;
}

static smcr_exit_t find_files(session_t *s)
{
    smc_error_t err = {0};
    smc_code_t rc = s->options->n_paths == 0 ? discover_default(&s->plan, &err) : SMC_OK;
    for (size_t i = 0; rc == SMC_OK && i < s->options->n_paths; i++)
        rc = smcr_discover(&s->plan, s->options->paths[i], &err);
    if (rc != SMC_OK)
        return complain(rc == SMC_ENOMEM ? SMCR_EXIT_INTERNAL : SMCR_EXIT_USAGE, "", &err);
    if (s->plan.n_files > 0)
        return SMCR_EXIT_PASSED;
    (void)fputs("smcrun: nothing to run: no Lua file lies there\n", stderr);
    return SMCR_EXIT_NOTHING;
}

static smcr_exit_t read_expr(session_t *s)
{
    smc_error_t err = {0};
    if (s->options->expr == NULL || smcr_expr_parse(s->options->expr, &s->expr, &err) == SMC_OK)
        return SMCR_EXIT_PASSED;
    (void)fprintf(stderr, "smcrun: -k '%s'\n", s->options->expr);
    return complain(SMCR_EXIT_USAGE, "", &err);
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
        status = read_expr(s);
    if (status == SMCR_EXIT_PASSED)
        status = smcr_access_load(&s->access, s->options);
    if (status == SMCR_EXIT_PASSED)
        status = smcr_draw_seed(s->options);
    if (status == SMCR_EXIT_PASSED)
        status = open_journal(s);
    if (status != SMCR_EXIT_PASSED)
        return status;
    s->run = (smcr_run_t){.options = s->options,
                          .plan = &s->plan,
                          .expr = s->expr,
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
    return ev->type != SMCR_EV_DECLARED ||
           smcr_run_selects(&s->run, &s->plan.files[file], ev->id, ev->tags);
}

static void on_arrival(void *ud, size_t file, smcr_event_t *ev)
{
    session_t *s = ud;
    smcr_collector_event(&s->collector, file, ev);
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
    return s->plan.n_files < jobs ? (unsigned)s->plan.n_files : jobs;
}

static double choose_hang(const smcr_options_t *o)
{
    if (o->hang_s != 0)
        return o->hang_s;
    return o->clock == SMCR_CLOCK_REAL ? HANG_S + 2 * o->timeout_s : HANG_S;
}

static void explain_nothing(const session_t *s)
{
    const char *missed;
    for (size_t n = 0; (missed = smcr_collector_missed(&s->collector, n)) != NULL; n++) {
        (void)fputs("smcrun: nothing selected by '", stderr);
        smcr_put_line(stderr, missed, strlen(missed));
        (void)fputs("': see smcrun --list\n", stderr);
    }
    if (s->collector.totals.selected == 0 && smcr_collector_missed(&s->collector, 0) == NULL)
        (void)fprintf(stderr, "smcrun: nothing selected: %zu specs in %zu files%s\n",
                      s->collector.totals.declared, s->plan.n_files,
                      s->expr == NULL ? "" : ", none of them matches -k");
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
    if (smcr_collector_idle(&s->collector))
        (void)fputs("smcrun: nothing has run for want of credentials: see the reasons of the "
                    "skipped specs (-v)\n",
                    stderr);
}

static smcr_exit_t finish(session_t *s)
{
    smcr_sequence_flush(&s->sequence);
    smcr_exit_t status = smcr_collector_exit(&s->collector);
    s->collector.totals.exit = (int)status;
    if (status == SMCR_EXIT_NOTHING)
        explain_nothing(s);
    if (s->options->command == SMCR_CMD_RUN && status != SMCR_EXIT_INTERRUPTED)
        explain_missing(s);
    bool written = smcr_reporters_end(&s->reporters, totals_now(s));
    if (s->dropped)
        (void)fputs("smcrun: out of memory: reports are not complete\n", stderr);
    return written && !s->dropped ? status : SMCR_EXIT_INTERNAL;
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
                             .grace_s = s->journal.fd < 0 ? GRACE_S : GRACE_TESTNET_S,
                             .sink = on_arrival,
                             .tick = on_tick,
                             .ud = s};
    s->start_ns = smc_clock_real_ns();
    smcr_reporters_start(&s->reporters, &info);
    smc_code_t rc = smcr_pool_run(&conf, &s->collector.totals.signal, &err);
    smcr_exit_t status = finish(s);
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
    smcr_reporters_close(&s.reporters);
    close_journal(&s);
    smcr_sequence_deinit(&s.sequence);
    smcr_collector_deinit(&s.collector);
    smcr_access_deinit(&s.access);
    smcr_expr_free(s.expr);
    smcr_plan_deinit(&s.plan);
    return status;
}
