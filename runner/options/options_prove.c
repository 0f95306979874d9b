/* options_prove.c - how to break things on purpose: in one run, and in prove. */
#include "options/nearest.h"
#include "options/options_priv.h"

#include <string.h>

/* Says them all, or the one that is like it, when there is none of that name. */
static smc_code_t read_sabotage(smcr_parse_t *p, const char *arg, const char *value,
                                smcr_sabotage_t *out)
{
    const char *names[SMCR_SABOTAGE_END] = {NULL};
    for (smcr_sabotage_t s = SMCR_DEAD; s < SMCR_SABOTAGE_END; s++) {
        names[s - 1] = smcr_sabotage_text(s);
        if (strcmp(names[s - 1], value) == 0) {
            *out = s;
            return SMC_OK;
        }
    }
    const char *near = smcr_nearest(value, strlen(value), names);
    if (near != NULL)
        return SMCR_REFUSE(p, "%s knows no '%s'; did you mean '%s'?", arg, value, near);
    return SMCR_REFUSE(p, "%s knows no '%s': try dead; see smcrun prove --help", arg, value);
}

static smc_code_t on_sabotage(smcr_parse_t *p, const char *arg, const char *value)
{
    return read_sabotage(p, arg, value, &p->o->sabotage);
}

/* Of prove: one of several. */
static smc_code_t on_sabotages(smcr_parse_t *p, const char *arg, const char *value)
{
    smcr_sabotage_t s = SMCR_NO_SABOTAGE;
    smc_code_t rc = read_sabotage(p, arg, value, &s);
    if (rc == SMC_OK)
        p->o->sabotages |= UINT32_C(1) << s;
    return rc;
}

static const smcr_option_t of_prove[] = {
    {"--sabotage", NULL, A_VALUE, true, PROVE, on_sabotages, "S",
     "this one; may be given several times (default: all)"},
    {"--quiet", "-q", NOTHING, true, PROVE, smcr_on_quiet, NULL, "without the matrix"},
};

const smcr_option_group_t smcr_prove_options = {"", of_prove, SMCR_COUNT(of_prove), NULL};

static const smcr_option_t of_run[] = {
    {"--sabotage", NULL, A_VALUE, false, RUN, on_sabotage, "S",
     "break every sandbox, or one of our own mechanisms: dead, mute, ...; a spec that passes under "
     "all of them proves nothing: smcrun prove"},
};

static smc_code_t check(smcr_parse_t *p)
{
    if (p->o->sabotage != SMCR_NO_SABOTAGE && p->o->target == SMCR_TESTNET)
        return SMCR_REFUSE(
            p, "--sabotage contradicts --target testnet: only a sandbox can be sabotaged");
    return SMC_OK;
}

const smcr_option_group_t smcr_doubt_options = {"To doubt the tests", of_run, SMCR_COUNT(of_run),
                                                check};
