/* The instructions of one rank: releases, then receives, then what was staged, step by step. */
#include "coll/program.h"

#include <assert.h>
#include <string.h>

typedef struct coll_out {
    int32_t next; /* the chunk's earlier send of this rank, or -1 */
    coll_wait to;
} coll_out;

typedef struct coll_lowering {
    const coll_program *program;
    coll_rank_program *mine;
    arena *memory;
    VEC(coll_out) outs;
    int32_t *
        newest; /* [chunks]: last of `outs` that releases the chunk and is not yet waited for; -1: none */
    int32_t *
        sent_step; /* [chunks]: the last step in which this rank sends the chunk; -1: none so far */
    int32_t *waited; /* [ranks]: messages to each peer known to be consumed */
} coll_lowering;

static coll_instruction *emit(coll_lowering *l, coll_action action, size_t send, int peer)
{
    const coll_send *s = &l->program->sends.items[send];
    vec_push(l->memory, &l->mine->code,
             (coll_instruction){.action = action,
                                .step = s->step,
                                .chunk = s->chunk,
                                .peer = peer,
                                .slot = -1,
                                .wait = (int32_t)l->mine->waits.count,
                                .send = (int32_t)send,
                                .line = s->line});
    return &vec_last(&l->mine->code);
}

static void release(coll_lowering *l, size_t send)
{
    const coll_send *s = &l->program->sends.items[send];
    coll_instruction *i = emit(l, COLL_SEND, send, s->to);
    i->message = l->mine->sent[s->to]++;
    vec_push(l->memory, &l->outs, (coll_out){l->newest[s->chunk], {s->to, i->message}});
    l->newest[s->chunk] = (int32_t)l->outs.count - 1;
}

/* Before the chunk is written, whoever it was released to must have read it. */
static void wait_for_readers(coll_lowering *l, coll_instruction *i)
{
    for (int32_t o = l->newest[i->chunk]; o >= 0; o = l->outs.items[o].next) {
        coll_wait to = l->outs.items[o].to;
        if (l->waited[to.peer] > to.message)
            continue;
        l->waited[to.peer] = to.message + 1;
        vec_push(l->memory, &l->mine->waits, to);
        i->wait_count++;
    }
    l->newest[i->chunk] = -1;
}

static void receive(coll_lowering *l, size_t send, bool staged, int slot)
{
    const coll_send *s = &l->program->sends.items[send];
    coll_action action = s->op == COLL_REDUCE ? COLL_RECV_REDUCE : COLL_RECV_COPY;
    coll_instruction *i = emit(l, staged ? COLL_RECV_STAGE : action, send, s->from);
    i->message = l->mine->received[s->from]++;
    if (staged)
        i->slot = slot;
    else
        wait_for_readers(l, i);
}

static void apply(coll_lowering *l, size_t send, int message, int slot)
{
    const coll_send *s = &l->program->sends.items[send];
    coll_action action = s->op == COLL_REDUCE ? COLL_APPLY_REDUCE : COLL_APPLY_COPY;
    coll_instruction *i = emit(l, action, send, s->from);
    i->message = message;
    i->slot = slot;
    wait_for_readers(l, i);
}

/* One step: sends first..last of the program. */
static void lower_step(coll_lowering *l, size_t first, size_t last)
{
    const coll_send *sends = l->program->sends.items;
    int rank = l->mine->rank;
    for (size_t i = first; i < last; i++) {
        if (sends[i].from == rank) {
            l->sent_step[sends[i].chunk] = sends[i].step;
            release(l, i);
        }
    }
    size_t receives = l->mine->code.count;
    int slots = 0;
    for (size_t i = first; i < last; i++) {
        if (sends[i].to != rank)
            continue;
        bool staged = l->sent_step[sends[i].chunk] == sends[i].step;
        receive(l, i, staged, slots);
        slots += staged;
    }
    size_t end = l->mine->code.count;
    for (size_t i = receives; i < end && slots > 0; i++) {
        coll_instruction staged = l->mine->code.items[i];
        if (staged.action == COLL_RECV_STAGE)
            apply(l, (size_t)staged.send, staged.message, staged.slot);
    }
    if (slots > l->mine->slots)
        l->mine->slots = slots;
}

static int32_t *filled(arena *a, int count, int32_t value)
{
    int32_t *items = arena_array(a, int32_t, count);
    for (int i = 0; i < count; i++)
        items[i] = value;
    return items;
}

coll_rank_program *coll_rank_program_of(const coll_program *p, int rank, arena *a)
{
    assert(rank >= 0 && rank < p->ranks);
    coll_rank_program *mine = arena_make(a, coll_rank_program);
    mine->rank = rank;
    mine->sent = arena_array(a, int32_t, p->ranks);
    mine->received = arena_array(a, int32_t, p->ranks);
    coll_lowering l = {.program = p,
                       .mine = mine,
                       .memory = a,
                       .newest = filled(a, p->chunks, -1),
                       .sent_step = filled(a, p->chunks, -1),
                       .waited = arena_array(a, int32_t, p->ranks)};
    for (size_t first = 0, last; first < p->sends.count; first = last) {
        last = first;
        while (last < p->sends.count && p->sends.items[last].step == p->sends.items[first].step)
            last++;
        lower_step(&l, first, last);
    }
    return mine;
}

const char *coll_action_name(coll_action action)
{
    static const char *const names[] = {[COLL_SEND] = "send",
                                        [COLL_RECV_REDUCE] = "recv_reduce",
                                        [COLL_RECV_COPY] = "recv_copy",
                                        [COLL_RECV_STAGE] = "recv_stage",
                                        [COLL_APPLY_REDUCE] = "apply_reduce",
                                        [COLL_APPLY_COPY] = "apply_copy"};
    assert((size_t)action < sizeof names / sizeof *names);
    return names[action];
}
