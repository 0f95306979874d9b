/* repl.h - the command `repl`: a prompt for Lua, in a world with sandboxes. */
#ifndef SMCR_REPL_H
#define SMCR_REPL_H

#include "options/options.h"
#include "run/collect.h"

/* Reads standard input to its end.  Returns PASSED; FAILED when a line that no person typed has failed; INTERRUPTED
 * when told to end; else USAGE or INTERNAL, after a complaint.  options: the seed is filled in when none was given. */
smcr_exit_t smcr_repl(smcr_options_t *options);

#endif /* SMCR_REPL_H */
