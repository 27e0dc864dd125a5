#include "graph/text_form.h"

#include "base/text.h"
#include "graph/op.h"

#include <ctype.h>
#include <string.h>

typedef struct printer {
    const graph *g;
    arena *memory;
    text out;
} printer;

static void put_dim(printer *p, dim_id dim)
{
    atom name = p->g->dims.items[dim].name;
    int same = 1;
    for (dim_id d = 0; d < dim; d++)
        same += p->g->dims.items[d].name == name;
    text_add(&p->out, same == 1 ? "%s" : "%s'%d", name, same);
}

static void put_partial(printer *p, uint32_t partial)
{
    if (!partial)
        return;
    const char *before = "{+";
    for (size_t axis = 0; axis < p->g->mesh.count; axis++)
        if (partial >> axis & 1) {
            text_add(&p->out, "%s%s", before, p->g->mesh.items[axis].name);
            before = ", +";
        }
    text_add(&p->out, "}");
}

static void put_type(printer *p, const graph_type *t, const graph_layout *layout)
{
    text_add(&p->out, "%s", dtype_name(t->dtype));
    for (int slot = 0; slot < t->rank; slot++) {
        text_add(&p->out, slot ? ", " : "[");
        put_dim(p, t->dims[slot]);
        if (layout->axis[slot] != NO_AXIS)
            text_add(&p->out, "@%s", p->g->mesh.items[(int)layout->axis[slot]].name);
    }
    if (t->rank)
        text_add(&p->out, "]");
    put_partial(p, layout->partial);
}

static void put_place(printer *p, span at)
{
    if (p->g->sources && at.file >= 0)
        text_add(&p->out, " @ %s\n", source_line_name(p->g->sources, at, p->memory));
    else
        text_add(&p->out, " @ -\n");
}

/* Letters of an operator's indices, chosen in order of appearance: the dimension's own initial if it is free. */
typedef struct letters {
    char of[GRAPH_MAX_INDICES];
    bool taken[26];
} letters;

static char choose_letter(letters *l, const char *name)
{
    int wanted = isalpha((unsigned char)name[0]) ? tolower((unsigned char)name[0]) - 'a' : 0;
    while (l->taken[wanted])
        wanted = (wanted + 1) % 26;
    l->taken[wanted] = true;
    return (char)('a' + wanted);
}

static void choose_letters(const printer *p, const int8_t *map, const graph_value *v, letters *l)
{
    for (int slot = 0; slot < v->type.rank; slot++)
        if (map[slot] != NO_INDEX && !l->of[(int)map[slot]])
            l->of[(int)map[slot]] = choose_letter(l, p->g->dims.items[v->type.dims[slot]].name);
}

static void put_map(printer *p, const int8_t *map, int rank, const letters *l)
{
    for (int slot = 0; slot < rank; slot++)
        text_add(&p->out, "%s%c", slot ? " " : "[",
                 map[slot] == NO_INDEX ? '_' : l->of[(int)map[slot]]);
    text_add(&p->out, rank ? "]" : "[]");
}

static void put_attributes(printer *p, const graph_op *op)
{
    const op_attributes *words = op_info_of(op->kind)->attributes;
    for (int k = 0; k < 16; k++)
        if (words->i[k] && op->attrs.i[k])
            text_add(&p->out, " %s=%lld", words->i[k], (long long)op->attrs.i[k]);
    for (int k = 0; k < 4; k++)
        if (words->f[k])
            text_add(&p->out, " %s=%.17g", words->f[k], op->attrs.f[k]);
    if (words->name && op->attrs.name)
        text_add(&p->out, " name=\"%s\"", op->attrs.name);
    if (words->variable)
        text_add(&p->out, " variable=%s", p->g->variables.items[op->attrs.variable].path);
}

static void put_inputs(printer *p, const graph_op *op, const letters *l)
{
    for (size_t k = 0; k < op->inputs.count; k++) {
        const graph_value *v = op->inputs.items[k];
        text_add(&p->out, k ? ", %%%d" : " %%%d", v->id);
        if (v->type.rank && op->kind != OP_repeat)
            put_map(p, op->input_map[k], v->type.rank, l);
    }
}

static void put_outputs(printer *p, const graph_op *op, const letters *l)
{
    bool named = false;
    for (size_t k = 0; k < op->outputs.count && op->kind != OP_repeat; k++) {
        text_add(&p->out, k ? ", " : " -> ");
        put_map(p, op->output_map[k], op->outputs.items[k]->type.rank, l);
    }
    for (size_t k = 0; k < op->outputs.count; k++) {
        text_add(&p->out, k ? ", " : " : ");
        put_type(p, &op->outputs.items[k]->type, &op->outputs.items[k]->layout);
        named |= op->outputs.items[k]->name != NULL;
    }
    for (size_t k = 0; named && k < op->outputs.count; k++) {
        atom name = op->outputs.items[k]->name;
        text_add(&p->out, "%s%s", k ? ", " : " as ", name ? name : "-");
    }
}

static void put_line(printer *p, const graph_op *op)
{
    letters l = {.of = {0}};
    for (size_t k = 0; k < op->inputs.count; k++)
        choose_letters(p, op->input_map[k], op->inputs.items[k], &l);
    for (size_t k = 0; k < op->outputs.count; k++)
        choose_letters(p, op->output_map[k], op->outputs.items[k], &l);
    for (size_t k = 0; k < op->outputs.count; k++)
        text_add(&p->out, k ? ", %%%d" : "%%%d", op->outputs.items[k]->id);
    text_add(&p->out, op->outputs.count ? " = %s" : "%s", op_info_of(op->kind)->name);
    put_inputs(p, op, &l);
    put_attributes(p, op);
    put_outputs(p, op, &l);
    if (op->path)
        text_add(&p->out, " path %s", op->path);
    for (size_t k = 0; k < op->trail.count && p->g->sources; k++)
        text_add(&p->out, "%s \"%s\"", k ? "" : " from",
                 source_line_name(p->g->sources, op->trail.items[k], p->memory));
    put_place(p, op->at);
}

static void put_ops(printer *p, const graph_region *r, int depth);

static void put_body(printer *p, const graph_region *r, int depth)
{
    text_add(&p->out, "%*sarguments", 2 * depth, "");
    for (size_t k = 0; k < r->arguments.count; k++) {
        const graph_value *v = r->arguments.items[k];
        text_add(&p->out, k ? ", %%%d : " : " %%%d : ", v->id);
        put_type(p, &v->type, &v->layout);
    }
    text_add(&p->out, "\n");
    put_ops(p, r, depth);
    text_add(&p->out, "%*syield", 2 * depth, "");
    for (size_t k = 0; k < r->results.count; k++)
        text_add(&p->out, k ? ", %%%d" : " %%%d", r->results.items[k]->id);
    text_add(&p->out, "\n%*send\n", 2 * depth - 2, "");
}

static void put_ops(printer *p, const graph_region *r, int depth)
{
    for (size_t i = 0; i < r->ops.count; i++) {
        text_add(&p->out, "%*s", 2 * depth, "");
        put_line(p, r->ops.items[i]);
        if (r->ops.items[i]->body)
            put_body(p, r->ops.items[i]->body, depth + 1);
    }
}

static const char *const variable_words[] = {"parameter", "optimizer", "state", "cache", "sum"};
static const char *const result_words[] = {"loss", "metric", "learning_rate", "grad_norm",
                                           "scores"};

static void put_variable(printer *p, const graph_variable *v)
{
    text_add(&p->out, "variable %s : ", v->path);
    put_type(p, &v->type, &v->layout);
    text_add(&p->out, " %s", variable_words[v->kind]);
    if (v->of >= 0)
        text_add(&p->out, " of %s", p->g->variables.items[v->of].path);
    if (v->init)
        text_add(&p->out, " init %s(%.17g, %.17g)", v->init, v->init_args[0], v->init_args[1]);
    text_add(&p->out, "%s%s", v->stacked ? " stacked" : "", v->frozen ? " frozen" : "");
    put_place(p, v->at);
}

static void put_function(printer *p, const graph_function *f)
{
    text_add(&p->out, "function %s\n", f->name);
    put_ops(p, &f->region, 1);
    for (size_t i = 0; i < f->gradients.count; i++)
        text_add(&p->out, "  gradient %s = %%%d\n",
                 p->g->variables.items[f->gradients.items[i].variable].path,
                 f->gradients.items[i].value->id);
    for (size_t i = 0; i < f->results.count; i++) {
        const graph_result *r = &f->results.items[i];
        text_add(&p->out, "  result %s \"%s\" = %%%d\n", result_words[r->kind], r->name,
                 r->value->id);
    }
    text_add(&p->out, "end\n");
}

static void put_head(printer *p)
{
    const graph *g = p->g;
    text_add(&p->out, "%s\n", g->form);
    for (size_t i = 0; i < g->mesh.count; i++) {
        text_add(&p->out, "mesh %s = %d", g->mesh.items[i].name, g->mesh.items[i].size);
        put_place(p, g->mesh.items[i].declared);
    }
    for (size_t i = 0; i < g->dims.count; i++) {
        text_add(&p->out, "dim ");
        put_dim(p, (dim_id)i);
        text_add(&p->out, " = %lld%s", (long long)g->dims.items[i].size,
                 g->dims.items[i].batch ? " batch" : "");
        put_place(p, g->dims.items[i].declared);
    }
    for (size_t i = 0; i < g->variables.count; i++)
        put_variable(p, &g->variables.items[i]);
}

const char *graph_print(const graph *g, arena *a)
{
    printer p = {.g = g, .memory = a, .out = text_in(a)};
    put_head(&p);
    for (size_t i = 0; i < g->functions.count; i++)
        put_function(&p, g->functions.items[i]);
    return text_done(&p.out);
}

const char *graph_print_op(const graph *g, const graph_op *op, arena *a)
{
    printer p = {.g = g, .memory = a, .out = text_in(a)};
    put_line(&p, op);
    p.out.bytes[p.out.length - 1] = '\0';
    return text_done(&p.out);
}

const char *graph_print_type(const graph *g, const graph_type *t, const graph_layout *layout,
                             arena *a)
{
    printer p = {.g = g, .memory = a, .out = text_in(a)};
    graph_layout none = graph_layout_none();
    put_type(&p, t, layout ? layout : &none);
    return text_done(&p.out);
}
