#include "http_priv.h"

#include "smc/clock.h"

#include <assert.h>
#include <stdlib.h>

static void free_call(smc_http_call_t *call)
{
    call->client->curl.easy_cleanup(call->easy);
    smc_buf_deinit(&call->lines);
    smc_buf_deinit(&call->head);
    smc_buf_deinit(&call->body);
    free(call->list);
    free(call);
}

smc_http_call_t *smc_http_call_take(smc_http_client_t *client)
{
    smc_http_call_t *call = client->pool;

    if (call != NULL) {
        client->pool = call->next;
        call->next = NULL;
        return call;
    }
    call = calloc(1, sizeof(*call));
    if (call == NULL)
        return NULL;
    call->client = client;
    call->easy = client->curl.easy_init();
    if (call->easy == NULL) {
        free(call);
        return NULL;
    }
    if (smc_http_call_setup(call) != SMC_OK) {
        free_call(call);
        return NULL;
    }
    return call;
}

void smc_http_call_recycle(smc_http_call_t *call)
{
    smc_http_client_t *client = call->client;

    smc_http_reply_free(call->reply);
    call->reply = NULL;
    smc_buf_clear(&call->head);
    smc_buf_clear(&call->body);
    if (call->has_secret)
        smc_wipe(call->lines.data, call->lines.cap);
    call->has_secret = false;
    call->serial++;
    call->next = client->pool;
    call->prev = NULL;
    client->pool = call;
}

/* The end of the loop.  What is still under way fails, as smc/http.h promises. */
static void close_client(void *value)
{
    smc_http_client_t *client = value;
    smc_http_call_t *next;

    while (client->active != NULL) {
        (void)smc_fail(&client->active->verdict, SMC_ECANCELED, "http", 0, "the loop was closed");
        smc_http_call_end(client->active, CURLE_ABORTED_BY_CALLBACK);
    }
    for (smc_http_call_t *call = client->pool; call != NULL; call = next) {
        next = call->next;
        free_call(call);
    }
    if (client->multi != NULL)
        (void)client->curl.multi_cleanup(client->multi);
    smc_http_sockets_close(client);
    smc_curl_unload(&client->curl);
    free(client);
}

static smc_code_t open_client(smc_loop_t *loop, smc_http_client_t **out, smc_error_t *err)
{
    smc_http_client_t *client = calloc(1, sizeof(*client));
    smc_code_t rc;

    if (client == NULL)
        return smc_fail(err, SMC_ENOMEM, "http.open", 0, "out of memory");
    client->loop = loop;
    client->is_virtual = smc_clock_is_virtual();
    rc = smc_curl_load(&client->curl, err);
    if (rc != SMC_OK)
        goto free_client;
    rc = smc_http_sockets_open(client, err);
    if (rc != SMC_OK)
        goto unload;
    smc_loop_set_slot(loop, SMC_SLOT_CURL, client, close_client);
    *out = client;
    return SMC_OK;
unload:
    smc_curl_unload(&client->curl);
free_client:
    free(client);
    return rc;
}

smc_code_t smc_http_client_get(smc_loop_t *loop, smc_http_client_t **out, smc_error_t *err)
{
    smc_http_client_t *client = smc_loop_slot(loop, SMC_SLOT_CURL);

    if (client == NULL) {
        smc_code_t rc = open_client(loop, &client, err);
        if (rc != SMC_OK)
            return rc;
        assert(client != NULL);
    }
    if (client->multi == NULL) {
        client->multi = client->curl.multi_init();
        if (client->multi == NULL)
            return smc_fail(err, SMC_ENOMEM, "http.open", 0, "out of memory");
        smc_http_sockets_setup(client);
    }
    *out = client;
    return SMC_OK;
}

/* libcurl has no call that closes idle connections: its whole pool goes, and the next request makes a new one. */
void smc_http_idle_close(smc_loop_t *loop)
{
    smc_http_client_t *client = smc_loop_slot(loop, SMC_SLOT_CURL);

    if (client == NULL || client->multi == NULL || client->active != NULL || client->in_curl > 0)
        return;
    (void)client->curl.multi_cleanup(client->multi);
    client->multi = NULL;
    (void)uv_timer_stop(client->timer);
}

unsigned smc_http_open_sockets(const smc_loop_t *loop)
{
    const smc_http_client_t *client = smc_loop_slot(loop, SMC_SLOT_CURL);

    return client == NULL ? 0 : client->open_sockets;
}
