/* The idx arrays of MNIST, a file for each field, packed by gzip or not; a field's source is its path.
 *
 * Two zero bytes, a type, a number of dimensions, the sizes (32 bits, big endian), the values (big endian):
 * http://yann.lecun.com/exdb/mnist. */
#include <stdlib.h>
#include <string.h>

#include "data/arrays.h"
#include "data/inflate.h"

static bool type_of(uint8_t code, rt_element *type)
{
    static const rt_element types[] = {[0x08] = RT_U8,  [0x09] = RT_I8,  [0x0B] = RT_I16,
                                       [0x0C] = RT_I32, [0x0D] = RT_F32, [0x0E] = RT_F64};
    if (code < 0x08 || code > 0x0E || code == 0x0A)
        return false;
    *type = types[code];
    return true;
}

/* The header needs up to 4 + 4 * 8 bytes; `size` of them are there. */
static rt_status parse_header(const char *path, const uint8_t *bytes, uint64_t size,
                              array_view *view, rt_error *error)
{
    *view = (array_view){.big_endian = true};
    if (size < 4 || bytes[0] || bytes[1] || !type_of(bytes[2], &view->type))
        return rt_fail(error, RT_DAMAGED, "'%s' does not begin as an idx array", path);
    view->rank = bytes[3];
    if (view->rank == 0 || view->rank > RT_SLICE_MAX_RANK)
        return rt_fail(error, RT_DAMAGED, "'%s' byte 3: %u dimensions; 1 to 8 are read", path,
                       bytes[3]);
    if (size < 4 + 4 * view->rank)
        return rt_fail(error, RT_DAMAGED, "'%s' ends inside its header", path);
    for (size_t i = 0; i < view->rank; i++) {
        const uint8_t *at = bytes + 4 + 4 * i;
        view->shape[i] =
            (uint64_t)at[0] << 24 | (uint64_t)at[1] << 16 | (uint64_t)at[2] << 8 | at[3];
    }
    return RT_OK;
}

/* A packed array: the header is unpacked first, since it says how much to allocate. */
static rt_status unpack(array_set *set, size_t field, rt_error *error)
{
    array_view *view = &set->views[field];
    const rt_mapping *map = &set->maps[field];
    inflate_source source = {set->labels[field], INFLATE_GZIP, map->bytes, map->size};
    uint8_t header[4 + 4 * RT_SLICE_MAX_RANK];
    rt_status status = inflate_first(&source, header, 4, error);
    if (status == RT_OK && header[3] <= RT_SLICE_MAX_RANK)
        status = inflate_first(&source, header, 4 + 4 * (uint64_t)header[3], error);
    if (status == RT_OK)
        status = parse_header(source.label, header, sizeof header, view, error);
    if (status != RT_OK)
        return status;
    uint64_t count, begin = 4 + 4 * view->rank, size;
    if (!rt_count_values(view->rank, view->shape, &count) || count > UINT64_MAX / 16 ||
        !inflate_plausible(map->size, size = begin + count * rt_element_bytes(view->type)))
        return rt_fail(error, RT_DAMAGED, "'%s': its sizes are more than %zu packed bytes can hold",
                       source.label, map->size);
    uint8_t *bytes = malloc(size);
    if (!bytes)
        return rt_fail(error, RT_NO_MEMORY, "no memory to unpack '%s'", source.label);
    set->buffers[field] = bytes;
    set->allocated += size;
    view->bytes = bytes + begin;
    status = inflate_exactly(&source, bytes, size, error);
    rt_unmap(&set->maps[field]);
    return status;
}

static rt_status open_field(const dataset_request *request, array_set *set, size_t field,
                            rt_error *error)
{
    const char *path = request->field_paths[field];
    rt_mapping *map = &set->maps[field];
    array_view *view = &set->views[field];
    if (!array_set_label(set, field, path, NULL))
        return rt_fail(error, RT_NO_MEMORY, "no memory to read '%s'", path);
    rt_status status = rt_map_file(path, map, error);
    if (status != RT_OK)
        return status;
    if (map->size >= 2 && map->bytes[0] == 0x1f && map->bytes[1] == 0x8b)
        return unpack(set, field, error);
    status = parse_header(path, map->bytes, map->size, view, error);
    if (status != RT_OK)
        return status;
    set->mapped += map->size;
    view->bytes = map->bytes + 4 + 4 * view->rank;
    return array_view_check(view, path, map->size - 4 - 4 * view->rank, error);
}

static rt_status idx_open(const dataset_request *request, dataset_file *file, rt_error *error)
{
    array_set *set = array_set_new(request);
    if (!set)
        return rt_fail(error, RT_NO_MEMORY, "no memory to read idx arrays");
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

const dataset_format idx_format = {
    .name = "idx",
    .description = "arrays as MNIST has them, a file a field, packed by gzip or not",
    .options = options,
    .file_per_field = 1,
    .open = idx_open,
    .read = array_set_read,
    .close = array_set_close,
};
