#include "run/folders.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define OP "watch"
enum { MAX_DEPTH = 64 }; /* a link may lead in a circle */

/* A file that is written is of interest when it is closed. */
#define CHANGES (IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE | IN_ONLYDIR)

typedef struct smcr_folder {
    int watch;
    char *path;
    bool below; /* and all below it */
} folder_t;

bool smcr_names_have(const smcr_names_t *names, const char *name)
{
    for (size_t i = 0; i < names->n; i++)
        if (strcmp(names->all[i], name) == 0)
            return true;
    return false;
}

bool smcr_names_add(smcr_names_t *names, const char *name)
{
    if (smcr_names_have(names, name))
        return true;
    char **grown = reallocarray(names->all, names->n + 1, sizeof(*grown));
    if (grown == NULL)
        return false;
    names->all = grown;
    names->all[names->n] = strdup(name);
    return names->all[names->n] != NULL && ++names->n > 0;
}

void smcr_names_deinit(smcr_names_t *names)
{
    for (size_t i = 0; i < names->n; i++)
        free(names->all[i]);
    free(names->all);
    *names = (smcr_names_t){0};
}

smc_code_t smcr_folders_open(smcr_folders_t *f, smc_error_t *err)
{
    *f = (smcr_folders_t){.fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC)};
    if (f->fd < 0)
        return smc_fail(err, SMC_ESYS, OP, errno, "--watch: inotify: %s", strerror(errno));
    return SMC_OK;
}

void smcr_folders_close(smcr_folders_t *f)
{
    for (size_t i = 0; i < f->n; i++)
        free(f->_all[i].path);
    free(f->_all);
    if (f->fd >= 0)
        (void)close(f->fd);
    *f = (smcr_folders_t){.fd = -1};
}

static smc_code_t no_memory(smc_error_t *err)
{
    return smc_fail(err, SMC_ENOMEM, OP, 0, "no memory for the names of files");
}

/* Takes path over. */
static smc_code_t keep(smcr_folders_t *f, int watch, char *path, bool below, smc_error_t *err)
{
    folder_t *grown = reallocarray(f->_all, f->n + 1, sizeof(*grown));
    if (grown == NULL) {
        free(path);
        return no_memory(err);
    }
    f->_all = grown;
    f->_all[f->n++] = (folder_t){.watch = watch, .path = path, .below = below};
    return SMC_OK;
}

static folder_t *find(const smcr_folders_t *f, int watch)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->_all[i].watch == watch)
            return &f->_all[i];
    return NULL;
}

static const char *path_of(const smcr_folders_t *f, int watch)
{
    const folder_t *folder = find(f, watch);
    return folder == NULL ? NULL : folder->path;
}

/* found: gets the files that are there; NULL: of no interest. */
static smc_code_t add(smcr_folders_t *f, const char *path, smcr_names_t *found, unsigned depth,
                      smc_error_t *err);

static smc_code_t add_entries(smcr_folders_t *f, const char *folder, smcr_names_t *found,
                              unsigned depth, smc_error_t *err)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    smc_code_t rc = SMC_OK;
    if (dir == NULL)
        return SMC_OK; /* it is gone again */
    while (rc == SMC_OK && (entry = readdir(dir)) != NULL) {
        char path[PATH_MAX];
        struct stat st;
        if (entry->d_name[0] == '.' ||
            snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name) >= (int)sizeof(path) ||
            stat(path, &st) != 0)
            continue;
        if (S_ISDIR(st.st_mode))
            rc = add(f, path, found, depth + 1, err);
        else if (found != NULL && !smcr_names_add(found, path))
            rc = no_memory(err);
    }
    (void)closedir(dir);
    return rc;
}

static smc_code_t add(smcr_folders_t *f, const char *path, smcr_names_t *found, unsigned depth,
                      smc_error_t *err)
{
    char *real = realpath(path, NULL);
    int watch = real == NULL ? -1 : inotify_add_watch(f->fd, real, CHANGES);
    if (watch < 0) {
        int why = errno;
        free(real);
        if (why == ENOENT || why == ENOTDIR || why == EACCES)
            return SMC_OK; /* it is gone again, or nobody can run what is in there */
        return smc_fail(
            err, SMC_ESYS, OP, why, "--watch: cannot watch '%s': %s%s", path, strerror(why),
            why == ENOSPC ? "; allow more with: sysctl fs.inotify.max_user_watches=N" : "");
    }
    folder_t *known = find(f, watch);
    bool below = depth < MAX_DEPTH, news = known == NULL || (below && !known->below);
    smc_code_t rc = SMC_OK;
    if (known == NULL) {
        rc = keep(f, watch, real, below, err);
    } else {
        known->below = known->below || below;
        free(real);
    }
    return rc == SMC_OK && news && below ? add_entries(f, path_of(f, watch), found, depth, err)
                                         : rc;
}

smc_code_t smcr_folders_add(smcr_folders_t *f, const char *path, bool below, smc_error_t *err)
{
    return add(f, path, NULL, below ? 0 : MAX_DEPTH, err);
}

static void forget(smcr_folders_t *f, int watch)
{
    for (size_t i = 0; i < f->n; i++) {
        if (f->_all[i].watch != watch)
            continue;
        free(f->_all[i].path);
        f->_all[i] = f->_all[--f->n];
        return;
    }
}

static smc_code_t on_change(smcr_folders_t *f, const struct inotify_event *ev,
                            smcr_names_t *changed, smc_error_t *err)
{
    char path[PATH_MAX];
    const char *folder = path_of(f, ev->wd);
    if ((ev->mask & IN_IGNORED) != 0)
        forget(f, ev->wd);
    if (folder == NULL || ev->len == 0 || (ev->mask & IN_IGNORED) != 0 ||
        snprintf(path, sizeof(path), "%s/%s", folder, ev->name) >= (int)sizeof(path))
        return SMC_OK;
    if ((ev->mask & IN_ISDIR) != 0)
        return ev->name[0] == '.' ? SMC_OK : add(f, path, changed, 0, err);
    if ((ev->mask & IN_CREATE) != 0)
        return SMC_OK; /* it is being written */
    return smcr_names_add(changed, path) ? SMC_OK : no_memory(err);
}

smc_code_t smcr_folders_read(smcr_folders_t *f, smcr_names_t *changed, bool *lost, smc_error_t *err)
{
    char bytes[16 << 10] __attribute__((aligned(__alignof__(struct inotify_event))));
    ssize_t n;
    while ((n = read(f->fd, bytes, sizeof(bytes))) > 0) {
        for (ssize_t at = 0; at < n;) {
            const struct inotify_event *ev = (const struct inotify_event *)(bytes + at);
            *lost = *lost || (ev->mask & IN_Q_OVERFLOW) != 0;
            smc_code_t rc = on_change(f, ev, changed, err);
            if (rc != SMC_OK)
                return rc;
            at += (ssize_t)(sizeof(*ev) + ev->len);
        }
    }
    if (n < 0 && errno != EAGAIN && errno != EINTR)
        return smc_fail(err, SMC_ESYS, OP, errno, "--watch: inotify: %s", strerror(errno));
    return SMC_OK;
}
