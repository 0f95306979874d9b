/* output.h - what a worker has printed, into a file that it and its parent have open. */
#ifndef SMCR_OUTPUT_H
#define SMCR_OUTPUT_H

#include <stddef.h>
#include <sys/types.h>

/* What stands in the file behind `from`, of more than `max` bytes the last lines: whole ones, for a torn line may begin in the
 * middle of a secret, which nobody would know by its end.  The caller frees it; *n is its length.
 * NULL: nothing stands there, or no memory. */
char *smcr_output_read(int fd, off_t from, size_t max, size_t *n);

#endif /* SMCR_OUTPUT_H */
