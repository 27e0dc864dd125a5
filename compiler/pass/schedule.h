/* schedule.h: what one rank does, instruction by instruction, with every buffer at its place in the arena.
 *
 * The schedule form follows the spmd form. It has buffers (what has memory), kernels (loop.h), the collectives of the
 * plan, and for each function (`step`, `eval`, `accumulate`) a list of instructions: kernels, library calls, collectives, loops. A loop
 * runs its body once for each slice of stacked values; in its body an operand's place moves with the slice.
 *
 *     schedule *s = pass_schedule(spmd, training, sink);   // NULL after a diagnostic
 *     pass_fuse(s);                                        // fewer kernels
 *     pass_place(s);                                       // offsets; s->arena_bytes
 *     schedule_print(s, &text);
 *
 * Everything lives in the graph's arena. Sizes are those of one rank: all ranks of a stage have the same schedule.
 * The text form is complete but for what only the graph has (data, samples): schedule_parse(schedule_print(s)) prints alike.
 */
#ifndef ESPALIER_PASS_SCHEDULE_H
#define ESPALIER_PASS_SCHEDULE_H

#include "base/text.h"
#include "diag/diag.h"
#include "graph/training.h"
#include "pass/loop.h"

/* Categories of memory, in the order in which they lie in the arena. X(kind, "word") */
#define MEMORY_KINDS(X)                                                                            \
    X(MEMORY_PARAMETERS, "parameters") /* and model state that is no parameter */                  \
    X(MEMORY_GRADIENTS, "gradients")                                                               \
    X(MEMORY_OPTIMIZER, "optimizer")                                                               \
    X(MEMORY_CACHE, "cache")                 /* what sampling keeps from one id to the next */     \
    X(MEMORY_ACTIVATIONS, "activations")     /* inputs, results of operators, their gradients */   \
    X(MEMORY_COMMUNICATION, "communication") /* what collectives stage */                          \
    X(MEMORY_WORKSPACE, "workspace")         /* clock, results, loop counters, repacked operands */

typedef enum memory_kind {
#define MEMORY_KIND_ENUM(kind, word) kind,
    MEMORY_KINDS(MEMORY_KIND_ENUM)
#undef MEMORY_KIND_ENUM
        MEMORY_KIND_COUNT
} memory_kind;

enum { SCHEDULE_ALIGNMENT = 64, SCHEDULE_MAX_LOOPS = 6 };

/* A stretch of the arena. A buffer of a block (`block` >= 0) lies at a fixed place inside that block. */
typedef struct schedule_buffer {
    atom name; /* "linear.w", "h", or NULL */
    span at;
    dtype type;
    int64_t count; /* elements on this rank */
    memory_kind memory;
    int variable;        /* index into graph.variables, or -1 */
    int block;           /* buffer that it is a part of, or -1 */
    int64_t block_first; /* first element inside the block */
    int same_as;    /* shares the memory of this buffer, which dies as this one is written; or -1 */
    bool lasting;   /* lives through the whole run: variables, inputs, clock, results */
    int64_t offset; /* bytes into the arena; -1 before pass_place */
} schedule_buffer;

/* An operand: elements of `buffer` from `first` + sum over the enclosing loops of stride * slice. */
typedef struct schedule_view {
    int buffer;
    int64_t first;
    int loop_count;
    struct {
        int loop; /* number of an enclosing loop */
        int64_t stride;
    } loops[SCHEDULE_MAX_LOOPS];
} schedule_view;

typedef enum schedule_kind {
    SCHEDULE_KERNEL,
    SCHEDULE_GEMM,
    SCHEDULE_CONV,
    SCHEDULE_ATTENTION,
    SCHEDULE_COLLECTIVE,
    SCHEDULE_LOOP
} schedule_kind;

typedef struct schedule_instruction schedule_instruction;
typedef VEC(schedule_instruction *) schedule_block;

/* c[m, n] = a . b, as the ABI's esp_gemm; sizes in elements. */
typedef struct schedule_gemm {
    int64_t m, n, k, lda, ldb, ldc, batch, stride_a, stride_b, stride_c;
    bool transpose_a, transpose_b;
    double beta;
} schedule_gemm;

/* A convolution, a pool or the gradient of one, as the ABI's esp_window; operands a, b (buffer -1: not read), c. */
typedef struct schedule_conv {
    op_kind op;
    int spatial;
    int64_t batch, in, out, groups; /* channels */
    int64_t size[3], result[3], window[3], stride[3], pad[3], dilation[3];
} schedule_conv;

/* As the ABI's esp_attention, all operands dense: q, k, v, mask (buffer -1: none), o, lse, and the position where it is
 * `positioned`; for the gradient also do, dq, dk, dv. */
typedef struct schedule_attention {
    op_kind op;
    int64_t batch, heads, kv_heads, s, t, e, ev;
    int64_t mask_stride;
    bool causal, positioned;
    int64_t window;
    double scale;
} schedule_attention;

struct schedule_instruction {
    schedule_kind kind;
    span at;
    span_vec trail;
    dtype type;
    loop_kernel *kernel;        /* KERNEL */
    schedule_view operands[12]; /* GEMM a, b, c; CONV; ATTENTION; COLLECTIVE the data */
    int operand_count;
    schedule_gemm gemm;
    schedule_conv conv;
    schedule_attention attention;
    int collective; /* COLLECTIVE: index into schedule.collectives */
    int64_t count;  /* COLLECTIVE: elements */
    int loop;       /* LOOP: its number */
    int64_t iterations;
    bool reverse;
    int counter; /* LOOP: buffer of one 64-bit integer that holds the slice */
    schedule_block body;
};

/* A collective of the plan: calls that share kind, axis, type and clause are one. */
typedef struct schedule_collective {
    op_kind op; /* all_reduce, all_gather, reduce_scatter */
    atom topology;
    int axis;
    dtype type;
    bool maximum; /* folds by max in place of sum */
    const struct coll_program *program;
    span clause;
    int scratch; /* buffer where its program stages chunks, or -1 */
} schedule_collective;

typedef struct schedule_result {
    atom name;
    result_kind kind;
    dtype type;
    int buffer; /* one element; scores: all of them */
} schedule_result;

typedef struct schedule_function {
    atom name;
    schedule_block body;
    VEC(schedule_result) results;
} schedule_function;

/* One field of the samples and the buffer that the runtime fills before each call. */
typedef struct schedule_input {
    atom name;
    graph_type type;
    graph_layout layout;
    int buffer;
} schedule_input;

/* Only plans that sample hold the position, only those with microbatches the number of the one that is computed. */
typedef enum schedule_clock {
    CLOCK_STEP,
    CLOCK_STEPS,
    CLOCK_VALID,
    CLOCK_POSITION,
    CLOCK_MICROBATCH,
    CLOCK_COUNT
} schedule_clock;

typedef struct schedule {
    arena *memory;
    graph *graph; /* dimensions, variables, mesh; NULL after schedule_parse */
    atom_table *atoms;
    const source_set *sources;
    uint64_t seed;
    int64_t microbatches; /* calls of `accumulate` in a step */
    VEC(schedule_buffer) buffers;
    VEC(schedule_function *) functions;
    VEC(schedule_collective) collectives;
    VEC(schedule_input) inputs;
    VEC(int) variable_buffers; /* by index of graph.variables */
    VEC(int) gradient_buffers; /* likewise, where `step` leaves the gradient; -1: nowhere */
    int clock[CLOCK_COUNT];    /* f64 scalars; -1: not held */
    int loop_count;
    int kernel_count;
    int64_t arena_bytes;                     /* after pass_place: what the runtime reserves */
    int64_t memory_bytes[MEMORY_KIND_COUNT]; /* their sum is arena_bytes */
} schedule;

/* Partitioned graph -> instructions. NULL after a diagnostic. */
schedule *pass_schedule(graph *spmd, const training *t, diag_sink *sink);

/* Joins kernels that follow one another over the same rows. */
void pass_fuse(schedule *s);

/* Gives every buffer its offset, by lifetime. */
void pass_place(schedule *s);

/* What holds after each pass; a text that says what does not, or NULL. */
const char *schedule_verify(const schedule *s, arena *a);

void schedule_print(const schedule *s, text *out);

/* Reads a printed schedule. On an error returns NULL and says in *problem what stands where. */
schedule *schedule_parse(const char *bytes, size_t length, arena *a, const char **problem);

const char *memory_kind_name(memory_kind kind);

/* For `explain`. */
typedef struct memory_item {
    const char *name;  /* the buffer's, or its kind */
    const char *place; /* "file:line" of its plan line */
    memory_kind kind;
    int64_t bytes;
} memory_item;

typedef struct memory_table {
    int64_t bytes[MEMORY_KIND_COUNT];
    int64_t total;
    VEC(memory_item) largest; /* buffers by size, largest first */
} memory_table;

void schedule_memory(const schedule *s, arena *a, int largest, memory_table *table);

/* Bytes that a rank sends in one step, by clause; `rank` is the plan's. */
typedef struct traffic_item {
    span clause;
    const char *collective; /* "all_reduce ring" */
    int axis;
    int64_t calls;
    int64_t bytes; /* sent by this rank */
} traffic_item;

typedef VEC(traffic_item) traffic_table;
void schedule_traffic(const schedule *s, int rank, arena *a, traffic_table *table);

/* Floating-point operations of one call of `function` (of `step` with its calls of `accumulate`) on one rank: 2 m n k for products, one for each scalar of kernels. */
int64_t schedule_operations(const schedule *s, const char *function);

#endif
