/* merge.h - the command `merge`: one report of the JSON Lines of several runs. */
#ifndef SMCR_MERGE_H
#define SMCR_MERGE_H

#include "run/collect.h"

/* Reads the files that options->paths name and tells the reporters of the options what one run of all of it would have
 * told them; returns its exit status.  Complaints go to standard error.
 *
 * Order      the scenario files as they first come, the specs of one that was shared out as the reports come
 * Refused    a file that can't be read, a line that is not whole or of another version, a report without its end, runs of
 *            different targets, clocks or sabotages, a spec that two reports have: each with file and line
 * Told once  a scenario file's error that several reports have, word for word
 * Time       that of the longest run
 * Seed       that of the first report; how a failure is repeated says the one of its own run */
smcr_exit_t smcr_merge(smcr_options_t *options);

#endif /* SMCR_MERGE_H */
