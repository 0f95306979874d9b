/* options_priv.h - how the command line is taken apart; for options*.c and help.c.
 *
 * An option is one entry of a table: its names, what it takes, which commands know it, what it does, and what --help says.
 * options_<group>.c holds the options of one group and what they contradict; options.c finds them, help.c prints them.
 */
#ifndef SMCR_OPTIONS_PRIV_H
#define SMCR_OPTIONS_PRIV_H

#include "options/options.h"

/* The commands that know an option. */
enum {
    RUN = 1 << SMCR_CMD_RUN,
    SERVE = 1 << SMCR_CMD_SERVE,
    CLEAN = 1 << SMCR_CMD_CLEAN,
    PROVE = 1 << SMCR_CMD_PROVE,
    REPL = 1 << SMCR_CMD_REPL,
    CHECK_ENV = 1 << SMCR_CMD_CHECK_ENV,
    MERGE = 1 << SMCR_CMD_MERGE,
    CONF = 1 << 30, /* and may be configured: see config.h */
};

typedef struct smcr_parse {
    smcr_options_t *o;
    smc_error_t *err;
    const struct smcr_option **_given;
    size_t _n_given;
} smcr_parse_t;

/* arg: the option as it is called in messages.  value: NULL for a flag. */
typedef smc_code_t (*smcr_apply_fn)(smcr_parse_t *p, const char *arg, const char *value);

typedef enum smcr_takes { NOTHING, A_VALUE, MAYBE /* one behind = */ } smcr_takes_t;

typedef struct smcr_option {
    const char *name;  /* "--timeout" */
    const char *alias; /* "-k"; NULL: none */
    smcr_takes_t takes;
    bool repeatable; /* a flag always is */
    unsigned commands;
    smcr_apply_fn apply;
    const char *
        value; /* what help calls it, "EXPR", or all its words, "virtual|real"; NULL: it shows none */
    const char *help; /* wrapped where it is shown, \n: here, too; NULL: another name, not shown */
} smcr_option_t;

typedef struct smcr_option_group {
    const char *title; /* "" : none */
    const smcr_option_t *options;
    size_t n;
    /* Of all that was given together; NULL: nothing contradicts. */
    smc_code_t (*check)(smcr_parse_t *p);
} smcr_option_group_t;

/* In the order of help.  A command whose own options have a group of their own comes first. */
extern const smcr_option_group_t smcr_prove_options, smcr_serve_options, smcr_clean_options,
    smcr_check_env_options, smcr_config_options, smcr_select_options, smcr_run_options,
    smcr_again_options, smcr_report_options, smcr_doubt_options, smcr_extend_options,
    smcr_common_options;

/* All groups, NULL at the end. */
extern const smcr_option_group_t *const smcr_option_groups[];
/* The n-th option that the command knows; NULL: no more. */
const smcr_option_t *smcr_nth_option(smcr_command_t command, size_t n);
/* Does it have that option, and is that to be told?  Another name of an option is not. */
bool smcr_option_is_told(const smcr_option_t *option, smcr_command_t command);

/* What --help of a command says before its options, the first line being its usage, and behind them. */
const char *smcr_help_before(smcr_command_t topic);
const char *smcr_help_after(smcr_command_t topic);

#define SMCR_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define SMCR_REFUSE(p, ...) smc_fail((p)->err, SMC_EINVAL, "options", 0, __VA_ARGS__)

/* Defines on_<field>, which sets that flag. */
#define SMCR_FLAG(field)                                                              \
    static smc_code_t on_##field(smcr_parse_t *p, const char *arg, const char *value) \
    {                                                                                 \
        (void)arg, (void)value;                                                       \
        p->o->field = true;                                                           \
        return SMC_OK;                                                                \
    }

/* Was the option of this name given, by whichever of its names? */
bool smcr_given(const smcr_parse_t *p, const char *name);

/* Takes the settings of o->config that nothing stronger contradicts; the others are told why not.  check: of all that was
 * given together.  Errors: a value that is wrong, with its source. */
smc_code_t smcr_config_merge(smcr_parse_t *p, smc_code_t (*check)(smcr_parse_t *));
/* What holds when an option that can be configured is not given, as a line of a configuration; NULL: unknown. */
const char *smcr_config_default(const smcr_option_t *option);

/* Two options that cannot be given together. */
typedef struct smcr_contradiction {
    const char *one;
    const char *other;
    const char *why; /* a sentence that names both and the mend */
} smcr_contradiction_t;

smc_code_t smcr_refuse_pairs(smcr_parse_t *p, const smcr_contradiction_t *pairs, size_t n);

/* "ARG wants WANTED, not 'VALUE'" */
smc_code_t smcr_bad_value(smcr_parse_t *p, const char *arg, const char *value, const char *wanted);
/* One of the words (NULL at the end) -> *index, or the error that lists them. */
smc_code_t smcr_read_word(smcr_parse_t *p, const char *arg, const char *value,
                          const char *const words[], size_t *index);
/* Only characters of the set (NULL: any), min to max of them? */
bool smcr_all_of(const char *text, const char *set, size_t min, size_t max);
#define SMCR_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define SMCR_DIGITS "0123456789"

/* A text that must not be empty -> *out; what: "the name of a file". */
smc_code_t smcr_read_name(smcr_parse_t *p, const char *arg, const char *value, const char *what,
                          const char **out);

/* Options that several commands know by tables of their own. */
smc_code_t smcr_on_help(smcr_parse_t *p, const char *arg, const char *value);
smc_code_t smcr_on_seed(smcr_parse_t *p, const char *arg, const char *value);
smc_code_t smcr_on_target(smcr_parse_t *p, const char *arg, const char *value);
smc_code_t smcr_on_env_file(smcr_parse_t *p, const char *arg, const char *value);
smc_code_t smcr_on_state_dir(smcr_parse_t *p, const char *arg, const char *value);
smc_code_t smcr_on_quiet(smcr_parse_t *p, const char *arg, const char *value);

#endif /* SMCR_OPTIONS_PRIV_H */
