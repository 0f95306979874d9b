#include "loop_priv.h"

#include "place_priv.h"

#include "smc/clock.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define NS_PER_MS INT64_C(1000000)
#define WATCH_MAX 65536
#define DRAIN_TURNS 1000
/* AF_UNIX hands bytes over inside send(): when they still lie unread after this many quiet turns, their reader has
 * stopped reading, and waiting for it would never end. */
#define STUCK_TURNS 1000

typedef struct slot {
    void *value;
    void (*close)(void *);
} slot_t;

struct smc_loop {
    uv_loop_t uv;
    bool is_virtual;
    unsigned long progress; /* grows with every callback; see smc_loop_progress */
    slot_t slots[SMC_SLOT_COUNT];
    int watched_end; /* one beyond the highest watched descriptor */
    uv_async_t wake; /* real mode only */
    smc_places_t *places;
    int64_t deadline_ns;                  /* -1: none */
    int stuck_turns;                      /* quiet turns in a row in which bytes lay unread */
    unsigned char watched[WATCH_MAX / 8]; /* a bit for each descriptor */
};

struct smc_timer {
    uv_timer_t uv;
    smc_loop_t *loop;
    smc_loop_cb cb; /* NULL once fired or cancelled */
    void *ud;
};

uv_loop_t *smc_loop_uv(smc_loop_t *loop)
{
    return &loop->uv;
}

void smc_loop_progress(smc_loop_t *loop)
{
    loop->progress++;
}

void *smc_loop_slot(const smc_loop_t *loop, smc_loop_slot_t slot)
{
    return loop->slots[slot].value;
}

void smc_loop_set_slot(smc_loop_t *loop, smc_loop_slot_t slot, void *value, void (*close)(void *))
{
    loop->slots[slot] = (slot_t){value, close};
}

smc_places_t *smc_loop_places(const smc_loop_t *loop)
{
    return loop->places;
}

static void free_loop(smc_loop_t *loop)
{
    smc_places_free(loop->places);
    free(loop);
}

static void on_wake(uv_async_t *handle)
{
    smc_loop_progress(handle->data); /* a turn in which something has run does not wait */
}

static int init_uv(smc_loop_t *loop)
{
    int rc = uv_loop_init(&loop->uv);

    if (rc != 0 || loop->is_virtual)
        return rc;
    rc = uv_async_init(&loop->uv, &loop->wake, on_wake);
    if (rc != 0) {
        (void)uv_loop_close(&loop->uv);
        return rc;
    }
    loop->wake.data = loop;
    uv_unref((uv_handle_t *)&loop->wake); /* it hides no deadlock */
    return 0;
}

void smc_loop_wake(smc_loop_t *loop)
{
    if (!loop->is_virtual)
        (void)uv_async_send(&loop->wake);
}

smc_code_t smc_loop_open(smc_loop_t **out, smc_error_t *err)
{
    smc_loop_t *loop = calloc(1, sizeof(*loop));
    int rc;

    if (loop == NULL)
        return smc_fail(err, SMC_ENOMEM, "loop.open", 0, "out of memory");
    loop->is_virtual = smc_clock_is_virtual();
    loop->deadline_ns = -1;
    loop->places = smc_places_new(loop->is_virtual);
    if (loop->places == NULL) {
        free_loop(loop);
        return smc_fail(err, SMC_ENOMEM, "loop.open", 0, "out of memory");
    }
    rc = init_uv(loop);
    if (rc != 0) {
        free_loop(loop);
        return smc_fail(err, SMC_ESYS, "loop.open", -rc, "%s", uv_strerror(rc));
    }
    *out = loop;
    return SMC_OK;
}

void smc_loop_close(smc_loop_t *loop)
{
    int turns = 0;

    if (loop == NULL)
        return;
    for (int i = SMC_SLOT_COUNT - 1; i >= 0; i--)
        if (loop->slots[i].value != NULL)
            loop->slots[i].close(loop->slots[i].value);
    if (!loop->is_virtual)
        uv_close((uv_handle_t *)&loop->wake, NULL);
    while (uv_run(&loop->uv, UV_RUN_NOWAIT) != 0 && turns < DRAIN_TURNS)
        turns++;
    if (uv_loop_close(&loop->uv) != 0)
        assert(!"a handle was left open on the loop");
    free_loop(loop);
}

const char *smc_loop_no_descriptor(void)
{
    int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);

    if (fd < 0 && (errno == EMFILE || errno == ENFILE))
        return ": the process has no descriptor left: raise the limit (ulimit -n)";
    if (fd >= 0)
        (void)close(fd);
    return "";
}

/* ---- turns ------------------------------------------------------------- */

static bool is_watched(const smc_loop_t *loop, int fd)
{
    return (loop->watched[fd / 8] >> fd % 8 & 1) != 0;
}

/* Bytes that one socket of this process has sent and its peer, also ours, has not read yet. */
static bool bytes_in_flight(const smc_loop_t *loop)
{
    for (int fd = 0; fd < loop->watched_end; fd++) {
        int unread = 0;
        if (is_watched(loop, fd) && ioctl(fd, SIOCOUTQ, &unread) == 0 && unread > 0)
            return true;
    }
    return false;
}

/* Runs what is ready.  True when nothing was, and no descriptor is readable now. */
static bool run_ready(smc_loop_t *loop)
{
    struct pollfd pfd = {.fd = uv_backend_fd(&loop->uv), .events = POLLIN};
    unsigned long before = loop->progress;

    uv_update_time(&loop->uv);
    (void)uv_run(&loop->uv, UV_RUN_NOWAIT);
    if (loop->progress != before)
        return false;
    if (!uv_loop_alive(&loop->uv))
        return true; /* libuv calls the time-out of an empty loop 0, not -1 */
    return uv_backend_timeout(&loop->uv) != 0 && poll(&pfd, 1, 0) <= 0;
}

void smc_loop_set_deadline(smc_loop_t *loop, int64_t now_ns)
{
    loop->deadline_ns = now_ns;
}

static bool deadline_has_come(smc_loop_t *loop)
{
    if (loop->deadline_ns < 0 || smc_clock_now_ns() < loop->deadline_ns)
        return false;
    loop->deadline_ns = -1;
    return true;
}

/* Jumps to the next timer or to the deadline, whichever comes first; a timer of that very instant still fires. */
static smc_turn_t jump(smc_loop_t *loop, int timeout_ms)
{
    int64_t ns = (int64_t)timeout_ms * NS_PER_MS;
    int64_t left_ns = loop->deadline_ns - smc_clock_now_ns();

    if (loop->deadline_ns < 0 || ns <= left_ns) {
        smc_clock_advance_ns(ns);
        return SMC_TURN_RAN;
    }
    smc_clock_advance_ns(left_ns);
    loop->deadline_ns = -1;
    return SMC_TURN_DEADLINE;
}

/* libuv applies changed watchers one iteration late, hence quiet must be seen twice in a row. */
static smc_turn_t turn_virtual(smc_loop_t *loop, bool wait)
{
    int timeout_ms;

    if (!run_ready(loop) || !wait || !run_ready(loop)) {
        loop->stuck_turns = 0;
        return SMC_TURN_RAN;
    }
    if (bytes_in_flight(loop) && loop->stuck_turns++ < STUCK_TURNS)
        return SMC_TURN_RAN;
    timeout_ms = uv_backend_timeout(&loop->uv);
    if (!uv_loop_alive(&loop->uv) || timeout_ms < 0)
        return SMC_TURN_DEADLOCK;
    return jump(loop, timeout_ms);
}

/* Waits in the kernel, for the deadline too: libuv knows nothing of it. */
static smc_turn_t turn_real(smc_loop_t *loop, bool wait)
{
    struct pollfd pfd = {.fd = uv_backend_fd(&loop->uv), .events = POLLIN};
    unsigned long before = loop->progress;
    int timeout_ms;

    uv_update_time(&loop->uv);
    (void)uv_run(&loop->uv, UV_RUN_NOWAIT);
    if (deadline_has_come(loop))
        return SMC_TURN_DEADLINE;
    if (!wait ||
        loop->progress != before) /* what has run may have made work, and changed watchers */
        return SMC_TURN_RAN;
    if (!uv_loop_alive(&loop->uv))
        return SMC_TURN_DEADLOCK;
    timeout_ms = uv_backend_timeout(&loop->uv);
    if (loop->deadline_ns >= 0) {
        int64_t left_ms = (loop->deadline_ns - smc_clock_now_ns()) / NS_PER_MS + 1;
        if (timeout_ms < 0 || left_ms < timeout_ms)
            timeout_ms = (int)left_ms;
    }
    (void)poll(&pfd, 1, timeout_ms);
    return SMC_TURN_RAN;
}

smc_turn_t smc_loop_turn(smc_loop_t *loop, bool wait)
{
    return loop->is_virtual ? turn_virtual(loop, wait) : turn_real(loop, wait);
}

void smc_loop_watch(smc_loop_t *loop, int fd)
{
    if (fd < 0 || fd >= WATCH_MAX)
        return;
    loop->watched[fd / 8] = (unsigned char)(loop->watched[fd / 8] | 1u << fd % 8);
    if (fd >= loop->watched_end)
        loop->watched_end = fd + 1;
}

void smc_loop_unwatch(smc_loop_t *loop, int fd)
{
    if (fd < 0 || fd >= WATCH_MAX)
        return;
    loop->watched[fd / 8] = (unsigned char)(loop->watched[fd / 8] & ~(1u << fd % 8));
    while (loop->watched_end > 0 && !is_watched(loop, loop->watched_end - 1))
        loop->watched_end--;
}

/* ---- timers ------------------------------------------------------------ */

/* libuv counts from the millisecond that has begun, so a timer of it ends up to a millisecond early by the real clock.
 * The virtual clock stands on whole milliseconds whenever a timer is started. */
static uint64_t never_early(const smc_loop_t *loop, uint64_t ms)
{
    return loop->is_virtual || ms == 0 ? ms : ms + 1;
}

static void on_timer_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void smc_timer_cancel(smc_timer_t *timer)
{
    if (timer == NULL)
        return;
    assert(timer->cb != NULL);
    timer->cb = NULL;
    uv_close((uv_handle_t *)&timer->uv, on_timer_closed);
}

static void on_timer(uv_timer_t *handle)
{
    smc_timer_t *timer = handle->data;
    smc_loop_cb cb = timer->cb;
    void *ud = timer->ud;

    smc_loop_progress(timer->loop);
    smc_timer_cancel(timer);
    cb(ud);
}

smc_code_t smc_timer_start(smc_loop_t *loop, uint64_t ms, smc_loop_cb cb, void *ud,
                           smc_timer_t **out, smc_error_t *err)
{
    smc_timer_t *timer = calloc(1, sizeof(*timer));

    if (timer == NULL)
        return smc_fail(err, SMC_ENOMEM, "timer.start", 0, "out of memory");
    *timer = (smc_timer_t){.loop = loop, .cb = cb, .ud = ud};
    (void)uv_timer_init(&loop->uv, &timer->uv);
    timer->uv.data = timer;
    uv_update_time(&loop->uv);
    (void)uv_timer_start(&timer->uv, on_timer, never_early(loop, ms), 0);
    *out = timer;
    return SMC_OK;
}
