/* The host policy: exact names, TLS everywhere but on loopback, and only this process under the virtual clock. */
#include "smc/clock.h"
#include "smc/host_policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void check(const char *text, smc_code_t want, const char *detail)
{
    smc_url_t url;
    smc_error_t err = {0};
    smc_code_t rc = smc_url_split(text, &url, &err);

    if (rc == SMC_OK)
        rc = smc_host_policy_check(&url, &err);
    if (rc != want)
        fail_msg("%s: %s instead of %s: %s", text, smc_code_text(rc), smc_code_text(want),
                 err.detail);
    if (strstr(err.detail, detail) == NULL)
        fail_msg("%s: '%s' is not in '%s'", text, detail, err.detail);
}

static void testnets_and_loopback_may_be_reached(void **state)
{
    static const char *const texts[] = {
        "https://testnet.binance.vision/api/v3/ping",
        "https://api1.testnet.binance.vision/api/v3/ping",
        "wss://ws-api.testnet.binance.vision/ws-api/v3",
        "wss://ws-api.testnet.binance.vision:9443/ws-api/v3",
        "wss://stream.testnet.binance.vision:9443/ws",
        "https://api-testnet.bybit.com:443/v5/market/time",
        "wss://stream-testnet.bybit.com/v5/private",
        "https://api-fxpractice.oanda.com/v3/accounts",
        "https://stream-fxpractice.oanda.com/v3/accounts",
        "http://127.0.0.1:1/",
        "http://localhost:65535/",
        "ws://[::1]:8080/",
        "https://127.0.0.1:8443/",
        "wss://localhost/",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        check(texts[i], SMC_OK, "");
}

static void every_other_host_is_refused(void **state)
{
    static const char *const hosts[] = {
        /* production, demo, and neighbours of the testnets */
        "api.binance.com", "data-api.binance.vision", "binance.vision", "demo-api.binance.com",
        "testnet.binance.vision.evil.example", "eviltestnet.binance.vision",
        "x.testnet.binance.vision", "api.bybit.com", "api-demo.bybit.com", "api-testnet.bybit.co",
        "api-fxtrade.oanda.com", "stream-fxtrade.oanda.com",
        /* other spellings of names */
        "testnet.binance.vision.", "Testnet.binance.vision", "localhost.", "LOCALHOST",
        "localhost.localdomain", "a.localhost", "xn--localhost-abc", "localhost.evil.example",
        /* other spellings of addresses */
        "127.0.0.2", "127.1", "127.0.0.1.", "2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1",
        "127.0.0.01", "0.0.0.0", "10.0.0.1", "127.0.0.1.nip.io", "[::]", "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]", "[::01]", "[::1.]"};
    char text[128];
    char named[80];

    (void)state;
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        (void)snprintf(text, sizeof(text), "https://%s/", hosts[i]);
        (void)snprintf(named, sizeof(named), "host '%s' is refused: use", hosts[i]);
        check(text, SMC_EPOLICY, named);
    }
}

static void plaintext_stays_on_loopback(void **state)
{
    (void)state;
    check("http://testnet.binance.vision/", SMC_EPOLICY,
          "plaintext to testnet.binance.vision is refused: write https:// instead of http://");
    check("http://api-testnet.bybit.com:443/", SMC_EPOLICY, "write https://");
    check("ws://stream-testnet.bybit.com/v5/private", SMC_EPOLICY, "write wss:// instead of ws://");
}

static void another_port_of_a_testnet_is_refused(void **state)
{
    (void)state;
    check("https://testnet.binance.vision:9443/", SMC_EPOLICY,
          "port 9443 of testnet.binance.vision is refused");
    check("https://api-fxpractice.oanda.com:22/", SMC_EPOLICY, "the venue serves 443");
    check("https://api-testnet.bybit.com:80/", SMC_EPOLICY, "port 80");
}

static smc_code_t route(const smc_loop_t *loop, const char *text, const char **path,
                        smc_error_t *err)
{
    smc_url_t url;

    assert_int_equal(SMC_OK, smc_url_split(text, &url, err));
    return smc_host_policy_route(loop, &url, path, err);
}

static void the_virtual_clock_reaches_this_process_only(void **state)
{
    smc_loop_t *loop = NULL;
    smc_error_t err = {0};
    const char *path = NULL;
    uint16_t port = 0;
    int fd = -1;

    (void)state;
    smc_clock_set_virtual();
    assert_int_equal(SMC_OK, smc_loop_open(&loop, NULL));
    assert_int_equal(SMC_OK, smc_loop_listen(loop, NULL, 8080, &fd, &port, NULL));
    assert_int_equal(SMC_OK, route(loop, "http://127.0.0.1:8080/", &path, &err));
    assert_non_null(path);

    assert_int_equal(SMC_ECONN, route(loop, "http://127.0.0.1:8081/", &path, &err));
    assert_string_equal("connection refused: nothing in this run listens at "
                        "http://127.0.0.1:8081 (a server outside of it needs --clock real)",
                        err.detail);
    assert_int_equal(SMC_EPOLICY, route(loop, "https://testnet.binance.vision/", &path, &err));
    assert_string_equal("virtual clock: nothing in this run listens at "
                        "https://testnet.binance.vision:443; use --clock real",
                        err.detail);
    assert_int_equal(SMC_EPOLICY, route(loop, "https://api.binance.com:8080/", &path, &err));
    assert_non_null(strstr(err.detail, "'api.binance.com' is refused"));
    smc_loop_unlisten(loop, port);
    (void)close(fd);

    assert_int_equal(SMC_OK, smc_loop_listen(loop, NULL, 0, &fd, &port, NULL));
    assert_int_equal(20001, port);
    smc_loop_unlisten(loop, port);
    (void)close(fd);
    assert_int_equal(SMC_ECONN, route(loop, "http://127.0.0.1:20001/", &path, &err));
    assert_string_equal(
        "connection refused: nothing in this run listens at http://127.0.0.1:20001 now",
        err.detail);
    assert_int_equal(SMC_ECONN, route(loop, "http://127.0.0.1:20002/", &path, &err));
    assert_non_null(strstr(err.detail, ":20002 (a server outside of it"));
    smc_loop_close(loop);
}

static void the_real_clock_connects_by_tcp(void **state)
{
    smc_loop_t *loop = NULL;
    const char *path = "unset";

    (void)state;
    smc_clock_set_real();
    assert_int_equal(SMC_OK, smc_loop_open(&loop, NULL));
    assert_int_equal(SMC_OK, route(loop, "https://testnet.binance.vision/", &path, NULL));
    assert_null(path);
    assert_int_equal(SMC_OK, route(loop, "http://127.0.0.1:1/", &path, NULL));
    assert_null(path);
    smc_loop_close(loop);
}

static void a_hidden_place_has_no_address(void **state)
{
    smc_loop_t *loop = NULL;
    const char *path = NULL;
    smc_error_t err = {0};

    (void)state;
    smc_clock_set_real();
    assert_int_equal(SMC_OK, smc_loop_open(&loop, NULL));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(SMC_OK, smc_loop_hide(loop, "127.0.0.1", 1, true, NULL));
        assert_int_equal(SMC_OK, smc_loop_hide(loop, "localhost", 2, true, NULL));
    }
    assert_int_equal(SMC_EDNS, route(loop, "http://127.0.0.1:1/", &path, &err));
    assert_string_equal("cannot resolve 127.0.0.1: link fault dns", err.detail);
    assert_int_equal(SMC_OK, route(loop, "http://127.0.0.1:2/", &path, NULL));
    assert_int_equal(SMC_OK, smc_loop_hide(loop, "127.0.0.1", 1, false, NULL));
    assert_int_equal(SMC_OK, route(loop, "http://127.0.0.1:1/", &path, NULL));
    assert_int_equal(SMC_EDNS, route(loop, "http://localhost:2/", &path, NULL));
    smc_loop_close(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(testnets_and_loopback_may_be_reached),
        cmocka_unit_test(every_other_host_is_refused),
        cmocka_unit_test(plaintext_stays_on_loopback),
        cmocka_unit_test(another_port_of_a_testnet_is_refused),
        cmocka_unit_test(the_virtual_clock_reaches_this_process_only),
        cmocka_unit_test(the_real_clock_connects_by_tcp),
        cmocka_unit_test(a_hidden_place_has_no_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
