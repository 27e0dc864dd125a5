/* report.h: what rank 0 tells while it trains: a line on the terminal that is overwritten, plain lines elsewhere, and a
 * JSON object for each step in the metrics file.
 *
 *     rt_report report;
 *     rt_report_start(&report, run, context);
 *     rt_report_step(&report, &row, &error);
 *     rt_report_stop(&report);
 */
#ifndef ESPALIER_RUNTIME_EXEC_REPORT_H
#define ESPALIER_RUNTIME_EXEC_REPORT_H

#include "base/json_line.h"
#include "exec/context.h"
#include "exec/run.h"

typedef struct rt_report {
    const rt_run *run;
    const esp_context *context;
    rt_json_line line;
    bool terminal;
    bool dirty;    /* a progress line stands on the terminal */
    int64_t shown; /* when it was last written, nanoseconds */
    int64_t every; /* plain lines: steps between them */
} rt_report;

/* One step that is done. */
typedef struct rt_row {
    int64_t step;  /* from 0 */
    int64_t epoch; /* that it ended, from 1; 0: it ended none */
    double milliseconds;
    const double *results; /* of `step` */
    const double *holdout; /* results of eval over the held-out samples, or NULL */
} rt_row;

void rt_report_start(rt_report *report, const rt_run *run, const esp_context *context);
rt_status rt_report_step(rt_report *report, const rt_row *row, rt_error *error);
void rt_report_stop(rt_report *report);

/* Ends a line that would be overwritten: something else is about to be printed. */
void rt_report_break(rt_report *report);

/* The value of a function's result on this rank. */
double rt_result_value(const esp_context *context, const rt_result *result);

/* By the launcher, when all is done: the metrics file's last line and the closing lines. */
rt_status rt_report_summary(const rt_run *run, int64_t peak_resident, rt_error *error);

#endif
