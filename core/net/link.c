#include "link_priv.h"

#include "smc/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define YEAR_US (UINT64_C(366) * 24 * 3600 * 1000000)
#define SIZE_MOST (UINT64_C(1) << 53)

/* ---- the set ------------------------------------------------------------ */

void smc_links_unref(smc_links_t *links)
{
    if (--links->refs == 0)
        free(links);
}

smc_code_t smc_links_open(smc_loop_t *loop, uint64_t seed, smc_links_t **out, smc_error_t *err)
{
    smc_links_t *links = calloc(1, sizeof(*links));

    if (links == NULL)
        return smc_fail(err, SMC_ENOMEM, "links.open", 0, "out of memory");
    links->refs = 1;
    links->loop = loop;
    links->seed = seed;
    *out = links;
    return SMC_OK;
}

void smc_links_drop(smc_links_t *links)
{
    while (links->first != NULL)
        smc_link_kill(links->first, SMC_LINK_RST);
}

void smc_links_close(smc_links_t *links)
{
    smc_harm_t *next;

    if (links == NULL)
        return;
    smc_links_drop(links);
    for (smc_harm_t *harm = links->harms; harm != NULL; harm = next) {
        next = harm->next;
        free(harm);
    }
    links->harms = NULL;
    smc_links_unref(links);
}

size_t smc_links_open_count(const smc_links_t *links)
{
    return links->n_links;
}

static bool is_spent(const smc_harm_t *harm)
{
    return harm->is.count != 0 && harm->hits >= harm->is.count;
}

bool smc_links_wanted(const smc_links_t *links)
{
    for (const smc_harm_t *harm = links->harms; harm != NULL; harm = harm->next)
        if (!harm->is.aimed && !is_spent(harm))
            return true;
    return false;
}

/* ---- who is hit --------------------------------------------------------- */

static smc_harm_t *find(const smc_links_t *links, unsigned id)
{
    smc_harm_t *harm = links->harms;

    while (harm != NULL && harm->id != id)
        harm = harm->next;
    return harm;
}

static bool is_hit(const smc_link_t *link, const smc_harm_t *harm)
{
    return smc_pipe_stage(&link->up, harm) != NULL || smc_pipe_stage(&link->down, harm) != NULL;
}

static void hit(smc_link_t *link, smc_harm_t *harm)
{
    bool fine = true;

    harm->hits++;
    if ((harm->is.streams & SMC_LINK_UPSTREAM) != 0)
        fine = smc_stage_add(&link->up, harm);
    if (fine && !link->dead && (harm->is.streams & SMC_LINK_DOWNSTREAM) != 0)
        fine = smc_stage_add(&link->down, harm);
    if (!fine)
        smc_link_kill(link, SMC_LINK_RST);
}

/* The draw comes first and always, so that what another toxic's count does never shifts it. */
static void draw(smc_link_t *link, smc_harm_t *harm)
{
    bool drawn = smc_rng_float(&link->rng) < harm->is.toxicity;

    if (drawn && !is_spent(harm) && !link->dead)
        hit(link, harm);
}

/* ---- toxics ------------------------------------------------------------- */

static const char *what_is_wrong(const smc_toxic_t *t)
{
    const unsigned both = SMC_LINK_UPSTREAM | SMC_LINK_DOWNSTREAM;

    if ((unsigned)t->kind >= SMC_TOXIC_COUNT)
        return "there is no such kind";
    if (t->streams == 0 || (t->streams & ~both) != 0)
        return "streams: upstream, downstream or both";
    if (!(t->toxicity >= 0 && t->toxicity <= 1) || !(t->share >= 0 && t->share <= 1))
        return "a probability is from 0 to 1";
    if (t->time_us > YEAR_US || t->jitter_us > YEAR_US)
        return "a time is one year at most";
    if (t->size > SIZE_MOST || (t->variation != 0 && t->variation >= t->size))
        return "a size is 2^53 at most, its variation less than it";
    if (t->kind == SMC_TOXIC_SLICER && t->size == 0)
        return "a slice has at least one byte";
    return NULL;
}

smc_code_t smc_links_add(smc_links_t *links, const smc_toxic_t *toxic, unsigned *id,
                         smc_error_t *err)
{
    const char *wrong = what_is_wrong(toxic);
    smc_harm_t *harm, **end = &links->harms;

    if (wrong != NULL)
        return smc_fail(err, SMC_EINVAL, "links.add", 0, "%s", wrong);
    harm = calloc(1, sizeof(*harm));
    if (harm == NULL)
        return smc_fail(err, SMC_ENOMEM, "links.add", 0, "out of memory");
    harm->is = *toxic;
    harm->id = ++links->last_id;
    *id = harm->id;
    while (*end != NULL)
        end = &(*end)->next;
    *end = harm;
    for (smc_link_t *link = links->first, *next; link != NULL && !toxic->aimed; link = next) {
        next = link->next;
        draw(link, harm);
    }
    return SMC_OK;
}

static void settle(smc_link_t *link)
{
    if (!link->dead)
        smc_pipe_settle(&link->up);
    if (!link->dead)
        smc_pipe_settle(&link->down);
}

static void spare(smc_link_t *link, const smc_harm_t *harm, bool gently)
{
    smc_pipe_t *pipes[] = {&link->up, &link->down};

    for (int i = 0; i < 2 && !link->dead; i++) {
        smc_stage_t *stage = smc_pipe_stage(pipes[i], harm);
        if (stage != NULL)
            smc_stage_remove(stage, gently);
    }
    settle(link);
}

void smc_link_spare(smc_link_t *link, unsigned id)
{
    const smc_harm_t *harm = find(link->links, id);

    if (harm != NULL)
        spare(link, harm, true);
}

void smc_link_aim(smc_link_t *link, unsigned id)
{
    smc_harm_t *harm = find(link->links, id);

    if (harm == NULL || !harm->is.aimed)
        return;
    spare(link, harm, true);
    if (!link->dead)
        draw(link, harm);
}

static void renew(smc_link_t *link, const smc_harm_t *harm)
{
    smc_pipe_t *pipes[] = {&link->up, &link->down};

    for (int i = 0; i < 2 && !link->dead; i++) {
        smc_stage_t *stage = smc_pipe_stage(pipes[i], harm);
        if (stage != NULL)
            smc_stage_renew(stage);
    }
    settle(link);
}

/* An aimed toxic stays where it is: nobody aims again. */
static void draw_again(smc_link_t *link, smc_harm_t *harm)
{
    bool was_hit = is_hit(link, harm);

    if (was_hit && (harm->is.aimed || smc_rng_float(&link->rng) < harm->is.toxicity))
        renew(link, harm);
    else if (was_hit)
        spare(link, harm, true);
    else if (!harm->is.aimed)
        draw(link, harm);
}

smc_code_t smc_links_change(smc_links_t *links, unsigned id, const smc_toxic_t *toxic,
                            smc_error_t *err)
{
    smc_harm_t *harm = find(links, id);
    const char *wrong = what_is_wrong(toxic);

    if (harm == NULL)
        return smc_fail(err, SMC_ENOENT, "links.change", 0, "there is no toxic %u", id);
    if (wrong == NULL && (toxic->kind != harm->is.kind || toxic->streams != harm->is.streams ||
                          toxic->aimed != harm->is.aimed))
        wrong = "kind, streams and aimed stay as they are";
    if (wrong != NULL)
        return smc_fail(err, SMC_EINVAL, "links.change", 0, "%s", wrong);
    harm->is = *toxic;
    for (smc_link_t *link = links->first, *next; link != NULL; link = next) {
        next = link->next;
        draw_again(link, harm);
    }
    return SMC_OK;
}

void smc_links_remove(smc_links_t *links, unsigned id)
{
    smc_harm_t *harm = find(links, id), **at = &links->harms;

    if (harm == NULL)
        return;
    for (smc_link_t *link = links->first, *next; link != NULL; link = next) {
        next = link->next;
        spare(link, harm, false);
    }
    while (*at != harm)
        at = &(*at)->next;
    *at = harm->next;
    free(harm);
}

uint64_t smc_links_hits(const smc_links_t *links, unsigned id)
{
    const smc_harm_t *harm = find(links, id);

    return harm == NULL ? 0 : harm->hits;
}

/* ---- links -------------------------------------------------------------- */

static void append(smc_links_t *links, smc_link_t *link)
{
    links->refs++;
    links->n_links++;
    link->links = links;
    link->prev = links->last;
    if (links->last != NULL)
        links->last->next = link;
    else
        links->first = link;
    links->last = link;
}

/* link->next stays as it is: a walk over the list that met it goes on from there. */
void smc_links_forget(smc_link_t *link)
{
    smc_links_t *links = link->links;

    links->n_links--;
    if (link->prev != NULL)
        link->prev->next = link->next;
    else
        links->first = link->next;
    if (link->next != NULL)
        link->next->prev = link->prev;
    else
        links->last = link->prev;
}

static smc_code_t fail_sys(smc_error_t *err, int client_fd, int server_fd, int sys)
{
    (void)close(client_fd);
    if (server_fd >= 0)
        (void)close(server_fd);
    return smc_fail(err, sys == ENOMEM ? SMC_ENOMEM : SMC_ESYS, "links.join", sys, "%s",
                    strerror(sys));
}

smc_code_t smc_links_join(smc_links_t *links, int client_fd, int server_fd, smc_link_t **owner,
                          smc_error_t *err)
{
    smc_link_t *link = smc_link_new(links, client_fd, server_fd);
    char name[40];

    if (link == NULL)
        return fail_sys(err, client_fd, server_fd, ENOMEM);
    link->id = ++links->last_link;
    (void)snprintf(name, sizeof(name), "link %llu", (unsigned long long)link->id);
    smc_rng_init(&link->rng, links->seed, name);
    append(links, link);
    link->owner = owner;
    if (owner != NULL)
        *owner = link;
    for (smc_harm_t *harm = links->harms; harm != NULL && !link->dead; harm = harm->next)
        if (!harm->is.aimed)
            draw(link, harm);
    settle(link);
    return SMC_OK;
}

smc_code_t smc_links_splice(smc_links_t *links, int client_fd, int *server_fd, smc_link_t **owner,
                            smc_error_t *err)
{
    int pair[2];
    smc_code_t code;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0)
        return fail_sys(err, client_fd, -1, errno);
    code = smc_links_join(links, client_fd, pair[0], owner, err);
    if (code != SMC_OK)
        (void)close(pair[1]);
    else
        *server_fd = pair[1];
    return code;
}

void smc_link_leave(smc_link_t *link, bool resets)
{
    link->server_resets = resets;
    link->owner = NULL;
}
