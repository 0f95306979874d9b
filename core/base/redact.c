#include "redact_priv.h"

#include "smc/secret.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Plain, hex, and base64 in two alphabets at three alignments. */
enum { NEEDLES = 8 };

struct redact_needle {
    const char *bytes; /* in the entry's store */
    size_t n;
    bool any_case;
    redact_needle_t *next;
};

struct redact_entry {
    redact_entry_t *next;
    smc_secret_t *store; /* the bytes of all needles, one behind the other */
    size_t n;            /* the secret's own length: its plain form is the first needle */
    redact_needle_t needles[NEEDLES];
};

static const char digits[] = "0123456789abcdef";
static const char alphabets[2][65] = {
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
};

/* ---- the forms of a secret ------------------------------------------------------------------ */

static size_t put_hex(char *to, const unsigned char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        to[2 * i] = digits[s[i] >> 4];
        to[2 * i + 1] = digits[s[i] & 15];
    }
    return 2 * n;
}

/* Only the characters that all of whose bits are the secret's: those at the ends also depend on its neighbours. */
static size_t put_base64(char *to, const unsigned char *s, size_t n, size_t before,
                         const char *alphabet)
{
    size_t first = (8 * before + 5) / 6;
    size_t end = 8 * (before + n) / 6;

    for (size_t c = first; c < end; c++) {
        size_t bit = 6 * c - 8 * before;
        unsigned pair = (unsigned)s[bit / 8] << 8;

        if (bit / 8 + 1 < n)
            pair |= s[bit / 8 + 1];
        to[c - first] = alphabet[pair >> (10 - bit % 8) & 63];
    }
    return end - first;
}

static size_t fill_forms(redact_entry_t *e, char *to, const unsigned char *s, size_t n)
{
    redact_needle_t *needle = e->needles;
    char *at = to;

    memcpy(at, s, n);
    *needle++ = (redact_needle_t){.bytes = at, .n = n};
    at += n;
    *needle++ = (redact_needle_t){.bytes = at, .n = put_hex(at, s, n), .any_case = true};
    at += 2 * n;
    for (size_t k = 0; k < 6; k++) {
        *needle =
            (redact_needle_t){.bytes = at, .n = put_base64(at, s, n, k % 3, alphabets[k / 3])};
        at += needle++->n;
    }
    return (size_t)(at - to);
}

static smc_code_t make_entry(const void *secret, size_t n, redact_entry_t **out, smc_error_t *err)
{
    size_t room = 3 * n + 6 * (n / 3 * 4 + 4);
    redact_entry_t *e = calloc(1, sizeof(*e));
    char *forms = calloc(1, room);
    size_t used;
    smc_code_t code = SMC_ENOMEM;

    if (e == NULL || forms == NULL) {
        (void)smc_fail(err, SMC_ENOMEM, "log.hide", 0, "out of memory");
        goto out;
    }
    used = fill_forms(e, forms, secret, n);
    code = smc_secret_new(forms, used, &e->store, err);
    if (code != SMC_OK)
        goto out;
    for (size_t k = 0; k < NEEDLES; k++)
        e->needles[k].bytes = smc_secret_borrow(e->store, NULL) + (e->needles[k].bytes - forms);
    e->n = n;
    *out = e;
    e = NULL;
out:
    if (forms != NULL)
        smc_wipe(forms, room);
    free(forms);
    free(e);
    return code;
}

/* ---- which pairs of bytes a secret can start with ------------------------------------------- */

/* Its number, as one read of both bytes gives it: each byte of each text is looked at. */
static unsigned pair_at(const char *p)
{
    uint16_t pair;

    memcpy(&pair, p, sizeof(pair));
    return pair;
}

static void allow(redact_t *r, int first, int second)
{
    unsigned pair = pair_at((const char[]){(char)first, (char)second});

    r->starts[pair / 8] = (unsigned char)(r->starts[pair / 8] | 1u << pair % 8);
}

static bool may_start(const redact_t *r, const char *p)
{
    unsigned pair = pair_at(p);

    return (r->starts[pair / 8] >> pair % 8 & 1) != 0;
}

/* An escape in either place may be any byte, so it is let through. */
static void allow_needle(redact_t *r, const redact_needle_t *needle)
{
    int low[2] = {(unsigned char)needle->bytes[0], (unsigned char)needle->bytes[1]};
    int high[2] = {low[0], low[1]};

    for (int i = 0; i < 2 && needle->any_case; i++)
        high[i] = toupper(low[i]);
    for (int i = 0; i < 2; i++) {
        int first = i == 0 ? low[0] : high[0];

        allow(r, first, low[1]);
        allow(r, first, high[1]);
        allow(r, first, '%');
        allow(r, first, '\\');
    }
    for (int second = 0; second < 256; second++) {
        allow(r, '%', second);
        allow(r, '\\', second);
    }
}

smc_code_t redact_add(redact_t *r, const void *secret, size_t n, smc_error_t *err)
{
    redact_entry_t *e = NULL;
    smc_code_t code;

    for (e = r->entries; e != NULL; e = e->next)
        if (e->n == n && memcmp(e->needles[0].bytes, secret, n) == 0)
            return SMC_OK;
    code = make_entry(secret, n, &e, err);
    if (code != SMC_OK)
        return code;
    e->next = r->entries;
    r->entries = e;
    for (size_t k = 0; k < NEEDLES; k++) {
        redact_needle_t *needle = &e->needles[k];
        redact_needle_t **head = &r->heads[tolower((unsigned char)needle->bytes[0])];

        needle->next = *head;
        *head = needle;
        allow_needle(r, needle);
    }
    return SMC_OK;
}

void redact_deinit(redact_t *r)
{
    while (r->entries != NULL) {
        redact_entry_t *e = r->entries;

        r->entries = e->next;
        smc_secret_free(e->store);
        free(e);
    }
    *r = (redact_t){0};
}

/* ---- finding them --------------------------------------------------------------------------- */

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One byte of the text as its reader would see it: %2F and \/ both are a slash.  Returns how long it is. */
static size_t next_byte(const char *p, size_t n, unsigned char *byte)
{
    *byte = (unsigned char)p[0];
    if (p[0] == '%' && n >= 3 && hex_value(p[1]) >= 0 && hex_value(p[2]) >= 0) {
        *byte = (unsigned char)(hex_value(p[1]) << 4 | hex_value(p[2]));
        return 3;
    }
    if (p[0] == '\\' && n >= 2 && (p[1] == '/' || p[1] == '"' || p[1] == '\\')) {
        *byte = (unsigned char)p[1];
        return 2;
    }
    return 1;
}

/* Where a reader of the text may stand, none of them twice: each byte may be read as it is even where it could be an
 * escape, for a secret may hold "%41" itself.  There is more than one such place only for secrets full of escapes. */
enum { PLACES_MAX = 16 };
typedef struct places {
    size_t at[PLACES_MAX];
    size_t n;
} places_t;

static void add_place(places_t *places, size_t at)
{
    for (size_t i = 0; i < places->n; i++)
        if (places->at[i] == at)
            return;
    if (places->n < PLACES_MAX)
        places->at[places->n++] = at;
}

/* From each place over the byte `want`. */
static places_t step_over(const places_t *from, unsigned char want, bool any_case, const char *p,
                          size_t n)
{
    places_t to;

    to.n = 0;
    for (size_t i = 0; i < from->n; i++) {
        if (from->at[i] >= n)
            continue;
        const char *text = p + from->at[i];
        unsigned char raw = (unsigned char)*text, byte;
        size_t step = next_byte(text, n - from->at[i], &byte);

        if (raw == want || (any_case && tolower(raw) == want))
            add_place(&to, from->at[i] + 1);
        if (step > 1 && (byte == want || (any_case && tolower(byte) == want)))
            add_place(&to, from->at[i] + step);
    }
    return to;
}

/* How many bytes of the text the needle covers from here; 0 when it does not stand here. */
static size_t match(const redact_needle_t *needle, const char *p, size_t n)
{
    places_t places;
    size_t farthest = 0;

    places.at[0] = 0;
    places.n = 1;
    for (size_t i = 0; i < needle->n && places.n > 0; i++)
        places = step_over(&places, (unsigned char)needle->bytes[i], needle->any_case, p, n);
    for (size_t i = 0; i < places.n; i++)
        farthest = places.at[i] > farthest ? places.at[i] : farthest;
    return farthest;
}

static size_t longest_from(const redact_t *r, unsigned char first, const char *p, size_t n)
{
    size_t longest = 0;

    for (const redact_needle_t *k = r->heads[tolower(first)]; k != NULL; k = k->next) {
        size_t covered = match(k, p, n);

        if (covered > longest)
            longest = covered;
    }
    return longest;
}

/* The longest secret that starts here, read as it stands or as an escape. */
static size_t longest_match(const redact_t *r, const char *p, size_t n)
{
    unsigned char byte;
    size_t longest = longest_from(r, (unsigned char)p[0], p, n);

    if (next_byte(p, n, &byte) > 1) {
        size_t covered = longest_from(r, byte, p, n);

        if (covered > longest)
            longest = covered;
    }
    return longest;
}

smc_code_t redact_text(const redact_t *r, const char *text, size_t n, smc_buf_t *out)
{
    size_t start = out->len;
    size_t shown = 0;  /* everything before is in out */
    size_t hidden = 0; /* everything in shown..hidden is a secret */

    if (r->entries == NULL)
        return smc_buf_append(out, text, n);
    for (size_t i = 0; i + 1 < n; i++) {
        size_t covered;

        if (!may_start(r, text + i))
            continue;
        covered = longest_match(r, text + i, n - i);
        if (covered == 0)
            continue;
        /* Secrets may overlap: the union is hidden, or the tail of the second would show. */
        if (i >= hidden) {
            (void)smc_buf_append(out, text + shown, i - shown);
            (void)smc_buf_append(out, "***", 3);
        }
        if (i + covered > hidden)
            hidden = i + covered;
        shown = hidden;
    }
    (void)smc_buf_append(out, text + shown, n - shown);
    if (out->failed)
        return SMC_ENOMEM;
    out->len = start + redact_signatures(out->data + start, out->len - start);
    out->data[out->len] = '\0';
    return SMC_OK;
}
