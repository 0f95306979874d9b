#include "keys/access.h"

#include "report/text.h"

#include "smc/host_policy.h"
#include "smc/url.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OP "access"
#define CA_FILE "SMCRUN_CA_FILE"
enum { MAX_CA_BYTES = 1 << 20 };

static const char *const addresses[] = {"BINANCE_TESTNET_URL", "BYBIT_TESTNET_URL",
                                        "OANDA_PRACTICE_URL"};

static smcr_exit_t complain(smcr_exit_t status, const char *prefix, const smc_error_t *err)
{
    (void)fprintf(stderr, "smcrun: %s", prefix);
    smcr_put_lines(stderr, "", err->detail);
    return status;
}

/* Short values, the addresses of venues and the names of files are no secrets, and hiding them would make reports
 * unreadable. */
static bool is_secret(const smcr_pair_t *pair)
{
    enum { SHORTEST_SECRET = 8 };
    bool address = strstr(pair->value, "://") != NULL && strchr(pair->value, '@') == NULL;
    return strlen(pair->value) >= SHORTEST_SECRET && !address && strcmp(pair->name, CA_FILE) != 0;
}

/* What only looks like an option that was set. */
static smc_code_t refuse_options(const smcr_env_t *env, smc_error_t *err)
{
    for (size_t i = 0; i < env->count; i++)
        if (strncmp(env->pairs[i].name, "SMCRUN_", 7) == 0 &&
            strcmp(env->pairs[i].name, CA_FILE) != 0)
            return smc_fail(err, SMC_EINVAL, OP, 0,
                            "%.60s: options are set in the environment or in smcrun.lua, not here",
                            env->pairs[i].name);
    return SMC_OK;
}

/* What cannot be kept out of a report, since hiding so short a text would spoil the rest of it. */
static smc_code_t refuse_short(const smcr_env_t *env, smc_error_t *err)
{
    static const char *const secrets[] = {"BINANCE_TESTNET_API_SECRET", "BYBIT_TESTNET_API_SECRET",
                                          "OANDA_PRACTICE_API_KEY"};
    for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
        const char *value = smcr_env_get(env, secrets[i]);
        if (value != NULL && value[strspn(value, " \t")] != '\0' &&
            strlen(value) < SMC_LOG_SECRET_MIN)
            return smc_fail(err, SMC_EINVAL, OP, 0,
                            "%s is too short: a secret has at least %d characters", secrets[i],
                            SMC_LOG_SECRET_MIN);
    }
    return SMC_OK;
}

static smcr_exit_t load_env(smcr_access_t *a, const smcr_options_t *options)
{
    smc_error_t err = {0};
    char prefix[80];
    bool exposed = false;
    const char *path = options->env_file == NULL ? ".env" : options->env_file;
    smc_code_t rc = smcr_env_load(&a->env, path, &exposed, &err);
    if (rc == SMC_ESYS && err.sys == ENOENT && options->env_file == NULL)
        rc = SMC_OK;
    if (rc == SMC_OK)
        rc = refuse_options(&a->env, &err);
    (void)snprintf(prefix, sizeof(prefix),
                   "%s%.60s: ", options->env_file == NULL ? "" : "--env-file ", path);
    if (rc != SMC_OK)
        return complain(SMCR_EXIT_USAGE, prefix, &err);
    if (exposed)
        (void)fprintf(stderr, "smcrun: warning: others may read %s; mend it with: chmod 600 %s\n",
                      path, path);
    rc = smcr_env_overlay(&a->env, environ, &err);
    if (rc == SMC_OK && refuse_short(&a->env, &err) != SMC_OK)
        return complain(SMCR_EXIT_USAGE, "", &err);
    if (rc == SMC_OK)
        rc = smc_log_new(1, &a->redactor, &err);
    for (size_t i = 0; i < a->env.count && rc == SMC_OK; i++) {
        const char *value = a->env.pairs[i].value;
        if (is_secret(&a->env.pairs[i]))
            rc = smc_log_hide(a->redactor, value, strlen(value), &err);
    }
    return rc == SMC_OK ? SMCR_EXIT_PASSED : complain(SMCR_EXIT_INTERNAL, prefix, &err);
}

smc_code_t smcr_access_check(const char *name, const char *url, smc_error_t *err)
{
    smc_url_t split;
    bool fine = smc_url_split(url, &split, NULL) == SMC_OK &&
                (split.scheme == SMC_SCHEME_HTTP || split.scheme == SMC_SCHEME_HTTPS) &&
                smc_host_is_loopback(split.host) &&
                (split.target[0] == '\0' || strcmp(split.target, "/") == 0);
    if (fine)
        return SMC_OK;
    return smc_fail(err, SMC_EPOLICY, OP, 0,
                    "%s moves a testnet to this machine only, and whole: write "
                    "http://127.0.0.1:PORT or https://127.0.0.1:PORT ([::1] and localhost are "
                    "fine, too), without a path",
                    name);
}

static const char *value_of(const smcr_access_t *a, const char *name)
{
    const char *value = smcr_env_get(&a->env, name);
    return value == NULL || value[0] == '\0' ? NULL : value;
}

static smc_code_t read_ca(const char *path, char **out, smc_error_t *err)
{
    FILE *in = fopen(path, "re");
    char *text = in == NULL ? NULL : malloc(MAX_CA_BYTES);
    if (text == NULL) {
        int why = errno;
        if (in != NULL)
            (void)fclose(in);
        return smc_fail(err, SMC_ESYS, OP, why, CA_FILE ": cannot read '%.200s': %s", path,
                        strerror(why));
    }
    size_t n = fread(text, 1, MAX_CA_BYTES - 1, in);
    (void)fclose(in);
    text[n] = '\0';
    if (strstr(text, "-----BEGIN CERTIFICATE-----") == NULL) {
        free(text);
        return smc_fail(err, SMC_EPARSE, OP, 0,
                        CA_FILE ": '%.200s' holds no certificate in PEM, as written by "
                                "smcrun serve --tls --ca-file",
                        path);
    }
    *out = text;
    return SMC_OK;
}

static smc_code_t read_overrides(smcr_access_t *a, smc_error_t *err)
{
    smc_code_t rc = SMC_OK;
    bool secure = false;
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]) && rc == SMC_OK; i++) {
        const char *url = value_of(a, addresses[i]);
        if (url == NULL)
            continue;
        rc = smcr_access_check(addresses[i], url, err);
        secure = secure || strncmp(url, "https:", 6) == 0;
    }
    const char *path = value_of(a, CA_FILE);
    if (rc != SMC_OK || path == NULL)
        return rc;
    if (!secure)
        return smc_fail(err, SMC_EINVAL, OP, 0,
                        CA_FILE " is for testnets that were moved to https://: set %s, %s or %s",
                        addresses[0], addresses[1], addresses[2]);
    return read_ca(path, &a->ca, err);
}

smcr_exit_t smcr_access_load(smcr_access_t *access, const smcr_options_t *options)
{
    smc_error_t err = {0};
    smcr_exit_t status = load_env(access, options);
    if (status != SMCR_EXIT_PASSED || options->target != SMCR_TESTNET)
        return status;
    return read_overrides(access, &err) == SMC_OK ? SMCR_EXIT_PASSED
                                                  : complain(SMCR_EXIT_USAGE, "", &err);
}

void smcr_access_deinit(smcr_access_t *access)
{
    smc_log_free(access->redactor);
    smcr_env_deinit(&access->env);
    free(access->ca);
    *access = (smcr_access_t){0};
}
