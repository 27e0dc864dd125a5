#include "coll/text_form.h"

#include <string.h>

enum { PLACE_COLUMN = 56 };

/* `at place` at its column, as far as the line leaves room. */
static void add_place(text *out, size_t line_start, const char *place)
{
    if (place) {
        size_t width = out->length - line_start;
        text_add(out, "%*s at %s", width < PLACE_COLUMN ? (int)(PLACE_COLUMN - width) : 0, "",
                 place);
    }
    text_add(out, "\n");
}

static void add_numbers(text *out, const char *word, const int32_t *items, int count)
{
    text_add(out, "  %s", word);
    for (int i = 0; i < count; i++)
        text_add(out, " %d", items[i]);
    text_add(out, "\n");
}

static bool weights_are_equal(const coll_program *p)
{
    for (int c = 1; c < p->chunks; c++)
        if (p->weights[c] != p->weights[0])
            return false;
    return true;
}

static void add_chunks(text *out, const coll_program *p)
{
    text_add(out, "  chunks %d", p->chunks);
    if (!weights_are_equal(p) || p->weights[0] != 1) {
        text_add(out, " of weight");
        for (int c = 0; c < p->chunks; c++)
            text_add(out, " %lld", (long long)p->weights[c]);
    }
    text_add(out, "\n");
}

static void add_owners(text *out, const coll_program *p)
{
    arena *scratch = arena_new();
    const coll_program *plain = coll_program_new(scratch, p->kind, p->name, p->ranks, p->chunks);
    size_t bytes = sizeof(int32_t) * (size_t)p->chunks;
    if (memcmp(plain->home, p->home, bytes) != 0)
        add_numbers(out, "homes", p->home, p->chunks);
    if (p->target && memcmp(plain->target, p->target, bytes) != 0)
        add_numbers(out, "targets", p->target, p->chunks);
    arena_free(scratch);
}

static void add_send(text *out, const coll_program *p, const coll_send *s)
{
    size_t start = out->length;
    text_add(out, "    send %d from %d to %d %s", s->chunk, s->from, s->to,
             s->op == COLL_COPY ? "copy" : "reduce");
    for (int32_t i = 0; i < s->route_count; i++)
        text_add(out, "%s %d", i == 0 ? " via" : "", p->links.items[s->route + i]);
    add_place(out, start, coll_place_of(p, s).line);
}

void coll_print(const coll_program *p, text *out)
{
    size_t start = out->length;
    text_add(out, "collective %s \"%s\" {", coll_kind_name(p->kind), p->name);
    add_place(out, start, p->line);
    text_add(out, "  ranks %d\n", p->ranks);
    add_chunks(out, p);
    if (p->kind == COLL_BROADCAST || p->kind == COLL_REDUCE_TO_ROOT)
        text_add(out, "  root %d\n", p->root);
    add_owners(out, p);
    for (size_t i = 0; i < p->sends.count; i++) {
        if (i == 0 || p->sends.items[i].step != p->sends.items[i - 1].step)
            text_add(out, "  step %d\n", p->sends.items[i].step);
        add_send(out, p, &p->sends.items[i]);
    }
    text_add(out, "}\n");
}

static void add_instruction(text *out, const coll_rank_program *rank, const coll_instruction *i)
{
    text_add(out, "    %-12s chunk %-4d %-4s %-4d message %-4d", coll_action_name(i->action),
             i->chunk, i->action == COLL_SEND ? "to" : "from", i->peer, i->message);
    if (i->slot >= 0)
        text_add(out, " slot %d", i->slot);
    for (int32_t w = 0; w < i->wait_count; w++) {
        coll_wait wait = rank->waits.items[i->wait + w];
        text_add(out, "%s %d by %d", w == 0 ? " once read:" : ",", wait.message, wait.peer);
    }
}

void coll_print_rank(const coll_program *p, const coll_rank_program *rank, text *out)
{
    text_add(out, "rank %d of %s \"%s\": %zu instructions, %d scratch slots\n", rank->rank,
             coll_kind_name(p->kind), p->name, rank->code.count, rank->slots);
    for (size_t n = 0; n < rank->code.count; n++) {
        const coll_instruction *i = &rank->code.items[n];
        if (n == 0 || i->step != rank->code.items[n - 1].step)
            text_add(out, "  step %d\n", i->step);
        size_t start = out->length;
        add_instruction(out, rank, i);
        add_place(out, start, coll_place_of(p, &p->sends.items[i->send]).line);
    }
}
