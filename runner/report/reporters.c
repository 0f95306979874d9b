#include "report/reporters.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

bool smcr_reporters_add(smcr_reporters_t *rs, smcr_reporter_t *r)
{
    if (r == NULL) {
        (void)fputs("smcrun: no memory for a report\n", stderr);
        return false;
    }
    rs->_all[rs->_count++] = r;
    return true;
}

/* Like mkdir -p. */
static bool make_folder(const char *path)
{
    char *copy = strdup(path);
    bool fine = copy != NULL;
    for (char *p = copy; fine && p != NULL && *p != '\0';) {
        char *slash = strchr(p + 1, '/');
        if (slash != NULL)
            *slash = '\0';
        fine = mkdir(copy, 0777) == 0 || errno == EEXIST;
        if (slash != NULL)
            *slash = '/';
        p = slash;
    }
    struct stat st;
    fine = fine && stat(path, &st) == 0;
    if (fine && !S_ISDIR(st.st_mode)) {
        errno = ENOTDIR;
        fine = false;
    }
    if (!fine)
        (void)fprintf(stderr, "smcrun: cannot make the folder '%s': %s\n", path, strerror(errno));
    free(copy);
    return fine;
}

static bool make_folder_of(const char *file)
{
    const char *slash = strrchr(file, '/');
    if (slash == NULL || slash == file)
        return true;
    char *folder = strndup(file, (size_t)(slash - file));
    bool fine = folder != NULL && make_folder(folder);
    free(folder);
    return fine;
}

static bool add_report(smcr_reporters_t *rs, const smcr_report_spec_t *spec)
{
    if (spec->file != NULL && !make_folder_of(spec->file))
        return false;
    FILE *out = spec->file == NULL ? stdout : fopen(spec->file, "we");
    if (out == NULL) {
        (void)fprintf(stderr, "smcrun: cannot write the report '%s': %s\n", spec->file,
                      strerror(errno));
        return false;
    }
    smcr_reporter_t *r = NULL;
    switch (spec->format) {
    case SMCR_PRETTY:
        r = smcr_report_pretty_new(out, spec->file);
        break;
    case SMCR_TAP:
        r = smcr_report_tap_new(out, spec->file, 14);
        break;
    case SMCR_TAP13:
        r = smcr_report_tap_new(out, spec->file, 13);
        break;
    case SMCR_JUNIT:
        r = smcr_report_junit_new(out, spec->file);
        break;
    case SMCR_JSON:
        r = smcr_report_json_new(out, spec->file);
        break;
    case SMCR_HTML:
        r = smcr_report_html_new(out, spec->file);
        break;
    case SMCR_GITHUB:
        r = smcr_report_github_new(out, spec->file);
        break;
    }
    if (r == NULL && out != stdout)
        (void)fclose(out);
    return smcr_reporters_add(rs, r);
}

bool smcr_reporters_open(smcr_reporters_t *rs, const smcr_options_t *o)
{
    if (o->command == SMCR_CMD_LIST)
        return smcr_reporters_add(rs, smcr_report_list_new(stdout, o->json));
    static const smcr_report_spec_t standard = {.format = SMCR_PRETTY};
    bool stdout_taken = false;
    for (size_t i = 0; i < o->n_reports; i++) {
        stdout_taken =
            stdout_taken || (o->reports[i].file == NULL && o->reports[i].format != SMCR_GITHUB);
        if (!add_report(rs, &o->reports[i]))
            return false;
    }
    if (!stdout_taken && !add_report(rs, &standard))
        return false;
    return o->transcripts == NULL ||
           (make_folder(o->transcripts) &&
            smcr_reporters_add(rs, smcr_report_transcripts_new(o->transcripts)));
}

void smcr_reporters_close(smcr_reporters_t *rs)
{
    for (size_t i = 0; i < rs->_count; i++) {
        smcr_reporter_t *r = rs->_all[i];
        if (r->file != NULL && r->out != NULL)
            (void)fclose(r->out);
        r->ops->free(r);
    }
    rs->_count = 0;
}

void smcr_reporters_start(smcr_reporters_t *rs, const smcr_run_info_t *info)
{
    for (size_t i = 0; i < rs->_count; i++)
        if (rs->_all[i]->ops->start != NULL)
            rs->_all[i]->ops->start(rs->_all[i], info);
}

void smcr_reporters_event(smcr_reporters_t *rs, const smcr_event_t *ev)
{
    for (size_t i = 0; i < rs->_count; i++)
        if (rs->_all[i]->ops->event != NULL)
            rs->_all[i]->ops->event(rs->_all[i], ev);
}

void smcr_reporters_live(smcr_reporters_t *rs, const smcr_event_t *ev, const smcr_totals_t *t)
{
    for (size_t i = 0; i < rs->_count; i++)
        if (rs->_all[i]->ops->live != NULL)
            rs->_all[i]->ops->live(rs->_all[i], ev, t);
}

void smcr_reporters_tick(smcr_reporters_t *rs, const smcr_totals_t *t)
{
    for (size_t i = 0; i < rs->_count; i++)
        if (rs->_all[i]->ops->tick != NULL)
            rs->_all[i]->ops->tick(rs->_all[i], t);
}

bool smcr_reporters_end(smcr_reporters_t *rs, const smcr_totals_t *t)
{
    bool fine = true;
    for (size_t i = 0; i < rs->_count; i++) {
        smcr_reporter_t *r = rs->_all[i];
        if (r->ops->end != NULL)
            r->ops->end(r, t);
        if (r->out != NULL && (fflush(r->out) != 0 || ferror(r->out) != 0)) {
            (void)fprintf(stderr, "smcrun: cannot write %s: %s\n",
                          r->file == NULL ? "to standard output" : r->file, strerror(errno));
            r->failed = true;
        }
        fine = fine && !r->failed;
    }
    return fine;
}
