/* libedit.h - the functions of libedit, loaded when a person types: linking it would cost every start. */
#ifndef SMCR_LIBEDIT_H
#define SMCR_LIBEDIT_H

#include "smc/error.h"

#include <histedit.h>

/* X(name) of every function that is used. */
#define SMCR_LIBEDIT_MAP(X) \
    X(el_init)              \
    X(el_set)               \
    X(el_source)            \
    X(el_gets)              \
    X(el_line)              \
    X(el_insertstr)         \
    X(el_resize)            \
    X(el_end)               \
    X(history_init)         \
    X(history)              \
    X(history_end)

typedef struct smcr_libedit {
#define X(name) __typeof__ (&(name))(name);
    SMCR_LIBEDIT_MAP(X)
#undef X
} smcr_libedit_t;

/* The library stays loaded.  Errors: SMC_ESYS; the detail names the package that is missing. */
smc_code_t smcr_libedit_load(smcr_libedit_t *lib, smc_error_t *err);

#endif /* SMCR_LIBEDIT_H */
