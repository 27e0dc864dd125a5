/* Reads the text form that schedule_print.c writes. */
#include "graph/text_reader.h"
#include "pass/schedule.h"

#include <stdlib.h>
#include <string.h>

typedef struct parsing {
    text_reader r;
    schedule *s;
    loop_kernel *kernel;
    VEC(loop_node *) nodes; /* of the kernel, by id */
    loop_node *owner;
    span at;
} parsing;

static int buffer_number(parsing *p)
{
    text_reader_expect(&p->r, "#");
    int64_t n = text_reader_integer(&p->r);
    if (n < -1 || n >= (int64_t)p->s->buffers.count)
        text_reader_fail(&p->r, "no buffer has this number");
    return text_reader_failed(&p->r) ? -1 : (int)n;
}

static dtype type_read(parsing *p)
{
    atom name = text_reader_word(&p->r);
    for (int t = 0; !text_reader_failed(&p->r) && t < DTYPE_COUNT; t++)
        if (strcmp(name, dtype_name((dtype)t)) == 0)
            return (dtype)t;
    text_reader_fail(&p->r, "an element type is expected");
    return DTYPE_F32;
}

static int64_t after(parsing *p, const char *key)
{
    text_reader_expect(&p->r, key);
    return text_reader_integer(&p->r);
}

static memory_kind memory_read(parsing *p)
{
    for (int i = 0; i < MEMORY_KIND_COUNT; i++)
        if (text_reader_take_word(&p->r, memory_kind_name((memory_kind)i)))
            return (memory_kind)i;
    text_reader_fail(&p->r, "a category of memory is expected");
    return MEMORY_WORKSPACE;
}

static void buffer_read(parsing *p)
{
    schedule_buffer b = {.variable = -1, .block = -1, .same_as = -1, .offset = -1};
    text_reader_expect(&p->r, "#");
    if (text_reader_integer(&p->r) != (int64_t)p->s->buffers.count)
        text_reader_fail(&p->r, "buffers are numbered in order");
    b.type = type_read(p);
    b.count = text_reader_integer(&p->r);
    b.memory = memory_read(p);
    if (text_reader_sees(&p->r, "\""))
        b.name = text_reader_quoted(&p->r);
    if (text_reader_take_word(&p->r, "variable"))
        b.variable = (int)text_reader_integer(&p->r);
    if (text_reader_take_word(&p->r, "block")) {
        b.block = (int)text_reader_integer(&p->r);
        b.block_first = after(p, "first");
    }
    b.lasting = text_reader_take_word(&p->r, "lasting");
    if (text_reader_take_word(&p->r, "offset"))
        b.offset = text_reader_integer(&p->r);
    b.at = text_reader_place(&p->r);
    vec_push(p->s->memory, &p->s->buffers, b);
}

static void collective_read(parsing *p)
{
    schedule_collective c = {.scratch = -1};
    text_reader_integer(&p->r);
    atom name = text_reader_word(&p->r);
    c.op = text_reader_failed(&p->r) ? OP_COUNT : op_find(name, strlen(name));
    if (c.op == OP_COUNT)
        text_reader_fail(&p->r, "a collective is expected");
    c.topology = text_reader_quoted(&p->r);
    c.axis = (int)after(p, "axis");
    c.type = type_read(p);
    c.maximum = text_reader_take_word(&p->r, "max");
    if (text_reader_take_word(&p->r, "scratch"))
        c.scratch = buffer_number(p);
    c.clause = text_reader_place(&p->r);
    vec_push(p->s->memory, &p->s->collectives, c);
}

static loop_node *node_named(parsing *p)
{
    text_reader_expect(&p->r, "%");
    int64_t id = text_reader_integer(&p->r);
    if (id >= 0 && id < (int64_t)p->nodes.count && p->nodes.items[id])
        return p->nodes.items[id];
    text_reader_fail(&p->r, "no node before this line has this number");
    return NULL;
}

static void node_keep(parsing *p, int64_t id, loop_node *n)
{
    if (id < 0 || id > 1 << 20) {
        text_reader_fail(&p->r, "a node's number is out of range");
        return;
    }
    while ((int64_t)p->nodes.count <= id)
        vec_push(p->s->memory, &p->nodes, NULL);
    p->nodes.items[id] = n;
    n->id = (int)id;
    if (p->kernel->next_id <= n->id)
        p->kernel->next_id = n->id + 1;
}

static void terms_read(parsing *p, loop_address *a)
{
    text_reader_expect(&p->r, "[");
    a->base = text_reader_integer(&p->r);
    while (text_reader_take(&p->r, "+")) {
        loop_term t = {.coefficient = text_reader_integer(&p->r)};
        text_reader_expect(&p->r, "*");
        t.node = node_named(p);
        vec_push(p->s->memory, &a->terms, t);
    }
    text_reader_expect(&p->r, "]");
}

static void arguments_read(parsing *p, loop_node *n)
{
    if (!text_reader_sees(&p->r, "%"))
        return;
    do {
        if (n->arg_count == 3)
            text_reader_fail(&p->r, "a node has at most three operands");
        else
            n->args[n->arg_count++] = node_named(p);
    } while (text_reader_take(&p->r, ","));
}

static loop_fold fold_read(parsing *p)
{
    for (int i = 0; i < LOOP_FOLD_COUNT; i++)
        if (text_reader_take_word(&p->r, loop_fold_word((loop_fold)i)))
            return (loop_fold)i;
    text_reader_fail(&p->r, "set, add, max or min is expected");
    return LOOP_SET;
}

static void memory_access_read(parsing *p, loop_node *n)
{
    if (n->kind == LOOP_STORE)
        n->fold = fold_read(p);
    n->address.buffer = buffer_number(p);
    terms_read(p, &n->address);
    if (n->kind == LOOP_STORE) {
        text_reader_expect(&p->r, "=");
        arguments_read(p, n);
    } else if (text_reader_take_word(&p->r, "guard")) {
        n->guard = node_named(p);
        text_reader_expect(&p->r, "else");
        n->value = text_reader_number(&p->r);
    }
}

static void node_rest(parsing *p, loop_node *n)
{
    switch (n->kind) {
    case LOOP_FOR:
    case LOOP_COORDINATE:
    case LOOP_ITERATION:
        n->integer[0] = text_reader_integer(&p->r);
        break;
    case LOOP_CONST:
        n->value = text_reader_number(&p->r);
        break;
    case LOOP_AFFINE:
        terms_read(p, &n->address);
        break;
    case LOOP_LOAD:
    case LOOP_STORE:
        memory_access_read(p, n);
        break;
    case LOOP_ACCUMULATOR:
        n->fold = fold_read(p);
        break;
    default:
        arguments_read(p, n);
    }
    if (n->kind == LOOP_FOLD && n->arg_count)
        n->fold = n->args[0]->fold;
    if (n->kind == LOOP_DIV || n->kind == LOOP_MOD)
        n->integer[0] = after(p, "by");
    if (n->kind == LOOP_WITHIN) {
        n->integer[0] = after(p, "from");
        n->integer[1] = after(p, "to");
    }
    if (n->kind == LOOP_RANDOM)
        n->key = (uint64_t)after(p, "key");
}

static void kind_read(parsing *p, loop_node *n)
{
    atom name = text_reader_word(&p->r);
    if (text_reader_failed(&p->r))
        return;
    for (int i = 0; i < LOOP_KIND_COUNT; i++)
        if (i != LOOP_MAP && strcmp(name, loop_kind_word((loop_kind)i)) == 0) {
            n->kind = (loop_kind)i;
            return;
        }
    n->kind = LOOP_MAP;
    n->op = op_find(name, strlen(name));
    if (n->op == OP_COUNT)
        text_reader_fail(&p->r, "no node has this name");
}

static void nodes_read(parsing *p, loop_node *owner);

static void node_read(parsing *p, loop_node *owner)
{
    loop_node *n = arena_make(p->s->memory, loop_node);
    text_reader_expect(&p->r, "%");
    int64_t id = text_reader_integer(&p->r);
    text_reader_expect(&p->r, "=");
    n->address.buffer = -1;
    kind_read(p, n);
    n->type = text_reader_take_word(&p->r, "index") ? LOOP_INDEX : (int)type_read(p);
    node_rest(p, n);
    n->at = text_reader_place(&p->r);
    n->owner = owner;
    n->depth = owner ? owner->depth + 1 : 0;
    node_keep(p, id, n);
    vec_push(p->s->memory, owner ? &owner->body : &p->kernel->body, n);
    if (n->kind == LOOP_FOR)
        nodes_read(p, n);
}

static void nodes_read(parsing *p, loop_node *owner)
{
    while (text_reader_line(&p->r) && !text_reader_failed(&p->r)) {
        if (text_reader_take_word(&p->r, "end"))
            return;
        node_read(p, owner);
    }
    text_reader_fail(&p->r, "'end' is expected");
}

static void kernel_read(parsing *p, schedule_instruction *in)
{
    atom name = text_reader_word(&p->r);
    p->kernel = in->kernel = loop_kernel_new(p->s->memory, name, SPAN_NONE);
    p->nodes.count = 0;
    text_reader_expect(&p->r, "rows");
    while (text_reader_take(&p->r, "%")) {
        int64_t id = text_reader_integer(&p->r);
        text_reader_expect(&p->r, "=");
        node_keep(p, id, loop_rows_add(in->kernel, text_reader_integer(&p->r)));
    }
    in->at = in->kernel->at = text_reader_place(&p->r);
    p->s->kernel_count++;
    nodes_read(p, NULL);
}

static void view_read(parsing *p, schedule_instruction *in, const char *name)
{
    schedule_view *v = &in->operands[in->operand_count++];
    text_reader_expect(&p->r, name);
    v->buffer = buffer_number(p);
    text_reader_expect(&p->r, "[");
    v->first = text_reader_integer(&p->r);
    while (text_reader_take(&p->r, "+")) {
        int64_t stride = text_reader_integer(&p->r);
        text_reader_expect(&p->r, "*");
        int64_t loop = after(p, "loop");
        if (v->loop_count == SCHEDULE_MAX_LOOPS) {
            text_reader_fail(&p->r, "too many loops");
            break;
        }
        v->loops[v->loop_count].stride = stride;
        v->loops[v->loop_count++].loop = (int)loop;
    }
    text_reader_expect(&p->r, "]");
}

static void gemm_read(parsing *p, schedule_instruction *in)
{
    schedule_gemm *g = &in->gemm;
    in->type = type_read(p);
    g->m = after(p, "m");
    g->n = after(p, "n");
    g->k = after(p, "k");
    g->lda = after(p, "lda");
    g->ldb = after(p, "ldb");
    g->ldc = after(p, "ldc");
    g->batch = after(p, "batch");
    g->stride_a = after(p, "strides");
    g->stride_b = text_reader_integer(&p->r);
    g->stride_c = text_reader_integer(&p->r);
    g->transpose_a = after(p, "turned") != 0;
    g->transpose_b = text_reader_integer(&p->r) != 0;
    text_reader_expect(&p->r, "beta");
    g->beta = text_reader_number(&p->r);
    view_read(p, in, "a");
    view_read(p, in, "b");
    view_read(p, in, "c");
    in->at = text_reader_place(&p->r);
}

static op_kind operator_read(parsing *p)
{
    atom name = text_reader_word(&p->r);
    op_kind op = text_reader_failed(&p->r) ? OP_COUNT : op_find(name, strlen(name));
    if (op == OP_COUNT)
        text_reader_fail(&p->r, "an operator is expected");
    return op;
}

static void window_read(parsing *p, schedule_instruction *in)
{
    schedule_conv *c = &in->conv;
    c->op = operator_read(p);
    in->type = type_read(p);
    c->spatial = (int)after(p, "spatial");
    if (c->spatial < 0 || c->spatial > 3)
        text_reader_fail(&p->r, "a window has at most three spatial dimensions");
    c->batch = after(p, "batch");
    c->in = after(p, "in");
    c->out = after(p, "out");
    c->groups = after(p, "groups");
    for (int k = 0; k < c->spatial && !text_reader_failed(&p->r); k++) {
        c->size[k] = after(p, "size");
        c->result[k] = after(p, "result");
        c->window[k] = after(p, "window");
        c->stride[k] = after(p, "stride");
        c->pad[k] = after(p, "pad");
        c->dilation[k] = after(p, "dilation");
    }
    view_read(p, in, "a");
    view_read(p, in, "b");
    view_read(p, in, "c");
    in->at = text_reader_place(&p->r);
}

static void attention_read(parsing *p, schedule_instruction *in)
{
    schedule_attention *t = &in->attention;
    t->op = operator_read(p);
    in->type = type_read(p);
    t->batch = after(p, "batch");
    t->heads = after(p, "heads");
    t->kv_heads = after(p, "kv_heads");
    t->s = after(p, "s");
    t->t = after(p, "t");
    t->e = after(p, "e");
    t->ev = after(p, "ev");
    t->mask_stride = after(p, "mask");
    t->causal = after(p, "causal") != 0;
    t->window = after(p, "window");
    text_reader_expect(&p->r, "scale");
    t->scale = text_reader_number(&p->r);
    t->positioned = text_reader_take_word(&p->r, "positioned");
    for (int i = (t->op == OP_attention ? 6 : 10) + t->positioned; i > 0; i--)
        view_read(p, in, "on");
    in->at = text_reader_place(&p->r);
}

static bool block_read(parsing *p, schedule_block *block, schedule_function *f);

static void loop_read(parsing *p, schedule_instruction *in)
{
    in->loop = (int)text_reader_integer(&p->r);
    in->iterations = after(p, "times");
    in->reverse = text_reader_take_word(&p->r, "reverse");
    text_reader_expect(&p->r, "counter");
    in->counter = buffer_number(p);
    in->at = text_reader_place(&p->r);
    p->s->loop_count++;
    block_read(p, &in->body, NULL);
}

static void result_read(parsing *p, schedule_function *f)
{
    static const char *const kinds[] = {"loss", "metric", "lr", "grad_norm", "scores"};
    schedule_result r = {0};
    for (int i = 0; i < 5; i++)
        if (text_reader_take_word(&p->r, kinds[i])) {
            r.kind = (result_kind)i;
            break;
        }
    r.name = text_reader_quoted(&p->r);
    r.type = type_read(p);
    r.buffer = buffer_number(p);
    vec_push(p->s->memory, &f->results, r);
}

static void instruction_read(parsing *p, schedule_block *block)
{
    schedule_instruction *in = arena_make(p->s->memory, schedule_instruction);
    if (text_reader_take_word(&p->r, "kernel")) {
        in->kind = SCHEDULE_KERNEL;
        kernel_read(p, in);
    } else if (text_reader_take_word(&p->r, "gemm")) {
        in->kind = SCHEDULE_GEMM;
        gemm_read(p, in);
    } else if (text_reader_take_word(&p->r, "window")) {
        in->kind = SCHEDULE_CONV;
        window_read(p, in);
    } else if (text_reader_take_word(&p->r, "attention")) {
        in->kind = SCHEDULE_ATTENTION;
        attention_read(p, in);
    } else if (text_reader_take_word(&p->r, "collective")) {
        in->kind = SCHEDULE_COLLECTIVE;
        in->collective = (int)text_reader_integer(&p->r);
        in->count = after(p, "count");
        view_read(p, in, "data");
        in->at = text_reader_place(&p->r);
    } else if (text_reader_take_word(&p->r, "loop")) {
        in->kind = SCHEDULE_LOOP;
        loop_read(p, in);
    } else {
        text_reader_fail(&p->r, "an instruction is expected");
    }
    vec_push(p->s->memory, block, in);
}

static bool block_read(parsing *p, schedule_block *block, schedule_function *f)
{
    while (!text_reader_failed(&p->r) && text_reader_line(&p->r)) {
        if (text_reader_take_word(&p->r, "end"))
            return true;
        if (f && text_reader_take_word(&p->r, "result"))
            result_read(p, f);
        else
            instruction_read(p, block);
    }
    text_reader_fail(&p->r, "'end' is expected");
    return false;
}

static void clock_read(parsing *p)
{
    schedule *s = p->s;
    for (int i = 0; i < CLOCK_MICROBATCH; i++)
        s->clock[i] = i < CLOCK_POSITION || text_reader_sees(&p->r, "#") ? buffer_number(p) : -1;
    if (!text_reader_take_word(&p->r, "microbatch"))
        return;
    s->clock[CLOCK_MICROBATCH] = buffer_number(p);
    text_reader_expect(&p->r, "of");
    s->microbatches = text_reader_integer(&p->r);
}

static void top_read(parsing *p)
{
    schedule *s = p->s;
    if (text_reader_take_word(&p->r, "buffer")) {
        buffer_read(p);
    } else if (text_reader_take_word(&p->r, "collective")) {
        collective_read(p);
    } else if (text_reader_take_word(&p->r, "clock")) {
        clock_read(p);
    } else if (text_reader_take_word(&p->r, "input")) {
        atom name = text_reader_quoted(&p->r);
        vec_push(s->memory, &s->inputs, (schedule_input){.name = name, .buffer = buffer_number(p)});
    } else if (text_reader_take_word(&p->r, "function")) {
        schedule_function *f = arena_make(s->memory, schedule_function);
        f->name = text_reader_word(&p->r);
        vec_push(s->memory, &s->functions, f);
        block_read(p, &f->body, f);
    } else {
        text_reader_fail(&p->r, "buffer, collective, clock, input or function is expected");
    }
}

schedule *schedule_parse(const char *bytes, size_t length, arena *a, const char **problem)
{
    parsing p = {.s = arena_make(a, schedule)};
    source_set *sources = source_set_new(a);
    p.s->memory = a;
    p.s->microbatches = 1;
    p.s->clock[CLOCK_MICROBATCH] = -1;
    p.s->atoms = atom_table_new(a);
    p.s->sources = sources;
    p.r = text_reader_at(a, p.s->atoms, sources, arena_copy_text(a, bytes, length));
    text_reader_line(&p.r);
    text_reader_expect(&p.r, "schedule");
    p.s->seed = (uint64_t)after(&p, "seed");
    text_reader_expect(&p.r, "bytes");
    for (int i = 0; i < MEMORY_KIND_COUNT; i++) {
        p.s->memory_bytes[i] = text_reader_integer(&p.r);
        p.s->arena_bytes += p.s->memory_bytes[i];
    }
    while (!text_reader_failed(&p.r) && text_reader_line(&p.r))
        top_read(&p);
    if (!text_reader_failed(&p.r))
        return p.s;
    *problem = arena_format(a, "line %d: %s", p.r.error.line, p.r.error.text);
    return NULL;
}
