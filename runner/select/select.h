/* select.h - which of the specs that there are a run is about, and in which order they come.
 *
 * Each step takes away from what the one before has left:
 *   what was named     PATHs, or the paths of --suite
 *   what matches       the suite's own filter, -k, --tag
 *   what is wanted     of these, with --last-failed, what failed when it last ran
 *   what is run here   of these, with --shard, this machine's part
 * --failed-first and --shuffle change the order, of files and of the specs in each.
 */
#ifndef SMCR_SELECT_H
#define SMCR_SELECT_H

#include "options/options.h"
#include "select/discover.h"
#include "select/expr.h"
#include "select/failures.h"

/* A spec as a worker tells of it.  Borrowed. */
typedef struct smcr_spec {
    const char *id;
    const char *tags; /* "a,b"; NULL: none */
    const char
        *lines; /* of those that were asked for, the ones at which it stands: "12,40"; NULL: none */
} smcr_spec_t;

typedef struct smcr_selection {
    const smcr_options_t *options;
    smcr_expr_t *of_suite; /* NULL: none; owned, as is the next */
    smcr_expr_t *of_user;
    smcr_failures_t failures;
    bool only_failed;
} smcr_selection_t;

/* The expressions; what has failed, when an option asks for it.  *sel is zeroed at first; options are borrowed.
 * filter: the suite's; NULL: none.  Errors: SMC_EPARSE, SMC_ESYS with a whole sentence; SMC_ENOMEM. */
smc_code_t smcr_selection_init(smcr_selection_t *sel, const smcr_options_t *options,
                               const char *filter, smc_error_t *err);
/* --last-failed means something when a file of the plan has failed; else everything runs, and this is false. */
bool smcr_selection_narrow(smcr_selection_t *sel, const smcr_plan_t *plan);
void smcr_selection_deinit(smcr_selection_t *sel);

/* The steps; each is true only when those before it are. */
bool smcr_selection_matches(const smcr_selection_t *sel, const smcr_file_t *file, smcr_spec_t spec);
bool smcr_selection_wants(const smcr_selection_t *sel, const smcr_file_t *file, smcr_spec_t spec);
bool smcr_selection_runs(const smcr_selection_t *sel, const smcr_file_t *file, smcr_spec_t spec);

/* What is smaller comes first; equal ones stay in the order in which they are declared. */
int64_t smcr_selection_rank(const smcr_selection_t *sel, const smcr_file_t *file, const char *id);
/* Brings the files of the plan into their order.  Errors: SMC_ENOMEM. */
smc_code_t smcr_selection_arrange(const smcr_selection_t *sel, smcr_plan_t *plan, smc_error_t *err);

/* "a,b" or NULL: is the name among them? */
bool smcr_lists(const char *list, const char *name);

#endif /* SMCR_SELECT_H */
