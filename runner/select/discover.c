#include "select/discover.h"

#include "options/config.h"

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OP "discover"
#define MAX_DEPTH 64 /* of folders: a symbolic link may lead in circles */

static smc_code_t no_memory(smc_error_t *err)
{
    return smc_fail(err, SMC_ENOMEM, OP, 0, "no memory for the list of files");
}

static bool is_lua(const char *path)
{
    size_t n = strlen(path);
    return n > 4 && strcmp(path + n - 4, ".lua") == 0;
}

/* What is left of the path below the folder, when it is. */
static const char *below(const char *path, const char *folder)
{
    size_t n = folder == NULL ? 0 : strlen(folder);
    if (n < 2 || strncmp(path, folder, n) != 0 || (path[n] != '/' && path[n] != '\0'))
        return path;
    path += n + strspn(path + n, "/");
    return path[0] == '\0' ? "." : path;
}

/* An absolute path below the working folder -> relative to it, by the name that the shell knows it by, or the real one. */
static const char *shorten(const char *path, char **folder)
{
    *folder = path[0] == '/' ? get_current_dir_name() : NULL;
    const char *rest = below(path, *folder);
    if (path[0] != '/' || rest != path)
        return rest;
    free(*folder);
    *folder = getcwd(NULL, 0);
    return below(path, *folder);
}

/* "./a//b.lua" -> "a/b.lua": one file has one name. */
static char *tidy(const char *given)
{
    char *folder;
    const char *path = shorten(given, &folder);
    while (path[0] == '.' && path[1] == '/') {
        path += 2;
        path += strspn(path, "/");
    }
    char *out = malloc(strlen(path) + 2);
    size_t n = 0;
    for (const char *p = path; out != NULL && *p != '\0'; p++)
        if (*p != '/' || n == 0 || out[n - 1] != '/')
            out[n++] = *p;
    free(folder);
    if (out == NULL)
        return NULL;
    if (n == 0)
        out[n++] = '.';
    out[n] = '\0';
    return out;
}

/* Of a path that leads out of the working folder only the last part means something: the others are where the tree
 * happens to lie, on this machine. */
static size_t words_in(const char *path)
{
    const char *slash = strrchr(path, '/');
    bool leads_out = path[0] == '/' || strncmp(path, "../", 3) == 0;
    return leads_out && slash != NULL ? (size_t)(slash - path) + 1 : 0;
}

static smcr_file_t *find(smcr_plan_t *plan, const struct stat *st)
{
    for (size_t i = 0; i < plan->n_files; i++)
        if (plan->files[i].dev == st->st_dev && plan->files[i].ino == st->st_ino)
            return &plan->files[i];
    return NULL;
}

/* rest: "::describe::it" or ":12" */
static smc_code_t add_asked(smcr_file_t *file, const char *rest, smc_error_t *err)
{
    size_t n = strlen(file->path) + strlen(rest) + 1;
    char *text = malloc(n);
    smcr_asked_t *grown =
        text == NULL ? NULL : reallocarray(file->asked, file->n_asked + 1, sizeof(*grown));
    if (grown == NULL) {
        free(text);
        return no_memory(err);
    }
    (void)snprintf(text, n, "%s%s", file->path, rest);
    file->asked = grown;
    file->asked[file->n_asked++] =
        (smcr_asked_t){.text = text, .line = rest[1] == ':' ? 0 : strtoll(rest + 1, NULL, 10)};
    return SMC_OK;
}

/* rest: "::describe::it" or ":12", or "" for the whole file. */
static smc_code_t add_file(smcr_plan_t *plan, const char *path, const struct stat *st,
                           const char *rest, smc_error_t *err)
{
    smcr_file_t *file = find(plan, st);
    if (file == NULL) {
        smcr_file_t *grown = reallocarray(plan->files, plan->n_files + 1, sizeof(*grown));
        if (grown == NULL)
            return no_memory(err);
        plan->files = grown;
        file = &plan->files[plan->n_files];
        *file = (smcr_file_t){
            .path = tidy(path), .words = plan->_words, .dev = st->st_dev, .ino = st->st_ino};
        if (file->path == NULL)
            return no_memory(err);
        plan->n_files++;
    }
    if (rest[0] != '\0')
        return add_asked(file, rest, err);
    file->whole = true;
    return SMC_OK;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name); /* not alphasort: that follows the locale */
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static smc_code_t add_folder(smcr_plan_t *plan, const char *path, unsigned depth, smc_error_t *err);

static smc_code_t add_entry(smcr_plan_t *plan, const char *folder, const char *name, unsigned depth,
                            smc_error_t *err)
{
    struct stat st;
    size_t n = strlen(folder) + strlen(name) + 2;
    char *path = malloc(n);
    if (path == NULL)
        return no_memory(err);
    (void)snprintf(path, n, "%s/%s", folder, name);
    smc_code_t rc = SMC_OK;
    if (stat(path, &st) != 0) {
        if (is_lua(name))
            rc = smc_fail(err, SMC_ESYS, OP, errno, "cannot read '%s': %s", path, strerror(errno));
    } else if (S_ISDIR(st.st_mode)) {
        rc = add_folder(plan, path, depth + 1, err);
    } else if (is_lua(name) && S_ISREG(st.st_mode) && strcmp(name, SMCR_CONFIG_NAME) != 0) {
        rc = add_file(plan, path, &st, "", err);
    }
    free(path);
    return rc;
}

static smc_code_t add_folder(smcr_plan_t *plan, const char *path, unsigned depth, smc_error_t *err)
{
    struct dirent **entries;
    if (depth > MAX_DEPTH)
        return smc_fail(err, SMC_EINVAL, OP, 0,
                        "'%s': folders lie too deep, or a link leads in a circle", path);
    int n = scandir(path, &entries, is_visible, by_name);
    if (n < 0)
        return smc_fail(err, SMC_ESYS, OP, errno, "cannot read the folder '%s': %s", path,
                        strerror(errno));
    smc_code_t rc = SMC_OK;
    for (int i = 0; i < n; i++) {
        if (rc == SMC_OK)
            rc = add_entry(plan, path, entries[i]->d_name, depth, err);
        free(entries[i]);
    }
    free(entries);
    return rc;
}

/* A path that exists. */
static smc_code_t add_path(smcr_plan_t *plan, const char *path, const struct stat *st,
                           const char *rest, smc_error_t *err)
{
    bool is_folder = S_ISDIR(st->st_mode);
    if (is_folder && rest[0] != '\0')
        return smc_fail(err, SMC_EINVAL, OP, 0, "'%s' is a folder: before %s goes a file", path,
                        rest[1] == ':' ? "::" : ":LINE");
    if (!is_folder && (!S_ISREG(st->st_mode) || !is_lua(path)))
        return smc_fail(err, SMC_EINVAL, OP, 0, "'%s' is no Lua file: scenario files end in .lua",
                        path);
    char *clean = tidy(path);
    if (clean == NULL)
        return no_memory(err);
    size_t n = strlen(clean);
    if (n > 1 && clean[n - 1] == '/')
        clean[n - 1] = '\0';
    plan->_words = words_in(clean);
    smc_code_t rc =
        is_folder ? add_folder(plan, clean, 0, err) : add_file(plan, clean, st, rest, err);
    free(clean);
    return rc;
}

/* "x.lua:12" -> the length of "x.lua"; 0: it is no such text. */
static size_t before_line(const char *arg)
{
    const char *colon = strrchr(arg, ':');
    if (colon == NULL || colon == arg || colon[1] == '\0' || colon[-1] == ':' ||
        strspn(colon + 1, "0123456789") != strlen(colon + 1) || strlen(colon + 1) > 9)
        return 0;
    return (size_t)(colon - arg);
}

/* A path of n bytes, and what is asked for of it. */
static smc_code_t add_part(smcr_plan_t *plan, const char *arg, size_t n, smc_error_t *err)
{
    struct stat st;
    char *path = strndup(arg, n);
    if (path == NULL)
        return no_memory(err);
    smc_code_t rc;
    if (stat(path, &st) != 0)
        rc = smc_fail(err, SMC_ENOENT, OP, errno, "'%s': %s", path, strerror(errno));
    else
        rc = add_path(plan, path, &st, arg + n, err);
    free(path);
    return rc;
}

static smc_code_t add_glob(smcr_plan_t *plan, const char *pattern, smc_error_t *err)
{
    glob_t found;
    int rc = glob(pattern, 0, NULL, &found); /* sorted; by bytes, because we never call setlocale */
    if (rc == GLOB_NOMATCH)
        return smc_fail(err, SMC_ENOENT, OP, 0, "no file matches '%s'", pattern);
    if (rc != 0)
        return smc_fail(err, SMC_ESYS, OP, errno, "cannot read what '%s' matches", pattern);
    smc_code_t code = SMC_OK;
    bool any = false;
    for (size_t i = 0; i < found.gl_pathc && code == SMC_OK; i++) {
        struct stat st;
        const char *path = found.gl_pathv[i];
        if (stat(path, &st) != 0)
            continue;
        if (!S_ISDIR(st.st_mode) && !(is_lua(path) && S_ISREG(st.st_mode)))
            continue;
        code = add_path(plan, path, &st, "", err);
        any = true;
    }
    globfree(&found);
    if (code == SMC_OK && !any)
        return smc_fail(err, SMC_ENOENT, OP, 0, "no Lua file matches '%s'", pattern);
    return code;
}

smc_code_t smcr_discover(smcr_plan_t *plan, const char *arg, smc_error_t *err)
{
    struct stat st;
    if (arg[0] == '\0')
        return smc_fail(err, SMC_EINVAL, OP, 0, "an empty path names nothing");
    if (stat(arg, &st) == 0)
        return add_path(plan, arg, &st, "", err);
    int why = errno;

    const char *colons = strstr(arg, "::");
    if (colons != NULL && colons != arg && colons[2] == '\0')
        return smc_fail(err, SMC_EINVAL, OP, 0, "'%s': behind :: goes the name of a spec", arg);
    if (colons != NULL && colons != arg)
        return add_part(plan, arg, (size_t)(colons - arg), err);
    if (before_line(arg) > 0)
        return add_part(plan, arg, before_line(arg), err);
    if (why == ENOENT && strpbrk(arg, "*?[") != NULL)
        return add_glob(plan, arg, err);
    if (why == ENOENT)
        return smc_fail(err, SMC_ENOENT, OP, why, "there is no file or folder '%s'", arg);
    return smc_fail(err, SMC_ESYS, OP, why, "cannot read '%s': %s", arg, strerror(why));
}

void smcr_plan_deinit(smcr_plan_t *plan)
{
    for (size_t i = 0; i < plan->n_files; i++) {
        smcr_file_t *file = &plan->files[i];
        for (size_t k = 0; k < file->n_asked; k++)
            free(file->asked[k].text);
        free(file->asked);
        free(file->path);
    }
    free(plan->files);
    *plan = (smcr_plan_t){0};
}

bool smcr_id_covers(const char *wanted, const char *id)
{
    size_t n = strlen(wanted);
    return strncmp(wanted, id, n) == 0 && (id[n] == '\0' || strncmp(id + n, "::", 2) == 0);
}

/* "12,40": is it among them? */
static bool has_line(const char *lines, int64_t line)
{
    for (const char *at = lines; at != NULL && *at != '\0';) {
        char *end;
        if (strtoll(at, &end, 10) == line)
            return true;
        at = *end == ',' ? end + 1 : NULL;
    }
    return false;
}

bool smcr_asked_for(const smcr_asked_t *asked, const char *id, const char *lines)
{
    return asked->line > 0 ? has_line(lines, asked->line) : smcr_id_covers(asked->text, id);
}

bool smcr_file_selects(const smcr_file_t *file, const char *id, const char *lines)
{
    bool selected = file->whole;
    for (size_t i = 0; i < file->n_asked && !selected; i++)
        selected = smcr_asked_for(&file->asked[i], id, lines);
    return selected;
}
