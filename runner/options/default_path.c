#include "options/default_path.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HERE "scenarios"

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Follows the program, wherever its tree was moved to.  False: nobody knows where it is, or too far down. */
static bool find_installed(char path[PATH_MAX])
{
    char bin[PATH_MAX], joined[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", bin, sizeof(bin) - 1);
    if (n < 0)
        return false;
    bin[n] = '\0';
    char *slash = strrchr(bin, '/');
    if (slash == NULL)
        return false;
    *slash = '\0';
    n = snprintf(joined, sizeof(joined), "%s/" SMC_SHARE "/" HERE, bin);
    return n > 0 && (size_t)n < sizeof(joined) && realpath(joined, path) != NULL && is_folder(path);
}

smc_code_t smcr_default_path(char path[PATH_MAX], smc_error_t *err)
{
    if (is_folder(HERE)) {
        memcpy(path, HERE, sizeof(HERE));
        return SMC_OK;
    }
    if (find_installed(path))
        return SMC_OK;
    return smc_fail(err, SMC_ENOENT, "default_path", 0,
                    "name the files or folders to run, as in: smcrun my_scenarios/; there is no "
                    "folder '" HERE "' here, and none was installed with this program");
}
