/* safetensors_header.h: the header of one file, parsed and checked. For safetensors.c. */
#ifndef ESPALIER_RUNTIME_SAFETENSORS_HEADER_H
#define ESPALIER_RUNTIME_SAFETENSORS_HEADER_H

#include "state/safetensors.h"

typedef struct header_pair {
    const char *key, *value;
} header_pair;

/* What a header holds. Names and texts lie in `texts`. */
typedef struct safetensors_header {
    safetensors_entry *entries; /* by name */
    size_t count, room;
    header_pair *pairs; /* of __metadata__ */
    size_t pair_count, pair_room;
    char *texts;
    size_t texts_used, texts_room;
} safetensors_header;

/* Parses `size` bytes of a whole file. The entries point into them. On failure nothing is left to free. */
rt_status safetensors_header_parse(const char *path, const uint8_t *bytes, uint64_t size,
                                   safetensors_header *header, rt_error *error);
void safetensors_header_free(safetensors_header *header);

#endif
