/* parse.h: from the bytes of a plan file to its tree.
 *
 * Reading goes: bytes (UTF-8 checked) -> tokens (grammar/lexer.l) -> classified tokens (token.h: which word is a
 * clause word is decided by where it stands) -> tree (grammar/parser.y). Whatever the bytes are, the answer is a tree
 * of kind AST_FILE that ast_check accepts; what could not be read is an AST_ERROR node or left out, and has been
 * reported to `diags`. Errors are reported together: reading goes on behind the statement that is wrong.
 *
 *     parse_context context = {arena, atoms, sources, diags};
 *     ast_node *file = parse_file(&context, source_read(sources, "digits.plan"));
 */
#ifndef ESPALIER_PARSE_PARSE_H
#define ESPALIER_PARSE_PARSE_H

#include "ast/ast.h"
#include "diag/diag.h"

typedef struct parse_context {
    arena *memory;
    atom_table *atoms;
    source_set *sources;
    diag_sink *diags;
} parse_context;

/* A plan file is at most this long, and so are a file and all that it imports together; a longer one is E0107, E0205. */
enum { PARSE_LARGEST_FILE = 1 << 20, PARSE_LONGEST_NAME = 255, PARSE_DEEPEST_NESTING = 100 };

/* Never NULL. */
ast_node *parse_file(const parse_context *context, int file);

/* One expression alone, for --set NAME=VALUE: the file holds only it. NULL after an error. */
ast_node *parse_expression(const parse_context *context, int file);

#endif
