#include "options/options_priv.h"

#include "options/nearest.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- what the tables are made of -------------------------------------------- */

smc_code_t smcr_bad_value(smcr_parse_t *p, const char *arg, const char *value, const char *wanted)
{
    return SMCR_REFUSE(p, "%s wants %s, not '%s'", arg, wanted, value);
}

smc_code_t smcr_read_word(smcr_parse_t *p, const char *arg, const char *value,
                          const char *const words[], size_t *index)
{
    char list[80] = "";
    for (size_t i = 0; words[i] != NULL; i++) {
        if (strcmp(words[i], value) == 0) {
            *index = i;
            return SMC_OK;
        }
        (void)strncat(list, i == 0 ? "" : " or ", sizeof(list) - strlen(list) - 1);
        (void)strncat(list, words[i], sizeof(list) - strlen(list) - 1);
    }
    return smcr_bad_value(p, arg, value, list);
}

bool smcr_all_of(const char *text, const char *set, size_t min, size_t max)
{
    size_t n = strlen(text);
    return n >= min && n <= max && (set == NULL || strspn(text, set) == n);
}

smc_code_t smcr_read_name(smcr_parse_t *p, const char *arg, const char *value, const char *what,
                          const char **out)
{
    if (value[0] == '\0')
        return smcr_bad_value(p, arg, value, what);
    *out = value;
    return SMC_OK;
}

bool smcr_given(const smcr_parse_t *p, const char *name)
{
    for (size_t i = 0; i < p->_n_given; i++)
        if (strcmp(p->_given[i]->name, name) == 0)
            return true;
    return false;
}

smc_code_t smcr_refuse_pairs(smcr_parse_t *p, const smcr_contradiction_t *pairs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (smcr_given(p, pairs[i].one) && smcr_given(p, pairs[i].other))
            return SMCR_REFUSE(p, "%s", pairs[i].why);
    return SMC_OK;
}

/* ---- what every command has ------------------------------------------------- */

smc_code_t smcr_on_help(smcr_parse_t *p, const char *arg, const char *value)
{
    (void)arg, (void)value;
    p->o->command = SMCR_CMD_HELP;
    return SMC_OK;
}

static smc_code_t on_version(smcr_parse_t *p, const char *arg, const char *value)
{
    (void)arg, (void)value;
    if (p->o->command != SMCR_CMD_HELP)
        p->o->command = SMCR_CMD_VERSION;
    return SMC_OK;
}

static const smcr_option_t common[] = {
    {"--help", "-h", NOTHING, true, RUN | SERVE | CLEAN | PROVE | REPL | CHECK_ENV | MERGE,
     smcr_on_help, NULL, "print this text"},
    {"--version", NULL, NOTHING, true, RUN, on_version, NULL, "print the version"},
};

const smcr_option_group_t smcr_common_options = {"", common, SMCR_COUNT(common), NULL};

const smcr_option_group_t *const smcr_option_groups[] = {&smcr_prove_options,
                                                         &smcr_serve_options,
                                                         &smcr_clean_options,
                                                         &smcr_check_env_options,
                                                         &smcr_select_options,
                                                         &smcr_run_options,
                                                         &smcr_again_options,
                                                         &smcr_report_options,
                                                         &smcr_config_options,
                                                         &smcr_doubt_options,
                                                         &smcr_extend_options,
                                                         &smcr_common_options,
                                                         NULL};

/* ---- the command line --------------------------------------------------------- */

const smcr_option_t *smcr_nth_option(smcr_command_t command, size_t n)
{
    for (const smcr_option_group_t *const *g = smcr_option_groups; *g != NULL; g++)
        for (size_t i = 0; i < (*g)->n; i++)
            if (((*g)->options[i].commands >> command & 1) != 0 && n-- == 0)
                return &(*g)->options[i];
    return NULL;
}

bool smcr_option_is_told(const smcr_option_t *option, smcr_command_t command)
{
    return (option->commands >> command & 1) != 0 && option->help != NULL;
}

const char *smcr_command_text(smcr_command_t command)
{
    return command == SMCR_CMD_RUN         ? "run"
           : command == SMCR_CMD_SERVE     ? "serve"
           : command == SMCR_CMD_CLEAN     ? "clean"
           : command == SMCR_CMD_PROVE     ? "prove"
           : command == SMCR_CMD_REPL      ? "repl"
           : command == SMCR_CMD_CHECK_ENV ? "check-env"
           : command == SMCR_CMD_MERGE     ? "merge"
                                           : NULL;
}

static const smcr_option_t *find_option(smcr_command_t command, const char *arg, size_t len)
{
    const smcr_option_t *option;
    for (size_t n = 0; (option = smcr_nth_option(command, n)) != NULL; n++) {
        const char *name = arg[1] == '-' ? option->name : option->alias;
        if (name != NULL && strlen(name) == len && memcmp(name, arg, len) == 0)
            return option;
    }
    return NULL;
}

static smc_code_t unknown(smcr_parse_t *p, const char *arg, size_t len)
{
    enum { MAX_NAMES = 128 };
    const char *names[MAX_NAMES + 1];
    const smcr_option_t *option;
    size_t n = 0;
    for (smcr_command_t c = SMCR_CMD_RUN; smcr_command_text(c) != NULL; c++)
        if (find_option(c, arg, len) != NULL)
            return SMCR_REFUSE(p, "unknown option '%.*s'; it is one of 'smcrun %s'", (int)len, arg,
                               smcr_command_text(c));
    for (; n < MAX_NAMES && (option = smcr_nth_option(p->o->topic, n)) != NULL; n++)
        names[n] = option->name;
    names[n] = NULL;
    const char *near = smcr_nearest(arg, len, names);
    if (near != NULL)
        return SMCR_REFUSE(p, "unknown option '%.*s'; did you mean '%s'?", (int)len, arg, near);
    return SMCR_REFUSE(p, "unknown option '%.*s'", (int)len, arg);
}

/* value: what stands in the same argument; NULL: an option that wants one finds it in the next, which counts in i. */
static smc_code_t take_option(smcr_parse_t *p, const smcr_option_t *option, const char *called,
                              const char *value, const char *next, int *i)
{
    if (option->takes == NOTHING && value != NULL)
        return SMCR_REFUSE(p, "%s takes no value, but got '%s'", called, value);
    if (option->takes == A_VALUE && value == NULL) {
        value = next;
        if (value == NULL)
            return SMCR_REFUSE(p, "%s wants a value behind it", called);
        (*i)++;
    }
    if (!option->repeatable && smcr_given(p, option->name))
        return SMCR_REFUSE(p, "%s is given twice", called);
    p->_given[p->_n_given++] = option;
    p->o->flags[p->o->n_flags++] = option->name;
    p->o->flags[p->o->n_flags++] = value;
    return option->apply(p, called, value);
}

static smc_code_t take_long(smcr_parse_t *p, char *const argv[], int *i)
{
    const char *arg = argv[*i];
    size_t len = strcspn(arg, "=");
    const smcr_option_t *option = find_option(p->o->topic, arg, len);
    if (option == NULL)
        return unknown(p, arg, len);
    return take_option(p, option, option->name, arg[len] == '\0' ? NULL : arg + len + 1,
                       argv[*i + 1], i);
}

/* Flags may share an argument, and the last letter of it may take a value: -xv, -vj4, -xk WORD. */
static smc_code_t take_short(smcr_parse_t *p, char *const argv[], int *i)
{
    const char *arg = argv[*i];
    smc_code_t rc = SMC_OK;
    for (const char *c = arg + 1; *c != '\0' && rc == SMC_OK; c++) {
        const char name[] = {'-', *c};
        const smcr_option_t *option = find_option(p->o->topic, name, sizeof(name));
        if (option == NULL)
            return unknown(p, arg, strlen(arg));
        if (option->takes != NOTHING)
            return take_option(p, option, option->alias, c[1] == '\0' ? NULL : c + 1, argv[*i + 1],
                               i);
        rc = take_option(p, option, option->alias, c[1] == '=' ? c + 2 : NULL, argv[*i + 1], i);
    }
    return rc;
}

static smc_code_t check(smcr_parse_t *p)
{
    const smcr_options_t *o = p->o;
    if (o->command == SMCR_CMD_HELP || o->command == SMCR_CMD_VERSION)
        return SMC_OK;
    if (o->command == SMCR_CMD_LIST_FAULTS)
        return o->n_paths == 0 ? SMC_OK
                               : SMCR_REFUSE(p, "--list-faults runs nothing: drop the paths");
    if (o->topic == SMCR_CMD_MERGE && o->n_paths == 0)
        return SMCR_REFUSE(p, "name the reports to merge, as in: smcrun merge a.jsonl b.jsonl");
    if (o->topic == SMCR_CMD_REPL && o->n_paths > 0)
        return SMCR_REFUSE(p, "repl reads standard input: drop '%s'", o->paths[0]);
    for (const smcr_option_group_t *const *g = smcr_option_groups; *g != NULL; g++) {
        smc_code_t rc = (*g)->check == NULL ? SMC_OK : (*g)->check(p);
        if (rc != SMC_OK)
            return rc;
    }
    return SMC_OK;
}

/* True: the word is the name of a command. */
static bool take_command(smcr_options_t *o, const char *word)
{
    for (smcr_command_t c = SMCR_CMD_RUN; smcr_command_text(c) != NULL; c++) {
        if (strcmp(word, smcr_command_text(c)) != 0)
            continue;
        o->command = o->topic = c;
        return true;
    }
    return false;
}

/* A first word that is no file may be a command that is misspelt, or that other programs have. */
static smc_code_t check_word(const smcr_parse_t *p, const char *word)
{
    static const char *const words[] = {"run",       "prove",   "serve", "clean", "repl", "merge",
                                        "check-env", "version", "help",  "list",  NULL};
    smcr_options_t other;
    const char *near = smcr_nearest(word, strlen(word), words);
    if (near == NULL || word[strspn(word, "abcdefghijklmnopqrstuvwxyz-_")] != '\0' ||
        access(word, F_OK) == 0)
        return SMC_OK;
    return SMCR_REFUSE(p, "there is no file, folder or command '%s'; did you mean '%s%s'?", word,
                       take_command(&other, near) ? "" : "--", near);
}

/* check-env may be said as an option, too, at any place. */
static void find_check_env(smcr_options_t *o, int argc, char *const argv[])
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--check-env") == 0)
            o->command = o->topic = SMCR_CMD_CHECK_ENV;
}

/* serve and merge are told by their flags alone, and what only tells needs nothing. */
static bool is_configured(const smcr_options_t *o)
{
    return o->topic != SMCR_CMD_SERVE && o->topic != SMCR_CMD_MERGE &&
           o->command != SMCR_CMD_HELP && o->command != SMCR_CMD_VERSION &&
           o->command != SMCR_CMD_LIST_FAULTS;
}

static smc_code_t configure(smcr_parse_t *p)
{
    smcr_options_t *o = p->o;
    smc_code_t rc = smcr_config_environ(&o->config, environ, p->err);
    if (rc == SMC_OK && !o->no_config)
        rc = smcr_config_load(&o->config, o->config_file, p->err);
    return rc == SMC_OK ? smcr_config_merge(p, check) : rc;
}

static smc_code_t take_all(smcr_parse_t *p, int argc, char *const argv[])
{
    bool only_paths = false;
    const char *word = argc > 1 ? argv[1] : "";
    int first = take_command(p->o, word) ? 2 : 1;
    if (p->o->topic == SMCR_CMD_RUN)
        find_check_env(p->o, argc, argv);
    smc_code_t rc = first == 1 && word[0] != '-' ? check_word(p, word) : SMC_OK;
    for (int i = first; i < argc && rc == SMC_OK; i++) {
        if (!only_paths && strcmp(argv[i], "--") == 0)
            only_paths = true;
        else if (!only_paths && argv[i][0] == '-' && argv[i][1] != '\0')
            rc = argv[i][1] == '-' ? take_long(p, argv, &i) : take_short(p, argv, &i);
        else
            p->o->paths[p->o->n_paths++] = argv[i];
    }
    if (rc == SMC_OK && is_configured(p->o))
        rc = configure(p);
    return rc == SMC_OK ? check(p) : rc;
}

smc_code_t smcr_options_parse(smcr_options_t *o, int argc, char *const argv[], smc_error_t *err)
{
    *o = (smcr_options_t){.timeout_s = SMCR_TIMEOUT_S, .memory_mib = SMCR_MEMORY_MIB};
    size_t most = 1; /* each letter may be an option */
    for (int i = 1; i < argc; i++)
        most += strlen(argv[i]);
    smcr_parse_t p = {
        .o = o, .err = err, ._given = calloc(most + (size_t)2 * SMCR_MAX_KEYS, sizeof(*p._given))};
    o->flags = calloc(2 * most, sizeof(*o->flags));
    o->paths = calloc((size_t)argc + 1, sizeof(*o->paths));
    smc_code_t rc = o->paths == NULL || o->flags == NULL || p._given == NULL
                        ? smc_fail(err, SMC_ENOMEM, "options", 0, "no memory for the command line")
                        : take_all(&p, argc, argv);
    free(p._given);
    return rc;
}

void smcr_options_deinit(smcr_options_t *o)
{
    smcr_config_deinit(&o->config);
    free(o->flags);
    free(o->paths);
    *o = (smcr_options_t){0};
}
