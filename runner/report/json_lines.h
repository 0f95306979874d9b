/* json_lines.h - the events of a run as JSON, one object a line: run_start, the events in the order of the plan, run_end.
 *
 * report.schema.json describes them.  A field that an event does not have is left out.  The version changes when a reader
 * of the old lines would go wrong: 2 has more about the end of a run, and can be merged.
 */
#ifndef SMCR_JSON_LINES_H
#define SMCR_JSON_LINES_H

#include "report/report.h"

enum { SMCR_JSON_VERSION = 2 };

/* Each writes one line with its newline.  o: of the run. */
void smcr_put_run_start(FILE *out, const smcr_options_t *o, size_t n_files);
void smcr_put_event(FILE *out, const smcr_options_t *o, const smcr_event_t *ev);
void smcr_put_run_end(FILE *out, const smcr_totals_t *t);

#endif /* SMCR_JSON_LINES_H */
