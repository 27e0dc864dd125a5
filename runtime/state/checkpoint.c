#include "state/checkpoint.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX "step-"
#define SUFFIX ".safetensors"
#define PARTIAL SUFFIX ".partial"
#define FORMAT "1"

void checkpoint_describe(const checkpoint_progress *progress, checkpoint_texts *texts)
{
    static const char *const keys[CHECKPOINT_TEXTS] = {"espalier.checkpoint", "espalier.train",
                                                       "espalier.step", "espalier.position",
                                                       "espalier.seed"};
    snprintf(texts->room[0], CHECKPOINT_TEXT, FORMAT);
    snprintf(texts->room[1], CHECKPOINT_TEXT, "%s", progress->train);
    snprintf(texts->room[2], CHECKPOINT_TEXT, "%" PRIu64, progress->step);
    snprintf(texts->room[3], CHECKPOINT_TEXT, "%" PRIu64, progress->position);
    snprintf(texts->room[4], CHECKPOINT_TEXT, "%" PRIu64, progress->seed);
    for (size_t i = 0; i < CHECKPOINT_TEXTS; i++)
        texts->texts[i] = (safetensors_text){keys[i], texts->room[i]};
}

/* All 64 bits, so that any seed reads back. */
static bool read_count(const char *text, uint64_t *value)
{
    if (!text || *text < '0' || *text > '9')
        return false;
    char *end;
    errno = 0;
    *value = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0';
}

rt_status checkpoint_read_progress(const safetensors *file, checkpoint_progress *progress,
                                   rt_error *error)
{
    const char *format = safetensors_metadata(file, "espalier.checkpoint");
    const char *train = safetensors_metadata(file, "espalier.train");
    if (!format || !train || strlen(train) >= sizeof progress->train)
        return rt_fail(error, RT_DAMAGED, "the file's metadata are not those of a checkpoint");
    if (strcmp(format, FORMAT) != 0)
        return rt_fail(error, RT_UNSUPPORTED,
                       "a checkpoint of form '%s'; this runtime reads form " FORMAT, format);
    strcpy(progress->train, train);
    if (!read_count(safetensors_metadata(file, "espalier.step"), &progress->step) ||
        !read_count(safetensors_metadata(file, "espalier.position"), &progress->position) ||
        !read_count(safetensors_metadata(file, "espalier.seed"), &progress->seed))
        return rt_fail(error, RT_DAMAGED, "the checkpoint's step, position or seed is no number");
    return RT_OK;
}

static rt_status make_folders(const char *folder, rt_error *error)
{
    char path[CHECKPOINT_PATH];
    if (snprintf(path, sizeof path, "%s", folder) >= (int)sizeof path)
        return rt_fail(error, RT_INVALID, "the path '%s' is too long", folder);
    for (char *at = path + 1;; at++) {
        if (*at != '/' && *at != '\0')
            continue;
        char end = *at;
        *at = '\0';
        if (mkdir(path, 0777) != 0 && errno != EEXIST)
            return rt_fail_errno(error, RT_IO, "cannot make the folder '%s'", path);
        if (!end)
            return RT_OK;
        *at = end;
    }
}

static rt_status join(char path[CHECKPOINT_PATH], const char *folder, const char *name,
                      rt_error *error)
{
    if (snprintf(path, CHECKPOINT_PATH, "%s/%s", folder, name) < CHECKPOINT_PATH)
        return RT_OK;
    return rt_fail(error, RT_INVALID, "the path '%s/%s' is too long", folder, name);
}

rt_status checkpoint_path(char path[CHECKPOINT_PATH], const char *folder, uint64_t step,
                          rt_error *error)
{
    char name[64];
    snprintf(name, sizeof name, PREFIX "%08" PRIu64 SUFFIX, step);
    if (!*folder)
        return rt_fail(error, RT_INVALID, "a checkpoint needs a folder");
    rt_status status = make_folders(folder, error);
    return status == RT_OK ? join(path, folder, name, error) : status;
}

/* The step in a name like step-00001000.safetensors. */
static bool step_of(const char *name, const char *suffix, uint64_t *step)
{
    size_t prefix = strlen(PREFIX), length = strlen(name), tail = strlen(suffix);
    char digits[24];
    if (length <= prefix + tail || length - prefix - tail >= sizeof digits ||
        strncmp(name, PREFIX, prefix) != 0 || strcmp(name + length - tail, suffix) != 0)
        return false;
    memcpy(digits, name + prefix, length - prefix - tail);
    digits[length - prefix - tail] = '\0';
    return read_count(digits, step);
}

typedef struct listed {
    uint64_t step;
    char name[64];
} listed;

typedef struct listing {
    listed *items;
    size_t count;
} listing;

static int newest_first(const void *a, const void *b)
{
    const listed *x = a, *y = b;
    return (x->step < y->step) - (x->step > y->step);
}

static rt_status list_files(const char *folder, const char *suffix, listing *files, rt_error *error)
{
    *files = (listing){0};
    DIR *open_folder = opendir(folder);
    if (!open_folder)
        return rt_fail_errno(error, RT_IO, "cannot read the folder '%s'", folder);
    rt_status status = RT_OK;
    for (struct dirent *entry; status == RT_OK && (entry = readdir(open_folder));) {
        listed item;
        size_t length = strlen(entry->d_name);
        if (!step_of(entry->d_name, suffix, &item.step) || length >= sizeof item.name)
            continue;
        memcpy(item.name, entry->d_name, length + 1);
        listed *grown = realloc(files->items, (files->count + 1) * sizeof *grown);
        if (grown) {
            files->items = grown;
            files->items[files->count++] = item;
        } else {
            status = rt_fail(error, RT_NO_MEMORY, "no memory for the list of '%s'", folder);
        }
    }
    closedir(open_folder);
    if (files->count)
        qsort(files->items, files->count, sizeof *files->items, newest_first);
    return status;
}

static rt_status remove_from(const char *folder, const char *suffix, uint64_t step, size_t keep,
                             rt_error *error)
{
    listing files;
    rt_status status = list_files(folder, suffix, &files, error);
    for (size_t i = 0, kept = 0; i < files.count && status == RT_OK; i++) {
        char path[CHECKPOINT_PATH];
        if (files.items[i].step > step || kept++ < keep)
            continue;
        status = join(path, folder, files.items[i].name, error);
        if (status == RT_OK && unlink(path) != 0 && errno != ENOENT)
            status = rt_fail_errno(error, RT_IO, "cannot remove the old checkpoint '%s'", path);
    }
    free(files.items);
    return status;
}

rt_status checkpoint_prune(const char *folder, uint64_t step, size_t keep, rt_error *error)
{
    rt_status status = remove_from(folder, SUFFIX, step, keep ? keep : 1, error);
    return status == RT_OK ? remove_from(folder, PARTIAL, UINT64_MAX, 0, error) : status;
}

rt_status checkpoint_newest(const char *folder, uint64_t *step, rt_error *error)
{
    listing files;
    rt_status status = list_files(folder, SUFFIX, &files, error);
    if (status == RT_OK && files.count)
        *step = files.items[0].step;
    else if (status == RT_OK)
        status = rt_fail(error, RT_NOT_FOUND, "'%s' holds no checkpoint", folder);
    free(files.items);
    return status;
}

rt_status checkpoint_open(const char *path, checkpoint_found *found, rt_error *error)
{
    *found = (checkpoint_found){0};
    size_t checked;
    rt_status status = safetensors_open(path, &found->file, error);
    if (status != RT_OK)
        return status;
    status = checkpoint_read_progress(found->file, &found->progress, error);
    if (status != RT_OK)
        rt_error_prefix(error, "'%s'", path);
    else
        status = safetensors_verify(found->file, &checked, error);
    if (status == RT_OK && checked != safetensors_count(found->file))
        status = rt_fail(error, RT_DAMAGED, "'%s' has checksums for %zu of %zu tensors", path,
                         checked, safetensors_count(found->file));
    if (status != RT_OK) {
        safetensors_close(found->file);
        found->file = NULL;
        return status;
    }
    snprintf(found->path, sizeof found->path, "%s", path);
    return RT_OK;
}

static rt_status open_newest(const char *folder, const listing *files, checkpoint_found *found,
                             rt_error *error)
{
    rt_error reason = {0}, newest = {0};
    for (size_t i = 0; i < files->count; i++) {
        char path[CHECKPOINT_PATH];
        rt_status status = join(path, folder, files->items[i].name, error);
        if (status != RT_OK)
            return status;
        status = checkpoint_open(path, found, &reason);
        if (i == 0)
            newest = reason;
        if (status == RT_OK) {
            found->damaged = i;
            found->skipped = newest;
            return RT_OK;
        }
        if (status == RT_NO_MEMORY)
            return rt_fail(error, status, "%s", reason.text);
    }
    return rt_fail(error, RT_DAMAGED, "no checkpoint of '%s' is whole; the newest: %s", folder,
                   newest.text);
}

rt_status checkpoint_open_latest(const char *folder, checkpoint_found *found, rt_error *error)
{
    *found = (checkpoint_found){0};
    listing files;
    rt_status status = list_files(folder, SUFFIX, &files, error);
    if (status == RT_OK && files.count == 0)
        status = rt_fail(error, RT_NOT_FOUND, "'%s' holds no checkpoint", folder);
    if (status == RT_OK)
        status = open_newest(folder, &files, found, error);
    free(files.items);
    return status;
}
