#include "coll/engine.h"

#include "coll/combine.h"

enum {
    PIECE_BYTES = 128 * 1024, /* own and received pieces fit in a second-level cache together */
    WINDOW = 8,
    LARGE_BYTES = 32 << 20
};

typedef struct rt_run {
    rt_group *group;
    const rt_rank_program *program;
    const rt_operand *operand;
    int64_t largest; /* elements of the largest chunk, for scratch slots */
    bool large;      /* than the caches, all ranks' data together */
    int lanes;
    int first; /* lanes before it are finished */
    rt_blocked *blocked;
} rt_run;

typedef struct rt_piece {
    char *data;
    int64_t count;
    size_t bytes;
} rt_piece;

static int64_t largest_chunk(const rt_rank_program *p, int64_t count)
{
    int64_t largest = 0;
    for (int c = 0; c < p->chunks; c++) {
        int64_t size = rt_chunk_begin(p, c + 1, count) - rt_chunk_begin(p, c, count);
        largest = size > largest ? size : largest;
    }
    return largest;
}

int rt_engine_lanes(const rt_rank_program *program, rt_type type, int64_t count)
{
    int64_t bytes = largest_chunk(program, count) * (int64_t)rt_type_bytes(type);
    int64_t pieces = (bytes + PIECE_BYTES - 1) / PIECE_BYTES;
    return pieces < 1 ? 1 : pieces > RT_LANES ? RT_LANES : (int)pieces;
}

size_t rt_engine_scratch(const rt_rank_program *program, rt_type type, int64_t count)
{
    return (size_t)program->slots * (size_t)largest_chunk(program, count) * rt_type_bytes(type);
}

/* Begin of piece `lane` in a chunk of `size` elements. */
static int64_t piece_begin(const rt_run *run, int64_t size, int lane)
{
    return (int64_t)((__int128)size * lane / run->lanes);
}

static rt_piece piece_of(const rt_run *run, int chunk, int lane)
{
    int64_t begin = rt_chunk_begin(run->program, chunk, run->operand->count);
    int64_t size = rt_chunk_begin(run->program, chunk + 1, run->operand->count) - begin;
    int64_t first = piece_begin(run, size, lane);
    int64_t count = piece_begin(run, size, lane + 1) - first;
    size_t width = rt_type_bytes(run->operand->type);
    return (rt_piece){run->operand->data + (size_t)(begin + first) * width, count,
                      (size_t)count * width};
}

static char *slot_of(const rt_run *run, int slot, int lane)
{
    int64_t first = (int64_t)slot * run->largest + piece_begin(run, run->largest, lane);
    return run->operand->scratch + (size_t)first * rt_type_bytes(run->operand->type);
}

static rt_message message_of(const rt_run *run, int member, int lane, int32_t number)
{
    return (rt_message){run->group->ranks[member], lane, run->group->base + (uint32_t)number};
}

static bool stuck(const rt_run *run, int member, int chunk, int lane, bool sending)
{
    *run->blocked = (rt_blocked){run->group->ranks[member], chunk, lane, run->lanes, sending};
    return false;
}

/* Whether those to whom the chunk was promised have read it. */
static bool readers_done(const rt_run *run, const rt_instruction *i, int lane)
{
    rt_transport *t = run->group->transport;
    for (int32_t w = 0; w < i->wait_count; w++) {
        rt_wait wait = run->program->waits[i->wait + w];
        if (!t->ops->consumed(t, message_of(run, wait.peer, lane, wait.message)))
            return stuck(run, wait.peer, i->chunk, lane, true);
    }
    return true;
}

static void combine(const rt_run *run, const rt_instruction *i, rt_piece piece,
                    const void *received)
{
    if (i->action == RT_RECV_REDUCE || i->action == RT_APPLY_REDUCE)
        rt_combine_add(run->operand->type, piece.data, received, piece.count);
    else
        rt_combine_copy(run->operand->type, piece.data, received, piece.count, run->large);
}

static bool receive(const rt_run *run, const rt_instruction *i, int lane)
{
    rt_transport *t = run->group->transport;
    if (!readers_done(run, i, lane))
        return false;
    rt_piece piece = piece_of(run, i->chunk, lane);
    rt_message message = message_of(run, i->peer, lane, i->message);
    const void *theirs = t->ops->arrived(t, message, piece.data, piece.bytes);
    if (!theirs)
        return stuck(run, i->peer, i->chunk, lane, false);
    if (i->action == RT_RECV_STAGE)
        piece.data = slot_of(run, i->slot, lane);
    combine(run, i, piece, theirs);
    t->ops->finish(t, message, piece.bytes);
    return true;
}

/* One instruction of one lane; false if it has to wait. */
static bool execute(const rt_run *run, const rt_instruction *i, int lane)
{
    rt_transport *t = run->group->transport;
    rt_piece piece;
    switch ((rt_action)i->action) {
    case RT_SEND:
        piece = piece_of(run, i->chunk, lane);
        t->ops->release(t, message_of(run, i->peer, lane, i->message), piece.data, piece.bytes);
        return true;
    case RT_APPLY_REDUCE:
    case RT_APPLY_COPY:
        if (!readers_done(run, i, lane))
            return false;
        combine(run, i, piece_of(run, i->chunk, lane), slot_of(run, i->slot, lane));
        return true;
    default:
        return receive(run, i, lane);
    }
}

/* Before the caller may write the data again, every peer has read what it was promised. */
static bool drain(const rt_run *run, rt_lane *state, int lane)
{
    rt_transport *t = run->group->transport;
    for (; state->drain < run->group->size; state->drain++) {
        int32_t sent = run->program->sent[state->drain];
        if (sent > 0 && !t->ops->consumed(t, message_of(run, state->drain, lane, sent - 1)))
            return stuck(run, state->drain, -1, lane, true);
    }
    return true;
}

/* Carries a lane as far as it goes; true if it went any way. */
static bool advance(const rt_run *run, int lane)
{
    rt_lane *state = &run->group->lanes[lane];
    int64_t before = state->next;
    int32_t drained = state->drain;
    while (state->next < run->program->code_count) {
        if (!execute(run, &run->program->code[state->next], lane))
            return state->next > before;
        state->next++;
    }
    drain(run, state, lane);
    return state->next > before || state->drain > drained;
}

static bool finished(const rt_run *run, int lane)
{
    const rt_lane *state = &run->group->lanes[lane];
    return state->next == run->program->code_count && state->drain == run->group->size;
}

/* Once round the window. */
static bool advance_window(rt_run *run)
{
    bool moved = false;
    int end = run->first + WINDOW < run->lanes ? run->first + WINDOW : run->lanes;
    for (int lane = run->first; lane < end; lane++)
        moved |= advance(run, lane);
    while (run->first < run->lanes && finished(run, run->first))
        run->first++;
    return moved;
}

rt_status rt_engine_run(rt_group *group, const rt_rank_program *program, const rt_operand *operand,
                        rt_blocked *blocked)
{
    rt_run run = {.group = group,
                  .program = program,
                  .operand = operand,
                  .lanes = rt_engine_lanes(program, operand->type, operand->count),
                  .blocked = blocked};
    run.large = operand->count * (int64_t)rt_type_bytes(operand->type) > LARGE_BYTES / group->size;
    if (program->slots > 0)
        run.largest = largest_chunk(program, operand->count);
    for (int lane = 0; lane < run.lanes; lane++)
        group->lanes[lane] = (rt_lane){0, 0};
    rt_pause pause = {0};
    rt_status status = RT_OK;
    while (run.first < run.lanes && status == RT_OK) {
        if (advance_window(&run))
            pause = (rt_pause){0};
        else
            status = rt_pause_wait(&pause, group->transport);
    }
    group->base += (uint32_t)program->max_messages;
    return status;
}
