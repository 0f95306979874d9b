#include "run/lane_priv.h"

#include "smc/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define OP "worker"
enum {
    READ_BYTES = 64 << 10,
    TRANSCRIPT_BYTES = 256 << 10, /* of a spec whose worker dies: the last ones */
};

const smcr_file_t *smcr_lane_file(const smcr_lane_t *lane)
{
    return &lane->_run->plan->files[lane->_job->file];
}

void smcr_lane_send(smcr_lane_t *lane, smcr_event_t *ev)
{
    if (ev->type == SMCR_EV_FILE_ERROR && ev->id == NULL)
        ev->id = strdup(smcr_lane_file(lane)->path);
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
        lane->_pending[i].file = strdup(smcr_lane_file(lane)->path);
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
    smcr_event_t start = {.type = SMCR_EV_FILE_START, .file = strdup(smcr_lane_file(lane)->path)};
    smcr_lane_send(lane, &start);
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
char *smcr_lane_transcript(const smcr_lane_t *lane)
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
    ev->transcript = smcr_lane_transcript(lane);
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
    smcr_lane_send(lane, ev);
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

void smcr_lane_listen(smcr_lane_t *lane, int64_t now_ns)
{
    uint64_t written = __atomic_load_n(&lane->_transcript->written, __ATOMIC_RELAXED);
    if (written != lane->_written)
        lane->heard_ns = now_ns;
    lane->_written = written;
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
