#include "smc/tmpdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME "smcrun-tmp-"
#define TRIES_MAX 100
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

static smc_code_t fail_to_make(smc_error_t *err, const char *base)
{
    int sys = errno;

    return smc_fail(err, SMC_ESYS, "tmpdir", sys,
                    "cannot make a folder in %s: %s; TMPDIR may name one that can be written to",
                    base, strerror(sys));
}

/* A folder that is there, locked; -1: it can't be. */
static int lock_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    while (fd >= 0 && flock(fd, LOCK_EX) != 0)
        if (errno != EINTR) {
            (void)close(fd);
            return -1;
        }
    return fd;
}

smc_code_t smc_tmpdir_make_in(const char *base, const char *name, char *path, size_t size,
                              int *lock, smc_error_t *err)
{
    /* Until it is locked a sweep may take it for one that somebody has left. */
    for (int tries = 0; tries < TRIES_MAX; tries++) {
        int n = snprintf(path, size, "%s/%s%ld-XXXXXX", base, name, (long)getpid());
        if (n < 0 || (size_t)n >= size || mkdtemp(path) == NULL)
            break;
        *lock = lock_folder(path);
        if (access(path, F_OK) == 0)
            return SMC_OK;
        if (*lock >= 0)
            (void)close(*lock);
    }
    *lock = -1;
    return fail_to_make(err, base);
}

smc_code_t smc_tmpdir_make(char *path, int *lock, smc_error_t *err)
{
    char base[PATH_MAX];

    *lock = -1;
    if (realpath(base_dir(), base) == NULL)
        return fail_to_make(err, base_dir());
    return smc_tmpdir_make_in(base, NAME, path, SMC_TMPDIR_SIZE, lock, err);
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

/* When nobody here has that id, and nobody elsewhere holds the lock.  It is held meanwhile: whoever has just made the
 * folder sees that it is gone. */
static void sweep_left(int base, const char *name, long pid)
{
    int fd;

    if (pid <= 0 || kill((pid_t)pid, 0) == 0 || errno != ESRCH)
        return;
    fd = openat(base, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        (void)remove_at(base, name, 0);
    (void)close(fd);
}

void smc_tmpdir_sweep_in(const char *base, const char *name, long pid)
{
    DIR *dir = opendir(base);

    if (dir == NULL)
        return;
    for (const struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        char *end;
        long owner;
        if (strncmp(e->d_name, name, strlen(name)) != 0)
            continue;
        owner = strtol(e->d_name + strlen(name), &end, 10);
        if (*end != '-')
            continue;
        if (pid == 0)
            sweep_left(dirfd(dir), e->d_name, owner);
        else if (owner == pid)
            (void)remove_at(dirfd(dir), e->d_name, 0);
    }
    (void)closedir(dir);
}

void smc_tmpdir_sweep(long pid)
{
    smc_tmpdir_sweep_in(base_dir(), NAME, pid);
}
