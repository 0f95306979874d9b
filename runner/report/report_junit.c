/* JUnit XML, as CI servers read it: a file is a test suite, a spec a test case.  A suite's head holds its counts, so its
 * cases are kept until the file has ended.  Times are real seconds. */
#include "report/repeat.h"
#include "report/report.h"
#include "report/text.h"

#include <stdlib.h>
#include <string.h>

enum { TRANSCRIPT_LINES = 200 };

typedef struct counts {
    size_t tests, failures, errors, skipped;
    int64_t real_us;
} counts_t;

typedef struct junit {
    smcr_reporter_t head;
    const smcr_run_info_t *info;
    counts_t suite, all;
    char *path;         /* of that suite's file */
    smc_buf_t attempts; /* records of the failed ones of the spec that ends next */
    FILE *cases;        /* of the file that is being told, in memory; NULL: none */
    char *text;
    size_t len;
    FILE *suites; /* those that are told, in memory until the totals are known */
    char *suites_text;
    size_t suites_len;
} junit_t;

static void put_attribute(FILE *out, const char *name, const char *value)
{
    if (value == NULL)
        return;
    (void)fprintf(out, " %s=\"", name);
    smcr_put_xml(out, value);
    (void)fputc('"', out);
}

static void put_counts(FILE *out, const counts_t *c)
{
    (void)fprintf(out,
                  " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\" time=\"%.6f\"",
                  c->tests, c->failures, c->errors, c->skipped, (double)c->real_us / 1e6);
}

static void put_element(FILE *out, const char *name, const char *text)
{
    if (text == NULL || *text == '\0')
        return;
    (void)fprintf(out, "      <%s>", name);
    smcr_put_xml(out, text);
    (void)fprintf(out, "</%s>\n", name);
}

/* "failover/cascade.lua" -> "failover.cascade": what readers group by. */
static void put_class(FILE *out, const char *path)
{
    size_t n = strlen(path);
    if (n > 4 && strcmp(path + n - 4, ".lua") == 0)
        n -= 4;
    (void)fputs(" classname=\"", out);
    for (size_t i = 0; i < n; i++) {
        char c[2] = {path[i] == '/' ? '.' : path[i], '\0'};
        if ((unsigned char)c[0] < 0x80)
            smcr_put_xml(out, c);
        else
            (void)fputc(c[0], out); /* one byte of several: a whole character is let through */
    }
    (void)fputc('"', out);
}

/* Where it happened, and how to see it again. */
static void put_place(junit_t *j, const smcr_event_t *ev)
{
    FILE *out = j->cases;
    if (ev->file != NULL) {
        smcr_put_xml(out, ev->file);
        if (ev->line > 0)
            (void)fprintf(out, ":%lld", (long long)ev->line);
        (void)fputs("&#10;", out);
    }
    if (ev->traceback != NULL) {
        smcr_put_xml(out, ev->traceback);
        (void)fputs("&#10;", out);
    }
    (void)fputs("again: ", out);
    char *again = NULL;
    size_t n;
    FILE *memory = open_memstream(&again, &n);
    if (memory != NULL) {
        smcr_put_repeat(memory, j->info->options, ev);
        (void)fclose(memory);
        smcr_put_xml(out, again);
    }
    free(again);
}

static void put_captured(FILE *out, const smcr_event_t *ev)
{
    size_t left_out;
    put_element(out, "system-out", ev->output);
    if (ev->transcript != NULL)
        put_element(out, "system-err",
                    smcr_last_lines(ev->transcript, TRANSCRIPT_LINES, &left_out));
}

static void open_problem(FILE *out, const smcr_event_t *ev, const char *element)
{
    (void)fprintf(out, "      <%s", element);
    put_attribute(out, "type", ev->kind == NULL ? "error" : ev->kind);
    put_attribute(out, "message", ev->message == NULL ? "" : ev->message);
    (void)fputc('>', out);
}

static void put_problem(junit_t *j, const smcr_event_t *ev, const char *element)
{
    open_problem(j->cases, ev, element);
    put_place(j, ev);
    (void)fprintf(j->cases, "</%s>\n", element);
}

static bool is_assertion(const smcr_event_t *ev)
{
    return ev->status == SMCR_FAIL || (ev->kind != NULL && (strcmp(ev->kind, "assertion") == 0 ||
                                                            strcmp(ev->kind, "timeout") == 0));
}

/* A run that is not the verdict, as Maven Surefire writes it, which readers know.  prefix: "flaky" or "rerun". */
static void put_attempt(junit_t *j, const smcr_event_t *ev, const char *prefix)
{
    char element[16];
    (void)snprintf(element, sizeof(element), "%s%s", prefix,
                   is_assertion(ev) ? "Failure" : "Error");
    open_problem(j->cases, ev, element);
    (void)fputs("<stackTrace>", j->cases);
    put_place(j, ev);
    (void)fputs("</stackTrace>\n", j->cases);
    put_captured(j->cases, ev);
    (void)fprintf(j->cases, "      </%s>\n", element);
}

static void put_attempts(junit_t *j, const char *prefix)
{
    size_t at = 0, used;
    while (at < j->attempts.len) {
        smcr_event_t ev = {0};
        if (smcr_event_read(j->attempts.data + at, j->attempts.len - at, &ev, &used) != SMC_OK ||
            used == 0)
            break;
        put_attempt(j, &ev, prefix);
        smcr_event_deinit(&ev);
        at += used;
    }
    smc_buf_clear(&j->attempts);
}

/* Which of the suite's counts an end belongs to; and the name of its element, NULL when it passed.  An expected failure has
 * the element of a skip, with its reason, as pytest writes it. */
static const char *count(counts_t *c, const smcr_event_t *ev)
{
    c->tests++;
    c->real_us += ev->real_us;
    if (ev->type == SMCR_EV_SPEC_END && (ev->status == SMCR_PASS || ev->status == SMCR_FLAKY))
        return NULL;
    if (ev->type == SMCR_EV_SPEC_END && (ev->status == SMCR_SKIP || ev->status == SMCR_XFAIL)) {
        c->skipped++;
        return "skipped";
    }
    if (ev->type == SMCR_EV_SPEC_END && ev->status == SMCR_FAIL) {
        c->failures++;
        return "failure";
    }
    c->errors++;
    return "error";
}

static void put_case(junit_t *j, const smcr_event_t *ev)
{
    FILE *out = j->cases;
    const char *path = j->path;
    const char *element = count(&j->suite, ev);
    size_t n = strlen(path);
    const char *id = ev->id == NULL ? "?" : ev->id;
    bool below = strncmp(id, path, n) == 0 && strncmp(id + n, "::", 2) == 0;
    (void)fputs("    <testcase", out);
    put_attribute(out, "name",
                  ev->type == SMCR_EV_FILE_ERROR ? "the file"
                  : below                        ? id + n + 2
                                                 : id);
    put_class(out, path);
    (void)fprintf(out, " time=\"%.6f\">\n", (double)ev->real_us / 1e6);
    if (element != NULL && strcmp(element, "skipped") == 0) {
        (void)fputs("      <skipped", out);
        put_attribute(out, "message", ev->message == NULL ? "" : ev->message);
        (void)fputs("/>\n", out);
    } else if (element != NULL) {
        put_problem(j, ev, element);
        put_attempts(j, "rerun");
        put_captured(out, ev);
    } else if (ev->status == SMCR_FLAKY) {
        put_attempt(j, ev, "flaky");
        put_attempts(j, "flaky");
    }
    (void)fputs("    </testcase>\n", out);
}

static void close_memory(FILE **out)
{
    if (*out != NULL)
        (void)fclose(*out);
    *out = NULL;
}

static void end_suite(junit_t *j)
{
    if (j->cases == NULL)
        return;
    close_memory(&j->cases);
    if (j->suites != NULL && j->suite.tests > 0) {
        (void)fputs("  <testsuite", j->suites);
        put_attribute(j->suites, "name", j->path);
        put_counts(j->suites, &j->suite);
        (void)fputs(">\n", j->suites);
        (void)fwrite(j->text, 1, j->len, j->suites);
        (void)fputs("  </testsuite>\n", j->suites);
    }
    free(j->text);
    j->text = NULL;
    j->all.tests += j->suite.tests;
    j->all.failures += j->suite.failures;
    j->all.errors += j->suite.errors;
    j->all.skipped += j->suite.skipped;
    j->all.real_us += j->suite.real_us;
}

static void on_start(smcr_reporter_t *r, const smcr_run_info_t *info)
{
    junit_t *j = (junit_t *)r;
    j->info = info;
    j->suites = open_memstream(&j->suites_text, &j->suites_len);
    r->failed = j->suites == NULL;
}

static void on_event(smcr_reporter_t *r, const smcr_event_t *ev)
{
    junit_t *j = (junit_t *)r;
    if (ev->type == SMCR_EV_FILE_START) {
        j->suite = (counts_t){0};
        free(j->path);
        j->path = strdup(ev->file == NULL ? "?" : ev->file);
        j->cases = open_memstream(&j->text, &j->len);
        r->failed = r->failed || j->cases == NULL || j->path == NULL;
    } else if (ev->type == SMCR_EV_FILE_END) {
        end_suite(j);
    } else if (ev->type == SMCR_EV_ATTEMPT) {
        r->failed = smcr_event_write(ev, &j->attempts) != SMC_OK || r->failed;
    } else if ((ev->type == SMCR_EV_SPEC_END || ev->type == SMCR_EV_FILE_ERROR) &&
               j->cases != NULL && j->path != NULL && !smcr_event_is_interruption(ev)) {
        put_case(j, ev);
    }
}

static void on_end(smcr_reporter_t *r, const smcr_totals_t *t)
{
    junit_t *j = (junit_t *)r;
    (void)t;
    close_memory(&j->suites);
    (void)fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"smcrun\"", r->out);
    put_counts(r->out, &j->all);
    (void)fputs(">\n", r->out);
    if (j->suites_text != NULL)
        (void)fwrite(j->suites_text, 1, j->suites_len, r->out);
    (void)fputs("</testsuites>\n", r->out);
}

static void on_free(smcr_reporter_t *r)
{
    junit_t *j = (junit_t *)r;
    close_memory(&j->cases);
    close_memory(&j->suites);
    free(j->text);
    free(j->suites_text);
    smc_buf_deinit(&j->attempts);
    free(j->path);
    free(j);
}

smcr_reporter_t *smcr_report_junit_new(FILE *out, const char *file)
{
    static const smcr_reporter_ops_t ops = {
        .start = on_start, .event = on_event, .end = on_end, .free = on_free};
    junit_t *j = calloc(1, sizeof(*j));
    if (j == NULL)
        return NULL;
    j->head = (smcr_reporter_t){.ops = &ops, .out = out, .file = file};
    return &j->head;
}
