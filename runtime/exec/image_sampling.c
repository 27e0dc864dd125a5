#include "exec/image_sampling.h"

#include <stdbool.h>
#include <string.h>

static int input_named(const rt_image *image, const char *name)
{
    for (int i = 0; i < image->input_count; i++)
        if (strcmp(image->inputs[i].name, name) == 0)
            return i;
    return -1;
}

/* A function that takes ids, and its one result. */
static void read_function(rt_reader *reader, const rt_place *place, rt_image *image,
                          const char *name, rt_id_function *made)
{
    const char *input = rt_member_text(reader, place, name);
    if (reader->status != RT_OK)
        return;
    int at = input_named(image, input);
    made->function = -1;
    for (int i = 0; i < image->function_count; i++)
        if (strcmp(image->functions[i].name, name) == 0)
            made->function = i;
    if (at < 0 || image->inputs[at].tensor.type != RT_TYPE_I32) {
        rt_reader_fail(reader, place, name, "is no input of ids");
        return;
    }
    made->ids = image->inputs[at].tensor.offset;
    made->count = image->inputs[at].tensor.local_count;
    const rt_function *f = made->function < 0 ? NULL : &image->functions[made->function];
    if (!f || f->result_count != 1 || f->results[0].kind != RT_SCORES)
        rt_reader_fail(reader, place, name, "has no function of its name that gives scores");
}

static void read_sampling(rt_reader *reader, const rt_place *root, rt_image *image)
{
    rt_sampling *s = &image->sampling;
    rt_place object = rt_member_object(reader, root, "sampling");
    s->given = true;
    s->printed = rt_member_bool(reader, &object, "printed");
    s->text = rt_member_bool(reader, &object, "text");
    s->together = rt_member_bool(reader, &object, "together");
    s->prompt = rt_member_text(reader, &object, "prompt");
    s->length = rt_member_int(reader, &object, "length", 1, INT32_MAX);
    s->temperature = rt_member_number(reader, &object, "temperature");
    s->top_k = rt_member_int(reader, &object, "top_k", 0, INT32_MAX);
    s->top_p = rt_member_number(reader, &object, "top_p");
    s->seed = rt_member_uint(reader, &object, "seed");
    s->every = rt_member_int(reader, &object, "every", 0, INT64_MAX);
    s->context = rt_member_int(reader, &object, "context", 1, INT32_MAX);
    read_function(reader, &object, image, "prefill", &s->prefill);
    read_function(reader, &object, image, "decode", &s->decode);
    if (reader->status == RT_OK && (s->decode.count != 1 || s->prefill.count > s->context))
        rt_reader_fail(reader, &object, NULL, "has functions that take another number of ids");
    if (reader->status == RT_OK && !(s->temperature >= 0 && s->top_p >= 0 && s->top_p <= 1))
        rt_reader_fail(reader, &object, NULL, "has a temperature or share out of its range");
    if (reader->status == RT_OK && image->clock_position < 0)
        rt_reader_fail(reader, &object, NULL, "needs the clock 'position'");
}

void rt_sampling_read(rt_reader *reader, const rt_place *root, rt_image *image)
{
    if (reader->status == RT_OK && rt_member_given(root, "sampling"))
        read_sampling(reader, root, image);
    bool alone = image->sampling.given && !image->sampling.printed;
    if (reader->status == RT_OK && image->step_function < 0 && !alone)
        rt_reader_fail(reader, root, "functions", "has no function 'step'");
}
