/* pretty_priv.h - what the files of the report for people share. */
#ifndef SMCR_PRETTY_PRIV_H
#define SMCR_PRETTY_PRIV_H

#include "report/report.h"

typedef enum smcr_style { PLAIN, GREEN, RED, YELLOW, DIM, BOLD, STYLE_COUNT } smcr_style_t;

typedef struct smcr_pretty {
    smcr_reporter_t head;
    const smcr_run_info_t *info;
    bool terminal;
    bool color;
    bool utf8;
    smc_buf_t failures;             /* records of events: their texts live only during the call */
    smc_buf_t flaky;                /* the same */
    char *path;                     /* of the file whose events come in */
    size_t passed, failed, skipped; /* of that file */
    size_t n_flaky, n_xfailed;      /* of those that passed */
    char *reason; /* the first line of why specs of that file were skipped, while all agree */
    bool reasons_differ;
    const char *cut;             /* how that file did not come to its end; NULL: it did */
    int64_t real_us, virtual_ms; /* of that file */
    char *running;               /* id of what started last */
    bool progress_shown;
    size_t n_failures;
} smcr_pretty_t;

/* The escape sequence of a style; "" without colours. */
const char *smcr_esc(const smcr_pretty_t *p, smcr_style_t style);
/* Formatted text in a style. */
void smcr_put(const smcr_pretty_t *p, smcr_style_t style, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* "path.lua::a::b" as "a > b"; path NULL: as "path.lua > a > b". */
void smcr_put_name(const smcr_pretty_t *p, const char *id, const char *path);
/* Lines behind a bar. */
void smcr_put_quoted(const smcr_pretty_t *p, const char *text);

/* All that is known of each failure, and how to repeat it; then the same of what is flaky. */
void smcr_put_failures(const smcr_pretty_t *p);

#endif /* SMCR_PRETTY_PRIV_H */
