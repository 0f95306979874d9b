/* watch.h - the option --watch. */
#ifndef SMCR_WATCH_H
#define SMCR_WATCH_H

#include "run/collect.h"

/* Runs, and then again what a saved file touches: the scenarios that are, require or read it, until SIGINT, SIGTERM or SIGHUP.
 * Returns the status of the last run; at once when the first one could not begin, or one is interrupted.
 * One seed for all runs: what fails goes on failing until it is mended. */
smcr_exit_t smcr_watch(const smcr_options_t *options);

#endif /* SMCR_WATCH_H */
