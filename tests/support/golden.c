#include "support/golden.h"

#include "support/checked.h"

#include <string.h>

typedef enum mark_kind { MARK_ERROR, MARK_NOTE, MARK_FIX } mark_kind;

typedef struct mark {
    mark_kind kind;
    int line; /* that it is about */
    int own_line;
    const char *code;
    const char *words;
    bool met;
} mark;

typedef VEC(mark) mark_list;

typedef struct golden {
    arena *memory;
    const char *path;
    mark_list marks;
    text *faults;
    int count;
} golden;

/* Cases of syntax are fragments: they are read alone. */
static checked checked_as(const char *path, const char *bytes, size_t length)
{
    return strstr(path, "/syntax/") ? checked_text(path, bytes, length)
                                    : checked_whole(path, bytes, length);
}

static void fault(golden *g, int line, const char *what, const char *words)
{
    g->count++;
    text_add(g->faults, "%s:%d: %s: %s\n", g->path, line, what, words);
}

static char *trimmed(arena *a, const char *begin, const char *end)
{
    while (begin < end && *begin == ' ')
        begin++;
    while (end > begin && (end[-1] == ' ' || end[-1] == '\r'))
        end--;
    return arena_copy_text(a, begin, (size_t)(end - begin));
}

static void read_mark(golden *g, const char *at, const char *end, int line, int own_line)
{
    mark m = {.line = line, .own_line = own_line};
    const char *words = trimmed(g->memory, at, end);
    if (strncmp(words, "error ", 6) == 0 && strlen(words) > 12 && words[11] == ':') {
        m.kind = MARK_ERROR;
        m.code = arena_copy_text(g->memory, words + 6, 5);
        m.words = trimmed(g->memory, words + 12, words + strlen(words));
    } else if (strncmp(words, "note:", 5) == 0) {
        m.kind = MARK_NOTE;
        m.words = trimmed(g->memory, words + 5, words + strlen(words));
    } else if (strncmp(words, "fix:", 4) == 0) {
        m.kind = MARK_FIX;
        m.words = trimmed(g->memory, words + 4, words + strlen(words));
    } else {
        fault(g, own_line, "not an annotation", words);
        return;
    }
    vec_push(g->memory, &g->marks, m);
}

static void read_marks(golden *g, const char *bytes)
{
    int line = 1, last_code_line = 1;
    for (const char *start = bytes; *start; line++) {
        const char *end = start + strcspn(start, "\n");
        const char *sign = strstr(start, "#!");
        bool marked = sign && sign < end;
        bool alone = marked && strspn(start, " \t") == (size_t)(sign - start);
        if (!alone)
            last_code_line = line;
        if (marked)
            read_mark(g, sign + 2, end, last_code_line, line);
        start = *end ? end + 1 : end;
    }
}

/* The first annotation that has not been met and says this. */
static mark *find_mark(golden *g, mark_kind kind, int line, const char *code, const char *words)
{
    for (size_t i = 0; i < g->marks.count; i++) {
        mark *m = &g->marks.items[i];
        bool here = m->kind == kind && m->line == line && !m->met;
        if (here && (!code || strcmp(m->code, code) == 0) && strstr(words, m->words))
            return m;
    }
    return NULL;
}

static void meet(golden *g, const checked *c, const diag *d)
{
    int line = source_locate(c->sources, d->at).line;
    const char *code = diag_code_text(d->code);
    mark *m = find_mark(g, MARK_ERROR, line, code, d->message);
    if (m)
        m->met = true;
    else
        fault(g, line, "reported and not expected",
              arena_format(g->memory, "%s: %s", code, d->message));
    for (size_t i = 0; i < d->notes.count; i++) {
        const diag_remark *note = &d->notes.items[i];
        mark *n =
            find_mark(g, MARK_NOTE, source_locate(c->sources, note->at).line, NULL, note->words);
        if (n)
            n->met = true;
    }
    for (size_t i = 0; i < d->fixes.count; i++) {
        mark *f = find_mark(g, MARK_FIX, line, NULL, d->fixes.items[i].words);
        if (f)
            f->met = true;
    }
}

static void report_unmet(golden *g)
{
    for (size_t i = 0; i < g->marks.count; i++) {
        const mark *m = &g->marks.items[i];
        if (!m->met)
            fault(g, m->own_line, "expected and not reported", m->words);
    }
}

static const char *edited(arena *a, const char *bytes, size_t length, const diag_repair *fix)
{
    text t = text_in(a);
    text_add_bytes(&t, bytes, fix->at.begin);
    text_add(&t, "%s", fix->replacement);
    text_add_bytes(&t, bytes + fix->at.end, length - fix->at.end);
    return text_done(&t);
}

/* Code and words of every error, sorted by place: what must be the same but for the one that the edit mends. What is not
 * carried out yet is said only where all else is right, so it may appear with the edit. */
static const char *errors_without(arena *a, const checked *c, size_t without)
{
    size_t count;
    const diag *const *all = diag_ordered(c->diags, &count);
    text t = text_in(a);
    for (size_t i = 0; i < count; i++)
        if (i != without && strncmp(diag_code_text(all[i]->code), "E09", 3) != 0)
            text_add(&t, "%s %s; ", diag_code_text(all[i]->code), all[i]->message);
    return text_done(&t);
}

static void try_edit(golden *g, const checked *c, size_t which, const diag_repair *fix,
                     const char *bytes, size_t length)
{
    const char *mended = edited(g->memory, bytes, length, fix);
    checked again = checked_as(g->path, mended, strlen(mended));
    const char *left = errors_without(g->memory, &again, SIZE_MAX);
    const char *due = errors_without(g->memory, c, which);
    if (strcmp(left, due) != 0)
        fault(g, source_locate(c->sources, fix->at).line, "the edit of a fix leaves",
              arena_format(g->memory, "%s instead of %s [%s]", left, due, fix->words));
    checked_free(&again);
}

int golden_check(const char *path, const char *bytes, size_t length, text *faults, int *edits)
{
    golden g = {.memory = arena_new(), .path = path, .faults = faults};
    read_marks(&g, bytes);
    checked c = checked_as(path, bytes, length);
    size_t count;
    const diag *const *all = diag_ordered(c.diags, &count);
    for (size_t i = 0; i < count; i++)
        meet(&g, &c, all[i]);
    report_unmet(&g);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < all[i]->fixes.count; k++) {
            if (!all[i]->fixes.items[k].replacement ||
                all[i]->fixes.items[k].at.file != all[i]->at.file)
                continue;
            try_edit(&g, &c, i, &all[i]->fixes.items[k], bytes, length);
            ++*edits;
        }
    }
    checked_free(&c);
    arena_free(g.memory);
    return g.count;
}
