/* run.h: what launcher and ranks of one run share by fork: the plan, the options, the control memory, the data.
 *
 * rt_rank_main is a rank from its first instruction to its exit status; rt_launch makes the ranks, watches them and tells
 * the outcome. With one rank there is no other process: it runs in the launcher's own, so that a debugger sees it.
 */
#ifndef ESPALIER_RUNTIME_EXEC_RUN_H
#define ESPALIER_RUNTIME_EXEC_RUN_H

#include <stdio.h>

#include "data/dataset.h"
#include "exec/control.h"
#include "exec/exit.h"
#include "exec/image.h"
#include "exec/options.h"
#include "exec/initial.h"
#include "espalier/abi.h"
#include "state/checkpoint.h"

typedef struct rt_run {
    const rt_image *image;
    esp_function_fn *const *functions;
    rt_options options;
    rt_control control;
    dataset *set;                      /* NULL when the plan has no data */
    rt_initial initial;                /* what the variables begin from */
    FILE *metrics;                     /* NULL when not asked for */
    int64_t total_steps;               /* as the plan says; schedules count to it */
    int64_t last_step;                 /* where this run stops: total_steps or --steps */
    int64_t first_step;                /* 0, or the steps that the checkpoint has done */
    int64_t first_position;            /* samples taken before it */
    char checkpoints[CHECKPOINT_PATH]; /* their folder; empty: none are written */
    checkpoint_found resumed;          /* file NULL: from the beginning */
    int64_t begin;                     /* rt_nanoseconds() when the executable started */
} rt_run;

/* Samples taken from the stream after so many steps. */
int64_t rt_run_position(const rt_run *run, int64_t steps);

/* Threads of each rank: what the command line says, or the cores divided by the ranks. */
int rt_run_threads(const rt_run *run);

/* A rank's life. The reason of a failure is in its record. */
rt_exit rt_rank_main(rt_run *run, int rank);

/* All ranks' lives: starts them, waits for them, reports a failure on standard error. */
rt_exit rt_launch(rt_run *run);

#endif
