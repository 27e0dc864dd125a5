/* pairing.h: what brackets.c keeps while it pairs, and what the layout of a file says about its brackets: where a line
 * begins and ends, how far it is indented, and what a bracket that fits nowhere was meant to be. */
#ifndef ESPALIER_PARSE_PAIRING_H
#define ESPALIER_PARSE_PAIRING_H

#include "parse/parse.h"
#include "parse/token.h"

typedef struct opener {
    size_t index;
    int closer; /* token type that closes it */
} opener;

/* Tokens `begin` to `end` are of one line, in a list of `count`. */
typedef struct line_found {
    size_t begin;
    size_t end;
    size_t count;
} line_found;

typedef struct pairing {
    const parse_context *context;
    token_list *list;
    opener stack[PARSE_DEEPEST_NESTING];
    size_t depth;
    size_t after_block; /* index behind the last '}' that closed a block of the top */
    size_t head;        /* a head of the top whose line has no '{', plus 1; 0: none */
    size_t early;   /* a '}' behind code that closed a block of several lines, plus 1; 0: none */
    size_t suspect; /* a '{' whose '}' is indented less than its own line, plus 1; 0: none */
    size_t rescans_left; /* bounds the work on files of nothing but open brackets */
    line_found *
        line; /* the last line whose end was looked for: lines may be long, and are asked for often */
    size_t before; /* the token before, comments aside, plus 1; 0: none */
} pairing;

token *pairing_item(const pairing *p, size_t i);
span pairing_span(const pairing *p, size_t i);

/* Types of brackets and their signs. 0 for a type that opens nothing. */
int pairing_closer(int type);
int pairing_opener(int type);
const char *pairing_sign(int type);

/* Blanks before the first token of the line in which `i` stands. */
size_t pairing_indent(const pairing *p, size_t i);
bool pairing_is_first(const pairing *p, size_t i);
bool pairing_is_last(const pairing *p, size_t i); /* comments aside */

/* Index of the line end behind `i`. */
size_t pairing_line_end(const pairing *p, size_t i);

/* Does a bracket of type `closer` follow on the line of `i` that closes nothing of what stands between? */
bool pairing_closes_on_line(const pairing *p, size_t i, int closer);

/* The last '{' behind `i` on its line, or `i` itself. */
size_t pairing_last_brace(const pairing *p, size_t i);

/* Does a word, a number or a closed bracket stand before it, and a blank between? */
bool pairing_is_behind_word(const pairing *p, size_t i);

/* Is the '{' where a block begins: last on its line, and the next one deeper? */
bool pairing_opens_block(const pairing *p, size_t i);

/* Is any other bracket there in a '{''s place: behind a head, last on its line, and the next one deeper? */
bool pairing_means_open(const pairing *p, size_t i);

/* Is a bracket alone on its line in a '}''s place: behind a line that is deeper? */
bool pairing_means_close(const pairing *p, size_t i);

/* Does the '}' at `i` stand behind code though its block began a line, or before lines that are deeper? */
bool pairing_came_early(const pairing *p, size_t opened, size_t i);

/* The lines behind `i` that are deeper go on with its own, and share its mistake. */
void pairing_spoil_deeper(const pairing *p, size_t i);

/* Index of the line end before `to` behind which a block begins though its line opens none; 0: there is none. */
size_t pairing_line_without_brace(const pairing *p, size_t from, size_t to);

/* Does the token open a block of the top, as far as its word tells? */
bool pairing_is_item_word(const pairing *p, const token *t);
bool pairing_holds_brace(const pairing *p, size_t from, size_t to);

bool pairing_is_spoiled(const pairing *p, size_t i);

/* NULL, which notes and fixes accept, where the line has its error already. */
diag *pairing_report(const pairing *p, diag_code code, size_t i, const char *words);
void pairing_report_unclosed(const pairing *p, size_t i);
const char *pairing_quoted(const pairing *p, size_t i, const char *rest);

/* What is wrong further on in the line of `i` comes from the same mistake. */
void pairing_give_up_line(pairing *p, size_t i);

/* The bracket is taken for another one, which is what stands in its place. */
void pairing_take_for(pairing *p, size_t i, int type);

/* The bracket is lost: at the end of its line nothing else is. */
void pairing_drop(pairing *p, size_t i);

/* Pairs anew from the start of the file: 0. */
size_t pairing_restart(pairing *p);

#endif
