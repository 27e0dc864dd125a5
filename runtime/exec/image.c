#include "exec/image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exec/image_sampling.h"

enum { IMAGE_VERSION = 1 };

/* Reading state: where errors go and what is being made. */
typedef struct rt_making {
    rt_reader reader;
    rt_image *image;
} rt_making;

/* count items, at least one byte; sets the reader's error when there is no memory. */
static void *allocate(rt_making *m, int64_t count, size_t size)
{
    void *items = calloc(count > 0 ? (size_t)count : 1, size);
    if (!items && m->reader.status == RT_OK)
        m->reader.status =
            rt_fail(m->reader.error, RT_NO_MEMORY, "out of memory for the plan image");
    return items;
}

static bool failed(const rt_making *m)
{
    return m->reader.status != RT_OK;
}

static int read_site(rt_making *m, const rt_place *object, const char *name)
{
    return (int)rt_member_int(&m->reader, object, name, -1, m->image->site_count - 1);
}

static void check_range(rt_making *m, const rt_place *place, const char *member, int64_t offset,
                        int64_t bytes, size_t align)
{
    if (failed(m))
        return;
    if (offset % (int64_t)align != 0)
        rt_reader_fail(&m->reader, place, member, "is not aligned to its element");
    else if (bytes < 0 || bytes > m->image->arena_bytes || offset > m->image->arena_bytes - bytes)
        rt_reader_fail(&m->reader, place, member, "ends outside the arena");
}

static rt_type read_type(rt_making *m, const rt_place *object)
{
    rt_type type = RT_TYPE_F32;
    const char *name = rt_member_text(&m->reader, object, "type");
    if (!failed(m) && !rt_type_of_name(name, &type))
        rt_reader_fail(&m->reader, object, "type", "is not an element type");
    return type;
}

static const char **read_texts(rt_making *m, const rt_place *object, const char *name, int *count)
{
    rt_place array = rt_member_array(&m->reader, object, name, RT_MAX_COUNT, count);
    const char **texts = allocate(m, *count, sizeof *texts);
    for (int i = 0; !failed(m) && i < *count; i++) {
        rt_place place = rt_place_index(&array, i);
        texts[i] = rt_place_text(&m->reader, &place);
    }
    return texts;
}

static void read_head(rt_making *m, const rt_place *root)
{
    rt_image *image = m->image;
    rt_member_int(&m->reader, root, "version", IMAGE_VERSION, IMAGE_VERSION);
    image->plan = rt_member_text(&m->reader, root, "plan");
    image->train = rt_member_text(&m->reader, root, "train");
    image->model = rt_member_text(&m->reader, root, "model");
    rt_place cpu = rt_member_object(&m->reader, root, "cpu");
    image->cpu_name = rt_member_text(&m->reader, &cpu, "name");
    image->cpu_features = read_texts(m, &cpu, "features", &image->cpu_feature_count);
}

static void read_mesh(rt_making *m, const rt_place *root)
{
    rt_image *image = m->image;
    image->ranks = (int)rt_member_int(&m->reader, root, "ranks", 1, RT_MAX_RANKS);
    rt_place mesh = rt_member_array(&m->reader, root, "mesh", RT_MAX_AXES, &image->axis_count);
    int64_t product = 1;
    for (int i = 0; !failed(m) && i < image->axis_count; i++) {
        rt_place axis = rt_place_index(&mesh, i);
        image->axes[i].name = rt_member_text(&m->reader, &axis, "name");
        image->axes[i].size = (int)rt_member_int(&m->reader, &axis, "size", 1, RT_MAX_RANKS);
        product *= image->axes[i].size;
        if (!failed(m) && product > image->ranks)
            break;
    }
    if (!failed(m) && product != image->ranks)
        rt_reader_fail(&m->reader, root, "ranks", "is not the product of the mesh");
}

static void read_sites(rt_making *m, const rt_place *root)
{
    rt_image *image = m->image;
    int file_count;
    const char **files = read_texts(m, root, "files", &file_count);
    rt_place sites = rt_member_array(&m->reader, root, "sites", RT_MAX_COUNT, &image->site_count);
    image->sites = allocate(m, image->site_count, sizeof *image->sites);
    rt_place site = rt_place_index(&sites, 0);
    for (int i = 0; !failed(m) && i < image->site_count; i++) {
        rt_place file = rt_place_index(&site, 0), line = rt_place_index(&site, 1);
        int64_t number = rt_place_int(&m->reader, &file, 0, file_count - 1);
        image->sites[i].line = (int)rt_place_int(&m->reader, &line, 0, INT32_MAX);
        image->sites[i].file = failed(m) ? "" : files[number];
        site = rt_place_next(&sites, &site, i + 1);
    }
    free(files);
}

static void read_arena(rt_making *m, const rt_place *root)
{
    rt_image *image = m->image;
    rt_place arena = rt_member_object(&m->reader, root, "arena");
    image->arena_bytes = rt_member_int(&m->reader, &arena, "bytes", 0, (int64_t)1 << 46);
    rt_place memory = rt_member_object(&m->reader, &arena, "memory");
    struct {
        const char *name;
        int64_t *bytes;
    } rows[] = {{"parameters", &image->memory.parameters},
                {"gradients", &image->memory.gradients},
                {"optimizer", &image->memory.optimizer},
                {"activations", &image->memory.activations},
                {"communication", &image->memory.communication},
                {"workspace", &image->memory.workspace}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        *rows[i].bytes = rt_member_int(&m->reader, &memory, rows[i].name, 0, image->arena_bytes);
    if (!failed(m) && rt_member_given(&memory, "cache"))
        image->memory.cache = rt_member_int(&m->reader, &memory, "cache", 0, image->arena_bytes);
}

static void read_slot(rt_making *m, const rt_place *shape, const rt_place *axes, int i,
                      rt_tensor *tensor)
{
    rt_place size = rt_place_index(shape, i), axis = rt_place_index(axes, i);
    tensor->shape[i] = rt_place_int(&m->reader, &size, 0, INT64_MAX);
    tensor->axes[i] = (int)rt_place_int(&m->reader, &axis, -1, m->image->axis_count - 1);
    if (failed(m))
        return;
    int parts = tensor->axes[i] < 0 ? 1 : m->image->axes[tensor->axes[i]].size;
    if (tensor->shape[i] % parts != 0)
        rt_reader_fail(&m->reader, &size, NULL, "does not divide by its axis");
    tensor->local[i] = tensor->shape[i] / parts;
    if (__builtin_mul_overflow(tensor->local_count, tensor->local[i], &tensor->local_count))
        rt_reader_fail(&m->reader, shape, NULL, "has too many elements");
}

static rt_tensor read_tensor(rt_making *m, const rt_place *object)
{
    rt_tensor tensor = {.type = read_type(m, object), .local_count = 1};
    int axis_count;
    rt_place shape = rt_member_array(&m->reader, object, "shape", RT_MAX_SHAPE, &tensor.rank);
    rt_place axes = rt_member_array(&m->reader, object, "axes", RT_MAX_SHAPE, &axis_count);
    if (!failed(m) && axis_count != tensor.rank)
        rt_reader_fail(&m->reader, &axes, NULL, "is not as long as the shape");
    for (int i = 0; !failed(m) && i < tensor.rank; i++)
        read_slot(m, &shape, &axes, i, &tensor);
    tensor.offset = rt_member_int(&m->reader, object, "offset", 0, INT64_MAX);
    tensor.site = read_site(m, object, "site");
    int64_t bytes;
    size_t width = rt_type_bytes(tensor.type);
    if (__builtin_mul_overflow(tensor.local_count, (int64_t)width, &bytes))
        bytes = -1;
    check_range(m, object, "offset", tensor.offset, bytes, width);
    return tensor;
}

/* Which of `count` names the member is. */
static int read_choice(rt_making *m, const rt_place *object, const char *member,
                       const char *const *names, int count)
{
    const char *text = rt_member_text(&m->reader, object, member);
    for (int i = 0; !failed(m) && i < count; i++)
        if (strcmp(text, names[i]) == 0)
            return i;
    rt_reader_fail(&m->reader, object, member, "is not one of those known");
    return 0;
}

static void read_variable(rt_making *m, const rt_place *place, rt_variable *variable)
{
    static const char *const kinds[] = {"parameter", "optimizer", "state"};
    variable->path = rt_member_text(&m->reader, place, "path");
    variable->kind = (rt_variable_kind)read_choice(m, place, "kind", kinds, 3);
    variable->tensor = read_tensor(m, place);
    variable->stacked = rt_member_bool(&m->reader, place, "stacked");
    if (!failed(m) && variable->stacked && variable->tensor.rank < 1)
        rt_reader_fail(&m->reader, place, "stacked", "needs a leading dimension");
    variable->gradient = -1;
    if (rt_member_given(place, "gradient")) {
        size_t width = rt_type_bytes(variable->tensor.type);
        variable->gradient = rt_member_int(&m->reader, place, "gradient", 0, INT64_MAX);
        check_range(m, place, "gradient", variable->gradient,
                    variable->tensor.local_count * (int64_t)width, width);
    }
    rt_place init = rt_member_object(&m->reader, place, "init");
    variable->init = rt_member_text(&m->reader, &init, "kind");
    int count;
    rt_place arguments = rt_member_array(&m->reader, &init, "args", 2, &count);
    for (int i = 0; !failed(m) && i < count; i++) {
        rt_place argument = rt_place_index(&arguments, i);
        variable->init_args[i] = rt_place_number(&m->reader, &argument);
    }
}

static void read_variables(rt_making *m, const rt_place *root)
{
    rt_image *image = m->image;
    rt_place array =
        rt_member_array(&m->reader, root, "variables", RT_MAX_COUNT, &image->variable_count);
    image->variables = allocate(m, image->variable_count, sizeof *image->variables);
    rt_place place = rt_place_index(&array, 0);
    for (int i = 0; !failed(m) && i < image->variable_count; i++) {
        read_variable(m, &place, &image->variables[i]);
        place = rt_place_next(&array, &place, i + 1);
    }
}

static void read_inputs(rt_making *m, const rt_place *root)
{
    rt_image *image = m->image;
    rt_place array = rt_member_array(&m->reader, root, "inputs", RT_MAX_COUNT, &image->input_count);
    image->inputs = allocate(m, image->input_count, sizeof *image->inputs);
    for (int i = 0; !failed(m) && i < image->input_count; i++) {
        rt_place place = rt_place_index(&array, i);
        rt_input *input = &image->inputs[i];
        input->name = rt_member_text(&m->reader, &place, "name");
        input->tensor = read_tensor(m, &place);
        input->below = rt_member_int(&m->reader, &place, "below", 0, INT32_MAX);
        if (!failed(m) && (input->tensor.rank < 1 || input->tensor.local[0] < 1))
            rt_reader_fail(&m->reader, &place, "shape", "has no batch");
    }
}

static int64_t read_clock(rt_making *m, const rt_place *clock, const char *name)
{
    if (failed(m) || !rt_member_given(clock, name))
        return -1;
    int64_t offset = rt_member_int(&m->reader, clock, name, 0, INT64_MAX);
    check_range(m, clock, name, offset, sizeof(double), sizeof(double));
    return offset;
}

static void read_clocks(rt_making *m, const rt_place *root)
{
    rt_place clock = rt_member_object(&m->reader, root, "clock");
    m->image->clock_step = read_clock(m, &clock, "step");
    m->image->clock_steps = read_clock(m, &clock, "steps");
    m->image->clock_valid = read_clock(m, &clock, "valid");
    m->image->clock_position = read_clock(m, &clock, "position");
    m->image->clock_microbatch = read_clock(m, &clock, "microbatch");
}

static void read_results(rt_making *m, const rt_place *object, rt_function *function)
{
    static const char *const kinds[] = {"loss", "metric", "lr", "grad_norm", "scores"};
    rt_place array =
        rt_member_array(&m->reader, object, "results", RT_MAX_RESULTS, &function->result_count);
    function->results = allocate(m, function->result_count, sizeof *function->results);
    for (int i = 0; !failed(m) && i < function->result_count; i++) {
        rt_place place = rt_place_index(&array, i);
        rt_result *result = &function->results[i];
        result->name = rt_member_text(&m->reader, &place, "name");
        result->kind = (rt_result_kind)read_choice(m, &place, "kind", kinds, 5);
        result->type = read_type(m, &place);
        result->offset = rt_member_int(&m->reader, &place, "offset", 0, INT64_MAX);
        result->count = !failed(m) && rt_member_given(&place, "count")
                            ? rt_member_int(&m->reader, &place, "count", 1, INT32_MAX)
                            : 1;
        size_t width = rt_type_bytes(result->type);
        check_range(m, &place, "offset", result->offset, result->count * (int64_t)width, width);
        if (!failed(m) && result->type != RT_TYPE_F32 && result->type != RT_TYPE_F64)
            rt_reader_fail(&m->reader, &place, "type", "of a result is neither f32 nor f64");
    }
}

static void read_functions(rt_making *m, const rt_place *root)
{
    rt_image *image = m->image;
    image->step_function = image->eval_function = image->accumulate_function = -1;
    rt_place array = rt_member_array(&m->reader, root, "functions", 64, &image->function_count);
    image->functions = allocate(m, image->function_count, sizeof *image->functions);
    for (int i = 0; !failed(m) && i < image->function_count; i++) {
        rt_place place = rt_place_index(&array, i);
        rt_function *function = &image->functions[i];
        function->name = rt_member_text(&m->reader, &place, "name");
        read_results(m, &place, function);
        if (strcmp(function->name, "step") == 0)
            image->step_function = i;
        if (strcmp(function->name, "eval") == 0)
            image->eval_function = i;
        if (strcmp(function->name, "accumulate") == 0)
            image->accumulate_function = i;
    }
}

static bool has_input(const rt_image *image, const char *name)
{
    for (int i = 0; i < image->input_count; i++)
        if (strcmp(image->inputs[i].name, name) == 0)
            return true;
    return false;
}

static void read_field(rt_making *m, const rt_place *place, rt_field *field)
{
    field->input = rt_member_text(&m->reader, place, "input");
    if (!failed(m) && !has_input(m->image, field->input))
        rt_reader_fail(&m->reader, place, "input", "is not an input of the model");
    field->first_column = field->last_column = -1;
    if (rt_member_given(place, "columns")) {
        int count;
        rt_place columns = rt_member_array(&m->reader, place, "columns", 2, &count);
        rt_place first = rt_place_index(&columns, 0), last = rt_place_index(&columns, 1);
        field->first_column = rt_place_int(&m->reader, &first, 0, INT32_MAX);
        field->last_column = rt_place_int(&m->reader, &last, field->first_column, INT32_MAX);
    }
    field->array =
        rt_member_given(place, "array") ? rt_member_text(&m->reader, place, "array") : NULL;
    field->holdout_array = rt_member_given(place, "holdout_array")
                               ? rt_member_text(&m->reader, place, "holdout_array")
                               : NULL;
    field->mean = rt_member_given(place, "mean") ? rt_member_number(&m->reader, place, "mean") : 0;
    field->deviation =
        rt_member_given(place, "deviation") ? rt_member_number(&m->reader, place, "deviation") : 1;
    field->scale =
        rt_member_given(place, "scale") ? rt_member_number(&m->reader, place, "scale") : 1;
    field->shift =
        rt_member_given(place, "shift") ? rt_member_number(&m->reader, place, "shift") : 0;
}

static void read_holdout(rt_making *m, const rt_place *object)
{
    rt_data *data = &m->image->data;
    if (!rt_member_given(object, "holdout"))
        return;
    rt_place holdout = rt_member_object(&m->reader, object, "holdout");
    if (rt_member_given(&holdout, "share"))
        data->holdout_share = rt_member_number(&m->reader, &holdout, "share");
    if (!failed(m) && !(data->holdout_share >= 0 && data->holdout_share < 1))
        rt_reader_fail(&m->reader, &holdout, "share", "is not a share");
    if (rt_member_given(&holdout, "paths"))
        data->holdout_paths = read_texts(m, &holdout, "paths", &data->holdout_path_count);
}

static void read_options(rt_making *m, const rt_place *object)
{
    rt_data *data = &m->image->data;
    if (failed(m) || !rt_member_given(object, "options"))
        return;
    rt_place options =
        rt_member_array(&m->reader, object, "options", RT_MAX_COUNT, &data->option_count);
    data->options = allocate(m, data->option_count, sizeof *data->options);
    for (int i = 0; !failed(m) && i < data->option_count; i++) {
        rt_place option = rt_place_index(&options, i);
        data->options[i].name = rt_member_text(&m->reader, &option, "name");
        data->options[i].value = rt_member_text(&m->reader, &option, "value");
    }
}

static void read_data(rt_making *m, const rt_place *root)
{
    rt_data *data = &m->image->data;
    if (failed(m) || !rt_member_given(root, "data"))
        return;
    rt_place object = rt_member_object(&m->reader, root, "data");
    data->given = true;
    data->format = rt_member_text(&m->reader, &object, "format");
    data->base = rt_member_text(&m->reader, &object, "base");
    data->paths = read_texts(m, &object, "paths", &data->path_count);
    data->site = read_site(m, &object, "site");
    rt_place fields =
        rt_member_array(&m->reader, &object, "fields", RT_MAX_COUNT, &data->field_count);
    data->fields = allocate(m, data->field_count, sizeof *data->fields);
    for (int i = 0; !failed(m) && i < data->field_count; i++) {
        rt_place place = rt_place_index(&fields, i);
        read_field(m, &place, &data->fields[i]);
    }
    read_options(m, &object);
    read_holdout(m, &object);
}

static void read_training(rt_making *m, const rt_place *root)
{
    rt_training *training = &m->image->training;
    rt_place object = rt_member_object(&m->reader, root, "training");
    training->batch = rt_member_int(&m->reader, &object, "batch", 1, INT32_MAX);
    training->microbatches = rt_member_int(&m->reader, &object, "microbatches", 1, training->batch);
    if (!failed(m) && training->batch % training->microbatches != 0)
        rt_reader_fail(&m->reader, &object, "microbatches", "does not divide the batch");
    if (!failed(m) && training->microbatches > 1 && m->image->step_function >= 0 &&
        m->image->accumulate_function < 0)
        rt_reader_fail(&m->reader, &object, "microbatches", "needs a function 'accumulate'");
    training->seed = rt_member_uint(&m->reader, &object, "seed");
    if (!failed(m) && rt_member_given(&object, "average"))
        training->average = rt_member_text(&m->reader, &object, "average");
    bool epochs = rt_member_given(&object, "epochs"), steps = rt_member_given(&object, "steps");
    if (epochs)
        training->epochs = rt_member_number(&m->reader, &object, "epochs");
    if (steps)
        training->steps = rt_member_int(&m->reader, &object, "steps", 1, INT64_MAX);
    if (!failed(m) && (epochs == steps || (epochs && !(training->epochs > 0))))
        rt_reader_fail(&m->reader, &object, NULL, "needs either epochs or steps");
}

static void read_checkpoint(rt_making *m, const rt_place *root)
{
    rt_checkpoint_clause *c = &m->image->checkpoint;
    if (failed(m) || !rt_member_given(root, "checkpoint"))
        return;
    rt_place object = rt_member_object(&m->reader, root, "checkpoint");
    c->folder = rt_member_text(&m->reader, &object, "folder");
    c->base = rt_member_text(&m->reader, &object, "base");
    c->every = rt_member_int(&m->reader, &object, "every", 0, INT64_MAX);
    c->epochs = rt_member_bool(&m->reader, &object, "epochs");
    c->keep = rt_member_int(&m->reader, &object, "keep", 0, INT32_MAX);
    c->site = read_site(m, &object, "site");
    if (!failed(m) && !*c->folder)
        rt_reader_fail(&m->reader, &object, "folder", "is empty");
}

static void read_source(rt_making *m, const rt_place *root)
{
    if (!failed(m) && rt_member_given(root, "source"))
        m->image->source = rt_member_text(&m->reader, root, "source");
}

static rt_send read_send(rt_making *m, const rt_place *place, const rt_program *program, int step)
{
    static const char *const operations[] = {"reduce", "copy"};
    rt_send send = {.step = step};
    rt_place member = rt_place_index(place, 0);
    send.chunk = (int32_t)rt_place_int(&m->reader, &member, 0, program->chunks - 1);
    member = rt_place_next(place, &member, 1);
    send.from = (int32_t)rt_place_int(&m->reader, &member, 0, program->ranks - 1);
    member = rt_place_next(place, &member, 2);
    send.to = (int32_t)rt_place_int(&m->reader, &member, 0, program->ranks - 1);
    member = rt_place_next(place, &member, 3);
    const char *operation = rt_place_text(&m->reader, &member);
    send.reduce = strcmp(operation, operations[0]) == 0;
    if (!send.reduce && strcmp(operation, operations[1]) != 0)
        rt_reader_fail(&m->reader, &member, NULL, "is neither 'reduce' nor 'copy'");
    return send;
}

/* All sends of all steps, one after another; cJSON's arrays are lists, so they are walked. */
static void read_steps(rt_making *m, const rt_place *object, rt_program *program)
{
    int steps;
    int64_t total = 0;
    rt_place array = rt_member_array(&m->reader, object, "steps", RT_MAX_COUNT, &steps);
    rt_place step = rt_place_index(&array, 0);
    for (int s = 0; !failed(m) && s < steps; s++, step = rt_place_next(&array, &step, s))
        total += cJSON_GetArraySize(step.value);
    if (total > RT_PROGRAM_MAX_SENDS)
        rt_reader_fail(&m->reader, &array, NULL, "has too many sends");
    program->sends = allocate(m, failed(m) ? 0 : total, sizeof *program->sends);
    step = rt_place_index(&array, 0);
    for (int s = 0; !failed(m) && s < steps; s++, step = rt_place_next(&array, &step, s)) {
        rt_place send = rt_place_index(&step, 0);
        for (int i = 0; !failed(m) && send.value; send = rt_place_next(&step, &send, ++i))
            program->sends[program->send_count++] = read_send(m, &send, program, s);
    }
}

static void read_program(rt_making *m, const rt_place *collective, rt_collective *made)
{
    rt_program *program = &made->program;
    rt_place object = rt_member_object(&m->reader, collective, "program");
    program->ranks = m->image->axis_count > 0 ? m->image->axes[made->axis].size : 1;
    program->chunks = (int)rt_member_int(&m->reader, &object, "chunks", 1, RT_PROGRAM_MAX_CHUNKS);
    int count;
    rt_place weights =
        rt_member_array(&m->reader, &object, "weights", RT_PROGRAM_MAX_CHUNKS, &count);
    if (!failed(m) && count != program->chunks)
        rt_reader_fail(&m->reader, &weights, NULL, "is not as long as there are chunks");
    program->weights = allocate(m, program->chunks, sizeof *program->weights);
    rt_place weight = rt_place_index(&weights, 0);
    for (int i = 0; !failed(m) && i < count; weight = rt_place_next(&weights, &weight, ++i))
        program->weights[i] = rt_place_int(&m->reader, &weight, 1, INT32_MAX);
    read_steps(m, &object, program);
    if (!failed(m))
        m->reader.status = rt_program_check(program, m->reader.error);
}

static void read_collective(rt_making *m, const rt_place *place, rt_collective *made)
{
    static const char *const kinds[] = {"all_reduce", "reduce_scatter", "all_gather", "broadcast",
                                        "reduce"};
    made->kind = kinds[read_choice(m, place, "kind", kinds, 5)];
    made->name = rt_member_text(&m->reader, place, "name");
    made->axis = (int)rt_member_int(&m->reader, place, "axis", 0, m->image->axis_count - 1);
    made->type = read_type(m, place);
    made->site = read_site(m, place, "site");
    made->clause = read_site(m, place, "clause");
    if (!failed(m))
        read_program(m, place, made);
    if (failed(m) || !rt_member_given(place, "scratch"))
        return;
    rt_place scratch = rt_member_object(&m->reader, place, "scratch");
    made->scratch_offset = rt_member_int(&m->reader, &scratch, "offset", 0, INT64_MAX);
    made->scratch_bytes = rt_member_int(&m->reader, &scratch, "bytes", 0, INT64_MAX);
    check_range(m, &scratch, "offset", made->scratch_offset, made->scratch_bytes,
                rt_type_bytes(made->type));
}

static void read_collectives(rt_making *m, const rt_place *root)
{
    rt_image *image = m->image;
    rt_place array =
        rt_member_array(&m->reader, root, "collectives", 65536, &image->collective_count);
    image->collectives = allocate(m, image->collective_count, sizeof *image->collectives);
    for (int i = 0; !failed(m) && i < image->collective_count; i++) {
        rt_place place = rt_place_index(&array, i);
        read_collective(m, &place, &image->collectives[i]);
    }
}

rt_status rt_image_read(const char *json, size_t bytes, rt_image *image, rt_error *error)
{
    *image = (rt_image){0};
    rt_making m = {.reader = {.error = error}, .image = image};
    image->json = cJSON_ParseWithLength(json, bytes);
    if (!cJSON_IsObject(image->json)) {
        rt_image_clean_up(image);
        return rt_fail(error, RT_DAMAGED, "plan image: it is not a JSON object");
    }
    rt_place root = rt_place_root(image->json);
    read_head(&m, &root);
    read_mesh(&m, &root);
    read_sites(&m, &root);
    read_arena(&m, &root);
    read_variables(&m, &root);
    read_inputs(&m, &root);
    read_clocks(&m, &root);
    read_functions(&m, &root);
    read_data(&m, &root);
    rt_image_read_weights(image, &m.reader, &root);
    read_training(&m, &root);
    read_checkpoint(&m, &root);
    read_source(&m, &root);
    read_collectives(&m, &root);
    rt_sampling_read(&m.reader, &root, image);
    if (failed(&m))
        rt_image_clean_up(image);
    return m.reader.status;
}

void rt_image_clean_up(rt_image *image)
{
    for (int i = 0; image->functions && i < image->function_count; i++)
        free(image->functions[i].results);
    for (int i = 0; image->collectives && i < image->collective_count; i++)
        rt_program_clean_up(&image->collectives[i].program);
    free(image->cpu_features);
    free(image->sites);
    free(image->variables);
    free(image->inputs);
    free(image->functions);
    free(image->data.paths);
    free(image->data.fields);
    free(image->data.holdout_paths);
    free(image->data.options);
    rt_image_free_weights(image);
    free(image->collectives);
    cJSON_Delete(image->json);
    *image = (rt_image){0};
}

/* Ranks between neighbours on an axis: the product of the sizes of the axes behind it. */
static int stride_of(const rt_image *image, int axis)
{
    int stride = 1;
    for (int a = axis + 1; a < image->axis_count; a++)
        stride *= image->axes[a].size;
    return stride;
}

int64_t rt_image_microbatch(const rt_image *image)
{
    return image->training.batch / image->training.microbatches;
}

int rt_image_coordinate(const rt_image *image, int rank, int axis)
{
    return rank / stride_of(image, axis) % image->axes[axis].size;
}

int rt_image_group_rank(const rt_image *image, int rank, int axis, int member)
{
    return rank + (member - rt_image_coordinate(image, rank, axis)) * stride_of(image, axis);
}

const char *rt_image_place(const rt_image *image, int site, char *text, size_t bytes)
{
    if (site < 0 || site >= image->site_count)
        return "?";
    snprintf(text, bytes, "%s:%d", image->sites[site].file, image->sites[site].line);
    return text;
}
