#include "diag/source.h"

#include "base/text.h"
#include "base/vec.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct source_file {
    const char *path;
    const char *bytes;
    size_t length;
    uint32_t *line_starts; /* byte offset of each line */
    size_t line_count;
} source_file;

struct source_set {
    arena *memory;
    VEC(source_file) files;
    VEC(source_file) overlays; /* without their lines */
    VEC(source_file) held;     /* likewise; their paths are whole */
};

enum { LARGEST_READ = 64 << 20 };

source_set *source_set_new(arena *a)
{
    source_set *set = arena_make(a, source_set);
    set->memory = a;
    return set;
}

static void index_lines(arena *a, source_file *f)
{
    size_t lines = 1;
    for (size_t i = 0; i < f->length; i++)
        lines += f->bytes[i] == '\n';
    f->line_starts = arena_array(a, uint32_t, lines);
    f->line_count = 1;
    for (size_t i = 0; i < f->length; i++)
        if (f->bytes[i] == '\n')
            f->line_starts[f->line_count++] = (uint32_t)(i + 1);
}

static int add_file(source_set *set, const char *path, const char *bytes, size_t length)
{
    source_file f = {arena_copy_text(set->memory, path, strlen(path)), bytes, length, NULL, 0};
    index_lines(set->memory, &f);
    vec_push(set->memory, &set->files, f);
    return (int)set->files.count - 1;
}

int source_add(source_set *set, const char *path, const char *bytes, size_t length)
{
    assert(length < UINT32_MAX);
    return add_file(set, path, arena_copy_text(set->memory, bytes, length), length);
}

/* Reads to the end rather than to a size asked before, so that pipes can be read too. */
static char *read_whole(arena *a, FILE *file, size_t *length)
{
    text t = text_in(a);
    char piece[16384];
    size_t got;
    while (t.length <= LARGEST_READ && (got = fread(piece, 1, sizeof piece, file)) > 0)
        text_add_bytes(&t, piece, got);
    if (ferror(file))
        return NULL;
    if (t.length > LARGEST_READ) {
        errno = EFBIG;
        return NULL;
    }
    *length = t.length;
    text_done(&t);
    return t.bytes;
}

void source_overlay(source_set *set, const char *shown, const char *bytes, size_t length)
{
    source_file f = {.path = arena_copy_text(set->memory, shown, strlen(shown)),
                     .bytes = arena_copy_text(set->memory, bytes, length),
                     .length = length};
    vec_push(set->memory, &set->overlays, f);
}

bool source_is_overlaid(const source_set *set)
{
    return set->overlays.count > 0;
}

static int read_overlay(source_set *set, const char *shown)
{
    for (size_t i = 0; i < set->overlays.count; i++) {
        const source_file *f = &set->overlays.items[i];
        if (strcmp(f->path, shown) == 0)
            return add_file(set, shown, f->bytes, f->length);
    }
    errno = ENOENT;
    return -1;
}

/* The path without links and detours; as it is where no such file exists. */
static const char *whole_path(arena *a, const char *path)
{
    char *whole = realpath(path, NULL);
    const char *kept = whole ? arena_copy_text(a, whole, strlen(whole)) : path;
    free(whole);
    return kept;
}

void source_hold(source_set *set, const char *path, const char *bytes, size_t length)
{
    const char *whole = whole_path(set->memory, path);
    source_file f = {.path = arena_copy_text(set->memory, whole, strlen(whole)),
                     .bytes = arena_copy_text(set->memory, bytes, length),
                     .length = length};
    vec_push(set->memory, &set->held, f);
}

/* The number of the text that stands in for a file; -1: none does. */
static int read_held(source_set *set, const char *path, const char *shown)
{
    const char *whole = set->held.count ? whole_path(set->memory, path) : path;
    for (size_t i = 0; i < set->held.count; i++) {
        const source_file *f = &set->held.items[i];
        if (strcmp(f->path, whole) == 0)
            return add_file(set, shown, f->bytes, f->length);
    }
    return -1;
}

int source_read(source_set *set, const char *path)
{
    return source_read_as(set, path, path);
}

int source_read_as(source_set *set, const char *path, const char *shown)
{
    if (source_is_overlaid(set))
        return read_overlay(set, shown);
    int number = read_held(set, path, shown);
    if (number >= 0)
        return number;
    FILE *file = fopen(path, "rb");
    if (!file)
        return -1;
    size_t length = 0;
    char *bytes = read_whole(set->memory, file, &length);
    int problem = errno;
    fclose(file);
    if (!bytes) {
        errno = problem;
        return -1;
    }
    return add_file(set, shown, bytes, length);
}

int source_count(const source_set *set)
{
    return (int)set->files.count;
}

static const source_file *file_of(const source_set *set, int file)
{
    assert(file >= 0 && (size_t)file < set->files.count);
    return &set->files.items[file];
}

const char *source_path(const source_set *set, int file)
{
    return file_of(set, file)->path;
}

const char *source_bytes(const source_set *set, int file, size_t *length)
{
    const source_file *f = file_of(set, file);
    *length = f->length;
    return f->bytes;
}

/* Index from 0 of the line that holds `offset`. */
static size_t line_index(const source_file *f, uint32_t offset)
{
    size_t low = 0, high = f->line_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (f->line_starts[middle] <= offset)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* Characters before `offset` in its line: bytes that do not continue a UTF-8 sequence. */
static int column_of(const source_file *f, size_t line, uint32_t offset)
{
    int column = 1;
    for (uint32_t i = f->line_starts[line]; i < offset && i < f->length; i++)
        column += ((unsigned char)f->bytes[i] & 0xc0) != 0x80;
    return column;
}

source_place source_locate(const source_set *set, span at)
{
    if (at.file < 0)
        return (source_place){.path = ""};
    const source_file *f = file_of(set, at.file);
    size_t line = line_index(f, at.begin), end_line = line_index(f, at.end);
    return (source_place){.path = f->path,
                          .line = (int)line + 1,
                          .column = column_of(f, line, at.begin),
                          .end_line = (int)end_line + 1,
                          .end_column = column_of(f, end_line, at.end)};
}

const char *source_line(const source_set *set, int file, int line, size_t *length)
{
    const source_file *f = file_of(set, file);
    assert(line >= 1 && (size_t)line <= f->line_count);
    size_t begin = f->line_starts[line - 1];
    size_t end = (size_t)line < f->line_count ? f->line_starts[line] - 1 : f->length;
    if (end > begin && f->bytes[end - 1] == '\r')
        end--;
    *length = end - begin;
    return f->bytes + begin;
}

const char *source_line_name(const source_set *set, span at, arena *a)
{
    source_place p = source_locate(set, at);
    return arena_format(a, "%s:%d", p.path, p.line);
}

span span_join(span a, span b)
{
    if (a.file < 0)
        return b;
    if (b.file < 0 || b.file != a.file)
        return a;
    return (span){a.file, a.begin < b.begin ? a.begin : b.begin, a.end > b.end ? a.end : b.end};
}
