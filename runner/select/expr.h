/* expr.h - the expression of -k: which specs to run, by words in their id or by tag.
 *
 *   expr := term { "or" term }      term := factor { "and" factor }
 *   factor := "not" factor | "(" expr ")" | word
 * A word is anything without blanks and parentheses, or a text in '...' or "...".  As with pytest it matches a spec when it
 * is part of the spec's id or of one of its tags, letter case aside; a word that begins with # equals one of its tags.
 * Pure: no I/O, no state.
 */
#ifndef SMCR_EXPR_H
#define SMCR_EXPR_H

#include "smc/error.h"

#include <stdbool.h>

typedef struct smcr_expr smcr_expr_t;

/* *out is owned by the caller; end with smcr_expr_free.
 * Errors: SMC_EPARSE with the column (from 1) in detail; SMC_ENOMEM. */
smc_code_t smcr_expr_parse(const char *text, smcr_expr_t **out, smc_error_t *err);
void smcr_expr_free(smcr_expr_t *e);

/* tags: "a,b" without #; NULL when there are none. */
bool smcr_expr_matches(const smcr_expr_t *e, const char *id, const char *tags);

#endif /* SMCR_EXPR_H */
