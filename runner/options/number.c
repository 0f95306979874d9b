#include "options/number.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

bool smcr_read_u64(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
    char *end;
    if (text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    unsigned long long n = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0' || n < min || n > max)
        return false;
    *out = n;
    return true;
}

bool smcr_read_seconds(const char *text, double *out)
{
    char *end;
    if (text[0] != '.' && (text[0] < '0' || text[0] > '9'))
        return false;
    if (strpbrk(text, "xXpP") != NULL)
        return false;
    errno = 0;
    double s = strtod(text, &end);
    if (errno != 0 || *end != '\0' || !isfinite(s) || s < 0.001 || s > 1e7)
        return false;
    *out = s;
    return true;
}
