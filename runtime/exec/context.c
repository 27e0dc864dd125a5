#include "exec/context.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernel/attention.h"
#include "kernel/gemm.h"
#include "kernel/rows.h"
#include "kernel/window.h"
#include "topo/cpu.h"

enum { SPINS = 2000, NANOSECONDS = 1000000000 };

/* Bytes of peers' pages that may stay mapped here: well inside what is allowed above the arena (a tenth and 64 MiB). */
static size_t mapped_limit(int64_t arena_bytes)
{
    return (size_t)arena_bytes / 16 + ((size_t)16 << 20);
}

static void make_groups(esp_context *context)
{
    const rt_image *image = context->image;
    int *members = context->members;
    for (int a = 0; a < image->axis_count; a++) {
        rt_group *group = &context->groups[a];
        group->transport = &context->shared.base;
        group->size = image->axes[a].size;
        for (int j = 0; j < group->size; j++)
            members[j] = rt_image_group_rank(image, context->rank, a, j);
        group->ranks = members;
        members += group->size;
    }
}

static rt_status check_scratch(const rt_image *image, int i, const rt_rank_program *program,
                               rt_error *error)
{
    if (program->slots > 0 && image->collectives[i].scratch_bytes == 0)
        return rt_fail(error, RT_DAMAGED,
                       "plan image: collectives[%d] exchanges chunks in place and has no scratch",
                       i);
    return RT_OK;
}

static rt_status make_programs(esp_context *context, rt_error *error)
{
    const rt_image *image = context->image;
    for (int i = 0; i < image->collective_count; i++) {
        const rt_collective *collective = &image->collectives[i];
        int own = rt_image_coordinate(image, context->rank, collective->axis);
        rt_status status =
            rt_rank_program_make(&collective->program, own, &context->programs[i], error);
        if (status == RT_OK)
            status = check_scratch(image, i, &context->programs[i], error);
        if (status != RT_OK)
            return status;
    }
    return RT_OK;
}

rt_status rt_context_make(esp_context *context, const rt_setup *setup, rt_error *error)
{
    const rt_image *image = setup->image;
    rt_control *control = setup->control;
    int members = 0;
    for (int a = 0; a < image->axis_count; a++)
        members += image->axes[a].size;
    *context = (esp_context){.image = image,
                             .functions = setup->functions,
                             .rank = setup->rank,
                             .threads = setup->threads,
                             .arena = control->arenas[setup->rank],
                             .control = control,
                             .record = &control->records[setup->rank]};
    context->members = calloc((size_t)members + 1, sizeof *context->members);
    context->programs = calloc((size_t)image->collective_count + 1, sizeof *context->programs);
    if (!context->members || !context->programs) {
        rt_context_clean_up(context);
        return rt_fail(error, RT_NO_MEMORY, "out of memory for a rank's programs");
    }
    rt_shared_init(&context->shared, control->board, control->arenas, control->arena_bytes,
                   setup->rank);
    context->shared.base.deadline = (int64_t)(setup->timeout * NANOSECONDS);
    context->shared.base.spins = rt_cpu_cores() >= image->ranks ? SPINS : 0;
    context->shared.mapped_limit = mapped_limit(image->arena_bytes);
    make_groups(context);
    rt_status status = make_programs(context, error);
    if (status != RT_OK)
        rt_context_clean_up(context);
    return status;
}

void rt_context_clean_up(esp_context *context)
{
    for (int i = 0; context->programs && i < context->image->collective_count; i++)
        rt_rank_program_clean_up(&context->programs[i]);
    free(context->programs);
    free(context->members);
    context->programs = NULL;
    context->members = NULL;
}

rt_status rt_context_call(esp_context *context, int function)
{
    jmp_buf leave;
    context->status = RT_OK;
    context->leave = &leave;
    if (setjmp(leave) == 0)
        context->functions[function](context->arena, context);
    context->leave = NULL;
    return context->status;
}

const char *rt_collective_text(const rt_image *image, int collective, char *text, size_t bytes)
{
    if (collective < 0 || collective >= image->collective_count)
        return "none";
    const rt_collective *c = &image->collectives[collective];
    char place[512];
    snprintf(text, bytes, "%s by %s at %s", c->kind, c->name,
             rt_image_place(image, c->clause, place, sizeof place));
    return text;
}

static void word_failure(esp_context *context, int collective, const rt_blocked *blocked)
{
    char text[640];
    rt_collective_text(context->image, collective, text, sizeof text);
    if (context->status == RT_CANCELLED) {
        rt_fail(&context->error, RT_CANCELLED, "stopped in %s", text);
        return;
    }
    char chunk[64] = "what it was sent";
    if (blocked->chunk >= 0)
        snprintf(chunk, sizeof chunk, "chunk %d (piece %d of %d)", blocked->chunk,
                 blocked->lane + 1, blocked->lanes);
    rt_fail(&context->error, context->status,
            "waited longer than %g s for rank %d to %s %s, in step %lld, %s",
            (double)context->shared.base.deadline / NANOSECONDS, blocked->peer,
            blocked->sending ? "read" : "send", chunk, (long long)context->record->step, text);
}

void esp_collective(esp_context *context, int32_t collective, char *data, int64_t count)
{
    const rt_image *image = context->image;
    assert(collective >= 0 && collective < image->collective_count && count >= 0);
    const rt_collective *c = &image->collectives[collective];
    size_t bytes = (size_t)count * rt_type_bytes(c->type);
    assert(data >= context->arena && data + bytes <= context->arena + image->arena_bytes);
    const rt_rank_program *program = &context->programs[collective];
    rt_operand operand = {c->type, data, count, context->arena + c->scratch_offset};
    assert(program->slots == 0 ||
           rt_engine_scratch(program, c->type, count) <= (size_t)c->scratch_bytes);
    context->record->collective = collective;
    context->record->inside = true;
    rt_blocked blocked = {0};
    context->status = rt_engine_run(&context->groups[c->axis], program, &operand, &blocked);
    context->record->inside = false;
    if (context->status == RT_OK)
        return;
    word_failure(context, collective, &blocked);
    longjmp(*context->leave, 1);
}

int64_t esp_coordinate(esp_context *context, int32_t axis)
{
    assert(axis >= 0 && axis < context->image->axis_count);
    return rt_image_coordinate(context->image, context->rank, axis);
}

void esp_rows(esp_context *context, esp_kernel_fn *kernel, char *arena, int64_t rows, int64_t grain)
{
    rt_rows_run(&(rt_rows){kernel, arena, context, rows, grain}, context->threads);
}

void esp_gemm_f32(esp_context *context, const esp_gemm *shape, const float *a, const float *b,
                  float *c)
{
    rt_gemm_f32(shape, context->threads, a, b, c);
}

void esp_gemm_f64(esp_context *context, const esp_gemm *shape, const double *a, const double *b,
                  double *c)
{
    rt_gemm_f64(shape, context->threads, a, b, c);
}

void esp_window_f32(esp_context *context, const esp_window *shape, const float *a, const float *b,
                    float *c)
{
    rt_window_f32(shape, context->threads, a, b, c);
}

void esp_window_f64(esp_context *context, const esp_window *shape, const double *a, const double *b,
                    double *c)
{
    rt_window_f64(shape, context->threads, a, b, c);
}

void esp_attention_f32(esp_context *context, const esp_attention *shape, void *const *operands)
{
    rt_attention_f32(shape, context->threads, operands);
}

void esp_attention_f64(esp_context *context, const esp_attention *shape, void *const *operands)
{
    rt_attention_f64(shape, context->threads, operands);
}

void esp_attention_grad_f32(esp_context *context, const esp_attention *shape, void *const *operands)
{
    rt_attention_grad_f32(shape, context->threads, operands);
}

void esp_attention_grad_f64(esp_context *context, const esp_attention *shape, void *const *operands)
{
    rt_attention_grad_f64(shape, context->threads, operands);
}
