/* Whatever a secret and a text are: the secret does not show, as it is, in hex, in base64 or percent-encoded. */
#include "base/redact_priv.h"

#include "smc/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LEAST = 4, MOST = 32, TEXT_MAX = 2048 };

static void must(int truth)
{
    if (!truth)
        abort();
}

static void must_not_show(const smc_buf_t *out, const void *form, size_t n)
{
    must(n < LEAST || memmem(out->data, out->len, form, n) == NULL);
}

typedef smc_code_t (*encode_fn)(const void *bytes, size_t n, smc_buf_t *out);

/* The text, and behind it the secret in one form; the mask must not become a part of it. */
static void check_form(const redact_t *r, const char *text, size_t n, const void *secret,
                       size_t secret_n, encode_fn encode)
{
    smc_buf_t in = {0}, form = {0}, out = {0};

    must(smc_buf_append(&in, text, n) == SMC_OK);
    must((encode != NULL ? encode(secret, secret_n, &form)
                         : smc_buf_append(&form, secret, secret_n)) == SMC_OK);
    must(smc_buf_append(&in, form.data, form.len) == SMC_OK);
    must(smc_buf_append(&in, text, n) == SMC_OK);
    must(redact_text(r, in.data, in.len, &out) == SMC_OK);
    must(out.len <= in.len + 3 * in.len / LEAST);
    must_not_show(&out, secret, secret_n);
    must_not_show(&out, form.data, form.len);
    smc_buf_deinit(&in);
    smc_buf_deinit(&form);
    smc_buf_deinit(&out);
}

/* The first byte says how long the secret is that follows. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data + 1;
    size_t n = size == 0 ? 0 : LEAST + data[0] % (MOST - LEAST + 1);
    redact_t r = {0};

    if (size < 1 + n || n == 0 || size > TEXT_MAX || memchr(bytes, '*', n) != NULL)
        return 0;
    must(redact_add(&r, bytes, n, NULL) == SMC_OK);
    check_form(&r, bytes + n, size - 1 - n, bytes, n, NULL);
    check_form(&r, bytes + n, size - 1 - n, bytes, n, smc_hex_encode);
    check_form(&r, bytes + n, size - 1 - n, bytes, n, smc_percent_encode);
    redact_deinit(&r);
    return 0;
}
