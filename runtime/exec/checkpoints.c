#include "exec/checkpoints.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "exec/weights.h"

/* Where the run writes: what the command line says is under the working folder, what the plan says under its own. */
static rt_status find_folder(rt_run *run, rt_error *error)
{
    const rt_checkpoint_clause *clause = &run->image->checkpoint;
    const char *said = run->options.checkpoints;
    if (!clause->folder)
        return said ? rt_fail(error, RT_INVALID,
                              "'--checkpoints' says where, and train '%s' has no 'checkpoint' "
                              "clause that says when",
                              run->image->train)
                    : RT_OK;
    bool whole = said || clause->folder[0] == '/';
    int length = whole ? snprintf(run->checkpoints, sizeof run->checkpoints, "%s",
                                  said ? said : clause->folder)
                       : snprintf(run->checkpoints, sizeof run->checkpoints, "%s/%s", clause->base,
                                  clause->folder);
    if (length < (int)sizeof run->checkpoints && length > 0)
        return RT_OK;
    return rt_fail(error, RT_INVALID, "the path of the folder for checkpoints is %s",
                   length > 0 ? "too long" : "empty");
}

/* What cannot be written is better known now than after the first thousand steps. */
static rt_status try_folder(const char *folder, rt_error *error)
{
    char path[CHECKPOINT_PATH];
    rt_status status = checkpoint_path(path, folder, 0, error);
    if (status == RT_OK && access(folder, W_OK | X_OK) != 0)
        status = rt_fail_errno(error, RT_IO, "cannot write checkpoints into '%s'", folder);
    return status;
}

static rt_status open_found(rt_run *run, rt_error *error)
{
    const char *from = run->options.resume_from;
    if (!from && !*run->checkpoints)
        return rt_fail(error, RT_INVALID,
                       "train '%s' has no 'checkpoint' clause, so '--resume' needs a path",
                       run->image->train);
    rt_status status = checkpoint_open_latest(from ? from : run->checkpoints, &run->resumed, error);
    if (status == RT_IO && from) /* no folder: a file */
        return checkpoint_open(from, &run->resumed, error);
    if (status == RT_NOT_FOUND && !from) {
        rt_log_note("'%s' holds no checkpoint: from the beginning", run->checkpoints);
        return RT_OK;
    }
    if (status == RT_OK && run->resumed.damaged)
        rt_log_warning("%zu newer checkpoint%s not whole, passed over; %s", run->resumed.damaged,
                       run->resumed.damaged == 1 ? " is" : "s are", run->resumed.skipped.text);
    return status;
}

/* The checkpoint must be one of this training, at a place where this run can go on. */
static rt_status take_progress(rt_run *run, rt_error *error)
{
    const checkpoint_progress *p = &run->resumed.progress;
    const rt_training *t = &run->image->training;
    const char *path = run->resumed.path;
    if (strcmp(p->train, run->image->train) != 0)
        return rt_fail(error, RT_MISMATCH, "'%s' is of train '%s', and this is '%s'", path,
                       p->train, run->image->train);
    if (p->seed != t->seed)
        return rt_fail(error, RT_MISMATCH,
                       "'%s' was trained with seed %" PRIu64 ", and the plan says %" PRIu64, path,
                       p->seed, t->seed);
    if (p->step > INT64_MAX / 2 || p->position > INT64_MAX / 2)
        return rt_fail(error, RT_DAMAGED, "'%s' says it is after step %" PRIu64, path, p->step);
    if (p->position % (uint64_t)t->batch != 0)
        return rt_fail(error, RT_MISMATCH,
                       "'%s' is after %" PRIu64 " samples, which are no whole batches of %lld",
                       path, p->position, (long long)t->batch);
    run->first_step = (int64_t)p->step;
    run->first_position = (int64_t)p->position;
    return RT_OK;
}

/* Whether the file lies in the folder, by whatever names the two are called. */
static bool lies_in(const char *file, const char *folder)
{
    char above[CHECKPOINT_PATH];
    struct stat one, other;
    snprintf(above, sizeof above, "%s", file);
    char *slash = strrchr(above, '/');
    if (slash)
        slash[slash == above] = '\0';
    return stat(slash ? above : ".", &one) == 0 && stat(folder, &other) == 0 &&
           one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

/* Files of later steps than the one that the run begins with belong to another run, unless they were found damaged: this
 * run would mix its own with them. */
static rt_status check_folder(const rt_run *run, rt_error *error)
{
    uint64_t newest = 0;
    rt_status status =
        *run->checkpoints ? checkpoint_newest(run->checkpoints, &newest, error) : RT_NOT_FOUND;
    if (status == RT_NOT_FOUND)
        return RT_OK;
    if (status != RT_OK)
        return status;
    bool own = run->resumed.file && lies_in(run->resumed.path, run->checkpoints);
    if (own && (newest <= run->resumed.progress.step || run->resumed.damaged))
        return RT_OK;
    return rt_fail(error, RT_INVALID,
                   "'%s' holds checkpoints of another run, up to step %" PRIu64
                   "; '--resume' goes on from them, '--checkpoints DIR' writes elsewhere",
                   run->checkpoints, newest);
}

rt_status rt_checkpoints_prepare(rt_run *run, rt_error *error)
{
    rt_status status = find_folder(run, error);
    if (status == RT_OK && *run->checkpoints)
        status = try_folder(run->checkpoints, error);
    if (status == RT_OK && run->options.resume)
        status = open_found(run, error);
    if (status == RT_OK && run->resumed.file)
        status = take_progress(run, error);
    return status == RT_OK ? check_folder(run, error) : status;
}

void rt_checkpoints_tell(const rt_run *run)
{
    if (run->options.quiet || !run->resumed.file)
        return;
    printf("resumed from '%s': %lld of %lld steps are done%s\n", run->resumed.path,
           (long long)run->first_step, (long long)run->total_steps,
           run->first_step >= run->last_step ? ", and nothing is left to train" : "");
    fflush(stdout);
}

void rt_checkpoints_start(rt_checkpoints *kept, rt_run *run, esp_context *context)
{
    *kept = (rt_checkpoints){.run = run, .context = context};
}

rt_status rt_checkpoints_read(rt_checkpoints *kept, rt_error *error)
{
    const checkpoint_found *found = &kept->run->resumed;
    return found->file ? rt_weights_take(kept->context, found->file, true, error) : RT_OK;
}

bool rt_checkpoints_due(const rt_checkpoints *kept, int64_t step, int64_t epoch)
{
    const rt_checkpoint_clause *clause = &kept->run->image->checkpoint;
    if (!*kept->run->checkpoints)
        return false;
    if (step + 1 == kept->run->last_step)
        return true;
    int64_t count = clause->epochs ? epoch : step + 1;
    return clause->every > 0 && count > 0 && count % clause->every == 0;
}

static void *complete(void *argument)
{
    rt_completion *c = argument;
    c->status = safetensors_finish(c->writer, NULL, &c->error);
    if (c->status == RT_OK && c->keep > 0)
        c->status = checkpoint_prune(c->folder, c->step, c->keep, &c->error);
    return NULL;
}

/* The file before is done with, well or not. */
static rt_status wait_for_thread(rt_checkpoints *kept, rt_error *error)
{
    if (!kept->busy)
        return RT_OK;
    pthread_join(kept->thread, NULL);
    kept->busy = false;
    if (kept->completion.status != RT_OK)
        *error = kept->completion.error;
    return kept->completion.status;
}

static rt_status begin_file(rt_checkpoints *kept, int64_t steps, rt_error *error)
{
    const rt_run *run = kept->run;
    checkpoint_progress progress = {.step = (uint64_t)steps,
                                    .position = (uint64_t)rt_run_position(run, steps),
                                    .seed = run->image->training.seed};
    snprintf(progress.train, sizeof progress.train, "%s", run->image->train);
    checkpoint_texts texts;
    checkpoint_describe(&progress, &texts);
    char path[CHECKPOINT_PATH];
    rt_status status = checkpoint_path(path, run->checkpoints, (uint64_t)steps, error);
    rt_weights_file file = {.path = path, .texts = texts.texts, .text_count = CHECKPOINT_TEXTS};
    if (status == RT_OK)
        status = rt_weights_begin(kept->context, &file, &kept->completion.writer, error);
    return status;
}

static rt_status write_file(rt_checkpoints *kept, int64_t steps, rt_error *error)
{
    rt_status status = wait_for_thread(kept, error);
    if (status == RT_OK)
        status = begin_file(kept, steps, error);
    if (status != RT_OK)
        return status;
    kept->completion.folder = kept->run->checkpoints;
    kept->completion.step = (uint64_t)steps;
    kept->completion.keep = (size_t)kept->run->image->checkpoint.keep;
    kept->busy = pthread_create(&kept->thread, NULL, complete, &kept->completion) == 0;
    if (kept->busy)
        return RT_OK;
    complete(&kept->completion); /* no thread: then it takes its time here */
    if (kept->completion.status != RT_OK)
        *error = kept->completion.error;
    return kept->completion.status;
}

rt_status rt_checkpoints_write(rt_checkpoints *kept, int64_t steps, rt_error *error)
{
    rt_status status = rt_weights_meet(kept->context, error);
    if (status == RT_OK && kept->context->rank == 0)
        status = write_file(kept, steps, error);
    return status == RT_OK ? rt_weights_meet(kept->context, error) : status;
}

rt_status rt_checkpoints_stop(rt_checkpoints *kept, rt_error *error)
{
    return wait_for_thread(kept, error);
}
