/* image_weights.c: the parts of the plan image that say where variables begin, and how published files call them. */
#include <stdlib.h>
#include <string.h>

#include "exec/image.h"
#include "exec/member.h"

static void *allocate(rt_reader *reader, int count, size_t size)
{
    void *items = calloc(count > 0 ? (size_t)count : 1, size);
    if (!items && reader->status == RT_OK)
        reader->status = rt_fail(reader->error, RT_NO_MEMORY, "out of memory for the plan image");
    return items;
}

/* An array of numbers of variables. */
static int *read_numbers(const rt_image *image, rt_reader *reader, const rt_place *object,
                         const char *name, int *count)
{
    rt_place array = rt_member_array(reader, object, name, RT_MAX_COUNT, count);
    int *numbers = allocate(reader, *count, sizeof *numbers);
    rt_place place = rt_place_index(&array, 0);
    for (int i = 0; reader->status == RT_OK && i < *count; i++) {
        numbers[i] = (int)rt_place_int(reader, &place, 0, image->variable_count - 1);
        place = rt_place_next(&array, &place, i + 1);
    }
    return numbers;
}

static void read_begin(rt_image *image, rt_reader *reader, const rt_place *root)
{
    if (reader->status != RT_OK || !rt_member_given(root, "begin"))
        return;
    rt_place object = rt_member_object(reader, root, "begin");
    image->begin.path = rt_member_text(reader, &object, "path");
    image->begin.base = rt_member_text(reader, &object, "base");
    image->begin.site = (int)rt_member_int(reader, &object, "site", -1, image->site_count - 1);
    int count;
    int *numbers = read_numbers(image, reader, &object, "fresh", &count);
    image->begin.fresh = allocate(reader, image->variable_count, sizeof *image->begin.fresh);
    for (int i = 0; reader->status == RT_OK && i < count; i++)
        image->begin.fresh[numbers[i]] = true;
    free(numbers);
}

/* Joined parts are alike but for their last dimension; what is turned has two; a name with braces counts layers. */
static bool is_sound(const rt_image *image, const published_tensor *t)
{
    const char *open = strchr(t->name, '{');
    int layers = open ? 1 : 0;
    bool sound =
        t->part_count > 0 && (!open || strchr(open, '}')) && (t->part_count == 1 || !t->tied);
    for (size_t i = 0; sound && i < t->part_count; i++) {
        const rt_variable *v = &image->variables[t->parts[i]];
        const rt_tensor *a = &image->variables[t->parts[0]].tensor, *b = &v->tensor;
        sound = b->rank == a->rank && (!layers || v->stacked) &&
                (!t->turned || b->rank == 2 + layers) && (t->part_count == 1 || b->rank > layers);
        for (int k = 0; sound && k + 1 < a->rank; k++)
            sound = a->shape[k] == b->shape[k];
    }
    return sound;
}

static void read_tensor(const rt_image *image, rt_reader *reader, const rt_place *place,
                        published_tensor *tensor)
{
    int count;
    tensor->name = rt_member_text(reader, place, "name");
    tensor->turned = rt_member_bool(reader, place, "turned");
    tensor->tied = rt_member_bool(reader, place, "tied");
    tensor->parts = read_numbers(image, reader, place, "parts", &count);
    tensor->part_count = (size_t)count;
    if (reader->status == RT_OK && !is_sound(image, tensor))
        rt_reader_fail(reader, place, "parts", "do not make a tensor");
}

static void read_form(rt_image *image, rt_reader *reader, const rt_place *root)
{
    if (reader->status != RT_OK || !rt_member_given(root, "weights"))
        return;
    published_form *form = &image->weights;
    rt_place object = rt_member_object(reader, root, "weights");
    form->name = rt_member_text(reader, &object, "form");
    form->prefix = rt_member_text(reader, &object, "prefix");
    if (form->prefix && !*form->prefix)
        form->prefix = NULL;
    int count;
    rt_place array = rt_member_array(reader, &object, "tensors", RT_MAX_COUNT, &count);
    published_tensor *tensors = allocate(reader, count, sizeof *tensors);
    form->tensors = tensors;
    rt_place place = rt_place_index(&array, 0);
    for (int i = 0; reader->status == RT_OK && i < count; i++) {
        form->tensor_count = (size_t)i + 1;
        read_tensor(image, reader, &place, &tensors[i]);
        place = rt_place_next(&array, &place, i + 1);
    }
    array = rt_member_array(reader, &object, "ignored", RT_MAX_COUNT, &count);
    const char **ignored = allocate(reader, count, sizeof *ignored);
    form->ignored = ignored;
    form->ignored_count = reader->status == RT_OK ? (size_t)count : 0;
    place = rt_place_index(&array, 0);
    for (int i = 0; reader->status == RT_OK && i < count; i++) {
        ignored[i] = rt_place_text(reader, &place);
        place = rt_place_next(&array, &place, i + 1);
    }
}

void rt_image_read_weights(rt_image *image, rt_reader *reader, const rt_place *root)
{
    read_form(image, reader, root);
    read_begin(image, reader, root);
}

void rt_image_free_weights(rt_image *image)
{
    for (size_t i = 0; i < image->weights.tensor_count; i++)
        free((void *)(uintptr_t)image->weights.tensors[i].parts);
    free((void *)(uintptr_t)image->weights.tensors);
    free((void *)(uintptr_t)image->weights.ignored);
    free(image->begin.fresh);
}
