/* serve.h - the command `serve`: sandboxes in real time, for programs outside. */
#ifndef SMCR_SERVE_H
#define SMCR_SERVE_H

#include "options/options.h"
#include "run/collect.h"

/* Serves until SIGTERM, SIGINT or SIGHUP; a second one ends the process at once.  Complaints go to standard error.
 * Returns PASSED after a stop that was asked for, USAGE when a port is taken, else INTERNAL.
 * options: the seed is filled in when none was given. */
smcr_exit_t smcr_serve(smcr_options_t *options);

#endif /* SMCR_SERVE_H */
