/* Folders that are there for a while: who may enter them, and what is left of them. */
#include "smc/tmpdir.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char base[] = "/tmp/smc_tmpdir_XXXXXX";

static const char *in(const char *folder, const char *name)
{
    static char path[2][SMC_TMPDIR_SIZE + 64];
    static unsigned turn;
    char *at = path[turn++ % 2];

    (void)snprintf(at, sizeof(path[0]), "%s/%s", folder, name);
    return at;
}

static void write_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

    assert_true(fd >= 0);
    assert_int_equal(4, write(fd, "text", 4));
    assert_int_equal(0, close(fd));
}

static void make(char *path)
{
    smc_error_t err = {0};
    int lock;

    assert_int_equal(SMC_OK, smc_tmpdir_make(path, &lock, &err));
    assert_true(lock >= 0);
    assert_int_equal(0, close(lock));
}

static void a_folder_lies_below_TMPDIR_and_is_this_users_alone(void **state)
{
    char path[SMC_TMPDIR_SIZE], other[SMC_TMPDIR_SIZE];
    struct stat about;

    (void)state;
    make(path);
    make(other);
    assert_memory_equal(base, path, strlen(base));
    assert_string_not_equal(path, other);
    assert_int_equal(0, stat(path, &about));
    assert_int_equal(S_IFDIR | 0700, about.st_mode);
    assert_int_equal(SMC_OK, smc_tmpdir_remove(path, NULL));
    assert_int_equal(SMC_OK, smc_tmpdir_remove(other, NULL));
}

static void all_that_lies_in_it_goes_and_nothing_that_links_lead_to(void **state)
{
    char path[SMC_TMPDIR_SIZE], kept[SMC_TMPDIR_SIZE];
    smc_error_t err = {0};

    (void)state;
    make(path);
    make(kept);
    write_file(in(kept, "file"));
    write_file(in(path, ".hidden"));
    assert_int_equal(0, mkdir(in(path, "below"), 0700));
    assert_int_equal(0, mkdir(in(path, "below/..."), 0700));
    write_file(in(path, "below/.../file"));
    assert_int_equal(0, symlink(kept, in(path, "below/folder")));
    assert_int_equal(0, symlink(in(kept, "file"), in(path, "link")));
    assert_int_equal(0, symlink("nowhere", in(path, "dangling")));

    assert_int_equal(SMC_OK, smc_tmpdir_remove(path, &err));

    assert_int_equal(-1, access(path, F_OK));
    assert_int_equal(0, access(in(kept, "file"), F_OK));
    assert_int_equal(SMC_OK, smc_tmpdir_remove(kept, &err));
}

static void what_cannot_be_removed_is_told(void **state)
{
    char path[SMC_TMPDIR_SIZE];
    smc_error_t err = {0};

    (void)state;
    make(path);
    assert_int_equal(SMC_OK, smc_tmpdir_remove(path, &err));
    assert_int_equal(SMC_ESYS, smc_tmpdir_remove(path, &err));
    assert_non_null(strstr(err.detail, path));
    assert_int_equal(0, symlink(base, path));
    assert_int_equal(SMC_ESYS, smc_tmpdir_remove(path, &err)); /* a link is no folder */
    assert_int_equal(0, unlink(path));
}

static void where_none_can_be_made_the_way_out_is_named(void **state)
{
    char path[SMC_TMPDIR_SIZE];
    smc_error_t err = {0};
    int lock;

    (void)state;
    assert_int_equal(SMC_ESYS, smc_tmpdir_make_in("/proc", "x", path, sizeof(path), &lock, &err));
    assert_non_null(strstr(err.detail, "cannot make a folder in /proc: "));
    assert_non_null(strstr(err.detail, "; TMPDIR may name one that can be written to"));
}

static void a_sweep_removes_those_of_one_process(void **state)
{
    char path[SMC_TMPDIR_SIZE];

    (void)state;
    make(path);
    write_file(in(path, "file"));
    smc_tmpdir_sweep((long)getpid() + 1);
    assert_int_equal(0, access(path, F_OK));
    smc_tmpdir_sweep(getpid());
    assert_int_equal(-1, access(path, F_OK));
}

static void a_sweep_leaves_those_of_other_users(void **state)
{
    char path[SMC_TMPDIR_SIZE];

    (void)state;
    if (geteuid() != 0)
        skip();
    make(path);
    assert_int_equal(0, chown(path, 1, 1));
    smc_tmpdir_sweep(getpid());
    assert_int_equal(0, access(path, F_OK));
    assert_int_equal(0, rmdir(path));
}

/* As a sweep from where our process can't be seen: whatever nobody holds is removed. */
static void sweep_unlocked(void)
{
    DIR *dir = opendir(base);

    for (const struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        int fd = openat(dirfd(dir), e->d_name, O_RDONLY | O_DIRECTORY);
        if (e->d_name[0] != '.' && fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
            (void)unlinkat(dirfd(dir), e->d_name, AT_REMOVEDIR);
        (void)close(fd);
    }
    (void)closedir(dir);
}

/* The id of a process that is gone. */
static long nobody(void)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0)
        _exit(0);
    assert_int_equal(pid, waitpid(pid, NULL, 0));
    return pid;
}

static void a_sweep_of_all_removes_those_whose_process_is_gone(void **state)
{
    char mine[SMC_TMPDIR_SIZE], left[SMC_TMPDIR_SIZE], elsewhere[SMC_TMPDIR_SIZE],
        none[SMC_TMPDIR_SIZE];
    long pid = nobody();
    int lock;

    (void)state;
    make(mine);
    (void)snprintf(left, sizeof(left), "%s/smcrun-tmp-%ld-aaaaaa", base, pid);
    (void)snprintf(elsewhere, sizeof(elsewhere), "%s/smcrun-tmp-%ld-bbbbbb", base, pid);
    (void)snprintf(none, sizeof(none), "%s/smcrun-tmp-%ld", base, pid);
    assert_int_equal(0, mkdir(left, 0700));
    write_file(in(left, "file"));
    assert_int_equal(0, mkdir(elsewhere, 0700));
    assert_int_equal(0, mkdir(none, 0700));
    lock = open(elsewhere,
                O_RDONLY | O_DIRECTORY); /* as of a process that has another id where it is */
    assert_int_equal(0, flock(lock, LOCK_EX | LOCK_NB));
    smc_tmpdir_sweep(0);
    assert_int_equal(0, access(mine, F_OK));
    assert_int_equal(-1, access(left, F_OK));
    assert_int_equal(0, access(elsewhere, F_OK));
    assert_int_equal(0, access(none, F_OK)); /* no name of ours */
    assert_int_equal(0, close(lock));
    smc_tmpdir_sweep(0);
    assert_int_equal(-1, access(elsewhere, F_OK));
    assert_int_equal(0, rmdir(none));
    smc_tmpdir_sweep(getpid());
}

static void a_sweep_of_all_leaves_those_of_other_users(void **state)
{
    char left[SMC_TMPDIR_SIZE];

    (void)state;
    if (geteuid() != 0)
        skip();
    (void)snprintf(left, sizeof(left), "%s/smcrun-tmp-%ld-aaaaaa", base, nobody());
    assert_int_equal(0, mkdir(left, 0700));
    assert_int_equal(0, chown(left, 1, 1));
    smc_tmpdir_sweep(0);
    assert_int_equal(0, access(left, F_OK));
    assert_int_equal(0, rmdir(left));
}

/* What a sweep does that finds a folder before it is locked, over and over. */
static void a_folder_that_is_swept_before_it_is_locked_is_made_again(void **state)
{
    char path[SMC_TMPDIR_SIZE];
    smc_error_t err = {0};
    int lock;
    pid_t sweeper = fork();

    (void)state;
    assert_true(sweeper >= 0);
    if (sweeper == 0) {
        for (;;)
            sweep_unlocked();
    }
    for (int i = 0; i < 2000; i++) {
        assert_int_equal(SMC_OK, smc_tmpdir_make(path, &lock, &err));
        int fd = open(path, O_RDONLY | O_DIRECTORY);
        assert_true(fd >= 0);
        assert_int_equal(-1, flock(fd, LOCK_EX | LOCK_NB)); /* it is ours, and stays */
        assert_int_equal(0, close(fd));
        assert_int_equal(SMC_OK, smc_tmpdir_remove(path, &err));
        assert_int_equal(0, close(lock));
    }
    assert_int_equal(0, kill(sweeper, SIGKILL));
    assert_int_equal(sweeper, waitpid(sweeper, NULL, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folder_lies_below_TMPDIR_and_is_this_users_alone),
        cmocka_unit_test(all_that_lies_in_it_goes_and_nothing_that_links_lead_to),
        cmocka_unit_test(what_cannot_be_removed_is_told),
        cmocka_unit_test(where_none_can_be_made_the_way_out_is_named),
        cmocka_unit_test(a_sweep_removes_those_of_one_process),
        cmocka_unit_test(a_sweep_leaves_those_of_other_users),
        cmocka_unit_test(a_sweep_of_all_removes_those_whose_process_is_gone),
        cmocka_unit_test(a_sweep_of_all_leaves_those_of_other_users),
        cmocka_unit_test(a_folder_that_is_swept_before_it_is_locked_is_made_again),
    };
    int failed;

    if (mkdtemp(base) == NULL || setenv("TMPDIR", base, 1) != 0)
        return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    return rmdir(base) == 0 ? failed : 1; /* nothing is left */
}
