/* evaluate.h: a `topology` block, for a number of ranks, as a program.
 *
 *     topology my_ring(n) {
 *       chunks n
 *       for s in 0 ..< n-1, r in 0 ..< n: send (r - s)     from r to r + 1 reduce
 *       for s in 0 ..< n-1, r in 0 ..< n: send (r + 1 - s) from r to r + 1 copy
 *     }
 *
 * Parameters. The first is the number of ranks, whatever its name. Others take the request's arguments, in order or by
 * name, else their default, which may name the parameters before it. One called `per_node` takes the number of ranks
 * in each node of the cluster where no argument gives it.
 *
 * Clauses: `chunks E` (needed); `collective K` with K of coll_kind, all_reduce unless said; `root E`; `require E`: the
 * block holds for these numbers of ranks only. They come before the first send.
 *
 * Statements: `for` over `a ..< b` or `a .. b`, one or several indices; `send CHUNK from RANK to RANK reduce | copy`;
 * `NAME = E`; `if E { } else { }`. Each value of the first index of an outermost `for` is a step; an outermost `send`
 * is a step by itself; steps in which nothing is sent are not counted. Chunk and rank numbers are taken modulo their
 * counts.
 *
 * Expressions are whole numbers of 64 bits: + - * / (exact, or an error) // (rounds down) % (of the sign of the
 * divisor) ^, comparisons, and, or, not, if-then-else, log2(x) and log(x, base) (rounded down), min, max, abs, gcd,
 * mod(a, b). Whatever does not fit, or takes more than the limits of program.h or COLL_MAX_WORK evaluations, is an
 * error.
 */
#ifndef ESPALIER_COLL_EVALUATE_H
#define ESPALIER_COLL_EVALUATE_H

#include "ast/ast.h"
#include "coll/program.h"
#include "diag/diag.h"

enum { COLL_MAX_WORK = 1 << 25 };

typedef struct coll_argument {
    atom name; /* NULL: by position, the number of ranks aside */
    int64_t value;
    span at;
} coll_argument;

/* Evaluations: `most` of one block, at most COLL_MAX_WORK; `done` grows by those that were made. */
typedef struct coll_budget {
    int64_t most;
    int64_t done;
} coll_budget;

typedef struct coll_request {
    int ranks;
    int per_node; /* ranks in each node; 0: not known, or not the same in each */
    span at;      /* the clause that asks: where a program that does not fit is reported */
    const coll_argument *arguments;
    size_t argument_count;
    coll_budget *budget; /* NULL: COLL_MAX_WORK, and nobody counts */
    bool
        trial; /* a block that requires other numbers, or a value for a parameter, is passed over without a word */
} coll_request;

/* NULL: reported. The program is not proved yet (verify.h). `sources` gives each send its plan line. */
coll_program *coll_evaluate(const ast_node *topology, const coll_request *request,
                            const source_set *sources, diag_sink *sink, arena *a);

/* `check` of a block by itself: evaluated and proved on several small numbers of ranks that it accepts. False: one thing
 * is wrong with it, and reported. `budget` as in coll_request. */
bool coll_check_block(const ast_node *topology, const source_set *sources, diag_sink *sink,
                      coll_budget *budget);

/* The kind that a block's `collective` clause says; all_reduce without one. */
coll_kind coll_topology_kind(const ast_node *topology);

/* The name of the topology that does `kind` as `base` does all_reduce: "ring" and all_gather: "ring_all_gather". */
const char *coll_topology_name(const char *base, coll_kind kind, arena *a);

#endif
