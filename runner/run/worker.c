#include "run/worker.h"

#include "keys/access_lua.h"
#include "report/json_strings.h"
#include "report/repeat.h"
#include "run/event.h"
#include "run/journal.h"
#include "run/output.h"
#include "run/stable.h"
#include "smcb.h"
#include "smcb_runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <lua.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#endif

enum {
    CPU_BUDGET_MS = 5000, /* of a Lua slice that does not wait */
    GC_PAUSE = 400, /* per cent; a worker lives for seconds, and memory is cheaper than time */
    OUTPUT_LIMIT = 64 << 20,  /* bytes that a worker may print; what is more is dropped */
    OUTPUT_SHOWN = 256 << 10, /* bytes of it that one event carries: the last ones */
    EXIT_OK = 0,
    EXIT_EVENTS_LOST = 70,
    EXIT_LEAKED_MEMORY = 23,
};

typedef struct worker {
    const smcr_run_t *run;
    const smcr_file_t *file;
    smcr_job_t *job;
    smc_log_copy_t *transcript;
    size_t transcript_bytes;
    const smc_log_t *log; /* knows the scenario's own secrets; NULL: no state is open */
    off_t shown;          /* of the output */
    smcr_event_t ev;      /* being filled; here, because filling it may raise */
    unsigned orders;      /* that were noted in the journal */
    bool lost;            /* events could not be written */
} worker_t;

bool smcr_job_runs(const smcr_run_t *run, smcr_job_t *job, smcr_spec_t spec)
{
    if (job->only == NULL)
        return smcr_selection_runs(run->selection, &run->plan->files[job->file], spec);
    for (size_t i = 0; i < job->n_only; i++) {
        size_t at = (job->_next + i) % job->n_only;
        if (strcmp(job->only[at], spec.id) == 0) {
            job->_next = at + 1;
            return true;
        }
    }
    return false;
}

/* Moves both to their numbers, whichever they have now. */
static bool move(int events, int journal)
{
    int kept = journal < 0 ? -1 : fcntl(journal, F_DUPFD_CLOEXEC, SMCR_JOURNAL_FD + 1);
    if ((journal >= 0 && kept < 0) ||
        (events != SMCR_EVENTS_FD && dup2(events, SMCR_EVENTS_FD) < 0))
        return false;
    if (kept < 0)
        return close_range(SMCR_JOURNAL_FD, ~0u, 0) == 0;
    return dup3(kept, SMCR_JOURNAL_FD, O_CLOEXEC) >= 0 &&
           close_range(SMCR_JOURNAL_FD + 1, ~0u, 0) == 0;
}

/* What a prompt of the parent's catches would be swallowed here: until a worker has its own way to stop, a signal ends it. */
static bool forget_handlers(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction was;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        if (sigaction(numbers[i], NULL, &was) != 0 ||
            (was.sa_handler != SIG_IGN && signal(numbers[i], SIG_DFL) == SIG_ERR))
            return false;
    return true;
}

bool smcr_worker_settle(int output, int events, int journal)
{
    sigset_t none;
    struct rlimit no_core = {0, 0}, output_size = {OUTPUT_LIMIT, OUTPUT_LIMIT};
    int null = open("/dev/null", O_RDONLY);
    if (null < 0 || dup2(null, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0 ||
        !move(events, journal))
        return false;
    (void)setrlimit(RLIMIT_CORE, &no_core);
    (void)setrlimit(RLIMIT_FSIZE, &output_size);
    if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR || signal(SIGPIPE, SIG_IGN) == SIG_ERR ||
        !forget_handlers())
        return false;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    return setvbuf(stdout, NULL, _IOLBF, 0) == 0;
}

static void write_event(worker_t *w)
{
    smc_buf_t record = {0};
    smc_code_t rc = smcr_event_write(&w->ev, &record);
    size_t done = 0;
    while (rc == SMC_OK && done < record.len) {
        ssize_t n = write(SMCR_EVENTS_FD, record.data + done, record.len - done);
        if (n > 0)
            done += (size_t)n;
        else if (n < 0 && errno != EINTR)
            rc = SMC_ESYS;
    }
    if (rc != SMC_OK)
        w->lost = true;
    smc_buf_deinit(&record);
    smcr_event_deinit(&w->ev);
}

/* Credentials, and what the scenario has declared a secret. */
static smc_code_t redact(const worker_t *w, const char *text, size_t n, smc_buf_t *out)
{
    smc_buf_t once = {0};
    smc_code_t rc = smc_log_redact(w->run->redactor, text, n, w->log == NULL ? out : &once);
    if (rc == SMC_OK && once.len > 0)
        rc = smc_log_redact(w->log, once.data, once.len, out);
    smc_buf_deinit(&once);
    return rc;
}

/* What is done to a text before it leaves the worker.  Each step appends to an empty buffer. */
typedef enum treatment {
    AS_IT_IS,
    HIDE_CREDENTIALS,
    REDACT,
    REDACT_JSON,
    STABLE_MESSAGE,
    STABLE_TRACEBACK
} treatment_t;

static smc_code_t redact_string(void *ud, const char *text, size_t n, smc_buf_t *out)
{
    return redact(ud, text, n, out);
}

static smc_code_t treat(const worker_t *w, treatment_t how, const char *text, size_t n,
                        smc_buf_t *out)
{
    smc_buf_t clean = {0}, shown = {0};
    smc_code_t rc = SMC_OK;
    switch (how) {
    case AS_IT_IS:
        return smc_buf_append(out, text, n);
    case HIDE_CREDENTIALS:
        return smc_log_redact(w->run->redactor, text, n, out);
    case REDACT:
        return redact(w, text, n, out);
    case REDACT_JSON:
        return smcr_map_strings(text, n, redact_string, (void *)w, out);
    case STABLE_MESSAGE: /* cut behind the look for secrets, which a cut would tear */
        rc = redact(w, text, n, &clean);
        if (rc == SMC_OK && clean.len > 0)
            rc = smcr_shorten(clean.data, clean.len, &shown);
        if (rc == SMC_OK && shown.len > 0)
            rc = smcr_number_addresses(shown.data, shown.len, out);
        break;
    case STABLE_TRACEBACK:
        rc = w->run->options->internal ? smc_buf_append(&clean, text, n)
                                       : smcr_trim_traceback(text, n, &clean);
        if (rc == SMC_OK && clean.len > 0)
            rc = redact(w, clean.data, clean.len, out);
        break;
    }
    smc_buf_deinit(&clean);
    smc_buf_deinit(&shown);
    return rc;
}

/* A treated copy without NUL bytes.  NULL: no memory. */
static char *copy_text(const worker_t *w, treatment_t how, const char *text, size_t n)
{
    smc_buf_t treated = {0}, out = {0};
    smc_code_t rc = n == 0 ? SMC_OK : treat(w, how, text, n, &treated);
    if (rc == SMC_OK && treated.len > 0 && memchr(treated.data, '\0', treated.len) == NULL)
        return smc_buf_take(&treated, NULL);
    (void)smc_buf_reserve(&out, treated.len);
    for (size_t at = 0; rc == SMC_OK && at < treated.len;) {
        size_t len = strnlen(treated.data + at, treated.len - at);
        (void)smc_buf_append(&out, treated.data + at, len);
        at += len;
        if (at < treated.len) {
            (void)smc_buf_puts(&out, "\\0");
            at++;
        }
    }
    char *copy = rc != SMC_OK || out.failed ? NULL
                 : out.len == 0             ? strdup("")
                                            : smc_buf_take(&out, NULL);
    smc_buf_deinit(&out);
    smc_buf_deinit(&treated);
    return copy;
}

/* What was printed since the last event that showed some. */
static void attach_output(worker_t *w)
{
    struct stat st;
    size_t n = 0;
    (void)fflush(stdout);
    if (fstat(STDOUT_FILENO, &st) != 0)
        return;
    char *text = smcr_output_read(STDOUT_FILENO, w->shown, OUTPUT_SHOWN, &n);
    if (text != NULL)
        w->ev.output = copy_text(w, REDACT, text, n);
    free(text);
    w->shown = st.st_size;
}

static void emit(worker_t *w)
{
    if (w->ev.type == SMCR_EV_SPEC_END || w->ev.type == SMCR_EV_FILE_ERROR)
        attach_output(w);
    w->ev.output_at = w->shown;
    write_event(w);
}

static void emit_error(worker_t *w, const char *kind, const char *message, const char *traceback)
{
    smcr_event_deinit(&w->ev);
    w->ev.type = SMCR_EV_FILE_ERROR;
    w->ev.file = strdup(w->file->path);
    w->ev.kind = strdup(kind);
    w->ev.message = copy_text(w, STABLE_MESSAGE, message, strlen(message));
    if (traceback != NULL)
        w->ev.traceback = copy_text(w, STABLE_TRACEBACK, traceback, strlen(traceback));
    emit(w);
}

static worker_t *upvalue_worker(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(1));
}

/* Names of files and specs are the user's own and are compared with the plan: they stay as they are. */
static treatment_t treatment_of(const char *field)
{
    static const struct {
        const char *field;
        treatment_t how;
    } table[] = {
        {"message", STABLE_MESSAGE},
        {"traceback", STABLE_TRACEBACK},
        {"transcript", HIDE_CREDENTIALS}, /* the log has hidden the scenario's secrets */
        {"timeline", REDACT_JSON},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (strcmp(table[i].field, field) == 0)
            return table[i].how;
    return AS_IT_IS;
}

static void read_text(lua_State *L, worker_t *w, const char *name, char **out)
{
    size_t n;
    lua_pushstring(L, name);
    if (lua_rawget(L, 1) == LUA_TSTRING) {
        const char *text = lua_tolstring(L, -1, &n);
        *out = copy_text(w, treatment_of(name), text, n);
    } else if (!lua_isnil(L, -1)) {
        luaL_error(L, "event field '%s' must be a string, not a %s", name, luaL_typename(L, -1));
    }
    lua_pop(L, 1);
}

static void read_number(lua_State *L, const char *name, int64_t *out)
{
    lua_pushstring(L, name);
    if (lua_rawget(L, 1) == LUA_TNUMBER) {
        int exact;
        *out = lua_tointegerx(L, -1, &exact);
        if (!exact)
            *out = (int64_t)lua_tonumber(L, -1);
    } else if (!lua_isnil(L, -1)) {
        luaL_error(L, "event field '%s' must be a number, not a %s", name, luaL_typename(L, -1));
    }
    lua_pop(L, 1);
}

static int read_enum(lua_State *L, const char *name, int (*of)(const char *), const char *missing)
{
    lua_pushstring(L, name);
    lua_rawget(L, 1);
    const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : missing;
    int value = text == NULL ? -1 : of(text);
    if (value < 0)
        luaL_error(L, "unknown event %s '%s'", name, text == NULL ? "(none)" : text);
    lua_pop(L, 1);
    return value;
}

/* emit(event) */
static int l_emit(lua_State *L)
{
    worker_t *w = upvalue_worker(L);
    luaL_checktype(L, 1, LUA_TTABLE);
    smcr_event_deinit(&w->ev);
    w->ev.type = (smcr_event_type_t)read_enum(L, "type", smcr_event_type_of, NULL);
    w->ev.status = (smcr_status_t)read_enum(L, "status", smcr_status_of, "none");
#define X(field) read_text(L, w, #field, &w->ev.field);
    SMCR_TEXT_MAP(X)
#undef X
#define X(field) read_number(L, #field, &w->ev.field);
    SMCR_NUMBER_MAP(X)
#undef X
    emit(w);
    return 0;
}

/* select(id, tags, lines) -> is it selected, does it run here, its rank: what is smaller comes first */
static int l_select(lua_State *L)
{
    const worker_t *w = upvalue_worker(L);
    const smcr_selection_t *selection = w->run->selection;
    smcr_spec_t spec = {.id = luaL_checkstring(L, 1),
                        .tags = luaL_optstring(L, 2, NULL),
                        .lines = luaL_optstring(L, 3, NULL)};
    lua_pushboolean(L, smcr_selection_matches(selection, w->file, spec));
    lua_pushboolean(L, smcr_job_runs(w->run, w->job, spec));
    lua_pushinteger(L, smcr_selection_rank(selection, w->file, spec.id));
    return 3;
}

/* Of what was asked for, the lines. */
static void push_lines(lua_State *L, const smcr_file_t *file)
{
    lua_createtable(L, (int)file->n_asked, 0);
    for (size_t i = 0; i < file->n_asked; i++) {
        if (file->asked[i].line == 0)
            continue;
        lua_pushinteger(L, file->asked[i].line);
        lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    }
}

static void push_credentials(lua_State *L, const smcr_env_t *env)
{
    lua_createtable(L, 0, (int)env->count);
    for (size_t i = 0; i < env->count; i++) {
        if (env->pairs[i].value[0] == '\0')
            continue; /* NAME= in a template: not set */
        lua_pushstring(L, env->pairs[i].value);
        lua_setfield(L, -2, env->pairs[i].name);
    }
}

static void set_text(lua_State *L, const char *key, const char *value)
{
    lua_pushstring(L, value);
    lua_setfield(L, -2, key);
}

/* sending(text) -> id: an order is about to be sent.  Raises when that cannot be written. */
static int l_sending(lua_State *L)
{
    worker_t *w = upvalue_worker(L);
    const char *text = luaL_checkstring(L, 1);
    char id[SMCR_JOURNAL_ID_MAX + 1];
    smc_error_t err = {0};
    (void)snprintf(id, sizeof(id), "%ld.%u", (long)getpid(), ++w->orders);
    if (smcr_journal_note(SMCR_JOURNAL_FD, '+', id, text, true, &err) != SMC_OK)
        return luaL_error(L, "the order was not sent: %s", err.detail);
    lua_pushstring(L, id);
    return 1;
}

/* dead(id, why): one that is not noted costs the clean-up a look, no more. */
static int l_dead(lua_State *L)
{
    const char *id = luaL_checkstring(L, 1);
    (void)smcr_journal_note(SMCR_JOURNAL_FD, '-', id, luaL_checkstring(L, 2), false, NULL);
    return 0;
}

static void push_journal(lua_State *L, worker_t *w)
{
    if (w->run->journal < 0) {
        lua_pushnil(L);
        return;
    }
    lua_createtable(L, 0, 2);
    smcb_set_closure(L, "sending", l_sending, w);
    lua_pushcfunction(L, l_dead);
    lua_setfield(L, -2, "dead");
}

/* In protected mode: require("smc.run").file{...} */
static int l_main(lua_State *L)
{
    worker_t *w = lua_touserdata(L, 1);
    const smcr_options_t *o = w->run->options;
    smcb_require(L, "smc.run");
    lua_getfield(L, -1, "file");
    lua_createtable(L, 0, 13);
    push_lines(L, w->file);
    lua_setfield(L, -2, "lines");
    set_text(L, "path", w->file->path);
    set_text(L, "target", smcr_target_text(o->target));
    set_text(L, "clock", smcr_clock_text(o->clock));
    set_text(L, "ca", w->run->ca);
    set_text(L, "sabotage", smcr_sabotage_text(o->sabotage));
    lua_pushboolean(L, o->command == SMCR_CMD_LIST);
    lua_setfield(L, -2, "list");
    lua_pushboolean(L, o->watch);
    lua_setfield(L, -2, "watch");
    lua_pushboolean(L, o->strict_leaks);
    lua_setfield(L, -2, "strict_leaks");
    lua_pushboolean(L, o->allow_process);
    lua_setfield(L, -2, "allow_process");
    smcr_push_list(L, o->allow_read, o->n_allow_read);
    lua_setfield(L, -2, "read_paths");
    lua_pushnumber(L, o->timeout_s);
    lua_setfield(L, -2, "timeout");
    lua_pushinteger(L, (lua_Integer)smcr_seed_of(o, w->job->round));
    lua_setfield(L, -2, "seed");
    if (w->job->max_failures > 0)
        lua_pushinteger(L, (lua_Integer)w->job->max_failures);
    else
        lua_pushnil(L);
    lua_setfield(L, -2, "max_failures");
    push_credentials(L, w->run->credentials);
    lua_setfield(L, -2, "credentials");
    push_journal(L, w);
    lua_setfield(L, -2, "journal");
    smcb_set_closure(L, "select", l_select, w);
    smcb_set_closure(L, "emit", l_emit, w);
    lua_call(L, 1, 0);
    return 0;
}

/* Keeps "message\ntraceback" as two values in a table: {message, traceback}. */
static int on_error(lua_State *L)
{
    const char *message = luaL_tolstring(L, 1, NULL);
    luaL_traceback(L, L, NULL, 1);
    lua_createtable(L, 2, 0);
    lua_insert(L, -2);
    lua_rawseti(L, -2, 2);
    lua_pushstring(L, message);
    lua_rawseti(L, -2, 1);
    return 1;
}

static void report_failure(worker_t *w, lua_State *L, int rc)
{
    const char *message = NULL, *traceback = NULL;
    if (lua_istable(L, -1)) {
        lua_rawgeti(L, -1, 1);
        lua_rawgeti(L, -2, 2);
        message = lua_tostring(L, -2);
        traceback = lua_tostring(L, -1);
    } else if (lua_type(L, -1) == LUA_TSTRING) {
        message = lua_tostring(L, -1);
    }
    if (rc == LUA_ERRMEM)
        message = "asked for more memory than the worker may have (--memory), and cannot go on";
    emit_error(w, rc == LUA_ERRMEM ? "memory" : "internal",
               message == NULL ? "no message" : message, traceback);
}

/* All that a signal handler can reach. */
static smcb_host_t *volatile stoppable;

static void on_stop(int number)
{
    int before = errno;
    smcb_host_t *host = stoppable;
    (void)number;
    if (host == NULL)
        _exit(EXIT_OK); /* nothing was sent yet, or everything is over */
    smcb_request_stop(host);
    errno = before;
}

/* Where orders would outlive the worker, it cancels them before it ends. */
static void open_to_stops(const worker_t *w, smcb_host_t *host)
{
    struct sigaction action = {.sa_handler = on_stop};
    stoppable = host;
    if (w->run->journal >= 0)
        (void)sigaction(SIGTERM, &action, NULL);
}

/* Of every worker: without the budget, which is a process's own, and the seed and the transcript, which are the job's. */
static smcb_conf_t conf_of(const smcr_options_t *o)
{
    return (smcb_conf_t){
        .virtual_clock = o->clock == SMCR_CLOCK_VIRTUAL,
        .gc_stress = o->gc_stress,
        .internal = o->internal,
        .memory_bytes = (size_t)o->memory_mib << 20,
    };
}

smc_code_t smcr_worker_warm(const smcr_run_t *run, smcb_host_t **out, smc_error_t *err)
{
    smcb_conf_t conf = conf_of(run->options);
    lua_State *L;
    smc_code_t rc = smcb_open(&conf, out, &L, err);
    if (rc != SMC_OK)
        return rc;
    (void)lua_gc(L, LUA_GCSETPAUSE, GC_PAUSE);
    return smcb_warm(*out, err);
}

static smc_code_t open_host(const worker_t *w, smcb_host_t **out, lua_State **L, smc_error_t *err)
{
    const smcr_options_t *o = w->run->options;
    smcb_conf_t conf = conf_of(o);
    conf.seed = smcr_seed_of(o, w->job->round);
    conf.cpu_budget_ms = CPU_BUDGET_MS;
    conf.transcript = w->transcript;
    conf.transcript_bytes = w->transcript_bytes;
    *out = w->run->warm;
    return *out == NULL ? smcb_open(&conf, out, L, err) : smcb_take_over(*out, &conf, L, err);
}

/* Freeing a state takes longer than many a spec; it is for those who look for leaks. */
static void close_host(smcb_host_t *host)
{
#if defined(__SANITIZE_ADDRESS__)
    smcb_close(host);
#else
    smcb_abandon(host);
#endif
}

static void run_file(worker_t *w)
{
    smcb_host_t *host = NULL;
    lua_State *L = NULL;
    smc_error_t err = {0};
    if (open_host(w, &host, &L, &err) != SMC_OK) {
        emit_error(w, "internal", err.detail, NULL);
        return;
    }
    w->log = smcb_log(L);
    open_to_stops(w, host);
    lua_pushcfunction(L, on_error);
    lua_pushcfunction(L, l_main);
    lua_pushlightuserdata(L, w);
    int rc = lua_pcall(L, 1, 0, -3);
    if (rc != LUA_OK)
        report_failure(w, L, rc);
    w->log = NULL;
    stoppable = NULL;
    close_host(host);
    smcr_event_deinit(&w->ev);
}

int smcr_worker_main(const smcr_run_t *run, smcr_job_t *job, smc_log_copy_t *transcript,
                     size_t size)
{
    worker_t w = {.run = run,
                  .file = &run->plan->files[job->file],
                  .job = job,
                  .transcript = transcript,
                  .transcript_bytes = size};
    run_file(&w);
    (void)fflush(stdout);
    if (w.lost)
        return EXIT_EVENTS_LOST;
#if defined(__SANITIZE_ADDRESS__)
    if (__lsan_do_recoverable_leak_check() != 0)
        return EXIT_LEAKED_MEMORY;
#endif
    return EXIT_OK;
}
