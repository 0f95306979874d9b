/* The syntax of HTTP requests: what is kept, what is refused, and that the cuts between reads do not matter. */
#include "net/server_head_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HOST "Host: h\r\n"

typedef struct outcome {
    smc_head_result_t result;
    int status;
    size_t size;
    smc_head_t head;
} outcome_t;

/* Feeds the text in pieces of `step` bytes. */
static outcome_t parse(const char *text, size_t step, size_t max)
{
    outcome_t o = {.result = SMC_HEAD_MORE};
    size_t total = strlen(text);

    smc_head_init(&o.head);
    for (size_t n = step; o.result == SMC_HEAD_MORE; n += step) {
        size_t have = n < total ? n : total;
        /* A copy of exactly that size, so that a sanitizer sees a read beyond it. */
        char *bytes = malloc(have);
        assert_non_null(bytes);
        memcpy(bytes, text, have);
        o.result = smc_head_parse(&o.head, bytes, have, max);
        free(bytes);
        if (o.result == SMC_HEAD_MORE) /* no byte will be looked at again */
            assert_int_equal(have, o.head._scan);
        if (have == total)
            break;
    }
    o.status = o.head.status;
    o.size = o.head.size;
    return o;
}

static void assert_part(const char *expected, const char *text, smc_head_part_t part)
{
    char *got = strndup(text + part.at, part.len);

    assert_non_null(got);
    assert_string_equal(expected, got);
    free(got);
}

static void a_head_is_the_same_however_it_is_cut(void **state)
{
    static const char text[] = "\r\nPOST /a//b/./c?x=%2B+%26&&y=1;z&e= HTTP/1.1\r\n"
                               "Host: 127.0.0.1:20001\r\n"
                               "X-MBX-APIKEY:  k e y \t\r\n"
                               "Empty:\r\n"
                               "Content-Length: 3\r\n\r\nabcGET /";

    (void)state;
    for (size_t step = 1; step <= sizeof(text); step++) {
        outcome_t o = parse(text, step, 4096);
        assert_int_equal(SMC_HEAD_DONE, o.result);
        assert_int_equal(strstr(text, "abcGET") - text, o.size);
        assert_part("POST", text, o.head.method);
        assert_part("/a//b/./c?x=%2B+%26&&y=1;z&e=", text, o.head.target);
        assert_int_equal(4, o.head.n_fields);
        assert_part("X-MBX-APIKEY", text, o.head.fields[1].name);
        assert_part("k e y", text, o.head.fields[1].value);
        assert_part("", text, o.head.fields[2].value);
        assert_int_equal(3, o.head.content_length);
        assert_true(o.head.keep_alive);
    }
}

typedef struct bad_head {
    int status;
    const char *text;
} bad_head_t;

static void what_is_malformed_or_ambiguous_is_refused_however_it_is_cut(void **state)
{
    static const bad_head_t bad[] = {
        {400, "GET /\r\n\r\n"},
        {400, "GET  / HTTP/1.1\r\n" HOST "\r\n"},
        {400, "GET / HTTP/1.1 \r\n" HOST "\r\n"},
        {400, "GET / http/1.1\r\n" HOST "\r\n"},
        {400, "GET / HTTP/1\r\n" HOST "\r\n"},
        {400, "G@T / HTTP/1.1\r\n" HOST "\r\n"},
        {400, " GET / HTTP/1.1\r\n" HOST "\r\n"},
        {400, "\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n"},
        {400, "\x16\x03\x01\x02"},
        {400, "GET /\x01 HTTP/1.1\r\n" HOST "\r\n"},
        {400, "GET /\r\r HTTP/1.1\r\n" HOST "\r\n"},
        {400, "GET / HTTP/1.1\n" HOST "\r\n"},
        {400, "GET / HTTP/1.1\r\n\r\n"},
        {400, "GET / HTTP/1.1\r\n" HOST HOST "\r\n"},
        {400, "GET / HTTP/1.1\r\n" HOST "A : b\r\n\r\n"},
        {400, "GET / HTTP/1.1\r\n" HOST "A\r\n\r\n"},
        {400, "GET / HTTP/1.1\r\n" HOST ": b\r\n\r\n"},
        {400, "GET / HTTP/1.1\r\n" HOST " folded\r\n\r\n"},
        {400, "GET / HTTP/1.1\r\n" HOST "A: b\x01\r\n\r\n"},
        {400, "GET / HTTP/1.1\r\n" HOST "A: b\rc\r\n\r\n"},
        {400, "GET / HTTP/1.1\r\n" HOST "A: b\n\r\n"},
        {400, "POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 1\r\n\r\n"},
        {400, "POST / HTTP/1.1\r\n" HOST "Content-Length: +1\r\n\r\n"},
        {400, "POST / HTTP/1.1\r\n" HOST "Content-Length: 1, 1\r\n\r\n"},
        {400, "POST / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n"},
        {400, "POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"},
        {400, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n"},
        {400, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n"},
        {400, "POST / HTTP/1.1\r\n" HOST
              "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"},
        {400, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"},
        {413, "POST / HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999999999\r\n\r\n"},
        {417, "POST / HTTP/1.1\r\n" HOST "Expect: tea\r\n\r\n"},
        {501, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip\r\n\r\n"},
        {505, "GET / HTTP/2.0\r\n" HOST "\r\n"},
        {505, "GET / HTTP/1.2\r\n" HOST "\r\n"},
        {505, "GET / HTTP/0.9\r\n\r\n"},
        {505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        for (size_t step = 1; step <= strlen(bad[i].text); step++) {
            outcome_t o = parse(bad[i].text, step, 4096);
            if (o.result != SMC_HEAD_BAD || o.status != bad[i].status)
                print_error("case %zu, step %zu: %s\n", i, step, bad[i].text);
            assert_int_equal(SMC_HEAD_BAD, o.result);
            assert_int_equal(bad[i].status, o.status);
            assert_non_null(o.head.why);
        }
    }
}

static void a_head_that_is_too_long_is_refused_however_it_is_cut(void **state)
{
    static const char in_target[] = "GET /01234567890123456789 HTTP/1.1\r\n" HOST "\r\n";
    static const char in_fields[] = "GET / HTTP/1.1\r\n" HOST "A: 01234567890\r\n\r\n";
    static const char fits[] = "GET / HTTP/1.1\r\n" HOST "\r\n";

    (void)state;
    for (size_t step = 1; step < sizeof(in_target); step++) {
        assert_int_equal(414, parse(in_target, step, 20).status);
        assert_int_equal(431, parse(in_fields, step, 30).status);
        assert_int_equal(SMC_HEAD_DONE, parse(fits, step, strlen(fits)).result);
        assert_int_equal(431, parse(fits, step, strlen(fits) - 1).status);
    }
}

static void a_head_holds_a_hundred_fields_and_no_more(void **state)
{
    smc_buf_t b = {0};

    (void)state;
    (void)smc_buf_puts(&b, "GET / HTTP/1.1\r\n" HOST);
    for (int i = 1; i < SMC_HEAD_FIELDS_MAX; i++)
        (void)smc_buf_puts(&b, "A: b\r\n");
    (void)smc_buf_puts(&b, "\r\n");
    assert_int_equal(SMC_HEAD_DONE, parse(b.data, 7, 4096).result);
    b.len -= 2;
    (void)smc_buf_puts(&b, "A: b\r\n\r\n");
    assert_int_equal(431, parse(b.data, 7, 4096).status);
    smc_buf_deinit(&b);
}

static smc_head_t head_of(const char *text)
{
    outcome_t o = parse(text, strlen(text), 4096);

    assert_int_equal(SMC_HEAD_DONE, o.result);
    return o.head;
}

static void keep_alive_follows_version_and_connection(void **state)
{
    (void)state;
    assert_true(head_of("GET / HTTP/1.1\r\n" HOST "\r\n").keep_alive);
    assert_false(head_of("GET / HTTP/1.1\r\n" HOST "connection: x, CLOSE\r\n\r\n").keep_alive);
    assert_false(head_of("GET / HTTP/1.0\r\n\r\n").keep_alive);
    assert_true(head_of("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").keep_alive);
}

static void an_upgrade_needs_both_headers_and_version_1_1(void **state)
{
    (void)state;
    assert_true(head_of("GET / HTTP/1.1\r\n" HOST "Upgrade: WebSocket\r\n"
                        "Connection: keep-alive, Upgrade\r\n\r\n")
                    .upgrade_ws);
    assert_false(head_of("GET / HTTP/1.1\r\n" HOST "Upgrade: websocket\r\n\r\n").upgrade_ws);
    assert_false(head_of("GET / HTTP/1.1\r\n" HOST "Connection: Upgrade\r\n\r\n").upgrade_ws);
    assert_false(
        head_of("GET / HTTP/1.0\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n").upgrade_ws);
}

static void an_expectation_counts_for_version_1_1_only(void **state)
{
    (void)state;
    assert_true(head_of("PUT / HTTP/1.1\r\n" HOST "Expect: 100-Continue\r\n\r\n").expect_continue);
    assert_false(head_of("PUT / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n").expect_continue);
}

static void fields_are_found_by_name_in_any_case(void **state)
{
    static const char text[] = "GET / HTTP/1.1\r\n" HOST "OK-access: 1\r\nok-ACCESS: 2\r\n\r\n";
    smc_head_t head = head_of(text);
    const smc_head_part_t *value = smc_head_find(&head, text, "Ok-Access");

    (void)state;
    assert_non_null(value);
    assert_part("1", text, *value);
    assert_null(smc_head_find(&head, text, "Ok-Acces"));
}

/* ---- chunked ------------------------------------------------------------ */

static smc_head_result_t dechunk(const char *text, size_t step, size_t max, smc_buf_t *out,
                                 size_t *taken, int *status)
{
    smc_head_result_t result = SMC_HEAD_MORE;
    size_t total = strlen(text);
    smc_chunked_t c;

    *taken = 0;
    smc_buf_clear(out);
    smc_chunked_init(&c);
    while (result == SMC_HEAD_MORE && *taken < total) {
        size_t used, n = total - *taken < step ? total - *taken : step;
        result = smc_chunked_feed(&c, text + *taken, n, max, out, &used);
        *taken += used;
    }
    *status = c.status;
    return result;
}

static void a_chunked_body_is_the_same_however_it_is_cut(void **state)
{
    static const char text[] = "5\r\nhello\r\n00a;name=\"v\"\r\n, big \r\nwo\r\n"
                               "3\r\nrld\r\n0\r\nTrailer: x\r\nMore: y\r\n\r\nGET /next";
    smc_buf_t out = {0};
    size_t taken;
    int status;

    (void)state;
    for (size_t step = 1; step <= sizeof(text); step++) {
        assert_int_equal(SMC_HEAD_DONE, dechunk(text, step, 18, &out, &taken, &status));
        assert_string_equal("hello, big \r\nworld", out.data);
        assert_string_equal("GET /next", text + taken);
    }
    smc_buf_deinit(&out);
}

static void a_malformed_chunked_body_is_refused_however_it_is_cut(void **state)
{
    static const bad_head_t bad[] = {
        {400, "\r\n"},
        {400, "x\r\n"},
        {400, "-1\r\n"},
        {400, "5 \r\nhello\r\n0\r\n\r\n"},
        {400, "5\nhello"},
        {400, "5\r\nhelloX\r\n"},
        {400, "5\r\nhello\rX"},
        {400, "5;\x01\r\nhello\r\n"},
        {400, "0\r\nTrailer\n"},
        {400, "0\r\n\rX"},
        {413, "11\r\n0123456789abcdefg\r\n0\r\n\r\n"},
        {413, "8\r\n01234567\r\n9\r\n0"},
        {413, "ffffffffffffffff\r\n"},
        {413, "fffffffffffffff\r\n"},
    };
    smc_buf_t out = {0};
    size_t taken;
    int status;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        for (size_t step = 1; step <= strlen(bad[i].text); step++) {
            assert_int_equal(SMC_HEAD_BAD, dechunk(bad[i].text, step, 16, &out, &taken, &status));
            assert_int_equal(bad[i].status, status);
        }
    }
    smc_buf_deinit(&out);
}

static void chunk_extensions_can_not_go_on_for_ever(void **state)
{
    smc_buf_t text = {0}, out = {0};
    size_t taken;
    int status;

    (void)state;
    for (int i = 0; i < 2000; i++)
        (void)smc_buf_puts(&text, "1;extension\r\nx\r\n");
    assert_int_equal(SMC_HEAD_BAD, dechunk(text.data, 100, 1 << 20, &out, &taken, &status));
    assert_int_equal(431, status);
    smc_buf_deinit(&text);
    smc_buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_is_the_same_however_it_is_cut),
        cmocka_unit_test(what_is_malformed_or_ambiguous_is_refused_however_it_is_cut),
        cmocka_unit_test(a_head_that_is_too_long_is_refused_however_it_is_cut),
        cmocka_unit_test(a_head_holds_a_hundred_fields_and_no_more),
        cmocka_unit_test(keep_alive_follows_version_and_connection),
        cmocka_unit_test(an_upgrade_needs_both_headers_and_version_1_1),
        cmocka_unit_test(an_expectation_counts_for_version_1_1_only),
        cmocka_unit_test(fields_are_found_by_name_in_any_case),
        cmocka_unit_test(a_chunked_body_is_the_same_however_it_is_cut),
        cmocka_unit_test(a_malformed_chunked_body_is_refused_however_it_is_cut),
        cmocka_unit_test(chunk_extensions_can_not_go_on_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
