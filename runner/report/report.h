/* report.h - the seam between what happens and who tells it.
 *
 * A reporter gets a run's events in the order of the plan, whatever -j is: the files one after the other, each complete.
 * What only wants to look alive (a progress line) may have them as they arrive, too.
 */
#ifndef SMCR_REPORT_H
#define SMCR_REPORT_H

#include "options/options.h"
#include "run/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* What is known at the start; borrowed, alive until the end. */
typedef struct smcr_run_info {
    const smcr_options_t *options;
    size_t n_files;
    size_t widest; /* path, in columns */
} smcr_run_info_t;

typedef struct smcr_totals {
    size_t declared;
    size_t wanted;   /* of these: selected, here or on another shard */
    size_t selected; /* of these: to be run here */
    size_t passed;   /* flaky and expectedly failed ones included */
    size_t flaky;    /* of these: failed at first */
    size_t xfailed;  /* of these: failed, as they are expected to */
    size_t failed;   /* errors and failed files included */
    size_t skipped;
    size_t without_credentials; /* of these: a venue had none */
    size_t not_allowed;         /* of these: they start programs, and may not */
    size_t errors;              /* those of `failed` that make the exit status 2 */
    size_t files_ended;
    size_t files_cut;   /* of these: ended by the interruption */
    size_t modules;     /* of these: declare no spec, and have no error: others require them */
    int64_t virtual_ms; /* sum over specs */
    int64_t real_us;    /* of the run */
    int exit;           /* status; known at the end */
    int signal;         /* that interrupted the run; 0: none */
    bool stopped;       /* the run, because enough has failed */
} smcr_totals_t;

typedef struct smcr_reporter smcr_reporter_t;

/* Any but free may be NULL. */
typedef struct smcr_reporter_ops {
    void (*start)(smcr_reporter_t *r, const smcr_run_info_t *info);
    void (*event)(smcr_reporter_t *r, const smcr_event_t *ev); /* in plan order */
    void (*live)(smcr_reporter_t *r, const smcr_event_t *ev,
                 const smcr_totals_t *t);                     /* on arrival */
    void (*tick)(smcr_reporter_t *r, const smcr_totals_t *t); /* about ten times a second */
    void (*end)(smcr_reporter_t *r, const smcr_totals_t *t);
    void (*free)(smcr_reporter_t *r);
} smcr_reporter_ops_t;

/* The head of every reporter. */
struct smcr_reporter {
    const smcr_reporter_ops_t *ops;
    FILE *out;        /* NULL: the reporter writes elsewhere */
    const char *file; /* of out; NULL: standard output, which is not closed */
    bool failed;      /* something could not be written */
};

/* Each returns NULL when there is no memory.  out and file are the head's. */
smcr_reporter_t *smcr_report_pretty_new(FILE *out, const char *file);
/* version: 13 or 14 */
smcr_reporter_t *smcr_report_tap_new(FILE *out, const char *file, int version);
smcr_reporter_t *smcr_report_json_new(FILE *out, const char *file);
smcr_reporter_t *smcr_report_junit_new(FILE *out, const char *file);
smcr_reporter_t *smcr_report_github_new(FILE *out, const char *file);
smcr_reporter_t *smcr_report_html_new(FILE *out, const char *file);
/* Writes one file for each spec into an existing folder (borrowed). */
smcr_reporter_t *smcr_report_transcripts_new(const char *folder);
/* Prints the selected specs: their ids, one a line, or as JSON. */
smcr_reporter_t *smcr_report_list_new(FILE *out, bool as_json);

#endif /* SMCR_REPORT_H */
