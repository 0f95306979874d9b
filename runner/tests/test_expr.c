#include "select/expr.h"

#include "smc/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool matches(const char *text, const char *id, const char *tags)
{
    smcr_expr_t *e = NULL;
    smc_error_t err = {0};
    if (smcr_expr_parse(text, &e, &err) != SMC_OK)
        fail_msg("%s: %s", text, err.detail);
    bool result = smcr_expr_matches(e, id, tags);
    smcr_expr_free(e);
    return result;
}

static void expect_error(const char *text, const char *detail)
{
    smcr_expr_t *e = NULL;
    smc_error_t err = {0};
    assert_int_equal(smcr_expr_parse(text, &e, &err), SMC_EPARSE);
    assert_null(e);
    if (strstr(err.detail, detail) != err.detail)
        fail_msg("%s: '%s' does not begin with '%s'", text, err.detail, detail);
}

static void word_matches_part_of_id_whatever_the_case(void **state)
{
    (void)state;
    assert_true(matches("FailOver", "a/failover.lua::walks", NULL));
    assert_true(matches("walks", "a/failover.lua::Walks down", NULL));
    assert_false(matches("walked", "a/failover.lua::walks", NULL));
    assert_true(matches("s", "a.lua::ends in s", NULL));
    assert_false(matches("abc", "ab", NULL));
}

static void word_matches_part_of_a_tag(void **state)
{
    (void)state;
    assert_true(matches("slow", "x.lua::a", "fast,slow"));
    assert_true(matches("fast", "x.lua::a", "fast,slow"));
    assert_true(matches("slo", "x.lua::a", "fast,slow"));
    assert_true(matches("Slow", "x.lua::a", "slow"));
    assert_false(matches("fast,slow", "x.lua::a", "fast,slow"));
    assert_false(matches("slowly", "x.lua::a", "fast,slow"));
}

static void word_with_a_hash_looks_at_tags_only(void **state)
{
    (void)state;
    assert_true(matches("#slow", "x.lua::a", "slow"));
    assert_false(matches("#slo", "x.lua::a", "slow"));
    assert_false(matches("#Slow", "x.lua::a", "slow"));
    assert_false(matches("#slow", "x.lua::a slow one", ""));
    assert_false(matches("#slow", "x.lua::a slow one", NULL));
}

static void and_binds_tighter_than_or(void **state)
{
    (void)state;
    assert_true(matches("a or b and c", "a", NULL));
    assert_false(matches("(a or b) and c", "a", NULL));
    assert_true(matches("(a or b) and c", "bc", NULL));
    assert_true(matches("b and c or a", "a", NULL));
}

static void not_binds_tightest(void **state)
{
    (void)state;
    assert_true(matches("not a or b", "b", NULL));
    assert_false(matches("not (a or b)", "b", NULL));
    assert_true(matches("not not a", "a", NULL));
    assert_true(matches("not not not a", "b", NULL));
    assert_true(matches("a and not b", "a", NULL));
}

static void quoted_text_may_hold_blanks_and_keywords(void **state)
{
    (void)state;
    assert_true(matches("'walks down'", "walks down", NULL));
    assert_false(matches("'walks down'", "walks  down", NULL));
    assert_true(matches("\"and\"", "this and that", NULL));
    assert_true(matches("\"it's\" and 'say \"x\"'", "it's; say \"x\"", NULL));
}

static void parentheses_need_no_blanks(void **state)
{
    (void)state;
    assert_true(matches("(a)and(b)", "ab", NULL));
    assert_true(matches(" ( ( a ) ) ", "a", NULL));
    assert_true(matches("android", "Android phone", NULL));
    assert_true(matches("notable or orders", "notable", NULL));
}

static void errors_point_at_the_column(void **state)
{
    (void)state;
    expect_error("", "column 1: a word is missing at the end");
    expect_error("a and", "column 6: a word is missing at the end");
    expect_error("and a", "column 1: a word is missing before 'and'");
    expect_error("a or or b", "column 6: a word is missing before 'or'");
    expect_error("a b", "column 3: between two words goes 'and' or 'or'");
    expect_error("(a or b", "column 1: this ( is not closed");
    expect_error("a and (b c)", "column 7: this ( is not closed; between");
    expect_error("a)", "column 2: this ) was never opened");
    expect_error("()", "column 2: a word is missing before this )");
    expect_error("not", "column 4: 'not' wants a word");
    expect_error("a and 'b", "column 7: the ' has no partner");
    expect_error("''", "column 1: an empty text");
    expect_error("a or #", "column 6: a # wants");
}

static void nesting_and_length_are_bounded(void **state)
{
    (void)state;
    char deep[1024];
    memset(deep, '(', sizeof(deep) - 1);
    deep[sizeof(deep) - 1] = '\0';
    expect_error(deep, "column 101: nested too deep");

    enum { TERMS = 5000 };
    smc_buf_t longest = {0};
    for (size_t i = 0; i < TERMS; i++)
        assert_int_equal(smc_buf_puts(&longest, "a and "), SMC_OK);
    assert_int_equal(smc_buf_puts(&longest, "a"), SMC_OK);
    smcr_expr_t *e = NULL;
    smc_error_t err = {0};
    assert_int_equal(smcr_expr_parse(longest.data, &e, &err), SMC_EPARSE);
    assert_non_null(strstr(err.detail, "too long"));
    smc_buf_deinit(&longest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(word_matches_part_of_id_whatever_the_case),
        cmocka_unit_test(word_matches_part_of_a_tag),
        cmocka_unit_test(word_with_a_hash_looks_at_tags_only),
        cmocka_unit_test(and_binds_tighter_than_or),
        cmocka_unit_test(not_binds_tightest),
        cmocka_unit_test(quoted_text_may_hold_blanks_and_keywords),
        cmocka_unit_test(parentheses_need_no_blanks),
        cmocka_unit_test(errors_point_at_the_column),
        cmocka_unit_test(nesting_and_length_are_bounded),
    };
    return cmocka_run_group_tests_name("expr", tests, NULL, NULL);
}
