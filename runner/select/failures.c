#include "select/failures.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define OP "failures"
#define MEMORY SMCR_STATE_FOLDER "/last-failed"
#define IGNORE SMCR_STATE_FOLDER "/.gitignore"

typedef enum outcome_state { NOT_RUN, PASSED, FAILED } outcome_state_t;

typedef struct smcr_outcome {
    char *id;
    outcome_state_t state;
    size_t order; /* in which it came */
} outcome_t;

typedef struct smcr_failing_file {
    char *path;
    size_t told; /* specs that were declared */
    bool failed; /* as a whole */
    bool whole;  /* it has told all that it declares */
} file_t;

static smc_code_t no_memory(smc_error_t *err)
{
    return smc_fail(err, SMC_ENOMEM, OP, 0, "no memory for what failed");
}

static smc_code_t no_file(smc_error_t *err, const char *path)
{
    int why = errno;
    return smc_fail(err, SMC_ESYS, OP, why, "%s: %s", path, strerror(why));
}

/* ---- the file: an id a line, \\ and \n in it escaped --------------------------- */

static void unescape(char *line)
{
    char *out = line;
    for (const char *in = line; *in != '\0'; in++) {
        bool escaped = in[0] == '\\' && in[1] != '\0';
        in += escaped ? 1 : 0;
        *out++ = escaped && *in == 'n' ? '\n' : *in;
    }
    *out = '\0';
}

static void put_escaped(FILE *out, const char *id)
{
    for (; *id != '\0'; id++) {
        if (*id == '\\' || *id == '\n')
            (void)fputc('\\', out);
        (void)fputc(*id == '\n' ? 'n' : *id, out);
    }
    (void)fputc('\n', out);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void free_texts(char **texts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(texts[i]);
    free(texts);
}

/* *out: sorted, owned. */
static smc_code_t read_ids(char ***out, size_t *n, smc_error_t *err)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t len;
    FILE *in = fopen(MEMORY, "re");
    if (in == NULL)
        return errno == ENOENT ? SMC_OK : no_file(err, MEMORY);
    smc_code_t rc = SMC_OK;
    while (rc == SMC_OK && (len = getline(&line, &cap, in)) >= 0) {
        if (len > 0 && line[len - 1] == '\n')
            line[--len] = '\0';
        if (len == 0)
            continue;
        unescape(line);
        char **grown = reallocarray(*out, *n + 1, sizeof(*grown));
        *out = grown == NULL ? *out : grown;
        if (grown == NULL || (grown[*n] = strdup(line)) == NULL)
            rc = no_memory(err);
        else
            (*n)++;
    }
    if (rc == SMC_OK && ferror(in) != 0)
        rc = no_file(err, MEMORY);
    free(line);
    (void)fclose(in);
    if (*n > 0)
        qsort(*out, *n, sizeof(**out), by_text);
    return rc;
}

smc_code_t smcr_failures_load(smcr_failures_t *f, smc_error_t *err)
{
    return read_ids(&f->_known, &f->_n_known, err);
}

void smcr_failures_deinit(smcr_failures_t *f)
{
    free_texts(f->_known, f->_n_known);
    for (size_t i = 0; i < f->_n_seen; i++)
        free(f->_seen[i].id);
    free(f->_seen);
    for (size_t i = 0; i < f->_n_files; i++)
        free(f->_files[i].path);
    free(f->_files);
    *f = (smcr_failures_t){0};
}

static bool knows(const smcr_failures_t *f, const char *id)
{
    return f->_n_known > 0 &&
           bsearch(&id, f->_known, f->_n_known, sizeof(*f->_known), by_text) != NULL;
}

bool smcr_failures_have(const smcr_failures_t *f, const char *path, const char *id)
{
    return knows(f, id) || knows(f, path);
}

const char *smcr_failures_get(const smcr_failures_t *f, size_t n)
{
    return n < f->_n_known ? f->_known[n] : NULL;
}

/* ---- what happens --------------------------------------------------------------- */

static void see(smcr_failures_t *f, const char *id, outcome_state_t state)
{
    if (f->_n_seen == f->_cap_seen) {
        size_t cap = f->_cap_seen == 0 ? 64 : f->_cap_seen * 2;
        outcome_t *grown = reallocarray(f->_seen, cap, sizeof(*grown));
        f->_lost = f->_lost || grown == NULL;
        if (grown == NULL)
            return;
        f->_seen = grown;
        f->_cap_seen = cap;
    }
    char *copy = strdup(id);
    f->_lost = f->_lost || copy == NULL;
    if (copy == NULL)
        return;
    f->_seen[f->_n_seen] = (outcome_t){.id = copy, .state = state, .order = f->_n_seen};
    f->_n_seen++;
}

/* NULL: no memory. */
static file_t *file_of(smcr_failures_t *f, const char *path)
{
    for (size_t i = 0; i < f->_n_files; i++)
        if (strcmp(f->_files[i].path, path) == 0)
            return &f->_files[i];
    file_t *grown = reallocarray(f->_files, f->_n_files + 1, sizeof(*grown));
    f->_files = grown == NULL ? f->_files : grown;
    char *copy = grown == NULL ? NULL : strdup(path);
    f->_lost = f->_lost || copy == NULL;
    if (copy == NULL)
        return NULL;
    grown[f->_n_files] = (file_t){.path = copy};
    return &grown[f->_n_files++];
}

static void on_file_end(smcr_failures_t *f, file_t *file, const smcr_event_t *ev)
{
    bool loaded = ev->declared > 0 && !file->failed; /* a worker that died declares nothing */
    file->whole = loaded && (size_t)ev->declared == file->told;
    if (loaded)
        see(f, file->path, PASSED);
}

/* A machine or a target could not run it, which says nothing of the spec.  Who writes `pending` knows. */
static bool is_mere_skip(const smcr_event_t *ev)
{
    return ev->status == SMCR_SKIP && (ev->kind == NULL || strcmp(ev->kind, "pending") != 0);
}

void smcr_failures_event(smcr_failures_t *f, const char *path, const smcr_event_t *ev)
{
    file_t *file = file_of(f, path);
    if (file == NULL || smcr_event_is_interruption(ev))
        return;
    switch (ev->type) {
    case SMCR_EV_DECLARED:
        file->told++;
        see(f, ev->id, NOT_RUN);
        break;
    case SMCR_EV_SPEC_END:
        if (smcr_event_is_failure(ev))
            see(f, ev->id, FAILED);
        else if (!is_mere_skip(ev))
            see(f, ev->id, PASSED);
        break;
    case SMCR_EV_FILE_ERROR:
        file->failed = true;
        see(f, path, FAILED);
        break;
    case SMCR_EV_FILE_END:
        on_file_end(f, file, ev);
        break;
    case SMCR_EV_FILE_START:
    case SMCR_EV_SPEC_START:
    case SMCR_EV_ATTEMPT:
        break;
    }
}

/* ---- putting it down -------------------------------------------------------------- */

static int by_id(const void *a, const void *b)
{
    const outcome_t *x = a, *y = b;
    int order = strcmp(x->id, y->id);
    return order != 0 ? order : (x->order > y->order) - (x->order < y->order);
}

/* Sorts what was seen and leaves one of each id: how it ended, if it did. */
static size_t settle(outcome_t *seen, size_t n)
{
    size_t kept = 0;
    if (n > 0)
        qsort(seen, n, sizeof(*seen), by_id);
    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || strcmp(seen[kept - 1].id, seen[i].id) != 0)
            seen[kept++] = seen[i];
        else if (seen[i].state != NOT_RUN)
            seen[kept - 1].state = seen[i].state;
    }
    return kept;
}

static bool is_gone(const smcr_failures_t *f, const char *id)
{
    for (size_t i = 0; i < f->_n_files; i++) {
        size_t n = strlen(f->_files[i].path);
        if (f->_files[i].whole && strncmp(id, f->_files[i].path, n) == 0 &&
            strncmp(id + n, "::", 2) == 0)
            return true;
    }
    return false;
}

static int by_id_alone(const void *a, const void *b)
{
    return strcmp(((const outcome_t *)a)->id, ((const outcome_t *)b)->id);
}

static bool stays(const smcr_failures_t *f, const outcome_t *seen, size_t n, char *id)
{
    const outcome_t wanted = {.id = id},
                    *now = n == 0 ? NULL : bsearch(&wanted, seen, n, sizeof(*seen), by_id_alone);
    return now == NULL ? !is_gone(f, id) : now->state == NOT_RUN;
}

/* Replaces the file by these, borrowed and sorted; with none of them there is none. */
static smc_code_t write_ids(const char *const *ids, size_t n, smc_error_t *err)
{
    char temporary[sizeof(MEMORY) + 16];
    if (n == 0)
        return unlink(MEMORY) == 0 || errno == ENOENT ? SMC_OK : no_file(err, MEMORY);
    (void)snprintf(temporary, sizeof(temporary), "%s.%ld", MEMORY, (long)getpid());
    FILE *out = fopen(temporary, "we");
    if (out == NULL)
        return no_file(err, temporary);
    for (size_t i = 0; i < n; i++)
        put_escaped(out, ids[i]);
    bool fine = fflush(out) == 0 && ferror(out) == 0;
    fine = fclose(out) == 0 && fine && rename(temporary, MEMORY) == 0;
    if (fine)
        return SMC_OK;
    smc_code_t rc = no_file(err, MEMORY);
    (void)unlink(temporary);
    return rc;
}

/* Leaves one of each, of sorted ones. */
static size_t drop_doubles(const char **ids, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || strcmp(ids[kept - 1], ids[i]) != 0)
            ids[kept++] = ids[i];
    return kept;
}

static bool are_equal(const char *const *a, size_t n, char *const *b, size_t m)
{
    bool equal = n == m;
    for (size_t i = 0; i < n && equal; i++)
        equal = strcmp(a[i], b[i]) == 0;
    return equal;
}

static smc_code_t write_merged(const smcr_failures_t *f, const outcome_t *seen, size_t n,
                               char *const *old, size_t n_old, smc_error_t *err)
{
    const char **ids = calloc(n_old + n + 1, sizeof(*ids));
    size_t n_ids = 0;
    if (ids == NULL)
        return no_memory(err);
    for (size_t i = 0; i < n_old; i++)
        if (stays(f, seen, n, old[i]))
            ids[n_ids++] = old[i];
    for (size_t i = 0; i < n; i++)
        if (seen[i].state == FAILED)
            ids[n_ids++] = seen[i].id;
    qsort(ids, n_ids, sizeof(*ids), by_text);
    n_ids = drop_doubles(ids, n_ids);
    bool news = !are_equal(ids, n_ids, old, n_old);
    smc_code_t rc = news ? write_ids(ids, n_ids, err) : SMC_OK;
    free(ids);
    return rc;
}

/* The file is read anew: another run may have ended meanwhile. */
static smc_code_t merge(const smcr_failures_t *f, const outcome_t *seen, size_t n, smc_error_t *err)
{
    char **old = NULL;
    size_t n_old = 0;
    smc_code_t rc = read_ids(&old, &n_old, err);
    if (rc == SMC_OK)
        rc = write_merged(f, seen, n, old, n_old, err);
    free_texts(old, n_old);
    return rc;
}

/* Makes the folder, which version control need not see.  Returns it locked; -1: none. */
static int open_folder(void)
{
    int why_none = mkdir(SMCR_STATE_FOLDER, 0777) == 0 ? 0 : errno;
    if (why_none == 0) {
        FILE *out = fopen(IGNORE, "we");
        if (out != NULL) {
            (void)fputs("*\n", out);
            (void)fclose(out);
        }
    }
    int fd = open(SMCR_STATE_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT && why_none != EEXIST)
        errno = why_none; /* not that there is none, but why none could be made */
    if (fd >= 0 && flock(fd, LOCK_EX) != 0) {
        int why = errno;
        (void)close(fd);
        errno = why;
        return -1;
    }
    return fd;
}

smc_code_t smcr_failures_save(const smcr_failures_t *f, smc_error_t *err)
{
    bool failed = false;
    if (f->_lost)
        return no_memory(err);
    for (size_t i = 0; i < f->_n_seen && !failed; i++)
        failed = f->_seen[i].state == FAILED;
    if (!failed && access(MEMORY, F_OK) != 0 && errno == ENOENT)
        return SMC_OK; /* there is nothing to put down, and nothing to take away */
    outcome_t *seen = calloc(f->_n_seen + 1, sizeof(*seen));
    if (seen == NULL)
        return no_memory(err);
    if (f->_n_seen > 0)
        memcpy(seen, f->_seen, f->_n_seen * sizeof(*seen));
    size_t n = settle(seen, f->_n_seen);
    int folder = open_folder();
    smc_code_t rc = folder < 0 ? no_file(err, SMCR_STATE_FOLDER) : merge(f, seen, n, err);
    if (folder >= 0)
        (void)close(folder);
    free(seen);
    return rc;
}
