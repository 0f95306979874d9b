#include "commands/menu_failures.h"

#include "report/text.h"

#include <stdlib.h>
#include <string.h>

enum { SHOWN_LINES = 60 };

static char *copy(const char *text)
{
    return text == NULL ? NULL : strdup(text);
}

static bool is_failure(const smcr_event_t *ev)
{
    bool ended =
        ev->type == SMCR_EV_SPEC_END && (ev->status == SMCR_FAIL || ev->status == SMCR_ERROR);
    return (ended || ev->type == SMCR_EV_FILE_ERROR) && !smcr_event_is_interruption(ev);
}

static void on_event(smcr_reporter_t *r, const smcr_event_t *ev)
{
    smcr_menu_failures_t *f = (smcr_menu_failures_t *)r;
    const char *id = ev->id == NULL ? ev->file : ev->id;
    if (!is_failure(ev) || id == NULL)
        return;
    smcr_menu_failure_t *grown = reallocarray(f->all, f->n + 1, sizeof(*grown));
    char *owned = grown == NULL ? NULL : strdup(id);
    if (grown != NULL)
        f->all = grown;
    if (owned == NULL) {
        r->failed = true;
        return;
    }
    /* Of the texts one that is missing for want of memory is not shown. */
    grown[f->n++] = (smcr_menu_failure_t){.id = owned,
                                          .message = copy(ev->message),
                                          .traceback = copy(ev->traceback),
                                          .transcript = copy(ev->transcript)};
}

static void on_end(smcr_reporter_t *r, const smcr_totals_t *t)
{
    ((smcr_menu_failures_t *)r)->signal = t->signal;
}

/* The caller has it. */
static void on_free(smcr_reporter_t *r)
{
    (void)r;
}

void smcr_menu_failures_init(smcr_menu_failures_t *f)
{
    static const smcr_reporter_ops_t ops = {.event = on_event, .end = on_end, .free = on_free};
    *f = (smcr_menu_failures_t){.head = {.ops = &ops}};
}

void smcr_menu_failures_deinit(smcr_menu_failures_t *f)
{
    for (size_t i = 0; i < f->n; i++) {
        free(f->all[i].id);
        free(f->all[i].message);
        free(f->all[i].traceback);
        free(f->all[i].transcript);
    }
    free(f->all);
    *f = (smcr_menu_failures_t){0};
}

void smcr_menu_failures_list(const smcr_menu_failures_t *f, FILE *out)
{
    for (size_t i = 0; i < f->n; i++) {
        (void)fprintf(out, "  %zu) ", i + 1);
        smcr_put_line(out, f->all[i].id, strlen(f->all[i].id));
        (void)fputc('\n', out);
    }
}

static void put_part(FILE *out, const char *title, const char *text, bool whole)
{
    size_t left_out = 0;
    if (text == NULL || text[0] == '\0')
        return;
    if (!whole)
        text = smcr_last_lines(text, SHOWN_LINES, &left_out);
    if (title[0] != '\0')
        (void)fprintf(out, "\n%s\n", title);
    if (left_out > 0)
        (void)fprintf(out, "  ... %zu lines before; 'f N all' shows them\n", left_out);
    smcr_put_lines(out, "  ", text);
}

void smcr_menu_failures_show(const smcr_menu_failure_t *failure, bool whole, FILE *out)
{
    smcr_put_line(out, failure->id, strlen(failure->id));
    (void)fputc('\n', out);
    put_part(out, "", failure->message, true);
    put_part(out, "", failure->traceback, true);
    put_part(out, "transcript", failure->transcript, whole);
    if (failure->transcript == NULL || failure->transcript[0] == '\0')
        (void)fputs("  nothing went over the wire\n", out);
}
