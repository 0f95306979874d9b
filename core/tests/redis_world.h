/* redis_world.h - a Redis of the test's own on a socket in a folder of its own, and calls that are waited for.
 *
 * The server is the program redis-check-rdb, called redis-server: it is one program, and does what its name says.  So
 * Debian's redis-tools will do; the package redis-server would start one of the machine's own. */
#ifndef SMC_TESTS_REDIS_WORLD_H
#define SMC_TESTS_REDIS_WORLD_H

#include "smc/budget_script.h"
#include "smc/limiter.h"
#include "smc/redis.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct redis_world {
    char dir[64], place[96], log[96];
    struct {
        const char *name, *password, *keys; /* password: its rule in Redis' ACL */
    } user;                                 /* name NULL: anybody may; else nobody else may */
    pid_t pid;
} redis_world_t;

/* A socket of one's own; -1: nobody listens. */
static inline int redis_connect(const redis_world_t *w)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    (void)snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", w->place + 7);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

static inline bool redis_listens(const redis_world_t *w)
{
    int fd = redis_connect(w);
    if (fd >= 0)
        (void)close(fd);
    return fd >= 0;
}

static inline void redis_be(const redis_world_t *w)
{
    bool open = w->user.name == NULL;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)execlp("redis-check-rdb", "redis-server", "--port", "0", "--unixsocket", w->place + 7,
                 "--save", "", "--appendonly", "no", "--dir", w->dir, "--logfile", w->log, "--user",
                 "default", open ? "on" : "off", "nopass", "~*", "+@all", "--user",
                 open ? "nobody" : w->user.name, open ? "off" : "on",
                 open ? "nopass" : w->user.password, open ? "~*" : w->user.keys, "+@all",
                 (char *)NULL);
    _exit(127);
}

static inline void redis_start(redis_world_t *w)
{
    int status = 0;
    w->pid = fork();
    assert_true(w->pid >= 0);
    if (w->pid == 0)
        redis_be(w);
    while (!redis_listens(w)) {
        assert_int_equal(waitpid(w->pid, &status, WNOHANG), 0);
        (void)usleep(1000);
    }
}

static inline void redis_stop(redis_world_t *w)
{
    if (w->pid <= 0)
        return;
    (void)kill(w->pid, SIGKILL);
    (void)waitpid(w->pid, NULL, 0);
    w->pid = 0;
    (void)unlink(w->place + 7);
}

/* As the operator names the place. */
static inline smc_code_t redis_open(const redis_world_t *w, smc_loop_t *loop, smc_redis_t **out)
{
    smc_redis_conf_t conf = {.place = w->place, .named = true};
    return smc_redis_open(loop, &conf, out, NULL);
}

static inline bool redis_is_here(void)
{
    return system("command -v redis-check-rdb >/dev/null") == 0;
}

/* Skips the program when there is no Redis. */
static inline void redis_world_open(redis_world_t *w)
{
    if (!redis_is_here()) {
        (void)fprintf(stderr, "skipped: redis-tools is not installed\n");
        exit(77);
    }
    (void)signal(SIGPIPE, SIG_IGN);
    (void)snprintf(w->dir, sizeof(w->dir), "/tmp/smcrun-redis-XXXXXX");
    if (mkdtemp(w->dir) == NULL)
        exit(1);
    (void)snprintf(w->place, sizeof(w->place), "unix://%s/socket", w->dir);
    (void)snprintf(w->log, sizeof(w->log), "%s/log", w->dir);
}

static inline void redis_world_close(redis_world_t *w)
{
    redis_stop(w);
    (void)unlink(w->log);
    (void)rmdir(w->dir);
}

/* ---- calls ---------------------------------------------------------------------- */

enum { ANSWER_MAX = 64, WORD = 24 };

typedef struct answer {
    bool done;
    smc_error_t err; /* .code SMC_OK: fine */
    int64_t values[ANSWER_MAX];
    size_t n;
} answer_t;

static inline void on_answer(void *ud, const smc_error_t *err, const int64_t *values, size_t n)
{
    answer_t *a = ud;
    a->done = true;
    a->n = n;
    if (err != NULL)
        a->err = *err;
    else
        memcpy(a->values, values, n * sizeof(*values));
}

/* The command's words. */
typedef struct command {
    char words[4 + 5 * SMC_LIMITER_BUDGETS][WORD];
    const char *args[4 + 5 * SMC_LIMITER_BUDGETS];
    size_t n;
} command_t;

static inline void add_word(command_t *c, const char *word)
{
    (void)snprintf(c->words[c->n], WORD, "%s", word);
    c->n++;
}

/* Valid as long as the command stays where it is. */
static inline const char *const *args_of(command_t *c)
{
    for (size_t i = 0; i < c->n; i++)
        c->args[i] = c->words[i];
    return c->args;
}

static inline void add_number(command_t *c, uint64_t number)
{
    char word[WORD];
    (void)snprintf(word, sizeof(word), "%llu", (unsigned long long)number);
    add_word(c, word);
}

/* now: UINT64_MAX for the clock of Redis. */
static inline command_t command_of(const char *what, uint64_t now, const smc_budget_conf_t *conf,
                                   uint32_t n)
{
    command_t c = {.n = 0};
    add_word(&c, what);
    if (now == UINT64_MAX)
        add_word(&c, "");
    else
        add_number(&c, now);
    add_word(&c, "names");
    add_number(&c, n);
    for (uint32_t i = 0; i < n; i++) {
        add_word(&c, conf[i].kind == SMC_BUDGET_WINDOW ? "w" : "b");
        add_number(&c, conf[i].limit);
        add_number(&c, conf[i].refill);
        add_number(&c, conf[i].period_ms);
    }
    return c;
}

static inline answer_t ask_redis(smc_loop_t *loop, smc_redis_t *r, const char *key, command_t *c,
                                 uint64_t timeout_ms)
{
    answer_t a = {.done = false};
    smc_redis_call_t *call = NULL;
    smc_redis_script_t script = {.text = smc_budget_script(),
                                 .key = key,
                                 .args = args_of(c),
                                 .n_args = c->n,
                                 .timeout_ms = timeout_ms};
    if (smc_redis_eval(r, &script, on_answer, &a, &call, &a.err) != SMC_OK)
        return a;
    while (!a.done)
        (void)smc_loop_turn(loop, true);
    return a;
}

#endif /* SMC_TESTS_REDIS_WORLD_H */
