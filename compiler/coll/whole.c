#include "coll/whole.h"

#include <string.h>

void whole_bind(whole_scope *scope, atom name, int64_t value)
{
    vec_push(scope->memory, &scope->bindings, (whole_binding){name, value});
}

bool whole_spend(whole_scope *scope, span at)
{
    if (scope->work-- > 0)
        return true;
    diag_report(scope->sink, E0337, at, "topology '%s' takes too long to evaluate",
                scope->topology->name);
    return false;
}

static bool refuse(whole_scope *scope, const ast_node *at, const char *words)
{
    text written = text_in(scope->memory);
    ast_write(at, &written);
    diag_report(scope->sink, E0336, at->at, "'%s' %s", text_done(&written), words);
    return false;
}

static bool too_large(whole_scope *scope, const ast_node *at)
{
    return refuse(scope, at, "does not fit into 64 bits");
}

static int64_t floor_divide(int64_t a, int64_t b)
{
    int64_t quotient = a / b;
    return quotient - (a % b != 0 && (a < 0) != (b < 0));
}

static bool power(whole_scope *scope, const ast_node *at, const int64_t *args, int64_t *value)
{
    int64_t base = args[0], exponent = args[1];
    if (exponent < 0)
        return refuse(scope, at, "has a negative exponent");
    *value = 1;
    if (base == 0 || base == 1 || base == -1) {
        *value = base == 0 ? exponent == 0 : base == 1 || exponent % 2 == 0 ? 1 : -1;
        return true;
    }
    for (int64_t i = 0; i < exponent; i++)
        if (__builtin_mul_overflow(*value, base, value))
            return too_large(scope, at);
    return true;
}

static bool add(whole_scope *scope, const ast_node *at, const int64_t *args, int64_t *value)
{
    return !__builtin_add_overflow(args[0], args[1], value) || too_large(scope, at);
}

static bool subtract(whole_scope *scope, const ast_node *at, const int64_t *args, int64_t *value)
{
    return !__builtin_sub_overflow(args[0], args[1], value) || too_large(scope, at);
}

static bool multiply(whole_scope *scope, const ast_node *at, const int64_t *args, int64_t *value)
{
    return !__builtin_mul_overflow(args[0], args[1], value) || too_large(scope, at);
}

static bool divisible(whole_scope *scope, const ast_node *at, const int64_t *args)
{
    if (args[1] == 0)
        return refuse(scope, at, "divides by zero");
    return !(args[0] == INT64_MIN && args[1] == -1) || too_large(scope, at);
}

static bool divide_down(whole_scope *scope, const ast_node *at, const int64_t *args, int64_t *value)
{
    if (!divisible(scope, at, args))
        return false;
    *value = floor_divide(args[0], args[1]);
    return true;
}

static bool modulo(whole_scope *scope, const ast_node *at, const int64_t *args, int64_t *value)
{
    if (!divisible(scope, at, args))
        return false;
    *value = args[0] - floor_divide(args[0], args[1]) * args[1];
    return true;
}

static bool divide(whole_scope *scope, const ast_node *at, const int64_t *args, int64_t *value)
{
    if (!divisible(scope, at, args))
        return false;
    *value = args[0] / args[1];
    if (args[0] % args[1] == 0)
        return true;
    text written = text_in(scope->memory);
    ast_write(at, &written);
    diag *d = diag_report(scope->sink, E0336, at->at, "'%s' is %lld / %lld, not a whole number",
                          text_done(&written), (long long)args[0], (long long)args[1]);
    diag_fix(d, "'//' rounds down");
    return false;
}

static bool log_of(whole_scope *scope, const ast_node *at, const int64_t *args, int64_t *value)
{
    if (args[0] < 1 || args[1] < 2)
        return refuse(scope, at,
                      args[0] < 1 ? "is the logarithm of a number below 1" : "has a base below 2");
    int64_t power_of = args[0];
    for (*value = 0; power_of >= args[1]; power_of /= args[1])
        ++*value;
    return true;
}

static bool log2_of(whole_scope *scope, const ast_node *at, const int64_t *args, int64_t *value)
{
    return log_of(scope, at, (const int64_t[]){args[0], 2}, value);
}

static bool lesser(whole_scope *scope, const ast_node *at, const int64_t *args, int64_t *value)
{
    (void)scope, (void)at;
    *value = args[0] < args[1] ? args[0] : args[1];
    return true;
}

static bool greater(whole_scope *scope, const ast_node *at, const int64_t *args, int64_t *value)
{
    (void)scope, (void)at;
    *value = args[0] > args[1] ? args[0] : args[1];
    return true;
}

static bool magnitude(whole_scope *scope, const ast_node *at, const int64_t *args, int64_t *value)
{
    *value = args[0] < 0 && args[0] != INT64_MIN ? -args[0] : args[0];
    return args[0] != INT64_MIN || too_large(scope, at);
}

static bool common_divisor(whole_scope *scope, const ast_node *at, const int64_t *args,
                           int64_t *value)
{
    int64_t a, b;
    if (!magnitude(scope, at, &args[0], &a) || !magnitude(scope, at, &args[1], &b))
        return false;
    while (b) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    *value = a;
    return true;
}

#define COMPARISON(name, sign)                                                                     \
    static bool name(whole_scope *scope, const ast_node *at, const int64_t *args, int64_t *value)  \
    {                                                                                              \
        (void)scope, (void)at;                                                                     \
        *value = args[0] sign args[1];                                                             \
        return true;                                                                               \
    }
COMPARISON(equal, ==)
COMPARISON(unequal, !=)
COMPARISON(below, <)
COMPARISON(at_most, <=)
COMPARISON(above, >)
COMPARISON(at_least, >=)
#undef COMPARISON

typedef bool whole_fn(whole_scope *scope, const ast_node *at, const int64_t *args, int64_t *value);

typedef struct whole_operator {
    const char *word;
    whole_fn *apply;
    size_t arguments;
} whole_operator;

static const whole_operator operators[] = {
    {"+", add, 2},          {"-", subtract, 2}, {"*", multiply, 2}, {"/", divide, 2},
    {"//", divide_down, 2}, {"%", modulo, 2},   {"^", power, 2},    {"==", equal, 2},
    {"!=", unequal, 2},     {"<", below, 2},    {"<=", at_most, 2}, {">", above, 2},
    {">=", at_least, 2},
};

static const whole_operator functions[] = {
    {"log2", log2_of, 1},  {"log", log_of, 2},         {"min", lesser, 2}, {"max", greater, 2},
    {"abs", magnitude, 1}, {"gcd", common_divisor, 2}, {"mod", modulo, 2},
};

static const whole_operator *find(const whole_operator *table, size_t count, const char *word)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(table[i].word, word) == 0)
            return &table[i];
    return NULL;
}

#define FIND(table, word) find(table, sizeof table / sizeof *table, word)

static bool name_value(whole_scope *scope, const ast_node *name, int64_t *value)
{
    for (size_t i = scope->bindings.count; i > 0; i--) {
        if (scope->bindings.items[i - 1].name == name->name) {
            *value = scope->bindings.items[i - 1].value;
            return true;
        }
    }
    diag_report(scope->sink, E0335, name->at, "topology '%s' has no '%s'", scope->topology->name,
                name->name);
    return false;
}

static bool number_value(whole_scope *scope, const ast_node *number, int64_t *value)
{
    if (number->unit)
        return refuse(scope, number, "has a unit: ranks, chunks and steps are bare numbers");
    if (!(number->number <= 9007199254740992.0))
        return too_large(scope, number);
    *value = (int64_t)number->number;
    return (double)*value == number->number || refuse(scope, number, "is not a whole number");
}

static bool call_value(whole_scope *scope, const ast_node *call, int64_t *value)
{
    const ast_node *callee = call->children[0];
    const whole_operator *function =
        callee->kind == AST_NAME ? FIND(functions, callee->name) : NULL;
    if (!function) {
        diag *d = diag_report(scope->sink, E0335, callee->at, "a topology has no such function");
        diag_fix(d, "log2, log, min, max, abs, gcd or mod");
        return false;
    }
    if (call->count - 1 != function->arguments) {
        diag_report(scope->sink, E0336, call->at, "'%s' takes %zu number%s, not %zu",
                    function->word, function->arguments, function->arguments == 1 ? "" : "s",
                    call->count - 1);
        return false;
    }
    int64_t args[2] = {0};
    for (size_t i = 0; i < function->arguments; i++)
        if (!whole_value(scope, call->children[i + 1], &args[i]))
            return false;
    return function->apply(scope, call, args, value);
}

/* The right side of `and` and `or` is looked at only where it decides. */
static bool logic_value(whole_scope *scope, const ast_node *node, bool is_and, int64_t *value)
{
    int64_t left, right;
    if (!whole_value(scope, node->children[0], &left))
        return false;
    if ((left != 0) != is_and) {
        *value = left != 0;
        return true;
    }
    if (!whole_value(scope, node->children[1], &right))
        return false;
    *value = right != 0;
    return true;
}

static bool binary_value(whole_scope *scope, const ast_node *node, int64_t *value)
{
    if (strcmp(node->word, "and") == 0 || strcmp(node->word, "or") == 0)
        return logic_value(scope, node, node->word[0] == 'a', value);
    const whole_operator *operation = FIND(operators, node->word);
    if (!operation)
        return refuse(scope, node, "is not an expression over whole numbers");
    int64_t args[2];
    return whole_value(scope, node->children[0], &args[0]) &&
           whole_value(scope, node->children[1], &args[1]) &&
           operation->apply(scope, node, args, value);
}

static bool unary_value(whole_scope *scope, const ast_node *node, int64_t *value)
{
    int64_t operand;
    if (!whole_value(scope, node->children[0], &operand))
        return false;
    if (strcmp(node->word, "not") == 0) {
        *value = operand == 0;
        return true;
    }
    return subtract(scope, node, (const int64_t[]){0, operand}, value);
}

static bool choice_value(whole_scope *scope, const ast_node *node, int64_t *value)
{
    int64_t condition;
    return whole_value(scope, node->children[0], &condition) &&
           whole_value(scope, node->children[condition ? 1 : 2], value);
}

bool whole_value(whole_scope *scope, const ast_node *expression, int64_t *value)
{
    *value = 0;
    if (expression->poisoned || !whole_spend(scope, expression->at))
        return false;
    switch (expression->kind) {
    case AST_NAME:
        return name_value(scope, expression, value);
    case AST_NUMBER:
        return number_value(scope, expression, value);
    case AST_CALL:
        return call_value(scope, expression, value);
    case AST_BINARY:
        return binary_value(scope, expression, value);
    case AST_UNARY:
        return unary_value(scope, expression, value);
    case AST_CHOICE:
        return choice_value(scope, expression, value);
    default:
        return refuse(scope, expression, "is not an expression over whole numbers");
    }
}
