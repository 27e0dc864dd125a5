#include "kernel/type.h"

#include <string.h>

static const struct {
    const char *name;
    size_t bytes;
} types[RT_TYPE_COUNT] = {
#define RT_TYPE_ROW(id, name, bytes) [id] = {name, bytes},
    RT_TYPES(RT_TYPE_ROW)
#undef RT_TYPE_ROW
};

size_t rt_type_bytes(rt_type type)
{
    return types[type].bytes;
}

const char *rt_type_name(rt_type type)
{
    return types[type].name;
}

bool rt_type_of_name(const char *name, rt_type *type)
{
    for (int i = 0; i < RT_TYPE_COUNT; i++) {
        if (strcmp(name, types[i].name) == 0) {
            *type = (rt_type)i;
            return true;
        }
    }
    return false;
}
