/* Memory shared by name: who makes it, who sits where, what a death leaves, and what is refused. */
#include "smc/shm.h"

#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { BYTES = 8192, SEATS = 3 };

static char name[SMC_SHM_NAME_MAX];

static int set_name(void **state)
{
    (void)state;
    (void)snprintf(name, sizeof(name), "test-%ld", (long)getpid());
    return 0;
}

static int remove_name(void **state)
{
    (void)state;
    (void)smc_shm_remove(name, NULL);
    return 0;
}

static const char *path(void)
{
    static char text[160];
    (void)snprintf(text, sizeof(text), "/dev/shm/smcrun-%lu-%s", (unsigned long)geteuid(), name);
    return text;
}

/* ud: the word that the memory begins with. */
static void fill(void *memory, void *ud)
{
    for (int i = 0; i < 10; i++) /* whoever else is about to make it, gets as far */
        (void)sched_yield();
    (void)snprintf(memory, 32, "%s", (const char *)ud);
}

static smc_code_t check(const void *memory, void *ud, smc_error_t *err)
{
    if (strcmp(memory, ud) == 0)
        return SMC_OK;
    return smc_fail(err, SMC_EEXIST, "test", 0, "it begins with %s", (const char *)memory);
}

static smc_shm_conf_t conf_of(const char *word)
{
    return (smc_shm_conf_t){.name = name,
                            .bytes = BYTES,
                            .seats = SEATS,
                            .fill = fill,
                            .check = check,
                            .ud = (void *)(uintptr_t)word};
}

static smc_shm_t *opened(const char *word)
{
    smc_shm_conf_t conf = conf_of(word);
    smc_shm_t *shm = NULL;
    assert_int_equal(smc_shm_open(&conf, &shm, NULL), SMC_OK);
    return shm;
}

static void refused(const char *word, smc_code_t code, const char *says)
{
    smc_shm_conf_t conf = conf_of(word);
    smc_shm_t *shm = NULL;
    smc_error_t err = {0};
    assert_int_equal(smc_shm_open(&conf, &shm, &err), code);
    assert_non_null(strstr(err.detail, says));
    assert_null(shm);
}

static void everybody_sees_the_same_and_sits_elsewhere(void **state)
{
    (void)state;
    smc_shm_t *a = opened("one"), *b = opened("one"), *c = opened("one");
    char *here = smc_shm_memory(a);
    const char *there = smc_shm_memory(b);
    here[100] = 'x';
    assert_int_equal(there[100], 'x');
    assert_int_equal(smc_shm_seat(a) + 10 * smc_shm_seat(b) + 100 * smc_shm_seat(c), 210);
    refused("one", SMC_EAGAIN, "3 processes");
    smc_shm_close(b);
    b = opened("one");
    assert_int_equal(smc_shm_seat(b), 1);
    smc_shm_close(a);
    smc_shm_close(b);
    smc_shm_close(c);
    a = opened("one"); /* it was kept */
    assert_int_equal(((char *)smc_shm_memory(a))[100], 'x');
    smc_shm_close(a);
    smc_shm_close(NULL);
}

static void a_dead_process_leaves_its_seat(void **state)
{
    (void)state;
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        smc_shm_t *shm = opened("one");
        if (smc_shm_seat(shm) != 0 || write(ready[1], "r", 1) != 1)
            _exit(1);
        for (;;)
            (void)pause();
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    smc_shm_t *mine = opened("one");
    assert_int_equal(smc_shm_seat(mine), 1);
    int status = 0;
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    smc_shm_t *next = opened("one");
    assert_int_equal(smc_shm_seat(next), 0);
    smc_shm_close(mine);
    smc_shm_close(next);
    (void)close(ready[0]);
    (void)close(ready[1]);
}

static void what_does_not_fit_is_refused_while_in_use_and_replaced_afterwards(void **state)
{
    (void)state;
    smc_shm_t *a = opened("one");
    refused("two", SMC_EEXIST, "in use by others: it begins with one");
    smc_shm_conf_t larger = conf_of("one");
    larger.bytes = (size_t)2 * BYTES;
    smc_shm_t *shm = NULL;
    smc_error_t err = {0};
    assert_int_equal(smc_shm_open(&larger, &shm, &err), SMC_EEXIST);
    assert_non_null(strstr(err.detail, "another version"));
    smc_shm_close(a);
    assert_int_equal(smc_shm_open(&larger, &shm, &err), SMC_OK);
    smc_shm_close(shm);
    a = opened("two");
    assert_string_equal(smc_shm_memory(a), "two");
    smc_shm_close(a);
}

static void a_file_that_others_may_open_is_refused(void **state)
{
    (void)state;
    smc_shm_close(opened("one"));
    struct stat st;
    assert_int_equal(stat(path(), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(chmod(path(), 0660), 0);
    refused("one", SMC_EPOLICY, "of mode 0600");
    assert_int_equal(unlink(path()), 0);
    assert_int_equal(symlink("/dev/null", path()), 0);
    refused("one", SMC_ESYS, "cannot open");
    assert_int_equal(unlink(path()), 0);
    if (geteuid() == 0) {
        smc_shm_close(opened("one"));
        assert_int_equal(chown(path(), 1, 1), 0);
        refused("one", SMC_EPOLICY, "of this user");
    }
}

static void a_name_is_a_name(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",    "a/b", ".a",
        "a b", "..",  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        smc_shm_conf_t conf = conf_of("one");
        smc_shm_t *shm = NULL;
        conf.name = bad[i];
        assert_int_equal(smc_shm_open(&conf, &shm, NULL), SMC_EINVAL);
        assert_int_equal(smc_shm_remove(bad[i], NULL), SMC_EINVAL);
    }
    assert_int_equal(smc_shm_remove(name, NULL), SMC_ENOENT);
}

static void without_a_name_it_is_nobody_elses(void **state)
{
    (void)state;
    smc_shm_conf_t conf = conf_of("alone");
    smc_shm_t *a = NULL, *b = NULL;
    conf.name = NULL;
    assert_int_equal(smc_shm_open(&conf, &a, NULL), SMC_OK);
    assert_int_equal(smc_shm_open(&conf, &b, NULL), SMC_OK);
    assert_string_equal(smc_shm_memory(a), "alone");
    assert_ptr_not_equal(smc_shm_memory(a), smc_shm_memory(b));
    smc_shm_close(a);
    smc_shm_close(b);
}

/* Waits until the process has the file open. */
static void until_it_has_opened(pid_t pid)
{
    char dir[64], link[96], target[200];
    (void)snprintf(dir, sizeof(dir), "/proc/%ld/fd", (long)pid);
    for (;;) {
        for (int fd = 0; fd < 64; fd++) {
            (void)snprintf(link, sizeof(link), "%s/%d", dir, fd);
            ssize_t n = readlink(link, target, sizeof(target) - 1);
            target[n > 0 ? n : 0] = '\0';
            if (strcmp(target, path()) == 0)
                return;
        }
        (void)sched_yield();
    }
}

static void who_waited_for_a_file_that_was_replaced_opens_the_new_one(void **state)
{
    (void)state;
    smc_shm_close(opened("one"));
    int turn = open(path(), O_RDWR | O_CLOEXEC);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
    assert_int_equal(fcntl(turn, F_OFD_SETLK, &lock), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)close(turn);
        char *memory = smc_shm_memory(opened("one"));
        memory[200] = 'y';
        _exit(0);
    }
    until_it_has_opened(pid);
    assert_int_equal(unlink(path()), 0);
    (void)close(turn);
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    smc_shm_t *now = opened("one");
    assert_int_equal(((char *)smc_shm_memory(now))[200], 'y');
    smc_shm_close(now);
}

/* Eight at once, again and again, where there is nothing yet: one of them makes it, and all see that one. */
static void those_who_come_together_get_one_file(void **state)
{
    (void)state;
    enum { ROUNDS = 10, COMERS = 8 };
    for (int round = 0; round < ROUNDS; round++) {
        int go[2], seen[2];
        assert_int_equal(pipe(go), 0);
        assert_int_equal(pipe(seen), 0);
        for (int i = 0; i < COMERS; i++) {
            char byte;
            pid_t pid = fork();
            assert_true(pid >= 0);
            if (pid != 0)
                continue;
            (void)close(go[1]);
            (void)!read(go[0], &byte, 1); /* until the parent lets go */
            smc_shm_conf_t conf = conf_of("one");
            smc_shm_t *shm = NULL;
            conf.seats = COMERS;
            if (smc_shm_open(&conf, &shm, NULL) != SMC_OK)
                _exit(1);
            unsigned char *memory = smc_shm_memory(shm);
            unsigned n = __atomic_add_fetch(&memory[64], 1, __ATOMIC_SEQ_CST);
            (void)!write(seen[1], &n, sizeof(n));
            _exit(0);
        }
        (void)close(go[0]);
        (void)close(go[1]);
        (void)close(seen[1]);
        unsigned sum = 0, n;
        for (int i = 0; i < COMERS; i++) {
            assert_int_equal(read(seen[0], &n, sizeof(n)), sizeof(n));
            sum += n;
        }
        for (int i = 0; i < COMERS; i++) {
            int status = 0;
            assert_true(wait(&status) > 0);
            assert_int_equal(status, 0);
        }
        assert_int_equal(sum, COMERS * (COMERS + 1) / 2);
        assert_int_equal(smc_shm_remove(name, NULL), SMC_OK);
        (void)close(seen[0]);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_name, remove_name)
    const struct CMUnitTest tests[] = {
        TEST(everybody_sees_the_same_and_sits_elsewhere),
        TEST(a_dead_process_leaves_its_seat),
        TEST(what_does_not_fit_is_refused_while_in_use_and_replaced_afterwards),
        TEST(a_file_that_others_may_open_is_refused),
        TEST(a_name_is_a_name),
        TEST(without_a_name_it_is_nobody_elses),
        TEST(who_waited_for_a_file_that_was_replaced_opens_the_new_one),
        TEST(those_who_come_together_get_one_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
