#include "support/msccl_machine.h"
#include "support/coll_oracle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct step {
    char type[8];
    int s, count, after_block, after_step, awaited;
    char source, target;
    int source_offset, target_offset;
} step;

typedef struct block {
    int id, send, receive, channel;
    VEC(step) steps;
    size_t next;
} block;

typedef struct device {
    int id, chunks[3]; /* of i, o, s */
    VEC(block) blocks;
    uint64_t *data[3];
} device;

typedef struct message {
    bool full;
    int count;
    uint64_t values[256];
} message;

typedef struct machine {
    arena *memory;
    const char *wrong;
    char coll[32];
    int channels, chunks, gpus, inplace;
    VEC(device) devices;
    message *wires; /* [(channel * gpus + from) * gpus + to] */
} machine;

static const char *fail(machine *m, const char *what, int gpu, int blk, int number)
{
    if (!m->wrong)
        m->wrong = arena_format(m->memory, "%s (gpu %d, tb %d, step %d)", what, gpu, blk, number);
    return m->wrong;
}

/* -------------------------------------------------------------------------------------------------- reading */

/* The value of ` name="` in the tag; NULL if it is not there. */
static const char *attribute(const char *tag, const char *name, char *value, size_t room)
{
    const char *end = strchr(tag, '>');
    char key[32];
    snprintf(key, sizeof key, " %s=\"", name);
    const char *found = strstr(tag, key);
    if (!found || !end || found > end)
        return NULL;
    found += strlen(key);
    size_t length = strcspn(found, "\"");
    if (length >= room)
        return NULL;
    memcpy(value, found, length);
    value[length] = '\0';
    return value;
}

static int number_of(machine *m, const char *tag, const char *name)
{
    char value[32], *end;
    if (!attribute(tag, name, value, sizeof value)) {
        fail(m, arena_format(m->memory, "no attribute '%s'", name), -1, -1, -1);
        return 0;
    }
    long number = strtol(value, &end, 10);
    if (*end || end == value)
        fail(m, arena_format(m->memory, "attribute '%s' is '%s'", name, value), -1, -1, -1);
    return (int)number;
}

static char buffer_of(machine *m, const char *tag, const char *name)
{
    char value[8];
    if (!attribute(tag, name, value, sizeof value) || strlen(value) != 1 ||
        !strchr("ios", value[0]))
        fail(m, "no such buffer", -1, -1, -1);
    return value[0];
}

static void read_step(machine *m, const char *tag)
{
    step s = {.s = number_of(m, tag, "s"),
              .count = number_of(m, tag, "cnt"),
              .after_block = number_of(m, tag, "depid"),
              .after_step = number_of(m, tag, "deps"),
              .awaited = number_of(m, tag, "hasdep"),
              .source = buffer_of(m, tag, "srcbuf"),
              .target = buffer_of(m, tag, "dstbuf"),
              .source_offset = number_of(m, tag, "srcoff"),
              .target_offset = number_of(m, tag, "dstoff")};
    if (!attribute(tag, "type", s.type, sizeof s.type))
        fail(m, "no type", -1, -1, s.s);
    vec_push(m->memory, &vec_last(&vec_last(&m->devices).blocks).steps, s);
}

static void read_tag(machine *m, const char *tag)
{
    if (strncmp(tag, "<algo ", 6) == 0) {
        char text_value[64];
        m->channels = number_of(m, tag, "nchannels");
        m->chunks = number_of(m, tag, "nchunksperloop");
        m->gpus = number_of(m, tag, "ngpus");
        m->inplace = number_of(m, tag, "inplace");
        number_of(m, tag, "outofplace");
        number_of(m, tag, "minBytes");
        number_of(m, tag, "maxBytes");
        if (!attribute(tag, "name", text_value, sizeof text_value) ||
            !attribute(tag, "proto", text_value, sizeof text_value) ||
            strcmp(text_value, "Simple") != 0 || !attribute(tag, "coll", m->coll, sizeof m->coll))
            fail(m, "algo lacks a name, a protocol or a collective", -1, -1, -1);
    } else if (strncmp(tag, "<gpu ", 5) == 0) {
        device d = {.id = number_of(m, tag, "id"),
                    .chunks = {number_of(m, tag, "i_chunks"), number_of(m, tag, "o_chunks"),
                               number_of(m, tag, "s_chunks")}};
        vec_push(m->memory, &m->devices, d);
    } else if (strncmp(tag, "<tb ", 4) == 0) {
        block b = {.id = number_of(m, tag, "id"),
                   .send = number_of(m, tag, "send"),
                   .receive = number_of(m, tag, "recv"),
                   .channel = number_of(m, tag, "chan")};
        vec_push(m->memory, &vec_last(&m->devices).blocks, b);
    } else if (strncmp(tag, "<step ", 6) == 0) {
        read_step(m, tag);
    } else if (tag[1] != '/') {
        fail(m, "an unknown element", -1, -1, -1);
    }
}

/* ---------------------------------------------------------------------------------------------------- rules */

static bool sends(const step *s)
{
    return strcmp(s->type, "s") == 0;
}

static bool receives(const step *s)
{
    return s->type[0] == 'r';
}

static bool inside(const device *d, char buffer, int offset, int count)
{
    int room = d->chunks[strchr("ios", buffer) - "ios"];
    return offset >= 0 && offset + count <= room;
}

static void check_step(machine *m, const device *d, const block *b, size_t i)
{
    const step *s = &b->steps.items[i];
    static const char *const types[] = {"s", "r", "rrc", "cpy", "nop"};
    bool known = false, nop = strcmp(s->type, "nop") == 0;
    for (int t = 0; t < 5; t++)
        known = known || strcmp(s->type, types[t]) == 0;
    if (!known || s->s != (int)i || s->s >= 256)
        fail(m, "an unknown type or a wrong step number", d->id, b->id, s->s);
    if ((sends(s) && b->send < 0) || (receives(s) && b->receive < 0))
        fail(m, "no peer for this step", d->id, b->id, s->s);
    if (!nop && (s->count < 1 || s->count >= 72))
        fail(m, "a count that no step may have", d->id, b->id, s->s);
    bool reads = sends(s) || strcmp(s->type, "rrc") == 0 || strcmp(s->type, "cpy") == 0;
    bool writes = receives(s) || strcmp(s->type, "cpy") == 0;
    if ((reads && !inside(d, s->source, s->source_offset, s->count)) ||
        (writes && !inside(d, s->target, s->target_offset, s->count)))
        fail(m, "beyond the buffer", d->id, b->id, s->s);
    if (nop &&
        (s->after_block < 0 || i + 1 == b->steps.count || b->steps.items[i + 1].after_block < 0))
        fail(m, "a nop that waits for nothing, or is not followed by a step that waits", d->id,
             b->id, s->s);
    if (s->after_block >= 0) {
        bool exists = (size_t)s->after_block < d->blocks.count && s->after_step >= 0 &&
                      (size_t)s->after_step < d->blocks.items[s->after_block].steps.count;
        if (!exists || s->after_block == b->id ||
            !d->blocks.items[s->after_block].steps.items[s->after_step].awaited)
            fail(m, "waits for a step that is not there or not awaited", d->id, b->id, s->s);
    }
}

static void check_rules(machine *m)
{
    if ((int)m->devices.count != m->gpus)
        fail(m, "not as many gpus as ngpus says", -1, -1, -1);
    for (size_t i = 0; i < m->devices.count; i++) {
        const device *d = &m->devices.items[i];
        if (d->id != (int)i)
            fail(m, "gpus out of order", d->id, -1, -1);
        for (size_t k = 0; k < d->blocks.count; k++) {
            const block *b = &d->blocks.items[k];
            if (b->id != (int)k || b->channel < 0 || b->channel >= m->channels ||
                b->send == d->id || b->receive == d->id || b->send >= m->gpus ||
                b->receive >= m->gpus)
                fail(m, "a thread block with a wrong number, channel or peer", d->id, b->id, -1);
            for (size_t j = 0; j < k; j++) {
                const block *other = &d->blocks.items[j];
                if (other->channel == b->channel &&
                    ((b->send >= 0 && other->send == b->send) ||
                     (b->receive >= 0 && other->receive == b->receive)))
                    fail(m, "two thread blocks for one connection", d->id, b->id, -1);
            }
            for (size_t n = 0; n < b->steps.count; n++)
                check_step(m, d, b, n);
        }
    }
}

/* ------------------------------------------------------------------------------------------------ execution */

static uint64_t *place(const device *d, char buffer, int offset)
{
    return d->data[strchr("ios", buffer) - "ios"] + offset;
}

static message *wire(const machine *m, int channel, int from, int to)
{
    return &m->wires[((size_t)channel * (size_t)m->gpus + (size_t)from) * (size_t)m->gpus +
                     (size_t)to];
}

/* Whether the block could do its next step, which is then done. */
static bool advance(machine *m, device *d, block *b)
{
    if (b->next == b->steps.count)
        return false;
    const step *s = &b->steps.items[b->next];
    if (s->after_block >= 0 && d->blocks.items[s->after_block].next <= (size_t)s->after_step)
        return false;
    if (sends(s)) {
        message *w = wire(m, b->channel, d->id, b->send);
        if (w->full)
            return false;
        w->full = true;
        w->count = s->count;
        memcpy(w->values, place(d, s->source, s->source_offset),
               sizeof(uint64_t) * (size_t)s->count);
    } else if (receives(s)) {
        message *w = wire(m, b->channel, b->receive, d->id);
        if (!w->full)
            return false;
        if (w->count != s->count)
            fail(m, "the two ends of a connection disagree on a count", d->id, b->id, s->s);
        w->full = false;
        uint64_t *target = place(d, s->target, s->target_offset),
                 *source = place(d, s->source, s->source_offset);
        for (int i = 0; i < s->count; i++)
            target[i] = strcmp(s->type, "rrc") == 0 ? source[i] + w->values[i] : w->values[i];
    } else if (strcmp(s->type, "cpy") == 0) {
        memmove(place(d, s->target, s->target_offset), place(d, s->source, s->source_offset),
                sizeof(uint64_t) * (size_t)s->count);
    }
    b->next++;
    return true;
}

static void execute(machine *m, uint64_t seed)
{
    bool moved = true;
    while (moved && !m->wrong) {
        moved = false;
        for (int tries = 0; tries < m->gpus * 16; tries++) {
            device *d = &m->devices.items[oracle_random(&seed) % m->devices.count];
            if (d->blocks.count > 0)
                moved |= advance(m, d, &d->blocks.items[oracle_random(&seed) % d->blocks.count]);
        }
        for (size_t i = 0; i < m->devices.count && !moved; i++)
            for (size_t k = 0; k < m->devices.items[i].blocks.count; k++)
                moved |= advance(m, &m->devices.items[i], &m->devices.items[i].blocks.items[k]);
    }
    for (size_t i = 0; i < m->devices.count; i++)
        for (size_t k = 0; k < m->devices.items[i].blocks.count; k++)
            if (m->devices.items[i].blocks.items[k].next <
                m->devices.items[i].blocks.items[k].steps.count)
                fail(m, "a deadlock", (int)i, (int)k,
                     (int)m->devices.items[i].blocks.items[k].next);
}

/* --------------------------------------------------------------------------------------------------- values */

/* What rank r contributes to unit u of the whole vector; all_to_all: its data for rank u / share, at u % share. */
static uint64_t own(int rank, int unit, uint64_t seed)
{
    uint64_t state = seed + (uint64_t)rank * 1000003u + (uint64_t)unit;
    return oracle_random(&state);
}

static void fill(machine *m, coll_kind kind, int root, uint64_t seed)
{
    int share = m->chunks / m->gpus;
    for (size_t r = 0; r < m->devices.count; r++) {
        device *d = &m->devices.items[r];
        for (int k = 0; k < 3; k++)
            d->data[k] = arena_array(m->memory, uint64_t, d->chunks[k] + m->chunks + 1);
        bool all = coll_kind_reduces(kind) || kind == COLL_ALL_TO_ALL ||
                   (kind == COLL_BROADCAST && (int)r == root);
        for (int u = 0; u < m->chunks && all; u++)
            d->data[0][u] = own((int)r, u, seed);
        for (int u = 0; u < share && kind == COLL_ALL_GATHER; u++)
            d->data[1][(int)r * share + u] = own((int)r, (int)r * share + u, seed);
    }
}

static uint64_t wanted(const machine *m, coll_kind kind, int root, int rank, int unit,
                       uint64_t seed)
{
    int share = m->chunks / m->gpus;
    uint64_t sum = 0;
    for (int r = 0; r < m->gpus && coll_kind_reduces(kind); r++)
        sum += own(r, unit, seed);
    switch (kind) {
    case COLL_BROADCAST:
        return own(root, unit, seed);
    case COLL_ALL_GATHER:
        return own(unit / share, unit, seed);
    case COLL_ALL_TO_ALL:
        return own(unit / share, rank * share + unit % share, seed);
    default:
        return sum;
    }
}

static void compare(machine *m, coll_kind kind, int root, uint64_t seed)
{
    int share = m->chunks / m->gpus;
    for (int r = 0; r < m->gpus; r++) {
        bool output = kind == COLL_ALL_GATHER || kind == COLL_ALL_TO_ALL;
        int first = kind == COLL_REDUCE_SCATTER ? r * share : 0;
        int last = kind == COLL_REDUCE_SCATTER ? first + share : m->chunks;
        if (kind == COLL_REDUCE_TO_ROOT && r != root)
            continue;
        for (int u = first; u < last; u++)
            if (m->devices.items[r].data[output][u] != wanted(m, kind, root, r, u, seed))
                fail(m, arena_format(m->memory, "unit %d is wrong at the end", u), r, -1, -1);
    }
}

const char *msccl_run(const char *xml, coll_kind kind, int root, uint64_t seed, arena *a)
{
    machine m = {.memory = a};
    for (const char *tag = strchr(xml, '<'); tag && !m.wrong; tag = strchr(tag + 1, '<'))
        read_tag(&m, tag);
    if (!m.wrong)
        check_rules(&m);
    if (m.wrong)
        return m.wrong;
    m.wires = arena_array(a, message, (size_t)m.channels * (size_t)m.gpus * (size_t)m.gpus);
    fill(&m, kind, root, seed);
    execute(&m, seed);
    if (!m.wrong)
        compare(&m, kind, root, seed);
    return m.wrong;
}
