/* A rank from its first instruction to its exit status: variables, the step loop, evaluation. */
#include <math.h>
#include <omp.h>
#include <string.h>

#include "base/log.h"
#include "exec/checkpoints.h"
#include "exec/context.h"
#include "exec/report.h"
#include "exec/run.h"
#include "exec/sample.h"
#include "exec/samples.h"
#include "exec/variables.h"
#include "exec/weights.h"
#include "topo/cpu.h"

typedef struct rt_rank {
    rt_run *run;
    esp_context context;
    rt_samples samples;
    rt_report report;
    rt_checkpoints checkpoints;
    rt_sampler sampler; /* without a prompt where this rank draws nothing */
    rt_error *error;
    bool not_finite; /* the loss, which is the same on each rank */
    double loss;     /* of the last step; 0 when the plan computes none */
    double results[RT_MAX_RESULTS];
    double holdout[RT_MAX_RESULTS];
} rt_rank;

static void write_clock(const esp_context *context, int64_t offset, double value)
{
    if (offset >= 0)
        memcpy(context->arena + offset, &value, sizeof value);
}

static rt_status call(rt_rank *rank, int function)
{
    rt_status status = rt_context_call(&rank->context, function);
    if (status != RT_OK)
        *rank->error = rank->context.error;
    return status;
}

/* Takes the step's results out of the arena, where an evaluation may put its own in their place. */
static void keep_results(rt_rank *rank)
{
    const rt_image *image = rank->run->image;
    const rt_function *step = &image->functions[image->step_function];
    for (int i = 0; i < step->result_count; i++) {
        rank->results[i] = rt_result_value(&rank->context, &step->results[i]);
        if (step->results[i].kind == RT_LOSS)
            rank->loss = rank->results[i];
    }
    if (rank->context.rank == 0)
        rank->run->control.finals->loss = rank->loss;
}

static rt_status check_loss(rt_rank *rank, int64_t step)
{
    if (isfinite(rank->loss) || rank->run->options.allow_nan)
        return RT_OK;
    rank->not_finite = true;
    return rt_fail(rank->error, RT_RANGE,
                   "the loss is %s in step %lld; a lower learning rate or clipping may help, and "
                   "'--allow-nan' goes on",
                   isnan(rank->loss) ? "not a number" : "infinite", (long long)step);
}

/* The forward and backward parts of a step, microbatch by microbatch. */
static rt_status accumulate(rt_rank *rank)
{
    const rt_image *image = rank->run->image;
    rt_status status = RT_OK;
    for (int64_t i = 0; status == RT_OK && i < image->training.microbatches; i++) {
        write_clock(&rank->context, image->clock_microbatch, (double)i);
        status = rt_samples_train(&rank->samples, rank->error);
        if (status == RT_OK)
            status = call(rank, image->accumulate_function);
    }
    write_clock(&rank->context, image->clock_microbatch, 0);
    return status;
}

static rt_status train_step(rt_rank *rank, int64_t step)
{
    const rt_image *image = rank->run->image;
    if (rt_board_stopped(rank->run->control.board))
        return rt_fail(rank->error, RT_CANCELLED, "stopped before step %lld", (long long)step);
    rank->context.record->step = step;
    write_clock(&rank->context, image->clock_step, (double)step);
    write_clock(&rank->context, image->clock_steps, (double)rank->run->total_steps);
    write_clock(&rank->context, image->clock_valid, (double)rt_image_microbatch(image));
    rt_status status = image->accumulate_function < 0
                           ? rt_samples_train(&rank->samples, rank->error)
                           : accumulate(rank);
    if (status == RT_OK)
        status = call(rank, image->step_function);
    if (status != RT_OK)
        return status;
    keep_results(rank);
    return check_loss(rank, step);
}

/* Sums of eval's results over the held-out samples, each batch weighted by the samples in it that count. */
static rt_status sum_holdout(rt_rank *rank, double *weight)
{
    const rt_image *image = rank->run->image;
    const rt_function *eval = &image->functions[image->eval_function];
    int64_t valid;
    rt_status status;
    while ((status = rt_samples_holdout(&rank->samples, &valid, rank->error)) == RT_OK) {
        write_clock(&rank->context, image->clock_valid, (double)valid);
        status = call(rank, image->eval_function);
        if (status != RT_OK)
            return status;
        for (int i = 0; i < eval->result_count; i++)
            rank->holdout[i] += (double)valid * rt_result_value(&rank->context, &eval->results[i]);
        *weight += (double)valid;
    }
    return status == RT_END ? RT_OK : status;
}

static rt_status evaluate(rt_rank *rank)
{
    const rt_image *image = rank->run->image;
    const rt_function *eval = &image->functions[image->eval_function];
    double weight = 0;
    memset(rank->holdout, 0, sizeof rank->holdout);
    rank->context.record->phase = RT_EVALUATING;
    rt_status status = rt_samples_evaluate(&rank->samples, rank->error);
    if (status == RT_OK)
        status = sum_holdout(rank, &weight);
    rank->context.record->phase = RT_STEPPING;
    if (status != RT_OK)
        return status;
    for (int i = 0; i < eval->result_count; i++)
        rank->holdout[i] /= weight;
    if (rank->context.rank == 0) {
        rank->run->control.finals->evaluated = true;
        memcpy(rank->run->control.finals->holdout, rank->holdout, sizeof rank->holdout);
    }
    return RT_OK;
}

static bool can_evaluate(const rt_rank *rank)
{
    return rank->run->image->eval_function >= 0 && rank->run->set &&
           dataset_count(rank->run->set, DATASET_HELD_OUT) > 0;
}

/* The number of the epoch that a step ends, from 1; 0 if it ends none. */
static int64_t epoch_ended(const rt_rank *rank, int64_t step)
{
    if (!rank->run->set)
        return 0;
    int64_t samples = (int64_t)dataset_count(rank->run->set, DATASET_TRAIN);
    int64_t before = rt_run_position(rank->run, step) / samples;
    int64_t after = rt_run_position(rank->run, step + 1) / samples;
    return after > before ? after : 0;
}

/* A sample behind a step, where the plan asks for one. */
static rt_status sample(rt_rank *rank, int64_t step)
{
    int64_t every = rank->run->image->sampling.every;
    bool last = step + 1 == rank->run->last_step, first = rank->context.rank == 0;
    bool heard = first && !rank->run->options.quiet;
    if (!rank->sampler.prompt || !(last || (every > 0 && (step + 1) % every == 0)))
        return RT_OK;
    if (heard) {
        rt_report_break(&rank->report);
        printf("sample behind step %lld:\n", (long long)step + 1);
    }
    rt_status status = rt_sampler_run(&rank->sampler, heard ? stdout : NULL, rank->error);
    if (heard && status == RT_OK && rank->run->options.sampling.speed)
        rt_sampler_print_speed(&rank->sampler, stderr);
    return status;
}

static rt_status one_step(rt_rank *rank, int64_t step)
{
    int64_t begin = rt_nanoseconds();
    rt_row row = {.step = step, .epoch = epoch_ended(rank, step), .results = rank->results};
    rt_status status = train_step(rank, step);
    row.milliseconds = (double)(rt_nanoseconds() - begin) / 1e6;
    bool last = step + 1 == rank->run->last_step;
    if (status == RT_OK && (row.epoch > 0 || last) && can_evaluate(rank)) {
        status = evaluate(rank);
        row.holdout = rank->holdout;
    }
    if (status == RT_OK && rt_checkpoints_due(&rank->checkpoints, step, row.epoch))
        status = rt_checkpoints_write(&rank->checkpoints, step + 1, rank->error);
    if (status == RT_OK && rank->context.rank == 0) {
        rank->run->control.finals->trained = true;
        rank->run->control.finals->steps = step + 1;
        status = rt_report_step(&rank->report, &row, rank->error);
    }
    return status == RT_OK ? sample(rank, step) : status;
}

static rt_status train(rt_rank *rank)
{
    const rt_run *run = rank->run;
    rank->context.record->phase = RT_STEPPING;
    rt_status status = RT_OK;
    run->control.finals->steps = run->first_step;
    if (run->first_step >= run->last_step && can_evaluate(rank))
        status = evaluate(rank);
    for (int64_t step = run->first_step; status == RT_OK && step < run->last_step; step++)
        status = one_step(rank, step);
    rt_error late;
    rt_status written = rt_checkpoints_stop(&rank->checkpoints, &late);
    if (status != RT_OK || written == RT_OK)
        return status;
    *rank->error = late;
    return written;
}

int64_t rt_run_position(const rt_run *run, int64_t steps)
{
    return run->first_position + (steps - run->first_step) * run->image->training.batch;
}

int rt_run_threads(const rt_run *run)
{
    if (run->options.threads > 0)
        return run->options.threads;
    int threads = rt_cpu_cores() / run->image->ranks;
    return threads > 1 ? threads : 1;
}

/* The sampler of a rank that draws: every one where they exchange messages, else the first. */
static rt_status make_sampler(rt_rank *rank)
{
    const rt_sampling *how = &rank->run->image->sampling;
    bool wanted = how->given && (how->printed || rank->run->image->step_function < 0);
    if (!wanted || (!how->together && rank->context.rank != 0))
        return RT_OK;
    return rt_sampler_make(&rank->sampler, &rank->context, &rank->run->options.sampling,
                           rank->error);
}

/* The variables stand: trains. */
static rt_status live_training(rt_rank *rank)
{
    rt_run *run = rank->run;
    rt_status status =
        rt_samples_start(&rank->samples, &rank->context, run->set,
                         run->first_position / rt_image_microbatch(run->image), rank->error);
    if (status != RT_OK)
        return status;
    rt_report_start(&rank->report, run, &rank->context);
    status = train(rank);
    if (status == RT_OK && run->options.save)
        status = rt_weights_write(&rank->context, run->options.save, rank->error);
    rt_report_stop(&rank->report);
    rt_samples_stop(&rank->samples);
    return status;
}

/* An executable that samples and does nothing else. */
static rt_status live_sampling(rt_rank *rank)
{
    rt_status status = rt_sampler_run(&rank->sampler, stdout, rank->error);
    if (status == RT_OK && rank->run->options.sampling.speed)
        rt_sampler_print_speed(&rank->sampler, stderr);
    return status;
}

static rt_status live(rt_rank *rank, int number)
{
    rt_run *run = rank->run;
    int threads = rt_run_threads(run);
    omp_set_num_threads(threads);
    rt_setup setup = {run->image, run->functions, &run->control,
                      number,     threads,        run->options.timeout};
    rt_status status = rt_context_make(&rank->context, &setup, rank->error);
    if (status != RT_OK)
        return status;
    status = rt_variables_init(&rank->context, rank->error);
    if (status == RT_OK)
        status = rt_initial_read(&rank->context, &run->initial, rank->error);
    rt_checkpoints_start(&rank->checkpoints, run, &rank->context);
    if (status == RT_OK)
        status = rt_checkpoints_read(&rank->checkpoints, rank->error);
    if (status == RT_OK)
        status = make_sampler(rank);
    if (status == RT_OK)
        status = run->image->step_function < 0 ? live_sampling(rank) : live_training(rank);
    rt_sampler_clean_up(&rank->sampler);
    rt_context_clean_up(&rank->context);
    return status;
}

rt_exit rt_rank_main(rt_run *run, int number)
{
    rt_record *record = &run->control.records[number];
    rt_rank rank = {.run = run, .error = &record->error};
    rt_log_set_rank(number, run->image->ranks);
    rt_status status = live(&rank, number);
    record->phase = RT_ENDED;
    if (status == RT_OK)
        return RT_EXIT_DONE;
    record->error.status = status;
    return rank.not_finite ? RT_EXIT_NOT_FINITE : rt_exit_of_status(status);
}
