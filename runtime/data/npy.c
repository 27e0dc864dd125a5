/* NumPy arrays, a file for each field; a field's source is its path. */
#include "data/arrays.h"
#include "data/npy_header.h"

static rt_status open_field(const dataset_request *request, array_set *set, size_t field,
                            rt_error *error)
{
    const char *path = request->field_paths[field];
    rt_mapping *map = &set->maps[field];
    if (!array_set_label(set, field, path, NULL))
        return rt_fail(error, RT_NO_MEMORY, "no memory to read '%s'", path);
    rt_status status = rt_map_file(path, map, error);
    if (status != RT_OK)
        return status;
    set->mapped += map->size;
    return npy_parse(path, map->bytes, map->size, &set->views[field], error);
}

static rt_status npy_open(const dataset_request *request, dataset_file *file, rt_error *error)
{
    array_set *set = array_set_new(request);
    if (!set)
        return rt_fail(error, RT_NO_MEMORY, "no memory to read NumPy arrays");
    rt_status status = RT_OK;
    for (size_t i = 0; i < set->count && status == RT_OK; i++)
        status = open_field(request, set, i, error);
    if (status == RT_OK)
        status = array_set_finish(set, request, file, error);
    if (status != RT_OK)
        array_set_free(set);
    return status;
}

static const char *const options[] = {NULL};

const dataset_format npy_format = {
    .name = "npy",
    .description = "NumPy arrays, a file a field, the first dimension counts samples",
    .options = options,
    .file_per_field = 1,
    .open = npy_open,
    .read = array_set_read,
    .close = array_set_close,
};
