/* Which job comes next, and what files are told of that several workers ran: no process is started here. */
#include "run/schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct world {
    smcr_options_t options;
    smcr_file_t files[2];
    smcr_plan_t plan;
    smcr_run_t run;
    smcr_schedule_t schedule;
    char told[1024]; /* "a.lua: file_start, spec_end b fail 2/1, " */
} world_t;

static void on_told(void *ud, size_t file, smcr_event_t *ev)
{
    world_t *w = ud;
    size_t n = strlen(w->told);
    (void)snprintf(w->told + n, sizeof(w->told) - n, "%zu %s", file,
                   smcr_event_type_text(ev->type));
    n = strlen(w->told);
    if (ev->type == SMCR_EV_SPEC_END || ev->type == SMCR_EV_ATTEMPT)
        (void)snprintf(w->told + n, sizeof(w->told) - n, " %s %s %d/%d@%d", ev->id,
                       smcr_status_text(ev->status), (int)ev->failures, (int)ev->attempts,
                       (int)ev->round);
    (void)strncat(w->told, "\n", sizeof(w->told) - strlen(w->told) - 1);
    smcr_event_deinit(ev);
}

static world_t *open_world(smcr_options_t options)
{
    world_t *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    w->options = options;
    w->files[0] = (smcr_file_t){.path = "a.lua", .whole = true};
    w->files[1] = (smcr_file_t){.path = "b.lua", .whole = true};
    w->plan = (smcr_plan_t){.files = w->files, .n_files = 2};
    w->run = (smcr_run_t){.options = &w->options, .plan = &w->plan};
    assert_int_equal(SMC_OK, smcr_schedule_init(&w->schedule, &w->run, on_told, w, NULL));
    return w;
}

static void close_world(world_t *w)
{
    smcr_schedule_deinit(&w->schedule);
    free(w);
}

static void say(world_t *w, const smcr_job_t *job, smcr_event_type_t type, const char *id,
                smcr_status_t status)
{
    smcr_event_t ev = {.type = type, .status = status, .id = id == NULL ? NULL : strdup(id)};
    smcr_schedule_event(&w->schedule, job, &ev);
}

static void ends(world_t *w, const smcr_job_t *job, const char *id, smcr_status_t status)
{
    say(w, job, SMCR_EV_SPEC_START, id, SMCR_NONE);
    say(w, job, SMCR_EV_SPEC_END, id, status);
}

static smcr_job_t *next(world_t *w, size_t file, int64_t round)
{
    smcr_job_t *job = smcr_schedule_next(&w->schedule);
    assert_non_null(job);
    assert_int_equal(file, job->file);
    assert_int_equal(round, job->round);
    say(w, job, SMCR_EV_FILE_START, NULL, SMCR_NONE);
    return job;
}

static void end(world_t *w, smcr_job_t *job)
{
    say(w, job, SMCR_EV_FILE_END, NULL, SMCR_NONE);
    smcr_schedule_end(&w->schedule, job, &(smcr_ids_t){0});
}

static void has_told(world_t *w, const char *want)
{
    assert_string_equal(want, w->told);
    w->told[0] = '\0';
}

static void what_a_dead_worker_left_goes_on_before_other_files(void **state)
{
    world_t *w = open_world((smcr_options_t){0});
    smcr_ids_t left = {.all = calloc(1, sizeof(char *)), .n = 1};
    (void)state;
    smcr_job_t *job = next(w, 0, 0);
    ends(w, job, "a::x", SMCR_ERROR);
    left.all[0] = strdup("a::y");
    say(w, job, SMCR_EV_FILE_END, NULL, SMCR_NONE);
    smcr_schedule_end(&w->schedule, job, &left);
    has_told(w, "0 file_start\n0 spec_start\n0 spec_end a::x error 0/0@0\n");

    job = next(w, 0, 0);
    assert_int_equal(1, job->n_only);
    assert_string_equal("a::y", job->only[0]);
    say(w, job, SMCR_EV_DECLARED, "a::y", SMCR_NONE);
    ends(w, job, "a::y", SMCR_PASS);
    end(w, job);
    has_told(w, "0 spec_start\n0 spec_end a::y pass 0/0@0\n0 file_end\n");
    end(w, next(w, 1, 0));
    assert_null(smcr_schedule_next(&w->schedule));
    assert_true(smcr_schedule_finish(&w->schedule));
    close_world(w);
}

static void retries_keep_the_order_of_the_file(void **state)
{
    world_t *w = open_world((smcr_options_t){.retries = 2});
    (void)state;
    smcr_job_t *job = next(w, 0, 0);
    ends(w, job, "a::1", SMCR_PASS);
    ends(w, job, "a::2", SMCR_FAIL);
    ends(w, job, "a::3", SMCR_PASS);
    ends(w, job, "a::4", SMCR_ERROR);
    end(w, job);
    has_told(w, "0 file_start\n0 spec_start\n0 spec_end a::1 pass 0/0@0\n");

    job = next(w, 0, 0);
    assert_int_equal(2, job->n_only);
    ends(w, job, "a::2", SMCR_PASS);
    ends(w, job, "a::4", SMCR_ERROR);
    end(w, job);
    job = next(w, 0, 0);
    assert_int_equal(1, job->n_only);
    assert_string_equal("a::4", job->only[0]);
    ends(w, job, "a::4", SMCR_FAIL);
    has_told(w, "");
    end(w, job);
    has_told(w, "0 spec_start\n0 spec_end a::2 flaky 1/2@0\n"
                "0 spec_start\n0 spec_end a::3 pass 0/0@0\n"
                "0 spec_start\n0 attempt a::4 error 0/0@0\n0 attempt a::4 fail 0/0@0\n"
                "0 spec_end a::4 error 3/3@0\n0 file_end\n");
    close_world(w);
}

/* Of a worker that was interrupted, too. */
static void what_is_kept_back_is_told_in_the_end(void **state)
{
    world_t *w = open_world((smcr_options_t){.retries = 1, .max_fail = 1});
    (void)state;
    smcr_job_t *job = next(w, 0, 0);
    assert_int_equal(0, job->max_failures); /* what fails may pass yet */
    ends(w, job, "a::1", SMCR_FAIL);
    end(w, job);
    has_told(w, "0 file_start\n");
    assert_true(smcr_schedule_finish(&w->schedule));
    has_told(w, "0 spec_start\n0 spec_end a::1 fail 0/0@0\n0 file_end\n");
    close_world(w);
}

static void rounds_side_by_side_are_told_in_their_order(void **state)
{
    world_t *w = open_world((smcr_options_t){.repeat = 4});
    (void)state;
    smcr_job_t *first = next(w, 0, 0), *other = next(w, 1, 0);
    assert_null(smcr_schedule_next(&w->schedule)); /* the first round of a file gives the order */
    ends(w, first, "a::1", SMCR_PASS);
    end(w, first);
    smcr_job_t *one = next(w, 0, 1), *two = next(w, 0, 2), *three = next(w, 0, 3);
    ends(w, three, "a::1", SMCR_FAIL);
    ends(w, one, "a::1", SMCR_ERROR);
    ends(w, two, "a::1", SMCR_FAIL);
    end(w, two);
    end(w, three);
    has_told(w, "0 file_start\n1 file_start\n");
    end(w, one);
    has_told(w, "0 spec_start\n0 attempt a::1 fail 0/0@2\n0 attempt a::1 fail 0/0@3\n"
                "0 spec_end a::1 error 3/4@1\n0 file_end\n");
    end(w, other); /* nothing of it ran: nothing to repeat */
    assert_null(smcr_schedule_next(&w->schedule));
    close_world(w);
}

static void until_it_fails_files_take_turns(void **state)
{
    world_t *w = open_world((smcr_options_t){.until_fail = true});
    (void)state;
    for (int64_t round = 0; round < 3; round++)
        for (size_t file = 0; file < 2; file++) {
            smcr_job_t *job = next(w, file, round);
            assert_int_equal(1, job->max_failures); /* it need not wait to be stopped */
            ends(w, job, "x", round == 2 && file == 1 ? SMCR_FAIL : SMCR_PASS);
            assert_int_equal(round == 2 && file == 1, smcr_schedule_enough(&w->schedule));
            end(w, job);
        }
    assert_null(smcr_schedule_next(&w->schedule));
    assert_true(smcr_schedule_finish(&w->schedule));
    has_told(w, "0 file_start\n1 file_start\n0 spec_start\n0 spec_end x pass 0/3@0\n0 file_end\n"
                "1 spec_start\n1 spec_end x fail 1/3@2\n1 file_end\n");
    close_world(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_dead_worker_left_goes_on_before_other_files),
        cmocka_unit_test(retries_keep_the_order_of_the_file),
        cmocka_unit_test(what_is_kept_back_is_told_in_the_end),
        cmocka_unit_test(rounds_side_by_side_are_told_in_their_order),
        cmocka_unit_test(until_it_fails_files_take_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
