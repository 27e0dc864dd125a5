/* Archives of NumPy arrays (numpy.savez, savez_compressed); a field's source is the array's name, by default its own. */
#include <stdlib.h>

#include "data/arrays.h"
#include "data/npy_header.h"
#include "data/zip.h"

static rt_status open_member(const zip_archive *archive, array_set *set, size_t field,
                             rt_error *error)
{
    const dataset_field_spec *spec = &set->fields[field];
    const char *name = spec->source ? spec->source : spec->name;
    zip_member member;
    const uint8_t *bytes;
    if (!array_set_label(set, field, archive->path, name))
        return rt_fail(error, RT_NO_MEMORY, "no memory to read '%s'", archive->path);
    rt_status status = zip_find(archive, name, &member, error);
    if (status == RT_OK)
        status = zip_read(&member, set->labels[field], &bytes, &set->buffers[field], error);
    if (status != RT_OK)
        return status;
    if (set->buffers[field])
        set->allocated += member.size;
    return npy_parse(set->labels[field], bytes, member.size, &set->views[field], error);
}

static rt_status open_members(const dataset_request *request, array_set *set, rt_error *error)
{
    zip_archive archive;
    rt_mapping *map = &set->maps[0]; /* stored members point into it */
    rt_status status = rt_map_file(request->path, map, error);
    if (status != RT_OK)
        return status;
    set->mapped = map->size;
    status = zip_open(request->path, map->bytes, map->size, &archive, error);
    for (size_t i = 0; i < set->count && status == RT_OK; i++)
        status = open_member(&archive, set, i, error);
    return status;
}

static rt_status npz_open(const dataset_request *request, dataset_file *file, rt_error *error)
{
    if (request->field_count == 0)
        return rt_fail(error, RT_INVALID, "no field is to be read from '%s'", request->path);
    array_set *set = array_set_new(request);
    if (!set)
        return rt_fail(error, RT_NO_MEMORY, "no memory to read '%s'", request->path);
    rt_status status = open_members(request, set, error);
    if (status == RT_OK)
        status = array_set_finish(set, request, file, error);
    if (status != RT_OK)
        array_set_free(set);
    return status;
}

static const char *const options[] = {NULL};

const dataset_format npz_format = {
    .name = "npz",
    .description = "an archive of NumPy arrays, the first dimension counts samples",
    .options = options,
    .open = npz_open,
    .read = array_set_read,
    .close = array_set_close,
};
