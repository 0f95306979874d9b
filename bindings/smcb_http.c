/* smc.core.http: requests whose whole reply is waited for, and what streams share with them. */
#include "smcb_http.h"

#include "smcb_sign.h"

#include <math.h>
#include <string.h>

#define DEFAULT_TIMEOUT_MS 30000
#define LOGGED_BODY 2000
#define WHO "client"

/* ---- the request table -------------------------------------------------- */

/* The field stays on the stack's table, so the text stays valid as long as the table does. */
static const char *field_text(lua_State *L, const char *name, const char *missing, size_t *n)
{
    const char *text = missing;
    int type = lua_getfield(L, 1, name);

    if (type == LUA_TSTRING)
        text = lua_tolstring(L, -1, n);
    else if (type != LUA_TNIL)
        (void)luaL_error(L, "option '%s' must be a string", name);
    lua_pop(L, 1);
    return text;
}

/* For what goes to the core as a C string. */
static const char *field_word(lua_State *L, const char *name, const char *missing)
{
    size_t n = 0;
    const char *text = field_text(L, name, missing, &n);

    if (text == NULL || (text != missing && strlen(text) != n)) {
        (void)luaL_error(L, "option '%s' must be a string without NUL", name);
        return ""; /* not reached */
    }
    return text;
}

static size_t field_max_body(lua_State *L)
{
    lua_Integer n = 0;

    if (lua_getfield(L, 1, "max_body") != LUA_TNIL) {
        if (!lua_isinteger(L, -1) || lua_tointeger(L, -1) < 1)
            (void)luaL_error(L, "option 'max_body' must be a positive integer");
        n = lua_tointeger(L, -1);
    }
    lua_pop(L, 1);
    return (size_t)n;
}

static const char *pair_text(lua_State *L, int pair, int part, size_t *n)
{
    const char *text;

    if (lua_rawgeti(L, pair, part) != LUA_TSTRING)
        (void)luaL_error(L, "option 'headers' must be a list of {name, value}, both strings");
    text = lua_tolstring(L, -1, n);
    lua_pop(L, 1);
    return text;
}

/* Leaves the list's memory on the stack. */
static const smc_http_header_t *field_headers(lua_State *L, size_t *n)
{
    smc_http_header_t *headers;
    int type = lua_getfield(L, 1, "headers");

    *n = 0;
    if (type == LUA_TNIL)
        return NULL;
    if (type != LUA_TTABLE)
        (void)luaL_error(L, "option 'headers' must be a list of {name, value}, both strings");
    *n = (size_t)lua_rawlen(L, -1);
    headers = lua_newuserdatauv(L, *n * sizeof(*headers) + 1, 0);
    for (size_t i = 0; i < *n; i++) {
        if (lua_rawgeti(L, -2, (lua_Integer)i + 1) != LUA_TTABLE)
            (void)luaL_error(L, "option 'headers' must be a list of {name, value}, both strings");
        headers[i].name = pair_text(L, lua_gettop(L), 1, &headers[i].name_len);
        headers[i].value = pair_text(L, lua_gettop(L), 2, &headers[i].value_len);
        lua_pop(L, 1);
    }
    lua_remove(L, -2);
    return headers;
}

/* The handle stays on the stack's table, as texts do. */
static const smc_secret_t *field_bearer(lua_State *L)
{
    const smc_secret_t *bearer = NULL;

    if (lua_getfield(L, 1, "bearer") != LUA_TNIL) {
        bearer = smcb_test_secret(L, lua_gettop(L));
        if (bearer == NULL)
            (void)luaL_error(L, "option 'bearer' must be a secret handle");
    }
    lua_pop(L, 1);
    return bearer;
}

smc_http_request_t smcb_http_check_request(lua_State *L)
{
    static const char *const known[] = {"method",  "url",      "headers", "bearer", "body",
                                        "timeout", "max_body", "ca",      NULL};
    smc_http_request_t req = {0};

    luaL_checktype(L, 1, LUA_TTABLE);
    smcb_check_keys(L, 1, known);
    req.method = field_word(L, "method", "GET");
    req.url = field_word(L, "url", NULL);
    req.body = field_text(L, "body", NULL, &req.body_len);
    req.timeout_ms = smcb_field_seconds(L, 1, "timeout", DEFAULT_TIMEOUT_MS);
    if (req.timeout_ms == 0)
        req.timeout_ms = 1; /* to the core 0 is no limit */
    req.max_body = field_max_body(L);
    req.ca_pem = field_text(L, "ca", NULL, &req.ca_pem_len);
    req.bearer = field_bearer(L);
    req.headers = field_headers(L, &req.n_headers);
    return req;
}

/* ---- the transcript ----------------------------------------------------- */

static const char *target_of(const char *url)
{
    const char *host = strstr(url, "://");
    const char *target = host == NULL ? url : host + 3 + strcspn(host + 3, "/?");

    return *target == '\0' ? "/" : target;
}

void smcb_http_log_request(lua_State *L, const smc_http_request_t *req)
{
    smc_log_line(smcb_log(L), WHO, "> %s %s", req->method, target_of(req->url));
    if (req->body_len > 0)
        smc_log_text(smcb_log(L), WHO, req->body, req->body_len, LOGGED_BODY);
}

void smcb_http_log_reply(lua_State *L, const smc_http_reply_t *reply)
{
    long long ms =
        llrint((double)reply->elapsed_ns / 1e6); /* %.0f would take a tenth of the line's time */

    if (reply->err.code != SMC_OK)
        smc_log_line(smcb_log(L), WHO, "< %s after %lld ms: %s", smc_code_text(reply->err.code), ms,
                     reply->err.detail);
    else
        smc_log_line(smcb_log(L), WHO, "< %d %lld ms", reply->status, ms);
    if (reply->body_len > 0)
        smc_log_text(smcb_log(L), WHO, reply->body, reply->body_len, LOGGED_BODY);
}

/* ---- the reply ---------------------------------------------------------- */

int smcb_http_fail(lua_State *L, const smc_error_t *err, bool sent)
{
    int n = smcb_push_fail(L, err);

    lua_pushboolean(L, sent);
    lua_setfield(L, -2, "sent");
    return n;
}

static void push_lower(lua_State *L, const smc_http_header_t *h)
{
    luaL_Buffer b;
    char *text = luaL_buffinitsize(L, &b, h->name_len);

    for (size_t i = 0; i < h->name_len; i++)
        text[i] = (char)(h->name[i] >= 'A' && h->name[i] <= 'Z' ? h->name[i] | 0x20 : h->name[i]);
    luaL_pushresultsize(&b, h->name_len);
}

/* headers[name in lower case] = value, behind what is there already. */
static void merge_header(lua_State *L, int headers, const smc_http_header_t *h)
{
    push_lower(L, h);
    lua_pushvalue(L, -1);
    if (lua_rawget(L, headers) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_pushlstring(L, h->value, h->value_len);
    } else {
        lua_pushliteral(L, ", ");
        lua_pushlstring(L, h->value, h->value_len);
        lua_concat(L, 3);
    }
    lua_rawset(L, headers);
}

static void push_pair(lua_State *L, const smc_http_header_t *h)
{
    lua_createtable(L, 2, 0);
    lua_pushlstring(L, h->name, h->name_len);
    lua_rawseti(L, -2, 1);
    lua_pushlstring(L, h->value, h->value_len);
    lua_rawseti(L, -2, 2);
}

static void push_headers(lua_State *L, const smc_http_reply_t *reply)
{
    int headers;

    lua_createtable(L, 0, (int)reply->n_headers);
    headers = lua_gettop(L);
    for (size_t i = 0; i < reply->n_headers; i++)
        merge_header(L, headers, &reply->headers[i]);
}

static void push_raw_headers(lua_State *L, const smc_http_reply_t *reply)
{
    lua_createtable(L, (int)reply->n_headers, 0);
    for (size_t i = 0; i < reply->n_headers; i++) {
        push_pair(L, &reply->headers[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

void smcb_http_push_head(lua_State *L, const smc_http_reply_t *reply, bool raw)
{
    lua_createtable(L, 0, 6);
    lua_pushinteger(L, reply->status);
    lua_setfield(L, -2, "status");
    lua_pushboolean(L, !reply->new_connection);
    lua_setfield(L, -2, "reused");
    push_headers(L, reply);
    lua_setfield(L, -2, "headers");
    if (!raw)
        return;
    push_raw_headers(L, reply);
    lua_setfield(L, -2, "raw_headers");
}

/* ---- request ------------------------------------------------------------ */

static void free_reply(void *reply)
{
    smc_http_reply_free(reply);
}

/* A failed reply is a result too: it knows whether the request was sent. */
static void on_done(void *ud, smc_http_reply_t *reply)
{
    smcb_wait_fire(ud, NULL, reply, free_reply);
}

static void cancel_request(smcb_wait_t *w)
{
    smc_http_cancel(w->op);
}

static int finish_request(lua_State *L, smcb_wait_t *w)
{
    const smc_http_reply_t *reply = w->result;

    smcb_http_log_reply(L, reply);
    if (reply->err.code != SMC_OK)
        return smcb_http_fail(L, &reply->err, reply->sent);
    smcb_http_push_head(L, reply, lua_toboolean(L, 2));
    lua_pushlstring(L, reply->body == NULL ? "" : reply->body, reply->body_len);
    lua_setfield(L, -2, "body");
    lua_pushnumber(L, (lua_Number)reply->elapsed_ns / 1e9);
    lua_setfield(L, -2, "elapsed");
    return 1;
}

/* request(asked, [raw]) -> the reply, or nil and an error.  raw: with raw_headers, which venues have no use for. */
static int l_request(lua_State *L)
{
    smc_http_request_t req;
    smcb_wait_t *w;
    smc_http_call_t *call = NULL;
    smc_error_t err = {0};

    lua_settop(L, 2);
    req = smcb_http_check_request(L);
    w = smcb_wait_new(L, "http.request", finish_request);
    smcb_wait_owns_result(L);
    smcb_http_log_request(L, &req);
    if (smc_http_start(smcb_loop(L), &req, on_done, w, &call, &err) != SMC_OK) {
        smc_log_line(smcb_log(L), WHO, "< %s", err.detail);
        return smcb_http_fail(L, &err, false);
    }
    w->op = call;
    w->cancel = cancel_request;
    return smcb_wait_yield(L, w);
}

/* ---- module ------------------------------------------------------------- */

static int l_open_sockets(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)smc_http_open_sockets(smcb_loop(L)));
    return 1;
}

static int l_idle_close(lua_State *L)
{
    smc_http_idle_close(smcb_loop(L));
    return 0;
}

int smcb_open_http(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"request", l_request},
        {"open_sockets", l_open_sockets}, /* sockets of this client now, kept ones included */
        {"idle_close", l_idle_close},     /* closes the kept ones, when no request is under way */
        {NULL, NULL},
    };

    luaL_newlib(L, functions);
    smcb_http_push_stream(L);
    lua_setfield(L, -2, "stream");
    return 1;
}
