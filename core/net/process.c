#include "smc/process.h"

#include "guard_priv.h"

#include "smc/clock.h"

#include <errno.h>
#include <limits.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#define OP "process"
enum {
    READ_BYTES = 16 << 10,
    WRITTEN_MAX = 16 << 20, /* and not read yet */
    DRAIN_MS = 1000,        /* for output that somebody outside of the group holds open */
};

typedef enum stdio { INPUT, OUTPUT, ERRORS, STDIO_COUNT } stdio_t;

/* The guard can be told of a program only once it has a number, so the program begins behind a gate: a shell that becomes it
 * when a byte comes through descriptor 3, and ends when that hangs up. */
enum { GATE = STDIO_COUNT, FDS_COUNT };
static const char *const behind_gate[] = {
    "/bin/sh", "-c", "read -r gate <&3 && unset gate && exec \"$@\" 3<&-", "sh"};
enum { GATE_WORDS = sizeof(behind_gate) / sizeof(behind_gate[0]) };

struct smc_process {
    smc_loop_t *loop;
    smc_process_events_t on; /* told of nothing once it is freed */
    void *ud;
    uv_process_t uv;
    uv_pipe_t pipes[STDIO_COUNT];
    bool open[STDIO_COUNT]; /* the pipe is there, and nobody has closed it */
    unsigned handles;       /* that libuv has not let go yet */
    bool owned;
    bool spawned; /* libuv has the handle */
    bool ended;   /* and reaped */
    bool told;
    int status, number;
    smc_timer_t *drain;
    char buf[READ_BYTES];
};

typedef struct bytes {
    uv_write_t req;
    char data[];
} bytes_t;

/* ---- life ---------------------------------------------------------------- */

static void free_if_unused(smc_process_t *p)
{
    if (!p->owned && p->handles == 0)
        free(p);
}

static void on_closed(uv_handle_t *handle)
{
    smc_process_t *p = handle->data;
    p->handles--;
    free_if_unused(p);
}

static void close_pipe(smc_process_t *p, stdio_t which)
{
    if (!p->open[which])
        return;
    p->open[which] = false;
    uv_close((uv_handle_t *)&p->pipes[which], on_closed);
}

/* ---- the end --------------------------------------------------------------- */

static void tell_end(smc_process_t *p)
{
    smc_timer_cancel(p->drain);
    p->drain = NULL;
    for (int i = 0; i < STDIO_COUNT; i++)
        close_pipe(p, i);
    p->told = true;
    if (p->on.on_exit != NULL)
        p->on.on_exit(p->ud, p->status, p->number);
}

static void tell_when_drained(smc_process_t *p)
{
    if (p->ended && !p->told && !p->open[OUTPUT] && !p->open[ERRORS])
        tell_end(p);
}

static void on_drained_enough(void *ud)
{
    smc_process_t *p = ud;
    p->drain = NULL;
    tell_end(p);
}

/* The number of a group is nobody else's while one of it lives, and the guard is told before it may become so. */
static void end_group(smc_process_t *p)
{
    p->ended = true;
    (void)kill(-p->uv.pid, SIGKILL);
    smc_guard_drop(p->loop, p->uv.pid);
}

static void on_end(uv_process_t *uv, int64_t status, int number)
{
    smc_process_t *p = uv->data;
    smc_loop_progress(p->loop);
    end_group(p);
    p->status = (int)status;
    p->number = number;
    if (smc_timer_start(p->loop, DRAIN_MS, on_drained_enough, p, &p->drain, NULL) != SMC_OK)
        tell_end(p);
    else
        tell_when_drained(p);
}

/* ---- output ------------------------------------------------------------------ */

/* One buffer is enough: what was read is handed on before more is. */
static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    smc_process_t *p = handle->data;
    (void)suggested;
    *buf = uv_buf_init(p->buf, sizeof(p->buf));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    smc_process_t *p = stream->data;
    stdio_t which = stream == (uv_stream_t *)&p->pipes[OUTPUT] ? OUTPUT : ERRORS;
    smc_loop_progress(p->loop);
    if (n > 0) {
        p->on.on_output(p->ud, (int)which, buf->base, (size_t)n);
    } else if (n < 0) {
        close_pipe(p, which);
        tell_when_drained(p);
    }
}

/* ---- start ------------------------------------------------------------------- */

/* Is there something at that path, seen from the program's folder, that may be run? */
static bool may_run(const char *cwd, const char *folder, size_t n, const char *file)
{
    char path[PATH_MAX];
    const char *slash = n == 0 ? "" : "/";
    int len = folder[0] == '/' || (n == 0 && file[0] == '/')
                  ? snprintf(path, sizeof(path), "%.*s%s%s", (int)n, folder, slash, file)
                  : snprintf(path, sizeof(path), "%s/%.*s%s%s", cwd, (int)n, folder, slash, file);
    struct stat st;
    return len > 0 && (size_t)len < sizeof(path) && stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
           access(path, X_OK) == 0;
}

static bool is_there(const smc_process_conf_t *conf)
{
    const char *file = conf->argv[0], *path = "/usr/local/bin:/usr/bin:/bin";
    if (strchr(file, '/') != NULL)
        return may_run(conf->cwd, "", 0, file);
    for (const char *const *e = conf->env; *e != NULL; e++)
        if (strncmp(*e, "PATH=", 5) == 0)
            path = *e + 5;
    for (;;) {
        size_t n = strcspn(path, ":");
        if (may_run(conf->cwd, n == 0 ? "." : path, n == 0 ? 1 : n, file))
            return true;
        if (path[n] == '\0')
            return false;
        path += n + 1;
    }
}

/* One end for libuv, the other for the program. */
static int add_pipe(smc_process_t *p, stdio_t which, uv_stdio_container_t *theirs)
{
    uv_file fds[2];
    int ours = which == INPUT ? 1 : 0;
    int rc = uv_pipe(fds, ours == 0 ? UV_NONBLOCK_PIPE : 0, ours == 1 ? UV_NONBLOCK_PIPE : 0);
    if (rc != 0)
        return rc;
    theirs->flags = UV_INHERIT_FD;
    theirs->data.fd = fds[1 - ours];
    (void)uv_pipe_init(smc_loop_uv(p->loop), &p->pipes[which], 0);
    p->pipes[which].data = p;
    p->open[which] = true;
    p->handles++;
    rc = uv_pipe_open(&p->pipes[which], fds[ours]);
    if (rc != 0)
        (void)close(fds[ours]);
    return rc;
}

static int add_pipes(smc_process_t *p, bool takes_input, uv_stdio_container_t stdio[FDS_COUNT])
{
    int rc = takes_input ? add_pipe(p, INPUT, &stdio[INPUT]) : 0;
    if (rc == 0)
        rc = add_pipe(p, OUTPUT, &stdio[OUTPUT]);
    if (rc == 0)
        rc = add_pipe(p, ERRORS, &stdio[ERRORS]);
    return rc;
}

/* -> the writing end of the gate, or what is wrong (negative). */
static int spawn(smc_process_t *p, const smc_process_conf_t *conf, char **argv)
{
    uv_stdio_container_t stdio[FDS_COUNT] = {{.flags = UV_IGNORE}};
    uv_process_options_t options = {
        .exit_cb = on_end,
        .file = argv[0],
        .args = argv,
        .env = (char **)(uintptr_t)conf->env, /* libuv writes to none of them */
        .cwd = conf->cwd,
        .flags = UV_PROCESS_DETACHED,
        .stdio_count = FDS_COUNT,
        .stdio = stdio,
    };
    uv_file gate[2];
    int rc = add_pipes(p, conf->takes_input, stdio);
    if (rc == 0)
        rc = uv_pipe(gate, 0, 0);
    if (rc == 0) {
        stdio[GATE] = (uv_stdio_container_t){.flags = UV_INHERIT_FD, .data.fd = gate[0]};
        rc = uv_spawn(smc_loop_uv(p->loop), &p->uv, &options);
        p->handles++;
        p->spawned = true;
        if (rc != 0)
            (void)close(gate[1]);
    }
    for (int i = 0; i < FDS_COUNT; i++)
        if (stdio[i].flags == UV_INHERIT_FD)
            (void)close(stdio[i].data.fd);
    return rc != 0 ? rc : gate[1];
}

static void drop(smc_process_t *p)
{
    p->owned = false;
    for (int i = 0; i < STDIO_COUNT; i++)
        close_pipe(p, i);
    if (p->spawned)
        uv_close((uv_handle_t *)&p->uv, on_closed);
    free_if_unused(p);
}

/* The program with its gate before it, which opens.  Returns 0, or what is wrong. */
static int start(smc_process_t *p, const smc_process_conf_t *conf)
{
    size_t n = 0;
    while (conf->argv[n] != NULL)
        n++;
    char **argv = calloc(GATE_WORDS + n + 1, sizeof(*argv));
    if (argv == NULL)
        return UV_ENOMEM;
    for (size_t i = 0; i < GATE_WORDS + n; i++)
        argv[i] = (char *)(uintptr_t)(i < GATE_WORDS ? behind_gate[i] : conf->argv[i - GATE_WORDS]);
    int gate = spawn(p, conf, argv);
    free(argv);
    if (gate < 0)
        return gate;
    smc_guard_add(p->loop, p->uv.pid);
    (void)!write(gate, "\n", 1); /* SIGPIPE is ignored: it may have been killed already */
    (void)close(gate);
    (void)uv_read_start((uv_stream_t *)&p->pipes[OUTPUT], on_room, on_read);
    (void)uv_read_start((uv_stream_t *)&p->pipes[ERRORS], on_room, on_read);
    return 0;
}

static smc_code_t check(const smc_process_conf_t *conf, smc_error_t *err)
{
    struct stat st;
    if (smc_clock_is_virtual())
        return smc_fail(err, SMC_EPOLICY, OP, 0, "programs run by the real clock");
    if (stat(conf->cwd, &st) != 0 || !S_ISDIR(st.st_mode))
        return smc_fail(err, SMC_ENOENT, OP, 0, "there is no folder '%.150s'", conf->cwd);
    if (!is_there(conf))
        return smc_fail(err, SMC_ENOENT, OP, 0, "there is no program '%.80s'", conf->argv[0]);
    if (close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) !=
        0) /* also those that this process was born with */
        return smc_fail(err, SMC_ESYS, OP, errno, "close_range: %s", strerror(errno));
    return SMC_OK;
}

smc_code_t smc_process_start(smc_loop_t *loop, const smc_process_conf_t *conf, smc_process_t **out,
                             smc_error_t *err)
{
    smc_code_t rc = check(conf, err);
    if (rc == SMC_OK)
        rc = smc_guard_open(loop, err);
    if (rc != SMC_OK)
        return rc;
    smc_process_t *p = calloc(1, sizeof(*p));
    if (p == NULL)
        return smc_fail(err, SMC_ENOMEM, OP, 0, "out of memory");
    p->loop = loop;
    p->on = conf->on;
    p->ud = conf->ud;
    p->uv.data = p;
    p->owned = true;
    int why = start(p, conf);
    if (why != 0) {
        drop(p);
        return smc_fail(err, SMC_ESYS, OP, -why, "'%.80s' cannot be started: %s", conf->argv[0],
                        uv_strerror(why));
    }
    *out = p;
    return SMC_OK;
}

void smc_process_free(smc_process_t *p)
{
    if (p == NULL)
        return;
    if (!p->ended) {
        (void)kill(-p->uv.pid, SIGKILL);
        while (waitpid(p->uv.pid, NULL, 0) < 0 && errno == EINTR)
            ;
        end_group(p);
    }
    smc_timer_cancel(p->drain);
    p->drain = NULL;
    p->on.on_exit = NULL;
    drop(p);
}

/* ---- what is done with one ------------------------------------------------------ */

static void on_written(uv_write_t *req, int status)
{
    (void)status; /* one that does not read has closed its input, or is gone: its end says so */
    free(req);
}

smc_code_t smc_process_write(smc_process_t *p, const char *data, size_t n, smc_error_t *err)
{
    uv_stream_t *stream = (uv_stream_t *)&p->pipes[INPUT];
    if (!p->open[INPUT] || p->ended)
        return smc_fail(err, SMC_ECLOSED, OP, 0, "its standard input is closed");
    if (uv_stream_get_write_queue_size(stream) + n > WRITTEN_MAX)
        return smc_fail(err, SMC_EAGAIN, OP, 0, "it does not read what was written");
    bytes_t *bytes = malloc(sizeof(*bytes) + n);
    if (bytes == NULL)
        return smc_fail(err, SMC_ENOMEM, OP, 0, "out of memory");
    memcpy(bytes->data, data, n);
    uv_buf_t buf = uv_buf_init(bytes->data, (unsigned)n);
    int rc = uv_write(&bytes->req, stream, &buf, 1, on_written);
    if (rc == 0)
        return SMC_OK;
    free(bytes);
    return smc_fail(err, SMC_ESYS, OP, -rc, "%s", uv_strerror(rc));
}

static void on_shut(uv_shutdown_t *req, int status)
{
    smc_process_t *p = req->data;
    free(req);
    if (status != UV_ECANCELED)
        close_pipe(p, INPUT);
}

void smc_process_end_input(smc_process_t *p)
{
    if (!p->open[INPUT])
        return;
    uv_shutdown_t *req = malloc(sizeof(*req));
    if (req != NULL) {
        req->data = p;
        if (uv_shutdown(req, (uv_stream_t *)&p->pipes[INPUT], on_shut) == 0)
            return;
        free(req);
    }
    close_pipe(p, INPUT); /* without what waits: there is no memory, or it is shut already */
}

smc_code_t smc_process_signal(smc_process_t *p, int number, bool group, smc_error_t *err)
{
    if (p->ended)
        return smc_fail(err, SMC_ECLOSED, OP, 0, "it has ended");
    if (kill(group ? -p->uv.pid : p->uv.pid, number) == 0)
        return SMC_OK;
    return smc_fail(err, SMC_ESYS, OP, errno, "%s", strerror(errno));
}

long smc_process_pid(const smc_process_t *p)
{
    return p->uv.pid;
}
