#include "run/event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void write_one(smc_buf_t *out, const smcr_event_t *ev)
{
    assert_int_equal(smcr_event_write(ev, out), SMC_OK);
}

static const smcr_event_t sample = {.type = SMCR_EV_SPEC_END,
                                    .status = SMCR_FAIL,
                                    .id = "x.lua::a",
                                    .message = "",
                                    .transcript = "line\nline\n",
                                    .line = 7,
                                    .virtual_ms = INT64_MAX,
                                    .real_us = -1};

static void event_reads_back_as_it_was_written(void **state)
{
    (void)state;
    smc_buf_t buf = {0};
    smcr_event_t ev;
    size_t used;
    write_one(&buf, &sample);
    assert_int_equal(smcr_event_read(buf.data, buf.len, &ev, &used), SMC_OK);
    assert_int_equal(used, buf.len);
    assert_int_equal(ev.type, SMCR_EV_SPEC_END);
    assert_int_equal(ev.status, SMCR_FAIL);
    assert_string_equal(ev.id, "x.lua::a");
    assert_string_equal(ev.message, "");
    assert_string_equal(ev.transcript, "line\nline\n");
    assert_null(ev.traceback);
    assert_int_equal(ev.line, 7);
    assert_true(ev.virtual_ms == INT64_MAX);
    assert_int_equal(ev.real_us, -1);
    smcr_event_deinit(&ev);
    smc_buf_deinit(&buf);
}

static void event_waits_for_its_last_byte(void **state)
{
    (void)state;
    smc_buf_t buf = {0};
    smcr_event_t ev = {0};
    write_one(&buf, &sample);
    for (size_t n = 0; n < buf.len; n++) {
        size_t used = 1;
        assert_int_equal(smcr_event_read(buf.data, n, &ev, &used), SMC_OK);
        assert_int_equal(used, 0);
    }
    smc_buf_deinit(&buf);
}

/* Changes one byte of the sample's record and expects a refusal. */
static void expect_refused(size_t at, char byte)
{
    smc_buf_t buf = {0};
    smcr_event_t ev = {0};
    size_t used;
    write_one(&buf, &sample);
    assert_true(at < buf.len);
    buf.data[at] = byte;
    assert_int_equal(smcr_event_read(buf.data, buf.len, &ev, &used), SMC_EPARSE);
    assert_null(ev.id);
    smc_buf_deinit(&buf);
}

static void what_no_worker_writes_is_refused(void **state)
{
    (void)state;
    expect_refused(3, 0x7F);      /* a record of 2 GiB */
    expect_refused(4, 99);        /* type */
    expect_refused(5, 99);        /* status */
    expect_refused(5, SMCR_NONE); /* a spec that ended without a status */
    expect_refused(9, 0x7E);      /* a text longer than its record */
    expect_refused(0, 3);         /* a record that ends before its fields do */
}

static void text_with_a_nul_is_refused(void **state)
{
    (void)state;
    smc_buf_t buf = {0};
    smcr_event_t ev = {0};
    size_t used;
    write_one(&buf, &sample);
    char *hit = memmem(buf.data, buf.len, "x.lua", 5);
    assert_non_null(hit);
    *hit = '\0';
    assert_int_equal(smcr_event_read(buf.data, buf.len, &ev, &used), SMC_EPARSE);
    smc_buf_deinit(&buf);
}

static void words_map_to_constants(void **state)
{
    (void)state;
    assert_int_equal(smcr_event_type_of("spec_end"), SMCR_EV_SPEC_END);
    assert_int_equal(smcr_event_type_of("file_error"), SMCR_EV_FILE_ERROR);
    assert_int_equal(smcr_event_type_of("SPEC_END"), -1);
    assert_int_equal(smcr_status_of("skip"), SMCR_SKIP);
    assert_int_equal(smcr_status_of(""), -1);
    assert_string_equal(smcr_status_text(SMCR_ERROR), "error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(event_reads_back_as_it_was_written),
        cmocka_unit_test(event_waits_for_its_last_byte),
        cmocka_unit_test(what_no_worker_writes_is_refused),
        cmocka_unit_test(text_with_a_nul_is_refused),
        cmocka_unit_test(words_map_to_constants),
    };
    return cmocka_run_group_tests_name("event", tests, NULL, NULL);
}
