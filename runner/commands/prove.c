#include "commands/prove.h"

#include "commands/verdicts.h"
#include "report/text.h"
#include "run/run.h"
#include "run/sabotage.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* What one sabotage came to. */
typedef struct trial {
    smcr_sabotage_t sabotage;
    bool *caught; /* for each spec; a part of the proof's */
    size_t n_caught;
} trial_t;

typedef struct proof {
    smcr_options_t *options;
    smcr_verdicts_t specs; /* of the run as it is */
    size_t n_passed;
    trial_t trials[SMCR_SABOTAGE_END];
    size_t n_trials;
    bool *caught; /* of all trials, one behind the other */
} proof_t;

static char letter(size_t trial)
{
    return (char)('a' + trial); /* at most SMCR_SABOTAGE_END - 1 of them */
}

/* ---- running ------------------------------------------------------------- */

/* One that fails is run again, for people to see. */
static smcr_exit_t run_as_it_is(proof_t *p)
{
    smcr_exit_t status = smcr_draw_seed(p->options);
    p->options->has_seed = true;
    smcr_verdicts_init(&p->specs);
    if (status == SMCR_EXIT_PASSED)
        status = smcr_run_with(p->options, &p->specs.head, false);
    if (status == SMCR_EXIT_FAILED || status == SMCR_EXIT_ERROR) {
        (void)smcr_run(p->options);
        (void)fputs("smcrun: prove wants specs that pass: mend these first\n", stderr);
    }
    for (size_t i = 0; i < p->specs.n; i++)
        p->n_passed += p->specs.all[i].status == SMCR_PASS ? 1 : 0;
    return status;
}

/* On a terminal that is too narrow for whole rows --help has to say what each sabotage is. */
static bool has_room(void)
{
    enum { ROW = 116 };
    struct winsize size;
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_col >= ROW;
}

static void put_trial(const proof_t *p, const trial_t *t, size_t index)
{
    (void)printf("  %c %-21s ", letter(index), smcr_sabotage_text(t->sabotage));
    if (has_room())
        (void)printf("%-55s ", smcr_sabotage_doc(t->sabotage));
    (void)printf("%4zu of %zu fail%s\n", t->n_caught, p->n_passed,
                 t->n_caught == 0 ? "  <- nobody notices" : "");
    (void)fflush(stdout);
}

/* A run that did not come about, or has left out a spec, says nothing of who notices.  lost: that spec's id, or NULL.
 * Returns what prove ends with, after a complaint; PASSED: the run can be judged. */
static smcr_exit_t must_have_run(const trial_t *t, smcr_exit_t status, const char *lost)
{
    bool ran =
        status == SMCR_EXIT_PASSED || status == SMCR_EXIT_FAILED || status == SMCR_EXIT_ERROR;
    if (ran && lost == NULL)
        return SMCR_EXIT_PASSED;
    if (status == SMCR_EXIT_INTERRUPTED)
        return status;
    (void)fprintf(stderr, "smcrun: prove: under the sabotage '%s' ",
                  smcr_sabotage_text(t->sabotage));
    if (!ran) {
        (void)fprintf(stderr, "nothing has run (exit status %d): nothing is proved\n", (int)status);
        return status;
    }
    smcr_put_line(stderr, lost, strlen(lost));
    (void)fputs(" did not run, though it did before: nothing is proved\n", stderr);
    return SMCR_EXIT_ERROR;
}

/* Specs that fail, err or crash have caught it, and so have those of a file whose teardown fails. */
static smcr_exit_t run_trial(proof_t *p, smcr_sabotage_t sabotage)
{
    smcr_options_t options = *p->options;
    smcr_verdicts_t broken;
    const char *lost = NULL;
    trial_t *t = &p->trials[p->n_trials];
    *t = (trial_t){.sabotage = sabotage, .caught = p->caught + p->n_trials * p->specs.n};
    p->n_trials++;
    options.sabotage = sabotage;
    smcr_verdicts_init(&broken);
    smcr_exit_t status = smcr_run_with(&options, &broken.head, false);
    for (size_t i = 0; i < p->specs.n; i++) {
        if (p->specs.all[i].status != SMCR_PASS)
            continue;
        smcr_status_t ended = smcr_verdicts_find(&broken, p->specs.all[i].id);
        t->caught[i] = ended == SMCR_FAIL || ended == SMCR_ERROR ||
                       smcr_verdicts_file_failed(&broken, p->specs.all[i].id);
        t->n_caught += t->caught[i] ? 1 : 0;
        if (ended == SMCR_NONE && lost == NULL)
            lost = p->specs.all[i].id;
    }
    smcr_verdicts_deinit(&broken);
    status = must_have_run(t, status, lost);
    if (status == SMCR_EXIT_PASSED)
        put_trial(p, t, p->n_trials - 1);
    return status;
}

/* ---- telling --------------------------------------------------------------- */

/* "file::names" -> names, behind a line with the file when it is another one than before. */
static const char *put_file(const char *id, const char *before)
{
    const char *colons = strstr(id, "::");
    size_t n = colons == NULL ? strlen(id) : (size_t)(colons - id);
    if (before == NULL || strncmp(id, before, n + 2) != 0) {
        (void)fputs("  ", stdout);
        smcr_put_line(stdout, id, n);
        (void)fputc('\n', stdout);
    }
    return colons == NULL ? id : colons + 2;
}

static bool is_vacuous(const proof_t *p, size_t spec)
{
    for (size_t t = 0; t < p->n_trials; t++)
        if (p->trials[t].caught[spec])
            return false;
    return p->specs.all[spec].status == SMCR_PASS;
}

static void put_matrix(const proof_t *p)
{
    (void)fputs("\n  ", stdout);
    for (size_t t = 0; t < p->n_trials; t++)
        (void)fputc(letter(t), stdout);
    (void)fputs("   x: it fails, as it should\n", stdout);
    const char *before = NULL;
    for (size_t i = 0; i < p->specs.n; i++) {
        if (p->specs.all[i].status != SMCR_PASS)
            continue;
        const char *name = put_file(p->specs.all[i].id, before);
        before = p->specs.all[i].id;
        (void)fputs("  ", stdout);
        for (size_t t = 0; t < p->n_trials; t++)
            (void)fputc(p->trials[t].caught[i] ? 'x' : '.', stdout);
        (void)fputs("   ", stdout);
        smcr_put_lines(stdout, "", name);
    }
}

/* Returns how many specs no sabotage makes fail. */
static size_t put_vacuous(const proof_t *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->specs.n; i++) {
        if (!is_vacuous(p, i))
            continue;
        if (n++ == 0)
            (void)fputs("\nvacuous: these pass whatever is broken\n", stdout);
        smcr_put_lines(stdout, "  ", p->specs.all[i].id);
    }
    return n;
}

static size_t put_unnoticed(const proof_t *p)
{
    size_t n = 0;
    for (size_t t = 0; t < p->n_trials; t++) {
        if (p->trials[t].n_caught > 0)
            continue;
        if (n++ == 0)
            (void)fputs("\nunnoticed: every spec passes under these\n", stdout);
        (void)printf("  %s\n", smcr_sabotage_text(p->trials[t].sabotage));
    }
    return n;
}

static smcr_exit_t tell(const proof_t *p)
{
    if (!p->options->quiet)
        put_matrix(p);
    size_t vacuous = put_vacuous(p), unnoticed = put_unnoticed(p);
    (void)printf("\n%zu spec%s, %zu vacuous; %zu sabotage%s, %zu unnoticed\n", p->n_passed,
                 p->n_passed == 1 ? "" : "s", vacuous, p->n_trials, p->n_trials == 1 ? "" : "s",
                 unnoticed);
    (void)printf("%zu passed, %zu failed, %zu skipped\n", p->n_passed - vacuous,
                 vacuous + unnoticed, p->specs.totals.skipped);
    if (fflush(stdout) != 0)
        return SMCR_EXIT_INTERNAL;
    return vacuous + unnoticed == 0 ? SMCR_EXIT_PASSED : SMCR_EXIT_FAILED;
}

smcr_exit_t smcr_prove(smcr_options_t *options)
{
    proof_t p = {.options = options};
    smcr_exit_t status = run_as_it_is(&p);
    p.caught = calloc((p.specs.n + 1) * SMCR_SABOTAGE_END, sizeof(*p.caught));
    if (p.caught == NULL)
        status = SMCR_EXIT_INTERNAL;
    if (status == SMCR_EXIT_PASSED)
        (void)printf("smcrun prove  %zu spec%s, seed %llu\n", p.n_passed,
                     p.n_passed == 1 ? "" : "s", (unsigned long long)options->seed);
    for (smcr_sabotage_t s = SMCR_DEAD; status == SMCR_EXIT_PASSED && s < SMCR_SABOTAGE_END; s++)
        if (options->sabotages == 0 || (options->sabotages >> s & 1) != 0)
            status = run_trial(&p, s);
    if (status == SMCR_EXIT_PASSED)
        status = tell(&p);
    free(p.caught);
    smcr_verdicts_deinit(&p.specs);
    return status;
}
