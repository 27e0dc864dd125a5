#include "state/safetensors_write.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json_line.h"

enum { CONVERTED = 4096, SUM_DIGITS = 16 };

typedef struct place {
    uint64_t begin; /* in the file */
    uint64_t size;
} place;

struct safetensors_writer {
    char *path, *partial;
    int file;
    safetensors_tensor *tensors;
    place *places;
    uint64_t *sums;
    char **names;
    size_t count;
    safetensors_text *metadata;
    size_t metadata_count;
    bool with_sums;
    uint64_t header_size; /* with its length */
    uint64_t data_size;
};

static rt_status no_memory(const char *path, rt_error *error)
{
    return rt_fail(error, RT_NO_MEMORY, "no memory to write '%s'", path);
}

static rt_status copy_tensors(safetensors_writer *w, const safetensors_plan *plan, rt_error *error)
{
    for (size_t i = 0; i < plan->tensor_count; i++) {
        const safetensors_tensor *t = &plan->tensors[i];
        uint64_t count;
        if (t->rank > RT_SLICE_MAX_RANK || (unsigned)t->type >= RT_ELEMENT_COUNT ||
            !rt_count_values(t->rank, t->shape, &count) || count > UINT64_C(1) << 56)
            return rt_fail(error, RT_INVALID,
                           "tensor '%s' has no shape or type that can be written", t->name);
        if (strcmp(t->name, "__metadata__") == 0)
            return rt_fail(error, RT_INVALID, "no tensor may be named '%s'", t->name);
        w->tensors[i] = *t;
        w->tensors[i].name = w->names[i] = strdup(t->name);
        w->places[i].size = count * rt_element_bytes(t->type);
        if (!w->names[i])
            return no_memory(plan->path, error);
        w->count++;
    }
    return RT_OK;
}

/* The widest types first, so that each tensor is aligned to its values: readers map the file. */
static void place_tensors(safetensors_writer *w)
{
    for (size_t bytes = 8; bytes; bytes /= 2)
        for (size_t i = 0; i < w->count; i++) {
            if (rt_element_bytes(w->tensors[i].type) != bytes)
                continue;
            w->places[i].begin = w->data_size;
            w->data_size += w->places[i].size;
        }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static rt_status check_names(const safetensors_writer *w, rt_error *error)
{
    char **sorted = malloc((w->count + 1) * sizeof *sorted);
    if (!sorted)
        return no_memory(w->path, error);
    memcpy(sorted, w->names, w->count * sizeof *sorted);
    qsort(sorted, w->count, sizeof *sorted, by_name);
    rt_status status = RT_OK;
    for (size_t i = 1; i < w->count && status == RT_OK; i++)
        if (strcmp(sorted[i - 1], sorted[i]) == 0)
            status =
                rt_fail(error, RT_INVALID, "'%s' would hold tensor '%s' twice", w->path, sorted[i]);
    free(sorted);
    return status;
}

static rt_status copy_metadata(safetensors_writer *w, const safetensors_plan *plan, rt_error *error)
{
    for (size_t i = 0; i < plan->metadata_count; i++) {
        safetensors_text *text = &w->metadata[w->metadata_count++];
        text->key = strdup(plan->metadata[i].key);
        text->value = strdup(plan->metadata[i].value);
        if (!text->key || !text->value)
            return no_memory(plan->path, error);
    }
    return RT_OK;
}

static void write_metadata(const safetensors_writer *w, const uint64_t *sums, rt_json_line *json)
{
    if (!w->metadata_count && !(w->with_sums && w->count))
        return;
    rt_json_open(json, "__metadata__", '{');
    for (size_t i = 0; i < w->metadata_count; i++)
        rt_json_text(json, w->metadata[i].key, w->metadata[i].value);
    for (size_t i = 0; w->with_sums && i < w->count; i++) {
        size_t room = strlen(SAFETENSORS_SUM_KEY) + strlen(w->names[i]) + 1;
        char *key = malloc(room), digits[SUM_DIGITS + 1];
        if (!key) {
            json->failed = true;
            return;
        }
        snprintf(key, room, "%s%s", SAFETENSORS_SUM_KEY, w->names[i]);
        snprintf(digits, sizeof digits, "%016" PRIx64, sums[i]);
        rt_json_text(json, key, digits);
        free(key);
    }
    rt_json_close(json, '}');
}

static void write_entry(const safetensors_writer *w, size_t i, rt_json_line *json)
{
    const safetensors_tensor *t = &w->tensors[i];
    rt_json_open(json, w->names[i], '{');
    rt_json_text(json, "dtype", rt_element_name(t->type));
    rt_json_open(json, "shape", '[');
    for (size_t d = 0; d < t->rank; d++)
        rt_json_uint(json, NULL, t->shape[d]);
    rt_json_close(json, ']');
    rt_json_open(json, "data_offsets", '[');
    rt_json_uint(json, NULL, w->places[i].begin);
    rt_json_uint(json, NULL, w->places[i].begin + w->places[i].size);
    rt_json_close(json, ']');
    rt_json_close(json, '}');
}

/* The header has the same length whatever the sums are, so that it can be written twice. */
static rt_status make_header(const safetensors_writer *w, const uint64_t *sums, rt_json_line *json,
                             rt_error *error)
{
    rt_json_begin(json);
    write_metadata(w, sums, json);
    for (size_t i = 0; i < w->count; i++)
        write_entry(w, i, json);
    return rt_json_finish(json, error);
}

static rt_status write_at(const safetensors_writer *w, const void *bytes, uint64_t size,
                          uint64_t offset, rt_error *error)
{
    const char *at = bytes;
    while (size) {
        ssize_t written =
            pwrite(w->file, at, size > 1 << 30 ? 1 << 30 : (size_t)size, (off_t)offset);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return rt_fail_errno(error, RT_IO, "cannot write '%s'", w->partial);
        at += written;
        offset += (uint64_t)written;
        size -= (uint64_t)written;
    }
    return RT_OK;
}

static rt_status write_header(safetensors_writer *w, const uint64_t *sums, rt_error *error)
{
    rt_json_line json = {0};
    rt_status status = make_header(w, sums, &json, error);
    uint8_t length[8];
    char pad[8] = "        ";
    uint64_t padded = w->header_size - 8;
    for (int i = 0; i < 8; i++)
        length[i] = (uint8_t)(padded >> (8 * i));
    if (status == RT_OK)
        status = write_at(w, length, 8, 0, error);
    if (status == RT_OK)
        status = write_at(w, json.text, json.length, 8, error);
    if (status == RT_OK)
        status = write_at(w, pad, padded - json.length, 8 + json.length, error);
    rt_json_free(&json);
    return status;
}

static rt_status measure_header(safetensors_writer *w, rt_error *error)
{
    rt_json_line json = {0};
    rt_status status = make_header(w, w->sums, &json, error);
    w->header_size = 8 + (json.length + 7) / 8 * 8; /* data begin at a multiple of 8 */
    rt_json_free(&json);
    if (status == RT_OK && w->header_size - 8 > 100 * 1000 * 1000)
        return rt_fail(error, RT_INVALID, "'%s' would have a header of more than 100 MB", w->path);
    return status;
}

static void free_writer(safetensors_writer *w)
{
    if (w->file >= 0)
        close(w->file);
    for (size_t i = 0; w->names && i < w->count; i++)
        free(w->names[i]);
    for (size_t i = 0; i < w->metadata_count; i++) {
        free((char *)(uintptr_t)w->metadata[i].key);
        free((char *)(uintptr_t)w->metadata[i].value);
    }
    free(w->metadata);
    free(w->names);
    free(w->tensors);
    free(w->places);
    free(w->sums);
    free(w->partial);
    free(w->path);
    free(w);
}

static bool allocate(safetensors_writer *w, const safetensors_plan *plan)
{
    size_t count = plan->tensor_count + 1, length = strlen(plan->path);
    w->path = strdup(plan->path);
    w->partial = malloc(length + sizeof ".partial");
    w->tensors = calloc(count, sizeof *w->tensors);
    w->places = calloc(count, sizeof *w->places);
    w->sums = calloc(count, sizeof *w->sums);
    w->names = calloc(count, sizeof *w->names);
    w->metadata = calloc(plan->metadata_count + 1, sizeof *w->metadata);
    if (!w->path || !w->partial || !w->tensors || !w->places || !w->sums || !w->names ||
        !w->metadata)
        return false;
    memcpy(w->partial, plan->path, length);
    memcpy(w->partial + length, ".partial", sizeof ".partial");
    return true;
}

/* What creating and joining share: everything but the file. */
static rt_status prepare(const safetensors_plan *plan, safetensors_writer **made, rt_error *error)
{
    *made = NULL;
    safetensors_writer *w = calloc(1, sizeof *w);
    if (!w)
        return no_memory(plan->path, error);
    w->file = -1;
    w->with_sums = !plan->without_checksums;
    rt_status status = allocate(w, plan) ? RT_OK : no_memory(plan->path, error);
    if (status == RT_OK)
        status = copy_tensors(w, plan, error);
    if (status == RT_OK)
        status = check_names(w, error);
    place_tensors(w);
    if (status == RT_OK)
        status = copy_metadata(w, plan, error);
    if (status == RT_OK)
        status = measure_header(w, error);
    if (status == RT_OK)
        *made = w;
    else
        free_writer(w);
    return status;
}

static rt_status open_partial(safetensors_writer *w, int flags, rt_error *error)
{
    w->file = open(w->partial, O_WRONLY | O_CLOEXEC | flags, 0666);
    return w->file < 0 ? rt_fail_errno(error, RT_IO, "cannot open '%s' to write", w->partial)
                       : RT_OK;
}

static rt_status reserve(safetensors_writer *w, rt_error *error)
{
    off_t size = (off_t)(w->header_size + w->data_size);
    int reason = posix_fallocate(w->file, 0, size);
    if (reason == 0)
        return RT_OK;
    errno = reason;
    return rt_fail_errno(error, RT_IO, "cannot reserve %lld bytes for '%s'", (long long)size,
                         w->partial);
}

rt_status safetensors_create(const safetensors_plan *plan, safetensors_writer **writer,
                             rt_error *error)
{
    rt_status status = prepare(plan, writer, error);
    if (status != RT_OK)
        return status;
    safetensors_writer *w = *writer;
    status = open_partial(w, O_CREAT | O_TRUNC, error);
    if (status == RT_OK)
        status = reserve(w, error);
    if (status == RT_OK)
        status = write_header(w, w->sums, error);
    if (status != RT_OK) {
        safetensors_abandon(w);
        *writer = NULL;
    }
    return status;
}

rt_status safetensors_join(const safetensors_plan *plan, safetensors_writer **writer,
                           rt_error *error)
{
    rt_status status = prepare(plan, writer, error);
    if (status != RT_OK)
        return status;
    status = open_partial(*writer, 0, error);
    if (status != RT_OK) {
        free_writer(*writer);
        *writer = NULL;
    }
    return status;
}

static rt_status check_slice(const safetensors_writer *w, size_t tensor, const rt_slice *slice,
                             rt_error *error)
{
    if (tensor >= w->count)
        return rt_fail(error, RT_INVALID, "'%s' has no tensor number %zu", w->path, tensor);
    const safetensors_tensor *t = &w->tensors[tensor];
    rt_status status = rt_slice_check(slice, error);
    if (status != RT_OK)
        return rt_error_prefix(error, "tensor '%s'", t->name);
    bool same = slice->rank == t->rank;
    for (size_t i = 0; same && i < t->rank; i++)
        same = slice->shape[i] == t->shape[i];
    return same ? RT_OK
                : rt_fail(error, RT_MISMATCH,
                          "tensor '%s' is written in another shape than declared", t->name);
}

static rt_status write_run(safetensors_writer *w, size_t tensor, const uint8_t *bytes, place run,
                           rt_error *error)
{
    w->sums[tensor] += safetensors_sum(bytes, run.begin, run.size);
    return write_at(w, bytes, run.size, w->header_size + w->places[tensor].begin + run.begin,
                    error);
}

rt_status safetensors_write(safetensors_writer *writer, size_t tensor, const rt_slice *slice,
                            const void *values, rt_error *error)
{
    rt_status status = check_slice(writer, tensor, slice, error);
    if (status != RT_OK)
        return status;
    uint64_t size = rt_element_bytes(writer->tensors[tensor].type);
    rt_slice_walk walk = rt_slice_walk_of(slice);
    for (rt_slice_run run; status == RT_OK && rt_slice_next(&walk, &run);)
        status = write_run(writer, tensor, (const uint8_t *)values + run.local * size,
                           (place){run.logical * size, run.count * size}, error);
    return status;
}

static rt_status write_converted(safetensors_writer *w, size_t tensor, const float *values,
                                 rt_slice_run run, rt_error *error)
{
    uint8_t bytes[CONVERTED * 8];
    rt_element type = w->tensors[tensor].type;
    uint64_t size = rt_element_bytes(type);
    rt_status status = RT_OK;
    for (uint64_t done = 0; done < run.count && status == RT_OK; done += CONVERTED) {
        uint64_t count = run.count - done < CONVERTED ? run.count - done : CONVERTED;
        if (!rt_elements_from_float(type, values + run.local + done, bytes, (size_t)count))
            return rt_fail(error, RT_INVALID, "tensor '%s' of %s takes no floats",
                           w->tensors[tensor].name, rt_element_name(type));
        status =
            write_run(w, tensor, bytes, (place){(run.logical + done) * size, count * size}, error);
    }
    return status;
}

rt_status safetensors_write_floats(safetensors_writer *writer, size_t tensor, const rt_slice *slice,
                                   const float *values, rt_error *error)
{
    rt_status status = check_slice(writer, tensor, slice, error);
    if (status != RT_OK || writer->tensors[tensor].type == RT_F32)
        return status == RT_OK ? safetensors_write(writer, tensor, slice, values, error) : status;
    rt_slice_walk walk = rt_slice_walk_of(slice);
    for (rt_slice_run run; status == RT_OK && rt_slice_next(&walk, &run);)
        status = write_converted(writer, tensor, values, run, error);
    return status;
}

const uint64_t *safetensors_sums(const safetensors_writer *writer)
{
    return writer->sums;
}

/* A rename is on the disk when its folder is. */
static rt_status sync_folder(const char *path, rt_error *error)
{
    char *folder = strdup(path);
    if (!folder)
        return no_memory(path, error);
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = '\0';
    int file = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    rt_status status = RT_OK;
    /* Some file systems do not sync folders; that is not this file's damage. */
    if (file < 0 || (fsync(file) != 0 && errno != EINVAL))
        status = rt_fail_errno(error, RT_IO, "cannot sync the folder of '%s'", path);
    if (file >= 0)
        close(file);
    free(folder);
    return status;
}

rt_status safetensors_finish(safetensors_writer *writer, const uint64_t *others, rt_error *error)
{
    safetensors_writer *w = writer;
    for (size_t i = 0; others && i < w->count; i++)
        w->sums[i] += others[i];
    rt_status status = w->with_sums ? write_header(w, w->sums, error) : RT_OK;
    if (status == RT_OK && fsync(w->file) != 0)
        status = rt_fail_errno(error, RT_IO, "cannot sync '%s'", w->partial);
    if (status == RT_OK && rename(w->partial, w->path) != 0)
        status = rt_fail_errno(error, RT_IO, "cannot rename '%s'", w->partial);
    if (status == RT_OK)
        status = sync_folder(w->path, error);
    else
        unlink(w->partial);
    free_writer(w);
    return status;
}

rt_status safetensors_leave(safetensors_writer *writer, rt_error *error)
{
    rt_status status = RT_OK;
    if (fsync(writer->file) != 0)
        status = rt_fail_errno(error, RT_IO, "cannot sync '%s'", writer->partial);
    free_writer(writer);
    return status;
}

void safetensors_abandon(safetensors_writer *writer)
{
    if (!writer)
        return;
    unlink(writer->partial);
    free_writer(writer);
}
