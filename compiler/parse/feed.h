/* feed.h: hands the classified tokens to the grammar one by one, with the END that stands before every '}' and behind
 * it, the JOIN between the words of a clause, and the '}' of blocks that were left open. */
#ifndef ESPALIER_PARSE_FEED_H
#define ESPALIER_PARSE_FEED_H

#include "parse/parse.h"
#include "parse/token.h"

/* The state of one parse. */
typedef struct parser {
    const parse_context *context;
    token_list *list;
    ast_node *file;       /* the tree so far */
    ast_node *expression; /* of parse_expression */
    bool quiet;           /* what is wrong was said before the grammar began */
    int start;            /* TOKEN_START_FILE or TOKEN_START_EXPRESSION, handed out first */
    size_t cursor;        /* index of the next token */
    size_t braces;        /* '{' handed out and not closed */
    int last;             /* type handed out last */
    size_t last_index; /* of the token handed out last; of the one behind it where it was made up */
    bool made_up;      /* the last was an END, JOIN or '}' that stands nowhere in the file */
    bool owes_end;     /* an END is due */
    int statement;     /* type of the first token of the statement */
    size_t deep_statement; /* begin of the last statement reported as too deep, plus 1 */
    size_t statement_begin;
} parser;

union PLAN_PARSE_STYPE; /* of the generated parser.h */

/* The grammar's yylex. */
int feed_next(union PLAN_PARSE_STYPE *value, span *at, parser *p);

/* After an error: on to the end of the statement, or to the '{' of its body if it has one. */
void feed_skip(parser *p);

#endif
