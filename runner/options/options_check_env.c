/* options_check_env.c - which venues smcrun check-env looks at, and how closely. */
#include "options/options_priv.h"

SMCR_FLAG(offline)

static const smcr_option_t options[] = {
    {"--offline", NULL, NOTHING, true, CHECK_ENV, on_offline, NULL,
     "look at variables and files only; ask no venue"},
};

const smcr_option_group_t smcr_check_env_options = {"", options, SMCR_COUNT(options), NULL};
