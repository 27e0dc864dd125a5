#include "graph/text_reader.h"

#include "graph/op.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

typedef struct parser {
    text_reader r;
    graph *g;
    graph_value_vec values; /* by id; NULL where there is none */
} parser;

enum { VALUE_LIMIT = 1 << 22 };

static dim_id read_dim(parser *p)
{
    atom word = text_reader_word(&p->r);
    size_t length = strcspn(word, "'");
    int nth = word[length] ? atoi(word + length + 1) : 1;
    atom name = atom_intern(p->g->atoms, word, length);
    for (size_t d = 0; d < p->g->dims.count; d++)
        if (p->g->dims.items[d].name == name && --nth == 0)
            return (dim_id)d;
    text_reader_fail(&p->r, "no dimension '%s'", word);
    return 0;
}

static int read_axis(parser *p)
{
    atom word = text_reader_word(&p->r);
    for (size_t a = 0; a < p->g->mesh.count; a++)
        if (p->g->mesh.items[a].name == word)
            return (int)a;
    text_reader_fail(&p->r, "no axis '%s'", word);
    return 0;
}

static int read_variable_path(parser *p)
{
    atom word = text_reader_word(&p->r);
    for (size_t v = 0; v < p->g->variables.count; v++)
        if (p->g->variables.items[v].path == word)
            return (int)v;
    text_reader_fail(&p->r, "no variable '%s'", word);
    return -1;
}

static dtype read_dtype(parser *p)
{
    atom word = text_reader_word(&p->r);
    for (int t = 0; t < DTYPE_COUNT; t++)
        if (strcmp(dtype_name((dtype)t), word) == 0)
            return (dtype)t;
    text_reader_fail(&p->r, "no element type '%s'", word);
    return DTYPE_F32;
}

static void read_type(parser *p, graph_type *t, graph_layout *layout)
{
    *t = (graph_type){.dtype = read_dtype(p)};
    *layout = graph_layout_none();
    if (text_reader_take(&p->r, "[")) {
        do {
            if (t->rank == GRAPH_MAX_RANK) {
                text_reader_fail(&p->r, "more than %d dimensions", GRAPH_MAX_RANK);
                return;
            }
            t->dims[t->rank] = read_dim(p);
            if (text_reader_take(&p->r, "@"))
                layout->axis[t->rank] = (int8_t)read_axis(p);
            t->rank++;
        } while (text_reader_take(&p->r, ","));
        text_reader_expect(&p->r, "]");
    }
    if (text_reader_take(&p->r, "{")) {
        do {
            text_reader_expect(&p->r, "+");
            layout->partial |= 1u << read_axis(p);
        } while (text_reader_take(&p->r, ","));
        text_reader_expect(&p->r, "}");
    }
}

static int read_id(parser *p)
{
    text_reader_expect(&p->r, "%");
    int64_t id = text_reader_integer(&p->r);
    if (id < 0 || id >= VALUE_LIMIT)
        text_reader_fail(&p->r, "no value has the number %lld", (long long)id);
    return text_reader_failed(&p->r) ? 0 : (int)id;
}

static graph_value *read_value(parser *p)
{
    int id = read_id(p);
    if ((size_t)id >= p->values.count || !p->values.items[id])
        text_reader_fail(&p->r, "%%%d is used before it is defined", id);
    return text_reader_failed(&p->r) ? NULL : p->values.items[id];
}

static graph_value *define(parser *p, int id, graph_region *region)
{
    while (p->values.count <= (size_t)id)
        vec_push(p->g->memory, &p->values, NULL);
    if (p->values.items[id])
        text_reader_fail(&p->r, "%%%d is defined twice", id);
    graph_value *v = graph_value_new(p->g, region, (graph_type){.rank = 0});
    v->id = id;
    p->values.items[id] = v;
    if (p->g->next_value <= id)
        p->g->next_value = id + 1;
    return v;
}

/* Letters to indices, numbered as they appear. */
typedef struct letters {
    char of[GRAPH_MAX_INDICES];
} letters;

typedef struct map_row {
    int8_t slots[GRAPH_MAX_RANK];
    int rank;
} map_row;

static int8_t index_of_letter(parser *p, graph_op *op, letters *l, char letter)
{
    for (int i = 0; i < op->index_count; i++)
        if (l->of[i] == letter)
            return (int8_t)i;
    if (op->index_count == GRAPH_MAX_INDICES) {
        text_reader_fail(&p->r, "more than %d indices", GRAPH_MAX_INDICES);
        return 0;
    }
    l->of[op->index_count] = letter;
    op->indices[op->index_count].dim = -1;
    return (int8_t)op->index_count++;
}

/* `[b _ d]`; every slot NO_INDEX when there is no bracket. */
static map_row read_map(parser *p, graph_op *op, letters *l)
{
    map_row map = {.rank = -1};
    memset(map.slots, NO_INDEX, sizeof map.slots);
    if (!text_reader_take(&p->r, "["))
        return map;
    for (map.rank = 0; !text_reader_failed(&p->r) && !text_reader_take(&p->r, "]"); map.rank++) {
        atom word = text_reader_word(&p->r);
        if (map.rank == GRAPH_MAX_RANK || strlen(word) != 1)
            text_reader_fail(&p->r, "expected the letter of an index");
        else if (word[0] != '_')
            map.slots[map.rank] = index_of_letter(p, op, l, word[0]);
    }
    return map;
}

/* The index of a mapped slot is over that slot's dimension, if it is the first. */
static void bind_dims(graph_op *op, const int8_t *map, const graph_value *v)
{
    for (int slot = 0; slot < v->type.rank; slot++)
        if (map[slot] != NO_INDEX && op->indices[(int)map[slot]].dim < 0)
            op->indices[(int)map[slot]].dim = v->type.dims[slot];
}

static void read_inputs(parser *p, graph_op *op, letters *l)
{
    VEC(map_row) maps = {0};
    if (!text_reader_sees(&p->r, "%"))
        return;
    do {
        graph_value *v = read_value(p);
        map_row map = read_map(p, op, l);
        if (text_reader_failed(&p->r))
            return;
        if (map.rank >= 0 && map.rank != v->type.rank)
            text_reader_fail(&p->r, "%%%d has %d dimensions", v->id, v->type.rank);
        vec_push(p->g->memory, &op->inputs, v);
        vec_push(p->g->memory, &maps, map);
    } while (text_reader_take(&p->r, ","));
    op->input_map = arena_alloc(p->g->memory, sizeof *op->input_map * maps.count);
    for (size_t k = 0; k < maps.count; k++)
        memcpy(op->input_map[k], maps.items[k].slots, sizeof maps.items[k].slots);
    for (size_t k = 0; k < maps.count && !text_reader_failed(&p->r); k++)
        bind_dims(op, op->input_map[k], op->inputs.items[k]);
}

static bool read_attribute(parser *p, graph_op *op, const op_attributes *words)
{
    for (int k = 0; k < 16; k++)
        if (words->i[k] && text_reader_take_word(&p->r, words->i[k])) {
            text_reader_expect(&p->r, "=");
            op->attrs.i[k] = text_reader_integer(&p->r);
            return true;
        }
    for (int k = 0; k < 4; k++)
        if (words->f[k] && text_reader_take_word(&p->r, words->f[k])) {
            text_reader_expect(&p->r, "=");
            op->attrs.f[k] = text_reader_number(&p->r);
            return true;
        }
    if (words->name && text_reader_take_word(&p->r, "name")) {
        text_reader_expect(&p->r, "=");
        op->attrs.name = text_reader_quoted(&p->r);
        return true;
    }
    if (words->variable && text_reader_take_word(&p->r, "variable")) {
        text_reader_expect(&p->r, "=");
        op->attrs.variable = read_variable_path(p);
        return true;
    }
    return false;
}

static void read_output_maps(parser *p, graph_op *op, letters *l)
{
    if (!text_reader_take(&p->r, "->"))
        return;
    for (size_t k = 0; k < op->outputs.count; k++) {
        if (k)
            text_reader_expect(&p->r, ",");
        map_row map = read_map(p, op, l);
        memcpy(op->output_map[k], map.slots, sizeof map.slots);
        op->outputs.items[k]->type.rank = map.rank;
    }
}

static void read_output_types(parser *p, graph_op *op)
{
    for (size_t k = 0; k < op->outputs.count; k++) {
        graph_value *v = op->outputs.items[k];
        int rank = v->type.rank;
        text_reader_expect(&p->r, k ? "," : ":");
        read_type(p, &v->type, &v->layout);
        if (op->kind != OP_repeat && rank != v->type.rank)
            text_reader_fail(&p->r, "%%%d has another number of dimensions than indices", v->id);
        if (!text_reader_failed(&p->r))
            bind_dims(op, op->output_map[k], v);
    }
}

static void read_tail(parser *p, graph_op *op)
{
    if (text_reader_take_word(&p->r, "as"))
        for (size_t k = 0; k < op->outputs.count; k++) {
            if (k)
                text_reader_expect(&p->r, ",");
            atom name = text_reader_word(&p->r);
            op->outputs.items[k]->name = strcmp(name, "-") == 0 ? NULL : name;
        }
    if (text_reader_take_word(&p->r, "path"))
        op->path = text_reader_word(&p->r);
    if (text_reader_take_word(&p->r, "from"))
        while (text_reader_sees(&p->r, "\""))
            vec_push(p->g->memory, &op->trail, text_reader_named_place(&p->r));
    op->at = text_reader_place(&p->r);
}

static void read_body(parser *p, graph_op *op);

/* `%3, %4 = ` in front of an operator that has results. */
static void read_results(parser *p, graph_op *op, graph_region *region)
{
    if (!text_reader_sees(&p->r, "%"))
        return;
    do {
        int id = read_id(p);
        if (text_reader_failed(&p->r))
            return;
        graph_value *v = define(p, id, region);
        v->producer = op;
        vec_push(p->g->memory, &op->outputs, v);
    } while (text_reader_take(&p->r, ","));
    text_reader_expect(&p->r, "=");
    size_t bytes = sizeof *op->output_map * op->outputs.count;
    op->output_map = arena_alloc(p->g->memory, bytes);
    memset(op->output_map, NO_INDEX, bytes);
}

static void read_op(parser *p, graph_region *region)
{
    graph_op *op = arena_make(p->g->memory, graph_op);
    letters l = {.of = {0}};
    op->attrs.variable = -1;
    read_results(p, op, region);
    atom word = text_reader_word(&p->r);
    op->kind = op_find(word, strlen(word));
    if (op->kind == OP_COUNT)
        text_reader_fail(&p->r, "no operator '%s'", word);
    if (text_reader_failed(&p->r))
        return;
    read_inputs(p, op, &l);
    while (!text_reader_failed(&p->r) && read_attribute(p, op, op_info_of(op->kind)->attributes))
        ;
    read_output_maps(p, op, &l);
    read_output_types(p, op);
    read_tail(p, op);
    vec_push(p->g->memory, &region->ops, op);
    if (op->kind == OP_repeat)
        read_body(p, op);
}

static void read_arguments(parser *p, graph_region *body)
{
    if (!text_reader_line(&p->r) || !text_reader_take_word(&p->r, "arguments")) {
        text_reader_fail(&p->r, "expected 'arguments'");
        return;
    }
    if (!text_reader_sees(&p->r, "%"))
        return;
    do {
        int id = read_id(p);
        if (text_reader_failed(&p->r))
            return;
        graph_value *v = define(p, id, body);
        text_reader_expect(&p->r, ":");
        read_type(p, &v->type, &v->layout);
        vec_push(p->g->memory, &body->arguments, v);
    } while (text_reader_take(&p->r, ","));
}

static void read_yield(parser *p, graph_region *body)
{
    while (text_reader_sees(&p->r, "%")) {
        vec_push(p->g->memory, &body->results, read_value(p));
        text_reader_take(&p->r, ",");
    }
    if (!text_reader_line(&p->r) || !text_reader_take_word(&p->r, "end"))
        text_reader_fail(&p->r, "expected 'end'");
}

static void read_body(parser *p, graph_op *op)
{
    op->body = arena_make(p->g->memory, graph_region);
    op->body->owner = op;
    read_arguments(p, op->body);
    while (text_reader_line(&p->r)) {
        if (text_reader_take_word(&p->r, "yield")) {
            read_yield(p, op->body);
            return;
        }
        read_op(p, op->body);
    }
    text_reader_fail(&p->r, "expected 'yield'");
}

static void read_result(parser *p, graph_function *f)
{
    static const char *const words[] = {"loss", "metric", "learning_rate", "grad_norm", "scores"};
    for (int k = 0; k < 5; k++)
        if (text_reader_take_word(&p->r, words[k])) {
            graph_result result = {.kind = (result_kind)k, .name = text_reader_quoted(&p->r)};
            text_reader_expect(&p->r, "=");
            result.value = read_value(p);
            vec_push(p->g->memory, &f->results, result);
            return;
        }
    text_reader_fail(&p->r, "expected the kind of a result");
}

static void read_gradient(parser *p, graph_function *f)
{
    graph_gradient gradient = {.variable = read_variable_path(p)};
    text_reader_expect(&p->r, "=");
    gradient.value = read_value(p);
    vec_push(p->g->memory, &f->gradients, gradient);
}

static void read_function(parser *p)
{
    graph_function *f = graph_function_add(p->g, text_reader_word(&p->r));
    while (text_reader_line(&p->r)) {
        if (text_reader_take_word(&p->r, "end"))
            return;
        if (text_reader_take_word(&p->r, "result"))
            read_result(p, f);
        else if (text_reader_take_word(&p->r, "gradient"))
            read_gradient(p, f);
        else
            read_op(p, &f->region);
    }
    text_reader_fail(&p->r, "expected 'end'");
}

static void read_dim_line(parser *p)
{
    atom word = text_reader_word(&p->r);
    atom name = atom_intern(p->g->atoms, word, strcspn(word, "'"));
    text_reader_expect(&p->r, "=");
    int64_t size = text_reader_integer(&p->r);
    bool batch = text_reader_take_word(&p->r, "batch");
    span at = text_reader_place(&p->r);
    if (size < 0)
        text_reader_fail(&p->r, "a size is not negative");
    if (text_reader_failed(&p->r))
        return;
    graph_dim_add(p->g, name, size, at);
    vec_last(&p->g->dims).batch = batch;
}

static void read_mesh_line(parser *p)
{
    graph_axis axis = {.name = text_reader_word(&p->r)};
    text_reader_expect(&p->r, "=");
    axis.size = (int)text_reader_integer(&p->r);
    axis.declared = text_reader_place(&p->r);
    if (axis.size < 1 || p->g->mesh.count == GRAPH_MAX_AXES)
        text_reader_fail(&p->r, "an axis has 1 rank or more, and there are at most %d",
                         GRAPH_MAX_AXES);
    vec_push(p->g->memory, &p->g->mesh, axis);
}

static variable_kind read_variable_kind(parser *p)
{
    static const char *const words[] = {"parameter", "optimizer", "state", "cache", "sum"};
    for (int k = 0; k < 5; k++)
        if (text_reader_take_word(&p->r, words[k]))
            return (variable_kind)k;
    text_reader_fail(&p->r, "expected the kind of a variable");
    return VARIABLE_PARAMETER;
}

static void read_variable_line(parser *p)
{
    graph_variable v = {.path = text_reader_word(&p->r), .of = -1};
    text_reader_expect(&p->r, ":");
    read_type(p, &v.type, &v.layout);
    v.kind = read_variable_kind(p);
    if (text_reader_take_word(&p->r, "of"))
        v.of = read_variable_path(p);
    if (text_reader_take_word(&p->r, "init")) {
        v.init = text_reader_word(&p->r);
        text_reader_expect(&p->r, "(");
        v.init_args[0] = text_reader_number(&p->r);
        text_reader_expect(&p->r, ",");
        v.init_args[1] = text_reader_number(&p->r);
        text_reader_expect(&p->r, ")");
    }
    v.stacked = text_reader_take_word(&p->r, "stacked");
    v.frozen = text_reader_take_word(&p->r, "frozen");
    v.at = text_reader_place(&p->r);
    int index = graph_variable_add(p->g, v);
    p->g->variables.items[index].layout = v.layout;
}

static void read_all(parser *p)
{
    if (!text_reader_line(&p->r))
        text_reader_fail(&p->r, "an empty text");
    p->g->form = text_reader_word(&p->r);
    if (strcmp(p->g->form, "graph") != 0 && strcmp(p->g->form, "spmd") != 0)
        text_reader_fail(&p->r, "expected 'graph' or 'spmd'");
    while (text_reader_line(&p->r)) {
        if (text_reader_take_word(&p->r, "dim"))
            read_dim_line(p);
        else if (text_reader_take_word(&p->r, "mesh"))
            read_mesh_line(p);
        else if (text_reader_take_word(&p->r, "variable"))
            read_variable_line(p);
        else if (text_reader_take_word(&p->r, "function"))
            read_function(p);
        else
            text_reader_fail(&p->r, "expected dim, mesh, variable or function");
    }
}

graph *graph_parse(arena *a, atom_table *atoms, source_set *sources, const char *text,
                   graph_parse_error *error)
{
    parser p = {.r = text_reader_at(a, atoms, sources, text), .g = graph_new(a, atoms, sources)};
    read_all(&p);
    *error = p.r.error;
    return text_reader_failed(&p.r) ? NULL : p.g;
}
