/* The log: its lines, and that no form of a secret ever stands in one. */
#include "smc/clock.h"
#include "smc/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Sixteen bytes that need every kind of escape: '/', '+', '"', '%', '\' and a byte beyond ASCII. */
static const char odd[] = "k/e+y\"%4\\1=&\xC3\xA9z?";
static const char plain[] = "NhqPtmdSJYdKjVHj";

static int open_log(void **state)
{
    smc_log_t *log = NULL;

    smc_clock_set_virtual();
    if (smc_log_new(4096, &log, NULL) != SMC_OK)
        return -1;
    *state = log;
    return 0;
}

static int close_log(void **state)
{
    smc_log_free(*state);
    return 0;
}

static void hide(smc_log_t *log, const char *secret)
{
    assert_int_equal(SMC_OK, smc_log_hide(log, secret, strlen(secret), NULL));
}

static void redacts(const smc_log_t *log, const char *text, const char *want)
{
    smc_buf_t out = {0};

    assert_int_equal(SMC_OK, smc_log_redact(log, text, strlen(text), &out));
    assert_string_equal(want, out.data);
    smc_buf_deinit(&out);
}

static void a_line_has_clock_name_and_text(void **state)
{
    smc_clock_advance_ns(INT64_C(12345678901));
    smc_log_line(*state, "client", "GET %s %d", "/ping", 200);
    assert_string_equal("   12.345 client  GET /ping 200\n", smc_log_contents(*state, NULL));
}

static void clearing_forgets_lines_and_starts_the_clock_anew(void **state)
{
    size_t n = 1;

    hide(*state, plain);
    smc_log_line(*state, "a", "one");
    smc_clock_advance_ns(5000000000);
    smc_log_clear(*state);
    assert_string_equal("", smc_log_contents(*state, &n));
    assert_int_equal(0, n);
    smc_log_line(*state, "a", "key %s", plain);
    assert_string_equal("    0.000 a  key ***\n", smc_log_contents(*state, &n));
    assert_int_equal(strlen("    0.000 a  key ***\n"), n);
}

static void an_empty_log_has_contents(void **state)
{
    assert_string_equal("", smc_log_contents(*state, NULL));
}

static void old_whole_lines_go_first(void **state)
{
    smc_log_t *log = NULL;

    (void)state;
    assert_int_equal(SMC_OK, smc_log_new(64, &log, NULL));
    for (int i = 0; i < 1000; i++) {
        char want[64];
        const char *kept;
        size_t n;

        smc_log_line(log, "w", "line %03d", i); /* 22 bytes: two fit into 64 */
        kept = smc_log_contents(log, &n);
        (void)snprintf(want, sizeof(want), "    0.000 w  line %03d\n", i);
        assert_int_equal(i == 0 ? 22 : 44, n);
        assert_string_equal(want, kept + n - 22);
        assert_memory_equal("    0.000 w  line ", kept, 18);
    }
    smc_log_free(log);
}

static void the_newest_line_stays_however_long(void **state)
{
    smc_log_t *log = NULL;

    (void)state;
    assert_int_equal(SMC_OK, smc_log_new(4, &log, NULL));
    smc_log_line(log, "w", "one");
    smc_log_line(log, "w", "two");
    assert_string_equal("    0.000 w  two\n", smc_log_contents(log, NULL));
    smc_log_free(log);
}

static void is_copied(const smc_log_copy_t *copy, size_t size, const char *want)
{
    smc_buf_t out = {0};

    assert_int_equal(SMC_OK, smc_log_copied(copy, size, &out));
    assert_string_equal(want, out.data == NULL ? "" : out.data);
    smc_buf_deinit(&out);
}

/* Whole lines only, redacted ones, the newest that fit; of every size of the ring. */
static void a_copy_has_the_newest_whole_lines(void **state)
{
    (void)state;
    for (size_t size = 1; size < 80; size++) {
        smc_log_t *log = NULL;
        smc_log_copy_t *copy = calloc(1, sizeof(*copy) + size);
        char want[80] = "";

        assert_non_null(copy);
        assert_int_equal(SMC_OK, smc_log_new(4096, &log, NULL));
        smc_log_share(log, copy, size);
        hide(log, plain);
        is_copied(copy, size, "");
        for (int i = 0; i < 100; i++) {
            bool fits = 22 * (size_t)(i + 1) <= size;
            size_t n = 0;
            size_t kept = fits ? (size_t)i + 1 : (size - 1) / 22;

            smc_log_line(log, "w", "%s %04d", plain, i); /* 22 bytes once it is redacted */
            for (int line = i - (int)kept + 1; line <= i; line++)
                n += (size_t)snprintf(want + n, sizeof(want) - n, "    0.000 w  *** %04d\n", line);
            want[n] = '\0';
            is_copied(copy, size, want);
        }
        smc_log_clear(log);
        is_copied(copy, size, "");
        smc_log_free(log);
        free(copy);
    }
}

static void control_characters_and_broken_utf8_are_spelled_out(void **state)
{
    static const char text[] =
        "a\nb\x1b[31m\x7f \xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80 \xC3 \xC0\x80 "
        "\xED\xA0\x80 \xF5 \xC2\x9B";

    smc_log_text(*state, "who\n", text, sizeof(text) - 1, 1000);
    assert_string_equal("    0.000 who\\x0A  a\\x0Ab\\x1B[31m\\x7F \xC3\xA9 \xE2\x82\xAC "
                        "\xF0\x9F\x98\x80 \\xC3 \\xC0\\x80 \\xED\\xA0\\x80 \\xF5 \\xC2\\x9B\n",
                        smc_log_contents(*state, NULL));
}

static void long_text_is_cut_between_characters(void **state)
{
    smc_log_text(*state, "0123456789abcdefgh",
                 "ab\xE2\x82\xAC"
                 "cd",
                 7, 4);
    assert_string_equal("    0.000 0123456789abcde  ab... (7 bytes)\n",
                        smc_log_contents(*state, NULL));
}

static void text_is_redacted_before_it_is_cut(void **state)
{
    char text[64];

    hide(*state, plain);
    (void)snprintf(text, sizeof(text), "x=%s&y", plain);
    smc_log_text(*state, "a", text, strlen(text), 8);
    assert_string_equal("    0.000 a  x=***&y\n", smc_log_contents(*state, NULL));
}

static void plain_secrets_are_hidden_wherever_they_stand(void **state)
{
    hide(*state, plain);
    redacts(*state, "NhqPtmdSJYdKjVHj", "***");
    redacts(*state, "aNhqPtmdSJYdKjVHjb NhqPtmdSJYdKjVHj", "a***b ***");
    redacts(*state, "NhqPtmdSJYdKjVHNhqPtmdSJYdKjVHj", "NhqPtmdSJYdKjVH***");
    redacts(*state, "NhqPtmdSJYdKjVH", "NhqPtmdSJYdKjVH");
    redacts(*state, "nhqptmdsjydkjvhj", "nhqptmdsjydkjvhj");
}

static void hex_is_hidden_in_either_case(void **state)
{
    hide(*state, plain);
    redacts(*state, "<4e687150746d64534a59644b6a56486a>", "<***>");
    redacts(*state, "<4E687150746D64534A59644B6A56486A>", "<***>");
}

static void base64_is_hidden_in_both_alphabets(void **state)
{
    hide(*state, "\xFB\xEF\xBE\xFB\xEF\xBE");
    redacts(*state, "[++++++++]", "[***]");
    redacts(*state, "[--------]", "[***]");
}

/* Characters at the ends that also hold bits of the neighbours stay. */
static void base64_is_hidden_at_all_three_alignments(void **state)
{
    hide(*state, "foobar");
    redacts(*state, "Zm9vYmFy", "***");          /* foobar */
    redacts(*state, "eGZvb2JhcnkK", "eG***nkK"); /* xfoobary\n */
    redacts(*state, "eHhmb29iYXJ5", "eHh***J5"); /* xxfoobary */
}

static void percent_encoding_is_hidden_however_much_is_encoded(void **state)
{
    hide(*state, odd);
    redacts(*state, "q=k%2Fe%2By%22%254%5C1%3D%26%C3%A9z%3F&r", "q=***&r");
    redacts(*state, "q=k/e%2by%22%254%5c1=&%c3%a9z?&r", "q=***&r");
    redacts(*state, "%6B%2F%65%2B%79%22%25%34%5C%31%3D%26%C3%A9%7A%3F", "***");
    redacts(*state, odd, "***");
}

static void json_escapes_are_hidden(void **state)
{
    hide(*state, odd);
    redacts(*state, "\"k\\/e+y\\\"%4\\\\1=&\xC3\xA9z?\"", "\"***\"");
    hide(*state, "/slash-first");
    redacts(*state, "\"\\/slash-first\"", "\"***\"");
}

static void encoded_base64_is_hidden(void **state)
{
    hide(*state, "\xFB\xEF\xBE\xFB\xEF\xBE");
    redacts(*state, "s=%2B%2B%2B%2B%2b%2B%2B%2B;", "s=***;");
}

static void a_secret_is_hidden_in_lines_of_before(void **state)
{
    size_t n;

    smc_log_line(*state, "a", "key %s", plain);
    hide(*state, plain);
    smc_log_line(*state, "a", "key %s", plain);
    assert_string_equal("    0.000 a  key ***\n    0.000 a  key ***\n",
                        smc_log_contents(*state, &n));
    assert_int_equal(2 * strlen("    0.000 a  key ***\n"), n);
    smc_log_line(*state, "a", "b");
    assert_non_null(strstr(smc_log_contents(*state, NULL), "***\n    0.000 a  b\n"));
}

static void overlapping_secrets_leave_no_tail(void **state)
{
    hide(*state, "abcdefgh");
    hide(*state, "efghijkl");
    hide(*state, "efgh");
    redacts(*state, "1abcdefghijkl2", "1***2");
    redacts(*state, "1abcdefgh2efgh3", "1***2***3");
}

static void lines_of_a_pem_key_are_hidden_alone(void **state)
{
    hide(*state, "-----BEGIN PRIVATE KEY-----\r\n0123456789abcdefXYZ\r\nshort\r\n"
                 "-----END PRIVATE KEY-----\r\n");
    redacts(*state, "{\"key\":\"0123456789abcdefXYZ\\n\"}", "{\"key\":\"***\\n\"}");
    redacts(*state, "-----BEGIN PRIVATE KEY----- short", "-----BEGIN PRIVATE KEY----- short");
}

static void short_secrets_are_refused(void **state)
{
    smc_error_t err = {0};

    assert_int_equal(SMC_EINVAL, smc_log_hide(*state, "abc", 3, &err));
    assert_string_equal("log.hide", err.op);
    redacts(*state, "abc", "abc");
}

static void a_secret_counts_once(void **state)
{
    hide(*state, plain);
    hide(*state, plain);
    redacts(*state, plain, "***");
}

#define HMAC "e509f44b20e4d50c3c3f368351848a0e7c0d07138e6935c148db348b1eb2f39b"

static void signatures_are_hidden_where_secrets_are_known(void **state)
{
    redacts(*state, "signature=" HMAC, "signature=" HMAC);
    hide(*state, plain);
    redacts(*state, HMAC, "***");
    redacts(*state, "/a?b=1&signature=" HMAC "&c=2", "/a?b=1&signature=***&c=2");
    redacts(*state,
            "[\"***\",1,"
            "\"" HMAC "\"] x " HMAC " y",
            "[\"***\",1,\"***\"] x *** y");
    redacts(*state, "sha256=" HMAC "\n", "sha256=***\n");
    redacts(*state, "{\"signature\":\"9Wr3Kz/+Ab4dEf8hIjKl==\",\"t\":1}",
            "{\"signature\":\"***\",\"t\":1}");
    redacts(*state, "{\\\"signature\\\":\\\"9Wr3Kz/+Ab4dEf8hIjKl==\\\"}",
            "{\\\"signature\\\":\\\"***\\\"}");
    redacts(*state, "signature=9Wr3Kz%2F%2BAb4dEf8hIjKl%3D%3D", "signature=***");
    redacts(*state, HMAC HMAC, HMAC HMAC);
    redacts(*state, HMAC "0 0" HMAC, HMAC "0 0" HMAC);
    redacts(*state, "Signature for this request is not valid: signature=missing",
            "Signature for this request is not valid: signature=missing");
    redacts(*state, "signature NhqPtmdSJYdKjVHj and " HMAC, "signature *** and ***");
}

/* A secret in front moves where it is looked for. */
static void signatures_are_hidden_wherever_they_stand(void **state)
{
    char text[400], want[400];
    hide(*state, plain);
    for (int before = 0; before < 200; before++) {
        (void)snprintf(text, sizeof(text), "%*s%s" HMAC "|%*s", before, "", before % 2 ? "ab " : "",
                       before % 7, "");
        (void)snprintf(want, sizeof(want), "%*s%s***|%*s", before, "", before % 2 ? "ab " : "",
                       before % 7, "");
        redacts(*state, text, want);
    }
}

/* Whatever stands around a secret and however it is written, its plain form is never left in the log. */
static void no_random_line_shows_the_secret(void **state)
{
    uint64_t x = 42;

    hide(*state, plain);
    for (int round = 0; round < 20000; round++) {
        char text[128];
        size_t n = 0;

        for (size_t i = 0; i < 16; i++) {
            x = x * UINT64_C(6364136223846793005) + 1442695040888963407u;
            if (i == 0 || i == 8)
                n += (size_t)snprintf(text + n, sizeof(text) - n, "%c", "%\\N/+"[(x >> 60) % 5]);
            n += (size_t)snprintf(text + n, sizeof(text) - n, x >> 63 ? "%%%02X" : "%c", plain[i]);
            if (i == 7) /* a whole one in the middle of a torn one */
                n += (size_t)snprintf(text + n, sizeof(text) - n, "%s", plain);
        }
        smc_log_clear(*state);
        smc_log_text(*state, "a", text, n, 4096);
        assert_null(strstr(smc_log_contents(*state, NULL), plain));
        assert_non_null(strstr(smc_log_contents(*state, NULL), "***"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_line_has_clock_name_and_text, open_log, close_log),
        cmocka_unit_test_setup_teardown(clearing_forgets_lines_and_starts_the_clock_anew, open_log,
                                        close_log),
        cmocka_unit_test_setup_teardown(an_empty_log_has_contents, open_log, close_log),
        cmocka_unit_test_setup_teardown(old_whole_lines_go_first, open_log, close_log),
        cmocka_unit_test_setup_teardown(the_newest_line_stays_however_long, open_log, close_log),
        cmocka_unit_test(a_copy_has_the_newest_whole_lines),
        cmocka_unit_test_setup_teardown(control_characters_and_broken_utf8_are_spelled_out,
                                        open_log, close_log),
        cmocka_unit_test_setup_teardown(long_text_is_cut_between_characters, open_log, close_log),
        cmocka_unit_test_setup_teardown(text_is_redacted_before_it_is_cut, open_log, close_log),
        cmocka_unit_test_setup_teardown(plain_secrets_are_hidden_wherever_they_stand, open_log,
                                        close_log),
        cmocka_unit_test_setup_teardown(hex_is_hidden_in_either_case, open_log, close_log),
        cmocka_unit_test_setup_teardown(base64_is_hidden_in_both_alphabets, open_log, close_log),
        cmocka_unit_test_setup_teardown(base64_is_hidden_at_all_three_alignments, open_log,
                                        close_log),
        cmocka_unit_test_setup_teardown(percent_encoding_is_hidden_however_much_is_encoded,
                                        open_log, close_log),
        cmocka_unit_test_setup_teardown(json_escapes_are_hidden, open_log, close_log),
        cmocka_unit_test_setup_teardown(encoded_base64_is_hidden, open_log, close_log),
        cmocka_unit_test_setup_teardown(a_secret_is_hidden_in_lines_of_before, open_log, close_log),
        cmocka_unit_test_setup_teardown(overlapping_secrets_leave_no_tail, open_log, close_log),
        cmocka_unit_test_setup_teardown(lines_of_a_pem_key_are_hidden_alone, open_log, close_log),
        cmocka_unit_test_setup_teardown(short_secrets_are_refused, open_log, close_log),
        cmocka_unit_test_setup_teardown(a_secret_counts_once, open_log, close_log),
        cmocka_unit_test_setup_teardown(signatures_are_hidden_where_secrets_are_known, open_log,
                                        close_log),
        cmocka_unit_test_setup_teardown(signatures_are_hidden_wherever_they_stand, open_log,
                                        close_log),
        cmocka_unit_test_setup_teardown(no_random_line_shows_the_secret, open_log, close_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
