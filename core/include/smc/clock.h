/* smc/clock.h - the one clock of the process.
 *
 * The executable that links this interposes clock_gettime, gettimeofday, time and lws_now_usecs, so that libcurl,
 * libwebsockets, libuv, OpenSSL and we read the same time.  In real mode they pass through to the kernel.  In
 * virtual mode time stands still and moves only by smc_clock_advance_ns.
 *
 * This is the one piece of process-wide state in the core: interposed functions have no argument to carry it.
 * CPU-time clocks are never virtual.
 * Thread  one thread reads and moves the virtual clock.
 */
#ifndef SMC_CLOCK_H
#define SMC_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* The virtual epoch: every world starts at this wall time, 2026-01-05 00:00:00 UTC (a Monday), in Unix milliseconds. */
#define SMC_CLOCK_EPOCH_MS INT64_C(1767571200000)

/* Freezes time: monotonic at one second, wall at SMC_CLOCK_EPOCH_MS.  Calling it again starts over at the epoch;
 * no loop may be open then. */
void smc_clock_set_virtual(void);
void smc_clock_set_real(void);
bool smc_clock_is_virtual(void);

/* Virtual mode only (asserted).  ns >= 0. */
void smc_clock_advance_ns(int64_t ns);

int64_t smc_clock_now_ns(void);  /* monotonic, of the mode in force */
int64_t smc_clock_wall_ms(void); /* Unix milliseconds, of the mode in force */
int64_t
smc_clock_real_ns(void); /* monotonic, of the kernel whatever the mode: for budgets of real time */
int64_t smc_clock_cpu_ns(void); /* CPU time of this thread */

#endif /* SMC_CLOCK_H */
