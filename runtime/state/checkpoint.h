/* checkpoint.h: the files of a folder that hold the state of a training, each after some step.
 *
 * A checkpoint is a safetensors file FOLDER/step-00001000.safetensors in logical (unsharded) form, with the progress in
 * its metadata, so that any plan of the same training goes on from it. It appears whole or not at all, and the last good
 * one is found even if a newer one is damaged.
 *
 *     checkpoint_path(path, "ckpt", 1000, &error);                              # then safetensors_create(...) ... finish
 *     checkpoint_prune("ckpt", 1000, 3, &error);
 *
 *     status = checkpoint_open_latest("ckpt", &found, &error);
 *     ... found.file, found.progress.step; found.skipped tells of a damaged one ...
 */
#ifndef ESPALIER_RUNTIME_CHECKPOINT_H
#define ESPALIER_RUNTIME_CHECKPOINT_H

#include <stdbool.h>

#include "state/safetensors.h"
#include "state/safetensors_write.h"

enum { CHECKPOINT_PATH = 4096, CHECKPOINT_TEXTS = 5, CHECKPOINT_TEXT = 256 };

/* Where a training stands. Random numbers are by counter (random.h), so the seed and these are the random state. */
typedef struct checkpoint_progress {
    char train[CHECKPOINT_TEXT]; /* the name of the train block */
    uint64_t step;               /* steps done */
    uint64_t position;           /* samples taken from the stream: where the data go on */
    uint64_t seed;
} checkpoint_progress;

/* The metadata that stand for a progress, for safetensors_plan; the texts lie in `room`. */
typedef struct checkpoint_texts {
    safetensors_text texts[CHECKPOINT_TEXTS];
    char room[CHECKPOINT_TEXTS][CHECKPOINT_TEXT];
} checkpoint_texts;

void checkpoint_describe(const checkpoint_progress *progress, checkpoint_texts *texts);

/* RT_DAMAGED when the file's metadata are not those of a checkpoint. */
rt_status checkpoint_read_progress(const safetensors *file, checkpoint_progress *progress,
                                   rt_error *error);

/* Makes the folder if it is missing, and the path of the file after `step`. */
rt_status checkpoint_path(char path[CHECKPOINT_PATH], const char *folder, uint64_t step,
                          rt_error *error);

/* Of the files after `step` and earlier, removes all but the newest `keep` (at least 1), and with them the partial files
 * that a killed run has left. Those after later steps are another run's, or damaged: they stay. */
rt_status checkpoint_prune(const char *folder, uint64_t step, size_t keep, rt_error *error);

/* The largest step that a file's name says, damaged or not. RT_NOT_FOUND: there is no file, or no folder. */
rt_status checkpoint_newest(const char *folder, uint64_t *step, rt_error *error);

typedef struct checkpoint_found {
    safetensors *file; /* the caller closes it */
    checkpoint_progress progress;
    char path[CHECKPOINT_PATH];
    size_t damaged;   /* newer ones that could not be used... */
    rt_error skipped; /* ...and why the newest of them could not */
} checkpoint_found;

/* The newest checkpoint whose structure and checksums hold. RT_NOT_FOUND: there is none (an empty or missing folder);
 * RT_DAMAGED: there are, and all are damaged. */
rt_status checkpoint_open_latest(const char *folder, checkpoint_found *found, rt_error *error);

/* One file by its path, checked alike. */
rt_status checkpoint_open(const char *path, checkpoint_found *found, rt_error *error);

#endif
