/* The error vocabulary: every code has its columns, and details are bounded. */
#include "smc/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void every_code_has_a_text_of_its_own(void **state)
{
    (void)state;
    for (int a = 0; a < SMC_CODE_COUNT; a++) {
        assert_true(strlen(smc_code_text((smc_code_t)a)) > 0);
        for (int b = 0; b < a; b++)
            assert_string_not_equal(smc_code_text((smc_code_t)a), smc_code_text((smc_code_t)b));
    }
    assert_string_equal("ok", smc_code_text(SMC_OK));
    assert_string_equal("bad_key", smc_code_text(SMC_EKEY));
}

static void every_class_is_one_that_scripts_know(void **state)
{
    static const char known[] =
        " ok network timeout server rate_limit ip_ban auth permission clock_skew invalid_request "
        "filter insufficient_funds unknown_order duplicate_order market_closed unknown_outcome "
        "protocol circuit_open no_venue cancelled ";

    (void)state;
    for (int code = 0; code < SMC_CODE_COUNT; code++) {
        char word[64];

        (void)snprintf(word, sizeof(word), " %s ", smc_code_class((smc_code_t)code));
        if (strstr(known, word) == NULL)
            fail_msg("unknown class%s", word);
    }
}

/* Only what certainly had no effect may be sent again unseen. */
static void only_failures_before_sending_are_retryable(void **state)
{
    (void)state;
    for (int code = 0; code < SMC_CODE_COUNT; code++) {
        int want = code == SMC_EDNS || code == SMC_ECONN || code == SMC_EAGAIN;

        assert_int_equal(want, smc_code_retryable((smc_code_t)code));
    }
}

static void fail_fills_the_error_and_returns_the_code(void **state)
{
    smc_error_t err = {0};

    (void)state;
    assert_int_equal(SMC_ECONN,
                     smc_fail(&err, SMC_ECONN, "tcp.connect", 111, "%s:%u", "host", 80u));
    assert_int_equal(SMC_ECONN, err.code);
    assert_int_equal(111, err.sys);
    assert_string_equal("tcp.connect", err.op);
    assert_string_equal("host:80", err.detail);
    assert_int_equal(SMC_ENOMEM, smc_fail(NULL, SMC_ENOMEM, "x", 0, "nobody reads this"));
}

static void a_long_detail_is_cut_and_ends(void **state)
{
    smc_error_t err;
    char longer[2 * sizeof(err.detail)];

    (void)state;
    memset(longer, 'x', sizeof(longer));
    longer[sizeof(longer) - 1] = '\0';
    (void)smc_fail(&err, SMC_EINVAL, "x", 0, "%s", longer);
    assert_int_equal(sizeof(err.detail) - 1, strlen(err.detail));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_has_a_text_of_its_own),
        cmocka_unit_test(every_class_is_one_that_scripts_know),
        cmocka_unit_test(only_failures_before_sending_are_retryable),
        cmocka_unit_test(fail_fills_the_error_and_returns_the_code),
        cmocka_unit_test(a_long_detail_is_cut_and_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
