/* Text as bytes and as tokens: sample i of a file is the window of S symbols that begins at i * S.
 *
 * A field's source is how many symbols its window is shifted ("0", "1"); by default the first field has 0, the second 1
 * and so on, so that two fields give text and what comes next. Windows do not overlap, but for the shift, and do not run
 * on from file to file; a file's last symbols that fill no window are left out.
 *
 * `tokens` reads shards of 16 or 32 bits: bare as nanoGPT writes them, or behind llm.c's header of 256 integers (magic
 * 20240520 and version 1 for 16 bits, 20240801 and 7 for 32). Options: type = uint16 (default) | uint32 for bare shards;
 * header = auto | yes | no. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/element.h"
#include "base/mapping.h"
#include "base/number.h"
#include "data/format.h"

enum { HEADER_BYTES = 1024 };

typedef struct window_state {
    rt_mapping map;
    char *path;
    rt_element type;
    const uint8_t *symbols;
    uint64_t count; /* of symbols */
    size_t length;  /* S */
    const dataset_field_spec *fields;
    size_t shifts[]; /* of each field */
} window_state;

static void free_state(window_state *state)
{
    rt_unmap(&state->map);
    free(state->path);
    free(state);
}

static rt_status read_shift(const dataset_field_spec *field, size_t index, size_t *shift,
                            rt_error *error)
{
    int64_t given = (int64_t)index;
    if (field->source && !rt_parse_int64(field->source, strlen(field->source), &given))
        return rt_fail(error, RT_INVALID, "the shift of '%s' is a number, not '%s'", field->name,
                       field->source);
    if (given < 0 || given > INT32_MAX)
        return rt_fail(error, RT_INVALID, "a shift of %" PRId64 " for '%s'", given, field->name);
    *shift = (size_t)given;
    return RT_OK;
}

/* The length that all fields share, and the largest shift. */
static rt_status read_fields(const dataset_request *request, window_state *state, size_t *furthest,
                             rt_error *error)
{
    *furthest = 0;
    for (size_t i = 0; i < request->field_count; i++) {
        size_t length = request->field_sizes[i];
        rt_status status = read_shift(&request->fields[i], i, &state->shifts[i], error);
        if (status != RT_OK)
            return status;
        if (length == 0 || (i && length != state->length))
            return rt_fail(error, RT_INVALID,
                           "'%s' has %zu symbols a sample; every field of text has the same number",
                           request->fields[i].name, length);
        state->length = length;
        if (state->shifts[i] > *furthest)
            *furthest = state->shifts[i];
    }
    return state->length
               ? RT_OK
               : rt_fail(error, RT_INVALID, "no field is to be read from '%s'", request->path);
}

typedef rt_status (*locate_fn)(const dataset_request *request, window_state *state,
                               rt_error *error);

static rt_status open_windows(const dataset_request *request, window_state *state, locate_fn locate,
                              dataset_file *file, rt_error *error)
{
    size_t furthest;
    rt_status status = read_fields(request, state, &furthest, error);
    if (status == RT_OK)
        status = rt_map_file(request->path, &state->map, error);
    if (status == RT_OK)
        status = locate(request, state, error);
    if (status != RT_OK)
        return status;
    state->fields = request->fields;
    uint64_t usable = state->count > furthest ? state->count - furthest : 0;
    *file = (dataset_file){.count = usable / state->length,
                           .allocated = sizeof *state,
                           .mapped = state->map.size,
                           .state = state};
    return RT_OK;
}

static rt_status windows_open(const dataset_request *request, locate_fn locate, dataset_file *file,
                              rt_error *error)
{
    window_state *state = calloc(1, sizeof *state + request->field_count * sizeof state->shifts[0]);
    if (!state || !(state->path = strdup(request->path))) {
        free(state);
        return rt_fail(error, RT_NO_MEMORY, "no memory to read '%s'", request->path);
    }
    rt_status status = open_windows(request, state, locate, file, error);
    if (status != RT_OK)
        free_state(state);
    return status;
}

static rt_status locate_bytes(const dataset_request *request, window_state *state, rt_error *error)
{
    (void)request;
    (void)error;
    state->type = RT_U8;
    state->symbols = state->map.bytes;
    state->count = state->map.size;
    return RT_OK;
}

static uint32_t header_word(const window_state *state, size_t index)
{
    return (uint32_t)rt_element_value(RT_U32, state->map.bytes + 4 * index, false);
}

/* The type that a header stands for; false when there is none. */
static bool known_header(const window_state *state, rt_element *type)
{
    if (state->map.size < HEADER_BYTES)
        return false;
    uint32_t magic = header_word(state, 0), version = header_word(state, 1);
    if (magic == 20240520 && version == 1)
        *type = RT_U16;
    else if (magic == 20240801 && version == 7)
        *type = RT_U32;
    else
        return false;
    return true;
}

static rt_status locate_behind_header(const dataset_request *request, window_state *state,
                                      rt_error *error)
{
    const char *asked = dataset_option_value(request, "type", NULL);
    size_t bytes = rt_element_bytes(state->type);
    if (asked && strcmp(asked, state->type == RT_U16 ? "uint16" : "uint32") != 0)
        return rt_fail(error, RT_MISMATCH, "'%s' holds tokens of %zu bits by its header, not %s",
                       request->path, 8 * bytes, asked);
    state->count = header_word(state, 2);
    if (state->map.size != HEADER_BYTES + state->count * bytes)
        return rt_fail(error, RT_DAMAGED,
                       "'%s' byte 8: a header of %" PRIu64 " tokens, and %zu bytes behind it",
                       request->path, state->count, state->map.size - HEADER_BYTES);
    state->symbols = state->map.bytes + HEADER_BYTES;
    return RT_OK;
}

static rt_status locate_tokens(const dataset_request *request, window_state *state, rt_error *error)
{
    const char *header = dataset_option_value(request, "header", "auto");
    const char *type = dataset_option_value(request, "type", "uint16");
    bool wanted = strcmp(header, "yes") == 0, unwanted = strcmp(header, "no") == 0;
    if (!wanted && !unwanted && strcmp(header, "auto") != 0)
        return rt_fail(error, RT_INVALID, "a header is 'auto', 'yes' or 'no', not '%s'", header);
    if (strcmp(type, "uint16") != 0 && strcmp(type, "uint32") != 0)
        return rt_fail(error, RT_INVALID, "tokens are of type 'uint16' or 'uint32', not '%s'",
                       type);
    if (!unwanted && known_header(state, &state->type))
        return locate_behind_header(request, state, error);
    if (wanted)
        return rt_fail(error, RT_DAMAGED, "'%s' does not begin with a header of llm.c",
                       request->path);
    state->type = strcmp(type, "uint16") == 0 ? RT_U16 : RT_U32;
    size_t bytes = rt_element_bytes(state->type);
    if (state->map.size % bytes)
        return rt_fail(error, RT_DAMAGED, "'%s': %zu bytes are no whole number of %s tokens",
                       request->path, state->map.size, type);
    state->symbols = state->map.bytes;
    state->count = state->map.size / bytes;
    return RT_OK;
}

static rt_status windows_read(const dataset_file *file, uint64_t sample, size_t field, void *out,
                              rt_error *error)
{
    const window_state *state = file->state;
    const dataset_field_spec *spec = &state->fields[field];
    uint64_t first = sample * state->length + state->shifts[field];
    size_t bytes = rt_element_bytes(state->type);
    const uint8_t *at = state->symbols + first * bytes;
    dataset_place place = {state->path, state->type == RT_U8 ? "byte %llu" : "token %llu", first,
                           0};
    for (size_t i = 0; i < state->length; i++, at += bytes, place.first++) {
        /* Every symbol of a large corpus comes this way: ids skip the general conversion. */
        uint32_t symbol = bytes == 1 ? at[0] : (uint32_t)at[0] | (uint32_t)at[1] << 8;
        if (bytes == 4)
            symbol |= (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
        if (spec->type == DATASET_ID &&
            symbol < (spec->below ? (uint64_t)spec->below : UINT64_C(1) << 31)) {
            ((int32_t *)out)[i] = (int32_t)symbol;
            continue;
        }
        rt_status status = dataset_store(spec, symbol, &place, (int32_t *)out + i, error);
        if (status != RT_OK)
            return status;
    }
    return RT_OK;
}

static void windows_close(dataset_file *file)
{
    free_state(file->state);
}

static rt_status bytes_open(const dataset_request *request, dataset_file *file, rt_error *error)
{
    return windows_open(request, locate_bytes, file, error);
}

static rt_status tokens_open(const dataset_request *request, dataset_file *file, rt_error *error)
{
    return windows_open(request, locate_tokens, file, error);
}

static const char *const no_options[] = {NULL};
static const char *const token_options[] = {"type", "header", NULL};

const dataset_format bytes_format = {
    .name = "bytes",
    .description = "any files, a symbol a byte, for predicting the next one",
    .options = no_options,
    .open = bytes_open,
    .read = windows_read,
    .close = windows_close,
};

const dataset_format tokens_format = {
    .name = "tokens",
    .description = "shards of tokens of 16 or 32 bits, with or without llm.c's header",
    .options = token_options,
    .open = tokens_open,
    .read = windows_read,
    .close = windows_close,
};
