#include "smc/tmpdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX "smcrun-tmp-%ld-" /* with the id of the process, for smc_tmpdir_sweep */
#define DEPTH_MAX 64 /* each level of a tree holds a descriptor; what lies deeper stays */

static const char *base_dir(void)
{
    const char *base = getenv("TMPDIR");

    return base != NULL && access(base, W_OK) == 0 ? base : "/tmp";
}

static smc_code_t fail_sys(smc_error_t *err, const char *what, const char *path)
{
    int sys = errno;

    return smc_fail(err, SMC_ESYS, "tmpdir", sys, "%s %s: %s", what, path, strerror(sys));
}

smc_code_t smc_tmpdir_make(char *path, smc_error_t *err)
{
    char base[PATH_MAX];
    int n;

    if (realpath(base_dir(), base) == NULL)
        return fail_sys(err, "cannot make a folder in", base_dir());
    n = snprintf(path, SMC_TMPDIR_SIZE, "%s/" PREFIX "XXXXXX", base, (long)getpid());
    if (n < 0 || n >= SMC_TMPDIR_SIZE || mkdtemp(path) == NULL)
        return fail_sys(err, "cannot make a folder in", base);
    return SMC_OK;
}

static bool is_itself_or_above(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static bool is_ours(int fd)
{
    struct stat about;

    return fstat(fd, &about) == 0 && about.st_uid == geteuid();
}

/* By descriptors: whoever puts a link in the place of a folder meanwhile leads nowhere. */
static bool remove_at(int above, const char *name, int depth)
{
    int fd = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd >= 0 && is_ours(fd) ? fdopendir(fd) : NULL;

    if (dir == NULL && fd >= 0)
        (void)close(fd);
    if (dir == NULL)
        return false;
    for (const struct dirent *e = readdir(dir); e != NULL; e = readdir(dir))
        if (!is_itself_or_above(e->d_name) && unlinkat(fd, e->d_name, 0) != 0 && depth < DEPTH_MAX)
            (void)remove_at(fd, e->d_name, depth + 1);
    (void)closedir(dir);
    return unlinkat(above, name, AT_REMOVEDIR) == 0;
}

smc_code_t smc_tmpdir_remove(const char *path, smc_error_t *err)
{
    return remove_at(AT_FDCWD, path, 0) ? SMC_OK : fail_sys(err, "cannot remove", path);
}

void smc_tmpdir_sweep_in(const char *base, const char *prefix)
{
    DIR *dir = opendir(base);

    if (dir == NULL)
        return;
    for (const struct dirent *e = readdir(dir); e != NULL; e = readdir(dir))
        if (strncmp(e->d_name, prefix, strlen(prefix)) == 0)
            (void)remove_at(dirfd(dir), e->d_name, 0);
    (void)closedir(dir);
}

void smc_tmpdir_sweep(long pid)
{
    char prefix[40];

    (void)snprintf(prefix, sizeof(prefix), PREFIX, pid);
    smc_tmpdir_sweep_in(base_dir(), prefix);
}
