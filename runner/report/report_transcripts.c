#include "report/report.h"
#include "report/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = 180 }; /* of a file name; leaves room for the number and the suffix */

typedef struct transcripts {
    smcr_reporter_t head;
    const char *folder;
    char **names; /* used so far */
    size_t n_names;
} transcripts_t;

/* An id as a file name: what is special to a shell or a file system becomes one _. */
static void name_of(const char *id, char out[NAME_BYTES])
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.";
    size_t n = 0;
    for (; *id != '\0' && n < NAME_BYTES - 1; id++) {
        bool fits = strchr(plain, *id) != NULL && (n > 0 || *id != '.');
        if (fits || (n > 0 && out[n - 1] != '_'))
            out[n++] = fits ? *id : '_';
    }
    out[n] = '\0';
}

/* Two ids may give one name: the second gets a number.  Owned by t; NULL: no memory. */
static const char *unique_name(transcripts_t *t, const char *id)
{
    char base[NAME_BYTES], *name = NULL;
    char **grown = reallocarray(t->names, t->n_names + 1, sizeof(*grown));
    if (grown == NULL)
        return NULL;
    t->names = grown;
    name_of(id, base);
    for (unsigned number = 1;; number++) {
        int n = number == 1 ? asprintf(&name, "%s.txt", base)
                            : asprintf(&name, "%s-%u.txt", base, number);
        if (n < 0)
            return NULL;
        bool taken = false;
        for (size_t i = 0; i < t->n_names && !taken; i++)
            taken = strcmp(t->names[i], name) == 0;
        if (!taken)
            return t->names[t->n_names++] = name;
        free(name);
    }
}

static void put_section(FILE *out, const char *title, const char *text)
{
    if (text == NULL || *text == '\0')
        return;
    (void)fprintf(out, "\n%s\n", title);
    smcr_put_lines(out, "", text);
}

static bool write_spec(transcripts_t *t, const smcr_event_t *ev)
{
    char *path = NULL;
    const char *name = unique_name(t, ev->id);
    if (name == NULL || asprintf(&path, "%s/%s", t->folder, name) < 0)
        return false;
    FILE *out = fopen(path, "we");
    free(path);
    if (out == NULL)
        return false;
    smcr_put_line(out, ev->id, strlen(ev->id));
    (void)fprintf(out, "\n%s%s%s, %lld ms on its clock\n", smcr_status_text(ev->status),
                  ev->kind == NULL ? "" : ": ", ev->kind == NULL ? "" : ev->kind,
                  (long long)ev->virtual_ms);
    put_section(out, "message", ev->message);
    put_section(out, "transcript", ev->transcript);
    put_section(out, "output", ev->output);
    bool fine = ferror(out) == 0;
    return fclose(out) == 0 && fine;
}

static void on_event(smcr_reporter_t *r, const smcr_event_t *ev)
{
    transcripts_t *t = (transcripts_t *)r;
    if (ev->type != SMCR_EV_SPEC_END || write_spec(t, ev))
        return;
    if (!r->failed)
        (void)fprintf(stderr, "smcrun: cannot write a transcript to '%s': %s\n", t->folder,
                      strerror(errno));
    r->failed = true;
}

static void on_free(smcr_reporter_t *r)
{
    transcripts_t *t = (transcripts_t *)r;
    for (size_t i = 0; i < t->n_names; i++)
        free(t->names[i]);
    free(t->names);
    free(t);
}

smcr_reporter_t *smcr_report_transcripts_new(const char *folder)
{
    static const smcr_reporter_ops_t ops = {.event = on_event, .free = on_free};
    transcripts_t *t = calloc(1, sizeof(*t));
    if (t == NULL)
        return NULL;
    t->head = (smcr_reporter_t){.ops = &ops};
    t->folder = folder;
    return &t->head;
}
