#include "run/journal.h"

#include "smc/rng.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/smcr_journal_XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static smcr_journal_t create(void)
{
    smcr_journal_t j;
    smc_error_t err = {0};
    if (smcr_journal_create(folder, &j, &err) != SMC_OK)
        fail_msg("%s", err.detail);
    return j;
}

static void discard(smcr_journal_t *j)
{
    assert_int_equal(unlink(j->path), 0);
    smcr_journal_close(j);
}

static void note(const smcr_journal_t *j, char kind, const char *id, const char *text)
{
    smc_error_t err = {0};
    if (smcr_journal_note(j->fd, kind, id, text, false, &err) != SMC_OK)
        fail_msg("%s", err.detail);
}

/* The ids of the live orders, each with a blank behind it. */
static char *lives(const smcr_journal_t *j)
{
    static char text[4096];
    smcr_lives_t live = {0};
    smc_error_t err = {0};
    if (smcr_journal_load(j, &live, &err) != SMC_OK)
        fail_msg("%s", err.detail);
    text[0] = '\0';
    for (size_t i = 0; i < live.count; i++) {
        strncat(text, live.items[i].id, sizeof(text) - strlen(text) - 1);
        strncat(text, " ", sizeof(text) - strlen(text) - 1);
    }
    smcr_lives_deinit(&live);
    return text;
}

static void orders_live_until_they_are_noted_dead(void **state)
{
    (void)state;
    smcr_journal_t j = create();
    struct stat st;
    smcr_lives_t live = {0};
    assert_string_equal(lives(&j), "");
    note(&j, '+', "7.1", "{\"venue\":\"binance\"}");
    note(&j, '+', "7.2", "{}");
    note(&j, '+', "8.1", "{}");
    note(&j, '-', "7.2", "filled");
    note(&j, '-', "9.9", "canceled"); /* nobody's */
    assert_string_equal(lives(&j), "7.1 8.1 ");
    assert_int_equal(smcr_journal_load(&j, &live, NULL), SMC_OK);
    assert_string_equal(live.items[0].text, "{\"venue\":\"binance\"}");
    smcr_lives_deinit(&live);
    assert_int_equal(fstat(j.fd, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(smcr_journal_pid(j.path), getpid());
    discard(&j);
}

static void what_is_no_record_is_refused(void **state)
{
    (void)state;
    smcr_journal_t j = create();
    smc_error_t err = {0};
    assert_int_equal(smcr_journal_note(j.fd, '+', "1", "a\nb", false, &err), SMC_EINVAL);
    assert_int_equal(smcr_journal_note(j.fd, '+', "", "a", false, &err), SMC_EINVAL);
    assert_int_equal(smcr_journal_note(j.fd, '+', "1 2", "a", false, &err), SMC_EINVAL);
    assert_int_equal(smcr_journal_note(j.fd, '?', "1", "a", false, &err), SMC_EINVAL);
    assert_string_equal(lives(&j), "");
    discard(&j);
}

static void what_is_no_journal_is_no_empty_one(void **state)
{
    (void)state;
    smcr_lives_t live = {0};
    smc_error_t err = {0};
    assert_int_equal(smcr_journal_read("notes of mine", 13, &live, &err), SMC_EPARSE);
    assert_int_equal(smcr_journal_read("smcrun journal 2\n", 17, &live, &err), SMC_EPARSE);
    assert_int_equal(smcr_journal_read("smcrun journal 10", 17, &live, &err), SMC_EPARSE);
    assert_int_equal(smcr_journal_read("smcrun jou", 10, &live, &err), SMC_OK);
    assert_int_equal(live.count, 0);
}

/* A disk that is full in the middle of a record: the next one, of whatever process, counts all the same. */
static void a_record_that_was_cut_short_harms_no_other(void **state)
{
    (void)state;
    smcr_journal_t j = create();
    struct stat st;
    struct rlimit was, tight;
    smc_error_t err = {0};
    note(&j, '+', "1.1", "{}");
    assert_int_equal(fstat(j.fd, &st), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
    tight = (struct rlimit){.rlim_cur = (rlim_t)st.st_size + 7, .rlim_max = was.rlim_max};
    assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    assert_int_equal(smcr_journal_note(j.fd, '+', "1.2", "{}", true, &err), SMC_ESYS);
    assert_int_equal(smcr_journal_note(j.fd, '+', "1.3", "{}", true, &err), SMC_ESYS);
    assert_non_null(strstr(err.detail, "the journal of orders cannot be written: "));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
    note(&j, '+', "1.4", "{}");
    assert_string_equal(lives(&j), "1.1 1.4 ");
    discard(&j);
}

static void a_journal_is_busy_until_the_last_of_its_run_is_gone(void **state)
{
    (void)state;
    smcr_journal_t j = create(), other;
    smc_error_t err = {0};
    bool busy = false;
    int go[2];
    char path[PATH_MAX], byte;
    assert_int_equal(pipe(go), 0);
    pid_t worker = fork();
    if (worker == 0) {
        (void)close(go[1]);
        _exit(read(go[0], &byte, 1) == 0 ? 0 : 1);
    }
    (void)close(go[0]);
    memcpy(path, j.path, sizeof(path));
    smcr_journal_close(&j);
    assert_int_equal(smcr_journal_open(path, &other, &busy, &err), SMC_OK);
    assert_true(busy);
    assert_int_equal(other.fd, -1);
    (void)close(go[1]);
    assert_int_equal(waitpid(worker, NULL, 0), worker);
    assert_int_equal(smcr_journal_open(path, &other, &busy, &err), SMC_OK);
    assert_false(busy);
    discard(&other);
}

static void the_folder_is_as_given_or_by_the_environment(void **state)
{
    (void)state;
    char path[PATH_MAX];
    smc_error_t err = {0};
    assert_int_equal(setenv("XDG_STATE_HOME", "/x", 1), 0);
    assert_int_equal(setenv("HOME", "/h", 1), 0);
    assert_int_equal(smcr_journal_folder("mine", path, &err), SMC_OK);
    assert_string_equal(path, "mine");
    assert_int_equal(smcr_journal_folder(NULL, path, &err), SMC_OK);
    assert_string_equal(path, "/x/smcrun");
    assert_int_equal(setenv("XDG_STATE_HOME", "not/absolute", 1), 0);
    assert_int_equal(smcr_journal_folder(NULL, path, &err), SMC_OK);
    assert_string_equal(path, "/h/.local/state/smcrun");
    assert_int_equal(unsetenv("HOME"), 0);
    assert_int_equal(smcr_journal_folder(NULL, path, &err), SMC_EINVAL);
    assert_non_null(strstr(err.detail, "--state-dir"));
    smcr_journal_t j;
    assert_int_equal(smcr_journal_create("/dev/null/x", &j, &err), SMC_ESYS);
    assert_int_equal(j.fd, -1);
}

/* ---- the law --------------------------------------------------------------- */

/* Whatever is appended, and wherever the file then ends: an order is live if, and only if, the whole of its record is
 * there and no whole record of its death.  The model keeps a set; the file is cut behind every byte. */
enum { ORDERS = 24, STEPS = 40, FILES = 300, ROOM = 16384 };

typedef struct model {
    bool live[ORDERS];
    size_t end; /* of the last whole record */
} model_t;

static size_t size_of(const smcr_journal_t *j)
{
    struct stat st;
    assert_int_equal(fstat(j->fd, &st), 0);
    return (size_t)st.st_size;
}

/* Any bytes but the newline and NUL; blanks, signs and digits often, so that they look like records. */
static void random_text(smc_rng_t *rng, char *out)
{
    static const char likely[] = " +-0123456789abcdef{}\"";
    size_t n = smc_rng_below(rng, 40);
    for (size_t i = 0; i < n; i++) {
        char c = (char)smc_rng_below(rng, 256);
        out[i] = c == '\0' || c == '\n' || smc_rng_below(rng, 2) == 0
                     ? likely[smc_rng_below(rng, sizeof(likely) - 1)]
                     : c;
    }
    out[n] = '\0';
}

static void step(smc_rng_t *rng, const smcr_journal_t *j, model_t *m)
{
    char id[16], text[64];
    size_t order = smc_rng_below(rng, ORDERS);
    (void)snprintf(id, sizeof(id), "%zu", order);
    random_text(rng, text);
    if (smc_rng_below(rng, 5) == 0) { /* a write that was cut short */
        size_t before = size_of(j);
        note(j, '+', "torn", text);
        size_t whole = size_of(j) - before;
        assert_int_equal(ftruncate(j->fd, (off_t)(before + smc_rng_below(rng, whole))), 0);
        return;
    }
    note(j, m->live[order] ? '-' : '+', id, text);
    m->live[order] = !m->live[order];
    m->end = size_of(j);
}

static void check_cut(const char *bytes, size_t cut, const model_t *steps, size_t n)
{
    static const model_t nothing;
    const model_t *wanted = &nothing;
    bool live[ORDERS] = {false};
    smcr_lives_t found = {0};
    for (size_t i = 0; i < n && steps[i].end <= cut; i++)
        wanted = &steps[i];
    assert_int_equal(smcr_journal_read(bytes, cut, &found, NULL), SMC_OK);
    for (size_t i = 0; i < found.count; i++) {
        assert_string_not_equal(found.items[i].id, "torn");
        live[strtoul(found.items[i].id, NULL, 10)] = true;
    }
    smcr_lives_deinit(&found);
    if (memcmp(live, wanted->live, sizeof(live)) != 0)
        fail_msg("cut behind byte %zu", cut);
}

static void a_cut_loses_no_whole_record_and_invents_none(void **state)
{
    (void)state;
    smc_rng_t rng;
    static char bytes[ROOM];
    smc_rng_init(&rng, 1, "journal");
    for (int file = 0; file < FILES; file++) {
        smcr_journal_t j = create();
        model_t steps[STEPS] = {{.end = 0}};
        for (size_t i = 0; i < STEPS; i++) {
            if (i > 0)
                steps[i] = steps[i - 1];
            step(&rng, &j, &steps[i]);
        }
        ssize_t n = pread(j.fd, bytes, sizeof(bytes), 0);
        assert_in_range(n, 1, ROOM - 1);
        for (size_t cut = 0; cut <= (size_t)n; cut++)
            check_cut(bytes, cut, steps, STEPS);
        discard(&j);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orders_live_until_they_are_noted_dead),
        cmocka_unit_test(what_is_no_record_is_refused),
        cmocka_unit_test(what_is_no_journal_is_no_empty_one),
        cmocka_unit_test(a_record_that_was_cut_short_harms_no_other),
        cmocka_unit_test(a_journal_is_busy_until_the_last_of_its_run_is_gone),
        cmocka_unit_test(the_folder_is_as_given_or_by_the_environment),
        cmocka_unit_test(a_cut_loses_no_whole_record_and_invents_none),
    };
    return cmocka_run_group_tests_name("journal", tests, make_folder, remove_folder);
}
