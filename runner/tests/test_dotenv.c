#include "keys/dotenv.h"

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

static void parse(smcr_env_t *env, const char *text)
{
    smc_error_t err = {0};
    *env = (smcr_env_t){0};
    if (smcr_env_parse(env, text, strlen(text), &err) != SMC_OK)
        fail_msg("%s: %s", text, err.detail);
}

static void must_give(const char *text, const char *name, const char *value)
{
    smcr_env_t env;
    parse(&env, text);
    const char *got = smcr_env_get(&env, name);
    assert_non_null(got);
    assert_string_equal(got, value);
    smcr_env_deinit(&env);
}

static void expect_error(const char *text, size_t n, const char *detail)
{
    smcr_env_t env = {0};
    smc_error_t err = {0};
    assert_int_equal(smcr_env_parse(&env, text, n, &err), SMC_EPARSE);
    assert_string_equal(err.detail, detail);
    smcr_env_deinit(&env);
}

static void bare_values_are_trimmed_and_end_at_a_comment(void **state)
{
    (void)state;
    must_give("A=b", "A", "b");
    must_give("  A = b c  \n", "A", "b c");
    must_give("A=b # note", "A", "b");
    must_give("A=b#c", "A", "b#c");
    must_give("A=#c", "A", "");
    must_give("A=", "A", "");
    must_give("A=it's \"x\"", "A", "it's \"x\"");
    must_give("A=a=b=c", "A", "a=b=c");
}

static void quoted_values_keep_blanks_and_hashes(void **state)
{
    (void)state;
    must_give("A=' b # c '", "A", " b # c ");
    must_give("A='b\\n'", "A", "b\\n");
    must_give("A=\"b # c\" # note", "A", "b # c");
    must_give("A=\"a\\nb\\t\\\"\\\\\\$X\"", "A", "a\nb\t\"\\$X");
    must_give("A=''", "A", "");
}

static void nothing_is_expanded(void **state)
{
    (void)state;
    must_give("A=$HOME", "A", "$HOME");
    must_give("A=\"${HOME} `x`\"", "A", "${HOME} `x`");
}

static void export_comments_crlf_and_byte_order_mark_are_understood(void **state)
{
    (void)state;
    must_give("\xEF\xBB\xBF# first\r\n\r\nexport A=b\r\nC='d'\r\n", "A", "b");
    must_give("\xEF\xBB\xBF# first\r\n\r\nexport A=b\r\nC='d'\r\n", "C", "d");
    must_give("export=x", "export", "x");
    must_give("exported=x", "exported", "x");
}

static void later_line_of_a_name_wins(void **state)
{
    (void)state;
    smcr_env_t env;
    parse(&env, "A=1\nB=2\nA=3\n");
    assert_int_equal(env.count, 2);
    assert_string_equal(smcr_env_get(&env, "A"), "3");
    assert_null(smcr_env_get(&env, "C"));
    smcr_env_deinit(&env);
}

static void wrong_lines_are_named_by_number_and_show_no_value(void **state)
{
    (void)state;
#define EXPECT(text, detail) expect_error(text, sizeof(text) - 1, detail)
    EXPECT("A=1\nsecret", "line 2: KEY=value was expected");
    EXPECT("=secret", "line 1: a name of letters, digits and _ is missing before the =");
    EXPECT("1A=x", "line 1: a name of letters, digits and _ is missing before the =");
    EXPECT("A-B=x", "line 1: KEY=value was expected");
    EXPECT("\n\nA='x", "line 3: the ' is not closed on its line");
    EXPECT("A=\"x\n\"", "line 1: the \" is not closed on its line");
    EXPECT("A='x' y", "line 1: only a comment may follow the closing quote");
    EXPECT("A=\"\\q\"", "line 1: behind a \\ in \"...\" goes one of n r t \" \\ $; or use '...'");
    EXPECT("A=x\0y", "line 1: a NUL byte cannot be part of a value");
    EXPECT("export ", "line 1: KEY=value was expected");
#undef EXPECT
}

static void environment_wins_over_the_file(void **state)
{
    (void)state;
    smcr_env_t env;
    smc_error_t err = {0};
    char *outside[] = {"MINE=new",      "OTHER=x", "BINANCE_TESTNET_API_KEY=k",
                       "BINANCEISH=no", "broken",  NULL};
    parse(&env, "MINE=old\nKEPT=1\n");
    assert_int_equal(smcr_env_overlay(&env, outside, &err), SMC_OK);
    assert_string_equal(smcr_env_get(&env, "MINE"), "new");
    assert_string_equal(smcr_env_get(&env, "KEPT"), "1");
    assert_string_equal(smcr_env_get(&env, "BINANCE_TESTNET_API_KEY"), "k");
    assert_null(smcr_env_get(&env, "OTHER"));
    assert_null(smcr_env_get(&env, "BINANCEISH"));
    smcr_env_deinit(&env);
}

static void file_is_loaded_and_its_exposure_told(void **state)
{
    (void)state;
    char path[] = "/tmp/smcr_env_XXXXXX";
    smcr_env_t env = {0};
    smc_error_t err = {0};
    bool exposed = true;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "A=b\n", 4), 4);
    assert_int_equal(close(fd), 0);

    assert_int_equal(smcr_env_load(&env, path, &exposed, &err), SMC_OK);
    assert_string_equal(smcr_env_get(&env, "A"), "b");
    assert_false(exposed);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(smcr_env_load(&env, path, &exposed, &err), SMC_OK);
    assert_true(exposed);
    smcr_env_deinit(&env);

    assert_int_equal(truncate(path, (1 << 20) + 1), 0);
    assert_int_equal(smcr_env_load(&env, path, &exposed, &err), SMC_ETOOBIG);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(smcr_env_load(&env, path, &exposed, &err), SMC_ESYS);
    assert_int_equal(smcr_env_load(&env, "/tmp", &exposed, &err), SMC_ESYS);
    assert_int_equal(env.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bare_values_are_trimmed_and_end_at_a_comment),
        cmocka_unit_test(quoted_values_keep_blanks_and_hashes),
        cmocka_unit_test(nothing_is_expanded),
        cmocka_unit_test(export_comments_crlf_and_byte_order_mark_are_understood),
        cmocka_unit_test(later_line_of_a_name_wins),
        cmocka_unit_test(wrong_lines_are_named_by_number_and_show_no_value),
        cmocka_unit_test(environment_wins_over_the_file),
        cmocka_unit_test(file_is_loaded_and_its_exposure_told),
    };
    return cmocka_run_group_tests_name("dotenv", tests, NULL, NULL);
}
