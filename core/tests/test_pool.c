/* Pieces keep what was written into them, whatever happens to others. */
#include "smc/pool.h"

#include "smc/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { PIECES = 200, STEPS = 40000 };

typedef struct piece {
    unsigned char *at;
    size_t size;
    unsigned char fill;
} piece_t;

static size_t random_size(smc_rng_t *rng)
{
    static const int64_t most[] = {16, 40, 600, 5000};

    return (size_t)smc_rng_range(rng, 1, most[smc_rng_range(rng, 0, 3)]);
}

static void assert_filled(const piece_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_int_equal(p->at[i], p->fill);
}

static void step(smc_pool_t *pool, smc_rng_t *rng, piece_t *p, unsigned char fill)
{
    size_t size = smc_rng_range(rng, 0, 2) == 0 ? 0 : random_size(rng);
    unsigned char *at = smc_pool_resize(pool, p->at, p->size, size);

    assert_int_equal(at == NULL, size == 0);
    assert_int_equal((uintptr_t)at % SMC_POOL_STEP, 0);
    p->at = at;
    assert_filled(p, size < p->size ? size : p->size);
    *p = (piece_t){.at = at, .size = size, .fill = fill};
    if (at != NULL)
        memset(at, fill, size);
}

static void pieces_keep_their_bytes(void **state)
{
    smc_pool_t pool = {0};
    piece_t pieces[PIECES] = {0};
    smc_rng_t rng;

    (void)state;
    smc_rng_init(&rng, 1, "pool");
    for (int i = 0; i < STEPS; i++) {
        piece_t *p = &pieces[smc_rng_range(&rng, 0, PIECES - 1)];
        assert_filled(p, p->size);
        step(&pool, &rng, p, (unsigned char)i);
    }
    for (int i = 0; i < PIECES; i++) {
        assert_filled(&pieces[i], pieces[i].size);
        assert_null(smc_pool_resize(&pool, pieces[i].at, pieces[i].size, 0));
    }
    smc_pool_deinit(&pool);
}

/* Past the point from which it takes more at a time. */
static void it_grows(void **state)
{
    enum { MANY = 20000, SIZE = 400 };
    static unsigned char *at[MANY];
    smc_pool_t pool = {0};

    (void)state;
    for (int i = 0; i < MANY; i++) {
        at[i] = smc_pool_resize(&pool, NULL, 0, SIZE);
        assert_non_null(at[i]);
        memset(at[i], i & 255, SIZE);
    }
    for (int i = 0; i < MANY; i++) {
        assert_filled(&(piece_t){.at = at[i], .fill = (unsigned char)i}, SIZE);
        assert_null(smc_pool_resize(&pool, at[i], SIZE, 0));
    }
    smc_pool_deinit(&pool);
}

static void a_free_piece_is_used_again(void **state)
{
    smc_pool_t pool = {0};
    void *first = smc_pool_resize(&pool, NULL, 0, 100);

    (void)state;
#if defined(__SANITIZE_ADDRESS__)
    assert_null(smc_pool_resize(&pool, first, 100, 0));
#else
    assert_ptr_equal(smc_pool_resize(&pool, first, 100, 112), first);
    assert_null(smc_pool_resize(&pool, first, 112, 0));
    assert_ptr_equal(smc_pool_resize(&pool, NULL, 0, 97), first);
#endif
    smc_pool_deinit(&pool);
}

static void nothing_is_free_for_nothing(void **state)
{
    smc_pool_t pool = {0};

    (void)state;
    assert_null(smc_pool_resize(&pool, NULL, 0, 0));
    smc_pool_deinit(&pool);
}

#if !defined(__SANITIZE_ADDRESS__) /* there malloc decides */
/* Freed at the end all the same: valgrind looks on. */
static void nothing_that_was_free_is_given_out_after_a_fresh_start(void **state)
{
    smc_pool_t pool = {0};
    unsigned char *kept = smc_pool_resize(&pool, NULL, 0, 40);
    uintptr_t freed[100];

    (void)state;
    kept[39] = 'k';
    for (size_t i = 0; i < 100; i++)
        freed[i] = (uintptr_t)smc_pool_resize(&pool, NULL, 0, 40);
    for (size_t i = 0; i < 100; i++)
        (void)smc_pool_resize(&pool, (void *)freed[i], 40, 0);
    smc_pool_start_afresh(&pool);
    for (size_t i = 0; i < 200; i++) {
        uintptr_t piece = (uintptr_t)smc_pool_resize(&pool, NULL, 0, 40);
        for (size_t k = 0; k < 100; k++)
            assert_true(piece != freed[k]);
    }
    assert_int_equal('k', kept[39]);
    smc_pool_deinit(&pool);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_keep_their_bytes),
        cmocka_unit_test(it_grows),
        cmocka_unit_test(a_free_piece_is_used_again),
        cmocka_unit_test(nothing_is_free_for_nothing),
#if !defined(__SANITIZE_ADDRESS__)
        cmocka_unit_test(nothing_that_was_free_is_given_out_after_a_fresh_start),
#endif
    };

    return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
