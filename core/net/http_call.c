#include "http_priv.h"

#include "smc/clock.h"
#include "smc/host_policy.h"

#include <limits.h>
#include <stdlib.h>

/* ---- the list of active calls ------------------------------------------- */

static void link_active(smc_http_call_t *call)
{
    smc_http_client_t *client = call->client;

    call->prev = NULL;
    call->next = client->active;
    if (client->active != NULL)
        client->active->prev = call;
    client->active = call;
}

static void unlink_active(smc_http_call_t *call)
{
    if (call->prev != NULL)
        call->prev->next = call->next;
    else
        call->client->active = call->next;
    if (call->next != NULL)
        call->next->prev = call->prev;
    call->next = call->prev = NULL;
}

/* ---- the end ------------------------------------------------------------ */

/* Detach, release, then call: whatever `done` does meets a client that knows nothing of this call any more. */
void smc_http_call_end(smc_http_call_t *call, CURLcode rc)
{
    smc_http_client_t *client = call->client;
    smc_http_done_cb done = call->done;
    void *ud = call->ud;
    smc_http_reply_t *reply = call->reply;

    smc_http_fill_reply(call, rc);
    call->reply = NULL;
    smc_timer_cancel(call->deadline);
    call->deadline = NULL;
    unlink_active(call);
    (void)client->curl.multi_remove_handle(client->multi, call->easy);
    smc_http_call_recycle(call);
    done(ud, reply);
}

static void drop_doomed(smc_http_call_t *call)
{
    (void)call->client->curl.multi_remove_handle(call->client->multi, call->easy);
    smc_http_call_recycle(call);
}

void smc_http_cancel(smc_http_call_t *call)
{
    if (call == NULL)
        return;
    smc_timer_cancel(call->deadline);
    call->deadline = NULL;
    unlink_active(call);
    if (call->client->in_curl == 0) {
        drop_doomed(call);
        return;
    }
    /* libcurl refuses to let go of a handle while it is on the stack. */
    call->doomed = true;
    call->next = call->client->doomed;
    call->client->doomed = call;
}

void smc_http_settle(smc_http_client_t *client)
{
    smc_http_call_t *call;
    CURLMsg *msg;
    int left = 0;

    while ((call = client->doomed) != NULL) {
        client->doomed = call->next;
        drop_doomed(call);
    }
    /* `done` may have started, cancelled or closed anything, the multi handle included. */
    while (client->multi != NULL &&
           (msg = client->curl.multi_info_read(client->multi, &left)) != NULL) {
        if (msg->msg != CURLMSG_DONE)
            continue;
        (void)client->curl.easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&call);
        smc_http_call_end(call, msg->data.result);
    }
}

static void on_deadline(void *ud)
{
    smc_http_call_t *call = ud;

    call->deadline = NULL;
    (void)smc_fail(&call->verdict, SMC_ETIMEDOUT, "http", 0, "no whole %s from %s within %llu ms",
                   call->on_body != NULL ? "reply head" : "reply", call->origin,
                   (unsigned long long)call->timeout_ms);
    smc_http_call_end(call, CURLE_OPERATION_TIMEDOUT);
}

/* ---- setup -------------------------------------------------------------- */

/* Between the choice of a connection and the first byte on it.
 * libcurl sends a request a second time, whatever its method, when a kept connection dies without a word.  The first
 * one may have been an order. */
/* NOLINTNEXTLINE(readability-non-const-parameter): libcurl declares it so */
static int before_request(void *ud, char *remote_ip, char *local_ip, int remote_port,
                          int local_port)
{
    smc_http_call_t *call = ud;
    const smc_http_client_t *client = call->client;
    long sent = 0;

    (void)remote_ip;
    (void)local_ip;
    (void)remote_port;
    (void)local_port;
    if (call->doomed)
        return CURL_PREREQFUNC_ABORT;
    (void)client->curl.easy_getinfo(call->easy, CURLINFO_REQUEST_SIZE, &sent);
    if (sent > 0) {
        (void)smc_fail(&call->verdict, SMC_ERESET, "http", 0,
                       "%s closed the connection without an answer", call->origin);
        return CURL_PREREQFUNC_ABORT;
    }
    return CURL_PREREQFUNC_OK;
}

smc_code_t smc_http_call_setup(smc_http_call_t *call)
{
    const smc_http_client_t *client = call->client;
    __typeof__(client->curl.easy_setopt) set = client->curl.easy_setopt;
    unsigned failed = 0;

    call->origin[0] = '\0'; /* libcurl forgets its URL on a reset */
    failed |= set(call->easy, CURLOPT_PRIVATE, call);
    failed |= set(call->easy, CURLOPT_ERRORBUFFER, call->curl_text);
    failed |= set(call->easy, CURLOPT_NOSIGNAL, 1L);
    failed |= set(call->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    failed |= set(call->easy, CURLOPT_PROXY, "");
    /* HTTP/2 would put all calls on one connection, which one fault then hits together. */
    failed |= set(call->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    /* The call's own deadline is the only one; libcurl would give up connecting after 300 s. */
    failed |= set(call->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)INT_MAX);
    failed |= set(call->easy, CURLOPT_OPENSOCKETFUNCTION, smc_http_open_socket);
    failed |= set(call->easy, CURLOPT_OPENSOCKETDATA, client);
    failed |= set(call->easy, CURLOPT_CLOSESOCKETFUNCTION, smc_http_close_socket);
    failed |= set(call->easy, CURLOPT_CLOSESOCKETDATA, client);
    failed |= set(call->easy, CURLOPT_PREREQFUNCTION, before_request);
    failed |= set(call->easy, CURLOPT_PREREQDATA, call);
    failed |= set(call->easy, CURLOPT_HEADERFUNCTION, smc_http_on_header);
    failed |= set(call->easy, CURLOPT_HEADERDATA, call);
    failed |= set(call->easy, CURLOPT_WRITEFUNCTION, smc_http_on_body);
    failed |= set(call->easy, CURLOPT_WRITEDATA, call);
    return failed == 0 ? SMC_OK : SMC_ENOMEM;
}

/* ---- start -------------------------------------------------------------- */

static smc_code_t launch(smc_http_call_t *call, const smc_http_request_t *req, smc_error_t *err)
{
    smc_http_client_t *client = call->client;
    smc_code_t rc = SMC_OK;

    call->on_head = req->on_head;
    call->on_body = req->on_body;
    call->timeout_ms = req->timeout_ms;
    call->max_body = req->max_body;
    if (call->max_body == 0)
        call->max_body = req->on_body != NULL ? SIZE_MAX : SMC_HTTP_MAX_BODY;
    call->start_ns = smc_clock_now_ns();
    call->doomed = call->head_done = false;
    call->body_seen = 0;
    call->verdict = (smc_error_t){0};
    call->curl_text[0] = '\0';
    call->reply = calloc(1, sizeof(*call->reply));
    if (call->reply == NULL)
        return smc_fail(err, SMC_ENOMEM, "http.start", 0, "out of memory");
    if (req->timeout_ms != 0)
        rc =
            smc_timer_start(client->loop, req->timeout_ms, on_deadline, call, &call->deadline, err);
    if (rc != SMC_OK)
        return rc;
    if (client->curl.multi_add_handle(client->multi, call->easy) == CURLM_OK)
        return SMC_OK;
    smc_timer_cancel(call->deadline);
    call->deadline = NULL;
    return smc_fail(err, SMC_ENOMEM, "http.start", 0, "out of memory");
}

smc_code_t smc_http_start(smc_loop_t *loop, const smc_http_request_t *req, smc_http_done_cb done,
                          void *ud, smc_http_call_t **call, smc_error_t *err)
{
    smc_http_client_t *client = NULL;
    smc_http_call_t *c;
    const char *path = NULL;
    smc_url_t url;
    smc_code_t rc = smc_url_split(req->url, &url, err);

    if (rc == SMC_OK && url.scheme != SMC_SCHEME_HTTP && url.scheme != SMC_SCHEME_HTTPS)
        rc = smc_fail(err, SMC_EINVAL, "http.start", 0, "%s:// is not HTTP",
                      smc_scheme_text(url.scheme));
    if (rc == SMC_OK)
        rc = smc_host_policy_route(loop, &url, &path, err);
    if (rc == SMC_OK)
        rc = smc_http_client_get(loop, &client, err);
    if (rc != SMC_OK)
        return rc;
    if (client->in_curl > 0)
        return smc_fail(err, SMC_EINVAL, "http.start", 0,
                        "a request cannot be started from on_head or on_body");
    c = smc_http_call_take(client);
    if (c == NULL)
        return smc_fail(err, SMC_ENOMEM, "http.start", 0, "out of memory");
    rc = smc_http_prepare(c, req, &url, path, err);
    if (rc == SMC_OK)
        rc = launch(c, req, err);
    if (rc != SMC_OK) {
        smc_http_call_recycle(c);
        return rc;
    }
    c->done = done;
    c->ud = ud;
    link_active(c);
    *call = c;
    return SMC_OK;
}
