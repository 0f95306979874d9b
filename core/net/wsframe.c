#include "wsframe_priv.h"

#include <string.h>

enum { FRAME_HEAD, FRAME_PAYLOAD, READER_FAILED };

/* ---- text and codes ----------------------------------------------------- */

static bool start_char(smc_utf8_t *u, uint8_t c)
{
    u->_low = 0x80;
    u->_high = 0xbf;
    if (c >= 0xc2 && c <= 0xdf) {
        u->_left = 1;
    } else if (c >= 0xe0 && c <= 0xef) {
        u->_left = 2;
        if (c == 0xe0)
            u->_low = 0xa0; /* below: overlong */
        if (c == 0xed)
            u->_high = 0x9f; /* above: surrogates */
    } else if (c >= 0xf0 && c <= 0xf4) {
        u->_left = 3;
        if (c == 0xf0)
            u->_low = 0x90; /* below: overlong */
        if (c == 0xf4)
            u->_high = 0x8f; /* above: beyond U+10FFFF */
    } else {
        return c < 0x80;
    }
    return true;
}

bool smc_utf8_feed(smc_utf8_t *u, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t c = (uint8_t)p[i];
        if (u->_left == 0) {
            if (c >= 0x80 && !start_char(u, c))
                return false;
            continue;
        }
        if (c < u->_low || c > u->_high)
            return false;
        u->_low = 0x80;
        u->_high = 0xbf;
        u->_left--;
    }
    return true;
}

bool smc_utf8_ended(const smc_utf8_t *u)
{
    return u->_left == 0;
}

bool smc_utf8_valid(const char *p, size_t n)
{
    smc_utf8_t u = {0};

    return smc_utf8_feed(&u, p, n) && smc_utf8_ended(&u);
}

bool smc_ws_code_valid(uint16_t code)
{
    if (code >= 3000 && code <= 4999)
        return true;
    return code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006;
}

/* ---- reader ------------------------------------------------------------- */

void smc_wsreader_init(smc_wsreader_t *r, bool masked, size_t max_message)
{
    *r = (smc_wsreader_t){.masked = masked, .max_message = max_message};
}

void smc_wsreader_deinit(smc_wsreader_t *r)
{
    if (r == NULL)
        return;
    smc_buf_deinit(&r->_message);
    *r = (smc_wsreader_t){0};
}

static bool fail(smc_wsreader_t *r, smc_ws_event_t *ev, uint16_t code, const char *why)
{
    r->_state = READER_FAILED;
    *ev = (smc_ws_event_t){SMC_WS_EV_FAIL, why, strlen(why), false, code};
    return false;
}

static bool is_control(uint8_t opcode)
{
    return opcode >= SMC_WS_CLOSE;
}

/* How long the head is, as far as its first bytes tell. */
static unsigned head_size(const smc_wsreader_t *r)
{
    unsigned size = 2;
    uint8_t len7;

    if (r->_head_len < 2)
        return size;
    len7 = r->_head[1] & 0x7f;
    if (len7 == 126)
        size += 2;
    else if (len7 == 127)
        size += 8;
    return (r->_head[1] & 0x80) != 0 ? size + 4 : size;
}

/* What the first two bytes already show to be wrong is refused before the rest is waited for. */
static bool check_first_bytes(smc_wsreader_t *r, smc_ws_event_t *ev)
{
    uint8_t b0 = r->_head[0], b1 = r->_head[1], opcode = b0 & 0x0f;
    bool fin = (b0 & 0x80) != 0, rsv1 = (b0 & 0x40) != 0;

    if ((b0 & 0x30) != 0 || (rsv1 && r->inflate == NULL))
        return fail(r, ev, 1002, "reserved bit");
    if (rsv1 && opcode != SMC_WS_TEXT && opcode != SMC_WS_BINARY)
        return fail(r, ev, 1002, "reserved bit");
    if ((opcode > SMC_WS_BINARY && opcode < SMC_WS_CLOSE) || opcode > SMC_WS_PONG)
        return fail(r, ev, 1002, "reserved opcode");
    if (is_control(opcode) && (!fin || (b1 & 0x7f) > SMC_WS_CONTROL_MAX))
        return fail(r, ev, 1002, "malformed control frame");
    if (opcode == SMC_WS_CONTINUATION && !r->_in_message)
        return fail(r, ev, 1002, "nothing to continue");
    if ((opcode == SMC_WS_TEXT || opcode == SMC_WS_BINARY) && r->_in_message)
        return fail(r, ev, 1002, "message inside a message");
    if (((b1 & 0x80) != 0) != r->masked)
        return fail(r, ev, 1002, r->masked ? "unmasked frame" : "masked frame");
    return true;
}

static void start_message(smc_wsreader_t *r)
{
    r->_in_message = true;
    r->_binary = r->_opcode == SMC_WS_BINARY;
    r->_deflated = (r->_head[0] & 0x40) != 0;
    r->_checked = 0;
    r->_utf8 = (smc_utf8_t){0};
}

static bool on_head(smc_wsreader_t *r, smc_ws_event_t *ev)
{
    uint8_t len7 = r->_head[1] & 0x7f;
    unsigned ext = len7 == 126 ? 2 : len7 == 127 ? 8 : 0;
    uint64_t len = ext == 0 ? len7 : 0;

    for (unsigned i = 0; i < ext; i++)
        len = len << 8 | r->_head[2 + i];
    if ((ext == 2 && len < 126) || (ext == 8 && (len <= UINT16_MAX || len > INT64_MAX)))
        return fail(r, ev, 1002, "malformed length");
    if (r->masked)
        memcpy(r->_mask, r->_head + 2 + ext, sizeof(r->_mask));
    r->_opcode = r->_head[0] & 0x0f;
    r->_fin = (r->_head[0] & 0x80) != 0;
    r->_left = len;
    r->_taken = 0;
    r->_head_len = 0;
    r->_state = FRAME_PAYLOAD;
    if (is_control(r->_opcode)) {
        r->_control_len = 0;
        return true;
    }
    if (r->_opcode != SMC_WS_CONTINUATION)
        start_message(r);
    /* The plain size of a compressed message is only known to the inflater. */
    if (len > r->max_message || (!r->_deflated && r->_message.len > r->max_message - len))
        return fail(r, ev, 1009, "message too big");
    return true;
}

static bool check_text(smc_wsreader_t *r, smc_ws_event_t *ev, bool last)
{
    const smc_buf_t *m = &r->_message;

    if (r->_binary)
        return true;
    if (m->len > r->_checked &&
        !smc_utf8_feed(&r->_utf8, m->data + r->_checked, m->len - r->_checked))
        return fail(r, ev, 1007, "not UTF-8");
    r->_checked = m->len;
    return !last || smc_utf8_ended(&r->_utf8) || fail(r, ev, 1007, "not UTF-8");
}

static bool add_data(smc_wsreader_t *r, const char *p, size_t n, smc_ws_event_t *ev)
{
    bool last = r->_left == 0 && r->_fin;
    uint16_t code = 0;

    if (r->_deflated)
        code = r->inflate(r->inflate_ud, p, n, last, r->max_message, &r->_message);
    else if (smc_buf_append(&r->_message, p, n) != SMC_OK)
        code = 1011;
    /* The text first: what is wrong with it must not depend on how many bytes came at once. */
    if (!check_text(r, ev, last && code == 0))
        return false;
    return code == 0 || fail(r, ev, code, code == 1009 ? "message too big" : "cannot inflate");
}

/* Byte i of a frame is masked by byte i % 4 of the mask. */
static void unmask(smc_wsreader_t *r, char *p, size_t n)
{
    size_t i = 0;
    uint32_t word, mask;
    uint8_t turned[4];

    for (unsigned k = 0; k < 4; k++)
        turned[k] = r->_mask[(r->_taken + k) & 3];
    memcpy(&mask, turned, sizeof(mask));
    for (; i + sizeof(word) <= n; i += sizeof(word)) {
        memcpy(&word, p + i, sizeof(word));
        word ^= mask;
        memcpy(p + i, &word, sizeof(word));
    }
    for (; i < n; i++)
        p[i] = (char)((uint8_t)p[i] ^ turned[i & 3]);
}

static bool take_payload(smc_wsreader_t *r, char *p, size_t n, smc_ws_event_t *ev)
{
    if (r->masked)
        unmask(r, p, n);
    r->_taken += n;
    r->_left -= n;
    if (!is_control(r->_opcode))
        return add_data(r, p, n, ev);
    memcpy(r->_control + r->_control_len, p, n);
    r->_control_len += (unsigned)n;
    return true;
}

static bool on_close_frame(smc_wsreader_t *r, smc_ws_event_t *ev)
{
    uint16_t code;

    *ev = (smc_ws_event_t){SMC_WS_EV_CLOSE, "", 0, false, 1005};
    if (r->_control_len == 0)
        return true;
    code = (uint16_t)((uint8_t)r->_control[0] << 8 | (uint8_t)r->_control[1]);
    if (r->_control_len == 1 || !smc_ws_code_valid(code))
        return fail(r, ev, 1002, "malformed close code");
    if (!smc_utf8_valid(r->_control + 2, r->_control_len - 2))
        return fail(r, ev, 1007, "not UTF-8");
    *ev = (smc_ws_event_t){SMC_WS_EV_CLOSE, r->_control + 2, r->_control_len - 2, false, code};
    return true;
}

/* The end of a frame.  True when it made an event. */
static bool on_frame(smc_wsreader_t *r, smc_ws_event_t *ev)
{
    r->_state = FRAME_HEAD;
    switch ((smc_ws_opcode_t)r->_opcode) {
    case SMC_WS_CLOSE:
        (void)on_close_frame(r, ev);
        return true;
    case SMC_WS_PING:
        *ev = (smc_ws_event_t){SMC_WS_EV_PING, r->_control, r->_control_len, false, 0};
        return true;
    case SMC_WS_PONG:
        *ev = (smc_ws_event_t){SMC_WS_EV_PONG, r->_control, r->_control_len, false, 0};
        return true;
    case SMC_WS_CONTINUATION:
    case SMC_WS_TEXT:
    case SMC_WS_BINARY:
        break;
    }
    if (!r->_fin)
        return false;
    r->_in_message = false;
    r->_delivered = true;
    *ev = (smc_ws_event_t){SMC_WS_EV_MESSAGE, r->_message.data == NULL ? "" : r->_message.data,
                           r->_message.len, r->_binary, 0};
    return true;
}

/* A message stays borrowed until the next feed; big ones do not keep their memory. */
static void end_borrowing(smc_wsreader_t *r)
{
    enum { KEEP = 4096 };

    if (!r->_delivered)
        return;
    if (r->_message.cap > KEEP)
        smc_buf_deinit(&r->_message);
    else
        smc_buf_clear(&r->_message);
    r->_delivered = false;
}

/* Takes head bytes until the head is whole.  False after a failure. */
static bool take_head(smc_wsreader_t *r, const char *p, size_t n, size_t *used, smc_ws_event_t *ev)
{
    while (*used < n) {
        r->_head[r->_head_len++] = (uint8_t)p[(*used)++];
        if (r->_head_len == 2 && !check_first_bytes(r, ev))
            return false;
        if (r->_head_len >= 2 && r->_head_len == head_size(r))
            return on_head(r, ev);
    }
    return true;
}

size_t smc_wsreader_feed(smc_wsreader_t *r, char *p, size_t n, smc_ws_event_t *ev)
{
    size_t used = 0;

    *ev = (smc_ws_event_t){SMC_WS_EV_MORE, "", 0, false, 0};
    end_borrowing(r);
    while (r->_state != READER_FAILED && (used < n || r->_state == FRAME_PAYLOAD)) {
        size_t take;
        if (r->_state == FRAME_HEAD) {
            if (!take_head(r, p, n, &used, ev))
                break;
            continue;
        }
        take = r->_left < n - used ? (size_t)r->_left : n - used;
        if (take == 0 && r->_left > 0)
            break;
        if (!take_payload(r, p + used, take, ev))
            break;
        used += take;
        if (r->_left == 0 && on_frame(r, ev))
            return used;
    }
    return r->_state == READER_FAILED ? n : used;
}

/* ---- writer ------------------------------------------------------------- */

smc_code_t smc_wsframe_write(smc_buf_t *out, const smc_wsframe_t *frame, const void *payload,
                             size_t n)
{
    uint8_t head[SMC_WS_FRAME_HEAD_MAX];
    unsigned size = 2, ext = n < 126 ? 0 : n <= UINT16_MAX ? 2 : 8;
    char *body;

    head[0] =
        (uint8_t)((frame->fin ? 0x80 : 0) | (frame->deflated ? 0x40 : 0) | (int)frame->opcode);
    head[1] = (uint8_t)((frame->mask != NULL ? 0x80 : 0) | (int)(ext == 0   ? n
                                                                 : ext == 2 ? 126
                                                                            : 127));
    for (unsigned i = 0; i < ext; i++)
        head[size++] = (uint8_t)((uint64_t)n >> 8 * (ext - 1 - i));
    for (unsigned i = 0; frame->mask != NULL && i < 4; i++)
        head[size++] = frame->mask[i];
    if (smc_buf_reserve(out, size + n) != SMC_OK)
        return SMC_ENOMEM;
    (void)smc_buf_append(out, head, size);
    (void)smc_buf_append(out, payload, n);
    body = out->data + out->len - n;
    for (size_t i = 0; frame->mask != NULL && i < n; i++)
        body[i] = (char)((uint8_t)body[i] ^ frame->mask[i & 3]);
    return SMC_OK;
}
