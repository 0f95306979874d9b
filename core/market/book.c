#include "market_priv.h"

#include <stdlib.h>
#include <string.h>

level_t *book_best(const instrument_t *inst, smc_side_t side)
{
    const book_side_t *s = &inst->sides[side];
    return s->n > 0 ? s->v[s->n - 1] : NULL;
}

bool book_crosses(smc_side_t taker, smc_dec_t limit, smc_dec_t price)
{
    return taker == SMC_BUY ? !dec_less(limit, price) : !dec_less(price, limit);
}

/* Index of the level with this price, or where it belongs. */
static size_t find(const book_side_t *s, smc_side_t side, smc_dec_t price)
{
    size_t lo = 0, hi = s->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        smc_dec_t at = s->v[mid]->price;
        bool worse = side == SMC_BUY ? dec_less(at, price) : dec_less(price, at);
        if (worse)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static level_t *level_for(smc_market_t *m, book_side_t *s, smc_side_t side, smc_dec_t price)
{
    size_t i = find(s, side, price);
    if (i < s->n && smc_dec_cmp(s->v[i]->price, price) == 0)
        return s->v[i];
    if (!vec_room(m, &s->v, s->n, &s->cap, sizeof(s->v[0])))
        return NULL;
    level_t *level = calloc(1, sizeof(*level));
    if (level == NULL) {
        m->failed = true;
        return NULL;
    }
    level->price = price;
    memmove(&s->v[i + 1], &s->v[i], (s->n - i) * sizeof(s->v[0]));
    s->v[i] = level;
    s->n++;
    return level;
}

static void enqueue(level_t *level, node_t *n)
{
    n->prev = level->tail;
    n->next = NULL;
    if (level->tail != NULL)
        level->tail->next = n;
    else
        level->head = n;
    level->tail = n;
}

bool book_rest(smc_market_t *m, node_t *n)
{
    level_t *level = level_for(m, &n->inst->sides[n->o.side], n->o.side, n->o.price);
    if (level == NULL)
        return false;
    n->level = level;
    enqueue(level, n);
    level->total = dec_plus(level->total, n->rem);
    if (!dec_is_zero(n->o.display_qty) && dec_less(n->o.display_qty, n->rem))
        n->hidden = dec_minus(n->rem, n->o.display_qty);
    level->hidden = dec_plus(level->hidden, n->hidden);
    n->o.on_book = true;
    margin_count(n, n->rem);
    book_settle(m, n->inst, n->o.side, level);
    return true;
}

static void dequeue(level_t *level, node_t *n)
{
    if (n->prev != NULL)
        n->prev->next = n->next;
    else
        level->head = n->next;
    if (n->next != NULL)
        n->next->prev = n->prev;
    else
        level->tail = n->prev;
    n->prev = n->next = NULL;
}

static void reveal(node_t *n, smc_dec_t qty)
{
    n->hidden = dec_minus(n->hidden, qty);
    n->level->hidden = dec_minus(n->level->hidden, qty);
}

void book_unlink(node_t *n)
{
    level_t *level = n->level;
    reveal(n, n->hidden);
    level->total = dec_minus(level->total, n->rem);
    margin_count(n, smc_dec_neg(n->rem));
    dequeue(level, n);
    n->level = NULL;
    n->o.on_book = false;
}

void book_refill(node_t *n)
{
    if (dec_is_zero(n->hidden) || smc_dec_cmp(n->hidden, n->rem) != 0)
        return;
    reveal(n, dec_min(n->hidden, n->o.display_qty));
    dequeue(n->level, n);
    enqueue(n->level, n);
}

void book_take(node_t *n, smc_dec_t qty)
{
    n->level->total = dec_minus(n->level->total, qty);
    margin_count(n, smc_dec_neg(qty));
}

void book_shrink(node_t *n, smc_dec_t less)
{
    reveal(n, dec_min(n->hidden, less));
    book_take(n, less);
}

smc_dec_t book_shown(const level_t *level)
{
    return dec_minus(level->total, level->hidden);
}

void book_settle(smc_market_t *m, instrument_t *inst, smc_side_t side, level_t *level)
{
    event_level(m, inst, side, level->price, book_shown(level));
    if (level->head != NULL)
        return;
    book_side_t *s = &inst->sides[side];
    size_t i = find(s, side, level->price);
    s->n--;
    memmove(&s->v[i], &s->v[i + 1], (s->n - i) * sizeof(s->v[0]));
    free(level);
}

void book_deinit(instrument_t *inst)
{
    for (int side = 0; side < 2; side++) {
        book_side_t *s = &inst->sides[side];
        for (size_t i = 0; i < s->n; i++)
            free(s->v[i]);
        free(s->v);
        *s = (book_side_t){0};
    }
}
