/* The instructions of the ranks: releases, then receives, then what was staged, step by step. */
#include "coll/program.h"

#include <assert.h>
#include <string.h>

/* A release of a chunk that no wait covers yet, and the one before it. */
typedef struct coll_out {
    int32_t next; /* in `outs`, or -1 */
    coll_wait to;
} coll_out;

/* One rank while its instructions are made. */
typedef struct coll_lane {
    coll_rank_program *mine;
    VEC(coll_out) outs;
    int32_t *
        newest; /* [chunks]: last of `outs` that releases the chunk and is not yet waited for; -1: none */
    int32_t *
        sent_step; /* [chunks]: the last step in which this rank sends the chunk; -1: none so far */
    int32_t *waited; /* [ranks]: messages to each peer known to be consumed */
    int32_t slots;   /* staged so far in this step */
    size_t receives; /* where this step's receives begin; NO_RECEIVE: none yet */
} coll_lane;

#define NO_RECEIVE SIZE_MAX

typedef struct coll_lowering {
    const coll_program *program;
    coll_lane **lanes; /* [ranks]; NULL: not asked for */
    arena *memory;
} coll_lowering;

static coll_instruction *emit(coll_lowering *l, coll_lane *lane, coll_action action, size_t send)
{
    const coll_send *s = &l->program->sends.items[send];
    vec_push(l->memory, &lane->mine->code,
             (coll_instruction){.action = action,
                                .step = s->step,
                                .chunk = s->chunk,
                                .peer = action == COLL_SEND ? s->to : s->from,
                                .slot = -1,
                                .wait = (int32_t)lane->mine->waits.count,
                                .send = (int32_t)send});
    return &vec_last(&lane->mine->code);
}

static void release(coll_lowering *l, coll_lane *lane, size_t send)
{
    const coll_send *s = &l->program->sends.items[send];
    coll_instruction *i = emit(l, lane, COLL_SEND, send);
    i->message = lane->mine->sent[s->to]++;
    vec_push(l->memory, &lane->outs, (coll_out){lane->newest[s->chunk], {s->to, i->message}});
    lane->newest[s->chunk] = (int32_t)lane->outs.count - 1;
    lane->sent_step[s->chunk] = s->step;
}

/* Before the chunk is written, whoever it was released to must have read it. */
static void wait_for_readers(coll_lowering *l, coll_lane *lane, coll_instruction *i)
{
    for (int32_t o = lane->newest[i->chunk]; o >= 0; o = lane->outs.items[o].next) {
        coll_wait to = lane->outs.items[o].to;
        if (lane->waited[to.peer] > to.message)
            continue;
        lane->waited[to.peer] = to.message + 1;
        vec_push(l->memory, &lane->mine->waits, to);
        i->wait_count++;
    }
    lane->newest[i->chunk] = -1;
}

static void receive(coll_lowering *l, coll_lane *lane, size_t send)
{
    const coll_send *s = &l->program->sends.items[send];
    bool staged = lane->sent_step[s->chunk] == s->step;
    coll_action action = s->op == COLL_REDUCE ? COLL_RECV_REDUCE : COLL_RECV_COPY;
    if (lane->receives == NO_RECEIVE)
        lane->receives = lane->mine->code.count;
    coll_instruction *i = emit(l, lane, staged ? COLL_RECV_STAGE : action, send);
    i->message = lane->mine->received[s->from]++;
    if (staged)
        i->slot = lane->slots++;
    else
        wait_for_readers(l, lane, i);
}

/* Ends a step of one rank: what was staged takes effect. */
static void apply_staged(coll_lowering *l, coll_lane *lane)
{
    size_t end = lane->mine->code.count;
    for (size_t i = lane->receives; i < end && lane->slots > 0; i++) {
        coll_instruction staged = lane->mine->code.items[i];
        if (staged.action != COLL_RECV_STAGE)
            continue;
        coll_op op = l->program->sends.items[staged.send].op;
        coll_instruction *apply = emit(
            l, lane, op == COLL_REDUCE ? COLL_APPLY_REDUCE : COLL_APPLY_COPY, (size_t)staged.send);
        apply->message = staged.message;
        apply->slot = staged.slot;
        wait_for_readers(l, lane, apply);
    }
    if (lane->slots > lane->mine->slots)
        lane->mine->slots = lane->slots;
    lane->slots = 0;
    lane->receives = NO_RECEIVE;
}

/* One step: sends first..last of the program. */
static void lower_step(coll_lowering *l, size_t first, size_t last)
{
    const coll_send *sends = l->program->sends.items;
    for (size_t i = first; i < last; i++)
        if (l->lanes[sends[i].from])
            release(l, l->lanes[sends[i].from], i);
    for (size_t i = first; i < last; i++)
        if (l->lanes[sends[i].to])
            receive(l, l->lanes[sends[i].to], i);
    for (size_t i = first; i < last; i++)
        if (l->lanes[sends[i].to] && l->lanes[sends[i].to]->receives != NO_RECEIVE)
            apply_staged(l, l->lanes[sends[i].to]);
}

static void lower(coll_lowering *l)
{
    const coll_sends *sends = &l->program->sends;
    for (size_t first = 0, last; first < sends->count; first = last) {
        last = first;
        while (last < sends->count && sends->items[last].step == sends->items[first].step)
            last++;
        lower_step(l, first, last);
    }
}

static int32_t *filled(arena *a, int count, int32_t value)
{
    int32_t *items = arena_array(a, int32_t, count);
    for (int i = 0; i < count; i++)
        items[i] = value;
    return items;
}

/* The result lives in `a`; what is needed only while lowering, in `scratch`. */
static coll_lane *lane_new(const coll_program *p, int rank, arena *a, arena *scratch)
{
    coll_lane *lane = arena_make(scratch, coll_lane);
    lane->mine = arena_make(a, coll_rank_program);
    lane->mine->rank = rank;
    lane->mine->sent = arena_array(a, int32_t, p->ranks);
    lane->mine->received = arena_array(a, int32_t, p->ranks);
    lane->newest = filled(scratch, p->chunks, -1);
    lane->sent_step = filled(scratch, p->chunks, -1);
    lane->waited = arena_array(scratch, int32_t, p->ranks);
    lane->receives = NO_RECEIVE;
    return lane;
}

coll_rank_program *coll_rank_program_of(const coll_program *p, int rank, arena *a)
{
    assert(rank >= 0 && rank < p->ranks);
    arena *scratch = arena_new();
    coll_lane **lanes = arena_array(scratch, coll_lane *, p->ranks);
    lanes[rank] = lane_new(p, rank, a, scratch);
    lower(&(coll_lowering){p, lanes, a});
    coll_rank_program *mine = lanes[rank]->mine;
    arena_free(scratch);
    return mine;
}

coll_rank_program **coll_rank_programs_of(const coll_program *p, arena *a)
{
    arena *scratch = arena_new();
    coll_lane **lanes = arena_array(scratch, coll_lane *, p->ranks);
    coll_rank_program **all = arena_array(a, coll_rank_program *, p->ranks);
    for (int rank = 0; rank < p->ranks; rank++) {
        lanes[rank] = lane_new(p, rank, a, scratch);
        all[rank] = lanes[rank]->mine;
    }
    lower(&(coll_lowering){p, lanes, a});
    arena_free(scratch);
    return all;
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
