/* Two decimals as texts: the grammar, the way there and back, and what arithmetic promises. */
#include "smc/decimal.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int truth)
{
    if (!truth)
        abort();
}

/* Digits from i on; returns where they end. */
static size_t digits(const char *text, size_t n, size_t i)
{
    while (i < n && text[i] >= '0' && text[i] <= '9')
        i++;
    return i;
}

static bool is_number(const char *text, size_t n)
{
    size_t from = n > 0 && text[0] == '-', i = digits(text, n, from);

    if (i == from)
        return false;
    return i == n || (text[i] == '.' && i + 1 < n && digits(text, n, i + 1) == n);
}

static bool parse(const char *bytes, size_t n, smc_dec_t *out)
{
    char *text = malloc(n > 0 ? n : 1), back[SMC_DEC_TEXT_MAX];
    smc_dec_t again = {0};
    smc_code_t code;
    size_t len;

    must(text != NULL);
    if (n > 0)
        memcpy(text, bytes, n);
    code = smc_dec_parse(text, n, out);
    must(is_number(bytes, n) == (code != SMC_EPARSE));
    free(text);
    if (code != SMC_OK)
        return false;
    len = smc_dec_text(*out, back);
    must(len < sizeof(back) && strlen(back) == len && is_number(back, len));
    must(smc_dec_parse(back, len, &again) == SMC_OK && smc_dec_cmp(again, *out) == 0);
    return true;
}

static void check_sum(smc_dec_t a, smc_dec_t b)
{
    smc_dec_t sum = {0}, back = {0};

    if (smc_dec_add(a, b, &sum) != SMC_OK)
        return;
    must(smc_dec_sub(sum, b, &back) == SMC_OK && smc_dec_cmp(back, a) == 0);
}

/* Toward zero and away from it there is one step between, or none. */
static void check_product(smc_dec_t a, smc_dec_t b, int places)
{
    smc_dec_t down = {0}, up = {0}, half = {0}, other = {0};

    if (smc_dec_mul(a, b, places, SMC_ROUND_UP, &up) != SMC_OK)
        return;
    must(smc_dec_mul(a, b, places, SMC_ROUND_DOWN, &down) == SMC_OK);
    must(smc_dec_mul(a, b, places, SMC_ROUND_HALF_EVEN, &half) == SMC_OK);
    must(smc_dec_mul(b, a, places, SMC_ROUND_HALF_EVEN, &other) == SMC_OK);
    must(smc_dec_cmp(half, other) == 0);
    must(smc_dec_cmp(half, down) == 0 || smc_dec_cmp(half, up) == 0);
    must(smc_dec_cmp(smc_dec_abs(down), smc_dec_abs(up)) <= 0);
    must(smc_dec_round(down, places, SMC_ROUND_DOWN, &other) == SMC_OK);
    must(smc_dec_cmp(down, other) == 0);
}

static void check_quotient(smc_dec_t a, smc_dec_t b)
{
    smc_dec_t q = {0}, least = {0};

    if (smc_dec_div(a, b, SMC_DEC_PLACES, SMC_ROUND_DOWN, &q) != SMC_OK)
        return;
    must(smc_dec_mul(q, b, SMC_DEC_PLACES, SMC_ROUND_DOWN, &least) == SMC_OK);
    must(smc_dec_cmp(smc_dec_abs(least), smc_dec_abs(a)) <= 0);
}

static void check_grid(smc_dec_t a, smc_dec_t step)
{
    smc_dec_t at = {0}, above = {0};

    if (smc_dec_sign(step) <= 0 || smc_dec_round_to(a, step, SMC_ROUND_FLOOR, &at) != SMC_OK)
        return;
    must(smc_dec_is_multiple(at, step) && smc_dec_cmp(at, a) <= 0);
    must(smc_dec_add(at, step, &above) != SMC_OK || smc_dec_cmp(above, a) > 0);
}

static void check_format(smc_dec_t a, int places, smc_round_t mode)
{
    char text[SMC_DEC_TEXT_MAX];
    size_t n = smc_dec_format(a, places, mode, text);
    smc_dec_t shown = {0}, rounded = {0};

    must(n < sizeof(text) && is_number(text, n));
    if (smc_dec_round(a, places, mode, &rounded) != SMC_OK)
        return;
    must(smc_dec_parse(text, n, &shown) == SMC_OK && smc_dec_cmp(shown, rounded) == 0);
}

/* "places and mode, a, blank, b" */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data + 1;
    const char *blank = size < 2 ? NULL : memchr(text, ' ', size - 1);
    smc_dec_t a = {0}, b = {0};

    if (blank == NULL)
        return 0;
    bool both = parse(text, (size_t)(blank - text), &a) &
                parse(blank + 1, size - 2 - (size_t)(blank - text), &b);
    if (!both)
        return 0;
    check_sum(a, b);
    check_product(a, b, data[0] % (SMC_DEC_PLACES + 1));
    check_quotient(a, b);
    check_grid(a, b);
    check_format(a, data[0] % (SMC_DEC_PLACES + 1),
                 (smc_round_t)(data[0] / 32 % (SMC_ROUND_FLOOR + 1)));
    return 0;
}
