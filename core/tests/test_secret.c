/* Secrets: kept, compared, and gone from memory and dumps. */
#include "smc/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void a_secret_keeps_a_copy_with_a_nul_behind_it(void **state)
{
    char mine[] = "top\0secret";
    smc_secret_t *s = NULL;
    const char *bytes;
    size_t n = 0;

    (void)state;
    assert_int_equal(SMC_OK, smc_secret_new(mine, 10, &s, NULL));
    smc_wipe(mine, sizeof(mine));
    assert_memory_equal("\0\0\0\0\0\0\0\0\0\0", mine, 10);
    bytes = smc_secret_borrow(s, &n);
    assert_int_equal(10, n);
    assert_memory_equal("top\0secret", bytes, 11);
    smc_secret_free(s);
    smc_secret_free(NULL);
}

static void a_secret_may_span_pages(void **state)
{
    static char big[10000];
    smc_secret_t *s = NULL;

    (void)state;
    memset(big, 'k', sizeof(big));
    assert_int_equal(SMC_OK, smc_secret_new(big, sizeof(big), &s, NULL));
    assert_true(smc_secret_equal(s, big, sizeof(big)));
    smc_secret_free(s);
}

static void an_empty_secret_is_refused(void **state)
{
    smc_secret_t *s = NULL;
    smc_error_t err = {0};

    (void)state;
    assert_int_equal(SMC_EINVAL, smc_secret_new("", 0, &s, &err));
    assert_int_equal(SMC_EINVAL, err.code);
    assert_string_equal("secret.new", err.op);
    assert_int_equal(SMC_EINVAL, smc_secret_random(0, &s, NULL));
    assert_null(s);
}

static void equality_sees_every_byte_and_the_length(void **state)
{
    smc_secret_t *s = NULL;

    (void)state;
    assert_int_equal(SMC_OK, smc_secret_new("abcd", 4, &s, NULL));
    assert_true(smc_secret_equal(s, "abcd", 4));
    assert_false(smc_secret_equal(s, "abce", 4));
    assert_false(smc_secret_equal(s, "bbcd", 4));
    assert_false(smc_secret_equal(s, "abc", 3));
    assert_false(smc_secret_equal(s, "abcd\0", 5));
    smc_secret_free(s);
}

static void random_secrets_are_alphanumeric_and_differ(void **state)
{
    smc_secret_t *a = NULL;
    smc_secret_t *b = NULL;
    const char *bytes;
    size_t n = 0;

    (void)state;
    assert_int_equal(SMC_OK, smc_secret_random(64, &a, NULL));
    assert_int_equal(SMC_OK, smc_secret_random(64, &b, NULL));
    bytes = smc_secret_borrow(a, &n);
    assert_int_equal(64, n);
    assert_int_equal(64, strspn(bytes, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                       "0123456789"));
    assert_false(smc_secret_equal(b, bytes, n));
    smc_secret_free(a);
    smc_secret_free(b);
}

/* The kernel says "dd" (do not dump) in VmFlags of the mapping that holds the bytes. */
static void the_pages_of_a_secret_stay_out_of_core_dumps(void **state)
{
    smc_secret_t *s = NULL;
    FILE *f = fopen("/proc/self/smaps", "r");
    char line[512];
    bool mine = false;
    bool left_out = false;
    uintptr_t at;

    (void)state;
    if (f == NULL)
        skip();
    (void)fclose(f);
    assert_int_equal(SMC_OK, smc_secret_new("abcd", 4, &s, NULL));
    at = (uintptr_t)smc_secret_borrow(s, NULL);
    f = fopen("/proc/self/smaps", "r");
    assert_non_null(f);
    while (fgets(line, sizeof(line), f) != NULL) {
        uintmax_t from = 0;
        uintmax_t to = 0;

        if (sscanf(line, "%jx-%jx ", &from, &to) == 2) /* NOLINT(cert-err34-c) */
            mine = from <= at && at < to;
        if (mine && strncmp(line, "VmFlags:", 8) == 0)
            left_out = strstr(line, " dd") != NULL;
    }
    (void)fclose(f);
    smc_secret_free(s);
    assert_true(left_out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_secret_keeps_a_copy_with_a_nul_behind_it),
        cmocka_unit_test(a_secret_may_span_pages),
        cmocka_unit_test(an_empty_secret_is_refused),
        cmocka_unit_test(equality_sees_every_byte_and_the_length),
        cmocka_unit_test(random_secrets_are_alphanumeric_and_differ),
        cmocka_unit_test(the_pages_of_a_secret_stay_out_of_core_dumps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
