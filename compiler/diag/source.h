/* source.h: the files that were read, and places in them.
 *
 * A span is a half-open range of bytes of one file. Every AST node, graph operator and diagnostic has one.
 * Lines and columns count from 1; columns count characters (UTF-8), tabs as one.
 *
 *     source_set *set = source_set_new(arena);
 *     int file = source_add(set, "ring.plan", bytes, length);
 *     source_place at = source_locate(set, (span){file, 10, 14});
 */
#ifndef ESPALIER_DIAG_SOURCE_H
#define ESPALIER_DIAG_SOURCE_H

#include "base/arena.h"
#include <stdbool.h>
#include <stdint.h>

typedef struct span {
    int32_t file; /* index in the source set; -1: no place */
    uint32_t begin;
    uint32_t end;
} span;

#define SPAN_NONE ((span){-1, 0, 0})

typedef struct source_place {
    const char *path; /* as the user named it; "stdlib/nn.plan" for the standard library */
    int line;
    int column;
    int end_line;
    int end_column;
} source_place;

typedef struct source_set source_set;

source_set *source_set_new(arena *a);

/* Keeps its own copy of the bytes. Returns the file's number. */
int source_add(source_set *set, const char *path, const char *bytes, size_t length);

/* Reads a file of at most 64 MiB. Returns its number, or -1 with errno set. */
int source_read(source_set *set, const char *path);

/* The same for a file that is called otherwise to the user: "stdlib/nn.plan". */
int source_read_as(source_set *set, const char *path, const char *shown);

/* From here on reading takes texts from memory: this one where a file is called `shown`, and nothing from disk. `shown`
 * and the bytes are copied. */
void source_overlay(source_set *set, const char *shown, const char *bytes, size_t length);
bool source_is_overlaid(const source_set *set);

/* Reading the file at `path`, however its path is written, gives this text: what an editor holds of it. */
void source_hold(source_set *set, const char *path, const char *bytes, size_t length);

int source_count(const source_set *set);
const char *source_path(const source_set *set, int file);
const char *source_bytes(const source_set *set, int file, size_t *length);

/* Zeroed, with path "" for SPAN_NONE. */
source_place source_locate(const source_set *set, span at);

/* Line `line` (from 1) without its newline. */
const char *source_line(const source_set *set, int file, int line, size_t *length);

/* "path:line", the form in which every intermediate form and trace names its plan line. */
const char *source_line_name(const source_set *set, span at, arena *a);

span span_join(span a, span b);

#endif
