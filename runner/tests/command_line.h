/* command_line.h - a command line as one text, taken apart by the real parser. */
#ifndef SMCR_TESTS_COMMAND_LINE_H
#define SMCR_TESTS_COMMAND_LINE_H

#include "options/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Splits it at blanks.  The options borrow from it, until the next call. */
static inline smc_code_t parse(const char *text, smcr_options_t *o, smc_error_t *err)
{
    enum { MAX_ARGS = 16 };
    static char line[256];
    char *argv[MAX_ARGS] = {"smcrun", NULL};
    int argc = 1;
    (void)snprintf(line, sizeof(line), "%s", text);
    for (char *save, *p = strtok_r(line, " ", &save); p != NULL; p = strtok_r(NULL, " ", &save)) {
        assert_true(argc < MAX_ARGS - 1);
        argv[argc++] = p;
    }
    return smcr_options_parse(o, argc, argv, err);
}

static inline smcr_options_t must_parse(const char *text)
{
    smcr_options_t o;
    smc_error_t err = {0};
    if (parse(text, &o, &err) != SMC_OK)
        fail_msg("%s: %s", text, err.detail);
    return o;
}

#endif /* SMCR_TESTS_COMMAND_LINE_H */
