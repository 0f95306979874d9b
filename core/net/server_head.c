#include "server_head_priv.h"

#include <string.h>

/* What a client may add to chunks and behind the last one, all together. */
#define CHUNK_EXTRA_MAX 8192
#define LENGTH_DIGITS_MAX 18
#define CHUNK_DIGITS_MAX 15

void smc_head_init(smc_head_t *h)
{
    memset(h, 0, offsetof(smc_head_t, fields));
}

/* ---- characters --------------------------------------------------------- */

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* A bit for each of the characters of a token: RFC 9110 section 5.6.2. */
static const uint32_t token_chars[8] = {0, 0x03ff6cfa, 0xc7fffffe, 0x57ffffff};

static bool is_token_char(char c)
{
    unsigned char u = (unsigned char)c;

    return (token_chars[u >> 5] >> (u & 31) & 1) != 0;
}

bool smc_head_same(const char *a, size_t n, const char *b)
{
    if (n == 0 || lower(a[0]) != lower(b[0]) || n != strlen(b))
        return n == 0 && b[0] == '\0';
    for (size_t i = 0; i < n; i++)
        if (lower(a[i]) != lower(b[i]))
            return false;
    return true;
}

bool smc_head_is_token(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!is_token_char(p[i]))
            return false;
    return n > 0;
}

/* Whether there is none but visible ASCII and blanks among eight bytes: else a look at each has to tell. */
static bool are_plain(const char *p)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), high = ones << 7;
    uint64_t v, del;

    memcpy(&v, p, sizeof(v));
    del = v ^ ones * 0x7f;
    return (((v - ones * 0x20) | (del - ones) | v) & high) == 0;
}

bool smc_head_is_value(const char *p, size_t n)
{
    size_t i = 0;

    while (i + 8 <= n && are_plain(p + i))
        i += 8;
    for (; i < n; i++) {
        unsigned char c = (unsigned char)p[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

/* Bytes from 0x80 on are no URI, but clients send them and venues see them: they are kept. */
static bool is_target(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)p[i];
        if (c <= 0x20 || c == 0x7f)
            return false;
    }
    return n > 0;
}

static smc_head_part_t trimmed(const char *bytes, size_t from, size_t to)
{
    while (from < to && is_blank(bytes[from]))
        from++;
    while (to > from && is_blank(bytes[to - 1]))
        to--;
    return (smc_head_part_t){(uint32_t)from, (uint32_t)(to - from)};
}

bool smc_head_list_has(const char *list, size_t n, const char *word)
{
    size_t from = 0;

    for (size_t i = 0; i <= n; i++) {
        smc_head_part_t item;
        if (i < n && list[i] != ',')
            continue;
        item = trimmed(list, from, i);
        if (smc_head_same(list + item.at, item.len, word))
            return true;
        from = i + 1;
    }
    return false;
}

/* ---- head --------------------------------------------------------------- */

static smc_head_result_t refuse(smc_head_t *h, int status, const char *why)
{
    h->status = status;
    h->why = why;
    return SMC_HEAD_BAD;
}

static smc_head_result_t take_request_line(smc_head_t *h, const char *bytes, size_t from, size_t to)
{
    const char *line = bytes + from;
    size_t n = to - from;
    const char *sp1 = memchr(line, ' ', n);
    const char *sp2 = sp1 == NULL ? NULL : memchr(sp1 + 1, ' ', n - (size_t)(sp1 + 1 - line));
    const char *version;

    if (sp2 == NULL)
        return refuse(h, 400, "malformed request line");
    h->method = (smc_head_part_t){(uint32_t)from, (uint32_t)(sp1 - line)};
    h->target = (smc_head_part_t){(uint32_t)(sp1 + 1 - bytes), (uint32_t)(sp2 - sp1 - 1)};
    version = sp2 + 1;
    if (!smc_head_is_token(line, h->method.len))
        return refuse(h, 400, "malformed method");
    if (!is_target(sp1 + 1, h->target.len))
        return refuse(h, 400, "malformed request target");
    if (line + n - version != 8 || memcmp(version, "HTTP/", 5) != 0 || !is_digit(version[5]) ||
        version[6] != '.' || !is_digit(version[7]))
        return refuse(h, 400, "malformed version");
    if (version[5] != '1' || version[7] > '1')
        return refuse(h, 505, "unsupported version");
    h->minor = version[7] - '0';
    h->_has_line = true;
    return SMC_HEAD_MORE;
}

static smc_head_result_t note_length(smc_head_t *h, const char *v, size_t n)
{
    if (h->_has_length)
        return refuse(h, 400, "more than one Content-Length");
    if (n == 0)
        return refuse(h, 400, "malformed Content-Length");
    for (size_t i = 0; i < n; i++) {
        if (!is_digit(v[i]))
            return refuse(h, 400, "malformed Content-Length");
        if (i >= LENGTH_DIGITS_MAX)
            return refuse(h, 413, "body too large");
        h->content_length = h->content_length * 10 + (uint64_t)(v[i] - '0');
    }
    h->_has_length = true;
    return SMC_HEAD_MORE;
}

/* Whatever decides where this request ends must be said once and plainly: two readers of an ambiguous head may
 * disagree, which is how requests are smuggled. */
static smc_head_result_t note_field(smc_head_t *h, const char *name, size_t name_len, const char *v,
                                    size_t n)
{
    if (smc_head_same(name, name_len, "content-length"))
        return note_length(h, v, n);
    if (smc_head_same(name, name_len, "transfer-encoding")) {
        if (h->_has_encoding || !smc_head_is_token(v, n))
            return refuse(h, 400, "more than one transfer coding");
        if (!smc_head_same(v, n, "chunked"))
            return refuse(h, 501, "unknown transfer coding");
        h->_has_encoding = h->chunked = true;
    } else if (smc_head_same(name, name_len, "host")) {
        if (h->_has_host)
            return refuse(h, 400, "more than one Host");
        h->_has_host = true;
    } else if (smc_head_same(name, name_len, "connection")) {
        h->_close |= smc_head_list_has(v, n, "close");
        h->_keep |= smc_head_list_has(v, n, "keep-alive");
        h->_conn_upgrade |= smc_head_list_has(v, n, "upgrade");
    } else if (smc_head_same(name, name_len, "upgrade")) {
        h->_ws |= smc_head_list_has(v, n, "websocket");
    } else if (smc_head_same(name, name_len, "expect")) {
        if (!smc_head_same(v, n, "100-continue"))
            return refuse(h, 417, "unknown expectation");
        h->expect_continue = true;
    }
    return SMC_HEAD_MORE;
}

static smc_head_result_t take_field(smc_head_t *h, const char *bytes, size_t from, size_t to)
{
    const char *colon = memchr(bytes + from, ':', to - from);
    smc_head_field_t field;

    if (colon == NULL || !smc_head_is_token(bytes + from, (size_t)(colon - bytes) - from))
        return refuse(h, 400, "malformed header");
    if (h->n_fields == SMC_HEAD_FIELDS_MAX)
        return refuse(h, 431, "too many headers");
    field.name = (smc_head_part_t){(uint32_t)from, (uint32_t)((size_t)(colon - bytes) - from)};
    field.value = trimmed(bytes, (size_t)(colon + 1 - bytes), to);
    if (!smc_head_is_value(bytes + field.value.at, field.value.len))
        return refuse(h, 400, "malformed header value");
    h->fields[h->n_fields++] = field;
    return note_field(h, bytes + from, field.name.len, bytes + field.value.at, field.value.len);
}

static smc_head_result_t end_of_head(smc_head_t *h)
{
    if (h->minor == 1 && !h->_has_host)
        return refuse(h, 400, "no Host");
    if (h->chunked && (h->_has_length || h->minor == 0))
        return refuse(h, 400, "ambiguous body length");
    h->keep_alive = !h->_close && (h->minor == 1 || h->_keep);
    h->upgrade_ws = h->_ws && h->_conn_upgrade && h->minor == 1;
    h->expect_continue = h->expect_continue && h->minor == 1;
    return SMC_HEAD_DONE;
}

static smc_head_result_t take_line(smc_head_t *h, const char *bytes, size_t from, size_t to)
{
    if (h->_has_line)
        return from == to ? end_of_head(h) : take_field(h, bytes, from, to);
    if (from != to)
        return take_request_line(h, bytes, from, to);
    /* One empty line before a request is forgiven: old clients sent it behind a body. */
    if (h->_has_blank)
        return refuse(h, 400, "malformed request line");
    h->_has_blank = true;
    return SMC_HEAD_MORE;
}

static smc_head_result_t too_long(smc_head_t *h)
{
    return h->_has_line ? refuse(h, 431, "headers too large") : refuse(h, 414, "target too long");
}

smc_head_result_t smc_head_parse(smc_head_t *h, const char *bytes, size_t n, size_t max_bytes)
{
    if (h->status != 0)
        return SMC_HEAD_BAD;
    /* What can't be HTTP (a TLS hello, say) holds perhaps no line end at all. */
    if (n > 0 && !is_token_char(bytes[0]) && bytes[0] != '\r')
        return refuse(h, 400, "malformed request line");
    while (h->size == 0) {
        const char *nl = memchr(bytes + h->_scan, '\n', n - h->_scan);
        size_t end = nl == NULL ? n : (size_t)(nl - bytes);
        smc_head_result_t result;

        if (end >= max_bytes)
            return too_long(h);
        h->_scan = nl == NULL ? n : end + 1;
        if (nl == NULL)
            return SMC_HEAD_MORE;
        if (end == h->_line || bytes[end - 1] != '\r')
            return refuse(h, 400, "line without CR");
        result = take_line(h, bytes, h->_line, end - 1);
        h->_line = end + 1;
        if (result == SMC_HEAD_BAD)
            return result;
        if (result == SMC_HEAD_DONE)
            h->size = end + 1;
    }
    return SMC_HEAD_DONE;
}

const smc_head_part_t *smc_head_find(const smc_head_t *h, const char *bytes, const char *name)
{
    for (size_t i = 0; i < h->n_fields; i++) {
        const smc_head_field_t *f = &h->fields[i];
        if (smc_head_same(bytes + f->name.at, f->name.len, name))
            return &f->value;
    }
    return NULL;
}

/* ---- chunked body ------------------------------------------------------- */

typedef enum chunk_state {
    CHUNK_SIZE,
    CHUNK_EXTENSION,
    CHUNK_SIZE_LF,
    CHUNK_DATA,
    CHUNK_DATA_CR,
    CHUNK_DATA_LF,
    TRAILER_START, /* at the start of a line */
    TRAILER_LINE,
    TRAILER_LINE_LF,
    TRAILER_END_LF,
    CHUNK_DONE,
    CHUNK_BAD,
} chunk_state_t;

void smc_chunked_init(smc_chunked_t *c)
{
    *c = (smc_chunked_t){0};
}

static chunk_state_t bad_chunk(smc_chunked_t *c, int status, const char *why)
{
    c->status = status;
    c->why = why;
    return CHUNK_BAD;
}

static int hex_value(char c)
{
    if (is_digit(c))
        return c - '0';
    return lower(c) >= 'a' && lower(c) <= 'f' ? lower(c) - 'a' + 10 : -1;
}

static chunk_state_t on_size_char(smc_chunked_t *c, char ch)
{
    int digit = hex_value(ch);

    if (digit >= 0) {
        if (++c->_digits > CHUNK_DIGITS_MAX)
            return bad_chunk(c, 413, "body too large");
        c->_left = c->_left << 4 | (uint64_t)digit;
        return CHUNK_SIZE;
    }
    if (c->_digits == 0 || (ch != '\r' && ch != ';'))
        return bad_chunk(c, 400, "malformed chunk size");
    return ch == ';' ? CHUNK_EXTENSION : CHUNK_SIZE_LF;
}

/* Characters of an extension or a trailer line; `next` follows the CR. */
static chunk_state_t on_extra_char(smc_chunked_t *c, char ch, chunk_state_t same,
                                   chunk_state_t next)
{
    if (ch == '\r')
        return next;
    if (!smc_head_is_value(&ch, 1))
        return bad_chunk(c, 400, "malformed chunk");
    if (++c->_extra > CHUNK_EXTRA_MAX)
        return bad_chunk(c, 431, "trailer too large");
    return same;
}

static chunk_state_t on_size_end(smc_chunked_t *c, size_t max_bytes, const smc_buf_t *out)
{
    c->_digits = 0;
    if (c->_left == 0)
        return TRAILER_START;
    if (c->_left > max_bytes || out->len > max_bytes - c->_left)
        return bad_chunk(c, 413, "body too large");
    return CHUNK_DATA;
}

static chunk_state_t expect(smc_chunked_t *c, char ch, char wanted, chunk_state_t next)
{
    return ch == wanted ? next : bad_chunk(c, 400, "malformed chunk");
}

static chunk_state_t on_chunk_char(smc_chunked_t *c, char ch, size_t max_bytes,
                                   const smc_buf_t *out)
{
    chunk_state_t state = (chunk_state_t)c->_state;

    switch (state) {
    case CHUNK_SIZE:
        return on_size_char(c, ch);
    case CHUNK_EXTENSION:
        return on_extra_char(c, ch, CHUNK_EXTENSION, CHUNK_SIZE_LF);
    case CHUNK_SIZE_LF:
        return ch == '\n' ? on_size_end(c, max_bytes, out) : bad_chunk(c, 400, "malformed chunk");
    case CHUNK_DATA_CR:
        return expect(c, ch, '\r', CHUNK_DATA_LF);
    case CHUNK_DATA_LF:
        return expect(c, ch, '\n', CHUNK_SIZE);
    case TRAILER_START:
        return on_extra_char(c, ch, TRAILER_LINE, TRAILER_END_LF);
    case TRAILER_LINE:
        return on_extra_char(c, ch, TRAILER_LINE, TRAILER_LINE_LF);
    case TRAILER_LINE_LF:
        return expect(c, ch, '\n', TRAILER_START);
    case TRAILER_END_LF:
        return expect(c, ch, '\n', CHUNK_DONE);
    case CHUNK_DATA:
    case CHUNK_DONE:
    case CHUNK_BAD:
        break;
    }
    return state;
}

/* How many bytes of data were taken. */
static size_t take_data(smc_chunked_t *c, const char *in, size_t n, smc_buf_t *out)
{
    size_t take = n < c->_left ? n : (size_t)c->_left;

    if (smc_buf_append(out, in, take) != SMC_OK) {
        c->_state = bad_chunk(c, 500, "out of memory");
        return 0;
    }
    c->_left -= take;
    if (c->_left == 0)
        c->_state = CHUNK_DATA_CR;
    return take;
}

smc_head_result_t smc_chunked_feed(smc_chunked_t *c, const char *in, size_t n, size_t max_bytes,
                                   smc_buf_t *out, size_t *used)
{
    size_t i = 0;

    while (i < n && c->_state != CHUNK_DONE && c->_state != CHUNK_BAD) {
        if (c->_state == CHUNK_DATA)
            i += take_data(c, in + i, n - i, out);
        else
            c->_state = on_chunk_char(c, in[i++], max_bytes, out);
    }
    *used = i;
    if (c->_state == CHUNK_BAD)
        return SMC_HEAD_BAD;
    return c->_state == CHUNK_DONE ? SMC_HEAD_DONE : SMC_HEAD_MORE;
}
