/* loop.h: the loop form: one fused kernel as a tree of loops over scalar nodes, for every target.
 *
 * A kernel runs over `rows`, parallel loops whose iterations are independent: a target cuts them between threads or
 * blocks. Its body is a block of nodes in order; a LOOP_FOR has a block of its own. A node is a scalar in SSA form; a
 * loop's node is its counter. What survives an iteration is memory, or an accumulator:
 *
 *   kernel softmax rows %0: 64
 *     %1 = accumulator f32 max
 *     %2 = for 10
 *       %3 = load f32 #4[0 + 10*%0 + 1*%2]
 *       fold %1, %3
 *     %5 = total f32 %1
 *
 * Addresses count elements of a buffer: base + sum of (coefficient * node) over loop counters and other index nodes.
 * A guarded load gives `value` where its guard is false and touches no memory there. A store sets, or folds into what
 * stands there: that is how sums over outer loops vectorise along the contiguous index.
 *
 * Sums may be reassociated when loops are vectorised: the order is fixed by the kernel and the target CPU, never by the
 * number of threads, so the same executable gives the same bits.
 *
 *     loop_kernel *k = loop_kernel_new(arena, "relu", at);
 *     loop_node *r = loop_rows_add(k, 64);
 *     loop_node *x = loop_load(k, NULL, DTYPE_F32, loop_address_of(buffer, ...));
 *
 * A node is put into the innermost block among those of its operands, so what does not depend on a loop stands outside it.
 */
#ifndef ESPALIER_PASS_LOOP_H
#define ESPALIER_PASS_LOOP_H

#include "graph/op.h"

/* X(kind, "word") */
#define LOOP_KINDS(X)                                                                              \
    X(LOOP_FOR, "for")               /* index: counts 0 .. integer[0] - 1 */                       \
    X(LOOP_CONST, "const")           /* value */                                                   \
    X(LOOP_AFFINE, "affine")         /* index: address.base + terms */                             \
    X(LOOP_DIV, "div_by")            /* index: args[0] / integer[0], both not negative */          \
    X(LOOP_MOD, "mod_by")            /* index: args[0] % integer[0] */                             \
    X(LOOP_WITHIN, "within")         /* bool: integer[0] <= args[0] < integer[1] */                \
    X(LOOP_COORDINATE, "coordinate") /* index: this rank's coordinate on axis integer[0] */        \
    X(LOOP_ITERATION, "iteration")   /* index: the slice of the schedule's loop integer[0] */      \
    X(LOOP_TO_INDEX, "to_index")     /* index of an i32 value */                                   \
    X(LOOP_FROM_INDEX, "from_index") /* a value of an index */                                     \
    X(LOOP_LOAD, "load")                                                                           \
    X(LOOP_STORE, "store")             /* args[0], by `fold` */                                    \
    X(LOOP_MAP, "map")                 /* `op` over args, as graph/op.h has it */                  \
    X(LOOP_ACCUMULATOR, "accumulator") /* begins at the neutral element of `fold` */               \
    X(LOOP_FOLD, "fold")               /* args[0]: the accumulator, args[1] */                     \
    X(LOOP_TOTAL, "total")             /* the accumulator args[0] as it stands here */             \
    X(LOOP_RANDOM, "random") /* uniform [0, 1): args[0] = index, args[1] = step (f64); key */

typedef enum loop_kind {
#define LOOP_KIND_ENUM(kind, word) kind,
    LOOP_KINDS(LOOP_KIND_ENUM)
#undef LOOP_KIND_ENUM
        LOOP_KIND_COUNT
} loop_kind;

typedef enum loop_fold { LOOP_SET, LOOP_ADD, LOOP_MAX, LOOP_MIN, LOOP_FOLD_COUNT } loop_fold;

/* The element type of index nodes, beside those of the graph: 64 bits. */
enum { LOOP_INDEX = DTYPE_COUNT };

typedef struct loop_node loop_node;
typedef VEC(loop_node *) loop_block;

typedef struct loop_term {
    int64_t coefficient;
    loop_node *node; /* of type LOOP_INDEX */
} loop_term;

typedef struct loop_address {
    int buffer; /* of the schedule; -1 in an affine node */
    int64_t base;
    VEC(loop_term) terms;
} loop_address;

struct loop_node {
    loop_kind kind;
    int type; /* a dtype, or LOOP_INDEX */
    int id;   /* unique in its kernel; `%id` in text */
    op_kind op;
    loop_fold fold;
    loop_node *args[3];
    int arg_count;
    loop_address address;
    loop_node *guard; /* LOAD, or NULL */
    double value;     /* CONST; LOAD where the guard is false */
    int64_t integer[2];
    uint64_t key;     /* RANDOM: the stream */
    loop_block body;  /* FOR */
    loop_node *owner; /* the loop in whose body it stands; NULL: the kernel's own */
    int depth;        /* 0: the kernel's own block */
    span at;
};

typedef struct loop_kernel {
    arena *memory;
    atom name;
    span at;
    loop_block rows; /* parallel loops, major first; none: one row */
    loop_block body;
    int64_t grain; /* rows that one thread takes at least */
    int next_id;
} loop_kernel;

loop_kernel *loop_kernel_new(arena *a, atom name, span at);
loop_node *loop_rows_add(loop_kernel *k, int64_t extent);

/* A loop inside `owner` (NULL: the kernel's own block), behind what stands there. */
loop_node *loop_for(loop_kernel *k, loop_node *owner, int64_t extent);

loop_node *loop_const(loop_kernel *k, dtype type, double value);
loop_node *loop_map(loop_kernel *k, op_kind op, dtype type, loop_node *const *args, int count);
loop_node *loop_load(loop_kernel *k, dtype type, loop_address address, loop_node *guard,
                     double otherwise);
loop_node *loop_to_index(loop_kernel *k, loop_node *value);
loop_node *loop_from_index(loop_kernel *k, dtype type, loop_node *index);
loop_node *loop_affine(loop_kernel *k,
                       loop_address sum); /* the node itself when it is one with coefficient 1 */
loop_node *loop_div(loop_kernel *k, loop_node *index, int64_t by);
loop_node *loop_mod(loop_kernel *k, loop_node *index, int64_t by);
loop_node *loop_within(loop_kernel *k, loop_node *index, int64_t from, int64_t to);
loop_node *loop_coordinate(loop_kernel *k, int axis);
loop_node *loop_iteration(loop_kernel *k, int loop);
loop_node *loop_random(loop_kernel *k, dtype type, loop_node *index, loop_node *step, uint64_t key);

/* These stand where they are put: at the end of `owner`'s body. */
loop_node *loop_accumulator(loop_kernel *k, loop_node *owner, dtype type, loop_fold fold);
void loop_fold_into(loop_kernel *k, loop_node *owner, loop_node *accumulator, loop_node *value);
loop_node *loop_total(loop_kernel *k, loop_node *owner, loop_node *accumulator);
void loop_store(loop_kernel *k, loop_node *owner, loop_fold fold, loop_address address,
                loop_node *value);

loop_address loop_address_at(int buffer, int64_t base);
void loop_address_add(loop_kernel *k, loop_address *a, int64_t coefficient, loop_node *index);

int64_t loop_row_count(const loop_kernel *k);
int64_t loop_work(const loop_kernel *k); /* scalar operations of one row, about */
const char *loop_kind_word(loop_kind kind);
const char *loop_fold_word(loop_fold fold);
const char *loop_type_name(int type); /* a dtype's, or "index" */

/* Calls `visit` for each node of the kernel in order, loops before their bodies. */
typedef void loop_visit_fn(loop_node *node, void *state);
void loop_visit(loop_block *block, loop_visit_fn *visit, void *state);

#endif
