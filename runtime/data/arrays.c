#include "data/arrays.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

array_set *array_set_new(const dataset_request *request)
{
    array_set *set = calloc(1, sizeof *set);
    if (!set)
        return NULL;
    size_t room = request->field_count + 1;
    set->fields = calloc(room, sizeof *set->fields);
    set->views = calloc(room, sizeof *set->views);
    set->labels = calloc(room, sizeof *set->labels);
    set->rows = calloc(room, sizeof *set->rows);
    set->buffers = calloc(room, sizeof *set->buffers);
    set->maps = calloc(room, sizeof *set->maps);
    if (!set->fields || !set->views || !set->labels || !set->rows || !set->buffers || !set->maps) {
        array_set_free(set);
        return NULL;
    }
    set->count = request->field_count;
    memcpy(set->fields, request->fields, set->count * sizeof *set->fields);
    return set;
}

void array_set_free(array_set *set)
{
    if (!set)
        return;
    for (size_t i = 0; i < set->count; i++) {
        free(set->labels[i]);
        free(set->buffers[i]);
        rt_unmap(&set->maps[i]);
    }
    if (set->owner)
        set->free_owner(set->owner);
    free(set->fields);
    free(set->views);
    free(set->labels);
    free(set->rows);
    free(set->buffers);
    free(set->maps);
    free(set);
}

bool array_set_label(array_set *set, size_t field, const char *path, const char *member)
{
    size_t length = strlen(path), more = member ? strlen(member) + 2 : 0;
    char *label = malloc(length + more + 1);
    if (!label)
        return false;
    memcpy(label, path, length + 1);
    if (member) {
        memcpy(label + length, ": ", 2);
        memcpy(label + length + 2, member, more - 1);
    }
    free(set->labels[field]);
    set->labels[field] = label;
    return true;
}

rt_status array_view_check(const array_view *view, const char *label, uint64_t size,
                           rt_error *error)
{
    uint64_t count;
    if (view->rank == 0)
        return rt_fail(error, RT_MISMATCH, "'%s' is a single number, not an array of samples",
                       label);
    if (!rt_count_values(view->rank, view->shape, &count) || count > UINT64_MAX / 8)
        return rt_fail(error, RT_DAMAGED, "'%s': the shape has more than 2^62 values", label);
    uint64_t wanted = count * rt_element_bytes(view->type);
    if (wanted != size)
        return rt_fail(error, RT_DAMAGED,
                       "'%s': its shape and type take %" PRIu64 " bytes, there are %" PRIu64, label,
                       wanted, size);
    return RT_OK;
}

rt_status array_set_finish(array_set *set, const dataset_request *request, dataset_file *file,
                           rt_error *error)
{
    for (size_t i = 0; i < set->count; i++) {
        const array_view *view = &set->views[i];
        if (!rt_count_values(view->rank - 1, view->shape + 1, &set->rows[i]) ||
            set->rows[i] > SIZE_MAX / 8)
            return rt_fail(error, RT_DAMAGED, "'%s': too many values a sample", set->labels[i]);
        if (set->rows[i] == 0) /* such a file could claim any number of samples */
            return rt_fail(error, RT_MISMATCH, "'%s' has no values a sample", set->labels[i]);
        if (view->shape[0] != set->views[0].shape[0])
            return rt_fail(error, RT_MISMATCH, "'%s' has %" PRIu64 " samples, '%s' has %" PRIu64,
                           set->labels[i], view->shape[0], set->labels[0], set->views[0].shape[0]);
        rt_status status =
            dataset_settle_size(request, i, set->labels[i], (size_t)set->rows[i], error);
        if (status != RT_OK)
            return status;
    }
    *file = (dataset_file){.count = set->count ? set->views[0].shape[0] : 0,
                           .allocated = set->allocated,
                           .mapped = set->mapped,
                           .state = set};
    return RT_OK;
}

/* Where value `index` (row-major) of a sample lies in an array whose first dimension runs fastest. */
static uint64_t fortran_place(const array_view *view, uint64_t sample, uint64_t index)
{
    uint64_t place = 0, position[RT_SLICE_MAX_RANK];
    for (size_t d = view->rank; d-- > 1;) {
        position[d] = index % view->shape[d];
        index /= view->shape[d];
    }
    for (size_t d = view->rank; d-- > 1;)
        place = place * view->shape[d] + position[d];
    return place * view->shape[0] + sample;
}

rt_status array_set_read(const dataset_file *file, uint64_t sample, size_t field, void *out,
                         rt_error *error)
{
    const array_set *set = file->state;
    const array_view *view = &set->views[field];
    size_t bytes = rt_element_bytes(view->type);
    dataset_place place = {set->labels[field], "sample %llu value %llu", sample, 0};
    for (uint64_t i = 0; i < set->rows[field]; i++) {
        uint64_t at =
            view->fortran ? fortran_place(view, sample, i) : sample * set->rows[field] + i;
        place.second = i;
        double raw = rt_element_value(view->type, view->bytes + at * bytes, view->big_endian);
        rt_status status = dataset_store(&set->fields[field], raw, &place,
                                         (char *)out + i * DATASET_VALUE_BYTES, error);
        if (status != RT_OK)
            return status;
    }
    return RT_OK;
}

void array_set_close(dataset_file *file)
{
    array_set_free(file->state);
}
