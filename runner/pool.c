#include "pool.h"

#include "smc/clock.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define OP "pool"
enum { TICK_MS = 100 };
#define SECOND_NS INT64_C(1000000000)

typedef struct pool {
    const smcr_pool_conf_t *conf;
    smcr_lane_t *lanes;
    struct pollfd *polled; /* one a lane, and the signals */
    int signals;
    size_t next;     /* file to start */
    size_t live;     /* workers */
    int interrupted; /* first signal */
    bool failed;
} pool_t;

static int64_t to_ns(double s)
{
    return (int64_t)(s * (double)SECOND_NS);
}

static smc_code_t start_files(pool_t *p, smc_error_t *err)
{
    const smcr_pool_conf_t *conf = p->conf;
    for (unsigned i = 0; i < conf->jobs; i++) {
        smcr_lane_t *lane = &p->lanes[i];
        if (lane->pid != 0 || p->next == conf->run->plan->n_files || p->interrupted != 0 ||
            p->failed)
            continue;
        smc_code_t rc = smcr_lane_open(lane, conf->run, p->next, conf->sink, conf->ud, err);
        if (rc != SMC_OK)
            return rc;
        lane->hang_s = conf->hang_s;
        p->next++;
        p->live++;
    }
    return SMC_OK;
}

static void stop_all(pool_t *p, bool at_once)
{
    int64_t now = smc_clock_real_ns();
    for (unsigned i = 0; i < p->conf->jobs; i++) {
        if (p->lanes[i].pid == 0)
            continue;
        if (at_once)
            smcr_lane_kill(&p->lanes[i], SMCR_INTERRUPTED);
        else
            smcr_lane_stop(&p->lanes[i], now);
    }
}

static void read_signals(pool_t *p)
{
    struct signalfd_siginfo info;
    while (read(p->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGCHLD)
            continue; /* reap_all looks at everyone anyway */
        stop_all(p, p->interrupted != 0);
        if (p->interrupted == 0)
            p->interrupted = (int)info.ssi_signo;
    }
}

static void watch(pool_t *p)
{
    int64_t now = smc_clock_real_ns();
    for (unsigned i = 0; i < p->conf->jobs; i++) {
        smcr_lane_t *lane = &p->lanes[i];
        if (lane->pid == 0)
            continue;
        if (lane->stopped_ns != 0 && now - lane->stopped_ns > to_ns(p->conf->grace_s))
            smcr_lane_kill(lane, SMCR_INTERRUPTED);
        else if (now - lane->heard_ns > to_ns(p->conf->hang_s))
            smcr_lane_kill(lane, SMCR_HUNG);
    }
}

static void reap_all(pool_t *p)
{
    for (unsigned i = 0; i < p->conf->jobs; i++)
        if (p->lanes[i].pid != 0 && smcr_lane_reap(&p->lanes[i]))
            p->live--;
}

static smc_code_t turn(pool_t *p, smc_error_t *err)
{
    unsigned jobs = p->conf->jobs;
    for (unsigned i = 0; i < jobs; i++) {
        const smcr_lane_t *lane = &p->lanes[i];
        p->polled[i] = (struct pollfd){.fd = lane->pid == 0 || lane->silent ? -1 : lane->events,
                                       .events = POLLIN};
    }
    p->polled[jobs] = (struct pollfd){.fd = p->signals, .events = POLLIN};
    int ready = poll(p->polled, jobs + 1, TICK_MS);
    if (ready < 0 && errno != EINTR)
        return smc_fail(err, SMC_ESYS, OP, errno, "poll: %s", strerror(errno));
    for (unsigned i = 0; i < jobs && ready > 0; i++)
        if (p->polled[i].revents != 0)
            (void)smcr_lane_read(&p->lanes[i]);
    read_signals(p);
    watch(p);
    reap_all(p);
    if (p->conf->tick != NULL)
        p->conf->tick(p->conf->ud);
    return SMC_OK;
}

static smc_code_t run_lanes(pool_t *p, smc_error_t *err)
{
    smc_code_t rc = start_files(p, err), failure = rc;
    p->failed = rc != SMC_OK;
    if (p->failed)
        stop_all(p, true);
    while (p->live > 0) {
        rc = turn(p, err);
        if (rc == SMC_OK)
            rc = start_files(p, err);
        if (rc != SMC_OK && !p->failed) {
            p->failed = true;
            failure = rc;
            stop_all(p, true);
        }
    }
    return failure;
}

/* What nohup, or a shell that starts us in the background, has told us to ignore stays ignored. */
static void choose_signals(sigset_t *wanted)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction was;
    (void)sigemptyset(wanted);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        if (sigaction(numbers[i], NULL, &was) == 0 && was.sa_handler != SIG_IGN)
            (void)sigaddset(wanted, numbers[i]);
    /* Ignored, it would let the kernel reap workers before we do. */
    was = (struct sigaction){.sa_handler = SIG_DFL};
    (void)sigaction(SIGCHLD, &was, NULL);
    (void)sigaddset(wanted, SIGCHLD);
}

smc_code_t smcr_pool_run(const smcr_pool_conf_t *conf, int *signal, smc_error_t *err)
{
    sigset_t wanted, before;
    choose_signals(&wanted);
    if (sigprocmask(SIG_BLOCK, &wanted, &before) != 0)
        return smc_fail(err, SMC_ESYS, OP, errno, "sigprocmask: %s", strerror(errno));

    smc_code_t rc = SMC_OK;
    pool_t p = {.conf = conf, .signals = signalfd(-1, &wanted, SFD_NONBLOCK | SFD_CLOEXEC)};
    p.lanes = calloc(conf->jobs, sizeof(*p.lanes));
    p.polled = calloc(conf->jobs + 1, sizeof(*p.polled));
    if (p.signals < 0)
        rc = smc_fail(err, SMC_ESYS, OP, errno, "signalfd: %s", strerror(errno));
    else if (p.lanes == NULL || p.polled == NULL)
        rc = smc_fail(err, SMC_ENOMEM, OP, 0, "no memory for %u workers", conf->jobs);
    else
        rc = run_lanes(&p, err);
    *signal = p.interrupted;
    free(p.polled);
    free(p.lanes);
    if (p.signals >= 0)
        (void)close(p.signals);
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    return rc;
}
