/* The byte buffer: growth, its NUL, and failure that sticks. */
#include "smc/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void appends_follow_each_other_and_end_with_a_nul(void **state)
{
    smc_buf_t b = {0};

    (void)state;
    assert_int_equal(SMC_OK, smc_buf_puts(&b, "GET "));
    assert_int_equal(SMC_OK, smc_buf_putc(&b, '/'));
    assert_int_equal(SMC_OK, smc_buf_append(&b, "a\0b", 3));
    assert_int_equal(SMC_OK, smc_buf_printf(&b, "?n=%d", 42));
    assert_int_equal(13, b.len);
    assert_memory_equal("GET /a\0b?n=42", b.data, 14);
    smc_buf_deinit(&b);
    assert_null(b.data);
    smc_buf_deinit(NULL);
}

static void it_grows_through_every_length(void **state)
{
    smc_buf_t b = {0};

    (void)state;
    for (size_t i = 0; i < 5000; i++) {
        assert_int_equal(SMC_OK, smc_buf_putc(&b, (char)('a' + i % 26)));
        assert_int_equal(i + 1, b.len);
        assert_true(b.cap > b.len);
        assert_int_equal('\0', b.data[b.len]);
    }
    for (size_t i = 0; i < 5000; i++)
        assert_int_equal('a' + i % 26, b.data[i]);
    smc_buf_deinit(&b);
}

static void integers_are_written_in_decimal(void **state)
{
    static const int64_t values[] = {0, 7, -7, 10, 1234567890, INT64_MAX, INT64_MIN};
    char expected[32];

    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        smc_buf_t b = {0};

        (void)snprintf(expected, sizeof(expected), "%lld", (long long)values[i]);
        assert_int_equal(SMC_OK, smc_buf_put_int(&b, values[i]));
        assert_string_equal(expected, b.data);
        assert_int_equal(strlen(expected), b.len);
        smc_buf_deinit(&b);
    }
}

static void printf_longer_than_the_room_is_whole(void **state)
{
    smc_buf_t b = {0};

    (void)state;
    assert_int_equal(SMC_OK, smc_buf_printf(&b, "%0*d", 1000, 7));
    assert_int_equal(1000, b.len);
    assert_int_equal(1000, strlen(b.data));
    assert_int_equal('7', b.data[999]);
    smc_buf_deinit(&b);
}

static void consuming_moves_the_rest_to_the_front(void **state)
{
    smc_buf_t b = {0};

    (void)state;
    smc_buf_consume(&b, 0);
    assert_int_equal(SMC_OK, smc_buf_puts(&b, "abcdef"));
    smc_buf_consume(&b, 4);
    assert_string_equal("ef", b.data);
    smc_buf_consume(&b, 2);
    assert_string_equal("", b.data);
    assert_int_equal(0, b.len);
    smc_buf_deinit(&b);
}

static void taking_hands_the_bytes_over(void **state)
{
    smc_buf_t b = {0};
    size_t n = 9;
    char *mine;

    (void)state;
    assert_null(smc_buf_take(&b, &n));
    assert_int_equal(0, n);
    assert_int_equal(SMC_OK, smc_buf_puts(&b, "mine"));
    mine = smc_buf_take(&b, &n);
    assert_int_equal(4, n);
    assert_string_equal("mine", mine);
    assert_null(b.data);
    assert_int_equal(0, b.len);
    free(mine);
}

static void a_failed_append_keeps_the_contents_and_sticks(void **state)
{
    smc_buf_t b = {0};

    (void)state;
    assert_int_equal(SMC_OK, smc_buf_puts(&b, "kept"));
    assert_int_equal(SMC_ENOMEM, smc_buf_reserve(&b, SIZE_MAX / 2));
    volatile size_t absurd = SIZE_MAX - 2; /* the compiler would complain of it */
    assert_int_equal(SMC_ENOMEM, smc_buf_append(&b, "", absurd));
    assert_string_equal("kept", b.data);
    assert_true(b.failed);
    assert_int_equal(SMC_OK, smc_buf_puts(&b, "!"));
    assert_true(b.failed);
    smc_buf_clear(&b);
    assert_false(b.failed);
    assert_string_equal("", b.data);
    smc_buf_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_follow_each_other_and_end_with_a_nul),
        cmocka_unit_test(it_grows_through_every_length),
        cmocka_unit_test(integers_are_written_in_decimal),
        cmocka_unit_test(printf_longer_than_the_room_is_whole),
        cmocka_unit_test(consuming_moves_the_rest_to_the_front),
        cmocka_unit_test(taking_hands_the_bytes_over),
        cmocka_unit_test(a_failed_append_keeps_the_contents_and_sticks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
