#include "exec/sample.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static rt_status add_id(rt_sampler *s, uint64_t id, rt_error *error)
{
    if (id >= (uint64_t)s->classes)
        return rt_fail(error, RT_INVALID, "the prompt has id %llu, and ids are below %lld",
                       (unsigned long long)id, (long long)s->classes);
    s->prompt[s->prompt_count++] = (int32_t)id;
    return RT_OK;
}

/* "464 3290" or "464,3290". */
static rt_status read_ids(rt_sampler *s, const char *at, rt_error *error)
{
    rt_status status = RT_OK;
    at += strspn(at, " ,");
    while (status == RT_OK && *at) {
        char *end;
        if (!isdigit((unsigned char)*at))
            return rt_fail(error, RT_INVALID, "the prompt has '%s' where an id is expected", at);
        status = add_id(s, strtoull(at, &end, 10), error);
        at = end + strspn(end, " ,");
    }
    return status;
}

static rt_status read_prompt(rt_sampler *s, const rt_sampling_options *o, rt_error *error)
{
    const rt_image *image = s->context->image;
    const char *ids = o->prompt_ids, *bytes = o->prompt;
    bool given = ids || bytes, text = image->data.given && strcmp(image->data.format, "bytes") == 0;
    if (!given)
        *(s->how->text ? &bytes : &ids) = s->how->prompt;
    if (bytes && !text)
        return rt_fail(error, RT_INVALID,
                       "the ids of data '%s' are no bytes: give the prompt by '--prompt-ids'",
                       image->data.given ? image->data.format : "");
    size_t most = strlen(ids ? ids : bytes) + 1;
    s->prompt = calloc(most, sizeof *s->prompt);
    if (!s->prompt)
        return rt_fail(error, RT_NO_MEMORY, "out of memory for the prompt");
    rt_status status = ids ? read_ids(s, ids, error) : RT_OK;
    for (size_t i = 0; !ids && status == RT_OK && bytes[i]; i++)
        status = add_id(s, (unsigned char)bytes[i], error);
    if (status == RT_OK && s->prompt_count == 0)
        status = rt_fail(error, RT_INVALID, "a sample needs a prompt of one id or more: %s",
                         text ? "'--prompt TEXT'" : "'--prompt-ids LIST'");
    return status;
}

rt_status rt_sampler_make(rt_sampler *s, esp_context *context, const rt_sampling_options *o,
                          rt_error *error)
{
    const rt_image *image = context->image;
    const rt_sampling *how = &image->sampling;
    *s = (rt_sampler){.context = context, .how = how};
    s->scores[0] = &image->functions[how->prefill.function].results[0];
    s->scores[1] = &image->functions[how->decode.function].results[0];
    s->classes = s->scores[1]->count;
    s->length = o->length > 0 ? o->length : how->length;
    s->rule = (rt_draw_rule){.temperature = o->temperature >= 0 ? o->temperature : how->temperature,
                             .top_k = o->top_k >= 0 ? o->top_k : how->top_k,
                             .top_p = o->top_p >= 0 ? o->top_p : how->top_p,
                             .seed = o->seeded ? o->seed : how->seed};
    rt_status status = read_prompt(s, o, error);
    s->window = calloc((size_t)how->context, sizeof *s->window);
    s->candidates = calloc((size_t)s->classes, sizeof *s->candidates);
    if (status == RT_OK && (!s->window || !s->candidates))
        status = rt_fail(error, RT_NO_MEMORY, "out of memory for a sample");
    if (status != RT_OK)
        rt_sampler_clean_up(s);
    return status;
}

void rt_sampler_clean_up(rt_sampler *s)
{
    free(s->prompt);
    free(s->window);
    free(s->candidates);
    s->prompt = s->window = NULL;
    s->candidates = NULL;
}

/* Calls a function for window[position ..]; the scores that follow are its result. */
static rt_status call(rt_sampler *s, const rt_id_function *f, rt_error *error)
{
    esp_context *context = s->context;
    double position = (double)s->position;
    memcpy(context->arena + f->ids, s->window + s->position, (size_t)f->count * sizeof *s->window);
    memcpy(context->arena + context->image->clock_position, &position, sizeof position);
    rt_status status = rt_context_call(context, f->function);
    if (status != RT_OK)
        *error = context->error;
    s->position += f->count;
    return status;
}

/* Gives window[position .. end): whole chunks, then one id at a time. */
static rt_status feed(rt_sampler *s, int64_t end, const rt_result **scores, rt_error *error)
{
    rt_status status = RT_OK;
    while (status == RT_OK && s->position < end) {
        bool chunk = end - s->position >= s->how->prefill.count;
        status = call(s, chunk ? &s->how->prefill : &s->how->decode, error);
        *scores = s->scores[!chunk];
    }
    return status;
}

/* Room for one id more: when the window is full, its later half begins a new one. */
static rt_status make_room(rt_sampler *s, const rt_result **scores, rt_error *error)
{
    if (s->position < s->how->context)
        return RT_OK;
    int64_t kept = s->how->context / 2;
    memmove(s->window, s->window + s->how->context - kept, (size_t)kept * sizeof *s->window);
    s->position = 0;
    return feed(s, kept, scores, error);
}

static int32_t draw(rt_sampler *s, const rt_result *scores, int64_t number)
{
    const char *at = s->context->arena + scores->offset;
    for (int64_t i = 0; i < s->classes; i++) {
        double x = scores->type == RT_TYPE_F64 ? ((const double *)(const void *)at)[i]
                                               : (double)((const float *)(const void *)at)[i];
        s->candidates[i] = (rt_candidate){x, (int32_t)i};
    }
    return rt_draw_id(&s->rule, (uint64_t)number, s->candidates, s->classes);
}

/* Bytes as text, ids as numbers, as they come. */
static void put(rt_sampler *s, int32_t id, bool first)
{
    if (!s->out)
        return;
    if (s->text.out)
        rt_utf8_put(&s->text, (uint8_t)id);
    else
        fprintf(s->out, "%s%d", first ? "" : " ", (int)id);
    fflush(s->out);
}

static rt_status give_prompt(rt_sampler *s, const rt_result **scores, rt_error *error)
{
    int64_t skipped = s->prompt_count > s->how->context ? s->prompt_count - s->how->context : 0;
    int64_t count = s->prompt_count - skipped;
    for (int64_t i = 0; i < s->prompt_count; i++)
        put(s, s->prompt[i], i == 0);
    memcpy(s->window, s->prompt + skipped, (size_t)count * sizeof *s->window);
    s->position = 0;
    return feed(s, count, scores, error);
}

rt_status rt_sampler_run(rt_sampler *s, FILE *out, rt_error *error)
{
    const rt_result *scores = NULL;
    const rt_image *image = s->context->image;
    bool text = image->data.given && strcmp(image->data.format, "bytes") == 0;
    s->out = out;
    s->text = (rt_utf8){.out = text ? out : NULL};
    s->begin = rt_nanoseconds();
    rt_status status = give_prompt(s, &scores, error);
    s->prefilled = rt_nanoseconds();
    for (int64_t i = 0; status == RT_OK && i < s->length; i++) {
        int32_t id = draw(s, scores, i);
        if (id < 0)
            status =
                rt_fail(error, RT_RANGE, "the scores of id %lld are no numbers", (long long)i + 1);
        if (status == RT_OK)
            put(s, id, false);
        if (status == RT_OK && i + 1 < s->length)
            status = make_room(s, &scores, error);
        if (status != RT_OK || i + 1 == s->length)
            break;
        s->window[s->position] = id;
        status = feed(s, s->position + 1, &scores, error);
    }
    s->end = rt_nanoseconds();
    if (s->text.out)
        rt_utf8_end(&s->text);
    if (out) {
        fputc('\n', out);
        fflush(out);
    }
    return status;
}

void rt_sampler_print_speed(const rt_sampler *s, FILE *out)
{
    const rt_image *image = s->context->image;
    double prompt = (double)(s->prefilled - s->begin) * 1e-9;
    double rest = (double)(s->end - s->prefilled) * 1e-9;
    double each = rest / (double)(s->length > 1 ? s->length - 1 : 1);
    fprintf(out, "prompt of %lld ids in %.1f ms; then %.1f ids/s, %.3f ms each\n",
            (long long)s->prompt_count, prompt * 1e3, 1 / each, each * 1e3);
    fprintf(out, "parameters: %lld bytes, read at %.2f GB/s\n", (long long)image->memory.parameters,
            (double)image->memory.parameters / each * 1e-9);
}
