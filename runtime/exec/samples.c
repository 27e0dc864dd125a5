#include "exec/samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SOURCE_TEXT = 48 };

static const rt_input *input_named(const rt_image *image, const char *name, int *index)
{
    for (int i = 0; i < image->input_count; i++) {
        if (strcmp(image->inputs[i].name, name) == 0) {
            *index = i;
            return &image->inputs[i];
        }
    }
    return NULL; /* the image's check has seen to it that this is not so */
}

/* Values of a whole sample. */
static int64_t sample_size(const rt_input *input)
{
    int64_t size = 1;
    for (int i = 1; i < input->tensor.rank; i++)
        size *= input->tensor.shape[i];
    return size;
}

static dataset_field_spec spec_of(const rt_image *image, const rt_field *field, char *source)
{
    int index = 0;
    const rt_input *input = input_named(image, field->input, &index);
    if (field->first_column >= 0 && field->first_column == field->last_column)
        snprintf(source, SOURCE_TEXT, "%lld", (long long)field->first_column);
    else if (field->first_column >= 0)
        snprintf(source, SOURCE_TEXT, "%lld..%lld", (long long)field->first_column,
                 (long long)field->last_column);
    bool ids = input->tensor.type == RT_TYPE_I32;
    return (dataset_field_spec){.name = field->input,
                                .source = field->first_column >= 0 ? source : field->array,
                                .type = ids ? DATASET_ID : DATASET_F32,
                                .size = (size_t)sample_size(input),
                                .below = input->below,
                                .scale = field->scale,
                                .shift = field->shift,
                                .mean = field->mean,
                                .deviation = field->deviation,
                                .held_out_source = field->holdout_array};
}

rt_status rt_samples_open(const rt_image *image, const char *folder, dataset **set, rt_error *error)
{
    const rt_data *data = &image->data;
    *set = NULL;
    if (!data->given)
        return RT_OK;
    size_t count = (size_t)data->field_count;
    dataset_field_spec *fields = calloc(count + 1, sizeof *fields);
    char(*sources)[SOURCE_TEXT] = calloc(count + 1, sizeof *sources);
    rt_status status = rt_fail(error, RT_NO_MEMORY, "out of memory for the data's fields");
    if (fields && sources) {
        for (size_t i = 0; i < count; i++)
            fields[i] = spec_of(image, &data->fields[i], sources[i]);
        dataset_spec spec = {.format = data->format,
                             .folder = folder ? folder : data->base,
                             .paths = data->paths,
                             .path_count = (size_t)data->path_count,
                             .held_out_paths = data->holdout_paths,
                             .held_out_path_count = (size_t)data->holdout_path_count,
                             .fields = fields,
                             .field_count = count,
                             .options = data->options,
                             .option_count = (size_t)data->option_count,
                             .hold_out = data->holdout_share,
                             .seed = image->training.seed};
        status = dataset_open(&spec, set, error);
    }
    free(fields);
    free(sources);
    return status;
}

static int batch_coordinate(const rt_samples *samples, const rt_tensor *tensor)
{
    if (tensor->axes[0] < 0)
        return 0;
    return rt_image_coordinate(samples->context->image, samples->context->rank, tensor->axes[0]);
}

static rt_status start_feed(const rt_samples *samples, bool in_order, feed **made, rt_error *error)
{
    const rt_image *image = samples->context->image;
    const rt_tensor *first = &image->inputs[samples->inputs[0]].tensor;
    feed_options options = {.set = samples->set,
                            .part = in_order ? DATASET_HELD_OUT : DATASET_TRAIN,
                            .in_order = in_order,
                            .seed = image->training.seed,
                            .batch = (uint64_t)first->shape[0],
                            .first_row =
                                (uint64_t)(batch_coordinate(samples, first) * first->local[0]),
                            .rows = (uint64_t)first->local[0],
                            .first_step = in_order ? 0 : (uint64_t)samples->first_batch,
                            .fields = samples->fields,
                            .field_count = (size_t)image->data.field_count};
    return feed_start(&options, made, error);
}

static rt_status match_inputs(rt_samples *samples, rt_error *error)
{
    const rt_image *image = samples->context->image;
    for (int i = 0; i < image->data.field_count; i++) {
        const rt_input *input =
            input_named(image, image->data.fields[i].input, &samples->inputs[i]);
        const rt_tensor *first = &image->inputs[samples->inputs[0]].tensor;
        if (input->tensor.shape[0] != first->shape[0] || input->tensor.axes[0] != first->axes[0])
            return rt_fail(error, RT_DAMAGED, "plan image: input '%s' has another batch than '%s'",
                           input->name, image->inputs[samples->inputs[0]].name);
        samples->fields[i].field = (size_t)i;
    }
    return RT_OK;
}

rt_status rt_samples_start(rt_samples *samples, esp_context *context, const dataset *set,
                           int64_t first_batch, rt_error *error)
{
    *samples = (rt_samples){.context = context, .set = set, .first_batch = first_batch};
    if (!set || context->image->data.field_count == 0)
        return RT_OK;
    size_t count = (size_t)context->image->data.field_count;
    samples->fields = calloc(count, sizeof *samples->fields);
    samples->inputs = calloc(count, sizeof *samples->inputs);
    if (!samples->fields || !samples->inputs) {
        rt_samples_stop(samples);
        return rt_fail(error, RT_NO_MEMORY, "out of memory for the data's fields");
    }
    rt_status status = match_inputs(samples, error);
    if (status == RT_OK)
        status = start_feed(samples, false, &samples->train, error);
    if (status != RT_OK)
        rt_samples_stop(samples);
    return status;
}

void rt_samples_stop(rt_samples *samples)
{
    feed_stop(samples->train);
    feed_stop(samples->holdout);
    free(samples->fields);
    free(samples->inputs);
    *samples = (rt_samples){0};
}

/* Where this rank's part of a sample begins, in values of the whole sample, and the strides of its slots. */
static int64_t part_origin(const rt_samples *samples, const rt_tensor *t,
                           int64_t strides[RT_MAX_SHAPE])
{
    int64_t origin = 0, stride = 1;
    for (int i = t->rank - 1; i >= 1; i--) {
        strides[i] = stride;
        if (t->axes[i] >= 0) {
            int at =
                rt_image_coordinate(samples->context->image, samples->context->rank, t->axes[i]);
            origin += at * t->local[i] * stride;
        }
        stride *= t->shape[i];
    }
    return origin;
}

/* Runs of contiguous values of the rank's part: from `source` (a whole sample) to `out`, which is left behind the last. */
static void copy_slot(const rt_tensor *t, int slot, const int64_t *strides, const uint32_t *source,
                      char **out)
{
    if (slot == t->rank) {
        if (t->type == RT_TYPE_F64) {
            float value;
            memcpy(&value, source, sizeof value);
            double wide = (double)value;
            memcpy(*out, &wide, sizeof wide);
        } else {
            memcpy(*out, source, sizeof *source);
        }
        *out += rt_type_bytes(t->type);
        return;
    }
    bool whole = slot == t->rank - 1 && t->type != RT_TYPE_F64;
    if (whole) {
        size_t bytes = (size_t)t->local[slot] * sizeof *source;
        memcpy(*out, source, bytes);
        *out += bytes;
        return;
    }
    for (int64_t i = 0; i < t->local[slot]; i++)
        copy_slot(t, slot + 1, strides, source + i * strides[slot], out);
}

static void fill(const rt_samples *samples, const feed_step *step)
{
    const rt_image *image = samples->context->image;
    for (int f = 0; f < image->data.field_count; f++) {
        const rt_input *input = &image->inputs[samples->inputs[f]];
        const rt_tensor *t = &input->tensor;
        int64_t strides[RT_MAX_SHAPE] = {0}, size = sample_size(input);
        int64_t origin = part_origin(samples, t, strides);
        const uint32_t *block = step->blocks[f];
        char *out = samples->context->arena + t->offset;
        for (int64_t row = 0; row < t->local[0]; row++)
            copy_slot(t, 1, strides, block + row * size + origin, &out);
    }
}

rt_status rt_samples_train(rt_samples *samples, rt_error *error)
{
    if (!samples->train)
        return RT_OK;
    feed_step step;
    rt_status status = feed_next(samples->train, &step, error);
    if (status == RT_OK)
        fill(samples, &step);
    return status;
}

rt_status rt_samples_evaluate(rt_samples *samples, rt_error *error)
{
    if (samples->holdout && feed_rewind(samples->holdout) == RT_OK)
        return RT_OK;
    feed_stop(samples->holdout);
    samples->holdout = NULL;
    return samples->train ? start_feed(samples, true, &samples->holdout, error) : RT_OK;
}

rt_status rt_samples_holdout(rt_samples *samples, int64_t *valid, rt_error *error)
{
    if (!samples->holdout)
        return RT_END;
    feed_step step;
    rt_status status = feed_next(samples->holdout, &step, error);
    if (status == RT_OK) {
        fill(samples, &step);
        *valid = (int64_t)step.batch_rows;
    }
    return status;
}
