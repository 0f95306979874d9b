/* clean.h - the command `clean`: ends the orders that killed runs have left at test venues. */
#ifndef SMCR_CLEAN_H
#define SMCR_CLEAN_H

#include "options/options.h"
#include "run/collect.h"

/* Reads the journals of runs that are no more, ends what lives by its client id, and removes those that are done.
 * Tells on standard output what became of each order.  Returns PASSED: nothing is left; FAILED: something is; MISSING:
 * something is, and all of it for want of credentials; USAGE, INTERNAL. */
smcr_exit_t smcr_clean(const smcr_options_t *options);

#endif /* SMCR_CLEAN_H */
