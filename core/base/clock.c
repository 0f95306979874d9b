#include "smc/clock.h"

#include <assert.h>
#include <dlfcn.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)

static struct {
    bool virtual;
    int64_t now_ns;   /* virtual monotonic time */
    int64_t creep_us; /* see lws_now_usecs */
} clk;

/* The C library's function, which the interposed one hides: it asks the kernel without a system call. */
static int (*library_clock)(clockid_t id, struct timespec *ts);

__attribute__((constructor)) static void find_library_clock(void)
{
    void *found = dlsym(RTLD_NEXT, "clock_gettime");

    memcpy(&library_clock, &found,
           sizeof(found)); /* ISO C has no cast from an object to a function */
}

static int kernel_clock(clockid_t id, struct timespec *ts)
{
    return library_clock != NULL ? library_clock(id, ts) : (int)syscall(SYS_clock_gettime, id, ts);
}

static int64_t kernel_ns(clockid_t id)
{
    struct timespec ts = {0};

    (void)kernel_clock(id, &ts);
    return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

static int64_t virtual_ns(clockid_t id)
{
    bool wall = id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE || id == CLOCK_TAI;

    return clk.now_ns + (wall ? SMC_CLOCK_EPOCH_MS * NS_PER_MS - NS_PER_S : 0);
}

static bool is_cpu_clock(clockid_t id)
{
    /* Negative ids are the per-process and per-thread clocks that pthread_getcpuclockid hands out. */
    return id == CLOCK_PROCESS_CPUTIME_ID || id == CLOCK_THREAD_CPUTIME_ID || id < 0;
}

/* The interposers.  Default visibility, so that the dynamic linker binds the libraries to them. */
#define INTERPOSE __attribute__((visibility("default"))) extern

INTERPOSE int clock_gettime(clockid_t clock_id, struct timespec *tp)
{
    int64_t ns;

    if (!clk.virtual || is_cpu_clock(clock_id))
        return kernel_clock(clock_id, tp);
    ns = virtual_ns(clock_id);
    tp->tv_sec = (time_t)(ns / NS_PER_S);
    tp->tv_nsec = (long)(ns % NS_PER_S);
    return 0;
}

INTERPOSE int gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
    struct timespec ts = {0};

    (void)tz;
    (void)clock_gettime(CLOCK_REALTIME, &ts);
    tv->tv_sec = ts.tv_sec;
    tv->tv_usec = ts.tv_nsec / 1000;
    return 0;
}

INTERPOSE time_t time(time_t *timer)
{
    struct timespec ts = {0};

    (void)clock_gettime(CLOCK_REALTIME, &ts);
    if (timer != NULL)
        *timer = ts.tv_sec;
    return ts.tv_sec;
}

/* libwebsockets rounds a remainder below a millisecond down to a timer of zero: under a frozen clock that is an
 * endless loop.  So its own clock creeps a microsecond a call until time jumps again. */
long long lws_now_usecs(void);
INTERPOSE long long lws_now_usecs(void)
{
    if (!clk.virtual)
        return kernel_ns(CLOCK_MONOTONIC) / 1000;
    return clk.now_ns / 1000 + clk.creep_us++;
}

void smc_clock_set_virtual(void)
{
    clk.virtual = true;
    clk.now_ns = NS_PER_S;
    clk.creep_us = 0;
}

void smc_clock_set_real(void)
{
    clk.virtual = false;
}

bool smc_clock_is_virtual(void)
{
    return clk.virtual;
}

void smc_clock_advance_ns(int64_t ns)
{
    assert(clk.virtual && ns >= 0);
    clk.now_ns += ns;
    clk.creep_us = 0;
}

int64_t smc_clock_now_ns(void)
{
    return clk.virtual ? clk.now_ns : kernel_ns(CLOCK_MONOTONIC);
}

int64_t smc_clock_wall_ms(void)
{
    return (clk.virtual ? virtual_ns(CLOCK_REALTIME) : kernel_ns(CLOCK_REALTIME)) / NS_PER_MS;
}

int64_t smc_clock_real_ns(void)
{
    return kernel_ns(CLOCK_MONOTONIC);
}

int64_t smc_clock_cpu_ns(void)
{
    return kernel_ns(CLOCK_THREAD_CPUTIME_ID);
}
