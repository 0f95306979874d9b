/* json_lines_read.h - one line of json_lines.h, read back. */
#ifndef SMCR_JSON_LINES_READ_H
#define SMCR_JSON_LINES_READ_H

#include "options/options.h"
#include "run/event.h"

typedef enum smcr_line_kind { SMCR_LINE_START, SMCR_LINE_EVENT, SMCR_LINE_END } smcr_line_kind_t;

/* How a run was made. */
typedef struct smcr_run_start {
    smcr_target_t target;
    smcr_clock_t clock;
    uint64_t seed;
    smcr_sabotage_t sabotage;
    smcr_shard_t shard;
    char *required; /* "binance,oanda"; NULL: none; owned */
} smcr_run_start_t;

/* What became of it, as far as its events do not say so. */
typedef struct smcr_run_end {
    bool interrupted;
    bool stopped;
    int exit;
    int64_t real_us;
} smcr_run_end_t;

typedef struct smcr_line {
    smcr_line_kind_t kind;
    smcr_event_t event; /* EVENT; owned */
    smcr_run_start_t start;
    smcr_run_end_t end;
} smcr_line_t;

/* Reads n bytes without their newline.  Errors: SMC_EPARSE with a sentence that says what is wrong with the line;
 * SMC_ENOMEM.  Then *out holds nothing. */
smc_code_t smcr_line_read(const char *text, size_t n, smcr_line_t *out, smc_error_t *err);
void smcr_line_deinit(smcr_line_t *line);

#endif /* SMCR_JSON_LINES_READ_H */
