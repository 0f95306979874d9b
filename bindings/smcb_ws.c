/* smc.core.ws: the WebSocket client.
 *
 * The core calls into a heap object, not into the userdata: a connection that the script has lost
 * stays open and is reported as a leak, whenever the collector ran. */
#include "smcb_ws.h"

#include "smc/buf.h"
#include "smc/clock.h"

#include <stdlib.h>
#include <string.h>

#define WS_MT "smc.core.ws"
#define WHO "client"
#define LOGGED_BYTES 500
#define LOGGED_WHOLE 65536 /* beyond it only the beginning is copied for the log */
#define WAIT_MS 30000

struct smcb_ws_conn {
    smcb_resource_t resource; /* first */
    smc_log_t *log;
    smc_ws_t *ws; /* NULL once gone */
    bool boxed;   /* the userdata lives */
    smcb_ws_pending_t *pending;
    smcb_ws_message_t *first, **last; /* received, not yet read; last is NULL while empty */
    size_t queued, max_queue;
    bool paused;
    uint32_t pings;   /* for payloads that nobody chose */
    int64_t heard_ns; /* when something came last */
    smc_error_t err;  /* why it is gone; SMC_ECLOSED after a closing handshake */
    uint16_t code;    /* once gone; 0: was never open */
    char reason[SMC_WS_PAYLOAD_MAX + 1];
    size_t reason_len;
    char protocol[128];
};

typedef struct box {
    smcb_ws_conn_t *conn;
} box_t;

static smcb_ws_conn_t *check_conn(lua_State *L)
{
    return ((box_t *)smcb_self(L, WS_MT))->conn;
}

/* ---- transcript ---------------------------------------------------------- */

static void log_frame(smc_log_t *log, char way, const char *data, size_t n)
{
    smc_buf_t line = {0};

    (void)smc_buf_printf(&line, "%c ", way);
    if (n > LOGGED_WHOLE)
        (void)smc_buf_printf(&line, "[%zu bytes] ", n);
    (void)smc_buf_append(&line, data, n > LOGGED_WHOLE ? LOGGED_WHOLE : n);
    if (!line.failed)
        smc_log_text(log, WHO, line.data, line.len, LOGGED_BYTES);
    smc_buf_deinit(&line);
}

/* ---- life ---------------------------------------------------------------- */

static smcb_ws_message_t *take_message(smcb_ws_conn_t *c)
{
    smcb_ws_message_t *m = c->first;

    if (m == NULL)
        return NULL;
    c->first = m->next;
    if (c->first == NULL)
        c->last = NULL;
    c->queued--;
    if (c->paused && c->ws != NULL && c->queued <= c->max_queue / 2) {
        c->paused = false;
        smc_ws_pause(c->ws, false);
    }
    return m;
}

static void free_if_unused(smcb_ws_conn_t *c)
{
    if (c->boxed || c->ws != NULL)
        return;
    while (c->first != NULL)
        free(take_message(c));
    free(c);
}

static void wake_all(smcb_ws_conn_t *c)
{
    while (c->pending != NULL)
        smcb_ws_pending_fire(c->pending, false, NULL);
}

static void on_close(void *ud, uint16_t code, const char *reason, size_t n, const smc_error_t *err)
{
    smcb_ws_conn_t *c = ud;

    c->ws = NULL;
    c->code = code;
    c->reason_len = n < sizeof(c->reason) ? n : sizeof(c->reason) - 1;
    memcpy(c->reason, reason, c->reason_len);
    if (err != NULL) {
        c->err = *err;
        smc_log_line(c->log, WHO, "< %s: %s", smc_code_text(err->code), err->detail);
    } else {
        (void)smc_fail(&c->err, SMC_ECLOSED, "ws", 0, "the connection was closed with %u%s%s",
                       (unsigned)code, n > 0 ? " " : "", c->reason);
        smc_log_line(c->log, WHO, "< close %u%s%s", (unsigned)code, n > 0 ? " " : "", c->reason);
    }
    smcb_resource_drop(&c->resource);
    wake_all(c);
    free_if_unused(c);
}

static void drop_conn(smcb_ws_conn_t *c, smc_code_t why, const char *what)
{
    smcb_resource_drop(&c->resource);
    if (c->ws == NULL)
        return;
    smc_ws_free(c->ws);
    c->ws = NULL;
    c->code = 1006;
    (void)smc_fail(&c->err, why, "ws", 0, "%s", what);
    smc_log_line(c->log, WHO, "> %s", what);
    wake_all(c);
    free_if_unused(c);
}

/* Without a closing handshake: at the end of the world, of a block, of the task that connects. */
static void abort_conn(smcb_resource_t *r)
{
    drop_conn((smcb_ws_conn_t *)r, SMC_ECANCELED, "the connection was dropped by this side");
}

static int l_abort(lua_State *L)
{
    abort_conn(&check_conn(L)->resource);
    return 0;
}

static int l_gc(lua_State *L)
{
    smcb_ws_conn_t *c = check_conn(L);

    if (c == NULL) /* out of memory in push_new */
        return 0;
    c->boxed = false;
    free_if_unused(c);
    return 0;
}

/* ---- what the core reports ----------------------------------------------- */

static void on_open(void *ud, const char *protocol)
{
    smcb_ws_conn_t *c = ud;
    smcb_ws_pending_t *p = smcb_ws_pending_find(c->pending, SMCB_WS_OPEN);

    c->heard_ns = smc_clock_now_ns();
    (void)snprintf(c->protocol, sizeof(c->protocol), "%s", protocol);
    smc_log_line(c->log, WHO, "< open%s%s", protocol[0] == '\0' ? "" : " ", protocol);
    if (p != NULL)
        smcb_ws_pending_fire(p, true, NULL);
}

static void keep_message(smcb_ws_conn_t *c, smcb_ws_message_t *m)
{
    *(c->last != NULL ? c->last : &c->first) = m;
    c->last = &m->next;
    c->queued++;
    if (!c->paused && c->queued >= c->max_queue) {
        c->paused = true;
        smc_ws_pause(c->ws, true);
    }
}

static void on_message(void *ud, const char *data, size_t n, bool binary)
{
    smcb_ws_conn_t *c = ud;
    smcb_ws_pending_t *p = smcb_ws_pending_find(c->pending, SMCB_WS_READ);
    smcb_ws_message_t *m;

    c->heard_ns = smc_clock_now_ns();
    log_frame(c->log, '<', data, n);
    /* While closing nothing can be paused any more. */
    if (!c->boxed || (p == NULL && c->queued >= c->max_queue))
        return;
    m = malloc(sizeof(*m) + n);
    if (m == NULL) {
        drop_conn(c, SMC_ENOMEM, "out of memory for a message");
        return;
    }
    *m = (smcb_ws_message_t){.n = n, .binary = binary};
    memcpy(m->data, data, n);
    if (p != NULL)
        smcb_ws_pending_fire(p, true, m);
    else
        keep_message(c, m);
}

static void on_pong(void *ud, const char *payload, size_t n)
{
    smcb_ws_conn_t *c = ud;
    smcb_ws_pending_t *p = smcb_ws_pending_find(c->pending, SMCB_WS_PONG);

    c->heard_ns = smc_clock_now_ns();
    smc_log_line(c->log, WHO, "< pong %.*s", (int)n, payload);
    while (p != NULL && (p->n != n || memcmp(p->payload, payload, n) != 0))
        p = smcb_ws_pending_find(p->next, SMCB_WS_PONG);
    if (p != NULL)
        smcb_ws_pending_fire(p, true, NULL);
}

static void on_drain(void *ud)
{
    smcb_ws_conn_t *c = ud;
    smcb_ws_pending_t *p;

    while ((p = smcb_ws_pending_find(c->pending, SMCB_WS_DRAIN)) != NULL)
        smcb_ws_pending_fire(p, true, NULL);
}

/* ---- results ------------------------------------------------------------- */

/* nil, err with err.close_code and err.reason. */
static int push_gone(lua_State *L, const smcb_ws_conn_t *c, const char *op)
{
    smc_error_t err = c->err;
    int n;

    err.op = op;
    n = smcb_push_fail(L, &err);
    lua_pushinteger(L, c->code);
    lua_setfield(L, -2, "close_code");
    lua_pushlstring(L, c->reason, c->reason_len);
    lua_setfield(L, -2, "reason");
    return n;
}

/* For what is asked of a connection that has started to close. */
static int push_closing(lua_State *L, const smcb_ws_conn_t *c, const smc_error_t *err)
{
    return c->ws == NULL ? push_gone(L, c, err->op) : smcb_push_fail(L, err);
}

/* ---- connect ------------------------------------------------------------- */

static void cancel_open(smcb_wait_t *w)
{
    smcb_ws_pending_t *p = w->op;

    smcb_ws_pending_unlink(p);
    abort_conn(&p->conn->resource);
}

enum { BOX_IDX = 3 };

static int finish_open(lua_State *L, smcb_wait_t *w)
{
    const smcb_ws_pending_t *p = w->op;

    if (!p->met)
        return smcb_push_fail(L, &p->conn->err);
    lua_pushvalue(L, BOX_IDX);
    return 1;
}

static smcb_ws_conn_t *push_new(lua_State *L, const char *url)
{
    size_t shown = strcspn(url, "?"); /* a query may hold a secret */
    box_t *box = lua_newuserdatauv(L, sizeof(*box), 0);
    smcb_ws_conn_t *c;

    box->conn = NULL;
    luaL_setmetatable(L, WS_MT);
    c = box->conn = calloc(1, sizeof(*c));
    if (c == NULL)
        return NULL;
    c->boxed = true;
    c->log = smcb_log(L);
    c->resource.kind = "WebSocket";
    c->resource.close = abort_conn;
    if (shown >= sizeof(c->resource.label))
        shown = sizeof(c->resource.label) - 1;
    memcpy(c->resource.label, url, shown);
    return c;
}

static int l_connect(lua_State *L)
{
    size_t n;
    smc_ws_conf_t conf = {.url = luaL_checklstring(L, 1, &n),
                          .on = {on_open, on_message, on_pong, on_drain, on_close}};
    smc_error_t err = {0};
    smcb_ws_pending_t *p;
    smcb_ws_conn_t *c;

    luaL_argcheck(L, strlen(conf.url) == n, 1, "the url holds a NUL");
    lua_settop(L, 2);
    if (lua_isnil(L, 2)) {
        lua_newtable(L);
        lua_replace(L, 2);
    }
    c = push_new(L, conf.url);
    if (c == NULL)
        return luaL_error(L, "ws.connect: out of memory");
    conf.ud = c;
    c->max_queue = smcb_ws_check_conf(L, 2, &conf);
    p = smcb_ws_pending_new(L, c, "ws.connect", SMCB_WS_OPEN, finish_open);
    p->w->cancel = cancel_open;
    smc_log_line(c->log, WHO, "> connect %s", conf.url);
    if (smc_ws_open(smcb_loop(L), &conf, &c->ws, &err) != SMC_OK) {
        smc_log_line(c->log, WHO, "< %s", err.detail);
        return smcb_push_fail(L, &err);
    }
    smcb_resource_add(smcb_host(L), &c->resource);
    return smcb_ws_pending_wait(L, &c->pending, p);
}

/* ---- send ---------------------------------------------------------------- */

enum { SEND_ARGS = 3 };

static int send_or_wait(lua_State *L, smcb_ws_conn_t *c, int64_t since_ns);

/* The stack has room for a few waits, and others may be faster any number of times. */
static int finish_send(lua_State *L, smcb_wait_t *w)
{
    const smcb_ws_pending_t *p = w->op;
    smcb_ws_conn_t *c = p->conn;
    int64_t since_ns = p->start_ns;

    lua_settop(L, SEND_ARGS);
    return send_or_wait(L, c, since_ns);
}

/* What is left of the time that it may take. */
static uint64_t patience_ms(lua_State *L, int64_t since_ns)
{
    uint64_t ms = smcb_field_seconds(L, SEND_ARGS, "timeout", WAIT_MS);
    uint64_t waited_ms = (uint64_t)((smc_clock_now_ns() - since_ns) / 1000000);

    return waited_ms < ms ? ms - waited_ms : 0;
}

/* A full queue makes the sender wait, then try again. */
static int send_or_wait(lua_State *L, smcb_ws_conn_t *c, int64_t since_ns)
{
    bool binary = lua_istable(L, 3) && smcb_ws_field_bool(L, 3, "binary");
    smcb_ws_pending_t *p;
    smc_error_t err = {.op = "ws:send"};
    smc_code_t rc;
    size_t n;
    const char *data = lua_tolstring(L, 2, &n);

    rc = c->ws == NULL ? SMC_ECLOSED : smc_ws_send(c->ws, data, n, binary, &err);
    if (rc == SMC_OK)
        log_frame(c->log, '>', data, n);
    if (rc == SMC_ECLOSED)
        return push_closing(L, c, &err);
    if (rc != SMC_EAGAIN)
        return smcb_result(L, rc, &err);
    p = smcb_ws_pending_new(L, c, "ws:send", SMCB_WS_DRAIN, finish_send);
    p->start_ns = since_ns;
    smcb_wait_deadline(L, p->w, patience_ms(L, since_ns));
    return smcb_ws_pending_wait(L, &c->pending, p);
}

static int l_send(lua_State *L)
{
    static const char *const known[] = {"binary", "timeout", NULL};
    smcb_ws_conn_t *c = check_conn(L);

    luaL_argexpected(L, lua_type(L, 2) == LUA_TSTRING, 2, "string");
    lua_settop(L, SEND_ARGS);
    smcb_check_keys(L, SEND_ARGS, known);
    if (lua_istable(L, 3)) {
        (void)smcb_ws_field_bool(L, 3, "binary");
        (void)smcb_field_seconds(L, 3, "timeout", WAIT_MS);
    }
    return send_or_wait(L, c, smc_clock_now_ns());
}

/* ---- recv ---------------------------------------------------------------- */

static int push_message(lua_State *L, const smcb_ws_message_t *m)
{
    lua_createtable(L, 0, 2);
    lua_pushlstring(L, m->data, m->n);
    lua_setfield(L, -2, "data");
    lua_pushboolean(L, m->binary);
    lua_setfield(L, -2, "binary");
    return 1;
}

static int finish_recv(lua_State *L, smcb_wait_t *w)
{
    const smcb_ws_pending_t *p = w->op;

    if (!p->met)
        return push_gone(L, p->conn, "ws:recv");
    return push_message(L, w->result);
}

static int l_recv(lua_State *L)
{
    smcb_ws_conn_t *c = check_conn(L);
    uint64_t ms = lua_isnoneornil(L, 2) ? WAIT_MS : smcb_check_seconds(L, 2);

    if (c->first == NULL && c->ws == NULL)
        return push_gone(L, c, "ws:recv");
    if (c->first == NULL) {
        smcb_ws_pending_t *p = smcb_ws_pending_new(L, c, "ws:recv", SMCB_WS_READ, finish_recv);
        smcb_wait_deadline(L, p->w, ms);
        return smcb_ws_pending_wait(L, &c->pending, p);
    }
    /* Pushed while it is still queued: pushing may raise for want of memory. */
    (void)push_message(L, c->first);
    free(take_message(c));
    return 1;
}

/* ---- ping ---------------------------------------------------------------- */

static int finish_ping(lua_State *L, smcb_wait_t *w)
{
    const smcb_ws_pending_t *p = w->op;

    if (!p->met)
        return push_gone(L, p->conn, "ws:ping");
    lua_pushnumber(L, (lua_Number)p->elapsed_ns / 1e9);
    return 1;
}

static int l_ping(lua_State *L)
{
    smcb_ws_conn_t *c = check_conn(L);
    uint64_t ms = lua_isnoneornil(L, 3) ? WAIT_MS : smcb_check_seconds(L, 3);
    smcb_ws_pending_t *p;
    smc_error_t err = {.op = "ws:ping"};
    smc_code_t rc = SMC_ECLOSED;
    const char *payload;
    size_t n;

    if (lua_isnoneornil(L, 2)) {
        lua_settop(L, 1);
        lua_pushfstring(L, "smcrun %d", (int)++c->pings);
    }
    payload = luaL_checklstring(L, 2, &n);
    luaL_argcheck(L, n <= SMC_WS_PAYLOAD_MAX, 2, "a ping carries at most 125 bytes");
    p = smcb_ws_pending_new(L, c, "ws:ping", SMCB_WS_PONG, finish_ping);
    if (c->ws != NULL)
        rc = smc_ws_ping(c->ws, payload, n, &err);
    if (rc == SMC_ECLOSED)
        return push_closing(L, c, &err);
    if (rc != SMC_OK)
        return smcb_push_fail(L, &err);
    smc_log_line(c->log, WHO, "> ping %.*s", (int)n, payload);
    memcpy(p->payload, payload, n);
    p->n = n;
    smcb_wait_deadline(L, p->w, ms);
    return smcb_ws_pending_wait(L, &c->pending, p);
}

/* ---- close --------------------------------------------------------------- */

static int push_close_code(lua_State *L, const smcb_ws_conn_t *c)
{
    if (c->err.code != SMC_ECLOSED)
        return push_gone(L, c, "ws:close");
    lua_pushinteger(L, c->code);
    lua_pushlstring(L, c->reason, c->reason_len);
    return 2;
}

static int finish_close(lua_State *L, smcb_wait_t *w)
{
    return push_close_code(L, ((smcb_ws_pending_t *)w->op)->conn);
}

static int l_close(lua_State *L)
{
    smcb_ws_conn_t *c = check_conn(L);
    lua_Integer code = luaL_optinteger(L, 2, 1000);
    smcb_ws_pending_t *p;
    smc_error_t err = {0};
    smc_code_t rc;
    size_t n;
    const char *reason = luaL_optlstring(L, 3, "", &n);

    luaL_argcheck(L, code >= 1000 && code <= 4999, 2, "a close code is 1000..4999");
    if (c->ws == NULL)
        return push_close_code(L, c);
    p = smcb_ws_pending_new(L, c, "ws:close", SMCB_WS_CLOSE, finish_close);
    rc = smc_ws_close(c->ws, (uint16_t)code, reason, n, &err);
    luaL_argcheck(L, rc != SMC_EINVAL, 2,
                  "the code may not be sent, or the reason is longer than 123 bytes");
    if (rc == SMC_OK)
        smc_log_line(c->log, WHO, "> close %u%s%s", (unsigned)code, n > 0 ? " " : "", reason);
    /* Already closing: waits for that. */
    if (rc != SMC_OK && rc != SMC_ECLOSED)
        return smcb_push_fail(L, &err);
    return smcb_ws_pending_wait(L, &c->pending, p);
}

/* ---- module -------------------------------------------------------------- */

/* Upvalue 1: the methods. */
/* As smc.now(): whole microseconds. */
static lua_Number seconds_of(int64_t ns)
{
    int64_t us = ns / 1000;

    return (lua_Number)us / 1e6;
}

static int l_index(lua_State *L)
{
    const smcb_ws_conn_t *c = check_conn(L);
    const char *name = luaL_checkstring(L, 2);

    if (strcmp(name, "is_open") == 0)
        lua_pushboolean(L, c->ws != NULL);
    else if (strcmp(name, "heard") == 0)
        lua_pushnumber(L, seconds_of(c->heard_ns));
    else if (strcmp(name, "protocol") == 0)
        lua_pushstring(L, c->protocol);
    else if (strcmp(name, "close_code") == 0 && c->ws == NULL)
        lua_pushinteger(L, c->code);
    else if (strcmp(name, "close_code") == 0)
        lua_pushnil(L);
    else if (lua_getfield(L, lua_upvalueindex(1), name) == LUA_TNIL)
        return luaL_error(L, "a WebSocket has no field '%s'", name);
    return 1;
}

static int l_tostring(lua_State *L)
{
    const smcb_ws_conn_t *c = check_conn(L);

    lua_pushfstring(L, "WebSocket %s%s", c->resource.label, c->ws == NULL ? " (closed)" : "");
    return 1;
}

int smcb_open_ws(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"send", l_send}, {"recv", l_recv}, {"ping", l_ping}, {"close", l_close}, {NULL, NULL}};
    static const luaL_Reg meta[] = {
        {"__gc", l_gc}, {"__close", l_abort}, {"__tostring", l_tostring}, {NULL, NULL}};
    static const luaL_Reg functions[] = {{"connect", l_connect}, {NULL, NULL}};

    luaL_newmetatable(L, WS_MT);
    luaL_setfuncs(L, meta, 0);
    luaL_newlib(L, methods);
    lua_pushcclosure(L, l_index, 1);
    lua_setfield(L, -2, "__index");
    lua_pushliteral(L, WS_MT);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
    luaL_newlib(L, functions);
    return 1;
}
