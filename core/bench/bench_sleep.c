/* What virtual waiting costs: an hour of a timer that fires every millisecond, and one sleep of 60 s. */
#include "smc/clock.h"
#include "smc/loop.h"

#include <stdio.h>
#include <stdlib.h>

enum { HOUR_MS = 3600 * 1000 };

typedef struct ticker {
    smc_loop_t *loop;
    smc_timer_t *timer;
    uint64_t every_ms;
    long left;
} ticker_t;

static void tick(void *ud)
{
    ticker_t *t = ud;

    if (--t->left > 0 && smc_timer_start(t->loop, t->every_ms, tick, t, &t->timer, NULL) != SMC_OK)
        abort();
}

/* Microseconds of real time for `ticks` timers in a row. */
static double measure(smc_loop_t *loop, uint64_t every_ms, long ticks)
{
    ticker_t t = {.loop = loop, .every_ms = every_ms, .left = ticks};
    int64_t start = smc_clock_real_ns();

    if (smc_timer_start(loop, every_ms, tick, &t, &t.timer, NULL) != SMC_OK)
        abort();
    while (t.left > 0)
        (void)smc_loop_turn(loop, true);
    return (double)(smc_clock_real_ns() - start) / 1e3;
}

int main(void)
{
    smc_error_t err;
    smc_loop_t *loop;
    double us;

    smc_clock_set_virtual();
    if (smc_loop_open(&loop, &err) != SMC_OK) {
        (void)fprintf(stderr, "%s: %s\n", err.op, err.detail);
        return 1;
    }
    us = measure(loop, 60000, 1);
    printf("virtual sleep of 60 s: %.1f us\n", us);
    us = measure(loop, 1, HOUR_MS);
    printf("virtual hour of 1 ms ticks: %.0f ms, %.2f us a tick\n", us / 1e3, us / HOUR_MS);
    smc_loop_close(loop);
    return 0;
}
