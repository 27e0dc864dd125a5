#include "codegen/image.h"

#include "coll/program.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

typedef struct image {
    const schedule *s;
    const training *t;
    const image_options *how;
    text out;
} image;

int image_site_of(const schedule *s, image_sites *sites, span at)
{
    if (at.file < 0 || !s->sources)
        return -1;
    image_site site = {at.file, source_locate(s->sources, at).line};
    for (size_t i = 0; i < sites->count; i++)
        if (sites->items[i].file == site.file && sites->items[i].line == site.line)
            return (int)i;
    vec_push(s->memory, sites, site);
    return (int)sites->count - 1;
}

static int site(image *m, span at)
{
    return image_site_of(m->s, m->how->sites, at);
}

static void string(image *m, const char *x)
{
    text_add(&m->out, "\"");
    for (; x && *x; x++) {
        unsigned char c = (unsigned char)*x;
        if (c == '"' || c == '\\')
            text_add(&m->out, "\\%c", c);
        else if (c < 0x20)
            text_add(&m->out, "\\u%04x", c);
        else
            text_add_bytes(&m->out, x, 1);
    }
    text_add(&m->out, "\"");
}

static void named(image *m, const char *name, const char *value)
{
    text_add(&m->out, "\"%s\": ", name);
    string(m, value);
}

static const char *separator(size_t i)
{
    return i ? ", " : "";
}

/* Features that generated code may use: those of vectors, and of bits. */
static bool feature_matters(const char *name, size_t length)
{
    static const char *const matter[] = {"avx",      "avx2",     "fma",      "f16c",    "bmi",
                                         "bmi2",     "popcnt",   "sse4.1",   "sse4.2",  "avx512f",
                                         "avx512bw", "avx512cd", "avx512dq", "avx512vl"};
    for (size_t i = 0; i < sizeof matter / sizeof *matter; i++)
        if (strlen(matter[i]) == length && strncmp(matter[i], name, length) == 0)
            return true;
    return false;
}

static void write_cpu(image *m)
{
    size_t count = 0;
    text_add(&m->out, "\"cpu\": {");
    named(m, "name", m->how->cpu);
    text_add(&m->out, ", \"features\": [");
    for (const char *f = m->how->features; f && *f;) {
        size_t length = strcspn(f, ",");
        if (*f == '+' && feature_matters(f + 1, length - 1))
            text_add(&m->out, "%s\"%.*s\"", separator(count++), (int)length - 1, f + 1);
        f += length + (f[length] == ',');
    }
    text_add(&m->out, "]},\n");
}

static void write_mesh(image *m)
{
    const graph *g = m->s->graph;
    int ranks = 1;
    text_add(&m->out, "\"mesh\": [");
    for (size_t i = 0; i < g->mesh.count; i++) {
        text_add(&m->out, "%s{", separator(i));
        named(m, "name", g->mesh.items[i].name);
        text_add(&m->out, ", \"size\": %d}", g->mesh.items[i].size);
        ranks *= g->mesh.items[i].size;
    }
    text_add(&m->out, "],\n\"ranks\": %d,\n", ranks);
}

static void write_arena(image *m)
{
    text_add(&m->out, "\"arena\": {\"bytes\": %" PRId64 ", \"memory\": {", m->s->arena_bytes);
    for (int i = 0; i < MEMORY_KIND_COUNT; i++)
        text_add(&m->out, "%s\"%s\": %" PRId64, separator((size_t)i),
                 memory_kind_name((memory_kind)i), m->s->memory_bytes[i]);
    text_add(&m->out, "}},\n");
}

static void write_tensor(image *m, const graph_type *type, const graph_layout *layout, int buffer)
{
    const schedule_buffer *b = &m->s->buffers.items[buffer];
    text_add(&m->out, ", \"type\": \"%s\", \"shape\": [", dtype_name(type->dtype));
    for (int i = 0; i < type->rank; i++)
        text_add(&m->out, "%s%" PRId64, separator((size_t)i),
                 graph_type_size(m->s->graph, type, i));
    text_add(&m->out, "], \"axes\": [");
    for (int i = 0; i < type->rank; i++)
        text_add(&m->out, "%s%d", separator((size_t)i), layout->axis[i]);
    text_add(&m->out, "], \"offset\": %" PRId64, b->offset < 0 ? 0 : b->offset);
}

/* Where the step leaves a parameter's gradient, if it lies in memory as the parameter does. */
static void write_gradient(image *m, size_t variable)
{
    int buffer = m->s->gradient_buffers.items[variable];
    const schedule_buffer *b = buffer < 0 ? NULL : &m->s->buffers.items[buffer];
    if (b && b->type == m->s->graph->variables.items[variable].type.dtype)
        text_add(&m->out, ", \"gradient\": %" PRId64, b->offset);
}

static void write_variables(image *m)
{
    static const char *const kinds[] = {"parameter", "optimizer", "state"};
    size_t count = 0;
    text_add(&m->out, "\"variables\": [");
    for (size_t i = 0; i < m->s->graph->variables.count; i++) {
        const graph_variable *v = &m->s->graph->variables.items[i];
        if (v->kind == VARIABLE_CACHE ||
            v->kind == VARIABLE_SUM) /* generated code's own business */
            continue;
        text_add(&m->out, "%s\n  {", separator(count++));
        named(m, "path", v->path);
        text_add(&m->out, ", \"kind\": \"%s\"", kinds[v->kind]);
        write_tensor(m, &v->type, &v->layout, m->s->variable_buffers.items[i]);
        write_gradient(m, i);
        text_add(&m->out, ", \"stacked\": %s, \"site\": %d, \"init\": {",
                 v->stacked ? "true" : "false", site(m, v->at));
        named(m, "kind", v->init ? v->init : "zeros");
        text_add(&m->out, ", \"args\": [%.17g, %.17g]}}", v->init_args[0], v->init_args[1]);
    }
    text_add(&m->out, "],\n");
}

static const training_field *field_of(const image *m, atom input)
{
    for (size_t i = 0; m->t && i < m->t->data.fields.count; i++)
        if (m->t->data.fields.items[i].input == input)
            return &m->t->data.fields.items[i];
    return NULL;
}

static void write_inputs(image *m)
{
    text_add(&m->out, "\"inputs\": [");
    for (size_t i = 0; i < m->s->inputs.count; i++) {
        const schedule_input *in = &m->s->inputs.items[i];
        const training_field *field = field_of(m, in->name);
        text_add(&m->out, "%s\n  {", separator(i));
        named(m, "name", in->name);
        write_tensor(m, &in->type, &in->layout, in->buffer);
        text_add(&m->out, ", \"below\": %" PRId64 ", \"site\": %d}", field ? field->below : 0,
                 site(m, m->s->buffers.items[in->buffer].at));
    }
    text_add(&m->out, "],\n");
}

static void write_clock(image *m)
{
    static const char *const names[CLOCK_COUNT] = {"step", "steps", "valid", "position",
                                                   "microbatch"};
    text_add(&m->out, "\"clock\": {");
    for (int i = 0; i < CLOCK_COUNT; i++)
        if (m->s->clock[i] >= 0)
            text_add(&m->out, "%s\"%s\": %" PRId64, separator((size_t)i), names[i],
                     m->s->buffers.items[m->s->clock[i]].offset);
    text_add(&m->out, "},\n");
}

static void write_functions(image *m)
{
    static const char *const kinds[] = {"loss", "metric", "lr", "grad_norm", "scores"};
    text_add(&m->out, "\"functions\": [");
    for (size_t i = 0; i < m->s->functions.count; i++) {
        const schedule_function *f = m->s->functions.items[i];
        text_add(&m->out, "%s\n  {", separator(i));
        named(m, "name", f->name);
        text_add(&m->out, ", \"results\": [");
        for (size_t k = 0; k < f->results.count; k++) {
            const schedule_result *r = &f->results.items[k];
            text_add(&m->out, "%s{", separator(k));
            named(m, "name", r->name);
            text_add(&m->out, ", \"kind\": \"%s\", \"type\": \"%s\", \"offset\": %" PRId64,
                     kinds[r->kind], dtype_name(r->type), m->s->buffers.items[r->buffer].offset);
            if (r->kind == RESULT_SCORES)
                text_add(&m->out, ", \"count\": %" PRId64, m->s->buffers.items[r->buffer].count);
            text_add(&m->out, "}");
        }
        text_add(&m->out, "]}");
    }
    text_add(&m->out, "],\n");
}

static void write_field(image *m, const training_field *f)
{
    text_add(&m->out, "{");
    named(m, "input", f->input);
    if (f->first_column >= 0)
        text_add(&m->out, ", \"columns\": [%" PRId64 ", %" PRId64 "]", f->first_column,
                 f->last_column);
    if (f->array) {
        text_add(&m->out, ", ");
        named(m, "array", f->array);
    }
    if (f->holdout_array) {
        text_add(&m->out, ", ");
        named(m, "holdout_array", f->holdout_array);
    }
    text_add(&m->out, ", \"scale\": %.17g, \"shift\": %.17g", f->scale, f->shift);
    text_add(&m->out, ", \"mean\": %.17g, \"deviation\": %.17g}", f->mean, f->deviation);
}

static void write_options(image *m, const training_data *d)
{
    text_add(&m->out, "\"options\": [");
    for (size_t i = 0; i < d->options.count; i++) {
        text_add(&m->out, "%s{", separator(i));
        named(m, "name", d->options.items[i].name);
        text_add(&m->out, ", ");
        named(m, "value", d->options.items[i].value);
        text_add(&m->out, "}");
    }
    text_add(&m->out, "], ");
}

static bool has_input(const schedule *s, atom name)
{
    for (size_t i = 0; i < s->inputs.count; i++)
        if (s->inputs.items[i].name == name)
            return true;
    return false;
}

static void write_data(image *m)
{
    const training_data *d = &m->t->data;
    text_add(&m->out, "\"data\": {");
    named(m, "format", d->format);
    text_add(&m->out, ", ");
    named(m, "base", d->base);
    text_add(&m->out, ", \"site\": %d, \"paths\": [", site(m, d->at));
    for (size_t i = 0; i < d->paths.count; i++) {
        text_add(&m->out, "%s", separator(i));
        string(m, d->paths.items[i]);
    }
    text_add(&m->out, "], ");
    write_options(m, d);
    text_add(&m->out, "\"fields\": [");
    size_t count = 0;
    for (size_t i = 0; i < d->fields.count; i++) {
        if (!has_input(m->s, d->fields.items[i].input))
            continue; /* nothing reads it */
        text_add(&m->out, "%s\n  ", separator(count++));
        write_field(m, &d->fields.items[i]);
    }
    text_add(&m->out, "],\n  \"holdout\": {\"share\": %.17g, \"paths\": [", d->holdout_share);
    for (size_t i = 0; i < d->holdout_paths.count; i++) {
        text_add(&m->out, "%s", separator(i));
        string(m, d->holdout_paths.items[i]);
    }
    text_add(&m->out, "]}},\n");
}

static void write_tensor_name(image *m, const training_tensor *t)
{
    text_add(&m->out, "{");
    named(m, "name", t->name);
    text_add(&m->out, ", \"turned\": %s, \"tied\": %s, \"parts\": [", t->turned ? "true" : "false",
             t->tied ? "true" : "false");
    for (size_t i = 0; i < t->parts.count; i++)
        text_add(&m->out, "%s%d", separator(i), t->parts.items[i]);
    text_add(&m->out, "]}");
}

static void write_weights(image *m)
{
    const training_weights *w = m->t->weights;
    if (!w)
        return;
    text_add(&m->out, "\"weights\": {");
    named(m, "form", w->form);
    text_add(&m->out, ", ");
    named(m, "prefix", w->prefix ? w->prefix : "");
    text_add(&m->out, ", \"tensors\": [");
    for (size_t i = 0; i < w->tensors.count; i++) {
        text_add(&m->out, "%s\n  ", separator(i));
        write_tensor_name(m, &w->tensors.items[i]);
    }
    text_add(&m->out, "],\n  \"ignored\": [");
    for (size_t i = 0; i < w->ignored.count; i++) {
        text_add(&m->out, "%s", separator(i));
        string(m, w->ignored.items[i]);
    }
    text_add(&m->out, "]},\n");
}

static void write_begin(image *m)
{
    const training_begin *b = &m->t->begin;
    if (!b->path)
        return;
    text_add(&m->out, "\"begin\": {");
    named(m, "path", b->path);
    text_add(&m->out, ", ");
    named(m, "base", b->base);
    text_add(&m->out, ", \"site\": %d, \"fresh\": [", site(m, b->at));
    for (size_t i = 0; i < b->fresh.count; i++)
        text_add(&m->out, "%s%d", separator(i), b->fresh.items[i]);
    text_add(&m->out, "]},\n");
}

static void write_training(image *m)
{
    const training *t = m->t;
    text_add(&m->out, "\"training\": {\"batch\": %" PRId64 ", \"microbatches\": %" PRId64 ", ",
             t ? t->batch : 1, t ? t->microbatches : 1);
    if (t && t->epochs > 0)
        text_add(&m->out, "\"epochs\": %.17g, \"steps\": null, ", t->epochs);
    else
        text_add(&m->out, "\"epochs\": null, \"steps\": %" PRId64 ", ", t ? t->steps : 1);
    if (t && t->average.name) {
        named(m, "average", t->average.name);
        text_add(&m->out, ", ");
    }
    text_add(&m->out, "\"seed\": \"%" PRIu64 "\"},\n", t ? t->seed : m->s->seed);
}

static void write_checkpoint(image *m)
{
    const training_checkpoint *c = &m->t->checkpoint;
    if (!c->folder || !graph_function_find(m->s->graph, "step"))
        return;
    text_add(&m->out, "\"checkpoint\": {");
    named(m, "folder", c->folder);
    text_add(&m->out, ", ");
    named(m, "base", c->base);
    text_add(&m->out,
             ", \"every\": %" PRId64 ", \"epochs\": %s, \"keep\": %" PRId64 ", \"site\": %d},\n",
             c->every, c->epochs ? "true" : "false", c->keep, site(m, c->at));
}

static void write_source(image *m)
{
    if (!m->t->source)
        return;
    named(m, "source", m->t->source);
    text_add(&m->out, ",\n");
}

static bool has_collective(const schedule_block *block)
{
    for (size_t i = 0; i < block->count; i++)
        if (block->items[i]->kind == SCHEDULE_COLLECTIVE || has_collective(&block->items[i]->body))
            return true;
    return false;
}

static void write_sampling(image *m)
{
    const training_sampling *how = &m->t->sampling;
    bool together = false;
    for (size_t i = 0; i < m->s->functions.count; i++)
        if (m->s->functions.items[i]->name == atom_of(m->s->atoms, "decode"))
            together = has_collective(&m->s->functions.items[i]->body);
    text_add(&m->out, "\"sampling\": {\"printed\": %s, \"text\": %s, \"together\": %s, ",
             how->printed ? "true" : "false", how->text ? "true" : "false",
             together ? "true" : "false");
    named(m, "prompt", how->prompt ? how->prompt : "");
    text_add(&m->out, ",\n  \"length\": %" PRId64 ", \"temperature\": %.17g", how->length,
             how->temperature);
    text_add(&m->out, ", \"top_k\": %" PRId64 ", \"top_p\": %.17g, \"seed\": \"%" PRIu64 "\"",
             how->top_k, how->top_p, how->seed);
    text_add(&m->out, ", \"every\": %" PRId64 ", \"context\": %" PRId64 ", ", how->every,
             how->context);
    named(m, "prefill", how->prefill);
    text_add(&m->out, ", ");
    named(m, "decode", how->decode);
    text_add(&m->out, ", \"site\": %d},\n", site(m, how->at));
}

static void write_program(image *m, const coll_program *p)
{
    size_t next = 0;
    text_add(&m->out, "{\"chunks\": %d, \"weights\": [", p->chunks);
    for (int i = 0; i < p->chunks; i++)
        text_add(&m->out, "%s%" PRId64, separator((size_t)i), p->weights[i]);
    text_add(&m->out, "], \"steps\": [");
    for (int step = 0; step < p->steps; step++) {
        text_add(&m->out, "%s[", separator((size_t)step));
        for (size_t first = next; next < p->sends.count && p->sends.items[next].step == step;
             next++) {
            const coll_send *s = &p->sends.items[next];
            text_add(&m->out, "%s[%d, %d, %d, \"%s\"]", separator(next - first), s->chunk, s->from,
                     s->to, s->op == COLL_REDUCE ? "reduce" : "copy");
        }
        text_add(&m->out, "]");
    }
    text_add(&m->out, "]}");
}

static void write_collectives(image *m)
{
    text_add(&m->out, "\"collectives\": [");
    for (size_t i = 0; i < m->s->collectives.count; i++) {
        const schedule_collective *c = &m->s->collectives.items[i];
        int clause = site(m, c->clause);
        text_add(&m->out, "%s\n  {", separator(i));
        named(m, "kind", op_info_of(c->op)->name);
        text_add(&m->out, ", ");
        named(m, "name", c->program ? c->program->name : c->topology);
        text_add(&m->out, ", \"axis\": %d, \"type\": \"%s\", \"site\": %d, \"clause\": %d", c->axis,
                 dtype_name(c->type), clause, clause);
        if (c->scratch >= 0) {
            const schedule_buffer *b = &m->s->buffers.items[c->scratch];
            text_add(&m->out, ", \"scratch\": {\"offset\": %" PRId64 ", \"bytes\": %" PRId64 "}",
                     b->offset, b->count * (int64_t)dtype_bytes(b->type));
        }
        text_add(&m->out, ", \"program\": ");
        if (c->program)
            write_program(m, c->program);
        else
            text_add(&m->out, "{\"chunks\": 1, \"weights\": [1], \"steps\": []}");
        text_add(&m->out, "}");
    }
    text_add(&m->out, "],\n");
}

static void write_sites(image *m)
{
    int files = m->s->sources ? source_count(m->s->sources) : 0;
    text_add(&m->out, "\"files\": [");
    for (int i = 0; i < files; i++) {
        text_add(&m->out, "%s", separator((size_t)i));
        string(m, source_path(m->s->sources, i));
    }
    text_add(&m->out, "],\n\"sites\": [");
    for (size_t i = 0; i < m->how->sites->count; i++)
        text_add(&m->out, "%s[%d, %d]", separator(i), m->how->sites->items[i].file,
                 m->how->sites->items[i].line);
    text_add(&m->out, "]\n");
}

const char *image_write(const schedule *s, const training *t, const image_options *how)
{
    image m = {s, t, how, text_in(s->memory)};
    text_add(&m.out, "{\"version\": 1, ");
    named(&m, "plan", t ? t->plan : "plan");
    text_add(&m.out, ", ");
    named(&m, "train", t ? t->train : "train");
    text_add(&m.out, ", ");
    named(&m, "model", t ? t->model : "model");
    text_add(&m.out, ",\n");
    write_cpu(&m);
    write_mesh(&m);
    write_arena(&m);
    write_variables(&m);
    write_inputs(&m);
    write_clock(&m);
    write_functions(&m);
    if (t) {
        write_data(&m);
        write_checkpoint(&m);
        write_source(&m);
        write_weights(&m);
        write_begin(&m);
    }
    write_training(&m);
    if (t && t->sampling.wanted)
        write_sampling(&m);
    write_collectives(&m);
    write_sites(&m);
    text_add(&m.out, "}\n");
    return text_done(&m.out);
}
