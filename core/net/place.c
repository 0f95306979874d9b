#include "place_priv.h"

#include "loop_priv.h"
#include "smc/tmpdir.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 4096
#define FIRST_VIRTUAL_PORT 20001
#define BASE_MAX 32
#define DIR_NAME "smcrun-sockets-" /* no name of shared memory (smc/shm.h), which lies there too */

typedef struct place {
    uint16_t port;
    struct sockaddr_un addr;
    struct place *next;
} place_t;

/* What is not as the name says. */
typedef struct override {
    struct override *next;
    bool hidden;  /* nobody finds it */
    uint16_t via; /* 0, or the port of the relay that leads there */
    uint16_t port;
    char host[];
} override_t;

struct smc_places {
    override_t *overrides;
    bool is_virtual;
    char dir[80]; /* "" until the first virtual listener */
    int lock;     /* on it, or -1 */
    uint16_t next_port;
    place_t *first;
};

smc_places_t *smc_places_new(bool is_virtual)
{
    smc_places_t *places = calloc(1, sizeof(*places));

    if (places == NULL)
        return NULL;
    places->is_virtual = is_virtual;
    places->lock = -1;
    places->next_port = FIRST_VIRTUAL_PORT;
    return places;
}

void smc_places_free(smc_places_t *places)
{
    place_t *next;

    if (places == NULL)
        return;
    for (place_t *p = places->first; p != NULL; p = next) {
        next = p->next;
        (void)unlink(p->addr.sun_path);
        free(p);
    }
    for (override_t *h = places->overrides, *after; h != NULL; h = after) {
        after = h->next;
        free(h);
    }
    if (places->dir[0] != '\0')
        (void)rmdir(places->dir);
    if (places->lock >= 0)
        (void)close(places->lock);
    free(places);
}

static smc_code_t fail_sys(smc_error_t *err, const char *what)
{
    int sys = errno;

    return smc_fail(err, SMC_ESYS, "loop.listen", sys, "%s: %s", what, strerror(sys));
}

/* A socket path holds 107 bytes: a long TMPDIR is passed over.  Without one, memory comes before /tmp, which mostly lies
 * on a disk: each world makes a directory and sockets, and its disk's journal would take down every one of them. */
static const char *base_dir(void)
{
    const char *base = getenv("TMPDIR");

    if (base != NULL && strlen(base) <= BASE_MAX && access(base, W_OK) == 0)
        return base;
    return access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
}

static smc_code_t make_dir(smc_places_t *places, smc_error_t *err)
{
    if (places->dir[0] != '\0')
        return SMC_OK;
    smc_code_t rc = smc_tmpdir_make_in(base_dir(), DIR_NAME, places->dir, sizeof(places->dir),
                                       &places->lock, err);
    if (rc != SMC_OK)
        places->dir[0] = '\0';
    return rc;
}

void smc_loop_sweep(long pid)
{
    smc_tmpdir_sweep_in(base_dir(), DIR_NAME, pid);
}

static smc_code_t bind_and_listen(int fd, const struct sockaddr *addr, socklen_t size,
                                  smc_error_t *err)
{
    if (bind(fd, addr, size) != 0)
        return fail_sys(err, "bind");
    if (listen(fd, BACKLOG) != 0)
        return fail_sys(err, "listen");
    return SMC_OK;
}

static smc_code_t listen_unix(smc_places_t *places, uint16_t want_port, int fd, uint16_t *port,
                              smc_error_t *err)
{
    place_t *p = calloc(1, sizeof(*p));
    smc_code_t rc;

    if (p == NULL)
        return smc_fail(err, SMC_ENOMEM, "loop.listen", 0, "out of memory");
    p->port = want_port != 0 ? want_port : places->next_port++;
    p->addr.sun_family = AF_UNIX;
    rc = make_dir(places, err);
    if (rc == SMC_OK) {
        (void)snprintf(p->addr.sun_path, sizeof(p->addr.sun_path), "%s/%u", places->dir,
                       (unsigned)p->port);
        rc = bind_and_listen(fd, (const struct sockaddr *)&p->addr, sizeof(p->addr), err);
    }
    if (rc != SMC_OK) {
        free(p);
        return rc;
    }
    p->next = places->first;
    places->first = p;
    *port = p->port;
    return SMC_OK;
}

static smc_code_t listen_tcp(const char *host, uint16_t want_port, int fd, uint16_t *port,
                             smc_error_t *err)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons(want_port)};
    socklen_t size = sizeof(addr);
    smc_code_t rc;
    int one = 1;

    if (inet_pton(AF_INET, host == NULL ? "127.0.0.1" : host, &addr.sin_addr) != 1)
        return smc_fail(err, SMC_EINVAL, "loop.listen", 0, "'%s' is no IPv4 address", host);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    rc = bind_and_listen(fd, (const struct sockaddr *)&addr, sizeof(addr), err);
    if (rc != SMC_OK)
        return rc;
    if (getsockname(fd, (struct sockaddr *)&addr, &size) != 0)
        return fail_sys(err, "getsockname");
    *port = ntohs(addr.sin_port);
    return SMC_OK;
}

smc_code_t smc_loop_listen(smc_loop_t *loop, const char *host, uint16_t want_port, int *fd,
                           uint16_t *port, smc_error_t *err)
{
    smc_places_t *places = smc_loop_places(loop);
    int family = places->is_virtual ? AF_UNIX : AF_INET;
    int sock = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    smc_code_t rc;

    if (sock < 0)
        return fail_sys(err, "socket");
    rc = places->is_virtual ? listen_unix(places, want_port, sock, port, err)
                            : listen_tcp(host, want_port, sock, port, err);
    if (rc != SMC_OK) {
        (void)close(sock);
        return rc;
    }
    *fd = sock;
    return SMC_OK;
}

void smc_loop_unlisten(smc_loop_t *loop, uint16_t port)
{
    for (place_t **link = &smc_loop_places(loop)->first; *link != NULL; link = &(*link)->next) {
        place_t *p = *link;
        if (p->port != port)
            continue;
        *link = p->next;
        (void)unlink(p->addr.sun_path);
        free(p);
        return;
    }
}

bool smc_loop_route(const smc_loop_t *loop, const char *host, uint16_t port, const char **path)
{
    const smc_places_t *places = smc_loop_places(loop);

    *path = NULL;
    if (!places->is_virtual)
        return false;
    if (strcmp(host, "127.0.0.1") != 0 && strcmp(host, "localhost") != 0)
        return true;
    for (const place_t *p = places->first; p != NULL; p = p->next)
        if (p->port == port)
            *path = p->addr.sun_path;
    return true;
}

bool smc_loop_gave(const smc_loop_t *loop, uint16_t port)
{
    return port >= FIRST_VIRTUAL_PORT && port < smc_loop_places(loop)->next_port;
}

/* ---- names that lead nowhere, or elsewhere ------------------------------ */

static override_t *find_override(const smc_loop_t *loop, const char *host, uint16_t port)
{
    override_t *o = smc_loop_places(loop)->overrides;

    while (o != NULL && (o->port != port || strcmp(o->host, host) != 0))
        o = o->next;
    return o;
}

/* The override of a place; made when there is none.  NULL: out of memory. */
static override_t *override_of(smc_loop_t *loop, const char *host, uint16_t port, smc_error_t *err)
{
    override_t *o = find_override(loop, host, port);
    smc_places_t *places = smc_loop_places(loop);

    if (o != NULL)
        return o;
    o = calloc(1, sizeof(*o) + strlen(host) + 1);
    if (o == NULL) {
        (void)smc_fail(err, SMC_ENOMEM, "loop.place", 0, "out of memory");
        return NULL;
    }
    o->port = port;
    memcpy(o->host, host, strlen(host) + 1);
    o->next = places->overrides;
    places->overrides = o;
    return o;
}

smc_code_t smc_loop_hide(smc_loop_t *loop, const char *host, uint16_t port, bool on,
                         smc_error_t *err)
{
    override_t *o = override_of(loop, host, port, err);

    if (o == NULL)
        return SMC_ENOMEM;
    o->hidden = on;
    return SMC_OK;
}

bool smc_loop_hidden(const smc_loop_t *loop, const char *host, uint16_t port)
{
    const override_t *o = find_override(loop, host, port);

    return o != NULL && o->hidden;
}

smc_code_t smc_loop_lead(smc_loop_t *loop, const char *host, uint16_t port, uint16_t via,
                         smc_error_t *err)
{
    override_t *o = override_of(loop, host, port, err);

    if (o == NULL)
        return SMC_ENOMEM;
    o->via = via;
    return SMC_OK;
}

uint16_t smc_loop_detour(const smc_loop_t *loop, const char *host, uint16_t port)
{
    const override_t *o = find_override(loop, host, port);

    return o == NULL ? 0 : o->via;
}
