#include "parse/syntax_error.h"

#include "base/text.h"
#include "diag/suggest.h"
#include "parse/parser.h"

#include <string.h>

/* What may stand in a place, in the order in which it is named. */
typedef struct expectation {
    const int *types;
    int count;
} expectation;

static bool expects(const expectation *e, int type)
{
    for (int i = 0; i < e->count; i++)
        if (e->types[i] == type)
            return true;
    return false;
}

static bool expects_expression(const expectation *e)
{
    return expects(e, TOKEN_NUMBER) && expects(e, TOKEN_STRING);
}

/* Signs and words that are worth naming; operators are not, since they may stand behind any expression. */
static const struct {
    int type;
    const char *words;
} named[] = {
    {TOKEN_LEFT_BRACE, "'{'"},  {TOKEN_RIGHT_BRACE, "'}'"},  {TOKEN_LEFT_EDGES, "'{'"},
    {TOKEN_RIGHT_EDGES, "'}'"}, {TOKEN_IS, "'='"},           {TOKEN_COLON, "':'"},
    {TOKEN_RIGHT, "')'"},       {TOKEN_RIGHT_SQUARE, "']'"}, {TOKEN_COMMA, "','"},
    {TOKEN_HEAD_FOR, "'for'"},  {TOKEN_HEAD_ON, "'on'"},     {TOKEN_UPDATES, "'updates'"},
    {TOKEN_BY, "'by'"},         {TOKEN_IN, "'in'"},          {TOKEN_FROM, "'from'"},
    {TOKEN_TO, "'to'"},         {TOKEN_THEN, "'then'"},      {TOKEN_INIT, "'init'"},
    {TOKEN_BELOW, "'below'"},   {TOKEN_LEFT_SQUARE, "'['"},  {TOKEN_LEFT, "'('"},
    {TOKEN_ARROW, "'->'"},
};

enum { MOST_NAMED = 4 };

typedef struct listing {
    const char *words[MOST_NAMED + 4];
    int count;
} listing;

static void list_add(listing *l, const char *words)
{
    for (int i = 0; i < l->count; i++)
        if (strcmp(l->words[i], words) == 0)
            return;
    if (l->count < MOST_NAMED)
        l->words[l->count++] = words;
}

/* ELSE alone stands behind a then; otherwise it is only possible, and noise. */
static void list_words(listing *l, const expectation *e, int statement)
{
    if (expects(e, TOKEN_ARROW) && expects(e, TOKEN_MINUS) && !expects(e, TOKEN_PLUS))
        list_add(l, "'-'");
    if (expects_expression(e))
        list_add(l, "an expression");
    else if (expects(e, TOKEN_NAME))
        list_add(l, statement == TOKEN_SEND ? "'reduce' or 'copy'" : "a name");
    else if (expects(e, TOKEN_STRING))
        list_add(l, "a string");
    bool in_expression = expects_expression(e);
    for (size_t i = 0; i < sizeof named / sizeof *named; i++) {
        bool opens_expression = named[i].type == TOKEN_LEFT || named[i].type == TOKEN_LEFT_SQUARE;
        bool continues_one = opens_expression && (expects(e, TOKEN_PLUS) || expects(e, TOKEN_DOT));
        bool only_possible = named[i].type == TOKEN_IS && expects(e, TOKEN_COMMA) &&
                             (expects(e, TOKEN_RIGHT) || expects(e, TOKEN_END));
        if (expects(e, named[i].type) && !(in_expression && opens_expression) && !continues_one &&
            !only_possible)
            list_add(l, named[i].words);
    }
    if (expects(e, TOKEN_END))
        list_add(l, "the end of the line");
    if (l->count == 0 && expects(e, TOKEN_ELSE))
        list_add(l, "'else'");
    if (l->count == 0 && expects(e, TOKEN_OVER))
        list_add(l, "'over'");
    if (l->count == 0 && expects(e, TOKEN_PLUS))
        list_add(l, "an operator");
}

static const char *joined(parser *p, const listing *l)
{
    text t = text_in(p->context->memory);
    for (int i = 0; i < l->count; i++)
        text_add(&t, "%s%s", i == 0 ? "" : i + 1 == l->count ? " or " : ", ", l->words[i]);
    return text_done(&t);
}

static const token *found_token(const parser *p)
{
    return p->last_index < p->list->count ? &p->list->items[p->last_index] : NULL;
}

static const token *token_before(const parser *p)
{
    size_t i = p->last_index;
    while (i > 0) {
        const token *t = &p->list->items[--i];
        if (t->type != TOKEN_COMMENT && t->type != TOKEN_NEWLINE && t->type != TOKEN_SKIPPED)
            return t;
    }
    return NULL;
}

static const char *found_words(const parser *p, int found, span at)
{
    if (found == 0)
        return "the file ends";
    if (found == TOKEN_END) {
        const token *t = found_token(p);
        bool before_brace = t && p->made_up && t->type == TOKEN_RIGHT_BRACE;
        bool semicolon = t && !p->made_up && p->list->bytes[t->begin] == ';';
        return before_brace ? "'}'" : semicolon ? "';'" : "the line ends";
    }
    size_t length = at.end - at.begin;
    if (length > 40)
        length = 40;
    return arena_format(p->context->memory, "'%.*s'", (int)length, p->list->bytes + at.begin);
}

/* `batch = 64`, `batch: 64`: clauses take no sign. */
static bool report_clause_with_is(parser *p, int found, span at)
{
    const token *before = token_before(p);
    if ((found != TOKEN_IS && found != TOKEN_COLON) || !before ||
        (before->type != TOKEN_WORD && before->type != TOKEN_ATTRIBUTE))
        return false;
    diag *d = diag_report(p->context->diags, E0116, at, "'%s' takes no '%s'", before->name,
                          found == TOKEN_IS ? "=" : ":");
    uint32_t end = at.end;
    while (p->list->bytes[end] == ' ' &&
           (p->list->bytes[at.begin - 1] == ' ' || found == TOKEN_COLON))
        end++;
    diag_fix_edit(d, (span){at.file, at.begin, end}, at.begin == before->end ? " " : "",
                  "write the value behind '%s' alone", before->name);
    return true;
}

/* `a = b` where a condition is due. */
static bool is_equality(const parser *p, int found, const expectation *e)
{
    return found == TOKEN_IS && expects(e, TOKEN_EQUAL) && !expects(e, TOKEN_IS) &&
           (p->statement == TOKEN_WHEN || expects(e, TOKEN_THEN));
}

static bool is_operator(int type)
{
    return (type >= TOKEN_OR && type <= TOKEN_POWER) || type == TOKEN_COMMA;
}

/* A line that ends behind an operator, or begins with one. */
static bool is_broken_line(const parser *p, int found)
{
    const token *before = token_before(p);
    const token *t = found_token(p);
    if (found == TOKEN_END && !p->made_up)
        return before && is_operator(before->type);
    return t && before && (t->flags & TOKEN_STARTS) && is_operator(found);
}

static bool begins_expression(int type)
{
    return type == TOKEN_NAME || type == TOKEN_NUMBER || type == TOKEN_STRING || type == TOKEN_LEFT;
}

/* The token behind the one that was found, if nothing stands between them. */
static const token *glued(const parser *p)
{
    const token *t = found_token(p);
    if (!t || p->made_up || p->last_index + 1 >= p->list->count || t[1].begin != t->end)
        return NULL;
    return t + 1;
}

static bool is_glued(const parser *p, int type)
{
    const token *next = glued(p);
    return next && next->type == type;
}

static bool found_is(const parser *p, const char *word)
{
    const token *t = found_token(p);
    return t && !p->made_up && token_is(p->list, t, word);
}

static bool is_last_of_line(const parser *p)
{
    size_t next = p->last_index + 1;
    while (next < p->list->count && p->list->items[next].type == TOKEN_COMMENT)
        next++;
    return next >= p->list->count || p->list->items[next].type == TOKEN_NEWLINE;
}

/* `h: f32 = …`: is there a '=' further on, with something before it? */
static bool binds_behind(const parser *p)
{
    enum { FAR = 64 };
    size_t first = p->last_index + 1;
    for (size_t i = first; i < p->list->count && i < first + FAR; i++) {
        if (p->list->items[i].type == TOKEN_NEWLINE)
            return false;
        if (p->list->items[i].type == TOKEN_IS)
            return i > first;
    }
    return false;
}

/* A ':' where another sign of the language stands. */
static bool suggest_for_colon(parser *p, diag *d, span at, const expectation *e)
{
    const token *before = token_before(p);
    span both = {at.file, at.begin, at.end + (is_glued(p, TOKEN_IS) ? 1 : 0)};
    if (expects(e, TOKEN_IS) && !expects(e, TOKEN_RIGHT) && binds_behind(p))
        diag_fix(d, "leave the type out: NAME = VALUE");
    else if (expects(e, TOKEN_IS) && !expects(e, TOKEN_RIGHT))
        diag_fix_edit(d, both, both.begin == before->end ? " =" : "=", "write '='");
    else if (expects(e, TOKEN_LEFT_BRACE) && p->statement == TOKEN_WORD)
        diag_fix_edit(d, at, "=", "write '='");
    else if (expects(e, TOKEN_RIGHT) && before && before->type == TOKEN_NAME)
        diag_fix_edit(d, at, at.begin == before->end ? " =" : "=", "write '='");
    else if (expects(e, TOKEN_RIGHT) && before && before->type == TOKEN_NUMBER)
        diag_fix_edit(d, at, "..", "write '..', whose last is in the range");
    else if (expects(e, TOKEN_LEFT_BRACE))
        diag_fix_edit(d, at, "", "a block begins with '{' alone");
    else
        return false;
    return true;
}

/* A sign of the language in a place that another one has. */
static bool suggest_sign(parser *p, diag *d, int found, span at, const expectation *e)
{
    const token *before = token_before(p), *next = glued(p);
    if (found == TOKEN_COLON)
        return suggest_for_colon(p, d, at, e);
    const token *behind = found_token(p) ? found_token(p) + 1 : NULL;
    bool number = behind && p->last_index + 1 < p->list->count && behind->type == TOKEN_NUMBER;
    if (found == TOKEN_IS && expects(e, TOKEN_INIT) && number)
        diag_fix(d, "init zeros, ones or constant(c)");
    else if (found == TOKEN_IS && expects(e, TOKEN_INIT))
        diag_fix_edit(d, at, "init", "write 'init'");
    else if (found == TOKEN_LESS && expects(e, TOKEN_BELOW))
        diag_fix_edit(d, at, "below", "write 'below'");
    else if (p->statement == TOKEN_LINK && expects(e, TOKEN_ARROW) && !begins_expression(found))
        diag_fix(d, "'<->' for a link both ways, '->' for one way");
    else if (p->statement == TOKEN_PLAN &&
             (expects(e, TOKEN_HEAD_ON) || expects(e, TOKEN_HEAD_FOR)))
        diag_fix(d, "plan NAME for TRAIN on CLUSTER");
    else if (found == TOKEN_NUMBER && expects(e, TOKEN_LEFT_SQUARE) && expects(e, TOKEN_LEFT_BRACE))
        diag_fix(d, "how many there are stands in '[' and ']' behind the name");
    else if (found == TOKEN_THEN && expects(e, TOKEN_LEFT_BRACE))
        diag_fix_edit(d, at, "", "take it out");
    else if (found == TOKEN_LEFT && expects(e, TOKEN_LEFT_SQUARE) && !expects(e, TOKEN_LEFT))
        diag_fix(d, "'[' and ']' in the place of '(' and ')'");
    else if (found == TOKEN_ARROW && p->statement == TOKEN_MODEL)
        diag_fix(d, "leave it out: what a model gives is its 'loss'");
    else if (found == TOKEN_MINUS && expects(e, TOKEN_LEFT_BRACE) && next && before &&
             next->type == TOKEN_NAME)
        diag_fix(d, "write '_' in a name");
    else if (found == TOKEN_DOT && before && token_is(p->list, before, "self"))
        diag_fix_edit(d, (span){at.file, before->begin, at.end}, "", "take 'self.' out");
    else if (found == TOKEN_COMMA && expects(e, TOKEN_END) && is_last_of_line(p))
        diag_fix_edit(d, at, "", "take it out");
    else
        return false;
    return true;
}

/* `bellow`, `of` for `for`: the word that may stand there, if it is near or the only thing that may. */
static bool suggest_word(parser *p, diag *d, int found, span at, const expectation *e)
{
    if (found != TOKEN_NAME)
        return false;
    const token *before = token_before(p);
    if (before && token_is(p->list, before, "for") && expects(e, TOKEN_HEAD_FOR)) {
        diag_fix(d, "a name of its own in front of 'for'");
        return true;
    }
    const char *said = arena_format(p->context->memory, "%.*s", (int)(at.end - at.begin),
                                    p->list->bytes + at.begin);
    suggestion s = suggest_for(said);
    const char *only = NULL;
    for (size_t i = 0; i < sizeof named / sizeof *named; i++) {
        const char *word = named[i].words + 1;
        bool letters = *word >= 'a' && *word <= 'z';
        if (!letters || !expects(e, named[i].type))
            continue;
        only = arena_format(p->context->memory, "%.*s", (int)strlen(word) - 1, word);
        suggest_offer(&s, only);
    }
    if (s.best)
        diag_fix_edit(d, at, s.best, "did you mean '%s'?", s.best);
    else if (only && e->count == 1)
        diag_fix(d, "write '%s' there", only);
    return s.best || (only && e->count == 1);
}

/* What is missing between two words that stand side by side. */
static bool suggest_between(parser *p, diag *d, int found, span at, const expectation *e)
{
    const token *before = token_before(p);
    span gap = {at.file, before ? before->end : at.begin, before ? before->end : at.begin};
    bool listed = p->statement == TOKEN_USE || p->statement == TOKEN_ATTRIBUTE ||
                  p->statement == TOKEN_LINK || p->statement == TOKEN_SWITCH;
    if (expects(e, TOKEN_COLON) && !expects(e, TOKEN_IS) &&
        (begins_expression(found) || found == TOKEN_LEFT_SQUARE || found == TOKEN_SEND))
        diag_fix_edit(d, gap, ":", "put ':' between the two");
    else if ((begins_expression(found) || found == TOKEN_ATTRIBUTE) && expects(e, TOKEN_COMMA) &&
             listed)
        diag_fix_edit(d, gap, ",", "put ',' between the two");
    else if (found == TOKEN_NAME && expects(e, TOKEN_STRING) && p->statement == TOKEN_IMPORT)
        diag_fix(d, "use nn for a part of the library, import \"mine.plan\" for a file of yours");
    else if (found == TOKEN_NAME && p->statement == TOKEN_WHEN && found_is(p, "is"))
        diag_fix_edit(d, at, "==", "compare with '=='");
    else if (found == TOKEN_NAME && expects(e, TOKEN_END) && expects(e, TOKEN_PLUS))
        diag_fix(d, "an operator between the two, or ';'");
    else if (found >= TOKEN_OR && found <= TOKEN_POWER && expects(e, TOKEN_IS) &&
             p->statement == TOKEN_NAME)
        diag_fix(d, "NAME = … gives what is computed a name; a layer's result stands behind "
                    "'return'");
    else if (expects(e, TOKEN_ELSE) && !expects(e, TOKEN_END) && !expects(e, TOKEN_THEN))
        diag_fix(d, "else …: both choices of a value are said");
    else
        return false;
    return true;
}

/* What other languages write there. */
static bool suggest_habit(parser *p, diag *d, int found, span at, const expectation *e)
{
    const token *before = token_before(p), *t = found_token(p);
    bool starts = t && !p->made_up && (t->flags & TOKEN_STARTS);
    bool behind = before && before->end == at.begin;
    bool arithmetic = found == TOKEN_PLUS || found == TOKEN_MINUS || found == TOKEN_TIMES ||
                      found == TOKEN_OVER_SIGN;
    if (starts && found == TOKEN_WHOLE)
        diag_fix_edit(d, at, "#", "a comment begins with '#'");
    else if (starts && ((found == TOKEN_OVER_SIGN && is_glued(p, TOKEN_TIMES)) ||
                        (found == TOKEN_MINUS && is_glued(p, TOKEN_MINUS))))
        diag_fix(d, "a comment begins with '#'");
    else if (found == TOKEN_STRING && behind && before->type == TOKEN_NAME)
        diag_fix_edit(d, (span){at.file, before->begin, before->end}, "",
                      "a string has no letter before it");
    else if (arithmetic && is_glued(p, TOKEN_IS) && before && before->type == TOKEN_NAME)
        diag_fix(d, "write %s = %s …", before->name, before->name);
    else if (found == TOKEN_IS && is_glued(p, TOKEN_GREATER) && expects(e, TOKEN_ARROW))
        diag_fix_edit(d, (span){at.file, at.begin, at.begin + 2}, "->", "write '->'");
    else if (found == TOKEN_LEFT_SQUARE && expects(e, TOKEN_ARROW) && expects(e, TOKEN_LEFT_BRACE))
        diag_fix_edit(d, (span){at.file, at.begin, at.begin}, "-> ", "put '->' before it");
    else if (found == TOKEN_EQUAL && expects(e, TOKEN_IS))
        diag_fix_edit(d, at, "=", "a name is bound with '='");
    else if (found == TOKEN_IF && expects(e, TOKEN_PLUS))
        diag_fix(d, "if CONDITION then THIS else THAT");
    else
        return false;
    return true;
}

static void suggest_edit(parser *p, diag *d, int found, span at, const expectation *e)
{
    const token *before = token_before(p);
    span gap = {at.file, before ? before->end : at.begin, before ? before->end : at.begin};
    if (suggest_habit(p, d, found, at, e) || suggest_sign(p, d, found, at, e) ||
        suggest_word(p, d, found, at, e))
        return;
    if (is_broken_line(p, found))
        diag_fix(d, "a line goes on only inside brackets: put ( ) around the expression");
    else if (is_equality(p, found, e))
        diag_fix_edit(d, at, "==", "compare with '=='");
    else if (begins_expression(found) && expects(e, TOKEN_COMMA) &&
             (expects(e, TOKEN_RIGHT) || expects(e, TOKEN_RIGHT_SQUARE) ||
              expects(e, TOKEN_RIGHT_EDGES)))
        diag_fix_edit(d, gap, ",", "put ',' between the two");
    else if (begins_expression(found) && expects(e, TOKEN_IS) && p->statement == TOKEN_NAME)
        diag_fix_edit(d, gap, " =", "put '=' between the two");
    else if (found == TOKEN_IS && expects(e, TOKEN_COLON) && !expects(e, TOKEN_IS))
        diag_fix_edit(d, at, ":", "write ':'");
    else
        suggest_between(p, d, found, at, e);
}

static bool is_reserved(int type)
{
    return type == TOKEN_IF || type == TOKEN_THEN || type == TOKEN_ELSE || type == TOKEN_AND ||
           type == TOKEN_OR || type == TOKEN_NOT || type == TOKEN_OVER;
}

/* `h = relu(x) // the hidden layer`: the sign in front of the words of a comment. */
static const token *comment_sign(const parser *p)
{
    enum { FAR = 64 };
    size_t from = p->last_index > FAR ? p->last_index - FAR : 1;
    for (size_t i = p->last_index; i > from && p->list->items[i].type != TOKEN_NEWLINE; i--) {
        const token *t = &p->list->items[i - 1];
        bool block = t->type == TOKEN_OVER_SIGN && t[1].type == TOKEN_TIMES && t[1].begin == t->end;
        bool line = t->type == TOKEN_WHOLE && i < p->last_index;
        if ((block || line) && p->list->bytes[t->begin - 1] == ' ')
            return t;
    }
    return NULL;
}

static bool report_comment(parser *p, int found)
{
    const token *sign = found ? comment_sign(p) : NULL;
    if (!sign || sign->flags & TOKEN_STARTS)
        return false;
    span at = {p->list->file, sign->begin, sign->begin + 2};
    bool line = sign->type == TOKEN_WHOLE;
    diag *d = diag_report(p->context->diags, E0114, at, "'%s' is no sign of a comment",
                          line ? "//" : "/*");
    if (line)
        diag_fix_edit(d, at, "#", "a comment begins with '#'");
    else
        diag_fix(d, "a comment begins with '#', and ends with its line");
    return true;
}

static void report(parser *p, int found, span at, const expectation *e)
{
    if (report_comment(p, found))
        return;
    listing l = {.count = 0};
    list_words(&l, e, p->statement);
    const char *found_in_words = found_words(p, found, at);
    bool ends = found == 0 || found == TOKEN_END;
    const char *verb = ends && found_in_words[0] != '\'' ? "" : " stands";
    diag *d = l.count ? diag_report(p->context->diags, E0102, at, "%s%s where %s belongs",
                                    found_in_words, verb, joined(p, &l))
                      : diag_report(p->context->diags, E0102, at, "%s has no meaning here",
                                    found_in_words);
    if (is_reserved(found) && expects(e, TOKEN_NAME) && !ends)
        diag_label(d, "a word of the language, and no name");
    suggest_edit(p, d, found, at, e);
}

/* A JOIN stands for the token that it comes before. */
static void see_behind_join(const parser *p, int *found, span *at)
{
    const token *t = found_token(p);
    if (*found != TOKEN_JOIN || !t)
        return;
    *found = t->type;
    *at = token_span(p->list, t);
}

void syntax_error(parser *p, int found, span at, const int *expected, int count)
{
    expectation e = {expected, count};
    see_behind_join(p, &found, &at);
    const token *before = token_before(p);
    const token *t = found_token(p);
    bool spoiled = (t && (t->flags & TOKEN_SPOILED)) || (before && (before->flags & TOKEN_SPOILED));
    bool reported = p->quiet || spoiled || found == TOKEN_BAD || found == TOKEN_BAD_VALUE ||
                    (before && before->type == TOKEN_BAD);
    if (!reported && !report_clause_with_is(p, found, at))
        report(p, found, at, &e);
    /* What stands behind a ';' that came too early belongs to the same statement. */
    if (found == TOKEN_END && t && !p->made_up && p->list->bytes[t->begin] == ';' &&
        !(t->flags & TOKEN_SPOILED))
        token_spoil_line(p->list, p->last_index);
    feed_skip(p);
}

void syntax_error_deep(parser *p, span at)
{
    diag *d =
        diag_report(p->context->diags, E0109, at, "nested too deeply; the file is read up to here");
    diag_fix(d, "give the inner parts names of their own");
    p->file->poisoned = true;
}
