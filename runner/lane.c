#include "lane.h"

#include "output.h"

#include "smc/clock.h"
#include "smc/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define OP "worker"
enum {
    READ_BYTES = 64 << 10,
    OUTPUT_SHOWN = 64 << 10, /* of what a dead worker printed: the last bytes */
};

static void send(smcr_lane_t *lane, smcr_event_t *ev)
{
    if (ev->type == SMCR_EV_FILE_ERROR && ev->id == NULL)
        ev->id = strdup(lane->_run->plan->files[lane->file].path);
    lane->_sink(lane->_ud, lane->file, ev);
    *ev = (smcr_event_t){0};
}

static void be_worker(const smcr_run_t *run, size_t file, pid_t parent, int output, int events)
{
    /* The parent may be gone before it can be asked to tell us. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
        _exit(70);
    (void)setpgid(0, 0);
    if (!smcr_worker_settle(output, events, run->journal))
        _exit(70);
    _exit(smcr_worker_main(run, &run->plan->files[file]));
}

smc_code_t smcr_lane_open(smcr_lane_t *lane, const smcr_run_t *run, size_t file, smcr_sink_fn sink,
                          void *ud, smc_error_t *err)
{
    int pipe_fds[2];
    int output = memfd_create("output", MFD_CLOEXEC);
    if (output < 0)
        return smc_fail(err, SMC_ESYS, OP, errno, "memfd_create: %s", strerror(errno));
    if (pipe2(pipe_fds, O_CLOEXEC) != 0) {
        (void)close(output);
        return smc_fail(err, SMC_ESYS, OP, errno, "pipe: %s", strerror(errno));
    }
    (void)fcntl(output, F_SETFL, O_APPEND);
    (void)fcntl(pipe_fds[0], F_SETFL, O_NONBLOCK);
    (void)fflush(NULL); /* or the worker would write our buffers again */
    pid_t parent = getpid(), pid = fork();
    if (pid == 0)
        be_worker(run, file, parent, output, pipe_fds[1]);
    (void)close(pipe_fds[1]);
    if (pid < 0) {
        (void)close(pipe_fds[0]);
        (void)close(output);
        return smc_fail(err, SMC_ESYS, OP, errno, "fork: %s", strerror(errno));
    }
    (void)setpgid(pid, pid); /* both do it: neither may be late */
    *lane = (smcr_lane_t){.pid = pid,
                          .events = pipe_fds[0],
                          .output = output,
                          .file = file,
                          .heard_ns = smc_clock_real_ns(),
                          ._run = run,
                          ._sink = sink,
                          ._ud = ud};
    smcr_event_t start = {.type = SMCR_EV_FILE_START, .file = strdup(run->plan->files[file].path)};
    send(lane, &start);
    return SMC_OK;
}

/* ---- events ------------------------------------------------------------- */

static bool keep_pending(smcr_lane_t *lane, const smcr_event_t *ev)
{
    smcr_spec_t spec = {.id = ev->id, .tags = ev->tags, .lines = ev->lines};
    if (!smcr_selection_runs(lane->_run->selection, &lane->_run->plan->files[lane->file], spec))
        return true;
    smcr_event_t *grown = reallocarray(lane->_pending, lane->_n_pending + 1, sizeof(*grown));
    if (grown == NULL)
        return false;
    lane->_pending = grown;
    smcr_event_t *slot = &grown[lane->_n_pending];
    *slot = (smcr_event_t){.id = strdup(ev->id), .line = ev->line};
    slot->file = ev->file == NULL ? NULL : strdup(ev->file);
    slot->name = ev->name == NULL ? NULL : strdup(ev->name);
    lane->_n_pending++;
    return slot->id != NULL;
}

/* The first pending spec with this id starts or ends: specs may share an id. */
static void take_pending(smcr_lane_t *lane, const char *id, smcr_event_t *out)
{
    for (size_t i = 0; i < lane->_n_pending; i++) {
        if (strcmp(lane->_pending[i].id, id) != 0)
            continue;
        *out = lane->_pending[i];
        lane->_n_pending--;
        memmove(&lane->_pending[i], &lane->_pending[i + 1],
                (lane->_n_pending - i) * sizeof(lane->_pending[0]));
        return;
    }
}

/* False: a worker of ours does not say this. */
static bool on_event(smcr_lane_t *lane, smcr_event_t *ev)
{
    smcr_event_t before = {0};
    lane->_output_at = ev->output_at;
    switch (ev->type) {
    case SMCR_EV_DECLARED:
        if (!keep_pending(lane, ev))
            return false;
        break;
    case SMCR_EV_SPEC_START:
        if (lane->_running.id != NULL)
            return false;
        take_pending(lane, ev->id, &lane->_running);
        if (lane->_running.id == NULL)
            lane->_running.id = strdup(ev->id);
        break;
    case SMCR_EV_SPEC_END: /* what is skipped may end without having started */
        if (lane->_running.id == NULL)
            take_pending(lane, ev->id, &before);
        else if (strcmp(lane->_running.id, ev->id) != 0)
            return false;
        smcr_event_deinit(&before);
        smcr_event_deinit(&lane->_running);
        break;
    case SMCR_EV_FILE_END:
        smcr_event_deinit(&lane->_file_end);
        lane->_file_end = *ev;
        lane->_file_ended = true;
        *ev = (smcr_event_t){0};
        return true;
    case SMCR_EV_FILE_ERROR:
        lane->_file_failed = true;
        break;
    case SMCR_EV_FILE_START:
    case SMCR_EV_ATTEMPT: /* it runs a spec once */
        return false;
    }
    send(lane, ev);
    return true;
}

static bool pass_events(smcr_lane_t *lane)
{
    size_t at = 0;
    bool fine = true;
    while (fine) {
        smcr_event_t ev = {0};
        size_t used;
        if (smcr_event_read(lane->_in.data + at, lane->_in.len - at, &ev, &used) != SMC_OK)
            fine = false;
        else if (used == 0)
            break;
        else
            fine = on_event(lane, &ev);
        smcr_event_deinit(&ev);
        at += used;
    }
    smc_buf_consume(&lane->_in, at);
    return fine;
}

bool smcr_lane_read(smcr_lane_t *lane)
{
    for (;;) {
        if (smc_buf_reserve(&lane->_in, READ_BYTES) != SMC_OK)
            break;
        ssize_t n = read(lane->events, lane->_in.data + lane->_in.len, READ_BYTES);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return true;
        if (n <= 0) {
            lane->silent = true;
            return false;
        }
        lane->_in.len += (size_t)n;
        lane->_in.data[lane->_in.len] = '\0';
        lane->heard_ns = smc_clock_real_ns();
        if (lane->killed == SMCR_GARBLED)
            lane->_in.len = 0;
        else if (!pass_events(lane))
            break;
    }
    smcr_lane_kill(lane, SMCR_GARBLED);
    return false;
}

/* ---- the end ------------------------------------------------------------ */

void smcr_lane_kill(smcr_lane_t *lane, smcr_killed_t why)
{
    if (lane->killed == SMCR_NOT_KILLED)
        lane->killed = why;
    (void)kill(-lane->pid, SIGKILL);
    (void)kill(lane->pid, SIGKILL); /* before its setpgid it has no group */
}

void smcr_lane_stop(smcr_lane_t *lane, int64_t now_ns)
{
    if (lane->killed == SMCR_NOT_KILLED)
        lane->killed = SMCR_INTERRUPTED;
    lane->stopped_ns = now_ns;
    (void)kill(lane->pid, SIGTERM);
}

/* What it printed since its last event. */
static char *last_words(const smcr_lane_t *lane)
{
    smc_buf_t clear = {0};
    size_t n = 0;
    char *text = smcr_output_read(lane->output, lane->_output_at, OUTPUT_SHOWN, &n);
    if (text == NULL)
        return NULL;
    for (size_t i = 0; i < n; i++)
        text[i] = text[i] == '\0' ? ' ' : text[i];
    if (n > 0)
        (void)smc_log_redact(lane->_run->redactor, text, n, &clear);
    free(text);
    char *out = clear.failed ? NULL : smc_buf_take(&clear, NULL);
    smc_buf_deinit(&clear);
    return out;
}

static void describe_status(const smcr_lane_t *lane, int status, char *buf, size_t size)
{
    if (!WIFSIGNALED(status)) {
        (void)snprintf(buf, size, "the worker exited with status %d %s", WEXITSTATUS(status),
                       lane->_file_ended ? "after the end of its file"
                                         : "in the middle of its file");
        return;
    }
    int number = WTERMSIG(status);
    const char *name = sigabbrev_np(number), *text = sigdescr_np(number);
    (void)snprintf(buf, size, "the worker was killed by SIG%s (%s)%s", name == NULL ? "?" : name,
                   text == NULL ? "?" : text,
                   number == SIGKILL ? "; the machine may be out of memory" : "");
}

/* Describes the end in buf; returns its kind.  NULL: it ended as it should. */
static const char *cause(const smcr_lane_t *lane, int status, char *buf, size_t size)
{
    bool whole = lane->_file_ended && lane->_running.id == NULL;
    if (whole && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return NULL;
    switch (lane->killed) {
    case SMCR_HUNG:
        (void)snprintf(buf, size, "the worker gave no sign of life for %g s and was killed",
                       lane->hang_s);
        return "hang";
    case SMCR_GARBLED:
        (void)snprintf(buf, size, "the worker wrote nonsense to the pipe of events and was killed");
        return "crash";
    case SMCR_INTERRUPTED:
        (void)snprintf(buf, size, "interrupted");
        return "interrupted";
    case SMCR_NOT_KILLED:
        break;
    }
    describe_status(lane, status, buf, size);
    return "crash";
}

static void send_verdict(smcr_lane_t *lane, const char *kind, const char *message)
{
    bool in_spec = lane->_running.id != NULL;
    smcr_event_t ev = lane->_running;
    lane->_running = (smcr_event_t){0};
    ev.type = in_spec ? SMCR_EV_SPEC_END : SMCR_EV_FILE_ERROR;
    ev.status = in_spec ? SMCR_ERROR : SMCR_NONE;
    if (ev.file == NULL)
        ev.file = strdup(lane->_run->plan->files[lane->file].path);
    ev.kind = strdup(kind);
    ev.message = strdup(message);
    ev.output = last_words(lane);
    send(lane, &ev);
}

/* The specs that never got their turn.  After an interruption they are nobody's fault. */
static void end_pending(smcr_lane_t *lane, bool died)
{
    bool silent = lane->killed == SMCR_INTERRUPTED || lane->_run->options->command == SMCR_CMD_LIST;
    const char *why = died                 ? "did not run because the worker died"
                      : lane->_file_failed ? "did not run because its file failed"
                                           : "did not run, and the worker gave no reason";
    for (size_t i = 0; i < lane->_n_pending; i++) {
        smcr_event_t *ev = &lane->_pending[i];
        ev->type = SMCR_EV_SPEC_END;
        ev->status = SMCR_ERROR;
        ev->kind = strdup("not_run");
        ev->message = strdup(why);
        if (silent)
            smcr_event_deinit(ev);
        else
            send(lane, ev);
    }
    free(lane->_pending);
    lane->_pending = NULL;
    lane->_n_pending = 0;
}

bool smcr_lane_reap(smcr_lane_t *lane)
{
    siginfo_t info = {0};
    char message[160];
    int status = 0;
    /* First look, then kill what it left in its group, then reap: until then nobody else can get that number. */
    if (waitid(P_PID, (id_t)lane->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0)
        return false;
    (void)kill(-lane->pid, SIGKILL);
    while (waitpid(lane->pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFSIGNALED(status))
        smc_loop_sweep(lane->pid);
    (void)smcr_lane_read(lane);

    const char *kind = cause(lane, status, message, sizeof(message));
    if (kind != NULL)
        send_verdict(lane, kind, message);
    end_pending(lane, kind != NULL);
    smcr_event_t end = lane->_file_end;
    end.type = SMCR_EV_FILE_END;
    if (end.file == NULL)
        end.file = strdup(lane->_run->plan->files[lane->file].path);
    send(lane, &end);

    smcr_event_deinit(&lane->_running);
    smc_buf_deinit(&lane->_in);
    (void)close(lane->events);
    (void)close(lane->output);
    *lane = (smcr_lane_t){0};
    return true;
}
