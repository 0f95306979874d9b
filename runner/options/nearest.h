/* nearest.h - the word that somebody probably meant. */
#ifndef SMCR_NEAREST_H
#define SMCR_NEAREST_H

#include <stddef.h>

/* The one of `words` (NULL-terminated) with the smallest edit distance to text (len bytes), the first of equals; NULL when
 * even that is further away than a third of the text's length, at least 2.  Borrowed. */
const char *smcr_nearest(const char *text, size_t len, const char *const words[]);

#endif /* SMCR_NEAREST_H */
