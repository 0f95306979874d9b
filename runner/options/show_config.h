/* show_config.h - --show-config: what holds, and where it comes from. */
#ifndef SMCR_SHOW_CONFIG_H
#define SMCR_SHOW_CONFIG_H

#include "options/options.h"
#include "run/collect.h"

/* Prints a configuration that says what these options say, each line with its source; and which variables of venues are
 * set, without their values.  Returns PASSED, or USAGE after a complaint. */
smcr_exit_t smcr_show_config(const smcr_options_t *options);

#endif /* SMCR_SHOW_CONFIG_H */
