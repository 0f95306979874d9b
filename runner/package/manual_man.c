#include "manual.h"

#include <string.h>

/* What roff would take for its own is escaped. */
static void put_sign(FILE *out, char c)
{
    static const char *const signs[] = {"-\\-", "\\\\e", "'\\(aq", "~\\(ti", "^\\(ha", "`\\(ga"};
    for (size_t s = 0; s < SMCR_COUNT(signs); s++)
        if (signs[s][0] == c) {
            (void)fputs(signs[s] + 1, out);
            return;
        }
    (void)fputc(c, out);
}

/* A text without line ends; it goes on in another line where one is full, which looks the same in the end. */
static void put_text(FILE *out, const char *text, size_t n)
{
    enum { FULL = 60 };
    size_t column = 0;
    if (n > 0 && (text[0] == '.' || text[0] == '\''))
        (void)fputs("\\&", out);
    for (size_t i = 0; i < n; i++, column++) {
        bool single = i > 0 && i + 1 < n && text[i] == ' ' && text[i - 1] != ' ' &&
                      strchr(" .'", text[i + 1]) == NULL;
        if (column < FULL || !single) {
            put_sign(out, text[i]);
            continue;
        }
        (void)fputc('\n', out);
        column = 0;
    }
}

/* Paragraphs, with an empty line between two of them.  keep: lines end where the text has them end. */
static void put_prose(FILE *out, const char *text, bool keep)
{
    bool fresh = true; /* nothing was written behind the macro */
    text += strspn(text, "\n");
    while (*text != '\0') {
        size_t n = strcspn(text, "\n");
        if (n == 0)
            (void)fputs(".PP\n", out);
        else if (keep && !fresh)
            (void)fputs(".br\n", out);
        put_text(out, text, n);
        if (n > 0)
            (void)fputc('\n', out);
        fresh = n == 0;
        text += n + (text[n] == '\n');
    }
}

static void put_option(FILE *out, const smcr_option_t *option)
{
    (void)fputs(".TP\n.B ", out);
    if (option->alias != NULL) {
        put_text(out, option->alias, strlen(option->alias));
        (void)fputs(", ", out);
    }
    put_text(out, option->name, strlen(option->name));
    if (option->value != NULL) {
        (void)fputc(' ', out);
        put_text(out, option->value, strlen(option->value));
    }
    (void)fputc('\n', out);
    put_prose(out, option->help, true);
}

static void put_options(FILE *out, smcr_command_t command, bool titles)
{
    for (const smcr_option_group_t *const *g = smcr_option_groups; *g != NULL; g++) {
        bool titled = !titles;
        for (size_t i = 0; i < (*g)->n; i++) {
            if (!smcr_option_is_told(&(*g)->options[i], command))
                continue;
            if (!titled)
                (void)fprintf(out, ".SS %s\n", (*g)->title[0] == '\0' ? "Other" : (*g)->title);
            titled = true;
            put_option(out, &(*g)->options[i]);
        }
    }
}

static void put_sabotages(FILE *out)
{
    (void)fputs(".PP\nThe sabotages:\n", out);
    for (smcr_sabotage_t s = SMCR_DEAD; s < SMCR_SABOTAGE_END; s++) {
        (void)fputs(".TP\n.B ", out);
        put_text(out, smcr_sabotage_text(s), strlen(smcr_sabotage_text(s)));
        (void)fputc('\n', out);
        put_prose(out, smcr_sabotage_doc(s), true);
    }
}

/* "smcrun serve [OPTION...] [VENUE...]", the first line of help without "Usage: ". */
static void put_usage(FILE *out, smcr_command_t command)
{
    const char *usage = smcr_help_before(command) + strlen("Usage: ");
    put_text(out, usage, strcspn(usage, "\n"));
    (void)fputc('\n', out);
}

static const char *prose_of(smcr_command_t command)
{
    const char *prose = strstr(smcr_help_before(command), "\n\n");
    return prose == NULL ? "" : prose;
}

static void put_command(FILE *out, smcr_command_t command)
{
    (void)fprintf(out, ".SS %s\n", smcr_command_text(command));
    put_usage(out, command);
    (void)fputs(".PP\n", out);
    put_prose(out, prose_of(command), false);
    put_options(out, command, false);
    if (command == SMCR_CMD_PROVE)
        put_sabotages(out);
    (void)fputs(".PP\n", out);
    put_prose(out, smcr_help_after(command), false);
}

void smcm_put_man(FILE *out, const char *date)
{
    (void)fprintf(out,
                  ".TH SMCRUN 1 %s \"smcrun %s\" \"User Commands\"\n"
                  ".nh\n.ad l\n.SH NAME\nsmcrun \\- test runner for programs that trade\n"
                  ".SH SYNOPSIS\n.nf\n",
                  date, SMC_VERSION);
    for (smcr_command_t c = SMCR_CMD_RUN; smcr_command_text(c) != NULL; c++)
        put_usage(out, c);
    (void)fputs(".fi\n.SH DESCRIPTION\n", out);
    put_prose(out, prose_of(SMCR_CMD_RUN), false);
    (void)fputs(".SH OPTIONS\n", out);
    put_options(out, SMCR_CMD_RUN, true);
    (void)fputs(".SH COMMANDS\n", out);
    for (smcr_command_t c = SMCR_CMD_RUN + 1; smcr_command_text(c) != NULL; c++)
        put_command(out, c);
    (void)fputs(".SH \"EXIT STATUS\"\n", out);
    put_prose(out, smcr_help_after(SMCR_CMD_RUN), false);
}
