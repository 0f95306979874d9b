#include "ws_priv.h"

#include <stdlib.h>
#include <string.h>

static bool is_data(enum lws_write_protocol kind)
{
    return kind == LWS_WRITE_TEXT || kind == LWS_WRITE_BINARY;
}

/* With its overhead, so that very many empty messages are bounded too. */
static size_t cost(size_t n)
{
    return n + LWS_PRE + sizeof(smc_ws_item_t);
}

smc_code_t smc_ws_queue_add(smc_ws_queue_t *q, enum lws_write_protocol kind, const void *data,
                            size_t n)
{
    smc_ws_item_t *item = malloc(sizeof(*item) + LWS_PRE + n);

    if (item == NULL)
        return SMC_ENOMEM;
    *item = (smc_ws_item_t){.kind = kind, .n = n};
    memset(item->bytes, 0, LWS_PRE);
    if (n > 0)
        memcpy(item->bytes + LWS_PRE, data, n);
    *(q->last != NULL ? q->last : &q->first) = item;
    q->last = &item->next;
    if (is_data(kind))
        q->bytes += cost(n);
    return SMC_OK;
}

void smc_ws_queue_pop(smc_ws_queue_t *q)
{
    smc_ws_item_t *item = q->first;

    if (is_data(item->kind))
        q->bytes -= cost(item->n);
    q->first = item->next;
    if (q->first == NULL)
        q->last = NULL;
    free(item);
}

void smc_ws_queue_deinit(smc_ws_queue_t *q)
{
    while (q->first != NULL)
        smc_ws_queue_pop(q);
}

bool smc_ws_queue_fits(const smc_ws_queue_t *q, size_t n, size_t max_bytes)
{
    return q->bytes == 0 || (q->bytes < max_bytes && n < max_bytes - q->bytes);
}
