/* npy_header.h: the header of a NumPy array file (numpy.lib.format, versions 1 to 3). */
#ifndef ESPALIER_RUNTIME_DATA_NPY_HEADER_H
#define ESPALIER_RUNTIME_DATA_NPY_HEADER_H

#include "data/arrays.h"

/* Describes the array in `size` bytes; the view points into them. Errors: RT_DAMAGED with the byte of the header,
 * RT_UNSUPPORTED for types that are not plain numbers. */
rt_status npy_parse(const char *label, const uint8_t *bytes, uint64_t size, array_view *view,
                    rt_error *error);

#endif
