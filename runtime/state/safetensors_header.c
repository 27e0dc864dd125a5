#include "state/safetensors_header.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"

static const uint64_t LONGEST_HEADER = 100 * 1000 * 1000;

typedef struct parser {
    const char *path;
    const uint8_t *data; /* behind the header */
    uint64_t data_size;
    rt_json_reader json;
    safetensors_header *header;
    rt_error *error;
    rt_status status;
} parser;

static bool fail_memory(parser *p)
{
    p->status = rt_fail(p->error, RT_NO_MEMORY, "no memory for the header of '%s'", p->path);
    return false;
}

/* A string into `texts`, which has as many bytes as the header: a string takes less there than in the text. */
static bool take_text(parser *p, const char **text, bool is_key)
{
    safetensors_header *h = p->header;
    char *at = h->texts + h->texts_used;
    size_t room = h->texts_room - h->texts_used;
    if (!(is_key ? rt_json_key(&p->json, at, room) : rt_json_read_text(&p->json, at, room)))
        return false;
    h->texts_used += strlen(at) + 1;
    *text = at;
    return true;
}

/* Room for one more of an array. */
static bool grow(parser *p, void **items, size_t *room, size_t count, size_t size)
{
    if (count < *room)
        return true;
    size_t wanted = *room ? *room * 2 : 16;
    void *grown = realloc(*items, wanted * size);
    if (!grown)
        return fail_memory(p);
    *items = grown;
    *room = wanted;
    return true;
}

static bool read_metadata(parser *p)
{
    safetensors_header *h = p->header;
    rt_json_enter(&p->json, '{');
    for (bool first = true; rt_json_more(&p->json, '}', &first);) {
        header_pair pair;
        if (!take_text(p, &pair.key, true) || !take_text(p, &pair.value, false))
            return false;
        if (!grow(p, (void **)&h->pairs, &h->pair_room, h->pair_count, sizeof *h->pairs))
            return false;
        h->pairs[h->pair_count++] = pair;
    }
    return !p->json.problem;
}

static bool read_shape(parser *p, safetensors_entry *entry)
{
    rt_json_enter(&p->json, '[');
    for (bool first = true; rt_json_more(&p->json, ']', &first);) {
        if (entry->rank == RT_SLICE_MAX_RANK)
            return rt_json_refuse(&p->json, "more than 8 dimensions");
        if (!rt_json_read_uint(&p->json, &entry->shape[entry->rank++]))
            return false;
    }
    return !p->json.problem;
}

static bool read_offsets(parser *p, uint64_t offsets[2])
{
    size_t count = 0;
    rt_json_enter(&p->json, '[');
    for (bool first = true; rt_json_more(&p->json, ']', &first); count++)
        if (count == 2 || !rt_json_read_uint(&p->json, &offsets[count]))
            return rt_json_refuse(&p->json, "data_offsets are two numbers");
    return !p->json.problem &&
           (count == 2 || rt_json_refuse(&p->json, "data_offsets are two numbers"));
}

static bool read_type(parser *p, rt_element *type)
{
    char name[16];
    return rt_json_read_text(&p->json, name, sizeof name) &&
           (rt_element_named(name, type) || rt_json_refuse(&p->json, "an unknown dtype"));
}

enum { HAS_TYPE = 1, HAS_SHAPE = 2, HAS_OFFSETS = 4, HAS_ALL = 7 };

static bool read_entry_members(parser *p, safetensors_entry *entry, uint64_t offsets[2])
{
    unsigned has = 0;
    rt_json_enter(&p->json, '{');
    for (bool first = true; rt_json_more(&p->json, '}', &first);) {
        char key[16];
        if (!rt_json_key(&p->json, key, sizeof key))
            return false;
        unsigned which = !strcmp(key, "dtype")          ? HAS_TYPE
                         : !strcmp(key, "shape")        ? HAS_SHAPE
                         : !strcmp(key, "data_offsets") ? HAS_OFFSETS
                                                        : 0;
        if (!which || (has & which))
            return rt_json_refuse(&p->json,
                                  "a tensor has dtype, shape and data_offsets, once each");
        has |= which;
        if (!(which == HAS_TYPE    ? read_type(p, &entry->type)
              : which == HAS_SHAPE ? read_shape(p, entry)
                                   : read_offsets(p, offsets)))
            return false;
    }
    return !p->json.problem &&
           (has == HAS_ALL || rt_json_refuse(&p->json, "dtype, shape or data_offsets is missing"));
}

static bool check_entry(parser *p, safetensors_entry *entry, const uint64_t offsets[2])
{
    if (!rt_count_values(entry->rank, entry->shape, &entry->count) ||
        entry->count > UINT64_MAX / 8) {
        p->status =
            rt_fail(p->error, RT_DAMAGED, "'%s' tensor '%s': the shape has more than 2^62 values",
                    p->path, entry->name);
        return false;
    }
    uint64_t wanted = entry->count * rt_element_bytes(entry->type);
    if (offsets[0] > offsets[1] || offsets[1] > p->data_size) {
        p->status = rt_fail(p->error, RT_DAMAGED,
                            "'%s' tensor '%s': bytes %" PRIu64 " to %" PRIu64 " of %" PRIu64
                            " bytes of data",
                            p->path, entry->name, offsets[0], offsets[1], p->data_size);
        return false;
    }
    entry->size = offsets[1] - offsets[0];
    if (entry->size != wanted) {
        p->status = rt_fail(p->error, RT_DAMAGED,
                            "'%s' tensor '%s': its shape takes %" PRIu64
                            " bytes, its data_offsets give %" PRIu64,
                            p->path, entry->name, wanted, entry->size);
        return false;
    }
    entry->bytes = p->data + offsets[0];
    return true;
}

static bool read_entry(parser *p, const char *name)
{
    safetensors_header *h = p->header;
    safetensors_entry entry = {.name = name, .path = p->path};
    uint64_t offsets[2] = {0, 0};
    if (!read_entry_members(p, &entry, offsets) || !check_entry(p, &entry, offsets))
        return false;
    if (!grow(p, (void **)&h->entries, &h->room, h->count, sizeof *h->entries))
        return false;
    h->entries[h->count++] = entry;
    return true;
}

static bool read_members(parser *p)
{
    bool has_metadata = false;
    rt_json_enter(&p->json, '{');
    for (bool first = true; rt_json_more(&p->json, '}', &first);) {
        const char *name;
        if (!take_text(p, &name, true))
            return false;
        bool is_metadata = strcmp(name, "__metadata__") == 0;
        if (is_metadata && has_metadata)
            return rt_json_refuse(&p->json, "two __metadata__");
        has_metadata |= is_metadata;
        if (!(is_metadata ? read_metadata(p) : read_entry(p, name)))
            return false;
    }
    return rt_json_at_end(&p->json);
}

static int by_place(const void *a, const void *b)
{
    const safetensors_entry *x = a, *y = b;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? -1 : 1;
    return (x->size > y->size) - (x->size < y->size); /* empty ones first */
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const safetensors_entry *)a)->name, ((const safetensors_entry *)b)->name);
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const header_pair *)a)->key, ((const header_pair *)b)->key);
}

/* The tensors lie one behind the other and fill the file: no byte is of two or of none. */
static bool check_cover(parser *p)
{
    safetensors_header *h = p->header;
    if (h->count)
        qsort(h->entries, h->count, sizeof *h->entries, by_place);
    const uint8_t *at = p->data;
    for (size_t i = 0; i < h->count; i++) {
        const safetensors_entry *entry = &h->entries[i];
        if (entry->bytes != at) {
            p->status = rt_fail(p->error, RT_DAMAGED,
                                "'%s' tensor '%s': begins at byte %" PRIu64
                                ", where the one before it ends at %" PRIu64,
                                p->path, entry->name, (uint64_t)(entry->bytes - p->data),
                                (uint64_t)(at - p->data));
            return false;
        }
        at += entry->size;
    }
    if ((uint64_t)(at - p->data) == p->data_size)
        return true;
    p->status = rt_fail(p->error, RT_DAMAGED,
                        "'%s': %" PRIu64 " bytes of data of which the tensors take %" PRIu64,
                        p->path, p->data_size, (uint64_t)(at - p->data));
    return false;
}

static bool check_names(parser *p)
{
    safetensors_header *h = p->header;
    if (h->count)
        qsort(h->entries, h->count, sizeof *h->entries, by_name);
    for (size_t i = 1; i < h->count; i++)
        if (strcmp(h->entries[i - 1].name, h->entries[i].name) == 0) {
            p->status = rt_fail(p->error, RT_DAMAGED, "'%s' tensor '%s': given twice", p->path,
                                h->entries[i].name);
            return false;
        }
    if (h->pair_count)
        qsort(h->pairs, h->pair_count, sizeof *h->pairs, by_key);
    for (size_t i = 1; i < h->pair_count; i++)
        if (strcmp(h->pairs[i - 1].key, h->pairs[i].key) == 0) {
            p->status = rt_fail(p->error, RT_DAMAGED, "'%s' metadata '%s': given twice", p->path,
                                h->pairs[i].key);
            return false;
        }
    return true;
}

static bool parse(parser *p)
{
    p->header->texts_room = (size_t)(p->json.end - p->json.start) + 1;
    p->header->texts = malloc(p->header->texts_room);
    if (!p->header->texts)
        return fail_memory(p);
    if (read_members(p))
        return check_cover(p) && check_names(p);
    if (p->json.problem) {
        const safetensors_header *h = p->header;
        const char *last = h->count ? h->entries[h->count - 1].name : NULL;
        p->status = rt_fail(p->error, RT_DAMAGED, "'%s' header byte %zu%s%s%s: %s", p->path,
                            8 + rt_json_offset(&p->json), last ? " (after tensor '" : "",
                            last ? last : "", last ? "')" : "", p->json.problem);
    }
    return false;
}

rt_status safetensors_header_parse(const char *path, const uint8_t *bytes, uint64_t size,
                                   safetensors_header *header, rt_error *error)
{
    *header = (safetensors_header){0};
    if (size < 8)
        return rt_fail(error, RT_DAMAGED, "'%s': %" PRIu64 " bytes hold no safetensors header",
                       path, size);
    uint64_t length = 0;
    for (int i = 0; i < 8; i++)
        length |= (uint64_t)bytes[i] << (8 * i);
    if (length > LONGEST_HEADER)
        return rt_fail(error, RT_DAMAGED, "'%s': a header of %" PRIu64 " bytes; 100 MB is the most",
                       path, length);
    if (length > size - 8)
        return rt_fail(error, RT_DAMAGED,
                       "'%s': a header of %" PRIu64 " bytes in a file of %" PRIu64, path, length,
                       size);
    parser p = {.path = path,
                .data = bytes + 8 + length,
                .data_size = size - 8 - length,
                .header = header,
                .json = rt_json_reader_of((const char *)bytes + 8, (size_t)length),
                .error = error};
    if (parse(&p))
        return RT_OK;
    safetensors_header_free(header);
    return p.status;
}

void safetensors_header_free(safetensors_header *header)
{
    free(header->entries);
    free(header->pairs);
    free(header->texts);
    *header = (safetensors_header){0};
}
