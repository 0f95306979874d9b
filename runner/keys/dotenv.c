#include "keys/dotenv.h"

#include "smc/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OP "env.load"
#define MAX_FILE_BYTES ((size_t)1 << 20)
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"

static void wipe_free(char *text, size_t n)
{
    if (text != NULL)
        explicit_bzero(text, n);
    free(text);
}

/* smc_buf_deinit leaves the bytes in freed memory. */
static void wipe_buf(smc_buf_t *b)
{
    if (b->data != NULL)
        explicit_bzero(b->data, b->cap);
    smc_buf_deinit(b);
}

/* Copies both.  exported: where it comes from. */
static smc_code_t set(smcr_env_t *env, const char *name, size_t name_len, const char *value,
                      bool exported)
{
    size_t value_len = strlen(value);
    char *copy = strdup(value);
    if (copy == NULL)
        return SMC_ENOMEM;
    for (size_t i = 0; i < env->count; i++) {
        smcr_pair_t *p = &env->pairs[i];
        if (strlen(p->name) == name_len && memcmp(p->name, name, name_len) == 0) {
            wipe_free(p->value, strlen(p->value));
            p->value = copy;
            p->exported = exported;
            return SMC_OK;
        }
    }
    smcr_pair_t *grown = reallocarray(env->pairs, env->count + 1, sizeof(*grown));
    char *name_copy = grown == NULL ? NULL : strndup(name, name_len);
    if (grown != NULL)
        env->pairs = grown;
    if (name_copy == NULL) {
        wipe_free(copy, value_len);
        return SMC_ENOMEM;
    }
    env->pairs[env->count++] =
        (smcr_pair_t){.name = name_copy, .value = copy, .exported = exported};
    return SMC_OK;
}

/* Reads "..." or '...' that begins at text[0]; appends what it means to out, sets *used to the bytes read. */
static const char *read_quoted(const char *text, size_t n, smc_buf_t *out, size_t *used)
{
    static const char from[] = "nrt\"\\$", to[] = "\n\r\t\"\\$";
    char quote = text[0];
    for (size_t i = 1; i < n; i++) {
        if (text[i] == quote) {
            *used = i + 1;
            return NULL;
        }
        char c = text[i];
        if (c == '\\' && quote == '"') {
            const char *hit = i + 1 < n ? memchr(from, text[i + 1], sizeof(from) - 1) : NULL;
            if (hit == NULL)
                return "behind a \\ in \"...\" goes one of n r t \" \\ $; or use '...'";
            c = to[hit - from];
            i++;
        }
        (void)smc_buf_putc(out, c);
    }
    return quote == '"' ? "the \" is not closed on its line" : "the ' is not closed on its line";
}

static size_t skip_blanks(const char *text, size_t n)
{
    size_t i = 0;
    while (i < n && (text[i] == ' ' || text[i] == '\t'))
        i++;
    return i;
}

/* A bare value ends at a # behind a blank, or with the line. */
static size_t bare_length(const char *text, size_t n)
{
    size_t end = 0;
    while (end < n &&
           !(text[end] == '#' && (end == 0 || text[end - 1] == ' ' || text[end - 1] == '\t')))
        end++;
    while (end > 0 && (text[end - 1] == ' ' || text[end - 1] == '\t'))
        end--;
    return end;
}

/* Appends the value to out.  Returns what is wrong, or NULL. */
static const char *read_value(const char *text, size_t n, smc_buf_t *out)
{
    size_t at = skip_blanks(text, n);
    text += at;
    n -= at;
    (void)smc_buf_reserve(out, n); /* growing later would leave a copy behind in freed memory */
    if (n == 0 || (text[0] != '"' && text[0] != '\'')) {
        (void)smc_buf_append(out, text, bare_length(text, n));
        return NULL;
    }
    size_t used = 0;
    const char *wrong = read_quoted(text, n, out, &used);
    if (wrong != NULL)
        return wrong;
    used += skip_blanks(text + used, n - used);
    return used == n || text[used] == '#' ? NULL : "only a comment may follow the closing quote";
}

/* One line without its end.  *wrong is set, or the pair is added. */
static smc_code_t read_line(smcr_env_t *env, const char *line, size_t n, const char **wrong)
{
    size_t at = skip_blanks(line, n);
    if (at == n || line[at] == '#')
        return SMC_OK;
    if (n - at > 7 && memcmp(line + at, "export", 6) == 0 &&
        (line[at + 6] == ' ' || line[at + 6] == '\t'))
        at += 6 + skip_blanks(line + at + 6, n - at - 6);
    const char *name = line + at;
    size_t name_len = 0;
    while (at + name_len < n && name[name_len] != '\0' &&
           strchr(LETTERS "0123456789", name[name_len]) != NULL)
        name_len++;
    at += name_len;
    at += skip_blanks(line + at, n - at);
    if (name_len == 0 || strchr(LETTERS, name[0]) == NULL)
        *wrong = "a name of letters, digits and _ is missing before the =";
    else if (at == n || line[at] != '=')
        *wrong = "KEY=value was expected";
    else if (memchr(line, '\0', n) != NULL)
        *wrong = "a NUL byte cannot be part of a value";
    if (*wrong != NULL)
        return SMC_OK;

    smc_buf_t value = {0};
    *wrong = read_value(line + at + 1, n - at - 1, &value);
    smc_code_t rc = value.failed ? SMC_ENOMEM : SMC_OK;
    if (rc == SMC_OK && *wrong == NULL)
        rc = set(env, name, name_len, value.len == 0 ? "" : value.data, false);
    wipe_buf(&value);
    return rc;
}

smc_code_t smcr_env_parse(smcr_env_t *env, const char *text, size_t n, smc_error_t *err)
{
    size_t at = n >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    for (unsigned number = 1; at < n; number++) {
        const char *newline = memchr(text + at, '\n', n - at);
        size_t len = newline == NULL ? n - at : (size_t)(newline - text) - at;
        size_t trimmed = len > 0 && text[at + len - 1] == '\r' ? len - 1 : len;
        const char *wrong = NULL;
        if (read_line(env, text + at, trimmed, &wrong) != SMC_OK)
            return smc_fail(err, SMC_ENOMEM, OP, 0, "no memory for line %u", number);
        if (wrong != NULL)
            return smc_fail(err, SMC_EPARSE, OP, 0, "line %u: %s", number, wrong);
        at += len + 1;
    }
    return SMC_OK;
}

static smc_code_t read_all(int fd, size_t size, smcr_env_t *env, smc_error_t *err)
{
    char *text = malloc(size + 1);
    if (text == NULL)
        return smc_fail(err, SMC_ENOMEM, OP, 0, "no memory for %zu bytes", size);
    size_t have = 0;
    smc_code_t rc = SMC_OK;
    while (rc == SMC_OK && have < size) {
        ssize_t n = read(fd, text + have, size - have);
        if (n == 0)
            break;
        if (n > 0)
            have += (size_t)n;
        else if (errno != EINTR)
            rc = smc_fail(err, SMC_ESYS, OP, errno, "%s", strerror(errno));
    }
    if (rc == SMC_OK)
        rc = smcr_env_parse(env, text, have, err);
    wipe_free(text, size + 1);
    return rc;
}

smc_code_t smcr_env_load(smcr_env_t *env, const char *path, bool *exposed, smc_error_t *err)
{
    struct stat st;
    smc_code_t rc = SMC_OK;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not block us */
    if (fd < 0)
        return smc_fail(err, SMC_ESYS, OP, errno, "%s", strerror(errno));
    if (fstat(fd, &st) != 0)
        rc = smc_fail(err, SMC_ESYS, OP, errno, "%s", strerror(errno));
    else if (!S_ISREG(st.st_mode))
        rc = smc_fail(err, SMC_ESYS, OP, 0, "this is no regular file");
    else if ((size_t)st.st_size > MAX_FILE_BYTES)
        rc = smc_fail(err, SMC_ETOOBIG, OP, 0, "more than %zu bytes", MAX_FILE_BYTES);
    if (rc == SMC_OK) {
        *exposed = (st.st_mode & (S_IRGRP | S_IROTH)) != 0;
        rc = read_all(fd, (size_t)st.st_size, env, err);
    }
    (void)close(fd);
    return rc;
}

static bool is_ours(const char *name)
{
    static const char *const beginnings[] = {"BINANCE_", "BYBIT_", "OANDA_",
                                             "SMCRUN_CA_FILE=", "SMCRUN_REDIS_URL="};
    for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++)
        if (strncmp(name, beginnings[i], strlen(beginnings[i])) == 0)
            return true;
    return false;
}

smc_code_t smcr_env_overlay(smcr_env_t *env, char *const *environ, smc_error_t *err)
{
    for (; *environ != NULL; environ++) {
        const char *eq = strchr(*environ, '=');
        if (eq == NULL)
            continue;
        size_t name_len = (size_t)(eq - *environ);
        bool wanted = is_ours(*environ);
        for (size_t i = 0; i < env->count && !wanted; i++)
            wanted = strlen(env->pairs[i].name) == name_len &&
                     memcmp(env->pairs[i].name, *environ, name_len) == 0;
        if (wanted && set(env, *environ, name_len, eq + 1, true) != SMC_OK)
            return smc_fail(err, SMC_ENOMEM, OP, 0, "no memory for the environment");
    }
    return SMC_OK;
}

const char *smcr_env_get(const smcr_env_t *env, const char *name)
{
    for (size_t i = 0; i < env->count; i++)
        if (strcmp(env->pairs[i].name, name) == 0)
            return env->pairs[i].value;
    return NULL;
}

void smcr_env_deinit(smcr_env_t *env)
{
    for (size_t i = 0; i < env->count; i++) {
        wipe_free(env->pairs[i].value, strlen(env->pairs[i].value));
        free(env->pairs[i].name);
    }
    free(env->pairs);
    *env = (smcr_env_t){0};
}
