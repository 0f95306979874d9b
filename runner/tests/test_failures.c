#include "select/failures.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define MEMORY ".smcrun/last-failed"

static char folder[] = "/tmp/smcr_failures_XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL || chdir(folder) != 0 ? -1 : 0;
}

static int forget(void **state)
{
    (void)state;
    (void)unlink(MEMORY);
    (void)unlink(".smcrun/.gitignore");
    (void)rmdir(".smcrun");
    return 0;
}

static int remove_folder(void **state)
{
    return forget(state) | chdir("/") | rmdir(folder);
}

/* One run.  script: blank-separated events of the file x.lua: "?a" spec a is declared, "+a" it passes, "-a" it fails, "~a" it
 * is skipped, "p" the last one declared is pending, "x!" it flakes, "!" the file fails, ".3" it ends and has 3 specs, ":"
 * interrupted. */
static void play(smcr_failures_t *f, const char *script)
{
    char copy[128];
    (void)snprintf(copy, sizeof(copy), "%s", script);
    for (char *save, *p = strtok_r(copy, " ", &save); p != NULL; p = strtok_r(NULL, " ", &save)) {
        char id[64], kind[16] = "assertion";
        (void)snprintf(id, sizeof(id), "x.lua::%s", p + 1);
        smcr_event_t ev = {.type = SMCR_EV_SPEC_END, .id = id, .kind = kind};
        switch (p[0]) {
        case '?':
            ev.type = SMCR_EV_DECLARED;
            break;
        case '+':
            ev.status = SMCR_PASS;
            break;
        case '-':
            ev.status = SMCR_FAIL;
            break;
        case '~':
            ev.status = SMCR_SKIP;
            (void)snprintf(kind, sizeof(kind), "skip");
            break;
        case 'p':
            ev.status = SMCR_SKIP;
            (void)snprintf(kind, sizeof(kind), "pending");
            break;
        case 'f':
            ev.status = SMCR_FLAKY;
            break;
        case '!':
            ev.type = SMCR_EV_FILE_ERROR;
            break;
        case ':':
            ev.status = SMCR_ERROR;
            (void)snprintf(kind, sizeof(kind), "interrupted");
            break;
        default:
            ev.type = SMCR_EV_FILE_END;
            ev.declared = strtol(p + 1, NULL, 10);
        }
        smcr_failures_event(f, "x.lua", &ev);
    }
}

/* What is remembered: "a c", without the file; "(x.lua)" for the file itself. */
static void expect_known(const char *wanted)
{
    smcr_failures_t f = {0};
    smc_error_t err = {0};
    char got[256] = "";
    if (smcr_failures_load(&f, &err) != SMC_OK)
        fail_msg("%s", err.detail);
    const char *id;
    for (size_t n = 0; (id = smcr_failures_get(&f, n)) != NULL; n++) {
        size_t len = strlen(got);
        bool spec = strncmp(id, "x.lua::", 7) == 0;
        (void)snprintf(got + len, sizeof(got) - len, spec ? "%s%s" : "%s(%s)", n == 0 ? "" : " ",
                       spec ? id + 7 : id);
    }
    smcr_failures_deinit(&f);
    assert_string_equal(got, wanted);
}

static void run_and_expect(const char *script, const char *wanted)
{
    smcr_failures_t f = {0};
    smc_error_t err = {0};
    play(&f, script);
    if (smcr_failures_save(&f, &err) != SMC_OK)
        fail_msg("%s", err.detail);
    smcr_failures_deinit(&f);
    expect_known(wanted);
}

static void failures_get_in_and_passes_get_out(void **state)
{
    (void)state;
    run_and_expect("?a ?b ?c +a -b -c .3", "b c");
    run_and_expect("?a ?b ?c -a +b -c .3", "a c");
    run_and_expect("?a ?b ?c fa +b pc .3", "");
    assert_int_not_equal(access(MEMORY, F_OK), 0);
}

static void what_did_not_run_stays(void **state)
{
    (void)state;
    run_and_expect("?a ?b ?c -a -b -c .3", "a b c");
    run_and_expect("?b +b .3", "a c"); /* -k b */
    run_and_expect("?a ?c ~a +c .3", "a");
    run_and_expect("?a ?b :a .0", "a"); /* interrupted in the middle of a */
    run_and_expect("", "a");
}

static void what_is_declared_no_more_gets_out(void **state)
{
    (void)state;
    run_and_expect("?a ?b -a -b .2", "a b");
    run_and_expect("?b ?renamed -renamed .2", "b renamed"); /* b was not wanted here; a is gone */
    run_and_expect("?b +b .1", "");
}

static void file_that_fails_is_in_it_until_it_loads(void **state)
{
    (void)state;
    run_and_expect("?a -a .1", "a");
    run_and_expect("! .0", "(x.lua) a");
    smcr_failures_t f = {0};
    smc_error_t err = {0};
    assert_int_equal(smcr_failures_load(&f, &err), SMC_OK);
    assert_true(smcr_failures_have(&f, "x.lua", "x.lua::whatever"));
    assert_false(smcr_failures_have(&f, "y.lua", "y.lua::a"));
    smcr_failures_deinit(&f);
    run_and_expect("?a +a .1", "");
}

static void names_may_have_lines_and_backslashes(void **state)
{
    (void)state;
    smcr_failures_t f = {0};
    smc_error_t err = {0};
    char id[] = "x.lua::two\nlines\\n";
    smcr_failures_event(&f, "x.lua",
                        &(smcr_event_t){.type = SMCR_EV_SPEC_END, .status = SMCR_FAIL, .id = id});
    assert_int_equal(smcr_failures_save(&f, &err), SMC_OK);
    smcr_failures_deinit(&f);
    assert_int_equal(smcr_failures_load(&f, &err), SMC_OK);
    assert_string_equal(smcr_failures_get(&f, 0), id);
    assert_null(smcr_failures_get(&f, 1));
    smcr_failures_deinit(&f);
}

/* What others, or a disk, have made of the file harms nothing. */
static void rubbish_is_ids_that_nothing_has(void **state)
{
    (void)state;
    run_and_expect("?a -a .1", "a");
    FILE *out = fopen(MEMORY, "a");
    assert_non_null(out);
    (void)fputs("\n\n\\\nrubbish\\", out);
    assert_int_equal(fclose(out), 0);
    expect_known("(\\) (rubbish\\) a");
    run_and_expect("?a +a .1", "(\\) (rubbish\\)");
}

static void nothing_is_made_while_nothing_fails(void **state)
{
    (void)state;
    run_and_expect("?a +a .1", "");
    assert_int_not_equal(access(".smcrun", F_OK), 0);
    run_and_expect("?a -a .1", "a");
    assert_int_equal(access(".smcrun/.gitignore", F_OK), 0);
}

static ino_t number_of_file(void)
{
    struct stat st;
    assert_int_equal(stat(MEMORY, &st), 0);
    return st.st_ino;
}

/* So that a folder that cannot be written to is no matter while there is nothing to write. */
static void file_is_left_alone_while_nothing_changes(void **state)
{
    (void)state;
    run_and_expect("?a ?b -a -b .2", "a b");
    assert_int_equal(link(MEMORY, "kept"), 0); /* or its number would be given to the next one */
    ino_t before = number_of_file();
    run_and_expect("?a ?b -b .2", "a b");
    run_and_expect("?a ?b ?c +c .3", "a b");
    assert_int_equal(number_of_file(), before);
    run_and_expect("?a ?b +b .2", "a");
    assert_int_not_equal(number_of_file(), before);
    assert_int_equal(unlink("kept"), 0);
}

static void file_that_cannot_be_written_is_an_error_and_as_it_was(void **state)
{
    (void)state;
    run_and_expect("?a -a .1", "a");
    assert_int_equal(unlink(MEMORY), 0);
    assert_int_equal(mkdir(MEMORY, 0755), 0); /* so that it fails for root, too */
    smcr_failures_t f = {0};
    smc_error_t err = {0};
    play(&f, "?b -b .2");
    assert_int_equal(smcr_failures_save(&f, &err), SMC_ESYS);
    assert_non_null(strstr(err.detail, MEMORY));
    smcr_failures_deinit(&f);
    assert_int_equal(rmdir(MEMORY), 0);
}

static void folder_that_cannot_be_made_says_why(void **state)
{
    (void)state;
    bool root = geteuid() == 0;
    smcr_failures_t f = {0};
    smc_error_t err = {0};
    play(&f, "?a -a .1");
    assert_int_equal(chmod(folder, 0555), 0);
    if (root)
        assert_int_equal(seteuid(65534), 0); /* root may write anywhere */
    smc_code_t code = smcr_failures_save(&f, &err);
    if (root)
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(chmod(folder, 0700), 0);
    smcr_failures_deinit(&f);
    assert_int_equal(code, SMC_ESYS);
    assert_string_equal(err.detail, ".smcrun: Permission denied");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(failures_get_in_and_passes_get_out, forget),
        cmocka_unit_test_teardown(what_did_not_run_stays, forget),
        cmocka_unit_test_teardown(what_is_declared_no_more_gets_out, forget),
        cmocka_unit_test_teardown(file_that_fails_is_in_it_until_it_loads, forget),
        cmocka_unit_test_teardown(names_may_have_lines_and_backslashes, forget),
        cmocka_unit_test_teardown(rubbish_is_ids_that_nothing_has, forget),
        cmocka_unit_test_teardown(nothing_is_made_while_nothing_fails, forget),
        cmocka_unit_test_teardown(file_is_left_alone_while_nothing_changes, forget),
        cmocka_unit_test_teardown(file_that_cannot_be_written_is_an_error_and_as_it_was, forget),
        cmocka_unit_test_teardown(folder_that_cannot_be_made_says_why, forget),
    };
    return cmocka_run_group_tests_name("failures", tests, make_folder, remove_folder);
}
