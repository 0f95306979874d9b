/* manual_table.c - what a shell must know of an option. */
#include "manual.h"

#include <ctype.h>
#include <string.h>

#define VENUES "binance bybit oanda"
enum { MAX_TEXT = 1024 };

/* "sandbox|testnet", "tap|junit[:FILE]": values that are words are written small. */
static const char *split_words(const char *value, char words[MAX_TEXT])
{
    (void)snprintf(words, MAX_TEXT, "%.*s", (int)strcspn(value, "["), value);
    for (char *c = words; *c != '\0'; c++)
        if (*c == '|')
            *c = ' ';
    return strstr(value, "[:FILE]") == NULL ? "words" : "report";
}

static const char *list_sabotages(char words[MAX_TEXT])
{
    size_t n = 0;
    for (smcr_sabotage_t s = SMCR_DEAD; s < SMCR_SABOTAGE_END && n < MAX_TEXT; s++)
        n += (size_t)snprintf(words + n, MAX_TEXT - n, "%s%s", n == 0 ? "" : " ",
                              smcr_sabotage_text(s));
    return "words";
}

/* The kind; fills words where it has some. */
static const char *kind_of_value(const smcr_option_t *option, char words[MAX_TEXT])
{
    const char *value = option->value == NULL ? "" : option->value;
    words[0] = '\0';
    if (islower((unsigned char)value[0]))
        return split_words(value, words);
    if (strcmp(option->name, "--sabotage") == 0)
        return list_sabotages(words);
    if (strcmp(value, "VENUE") == 0)
        return split_words(VENUES, words);
    return strcmp(value, "F") == 0 || strcmp(value, "FILE") == 0 ? "file"
           : strcmp(value, "DIR") == 0                           ? "folder"
                                                                 : "anything";
}

/* By the first line of help: "Usage: smcrun serve [OPTION...] [VENUE...]" */
static const char *kind_of_operand(smcr_command_t command, char words[MAX_TEXT])
{
    char usage[MAX_TEXT];
    const char *help = smcr_help_before(command);
    (void)snprintf(usage, sizeof(usage), "%.*s", (int)strcspn(help, "\n"), help);
    words[0] = '\0';
    if (strstr(usage, "VENUE") != NULL)
        return split_words(VENUES, words);
    return strstr(usage, "PATH") != NULL   ? "scenario"
           : strstr(usage, "FILE") != NULL ? "file"
                                           : "anything";
}

/* Up to the end of the first thought. */
static void put_gist(FILE *out, const char *text)
{
    static const char *const ends[] = {"\n\n", ";",   ",", ":", " (", ".  ",
                                       ". ",   ".\n", "?", "|", "'"};
    size_t n = strlen(text);
    for (size_t i = 0; i < SMCR_COUNT(ends); i++) {
        const char *end = memmem(text, n, ends[i], strlen(ends[i]));
        n = end == NULL ? n : (size_t)(end - text);
    }
    for (size_t i = 0; i < n; i++)
        (void)fputc(text[i] == '\n' ? ' ' : text[i], out);
    (void)fputc('\n', out);
}

static void put_option(FILE *out, smcr_command_t command, const smcr_option_t *o)
{
    static const char *const takes[] = {[NOTHING] = "flag", [A_VALUE] = "value", [MAYBE] = "maybe"};
    char words[MAX_TEXT];
    const char *kind = kind_of_value(o, words);
    (void)fprintf(out, "%s|%s|%s|%s|%s|%s|", smcr_command_text(command), o->name,
                  o->alias == NULL ? "" : o->alias, takes[o->takes], kind, words);
    put_gist(out, o->help);
}

void smcm_put_table(FILE *out)
{
    char words[MAX_TEXT];
    for (smcr_command_t c = SMCR_CMD_RUN; smcr_command_text(c) != NULL; c++) {
        const char *kind = kind_of_operand(c, words), *gist = strstr(smcr_help_before(c), "\n\n");
        (void)fprintf(out, "%s|||operand|%s|%s|", smcr_command_text(c), kind, words);
        put_gist(out, gist == NULL ? "" : gist + 2);
        const smcr_option_t *o;
        for (size_t n = 0; (o = smcr_nth_option(c, n)) != NULL; n++)
            if (smcr_option_is_told(o, c))
                put_option(out, c, o);
    }
}
