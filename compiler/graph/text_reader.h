/* text_reader.h: the cursor with which parse.c reads the text form line by line. Private to parse.c and text_reader.c.
 *
 * The first failure stays; after it every reading function does nothing and gives a zero.
 */
#ifndef ESPALIER_GRAPH_TEXT_READER_H
#define ESPALIER_GRAPH_TEXT_READER_H

#include "graph/text_form.h"

typedef struct text_reader {
    arena *memory;
    atom_table *atoms;
    source_set *sources;
    const char *all;
    const char *at;   /* in the current line */
    const char *next; /* the line after it */
    const char *end;  /* of the current line: its newline or NUL */
    int line;
    graph_parse_error error; /* text NULL while all is well */
} text_reader;

text_reader text_reader_at(arena *a, atom_table *atoms, source_set *sources, const char *text);

/* Moves to the next line that is not empty and past its indent; false at the end of the text. */
bool text_reader_line(text_reader *r);

void text_reader_fail(text_reader *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool text_reader_failed(const text_reader *r);

/* Skips blanks, then: */
bool text_reader_sees(text_reader *r, const char *sign); /* `sign` is next; not after a failure */
bool text_reader_take(text_reader *r, const char *sign); /* takes `sign` if it is next */
void text_reader_expect(text_reader *r, const char *sign);
bool text_reader_take_word(text_reader *r, const char *word); /* a whole word */
atom text_reader_word(text_reader *r);                        /* letters, digits and _ . / ' $ - */
atom text_reader_quoted(text_reader *r);                      /* "…" */
int64_t text_reader_integer(text_reader *r);
double text_reader_number(text_reader *r);

/* `@ file:line` or `@ -` and the end of the line. */
span text_reader_place(text_reader *r);
/* The span of a quoted "file:line". */
span text_reader_named_place(text_reader *r);

#endif
