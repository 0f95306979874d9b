#include "report/text.h"
#include "run/stable.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Runs `call`, which writes to `out`, and compares what it wrote. */
#define EXPECT_WRITTEN(call, expected)              \
    do {                                            \
        char *got = NULL;                           \
        size_t got_len;                             \
        FILE *out = open_memstream(&got, &got_len); \
        assert_non_null(out);                       \
        call;                                       \
        assert_int_equal(fclose(out), 0);           \
        assert_string_equal(got, expected);         \
        free(got);                                  \
    } while (0)

static void line_shows_control_bytes_and_broken_utf8(void **state)
{
    (void)state;
    EXPECT_WRITTEN(smcr_put_line(out, "a\tb\033[1m", 7), "a\tb\\x1B[1m");
    EXPECT_WRITTEN(smcr_put_line(out, "\xC3\xA9\xE2\x82\xAC", 5), "\xC3\xA9\xE2\x82\xAC");
    EXPECT_WRITTEN(smcr_put_line(out, "\xC3", 1), "\\xC3");
    EXPECT_WRITTEN(smcr_put_line(out, "\xC3\xA9", 1), "\\xC3");
    EXPECT_WRITTEN(smcr_put_line(out, "\xC0\x80\xED\xA0\x80", 5), "\\xC0\\x80\\xED\\xA0\\x80");
    EXPECT_WRITTEN(smcr_put_line(out, "\xC2\x9B", 2), "\\xC2\\x9B");
    EXPECT_WRITTEN(smcr_put_line(out, "\x7F", 1), "\\x7F");
}

static void json_holds_any_bytes(void **state)
{
    (void)state;
    EXPECT_WRITTEN(smcr_put_json(out, NULL), "null");
    EXPECT_WRITTEN(smcr_put_json(out, "a\"\\\n\t\x7F"), "\"a\\\"\\\\\\n\\u0009\\u007f\"");
    EXPECT_WRITTEN(smcr_put_json(out, "\xC3\xA9\xC3"), "\"\xC3\xA9\\ufffd\"");
}

static void xml_shows_what_it_cannot_hold(void **state)
{
    (void)state;
    EXPECT_WRITTEN(smcr_put_xml(out, "<a b=\"&\">\n\t"), "&lt;a b=&quot;&amp;&quot;&gt;&#10;&#9;");
    EXPECT_WRITTEN(smcr_put_xml(out, "\033\xFF\xC3\xA9"), "\\x1B\\xFF\xC3\xA9");
    EXPECT_WRITTEN(smcr_put_xml(out, "\xEF\xBF\xBF\xEF\xBF\xBD"), "\\xEF\\xBF\\xBF\xEF\xBF\xBD");
}

static void lines_are_indented_and_end_in_one_newline(void **state)
{
    (void)state;
    EXPECT_WRITTEN(smcr_put_lines(out, "> ", "a\r\n\nb\n"), "> a\n> \n> b\n");
    EXPECT_WRITTEN(smcr_put_lines(out, "  ", "a\n\nb"), "  a\n\n  b\n");
    EXPECT_WRITTEN(smcr_put_lines(out, "> ", "a"), "> a\n");
    EXPECT_WRITTEN(smcr_put_lines(out, "> ", ""), "");
}

static void last_lines_are_counted_from_the_end(void **state)
{
    (void)state;
    size_t left_out;
    assert_string_equal(smcr_last_lines("a\nb\nc\n", 2, &left_out), "b\nc\n");
    assert_int_equal(left_out, 1);
    assert_string_equal(smcr_last_lines("a\nb\nc", 3, &left_out), "a\nb\nc");
    assert_int_equal(left_out, 0);
    assert_string_equal(smcr_last_lines("a\nb\nc\nd", 1, &left_out), "d");
    assert_int_equal(left_out, 3);
    assert_string_equal(smcr_last_lines("", 1, &left_out), "");
    assert_int_equal(left_out, 0);
}

static void shell_words_are_quoted_when_they_must_be(void **state)
{
    (void)state;
    EXPECT_WRITTEN(smcr_put_shell(out, "a/b.lua::c"), "a/b.lua::c");
    EXPECT_WRITTEN(smcr_put_shell(out, "it's $x"), "'it'\\''s $x'");
    EXPECT_WRITTEN(smcr_put_shell(out, ""), "''");
    EXPECT_WRITTEN(smcr_put_shell(out, "#a"), "'#a'");
    EXPECT_WRITTEN(smcr_put_shell(out, "b\\ \u00e9\u65e5"), "'b\\ \u00e9\u65e5'");
    EXPECT_WRITTEN(smcr_put_shell(out, "it's\n\33[31m b\\ \u00e9 caf\xE9 \xC2\x9B"),
                   "$'it\\'s\\012\\033[31m b\\\\ \u00e9 caf\\351 \\302\\233'");
}

static void widths_are_counted_in_columns(void **state)
{
    (void)state;
    assert_int_equal(smcr_width(""), 0);
    assert_int_equal(smcr_width("a/b.lua"), 7);
    assert_int_equal(smcr_width("\u00fcn\u00ef"), 3);
    assert_int_equal(smcr_width("\u65e5\u672c\u8a9e.lua"), 10);
    assert_int_equal(smcr_width("\uac00\uff21\U0001f600"), 6);
    assert_int_equal(smcr_width("e\u0301\xE9"), 2);
}

static void durations_read_well_at_every_size(void **state)
{
    (void)state;
    EXPECT_WRITTEN(smcr_put_duration(out, 0), "0 ms");
    EXPECT_WRITTEN(smcr_put_duration(out, 0.9994), "999 ms");
    EXPECT_WRITTEN(smcr_put_duration(out, 0.9996), "1.00 s");
    EXPECT_WRITTEN(smcr_put_duration(out, 59.996), "1 min 00 s");
    EXPECT_WRITTEN(smcr_put_duration(out, 200), "3 min 20 s");
    EXPECT_WRITTEN(smcr_put_duration(out, 3599.7), "1 h 00 min");
    EXPECT_WRITTEN(smcr_put_duration(out, 3900), "1 h 05 min");
}

static void expect_numbered(const char *text, const char *expected)
{
    smc_buf_t out = {0};
    assert_int_equal(smcr_number_addresses(text, strlen(text), &out), SMC_OK);
    assert_string_equal(out.data, expected);
    smc_buf_deinit(&out);
}

static void addresses_become_numbers(void **state)
{
    (void)state;
    expect_numbered("(table: 0x55d0c8a1b2c0) { f = function: 0x7f00aa00 } table: 0x55d0c8a1b2c0",
                    "(table: #1) { f = function: #2 } table: #1");
    expect_numbered("function: builtin: 0x7f00aa00", "function: builtin: #1");
    expect_numbered("table: 0x12", "table: 0x12");
    expect_numbered("at 0x55d0c8a1b2c0", "at 0x55d0c8a1b2c0");
    expect_numbered("table: 0x", "table: 0x");
}

/* n bytes, `unit` again and again -> what is kept of them; owned. */
static char *shorten(const char *unit, size_t n)
{
    smc_buf_t text = {0}, out = {0};
    while (text.len < n)
        assert_int_equal(smc_buf_puts(&text, unit), SMC_OK);
    assert_int_equal(smcr_shorten(text.data, n, &out), SMC_OK);
    smc_buf_deinit(&text);
    return smc_buf_take(&out, NULL);
}

static void long_texts_keep_their_beginning_and_their_end(void **state)
{
    (void)state;
    char *whole = shorten("ab", SMCR_MESSAGE_MAX);
    assert_int_equal(strlen(whole), SMCR_MESSAGE_MAX);
    assert_null(strstr(whole, "left out"));
    free(whole);
    char *cut = shorten("ab", SMCR_MESSAGE_MAX + 2);
    assert_non_null(strstr(cut, "ab\n.. 2 bytes are left out ..\nab"));
    free(cut);
    /* Characters stay whole: of three bytes each, the halves have a third of one too much. */
    cut = shorten("\xE2\x82\xAC", (size_t)3 * SMCR_MESSAGE_MAX);
    const char *gap = strstr(cut, "\n.. ");
    assert_non_null(gap);
    assert_int_equal((gap - cut) % 3, 0);
    assert_int_equal(strlen(strstr(cut, "..\n") + 3) % 3, 0);
    assert_in_range(strlen(cut), SMCR_MESSAGE_MAX - 4, SMCR_MESSAGE_MAX + 40);
    free(cut);
}

static void expect_trimmed(const char *text, const char *expected)
{
    smc_buf_t out = {0};
    assert_int_equal(smcr_trim_traceback(text, strlen(text), &out), SMC_OK);
    assert_string_equal(out.data, expected);
    smc_buf_deinit(&out);
}

static void traceback_keeps_the_scenario_only(void **state)
{
    (void)state;
    expect_trimmed("stack traceback:\n\t[C]: in function 'error'\n\tx.lua:3: in field 'fn'\n"
                   "\tsmc/run.lua:78: in function <smc/run.lua:76>",
                   "stack traceback:\n\tx.lua:3: in field 'fn'");
    expect_trimmed("stack traceback:\n\tsmcx/run.lua:1: in main chunk\n",
                   "stack traceback:\n\tsmcx/run.lua:1: in main chunk");
    expect_trimmed(
        "the spec waits in smc.sleep\n\nstack traceback:\n\t[C]: in ?\n\tsmc/a.lua:1: in ?",
        "the spec waits in smc.sleep");
    expect_trimmed("stack traceback:", "");
    expect_trimmed("\nstack traceback:\n\ta.lua:1: in ?", "stack traceback:\n\ta.lua:1: in ?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(line_shows_control_bytes_and_broken_utf8),
        cmocka_unit_test(json_holds_any_bytes),
        cmocka_unit_test(xml_shows_what_it_cannot_hold),
        cmocka_unit_test(lines_are_indented_and_end_in_one_newline),
        cmocka_unit_test(last_lines_are_counted_from_the_end),
        cmocka_unit_test(shell_words_are_quoted_when_they_must_be),
        cmocka_unit_test(widths_are_counted_in_columns),
        cmocka_unit_test(durations_read_well_at_every_size),
        cmocka_unit_test(addresses_become_numbers),
        cmocka_unit_test(long_texts_keep_their_beginning_and_their_end),
        cmocka_unit_test(traceback_keeps_the_scenario_only),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
