/* inflate.h: compressed bytes whose size is known before they are unpacked. */
#ifndef ESPALIER_RUNTIME_DATA_INFLATE_H
#define ESPALIER_RUNTIME_DATA_INFLATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

typedef enum inflate_kind { INFLATE_RAW, INFLATE_GZIP } inflate_kind;

/* What is unpacked; `label` names it in errors. */
typedef struct inflate_source {
    const char *label;
    inflate_kind kind; /* deflate as zip holds it, or a gzip file of one or more members */
    const uint8_t *bytes;
    uint64_t size;
} inflate_source;

/* Unpacks exactly `size` bytes, with the check sums of gzip. RT_DAMAGED if there are fewer or more. */
rt_status inflate_exactly(const inflate_source *source, uint8_t *out, uint64_t size,
                          rt_error *error);

/* Unpacks the first `size` bytes; more may follow. */
rt_status inflate_first(const inflate_source *source, uint8_t *out, uint64_t size, rt_error *error);

/* False if no deflate stream of `packed` bytes can hold `unpacked`: refuses a hostile size before it is allocated. */
bool inflate_plausible(uint64_t packed, uint64_t unpacked);

#endif
