/* forms.h: the printed forms between a plan file and an object file: --emit, and reading them back.
 *
 * A form is a row of the table in forms.c: its name, the pass behind which it stands, how it is printed, and how it is
 * read back.
 */
#ifndef ESPALIER_DRIVER_FORMS_H
#define ESPALIER_DRIVER_FORMS_H

#include "driver/compile.h"

/* Compiles as far as the form needs and writes it to --output or standard output. False after an error. */
bool form_emit(session *s, const char *operand, const char *form);

/* Reads a printed form, verifies it, and prints it again. False after an error. */
bool form_read_back(session *s, const char *form, const char *path);

/* The name of form `i`, NULL behind the last; `read_back`: of those alone that can be read back. */
const char *form_name(int i, bool read_back);

#endif
