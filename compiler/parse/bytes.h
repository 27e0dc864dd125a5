/* bytes.h: what is wrong with the bytes of a file before any of them means anything. */
#ifndef ESPALIER_PARSE_BYTES_H
#define ESPALIER_PARSE_BYTES_H

#include "parse/parse.h"

/* Reports a file too large, the first bytes that are not UTF-8, the first control character. False: do not read on. */
bool bytes_check(const parse_context *context, int file);

/* Length of the UTF-8 character at `at`, 0 where there is none. */
size_t bytes_character(const char *at, const char *end);

/* A control character that no plan file has. */
bool bytes_is_control(char c);

#endif
