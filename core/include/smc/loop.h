/* smc/loop.h - the event loop: one per worker, over libuv, with a real or a virtual clock.
 *
 * Virtual mode (smc_clock_is_virtual at open)
 *   A turn runs what is ready.  When nothing is ready and nothing is in flight between sockets of this process, time
 *   jumps to the next timer.  Servers of this process listen on AF_UNIX path sockets then (TCP hides bytes in the
 *   kernel, so a quiet epoll would be no proof); clients reach them through smc_loop_route.
 * Real mode
 *   A turn waits in the kernel.  Servers listen on TCP, 127.0.0.1.
 * Create it after fork: an epoll descriptor must not be shared.
 * Thread  everything here but smc_loop_wake: the thread that opened the loop.
 */
#ifndef SMC_LOOP_H
#define SMC_LOOP_H

#include "smc/error.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct smc_loop smc_loop_t;
typedef struct smc_timer smc_timer_t;
typedef void (*smc_loop_cb)(void *ud);

typedef enum smc_turn {
    SMC_TURN_RAN,      /* callbacks may have run, or time has moved */
    SMC_TURN_DEADLINE, /* the instant of smc_loop_set_deadline has come; it is cleared */
    SMC_TURN_DEADLOCK, /* virtual: quiet, and no timer will ever fire.  Real: no handle is active */
} smc_turn_t;

/* *out is owned by the caller; end with smc_loop_close.  Errors: SMC_ENOMEM, SMC_ESYS. */
smc_code_t smc_loop_open(smc_loop_t **out, smc_error_t *err);

/* Closes what is left on it, runs the closing callbacks and frees it.  Accepts NULL.
 * Users of the loop (http, ws, servers) must be closed before. */
void smc_loop_close(smc_loop_t *loop);

/* One turn.  When wait is false, never blocks and never jumps: used while coroutines are runnable. */
smc_turn_t smc_loop_turn(smc_loop_t *loop, bool wait);

/* Makes a turn that waits in the kernel, or else the next one that would, end at once.  May be called from a signal
 * handler and from any thread.  In virtual mode no turn waits: nothing happens. */
void smc_loop_wake(smc_loop_t *loop);

/* Makes a waiting turn end with SMC_TURN_DEADLINE at now_ns (of smc_clock_now_ns) at the latest; -1 clears it.  Unlike a
 * timer it does not hide a deadlock. */
void smc_loop_set_deadline(smc_loop_t *loop, int64_t now_ns);

/* Starts a one-shot timer.  ms >= 0, on the loop's clock.  cb runs from a later turn, never from here and never early.
 * *out is valid until cb ran or smc_timer_cancel was called.  Timers of the same instant fire in the order they were
 * started.  Errors: SMC_ENOMEM. */
smc_code_t smc_timer_start(smc_loop_t *loop, uint64_t ms, smc_loop_cb cb, void *ud,
                           smc_timer_t **out, smc_error_t *err);
/* cb will not run.  Accepts NULL. */
void smc_timer_cancel(smc_timer_t *timer);

/* Sockets whose peer is in this process are watched: while bytes lie unread between them, time does not jump.
 * A socket that is paused on purpose must be unwatched meanwhile. */
void smc_loop_watch(smc_loop_t *loop, int fd);
void smc_loop_unwatch(smc_loop_t *loop, int fd);

/* A listening place for a server of this process.
 * fd    a listening socket; owned by the caller
 * host  real mode: an IPv4 address of this machine, or NULL for 127.0.0.1
 * port  real mode: the TCP port there.  Virtual mode: a number that only smc_loop_route knows, the same in
 *       every run of the same program */
smc_code_t smc_loop_listen(smc_loop_t *loop, const char *host, uint16_t want_port, int *fd,
                           uint16_t *port, smc_error_t *err);
/* Forgets the place of smc_loop_listen; removes the socket's path.  Does not close fd. */
void smc_loop_unlisten(smc_loop_t *loop, uint16_t port);

/* Removes the socket paths of a process of this user that was killed and could not; pid 0: of all that are gone.  They lie
 * in directories below TMPDIR (one that can be written to, of at most 32 bytes), else below /dev/shm, else below /tmp. */
void smc_loop_sweep(long pid);

/* Where a client connects for a loopback host and port.
 * *path  virtual mode: borrowed path of the AF_UNIX socket, or NULL when no server of this process listens there
 *        (then the client fails with SMC_ECONN).  Real mode: always NULL: connect by TCP.
 * Returns true when the connection must go through *path. */
bool smc_loop_route(const smc_loop_t *loop, const char *host, uint16_t port, const char **path);
/* Virtual mode: whether smc_loop_listen has given this number to a server, which may be gone or refuse clients now. */
bool smc_loop_gave(const smc_loop_t *loop, uint16_t port);

/* From now on the clients of this process find no address for a host and port (on), or find it again.
 * Errors: SMC_ENOMEM. */
smc_code_t smc_loop_hide(smc_loop_t *loop, const char *host, uint16_t port, bool on,
                         smc_error_t *err);
bool smc_loop_hidden(const smc_loop_t *loop, const char *host, uint16_t port);

/* From now on the clients of this process that want a host and port are led to a loopback port instead; 0: no more.
 * Errors: SMC_ENOMEM. */
smc_code_t smc_loop_lead(smc_loop_t *loop, const char *host, uint16_t port, uint16_t via,
                         smc_error_t *err);
/* The port of smc_loop_lead, or 0. */
uint16_t smc_loop_detour(const smc_loop_t *loop, const char *host, uint16_t port);

#endif /* SMC_LOOP_H */
