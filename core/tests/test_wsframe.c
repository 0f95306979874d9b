/* WebSocket framing: vectors of RFC 6455 and 7692, refusals, and the law that any cutting gives the same messages. */
#include "net/sha1_priv.h"
#include "net/wsdeflate_priv.h"
#include "net/wsframe_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- helpers ------------------------------------------------------------ */

/* A transcript of all events: "T:text B:bytes P:ping p:pong C:1000:reason F:1002 ". */
static void note(smc_buf_t *log, const smc_ws_event_t *ev)
{
    static const char letter[] = {[SMC_WS_EV_PING] = 'P', [SMC_WS_EV_PONG] = 'p'};

    switch (ev->kind) {
    case SMC_WS_EV_MORE:
        return;
    case SMC_WS_EV_MESSAGE:
        (void)smc_buf_printf(log, "%c:", ev->binary ? 'B' : 'T');
        break;
    case SMC_WS_EV_PING:
    case SMC_WS_EV_PONG:
        (void)smc_buf_printf(log, "%c:", letter[ev->kind]);
        break;
    case SMC_WS_EV_CLOSE:
        (void)smc_buf_printf(log, "C:%u:", (unsigned)ev->code);
        break;
    case SMC_WS_EV_FAIL:
        (void)smc_buf_printf(log, "F:%u ", (unsigned)ev->code);
        return;
    }
    (void)smc_buf_append(log, ev->data, ev->len);
    (void)smc_buf_putc(log, ' ');
}

/* Feeds all bytes in pieces of step(ud) bytes, each in memory of its own. */
static void feed_all(smc_wsreader_t *r, const char *bytes, size_t n, size_t (*step)(void *),
                     void *ud, smc_buf_t *log)
{
    for (size_t at = 0; at < n;) {
        size_t want = step(ud), piece = want < n - at ? want : n - at, used = 0;
        char *copy = malloc(piece);
        assert_non_null(copy);
        memcpy(copy, bytes + at, piece);
        while (used < piece) {
            smc_ws_event_t ev;
            size_t took = smc_wsreader_feed(r, copy + used, piece - used, &ev);
            assert_true(took > 0 && took <= piece - used);
            used += took;
            note(log, &ev);
        }
        free(copy);
        at += piece;
    }
}

static size_t fixed_step(void *ud)
{
    return *(size_t *)ud;
}

/* What a server (masked) or a client makes of the bytes; the same for every cutting. */
static void assert_events(const char *expected, const void *bytes, size_t n, bool masked,
                          size_t max_message)
{
    for (size_t step = 1; step <= n; step++) {
        smc_wsreader_t r;
        smc_buf_t log = {0};
        (void)smc_buf_puts(&log, "");
        smc_wsreader_init(&r, masked, max_message);
        feed_all(&r, bytes, n, fixed_step, &step, &log);
        assert_string_equal(expected, log.data);
        smc_wsreader_deinit(&r);
        smc_buf_deinit(&log);
    }
}
#define ASSERT_PLAIN(expected, text) assert_events(expected, text, sizeof(text) - 1, false, 1000)

/* ---- vectors ------------------------------------------------------------ */

static void sha1_gives_the_digests_of_fips_180(void **state)
{
    static const uint8_t of_abc[SMC_SHA1_BYTES] = {0xa9, 0x99, 0x3e, 0x36, 0x47, 0x06, 0x81,
                                                   0x6a, 0xba, 0x3e, 0x25, 0x71, 0x78, 0x50,
                                                   0xc2, 0x6c, 0x9c, 0xd0, 0xd8, 0x9d};
    static const uint8_t of_two_blocks[SMC_SHA1_BYTES] = {0x84, 0x98, 0x3e, 0x44, 0x1c, 0x3b, 0xd2,
                                                          0x6e, 0xba, 0xae, 0x4a, 0xa1, 0xf9, 0x51,
                                                          0x29, 0xe5, 0xe5, 0x46, 0x70, 0xf1};
    static const uint8_t of_nothing[SMC_SHA1_BYTES] = {0xda, 0x39, 0xa3, 0xee, 0x5e, 0x6b, 0x4b,
                                                       0x0d, 0x32, 0x55, 0xbf, 0xef, 0x95, 0x60,
                                                       0x18, 0x90, 0xaf, 0xd8, 0x07, 0x09};
    static const char two_blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    uint8_t digest[SMC_SHA1_BYTES];

    (void)state;
    smc_sha1("abc", 3, digest);
    assert_memory_equal(of_abc, digest, sizeof(digest));
    smc_sha1(two_blocks, strlen(two_blocks), digest);
    assert_memory_equal(of_two_blocks, digest, sizeof(digest));
    smc_sha1(NULL, 0, digest);
    assert_memory_equal(of_nothing, digest, sizeof(digest));
}

static void the_examples_of_rfc_6455_are_read(void **state)
{
    (void)state;
    ASSERT_PLAIN("T:Hello ", "\x81\x05Hello");
    assert_events("T:Hello ", "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", 11, true, 1000);
    ASSERT_PLAIN("T:Hello ", "\x01\x03Hel\x80\x02lo");
    ASSERT_PLAIN("P:Hello ", "\x89\x05Hello");
    assert_events("p:Hello ", "\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", 11, true, 1000);
}

static void control_frames_come_between_fragments(void **state)
{
    (void)state;
    ASSERT_PLAIN("P:1 p:2 T:Hello P: T: ", "\x01\x03Hel\x89\x01"
                                           "1\x8a\x01"
                                           "2\x00\x01l\x80\x01o\x89\x00\x81\x00");
}

static void close_frames_carry_code_and_reason(void **state)
{
    (void)state;
    ASSERT_PLAIN("C:1005: ", "\x88\x00");
    ASSERT_PLAIN("C:1000: ", "\x88\x02\x03\xe8");
    ASSERT_PLAIN("C:4999:bye ", "\x88\x05\x13\x87"
                                "bye");
    ASSERT_PLAIN("F:1002 ", "\x88\x01\x03");
    ASSERT_PLAIN("F:1007 ", "\x88\x03\x03\xe8\xff");
}

static void only_codes_for_the_wire_are_valid(void **state)
{
    static const uint16_t good[] = {1000, 1001, 1002, 1003, 1007, 1011,
                                    1014, 3000, 3999, 4000, 4999};
    static const uint16_t bad[] = {0, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 65535};

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(smc_ws_code_valid(good[i]));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char frame[] = {(char)0x88, 2, (char)(bad[i] >> 8), (char)(bad[i] & 0xff)};
        assert_false(smc_ws_code_valid(bad[i]));
        assert_events("F:1002 ", frame, sizeof(frame), false, 1000);
    }
}

static void what_breaks_the_protocol_is_refused(void **state)
{
    (void)state;
    ASSERT_PLAIN("F:1002 ", "\xc1\x05Hello"); /* RSV1 without an extension */
    ASSERT_PLAIN("F:1002 ", "\xa1\x05Hello"); /* RSV2 */
    ASSERT_PLAIN("F:1002 ", "\x91\x05Hello"); /* RSV3 */
    ASSERT_PLAIN("F:1002 ", "\x83\x00");      /* reserved opcodes */
    ASSERT_PLAIN("F:1002 ", "\x8b\x00");
    ASSERT_PLAIN("F:1002 ", "\x80\x01x");          /* nothing to continue */
    ASSERT_PLAIN("F:1002 ", "\x01\x01x\x81\x01y"); /* a message inside a message */
    ASSERT_PLAIN("F:1002 ", "\x09\x00");           /* a control frame in fragments */
    ASSERT_PLAIN("F:1002 ", "\x89\x7e\x00\x7e");   /* a long control frame */
    ASSERT_PLAIN("F:1002 ", "\x81\x85mask");       /* masked, from a server */
    assert_events("F:1002 ", "\x81\x05Hello", 7, true, 1000);
    ASSERT_PLAIN("F:1002 ", "\x82\x7e\x00\x7d"); /* a length longer than it need be */
    ASSERT_PLAIN("F:1002 ", "\x82\x7f\x00\x00\x00\x00\x00\x00\xff\xff");
    ASSERT_PLAIN("F:1002 ", "\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x00");
    ASSERT_PLAIN("T:a F:1002 ", "\x81\x01"
                                "a\x83\x00\x81\x01z"); /* and nothing is read behind it */
}

static void a_message_may_be_as_big_as_the_limit(void **state)
{
    (void)state;
    assert_events("B:abcd ",
                  "\x82\x04"
                  "abcd",
                  6, false, 4);
    assert_events("F:1009 ", "\x82\x05", 2, false, 4);
    assert_events("F:1009 ",
                  "\x02\x03"
                  "abc\x80\x02",
                  7, false, 4);
}

static void text_is_utf_8(void **state)
{
    static const char *const good[] = {"",
                                       "$",
                                       "\u00a3",
                                       "\u20ac",
                                       "\U00010348",
                                       "\uffff",
                                       "\xf4\x8f\xbf\xbf",
                                       "\xed\x9f\xbf",
                                       "\xee\x80\x80"};
    static const char *const bad[] = {
        "\x80",         "\xc0\x80",         "\xc1\xbf",         "\xe0\x9f\xbf",
        "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
        "\xff",         "\xe2\x82",         "\xe2\x82x",        "\xf0\x90\x8d"};

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(smc_utf8_valid(good[i], strlen(good[i])));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(smc_utf8_valid(bad[i], strlen(bad[i])));
    ASSERT_PLAIN("T:\u20ac ", "\x01\x01\xe2\x00\x01\x82\x80\x01\xac");
    ASSERT_PLAIN("F:1007 ", "\x01\x01\xe2\x80\x01\x82");
    ASSERT_PLAIN("F:1007 ", "\x01\x02\xc0\x80"); /* at once, not at the end of the message */
    ASSERT_PLAIN("B:\xff ", "\x82\x01\xff");
}

static void lengths_take_the_shortest_form(void **state)
{
    static const struct {
        size_t n;
        size_t head;
    } sizes[] = {{0, 2}, {125, 2}, {126, 4}, {65535, 4}, {65536, 10}};
    char *payload = calloc(1, 65536);

    (void)state;
    assert_non_null(payload);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        smc_wsframe_t frame = {.opcode = SMC_WS_BINARY, .fin = true};
        smc_buf_t out = {0};
        assert_int_equal(SMC_OK, smc_wsframe_write(&out, &frame, payload, sizes[i].n));
        assert_int_equal(sizes[i].head + sizes[i].n, out.len);
        smc_buf_deinit(&out);
    }
    free(payload);
}

/* ---- the law ------------------------------------------------------------ */

static uint32_t draw(uint32_t *seed, uint32_t below)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)*seed * below >> 32);
}

static size_t random_step(void *ud)
{
    return 1 + draw(ud, 40);
}

static void put(smc_buf_t *wire, uint32_t *seed, smc_wsframe_t frame, const char *p, size_t n)
{
    uint8_t mask[4];

    for (unsigned i = 0; i < 4; i++)
        mask[i] = (uint8_t)draw(seed, 256);
    frame.mask = mask;
    assert_int_equal(SMC_OK, smc_wsframe_write(wire, &frame, p, n));
}

static void put_control(smc_buf_t *wire, smc_buf_t *expected, uint32_t *seed)
{
    bool ping = draw(seed, 2) == 0;
    char payload[SMC_WS_CONTROL_MAX];
    size_t n = draw(seed, sizeof(payload) + 1);

    memset(payload, 'a' + (int)draw(seed, 26), sizeof(payload));
    put(wire, seed, (smc_wsframe_t){.opcode = ping ? SMC_WS_PING : SMC_WS_PONG, .fin = true},
        payload, n);
    (void)smc_buf_printf(expected, "%c:%.*s ", ping ? 'P' : 'p', (int)n, payload);
}

/* One message in random fragments with control frames between them. */
static void put_message(smc_buf_t *wire, smc_buf_t *expected, uint32_t *seed, smc_wsdeflate_t *d)
{
    bool binary = draw(seed, 2) == 0;
    size_t n = draw(seed, 10) == 0 ? draw(seed, 70000) : draw(seed, 200);
    char *text = malloc(n + 1);
    smc_buf_t payload = {0};
    smc_wsframe_t frame = {.opcode = binary ? SMC_WS_BINARY : SMC_WS_TEXT};

    assert_non_null(text);
    for (size_t i = 0; i < n; i++)
        text[i] = (char)('0' + draw(seed, 75));
    text[n] = '\0';
    frame.deflated = d != NULL && n > 0;
    if (frame.deflated)
        assert_int_equal(SMC_OK, smc_wsdeflate_pack(d, text, n, &payload));
    else
        (void)smc_buf_append(&payload, text, n);
    for (size_t at = 0; !frame.fin;) {
        size_t left = payload.len - at, some = draw(seed, (uint32_t)left + 1);
        if (draw(seed, 3) == 0)
            put_control(wire, expected, seed);
        frame.fin = draw(seed, 3) == 0;
        if (frame.fin)
            some = left;
        put(wire, seed, frame, payload.data + at, some);
        at += some;
        frame.opcode = SMC_WS_CONTINUATION;
        frame.deflated = false;
    }
    (void)smc_buf_printf(expected, "%c:%s ", binary ? 'B' : 'T', text);
    smc_buf_deinit(&payload);
    free(text);
}

static void assert_law(uint32_t seed, const smc_wsdeflate_params_t *params)
{
    smc_buf_t wire = {0}, expected = {0}, log = {0};
    smc_wsdeflate_t *theirs = params == NULL ? NULL : smc_wsdeflate_new(params);
    smc_wsdeflate_t *ours = params == NULL ? NULL : smc_wsdeflate_new(params);
    uint32_t first = seed, n_messages = 1 + draw(&seed, 4);
    smc_wsreader_t r;

    for (uint32_t i = 0; i < n_messages; i++)
        put_message(&wire, &expected, &seed, theirs);
    smc_wsreader_init(&r, true, 70000);
    if (params != NULL) {
        r.inflate = smc_wsdeflate_unpack;
        r.inflate_ud = ours;
    }
    feed_all(&r, wire.data, wire.len, random_step, &seed, &log);
    if (log.data == NULL || strcmp(expected.data, log.data) != 0)
        fail_msg("seed %u", first);
    smc_wsreader_deinit(&r);
    smc_wsdeflate_free(theirs);
    smc_wsdeflate_free(ours);
    smc_buf_deinit(&wire);
    smc_buf_deinit(&expected);
    smc_buf_deinit(&log);
}

static void any_fragmentation_gives_the_messages_back(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 3000; seed++)
        assert_law(seed, NULL);
}

static void any_fragmentation_gives_compressed_messages_back(void **state)
{
    smc_wsdeflate_params_t params = {.accepted = true};

    (void)state;
    for (uint32_t seed = 1; seed <= 1000; seed++) {
        params.server_no_context = params.client_no_context = seed % 2 == 0;
        params.server_bits = 9 + (int)(seed % 7);
        assert_law(seed, &params);
    }
}

/* ---- permessage-deflate ------------------------------------------------- */

static smc_wsreader_t deflate_reader(smc_wsdeflate_t **d, bool no_context, size_t max)
{
    smc_wsdeflate_params_t params = {
        .accepted = true, .client_no_context = no_context, .server_bits = 15};
    smc_wsreader_t r;

    smc_wsreader_init(&r, false, max);
    *d = smc_wsdeflate_new(&params);
    assert_non_null(*d);
    r.inflate = smc_wsdeflate_unpack;
    r.inflate_ud = *d;
    return r;
}

static void assert_deflated(const char *expected, const void *bytes, size_t n, bool no_context,
                            size_t max)
{
    for (size_t step = 1; step <= n; step++) {
        smc_wsdeflate_t *d;
        smc_wsreader_t r = deflate_reader(&d, no_context, max);
        smc_buf_t log = {0};
        feed_all(&r, bytes, n, fixed_step, &step, &log);
        assert_string_equal(expected, log.data);
        smc_wsreader_deinit(&r);
        smc_wsdeflate_free(d);
        smc_buf_deinit(&log);
    }
}
#define ASSERT_DEFLATED(expected, text, no_context) \
    assert_deflated(expected, text, sizeof(text) - 1, no_context, 1000)

static void the_examples_of_rfc_7692_are_read(void **state)
{
    (void)state;
    ASSERT_DEFLATED("T:Hello ", "\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00", false);
    ASSERT_DEFLATED("T:Hello ", "\x41\x03\xf2\x48\xcd\x80\x04\xc9\xc9\x07\x00", false);
    /* Context takeover: the second message leans on the first. */
    ASSERT_DEFLATED("T:Hello T:Hello ",
                    "\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00\xc1\x05\xf2\x00\x11\x00\x00", false);
    ASSERT_DEFLATED("T:Hello F:1002 ",
                    "\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00\xc1\x05\xf2\x00\x11\x00\x00", true);
    /* A block without compression, and a final block. */
    ASSERT_DEFLATED("T:Hello ", "\xc1\x0b\x00\x05\x00\xfa\xffHello\x00", false);
    ASSERT_DEFLATED("T:Hello ", "\xc1\x08\xf3\x48\xcd\xc9\xc9\x07\x00\x00", false);
    /* Plain messages may come between. */
    ASSERT_DEFLATED("T:Hello T:Hello ", "\x81\x05Hello\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00", false);
    ASSERT_DEFLATED("F:1002 ", "\xc9\x00", false);                 /* a compressed control frame */
    ASSERT_DEFLATED("F:1002 ", "\x41\x01\xf2\xc0\x01\x00", false); /* RSV1 on a continuation */
    ASSERT_DEFLATED("F:1002 ", "\xc1\x02\xff\xff", false);         /* not a deflate stream */
}

static void a_bomb_stops_at_the_limit(void **state)
{
    smc_wsdeflate_params_t params = {.accepted = true, .server_bits = 15};
    smc_wsdeflate_t *d = smc_wsdeflate_new(&params);
    smc_wsframe_t frame = {.opcode = SMC_WS_BINARY, .fin = true, .deflated = true};
    smc_buf_t packed = {0}, wire = {0};
    char *zeros = calloc(1, 100001);

    (void)state;
    assert_non_null(zeros);
    assert_int_equal(SMC_OK, smc_wsdeflate_pack(d, zeros, 100001, &packed));
    assert_true(packed.len < 1000);
    (void)smc_wsframe_write(&wire, &frame, packed.data, packed.len);
    assert_deflated("F:1009 ", wire.data, wire.len, false, 100000);
    free(zeros);
    smc_wsdeflate_free(d);
    smc_buf_deinit(&packed);
    smc_buf_deinit(&wire);
}

static void assert_negotiated(const char *expected, const char *offers, bool no_context)
{
    smc_wsdeflate_params_t p = smc_wsdeflate_negotiate(offers, strlen(offers), no_context);
    smc_wsdeflate_t *d;
    smc_buf_t text = {0};

    assert_int_equal(expected != NULL, p.accepted);
    if (expected == NULL)
        return;
    d = smc_wsdeflate_new(&p);
    assert_int_equal(SMC_OK, smc_wsdeflate_describe(d, &text));
    assert_string_equal(expected, text.data);
    smc_wsdeflate_free(d);
    smc_buf_deinit(&text);
}

static void the_first_offer_that_can_be_met_is_taken(void **state)
{
    (void)state;
    assert_negotiated("permessage-deflate", "permessage-deflate", false);
    assert_negotiated("permessage-deflate", "x, Permessage-Deflate ; client_max_window_bits",
                      false);
    assert_negotiated("permessage-deflate; server_no_context_takeover; client_no_context_takeover",
                      "permessage-deflate", true);
    assert_negotiated("permessage-deflate; client_no_context_takeover",
                      "permessage-deflate; client_no_context_takeover", false);
    assert_negotiated("permessage-deflate; server_no_context_takeover; server_max_window_bits=10",
                      "permessage-deflate;server_max_window_bits=\"10\" ; "
                      "client_max_window_bits=12;server_no_context_takeover",
                      false);
    assert_negotiated("permessage-deflate",
                      "permessage-deflate; server_max_window_bits=8, permessage-deflate", false);
    assert_negotiated(NULL, "", false);
    assert_negotiated(NULL, "permessage-bzip2", false);
    assert_negotiated(NULL, "permessage-deflate; unknown", false);
    assert_negotiated(NULL, "permessage-deflate; server_max_window_bits", false);
    assert_negotiated(NULL, "permessage-deflate; server_max_window_bits=16", false);
    assert_negotiated(NULL, "permessage-deflate; client_max_window_bits=7", false);
    assert_negotiated(NULL, "permessage-deflate; server_no_context_takeover=1", false);
    assert_negotiated(NULL, "permessage-deflate; client_max_window_bits; client_max_window_bits=9",
                      false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha1_gives_the_digests_of_fips_180),
        cmocka_unit_test(the_examples_of_rfc_6455_are_read),
        cmocka_unit_test(control_frames_come_between_fragments),
        cmocka_unit_test(close_frames_carry_code_and_reason),
        cmocka_unit_test(only_codes_for_the_wire_are_valid),
        cmocka_unit_test(what_breaks_the_protocol_is_refused),
        cmocka_unit_test(a_message_may_be_as_big_as_the_limit),
        cmocka_unit_test(text_is_utf_8),
        cmocka_unit_test(lengths_take_the_shortest_form),
        cmocka_unit_test(any_fragmentation_gives_the_messages_back),
        cmocka_unit_test(any_fragmentation_gives_compressed_messages_back),
        cmocka_unit_test(the_examples_of_rfc_7692_are_read),
        cmocka_unit_test(a_bomb_stops_at_the_limit),
        cmocka_unit_test(the_first_offer_that_can_be_met_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
