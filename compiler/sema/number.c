/* number.c: constants and their units. */
#include "sema/value.h"

#include <stdlib.h>
#include <math.h>
#include <string.h>

const char *number_words(double number, arena *a)
{
    if (number == floor(number) && fabs(number) < 1e15)
        return arena_format(a, "%.0f", number);
    return arena_format(a, "%.6g", number);
}

typedef enum operation {
    ADD,
    SUBTRACT,
    MULTIPLY,
    DIVIDE,
    DIVIDE_WHOLE,
    REMAINDER,
    POWER,
    EQUAL,
    UNEQUAL,
    LESS,
    AT_MOST,
    GREATER,
    AT_LEAST,
    AND,
    OR,
    OPERATIONS
} operation;

static const char *const spellings[OPERATIONS] = {
    "+", "-", "*", "/", "//", "%", "^", "==", "!=", "<", "<=", ">", ">=", "and", "or"};

static operation operation_of(const char *word)
{
    int i = 0;
    while (i < OPERATIONS && strcmp(spellings[i], word))
        i++;
    return (operation)i;
}

/* What x and y give as quantities; -2: they do not go together. */
static int quantity_of(operation op, const value *x, const value *y)
{
    int a = x->quantity == SHARE ? BARE : x->quantity;
    int b = y->quantity == SHARE ? BARE : y->quantity;
    if (x->quantity == y->quantity && (op == ADD || op == SUBTRACT || op >= EQUAL))
        return x->quantity;
    if (op == MULTIPLY && (a == BARE || b == BARE))
        return a == BARE ? b : a;
    if (op == DIVIDE && (b == BARE || a == b))
        return a == b ? BARE : a;
    if (op == MULTIPLY && ((a == BANDWIDTH && b == TIME) || (a == TIME && b == BANDWIDTH)))
        return BYTES;
    if (op == DIVIDE && a == BYTES && (b == TIME || b == BANDWIDTH))
        return b == TIME ? BANDWIDTH : TIME;
    return a == BARE && b == BARE ? BARE : -2;
}

static double arithmetic(operation op, double x, double y)
{
    switch (op) {
    case ADD:
        return x + y;
    case SUBTRACT:
        return x - y;
    case MULTIPLY:
        return x * y;
    case DIVIDE:
        return x / y;
    case DIVIDE_WHOLE:
        return floor(x / y);
    case REMAINDER:
        return x - y * floor(x / y);
    case POWER:
        return pow(x, y);
    default:
        return 0;
    }
}

static bool comparison(operation op, double x, double y)
{
    switch (op) {
    case EQUAL:
        return x == y;
    case UNEQUAL:
        return x != y;
    case LESS:
        return x < y;
    case AT_MOST:
        return x <= y;
    case GREATER:
        return x > y;
    default:
        return x >= y;
    }
}

value number_binary(sema *s, const ast_node *at, value x, value y)
{
    operation op = operation_of(at->word);
    if (x.kind == VALUE_FLAG && y.kind == VALUE_FLAG && (op == AND || op == OR))
        return value_flag(op == AND ? x.flag && y.flag : x.flag || y.flag);
    if (x.kind == VALUE_FLAG && y.kind == VALUE_FLAG && (op == EQUAL || op == UNEQUAL))
        return value_flag((x.flag == y.flag) == (op == EQUAL));
    if (x.kind != VALUE_NUMBER || y.kind != VALUE_NUMBER || op == AND || op == OR ||
        op == OPERATIONS) {
        sema_report(s, E0216, at->at, "'%s' does not go between %s and %s", at->word,
                    value_words(&x, s->memory), value_words(&y, s->memory));
        return value_poison();
    }
    int result = quantity_of(op, &x, &y);
    if (result == -2) {
        sema_report(s, E0216, at->at, "'%s' does not go between %s and %s", at->word,
                    value_words(&x, s->memory), value_words(&y, s->memory));
        return value_poison();
    }
    if (op >= EQUAL)
        return value_flag(comparison(op, x.number, y.number));
    double number = arithmetic(op, x.number, y.number);
    if (!isfinite(number) && isfinite(x.number) && isfinite(y.number)) {
        sema_report(s, E0236, at->at, "%s %s %s is not a number", number_words(x.number, s->memory),
                    at->word, number_words(y.number, s->memory));
        return value_poison();
    }
    return value_quantity(number, result);
}

value number_unary(sema *s, const ast_node *at, value x)
{
    if (x.kind == VALUE_FLAG && !strcmp(at->word, "not"))
        return value_flag(!x.flag);
    if (x.kind == VALUE_NUMBER && !strcmp(at->word, "-"))
        return value_quantity(-x.number, x.quantity);
    sema_report(s, E0216, at->at, "'%s' does not go before %s", at->word,
                value_words(&x, s->memory));
    return value_poison();
}

/* `GB/s` with no number before it: reported. */
static bool is_unit(sema *s, const ast_node *e)
{
    text words = text_in(s->memory);
    bool named = e->kind == AST_NAME || (e->children[0]->kind == AST_NAME && e->word[0] == '/' &&
                                         e->children[1]->kind == AST_NAME);
    if (!named)
        return false;
    if (e->kind == AST_NAME)
        text_add(&words, "%s", e->name);
    else
        text_add(&words, "%s/%s", e->children[0]->name, e->children[1]->name);
    const char *spelt = text_done(&words);
    if (!unit_find(spelt, strlen(spelt)))
        return false;
    sema_report(s, E0208, e->at, "a number is missing before the unit '%s'", spelt);
    return true;
}

static value constant_binary(sema *s, const ast_node *e)
{
    value x = constant_of(s, e->children[0]);
    if (!strcmp(e->word, "//") && e->children[1]->kind == AST_NAME && x.kind != VALUE_POISON) {
        diag *d = sema_report(s, E0114, e->children[1]->at, "'//' divides, and begins no comment");
        diag_fix(d, "a comment begins with '#'");
        return value_poison();
    }
    value y = x.kind == VALUE_POISON ? x : constant_of(s, e->children[1]);
    return y.kind == VALUE_POISON ? y : number_binary(s, e, x, y);
}

value constant_of(sema *s, const ast_node *e)
{
    if (e->poisoned)
        return value_poison();
    switch (e->kind) {
    case AST_NUMBER:
        return value_quantity(ast_value(e), e->unit ? (int)e->unit->measures : BARE);
    case AST_NAME:
        if (e->name == s->words.w_yes || e->name == s->words.w_no)
            return value_flag(e->name == s->words.w_yes);
        if (is_unit(s, e))
            return value_poison();
        break;
    case AST_BINARY:
        return is_unit(s, e) ? value_poison() : constant_binary(s, e);
    case AST_UNARY: {
        value x = constant_of(s, e->children[0]);
        return x.kind == VALUE_POISON ? x : number_unary(s, e, x);
    }
    case AST_STRING:
        return (value){.kind = VALUE_TEXT, .text = e->name};
    case AST_RANGE: {
        value x = constant_of(s, e->children[0]), y = constant_of(s, e->children[1]);
        if (x.kind != VALUE_NUMBER || y.kind != VALUE_NUMBER) {
            const ast_node *wrong = e->children[x.kind == VALUE_NUMBER];
            const value *is = x.kind == VALUE_NUMBER ? &y : &x;
            if (x.kind != VALUE_POISON && y.kind != VALUE_POISON)
                sema_report(s, E0208, wrong->at, "a range goes between numbers, and this is %s",
                            value_words(is, s->memory));
            return value_poison();
        }
        double last = e->word[2] == '<' ? y.number - 1 : y.number;
        return (value){.kind = VALUE_RANGE, .number = x.number, .last = last};
    }
    case AST_TUPLE:
        if (e->count == 1)
            return constant_of(s, e->children[0]);
        break;
    default:
        break;
    }
    sema_report(s, E0208, e->at, "a constant is expected here");
    return value_poison();
}

bool constant_quantity(sema *s, const ast_node *e, quantity q, double *out)
{
    value v = constant_of(s, e);
    if (v.kind == VALUE_POISON)
        return false;
    if (v.kind == VALUE_NUMBER && v.quantity == (int)q) {
        *out = v.number;
        return true;
    }
    if (v.kind == VALUE_NUMBER && v.quantity == BARE)
        sema_report(s, E0215, e->at, "a unit is missing: %s, as %s, is expected", quantity_name(q),
                    quantity_example(q));
    else
        sema_report(s, E0215, e->at, "%s, as %s, is expected, not %s", quantity_name(q),
                    quantity_example(q), value_words(&v, s->memory));
    return false;
}

bool value_whole(sema *s, const ast_node *at, value v, whole_range range, int64_t *out)
{
    if (v.kind == VALUE_POISON)
        return false;
    if (v.kind != VALUE_NUMBER || v.quantity != BARE) {
        sema_report(s, E0208, at->at, "%s is a whole number, not %s", range.what,
                    value_words(&v, s->memory));
        return false;
    }
    if (v.number != floor(v.number) || v.number < (double)range.least ||
        v.number > (double)range.most) {
        sema_report(s, E0236, at->at, "%s is a whole number from %lld to %lld, not %s", range.what,
                    (long long)range.least, (long long)range.most,
                    number_words(v.number, s->memory));
        return false;
    }
    *out = (int64_t)v.number;
    return true;
}

bool constant_whole(sema *s, const ast_node *e, whole_range range, int64_t *out)
{
    return value_whole(s, e, constant_of(s, e), range, out);
}
