#include "data/paths.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>

static rt_status no_memory(rt_error *error)
{
    return rt_fail(error, RT_NO_MEMORY, "out of memory for the list of data files");
}

/* Takes the text over. */
static rt_status append(path_list *list, char *text, rt_error *error)
{
    char **grown = text ? realloc(list->items, (list->count + 1) * sizeof *grown) : NULL;
    if (!grown) {
        free(text);
        return no_memory(error);
    }
    list->items = grown;
    list->items[list->count++] = text;
    return RT_OK;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static rt_status append_matches(path_list *list, const char *pattern, rt_error *error)
{
    glob_t found;
    /* Without GLOB_ERR a folder that cannot be read holds nothing, and its files are silently missing. */
    int result = glob(pattern, GLOB_NOSORT | GLOB_ERR, NULL, &found);
    if (result == GLOB_NOMATCH)
        return rt_fail(error, RT_NOT_FOUND, "no file matches '%s'", pattern);
    if (result != 0)
        return result == GLOB_NOSPACE
                   ? no_memory(error)
                   : rt_fail(error, RT_IO, "cannot read the folders of '%s'", pattern);
    /* glob's own order follows the locale. */
    qsort(found.gl_pathv, found.gl_pathc, sizeof *found.gl_pathv, by_bytes);
    rt_status status = RT_OK;
    for (size_t i = 0; i < found.gl_pathc && status == RT_OK; i++)
        status = append(list, strdup(found.gl_pathv[i]), error);
    globfree(&found);
    return status;
}

static char *join(const char *folder, const char *path)
{
    if (!folder || !*folder || *path == '/')
        return strdup(path);
    size_t length = strlen(folder), rest = strlen(path);
    char *joined = malloc(length + rest + 2);
    if (!joined)
        return NULL;
    memcpy(joined, folder, length);
    joined[length] = '/';
    memcpy(joined + length + 1, path, rest + 1);
    return joined;
}

rt_status path_list_add(path_list *list, const char *folder, const char *path, rt_error *error)
{
    char *whole = join(folder, path);
    if (!whole)
        return no_memory(error);
    if (!strpbrk(path, "*?["))
        return append(list, whole, error);
    rt_status status = append_matches(list, whole, error);
    free(whole);
    return status;
}

bool path_list_has(const path_list *list, const char *path)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], path) == 0)
            return true;
    return false;
}

void path_list_remove(path_list *list, const path_list *other)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (path_list_has(other, list->items[i]))
            free(list->items[i]);
        else
            list->items[kept++] = list->items[i];
    }
    list->count = kept;
}

void path_list_clean_up(path_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (path_list){0};
}
