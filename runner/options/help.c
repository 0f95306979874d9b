#include "options/options_priv.h"

#include <string.h>

enum { COLUMN = 24 /* where an option's text begins */, WIDTH = 80 };

/* ---- what stands around the options of a command ------------------------------- */

typedef struct frame {
    const char *before;
    const char *after;
} frame_t;

static const frame_t run_frame = {
    "Usage: smcrun [run] [OPTION...] [PATH...]\n"
    "       smcrun serve [OPTION...] [VENUE...]    see smcrun serve --help\n"
    "       smcrun clean [OPTION...] [VENUE...]    see smcrun clean --help\n"
    "       smcrun prove [OPTION...] [PATH...]     see smcrun prove --help\n"
    "       smcrun check-env [OPTION...] [VENUE...]  see smcrun check-env --help\n"
    "       smcrun merge [OPTION...] FILE...       see smcrun merge --help\n"
    "       smcrun repl [OPTION...]                see smcrun repl --help\n"
    "\n"
    "Runs scenarios, Lua files, against exchanges.  A PATH is a file, a folder\n"
    "(every *.lua below it), a quoted glob, what stands at a line,\n"
    "scenarios/x.lua:12, or one spec: scenarios/x.lua::describe::it.  Without a PATH\n"
    "it is the folder ./scenarios, or what was installed with this program.\n"
    "A file with the name of a command is written ./run\n",
    "\n"
    "Exit status: 0 all passed, 1 a spec failed, 2 a spec or a file had an error,\n"
    "crashed or leaked, 3 wrong usage, 4 nothing selected, 5 credentials,\n"
    "--allow-process or a --require'd venue missing, 70 internal error, 130\n"
    "interrupted.\n"
    "The last line is always: N passed, N failed, N skipped\n"};

static const frame_t serve_frame = {
    "Usage: smcrun serve [OPTION...] [VENUE...]\n"
    "\n"
    "Runs sandboxed exchanges in real time on 127.0.0.1, for programs in any\n"
    "language, until SIGINT (Ctrl-C) or SIGTERM.  VENUE: binance, bybit, oanda\n"
    "(default: all).  Prints where they are, the credentials of an account with\n"
    "funds, and how to point an SDK at them.\n",
    "\n"
    "The control API moves prices, skews the clock, changes limits, takes a venue\n"
    "down and lists what arrived: GET / of its address says how; /metrics is for\n"
    "Prometheus.\n"
    "\n"
    "Exit status: 0 stopped by a signal, 3 wrong usage or a port that is taken, 70\n"
    "internal error, 130 stopped at once by a second signal.\n"};

static const frame_t clean_frame = {
    "Usage: smcrun clean [OPTION...] [VENUE...]\n"
    "\n"
    "Ends the orders that killed runs have left at test venues.  A run on a testnet\n"
    "notes each order before it is sent, and cancels at the end of each spec what\n"
    "lives; what it cannot cancel, or leaves when it is killed, stays in its\n"
    "journal.  This reads the journals of runs that are no more, cancels each order\n"
    "by its client id, asks the venue what became of it, and removes the journals\n"
    "that are done.  VENUE: binance, bybit, oanda (default: all).\n",
    "\n"
    "Exit status: 0 nothing is left, 1 something is (its journal stays), 3 wrong\n"
    "usage, 5 what is left wants credentials that are missing, 70 internal error.\n"};

static const frame_t prove_frame = {
    "Usage: smcrun prove [OPTION...] [PATH...]\n"
    "\n"
    "Can the scenarios fail?  Runs them as they are, where all must pass, and once\n"
    "more under each sabotage.  A spec that passes under all of them is vacuous, a\n"
    "sabotage under which all specs pass is unnoticed: either makes the exit status\n"
    "1.\n",
    "\n"
    "The last line counts specs that can fail as passed, vacuous specs and unnoticed\n"
    "sabotages as failed.\n"
    "\n"
    "Exit status: 0 each spec can fail and each sabotage is noticed, 1 not so, or a\n"
    "spec fails as it is; else that of smcrun --help: of the first run that cannot\n"
    "be judged, for it could not start, or left out a spec that had run before (2).\n"};

static const frame_t repl_frame = {
    "Usage: smcrun repl [OPTION...]\n"
    "\n"
    "A prompt for Lua in a world of its own, against sandboxes in virtual time: what\n"
    "a spec has, line by line.  binance, bybit and oanda are connected at their\n"
    "first use; what a call returns is printed; time passes while a call waits, and\n"
    "only then.  Tab completes, Ctrl-C ends what runs, Ctrl-D leaves.  What was\n"
    "typed is kept in $XDG_STATE_HOME/smcrun (or ~/.local/state/smcrun), but for\n"
    "lines that speak of a secret or begin with a blank.\n",
    "\n"
    "Standard input may be a file, too: no prompt is shown then.\n"
    "\n"
    "Exit status: 0 left, 1 a line of a file has failed, 3 wrong usage, 70 internal\n"
    "error, 130 ended by a signal.\n"};

static const frame_t check_env_frame = {
    "Usage: smcrun check-env [OPTION...] [VENUE...]\n"
    "\n"
    "What would a run with --target testnet find?  Prints for each venue which\n"
    "variables are set (never their values) and where, whether the venue answers,\n"
    "how far its clock is from ours, whether it takes the key, and what becomes of\n"
    "its specs.  It only asks: no order is placed.  VENUE: binance, bybit, oanda\n"
    "(default: all).\n",
    "\n"
    "Exit status: 0 a venue is ready, and none that has credentials is not; 1 a\n"
    "venue that has credentials does not answer, or refuses the key; 3 wrong usage,\n"
    "or a file that cannot be read; 5 no venue, or not every --require'd one, has\n"
    "credentials; 70 internal error.\n"};

static const frame_t merge_frame = {
    "Usage: smcrun merge [OPTION...] FILE...\n"
    "\n"
    "Makes one report of what several runs have reported as JSON Lines (--report\n"
    "json:FILE), one FILE each: the shards of a run, or its parts on several\n"
    "machines.  Scenario files stand in the order in which they first come.  A line\n"
    "that is torn or of another version, a report without its end, runs of different\n"
    "targets, clocks or sabotages, and a spec that two reports have are refused.\n",
    "\n"
    "Exit status: that of one run of all of it (see smcrun --help), 3 also when a\n"
    "report is refused.  The last line is always: N passed, N failed, N skipped\n"};

static const frame_t *frame_of(smcr_command_t topic)
{
    return topic == SMCR_CMD_SERVE       ? &serve_frame
           : topic == SMCR_CMD_CLEAN     ? &clean_frame
           : topic == SMCR_CMD_PROVE     ? &prove_frame
           : topic == SMCR_CMD_REPL      ? &repl_frame
           : topic == SMCR_CMD_CHECK_ENV ? &check_env_frame
           : topic == SMCR_CMD_MERGE     ? &merge_frame
                                         : &run_frame;
}

const char *smcr_help_before(smcr_command_t topic)
{
    return frame_of(topic)->before;
}

const char *smcr_help_after(smcr_command_t topic)
{
    return frame_of(topic)->after;
}

/* ---- options ------------------------------------------------------------------- */

/* Ends the line that has `column` characters; further ones begin at COLUMN. */
static void put_text(FILE *out, size_t column, const char *text)
{
    while (*text != '\0') {
        size_t n = strcspn(text, "\n");
        bool fits = n <= WIDTH - COLUMN;
        for (size_t i = n = fits ? n : WIDTH - COLUMN; !fits && i > 0; i--)
            if (text[i] == ' ') {
                n = i;
                break;
            }
        (void)fprintf(out, "%*s%.*s\n", (int)(COLUMN - column), "", (int)n, text);
        column = 0;
        text += n;
        text += strspn(text, fits ? "\n" : " ");
    }
}

static void put_option(FILE *out, const smcr_option_t *o)
{
    int n = fprintf(out, "  %s%s%s%s%s", o->alias == NULL ? "  " : o->alias,
                    o->alias == NULL ? "  " : ", ", o->name, o->value == NULL ? "" : " ",
                    o->value == NULL ? "" : o->value);
    if (n >= COLUMN || o->help[0] == '\0') {
        (void)fputc('\n', out);
        n = 0;
    }
    put_text(out, n < 0 ? 0 : (size_t)n, o->help);
}

static void put_group(FILE *out, const smcr_option_group_t *group, smcr_command_t topic)
{
    bool any = false;
    for (size_t i = 0; i < group->n; i++) {
        const smcr_option_t *option = &group->options[i];
        if (!smcr_option_is_told(option, topic))
            continue;
        if (!any)
            (void)fprintf(out, "\n%s%s", group->title, group->title[0] == '\0' ? "" : "\n");
        any = true;
        put_option(out, option);
    }
}

static void put_sabotages(FILE *out, const char *title, smcr_sabotage_t first, smcr_sabotage_t end)
{
    (void)fprintf(out, "\n%s\n", title);
    for (smcr_sabotage_t s = first; s < end; s++) {
        int n = fprintf(out, "  %s", smcr_sabotage_text(s));
        put_text(out, n < 0 ? 0 : (size_t)n, smcr_sabotage_doc(s));
    }
}

void smcr_help_print(FILE *out, smcr_command_t topic)
{
    const frame_t *frame = frame_of(topic);
    (void)fputs(frame->before, out);
    for (const smcr_option_group_t *const *g = smcr_option_groups; *g != NULL; g++)
        put_group(out, *g, topic);
    if (topic == SMCR_CMD_PROVE) {
        put_sabotages(out, "Every sandbox", SMCR_DEAD, SMCR_LIMITER_GRANTS);
        put_sabotages(out, "Our own mechanisms", SMCR_LIMITER_GRANTS, SMCR_SABOTAGE_END);
    }
    (void)fputs(frame->after, out);
}
