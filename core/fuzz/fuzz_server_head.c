/* A request head and its chunked body: any bytes, and the same outcome however they are cut. */
#include "net/server_head_priv.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEAD_MAX ((size_t)2048)
#define BODY_MAX 1024

static void must(int truth)
{
    if (!truth)
        abort();
}

/* A copy of exactly that size, so that a sanitizer sees a read beyond it. */
static char *copy_of(const char *bytes, size_t n)
{
    char *copy = malloc(n > 0 ? n : 1);

    must(copy != NULL);
    if (n > 0)
        memcpy(copy, bytes, n);
    return copy;
}

static smc_head_result_t parse(smc_head_t *h, const char *bytes, size_t n, size_t step)
{
    smc_head_result_t result = SMC_HEAD_MORE;

    smc_head_init(h);
    for (size_t have = 0; result == SMC_HEAD_MORE && have < n;) {
        char *copy;
        have = n - have < step ? n : have + step;
        copy = copy_of(bytes, have);
        result = smc_head_parse(h, copy, have, HEAD_MAX);
        free(copy);
    }
    return result;
}

static void check_parts(const smc_head_t *h)
{
    must(h->size <= HEAD_MAX && h->n_fields <= SMC_HEAD_FIELDS_MAX);
    must(h->method.at + h->method.len < h->target.at);
    must(h->target.at + h->target.len < h->size);
    for (size_t i = 0; i < h->n_fields; i++)
        must(h->fields[i].name.len > 0 && h->fields[i].value.at + h->fields[i].value.len < h->size);
    must(!h->chunked || h->content_length == 0);
}

static smc_head_result_t dechunk(const char *bytes, size_t n, size_t step, smc_buf_t *out,
                                 size_t *taken)
{
    smc_head_result_t result = SMC_HEAD_MORE;
    smc_chunked_t c;

    *taken = 0;
    smc_chunked_init(&c);
    while (result == SMC_HEAD_MORE && *taken < n) {
        size_t used, piece = n - *taken < step ? n - *taken : step;
        char *copy = copy_of(bytes + *taken, piece);
        result = smc_chunked_feed(&c, copy, piece, BODY_MAX, out, &used);
        must(used <= piece && (result != SMC_HEAD_MORE || used == piece));
        *taken += used;
        free(copy);
    }
    must(out->len <= BODY_MAX);
    return result;
}

static void check_body(const char *bytes, size_t n, size_t step)
{
    smc_buf_t whole = {0}, cut = {0};
    size_t whole_taken, cut_taken;
    smc_head_result_t result = dechunk(bytes, n, n + 1, &whole, &whole_taken);

    must(dechunk(bytes, n, step, &cut, &cut_taken) == result);
    must(whole_taken == cut_taken && whole.len == cut.len);
    must(whole.len == 0 || memcmp(whole.data, cut.data, whole.len) == 0);
    smc_buf_deinit(&whole);
    smc_buf_deinit(&cut);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data;
    static const size_t steps[] = {1, 7, 61};
    smc_head_t whole, cut;
    smc_head_result_t result;

    if (size > 4 * HEAD_MAX)
        return 0;
    result = parse(&whole, bytes, size, size + 1);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        must(parse(&cut, bytes, size, steps[i]) == result);
        must(cut.status == whole.status && cut.size == whole.size);
        if (result == SMC_HEAD_DONE && whole.chunked)
            check_body(bytes + whole.size, size - whole.size, steps[i]);
    }
    if (result == SMC_HEAD_DONE)
        check_parts(&whole);
    return 0;
}
