/* unit.h: units are part of a number (rule 4). One row of unit.def each. */
#ifndef ESPALIER_AST_UNIT_H
#define ESPALIER_AST_UNIT_H

#include <stdbool.h>
#include <stddef.h>

typedef enum quantity { BYTES, BANDWIDTH, TIME, COMPUTE, SHARE } quantity;

typedef struct unit {
    const char *name;
    quantity measures;
    double scale; /* in bytes, bytes per second, seconds, operations per second, parts of one */
} unit;

/* NULL: no such unit. */
const unit *unit_find(const char *name, size_t length);

/* The unit that `name` is most probably meant to be; NULL where none is near. */
const unit *unit_suggest(const char *name, size_t length);

/* "a bandwidth", and one: "10 GB/s". */
const char *quantity_name(quantity q);
const char *quantity_example(quantity q);

#endif
