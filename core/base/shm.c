#include "smc/shm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define OP "shm.open"
#define PATH_MAX_BYTES 160

enum { TRIES = 1000, WAIT_NS = 2000000 }; /* for whoever opens it right now: two seconds */

struct smc_shm {
    void *memory;
    size_t bytes;
    int fd; /* -1: memory of this handle alone */
    uint32_t seat;
};

static smc_code_t fail_sys(smc_error_t *err, const char *what, const char *path)
{
    int sys = errno;
    return smc_fail(err, SMC_ESYS, OP, sys, "%s %s: %s", what, path, strerror(sys));
}

static smc_code_t path_of(const char *name, char path[PATH_MAX_BYTES], smc_error_t *err)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    size_t n = strlen(name);
    if (n < 1 || n > SMC_SHM_NAME_MAX || name[0] == '.' || strspn(name, allowed) != n)
        return smc_fail(err, SMC_EINVAL, OP, 0,
                        "a name has 1 to %d letters, digits, '-', '_' and '.', the first no '.'",
                        SMC_SHM_NAME_MAX);
    (void)snprintf(path, PATH_MAX_BYTES, "/dev/shm/smcrun-%lu-%s", (unsigned long)geteuid(), name);
    return SMC_OK;
}

/* ---- bytes of the file that stand for turns and seats ------------------------ */

enum { TURN = 0, FIRST_SEAT = 1 };

static int lock_byte(int fd, int how, short type, off_t at, off_t n)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = at, .l_len = n};
    int rc = fcntl(fd, how, &lock);
    return rc != 0 ? rc : lock.l_type;
}

/* Only around opening: whoever uses the memory takes no turn. */
static smc_code_t take_turn(int fd, const char *path, smc_error_t *err)
{
    for (int i = 0; i < TRIES; i++) {
        if (lock_byte(fd, F_OFD_SETLK, F_WRLCK, TURN, 1) >= 0)
            return SMC_OK;
        if (errno != EAGAIN && errno != EACCES)
            return fail_sys(err, "cannot lock", path);
        (void)nanosleep(&(struct timespec){.tv_nsec = WAIT_NS}, NULL);
    }
    return smc_fail(err, SMC_EAGAIN, OP, 0, "%s is being opened by a process that does not go on",
                    path);
}

static void give_turn(int fd)
{
    (void)lock_byte(fd, F_OFD_SETLK, F_UNLCK, TURN, 1);
}

static smc_code_t take_seat(smc_shm_t *shm, uint32_t seats, const char *path, smc_error_t *err)
{
    for (uint32_t i = 0; i < seats; i++)
        if (lock_byte(shm->fd, F_OFD_SETLK, F_WRLCK, FIRST_SEAT + (off_t)i, 1) >= 0) {
            shm->seat = i;
            return SMC_OK;
        }
    return smc_fail(err, SMC_EAGAIN, OP, 0,
                    "%u processes have %s open already, the most there may be", seats, path);
}

static bool somebody_sits(int fd, uint32_t seats)
{
    return lock_byte(fd, F_OFD_GETLK, F_WRLCK, FIRST_SEAT, (off_t)seats) != F_UNLCK;
}

/* ---- a new file ---------------------------------------------------------------- */

static smc_code_t map(int fd, size_t bytes, void **memory, const char *path, smc_error_t *err)
{
    *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return *memory == MAP_FAILED ? fail_sys(err, "cannot map", path) : SMC_OK;
}

static smc_code_t fill(int fd, const smc_shm_conf_t *conf, const char *path, smc_error_t *err)
{
    void *memory = NULL;
    if (posix_fallocate(fd, 0, (off_t)conf->bytes) != 0) /* now rather than as a signal later */
        return smc_fail(err, SMC_ESYS, OP, ENOSPC, "no room for %s", path);
    smc_code_t rc = map(fd, conf->bytes, &memory, path, err);
    if (rc != SMC_OK)
        return rc;
    conf->fill(memory, conf->ud);
    (void)munmap(memory, conf->bytes);
    return SMC_OK;
}

/* Gives the path a filled file, unless another process was faster. */
static smc_code_t make(const smc_shm_conf_t *conf, const char *path, smc_error_t *err)
{
    char draft[PATH_MAX_BYTES + 16];
    (void)snprintf(draft, sizeof(draft), "%s.XXXXXX", path);
    int fd = mkostemp(draft, O_CLOEXEC); /* of mode 0600 */
    if (fd < 0)
        return fail_sys(err, "cannot make", path);
    smc_code_t rc = fill(fd, conf, path, err);
    if (rc == SMC_OK && link(draft, path) != 0 && errno != EEXIST)
        rc = fail_sys(err, "cannot make", path);
    (void)unlink(draft);
    (void)close(fd);
    return rc;
}

/* ---- a file that is there -------------------------------------------------------- */

static smc_code_t is_ours(int fd, struct stat *st, const char *path, smc_error_t *err)
{
    if (fstat(fd, st) != 0)
        return fail_sys(err, "cannot look at", path);
    if (!S_ISREG(st->st_mode) || st->st_uid != geteuid() || (st->st_mode & 077) != 0)
        return smc_fail(err, SMC_EPOLICY, OP, 0,
                        "%s is refused: it must be a file of this user, of mode 0600", path);
    return SMC_OK;
}

static bool still_named(const char *path, const struct stat *st)
{
    struct stat now;
    return lstat(path, &now) == 0 && now.st_ino == st->st_ino && now.st_dev == st->st_dev;
}

static smc_code_t check(const smc_shm_t *shm, const smc_shm_conf_t *conf, const char *path,
                        smc_error_t *err)
{
    smc_error_t why = {0};
    if (shm->memory == NULL)
        return smc_fail(err, SMC_EEXIST, OP, 0, "%s is in use by another version of the program",
                        path);
    if (conf->check(shm->memory, conf->ud, &why) == SMC_OK)
        return SMC_OK;
    return smc_fail(err, SMC_EEXIST, OP, 0, "%s is in use by others: %s", path, why.detail);
}

/* With the turn taken.  *again: the file was removed, begin anew. */
static smc_code_t sit_down(smc_shm_t *shm, const smc_shm_conf_t *conf, const char *path,
                           bool *again, smc_error_t *err)
{
    struct stat st;
    smc_code_t rc = is_ours(shm->fd, &st, path, err);
    *again = rc == SMC_OK && !still_named(path, &st);
    if (rc != SMC_OK || *again)
        return rc;
    if (st.st_size == (off_t)conf->bytes)
        rc = map(shm->fd, conf->bytes, &shm->memory, path, err);
    if (rc != SMC_OK) {
        shm->memory = NULL;
        return rc;
    }
    rc = check(shm, conf, path, err);
    if (rc == SMC_OK)
        return take_seat(shm, conf->seats, path, err);
    if (somebody_sits(shm->fd, conf->seats))
        return rc;
    *again = true;
    return unlink(path) == 0 ? SMC_OK : fail_sys(err, "cannot replace", path);
}

static void leave(smc_shm_t *shm)
{
    if (shm->memory != NULL)
        (void)munmap(shm->memory, shm->bytes);
    if (shm->fd >= 0)
        (void)close(shm->fd); /* gives the seat, and perhaps the turn, back */
    shm->memory = NULL;
    shm->fd = -1;
}

static smc_code_t open_named(smc_shm_t *shm, const smc_shm_conf_t *conf, smc_error_t *err)
{
    char path[PATH_MAX_BYTES];
    smc_code_t rc = path_of(conf->name, path, err);
    bool again = rc == SMC_OK;
    for (int i = 0; i < TRIES && again; i++) {
        again = false;
        shm->fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
        if (shm->fd < 0 && errno == ENOENT) {
            rc = make(conf, path, err);
            again = rc == SMC_OK;
            continue;
        }
        rc = shm->fd < 0 ? fail_sys(err, "cannot open", path) : take_turn(shm->fd, path, err);
        if (rc == SMC_OK)
            rc = sit_down(shm, conf, path, &again, err);
        if (rc == SMC_OK && !again)
            give_turn(shm->fd);
        else
            leave(shm);
    }
    return rc == SMC_OK && again ? smc_fail(err, SMC_EAGAIN, OP, 0, "%s keeps being removed", path)
                                 : rc;
}

/* ---- in use ----------------------------------------------------------------------- */

static smc_code_t open_alone(smc_shm_t *shm, const smc_shm_conf_t *conf, smc_error_t *err)
{
    void *memory =
        mmap(NULL, conf->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return smc_fail(err, SMC_ENOMEM, OP, 0, "out of memory");
    shm->memory = memory;
    conf->fill(memory, conf->ud);
    return SMC_OK;
}

smc_code_t smc_shm_open(const smc_shm_conf_t *conf, smc_shm_t **out, smc_error_t *err)
{
    smc_shm_t *shm = calloc(1, sizeof(*shm));
    if (shm == NULL)
        return smc_fail(err, SMC_ENOMEM, OP, 0, "out of memory");
    shm->fd = -1;
    shm->bytes = conf->bytes;
    smc_code_t rc = conf->name == NULL ? open_alone(shm, conf, err) : open_named(shm, conf, err);
    if (rc == SMC_OK)
        *out = shm;
    else
        free(shm);
    return rc;
}

void smc_shm_close(smc_shm_t *shm)
{
    if (shm == NULL)
        return;
    leave(shm);
    free(shm);
}

void *smc_shm_memory(const smc_shm_t *shm)
{
    return shm->memory;
}

uint32_t smc_shm_seat(const smc_shm_t *shm)
{
    return shm->seat;
}

smc_code_t smc_shm_remove(const char *name, smc_error_t *err)
{
    char path[PATH_MAX_BYTES];
    smc_code_t rc = path_of(name, path, err);
    if (rc != SMC_OK)
        return rc;
    if (unlink(path) == 0)
        return SMC_OK;
    return errno == ENOENT ? smc_fail(err, SMC_ENOENT, OP, ENOENT, "there is no %s", path)
                           : fail_sys(err, "cannot remove", path);
}
