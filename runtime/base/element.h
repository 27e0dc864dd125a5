/* element.h: the number types that files hold, and their values as double and float.
 *
 * Conversions to float are exact or rounded once, to nearest even. Bytes are those of a file: any alignment, either
 * byte order.
 */
#ifndef ESPALIER_RUNTIME_ELEMENT_H
#define ESPALIER_RUNTIME_ELEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum rt_element {
    RT_F64,
    RT_F32,
    RT_F16,
    RT_BF16,
    RT_F8_E4M3, /* OCP 8-bit floats: no infinity in e4m3 */
    RT_F8_E5M2,
    RT_I64,
    RT_I32,
    RT_I16,
    RT_I8,
    RT_U64,
    RT_U32,
    RT_U16,
    RT_U8,
    RT_BOOL,
    RT_ELEMENT_COUNT
} rt_element;

size_t rt_element_bytes(rt_element type);

/* As safetensors names it: "F32", "BF16", "I64"... */
const char *rt_element_name(rt_element type);
bool rt_element_named(const char *name, rt_element *type);

/* One value of a file. Integers beyond 2^53 are rounded; of RT_BOOL any byte but 0 is 1. */
double rt_element_value(rt_element type, const uint8_t *bytes, bool big_endian);

/* Little-endian values to float, and float to F64, F32, F16 or BF16. False for a type that is none of these. */
void rt_elements_to_float(rt_element type, const uint8_t *bytes, float *values, size_t count);
bool rt_elements_from_float(rt_element type, const float *values, uint8_t *bytes, size_t count);

#endif
