#include "run/journal.h"

#include "smc/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define OP "journal"
#define FIRST_LINE "smcrun journal 1"
#define SUFFIX ".journal"
enum { SUM_DIGITS = 8, TRIES = 200, TRY_EVERY_NS = 10000000 };

static smc_code_t fail(smc_error_t *err, const char *what, const char *path)
{
    int why = errno;
    return smc_fail(err, SMC_ESYS, OP, why, "cannot %s '%.300s': %s", what, path, strerror(why));
}

/* ---- where --------------------------------------------------------------- */

smc_code_t smcr_journal_folder(const char *given, char out[PATH_MAX], smc_error_t *err)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    int n = -1;
    if (given != NULL)
        n = snprintf(out, PATH_MAX, "%s", given);
    else if (state != NULL && state[0] == '/')
        n = snprintf(out, PATH_MAX, "%s/smcrun", state);
    else if (home != NULL && home[0] == '/')
        n = snprintf(out, PATH_MAX, "%s/.local/state/smcrun", home);
    else
        return smc_fail(err, SMC_EINVAL, OP, 0,
                        "no folder is known for the journal of orders: HOME and XDG_STATE_HOME are "
                        "not set; give one with --state-dir");
    if (n >= PATH_MAX)
        return smc_fail(err, SMC_EINVAL, OP, 0, "the name of the --state-dir is too long");
    return SMC_OK;
}

smc_code_t smcr_journal_make_folder(const char *folder, smc_error_t *err)
{
    char path[PATH_MAX];
    (void)snprintf(path, sizeof(path), "%s", folder);
    for (char *at = path + 1;; at++) {
        char end = *at;
        if (end != '/' && end != '\0')
            continue;
        *at = '\0';
        if (mkdir(path, 0700) != 0 && errno != EEXIST)
            return fail(err, "make the folder", path);
        *at = end;
        if (end == '\0')
            return SMC_OK;
    }
}

pid_t smcr_journal_pid(const char *path)
{
    const char *dash = strrchr(path, '-');
    char *end;
    long n = dash == NULL ? 0 : strtol(dash + 1, &end, 10);
    return n > 0 && strcmp(end, SUFFIX) == 0 ? (pid_t)n : 0;
}

/* ---- opening ------------------------------------------------------------- */

/* Locked, and still what the name leads to: until the lock is there, a clean-up may take the file away. */
static bool lock(int fd)
{
    struct stat st;
    return flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &st) == 0 && st.st_nlink > 0;
}

/* *err is set when trying again is of no use. */
static int create_once(const char *path, smc_error_t *err)
{
    int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        if (errno != EEXIST)
            (void)fail(err, "make the journal of orders", path);
        return -1;
    }
    if (lock(fd))
        return fd;
    if (errno != EWOULDBLOCK)
        (void)fail(err, "lock the journal of orders", path);
    (void)close(fd);
    return -1;
}

smc_code_t smcr_journal_create(const char *folder, smcr_journal_t *out, smc_error_t *err)
{
    struct tm now;
    time_t seconds = time(NULL);
    char stamp[32];
    out->fd = -1;
    smc_code_t rc = smcr_journal_make_folder(folder, err);
    if (rc != SMC_OK)
        return rc;
    (void)strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", gmtime_r(&seconds, &now));
    int n = snprintf(out->path, sizeof(out->path), "%s/run-%s-%ld%s", folder, stamp, (long)getpid(),
                     SUFFIX);
    if (n < 0 || (size_t)n >= sizeof(out->path))
        return smc_fail(err, SMC_EINVAL, OP, 0, "the name of the --state-dir is too long");
    smc_error_t why = {0};
    for (int i = 0; i < TRIES && out->fd < 0 && why.code == SMC_OK; i++) {
        if (i > 0)
            (void)nanosleep(&(struct timespec){.tv_nsec = TRY_EVERY_NS}, NULL);
        out->fd = create_once(out->path, &why);
    }
    if (out->fd < 0 && why.code == SMC_OK)
        return smc_fail(err, SMC_ESYS, OP, 0, "'%.300s' is there already", out->path);
    if (out->fd >= 0 &&
        write(out->fd, FIRST_LINE, sizeof(FIRST_LINE) - 1) == (ssize_t)sizeof(FIRST_LINE) - 1)
        return SMC_OK;
    if (out->fd < 0) {
        *err = why;
        return why.code;
    }
    rc = fail(err, "write to", out->path);
    (void)unlink(out->path);
    smcr_journal_close(out);
    return rc;
}

smc_code_t smcr_journal_open(const char *path, smcr_journal_t *out, bool *busy, smc_error_t *err)
{
    *busy = false;
    (void)snprintf(out->path, sizeof(out->path), "%s", path);
    out->fd = open(path, O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (out->fd < 0)
        return fail(err, "open", path);
    if (lock(out->fd))
        return SMC_OK;
    *busy = errno == EWOULDBLOCK;
    smc_code_t rc = *busy ? SMC_OK : fail(err, "lock", path);
    smcr_journal_close(out);
    return rc;
}

void smcr_journal_close(smcr_journal_t *j)
{
    if (j->fd >= 0)
        (void)close(j->fd);
    j->fd = -1;
}

/* ---- records -------------------------------------------------------------- */

/* FNV-1a: it tells a whole record from a part of one. */
static uint32_t sum_of(const char *text, size_t n)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ (unsigned char)text[i]) * 16777619u;
    return hash;
}

smc_code_t smcr_journal_note(int fd, char kind, const char *id, const char *text, bool sync,
                             smc_error_t *err)
{
    smc_buf_t line = {0};
    size_t id_len = strlen(id);
    if ((kind != '+' && kind != '-') || id_len == 0 || id_len > SMCR_JOURNAL_ID_MAX ||
        strchr(id, ' ') != NULL || strchr(id, '\n') != NULL || strchr(text, '\n') != NULL)
        return smc_fail(err, SMC_EINVAL, OP, 0, "a record of the journal is one line with an id");
    (void)smc_buf_printf(&line, "\n%c%s %s", kind, id, text);
    if (!line.failed)
        (void)smc_buf_printf(&line, " %08x", sum_of(line.data + 1, line.len - 1));
    ssize_t n = -1;
    do {
        n = line.failed ? -1 : write(fd, line.data, line.len);
    } while (n < 0 && !line.failed && errno == EINTR);
    smc_code_t rc = SMC_OK;
    if (line.failed)
        rc = smc_fail(err, SMC_ENOMEM, OP, 0, "no memory for a record of the journal");
    else if (n < 0 || (size_t)n < line.len)
        rc = smc_fail(err, SMC_ESYS, OP, n < 0 ? errno : ENOSPC,
                      "the journal of orders cannot be written: %s",
                      strerror(n < 0 ? errno : ENOSPC));
    else if (sync && fdatasync(fd) != 0)
        rc = smc_fail(err, SMC_ESYS, OP, errno, "the journal of orders cannot be written: %s",
                      strerror(errno));
    smc_buf_deinit(&line);
    return rc;
}

/* The parts of a whole record. */
typedef struct record {
    char kind;
    const char *id, *text;
    size_t id_len, text_len;
} record_t;

/* False: it is part of one, or something else. */
static bool split(const char *line, size_t n, record_t *out)
{
    char sum[SUM_DIGITS + 1];
    if (n < SUM_DIGITS + 4 || line[n - SUM_DIGITS - 1] != ' ')
        return false;
    size_t len = n - SUM_DIGITS - 1;
    (void)snprintf(sum, sizeof(sum), "%08x", sum_of(line, len));
    const char *space = memchr(line, ' ', len);
    if (memcmp(sum, line + len + 1, SUM_DIGITS) != 0 || space == NULL ||
        (line[0] != '+' && line[0] != '-'))
        return false;
    *out = (record_t){.kind = line[0], .id = line + 1, .text = space + 1};
    out->id_len = (size_t)(space - out->id);
    out->text_len = (size_t)(line + len - out->text);
    return out->id_len > 0 && out->id_len <= SMCR_JOURNAL_ID_MAX;
}

static void remove_live(smcr_lives_t *lives, const record_t *r)
{
    for (size_t i = lives->count; i-- > 0;) { /* orders die young */
        smcr_live_t *live = &lives->items[i];
        if (strlen(live->id) != r->id_len || memcmp(live->id, r->id, r->id_len) != 0)
            continue;
        free(live->text);
        lives->count--;
        memmove(live, live + 1, (lives->count - i) * sizeof(*live));
        return;
    }
}

static smc_code_t add_live(smcr_lives_t *lives, const record_t *r)
{
    if ((lives->count & (lives->count - 1)) == 0) { /* a power of two: full */
        size_t room = lives->count == 0 ? 1 : lives->count * 2;
        smcr_live_t *grown = reallocarray(lives->items, room, sizeof(*grown));
        if (grown == NULL)
            return SMC_ENOMEM;
        lives->items = grown;
    }
    smcr_live_t *live = &lives->items[lives->count];
    memcpy(live->id, r->id, r->id_len);
    live->id[r->id_len] = '\0';
    live->text = strndup(r->text, r->text_len);
    if (live->text == NULL)
        return SMC_ENOMEM;
    lives->count++;
    return SMC_OK;
}

smc_code_t smcr_journal_read(const char *bytes, size_t n, smcr_lives_t *out, smc_error_t *err)
{
    size_t first = sizeof(FIRST_LINE) - 1;
    bool begun =
        n >= first && memcmp(bytes, FIRST_LINE, first) == 0 && (n == first || bytes[first] == '\n');
    if (n < first && memcmp(bytes, FIRST_LINE, n) == 0)
        return SMC_OK; /* it died before it had an order */
    if (!begun)
        return smc_fail(err, SMC_EPARSE, OP, 0, "this is no journal of orders of this version");
    for (size_t at = first; at < n;) {
        const char *line = bytes + at + 1;
        const char *end = memchr(line, '\n', n - at - 1);
        size_t len = end == NULL ? n - at - 1 : (size_t)(end - line);
        record_t r;
        if (split(line, len, &r)) {
            if (r.kind == '-')
                remove_live(out, &r);
            else if (add_live(out, &r) != SMC_OK)
                return smc_fail(err, SMC_ENOMEM, OP, 0, "no memory for the journal of orders");
        }
        at += len + 1;
    }
    return SMC_OK;
}

smc_code_t smcr_journal_load(const smcr_journal_t *j, smcr_lives_t *out, smc_error_t *err)
{
    struct stat st;
    smc_buf_t bytes = {0};
    if (fstat(j->fd, &st) != 0)
        return fail(err, "read", j->path);
    if (smc_buf_reserve(&bytes, (size_t)st.st_size) != SMC_OK)
        return smc_fail(err, SMC_ENOMEM, OP, 0, "no memory for the journal of orders");
    smc_code_t rc = SMC_OK;
    while (rc == SMC_OK && bytes.len < (size_t)st.st_size) {
        ssize_t n =
            pread(j->fd, bytes.data + bytes.len, (size_t)st.st_size - bytes.len, (off_t)bytes.len);
        if (n > 0)
            bytes.len += (size_t)n;
        else if (n == 0)
            break;
        else if (errno != EINTR)
            rc = fail(err, "read", j->path);
    }
    if (rc == SMC_OK && bytes.len > 0)
        rc = smcr_journal_read(bytes.data, bytes.len, out, err);
    smc_buf_deinit(&bytes);
    return rc;
}

void smcr_lives_deinit(smcr_lives_t *lives)
{
    for (size_t i = 0; i < lives->count; i++)
        free(lives->items[i].text);
    free(lives->items);
    *lives = (smcr_lives_t){0};
}
