/* format.h: the canonical form of a plan file, for `espalier fmt`.
 *
 * Tokens, comments and line breaks are kept; blanks, indentation and alignment are made new, so that a formatted file
 * has the tree of the file it came from, and formatting it again changes nothing. Two blanks indent a block; a block
 * of several lines opens and closes on lines of its own; words and values of neighbouring clauses stand in columns, and
 * so do the '=' of neighbouring assignments and the comments behind neighbouring lines; of several empty lines one
 * stays.
 */
#ifndef ESPALIER_PARSE_FORMAT_H
#define ESPALIER_PARSE_FORMAT_H

#include "parse/parse.h"

/* In context->memory; NULL after errors, which are reported. */
const char *format_file(const parse_context *context, int file);

#endif
