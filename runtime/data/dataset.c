#include "data/dataset.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "data/format.h"
#include "data/order.h"
#include "data/paths.h"

/* The files of one part, one after the other. */
typedef struct file_list {
    path_list paths; /* an entry each, or an entry for each field */
    dataset_file *files;
    uint64_t *ends; /* samples up to and including each file */
    size_t count;
} file_list;

struct dataset {
    const dataset_format *format;
    dataset_field_spec *fields;
    size_t *field_sizes;
    size_t field_count;
    dataset_option *options;
    size_t option_count;
    file_list lists[DATASET_PART_COUNT];
    uint64_t held_out; /* samples of the first list that a share holds out */
    uint64_t seed;
};

static rt_status no_memory(rt_error *error)
{
    return rt_fail(error, RT_NO_MEMORY, "out of memory for a data set");
}

/* NULL stays NULL. False when memory is short. */
static bool copy_text(const char *text, const char **copy)
{
    *copy = text ? strdup(text) : NULL;
    return !text || *copy;
}

static bool copy_field(const dataset_field_spec *spec, dataset_field_spec *field)
{
    *field = *spec;
    field->name = field->source = field->held_out_source = NULL;
    return copy_text(spec->name, &field->name) && copy_text(spec->source, &field->source) &&
           copy_text(spec->held_out_source, &field->held_out_source);
}

static rt_status copy_fields(dataset *set, const dataset_spec *spec, rt_error *error)
{
    set->fields = calloc(spec->field_count + 1, sizeof *set->fields);
    set->field_sizes = calloc(spec->field_count + 1, sizeof *set->field_sizes);
    if (!set->fields || !set->field_sizes)
        return no_memory(error);
    for (size_t i = 0; i < spec->field_count; i++) {
        dataset_field_spec *field = &set->fields[set->field_count++];
        if (!copy_field(&spec->fields[i], field))
            return no_memory(error);
        set->field_sizes[i] = field->size;
        if (field->below < 0 || field->below > INT64_C(1) << 31)
            return rt_fail(error, RT_INVALID, "ids of '%s' below %lld do not fit in 32 bits",
                           field->name, (long long)field->below);
    }
    return RT_OK;
}

static bool format_has_option(const dataset_format *format, const char *name)
{
    for (const char *const *known = format->options; *known; known++)
        if (strcmp(*known, name) == 0)
            return true;
    return false;
}

static rt_status copy_options(dataset *set, const dataset_spec *spec, rt_error *error)
{
    set->options = calloc(spec->option_count + 1, sizeof *set->options);
    if (!set->options)
        return no_memory(error);
    for (size_t i = 0; i < spec->option_count; i++) {
        if (!format_has_option(set->format, spec->options[i].name))
            return rt_fail(error, RT_INVALID, "data format '%s' has no option '%s'", spec->format,
                           spec->options[i].name);
        dataset_option *option = &set->options[set->option_count++];
        option->name = strdup(spec->options[i].name);
        option->value = strdup(spec->options[i].value);
        if (!option->name || !option->value)
            return no_memory(error);
    }
    return RT_OK;
}

/* The paths of both parts, for a format that opens a file at a time. */
static rt_status list_paths(dataset *set, const dataset_spec *spec, rt_error *error)
{
    file_list *train = &set->lists[DATASET_TRAIN], *held_out = &set->lists[DATASET_HELD_OUT];
    rt_status status = RT_OK;
    for (size_t i = 0; i < spec->path_count && status == RT_OK; i++)
        status = path_list_add(&train->paths, spec->folder, spec->paths[i], error);
    for (size_t i = 0; i < spec->held_out_path_count && status == RT_OK; i++)
        status = path_list_add(&held_out->paths, spec->folder, spec->held_out_paths[i], error);
    if (status != RT_OK)
        return status;
    path_list_remove(&train->paths, &held_out->paths);
    if (train->paths.count == 0)
        return rt_fail(error, RT_INVALID, "data format '%s' is given no file to train on",
                       spec->format);
    train->count = train->paths.count;
    held_out->count = held_out->paths.count;
    return RT_OK;
}

static bool is_source(const dataset *set, const char *path)
{
    for (size_t i = 0; i < set->field_count; i++)
        if (set->fields[i].source && strcmp(set->fields[i].source, path) == 0)
            return true;
    return false;
}

/* The same for a format with a file for each field: one entry for each field makes one set of files. */
static rt_status list_field_paths(dataset *set, const dataset_spec *spec, rt_error *error)
{
    const char *stray = spec->held_out_path_count ? spec->held_out_paths[0] : NULL;
    for (size_t i = 0; i < spec->path_count; i++)
        if (!is_source(set, spec->paths[i]))
            stray = spec->paths[i];
    if (stray)
        return rt_fail(error, RT_INVALID, "data format '%s' takes a file for each field, not '%s'",
                       spec->format, stray);
    rt_status status = RT_OK;
    size_t held_out = 0;
    for (size_t i = 0; i < set->field_count && status == RT_OK; i++) {
        const dataset_field_spec *field = &set->fields[i];
        if (!field->source)
            return rt_fail(error, RT_INVALID, "no file is given for '%s'", field->name);
        status =
            path_list_add(&set->lists[DATASET_TRAIN].paths, spec->folder, field->source, error);
        if (!field->held_out_source || status != RT_OK)
            continue;
        held_out++;
        status = path_list_add(&set->lists[DATASET_HELD_OUT].paths, spec->folder,
                               field->held_out_source, error);
    }
    if (status == RT_OK && held_out && held_out != set->field_count)
        return rt_fail(error, RT_INVALID, "a hold-out by file wants a file for each field");
    if (status == RT_OK && set->lists[DATASET_TRAIN].paths.count != set->field_count)
        return rt_fail(error, RT_INVALID, "data format '%s' takes one file for each field",
                       spec->format);
    set->lists[DATASET_TRAIN].count = 1;
    set->lists[DATASET_HELD_OUT].count = held_out != 0;
    return status;
}

static rt_status open_files(dataset *set, file_list *list, rt_error *error)
{
    size_t wanted = list->count;
    list->count = 0; /* counts what there is to close */
    list->files = calloc(wanted + 1, sizeof *list->files);
    list->ends = calloc(wanted + 1, sizeof *list->ends);
    if (!list->files || !list->ends)
        return no_memory(error);
    uint64_t samples = 0;
    for (size_t i = 0; i < wanted; i++) {
        dataset_request request = {.fields = set->fields,
                                   .field_count = set->field_count,
                                   .options = set->options,
                                   .option_count = set->option_count,
                                   .field_sizes = set->field_sizes};
        if (set->format->file_per_field)
            request.field_paths = (const char *const *)list->paths.items;
        else
            request.path = list->paths.items[i];
        rt_status status = set->format->open(&request, &list->files[i], error);
        if (status != RT_OK)
            return status;
        samples += list->files[i].count;
        list->ends[i] = samples;
        list->count++;
    }
    return RT_OK;
}

static uint64_t list_samples(const file_list *list)
{
    return list->count ? list->ends[list->count - 1] : 0;
}

static rt_status settle_parts(dataset *set, const dataset_spec *spec, rt_error *error)
{
    uint64_t samples = list_samples(&set->lists[DATASET_TRAIN]);
    bool by_file = set->lists[DATASET_HELD_OUT].count != 0;
    if (!(spec->hold_out >= 0 && spec->hold_out < 1))
        return rt_fail(error, RT_INVALID, "a hold-out of %g %% is not from 0 %% up to 100 %%",
                       100 * spec->hold_out);
    if (spec->hold_out > 0 && by_file)
        return rt_fail(error, RT_INVALID, "a hold-out is by share or by file, not both");
    set->seed = spec->seed;
    set->held_out = (uint64_t)floor(spec->hold_out * (double)samples + 0.5);
    if (samples == 0 || set->held_out >= samples || (spec->hold_out > 0 && !set->held_out))
        return rt_fail(error, RT_INVALID,
                       "%llu samples less a hold-out of %g %% leave a part empty",
                       (unsigned long long)samples, 100 * spec->hold_out);
    if (by_file && list_samples(&set->lists[DATASET_HELD_OUT]) == 0)
        return rt_fail(error, RT_INVALID, "the held-out files hold no sample");
    return RT_OK;
}

static rt_status open_all(dataset *set, const dataset_spec *spec, rt_error *error)
{
    rt_status status = copy_fields(set, spec, error);
    if (status == RT_OK)
        status = copy_options(set, spec, error);
    if (status == RT_OK)
        status = set->format->file_per_field ? list_field_paths(set, spec, error)
                                             : list_paths(set, spec, error);
    for (int part = 0; part < DATASET_PART_COUNT && status == RT_OK; part++)
        status = open_files(set, &set->lists[part], error);
    if (status != RT_OK) /* what was listed and not opened is not to be closed */
        for (int part = 0; part < DATASET_PART_COUNT; part++)
            if (!set->lists[part].ends)
                set->lists[part].count = 0;
    return status == RT_OK ? settle_parts(set, spec, error) : status;
}

rt_status dataset_open(const dataset_spec *spec, dataset **set, rt_error *error)
{
    *set = NULL;
    const dataset_format *format = dataset_format_named(spec->format);
    if (!format)
        return rt_fail(error, RT_INVALID, "no data format is named '%s'", spec->format);
    dataset *made = calloc(1, sizeof *made);
    if (!made)
        return no_memory(error);
    made->format = format;
    rt_status status = open_all(made, spec, error);
    if (status != RT_OK) {
        dataset_close(made);
        return status;
    }
    *set = made;
    return RT_OK;
}

static void close_list(dataset *set, file_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        set->format->close(&list->files[i]);
    free(list->files);
    free(list->ends);
    path_list_clean_up(&list->paths);
}

void dataset_close(dataset *set)
{
    if (!set)
        return;
    for (int part = 0; part < DATASET_PART_COUNT; part++)
        close_list(set, &set->lists[part]);
    for (size_t i = 0; i < set->field_count; i++) {
        free((char *)(uintptr_t)set->fields[i].name);
        free((char *)(uintptr_t)set->fields[i].source);
        free((char *)(uintptr_t)set->fields[i].held_out_source);
    }
    for (size_t i = 0; i < set->option_count; i++) {
        free((char *)(uintptr_t)set->options[i].name);
        free((char *)(uintptr_t)set->options[i].value);
    }
    free(set->fields);
    free(set->field_sizes);
    free(set->options);
    free(set);
}

uint64_t dataset_count(const dataset *set, dataset_part part)
{
    uint64_t samples = list_samples(&set->lists[part]);
    if (part == DATASET_TRAIN)
        return samples - set->held_out;
    return samples ? samples : set->held_out;
}

size_t dataset_field_size(const dataset *set, size_t field)
{
    return set->field_sizes[field];
}

size_t dataset_field_count(const dataset *set)
{
    return set->field_count;
}

rt_status dataset_read(const dataset *set, dataset_part part, uint64_t sample, size_t field,
                       void *out, rt_error *error)
{
    if (field >= set->field_count || sample >= dataset_count(set, part))
        return rt_fail(error, RT_INVALID, "there is no sample %llu with a field %zu",
                       (unsigned long long)sample, field);
    const file_list *list = &set->lists[part];
    if (set->held_out) {
        list = &set->lists[DATASET_TRAIN];
        uint64_t place = part == DATASET_TRAIN ? sample + set->held_out : sample;
        sample = order_held_out(set->seed, list_samples(list), place);
    }
    size_t low = 0, high = list->count - 1;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (sample < list->ends[middle])
            high = middle;
        else
            low = middle + 1;
    }
    uint64_t first = low ? list->ends[low - 1] : 0;
    return set->format->read(&list->files[low], sample - first, field, out, error);
}

static size_t sum_files(const dataset *set, bool mapped)
{
    size_t sum = 0;
    for (int part = 0; part < DATASET_PART_COUNT; part++)
        for (size_t i = 0; i < set->lists[part].count; i++)
            sum += mapped ? set->lists[part].files[i].mapped : set->lists[part].files[i].allocated;
    return sum;
}

size_t dataset_allocated_bytes(const dataset *set)
{
    return sum_files(set, false);
}

size_t dataset_mapped_bytes(const dataset *set)
{
    return sum_files(set, true);
}
