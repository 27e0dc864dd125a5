/* number.h: numbers in text, the same under every locale.
 *
 * The text is a range, not NUL-terminated, because it lies in a mapped file. Blanks around a number are ignored;
 * anything else that is not part of it makes the parse fail.
 */
#ifndef ESPALIER_RUNTIME_NUMBER_H
#define ESPALIER_RUNTIME_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decimal or scientific notation, "inf" and "nan" too; correctly rounded. False if it is not one number. */
bool rt_parse_double(const char *text, size_t length, double *value);

/* Decimal digits with an optional sign. False if it is not one, or does not fit in 64 bits. */
bool rt_parse_int64(const char *text, size_t length, int64_t *value);

enum { RT_NUMBER_TEXT = 40 };

/* The shortest of 15 to 17 (for a float 6 to 9) digits that reads back to the same value; "nan", "inf", "-inf". */
size_t rt_format_double(double value, char text[RT_NUMBER_TEXT]);
size_t rt_format_float(float value, char text[RT_NUMBER_TEXT]);

#endif
