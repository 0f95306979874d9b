#include "run/sequence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Notes the first letter of each event's id, "." for the end of a file. */
typedef struct notes {
    char text[32];
    size_t n;
} notes_t;

static void note(void *ud, const smcr_event_t *ev)
{
    notes_t *notes = ud;
    notes->text[notes->n++] = ev->type == SMCR_EV_FILE_END ? '.' : ev->id[0];
}

static void put(smcr_sequence_t *s, size_t file, const char *id)
{
    smcr_event_t ev = {.type = id == NULL ? SMCR_EV_FILE_END : SMCR_EV_SPEC_START,
                       .id = id == NULL ? NULL : strdup(id)};
    assert_true(smcr_sequence_put(s, file, &ev));
    assert_null(ev.id);
}

static void files_come_out_whole_and_in_the_order_of_the_plan(void **state)
{
    (void)state;
    notes_t notes = {.n = 0};
    smcr_sequence_t s;
    assert_int_equal(smcr_sequence_init(&s, 3, note, &notes, NULL), SMC_OK);
    put(&s, 2, "c");
    put(&s, 0, "a");
    assert_string_equal(notes.text, "a"); /* the front file passes at once */
    put(&s, 1, "b");
    put(&s, 2, NULL);
    put(&s, 0, "A");
    put(&s, 0, NULL);
    assert_string_equal(notes.text, "aA.b");
    put(&s, 1, "B");
    put(&s, 1, NULL);
    assert_string_equal(notes.text, "aA.bB.c.");
    smcr_sequence_deinit(&s);
}

static void flush_passes_on_what_waits(void **state)
{
    (void)state;
    notes_t notes = {.n = 0};
    smcr_sequence_t s;
    assert_int_equal(smcr_sequence_init(&s, 3, note, &notes, NULL), SMC_OK);
    put(&s, 2, "c");
    put(&s, 1, "b");
    smcr_sequence_flush(&s);
    assert_string_equal(notes.text, "bc");
    smcr_sequence_deinit(&s);
}

static void deinit_frees_what_waits(void **state)
{
    (void)state;
    notes_t notes = {.n = 0};
    smcr_sequence_t s;
    assert_int_equal(smcr_sequence_init(&s, 2, note, &notes, NULL), SMC_OK);
    put(&s, 1, "b");
    smcr_sequence_deinit(&s);
    assert_int_equal(notes.n, 0);
    assert_null(s._queues);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_come_out_whole_and_in_the_order_of_the_plan),
        cmocka_unit_test(flush_passes_on_what_waits),
        cmocka_unit_test(deinit_frees_what_waits),
    };
    return cmocka_run_group_tests_name("sequence", tests, NULL, NULL);
}
