/* Tensors of a safetensors file as data; a field's source is the tensor's name, by default its own. */
#include "data/arrays.h"
#include "state/safetensors.h"

static void free_tensors(void *owner)
{
    safetensors_close(owner);
}

static rt_status view_tensor(const safetensors *tensors, const char *path, array_set *set,
                             size_t field, rt_error *error)
{
    const dataset_field_spec *spec = &set->fields[field];
    const char *name = spec->source ? spec->source : spec->name;
    const safetensors_entry *entry = safetensors_find(tensors, name);
    if (!entry)
        return rt_fail(error, RT_NOT_FOUND, "'%s' has no tensor '%s'", path, name);
    if (!array_set_label(set, field, path, name))
        return rt_fail(error, RT_NO_MEMORY, "no memory to read '%s'", path);
    array_view *view = &set->views[field];
    *view = (array_view){.type = entry->type, .rank = entry->rank, .bytes = entry->bytes};
    for (size_t i = 0; i < entry->rank; i++)
        view->shape[i] = entry->shape[i];
    return array_view_check(view, set->labels[field], entry->size, error);
}

static rt_status tensors_open(const dataset_request *request, dataset_file *file, rt_error *error)
{
    safetensors *tensors;
    array_set *set = array_set_new(request);
    if (!set)
        return rt_fail(error, RT_NO_MEMORY, "no memory to read '%s'", request->path);
    rt_status status = safetensors_open(request->path, &tensors, error);
    if (status == RT_OK) {
        set->owner = tensors;
        set->free_owner = free_tensors;
        set->allocated = safetensors_allocated_bytes(tensors);
        set->mapped = safetensors_mapped_bytes(tensors);
    }
    for (size_t i = 0; i < set->count && status == RT_OK; i++)
        status = view_tensor(tensors, request->path, set, i, error);
    if (status == RT_OK)
        status = array_set_finish(set, request, file, error);
    if (status != RT_OK)
        array_set_free(set);
    return status;
}

static const char *const options[] = {NULL};

const dataset_format safetensors_format = {
    .name = "safetensors",
    .description = "tensors by name, the first dimension counts samples",
    .options = options,
    .open = tensors_open,
    .read = array_set_read,
    .close = array_set_close,
};
