/* The way through this process to a server elsewhere: our own clients are led through it, TLS from end to end. */
#include "tls_world.h"

#include "smc/relay.h"

#include <sys/resource.h>

typedef struct way {
    smc_links_t *links;
    smc_relay_t *relay;
} way_t;

static way_t way_to(fixture_t *f)
{
    way_t way = {0};
    smc_error_t err = {0};

    assert_int_equal(SMC_OK, smc_links_open(f->loop, 1, &way.links, NULL));
    if (smc_relay_open(f->loop, way.links, "127.0.0.1", smc_server_port(f->server), &way.relay,
                       &err) != SMC_OK)
        fail_msg("no relay: %s", err.detail);
    return way;
}

static void close_way(way_t *way)
{
    smc_relay_close(way->relay);
    smc_links_close(way->links);
}

static smc_toxic_t toxic(smc_toxic_kind_t kind)
{
    return (smc_toxic_t){.kind = kind, .streams = SMC_LINK_DOWNSTREAM, .toxicity = 1};
}

static void add(const way_t *way, smc_toxic_t t)
{
    unsigned id = 0;

    assert_int_equal(SMC_OK, smc_links_add(way->links, &t, &id, NULL));
}

static void both_transports_are_led_through_it(void **state)
{
    fixture_t *f = *state;
    talker_t t = {0};
    way_t way;

    serve_tls(f, SMC_TLS_ON);
    check_reply(get(f), "GET /t?a=%2B ", true);
    way = way_to(f);
    assert_int_equal(0, smc_links_open_count(way.links));
    check_reply(get(f), "GET /t?a=%2B ", true); /* the connection that was kept leads elsewhere */
    assert_int_equal(1, smc_links_open_count(way.links));
    check_reply(get(f), "GET /t?a=%2B ", false);
    talk(f, &t);
    assert_int_equal(2, smc_links_open_count(way.links));
    assert_int_equal(SMC_OK, smc_ws_send(t.ws, "through", 7, false, NULL));
    UNTIL(f, t.n_messages == 1);
    assert_string_equal("through", t.last.data);
    talker_deinit(&t);
    close_way(&way);
    check_reply(get(f), "GET /t?a=%2B ", false); /* the one that was kept from before */
}

static void certificates_are_checked_as_ever(void **state)
{
    fixture_t *f = *state;
    way_t way;

    serve_tls(f, SMC_TLS_WRONG_HOST);
    way = way_to(f);
    check_failure(get(f), SMC_ETLS, false, "127.0.0.1");
    close_way(&way);
}

static void damage_is_seen_by_tls(void **state)
{
    smc_toxic_t t = toxic(SMC_TOXIC_CORRUPT);
    fixture_t *f = *state;
    way_t way;
    smc_http_reply_t *reply;

    serve_tls(f, SMC_TLS_ON);
    way = way_to(f);
    check_reply(get(f), "GET /t?a=%2B ", true);
    t.share = 1;
    add(&way, t);
    reply = get(f);
    assert_int_equal(SMC_ETLS, reply->err.code);
    smc_http_reply_free(reply);
    close_way(&way);
}

static void toxics_act_to_the_millisecond(void **state)
{
    smc_toxic_t t = toxic(SMC_TOXIC_LATENCY);
    fixture_t *f = *state;
    way_t way;
    int64_t start_ns;

    serve_tls(f, SMC_TLS_ON);
    way = way_to(f);
    check_reply(get(f), "GET /t?a=%2B ", true);
    t.time_us = 250000;
    add(&way, t);
    start_ns = smc_clock_now_ns();
    check_reply(get(f), "GET /t?a=%2B ", false);
    assert_int_equal(250, (smc_clock_now_ns() - start_ns) / 1000000);
    close_way(&way);
}

static void it_can_be_down(void **state)
{
    fixture_t *f = *state;
    way_t way;

    serve_tls(f, SMC_TLS_ON);
    way = way_to(f);
    assert_int_equal(SMC_OK, smc_relay_refuse(way.relay, true, NULL));
    smc_links_drop(way.links);
    if (smc_clock_is_virtual()) {
        smc_http_call_t *call = NULL;
        smc_http_request_t req = {.method = "GET"};
        char url[64];
        (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/",
                       (unsigned)smc_server_port(f->server));
        req.url = url;
        assert_int_equal(SMC_ECONN, smc_http_start(f->loop, &req, on_done, NULL, &call, NULL));
    } else {
        check_failure(get(f), SMC_ECONN, false, "connect");
    }
    assert_int_equal(SMC_OK, smc_relay_refuse(way.relay, false, NULL));
    check_reply(get(f), "GET /t?a=%2B ", true);
    close_way(&way);
}

static void a_server_that_is_gone_resets_its_clients(void **state)
{
    fixture_t *f = *state;
    way_t way;
    smc_http_reply_t *reply;

    serve_tls(f, SMC_TLS_ON);
    way = way_to(f);
    assert_int_equal(SMC_OK, smc_server_refuse(f->server, true, NULL));
    reply = get(f);
    assert_int_not_equal(SMC_OK, reply->err.code);
    assert_int_equal(0, smc_links_open_count(way.links));
    smc_http_reply_free(reply);
    close_way(&way);
}

static void it_can_be_closed_at_any_moment(void **state)
{
    fixture_t *f = *state;

    serve_tls(f, SMC_TLS_ON);
    for (int n = 0; n < 12; n++) {
        smc_http_reply_t *reply = NULL;
        way_t way = way_to(f);
        start_request(f, "https://127.0.0.1", (smc_http_request_t){.ca_pem = ca_of(f)}, &reply);
        turns(f, n);
        close_way(&way);
        finish_request(f, &reply);
        smc_http_reply_free(reply);
    }
    check_reply(get(f), "GET /t?a=%2B ", true);
}

/* A client of the relay's own door, which knows nothing of TLS. */
static client_t knock(fixture_t *f)
{
    uint16_t via = smc_loop_detour(f->loop, "127.0.0.1", smc_server_port(f->server));
    client_t c = {.fd = try_dial_port(f, via)};

    assert_true(c.fd >= 0);
    (void)smc_buf_puts(&c.got, "");
    return c;
}

static void out_of_descriptors_it_sends_clients_away_and_goes_on(void **state)
{
    fixture_t *f = *state;
    struct rlimit files, tight;
    client_t c;
    way_t way;

    serve_tls(f, SMC_TLS_ON);
    way = way_to(f);
    c = knock(f);
    assert_int_equal(0, getrlimit(RLIMIT_NOFILE, &files));
    tight = files;
    tight.rlim_cur = (rlim_t)dup(c.fd); /* the next free one is beyond the limit */
    (void)close((int)tight.rlim_cur);
    assert_int_equal(0, setrlimit(RLIMIT_NOFILE, &tight));
    hear(f, &c, NULL);
    assert_int_equal(0, setrlimit(RLIMIT_NOFILE, &files));
    hang_up(&c);
    check_reply(get(f), "GET /t?a=%2B ", true);
    close_way(&way);
}

static void there_is_one_relay_to_a_place(void **state)
{
    fixture_t *f = *state;
    smc_relay_t *other = NULL;
    way_t way;

    serve_tls(f, SMC_TLS_ON);
    way = way_to(f);
    assert_int_equal(SMC_EEXIST, smc_relay_open(f->loop, way.links, "127.0.0.1",
                                                smc_server_port(f->server), &other, NULL));
    close_way(&way);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TLS_BOTH(both_transports_are_led_through_it),
        TLS_BOTH(certificates_are_checked_as_ever),
        TLS_BOTH(damage_is_seen_by_tls),
        TLS_VIRTUAL(toxics_act_to_the_millisecond),
        TLS_BOTH(it_can_be_down),
        TLS_BOTH(a_server_that_is_gone_resets_its_clients),
        TLS_BOTH(it_can_be_closed_at_any_moment),
        TLS_BOTH(out_of_descriptors_it_sends_clients_away_and_goes_on),
        TLS_VIRTUAL(there_is_one_relay_to_a_place),
    };

    return cmocka_run_group_tests_name("relay", tests, NULL, NULL);
}
