/* context.h: what stands around a place in a text that need not be whole: someone is typing there.
 *
 * Read from the words before the place alone, so that a bracket not closed yet or a clause half written changes nothing:
 * the block around, the words of the statement so far, the call whose arguments are being written.
 *
 *     lsp_context c = lsp_context_at(memory, text, offset);
 *     if (strcmp(c.item, "plan") == 0 && c.words.count == 0) …     // a clause may start here
 */
#ifndef ESPALIER_LSP_CONTEXT_H
#define ESPALIER_LSP_CONTEXT_H

#include "base/vec.h"
#include <stdbool.h>
#include <stdint.h>

typedef VEC(const char *) lsp_words;

typedef struct lsp_context {
    const char *
        item; /* "plan", "model": the word that opens the block around; "" at the top of the file */
    lsp_words head; /* the words of that block's head: plan, ring4, for, digits, on, laptop */
    const char *
        block; /* the first word of the innermost braces' statement: "node", "for"; "" at the top */
    lsp_words
        words; /* words and signs of the statement before the one being typed; arguments of calls left out */
    const char *callee; /* of the innermost call that is open; "" outside calls */
    const char *
        last; /* the word or sign in front of the one being typed; "" at the start of a statement */
    int argument;      /* how many commas of the call lie before */
    const char *named; /* the argument being written is NAME = …; "" */
    bool in_brackets;  /* inside [ ] */
    bool quiet;        /* inside a comment or a string */
} lsp_context;

/* `offset`: the end of the word that is being typed. */
lsp_context lsp_context_at(arena *a, const char *bytes, uint32_t offset);

/* The statement's first word is this one? */
bool lsp_context_opens(const lsp_context *c, const char *word);

#endif
