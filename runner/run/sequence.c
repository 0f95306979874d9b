#include "run/sequence.h"

#include <stdlib.h>

typedef struct smcr_queue {
    smcr_event_t *events;
    size_t count;
    size_t cap;
    bool over; /* holds, or has passed, its FILE_END */
} queue_t;

smc_code_t smcr_sequence_init(smcr_sequence_t *s, size_t n_files, smcr_ordered_fn out, void *ud,
                              smc_error_t *err)
{
    *s = (smcr_sequence_t){._n_files = n_files, ._out = out, ._ud = ud};
    s->_queues = calloc(n_files + 1, sizeof(*s->_queues));
    if (s->_queues == NULL)
        return smc_fail(err, SMC_ENOMEM, "sequence", 0, "no memory for %zu files", n_files);
    return SMC_OK;
}

static void pass(smcr_sequence_t *s, smcr_event_t *ev)
{
    s->_out(s->_ud, ev);
    smcr_event_deinit(ev);
}

static void drain(smcr_sequence_t *s, queue_t *q)
{
    for (size_t i = 0; i < q->count; i++)
        pass(s, &q->events[i]);
    free(q->events);
    q->events = NULL;
    q->count = q->cap = 0;
}

static bool keep(queue_t *q, smcr_event_t *ev)
{
    if (q->count == q->cap) {
        size_t cap = q->cap == 0 ? 16 : q->cap * 2;
        smcr_event_t *grown = reallocarray(q->events, cap, sizeof(*grown));
        if (grown == NULL)
            return false;
        q->events = grown;
        q->cap = cap;
    }
    q->events[q->count++] = *ev;
    *ev = (smcr_event_t){0};
    return true;
}

bool smcr_sequence_put(smcr_sequence_t *s, size_t file, smcr_event_t *ev)
{
    queue_t *q = &s->_queues[file];
    q->over = q->over || ev->type == SMCR_EV_FILE_END;
    if (file != s->_front) {
        bool kept = keep(q, ev);
        smcr_event_deinit(ev);
        return kept;
    }
    pass(s, ev);
    while (s->_front < s->_n_files && s->_queues[s->_front].over) {
        s->_front++;
        if (s->_front < s->_n_files)
            drain(s, &s->_queues[s->_front]);
    }
    return true;
}

void smcr_sequence_flush(smcr_sequence_t *s)
{
    for (size_t i = 0; i < s->_n_files; i++)
        drain(s, &s->_queues[i]);
    s->_front = s->_n_files;
}

void smcr_sequence_deinit(smcr_sequence_t *s)
{
    for (size_t i = 0; i < s->_n_files; i++) {
        for (size_t k = 0; k < s->_queues[i].count; k++)
            smcr_event_deinit(&s->_queues[i].events[k]);
        free(s->_queues[i].events);
    }
    free(s->_queues);
    *s = (smcr_sequence_t){0};
}
