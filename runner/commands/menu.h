/* menu.h - `smcrun -i`: asks what to run, runs it, and shows what failed, as often as one likes. */
#ifndef SMCR_MENU_H
#define SMCR_MENU_H

#include "options/options.h"
#include "run/collect.h"

/* Reads standard input to its end, or to a q.  options: what runs have in common; of its paths, where there are any, is run
 * what is chosen.  Returns the worst status of what was run; PASSED when nothing was. */
smcr_exit_t smcr_menu(const smcr_options_t *options);

/* The worse of two. */
smcr_exit_t smcr_worse(smcr_exit_t a, smcr_exit_t b);

#endif /* SMCR_MENU_H */
