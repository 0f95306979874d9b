/* manual.c - smcrun_manual man DATE FILE: the manual page, with FILE at its end.
 *            smcrun_manual fill FILE: FILE, with the table of options where a line of it is @TABLE@. */
#include "manual.h"

#include <string.h>

/* False: the file cannot be read, or what must be in it is not. */
static bool copy(FILE *out, const char *name, bool fill)
{
    char line[1024];
    bool filled = !fill;
    FILE *in = fopen(name, "r");
    if (in == NULL)
        return false;
    while (fgets(line, sizeof(line), in) != NULL) {
        bool here = fill && strcmp(line, "@TABLE@\n") == 0;
        filled = filled || here;
        if (here)
            smcm_put_table(out);
        else
            (void)fputs(line, out);
    }
    bool fine = ferror(in) == 0;
    return fclose(in) == 0 && fine && filled;
}

int main(int argc, char *argv[])
{
    bool man = argc == 4 && strcmp(argv[1], "man") == 0;
    bool fill = argc == 3 && strcmp(argv[1], "fill") == 0;
    if (!man && !fill) {
        (void)fputs("usage: smcrun_manual man DATE FILE | fill FILE\n", stderr);
        return 1;
    }
    if (man)
        smcm_put_man(stdout, argv[2]);
    bool fine = copy(stdout, argv[argc - 1], fill);
    return fine && fflush(stdout) == 0 ? 0 : 1;
}
