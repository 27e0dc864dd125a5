/* context.h: one rank at run time: what generated code is handed, and hands to esp_rows, esp_gemm_* and esp_collective.
 *
 *     rt_context_make(&context, &setup, &error);
 *     status = rt_context_call(&context, image.step_function);     // RT_OK, or why a collective ended
 *     rt_context_clean_up(&context);
 */
#ifndef ESPALIER_RUNTIME_EXEC_CONTEXT_H
#define ESPALIER_RUNTIME_EXEC_CONTEXT_H

#include <setjmp.h>

#include "coll/engine.h"
#include "espalier/abi.h"
#include "exec/control.h"
#include "exec/image.h"
#include "transport/shared.h"

struct esp_context {
    const rt_image *image;
    esp_function_fn *const *functions;
    int rank;
    int threads;
    char *arena;
    rt_control *control;
    rt_record *record; /* this rank's of the control */
    rt_shared shared;
    rt_group groups[RT_MAX_AXES];
    int *members;              /* of all groups, one after another */
    rt_rank_program *programs; /* [collectives] */
    jmp_buf *leave;            /* out of generated code, when a collective has failed */
    rt_status status;
    rt_error error;
};

/* What a context is made from; all of it is borrowed. */
typedef struct rt_setup {
    const rt_image *image;
    esp_function_fn *const *functions;
    rt_control *control;
    int rank, threads;
    double timeout; /* seconds */
} rt_setup;

rt_status rt_context_make(esp_context *context, const rt_setup *setup, rt_error *error);
void rt_context_clean_up(esp_context *context);

/* Calls a function of the plan. Errors are those of its collectives, worded in context->error: RT_TIMEOUT, RT_CANCELLED. */
rt_status rt_context_call(esp_context *context, int function);

/* "all_reduce by ring at digits.plan:29" of a collective. */
const char *rt_collective_text(const rt_image *image, int collective, char *text, size_t bytes);

#endif
