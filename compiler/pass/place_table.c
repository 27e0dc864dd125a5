/* What `explain` prints: memory, traffic and operations of a schedule. */
#include "pass/schedule.h"

#include "coll/program.h"

#include <stdlib.h>

static int larger_first(const void *a, const void *b)
{
    const memory_item *x = a, *y = b;
    return x->bytes == y->bytes ? 0 : x->bytes > y->bytes ? -1 : 1;
}

void schedule_memory(const schedule *s, arena *a, int largest, memory_table *table)
{
    *table = (memory_table){.total = s->arena_bytes};
    for (int i = 0; i < MEMORY_KIND_COUNT; i++)
        table->bytes[i] = s->memory_bytes[i];
    for (size_t i = 0; i < s->buffers.count; i++) {
        const schedule_buffer *b = &s->buffers.items[i];
        if (b->offset < 0 || (b->lasting && b->variable < 0 && b->block < 0 && !b->at.end))
            continue;
        memory_item item = {b->name ? b->name : memory_kind_name(b->memory),
                            source_line_name(s->sources, b->at, a), b->memory,
                            b->count * (int64_t)dtype_bytes(b->type)};
        vec_push(a, &table->largest, item);
    }
    if (table->largest.count)
        qsort(table->largest.items, table->largest.count, sizeof *table->largest.items,
              larger_first);
    if (table->largest.count > (size_t)largest)
        table->largest.count = (size_t)largest;
}

/* This rank's number among the ranks of an axis; mesh axes are major first. */
static int rank_on_axis(const schedule *s, int rank, int axis)
{
    for (int i = (int)s->graph->mesh.count - 1; i > axis; i--)
        rank /= s->graph->mesh.items[i].size;
    return rank % s->graph->mesh.items[axis].size;
}

static int64_t bytes_sent(const schedule *s, const schedule_instruction *in, int rank)
{
    const schedule_collective *c = &s->collectives.items[in->collective];
    int64_t sent = 0;
    if (!c->program)
        return 0;
    int me = rank_on_axis(s, rank, c->axis);
    for (size_t i = 0; i < c->program->sends.count; i++) {
        const coll_send *send = &c->program->sends.items[i];
        if (send->from == me)
            sent += coll_chunk_begin(c->program, send->chunk + 1, in->count) -
                    coll_chunk_begin(c->program, send->chunk, in->count);
    }
    return sent * (int64_t)dtype_bytes(c->type);
}

typedef struct traffic_walk {
    const schedule *s;
    arena *a;
    traffic_table *table;
    int rank;
} traffic_walk;

static void traffic_block(traffic_walk *w, const schedule_block *block, int64_t times)
{
    for (size_t i = 0; i < block->count; i++) {
        const schedule_instruction *in = block->items[i];
        if (in->kind == SCHEDULE_LOOP)
            traffic_block(w, &in->body, times * in->iterations);
        if (in->kind != SCHEDULE_COLLECTIVE)
            continue;
        const schedule_collective *c = &w->s->collectives.items[in->collective];
        traffic_item *item = NULL;
        for (size_t k = 0; k < w->table->count && !item; k++)
            if (w->table->items[k].clause.file == c->clause.file &&
                w->table->items[k].clause.begin == c->clause.begin &&
                w->table->items[k].axis == c->axis)
                item = &w->table->items[k];
        if (!item) {
            const char *name = arena_format(w->a, "%s %s", op_info_of(c->op)->name,
                                            c->program    ? c->program->name
                                            : c->topology ? c->topology
                                                          : "");
            vec_push(w->a, w->table, (traffic_item){c->clause, name, c->axis, 0, 0});
            item = &vec_last(w->table);
        }
        item->calls += times;
        item->bytes += times * bytes_sent(w->s, in, w->rank);
    }
}

static const schedule_function *function_of(const schedule *s, const char *name)
{
    atom wanted = atom_of(s->atoms, name);
    for (size_t i = 0; i < s->functions.count; i++)
        if (s->functions.items[i]->name == wanted)
            return s->functions.items[i];
    return NULL;
}

void schedule_traffic(const schedule *s, int rank, arena *a, traffic_table *table)
{
    const schedule_function *step = function_of(s, "step"), *part = function_of(s, "accumulate");
    traffic_walk w = {s, a, table, rank};
    *table = (traffic_table){0};
    if (part)
        traffic_block(&w, &part->body, s->microbatches);
    if (step)
        traffic_block(&w, &step->body, 1);
}

static int64_t block_operations(const schedule_block *block)
{
    int64_t sum = 0;
    for (size_t i = 0; i < block->count; i++) {
        const schedule_instruction *in = block->items[i];
        const schedule_gemm *g = &in->gemm;
        const schedule_conv *c = &in->conv;
        if (in->kind == SCHEDULE_GEMM)
            sum += 2 * g->m * g->n * g->k * g->batch;
        else if (in->kind == SCHEDULE_KERNEL)
            sum += loop_row_count(in->kernel) * loop_work(in->kernel);
        else if (in->kind == SCHEDULE_LOOP)
            sum += in->iterations * block_operations(&in->body);
        else if (in->kind == SCHEDULE_CONV) {
            int64_t each = 2 * c->batch * c->out * (c->in / c->groups);
            for (int k = 0; k < c->spatial; k++)
                each *= c->result[k] * c->window[k];
            sum += each;
        } else if (in->kind == SCHEDULE_ATTENTION) {
            const schedule_attention *t = &in->attention;
            int64_t pairs = t->batch * t->heads * t->s * t->t / (t->causal ? 2 : 1);
            sum += pairs * (2 * t->e + 2 * t->ev) * (t->op == OP_attention ? 1 : 5) / 2 * 2;
        }
    }
    return sum;
}

int64_t schedule_operations(const schedule *s, const char *function)
{
    const schedule_function *f = function_of(s, function), *part = function_of(s, "accumulate");
    int64_t own = f ? block_operations(&f->body) : 0;
    bool has_parts = f && part && f == function_of(s, "step");
    return has_parts ? own + s->microbatches * block_operations(&part->body) : own;
}
