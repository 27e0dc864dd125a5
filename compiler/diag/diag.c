#include "diag/diag.h"

#include "diag/diag_sink.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const code_texts[] = {
#define CODE(number, title) "E" #number,
#include "diag/codes.def"
#undef CODE
};

static const char *const code_titles[] = {
#define CODE(number, title) title,
#include "diag/codes.def"
#undef CODE
};

const char *diag_code_text(diag_code code)
{
    return code_texts[code];
}

const char *diag_code_title(diag_code code)
{
    return code_titles[code];
}

bool diag_code_find(const char *name, diag_code *code)
{
    for (int i = 0; i < DIAG_CODE_COUNT; i++) {
        if (strcasecmp(name, code_texts[i]) == 0) {
            *code = (diag_code)i;
            return true;
        }
    }
    return false;
}

diag_sink *diag_sink_new(arena *a, const source_set *sources)
{
    diag_sink *sink = arena_make(a, diag_sink);
    sink->memory = a;
    sink->sources = sources;
    return sink;
}

static const char *words_of(arena *a, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    size_t room = (size_t)(length < 0 ? 0 : length) + 1;
    char *words = arena_alloc(a, room);
    vsnprintf(words, room, format, arguments);
    return words;
}

static bool said_already(const diag_sink *sink, const diag *d)
{
    for (size_t i = 0; i < sink->diags.count; i++) {
        const diag *said = sink->diags.items[i];
        if (said->code == d->code && said->at.file == d->at.file && said->at.begin == d->at.begin &&
            strcmp(said->message, d->message) == 0)
            return true;
    }
    return false;
}

diag *diag_report(diag_sink *sink, diag_code code, span at, const char *format, ...)
{
    sink->reports++;
    if (sink->diags.count == DIAG_KEPT) {
        sink->dropped++;
        return NULL;
    }
    va_list arguments;
    va_start(arguments, format);
    diag *d = arena_make(sink->memory, diag);
    d->memory = sink->memory;
    d->code = code;
    d->at = at;
    d->order = sink->diags.count;
    d->message = words_of(sink->memory, format, arguments);
    va_end(arguments);
    if (said_already(sink, d))
        return NULL;
    vec_push(sink->memory, &sink->diags, d);
    return d;
}

void diag_label(diag *d, const char *format, ...)
{
    if (!d)
        return;
    va_list arguments;
    va_start(arguments, format);
    d->label = words_of(d->memory, format, arguments);
    va_end(arguments);
}

void diag_note(diag *d, span at, const char *format, ...)
{
    if (!d)
        return;
    va_list arguments;
    va_start(arguments, format);
    diag_remark note = {at, words_of(d->memory, format, arguments)};
    va_end(arguments);
    vec_push(d->memory, &d->notes, note);
}

void diag_fix(diag *d, const char *format, ...)
{
    if (!d)
        return;
    va_list arguments;
    va_start(arguments, format);
    diag_repair fix = {words_of(d->memory, format, arguments), NULL, SPAN_NONE};
    va_end(arguments);
    vec_push(d->memory, &d->fixes, fix);
}

void diag_fix_edit(diag *d, span at, const char *replacement, const char *format, ...)
{
    if (!d)
        return;
    va_list arguments;
    va_start(arguments, format);
    diag_repair fix = {words_of(d->memory, format, arguments),
                       arena_copy_text(d->memory, replacement, strlen(replacement)), at};
    va_end(arguments);
    vec_push(d->memory, &d->fixes, fix);
}

int diag_error_count(const diag_sink *sink)
{
    return (int)(sink->diags.count + sink->dropped);
}

size_t diag_report_count(const diag_sink *sink)
{
    return sink->reports;
}

static int compare_places(const void *a, const void *b)
{
    const diag *x = *(const diag *const *)a, *y = *(const diag *const *)b;
    if (x->at.file != y->at.file)
        return x->at.file < y->at.file ? -1 : 1;
    if (x->at.begin != y->at.begin)
        return x->at.begin < y->at.begin ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

const diag *const *diag_ordered(const diag_sink *sink, size_t *count)
{
    *count = sink->diags.count;
    const diag **ordered = arena_array(sink->memory, const diag *, *count + 1);
    for (size_t i = 0; i < *count; i++)
        ordered[i] = sink->diags.items[i];
    qsort(ordered, *count, sizeof *ordered, compare_places);
    return ordered;
}
