#include "lsp/context.h"

#include <ctype.h>
#include <string.h>

/* A bracket that is open, with the words of its statement before it. */
typedef struct opening {
    char sign;
    lsp_words words;    /* of the statement that the bracket stands in, up to the bracket */
    const char *callee; /* "" for a bracket that is no call's */
    int commas;
    const char *named;
} opening;

typedef struct reader {
    arena *memory;
    const char *at, *end;
    VEC(opening) open;
    lsp_words words; /* of the statement, or of the bracket's inside, so far */
    bool quiet;
} reader;

static bool is_name(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static bool in_round(const reader *r)
{
    return r->open.count && vec_last(&r->open).sign != '{';
}

static void forget_words(reader *r)
{
    r->words = (lsp_words){0};
}

static const char *last_word(const reader *r)
{
    return r->words.count ? vec_last(&r->words) : "";
}

/* Comments and strings; true while the place lies inside. */
static bool pass_over(reader *r)
{
    if (*r->at == '#') {
        while (r->at < r->end && *r->at != '\n')
            r->at++;
        return r->at == r->end;
    }
    for (r->at++; r->at < r->end && *r->at != '"' && *r->at != '\n'; r->at++)
        r->at += *r->at == '\\' && r->at + 1 < r->end;
    if (r->at >= r->end)
        return true;
    r->at += *r->at == '"';
    vec_push(r->memory, &r->words, "\"");
    return false;
}

static void open_bracket(reader *r, char sign)
{
    bool call = sign == '(' && r->words.count && is_name(*last_word(r));
    opening o = {sign, r->words, call ? last_word(r) : "", 0, ""};
    vec_push(r->memory, &r->open, o);
    forget_words(r);
}

/* What is inside the brackets is one word of the statement around: "()". */
static void close_bracket(reader *r, char sign)
{
    bool matches = r->open.count && (sign == '}') == (vec_last(&r->open).sign == '{');
    if (!matches)
        return;
    r->words = vec_last(&r->open).words;
    r->open.count--;
    if (sign == '}')
        forget_words(r);
    else
        vec_push(r->memory, &r->words, "()");
}

static void end_argument(reader *r)
{
    if (in_round(r)) {
        vec_last(&r->open).commas++;
        vec_last(&r->open).named = "";
        forget_words(r);
    } else {
        vec_push(r->memory, &r->words, ",");
    }
}

static void read_name(reader *r)
{
    const char *begin = r->at;
    while (r->at < r->end && is_name(*r->at))
        r->at++;
    vec_push(r->memory, &r->words, arena_copy_text(r->memory, begin, (size_t)(r->at - begin)));
}

static void read_sign(reader *r)
{
    char sign = *r->at++;
    if (strchr("([{", sign)) {
        open_bracket(r, sign);
    } else if (strchr(")]}", sign)) {
        close_bracket(r, sign);
    } else if (sign == ',') {
        end_argument(r);
    } else if ((sign == '\n' && !in_round(r)) || sign == ';') {
        forget_words(r);
    } else if (!isspace((unsigned char)sign)) {
        if (sign == '=' && in_round(r) && r->words.count == 1 && *r->at != '=')
            vec_last(&r->open).named = r->words.items[0];
        vec_push(r->memory, &r->words, arena_copy_text(r->memory, &sign, 1));
    }
}

static void read_all(reader *r)
{
    while (r->at < r->end && !r->quiet) {
        if (*r->at == '#' || *r->at == '"')
            r->quiet = pass_over(r);
        else if (is_name(*r->at))
            read_name(r);
        else
            read_sign(r);
    }
}

/* The statement goes on around the brackets that are open in it. */
static void describe_openings(const reader *r, lsp_context *c)
{
    c->words = r->words;
    c->last = last_word(r);
    bool outside = false; /* of the innermost braces */
    for (size_t i = r->open.count; i > 0; i--) {
        const opening *o = &r->open.items[i - 1];
        if (o->sign == '{') {
            c->block = outside ? c->block : o->words.count ? o->words.items[0] : "";
            outside = true;
            c->head = o->words;
            continue;
        }
        if (outside)
            continue;
        if (i == r->open.count) {
            c->callee = o->callee;
            c->argument = o->commas;
            c->named = o->named;
            c->in_brackets = o->sign == '[';
        }
        c->words = o->words;
    }
    c->item = c->head.count ? c->head.items[0] : "";
}

lsp_context lsp_context_at(arena *a, const char *bytes, uint32_t offset)
{
    while (offset > 0 && is_name(bytes[offset - 1]))
        offset--;
    reader r = {.memory = a, .at = bytes, .end = bytes + offset};
    read_all(&r);
    lsp_context c = {.item = "", .block = "", .callee = "", .last = "", .named = ""};
    c.quiet = r.quiet;
    describe_openings(&r, &c);
    return c;
}

bool lsp_context_opens(const lsp_context *c, const char *word)
{
    return c->words.count > 0 && strcmp(c->words.items[0], word) == 0;
}
