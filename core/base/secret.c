#include "smc/secret.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

struct smc_secret {
    size_t mapped_bytes;
    size_t n;
    char bytes[]; /* n, and a NUL */
};

/* Pages of their own rather than malloc: locking and leaving out of dumps work by the page, and a neighbour on the
 * heap would undo both when it is freed. */
static smc_code_t map(size_t n, smc_secret_t **out, smc_error_t *err)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t need = sizeof(smc_secret_t) + n + 1;
    smc_secret_t *s;

    if (n == 0)
        return smc_fail(err, SMC_EINVAL, "secret.new", 0, "the secret is empty");
    if (n > SIZE_MAX / 2)
        return smc_fail(err, SMC_ENOMEM, "secret.new", 0, "the secret is too large");
    need = (need + page - 1) / page * page;
    s = mmap(NULL, need, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (s == MAP_FAILED)
        return smc_fail(err, SMC_ENOMEM, "secret.new", errno, "no memory for a secret");
    /* Both are best effort: a small RLIMIT_MEMLOCK must not stop the program. */
    (void)mlock(s, need);
    (void)madvise(s, need, MADV_DONTDUMP);
    s->mapped_bytes = need;
    s->n = n;
    *out = s;
    return SMC_OK;
}

smc_code_t smc_secret_new(const void *bytes, size_t n, smc_secret_t **out, smc_error_t *err)
{
    smc_code_t code = map(n, out, err);

    if (code == SMC_OK)
        memcpy((*out)->bytes, bytes, n);
    return code;
}

smc_code_t smc_secret_random(size_t n, smc_secret_t **out, smc_error_t *err)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    const unsigned letters = sizeof(alphabet) - 1;
    smc_secret_t *s = NULL;
    smc_code_t code = map(n, &s, err);
    size_t i = 0;

    if (s == NULL)
        return code;
    while (i < n) {
        unsigned char byte;

        if (getrandom(&byte, 1, 0) != 1) {
            int sys = errno;

            if (sys == EINTR)
                continue;
            smc_secret_free(s);
            return smc_fail(err, SMC_ESYS, "secret.random", sys, "no random bytes");
        }
        /* 248 is the largest multiple of 62 in a byte; what lies above would favour the first letters. */
        if (byte < 256 / letters * letters)
            s->bytes[i++] = alphabet[byte % letters];
    }
    *out = s;
    return SMC_OK;
}

void smc_secret_free(smc_secret_t *s)
{
    size_t mapped_bytes;

    if (s == NULL)
        return;
    mapped_bytes = s->mapped_bytes;
    smc_wipe(s, mapped_bytes);
    (void)munmap(s, mapped_bytes);
}

const char *smc_secret_borrow(const smc_secret_t *s, size_t *n)
{
    if (n != NULL)
        *n = s->n;
    return s->bytes;
}

bool smc_secret_equal(const smc_secret_t *s, const void *bytes, size_t n)
{
    const unsigned char *other = bytes;
    unsigned char differ = 0;

    if (n != s->n)
        return false;
    for (size_t i = 0; i < n; i++)
        differ = (unsigned char)(differ | ((unsigned char)s->bytes[i] ^ other[i]));
    return differ == 0;
}

void smc_wipe(void *p, size_t n)
{
    if (n > 0)
        explicit_bzero(p, n);
}
