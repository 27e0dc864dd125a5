/* samples.h: the rank's rows of each batch, from the data files into the inputs of its arena.
 *
 * The launcher opens the data once, before the ranks are made, so that an error is reported once; a rank then starts two
 * feeds (data/feed.h), one endless for training and one that goes once through the held-out samples each time.
 *
 *     status = rt_samples_open(image, options.data, &set, &error);               // launcher
 *     status = rt_samples_start(&samples, context, set, 0, &error);                // rank
 *     status = rt_samples_train(&samples, &error);                               // fills the inputs for a step
 *     rt_samples_evaluate(&samples, &error);                                     // begins a pass over the held-out part
 *     while ((status = rt_samples_holdout(&samples, &valid, &error)) == RT_OK) ...
 *     rt_samples_stop(&samples);
 */
#ifndef ESPALIER_RUNTIME_EXEC_SAMPLES_H
#define ESPALIER_RUNTIME_EXEC_SAMPLES_H

#include "data/feed.h"
#include "exec/context.h"

typedef struct rt_samples {
    esp_context *context;
    const dataset *set;
    feed_field *fields;
    int *inputs; /* [fields]: the image's input that each fills */
    feed *train, *holdout;
    int64_t first_batch;
} rt_samples;

/* Opens what the image's `data` describes; *set stays NULL when the plan has none. `folder` replaces the plan's own. */
rt_status rt_samples_open(const rt_image *image, const char *folder, dataset **set,
                          rt_error *error);

/* `first_batch`: of the training stream, where a run goes on. */
rt_status rt_samples_start(rt_samples *samples, esp_context *context, const dataset *set,
                           int64_t first_batch, rt_error *error);
void rt_samples_stop(rt_samples *samples);

/* The next training batch. */
rt_status rt_samples_train(rt_samples *samples, rt_error *error);

/* Begins a pass over the held-out samples; then each batch of it with the number of samples of the whole batch that
 * count. RT_END after the last. */
rt_status rt_samples_evaluate(rt_samples *samples, rt_error *error);
rt_status rt_samples_holdout(rt_samples *samples, int64_t *valid, rt_error *error);

#endif
