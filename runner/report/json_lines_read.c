#include "report/json_lines_read.h"

#include "report/json_lines.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define WRONG(err, ...) smc_fail(err, SMC_EPARSE, "json", 0, __VA_ARGS__)

void smcr_line_deinit(smcr_line_t *line)
{
    smcr_event_deinit(&line->event);
    free(line->start.required);
    *line = (smcr_line_t){0};
}

/* ---- fields ----------------------------------------------------------------- */

/* ["a","b"] -> "a,b" */
static smc_code_t read_list(const char *key, const json_t *value, char **out, smc_error_t *err)
{
    smc_buf_t list = {0};
    const json_t *item;
    size_t i;
    json_array_foreach((json_t *)value, i, item)
    {
        const char *text = json_string_value(item);
        if (text == NULL || strchr(text, ',') != NULL) {
            smc_buf_deinit(&list);
            return WRONG(err, "'%s' is a list of words", key);
        }
        (void)smc_buf_puts(&list, i > 0 ? "," : "");
        (void)smc_buf_puts(&list, text);
    }
    *out = list.failed ? NULL : list.len == 0 ? strdup("") : smc_buf_take(&list, NULL);
    smc_buf_deinit(&list);
    return *out == NULL ? smc_fail(err, SMC_ENOMEM, "json", 0, "no memory for a line") : SMC_OK;
}

static bool is_list(const char *key)
{
    return strcmp(key, "tags") == 0 || strcmp(key, "venues") == 0 || strcmp(key, "missing") == 0;
}

static smc_code_t read_text(const char *key, const json_t *value, char **out, smc_error_t *err)
{
    if (is_list(key))
        return json_is_array(value) ? read_list(key, value, out, err)
                                    : WRONG(err, "'%s' is a list of words", key);
    bool object = strcmp(key, "timeline") == 0;
    if (object ? !json_is_object(value) : !json_is_string(value))
        return WRONG(err, "'%s' is %s", key, object ? "an object" : "a text");
    *out = object ? json_dumps(value, JSON_COMPACT) : strdup(json_string_value(value));
    return *out == NULL ? smc_fail(err, SMC_ENOMEM, "json", 0, "no memory for a line") : SMC_OK;
}

static smc_code_t read_number(const char *key, const json_t *value, int64_t *out, smc_error_t *err)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return WRONG(err, "'%s' is a whole number", key);
    *out = json_integer_value(value);
    return SMC_OK;
}

/* Which of the words it is -> *index. */
static smc_code_t read_word(const char *key, const json_t *value, const char *(*nth)(int),
                            int *index, smc_error_t *err)
{
    const char *text = json_string_value(value), *word;
    for (*index = 0; text != NULL && (word = nth(*index)) != NULL; (*index)++)
        if (strcmp(word, text) == 0)
            return SMC_OK;
    return WRONG(err, "'%s' is none of the words that it can be", key);
}

/* ---- events ----------------------------------------------------------------- */

static smc_code_t read_field(smcr_event_t *ev, const char *key, const json_t *value,
                             smc_error_t *err)
{
#define X(field)                  \
    if (strcmp(key, #field) == 0) \
        return read_text(key, value, &ev->field, err);
    SMCR_TEXT_MAP(X)
#undef X
#define X(field)                  \
    if (strcmp(key, #field) == 0) \
        return read_number(key, value, &ev->field, err);
    SMCR_NUMBER_MAP(X)
#undef X
    return WRONG(err, "'%s' is no field of this version", key);
}

/* What reports rely on. */
static smc_code_t check_event(const smcr_event_t *ev, smc_error_t *err)
{
    bool of_file = ev->type == SMCR_EV_FILE_START || ev->type == SMCR_EV_FILE_END;
    bool judged = ev->type == SMCR_EV_SPEC_END || ev->type == SMCR_EV_ATTEMPT;
    if (of_file ? ev->file == NULL : ev->id == NULL)
        return WRONG(err, "'%s' is missing", of_file ? "file" : "id");
    if (judged != (ev->status != SMCR_NONE))
        return WRONG(err, judged ? "'status' is missing" : "'status' is of specs only");
    return SMC_OK;
}

static smc_code_t read_event(json_t *object, smcr_event_t *ev, smc_error_t *err)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        smc_code_t rc = SMC_OK;
        if (strcmp(key, "status") == 0) {
            int status = json_is_string(value) ? smcr_status_of(json_string_value(value)) : -1;
            if (status <= SMCR_NONE)
                return WRONG(err, "'status' is none of the words that it can be");
            ev->status = (smcr_status_t)status;
        } else if (strcmp(key, "v") != 0 && strcmp(key, "type") != 0) {
            rc = read_field(ev, key, value, err);
        }
        if (rc != SMC_OK)
            return rc;
    }
    return check_event(ev, err);
}

/* ---- the ends of a run --------------------------------------------------------- */

static const char *nth_target(int i)
{
    return i <= SMCR_TESTNET ? smcr_target_text((smcr_target_t)i) : NULL;
}

static const char *nth_clock(int i)
{
    return i <= SMCR_CLOCK_REAL ? smcr_clock_text((smcr_clock_t)i) : NULL;
}

static const char *nth_sabotage(int i)
{
    return i + 1 < SMCR_SABOTAGE_END ? smcr_sabotage_text((smcr_sabotage_t)(i + 1)) : NULL;
}

static smc_code_t read_shard(const json_t *value, smcr_shard_t *out, smc_error_t *err)
{
    const char *text = json_string_value(value);
    if (text == NULL || strcmp(text, "auto") == 0)
        return WRONG(err, "'shard' is a text like 2/5");
    return smcr_shard_read(text, NULL, out, err);
}

static smc_code_t read_start(const json_t *object, smcr_run_start_t *start, smc_error_t *err)
{
    int target = 0, clock = 0, sabotage = -1;
    int64_t seed = 0;
    const json_t *required = json_object_get(object, "require"),
                 *broken = json_object_get(object, "sabotage"),
                 *shard = json_object_get(object, "shard");
    smc_code_t rc =
        read_word("target", json_object_get(object, "target"), nth_target, &target, err);
    if (rc == SMC_OK)
        rc = read_word("clock", json_object_get(object, "clock"), nth_clock, &clock, err);
    if (rc == SMC_OK)
        rc = read_number("seed", json_object_get(object, "seed"), &seed, err);
    if (rc == SMC_OK && broken != NULL)
        rc = read_word("sabotage", broken, nth_sabotage, &sabotage, err);
    if (rc == SMC_OK && shard != NULL)
        rc = read_shard(shard, &start->shard, err);
    if (rc == SMC_OK && required != NULL)
        rc = read_list("require", required, &start->required, err);
    start->target = (smcr_target_t)target;
    start->clock = (smcr_clock_t)clock;
    start->seed = (uint64_t)seed;
    start->sabotage = (smcr_sabotage_t)(sabotage + 1);
    return rc;
}

static smc_code_t read_end(const json_t *object, smcr_run_end_t *end, smc_error_t *err)
{
    int64_t status = 0;
    smc_code_t rc = read_number("exit", json_object_get(object, "exit"), &status, err);
    if (rc == SMC_OK)
        rc = read_number("real_us", json_object_get(object, "real_us"), &end->real_us, err);
    end->interrupted = json_is_true(json_object_get(object, "interrupted"));
    end->stopped = json_is_true(json_object_get(object, "stopped"));
    end->exit = (int)status;
    return rc;
}

/* ---- a line --------------------------------------------------------------------- */

static smc_code_t read_object(json_t *object, smcr_line_t *out, smc_error_t *err)
{
    const json_t *version = json_object_get(object, "v");
    const char *type = json_string_value(json_object_get(object, "type"));
    if (!json_is_integer(version) || type == NULL)
        return WRONG(err, "it is no line of a report: 'v' or 'type' is missing");
    if (json_integer_value(version) != SMCR_JSON_VERSION)
        return WRONG(err,
                     "its version is %" JSON_INTEGER_FORMAT
                     ", this program reads %d: run and merge with the same smcrun",
                     json_integer_value(version), SMCR_JSON_VERSION);
    if (strcmp(type, "run_start") == 0) {
        out->kind = SMCR_LINE_START;
        return read_start(object, &out->start, err);
    }
    if (strcmp(type, "run_end") == 0) {
        out->kind = SMCR_LINE_END;
        return read_end(object, &out->end, err);
    }
    int event = smcr_event_type_of(type);
    if (event < 0)
        return WRONG(err, "'%.40s' is no type of this version", type);
    out->kind = SMCR_LINE_EVENT;
    out->event.type = (smcr_event_type_t)event;
    return read_event(object, &out->event, err);
}

smc_code_t smcr_line_read(const char *text, size_t n, smcr_line_t *out, smc_error_t *err)
{
    json_error_t why;
    json_t *object = json_loadb(text, n, JSON_REJECT_DUPLICATES, &why);
    *out = (smcr_line_t){0};
    smc_code_t rc =
        json_is_object(object) ? read_object(object, out, err)
        : object != NULL
            ? WRONG(err, "it is no object")
            : WRONG(err, "it is no whole JSON, as --report json:FILE writes it: %s", why.text);
    json_decref(object);
    if (rc != SMC_OK)
        smcr_line_deinit(out);
    return rc;
}
