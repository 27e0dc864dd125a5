/* checkpoint_source.h: what a plan was compiled from, kept in checkpoints, so that a checkpoint alone is enough to compile
 * its training again.
 *
 * A compiled plan carries a JSON text with the plan file, its imports, the parts of the standard library that it uses and
 * the settings of the command line; each checkpoint and each file of --save has it in its safetensors metadata under
 * "espalier.source" (docs/internals/plan-image.md). To compile from a checkpoint:
 *
 *     checkpoint_source from;
 *     compilation c = {0};
 *     if (checkpoint_source_open(session, "ckpt", &from) && compile_plan(session, from.operand, PASS_PLACE, &c))
 *         ... c.graph, c.training; the weights are in from.path ...
 *
 * After checkpoint_source_open the session reads files from those texts alone, never from disk, and has the recorded
 * settings, where the command line says no others of the same name. It is called before anything else is read.
 */
#ifndef ESPALIER_DRIVER_CHECKPOINT_SOURCE_H
#define ESPALIER_DRIVER_CHECKPOINT_SOURCE_H

#include "driver/compile.h"

typedef struct checkpoint_source {
    const char *path;    /* the safetensors file: the operand, or the newest one of the folder */
    const char *plan;    /* the plan's name */
    const char *operand; /* FILE:PLAN, as compile_plan takes it */
} checkpoint_source;

/* `path` is a file or a folder of checkpoints; in a folder, newer files that are cut short are named in a warning and passed
 * over. Nothing in the file is believed. False after session_refuse. */
bool checkpoint_source_open(session *s, const char *path, checkpoint_source *out);

/* The same, but with --plan its plan, read from disk, in place of what the file says. `path` is then a file. */
bool checkpoint_source_find(session *s, const char *path, checkpoint_source *out);

/* The JSON text for a plan whose file has been read and resolved. */
const char *checkpoint_source_text(const compilation *c);

#endif
