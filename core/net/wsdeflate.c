#include "wsdeflate_priv.h"

#include "server_head_priv.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define STEP 16384
#define MEM_LEVEL 8
/* What a flushed deflate block ends in; it does not travel. */
static const char flush_tail[] = {0, 0, (char)0xff, (char)0xff};

struct smc_wsdeflate {
    smc_wsdeflate_params_t params;
    bool packing, unpacking; /* which of the streams exist */
    z_stream pack, unpack;
};

/* ---- negotiation -------------------------------------------------------- */

typedef struct slice {
    const char *p;
    size_t n;
} slice_t;

static slice_t trim(slice_t s)
{
    while (s.n > 0 && (*s.p == ' ' || *s.p == '\t')) {
        s.p++;
        s.n--;
    }
    while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s;
}

/* Cuts the text up to the separator off *rest, trimmed.  No separator may stand inside a quoted value here: the only
 * values are numbers. */
static slice_t cut(slice_t *rest, char separator)
{
    const char *at = rest->n == 0 ? NULL : memchr(rest->p, separator, rest->n);
    slice_t piece = *rest;

    if (at == NULL) {
        *rest = (slice_t){rest->p + rest->n, 0};
        return trim(piece);
    }
    piece.n = (size_t)(at - rest->p);
    rest->p = at + 1;
    rest->n -= piece.n + 1;
    return trim(piece);
}

/* 8..15, plain or quoted; 0 for anything else. */
static int window_bits(slice_t v)
{
    if (v.n >= 2 && v.p[0] == '"' && v.p[v.n - 1] == '"')
        v = (slice_t){v.p + 1, v.n - 2};
    if (v.n == 1 && (v.p[0] == '8' || v.p[0] == '9'))
        return v.p[0] - '0';
    if (v.n == 2 && v.p[0] == '1' && v.p[1] >= '0' && v.p[1] <= '5')
        return 10 + v.p[1] - '0';
    return 0;
}

enum {
    SEEN_SERVER_NO_CONTEXT = 1,
    SEEN_CLIENT_NO_CONTEXT = 2,
    SEEN_SERVER_BITS = 4,
    SEEN_CLIENT_BITS = 8
};

/* Which parameter it is (a SEEN_ bit), applied; 0 when it is unknown or cannot be met. */
static unsigned take_param(smc_wsdeflate_params_t *p, slice_t param)
{
    slice_t rest = param, name = cut(&rest, '=');
    bool has_value = name.n < param.n;
    int bits = window_bits(trim(rest));

    if (smc_head_same(name.p, name.n, "server_no_context_takeover") && !has_value) {
        p->server_no_context = true;
        return SEEN_SERVER_NO_CONTEXT;
    }
    if (smc_head_same(name.p, name.n, "client_no_context_takeover") && !has_value) {
        p->client_no_context = true;
        return SEEN_CLIENT_NO_CONTEXT;
    }
    /* zlib makes no raw stream with a window of 256 bytes, hence from 9 on. */
    if (smc_head_same(name.p, name.n, "server_max_window_bits") && bits >= 9) {
        p->server_bits = bits;
        p->say_server_bits = true;
        return SEEN_SERVER_BITS;
    }
    if (smc_head_same(name.p, name.n, "client_max_window_bits") && (!has_value || bits >= 8))
        return SEEN_CLIENT_BITS;
    return 0;
}

static bool take_offer(slice_t offer, smc_wsdeflate_params_t *p)
{
    slice_t name = cut(&offer, ';');
    unsigned seen = 0;

    if (!smc_head_same(name.p, name.n, "permessage-deflate"))
        return false;
    while (offer.n > 0) {
        unsigned bit = take_param(p, cut(&offer, ';'));
        if (bit == 0 || (seen & bit) != 0)
            return false;
        seen |= bit;
    }
    return true;
}

smc_wsdeflate_params_t smc_wsdeflate_negotiate(const char *offers, size_t n, bool no_context)
{
    slice_t rest = {offers, n};

    while (rest.n > 0) {
        smc_wsdeflate_params_t p = {.server_bits = 15};
        if (!take_offer(cut(&rest, ','), &p))
            continue;
        p.accepted = true;
        p.server_no_context |= no_context;
        p.client_no_context |= no_context;
        return p;
    }
    return (smc_wsdeflate_params_t){0};
}

/* ---- streams ------------------------------------------------------------ */

smc_wsdeflate_t *smc_wsdeflate_new(const smc_wsdeflate_params_t *params)
{
    smc_wsdeflate_t *d = calloc(1, sizeof(*d));

    if (d != NULL)
        d->params = *params;
    return d;
}

void smc_wsdeflate_free(smc_wsdeflate_t *d)
{
    if (d == NULL)
        return;
    if (d->packing)
        (void)deflateEnd(&d->pack);
    if (d->unpacking)
        (void)inflateEnd(&d->unpack);
    free(d);
}

smc_code_t smc_wsdeflate_describe(const smc_wsdeflate_t *d, smc_buf_t *out)
{
    const smc_wsdeflate_params_t *params = &d->params;

    (void)smc_buf_puts(out, "permessage-deflate");
    if (params->server_no_context)
        (void)smc_buf_puts(out, "; server_no_context_takeover");
    if (params->client_no_context)
        (void)smc_buf_puts(out, "; client_no_context_takeover");
    if (params->say_server_bits)
        (void)smc_buf_printf(out, "; server_max_window_bits=%d", params->server_bits);
    return out->failed ? SMC_ENOMEM : SMC_OK;
}

/* deflate() until it has no more to say; a sync flush is complete when it leaves room in the output. */
static smc_code_t pack_some(z_stream *z, int flush, smc_buf_t *out)
{
    do {
        if (smc_buf_reserve(out, STEP) != SMC_OK)
            return SMC_ENOMEM;
        z->next_out = (Bytef *)(out->data + out->len);
        z->avail_out = STEP;
        (void)deflate(z, flush);
        out->len += STEP - z->avail_out;
        out->data[out->len] = '\0';
    } while (z->avail_out == 0);
    return SMC_OK;
}

smc_code_t smc_wsdeflate_pack(smc_wsdeflate_t *d, const void *in, size_t n, smc_buf_t *out)
{
    const Bytef *next = in;
    size_t start = out->len;

    if (!d->packing && deflateInit2(&d->pack, Z_DEFAULT_COMPRESSION, Z_DEFLATED,
                                    -d->params.server_bits, MEM_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
        return SMC_ENOMEM;
    d->packing = true;
    do {
        uInt some = n > UINT_MAX ? UINT_MAX : (uInt)n;
        n -= some;
        d->pack.next_in = (z_const Bytef *)next;
        d->pack.avail_in = some;
        next += some;
        if (pack_some(&d->pack, n == 0 ? Z_SYNC_FLUSH : Z_NO_FLUSH, out) != SMC_OK)
            return SMC_ENOMEM;
    } while (n > 0);
    if (out->len - start >= sizeof(flush_tail))
        out->len -= sizeof(flush_tail); /* always so: the last flush ended in it */
    if (d->params.server_no_context)
        (void)deflateReset(&d->pack);
    return SMC_OK;
}

static uint16_t inflate_some(z_stream *z, const char *in, size_t n, size_t max_bytes,
                             smc_buf_t *out)
{
    z->next_in = (z_const Bytef *)in;
    z->avail_in = (uInt)n;
    do {
        size_t room = max_bytes - out->len, step = room < STEP ? room + 1 : STEP;
        int rc;
        /* One byte more than allowed: that is how too much is told from just enough. */
        if (smc_buf_reserve(out, step) != SMC_OK)
            return 1011;
        z->next_out = (Bytef *)(out->data + out->len);
        z->avail_out = (uInt)step;
        rc = inflate(z, Z_SYNC_FLUSH);
        out->len += step - z->avail_out;
        out->data[out->len] = '\0';
        if (out->len > max_bytes)
            return 1009;
        if (rc == Z_STREAM_END) /* a final block: legal, the next one starts a new stream */
            rc = inflateReset(z);
        if (rc != Z_OK && rc != Z_BUF_ERROR)
            return 1002;
        if (rc == Z_BUF_ERROR)
            break;
    } while (z->avail_in > 0 || z->avail_out == 0);
    return 0;
}

uint16_t smc_wsdeflate_unpack(void *ud, const char *in, size_t n, bool last, size_t max_bytes,
                              smc_buf_t *out)
{
    smc_wsdeflate_t *d = ud;
    uint16_t code = 0;

    if (!d->unpacking && inflateInit2(&d->unpack, -MAX_WBITS) != Z_OK)
        return 1011;
    d->unpacking = true;
    while (n > 0 && code == 0) {
        size_t some = n > UINT_MAX ? UINT_MAX : n;
        code = inflate_some(&d->unpack, in, some, max_bytes, out);
        in += some;
        n -= some;
    }
    if (last && code == 0)
        code = inflate_some(&d->unpack, flush_tail, sizeof(flush_tail), max_bytes, out);
    if (last && code == 0 && d->params.client_no_context)
        (void)inflateReset(&d->unpack);
    return code;
}
