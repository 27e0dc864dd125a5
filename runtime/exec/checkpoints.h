/* checkpoints.h: when a training writes its state, and how it goes on from what was written.
 *
 * The launcher decides once, before there are ranks, where checkpoints lie and which one the run goes on from. A rank then
 * takes its part of the file, and rank 0 writes: the values go to the file between two steps, and a thread makes them
 * last (sync, rename, removal of old ones) while the next steps run.
 *
 *     status = rt_checkpoints_prepare(run, &error);                    // launcher
 *     rt_checkpoints_start(&kept, run, context);                       // rank
 *     status = rt_checkpoints_read(&kept, &error);
 *     if (rt_checkpoints_due(&kept, step, epoch))
 *         status = rt_checkpoints_write(&kept, step + 1, &error);
 *     status = rt_checkpoints_stop(&kept, &error);
 */
#ifndef ESPALIER_RUNTIME_EXEC_CHECKPOINTS_H
#define ESPALIER_RUNTIME_EXEC_CHECKPOINTS_H

#include <pthread.h>

#include "exec/context.h"
#include "exec/run.h"

/* A file that a thread completes. */
typedef struct rt_completion {
    safetensors_writer *writer;
    const char *folder;
    uint64_t step;
    size_t keep; /* 0: all */
    rt_status status;
    rt_error error;
} rt_completion;

typedef struct rt_checkpoints {
    rt_run *run;
    esp_context *context;
    pthread_t thread;
    bool busy; /* the thread is to be waited for */
    rt_completion completion;
} rt_checkpoints;

/* Sets run->checkpoints, run->resumed, first_step and first_position. A folder that holds another run's checkpoints is an
 * error, and so is a checkpoint of another training. Errors: RT_INVALID, RT_NOT_FOUND, RT_DAMAGED, RT_MISMATCH, RT_IO. */
rt_status rt_checkpoints_prepare(rt_run *run, rt_error *error);

/* What the run goes on from and where it writes, for the user. */
void rt_checkpoints_tell(const rt_run *run);

void rt_checkpoints_start(rt_checkpoints *kept, rt_run *run, esp_context *context);

/* This rank's part of every variable from the checkpoint that the run goes on from, if it does. */
rt_status rt_checkpoints_read(rt_checkpoints *kept, rt_error *error);

/* Whether to write after step `step` (from 0), which ended epoch `epoch` (0: none). */
bool rt_checkpoints_due(const rt_checkpoints *kept, int64_t step, int64_t epoch);

/* By every rank, after `steps` steps. An error of the file before comes here too. */
rt_status rt_checkpoints_write(rt_checkpoints *kept, int64_t steps, rt_error *error);

/* Waits for the last file. */
rt_status rt_checkpoints_stop(rt_checkpoints *kept, rt_error *error);

#endif
