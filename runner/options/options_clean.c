/* options_clean.c - what smcrun clean looks at, and with whose keys; check-env, too. */
#include "options/options_priv.h"

SMCR_FLAG(dry_run)

static const smcr_option_t options[] = {
    {"--dry-run", NULL, NOTHING, true, CLEAN, on_dry_run, NULL,
     "only ask and tell; cancel and remove nothing"},
    {"--target", NULL, A_VALUE, false, CLEAN | CHECK_ENV, smcr_on_target, "testnet",
     "(there is no other)"},
    {"--env-file", NULL, A_VALUE, false, CLEAN | CHECK_ENV, smcr_on_env_file, "F",
     "KEY=value lines with credentials, as in a run"},
    {"--state-dir", NULL, A_VALUE, false, CLEAN, smcr_on_state_dir, "DIR",
     "where journals are (default $XDG_STATE_HOME/smcrun, or ~/.local/state/smcrun)"},
};

static smc_code_t check(smcr_parse_t *p)
{
    smcr_options_t *o = p->o;
    bool cleans = o->topic == SMCR_CMD_CLEAN;
    if (!cleans && o->topic != SMCR_CMD_CHECK_ENV)
        return SMC_OK;
    if (smcr_given(p, "--target") && o->target == SMCR_SANDBOX)
        return SMCR_REFUSE(p, "--target sandbox %s",
                           cleans ? "has nothing to clean: sandboxes end with their run"
                                  : "has nothing to check: sandboxes need no credentials");
    o->target = SMCR_TESTNET;
    return SMC_OK;
}

const smcr_option_group_t smcr_clean_options = {"", options, SMCR_COUNT(options), check};
