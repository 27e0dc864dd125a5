/* feed.h: the rows of each step, read ahead of it by a thread.
 *
 * A feed has two sets of buffers: while a step computes on one, the thread fills the other. Taking a step that is ready
 * is one atomic operation; only a step that is not yet read is waited for. A rank reads its own rows of the global batch
 * and nothing else. Everything is allocated by feed_start.
 *
 *     feed_options options = {.set = set, .seed = 7, .batch = 64, .first_row = 16, .rows = 16,
 *                             .fields = fields, .field_count = 2};
 *     status = feed_start(&options, &f, &error);          # in the rank's own process: a thread does not survive fork
 *     while ((status = feed_next(f, &step, &error)) == RT_OK)
 *         ... step.blocks[0] holds 16 rows of the first field ...
 *     feed_stop(f);
 */
#ifndef ESPALIER_RUNTIME_FEED_H
#define ESPALIER_RUNTIME_FEED_H

#include <stdbool.h>

#include "data/dataset.h"

/* A field, or a part of its values, as a block of rows. */
typedef struct feed_field {
    size_t field;       /* of the dataset */
    size_t first_value; /* the part of a sample's values that this rank wants... */
    size_t value_count; /* ...0: all of them */
    size_t row_bytes;   /* from a row to the next; 0: no gap. The gap stays zero */
} feed_field;

typedef struct feed_options {
    const dataset *set; /* outlives the feed */
    dataset_part part;
    bool in_order; /* samples 0, 1, 2... once, for evaluation; otherwise order.h's endless stream */
    uint64_t seed; /* of the order */
    uint64_t batch;           /* rows of the global batch */
    uint64_t first_row, rows; /* this rank's rows in it */
    uint64_t first_step;      /* where a resumed run goes on */
    const feed_field *fields;
    size_t field_count;
} feed_options;

typedef struct feed_step {
    uint64_t step;
    uint64_t
        valid_rows; /* rows that hold a sample; the others are zero. Fewer than `rows` at the end of in_order alone */
    uint64_t batch_rows; /* the same for the global batch */
    void *const *blocks; /* one for each field, 64-byte aligned */
} feed_step;

typedef struct feed feed;

/* Errors: RT_INVALID for rows or values outside their range, RT_NO_MEMORY. */
rt_status feed_start(const feed_options *options, feed **made, rt_error *error);

/* The next step. Its blocks stay until the following feed_next or feed_stop. RT_END after the last step in order; an
 * error of the reading thread comes at the step it happened in, and again at each later call. */
rt_status feed_next(feed *f, feed_step *step, rt_error *error);

/* After RT_END: begins again with the first step. RT_INVALID before. */
rt_status feed_rewind(feed *f);

/* Ends the thread, and frees; NULL is fine. */
void feed_stop(feed *f);

/* Bytes allocated, and seconds that feed_next has waited for reading so far. */
size_t feed_allocated_bytes(const feed *f);
double feed_waited_seconds(const feed *f);

#endif
