/* prompt.h - lines that a person types, or that lie in a file.
 *
 * On a terminal libedit reads them: arrows, history, completion by Tab, ~/.editrc.  Elsewhere they are read as they are, and
 * no prompt is shown.  On a terminal SIGINT (Ctrl-C) breaks a line off, SIGTERM and SIGHUP end the input; elsewhere signals do
 * what they did.
 */
#ifndef SMCR_PROMPT_H
#define SMCR_PROMPT_H

#include "smc/buf.h"

#include <stdbool.h>

typedef enum smcr_line {
    SMCR_LINE,       /* without its newline */
    SMCR_BROKEN_OFF, /* by Ctrl-C */
    SMCR_INPUT_ENDS, /* also when the process is told to end */
} smcr_line_t;

/* What may stand at the cursor.  before: the line up to there, borrowed.  Appends to insert what all candidates have in
 * common, to list, when there are several, what to show: lines. */
typedef void (*smcr_complete_fn)(void *ud, const char *before, smc_buf_t *insert, smc_buf_t *list);

typedef struct smcr_prompt_conf {
    const char *history;       /* a file; NULL: none is kept.  Borrowed until the end */
    smcr_complete_fn complete; /* NULL: none */
    void (*on_signal)(void);   /* in the signal handler, while no line is read; NULL: nothing */
    void *ud;
} smcr_prompt_conf_t;

typedef struct smcr_prompt smcr_prompt_t;

/* One at a time.  *out is owned: end with smcr_prompt_close.
 * Errors: SMC_ESYS, SMC_ENOMEM. */
smc_code_t smcr_prompt_open(const smcr_prompt_conf_t *conf, smcr_prompt_t **out, smc_error_t *err);

/* Whether a person types. */
bool smcr_prompt_is_terminal(const smcr_prompt_t *p);
/* Whether the process was told to end. */
bool smcr_prompt_is_told(void);

/* Appends a line to out.  text: what is shown before it. */
smcr_line_t smcr_prompt_read(smcr_prompt_t *p, const char *text, smc_buf_t *out);

/* Puts a line into the history, unless it speaks of a secret or begins with a blank. */
void smcr_prompt_remember(smcr_prompt_t *p, const char *line);

/* Writes the history, gives the signals back.  Accepts NULL. */
void smcr_prompt_close(smcr_prompt_t *p);

#endif /* SMCR_PROMPT_H */
