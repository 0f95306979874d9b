#include "run/watch.h"

#include "options/default_path.h"
#include "report/text.h"
#include "run/folders.h"
#include "run/pool.h"
#include "run/run.h"
#include "select/discover.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define OP "watch"
enum { QUIET_MS = 30 }; /* several files are often saved at once */

/* What one scenario file is made of. */
typedef struct parts {
    char *path; /* as in the plan */
    smcr_names_t files;
} parts_t;

/* A reporter that hears which files each scenario has used. */
typedef struct watch {
    smcr_reporter_t head;
    smcr_options_t *options; /* as they were given */
    parts_t *scenarios;
    size_t n;
    smcr_folders_t folders;
    int signals;
} watch_t;

/* The real path of a file that need not be there, while its folder is.  False: it is not. */
static bool real_path(const char *path, char out[PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    char folder[PATH_MAX];
    size_t n = slash == NULL ? 0 : (size_t)(slash - path);
    if (n >= sizeof(folder))
        return false;
    (void)snprintf(folder, sizeof(folder), "%.*s", n == 0 ? 1 : (int)n, slash == NULL ? "." : path);
    if (realpath(folder, out) == NULL)
        return false;
    n = strcmp(out, "/") == 0 ? 0 : strlen(out);
    return snprintf(out + n, PATH_MAX - n, "/%s", slash == NULL ? path : slash + 1) <
           (int)(PATH_MAX - n);
}

/* ---- what scenarios are made of --------------------------------------------- */

static parts_t *parts_of(watch_t *w, const char *path)
{
    for (size_t i = 0; i < w->n; i++)
        if (strcmp(w->scenarios[i].path, path) == 0)
            return &w->scenarios[i];
    return NULL;
}

static parts_t *new_parts(watch_t *w, const char *path)
{
    parts_t *grown = reallocarray(w->scenarios, w->n + 1, sizeof(*grown));
    if (grown == NULL)
        return NULL;
    w->scenarios = grown;
    grown[w->n] = (parts_t){.path = strdup(path)};
    return grown[w->n].path == NULL ? NULL : &grown[w->n++];
}

static void on_event(smcr_reporter_t *r, const smcr_event_t *ev)
{
    watch_t *w = (watch_t *)r;
    char real[PATH_MAX];
    if (ev->type != SMCR_EV_FILE_END || ev->file == NULL)
        return;
    parts_t *parts = parts_of(w, ev->file);
    if (parts == NULL && (parts = new_parts(w, ev->file)) == NULL) {
        r->failed = true;
        return;
    }
    if (ev->uses == NULL)
        return; /* it died: what it was made of before is the best guess */
    smcr_names_deinit(&parts->files);
    for (const char *at = ev->uses; *at != '\0';) {
        size_t n = strcspn(at, "\n");
        char *path = strndup(at, n);
        if (path == NULL || (real_path(path, real) && !smcr_names_add(&parts->files, real)))
            r->failed = true;
        free(path);
        at += at[n] == '\n' ? n + 1 : n;
    }
}

/* Is it that file, or, where that one's name begins with a star, one in its folder or below whose name ends so? */
static bool is_meant(const char *file, const char *changed)
{
    const char *name = strrchr(file, '/'), *its = strrchr(changed, '/');
    if (name == NULL || its == NULL || name[1] != '*')
        return strcmp(file, changed) == 0;
    size_t folder = (size_t)(name + 1 - file), end = strlen(name + 2), n = strlen(its + 1);
    return strncmp(file, changed, folder) == 0 && its[1] != '.' && n >= end &&
           strcmp(its + 1 + n - end, name + 2) == 0;
}

/* Does a change of these touch it? */
static bool is_touched(watch_t *w, const smcr_file_t *file, const smcr_names_t *changed)
{
    char real[PATH_MAX];
    if (real_path(file->path, real) && smcr_names_have(changed, real))
        return true;
    const parts_t *parts = parts_of(w, file->path);
    for (size_t i = 0; parts != NULL && i < changed->n; i++)
        for (size_t k = 0; k < parts->files.n; k++)
            if (is_meant(parts->files.all[k], changed->all[i]))
                return true;
    return false;
}

/* ---- runs ------------------------------------------------------------------- */

static smcr_exit_t complain(const smc_error_t *err)
{
    (void)fputs("smcrun: ", stderr);
    smcr_put_lines(stderr, "", err->detail);
    return SMCR_EXIT_INTERNAL;
}

static smc_code_t plan_files(const watch_t *w, smcr_plan_t *plan, smc_error_t *err)
{
    smc_code_t rc = SMC_OK;
    for (size_t i = 0; i < w->options->n_paths && rc == SMC_OK; i++)
        rc = smcr_discover(plan, w->options->paths[i], err);
    return rc;
}

static smc_code_t watch_folder_of(watch_t *w, const char *path, bool below, smc_error_t *err)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash == NULL ? strdup(".") : strndup(path, (size_t)(slash - path) + 1);
    smc_code_t rc = folder == NULL ? smc_fail(err, SMC_ENOMEM, OP, 0, "no memory for '%s'", path)
                                   : smcr_folders_add(&w->folders, folder, below, err);
    free(folder);
    return rc;
}

static const char *env_file(const watch_t *w)
{
    return w->options->env_file == NULL ? ".env" : w->options->env_file;
}

/* Of new folders, too: those where a file of the plan lies. */
static smc_code_t watch_folders(watch_t *w, const smcr_plan_t *plan, smc_error_t *err)
{
    smc_code_t rc = SMC_OK;
    struct stat st;
    for (size_t i = 0; i < w->options->n_paths && rc == SMC_OK; i++)
        if (stat(w->options->paths[i], &st) == 0 && S_ISDIR(st.st_mode))
            rc = smcr_folders_add(&w->folders, w->options->paths[i], true, err);
    for (size_t i = 0; i < plan->n_files && rc == SMC_OK; i++)
        rc = watch_folder_of(w, plan->files[i].path, true, err);
    return rc == SMC_OK ? watch_folder_of(w, env_file(w), false, err) : rc;
}

/* Those where the files lie that scenarios have used; below them only where others like one are meant, too. */
static smc_code_t watch_used(watch_t *w, smc_error_t *err)
{
    smc_code_t rc = SMC_OK;
    for (size_t i = 0; i < w->n; i++)
        for (size_t k = 0; k < w->scenarios[i].files.n && rc == SMC_OK; k++) {
            const char *path = w->scenarios[i].files.all[k];
            rc = watch_folder_of(w, path, strrchr(path, '/')[1] == '*', err);
        }
    return rc;
}

/* The arguments that select of these files what the given ones select of them; borrowed from the plan. */
static const char **arguments(watch_t *w, const smcr_plan_t *plan, const smcr_names_t *changed,
                              size_t *n)
{
    size_t most = 1;
    for (size_t i = 0; i < plan->n_files; i++)
        most += 1 + plan->files[i].n_asked;
    const char **paths = calloc(most, sizeof(*paths));
    for (size_t i = 0; paths != NULL && i < plan->n_files; i++) {
        const smcr_file_t *file = &plan->files[i];
        if (!is_touched(w, file, changed))
            continue;
        if (file->whole)
            paths[(*n)++] = file->path;
        for (size_t k = 0; k < file->n_asked; k++)
            paths[(*n)++] = file->asked[k].text;
    }
    return paths;
}

static bool is_env_file(const watch_t *w, const smcr_names_t *changed)
{
    char real[PATH_MAX];
    return real_path(env_file(w), real) && smcr_names_have(changed, real);
}

/* Those of the changed ones that matter. */
static void put_changed(watch_t *w, const smcr_plan_t *plan, const smcr_names_t *changed)
{
    const char *before = "\nsmcrun: changed: ";
    for (size_t i = 0; i < changed->n; i++) {
        const smcr_names_t one = {.all = &changed->all[i], .n = 1};
        const char *slash = strrchr(changed->all[i], '/');
        bool matters = is_env_file(w, &one);
        for (size_t k = 0; k < plan->n_files && !matters; k++)
            matters = is_touched(w, &plan->files[k], &one);
        if (!matters || slash == NULL)
            continue;
        (void)fputs(before, stderr);
        smcr_put_line(stderr, slash + 1, strlen(slash + 1));
        before = ", ";
    }
    (void)fputs(before[0] == ',' ? "\n" : "\nsmcrun: too much has changed\n", stderr);
}

/* Runs what the change touches; false, and *status stays, when that is nothing.  everything: whatever has changed. */
static bool run_touched(watch_t *w, const smcr_names_t *changed, bool everything,
                        smcr_exit_t *status)
{
    smcr_options_t options = *w->options;
    smcr_plan_t plan = {0};
    smc_error_t err = {0};
    const char **paths = NULL;
    size_t n = 0;
    smc_code_t rc = plan_files(w, &plan, &err);
    if (rc == SMC_OK)
        rc = watch_folders(w, &plan, &err);
    if (rc == SMC_OK && !everything) {
        paths = arguments(w, &plan, changed, &n);
        options.paths = paths;
        options.n_paths = n;
        options.n_required = 0; /* of the whole only */
    }
    if (rc != SMC_OK) {
        (void)complain(&err);
    } else if (everything || n > 0) {
        put_changed(w, &plan, changed);
        *status = smcr_run_with(&options, &w->head, true);
    }
    free(paths);
    smcr_plan_deinit(&plan);
    return rc != SMC_OK || everything || n > 0;
}

/* ---- waiting ------------------------------------------------------------------ */

/* Waits until files have changed, and for a moment in which nothing more does.  False: a signal has come, or *err. */
static bool wait_for_change(watch_t *w, smcr_names_t *changed, bool *lost, smc_error_t *err)
{
    struct pollfd polled[] = {{.fd = w->signals, .events = POLLIN},
                              {.fd = w->folders.fd, .events = POLLIN}};
    for (;;) {
        bool some = changed->n > 0 || *lost;
        int ready = poll(polled, 2, some ? QUIET_MS : -1);
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready == 0)
            return true;
        if (polled[0].revents != 0) {
            struct signalfd_siginfo info; /* it would strike when signals are let through again */
            while (read(w->signals, &info, sizeof(info)) > 0) {
            }
            return false;
        }
        if (ready < 0 || smcr_folders_read(&w->folders, changed, lost, err) != SMC_OK)
            return false;
    }
}

static smcr_exit_t watch(watch_t *w, smcr_exit_t status)
{
    smc_error_t err = {0};
    bool ran = true;
    while (status != SMCR_EXIT_INTERRUPTED && status != SMCR_EXIT_INTERNAL) {
        smcr_names_t changed = {0};
        bool lost = false;
        (void)fflush(stdout);
        if (ran && watch_used(w, &err) != SMC_OK)
            (void)complain(&err);
        err = (smc_error_t){0};
        if (ran)
            (void)fprintf(stderr, "smcrun: watching %zu %s; Ctrl-C ends\n", w->folders.n,
                          w->folders.n == 1 ? "folder" : "folders");
        bool more = wait_for_change(w, &changed, &lost, &err);
        if (more)
            ran = run_touched(w, &changed, lost || is_env_file(w, &changed), &status);
        smcr_names_deinit(&changed);
        if (!more)
            return err.code == SMC_OK ? status : complain(&err);
    }
    return status;
}

static smc_code_t open_watch(watch_t *w, const sigset_t *wanted, smcr_plan_t *plan,
                             smc_error_t *err)
{
    w->signals = signalfd(-1, wanted, SFD_NONBLOCK | SFD_CLOEXEC);
    if (w->signals < 0)
        return smc_fail(err, SMC_ESYS, OP, errno, "signalfd: %s", strerror(errno));
    smc_code_t rc = smcr_folders_open(&w->folders, err);
    if (rc == SMC_OK)
        rc = plan_files(w, plan, err);
    return rc == SMC_OK ? watch_folders(w, plan, err) : rc;
}

static void close_watch(watch_t *w)
{
    for (size_t i = 0; i < w->n; i++) {
        smcr_names_deinit(&w->scenarios[i].files);
        free(w->scenarios[i].path);
    }
    free(w->scenarios);
    smcr_folders_close(&w->folders);
    if (w->signals >= 0)
        (void)close(w->signals);
}

static void on_free(smcr_reporter_t *r)
{
    (void)r; /* it outlives each run */
}

/* With the signals blocked. */
static smcr_exit_t run_and_watch(watch_t *w, const sigset_t *wanted)
{
    smcr_plan_t plan = {0};
    smc_error_t err = {0};
    smc_code_t rc = open_watch(w, wanted, &plan, &err);
    smcr_plan_deinit(&plan);
    if (rc != SMC_OK) {
        (void)complain(&err);
        return rc == SMC_ENOENT || rc == SMC_EINVAL ? SMCR_EXIT_USAGE : SMCR_EXIT_INTERNAL;
    }
    smcr_exit_t status = smcr_run_with(w->options, &w->head, true);
    return status == SMCR_EXIT_USAGE ? status : watch(w, status);
}

smcr_exit_t smcr_watch(const smcr_options_t *options)
{
    static const smcr_reporter_ops_t ops = {.event = on_event, .free = on_free};
    smcr_options_t given = *options;
    watch_t w = {.head = {.ops = &ops}, .options = &given, .folders = {.fd = -1}, .signals = -1};
    sigset_t wanted, before;
    char path[PATH_MAX];
    const char *paths[] = {path};
    smc_error_t err = {0};
    if (given.n_paths == 0 && smcr_default_path(path, &err) != SMC_OK) {
        (void)complain(&err);
        return SMCR_EXIT_USAGE;
    }
    if (given.n_paths == 0) {
        given.paths = paths;
        given.n_paths = 1;
    }
    smcr_exit_t status = smcr_draw_seed(&given);
    if (status != SMCR_EXIT_PASSED)
        return status;
    given.has_seed = true;
    smcr_choose_signals(&wanted);
    (void)sigprocmask(SIG_BLOCK, &wanted, &before);
    status = run_and_watch(&w, &wanted);
    close_watch(&w);
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    return status;
}
