/* menu_failures.h - what failed in a run, kept to be looked at, and to be run again. */
#ifndef SMCR_MENU_FAILURES_H
#define SMCR_MENU_FAILURES_H

#include "report/report.h"

typedef struct smcr_menu_failure {
    char *id; /* of a file that failed outside of its specs: its path */
    char *message;
    char *traceback;
    char *transcript;
} smcr_menu_failure_t;

typedef struct smcr_menu_failures {
    smcr_reporter_t head;
    smcr_menu_failure_t *all;
    size_t n;
    int signal; /* that interrupted the run; 0: none */
} smcr_menu_failures_t;

/* A reporter that fills itself; f is the caller's, and outlives the run. */
void smcr_menu_failures_init(smcr_menu_failures_t *f);
void smcr_menu_failures_deinit(smcr_menu_failures_t *f);

/* One a line, with numbers from 1 on. */
void smcr_menu_failures_list(const smcr_menu_failures_t *f, FILE *out);
/* Everything about one of them.  whole: all of its transcript, else the end. */
void smcr_menu_failures_show(const smcr_menu_failure_t *failure, bool whole, FILE *out);

#endif /* SMCR_MENU_FAILURES_H */
