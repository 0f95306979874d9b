/* options.h - what the command line asked for. */
#ifndef SMCR_OPTIONS_H
#define SMCR_OPTIONS_H

#include "options/config.h"
#include "run/sabotage.h"
#include "select/shard.h"

#include "smc/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* First those that are words of the command line, then those that options make of them. */
typedef enum smcr_command {
    SMCR_CMD_RUN,
    SMCR_CMD_SERVE,
    SMCR_CMD_CLEAN,
    SMCR_CMD_PROVE,
    SMCR_CMD_REPL,
    SMCR_CMD_CHECK_ENV,
    SMCR_CMD_MERGE,
    SMCR_CMD_LIST,
    SMCR_CMD_SHOW_CONFIG,
    SMCR_CMD_MENU,
    SMCR_CMD_LIST_FAULTS,
    SMCR_CMD_HELP,
    SMCR_CMD_VERSION
} smcr_command_t;
typedef enum smcr_target { SMCR_SANDBOX, SMCR_TESTNET } smcr_target_t;
typedef enum smcr_clock { SMCR_CLOCK_VIRTUAL, SMCR_CLOCK_REAL } smcr_clock_t;
/* The words of --report, in this order. */
typedef enum smcr_format {
    SMCR_PRETTY,
    SMCR_TAP,
    SMCR_TAP13,
    SMCR_JUNIT,
    SMCR_JSON,
    SMCR_HTML,
    SMCR_GITHUB, /* lines that others' readers take out: it shares standard output */
} smcr_format_t;

typedef struct smcr_report_spec {
    smcr_format_t format;
    const char *file; /* NULL: standard output */
} smcr_report_spec_t;

enum {
    SMCR_MAX_REPORTS = 8,
    SMCR_MAX_REQUIRED = 16,
    SMCR_MAX_TAGS = 16,
    SMCR_MAX_ALLOWED = 16,
    SMCR_TIMEOUT_S = 60,   /* default of --timeout */
    SMCR_MEMORY_MIB = 512, /* default of --memory */
    SMCR_MAX_PORT = 65532, /* of --port: those behind it are used too */
};

/* Strings are borrowed from argv, the environment and the configuration. */
typedef struct smcr_options {
    smcr_command_t command;
    smcr_command_t topic; /* the word that was given, else RUN: whose options, and whose help */
    const char *
        *paths; /* the array is owned; of SERVE, CLEAN, CHECK_ENV: names of venues, none: all */
    size_t n_paths;
    const char *suite;               /* NULL: none */
    const char *expr;                /* -k; NULL: none */
    const char *tags[SMCR_MAX_TAGS]; /* without #; a spec has one of them */
    size_t n_tags;
    bool last_failed;
    bool failed_first;
    smcr_shard_t shard;
    bool shuffle;
    unsigned jobs;    /* 0: not given */
    double timeout_s; /* on a spec's own clock */
    double hang_s;    /* real seconds without a sign of life; 0: not given */
    smcr_target_t target;
    smcr_clock_t clock;
    bool has_seed;
    uint64_t seed;
    uint64_t memory_mib;
    unsigned retries;   /* of a spec that failed */
    unsigned repeat;    /* runs of each spec; 0: not given */
    bool until_fail;    /* rounds until one fails */
    unsigned max_fail;  /* so many, and the run stops; 0: never */
    bool fail_on_flaky; /* a spec that passes when it is run again has failed */
    bool strict_leaks;
    bool allow_process;                       /* specs may start programs */
    const char *allow_read[SMCR_MAX_ALLOWED]; /* files and folders that they may read, too */
    size_t n_allow_read;
    bool watch;
    smcr_report_spec_t reports[SMCR_MAX_REPORTS];
    size_t n_reports;
    const char *transcripts;                 /* folder; NULL: none */
    const char *env_file;                    /* NULL: .env if there is one */
    const char *required[SMCR_MAX_REQUIRED]; /* venues that a spec must have talked to */
    size_t n_required;
    const char *state_dir; /* where journals are; NULL: by the environment */
    smcr_sabotage_t sabotage;
    uint32_t sabotages;      /* of PROVE: one bit each; 0: all */
    const char *config_file; /* NULL: smcrun.lua, where there is one */
    bool no_config;
    smcr_config_t config; /* owned; what no flag has given */
    const char **
        flags; /* the names of the options that flags have given, each with its value (or NULL); owned */
    size_t n_flags;
    bool verbose;
    bool quiet;
    bool no_color;
    bool gc_stress;
    bool internal;
    bool dry_run; /* of CLEAN */
    bool offline; /* of CHECK_ENV */
    /* of SERVE */
    uint16_t port;     /* the first of those that are used; 0: any */
    const char *host;  /* an IPv4 address; NULL: 127.0.0.1 */
    bool allow_remote; /* that address may be one that other machines reach */
    bool tls;
    const char *ca_file; /* where the certificate of the authority goes; NULL: nowhere */
    const char *key;     /* of the credentials, NULL: drawn */
    const char *secret;
    const char *token;
    const char *account;
    bool json; /* also of LIST and LIST_FAULTS */
} smcr_options_t;

/* What flags do not say is taken from the environment and the configuration, see config.h.
 * Errors: SMC_EINVAL, SMC_EPARSE, SMC_ESYS with a sentence that names the argument and the mend; SMC_ENOMEM. */
smc_code_t smcr_options_parse(smcr_options_t *o, int argc, char *const argv[], smc_error_t *err);
void smcr_options_deinit(smcr_options_t *o);

/* The words of the command line; NULL: that command is no word. */
const char *smcr_command_text(smcr_command_t command);
const char *smcr_target_text(smcr_target_t target);
const char *smcr_clock_text(smcr_clock_t clock);

/* Prints the whole text of `smcrun TOPIC --help`. */
void smcr_help_print(FILE *out, smcr_command_t topic);

#endif /* SMCR_OPTIONS_H */
