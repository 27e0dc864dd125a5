/* paths.h: where the standard library and the runtime lie.
 *
 * Looked for in this order: what the command line or the environment (ESPALIER_STDLIB, ESPALIER_RUNTIME) names; beside the
 * running compiler, as a build tree has them; under the prefix that it is installed in; the source tree.
 */
#ifndef ESPALIER_DRIVER_PATHS_H
#define ESPALIER_DRIVER_PATHS_H

#include "base/arena.h"

/* The folder with nn.plan, optim.plan, topology.plan; NULL if there is none. `said`: from --stdlib, or NULL. */
const char *paths_stdlib(arena *a, const char *said);

/* libespalier_rt.a; NULL if there is none. */
const char *paths_runtime(arena *a);

/* The page of a diagnostic's code, as Markdown; NULL if there is none. */
const char *paths_code_page(arena *a, const char *code);

/* "dir/ring.plan" -> "dir", "ring.plan" -> ".". */
const char *paths_folder(arena *a, const char *path);

#endif
