/* paths.h: lists of files from paths and globs. */
#ifndef ESPALIER_RUNTIME_DATA_PATHS_H
#define ESPALIER_RUNTIME_DATA_PATHS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

typedef struct path_list {
    char **items;
    size_t count;
} path_list;

/* Adds the files that a path names: itself, or all that a glob matches, in byte order of their names. A relative path
 * is under the folder (NULL: the working folder). A glob that matches nothing is RT_NOT_FOUND. */
rt_status path_list_add(path_list *list, const char *folder, const char *path, rt_error *error);

bool path_list_has(const path_list *list, const char *path);

/* Removes what the other list has as well. */
void path_list_remove(path_list *list, const path_list *other);

void path_list_clean_up(path_list *list);

#endif
