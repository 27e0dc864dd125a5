/* program.h: a collective as a program: sends of chunks, and what each rank does.
 *
 * A program moves the data of one collective as `chunks`: chunk c is the share weights[c] / sum(weights) of the
 * vector, in order of c. A send is (step, chunk, from, to, reduce | copy). It leaves the sender's chunk as it is, and
 * at the receiver adds to the chunk (reduce: own + received) or replaces it (copy). The meaning of a program:
 *
 *   - steps follow one another; the sends of one step all read the values before the step;
 *   - several sends of one step into one (rank, chunk) take effect in the program's order, so that a float sum is
 *     the same bits in every run;
 *   - a program knows nothing of element types, sizes or pieces: it is right for every size, 0 too.
 *
 * How a rank executes it. `coll_rank_program_of` gives each rank its ordered instructions. Data is pulled: the
 * receiver reads the sender's chunk where it lies; there is no buffer between them. Messages of one ordered pair
 * (from, to) are numbered 0, 1, ... in the order of the program (`message`), alike at both ends; two counters per
 * ordered pair are all the synchronisation there is:
 *
 *   ready[from][to]      how many messages the sender has released to the receiver
 *   consumed[from][to]   how many of them the receiver has finished reading
 *
 *   COLL_SEND            release: ready[me][peer] = message + 1. Never waits.
 *   COLL_RECV_REDUCE     first the instruction's waits: consumed[me][wait.peer] > wait.message for each (my chunk has
 *   COLL_RECV_COPY       been read by whom it was promised to), and ready[peer][me] > message; then read the peer's
 *                        chunk into mine; then consumed[peer][me] = message + 1.
 *   COLL_RECV_STAGE      wait for ready[peer][me] > message; read the peer's chunk into scratch slot `slot`; then
 *                        consumed[peer][me] = message + 1.
 *   COLL_APPLY_REDUCE    the instruction's waits; then my chunk += scratch slot `slot`, or = scratch slot `slot`.
 *   COLL_APPLY_COPY
 *   the end              waits for consumed[me][p] == sent[p] for every peer p: then the caller may write the data.
 *
 * Instructions are carried out in order. Within a step a rank releases its sends first, then receives. Staging
 * appears only where ranks exchange the same chunk in one step (a butterfly of whole vectors), so that neither could
 * overwrite its own before the other; `slots` says how many chunk-sized slots that takes: memory that is planned,
 * not hidden in a transport. A transport that pushes (MPI) posts a non-blocking synchronous send at COLL_SEND and its
 * completion is `consumed`; a send completes only when its receive takes it, so nothing may rely on buffering.
 *
 * Pieces. To pipeline, the data is cut into P pieces: piece p of a chunk of k elements is [k*p/P, k*(p+1)/P). Each
 * piece runs the whole program by itself with its own counters, as a lane with its own place in the instructions;
 * lanes share nothing, so any interleaving is right, and a rank that goes round its lanes and advances each one that
 * need not wait cannot deadlock if one lane cannot.
 *
 *     coll_program *p = coll_program_new(arena, COLL_ALL_REDUCE, "pair", 2, 1);
 *     coll_program_add(p, (coll_send){.step = 0, .chunk = 0, .from = 1, .to = 0, .op = COLL_REDUCE});
 *     coll_program_add(p, (coll_send){.step = 1, .chunk = 0, .from = 0, .to = 1, .op = COLL_COPY});
 *     if (coll_verify(p, NULL, sink)) ...                                     // verify.h
 *     coll_rank_program *mine = coll_rank_program_of(p, 1, arena);
 *
 * Everything lives in the arena given.
 */
#ifndef ESPALIER_COLL_PROGRAM_H
#define ESPALIER_COLL_PROGRAM_H

#include "base/arena.h"
#include "base/vec.h"
#include "diag/source.h"
#include <stdbool.h>
#include <stdint.h>

/* What holds before and after, of chunk c. X(kind, "name"):
 *   all_reduce      before: each rank its own;         after: everywhere the sum of all
 *   reduce_scatter  before: each rank its own;         after: on home[c] the sum of all
 *   all_gather      before: home[c] alone has it;      after: everywhere home[c]'s
 *   broadcast       before: the root alone has it;     after: everywhere the root's
 *   reduce          before: each rank its own;         after: on the root the sum of all
 *   all_to_all      before: home[c] alone has it;      after: on target[c] home[c]'s
 * Elsewhere the chunk's place may hold anything afterwards. The buffer of every kind but all_to_all is the whole
 * vector on each rank, in place. all_to_all: a rank's input is its chunks (home[c] == rank) in order of c, its output
 * the chunks meant for it (target[c] == rank) in order of c; a chunk that passes through lies in scratch. */
#define COLL_KINDS(X)                                                                              \
    X(COLL_ALL_REDUCE, "all_reduce")                                                               \
    X(COLL_REDUCE_SCATTER, "reduce_scatter")                                                       \
    X(COLL_ALL_GATHER, "all_gather")                                                               \
    X(COLL_BROADCAST, "broadcast")                                                                 \
    X(COLL_REDUCE_TO_ROOT, "reduce")                                                               \
    X(COLL_ALL_TO_ALL, "all_to_all")

typedef enum coll_kind {
#define COLL_KIND_ENUM(kind, name) kind,
    COLL_KINDS(COLL_KIND_ENUM)
#undef COLL_KIND_ENUM
        COLL_KIND_COUNT
} coll_kind;

typedef enum coll_op { COLL_REDUCE, COLL_COPY } coll_op;

typedef struct coll_send {
    int32_t step;
    int32_t chunk;
    int32_t from;
    int32_t to;
    coll_op op;
    int32_t
        route; /* first of `route_count` links in the program's `links`; none: the graph's own route */
    int32_t route_count;
    int32_t place; /* in the program's `places` */
} coll_send;

/* What a send goes back to: a statement of the topology block, or the plan's clause. Many sends share one. */
typedef struct coll_place {
    span at;
    const char *line; /* the same as "file:line"; NULL: nowhere */
} coll_place;

typedef VEC(coll_send) coll_sends;
typedef VEC(int32_t) coll_ints;

/* Limits of a program; a block or text beyond them is an error, not a long wait. */
enum {
    COLL_MAX_RANKS = 4096,
    COLL_MAX_CHUNKS = 1 << 20,
    COLL_MAX_STEPS = 1 << 16,
    COLL_MAX_SENDS = 1 << 21
};

typedef struct coll_program {
    arena *memory;
    coll_kind kind;
    const char *name; /* of the topology: "ring", "trees" */
    int32_t ranks;
    int32_t chunks;
    int32_t steps;
    int32_t root;     /* broadcast, reduce */
    int64_t *weights; /* [chunks], each at least 1; equal when made */
    int32_t *home;    /* [chunks]; when made: c * ranks / chunks, all_to_all: (c / ranks) % ranks */
    int32_t *target;  /* [chunks]; all_to_all alone: c % ranks when made */
    coll_sends sends; /* ordered by step; within a step in the order written */
    coll_ints links;  /* routes: numbers of the link graph's links */
    VEC(coll_place)
    places;  /* number 0 is there from the start, and is nowhere until coll_set_place */
    span at; /* the topology block, or the clause that asked for the synthesis */
    const char *line;
} coll_program;

coll_program *coll_program_new(arena *a, coll_kind kind, const char *name, int ranks, int chunks);

/* Appends; the step must not be below the last one's. Raises `steps` to step + 1. */
void coll_program_add(coll_program *p, coll_send send);

/* The number of this place in `places`: that of the last one if it is the same, else of a new one. */
int32_t coll_program_place(coll_program *p, span at, const char *line);

/* Where a send of `p` was said. */
coll_place coll_place_of(const coll_program *p, const coll_send *send);

const char *coll_kind_name(coll_kind kind);
bool coll_kind_of_name(const char *name, coll_kind *kind);

/* Whether sums take part: all_reduce, reduce_scatter, reduce. */
bool coll_kind_reduces(coll_kind kind);

int64_t coll_total_weight(const coll_program *p);

/* The first of the `count` elements of the whole vector that belongs to chunk c: floor(count * prefix(c) / total);
 * chunk == chunks gives count. Not for all_to_all, whose vector is one rank's input: there each rank's chunks divide
 * its own input alike. */
int64_t coll_chunk_begin(const coll_program *p, int chunk, int64_t count);

typedef enum coll_action {
    COLL_SEND,
    COLL_RECV_REDUCE,
    COLL_RECV_COPY,
    COLL_RECV_STAGE,
    COLL_APPLY_REDUCE,
    COLL_APPLY_COPY
} coll_action;

const char *coll_action_name(coll_action action); /* "send", "recv_reduce", ... */

/* My message `message` to `peer` must have been consumed. */
typedef struct coll_wait {
    int32_t peer;
    int32_t message;
} coll_wait;

typedef struct coll_instruction {
    coll_action action;
    int32_t step;
    int32_t chunk;
    int32_t peer;    /* to whom, or from whom */
    int32_t message; /* number among the messages of (sender, receiver) */
    int32_t slot;    /* of scratch, for STAGE and APPLY; else -1 */
    int32_t wait;    /* first of `wait_count` in the rank program's `waits` */
    int32_t wait_count;
    int32_t send; /* index of the send in the program */
} coll_instruction;

typedef struct coll_rank_program {
    int32_t rank;
    int32_t slots; /* scratch slots, each as large as the largest chunk */
    VEC(coll_instruction) code;
    VEC(coll_wait)
    waits;         /* only those that no earlier instruction of this rank has waited for already */
    int32_t *sent; /* [ranks]: messages to each peer: what `consumed` must reach at the end */
    int32_t *received; /* [ranks]: messages from each peer */
} coll_rank_program;

/* What `rank` executes. A pure function of the program, the same on every machine. */
coll_rank_program *coll_rank_program_of(const coll_program *p, int rank, arena *a);

/* The same of all ranks, [ranks], in one pass over the program. */
coll_rank_program **coll_rank_programs_of(const coll_program *p, arena *a);

#endif
