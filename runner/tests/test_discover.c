#include "select/discover.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* A folder of its own, which is then the working directory; removed at the end. */
static char folder[] = "/tmp/smcr_discover_XXXXXX";
static const char *const made[] = {"a.lua",      "b.lua",        "notes.md",       ".hidden.lua",
                                   "sub/c.lua",  "sub/.x/d.lua", "sub/deep/e.lua", "sub2/f.lua",
                                   "odd::g.lua", "z[1].lua"};
static const char *const folders[] = {"sub", "sub/.x", "sub/deep", "sub2", "empty"};

static int make_tree(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL || chdir(folder) != 0)
        return -1;
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
        if (mkdir(folders[i], 0755) != 0)
            return -1;
    for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
        FILE *f = fopen(made[i], "w");
        if (f == NULL || fclose(f) != 0)
            return -1;
    }
    return symlink("a.lua", "link.lua");
}

static int remove_tree(void **state)
{
    (void)state;
    int rc = unlink("link.lua");
    for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++)
        rc |= unlink(made[i]);
    for (size_t i = sizeof(folders) / sizeof(folders[0]); i-- > 0;)
        rc |= rmdir(folders[i]);
    return rc | chdir("/") | rmdir(folder);
}

/* paths and expected: blank-separated. */
static void expect_files(const char *paths, const char *expected)
{
    smcr_plan_t plan = {0};
    smc_error_t err = {0};
    char copy[256], got[512] = "";
    (void)snprintf(copy, sizeof(copy), "%s", paths);
    for (char *save, *p = strtok_r(copy, " ", &save); p != NULL; p = strtok_r(NULL, " ", &save))
        if (smcr_discover(&plan, p, &err) != SMC_OK)
            fail_msg("%s: %s", p, err.detail);
    for (size_t i = 0; i < plan.n_files; i++) {
        size_t n = strlen(got);
        (void)snprintf(got + n, sizeof(got) - n, "%s%s", i == 0 ? "" : " ", plan.files[i].path);
    }
    assert_string_equal(got, expected);
    smcr_plan_deinit(&plan);
}

static void expect_error(const char *path, smc_code_t code, const char *detail)
{
    smcr_plan_t plan = {0};
    smc_error_t err = {0};
    assert_int_equal(smcr_discover(&plan, path, &err), code);
    assert_string_equal(err.detail, detail);
    assert_int_equal(plan.n_files, 0);
    smcr_plan_deinit(&plan);
}

static void folder_gives_its_lua_files_sorted_without_hidden_ones(void **state)
{
    (void)state;
    expect_files("sub", "sub/c.lua sub/deep/e.lua");
    expect_files("sub/", "sub/c.lua sub/deep/e.lua");
    expect_files(".", "a.lua b.lua odd::g.lua sub/c.lua sub/deep/e.lua sub2/f.lua z[1].lua");
}

static void arguments_keep_their_order(void **state)
{
    (void)state;
    expect_files("sub2 b.lua a.lua", "sub2/f.lua b.lua a.lua");
}

static void file_reached_twice_runs_once(void **state)
{
    (void)state;
    expect_files("b.lua ./b.lua .//b.lua sub sub/c.lua", "b.lua sub/c.lua sub/deep/e.lua");
    expect_files("a.lua link.lua", "a.lua");
}

static void quoted_glob_is_expanded(void **state)
{
    (void)state;
    expect_files("*.lua", "a.lua b.lua odd::g.lua z[1].lua");
    expect_files("sub*", "sub/c.lua sub/deep/e.lua sub2/f.lua");
    expect_files("z[1].lua", "z[1].lua");
    expect_error("*.py", SMC_ENOENT, "no file matches '*.py'");
    expect_error("*.md", SMC_ENOENT, "no Lua file matches '*.md'");
}

static void what_cannot_run_is_refused_by_name(void **state)
{
    (void)state;
    expect_error("missing.lua", SMC_ENOENT, "there is no file or folder 'missing.lua'");
    expect_error("notes.md", SMC_EINVAL, "'notes.md' is no Lua file: scenario files end in .lua");
    expect_error("", SMC_EINVAL, "an empty path names nothing");
    expect_error("missing.lua::a", SMC_ENOENT, "'missing.lua': No such file or directory");
    expect_error("sub::a", SMC_EINVAL, "'sub' is a folder: before :: goes a file");
    expect_error("a.lua::", SMC_EINVAL, "'a.lua::': behind :: goes the name of a spec");
}

static void empty_folder_adds_nothing(void **state)
{
    (void)state;
    expect_files("empty", "");
}

static void id_selects_its_spec_and_those_below(void **state)
{
    (void)state;
    smcr_plan_t plan = {0};
    smc_error_t err = {0};
    assert_int_equal(smcr_discover(&plan, "./a.lua::outer", &err), SMC_OK);
    assert_int_equal(smcr_discover(&plan, "b.lua", &err), SMC_OK);
    assert_int_equal(plan.n_files, 2);
    assert_true(smcr_file_selects(&plan.files[0], "a.lua::outer", NULL));
    assert_true(smcr_file_selects(&plan.files[0], "a.lua::outer::it", NULL));
    assert_false(smcr_file_selects(&plan.files[0], "a.lua::outermost::it", NULL));
    assert_false(smcr_file_selects(&plan.files[0], "a.lua::other", NULL));
    assert_true(smcr_file_selects(&plan.files[1], "b.lua::anything", NULL));

    assert_int_equal(smcr_discover(&plan, "a.lua", &err), SMC_OK);
    assert_int_equal(plan.n_files, 2);
    assert_true(smcr_file_selects(&plan.files[0], "a.lua::other", NULL));
    smcr_plan_deinit(&plan);
}

static void line_selects_what_stands_there(void **state)
{
    (void)state;
    smcr_plan_t plan = {0};
    smc_error_t err = {0};
    assert_int_equal(smcr_discover(&plan, "./a.lua:12", &err), SMC_OK);
    assert_int_equal(smcr_discover(&plan, "a.lua:40", &err), SMC_OK);
    assert_int_equal(smcr_discover(&plan, "a.lua::one", &err), SMC_OK);
    assert_int_equal(plan.n_files, 1);
    assert_int_equal(plan.files[0].n_asked, 3);
    assert_int_equal(plan.files[0].asked[1].line, 40);
    assert_string_equal(plan.files[0].asked[1].text, "a.lua:40");
    assert_true(smcr_file_selects(&plan.files[0], "a.lua::x", "12"));
    assert_true(smcr_file_selects(&plan.files[0], "a.lua::x", "7,40"));
    assert_true(smcr_file_selects(&plan.files[0], "a.lua::one", NULL));
    assert_false(smcr_file_selects(&plan.files[0], "a.lua::x", NULL));
    assert_false(smcr_file_selects(&plan.files[0], "a.lua::x", "1,2,4,120"));
    smcr_plan_deinit(&plan);
    expect_error("missing.lua:3", SMC_ENOENT, "'missing.lua': No such file or directory");
    expect_error("sub:3", SMC_EINVAL, "'sub' is a folder: before :LINE goes a file");
    expect_error("a.lua:", SMC_ENOENT, "there is no file or folder 'a.lua:'");
    expect_error("a.lua:x", SMC_ENOENT, "there is no file or folder 'a.lua:x'");
}

/* A tree may lie anywhere: what is below the working folder is named from there on, and of what is not, only the end of
 * the argument means something. */
static void where_the_tree_lies_has_no_meaning(void **state)
{
    (void)state;
    static const struct {
        const char *arg; /* ~: the working folder */
        const char *path, *words;
    } rows[] = {
        {"~/a.lua", "a.lua", "a.lua"},
        {"~//sub/", "sub/c.lua", "sub/c.lua"},
        {"~", "a.lua", "a.lua"},
        {"/proc/self/cwd/sub", "/proc/self/cwd/sub/c.lua", "sub/c.lua"},
        {"/proc/self/cwd/sub/c.lua", "/proc/self/cwd/sub/c.lua", "c.lua"},
        {"/proc/self/cwd/sub/*.lua", "/proc/self/cwd/sub/c.lua", "c.lua"},
        {"sub/c.lua", "sub/c.lua", "sub/c.lua"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        smcr_plan_t plan = {0};
        smc_error_t err = {0};
        char arg[256];
        const char *below = strncmp(rows[i].arg, "~", 1) == 0 ? rows[i].arg + 1 : NULL;
        (void)snprintf(arg, sizeof(arg), "%s%s", below == NULL ? rows[i].arg : folder,
                       below == NULL ? "" : below);
        if (smcr_discover(&plan, arg, &err) != SMC_OK)
            fail_msg("%s: %s", arg, err.detail);
        assert_string_equal(plan.files[0].path, rows[i].path);
        assert_string_equal(plan.files[0].path + plan.files[0].words, rows[i].words);
        smcr_plan_deinit(&plan);
    }
}

static void existing_file_with_colons_in_its_name_is_a_file(void **state)
{
    (void)state;
    expect_files("odd::g.lua", "odd::g.lua");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folder_gives_its_lua_files_sorted_without_hidden_ones),
        cmocka_unit_test(arguments_keep_their_order),
        cmocka_unit_test(file_reached_twice_runs_once),
        cmocka_unit_test(quoted_glob_is_expanded),
        cmocka_unit_test(what_cannot_run_is_refused_by_name),
        cmocka_unit_test(empty_folder_adds_nothing),
        cmocka_unit_test(id_selects_its_spec_and_those_below),
        cmocka_unit_test(line_selects_what_stands_there),
        cmocka_unit_test(where_the_tree_lies_has_no_meaning),
        cmocka_unit_test(existing_file_with_colons_in_its_name_is_a_file),
    };
    return cmocka_run_group_tests_name("discover", tests, make_tree, remove_tree);
}
