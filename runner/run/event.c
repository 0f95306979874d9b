#include "run/event.h"

#include <stdlib.h>
#include <string.h>

#define OP "event"
#define MAX_RECORD_BYTES ((uint32_t)256 << 20)
#define ABSENT UINT32_MAX

static const char *const type_texts[] = {
#define X(name, text) text,
    SMCR_EVENT_MAP(X)
#undef X
};
static const char *const status_texts[] = {
#define X(name, text) text,
    SMCR_STATUS_MAP(X)
#undef X
};
enum {
    TYPE_COUNT = sizeof(type_texts) / sizeof(type_texts[0]),
    STATUS_COUNT = sizeof(status_texts) / sizeof(status_texts[0]),
};

static int index_of(const char *const texts[], int count, const char *text)
{
    for (int i = 0; i < count; i++)
        if (strcmp(texts[i], text) == 0)
            return i;
    return -1;
}

int smcr_event_type_of(const char *text)
{
    return index_of(type_texts, TYPE_COUNT, text);
}

int smcr_status_of(const char *text)
{
    return index_of(status_texts, STATUS_COUNT, text);
}

const char *smcr_event_type_text(smcr_event_type_t type)
{
    return type_texts[type];
}

const char *smcr_status_text(smcr_status_t status)
{
    return status_texts[status];
}

bool smcr_event_is_interruption(const smcr_event_t *ev)
{
    return ev->kind != NULL &&
           (strcmp(ev->kind, "interrupted") == 0 || strcmp(ev->kind, "stopped") == 0);
}

bool smcr_event_is_failure(const smcr_event_t *ev)
{
    bool failed = ev->status == SMCR_FAIL || ev->status == SMCR_ERROR;
    return (ev->type == SMCR_EV_FILE_ERROR || (ev->type == SMCR_EV_SPEC_END && failed)) &&
           !smcr_event_is_interruption(ev);
}

void smcr_event_deinit(smcr_event_t *ev)
{
#define X(field) free(ev->field);
    SMCR_TEXT_MAP(X)
#undef X
    *ev = (smcr_event_t){0};
}

static void put_u32(smc_buf_t *out, uint32_t n)
{
    (void)smc_buf_append(out, &n, sizeof(n));
}

static void put_text(smc_buf_t *out, const char *text)
{
    size_t n = text == NULL ? 0 : strlen(text);
    put_u32(out, text == NULL ? ABSENT : (uint32_t)n);
    if (n > 0)
        (void)smc_buf_append(out, text, n);
}

static uint64_t record_size(const smcr_event_t *ev)
{
    uint64_t n = 2;
#define X(field) n += sizeof(uint32_t) + (ev->field == NULL ? 0 : strlen(ev->field));
    SMCR_TEXT_MAP(X)
#undef X
#define X(field) n += sizeof(ev->field);
    SMCR_NUMBER_MAP(X)
#undef X
    return n;
}

smc_code_t smcr_event_write(const smcr_event_t *ev, smc_buf_t *out)
{
    uint64_t size = record_size(ev);
    if (size > MAX_RECORD_BYTES)
        return SMC_ETOOBIG;
    if (smc_buf_reserve(out, sizeof(uint32_t) + size) != SMC_OK)
        return SMC_ENOMEM;
    put_u32(out, (uint32_t)size);
    (void)smc_buf_putc(out, (char)ev->type);
    (void)smc_buf_putc(out, (char)ev->status);
#define X(field) put_text(out, ev->field);
    SMCR_TEXT_MAP(X)
#undef X
#define X(field) (void)smc_buf_append(out, &ev->field, sizeof(ev->field));
    SMCR_NUMBER_MAP(X)
#undef X
    return out->failed ? SMC_ENOMEM : SMC_OK;
}

typedef struct reader {
    const char *at;
    size_t left;
    smc_code_t rc;
} reader_t;

static bool take(reader_t *r, void *out, size_t n)
{
    if (r->rc != SMC_OK)
        return false;
    if (r->left < n) {
        r->rc = SMC_EPARSE;
        return false;
    }
    memcpy(out, r->at, n);
    r->at += n;
    r->left -= n;
    return true;
}

static void take_text(reader_t *r, char **out)
{
    uint32_t n;
    if (!take(r, &n, sizeof(n)) || n == ABSENT)
        return;
    if (r->left < n || memchr(r->at, '\0', n) != NULL) {
        r->rc = SMC_EPARSE;
        return;
    }
    *out = strndup(r->at, n);
    if (*out == NULL) {
        r->rc = SMC_ENOMEM;
        return;
    }
    r->at += n;
    r->left -= n;
}

/* The law that reports rely on. */
static bool is_sound(const smcr_event_t *ev)
{
    switch (ev->type) {
    case SMCR_EV_DECLARED:
    case SMCR_EV_SPEC_START:
        return ev->id != NULL;
    case SMCR_EV_SPEC_END:
    case SMCR_EV_ATTEMPT:
        return ev->id != NULL && ev->status != SMCR_NONE;
    case SMCR_EV_FILE_START:
    case SMCR_EV_FILE_ERROR:
    case SMCR_EV_FILE_END:
        return true;
    }
    return false;
}

static smc_code_t read_body(const char *bytes, size_t n, smcr_event_t *ev)
{
    reader_t r = {.at = bytes, .left = n};
    unsigned char type = TYPE_COUNT, status = STATUS_COUNT;
    *ev = (smcr_event_t){0};
    (void)take(&r, &type, 1);
    (void)take(&r, &status, 1);
    if (type >= TYPE_COUNT || status >= STATUS_COUNT)
        return SMC_EPARSE;
    ev->type = (smcr_event_type_t)type;
    ev->status = (smcr_status_t)status;
#define X(field) take_text(&r, &ev->field);
    SMCR_TEXT_MAP(X)
#undef X
#define X(field) (void)take(&r, &ev->field, sizeof(ev->field));
    SMCR_NUMBER_MAP(X)
#undef X
    if (r.rc == SMC_OK && (r.left != 0 || !is_sound(ev)))
        r.rc = SMC_EPARSE;
    return r.rc;
}

smc_code_t smcr_event_read(const char *bytes, size_t n, smcr_event_t *ev, size_t *used)
{
    uint32_t size;
    *used = 0;
    if (n < sizeof(size))
        return SMC_OK;
    memcpy(&size, bytes, sizeof(size));
    if (size > MAX_RECORD_BYTES)
        return SMC_EPARSE;
    if (n - sizeof(size) < size)
        return SMC_OK;
    smc_code_t rc = read_body(bytes + sizeof(size), size, ev);
    if (rc != SMC_OK)
        smcr_event_deinit(ev);
    else
        *used = sizeof(size) + size;
    return rc;
}
