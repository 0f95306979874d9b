/* reporters.h - the reporters of one run: opened from the options, driven together. */
#ifndef SMCR_REPORTERS_H
#define SMCR_REPORTERS_H

#include "report/report.h"

typedef struct smcr_reporters {
    smcr_reporter_t *_all[SMCR_MAX_REPORTS + 3]; /* the default one, transcripts, a caller's */
    size_t _count;
} smcr_reporters_t;

/* Opens files, makes the folder of transcripts.  False: told on standard error why not. */
bool smcr_reporters_open(smcr_reporters_t *rs, const smcr_options_t *o);
/* Adds one that is taken over; its free is called in the end.  False when r is NULL: told on standard error. */
bool smcr_reporters_add(smcr_reporters_t *rs, smcr_reporter_t *r);
void smcr_reporters_close(smcr_reporters_t *rs);

void smcr_reporters_start(smcr_reporters_t *rs, const smcr_run_info_t *info);
void smcr_reporters_event(smcr_reporters_t *rs, const smcr_event_t *ev);
void smcr_reporters_live(smcr_reporters_t *rs, const smcr_event_t *ev, const smcr_totals_t *t);
void smcr_reporters_tick(smcr_reporters_t *rs, const smcr_totals_t *t);
/* False: some report could not be written in full; told on standard error. */
bool smcr_reporters_end(smcr_reporters_t *rs, const smcr_totals_t *t);

#endif /* SMCR_REPORTERS_H */
