#include "report/json_strings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static smc_code_t in_brackets(void *ud, const char *text, size_t n, smc_buf_t *out)
{
    (*(int *)ud)++;
    (void)smc_buf_putc(out, '<');
    (void)smc_buf_append(out, text, n);
    return smc_buf_putc(out, '>');
}

static smc_code_t refuse(void *ud, const char *text, size_t n, smc_buf_t *out)
{
    (void)ud, (void)text, (void)n, (void)out;
    return SMC_EINVAL;
}

static void expect(const char *json, const char *wanted, int strings)
{
    smc_buf_t out = {0};
    int n = 0;
    assert_int_equal(smcr_map_strings(json, strlen(json), in_brackets, &n, &out), SMC_OK);
    assert_int_equal(out.len, strlen(wanted));
    assert_memory_equal(out.len == 0 ? "" : out.data, wanted, out.len);
    assert_int_equal(n, strings);
    smc_buf_deinit(&out);
}

static void strings_change_and_nothing_else_does(void **state)
{
    (void)state;
    expect("", "", 0);
    expect("[1234,true]", "[1234,true]", 0);
    expect("{\"at\":[1234],\"of\":\"1234\"}", "{\"at\":[1234],\"of\":\"<1234>\"}", 1);
    expect("[\"a\",\"\"]", "[\"<a>\",\"<>\"]", 2);
    expect("[\"a\\\"b\\\\\",\"c\"]", "[\"<a\\\"b\\\\>\",\"<c>\"]", 2);
}

static void a_text_that_ends_early_is_no_danger(void **state)
{
    (void)state;
    expect("\"", "\"", 0);
    expect("[\"ab", "[\"<ab>", 1);
    expect("[\"ab\\", "[\"<ab\\>", 1);
    expect("[\"ab\"", "[\"<ab>\"", 1);
}

static void a_failure_is_passed_on(void **state)
{
    smc_buf_t out = {0};
    (void)state;
    assert_int_equal(smcr_map_strings("[\"a\"]", 5, refuse, NULL, &out), SMC_EINVAL);
    smc_buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_change_and_nothing_else_does),
        cmocka_unit_test(a_text_that_ends_early_is_no_danger),
        cmocka_unit_test(a_failure_is_passed_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
