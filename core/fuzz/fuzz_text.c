/* Bytes as text: what was encoded is decoded to the same, and what a decoder accepts an encoder could have written. */
#include "smc/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef smc_code_t (*encode_fn)(const void *bytes, size_t n, smc_buf_t *out);
typedef smc_code_t (*decode_fn)(const char *text, size_t n, smc_buf_t *out);

static void must(int truth)
{
    if (!truth)
        abort();
}

static void check_same(const smc_buf_t *b, const void *bytes, size_t n)
{
    must(b->len == n && (n == 0 || memcmp(b->data, bytes, n) == 0));
}

static void check_there_and_back(const void *bytes, size_t n, encode_fn encode, decode_fn decode)
{
    smc_buf_t text = {0}, back = {0};

    must(encode(bytes, n, &text) == SMC_OK);
    must(decode(text.data, text.len, &back) == SMC_OK);
    check_same(&back, bytes, n);
    smc_buf_deinit(&text);
    smc_buf_deinit(&back);
}

/* Of a copy of exactly that size.  exact: there is but one text for the same bytes. */
static void check_decoder(const void *bytes, size_t n, encode_fn encode, decode_fn decode,
                          bool exact)
{
    char *text = malloc(n > 0 ? n : 1);
    smc_buf_t out = {0}, again = {0};

    must(text != NULL && smc_buf_puts(&out, "before") == SMC_OK);
    if (n > 0)
        memcpy(text, bytes, n);
    if (decode(text, n, &out) != SMC_OK) {
        check_same(&out, "before", 6);
    } else if (exact) {
        must(encode(out.data + 6, out.len - 6, &again) == SMC_OK);
        check_same(&again, bytes, n);
    } else {
        check_there_and_back(out.data + 6, out.len - 6, encode, decode);
    }
    smc_buf_deinit(&out);
    smc_buf_deinit(&again);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct {
        encode_fn encode;
        decode_fn decode;
        bool exact;
    } forms[] = {{smc_hex_encode, smc_hex_decode, false},
                 {smc_base64_encode, smc_base64_decode, true},
                 {smc_percent_encode, smc_percent_decode, false},
                 {smc_percent_encode, smc_form_decode, false}};

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        check_there_and_back(data, size, forms[i].encode, forms[i].decode);
        check_decoder(data, size, forms[i].encode, forms[i].decode, forms[i].exact);
    }
    return 0;
}
