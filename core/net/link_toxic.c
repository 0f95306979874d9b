#include "link_priv.h"

#include "smc/clock.h"

#include <stdlib.h>
#include <string.h>

#define NS_PER_S INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_US INT64_C(1000)
#define NEVER INT64_MAX
#define QUANTA 10 /* a second of a limited rate goes in so many pieces at least */

static void on_timer(void *ud);

static int64_t ns_of(uint64_t us)
{
    return (int64_t)us * NS_PER_US;
}

/* Timers have whole milliseconds; instants here are exact, so that rounding never adds up. */
static void arm(smc_stage_t *stage, int64_t at_ns)
{
    int64_t left_ns = at_ns - smc_clock_now_ns();
    uint64_t ms = left_ns <= 0 ? 0 : (uint64_t)((left_ns + NS_PER_MS - 1) / NS_PER_MS);

    smc_timer_cancel(stage->timer);
    stage->timer = NULL;
    if (smc_timer_start(stage->pipe->link->links->loop, ms, on_timer, stage, &stage->timer, NULL) !=
        SMC_OK)
        smc_link_kill(stage->pipe->link, SMC_LINK_RST);
}

static void pass(smc_stage_t *stage, smc_piece_t *piece)
{
    smc_stage_push(stage->pipe, stage->next, piece);
}

/* ---- what changes when bytes arrive ------------------------------------- */

static void let_go(smc_stage_t *stage, int64_t now_ns)
{
    while (!stage->pipe->link->dead && stage->waiting.first != NULL &&
           stage->waiting.first->at_ns <= now_ns)
        pass(stage, smc_pieces_take(&stage->waiting));
    if (!stage->pipe->link->dead && stage->waiting.first != NULL &&
        stage->waiting.first->at_ns != NEVER && stage->timer == NULL)
        arm(stage, stage->waiting.first->at_ns);
}

static void hold_until(smc_stage_t *stage, smc_piece_t *piece, int64_t due_ns)
{
    piece->at_ns = due_ns > stage->clear_ns ? due_ns : stage->clear_ns;
    stage->clear_ns = piece->at_ns;
    smc_pieces_put(&stage->waiting, piece);
}

static void latency(smc_stage_t *stage, smc_piece_t *piece)
{
    const smc_toxic_t *t = &stage->harm->is;
    int64_t jitter_ns = ns_of(t->jitter_us);
    int64_t late_ns = ns_of(t->time_us);

    if (jitter_ns > 0)
        late_ns += smc_rng_range(&stage->pipe->link->rng, -jitter_ns, jitter_ns);
    hold_until(stage, piece, piece->at_ns + (late_ns > 0 ? late_ns : 0));
}

/* A copy of n bytes of a piece from *pos on, or of what is left there.  NULL: the link was reset. */
static smc_piece_t *slice(smc_pipe_t *pipe, const smc_piece_t *whole, size_t *pos, size_t n)
{
    size_t left = whole->n - *pos;
    smc_piece_t *part =
        smc_piece_new(pipe, SMC_PIECE_DATA, whole->bytes + *pos, n < left ? n : left);

    if (part == NULL)
        return NULL;
    part->at_ns = whole->at_ns;
    *pos += part->n;
    return part;
}

static void bandwidth(smc_stage_t *stage, smc_piece_t *whole)
{
    uint64_t rate = stage->harm->is.size;
    size_t most = rate < QUANTA ? 1 : (size_t)(rate / QUANTA);
    size_t pos = 0;

    if (rate == 0) {
        hold_until(stage, whole, NEVER);
        return;
    }
    while (pos < whole->n) {
        smc_piece_t *part = slice(stage->pipe, whole, &pos, most);
        int64_t start_ns;
        if (part == NULL)
            break;
        start_ns = part->at_ns > stage->clear_ns ? part->at_ns : stage->clear_ns;
        hold_until(stage, part, start_ns + (int64_t)((uint64_t)part->n * NS_PER_S / rate));
    }
    smc_piece_drop(stage->pipe, whole);
}

static void slicer(smc_stage_t *stage, smc_piece_t *whole)
{
    const smc_toxic_t *t = &stage->harm->is;
    int64_t span = (int64_t)t->variation;
    size_t pos = 0;

    while (pos < whole->n) {
        int64_t off = span == 0 ? 0 : smc_rng_range(&stage->pipe->link->rng, -span, span);
        smc_piece_t *part = slice(stage->pipe, whole, &pos, (size_t)((int64_t)t->size + off));
        if (part == NULL)
            break;
        hold_until(stage, part, part->at_ns);
        stage->clear_ns += ns_of(t->time_us);
    }
    smc_piece_drop(stage->pipe, whole);
}

/* ---- what changes which bytes arrive ------------------------------------ */

static void drop(smc_stage_t *stage, smc_piece_t *piece)
{
    smc_piece_drop(stage->pipe, piece);
}

/* Ends the connection behind what has passed; nothing passes any more. */
static void close_here(smc_stage_t *stage)
{
    smc_piece_t *end = smc_piece_new(stage->pipe, SMC_PIECE_CLOSE, NULL, 0);

    stage->over = true;
    if (end != NULL)
        pass(stage, end);
}

/* Passes the first n bytes, drops the rest, and closes. */
static void pass_and_close(smc_stage_t *stage, smc_piece_t *piece, size_t n)
{
    smc_pipe_t *pipe = stage->pipe;

    stage->passed += n;
    pipe->held -= piece->n - n;
    piece->n = n;
    if (n > 0)
        pass(stage, piece);
    else
        drop(stage, piece);
    if (!pipe->link->dead)
        close_here(stage);
}

static void limit_data(smc_stage_t *stage, smc_piece_t *piece)
{
    uint64_t most = stage->harm->is.size;
    uint64_t left = most > stage->passed ? most - stage->passed : 0;

    if (piece->n >= left) {
        pass_and_close(stage, piece, (size_t)left);
    } else {
        stage->passed += piece->n;
        pass(stage, piece);
    }
}

static void corrupt(smc_stage_t *stage, smc_piece_t *piece)
{
    const smc_toxic_t *t = &stage->harm->is;
    smc_rng_t *rng = &stage->pipe->link->rng;

    for (size_t i = 0; i < piece->n; i++)
        if (stage->passed++ >= t->size && smc_rng_float(rng) < t->share)
            piece->bytes[i] =
                (char)((unsigned char)piece->bytes[i] ^ (1 + smc_rng_below(rng, 255)));
    pass(stage, piece);
}

static void close_mid_body(smc_stage_t *stage, smc_piece_t *piece)
{
    const char *blank = memmem(piece->bytes, piece->n, "\r\n\r\n", 4);
    size_t head = blank == NULL ? 0 : (size_t)(blank - piece->bytes) + 4;

    if (head == piece->n)
        pass(stage, piece); /* the body is still to come */
    else
        pass_and_close(stage, piece, head + (piece->n - head) / 2);
}

static void reset_peer(smc_stage_t *stage, smc_piece_t *piece)
{
    stage->over = true;
    drop(stage, piece);
    arm(stage, smc_clock_now_ns() + ns_of(stage->harm->is.time_us));
}

static void hold(smc_stage_t *stage, smc_piece_t *piece)
{
    hold_until(stage, piece, NEVER);
}

/* ---- ends --------------------------------------------------------------- */

/* An end never overtakes what came before it. */
static void end_in_turn(smc_stage_t *stage, smc_piece_t *piece)
{
    hold_until(stage, piece, piece->at_ns);
}

static void slow_close(smc_stage_t *stage, smc_piece_t *piece)
{
    hold_until(stage, piece, piece->at_ns + ns_of(stage->harm->is.time_us));
}

/* ---- what a toxic does by itself ---------------------------------------- */

static void go_on(smc_stage_t *stage)
{
    let_go(stage, smc_clock_now_ns());
}

static void reset_now(smc_stage_t *stage)
{
    smc_link_kill(stage->pipe->link, SMC_LINK_RST);
}

static void close_later(smc_stage_t *stage)
{
    if (stage->harm->is.time_us > 0 && !stage->over)
        arm(stage, smc_clock_now_ns() + ns_of(stage->harm->is.time_us));
}

static void reset_again(smc_stage_t *stage)
{
    if (stage->over)
        arm(stage, smc_clock_now_ns() + ns_of(stage->harm->is.time_us));
}

static void end_the_server(smc_stage_t *stage)
{
    smc_link_t *link = stage->pipe->link;

    smc_link_side_close(&link->server);
    link->up.broken = link->down.drained = true;
}

static void close_unless_over(smc_stage_t *stage)
{
    if (!stage->over)
        close_here(stage);
}

/* ---- by kind ------------------------------------------------------------ */

typedef struct kind {
    void (*data)(smc_stage_t *stage, smc_piece_t *piece);
    void (*end)(smc_stage_t *stage, smc_piece_t *piece);
    void (*due)(smc_stage_t *stage);   /* its timer has come */
    void (*begin)(smc_stage_t *stage); /* also with new numbers; may be NULL */
    void (*leave)(
        smc_stage_t *stage); /* what its end means for a link that it has hit; may be NULL */
} kind_t;

static const kind_t kinds[SMC_TOXIC_COUNT] = {
    [SMC_TOXIC_LATENCY] = {latency, latency, go_on, NULL, NULL},
    [SMC_TOXIC_BANDWIDTH] = {bandwidth, end_in_turn, go_on, NULL, NULL},
    [SMC_TOXIC_SLOW_CLOSE] = {pass, slow_close, go_on, NULL, NULL},
    [SMC_TOXIC_TIMEOUT] = {drop, pass, close_here, close_later, close_unless_over},
    [SMC_TOXIC_RESET_PEER] = {reset_peer, reset_peer, reset_now, reset_again, NULL},
    [SMC_TOXIC_SLICER] = {slicer, end_in_turn, go_on, NULL, NULL},
    [SMC_TOXIC_LIMIT_DATA] = {limit_data, pass, go_on, NULL, NULL},
    [SMC_TOXIC_BLACKHOLE] = {hold, hold, go_on, NULL, NULL},
    [SMC_TOXIC_CORRUPT] = {corrupt, pass, go_on, NULL, NULL},
    [SMC_TOXIC_CLOSE_MID_BODY] = {close_mid_body, pass, go_on, NULL, NULL},
    [SMC_TOXIC_HALF_OPEN] = {drop, pass, go_on, end_the_server, reset_now},
};

static const kind_t *kind_of(const smc_stage_t *stage)
{
    return &kinds[stage->harm->is.kind];
}

void smc_stage_push(smc_pipe_t *pipe, smc_stage_t *stage, smc_piece_t *piece)
{
    if (pipe->link->dead) {
        smc_piece_drop(pipe, piece);
    } else if (stage == NULL) {
        smc_pieces_put(&pipe->out, piece);
    } else if (stage->over) {
        drop(stage, piece);
    } else {
        const kind_t *kind = kind_of(stage);
        if (piece->end == SMC_PIECE_DATA)
            kind->data(stage, piece);
        else
            kind->end(stage, piece);
        go_on(stage);
    }
}

static void on_timer(void *ud)
{
    smc_stage_t *stage = ud;
    smc_pipe_t *pipe = stage->pipe;
    const kind_t *kind = kind_of(stage);

    stage->timer = NULL;
    kind->due(stage);
    if (!pipe->link->dead)
        smc_pipe_settle(pipe);
}

/* ---- coming and going --------------------------------------------------- */

bool smc_stage_add(smc_pipe_t *pipe, const smc_harm_t *harm)
{
    smc_stage_t *stage = calloc(1, sizeof(*stage)), **end = &pipe->first;

    if (stage == NULL)
        return false;
    stage->pipe = pipe;
    stage->harm = harm;
    while (*end != NULL)
        end = &(*end)->next;
    *end = stage;
    if (kind_of(stage)->begin != NULL)
        kind_of(stage)->begin(stage);
    return true;
}

smc_stage_t *smc_pipe_stage(const smc_pipe_t *pipe, const smc_harm_t *harm)
{
    smc_stage_t *stage = pipe->first;

    while (stage != NULL && stage->harm != harm)
        stage = stage->next;
    return stage;
}

static void let_all_go(smc_stage_t *stage)
{
    smc_timer_cancel(stage->timer);
    stage->timer = NULL;
    stage->clear_ns = 0;
    while (stage->waiting.first != NULL) {
        smc_piece_t *piece = smc_pieces_take(&stage->waiting);
        piece->at_ns = smc_clock_now_ns();
        pass(stage, piece);
    }
}

void smc_stage_renew(smc_stage_t *stage)
{
    let_all_go(stage);
    if (!stage->pipe->link->dead && kind_of(stage)->begin != NULL)
        kind_of(stage)->begin(stage);
}

void smc_stage_remove(smc_stage_t *stage, bool gently)
{
    smc_pipe_t *pipe = stage->pipe;
    smc_stage_t **at = &pipe->first;

    let_all_go(stage);
    if (!gently && !pipe->link->dead && kind_of(stage)->leave != NULL)
        kind_of(stage)->leave(stage);
    while (*at != stage)
        at = &(*at)->next;
    *at = stage->next;
    free(stage);
}

void smc_stages_stop(smc_pipe_t *pipe)
{
    for (smc_stage_t *stage = pipe->first; stage != NULL; stage = stage->next) {
        smc_timer_cancel(stage->timer);
        stage->timer = NULL;
    }
}

static void free_pieces(smc_pieces_t *queue)
{
    while (queue->first != NULL)
        free(smc_pieces_take(queue));
}

void smc_stages_free(smc_pipe_t *pipe)
{
    smc_stage_t *next;

    free_pieces(&pipe->out);
    for (smc_stage_t *stage = pipe->first; stage != NULL; stage = next) {
        next = stage->next;
        free_pieces(&stage->waiting);
        free(stage);
    }
    pipe->first = NULL;
}
