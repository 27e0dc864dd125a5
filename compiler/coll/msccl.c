#include "coll/msccl.h"
#include "cluster/rational.h"
#include "coll/message.h"

#include <assert.h>
#include <string.h>

/* A step of a thread block; -1: none. */
typedef struct step_ref {
    int32_t block;
    int32_t step;
} step_ref;

static const step_ref no_step = {-1, -1};

/* Where a chunk lies on a rank. */
typedef struct location {
    char buffer; /* i, o, s */
    int32_t offset;
} location;

typedef struct xml_step {
    const char *type;
    location source, target;
    int32_t count;
    step_ref after;
    bool awaited;
} xml_step;

typedef struct thread_block {
    int32_t send, receive; /* peers; -1 */
    int32_t channel;
    VEC(xml_step) steps;
} thread_block;

typedef VEC(step_ref) step_refs;

/* What has been done to a chunk on a rank. */
typedef struct history {
    step_ref written;
    step_refs read; /* since it was written */
} history;

typedef struct gpu {
    VEC(thread_block) blocks;
    int32_t scratch; /* units */
} gpu;

typedef struct exporter {
    const coll_program *program;
    arena *memory;
    gpu *gpus;
    history *histories;  /* [rank * chunks + chunk] */
    location *locations; /* [rank * chunks + chunk] */
    int32_t *units;      /* [chunks] */
    int32_t total;       /* units of the whole vector; all_to_all: of one rank's input */
    int32_t *sent;       /* [ranks * ranks]: messages so far */
    step_refs pending;   /* what the next step waits for */
} exporter;

static size_t at(const exporter *e, int rank, int chunk)
{
    return (size_t)rank * (size_t)e->program->chunks + (size_t)chunk;
}

/* ------------------------------------------------------------------------------------------- where chunks lie */

static bool count_units(exporter *e)
{
    const coll_program *p = e->program;
    int64_t divisor = 0, total = 0;
    for (int c = 0; c < p->chunks; c++)
        divisor = integer_gcd(divisor, p->weights[c]);
    e->units = arena_array(e->memory, int32_t, p->chunks);
    for (int c = 0; c < p->chunks; c++) {
        int64_t units = p->weights[c] / divisor;
        if (p->kind != COLL_ALL_TO_ALL || p->home[c] == 0)
            total += units;
        if (units > MSCCL_MAX_OFFSET || total > MSCCL_MAX_OFFSET)
            return false;
        e->units[c] = (int32_t)units;
    }
    e->total = (int32_t)total;
    return true;
}

/* In place: each chunk at its place in the whole vector, on every rank. */
static void lay_out_in_place(exporter *e)
{
    const coll_program *p = e->program;
    char buffer = p->kind == COLL_ALL_GATHER ? 'o' : 'i';
    for (int r = 0; r < p->ranks; r++) {
        int32_t offset = 0;
        for (int c = 0; c < p->chunks; c++) {
            e->locations[at(e, r, c)] = (location){buffer, offset};
            offset += e->units[c];
        }
    }
}

/* all_to_all: the input by target, the output by home, what passes through in scratch when it comes. */
static void lay_out_exchange(exporter *e)
{
    const coll_program *p = e->program;
    int32_t *in = arena_array(e->memory, int32_t, p->ranks),
            *out = arena_array(e->memory, int32_t, p->ranks);
    for (int c = 0; c < p->chunks; c++) {
        for (int r = 0; r < p->ranks; r++)
            e->locations[at(e, r, c)] = (location){'s', -1};
        e->locations[at(e, p->target[c], c)] = (location){'o', out[p->target[c]]};
        e->locations[at(e, p->home[c], c)] = (location){'i', in[p->home[c]]};
        out[p->target[c]] += e->units[c];
        in[p->home[c]] += e->units[c];
    }
}

static location place_of(exporter *e, int rank, int chunk)
{
    location *place = &e->locations[at(e, rank, chunk)];
    if (place->offset < 0) {
        place->offset = e->gpus[rank].scratch;
        e->gpus[rank].scratch += e->units[chunk];
    }
    return *place;
}

/* ---------------------------------------------------------------------------------------------------- steps */

static int32_t block_of(exporter *e, int rank, int send, int receive, int channel)
{
    gpu *g = &e->gpus[rank];
    for (size_t i = 0; i < g->blocks.count; i++) {
        const thread_block *b = &g->blocks.items[i];
        if (b->send == send && b->receive == receive && b->channel == channel)
            return (int32_t)i;
    }
    vec_push(e->memory, &g->blocks,
             (thread_block){.send = send, .receive = receive, .channel = channel});
    return (int32_t)g->blocks.count - 1;
}

/* Of each other thread block the last step alone: it is done with those before. */
static void wait_for(exporter *e, int32_t block, step_ref step)
{
    if (step.block < 0 || step.block == block)
        return;
    for (size_t i = 0; i < e->pending.count; i++) {
        step_ref *known = &e->pending.items[i];
        if (known->block == step.block) {
            known->step = known->step > step.step ? known->step : step.step;
            return;
        }
    }
    vec_push(e->memory, &e->pending, step);
}

static step_ref add_step(exporter *e, int rank, int32_t block, xml_step step)
{
    gpu *g = &e->gpus[rank];
    thread_block *b = &g->blocks.items[block];
    const location nowhere = {'i', -1};
    step.after = no_step;
    for (size_t i = 0; i < e->pending.count; i++) {
        step_ref after = e->pending.items[i];
        g->blocks.items[after.block].steps.items[after.step].awaited = true;
        if (i + 1 == e->pending.count)
            step.after = after;
        else
            vec_push(e->memory, &b->steps, (xml_step){"nop", nowhere, nowhere, 0, after, false});
    }
    e->pending.count = 0;
    vec_push(e->memory, &b->steps, step);
    return (step_ref){block, (int32_t)b->steps.count - 1};
}

/* The units of a message in parts that a step can take; the waits belong to the first. Returns the last step. */
static step_ref add_parts(exporter *e, int rank, int32_t block, xml_step step, int32_t units)
{
    step_ref last = no_step;
    for (int32_t done = 0; done < units; done += MSCCL_MAX_COUNT) {
        xml_step part = step;
        part.count = units - done < MSCCL_MAX_COUNT ? units - done : MSCCL_MAX_COUNT;
        part.source.offset += done;
        part.target.offset += done;
        last = add_step(e, rank, block, part);
    }
    return last;
}

/* Chunks that lie side by side at both ends, from `first` on: how many of the `count` sends. */
static int32_t run_length(exporter *e, const coll_send *first, int32_t count)
{
    int32_t length = 1;
    for (; length < count; length++) {
        const coll_send *last = &first[length - 1], *next = &first[length];
        location from = place_of(e, next->from, next->chunk),
                 to = place_of(e, next->to, next->chunk);
        location from_last = place_of(e, last->from, last->chunk),
                 to_last = place_of(e, last->to, last->chunk);
        int32_t units = e->units[last->chunk];
        if (from.buffer != from_last.buffer || from.offset != from_last.offset + units ||
            to.buffer != to_last.buffer || to.offset != to_last.offset + units)
            break;
    }
    return length;
}

typedef struct transfer {
    const coll_send *sends;
    int32_t count;
    int32_t units;
    int32_t channel;
} transfer;

static void add_send_step(exporter *e, const transfer *t)
{
    const coll_send *s = t->sends;
    int32_t block = block_of(e, s->from, s->to, -1, t->channel);
    for (int32_t k = 0; k < t->count; k++)
        wait_for(e, block, e->histories[at(e, s->from, s[k].chunk)].written);
    xml_step step = {.type = "s",
                     .source = place_of(e, s->from, s->chunk),
                     .target = place_of(e, s->to, s->chunk)};
    step_ref done = add_parts(e, s->from, block, step, t->units);
    for (int32_t k = 0; k < t->count; k++)
        vec_push(e->memory, &e->histories[at(e, s->from, s[k].chunk)].read, done);
}

static void add_receive_step(exporter *e, const transfer *t)
{
    const coll_send *s = t->sends;
    int32_t block = block_of(e, s->to, -1, s->from, t->channel);
    for (int32_t k = 0; k < t->count; k++) {
        history *h = &e->histories[at(e, s->to, s[k].chunk)];
        wait_for(e, block, h->written);
        for (size_t i = 0; i < h->read.count; i++)
            wait_for(e, block, h->read.items[i]);
    }
    location place = place_of(e, s->to, s->chunk);
    xml_step step = {.type = s->op == COLL_REDUCE ? "rrc" : "r", .source = place, .target = place};
    step_ref done = add_parts(e, s->to, block, step, t->units);
    for (int32_t k = 0; k < t->count; k++) {
        history *h = &e->histories[at(e, s->to, s[k].chunk)];
        h->written = done;
        h->read.count = 0;
    }
}

/* All sends of a step read before its receives write. */
static void add_program_step(exporter *e, size_t first, size_t last)
{
    const coll_program *p = e->program;
    VEC(transfer) transfers = {0};
    for (size_t i = first; i < last;) {
        const coll_send *s = &p->sends.items[i];
        int32_t count = run_length(e, s, coll_message_length(p, i));
        int32_t *sent = &e->sent[(size_t)s->from * (size_t)p->ranks + (size_t)s->to];
        transfer t = {s, count, 0, (*sent)++ / MSCCL_CHANNEL_MESSAGES};
        for (int32_t k = 0; k < count; k++)
            t.units += e->units[s[k].chunk];
        vec_push(e->memory, &transfers, t);
        i += (size_t)count;
    }
    for (size_t i = 0; i < transfers.count; i++)
        add_send_step(e, &transfers.items[i]);
    for (size_t i = 0; i < transfers.count; i++)
        add_receive_step(e, &transfers.items[i]);
}

/* all_to_all: what a rank keeps goes from its input to its output. */
static void add_local_copies(exporter *e)
{
    const coll_program *p = e->program;
    int32_t *out = arena_array(e->memory, int32_t, p->ranks);
    for (int c = 0; p->kind == COLL_ALL_TO_ALL && c < p->chunks; c++) {
        int r = p->target[c];
        location output = {'o', out[r]};
        out[r] += e->units[c];
        if (p->home[c] != r)
            continue;
        xml_step step = {.type = "cpy", .source = place_of(e, r, c), .target = output};
        add_parts(e, r, block_of(e, r, -1, -1, 0), step, e->units[c]);
    }
}

/* --------------------------------------------------------------------------------------------------- limits */

static const char *rank_beyond_limits(const exporter *e, int rank, int *channels)
{
    const gpu *g = &e->gpus[rank];
    int peers[2][MSCCL_MAX_CHANNELS] = {{0}};
    if (g->blocks.count > MSCCL_MAX_BLOCKS)
        return arena_format(e->memory, "rank %d needs %zu thread blocks; MSCCL has %d", rank,
                            g->blocks.count, MSCCL_MAX_BLOCKS);
    for (size_t i = 0; i < g->blocks.count; i++) {
        const thread_block *b = &g->blocks.items[i];
        if (b->steps.count > MSCCL_MAX_STEPS)
            return arena_format(e->memory,
                                "rank %d needs %zu steps in a thread block; MSCCL has %d", rank,
                                b->steps.count, MSCCL_MAX_STEPS);
        if (b->channel >= MSCCL_MAX_CHANNELS)
            return arena_format(e->memory, "rank %d needs more than %d channels", rank,
                                MSCCL_MAX_CHANNELS);
        if ((b->send >= 0 && ++peers[0][b->channel] > MSCCL_MAX_CHANNEL_PEERS) ||
            (b->receive >= 0 && ++peers[1][b->channel] > MSCCL_MAX_CHANNEL_PEERS))
            return arena_format(e->memory,
                                "rank %d has more than %d peers; MSCCL has no more on a channel",
                                rank, MSCCL_MAX_CHANNEL_PEERS);
        *channels = b->channel >= *channels ? b->channel + 1 : *channels;
    }
    return NULL;
}

/* -------------------------------------------------------------------------------------------------- writing */

static const char *msccl_name(coll_kind kind)
{
    static const char *const names[] = {
        [COLL_ALL_REDUCE] = "allreduce",  [COLL_REDUCE_SCATTER] = "reducescatter",
        [COLL_ALL_GATHER] = "allgather",  [COLL_BROADCAST] = "broadcast",
        [COLL_REDUCE_TO_ROOT] = "reduce", [COLL_ALL_TO_ALL] = "alltoall"};
    return names[kind];
}

static void write_block(text *out, const thread_block *b, int id)
{
    text_add(out, "    <tb id=\"%d\" send=\"%d\" recv=\"%d\" chan=\"%d\">\n", id, b->send,
             b->receive, b->channel);
    for (size_t i = 0; i < b->steps.count; i++) {
        const xml_step *s = &b->steps.items[i];
        text_add(out,
                 "      <step s=\"%zu\" type=\"%s\" srcbuf=\"%c\" srcoff=\"%d\" dstbuf=\"%c\" "
                 "dstoff=\"%d\" "
                 "cnt=\"%d\" depid=\"%d\" deps=\"%d\" hasdep=\"%d\"/>\n",
                 i, s->type, s->source.buffer, s->source.offset, s->target.buffer, s->target.offset,
                 s->count, s->after.block, s->after.step, s->awaited);
    }
    text_add(out, "    </tb>\n");
}

/* A name as an attribute's value. */
static void write_name(text *out, const char *name)
{
    for (; *name; name++) {
        if (*name == '&' || *name == '<' || *name == '"')
            text_add(out, "&#%d;", *name);
        else
            text_add_bytes(out, name, 1);
    }
}

static void write_xml(const exporter *e, int channels, text *out)
{
    const coll_program *p = e->program;
    bool in_place = p->kind != COLL_ALL_TO_ALL;
    text_add(out, "<algo name=\"");
    write_name(out, p->name);
    text_add(out,
             "\" proto=\"Simple\" nchannels=\"%d\" nchunksperloop=\"%d\" ngpus=\"%d\" coll=\"%s\" "
             "inplace=\"%d\" "
             "outofplace=\"%d\" minBytes=\"0\" maxBytes=\"0\">\n",
             channels, e->total, p->ranks, msccl_name(p->kind), in_place, !in_place);
    for (int r = 0; r < p->ranks; r++) {
        int32_t in = p->kind == COLL_ALL_GATHER ? e->total / p->ranks : e->total;
        int32_t output = p->kind == COLL_REDUCE_SCATTER ? e->total / p->ranks : e->total;
        text_add(out, "  <gpu id=\"%d\" i_chunks=\"%d\" o_chunks=\"%d\" s_chunks=\"%d\">\n", r, in,
                 output, e->gpus[r].scratch);
        for (size_t i = 0; i < e->gpus[r].blocks.count; i++)
            write_block(out, &e->gpus[r].blocks.items[i], (int)i);
        text_add(out, "  </gpu>\n");
    }
    text_add(out, "</algo>\n");
}

static void add_all_steps(exporter *e)
{
    const coll_sends *sends = &e->program->sends;
    for (size_t first = 0, last; first < sends->count; first = last) {
        last = first;
        while (last < sends->count && sends->items[last].step == sends->items[first].step)
            last++;
        add_program_step(e, first, last);
    }
    add_local_copies(e);
}

const char *coll_write_msccl(const coll_program *p, text *out, arena *a)
{
    arena *scratch = arena_new();
    size_t places = (size_t)p->ranks * (size_t)p->chunks;
    exporter e = {.program = p,
                  .memory = scratch,
                  .gpus = arena_array(scratch, gpu, p->ranks),
                  .histories = arena_array(scratch, history, places),
                  .locations = arena_array(scratch, location, places),
                  .sent = arena_array(scratch, int32_t, (size_t)p->ranks * (size_t)p->ranks)};
    for (size_t i = 0; i < places; i++)
        e.histories[i].written = no_step;
    const char *why = NULL;
    int channels = 1;
    if (!count_units(&e)) {
        why =
            arena_format(a, "the chunks' weights need more than %d equal parts", MSCCL_MAX_OFFSET);
    } else {
        (p->kind == COLL_ALL_TO_ALL ? lay_out_exchange : lay_out_in_place)(&e);
        add_all_steps(&e);
        for (int r = 0; r < p->ranks && !why; r++)
            why = rank_beyond_limits(&e, r, &channels);
        if (why)
            why = arena_copy_text(a, why, strlen(why));
        else
            write_xml(&e, channels, out);
    }
    arena_free(scratch);
    return why;
}
