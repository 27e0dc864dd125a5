/* builtin.c: the operators that a plan file calls by name. */
#include "sema/builtin.h"

#include <string.h>

static value call_map(elaboration *e, const builtin *b, const builtin_call *c)
{
    value x[3];
    for (int i = 0; i < c->count; i++)
        x[i] = elab_expression(e, c->items[i].node);
    return elab_map(e, c->node, b->kind, x, c->count);
}

bool builtin_tensor(elaboration *e, const builtin_call *c, int item, build_operand *out)
{
    value v = elab_expression(e, c->items[item].node);
    return elab_as_tensor(e, c->items[item].node, v, DTYPE_COUNT, out);
}

/* The last of the `count` + 1 dimensions stands there already, or is one too many. */
static bool over_twice(elaboration *e, const ast_node *name, label *const *over, int count)
{
    if (count == GRAPH_MAX_RANK) {
        sema_report(e->sema, E0238, name->at, "a tensor has at most %d dimensions", GRAPH_MAX_RANK);
        return true;
    }
    for (int k = 0; k < count; k++)
        if (over[k] == over[count]) {
            sema_report(e->sema, E0203, name->at, "dimension '%s' stands twice", over[k]->name);
            return true;
        }
    return false;
}

/* `..`: the dimensions of x that have no name here, as `[B, ..]` of a head leaves them; -1 if it stands twice. */
static int over_rest(elaboration *e, const ast_node *rest, const build_operand *x, label **over,
                     int count)
{
    for (int i = 0; i < tensor_rank(x); i++) {
        label *l = label_of(x->labels[i]);
        if (frame_dim(e, l->name) == l)
            continue;
        over[count] = l;
        if (over_twice(e, rest, over, count++))
            return -1;
    }
    return count;
}

int builtin_over_dims(elaboration *e, const builtin_call *c, int item, const build_operand *x,
                      label **over)
{
    int count = 0;
    if (!c->items[item].over) {
        diag *d = sema_report(e->sema, E0202, c->node->at,
                              "'%s' needs to know over which dimension", c->of->name);
        diag_fix(d, "%s", c->of->signature);
        return -1;
    }
    for (int i = item; i < c->count; i++) {
        const ast_node *name = i == item ? c->items[i].over : c->items[i].node;
        if (x && name->kind == AST_REST) {
            count = over_rest(e, name, x, over, count);
        } else {
            over[count] = elab_dim_named(e, name);
            count = over[count] && !over_twice(e, name, over, count) ? count + 1 : -1;
        }
        if (count < 0)
            return -1;
    }
    return count;
}

bool builtin_has_dim(elaboration *e, const builtin_call *c, const build_operand *x, const label *l)
{
    if (tensor_label(x, l))
        return true;
    sema_report(e->sema, E0211, c->node->at, "the tensor %s has no dimension '%s'",
                tensor_words(x, e->sema->memory), l->name);
    return false;
}

int builtin_reduced_dims(elaboration *e, const builtin_call *c, const build_operand *x,
                         label **over)
{
    if (c->items[0].over || c->count > 1)
        return builtin_over_dims(e, c, 0, x, over);
    for (int i = 0; i < tensor_rank(x); i++)
        over[i] = label_of(x->labels[i]);
    return tensor_rank(x);
}

static value call_reduce(elaboration *e, const builtin *b, const builtin_call *c)
{
    label *over[GRAPH_MAX_RANK + 1];
    build_operand x;
    bool fine = builtin_tensor(e, c, 0, &x);
    int count = fine ? builtin_reduced_dims(e, c, &x, over) : -1;
    return count >= 0 ? elab_reduce(e, c->node, b->kind, x, over, count) : value_poison();
}

static value call_mean(elaboration *e, const builtin *b, const builtin_call *c)
{
    (void)b;
    label *over[GRAPH_MAX_RANK + 1];
    build_operand x;
    bool fine = builtin_tensor(e, c, 0, &x);
    int count = fine ? builtin_reduced_dims(e, c, &x, over) : -1;
    return count >= 0 ? elab_mean(e, c->node, x, over, count) : value_poison();
}

/* How many elements of x stand over the dimensions. */
static value call_count(elaboration *e, const builtin *b, const builtin_call *c)
{
    (void)b;
    label *over[GRAPH_MAX_RANK + 1];
    build_operand x;
    bool fine = builtin_tensor(e, c, 0, &x);
    int count = fine ? builtin_reduced_dims(e, c, &x, over) : -1;
    for (int i = 0; i < count; i++)
        if (!builtin_has_dim(e, c, &x, over[i]))
            return value_poison();
    elab_place(e, c->node->at);
    return count >= 0 ? elab_count(e, over, count) : value_poison();
}

/* max(x, y) between tensors, max(x over D) along one. */
static value call_extreme(elaboration *e, const builtin *b, const builtin_call *c)
{
    if (c->count != 2 || c->items[0].over) {
        builtin reducing = *b;
        reducing.kind = b->kind == OP_max ? OP_reduce_max : OP_reduce_min;
        return call_reduce(e, &reducing, c);
    }
    value x = elab_expression(e, c->items[0].node), y = elab_expression(e, c->items[1].node);
    if (x.kind == VALUE_NUMBER && y.kind == VALUE_NUMBER && x.quantity == y.quantity)
        return (x.number > y.number) == (b->kind == OP_max) ? x : y;
    return elab_map(e, c->node, b->kind, (value[]){x, y}, 2);
}

static value call_cumsum(elaboration *e, const builtin *b, const builtin_call *c)
{
    (void)b;
    label *over[GRAPH_MAX_RANK + 1];
    build_operand x;
    bool fine = builtin_tensor(e, c, 0, &x);
    int count = builtin_over_dims(e, c, 0, NULL, over);
    bool reverse = false;
    if (!fine || count < 0 || !builtin_has_dim(e, c, &x, over[0]) ||
        !builtin_flag(e, c, "reverse", &reverse))
        return value_poison();
    elab_place(e, c->node->at);
    return elab_tensor(e, c->node, build_cumsum(e->build, x, over[0]->text, reverse));
}

static bool both_real(elaboration *e, const builtin_call *c, build_operand *x, build_operand *y)
{
    if (is_real(x->value->type.dtype) && is_real(y->value->type.dtype))
        return true;
    sema_report(e->sema, E0218, c->node->at, "'%s' multiplies numbers, not ids or conditions",
                c->of->name);
    return false;
}

static value call_dot(elaboration *e, const builtin *b, const builtin_call *c)
{
    (void)b;
    label *over[GRAPH_MAX_RANK + 1];
    atom texts[GRAPH_MAX_RANK];
    build_operand x, y;
    bool fine = builtin_tensor(e, c, 0, &x);
    fine = builtin_tensor(e, c, 1, &y) && fine;
    int count = builtin_over_dims(e, c, 1, NULL, over);
    if (!fine || count < 0 || !both_real(e, c, &x, &y))
        return value_poison();
    for (int i = 0; i < count; i++) {
        texts[i] = over[i]->text;
        if (!builtin_has_dim(e, c, &x, over[i]) || !builtin_has_dim(e, c, &y, over[i]))
            return value_poison();
        if (over[i] == e->batch)
            x = elab_masked(e, x, 0);
    }
    elab_place(e, c->node->at);
    return elab_tensor(e, c->node, build_dot(e->build, x, y, texts, count));
}

static value call_index(elaboration *e, const builtin *b, const builtin_call *c)
{
    (void)b;
    label *l = elab_dim(e, c->items[0].node);
    if (!l)
        return value_poison();
    elab_place(e, c->node->at);
    return elab_tensor(e, c->node, build_index(e->build, l->dim, l->text));
}

static value call_number(elaboration *e, const builtin *b, const builtin_call *c)
{
    (void)b;
    build_operand x;
    if (!builtin_tensor(e, c, 0, &x))
        return value_poison();
    elab_place(e, c->node->at);
    return elab_tensor(e, c->node,
                       x.value->type.dtype == e->real ? x : build_cast(e->build, x, e->real));
}

static value call_random(elaboration *e, const builtin *b, const builtin_call *c)
{
    (void)b;
    build_operand x;
    if (!builtin_tensor(e, c, 0, &x))
        return value_poison();
    build_dims dims = {.rank = tensor_rank(&x)};
    for (int i = 0; i < dims.rank; i++) {
        dims.dims[i] = x.value->type.dims[i];
        dims.labels[i] = x.labels[i];
    }
    elab_place(e, c->node->at);
    const char *name = arena_format(e->sema->memory, "%s#%d",
                                    e->frame->own_path ? e->frame->own_path : "", ++e->randoms);
    return elab_tensor(e, c->node,
                       build_random(e->build, atom_of(e->sema->atoms, name), e->real, &dims));
}

static value call_gather(elaboration *e, const builtin *b, const builtin_call *c)
{
    (void)b;
    build_operand rows_of, ids;
    bool fine = builtin_tensor(e, c, 0, &rows_of);
    fine = builtin_tensor(e, c, 1, &ids) && fine;
    label *rows = c->items[0].over ? elab_dim_named(e, c->items[0].over) : NULL;
    if (!fine || !rows || !builtin_has_dim(e, c, &rows_of, rows)) {
        if (!c->items[0].over)
            diag_fix(sema_report(e->sema, E0202, c->node->at,
                                 "'gather' needs to know over which dimension"),
                     "%s", c->of->signature);
        return value_poison();
    }
    if (ids.value->type.dtype != DTYPE_I32) {
        sema_report(e->sema, E0218, c->items[1].node->at,
                    "rows are chosen by ids, and these are numbers");
        return value_poison();
    }
    int64_t below;
    const graph_op *input = elab_ids_input(e, &ids, &below);
    if (input && below > rows->size) {
        diag *d =
            sema_report(e->sema, E0236, c->items[1].node->at,
                        "ids of '%s' are below %lld, and '%s' has %lld rows", input->attrs.name,
                        (long long)below, rows->name, (long long)rows->size);
        diag_note(d, input->at, "'%s' is declared here", input->attrs.name);
        return value_poison();
    }
    elab_place(e, c->node->at);
    return elab_tensor(e, c->node, build_gather(e->build, rows_of, rows->text, ids));
}

static const builtin builtins[] = {
#define BUILTIN(name, handler, op, least, most, signature)                                         \
    {name, call_##handler, OP_##op, least, most, signature},
#include "sema/builtin.def"
#undef BUILTIN
};
enum { BUILTIN_COUNT = sizeof builtins / sizeof *builtins };

const builtin *builtin_find(const sema *s, atom name)
{
    (void)s;
    for (int i = 0; i < BUILTIN_COUNT; i++)
        if (!strcmp(builtins[i].name, name))
            return &builtins[i];
    return NULL;
}

void builtin_offer_all(nearest *n)
{
    for (int i = 0; i < BUILTIN_COUNT; i++)
        nearest_offer(n, builtins[i].name);
}

void builtin_arity(const builtin *b, int *least, int *most)
{
    *least = b->least;
    *most = b->most;
}

/* Options by name; every other NAME = … makes a dimension. */
static const char *const option_names[] = {"before",   "value",  "stride", "padding",
                                           "dilation", "groups", "window", "causal",
                                           "scale",    "mask",   "reverse"};

static bool is_option(const char *name)
{
    for (size_t i = 0; i < sizeof option_names / sizeof *option_names; i++)
        if (!strcmp(option_names[i], name))
            return true;
    return false;
}

const ast_node *builtin_option(const builtin_call *c, const char *name)
{
    for (int i = 0; i < c->option_count; i++)
        if (!strcmp(c->options[i]->name, name))
            return c->options[i]->children[0];
    return NULL;
}

bool builtin_whole(elaboration *e, const builtin_call *c, const char *name, whole_range range,
                   int64_t *out)
{
    const ast_node *at = builtin_option(c, name);
    if (!at)
        return true;
    value v = elab_expression(e, at);
    if (v.kind == VALUE_DIM)
        v = value_number((double)v.dim->size);
    return value_whole(e->sema, at, v, range, out);
}

bool builtin_flag(elaboration *e, const builtin_call *c, const char *name, bool *out)
{
    const ast_node *at = builtin_option(c, name);
    return !at || elab_flag(e, at, out);
}

bool builtin_number(elaboration *e, const builtin_call *c, const char *name, double *out)
{
    const ast_node *at = builtin_option(c, name);
    value v = at ? elab_expression(e, at) : value_number(*out);
    if (v.kind == VALUE_NUMBER)
        *out = v.number;
    else if (v.kind != VALUE_POISON)
        sema_report(e->sema, E0208, at->at, "'%s' is a number", name);
    return v.kind == VALUE_NUMBER;
}

value elab_builtin(elaboration *e, const builtin *b, const ast_node *node)
{
    builtin_call c = {.of = b, .node = node};
    for (size_t i = 1; i < node->count; i++) {
        const ast_node *arg = node->children[i];
        bool option = arg->kind == AST_NAMED && is_option(arg->name);
        if (c.count == BUILTIN_ITEMS || c.option_count == BUILTIN_ITEMS)
            break;
        if (option)
            c.options[c.option_count++] = arg;
        else if (arg->kind == AST_OVER) {
            c.items[c.count++] = (builtin_item){arg->children[0], arg->children[1]};
            for (size_t k = 2; k < arg->count && c.count < BUILTIN_ITEMS; k++)
                c.items[c.count++] = (builtin_item){arg->children[k], NULL};
        } else
            c.items[c.count++] = (builtin_item){arg, NULL};
    }
    if (c.count < b->least || c.count + c.option_count > b->most) {
        diag *d = sema_report(e->sema, E0202, node->at, "'%s' does not take %d argument%s", b->name,
                              c.count, c.count == 1 ? "" : "s");
        diag_fix(d, "%s", b->signature);
        return value_poison();
    }
    return b->handler(e, b, &c);
}
