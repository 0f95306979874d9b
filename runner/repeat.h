/* repeat.h - the command that runs one spec, or one file, again in the same way. */
#ifndef SMCR_REPEAT_H
#define SMCR_REPEAT_H

#include "options.h"

#include <stdio.h>

/* what: an id or a path.  round: see event.h.  One line for a POSIX shell, without the newline. */
void smcr_put_repeat(FILE *out, const smcr_options_t *o, const char *what, int64_t round);
/* The seed of a run of --repeat. */
uint64_t smcr_seed_of(const smcr_options_t *o, int64_t round);

#endif /* SMCR_REPEAT_H */
