#include "smc/redis.h"

#include "loop_priv.h"
#include "redis_place_priv.h"
#include "sha1_priv.h"

#include "smc/clock.h"

#include <hiredis/async.h>
#include <hiredis/hiredis.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OP "redis"

enum { SHA_TEXT = 2 * SMC_SHA1_BYTES + 1, FIXED_ARGS = 4 };

/* hiredis on the loop.  Outlives the connection until libuv has closed the handle. */
typedef struct link {
    uv_poll_t poll;
    smc_loop_t *loop;
    redisAsyncContext *ac; /* NULL once hiredis is done with it */
    int events;
} link_t;

struct smc_redis {
    smc_loop_t *loop;
    redis_place_t place;
    redisAsyncContext *ac; /* NULL: not connected */
    char refused[120];     /* what the server has said to user and password */
    const char *text;      /* of the script that was run last */
    char sha[SHA_TEXT];
    smc_redis_call_t *first;
    bool closing;
};

struct smc_redis_call {
    smc_redis_t *redis;
    smc_redis_cb cb; /* NULL: forgotten */
    void *ud;
    const char *text;
    const char **argv; /* EVAL or EVALSHA, script, 1, key, arguments; the copies lie behind */
    size_t argc;
    smc_timer_t *timer;
    struct smc_redis_call *next, **link;
};

/* ---- the loop --------------------------------------------------------------- */

static void on_ready(uv_poll_t *handle, int status, int events)
{
    link_t *l = handle->data;
    smc_loop_progress(l->loop);
    if (status != 0)
        events = UV_READABLE | UV_WRITABLE; /* hiredis finds out what is wrong */
    if (l->ac != NULL && (events & UV_READABLE) != 0)
        redisAsyncHandleRead(l->ac);
    if (l->ac != NULL && (events & UV_WRITABLE) != 0)
        redisAsyncHandleWrite(l->ac);
}

static void want(link_t *l, int events)
{
    l->events = events;
    if (events != 0)
        (void)uv_poll_start(&l->poll, events, on_ready);
    else
        (void)uv_poll_stop(&l->poll);
}

static void add_read(void *ud)
{
    link_t *l = ud;
    want(l, l->events | UV_READABLE);
}

static void del_read(void *ud)
{
    link_t *l = ud;
    want(l, l->events & ~UV_READABLE);
}

static void add_write(void *ud)
{
    link_t *l = ud;
    want(l, l->events | UV_WRITABLE);
}

static void del_write(void *ud)
{
    link_t *l = ud;
    want(l, l->events & ~UV_WRITABLE);
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void clean_up(void *ud)
{
    link_t *l = ud;
    l->ac = NULL;
    uv_close((uv_handle_t *)&l->poll, on_closed);
}

static bool attach(redisAsyncContext *ac, smc_loop_t *loop)
{
    link_t *l = calloc(1, sizeof(*l));
    if (l == NULL)
        return false;
    if (uv_poll_init(smc_loop_uv(loop), &l->poll, ac->c.fd) != 0) {
        free(l);
        return false;
    }
    l->poll.data = l;
    l->loop = loop;
    l->ac = ac;
    ac->ev.data = l;
    ac->ev.addRead = add_read;
    ac->ev.delRead = del_read;
    ac->ev.addWrite = add_write;
    ac->ev.delWrite = del_write;
    ac->ev.cleanup = clean_up;
    return true;
}

/* ---- the connection ----------------------------------------------------------- */

/* hiredis frees the context after both of these. */
static void on_connected(const redisAsyncContext *ac, int status)
{
    smc_redis_t *r = ac->data;
    if (status != REDIS_OK && r->ac == ac)
        r->ac = NULL;
}

static void on_disconnected(const redisAsyncContext *ac, int status)
{
    smc_redis_t *r = ac->data;
    (void)status;
    if (r->ac == ac)
        r->ac = NULL;
}

static void drop(smc_redis_t *r)
{
    redisAsyncContext *ac = r->ac;
    r->ac = NULL;
    if (ac != NULL)
        redisAsyncFree(ac); /* every call on it gets an empty reply */
}

static void on_said_who(redisAsyncContext *ac, void *reply_, void *ud)
{
    const redisReply *reply = reply_;
    smc_redis_t *r = ud;
    if (reply == NULL || reply->type != REDIS_REPLY_ERROR || r->ac != ac)
        return;
    (void)snprintf(r->refused, sizeof(r->refused), "%.110s", reply->str);
    r->ac = NULL;
    redisAsyncFree(ac); /* or it would go on as the default user, who may do it, too */
}

static void say_who(smc_redis_t *r)
{
    size_t lengths[3] = {4, 0, 0}, n = 1;
    const char *words[3] = {"AUTH"};
    if (r->place.password == NULL)
        return;
    if (r->place.user[0] != '\0') {
        words[n] = r->place.user;
        lengths[n++] = strlen(r->place.user);
    }
    words[n] = smc_secret_borrow(r->place.password, &lengths[n]);
    n++;
    (void)redisAsyncCommandArgv(r->ac, on_said_who, r, (int)n, words, lengths);
}

static smc_code_t connect_now(smc_redis_t *r, smc_error_t *err)
{
    redisAsyncContext *ac = r->place.port == 0 ? redisAsyncConnectUnix(r->place.host)
                                               : redisAsyncConnect(r->place.host, r->place.port);
    if (ac == NULL)
        return smc_fail(err, SMC_ENOMEM, OP, 0, "out of memory");
    ac->data = r;
    if (ac->err != 0 || !attach(ac, r->loop)) {
        smc_code_t rc = smc_fail(err, SMC_ECONN, OP, 0, "cannot connect to %.100s: %.60s",
                                 r->place.host, ac->errstr != NULL ? ac->errstr : "out of memory");
        redisAsyncFree(ac);
        return rc;
    }
    (void)redisAsyncSetConnectCallback(ac, on_connected);
    (void)redisAsyncSetDisconnectCallback(ac, on_disconnected);
    r->ac = ac;
    r->refused[0] = '\0';
    say_who(r);
    if (r->place.db != 0)
        (void)redisAsyncCommand(ac, NULL, NULL, "SELECT %d", r->place.db);
    return SMC_OK;
}

/* ---- calls ----------------------------------------------------------------------- */

static void free_call(smc_redis_call_t *call)
{
    smc_timer_cancel(call->timer);
    *call->link = call->next;
    if (call->next != NULL)
        call->next->link = call->link;
    free(call->argv);
    free(call);
}

static void finish(smc_redis_call_t *call, const smc_error_t *err, const int64_t *values, size_t n)
{
    smc_redis_cb cb = call->redis->closing ? NULL : call->cb;
    void *ud = call->ud;
    free_call(call);
    if (cb != NULL)
        cb(ud, err, values, n);
}

static void give_integers(smc_redis_call_t *call, const redisReply *reply)
{
    enum { MOST = 64 };
    int64_t values[MOST];
    smc_error_t err = {0};
    bool fine = reply->type == REDIS_REPLY_ARRAY && reply->elements <= MOST;
    for (size_t i = 0; fine && i < reply->elements; i++) {
        fine = reply->element[i]->type == REDIS_REPLY_INTEGER;
        values[i] = reply->element[i]->integer;
    }
    if (!fine) {
        (void)smc_fail(&err, SMC_EPROTO, OP, 0, "the script's answer is no list of numbers");
        finish(call, &err, NULL, 0);
        return;
    }
    finish(call, NULL, values, reply->elements);
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* Why a call was lost with its connection. */
static void lost(const smc_redis_t *r, const redisAsyncContext *ac, smc_error_t *err)
{
    const char *why = ac->errstr != NULL && ac->errstr[0] != '\0' ? ac->errstr : "closed";
    bool connected = (ac->c.flags & REDIS_CONNECTED) != 0;
    if (r->refused[0] != '\0')
        (void)smc_fail(err, SMC_EKEY, OP, 0, "%.80s: %s", r->place.host, r->refused);
    else
        (void)smc_fail(err, connected ? SMC_ERESET : SMC_ECONN, OP, 0, "%.100s: %.80s",
                       r->place.host, why);
}

static smc_code_t code_of(const char *said)
{
    if (begins(said, "OTHER "))
        return SMC_EINVAL;
    bool not_allowed = begins(said, "NOAUTH") || begins(said, "NOPERM") ||
                       strstr(said, "unauthenticated") != NULL; /* of commands as long as ours */
    return not_allowed ? SMC_EKEY : SMC_ERESET;
}

static void on_reply(redisAsyncContext *ac, void *reply_, void *ud)
{
    const redisReply *reply = reply_;
    smc_redis_call_t *call = ud;
    smc_error_t err = {0};
    if (reply == NULL) {
        lost(call->redis, ac, &err);
    } else if (reply->type != REDIS_REPLY_ERROR) {
        give_integers(call, reply);
        return;
    } else if (begins(reply->str, "NOSCRIPT") && call->argv[1] == call->redis->sha) {
        call->argv[0] = "EVAL";
        call->argv[1] = call->text;
        if (redisAsyncCommandArgv(ac, on_reply, call, (int)call->argc, call->argv, NULL) ==
            REDIS_OK)
            return;
        (void)smc_fail(&err, SMC_ERESET, OP, 0, "%.100s: closed", call->redis->place.host);
    } else {
        smc_code_t code = code_of(reply->str);
        (void)smc_fail(&err, code, OP, 0, "%.190s", reply->str + (code == SMC_EINVAL ? 6 : 0));
    }
    finish(call, &err, NULL, 0);
}

/* Its connection is no good any more: whatever else waits on it is told so. */
static void on_timeout(void *ud)
{
    smc_redis_call_t *call = ud;
    smc_redis_t *r = call->redis;
    smc_redis_cb cb = call->cb;
    void *cb_ud = call->ud;
    smc_error_t err = {0};
    call->timer = NULL;
    call->cb = NULL;
    (void)smc_fail(&err, SMC_ETIMEDOUT, OP, 0, "%.100s does not answer", r->place.host);
    drop(r);
    if (cb != NULL)
        cb(cb_ud, &err, NULL, 0);
}

/* What Redis calls a script; reckoned once, for it is as long as a page. */
static const char *sha_of(smc_redis_t *r, const char *text)
{
    uint8_t digest[SMC_SHA1_BYTES];
    if (text == r->text)
        return r->sha;
    smc_sha1(text, strlen(text), digest);
    for (int i = 0; i < SMC_SHA1_BYTES; i++)
        (void)snprintf(r->sha + (ptrdiff_t)2 * i, 3, "%02x", digest[i]);
    r->text = text;
    return r->sha;
}

static smc_redis_call_t *new_call(smc_redis_t *r, const smc_redis_script_t *s)
{
    size_t bytes = 0, argc = FIXED_ARGS + s->n_args, room = argc * sizeof(char *);
    smc_redis_call_t *call = calloc(1, sizeof(*call));
    for (size_t i = 0; i < s->n_args; i++)
        bytes += strlen(s->args[i]) + 1;
    const char **argv = malloc(room + bytes + strlen(s->key) + 1);
    if (call == NULL || argv == NULL) {
        free(call);
        free(argv);
        return NULL;
    }
    char *copy = (char *)argv + room;
    argv[0] = "EVALSHA";
    argv[1] = sha_of(r, s->text);
    argv[2] = "1";
    for (size_t i = 3; i < argc; i++) {
        const char *from = i == 3 ? s->key : s->args[i - FIXED_ARGS];
        size_t n = strlen(from) + 1;
        argv[i] = memcpy(copy, from, n);
        copy += n;
    }
    call->redis = r;
    call->text = s->text;
    call->argv = argv;
    call->argc = argc;
    return call;
}

smc_code_t smc_redis_eval(smc_redis_t *r, const smc_redis_script_t *script, smc_redis_cb cb,
                          void *ud, smc_redis_call_t **out, smc_error_t *err)
{
    smc_code_t rc = r->ac == NULL ? connect_now(r, err) : SMC_OK;
    if (rc != SMC_OK)
        return rc;
    smc_redis_call_t *call = new_call(r, script);
    if (call == NULL)
        return smc_fail(err, SMC_ENOMEM, OP, 0, "out of memory");
    call->cb = cb;
    call->ud = ud;
    call->next = r->first;
    call->link = &r->first;
    if (r->first != NULL)
        r->first->link = &call->next;
    r->first = call;
    rc = smc_timer_start(r->loop, script->timeout_ms, on_timeout, call, &call->timer, err);
    if (rc == SMC_OK &&
        redisAsyncCommandArgv(r->ac, on_reply, call, (int)call->argc, call->argv, NULL) != REDIS_OK)
        rc = smc_fail(err, SMC_ERESET, OP, 0, "%.100s: closed", r->place.host);
    if (rc != SMC_OK) {
        free_call(call);
        return rc;
    }
    *out = call;
    return SMC_OK;
}

void smc_redis_forget(smc_redis_call_t *call)
{
    call->cb = NULL;
}

/* ---- life ---------------------------------------------------------------------- */

smc_code_t smc_redis_open(smc_loop_t *loop, const smc_redis_conf_t *conf, smc_redis_t **out,
                          smc_error_t *err)
{
    if (smc_clock_is_virtual())
        return smc_fail(err, SMC_EPOLICY, OP, 0,
                        "redis needs --clock real: a server outside of this run answers at times "
                        "that no seed repeats");
    smc_redis_t *r = calloc(1, sizeof(*r));
    if (r == NULL)
        return smc_fail(err, SMC_ENOMEM, OP, 0, "out of memory");
    r->loop = loop;
    smc_code_t rc = redis_place_read(conf, &r->place, err);
    if (rc == SMC_OK) {
        *out = r;
        return SMC_OK;
    }
    redis_place_deinit(&r->place);
    free(r);
    return rc;
}

void smc_redis_close(smc_redis_t *r)
{
    if (r == NULL)
        return;
    r->closing = true;
    drop(r);
    for (smc_redis_call_t *call = r->first, *next; call != NULL; call = next) {
        next = call->next;
        free_call(call);
    }
    redis_place_deinit(&r->place);
    free(r);
}
