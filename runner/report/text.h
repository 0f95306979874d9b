/* text.h - writing text of unknown origin for people and for machines. */
#ifndef SMCR_TEXT_H
#define SMCR_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Length of the UTF-8 character at text (NUL-terminated), 0 when it is none. */
size_t smcr_utf8_length(const char *text);

/* Writes n bytes of one line: control characters and what is not UTF-8 become \xNN, so that a message can neither
 * move the cursor nor break a format. */
void smcr_put_line(FILE *out, const char *text, size_t n);
/* Every line of text behind `indent` and with a newline; a newline at the end is no further line.  Blanks alone are not
 * written before an empty line. */
void smcr_put_lines(FILE *out, const char *indent, const char *text);
/* The last `max` lines of text: borrowed pointer into it.  *left_out: how many lines come before. */
const char *smcr_last_lines(const char *text, size_t max, size_t *left_out);
/* A JSON string with its quotes; null for NULL.  What is not UTF-8 becomes U+FFFD. */
void smcr_put_json(FILE *out, const char *text);
/* "a,b" as an array of strings; NULL or "": an empty one. */
void smcr_put_json_list(FILE *out, const char *list);
/* As character data or, in double quotes, as an attribute's value of XML 1.0.  What XML can't hold becomes \xNN. */
void smcr_put_xml(FILE *out, const char *text);
/* As one word of a POSIX shell; what can't be shown is an escape in $'..'. */
void smcr_put_shell(FILE *out, const char *text);
/* "17 ms", "1.25 s", "3 min 20 s", "1 h 05 min". */
void smcr_put_duration(FILE *out, double seconds);
/* How many columns of a terminal the character at text takes: 0, 1 or 2. */
size_t smcr_columns(const char *text);
/* How many all of it takes. */
size_t smcr_width(const char *text);

#endif /* SMCR_TEXT_H */
