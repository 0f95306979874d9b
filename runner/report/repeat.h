/* repeat.h - the command that runs one spec, or one file, again in the same way. */
#ifndef SMCR_REPEAT_H
#define SMCR_REPEAT_H

#include "options/options.h"
#include "run/event.h"

#include <stdio.h>

/* Of the spec, or of the file, that the event is about.  One line for a POSIX shell, without the newline. */
void smcr_put_repeat(FILE *out, const smcr_options_t *o, const smcr_event_t *ev);
/* The seed of a run of --repeat. */
uint64_t smcr_seed_of(const smcr_options_t *o, int64_t round);

#endif /* SMCR_REPEAT_H */
