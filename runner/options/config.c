#include "options/config.h"

#include "options/nearest.h"
#include "options/options_priv.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OP "config"
#define PREFIX "SMCRUN_"
enum { MAX_KEY = 32, MAX_KEYS = SMCR_MAX_KEYS, MAX_FILE_BYTES = 1 << 18 };

/* ---- keys --------------------------------------------------------------------- */

void smcr_config_key(const smcr_option_t *option, char out[MAX_KEY])
{
    size_t i = 0;
    for (const char *c = option->name + 2; *c != '\0' && i < MAX_KEY - 1; c++)
        out[i++] = *c == '-' ? '_' : *c;
    out[i] = '\0';
}

/* The n-th option that can be configured, once for each name; NULL: no more. */
static const smcr_option_t *nth_key(size_t n)
{
    for (const smcr_option_group_t *const *g = smcr_option_groups; *g != NULL; g++)
        for (size_t i = 0; i < (*g)->n; i++)
            if (((*g)->options[i].commands & CONF) != 0 && n-- == 0)
                return &(*g)->options[i];
    return NULL;
}

static const smcr_option_t *find_key(const char *name, size_t n)
{
    char key[MAX_KEY];
    const smcr_option_t *option;
    for (size_t i = 0; (option = nth_key(i)) != NULL; i++) {
        smcr_config_key(option, key);
        if (strlen(key) == n && memcmp(key, name, n) == 0)
            return option;
    }
    return NULL;
}

/* The option of that key that only a command line can give; NULL: there is none. */
static const char *find_flag(const char *name, size_t n)
{
    char key[MAX_KEY];
    const smcr_option_t *option;
    for (size_t i = 0; (option = smcr_nth_option(SMCR_CMD_RUN, i)) != NULL; i++) {
        smcr_config_key(option, key);
        if (strlen(key) == n && memcmp(key, name, n) == 0)
            return option->name;
    }
    return NULL;
}

/* "; did you mean 'jobs'?", in upper case behind a prefix, "; only a command line gives --list", or nothing. */
static void suggest(const char *name, size_t n, const char *prefix, char *out, size_t size)
{
    const char *flag = find_flag(name, n);
    if (flag != NULL) {
        (void)snprintf(out, size, "; only a command line gives %s", flag);
        return;
    }
    char keys[MAX_KEYS][MAX_KEY];
    const char *names[MAX_KEYS + 1];
    const smcr_option_t *option;
    size_t count = 0;
    for (; count < MAX_KEYS && (option = nth_key(count)) != NULL; count++) {
        smcr_config_key(option, keys[count]);
        names[count] = keys[count];
    }
    names[count] = NULL;
    out[0] = '\0';
    const char *near = smcr_nearest(name, n, names);
    if (near == NULL)
        return;
    (void)snprintf(out, size, "; did you mean '%s%s'?", prefix, near);
    for (char *c = out + strlen("; did you mean '"); prefix[0] != '\0' && *c != '\''; c++)
        *c = (char)toupper((unsigned char)*c);
}

/* ---- settings ----------------------------------------------------------------- */

static smc_code_t no_memory(smc_error_t *err)
{
    return smc_fail(err, SMC_ENOMEM, OP, 0, "no memory for the configuration");
}

smcr_setting_t *smcr_config_add(smcr_config_t *config, const char *name, size_t n,
                                const char *source, smc_error_t *err)
{
    const smcr_option_t *option = find_key(name, n);
    if (option == NULL) {
        char near[80];
        suggest(name, n, "", near, sizeof(near));
        (void)smc_fail(err, SMC_EINVAL, OP, 0, "%s: unknown key '%.*s'%s", source,
                       (int)(n > 40 ? 40 : n), name, near);
        return NULL;
    }
    smcr_setting_t *grown = reallocarray(config->items, config->count + 1, sizeof(*grown));
    char *copy = grown == NULL ? NULL : strdup(source);
    if (grown != NULL)
        config->items = grown;
    if (copy == NULL) {
        (void)no_memory(err);
        return NULL;
    }
    grown[config->count] = (smcr_setting_t){.option = option, .source = copy};
    return &grown[config->count++];
}

smc_code_t smcr_setting_add(smcr_setting_t *setting, const char *value, smc_error_t *err)
{
    char **grown = reallocarray(setting->values, setting->n_values + 1, sizeof(*grown));
    char *copy = grown == NULL ? NULL : strdup(value);
    if (grown != NULL)
        setting->values = grown;
    if (copy == NULL)
        return no_memory(err);
    grown[setting->n_values++] = copy;
    return SMC_OK;
}

void smcr_config_deinit(smcr_config_t *config)
{
    for (size_t i = 0; i < config->count; i++) {
        smcr_setting_t *s = &config->items[i];
        for (size_t k = 0; k < s->n_values; k++)
            free(s->values[k]);
        free(s->values);
        free(s->source);
        free(s->unused);
    }
    free(config->items);
    free(config->path);
    *config = (smcr_config_t){0};
}

/* ---- the environment ------------------------------------------------------------ */

/* What may be given several times is separated by commas. */
static smc_code_t read_values(smcr_setting_t *s, const char *value, smc_error_t *err)
{
    if (!s->option->repeatable || s->option->takes == NOTHING)
        return smcr_setting_add(s, value, err);
    char *all = strdup(value), *rest = all, *one;
    smc_code_t rc = all == NULL ? no_memory(err) : SMC_OK;
    while (rc == SMC_OK && (one = strsep(&rest, ",")) != NULL)
        rc = smcr_setting_add(s, one, err);
    free(all);
    return rc;
}

static smc_code_t read_switch(smcr_setting_t *s, const char *value, smc_error_t *err)
{
    if (strcmp(value, "0") == 0)
        return SMC_OK;
    if (strcmp(value, "1") == 0)
        return smcr_setting_add(s, "1", err);
    return smc_fail(err, SMC_EINVAL, OP, 0, "%s wants 1 or 0, not '%s'", s->source, value);
}

static smc_code_t read_variable(smcr_config_t *config, const char *variable, size_t n,
                                const char *value, smc_error_t *err)
{
    char name[64], key[64];
    (void)snprintf(name, sizeof(name), "%.*s", (int)n, variable);
    size_t len = n < sizeof(name) ? n : sizeof(name) - 1;
    for (size_t i = strlen(PREFIX); i <= len; i++)
        key[i - strlen(PREFIX)] = (char)tolower((unsigned char)name[i]);
    len -= strlen(PREFIX);
    if (find_key(key, len) == NULL) {
        char near[80];
        suggest(key, len, PREFIX, near, sizeof(near));
        return smc_fail(err, SMC_EINVAL, OP, 0, "unknown variable '%s' in the environment%s", name,
                        near);
    }
    smcr_setting_t *s = smcr_config_add(config, key, len, name, err);
    if (s == NULL)
        return err == NULL ? SMC_ENOMEM : err->code;
    return s->option->takes == NOTHING ? read_switch(s, value, err) : read_values(s, value, err);
}

/* Variables of ours that configure no option: those of access.c, and the count of shard.c. */
static bool belongs_elsewhere(const char *variable)
{
    static const char *const names[] = {"SMCRUN_CA_FILE=", "SMCRUN_REDIS_URL=", "SMCRUN_SHARDS="};
    bool found = false;
    for (size_t i = 0; i < SMCR_COUNT(names) && !found; i++)
        found = strncmp(variable, names[i], strlen(names[i])) == 0;
    return found;
}

smc_code_t smcr_config_environ(smcr_config_t *config, char *const *environ, smc_error_t *err)
{
    smc_code_t rc = SMC_OK;
    for (; *environ != NULL && rc == SMC_OK; environ++) {
        const char *eq = strchr(*environ, '=');
        if (strncmp(*environ, PREFIX, strlen(PREFIX)) != 0 || eq == NULL || eq[1] == '\0' ||
            belongs_elsewhere(*environ))
            continue;
        rc = read_variable(config, *environ, (size_t)(eq - *environ), eq + 1, err);
    }
    return rc;
}

/* ---- the file ------------------------------------------------------------------- */

static bool exists(const char *folder, const char *name)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%s/%s", folder, name);
    return n > 0 && (size_t)n < sizeof(path) && access(path, F_OK) == 0;
}

/* "/a/b" -> "/a"; false: it was the root. */
static bool go_up(char *folder)
{
    char *slash = strrchr(folder, '/');
    if (folder[1] == '\0' || slash == NULL)
        return false;
    slash[slash == folder ? 1 : 0] = '\0';
    return true;
}

/* Where the file lies: here, or in a folder above that belongs to the same repository.  up: "../" for each step. */
static bool find_folder(char up[PATH_MAX])
{
    char here[PATH_MAX], top[PATH_MAX];
    up[0] = '\0';
    if (getcwd(here, sizeof(here)) == NULL)
        return exists(".", SMCR_CONFIG_NAME);
    (void)snprintf(top, sizeof(top), "%s", here);
    while (!exists(top, ".git"))
        if (!go_up(top)) { /* no repository: only here */
            (void)snprintf(top, sizeof(top), "%s", here);
            break;
        }
    while (!exists(here, SMCR_CONFIG_NAME)) {
        size_t len = strlen(up);
        if (strcmp(here, top) == 0 || len + 4 > PATH_MAX || !go_up(here))
            return false;
        (void)snprintf(up + len, PATH_MAX - len, "../");
    }
    return true;
}

static smc_code_t read_file(const char *path, char **text, size_t *n, smc_error_t *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > MAX_FILE_BYTES) {
        const char *why = fd < 0                ? strerror(errno)
                          : S_ISREG(st.st_mode) ? "it has more than 256 KiB"
                                                : "it is no file";
        int sys = fd < 0 ? errno : 0;
        if (fd >= 0)
            (void)close(fd);
        return smc_fail(err, SMC_ESYS, OP, sys, "cannot read '%.100s': %s", path, why);
    }
    *text = malloc((size_t)st.st_size + 1);
    ssize_t got = *text == NULL ? -1 : read(fd, *text, (size_t)st.st_size);
    (void)close(fd);
    if (got < 0)
        return smc_fail(err, SMC_ESYS, OP, errno, "cannot read '%.100s': %s", path,
                        strerror(errno));
    *n = (size_t)got;
    return SMC_OK;
}

smc_code_t smcr_config_load(smcr_config_t *config, const char *given, smc_error_t *err)
{
    char folder[PATH_MAX], path[PATH_MAX];
    char *text = NULL;
    size_t n = 0;
    if (given == NULL) {
        if (!find_folder(folder))
            return SMC_OK;
        (void)snprintf(path, sizeof(path), "%.4000s" SMCR_CONFIG_NAME, folder);
    } else {
        const char *slash = strrchr(given, '/');
        (void)snprintf(path, sizeof(path), "%s", given);
        (void)snprintf(folder, sizeof(folder), "%.*s", slash == NULL ? 0 : (int)(slash - given + 1),
                       given);
    }
    smc_code_t rc = read_file(path, &text, &n, err);
    if (rc == SMC_OK)
        rc = smcr_config_read(config, text, n, path, folder, err);
    free(text);
    config->path = rc == SMC_OK ? strdup(path) : NULL;
    return rc == SMC_OK && config->path == NULL ? no_memory(err) : rc;
}
