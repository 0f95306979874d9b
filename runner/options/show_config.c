#include "options/show_config.h"

#include "keys/access.h"
#include "options/options_priv.h"
#include "report/text.h"

#include <stdio.h>
#include <string.h>

enum { COLUMN = 40 /* where sources stand */ };

/* Behind a line of n characters. */
static void put_source(size_t n, const char *source)
{
    (void)printf("%*s  -- ", n < COLUMN ? (int)(COLUMN - n) : 0, "");
    smcr_put_line(stdout, source, strlen(source));
    (void)putchar('\n');
}

/* A text as Lua writes it.  Returns the number of characters. */
static size_t put_text(const char *text)
{
    size_t n = 2;
    (void)putchar('"');
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        int wide = c == '"' || c == '\\' ? printf("\\%c", c)
                   : c < ' ' || c == 127 ? printf("\\%03u", c)
                                         : printf("%c", c);
        n += wide > 0 ? (size_t)wide : 0;
    }
    (void)putchar('"');
    return n;
}

static bool is_number(const char *text)
{
    return text[0] != '\0' && strspn(text, "0123456789.") == strlen(text);
}

static size_t put_value(const char *value)
{
    if (!is_number(value))
        return put_text(value);
    int n = printf("%s", value);
    return n > 0 ? (size_t)n : 0;
}

/* key = value, or a list of them; NULL, and at places where there is none: a flag that is set.  before: "" or "-- ". */
static size_t put_setting(const char *before, const smcr_option_t *option,
                          const char *const *values, size_t n_values)
{
    char key[32];
    smcr_config_key(option, key);
    size_t n = (size_t)printf("%s%s = ", before, key);
    if (option->takes == NOTHING)
        return n + (size_t)printf("%s", n_values > 0 ? "true" : "false");
    if (n_values == 1)
        return n + put_value(values[0]);
    (void)fputs("{ ", stdout);
    for (size_t i = 0; i < n_values; i++) {
        (void)fputs(i > 0 ? ", " : "", stdout);
        n += put_value(values[i]) + 2;
    }
    (void)fputs(" }", stdout);
    return n + 2;
}

/* What flags have said, when they have. */
static bool put_flags(const smcr_options_t *o, const smcr_option_t *option)
{
    enum { MOST = 32 };
    const char *values[MOST];
    size_t n_values = 0, n_given = 0;
    for (size_t i = 0; i < o->n_flags; i += 2) {
        if (strcmp(o->flags[i], option->name) != 0)
            continue;
        n_given++;
        if (n_values < MOST)
            values[n_values++] = o->flags[i + 1];
    }
    if (n_given == 0)
        return false;
    put_source(put_setting("", option, values, n_values), option->name);
    return true;
}

static void put_option(const smcr_options_t *o, const smcr_option_t *option)
{
    bool put = put_flags(o, option);
    for (size_t i = 0; i < o->config.count; i++) {
        const smcr_setting_t *s = &o->config.items[i];
        if (strcmp(s->option->name, option->name) != 0)
            continue;
        char source[512];
        (void)snprintf(source, sizeof(source), "%.200s%s%.280s", s->source,
                       s->unused == NULL ? "" : ", not used: ", s->unused == NULL ? "" : s->unused);
        put_source(put_setting(s->unused == NULL ? "" : "-- ", option,
                               (const char *const *)s->values, s->n_values),
                   source);
        put = put || s->unused == NULL;
    }
    const char *line = smcr_config_default(option);
    if (put || line == NULL)
        return;
    bool real = strcmp(option->name, "--clock") == 0 && o->clock == SMCR_CLOCK_REAL;
    line = real ? "clock = \"real\"" : line;
    (void)fputs(line, stdout);
    put_source(strlen(line), real ? "by the target" : "default");
}

static smcr_exit_t put_variables(const smcr_options_t *o)
{
    smcr_access_t access = {0};
    smcr_exit_t status = smcr_access_load(&access, o);
    for (size_t i = 0; i < access.env.count && status == SMCR_EXIT_PASSED; i++) {
        const smcr_pair_t *pair = &access.env.pairs[i];
        char line[160];
        int n = snprintf(line, sizeof(line), "-- %.120s is %sset", pair->name,
                         pair->value[0] == '\0' ? "not " : "");
        (void)fputs(line, stdout);
        put_source((size_t)n, pair->exported        ? "the environment"
                              : o->env_file == NULL ? ".env"
                                                    : o->env_file);
    }
    smcr_access_deinit(&access);
    return status;
}

smcr_exit_t smcr_show_config(const smcr_options_t *o)
{
    (void)fputs("-- the configuration: ", stdout);
    const char *path = o->config.path == NULL ? "no smcrun.lua" : o->config.path;
    smcr_put_line(stdout, path, strlen(path));
    (void)putchar('\n');
    for (const smcr_option_group_t *const *g = smcr_option_groups; *g != NULL; g++)
        for (size_t i = 0; i < (*g)->n; i++)
            if (((*g)->options[i].commands & CONF) != 0)
                put_option(o, &(*g)->options[i]);
    smcr_exit_t status = put_variables(o);
    return fflush(stdout) == 0 ? status : SMCR_EXIT_INTERNAL;
}
