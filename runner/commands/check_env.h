/* check_env.h - the command `check-env`: what a run on the testnets would find. */
#ifndef SMCR_CHECK_ENV_H
#define SMCR_CHECK_ENV_H

#include "options/options.h"
#include "run/collect.h"

/* Prints, for each venue, which variables are set, whether it answers and takes the key, and what becomes of its specs;
 * values never.  Returns PASSED: all that have credentials are ready; FAILED: one of them is not; MISSING: none, or a
 * required one, has them; else USAGE or INTERNAL, after a complaint. */
smcr_exit_t smcr_check_env(const smcr_options_t *options);

#endif /* SMCR_CHECK_ENV_H */
