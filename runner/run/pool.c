#include "run/pool.h"

#include "smc/clock.h"
#include "smc/http.h"
#include "smc/sign.h"
#include "smc/ws.h"

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
#define AWAY_NS SECOND_NS /* between two turns, which take a tick */

typedef struct pool {
    const smcr_pool_conf_t *conf;
    smcr_lane_t *lanes;
    struct pollfd *polled; /* one a lane, and the signals */
    int signals;
    smcr_schedule_t schedule;
    size_t live;         /* workers */
    int interrupted;     /* first signal */
    bool stopped;        /* enough has failed */
    int64_t measured_ns; /* when memory was looked at */
    int64_t watched_ns;  /* when workers were looked at */
    bool failed;
} pool_t;

static int64_t to_ns(double s)
{
    return (int64_t)(s * (double)SECOND_NS);
}

static smc_code_t start_workers(pool_t *p, smc_error_t *err)
{
    for (unsigned i = 0; i < p->conf->jobs && p->interrupted == 0 && !p->failed; i++) {
        smcr_lane_t *lane = &p->lanes[i];
        smcr_job_t *job = lane->pid != 0 ? NULL : smcr_schedule_next(&p->schedule);
        if (job == NULL)
            continue;
        smc_code_t rc = smcr_lane_open(lane, p->conf->run, &p->schedule, job, err);
        if (rc != SMC_OK) {
            smcr_schedule_end(&p->schedule, job, &(smcr_ids_t){0});
            return rc;
        }
        lane->hang_s = p->conf->hang_s;
        p->live++;
    }
    return SMC_OK;
}

static void stop_all(pool_t *p, smcr_killed_t why, bool at_once)
{
    int64_t now = smc_clock_real_ns();
    for (unsigned i = 0; i < p->conf->jobs; i++) {
        if (p->lanes[i].pid == 0)
            continue;
        if (at_once)
            smcr_lane_kill(&p->lanes[i], why);
        else
            smcr_lane_stop(&p->lanes[i], why, now);
    }
}

static void read_signals(pool_t *p)
{
    struct signalfd_siginfo info;
    while (read(p->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGCHLD)
            continue; /* reap_all looks at everyone anyway */
        stop_all(p, SMCR_INTERRUPTED, p->interrupted != 0);
        if (p->interrupted == 0)
            p->interrupted = (int)info.ssi_signo;
    }
}

/* While we were stopped (Ctrl-Z, a debugger, a machine that hung) no worker was silent: nobody listened. */
static void forgive_absence(pool_t *p, int64_t now)
{
    int64_t away = p->watched_ns == 0 ? 0 : now - p->watched_ns;
    p->watched_ns = now;
    for (unsigned i = 0; i < p->conf->jobs && away > AWAY_NS; i++) {
        p->lanes[i].heard_ns += away;
        p->lanes[i].stopped_ns += p->lanes[i].stopped_ns == 0 ? 0 : away;
    }
}

static void watch(pool_t *p)
{
    int64_t now = smc_clock_real_ns();
    forgive_absence(p, now);
    bool measure = now - p->measured_ns > TICK_MS * (SECOND_NS / 1000);
    p->measured_ns = measure ? now : p->measured_ns;
    for (unsigned i = 0; i < p->conf->jobs; i++) {
        smcr_lane_t *lane = &p->lanes[i];
        if (lane->pid == 0)
            continue;
        smcr_lane_listen(lane, now);
        if (lane->stopped_ns != 0 && now - lane->stopped_ns > to_ns(p->conf->grace_s))
            smcr_lane_kill(lane, SMCR_INTERRUPTED);
        else if (now - lane->heard_ns > to_ns(p->conf->hang_s))
            smcr_lane_kill(lane, SMCR_HUNG);
        else if (measure && smcr_lane_memory(lane) > p->conf->memory_bytes)
            smcr_lane_kill(lane, SMCR_TOO_BIG);
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
    if (!p->stopped && smcr_schedule_enough(&p->schedule)) {
        p->stopped = true;
        stop_all(p, SMCR_STOPPED, false);
    }
    watch(p);
    reap_all(p);
    if (p->conf->tick != NULL)
        p->conf->tick(p->conf->ud);
    return SMC_OK;
}

static smc_code_t run_lanes(pool_t *p, smc_error_t *err)
{
    smc_code_t rc = start_workers(p, err), failure = rc;
    p->failed = rc != SMC_OK;
    if (p->failed)
        stop_all(p, SMCR_INTERRUPTED, true);
    while (p->live > 0) {
        rc = turn(p, err);
        if (rc == SMC_OK)
            rc = start_workers(p, err);
        if (rc != SMC_OK && !p->failed) {
            p->failed = true;
            failure = rc;
            stop_all(p, SMCR_INTERRUPTED, true);
        }
    }
    return failure;
}

void smcr_choose_signals(sigset_t *wanted)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction was;
    (void)sigemptyset(wanted);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        if (sigaction(numbers[i], NULL, &was) == 0 && was.sa_handler != SIG_IGN)
            (void)sigaddset(wanted, numbers[i]);
}

/* Those, and that a worker has ended. */
static void choose_all_signals(sigset_t *wanted)
{
    smcr_choose_signals(wanted);
    /* Ignored, it would let the kernel reap workers before we do. */
    (void)sigaction(SIGCHLD, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
    (void)sigaddset(wanted, SIGCHLD);
}

static smc_code_t open_pool(pool_t *p, const sigset_t *wanted, smc_error_t *err)
{
    const smcr_pool_conf_t *conf = p->conf;
    p->signals = signalfd(-1, wanted, SFD_NONBLOCK | SFD_CLOEXEC);
    if (p->signals < 0)
        return smc_fail(err, SMC_ESYS, OP, errno, "signalfd: %s", strerror(errno));
    p->lanes = calloc(conf->jobs, sizeof(*p->lanes));
    p->polled = calloc(conf->jobs + 1, sizeof(*p->polled));
    if (p->lanes == NULL || p->polled == NULL)
        return smc_fail(err, SMC_ENOMEM, OP, 0, "no memory for %u workers", conf->jobs);
    return smcr_schedule_init(&p->schedule, conf->run, conf->sink, conf->ud, err);
}

static void close_pool(pool_t *p)
{
    for (unsigned i = 0; p->lanes != NULL && i < p->conf->jobs; i++)
        smcr_lane_deinit(&p->lanes[i]);
    free(p->polled);
    free(p->lanes);
    if (p->signals >= 0)
        (void)close(p->signals);
    smcr_schedule_deinit(&p->schedule);
}

static void preload(void)
{
    smc_http_preload();
    smc_ws_preload();
    smc_sign_preload();
}

smc_code_t smcr_pool_run(const smcr_pool_conf_t *conf, smcr_pool_end_t *out, smc_error_t *err)
{
    sigset_t wanted, before;
    choose_all_signals(&wanted);
    if (sigprocmask(SIG_BLOCK, &wanted, &before) != 0)
        return smc_fail(err, SMC_ESYS, OP, errno, "sigprocmask: %s", strerror(errno));
    if (conf->run->plan->n_files > 1) /* one worker alone may never need it */
        preload();
    pool_t p = {.conf = conf};
    smc_code_t rc = open_pool(&p, &wanted, err);
    if (rc == SMC_OK && p.lanes != NULL) {
        rc = run_lanes(&p, err);
        out->lost = !smcr_schedule_finish(&p.schedule);
    }
    out->signal = p.interrupted;
    out->stopped = p.stopped;
    close_pool(&p);
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    return rc;
}
