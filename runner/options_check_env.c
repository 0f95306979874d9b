/* options_check_env.c - which venues smcrun check-env looks at, and how closely. */
#include "options_priv.h"

SMCR_FLAG(offline)

/* As an option it has made check-env the command already; see options.c. */
static smc_code_t on_check_env(smcr_parse_t *p, const char *arg, const char *value)
{
    (void)p, (void)arg, (void)value;
    return SMC_OK;
}

static const smcr_option_t options[] = {
    {"--offline", NULL, NOTHING, true, CHECK_ENV, on_offline, NULL,
     "look at variables and files only; ask no venue"},
    {"--check-env", NULL, NOTHING, true, RUN | CHECK_ENV, on_check_env, NULL,
     "print what a run on the testnets would find; the same as the command check-env"},
};

const smcr_option_group_t smcr_check_env_options = {"", options, SMCR_COUNT(options), NULL};
