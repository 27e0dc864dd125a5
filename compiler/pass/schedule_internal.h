/* schedule_internal.h: what the files of pass_schedule share.
 *
 * Lowering goes over a function's operators in order. A value is either placed (it has memory: a view and a stride for
 * each slot) or written out anew inside each kernel that reads it. Which of the two stands in `marked` before lowering
 * begins (schedule_mark.c). Operators that only change how elements are addressed give a placed operand new strides.
 */
#ifndef ESPALIER_PASS_SCHEDULE_INTERNAL_H
#define ESPALIER_PASS_SCHEDULE_INTERNAL_H

#include "pass/schedule.h"

/* Where a value's elements are: view.first + sum of stride[slot] * index[slot]. */
typedef struct place {
    bool placed;
    bool fresh; /* its own buffer, written once, in row-major order */
    schedule_view view;
    int64_t stride[GRAPH_MAX_RANK];
} place;

typedef struct lower {
    schedule *s;
    graph *g;
    const training *t;
    diag_sink *sink;
    arena *a;
    schedule_block *out; /* instructions are appended here */
    place *places;       /* by value id */
    place *targets;      /* by value id: where a value is to be written, when that is given */
    bool *marked;        /* by value id: needs memory */
    int *uses;           /* by value id */
    int *gradient_of;    /* by value id: the parameter whose gradient it is, or -1 */
    const graph_op *op;  /* being lowered */
} lower;

/* A kernel being built, with the elements that stand in it already. */
typedef struct element {
    const graph_value *value;
    loop_node *index[GRAPH_MAX_RANK];
    loop_node *node;
} element;

typedef struct kernel_build {
    lower *l;
    loop_kernel *k;
    VEC(element) elements;
} kernel_build;

/* schedule.c */
int schedule_buffer_add(lower *l, const graph_value *like, int64_t count, memory_kind kind);
int64_t local_size(const lower *l, const graph_value *v, int slot);
int64_t local_count(const lower *l, const graph_value *v);
place place_new(lower *l, const graph_value *v, memory_kind kind); /* a new buffer, row-major */
place place_for(lower *l, const graph_value *v);                   /* its target, or place_new */
bool place_is_dense(const lower *l, const graph_value *v, const place *p);
void row_major(const lower *l, const graph_value *v, int64_t *stride);
schedule_instruction *instruction_add(lower *l, schedule_kind kind);
kernel_build kernel_begin(lower *l);
void kernel_end(kernel_build *b);
void lower_region(lower *l, graph_region *region);
void lower_copy(lower *l, graph_value *v, const place *to); /* a kernel that writes v at `to` */
place place_dense(lower *l, graph_value *v); /* v in row-major order, copied if need be */
place place_of(lower *l, graph_value *v);    /* copied into memory if need be */
void lower_refuse(lower *l, const char *what);

/* schedule_element.c */
loop_node *element_at(kernel_build *b, graph_value *v, loop_node *const *index);
loop_node *element_compute(kernel_build *b, graph_value *v,
                           loop_node *const *index); /* placed or not */
loop_address element_address(kernel_build *b, const place *p, loop_node *const *index, int rank);

/* schedule_kernel.c: operators that loop */
void lower_elements(lower *l, graph_value *v, const place *to);
void lower_reduce(lower *l, graph_op *op);
void lower_zeros(lower *l, graph_value *v, const place *to);
void lower_cumsum(lower *l, graph_op *op);
void lower_scatter(lower *l, graph_op *op);
void lower_append(lower *l, graph_op *op);

/* schedule_window.c */
void lower_window(lower *l, graph_op *op);

/* schedule_attention.c */
void lower_attention(lower *l, graph_op *op);

/* schedule_gemm.c */
void lower_dot(lower *l, graph_op *op);

/* schedule_call.c */
void lower_collective(lower *l, graph_op *op);
void collectives_scratch(lower *l); /* where programs stage chunks */
void lower_repeat(lower *l, graph_op *op);
void lower_assign(lower *l, graph_op *op);
void lower_accumulate(lower *l, graph_op *op);
void settle(lower *l, schedule_block *block, int from,
            int into); /* the values of buffer `from` belong in `into` */

/* schedule_mark.c */
void mark_function(lower *l, graph_function *f);
void mark_gradients(lower *l,
                    graph_function *f); /* also orders operators and makes the gradient blocks */
void flush_gradients(lower *l, graph_function *f);

#endif
