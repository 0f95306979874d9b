#include "options.h"

#include "nearest.h"
#include "number.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define OP "options"

/* The commands that know an option. */
enum { RUN = 1, SERVE = 2, CLEAN = 4, PROVE = 8 };

typedef struct parse {
    smcr_options_t *o;
    unsigned commands; /* the one that is being read */
    smc_error_t *err;
    bool clock_given;
    bool target_given;
} parse_t;

/* arg: the option as it is called in messages.  value: NULL for a flag. */
typedef smc_code_t (*apply_fn)(parse_t *p, const char *arg, const char *value);

typedef enum takes { NOTHING, A_VALUE, MAYBE /* one behind = */ } takes_t;

typedef struct option {
    const char *name;  /* "--timeout" */
    const char *alias; /* "-k"; NULL: none */
    takes_t takes;
    bool repeatable;
    unsigned commands;
    apply_fn apply;
} option_t;

static smc_code_t bad_value(parse_t *p, const char *arg, const char *value, const char *wanted)
{
    return smc_fail(p->err, SMC_EINVAL, OP, 0, "%s wants %s, not '%s'", arg, wanted, value);
}

/* One of the words; says which was meant when none is equal. */
static smc_code_t read_word(parse_t *p, const char *arg, const char *value,
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
    return bad_value(p, arg, value, list);
}

static const char *const targets[] = {"sandbox", "testnet", NULL};
static const char *const clocks[] = {"virtual", "real", NULL};
static const char *const formats[] = {"pretty", "tap", "junit", "json", "github", NULL};

const char *smcr_target_text(smcr_target_t target)
{
    return targets[target];
}

const char *smcr_clock_text(smcr_clock_t clock)
{
    return clocks[clock];
}

static smc_code_t on_help(parse_t *p, const char *arg, const char *value)
{
    (void)arg, (void)value;
    p->o->command = p->commands == SERVE   ? SMCR_CMD_SERVE_HELP
                    : p->commands == CLEAN ? SMCR_CMD_CLEAN_HELP
                    : p->commands == PROVE ? SMCR_CMD_PROVE_HELP
                                           : SMCR_CMD_HELP;
    return SMC_OK;
}

static smc_code_t on_version(parse_t *p, const char *arg, const char *value)
{
    (void)arg, (void)value;
    if (p->o->command != SMCR_CMD_HELP)
        p->o->command = SMCR_CMD_VERSION;
    return SMC_OK;
}

static smc_code_t on_list_faults(parse_t *p, const char *arg, const char *value)
{
    static const char *const forms[] = {"text", "json", NULL};
    size_t form = 0;
    smc_code_t rc = value == NULL ? SMC_OK : read_word(p, arg, value, forms, &form);
    if (p->o->command != SMCR_CMD_HELP && p->o->command != SMCR_CMD_VERSION)
        p->o->command = SMCR_CMD_LIST_FAULTS;
    p->o->json = form == 1;
    return rc;
}

static smc_code_t on_list(parse_t *p, const char *arg, const char *value)
{
    (void)arg, (void)value;
    if (p->o->command == SMCR_CMD_RUN)
        p->o->command = SMCR_CMD_LIST;
    return SMC_OK;
}

static smc_code_t on_expr(parse_t *p, const char *arg, const char *value)
{
    (void)arg;
    p->o->expr = value;
    return SMC_OK;
}

static smc_code_t on_jobs(parse_t *p, const char *arg, const char *value)
{
    uint64_t n;
    if (!smcr_read_u64(value, 1, 1024, &n))
        return bad_value(p, arg, value, "a number of workers from 1 to 1024");
    p->o->jobs = (unsigned)n;
    return SMC_OK;
}

static smc_code_t on_timeout(parse_t *p, const char *arg, const char *value)
{
    if (!smcr_read_seconds(value, &p->o->timeout_s))
        return bad_value(p, arg, value, "seconds from 0.001 to 10000000");
    return SMC_OK;
}

static smc_code_t on_hang_after(parse_t *p, const char *arg, const char *value)
{
    if (!smcr_read_seconds(value, &p->o->hang_s))
        return bad_value(p, arg, value, "seconds from 0.001 to 10000000");
    return SMC_OK;
}

static smc_code_t on_target(parse_t *p, const char *arg, const char *value)
{
    size_t i = 0;
    smc_code_t rc = read_word(p, arg, value, targets, &i);
    if (rc == SMC_OK)
        p->o->target = (smcr_target_t)i;
    p->target_given = true;
    return rc;
}

static smc_code_t on_clock(parse_t *p, const char *arg, const char *value)
{
    size_t i = 0;
    smc_code_t rc = read_word(p, arg, value, clocks, &i);
    if (rc == SMC_OK)
        p->o->clock = (smcr_clock_t)i;
    p->clock_given = true;
    return rc;
}

static smc_code_t on_seed(parse_t *p, const char *arg, const char *value)
{
    if (!smcr_read_u64(value, 0, INT64_MAX, &p->o->seed))
        return bad_value(p, arg, value, "a number from 0 to 9223372036854775807");
    p->o->has_seed = true;
    return SMC_OK;
}

static smc_code_t on_memory(parse_t *p, const char *arg, const char *value)
{
    if (!smcr_read_u64(value, 1, UINT64_C(1) << 20, &p->o->memory_mib))
        return bad_value(p, arg, value, "MiB from 1 to 1048576");
    return SMC_OK;
}

static smc_code_t on_report(parse_t *p, const char *arg, const char *value)
{
    smcr_options_t *o = p->o;
    char format[16] = "";
    size_t index = 0, n = strcspn(value, ":");
    if (n >= sizeof(format))
        return bad_value(p, arg, value, "pretty, tap, junit, json or github, and perhaps :FILE");
    memcpy(format, value, n);
    smc_code_t rc = read_word(p, arg, format, formats, &index);
    if (rc != SMC_OK)
        return rc;
    if (value[n] == ':' && value[n + 1] == '\0')
        return smc_fail(p->err, SMC_EINVAL, OP, 0,
                        "%s %s: the name of a file is missing behind the :", arg, value);
    if (o->n_reports == SMCR_MAX_REPORTS)
        return smc_fail(p->err, SMC_EINVAL, OP, 0, "%s is given more than %d times", arg,
                        SMCR_MAX_REPORTS);
    const char *file = value[n] == ':' ? value + n + 1 : NULL;
    for (size_t i = 0; i < o->n_reports; i++) {
        const char *other = o->reports[i].file;
        bool shared = (index == SMCR_GITHUB) != (o->reports[i].format == SMCR_GITHUB);
        if (file == NULL && other == NULL && !shared)
            return smc_fail(
                p->err, SMC_EINVAL, OP, 0,
                "two reports cannot share standard output: write one of them to a file, %s %s:FILE",
                arg, format);
        if (file != NULL && other != NULL && strcmp(file, other) == 0)
            return smc_fail(p->err, SMC_EINVAL, OP, 0, "two reports cannot share the file '%s'",
                            file);
    }
    o->reports[o->n_reports++] = (smcr_report_spec_t){.format = (smcr_format_t)index, .file = file};
    return SMC_OK;
}

static smc_code_t on_transcripts(parse_t *p, const char *arg, const char *value)
{
    if (value[0] == '\0')
        return bad_value(p, arg, value, "the name of a folder");
    p->o->transcripts = value;
    return SMC_OK;
}

static smc_code_t on_env_file(parse_t *p, const char *arg, const char *value)
{
    if (value[0] == '\0')
        return bad_value(p, arg, value, "the name of a file");
    p->o->env_file = value;
    return SMC_OK;
}

static bool all_of(const char *text, const char *set, size_t min, size_t max)
{
    size_t n = strlen(text);
    return n >= min && n <= max && (set == NULL || strspn(text, set) == n);
}

static smc_code_t on_require(parse_t *p, const char *arg, const char *value)
{
    smcr_options_t *o = p->o;
    if (!all_of(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_", 1, 64))
        return bad_value(p, arg, value, "the name of a venue");
    if (o->n_required == SMCR_MAX_REQUIRED)
        return smc_fail(p->err, SMC_EINVAL, OP, 0, "%s is given more than %d times", arg,
                        SMCR_MAX_REQUIRED);
    o->required[o->n_required++] = value;
    return SMC_OK;
}

static smc_code_t on_state_dir(parse_t *p, const char *arg, const char *value)
{
    if (value[0] == '\0')
        return bad_value(p, arg, value, "the name of a folder");
    p->o->state_dir = value;
    return SMC_OK;
}

/* Says them all, or the one that is like it, when there is none of that name. */
static smc_code_t read_sabotage(parse_t *p, const char *arg, const char *value,
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
    return smc_fail(p->err, SMC_EINVAL, OP, 0, "%s knows no '%s': %s%s%s; see smcrun prove --help",
                    arg, value, near == NULL ? "try" : "did you mean '",
                    near == NULL ? " dead" : near, near == NULL ? "" : "'?");
}

static smc_code_t on_sabotage(parse_t *p, const char *arg, const char *value)
{
    return read_sabotage(p, arg, value, &p->o->sabotage);
}

/* Of prove: one of several. */
static smc_code_t on_sabotages(parse_t *p, const char *arg, const char *value)
{
    smcr_sabotage_t s = SMCR_NO_SABOTAGE;
    smc_code_t rc = read_sabotage(p, arg, value, &s);
    if (rc == SMC_OK)
        p->o->sabotages |= UINT32_C(1) << s;
    return rc;
}

#define FLAG_SETTER(field)                                                       \
    static smc_code_t on_##field(parse_t *p, const char *arg, const char *value) \
    {                                                                            \
        (void)arg, (void)value;                                                  \
        p->o->field = true;                                                      \
        return SMC_OK;                                                           \
    }
FLAG_SETTER(verbose)
FLAG_SETTER(quiet)
FLAG_SETTER(no_color)
FLAG_SETTER(gc_stress)
FLAG_SETTER(internal)
FLAG_SETTER(json)
FLAG_SETTER(tls)
FLAG_SETTER(allow_remote)
FLAG_SETTER(dry_run)

static smc_code_t on_port(parse_t *p, const char *arg, const char *value)
{
    uint64_t n;
    if (!smcr_read_u64(value, 0, SMCR_MAX_PORT, &n))
        return bad_value(p, arg, value, "a port from 1 to 65532, or 0 for any");
    p->o->port = (uint16_t)n;
    return SMC_OK;
}

static smc_code_t on_key(parse_t *p, const char *arg, const char *value)
{
    if (!all_of(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", 1, 128))
        return bad_value(p, arg, value, "1 to 128 letters, digits, - or _");
    p->o->key = value;
    return SMC_OK;
}

/* The value is not shown: messages end up in logs. */
static smc_code_t on_secret(parse_t *p, const char *arg, const char *value)
{
    bool printable = true;
    for (const char *c = value; *c != '\0'; c++)
        printable = printable && *c > ' ' && *c <= '~';
    if (!printable || !all_of(value, NULL, 8, 128))
        return smc_fail(p->err, SMC_EINVAL, OP, 0,
                        "%s wants 8 to 128 printable characters without blanks", arg);
    p->o->secret = value;
    return SMC_OK;
}

/* Bearer tokens travel in a header; the value is not shown. */
static smc_code_t on_token(parse_t *p, const char *arg, const char *value)
{
    if (!all_of(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", 8, 128))
        return smc_fail(p->err, SMC_EINVAL, OP, 0, "%s wants 8 to 128 letters, digits, - or _",
                        arg);
    p->o->token = value;
    return SMC_OK;
}

static smc_code_t on_account(parse_t *p, const char *arg, const char *value)
{
    if (value[0] == '-' || !all_of(value, "0123456789-", 1, 64))
        return bad_value(p, arg, value, "digits and dashes, as in 101-001-1234567-001");
    p->o->account = value;
    return SMC_OK;
}

static smc_code_t on_host(parse_t *p, const char *arg, const char *value)
{
    struct in_addr addr;
    if (inet_pton(AF_INET, value, &addr) != 1)
        return bad_value(p, arg, value, "an IPv4 address of this machine");
    p->o->host = value;
    return SMC_OK;
}

static smc_code_t on_ca_file(parse_t *p, const char *arg, const char *value)
{
    if (value[0] == '\0')
        return bad_value(p, arg, value, "the name of a file");
    p->o->ca_file = value;
    return SMC_OK;
}

static const option_t table[] = {
    {"--help", "-h", NOTHING, true, RUN | SERVE | CLEAN | PROVE, on_help},
    {"--version", NULL, NOTHING, true, RUN, on_version},
    {"--list", NULL, NOTHING, true, RUN, on_list},
    {"--list-faults", NULL, MAYBE, false, RUN, on_list_faults},
    {"--filter", "-k", A_VALUE, false, RUN | PROVE, on_expr},
    {"--jobs", "-j", A_VALUE, false, RUN | PROVE, on_jobs},
    {"--timeout", NULL, A_VALUE, false, RUN | PROVE, on_timeout},
    {"--hang-after", NULL, A_VALUE, false, RUN | PROVE, on_hang_after},
    {"--target", NULL, A_VALUE, false, RUN | CLEAN, on_target},
    {"--clock", NULL, A_VALUE, false, RUN, on_clock},
    {"--seed", NULL, A_VALUE, false, RUN | SERVE | PROVE, on_seed},
    {"--memory", NULL, A_VALUE, false, RUN | PROVE, on_memory},
    {"--report", NULL, A_VALUE, true, RUN, on_report},
    {"--transcripts", NULL, A_VALUE, false, RUN, on_transcripts},
    {"--env-file", NULL, A_VALUE, false, RUN | CLEAN, on_env_file},
    {"--require", NULL, A_VALUE, true, RUN, on_require},
    {"--state-dir", NULL, A_VALUE, false, RUN | CLEAN, on_state_dir},
    {"--dry-run", NULL, NOTHING, true, CLEAN, on_dry_run},
    {"--sabotage", NULL, A_VALUE, false, RUN, on_sabotage},
    {"--sabotage", NULL, A_VALUE, true, PROVE, on_sabotages},
    {"--verbose", "-v", NOTHING, true, RUN, on_verbose},
    {"--quiet", "-q", NOTHING, true, RUN | PROVE, on_quiet},
    {"--no-color", NULL, NOTHING, true, RUN | PROVE, on_no_color},
    {"--gc-stress", NULL, NOTHING, true, RUN, on_gc_stress},
    {"--internal", NULL, NOTHING, true, RUN | PROVE, on_internal},
    {"--port", NULL, A_VALUE, false, SERVE, on_port},
    {"--key", NULL, A_VALUE, false, SERVE, on_key},
    {"--secret", NULL, A_VALUE, false, SERVE, on_secret},
    {"--token", NULL, A_VALUE, false, SERVE, on_token},
    {"--account", NULL, A_VALUE, false, SERVE, on_account},
    {"--host", NULL, A_VALUE, false, SERVE, on_host},
    {"--allow-remote", NULL, NOTHING, true, SERVE, on_allow_remote},
    {"--tls", NULL, NOTHING, true, SERVE, on_tls},
    {"--ca-file", NULL, A_VALUE, false, SERVE, on_ca_file},
    {"--json", NULL, NOTHING, true, SERVE, on_json},
};
enum { TABLE_SIZE = sizeof(table) / sizeof(table[0]) };

static smc_code_t unknown(parse_t *p, const char *arg, size_t len)
{
    const char *names[TABLE_SIZE + 1];
    size_t n = 0;
    for (size_t i = 0; i < TABLE_SIZE; i++)
        if ((table[i].commands & p->commands) != 0)
            names[n++] = table[i].name;
    names[n] = NULL;
    const char *near = smcr_nearest(arg, len, names);
    if (near != NULL)
        return smc_fail(p->err, SMC_EINVAL, OP, 0, "unknown option '%.*s'; did you mean '%s'?",
                        (int)len, arg, near);
    return smc_fail(p->err, SMC_EINVAL, OP, 0, "unknown option '%.*s'", (int)len, arg);
}

/* Finds the option of argv[i] and its value: behind =, glued to a short name, or in the next argument. */
static smc_code_t take_option(parse_t *p, char *const argv[], int *i, bool seen[TABLE_SIZE])
{
    const char *arg = argv[*i];
    bool is_long = arg[1] == '-';
    size_t len = is_long ? strcspn(arg, "=") : 2;
    size_t at = 0;
    for (; at < TABLE_SIZE; at++) {
        const char *name = is_long ? table[at].name : table[at].alias;
        if (name != NULL && (table[at].commands & p->commands) != 0 && strlen(name) == len &&
            memcmp(name, arg, len) == 0)
            break;
    }
    if (at == TABLE_SIZE)
        return unknown(p, arg, is_long ? len : strlen(arg));
    const option_t *option = &table[at];
    const char *called = is_long ? option->name : option->alias;
    const char *value = arg[len] == '\0' ? NULL : arg + len + (is_long ? 1 : 0);
    if (option->takes == NOTHING && value != NULL)
        return smc_fail(p->err, SMC_EINVAL, OP, 0, "%s takes no value, but got '%s'", called,
                        value);
    if (option->takes == A_VALUE && value == NULL) {
        value = argv[*i + 1];
        if (value == NULL)
            return smc_fail(p->err, SMC_EINVAL, OP, 0, "%s wants a value behind it", called);
        (*i)++;
    }
    if (seen[at] && !option->repeatable)
        return smc_fail(p->err, SMC_EINVAL, OP, 0, "%s is given twice", called);
    seen[at] = true;
    return option->apply(p, called, value);
}

static smc_code_t contradict(parse_t *p, const char *what)
{
    return smc_fail(p->err, SMC_EINVAL, OP, 0, "%s", what);
}

/* Served credentials and orders are nobody else's business, unless that is said twice. */
static smc_code_t check_serve(parse_t *p)
{
    const smcr_options_t *o = p->o;
    struct in_addr addr = {.s_addr = htonl(INADDR_LOOPBACK)};
    if (o->host != NULL)
        (void)inet_pton(AF_INET, o->host, &addr);
    bool remote = ntohl(addr.s_addr) >> 24 != 127;
    if (remote && !o->allow_remote)
        return smc_fail(p->err, SMC_EINVAL, OP, 0,
                        "--host %s lets other machines in: add --allow-remote if they may",
                        o->host);
    if (!remote && o->allow_remote)
        return contradict(p, "--allow-remote wants a --host that other machines reach, as in "
                             "--host 0.0.0.0");
    if (o->ca_file != NULL && !o->tls)
        return contradict(p, "--ca-file wants --tls: without it there is no certificate");
    return SMC_OK;
}

static smc_code_t check_clean(parse_t *p)
{
    smcr_options_t *o = p->o;
    if (p->target_given && o->target == SMCR_SANDBOX)
        return contradict(p, "--target sandbox has nothing to clean: sandboxes end with their run");
    o->target = SMCR_TESTNET;
    return SMC_OK;
}

static smc_code_t check(parse_t *p)
{
    smcr_options_t *o = p->o;
    if (o->command == SMCR_CMD_HELP || o->command == SMCR_CMD_SERVE_HELP ||
        o->command == SMCR_CMD_CLEAN_HELP || o->command == SMCR_CMD_PROVE_HELP ||
        o->command == SMCR_CMD_VERSION)
        return SMC_OK;
    if (o->command == SMCR_CMD_SERVE)
        return check_serve(p);
    if (o->command == SMCR_CMD_LIST_FAULTS)
        return o->n_paths == 0 ? SMC_OK
                               : contradict(p, "--list-faults runs nothing: drop the paths");
    if (o->command == SMCR_CMD_CLEAN)
        return check_clean(p);
    if (o->n_paths == 0)
        return contradict(p, "name the files or folders to run, as in: smcrun scenarios/");
    if (o->verbose && o->quiet)
        return contradict(p, "-v and -q contradict each other: drop one");
    if (o->target == SMCR_TESTNET) {
        if (p->clock_given && o->clock == SMCR_CLOCK_VIRTUAL)
            return contradict(
                p, "--clock virtual contradicts --target testnet: a testnet's time is real");
        if (o->sabotage != SMCR_NO_SABOTAGE)
            return contradict(
                p, "--sabotage contradicts --target testnet: only a sandbox can be sabotaged");
        o->clock = SMCR_CLOCK_REAL;
    } else if (o->state_dir != NULL) {
        return contradict(p, "--state-dir wants --target testnet: of a sandbox nothing is left");
    }
    if (o->command == SMCR_CMD_LIST && o->transcripts != NULL)
        return contradict(p,
                          "--transcripts contradicts --list: nothing runs, so nothing is recorded");
    if (o->command == SMCR_CMD_LIST && o->n_required > 0)
        return contradict(p,
                          "--require contradicts --list: nothing runs, so no venue is talked to");
    if (o->command == SMCR_CMD_LIST && o->n_reports > 0)
        return contradict(p, "--report contradicts --list: nothing runs, so nothing is reported");
    return SMC_OK;
}

/* True: the word is the name of a command. */
static bool take_command(parse_t *p, const char *word)
{
    static const struct {
        const char *word;
        smcr_command_t command;
        unsigned commands;
    } all[] = {{"run", SMCR_CMD_RUN, RUN},
               {"serve", SMCR_CMD_SERVE, SERVE},
               {"clean", SMCR_CMD_CLEAN, CLEAN},
               {"prove", SMCR_CMD_PROVE, PROVE}};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (strcmp(word, all[i].word) != 0)
            continue;
        p->o->command = all[i].command;
        p->commands = all[i].commands;
        return true;
    }
    return false;
}

smc_code_t smcr_options_parse(smcr_options_t *o, int argc, char *const argv[], smc_error_t *err)
{
    *o = (smcr_options_t){.timeout_s = SMCR_TIMEOUT_S, .memory_mib = SMCR_MEMORY_MIB};
    bool seen[TABLE_SIZE] = {false}, only_paths = false;
    parse_t p = {.o = o, .commands = RUN, .err = err};
    o->paths = calloc((size_t)argc + 1, sizeof(*o->paths));
    if (o->paths == NULL)
        return smc_fail(err, SMC_ENOMEM, OP, 0, "no memory for the command line");
    int i = take_command(&p, argc > 1 ? argv[1] : "") ? 2 : 1;
    for (; i < argc; i++) {
        smc_code_t rc = SMC_OK;
        if (!only_paths && strcmp(argv[i], "--") == 0)
            only_paths = true;
        else if (!only_paths && argv[i][0] == '-' && argv[i][1] != '\0')
            rc = take_option(&p, argv, &i, seen);
        else
            o->paths[o->n_paths++] = argv[i];
        if (rc != SMC_OK)
            return rc;
    }
    return check(&p);
}

void smcr_options_deinit(smcr_options_t *o)
{
    free(o->paths);
    *o = (smcr_options_t){0};
}
