/* The text form of a schedule: one line a buffer, an instruction or a node, each with its plan line.
 *
 *     schedule seed 7 bytes 123456
 *     buffer #0 f32 8192 parameters "linear.w" variable 0 block 3 first 128 lasting offset 0 @ stdlib/nn.plan:3
 *     collective 0 all_reduce "ring" axis 0 f32 @ digits.plan:41
 *     clock #4 #5 #6
 *     input "image" #7
 *     function step
 *       gemm f32 m 16 n 128 k 64 lda 64 ldb 128 ldc 128 a #7[0] b #0[0] c #9[0] @ stdlib/nn.plan:4
 *       kernel relu_3 rows %0=16 @ digits.plan:14
 *         %1 = for 128 @ digits.plan:14
 *           %2 = load f32 #9[0 + 128*%0 + 1*%1] @ digits.plan:14
 *         end
 *       end
 *       result loss "loss" f32 #12
 *     end
 */
#include "pass/schedule.h"

#include <inttypes.h>
#include <string.h>

typedef struct printing {
    const schedule *s;
    text *out;
    int depth;
} printing;

static void indent(printing *p)
{
    for (int i = 0; i < p->depth; i++)
        text_add(p->out, "  ");
}

static void place_print(printing *p, span at)
{
    const char *name =
        p->s->sources && at.file >= 0 ? source_line_name(p->s->sources, at, p->s->memory) : "-";
    text_add(p->out, " @ %s\n", name);
}

static void word(printing *p, const char *x)
{
    text_add(p->out, " \"%s\"", x);
}

static void buffer_print(printing *p, int number)
{
    const schedule_buffer *b = &p->s->buffers.items[number];
    text_add(p->out, "buffer #%d %s %" PRId64 " %s", number, dtype_name(b->type), b->count,
             memory_kind_name(b->memory));
    if (b->name)
        word(p, b->name);
    if (b->variable >= 0)
        text_add(p->out, " variable %d", b->variable);
    if (b->block >= 0)
        text_add(p->out, " block %d first %" PRId64, b->block, b->block_first);
    if (b->lasting)
        text_add(p->out, " lasting");
    if (b->offset >= 0)
        text_add(p->out, " offset %" PRId64, b->offset);
    place_print(p, b->at);
}

static void terms_print(printing *p, const loop_address *a)
{
    text_add(p->out, "[%" PRId64, a->base);
    for (size_t i = 0; i < a->terms.count; i++)
        text_add(p->out, " + %" PRId64 "*%%%d", a->terms.items[i].coefficient,
                 a->terms.items[i].node->id);
    text_add(p->out, "]");
}

static void arguments_print(printing *p, const loop_node *n)
{
    for (int i = 0; i < n->arg_count; i++)
        text_add(p->out, "%s %%%d", i ? "," : "", n->args[i]->id);
}

static void node_rest(printing *p, const loop_node *n)
{
    switch (n->kind) {
    case LOOP_FOR:
    case LOOP_COORDINATE:
    case LOOP_ITERATION:
        text_add(p->out, " %" PRId64, n->integer[0]);
        break;
    case LOOP_CONST:
        text_add(p->out, " %.17g", n->value);
        break;
    case LOOP_AFFINE:
        text_add(p->out, " ");
        terms_print(p, &n->address);
        break;
    case LOOP_LOAD:
        text_add(p->out, " #%d", n->address.buffer);
        terms_print(p, &n->address);
        if (n->guard)
            text_add(p->out, " guard %%%d else %.17g", n->guard->id, n->value);
        break;
    case LOOP_STORE:
        text_add(p->out, " %s #%d", loop_fold_word(n->fold), n->address.buffer);
        terms_print(p, &n->address);
        text_add(p->out, " =");
        arguments_print(p, n);
        break;
    case LOOP_ACCUMULATOR:
        text_add(p->out, " %s", loop_fold_word(n->fold));
        break;
    default:
        arguments_print(p, n);
    }
    if (n->kind == LOOP_DIV || n->kind == LOOP_MOD)
        text_add(p->out, " by %" PRId64, n->integer[0]);
    if (n->kind == LOOP_WITHIN)
        text_add(p->out, " from %" PRId64 " to %" PRId64, n->integer[0], n->integer[1]);
    if (n->kind == LOOP_RANDOM)
        text_add(p->out, " key %" PRId64, (int64_t)n->key);
}

static void node_print(printing *p, const loop_node *n)
{
    indent(p);
    text_add(p->out, "%%%d = ", n->id);
    text_add(p->out, "%s %s",
             n->kind == LOOP_MAP ? op_info_of(n->op)->name : loop_kind_word(n->kind),
             loop_type_name(n->type));
    node_rest(p, n);
    place_print(p, n->at);
    if (n->kind != LOOP_FOR)
        return;
    p->depth++;
    for (size_t i = 0; i < n->body.count; i++)
        node_print(p, n->body.items[i]);
    p->depth--;
    indent(p);
    text_add(p->out, "end\n");
}

static void kernel_print(printing *p, const schedule_instruction *in)
{
    const loop_kernel *k = in->kernel;
    text_add(p->out, "kernel %s rows", k->name);
    for (size_t i = 0; i < k->rows.count; i++)
        text_add(p->out, " %%%d=%" PRId64, k->rows.items[i]->id, k->rows.items[i]->integer[0]);
    place_print(p, in->at);
    p->depth++;
    for (size_t i = 0; i < k->body.count; i++)
        node_print(p, k->body.items[i]);
    p->depth--;
    indent(p);
    text_add(p->out, "end\n");
}

static void view_print(printing *p, const char *name, const schedule_view *v)
{
    text_add(p->out, " %s #%d[%" PRId64, name, v->buffer, v->first);
    for (int i = 0; i < v->loop_count; i++)
        text_add(p->out, " + %" PRId64 "*loop %d", v->loops[i].stride, v->loops[i].loop);
    text_add(p->out, "]");
}

static void gemm_print(printing *p, const schedule_instruction *in)
{
    const schedule_gemm *g = &in->gemm;
    static const char *const names[3] = {"a", "b", "c"};
    text_add(p->out, "gemm %s m %" PRId64 " n %" PRId64 " k %" PRId64, dtype_name(in->type), g->m,
             g->n, g->k);
    text_add(p->out, " lda %" PRId64 " ldb %" PRId64 " ldc %" PRId64, g->lda, g->ldb, g->ldc);
    text_add(p->out, " batch %" PRId64 " strides %" PRId64 " %" PRId64 " %" PRId64, g->batch,
             g->stride_a, g->stride_b, g->stride_c);
    text_add(p->out, " turned %d %d beta %.17g", g->transpose_a, g->transpose_b, g->beta);
    for (int i = 0; i < 3; i++)
        view_print(p, names[i], &in->operands[i]);
    place_print(p, in->at);
}

static void window_print(printing *p, const schedule_instruction *in)
{
    static const char *const names[3] = {"a", "b", "c"};
    const schedule_conv *c = &in->conv;
    text_add(p->out, "window %s %s spatial %d", op_info_of(c->op)->name, dtype_name(in->type),
             c->spatial);
    text_add(p->out, " batch %" PRId64 " in %" PRId64 " out %" PRId64 " groups %" PRId64, c->batch,
             c->in, c->out, c->groups);
    for (int k = 0; k < c->spatial; k++) {
        text_add(p->out, " size %" PRId64 " result %" PRId64 " window %" PRId64, c->size[k],
                 c->result[k], c->window[k]);
        text_add(p->out, " stride %" PRId64 " pad %" PRId64 " dilation %" PRId64, c->stride[k],
                 c->pad[k], c->dilation[k]);
    }
    for (int i = 0; i < 3; i++)
        view_print(p, names[i], &in->operands[i]);
    place_print(p, in->at);
}

static void attention_print(printing *p, const schedule_instruction *in)
{
    const schedule_attention *t = &in->attention;
    text_add(p->out, "attention %s %s", op_info_of(t->op)->name, dtype_name(in->type));
    text_add(p->out, " batch %" PRId64 " heads %" PRId64 " kv_heads %" PRId64, t->batch, t->heads,
             t->kv_heads);
    text_add(p->out, " s %" PRId64 " t %" PRId64 " e %" PRId64 " ev %" PRId64, t->s, t->t, t->e,
             t->ev);
    text_add(p->out, " mask %" PRId64 " causal %d window %" PRId64 " scale %.17g%s", t->mask_stride,
             t->causal, t->window, t->scale, t->positioned ? " positioned" : "");
    for (int i = 0; i < in->operand_count; i++)
        view_print(p, "on", &in->operands[i]);
    place_print(p, in->at);
}

static void block_print(printing *p, const schedule_block *block);

static void instruction_print(printing *p, const schedule_instruction *in)
{
    indent(p);
    switch (in->kind) {
    case SCHEDULE_KERNEL:
        kernel_print(p, in);
        break;
    case SCHEDULE_GEMM:
        gemm_print(p, in);
        break;
    case SCHEDULE_COLLECTIVE:
        text_add(p->out, "collective %d count %" PRId64, in->collective, in->count);
        view_print(p, "data", &in->operands[0]);
        place_print(p, in->at);
        break;
    case SCHEDULE_LOOP:
        text_add(p->out, "loop %d times %" PRId64 "%s counter #%d", in->loop, in->iterations,
                 in->reverse ? " reverse" : "", in->counter);
        place_print(p, in->at);
        p->depth++;
        block_print(p, &in->body);
        p->depth--;
        indent(p);
        text_add(p->out, "end\n");
        break;
    case SCHEDULE_CONV:
        window_print(p, in);
        break;
    case SCHEDULE_ATTENTION:
        attention_print(p, in);
        break;
    }
}

static void block_print(printing *p, const schedule_block *block)
{
    for (size_t i = 0; i < block->count; i++)
        instruction_print(p, block->items[i]);
}

static void collective_print(printing *p, int number)
{
    const schedule_collective *c = &p->s->collectives.items[number];
    text_add(p->out, "collective %d %s", number, op_info_of(c->op)->name);
    word(p, c->topology ? c->topology : "");
    text_add(p->out, " axis %d %s%s", c->axis, dtype_name(c->type), c->maximum ? " max" : "");
    if (c->scratch >= 0)
        text_add(p->out, " scratch #%d", c->scratch);
    place_print(p, c->clause);
}

static void function_print(printing *p, const schedule_function *f)
{
    static const char *const kinds[] = {"loss", "metric", "lr", "grad_norm", "scores"};
    text_add(p->out, "function %s\n", f->name);
    p->depth = 1;
    block_print(p, &f->body);
    for (size_t i = 0; i < f->results.count; i++) {
        const schedule_result *r = &f->results.items[i];
        text_add(p->out, "  result %s \"%s\" %s #%d\n", kinds[r->kind], r->name,
                 dtype_name(r->type), r->buffer);
    }
    p->depth = 0;
    text_add(p->out, "end\n");
}

void schedule_print(const schedule *s, text *out)
{
    printing p = {s, out, 0};
    text_add(out, "schedule seed %" PRId64 " bytes", (int64_t)s->seed);
    for (int i = 0; i < MEMORY_KIND_COUNT; i++)
        text_add(out, " %" PRId64, s->memory_bytes[i]);
    text_add(out, "\n");
    for (size_t i = 0; i < s->buffers.count; i++)
        buffer_print(&p, (int)i);
    for (size_t i = 0; i < s->collectives.count; i++)
        collective_print(&p, (int)i);
    text_add(out, "clock");
    for (int i = 0; i < CLOCK_MICROBATCH && s->clock[i] >= 0; i++)
        text_add(out, " #%d", s->clock[i]);
    if (s->clock[CLOCK_MICROBATCH] >= 0)
        text_add(out, " microbatch #%d of %lld", s->clock[CLOCK_MICROBATCH],
                 (long long)s->microbatches);
    text_add(out, "\n");
    for (size_t i = 0; i < s->inputs.count; i++)
        text_add(out, "input \"%s\" #%d\n", s->inputs.items[i].name, s->inputs.items[i].buffer);
    for (size_t i = 0; i < s->functions.count; i++)
        function_print(&p, s->functions.items[i]);
}
