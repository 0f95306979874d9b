/* smcrun: picks the command. */
#include "commands/check_env.h"
#include "commands/clean.h"
#include "commands/list_faults.h"
#include "commands/menu.h"
#include "commands/merge.h"
#include "commands/prove.h"
#include "commands/repl.h"
#include "commands/serve.h"
#include "options/options.h"
#include "options/show_config.h"
#include "run/run.h"
#include "run/watch.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

enum { MAX_FILES = 65536 }; /* the hard limit of the process may be lower */

/* Started with a closed descriptor, the first file that we open would become standard output. */
static bool fill_standard_descriptors(void)
{
    int fd;
    do {
        fd = open("/dev/null", O_RDWR);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    return fd >= 0 && close(fd) == 0;
}

/* Many connections at a time, with both of their ends, and two more descriptors where a fault acts on one: the soft
 * limit is often 1024. */
static void raise_file_limit(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= MAX_FILES)
        return;
    files.rlim_cur = files.rlim_max < MAX_FILES ? files.rlim_max : MAX_FILES;
    (void)setrlimit(RLIMIT_NOFILE, &files);
}

static smcr_exit_t printed(void)
{
    return fflush(stdout) == 0 && ferror(stdout) == 0 ? SMCR_EXIT_PASSED : SMCR_EXIT_INTERNAL;
}

static smcr_exit_t dispatch(smcr_options_t *options)
{
    switch (options->command) {
    case SMCR_CMD_HELP:
        smcr_help_print(stdout, options->topic);
        return printed();
    case SMCR_CMD_VERSION:
        (void)puts("smcrun " SMC_VERSION);
        return printed();
    case SMCR_CMD_PROVE:
        return smcr_prove(options);
    case SMCR_CMD_CHECK_ENV:
        return smcr_check_env(options);
    case SMCR_CMD_MERGE:
        return smcr_merge(options);
    case SMCR_CMD_REPL:
        return smcr_repl(options);
    case SMCR_CMD_SHOW_CONFIG:
        return smcr_show_config(options);
    case SMCR_CMD_MENU:
        return smcr_menu(options);
    case SMCR_CMD_SERVE:
        return smcr_serve(options);
    case SMCR_CMD_LIST_FAULTS:
        return smcr_list_faults(options->json);
    case SMCR_CMD_CLEAN:
        return smcr_clean(options);
    case SMCR_CMD_RUN:
    case SMCR_CMD_LIST:
        break;
    }
    return options->watch ? smcr_watch(options) : smcr_run(options);
}

int main(int argc, char *argv[])
{
    smcr_options_t options;
    smc_error_t err = {0};
    if (!fill_standard_descriptors())
        return SMCR_EXIT_INTERNAL;
    raise_file_limit();
    /* A report beyond ulimit -f is told of, as any other that can't be written. */
    (void)signal(SIGXFSZ, SIG_IGN);
    smc_code_t rc = smcr_options_parse(&options, argc, argv, &err);
    smcr_exit_t status = SMCR_EXIT_USAGE;
    if (rc == SMC_OK && argc == 1 && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
        options.command = SMCR_CMD_MENU; /* somebody is there to be asked */
    if (rc == SMC_OK)
        status = dispatch(&options);
    else
        (void)fprintf(stderr, "smcrun: %s\nTry 'smcrun %s%s--help'.\n", err.detail,
                      options.topic == SMCR_CMD_RUN ? "" : smcr_command_text(options.topic),
                      options.topic == SMCR_CMD_RUN ? "" : " ");
    smcr_options_deinit(&options);
    return (int)(rc == SMC_ENOMEM ? SMCR_EXIT_INTERNAL : status);
}
