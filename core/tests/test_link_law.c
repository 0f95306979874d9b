/* The laws of the link, over random traffic and random toxics in virtual time. */
#include "link_world.h"

enum { CASES = 3000, TRIALS = 2000 };

#define BOTH_WAYS (SMC_LINK_UPSTREAM | SMC_LINK_DOWNSTREAM)

static smc_toxic_t any_timing_toxic(smc_rng_t *rng)
{
    static const smc_toxic_kind_t kinds[] = {SMC_TOXIC_LATENCY, SMC_TOXIC_BANDWIDTH,
                                             SMC_TOXIC_SLICER, SMC_TOXIC_SLOW_CLOSE};
    smc_toxic_t t = toxic(kinds[smc_rng_below(rng, 4)], 1 + (unsigned)smc_rng_below(rng, 3));

    t.toxicity = smc_rng_below(rng, 4) == 0 ? 0.5 : 1;
    t.time_us = smc_rng_below(rng, 3) * smc_rng_below(rng, 40000);
    if (t.kind == SMC_TOXIC_LATENCY)
        t.jitter_us = smc_rng_below(rng, 3) * smc_rng_below(rng, 40000);
    if (t.kind == SMC_TOXIC_SLICER) {
        t.size = 1 + smc_rng_below(rng, 300);
        t.variation = smc_rng_below(rng, t.size);
    }
    if (t.kind == SMC_TOXIC_BANDWIDTH)
        t.size = 1 + smc_rng_below(rng, 100000);
    return t;
}

static void add_any(world_t *w, smc_rng_t *rng, unsigned *ids, size_t *n)
{
    ids[(*n)++] = add(w, any_timing_toxic(rng));
}

static void say_some(smc_rng_t *rng, end_t *end, size_t n, smc_buf_t *sent)
{
    char bytes[700];

    for (size_t i = 0; i < n; i++)
        bytes[i] = (char)smc_rng_below(rng, 256);
    say_n(end, bytes, n);
    (void)smc_buf_append(sent, bytes, n);
}

static void say_any(smc_rng_t *rng, end_t *end, smc_buf_t *sent)
{
    say_some(rng, end, 1 + smc_rng_below(rng, 700), sent);
}

static void assert_same(const smc_buf_t *sent, const end_t *end)
{
    assert_int_equal(sent->len, end->got.len);
    if (sent->len > 0)
        assert_memory_equal(sent->data, end->got.data, sent->len);
}

/* Bytes, pauses, and toxics that come, change and go in the middle of it. */
static void one_case(world_t *w, smc_rng_t *rng)
{
    smc_buf_t up = {0}, down = {0};
    unsigned ids[24];
    size_t n = 0;
    line_t line;

    for (uint64_t i = smc_rng_below(rng, 4); i > 0; i--)
        add_any(w, rng, ids, &n);
    lay(w, &line);
    for (uint64_t i = smc_rng_below(rng, 12); i > 0; i--) {
        uint64_t what = smc_rng_below(rng, 10);
        if (what < 4)
            say_any(rng, &line.client, &up);
        else if (what < 8)
            say_any(rng, &line.server, &down);
        else if (what == 8)
            add_any(w, rng, ids, &n);
        else if (n > 0)
            smc_links_remove(w->links, ids[smc_rng_below(rng, n)]);
        if (smc_rng_below(rng, 2) == 0)
            run_until(w, &line, now_ms() + (int64_t)smc_rng_below(rng, 30));
    }
    (void)shutdown(line.client.fd, SHUT_WR);
    (void)shutdown(line.server.fd, SHUT_WR);
    run(w, &line);
    assert_same(&up, &line.server);
    assert_same(&down, &line.client);
    assert_true(line.client.ended && line.server.ended);
    assert_int_equal(0, line.client.error + line.server.error);
    assert_null(line.link);
    while (n > 0)
        smc_links_remove(w->links, ids[--n]);
    take_up(&line);
    smc_buf_deinit(&up);
    smc_buf_deinit(&down);
}

static void timing_toxics_change_no_byte_and_no_order(void **state)
{
    smc_rng_t rng;

    smc_rng_init(&rng, 1, "link law");
    for (int i = 0; i < CASES; i++)
        one_case(*state, &rng);
}

/* Each byte of rates such as these takes a whole number of nanoseconds. */
static void bandwidth_is_that_of_a_simple_model(void **state)
{
    static const uint64_t rates[] = {1000, 2000, 8000, 50000, 125000, 1000000};
    world_t *w = *state;
    smc_rng_t rng;

    smc_rng_init(&rng, 2, "bandwidth");
    for (int i = 0; i < CASES / 3; i++) {
        smc_toxic_t t = toxic(SMC_TOXIC_BANDWIDTH, SMC_LINK_DOWNSTREAM);
        smc_buf_t sent = {0};
        int64_t free_ns = 0;
        unsigned id;
        line_t line;

        t.size = rates[smc_rng_below(&rng, 6)];
        id = add(w, t);
        lay(w, &line);
        for (uint64_t pieces = 1 + smc_rng_below(&rng, 6); pieces > 0; pieces--) {
            size_t before = sent.len;
            say_any(&rng, &line.server, &sent);
            if (free_ns < smc_clock_now_ns())
                free_ns = smc_clock_now_ns();
            free_ns += (int64_t)((sent.len - before) * (1000000000 / t.size));
            (void)smc_loop_turn(w->loop, false); /* one piece, one read */
            run_until(w, &line, now_ms() + (int64_t)smc_rng_below(&rng, 100));
        }
        run(w, &line);
        assert_same(&sent, &line.client);
        assert_int_equal((free_ns + 999999) / 1000000, line.client.last_ms);
        smc_links_remove(w->links, id);
        take_up(&line);
        smc_buf_deinit(&sent);
    }
}

static void latency_stays_within_its_jitter(void **state)
{
    smc_toxic_t t = toxic(SMC_TOXIC_LATENCY, SMC_LINK_DOWNSTREAM);
    int64_t least = INT64_MAX, most = 0;
    world_t *w = *state;
    line_t line;

    t.time_us = 50000;
    t.jitter_us = 20000;
    (void)add(w, t);
    lay(w, &line);
    for (int i = 0; i < 500; i++) {
        int64_t start = now_ms(), took;
        say(&line.server, "x");
        run_until(w, &line, start + 100);
        took = line.client.last_ms - start;
        assert_in_range(took, 30, 70);
        least = took < least ? took : least;
        most = took > most ? took : most;
    }
    assert_true(least < 34 && most > 66);
    take_up(&line);
}

static void limit_data_passes_exactly_its_bytes(void **state)
{
    world_t *w = *state;
    smc_rng_t rng;

    smc_rng_init(&rng, 3, "limit");
    for (int i = 0; i < CASES / 3; i++) {
        smc_toxic_t t = toxic(SMC_TOXIC_LIMIT_DATA, SMC_LINK_DOWNSTREAM);
        smc_buf_t sent = {0};
        unsigned ids[4];
        size_t n = 0;
        line_t line;

        t.size = 50 * smc_rng_below(&rng, 50);
        ids[n++] = add(w, t);
        if (smc_rng_below(&rng, 2) == 0)
            add_any(w, &rng, ids, &n);
        lay(w, &line);
        for (int pieces = 0; pieces < 4 && !line.server.ended; pieces++) {
            say_some(&rng, &line.server, 50 * (1 + smc_rng_below(&rng, 14)), &sent);
            run(w, &line);
        }
        assert_int_equal(sent.len >= t.size ? t.size : sent.len, line.client.got.len);
        assert_int_equal(sent.len >= t.size, line.client.ended);
        if (line.client.got.len > 0)
            assert_memory_equal(sent.data, line.client.got.data, line.client.got.len);
        take_up(&line);
        while (n > 0)
            smc_links_remove(w->links, ids[--n]);
        smc_buf_deinit(&sent);
    }
}

static uint64_t hits_of(world_t *w, double toxicity, uint64_t count)
{
    smc_toxic_t t = toxic(SMC_TOXIC_LATENCY, BOTH_WAYS);
    uint64_t hits;
    unsigned id;

    t.toxicity = toxicity;
    t.count = count;
    id = add(w, t);
    for (int i = 0; i < TRIALS; i++) {
        line_t line;
        lay(w, &line);
        take_up(&line);
        while (smc_links_open_count(w->links) > 0)
            (void)smc_loop_turn(w->loop, true);
    }
    hits = smc_links_hits(w->links, id);
    smc_links_remove(w->links, id);
    return hits;
}

/* Binomial with 2000 trials: five standard deviations of it at p = 0.3 are 102. */
static void toxicity_is_the_share_of_links_that_are_hit(void **state)
{
    world_t *w = *state;

    assert_in_range(hits_of(w, 0.3, 0), 600 - 102, 600 + 102);
    assert_int_equal(0, hits_of(w, 0, 0));
    assert_int_equal(TRIALS, hits_of(w, 1, 0));
    assert_int_equal(7, hits_of(w, 0.3, 7));
}

/* When what arrived, at the client, of traffic that is the same each time. */
static void trace(world_t *w, uint64_t seed, smc_buf_t *out)
{
    smc_links_t *ours = w->links;
    int64_t start = now_ms();
    smc_toxic_t late = toxic(SMC_TOXIC_LATENCY, BOTH_WAYS),
                cut = toxic(SMC_TOXIC_SLICER, BOTH_WAYS);
    line_t line;

    assert_int_equal(SMC_OK, smc_links_open(w->loop, seed, &w->links, NULL));
    late.time_us = 40000;
    late.jitter_us = 30000;
    late.toxicity = 0.5;
    cut.size = 50;
    cut.variation = 40;
    cut.time_us = 3000;
    (void)add(w, late);
    (void)add(w, cut);
    for (int i = 0; i < 20; i++) {
        size_t before = 0;
        lay(w, &line);
        say(&line.server, "0123456789012345678901234567890123456789012345678901234567890123456789");
        while (step(w, &line)) {
            if (line.client.got.len > before)
                (void)smc_buf_printf(out, "%lld:%zu ", (long long)(now_ms() - start),
                                     line.client.got.len);
            before = line.client.got.len;
        }
        take_up(&line);
    }
    smc_links_close(w->links);
    w->links = ours;
}

static void the_same_seed_gives_the_same_arrivals(void **state)
{
    smc_buf_t one = {0}, again = {0}, other = {0};

    trace(*state, 7, &one);
    trace(*state, 7, &again);
    trace(*state, 8, &other);
    assert_string_equal(one.data, again.data);
    assert_string_not_equal(one.data, other.data);
    smc_buf_deinit(&one);
    smc_buf_deinit(&again);
    smc_buf_deinit(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        VIRTUAL(timing_toxics_change_no_byte_and_no_order),
        VIRTUAL(bandwidth_is_that_of_a_simple_model),
        VIRTUAL(latency_stays_within_its_jitter),
        VIRTUAL(limit_data_passes_exactly_its_bytes),
        VIRTUAL(toxicity_is_the_share_of_links_that_are_hit),
        VIRTUAL(the_same_seed_gives_the_same_arrivals),
    };

    return cmocka_run_group_tests_name("link law", tests, NULL, NULL);
}
