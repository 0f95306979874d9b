#include "run/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Drops the first line, which is torn. */
static size_t keep_whole_lines(char *text, size_t n, size_t max)
{
    const char *end = memchr(text, '\n', n);
    if (end == NULL)
        return (size_t)snprintf(text, n, "a line of more than %zu bytes\n", max);
    size_t torn = (size_t)(end - text) + 1;
    memmove(text, text + torn, n - torn);
    return n - torn;
}

char *smcr_output_read(int fd, off_t from, size_t max, size_t *n)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || st.st_size <= from)
        return NULL;
    size_t there = (size_t)(st.st_size - from), want = there > max ? max : there;
    char *text = malloc(want);
    ssize_t got = text == NULL ? -1 : pread(fd, text, want, st.st_size - (off_t)want);
    if (got <= 0) {
        free(text);
        return NULL;
    }
    *n = there > max ? keep_whole_lines(text, (size_t)got, max) : (size_t)got;
    return text;
}
