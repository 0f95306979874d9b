#include "redis_place_priv.h"

#include "smc/buf.h"
#include "smc/host_policy.h"
#include "smc/text.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define OP "redis"
#define PORT 6379

static smc_code_t bad_place(smc_error_t *err)
{
    return smc_fail(err, SMC_EINVAL, OP, 0,
                    "redis is written redis://HOST[:PORT][/DB] or unix:///PATH, where the operator "
                    "names it with USER:PASSWORD@ before HOST or /PATH");
}

/* ---- who asks ------------------------------------------------------------------ */

static smc_code_t keep_password(const char *text, size_t n, smc_log_t *log, redis_place_t *out,
                                smc_error_t *err)
{
    smc_buf_t plain = {0}; /* never grows, which would leave a copy */
    if (smc_buf_reserve(&plain, REDIS_PLACE_MAX) != SMC_OK)
        return smc_fail(err, SMC_ENOMEM, OP, 0, "out of memory");
    smc_code_t rc = smc_percent_decode(text, n, &plain) == SMC_OK ? SMC_OK : bad_place(err);
    if (rc == SMC_OK && plain.len < SMC_LOG_SECRET_MIN)
        rc = smc_fail(err, SMC_EINVAL, OP, 0,
                      "the password of redis is too short to be hidden in logs: it needs %d bytes",
                      SMC_LOG_SECRET_MIN);
    if (rc == SMC_OK && log != NULL)
        rc = smc_log_hide(log, plain.data, plain.len, err);
    if (rc == SMC_OK)
        rc = smc_secret_new(plain.data, plain.len, &out->password, err);
    smc_wipe(plain.data, plain.len);
    smc_buf_deinit(&plain);
    return rc;
}

/* "[USER]:PASSWORD", or "USER" */
static smc_code_t read_who(const smc_redis_conf_t *conf, const char *text, size_t n,
                           redis_place_t *out, smc_error_t *err)
{
    if (!conf->named)
        return smc_fail(err, SMC_EPOLICY, OP, 0,
                        "no user and no password in a scenario: set SMCRUN_REDIS_URL="
                        "redis://USER:PASSWORD@HOST in the environment and write redis = true");
    const char *colon = memchr(text, ':', n);
    size_t name = colon != NULL ? (size_t)(colon - text) : n;
    smc_buf_t user = {0};
    bool fine = smc_percent_decode(text, name, &user) == SMC_OK;
    (void)snprintf(out->user, sizeof(out->user), "%.*s", (int)user.len,
                   user.len > 0 ? user.data : "");
    smc_buf_deinit(&user);
    if (!fine || colon == NULL)
        return bad_place(err);
    return keep_password(colon + 1, n - name - 1, conf->log, out, err);
}

/* ---- where it is ------------------------------------------------------------------ */

static smc_code_t check_host(const smc_redis_conf_t *conf, const char *host, smc_error_t *err)
{
    if (host[0] == '\0')
        return bad_place(err);
    if (conf->named || smc_host_is_loopback(host))
        return SMC_OK;
    return smc_fail(err, SMC_EPOLICY, OP, 0,
                    "redis at '%.60s' is refused: a scenario names 127.0.0.1; set SMCRUN_REDIS_URL "
                    "in the environment and write redis = true (unencrypted), or use a tunnel",
                    host);
}

/* "HOST[:PORT][/DB]" */
static smc_code_t read_tcp(const smc_redis_conf_t *conf, const char *text, redis_place_t *out,
                           smc_error_t *err)
{
    char rest[REDIS_PLACE_MAX], extra;
    (void)snprintf(rest, sizeof(rest), "%s", text);
    char *slash = strchr(rest, '/');
    if (slash != NULL && slash[1] != '\0' &&
        (sscanf(slash + 1, "%d%c", &out->db, &extra) != 1 || out->db < 0))
        return bad_place(err);
    if (slash != NULL)
        *slash = '\0';
    char *colon = strrchr(rest, ':');
    if (colon != NULL && strchr(colon, ']') == NULL) {
        if (sscanf(colon + 1, "%d%c", &out->port, &extra) != 1 || out->port < 1 ||
            out->port > 65535)
            return bad_place(err);
        *colon = '\0';
    }
    smc_code_t rc = check_host(conf, rest, err);
    size_t n = strlen(rest);
    bool v6 = rest[0] == '[' && rest[n - 1] == ']';
    (void)snprintf(out->host, sizeof(out->host), "%.*s", (int)(v6 ? n - 2 : n), rest + v6);
    return rc;
}

smc_code_t redis_place_read(const smc_redis_conf_t *conf, redis_place_t *out, smc_error_t *err)
{
    const char *place = conf->place;
    bool tcp = strncmp(place, "redis://", 8) == 0;
    *out = (redis_place_t){.port = tcp ? PORT : 0};
    if (strncmp(place, "rediss://", 9) == 0)
        return smc_fail(err, SMC_EINVAL, OP, 0,
                        "rediss:// is not spoken: hiredis of Debian 12 has no TLS; let a tunnel "
                        "(stunnel, ssh -L) end on 127.0.0.1 and write redis://127.0.0.1:PORT");
    if (strlen(place) >= REDIS_PLACE_MAX || (!tcp && strncmp(place, "unix://", 7) != 0))
        return bad_place(err);
    const char *rest = place + (tcp ? 8 : 7), *at = strrchr(rest, '@');
    if (at != NULL) {
        smc_code_t rc = read_who(conf, rest, (size_t)(at - rest), out, err);
        if (rc != SMC_OK)
            return rc;
        rest = at + 1;
    }
    if (tcp)
        return read_tcp(conf, rest, out, err);
    if (rest[0] != '/' || rest[1] == '\0')
        return bad_place(err);
    (void)snprintf(out->host, sizeof(out->host), "%s", rest);
    return SMC_OK;
}

void redis_place_deinit(redis_place_t *place)
{
    smc_secret_free(place->password);
    *place = (redis_place_t){0};
}
