#include "report/joined.h"

#include "run/collect.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OP "merge"
#define NO_MEMORY(err) smc_fail(err, SMC_ENOMEM, OP, 0, "no memory to merge reports")

/* One report that is being read. */
typedef struct reader {
    smcr_joined_t *s;
    size_t report;
    size_t line;
    bool started, ended;
    size_t file; /* that its events are of; n_files: none yet */
    smcr_run_end_t end;
    smc_error_t *err;
} reader_t;

/* With the file and the line that is being read. */
__attribute__((format(printf, 2, 3))) static smc_code_t refuse(const reader_t *r, const char *fmt,
                                                               ...)
{
    char why[600];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(why, sizeof(why), fmt, args);
    va_end(args);
    return smc_fail(r->err, SMC_EINVAL, OP, 0, "%s:%zu: %s", r->s->_paths[r->report], r->line, why);
}

/* ---- lists ------------------------------------------------------------------- */

static void deinit_list(smcr_told_list_t *list)
{
    for (size_t i = 0; i < list->n; i++)
        smcr_event_deinit(&list->all[i].ev);
    free(list->all);
}

void smcr_joined_deinit(smcr_joined_t *s)
{
    for (size_t i = 0; i < s->n_files; i++) {
        free(s->files[i].path);
        deinit_list(&s->files[i].declared);
        deinit_list(&s->files[i].rest);
        smcr_event_deinit(&s->files[i].end);
    }
    free(s->files);
    free(s->start.required);
    free(s->_has_shard);
    *s = (smcr_joined_t){0};
}

/* Takes the event over. */
static smc_code_t append(reader_t *r, smcr_told_list_t *list, smcr_event_t *ev)
{
    if (list->n == list->_room) {
        size_t room = list->_room == 0 ? 16 : 2 * list->_room;
        smcr_told_t *all = reallocarray(list->all, room, sizeof(*all));
        if (all == NULL)
            return NO_MEMORY(r->err);
        list->all = all;
        list->_room = room;
    }
    list->all[list->n++] = (smcr_told_t){.ev = *ev, .report = r->report, .line = r->line};
    *ev = (smcr_event_t){0};
    return SMC_OK;
}

/* ---- scenario files ------------------------------------------------------------ */

static smc_code_t begin_file(reader_t *r, const char *path)
{
    smcr_joined_t *s = r->s;
    for (r->file = 0; r->file < s->n_files; r->file++)
        if (strcmp(s->files[r->file].path, path) == 0)
            return SMC_OK;
    smcr_told_file_t *files = reallocarray(s->files, s->n_files + 1, sizeof(*files));
    if (files == NULL)
        return NO_MEMORY(r->err);
    s->files = files;
    files[s->n_files] = (smcr_told_file_t){.path = strdup(path)};
    files[s->n_files].end = (smcr_event_t){.type = SMCR_EV_FILE_END, .file = strdup(path)};
    s->n_files++;
    return files[r->file].path == NULL || files[r->file].end.file == NULL ? NO_MEMORY(r->err)
                                                                          : SMC_OK;
}

static smc_code_t end_file(reader_t *r, const smcr_event_t *ev)
{
    smcr_event_t *end = &r->s->files[r->file].end;
    char *both = NULL;
    end->declared = ev->declared > end->declared ? ev->declared : end->declared;
    end->selected += ev->selected;
    if (ev->output == NULL)
        return SMC_OK;
    if (asprintf(&both, "%s%s", end->output == NULL ? "" : end->output, ev->output) < 0)
        return NO_MEMORY(r->err);
    free(end->output);
    end->output = both;
    return SMC_OK;
}

static bool is_same(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* The same event of another report: a spec of that id, or a file's error word for word.  NULL: none. */
static const smcr_told_t *find_other(const reader_t *r, const smcr_told_list_t *list,
                                     const smcr_event_t *ev)
{
    for (size_t i = 0; i < list->n; i++) {
        const smcr_told_t *told = &list->all[i];
        bool word_for_word = ev->type != SMCR_EV_FILE_ERROR ||
                             (is_same(told->ev.kind, ev->kind) &&
                              is_same(told->ev.message, ev->message) && told->ev.line == ev->line);
        if (told->report != r->report && told->ev.type == ev->type && word_for_word &&
            strcmp(told->ev.id, ev->id) == 0)
            return told;
    }
    return NULL;
}

static smc_code_t take_event(reader_t *r, smcr_event_t *ev)
{
    if (ev->type == SMCR_EV_FILE_START)
        return begin_file(r, ev->file);
    if (r->file >= r->s->n_files)
        return refuse(r, "no file_start comes before it");
    smcr_told_file_t *file = &r->s->files[r->file];
    if (ev->type == SMCR_EV_FILE_END)
        return end_file(r, ev);
    smcr_told_list_t *list = ev->type == SMCR_EV_DECLARED ? &file->declared : &file->rest;
    bool once = ev->type == SMCR_EV_DECLARED || ev->type == SMCR_EV_SPEC_END;
    const smcr_told_t *other =
        once || ev->type == SMCR_EV_FILE_ERROR ? find_other(r, list, ev) : NULL;
    if (other != NULL && once)
        return refuse(r, "%s:%zu has the spec, too: %s", r->s->_paths[other->report], other->line,
                      ev->id);
    return other != NULL ? SMC_OK : append(r, list, ev);
}

/* ---- the ends of a run ------------------------------------------------------------ */

/* Adds the words of "a,b" that the list does not have. */
static bool add_words(char **list, const char *more)
{
    for (size_t n; more != NULL && *more != '\0'; more += more[n] == ',' ? n + 1 : n) {
        n = strcspn(more, ",");
        char *grown = NULL;
        bool known = false;
        for (const char *at = *list; at != NULL && !known; at = strchr(at, ',')) {
            at += *at == ',' ? 1 : 0;
            known = strncmp(at, more, n) == 0 && (at[n] == ',' || at[n] == '\0');
        }
        if (known)
            continue;
        if (asprintf(&grown, "%s%s%.*s", *list == NULL ? "" : *list, *list == NULL ? "" : ",",
                     (int)n, more) < 0)
            return false;
        free(*list);
        *list = grown;
    }
    return true;
}

/* Shards are all of one division, and each is given once. */
static smc_code_t take_shard(reader_t *r, smcr_shard_t shard)
{
    smcr_joined_t *s = r->s;
    if (shard.count == 0)
        return SMC_OK;
    if (s->shards == 0) {
        s->_has_shard = calloc(shard.count, sizeof(bool));
        if (s->_has_shard == NULL)
            return NO_MEMORY(r->err);
        s->shards = shard.count;
    }
    if (s->shards != shard.count)
        return refuse(r, "it is one of %u shards, another report one of %u", shard.count,
                      s->shards);
    if (s->_has_shard[shard.index - 1])
        return refuse(r, "another report is shard %u/%u, too", shard.index, shard.count);
    s->_has_shard[shard.index - 1] = true;
    return SMC_OK;
}

smc_code_t smcr_joined_check(const smcr_joined_t *s, smc_error_t *err)
{
    for (unsigned i = 0; i < s->shards; i++)
        if (!s->_has_shard[i])
            return smc_fail(err, SMC_EINVAL, OP, 0,
                            "the report of shard %u/%u is missing: name it, too", i + 1, s->shards);
    return SMC_OK;
}

static smc_code_t take_start(reader_t *r, const smcr_run_start_t *start)
{
    smcr_run_start_t *first = &r->s->start;
    char *required = NULL;
    if (r->started)
        return refuse(r, "a second run_start: one report a file");
    r->started = true;
    if (r->report == 0) {
        *first = *start;
        first->required = NULL;
    }
    if (start->target != first->target || start->clock != first->clock ||
        start->sabotage != first->sabotage)
        return refuse(r, "its run has another target, clock or sabotage than that of %s",
                      r->s->_paths[0]);
    smc_code_t rc = take_shard(r, start->shard);
    if (rc != SMC_OK)
        return rc;
    required = first->required;
    bool fine = add_words(&required, start->required);
    first->required = required;
    return fine ? SMC_OK : NO_MEMORY(r->err);
}

static smc_code_t take_line(reader_t *r, const char *text, size_t n)
{
    smcr_line_t line;
    smc_error_t why = {0};
    smc_code_t rc = smcr_line_read(text, n, &line, &why);
    if (rc != SMC_OK)
        return refuse(r, "%s", why.detail);
    if (r->ended)
        rc = refuse(r, "it comes behind run_end: one report a file");
    else if (line.kind == SMCR_LINE_START)
        rc = take_start(r, &line.start);
    else if (!r->started)
        rc = refuse(r, "the first line is no run_start");
    else if (line.kind == SMCR_LINE_EVENT)
        rc = take_event(r, &line.event);
    else {
        r->ended = true;
        r->end = line.end;
    }
    smcr_line_deinit(&line);
    return rc;
}

/* What became of all: the worst of each. */
static void join_end(reader_t *r)
{
    smcr_run_end_t *all = &r->s->end;
    all->interrupted = all->interrupted || r->end.interrupted;
    all->stopped = all->stopped || r->end.stopped;
    all->real_us = r->end.real_us > all->real_us ? r->end.real_us : all->real_us;
    bool broken = all->exit == SMCR_EXIT_INTERNAL || r->end.exit == SMCR_EXIT_INTERNAL;
    if (r->report == 0)
        all->exit = r->end.exit;
    else if (all->exit != r->end.exit)
        all->exit = broken ? SMCR_EXIT_INTERNAL : 0;
}

smc_code_t smcr_joined_add(smcr_joined_t *s, const char *const paths[], size_t report,
                           smc_error_t *err)
{
    s->_paths = paths;
    reader_t r = {.s = s, .report = report, .file = SIZE_MAX, .err = err};
    char *text = NULL;
    size_t room = 0;
    ssize_t n;
    smc_code_t rc = SMC_OK;
    FILE *in = fopen(paths[report], "re");
    if (in == NULL)
        return smc_fail(err, SMC_ESYS, OP, errno, "%s: %s", paths[report], strerror(errno));
    while (rc == SMC_OK && (n = getline(&text, &room, in)) > 0) {
        r.line++;
        rc = text[n - 1] == '\n'
                 ? take_line(&r, text, (size_t)n - 1)
                 : refuse(&r, "the line is torn: its end is missing; was its run killed?");
    }
    if (rc == SMC_OK && ferror(in) != 0)
        rc = smc_fail(err, SMC_ESYS, OP, errno, "%s: %s", paths[report], strerror(errno));
    if (rc == SMC_OK && !r.ended)
        rc = smc_fail(err, SMC_EINVAL, OP, 0,
                      "%s: there is no run_end behind its %zu lines; was its run killed?",
                      paths[report], r.line);
    free(text);
    (void)fclose(in);
    s->n_reports++;
    if (rc == SMC_OK)
        join_end(&r);
    return rc;
}
