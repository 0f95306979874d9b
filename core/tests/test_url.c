/* The URL splitter: what it keeps byte for byte and what it refuses. */
#include "smc/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void check_split(const char *text, smc_scheme_t scheme, const char *host, uint16_t port,
                        const char *target)
{
    smc_url_t url;
    smc_error_t err = {0};

    if (smc_url_split(text, &url, &err) != SMC_OK)
        fail_msg("%s: %s", text, err.detail);
    assert_int_equal(scheme, url.scheme);
    assert_string_equal(host, url.host);
    assert_int_equal(port, url.port);
    assert_string_equal(target, url.target);
}

static void check_refused(const char *text, smc_code_t code, const char *detail)
{
    smc_url_t url;
    smc_error_t err = {0};

    if (smc_url_split(text, &url, &err) != code)
        fail_msg("%s: not refused with %s", text, smc_code_text(code));
    assert_int_equal(code, err.code);
    if (strstr(err.detail, detail) == NULL)
        fail_msg("%s: '%s' is not in '%s'", text, detail, err.detail);
}

static void parts_are_found(void **state)
{
    (void)state;
    check_split("http://127.0.0.1:20001/api/v3/time", SMC_SCHEME_HTTP, "127.0.0.1", 20001,
                "/api/v3/time");
    check_split("https://testnet.binance.vision", SMC_SCHEME_HTTPS, "testnet.binance.vision", 443,
                "");
    check_split("http://localhost?a=1", SMC_SCHEME_HTTP, "localhost", 80, "?a=1");
    check_split("ws://[::1]:65535/ws", SMC_SCHEME_WS, "[::1]", 65535, "/ws");
    check_split("wss://stream.testnet.binance.vision:9443/ws", SMC_SCHEME_WSS,
                "stream.testnet.binance.vision", 9443, "/ws");
}

static void the_target_stays_as_it_is_written(void **state)
{
    const char *target = "/api//v3/./x/../o;v=1/a+b%2Fc?a=%2B%26%3d1&e=&&=3;b=100%&q=\"<>\\^`{|}"
                         "&u=\xc3\xa9&m=a@b:c/d?e";
    char text[256];

    (void)state;
    (void)snprintf(text, sizeof(text), "http://127.0.0.1:1%s", target);
    check_split(text, SMC_SCHEME_HTTP, "127.0.0.1", 1, target);
}

static void the_host_stays_as_it_is_written(void **state)
{
    (void)state;
    check_split("http://LOCALHOST./", SMC_SCHEME_HTTP, "LOCALHOST.", 80, "/");
    check_split("http://0x7f.1/", SMC_SCHEME_HTTP, "0x7f.1", 80, "/");
}

static void another_shape_is_refused(void **state)
{
    char text[300];

    (void)state;
    check_refused("", SMC_EINVAL, "does not begin with http://");
    check_refused("ftp://localhost/", SMC_EINVAL, "'ftp://localhost/' does not begin");
    check_refused("HTTP://localhost/", SMC_EINVAL, "does not begin");
    check_refused("http:/localhost/", SMC_EINVAL, "does not begin");
    check_refused("//localhost/", SMC_EINVAL, "does not begin");
    check_refused("http://", SMC_EINVAL, "a host is missing");
    check_refused("http:///x", SMC_EINVAL, "a host is missing before '/x'");
    check_refused("http://:80/", SMC_EINVAL, "a host is missing");
    check_refused("http://localhost;x/", SMC_EINVAL, "does not belong behind the host 'localhost'");
    check_refused("http://localhost:80:90/", SMC_EINVAL, "':90/' does not belong");
    (void)snprintf(text, sizeof(text), "http://%0254d/", 0);
    check_refused(text, SMC_EINVAL, "longer than 253 bytes");
}

static void a_port_is_a_plain_number(void **state)
{
    static const char *const texts[] = {
        "http://localhost:/",      "http://localhost:0/",      "http://localhost:080/",
        "http://localhost:65536/", "http://localhost:999999/", "http://localhost:4294967376/",
        "http://localhost:+80/",   "http://localhost:-1/",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        check_refused(texts[i], SMC_EINVAL, "is not a port from 1 to 65535");
}

static void brackets_hold_an_ipv6_literal(void **state)
{
    (void)state;
    check_refused("http://[]/", SMC_EINVAL, "is not an IPv6 host");
    check_refused("http://[::1/", SMC_EINVAL, "is not an IPv6 host");
    check_refused("http://[localhost]/", SMC_EINVAL, "is not an IPv6 host");
    check_refused("http://[::1]x/", SMC_EINVAL, "does not belong behind the host '[::1]'");
    check_refused("http://[::1%25lo]/", SMC_EPOLICY, "disguised");
}

static void a_disguised_host_is_refused(void **state)
{
    (void)state;
    check_refused("http://localhost@evil.example/", SMC_EPOLICY, "'evil.example/'");
    check_refused("http://localhost:80@evil.example/", SMC_EPOLICY, "write the host alone");
    check_refused("http://a:b@127.0.0.1/", SMC_EPOLICY, "write the host alone");
    check_refused("http://@127.0.0.1/", SMC_EPOLICY, "write the host alone");
    check_refused("http://localhost\\@evil.example/", SMC_EPOLICY, "disguised");
    check_refused("http://localhost%2eevil.example/", SMC_EPOLICY, "disguised");
    check_refused("http://l\xd0\xbe\x63\x61lhost/", SMC_EPOLICY, "disguised");
    check_refused("http://evil.example\xe3\x80\x82localhost/", SMC_EPOLICY, "disguised");
}

static void bytes_that_end_a_request_line_are_refused(void **state)
{
    (void)state;
    check_refused("http://localhost/a b", SMC_EINVAL, "byte 19 of the URL is 0x20");
    check_refused("http://localhost/a\r\nHost: evil", SMC_EINVAL, "0x0d");
    check_refused("http://localhost\t/", SMC_EINVAL, "0x09");
    check_refused("http://localhost/\x7f", SMC_EINVAL, "0x7f");
    check_refused("http://localhost/#a", SMC_EINVAL, "%23");
    check_refused("http://localhost#@evil/", SMC_EINVAL, "fragment");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_found),
        cmocka_unit_test(the_target_stays_as_it_is_written),
        cmocka_unit_test(the_host_stays_as_it_is_written),
        cmocka_unit_test(another_shape_is_refused),
        cmocka_unit_test(a_port_is_a_plain_number),
        cmocka_unit_test(brackets_hold_an_ipv6_literal),
        cmocka_unit_test(a_disguised_host_is_refused),
        cmocka_unit_test(bytes_that_end_a_request_line_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
