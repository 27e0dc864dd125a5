#include "sema/value.h"

#include <string.h>

value value_poison(void)
{
    return (value){.kind = VALUE_POISON};
}

value value_number(double number)
{
    return (value){.kind = VALUE_NUMBER, .number = number, .quantity = BARE};
}

value value_quantity(double number, int measures)
{
    return (value){.kind = VALUE_NUMBER, .number = number, .quantity = measures};
}

value value_flag(bool flag)
{
    return (value){.kind = VALUE_FLAG, .flag = flag, .quantity = BARE};
}

label *label_new(graph *g, atom name, dim_id dim, span at)
{
    size_t length = strlen(name);
    label *l = arena_alloc(g->memory, sizeof *l + length + 1);
    *l = (label){.name = name, .dim = dim, .at = at};
    l->size = g->dims.items[dim].size;
    l->batch = g->dims.items[dim].batch;
    memcpy(l->text, name, length + 1);
    return l;
}

label *label_of(atom key)
{
    return (label *)(void *)((char *)(uintptr_t)key - offsetof(label, text));
}

int tensor_rank(const build_operand *t)
{
    return t->value ? t->value->type.rank : 0;
}

label *tensor_label(const build_operand *t, const label *l)
{
    for (int i = 0; i < tensor_rank(t); i++)
        if (t->labels[i] == l->text)
            return label_of(t->labels[i]);
    return NULL;
}

const char *tensor_words(const build_operand *t, arena *a)
{
    text out = text_in(a);
    text_add(&out, "[");
    for (int i = 0; i < tensor_rank(t); i++)
        text_add(&out, "%s%s", i ? ", " : "", label_of(t->labels[i])->name);
    text_add(&out, "]");
    return text_done(&out);
}

const char *value_words(const value *v, arena *a)
{
    switch (v->kind) {
    case VALUE_NUMBER:
        return v->quantity == BARE ? "a number" : quantity_name((quantity)v->quantity);
    case VALUE_FLAG:
        return "yes or no";
    case VALUE_DIM:
        return arena_format(a, "dimension '%s'", v->dim->name);
    case VALUE_TENSOR:
        return arena_format(a, "a tensor %s", tensor_words(&v->tensor, a));
    case VALUE_TUPLE:
        return "a tuple";
    case VALUE_RANGE:
        return "a range";
    case VALUE_TEXT:
        return "a text";
    case VALUE_POISON:
        break;
    }
    return "something wrong";
}
