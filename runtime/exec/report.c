#include "exec/report.h"

#include <string.h>
#include <unistd.h>

enum { PLAIN_LINES = 20, REFRESH_NANOSECONDS = 100 * 1000 * 1000 };

static const double million = 1e6, billion = 1e9;

double rt_result_value(const esp_context *context, const rt_result *result)
{
    const char *at = context->arena + result->offset;
    if (result->type == RT_TYPE_F64) {
        double value;
        memcpy(&value, at, sizeof value);
        return value;
    }
    float value;
    memcpy(&value, at, sizeof value);
    return (double)value;
}

void rt_report_start(rt_report *report, const rt_run *run, const esp_context *context)
{
    *report = (rt_report){.run = run, .context = context, .terminal = isatty(STDOUT_FILENO) == 1};
    report->every = run->last_step / PLAIN_LINES > 0 ? run->last_step / PLAIN_LINES : 1;
}

void rt_report_break(rt_report *report)
{
    if (report->dirty)
        fputc('\n', stdout);
    report->dirty = false;
}

void rt_report_stop(rt_report *report)
{
    rt_report_break(report);
    fflush(stdout);
    rt_json_free(&report->line);
}

static void add_value(rt_json_line *line, const char *name, rt_type type, double value)
{
    if (type == RT_TYPE_F64)
        rt_json_double(line, name, value);
    else
        rt_json_float(line, name, (float)value);
}

static bool step_gives(const rt_function *step, const char *name)
{
    for (int i = 0; i < step->result_count; i++)
        if (strcmp(step->results[i].name, name) == 0)
            return true;
    return false;
}

/* A metric that the step itself does not compute stands in the row by its name; all that eval gave, under `holdout`. */
static void add_holdout(rt_json_line *line, const rt_image *image, const double *values)
{
    const rt_function *eval = &image->functions[image->eval_function];
    const rt_function *step = &image->functions[image->step_function];
    for (int i = 0; i < eval->result_count; i++) {
        const rt_result *r = &eval->results[i];
        if (r->kind == RT_METRIC && !step_gives(step, r->name))
            add_value(line, r->name, r->type, values[i]);
    }
    rt_json_open(line, "holdout", '{');
    for (int i = 0; i < eval->result_count; i++)
        add_value(line, eval->results[i].name, eval->results[i].type, values[i]);
    rt_json_close(line, '}');
}

static rt_status write_metrics(rt_report *report, const rt_row *row, rt_error *error)
{
    const rt_image *image = report->context->image;
    const rt_function *step = &image->functions[image->step_function];
    rt_json_line *line = &report->line;
    rt_json_begin(line);
    rt_json_int(line, "step", row->step);
    for (int i = 0; i < step->result_count; i++)
        add_value(line, step->results[i].name, step->results[i].type, row->results[i]);
    rt_json_float(line, "ms", (float)row->milliseconds);
    rt_json_float(line, "samples_per_s",
                  (float)((double)image->training.batch * 1000 / row->milliseconds));
    if (row->epoch > 0)
        rt_json_int(line, "epoch", row->epoch);
    if (row->holdout)
        add_holdout(line, image, row->holdout);
    return rt_json_end(line, report->run->metrics, error);
}

static void print_holdout(const rt_image *image, const double *values)
{
    bool averaged = image->training.average != NULL;
    const rt_function *eval = &image->functions[image->eval_function];
    for (int i = 0; i < eval->result_count; i++)
        printf("%s %s %.4g",
               i > 0      ? ","
               : averaged ? "  held out, averaged weights:"
                          : "  held out:",
               eval->results[i].name, values[i]);
}

static void print_row(const rt_report *report, const rt_row *row)
{
    const rt_image *image = report->context->image;
    const rt_function *step = &image->functions[image->step_function];
    if (row->epoch > 0)
        printf("epoch %lld  ", (long long)row->epoch);
    printf("step %lld/%lld", (long long)row->step + 1, (long long)report->run->last_step);
    for (int i = 0; i < step->result_count; i++)
        printf("  %s %.4g", step->results[i].name, row->results[i]);
    printf("  %.3g ms", row->milliseconds);
    if (row->holdout)
        print_holdout(image, row->holdout);
}

/* On a terminal the line is overwritten by the next; a held-out evaluation stays. */
static void show(rt_report *report, const rt_row *row)
{
    bool kept = row->holdout != NULL || row->step + 1 == report->run->last_step;
    int64_t now = rt_nanoseconds();
    if (report->terminal) {
        if (!kept && now - report->shown < REFRESH_NANOSECONDS)
            return;
        fputs("\r\033[K", stdout);
    } else if (!kept && (row->step + 1) % report->every != 0) {
        return;
    }
    report->shown = now;
    print_row(report, row);
    report->dirty = report->terminal && !kept;
    if (!report->dirty)
        fputc('\n', stdout);
    fflush(stdout);
}

rt_status rt_report_step(rt_report *report, const rt_row *row, rt_error *error)
{
    if (!report->run->options.quiet)
        show(report, row);
    return report->run->metrics ? write_metrics(report, row, error) : RT_OK;
}

static rt_status write_summary(const rt_run *run, int64_t peak, double seconds, rt_error *error)
{
    const rt_finals *finals = run->control.finals;
    rt_json_line line = {0};
    rt_json_begin(&line);
    rt_json_open(&line, "summary", '{');
    rt_json_int(&line, "reserved_bytes", run->image->arena_bytes);
    rt_json_int(&line, "peak_resident_bytes", peak);
    rt_json_double(&line, "seconds", seconds);
    rt_json_int(&line, "ranks", run->image->ranks);
    rt_json_int(&line, "steps", finals->steps);
    if (finals->trained)
        rt_json_float(&line, "loss", (float)finals->loss);
    if (*run->checkpoints && finals->trained)
        rt_json_text(&line, "checkpoints", run->checkpoints);
    if (finals->evaluated)
        add_holdout(&line, run->image, finals->holdout);
    rt_json_close(&line, '}');
    rt_status status = rt_json_end(&line, run->metrics, error);
    rt_json_free(&line);
    return status;
}

rt_status rt_report_summary(const rt_run *run, int64_t peak, rt_error *error)
{
    const rt_image *image = run->image;
    const rt_finals *finals = run->control.finals;
    double seconds = (double)(rt_nanoseconds() - run->begin) / billion;
    if (!run->options.quiet) {
        printf("%s by %s: %lld steps on %d rank%s in %.3f s", image->train, image->plan,
               (long long)finals->steps, image->ranks, image->ranks == 1 ? "" : "s", seconds);
        if (finals->trained)
            printf(", loss %.4g", finals->loss);
        if (finals->evaluated)
            print_holdout(image, finals->holdout);
        if (*run->checkpoints && finals->trained)
            printf("\ncheckpoints in '%s', the last after step %lld", run->checkpoints,
                   (long long)finals->steps);
        printf(
            "\nmemory of the rank that needs most: %lld bytes reserved (%.1f MB), %.1f MB resident "
            "at the peak\n",
            (long long)image->arena_bytes, (double)image->arena_bytes / million,
            (double)peak / million);
        fflush(stdout);
    }
    return run->metrics ? write_summary(run, peak, seconds, error) : RT_OK;
}
