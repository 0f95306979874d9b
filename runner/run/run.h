/* run.h - the command `run`, and with --list its dry half. */
#ifndef SMCR_RUN_H
#define SMCR_RUN_H

#include "run/collect.h"

/* Discovers, runs, reports; returns the exit status.  Complaints go to standard error.
 * options: the seed is filled in when none was given. */
smcr_exit_t smcr_run(smcr_options_t *options);

/* The same, told to a reporter of the caller's; also_told: to those that the options name, too. */
smcr_exit_t smcr_run_with(smcr_options_t *options, smcr_reporter_t *reporter, bool also_told);

/* Fills the seed in when none was given.  INTERNAL, after a complaint, when that fails; else PASSED. */
smcr_exit_t smcr_draw_seed(smcr_options_t *options);

#endif /* SMCR_RUN_H */
