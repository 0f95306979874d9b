/* smc/pool.h - memory for many small objects that come and go all the time: the allocator of a Lua state.
 *
 * A piece of up to SMC_POOL_MAX bytes comes from the free list of its size, at the cost of a few instructions; larger ones
 * from malloc.  Memory of small pieces stays with the pool until its end, for pieces of the same size.
 * Under AddressSanitizer every piece comes from malloc, so that wrong use is seen.
 * Thread   one at a time
 */
#ifndef SMC_POOL_H
#define SMC_POOL_H

#include <stddef.h>

#define SMC_POOL_STEP 16 /* sizes are rounded up to a multiple; what malloc would align to */
#define SMC_POOL_MAX 1024

typedef struct smc_pool {
    /* Private.  All zero is an empty pool. */
    void *_free[SMC_POOL_MAX /
                SMC_POOL_STEP]; /* by size; each piece begins with a pointer to the next */
    char *_at;                  /* what was not yet given out, _left bytes */
    size_t _left;
    void *_blocks; /* each begins with a pointer to the next */
    size_t _n_blocks;
} smc_pool_t;

/* A new piece (ptr NULL), the same one elsewhere, or NULL for size 0, which frees it.
 * old   its size so far: exactly what was asked for; 0 without ptr
 * NULL for another size: out of memory, and the old piece is as it was. */
void *smc_pool_resize(smc_pool_t *pool, void *ptr, size_t old, size_t size);
/* What is free now is not given out again; it stays the pool's until its end.  For what is forked afterwards: a child then
 * writes to memory of its own, and not to pages that it shares and would have to copy. */
void smc_pool_start_afresh(smc_pool_t *pool);
/* Frees all small pieces.  Large ones must have been freed. */
void smc_pool_deinit(smc_pool_t *pool);

#endif /* SMC_POOL_H */
