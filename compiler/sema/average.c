/* average.c: averaged weights: a variable PATH/average for each trained parameter, which `eval` reads in its place.
 *
 * After each step the average becomes (1 - w) * average + w * parameter, where w is one number for all: 1 up to the step
 * that `from` names, then 1 - decay (ema) or 1 / (n + 1) for the n-th parameter that is taken in (swa), as in PyTorch's
 * torch.optim.swa_utils.AveragedModel; 0 in the steps between those that `every` names.
 */
#include "sema/train.h"

#include <string.h>

static build_operand number(elaboration *e, double x)
{
    return build_constant(e->build, DTYPE_F64, x);
}

static build_operand map(elaboration *e, op_kind kind, build_operand x, build_operand y)
{
    return build_map(e->build, kind, (build_operand[]){x, y}, 2);
}

static build_operand choose(elaboration *e, build_operand condition, build_operand x,
                            build_operand y)
{
    return build_map(e->build, OP_where, (build_operand[]){condition, x, y}, 3);
}

void average_begin(elaboration *e)
{
    const training_average *a = &e->setup->out->average;
    if (!a->name)
        return;
    size_t count = e->graph->variables.count;
    e->setup->averages = arena_array(e->sema->memory, int, count + 1);
    e->setup->average_count = count;
    build_operand since = map(e, OP_sub, elab_clock(e, "step"), number(e, (double)a->from));
    build_operand every = number(e, (double)a->every), share = number(e, 1 - a->decay);
    if (a->mean) {
        build_operand taken = build_unary(e->build, OP_floor, map(e, OP_div, since, every));
        share = map(e, OP_div, number(e, 1), map(e, OP_add, taken, number(e, 1)));
    }
    if (a->every > 1) {
        build_operand rest = map(e, OP_mod, since, every);
        share = choose(e, map(e, OP_eq, rest, number(e, 0)), share, number(e, 0));
    }
    share = choose(e, map(e, OP_le, since, number(e, 0)), number(e, 1), share);
    e->average_takes = build_cast(e->build, share, e->real);
    e->average_keeps = build_cast(e->build, map(e, OP_sub, number(e, 1), share), e->real);
}

static bool is_taken(const elaboration *e, atom path)
{
    for (size_t i = 0; i < e->graph->variables.count; i++)
        if (e->graph->variables.items[i].path == path)
            return true;
    return false;
}

bool average_write(elaboration *e, const updated *p, build_operand now)
{
    const training_average *a = &e->setup->out->average;
    const graph_variable *of = &e->graph->variables.items[p->variable];
    if (!a->name)
        return true;
    graph_variable v = {.kind = VARIABLE_OPTIMIZER,
                        .type = of->type,
                        .of = p->variable,
                        .init = e->sema->words.w_zeros,
                        .stacked = of->stacked,
                        .at = a->at};
    v.path = atom_of(e->sema->atoms, arena_format(e->sema->memory, "%s/average", of->path));
    if (is_taken(e, v.path)) {
        sema_report(e->sema, E0203, a->at,
                    "the optimizer has a state that is called 'average' too");
        return false;
    }
    int index = graph_variable_add(e->graph, v);
    e->setup->averages[p->variable] = index + 1;
    atom labels[GRAPH_MAX_RANK];
    for (int i = 0; i < v.type.rank; i++)
        labels[i] = p->labels[i]->text;
    build_operand kept = map(e, OP_mul, e->average_keeps, build_variable(e->build, index, labels));
    build_assign(e->build, index, map(e, OP_add, kept, map(e, OP_mul, e->average_takes, now)));
    return true;
}

int average_of(const elaboration *e, int variable)
{
    bool has = !e->learning && (size_t)variable < e->setup->average_count &&
               e->setup->averages[variable] > 0;
    return has ? e->setup->averages[variable] - 1 : variable;
}
