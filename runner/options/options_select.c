/* options_select.c - what to run. */
#include "options/options_priv.h"

#include <stdlib.h>

static smc_code_t on_suite(smcr_parse_t *p, const char *arg, const char *value)
{
    return smcr_read_name(p, arg, value, "the name of a suite", &p->o->suite);
}

static smc_code_t on_expr(smcr_parse_t *p, const char *arg, const char *value)
{
    (void)arg;
    p->o->expr = value;
    return SMC_OK;
}

static smc_code_t on_tag(smcr_parse_t *p, const char *arg, const char *value)
{
    smcr_options_t *o = p->o;
    const char *name = value[0] == '#' ? value + 1 : value;
    if (!smcr_all_of(name, SMCR_LETTERS SMCR_DIGITS "_-", 1, 128))
        return smcr_bad_value(p, arg, value, "a tag: letters, digits, _ or -");
    if (o->n_tags == SMCR_MAX_TAGS)
        return SMCR_REFUSE(p, "%s is given more than %d times", arg, SMCR_MAX_TAGS);
    o->tags[o->n_tags++] = name;
    return SMC_OK;
}

SMCR_FLAG(last_failed)
SMCR_FLAG(failed_first)
SMCR_FLAG(shuffle)

static const char *variable(const char *name)
{
    return getenv(name);
}

static smc_code_t on_shard(smcr_parse_t *p, const char *arg, const char *value)
{
    (void)arg;
    return smcr_shard_read(value, variable, &p->o->shard, p->err);
}

static smc_code_t read_form(smcr_parse_t *p, const char *arg, const char *value)
{
    static const char *const forms[] = {"text", "json", NULL};
    size_t form = 0;
    smc_code_t rc = value == NULL ? SMC_OK : smcr_read_word(p, arg, value, forms, &form);
    p->o->json = form == 1;
    return rc;
}

static smc_code_t on_list(smcr_parse_t *p, const char *arg, const char *value)
{
    if (p->o->command == SMCR_CMD_RUN)
        p->o->command = SMCR_CMD_LIST;
    return read_form(p, arg, value);
}

static smc_code_t on_list_faults(smcr_parse_t *p, const char *arg, const char *value)
{
    if (p->o->command != SMCR_CMD_HELP && p->o->command != SMCR_CMD_VERSION)
        p->o->command = SMCR_CMD_LIST_FAULTS;
    return read_form(p, arg, value);
}

static const smcr_option_t options[] = {
    {"--suite", NULL, A_VALUE, false, RUN | PROVE, on_suite, "NAME",
     "the paths that suites.lua, in the folder PATH, has under this name: basic, rate-limiting, "
     "error-handling, circuit-breaker, failover, performance, agent, full; add your own there"},
    {"--filter", "-k", A_VALUE, false, RUN | PROVE, on_expr, "EXPR",
     "specs whose id or tags contain these words, whatever the letter case (--custom is the "
     "same):\n-k 'failover and not (slow or bybit)'"},
    {"--custom", NULL, A_VALUE, false, RUN | PROVE, on_expr, "EXPR", NULL},
    {"--tag", NULL, A_VALUE, true, RUN | PROVE, on_tag, "TAG",
     "specs that have this tag; may be given several times: one of them"},
    {"--last-failed", NULL, NOTHING, true, RUN, on_last_failed, NULL,
     "of these, what failed when it last ran here (.smcrun/last-failed); everything when nothing "
     "did"},
    {"--failed-first", NULL, NOTHING, true, RUN | CONF, on_failed_first, NULL,
     "everything, but that first"},
    {"--shard", NULL, A_VALUE, false, RUN | CONF, on_shard, "I/N",
     "of these, the I-th of N parts; a spec's part is said by its id alone\n"
     "auto: I and N of SMCRUN_SHARD=I/N, CI_NODE_INDEX and CI_NODE_TOTAL (GitLab), or "
     "JOB_COMPLETION_INDEX and SMCRUN_SHARDS (Kubernetes)"},
    {"--shuffle", NULL, NOTHING, true, RUN | CONF, on_shuffle, NULL,
     "files, and the specs in each, in an order drawn by --seed"},
    {"--list", NULL, MAYBE, false, RUN, on_list, NULL,
     "print the ids of the selected specs, and run nothing; --list=json for programs"},
    {"--list-faults", NULL, MAYBE, false, RUN, on_list_faults, NULL,
     "print what venues can do wrong, and how to ask for it; --list-faults=json for programs"},
};

static smc_code_t check(smcr_parse_t *p)
{
    static const smcr_contradiction_t pairs[] = {
        {"--filter", "--custom", "-k and --custom are one option: drop one, or join them by 'and'"},
        {"--last-failed", "--failed-first",
         "--failed-first contradicts --last-failed, which runs nothing else: drop one"},
        {"--transcripts", "--list",
         "--transcripts contradicts --list: nothing runs, so nothing is recorded"},
        {"--require", "--list",
         "--require contradicts --list: nothing runs, so no venue is talked to"},
        {"--report", "--list", "--report contradicts --list: nothing runs, so nothing is reported"},
    };
    if (p->o->suite != NULL && p->o->n_paths > 1)
        return SMCR_REFUSE(p, "--suite says itself what runs: drop the paths, or name one folder, "
                              "in which suites.lua lies");
    return smcr_refuse_pairs(p, pairs, SMCR_COUNT(pairs));
}

const smcr_option_group_t smcr_select_options = {"What to run", options, SMCR_COUNT(options),
                                                 check};
