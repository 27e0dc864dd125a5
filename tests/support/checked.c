#include "support/checked.h"

#include "sema/sema.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static checked read_text(const char *path, const char *bytes, size_t length, bool whole)
{
    checked c = {.memory = arena_new()};
    atom_table *atoms = atom_table_new(c.memory);
    c.sources = source_set_new(c.memory);
    c.diags = diag_sink_new(c.memory, c.sources);
    parse_context parsing = {c.memory, atoms, c.sources, c.diags};
    c.file = parse_file(&parsing, source_add(c.sources, path, bytes, length));
    sema_context context = {c.memory, atoms, c.sources, c.diags, TEST_SOURCE_DIR "/stdlib"};
    if (whole)
        sema_check(sema_new(&context, c.file));
    return c;
}

checked checked_text(const char *path, const char *bytes, size_t length)
{
    return read_text(path, bytes, length, false);
}

checked checked_whole(const char *path, const char *bytes, size_t length)
{
    return read_text(path, bytes, length, true);
}

void checked_free(checked *c)
{
    arena_free(c->memory);
}

char *read_whole_file(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    struct stat status;
    if (!file || fstat(fileno(file), &status) != 0)
        return NULL;
    char *bytes = calloc(1, (size_t)status.st_size + 1);
    *length = fread(bytes, 1, (size_t)status.st_size, file);
    fclose(file);
    return bytes;
}

static bool has_ending(const char *name, const char *ending)
{
    size_t length = strlen(name), end = strlen(ending);
    return length > end && strcmp(name + length - end, ending) == 0;
}

static void collect(arena *a, const char *folder, const char *ending, path_list *list)
{
    DIR *directory = opendir(folder);
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        const char *path = arena_format(a, "%s/%s", folder, entry->d_name);
        struct stat status;
        if (entry->d_name[0] == '.' || stat(path, &status) != 0)
            continue;
        if (S_ISDIR(status.st_mode))
            collect(a, path, ending, list);
        else if (has_ending(entry->d_name, ending))
            vec_push(a, list, path);
    }
    if (directory)
        closedir(directory);
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

path_list files_below(arena *a, const char *folder, const char *ending)
{
    path_list list = {0};
    collect(a, folder, ending, &list);
    if (list.count > 1)
        qsort(list.items, list.count, sizeof *list.items, compare_paths);
    return list;
}
