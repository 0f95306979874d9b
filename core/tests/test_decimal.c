/* Decimals against a model that works as on paper: one digit after the other, any length. */
#include "smc/decimal.h"
#include "smc/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { CASES = 20000, BIG = 100, MODES = SMC_ROUND_FLOOR + 1 };

/* ---- the model ------------------------------------------------------------------------------ */

/* A whole number: digits from the least, no leading zeros counted in n; zero has n == 0. */
typedef struct big {
    bool negative;
    int n;
    int d[BIG];
} big_t;

static void trim(big_t *a)
{
    while (a->n > 0 && a->d[a->n - 1] == 0)
        a->n--;
}

static int big_cmp(const big_t *a, const big_t *b)
{
    if (a->n != b->n)
        return a->n < b->n ? -1 : 1;
    for (int i = a->n - 1; i >= 0; i--)
        if (a->d[i] != b->d[i])
            return a->d[i] < b->d[i] ? -1 : 1;
    return 0;
}

static big_t big_plus(const big_t *a, const big_t *b)
{
    big_t sum = {.n = (a->n > b->n ? a->n : b->n) + 1};
    int carry = 0;

    for (int i = 0; i < sum.n; i++) {
        int s = (i < a->n ? a->d[i] : 0) + (i < b->n ? b->d[i] : 0) + carry;

        sum.d[i] = s % 10;
        carry = s / 10;
    }
    trim(&sum);
    return sum;
}

/* a >= b */
static big_t big_minus(const big_t *a, const big_t *b)
{
    big_t rest = {.n = a->n};
    int borrow = 0;

    for (int i = 0; i < a->n; i++) {
        int s = a->d[i] - (i < b->n ? b->d[i] : 0) - borrow;

        borrow = s < 0;
        rest.d[i] = s + 10 * borrow;
    }
    trim(&rest);
    return rest;
}

static big_t big_times(const big_t *a, const big_t *b)
{
    big_t product = {.n = a->n + b->n};

    for (int i = 0; i < a->n; i++) {
        for (int k = 0; k < b->n; k++) {
            int at = i + k;

            product.d[at] += a->d[i] * b->d[k];
            for (; product.d[at] > 9; at++) {
                product.d[at + 1] += product.d[at] / 10;
                product.d[at] %= 10;
            }
        }
    }
    trim(&product);
    return product;
}

static big_t big_shift(const big_t *a, int digits)
{
    big_t out = {.n = a->n == 0 ? 0 : a->n + digits};

    for (int i = 0; i < a->n; i++)
        out.d[i + digits] = a->d[i];
    return out;
}

/* Long division, as at school. */
static big_t big_over(const big_t *a, const big_t *b, big_t *rest)
{
    big_t q = {.n = a->n};
    big_t r = {0};

    for (int i = a->n - 1; i >= 0; i--) {
        r = big_shift(&r, 1);
        r.d[0] = a->d[i];
        if (r.n == 0)
            r.n = 1;
        trim(&r);
        while (big_cmp(&r, b) >= 0) {
            r = big_minus(&r, b);
            q.d[i]++;
        }
    }
    trim(&q);
    *rest = r;
    return q;
}

static big_t ten_to(int digits)
{
    big_t one = {.n = 1, .d = {1}};

    return big_shift(&one, digits);
}

/* a / b to a whole number. */
static big_t big_round(const big_t *a, const big_t *b, bool negative, smc_round_t mode)
{
    const big_t one = {.n = 1, .d = {1}};
    big_t rest;
    big_t q = big_over(a, b, &rest);
    big_t twice = big_plus(&rest, &rest);
    int half = big_cmp(&twice, b);
    bool odd = q.n > 0 && q.d[0] % 2 == 1;
    bool up = (mode == SMC_ROUND_UP) || (mode == SMC_ROUND_FLOOR && negative) ||
              (mode == SMC_ROUND_HALF_UP && half >= 0) ||
              (mode == SMC_ROUND_HALF_EVEN && (half > 0 || (half == 0 && odd)));

    if (rest.n > 0 && up)
        q = big_plus(&q, &one);
    q.negative = negative && q.n > 0;
    return q;
}

/* text without a sign problem: "-12.5" with 18 places becomes -12500000000000000000. */
static big_t big_from(const char *text, int places)
{
    big_t a = {0};
    const char *point = strchr(text, '.');
    int decimals = point == NULL ? 0 : (int)strlen(point + 1);

    for (size_t i = strlen(text); i-- > 0;)
        if (text[i] >= '0' && text[i] <= '9')
            a.d[a.n++] = text[i] - '0';
    trim(&a);
    assert_true(decimals <= places);
    a = big_shift(&a, places - decimals);
    a.negative = text[0] == '-' && a.n > 0;
    return a;
}

/* A whole number of 10^-18 as minimal text; false when it does not fit. */
static bool big_text(const big_t *a, char *out)
{
    static const char max[] = "170141183460469231731687303715884105727";
    big_t limit = big_from(max, 0);
    int low = 0;
    int n = 0;

    if (big_cmp(a, &limit) > 0)
        return false;
    while (low < 18 && (low >= a->n || a->d[low] == 0))
        low++;
    if (a->negative)
        out[n++] = '-';
    for (int i = a->n > 19 ? a->n - 1 : 18; i >= low || i >= 18; i--) {
        if (i == 17)
            out[n++] = '.';
        out[n++] = (char)('0' + (i < a->n ? a->d[i] : 0));
    }
    out[n] = '\0';
    return true;
}

/* ---- what both sides are asked -------------------------------------------------------------- */

static smc_dec_t dec(const char *text)
{
    smc_dec_t a = {0};

    if (smc_dec_parse(text, strlen(text), &a) != SMC_OK)
        fail_msg("cannot parse %s", text);
    return a;
}

/* Numbers of every size, with a liking for nines, zeros and halves. */
static void any_number(smc_rng_t *rng, char *out)
{
    static const char liked[] = "00995";
    int whole = (int)smc_rng_range(rng, 1, 20);
    int decimals = (int)smc_rng_range(rng, 0, 18);
    bool odd_digits = smc_rng_below(rng, 2) == 0;
    int n = 0;

    if (smc_rng_below(rng, 3) == 0)
        whole = 1;
    if (smc_rng_below(rng, 3) == 0)
        out[n++] = '-';
    for (int i = 0; i < whole + decimals; i++) {
        if (i == whole)
            out[n++] = '.';
        out[n++] =
            (char)(odd_digits || smc_rng_below(rng, 4) == 0 ? '0' + (int)smc_rng_below(rng, 10)
                                                            : liked[smc_rng_below(rng, 5)]);
    }
    out[n] = '\0';
}

static void expect(const char *law, const char *a, const char *b, const big_t *want,
                   smc_code_t code, smc_dec_t got)
{
    char want_text[BIG + 4];
    char got_text[SMC_DEC_TEXT_MAX];
    size_t n = smc_dec_text(got, got_text);

    if (!big_text(want, want_text)) {
        if (code != SMC_EOVERFLOW)
            fail_msg("%s %s %s: no overflow but %s", a, law, b, got_text);
        return;
    }
    if (code != SMC_OK || strcmp(want_text, got_text) != 0 || n != strlen(got_text))
        fail_msg("%s %s %s: want %s, got %s (%s)", a, law, b, want_text, got_text,
                 smc_code_text(code));
}

static big_t signed_plus(const big_t *a, const big_t *b)
{
    big_t out;

    if (a->negative == b->negative) {
        out = big_plus(a, b);
        out.negative = a->negative && out.n > 0;
    } else if (big_cmp(a, b) >= 0) {
        out = big_minus(a, b);
        out.negative = a->negative && out.n > 0;
    } else {
        out = big_minus(b, a);
        out.negative = b->negative;
    }
    return out;
}

static void adding_and_subtracting_follow_the_model(void **state)
{
    smc_rng_t rng;

    (void)state;
    smc_rng_init(&rng, 1, "add");
    for (int i = 0; i < CASES; i++) {
        char a[64];
        char b[64];
        smc_dec_t got = {0};
        smc_code_t code;
        big_t x;
        big_t y;
        big_t want;

        any_number(&rng, a);
        any_number(&rng, b);
        x = big_from(a, 18);
        y = big_from(b, 18);
        want = signed_plus(&x, &y);
        code = smc_dec_add(dec(a), dec(b), &got);
        expect("+", a, b, &want, code, got);
        y.negative = !y.negative && y.n > 0;
        want = signed_plus(&x, &y);
        got = (smc_dec_t){0};
        code = smc_dec_sub(dec(a), dec(b), &got);
        expect("-", a, b, &want, code, got);
    }
}

static void comparing_follows_the_model(void **state)
{
    smc_rng_t rng;

    (void)state;
    smc_rng_init(&rng, 1, "cmp");
    for (int i = 0; i < CASES; i++) {
        char a[64];
        char b[64];
        big_t x;
        big_t y;
        big_t difference;
        int want;

        any_number(&rng, a);
        any_number(&rng, b);
        if (i % 8 == 0)
            memcpy(b, a, sizeof(b));
        x = big_from(a, 18);
        y = big_from(b, 18);
        y.negative = !y.negative && y.n > 0;
        difference = signed_plus(&x, &y);
        want = difference.negative ? -1 : difference.n > 0;
        assert_int_equal(want, smc_dec_cmp(dec(a), dec(b)));
        assert_int_equal(-want, smc_dec_cmp(dec(b), dec(a)));
        assert_int_equal(x.negative ? -1 : x.n > 0, smc_dec_sign(dec(a)));
    }
}

static void multiplying_follows_the_model_in_every_mode(void **state)
{
    smc_rng_t rng;

    (void)state;
    smc_rng_init(&rng, 1, "mul");
    for (int i = 0; i < CASES; i++) {
        int places = (int)smc_rng_below(&rng, 19);
        big_t unit = ten_to(36 - places);
        char a[64];
        char b[64];
        big_t x;
        big_t y;
        big_t exact;

        any_number(&rng, a);
        any_number(&rng, b);
        x = big_from(a, 18);
        y = big_from(b, 18);
        exact = big_times(&x, &y);
        for (int mode = 0; mode < MODES; mode++) {
            big_t counted = big_round(&exact, &unit, x.negative != y.negative, (smc_round_t)mode);
            big_t want = big_shift(&counted, 18 - places);
            smc_dec_t got = {0};
            smc_code_t code = smc_dec_mul(dec(a), dec(b), places, (smc_round_t)mode, &got);

            want.negative = counted.negative;
            expect("*", a, b, &want, code, got);
        }
    }
}

static void dividing_follows_the_model_in_every_mode(void **state)
{
    smc_rng_t rng;

    (void)state;
    smc_rng_init(&rng, 1, "div");
    for (int i = 0; i < CASES; i++) {
        int places = (int)smc_rng_below(&rng, 19);
        char a[64];
        char b[64];
        big_t x;
        big_t y;

        any_number(&rng, a);
        any_number(&rng, b);
        y = big_from(b, 18);
        if (y.n == 0)
            continue;
        x = big_from(a, 18);
        for (int mode = 0; mode < MODES; mode++) {
            big_t over = big_shift(&x, places);
            big_t counted = big_round(&over, &y, x.negative != y.negative, (smc_round_t)mode);
            big_t want = big_shift(&counted, 18 - places);
            smc_dec_t got = {0};
            smc_code_t code = smc_dec_div(dec(a), dec(b), places, (smc_round_t)mode, &got);

            want.negative = counted.negative;
            expect("/", a, b, &want, code, got);
        }
    }
}

static void rounding_to_a_step_follows_the_model_in_every_mode(void **state)
{
    smc_rng_t rng;

    (void)state;
    smc_rng_init(&rng, 1, "step");
    for (int i = 0; i < CASES; i++) {
        char a[64];
        char b[64];
        big_t x;
        big_t y;
        big_t rest;

        any_number(&rng, a);
        any_number(&rng, b);
        y = big_from(b, 18);
        if (y.n == 0 || y.negative)
            continue;
        x = big_from(a, 18);
        (void)big_over(&x, &y, &rest);
        assert_int_equal(rest.n == 0, smc_dec_is_multiple(dec(a), dec(b)));
        for (int mode = 0; mode < MODES; mode++) {
            big_t steps = big_round(&x, &y, x.negative, (smc_round_t)mode);
            big_t want = big_times(&steps, &y);
            smc_dec_t got = {0};
            smc_code_t code = smc_dec_round_to(dec(a), dec(b), (smc_round_t)mode, &got);

            want.negative = steps.negative;
            expect("to", a, b, &want, code, got);
        }
    }
}

static void formatting_follows_the_model_and_parses_back(void **state)
{
    smc_rng_t rng;

    (void)state;
    smc_rng_init(&rng, 1, "format");
    for (int i = 0; i < CASES; i++) {
        int places = (int)smc_rng_below(&rng, 19);
        smc_round_t mode = (smc_round_t)smc_rng_below(&rng, MODES);
        big_t unit = ten_to(18 - places);
        char a[64];
        char got[SMC_DEC_TEXT_MAX] = "";
        big_t x;
        big_t want;
        big_t back;

        any_number(&rng, a);
        x = big_from(a, 18);
        want = big_round(&x, &unit, x.negative, mode);
        assert_int_equal(strlen(got), smc_dec_format(dec(a), places, mode, got));
        back = big_from(got, places);
        assert_int_equal(places, strchr(got, '.') == NULL ? 0 : strlen(strchr(got, '.') + 1));
        assert_int_equal(want.negative, got[0] == '-');
        assert_int_equal(0, big_cmp(&want, &back));
        (void)smc_dec_text(dec(a), got);
        assert_int_equal(0, smc_dec_cmp(dec(a), dec(got)));
    }
}

/* ---- by hand -------------------------------------------------------------------------------- */

static void parse_gives(const char *text, smc_code_t want)
{
    smc_dec_t a = {42};
    smc_code_t got = smc_dec_parse(text, strlen(text), &a);

    if (got != want)
        fail_msg("\"%s\": want %s, got %s", text, smc_code_text(want), smc_code_text(got));
    if (want != SMC_OK)
        assert_true(a.units == 42);
}

static void only_plain_decimals_parse(void **state)
{
    static const char *const bad[] = {"",    "-",   "+1",  ".5",   "5.",  "1.2.3", "1e5", " 1",
                                      "1 ",  "0x1", "--1", "1,5",  "-.5", "nan",   "inf", "1.-5",
                                      "1_0", "a",   ".",   "1.5 ", "-+1", "1.e1",  "\n1", "٣"};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        parse_gives(bad[i], SMC_EPARSE);
    parse_gives("0", SMC_OK);
    parse_gives("-0", SMC_OK);
    parse_gives("007.50", SMC_OK);
}

static void a_lost_digit_is_an_error(void **state)
{
    (void)state;
    parse_gives("0.000000000000000001", SMC_OK);
    parse_gives("0.0000000000000000010000", SMC_OK);
    parse_gives("0.0000000000000000001", SMC_EOVERFLOW);
    parse_gives("0.0000000000000000001x", SMC_EPARSE);
}

static void the_range_ends_at_its_stated_maximum(void **state)
{
    static const char max[] = "170141183460469231731.687303715884105727";
    char text[SMC_DEC_TEXT_MAX];
    smc_dec_t out = {7};
    smc_dec_t least = dec("-170141183460469231731.687303715884105727");

    (void)state;
    assert_int_equal(strlen(max), smc_dec_text(dec(max), text));
    assert_string_equal(max, text);
    parse_gives("170141183460469231731.687303715884105728", SMC_EOVERFLOW);
    parse_gives("-170141183460469231731.687303715884105728", SMC_EOVERFLOW);
    parse_gives("999999999999999999999999999999999999999999999999999", SMC_EOVERFLOW);
    assert_int_equal(SMC_EOVERFLOW, smc_dec_add(dec(max), dec("0.000000000000000001"), &out));
    assert_int_equal(SMC_EOVERFLOW, smc_dec_sub(least, dec("0.000000000000000001"), &out));
    assert_int_equal(SMC_EOVERFLOW, smc_dec_round(dec(max), 0, SMC_ROUND_UP, &out));
    assert_int_equal(SMC_EOVERFLOW, smc_dec_div(dec(max), dec("0.1"), 18, SMC_ROUND_DOWN, &out));
    assert_int_equal(SMC_EOVERFLOW, smc_dec_mul(least, least, 0, SMC_ROUND_DOWN, &out));
    assert_true(out.units == 7);
    (void)smc_dec_format(dec(max), 0, SMC_ROUND_UP, text);
    assert_string_equal("170141183460469231732", text);
}

static void modes_differ_where_they_should(void **state)
{
    static const struct {
        const char *a;
        const char *want[MODES]; /* down, up, half up, half even, floor */
    } rows[] = {
        {"2.5", {"2", "3", "3", "2", "2"}},       {"3.5", {"3", "4", "4", "4", "3"}},
        {"-2.5", {"-2", "-3", "-3", "-2", "-3"}}, {"-0.4", {"0", "-1", "0", "0", "-1"}},
        {"0.6", {"0", "1", "1", "1", "0"}},       {"-7", {"-7", "-7", "-7", "-7", "-7"}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (int mode = 0; mode < MODES; mode++) {
            char text[SMC_DEC_TEXT_MAX];
            smc_dec_t got;

            assert_int_equal(SMC_OK, smc_dec_round(dec(rows[i].a), 0, (smc_round_t)mode, &got));
            (void)smc_dec_text(got, text);
            assert_string_equal(rows[i].want[mode], text);
        }
    }
}

/* 2.500000000000000000499...: cut to 18 decimals first, it would be an even half and go down. */
static void a_result_is_rounded_once(void **state)
{
    smc_dec_t out;
    char text[SMC_DEC_TEXT_MAX];

    (void)state;
    assert_int_equal(SMC_OK, smc_dec_mul(dec("1.000000000000000001"), dec("2.499999999999999998"),
                                         0, SMC_ROUND_HALF_EVEN, &out));
    (void)smc_dec_text(out, text);
    assert_string_equal("3", text);
    assert_int_equal(SMC_OK,
                     smc_dec_mul(dec("0.000000000000000001"), dec("0.1"), 0, SMC_ROUND_UP, &out));
    (void)smc_dec_text(out, text);
    assert_string_equal("1", text);
}

static void dividing_by_zero_and_bad_steps_are_refused(void **state)
{
    smc_dec_t out = {7};

    (void)state;
    assert_int_equal(SMC_EINVAL, smc_dec_div(dec("1"), dec("0"), 8, SMC_ROUND_DOWN, &out));
    assert_int_equal(SMC_EINVAL, smc_dec_round_to(dec("1"), dec("0"), SMC_ROUND_DOWN, &out));
    assert_int_equal(SMC_EINVAL, smc_dec_round_to(dec("1"), dec("-1"), SMC_ROUND_DOWN, &out));
    assert_true(out.units == 7);
}

static void whole_numbers_of_64_bits_convert(void **state)
{
    char text[SMC_DEC_TEXT_MAX];

    (void)state;
    (void)smc_dec_text(smc_dec_from_int(INT64_MIN), text);
    assert_string_equal("-9223372036854775808", text);
    (void)smc_dec_text(smc_dec_abs(smc_dec_from_int(INT64_MIN)), text);
    assert_string_equal("9223372036854775808", text);
    (void)smc_dec_text(smc_dec_neg(smc_dec_from_int(INT64_MAX)), text);
    assert_string_equal("-9223372036854775807", text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_plain_decimals_parse),
        cmocka_unit_test(a_lost_digit_is_an_error),
        cmocka_unit_test(the_range_ends_at_its_stated_maximum),
        cmocka_unit_test(modes_differ_where_they_should),
        cmocka_unit_test(a_result_is_rounded_once),
        cmocka_unit_test(dividing_by_zero_and_bad_steps_are_refused),
        cmocka_unit_test(whole_numbers_of_64_bits_convert),
        cmocka_unit_test(adding_and_subtracting_follow_the_model),
        cmocka_unit_test(comparing_follows_the_model),
        cmocka_unit_test(multiplying_follows_the_model_in_every_mode),
        cmocka_unit_test(dividing_follows_the_model_in_every_mode),
        cmocka_unit_test(rounding_to_a_step_follows_the_model_in_every_mode),
        cmocka_unit_test(formatting_follows_the_model_and_parses_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
