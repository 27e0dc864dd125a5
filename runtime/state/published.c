#include "state/published.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t published_row_count(const published_model *model)
{
    return model->form ? model->form->tensor_count : model->variable_count;
}

/* Without a form, a row for each variable; `own_part` is where its one part lies. */
published_tensor published_row(const published_model *model, size_t row, int *own_part)
{
    if (model->form)
        return model->form->tensors[row];
    *own_part = (int)row;
    return (published_tensor){
        .name = model->variables[row].path, .parts = own_part, .part_count = 1};
}

bool published_is_layered(const published_tensor *row)
{
    return strchr(row->name, '{') != NULL;
}

published_shape published_row_shape(const published_model *model, const published_tensor *row)
{
    const published_variable *first = &model->variables[row->parts[0]];
    size_t skip = published_is_layered(row) ? 1 : 0;
    published_shape shape = {.rank = first->rank - skip,
                             .layers = skip ? (size_t)first->shape[0] : 1};
    for (size_t i = 0; i < shape.rank; i++)
        shape.size[i] = first->shape[skip + i];
    for (size_t p = 1; p < row->part_count; p++) {
        const published_variable *part = &model->variables[row->parts[p]];
        shape.size[shape.rank - 1] += part->shape[part->rank - 1];
    }
    if (row->turned) {
        uint64_t out = shape.size[1];
        shape.size[1] = shape.size[0];
        shape.size[0] = out;
    }
    return shape;
}

/* Writes the prefix and the pattern with its braces filled in. False where the name would be too long. */
bool published_name(const char *pattern, size_t layer, const char *prefix, char *name)
{
    const char *open = strchr(pattern, '{'), *close = open ? strchr(open, '}') : NULL;
    const char *before = prefix ? prefix : "";
    int length = close ? snprintf(name, PUBLISHED_NAME, "%s%.*s%zu%s", before,
                                  (int)(open - pattern), pattern, layer, close + 1)
                       : snprintf(name, PUBLISHED_NAME, "%s%s", before, pattern);
    return length >= 0 && length < PUBLISHED_NAME;
}

/* The tensor of that name, with the form's prefix or without; *twice: both are there. */
static const safetensors_entry *find(const published_model *model, const safetensors *file,
                                     const char *pattern, size_t layer, bool *twice)
{
    const char *prefix = model->form ? model->form->prefix : NULL;
    char name[PUBLISHED_NAME];
    const safetensors_entry *bare =
        published_name(pattern, layer, NULL, name) ? safetensors_find(file, name) : NULL;
    const safetensors_entry *full = prefix && published_name(pattern, layer, prefix, name)
                                        ? safetensors_find(file, name)
                                        : NULL;
    *twice = bare && full;
    return full ? full : bare;
}

/* ------------------------------------------------------------------ what does not fit */

typedef struct matching {
    const published_model *model;
    const safetensors *file;
    published_problem_fn *tell;
    void *user;
    bool *known; /* of the file's tensors */
    size_t problems;
} matching;

static void tell(matching *m, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void tell(matching *m, const char *format, ...)
{
    char text[3 * PUBLISHED_NAME];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    m->problems++;
    m->tell(m->user, text);
}

static const char *shape_text(size_t rank, const uint64_t *size, char text[200])
{
    size_t used = (size_t)snprintf(text, 200, "[");
    for (size_t i = 0; i < rank; i++)
        used += (size_t)snprintf(text + used, 200 - used, "%s%" PRIu64, i ? ", " : "", size[i]);
    snprintf(text + used, 200 - used, "]");
    return text;
}

/* Whether the plan can do without the tensor. */
static bool may_be_missing(const published_model *model, const published_tensor *row)
{
    bool may = true;
    for (size_t p = 0; p < row->part_count; p++) {
        const published_variable *v = &model->variables[row->parts[p]];
        may = may && (v->fresh || v->optional);
    }
    return may || row->tied;
}

static bool is_read(const published_model *model, const published_tensor *row)
{
    bool read = false;
    for (size_t p = 0; p < row->part_count; p++)
        read = read || !model->variables[row->parts[p]].fresh;
    return read;
}

static void match_tensor(matching *m, const published_tensor *row, const published_shape *wanted,
                         size_t layer)
{
    bool twice;
    const safetensors_entry *entry = find(m->model, m->file, row->name, layer, &twice);
    const published_variable *first = &m->model->variables[row->parts[0]];
    char name[PUBLISHED_NAME], has[200], wants[200];
    if (!entry) {
        if (!may_be_missing(m->model, row) && published_name(row->name, layer, NULL, name))
            tell(m, "tensor '%s' is missing: '%s' begins from it", name, first->path);
        return;
    }
    m->known[entry - safetensors_at(m->file, 0)] = true;
    if (twice) {
        tell(m, "tensor '%s' is there twice, with '%s' and without", entry->name,
             m->model->form->prefix);
        return;
    }
    if (!is_read(m->model, row))
        return;
    if (entry->type > RT_BF16) {
        tell(m, "tensor '%s' is of %s, and weights are of F64, F32, F16 or BF16", entry->name,
             rt_element_name(entry->type));
        return;
    }
    bool same = entry->rank == wanted->rank;
    for (size_t i = 0; same && i < wanted->rank; i++)
        same = entry->shape[i] == wanted->size[i];
    if (!same)
        tell(m, "tensor '%s' has the shape %s, and '%s' needs %s", entry->name,
             shape_text(entry->rank, entry->shape, has), first->path,
             shape_text(wanted->rank, wanted->size, wants));
}

static void match_rows(matching *m)
{
    for (size_t i = 0; i < published_row_count(m->model); i++) {
        int own;
        published_tensor row = published_row(m->model, i, &own);
        published_shape wanted = published_row_shape(m->model, &row);
        for (size_t layer = 0; layer < wanted.layers; layer++)
            match_tensor(m, &row, &wanted, layer);
    }
}

/* Does the name fit the pattern, whose braces stand for any number? */
static bool fits(const char *pattern, const char *name)
{
    const char *open = strchr(pattern, '{'), *close = open ? strchr(open, '}') : NULL;
    if (!close)
        return strcmp(pattern, name) == 0;
    size_t before = (size_t)(open - pattern);
    if (strncmp(pattern, name, before) != 0)
        return false;
    const char *digits = name + before;
    size_t count = strspn(digits, "0123456789");
    return count > 0 && strcmp(digits + count, close + 1) == 0;
}

/* In a file of the plan's own names, what belongs to an optimizer is known and not read. */
static bool is_ignored(const published_model *model, const char *name)
{
    const published_form *form = model->form;
    if (!form)
        return strchr(name, '/') != NULL;
    size_t prefix = form->prefix ? strlen(form->prefix) : 0;
    bool prefixed = prefix > 0 && strncmp(name, form->prefix, prefix) == 0;
    for (size_t i = 0; i < form->ignored_count; i++)
        if (fits(form->ignored[i], name) || (prefixed && fits(form->ignored[i], name + prefix)))
            return true;
    return false;
}

static void match_strangers(matching *m)
{
    for (size_t i = 0; i < safetensors_count(m->file); i++) {
        const char *name = safetensors_at(m->file, i)->name;
        if (!m->known[i] && !is_ignored(m->model, name))
            tell(m, "tensor '%s' matches nothing of the plan", name);
    }
}

rt_status published_match(const published_model *model, const safetensors *file,
                          published_problem_fn *problem, void *user, rt_error *error)
{
    matching m = {.model = model, .file = file, .tell = problem, .user = user};
    m.known = calloc(safetensors_count(file) + 1, sizeof *m.known);
    if (!m.known)
        return rt_fail(error, RT_NO_MEMORY, "out of memory for the names of tensors");
    match_rows(&m);
    match_strangers(&m);
    free(m.known);
    if (m.problems == 0)
        return RT_OK;
    return rt_fail(error, RT_MISMATCH, "%zu tensor%s not fit %s%s", m.problems,
                   m.problems == 1 ? " does" : "s do",
                   model->form ? "the plan by the names of " : "the plan's own names",
                   model->form ? model->form->name : "");
}

/* ------------------------------------------------------------------ reading */

/* A variable's slice as a row of the form has it, layer by layer. */
typedef struct reading {
    const published_model *model;
    const safetensors *file;
    published_tensor row;
    published_shape shape;
    uint64_t offset; /* of the variable in the row's last dimension */
} reading;

static reading reading_of(const published_model *model, const safetensors *file,
                          const published_tensor *row, size_t variable)
{
    reading r = {model, file, *row, published_row_shape(model, row), 0};
    for (size_t p = 0; p < row->part_count && row->parts[p] != (int)variable; p++) {
        const published_variable *before = &model->variables[row->parts[p]];
        r.offset += before->shape[before->rank - 1];
    }
    return r;
}

/* Turned values, which are read as floats. */
static rt_status read_turned(const reading *r, const safetensors_request *request,
                             const published_values *out, rt_error *error)
{
    if (out->type == RT_F32)
        return safetensors_read(r->file, request, out->bytes, error);
    if (out->type != RT_F64)
        return rt_fail(error, RT_UNSUPPORTED, "tensor '%s' is turned around, and so not read as %s",
                       request->name, rt_element_name(out->type));
    size_t count = (size_t)rt_slice_count(request->slice);
    float *values = malloc(count * sizeof *values + 1);
    if (!values)
        return rt_fail(error, RT_NO_MEMORY, "out of memory for '%s'", request->name);
    rt_status status = safetensors_read(r->file, request, values, error);
    for (size_t i = 0; status == RT_OK && i < count; i++)
        ((double *)out->bytes)[i] = (double)values[i];
    free(values);
    return status;
}

static rt_status read_layer(const reading *r, size_t layer, const rt_slice *slice,
                            const published_values *out, rt_error *error)
{
    static const size_t turned[] = {1, 0};
    bool twice;
    const safetensors_entry *entry = find(r->model, r->file, r->row.name, layer, &twice);
    if (!entry)
        return rt_fail(error, RT_NOT_FOUND, "no tensor '%s' of layer %zu", r->row.name, layer);
    rt_slice inside = *slice;
    if (inside.rank > 0) {
        size_t last = inside.rank - 1;
        inside.shape[last] = r->shape.size[r->row.turned ? 0 : last];
        inside.begin[last] += r->offset;
    }
    safetensors_request request = {
        .name = entry->name, .slice = &inside, .order = r->row.turned ? turned : NULL};
    if (r->row.turned)
        return read_turned(r, &request, out, error);
    return safetensors_read_as(r->file, &request, out->type, out->bytes, error);
}

static rt_status read_through(const reading *r, const rt_slice *slice, const published_values *out,
                              rt_error *error)
{
    if (!published_is_layered(&r->row))
        return read_layer(r, 0, slice, out, error);
    rt_slice one = {.rank = slice->rank - 1};
    memcpy(one.shape, slice->shape + 1, one.rank * sizeof *one.shape);
    memcpy(one.begin, slice->begin + 1, one.rank * sizeof *one.begin);
    memcpy(one.size, slice->size + 1, one.rank * sizeof *one.size);
    size_t stride = (size_t)rt_slice_count(&one) * rt_element_bytes(out->type);
    rt_status status = RT_OK;
    for (uint64_t i = 0; status == RT_OK && i < slice->size[0]; i++) {
        published_values at = {out->type, (char *)out->bytes + i * stride};
        status = read_layer(r, (size_t)(slice->begin[0] + i), &one, &at, error);
    }
    return status;
}

/* The row that a variable is read from. */
static bool row_with(const published_model *model, size_t variable, published_tensor *found,
                     int *own)
{
    for (size_t i = 0; i < published_row_count(model); i++) {
        *found = published_row(model, i, own);
        for (size_t p = 0; !found->tied && p < found->part_count; p++)
            if (found->parts[p] == (int)variable)
                return true;
    }
    return false;
}

bool published_has(const published_model *model, const safetensors *file, size_t variable)
{
    published_tensor row;
    int own;
    bool twice, has = row_with(model, variable, &row, &own);
    published_shape shape = has ? published_row_shape(model, &row) : (published_shape){0};
    for (size_t layer = 0; has && layer < shape.layers; layer++)
        has = find(model, file, row.name, layer, &twice) != NULL;
    return has;
}

rt_status published_read(const published_model *model, const safetensors *file, size_t variable,
                         const rt_slice *slice, const published_values *values, rt_error *error)
{
    published_tensor row;
    int own;
    if (!row_with(model, variable, &row, &own))
        return rt_fail(error, RT_NOT_FOUND, "no tensor holds '%s'",
                       model->variables[variable].path);
    reading r = reading_of(model, file, &row, variable);
    return read_through(&r, slice, values, error);
}

/* ------------------------------------------------------------------ ties */

static rt_status check_tie(const published_model *model, const safetensors *file,
                           const published_tensor *tied, rt_error *error)
{
    size_t variable = (size_t)tied->parts[0];
    const published_variable *v = &model->variables[variable];
    rt_slice whole = rt_slice_whole(v->rank, v->shape);
    size_t count = (size_t)rt_slice_count(&whole);
    float *one = malloc(count * sizeof *one + 1), *other = malloc(count * sizeof *other + 1);
    rt_status status =
        one && other ? RT_OK : rt_fail(error, RT_NO_MEMORY, "out of memory for '%s'", v->path);
    reading r = reading_of(model, file, tied, variable);
    if (status == RT_OK)
        status = read_through(&r, &whole, &(published_values){RT_F32, one}, error);
    if (status == RT_OK)
        status = published_read(model, file, variable, &whole, &(published_values){RT_F32, other},
                                error);
    if (status == RT_OK && memcmp(one, other, count * sizeof *one) != 0)
        status = rt_fail(error, RT_MISMATCH,
                         "tensor '%s' is not tied here: it differs from what '%s' begins from",
                         tied->name, v->path);
    free(other);
    free(one);
    return status;
}

rt_status published_check_ties(const published_model *model, const safetensors *file,
                               rt_error *error)
{
    rt_status status = RT_OK;
    for (size_t i = 0; model->form && status == RT_OK && i < model->form->tensor_count; i++) {
        const published_tensor *row = &model->form->tensors[i];
        bool twice;
        if (row->tied && is_read(model, row) && find(model, file, row->name, 0, &twice))
            status = check_tie(model, file, row, error);
    }
    return status;
}
