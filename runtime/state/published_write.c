/* published_write.c: variables under their own paths to the tensors of a form, in one file or in shards with an index. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_line.h"
#include "state/published.h"
#include "state/safetensors_write.h"

/* A tensor to be written. */
typedef struct piece {
    char name[PUBLISHED_NAME];
    size_t row, layer, shard;
    uint64_t bytes;
} piece;

typedef struct export
{
    const published_model *model;
    const safetensors *source;
    const published_target *target;
    piece *pieces;
    safetensors_tensor *tensors; /* beside pieces */
    size_t count, shards;
    uint64_t bytes;
}
export;

static rt_status no_memory(rt_error *error)
{
    return rt_fail(error, RT_NO_MEMORY, "out of memory for the list of tensors");
}

static size_t count_pieces(const published_model *model)
{
    size_t count = 0;
    for (size_t i = 0; i < published_row_count(model); i++) {
        int own;
        published_tensor row = published_row(model, i, &own);
        count += published_row_shape(model, &row).layers;
    }
    return count;
}

/* The file that a piece goes to: the same as the one before, unless it does not fit there. */
static void assign_shard(export *x, piece *made, uint64_t *used)
{
    uint64_t most = x->target->shard_bytes;
    if (x->shards == 0 || (most > 0 && *used > 0 && *used + made->bytes > most)) {
        x->shards++;
        *used = 0;
    }
    *used += made->bytes;
    x->bytes += made->bytes;
    made->shard = x->shards - 1;
}

static rt_status list_row(export *x, size_t row_number, uint64_t *used, rt_error *error)
{
    int own;
    published_tensor row = published_row(x->model, row_number, &own);
    published_shape shape = published_row_shape(x->model, &row);
    const char *prefix = x->model->form ? x->model->form->prefix : NULL;
    if (!x->model->form && x->model->variables[own].fresh)
        return RT_OK;
    for (size_t layer = 0; !row.tied && layer < shape.layers; layer++) {
        piece *made = &x->pieces[x->count];
        safetensors_tensor *tensor = &x->tensors[x->count++];
        *made = (piece){.row = row_number, .layer = layer};
        if (!published_name(row.name, layer, prefix, made->name))
            return rt_fail(error, RT_INVALID, "the name of tensor '%s' is too long", row.name);
        *tensor = (safetensors_tensor){.name = made->name, .type = RT_F32, .rank = shape.rank};
        memcpy(tensor->shape, shape.size, sizeof tensor->shape);
        uint64_t values;
        if (!rt_count_values(shape.rank, shape.size, &values))
            return rt_fail(error, RT_INVALID, "tensor '%s' is too large", made->name);
        made->bytes = values * sizeof(float);
        assign_shard(x, made, used);
    }
    return RT_OK;
}

static rt_status list_pieces(export *x, rt_error *error)
{
    size_t most = count_pieces(x->model);
    uint64_t used = 0;
    x->pieces = calloc(most + 1, sizeof *x->pieces);
    x->tensors = calloc(most + 1, sizeof *x->tensors);
    rt_status status = x->pieces && x->tensors ? RT_OK : no_memory(error);
    for (size_t i = 0; status == RT_OK && i < published_row_count(x->model); i++)
        status = list_row(x, i, &used, error);
    return status;
}

/* Where a variable's values of one layer lie in the source, and as what they are to be read. */
static void place_in_source(const published_variable *v, bool layered, size_t layer, bool turned,
                            safetensors_request *request, rt_slice *slice, size_t *order)
{
    *slice = rt_slice_whole(v->rank, v->shape);
    if (layered) {
        slice->begin[0] = layer;
        slice->size[0] = 1;
    }
    *request = (safetensors_request){.name = v->path, .slice = slice};
    if (!turned)
        return;
    size_t a = v->rank - 2, b = v->rank - 1;
    for (size_t i = 0; i < v->rank; i++)
        order[i] = i;
    order[a] = b;
    order[b] = a;
    uint64_t size = slice->shape[a];
    slice->shape[a] = slice->size[a] = slice->shape[b];
    slice->shape[b] = slice->size[b] = size;
    request->order = order;
}

static rt_status write_part(const export *x, safetensors_writer *writer, size_t number,
                            const rt_slice *to, int variable, rt_error *error)
{
    const piece *made = &x->pieces[number];
    const published_variable *v = &x->model->variables[variable];
    int own;
    published_tensor row = published_row(x->model, made->row, &own);
    safetensors_request request;
    rt_slice from;
    size_t order[RT_SLICE_MAX_RANK], first = number;
    place_in_source(v, published_is_layered(&row), made->layer, row.turned, &request, &from, order);
    while (first > 0 && x->pieces[first - 1].shard == made->shard)
        first--;
    float *values = malloc((size_t)rt_slice_count(&from) * sizeof *values + 1);
    if (!values)
        return rt_fail(error, RT_NO_MEMORY, "out of memory for '%s'", v->path);
    rt_status status = safetensors_read(x->source, &request, values, error);
    if (status == RT_OK)
        status = safetensors_write_floats(writer, number - first, to, values, error);
    free(values);
    return status;
}

/* Each part behind the one before in the last dimension, the first of a turned tensor. */
static rt_status write_piece(const export *x, safetensors_writer *writer, size_t number,
                             rt_error *error)
{
    const piece *made = &x->pieces[number];
    const safetensors_tensor *tensor = &x->tensors[number];
    int own;
    published_tensor row = published_row(x->model, made->row, &own);
    rt_slice to = rt_slice_whole(tensor->rank, tensor->shape);
    rt_status status = RT_OK;
    for (size_t p = 0; status == RT_OK && p < row.part_count; p++) {
        const published_variable *v = &x->model->variables[row.parts[p]];
        size_t joined = row.turned ? 0 : tensor->rank - 1;
        if (row.part_count > 1)
            to.size[joined] = v->shape[v->rank - 1];
        status = write_part(x, writer, number, &to, row.parts[p], error);
        if (row.part_count > 1)
            to.begin[joined] += to.size[joined];
    }
    return status;
}

/* "model-00002-of-00003.safetensors" for "model.safetensors". */
static const char *shard_path(const export *x, size_t shard, char *path)
{
    const char *whole = x->target->path, *ending = ".safetensors";
    size_t length = strlen(whole), tail = strlen(ending);
    bool ends = length > tail && strcmp(whole + length - tail, ending) == 0;
    if (x->shards == 1)
        snprintf(path, PUBLISHED_NAME, "%s", whole);
    else
        snprintf(path, PUBLISHED_NAME, "%.*s-%05zu-of-%05zu%s",
                 (int)(ends ? length - tail : length), whole, shard + 1, x->shards, ending);
    return path;
}

static rt_status write_shard(const export *x, size_t shard, rt_error *error)
{
    static const safetensors_text format = {"format", "pt"}; /* as what reads it asks */
    char path[PUBLISHED_NAME];
    size_t first = 0, end;
    while (x->pieces[first].shard != shard)
        first++;
    for (end = first; end < x->count && x->pieces[end].shard == shard; end++)
        ;
    safetensors_plan plan = {.path = shard_path(x, shard, path),
                             .tensors = x->tensors + first,
                             .tensor_count = end - first,
                             .metadata = &format,
                             .metadata_count = 1,
                             .without_checksums = 1};
    safetensors_writer *writer;
    rt_status status = safetensors_create(&plan, &writer, error);
    if (status != RT_OK)
        return status;
    for (size_t i = first; i < end; i++) {
        status = write_piece(x, writer, i, error);
        if (status != RT_OK) {
            safetensors_abandon(writer);
            return status;
        }
    }
    return safetensors_finish(writer, NULL, error);
}

/* Whole or not at all, as the tensors are: written aside and renamed. */
static rt_status write_index(const export *x, rt_error *error)
{
    char path[PUBLISHED_NAME], aside[PUBLISHED_NAME + 16], shard[PUBLISHED_NAME];
    snprintf(path, sizeof path, "%s.index.json", x->target->path);
    snprintf(aside, sizeof aside, "%s.partial", path);
    FILE *out = fopen(aside, "we");
    if (!out)
        return rt_fail_errno(error, RT_IO, "cannot write '%s'", aside);
    rt_json_line line = {0};
    rt_json_begin(&line);
    rt_json_open(&line, "metadata", '{');
    rt_json_uint(&line, "total_size", x->bytes);
    rt_json_close(&line, '}');
    rt_json_open(&line, "weight_map", '{');
    for (size_t i = 0; i < x->count; i++) {
        const char *file = shard_path(x, x->pieces[i].shard, shard), *slash = strrchr(file, '/');
        rt_json_text(&line, x->pieces[i].name, slash ? slash + 1 : file);
    }
    rt_json_close(&line, '}');
    rt_status status = rt_json_end(&line, out, error);
    rt_json_free(&line);
    if (fclose(out) != 0 && status == RT_OK)
        status = rt_fail_errno(error, RT_IO, "cannot write '%s'", aside);
    if (status == RT_OK && rename(aside, path) != 0)
        status = rt_fail_errno(error, RT_IO, "cannot rename '%s'", aside);
    if (status != RT_OK)
        remove(aside);
    return status;
}

rt_status published_write(const published_model *model, const safetensors *source,
                          const published_target *target, rt_error *error)
{
    if (strlen(target->path) + 64 > PUBLISHED_NAME)
        return rt_fail(error, RT_INVALID, "the path '%.64s…' is too long", target->path);
    export x = {.model = model, .source = source, .target = target};
    rt_status status = list_pieces(&x, error);
    for (size_t shard = 0; status == RT_OK && shard < x.shards; shard++)
        status = write_shard(&x, shard, error);
    if (status == RT_OK && x.shards > 1)
        status = write_index(&x, error);
    free(x.tensors);
    free(x.pieces);
    return status;
}
