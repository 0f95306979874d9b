#include "lane.h"

#include "output.h"

#include "smc/clock.h"
#include "smc/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
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
    TRANSCRIPT_BYTES = 256 << 10, /* of a spec whose worker dies: the last ones */
    OUTPUT_SHOWN = 64 << 10,      /* of what a dead worker printed: the last bytes */
};

static const smcr_file_t *file_of(const smcr_lane_t *lane)
{
    return &lane->_run->plan->files[lane->_job->file];
}

static void send(smcr_lane_t *lane, smcr_event_t *ev)
{
    if (ev->type == SMCR_EV_FILE_ERROR && ev->id == NULL)
        ev->id = strdup(file_of(lane)->path);
    smcr_schedule_event(lane->_schedule, lane->_job, ev);
    *ev = (smcr_event_t){0};
}

static void be_worker(const smcr_lane_t *lane, pid_t parent, int output, int events)
{
    /* The parent may be gone before it can be asked to tell us. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
        _exit(70);
    (void)setpgid(0, 0);
    if (!smcr_worker_settle(output, events, lane->_run->journal))
        _exit(70);
    _exit(smcr_worker_main(lane->_run, lane->_job, lane->_transcript, TRANSCRIPT_BYTES));
}

static size_t transcript_size(void)
{
    return sizeof(smc_log_copy_t) + TRANSCRIPT_BYTES;
}

static bool share_transcript(smcr_lane_t *lane)
{
    if (lane->_transcript == NULL) {
        void *shared = mmap(NULL, transcript_size(), PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        lane->_transcript = shared == MAP_FAILED ? NULL : shared;
    }
    if (lane->_transcript != NULL)
        lane->_transcript->written = 0;
    return lane->_transcript != NULL;
}

void smcr_lane_deinit(smcr_lane_t *lane)
{
    if (lane->_transcript != NULL)
        (void)munmap(lane->_transcript, transcript_size());
    *lane = (smcr_lane_t){0};
}

/* What it has to end, however it ends: of a job that knows the ids, whatever the worker announces. */
static bool expect_specs(smcr_lane_t *lane)
{
    const smcr_job_t *job = lane->_job;
    lane->_pending = job->n_only == 0 ? NULL : calloc(job->n_only, sizeof(*lane->_pending));
    if (job->n_only > 0 && lane->_pending == NULL)
        return false;
    for (size_t i = 0; i < job->n_only; i++) {
        lane->_pending[i].id = strdup(job->only[i]);
        lane->_pending[i].file = strdup(file_of(lane)->path);
    }
    lane->_n_pending = job->n_only;
    return true;
}

smc_code_t smcr_lane_open(smcr_lane_t *lane, const smcr_run_t *run, smcr_schedule_t *schedule,
                          smcr_job_t *job, smc_error_t *err)
{
    int pipe_fds[2];
    if (!share_transcript(lane))
        return smc_fail(err, SMC_ENOMEM, OP, errno, "no memory for a transcript");
    int output = memfd_create("output", MFD_CLOEXEC);
    if (output < 0)
        return smc_fail(err, SMC_ESYS, OP, errno, "memfd_create: %s", strerror(errno));
    if (pipe2(pipe_fds, O_CLOEXEC) != 0) {
        (void)close(output);
        return smc_fail(err, SMC_ESYS, OP, errno, "pipe: %s", strerror(errno));
    }
    (void)fcntl(output, F_SETFL, O_APPEND);
    (void)fcntl(pipe_fds[0], F_SETFL, O_NONBLOCK);
    *lane = (smcr_lane_t){.events = pipe_fds[0],
                          .output = output,
                          .heard_ns = smc_clock_real_ns(),
                          ._run = run,
                          ._schedule = schedule,
                          ._job = job,
                          ._transcript = lane->_transcript};
    (void)fflush(NULL); /* or the worker would write our buffers again */
    pid_t parent = getpid(), pid = expect_specs(lane) ? fork() : -1;
    if (pid == 0)
        be_worker(lane, parent, output, pipe_fds[1]);
    (void)close(pipe_fds[1]);
    if (pid < 0) {
        (void)close(pipe_fds[0]);
        (void)close(output);
        return smc_fail(err, SMC_ESYS, OP, errno, "fork: %s", strerror(errno));
    }
    (void)setpgid(pid, pid); /* both do it: neither may be late */
    lane->pid = pid;
    smcr_event_t start = {.type = SMCR_EV_FILE_START, .file = strdup(file_of(lane)->path)};
    send(lane, &start);
    return SMC_OK;
}

/* ---- events ------------------------------------------------------------- */

/* The first pending spec with this id, as specs may share one; NULL: none. */
static smcr_event_t *find_pending(smcr_lane_t *lane, const char *id)
{
    for (size_t i = 0; i < lane->_n_pending; i++) {
        size_t at = (lane->_next_pending + i) % lane->_n_pending;
        if (lane->_pending[at].id == NULL || strcmp(lane->_pending[at].id, id) != 0)
            continue;
        lane->_next_pending = at + 1; /* they mostly run in the order in which they were declared */
        return &lane->_pending[at];
    }
    return NULL;
}

static bool keep_pending(smcr_lane_t *lane, const smcr_event_t *ev)
{
    smcr_spec_t spec = {.id = ev->id, .tags = ev->tags, .lines = ev->lines};
    if (!smcr_job_runs(lane->_run, lane->_job, spec))
        return true;
    if (lane->_job->only != NULL) {
        smcr_event_t *known = find_pending(lane, ev->id);
        if (known != NULL)
            known->line = ev->line;
        return true;
    }
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

/* It starts or ends. */
static void take_pending(smcr_lane_t *lane, const char *id, smcr_event_t *out)
{
    smcr_event_t *pending = find_pending(lane, id);
    if (pending == NULL)
        return;
    *out = *pending;
    *pending = (smcr_event_t){0};
}

/* What went over the wire since the spec began. */
static char *last_lines(const smcr_lane_t *lane)
{
    smc_buf_t lines = {0}, clear = {0};
    char *out = NULL;
    if (smc_log_copied(lane->_transcript, TRANSCRIPT_BYTES, &lines) == SMC_OK && lines.len > 0 &&
        smc_log_redact(lane->_run->redactor, lines.data, lines.len, &clear) == SMC_OK)
        out = smc_buf_take(&clear, NULL);
    smc_buf_deinit(&lines);
    smc_buf_deinit(&clear);
    return out;
}

/* Makes an error of the worker the end of the spec that runs. */
static void end_running(smcr_lane_t *lane, smcr_event_t *ev)
{
    free(ev->id);
    ev->id = lane->_running.id;
    ev->line = lane->_running.line;
    lane->_running.id = NULL;
    ev->type = SMCR_EV_SPEC_END;
    ev->status = SMCR_ERROR;
    ev->transcript = last_lines(lane);
    smcr_event_deinit(&lane->_running);
    lane->_ended++;
    lane->_gave_up = true;
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
        lane->_announced++;
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
        lane->_ended++;
        break;
    case SMCR_EV_FILE_END:
        lane->_had_enough = smcr_event_is_interruption(ev);
        free(ev->kind);
        ev->kind = NULL;
        smcr_event_deinit(&lane->_file_end);
        lane->_file_end = *ev;
        lane->_file_ended = true;
        *ev = (smcr_event_t){0};
        return true;
    case SMCR_EV_FILE_ERROR:
        if (lane->_running.id != NULL)
            end_running(lane, ev); /* it cannot go on, and says why */
        else
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

void smcr_lane_stop(smcr_lane_t *lane, smcr_killed_t why, int64_t now_ns)
{
    if (lane->killed == SMCR_NOT_KILLED)
        lane->killed = why;
    lane->stopped_ns = now_ns;
    (void)kill(lane->pid, SIGTERM);
}

uint64_t smcr_memory_limit(const smcr_options_t *o)
{
    enum { ROOM_MIB = 64, TIMES = 4 };
    return (ROOM_MIB + TIMES * o->memory_mib) << 20;
}

uint64_t smcr_lane_memory(const smcr_lane_t *lane)
{
    char path[32], text[64] = "";
    unsigned long long pages = 0;
    (void)snprintf(path, sizeof(path), "/proc/%ld/statm", (long)lane->pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    if (read(fd, text, sizeof(text) - 1) > 0)
        (void)sscanf(text, "%*u %llu", &pages);
    (void)close(fd);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
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
    if (lane->_had_enough) {
        (void)snprintf(buf, size, "stopped, enough has failed");
        return "stopped";
    }
    if (whole && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return NULL;
    switch (lane->killed) {
    case SMCR_TOO_BIG:
        (void)snprintf(buf, size,
                       "the worker took more than %" PRIu64 " MiB and was killed (--memory)",
                       smcr_memory_limit(lane->_run->options) >> 20);
        return "memory";
    case SMCR_STOPPED:
        (void)snprintf(buf, size, "stopped, enough has failed");
        return "stopped";
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
        ev.file = strdup(file_of(lane)->path);
    ev.kind = strdup(kind);
    ev.message = strdup(message);
    ev.output = last_words(lane);
    if (in_spec)
        ev.transcript = last_lines(lane);
    lane->_ended += in_spec ? 1 : 0;
    send(lane, &ev);
}

/* A worker that came to the end of a spec has left the others to the next one: so there is an end to it. */
static bool leaves_specs(const smcr_lane_t *lane, bool died)
{
    bool stopped = lane->killed == SMCR_INTERRUPTED || lane->killed == SMCR_STOPPED;
    return died && !stopped && !lane->_had_enough && lane->_ended > 0;
}

static void leave_specs(smcr_lane_t *lane, smcr_ids_t *left)
{
    left->all = calloc(lane->_n_pending + 1, sizeof(*left->all));
    for (size_t i = 0; left->all != NULL && i < lane->_n_pending; i++) {
        if (lane->_pending[i].id == NULL)
            continue;
        left->all[left->n++] = lane->_pending[i].id;
        lane->_pending[i].id = NULL;
    }
}

/* The specs that never get their turn.  After an interruption they are nobody's fault. */
static void end_pending(smcr_lane_t *lane, bool died)
{
    bool silent = lane->killed == SMCR_INTERRUPTED || lane->killed == SMCR_STOPPED ||
                  lane->_had_enough || lane->_run->options->command == SMCR_CMD_LIST;
    const char *why = died                 ? "did not run because the worker died"
                      : lane->_file_failed ? "did not run because its file failed"
                                           : "did not run, and the worker gave no reason";
    for (size_t i = 0; i < lane->_n_pending; i++) {
        smcr_event_t *ev = &lane->_pending[i];
        if (!silent && ev->id != NULL) {
            ev->type = SMCR_EV_SPEC_END;
            ev->status = SMCR_ERROR;
            ev->kind = strdup("not_run");
            ev->message = strdup(why);
            send(lane, ev);
        }
        smcr_event_deinit(ev);
    }
    free(lane->_pending);
    lane->_pending = NULL;
    lane->_n_pending = 0;
}

static void send_file_end(smcr_lane_t *lane)
{
    smcr_event_t end = lane->_file_end;
    lane->_file_end = (smcr_event_t){0};
    end.type = SMCR_EV_FILE_END;
    if (end.file == NULL)
        end.file = strdup(file_of(lane)->path);
    if (!lane->_file_ended)
        end.declared = end.selected = (int64_t)lane->_announced;
    send(lane, &end);
}

bool smcr_lane_reap(smcr_lane_t *lane)
{
    siginfo_t info = {0};
    char message[200];
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
    if (kind != NULL && !lane->_gave_up)
        send_verdict(lane, kind, message);
    smcr_ids_t left = {0};
    if (leaves_specs(lane, kind != NULL))
        leave_specs(lane, &left);
    end_pending(lane, kind != NULL);
    send_file_end(lane);
    smcr_schedule_end(lane->_schedule, lane->_job, &left);

    smcr_event_deinit(&lane->_running);
    smc_buf_deinit(&lane->_in);
    (void)close(lane->events);
    (void)close(lane->output);
    *lane = (smcr_lane_t){._transcript = lane->_transcript};
    return true;
}
