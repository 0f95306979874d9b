/* joined.h - what several reports tell, by scenario file. */
#ifndef SMCR_JOINED_H
#define SMCR_JOINED_H

#include "report/json_lines_read.h"

/* An event, and where it was read. */
typedef struct smcr_told {
    smcr_event_t ev;
    size_t report; /* by number */
    size_t line;
} smcr_told_t;

typedef struct smcr_told_list {
    smcr_told_t *all;
    size_t n;
    size_t _room;
} smcr_told_list_t;

typedef struct smcr_told_file {
    char *path;
    smcr_told_list_t declared; /* DECLARED */
    smcr_told_list_t rest;     /* without FILE_START and FILE_END */
    smcr_event_t end;          /* FILE_END, of all reports */
} smcr_told_file_t;

typedef struct smcr_joined {
    smcr_told_file_t *files;
    size_t n_files;
    smcr_run_start_t start; /* of the first report; required: of all, each once */
    smcr_run_end_t end; /* exit: that of all reports, where they agree; INTERNAL of one; else 0 */
    size_t n_reports;
    unsigned shards;           /* into how many parts it was divided; 0: not */
    bool *_has_shard;          /* by index - 1 */
    const char *const *_paths; /* of the reports; borrowed */
} smcr_joined_t;

/* Adds one report; s is zeroed at first, path outlives it.  See merge.h for what is refused.
 * Errors: SMC_ESYS, SMC_EPARSE, SMC_EINVAL with a sentence that begins with the file and the line; SMC_ENOMEM. */
smc_code_t smcr_joined_add(smcr_joined_t *s, const char *const paths[], size_t report,
                           smc_error_t *err);
/* When all are added: is there a shard of which no report was given?  Errors: SMC_EINVAL with a sentence that names it. */
smc_code_t smcr_joined_check(const smcr_joined_t *s, smc_error_t *err);
void smcr_joined_deinit(smcr_joined_t *s);

#endif /* SMCR_JOINED_H */
