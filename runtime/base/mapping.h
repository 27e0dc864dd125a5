/* mapping.h: a file as read-only memory.
 *
 * The size is taken once, when the file is opened; what reads the bytes checks each offset against it. A file that
 * another program truncates while it is mapped ends the process with SIGBUS: data files are not to be rewritten in
 * place during a run.
 */
#ifndef ESPALIER_RUNTIME_MAPPING_H
#define ESPALIER_RUNTIME_MAPPING_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef struct rt_mapping {
    const uint8_t *bytes; /* NULL when the file is empty */
    size_t size;
} rt_mapping;

/* Errors: RT_NOT_FOUND, RT_IO (a folder, a device, no permission), each naming the path. */
rt_status rt_map_file(const char *path, rt_mapping *mapping, rt_error *error);

/* Unmaps; a zeroed mapping is fine. */
void rt_unmap(rt_mapping *mapping);

#endif
