/* esp_main: what every executable does first: read its image, check the processor, read the command line, open files. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "exec/checkpoints.h"
#include "exec/report.h"
#include "exec/run.h"
#include "exec/samples.h"
#include "topo/cpu.h"

/* Nothing before this may use an instruction beyond the architecture's baseline, and nothing that the runtime is made of
 * does: faster loops are chosen by what the processor has. */
static rt_exit check_cpu(const rt_image *image)
{
    for (int i = 0; i < image->cpu_feature_count; i++) {
        if (rt_cpu_has(image->cpu_features[i]))
            continue;
        rt_log_error("built for %s: this processor has no '%s'", image->cpu_name,
                     image->cpu_features[i]);
        rt_log_note("fix: build it with '--cpu %s', or on this machine with '--cpu native'",
                    rt_cpu_level_name(rt_cpu_level()));
        return RT_EXIT_CPU;
    }
    return RT_EXIT_DONE;
}

/* How many processes a cluster's launcher has started of this executable; 0 when none did. */
static long started_together(const char **by)
{
    static const char *const names[][2] = {{"OMPI_COMM_WORLD_SIZE", "mpirun"},
                                           {"PMI_SIZE", "mpirun"},
                                           {"SLURM_STEP_NUM_TASKS", "srun"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *size = getenv(names[i][0]);
        *by = names[i][1];
        if (size && strtol(size, NULL, 10) > 1)
            return strtol(size, NULL, 10);
    }
    return 0;
}

static rt_exit check_start(const rt_image *image)
{
    const char *by;
    long processes = started_together(&by);
    if (processes == 0)
        return RT_EXIT_DONE;
    rt_log_error(
        "started as %ld processes by %s: messages between separately started processes are "
        "not carried out",
        processes, by);
    rt_log_note("fix: start it once; it starts the plan's %d ranks on this host itself",
                image->ranks);
    return RT_EXIT_UNSUPPORTED;
}

/* With epochs, floor(epochs * samples / batch) steps, so that no sample is dropped between epochs. */
static rt_status count_steps(rt_run *run, rt_error *error)
{
    const rt_training *training = &run->image->training;
    run->total_steps = training->steps;
    if (training->epochs > 0) {
        if (!run->set)
            return rt_fail(error, RT_INVALID, "epochs need data, and the plan has none");
        double samples = (double)dataset_count(run->set, DATASET_TRAIN);
        run->total_steps = (int64_t)(training->epochs * samples / (double)training->batch + 1e-9);
        if (run->total_steps < 1)
            return rt_fail(error, RT_INVALID,
                           "%g epochs of %.0f samples are less than one batch of %lld",
                           training->epochs, samples, (long long)training->batch);
    }
    run->last_step = run->total_steps;
    if (run->options.steps > 0 && run->options.steps < run->last_step)
        run->last_step = run->options.steps;
    return RT_OK;
}

static rt_status open_metrics(rt_run *run, rt_error *error)
{
    if (!run->options.metrics)
        return RT_OK;
    run->metrics = fopen(run->options.metrics, run->resumed.file ? "ae" : "we");
    if (!run->metrics)
        return rt_fail_errno(error, RT_IO, "cannot write '%s'", run->options.metrics);
    return RT_OK;
}

static rt_status prepare_sampling(rt_run *run, rt_error *error)
{
    const rt_image *image = run->image;
    rt_status status = rt_initial_open(image, &run->options, &run->initial, error);
    if (status != RT_OK)
        return status;
    return rt_control_make(&run->control, image->ranks, image->arena_bytes, error);
}

static rt_status prepare(rt_run *run, rt_error *error)
{
    const rt_image *image = run->image;
    if (image->step_function < 0)
        return prepare_sampling(run, error);
    rt_status status = rt_samples_open(image, run->options.data, &run->set, error);
    if (status != RT_OK) {
        char place[512];
        rt_error_prefix(error, "data at %s",
                        rt_image_place(image, image->data.site, place, sizeof place));
        return status;
    }
    status = count_steps(run, error);
    if (status == RT_OK)
        status = rt_checkpoints_prepare(run, error);
    if (status == RT_OK)
        status =
            run->resumed.file ? RT_OK : rt_initial_open(image, &run->options, &run->initial, error);
    if (status == RT_OK)
        status = open_metrics(run, error);
    if (status == RT_OK)
        status = rt_control_make(&run->control, image->ranks, image->arena_bytes, error);
    return status;
}

static void clean_up(rt_run *run)
{
    rt_control_clean_up(&run->control);
    if (run->metrics)
        fclose(run->metrics);
    rt_initial_close(&run->initial);
    dataset_close(run->set);
    safetensors_close(run->resumed.file);
}

static rt_exit train(rt_run *run)
{
    rt_error error;
    rt_exit outcome;
    rt_status status = prepare(run, &error);
    if (status == RT_OK) {
        rt_checkpoints_tell(run);
        outcome = rt_launch(run);
    } else {
        rt_log_error("%s", error.text);
        outcome = rt_exit_of_status(status);
    }
    clean_up(run);
    return outcome;
}

static rt_exit export(const rt_run *run)
{
    rt_error error;
    rt_status status = rt_initial_export(run->image, &run->options, &error);
    if (status == RT_OK)
        return RT_EXIT_DONE;
    rt_log_error("%s", error.text);
    return rt_exit_of_status(status);
}

/* Threads of OpenMP, and so of oneDNN, spin for milliseconds after each loop, which halves the speed of everything on a
 * machine that has other work. The library reads its settings before main, so the executable starts itself once more. */
static void start_with_short_spins(const rt_run *run, char **argv)
{
    if (rt_run_threads(run) == 1 || getenv("OMP_WAIT_POLICY") || getenv("GOMP_SPINCOUNT"))
        return;
    setenv("OMP_WAIT_POLICY", "passive", 1);
    setenv("GOMP_SPINCOUNT", "2000", 1);
    execv("/proc/self/exe", argv); /* if it cannot, the run is only slower */
}

static rt_exit start(int argc, char **argv, rt_run *run)
{
    rt_error error;
    rt_exit outcome = check_cpu(run->image);
    if (outcome != RT_EXIT_DONE)
        return outcome;
    if (rt_options_read(argc, argv, &run->options, &error) != RT_OK) {
        rt_log_error("%s", error.text);
        return RT_EXIT_USAGE;
    }
    if (run->options.help) {
        printf("%s: '%s' trained by plan '%s' on %d ranks\n", argv[0], run->image->train,
               run->image->plan, run->image->ranks);
        rt_options_print_help(stdout, argv[0]);
        return RT_EXIT_DONE;
    }
    const char *named = run->options.sampling.named;
    if (named && !run->image->sampling.given) {
        rt_log_error("'%s' is of samples, and the plan draws none", named);
        return RT_EXIT_USAGE;
    }
    if (run->options.export)
        return export(run);
    outcome = check_start(run->image);
    if (outcome != RT_EXIT_DONE)
        return outcome;
    start_with_short_spins(run, argv);
    return train(run);
}

int esp_main(int argc, char **argv, const esp_image *image)
{
    rt_image read;
    rt_error error;
    rt_run run = {.image = &read, .functions = image->functions, .begin = rt_nanoseconds()};
    if (image->abi_version != ESP_ABI_VERSION) {
        rt_log_error("built for version %d of the runtime and linked with version %d",
                     image->abi_version, ESP_ABI_VERSION);
        return RT_EXIT_IMAGE;
    }
    rt_status status = rt_image_read(image->json, (size_t)image->json_bytes, &read, &error);
    if (status == RT_OK && read.function_count != image->function_count) {
        rt_image_clean_up(&read);
        status = rt_fail(&error, RT_DAMAGED, "plan image: functions are %d, the code has %d",
                         read.function_count, image->function_count);
    }
    if (status != RT_OK) {
        rt_log_error("%s", error.text);
        return RT_EXIT_IMAGE;
    }
    rt_exit outcome = start(argc, argv, &run);
    rt_image_clean_up(&read);
    return (int)outcome;
}
