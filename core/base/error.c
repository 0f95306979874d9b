#include "smc/error.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

typedef struct code_row {
    const char *text;
    const char *class;
    int retryable;
} code_row_t;

static const code_row_t rows[SMC_CODE_COUNT] = {[SMC_OK] = {"ok", "ok", 0},
#define X(name, text, class, retryable) [SMC_##name] = {text, class, retryable},
                                                SMC_CODE_MAP(X)
#undef X
};

smc_code_t smc_fail(smc_error_t *err, smc_code_t code, const char *op, int sys, const char *fmt,
                    ...)
{
    va_list ap;

    if (err == NULL)
        return code;
    err->code = code;
    err->sys = sys;
    err->op = op;
    va_start(ap, fmt);
    (void)vsnprintf(err->detail, sizeof(err->detail), fmt, ap);
    va_end(ap);
    return code;
}

const char *smc_code_text(smc_code_t code)
{
    return rows[code].text;
}

const char *smc_code_class(smc_code_t code)
{
    return rows[code].class;
}

int smc_code_retryable(smc_code_t code)
{
    return rows[code].retryable;
}
