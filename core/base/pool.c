#include "smc/pool.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* What a small pool takes from the system at a time, and what one does that has grown: as much as a huge page, since a
 * collector that walks through thousands of small ones spends its time on finding out where they are. */
#define BLOCK_BYTES ((size_t)64 * 1024)
#define HUGE_BYTES ((size_t)2 << 20)
#define SMALL_BLOCKS 32

#if defined(__SANITIZE_ADDRESS__)
#define POOLED_MAX 0
#else
#define POOLED_MAX SMC_POOL_MAX
#endif

static size_t class_of(size_t size)
{
    return (size - 1) / SMC_POOL_STEP;
}

static void *pop(void **list)
{
    void *first = *list;

    memcpy(list, first, sizeof(*list));
    __builtin_prefetch(*list); /* it is taken soon, and was freed long ago */
    return first;
}

static void push(void **list, void *piece)
{
    memcpy(piece, list, sizeof(*list));
    *list = piece;
}

static char *new_block(bool huge)
{
    char *block = huge ? aligned_alloc(HUGE_BYTES, HUGE_BYTES) : malloc(BLOCK_BYTES);

    if (block != NULL && huge)
        (void)madvise(block, HUGE_BYTES, MADV_HUGEPAGE); /* a wish */
    return block;
}

/* What is left of the block at hand becomes a free piece of its size. */
static void *from_new_block(smc_pool_t *pool, size_t bytes)
{
    bool huge = pool->_n_blocks >= SMALL_BLOCKS;
    char *block = new_block(huge);

    if (block == NULL)
        return NULL;
    pool->_n_blocks++;
    if (pool->_left > 0)
        push(&pool->_free[class_of(pool->_left)], pool->_at);
    push(&pool->_blocks, block);
    pool->_at = block + SMC_POOL_STEP + bytes;
    pool->_left = (huge ? HUGE_BYTES : BLOCK_BYTES) - SMC_POOL_STEP - bytes;
    return block + SMC_POOL_STEP;
}

static void *take(smc_pool_t *pool, size_t size)
{
    void **list = &pool->_free[class_of(size)];
    size_t bytes = (class_of(size) + 1) * SMC_POOL_STEP;
    void *piece = pool->_at;

    if (*list != NULL)
        return pop(list);
    if (pool->_left < bytes)
        return from_new_block(pool, bytes);
    pool->_at += bytes;
    pool->_left -= bytes;
    return piece;
}

static void give_back(smc_pool_t *pool, void *piece, size_t size)
{
    if (size > POOLED_MAX)
        free(piece);
    else if (size > 0)
        push(&pool->_free[class_of(size)], piece);
}

void *smc_pool_resize(smc_pool_t *pool, void *ptr, size_t old, size_t size)
{
    void *piece;

    if (size == 0) {
        give_back(pool, ptr, old);
        return NULL;
    }
    if (size > POOLED_MAX && (ptr == NULL || old > POOLED_MAX))
        return realloc(ptr, size);
    if (ptr != NULL && size <= POOLED_MAX && class_of(old) == class_of(size))
        return ptr;
    piece = size > POOLED_MAX ? malloc(size) : take(pool, size);
    if (piece == NULL || ptr == NULL)
        return piece;
    memcpy(piece, ptr, old < size ? old : size);
    give_back(pool, ptr, old);
    return piece;
}

void smc_pool_start_afresh(smc_pool_t *pool)
{
    void *blocks = pool->_blocks;
    size_t n_blocks = pool->_n_blocks;

    *pool = (smc_pool_t){._blocks = blocks, ._n_blocks = n_blocks};
}

void smc_pool_deinit(smc_pool_t *pool)
{
    while (pool->_blocks != NULL)
        free(pop(&pool->_blocks));
    *pool = (smc_pool_t){0};
}
