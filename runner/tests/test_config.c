#include "options/config.h"
#include "options/options_priv.h"

#include "command_line.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the file by itself --------------------------------------------------------- */

static void must_read(smcr_config_t *config, const char *text)
{
    smc_error_t err = {0};
    *config = (smcr_config_t){0};
    if (smcr_config_read(config, text, strlen(text), "up/smcrun.lua", "up/", &err) != SMC_OK)
        fail_msg("%s: %s", text, err.detail);
}

static void expect_error(const char *text, const char *detail)
{
    smcr_config_t config = {0};
    smc_error_t err = {0};
    assert_int_not_equal(smcr_config_read(&config, text, strlen(text), "s.lua", "", &err), SMC_OK);
    assert_string_equal(err.detail, detail);
    smcr_config_deinit(&config);
}

static void assignments_are_settings_with_their_lines(void **state)
{
    smcr_config_t c;
    (void)state;
    must_read(&c, "\xEF\xBB\xBF-- ours\r\nlocal n = 2\r\njobs = n * 2\nhang_after = 7.5\n"
                  "require = { \"binance\", \"oanda\" }\nquiet = false\n");
    assert_int_equal(c.count, 4);
    assert_string_equal(c.items[0].values[0], "4");
    assert_string_equal(c.items[0].source, "up/smcrun.lua:3");
    assert_string_equal(c.items[1].values[0], "7.5");
    assert_int_equal(c.items[2].n_values, 2);
    assert_string_equal(c.items[2].values[1], "oanda");
    assert_int_equal(c.items[3].n_values, 0);
    smcr_config_deinit(&c);
}

static void names_of_files_are_seen_from_the_folder_of_the_file(void **state)
{
    static const char *const wanted[] = {"up/e", "/s", "tap", "junit:up/x/y.xml", "json:/z"};
    smcr_config_t c;
    (void)state;
    must_read(&c, "env_file = 'e' state_dir = '/s' report = { 'tap', 'junit:x/y.xml', 'json:/z' }");
    assert_string_equal(c.items[0].values[0], wanted[0]);
    assert_string_equal(c.items[1].values[0], wanted[1]);
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(c.items[2].values[i], wanted[2 + i]);
    smcr_config_deinit(&c);
}

static void mistakes_are_named_with_their_line(void **state)
{
    (void)state;
    expect_error("\njbos = 1", "s.lua:2: unknown key 'jbos'; did you mean 'jobs'?");
    expect_error("frobnicate = 1", "s.lua:1: unknown key 'frobnicate'");
    expect_error("list = true", "s.lua:1: unknown key 'list'; only a command line gives --list");
    expect_error("allow_process = true",
                 "s.lua:1: unknown key 'allow_process'; only a command line gives --allow-process");
    expect_error("jobs = 1\njobs = 2", "s.lua:2: jobs is set twice, first at s.lua:1");
    expect_error("quiet = 1", "s.lua:1: quiet wants true or false, not a number");
    expect_error("jobs = true", "s.lua:1: jobs wants a text or a number, not a boolean");
    expect_error("jobs = { 1 }", "s.lua:1: jobs wants a text or a number, not a table");
    expect_error("require = { a = 1 }", "s.lua:1: require wants a list of texts, not a table");
    expect_error("require = {}", "s.lua:1: require wants a list of texts, not a table");
    expect_error("env_file = 'a\\0b'", "s.lua:1: env_file: a NUL byte cannot be part of a value");
    expect_error("jobs =\n", "s.lua:2: unexpected symbol near <eof>");
    expect_error("return { jobs = 1 }", "s.lua: it returns a table, but nothing is returned there: "
                                        "write jobs = 4");
}

static void file_can_do_nothing_and_ends(void **state)
{
    (void)state;
    expect_error("print 'x'", "s.lua:1: there is no 'print' here: a configuration has its own "
                              "locals, and no more");
    expect_error("jobs = ('4'):rep(2)", "s.lua:1: attempt to index a string value (constant '4')");
    expect_error("\nwhile true do end",
                 "s.lua:2: it does not end: a configuration assigns values, and no more");
    expect_error("local s = 'x' for i = 1, 24 do s = s .. s end",
                 "s.lua: it wants more memory than it may have");
    expect_error("\x1bLua", "attempt to load a binary chunk (mode is 't')");
}

static void every_key_has_a_default_that_is_a_line_of_a_file(void **state)
{
    size_t n = 0;
    (void)state;
    for (const smcr_option_group_t *const *g = smcr_option_groups; *g != NULL; g++)
        for (size_t i = 0; i < (*g)->n; i++) {
            const smcr_option_t *option = &(*g)->options[i];
            smcr_config_t c;
            if ((option->commands & CONF) == 0)
                continue;
            const char *wanted = smcr_config_default(option);
            if (wanted == NULL)
                fail_msg("%s has no default", option->name);
            must_read(&c, wanted);
            assert_true(c.count <= 1);
            if (c.count == 1)
                assert_ptr_equal(c.items[0].option, option);
            smcr_config_deinit(&c);
            n++;
        }
    assert_true(n > 0 && n <= SMCR_MAX_KEYS);
}

/* ---- with flags and the environment ------------------------------------------------ */

static char top[64];

static void put(const char *path, const char *text)
{
    FILE *out = fopen(path, "we");
    assert_non_null(out);
    assert_true(fputs(text, out) >= 0);
    assert_int_equal(fclose(out), 0);
}

/* top/: no repository, smcrun.lua; top/repo/: one, smcrun.lua; top/repo/a/b/: nothing. */
static int make_folders(void **state)
{
    (void)state;
    (void)snprintf(top, sizeof(top), "/tmp/smcrun-config-XXXXXX");
    if (mkdtemp(top) == NULL || chdir(top) != 0)
        return -1;
    put("smcrun.lua", "timeout = 1\n");
    return mkdir("repo", 0700) | mkdir("repo/.git", 0700) | mkdir("repo/a", 0700) |
           mkdir("repo/a/b", 0700) | mkdir("alone", 0700);
}

static int remove_folders(void **state)
{
    char command[128];
    (void)state;
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", top);
    return chdir("/") | system(command);
}

static void go(const char *folder)
{
    assert_int_equal(chdir(top), 0);
    assert_int_equal(chdir(folder), 0);
}

static void refuses(const char *text, const char *detail)
{
    smcr_options_t o;
    smc_error_t err = {0};
    assert_int_not_equal(parse(text, &o, &err), SMC_OK);
    assert_string_equal(err.detail, detail);
    smcr_options_deinit(&o);
}

static const char *unused(const smcr_options_t *o, size_t i)
{
    assert_true(i < o->config.count);
    return o->config.items[i].unused == NULL ? "" : o->config.items[i].unused;
}

static void flag_wins_over_environment_over_file(void **state)
{
    (void)state;
    go("repo");
    put("smcrun.lua", "jobs = 3 timeout = 4 memory = 5 require = { 'a', 'b' }\n");
    assert_int_equal(setenv("SMCRUN_TIMEOUT", "6", 1), 0);
    assert_int_equal(setenv("SMCRUN_REQUIRE", "c,d,e", 1), 0);
    assert_int_equal(setenv("SMCRUN_MEMORY", "", 1), 0);
    smcr_options_t o = must_parse("-j 7 x");
    assert_int_equal(o.jobs, 7);
    assert_true(o.timeout_s == 6);
    assert_int_equal(o.memory_mib, 5);
    assert_int_equal(o.n_required, 3);
    assert_string_equal(o.required[2], "e");
    smcr_options_deinit(&o);
    o = must_parse("--no-config --require f x");
    assert_int_equal(o.jobs, 0);
    assert_true(o.timeout_s == 6);
    assert_int_equal(o.n_required, 1);
    smcr_options_deinit(&o);
    assert_int_equal(unsetenv("SMCRUN_TIMEOUT"), 0);
    assert_int_equal(unsetenv("SMCRUN_REQUIRE"), 0);
    assert_int_equal(unsetenv("SMCRUN_MEMORY"), 0);
}

static void file_is_looked_for_up_to_the_root_of_the_repository(void **state)
{
    smcr_options_t o;
    (void)state;
    go("repo");
    put("smcrun.lua", "timeout = 2 transcripts = 't'\n");
    go("repo/a/b");
    o = must_parse("x");
    assert_true(o.timeout_s == 2);
    assert_string_equal(o.config.path, "../../smcrun.lua");
    assert_string_equal(o.transcripts, "../../t");
    smcr_options_deinit(&o);
    assert_int_equal(unlink("../../smcrun.lua"), 0);
    o = must_parse("x"); /* the one above the repository is somebody else's */
    assert_true(o.timeout_s == SMCR_TIMEOUT_S);
    assert_null(o.config.path);
    smcr_options_deinit(&o);
    go("alone");
    o = must_parse("x");
    assert_true(o.timeout_s == SMCR_TIMEOUT_S);
    smcr_options_deinit(&o);
    o = must_parse("--config ../smcrun.lua x");
    assert_true(o.timeout_s == 1);
    smcr_options_deinit(&o);
    refuses("--config none.lua x", "cannot read 'none.lua': No such file or directory");
    refuses("--config none.lua --no-config x",
            "--config and --no-config contradict each other: drop one");
}

static void contradicted_setting_is_not_used_and_says_why(void **state)
{
    smcr_options_t o;
    (void)state;
    go("repo");
    put("smcrun.lua", "state_dir = 's' verbose = true transcripts = 't' target = 'testnet'\n");
    o = must_parse("-q x");
    assert_true(o.quiet && !o.verbose && o.target == SMCR_TESTNET);
    assert_string_equal(o.state_dir, "s"); /* though its target stands behind it */
    assert_string_equal(unused(&o, 1), "-v and -q contradict each other: drop one");
    smcr_options_deinit(&o);
    o = must_parse("--target sandbox x");
    assert_true(o.verbose && o.target == SMCR_SANDBOX && o.state_dir == NULL);
    assert_string_equal(unused(&o, 3), "--target wins");
    smcr_options_deinit(&o);
    o = must_parse("--list x");
    assert_null(o.transcripts);
    smcr_options_deinit(&o);
    o = must_parse("--clock virtual x");
    assert_int_equal(o.target, SMCR_SANDBOX);
    smcr_options_deinit(&o);
    assert_int_equal(setenv("SMCRUN_VERBOSE", "0", 1), 0);
    o = must_parse("x");
    assert_false(o.verbose);
    smcr_options_deinit(&o);
    assert_int_equal(unsetenv("SMCRUN_VERBOSE"), 0);
}

static void command_takes_what_it_has_an_option_for(void **state)
{
    smcr_options_t o;
    (void)state;
    go("repo");
    put("smcrun.lua", "jobs = 3 clock = 'real'\n");
    o = must_parse("prove x");
    assert_int_equal(o.jobs, 3);
    assert_int_equal(o.clock, SMCR_CLOCK_VIRTUAL);
    assert_string_equal(unused(&o, 1), "this command has no such option");
    smcr_options_deinit(&o);
    put("smcrun.lua", "jbos = 3\n");
    o = must_parse("serve"); /* told by its flags alone */
    assert_int_equal(o.config.count, 0);
    smcr_options_deinit(&o);
    o = must_parse("--help");
    smcr_options_deinit(&o);
}

static void wrong_values_are_named_with_their_source(void **state)
{
    (void)state;
    go("repo");
    put("smcrun.lua", "\njobs = 'many'\n");
    refuses("x", "smcrun.lua:2: jobs wants a number of workers from 1 to 1024, not 'many'");
    assert_int_equal(setenv("SMCRUN_JOBS", "0", 1), 0);
    refuses("x", "SMCRUN_JOBS wants a number of workers from 1 to 1024, not '0'");
    assert_int_equal(unsetenv("SMCRUN_JOBS"), 0);
    assert_int_equal(setenv("SMCRUN_QUIET", "yes", 1), 0);
    refuses("x", "SMCRUN_QUIET wants 1 or 0, not 'yes'");
    assert_int_equal(unsetenv("SMCRUN_QUIET"), 0);
    assert_int_equal(setenv("SMCRUN_HANG_AFTR", "1", 1), 0);
    refuses("x", "unknown variable 'SMCRUN_HANG_AFTR' in the environment; did you mean "
                 "'SMCRUN_HANG_AFTER'?");
    assert_int_equal(unsetenv("SMCRUN_HANG_AFTR"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(assignments_are_settings_with_their_lines),
        cmocka_unit_test(names_of_files_are_seen_from_the_folder_of_the_file),
        cmocka_unit_test(mistakes_are_named_with_their_line),
        cmocka_unit_test(file_can_do_nothing_and_ends),
        cmocka_unit_test(every_key_has_a_default_that_is_a_line_of_a_file),
        cmocka_unit_test(flag_wins_over_environment_over_file),
        cmocka_unit_test(file_is_looked_for_up_to_the_root_of_the_repository),
        cmocka_unit_test(contradicted_setting_is_not_used_and_says_why),
        cmocka_unit_test(command_takes_what_it_has_an_option_for),
        cmocka_unit_test(wrong_values_are_named_with_their_source),
    };
    return cmocka_run_group_tests(tests, make_folders, remove_folders);
}
