/* options_report.c - what to see. */
#include "options/options_priv.h"

#include <string.h>

static const char *const formats[] = {"pretty", "tap",  "tap13",  "junit",
                                      "json",   "html", "github", NULL};

/* No two reports may be written to the same place. */
static smc_code_t check_place(smcr_parse_t *p, const char *arg, smcr_report_spec_t report)
{
    const smcr_options_t *o = p->o;
    for (size_t i = 0; i < o->n_reports; i++) {
        const char *other = o->reports[i].file;
        bool shared = (report.format == SMCR_GITHUB) != (o->reports[i].format == SMCR_GITHUB);
        if (report.file == NULL && other == NULL && !shared)
            return SMCR_REFUSE(
                p,
                "two reports cannot share standard output: write one of them to a file, %s %s:FILE",
                arg, formats[report.format]);
        if (report.file != NULL && other != NULL && strcmp(report.file, other) == 0)
            return SMCR_REFUSE(p, "two reports cannot share the file '%s'", report.file);
    }
    return SMC_OK;
}

static smc_code_t on_report(smcr_parse_t *p, const char *arg, const char *value)
{
    smcr_options_t *o = p->o;
    char format[16] = "";
    size_t index = 0, n = strcspn(value, ":");
    if (n >= sizeof(format))
        return smcr_bad_value(p, arg, value,
                              "pretty, tap, tap13, junit, json, html or github, and perhaps :FILE");
    memcpy(format, value, n);
    smc_code_t rc = smcr_read_word(p, arg, format, formats, &index);
    if (rc != SMC_OK)
        return rc;
    if (value[n] == ':' && value[n + 1] == '\0')
        return SMCR_REFUSE(p, "%s %s: the name of a file is missing behind the :", arg, value);
    if (o->n_reports == SMCR_MAX_REPORTS)
        return SMCR_REFUSE(p, "%s is given more than %d times", arg, SMCR_MAX_REPORTS);
    smcr_report_spec_t report = {.format = (smcr_format_t)index,
                                 .file = value[n] == ':' ? value + n + 1 : NULL};
    rc = check_place(p, arg, report);
    if (rc == SMC_OK)
        o->reports[o->n_reports++] = report;
    return rc;
}

static smc_code_t on_transcripts(smcr_parse_t *p, const char *arg, const char *value)
{
    return smcr_read_name(p, arg, value, "the name of a folder", &p->o->transcripts);
}

SMCR_FLAG(verbose)
SMCR_FLAG(no_color)

smc_code_t smcr_on_quiet(smcr_parse_t *p, const char *arg, const char *value)
{
    (void)arg, (void)value;
    p->o->quiet = true;
    return SMC_OK;
}

static const smcr_option_t options[] = {
    {"--report", NULL, A_VALUE, true, RUN | CONF | MERGE, on_report,
     "pretty|tap|tap13|junit|json|html|github[:FILE]",
     "for people (default), or for programs: tap is TAP 14, tap13 the same for readers of old, "
     "json "
     "an event a line, html a page with plots, github annotations and the job's summary.  To "
     "standard output, or to a file with tap:FILE; may be given several times"},
    {"--transcripts", NULL, A_VALUE, false, RUN | CONF | MERGE, on_transcripts, "DIR",
     "write what went over the wire, a file for each spec"},
    {"--verbose", "-v", NOTHING, true, RUN | CONF | MERGE, on_verbose, NULL,
     "every spec with its time and its transcript"},
    {"--quiet", "-q", NOTHING, true, RUN | CONF | MERGE, smcr_on_quiet, NULL,
     "failures and the last line"},
    {"--no-color", NULL, NOTHING, true, RUN | PROVE | CONF | MERGE, on_no_color, NULL,
     "no colours (nor with NO_COLOR set, nor outside a terminal)"},
};

static smc_code_t check(smcr_parse_t *p)
{
    static const smcr_contradiction_t pairs[] = {
        {"--verbose", "--quiet", "-v and -q contradict each other: drop one"},
    };
    return smcr_refuse_pairs(p, pairs, SMCR_COUNT(pairs));
}

const smcr_option_group_t smcr_report_options = {"What to see", options, SMCR_COUNT(options),
                                                 check};
