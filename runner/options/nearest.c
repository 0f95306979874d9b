#include "options/nearest.h"

#include <string.h>

enum { MAX_LEN = 40 }; /* longer texts are nobody's slip of the finger */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Levenshtein, two rows. */
static size_t distance(const char *a, size_t n, const char *b)
{
    size_t row[MAX_LEN + 1], m = strlen(b);
    for (size_t j = 0; j <= m; j++)
        row[j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t change = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            row[j] = least(change, least(row[j], row[j - 1]) + 1);
        }
    }
    return row[m];
}

const char *smcr_nearest(const char *text, size_t len, const char *const words[])
{
    const char *best = NULL;
    size_t best_distance = len / 3 < 2 ? 3 : len / 3 + 1;
    if (len > MAX_LEN)
        return NULL;
    for (; *words != NULL; words++) {
        size_t d = strlen(*words) > MAX_LEN ? MAX_LEN : distance(text, len, *words);
        if (d < best_distance) {
            best_distance = d;
            best = *words;
        }
    }
    return best;
}
