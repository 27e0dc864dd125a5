#define _GNU_SOURCE /* memmem */
/* Comma-separated values (RFC 4180): a row a sample, read into memory at open, each value checked there.
 *
 * A field's source is columns: "64", "0..63" (both ends count), names of the header ("label"), or a list "0..3, 7".
 * Options: delimiter = ',' | ';' | 'tab'; header = auto | yes | no. Under auto the first row is a header if none of
 * its cells that are asked for is a number or empty. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mapping.h"
#include "base/number.h"
#include "data/format.h"

typedef struct cell {
    const char *text;
    size_t length;
    bool quoted;
} cell;

/* Where a value of a sample comes from. */
typedef struct column_use {
    size_t column;
    size_t field;
} column_use;

typedef struct csv_reader {
    const dataset_request *request;
    const char *at, *end;
    unsigned long long line;     /* of `at`, from 1 */
    unsigned long long row_line; /* of the row in `cells` */
    char delimiter;
    cell *cells;
    size_t cell_count, cell_room;
    size_t width;     /* cells of the first row */
    column_use *uses; /* in the order of a sample's values */
    size_t use_count;
    int32_t *values; /* a sample after the other */
    size_t sample_count, sample_room;
} csv_reader;

typedef struct csv_state {
    int32_t *values; /* bits of floats and ids */
    size_t sample_values;
    size_t *offsets; /* of each field in a sample */
    size_t *sizes;
} csv_state;

static rt_status no_memory(const csv_reader *r, rt_error *error)
{
    return rt_fail(error, RT_NO_MEMORY, "out of memory while reading '%s'", r->request->path);
}

static rt_status add_cell(csv_reader *r, cell c, rt_error *error)
{
    if (r->cell_count == r->cell_room) {
        size_t room = r->cell_room ? r->cell_room * 2 : 64;
        cell *grown = realloc(r->cells, room * sizeof *grown);
        if (!grown)
            return no_memory(r, error);
        r->cells = grown;
        r->cell_room = room;
    }
    r->cells[r->cell_count++] = c;
    return RT_OK;
}

static bool at_cell_end(const csv_reader *r)
{
    return r->at == r->end || *r->at == r->delimiter || *r->at == '\n' || *r->at == '\r';
}

/* A quoted cell: its text keeps doubled quotes, which are rare and are undone when the cell is used. */
static rt_status scan_quoted(csv_reader *r, cell *c, rt_error *error)
{
    unsigned long long opened = r->line;
    c->quoted = true;
    c->text = ++r->at;
    for (; r->at < r->end; r->at++) {
        if (*r->at == '\n')
            r->line++;
        if (*r->at != '"')
            continue;
        if (r->at + 1 < r->end && r->at[1] == '"') {
            r->at++;
            continue;
        }
        c->length = (size_t)(r->at - c->text);
        r->at++;
        if (at_cell_end(r))
            return RT_OK;
        return rt_fail(error, RT_DAMAGED, "'%s' line %llu column %zu: text after the closing quote",
                       r->request->path, r->line, r->cell_count);
    }
    return rt_fail(error, RT_DAMAGED, "'%s' line %llu column %zu: the quote is never closed",
                   r->request->path, opened, r->cell_count);
}

static void scan_plain(csv_reader *r, cell *c)
{
    c->text = r->at;
    while (!at_cell_end(r))
        r->at++;
    c->length = (size_t)(r->at - c->text);
}

static void skip_line_end(csv_reader *r)
{
    if (r->at < r->end && *r->at == '\r')
        r->at++;
    if (r->at < r->end && *r->at == '\n')
        r->at++;
    r->line++;
}

/* RT_END when no row is left. */
static rt_status scan_row(csv_reader *r, rt_error *error)
{
    r->cell_count = 0;
    r->row_line = r->line;
    if (r->at == r->end)
        return RT_END;
    for (;;) {
        cell c = {0};
        if (r->at < r->end && *r->at == '"') {
            rt_status status = scan_quoted(r, &c, error);
            if (status != RT_OK)
                return status;
        } else {
            scan_plain(r, &c);
        }
        rt_status status = add_cell(r, c, error);
        if (status != RT_OK)
            return status;
        if (r->at == r->end)
            return RT_OK;
        if (*r->at != r->delimiter)
            break;
        r->at++;
    }
    skip_line_end(r);
    return RT_OK;
}

static bool row_is_empty(const csv_reader *r)
{
    return r->cell_count == 1 && r->cells[0].length == 0 && !r->cells[0].quoted;
}

/* Empty lines at the end of the file are no rows; elsewhere they miss their values. */
static rt_status next_row(csv_reader *r, rt_error *error)
{
    rt_status status = scan_row(r, error);
    if (status != RT_OK || !row_is_empty(r))
        return status;
    unsigned long long line = r->row_line;
    while ((status = scan_row(r, error)) == RT_OK)
        if (!row_is_empty(r))
            return rt_fail(error, RT_DAMAGED, "'%s' line %llu is empty", r->request->path, line);
    return status;
}

/* The text of a cell without its doubled quotes; false if it holds more than any number or name would. */
static bool cell_text(const cell *c, char *room, size_t size, size_t *length)
{
    size_t out = 0;
    for (size_t i = 0; i < c->length; i++) {
        if (out == size)
            return false;
        room[out++] = c->text[i];
        if (c->quoted && c->text[i] == '"')
            i++;
    }
    *length = out;
    return true;
}

static bool cell_is_number(const cell *c)
{
    char room[256];
    size_t length;
    double value;
    if (!c->quoted)
        return rt_parse_double(c->text, c->length, &value);
    return cell_text(c, room, sizeof room, &length) && rt_parse_double(room, length, &value);
}

/* Which column a word of a source names: digits, else a name of the first row. */
static rt_status find_column(const csv_reader *r, size_t field, const char *word, size_t length,
                             size_t *column, rt_error *error)
{
    int64_t number;
    if (rt_parse_int64(word, length, &number)) {
        if (number < 0 || (uint64_t)number >= r->cell_count)
            return rt_fail(error, RT_NOT_FOUND, "'%s' has columns 0 to %zu; '%s' wants %lld",
                           r->request->path, r->cell_count - 1, r->request->fields[field].name,
                           (long long)number);
        *column = (size_t)number;
        return RT_OK;
    }
    for (size_t i = 0; i < r->cell_count; i++) {
        char room[256];
        size_t size;
        if (cell_text(&r->cells[i], room, sizeof room, &size) && size == length &&
            memcmp(room, word, size) == 0) {
            *column = i;
            return RT_OK;
        }
    }
    return rt_fail(error, RT_NOT_FOUND, "'%s' line %llu names no column '%.*s' for '%s'",
                   r->request->path, r->row_line, (int)length, word,
                   r->request->fields[field].name);
}

static rt_status use_columns(csv_reader *r, size_t field, size_t first, size_t last,
                             rt_error *error)
{
    if (last < first)
        return rt_fail(error, RT_INVALID, "columns %zu..%zu of '%s' are none", first, last,
                       r->request->fields[field].name);
    column_use *grown = realloc(r->uses, (r->use_count + last - first + 1) * sizeof *grown);
    if (!grown)
        return no_memory(r, error);
    r->uses = grown;
    for (size_t column = first; column <= last; column++)
        r->uses[r->use_count++] = (column_use){column, field};
    return RT_OK;
}

static void trim_word(const char **word, size_t *length)
{
    while (*length && (**word == ' ' || **word == '\t')) {
        ++*word;
        --*length;
    }
    while (*length && ((*word)[*length - 1] == ' ' || (*word)[*length - 1] == '\t'))
        --*length;
}

/* One "FIRST..LAST" or "ONE" of a source. */
static rt_status parse_range(csv_reader *r, size_t field, const char *text, size_t length,
                             rt_error *error)
{
    trim_word(&text, &length);
    const char *dots = length ? memmem(text, length, "..", 2) : NULL;
    const char *second = dots ? dots + 2 : text;
    size_t first_length = dots ? (size_t)(dots - text) : length;
    size_t second_length = dots ? length - first_length - 2 : length;
    trim_word(&text, &first_length);
    trim_word(&second, &second_length);
    size_t first = 0, last = 0;
    rt_status status = find_column(r, field, text, first_length, &first, error);
    if (status == RT_OK)
        status = find_column(r, field, second, second_length, &last, error);
    return status == RT_OK ? use_columns(r, field, first, last, error) : status;
}

/* Finds each field's columns, with the first row in `cells`. */
static rt_status bind_columns(csv_reader *r, rt_error *error)
{
    for (size_t field = 0; field < r->request->field_count; field++) {
        size_t before = r->use_count;
        const char *source = r->request->fields[field].source;
        if (!source)
            return rt_fail(error, RT_INVALID, "no columns are given for '%s'",
                           r->request->fields[field].name);
        for (;;) {
            size_t length = strcspn(source, ",");
            rt_status status = parse_range(r, field, source, length, error);
            if (status != RT_OK)
                return status;
            if (!source[length])
                break;
            source += length + 1;
        }
        rt_status status =
            dataset_settle_size(r->request, field, r->request->path, r->use_count - before, error);
        if (status != RT_OK)
            return status;
    }
    return RT_OK;
}

static bool first_row_is_header(const csv_reader *r, const char *option)
{
    if (strcmp(option, "auto") != 0)
        return strcmp(option, "yes") == 0;
    for (size_t i = 0; i < r->use_count; i++) {
        const cell *c = &r->cells[r->uses[i].column];
        if (c->length == 0 || cell_is_number(c))
            return false;
    }
    return true;
}

static rt_status store_cell(csv_reader *r, const column_use *use, int32_t *out, rt_error *error)
{
    const cell *c = &r->cells[use->column];
    const char *name = r->request->fields[use->field].name;
    char room[256];
    const char *text = c->text;
    size_t length = c->length;
    if (c->quoted) {
        text = room;
        if (!cell_text(c, room, sizeof room, &length))
            length = 0;
    }
    double raw;
    if (!c->length)
        return rt_fail(error, RT_DAMAGED, "'%s' line %llu column %zu: a value of '%s' is missing",
                       r->request->path, r->row_line, use->column, name);
    if (!rt_parse_double(text, length, &raw))
        return rt_fail(error, RT_DAMAGED, "'%s' line %llu column %zu: '%.*s' is no number for '%s'",
                       r->request->path, r->row_line, use->column,
                       c->length > 40 ? 40 : (int)c->length, c->text, name);
    dataset_place place = {r->request->path, "line %llu column %llu", r->row_line, use->column};
    return dataset_store(&r->request->fields[use->field], raw, &place, out, error);
}

static rt_status grow_samples(csv_reader *r, rt_error *error)
{
    if (r->sample_count < r->sample_room)
        return RT_OK;
    size_t room = r->sample_room ? r->sample_room * 2 : 64;
    if (room > SIZE_MAX / sizeof *r->values / (r->use_count + 1))
        return no_memory(r, error);
    int32_t *grown = realloc(r->values, room * r->use_count * sizeof *grown);
    if (!grown)
        return no_memory(r, error);
    r->values = grown;
    r->sample_room = room;
    return RT_OK;
}

static rt_status store_row(csv_reader *r, rt_error *error)
{
    if (r->cell_count != r->width)
        return rt_fail(error, RT_DAMAGED, "'%s' line %llu has %zu columns, the first row has %zu",
                       r->request->path, r->row_line, r->cell_count, r->width);
    rt_status status = grow_samples(r, error);
    int32_t *sample = r->values + r->sample_count * r->use_count;
    for (size_t i = 0; i < r->use_count && status == RT_OK; i++)
        status = store_cell(r, &r->uses[i], sample + i, error);
    r->sample_count++;
    return status;
}

static rt_status read_options(csv_reader *r, const char **header, rt_error *error)
{
    const char *delimiter = dataset_option_value(r->request, "delimiter", ",");
    *header = dataset_option_value(r->request, "header", "auto");
    if (strcmp(delimiter, "tab") == 0)
        delimiter = "\t";
    if (strlen(delimiter) != 1 || strchr("\"\r\n0123456789+-.", *delimiter))
        return rt_fail(error, RT_INVALID, "'%s' cannot delimit columns", delimiter);
    r->delimiter = *delimiter;
    if (strcmp(*header, "auto") != 0 && strcmp(*header, "yes") != 0 && strcmp(*header, "no") != 0)
        return rt_fail(error, RT_INVALID, "a header is 'auto', 'yes' or 'no', not '%s'", *header);
    return RT_OK;
}

static rt_status read_rows(csv_reader *r, rt_error *error)
{
    const char *header;
    rt_status status = read_options(r, &header, error);
    if (status == RT_OK)
        status = next_row(r, error);
    if (status == RT_END)
        return rt_fail(error, RT_DAMAGED, "'%s' is empty", r->request->path);
    r->width = r->cell_count;
    if (status == RT_OK)
        status = bind_columns(r, error);
    if (status == RT_OK && !first_row_is_header(r, header))
        status = store_row(r, error);
    while (status == RT_OK && (status = next_row(r, error)) == RT_OK)
        status = store_row(r, error);
    return status == RT_END ? RT_OK : status;
}

static rt_status keep(csv_reader *r, dataset_file *file, rt_error *error)
{
    size_t fields = r->request->field_count;
    csv_state *state = calloc(1, sizeof *state + 2 * fields * sizeof(size_t));
    if (!state)
        return no_memory(r, error);
    state->offsets = (size_t *)(state + 1);
    state->sizes = state->offsets + fields;
    for (size_t i = 0, offset = 0; i < fields; i++) {
        state->offsets[i] = offset;
        offset += state->sizes[i] = r->request->field_sizes[i];
    }
    state->sample_values = r->use_count;
    size_t bytes = r->sample_count * r->use_count * sizeof *r->values;
    int32_t *exact = bytes ? realloc(r->values, bytes) : NULL;
    state->values = exact ? exact : r->values;
    r->values = NULL;
    *file = (dataset_file){.count = r->sample_count, .allocated = bytes, .state = state};
    return RT_OK;
}

static rt_status csv_open(const dataset_request *request, dataset_file *file, rt_error *error)
{
    rt_mapping map;
    rt_status status = rt_map_file(request->path, &map, error);
    if (status != RT_OK)
        return status;
    const char *text = map.size ? (const char *)map.bytes : "";
    csv_reader r = {.request = request, .at = text, .end = text + map.size, .line = 1};
    if (map.size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        r.at += 3; /* the byte order mark of UTF-8 */
    status = read_rows(&r, error);
    if (status == RT_OK)
        status = keep(&r, file, error);
    free(r.values);
    free(r.cells);
    free(r.uses);
    rt_unmap(&map);
    return status;
}

static rt_status csv_read(const dataset_file *file, uint64_t sample, size_t field, void *out,
                          rt_error *error)
{
    (void)error;
    const csv_state *state = file->state;
    const int32_t *values =
        state->values + (size_t)sample * state->sample_values + state->offsets[field];
    memcpy(out, values, state->sizes[field] * sizeof *values);
    return RT_OK;
}

static void csv_close(dataset_file *file)
{
    csv_state *state = file->state;
    free(state->values);
    free(state);
}

static const char *const options[] = {"delimiter", "header", NULL};

const dataset_format csv_format = {
    .name = "csv",
    .description = "comma-separated values, a row a sample",
    .options = options,
    .open = csv_open,
    .read = csv_read,
    .close = csv_close,
};
