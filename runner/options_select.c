/* options_select.c - what to run. */
#include "options_priv.h"

static smc_code_t on_expr(smcr_parse_t *p, const char *arg, const char *value)
{
    (void)arg;
    p->o->expr = value;
    return SMC_OK;
}

static smc_code_t on_list(smcr_parse_t *p, const char *arg, const char *value)
{
    (void)arg, (void)value;
    if (p->o->command == SMCR_CMD_RUN)
        p->o->command = SMCR_CMD_LIST;
    return SMC_OK;
}

static smc_code_t on_list_faults(smcr_parse_t *p, const char *arg, const char *value)
{
    static const char *const forms[] = {"text", "json", NULL};
    size_t form = 0;
    smc_code_t rc = value == NULL ? SMC_OK : smcr_read_word(p, arg, value, forms, &form);
    if (p->o->command != SMCR_CMD_HELP && p->o->command != SMCR_CMD_VERSION)
        p->o->command = SMCR_CMD_LIST_FAULTS;
    p->o->json = form == 1;
    return rc;
}

static const smcr_option_t options[] = {
    {"--filter", "-k", A_VALUE, false, RUN | PROVE, on_expr, "EXPR",
     "specs whose id contains, or that are tagged with, these words:\n"
     "-k 'failover and not (slow or bybit)'"},
    {"--list", NULL, NOTHING, true, RUN, on_list, NULL,
     "print the ids of the selected specs; run nothing"},
    {"--list-faults", NULL, MAYBE, false, RUN, on_list_faults, NULL,
     "print what venues can do wrong, and how to ask for it; --list-faults=json for programs"},
};

static smc_code_t check(smcr_parse_t *p)
{
    static const smcr_contradiction_t pairs[] = {
        {"--transcripts", "--list",
         "--transcripts contradicts --list: nothing runs, so nothing is recorded"},
        {"--require", "--list",
         "--require contradicts --list: nothing runs, so no venue is talked to"},
        {"--report", "--list", "--report contradicts --list: nothing runs, so nothing is reported"},
    };
    return smcr_refuse_pairs(p, pairs, SMCR_COUNT(pairs));
}

const smcr_option_group_t smcr_select_options = {"What to run", options, SMCR_COUNT(options),
                                                 check};
