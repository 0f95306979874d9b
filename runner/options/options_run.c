/* options_run.c - how to run it. */
#include "options/number.h"
#include "options/options_priv.h"

#include <unistd.h>

static const char *const targets[] = {"sandbox", "testnet", NULL};
static const char *const clocks[] = {"virtual", "real", NULL};

const char *smcr_target_text(smcr_target_t target)
{
    return targets[target];
}

const char *smcr_clock_text(smcr_clock_t clock)
{
    return clocks[clock];
}

static smc_code_t on_jobs(smcr_parse_t *p, const char *arg, const char *value)
{
    uint64_t n;
    if (!smcr_read_u64(value, 1, 1024, &n))
        return smcr_bad_value(p, arg, value, "a number of workers from 1 to 1024");
    p->o->jobs = (unsigned)n;
    return SMC_OK;
}

smc_code_t smcr_on_target(smcr_parse_t *p, const char *arg, const char *value)
{
    size_t i = 0;
    smc_code_t rc = smcr_read_word(p, arg, value, targets, &i);
    if (rc == SMC_OK)
        p->o->target = (smcr_target_t)i;
    return rc;
}

static smc_code_t on_clock(smcr_parse_t *p, const char *arg, const char *value)
{
    size_t i = 0;
    smc_code_t rc = smcr_read_word(p, arg, value, clocks, &i);
    if (rc == SMC_OK)
        p->o->clock = (smcr_clock_t)i;
    return rc;
}

smc_code_t smcr_on_seed(smcr_parse_t *p, const char *arg, const char *value)
{
    if (!smcr_read_u64(value, 0, INT64_MAX, &p->o->seed))
        return smcr_bad_value(p, arg, value, "a number from 0 to 9223372036854775807");
    p->o->has_seed = true;
    return SMC_OK;
}

static smc_code_t on_timeout(smcr_parse_t *p, const char *arg, const char *value)
{
    if (!smcr_read_seconds(value, &p->o->timeout_s))
        return smcr_bad_value(p, arg, value, "seconds from 0.001 to 10000000");
    return SMC_OK;
}

static smc_code_t on_memory(smcr_parse_t *p, const char *arg, const char *value)
{
    if (!smcr_read_u64(value, 1, UINT64_C(1) << 20, &p->o->memory_mib))
        return smcr_bad_value(p, arg, value, "MiB from 1 to 1048576");
    return SMC_OK;
}

static smc_code_t on_hang_after(smcr_parse_t *p, const char *arg, const char *value)
{
    if (!smcr_read_seconds(value, &p->o->hang_s))
        return smcr_bad_value(p, arg, value, "seconds from 0.001 to 10000000");
    return SMC_OK;
}

smc_code_t smcr_on_env_file(smcr_parse_t *p, const char *arg, const char *value)
{
    return smcr_read_name(p, arg, value, "the name of a file", &p->o->env_file);
}

static smc_code_t on_require(smcr_parse_t *p, const char *arg, const char *value)
{
    smcr_options_t *o = p->o;
    if (!smcr_all_of(value, SMCR_LETTERS SMCR_DIGITS "_", 1, 64))
        return smcr_bad_value(p, arg, value, "the name of a venue");
    if (o->n_required == SMCR_MAX_REQUIRED)
        return SMCR_REFUSE(p, "%s is given more than %d times", arg, SMCR_MAX_REQUIRED);
    o->required[o->n_required++] = value;
    return SMC_OK;
}

smc_code_t smcr_on_state_dir(smcr_parse_t *p, const char *arg, const char *value)
{
    return smcr_read_name(p, arg, value, "the name of a folder", &p->o->state_dir);
}

static smc_code_t on_interactive(smcr_parse_t *p, const char *arg, const char *value)
{
    (void)arg, (void)value;
    if (p->o->command == SMCR_CMD_RUN)
        p->o->command = SMCR_CMD_MENU;
    return SMC_OK;
}

SMCR_FLAG(strict_leaks)
SMCR_FLAG(allow_process)

static smc_code_t on_allow_read(smcr_parse_t *p, const char *arg, const char *value)
{
    smcr_options_t *o = p->o;
    if (access(value, R_OK) != 0)
        return smcr_bad_value(p, arg, value, "a file or folder that is there and may be read");
    if (o->n_allow_read == SMCR_MAX_ALLOWED)
        return SMCR_REFUSE(p, "%s is given more than %d times", arg, SMCR_MAX_ALLOWED);
    o->allow_read[o->n_allow_read++] = value;
    return SMC_OK;
}

static const smcr_option_t options[] = {
    {"--interactive", "-i", NOTHING, true, RUN, on_interactive, NULL,
     "ask what to run: suite, venue, target; show what failed, run it again.  So does smcrun "
     "alone, "
     "at a terminal"},
    {"--jobs", "-j", A_VALUE, false, RUN | PROVE | CONF, on_jobs, "N",
     "files at a time (default: one for each CPU; 1 on a testnet)"},
    {"--target", NULL, A_VALUE, false, RUN | CONF, smcr_on_target, "sandbox|testnet",
     "sandbox (default): exchanges inside this program\n"
     "testnet: the real test venues; needs keys and internet"},
    {"--clock", NULL, A_VALUE, false, RUN | CONF, on_clock, "virtual|real",
     "virtual (default): no waiting; real: as the clock on the wall"},
    {"--seed", NULL, A_VALUE, false, RUN | PROVE | REPL | CONF, smcr_on_seed, "N",
     "what chance depends on (default: drawn, and printed)"},
    {"--timeout", NULL, A_VALUE, false, RUN | PROVE | CONF, on_timeout, "S",
     "seconds a spec may take on its clock (default 60)"},
    {"--memory", NULL, A_VALUE, false, RUN | PROVE | REPL | CONF, on_memory, "MiB",
     "Lua memory of one worker (default 512); all of it may be four times as much and 64 more"},
    {"--hang-after", NULL, A_VALUE, false, RUN | PROVE | CONF, on_hang_after, "S",
     "real seconds after which a worker without a sign of life is killed (default 60; on the real "
     "clock 60 more than twice --timeout)"},
    {"--env-file", NULL, A_VALUE, false, RUN | CONF, smcr_on_env_file, "F",
     "KEY=value lines with credentials (default .env, if there is one); the environment wins over "
     "the file.  BINANCE_TESTNET_URL, BYBIT_TESTNET_URL and OANDA_PRACTICE_URL move a testnet to a "
     "server on this machine, which SMCRUN_CA_FILE tells to trust"},
    {"--require", NULL, A_VALUE, true, RUN | CHECK_ENV | CONF, on_require, "VENUE",
     "a spec that is not skipped must talk to it; may be given several times"},
    {"--strict-leaks", NULL, NOTHING, true, RUN | PROVE | CONF, on_strict_leaks, NULL,
     "a spec that leaves orders open and is not tagged #leaves-orders, or makes globals, has "
     "leaked; "
     "tasks and streams that it leaves open are leaks anyway"},
    {"--allow-process", NULL, NOTHING, true, RUN | PROVE, on_allow_process, NULL,
     "specs may start programs with smc.process; those that are tagged #process run by the real "
     "clock, and are skipped without this.  A program is not confined as a scenario is: it may do "
     "what you may"},
    {"--allow-read", NULL, A_VALUE, true, RUN | PROVE, on_allow_read, "PATH",
     "scenarios may read this file, or what lies below this folder, beside their own folder; "
     "hidden files never.  May be given several times"},
    {"--state-dir", NULL, A_VALUE, false, RUN | CONF, smcr_on_state_dir, "DIR",
     "where a run on a testnet notes its orders (default $XDG_STATE_HOME/smcrun, or "
     "~/.local/state/smcrun)"},
};

static smc_code_t check(smcr_parse_t *p)
{
    smcr_options_t *o = p->o;
    if (o->topic != SMCR_CMD_RUN)
        return SMC_OK;
    if (smcr_given(p, "--interactive") && smcr_given(p, "--list"))
        return SMCR_REFUSE(p, "--interactive contradicts --list: nothing is asked there");
    if (o->target == SMCR_SANDBOX && o->state_dir != NULL)
        return SMCR_REFUSE(p, "--state-dir wants --target testnet: of a sandbox nothing is left");
    if (o->target == SMCR_SANDBOX)
        return SMC_OK;
    if (smcr_given(p, "--clock") && o->clock == SMCR_CLOCK_VIRTUAL)
        return SMCR_REFUSE(
            p, "--clock virtual contradicts --target testnet: a testnet's time is real");
    o->clock = SMCR_CLOCK_REAL;
    return SMC_OK;
}

const smcr_option_group_t smcr_run_options = {"How to run it", options, SMCR_COUNT(options), check};

SMCR_FLAG(gc_stress)
SMCR_FLAG(internal)

static const smcr_option_t extend[] = {
    {"--gc-stress", NULL, NOTHING, true, RUN, on_gc_stress, NULL,
     "collect all garbage all the time, to find use after free"},
    {"--internal", NULL, NOTHING, true, RUN | PROVE, on_internal, NULL,
     "scenarios may require smc.core.* and use all of debug"},
};

const smcr_option_group_t smcr_extend_options = {"For people who extend smcrun itself", extend,
                                                 SMCR_COUNT(extend), NULL};
