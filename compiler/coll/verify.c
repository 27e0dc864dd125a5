/* Contributions followed through each chunk. Chunks do not meet, so one is followed after the other. */
#include "coll/verify.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef uint64_t word;

/* The contributions in one rank's place of the chunk. */
typedef struct share {
    word *once;  /* [words]: those it has */
    word *twice; /* [words]: those it has more than once */
} share;

/* The send by which something first went wrong with a value, and whose contribution it was. */
typedef struct mishap {
    int32_t send; /* -1: nothing did */
    int32_t whose;
} mishap;

static const mishap no_mishap = {-1, -1};

typedef struct chunk_state {
    const coll_program *program;
    int chunk;
    int words;
    share *now; /* [ranks] */
    share *
        before; /* [ranks]: at the begin of the step, of those that are both read and written in it */
    mishap *doubled;        /* [ranks]: of the value in `now` */
    mishap *doubled_before; /* [ranks]: of the value in `before` */
    int32_t *writer;        /* [ranks]: the last send into this place; -1 */
    int32_t *written;       /* [ranks]: the step of the last write; -1 */
    mishap lost; /* the first copy that replaced a value by one without all of its contributions */
    coll_fault *fault;
    arena *words_memory;
} chunk_state;

static bool empty(const word *set, int words)
{
    for (int w = 0; w < words; w++)
        if (set[w])
            return false;
    return true;
}

/* The lowest member of `set`; -1: none. */
static int first_of(const word *set, int words)
{
    for (int w = 0; w < words; w++)
        if (set[w])
            return w * 64 + __builtin_ctzll(set[w]);
    return -1;
}

static int first_missing(const word *set, const word *wanted, int words)
{
    for (int w = 0; w < words; w++)
        if (wanted[w] & ~set[w])
            return w * 64 + __builtin_ctzll(wanted[w] & ~set[w]);
    return -1;
}

static void share_copy(share *to, const share *from, int words)
{
    memcpy(to->once, from->once, sizeof(word) * (size_t)words);
    memcpy(to->twice, from->twice, sizeof(word) * (size_t)words);
}

static void share_add(share *to, const share *from, int words)
{
    for (int w = 0; w < words; w++) {
        to->twice[w] |= from->twice[w] | (to->once[w] & from->once[w]);
        to->once[w] |= from->once[w];
    }
}

static share *shares_new(arena *a, int ranks, int words)
{
    share *shares = arena_array(a, share, ranks);
    word *sets = arena_array(a, word, (size_t)ranks * (size_t)words * 2);
    for (int r = 0; r < ranks; r++)
        shares[r] = (share){sets + (size_t)r * (size_t)words * 2,
                            sets + ((size_t)r * 2 + 1) * (size_t)words};
    return shares;
}

static coll_fault *fault_set(chunk_state *s, diag_code code, int rank, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static coll_fault *fault_set(chunk_state *s, diag_code code, int rank, const char *format, ...)
{
    char words[512];
    va_list values;
    va_start(values, format);
    vsnprintf(words, sizeof words, format, values);
    va_end(values);
    const coll_program *p = s->program;
    *s->fault = (coll_fault){.code = code,
                             .step = -1,
                             .chunk = s->chunk,
                             .rank = rank,
                             .missing = -1,
                             .at = p->at,
                             .note_at = SPAN_NONE,
                             .message = arena_format(s->words_memory,
                                                     "topology '%s' is no %s on %d rank%s: %s",
                                                     p->name, coll_kind_name(p->kind), p->ranks,
                                                     p->ranks == 1 ? "" : "s", words)};
    return s->fault;
}

/* Whether rank r has its own data in the chunk at the start. */
static bool has_at_start(const coll_program *p, int chunk, int rank)
{
    switch (p->kind) {
    case COLL_ALL_REDUCE:
    case COLL_REDUCE_SCATTER:
    case COLL_REDUCE_TO_ROOT:
        return true;
    case COLL_BROADCAST:
        return rank == p->root;
    case COLL_ALL_GATHER:
    case COLL_ALL_TO_ALL:
        return rank == p->home[chunk];
    case COLL_KIND_COUNT:
        break;
    }
    assert(false && "a kind of collective");
    return false;
}

/* Whether rank r must have the whole result in the chunk at the end. */
static bool wants_at_end(const coll_program *p, int chunk, int rank)
{
    switch (p->kind) {
    case COLL_ALL_REDUCE:
    case COLL_ALL_GATHER:
    case COLL_BROADCAST:
        return true;
    case COLL_REDUCE_SCATTER:
        return rank == p->home[chunk];
    case COLL_REDUCE_TO_ROOT:
        return rank == p->root;
    case COLL_ALL_TO_ALL:
        return rank == p->target[chunk];
    case COLL_KIND_COUNT:
        break;
    }
    assert(false && "a kind of collective");
    return false;
}

static void chunk_start(chunk_state *s)
{
    const coll_program *p = s->program;
    for (int r = 0; r < p->ranks; r++) {
        memset(s->now[r].once, 0, sizeof(word) * (size_t)s->words);
        memset(s->now[r].twice, 0, sizeof(word) * (size_t)s->words);
        if (has_at_start(p, s->chunk, r))
            s->now[r].once[r / 64] |= (word)1 << (r % 64);
        s->doubled[r] = no_mishap;
        s->writer[r] = s->written[r] = -1;
    }
    s->lost = no_mishap;
}

/* Before the first write of a step into a place: readers of this step still see the old value. */
static void keep_for_readers(chunk_state *s, int rank, int step)
{
    if (s->written[rank] == step)
        return;
    s->written[rank] = step;
    share_copy(&s->before[rank], &s->now[rank], s->words);
    s->doubled_before[rank] = s->doubled[rank];
}

static bool do_send(chunk_state *s, int32_t index)
{
    const coll_send *send = &s->program->sends.items[index];
    bool changed = s->written[send->from] == send->step;
    const share *value = changed ? &s->before[send->from] : &s->now[send->from];
    mishap doubled = changed ? s->doubled_before[send->from] : s->doubled[send->from];
    share *place = &s->now[send->to];
    bool nothing_to_send = empty(value->once, s->words);
    if (nothing_to_send || (send->op == COLL_REDUCE && empty(place->once, s->words))) {
        int rank = nothing_to_send ? send->from : send->to;
        coll_fault *f =
            fault_set(s, E0332, rank, "in step %d, rank %d has nothing in chunk %d to %s",
                      send->step, rank, send->chunk, nothing_to_send ? "send" : "add to");
        f->step = send->step;
        f->note_at = coll_place_of(s->program, send).at;
        f->note = "sent here";
        f->fix = nothing_to_send ? NULL : "copy, not reduce";
        return false;
    }
    keep_for_readers(s, send->to, send->step);
    if (send->op == COLL_COPY) {
        int whose = first_missing(value->once, place->once, s->words);
        if (s->lost.send < 0 && whose >= 0)
            s->lost = (mishap){index, whose};
        share_copy(place, value, s->words);
        s->doubled[send->to] = doubled;
    } else {
        share_add(place, value, s->words);
        if (s->doubled[send->to].send < 0) {
            int whose = first_of(place->twice, s->words);
            s->doubled[send->to] =
                doubled.send >= 0 || whose < 0 ? doubled : (mishap){index, whose};
        }
    }
    s->writer[send->to] = index;
    return true;
}

static bool fault_missing(chunk_state *s, int rank, int missing)
{
    const coll_program *p = s->program;
    int32_t writer = s->writer[rank];
    const char *what = coll_kind_reduces(p->kind) ? "contribution" : "data";
    if (writer < 0) {
        fault_set(s, E0330, rank,
                  "in none of its %d steps does rank %d get the %s of rank %d in chunk %d",
                  p->steps, rank, what, missing, s->chunk);
    } else {
        const coll_send *last = &p->sends.items[writer];
        fault_set(
            s, E0330, rank,
            "after step %d, the last that writes it, chunk %d on rank %d lacks the %s of rank %d",
            last->step, s->chunk, rank, what, missing);
        s->fault->step = last->step;
        s->fault->note_at = coll_place_of(s->program, last).at;
        s->fault->note = arena_format(s->words_memory, "rank %d gets chunk %d from rank %d here",
                                      rank, s->chunk, last->from);
    }
    s->fault->missing = missing;
    if (s->lost.send >= 0) {
        const coll_send *copy = &p->sends.items[s->lost.send];
        s->fault->note_at = coll_place_of(s->program, copy).at;
        s->fault->note = arena_format(s->words_memory,
                                      "step %d copies chunk %d of rank %d over that of rank %d, "
                                      "where the contribution of rank %d "
                                      "is lost",
                                      copy->step, copy->chunk, copy->from, copy->to, s->lost.whose);
    }
    return false;
}

static bool fault_double(chunk_state *s, int rank)
{
    mishap doubled = s->doubled[rank];
    const coll_send *origin = &s->program->sends.items[doubled.send];
    coll_fault *f = fault_set(
        s, E0331, rank,
        "chunk %d on rank %d has the contribution of rank %d twice, the second time from step %d",
        s->chunk, rank, doubled.whose, origin->step);
    f->missing = doubled.whose;
    f->step = origin->step;
    f->note_at = coll_place_of(s->program, origin).at;
    f->note = arena_format(s->words_memory,
                           "step %d adds chunk %d of rank %d to that of rank %d, and both have it",
                           origin->step, origin->chunk, origin->from, origin->to);
    return false;
}

static bool chunk_end(chunk_state *s, word *wanted)
{
    const coll_program *p = s->program;
    memset(wanted, 0, sizeof(word) * (size_t)s->words);
    for (int r = 0; r < p->ranks; r++)
        if (has_at_start(p, s->chunk, r))
            wanted[r / 64] |= (word)1 << (r % 64);
    for (int r = 0; r < p->ranks; r++) {
        if (!wants_at_end(p, s->chunk, r))
            continue;
        int missing = first_missing(s->now[r].once, wanted, s->words);
        if (missing >= 0)
            return fault_missing(s, r, missing);
        if (s->doubled[r].send >= 0)
            return fault_double(s, r);
    }
    return true;
}

/* The sends of each chunk in the program's order: those of c are items[first[c]] .. items[first[c + 1]]. */
static int32_t *sends_by_chunk(const coll_program *p, arena *a, int32_t *first)
{
    int32_t *items = arena_array(a, int32_t, p->sends.count + 1);
    for (size_t i = 0; i < p->sends.count; i++)
        first[p->sends.items[i].chunk + 1]++;
    for (int c = 0; c < p->chunks; c++)
        first[c + 1] += first[c];
    int32_t *next = arena_array(a, int32_t, p->chunks + 1);
    memcpy(next, first, sizeof *first * (size_t)p->chunks);
    for (size_t i = 0; i < p->sends.count; i++)
        items[next[p->sends.items[i].chunk]++] = (int32_t)i;
    return items;
}

static bool follow_contributions(const coll_program *p, coll_fault *fault, arena *a, arena *scratch)
{
    int words = (p->ranks + 63) / 64;
    chunk_state s = {.program = p,
                     .words = words,
                     .now = shares_new(scratch, p->ranks, words),
                     .before = shares_new(scratch, p->ranks, words),
                     .writer = arena_array(scratch, int32_t, p->ranks),
                     .doubled = arena_array(scratch, mishap, p->ranks),
                     .doubled_before = arena_array(scratch, mishap, p->ranks),
                     .written = arena_array(scratch, int32_t, p->ranks),
                     .fault = fault,
                     .words_memory = a};
    int32_t *first = arena_array(scratch, int32_t, p->chunks + 2);
    int32_t *order = sends_by_chunk(p, scratch, first);
    word *wanted = arena_array(scratch, word, words);
    for (s.chunk = 0; s.chunk < p->chunks; s.chunk++) {
        chunk_start(&s);
        for (int32_t i = first[s.chunk]; i < first[s.chunk + 1]; i++)
            if (!do_send(&s, order[i]))
                return false;
        if (!chunk_end(&s, wanted))
            return false;
    }
    return true;
}

/* Programs that were read from text may say anything. */
static bool in_range(const coll_program *p, coll_fault *fault, arena *a)
{
    for (size_t i = 0; i < p->sends.count; i++) {
        const coll_send *s = &p->sends.items[i];
        bool known = s->chunk >= 0 && s->chunk < p->chunks && s->from >= 0 && s->from < p->ranks &&
                     s->to >= 0 && s->to < p->ranks;
        if (known && s->from != s->to)
            continue;
        *fault = (coll_fault){
            .code = E0333, .step = s->step, .chunk = s->chunk, .rank = s->from, .missing = -1};
        fault->at = coll_place_of(p, s).at;
        fault->note_at = p->at;
        fault->note = "in this topology";
        fault->message = known
                             ? arena_format(a, "in step %d, rank %d sends chunk %d to itself",
                                            s->step, s->from, s->chunk)
                             : arena_format(a,
                                            "in step %d, chunk %d from rank %d to rank %d: there "
                                            "are %d chunks and %d ranks",
                                            s->step, s->chunk, s->from, s->to, p->chunks, p->ranks);
        return false;
    }
    return true;
}

bool coll_prove_sends(const coll_program *p, coll_fault *fault, arena *a)
{
    arena *scratch = arena_new();
    bool right = in_range(p, fault, a) && follow_contributions(p, fault, a, scratch);
    arena_free(scratch);
    return right;
}

coll_rank_program **coll_proved_rank_programs(const coll_program *p, arena *a)
{
    coll_rank_program **ranks = coll_rank_programs_of(p, a);
    coll_fault fault;
    if (!coll_prove_ranks(p, ranks, &fault, a)) {
        fprintf(stderr, "%s: %s\n", p->line ? p->line : "?", fault.message);
        assert(false && "instructions that do what the program says, without deadlock");
    }
    return ranks;
}

bool coll_prove(const coll_program *p, coll_fault *fault, arena *a)
{
    if (!coll_prove_sends(p, fault, a))
        return false;
    arena *scratch = arena_new();
    coll_proved_rank_programs(p, scratch);
    arena_free(scratch);
    return true;
}

void coll_fault_report(const coll_fault *fault, diag_sink *sink)
{
    diag *d = diag_report(sink, fault->code, fault->at, "%s", fault->message);
    if (fault->note && fault->note_at.file >= 0)
        diag_note(d, fault->note_at, "%s", fault->note);
    if (fault->fix)
        diag_fix(d, "%s", fault->fix);
}

bool coll_verify(const coll_program *p, diag_sink *sink)
{
    arena *a = arena_new();
    coll_fault fault;
    bool right = coll_prove_sends(p, &fault, a);
    if (!right)
        coll_fault_report(&fault, sink);
    arena_free(a);
    return right;
}
