/* smc.core.http.stream: replies whose body is read piece by piece.
 *
 * The userdata is anchored from the start of the request until it is closed, since the core calls into it. */
#include "smcb_http.h"

#include "smc/buf.h"

#include <string.h>

#define STREAM_MT "smc.core.http.stream"
/* Unread bytes of a stream: a reader that has stopped must not eat the memory of the run. */
#define BACKLOG_MAX ((size_t)16 << 20)

enum { UV_HEAD = 1, UV_COUNT = 1 };

typedef struct stream {
    smcb_resource_t resource;
    smcb_host_t *host;
    lua_State *L;                 /* main state */
    smc_http_call_t *call;        /* NULL once ended */
    const smc_http_reply_t *head; /* borrowed from the call, later from `reply` */
    smc_http_reply_t *reply;      /* once ended */
    smcb_wait_t *reader;          /* waits for the head, later for bytes */
    smc_buf_t unread;
    smc_error_t err; /* why it ended, if not by its own end */
    bool sent;
    bool closed;
} stream_t;

/* ---- callbacks of the core ---------------------------------------------- */

static void wake(stream_t *s)
{
    smcb_wait_t *w = s->reader;

    s->reader = NULL;
    if (w != NULL)
        smcb_wait_fire(w, NULL, NULL, NULL);
}

static void on_head(void *ud, const smc_http_reply_t *head)
{
    stream_t *s = ud;

    s->head = head;
    s->sent = true;
    wake(s);
}

static void on_body(void *ud, const char *bytes, size_t n)
{
    stream_t *s = ud;

    if (s->unread.len + n > BACKLOG_MAX)
        (void)smc_fail(&s->err, SMC_ETOOBIG, "http.stream", 0,
                       "more than %zu bytes of the stream were not read", BACKLOG_MAX);
    else if (smc_buf_append(&s->unread, bytes, n) != SMC_OK)
        (void)smc_fail(&s->err, SMC_ENOMEM, "http.stream", 0, "out of memory");
    if (s->err.code != SMC_OK) {
        s->head = NULL; /* goes with the call */
        smc_http_cancel(s->call);
        s->call = NULL;
    }
    wake(s);
}

static void on_done(void *ud, smc_http_reply_t *reply)
{
    stream_t *s = ud;

    s->call = NULL;
    s->reply = reply;
    s->err = reply->err;
    s->sent = reply->sent;
    wake(s);
}

/* ---- close -------------------------------------------------------------- */

static void close_stream(smcb_resource_t *r)
{
    stream_t *s = (stream_t *)r;

    if (s->closed)
        return;
    s->closed = true;
    smcb_resource_drop(r);
    smc_http_cancel(s->call);
    s->call = NULL;
    smc_http_reply_free(s->reply);
    s->reply = NULL;
    s->head = NULL;
    smc_buf_deinit(&s->unread);
    if (s->reader != NULL)
        (void)smc_fail(&s->err, SMC_ECANCELED, "http.stream", 0, "the stream was closed");
    wake(s);
    smcb_unanchor(s->L, s);
}

static int l_close(lua_State *L)
{
    close_stream(smcb_self(L, STREAM_MT));
    return 0;
}

/* ---- open --------------------------------------------------------------- */

static void cancel_open(smcb_wait_t *w)
{
    stream_t *s = w->op;

    s->reader = NULL;
    close_stream(&s->resource);
}

static int finish_open(lua_State *L, smcb_wait_t *w)
{
    stream_t *s = w->op;
    smc_error_t err = s->err;
    bool sent = s->sent;

    if (s->head == NULL) {
        if (s->reply != NULL)
            smcb_http_log_reply(L, s->reply);
        close_stream(&s->resource);
        return smcb_http_fail(L, &err, sent);
    }
    smc_log_line(smcb_log(L), "client", "< %d (stream)", s->head->status);
    (void)smcb_push_anchored(L, s);
    smcb_http_push_head(L, s->head, true);
    (void)lua_setiuservalue(L, -2, UV_HEAD);
    return 1;
}

static stream_t *push_new(lua_State *L, const char *url)
{
    stream_t *s = lua_newuserdatauv(L, sizeof(*s), UV_COUNT);
    size_t shown = strcspn(url, "?"); /* a query may hold a signature */

    memset(s, 0, sizeof(*s));
    s->host = smcb_host(L);
    s->closed = true; /* until it is anchored */
    s->resource.kind = "HTTP stream";
    s->resource.close = close_stream;
    if (shown >= sizeof(s->resource.label))
        shown = sizeof(s->resource.label) - 1;
    memcpy(s->resource.label, url, shown);
    luaL_setmetatable(L, STREAM_MT);
    (void)lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
    s->L = lua_tothread(L, -1);
    lua_pop(L, 1);
    return s;
}

static int l_stream(lua_State *L)
{
    smc_http_request_t req = smcb_http_check_request(L);
    smcb_wait_t *w = smcb_wait_new(L, "http.stream", finish_open);
    smc_error_t err = {0};
    stream_t *s = push_new(L, req.url);

    req.on_head = on_head;
    req.on_body = on_body;
    smcb_anchor(L, -1, s);
    smcb_http_log_request(L, &req);
    if (smc_http_start(smcb_loop(L), &req, on_done, s, &s->call, &err) != SMC_OK) {
        smc_log_line(smcb_log(L), "client", "< %s", err.detail);
        smcb_unanchor(L, s);
        return smcb_http_fail(L, &err, false);
    }
    s->closed = false;
    smcb_resource_add(s->host, &s->resource);
    s->reader = w;
    w->op = s;
    w->cancel = cancel_open;
    return smcb_wait_yield(L, w);
}

/* ---- read --------------------------------------------------------------- */

/* Pushes what there is: bytes, the end (nil), or why it ended (nil, err).  0: nothing yet. */
static int push_next(lua_State *L, stream_t *s)
{
    if (s->unread.len > 0) {
        smc_log_text(smcb_log(L), "client", s->unread.data, s->unread.len, 2000);
        lua_pushlstring(L, s->unread.data, s->unread.len);
        smc_buf_clear(&s->unread);
        return 1;
    }
    if (s->call != NULL)
        return 0;
    close_stream(&s->resource);
    if (s->err.code != SMC_OK)
        return smcb_http_fail(L, &s->err, s->sent);
    lua_pushnil(L);
    return 1;
}

static void cancel_recv(smcb_wait_t *w)
{
    ((stream_t *)w->op)->reader = NULL;
}

static int finish_recv(lua_State *L, smcb_wait_t *w)
{
    return push_next(L, w->op);
}

static int l_recv(lua_State *L)
{
    stream_t *s = smcb_self(L, STREAM_MT);
    uint64_t ms = lua_isnoneornil(L, 2) ? 30000 : smcb_check_seconds(L, 2);
    smcb_wait_t *w;
    int n;

    if (s->reader != NULL)
        return luaL_error(L, "another task waits for this stream already");
    n = push_next(L, s);
    if (n > 0)
        return n;
    w = smcb_wait_new(L, "http.stream:recv", finish_recv);
    w->op = s;
    w->cancel = cancel_recv;
    smcb_wait_deadline(L, w, ms);
    s->reader = w;
    return smcb_wait_yield(L, w);
}

/* ---- metatable ---------------------------------------------------------- */

static const luaL_Reg methods[] = {
    {"recv", l_recv},
    {"close", l_close},
    {NULL, NULL},
};

/* Upvalue 1: the methods.  Everything else is looked up in the head. */
static int l_index(lua_State *L)
{
    (void)luaL_checkudata(L, 1, STREAM_MT);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL)
        return 1;
    (void)lua_getiuservalue(L, 1, UV_HEAD);
    lua_pushvalue(L, 2);
    (void)lua_rawget(L, -2);
    return 1;
}

static int l_tostring(lua_State *L)
{
    const stream_t *s = luaL_checkudata(L, 1, STREAM_MT);

    lua_pushfstring(L, "HTTP stream %s%s", s->resource.label, s->closed ? " (closed)" : "");
    return 1;
}

void smcb_http_push_stream(lua_State *L)
{
    static const luaL_Reg meta[] = {
        {"__gc", l_close},
        {"__close", l_close},
        {"__tostring", l_tostring},
        {NULL, NULL},
    };

    luaL_newmetatable(L, STREAM_MT);
    luaL_setfuncs(L, meta, 0);
    luaL_newlib(L, methods);
    lua_pushcclosure(L, l_index, 1);
    lua_setfield(L, -2, "__index");
    lua_pushliteral(L, STREAM_MT);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
    lua_pushcfunction(L, l_stream);
}
