/* The text form read back: words and whole numbers, line ends without meaning but for `at`. */
#include "coll/text_form.h"

#include <ctype.h>
#include <string.h>

typedef struct reader {
    const char *bytes;
    size_t length;
    size_t next;  /* behind the word that is looked at */
    size_t begin; /* the word that is looked at: bytes begin..end */
    size_t end;
    int file;
    diag_sink *sink;
    arena *memory;
    coll_program *program;
    coll_kind kind;
    const char *name;
    const char *line;
    int64_t ranks;
    int32_t step;
} reader;

static bool word_byte(char c)
{
    return !isspace((unsigned char)c) && c != '{' && c != '}' && c != '"' && c != '#';
}

static void skip_blanks(reader *r)
{
    while (r->next < r->length &&
           (isspace((unsigned char)r->bytes[r->next]) || r->bytes[r->next] == '#')) {
        if (r->bytes[r->next] == '#')
            while (r->next < r->length && r->bytes[r->next] != '\n')
                r->next++;
        else
            r->next++;
    }
}

/* Looks at the next word: a run of word bytes, a text in quotes, or one bracket; empty at the end. */
static void advance(reader *r)
{
    skip_blanks(r);
    r->begin = r->next;
    if (r->next < r->length && r->bytes[r->next] == '"') {
        do
            r->next++;
        while (r->next < r->length && r->bytes[r->next] != '"' && r->bytes[r->next] != '\n');
        r->next += r->next < r->length;
    } else if (r->next < r->length && !word_byte(r->bytes[r->next])) {
        r->next++;
    } else {
        while (r->next < r->length && word_byte(r->bytes[r->next]))
            r->next++;
    }
    r->end = r->next;
}

static span here(const reader *r)
{
    return (span){r->file, (uint32_t)r->begin, (uint32_t)r->end};
}

static bool is(const reader *r, const char *word)
{
    size_t length = strlen(word);
    return r->end - r->begin == length && memcmp(r->bytes + r->begin, word, length) == 0;
}

static bool expected(reader *r, const char *what)
{
    int shown = r->end - r->begin > 40 ? 40 : (int)(r->end - r->begin);
    if (shown == 0)
        diag_report(r->sink, E0340, here(r), "the text of the program ends where %s belongs", what);
    else
        diag_report(r->sink, E0340, here(r), "'%.*s' where %s belongs", shown, r->bytes + r->begin,
                    what);
    return false;
}

static bool take(reader *r, const char *word)
{
    if (!is(r, word))
        return expected(r, arena_format(r->memory, "'%s'", word));
    advance(r);
    return true;
}

static bool number(reader *r, int64_t least, int64_t most, int64_t *value)
{
    *value = 0;
    bool digits = r->end > r->begin && r->end - r->begin <= 18;
    for (size_t i = r->begin; i < r->end && digits; i++) {
        digits = isdigit((unsigned char)r->bytes[i]);
        *value = *value * 10 + (r->bytes[i] - '0');
    }
    if (!digits || *value < least || *value > most)
        return expected(r, arena_format(r->memory, "a number from %lld to %lld", (long long)least,
                                        (long long)most));
    advance(r);
    return true;
}

static bool small_number(reader *r, int64_t most, int32_t *value)
{
    int64_t wide;
    if (!number(r, 0, most, &wide))
        return false;
    *value = (int32_t)wide;
    return true;
}

static bool at_number(const reader *r)
{
    return r->end > r->begin && isdigit((unsigned char)r->bytes[r->begin]);
}

/* `at file:line`, to the end of the line: a path may hold blanks. The same place is one text. */
static bool place(reader *r, const char *last, const char **line)
{
    *line = NULL;
    if (!is(r, "at"))
        return true;
    size_t begin = r->next;
    while (begin < r->length && r->bytes[begin] == ' ')
        begin++;
    size_t end = begin;
    while (end < r->length && r->bytes[end] != '\n')
        end++;
    r->next = end;
    bool same =
        last && strlen(last) == end - begin && memcmp(last, r->bytes + begin, end - begin) == 0;
    *line = same ? last : arena_copy_text(r->memory, r->bytes + begin, end - begin);
    advance(r);
    return true;
}

static bool read_step(reader *r)
{
    int32_t last = r->step;
    if (!small_number(r, COLL_MAX_STEPS - 1, &r->step))
        return false;
    if (r->step > last)
        return true;
    diag_report(r->sink, E0340, here(r), "step %d does not come after step %d", r->step, last);
    return false;
}

static bool read_route(reader *r, coll_send *send)
{
    coll_program *p = r->program;
    send->route = (int32_t)p->links.count;
    while (at_number(r)) {
        int32_t link;
        if (!small_number(r, INT32_MAX, &link))
            return false;
        vec_push(r->memory, &p->links, link);
        send->route_count++;
    }
    return send->route_count > 0 || expected(r, "the number of a link");
}

static bool read_send(reader *r)
{
    coll_program *p = r->program;
    coll_send send = {.step = r->step};
    span at = here(r);
    const char *line;
    if (r->step < 0 || p->sends.count == COLL_MAX_SENDS)
        return expected(r, r->step < 0 ? "'step'" : "the end: the program has too many sends");
    if (!small_number(r, p->chunks - 1, &send.chunk) || !take(r, "from") ||
        !small_number(r, p->ranks - 1, &send.from) || !take(r, "to") ||
        !small_number(r, p->ranks - 1, &send.to))
        return false;
    send.op = is(r, "copy") ? COLL_COPY : COLL_REDUCE;
    if (!is(r, "copy") && !is(r, "reduce"))
        return expected(r, "'reduce' or 'copy'");
    advance(r);
    if (is(r, "via")) {
        advance(r);
        if (!read_route(r, &send))
            return false;
    }
    const char *last = p->sends.count ? vec_last(&p->places).line : NULL;
    if (!place(r, last, &line))
        return false;
    send.place = coll_program_place(p, at, line);
    coll_program_add(p, send);
    return true;
}

static bool read_ranks(reader *r)
{
    return number(r, 1, COLL_MAX_RANKS, &r->ranks);
}

static bool read_chunks(reader *r)
{
    int64_t chunks;
    if (r->ranks == 0 || r->program)
        return expected(r, r->program ? "'chunks' once" : "'ranks' before 'chunks'");
    if (!number(r, 1, COLL_MAX_CHUNKS, &chunks))
        return false;
    r->program = coll_program_new(r->memory, r->kind, r->name, (int)r->ranks, (int)chunks);
    r->program->line = r->line;
    if (!is(r, "of"))
        return true;
    advance(r);
    if (!take(r, "weight"))
        return false;
    for (int c = 0; c < chunks; c++)
        if (!number(r, 1, INT64_C(1) << 40, &r->program->weights[c]))
            return false;
    return true;
}

static bool read_root(reader *r)
{
    return small_number(r, r->ranks - 1, &r->program->root);
}

static bool read_owners(reader *r, int32_t *owners)
{
    for (int c = 0; c < r->program->chunks; c++)
        if (!small_number(r, r->ranks - 1, &owners[c]))
            return false;
    return true;
}

static bool read_homes(reader *r)
{
    return read_owners(r, r->program->home);
}

static bool read_targets(reader *r)
{
    return r->program->target ? read_owners(r, r->program->target)
                              : expected(r, "a kind that has targets");
}

typedef struct reader_line {
    const char *word;
    bool (*read)(reader *r);
    bool before_chunks; /* may stand before `chunks` has made the program */
} reader_line;

static const reader_line lines[] = {
    {"send", read_send, false},       {"step", read_step, false}, {"ranks", read_ranks, true},
    {"chunks", read_chunks, true},    {"root", read_root, false}, {"homes", read_homes, false},
    {"targets", read_targets, false},
};

static bool read_line(reader *r)
{
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        if (!is(r, lines[i].word))
            continue;
        if (!r->program && !lines[i].before_chunks)
            return expected(r, "'chunks'");
        advance(r);
        return lines[i].read(r);
    }
    return expected(r, "ranks, chunks, root, homes, targets, step, send or '}'");
}

static bool read_program(reader *r, coll_programs *programs)
{
    if (!take(r, "collective"))
        return false;
    const char *kind = arena_copy_text(r->memory, r->bytes + r->begin, r->end - r->begin);
    if (!coll_kind_of_name(kind, &r->kind))
        return expected(r, "a kind of collective");
    advance(r);
    if (r->end - r->begin < 2 || r->bytes[r->begin] != '"' || r->bytes[r->end - 1] != '"')
        return expected(r, "the topology's name in quotes");
    r->name = arena_copy_text(r->memory, r->bytes + r->begin + 1, r->end - r->begin - 2);
    advance(r);
    r->program = NULL;
    r->ranks = 0;
    r->step = -1;
    if (!take(r, "{") || !place(r, NULL, &r->line))
        return false;
    while (!is(r, "}"))
        if (!read_line(r))
            return false;
    if (!r->program)
        return expected(r, "'chunks'");
    advance(r);
    vec_push(r->memory, programs, r->program);
    return true;
}

bool coll_read(const source_set *sources, int file, coll_programs *programs, diag_sink *sink,
               arena *a)
{
    reader r = {.file = file, .sink = sink, .memory = a};
    r.bytes = source_bytes(sources, file, &r.length);
    advance(&r);
    while (r.end > r.begin)
        if (!read_program(&r, programs))
            return false;
    return true;
}
