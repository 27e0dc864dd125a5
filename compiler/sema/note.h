/* note.h: what the words of the language mean, a line each (note.def).
 *
 *     note n = note_find(AST_PLAN, "split");
 *     printf("%s: %s\n", n.form, n.text);           // split DIMENSION, DIMENSION over AXIS: each rank ...
 */
#ifndef ESPALIER_SEMA_NOTE_H
#define ESPALIER_SEMA_NOTE_H

#include "ast/ast.h"

typedef struct note {
    ast_kind
        block; /* AST_TRAIN or AST_PLAN: a clause; AST_FILE: opens a block; AST_CALL: an operator */
    const char *word;
    const char *form; /* of an operator: its signature */
    const char *text;
} note;

/* Note `i` in the order of the language reference: blocks, clauses of train, of plan, operators. A note behind the last
 * has no word. */
note note_at(int i);

/* Without a word where there is none. */
note note_find(ast_kind block, const char *word);

#endif
