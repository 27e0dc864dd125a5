/* The ranks' instructions carried out against one another: pairing, readers and waits. */
#include "coll/verify.h"

#include <assert.h>
#include <string.h>

typedef struct exchange {
    const coll_program *program;
    coll_rank_program *const *ranks;
    int32_t *ready;    /* [from * ranks + to] */
    int32_t *consumed; /* [from * ranks + to] */
    int32_t *known; /* [from * ranks + to]: what `from` has seen of `consumed` by its own waits */
    size_t *next;   /* [ranks]: the instruction each rank stands at */
    coll_fault *fault;
    arena *words_memory;
} exchange;

static int32_t *pair(const exchange *e, int32_t *counters, int from, int to)
{
    return &counters[(size_t)from * (size_t)e->program->ranks + (size_t)to];
}

static bool fault_at(exchange *e, int rank, const coll_instruction *i, const char *what)
{
    const coll_program *p = e->program;
    *e->fault = (coll_fault){.code = DIAG_CODE_COUNT,
                             .step = i->step,
                             .chunk = i->chunk,
                             .rank = rank,
                             .missing = -1,
                             .at = p->at,
                             .note_at = coll_place_of(p, &p->sends.items[i->send]).at,
                             .note = "by this send"};
    e->fault->message = arena_format(
        e->words_memory, "topology '%s' on %d ranks: in step %d, rank %d %s (chunk %d, rank %d)",
        p->name, p->ranks, i->step, rank, what, i->chunk, i->peer);
    return false;
}

static bool may_go(const exchange *e, int rank, const coll_instruction *i)
{
    const coll_rank_program *mine = e->ranks[rank];
    for (int32_t w = i->wait; w < i->wait + i->wait_count; w++) {
        coll_wait wait = mine->waits.items[w];
        if (*pair(e, e->consumed, rank, wait.peer) <= wait.message)
            return false;
    }
    bool receives = i->action == COLL_RECV_REDUCE || i->action == COLL_RECV_COPY ||
                    i->action == COLL_RECV_STAGE;
    return !receives || *pair(e, e->ready, i->peer, rank) > i->message;
}

/* False: a message out of turn. */
static bool go(exchange *e, int rank, const coll_instruction *i)
{
    int32_t *counter = NULL;
    if (i->action == COLL_SEND)
        counter = pair(e, e->ready, rank, i->peer);
    else if (i->action != COLL_APPLY_REDUCE && i->action != COLL_APPLY_COPY)
        counter = pair(e, e->consumed, i->peer, rank);
    return !counter || (*counter)++ == i->message;
}

/* Runs one rank until it must wait. */
static bool advance(exchange *e, int rank, bool *moved)
{
    const coll_rank_program *mine = e->ranks[rank];
    while (e->next[rank] < mine->code.count && may_go(e, rank, &mine->code.items[e->next[rank]])) {
        const coll_instruction *i = &mine->code.items[e->next[rank]++];
        if (!go(e, rank, i))
            return fault_at(e, rank, i, "has a message out of turn");
        *moved = true;
    }
    return true;
}

static bool runs_to_the_end(exchange *e)
{
    int ranks = e->program->ranks;
    for (bool moved = true; moved;) {
        moved = false;
        for (int r = 0; r < ranks; r++)
            if (!advance(e, r, &moved))
                return false;
    }
    for (int r = 0; r < ranks; r++)
        if (e->next[r] < e->ranks[r]->code.count)
            return fault_at(e, r, &e->ranks[r]->code.items[e->next[r]],
                            "waits for what cannot have been sent: a deadlock");
    for (int from = 0; from < ranks; from++)
        for (int to = 0; to < ranks; to++)
            if (*pair(e, e->consumed, from, to) != e->ranks[from]->sent[to])
                return fault_at(e, from, &e->ranks[from]->code.items[0],
                                "releases a message that nobody reads");
    return true;
}

/* Releases of a chunk that are not known to be read, newest first. */
typedef struct open_release {
    int32_t next;
    coll_wait to;
} open_release;

/* No chunk may be written before this rank has itself waited for all who were to read it. */
static bool readers_are_waited_for(exchange *e, int rank, arena *scratch)
{
    const coll_rank_program *mine = e->ranks[rank];
    open_release *open = arena_array(scratch, open_release, mine->code.count + 1);
    int32_t *newest = arena_array(scratch, int32_t, e->program->chunks);
    int32_t count = 0;
    memset(newest, 0xff, sizeof *newest * (size_t)e->program->chunks);
    for (size_t n = 0; n < mine->code.count; n++) {
        const coll_instruction *i = &mine->code.items[n];
        for (int32_t w = i->wait; w < i->wait + i->wait_count; w++)
            *pair(e, e->known, rank, mine->waits.items[w].peer) = mine->waits.items[w].message + 1;
        if (i->action == COLL_SEND) {
            open[count] = (open_release){newest[i->chunk], {i->peer, i->message}};
            newest[i->chunk] = count++;
        } else if (i->action != COLL_RECV_STAGE) {
            for (int32_t o = newest[i->chunk]; o >= 0; o = open[o].next)
                if (*pair(e, e->known, rank, open[o].to.peer) <= open[o].to.message)
                    return fault_at(e, rank, i, "writes what is still to be read");
            newest[i->chunk] = -1;
        }
    }
    return true;
}

/* Each send of the program is one release at its sender and one receive at its receiver, and nothing else is. */
static bool sends_are_paired(exchange *e, arena *scratch)
{
    const coll_program *p = e->program;
    uint8_t *seen = arena_array(scratch, uint8_t, p->sends.count + 1);
    for (int r = 0; r < p->ranks; r++) {
        for (size_t n = 0; n < e->ranks[r]->code.count; n++) {
            const coll_instruction *i = &e->ranks[r]->code.items[n];
            const coll_send *s = &p->sends.items[i->send];
            bool sends = i->action == COLL_SEND, applies = i->action >= COLL_APPLY_REDUCE;
            uint8_t bit = sends ? 1 : applies ? 4 : 2;
            bool reduces = i->action == COLL_RECV_REDUCE || i->action == COLL_APPLY_REDUCE;
            bool as_said =
                i->chunk == s->chunk && r == (sends ? s->from : s->to) &&
                i->peer == (sends ? s->to : s->from) && !(seen[i->send] & bit) &&
                (sends || i->action == COLL_RECV_STAGE || reduces == (s->op == COLL_REDUCE));
            if (!as_said)
                return fault_at(e, r, i, "does what the program does not say");
            seen[i->send] |= bit;
            if (i->action == COLL_RECV_REDUCE || i->action == COLL_RECV_COPY)
                seen[i->send] |= 4;
        }
    }
    for (size_t i = 0; i < p->sends.count; i++)
        if (seen[i] != 7)
            return fault_at(e, p->sends.items[i].to, &(coll_instruction){.send = (int32_t)i},
                            "misses a send");
    return true;
}

bool coll_prove_ranks(const coll_program *p, coll_rank_program *const *ranks, coll_fault *fault,
                      arena *a)
{
    arena *scratch = arena_new();
    size_t pairs = (size_t)p->ranks * (size_t)p->ranks;
    exchange e = {.program = p,
                  .ranks = ranks,
                  .ready = arena_array(scratch, int32_t, pairs),
                  .consumed = arena_array(scratch, int32_t, pairs),
                  .known = arena_array(scratch, int32_t, pairs),
                  .next = arena_array(scratch, size_t, p->ranks),
                  .fault = fault,
                  .words_memory = a};
    bool right = sends_are_paired(&e, scratch);
    for (int r = 0; r < p->ranks && right; r++)
        right = readers_are_waited_for(&e, r, scratch);
    right = right && runs_to_the_end(&e);
    arena_free(scratch);
    return right;
}
