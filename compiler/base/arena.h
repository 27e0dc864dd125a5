/* arena.h: region allocation for the compiler.
 *
 * A phase owns one arena and frees it whole; nothing allocated from an arena is freed by itself.
 * Memory comes zeroed. Running out of memory ends the program through the hook of `arena_on_exhausted`,
 * so that no caller checks for NULL.
 *
 *     arena *a = arena_new();
 *     node *n = arena_make(a, node);
 *     arena_free(a);
 */
#ifndef ESPALIER_BASE_ARENA_H
#define ESPALIER_BASE_ARENA_H

#include <stddef.h>

typedef struct arena arena;

arena *arena_new(void);
void arena_free(arena *a);

/* `bytes` zeroed bytes, aligned to 16. Never NULL. */
void *arena_alloc(arena *a, size_t bytes);

/* The same `bytes`, and more of them, zeroed: in place where that can be, else a copy. `wanted` is at least `bytes`. */
void *arena_grow(arena *a, void *items, size_t bytes, size_t wanted);

/* A copy of `length` bytes of `text` with a NUL behind it. */
char *arena_copy_text(arena *a, const char *text, size_t length);

/* printf into the arena. */
char *arena_format(arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Bytes handed out so far, for memory limits. */
size_t arena_used(const arena *a);

/* What is called when the system has no more memory; it must not return. The default prints and aborts. */
void arena_on_exhausted(void (*hook)(void));

#define arena_make(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define arena_array(a, type, count) ((type *)arena_alloc((a), sizeof(type) * (size_t)(count)))

#endif
