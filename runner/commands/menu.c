#include "commands/menu.h"

#include "commands/menu_failures.h"
#include "commands/prompt.h"
#include "options/default_path.h"
#include "report/text.h"
#include "run/run.h"
#include "select/suite.h"

#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_SUITES = 64, ANY_SUITE = 0, WIDTH = 80 };

static const char *const venues[] = {"all", "binance", "bybit", "oanda", NULL};

typedef struct menu {
    const smcr_options_t *base;
    smcr_prompt_t *prompt;
    char folder[PATH_MAX];    /* of scenarios; "" when paths were named */
    char *suites[MAX_SUITES]; /* of its suites.lua, or else its folders; [ANY_SUITE] is all of it */
    bool are_folders;
    size_t n_suites;
    size_t suite;
    size_t venue;
    smcr_target_t target;
    smcr_menu_failures_t failures; /* of the last run */
    smcr_options_t last;           /* what it was */
    smcr_exit_t worst;
    bool over;
} menu_t;

smcr_exit_t smcr_worse(smcr_exit_t a, smcr_exit_t b)
{
    static const smcr_exit_t order[] = {SMCR_EXIT_PASSED,      SMCR_EXIT_NOTHING, SMCR_EXIT_MISSING,
                                        SMCR_EXIT_USAGE,       SMCR_EXIT_FAILED,  SMCR_EXIT_ERROR,
                                        SMCR_EXIT_INTERRUPTED, SMCR_EXIT_INTERNAL};
    for (size_t i = sizeof(order) / sizeof(order[0]); i-- > 0;)
        if (a == order[i] || b == order[i])
            return order[i];
    return SMCR_EXIT_INTERNAL;
}

/* ---- what can be chosen --------------------------------------------------------- */

static int is_shown(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static bool is_folder(const char *folder, const char *name)
{
    char path[PATH_MAX];
    struct stat st;
    int n = snprintf(path, sizeof(path), "%s/%s", folder, name);
    return n > 0 && (size_t)n < sizeof(path) && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* False: there is no suites.lua; what is wrong with one is said. */
static bool read_suites(menu_t *m)
{
    smcr_suite_t names = {0};
    smc_error_t err = {0};
    char *why = NULL;
    smc_code_t rc = smcr_suite_names(m->folder, &names, &why, &err);
    for (size_t i = 0; i < names.n_paths && m->n_suites < MAX_SUITES; i++) {
        m->suites[m->n_suites++] = names.paths[i];
        names.paths[i] = NULL;
    }
    if (rc != SMC_OK)
        smcr_put_lines(stdout, "", why == NULL ? err.detail : why);
    smcr_suite_deinit(&names);
    free(why);
    return rc == SMC_OK;
}

static void find_folders(menu_t *m)
{
    struct dirent **entries;
    int n = scandir(m->folder, &entries, is_shown, alphasort);
    for (int i = 0; i < n; i++) {
        if (m->n_suites < MAX_SUITES && is_folder(m->folder, entries[i]->d_name))
            m->suites[m->n_suites++] = strdup(entries[i]->d_name);
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
}

static void find_suites(menu_t *m)
{
    char path[PATH_MAX + sizeof("/suites.lua")];
    m->suites[m->n_suites++] = strdup("all");
    if (m->base->n_paths > 0 || smcr_default_path(m->folder, NULL) != SMC_OK)
        return;
    (void)snprintf(path, sizeof(path), "%s/suites.lua", m->folder);
    m->are_folders = access(path, F_OK) != 0 || !read_suites(m);
    if (m->are_folders)
        find_folders(m);
}

static const char *suite_name(const menu_t *m, size_t i)
{
    return m->suites[i] == NULL ? "" : m->suites[i];
}

static void put_choices(const menu_t *m)
{
    (void)printf("\n  suite   %-16s", suite_name(m, m->suite));
    size_t column = 26;
    for (size_t i = 0; i < m->n_suites; i++) {
        size_t width = strlen(suite_name(m, i)) + 6;
        if (column + width > WIDTH) {
            (void)printf("\n%26s", "");
            column = 26;
        }
        (void)printf("%zu %s   ", i + 1, suite_name(m, i));
        column += width;
    }
    (void)printf("\n  venue   %-16sv NAME: all, binance, bybit, oanda\n"
                 "  target  %-16st: the other one\n\n"
                 "  r: run",
                 venues[m->venue], smcr_target_text(m->target));
    if (m->failures.n > 0)
        (void)printf("   f: the %zu that failed   f N: the transcript of one\n"
                     "  again: run them again",
                     m->failures.n);
    (void)puts("   q: leave");
}

/* ---- running ---------------------------------------------------------------------- */

/* Ctrl-C before the run listens to it, and after its end, is meant for the run: it does not kill the menu. */
static smcr_exit_t run_shielded(smcr_options_t *o, smcr_reporter_t *reporter)
{
    sigset_t interrupt, before;
    const struct timespec at_once = {0};
    (void)sigemptyset(&interrupt);
    (void)sigaddset(&interrupt, SIGINT);
    (void)sigprocmask(SIG_BLOCK, &interrupt, &before);
    smcr_exit_t status = smcr_run_with(o, reporter, true);
    while (sigtimedwait(&interrupt, NULL, &at_once) > 0) {
    }
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    return status;
}

static void run_these(menu_t *m, smcr_options_t *o)
{
    smcr_menu_failures_t failures;
    smcr_menu_failures_init(&failures);
    smcr_exit_t status = run_shielded(o, &failures.head);
    m->worst = smcr_worse(m->worst, status);
    m->last = *o;
    m->over = failures.signal != 0 && failures.signal != SIGINT; /* told to end */
    smcr_menu_failures_deinit(&m->failures);
    m->failures = failures;
}

/* -k of the command line, and the venue. */
static bool make_expr(const menu_t *m, char *out, size_t size)
{
    const char *given = m->base->expr;
    int n = m->venue == 0   ? snprintf(out, size, "%s", given == NULL ? "" : given)
            : given == NULL ? snprintf(out, size, "%s", venues[m->venue])
                            : snprintf(out, size, "(%s) and %s", given, venues[m->venue]);
    return n >= 0 && (size_t)n < size;
}

static void run_chosen(menu_t *m)
{
    char path[PATH_MAX], expr[1024];
    const char *paths[] = {path};
    smcr_options_t o = *m->base;
    if (m->n_suites > 1)
        o.suite = NULL; /* that of the command line was the first choice */
    if (m->suite != ANY_SUITE && !m->are_folders) {
        o.suite = suite_name(m, m->suite);
    } else if (m->suite != ANY_SUITE) {
        int n = snprintf(path, sizeof(path), "%s/%s", m->folder, suite_name(m, m->suite));
        if (n < 0 || (size_t)n >= sizeof(path))
            return;
        o.paths = paths;
        o.n_paths = 1;
    }
    if (!make_expr(m, expr, sizeof(expr))) {
        (void)puts("-k is too long to be joined with a venue");
        return;
    }
    o.command = SMCR_CMD_RUN;
    o.expr = expr[0] == '\0' ? NULL : expr;
    o.target = m->target;
    o.clock = m->target == SMCR_TESTNET         ? SMCR_CLOCK_REAL
              : m->base->target == SMCR_TESTNET ? SMCR_CLOCK_VIRTUAL
                                                : m->base->clock;
    run_these(m, &o);
    m->last.paths = NULL; /* they are gone with this call */
    m->last.expr = NULL;
}

/* With the seed of the run in which they failed. */
static void run_failed(menu_t *m)
{
    smcr_options_t o = m->last;
    size_t n = m->failures.n;
    if (n == 0) {
        (void)puts("nothing has failed in the last run");
        return;
    }
    smcr_menu_failures_t before = m->failures; /* the ids are its own */
    const char **ids = calloc(n, sizeof(*ids));
    if (ids == NULL)
        return;
    for (size_t i = 0; i < n; i++)
        ids[i] = before.all[i].id;
    m->failures = (smcr_menu_failures_t){0};
    o.paths = ids;
    o.n_paths = n;
    o.suite = NULL;
    o.has_seed = true;
    run_these(m, &o);
    m->last.paths = NULL;
    free(ids);
    smcr_menu_failures_deinit(&before);
}

/* ---- commands ---------------------------------------------------------------------- */

static void choose_venue(menu_t *m, const char *name)
{
    for (size_t i = 0; venues[i] != NULL; i++)
        if (strcasecmp(venues[i], name) == 0) {
            m->venue = i;
            return;
        }
    if (name[0] != '\0') {
        (void)fputs("there is no venue '", stdout);
        smcr_put_line(stdout, name, strnlen(name, WIDTH));
        (void)fputs("'; ", stdout);
    }
    (void)puts("v NAME: all, binance, bybit or oanda");
}

static void change_target(menu_t *m)
{
    if (m->target == SMCR_SANDBOX && m->base->sabotage != SMCR_NO_SABOTAGE)
        (void)puts("--sabotage was given: only a sandbox can be sabotaged");
    else
        m->target = m->target == SMCR_SANDBOX ? SMCR_TESTNET : SMCR_SANDBOX;
}

/* rest: "", "N" or "N all" */
static void look(const menu_t *m, const char *rest)
{
    char *end;
    unsigned long n = strtoul(rest, &end, 10);
    bool whole = strcmp(end, " all") == 0;
    if (m->failures.n == 0)
        (void)puts("nothing has failed in the last run");
    else if (rest[0] == '\0')
        smcr_menu_failures_list(&m->failures, stdout);
    else if (!isdigit((unsigned char)rest[0]) || n < 1 || n > m->failures.n ||
             (*end != '\0' && !whole))
        (void)printf("f N: a number from 1 to %zu\n", m->failures.n);
    else
        smcr_menu_failures_show(&m->failures.all[n - 1], whole, stdout);
}

/* A suite by its number or its name. */
static bool choose_suite(menu_t *m, const char *word)
{
    char *end;
    unsigned long n = strtoul(word, &end, 10);
    if (isdigit((unsigned char)word[0]) && *end == '\0' && n >= 1 && n <= m->n_suites) {
        m->suite = n - 1;
        return true;
    }
    for (size_t i = 0; i < m->n_suites; i++)
        if (strcasecmp(suite_name(m, i), word) == 0) {
            m->suite = i;
            return true;
        }
    return false;
}

/* One line without blanks around it.  True: the choices are worth being shown again. */
static bool obey(menu_t *m, char *line)
{
    char *rest = line + strcspn(line, " \t");
    if (*rest != '\0')
        *rest++ = '\0';
    rest += strspn(rest, " \t");
    if (strcasecmp(line, "q") == 0 || strcasecmp(line, "quit") == 0 ||
        strcasecmp(line, "exit") == 0)
        m->over = true;
    else if (strcasecmp(line, "r") == 0 || strcasecmp(line, "run") == 0)
        run_chosen(m);
    else if (strcasecmp(line, "again") == 0)
        run_failed(m);
    else if (strcasecmp(line, "v") == 0)
        choose_venue(m, rest);
    else if (strcasecmp(line, "t") == 0)
        change_target(m);
    else if (strcasecmp(line, "f") == 0) {
        look(m, rest);
        return false;
    } else if (line[0] != '\0' && !choose_suite(m, line)) {
        (void)fputs("there is no '", stdout);
        smcr_put_line(stdout, line, strnlen(line, WIDTH));
        (void)puts("': one of the numbers, v, t, r, f, again or q");
        return false;
    }
    return !m->over;
}

static char *trim(char *line)
{
    line += strspn(line, " \t");
    size_t n = strlen(line);
    while (n > 0 && (line[n - 1] == ' ' || line[n - 1] == '\t'))
        line[--n] = '\0';
    return line;
}

static void talk(menu_t *m)
{
    bool show = true;
    while (!m->over) {
        smc_buf_t line = {0};
        if (show)
            put_choices(m);
        smcr_line_t got = smcr_prompt_read(m->prompt, "smcrun> ", &line);
        if (got == SMCR_INPUT_ENDS)
            m->over = true;
        else if (got == SMCR_BROKEN_OFF)
            (void)puts("q leaves");
        show = got == SMCR_LINE && (line.data == NULL || obey(m, trim(line.data)));
        smc_buf_deinit(&line);
    }
}

smcr_exit_t smcr_menu(const smcr_options_t *options)
{
    menu_t m = {.base = options, .target = options->target, .worst = SMCR_EXIT_PASSED};
    smcr_prompt_conf_t conf = {0};
    smc_error_t err = {0};
    if (smcr_prompt_open(&conf, &m.prompt, &err) != SMC_OK) {
        (void)fputs("smcrun: ", stderr);
        smcr_put_lines(stderr, "", err.detail);
        return SMCR_EXIT_USAGE;
    }
    find_suites(&m);
    if (options->suite != NULL && m.n_suites > 1 && !choose_suite(&m, options->suite))
        (void)printf("there is no suite '%s'\n", options->suite);
    talk(&m);
    bool told = smcr_prompt_is_told();
    smcr_prompt_close(m.prompt);
    smcr_menu_failures_deinit(&m.failures);
    for (size_t i = 0; i < m.n_suites; i++)
        free(m.suites[i]);
    if (told)
        m.worst = smcr_worse(m.worst, SMCR_EXIT_INTERRUPTED);
    return fflush(stdout) == 0 ? m.worst : SMCR_EXIT_INTERNAL;
}
