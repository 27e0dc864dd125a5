/* token.h: the tokens of one file, in order, comments and line ends among them.
 *
 * The lexer makes them, brackets.h pairs the brackets and settles the broken ones, classify.h decides what each word
 * and line end means where it stands; then the feeder hands them to the grammar and the formatter prints them. Types
 * are those of grammar/parser.y, TOKEN_NAME and so on.
 */
#ifndef ESPALIER_PARSE_TOKEN_H
#define ESPALIER_PARSE_TOKEN_H

#include "ast/unit.h"
#include "base/atom.h"
#include "diag/source.h"
#include <stdbool.h>

/* Bits of token.flags. */
enum {
    TOKEN_STARTS = 1,       /* first of a statement */
    TOKEN_JOINS = 2,        /* a further word of a clause: the grammar gets a JOIN before it */
    TOKEN_CLOSES = 4,       /* a block that was left open ends before this token */
    TOKEN_UNIT_OF = 8,      /* a number with its unit: `end` lies behind the unit */
    TOKEN_SPACED_UNIT = 16, /* between number and unit stood a blank */
    TOKEN_SPOILED = 64,     /* of a line whose mistake is reported already */
    TOKEN_PREFIX = 32,      /* a sign before its operand: -x, *, or the .. of [.., D] */
};

typedef struct token {
    uint16_t type;
    uint16_t flags;
    uint32_t begin; /* bytes of the file */
    uint32_t end;
    uint32_t pair; /* of a bracket: index of the other one; 0 where there is none */
    union {
        atom name;     /* of words */
        double number; /* of numbers, without their unit */
    };
    const unit *unit;
} token;

typedef struct token_list {
    arena *memory;
    int file;
    const char *bytes;
    uint32_t at; /* of the lexer */
    token *items;
    size_t count;
    size_t room;
} token_list;

/* For grammar/lexer.l: the next `length` bytes are one token, or blank. */
void token_push(token_list *list, int type, int length);
void token_skip(token_list *list, int length);

/* `**`: behind a dot a wildcard and a sign, elsewhere a sign of other languages. */
void token_push_stars(token_list *list);

/* In grammar/lexer.l. */
void token_list_lex(token_list *list, const char *bytes, size_t length);

span token_span(const token_list *list, const token *t);

/* Do the bytes of the token spell `word`? */
bool token_is(const token_list *list, const token *t, const char *word);

/* What else is wrong with the line of token `i` comes from a mistake that is reported already. */
void token_spoil_line(token_list *list, size_t i);

/* Index of the next token that is no comment, line end or skipped one, from `from` on; list->count at the end. */
size_t token_next(const token_list *list, size_t from);

#endif
