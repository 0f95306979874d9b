/* options_config.c - where options come from that no flag gives. */
#include "options/options_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALL (RUN | PROVE | CLEAN | CHECK_ENV | REPL)

static smc_code_t on_config(smcr_parse_t *p, const char *arg, const char *value)
{
    return smcr_read_name(p, arg, value, "the name of a file", &p->o->config_file);
}

SMCR_FLAG(no_config)

static smc_code_t on_show_config(smcr_parse_t *p, const char *arg, const char *value)
{
    (void)arg, (void)value;
    if (p->o->command != SMCR_CMD_HELP && p->o->command != SMCR_CMD_VERSION)
        p->o->command = SMCR_CMD_SHOW_CONFIG;
    return SMC_OK;
}

/* As an option it has made check-env the command already; see options.c. */
static smc_code_t on_check_env(smcr_parse_t *p, const char *arg, const char *value)
{
    (void)p, (void)arg, (void)value;
    return SMC_OK;
}

static const smcr_option_t options[] = {
    {"--config", NULL, A_VALUE, false, ALL, on_config, "F",
     "take options from there (default smcrun.lua, here or above in the same repository): lines as "
     "in jobs = 4.  A variable SMCRUN_JOBS wins over the file, a flag over both"},
    {"--no-config", NULL, NOTHING, true, ALL, on_no_config, NULL, "read no smcrun.lua"},
    {"--show-config", NULL, NOTHING, true, ALL, on_show_config, NULL,
     "print every option's value and where it comes from; run nothing"},
    {"--check-env", NULL, NOTHING, true, RUN | CHECK_ENV, on_check_env, NULL,
     "print what a run on the testnets would find; the same as the command check-env"},
};

static smc_code_t check(smcr_parse_t *p)
{
    static const smcr_contradiction_t pairs[] = {
        {"--config", "--no-config", "--config and --no-config contradict each other: drop one"},
    };
    return smcr_refuse_pairs(p, pairs, SMCR_COUNT(pairs));
}

const smcr_option_group_t smcr_config_options = {"Where options come from", options,
                                                 SMCR_COUNT(options), check};

const char *smcr_config_default(const smcr_option_t *option)
{
    static const struct {
        const char *name;
        const char *line;
    } all[] = {
        {"--failed-first", "failed_first = false"},
        {"--shard", "-- shard: all of it"},
        {"--shuffle", "shuffle = false"},
        {"--jobs", "-- jobs: one for each CPU, 1 on a testnet"},
        {"--target", "target = \"sandbox\""},
        {"--clock", "clock = \"virtual\""},
        {"--seed", "-- seed: drawn"},
        {"--timeout", "timeout = 60"},
        {"--memory", "memory = 512"},
        {"--hang-after", "-- hang_after: 60, on the real clock 60 more than twice the timeout"},
        {"--env-file", "-- env_file: .env, if there is one"},
        {"--require", "-- require: no venue"},
        {"--strict-leaks", "strict_leaks = false"},
        {"--state-dir", "-- state_dir: $XDG_STATE_HOME/smcrun, or ~/.local/state/smcrun"},
        {"--retries", "retries = 0"},
        {"--fail-on-flaky", "fail_on_flaky = false"},
        {"--max-fail", "-- max_fail: none"},
        {"--report", "report = \"pretty\""},
        {"--transcripts", "-- transcripts: none"},
        {"--verbose", "verbose = false"},
        {"--quiet", "quiet = false"},
        {"--no-color", "no_color = false"},
    };
    for (size_t i = 0; i < SMCR_COUNT(all); i++)
        if (strcmp(all[i].name, option->name) == 0)
            return all[i].line;
    return NULL;
}

/* ---- what is taken ------------------------------------------------------------ */

/* The option of that name as this command knows it; NULL: it has none. */
static const smcr_option_t *of_command(const char *name, smcr_command_t topic)
{
    for (const smcr_option_group_t *const *g = smcr_option_groups; *g != NULL; g++)
        for (size_t i = 0; i < (*g)->n; i++)
            if (((*g)->options[i].commands >> topic & 1) != 0 &&
                strcmp((*g)->options[i].name, name) == 0)
                return &(*g)->options[i];
    return NULL;
}

/* What has said it before, more strongly; NULL: nothing. */
static const char *stronger(const smcr_options_t *o, size_t at)
{
    const char *name = o->config.items[at].option->name;
    for (size_t i = 0; i < o->n_flags; i += 2)
        if (strcmp(o->flags[i], name) == 0)
            return name;
    for (size_t i = 0; i < at; i++)
        if (strcmp(o->config.items[i].option->name, name) == 0)
            return o->config.items[i].source;
    return NULL;
}

static smc_code_t set_unused(smcr_parse_t *p, smcr_setting_t *s, const char *why)
{
    free(s->unused);
    s->unused = strdup(why);
    return s->unused != NULL ? SMC_OK
                             : smc_fail(p->err, SMC_ENOMEM, "options", 0, "no memory for options");
}

static smc_code_t apply(smcr_parse_t *p, const smcr_setting_t *s, const smcr_option_t *option)
{
    char called[128], key[32];
    smcr_config_key(option, key);
    /* A line of a file does not name the key. */
    bool in_file = strchr(s->source, ':') != NULL;
    (void)snprintf(called, sizeof(called), "%.80s%s%s", s->source, in_file ? ": " : "",
                   in_file ? key : "");
    smc_code_t rc = SMC_OK;
    for (size_t i = 0; i < s->n_values && rc == SMC_OK; i++)
        rc = option->apply(p, called, s->values[i]);
    if (s->n_values > 0)
        p->_given[p->_n_given++] = option;
    return rc;
}

/* Takes it, unless that contradicts what is there.  Errors: only a value that is wrong by itself. */
static smc_code_t try_setting(smcr_parse_t *p, smcr_setting_t *s,
                              smc_code_t (*check_all)(smcr_parse_t *), bool *taken)
{
    const smcr_option_t *option = of_command(s->option->name, p->o->topic);
    smcr_options_t before = *p->o;
    size_t n_before = p->_n_given;
    smc_error_t no = {0}, *err = p->err;
    *taken = false;
    if (option == NULL)
        return set_unused(p, s, "this command has no such option");
    smc_code_t rc = apply(p, s, option);
    if (rc != SMC_OK)
        return rc;
    p->err = &no;
    *taken = check_all(p) == SMC_OK;
    p->err = err;
    if (*taken) {
        free(s->unused);
        s->unused = NULL;
        return SMC_OK;
    }
    *p->o = before;
    p->_n_given = n_before;
    return set_unused(p, s, no.detail);
}

smc_code_t smcr_config_merge(smcr_parse_t *p, smc_code_t (*check_all)(smcr_parse_t *))
{
    enum { MOST = 2 * SMCR_MAX_KEYS }; /* each key in the file and in the environment */
    smcr_config_t *config = &p->o->config;
    bool done[MOST] = {false};
    smc_code_t rc = SMC_OK;
    for (size_t i = 0; i < config->count && i < MOST && rc == SMC_OK; i++) {
        char why[128];
        const char *by = stronger(p->o, i);
        done[i] = by != NULL;
        (void)snprintf(why, sizeof(why), "%.100s wins", by == NULL ? "" : by);
        if (done[i])
            rc = set_unused(p, &config->items[i], why);
    }
    /* One may only make sense beside another: until no more is taken. */
    for (bool more = true; more && rc == SMC_OK;) {
        more = false;
        for (size_t i = 0; i < config->count && i < MOST && rc == SMC_OK; i++) {
            if (done[i])
                continue;
            rc = try_setting(p, &config->items[i], check_all, &done[i]);
            more = more || done[i];
        }
    }
    return rc;
}
