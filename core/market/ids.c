#include "market_priv.h"

#include <stdlib.h>
#include <string.h>

/* FNV-1a. */
static uint64_t hash_of(const char *text)
{
    uint64_t h = UINT64_C(14695981039346656037);
    for (; *text != '\0'; text++)
        h = (h ^ (unsigned char)*text) * UINT64_C(1099511628211);
    return h;
}

/* Oldest first, so that chains end up newest first. */
static void fill_buckets(id_index_t *x)
{
    for (size_t i = 0; i < x->n_buckets; i++)
        x->buckets[i] = -1;
    for (size_t i = 0; i < x->n; i++) {
        size_t b = x->v[i].hash & (x->n_buckets - 1);
        x->v[i].next = x->buckets[b];
        x->buckets[b] = (int32_t)i;
    }
}

static bool grow_buckets(smc_market_t *m, id_index_t *x)
{
    size_t n = x->n_buckets == 0 ? 16 : x->n_buckets * 2;
    int32_t *buckets = malloc(n * sizeof(*buckets));
    if (buckets == NULL) {
        m->failed = true;
        return false;
    }
    free(x->buckets);
    x->buckets = buckets;
    x->n_buckets = n;
    fill_buckets(x);
    return true;
}

bool ids_add(smc_market_t *m, account_t *a, const char *client_id, node_t *n)
{
    id_index_t *x = &a->ids;
    if (x->n >= x->n_buckets && !grow_buckets(m, x))
        return false;
    if (!vec_room(m, &x->v, x->n, &x->cap, sizeof(x->v[0])))
        return false;
    uint64_t hash = hash_of(client_id);
    size_t b = hash & (x->n_buckets - 1);
    x->v[x->n] = (id_entry_t){.hash = hash, .node = n, .next = x->buckets[b]};
    x->buckets[b] = (int32_t)x->n++;
    return true;
}

void ids_forget(account_t *a)
{
    id_index_t *x = &a->ids;
    size_t n = 0;
    for (size_t i = 0; i < x->n; i++)
        if (x->v[i].node->owner != NULL)
            x->v[n++] = x->v[i];
    x->n = n;
    fill_buckets(x);
}

static const id_entry_t *chain(const id_index_t *x, uint64_t hash)
{
    if (x->n_buckets == 0)
        return NULL;
    int32_t at = x->buckets[hash & (x->n_buckets - 1)];
    return at < 0 ? NULL : &x->v[at];
}

static const id_entry_t *chain_next(const id_index_t *x, const id_entry_t *e)
{
    return e->next < 0 ? NULL : &x->v[e->next];
}

node_t *ids_find_open(const account_t *a, const char *client_id)
{
    uint64_t hash = hash_of(client_id);
    for (const id_entry_t *e = chain(&a->ids, hash); e != NULL; e = chain_next(&a->ids, e))
        if (e->hash == hash && !e->node->ended && strcmp(e->node->o.client_id, client_id) == 0)
            return e->node;
    return NULL;
}

node_t *ids_find(const account_t *a, int32_t instrument, const char *client_id)
{
    uint64_t hash = hash_of(client_id);
    node_t *has = NULL, *had = NULL;
    for (const id_entry_t *e = chain(&a->ids, hash); e != NULL; e = chain_next(&a->ids, e)) {
        node_t *n = e->node;
        if (e->hash != hash || n->o.instrument != instrument)
            continue;
        bool current = strcmp(n->o.client_id, client_id) == 0;
        if (current && !n->ended)
            return n;
        if (current && has == NULL)
            has = n;
        if (!current && had == NULL && strcmp(n->o.orig_client_id, client_id) == 0)
            had = n;
    }
    return has != NULL ? has : had;
}
