/* WebSocket frames: any bytes, plain or compressed, and the same events however they are cut. */
#include "net/wsdeflate_priv.h"
#include "net/wsframe_priv.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MESSAGE_MAX ((size_t)4096)
enum { MASKED = 1, DEFLATED = 2, NO_CONTEXT = 4 };

static void must(int truth)
{
    if (!truth)
        abort();
}

static void note(smc_buf_t *log, const smc_ws_event_t *ev)
{
    if (ev->kind == SMC_WS_EV_MORE)
        return;
    must(ev->data != NULL);
    must(ev->kind == SMC_WS_EV_MESSAGE ? ev->len <= MESSAGE_MAX : ev->len <= SMC_WS_CONTROL_MAX);
    if (ev->kind == SMC_WS_EV_MESSAGE && !ev->binary)
        must(smc_utf8_valid(ev->data, ev->len));
    if (ev->kind == SMC_WS_EV_CLOSE)
        must(ev->code == 1005 || smc_ws_code_valid(ev->code));
    (void)smc_buf_printf(log, "%d %d %u %zu:", (int)ev->kind, ev->binary, (unsigned)ev->code,
                         ev->len);
    (void)smc_buf_append(log, ev->data, ev->len);
}

static void read_all(const uint8_t *data, size_t size, unsigned flags, size_t step, smc_buf_t *log)
{
    smc_wsdeflate_params_t params = {
        .accepted = true, .client_no_context = (flags & NO_CONTEXT) != 0, .server_bits = 15};
    smc_wsdeflate_t *deflate = smc_wsdeflate_new(&params);
    smc_wsreader_t r;

    must(deflate != NULL);
    smc_wsreader_init(&r, (flags & MASKED) != 0, MESSAGE_MAX);
    if ((flags & DEFLATED) != 0) {
        r.inflate = smc_wsdeflate_unpack;
        r.inflate_ud = deflate;
    }
    for (size_t at = 0; at < size;) {
        size_t piece = size - at < step ? size - at : step, used = 0;
        char *copy = malloc(piece);
        must(copy != NULL);
        memcpy(copy, data + at, piece);
        while (used < piece) {
            smc_ws_event_t ev;
            size_t took = smc_wsreader_feed(&r, copy + used, piece - used, &ev);
            must(took > 0 && took <= piece - used);
            note(log, &ev);
            used += took;
        }
        free(copy);
        at += piece;
    }
    smc_wsreader_deinit(&r);
    smc_wsdeflate_free(deflate);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t steps[] = {1, 5, 127};
    smc_wsdeflate_params_t params;
    smc_buf_t whole = {0};

    if (size == 0 || size > 4 * MESSAGE_MAX)
        return 0;
    params = smc_wsdeflate_negotiate((const char *)data + 1, size - 1, (data[0] & NO_CONTEXT) != 0);
    must(!params.accepted || (params.server_bits >= 9 && params.server_bits <= 15));
    (void)smc_buf_puts(&whole, "");
    read_all(data + 1, size - 1, data[0], size, &whole);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        smc_buf_t cut = {0};
        (void)smc_buf_puts(&cut, "");
        read_all(data + 1, size - 1, data[0], steps[i], &cut);
        must(cut.len == whole.len && memcmp(cut.data, whole.data, cut.len) == 0);
        smc_buf_deinit(&cut);
    }
    smc_buf_deinit(&whole);
    return 0;
}
