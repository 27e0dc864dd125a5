/* sample.h: ids drawn one after another by the plan's functions `prefill` and `decode`.
 *
 *     rt_sampler sampler;
 *     status = rt_sampler_make(&sampler, context, &options.sampling, &error);
 *     status = rt_sampler_run(&sampler, stdout, &error);       // the prompt, then what is drawn; NULL: writes nothing
 *     rt_sampler_clean_up(&sampler);
 *
 * The functions keep keys and values of up to `context` ids. When these are full, the later half of them is given anew from
 * position 0 on, and the sample goes on behind them. Where the functions exchange messages (`together`), every rank runs
 * the sampler and draws the same ids, since scores and random numbers are the same; else rank 0 alone does.
 */
#ifndef ESPALIER_RUNTIME_EXEC_SAMPLE_H
#define ESPALIER_RUNTIME_EXEC_SAMPLE_H

#include <stdio.h>

#include "base/utf8.h"
#include "exec/context.h"
#include "exec/draw.h"
#include "exec/options.h"

typedef struct rt_sampler {
    esp_context *context;
    const rt_sampling *how;
    rt_draw_rule rule;
    int64_t length;
    int32_t *prompt;
    int64_t prompt_count;
    int32_t *window; /* [context]: the ids that keys and values are kept of */
    int64_t position;
    rt_candidate *candidates;   /* [classes] */
    const rt_result *scores[2]; /* of prefill, of decode */
    int64_t classes;
    FILE *out;
    rt_utf8 text;
    int64_t begin, prefilled,
        end; /* nanoseconds: before the prompt, behind it, behind the last id */
} rt_sampler;

/* What the options say goes before what the plan says. Errors: RT_INVALID for a prompt that the model does not take,
 * RT_NO_MEMORY. */
rt_status rt_sampler_make(rt_sampler *sampler, esp_context *context,
                          const rt_sampling_options *options, rt_error *error);
void rt_sampler_clean_up(rt_sampler *sampler);

/* Errors: RT_RANGE where scores are no numbers; those of a call. Allocates nothing. */
rt_status rt_sampler_run(rt_sampler *sampler, FILE *out, rt_error *error);

/* Ids a second, and bytes of parameters a second at one reading for each id. */
void rt_sampler_print_speed(const rt_sampler *sampler, FILE *out);

#endif
