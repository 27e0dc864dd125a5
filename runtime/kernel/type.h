/* type.h: element types of what lies in an arena. */
#ifndef ESPALIER_RUNTIME_KERNEL_TYPE_H
#define ESPALIER_RUNTIME_KERNEL_TYPE_H

#include <stdbool.h>
#include <stddef.h>

/* X(id, "name", bytes) */
#define RT_TYPES(X)                                                                                \
    X(RT_TYPE_F32, "f32", 4)                                                                       \
    X(RT_TYPE_F64, "f64", 8)                                                                       \
    X(RT_TYPE_BF16, "bf16", 2)                                                                     \
    X(RT_TYPE_I32, "i32", 4)                                                                       \
    X(RT_TYPE_BOOL, "bool", 1)

typedef enum rt_type {
#define RT_TYPE_ENUM(id, name, bytes) id,
    RT_TYPES(RT_TYPE_ENUM)
#undef RT_TYPE_ENUM
        RT_TYPE_COUNT
} rt_type;

size_t rt_type_bytes(rt_type type);
const char *rt_type_name(rt_type type);
bool rt_type_of_name(const char *name, rt_type *type);

#endif
