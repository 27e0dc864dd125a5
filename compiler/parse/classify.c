#include "parse/classify.h"

#include "diag/suggest.h"
#include "parse/parser.h"

#include <assert.h>
#include <string.h>

/* What stands between a pair of braces. */
typedef enum block { TOP, STATEMENTS, CLAUSES, NODES, DEVICE, STEPS, EDGES, TENSORS } block;

typedef struct keyword {
    const char *word;
    int type;
} keyword;

static const keyword items[] = {
#define ITEM(word, token) {word, token},
#include "grammar/keywords.def"
};

static const keyword statements[] = {
#define STATEMENT(word, token) {word, token},
#include "grammar/keywords.def"
};

static const keyword steps[] = {
#define TOPOLOGY(word, token) {word, token},
#include "grammar/keywords.def"
};

static const keyword nodes[] = {
#define CLUSTER(word, token) {word, token},
#include "grammar/keywords.def"
};

static const keyword reserved[] = {
#define RESERVED(word, token) {word, token},
#include "grammar/keywords.def"
};

static const char *const connectives[] = {
#define CONNECTIVE(word) word,
#include "grammar/keywords.def"
};

#define COUNT(table) (sizeof(table) / sizeof *(table))

typedef struct classifier {
    const parse_context *context;
    token_list *list;
    block blocks[PARSE_DEEPEST_NESTING + 1];
    size_t depth;    /* of blocks; blocks[depth] is the innermost */
    block opening;   /* what the next '{' opens */
    size_t rounds;   /* '(' and '[' open */
    bool at_start;   /* the next token starts a statement */
    int statement;   /* type of the first token of the statement */
    size_t first;    /* its index */
    int last;        /* type of the token before */
    bool after_term; /* the token before ends an operand */
    size_t next;     /* the code behind the last line end that was asked for */
} classifier;

static token *item(const classifier *c, size_t i)
{
    return &c->list->items[i];
}

static int find(const classifier *c, const token *t, const keyword *table, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (token_is(c->list, t, table[i].word))
            return table[i].type;
    return 0;
}

static int type_at(const classifier *c, size_t i)
{
    return i < c->list->count ? item(c, i)->type : TOKEN_NEWLINE;
}

/* Type of the token behind `i`, comments aside; a line end counts. */
static int type_behind(const classifier *c, size_t i)
{
    do
        i++;
    while (type_at(c, i) == TOKEN_COMMENT || type_at(c, i) == TOKEN_SKIPPED);
    return type_at(c, i);
}

/* Does the statement that starts at `i` hold a token of that type outside brackets? It ends at its line end, ';' or the '}' around
 * it. Nobody writes a head of so many tokens that more need to be looked at. */
static bool statement_holds(const classifier *c, size_t i, int type)
{
    enum { LONGEST_HEAD = 1024 };
    for (int seen = 0; i < c->list->count && seen < LONGEST_HEAD; seen++) {
        const token *t = item(c, i);
        if (t->type == TOKEN_NEWLINE || t->type == TOKEN_SEMICOLON || t->type == TOKEN_RIGHT_BRACE)
            return false;
        if (t->type == type)
            return true;
        i = t->pair > i ? t->pair + 1 : i + 1;
    }
    return false;
}

/* -------------------------------------------------- the first word of a statement */

static const keyword *nearest(const classifier *c, const token *t, const keyword *table,
                              size_t count)
{
    char name[64];
    size_t length = t->end - t->begin;
    if (length >= sizeof name)
        return NULL;
    memcpy(name, c->list->bytes + t->begin, length);
    name[length] = '\0';
    suggestion s = suggest_for(name);
    for (size_t i = 0; i < count; i++)
        suggest_offer(&s, table[i].word);
    for (size_t i = 0; s.best && i < count; i++)
        if (table[i].word == s.best)
            return &table[i];
    return NULL;
}

static diag *report_unknown(classifier *c, const token *t, const char *where)
{
    return diag_report(c->context->diags, E0103, token_span(c->list, t), "%s begins with '%.*s'",
                       where, (int)(t->end - t->begin), c->list->bytes + t->begin);
}

/* The first word is reported; what the grammar misses behind it comes from the same mistake. */
static void spoil_behind(classifier *c, const token *t)
{
    for (size_t i = (size_t)(t - c->list->items) + 1; type_at(c, i) != TOKEN_NEWLINE; i++) {
        if (item(c, i)->flags & TOKEN_SPOILED)
            return; /* and all behind it */
        item(c, i)->flags |= TOKEN_SPOILED;
    }
}

static int misspelt(classifier *c, token *t, const keyword *meant, const char *where)
{
    diag *d = report_unknown(c, t, where);
    diag_fix_edit(d, token_span(c->list, t), meant->word, "did you mean '%s'?", meant->word);
    spoil_behind(c, t);
    return meant->type;
}

static block block_of_item(int type)
{
    switch (type) {
    case TOKEN_TRAIN:
    case TOKEN_PLAN:
        return CLAUSES;
    case TOKEN_CLUSTER:
        return NODES;
    case TOKEN_TOPOLOGY:
        return STEPS;
    case TOKEN_WEIGHTS:
        return TENSORS;
    default:
        return STATEMENTS;
    }
}

/* Is the line that begins with token `i` empty or indented? */
static bool is_deeper(const classifier *c, size_t i)
{
    if (i >= c->list->count)
        return false;
    const token *t = item(c, i);
    return t->type == TOKEN_NEWLINE || (t->begin > 0 && c->list->bytes[t->begin - 1] != '\n');
}

/* The braces of a block that nobody knows: all that is in it belongs to the one mistake. */
static void drop_item(classifier *c, size_t i)
{
    size_t end = i;
    while (end < c->list->count && item(c, end)->type != TOKEN_NEWLINE) {
        const token *t = item(c, end);
        end = t->pair > end ? t->pair + 1 : end + 1;
    }
    while (end < c->list->count && is_deeper(c, end + 1))
        for (end++; type_at(c, end) != TOKEN_NEWLINE;)
            end++;
    for (size_t k = i; k < end; k++)
        if (item(c, k)->type != TOKEN_COMMENT && item(c, k)->type != TOKEN_NEWLINE)
            item(c, k)->type = TOKEN_SKIPPED;
    item(c, i)->type = TOKEN_BAD;
}

/* `3 box { … }`: a block whose first word is none. */
static void start_no_item(classifier *c, size_t i)
{
    int type = item(c, i)->type;
    bool reported = item(c, i)->flags & TOKEN_SPOILED;
    if (type == TOKEN_LEFT_BRACE || type == TOKEN_RIGHT_BRACE || type == TOKEN_BAD)
        return;
    if (!reported)
        report_unknown(c, item(c, i), "no block");
    drop_item(c, i);
}

/* What opens such a thing in other languages. */
static const char *item_habit(const classifier *c, const token *t)
{
    static const struct {
        const char *word, *fix;
    } habits[] = {{"from", "use nn, optim, or import \"mine.plan\""},
                  {"include", "use nn, optim, or import \"mine.plan\""},
                  {"require", "use nn, optim, or import \"mine.plan\""},
                  {"def", "a layer begins with 'layer'"},
                  {"fn", "a layer begins with 'layer'"},
                  {"func", "a layer begins with 'layer'"},
                  {"function", "a layer begins with 'layer'"},
                  {"module", "a model begins with 'model', a layer with 'layer'"},
                  {"network", "a model begins with 'model', a layer with 'layer'"},
                  {"class", "a model begins with 'model', a layer with 'layer'"},
                  {"struct", "a model begins with 'model', a layer with 'layer'"},
                  {"training", "a training begins with 'train'"},
                  {"machine", "a machine begins with 'cluster'"}};
    for (size_t i = 0; i < COUNT(habits); i++)
        if (token_is(c->list, t, habits[i].word))
            return habits[i].fix;
    return NULL;
}

static void start_item(classifier *c, size_t i)
{
    token *t = item(c, i);
    int type = find(c, t, items, COUNT(items));
    if (!type) {
        const keyword *meant = nearest(c, t, items, COUNT(items));
        if (meant) {
            type = misspelt(c, t, meant, "no block");
        } else {
            diag *d = report_unknown(c, t, "no block");
            const char *habit = item_habit(c, t);
            diag_fix(d, "%s",
                     habit ? habit
                           : "a file holds use, import, model, layer, optimizer, schedule, train, "
                             "cluster, plan, "
                             "topology and weights");
            drop_item(c, i);
            return;
        }
    }
    t->type = (uint16_t)type;
    c->opening = block_of_item(type);
}

/* `param = 3` binds a tensor called param; `then = 3` could not be referred to. */
static void start_assignment(const classifier *c, token *t)
{
    int type = find(c, t, reserved, COUNT(reserved));
    if (type)
        t->type = (uint16_t)type;
}

/* `let h = …`, `for i in …` */
static bool is_foreign(const classifier *c, size_t i)
{
    static const char *const words[] = {"for", "while",  "def",   "class", "with", "import",
                                        "fn",  "assert", "raise", "del",   "pass", "try"};
    for (size_t k = 0; k < COUNT(words); k++)
        if (token_is(c->list, item(c, i), words[k]))
            return true;
    size_t next = token_next(c->list, i + 1);
    return type_behind(c, next) == TOKEN_IS && !find(c, item(c, next), reserved, COUNT(reserved));
}

static void start_foreign(classifier *c, size_t i)
{
    token *t = item(c, i);
    size_t next = token_next(c->list, i + 1);
    diag *d = report_unknown(c, t, "no statement");
    if (type_behind(c, next) == TOKEN_IS) {
        span word = {c->list->file, t->begin, item(c, next)->begin};
        diag_fix_edit(d, word, "", "take it out: a name is bound with '=' alone");
        t->type = TOKEN_SKIPPED;
        c->at_start = true;
        spoil_behind(c, t);
        return;
    }
    diag_fix(
        d,
        "NAME = VALUE, param, state, input, metric, if or return; repeat N: layer(x) goes round");
    t->type = TOKEN_BAD;
    spoil_behind(c, t);
}

/* `print(h)`: a call, and nothing else in its statement. */
static bool is_alone(const classifier *c, size_t i)
{
    size_t open = token_next(c->list, i + 1);
    size_t close = type_at(c, open) == TOKEN_LEFT ? item(c, open)->pair : 0;
    int behind = close ? type_behind(c, close) : TOKEN_LEFT;
    return behind == TOKEN_NEWLINE || behind == TOKEN_SEMICOLON || behind == TOKEN_RIGHT_BRACE;
}

/* `repeat L: x = block(x)`, `elif c {`, `print(h)`: what they mean is known, and nothing behind them is read. */
static bool starts_habit(classifier *c, size_t i)
{
    token *t = item(c, i);
    int behind = type_behind(c, i);
    const char *fix = NULL;
    if (token_is(c->list, t, "repeat") && behind != TOKEN_DOT && behind != TOKEN_NEWLINE)
        fix = "x = repeat N: layer(x)";
    else if (token_is(c->list, t, "elif") || token_is(c->list, t, "elsif") ||
             token_is(c->list, t, "elseif"))
        fix = "write 'else if' behind the '}'";
    else if (behind == TOKEN_LEFT && is_alone(c, i))
        fix = "NAME = … gives what is computed a name; a layer's result stands behind 'return'";
    if (!fix)
        return false;
    diag_fix(report_unknown(c, t, "no statement"), "%s", fix);
    t->type = TOKEN_BAD;
    spoil_behind(c, t);
    return true;
}

/* Words of other languages and libraries for what `param` and `state` are; NULL: it is none of them. */
static const keyword *said_elsewhere(const classifier *c, size_t i)
{
    static const char *const words[][2] = {
        {"parameter", "param"}, {"weight", "param"}, {"buffer", "state"}};
    if (type_behind(c, token_next(c->list, i + 1)) != TOKEN_COLON)
        return NULL;
    for (size_t w = 0; w < COUNT(words); w++)
        for (size_t k = 0; token_is(c->list, item(c, i), words[w][0]) && k < COUNT(statements); k++)
            if (strcmp(statements[k].word, words[w][1]) == 0)
                return &statements[k];
    return NULL;
}

static void start_statement(classifier *c, size_t i)
{
    token *t = item(c, i);
    if (type_behind(c, i) == TOKEN_IS) {
        start_assignment(c, t);
        return;
    }
    int type = find(c, t, statements, COUNT(statements));
    bool names_something = type_behind(c, i) == TOKEN_NAME;
    if (!type && names_something) {
        const keyword *meant = nearest(c, t, statements, COUNT(statements));
        meant = meant ? meant : said_elsewhere(c, i);
        if (meant && meant->type != TOKEN_WHEN)
            type = misspelt(c, t, meant, "no statement");
    }
    if (!type && starts_habit(c, i))
        return;
    if (!type && names_something && is_foreign(c, i))
        start_foreign(c, i);
    if (type)
        t->type = (uint16_t)type;
}

static void start_step(classifier *c, size_t i)
{
    token *t = item(c, i);
    if (type_behind(c, i) == TOKEN_IS) {
        start_assignment(c, t);
        return;
    }
    int type = find(c, t, steps, COUNT(steps));
    if (!type && statement_holds(c, i, TOKEN_COLON)) {
        const keyword *meant = nearest(c, t, steps, COUNT(steps));
        if (meant)
            type = misspelt(c, t, meant, "no statement");
    }
    t->type = (uint16_t)(type ? type : TOKEN_WORD);
}

static const keyword node_word = {"node", TOKEN_UNIT_WORD};

/* Kinds of devices are free, but a body of several lines is a node's. */
static bool is_nearly_node(const classifier *c, size_t i)
{
    return !token_is(c->list, item(c, i), "node") && nearest(c, item(c, i), &node_word, 1);
}

static int misspelt_node(classifier *c, token *t)
{
    int type = misspelt(c, t, &node_word, "nothing in a cluster");
    t->name = atom_of(c->context->atoms, node_word.word);
    return type;
}

/* Does the body of the statement hold blocks of its own, as a node's does and a device's does not? */
static bool body_holds_blocks(const classifier *c, size_t i)
{
    while (type_at(c, i) != TOKEN_NEWLINE && type_at(c, i) != TOKEN_LEFT_BRACE)
        i++;
    size_t end = type_at(c, i) == TOKEN_LEFT_BRACE ? item(c, i)->pair : 0;
    for (size_t k = i + 1; k < end && k < i + 64; k++)
        if (item(c, k)->type == TOKEN_LEFT_BRACE || item(c, k)->type == TOKEN_BOTH_WAYS)
            return true;
    return false;
}

static void start_node(classifier *c, size_t i)
{
    token *t = item(c, i);
    int type = find(c, t, nodes, COUNT(nodes)), behind = type_behind(c, i);
    if (!type && statement_holds(c, i, TOKEN_COLON)) {
        const keyword *meant = nearest(c, t, nodes, COUNT(nodes));
        if (meant)
            type = misspelt(c, t, meant, "no statement");
    }
    if (!type && behind == TOKEN_NAME && is_nearly_node(c, i))
        type = misspelt_node(c, t);
    if (!type)
        type = behind == TOKEN_NUMBER || behind == TOKEN_BAD_VALUE || behind == TOKEN_MINUS
                   ? TOKEN_ATTRIBUTE
                   : TOKEN_UNIT_WORD;
    bool holds_devices = token_is(c->list, t, "node") || is_nearly_node(c, i) ||
                         behind == TOKEN_LEFT_BRACE ||
                         (type == TOKEN_UNIT_WORD && body_holds_blocks(c, i));
    c->opening = holds_devices ? NODES : type == TOKEN_LINK ? EDGES : DEVICE;
    t->type = (uint16_t)type;
}

static void start(classifier *c, size_t i)
{
    token *t = item(c, i);
    c->at_start = false;
    c->first = i;
    t->flags |= TOKEN_STARTS;
    c->opening = c->blocks[c->depth];
    if (t->type == TOKEN_NAME) {
        switch (c->blocks[c->depth]) {
        case TOP:
            start_item(c, i);
            break;
        case STATEMENTS:
            start_statement(c, i);
            break;
        case CLAUSES:
        case TENSORS:
            t->type = TOKEN_WORD;
            break;
        case NODES:
            start_node(c, i);
            break;
        case DEVICE:
            t->type = TOKEN_ATTRIBUTE;
            break;
        case STEPS:
            start_step(c, i);
            break;
        case EDGES:
            break;
        }
    } else if (t->type == TOKEN_STRING && c->blocks[c->depth] == TENSORS) {
        t->type = TOKEN_TENSOR_NAME;
    } else if (c->blocks[c->depth] == TOP && statement_holds(c, i, TOKEN_LEFT_BRACE)) {
        start_no_item(c, i);
    }
    c->statement = t->type;
}

/* -------------------------------------------------- words further on */

static bool ends_term(int type)
{
    switch (type) {
    case TOKEN_NAME:
    case TOKEN_NUMBER:
    case TOKEN_STRING:
    case TOKEN_BAD_VALUE:
    case TOKEN_RIGHT:
    case TOKEN_RIGHT_SQUARE:
        return true;
    default:
        return false;
    }
}

static bool begins_term(int type)
{
    switch (type) {
    case TOKEN_NAME:
    case TOKEN_NUMBER:
    case TOKEN_STRING:
    case TOKEN_BAD_VALUE:
    case TOKEN_LEFT:
    case TOKEN_LEFT_SQUARE:
    case TOKEN_MINUS:
    case TOKEN_TIMES:
        return true;
    default:
        return false;
    }
}

static bool is_connective(const classifier *c, const token *t)
{
    for (size_t i = 0; i < COUNT(connectives); i++)
        if (token_is(c->list, t, connectives[i]))
            return true;
    return false;
}

/* `split by over tp`: where a term must stand, a connective before another is a name. */
static bool joins_parts(const classifier *c, size_t i)
{
    int behind = type_behind(c, i);
    if (c->last == TOKEN_CONNECTIVE || !is_connective(c, item(c, i)))
        return false;
    bool nothing_behind = behind == TOKEN_NEWLINE || behind == TOKEN_SEMICOLON ||
                          behind == TOKEN_COMMA || behind == TOKEN_RIGHT_BRACE;
    if (c->after_term)
        return begins_term(behind) || nothing_behind;
    if (!begins_term(behind) || (c->last != TOKEN_WORD && c->last != TOKEN_COMMA))
        return false;
    size_t next = token_next(c->list, i + 1);
    return behind != TOKEN_LEFT && !(behind == TOKEN_NAME && is_connective(c, item(c, next)));
}

static int word_in_clause(classifier *c, size_t i)
{
    token *t = item(c, i);
    if (joins_parts(c, i))
        return TOKEN_CONNECTIVE;
    int type = find(c, t, reserved, COUNT(reserved));
    if (type && c->last != TOKEN_CONNECTIVE)
        return type == TOKEN_OVER ? TOKEN_NAME : type;
    return TOKEN_NAME;
}

static int word_in_head(const classifier *c, const token *t)
{
    if (c->last == c->statement || !ends_term(c->last))
        return TOKEN_NAME;
    bool for_a_model = c->statement == TOKEN_TRAIN || c->statement == TOKEN_PLAN;
    if (for_a_model && token_is(c->list, t, "for"))
        return TOKEN_HEAD_FOR;
    if (c->statement == TOKEN_PLAN && token_is(c->list, t, "on"))
        return TOKEN_HEAD_ON;
    if (c->statement == TOKEN_OPTIMIZER && token_is(c->list, t, "updates"))
        return TOKEN_UPDATES;
    if (c->statement == TOKEN_OPTIMIZER && token_is(c->list, t, "by"))
        return TOKEN_BY;
    return TOKEN_NAME;
}

/* `repeat L: block(x)` where a value begins. */
static bool is_repeat(const classifier *c, size_t i)
{
    bool begins_value =
        (c->last == TOKEN_IS && c->statement == TOKEN_NAME) || c->last == TOKEN_RETURN;
    if (!begins_value || !token_is(c->list, item(c, i), "repeat"))
        return false;
    int behind = type_behind(c, i);
    return behind == TOKEN_NAME || behind == TOKEN_NUMBER ||
           (behind == TOKEN_LEFT && statement_holds(c, i, TOKEN_COLON));
}

static const keyword repeat_word = {"repeat", TOKEN_REPEAT};

/* `x = repaet L: block(x)` */
static bool is_nearly_repeat(const classifier *c, size_t i)
{
    int behind = type_behind(c, i);
    return c->last == TOKEN_IS && (behind == TOKEN_NAME || behind == TOKEN_NUMBER) &&
           !token_is(c->list, item(c, i), "repeat") && nearest(c, item(c, i), &repeat_word, 1) &&
           statement_holds(c, i, TOKEN_COLON);
}

static int word_in_statement(const classifier *c, size_t i)
{
    const token *t = item(c, i);
    bool behind_name = ends_term(c->last) && c->last != c->statement;
    if (is_repeat(c, i))
        return TOKEN_REPEAT;
    switch (c->statement) {
    case TOKEN_PARAM:
    case TOKEN_STATE:
        return behind_name && token_is(c->list, t, "init") ? TOKEN_INIT : TOKEN_NAME;
    case TOKEN_INPUT:
        return behind_name && token_is(c->list, t, "below") ? TOKEN_BELOW : TOKEN_NAME;
    case TOKEN_FOR:
        return behind_name && token_is(c->list, t, "in") ? TOKEN_IN : TOKEN_NAME;
    case TOKEN_SEND:
        if (behind_name && token_is(c->list, t, "from"))
            return TOKEN_FROM;
        return behind_name && token_is(c->list, t, "to") ? TOKEN_TO : TOKEN_NAME;
    default:
        return TOKEN_NAME;
    }
}

/* Behind a comma; or behind a quantity where the comma is missing, which the grammar then reports. */
static bool begins_attribute(const classifier *c, size_t i)
{
    int behind = type_behind(c, i);
    bool counts = behind == TOKEN_NUMBER || behind == TOKEN_BAD_VALUE;
    return c->last == TOKEN_COMMA || (ends_term(c->last) && counts);
}

static int word_type(classifier *c, size_t i)
{
    token *t = item(c, i);
    if (c->last == TOKEN_DOT)
        return TOKEN_NAME;
    if (c->rounds == 0 && c->blocks[c->depth] == TOP) {
        int type = word_in_head(c, t);
        if (type != TOKEN_NAME)
            return type;
    }
    if (c->rounds == 0 && c->statement == TOKEN_WORD)
        return word_in_clause(c, i);
    if (c->rounds == 0 && c->statement == TOKEN_ATTRIBUTE && begins_attribute(c, i))
        return TOKEN_ATTRIBUTE;
    int type = find(c, t, reserved, COUNT(reserved));
    if (type)
        return type;
    if (is_nearly_repeat(c, i))
        return misspelt(c, t, &repeat_word, "no value");
    return c->rounds == 0 ? word_in_statement(c, i) : TOKEN_NAME;
}

/* Terms that follow one another in a clause or attribute with nothing between. */
static bool follows_term(const classifier *c, const token *t)
{
    bool in_clause = c->statement == TOKEN_WORD || c->statement == TOKEN_ATTRIBUTE;
    if (!in_clause || c->rounds > 0 || !c->after_term)
        return false;
    return t->type == TOKEN_NAME || t->type == TOKEN_NUMBER || t->type == TOKEN_STRING ||
           t->type == TOKEN_BAD_VALUE;
}

/* -------------------------------------------------- line ends and brackets */

/* A line goes on where the next begins with the '{' of a head, or with the else of an if. */
static bool goes_on(classifier *c, size_t i)
{
    if (c->next <= i) /* many line ends may stand before it */
        c->next = token_next(c->list, i);
    size_t next = c->next;
    if (next >= c->list->count)
        return false;
    const token *t = item(c, next);
    if (t->type == TOKEN_LEFT_BRACE)
        return c->last != TOKEN_RIGHT_BRACE;
    return c->last == TOKEN_RIGHT_BRACE && token_is(c->list, t, "else");
}

/* A ';' behind which the clause or the head of a block goes on. */
static bool is_inside_statement(const classifier *c, size_t i)
{
    if (item(c, i)->type != TOKEN_SEMICOLON || c->at_start || c->rounds > 0)
        return false;
    int behind = type_behind(c, i);
    if (behind == TOKEN_NEWLINE || behind == TOKEN_SEMICOLON)
        return false;
    const token *t = item(c, token_next(c->list, i + 1));
    if (c->blocks[c->depth] == CLAUSES)
        return is_connective(c, t);
    return c->blocks[c->depth] == TOP && c->statement != TOKEN_RIGHT_BRACE &&
           !find(c, t, items, COUNT(items));
}

static void skip_semicolon(const classifier *c, token *t)
{
    bool listed = c->statement == TOKEN_USE; /* `use nn; optim` */
    if (listed) {
        diag *d = diag_report(c->context->diags, E0102, token_span(c->list, t),
                              "';' stands where ',' belongs");
        diag_fix_edit(d, token_span(c->list, t), ",", "write ','");
        t->type = TOKEN_COMMA;
        return;
    }
    if (!(t->flags & TOKEN_SPOILED)) {
        diag *d = diag_report(c->context->diags, E0102, token_span(c->list, t),
                              "';' stands in the middle of a statement");
        diag_fix_edit(d, token_span(c->list, t), "", "take it out");
    }
    t->type = TOKEN_SKIPPED;
}

static void line_end(classifier *c, size_t i)
{
    token *t = item(c, i);
    if (is_inside_statement(c, i)) {
        skip_semicolon(c, t);
        return;
    }
    bool bracketed = c->rounds > 0 || c->blocks[c->depth] == EDGES;
    if (bracketed)
        return;
    if (c->at_start) {
        if (t->type == TOKEN_SEMICOLON)
            t->type = TOKEN_END;
        return;
    }
    if (t->type == TOKEN_NEWLINE && goes_on(c, i + 1))
        return;
    t->type = TOKEN_END;
    c->at_start = true;
}

static void open_block(classifier *c, token *t)
{
    block inside = c->opening;
    if (inside == EDGES)
        t->type = TOKEN_LEFT_EDGES;
    if (c->depth < PARSE_DEEPEST_NESTING)
        c->blocks[++c->depth] = inside;
    c->at_start = inside != EDGES;
    c->statement = TOKEN_LEFT_BRACE;
    c->opening = inside;
}

static void close_block(classifier *c, token *t)
{
    if (c->depth > 0 && c->blocks[c->depth] == EDGES)
        t->type = TOKEN_RIGHT_EDGES;
    if (c->depth > 0)
        c->depth--;
    c->at_start = false;
    c->opening = c->blocks[c->depth];
    c->statement = TOKEN_RIGHT_BRACE;
}

/* for s in 0 ..< n: the statement behind the colon begins like one of its own. */
static bool is_colon_of_for(const classifier *c, const token *t)
{
    return t->type == TOKEN_COLON && c->statement == TOKEN_FOR && c->rounds == 0;
}

static bool is_blank(const token *t)
{
    return t->type == TOKEN_COMMENT || t->type == TOKEN_SKIPPED;
}

static void classify_bracket(classifier *c, token *t)
{
    switch (t->type) {
    case TOKEN_LEFT:
    case TOKEN_LEFT_SQUARE:
        c->rounds++;
        break;
    case TOKEN_RIGHT:
    case TOKEN_RIGHT_SQUARE:
        c->rounds -= c->rounds > 0;
        break;
    case TOKEN_LEFT_BRACE:
        open_block(c, t);
        break;
    case TOKEN_RIGHT_BRACE:
        close_block(c, t);
        break;
    default:
        break;
    }
}

/* A sign where an operand is due: -x, a wildcard, the .. of [.., D]. */
static bool is_prefix(const classifier *c, const token *t)
{
    bool sign = t->type == TOKEN_MINUS || t->type == TOKEN_TIMES || t->type == TOKEN_TO_LAST;
    return sign && !c->after_term && c->last != TOKEN_DOT;
}

static bool ends_operand(const classifier *c, const token *t)
{
    bool wildcard = t->type == TOKEN_TIMES && ((t->flags & TOKEN_PREFIX) || c->last == TOKEN_DOT);
    return wildcard || ends_term(t->type);
}

static void close_left_open(classifier *c)
{
    c->depth = 0;
    c->rounds = 0;
    c->at_start = true;
}

static void classify_token(classifier *c, size_t i)
{
    token *t = item(c, i);
    if (t->flags & TOKEN_CLOSES)
        close_left_open(c);
    if (t->type == TOKEN_NEWLINE || t->type == TOKEN_SEMICOLON) {
        line_end(c, i);
        return;
    }
    bool opens_body = t->type == TOKEN_RIGHT_BRACE;
    bool behind_block = c->last == TOKEN_RIGHT_BRACE && c->statement == TOKEN_RIGHT_BRACE;
    if (behind_block && !token_is(c->list, t, "else"))
        c->at_start = true;
    if (c->at_start && !opens_body)
        start(c, i);
    else if (t->type == TOKEN_NAME)
        t->type = (uint16_t)word_type(c, i);
    if (follows_term(c, t))
        t->flags |= TOKEN_JOINS;
    if (is_prefix(c, t))
        t->flags |= TOKEN_PREFIX;
    bool behind_colon = is_colon_of_for(c, t);
    classify_bracket(c, t);
    c->at_start |= behind_colon;
    if (t->type == TOKEN_ELSE && c->statement == TOKEN_RIGHT_BRACE)
        c->statement = TOKEN_ELSE;
    c->after_term = ends_operand(c, t);
    c->last = t->type;
}

/* `else if` of a statement: the if begins a statement too. */
static void settle_else_if(classifier *c, token *t)
{
    if (c->last == TOKEN_ELSE && c->statement == TOKEN_ELSE && t->type == TOKEN_NAME &&
        token_is(c->list, t, "if"))
        t->type = TOKEN_WHEN;
}

static void classify_all(classifier *c)
{
    for (size_t i = 0; i < c->list->count; i++) {
        if (is_blank(item(c, i)))
            continue;
        settle_else_if(c, item(c, i));
        classify_token(c, i);
    }
}

void classify(const parse_context *context, token_list *list)
{
    classifier c = {.context = context, .list = list, .at_start = true};
    classify_all(&c);
}

void classify_expression(const parse_context *context, token_list *list)
{
    classifier c = {.context = context, .list = list, .blocks = {STATEMENTS}};
    classify_all(&c);
}
