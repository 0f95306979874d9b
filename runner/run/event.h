/* event.h - the one record of what happened.  Workers write events, the parent reads them; counters, exit code and
 * reports are made from nothing else.
 *
 * Order within a file   FILE_START { DECLARED } { SPEC_START { ATTEMPT } SPEC_END } [FILE_ERROR] FILE_END; what a worker that
 *                       died could not say is completed, so every SPEC_START has its SPEC_END.
 * A spec that runs several times has one SPEC_END.  When it failed in some of its runs, that is how it failed first, and each
 * of the others is an ATTEMPT.
 * Text is UTF-8 as far as the scenario's is; without NUL; redacted.
 */
#ifndef SMCR_EVENT_H
#define SMCR_EVENT_H

#include "smc/buf.h"
#include "smc/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* X(name, text): what a worker's Lua calls it. */
#define SMCR_EVENT_MAP(X)       \
    X(FILE_START, "file_start") \
    X(DECLARED, "declared")     \
    X(SPEC_START, "spec_start") \
    X(ATTEMPT, "attempt")       \
    X(SPEC_END, "spec_end")     \
    X(FILE_ERROR, "file_error") \
    X(FILE_END, "file_end")

/* FLAKY: it failed, and passed when it was run again.  XFAIL: it failed, as it is expected to. */
#define SMCR_STATUS_MAP(X) \
    X(NONE, "none")        \
    X(PASS, "pass")        \
    X(FAIL, "fail")        \
    X(ERROR, "error")      \
    X(SKIP, "skip")        \
    X(FLAKY, "flaky")      \
    X(XFAIL, "xfail")

/* X(field, set in)  NULL when absent.
 * kind: assertion error timeout cpu memory deadlock livelock leak no_assertions crash hang not_run ...
 * id: of a FILE_ERROR it is the path of the scenario file, while `file` may be a module that it requires
 * output: what the scenario printed, as far as it could be told apart for this spec
 * timeline: one JSON object, see report.schema.json
 * again: the command that repeats it, of an event that was read; NULL: the options of the run say it
 * lines: of DECLARED, those that were asked for as FILE:LINE and at which the spec stands: "12,40"
 * uses: of FILE_END, with --watch: the files that the scenario is, requires, looked for or reads, a line each
 * venues: "binance,oanda", those that the spec has opened; missing: those that it could not for want of credentials */
#define SMCR_TEXT_MAP(X) \
    X(file)              \
    X(id)                \
    X(name)              \
    X(tags)              \
    X(lines)             \
    X(kind)              \
    X(message)           \
    X(traceback)         \
    X(transcript)        \
    X(timeline)          \
    X(output)            \
    X(again)             \
    X(venues)            \
    X(missing)           \
    X(uses)

/* virtual_ms: on the spec's clock.  output_at: bytes of the worker's output that events have shown so far.
 * attempts: how often the spec was run, and failures: in how many of them it failed; both 0 when that was once.
 * round: of --repeat, of the run that is told of: what is added to the seed. */
#define SMCR_NUMBER_MAP(X) \
    X(line)                \
    X(virtual_ms)          \
    X(real_us)             \
    X(checks)              \
    X(declared)            \
    X(selected)            \
    X(output_at)           \
    X(attempts)            \
    X(failures)            \
    X(round)

typedef enum smcr_event_type {
#define X(name, text) SMCR_EV_##name,
    SMCR_EVENT_MAP(X)
#undef X
} smcr_event_type_t;

typedef enum smcr_status {
#define X(name, text) SMCR_##name,
    SMCR_STATUS_MAP(X)
#undef X
} smcr_status_t;

typedef struct smcr_event {
    smcr_event_type_t type;
    smcr_status_t status; /* SPEC_END and ATTEMPT only, else NONE */
#define X(field) char *field;
    SMCR_TEXT_MAP(X)
#undef X
#define X(field) int64_t field;
    SMCR_NUMBER_MAP(X)
#undef X
} smcr_event_t;

/* Frees the texts and zeroes the event. */
void smcr_event_deinit(smcr_event_t *ev);

/* Is it the end of what a run was doing that was interrupted, or stopped because enough has failed?  That counts neither as
 * passed nor as failed. */
bool smcr_event_is_interruption(const smcr_event_t *ev);
/* Is it a verdict that makes a run fail: a failed file, or the SPEC_END of one that failed or erred? */
bool smcr_event_is_failure(const smcr_event_t *ev);

/* Which constant a word stands for; -1: none. */
int smcr_event_type_of(const char *text);
int smcr_status_of(const char *text);
const char *smcr_event_type_text(smcr_event_type_t type);
const char *smcr_status_text(smcr_status_t status);

/* Appends one record: a length of four bytes, then that many bytes.  Same machine, same program on both sides.
 * Errors: SMC_ENOMEM, SMC_ETOOBIG. */
smc_code_t smcr_event_write(const smcr_event_t *ev, smc_buf_t *out);

/* Reads the first record of `bytes`.  *used: bytes taken; 0 when the record is not complete yet, then *ev is untouched.
 * *ev owns its texts.  Errors: SMC_EPARSE for what no worker of ours writes; SMC_ENOMEM. */
smc_code_t smcr_event_read(const char *bytes, size_t n, smcr_event_t *ev, size_t *used);

#endif /* SMCR_EVENT_H */
