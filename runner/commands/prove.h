/* prove.h - the command prove: can the specs fail?
 *
 * Runs what is selected as it is, where all must pass, and once more under each sabotage.  A spec that passes under all
 * of them is vacuous; a sabotage under which every spec passes is unnoticed.  Either makes the exit status 1.
 */
#ifndef SMCR_PROVE_H
#define SMCR_PROVE_H

#include "options/options.h"
#include "run/collect.h"

smcr_exit_t smcr_prove(smcr_options_t *options);

#endif /* SMCR_PROVE_H */
