#include "state/safetensors.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "base/mapping.h"
#include "state/safetensors_header.h"

/* One mapped file of a set. */
typedef struct part {
    char *path;
    rt_mapping map;
    safetensors_header header;
} part;

struct safetensors {
    char *path;
    part *parts;
    size_t part_count;
    safetensors_entry *entries; /* of all parts, by name */
    size_t count;
    char *index_texts; /* names in an index */
    size_t index_bytes;
};

static rt_status no_memory(const char *path, rt_error *error)
{
    return rt_fail(error, RT_NO_MEMORY, "no memory for the tables of '%s'", path);
}

static rt_status open_part(safetensors *file, const char *path, rt_error *error)
{
    part *parts = realloc(file->parts, (file->part_count + 1) * sizeof *parts);
    if (!parts)
        return no_memory(path, error);
    file->parts = parts;
    part *p = &parts[file->part_count];
    *p = (part){.path = strdup(path)};
    if (!p->path)
        return no_memory(path, error);
    rt_status status = rt_map_file(path, &p->map, error);
    if (status == RT_OK)
        status = safetensors_header_parse(p->path, p->map.bytes, p->map.size, &p->header, error);
    if (status != RT_OK) {
        rt_unmap(&p->map);
        free(p->path);
        return status;
    }
    file->part_count++;
    return RT_OK;
}

static rt_status open_single(safetensors *file, const char *path, rt_error *error)
{
    rt_status status = open_part(file, path, error);
    if (status != RT_OK)
        return status;
    file->entries = file->parts[0].header.entries;
    file->count = file->parts[0].header.count;
    return RT_OK;
}

/* A tensor's name and the file that an index says it is in. */
typedef struct mapped_name {
    const char *name, *file;
} mapped_name;

typedef struct index_reader {
    const char *path;
    rt_json_reader json;
    safetensors *file;
    mapped_name *names;
    size_t count, room;
    size_t used; /* of index_texts */
} index_reader;

static bool take_text(index_reader *r, const char **text, bool is_key)
{
    char *at = r->file->index_texts + r->used;
    size_t room = r->file->index_bytes - r->used;
    if (!(is_key ? rt_json_key(&r->json, at, room) : rt_json_read_text(&r->json, at, room)))
        return false;
    r->used += strlen(at) + 1;
    *text = at;
    return true;
}

static bool add_name(index_reader *r, mapped_name name)
{
    if (r->count == r->room) {
        size_t room = r->room ? r->room * 2 : 64;
        mapped_name *grown = realloc(r->names, room * sizeof *grown);
        if (!grown)
            return rt_json_refuse(&r->json, "no memory for so many names");
        r->names = grown;
        r->room = room;
    }
    r->names[r->count++] = name;
    return true;
}

static bool read_weight_map(index_reader *r)
{
    rt_json_enter(&r->json, '{');
    for (bool first = true; rt_json_more(&r->json, '}', &first);) {
        mapped_name name;
        if (!take_text(r, &name.name, true) || !take_text(r, &name.file, false))
            return false;
        /* An index may not reach out of its folder. */
        if (!*name.file || strchr(name.file, '/') || strcmp(name.file, "..") == 0)
            return rt_json_refuse(&r->json, "a file of the index must stand beside it");
        if (!add_name(r, name))
            return false;
    }
    return !r->json.problem;
}

static bool read_index_members(index_reader *r)
{
    bool seen = false;
    rt_json_enter(&r->json, '{');
    for (bool first = true; rt_json_more(&r->json, '}', &first);) {
        const char *key;
        if (!take_text(r, &key, true))
            return false;
        bool is_map = strcmp(key, "weight_map") == 0;
        if (is_map && seen)
            return rt_json_refuse(&r->json, "two weight_maps");
        seen |= is_map;
        if (!(is_map ? read_weight_map(r) : rt_json_skip(&r->json)))
            return false;
    }
    return rt_json_at_end(&r->json) && (seen || rt_json_refuse(&r->json, "no weight_map"));
}

static int by_file(const void *a, const void *b)
{
    return strcmp(((const mapped_name *)a)->file, ((const mapped_name *)b)->file);
}

static int by_entry_name(const void *a, const void *b)
{
    return strcmp(((const safetensors_entry *)a)->name, ((const safetensors_entry *)b)->name);
}

static const safetensors_entry *find_in(const safetensors_entry *entries, size_t count,
                                        const char *name)
{
    safetensors_entry key = {.name = name};
    return count ? bsearch(&key, entries, count, sizeof key, by_entry_name) : NULL;
}

static rt_status open_beside(safetensors *file, const char *index, const char *name,
                             rt_error *error)
{
    const char *slash = strrchr(index, '/');
    size_t folder = slash ? (size_t)(slash - index) + 1 : 0, length = strlen(name);
    char *path = malloc(folder + length + 1);
    if (!path)
        return no_memory(index, error);
    memcpy(path, index, folder);
    memcpy(path + folder, name, length + 1);
    rt_status status = open_part(file, path, error);
    free(path);
    return status;
}

/* Opens each file that is named, and takes the tensors that the index places there. */
static rt_status gather_parts(index_reader *r, rt_error *error)
{
    safetensors *file = r->file;
    file->entries = calloc(r->count + 1, sizeof *file->entries);
    if (!file->entries)
        return no_memory(r->path, error);
    if (r->count)
        qsort(r->names, r->count, sizeof *r->names, by_file);
    for (size_t i = 0; i < r->count; i++) {
        if (i == 0 || strcmp(r->names[i - 1].file, r->names[i].file) != 0) {
            rt_status status = open_beside(file, r->path, r->names[i].file, error);
            if (status != RT_OK)
                return status;
        }
        const safetensors_header *header = &file->parts[file->part_count - 1].header;
        const safetensors_entry *entry = find_in(header->entries, header->count, r->names[i].name);
        if (!entry)
            return rt_fail(error, RT_DAMAGED, "'%s' tensor '%s': is not in '%s'", r->path,
                           r->names[i].name, r->names[i].file);
        file->entries[file->count++] = *entry;
    }
    if (file->count)
        qsort(file->entries, file->count, sizeof *file->entries, by_entry_name);
    for (size_t i = 1; i < file->count; i++)
        if (strcmp(file->entries[i - 1].name, file->entries[i].name) == 0)
            return rt_fail(error, RT_DAMAGED, "'%s' tensor '%s': given twice", r->path,
                           file->entries[i].name);
    return RT_OK;
}

static rt_status open_index(safetensors *file, const char *path, rt_error *error)
{
    rt_mapping map;
    rt_status status = rt_map_file(path, &map, error);
    if (status != RT_OK)
        return status;
    index_reader r = {
        .path = path, .file = file, .json = rt_json_reader_of((const char *)map.bytes, map.size)};
    file->index_bytes = map.size + 1;
    file->index_texts = malloc(file->index_bytes);
    if (!file->index_texts)
        status = no_memory(path, error);
    else if (!read_index_members(&r))
        status = rt_fail(error, RT_DAMAGED, "'%s' byte %zu: %s", path, rt_json_offset(&r.json),
                         r.json.problem);
    else
        status = gather_parts(&r, error);
    free(r.names);
    rt_unmap(&map);
    return status;
}

rt_status safetensors_open(const char *path, safetensors **file, rt_error *error)
{
    *file = NULL;
    safetensors *made = calloc(1, sizeof *made);
    if (!made || !(made->path = strdup(path))) {
        free(made);
        return no_memory(path, error);
    }
    size_t length = strlen(path);
    bool is_index = length > 5 && strcmp(path + length - 5, ".json") == 0;
    rt_status status = is_index ? open_index(made, path, error) : open_single(made, path, error);
    if (status != RT_OK) {
        safetensors_close(made);
        return status;
    }
    *file = made;
    return RT_OK;
}

void safetensors_close(safetensors *file)
{
    if (!file)
        return;
    if (file->part_count == 0 || file->entries != file->parts[0].header.entries)
        free(file->entries);
    for (size_t i = 0; i < file->part_count; i++) {
        safetensors_header_free(&file->parts[i].header);
        rt_unmap(&file->parts[i].map);
        free(file->parts[i].path);
    }
    free(file->parts);
    free(file->index_texts);
    free(file->path);
    free(file);
}

size_t safetensors_count(const safetensors *file)
{
    return file->count;
}

const safetensors_entry *safetensors_at(const safetensors *file, size_t index)
{
    return index < file->count ? &file->entries[index] : NULL;
}

const safetensors_entry *safetensors_find(const safetensors *file, const char *name)
{
    return find_in(file->entries, file->count, name);
}

static const char *find_pair(const safetensors_header *header, const char *key)
{
    for (size_t i = 0; i < header->pair_count; i++)
        if (strcmp(header->pairs[i].key, key) == 0)
            return header->pairs[i].value;
    return NULL;
}

const char *safetensors_metadata(const safetensors *file, const char *key)
{
    return file->part_count == 1 ? find_pair(&file->parts[0].header, key) : NULL;
}

/* "[2, 3]" */
static const char *shape_text(size_t rank, const uint64_t *shape, char text[200])
{
    size_t used = (size_t)snprintf(text, 200, "[");
    for (size_t i = 0; i < rank; i++)
        used += (size_t)snprintf(text + used, 200 - used, "%s%" PRIu64, i ? ", " : "", shape[i]);
    snprintf(text + used, 200 - used, "]");
    return text;
}

static rt_status check_shape(const safetensors_entry *entry, const safetensors_request *request,
                             rt_error *error)
{
    const rt_slice *slice = request->slice;
    bool same = slice->rank == entry->rank;
    uint64_t wanted[RT_SLICE_MAX_RANK] = {0};
    for (size_t i = 0; i < slice->rank && i < RT_SLICE_MAX_RANK; i++) {
        size_t dimension = request->order ? request->order[i] : i;
        if (dimension >= slice->rank)
            return rt_fail(error, RT_INVALID, "tensor '%s': no dimension %zu", request->name,
                           dimension);
        wanted[dimension] = slice->shape[i];
    }
    for (size_t i = 0; same && i < slice->rank; i++)
        same = wanted[i] == entry->shape[i];
    if (same)
        return RT_OK;
    char has[200], wants[200];
    return rt_fail(error, RT_MISMATCH, "'%s' tensor '%s': has the shape %s, not %s", entry->path,
                   entry->name, shape_text(entry->rank, entry->shape, has),
                   shape_text(slice->rank, wanted, wants));
}

/* Values of `type` from values of another one, or the very bytes where the types are the same. */
static void convert(const safetensors_entry *entry, rt_slice_run run, rt_element type, void *values)
{
    size_t from = rt_element_bytes(entry->type), to = rt_element_bytes(type);
    const uint8_t *bytes = entry->bytes + run.logical * from;
    uint8_t *out = (uint8_t *)values + run.local * to;
    if (entry->type == type) {
        memcpy(out, bytes, (size_t)run.count * to);
    } else if (type == RT_F32) {
        rt_elements_to_float(entry->type, bytes, (float *)(void *)out, (size_t)run.count);
    } else {
        for (uint64_t i = 0; i < run.count; i++) {
            double value = rt_element_value(entry->type, bytes + i * from, false);
            memcpy(out + i * to, &value, sizeof value);
        }
    }
}

static void read_straight(const safetensors_entry *entry, const rt_slice *slice, rt_element type,
                          void *values)
{
    rt_slice_walk walk = rt_slice_walk_of(slice);
    for (rt_slice_run run; rt_slice_next(&walk, &run);)
        convert(entry, run, type, values);
}

/* Value by value: transposes are of weights, once a run. */
static void read_permuted(const safetensors_entry *entry, const safetensors_request *request,
                          float *values)
{
    const rt_slice *slice = request->slice;
    uint64_t strides[RT_SLICE_MAX_RANK], own[RT_SLICE_MAX_RANK], index[RT_SLICE_MAX_RANK] = {0},
                                                                 stride = 1;
    for (size_t i = slice->rank; i-- > 0;) {
        strides[i] = stride;
        stride *= entry->shape[i];
    }
    uint64_t count = rt_slice_count(slice), at = 0;
    for (size_t i = 0; i < slice->rank; i++) {
        own[i] = strides[request->order[i]];
        at += slice->begin[i] * own[i];
    }
    for (uint64_t n = 0; n < count; n++) {
        rt_elements_to_float(entry->type, entry->bytes + at * rt_element_bytes(entry->type),
                             values + n, 1);
        for (size_t i = slice->rank; i-- > 0;) {
            at += own[i];
            if (++index[i] < slice->size[i])
                break;
            at -= own[i] * slice->size[i];
            index[i] = 0;
        }
    }
}

static rt_status find_to_read(const safetensors *file, const safetensors_request *request,
                              const safetensors_entry **entry, rt_error *error)
{
    *entry = safetensors_find(file, request->name);
    if (!*entry)
        return rt_fail(error, RT_NOT_FOUND, "'%s' has no tensor '%s'", file->path, request->name);
    rt_status status = rt_slice_check(request->slice, error);
    if (status != RT_OK)
        return rt_error_prefix(error, "tensor '%s'", request->name);
    return check_shape(*entry, request, error);
}

rt_status safetensors_read(const safetensors *file, const safetensors_request *request,
                           float *values, rt_error *error)
{
    const safetensors_entry *entry;
    rt_status status = find_to_read(file, request, &entry, error);
    if (status != RT_OK)
        return status;
    if (request->order)
        read_permuted(entry, request, values);
    else
        read_straight(entry, request->slice, RT_F32, values);
    return RT_OK;
}

rt_status safetensors_read_as(const safetensors *file, const safetensors_request *request,
                              rt_element type, void *values, rt_error *error)
{
    const safetensors_entry *entry;
    rt_status status = find_to_read(file, request, &entry, error);
    if (status != RT_OK)
        return status;
    bool fits = type == entry->type || type == RT_F32 || type == RT_F64;
    if (request->order || !fits)
        return rt_fail(error, RT_UNSUPPORTED, "'%s' tensor '%s': %s is not read as %s", file->path,
                       request->name, rt_element_name(entry->type), rt_element_name(type));
    read_straight(entry, request->slice, type, values);
    return RT_OK;
}

static rt_status verify_entry(const safetensors_entry *entry, const char *expected, rt_error *error)
{
    char found[17];
    snprintf(found, sizeof found, "%016" PRIx64, safetensors_sum(entry->bytes, 0, entry->size));
    if (strcmp(found, expected) == 0)
        return RT_OK;
    return rt_fail(error, RT_DAMAGED,
                   "'%s' tensor '%s': its checksum is %s, it was written with %s", entry->path,
                   entry->name, found, expected);
}

rt_status safetensors_verify(const safetensors *file, size_t *checked, rt_error *error)
{
    *checked = 0;
    size_t prefix = strlen(SAFETENSORS_SUM_KEY);
    for (size_t p = 0; p < file->part_count; p++) {
        const safetensors_header *header = &file->parts[p].header;
        for (size_t i = 0; i < header->pair_count; i++) {
            const header_pair *pair = &header->pairs[i];
            if (strncmp(pair->key, SAFETENSORS_SUM_KEY, prefix) != 0)
                continue;
            const safetensors_entry *entry =
                find_in(header->entries, header->count, pair->key + prefix);
            if (!entry)
                return rt_fail(error, RT_DAMAGED, "'%s': a checksum of '%s', which is not there",
                               file->parts[p].path, pair->key + prefix);
            rt_status status = verify_entry(entry, pair->value, error);
            if (status != RT_OK)
                return status;
            ++*checked;
        }
    }
    return RT_OK;
}

size_t safetensors_allocated_bytes(const safetensors *file)
{
    size_t bytes = file->index_bytes;
    for (size_t p = 0; p < file->part_count; p++) {
        const safetensors_header *h = &file->parts[p].header;
        bytes += h->room * sizeof *h->entries + h->pair_room * sizeof *h->pairs + h->texts_room;
    }
    return bytes + (file->index_bytes ? file->count * sizeof *file->entries : 0);
}

size_t safetensors_mapped_bytes(const safetensors *file)
{
    size_t bytes = 0;
    for (size_t p = 0; p < file->part_count; p++)
        bytes += file->parts[p].map.size;
    return bytes;
}
