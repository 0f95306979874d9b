/* smc/error.h - the whole error vocabulary of the core: one list, one value type.
 *
 * Every fallible function returns smc_code_t and fills an optional smc_error_t, its last parameter, only on failure.
 * The core never prints, exits or aborts on input.  Secrets never enter `detail`.
 */
#ifndef SMC_ERROR_H
#define SMC_ERROR_H

/* X(name, text, class, retryable)
 * text       stable, what Lua sees as err.code of an error that no venue answered
 * class      what Lua sees as err.class; the classes are listed in bindings/meta/error.lua
 * retryable  1 when the same call may succeed later and certainly had no effect */
#define SMC_CODE_MAP(X)                                 \
    X(EINVAL, "invalid_argument", "invalid_request", 0) \
    X(ENOMEM, "out_of_memory", "server", 0)             \
    X(EOVERFLOW, "overflow", "invalid_request", 0)      \
    X(EPARSE, "parse", "protocol", 0)                   \
    X(EPROTO, "protocol", "protocol", 0)                \
    X(ETOOBIG, "too_big", "protocol", 0)                \
    X(EPOLICY, "host_refused", "invalid_request", 0)    \
    X(EDNS, "dns", "network", 1)                        \
    X(ECONN, "connect", "network", 1)                   \
    X(ERESET, "reset", "network", 0)                    \
    X(ECLOSED, "closed", "network", 0)                  \
    X(ETLS, "tls", "network", 0)                        \
    X(EKEY, "bad_key", "auth", 0)                       \
    X(ETIMEDOUT, "timeout", "timeout", 0)               \
    X(ECANCELED, "cancelled", "cancelled", 0)           \
    X(EAGAIN, "would_block", "network", 1)              \
    X(ENOENT, "not_found", "unknown_order", 0)          \
    X(EEXIST, "exists", "duplicate_order", 0)           \
    X(ESYS, "system", "network", 0)

typedef enum smc_code {
    SMC_OK,
#define X(name, text, class, retryable) SMC_##name,
    SMC_CODE_MAP(X)
#undef X
        SMC_CODE_COUNT
} smc_code_t;

typedef struct smc_error {
    smc_code_t code;
    int sys;          /* errno, TLS or library code behind it; 0 if none */
    const char *op;   /* static string, "http.send"; never freed */
    char detail[200]; /* for people; NUL-terminated; no secrets */
} smc_error_t;

/* Fills *err (which may be NULL) and returns code, so that `return smc_fail(...)` is the whole failure path. */
smc_code_t smc_fail(smc_error_t *err, smc_code_t code, const char *op, int sys, const char *fmt,
                    ...) __attribute__((format(printf, 5, 6)));

/* The three columns of SMC_CODE_MAP; SMC_OK gives "ok", "ok", 0. */
const char *smc_code_text(smc_code_t code);
const char *smc_code_class(smc_code_t code);
int smc_code_retryable(smc_code_t code);

#endif /* SMC_ERROR_H */
