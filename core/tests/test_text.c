/* Hex, base64 and percent-encoding: the published vectors, strictness, and that decoding undoes encoding. */
#include "smc/rng.h"
#include "smc/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { CASES = 20000, BYTES_MAX = 40 };

typedef smc_code_t (*encode_fn)(const void *bytes, size_t n, smc_buf_t *out);
typedef smc_code_t (*decode_fn)(const char *text, size_t n, smc_buf_t *out);

static void encodes(encode_fn encode, const char *bytes, size_t n, const char *want)
{
    smc_buf_t out = {0};

    assert_int_equal(SMC_OK, smc_buf_puts(&out, "before:"));
    assert_int_equal(SMC_OK, encode(bytes, n, &out));
    assert_memory_equal("before:", out.data, 7);
    assert_string_equal(want, out.data + 7);
    assert_int_equal(7 + strlen(want), out.len);
    smc_buf_deinit(&out);
}

static void decodes(decode_fn decode, const char *text, const char *want, size_t n)
{
    smc_buf_t out = {0};

    assert_int_equal(SMC_OK, decode(text, strlen(text), &out));
    assert_int_equal(n, out.len);
    assert_memory_equal(want, out.data, n + 1); /* with the NUL */
    smc_buf_deinit(&out);
}

static void refuses(decode_fn decode, const char *text)
{
    smc_buf_t out = {0};

    assert_int_equal(SMC_OK, smc_buf_puts(&out, "before"));
    if (decode(text, strlen(text), &out) != SMC_EPARSE)
        fail_msg("\"%s\" was decoded", text);
    assert_string_equal("before", out.data);
    assert_int_equal(6, out.len);
    smc_buf_deinit(&out);
}

static void hex_is_lower_case_and_reads_both(void **state)
{
    (void)state;
    encodes(smc_hex_encode, "\x00\x7f\x80\xff", 4, "007f80ff");
    encodes(smc_hex_encode, "", 0, "");
    decodes(smc_hex_decode, "007F80fF", "\x00\x7f\x80\xff", 4);
    decodes(smc_hex_decode, "", "", 0);
}

static void hex_refuses_what_is_not_pairs_of_digits(void **state)
{
    static const char *const bad[] = {"0",   "000",  "0g", "g0", " 00",
                                      "00 ", "0x00", "-1", "@0", "`0"};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        refuses(smc_hex_decode, bad[i]);
}

/* RFC 4648 section 10. */
static void base64_meets_the_vectors_of_its_rfc(void **state)
{
    static const char *const rows[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        encodes(smc_base64_encode, rows[i][0], strlen(rows[i][0]), rows[i][1]);
        decodes(smc_base64_decode, rows[i][1], rows[i][0], strlen(rows[i][0]));
    }
    encodes(smc_base64_encode, "\xfb\xff\xbf", 3, "+/+/");
}

static void base64_refuses_what_it_would_not_write(void **state)
{
    static const char *const bad[] = {
        "Z",        "Zg",       "Zg=",      "=",    "==",   "===",      "====",
        "Zg==Zg==", "Zm8=Zm8=", "Zg===",    "Z===", "Zh==", "Zm9=",     "Zm9v\n",
        "Zm 9",     "-_-_",     "Zm9v====", "=Zm9", "Zg=A", "Zm9vYg=!", "Zm9v Zm9",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        refuses(smc_base64_decode, bad[i]);
}

static void percent_encoding_leaves_the_unreserved_only(void **state)
{
    static const char unreserved[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    (void)state;
    encodes(smc_percent_encode, unreserved, strlen(unreserved), unreserved);
    encodes(
        smc_percent_encode, " !\"#$%&'()*+,/:;<=>?@[\\]^`{|}", 29,
        "%20%21%22%23%24%25%26%27%28%29%2A%2B%2C%2F%3A%3B%3C%3D%3E%3F%40%5B%5C%5D%5E%60%7B%7C%7D");
    encodes(smc_percent_encode, "\0\x7f\xEF\xBC\x91", 5, "%00%7F%EF%BC%91");
}

static void percent_decoding_takes_either_case_and_leaves_plus(void **state)
{
    (void)state;
    decodes(smc_percent_decode, "a%2Fb%2fc+d e", "a/b/c+d e", 9);
    decodes(smc_percent_decode, "%00", "\0", 1);
    decodes(smc_percent_decode, "%2525", "%25", 3);
    decodes(smc_percent_decode, "", "", 0);
}

static void percent_decoding_refuses_broken_escapes(void **state)
{
    static const char *const bad[] = {"%", "%2", "a%", "a%2", "%2g", "%g2", "%%20", "% 20", "%+1"};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        refuses(smc_percent_decode, bad[i]);
}

static void a_decoder_reads_no_further_than_told(void **state)
{
    smc_buf_t out = {0};

    (void)state;
    assert_int_equal(SMC_EPARSE, smc_percent_decode("%20", 2, &out));
    assert_int_equal(SMC_OK, smc_hex_decode("ffff", 2, &out));
    assert_int_equal(1, out.len);
    smc_buf_deinit(&out);
}

static void round_trip(encode_fn encode, decode_fn decode, const char *name)
{
    smc_rng_t rng;
    smc_buf_t text = {0};
    smc_buf_t back = {0};

    smc_rng_init(&rng, 1, name);
    for (int i = 0; i < CASES; i++) {
        unsigned char bytes[BYTES_MAX];
        size_t n = smc_rng_below(&rng, BYTES_MAX + 1);

        for (size_t k = 0; k < n; k++)
            bytes[k] = (unsigned char)smc_rng_below(&rng, 256);
        smc_buf_clear(&text);
        smc_buf_clear(&back);
        assert_int_equal(SMC_OK, encode(bytes, n, &text));
        assert_int_equal(SMC_OK, decode(text.data, text.len, &back));
        assert_int_equal(n, back.len);
        assert_memory_equal(bytes, back.data, n);
    }
    smc_buf_deinit(&text);
    smc_buf_deinit(&back);
}

static void decoding_undoes_encoding(void **state)
{
    (void)state;
    round_trip(smc_hex_encode, smc_hex_decode, "hex");
    round_trip(smc_base64_encode, smc_base64_decode, "base64");
    round_trip(smc_percent_encode, smc_percent_decode, "percent");
}

/* Whatever base64 text is taken, its bytes are written as that same text: there is no second spelling. */
static void base64_has_one_spelling_for_each_value(void **state)
{
    static const char letters[] = "AQgw/+9z=";
    smc_rng_t rng;
    smc_buf_t bytes = {0};
    smc_buf_t back = {0};
    int taken = 0;

    (void)state;
    smc_rng_init(&rng, 1, "spelling");
    for (int i = 0; i < CASES; i++) {
        char text[9] = {0};

        for (int k = 0; k < 8; k++)
            text[k] = letters[smc_rng_below(&rng, k < 6 ? 8 : 9)];
        smc_buf_clear(&bytes);
        smc_buf_clear(&back);
        if (smc_base64_decode(text, 8, &bytes) != SMC_OK)
            continue;
        taken++;
        assert_int_equal(SMC_OK, smc_base64_encode(bytes.data, bytes.len, &back));
        assert_string_equal(text, back.data);
    }
    assert_in_range(taken, CASES / 2, CASES - 1);
    smc_buf_deinit(&bytes);
    smc_buf_deinit(&back);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hex_is_lower_case_and_reads_both),
        cmocka_unit_test(hex_refuses_what_is_not_pairs_of_digits),
        cmocka_unit_test(base64_meets_the_vectors_of_its_rfc),
        cmocka_unit_test(base64_refuses_what_it_would_not_write),
        cmocka_unit_test(percent_encoding_leaves_the_unreserved_only),
        cmocka_unit_test(percent_decoding_takes_either_case_and_leaves_plus),
        cmocka_unit_test(percent_decoding_refuses_broken_escapes),
        cmocka_unit_test(a_decoder_reads_no_further_than_told),
        cmocka_unit_test(decoding_undoes_encoding),
        cmocka_unit_test(base64_has_one_spelling_for_each_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
