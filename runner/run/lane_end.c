/* lane_end.c - how a worker ends, and the verdict on it. */
#include "run/lane_priv.h"
#include "run/output.h"

#include "smc/loop.h"
#include "smc/tmpdir.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OUTPUT_SHOWN = 64 << 10 }; /* of what a dead worker printed: the last bytes */

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
        (void)snprintf(buf, size,
                       "the worker gave no sign of life for %g s and was killed (--hang-after)",
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
        ev.file = strdup(smcr_lane_file(lane)->path);
    ev.kind = strdup(kind);
    ev.message = strdup(message);
    ev.output = last_words(lane);
    if (in_spec)
        ev.transcript = smcr_lane_transcript(lane);
    lane->_ended += in_spec ? 1 : 0;
    smcr_lane_send(lane, &ev);
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
            smcr_lane_send(lane, ev);
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
        end.file = strdup(smcr_lane_file(lane)->path);
    if (!lane->_file_ended)
        end.declared = end.selected = (int64_t)lane->_announced;
    smcr_lane_send(lane, &end);
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
    if (WIFSIGNALED(status)) {
        smc_loop_sweep(lane->pid);
        smc_tmpdir_sweep(lane->pid);
    }
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
