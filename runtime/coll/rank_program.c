#include "coll/rank_program.h"

#include <stdlib.h>
#include <string.h>

rt_status rt_program_check(const rt_program *p, rt_error *error)
{
    if (p->ranks < 1 || p->chunks < 1 || p->chunks > RT_PROGRAM_MAX_CHUNKS)
        return rt_fail(error, RT_DAMAGED, "a program of %d chunks over %d ranks", p->chunks,
                       p->ranks);
    int64_t total = 0;
    for (int c = 0; c < p->chunks; c++) {
        if (p->weights[c] < 1 || p->weights[c] > INT32_MAX)
            return rt_fail(error, RT_DAMAGED, "weight of chunk %d is out of range", c);
        total += p->weights[c];
    }
    if (total > INT32_MAX)
        return rt_fail(error, RT_DAMAGED, "weights of the chunks add up to more than 2^31");
    for (int64_t i = 0; i < p->send_count; i++) {
        const rt_send *s = &p->sends[i];
        bool ordered = s->step >= 0 && (i == 0 || s->step >= s[-1].step);
        bool inside = s->chunk >= 0 && s->chunk < p->chunks && s->from >= 0 && s->from < p->ranks &&
                      s->to >= 0 && s->to < p->ranks;
        if (!ordered || !inside || s->from == s->to)
            return rt_fail(error, RT_DAMAGED, "send %lld (step %d, chunk %d from %d to %d)",
                           (long long)i, s->step, s->chunk, s->from, s->to);
    }
    return RT_OK;
}

void rt_program_clean_up(rt_program *program)
{
    free(program->weights);
    free(program->sends);
    *program = (rt_program){0};
}

/* A release of a chunk by this rank, linked to the chunk's earlier one that is not yet waited for. */
typedef struct rt_out {
    int32_t next;
    rt_wait to;
} rt_out;

typedef struct rt_lowering {
    const rt_program *program;
    rt_rank_program *made;
    rt_out *outs;
    int32_t out_count;
    int32_t *newest;    /* [chunks]: of `outs`, -1: none */
    int32_t *sent_step; /* [chunks]: last step in which this rank sends the chunk */
    int32_t *waited;    /* [ranks]: messages to each peer known to be read */
    int32_t *received;  /* [ranks] */
} rt_lowering;

static rt_instruction *emit(rt_lowering *l, rt_action action, int32_t chunk, int32_t peer)
{
    rt_instruction *i = &l->made->code[l->made->code_count++];
    *i = (rt_instruction){.action = (uint8_t)action,
                          .chunk = chunk,
                          .peer = peer,
                          .slot = -1,
                          .wait = (int32_t)l->made->wait_count};
    return i;
}

static void release(rt_lowering *l, const rt_send *s)
{
    rt_instruction *i = emit(l, RT_SEND, s->chunk, s->to);
    i->message = l->made->sent[s->to]++;
    l->outs[l->out_count] = (rt_out){l->newest[s->chunk], {s->to, i->message}};
    l->newest[s->chunk] = l->out_count++;
}

/* Before the chunk is written, whoever it was released to must have read it. */
static void wait_for_readers(rt_lowering *l, rt_instruction *i)
{
    for (int32_t o = l->newest[i->chunk]; o >= 0; o = l->outs[o].next) {
        rt_wait to = l->outs[o].to;
        if (l->waited[to.peer] > to.message)
            continue;
        l->waited[to.peer] = to.message + 1;
        l->made->waits[l->made->wait_count++] = to;
        i->wait_count++;
    }
    l->newest[i->chunk] = -1;
}

static void receive(rt_lowering *l, const rt_send *s, int slot)
{
    rt_action action = slot >= 0 ? RT_RECV_STAGE : s->reduce ? RT_RECV_REDUCE : RT_RECV_COPY;
    rt_instruction *i = emit(l, action, s->chunk, s->from);
    i->message = l->received[s->from]++;
    i->slot = slot;
    if (slot < 0)
        wait_for_readers(l, i);
}

static bool staged(const rt_lowering *l, const rt_send *s)
{
    return l->sent_step[s->chunk] == s->step;
}

/* Sends first..last of the program are one step: releases, then receives, then what was staged. */
static void lower_step(rt_lowering *l, int64_t first, int64_t last)
{
    const rt_send *sends = l->program->sends;
    int rank = l->made->rank, slots = 0;
    for (int64_t i = first; i < last; i++) {
        if (sends[i].from != rank)
            continue;
        l->sent_step[sends[i].chunk] = sends[i].step;
        release(l, &sends[i]);
    }
    for (int64_t i = first; i < last; i++)
        if (sends[i].to == rank)
            receive(l, &sends[i], staged(l, &sends[i]) ? slots++ : -1);
    if (slots > l->made->slots)
        l->made->slots = slots;
    slots = 0;
    for (int64_t i = first; i < last; i++) {
        if (sends[i].to != rank || !staged(l, &sends[i]))
            continue;
        rt_instruction *apply = emit(l, sends[i].reduce ? RT_APPLY_REDUCE : RT_APPLY_COPY,
                                     sends[i].chunk, sends[i].from);
        apply->slot = slots++;
        wait_for_readers(l, apply);
    }
}

static void lower(rt_lowering *l)
{
    const rt_program *p = l->program;
    for (int64_t first = 0, last; first < p->send_count; first = last) {
        last = first;
        while (last < p->send_count && p->sends[last].step == p->sends[first].step)
            last++;
        lower_step(l, first, last);
    }
}

/* The most messages of an ordered pair: a counting sort by pair would do too, but ranks are few. */
static int32_t most_messages(const rt_program *p, int32_t *pairs)
{
    int32_t most = 0;
    for (int64_t i = 0; i < p->send_count; i++) {
        int32_t n = ++pairs[(int64_t)p->sends[i].from * p->ranks + p->sends[i].to];
        most = n > most ? n : most;
    }
    return most;
}

static bool allocate(rt_lowering *l, int32_t **pairs)
{
    const rt_program *p = l->program;
    rt_rank_program *m = l->made;
    int64_t mine = 0;
    for (int64_t i = 0; i < p->send_count; i++)
        mine += (p->sends[i].from == m->rank) + 2 * (p->sends[i].to == m->rank);
    size_t room = (size_t)mine + 1, ranks = (size_t)p->ranks, chunks = (size_t)p->chunks;
    m->prefix = calloc(chunks + 1, sizeof *m->prefix);
    m->code = calloc(room, sizeof *m->code);
    m->waits = calloc(room, sizeof *m->waits);
    m->sent = calloc(ranks, sizeof *m->sent);
    l->outs = calloc(room, sizeof *l->outs);
    l->newest = malloc(chunks * sizeof *l->newest);
    l->sent_step = malloc(chunks * sizeof *l->sent_step);
    l->waited = calloc(ranks, sizeof *l->waited);
    l->received = calloc(ranks, sizeof *l->received);
    *pairs = calloc(ranks * ranks, sizeof **pairs);
    return m->prefix && m->code && m->waits && m->sent && l->outs && l->newest && l->sent_step &&
           l->waited && l->received && *pairs;
}

rt_status rt_rank_program_make(const rt_program *p, int rank, rt_rank_program *made,
                               rt_error *error)
{
    *made = (rt_rank_program){.rank = rank, .ranks = p->ranks, .chunks = p->chunks};
    rt_lowering l = {.program = p, .made = made};
    int32_t *pairs = NULL;
    rt_status status = RT_OK;
    if (allocate(&l, &pairs)) {
        for (int c = 0; c < p->chunks; c++) {
            made->prefix[c + 1] = made->prefix[c] + p->weights[c];
            l.newest[c] = l.sent_step[c] = -1;
        }
        lower(&l);
        made->max_messages = most_messages(p, pairs);
    } else {
        rt_rank_program_clean_up(made);
        status = rt_fail(error, RT_NO_MEMORY, "out of memory for a collective's program");
    }
    free(l.outs);
    free(l.newest);
    free(l.sent_step);
    free(l.waited);
    free(l.received);
    free(pairs);
    return status;
}

void rt_rank_program_clean_up(rt_rank_program *made)
{
    free(made->prefix);
    free(made->code);
    free(made->waits);
    free(made->sent);
    *made = (rt_rank_program){0};
}

int64_t rt_chunk_begin(const rt_rank_program *program, int chunk, int64_t count)
{
    return (int64_t)((__int128)count * program->prefix[chunk] / program->prefix[program->chunks]);
}
